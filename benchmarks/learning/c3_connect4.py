"""C3: AlphaZero learns Connect Four in an hour; measured on positions solved exactly, and against UCT."""

from collections.abc import Iterator
from pathlib import Path

from course import Course, Mark, at_least, at_most, by_network_alone, searching
from measures import C3_MISTAKES, GPU_MISTAKES, mistake_rate
from positions import SETS, load

from sakiyomi.agents import AlphaZero
from sakiyomi.agents.opponents import make_opponent
from sakiyomi.agents.parts.strength.contest import contest
from sakiyomi.boards import ConnectFour


def measure(agent: AlphaZero, folder: Path) -> Iterator[Mark]:
    """Mistakes by set, with search and without, and 100 games against UCT."""
    for name in SETS:
        rate = mistake_rate(searching(agent, 200), load(name))
        what = f"mistakes, {name}, 200 simulations (a peer's, GPU: {GPU_MISTAKES[name]:.1%})"
        yield at_most(what, rate.share, str(rate), C3_MISTAKES[name]) if name in C3_MISTAKES else Mark(what, str(rate))
    for name in SETS:
        yield Mark(f"mistakes, {name}, by the network alone", str(mistake_rate(by_network_alone(agent), load(name))))
    for plies, bar in ((0, 0.95), (4, None)):
        score = contest(
            agent.game, searching(agent, 200), make_opponent("uct:1000", 1), 100, opening_plies=plies, seed=1
        )
        where = f"after {plies} random plies (a perfect player: 95.5 %)" if plies else "from the empty board"
        what = f"100 games against uct:1000 {where}, 200 simulations"
        yield Mark(what, str(score)) if bar is None else at_least(what, score.mean, str(score), bar)


if __name__ == "__main__":
    about = "C3: AlphaZero, Connect Four"
    Course("c3-connect4", about, AlphaZero, ConnectFour(), AlphaZero.presets["connect4"], 60, measure).main()
