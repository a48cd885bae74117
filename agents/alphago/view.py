"""What AlphaGo looked at before a move, point by point: the six boards of the paper's figure 5, as arrays and drawn.

Silver et al. 2016, figure 5: a, the value network's answer for each position one move on; b and c, the mean of values
and the mean of rollouts below each move, that is Q with lambda 0 and 1; d, the policy's probabilities; e, the share of
visits; f, the principal variation.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.agent import Turn
from sakiyomi.agents.alphago.agent import AlphaGo, Carry
from sakiyomi.agents.alphago.apv_tree import UNEXPANDED
from sakiyomi.agents.alphago.search import ApvSearch, Guides
from sakiyomi.agents.parts.search.deciding import Deciding, best_actions
from sakiyomi.agents.parts.search.planner import principal_variation
from sakiyomi.boards.game import Ending, States
from sakiyomi.boards.go import Go

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST = 12  # moves of the principal variation that are drawn
UNIT = 2.4  # inches for a board


@dataclass(frozen=True, eq=False)
class SearchView:
    """By action [A], the pass last; NaN where there is nothing to tell. Values are of the player to move, -1 to 1."""

    game: Go
    state: States  # [1]
    policy: NDArray[np.float64]
    next_values: NDArray[np.float64]  # the value network's, one move on
    mean_values: NDArray[np.float64]  # of all values below the move
    mean_rollouts: NDArray[np.float64]
    visits: NDArray[np.int64]
    line: tuple[int, ...]  # the principal variation
    value: float  # of the root, as the search mixes it


def search_view(agent: AlphaGo, carry: Carry, turn: Turn, row: int = 0) -> SearchView:
    """What the search for row `row` of `turn` found; `carry` is what `act` returned. Raises ValueError without one."""
    if not isinstance(carry, Deciding) or carry.found is None or turn.states is None or not isinstance(turn.game, Go):
        raise ValueError("there is nothing to view: no position of Go was searched with this carry")
    found, tree = carry.found, carry.planner.search
    assert isinstance(tree, ApvSearch), "AlphaGo's planner makes no other"
    state, actions = turn.states[row : row + 1], turn.game.num_actions
    values, rollouts = np.full((2, actions), np.nan)
    for edge in _root_edges(tree, row):
        if edge["valued"] > 0:
            values[edge["action"]] = edge["value"] / edge["valued"]
        if edge["visits"] > 0 and agent.mixing != 0:
            rollouts[edge["action"]] = edge["total"] / edge["visits"]
    best = int(best_actions(found, carry.planner)[row])
    guides = agent.guides(turn.game, np.random.default_rng(0))
    return SearchView(
        turn.game,
        state,
        found.priors[row],
        values_one_move_on(turn.game, state, guides),
        values,
        rollouts,
        found.visits[row],
        tuple(principal_variation(tree, row, best)),
        float(found.values[row]),
    )


def values_one_move_on(game: Go, state: States, guides: Guides) -> NDArray[np.float64]:
    """[A]: what the value network expects after each legal action in `state` [1], for who moves there now; else NaN."""
    found = np.full(game.num_actions, np.nan)
    legal = np.flatnonzero(game.legal(state)[0])
    after = np.repeat(state, len(legal))
    game.play(after, legal.astype(np.int32))
    ended = game.ending(after) != Ending.ONGOING
    sign = 1 - 2 * int(game.turn(state)[0])
    if guides.values is not None and not ended.all():
        found[legal[~ended]] = sign * guides.values(after[~ended])
    found[legal[ended]] = sign * game.result(after[ended])
    return found


def draw_view(view: SearchView, path: Path) -> None:
    """Draw the six boards into a PNG. Raises ModuleNotFoundError, which says so, without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "matplotlib":
            raise
        raise ModuleNotFoundError('pictures need matplotlib: pip install "sakiyomi[plots]"', name=error.name) from None
    height, width = view.game.planes[1:]
    figure = Figure(figsize=(3 * UNIT * max(width / height, 1) + 0.6, 2 * UNIT * max(height / width, 1) + 1.2))
    axes: Any = figure.subplots(2, 3)
    share = view.visits / max(1, view.visits.sum())
    panels = (
        ("a  value network", view.next_values, "RdBu", 1.0),
        ("b  values of the tree", view.mean_values, "RdBu", 1.0),
        ("c  rollouts of the tree", view.mean_rollouts, "RdBu", 1.0),
        ("d  policy network", view.policy, "Blues", 0.0),
        ("e  visits", share, "Blues", 0.0),
    )
    for axis, (title, figures, colours, span) in zip(axes.flat, panels, strict=False):
        _board(axis, view, title)
        _heat(axis, view, figures, colours, span)
    _board(axes.flat[5], view, "f  principal variation")
    _line(axes.flat[5], view)
    mover = "White" if int(view.game.turn(view.state)[0]) else "Black"
    figure.suptitle(f"{mover} to move, expects {view.value:+.2f} after {int(view.visits.sum()):,} simulations")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _root_edges(tree: ApvSearch, row: int) -> NDArray[np.void]:
    root = tree.forest.nodes[row, 0]
    count = 0 if root["count"] == UNEXPANDED else int(root["count"])
    edges: NDArray[np.void] = tree.forest.edges[row, int(root["first"]) : int(root["first"]) + count]
    return edges


def _board(axis: "Axes", view: SearchView, title: str) -> None:
    """The grid and the stones."""
    height, width = view.game.planes[1:]
    axis.set_title(title, fontsize=9, loc="left")
    axis.set_xlim(-0.6, width - 0.4)
    axis.set_ylim(height - 0.4, -0.6)
    axis.set_aspect("equal")
    axis.axis("off")
    axis.hlines(range(height), 0, width - 1, colors="0.75", linewidths=0.5, zorder=0)
    axis.vlines(range(width), 0, height - 1, colors="0.75", linewidths=0.5, zorder=0)
    for y, x in np.argwhere(view.game.board(view.state[0])):
        _stone(axis, x, y, black=bool(view.game.board(view.state[0])[y, x] > 0))


def _stone(axis: "Axes", x: float, y: float, *, black: bool) -> None:
    from matplotlib.patches import Circle

    axis.add_patch(Circle((x, y), 0.45, facecolor="black" if black else "white", edgecolor="black", lw=0.6, zorder=2))


def _heat(axis: "Axes", view: SearchView, figures: NDArray[Any], colours: str, span: float) -> None:
    """Figures as colours of the points; the greatest also as a number. `span` 1: from -1 to 1; 0: from 0 up."""
    width = view.game.planes[2]
    points = np.flatnonzero(~np.isnan(figures[:-1]) & ((span > 0) | (figures[:-1] > 0)))
    if not len(points):
        return
    high = span or float(figures[points].max())
    x, y = points % width, points // width
    axis.scatter(x, y, c=figures[points], cmap=colours, vmin=-span, vmax=high, marker="s", s=90, zorder=1, alpha=0.85)
    top = int(points[np.argmax(figures[points])])
    text = f"{figures[top]:.2f}" if span else f"{100 * figures[top]:.0f}%"
    axis.annotate(text, (top % width, top // width), ha="center", va="center", fontsize=6, zorder=3)


def _line(axis: "Axes", view: SearchView) -> None:
    """The principal variation as numbered stones; passes are left out of the drawing."""
    width = view.game.planes[2]
    state, shown = view.state.copy(), set[int]()
    for number, action in enumerate(view.line[:LONGEST], 1):
        black = int(view.game.turn(state)[0]) == 0
        if action < view.game.num_actions - 1 and action not in shown:
            _stone(axis, action % width, action // width, black=black)
            place = action % width, action // width
            axis.annotate(
                str(number), place, ha="center", va="center", fontsize=7, zorder=3, color="white" if black else "black"
            )
            shown.add(action)
        view.game.play(state, np.array([action], np.int32))
