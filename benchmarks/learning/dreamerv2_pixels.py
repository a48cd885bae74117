"""DreamerV2 pushes a ball to a goal that it sees as 64x64 pixels: discrete states, gradients through the dynamics."""

from latent_course import LatentCourse

from sakiyomi.agents.dreamerv2 import DreamerV2

COURSE = LatentCourse(
    name="dreamerv2-pixels",
    about="DreamerV2 on point-mass@pixels",
    agent=DreamerV2,
    task="point-mass@pixels",
    config=DreamerV2.presets["point-mass@pixels"],
    steps=10_000,
    bar=20.0,
    lines={"random": 5.9},
)

if __name__ == "__main__":
    COURSE.main()
