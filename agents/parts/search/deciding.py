"""From a `Turn` to moves by search, and what that search foresaw: for agents that know the rules."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.agent import Actions, Foresight, Turn
from sakiyomi.agents.parts.search import Dirichlet, Findings, Gumbel, Puct
from sakiyomi.agents.parts.search.findings import drawn
from sakiyomi.agents.parts.search.planner import Planner, principal_variation

TOLD = 16  # candidates that are told with the line expected after them


@dataclass
class Deciding:
    """What a searching agent remembers of its episodes: its planner (whose tree may be gone on from), and what that
    found last."""

    planner: Planner
    found: Findings | None = None


def decide(
    carry: Deciding,
    turn: Turn,
    selection: Puct | Gumbel,
    noise: Dirichlet | None = None,
    exploring_plies: int = 0,
) -> Actions:
    """[B] actions, after a search of the positions of `turn` by `selection`, with `noise` at their roots.

    They are the best found (`best_actions`), but with PUCT drawn in proportion to the visits where fewer than
    `exploring_plies` plies were played. Raises ValueError for a turn without positions, of more of them than the
    planner has trees, or of games that are over.
    """
    if turn.game is None or turn.states is None:
        raise ValueError("an agent that plans with the rules needs a turn with game and states (Turn.of_game)")
    planner = carry.planner
    if len(turn.states) > planner.trees:
        raise ValueError(f"the carry is for {planner.trees} positions, got {len(turn.states)}")
    planner.game, planner.selection, planner.noise = turn.game, selection, noise

    def tell(found: Findings) -> None:
        carry.found = found
        if turn.tell is not None:
            turn.tell(imagined(carry, 0))

    carry.found = found = planner.find(
        turn.states,
        turn.legal,
        simulations=turn.budget.simulations,
        seconds=turn.budget.seconds,
        stop=turn.stop,
        tell=None if turn.tell is None else tell,
    )
    if turn.tell is not None:
        turn.tell(imagined(carry, 0))
    best = best_actions(found, planner)
    early = turn.states["ply"] < exploring_plies
    if isinstance(selection, Gumbel) or not early.any():
        return best
    return np.where(early, drawn(found.proportions(), planner.rng), best)


def best_actions(found: Findings, planner: Planner) -> NDArray[np.int64]:
    """[n]: Gumbel's choice, or the most visited (sound) action, of equals the one of greater mean."""
    selection = planner.search.selection if planner.search is not None else planner.selection
    if isinstance(selection, Gumbel):
        return found.gumbel_actions(selection)
    visits = np.where(found.sound, found.visits, -1)
    means = np.nan_to_num(found.means, nan=-2.0)
    # visits are whole numbers, means and priors lie within 2 of 0: one sum orders by all three
    best: NDArray[np.int64] = np.argmax(visits * 8.0 + means + found.priors * 1e-3, axis=1)
    return best


def imagined(carry: Deciding, row: int) -> Foresight:
    """What the last search found in `row`. Raises ValueError before the first."""
    found, search = carry.found, carry.planner.search
    if found is None or search is None:
        raise ValueError("nothing is foreseen before the first act")
    legal = np.flatnonzero(found.priors[row] > 0)
    visits, means = found.visits[row, legal], np.nan_to_num(found.means[row, legal], nan=-2.0)
    order = legal[np.lexsort((found.priors[row, legal], means, visits))[::-1]]
    first = int(best_actions(found, carry.planner)[row])
    order = np.concatenate([[first], order[order != first]])
    lines = tuple(
        np.array(principal_variation(search, row, int(action)), np.int32)
        for action in order[:TOLD]
        if found.visits[row, action] > 0
    )
    return Foresight(
        value=float(np.clip(found.values[row], -1, 1)),
        actions=order,
        visits=found.visits[row, order],
        values=found.means[row, order],
        priors=found.priors[row, order],
        lines=lines,
        simulations=int(found.visits[row].sum()),
        depth=max((len(line) for line in lines), default=0),
    )
