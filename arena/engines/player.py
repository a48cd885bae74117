"""Engines of UCI and USI as players: their life, their clocks and their faults, alike in both protocols."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from sakiyomi.arena.engines.process import EngineProcess, find_program
from sakiyomi.arena.engines.spec import Limits
from sakiyomi.arena.engines.talk import short
from sakiyomi.arena.match import MARGIN, PlayerFault, Termination, number_text
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import Budget
from sakiyomi.boards.position import Position

T = TypeVar("T")

SILENCE = 5.0
"""Seconds over what a move may take after which an engine counts as silent; late moves are forfeited before."""
NO_LIMITS = Limits()


class Connection(Protocol):
    """Questions and answers to a running engine; all raise PlayerFault for what it does wrong."""

    process: EngineProcess

    @property
    def asked(self) -> str: ...  # noqa: D102 the last line that was sent
    def new_game(self, timeout: float) -> None: ...  # noqa: D102
    def close(self, grace: float = 1.0) -> None: ...  # noqa: D102


C = TypeVar("C", bound=Connection)


class EnginePlayer(Generic[C]):
    """An engine as a `Player`. `command` is split as a shell would; `name` is by default its program's.

    `limits` are what the engine may spend; without any the match's `Budget` rules (simulations are nodes), else one
    second a move. `options` are the engine's own. A clock is set by `begin`; who oversteps it, or his time for a move,
    by more than `margin` seconds loses on time. The engine starts when first needed, and has `start_timeout` seconds
    to answer the greeting, `move_timeout` for any other answer. After a fault it is ended, and started afresh for the
    next question. Raises ValueError if there is no such program.
    """

    timed = "movetime"
    """The limit that says how many seconds a single move may take."""
    increment_first = False
    """May the increment of a move be spent on it?"""

    def __init__(
        self,
        command: str,
        limits: Limits = NO_LIMITS,
        options: Mapping[str, Any] | None = None,
        name: str | None = None,
        *,
        start_timeout: float = 30.0,
        move_timeout: float = 300.0,
        margin: float = MARGIN,
    ):
        self.command, self.limits, self.options = command, limits, dict(options or {})
        self.program = Path(find_program(command)[0]).name
        self.name = name or self.program
        self.start_timeout, self.move_timeout, self.margin = start_timeout, move_timeout, margin
        self._engine: C | None = None
        self._set_clock()
        self.forget()

    def begin(self, game: Game, side: int, rng: np.random.Generator) -> None:
        """Start the engine if need be, and announce a game: engines take their time for it, and no clock runs yet.

        Raises ValueError if the engine's protocol does not know `game`, PlayerFault if the engine fails or lacks what
        the game needs.
        """
        self.check(game)
        self.ask(lambda engine: engine.new_game(self.move_timeout))
        self._set_clock()
        self.forget()

    def check(self, game: Game) -> None:
        """See that the engine starts, has the options that were given, and plays `game`. Raises as `begin` does."""
        self.check_game(game)
        self.started()

    def choose(self, position: Position, budget: Budget) -> str:
        """The engine's move in `position`. Whether it is legal is for the caller to say.

        Raises PlayerFault for a crash, no answer, an answer that is no move, and time overstepped.
        """
        self.check(position.game)
        told = self.follow(position)
        limits = self._limits(budget)
        allowed = self._allowed(limits)
        timeout = self.move_timeout if allowed is None else min(self.move_timeout, allowed + self.margin + SILENCE)
        began = time.perf_counter()
        said = self.ask(lambda engine: self.play(engine, told, limits, timeout), f", in {position.text()}")
        self._spend(time.perf_counter() - began, limits, position)
        move = self.move_of(said)
        if move is None:
            raise self._no_move(said, position)
        return move

    def close(self) -> None:
        """End the engine, if it runs."""
        engine, self._engine = self._engine, None
        self.forget()
        if engine is not None:
            engine.close()

    # --- what the protocols do each in its own way

    def check_game(self, game: Game) -> None:
        """Raises ValueError for a game that the protocol does not know."""
        raise NotImplementedError

    def connect(self, process: EngineProcess) -> C:
        """Greet the engine, and set its options. Raises ValueError for options that it does not take."""
        raise NotImplementedError

    def follow(self, position: Position) -> Any:
        """`position` as the engine is told of it, with the moves from the game's start: engines see repetitions."""
        raise NotImplementedError

    def forget(self) -> None:
        """No position is known from here on."""
        raise NotImplementedError

    def play(self, engine: C, told: Any, limits: Limits, timeout: float) -> str:
        """What the engine says to play in a position that `follow` made."""
        raise NotImplementedError

    def move_of(self, said: str) -> str | None:
        """The move that the engine says, None if it is none."""
        raise NotImplementedError

    # --- the engine

    def started(self) -> C:
        """The engine, which is started if it does not run."""
        if self._engine is None:
            process = EngineProcess(self.command)
            try:
                engine = self.connect(process)
            except ValueError as error:
                process.close(grace=0)
                raise PlayerFault(Termination.COULD_NOT_START, str(error)) from None
            except BaseException:
                process.close(grace=0)
                raise
            self.forget()
            self._engine = engine
        return self._engine

    def ask(self, question: Callable[[C], T], where: str = "") -> T:
        """Put a question to the engine, which is ended if it does not answer as it should."""
        try:
            return question(self.started())
        except PlayerFault as fault:
            self.kill()
            raise PlayerFault(fault.termination, f"{fault}{where}") from None
        except BaseException:  # a signal came between question and answer
            self.kill()
            raise

    def kill(self) -> None:
        """End the engine at once."""
        engine, self._engine = self._engine, None
        self.forget()
        if engine is not None:
            engine.close(grace=0)

    def _no_move(self, said: str, position: Position) -> PlayerFault:
        asked = self._engine.asked if self._engine else "go"
        self.kill()
        message = f"{self.program} answered {asked!r} with {short(f'bestmove {said}')}, which is no move"
        return PlayerFault(Termination.PROTOCOL_ERROR, f"{message}, in {position.text()}")

    # --- time

    @property
    def left(self) -> float:
        """Seconds on the engine's clock, its increment and byo-yomi left aside."""
        return self._left

    def _set_clock(self) -> None:
        self._left = self.limits.clock[0] if self.limits.clock else 0.0

    def _limits(self, budget: Budget) -> Limits:
        """What the next move may cost. The match's seconds hold for everybody; a clock is left to itself."""
        own, timed = self.limits, self.timed
        if not own:
            told = Limits(budget.simulations, budget.depth)
            return _with(told, timed, 1.0 if budget == Budget() else budget.seconds)
        if own.clock or budget.seconds is None:
            return own
        timed = "movetime" if own.movetime is not None else "byoyomi" if own.byoyomi is not None else timed
        mine: float | None = getattr(own, timed)
        return _with(own, timed, budget.seconds if mine is None else min(mine, budget.seconds))

    def _allowed(self, limits: Limits) -> float | None:
        """Seconds that the next move may take; None for no limit."""
        if limits.movetime is not None:
            return limits.movetime
        if not limits.clock and limits.byoyomi is None:
            return None
        increment = limits.clock[1] if limits.clock and self.increment_first else 0.0
        return self._left + increment + (limits.byoyomi or 0.0)

    def _spend(self, took: float, limits: Limits, position: Position) -> None:
        """Take `took` seconds off the clock. Raises PlayerFault if they were too many."""
        allowed = self._allowed(limits)
        if allowed is None:
            return
        if limits.clock:
            what = f"{self.program}'s clock of {_clock_text(limits)} ran out"
            # What is overstepped within the margin is a debt, but where a byo-yomi begins anew with each move.
            self._left = self._left - took + limits.clock[1]
            if limits.byoyomi is not None:
                self._left = max(self._left, 0.0)
        else:
            what = f"{self.program} took {took:.2f} s for a move, {allowed:g} s allowed"
        if took - allowed > self.margin:
            message = f"{what}: {took - allowed:.2f} s too late, in {position.text()}"
            raise PlayerFault(Termination.TIME_FORFEIT, message)


def _with(limits: Limits, name: str, seconds: float | None) -> Limits:
    """`limits` with so many seconds for each move, by the limit of that name."""
    fields: dict[str, Any] = {name: seconds}
    return replace(limits, **fields)


def _clock_text(limits: Limits) -> str:
    """A clock as specs have it: "60+0.6", "600/10"."""
    assert limits.clock is not None
    if limits.byoyomi is not None:
        return f"{number_text(limits.clock[0])}/{number_text(limits.byoyomi)}"
    return "+".join(map(number_text, limits.clock))


def taken_back(position: Position, count: int) -> tuple[Position, list[str]]:
    """`position` before its last `count` moves, and those moves."""
    before, moves = position.copy(), []
    for action in reversed(position.actions[len(position.actions) - max(count, 0) :]):
        before.undo()
        moves.append(position.game.move_text(before.state, action))
    return before, moves[::-1]
