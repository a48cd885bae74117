"""Chess engines as players: the controller's side of the Universal Chess Interface (Kahlen and Meyer-Kahlen 2006).

`UciPlayer` keeps an engine in step with any position, minds its clock, and asks for moves over a `UciConnection`.
"""

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import chess
import numpy as np
from chess.engine import EngineError, Limit, Option

from sakiyomi.arena.match import MARGIN, PlayerFault, Termination, number_text
from sakiyomi.arena.process import EngineProcess, find_program
from sakiyomi.arena.uci_connection import UciConnection, short
from sakiyomi.arena.uci_spec import Limits, unknown_option
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import Budget
from sakiyomi.boards.position import Position

T = TypeVar("T")

SILENCE = 5.0
"""Seconds over what a move may take after which an engine counts as silent; late moves are forfeited before."""
NO_LIMITS, DEFAULT = Limits(), Limits(movetime=1.0)
"""`DEFAULT` is what an engine may spend when neither its spec nor the match says."""

_MOVE = re.compile(r"[a-h][1-8][a-h][1-8][a-z]?", re.ASCII | re.IGNORECASE)
_LONG = 700  # moves sent with a position: a line of 4096 bytes, which a pipe takes whole
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class UciPlayer:
    """A UCI engine as a `Player` of chess and Chess960. `command` is split as a shell would; `name` is by default its
    program's.

    `limits` are what the engine may spend; without any the match's `Budget` rules (simulations are nodes), else
    `DEFAULT`. `options` are the engine's own. A clock is set by `begin`; who oversteps it, or his time for a move, by
    more than `margin` seconds loses on time. The engine starts when first needed, and has `start_timeout` seconds for
    each of its first answers, `move_timeout` for any other. After a fault it is ended, and started afresh for the next
    question. Raises ValueError if there is no such program.
    """

    def __init__(
        self,
        command: str,
        limits: Limits = NO_LIMITS,
        options: Mapping[str, Any] | None = None,
        name: str | None = None,
        *,
        start_timeout: float = 60.0,
        move_timeout: float = 300.0,
        margin: float = MARGIN,
    ):
        self.command, self.limits, self.options = command, limits, dict(options or {})
        self.program = Path(find_program(command)[0]).name
        self.name = name or self.program
        self.start_timeout, self.move_timeout, self.margin = start_timeout, move_timeout, margin
        self._engine: UciConnection | None = None
        self._set_clock()
        self._forget()

    def begin(self, game: Game, side: int, rng: np.random.Generator) -> None:
        """Start the engine if need be, and announce a game: engines take their time for it, and no clock runs yet.

        Raises ValueError if `game` is not chess, PlayerFault if the engine fails or lacks what the game needs.
        """
        self.check(game)
        self._ask(lambda engine: engine.new_game(self.move_timeout))
        self._set_clock()
        self._forget()

    def check(self, game: Game) -> None:
        """See that the engine starts, has the options that were given, and plays `game`. Raises as `begin` does."""
        check_game(game)
        engine = self._started()
        if game.name == "chess960" and "UCI_Chess960" not in engine.options:
            self._kill()
            message = f"{self.program} does not play Chess960: it has no option UCI_Chess960"
            raise PlayerFault(Termination.COULD_NOT_START, message)

    def choose(self, position: Position, budget: Budget) -> str:
        """The engine's move in `position`, in UCI. Whether it is legal is for the caller to say.

        Raises PlayerFault for a crash, no answer, an answer that is no move, and time overstepped.
        """
        self.check(position.game)
        board = self._follow(position)
        limits = self._limits(budget)
        allowed = self._left if limits.clock else limits.movetime
        timeout = self.move_timeout if allowed is None else min(self.move_timeout, allowed + self.margin + SILENCE)
        began = time.perf_counter()
        move = self._ask(lambda engine: engine.play(board, self._told(limits), timeout), f", in {position.text()}")
        self._spend(time.perf_counter() - began, limits, position)
        if not _MOVE.fullmatch(move):
            raise self._no_move(move, position)
        return move.lower()

    def close(self) -> None:
        """End the engine, if it runs."""
        engine, self._engine = self._engine, None
        self._forget()
        if engine is not None:
            engine.close()

    # --- the engine

    def _started(self) -> UciConnection:
        if self._engine is None:
            process = EngineProcess(self.command)
            try:
                engine = UciConnection(process, self.start_timeout)
                if self.options:
                    engine.configure(option_values(self.program, engine.options, self.options), self.start_timeout)
            except ValueError as error:
                process.close(grace=0)
                raise PlayerFault(Termination.COULD_NOT_START, str(error)) from None
            except BaseException:
                process.close(grace=0)
                raise
            self._forget()
            self._engine = engine
        return self._engine

    def _ask(self, question: Callable[[UciConnection], T], where: str = "") -> T:
        try:
            return question(self._started())
        except PlayerFault as fault:
            self._kill()
            raise PlayerFault(fault.termination, f"{fault}{where}") from None
        except BaseException:  # a signal came between question and answer
            self._kill()
            raise

    def _kill(self) -> None:
        engine, self._engine = self._engine, None
        self._forget()
        if engine is not None:
            engine.close(grace=0)

    def _no_move(self, said: str, position: Position) -> PlayerFault:
        asked = self._engine.asked if self._engine else "go"
        self._kill()
        message = f"{self.program} answered {asked!r} with {short(f'bestmove {said}')}, which is no move"
        return PlayerFault(Termination.PROTOCOL_ERROR, f"{message}, in {position.text()}")

    # --- positions

    def _forget(self) -> None:
        """No position is known from here on."""
        self._known: tuple[str, tuple[int, ...], bytes] = ("", (), b"")  # game, actions and state that `_board` shows
        self._board = chess.Board()

    def _follow(self, position: Position) -> chess.Board:
        """`position` as python-chess's board, with the moves from the game's start: engines see repetitions."""
        game, actions = position.game, position.actions
        name, known, state = self._known
        before, moves = _taken_back(position, len(actions) - len(known))
        if (name, known, state) != (game.name, actions[: len(known)], before.state.tobytes()):
            before, moves = _taken_back(position, len(actions))
            self._board = chess.Board(before.text(), chess960=game.name == "chess960")
        for move in moves:
            self._board.push(chess.Move.from_uci(move))
        if len(self._board.move_stack) > _LONG:
            self._board = _since_irreversible(self._board)
        self._known = (game.name, actions, position.state.tobytes())
        return self._board

    # --- time

    def _set_clock(self) -> None:
        self._left = self.limits.clock[0] if self.limits.clock else 0.0

    def _limits(self, budget: Budget) -> Limits:
        """What the next move may cost. The match's seconds hold for everybody; a clock is left to itself."""
        if not self.limits:
            return Limits(budget.simulations, budget.depth, budget.seconds) or DEFAULT
        seconds = [time for time in (self.limits.movetime, budget.seconds) if time is not None]
        if self.limits.clock or not seconds:
            return self.limits
        return Limits(self.limits.nodes, self.limits.depth, min(seconds))

    def _told(self, limits: Limits) -> Limit:
        """`limits` as python-chess has them. The other side's clock is unknown: it is said to show the same."""
        told = Limit(time=limits.movetime, depth=limits.depth, nodes=limits.nodes)
        if limits.clock:
            told.white_clock = told.black_clock = self._left
            told.white_inc = told.black_inc = limits.clock[1]
        return told

    def _spend(self, took: float, limits: Limits, position: Position) -> None:
        """Take `took` seconds off the clock. Raises PlayerFault if they were too many."""
        if limits.clock:
            over = took - self._left
            self._left = limits.clock[1] - over  # what is overstepped within the margin is a debt
            what = f"{self.program}'s clock of {'+'.join(map(number_text, limits.clock))} ran out"
        elif limits.movetime:
            over = took - limits.movetime
            what = f"{self.program} took {took:.2f} s for a move, {limits.movetime:g} s allowed"
        else:
            return
        if over > self.margin:
            message = f"{what}: {over:.2f} s too late, in {position.text()}"
            raise PlayerFault(Termination.TIME_FORFEIT, message)


def check_game(game: Game) -> None:
    """Raises ValueError for a game that UCI engines do not play."""
    if game.name not in ("chess", "chess960"):
        raise ValueError(f"UCI engines play chess and chess960, not {game.name}")


def option_values(program: str, known: Mapping[str, Option], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """`wanted` by the names, and with the values, that the engine's options take.

    A limit of strength (UCI_Elo) switches UCI_LimitStrength on, without which engines ignore it. Raises ValueError
    for an option that the engine does not have and for a value that it does not take.
    """
    values: dict[str, Any] = {}
    for key, value in wanted.items():
        option = known.get(key)
        if option is None:
            raise ValueError(unknown_option(program, key, [option.name for option in known.values()]))
        if option.type == "check":
            value = _truth(program, option.name, value)
        try:
            values[option.name] = option.parse(value)
        except EngineError as error:
            raise ValueError(f"{program}: {error}") from None
    if "UCI_Elo" in values and "UCI_LimitStrength" in known:
        values.setdefault("UCI_LimitStrength", True)
    return values


def _truth(program: str, name: str, value: Any) -> bool:
    text = str(value).lower()
    if text not in _YES + _NO:
        raise ValueError(f"{program}: option {name!r} is true or false, not {value!r}")
    return text in _YES


def _taken_back(position: Position, count: int) -> tuple[Position, list[str]]:
    """`position` before its last `count` moves, and those moves."""
    before, moves = position.copy(), []
    for action in reversed(position.actions[len(position.actions) - max(count, 0) :]):
        before.undo()
        moves.append(position.game.move_text(before.state, action))
    return before, moves[::-1]


def _since_irreversible(board: chess.Board) -> chess.Board:
    """`board` with no more of its past than repetitions can reach back."""
    start, moves = board.copy(), []
    while start.halfmove_clock and start.move_stack:
        moves.append(start.pop())
    recent = start.copy(stack=False)
    for move in reversed(moves):
        recent.push(move)
    return recent
