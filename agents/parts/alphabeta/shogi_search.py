"""Alpha-beta search of shogi positions on flat arrays: principal variation search with a transposition table.

A. Reinefeld, "An improvement to the Scout tree search algorithm", 1983; late moves are searched less deep, and left out
near the leaves where the evaluation leaves no hope (E. Heinz, "Extended futility pruning", 1998); chessprogramming.org
for the rest. Values are points for the player to move; MATE less the plies to it for a forced mate.

The workspace, made by `shogi_thinking`:

    w        uint64 [PLIES * 40]   a row for each ply: the 37 words of `boards.shogi.state`, then PAIR.. below
    line     uint64                pairs, the key and whether the player to move is in check, of each position of the
                                   game, then of the path searched
    moves    uint16, ranks int32   move lists of all plies, one behind the other, and how early to try each
    history  int32 [2 * 32 * 128]  how well quiet moves did, see `shogi_ordering`
    table    uint64 [4 * buckets]  see `search_table`
    plays, control                 see `search_nodes`; the words of `control` of our own are LEFT and CLAIM
"""

import numpy as np

from sakiyomi.agents.parts.alphabeta.nodes import (
    AGE,
    BASE,
    DELTA,
    EXCHANGES,
    EXTENSION,
    FEATURES,
    FUTILITY,
    INFINITE,
    OWN_WORDS,
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
from sakiyomi.agents.parts.alphabeta.shogi_captures import PROMOTION, WORTH, is_quiet, list_captures, mover, taken
from sakiyomi.agents.parts.alphabeta.shogi_evaluation import blend, gain, phase, sum_pairs
from sakiyomi.agents.parts.alphabeta.shogi_ordering import CAPTURE_RANK, KILLER_RANK, credit, pick, rank_moves
from sakiyomi.agents.parts.alphabeta.table import EXACT, LOWER, MATE, MOVE_BITS, UPPER, WON, probe, store, value_of
from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.shogi.attacks import king_square, square_bit
from sakiyomi.boards.shogi.make import make
from sakiyomi.boards.shogi.movegen import count_moves, list_moves
from sakiyomi.boards.shogi.rules import DECLARED_WIN, declaration, in_check
from sakiyomi.boards.shogi.state import KEY, KING, META, PROMOTES
from sakiyomi.boards.shogi.tables import ZONE

# Words of a row behind those of the rules.
ROW = U(40)
PAIR = U(37)  # see `shogi_evaluation`; 38 and 39 are `shogi_ordering`'s

# Words of `control`: how many plies the game may still last, and the rule of declaration, 0 for none.
LEFT, CLAIM = OWN_WORDS, OWN_WORDS + 1
RULE_27, RULE_24 = 1, 2

NEW, DRAWN, WINS, LOSES = 0, 1, 2, 3  # what a repetition makes of the game for the player to move
PERPETUAL = WON - 1000  # value of a game that the opponent loses by perpetual check: won, but no mate, whatever bonus

QUIET_PLIES = U(8)  # how far a quiet search goes
_TWO, _FOUR, _SQUARES = U(2), U(4), U(81)
_DELTA_MARGIN = 200


@kernel
def evaluate(w, here):
    """The value of a row by its pieces and squares."""
    return blend(np.int64(w[here + PAIR]), phase(w, here))


@kernel
def step(w, here, move):
    """Play `move` from the row at `here` to the next."""
    there = here + ROW
    if mover(w, here, move) == KING:
        make(w, here, there, move)
        w[there + PAIR] = U(sum_pairs(w, there))
    else:
        pair = np.int64(w[here + PAIR]) + gain(w, here, move)
        make(w, here, there, move)
        w[there + PAIR] = U(-pair)


@kernel
def judge(line, at):
    """What the position at place `at` of `line` is if it occurred before: one side gave nothing but check since, and
    loses, or it is a draw. The rules ask for the fourth occurrence; a search that waited for it would see nothing.
    """
    back = _FOUR
    while back <= at:
        if line[(at - back) << 1] == line[at << 1]:
            ours, theirs = True, True
            k = ZERO
            while k < back:
                theirs = theirs and line[((at - k) << 1) + ONE] != ZERO
                ours = ours and line[((at - k) << 1) - ONE] != ZERO
                k += _TWO
            if ours == theirs:
                return DRAWN
            return LOSES if ours else WINS
        back += _TWO
    return NEW


@kernel
def may_declare(w, here, claim):
    """Does the player to move win by declaring the entering king?"""
    if claim == 0:
        return False
    side = w[here + META] & ONE
    king = king_square(w, here, side)
    if king >= _SQUARES:
        return False
    lo, hi = square_bit(king)
    if (lo & ZONE[_TWO * side]) | (hi & ZONE[_TWO * side + ONE]) == ZERO:
        return False
    return declaration(w, here, claim == RULE_24) == DECLARED_WIN


@kernel
def quiesce(w, moves, ranks, history, control, ply, last, first, alpha, beta):
    """The value once no capture pays any more: the player may take, promote, or be content with what he has.

    In check he may play anything. Repetition and the limit of plies are left aside. At the ply `last` it ends in any
    case: among pieces that hang and drops that cover, captures with check and their answers may go on and on.
    """
    here = ply * ROW
    if ply >= last:
        return evaluate(w, here)
    features = control[FEATURES]
    exchanges = features & EXCHANGES != 0
    checked = in_check(w, here)
    best = -INFINITE
    stand = -INFINITE
    if checked:
        end = list_moves(w, here, moves, first)
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
    i = first
    while i < end:
        move = pick(w, here, moves, ranks, i, end, exchanges)
        if not checked:
            if exchanges and ranks[i] < 0:
                break
            if features & DELTA != 0:
                hoped = stand + WORTH[taken(w, here, move)] + _DELTA_MARGIN
                if move & PROMOTES != ZERO:
                    hoped += PROMOTION[mover(w, here, move)]
                if hoped <= alpha:
                    best = max(best, hoped)
                    i += ONE
                    continue
        if count_node(control):
            return 0
        step(w, here, move)
        value = -quiesce(w, moves, ranks, history, control, ply + ONE, last, end, -beta, -alpha)
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
    key = w[here + KEY]
    line[at << 1] = key
    line[(at << 1) + ONE] = U(checked)
    verdict = judge(line, at)
    if verdict != NEW:
        return np.int64(0) if verdict == DRAWN else np.int64(PERPETUAL) if verdict == WINS else np.int64(-PERPETUAL)
    if np.int64(ply) >= control[LEFT]:
        return np.int64(0) if count_moves(w, here) != ZERO else np.int64(ply) - MATE
    if may_declare(w, here, control[CLAIM]):
        return MATE - np.int64(ply) - 1
    if checked and features & EXTENSION != 0:
        depth += 1
    if ply >= U(PLIES - 2):
        return evaluate(w, here)
    if depth <= 0:
        if features & QUIESCENCE != 0:
            last = min(ply + QUIET_PLIES, U(PLIES - 2))
            return quiesce(w, moves, ranks, history, control, ply, last, first, alpha, beta)
        return evaluate(w, here)
    alpha = max(alpha, np.int64(ply) - MATE)
    beta = min(beta, MATE - np.int64(ply) - 1)
    if alpha >= beta:
        return alpha
    wide = beta - alpha > 1
    entry = probe(table, key) if features & TABLE != 0 else ZERO
    if not wide and settles(entry, ply, depth, alpha, beta):
        return value_of(entry, ply)
    hash_move = entry & MOVE_BITS
    static = evaluate(w, here)
    futile = features & FUTILITY != 0 and not wide and not checked
    if futile and depth <= 6 and static - 120 * depth >= beta and beta > -WON:
        return static
    if features & REDUCTIONS != 0 and depth >= 4 and hash_move == ZERO:
        depth -= 1  # without a move to begin with, a cheaper search first finds one for the next time
    end = list_moves(w, here, moves, first)
    if end == first:
        return np.int64(ply) - MATE
    rank_moves(w, here, moves, ranks, history, first, end, hash_move)
    best = np.int64(-INFINITE)
    best_move = ZERO
    bound = UPPER
    exchanges = features & EXCHANGES != 0
    number = 0
    i = first
    while i < end:
        move = pick(w, here, moves, ranks, i, end, exchanges)
        quiet = is_quiet(w, here, move)
        number += 1
        if futile and ranks[i] < CAPTURE_RANK - 20_000 and best > -WON:
            late = depth <= 4 and number > 6 + 4 * depth * depth
            if late or (depth <= 5 and static + 150 + 150 * depth <= alpha):
                break
        step(w, here, move)
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
    w[PAIR] = U(sum_pairs(w, ZERO))
    control[ROOT_DONE] = 0
    plays[ZERO] = 0
    best = np.int64(-INFINITE)
    for i in range(len(choices)):
        move, extra = U(choices[i]), bonus[i]
        step(w, ZERO, move)
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
