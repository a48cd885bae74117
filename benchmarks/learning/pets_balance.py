"""PETS balances mbrl-lib's continuous cart-pole, an episode of which ends when the pole falls, in ten trials."""

from collections.abc import Iterator

from course import Mark
from trials_course import Returns, TrialsCourse, mean_of

from sakiyomi.agents.pets import PETS


def measure(returns: Returns) -> Iterator[Mark]:
    """180 of 200 by the tenth trial."""
    yield mean_of("best of trials 1 to 10", returns[:, 1:11].max(axis=1), 180)
    yield mean_of("mean return of the last three trials", returns[:, -3:].mean(axis=1), 180)


if __name__ == "__main__":
    about = "PETS, continuous cart-pole"
    lines = {"ceiling, and mbrl-lib's lesson": 200.0}
    config = PETS.presets["cartpole-continuous"]
    TrialsCourse("pets-balance", about, PETS, "cartpole-continuous", config, measure, 11, 3, lines).main()
