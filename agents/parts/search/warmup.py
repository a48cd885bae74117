"""Compile every kernel of the search once, and leave the machine code in the cache."""

import numpy as np

from sakiyomi.agents.parts.search.caching import CachedEvaluate
from sakiyomi.agents.parts.search.models import Evaluate, RulesModel
from sakiyomi.agents.parts.search.search import Search
from sakiyomi.agents.parts.search.selection import Dirichlet, Gumbel, Puct
from sakiyomi.boards.game import Game
from sakiyomi.boards.tictactoe import TicTacToe


def warm_up() -> None:
    """Search tic-tac-toe for a moment in every way that has kernels of its own."""
    game = TicTacToe()
    rows = np.arange(2)
    for selection in (Puct(), Gumbel()):
        model = RulesModel(game, CachedEvaluate(_even(game), game.num_actions, 8), 2)
        search = Search(model, 2, 16, selection=selection, noise=Dirichlet(), solve=True, layout="pool")
        found = search.run(16)
        if isinstance(selection, Puct):
            actions = found.visits.argmax(axis=1)
            game.play(model.roots, actions.astype(np.int32))
            search.go_on(rows, actions, 20)
            search.round()


def _even(game: Game) -> Evaluate:
    """A network that holds every move equally likely and every position even."""
    return lambda observations: (
        np.zeros((len(observations), game.num_actions), np.float32),
        np.zeros(len(observations), np.float32),
    )
