"""`Record` -> positions on our boards, one game or many at once.

Records are replayed as servers played them: with simple ko only, whatever superko the rules name; suicide is a fault
unless the rules allow it; two passes do not stop a game that goes on; stones set up within a game start ko afresh; a
move that KO marks is carried out whatever the rules say. Chess goes on after a draw by rule (bare kings, the
seventy-five-move rule, a fivefold repetition) that nobody noticed, and shogi after a fourth repetition.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.game import Game, IllegalMove
from sakiyomi.boards.go import Go
from sakiyomi.boards.go.notation import MAX_SIZE, Diagram
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi
from sakiyomi.boards.shogi.state import MAX_PLIES
from sakiyomi.sgf import chess_moves, shogi_moves
from sakiyomi.sgf import properties as props
from sakiyomi.sgf.go import board_size, komi_of, main_line_of
from sakiyomi.sgf.mainline import BLACK, EMPTY, MainLine
from sakiyomi.sgf.record import Record

ROWS = 256
"""Games that are replayed at once: 19x19 positions of so many games take 3 MB, which a cache holds."""


@dataclass(frozen=True)
class Illegal:
    """Why a record does not replay: the move with that number (from 1; 0 the first position) and the rule it breaks."""

    move: int
    reason: str

    def __str__(self) -> str:
        return f"move {self.move}: {self.reason}" if self.move else self.reason


def game_of(record: Record) -> Game:
    """The game to replay a record on: its board, its komi and rules if it names any that we know, and simple ko.

    Raises ValueError for a game that we cannot play.
    """
    if not record.game.startswith("go-"):
        return make_game(record.game)
    width, height = board_size(record)
    if max(width, height) > MAX_SIZE:
        raise ValueError(f"{record.game}: boards go up to {MAX_SIZE}x{MAX_SIZE}")
    rules, komi = record.tags.get("rules", ""), komi_of(record)
    return Go(
        size=(width, height),
        komi=7.5 if komi is None else komi,
        rules=props.read_rules(rules) or "japanese",
        superko="simple",
        suicide=props.allows_suicide(rules),
        max_plies=min(max(3 * width * height + 64, 2 * len(record.moves)), 60_000),
    )


def positions(record: Record, game: Game | None = None) -> Iterator[Position]:
    """The first position and the one after each move, independent objects, by the rules of `game` or `game_of`.

    Raises IllegalMove, with the number of the move, where the rules forbid it, and ValueError for a game that we
    cannot play or a first position that cannot be.
    """
    game = game or game_of(record)
    if isinstance(game, (Chess, Shogi)):
        yield from _positions_after_end(record, game)
        return
    position = Position(game, record.setup)
    yield position.copy()
    line = main_line_of(record) if isinstance(game, Go) else None
    for ply, move in enumerate(record.moves if line is None else line.actions.tolist()):
        try:
            if line is not None and isinstance(game, Go):
                position.state["passes"][position.state["passes"] >= 2] = 0  # it goes on after two passes
                if ply in line.forced and not game.legal(position.state)[0, move]:
                    position = _forced(game, position, move)
                else:
                    position.play(move)
                if ply + 1 in line.setups:
                    position = _set_up(game, position, line.setups[ply + 1])
            else:
                position.play(move)
        except ValueError as error:
            raise IllegalMove(f"move {ply + 1}: {error}") from None
        yield position.copy()


def _positions_after_end(record: Record, game: Chess | Shogi) -> Iterator[Position]:
    """Positions of a game that goes on after a draw by rule."""
    position = Position(game, record.setup)
    yield position.copy()
    for ply, move in enumerate(record.moves):
        try:
            if game.ending(position.state)[0]:
                action = _action_after_end(game, position, move)
                position._past.append((position.state.copy(), action))
                game.play(position.state, np.array([action], np.int32))
            else:
                position.play(move)
        except ValueError as error:
            raise IllegalMove(f"move {ply + 1}: {error}") from None
        yield position.copy()


def _action_after_end(game: Chess | Shogi, position: Position, move: str) -> int:
    if isinstance(game, Chess):
        return chess_moves.action_after_end(game, position.state, move)
    if position.ply - int(position.state["first"][0]) >= MAX_PLIES:
        raise IllegalMove(f"games of over {MAX_PLIES} moves are not replayed")
    return shogi_moves.action_after_end(position.state, move)


def _set_up(game: Go, position: Position, stones: list[tuple[int, int]]) -> Position:
    """The position with stones put on the board or taken off; its history starts there."""
    board = game.colours(position.state)[0]
    for point, colour in stones:
        board[point] = colour
    return _position(game, position, board, position.turn)


def _position(game: Go, before: Position, board: NDArray[np.uint8], turn: int) -> Position:
    prisoners = (int(before.state["taken_black"][0]), int(before.state["taken_white"][0]))
    diagram = Diagram(board.reshape(game.layout.height, game.layout.width), turn, None, prisoners)
    return Position(game, diagram.text())


def _forced(game: Go, position: Position, action: int) -> Position:
    """The position after a move that KO orders: put the stone, take what has no liberties, the opponent's first."""
    board = game.colours(position.state)[0]
    own = BLACK + position.turn
    if action < len(board):
        board[action] = own
        for colour in (3 - own, own):
            for chain in _without_liberties(board.reshape(game.layout.height, game.layout.width), colour):
                board[chain] = EMPTY
    return _position(game, position, board, 1 - position.turn)


def _without_liberties(board: NDArray[np.uint8], colour: int) -> list[list[int]]:
    """The chains of that colour, as lists of points, that have no liberty."""
    height, width = board.shape
    found, seen = [], set()
    for start in np.flatnonzero(board == colour).tolist():
        if start in seen:
            continue
        chain, todo, free = [start], [start], False
        seen.add(start)
        while todo:
            y, x = divmod(todo.pop(), width)
            for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if not (0 <= v < height and 0 <= u < width):
                    continue
                free |= bool(board[v, u] == EMPTY)
                if board[v, u] == colour and v * width + u not in seen:
                    seen.add(v * width + u)
                    chain.append(v * width + u)
                    todo.append(v * width + u)
        if not free:
            found.append(chain)
    return found


def first_illegal(records: Sequence[Record]) -> list[Illegal | None]:
    """For each record, why it does not replay, or None if it does; games of one board size are replayed together."""
    answers: list[Illegal | None] = [None] * len(records)
    groups: dict[tuple[int, int, bool], list[tuple[int, MainLine]]] = defaultdict(list)
    for name, game in chess_moves.GAMES.items():
        those = [index for index, record in enumerate(records) if record.game == name]
        for index, illegal in zip(those, _chess_illegal(game, [records[index] for index in those]), strict=True):
            answers[index] = illegal
    for index in (index for index, record in enumerate(records) if record.game == "shogi"):
        answers[index] = None if shogi_moves.known_legal(records[index]) else _shogi_illegal(records[index])
    for index, record in enumerate(records):
        if record.game in (*chess_moves.GAMES, "shogi") or (not record.moves and not record.setup):
            continue
        try:
            if not record.game.startswith("go-"):
                answers[index] = _slowly(record)
                continue
            line = main_line_of(record)
            if line.plain:
                suicide = props.allows_suicide(record.tags.get("rules", ""))
                groups[line.width, line.height, suicide].append((index, line))
            else:
                answers[index] = _slowly(record)
        except ValueError as error:
            answers[index] = Illegal(0, str(error))
    for (width, height, suicide), members in groups.items():
        for first in range(0, len(members), ROWS):
            part = members[first : first + ROWS]
            batch = Batch([line for _, line in part], width, height, suicide)
            played = batch.play()
            for row in np.flatnonzero((played < batch.lengths) | ~batch.valid).tolist():
                answers[part[row][0]] = batch.why(row, int(played[row]))
    return answers


def _chess_illegal(game: Chess, records: Sequence[Record]) -> list[Illegal | None]:
    """`first_illegal` for records of one kind of chess; games that came legal out of a file are not played again."""
    answers: list[Illegal | None] = [None] * len(records)
    rows, starts, lines = [], [], []
    for row, record in enumerate(records):
        if chess_moves.known_legal(record) or (not record.moves and not record.setup):
            continue
        try:
            start, line = chess_moves.start_of(record), chess_moves.codes_of(record.moves)
        except ValueError:
            answers[row] = _slowly(record)
            continue
        rows.append(row)
        starts.append(start)
        lines.append(line)
    if not rows:
        return answers
    played = chess_moves.play(game, np.concatenate(starts), lines)
    for index in np.flatnonzero(played.played < np.diff(played.firsts)).tolist():
        answers[rows[index]] = _slowly(records[rows[index]])
    return answers


def _shogi_illegal(record: Record) -> Illegal | None:
    """`first_illegal` for one record of shogi."""
    try:
        played = shogi_moves.play_records([record])
    except ValueError:
        return _slowly(record)
    return None if played.played[0] == len(record.moves) else _slowly(record)


def _slowly(record: Record) -> Illegal | None:
    """The answer for one record, move by move."""
    number = -1
    try:
        for _ in positions(record):
            number += 1
    except IllegalMove as error:
        return Illegal(number + 1, str(error).partition(": ")[2])
    except ValueError as error:
        return Illegal(0, str(error))
    return None


class Batch:
    """Main lines of one board size as arrays, ready to be replayed together.

    `states` [B] the first positions, `valid` [B] False where one has a chain without liberties, `actions` int32
    [B, T], `lengths` int32 [B].
    """

    def __init__(self, lines: Sequence[MainLine], width: int, height: int, suicide: bool):
        longest = max((len(line.actions) for line in lines), default=0)
        self.game = reader(width, height, suicide, -(-(longest + 1) // 512) * 512)
        self.lengths = np.array([len(line.actions) for line in lines], np.int32)
        self.actions = np.zeros((len(lines), max(longest, 1)), np.int32)
        for row, line in enumerate(lines):
            self.actions[row, : len(line.actions)] = line.actions
        self.turns = np.array([line.turn for line in lines], np.uint8)
        self.states = self.game.new(len(lines))
        self.valid = np.ones(len(lines), np.bool_)
        self.states["turn"] = self.turns
        rows = [row for row, line in enumerate(lines) if line.board is not None]
        if rows:
            boards = np.stack([board for line in lines if (board := line.board) is not None])
            self.states[rows], self.valid[rows] = self.game.set_up(boards, self.turns[rows])

    def play(self) -> NDArray[np.int32]:
        """[B], moves played before the first illegal one; `states` are left as they are."""
        lengths = np.where(self.valid, self.lengths, 0).astype(np.int32)
        played: NDArray[np.int32] = self.game.replay_moves(self.states.copy(), self.actions, lengths)
        return played

    def why(self, row: int, played: int) -> Illegal:
        """The reason why the row cannot go on after so many moves."""
        if not self.valid[row]:
            return Illegal(0, "the first position has a chain without liberties")
        if played >= self.game.max_plies:
            return Illegal(played + 1, f"games of over {played:,} moves are not replayed")
        state = self.states[row : row + 1].copy()
        self.game.replay_moves(state, self.actions[row : row + 1], np.array([played], np.int32))
        action = int(self.actions[row, played])
        text = f"{'BW'[int(state['turn'][0])]} {self.game.move_text(state, action)}"
        reason = self.game.why_illegal(state, action)
        return Illegal(played + 1, f"{text}: {'suicide' if 'suicide' in reason else reason}")


@lru_cache(maxsize=64)
def reader(width: int, height: int, suicide: bool, max_plies: int) -> Go:
    """The game that records are replayed on: simple ko, whatever superko a file's rules name."""
    rules = "new-zealand" if suicide else "japanese"
    return Go(size=(width, height), rules=rules, superko="simple", suicide=suicide, max_plies=min(max_plies, 60_000))
