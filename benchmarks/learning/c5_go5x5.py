"""C5: AlphaZero learns Go on 5x5 in an hour: Black wins the whole board.

It learns with a komi of 24.5, where nothing less than the whole board wins for Black and a single point for White: with
the mark's komi of 0.5 Black has won after his first move, and nothing is left to learn.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from course import TOGETHER, Course, Mark, at_least, in_parts
from measures import GO, whole_board
from numpy.typing import NDArray
from rated import against_gnugo

from sakiyomi.agents import AlphaZero
from sakiyomi.agents.parts.search.deciding import best_actions
from sakiyomi.agents.parts.search.findings import drawn
from sakiyomi.agents.parts.search.planner import Planner
from sakiyomi.agents.parts.strength.contest import Choose
from sakiyomi.boards import Go
from sakiyomi.boards.game import States

WHOLE_BOARD = Go(5, komi=24.5, rules="chinese")
VARIED_PLIES = 8  # in which White's moves are drawn by their visits: games without chance would all be one game


def measure(agent: AlphaZero, folder: Path) -> Iterator[Mark]:
    """Games against itself with 400 simulations, and against GNU Go if it is installed.

    GNU Go is to lose as White: as Black, with a komi of 0.5, it has won the game by a sound first move.
    """
    black = whole_board(against_varied_defence(agent, 400), 100, GO)
    what = "games against itself that Black wins by the whole board, 400 simulations, White's first moves varied"
    yield at_least(what, black.share, str(black), 0.95)
    yield from against_gnugo(agent, folder, GO, games=80, simulations=400, black_bar=0.95)
    yield from against_gnugo(agent, folder, WHOLE_BOARD, games=80, simulations=400)


def against_varied_defence(agent: AlphaZero, simulations: int) -> Choose:
    """The best moves of `agent` for Black; for White, too, but for the first ones."""
    puct, rng = agent.config.match_selection, np.random.default_rng(1)
    evaluate = agent.evaluators.of(TOGETHER)
    planner = Planner(WHOLE_BOARD, evaluate, TOGETHER, simulations, selection=puct, timed=puct, rng=rng)

    def choose(states: States) -> NDArray[np.int64]:
        found = planner.find(states)
        varied = (WHOLE_BOARD.turn(states) == 1) & (states["ply"] < VARIED_PLIES)
        return np.where(varied, drawn(found.proportions(), rng), best_actions(found, planner))

    return in_parts(choose)


if __name__ == "__main__":
    about = "C5: AlphaZero, Go 5x5"
    Course("c5-go5x5", about, AlphaZero, WHOLE_BOARD, AlphaZero.presets["go-5x5"], 60, measure).main()
