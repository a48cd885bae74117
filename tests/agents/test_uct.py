"""UCT: exact where the game is small, stronger with more simulations, and the same for the same seed."""

import time
from threading import Event, Timer

import numpy as np
import pytest

from sakiyomi.agents.uct import UCTPlayer, winning_action
from sakiyomi.boards import Budget, Position, rows
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.game import IllegalMove
from sakiyomi.boards.go import Go
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.shogi import Shogi
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


@pytest.mark.parametrize("value", [0, 2.5, True, float("nan"), "9", None])
def test_counts_that_are_none_are_refused(value):
    with pytest.raises(ValueError, match=r"the simulations of uct must be a whole number of 1 or more, got"):
        UCTPlayer(value)
    with pytest.raises(ValueError, match=r"the tree of uct must be a whole number of 1 or more megabytes, got"):
        UCTPlayer(megabytes=value)


@pytest.mark.parametrize("c", [-1.0, float("nan"), float("inf"), True, "1"])
def test_weights_that_are_none_are_refused(c):
    with pytest.raises(ValueError, match=r"the exploration weight c of uct must be a finite number of 0 or more, got"):
        UCTPlayer(c=c)


def test_rng_of_the_game_decides():
    game, moves = Go(size=9), set()
    for seed in (1, 1, 2, 3, 4):
        player = UCTPlayer(10)
        player.begin(game, 0, np.random.default_rng(seed))
        moves.add(player.choose(Position(game), Budget()))
    assert 1 < len(moves) <= 4


# --- watched, restricted and stopped


def think(player, position, budget, moves=None, stop=None):
    """The move, and the thoughts that were told."""
    told = []
    move = player.think(position, budget, moves=moves, stop=stop or Event(), tell=told.append)
    return move, told


@pytest.mark.parametrize(
    "game", [Chess(), Go(size=5), Othello(size=6), Shogi(), TicTacToe()], ids=lambda game: game.name
)
def test_thoughts_are_of_the_search(game):
    position = Position(game)
    move, told = think(UCTPlayer(seed=3), position, Budget(1000))
    assert [thought.nodes for thought in told[:3]] == [15, 30, 60]
    assert told[-1].nodes == 1000
    assert told[-1].line[0] == move == UCTPlayer(seed=3).choose(position, Budget(1000))
    for thought in told:
        line = position.copy()
        for expected in thought.line:
            line.play(expected)
        assert thought.depth == len(thought.line) > 0
        assert -1 <= thought.value <= 1
    assert len(told[-1].line) > 1
    seconds = [thought.seconds for thought in told]
    assert seconds == sorted(seconds)


def test_a_thought_agrees_with_the_choice():
    position = Position(ConnectFour())
    _, told = think(UCTPlayer(seed=1), position, Budget(500))
    choice = UCTPlayer(seed=1).search(position.game, position.state, Budget(500))
    assert told[-1].value == choice.values[choice.best]


def test_without_limits_only_the_stop_ends_a_search():
    stop = Event()
    timer = Timer(0.3, stop.set)
    started = time.monotonic()
    timer.start()
    move, told = think(UCTPlayer(1), Position(Chess()), Budget(), stop=stop)
    assert 0.3 <= time.monotonic() - started < 20
    assert told[-1].nodes > 100
    assert move == told[-1].line[0]


def test_a_search_that_is_stopped_before_it_begins_has_a_move():
    stop = Event()
    stop.set()
    move, told = think(UCTPlayer(), Position(Chess()), Budget(), stop=stop)
    assert [thought.line[0] for thought in told] == [move]


def test_only_the_given_moves_are_considered():
    position = Position(Chess())
    for _ in range(3):
        move, told = think(UCTPlayer(), position, Budget(200), ["a2a3", "Nh3"])
        assert {move, *(thought.line[0] for thought in told)} <= {"a2a3", "g1h3"}
    mate = Position(Chess(), "6k1/5ppp/8/8/8/8/5PPP/3R2K1 w - - 0 1")
    assert think(UCTPlayer(), mate, Budget(50), ["d1d7"])[0] == "d1d7"
    with pytest.raises(IllegalMove):
        think(UCTPlayer(), position, Budget(50), ["e2e5"])
    with pytest.raises(ValueError, match="the list of moves is empty"):
        think(UCTPlayer(), position, Budget(50), [])


def test_a_senseless_move_is_considered_if_no_other_is_given():
    position = Position(Go(size=3))
    for move in ("A2", "pass", "B2", "pass", "B1", "pass", "C2", "pass"):
        position.play(move)
    assert position.after("A1").turn == 1
    assert think(UCTPlayer(), position, Budget(30), ["A1"])[0] == "A1"
    assert "A1" not in {think(UCTPlayer(seed=seed), position, Budget(30))[0] for seed in range(5)}


def test_a_mate_at_once_is_told():
    position = Position(Chess(), "6k1/5ppp/8/8/8/8/5PPP/3R2K1 w - - 0 1")
    move, (thought,) = think(UCTPlayer(), position, Budget())
    assert (move, thought.line, thought.mate, thought.value) == ("d1d8", ("d1d8",), 1, 1.0)
    row = Position(TicTacToe())
    for played in ("a1", "a2", "b1", "b2"):
        row.play(played)
    _, (thought,) = think(UCTPlayer(), row, Budget())
    assert (thought.line, thought.mate, thought.value) == (("c1",), None, 1.0)


def test_a_depth_bounds_the_tree():
    for depth in (1, 2):
        _, told = think(UCTPlayer(seed=1), Position(TicTacToe()), Budget(2000, depth=depth))
        assert len(told[-1].line) == depth


def test_a_full_tree_ends_the_search():
    _, told = think(UCTPlayer(megabytes=1), Position(Chess()), Budget(100_000))
    assert 500 < told[-1].nodes < 3000


def test_threads_are_those_of_the_process():
    player, before = UCTPlayer(), rows.threads()
    try:
        player.threads = 1
        assert player.threads == rows.threads() == 1
    finally:
        rows.set_threads(0)
    assert player.threads == before


def test_its_thought_is_what_the_tree_holds():
    player, position = UCTPlayer(300, seed=3), Position(Go(size=5))
    assert player.thought is None
    move = player.choose(position, Budget())
    before = player.thought
    position.play(move)
    assert player.thought is before
    assert (before.line[0], before.nodes) == (move, 300)
    assert sum(candidate.visits for candidate in before.candidates) == 300
    visits = [candidate.visits for candidate in before.candidates]
    assert visits == sorted(visits, reverse=True)
    assert before.value == before.candidates[0].value
    for candidate in before.candidates:
        at = Position(Go(size=5))
        assert candidate.line[0] == candidate.move
        assert -1 <= candidate.value <= 1
        for each in candidate.line:
            at.play(each)
    player.begin(position.game, 0, np.random.default_rng(0))
    assert player.thought is None


def test_a_win_at_once_is_thought_of_as_one():
    position = Position(TicTacToe())
    for move in ("a1", "a2", "b1", "b2"):
        position.play(move)
    player = UCTPlayer(50, seed=0)
    player.choose(Position(TicTacToe()), Budget())
    assert player.choose(position, Budget()) == "c1"
    assert (player.thought.line, player.thought.value, len(player.thought.candidates)) == (("c1",), 1.0, 1)
