"""Ladders against a plain recursive reader, and on positions whose answer a Go player knows."""

import numpy as np
import pytest

from sakiyomi.agents.alphago.features import feature_planes, ladder_moves
from sakiyomi.agents.alphago.ladders import MOST_PLIES
from sakiyomi.boards.go import Go
from sakiyomi.boards.random import pick, seeds

SIZES = [5, 7, 9, (13, 9), (4, 11)]


def position(diagram, turn="b", ko=None, **rules):
    """The game and the position of a diagram of X (black), O (white) and dots; letters a to z are empty points."""
    lines = diagram.split()
    rows = "/".join("".join(c if c in "XO" else "." for c in line) for line in lines)
    game = Go((len(lines[0]), len(lines)), rules="japanese", **rules)
    text = f"{len(lines[0])}x{len(lines)} {rows} {turn}" + (f" ko {ko}" if ko else "")
    return game, game.parse_position(text)


def marked(diagram, letters):
    """The points, as (row, column), that bear one of the letters."""
    lines = diagram.split()
    return {(y, x) for y, line in enumerate(lines) for x, c in enumerate(line) if c in letters}


def points(plane):
    return set(zip(*(axis.tolist() for axis in np.nonzero(plane)), strict=True))


# The plain reader: a board is a dict from (row, column) to colour, 0 empty; nothing is kept from ply to ply.


def beside(board, p):
    y, x = p
    return [n for n in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)) if n in board]


def chain_of(board, p):
    """The chain's stones and its liberties."""
    chain, todo, free = {p}, [p], set()
    while todo:
        for n in beside(board, todo.pop()):
            if board[n] == 0:
                free.add(n)
            elif board[n] == board[p] and n not in chain:
                chain.add(n)
                todo.append(n)
    return chain, free


def played(board, ko, p, colour):
    """The board and the ko point after a move; None where it fills a ko or is suicide."""
    if p == ko:
        return None
    board, taken = {**board, p: colour}, set()
    for n in beside(board, p):
        if board[n] == 3 - colour and not chain_of(board, n)[1]:
            gone = chain_of(board, n)[0]
            taken |= gone
            board.update(dict.fromkeys(gone, 0))
    own, free = chain_of(board, p)
    if not free:
        return None
    return board, next(iter(taken)) if len(taken) == len(own) == len(free) == 1 else None


def defences(board, target):
    chain, free = chain_of(board, target)
    enemies = {n for s in chain for n in beside(board, s) if board[n] == 3 - board[target]}
    return free | {next(iter(f)) for f in (chain_of(board, n)[1] for n in enemies) if len(f) == 1}


def caught(board, ko, target, attacking, plies):
    """Is the target lost: of two liberties with the attacker to move, or of one with the defender to move?"""
    if plies == 0:
        return False
    defender = board[target]
    if attacking:
        after = (played(board, ko, p, 3 - defender) for p in chain_of(board, target)[1])
        return any(caught(*next_, target, False, plies - 1) for next_ in after if next_)
    return not any(lives(board, ko, p, target, plies - 1) for p in defences(board, target))


def lives(board, ko, p, target, plies):
    after = played(board, ko, p, board[target])
    if after is None:
        return False
    count = len(chain_of(after[0], target)[1])
    return count > 2 or (count == 2 and not caught(*after, target, True, plies))


def plain_ladders(game, state):
    """The two planes, by the definition, for the legal moves of one position."""
    colours = game.board(state)
    board = {(y, x): int(c) % 3 for (y, x), c in np.ndenumerate(colours)}
    retake = np.flatnonzero(game.layout.points == state["ko"][0])  # none if there is no ko: point 0 is wall
    ko = divmod(int(retake[0]), colours.shape[1]) if len(retake) else None
    own = 1 + int(state["turn"][0])
    legal = {divmod(a, colours.shape[1]) for a in np.flatnonzero(game.legal(state)[0, :-1]).tolist()}
    planes = np.zeros((2, *colours.shape), bool)
    for target in (p for p, c in board.items() if c):
        free = chain_of(board, target)[1]
        if board[target] == own and len(free) == 1:
            for p in defences(board, target) & legal:
                planes[1][p] |= lives(board, ko, p, target, MOST_PLIES)
        elif board[target] == 3 - own and len(free) == 2:
            for p in free & legal:
                after = played(board, ko, p, own)
                planes[0][p] |= after is not None and caught(*after, target, False, MOST_PLIES)
    return planes


def random_positions(size, count, most, seed, **rules):
    """Positions of games of random sensible moves, from 1 to `most` plies long."""
    game = Go(size, **rules)
    states, rng = game.new(count), seeds(np.random.default_rng(seed), count)
    going = np.random.default_rng(seed).integers(1, most, count)
    for ply in range(most):
        rows = np.flatnonzero((going > ply) & (game.ending(states) == 0))
        if len(rows):
            now, drawn = states[rows], rng[rows]
            game.play(now, pick(game.sensible(now), drawn))
            states[rows], rng[rows] = now, drawn
    return game, states


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("rules", ["japanese", "tromp-taylor"])  # simple ko without suicide; superko and suicide
def test_random_positions_against_the_plain_reader(size, rules):
    width, height = (size, size) if isinstance(size, int) else size
    game, states = random_positions(size, 40, width * height, 1, rules=rules)
    found = ladder_moves(game, states)
    for i in range(len(states)):
        expected = plain_ladders(game, states[i : i + 1])
        assert (found[i] == expected).all(), game.draw(states[i])
    assert found[:, 0].any()
    assert found[:, 1].any()


def test_random_positions_on_19x19():
    game, states = random_positions(19, 6, 300, 2, rules="japanese")
    found = ladder_moves(game, states)
    for i in range(len(states)):
        assert (found[i] == plain_ladders(game, states[i : i + 1])).all(), game.draw(states[i])
    assert found.any()


@pytest.mark.slow
@pytest.mark.parametrize("size", [*SIZES, 19], ids=str)
def test_many_random_positions_against_the_plain_reader(size):
    width, height = (size, size) if isinstance(size, int) else size
    for rules in ("japanese", "tromp-taylor"):
        game, states = random_positions(size, 4000 // max(width, height), width * height, 3, rules=rules)
        found = ladder_moves(game, states)
        for i in range(len(states)):
            assert (found[i] == plain_ladders(game, states[i : i + 1])).all(), game.draw(states[i])


def turned(diagram):
    """The colours exchanged."""
    return diagram.translate(str.maketrans("XO", "OX"))


def with_stone(diagram, y, x, stone):
    lines = diagram.split()
    lines[y] = lines[y][:x] + stone + lines[y][x + 1 :]
    return " ".join(lines)


def check(diagram, captures="", escapes="", turn="b", **more):
    """The ladder moves are the points of those letters, for the reader and for the plain reader, in both colours."""
    for shown, side in ((diagram, turn), (turned(diagram), "bw"[turn == "b"])):
        game, state = position(shown, side, **more)
        found = ladder_moves(game, state)[0]
        assert points(found[0]) == marked(diagram, captures)
        assert points(found[1]) == marked(diagram, escapes)
        assert (found == plain_ladders(game, state)).all()


LADDER = """
    .........
    ..XX.....
    .XOb.....
    ..a......
    .........
    .........
    .........
    .........
    ......... """  # runs to the lower right


def test_a_ladder_works_from_one_side_only():
    check(LADDER, captures="a")


@pytest.mark.parametrize("breaker", [(3, 3), (4, 4), (6, 6), (6, 7), (7, 7), (2, 3)])
def test_a_stone_on_its_way_breaks_a_ladder(breaker):
    check(with_stone(LADDER, *breaker, "O"))


@pytest.mark.parametrize("stone", [(7, 1), (1, 7), (7, 3), (3, 7)])
def test_a_stone_beside_its_way_does_not(stone):
    check(with_stone(LADDER, *stone, "O"), captures="a")


def test_a_breaker_is_broken_by_a_stone_before_it():
    check(with_stone(with_stone(LADDER, 7, 7, "O"), 5, 5, "X"), captures="a")


def test_the_longest_ladder_is_read_to_its_end():
    rows = ["." * 19 for _ in range(19)]
    rows[:4] = [line + "." * 10 for line in LADDER.split()[:4]]
    check(" ".join(rows), captures="a")
    check(with_stone(" ".join(rows), 17, 17, "O"))


def test_running_from_a_ladder():
    caught_for_good = with_stone(LADDER.replace("a", "X"), 0, 0, ".")
    check(caught_for_good, turn="w")
    check(with_stone(caught_for_good, 7, 7, "O"), escapes="b", turn="w")


def test_taking_an_attacker_in_atari_escapes():
    diagram = """
        .........
        .OXX.....
        aXOb.....
        .OX......
        .........
        .........
        ......... """
    check(diagram, escapes="ab", turn="w")  # after b the stone at the left can still be taken


def test_no_ko_is_retaken_in_a_reading():
    diagram = """
        .XO..
        XObO.
        .XO..
        .O...
        ..... """  # the corner's stone is saved by taking at b alone
    check(diagram, escapes="b")
    check(diagram, ko="C4")


def test_a_ladder_along_the_edge():
    diagram = """
        .......
        ..XX...
        .XOOX..
        ..ab...
        ....... """
    check(diagram, captures="ab")
    check(diagram.replace("..ab...", ".Oab..."))


def test_a_move_can_capture_and_escape():
    check(
        """
        .......
        .XXXX..
        .XOOX..
        XOXaX..
        .O.OO..
        ....... """,
        captures="a",
        escapes="a",
        turn="w",
    )


def test_nothing_is_marked_after_the_end():
    game, state = position(LADDER)
    game.play(state, np.array([81]))
    game.play(state, np.array([81]))
    assert not ladder_moves(game, state).any()


def test_the_planes_are_those_of_the_feature_planes():
    game, states = random_positions(9, 40, 80, 4)
    assert (feature_planes(game, states)[:, 44:46] == ladder_moves(game, states)).all()


@pytest.mark.parametrize("size", [9, 19, (13, 9)], ids=str)
def test_turned_positions_have_turned_ladders(size):
    game, states = random_positions(size, 30, 250 if size == 19 else 90, 5, superko="simple")
    boards = game.colours(states)
    plain, _ = game.set_up(boards, states["turn"])  # without a ko, as the turned ones
    found = ladder_moves(game, plain)
    for symmetry in game.symmetries():
        turned_boards = np.empty_like(boards)
        turned_boards[:, symmetry.actions[:-1]] = boards
        again, _ = game.set_up(turned_boards, states["turn"])
        assert (ladder_moves(game, again) == symmetry.planes(found)).all()
    assert found.any()
