"""C9: MuZero on a grid of 5 x 5: fetch a key, open a door, fall into no pit. The best play is known exactly."""

from dataclasses import replace

import numpy as np
from task_course import TaskCourse

from sakiyomi.agents.muzero import MuZero
from sakiyomi.envs.key_door import Layout, best_return, key_door_task

SHARE = 0.9
"""Of what the best play gains over a walk at random, which is what is to be reached."""
AT_RANDOM = -1.10
"""The mean return of random actions, of 3,000 episodes."""
CONFIG = replace(
    MuZero.presets["cartpole"],
    channels=32,
    hidden=32,
    support=5,
    discount=0.97,
    rows=32,
    moves=32,
    piece=None,
    td_steps=5,
    uses=8.0,
    batch=128,
    rate_steps=12_000,
    temperature_steps=(3_000, 8_000),
    window=50_000,
    evaluate_every=20,
    evaluation_games=50,
)


def best() -> float:
    """The mean return of the best play, of so many layouts that the third digit is right."""
    rng = np.random.default_rng(0)
    return float(np.mean([best_return(Layout.drawn(rng)) for _ in range(3000)]))


if __name__ == "__main__":
    most = best()
    TaskCourse(
        "c9-key-door",
        "C9: MuZero, key and door on a grid of 5 x 5",
        MuZero,
        key_door_task(),
        CONFIG,
        bar=round(AT_RANDOM + SHARE * (most - AT_RANDOM), 3),
        steps=200_000,
        episodes=500,
        lines={f"best play, {most:.3f}": most, f"at random, {AT_RANDOM}": AT_RANDOM},
        note=f"The best play has {most:.3f} on average, found by search in each layout, and random actions have"
        f" {AT_RANDOM}; the bar is {SHARE:.0%} of the way from these to that. MinAtar, which is no part of this"
        " library's dependencies, was not used. It is measured by a Gumbel search without noise.",
    ).main()
