"""Games and thoughts as the page's scripts read them.

Whatever has moves is sent as a film (`film_data`), the expected line of a player too: the page draws all of them alike.
"""

from collections.abc import Sequence
from typing import Any

from sakiyomi.arena.match import Played, Termination, tags_of
from sakiyomi.arena.pages.figures import Entry
from sakiyomi.arena.pages.film_data import with_films
from sakiyomi.arena.pages.frames import Board, board_of
from sakiyomi.boards.game import BadNotation
from sakiyomi.boards.player import Candidate, Thought
from sakiyomi.boards.position import Position
from sakiyomi.sgf.record import Record

LONGEST = 24  # moves of the main line that are sent
SHORT = 8  # moves of the lines of other candidates
CANDIDATES = 10
_MEN = "PLNSGBR"  # in hand, in the order of the film's cells
_HANDS = 81  # the first cell of a hand


def film_of(
    position: Position,
    setup: str | None,
    moves: Sequence[str],
    names: tuple[str, str],
    result: str = "*",
    ending: str = "",
) -> dict[str, Any]:
    """A game as `Lists.data` has it; `position` is any of it."""
    record = Record(position.game.name, tuple(moves), setup, result, ending, names, tags_of(position.game))
    return _films([record], names)


def legal_data(position: Position) -> list[list[Any]]:
    """The legal moves as [text, cell to which it goes, cell from which or -1, piece that it becomes or 0].

    Cells are those of the film; a pass goes to cell -1. In shogi a promotion has 1 as its piece.
    """
    board = board_of(position.game.name)
    assert board is not None, f"{position.game.name} has no board"
    occupied = position.board()
    moves = []
    for text in position.legal_moves():
        if board.style == "connect4":
            column = int(text) - 1
            lowest = max(y for y in range(board.height) if not occupied[y, column])
            moves.append([text, lowest * board.width + column, -1, 0])
        elif board.style == "chess":
            moves.append([text, _cell(board, text[2:4]), _cell(board, text[:2]), " pnbrq".index(text[4:] or " ")])
        elif board.style == "shogi":
            drop = text[1] == "*"
            origin = _HANDS + 7 * position.turn + _MEN.index(text[0]) if drop else _cell(board, text[:2])
            moves.append([text, _cell(board, text[2:4]), origin, int(text.endswith("+"))])
        else:
            moves.append([text, _cell(board, text), -1, 0])
    return moves


def _cell(board: Board, text: str) -> int:
    """The cell of that name; -1 for what names none (a pass)."""
    if text[0] not in board.columns or text[1:] not in board.rows:
        return -1
    return board.rows.index(text[1:]) * board.width + board.columns.index(text[0])


def parse_text(position: Position, text: str) -> int:
    """The legal action that a person means by `text`: in shogi Western texts are read too.

    Raises BadNotation or IllegalMove.
    """
    text = text.strip()
    if position.game.name == "shogi":
        from sakiyomi.arena.terminal.shogi import WESTERN, fitting

        match = WESTERN.fullmatch(text)
        found = fitting(position, match) if match else []
        if len(found) > 1:
            raise BadNotation(f"{text} may mean {len(found)} moves: name the square that the piece leaves")
        if found:
            return found[0]
    return position.action(text)


def thought_data(thought: Thought, position: Position, by: str) -> dict[str, Any]:
    """A thought about `position` with its lines as films: the main line is the first, then one for each candidate.

    ``value`` is the expected result for the first player, ``candidates`` have theirs for the player to move.
    Each film shows ``before`` moves (0 or 1) that were played already.
    """
    lines = [thought.line[:LONGEST], *((line.line or (line.move,))[:SHORT] for line in thought.candidates[:CANDIDATES])]
    before, setup = 0, position.text()
    played: tuple[str, ...] = ()
    if position.actions:  # the move before is shown, too: texts of moves may refer to it
        earlier = position.copy()
        earlier.undo()
        played = (position.game.move_text(earlier.state, position.actions[-1]),)
        before, setup = 1, earlier.text()
    records = [Record(position.game.name, (*played, *line), setup, tags=tags_of(position.game)) for line in lines]
    sign = 1 - 2 * position.turn
    value = expected(thought)
    return {
        "by": by,
        "turn": position.turn,
        "value": None if value is None else round(sign * value, 4),
        "centipawns": None if thought.centipawns is None else sign * thought.centipawns,
        "mate": None if thought.mate is None else sign * thought.mate,
        "depth": thought.depth,
        "nodes": thought.nodes,
        "seconds": round(thought.seconds, 3),
        "candidates": [_candidate(candidate) for candidate in thought.candidates[:CANDIDATES]],
        "before": before,
        "lines": _films(records, ("", "")),
    }


def expected(thought: Thought) -> float | None:
    """The expected result for the player to move, -1 to 1; centipawns are taken for Elo's scale (100 are 0.28)."""
    if thought.value is not None:
        return thought.value
    if thought.mate is not None:
        return 1.0 if thought.mate > 0 else -1.0
    if thought.centipawns is None:
        return None
    return float(2 / (1 + 10 ** (-max(-4000, min(4000, thought.centipawns)) / 400)) - 1)


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "move": candidate.move,
        "visits": candidate.visits,
        "value": None if candidate.value is None else round(candidate.value, 4),
        "prior": None if candidate.prior is None else round(candidate.prior, 4),
    }


def _films(records: Sequence[Record], names: tuple[str, str]) -> dict[str, Any]:
    games = [Played(record, Termination.INTERRUPTED) for record in records]
    entries = [Entry.of(number, game) for number, game in enumerate(games)]
    return with_films(entries, games, names)
