"""Players for tests, by spec `python:fakes:NAME` once `tests/arena` is on sys.path (see `conftest.py`)."""

import os
import sys
import time

import numpy as np

from sakiyomi.arena.match import PlayerFault, Termination
from sakiyomi.boards.player import RESIGN


class First:
    """Plays the first legal move."""

    name = "first"

    def begin(self, game, side, rng):
        self.rng = rng

    def choose(self, position, budget):
        return position.legal_moves()[0]

    def close(self):
        pass


class Passer(First):
    def choose(self, position, budget):
        return "pass"


class Dice(First):
    """Plays any legal move, from the generator that `begin` gave it."""

    name = "dice"

    def choose(self, position, budget):
        moves = position.legal_moves()
        return moves[int(self.rng.integers(len(moves)))]


class Slow(Dice):
    """Plays at random, slowly."""

    def choose(self, position, budget):
        time.sleep(0.04)
        return super().choose(position, budget)


class Illegal(First):
    def choose(self, position, budget):
        return "a1" if position.ply else super().choose(position, budget)


class Rubbish(First):
    def choose(self, position, budget):
        return "rubbish"


class Number(First):
    def choose(self, position, budget):
        return 4


class Quitter(First):
    def choose(self, position, budget):
        return RESIGN


class Raiser(First):
    def choose(self, position, budget):
        raise KeyError("no such\nthing")


class Leaver(First):
    def choose(self, position, budget):
        raise SystemExit(3)


class Array(First):
    """Returns an array, of which "==" is no truth value."""

    def choose(self, position, budget):
        return np.zeros(9)


class Looper(First):
    """Never answers, and never sleeps."""

    def choose(self, position, budget):
        while True:
            pass


class Sulker(First):
    def begin(self, game, side, rng):
        raise PlayerFault(Termination.COULD_NOT_START, "the licence has run out")


class Mute(First):
    def choose(self, position, budget):
        raise PlayerFault(Termination.STALL, "no answer in 5 s")


class Sleeper(First):
    """Never answers."""

    def choose(self, position, budget):
        while True:
            time.sleep(0.05)


class Suicide(First):
    """Takes its whole process along, at its second move."""

    def choose(self, position, budget):
        if position.ply > 1:
            os._exit(7)
        return super().choose(position, budget)


class Vandal(First):
    """Spoils the position it is shown."""

    def choose(self, position, budget):
        move = position.legal_moves()[-1]
        while position.legal_moves():
            position.play(position.legal_moves()[0])
        return move


class Unmakeable(First):
    def __init__(self):
        raise ValueError("this one cannot be made")


class Late(First):
    """Can be made in the parent, where specs are checked, but not in a worker."""

    def __init__(self):
        if sys.argv[0].endswith("worker.py"):
            raise ValueError("this one cannot be made here")
