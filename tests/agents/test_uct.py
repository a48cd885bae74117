"""UCT: exact where the game is small, stronger with more simulations, and the same for the same seed."""

import numpy as np
import pytest

from sakiyomi.agents.uct import UCTPlayer, winning_action
from sakiyomi.boards import Budget, Position
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.go import Go
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.tictactoe import TicTacToe


def play(game, first, second):
    position = Position(game)
    while position.outcome() is None:
        position.play((first, second)[position.turn].choose(position, Budget()))
    return position


def test_tictactoe_between_deep_searches_is_drawn():
    for seed in range(3):
        end = play(TicTacToe(), UCTPlayer(2000, seed=seed), UCTPlayer(2000, seed=seed + 100))
        assert end.outcome().winner is None


def test_values_converge_on_the_minimax_value():
    """X to move wins by force (a fork on c1): the search must find the move and a value near 1."""
    position = Position(TicTacToe())
    for move in ["a3", "b3", "a1", "a2"]:
        position.play(move)
    choice = UCTPlayer(5000, seed=1).search(position.game, position.state, Budget())
    assert position.game.move_text(position.state, choice.best) in {"c1", "b2"}
    assert choice.values[choice.best] > 0.9
    assert choice.visits.sum() == 5000


@pytest.mark.parametrize("game", [TicTacToe(), ConnectFour(), Othello(size=6), Go(size=5), Go(size=(4, 6))])
def test_every_game_is_played_to_its_end_and_seeds_reproduce(game):
    games = [play(game, UCTPlayer(30, seed=1), UCTPlayer(100, seed=2)) for _ in range(2)]
    assert games[0].outcome() is not None
    assert games[0].actions == games[1].actions


def test_more_simulations_are_stronger_on_7x7():
    game, wins = Go(size=7, komi=9), 0.0
    for seed in range(10):
        strong, weak = UCTPlayer(400, seed=seed), UCTPlayer(25, seed=seed + 50)
        swapped = seed % 2
        end = play(game, *((weak, strong) if swapped else (strong, weak)))
        wins += end.outcome().winner == swapped
    assert wins >= 8


def test_a_win_at_once_is_played():
    position = Position(ConnectFour())
    for move in ["1213141"][0]:
        position.play(move)
    position.undo()
    actions = position.legal_actions()
    assert position.game.move_text(position.state, winning_action(position.game, position.state, actions)) == "1"


def test_budgets_override_the_players_own_simulations():
    root = Go(size=9).new(1)
    player = UCTPlayer(1000, seed=0)
    assert player.search(Go(size=9), root, Budget(simulations=50)).visits.sum() == 50
    few = player.search(Go(size=9), root, Budget(simulations=100_000, seconds=0.05)).visits.sum()
    assert 0 < few < 100_000


def test_choose_leaves_the_position_alone_and_needs_no_begin():
    position = Position(Go(size=9))
    before = position.state.copy()
    assert UCTPlayer(20).choose(position, Budget()) in position.legal_moves()
    assert (position.state == before).all()
    with pytest.raises(ValueError, match="the game is over"):
        UCTPlayer(20).choose(position.after("pass").after("pass"), Budget())


@pytest.mark.parametrize("settings", [{"simulations": 0}, {"c": -1.0}, {"c": float("nan")}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match=r"uct needs|must be 0 or more"):
        UCTPlayer(**settings)


def test_rng_of_the_game_decides():
    game, moves = Go(size=9), set()
    for seed in (1, 1, 2, 3, 4):
        player = UCTPlayer(10)
        player.begin(game, 0, np.random.default_rng(seed))
        moves.add(player.choose(Position(game), Budget()))
    assert 1 < len(moves) <= 4
