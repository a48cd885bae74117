"""PETS begins to run as a half-cheetah: some trials of 1,000 steps on a processor, beside the paper's many.

The paper's curve rises to the order of 10,000 in some hundred thousand steps; what is asked for here is that it runs
forward, where random play goes nowhere.
"""

from collections.abc import Iterator

from course import Mark
from trials_course import Returns, TrialsCourse, mean_of

from sakiyomi.agents.pets import PETS

OTHERS = {
    "the paper, large networks and plans: order of 10,000": (300, 10_000),
    "Wang et al. 2019, PETS in their reward: 2796 ± 880": (200, 2_796),
}
"""Returns by the number of trials of 1,000 steps. The first is the height of figure 3 of Chua et al., which shows the
best trial so far and prints no numbers; the second is of the benchmark of T. Wang et al., arXiv:1907.02057."""
NOTE = (
    "The paper lets its networks (four layers of 200) and plans (500 candidates of 30 steps) learn for 300 trials; here"
    " it is the quick preset. The height of its figure 3, which shows the best trial so far without telling numbers, is"
    " of the order of 10,000 at its end; the benchmark of Wang et al. (arXiv:1907.02057) has 2796 ± 880 after 200,000"
    " steps, in its own reward. Random play in Gymnasium's half-cheetah has -309 ± 85."
)


def measure(returns: Returns) -> Iterator[Mark]:
    """Forward, and better than in the first trials."""
    yield mean_of("best trial", returns[:, 1:].max(axis=1), 500)
    yield mean_of("last trials less the first", returns[:, -3:].mean(axis=1) - returns[:, 0], 300)


if __name__ == "__main__":
    about = "PETS, half-cheetah"
    config = PETS.presets["quick-halfcheetah"]
    task, trials, seeds = "pets/halfcheetah", 15, 2
    TrialsCourse("pets-halfcheetah", about, PETS, task, config, measure, trials, seeds, points=OTHERS, note=NOTE).main()
