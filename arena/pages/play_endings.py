"""How a game in the browser ended, in a result and in words."""

from dataclasses import dataclass
from typing import Any

from sakiyomi.arena.match import PlayerFault, Termination, final_result, forfeit, has_points, outcome_of
from sakiyomi.arena.pages.frames import board_of
from sakiyomi.boards.game import Ending, Game
from sakiyomi.boards.position import Outcome, Position


@dataclass(frozen=True)
class Ended:
    """The result as records have it, the winner (0, 1, or None where there is none), why, and a sentence of it all."""

    result: str
    winner: int | None
    ending: str
    words: str


_WHY = {
    Ending.LINE: "with a full line",
    Ending.CHECKMATE: "by checkmate",
    Ending.STALEMATE: "by stalemate",
    Ending.INSUFFICIENT_MATERIAL: "as neither side can mate",
    Ending.REPETITION: "by repetition",
    Ending.PERPETUAL_CHECK: "as the other side repeated the position by perpetual check",
    Ending.FIFTY_MOVES: "by the fifty-move rule",
    Ending.SEVENTYFIVE_MOVES: "by the seventy-five-move rule",
    Ending.MOVE_LIMIT: "at the limit of moves",
    Ending.FULL_BOARD: "on a full board",
    Ending.NO_MOVES: "as neither side can move",
    Ending.TWO_PASSES: "after two passes",
    Ending.DECLARATION: "by declaring the entering king",
}


def by_rules(position: Position) -> Ended | None:
    """How the rules ended the game; None while it goes on."""
    outcome = position.outcome()
    return None if outcome is None else _ended(position, outcome)


def by_claim(position: Position) -> Ended | None:
    """The draw that the player to move may claim; None if there is none."""
    outcome = outcome_of(position)
    return None if outcome is None or position.outcome() is not None else _ended(position, outcome)


def by_declaration(position: Position, *, dare: bool = False) -> Ended | str:
    """What comes of declaring the entering king, or why it cannot be declared.

    A person is told so; a player that may `dare` loses by it.
    """
    if not hasattr(position.game, "declarations"):
        return f"no draw can be claimed here in {position.game.name}"
    from sakiyomi.arena.terminal.shogi import why_no_declaration
    from sakiyomi.arena.terminal.terminal import declaration

    why = why_no_declaration(position)
    if why and not dare:
        return f"the entering king cannot be declared: {why}"
    claim = declaration(position)
    assert claim is not None, "the game has declarations"
    if why:
        words = f"{_side(position.game, 1 - position.turn)} wins: the other side declared the entering king, and {why}"
        return Ended(
            forfeit(position.game, 1 - position.turn, Termination.ILLEGAL_MOVE), claim[1], "declaration", words
        )
    return _ended(position, Outcome(claim[1], Ending.DECLARATION))


def by_resignation(position: Position, loser: int) -> Ended:
    """`loser` (0 or 1) gave up."""
    return _lost(position.game, loser, Termination.RESIGNATION, "by resignation")


def by_fault(position: Position, name: str, fault: PlayerFault) -> Ended:
    """The player to move, called `name`, broke the rules or broke down."""
    if not fault.termination.rated:
        return Ended("*", None, fault.termination.value, f"No result: {name}: {fault}")
    return _lost(position.game, position.turn, fault.termination, f"({fault.termination.value}). {name}: {fault}")


def _lost(game: Game, loser: int, termination: Termination, why: str) -> Ended:
    winner = 1 - loser
    return Ended(forfeit(game, winner, termination), winner, termination.value, f"{_side(game, winner)} wins {why}")


def _ended(position: Position, outcome: Outcome) -> Ended:
    game: Any = position.game
    why = _WHY.get(outcome.ending, f"({outcome.ending.text})")
    result = final_result(position, outcome)
    if has_points(game) and outcome.winner is not None:
        points = result.partition("+")[2]
        why = f"by {points} point{'' if points == '1' else 's'} {why}, counted by {game.rules} rules"
    elif game.name.startswith("othello"):
        discs = [int((position.board() * sign > 0).sum()) for sign in (1, -1)]
        why = f"{max(discs)} to {min(discs)} {why}"
    words = f"Drawn {why}" if outcome.winner is None else f"{_side(game, outcome.winner)} wins {why}"
    return Ended(result, outcome.winner, outcome.ending.text, words)


def _side(game: Game, side: int) -> str:
    board = board_of(game.name)
    return board.sides[side] if board else ("First", "Second")[side]
