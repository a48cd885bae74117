"""The random and the greedy player, and what all simple players have in common."""

import subprocess
import sys

import numpy as np
import pytest

import sakiyomi.agents
from sakiyomi.agents import AlphaBetaPlayer, GreedyPlayer, PerfectPlayer, RandomPlayer
from sakiyomi.boards import Budget, Player, Position
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.go import Go
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.tictactoe import TicTacToe

PLAYERS = [RandomPlayer, GreedyPlayer, AlphaBetaPlayer, PerfectPlayer]
SMALL = [TicTacToe(), ConnectFour(), Othello(size=6)]


def play(game, players, seed):
    """One game between `players`; the position at its end."""
    rng = np.random.default_rng(seed)
    for side, player in enumerate(players):
        player.begin(game, side, rng)
    position = Position(game)
    while position.outcome() is None:
        position.play(players[position.turn].choose(position, Budget()))
    return position


def points(game, player, opponent, games):
    """What `player` makes of `games` games with alternating colours, 1 a win and 1/2 a draw."""
    total = 0.0
    for seed in range(games):
        side = seed % 2
        winner = play(game, (opponent, player) if side else (player, opponent), seed).outcome().winner
        total += 0.5 if winner is None else float(winner == side)
    return total


@pytest.mark.parametrize("make", PLAYERS)
def test_players_keep_the_protocol(make):
    """A legal move without any `begin`, the position untouched; the same moves from the same random numbers."""
    player: Player = make()
    assert player.name.split(":")[0] in ("random", "greedy", "alphabeta", "perfect")
    for game in SMALL:
        position = Position(game)
        for move in position.legal_moves()[:1]:
            position.play(move)
        before, past = position.state.copy(), position.actions
        assert player.choose(position, Budget()) in position.legal_moves()
        assert np.all(position.state == before)
        assert position.actions == past
    first, second = (play(TicTacToe(), (make(), make()), seed=3).actions for _ in range(2))
    assert first == second
    player.close()


@pytest.mark.parametrize("make", PLAYERS)
def test_no_move_after_the_end(make):
    with pytest.raises(ValueError, match="the game is over in XXX/OO"):
        make().choose(Position(TicTacToe(), "XXX/OO./..."), Budget())


def test_random_is_uniform_over_legal_moves():
    position, player = Position(TicTacToe(), "X.O/.X./..."), RandomPlayer(seed=0)
    moves = [player.choose(position, Budget()) for _ in range(3000)]
    counts = [moves.count(move) for move in position.legal_moves()]
    assert sum(counts) == 3000
    assert np.all(abs(np.array(counts) - 500) < 5 * np.sqrt(500))


def test_random_plays_everything_to_the_end():
    for game in (*SMALL, Othello(), Go(size=5)):
        assert play(game, (RandomPlayer(), RandomPlayer()), seed=1).outcome() is not None


@pytest.mark.parametrize(
    ("game", "text", "moves"),
    [
        (TicTacToe(), "XX./OO./...", {"c3"}),
        (TicTacToe(), "XO./.O./..X", {"b1"}),
        (ConnectFour(), "......./......./......./X....../X..O.../X..OO..", {"1"}),
        (ConnectFour(), "......./......./......./O....../O....../O.XXX..", {"2", "6"}),
        (ConnectFour(), "......./......./......./......./O....../OXXX..O", {"5"}),
        (ConnectFour(), "......./......./......./X....../X....../X.OO.O.", {"1"}),
        (ConnectFour(), "......./......./......./......./X....../XXX.OOO", {"4"}),
    ],
)
def test_greedy_wins_or_parries(game, text, moves):
    for seed in range(5):
        assert GreedyPlayer(seed=seed).choose(Position(game, text), Budget()) in moves


def test_greedy_does_not_build_the_opponents_win():
    """A disc of X in column 4 would let O complete the second row on top of it."""
    position = Position(ConnectFour(), "......./......./......./......./OOO..../XXO.XX.")
    assert position.turn == 0
    assert position.after("4").after("4").outcome().winner == 1
    chosen = {GreedyPlayer(seed=seed).choose(position, Budget()) for seed in range(60)}
    assert chosen == set("123567")


def test_greedy_takes_corners():
    position = Position(Othello(), ".OX...../......../......../...OX.../...XO.../......../......../........ X")
    assert "a1" in position.legal_moves()
    assert GreedyPlayer(seed=0).choose(position, Budget()) == "a1"


def test_greedy_captures_and_passes_in_go():
    game = Go(size=5, komi=0.5)
    position = Position(game)
    for move in ("C3", "C4", "B4", "B1", "D4", "E1"):
        position.play(move)
    before = np.count_nonzero(position.board() == -1)
    position.play(GreedyPlayer(seed=1).choose(position, Budget()))
    assert position.actions[-1] == game.parse_move(position.state, "C5")
    assert np.count_nonzero(position.board() == -1) == before - 1


def test_greedy_go_ends():
    """Its games end by passes well before the move limit, and it does not pass a game away that it could win."""
    for seed in range(4):
        position = play(Go(size=5), (GreedyPlayer(), GreedyPlayer()), seed)
        assert position.outcome().ending.text == "two passes"
        assert position.ply < 100


@pytest.mark.parametrize("rules", ["tromp-taylor", "japanese"])
def test_greedy_beats_random_at_go(rules):
    assert points(Go(size=7, rules=rules, komi=0.5), GreedyPlayer(), RandomPlayer(), 12) >= 10


@pytest.mark.parametrize(("name", "games", "least"), [("tictactoe", 60, 45), ("connect4", 40, 33), ("othello", 20, 15)])
def test_greedy_beats_random(name, games, least):
    assert points(make_game(name), GreedyPlayer(), RandomPlayer(), games) >= least


def test_names_are_imported_when_used():
    program = (
        "import sys, sakiyomi.agents; assert 'sakiyomi.agents.greedy' not in sys.modules; sakiyomi.agents.GreedyPlayer"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert set(dir(sakiyomi.agents)) == set(sakiyomi.agents.__all__)
    assert all(getattr(sakiyomi.agents, name).__name__ == name for name in sakiyomi.agents.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Oracle'"):
        _ = sakiyomi.agents.Oracle
