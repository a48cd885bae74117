"""Ladders by reading: which moves capture a chain in a ladder, which save one from it.

The reading is of one chain, the target, between its defender and its attacker:

    attacker to move, the target has two liberties: he fills one of them, and so gives atari
    defender to move, the target has one liberty:   he fills it, or takes an attacker's chain that is in atari
                                                    and touches the target
    the target has three liberties or more:         it has escaped
    the target has one liberty after a defender's move, or no move of his helps: it is caught

Suicide and the retaking of a ko at once are not played in it. Each side wins if any of its moves wins. A reading that
would go over `MOST_PLIES` plies, or try over `MOST_MOVES` moves in all, ends with the target not caught.

    ladder capture: the move puts a chain of two liberties in atari and the reading from there catches it
    ladder escape:  an own chain in atari is not caught after the move, which fills its liberty or takes a chain in
                    atari beside it

(Silver 2016, Extended Data Table 2, has the two planes, but not the reader.)
"""

from typing import Any, NamedTuple

import numpy as np

from sakiyomi.agents.alphago.liberties import after_move, two_liberties
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.go.chains import EIGHT, FOUR, ONE, THREE, TWO, ZERO, place
from sakiyomi.boards.go.state import AROUND, CHAIN, COLOUR, EMPTY, HEAD, KO, LIBERTIES, NEXT, U
from sakiyomi.boards.kernel import inlined, kernel

MOST_PLIES = 100  # after the move in question; the longest ladder of a 19x19 board takes about 70
MOST_MOVES = U(2000)
CAPTURE, ESCAPE = U(1), U(2)  # bits of what a move does
_SPACE = 640  # choices of one ply at the most: the points of a 25x25 board


class Reading(NamedTuple):
    """Memory of a reading: boards as hot words one after another, and the choices of each ply as a stack."""

    boards: Any  # uint16 [(MOST_PLIES + 1) * hot]
    choices: Any  # uint16 [(MOST_PLIES + 1) * _SPACE]
    next: Any  # uint64 [MOST_PLIES + 1], of each ply: the choice to try next,
    end: Any  # uint64 [MOST_PLIES + 1], the end of its choices,
    board: Any  # uint64 [MOST_PLIES + 1], and where its position begins in `boards`


@kernel
def new_reading(hot):
    """Memory for readings on a board of `hot` hot words."""
    plies = MOST_PLIES + 1
    return Reading(
        np.empty(U(plies) * hot, np.uint16),
        np.empty(plies * _SPACE, np.uint16),
        np.empty(plies, np.uint64),
        np.empty(plies, np.uint64),
        np.empty(plies, np.uint64),
    )


@inlined
def borrowed_reading(reading):
    """The same memory without reference counts; whoever made it must outlive the use."""
    return Reading(
        borrow(reading.boards),
        borrow(reading.choices),
        borrow(reading.next),
        borrow(reading.end),
        borrow(reading.board),
    )


@kernel
def copy_words(source, start, target, to, count):
    """Copy `count` words."""
    for j in range(count):
        target[to + U(j)] = source[start + U(j)]


@kernel
def room_beside(w, b, S, P, p, other):
    """Empty neighbours of p that stay empty when `other` is filled."""
    beside = (p == other + ONE) | (p == other - ONE) | (p == other + S) | (p == other - S)
    return (U(w[b + HEAD + AROUND * P + p]) >> EIGHT) - U(beside)


@kernel
def attacks(w, b, S, P, first, second, choices, top):
    """Put the attacker's moves against liberties `first` and `second` on the stack; returns its new end.

    One that leaves three empty points beside the other liberty need not be tried: the defender plays there.
    """
    ko = U(w[b + KO])
    one, two = room_beside(w, b, S, P, first, second), room_beside(w, b, S, P, second, first)
    if one >= two:  # the side with more room first: it is more often the one to block
        near, far, room_near, room_far = first, second, one, two
    else:
        near, far, room_near, room_far = second, first, two, one
    if room_far < THREE and near != ko:
        choices[top] = near
        top += ONE
    if room_near < THREE and far != ko:
        choices[top] = far
        top += ONE
    return top


@kernel
def defences(w, b, S, P, target, liberty, choices, top):
    """Put the defender's moves for a target in atari on the stack, captures before the extension; its new end."""
    colour = b + HEAD + COLOUR * P
    chain = b + HEAD + CHAIN * P
    following = b + HEAD + NEXT * P
    pseudo = b + HEAD + LIBERTIES * P
    ko = U(w[b + KO])
    attacker = U(w[colour + target]) ^ THREE
    bottom = top
    s = target
    while True:
        for n in (s - ONE, s + ONE, s - S, s + S):
            # Five pseudo-liberties are two liberties: an empty point touches four stones at most.
            if U(w[colour + n]) != attacker or U(w[pseudo + U(w[chain + n])]) > FOUR:
                continue
            count, p, _ = two_liberties(w, b, S, P, n)
            if count != ONE or p in (ko, liberty):
                continue
            known = False
            for j in range(bottom, top):
                known |= U(choices[U(j)]) == p
            if not known:
                choices[top] = p
                top += ONE
        s = U(w[following + s])
        if s == target:
            break
    if liberty != ko:
        choices[top] = liberty
        top += ONE
    return top


@kernel
def is_caught(S, P, hot, target, first_mover, reading):
    """Is the chain of the stone `target` caught in the position that `reading.boards` begins with?

    `first_mover` is the attacker and it has two liberties, or the defender and it has one. A depth-first search: a
    mover without further choices has lost, so the move two plies above failed too, and the next one is tried there.
    The last choice of a ply is played on the ply's own board: nobody comes back to it.
    """
    boards, choices, upcoming, end, board = reading
    attacker = U(boards[HEAD + COLOUR * P + target]) ^ THREE
    attacking = first_mover == attacker
    depth, moves = 0, ZERO
    count, first, second = two_liberties(boards, ZERO, S, P, target)
    board[0] = upcoming[0] = ZERO
    if attacking:
        end[0] = attacks(boards, ZERO, S, P, first, second, choices, ZERO)
    else:
        end[0] = defences(boards, ZERO, S, P, target, first, choices, ZERO)
    while moves < MOST_MOVES:
        attackers_turn = attacking == (depth % 2 == 0)
        if upcoming[depth] == end[depth]:
            if depth < 2:
                return not attackers_turn
            depth -= 2
            continue
        p = U(choices[upcoming[depth]])
        upcoming[depth] += ONE
        b = board[depth]
        if upcoming[depth] != end[depth]:
            copy_words(boards, b, boards, b + hot, hot)
            b += hot
        mover = attacker if attackers_turn else attacker ^ THREE
        place(boards, b, S, P, p, mover)
        moves += ONE
        if U(boards[b + HEAD + COLOUR * P + p]) != mover:
            continue  # suicide
        count, first, second = two_liberties(boards, b, S, P, target)
        if not attackers_turn and count == ONE:
            continue
        if depth + 1 == MOST_PLIES and attackers_turn:
            continue
        if count == THREE or depth + 1 == MOST_PLIES:
            if depth == 0:
                return False
            depth -= 1
            continue
        depth += 1
        board[depth] = b
        upcoming[depth] = end[depth - 1]
        if attackers_turn:
            end[depth] = defences(boards, b, S, P, target, first, choices, upcoming[depth])
        else:
            end[depth] = attacks(boards, b, S, P, first, second, choices, upcoming[depth])
    return False


@kernel
def captures(w, b, S, P, hot, target, p, other, chains, reading):
    """Does the attacker's move p, one of the two liberties of the chain of `target`, catch it in a ladder?"""
    if room_beside(w, b, S, P, other, p) >= THREE:
        return False
    defender = U(w[b + HEAD + COLOUR * P + target])
    taken, _, free = after_move(w, b, S, P, other, defender, chains)
    if taken == ZERO and free > THREE:  # p is one of them; a capture by p would only add to them
        return False
    copy_words(w, b, reading.boards, ZERO, hot)
    place(reading.boards, ZERO, S, P, p, defender ^ THREE)
    if U(reading.boards[HEAD + COLOUR * P + p]) == EMPTY:
        return False  # suicide, where the rules allow it
    return is_caught(S, P, hot, target, defender, reading)


@kernel
def saves(w, b, S, P, hot, target, p, reading):
    """Does the defender's move p keep the chain of `target`, which is in atari, from being caught?"""
    boards = reading.boards
    defender = U(w[b + HEAD + COLOUR * P + target])
    copy_words(w, b, boards, ZERO, hot)
    place(boards, ZERO, S, P, p, defender)
    if U(boards[HEAD + COLOUR * P + target]) == EMPTY:
        return False  # suicide again
    count, _, _ = two_liberties(boards, ZERO, S, P, target)
    if count == TWO:
        return not is_caught(S, P, hot, target, defender ^ THREE, reading)
    return count == THREE


@kernel
def mark_ladders(w, b, S, P, hot, c, legal, count, chains, reading, marks):
    """Set `marks` [P] to CAPTURE and ESCAPE, or both, for the moves of c that do so, 0 elsewhere.

    `legal` [P] says what c may play; `chains` holds the `count` chains of the row.
    """
    for j in range(P):
        marks[U(j)] = 0
    for j in range(count):
        head = U(chains.heads[U(j)])
        own = U(w[b + HEAD + COLOUR * P + head]) == c
        if not own and U(chains.liberties[head]) == TWO:
            _, first, second = two_liberties(w, b, S, P, head)
            for k in range(2):
                p, other = (first, second) if k == 0 else (second, first)
                if legal[p] and not marks[p] & CAPTURE and captures(w, b, S, P, hot, head, p, other, chains, reading):
                    marks[p] |= CAPTURE
        elif own and U(chains.liberties[head]) == ONE:
            _, first, _ = two_liberties(w, b, S, P, head)
            # The reading overwrites the stack, so the choices are found anew before each.
            tried = ZERO
            while tried < defences(w, b, S, P, head, first, reading.choices, ZERO):
                p = U(reading.choices[tried])
                tried += ONE
                if legal[p] and not marks[p] & ESCAPE and saves(w, b, S, P, hot, head, p, reading):
                    marks[p] |= ESCAPE
