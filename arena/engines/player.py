"""Engines of UCI and USI as players: their life, their clocks and their faults, alike in both protocols."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

import numpy as np

from sakiyomi.arena.engines.connection import EngineConnection
from sakiyomi.arena.engines.following import Following
from sakiyomi.arena.engines.options import option_values
from sakiyomi.arena.engines.process import EngineProcess, find_program
from sakiyomi.arena.engines.spec import Limits, Syntax
from sakiyomi.arena.engines.talk import short
from sakiyomi.arena.engines.thoughts import Listener
from sakiyomi.arena.match import MARGIN, PlayerFault, Termination, number_text
from sakiyomi.boards.clock import Clock
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import DECLARE, RESIGN, Budget, Thought
from sakiyomi.boards.position import Position

T = TypeVar("T")

SILENCE = 5.0
"""Seconds over what a move may take after which an engine counts as silent; late moves are forfeited before."""
NO_LIMITS = Limits()


@dataclass(frozen=True)
class Plan:
    """What the next move may cost: `limits` of nodes, depth and movetime, and the `clocks`, that the engine is told.

    `allowed` are the seconds that the move may take, None for no limit; `judged` says that who oversteps them loses
    here, not by the word of the match.
    """

    limits: Limits
    clocks: tuple[Clock, Clock] | None
    allowed: float | None
    judged: bool


class EnginePlayer:
    """An engine as a `Player`, a `Thoughtful` one and a `Thinker`. `command` is split as a shell would; `name` is by
    default its program's.

    `limits` are what the engine may spend; without any the match's `Budget` rules (simulations are nodes), else one
    second a move. On the clocks of a match its own nodes and depth hold beside them, its movetime as well, as long as
    the clocks allow it; a clock and a byo-yomi of its own are not regarded, as a game has but one clock.

    `options` are the engine's own. A clock of its own is set by `begin`; who oversteps it, or his time for a move, by
    more than `margin` seconds loses on time. The engine starts when first needed, and has `start_timeout` seconds to
    answer the greeting, `move_timeout` for any other answer where no clock says more. After a fault it is ended, and
    started afresh for the next question. Raises ValueError if there is no such program.
    """

    syntax: Syntax
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
        self._engine: EngineConnection | None = None
        self._heard: Listener | None = None
        self._following = Following(self.start_text)
        self._left = self._full_clock()

    def begin(self, game: Game, side: int, rng: np.random.Generator) -> None:
        """Start the engine if need be, and announce a game: engines take their time for it, and no clock runs yet.

        Raises ValueError if the engine's protocol does not know `game`, PlayerFault if the engine fails or lacks what
        the game needs.
        """
        self.check(game)
        self.ask(lambda engine: engine.new_game(self.move_timeout))
        self._left, self._heard = self._full_clock(), None
        self._following.forget()

    def check(self, game: Game) -> None:
        """See that the engine starts, has the options that were given, and plays `game`. Raises as `begin` does."""
        self.check_game(game)
        self.started()

    def choose(self, position: Position, budget: Budget) -> str:
        """The engine's move in `position`. Whether it is legal is for the caller to say.

        Raises PlayerFault for a crash, no answer, an answer that is no move, and an own limit of time overstepped.
        """
        self.check(position.game)
        plan = self._plan(budget, position.turn)
        began = time.perf_counter()
        move = self._play(position, self._go(plan, position.turn), plan, Listener(self.mate_in_plies))
        if plan.judged:
            self._spend(time.perf_counter() - began, plan, position)
        return move

    def think(
        self,
        position: Position,
        budget: Budget,
        *,
        moves: Sequence[str] | None,
        stop: Event,
        tell: Callable[[Thought], None],
    ) -> str:
        """As `Thinker.think`; the engine's own limits are left aside.

        Raises PlayerFault as `choose` does, and if the engine chooses none of `moves`; ValueError if `moves` is empty,
        IllegalMove or BadNotation for what `moves` holds.
        """
        self.check(position.game)
        game, state = position.game, position.state
        allowed = None if moves is None else [game.move_text(state, position.action(move)) for move in moves]
        if allowed == []:
            raise ValueError("there is no move to choose from")
        plan = self._free_plan(budget, position.turn)
        go = self._go(plan, position.turn)
        go += "" if budget.mate is None else f" mate {budget.mate}"
        go += " infinite" if go == "go" else ""
        go += "" if allowed is None else f" searchmoves {' '.join(allowed)}"
        move = self._play(position, go, plan, Listener(self.mate_in_plies, tell), stop)
        if allowed is None or move in (RESIGN, DECLARE):
            return move
        move = game.move_text(state, position.action(move))
        if move not in allowed:
            message = f"{self.program} chose {move}, none of the moves that it was told to search"
            raise PlayerFault(Termination.PROTOCOL_ERROR, message)
        return move

    @property
    def thought(self) -> Thought | None:
        """What the engine told of its thoughts before its last move; None if it told nothing."""
        return None if self._heard is None else self._heard.thought()

    def close(self) -> None:
        """End the engine, if it runs."""
        engine, self._engine = self._engine, None
        self._following.forget()
        if engine is not None:
            engine.close()

    # --- what the protocols do each in its own way

    def check_game(self, game: Game) -> None:
        """Raises ValueError for a game that the protocol does not know."""
        raise NotImplementedError

    def start_text(self, position: Position) -> str:
        """How ``position`` calls the position that a game starts from: "startpos", "fen ..."."""
        raise NotImplementedError

    def clock_words(self, clocks: tuple[Clock, Clock], side: int) -> str:
        """What ``go`` says of the clocks, the first player's first, when `side` is to move."""
        raise NotImplementedError

    def move_of(self, said: str) -> str | None:
        """The move that the engine says, None if it is none."""
        raise NotImplementedError

    # --- the engine

    @property
    def mate_in_plies(self) -> bool:
        """Does the protocol count mates in plies?"""
        return self.syntax.protocol == "usi"

    def started(self) -> EngineConnection:
        """The engine, which is started if it does not run."""
        if self._engine is None:
            process = EngineProcess(self.command)
            try:
                engine = self._connect(process)
            except ValueError as error:
                process.close(grace=0)
                raise PlayerFault(Termination.COULD_NOT_START, str(error)) from None
            except BaseException:
                process.close(grace=0)
                raise
            self._following.forget()
            self._engine = engine
        return self._engine

    def _connect(self, process: EngineProcess) -> EngineConnection:
        """Greet the engine, and set its options. Raises ValueError for options that it does not take."""
        engine = EngineConnection(process, self.syntax.protocol, self.start_timeout)
        engine.set_options(option_values(self.program, engine.options, self.options, self.syntax.forms))
        engine.ready(self.move_timeout)
        return engine

    def ask(self, question: Callable[[EngineConnection], T], where: str = "") -> T:
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
        self._following.forget()
        if engine is not None:
            engine.close(grace=0)

    def _play(self, position: Position, go: str, plan: Plan, heard: Listener, stop: Event | None = None) -> str:
        """The engine's answer to `go`, a move."""
        told = self._following.command(position)
        nodes, timeout = plan.limits.nodes, self._timeout(plan, stop)
        self._heard = heard
        try:
            said = self.ask(lambda engine: engine.play(told, go, nodes, timeout, heard.hear, stop))
        except PlayerFault as fault:
            raise PlayerFault(fault.termination, f"{fault}, in {position.text()}") from None
        move = self.move_of(said)
        heard.finish(move)
        if move is None:
            self.kill()
            message = f"{self.program} answered {go!r} with {short(f'bestmove {said}')}, which is no move"
            raise PlayerFault(Termination.PROTOCOL_ERROR, f"{message}, in {position.text()}")
        return move

    # --- time

    @property
    def left(self) -> float:
        """Seconds on the engine's own clock, its increment and byo-yomi left aside."""
        return self._left

    def _full_clock(self) -> float:
        return self.limits.clock[0] if self.limits.clock else 0.0

    def _plan(self, budget: Budget, side: int) -> Plan:
        """What the next move of `side` may cost."""
        own = self.limits
        if budget.clocks is not None:
            counts = own if own.nodes or own.depth else Limits(budget.simulations, budget.depth)
            most = math.inf if budget.seconds is None else budget.seconds
            movetime = None if own.movetime is None else min(own.movetime, most)
            told = Limits(counts.nodes, counts.depth, movetime)
            return Plan(told, budget.clocks, budget.clocks[side].allowed, judged=False)
        return self._timed_plan(self._limits(budget))

    def _free_plan(self, budget: Budget, side: int) -> Plan:
        """What a search costs that nothing but `budget` limits."""
        limits = Limits(budget.simulations, budget.depth)
        if budget.clocks is not None:
            return Plan(limits, budget.clocks, budget.clocks[side].allowed, judged=False)
        return self._timed_plan(_with(limits, self.timed, budget.seconds))

    def _timed_plan(self, limits: Limits) -> Plan:
        clock = self._own_clock(limits)
        allowed = limits.movetime if clock is None else clock.allowed
        return Plan(limits, None if clock is None else (clock, clock), allowed, judged=True)

    def _limits(self, budget: Budget) -> Limits:
        """What the next move may cost without a clock of the match, whose seconds a move hold for everybody."""
        own, timed = self.limits, self.timed
        if not own:
            told = Limits(budget.simulations, budget.depth)
            return _with(told, timed, 1.0 if budget == Budget() else budget.seconds)
        if own.clock or budget.seconds is None:
            return own
        timed = "movetime" if own.movetime is not None else "byoyomi" if own.byoyomi is not None else timed
        mine: float | None = getattr(own, timed)
        return _with(own, timed, budget.seconds if mine is None else min(mine, budget.seconds))

    def _own_clock(self, limits: Limits) -> Clock | None:
        """The engine's own clock, which it is told for both sides: the other's is unknown."""
        byoyomi = limits.byoyomi or 0.0
        if not limits.clock:
            return Clock(0.0, byoyomi=byoyomi, overtime=True) if byoyomi else None
        increment = limits.clock[1]
        return Clock(self._left + (increment if self.increment_first else 0.0), increment, byoyomi=byoyomi)

    def _timeout(self, plan: Plan, stop: Event | None) -> float:
        """How long to wait for a move. A search that may be stopped and has no limit of time may go on for ever."""
        if plan.allowed is None:
            return self.move_timeout if stop is None else math.inf
        most = max(plan.allowed, 0.0) + self.margin + SILENCE
        return most if plan.clocks is not None and not plan.judged else min(self.move_timeout, most)

    def _go(self, plan: Plan, side: int) -> str:
        """The command ``go``."""
        limits = plan.limits
        words = ["go", *([self.clock_words(plan.clocks, side)] if plan.clocks else [])]
        words += [f"{name} {count}" for name in ("depth", "nodes") if (count := getattr(limits, name)) is not None]
        words += [] if limits.movetime is None else [f"movetime {milliseconds(limits.movetime, 1)}"]
        return " ".join(words)

    def _spend(self, took: float, plan: Plan, position: Position) -> None:
        """Take `took` seconds off the engine's own clock. Raises PlayerFault if they were too many."""
        if plan.allowed is None:
            return
        limits = plan.limits
        if limits.clock:
            what = f"{self.program}'s clock of {_clock_text(limits)} ran out"
            # What is overstepped within the margin is a debt, but where a byo-yomi begins anew with each move.
            self._left = self._left - took + limits.clock[1]
            if limits.byoyomi is not None:
                self._left = max(self._left, 0.0)
        else:
            what = f"{self.program} took {took:.2f} s for a move, {plan.allowed:g} s allowed"
        if took - plan.allowed > self.margin:
            message = f"{what}: {took - plan.allowed:.2f} s too late, in {position.text()}"
            raise PlayerFault(Termination.TIME_FORFEIT, message)


def milliseconds(seconds: float, least: int = 0) -> int:
    """Whole milliseconds, `least` or more."""
    return max(round(seconds * 1000), least)


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
