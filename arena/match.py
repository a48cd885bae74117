"""What became of a game between two players: how it ended, by whose fault, and what the result is called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from sakiyomi.boards.game import Ending, Game
from sakiyomi.boards.position import Outcome, Position
from sakiyomi.sgf.record import Record


class Termination(StrEnum):
    """Why a game between players was over."""

    NORMAL = "normal"  # by the rules of the game
    RESIGNATION = "resignation"
    MOVE_LIMIT = "move limit"  # the game's max_plies; counts as it stands
    ADJUDICATION = "adjudication"  # by the tournament's rules, see `adjudication.py`
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

    @property
    def fair(self) -> bool:
        """Is it nobody's fault that the game ended so?"""
        return self in (
            Termination.NORMAL,
            Termination.RESIGNATION,
            Termination.MOVE_LIMIT,
            Termination.ADJUDICATION,
        )


class PlayerFault(Exception):
    """What a player raises to say that it crashed, is silent, spoke rubbish or could not start; one line of why."""

    def __init__(self, termination: Termination, message: str):
        super().__init__(message)
        self.termination = termination


@dataclass(frozen=True)
class Played:
    """One game as the arena saw it.

    `detail` tells in words what went wrong, or why the game was adjudicated ("" if neither), `seconds` how long each
    player thought, first player first.
    """

    record: Record
    termination: Termination
    detail: str = ""
    seconds: tuple[float, float] = (0.0, 0.0)

    @property
    def rated(self) -> bool:
        """Does the game count for ratings?"""
        return self.termination.rated and self.record.score is not None


MARGIN = 1.0
"""Seconds that a move may come late: what a busy machine and a pipe cost, not thinking."""


def lost_game(
    game: Game,
    names: tuple[str, str],
    moves: Sequence[str],
    side: int,
    fault: PlayerFault,
    *,
    setup: str | None = None,
    seconds: tuple[float, float] = (0.0, 0.0),
    comments: Mapping[int, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Played:
    """A game that `side` lost off the board after `moves`, or that has no result, if `fault` is of that kind.

    `comments` are those of the moves, by their number; `tags` by default those of the game.
    """
    detail = f"{names[side]}: {fault}" if str(fault) else ""
    said = dict(comments or {})
    if detail:
        said[len(moves)] = " ".join(filter(None, (said.get(len(moves)), detail)))
    record = Record(
        game=game.name,
        moves=tuple(moves),
        setup=setup,
        result=forfeit(game, 1 - side, fault.termination) if fault.termination.rated else "*",
        ending=fault.termination.value,
        players=names,
        tags=tags_of(game) if tags is None else tags,
        comments=said,
    )
    return Played(record, fault.termination, detail, seconds)


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


def tags_of(game: Game) -> dict[str, str]:
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
