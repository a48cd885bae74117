"""GTP points, one-line position texts and drawn boards.

A position text is ``WxH ROWS TURN`` with optional fields behind: ``5x4 5/2XO1/2XO1/5 b ko C3 prisoners 2-1 passes 1``.
ROWS go from the top, numbers are runs of empty points (dots are read, too), X is black and O white; TURN is b or w;
``ko`` names the point that may not be retaken; ``prisoners`` are the stones taken by Black and by White; ``passes`` is
1 or 2; ``handicap`` is the number of handicap stones that Black was given (they are part of ROWS), for rule sets that
compensate White.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import BadNotation

COLUMNS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
STONES = {"X": 1, "O": 2}
MAX_SIZE = 25


def point_text(action: int, width: int, height: int) -> str:
    """The action in GTP's notation: "D4", or "pass"."""
    if action == width * height:
        return "pass"
    y, x = divmod(action, width)
    return f"{COLUMNS[x]}{height - y}"


def parse_point(text: str, width: int, height: int) -> int:
    """The action that `text` names, in upper or lower case. Raises BadNotation."""
    cleaned = text.strip().upper()
    if cleaned == "PASS":
        return width * height
    match = re.fullmatch(r"([A-HJ-Z])([1-9]\d?)", cleaned, re.ASCII)
    if not match:
        raise BadNotation(f"not a Go move: {text!r}; a move is a column letter without I and a row (D4), or pass")
    x, row = COLUMNS.index(match[1]), int(match[2])
    if x >= width or row > height:
        last = f"{COLUMNS[width - 1]}{height}"
        raise BadNotation(f"{text!r} is off the {width}x{height} board; points go from A1 to {last}")
    return (height - row) * width + x


@dataclass(frozen=True)
class Diagram:
    """What a position text says: `board` [H, W] of 0, 1 (black), 2 (white), `ko` an action or None."""

    board: NDArray[np.uint8]
    turn: int
    ko: int | None = None
    prisoners: tuple[int, int] = (0, 0)
    passes: int = 0
    handicap: int = 0

    def text(self) -> str:
        """The one line."""
        height, width = self.board.shape
        rows = []
        for row in self.board:
            line = "".join(".XO"[stone] for stone in row)
            rows.append(re.sub(r"\.+", lambda run: str(len(run[0])), line))
        text = f"{width}x{height} {'/'.join(rows)} {'bw'[self.turn]}"
        if self.ko is not None:
            text += f" ko {point_text(self.ko, width, height)}"
        if any(self.prisoners):
            text += f" prisoners {self.prisoners[0]}-{self.prisoners[1]}"
        if self.passes:
            text += f" passes {self.passes}"
        if self.handicap:
            text += f" handicap {self.handicap}"
        return text


def parse_diagram(text: str) -> Diagram:
    """The position that one line of text describes. Raises BadNotation with what is wrong."""

    def bad(why: str) -> BadNotation:
        return BadNotation(f"not a Go position: {text!r}: {why}; as in '9x9 9/9/2X3O2/9/9/9/9/9/9 b'")

    fields = text.split()
    if len(fields) < 3:
        raise bad("size, rows and side to move are wanted")
    match = re.fullmatch(r"(\d{1,2})x(\d{1,2})", fields[0], re.ASCII)
    if not match or not all(1 <= int(n) <= MAX_SIZE for n in match.groups()):
        raise bad(f"{fields[0]!r} is no board size from 1x1 to {MAX_SIZE}x{MAX_SIZE}")
    width, height = int(match[1]), int(match[2])
    board = _parse_rows(fields[1], width, height, bad)
    if fields[2] not in ("b", "w"):
        raise bad(f"side to move is b or w, not {fields[2]!r}")
    extra = fields[3:]
    known = {"ko", "prisoners", "passes", "handicap"}
    if len(extra) % 2 or not set(extra[::2]) <= known or len(set(extra[::2])) < len(extra) // 2:
        raise bad("after the side to move come pairs of ko, prisoners, passes, handicap and their values, each once")
    named = dict(zip(extra[::2], extra[1::2], strict=True))
    ko = parse_point(named["ko"], width, height) if "ko" in named else None
    if ko is not None and (ko == width * height or board.flat[ko]):
        raise bad("ko must name an empty point")
    taken = re.fullmatch(r"(\d{1,4})-(\d{1,4})", named.get("prisoners", "0-0"), re.ASCII)
    if not taken:
        raise bad(f"prisoners are two numbers, as in 3-1, not {named['prisoners']!r}")
    if named.get("passes", "0") not in ("0", "1", "2"):
        raise bad(f"passes is 0, 1 or 2, not {named['passes']!r}")
    if not re.fullmatch(r"\d{1,3}", named.get("handicap", "0"), re.ASCII):
        raise bad(f"handicap is a number of stones, not {named['handicap']!r}")
    prisoners = (int(taken[1]), int(taken[2]))
    passes, handicap = int(named.get("passes", "0")), int(named.get("handicap", "0"))
    if handicap > (board == STONES["X"]).sum() + prisoners[1]:
        raise bad(f"{handicap} handicap stones are more than Black can have")
    return Diagram(board, "bw".index(fields[2]), ko, prisoners, passes, handicap)


def _parse_rows(text: str, width: int, height: int, bad: Callable[[str], BadNotation]) -> NDArray[np.uint8]:
    rows = text.split("/")
    if len(rows) != height:
        raise bad(f"{height} rows are wanted, not {len(rows)}")
    board = np.zeros((height, width), np.uint8)
    for y, row in enumerate(rows):
        x = 0
        for part in re.findall(r"[1-9][0-9]*|.", row):
            if part in STONES and x < width:
                board[y, x] = STONES[part]
                x += 1
            elif part == ".":
                x += 1
            elif part[0] in "123456789" and len(part) < 3:
                x += int(part)
            else:
                x = width + 1
                break
        if x != width:
            raise bad(f"row {y + 1}, {row!r}, does not fill {width} columns with X, O and numbers of empty points")
    return board


def star_points(width: int, height: int) -> set[tuple[int, int]]:
    """The (x, y) that boards mark with a dot."""

    def lines(size: int) -> list[int]:
        if size < 7:
            return [size // 2] if size % 2 and size > 2 else []
        edge = 2 if size < 13 else 3
        return sorted({edge, size - 1 - edge} | ({size // 2} if size % 2 else set()))

    stars = {(x, y) for x in lines(width) for y in lines(height)}
    if width == height and width in (9, 11):  # small boards mark corners and centre only
        middle = width // 2
        stars = {(x, y) for x, y in stars if (x == middle) == (y == middle)}
    return stars


def handicap_points(width: int, height: int, stones: int) -> list[int]:
    """The actions of the fixed handicap placement (GTP 2, section 4.1.1). Raises ValueError if there is none."""
    if min(width, height) < 7:
        raise ValueError(f"a {width}x{height} board has no fixed handicap; the smallest is 7x7")
    most = 9 if width % 2 and height % 2 and min(width, height) >= 9 else 4
    if not 2 <= stones <= most:
        raise ValueError(f"a {width}x{height} board takes 2 to {most} handicap stones, not {stones}")

    def lines(size: int) -> tuple[int, int, int]:
        edge = 2 if size < 13 else 3
        return edge, size // 2, size - 1 - edge

    (left, middle, right), (top, centre, bottom) = lines(width), lines(height)
    corners = [(left, bottom), (right, top), (left, top), (right, bottom)]
    sides = [(left, centre), (right, centre), (middle, bottom), (middle, top)]
    if stones <= 4:
        chosen = corners[:stones]
    else:  # pairs on the sides, and the centre for an odd number
        chosen = corners + sides[: (stones - 4) // 2 * 2] + [(middle, centre)] * (stones % 2)
    return [y * width + x for x, y in chosen]


def draw(board: NDArray[np.integer[Any]], last: int | None) -> str:
    """The board [H, W] of 0, 1, 2 with coordinates; the stone of action `last` stands in parentheses."""
    height, width = board.shape
    stars = star_points(width, height)
    letters = "   " + " ".join(COLUMNS[:width])
    lines = [letters]
    for y in range(height):
        cells = ["X" if s == 1 else "O" if s == 2 else "+" if (x, y) in stars else "." for x, s in enumerate(board[y])]
        line = f"{height - y:2} " + " ".join(cells) + " "
        if last is not None and last < width * height and last // width == y:
            at = 3 + 2 * (last % width)
            line = f"{line[: at - 1]}({line[at]}){line[at + 2 :]}"
        lines.append(f"{line}{height - y:2}")
    return "\n".join([*lines, letters])
