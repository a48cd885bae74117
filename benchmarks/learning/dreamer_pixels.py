"""Dreamer pushes a ball to a goal that it sees as 64x64 pixels; beside it, states that come by their meaning otherwise.

Figure 8 of the paper: by being told from one another (contrastive), or from rewards alone.
"""

from latent_course import LatentCourse

from sakiyomi.agents.dreamer import Dreamer

COURSE = LatentCourse(
    name="dreamer-pixels",
    about="Dreamer on point-mass@pixels",
    agent=Dreamer,
    task="point-mass@pixels",
    config=Dreamer.presets["point-mass@pixels"],
    steps=10_000,
    bar=20.0,
    lines={"random": 5.9},
    variants={"objective=contrastive": "return", "objective=reward": "return"},
)

if __name__ == "__main__":
    COURSE.main()
