"""PlaNet pushes a ball to a goal that it sees as 64x64 pixels, by planning in latent space alone."""

from latent_course import LatentCourse

from sakiyomi.agents.planet import PlaNet

COURSE = LatentCourse(
    name="planet-pixels",
    about="PlaNet on point-mass@pixels",
    agent=PlaNet,
    task="point-mass@pixels",
    config=PlaNet.presets["point-mass@pixels"],
    steps=5_000,  # half of the Dreamers': a decision of its planner costs as much as an update
    bar=20.0,
    lines={"random": 5.9},
)

if __name__ == "__main__":
    COURSE.main()
