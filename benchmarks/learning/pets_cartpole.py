"""PETS swings up the paper's cart-pole within about ten trials of 200 steps, as the paper does.

``--set`` with the settings of the preset "pets/cartpole" takes the paper's networks and particles, at some fifty times
the cost.
"""

from collections.abc import Iterator

from course import Mark
from trials_course import Returns, TrialsCourse, mean_of

from sakiyomi.agents.pets import PETS


def measure(returns: Returns) -> Iterator[Mark]:
    """What is reached by the tenth trial."""
    yield mean_of("best of trials 1 to 10", returns[:, 1:11].max(axis=1), 150)
    yield mean_of("mean return of the last three trials", returns[:, -3:].mean(axis=1), 140)


if __name__ == "__main__":
    about = "PETS, the paper's cart-pole"
    lines = {"paper, near the ceiling": 180.0}
    config = PETS.presets["quick-cartpole"]
    TrialsCourse("pets-cartpole", about, PETS, "pets/cartpole", config, measure, 11, 5, lines).main()
