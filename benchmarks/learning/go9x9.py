"""AlphaZero learns Go on 9x9 for an hour, and is rated against UCT and GNU Go."""

from collections.abc import Iterator
from pathlib import Path

import torch
from course import Course, Mark
from rated import GNUGO, against_gnugo, installed, rated

from sakiyomi.agents import AlphaZero
from sakiyomi.boards import Go

GAME = Go(9, komi=7.0, rules="chinese")


def measure(agent: AlphaZero, folder: Path) -> Iterator[Mark]:
    """Games against GNU Go at its best, with a bar for what an hour on a GPU makes, and ratings of all."""
    bar = 0.9 if torch.cuda.is_available() else None
    yield from against_gnugo(agent, folder, GAME, games=40, simulations=200, bar=bar)
    players = {
        "search-200": f"alphazero:{folder}@sims=200",
        "search-50": f"alphazero:{folder}@sims=50",
        "uct-200": "uct:200",
        "uct-1000": "uct:1000",
        "uct-5000": "uct:5000",
    }
    if installed("gnugo"):
        players |= {f"gnugo-{level}": GNUGO.format(level) for level in (1, 10)}
    yield from rated(GAME, players, 12, folder / "rated")


if __name__ == "__main__":
    about = "AlphaZero, Go 9x9"
    Course("go9x9", about, AlphaZero, GAME, AlphaZero.presets["go-9x9"], 60, measure).main()
