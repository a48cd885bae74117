"""What tests of crews share: jobs in a queue, games of tic-tac-toe, and processes looked at from outside."""

import time
from collections import deque
from pathlib import Path

from sakiyomi.arena import Conditions, Pairing
from sakiyomi.arena.running.games import Games
from sakiyomi.arena.schedules.schedule import Opening
from sakiyomi.boards.tictactoe import TicTacToe


class Queue:
    """Jobs handed out in their order; `taken` and `back` keep the numbers of those that were taken and given back."""

    def __init__(self, count, first="a", second="b"):
        self.todo = deque(Pairing(number, first, second, Opening(), number) for number in range(1, count + 1))
        self.taken, self.back = [], []

    def take(self):
        if not self.todo:
            return None
        self.taken.append(self.todo[0].number)
        return self.todo.popleft()

    def give_back(self, job):
        self.back.append(job.number)
        self.todo.appendleft(job)

    def __len__(self):
        return len(self.todo)


def games(a="python:fakes:Dice", b="python:fakes:Dice", **settings):
    return Games(TicTacToe(), {"a": a, "b": b}, Conditions(), **settings)


def numbers(done):
    return sorted(each.job.number for each in done)


def descendants(pid):
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            found += [child, *descendants(child)]
    return found


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(true, seconds=30.0):
    """Wait until `true()` holds, for a generous while."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not true after {seconds:g} s"
        time.sleep(0.02)
