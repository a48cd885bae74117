"""Connect Four against a plain implementation on lists, known counts, and the notation."""

import numpy as np
import pytest

from sakiyomi.boards import BadNotation, Ending, IllegalMove, Position
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.connect4_rules import has_four, threats
from sakiyomi.boards.random import seeds
from sakiyomi.boards.rollout import rollout_by_playing

GAME = ConnectFour()


class Columns:
    """The rules written out on lists of discs, one list a column."""

    def __init__(self):
        self.columns = [[] for _ in range(7)]
        self.turn = 0

    def at(self, x, y):
        return self.columns[x][y] if 0 <= x < 7 and 0 <= y < len(self.columns[x]) else None

    def winner(self):
        for x in range(7):
            for y in range(6):
                for dx, dy in ((1, 0), (0, 1), (1, 1), (1, -1)):
                    four = {self.at(x + n * dx, y + n * dy) for n in range(4)}
                    if len(four) == 1 and None not in four:
                        return four.pop()
        return None

    def legal(self):
        return [] if self.winner() is not None else [x for x in range(7) if len(self.columns[x]) < 6]

    def play(self, x):
        self.columns[x].append(self.turn)
        self.turn = 1 - self.turn

    def board(self):
        return [[{None: 0, 0: 1, 1: -1}[self.at(x, 5 - y)] for x in range(7)] for y in range(6)]


def test_perft():
    """The known counts; games that end earlier count no further."""
    assert [Position(GAME).perft(depth) for depth in range(8)] == [1, 7, 49, 343, 2401, 16807, 117649, 823536]


@pytest.mark.slow
def test_deep_perft():
    assert Position(GAME).perft(8) == 5_673_234


def test_random_games_agree_with_lists():
    rng = np.random.default_rng(4)
    endings = []
    for _ in range(40):
        position, plain = Position(GAME), Columns()
        while True:
            assert position.legal_actions().tolist() == plain.legal()
            assert position.board().tolist() == plain.board()
            assert position.turn == plain.turn
            outcome = position.outcome()
            if not plain.legal():
                assert outcome is not None
                assert outcome.winner == plain.winner()
                endings.append(outcome.ending)
                break
            assert outcome is None
            action = int(rng.choice(plain.legal()))
            position.play(action)
            plain.play(action)
    assert Ending.LINE in endings


def test_full_board_is_a_draw():
    text = "OXOXOXO/OXOXOXO/XOXOXOX/XOXOXOX/OXOXOXO/OXOXOX."
    with pytest.raises(BadNotation, match="stands on an empty square"):
        Position(GAME, text)
    position = Position(GAME, "OXOXOX./OXOXOXO/XOXOXOX/XOXOXOX/OXOXOXX/OXOXOXO")
    assert position.legal_moves() == ["7"]
    position.play("7")
    outcome = position.outcome()
    assert outcome is not None
    assert (outcome.winner, outcome.ending) == (None, Ending.FULL_BOARD)


LINES = [
    [(x + n * dx, y + n * dy) for n in range(4)]
    for dx, dy in ((1, 0), (0, 1), (1, 1), (1, -1))
    for x in range(7)
    for y in range(6)
    if 0 <= x + 3 * dx < 7 and 0 <= y + 3 * dy < 6
]


def board_of(squares):
    return np.uint64(sum(1 << 7 * x + y for x, y in squares))


def test_lines():
    """Each of the 69 lines is seen, and nothing that runs round an edge."""
    assert len(LINES) == 69
    assert all(has_four(board_of(line)) for line in LINES)
    rng = np.random.default_rng(0)
    for density in (0.3, 0.5, 0.7):
        for _ in range(60):
            stones = {(x, y) for x in range(7) for y in range(6) if rng.random() < density}
            assert has_four(board_of(stones)) == any(stones.issuperset(line) for line in LINES)
            completing = {
                square
                for line in LINES
                for square in (line if line[0][0] < line[3][0] else line[3:])  # an upright one grows at the top only
                if square not in stones and stones.issuperset({*line} - {square})
            }
            assert threats(board_of(stones), board_of(stones)) == board_of(completing)


def test_rollout_is_random_play():
    """The kernel draws like the plain loop over the facade, from any position, ended ones too."""
    start, rng = GAME.new(300), np.random.default_rng(0)
    GAME.rollout(start, seeds(rng, 300))
    paths = rng.integers(0, 7, (300, 30)).astype(np.int32)
    states = GAME.new(300)
    for column in paths.T[:20]:
        playable = GAME.legal(states)[np.arange(300), column]
        moved = states[playable]
        GAME.play(moved, column[playable])
        states[playable] = moved
    assert (GAME.ending(states) == Ending.LINE).sum() > 20
    words = seeds(rng, 300)
    again = words.copy()
    assert np.array_equal(GAME.rollout(states, words), rollout_by_playing(GAME, states, again))
    assert np.array_equal(words, again)


def test_notation():
    position = Position(GAME)
    for move in ("4", "d", "D3", "a1", " 5 "):
        position.play(move)
    assert position.text() == "......./......./......./...X.../...O.../O..XX.."
    assert str(position).splitlines()[-2:] == ["O . . X X . .", "1 2 3 4 5 6 7"]
    with pytest.raises(BadNotation, match="a disc in column d falls to row 4"):
        position.play("d3")
    for move in ("8", "0", "h", "d7", "", "44", "pass"):
        with pytest.raises(BadNotation, match="a column 1-7 is wanted"):
            position.play(move)
    position = Position(GAME, "...O.../...X.../...O.../...X.../...O.../...X...")
    with pytest.raises(IllegalMove, match="the column is full"):
        position.play("4")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("......./......./.......", "six rows of seven"),
        ("......./......./......./......./......./...Y...", "six rows of seven"),
        ("......./......./......./......./...X.../.......", "stands on an empty square"),
        ("......./......./......./......./......./.XX....", "turns alternate"),
        ("......./......./......./......./......./.OO.X..", "turns alternate"),
        ("......./......./......./......./OOO..../XXXX..O", "ended before the last move"),
    ],
)
def test_bad_positions(text, reason):
    with pytest.raises(BadNotation, match=reason) as caught:
        Position(GAME, text)
    assert repr(text) in str(caught.value)


def test_bench_signature():
    """One number that pins rules, rollout and random numbers together."""
    words = seeds(np.random.default_rng(7), 1000)
    assert int(GAME.rollout(GAME.new(1000), words).sum()) == 101
    assert int(np.bitwise_xor.reduce(words)) == 0xF44050931229F05D
