"""PETS learns Gymnasium's Pendulum-v1 in ten trials, a small ensemble with known rewards."""

from collections.abc import Iterator

from course import Mark
from trials_course import Returns, TrialsCourse, mean_of

from sakiyomi.agents.pets import PETS


def measure(returns: Returns) -> Iterator[Mark]:
    """The mean of trials 3 to 10 without the random one, and the first trial that is good."""
    yield mean_of("mean return of trials 3 to 10", returns[:, 3:11].mean(axis=1), -400)
    yield mean_of("best trial", returns[:, 1:].max(axis=1), -200)


if __name__ == "__main__":
    about = "PETS, Pendulum-v1"
    lines = {"random play": -1197.0, "pass mark": -400.0}
    config = PETS.presets["quick"]
    TrialsCourse("pets-pendulum", about, PETS, "gym/Pendulum-v1", config, measure, 11, 3, lines).main()
