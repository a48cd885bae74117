"""Kernels: from what a text says of a move to the legal move, and what a text must say of a move.

A request (uint32) holds what a text says:

    bits 0-6    the target, SAME for that of the move before
    bits 7-13   the origin; 81 + kind - 1 for a drop; UNKNOWN where the text leaves it to the reader (KI2)
    bits 14-17  the kind of the piece, 0 where it is not named (USI)
    bit 18      PROMOTING: with promotion
    bit 19      AFTER: the kind is that after the move, which tells the promotion (CSA)
    bits 20-26  RIGHT to DROPPED: which of several pieces (KI2)
    bits 27-28  whose move it is: 0 not said, 1 Black's, 2 White's

Right, left, up and down are as the mover sees the board. "Which of several": Japan Shogi Association,
https://www.shogi.or.jp/faq/kihuhyouki.html.
"""

from typing import Any

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.shogi.actions import action_of
from sakiyomi.boards.shogi.attacks import is_attacked, king_square, occupied, square_bit, targets
from sakiyomi.boards.shogi.make import make
from sakiyomi.boards.shogi.movegen import held, list_moves, pawn_drops, piece_on
from sakiyomi.boards.shogi.state import (
    DROP,
    FROM_SHIFT,
    GOLD,
    HANDS,
    HOT,
    KING,
    KNIGHT,
    META,
    MOST_MOVES,
    PAWN,
    PROMOTED,
    PROMOTES,
    ROOK,
    SILVER,
    SQUARE_BITS,
    WORDS,
)

SAME = UNKNOWN = U(127)
KIND_SHIFT, RELATION_SHIFT, SIDE_SHIFT = U(14), U(20), U(27)
PROMOTING, AFTER = U(1 << 18), U(1 << 19)
RIGHT, LEFT, UP, DOWN, SIDEWAYS, STRAIGHT, DROPPED = (U(1 << i) for i in range(7))
DECLINED = U(1 << 7)
"""Of `describe`: a promotion that might have been."""

FAULT_SHIFT = U(16)
ILLEGAL, AMBIGUOUS, WRONG_PIECE, WRONG_SIDE, NO_LAST = (U(i << 16) for i in range(1, 6))
"""In place of a move: no legal one fits; several do; another piece stands there; the other side is to move; "the same
square" with no move before.
"""

_SQUARES, _NINE, _EIGHT, _KIND, _THREE, _RELATIONS = U(81), U(9), U(8), U(15), U(3), U(127)
_MOTIONS = UP | DOWN | SIDEWAYS
_TWO_ROWS = HOT + HOT


@kernel
def forward(side: Any, square: Any) -> Any:
    """The rank as the player sees it, 0 the furthest."""
    return square % _NINE if side == ZERO else _EIGHT - square % _NINE


@kernel
def leftward(side: Any, square: Any) -> Any:
    """The file as the player sees it, 0 the one furthest to the right."""
    return square // _NINE if side == ZERO else _EIGHT - square // _NINE


@kernel
def stuck(kind: Any, side: Any, to: Any) -> Any:
    """Could the piece never move again?"""
    rank = forward(side, to)
    return (rank == ZERO and kind <= KNIGHT) or (rank == ONE and kind == KNIGHT)


@kernel
def may_promote(kind: Any, side: Any, origin: Any, to: Any) -> Any:
    """May a piece of the kind promote on that way?"""
    return kind < KING and kind != GOLD and (forward(side, origin) < _THREE or forward(side, to) < _THREE)


@kernel
def drop_allowed(w: Any, b: Any, side: Any, kind: Any, to: Any) -> Any:
    """May the piece be dropped, but for checks to the own king?"""
    if kind > ROOK or held(w[b + HANDS + side], kind) == ZERO or piece_on(w, b, to) != ZERO or stuck(kind, side, to):
        return False
    if kind != PAWN:
        return True
    bit_lo, bit_hi = square_bit(to)
    lo, hi = occupied(w, b)
    bit_lo, bit_hi = pawn_drops(w, b, side, bit_lo, bit_hi, lo, hi)
    return bit_lo | bit_hi != ZERO


@kernel
def step_allowed(w: Any, b: Any, side: Any, origin: Any, to: Any, promotes: Any) -> Any:
    """May a piece go so, but for checks to the own king?"""
    piece, target = piece_on(w, b, origin), piece_on(w, b, to)
    kind = piece & _KIND
    if piece == ZERO or piece >> 4 != side or (target != ZERO and target >> 4 == side):
        return False
    lo, hi = occupied(w, b)
    t_lo, t_hi = targets(kind, side, origin, lo, hi)
    bit_lo, bit_hi = square_bit(to)
    if (t_lo & bit_lo) | (t_hi & bit_hi) == ZERO:
        return False
    return may_promote(kind, side, origin, to) if promotes else not stuck(kind, side, to)


@kernel
def play_legal(w: Any, b: Any, c: Any, move: Any) -> Any:
    """If `move` is legal in the row at `b`, play it into the row at `c`, another one; else False."""
    side = w[b + META] & ONE
    to, origin = move & SQUARE_BITS, (move >> FROM_SHIFT) & SQUARE_BITS
    promotes = move & PROMOTES != ZERO
    if to >= _SQUARES:
        return False
    if origin >= DROP:
        if promotes or not drop_allowed(w, b, side, origin - DROP + ONE, to):
            return False
    elif not step_allowed(w, b, side, origin, to, promotes):
        return False
    make(w, b, c, move)
    king = king_square(w, c, side)
    if king >= _SQUARES:
        return True
    lo, hi = occupied(w, c)
    return not is_attacked(w, c, king, side ^ ONE, lo, hi)


@kernel
def relation(side: Any, origin: Any, to: Any) -> Any:
    """UP, DOWN or SIDEWAYS, and STRAIGHT for a step straight forward."""
    before, after = forward(side, origin), forward(side, to)
    if after > before:
        return DOWN
    if after == before:
        return SIDEWAYS
    return UP | STRAIGHT if before == after + ONE and origin // _NINE == to // _NINE else UP


@kernel
def find_named(w: Any, b: Any, kind: Any, to: Any, promotes: Any, said: Any, moves: Any) -> Any:
    """The legal move of a piece of `kind` to `to` that `said` tells from the others, or what is wrong."""
    side = w[b + META] & ONE
    drop = to | ((DROP + kind - ONE) << FROM_SHIFT)
    if said & DROPPED != ZERO:
        return drop
    wanted = said & (_MOTIONS | STRAIGHT)
    any_move, any_count, best, best_count, best_place = ILLEGAL, ZERO, AMBIGUOUS, ZERO, ZERO
    can_drop = False
    for m in range(list_moves(w, b, moves, ZERO)):
        move = U(moves[U(m)])
        origin = (move >> FROM_SHIFT) & SQUARE_BITS
        if move & SQUARE_BITS != to:
            continue
        if origin >= DROP:
            can_drop = can_drop or move == drop
            continue
        if piece_on(w, b, origin) & _KIND != kind or (move & PROMOTES != ZERO) != promotes:
            continue
        any_move, any_count = move, any_count + ONE
        if relation(side, origin, to) & wanted != wanted:
            continue
        place = ZERO
        if said & LEFT != ZERO:
            place = leftward(side, origin)
        elif said & RIGHT != ZERO:
            place = _EIGHT - leftward(side, origin)
        if best_count == ZERO or place > best_place:
            best, best_count, best_place = move, ONE, place
        elif place == best_place:
            best_count += ONE
    if any_count <= ONE:
        return drop if any_count == ZERO and can_drop and not promotes else any_move
    return best if best_count == ONE else AMBIGUOUS


@kernel
def find(w: Any, b: Any, c: Any, request: Any, last: Any, moves: Any) -> Any:
    """The legal move that `request` means, played from the row at `b` into the row at `c`, or what is wrong.

    `last` is where the move before went, SAME if there was none.
    """
    side, said = w[b + META] & ONE, request >> SIDE_SHIFT
    to, origin = request & SQUARE_BITS, (request >> FROM_SHIFT) & SQUARE_BITS
    kind, promotes = (request >> KIND_SHIFT) & _KIND, request & PROMOTING != ZERO
    if said != ZERO and said - ONE != side:
        return WRONG_SIDE
    if to == SAME:
        if last == SAME:
            return NO_LAST
        to = last
    if origin == UNKNOWN:
        move = find_named(w, b, kind, to, promotes, (request >> RELATION_SHIFT) & _RELATIONS, moves)
        if move >= ILLEGAL:
            return move
    else:
        if origin < _SQUARES and kind != ZERO:
            piece = piece_on(w, b, origin)
            now = piece & _KIND
            if piece == ZERO or piece >> 4 != side:
                return ILLEGAL
            if request & AFTER != ZERO and kind == now + PROMOTED:
                promotes = True
            elif kind != now:
                return WRONG_PIECE
        move = to | (origin << FROM_SHIFT)
        if promotes:
            move |= PROMOTES
    return move if play_legal(w, b, c, move) else ILLEGAL


@kernel
def describe(w: Any, b: Any, move: Any, moves: Any) -> Any:
    """What a Japanese text says of a legal move: the kind, and << 4 what tells it from others (RIGHT to DECLINED)."""
    side = w[b + META] & ONE
    to, origin = move & SQUARE_BITS, (move >> FROM_SHIFT) & SQUARE_BITS
    kind = origin - DROP + ONE if origin >= DROP else piece_on(w, b, origin) & _KIND
    own = ZERO if origin >= DROP else relation(side, origin, to)
    place = ZERO if origin >= DROP else leftward(side, origin)
    others = alike = more_left = more_right = alike_left = alike_right = ZERO
    for m in range(list_moves(w, b, moves, ZERO)):
        other = U(moves[U(m)])
        start = (other >> FROM_SHIFT) & SQUARE_BITS
        if other & SQUARE_BITS != to or start >= DROP or start == origin:
            continue
        if other & PROMOTES != ZERO and not stuck(kind, side, to):
            continue  # counted where it does not promote
        if piece_on(w, b, start) & _KIND != kind:
            continue
        same = (relation(side, start, to) ^ own) & _MOTIONS == ZERO
        left = leftward(side, start) >= place
        right = leftward(side, start) <= place
        others += ONE
        more_left += U(left)
        more_right += U(right)
        alike += U(same)
        alike_left += U(same and left)
        alike_right += U(same and right)
    if origin >= DROP:
        return kind | (DROPPED << 4 if others != ZERO else ZERO)
    found = DECLINED if move & PROMOTES == ZERO and may_promote(kind, side, origin, to) else ZERO
    gold_like = (kind >= SILVER and kind <= GOLD) or (kind > KING and kind <= SILVER + PROMOTED)
    if others != ZERO:
        if alike == ZERO:
            found |= own & _MOTIONS
        elif own & STRAIGHT != ZERO and gold_like:
            found |= STRAIGHT
        elif more_left == ZERO:
            found |= LEFT
        elif more_right == ZERO:
            found |= RIGHT
        elif alike_left == ZERO:
            found |= LEFT | (own & _MOTIONS)
        else:
            found |= RIGHT | (own & _MOTIONS)
    return kind | (found << 4)


# --- whole games


@kernel
def resolve_rows(
    start: Any,
    stop: Any,
    w: Any,
    lasts: Any,
    firsts: Any,
    requests: Any,
    codes: Any,
    actions: Any,
    played: Any,
    faults: Any,
) -> None:
    """Play the requests ``firsts[i]`` to ``firsts[i + 1]`` - 1 of each row, up to the first that is no legal move.

    `lasts` uint8 [B], where the move before the first went, 127 for none; `firsts` int64 [B + 1], `requests` uint32
    [M], `codes` uint16 [M] (moves, see `state`), `actions` int32 [M], `played` int32 [B], how many were legal; `faults`
    uint8 [B], 0 or ILLEGAL to NO_LAST >> FAULT_SHIFT. The rows of `w` stay as they are.
    """
    memory, room = np.empty(_TWO_ROWS, np.uint64), np.empty(MOST_MOVES, np.uint16)
    w, row, moves = borrow(w), borrow(memory), borrow(room)
    for i in range(start, stop):
        first, b, c = U(i) * WORDS, ZERO, HOT
        for j in range(HOT):
            row[U(j)] = w[first + U(j)]
        last, fault, m = U(lasts[i]), ZERO, firsts[i]
        while m < firsts[i + 1] and fault == ZERO:
            side = row[b + META] & ONE
            move = find(row, b, c, U(requests[m]), last, moves)
            if move >= ILLEGAL:
                fault = move >> FAULT_SHIFT
            else:
                codes[m] = move
                actions[m] = action_of(move, side)
                last = move & SQUARE_BITS
                b, c = c, b
                m += 1
        played[i], faults[i] = m - firsts[i], fault
    memory[ZERO] = ZERO  # last uses, which keep the memory until here
    room[ZERO] = 0


@kernel
def describe_rows(start: Any, stop: Any, w: Any, firsts: Any, codes: Any, words: Any) -> None:
    """`describe` for the legal moves ``firsts[i]`` to ``firsts[i + 1]`` - 1 of each row: `words` uint16 [M]."""
    memory, room = np.empty(HOT, np.uint64), np.empty(MOST_MOVES, np.uint16)
    w, row, moves = borrow(w), borrow(memory), borrow(room)
    for i in range(start, stop):
        first = U(i) * WORDS
        for j in range(HOT):
            row[U(j)] = w[first + U(j)]
        for m in range(firsts[i], firsts[i + 1]):
            words[m] = describe(row, ZERO, U(codes[m]), moves)
            make(row, ZERO, ZERO, U(codes[m]))
    memory[ZERO] = ZERO  # last uses, which keep the memory until here
    room[ZERO] = 0
