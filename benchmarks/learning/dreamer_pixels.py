"""Dreamer swings up a pendulum that it sees as 64x64 pixels; beside it, states that come by their meaning otherwise.

Figure 8 of the paper: by being told from one another (contrastive), or from rewards alone.
"""

from latent_course import LatentCourse

from sakiyomi.agents.dreamer import Dreamer

COURSE = LatentCourse(
    name="dreamer-pixels",
    about="Dreamer on pendulum@pixels",
    agent=Dreamer,
    task="pendulum@pixels",
    config=Dreamer.presets["pendulum@pixels"],
    steps=8_000,
    bar=9.0,
    lines={"random": 0.0, "plans with the true dynamics": 14.8},
    variants={"objective=contrastive": "return", "objective=reward": "return"},
)

if __name__ == "__main__":
    COURSE.main()
