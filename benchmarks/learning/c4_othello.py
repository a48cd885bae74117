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
    """Games against each opponent after two random plies, and after four, and the last ten plies.

    Four plies at random leave positions that are lost against anyone: alpha-beta of depth 9 loses 6 games of 165 to
    greedy after them. So the bars are for games after two.
    """
    for plies in (2, 4):
        for word, bar in (("random", 0.99), ("greedy", 0.99), ("alphabeta:6", 0.60)):
            choose = searching(agent, 200)
            score = contest(agent.game, choose, make_opponent(word, 1), 200, opening_plies=plies, seed=1)
            what = f"200 games against {word} after {plies} random plies, 200 simulations"
            yield at_least(what, score.mean, str(score), bar) if plies == 2 else Mark(what, str(score))
    right = othello_agreement(searching(agent, 200))
    yield at_least("endgames of at most ten empty squares: the result kept", right.share, str(right), 0.98)
    rate = mistake_rate(searching(agent, 200), decisive(othello_endgames()))
    yield Mark("mistakes in those of them where one is possible", str(rate))


if __name__ == "__main__":
    about = "C4: AlphaZero, Othello 6x6"
    Course("c4-othello", about, AlphaZero, Othello(6), AlphaZero.presets["othello-6x6"], 60, measure).main()
