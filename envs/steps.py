"""How the games of a batch are stepped: `Memory`, its arrays, and `GameSteps`, which serves any `Game`.

Go, chess and shogi have steps of their own that do all of it in one pass of compiled code (`compiled_steps`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards import rows
from sakiyomi.boards.game import Game, States
from sakiyomi.boards.random import pick
from sakiyomi.envs.restarts import (
    ACTION,
    ENDING,
    IDLE,
    LENGTH,
    OVER,
    PLIES,
    TERMINATED,
    TRUNCATED,
    TURN,
    award,
    count_ply,
    resigns,
    waits,
)

GRAIN = 128  # games that one thread takes at least

Fill = Callable[[], Any]
"""Does something with all rows, in arrays that it was made with."""


@dataclass(frozen=True)
class Memory:
    """The arrays of a batch, made once; for their rows see `restarts`."""

    games: int
    records: States  # the games, room for their last positions if those are kept, the starts
    starts: int  # how many starts there are
    rng: NDArray[np.uint64]  # [n]
    numbers: NDArray[np.int32]  # [3, n]
    rewards: NDArray[np.float32]  # [n, 2]
    marks: NDArray[np.int8]  # [5, n]
    most_plies: int  # a game is cut off after so many; 0: never

    @property
    def states(self) -> States:
        """[n], the games' positions, where they are kept."""
        return self.records[: self.games]

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """All of them."""
        return self.records, self.rng, self.numbers, self.rewards, self.marks

    def bound(self, entry: Callable[..., Any], *args: Any) -> Callable[[], Any]:
        """A call of a kernel on all rows, on several threads if there are many, with its arrays in place.

        It returns whether, for a kernel that steps, some row then holds a game that is over.
        """
        if self.games <= GRAIN:
            return partial(entry, 0, self.games, *args)

        def call() -> bool:
            rows.run(entry, self.games, GRAIN, *args)
            return bool(self.marks[OVER].any())

        return call


class GameSteps:
    """Steps of any game by its own batched methods, which make arrays as they go."""

    def __init__(self, game: Game, memory: Memory):
        self.game, self.memory = game, memory
        self._states, self._starts = memory.states, memory.records[-memory.starts :]
        self._turns = game.turn(self._starts).astype(np.int8)
        self.step: Callable[[], bool] = self._step
        """Play `numbers[ACTION]` in all rows. True if games have ended."""
        self.advance: Callable[[], bool] = self._advance
        """`sample` and `step` in one."""

    def _step(self) -> bool:
        game, memory = self.game, self.memory
        numbers, marks, rewards = memory.numbers, memory.marks, memory.rewards
        rewards[:] = 0
        running = marks[OVER] == 0
        marks[ENDING] = 0
        marks[TERMINATED : TRUNCATED + 1, running] = 0
        actions = numbers[ACTION]
        given_up = running & (actions != IDLE) & ((actions < 0) | (actions >= game.num_actions))
        marks[TERMINATED, given_up] = marks[OVER, given_up] = 1
        first_loses = marks[TURN, given_up] == 0
        rewards[given_up] = np.where(first_loses[:, None], [-1, 1], [1, -1])
        played = np.flatnonzero(running & (actions != IDLE) & ~given_up)
        moved = self._states[played]
        game.play(moved, actions[played])
        self._states[played] = moved
        numbers[PLIES, played] += 1
        marks[TURN, played] = game.turn(moved)
        marks[ENDING, played] = endings = game.ending(moved)
        marks[TERMINATED, played] = endings != 0
        if memory.most_plies:
            marks[TRUNCATED, played] = (endings == 0) & (numbers[PLIES, played] >= memory.most_plies)
        marks[OVER] = marks[TERMINATED] | marks[TRUNCATED]
        over = running & (marks[OVER] != 0)
        numbers[LENGTH, over] = numbers[PLIES, over]
        self.award_ended()
        return bool(marks[OVER].any())

    def award_ended(self) -> None:
        """Give the rewards of the games that their rules ended in this step."""
        memory = self.memory
        ended = np.flatnonzero(memory.marks[TERMINATED] & (memory.marks[ENDING] != 0))
        if ended.size:
            results = self.game.result(self._states[ended])
            memory.rewards[ended, 0], memory.rewards[ended, 1] = results, -results

    def _advance(self) -> bool:
        self.drawing(self.memory.rng)()
        return self._step()

    def drawing(self, rng: NDArray[np.uint64]) -> Fill:
        """Draws a legal action for each row into `numbers[ACTION]`, IDLE where the game is over; `rng` [n] moves on."""
        memory = self.memory

        def fill() -> None:
            running = np.flatnonzero(memory.marks[OVER] == 0)
            memory.numbers[ACTION] = IDLE
            counters = rng[running]
            memory.numbers[ACTION, running] = pick(self.game.legal(self._states[running]), counters)
            rng[running] = counters

        return fill

    def restart(self, keep: bool) -> None:
        """Begin a new game where one is over; `keep` its last position, or else make ready for a step."""
        memory, over = self.memory, np.flatnonzero(self.memory.marks[OVER])
        chosen = np.zeros(len(over), np.int64)
        if memory.starts > 1:
            counters = memory.rng[over]
            chosen = pick(np.ones((len(over), memory.starts), np.bool_), counters)
            memory.rng[over] = counters
        if keep:
            memory.records[memory.games + over] = self._states[over]
        else:
            memory.marks[TERMINATED : ENDING + 1, over] = 0
            memory.numbers[ACTION, over] = IDLE
        self._states[over] = self._starts[chosen]
        memory.marks[OVER, over] = 0
        memory.marks[TURN, over] = self._turns[chosen]
        memory.numbers[PLIES, over] = 0

    def masking(self, out: NDArray[np.bool_]) -> Fill:
        """Fills the mask `out` [n, A] of legal actions."""

        def fill() -> None:
            out[:] = self.game.legal(self._states)

        return fill

    def listing(self, actions: NDArray[np.int32], counts: NDArray[np.int32]) -> Fill:
        """Fills lists of legal actions [n, width], -1 behind the last, and their `counts` [n]."""

        def fill() -> None:
            legal = self.game.legal(self._states)
            counts[:] = legal.sum(axis=1)
            actions[:] = -1
            row, action = np.nonzero(legal)
            actions[row, np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)] = action

        return fill

    def observing(self, out: NDArray[np.float32]) -> Fill:
        """Fills `out` [n, C, Y, X]."""

        def fill() -> None:
            out[:] = self.game.observe(self._states)

        return fill


class SingleSteps(GameSteps):
    """Steps of one game, without the cost of selecting rows."""

    def _step(self) -> bool:
        game, memory, states = self.game, self.memory, self._states
        numbers, rewards, marks = memory.numbers, memory.rewards, memory.marks
        if waits(0, numbers, rewards, marks):
            return bool(marks[OVER, 0])
        if resigns(0, game.num_actions, numbers, rewards, marks):
            return True
        game.play(states, numbers[ACTION])
        turn, ending = int(game.turn(states)[0]), int(game.ending(states)[0])
        if ending:
            award(0, int(game.result(states)[0]), rewards)
        return bool(count_ply(0, turn, ending, memory.most_plies, numbers, marks))
