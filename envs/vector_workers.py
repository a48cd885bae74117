"""Environments of one task in several processes that share memory: `WorkerVector`; see `vector_tasks.make_vector`.

Each worker steps a run of rows, as many as the others or one more, as one vector environment. Actions, observations,
rewards and both ends of episodes are in shared memory; only infos go through pipes.
"""

import ctypes
import multiprocessing
import traceback
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import CloudpickleWrapper, batch_space, create_shared_memory, read_from_shared_memory
from numpy.typing import NDArray

from sakiyomi.envs.catalog import is_task, make_task
from sakiyomi.envs.task import Task

Info = dict[str, Any]
GRACE = 5.0
"""Seconds that a worker has to close its environments."""


class WorkerVector(VectorEnv[Any, Any, NDArray[Any]]):
    """`n` environments in `workers` processes. Raises RuntimeError, with what it said, when a worker fails."""

    def __init__(self, task: Task | str, n: int, workers: int, mode: str, context: str | None = None):
        described = make_task(task) if isinstance(task, str) else task
        self.num_envs = n
        self.metadata = {"render_modes": [], "autoreset_mode": AutoresetMode(mode)}
        self.single_observation_space, self.single_action_space = described.observation_space, described.action_space
        self.observation_space = batch_space(self.single_observation_space, n)
        self.action_space = batch_space(self.single_action_space, n)
        started = multiprocessing.get_context(context)
        self._memory = Memory(described, n, started)
        self._seen, self._given = self._memory.views()
        bounds = [n * k // workers for k in range(workers + 1)]
        self._parts = [slice(a, b) for a, b in pairwise(bounds)]
        parcel = CloudpickleWrapper(cast(Any, task))
        self._pipes, self._processes = [], []
        for part in self._parts:
            ours, theirs = started.Pipe()
            arguments = (theirs, parcel, self._memory, part, mode)
            process = started.Process(target=_work, args=arguments, daemon=True)  # type: ignore[attr-defined]
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)
        self._asked([None] * workers)  # they are ready

    def reset(self, *, seed: int | Sequence[int | None] | None = None, options: Info | None = None) -> tuple[Any, Info]:
        """Begin all episodes, or those of ``options["reset_mask"]``: environment i with `seed` + i, or the i-th."""
        seeds = [None if seed is None else seed + i for i in range(self.num_envs)] if _single(seed) else list(seed)  # type: ignore[operator,arg-type]
        if len(seeds) != self.num_envs:
            raise ValueError(f"{len(seeds)} seeds for {self.num_envs} environments")
        mask = np.array((options or {}).get("reset_mask", np.ones(self.num_envs, np.bool_)), np.bool_)
        requests: list[Any] = []
        for part in self._parts:
            its = None if options is None else dict(options)
            if its is not None and "reset_mask" in its:
                its["reset_mask"] = mask[part]
            requests.append(("reset", seeds[part], its) if mask[part].any() else None)
        return self._finished(requests)

    def step(self, actions: Any) -> tuple[Any, NDArray[Any], NDArray[np.bool_], NDArray[np.bool_], Info]:
        """One step of each environment."""
        _write(self._given["actions"], actions, slice(None))
        observations, infos = self._finished([("step",)] * len(self._parts))
        rewards, terminated, truncated = (self._given[name].copy() for name in ("rewards", "terminated", "truncated"))
        return observations, rewards, terminated, truncated, infos

    def close_extras(self, **kwargs: Any) -> None:
        """Stop the workers."""
        for pipe in self._pipes:
            try:
                pipe.send(("close",))
            except OSError:
                continue  # it has gone
        for process, pipe in zip(self._processes, self._pipes, strict=True):
            process.join(GRACE)
            if process.is_alive():
                process.terminate()
                process.join()
            pipe.close()

    def _finished(self, requests: list[Any]) -> tuple[Any, Info]:
        infos = merged(self._asked(requests), self._parts, self.num_envs)
        return _copied(self._seen), infos

    def _asked(self, requests: list[Any]) -> list[Info]:
        """Send each worker its request, and wait for the answers of all, at once."""
        for pipe, request in zip(self._pipes, requests, strict=True):
            try:
                pipe.send(request)
            except OSError:
                continue  # its last words are in the pipe
        answers, failures = [], []
        for number, (pipe, process) in enumerate(zip(self._pipes, self._processes, strict=True)):
            try:
                failed, answer = pipe.recv()
            except (EOFError, OSError):
                process.join(GRACE)
                failed, answer = True, f"its process has ended with exit code {process.exitcode}"
            answers.append(answer)
            failures += [f"worker {number} failed: {answer}"] if failed else []
        if failures:
            self.close()
            raise RuntimeError("\n".join(failures))
        return answers


class Memory:
    """What processes share: observations, actions, rewards and ends of `n` environments of a task."""

    def __init__(self, task: Task, n: int, context: Any):
        self._spaces, self._n = (task.observation_space, task.action_space), n
        self._blocks = [create_shared_memory(space, n, context) for space in self._spaces]
        self._ends = [context.RawArray(kind, n) for kind in (ctypes.c_double, ctypes.c_bool, ctypes.c_bool)]

    def views(self) -> tuple[Any, Info]:
        """Arrays upon it: observations (nested as the space is), and the others by name."""
        seen, actions = (
            read_from_shared_memory(space, block, self._n)
            for space, block in zip(self._spaces, self._blocks, strict=True)
        )
        kinds: Any = (np.float64, np.bool_, np.bool_)
        ends = [np.frombuffer(block, kind) for block, kind in zip(self._ends, kinds, strict=True)]
        return seen, dict(zip(("actions", "rewards", "terminated", "truncated"), [actions, *ends], strict=True))


def merged(infos: Sequence[Info], parts: Sequence[slice], n: int) -> Info:
    """The infos of all rows, of the infos of runs of rows; what a run does not have is 0, False, or None there."""
    whole: Info = {}
    for info, part in zip(infos, parts, strict=True):
        for key, value in info.items():
            if isinstance(value, dict):
                within = [other.get(key, {}) for other in infos]
                whole[key] = whole.get(key) or merged(within, parts, n)
                continue
            if key not in whole:
                empty = None if value.dtype == object else 0
                whole[key] = np.full((n, *value.shape[1:]), empty, value.dtype)
            whole[key][part] = value
    return whole


def _work(pipe: Any, task: Any, memory: Memory, part: slice, mode: str) -> None:
    """What a worker does until it is told to close, or its parent has gone."""
    from sakiyomi.envs.vector_tasks import together

    envs = None
    try:
        given = task.fn
        if not isinstance(given, str) and is_task(given.name):
            make_task(given.name)  # so that packages have registered what they bring
        envs = together(make_task(given) if isinstance(given, str) else given, part.stop - part.start, mode)
        seen, arrays = memory.views()
        pipe.recv()
        pipe.send((False, {}))
        while (request := pipe.recv()) is None or request[0] != "close":
            pipe.send((False, _done(envs, request, seen, arrays, part)))
    except (EOFError, KeyboardInterrupt):
        return  # the parent has gone, or goes
    except Exception:  # anybody's code
        pipe.send((True, traceback.format_exc()))
    finally:
        if envs is not None:
            envs.close()


def _done(envs: Any, request: Any, seen: Any, arrays: Info, part: slice) -> Info:
    """Do what is asked, write the arrays, and give the infos."""
    if request is None:
        return {}
    if request[0] == "reset":
        observations, infos = envs.reset(seed=request[1], options=request[2])
    else:
        observations, *ends, infos = envs.step(_copied(arrays["actions"], part))
        for name, values in zip(("rewards", "terminated", "truncated"), ends, strict=True):
            arrays[name][part] = values
    _write(seen, observations, part)
    found: Info = infos
    return found


def _write(to: Any, values: Any, part: slice) -> None:
    """Write rows of arrays, nested as a space is."""
    if isinstance(to, dict):
        for key, place in to.items():
            _write(place, values[key], part)
    elif isinstance(to, tuple):
        for place, value in zip(to, values, strict=True):
            _write(place, value, part)
    else:
        to[part] = values


def _copied(values: Any, part: slice = slice(None)) -> Any:
    """Rows of arrays, nested as a space is, for good."""
    if isinstance(values, dict):
        return {key: _copied(value, part) for key, value in values.items()}
    if isinstance(values, tuple):
        return tuple(_copied(value, part) for value in values)
    return values[part].copy()


def _single(seed: Any) -> bool:
    return seed is None or isinstance(seed, int | np.integer)
