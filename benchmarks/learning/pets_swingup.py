"""PETS swings up PILCO's cart-pole, ``cartpole-swingup``, in trials of 40 steps with noisy measurements."""

from collections.abc import Iterator

from course import Mark
from trials_course import Returns, TrialsCourse, mean_of

from sakiyomi.agents.pets import PETS


def measure(returns: Returns) -> Iterator[Mark]:
    """A return of 20 of 40 is a pole that is up from the middle of the trial on."""
    yield mean_of("best of trials 1 to 10", returns[:, 1:11].max(axis=1), 20)
    yield mean_of("mean return of the last three trials", returns[:, -3:].mean(axis=1), 15)


if __name__ == "__main__":
    about = "PETS, cart-pole swing-up"
    config = PETS.presets["cartpole-swingup"]
    TrialsCourse("pets-swingup", about, PETS, "cartpole-swingup", config, measure, 11, 5, {"ceiling": 40.0}).main()
