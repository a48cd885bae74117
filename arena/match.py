"""One game between two players: `play_game`, and `play`, which also tells what went wrong and who thought how long.

A player that breaks a rule, fails or is silent loses that game, and the reason is kept; nothing that a player does
ends more than its own game.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from sakiyomi.boards.game import BadNotation, Ending, Game, IllegalMove
from sakiyomi.boards.player import DECLARE, RESIGN, Budget, Player
from sakiyomi.boards.position import Outcome, Position
from sakiyomi.sgf.record import Record


class Termination(StrEnum):
    """Why a game between players was over."""

    NORMAL = "normal"  # by the rules of the game
    RESIGNATION = "resignation"
    MOVE_LIMIT = "move limit"  # the game's max_plies; counts as it stands
    ILLEGAL_MOVE = "illegal move"
    TIME_FORFEIT = "time forfeit"
    STALL = "stall"  # no answer at all
    CRASH = "crash"  # the player's process ended, or its code raised
    PROTOCOL_ERROR = "protocol error"
    COULD_NOT_START = "could not start"  # no game took place: not rated
    RULES_DIFFER = "rules differ"  # an engine refused a legal move of the other side: not rated
    INTERRUPTED = "interrupted"  # not the players' doing: not rated

    @property
    def rated(self) -> bool:
        """Does such a game say anything of the players' strength?"""
        return self not in (Termination.COULD_NOT_START, Termination.RULES_DIFFER, Termination.INTERRUPTED)


class PlayerFault(Exception):
    """What a player raises to say that it crashed, is silent, spoke rubbish or could not start; one line of why."""

    def __init__(self, termination: Termination, message: str):
        super().__init__(message)
        self.termination = termination


@dataclass(frozen=True)
class Played:
    """One game as the arena saw it.

    `detail` tells in words what went wrong ("" if nothing did), `seconds` how long each player thought, first player
    first.
    """

    record: Record
    termination: Termination
    detail: str = ""
    seconds: tuple[float, float] = (0.0, 0.0)

    @property
    def rated(self) -> bool:
        """Does the game count for ratings?"""
        return self.termination.rated and self.record.score is not None


NO_LIMIT = Budget()
"""Leaves the effort for a move to the players' own settings."""

MARGIN = 1.0
"""Seconds that a move may take beyond `Budget.seconds`: what a busy machine and a pipe cost, not thinking."""


def play_game(
    game: Game,
    players: tuple[Player, Player],
    budget: Budget = NO_LIMIT,
    opening: Sequence[str] = (),
    *,
    seed: int = 0,
    setup: str | None = None,
) -> Record:
    """One game of `players` (who moves first stands first); the same seed gives the same game.

    `opening` is played before the players are asked, from the position `setup` (`Game.position_text`) or the ordinary
    start. `Record.ending` says why the game was over. Raises IllegalMove or BadNotation for a wrong opening or setup.
    """
    return play(game, players, budget, opening, seed=seed, setup=setup).record


def play(
    game: Game,
    players: tuple[Player, Player],
    budget: Budget = NO_LIMIT,
    opening: Sequence[str] = (),
    *,
    seed: int = 0,
    setup: str | None = None,
    names: tuple[str, str] | None = None,
    margin: float = MARGIN,
    on_turn: Callable[[int, Sequence[str]], None] = lambda side, moves: None,
) -> Played:
    """`play_game`, with the termination, what went wrong and the thinking times.

    Who takes longer than ``budget.seconds + margin`` for a move loses on time (`margin` in seconds). `on_turn` hears
    whose code runs next, and all moves so far, before each `begin` and each `choose`. `names` overrides the players'.
    """
    position = Position(game, setup)
    setup = None if setup is None else position.text()  # records hold no names of positions ("two-piece")
    names = names or (players[0].name, players[1].name)
    moves: list[str] = []
    for move in opening:
        _put(position, moves, move)
    seconds = [0.0, 0.0]
    side = 0
    try:
        for side in (0, 1):
            on_turn(side, moves)
            _ask(players[side].begin, game, side, np.random.default_rng([seed, side]))
        outcome = outcome_of(position)
        while outcome is None:
            side = position.turn
            on_turn(side, moves)
            move, took = _choose(players[side], position, budget)
            seconds[side] += took
            outcome = _judge(position, moves, move, took, budget, margin)
    except PlayerFault as fault:
        return lost_game(game, names, moves, side, fault, setup=setup, seconds=(seconds[0], seconds[1]))
    return _finished(position, outcome, names, moves, setup, (seconds[0], seconds[1]))


def lost_game(
    game: Game,
    names: tuple[str, str],
    moves: Sequence[str],
    side: int,
    fault: PlayerFault,
    *,
    setup: str | None = None,
    seconds: tuple[float, float] = (0.0, 0.0),
) -> Played:
    """A game that `side` lost off the board after `moves`, or that has no result, if `fault` is of that kind."""
    detail = f"{names[side]}: {fault}" if str(fault) else ""
    record = Record(
        game=game.name,
        moves=tuple(moves),
        setup=setup,
        result=forfeit(game, 1 - side, fault.termination) if fault.termination.rated else "*",
        ending=fault.termination.value,
        players=names,
        tags=_tags(game),
        comments={len(moves): detail} if detail else {},
    )
    return Played(record, fault.termination, detail, seconds)


def _finished(
    position: Position,
    outcome: Outcome,
    names: tuple[str, str],
    moves: Sequence[str],
    setup: str | None,
    seconds: tuple[float, float],
) -> Played:
    """A game that ended by its rules."""
    record = Record(
        game=position.game.name,
        moves=tuple(moves),
        setup=setup,
        result=final_result(position, outcome),
        ending=outcome.ending.text,
        players=names,
        tags=_tags(position.game),
        comments={},
    )
    limit = outcome.ending is Ending.MOVE_LIMIT
    return Played(record, Termination.MOVE_LIMIT if limit else Termination.NORMAL, "", seconds)


def _choose(player: Player, position: Position, budget: Budget) -> tuple[Any, float]:
    """The player's move and its thinking time in seconds; it gets a copy, so that it cannot spoil the game."""
    shown = position.copy()
    started = time.perf_counter()
    move = _ask(player.choose, shown, budget)
    return move, time.perf_counter() - started


def _judge(
    position: Position, moves: list[str], move: Any, took: float, budget: Budget, margin: float
) -> Outcome | None:
    """Play the move on `position`: the outcome if the game is then over.

    Raises PlayerFault if it is late, a resignation, or illegal.
    """
    if budget.seconds is not None and took > budget.seconds + margin:
        message = f"{took:.2f} s for a move, {budget.seconds:g} s allowed"
        raise PlayerFault(Termination.TIME_FORFEIT, message)
    if isinstance(move, str) and move == RESIGN:
        raise PlayerFault(Termination.RESIGNATION, "")
    if isinstance(move, str) and move == DECLARE and hasattr(position.game, "declarations"):
        return _declared(position)
    try:
        _put(position, moves, move)
    except (IllegalMove, BadNotation) as error:
        raise PlayerFault(Termination.ILLEGAL_MOVE, one_line(str(error))) from error
    return outcome_of(position)


def _declared(position: Position) -> Outcome:
    """What the declaration of the player to move makes of the game. Raises PlayerFault if he may not declare."""
    game: Any = position.game
    allowed = int(game.declarations(position.state)[0])
    if not allowed:
        message = f"declared the entering king in {position.text()}, which does not fulfil the conditions"
        raise PlayerFault(Termination.ILLEGAL_MOVE, message)
    return Outcome(position.turn if allowed == 1 else None, Ending.DECLARATION)


def _put(position: Position, moves: list[str], move: Any) -> None:
    """Play `move` and note it as the game itself writes it."""
    if not isinstance(move, str):
        raise BadNotation(f"{move!r} is no move: a text such as {position.legal_moves()[0]!r} is wanted")
    action = position.action(move)
    text = position.game.move_text(position.state, action)
    position.play(action)
    moves.append(text)


def _ask(method: Callable[..., Any], *args: Any) -> Any:
    """Call into a player. Raises PlayerFault: its own, or a crash if it raises anything else."""
    try:
        return method(*args)
    except PlayerFault as fault:
        raise PlayerFault(fault.termination, one_line(str(fault))) from fault
    except (Exception, SystemExit) as error:
        raise PlayerFault(Termination.CRASH, one_line(f"{type(error).__name__}: {error}")) from error


def one_line(text: str, limit: int = 500) -> str:
    """`text` with every run of white space as one blank, cut to `limit` characters; what is no text is escaped."""
    line = " ".join(text.encode("utf-8", "backslashreplace").decode().split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def outcome_of(position: Position) -> Outcome | None:
    """`Position.outcome`, or the draw that the player to move may claim; None while the game goes on.

    The arena claims draws for its players (chess: threefold repetition and the fifty-move rule), as the protocols of
    engines have no word for it.
    """
    outcome = position.outcome()
    claims: Any = getattr(position.game, "claims", None)
    if outcome is not None or claims is None:
        return outcome
    ending = Ending(int(claims(position.state)[0]))
    return Outcome(None, ending) if ending else None


def has_points(game: Game) -> bool:
    """Is the game won by points, with results such as "B+3.5" (Go)?"""
    return hasattr(game, "score")


def forfeit(game: Game, winner: int, termination: Termination) -> str:
    """The result of a game that the other side lost off the board: "B+R", "W+T", "W+F", or "1-0", "0-1"."""
    if not has_points(game):
        return ("1-0", "0-1")[winner]
    letter = {Termination.RESIGNATION: "R", Termination.TIME_FORFEIT: "T"}.get(termination, "F")
    return f"{'BW'[winner]}+{letter}"


def final_result(position: Position, outcome: Outcome | None = None) -> str:
    """The result of a position that has ended, by `outcome_of` or by the outcome given: "B+3.5", "0" (drawn Go),
    "1-0", "0-1" or "1/2-1/2".

    Go is counted as it stands under area scoring; under territory scoring dead stones count as captured.
    """
    game: Any = position.game
    if has_points(game):
        count = getattr(game, "final_score", None) or game.score
        lead = float(count(position.state)[0])
        return "0" if lead == 0 else f"{'B' if lead > 0 else 'W'}+{number_text(round(abs(lead), 9) or abs(lead))}"
    outcome = outcome or outcome_of(position)
    assert outcome is not None, "the game goes on"
    return "1/2-1/2" if outcome.winner is None else ("1-0", "0-1")[outcome.winner]


def _tags(game: Game) -> dict[str, str]:
    """What a record should tell of the game's own settings."""
    found = {name: getattr(game, name, None) for name in ("komi", "rules")}
    return {
        name: value if isinstance(value, str) else number_text(value)
        for name, value in found.items()
        if value is not None
    }


def number_text(number: float) -> str:
    """A number in as few digits as tell it from all others, without exponent: "7.5", "0", "1234.5678"."""
    return np.format_float_positional(float(number) + 0.0, trim="-")
