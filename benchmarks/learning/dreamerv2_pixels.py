"""DreamerV2 swings up a pendulum that it sees as 64x64 pixels: discrete states, gradients through the dynamics."""

from latent_course import LatentCourse

from sakiyomi.agents.dreamerv2 import DreamerV2

COURSE = LatentCourse(
    name="dreamerv2-pixels",
    about="DreamerV2 on pendulum@pixels",
    agent=DreamerV2,
    task="pendulum@pixels",
    config=DreamerV2.presets["pendulum@pixels"],
    steps=10_000,
    bar=9.0,
    lines={"random": 0.0, "plans with the true dynamics": 14.8},
)

if __name__ == "__main__":
    COURSE.main()
