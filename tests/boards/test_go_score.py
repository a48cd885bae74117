"""Scoring, life and death: diagrams whose answer is known, and brute force over all replies for Benson's algorithm."""

import numpy as np
import pytest

from sakiyomi.boards import Position
from sakiyomi.boards.go import Go


def position(diagram, **options):
    """A position from lines of `.XO`, Black to move."""
    lines = diagram.split()
    width, height = len(lines[0]), len(lines)
    return Position(Go(**{"size": (width, height), "komi": 0, **options}), f"{width}x{height} {'/'.join(lines)} b")


def marked(position, mask):
    """The moves' names of the marked points."""
    return {position.game.move_text(None, int(a)) for a in np.flatnonzero(mask)}


SPLIT = """
.X.XO.
XXXXOO
..XXO.
XX.XOO
.XXXO.
"""  # everything lives; Black has 20 points, White 10


def test_area_and_territory_of_a_settled_board():
    assert position(SPLIT).score() == 20 - 10
    assert position(SPLIT, rules="japanese").score() == 6 - 3
    assert position(SPLIT, komi=6.5, rules="japanese").score() == 3 - 6.5


def test_territory_counts_prisoners_and_the_dead():
    text = "5x5 5/XXXXX/5/OOOOO/1X3 w prisoners 3-1"
    go = Go(size=5, komi=0.5, rules="japanese")
    board = Position(go, text)
    dead = np.zeros((1, 25), bool)
    dead[0, 21] = True
    assert board.score() == 5 + 3 - 1 - 0.5  # White's corner is nobody's while the black stone stands in it
    assert go.score(board.state, dead)[0] == 5 + 3 - (5 + 1 + 1) - 0.5
    area = Go(size=5, komi=0.5)
    assert area.score(Position(area, "5x5 5/XXXXX/5/OOOOO/1X3 w").state, dead)[0] == -0.5


@pytest.mark.parametrize(("rules", "expected"), [("chinese", -3 - 7.5), ("aga", -2 - 7.5), ("tromp-taylor", -7.5)])
def test_handicap_compensation(rules, expected):
    go = Go(size=9, rules=rules)
    states = go.handicap(3)
    assert go.turn(states)[0] == 1
    assert go.score(states)[0] == 81 + expected
    assert go.position_text(states).endswith("w handicap 3")
    assert (go.parse_position(go.position_text(states)) == states).all()


def test_fixed_handicap_points():
    go = Go(size=19)
    state = go.handicap(9)
    names = {go.move_text(None, int(a)) for a in np.flatnonzero(go.colours(state)[0])}
    assert names == {"D4", "Q4", "D16", "Q16", "D10", "Q10", "K4", "K16", "K10"}
    assert np.flatnonzero(Go(size=9).colours(Go(size=9).handicap(2))[0]).tolist() == [24, 56]  # G7, C3
    for size, stones in ((19, 1), (19, 10), (8, 5), (6, 2)):
        with pytest.raises(ValueError, match="handicap"):
            Go(size=size).handicap(stones)


def test_benson_knows_two_eyes_from_one():
    board = position(SPLIT)
    black, white = board.game.pass_alive(board.state)[0]
    assert ((black == 1) == (board.game.colours(board.state)[0] == 1)).all()
    assert ((white == 1) == (board.game.colours(board.state)[0] == 2)).all()
    one_eye = position(".XO.. XXO.. OOO.. ..... .....")
    assert not one_eye.game.pass_alive(one_eye.state)[0, 0].any()


def unconditionally_alive(go, state, colour):
    """Brute force: stones of `colour` that the opponent cannot capture, playing as long as he likes against passes."""
    start = go.colours(state)[0]
    alive = start == colour
    seen, todo = {start.tobytes()}, [start]
    while todo:
        boards = np.array(todo)
        for board in boards:
            alive &= board == colour
        states, _ = go.set_up(boards, np.full(len(boards), 2 - colour))
        rows, actions = np.nonzero(go.legal(states)[:, :-1])
        states = states[rows]
        go.play(states, actions)
        todo = []
        for board in go.colours(states):
            if board.tobytes() not in seen:
                seen.add(board.tobytes())
                todo.append(board)
    return alive


@pytest.mark.parametrize("suicide", [False, True])
@pytest.mark.parametrize("size", [(3, 3), (4, 3)])
def test_benson_is_what_the_opponent_cannot_capture_by_moving_alone(size, suicide):
    """Benson's theorem, on boards drawn at random: his algorithm against exhaustive attack."""
    go = Go(size=size, superko="simple", suicide=suicide)
    rng = np.random.default_rng(3)
    found = checked = 0
    while checked < 60:
        board = rng.choice([0, 1, 1, 1, 2], size=(1, go.layout.area)).astype(np.uint8)
        state, valid = go.set_up(board, np.array([0]))
        if not valid[0]:
            continue
        checked += 1
        alive = go.pass_alive(state)[0, 0] == 1
        assert (alive == unconditionally_alive(go, state, 1)).all(), go.draw(state)
        found += alive.any()
    assert found > 3


DEAD_IN_CORNER = """
.X.X.....
XXXX.....
.........
XXXXXXXXX
OOOOOOOOO
.........
...X.....
..OO.OOOO
..O.O.O..
"""
SEKI = """
.XO.XO.
XXO.XOO
.XOXXO.
XXXOOOO
"""  # the chains of C and D-E share D3 and D4: whoever plays there is taken


def test_dead_stones_are_found_by_playouts():
    board = position(DEAD_IN_CORNER, rules="japanese")
    dead, _ = board.game.judge(board.state)
    assert marked(board, dead[0]) == {"D3"}
    again, _ = board.game.judge(board.state)
    assert (dead == again).all()
    assert board.game.settled_score(board.state)[0] == board.game.score(board.state, dead)[0]


def test_seki_stones_are_neither_dead_nor_territory():
    board = position(SEKI, rules="japanese")
    dead, seki = board.game.judge(board.state)
    assert not dead.any()
    assert marked(board, seki[0]) == {"C2", "C3", "C4", "D2", "E2", "E3", "E4"}
    assert board.game.settled_score(board.state)[0] == 2 - 2


def test_an_eye_in_seki_is_no_territory():
    go = Go(size=(3, 1), komi=0, rules="japanese")
    states = go.parse_position("3x1 1X1 b")
    assert go.score(states)[0] == 2
    assert go.score(states, seki=np.array([[False, True, False]]))[0] == 0


def test_stones_in_a_pass_alive_region_are_dead():
    board = position(SPLIT.replace("..XXO.", "O.XXO."))
    dead, seki = board.game.judge(board.state)
    assert marked(board, dead[0]) == {"A3"}
    assert not seki.any()


def test_judging_turns_with_the_board():
    """Playouts are random, but a mirrored position gets the mirrored answer."""
    go = Go(size=5, rules="japanese")
    rng = np.random.default_rng(5)
    boards = rng.choice([0, 1, 2], size=(40, 25), p=[0.4, 0.3, 0.3]).astype(np.uint8)
    states, valid = go.set_up(boards, np.zeros(40, int))
    owners = go.owners(states[valid], 8)
    for symmetry in go.symmetries():
        turned = np.empty_like(boards)
        turned[:, symmetry.actions[:-1]] = boards
        image, _ = go.set_up(turned, np.ones(40, int))
        expected = np.empty_like(owners)
        expected[:, symmetry.actions[:-1]] = owners
        assert (go.owners(image[valid], 8) == expected).all()
