"""C5: AlphaZero learns Go on 5x5 in an hour: Black wins the whole board."""

from collections.abc import Iterator
from pathlib import Path

from course import Course, Mark, at_least, searching
from measures import GO, whole_board
from rated import against_gnugo

from sakiyomi.agents import AlphaZero


def measure(agent: AlphaZero, folder: Path) -> Iterator[Mark]:
    """Games against itself with 400 simulations, and against GNU Go if it is installed."""
    agent.game = GO
    black = whole_board(searching(agent, 400), 100)
    yield at_least("games against itself that Black wins by the whole board, 400 simulations", *both(black), 0.95)
    yield from against_gnugo(agent, folder, games=40, simulations=400, bar=0.95)


def both(rate: object) -> tuple[float, str]:
    """A rate as a number and a text."""
    return rate.share, str(rate)  # type: ignore[attr-defined]


if __name__ == "__main__":
    about = "C5: AlphaZero, Go 5x5"
    Course("c5-go5x5", about, AlphaZero, GO, AlphaZero.presets["go-5x5"], 60, measure).main()
