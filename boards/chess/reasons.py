"""Why a move is illegal, in words."""

from sakiyomi.boards.chess.actions import ACTION, ACTIONS, PLANES, TARGET
from sakiyomi.boards.chess.fen import FILES, castling_squares, pieces_by_square, square_name, square_number
from sakiyomi.boards.chess.tables import KING, KNIGHT, PAWN, THROUGH
from sakiyomi.boards.game import States

_NAMES = {"P": "pawn", "N": "knight", "B": "bishop", "R": "rook", "Q": "queen", "K": "king"}


def squares_of(action: int) -> tuple[int, int, int]:
    """Origin and target, as the mover sees them, of an action, and 1 to 3 for a promotion to knight, bishop, rook.

    The target is 64 or more where the plane leads off the board.
    """
    origin, plane = (action // PLANES) ^ 56, action % PLANES
    if plane < 64:
        return origin, int(TARGET[64 * origin + plane]), 0
    side, piece = divmod(plane - 64, 3)
    to = origin + 7 + side
    return origin, to if origin // 8 == 6 and to // 8 == 7 else 64, piece + 1


def why_illegal(states: States, action: int, chess960: bool | None) -> str:
    """The rule that forbids `action` in states[0], an ongoing game.

    Castling is a king's step of two files, in Chess960 one onto his rook; with None no king's move means it.
    """
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


def why_no_san(states: States, letter: str, file: str, rank: str, target: str, became: str) -> str:
    """Why no legal move is the one that SAN tells by piece, file and rank of origin ("" where not told), and target."""
    turn = int(states["turn"][0])
    side, kind, to = ("White", "Black")[turn], letter or "P", square_number(target)
    name = _NAMES[kind]
    if became and (kind != "P" or to // 8 != (0 if turn else 7)):
        return "only a pawn that reaches the last rank promotes"
    told = (
        f" on {file}{rank}" if file and rank else f" on the {file}-file" if file else f" on rank {rank}" if rank else ""
    )
    own = [
        square
        for square, sign in pieces_by_square(states).items()
        if sign == (kind.lower() if turn else kind)
        and file in ("", FILES[square % 8])
        and rank in ("", str(square // 8 + 1))
    ]
    if not own:
        return f"{side} has no {name}{told}"
    reasons = {why_illegal(states, action, None) for square in own if (action := _action(square, to, turn)) < ACTIONS}
    better = sorted(reason for reason in reasons if "cannot go to" not in reason)
    if better:
        return better[0]
    return reasons.pop() if len(own) == len(reasons) == 1 else f"no {name}{told} can go to {target}"


def _action(origin: int, to: int, turn: int) -> int:
    """The action between two real squares, ACTIONS or more if no piece moves so; a pawn becomes a queen."""
    found = int(ACTION[64 * (origin ^ 56 * turn) + (to ^ 56 * turn)])
    return found if found < ACTIONS else ACTIONS * PLANES


def why_no_castling(states: States, short: bool) -> str:
    """Why the player to move may not castle on the king's side (`short`) or the queen's."""
    turn = int(states["turn"][0])
    king = (int(states["kings"][0]) & int(states["own"][0])).bit_length() - 1
    return _why_no_castling(states, ("White", "Black")[turn], king, 7 if short else 0)


def _is_castling(pieces: dict[int, str], origin: int, to: int, chess960: bool | None) -> bool:
    if chess960 is None:
        return False
    return pieces.get(to) == "R" if chess960 else abs(to - origin) == 2


def _why_no_castling(states: States, side: str, origin: int, to: int) -> str:
    """Why the king on `origin` may not castle to the side of `to`, both as the mover sees them."""
    flip = 56 * int(states["turn"][0])
    pieces = {square ^ flip: sign.swapcase() if flip else sign for square, sign in pieces_by_square(states).items()}
    right = to > origin
    rooks = [rook for square in castling_squares(states) if (rook := square ^ flip) < 8 and (rook > origin) == right]
    if not rooks:
        return f"{side} has no right to castle on the {'king' if right else 'queen'}'s side"
    rook, king_to, rook_to = rooks[0], 6 if right else 2, 5 if right else 3
    path = set(_way(origin, king_to)) | set(_way(rook, rook_to))
    for square in sorted(path - {origin, rook}):
        if square in pieces:
            return f"the {_NAMES[pieces[square].upper()]} on {square_name(square ^ flip)} stands between king and rook"
    if _attacked(pieces, origin):
        return f"{side}'s king is in check, and may not castle out of it"
    for square in _way(origin, king_to):
        if _attacked(pieces, square):
            passing = "pass" if square != king_to else "reach"
            return f"{side}'s king would {passing} {square_name(square ^ flip)}, which is attacked"
    return f"{side}'s king would be in check once the rook has left {square_name(rook ^ flip)}"


def _way(origin: int, to: int) -> list[int]:
    """The squares of a rank after `origin` up to `to`."""
    step = 1 if to > origin else -1
    return list(range(origin + step, to + step, step)) if to != origin else []


def _attacked(pieces: dict[int, str], square: int) -> bool:
    """Could the other side, whose pieces are small letters, take a piece on `square`?"""
    theirs = {place ^ 56: sign.swapcase() for place, sign in pieces.items()} | {square ^ 56: "k"}
    return any(sign.isupper() and _reaches(theirs, sign, place, square ^ 56, 0) for place, sign in theirs.items())


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
