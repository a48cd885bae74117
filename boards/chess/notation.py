"""Moves as text: UCI, and SAN written strictly and read liberally.

SAN as read may lack or have too much of what only helps the reader: captures without x, needless origins (Ng1f3,
Ng1-f3, e2-e4), promotions as e8Q, e8=Q, e8(Q), castling with zeros, signs of check, mate, e.p. and annotation (!?).
Figurines are read as the letters, and all dashes are alike. What must be there is what tells the move from all other
legal ones.
"""

import re

import numpy as np

from sakiyomi.boards.chess import rules
from sakiyomi.boards.chess.actions import ACTION, ACTIONS, PLANES
from sakiyomi.boards.chess.fen import FILES, pieces_by_square, square_name, square_number, write
from sakiyomi.boards.chess.reasons import squares_of, why_no_castling, why_no_san
from sakiyomi.boards.chess.state import CASTLE, EN_PASSANT, MOST_MOVES, TO_KNIGHT
from sakiyomi.boards.game import BadNotation, IllegalMove, States

_TO = r"[x:×-]?([a-h][1-8])(?:=|/|\()?([NBRQnbrq]?)\)?(?: ?e\.?p\.?)?"
_UCI = re.compile("([a-h][1-8])" + _TO)  # with both squares, whatever stands between them
_SAN = re.compile("([NBRQKP]?)([a-h]?)([1-8]?)" + _TO)
_PLAIN = str.maketrans("♔♕♖♗♘♙♚♛♜♝♞♟‐‑‒–—―−", "KQRBNPKQRBNP-------")
_ASSESSMENTS = ("+/-", "+/=", "+-", "+=")
_CASTLE_SHORT, _CASTLE_LONG = re.compile("[O0o]-?[O0o]"), re.compile("[O0o]-?[O0o]-?[O0o]")


def moves(states: States) -> list[int]:
    """The legal moves of states[0], whether a rule has ended the game or not, as 16-bit words (see `state`)."""
    found, counts = np.empty(MOST_MOVES, np.uint16), np.empty(1, np.int32)
    rules.moves_rows(0, 1, states.view(np.uint64), found, counts)
    return [int(move) for move in found[: counts[0]]]


def action_of(move: int, chess960: bool) -> int:
    """The action of a move."""
    origin, to, flag = move & 63, move >> 6 & 63, move >> 12
    if TO_KNIGHT <= flag < TO_KNIGHT + 3:
        return (origin ^ 56) * PLANES + 64 + 3 * (to - origin - 7) + flag - int(TO_KNIGHT)
    if flag == CASTLE and not chess960:
        to = origin + 2 if to > origin else origin - 2
    return int(ACTION[64 * origin + to])


def uci(states: States, action: int) -> str:
    """The action as UCI, "e7e8q"; castling as the king's two squares, in Chess960 as the king's move onto his rook.

    An action that leads off the board is written as from its square to "--".
    """
    flip = 56 * int(states["turn"][0])
    origin, to, under = squares_of(action)
    if to >= 64:
        return square_name(origin ^ flip) + "--"
    pawn = int(states["pawns"][0]) >> origin & 1
    suffix = " nbr"[under] if under else "q" if pawn and to >= 56 else ""
    return square_name(origin ^ flip) + square_name(to ^ flip) + suffix


def parse(states: States, text: str, chess960: bool) -> int:
    """The action that a UCI or SAN text names. Raises BadNotation; or IllegalMove for SAN that fits no legal move."""
    move = text.strip()
    if match := _UCI.fullmatch(_without_signs(move)):
        return _parse_uci(states, move, match, chess960)
    return action_of(parse_san(states, move), chess960)


def _parse_uci(states: States, text: str, match: re.Match[str], chess960: bool) -> int:
    flip = 56 * int(states["turn"][0])
    origin, to = square_number(match[1]) ^ flip, square_number(match[2]) ^ flip
    pawn = int(states["pawns"][0]) >> origin & 1
    if pawn and origin // 8 == 6 and to // 8 == 7:
        if not match[3]:
            raise BadNotation(f"{text!r} in {write(states)}: which piece does the pawn become, {text}q, r, b or n?")
        if abs(to - origin - 8) <= 1 and (under := "nbrq".index(match[3].lower())) < 3:
            return (origin ^ 56) * PLANES + 64 + 3 * (to - origin - 7) + under
    elif match[3]:
        raise BadNotation(f"{text!r} in {write(states)}: only a pawn that reaches the last rank becomes a piece")
    own, castling = int(states["own"][0]), int(states["castling"][0])
    if int(states["kings"][0]) & own & 1 << origin and origin < 8 and to < 8:
        onto_rook = castling >> to & 1
        if not chess960 and onto_rook:
            to = origin + 2 if to > origin else origin - 2
        elif chess960 and abs(to - origin) > 1 and not onto_rook and to in (2, 6):
            rooks = [rook for rook in range(8) if castling >> rook & 1 and (rook > origin) == (to > origin)]
            to = rooks[0] if rooks else to
    action = int(ACTION[64 * origin + to])
    if action == ACTIONS:
        raise BadNotation(f"{text!r} in {write(states)}: no piece moves from {match[1]} to {match[2]}")
    return action


def _without_signs(text: str) -> str:
    """A move's text in ASCII, without the signs of check, mate, annotation and assessment behind it."""
    plain = text.strip().translate(_PLAIN)
    for sign in _ASSESSMENTS:
        plain = plain.removesuffix(sign)
    return plain.rstrip("+#!?").rstrip()


def parse_san(states: States, text: str) -> int:
    """The legal move (16 bits) that a SAN text names. Raises BadNotation or IllegalMove."""
    plain = _without_signs(text)
    short, long = _CASTLE_SHORT.fullmatch(plain), _CASTLE_LONG.fullmatch(plain)
    match = _SAN.fullmatch(plain)
    if short or long:
        found = [m for m in moves(states) if m >> 12 == CASTLE and ((m >> 6 & 63) > (m & 63)) == bool(short)]
    elif match:
        found = _fitting(states, *match.groups())
    else:
        shown = text if len(text) <= 40 else text[:37] + "..."
        wanted = "SAN such as Nf3, exd5, e8=Q, O-O or UCI such as e2e4"
        raise BadNotation(f"{shown!r} is no move in {write(states)}: {wanted} is wanted")
    if not found:
        why = why_no_san(states, *match.groups()) if match else why_no_castling(states, bool(short))
        raise IllegalMove(f"illegal move {text} in {write(states)}: {why}")
    if len(found) > 1:
        choices = ", ".join(sorted(san(states, move) for move in found))
        raise BadNotation(f"{text!r} in {write(states)} is ambiguous: {choices}")
    return found[0]


def _fitting(states: States, letter: str, file: str, rank: str, target: str, became: str) -> list[int]:
    """The legal moves that SAN's parts fit, "" standing for one that is not told."""
    flip = 56 * int(states["turn"][0])
    pieces = pieces_by_square(states)
    found = []
    for move in moves(states):
        origin, to, flag = move & 63 ^ flip, move >> 6 & 63 ^ flip, move >> 12
        promoted = "NBRQ"[flag - int(TO_KNIGHT)] if flag >= TO_KNIGHT else ""
        if (
            flag != CASTLE
            and pieces[origin].upper() == (letter or "P")
            and square_name(to) == target
            and file in ("", FILES[origin % 8])
            and rank in ("", str(origin // 8 + 1))
            and became.upper() in ("", promoted)
        ):
            found.append(move)
    return found


def san(states: States, move: int) -> str:
    """A legal move (16 bits) of states[0] in strict SAN."""
    return _written(states, move) + _check_sign(states, move)


def _written(states: States, move: int) -> str:
    """Without the sign of check."""
    flip = 56 * int(states["turn"][0])
    origin, to, flag = move & 63 ^ flip, move >> 6 & 63 ^ flip, move >> 12
    if flag == CASTLE:
        return "O-O" if to > origin else "O-O-O"
    pieces = pieces_by_square(states)
    letter, target = pieces[origin].upper(), square_name(to)
    takes = "x" if to in pieces or flag == EN_PASSANT else ""
    if letter == "P":
        promotion = "=" + "NBRQ"[flag - int(TO_KNIGHT)] if flag >= TO_KNIGHT else ""
        return (FILES[origin % 8] if takes else "") + takes + target + promotion
    rivals = [
        other & 63 ^ flip
        for other in moves(states)
        if other >> 6 & 63 == move >> 6 & 63 and other & 63 != move & 63 and other >> 12 != CASTLE
    ]
    rivals = [square for square in rivals if pieces[square].upper() == letter]
    file = FILES[origin % 8] if rivals else ""
    rank = ""
    if any(square % 8 == origin % 8 for square in rivals):
        rank = str(origin // 8 + 1)
        if not any(square // 8 == origin // 8 for square in rivals):
            file = ""
    return letter + file + rank + takes + target


def _check_sign(states: States, move: int) -> str:
    after = states.copy()
    count, check = np.empty(1, np.int32), np.empty(1, np.bool_)
    rules.make_rows(0, 1, after.view(np.uint64), np.array([move], np.uint16))
    rules.status_rows(0, 1, after.view(np.uint64), count, check)
    return "" if not check[0] else "+" if count[0] else "#"
