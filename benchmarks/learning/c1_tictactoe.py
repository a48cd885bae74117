"""C1: AlphaZero learns tic-tac-toe in ten minutes, and plays every position right."""

from collections.abc import Iterator
from pathlib import Path

from course import Course, Mark, at_least, by_network_alone, searching
from measures import tictactoe_optimal

from sakiyomi.agents import AlphaZero
from sakiyomi.agents.opponents import make_opponent
from sakiyomi.agents.parts.strength.contest import contest
from sakiyomi.boards import TicTacToe


def measure(agent: AlphaZero, folder: Path) -> Iterator[Mark]:
    """All positions with search and without, and 1,000 games against each opponent."""
    right = tictactoe_optimal(searching(agent, 50))
    yield at_least("moves that keep the result, 50 simulations, all positions", right.share, str(right), 1.0)
    right = tictactoe_optimal(by_network_alone(agent))
    yield at_least("the same by the network alone", right.share, str(right), 0.98)
    for word in ("random", "perfect"):
        score = contest(agent.game, searching(agent, 50), make_opponent(word), 1000, opening_plies=0, seed=1)
        yield Mark(f"1,000 games against {word}", str(score), "no loss", score.losses == 0)


if __name__ == "__main__":
    about = "C1: AlphaZero, tic-tac-toe"
    Course("c1-tictactoe", about, AlphaZero, TicTacToe(), AlphaZero.presets["tictactoe"], 10, measure).main()
