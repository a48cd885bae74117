"""How well an agent that plans in latent states plays board games: its moves with search and without.

What `course.searching` and `course.by_network_alone` are for agents that plan by the rules, for MuZero.
"""

import numpy as np
from course import in_parts
from numpy.typing import NDArray

from sakiyomi.agents.muzero import MuZero
from sakiyomi.agents.parts.muzero.net_dynamics import NetDynamics
from sakiyomi.agents.parts.strength.contest import Choose
from sakiyomi.agents.parts.strength.measuring import chooser
from sakiyomi.boards.game import Game, States

TOGETHER = 128
"""Positions that are searched at once: their latent states have to fit into memory."""


def searching(agent: MuZero, game: Game, simulations: int, seed: int = 0) -> Choose:
    """The moves of `agent` after so many simulations each, any number of positions."""
    chosen = MuZero(agent.task, agent.players, agent.net, agent.config, agent.frame, simulations=simulations)
    return in_parts(chooser(chosen, game, TOGETHER, seed), TOGETHER)


def by_network_alone(agent: MuZero, game: Game) -> Choose:
    """The moves that the policy of the first latent state likes best."""
    dynamics = NetDynamics(agent.net)

    def choose(states: States) -> NDArray[np.int32]:
        logits = dynamics.initial(game.observe(states))[0]
        return np.where(game.legal(states), logits, -np.inf).argmax(axis=1).astype(np.int32)

    return in_parts(choose)
