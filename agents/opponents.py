"""Fixed opponents by a word, against whom agents that learn measure themselves: "random", "uct:100", "alphabeta:4"."""

from sakiyomi.boards.player import Player

FORMS = ("random", "greedy", "uct:SIMULATIONS", "alphabeta:DEPTH", "perfect")


def make_opponent(word: str, seed: int | None = None) -> Player:
    """A player of this library. Raises ValueError for a word that names none."""
    from sakiyomi.agents.alphabeta import AlphaBetaPlayer
    from sakiyomi.agents.greedy import GreedyPlayer
    from sakiyomi.agents.perfect import PerfectPlayer
    from sakiyomi.agents.random_player import RandomPlayer
    from sakiyomi.agents.uct import UCTPlayer

    kind, colon, number = word.partition(":")
    plain: dict[str, type[Player]] = {"random": RandomPlayer, "greedy": GreedyPlayer, "perfect": PerfectPlayer}
    if kind in plain and not colon:
        return plain[kind]()
    if kind in ("uct", "alphabeta") and number.isdecimal():
        return UCTPlayer(int(number), seed=seed) if kind == "uct" else AlphaBetaPlayer(int(number), seed=seed)
    raise ValueError(f"opponent {word!r} is not known; there are: {', '.join(FORMS)}")
