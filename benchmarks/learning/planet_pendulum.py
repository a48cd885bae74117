"""PlaNet swings the pendulum up from its state, by planning in latent space alone."""

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
)

if __name__ == "__main__":
    COURSE.main()
