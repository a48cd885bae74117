"""Positions with exact scores that need no file, because our own solvers find them in a second or two."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from positions import ILLEGAL, PositionSet

from sakiyomi.agents.parts.alphabeta.small_games import best_action
from sakiyomi.agents.parts.solvers import othello as othello_solver
from sakiyomi.agents.parts.solvers import tictactoe as tictactoe_solver
from sakiyomi.boards.game import Ending, Game, States
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.tictactoe import TicTacToe

OTHELLO = Othello(6)
EVER = 1 << 62  # positions that a search may visit
RANDOM_PLIES, DEPTH = 8, 2  # of the games of Othello: random at first, then played looking so far ahead


def tictactoe_positions() -> PositionSet:
    """All 4,520 positions of tic-tac-toe that play can reach and that are not over."""
    game = TicTacToe()
    level, levels = game.new(1), []
    while len(level):
        levels.append(level)
        rows, actions = np.nonzero(game.legal(level))
        after = level[rows]
        game.play(after, actions)
        level = np.unique(after[game.ending(after) == Ending.ONGOING])
    states = np.concatenate(levels)
    return PositionSet("tic-tac-toe", game, states, _scores(game, states, _tictactoe_score))


def othello_endgames(count: int = 500, empties: int = 10, seed: int = 2026) -> PositionSet:
    """Positions of Othello 6x6 with at most so many empty squares and a choice between moves; scores are final leads.

    One of each game: 8 plies at random, then play that looks 2 plies ahead and of equals takes a random one.
    """
    rng = np.random.default_rng(seed)
    found: list[States] = []
    while len(found) < count:
        late = _late_positions(empties, rng)
        if late:
            found.append(late[int(rng.integers(len(late)))])
    states = np.concatenate(found)
    return PositionSet(f"Othello 6x6, {empties} empty", OTHELLO, states, _scores(OTHELLO, states, _othello_score))


def _late_positions(empties: int, rng: np.random.Generator) -> list[States]:
    """Those of one game, each [1]."""
    state, late = OTHELLO.new(1), []
    for ply in range(OTHELLO.max_plies):
        actions = rng.permutation(np.flatnonzero(OTHELLO.legal(state)[0]))
        if not len(actions):
            break
        if len(actions) > 1 and np.count_nonzero(OTHELLO.board(state) == 0) <= empties:
            late.append(state.copy())
        action = int(actions[0]) if ply < RANDOM_PLIES else best_action(OTHELLO, state, DEPTH, actions)
        OTHELLO.play(state, np.array([action], np.int32))
    return late


def _scores(game: Game, states: States, score: Callable[[States], int]) -> NDArray[np.int8]:
    """[n, A]: minus what `score` finds for the other player after each legal action."""
    out = np.full((len(states), game.num_actions), ILLEGAL, np.int8)
    rows, actions = np.nonzero(game.legal(states))
    after = states[rows]
    game.play(after, actions.astype(np.int32))
    out[rows, actions] = [-score(after[i : i + 1]) for i in range(len(after))]
    return out


def _tictactoe_score(state: States) -> int:
    return tictactoe_solver.score(tictactoe_solver.movers_board(state))


def _othello_score(state: States) -> int:
    own, other = state["discs"][0][:: 1 - 2 * int(state["turn"][0])]
    return int(othello_solver.solve(own, other, OTHELLO.size, -64, 64, np.array([0, EVER])))
