"""Why a move is illegal, in words."""

from sakiyomi.boards.chess.fen import castling_squares, pieces_by_square, square_name
from sakiyomi.boards.chess.notation import squares_of
from sakiyomi.boards.chess.tables import KING, KNIGHT, PAWN, THROUGH
from sakiyomi.boards.game import States

_NAMES = {"P": "pawn", "N": "knight", "B": "bishop", "R": "rook", "Q": "queen", "K": "king"}


def why_illegal(states: States, action: int, chess960: bool) -> str:
    """The rule that forbids `action` in states[0], an ongoing game."""
    flip = 56 * int(states["turn"][0])
    side = "Black" if flip else "White"
    origin, to, under = squares_of(action)
    # Seen by the mover: squares turned, his own pieces as capitals.
    pieces = {square ^ flip: sign.swapcase() if flip else sign for square, sign in pieces_by_square(states).items()}
    piece, at = pieces.get(origin, ""), square_name(origin ^ flip)
    if not piece.isupper():
        return f"{side} has no piece on {at}"
    if to >= 64:
        return "the move leads off the board" if not under else "only a pawn one step before the last rank promotes"
    target = square_name(to ^ flip)
    if piece == "K" and origin < 8 and to < 8 and _is_castling(pieces, origin, to, chess960):
        return _why_no_castling(states, side, origin, to)
    if pieces.get(to, "").isupper():
        return f"{side}'s own {_NAMES[pieces[to]]} stands on {target}"
    if under and piece != "P":
        return f"a {_NAMES[piece]} does not promote"
    if not _reaches(pieces, piece, origin, to, int(states["ep"][0])):
        return f"the {_NAMES[piece]} on {at} cannot go to {target}"
    return f"{side}'s king would be in check"


def _is_castling(pieces: dict[int, str], origin: int, to: int, chess960: bool) -> bool:
    return pieces.get(to) == "R" if chess960 else abs(to - origin) == 2


def _why_no_castling(states: States, side: str, origin: int, to: int) -> str:
    flip = 56 * int(states["turn"][0])
    rooks = [square ^ flip for square in castling_squares(states) if (square ^ flip) < 8]
    right = to > origin
    if not any((rook > origin) == right for rook in rooks):
        return f"{side} has no right to castle on the {'king' if right else 'queen'}'s side"
    return "castling needs empty squares between, and the king neither in check nor passing or reaching an attacked one"


def _reaches(pieces: dict[int, str], piece: str, origin: int, to: int, ep: int) -> bool:
    """Could the piece go there, were it not for its king?"""
    dx, dy = abs(to % 8 - origin % 8), to // 8 - origin // 8
    between = int(THROUGH[64 * origin + to]) & ~(1 << to)
    free = not any(between >> square & 1 for square in pieces)
    if piece == "P":
        if dx:
            return bool(int(PAWN[origin]) >> to & 1) and (to in pieces or (ep != 0 and to == ep))
        return free and to not in pieces and (dy == 1 or (dy == 2 and origin // 8 == 1))
    if piece in "NK":
        return bool(int((KNIGHT if piece == "N" else KING)[origin]) >> to & 1)
    straight, diagonal = dx == 0 or dy == 0, dx == abs(dy)
    return free and ((straight and piece in "RQ") or (diagonal and piece in "BQ"))
