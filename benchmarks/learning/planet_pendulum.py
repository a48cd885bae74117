"""PlaNet swings the pendulum up from its state, by planning in latent space alone; beside it, the paper's ablations.

Section 5 of the paper, designs of the model: one without a memory, and one whose states are certain.
"""

from latent_course import LatentCourse

from sakiyomi.agents.planet import PlaNet

COURSE = LatentCourse(
    name="planet-pendulum",
    about="PlaNet on the pendulum",
    agent=PlaNet,
    task="pendulum",
    config=PlaNet.presets["pendulum"],
    steps=1600,
    bar=9.0,
    lines={"the same planner with the true dynamics": 14.8},
    variants={"dynamics=stochastic": "return", "dynamics=deterministic": "return"},
)

if __name__ == "__main__":
    COURSE.main()
