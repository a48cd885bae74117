"""What an agent acts in: single-player tasks by name, and the board games with the standard interfaces.

    task = make_task("cartpole-swingup")
    env = task.make(seed=0)
    envs = make_vector("cartpole-swingup", 64)       # many at once, in this process or in several

    env = BoardEnv("go-9x9")                         # PettingZoo, two agents
    env = gymnasium.make("sakiyomi/Chess-v0")        # Gymnasium, against an opponent: VersusEnv
    batch = BoardBatch("shogi", 1024)                # many games at once

Names are imported when first used. Gymnasium and PettingZoo are optional packages; importing this one registers the
ids of the board games with those that are installed (`registration`).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sakiyomi.envs import registration

if TYPE_CHECKING:
    from sakiyomi.envs.atari_batch import AtariBatch
    from sakiyomi.envs.batch import BoardBatch
    from sakiyomi.envs.board import BoardEnv, parallel_env
    from sakiyomi.envs.catalog import TASKS, Family, is_task, make_task
    from sakiyomi.envs.drawing import picture
    from sakiyomi.envs.task import Task
    from sakiyomi.envs.vector import BoardVectorEnv
    from sakiyomi.envs.vector_tasks import make_vector
    from sakiyomi.envs.versus import VersusEnv

__all__ = [
    "TASKS",
    "AtariBatch",
    "BoardBatch",
    "BoardEnv",
    "BoardVectorEnv",
    "Family",
    "Task",
    "VersusEnv",
    "is_task",
    "make_task",
    "make_vector",
    "parallel_env",
    "picture",
]

_HOMES = {
    "atari_batch": ("AtariBatch",),
    "batch": ("BoardBatch",),
    "board": ("BoardEnv", "parallel_env"),
    "catalog": ("TASKS", "Family", "is_task", "make_task"),
    "drawing": ("picture",),
    "task": ("Task",),
    "vector": ("BoardVectorEnv",),
    "vector_tasks": ("make_vector",),
    "versus": ("VersusEnv",),
}


def __getattr__(name: str) -> Any:
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


registration.register()
