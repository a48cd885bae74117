"""Why a move is illegal, in words."""

import numpy as np

from sakiyomi.boards.game import States
from sakiyomi.boards.shogi import rules
from sakiyomi.boards.shogi.sfen import NAMES, hand_counts, square_name
from sakiyomi.boards.shogi.tables import GOLD_STEPS, KING_STEPS, KNIGHT_STEPS, PAWN_STEPS, SILVER_STEPS
from sakiyomi.boards.shogi.usi import action_from, squares_of

KANJI = ("", "歩", "香", "桂", "銀", "金", "角", "飛", "玉", "と", "成香", "成桂", "成銀", "", "馬", "龍")
"""Names of pieces by kind, as in `mail`."""
_STEPS = {1: PAWN_STEPS, 3: KNIGHT_STEPS, 4: SILVER_STEPS, 5: GOLD_STEPS, 8: KING_STEPS}
_STEPS |= dict.fromkeys((9, 10, 11, 12), GOLD_STEPS)


def why_illegal(states: States, action: int) -> str:
    """The rule that forbids `action` in states[0], an ongoing game."""
    turn = int(states["turn"][0])
    origin, to, promotes = squares_of(action, turn)
    mail = [int(piece) for piece in states["mail"][0]]
    side = ("Black", "White")[turn]
    if origin >= 81:
        return _why_no_drop(states, mail, side, turn, origin - 80, to)
    piece = mail[origin]
    kind, at = piece & 15, square_name(origin)
    if not piece or piece >> 4 != turn:
        return f"{side} has no piece on {at}"
    if to >= 81:
        return "the move leads off the board"
    name = _name(kind)
    if mail[to] and mail[to] >> 4 == turn:
        return f"{side}'s own {_name(mail[to] & 15)} stands on {square_name(to)}"
    if not _reaches(mail, kind, turn, origin, to):
        return f"the {name} on {at} cannot go to {square_name(to)}"
    if promotes and (kind > 8 or kind in (5, 8)):
        return f"a {name} does not promote"
    if promotes and _rank(origin, turn) > 2 and _rank(to, turn) > 2:
        return "a piece promotes only when it enters, leaves or moves within the three furthest ranks"
    if not promotes and _rank(to, turn) < _ranks_without(kind):
        return f"a {name} on {square_name(to)} could never move again: it must promote"
    return f"{side}'s king would be in check"


def why_none(states: States, kind: int, to: int, promotes: bool) -> str:
    """The rule that keeps every piece of a kind of the player to move in states[0], on the board or held, from `to`."""
    turn, mail = int(states["turn"][0]), [int(piece) for piece in states["mail"][0, :81]]
    for origin in (square for square in range(81) if mail[square] == kind + 16 * turn):
        action = action_from(origin, to, promotes, turn)
        if action is not None and "cannot go" not in (why := why_illegal(states, action)):
            return why
    if kind < 8 and not promotes and hand_counts(states)[turn][kind]:
        action = action_from(80 + kind, to, False, turn)
        if action is not None:
            return why_illegal(states, action)
    return f"no {_name(kind)} ({KANJI[kind]}) can go to {square_name(to)}"


def _why_no_drop(states: States, mail: list[int], side: str, turn: int, kind: int, to: int) -> str:
    if not hand_counts(states)[turn][kind]:
        return f"{side} has no {NAMES[kind]} in hand"
    if mail[to]:
        return f"{square_name(to)} is occupied"
    if _rank(to, turn) < _ranks_without(kind):
        return f"a {NAMES[kind]} dropped on {square_name(to)} could never move"
    if kind == 1 and any(mail[9 * (to // 9) + rank] == 1 + 16 * turn for rank in range(9)):
        return f"{side} has a pawn on file {to // 9 + 1} already (nifu)"
    count, check = np.empty(1, np.int32), np.empty(1, np.bool_)
    rules.status_rows(0, 1, states.view(np.uint64), count, check)
    king = mail[to - 1 + 2 * turn] == 8 + 16 * (1 - turn) if 0 <= to - 1 + 2 * turn < 81 else False
    if kind == 1 and king and (not check[0] or count[0]):
        return "a dropped pawn must not give mate (uchifuzume)"
    return f"{side}'s king would be in check"


def _name(kind: int) -> str:
    if kind > 8:
        return {14: "horse", 15: "dragon"}.get(kind) or f"promoted {NAMES[kind - 8]}"
    return NAMES[kind]


def _rank(square: int, turn: int) -> int:
    """0 the furthest rank of the mover."""
    return 8 - square % 9 if turn else square % 9


def _ranks_without(kind: int) -> int:
    """On how many of the furthest ranks a piece could not move."""
    return {1: 1, 2: 1, 3: 2}.get(kind, 0)


def _reaches(mail: list[int], kind: int, turn: int, origin: int, to: int) -> bool:
    """Could the piece go there, were it not for its king?"""
    sign = -1 if turn else 1
    dx, dy = sign * (to // 9 - origin // 9), sign * (to % 9 - origin % 9)
    if (dx, dy) in _STEPS.get(kind, KING_STEPS if kind > 13 else []):
        return True
    straight, diagonal = (dx == 0) != (dy == 0), abs(dx) == abs(dy) != 0
    ways = {2: dx == 0 and dy < 0, 6: diagonal, 14: diagonal, 7: straight, 15: straight}
    if not ways.get(kind, False):
        return False
    far = max(abs(dx), abs(dy))
    step = (to - origin) // far
    return not any(mail[origin + step * i] for i in range(1, far))
