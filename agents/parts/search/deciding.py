"""From a `Turn` to moves by search, and what that search foresaw: for agents that know the rules."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.agent import Actions, Foresight, Turn
from sakiyomi.agents.parts.search import Dirichlet, Findings, Gumbel, Puct
from sakiyomi.agents.parts.search.findings import drawn
from sakiyomi.agents.parts.search.planner import Planner, principal_variation
from sakiyomi.boards.game import Game, States

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
    _, states = positions_of(turn, carry.planner.trees)
    planner = carry.planner
    planner.selection, planner.noise = selection, noise
    found = look(carry, turn)
    best = best_actions(found, planner)
    early = states["ply"] < exploring_plies
    if isinstance(selection, Gumbel) or not early.any():
        return best
    return np.where(early, drawn(found.proportions(), planner.rng), best)


def positions_of(turn: Turn, trees: int) -> tuple[Game, States]:
    """The game of `turn` and its positions. Raises ValueError for a turn without them, or of more than `trees`."""
    if turn.game is None or turn.states is None:
        raise ValueError("an agent that plans with the rules needs a turn with game and states (Turn.of_game)")
    if len(turn.states) > trees:
        raise ValueError(f"the carry is for {trees} positions, got {len(turn.states)}")
    return turn.game, turn.states


def look(carry: Deciding, turn: Turn) -> Findings:
    """Search the positions of `turn` as its budget says, telling what is found so far; the carry keeps what was found.

    Raises ValueError as `decide`.
    """
    planner = carry.planner
    planner.game, states = positions_of(turn, planner.trees)

    def tell(found: Findings) -> None:
        carry.found = found
        if turn.tell is not None:
            turn.tell(imagined(carry, 0))

    carry.found = found = planner.find(
        states,
        turn.legal,
        simulations=turn.budget.simulations,
        seconds=turn.budget.seconds,
        stop=turn.stop,
        tell=None if turn.tell is None else tell,
    )
    if turn.tell is not None:
        turn.tell(imagined(carry, 0))
    return found


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
