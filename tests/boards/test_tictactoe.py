"""Tic-tac-toe: known counts, and the notation."""

import numpy as np
import pytest

from sakiyomi.boards import BadNotation, Ending, IllegalMove, Position
from sakiyomi.boards.random import seeds
from sakiyomi.boards.tictactoe import TicTacToe

GAME = TicTacToe()


def test_perft():
    """The 255,168 games by length: 1440, 5328, 47952, 72576 and 127872 end after 5, 6, 7, 8 and 9 plies."""
    assert [Position(GAME).perft(depth) for depth in range(10)] == [
        1, 9, 72, 504, 3024, 15120, 54720, 148176, 200448, 127872,
    ]  # fmt: skip


def test_reachable_positions():
    level, reached, results = GAME.new(1), 1, []
    while level.size:
        rows, actions = np.nonzero(GAME.legal(level))
        after = level[rows]
        GAME.play(after, actions)
        level = np.unique(after)
        reached += len(level)
        results += GAME.result(level)[GAME.ending(level) != Ending.ONGOING].tolist()
    assert reached == 5478
    assert (results.count(1), results.count(-1), results.count(0)) == (626, 316, 16)


def test_a_game():
    position = Position(GAME)
    for move in ("b2", "a1", "c3", "a3", "a2", "c2", "b3", "b1"):
        position.play(move)
    assert str(position) == "3 O X X\n2 X X O\n1 O O .\n  a b c"
    assert position.outcome() is None
    position.play("c1")
    outcome = position.outcome()
    assert outcome is not None
    assert (outcome.winner, outcome.ending) == (None, Ending.FULL_BOARD)
    with pytest.raises(IllegalMove, match=r"illegal move a1 in OXX/XXO/OOX: the game has ended \(full board\)"):
        position.play("a1")


def test_line_wins():
    position = Position(GAME, "XX./OO./...")
    with pytest.raises(IllegalMove, match="the square is taken"):
        position.play("a3")
    position.play("c3")
    outcome = position.outcome()
    assert outcome is not None
    assert (outcome.winner, outcome.ending) == (0, Ending.LINE)
    assert position.legal_moves() == []


def test_random_play_wins_as_often_as_known():
    """Uniform random play: X wins 737/1260, O 121/420 and 8/63 are drawn."""
    results = GAME.rollout(GAME.new(20_000), seeds(np.random.default_rng(0), 20_000))
    for result, share in ((1, 737 / 1260), (-1, 121 / 420), (0, 8 / 63)):
        assert abs((results == result).mean() - share) < 0.015


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("XX./OO.", "rows like"),
        ("XX./OO./..A", "rows like"),
        ("XXX/.../...", "cannot arise"),
        ("OO./X../...", "cannot arise"),
        ("XXX/OO./O..", "cannot arise"),
        ("XXX/OOO/...", "cannot arise"),
    ],
)
def test_bad_positions(text, reason):
    with pytest.raises(BadNotation, match=reason) as caught:
        Position(GAME, text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("move", ["d1", "a4", "11", "pass", "", "a1 "[::-1] + "x"])
def test_bad_moves(move):
    with pytest.raises(BadNotation, match="as in b2"):
        Position(GAME).play(move)
