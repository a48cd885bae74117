"""Dreamer learns Gymnasium's Pendulum-v1 from its state, every action played twice: gradients through the dynamics."""

from latent_course import LatentCourse

from sakiyomi.agents.dreamer import Dreamer

COURSE = LatentCourse(
    name="dreamer-pendulum",
    about="Dreamer on Pendulum-v1",
    agent=Dreamer,
    task="gym/Pendulum-v1@repeat:2",
    config=Dreamer.presets["gym/Pendulum-v1@repeat:2"],
    steps=10_000,
    bar=-400.0,
    lines={"random": -1197.0, "bar": -400.0},
    variants={"trace=0.0 horizon=5": "return"},
)

if __name__ == "__main__":
    COURSE.main()
