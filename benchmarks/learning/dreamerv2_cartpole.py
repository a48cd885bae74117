"""DreamerV2 learns Gymnasium's CartPole-v1 from its state: choices, discrete latent states, REINFORCE."""

from latent_course import LatentCourse

from sakiyomi.agents.dreamerv2 import DreamerV2

COURSE = LatentCourse(
    name="dreamerv2-cartpole",
    about="DreamerV2 on CartPole-v1",
    agent=DreamerV2,
    task="gym/CartPole-v1",
    config=DreamerV2.presets["gym/CartPole-v1"],
    steps=10_000,
    bar=200.0,
    lines={"longest": 500.0, "random": 22.0},
    variants={"balance=0.5": "model/error 15 ahead"},
)

if __name__ == "__main__":
    COURSE.main()
