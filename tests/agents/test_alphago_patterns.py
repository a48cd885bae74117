"""Patterns as numbers, and a board that keeps them, against a slow definition on grids of (colour, liberties)."""

import numpy as np
import pytest

from sakiyomi.agents.alphago.answers import diamond_at, ring_at
from sakiyomi.agents.alphago.dictionaries import dictionary, find
from sakiyomi.agents.alphago.pattern_board import (
    ARRAYS,
    CHAINS,
    CLASSES,
    LIBERTIES,
    RINGS,
    SIZES,
    SPOTS,
    breaths,
    place,
    settle,
)
from sakiyomi.agents.alphago.pattern_setup import set_up
from sakiyomi.agents.alphago.patterns import (
    ARC_CODES,
    IMAGES,
    RESPONSES,
    STEPS,
    Patterns,
    canonical,
    least_slot,
    playable,
    ring_index,
    swapped,
)
from sakiyomi.boards.go import Go
from sakiyomi.boards.random import pick, seeds

U = np.uint64
NONE = np.zeros(0, np.uint64)
SIZES_TO_TRY = [5, 9, (7, 4), 19]


def games(size, plies, seed=0):
    """Positions along a random game without passes, from the empty board on, with the action played in each."""
    go = Go(size=size, superko="simple", suicide=False)
    state, rng = go.new(1), seeds(np.random.default_rng(seed), 1)
    for _ in range(plies):
        legal = go.sensible(state)
        legal[:, -1] = False
        if not legal.any():
            return
        action = int(pick(legal, rng)[0])
        yield go, state.copy(), action
        go.play(state, np.array([action]))


def classes_of(go, state):
    """{(x, y): class} of a position, by flood fill."""
    board = go.board(state)
    height, width = board.shape
    classes = {}
    for y in range(height):
        for x in range(width):
            if not board[y, x]:
                classes[x, y] = 0
                continue
            chain, liberties, todo = {(x, y)}, set(), [(x, y)]
            while todo:
                i, j = todo.pop()
                for u, v in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
                    if 0 <= u < width and 0 <= v < height and (u, v) not in chain:
                        if board[v, u] == 0:
                            liberties.add((u, v))
                        elif board[v, u] == board[y, x]:
                            chain.add((u, v))
                            todo.append((u, v))
            classes[x, y] = min(len(liberties), 3) + (0 if board[y, x] > 0 else 4)
    return classes


def slow_code(classes, x, y, slots):
    return sum(classes.get((x + dx, y + dy), 4) << 3 * k for k, (dx, dy) in enumerate(STEPS[:slots]))


def memory(go, state):
    """A pattern board of the state, its stride and its array length."""
    S, P = U(go.layout.stride), U(go.layout.padded)
    m = np.empty(ARRAYS * int(P), np.uint32)
    return m, S, P, *map(U, set_up(m, go.layout.words(state)[0], U(0), S, P))


def array(m, P, which):
    return m[int(which * P) : int(which * P + P)]


def grid(code):
    """The 5x5 field of classes that a code of 12 slots shows, -1 where it shows none."""
    field = np.full((5, 5), -1)
    for k, (x, y) in enumerate(STEPS):
        field[y + 2, x + 2] = int(code) >> 3 * k & 7
    return field


def code_of(field):
    return sum(int(field[y + 2, x + 2]) << 3 * k for k, (x, y) in enumerate(STEPS))


@pytest.mark.parametrize("size", SIZES_TO_TRY)
def test_codes_are_what_their_definition_says(size):
    for ply, (go, state, _) in enumerate(games(size, 300)):
        if ply % 17:
            continue
        classes = classes_of(go, state)
        m, S, P, *_ = memory(go, state)
        for (x, y), point in zip(
            ((x, y) for y in range(go.layout.height) for x in range(go.layout.width)), go.layout.points, strict=True
        ):
            assert ring_at(m, P, U(point)) == slow_code(classes, x, y, 8)
            assert diamond_at(m, S, P, U(point)) == slow_code(classes, x, y, 12)


@pytest.mark.parametrize("size", SIZES_TO_TRY)
@pytest.mark.parametrize("seed", range(3))
def test_the_board_after_each_move_is_the_board_made_anew(size, seed):
    played = list(games(size, 400, seed))
    go, first, _ = played[0]
    m, S, P, side, ko, _ = memory(go, first)
    for go, state, action in played:
        fresh, _, _, side, known_ko, _ = memory(go, state)
        assert ko == known_ko
        points = go.layout.points
        assert (array(m, P, CLASSES) == array(fresh, P, CLASSES)).all()
        assert (array(m, P, RINGS)[points] == array(fresh, P, RINGS)[points]).all()
        stones = points[array(m, P, CHAINS)[points] > 0]
        heads, fresh_heads = array(m, P, CHAINS)[stones], array(fresh, P, CHAINS)[stones]
        for what in (LIBERTIES, SPOTS, SIZES):
            assert (array(m, P, what)[heads] == array(fresh, P, what)[fresh_heads]).all()
        p = U(points[action])
        before = array(m, P, RINGS)[points].copy()
        breath = breaths(m, S, P, p, side)
        ko, _, changed = map(U, place(m, S, P, p, side))
        assert breath == min(array(m, P, LIBERTIES)[array(m, P, CHAINS)[p]], 2)
        waiting = array(m, P, RINGS)[points] >> 31 == 1
        settle(m, P, changed)
        rings = array(m, P, RINGS)[points]
        empty = array(m, P, CLASSES)[points] == 0
        assert (waiting & empty | ~empty)[before != rings].all()


def test_symmetry_numbers_are_the_turns_of_a_grid():
    rng = np.random.default_rng(0)
    for code in rng.integers(0, 1 << 36, 300, dtype=np.uint64):
        images = []
        for mirror in (False, True):
            for turns in range(4):
                field = np.fliplr(grid(code)) if mirror else grid(code)
                images.append(code_of(np.rot90(field, -turns)))
        least, symmetry = canonical(code)
        assert least == min(images) == images[symmetry]
        for slot in range(12):
            marked = np.zeros((5, 5), int)
            marked[STEPS[slot][1] + 2, STEPS[slot][0] + 2] = 1
            to = [np.rot90(np.fliplr(marked) if s >= 4 else marked, -(s % 4)) for s in range(8)]
            where = [STEPS.index((int(x) - 2, int(y) - 2)) for t in to for y, x in [np.argwhere(t)[0]]]
            assert IMAGES[:, slot].tolist() == where
            assert least_slot(code, U(slot)) == min(w for w, i in zip(where, images, strict=True) if i == least)


@pytest.mark.parametrize("size", [5, 9])
def test_patterns_are_the_same_under_symmetry_and_exchange_of_colours(size):
    for ply, (go, state, _) in enumerate(games(size, 120, seed=5)):
        if ply % 13:
            continue
        m, S, P, *_ = memory(go, state)
        board = go.board(state)
        other, _ = go.set_up(np.where(board == 0, 0, 1 + (board > 0)).reshape(1, -1).astype(np.uint8), np.array([0]))
        exchanged, *_ = memory(go, other)
        for symmetry in go.symmetries():
            turned = np.zeros((1, size * size), np.uint8)
            turned[0, symmetry.actions[:-1]] = go.colours(state)[0]
            image, *_ = memory(go, go.set_up(turned, np.array([0]))[0])
            for action, point in enumerate(go.layout.points):
                to = U(go.layout.points[symmetry.actions[action]])
                code = U(diamond_at(m, S, P, U(point)))
                assert canonical(U(diamond_at(image, S, P, to)))[0] == canonical(code)[0]
                assert diamond_at(exchanged, S, P, U(point)) == swapped(code)


@pytest.mark.parametrize("size", SIZES_TO_TRY)
def test_playable_rings_are_the_sensible_moves_of_the_rules(size):
    table = Patterns(NONE, NONE).ring_table
    for go, state, _ in games(size, 150, seed=2):
        m, _, P, side, ko, _ = memory(go, state)
        sensible = go.sensible(state)[0]
        for action, point in enumerate(go.layout.points):
            if array(m, P, CLASSES)[point] == 0 and point != ko:
                ring = U(ring_at(m, P, U(point)))
                ring = ring if side == 0 else U(swapped(ring))
                assert playable(ring) == sensible[action] == (table[ring_index(ring)] == 0)


def test_arcs_number_all_rings_that_boards_show():
    for size in ((1, 4), (2, 2), 5, 9):
        for go, state, _ in games(size, 100, seed=3):
            m, _, P, *_ = memory(go, state)
            for point in go.layout.points:
                if array(m, P, CLASSES)[point] == 0:
                    ring = int(ring_at(m, P, U(point)))
                    index = int(ring_index(U(ring)))
                    low, high = divmod(index, len(ARC_CODES))
                    assert int(ARC_CODES[low]) | int(ARC_CODES[high]) << 12 == ring


def test_ring_table_holds_every_image_of_its_rings():
    rng = np.random.default_rng(1)
    low, high = ARC_CODES[rng.integers(len(ARC_CODES), size=(2, 500))]
    rings = np.unique(np.array([canonical(ring)[0] for ring in low | high << U(12)], np.uint64))
    rings = rings[[playable(ring) for ring in rings]]
    patterns = Patterns(rings, NONE)
    for a, b in zip(low, high, strict=True):
        ring = a | b << U(12)
        feature = int(patterns.ring_table[ring_index(ring)])
        if feature >= 0:
            assert rings[feature - RESPONSES] == canonical(ring)[0]
        else:
            assert not playable(ring)


def test_response_table_shares_features_among_symmetric_slots():
    lone = U(0)  # a stone alone: all eight images are the same
    patterns = Patterns(NONE, np.array([least_slot(lone, U(0)), least_slot(lone, U(9))], np.uint64))
    row = patterns.response_table[find(*patterns.response_rows, lone)]
    assert row[[0, 2, 4, 6]].tolist() == [RESPONSES] * 4
    assert row[[1, 3, 5, 7]].tolist() == [0] * 4
    assert row[[8, 9, 10, 11]].tolist() == [RESPONSES + 1] * 4
    assert patterns.response_table[0].tolist() == [0] * 12


def test_dictionary_finds_its_codes_and_no_others():
    rng = np.random.default_rng(0)
    codes = np.unique(rng.integers(0, 1 << 40, 3000, dtype=np.uint64))
    rng.shuffle(codes)
    held, others = codes[:2000], codes[2000:]
    made = dictionary(held, np.arange(1, 2001, dtype=np.int32))
    assert [find(*made, code) for code in held] == list(range(1, 2001))
    assert {find(*made, code) for code in others} == {0}
    assert find(*dictionary(held[:0], np.zeros(0, np.int32)), U(0)) == 0


def test_patterns_refuse_codes_that_do_not_ascend():
    for rings in (np.array([2, 1], np.uint64), np.array([1, 1], np.uint64), np.array([1, 2])):
        with pytest.raises(ValueError, match="rings of patterns are ascending uint64"):
            Patterns(rings, NONE)
