"""Go, stepped in place: a random legal action without a mask, the ply, the end by area, in one pass over the rows."""

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.go.rules import is_legal, legal_rows, play_action
from sakiyomi.boards.go.score import BLACKS, WHITES, regions
from sakiyomi.boards.go.state import COLOUR, EMPTIES, HANDICAP, HEAD, PASSES, PLY, TURN, VACANT
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.random import GAMMA, below, mix
from sakiyomi.envs.restarts import ACTION, IDLE, OVER, award, count_ply, resigns, waits

# `settings` uint64, by index; KOMI is two words, the komi rounded down and up.
BYTES, COLD, RECENT, WIDTH, HEIGHT, LIMIT, KO, SUICIDE, MOST_PLIES, BY_AREA, GIVEN, KOMI = range(12)
NOT_GIVEN, GIVEN_STONES, GIVEN_LESS_ONE = U(0), U(1), U(2)  # points for handicap stones
COMPENSATION = {"none": NOT_GIVEN, "stones": GIVEN_STONES, "stones less one": GIVEN_LESS_ONE}
_TWO, _THREE = U(2), U(3)
_TWO_PASSES, _MOVE_LIMIT = 4, 5  # Ending's codes


@kernel
def draw(w, b, k64, q, S, P, width, height, ko_rule, suicide, counter):
    """A uniformly random legal action of a game that goes on, and the random state after it.

    Empty points and the pass are drawn until one is legal: each legal one is as likely as any other.
    """
    vacant, empties = b + HEAD + VACANT * P, U(w[b + EMPTIES])
    action = width * height
    while True:
        at = below(mix(counter), empties + ONE)
        counter += GAMMA
        if at == empties:
            break
        p = U(w[vacant + at])
        if is_legal(w, b, k64, q, S, P, p, ko_rule, suicide):
            row = p // S
            action = (row - ONE) * width + (p - row * S) - ONE
            break
    return action, counter


@kernel
def area_result(w, b, settings, S, P):
    """1, 0 or -1 for Black, by Tromp-Taylor's area less komi and what handicap stones are worth."""
    width, height = np.int64(settings[WIDTH]), np.int64(settings[HEIGHT])
    colours, owner = np.empty(width * height, np.uint8), np.empty(width * height, np.int8)
    row = b + HEAD + COLOUR * P + S + ONE
    for y in range(height):
        for x in range(width):
            colours[y * width + x] = w[row + U(x)]
        row += S
    regions(colours, width, height, owner)
    margin = np.int64(0)
    for a in range(width * height):
        margin += np.int64(owner[a] == BLACKS) - np.int64(owner[a] == WHITES)
    stones = np.int64(w[b + HANDICAP])
    if settings[GIVEN] == GIVEN_STONES:
        margin -= stones
    elif settings[GIVEN] == GIVEN_LESS_ONE and stones > 0:
        margin -= stones - 1
    if margin > np.int64(settings[KOMI]):
        return 1
    return -1 if margin < np.int64(settings[KOMI + 1]) else 0


@kernel
def step_row(i, settings, w, k64, b8, S, P, numbers, rewards, marks):
    """Play the action of row i. True if its game has ended."""
    width, height, limit = settings[WIDTH], settings[HEIGHT], settings[LIMIT]
    r = U(i) * settings[BYTES]
    b, q = r >> ONE, (r >> _THREE) + settings[COLD]
    if resigns(i, np.int64(width * height + ONE), numbers, rewards, marks):
        return True
    action, ko_rule = numbers[ACTION, i], settings[KO]
    play_action(w, b, k64, q, b8, r + settings[RECENT], S, P, action, width, height, limit, ko_rule)
    ending = 0
    if U(w[b + PASSES]) >= _TWO:
        ending = _TWO_PASSES
    elif U(w[b + PLY]) >= limit:
        ending = _MOVE_LIMIT
    over = count_ply(i, np.int64(w[b + TURN]), ending, np.int64(settings[MOST_PLIES]), numbers, marks)
    if ending != 0 and settings[BY_AREA] != ZERO:
        award(i, area_result(w, b, settings, S, P), rewards)
    return over


@kernel
def step_rows(start, stop, settings, k64, rng, numbers, rewards, marks):
    """Play the actions; True if a game has ended."""
    k64 = borrow(k64)
    w, b8 = k64.view(np.uint16), k64.view(np.uint8)
    S = settings[WIDTH] + ONE
    P = (settings[HEIGHT] + _TWO) * S + ONE
    over = False
    for i in range(start, stop):
        if not waits(i, numbers, rewards, marks):
            over |= step_row(i, settings, w, k64, b8, S, P, numbers, rewards, marks)
    return over


@kernel
def draw_rows(start, stop, settings, k64, rng, numbers, marks):
    """Draw an action for each row, IDLE where the game has ended."""
    k64 = borrow(k64)
    w = k64.view(np.uint16)
    width, height, ko_rule, suicide = settings[WIDTH], settings[HEIGHT], settings[KO], settings[SUICIDE] != ZERO
    S = width + ONE
    P = (height + _TWO) * S + ONE
    for i in range(start, stop):
        r = U(i) * settings[BYTES]
        b, q = r >> ONE, (r >> _THREE) + settings[COLD]
        if marks[OVER, i] != 0:
            numbers[ACTION, i] = IDLE
        else:
            numbers[ACTION, i], rng[i] = draw(w, b, k64, q, S, P, width, height, ko_rule, suicide, rng[i])


@kernel
def advance_rows(start, stop, settings, k64, rng, numbers, rewards, marks):
    """Draw actions and play them; True if a game has ended."""
    k64 = borrow(k64)
    w, b8 = k64.view(np.uint16), k64.view(np.uint8)
    width, height, ko_rule, suicide = settings[WIDTH], settings[HEIGHT], settings[KO], settings[SUICIDE] != ZERO
    S = width + ONE
    P = (height + _TWO) * S + ONE
    over = False
    for i in range(start, stop):
        if marks[OVER, i] == 0:
            r = U(i) * settings[BYTES]
            b, q = r >> ONE, (r >> _THREE) + settings[COLD]
            numbers[ACTION, i], rng[i] = draw(w, b, k64, q, S, P, width, height, ko_rule, suicide, rng[i])
        if not waits(i, numbers, rewards, marks):
            over |= step_row(i, settings, w, k64, b8, S, P, numbers, rewards, marks)
    return over


@kernel
def mask_rows(start, stop, settings, k64, out):
    """`go.rules.legal_rows` with all settings in one array, which makes a call for a few rows cheaper."""
    w = k64.view(np.uint16)
    width, height, limit = settings[WIDTH], settings[HEIGHT], settings[LIMIT]
    suicide = settings[SUICIDE] != ZERO
    legal_rows(start, stop, w, k64, settings[BYTES], settings[COLD], width, height, limit, settings[KO], suicide, out)


@kernel
def list_rows(start, stop, settings, k64, actions, counts):
    """The legal actions of each row: `actions` int32 [B, area + 1], -1 behind the last; `counts` int32 [B]."""
    k64 = borrow(k64)
    w = k64.view(np.uint16)
    width, height, ko_rule, suicide = settings[WIDTH], settings[HEIGHT], settings[KO], settings[SUICIDE] != ZERO
    S = width + ONE
    P = (height + _TWO) * S + ONE
    for i in range(start, stop):
        r = U(i) * settings[BYTES]
        b, q = r >> ONE, (r >> _THREE) + settings[COLD]
        actions[i, :] = -1
        counts[i] = 0
        if U(w[b + PASSES]) >= _TWO or U(w[b + PLY]) >= settings[LIMIT]:
            continue
        vacant, found = b + HEAD + VACANT * P, 0
        for j in range(U(w[b + EMPTIES])):
            p = U(w[vacant + U(j)])
            if is_legal(w, b, k64, q, S, P, p, ko_rule, suicide):
                row = p // S
                actions[i, found] = (row - ONE) * width + (p - row * S) - ONE
                found += 1
        actions[i, found] = width * height
        counts[i] = found + 1
