"""Shogi records as lines for the page: many games replayed side by side, three characters a move.

A board has 95 cells: the 81 squares row by row from the top left (9a is 0), then how many pieces of each kind, pawn to
rook, Black holds in hand, and then White. A move is three digits of base 64, the highest first, of the number
``((from * 81 + to) * 8 + relation) * 4 + flags``; a drop is from the cell of the hand. The flags are `PROMOTES` and
`CHECKS` (it gives check). The relation is 0 where no other piece of the same kind could have gone there, else how
Japanese texts tell them apart: `MOTION` (by 上, 寄 or 引; of a drop 打), `LEFT` (左), `RIGHT` (右), one of these with
`MOTION` added, or `STRAIGHT` (直).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sakiyomi.arena.pages.frames import DIGITS, followed
from sakiyomi.boards import rows as batches
from sakiyomi.boards.game import BadNotation, States
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi, usi
from sakiyomi.boards.shogi import text_kernels as words
from sakiyomi.boards.shogi.actions import DROPS, OFF_BOARD, PLANES, PROMOTION, SQUARE, TARGET
from sakiyomi.sgf.record import Record

GAMES = 256  # played side by side
GRAIN = 32  # games that one thread takes at least
PROMOTES, CHECKS = 1, 2
MOTION, LEFT, RIGHT, STRAIGHT = 1, 2, 4, 6
HANDS = 81  # the cell of Black's pawns in hand
CELL = np.array([9 * (square % 9) + 8 - square // 9 for square in range(81)])
"""[81], the cell of a square."""
Numbers = NDArray[np.int64]
_LUT = np.frombuffer(DIGITS.encode(), np.uint8)
_MOTIONS = int(words.UP | words.DOWN | words.SIDEWAYS)
_RELATION = np.array(
    [
        LEFT * (said & int(words.LEFT) > 0)
        + RIGHT * (said & int(words.RIGHT) > 0)
        + STRAIGHT * (said & int(words.STRAIGHT) > 0)
        + MOTION * (said & (_MOTIONS | int(words.DROPPED)) > 0)
        for said in range(128)
    ]
)
"""The relation by what `text_kernels.describe` says, of which `words.DECLINED` is left out."""


class Line(NamedTuple):
    """A game as it was played, up to its first illegal move; `fault` says why it ends there, or is "".

    `cells` int8 [95] is the first position, `setup` its SFEN, `changes` the moves as the module says, `plies` how many
    they are, `first` whose turn it was at the start, and `check` whether that player stood in check.
    """

    cells: NDArray[np.int8]
    setup: str
    changes: str
    plies: int
    first: int
    check: bool
    fault: str


def shogi_lines(game: Shogi, records: Sequence[Record]) -> list[Line | None]:
    """The lines of records of `game`; None where the first position is none."""
    lines: list[Line | None] = [None] * len(records)
    roots = [_root(game, record) for record in records]
    todo = [index for index, root in enumerate(roots) if root is not None]
    for first in range(0, len(todo), GAMES):
        part = todo[first : first + GAMES]
        found = _block(game, np.concatenate([roots[index] for index in part]), [records[index] for index in part])
        for index, line in zip(part, found, strict=True):
            lines[index] = line
    return lines


def shogi_cells(start: NDArray[np.int8], changes: str) -> list[NDArray[np.int8]]:
    """The cells [95] of the position `start`, and those after each move."""
    cells, found = start.copy(), [start.copy()]
    for at in range(0, len(changes), 3):
        high, middle, low = (DIGITS.index(digit) for digit in changes[at : at + 3])
        places, flags = divmod(4096 * high + 64 * middle + low, 32)
        origin, to = divmod(places, 81)
        if origin >= HANDS:
            white, kind = divmod(origin - HANDS, 7)
            cells[origin] -= 1
            cells[to] = -(kind + 1) if white else kind + 1
        else:
            piece, taken = int(cells[origin]), abs(int(cells[to]))
            if taken:
                cells[HANDS + 7 * (piece < 0) + (taken - 1) % 8] += 1
            cells[origin] = 0
            cells[to] = piece + (8 if piece > 0 else -8) * (flags & PROMOTES)
        found.append(cells.copy())
    return found


def _root(game: Shogi, record: Record) -> States | None:
    try:
        return game.new(1) if record.setup is None else game.parse_position(record.setup)
    except ValueError:
        return None


def _block(game: Shogi, roots: States, records: Sequence[Record]) -> list[Line]:
    """Games from `roots`, side by side."""
    lines: list[Sequence[int]] = []
    faults = []
    for record, turn in zip(records, roots["turn"].tolist(), strict=True):
        actions, fault = _actions(record.moves, turn), ""
        if None in actions:
            actions, fault = _followed(game, record)
        lines.append([action for action in actions if action is not None])
        faults.append(fault)
    codes, played = _play(game, roots, lines)
    checks = game.in_check(roots)
    found = []
    for row, record in enumerate(records):
        plies = int(played[row])
        if plies < len(lines[row]):
            faults[row] = followed(game, record)[1]
        mine = codes[:plies, row]
        changes = _LUT[np.stack([mine >> 12, mine >> 6 & 63, mine & 63], 1)].tobytes().decode()
        root = roots[row : row + 1]
        cells = np.concatenate([game.board(root).ravel(), game.hands(root)[:, 1:].ravel()]).astype(np.int8)
        setup = "" if record.setup is None else game.position_text(root)
        found.append(Line(cells, setup, changes, plies, int(root["turn"][0]), bool(checks[row]), faults[row]))
    return found


def _actions(moves: Sequence[str], turn: int) -> list[int | None]:
    """The actions that USI texts name, None where a text is no USI."""
    return [_action(move, (turn + ply) % 2) for ply, move in enumerate(moves)]


@lru_cache(maxsize=1 << 15)
def _action(move: str, turn: int) -> int | None:
    try:
        return usi.parse(_sides()[turn : turn + 1], move)
    except BadNotation:
        return None


@lru_cache
def _sides() -> States:
    """[2], a position with Black to move and one with White."""
    states = Shogi().new(2)
    states["turn"] = 0, 1
    return states


def _followed(game: Shogi, record: Record) -> tuple[list[int | None], str]:
    """The legal actions at the start of a record that is not all USI, and why there are no more."""
    moves, fault = followed(game, record)
    return _actions(moves, Position(game, record.setup).turn), fault


def _play(game: Shogi, roots: States, lines: Sequence[Sequence[int]]) -> tuple[Numbers, Numbers]:
    """Numbers of the moves [plies, N], and how many of them are legal [N]."""
    played = np.array([len(line) for line in lines], np.int64)
    wanted = np.zeros((int(played.max(initial=0)), len(lines)), np.int32)
    for row, line in enumerate(lines):
        wanted[: len(line), row] = line
    codes = np.zeros(wanted.shape, np.uint16)
    flags: Numbers = np.zeros(wanted.shape, np.int64)
    turns = (roots["turn"] + np.arange(len(wanted))[:, None]) % 2
    states = roots.copy()
    for ply, actions in enumerate(wanted):
        rows = np.flatnonzero(played > ply)
        moving = states[rows]
        allowed = (game.legal_actions(moving)[0] == actions[rows, None]).any(axis=1)
        played[rows[~allowed]] = ply
        rows, moving = rows[allowed], moving[allowed]
        origin, to, promotes = _squares(actions[rows].astype(np.int64), turns[ply, rows])
        codes[ply, rows] = origin << 7 | to
        game.play(moving, actions[rows])
        flags[ply, rows] = PROMOTES * promotes | CHECKS * game.in_check(moving)
        states[rows] = moving
    origin, to = (codes >> 7).astype(np.int64), (codes & 127).astype(np.int64)
    cells = np.where(origin < HANDS, CELL[np.minimum(origin, 80)], origin + 7 * turns)
    codes |= (flags & PROMOTES).astype(np.uint16) << np.uint16(14)
    relations = _relations(roots, codes, played)
    numbers: Numbers = ((cells * 81 + CELL[to]) * 8 + relations) * 4 + flags
    return numbers, played


def _relations(roots: States, codes: NDArray[np.uint16], played: Numbers) -> Numbers:
    """The relations [plies, N] of moves [plies, N] (see `boards.shogi.state`), of which `played` are legal."""
    there = np.arange(len(codes)) < played[:, None]
    firsts = np.concatenate([[0], np.cumsum(played)])
    told = np.zeros(firsts[-1], np.uint16)
    lines, states = codes.T[there], np.ascontiguousarray(roots).view(np.uint64)
    batches.run(words.describe_rows, len(roots), GRAIN, states, firsts, lines, told)
    relations: Numbers = np.zeros((len(roots), len(codes)), np.int64)
    relations[there] = _RELATION[told >> 4 & 127]
    return relations.T


def _squares(actions: Numbers, turn: Numbers) -> tuple[Numbers, Numbers, NDArray[np.bool_]]:
    """Origins (81 + kind - 1 for a drop), targets and promotions of legal actions [N] of the sides `turn` [N]."""
    view, plane = np.divmod(actions, PLANES)
    drops = plane >= DROPS
    square = SQUARE[81 * turn + view].astype(np.int64)
    target = TARGET[66 * view + np.where(drops, 0, plane % PROMOTION)].astype(np.int64)
    target = SQUARE[81 * turn + np.where(target == OFF_BOARD, 0, target)].astype(np.int64)
    return (
        np.where(drops, HANDS + plane - DROPS, square),
        np.where(drops, square, target),
        ~drops & (plane >= PROMOTION),
    )
