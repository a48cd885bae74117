"""C4: AlphaZero learns Othello 6x6 in an hour; measured against players without learning and on exact endgames."""

from collections.abc import Iterator
from pathlib import Path

from course import Course, Mark, at_least, searching
from exact import othello_endgames
from measures import decisive, mistake_rate, othello_agreement

from sakiyomi.agents import AlphaZero
from sakiyomi.agents.opponents import make_opponent
from sakiyomi.agents.parts.strength.contest import contest
from sakiyomi.boards import Othello


def measure(agent: AlphaZero, folder: Path) -> Iterator[Mark]:
    """Games against each opponent, and the last ten plies."""
    for word, bar in (("random", 0.99), ("greedy", 0.99), ("alphabeta:6", 0.60)):
        score = contest(agent.game, searching(agent, 200), make_opponent(word, 1), 200, opening_plies=4, seed=1)
        yield at_least(f"200 games against {word}, 200 simulations", score.mean, str(score), bar)
    right = othello_agreement(searching(agent, 200))
    yield at_least("endgames of at most ten empty squares: the result kept", right.share, str(right), 0.98)
    rate = mistake_rate(searching(agent, 200), decisive(othello_endgames()))
    yield Mark("mistakes in those of them where one is possible", str(rate))


if __name__ == "__main__":
    about = "C4: AlphaZero, Othello 6x6"
    Course("c4-othello", about, AlphaZero, Othello(6), AlphaZero.presets["othello-6x6"], 60, measure).main()
