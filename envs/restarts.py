"""Kernels that every batch shares: the layout of its arrays, and how a row's game ends and another begins.

A batch of n games owns one block of records, seen as 64-bit words: rows 0..n-1 are the games, rows n..2n-1 take the
last positions of games that ended in this step (where games restart in the same step), and then come the starting
positions. The small arrays have a row for each thing and a column for each game.
"""

from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.random import GAMMA, below, mix

IDLE, RESIGN = -1, -2
"""Actions that are no moves: leave the game as it is; the player to move gives up."""

# `numbers` int32 [3, n]
ACTION, PLIES, LENGTH = 0, 1, 2  # to play; of the running game; of the game that ended in this step
NUMBERS = 3
# `marks` int8 [5, n]
TERMINATED, TRUNCATED, ENDING, TURN, OVER = 0, 1, 2, 3, 4  # OVER: the row still holds a game that has ended
MARKS = 5


@kernel
def waits(i, numbers, rewards, marks):
    """Clear what the last step said of row i. True if there is nothing to play in it."""
    rewards[i, 0] = 0
    rewards[i, 1] = 0
    marks[ENDING, i] = 0
    if marks[OVER, i] != 0:
        return True
    marks[TERMINATED, i] = 0
    marks[TRUNCATED, i] = 0
    return numbers[ACTION, i] == IDLE


@kernel
def award(i, result, rewards):
    """Give both players of row i the `result`, 1, 0 or -1 for the first."""
    rewards[i, 0] = result
    rewards[i, 1] = -result


@kernel
def resigns(i, num_actions, numbers, rewards, marks):
    """True, and the player to move has lost, if the action of row i is RESIGN or none of the game's."""
    action = numbers[ACTION, i]
    if action >= 0 and action < num_actions:
        return False
    award(i, -1 if marks[TURN, i] == 0 else 1, rewards)
    marks[TERMINATED, i] = 1
    finish(i, numbers, marks)
    return True


@kernel
def finish(i, numbers, marks):
    """Note that the game of row i is over."""
    marks[OVER, i] = 1
    numbers[LENGTH, i] = numbers[PLIES, i]


@kernel
def count_ply(i, turn, ending, most_plies, numbers, marks):
    """Note what a ply led to. True if the game has ended or been cut off by it (`most_plies`, 0: never)."""
    numbers[PLIES, i] += 1
    marks[TURN, i] = turn
    marks[ENDING, i] = ending
    if ending != 0:
        marks[TERMINATED, i] = 1
        finish(i, numbers, marks)
    elif most_plies != 0 and numbers[PLIES, i] >= most_plies:
        marks[TRUNCATED, i] = 1
        finish(i, numbers, marks)
    return marks[OVER, i] != 0


@kernel
def restart_rows(start, stop, k64, row_words, kept, first, keep, rng, turns, numbers, marks):
    """Begin a new game in every row whose game is over, from one of the starts, whose `turns` int8 [K] are given.

    The starts stand in the block from row `first` on. With `keep` the last position goes to row `kept` + i; without,
    the row's action is set to IDLE and its flags are cleared, so that a step can begin.
    """
    count = U(len(turns))
    for i in range(start, stop):
        if marks[OVER, i] == 0:
            continue
        row, chosen = U(i) * row_words, ZERO
        if count > ONE:
            chosen = below(mix(rng[i]), count)
            rng[i] += GAMMA
        source, last = (first + chosen) * row_words, kept * row_words + row
        for j in range(row_words):
            if keep:
                k64[last + U(j)] = k64[row + U(j)]
            k64[row + U(j)] = k64[source + U(j)]
        begin(i, turns[chosen], keep, numbers, marks)


@kernel
def begin(i, turn, keep, numbers, marks):
    """Note that a new game has begun in row i."""
    marks[OVER, i] = 0
    marks[TURN, i] = turn
    numbers[PLIES, i] = 0
    if not keep:
        marks[TERMINATED, i] = 0
        marks[TRUNCATED, i] = 0
        marks[ENDING, i] = 0
        numbers[ACTION, i] = IDLE
