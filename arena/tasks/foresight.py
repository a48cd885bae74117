"""What an agent foresees in a task, beside what then happens, as a file: fans of numbers, or films of pictures."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from sakiyomi.agents.parts.episodes.fans import plot_fans, watch
from sakiyomi.agents.parts.episodes.videos import open_loop, save_film, strip
from sakiyomi.agents.parts.runs.checkpoints import write_bytes
from sakiyomi.arena.tasks.episodes import run_seed
from sakiyomi.arena.tasks.players import make_task_player
from sakiyomi.arena.tasks.seat import AgentTaskPlayer
from sakiyomi.envs.catalog import make_task
from sakiyomi.envs.task import Task
from sakiyomi.envs.video import Film, png

FILMS = (".gif", ".mp4")
FILMED = 3
"""Predictions in a film or a picture."""
CONTEXT = 5
"""Steps that an agent has seen before it predicts."""


def foreseeing(path: Path, name: str, spec: str) -> AgentTaskPlayer:
    """The player `spec` whose foresight in the task `name` is to be written to `path`.

    Raises ValueError for what cannot be written, or foresees nothing, with the package that is missing if it is one.
    """
    pictures = _pictured(make_task(name))
    if path.suffix not in (".png", ".npz", *(FILMS if pictures else ())):
        wanted = ".gif, .mp4, .png" if pictures else ".png"
        why = "" if pictures or path.suffix not in FILMS else f": {name} shows no pictures to film"
        raise ValueError(f"--foresight {path}: wanted is a {wanted}, or a .npz of arrays{why}")
    if path.suffix in FILMS:
        Film(path).close()  # says what is missing, and writes nothing
    if path.suffix == ".png" and not pictures and find_spec("matplotlib") is None:
        raise ValueError(f'--foresight {path} needs matplotlib: pip install "sakiyomi[plots]"')
    player = make_task_player(spec)
    if not isinstance(player, AgentTaskPlayer):
        raise ValueError(f"--foresight: {spec} is no agent, and foresees nothing")
    return player


def write_foresight(name: str, player: AgentTaskPlayer, seed: int, path: Path) -> None:
    """Let the agent play some more, and write what it foresees there.

    Where vectors are observed: one episode, as `fans` draws it. Pictures: `FILMED` episodes in which, after `CONTEXT`
    steps, its plan is carried out without another look, as `videos` shows it.
    """
    task = make_task(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if _pictured(task):
        _write_films(task, player, seed, path)
        return
    env = task.make()
    try:
        watched = watch(env, player.agent, run_seed(seed, 1))
    finally:
        env.close()
    if path.suffix == ".npz":
        np.savez_compressed(path, **watched.arrays())  # type: ignore[arg-type]  # a name of NumPy's own among them
    else:
        plot_fans(watched, path)


def _write_films(task: Task, player: AgentTaskPlayer, seed: int, path: Path) -> None:
    loops = [open_loop(player.agent, task, CONTEXT, run_seed(seed, run)) for run in range(1, FILMED + 1)]
    if path.suffix == ".npz":
        arrays = {f"{number}/{key}": array for number, loop in enumerate(loops) for key, array in loop.arrays().items()}
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    elif path.suffix == ".png":
        write_bytes(path, png(strip(loops[0])))
    else:
        save_film(loops, path)


def _pictured(task: Task) -> bool:
    """Does the task show pictures?"""
    return task.observation_space.dtype == np.uint8 and len(task.observation_space.shape or ()) in (2, 3)
