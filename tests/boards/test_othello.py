"""Othello against a plain implementation on lists, known counts, and the notation."""

import numpy as np
import pytest

from sakiyomi.boards import BadNotation, Ending, IllegalMove, Position
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.random import seeds
from sakiyomi.boards.rollout import rollout_by_playing

GAME = Othello()
SIZES = [6, 8]


class Squares:
    """The rules written out on a list of rows: 1 Black, -1 White, 0 empty."""

    def __init__(self, size):
        self.size = size
        self.rows = [[0] * size for _ in range(size)]
        self.mover = 1
        low, high = size // 2 - 1, size // 2
        self.rows[low][low] = self.rows[high][high] = -1
        self.rows[low][high] = self.rows[high][low] = 1

    def flips(self, x, y, mover):
        turned = []
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                run, px, py = [], x + dx, y + dy
                while 0 <= px < self.size and 0 <= py < self.size and self.rows[py][px] == -mover:
                    run.append((px, py))
                    px, py = px + dx, py + dy
                if 0 <= px < self.size and 0 <= py < self.size and self.rows[py][px] == mover:
                    turned += run
        return turned

    def moves(self, mover):
        squares = [(x, y) for y in range(self.size) for x in range(self.size) if self.rows[y][x] == 0]
        return [y * self.size + x for x, y in squares if self.flips(x, y, mover)]

    def legal(self):
        if moves := self.moves(self.mover):
            return moves
        return [self.size**2] if self.moves(-self.mover) else []

    def play(self, action):
        y, x = divmod(action, self.size)
        if y < self.size:
            for px, py in [*self.flips(x, y, self.mover), (x, y)]:
                self.rows[py][px] = self.mover
        self.mover = -self.mover


@pytest.mark.parametrize(
    ("size", "counts"),
    [(8, [1, 4, 12, 56, 244, 1396, 8200, 55092]), (6, [1, 4, 12, 56, 244, 1364, 7604, 47740])],
)
def test_perft(size, counts):
    """The known counts for 8x8, in which a pass is a ply; those of 6x6 begin as the plain rules below count them."""
    assert [Position(Othello(size)).perft(depth) for depth in range(8)] == counts


@pytest.mark.slow
def test_deep_perft():
    """The first passes come at depth 9."""
    assert [Position(GAME).perft(depth) for depth in (8, 9)] == [390_216, 3_005_288]


def test_small_perft_by_plain_rules():
    def count(plain, depth):
        if depth == 0:
            return 1
        total = 0
        for action in plain.legal():
            after = Squares(plain.size)
            after.rows, after.mover = [row.copy() for row in plain.rows], plain.mover
            after.play(action)
            total += count(after, depth - 1)
        return total

    assert [count(Squares(6), depth) for depth in range(6)] == [1, 4, 12, 56, 244, 1364]


@pytest.mark.parametrize("size", SIZES)
def test_random_games_agree_with_lists(size):
    game, rng = Othello(size), np.random.default_rng(size)
    passes, endings = 0, []
    for _ in range(60):
        position, plain = Position(game), Squares(size)
        while legal := plain.legal():
            assert position.legal_actions().tolist() == legal
            assert position.board().tolist() == plain.rows
            assert position.turn == (0 if plain.mover == 1 else 1)
            assert position.outcome() is None
            action = int(rng.choice(legal))
            passes += action == size**2
            position.play(action)
            plain.play(action)
        assert position.board().tolist() == plain.rows
        outcome, lead = position.outcome(), sum(map(sum, plain.rows))
        assert outcome is not None
        assert outcome.winner == (0 if lead > 0 else 1 if lead < 0 else None)
        endings.append(outcome.ending)
    assert passes > 10
    assert Ending.FULL_BOARD in endings
    assert size == 6 or Ending.NO_MOVES in endings


@pytest.mark.parametrize("size", SIZES)
def test_rollout_is_random_play(size):
    """The kernel draws like the plain loop over the facade, from any position, passes and ended games included."""
    game, rng = Othello(size), np.random.default_rng(0)
    states = game.new(200)
    for _ in range(size * size - 7):
        legal = game.legal(states)
        rows = np.flatnonzero(legal.any(axis=1))
        moved = states[rows]
        game.play(moved, np.array([rng.choice(np.flatnonzero(mask)) for mask in legal[rows]], np.int32))
        states[rows] = moved
    assert game.legal(states)[:, -1].any()
    words = seeds(rng, 200)
    again = words.copy()
    assert np.array_equal(game.rollout(states, words), rollout_by_playing(game, states, again))
    assert np.array_equal(words, again)


def test_wiped_out():
    """A side without discs has lost, whatever is empty."""
    position = Position(GAME, "......../......../......../...XO.../......../......../......../........ X")
    position.play("f4")
    outcome = position.outcome()
    assert outcome is not None
    assert (outcome.winner, outcome.ending) == (0, Ending.NO_MOVES)


def test_pass_is_a_move_only_where_forced():
    position = Position(GAME)
    with pytest.raises(IllegalMove, match="a side that can move may not pass"):
        position.play("pass")
    position = Position(GAME, "XO....../......../......../......../......../......../......../........ O")
    assert position.legal_moves() == ["pass"]
    position.play("pass")
    assert (position.turn, position.legal_moves()) == (0, ["c1"])


def test_notation():
    position = Position(GAME)
    assert position.legal_moves() == ["d3", "c4", "f5", "e6"]
    position.play(" F5 ")
    assert position.text() == "......../......../......../...OX.../...XXX../......../......../........ O"
    assert str(position).splitlines()[0] == "  a b c d e f g h"
    assert str(position).splitlines()[5] == "5 . . . X X X . ."
    with pytest.raises(IllegalMove, match="the square is taken"):
        position.play("f5")
    with pytest.raises(IllegalMove, match="no disc would be turned over"):
        position.play("a1")
    for move in ("i1", "a9", "", "d", "5f", "d33"):
        with pytest.raises(BadNotation, match="a column a-h and a row 1-8"):
            position.play(move)
    with pytest.raises(BadNotation, match="a column a-f and a row 1-6"):
        Position(Othello(size=6)).play("g1")


@pytest.mark.parametrize(
    "text",
    [
        "......../......../......../...OX.../...XO.../......../......../........",
        "......../......../......../...OX.../...XO.../......../........ X",
        "......../......../......../...OX.../...XO.../......../......../........ Z",
        "......../......../......../...OX.../...XO.../......../......../....... X",
        "......./......../......../...OX.../...XO.../......../......../........ . X",
        "////////////// X",
    ],
)
def test_bad_positions(text):
    with pytest.raises(BadNotation, match=r"8 rows of 8 .* the side to move") as caught:
        Position(GAME, text)
    assert repr(text) in str(caught.value)


def test_sizes():
    assert (Othello(size=6).name, Othello().name) == ("othello-6x6", "othello")
    with pytest.raises(ValueError, match="6x6 or 8x8, got size 7"):
        Othello(size=7)


@pytest.mark.parametrize(("size", "total", "word"), [(6, -121, 0xF573E3BF4F3B9812), (8, -71, 0x3ED5744F19E8FBE3)])
def test_bench_signature(size, total, word):
    """One pair of numbers that pins rules, rollout and random numbers together."""
    game, words = Othello(size), seeds(np.random.default_rng(7), 1000)
    assert int(game.rollout(game.new(1000), words).sum()) == total
    assert int(np.bitwise_xor.reduce(words)) == word
