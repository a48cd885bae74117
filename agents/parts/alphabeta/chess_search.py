"""Alpha-beta search of chess positions on flat arrays: principal variation search with a transposition table.

A. Reinefeld, "An improvement to the Scout tree search algorithm", 1983; late moves are searched less deep, and left out
near the leaves where the evaluation leaves no hope (E. Heinz, "Extended futility pruning", 1998); chessprogramming.org
for the rest. There is no null move: with one, this search scored 253 points in 500 games against itself without, at
4,000 to 20,000 positions a move. Values are centipawns for the player to move; MATE less the plies to it for a forced
mate.

The workspace, made by `chess_thinking`:

    w        uint64 [PLIES * 16]   a row for each ply: the nine words of `boards.chess.state`, then PAIR.. below
    line     uint64                keys of the game since the last irreversible move, then of the path searched
    moves    uint16, ranks int32   move lists of all plies, one behind the other, and how early to try each
    history  int32 [2 * 4096]      how well quiet moves did, by player, origin and target
    table    uint64 [4 * buckets]  see `search_table`
    plays, control                 see `search_nodes`
"""

import numpy as np

from sakiyomi.agents.parts.alphabeta.chess_captures import NO_PIECE, WORTH, list_captures, taken
from sakiyomi.agents.parts.alphabeta.chess_evaluation import blend, gain, phase, sum_pairs
from sakiyomi.agents.parts.alphabeta.chess_ordering import KILLER_RANK, credit, pick, rank_moves
from sakiyomi.agents.parts.alphabeta.nodes import (
    AGE,
    BASE,
    DELTA,
    EXCHANGES,
    EXTENSION,
    FEATURES,
    FUTILITY,
    INFINITE,
    PLIES,
    QUIESCENCE,
    REDUCTIONS,
    ROOT_DONE,
    STOP,
    TABLE,
    count_node,
    reduction,
    remember_play,
    settles,
)
from sakiyomi.agents.parts.alphabeta.table import EXACT, LOWER, MATE, MOVE_BITS, UPPER, WON, probe, store, value_of
from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.chess.make import make
from sakiyomi.boards.chess.perft import count_row, list_row
from sakiyomi.boards.chess.rules import clock, in_check, insufficient_material
from sakiyomi.boards.chess.state import KEY, TO_KNIGHT
from sakiyomi.boards.kernel import kernel

# Words of a row behind those of the rules.
ROW = U(16)
PAIR = U(9)  # see `chess_evaluation`; 10 and 11 are `chess_ordering`'s

_TWO, _FOUR, _TWELVE = U(2), U(4), U(12)
_FIFTY_MOVES, _CLOCK_NEAR = U(100), U(90)  # plies; near the rule the table's values do not hold
_DELTA_MARGIN = 150


@kernel
def evaluate(w, here):
    """The value of a row by its pieces and squares."""
    return blend(np.int64(w[here + PAIR]), phase(w, here))


@kernel
def advance(w, line, here, move, at):
    """Play `move` from the row at `here` to the next; `at` is the place of the new key in `line`."""
    there = here + ROW
    pair = np.int64(w[here + PAIR]) + gain(w, here, move)
    make(w, here, there, move)
    w[there + PAIR] = U(-pair)
    line[at] = w[there + KEY]


@kernel
def repeated(w, line, here, at):
    """Has the position at `here`, whose key is ``line[at]``, occurred before, in the game or on the path?"""
    back, most = _FOUR, min(clock(w, here), at)
    while back <= most:
        if line[at - back] == w[here + KEY]:
            return True
        back += _TWO
    return False


@kernel
def quiesce(w, moves, ranks, history, control, ply, first, alpha, beta):
    """The value once no capture pays any more: the player may take, promote, or be content with what he has.

    In check he may play anything. Draws by rule but for lack of material are left aside.
    """
    here = ply * ROW
    if insufficient_material(w, here):
        return 0
    if ply >= U(PLIES - 2):
        return evaluate(w, here)
    features = control[FEATURES]
    exchanges = features & EXCHANGES != 0
    checked = in_check(w, here)
    best = -INFINITE
    stand = -INFINITE
    if checked:
        end = list_row(w, here, moves, first)
        if end == first:
            return np.int64(ply) - MATE
    else:
        stand = evaluate(w, here)
        best = stand
        if best >= beta:
            return best
        alpha = max(alpha, best)
        end = list_captures(w, here, moves, first)
    rank_moves(w, here, moves, ranks, history, first, end, ZERO)
    there = here + ROW
    i = first
    while i < end:
        move = pick(w, here, moves, ranks, i, end, exchanges)
        if not checked:
            if exchanges and ranks[i] < 0:
                break
            if features & DELTA != 0 and move >> _TWELVE < TO_KNIGHT:
                hoped = stand + WORTH[taken(w, here, move)] + _DELTA_MARGIN
                if hoped <= alpha:
                    best = max(best, hoped)
                    i += ONE
                    continue
        if count_node(control):
            return 0
        w[there + PAIR] = U(-(np.int64(w[here + PAIR]) + gain(w, here, move)))
        make(w, here, there, move)
        value = -quiesce(w, moves, ranks, history, control, ply + ONE, end, -beta, -alpha)
        if control[STOP] != 0:
            return 0
        if value > best:
            best = value
            if value >= beta:
                break
            alpha = max(alpha, value)
        i += ONE
    return best


@kernel
def drawn(w, line, here, at, checked):
    """Is the position drawn by lack of material, by repetition, or by the fifty-move rule, which mate precedes?"""
    if insufficient_material(w, here) or repeated(w, line, here, at):
        return True
    return clock(w, here) >= _FIFTY_MOVES and not (checked and count_row(w, here) == ZERO)


@kernel
def search(memory, ply, first, depth, alpha, beta):
    """The value of the position at `ply`, which is exact between `alpha` and `beta` and else a bound; 0 if stopped.

    `memory` is the workspace from `w` to `control`, `first` the index in `moves` from which on there is room. (One
    function that calls itself: two that call each other crash when they come from Numba's cache.)
    """
    w, line, moves, ranks, history, plays, table, control = memory
    here = ply * ROW
    plays[ply * U(PLIES)] = 0
    if count_node(control):
        return np.int64(0)
    features = control[FEATURES]
    at = U(control[BASE]) + ply
    checked = in_check(w, here)
    if drawn(w, line, here, at, checked):
        return np.int64(0)
    if checked and features & EXTENSION != 0:
        depth += 1
    if ply >= U(PLIES - 2):
        return evaluate(w, here)
    if depth <= 0:
        if features & QUIESCENCE != 0:
            return quiesce(w, moves, ranks, history, control, ply, first, alpha, beta)
        return evaluate(w, here)
    alpha = max(alpha, np.int64(ply) - MATE)
    beta = min(beta, MATE - np.int64(ply) - 1)
    if alpha >= beta:
        return alpha
    wide = beta - alpha > 1
    key = w[here + KEY]
    entry = probe(table, key) if features & TABLE != 0 else ZERO
    if not wide and settles(entry, ply, depth, alpha, beta) and clock(w, here) < _CLOCK_NEAR:
        return value_of(entry, ply)
    hash_move = entry & MOVE_BITS
    static = evaluate(w, here)
    futile = features & FUTILITY != 0 and not wide and not checked
    if futile and depth <= 6 and static - 80 * depth >= beta and beta > -WON:
        return static
    if features & REDUCTIONS != 0 and depth >= 4 and hash_move == ZERO:
        depth -= 1  # without a move to begin with, a cheaper search first finds one for the next time
    end = list_row(w, here, moves, first)
    if end == first:
        return np.int64(ply) - MATE if checked else np.int64(0)
    rank_moves(w, here, moves, ranks, history, first, end, hash_move)
    best = np.int64(-INFINITE)
    best_move = ZERO
    bound = UPPER
    exchanges = features & EXCHANGES != 0
    number = 0
    i = first
    while i < end:
        move = pick(w, here, moves, ranks, i, end, exchanges)
        quiet = move >> _TWELVE < TO_KNIGHT and taken(w, here, move) == NO_PIECE
        number += 1
        if futile and quiet and best > -WON:
            late = depth <= 4 and number > 4 + 3 * depth * depth
            if late or (depth <= 5 and static + 90 + 90 * depth <= alpha):
                i += ONE
                continue
        advance(w, line, here, move, at + ONE)
        less = np.int64(0)
        if features & REDUCTIONS != 0 and depth >= 3 and number > 1 and quiet and not checked:
            less = reduction(depth, number, wide or ranks[i] >= KILLER_RANK)
        value = alpha + 1
        if number > 1:
            value = -search(memory, ply + ONE, end, depth - 1 - less, -alpha - 1, -alpha)
            if value > alpha and less > 0:
                value = -search(memory, ply + ONE, end, depth - 1, -alpha - 1, -alpha)
        if value > alpha and (wide or number == 1):
            value = -search(memory, ply + ONE, end, depth - 1, -beta, -alpha)
        if control[STOP] != 0:
            return np.int64(0)
        if value > best:
            best = value
            if value > alpha:
                best_move = move
                alpha = value
                bound = EXACT
                if wide:
                    remember_play(plays, ply, move)
                if value >= beta:
                    bound = LOWER
                    if quiet:
                        credit(w, here, moves, history, first, i, depth)
                    break
        i += ONE
    if features & TABLE != 0:
        store(table, key, best_move if best_move != ZERO else hash_move, depth, bound, best, ply, U(control[AGE]))
    return best


@kernel
def search_root(w, line, moves, ranks, history, plays, table, control, choices, bonus, depth, alpha, beta):
    """The value of the best of `choices` (uint16, legal moves) in the row at 0, looking `depth` plies ahead.

    Each has a little `bonus` (int64) on top, so that equals are not always chosen alike; forced mates have none. The
    expected play is then in `plays`, and ``control[ROOT_DONE]`` is how many choices were searched to their end.
    """
    w, line, moves, ranks, history = borrow(w), borrow(line), borrow(moves), borrow(ranks), borrow(history)
    plays, table, control = borrow(plays), borrow(table), borrow(control)
    memory = (w, line, moves, ranks, history, plays, table, control)
    at = U(control[BASE]) + ONE
    w[PAIR] = U(sum_pairs(w, ZERO))
    control[ROOT_DONE] = 0
    plays[ZERO] = 0
    best = np.int64(-INFINITE)
    for i in range(len(choices)):
        move, extra = U(choices[i]), bonus[i]
        advance(w, line, ZERO, move, at)
        low, high = alpha - extra, beta - extra
        value = low + 1
        if i > 0:
            value = -search(memory, ONE, ZERO, depth - 1, -low - 1, -low)
        if value > low:
            value = -search(memory, ONE, ZERO, depth - 1, -high, -low)
        if control[STOP] != 0:
            break
        control[ROOT_DONE] += 1
        if value < WON and value > -WON:
            value += extra
        if value > best:
            best = value
            if value > alpha or i == 0:
                alpha = max(alpha, value)
                remember_play(plays, ZERO, move)
            if value >= beta:
                break
    return best
