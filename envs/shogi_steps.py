"""Shogi, stepped in place: a random legal action from a list, the ply, the end, in one pass."""

import numpy as np

from sakiyomi.boards.bits import ONE, U
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.random import GAMMA, below, mix
from sakiyomi.boards.shogi.actions import ACTIONS, action_of
from sakiyomi.boards.shogi.planes import observe_rows
from sakiyomi.boards.shogi.rules import (
    CHECKMATE,
    NO_MOVES,
    PERPETUAL_CHECK,
    ending,
    list_legal,
    play,
    verdict,
)
from sakiyomi.boards.shogi.state import META, MOST_MOVES, WHITE_LOSES, WORDS
from sakiyomi.envs.restarts import ACTION, IDLE, OVER, award, count_ply, resigns, waits


@kernel
def draw(w, b, limit, moves, counter):
    """A uniformly random legal action of a game that goes on, and the random state after it."""
    count = list_legal(w, b, limit, moves)
    move = U(moves[below(mix(counter), count)])
    return action_of(move, w[b + META] & ONE), counter + GAMMA


@kernel
def step_row(i, w, limit, most_plies, numbers, rewards, marks):
    """Play the action of row i. True if its game has ended."""
    if resigns(i, np.int64(ACTIONS), numbers, rewards, marks):
        return True
    b = U(i) * WORDS
    play(w, b, U(numbers[ACTION, i]))
    found, turn = ending(w, b, limit), w[b + META] & ONE
    if found in (CHECKMATE, NO_MOVES):
        award(i, 1 if turn == ONE else -1, rewards)
    elif found == PERPETUAL_CHECK:
        award(i, 1 if verdict(w, b) == WHITE_LOSES else -1, rewards)
    return count_ply(i, np.int64(turn), np.int64(found), most_plies, numbers, marks)


@kernel
def step_rows(start, stop, w, limit, most_plies, numbers, rewards, marks):
    """Play the actions; True if a game has ended."""
    w = borrow(w)
    over = False
    for i in range(start, stop):
        if not waits(i, numbers, rewards, marks):
            over |= step_row(i, w, limit, most_plies, numbers, rewards, marks)
    return over


@kernel
def draw_rows(start, stop, w, limit, rng, numbers, marks):
    """Draw an action for each row, IDLE where the game has ended."""
    w, memory = borrow(w), np.empty(MOST_MOVES, np.uint16)
    moves = borrow(memory)
    for i in range(start, stop):
        if marks[OVER, i] != 0:
            numbers[ACTION, i] = IDLE
        else:
            numbers[ACTION, i], rng[i] = draw(w, U(i) * WORDS, limit, moves, rng[i])
    memory[U(0)] = 0  # a last use, which keeps the memory until here


@kernel
def advance_rows(start, stop, w, limit, most_plies, rng, numbers, rewards, marks):
    """Draw actions and play them; True if a game has ended."""
    w, memory = borrow(w), np.empty(MOST_MOVES, np.uint16)
    moves = borrow(memory)
    over = False
    for i in range(start, stop):
        if marks[OVER, i] == 0:
            numbers[ACTION, i], rng[i] = draw(w, U(i) * WORDS, limit, moves, rng[i])
        if not waits(i, numbers, rewards, marks):
            over |= step_row(i, w, limit, most_plies, numbers, rewards, marks)
    memory[U(0)] = 0  # a last use, which keeps the memory until here
    return over


@kernel
def planes_rows(start, stop, w, out):
    """The planes of pieces, repetition and hands into `out` float32 [B, 362, 81]."""
    for i in range(start, stop):
        out[i] = 0
        observe_rows(i, i + 1, w, out)
