"""Players of tasks for tests, by spec `python:task_fakes:NAME` once this folder is on sys.path (see `conftest.py`)."""

import os
import time

import numpy as np

from sakiyomi.arena.match import PlayerFault, Termination


class Drawn:
    """Actions between -1 and 1, from the seed of the episode."""

    name = "drawn"

    def begin(self, task, seed):
        self.rng = np.random.default_rng(seed)
        self.shape = task.action_space.shape

    def act(self, observation):
        return self.rng.uniform(-1, 1, self.shape)

    def close(self):
        pass


class Slow(Drawn):
    def act(self, observation):
        time.sleep(0.002)
        return super().act(observation)


class Raiser(Drawn):
    """Fails in the third step."""

    def begin(self, task, seed):
        super().begin(task, seed)
        self.left = 3

    def act(self, observation):
        self.left -= 1
        if not self.left:
            raise KeyError("out of\nfuel")
        return super().act(observation)


class Leaver(Drawn):
    def act(self, observation):
        raise SystemExit(3)


class Sulker(Drawn):
    def begin(self, task, seed):
        raise PlayerFault(Termination.COULD_NOT_START, "no licence")


class Nan(Drawn):
    def act(self, observation):
        return np.full(self.shape, np.nan)


class Words(Drawn):
    def act(self, observation):
        return "left"


class Wide(Drawn):
    """Twice as many numbers as wanted."""

    def act(self, observation):
        return np.zeros(2 * self.shape[0])


class Strong(Drawn):
    """Far beyond the bounds."""

    def act(self, observation):
        return np.full(self.shape, 1e9)


class Looper(Drawn):
    def act(self, observation):
        while True:
            pass


class Suicide(Drawn):
    def act(self, observation):
        os._exit(9)


class Hoarder(Drawn):
    """Takes more and more memory."""

    def act(self, observation):
        self.heap = [np.ones(1_000_000) for _ in range(100)]
        time.sleep(2.0)
        return super().act(observation)


class Counted(Drawn):
    """Tells how many of its kind are open."""

    alive = 0

    def __init__(self):
        Counted.alive += 1

    def close(self):
        Counted.alive -= 1


class Unmade:
    def __init__(self):
        raise RuntimeError("no weights")


class Half:
    """Has no `act`."""

    def begin(self, task, seed):
        pass

    def close(self):
        pass
