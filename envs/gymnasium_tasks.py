"""Tasks of other packages through Gymnasium's registry: its own, and Atari's through ale-py."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import gymnasium
from gymnasium.error import DependencyNotInstalled

from sakiyomi.envs.display import without_display
from sakiyomi.envs.task import Task
from sakiyomi.envs.wrappers import ActionRepeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from gymnasium import Env

FRAMES = 108_000
"""Frames of an Atari episode at most: half an hour. The v5 names follow Machado et al., JAIR 61, 2018."""
FRAME_SKIP = 4
STICKINESS = 0.25
"""Chance that the machine repeats the last action instead of the new one."""
REPEAT = "@repeat:"
"""Stands in a name before how often an action is played."""


def registered(name: str, id: str, install: str) -> Task:
    """The task `name`, which Gymnasium knows as `id`. Raises ValueError if there is none or its package is missing."""
    without_display()
    return _described(name, id, install)


def repeating(name: str, install: str) -> Task:
    """The task ``gym/ID@repeat:N``: that of ``gym/ID`` with every action played N times.

    Raises ValueError as `registered`, and for an N that is no whole number over 0.
    """
    id, _, times = name.removeprefix("gym/").partition(REPEAT)
    if not times.isdecimal() or int(times) < 1:
        raise ValueError(f"task {name!r}: how often an action is played is a whole number over 0, not {times!r}")
    task, repeat = registered(name, id, install), int(times)
    horizon = None if task.horizon is None else -(-task.horizon // repeat)
    return replace(task, horizon=horizon, build=partial(_repeated, task.build, repeat))


def atari(name: str) -> Task:
    """An Atari game with sticky actions, a frame skip of 4 and the game's own action set; `name` is "ALE/Pong-v5".

    Raises ValueError for an unknown game.
    """
    import ale_py

    from sakiyomi.envs.atari import cartridge_of
    from sakiyomi.envs.atari_scores import SCORES

    cartridge = cartridge_of(name)
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)  # its banner is nobody's result
    gymnasium.register_envs(ale_py)
    options = {
        "frameskip": FRAME_SKIP,
        "repeat_action_probability": STICKINESS,
        "full_action_space": False,
        "max_num_frames_per_episode": FRAMES,
    }
    task = _described(name, name, "", horizon=FRAMES // FRAME_SKIP, **options)
    return replace(task, scale=SCORES.get(cartridge))


def _described(name: str, id: str, install: str, horizon: int | None = None, **options: Any) -> Task:
    """A task as its first environment describes itself."""
    build = partial(_make, name, id, install, **options)
    env = build()
    try:
        limit = env.spec.max_episode_steps if env.spec else None
        return Task(
            name=name,
            observation_space=env.observation_space,
            action_space=env.action_space,
            horizon=limit or horizon,
            reward_range=(-float("inf"), float("inf")),
            build=build,
        )
    finally:
        env.close()


def _repeated(build: "Callable[[], Env[Any, Any]]", repeat: int) -> "Env[Any, Any]":
    return ActionRepeat(build(), repeat)


def _make(name: str, id: str, install: str, **options: Any) -> "Env[Any, Any]":
    try:
        return gymnasium.make(id, **options)
    except (DependencyNotInstalled, ImportError) as error:
        raise ValueError(f"task {name!r} needs a package that is not installed ({error}): {install}") from None
    except gymnasium.error.Error as error:
        raise ValueError(f"unknown task {name!r}: {' '.join(str(error).split())}") from None
