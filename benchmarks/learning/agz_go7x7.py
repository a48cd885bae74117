"""AlphaGo Zero learns Go on 7x7 in an hour and a half, with its gate, symmetries and resignation."""

from collections.abc import Iterator
from pathlib import Path

from c2_gate import gate
from course import Course, Mark
from rated import GNUGO, against_gnugo, installed, rated

from sakiyomi.agents import AlphaGoZero
from sakiyomi.boards import Go

GAME = Go(7, komi=9.0, rules="chinese")


def measure(agent: AlphaGoZero, folder: Path) -> Iterator[Mark]:
    """The gate's decisions, games against GNU Go, and a rating with what search adds to the network."""
    yield gate(folder)
    yield from against_gnugo(agent, folder, GAME, games=40, simulations=100, bar=0.5)
    players = {
        "search-100": f"alphagozero:{folder}@sims=100",
        "search-400": f"alphagozero:{folder}@sims=400",
        "search-1": f"alphagozero:{folder}@sims=1",
        "uct-200": "uct:200",
        "uct-1000": "uct:1000",
    }
    for place in sorted((folder / "snapshots").glob("*")):
        players[f"after part {place.name}"] = f"alphagozero:{place}@sims=100"
    if installed("gnugo"):
        players["gnugo-10"] = GNUGO.format(10)
    yield from rated(GAME, players, 12, folder / "rated")


if __name__ == "__main__":
    about = "AlphaGo Zero, Go 7x7"
    Course("agz-go7x7", about, AlphaGoZero, GAME, AlphaGoZero.presets["go-7x7"], 90, measure, snapshots=3).main()
