"""PlaNet swings up a pendulum that it sees as 64x64 pixels, by planning in latent space alone."""

from latent_course import LatentCourse

from sakiyomi.agents.planet import PlaNet

COURSE = LatentCourse(
    name="planet-pixels",
    about="PlaNet on pendulum@pixels",
    agent=PlaNet,
    task="pendulum@pixels",
    config=PlaNet.presets["pendulum@pixels"],
    steps=2_400,
    bar=9.0,
    lines={"random": 0.0, "plans with the true dynamics": 14.8},
)

if __name__ == "__main__":
    COURSE.main()
