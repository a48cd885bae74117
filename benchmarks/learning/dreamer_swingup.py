"""Dreamer swings up the cart-pole of DeepMind's control suite from its state, every action played twice.

Wants ``pip install "sakiyomi[control]"``.
"""

from latent_course import LatentCourse

from sakiyomi.agents.dreamer import Dreamer

COURSE = LatentCourse(
    name="dreamer-swingup",
    about="Dreamer on dmc/cartpole-swingup from its state",
    agent=Dreamer,
    task="dmc/cartpole-swingup@proprio",
    config=Dreamer.presets["dmc/*@proprio"],
    steps=40_000,
    bar=350.0,
    lines={"longest": 1000.0},
)

if __name__ == "__main__":
    COURSE.main()
