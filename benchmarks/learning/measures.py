"""What the learning agents are measured by, each with a 95 % interval; all measures take a batched `choose`.

The pass marks on two CPU cores, an hour or two of training each:

- C1, AlphaZero, tic-tac-toe: the result kept in all 4,520 positions with 50 simulations, in 98 % by the network alone
  (`tictactoe_optimal`); no loss in 1,000 games against random and against perfect play (`contest`).
- C2, AlphaGo Zero, tic-tac-toe or Connect Four with gate and symmetries: as C1, and the gate both accepts and rejects.
- C3, AlphaZero, Connect Four with 200 simulations: mistakes (`mistake_rate`) as `C3_MISTAKES` has them, and 95 % of the
  points against 1,000 rollouts of UCT (`contest`).
- C4, AlphaZero, Othello 6x6: 99 % against random and greedy play, 60 % against alpha-beta of depth 6 (`contest`), and
  the result kept in 98 % of endgames of at most ten empty squares (`othello_agreement`).
- C5, AlphaZero, Go 5x5 by area with komi 0.5: Black wins the whole board in 95 % of games against itself with 400
  simulations (`whole_board`); 95 % against GNU Go (`contest`). That Black can, from the centre, is known since E. van
  der Werf, "Solving Go on small boards", 2003.

A mistake is a move after which the game's result under perfect play (win, draw, loss) is worse than after another
move. So AlphaZero.jl counts in its Connect Four benchmark (`optimal_on`: the sign of the solver's score of the move is
less than the greatest sign): a slower win is no mistake, and where every move keeps the result none can be made. Its
agent of 15 hours on a GPU, at 600 simulations, reached about `GPU_MISTAKES`, on sets of other positions of the same
kind.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from exact import othello_endgames, tictactoe_positions
from numpy.typing import NDArray
from positions import ILLEGAL, PositionSet

from sakiyomi.agents.parts.strength.contest import Choose
from sakiyomi.agents.parts.strength.score import score_interval
from sakiyomi.boards.game import Ending, Game, States
from sakiyomi.boards.go import Go

GO = Go(5, komi=0.5, rules="chinese")
"""Go of C5: area scoring, positional superko, no suicide (which GNU Go refuses)."""
C3_MISTAKES = {
    "end-easy": 0.01,
    "middle-easy": 0.01,
    "begin-easy": 0.02,
    "begin-medium": 0.08,
    "begin-hard": 0.20,
}
"""The most mistakes that C3 allows, by the set's name."""
GPU_MISTAKES = {
    "end-easy": 0.0,
    "middle-easy": 0.002,
    "begin-easy": 0.002,
    "begin-medium": 0.025,
    "middle-medium": 0.03,
    "begin-hard": 0.08,
}
"""The same for an agent trained on a GPU."""


class Rate(NamedTuple):
    """`hits` of `cases`, with Wilson's interval of 95 %."""

    hits: int
    cases: int

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.hits / self.cases

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies with 95 % confidence, the cases taken as drawn at random."""
        return score_interval(self.hits, 0, self.cases - self.hits)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.hits} of {self.cases}, {self.share:.2%} ({low:.2%} to {high:.2%})"


def mistakes(positions: PositionSet, *, by_score: bool = False) -> NDArray[np.bool_]:
    """[n, A]: the legal actions that give the result away, or, `by_score`, any of the score."""
    values = positions.scores.astype(np.int16) if by_score else np.sign(positions.scores)
    legal = positions.scores != ILLEGAL
    best = np.where(legal, values, np.iinfo(values.dtype).min).max(axis=1, keepdims=True)
    return np.asarray(legal & (values < best))


def mistake_rate(choose: Choose, positions: PositionSet, *, by_score: bool = False) -> Rate:
    """In how many of `positions` `choose`, asked for all at once, makes a mistake (see `mistakes`).

    Raises ValueError for an action that is not legal.
    """
    rows, actions = np.arange(len(positions.states)), _chosen(choose, positions.game, positions.states)
    return Rate(int(mistakes(positions, by_score=by_score)[rows, actions].sum()), len(rows))


def decisive(positions: PositionSet) -> PositionSet:
    """Those of `positions` in which a mistake is possible."""
    rows = mistakes(positions).any(axis=1)
    return replace(positions, states=positions.states[rows], scores=positions.scores[rows])


def random_mistake_rate(positions: PositionSet, *, by_score: bool = False) -> float:
    """The share of mistakes expected of play that takes each legal move with the same probability."""
    legal = (positions.scores != ILLEGAL).sum(axis=1)
    return float((mistakes(positions, by_score=by_score).sum(axis=1) / legal).mean())


def tictactoe_optimal(choose: Choose) -> Rate:
    """In how many of all 4,520 positions of tic-tac-toe that are not over `choose` keeps the result."""
    wrong, cases = mistake_rate(choose, tictactoe_positions())
    return Rate(cases - wrong, cases)


def othello_agreement(choose: Choose, count: int = 500, *, by_score: bool = False) -> Rate:
    """In how many of `count` endgames of Othello 6x6 `choose` keeps the result, or, `by_score`, the greatest lead.

    Random moves keep the result in nine of ten, as most of these games are decided; see `decisive`.
    """
    wrong, cases = mistake_rate(choose, othello_endgames(count), by_score=by_score)
    return Rate(cases - wrong, cases)


def whole_board(choose: Choose, games: int, game: Go = GO) -> Rate:
    """How many games against itself end with every point Black's, all played at once from the empty board.

    `choose` plays both sides. Games are one game only, many times, if it has no chance of its own: give it some.
    """
    states = game.new(games)
    while len(rows := np.flatnonzero(game.ending(states) == Ending.ONGOING)):
        moved = states[rows]
        game.play(moved, _chosen(choose, game, moved.copy()))
        states[rows] = moved
    width, height = (game.size, game.size) if isinstance(game.size, int) else game.size
    return Rate(int((game.score(states) == width * height - game.komi).sum()), games)


def _chosen(choose: Choose, game: Game, states: States) -> NDArray[np.int32]:
    """The actions of `choose` [n], checked."""
    actions = np.asarray(choose(states))
    if actions.shape != states.shape or not np.issubdtype(actions.dtype, np.integer):
        raise ValueError(f"wanted: {len(states)} actions, one a position, got {actions.dtype} of shape {actions.shape}")
    known = (actions >= 0) & (actions < game.num_actions)
    legal = known & game.legal(states)[np.arange(len(states)), np.where(known, actions, 0)]
    if not legal.all():
        row = int(np.flatnonzero(~legal)[0])
        raise ValueError(f"action {actions[row]} is illegal in {game.position_text(states[row])} ({game.name})")
    return actions.astype(np.int32)
