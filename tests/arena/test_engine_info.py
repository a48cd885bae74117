"""What players think, as the lines of UCI and USI."""

import pytest

from sakiyomi.arena.serving.info import centipawns, info
from sakiyomi.boards import Position
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.player import Thought
from sakiyomi.boards.shogi import Shogi


@pytest.mark.parametrize(
    ("thought", "line"),
    [
        (Thought(("e2e4", "e2e4"), 0.0), "info depth 1 score cp 0 nodes 0 nps 0 time 0 pv e2e4"),
        (Thought((), centipawns=-31, value=0.5, depth=9), "info depth 9 score cp -31 nodes 0 nps 0 time 0"),
        (
            Thought(("x",), centipawns=9, mate=-2, nodes=5, seconds=1),
            "info depth 1 score mate -2 nodes 5 nps 5 time 1000",
        ),
        (Thought(("e4", "e7-e5", "Nf3")), "info depth 1 nodes 0 nps 0 time 0 pv e2e4 e7e5 g1f3"),
    ],
)
def test_thoughts_as_lines(thought, line):
    assert info(thought, Position(Chess())) == line


def test_centipawns_of_values():
    """A lead of 100 centipawns is an expected score of 64.0 %, one of 400 of 10/11 (win expectation of 400 points)."""
    assert [centipawns(value) for value in (0, 2 * 10 / 11 - 1, 1 - 2 * 10 / 11, 2 * 0.64006 - 1)] == [
        0,
        400,
        -400,
        100,
    ]
    assert centipawns(1.0) == -centipawns(-1.0) == 1720


@pytest.mark.parametrize(("mate", "plies"), [(1, 1), (3, 5), (-1, -2), (-2, -4)])
def test_mates_are_told_in_plies(mate, plies):
    told = info(Thought(("7g7f",), mate=mate), Position(Shogi()), mate_in_plies=True)
    assert told == f"info depth 1 score mate {plies} nodes 0 nps 0 time 0 pv 7g7f"
