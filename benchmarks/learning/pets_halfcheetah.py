"""PETS begins to run as a half-cheetah: some trials of 1,000 steps on a processor, beside the paper's many.

The paper's curve rises to the order of 10,000 in some hundred thousand steps; what is asked for here is that it runs
forward, where random play goes nowhere.
"""

from collections.abc import Iterator

from course import Mark
from trials_course import Returns, TrialsCourse, mean_of

from sakiyomi.agents.pets import PETS


def measure(returns: Returns) -> Iterator[Mark]:
    """Forward, and better than in the first trials."""
    yield mean_of("best trial", returns[:, 1:].max(axis=1), 500)
    yield mean_of("last trials less the first", returns[:, -3:].mean(axis=1) - returns[:, 0], 300)


if __name__ == "__main__":
    about = "PETS, half-cheetah"
    config = PETS.presets["quick-halfcheetah"]
    TrialsCourse("pets-halfcheetah", about, PETS, "pets/halfcheetah", config, measure, 15, 2).main()
