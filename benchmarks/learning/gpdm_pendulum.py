"""GPDM plans: it swings up PILCO's pendulum, in trials of 4 s, through a latent space that it learns from them."""

from collections.abc import Iterator

from course import Mark
from trials_course import Returns, TrialsCourse, mean_of

from sakiyomi.agents.gpdm import GPDM

NOTE = (
    "The papers forecast motion and have no agent: there is no figure to compare with. The reward of a step is near 1"
    " where the rod stands upright; the trials of 40 steps in which GP-MPC swings it up and holds it return 23 to 25."
)


def measure(returns: Returns) -> Iterator[Mark]:
    """Half of what a trial could give, within six trials."""
    yield mean_of("best trial", returns[:, 1:].max(axis=1), 20)


if __name__ == "__main__":
    about, config = "GPDM, pendulum swing-up", GPDM.presets["pendulum"]
    TrialsCourse("gpdm-pendulum", about, GPDM, "pendulum", config, measure, 6, 3, note=NOTE).main()
