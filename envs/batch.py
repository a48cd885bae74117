"""`BoardBatch`: many games of one kind stepped at once, each beginning anew when it has ended.

::

    batch = BoardBatch("go-9x9", 1024, seed=0)
    actions = batch.sample()                              # or a network's, chosen from batch.observe(), batch.legal()
    rewards, terminated, truncated = batch.step(actions)  # rewards[i] of both players of game i
    batch.final_states[terminated]                        # where the games ended that have begun anew

Every array is made once, when the batch is, and **the next call of the same method writes over it**: copy what is to
be kept. All of it is the same for the same seed and actions, however many threads (`boards.rows.set_threads`) share
the work: each game has random numbers of its own.
"""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.game import Game, States
from sakiyomi.boards.random import seeds
from sakiyomi.envs import restarts
from sakiyomi.envs.compiled_steps import make_steps
from sakiyomi.envs.restarts import ACTION, ENDING, LENGTH, MARKS, NUMBERS, OVER, PLIES, TERMINATED, TRUNCATED, TURN
from sakiyomi.envs.steps import Fill, Memory

IDLE, RESIGN = restarts.IDLE, restarts.RESIGN
Restart = Literal["same step", "next step", "never"]
_LIST_WIDTH = 600  # room for legal actions; shogi has up to 593


class BoardBatch:
    """`n` games of `game` (a `Game` or its name).

    `restart` says when a game that is over begins anew: in the "same step" (`final_states` has the last position), in
    the "next step", whose action it ignores, or "never" but by `reset`. Games begin at one of `starts` (a position's
    text, or `States` [K], drawn at random if several; default: the game's own start). After `max_plies` plies a game
    is cut off (truncated), beside what its rules say.

    Raises ValueError for a size, a start or an option that cannot be.
    """

    def __init__(
        self,
        game: Game | str,
        n: int,
        seed: int | None = 0,
        *,
        restart: Restart = "same step",
        starts: States | str | None = None,
        max_plies: int | None = None,
    ):
        if n < 1:
            raise ValueError(f"a batch has 1 game or more, got n={n}")
        if restart not in get_args(Restart):
            raise ValueError(f"restart is one of {', '.join(map(repr, get_args(Restart)))}, got {restart!r}")
        if max_plies is not None and max_plies < 1:
            raise ValueError(f"max_plies must be 1 or more, or None, got {max_plies}")
        self.game: Game = make_game(game) if isinstance(game, str) else game
        self.n, self.restart, self._same = n, restart, restart == "same step"
        beginnings = _beginnings(self.game, starts)
        front = 2 * n if self._same else n
        records = np.empty(front + len(beginnings), self.game.dtype)
        records[front:] = beginnings
        numbers, marks = np.zeros((NUMBERS, n), np.int32), np.zeros((MARKS, n), np.int8)
        rewards, rng = np.zeros((n, 2), np.float32), np.zeros(n, np.uint64)
        self._memory = memory = Memory(n, records, len(beginnings), rng, numbers, rewards, marks, max_plies or 0)
        self._steps = steps = make_steps(self.game, memory)
        self._play, self._advance = steps.step, steps.advance

        self.states: States = memory.states
        """[n], the positions. To be read; what is changed here by hand goes unnoticed."""
        self.final_states: States = records[n : 2 * n] if self._same else memory.states
        """[n], the last positions of the games that ended in this step; other rows mean nothing."""
        self.actions = numbers[ACTION]
        """int32 [n], the actions played last."""
        self.plies, self.lengths = numbers[PLIES], numbers[LENGTH]
        """int32 [n], plies of the running game; of the game that ended in this step (other rows mean nothing)."""
        self.rewards = rewards
        """float32 [n, 2], for the first and the second player: 1, 0 or -1."""
        self.terminated, self.truncated = marks[TERMINATED].view(np.bool_), marks[TRUNCATED].view(np.bool_)
        """bool [n], ended by the rules or by giving up; cut off by `max_plies`."""
        self.endings, self.turn = marks[ENDING], marks[TURN]
        """int8 [n], `Ending` of the games that ended in this step (0 if given up); whose ply it is now."""
        self._outcome = (self.rewards, self.terminated, self.truncated)
        self._over = False  # does some row hold a game that is over?
        self._draw = steps.drawing(rng)
        # Made when first asked for, each with what fills it.
        self._mask: tuple[NDArray[np.bool_], Fill] | None = None
        self._lists: tuple[tuple[NDArray[np.int32], NDArray[np.int32]], Fill] | None = None
        self._planes: tuple[NDArray[np.float32], Fill] | None = None
        self.reset(seed)

    def reset(self, seed: int | None = None, rows: NDArray[np.bool_] | None = None) -> None:
        """Begin a new game everywhere, or where `rows` (bool [n]) says; with a `seed` all random numbers, too."""
        memory = self._memory
        if seed is not None or not memory.rng.any():
            memory.rng[:] = seeds(np.random.default_rng(seed), self.n)
        if rows is not None and np.shape(rows) != (self.n,):
            raise ValueError(f"rows must be bool [{self.n}], got shape {list(np.shape(rows))}")
        chosen = np.ones(self.n, np.bool_) if rows is None else np.asarray(rows, np.bool_)
        waiting = memory.marks[OVER] & ~chosen
        memory.marks[OVER] = chosen
        self._steps.restart(keep=False)
        memory.marks[OVER] = waiting
        self._over = bool(waiting.any())
        if rows is None:
            memory.rewards[:] = 0
            memory.numbers[LENGTH] = 0

    def set_up(self, states: States, rows: NDArray[np.bool_] | None = None) -> None:
        """Go on from `states`: [n], or as many as `rows` (bool [n]) are True, or [1] for all of them.

        Raises ValueError for positions of another game or where the game is over.
        """
        chosen = _beginnings(self.game, states)
        rows = np.ones(self.n, np.bool_) if rows is None else rows
        self.reset(rows=rows)
        self.states[rows] = chosen
        self.turn[rows] = self.game.turn(chosen)

    def step(
        self, actions: NDArray[np.integer[Any]]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
        """Play `actions` [n]: legal ones, IDLE (-1, leaves a game as it is) or RESIGN (-2).

        Returns `rewards` [n, 2], `terminated` [n] and `truncated` [n]. A number that is no action of the game at all
        loses like RESIGN; what an action that is illegal in its position does is undefined (`legal` tells). Raises
        ValueError for another shape.
        """
        if actions is not self.actions:
            if actions.shape != self.actions.shape:
                raise ValueError(f"actions must have shape [{self.n}], got {list(actions.shape)}")
            self.actions[:] = actions
        if self._over:
            self._make_ready()
        if self._play():
            self._end()
        return self._outcome

    def random_step(self) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
        """`step` with uniformly random legal actions, which are then in `actions`."""
        if self._over:  # rows that wait for their restart draw nothing
            return self.step(self.sample())
        if self._advance():
            self._end()
        return self._outcome

    def sample(self, rng: NDArray[np.uint64] | None = None) -> NDArray[np.int32]:
        """int32 [n], a uniformly random legal action for each game, without a mask; IDLE where the game is over.

        `rng` uint64 [n] (`boards.random.seeds`) moves on; default: the batch's own.
        """
        if rng is None:
            self._draw()
        else:
            self._steps.drawing(rng)()
        drawn: NDArray[np.int32] = self.actions
        return drawn

    def legal(self) -> NDArray[np.bool_]:
        """bool [n, A], the actions that may be played; none where the game has ended by its rules."""
        if self._mask is None:
            out = np.empty((self.n, self.game.num_actions), np.bool_)
            self._mask = out, self._steps.masking(out)
        mask, fill = self._mask
        fill()
        return mask

    def legal_actions(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The same as lists, faster where few of many actions are legal: actions [n, width], counts [n].

        A list is in no order and has -1 behind its last action.
        """
        if self._lists is None:
            width = min(self.game.num_actions, _LIST_WIDTH)
            out = np.empty((self.n, width), np.int32), np.empty(self.n, np.int32)
            self._lists = out, self._steps.listing(*out)
        lists, fill = self._lists
        fill()
        return lists

    def observe(self) -> NDArray[np.float32]:
        """float32 [n, C, Y, X], as the players to move see their positions."""
        if self._planes is None:
            out = np.empty((self.n, *self.game.planes), np.float32)
            self._planes = out, self._steps.observing(out)
        planes, fill = self._planes
        fill()
        return planes

    def observe_final(self) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Which games ended in this step, [k], and their last positions as the player then to move sees them.

        These arrays are new ones.
        """
        ended = np.flatnonzero(self.terminated | self.truncated)
        return ended, self.game.observe(self.final_states[ended])

    def __reduce__(self) -> tuple[Any, ...]:
        """For `copy` and worker processes: the arrays share memory, so they cannot be copied one by one."""
        memory = self._memory
        options = (self.game, self.n, self.restart, memory.records[-memory.starts :].copy(), memory.most_plies or None)
        return _restored, (options, [array.copy() for array in memory.arrays], self._over)

    def __copy__(self) -> "BoardBatch":
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict[int, Any]) -> "BoardBatch":
        restore, values = self.__reduce__()
        twin: BoardBatch = restore(*values)
        return twin

    def _make_ready(self) -> None:
        """Before a step, while some row holds a game that is over."""
        self._over = False
        if self.restart == "next step":
            self._steps.restart(keep=False)

    def _end(self) -> None:
        """After a step that ended a game, or left one that had ended."""
        self._over = not self._same
        if self._same:
            self._steps.restart(keep=True)


def _restored(options: tuple[Any, ...], arrays: list[NDArray[Any]], over: bool) -> BoardBatch:
    """A batch as `BoardBatch.__reduce__` describes it."""
    game, n, restart, starts, max_plies = options
    batch = BoardBatch(game, n, restart=restart, starts=starts, max_plies=max_plies)
    for array, saved in zip(batch._memory.arrays, arrays, strict=True):
        array[...] = saved
    batch._over = over
    return batch


def _beginnings(game: Game, starts: States | str | None) -> States:
    """[K], the positions that games begin at. Raises ValueError for none and for one where the game is over."""
    if starts is None:
        return game.new(1)
    found = game.parse_position(starts) if isinstance(starts, str) else np.atleast_1d(starts)
    if found.dtype != game.dtype or found.ndim != 1 or not len(found):
        raise ValueError(f"starts must be one or more positions of {game.name}, [K] records of its dtype")
    if game.ending(found).any():
        raise ValueError(f"a start of {game.name} is a position where the game is over")
    return found
