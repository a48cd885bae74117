"""Othello's kernels: two bitboards of 8 x 8, the smaller board in their upper left corner.

Square x, y (from the top left, as in the notation) is bit ``8 * y + x`` on either size, so that one compilation serves
both; an action is ``size * y + x``. Moves are found by filling: in each direction the mover's discs spread over
neighbouring discs of the other side, and the square behind such a run is a move if it is empty.
"""

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U, bit, lsb, popcount, without_lsb
from sakiyomi.boards.game import Ending
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.random import GAMMA, below, mix

STATE = np.dtype((np.record, [("discs", np.uint64, 2), ("turn", np.int32), ("ply", np.int32)]))
"""`discs`: the bitboards of the first (Black) and the second player."""

BOARD_8 = U(0xFFFFFFFFFFFFFFFF)
BOARD_6 = U(0x00003F3F3F3F3F3F)
INNER = U(0x7E7E7E7E7E7E7E7E)  # runs along a row or a diagonal never cross the left or right edge

ONGOING, FULL_BOARD, NO_MOVES = int(Ending.ONGOING), int(Ending.FULL_BOARD), int(Ending.NO_MOVES)


@kernel
def board_of(size):
    """The squares of a board of `size` 6 or 8."""
    return BOARD_8 if size == 8 else BOARD_6


@kernel
def square(action, size):
    """The bit number of an action that is no pass (uint64)."""
    return U(action // size * 8 + action % size)


@kernel
def action_of(index, size):
    """The action for bit number `index` (int64)."""
    number = np.int64(index)
    return number // 8 * size + number % 8


@kernel
def behind(discs, run, step):
    """The squares behind the runs over `run` that start beside `discs`, towards higher bits and towards lower ones."""
    up, down = run & (discs << step), run & (discs >> step)
    for _ in range(5):  # a run has six discs at the most
        up |= run & (up << step)
        down |= run & (down >> step)
    return (up << step) | (down >> step)


@kernel
def moves(own, other, board):
    """The squares where `own` may place a disc."""
    inner = other & INNER
    found = behind(own, inner, U(1)) | behind(own, other, U(8)) | behind(own, inner, U(7)) | behind(own, inner, U(9))
    return found & board & ~(own | other)


@kernel
def turned(place, own, run, step):
    """The discs of `run` in a line of step `step` between the single square `place` and discs of `own`."""
    up, down = run & (place << step), run & (place >> step)
    for _ in range(5):
        up |= run & (up << step)
        down |= run & (down >> step)
    discs = ZERO
    if (up << step) & own != ZERO:
        discs |= up
    if (down >> step) & own != ZERO:
        discs |= down
    return discs


@kernel
def flips(place, own, other):
    """The discs of `other` that turn over when `own` places a disc on the single square `place`."""
    inner = other & INNER
    along = turned(place, own, inner, U(1)) | turned(place, own, other, U(8))
    return along | turned(place, own, inner, U(7)) | turned(place, own, inner, U(9))


@kernel
def play(s, action, size):
    """Place a disc for the mover and turn discs over, or pass."""
    mover = s.turn
    if action < size * size:
        own, other = s.discs[mover], s.discs[1 - mover]
        place = bit(square(np.int64(action), size))
        changed = flips(place, own, other)
        s.discs[mover] = own | place | changed
        s.discs[1 - mover] = other ^ changed
    s.turn = 1 - mover
    s.ply += 1


@kernel
def ending(s, board):
    """The `Ending` code."""
    first, second = s.discs[0], s.discs[1]
    if first | second == board:
        return FULL_BOARD
    if moves(first, second, board) == ZERO and moves(second, first, board) == ZERO:
        return NO_MOVES
    return ONGOING


@kernel
def lead(own, other):
    """Discs of `own` less discs of `other` (int64)."""
    return np.int64(popcount(own)) - np.int64(popcount(other))


@kernel
def rollout(own, other, board, counter):
    """Random play from `own` to move: its lead in discs at the end, and the random state after."""
    sign, passed = 1, False
    while True:
        places = moves(own, other, board)
        if places != ZERO:
            passed = False
            for _ in range(below(mix(counter), popcount(places))):
                places = without_lsb(places)
            counter += GAMMA
            place = ONE << lsb(places)
            changed = flips(place, own, other)
            own, other = other ^ changed, own | place | changed
        elif passed:
            return sign * lead(own, other), counter
        else:
            if moves(other, own, board) != ZERO:
                counter += GAMMA  # a pass is an action too: the number of draws stays the number of plies
            passed = True
            own, other = other, own
        sign = -sign


@kernel
def legal_all(start, stop, states, size, out):
    """`out` bool [B, size * size + 1]."""
    board = board_of(size)
    for i in range(start, stop):
        s = states[i]
        own, other = s.discs[s.turn], s.discs[1 - s.turn]
        places = moves(own, other, board)
        out[i, :] = False
        out[i, size * size] = places == ZERO and moves(other, own, board) != ZERO
        while places != ZERO:
            out[i, action_of(lsb(places), size)] = True
            places = without_lsb(places)


@kernel
def play_all(start, stop, states, size, actions):
    """`actions` int32 [B], in place."""
    for i in range(start, stop):
        play(states[i], actions[i], size)


@kernel
def ending_all(start, stop, states, size, out):
    """`out` int8 [B]."""
    board = board_of(size)
    for i in range(start, stop):
        out[i] = ending(states[i], board)


@kernel
def result_all(start, stop, states, size, out):
    """`out` int8 [B]: 1, 0 or -1 for the first player."""
    board = board_of(size)
    for i in range(start, stop):
        s = states[i]
        out[i] = 0 if ending(s, board) == ONGOING else np.sign(lead(s.discs[0], s.discs[1]))


@kernel
def replay_all(start, stop, states, size, paths, lengths):
    """Play the first ``lengths[i]`` actions of ``paths[i]`` (int32 [B], [B, D]), in place."""
    for i in range(start, stop):
        for depth in range(lengths[i]):
            play(states[i], paths[i, depth], size)


@kernel
def rollout_all(start, stop, states, size, rng, out):
    """`out` int8 [B]: results of random play for the first player; `rng` uint64 [B] moves on."""
    board = board_of(size)
    for i in range(start, stop):
        s = states[i]
        discs, counter = rollout(s.discs[s.turn], s.discs[1 - s.turn], board, rng[i])
        rng[i] = counter
        out[i] = np.sign(discs) * (1 - 2 * s.turn)
