"""`MainLine`: the main line of a Go game as arrays, with turns, handicap and setup settled.

A record's moves alternate in colour. Where a file's do not, a pass of the other colour is put between, so that the
moves alone, played from the first position, lead to the right board; `MainLine.implied` tells these passes from real
ones.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sakiyomi.sgf.faults import Fault
from sakiyomi.sgf.grammar import GameTree, plain
from sakiyomi.sgf.properties import read_point, read_points
from sakiyomi.sgf.scan import AB, AE, AW, KO, PL, C
from sakiyomi.sgf.scan_moves import ODD, ODD_MOVE, SAME_COLOUR, SAME_NODE, SECOND_VALUE, SETUP_BESIDE, scan_moves

EMPTY, BLACK, WHITE = 0, 1, 2
MAX_STONES = 10_000
"""Values of one AB, AW or AE; the largest board of SGF has 2,704 points."""
_STONES = {int(AB): BLACK, int(AW): WHITE, int(AE): EMPTY}


@dataclass
class MainLine:
    """The main line of a Go game.

    `actions` int32 [T], ``row * width + column`` with row 0 at the top, ``width * height`` for a pass; colours
    alternate from `turn` (0 black, 1 white). `board` uint8 [area] is the first position (0 empty, 1 black, 2 white), or
    None if it is empty. `setups` maps a ply above 0 to the stones set up then, (point, colour) in order. `forced` holds
    the plies of moves that KO orders to be played whatever the rules say, `implied` those of passes that the file does
    not have (the first move is ply 0). `comments` maps a number of plies played to text. `offsets` int32 [T] says where
    each move stands in the scanned text; it is empty if the line comes from no file.
    """

    width: int
    height: int
    actions: NDArray[np.int32]
    turn: int = 0
    board: NDArray[np.uint8] | None = None
    setups: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    forced: frozenset[int] = frozenset()
    implied: frozenset[int] = frozenset()
    comments: dict[int, str] = field(default_factory=dict)
    offsets: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32), repr=False)

    @property
    def plain(self) -> bool:
        """Is it a sequence of moves and nothing else, to be played one by one under the rules?"""
        return not self.setups and not self.forced


def read_main_line(tree: GameTree, width: int, height: int, handicap: int = 0) -> MainLine:
    """The main line of `tree`, a Go game on a board of that size; faults are added to `tree.faults`.

    Raises BadRecord for a move or a stone that is on no point of the board.
    """
    return _Reader(tree, width, height).read(handicap)


class _Reader:
    """What `read_main_line` knows while it reads."""

    def __init__(self, tree: GameTree, width: int, height: int):
        self.tree, self.width, self.height = tree, width, height
        self.table, self.data = tree.columns, tree.columns.text.data
        self.board_size = f"a {width}x{height} board"

    def read(self, handicap: int) -> MainLine:
        moves, marks, flags = self.columns()
        count = len(moves)
        line = MainLine(self.width, self.height, moves[:, 0].copy(), int(moves[0, 1]) if count else 0)
        line.offsets = self.table.values[moves[:, 3], 0]
        if flags & (ODD_MOVE | SECOND_VALUE):
            self.mend(line, moves)
        if flags & SAME_NODE:
            twice = int(np.flatnonzero(moves[1:, 2] == moves[:-1, 2])[0])
            self.tree.note(Fault.TWO_MOVES, int(self.table.values[moves[twice + 1, 3], 0]))
        places = list(range(count + 1))
        if flags & SAME_COLOUR:
            places = self.alternate(line, moves, marks, handicap)
        player = self.marked(line, marks, places, bool(flags & SETUP_BESIDE)) if len(marks) else None
        if not count and line.board is not None:
            only_black = bool((line.board != WHITE).all())
            line.turn = player if player is not None else int(only_black and line.board.sum() > 1)
        elif not count:
            line.turn = player or 0
        return line

    def columns(self) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
        tree, table = self.tree, self.table
        stop = tree.main_line_stop
        room = int(table.nodes[stop, 2]) - int(table.nodes[tree.first, 2])
        moves, marks, counts = np.empty((room, 4), np.int32), np.empty((room, 2), np.int32), np.empty(3, np.int64)
        data = np.frombuffer(self.data, np.uint8)
        tables = (data, table.nodes, table.props, table.codes, table.values)
        scan_moves(*tables, tree.first, stop, self.width, self.height, moves, marks, counts)
        n_moves, n_marks, flags = counts.tolist()
        return moves[:n_moves], marks[:n_marks], flags

    def mend(self, line: MainLine, moves: NDArray[np.int32]) -> None:
        """Moves that are not plainly written: read what can be read."""
        for index, (action, _, _, value) in enumerate(moves.tolist()):
            start, stop = self.table.values[value].tolist()
            text = plain(self.data[start:stop])
            if action == ODD:
                point = read_point(text, self.width, self.height)
                if point is None:
                    raise self.tree.bad(f"move {index + 1}, {text[:40]!r}, is no point of {self.board_size}", start)
                line.actions[index] = point
                self.tree.note(Fault.ODD_POINT, start, text[:40])
            if self.values_after(value) > 1:
                self.tree.note(Fault.ODD_POINT, start, f"{text} and more")

    def values_after(self, value: int) -> int:
        """How many values there are from `value` on in its property."""
        first, stop = self.table.nodes[self.tree.first, 2], self.table.nodes[self.tree.stop, 2]
        starts = self.table.props[first : stop + 1, 2]
        return int(starts[np.searchsorted(starts, value, "right")]) - value

    def alternate(self, line: MainLine, moves: NDArray[np.int32], marks: NDArray[np.int32], handicap: int) -> list[int]:
        """Make the colours alternate; returns the ply that each number of the file's moves leads to."""
        colours, actions = moves[:, 1].tolist(), line.actions.tolist()
        passing = self.width * self.height
        stones = self.handicap_moves(colours, actions, marks, handicap)
        if stones:
            line.board = np.zeros(passing, np.uint8)
            line.board[actions[:stones]] = BLACK
            self.tree.note(Fault.HANDICAP_AS_MOVES, int(self.table.values[moves[0, 3], 0]), f"{stones} stones")
        played: list[int] = []
        sources: list[int] = []
        implied, places = [], [0] * (stones + 1)
        for index in range(stones, len(actions)):
            if index > stones and colours[index] == colours[index - 1]:
                implied.append(len(played))
                played.append(passing)
                sources.append(index)
            played.append(actions[index])
            sources.append(index)
            places.append(len(played))
        line.actions, line.implied = np.array(played, np.int32), frozenset(implied)
        line.offsets = line.offsets[sources]
        line.turn = colours[stones] if stones < len(colours) else 1
        if implied:
            first = places.index(implied[0] + 2)
            offset = int(self.table.values[moves[first - 1, 3], 0])
            self.tree.note(Fault.OUT_OF_TURN, offset, f"move {first}, {len(implied)} in all")
        return places

    def handicap_moves(self, colours: list[int], actions: list[int], marks: NDArray[np.int32], handicap: int) -> int:
        """How many of the first moves are handicap stones."""
        if handicap < 2 or any(int(self.table.codes[prop]) in _STONES for prop, before in marks.tolist() if not before):
            return 0
        black = colours[:handicap] == [0] * handicap and colours[handicap : handicap + 1] != [0]
        return handicap if black and self.width * self.height not in actions[:handicap] else 0

    def marked(self, line: MainLine, marks: NDArray[np.int32], places: list[int], beside: bool) -> int | None:
        """Comments, forced moves and set-up stones; returns the player that PL names before the first move."""
        forced, player = set(), None
        comments: dict[int, list[str]] = {}
        node_of: dict[int, int] = {}
        for prop, before in marks.tolist():
            code, ply = int(self.table.codes[prop]), places[before]
            if code == int(C):
                comments.setdefault(ply, []).append(self.value(prop))
            elif code == int(KO):
                if ply:
                    forced.add(ply - 1)
            elif code == int(PL):
                colour = self.value(prop).strip()[:1].upper()
                if not before and colour in ("B", "W", "1", "2"):
                    player = int(colour in "W2")
            else:
                if beside:
                    self.tree.note(Fault.MOVE_WITH_SETUP, int(self.table.props[prop, 0]))
                    beside = False
                node = int(np.searchsorted(self.table.nodes[:, 2][: self.tree.stop], prop, "right"))
                self.stones(line, prop, ply, again=node_of.get(ply) == node)
                node_of[ply] = node
        line.forced = frozenset(forced)
        line.comments = {ply: "\n".join(texts) for ply, texts in comments.items()}
        return player

    def value(self, prop: int) -> str:
        """The first value of a property, as text; "" if it has none."""
        first, stop = int(self.table.props[prop, 2]), int(self.table.props[prop + 1, 2])
        if first == stop:
            return ""
        start, end = self.table.values[first].tolist()
        return plain(self.data[start:end])

    def stones(self, line: MainLine, prop: int, ply: int, again: bool) -> None:
        """Set up the stones of one AB, AW or AE."""
        colour = _STONES[int(self.table.codes[prop])]
        found: list[int] = []
        values = self.table.values[self.table.props[prop, 2] : self.table.props[prop + 1, 2]]
        if len(values) > MAX_STONES:
            raise self.tree.bad(f"{len(values):,} stones in one property", int(self.table.props[prop, 0]))
        for start, end in values.tolist():
            text = plain(self.data[start:end])
            points = read_points(text, self.width, self.height)
            if points is None and text.strip():
                raise self.tree.bad(f"the stone {text[:40]!r} is on no point of {self.board_size}", start)
            if not points:
                self.tree.note(Fault.EMPTY_STONE, start)
            found += points or []
        twice = len(set(found)) < len(found)
        if ply:
            if ply not in line.setups:
                self.tree.note(Fault.SETUP_IN_GAME, int(self.table.props[prop, 0]), f"after ply {ply}")
            line.setups.setdefault(ply, []).extend((point, colour) for point in found)
        elif found:
            if line.board is None:
                line.board = np.zeros(self.width * self.height, np.uint8)
            twice = twice or (again and colour != EMPTY and bool(line.board[found].any()))
            line.board[found] = colour
        if twice:
            self.tree.note(Fault.STONE_TWICE, int(self.table.props[prop, 0]))
