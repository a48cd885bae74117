"""Many environments of one task stepped together: `make_vector(task, n)`.

::

    envs = make_vector("cartpole-swingup", 64)                    # compiled, in this process
    envs = make_vector("dmc/walker-walk@dreamer", 16, workers=4)  # in four processes
    observations, infos = envs.reset(seed=0)                      # environment i has the seed 0 + i
    observations, rewards, terminated, truncated, infos = envs.step(actions)

Whatever the number of workers, the same seeds and actions give the same arrays.
"""

from typing import TYPE_CHECKING, Any

from sakiyomi.envs.catalog import make_task
from sakiyomi.envs.extras import missing
from sakiyomi.envs.task import Task

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

MODES = {"next_step": "NextStep", "same_step": "SameStep", "disabled": "Disabled"}
"""What happens after an episode's end, and Gymnasium's `AutoresetMode` for it."""


def make_vector(
    task: Task | str, n: int, workers: int = 0, mode: str = "next_step", context: str | None = None
) -> "VectorEnv[Any, Any, Any]":
    """`n` environments of `task` as one, a `gymnasium.vector.VectorEnv`.

    With no `workers` they are stepped in this process, by compiled code where the task has it (`Task.build_many`). Else
    that many processes each step their share, and write into memory that all share; `context` is how these are started
    ("fork", "spawn", "forkserver", by default as Python does).

    `mode` says what happens after the end of an episode, be it terminated or truncated, which are told apart:

    - "next_step": the next step ignores the action, and returns the first observation of a new episode with reward 0;
    - "same_step": the observation is that of the new episode, and ``infos["final_obs"][i]`` the last of the old;
    - "disabled": nothing; ``reset(options={"reset_mask": bool [n]})`` begins anew.

    Raises ValueError for an unknown task or mode, and if `n` or `workers` make no sense.
    """
    if mode not in MODES:
        raise ValueError(f"mode is one of {', '.join(map(repr, MODES))}, got {mode!r}")
    if n < 1 or workers < 0:
        raise ValueError(f"at least one environment and no fewer than 0 workers are wanted, got {n} and {workers}")
    try:
        import gymnasium.vector  # noqa: F401
    except ImportError:
        raise ValueError(missing("make_vector", "gymnasium")) from None
    if workers == 0:
        return together(make_task(task) if isinstance(task, str) else task, n, MODES[mode])
    from sakiyomi.envs.vector_workers import WorkerVector

    return WorkerVector(task, n, min(workers, n), MODES[mode], context)


def together(task: Task, n: int, mode: str) -> "VectorEnv[Any, Any, Any]":
    """`n` environments in this process; `mode` is the value of an `AutoresetMode`."""
    if task.build_many is not None:
        return task.build_many(n, mode)
    from gymnasium.vector import AutoresetMode, SyncVectorEnv

    return SyncVectorEnv([task.build] * n, autoreset_mode=AutoresetMode(mode))
