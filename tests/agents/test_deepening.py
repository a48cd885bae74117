"""Iterative deepening: its limits, and what it tells; with a look that is made up, and with the players."""

from threading import Event

import numpy as np
import pytest

from sakiyomi.agents.alphabeta import AlphaBetaPlayer
from sakiyomi.agents.parts.alphabeta.deepening import DEEPEST, EVER, Deepening, Limits
from sakiyomi.agents.parts.alphabeta.nodes import MOST_NODES, NODES, PLIES, ROOT_DONE, STOP
from sakiyomi.agents.parts.alphabeta.table import MATE
from sakiyomi.boards import Budget, Position
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.shogi import Shogi
from sakiyomi.boards.tictactoe import TicTacToe

GAMES = [Chess(), Chess(chess960=True), Shogi()]


class MadeUp:
    """A deepening whose look finds `values` by depth (else 0), and always the last of the moves; keeps the depths."""

    def __init__(self, values=None, nodes=1):
        self.depths, self.values, self.nodes = [], values or {}, nodes
        self.deepening = Deepening(self.look, 0)
        self.deepening.set_up(0)

    def look(self, order, bonus, depth, low, high):
        control, plays = self.deepening.control, self.deepening.plays
        control[ROOT_DONE] = 0
        control[NODES] += self.nodes
        if control[NODES] > control[MOST_NODES]:
            control[STOP] = 1
            return 0
        control[ROOT_DONE] = len(order)
        self.depths.append(depth)
        plays[:2] = max(order), 0
        return self.values.get(depth, 0)

    def search(self, limits, stop=None):
        told = []
        found = self.deepening.search([5, 6, 7], np.zeros(3, np.int64), limits, stop, told.append)
        return found, told


def test_no_depth_is_beyond_what_the_table_can_tell():
    made = MadeUp()
    found, told = made.search(Limits(depth=10**9, nodes=1 << 80))
    assert made.depths == [1, *range(1, DEEPEST + 1)]
    assert DEEPEST + PLIES < 256
    assert made.deepening.control[MOST_NODES] == EVER
    assert (found, found.depth) == (told[-1], DEEPEST)


@pytest.mark.parametrize("mate", [MATE - 5, 5 - MATE])
def test_a_mate_within_the_plies_looked_ahead_ends_it(mate):
    made = MadeUp({3: mate, 4: mate, 5: mate, 6: mate})
    assert made.search(Limits())[0].depth == 5


def test_something_is_told_however_early_it_ends():
    stop = Event()
    stop.set()
    for limits, stopped in [(Limits(nodes=1), None), (Limits(nodes=0), None), (Limits(seconds=1e-9), stop)]:
        found, told = MadeUp().search(limits, stopped)
        assert told[-1] == found
        assert found.play[0] in (5, 6, 7)


def thought(position, budget, stop):
    told = []
    move = AlphaBetaPlayer(4, seed=0).think(position, budget, moves=None, stop=stop, tell=told.append)
    return move, told


@pytest.mark.parametrize("game", GAMES, ids=lambda game: repr(game))
def test_the_last_thought_is_the_move(game):
    position, stop = Position(game), Event()
    for budget in [Budget(seconds=1e-6), *(Budget(simulations=n) for n in range(1, 61))]:
        move, told = thought(position, budget, stop)
        assert told[-1].line[0] == move
    stop.set()
    for budget in (Budget(), Budget(depth=3), Budget(simulations=30)):
        move, told = thought(position, budget, stop)
        assert told[-1].line[0] == move


@pytest.mark.parametrize("game", [*GAMES, TicTacToe(), ConnectFour(), Othello(size=6)], ids=lambda game: repr(game))
def test_numbers_that_no_search_reaches_are_none_of_its_limits(game):
    player = AlphaBetaPlayer(1 << 70, seed=0)
    position = Position(game)
    budget = Budget(simulations=1 << 80, seconds=0.05, depth=1 << 70)
    assert player.choose(position, budget) in position.legal_moves()
    stop = Event()
    stop.set()
    move = player.think(position, Budget(simulations=1 << 63), moves=None, stop=stop, tell=lambda thought: None)
    assert move in position.legal_moves()


@pytest.mark.parametrize("value", [0, -1, 2.5, True, float("nan"), "4", None])
def test_settings_that_are_no_counts_are_refused(value):
    with pytest.raises(ValueError, match="the depth of alphabeta must be a whole number of 1 or more plies, got"):
        AlphaBetaPlayer(value)
    with pytest.raises(ValueError, match="the table of alphabeta must be a whole number of 1 or more megabytes, got"):
        AlphaBetaPlayer(megabytes=value)


def test_counts_of_numpy_are_counts():
    assert AlphaBetaPlayer(np.int64(3)).name == "alphabeta:3"
    assert type(AlphaBetaPlayer(np.int64(3)).depth) is int
