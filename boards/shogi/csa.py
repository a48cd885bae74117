"""CSA texts of moves, "+7776FU", "-0055KA", and of positions, lines "P1-KY-KE..." (V3.0, computer-shogi.org).

Squares are file and rank as digits, 00 the hand; the piece is named as it is after the move.
"""

import re

from sakiyomi.boards.game import BadNotation, States
from sakiyomi.boards.shogi import sfen
from sakiyomi.boards.shogi.usi import action_from, squares_of

NAMES = ("", "FU", "KY", "KE", "GI", "KI", "KA", "HI", "OU", "TO", "NY", "NK", "NG", "", "UM", "RY")
"""By kind, as in `mail`."""
KINDS = {name: kind for kind, name in enumerate(NAMES) if name}
MOVE = re.compile(r"([+-]?)([0-9])([0-9])([1-9])([1-9])([A-Z]{2})")
_PIECE = re.compile(r"([0-9]{2})([A-Z]{2})")
_IN_HAND = (7, 6, 5, 4, 3, 2, 1)


def square_digits(square: int) -> str:
    """0 is "11", 80 is "99"."""
    return f"{square // 9 + 1}{square % 9 + 1}"


def move_text(states: States, action: int) -> str:
    """The action in states[0] as CSA: "+7776FU"."""
    turn = int(states["turn"][0])
    origin, to, promotes = squares_of(action, turn)
    if to >= 81:
        raise ValueError(f"action {action} leads off the board")
    if origin >= 81:
        return f"{'+-'[turn]}00{square_digits(to)}{NAMES[origin - 80]}"
    kind = int(states["mail"][0, origin]) & 15
    name = NAMES[kind + 8 if promotes and kind < 8 and kind != 5 else kind] or "??"
    return f"{'+-'[turn]}{square_digits(origin)}{square_digits(to)}{name}"


def parse(states: States, text: str) -> int | None:
    """The action that a CSA text names in states[0]; None if it is not one of CSA. Raises BadNotation."""
    match = MOVE.fullmatch(text.strip())
    if match is None:
        return None
    turn = int(states["turn"][0])

    def bad(why: str) -> BadNotation:
        return BadNotation(f"{text!r} in {sfen.write(states)}: {why}")

    sign, x, y, to_x, to_y, name = match.groups()
    kind, to = KINDS.get(name), 9 * (int(to_x) - 1) + int(to_y) - 1
    if kind is None:
        raise bad(f"{name} is no piece of CSA's ({', '.join(KINDS)})")
    if sign and "+-".index(sign) != turn:
        raise bad(f"it is {('Black', 'White')[turn]}'s turn ({'+-'[turn]})")
    if x == y == "0":
        if kind > 7:
            raise bad(f"{name} cannot be dropped")
        return action_from(80 + kind, to, False, turn)
    if "0" in (x, y):
        raise bad("squares are 11 to 99, the hand is 00")
    origin = 9 * (int(x) - 1) + int(y) - 1
    now = int(states["mail"][0, origin]) & 15
    if kind not in (now, now + 8) or not now:
        raise bad(f"{NAMES[now] or 'no piece'} stands on {x}{y}, which cannot become {name}")
    action = action_from(origin, to, kind == now + 8, turn)
    if action is None:
        raise bad(f"no piece moves from {x}{y} to {to_x}{to_y}")
    return action


def position_lines(states: States) -> list[str]:
    """states[0]: the nine ranks, the hands that hold something, and whose turn it is."""
    mail, lines = states["mail"][0], []
    for rank in range(9):
        pieces = (int(mail[9 * file + rank]) for file in reversed(range(9)))
        cells = (f"{'-' if piece & 16 else '+'}{NAMES[piece & 15]}" if piece else " * " for piece in pieces)
        lines.append(f"P{rank + 1}{''.join(cells)}")
    for sign, counts in zip("+-", sfen.hand_counts(states), strict=True):
        held = "".join(f"00{NAMES[kind]}" * counts[kind] for kind in _IN_HAND)
        if held:
            lines.append(f"P{sign}{held}")
    return [*lines, "+-"[int(states["turn"][0])]]


def read_position(lines: list[str]) -> States:
    """[1] from lines that begin with P, and the line + or -; + without it.

    ``PI`` with the pieces taken off behind it, ``P1`` to ``P9``, ``P+`` and ``P-`` with pieces on squares or in hand
    (00), AL for all that are left. The history is not begun. Raises BadNotation.
    """
    pieces: dict[int, int] = {}
    hands = [[0] * 8, [0] * 8]
    turn = 0
    for line in lines:
        if line in ("+", "-"):
            turn = "+-".index(line)
        elif line.startswith("PI"):
            pieces = _even_but(line)
        elif line[1:2] in ("+", "-"):
            _put(line, pieces, hands)
        else:
            _read_rank(line, pieces)
    return sfen.record(pieces, hands, turn, 0)


def _even_but(line: str) -> dict[int, int]:
    """The even start without the pieces that the line names."""
    pieces = sfen.read(sfen.START)[0]
    for square, kind in _named(line):
        if pieces.get(square, 0) & 15 != kind:
            raise BadNotation(f"{line!r}: no {NAMES[kind]} stands on {square_digits(square)}")
        del pieces[square]
    return pieces


def _named(line: str) -> list[tuple[int, int]]:
    """Squares (-1 for the hand) and kinds (0 for AL) of what follows the first two letters."""
    found = []
    text = line[2:].strip()
    if len(text) % 4 or not all(_PIECE.fullmatch(text, at, at + 4) for at in range(0, len(text), 4)):
        raise BadNotation(f"{line!r}: squares and pieces such as 55KA00FU are wanted")
    for digits, name in _PIECE.findall(text):
        if name not in KINDS and (digits, name) != ("00", "AL"):
            raise BadNotation(f"{line!r}: {name} is no piece of CSA's ({', '.join(KINDS)})")
        if digits != "00" and "0" in digits:
            raise BadNotation(f"{line!r}: {digits} is no square")
        square = -1 if digits == "00" else 9 * (int(digits[0]) - 1) + int(digits[1]) - 1
        found.append((square, KINDS.get(name, 0)))
    return found


def _put(line: str, pieces: dict[int, int], hands: list[list[int]]) -> None:
    side = "+-".index(line[1])
    for square, kind in _named(line):
        if square >= 0:
            pieces[square] = kind + 16 * side
        elif kind > 7:
            raise BadNotation(f"{line!r}: {NAMES[kind]} cannot be in hand")
        elif kind:
            hands[side][kind] += 1
        else:
            for left in _IN_HAND:
                used = sum(piece & 15 in (left, left + 8) for piece in pieces.values())
                hands[side][left] = max(sfen.COUNTS[left] - used - hands[1 - side][left], 0)


def _read_rank(line: str, pieces: dict[int, int]) -> None:
    """A line P1 to P9: nine cells of three letters, " * " for an empty one; spaces may have been lost."""
    cells = re.findall(r"[+-][A-Z]{2}|\*", line[2:])
    if not re.fullmatch("[1-9]", line[1:2]) or len(cells) != 9:
        raise BadNotation(f"{line!r}: P1 to P9 have nine squares each, such as +FU, -FU and ' * '")
    for file, cell in zip(reversed(range(9)), cells, strict=True):
        square = 9 * file + int(line[1]) - 1
        if cell == "*":
            pieces.pop(square, None)
            continue
        if cell[1:] not in KINDS:
            raise BadNotation(f"{line!r}: {cell[1:]} is no piece of CSA's ({', '.join(KINDS)})")
        pieces[square] = KINDS[cell[1:]] + 16 * (cell[0] == "-")
