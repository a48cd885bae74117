"""C8: MuZero learns tic-tac-toe without its rules inside the search, and does not lose to perfect play."""

from collections.abc import Iterator
from pathlib import Path

import torch
from course import Course, Mark, at_least
from latent_measures import by_network_alone, searching
from measures import tictactoe_optimal

from sakiyomi.agents.muzero import MuZero
from sakiyomi.agents.opponents import make_opponent
from sakiyomi.agents.parts.strength.contest import contest
from sakiyomi.boards import TicTacToe

GAME = TicTacToe()
SIMULATIONS = 25


def measure(agent: MuZero, folder: Path) -> Iterator[Mark]:
    """All positions with search and without, and 200 games against each opponent, 100 with either side."""
    right = tictactoe_optimal(searching(agent, GAME, SIMULATIONS))
    yield at_least(
        f"moves that keep the result, {SIMULATIONS} simulations, all positions", right.share, str(right), 0.97
    )
    right = tictactoe_optimal(by_network_alone(agent, GAME))
    yield Mark("the same by the network alone", str(right))
    for word, bar in (("perfect", "no loss"), ("random", "")):
        score = contest(GAME, searching(agent, GAME, SIMULATIONS), make_opponent(word), 200, opening_plies=0, seed=1)
        yield Mark(f"200 games against {word}", str(score), bar, score.losses == 0 if bar else None)


if __name__ == "__main__":
    torch.set_num_threads(1)  # the products are small
    about = "C8: MuZero, tic-tac-toe"
    Course("c8-tictactoe", about, MuZero, GAME, MuZero.presets["tictactoe"], 10, measure, runtime="").main()
