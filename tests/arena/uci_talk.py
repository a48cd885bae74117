"""Talking to a UCI session in tests."""

import time
from contextlib import contextmanager
from threading import Condition

from sakiyomi.arena.serving.uci_server import Session
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.player import Thought

PATIENCE = 60.0  # seconds


class Talk:
    """A session, and every line that it has said."""

    def __init__(self, spec="python:fakes:First", game=None, seed=1):
        self.lines: list[str] = []
        self._came = Condition()
        self.session = self.open(spec, game, seed, self._hear)

    def open(self, spec, game, seed, say):
        """The session that is talked to."""
        return Session(spec, game or Chess(), seed, say=say)

    def _hear(self, line):
        assert "\n" not in line
        with self._came:
            self.lines.append(line)
            self._came.notify_all()

    def say(self, *lines):
        """What is answered at once."""
        before = len(self.lines)
        for line in lines:
            self.session.hear(line)
        return self.lines[before:]

    def until(self, start, since=0, patience=PATIENCE):
        """All lines from number `since` up to the first that begins with `start`."""
        deadline = time.monotonic() + patience
        with self._came:
            while True:
                for i, line in enumerate(self.lines[since:], since):
                    if line.startswith(start):
                        return self.lines[since : i + 1]
                assert self._came.wait(deadline - time.monotonic()), f"no {start!r} in {self.lines[since:]}"

    def ask(self, *lines):
        """All that is said in answer to the lines, up to ``bestmove``."""
        before = len(self.lines)
        for line in lines:
            self.session.hear(line)
        return self.until("bestmove", before)

    def move(self, *lines):
        """The move that is chosen after these lines."""
        return self.ask(*lines)[-1].split()[1]

    def close(self):
        """End the conversation in order, what is being compiled included."""
        self.say("stop", "isready")
        self.until("readyok")
        assert self.session.close()

    def silent(self, seconds=0.15):
        """Is nothing more of a search said for a while?"""
        before = len(self.lines)
        time.sleep(seconds)
        return not any(line.startswith("bestmove") for line in self.lines[before:])


@contextmanager
def talks(kind):
    """Makes conversations of that `kind`, and ends them all."""
    made = []

    def make(*arguments, **more):
        made.append(kind(*arguments, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def note(lines):
    """The texts of info strings."""
    assert all(line.startswith("info string ") for line in lines), lines
    return [line.removeprefix("info string ") for line in lines]


class Thinks:
    """A `Thinker` that shows its first two moves and then thinks for as long as it may."""

    name = "thinks"

    def __init__(self):
        self.asked = []  # position, budget, moves
        self.begun = []  # sides
        self.numbers = []  # from the generators given to `begin`

    def begin(self, game, side, rng):
        self.begun.append(side)
        self.numbers.append(int(rng.integers(1 << 30)))

    def choose(self, position, budget):
        raise AssertionError("a thinker is asked to think")

    def think(self, position, budget, *, moves, stop, tell):
        self.asked.append((position.text(), budget, moves))
        first = (moves or position.legal_moves())[0]
        replies = position.after(first).legal_moves()
        tell(Thought((first, *replies[:1]), value=0.5, depth=2, nodes=30, seconds=0.015))
        if budget.simulations is None and budget.depth is None:
            stop.wait(budget.seconds)
        return first

    def close(self):
        pass


class Deep(Thinks):
    """One with a depth of its own."""

    depth = 4


class Busy(Thinks):
    """One with an effort of its own."""

    simulations = 500


class Mates(Thinks):
    """Tells a mate in 3, then one in 2, and goes on thinking."""

    def think(self, position, budget, *, moves, stop, tell):
        first = position.legal_moves()[0]
        for mate in (3, 2):
            tell(Thought((first,), mate=mate, depth=5, nodes=1))
        assert stop.wait(PATIENCE)
        return first


class Slow:
    """Cannot be stopped, and takes its time."""

    name = "slow"

    def begin(self, game, side, rng):
        pass

    def choose(self, position, budget):
        time.sleep(0.3)
        return position.legal_moves()[-1]

    def close(self):
        pass
