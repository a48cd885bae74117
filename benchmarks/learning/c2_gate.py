"""C2: AlphaGo Zero learns tic-tac-toe in ten minutes, with its gate, and plays every position right."""

import json
from collections.abc import Iterator
from pathlib import Path

from course import Course, Mark, at_least, by_network_alone, figures_of, searching
from measures import tictactoe_optimal

from sakiyomi.agents import AlphaGoZero
from sakiyomi.agents.opponents import make_opponent
from sakiyomi.agents.parts.strength.contest import contest
from sakiyomi.boards import TicTacToe


def measure(agent: AlphaGoZero, folder: Path) -> Iterator[Mark]:
    """As C1; and the gate."""
    right = tictactoe_optimal(searching(agent, 50))
    yield at_least("moves that keep the result, 50 simulations, all positions", right.share, str(right), 1.0)
    right = tictactoe_optimal(by_network_alone(agent))
    yield at_least("the same by the network alone", right.share, str(right), 0.98)
    for word in ("random", "perfect"):
        score = contest(agent.game, searching(agent, 50), make_opponent(word), 1000, opening_plies=0, seed=1)
        yield Mark(f"1,000 games against {word}", str(score), "no loss", score.losses == 0)
    yield gate(folder)


def gate(folder: Path) -> Mark:
    """How many challengers the gate took and refused."""
    rows = [figures_of(row) for row in json.loads((folder / "progress.json").read_text())]
    told = [row for row in rows if "gate/accepted" in row]
    accepted, rejected = (int(told[-1][f"gate/{name}"]) if told else 0 for name in ("accepted", "rejected"))
    text = f"{accepted} challengers accepted, {rejected} rejected"
    return Mark("the gate", text, "both happen", accepted > 0 and rejected > 0)


if __name__ == "__main__":
    about = "C2: AlphaGo Zero with gate and symmetries, tic-tac-toe"
    Course("c2-gate", about, AlphaGoZero, TicTacToe(), AlphaGoZero.presets["tictactoe"], 10, measure).main()
