"""AlphaZero learns chess for an hour: its rating is to rise above alpha-beta that looks one ply ahead."""

from collections.abc import Iterator
from pathlib import Path

from course import Course, Mark
from rated import rated

from sakiyomi.agents import AlphaZero
from sakiyomi.boards import Chess

GAME = Chess()


def measure(agent: AlphaZero, folder: Path) -> Iterator[Mark]:
    """Ratings of the agent on its way, and of fixed players."""
    players = {f"search-{count}": f"alphazero:{folder}@sims={count}" for count in (100, 800)}
    for place in sorted((folder / "snapshots").glob("*")):
        players[f"after part {place.name}"] = f"alphazero:{place}@sims=100"
    players |= {"random": "random", "greedy": "greedy", "alphabeta-1": "alphabeta:1"}
    marks = list(rated(GAME, players, 20, folder / "rated"))
    yield from marks
    names = [mark.what for mark in marks]
    above = names.index("rating of search-800") < names.index("rating of alphabeta-1")
    yield Mark("800 simulations above alphabeta:1", "yes" if above else "no", "yes", above)


if __name__ == "__main__":
    about = "AlphaZero, chess"
    Course("az-chess", about, AlphaZero, GAME, AlphaZero.presets["chess"], 60, measure, snapshots=3).main()
