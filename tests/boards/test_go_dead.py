"""Life and death at the end of a game: diagrams whose answer is known, and real games against the result agreed."""

import re
from itertools import islice

import numpy as np
import pytest

from sakiyomi.boards import Position
from sakiyomi.boards.go import Go, dead
from sakiyomi.sgf import Collection, positions


def judged(diagram, rules="japanese"):
    """The names of the dead stones and of those in seki in lines of `.XO`."""
    lines = diagram.split()
    width, height = len(lines[0]), len(lines)
    go = Go(size=(width, height), komi=0, rules=rules)
    state = Position(go, f"{width}x{height} {'/'.join(lines)} b").state
    return tuple({go.move_text(None, int(a)) for a in np.flatnonzero(mask[0])} for mask in go.judge(state))


def mirrored(diagram):
    """The same with the colours exchanged."""
    return diagram.translate(str.maketrans("XO", "OX"))


DEAD_IN_THE_OPEN = """
.........
.X.X.X...
X.X.X....
.O.O..X..
XXXXXXXXX
OOOOOOOOO
.........
..O.O.X..
.O.O..X..
"""  # on neither side can so few stones make two eyes

ALIVE_IN_THE_OPEN = """
.X.X.....
XXXX.....
.........
.........
OO.O.OOOO
.........
..O...O..
.........
"""  # most of the open board is White's, and the corner lives in it

TAKEN_AT_THE_EDGE = """
....OXX.X
....OXX.X
.OOOOXXXX
.XXXO.X..
OO.XOXXXX
OOOOOX.X.
.XO.OXXXX
OOO.OX.X.
"""  # four black stones in one or two liberties, with White all around


@pytest.mark.parametrize("turned", [str, mirrored])
@pytest.mark.parametrize(
    ("diagram", "dead"),
    [
        (DEAD_IN_THE_OPEN, {"B6", "D6", "G1", "G2"}),
        (ALIVE_IN_THE_OPEN, set()),
        (TAKEN_AT_THE_EDGE, {"B5", "C5", "D5", "D4", "B2"}),
    ],
)
def test_dead_stones(diagram, dead, turned):
    assert judged(turned(diagram)) == (dead, set())


SHARED_LIBERTIES = """
.XO.XO.
XXO.XOO
.XOXXO.
XXXOOOO
"""
AN_EYE_EACH = """
.O.X.XO
OOXXXXO
XXXOOOO
OOOO.OO
O.OOOOO
"""  # whoever plays C5 is taken; the Whites below live
AN_EYE_AGAINST_NONE = AN_EYE_EACH.replace("X.X", "XXX")


@pytest.mark.parametrize("turned", [str, mirrored])
def test_chains_that_share_their_last_liberties_are_in_seki(turned):
    assert judged(turned(SHARED_LIBERTIES)) == (set(), {"C2", "C3", "C4", "D2", "E2", "E3", "E4"})


@pytest.mark.parametrize("turned", [str, mirrored])
def test_an_eye_each_is_seki_and_an_eye_against_none_wins(turned):
    black = {"A3", "B3", "C3", "C4", "D4", "E4", "F4", "D5", "F5"}
    assert judged(turned(AN_EYE_EACH)) == (set(), black | {"A4", "B4", "B5"})
    assert judged(turned(AN_EYE_AGAINST_NONE)) == (black | {"E5"}, set())


def boards_of(diagram):
    """[1, H, W] of lines of `.XO`."""
    return np.array([[[".XO".index(mark) for mark in line] for line in diagram.split()]], np.uint8)


@pytest.mark.parametrize(
    ("diagram", "expected"),
    [
        ("X.O X.O", True),
        ("X.O", False),  # who moves takes
        ("X.O X.O OXX", False),  # the other black chain comes to help
        ("X.O. X.O.", False),  # White has liberties to spare
        ("X.O.O X.OOO", False),  # and here an eye
        ("X.X.O.O XXXOOOO", True),
        ("XXXO.O XX.OOO", False),  # nothing is shared
    ],
)
def test_seki_where_playouts_say_nothing(diagram, expected):
    boards = boards_of(diagram)
    _, height, width = boards.shape
    taken, seki = dead.judge(boards, np.zeros(boards.shape), np.zeros((1, 2, height, width), np.int8))
    assert not taken.any()
    assert (seki == (expected & (boards != 0))).all()
    taken, seki = dead.judge(boards, np.full(boards.shape, 0.9), np.zeros((1, 2, height, width), np.int8))
    assert not seki.any()
    assert (taken == (boards == 2)).all()


def test_stones_share_the_fate_of_what_they_can_connect_to():
    boards, alive = boards_of("X.XOX.O"), np.zeros((1, 2, 1, 7), np.int8)
    owners = np.array([[[-0.6, 0.5, 0.6, -0.9, -0.5, -0.5, -0.6]]])
    taken, _ = dead.judge(boards, owners, alive)
    assert np.flatnonzero(taken).tolist() == [4]


def test_proof_goes_before_playouts():
    boards, alive = boards_of("X..X"), np.zeros((1, 2, 1, 4), np.int8)
    for owner, colour, mark, expected in ((1.0, 1, 2, True), (-1.0, 0, 1, False), (-1.0, 0, 0, True)):
        alive[:] = 0
        alive[0, colour, 0, 0] = mark
        taken, _ = dead.judge(boards, np.full(boards.shape, owner), alive)
        assert taken[0, 0, 0] == expected


def test_empty_boards_and_batches():
    go = Go(size=9, rules="japanese")
    assert [mask.shape for mask in go.judge(go.new(0))] == [(0, 81), (0, 81)]
    assert not any(mask.any() for mask in go.judge(go.new(2)))
    rows = [line.split() for line in (DEAD_IN_THE_OPEN, mirrored(DEAD_IN_THE_OPEN))]
    states = np.concatenate([Position(go, f"9x9 {'/'.join(lines)} b").state for lines in rows])
    together, alone = go.judge(states), [go.judge(states[i : i + 1]) for i in range(2)]
    for kind in range(2):
        assert (together[kind] == np.concatenate([one[kind] for one in alone])).all()


def agreed(record):
    """Black's lead that the players of a game under Japanese rules agreed on after two passes; None for others."""
    lead = re.fullmatch(r"([BW])\+(\d+(?:\.\d+)?)", record.result)
    if lead is None or record.setup or record.moves[-2:] != ("pass", "pass"):
        return None
    if "japanese" not in record.tags.get("rules", "").lower() or "komi" not in record.tags:
        return None
    return float(lead[2]) * (1 if lead[1] == "B" else -1)


@pytest.mark.parametrize(
    ("name", "games", "exact", "winners"), [("ogs-9x9-kyu", 60, 50, 54), ("kgs-6d-19x19", 40, 26, 35)]
)
def test_real_games_are_scored_as_their_players_did(records, name, games, exact, winners):
    """Not all can be: some players stop early, and some agree on less than the rules would give."""
    found = (record for record in Collection(records / "go" / f"{name}.tar.xz") if agreed(record) is not None)
    leads = []
    for record in islice(found, games):
        *_, last = positions(record)
        leads.append((last.game.settled_score(last.state)[0], agreed(record)))
    scored, said = np.array(leads).T
    assert len(scored) == games
    assert (scored == said).sum() >= exact
    assert (np.sign(scored) == np.sign(said)).sum() >= winners
