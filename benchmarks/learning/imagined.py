"""What a trained agent imagines, for the page of a course: a film and frames of pictures, or fans of numbers."""

from pathlib import Path
from typing import Any

import numpy as np

from sakiyomi.agents.parts.episodes.fans import Watched, plot_fans, watch
from sakiyomi.agents.parts.episodes.strips import plot_strip
from sakiyomi.agents.parts.episodes.videos import OpenLoop, film_frames, open_loop
from sakiyomi.envs.task import Task
from sakiyomi.envs.video import Film

SEED = 1000
"""Of the first episode that is shown: no agent has learned from it."""
CONTEXT = 5
"""Steps that an agent has seen before it predicts pictures."""
EPISODES = 3
"""Of a film, or to choose from."""
SHADES = (1, 8, 16, 32)
"""What colours of a film are rounded to multiples of, so that it does not become too large."""
LARGEST = 400_000
"""Bytes of a film that is not yet in the coarsest of `SHADES`."""
STEPS = 100
"""Steps that are shown where vectors are observed."""


def imagined(agent: Any, task: Task, stem: Path) -> list[str]:
    """Write `stem`.png and, where pictures are seen, `stem`.gif; the lines of a page beside them that show them."""
    picture, film = (stem.with_name(f"{stem.name}.{kind}") for kind in ("png", "gif"))
    if len(task.observation_space.shape or ()) == 1:
        env = task.make()
        try:
            watched = [watch(env, agent, SEED + number) for number in range(EPISODES)]
            plot_fans(max(watched, key=moved), picture, steps=STEPS)
        finally:
            env.close()
        return [
            f"![what the agent expected, and what came]({picture.name})",
            "",
            "From every tenth step on: what the agent expected (colours, with 95 % of its futures), and what then came"
            f" (black; beside values: what was still to come of the episode). Of {EPISODES} fresh episodes the one in"
            " which most happened.",
        ]
    loops = [open_loop(agent, task, CONTEXT, SEED + number) for number in range(EPISODES)]
    write_film(loops, film)
    plot_strip(loops[0], picture)
    return [
        f"![what the agent imagined, and what came]({film.name})",
        "",
        f"{EPISODES} episodes: what came, what the agent had imagined after {CONTEXT} steps without another look"
        " (orange border), the difference, and below them the reward (white: as it came, orange: as imagined) and, if"
        " the agent has a critic, what states are worth. The first of them, with all futures that were imagined:",
        "",
        f"![frames, rewards and values]({picture.name})",
    ]


def moved(watched: Watched) -> float:
    """How much what was observed changed, in the steps that are shown."""
    return float(watched.rollout.observations[:STEPS].std(axis=0).sum())


def write_film(loops: list[OpenLoop], path: Path) -> None:
    """Film `loops` to a GIF in as many shades as fit."""
    frames = film_frames(loops)
    for shade in SHADES:
        with Film(path, fps=5.0) as film:
            film.begin()
            for frame in frames:
                film.add((frame // shade * shade + shade // 2).astype(np.uint8))
        if path.stat().st_size < LARGEST:
            return
