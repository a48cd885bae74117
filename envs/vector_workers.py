"""Environments of one task in several processes that share memory: `WorkerVector`; see `vector_tasks.make_vector`.

Each worker steps a run of rows, as many as the others or one more, as one vector environment. Observations, rewards
and both ends of episodes are in shared memory; actions and infos, which are small, go through pipes as they are.
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
        self._seen, self._ends = self._memory.views(self.single_observation_space)
        bounds = [n * k // workers for k in range(workers + 1)]
        self._parts = [slice(a, b) for a, b in pairwise(bounds)]
        self._pipes: list[Any] = []
        self._processes: list[Any] = []
        for part in self._parts:
            ours, theirs = started.Pipe()
            arguments = (theirs, [*self._pipes, ours], self._memory, part, mode)
            process = started.Process(target=_work, args=arguments, daemon=True)  # type: ignore[attr-defined]
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)
        self._asked([CloudpickleWrapper(cast(Any, task))] * workers)

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
        given = actions if isinstance(actions, dict | tuple) else np.asarray(actions)
        observations, infos = self._finished([("step", _copied(given, part)) for part in self._parts])
        rewards, terminated, truncated = (end.copy() for end in self._ends)
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
    """What processes share: observations, rewards and ends of `n` environments of a task."""

    def __init__(self, task: Task, n: int, context: Any):
        self._n = n
        self._observations = create_shared_memory(task.observation_space, n, context)
        self._ends = [context.RawArray(kind, n) for kind in (ctypes.c_double, ctypes.c_bool, ctypes.c_bool)]

    def views(self, space: Any) -> tuple[Any, tuple[NDArray[Any], ...]]:
        """Arrays upon it: observations, nested as `space` is; rewards, and what is terminated and truncated."""
        kinds: Any = (np.float64, np.bool_, np.bool_)
        ends = tuple(np.frombuffer(block, kind) for block, kind in zip(self._ends, kinds, strict=True))
        return read_from_shared_memory(space, self._observations, self._n), ends


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


def _work(pipe: Any, parents: list[Any], memory: Memory, part: slice, mode: str) -> None:
    """What a worker does until it is told to close, or its parent has gone."""
    from sakiyomi.envs.vector_tasks import together

    for end in parents:
        end.close()  # who is forked holds them too, and would never hear that the parent has gone
    envs = None
    try:
        given = pipe.recv().fn
        if not isinstance(given, str) and is_task(given.name):
            make_task(given.name)  # so that packages have registered what they bring
        envs = together(make_task(given) if isinstance(given, str) else given, part.stop - part.start, mode)
        seen, ends = memory.views(envs.single_observation_space)
        pipe.send((False, {}))
        while (request := pipe.recv()) is None or request[0] != "close":
            pipe.send((False, _done(envs, request, seen, ends, part)))
    except (EOFError, KeyboardInterrupt):
        return  # the parent has gone, or goes
    except Exception:  # anybody's code
        pipe.send((True, traceback.format_exc()))
    finally:
        if envs is not None:
            envs.close()


def _done(envs: Any, request: Any, seen: Any, ends: Sequence[NDArray[Any]], part: slice) -> Info:
    """Do what is asked (nothing, if that is None), write the arrays, and give the infos."""
    if request is None:
        return {}
    if request[0] == "reset":
        observations, infos = envs.reset(seed=request[1], options=request[2])
    else:
        observations, *found, infos = envs.step(request[1])
        for end, values in zip(ends, found, strict=True):
            end[part] = values
    _write(seen, observations, part)
    told: Info = infos
    return told


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
