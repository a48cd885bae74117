"""Perfect play in the small games, as far as they can be searched to the end.

- Tic-tac-toe: solved whole.
- Connect Four: exact from the start. The first plies come from a book of moves that keep the value of the game,
  computed with the same solver; later the solver finds the fastest win or the longest resistance.
- Othello: exact once few squares are empty, by the final lead in discs; before that an alpha-beta search, which is
  good but not perfect. 8x8 is far from being solvable here; of 6x6 only the end is solved, too.
"""

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.alphabeta.small_games import best_action, check_small
from sakiyomi.agents.parts.solvers import connect4 as connect4_solver
from sakiyomi.agents.parts.solvers import othello as othello_solver
from sakiyomi.agents.parts.solvers import tictactoe as tictactoe_solver
from sakiyomi.agents.parts.solvers.connect4_book import book_action
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.game import Game, States
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.player import Budget
from sakiyomi.boards.position import Position
from sakiyomi.boards.tictactoe import TicTacToe

EVER = 1 << 62  # positions that a search may visit when nothing limits it
NODES_PER_SECOND = 4_000_000  # of the solvers on a slow core
CONNECT4_HORIZON, OTHELLO_HORIZON = 16, 7  # plies looked ahead where the solver has to give up


class PerfectPlayer:
    """Plays a move that keeps the value of the game, of equals a random one.

    `endgame` is the number of empty squares from which on Othello is solved (16 take a fraction of a second, 20 a few
    seconds). A search of Connect Four gives up after `nodes` positions, or those that a budget of seconds allows, and
    then looks 16 plies ahead; from eight plies on the default is enough, before it concerns positions to which the
    book of neither side leads. Raises ValueError for other games.
    """

    def __init__(
        self, *, endgame: int = 16, nodes: int = 60_000_000, name: str = "perfect", seed: int | None = None
    ) -> None:
        self.name = name
        self.endgame = endgame
        self.nodes = nodes
        self._rng = np.random.default_rng(seed)
        self._solver = Solver()

    def begin(self, game: Game, side: int, rng: np.random.Generator) -> None:
        """Take the game's random numbers from `rng`. Raises ValueError for a game that it does not play."""
        check_small(game, "perfect")
        self._rng = rng

    def choose(self, position: Position, budget: Budget) -> str:
        """The move to play. Raises ValueError if the game is over or not one of the small games."""
        game, root = position.game, position.state
        check_small(game, "perfect")
        actions = self._rng.permutation(position.legal_actions())  # the first of equals is played
        if not len(actions):
            raise ValueError(f"no move to choose: the game is over in {position.text()}")
        return game.move_text(root, int(actions[0]) if len(actions) == 1 else self._best(game, root, actions, budget))

    def close(self) -> None:
        """Nothing to give back."""

    def _best(self, game: Game, root: States, actions: NDArray[np.int64], budget: Budget) -> int:
        if isinstance(game, TicTacToe):
            return tictactoe_solver.look_ahead(root, 9, actions)
        nodes = self.nodes if budget.seconds is None else int(budget.seconds * NODES_PER_SECOND)
        horizon = CONNECT4_HORIZON
        if isinstance(game, ConnectFour) and (kept := book_action(root)) is not None:
            return kept
        if isinstance(game, Othello):
            horizon = OTHELLO_HORIZON
            if np.count_nonzero(game.board(root) == 0) > self.endgame:
                nodes = 0
        action = self._solver.best_action(game, root, actions, nodes) if nodes else None
        return best_action(game, root, horizon, actions) if action is None else action


class Solver:
    """Exact scores of positions, with what earlier searches learned.

    Scores are for the player to move: Othello's is the lead in discs at the end, those of the other games say how
    early the win comes (`connect4_solver`, `tictactoe_solver`).
    """

    def __init__(self) -> None:
        self._table: NDArray[np.uint64] | None = None  # of Connect Four

    def score(self, position: Position) -> int:
        """The exact score, however long it takes."""
        check_small(position.game, "the solver")
        found = self.bounded(position.game, position.state, -64, 64, EVER)
        assert found is not None
        return found

    def best_action(self, game: Game, root: States, actions: NDArray[np.int64], nodes: int) -> int | None:
        """The first of the legal `actions` that keeps the score of `root`; None where `nodes` positions do not do."""
        score = self.bounded(game, root, -64, 64, nodes)
        if score is None:
            return None
        after = np.repeat(root, len(actions))
        game.play(after, actions.astype(np.int32))
        for row, action in enumerate(actions):
            reply = self.bounded(game, after[row : row + 1], -score, 1 - score, nodes)
            if reply is None:
                return None
            if -reply >= score:
                return int(action)
        raise AssertionError(f"no move reaches the score {score} in {game.position_text(root)}")

    def bounded(self, game: Game, root: States, low: int, high: int, nodes: int) -> int | None:
        """The score of `root` [1] if it lies between `low` and `high`, else a bound on that side; None if given up."""
        turn, count = int(root["turn"][0]), np.array([0, nodes])
        if isinstance(game, TicTacToe):
            return tictactoe_solver.score(tictactoe_solver.movers_board(root))
        if isinstance(game, ConnectFour):
            if game.ending(root)[0]:
                return -connect4_solver.score_of_win(int(root["ply"][0]) - 1) if game.result(root)[0] else 0
            if self._table is None:
                self._table = connect4_solver.new_table()
            first, second = root["stones"][0]
            own = second if turn else first
            found = connect4_solver.solve(own, first | second, low, high, self._table, count)
        else:
            assert isinstance(game, Othello), game
            first, second = root["discs"][0]
            own, other = (second, first) if turn else (first, second)
            found = othello_solver.solve(own, other, game.size, low, high, count)
        return int(found) if count[0] < nodes else None
