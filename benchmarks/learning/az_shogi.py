"""AlphaZero learns shogi for an hour: it is to score more than half against alpha-beta that looks one ply ahead."""

from collections.abc import Iterator
from pathlib import Path

from course import Course, Mark, searching

from sakiyomi.agents import AlphaZero
from sakiyomi.agents.opponents import make_opponent
from sakiyomi.agents.parts.strength.contest import contest
from sakiyomi.boards import Shogi

GAMES = 20
CONTESTS = (("random", 25), ("greedy", 25), ("alphabeta:1", 100), ("alphabeta:1", 400))
"""Opponents, and simulations against them: weak players' games go on for hundreds of moves."""


def measure(agent: AlphaZero, folder: Path) -> Iterator[Mark]:
    """Games against each opponent after four random plies."""
    for word, simulations in CONTESTS:
        score = contest(agent.game, searching(agent, simulations), make_opponent(word, 1), GAMES, seed=1)
        barred = (word, simulations) == CONTESTS[-1]
        what = f"{GAMES} games against {word}, {simulations} simulations"
        yield Mark(what, str(score), "> 50%" if barred else "", score.mean > 0.5 if barred else None)


if __name__ == "__main__":
    about, preset = "AlphaZero, shogi", AlphaZero.presets["shogi"]
    Course("az-shogi", about, AlphaZero, Shogi(), preset, 60, measure).main()
