"""SFEN, the text of a shogi position in USI (http://hgm.nubati.net/usi.html), read and written.

``lnsgkgsnl/1r5b1/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL b - 1``: ranks a to i, each from file 9 to file 1, White's
pieces in small letters, + for promoted; whose turn it is; the hands; the number of the move.
"""

import re
from collections.abc import Callable

import numpy as np

from sakiyomi.boards.game import BadNotation, States
from sakiyomi.boards.shogi.state import STATE

MAX_NUMBER = 65_536  # of the first move of a game
START = "lnsgkgsnl/1r5b1/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL b - 1"
LETTERS = ".PLNSGBRK"
HAND_ORDER = (7, 6, 5, 4, 3, 2, 1)  # rook first
COUNTS = (0, 18, 4, 4, 4, 4, 2, 2, 2)
"""How many pieces of each kind there are."""
NAMES = ("", "pawn", "lance", "knight", "silver", "gold", "bishop", "rook", "king")


def piece_text(piece: int) -> str:
    """An entry of `mail` as SFEN writes it: "P", "+r", "."."""
    kind = piece & 15
    letter = "+" + LETTERS[kind - 8] if kind > 8 else LETTERS[kind]
    return letter.lower() if piece & 16 else letter


def square_name(square: int) -> str:
    """0 is 1a, 80 is 9i."""
    return f"{square // 9 + 1}{'abcdefghi'[square % 9]}"


def square_number(name: str) -> int:
    """1a is 0, 9i is 80."""
    return 9 * (int(name[0]) - 1) + "abcdefghi".index(name[1])


def write(states: States) -> str:
    """states[0] as SFEN."""
    mail, turn = states["mail"][0], int(states["turn"][0])
    ranks = []
    for rank in range(9):
        row = "".join(piece_text(int(mail[9 * file + rank])) for file in reversed(range(9)))
        ranks.append(re.sub(r"\.+", lambda gap: str(len(gap[0])), row))
    return f"{'/'.join(ranks)} {'bw'[turn]} {write_hands(states)} {int(states['ply'][0]) + 1}"


def hand_counts(states: States) -> list[list[int]]:
    """For Black and White how many pieces of each kind, 0 (none) to 7 (rook), the hand of states[0] holds."""
    return [[0, *(int(word) >> 8 * kind & 0xFF for kind in range(7))] for word in states["hands"][0]]


def write_hands(states: States) -> str:
    """The hands of states[0], "RB2p", or - where both are empty."""
    text = ""
    for side, counts in enumerate(hand_counts(states)):
        for kind in HAND_ORDER:
            if counts[kind]:
                letter = LETTERS[kind].lower() if side else LETTERS[kind]
                text += (str(counts[kind]) if counts[kind] > 1 else "") + letter
    return text or "-"


def read(text: str) -> tuple[dict[int, int], list[list[int]], int, int]:
    """Pieces by square (as in `mail`), both hands by kind, turn and ply. Raises BadNotation for a text that is none."""

    def bad(why: str) -> BadNotation:
        return BadNotation(f"{text!r} is no shogi position: {why}")

    fields = text.split()
    if fields[:1] == ["sfen"]:
        fields = fields[1:]
    if fields == ["startpos"]:
        fields = START.split()
    if not 3 <= len(fields) <= 4:
        raise bad("SFEN has four fields: pieces, b or w, hands, move number")
    if fields[1] not in ("b", "w"):
        raise bad(f"whose turn it is must be b or w, not {fields[1]!r}")
    number = fields[3] if len(fields) == 4 else "1"
    if not re.fullmatch("[0-9]+", number):
        raise bad(f"the move number must be a number, not {number!r}")
    if len(number) > 9 or int(number) > MAX_NUMBER:
        raise bad(f"the move number must be {MAX_NUMBER} or less, not {number[:20]}")
    return _read_pieces(fields[0], bad), _read_hands(fields[2], bad), "bw".index(fields[1]), max(int(number), 1) - 1


def _read_pieces(text: str, bad: Callable[[str], BadNotation]) -> dict[int, int]:
    rows = text.split("/")
    if len(rows) != 9:
        raise bad(f"nine ranks are wanted, there are {len(rows)}")
    pieces = {}
    for rank, row in enumerate(rows):
        file = 9
        for sign in re.findall(r"\+?.", row, re.DOTALL):
            if sign in "123456789":
                file -= int(sign)
                continue
            kind = LETTERS.find(sign[-1].upper(), 1)
            promoted = sign[0] == "+"
            if kind < 1 or (promoted and kind in (5, 8)) or len(sign) > 2:
                raise bad(f"rank {'abcdefghi'[rank]}, {row!r}: {sign!r} is no piece")
            file -= 1
            if file >= 0:
                pieces[9 * file + rank] = kind + 8 * promoted + 16 * sign[-1].islower()
        if file != 0:
            raise bad(f"rank {'abcdefghi'[rank]}, {row!r}, has {9 - file} squares")
    return pieces


def _read_hands(text: str, bad: Callable[[str], BadNotation]) -> list[list[int]]:
    hands = [[0] * 8, [0] * 8]
    if text == "-":
        return hands
    if not re.fullmatch("(?:[0-9]{0,2}[PLNSGBRplnsgbr])+", text):
        raise bad(f"the hands are - or such as RB2p, not {text!r}")
    for count, letter in re.findall("([0-9]*)([A-Za-z])", text):
        if count in ("0", "00"):
            raise bad(f"hands {text!r}: {count}{letter} is nothing")
        hands[letter.islower()][LETTERS.index(letter.upper())] += int(count or 1)
    return hands


def record(pieces: dict[int, int], hands: list[list[int]], turn: int, ply: int) -> States:
    """[1], with boards, hands, turn and ply; the history is for `rules.begin_rows`."""
    states: States = np.zeros(1, STATE)
    boards, sides = [0] * 9, [0, 0]
    for square, piece in pieces.items():
        kind = piece & 15
        board = kind - 1 if kind <= 8 else 4 if kind < 14 else kind - 9
        boards[board] |= 1 << square
        boards[8] |= (kind >= 14) << square
        sides[piece >> 4] |= 1 << square
        states["mail"][0, square] = piece
    low = (1 << 63) - 1
    states["boards"][0] = [(board & low, board >> 63) for board in boards]
    states["sides"][0] = [(board & low, board >> 63) for board in sides]
    states["hands"][0] = [sum(count << 8 * (kind - 1) for kind, count in enumerate(hand) if kind) for hand in hands]
    states["turn"], states["ply"], states["first"] = turn, ply, ply
    return states
