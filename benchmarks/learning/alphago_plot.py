"""A plot of AlphaGo's relations, of those that were measured, with intervals of 95 % and the paper's figures."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

PAPER = "#c44e52"
OURS, OTHERS = "#4c72b0", "#8c8c8c"
Figures = Mapping[str, Any]


def plot_relations(found: Mapping[int, Figures], path: Path) -> None:
    """Draw the figures of the relations `found` into `path`; those that are only told have no panel."""
    from matplotlib.figure import Figure

    panels = [(k, draw) for k, draw in PANELS if k in found]
    if not panels:
        return
    rows, columns = -(-len(panels) // 3), min(3, len(panels))
    figure = Figure(figsize=(5.0 * columns, 3.6 * rows), layout="constrained")
    for place, (k, draw) in enumerate(panels):
        axes = figure.add_subplot(rows, columns, place + 1)
        draw(axes, found[k])
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def _bars(axes: Any, figures: Mapping[str, tuple[float, float, float]], first: float | None = 0.0) -> None:
    """Horizontal bars of means with their ends (mean, low, high), from the top down; dots where no 0 is `first`."""
    names = list(figures)
    means, lows, highs = np.array([figures[name] for name in names]).T
    places = np.arange(len(names))[::-1]
    errors = np.maximum([means - lows, highs - means], 0)
    if first is None:
        axes.errorbar(means, places, xerr=errors, fmt="o", color=OURS, capsize=3)
    else:
        axes.barh(places, means - first, left=first, xerr=errors, color=OURS, capsize=3, height=0.6)
    axes.set_yticks(places, names)
    axes.margins(y=0.1)


def _paper(axes: Any, values: list[float]) -> None:
    """Mark the paper's value of each bar."""
    places = np.arange(len(values))[::-1]
    axes.plot(values, places, "D", color=PAPER, markersize=5, label="the paper, 19x19")
    axes.legend(loc="lower right", fontsize=8)


def _shares(figures: Figures, names: Mapping[str, str]) -> dict[str, tuple[float, float, float]]:
    """The shares of `names` (as they are stored: as they are drawn), in per cent."""
    return {
        told: (100 * figures[name]["share"], 100 * figures[name]["low"], 100 * figures[name]["high"])
        for name, told in names.items()
    }


def accuracies(axes: Any, figures: Figures) -> None:
    """1."""
    names = {"policy network": "network", "tree policy": "tree policy", "rollout policy": "rollout policy"}
    _bars(axes, _shares(figures, names))
    _paper(axes, [55.4, np.nan, 24.2])
    axes.set(title="1. Moves foretold", xlabel="% of held-out positions")


def seen_planes(axes: Any, figures: Figures) -> None:
    """2."""
    _bars(axes, _shares(figures, {f"{n} planes, 8 views": f"{n} planes" for n in (48, 12, 4)}))
    axes.set(title="2. By planes, taught as long, eight views", xlabel="% of held-out positions")


def one_and_eight(axes: Any, figures: Figures) -> None:
    """3."""
    _bars(axes, _shares(figures, {"eight": "eight views", "one": "one view"}))
    low = min(figures["one"]["low"], figures["eight"]["low"])
    axes.set(title="3. Views of the board", xlabel="% of held-out positions", xlim=(100 * low - 2, None))


def scores(axes: Any, figures: Figures) -> None:
    """4."""
    names = {
        "reinforced against SL": "RL against SL",
        "without a pool against SL": "without pool against SL",
        "reinforced against the one without a pool": "RL against without pool",
    }
    _bars(axes, _shares(figures, names))
    axes.axvline(60, color=OTHERS, linestyle=":")
    _paper(axes, [80, np.nan, np.nan])
    axes.set(title="4. Policies against each other", xlabel="score, %", xlim=(0, 100))


def errors_of_kinds(axes: Any, figures: Figures) -> None:
    """5."""
    for place, name in enumerate(("one position a game", "all positions")):
        for k, (what, colour) in enumerate((("train", OTHERS), ("held out", OURS))):
            mean = figures[name][what]
            high = mean["high"] - mean["mean"]
            bar = axes.bar(
                place + 0.35 * k, mean["mean"], 0.33, yerr=[[mean["mean"] - mean["low"]], [high]], color=colour
            )
            bar.set_label(what if place == 0 else "_")
    axes.set_xticks([0.175, 1.175], ["one position a game", "all positions"])
    axes.legend(fontsize=8)
    axes.set(title="5. What the value network learnt from", ylabel="squared error, results -1 and 1")


def errors_by_stage(axes: Any, figures: Figures) -> None:
    """6, as the paper's figure 2b."""
    stages = [name for name in figures if name != "all"]
    at = [np.mean([int(word) for word in stage.split() if word.isdigit()]) for stage in stages]
    styles = {"value network": OURS, "rollout policy": PAPER, "uniform rollouts": OTHERS}
    for name, colour in styles.items():
        means = [figures[stage][name] for stage in stages]
        axes.plot(at, [each["mean"] for each in means], "o-", color=colour, markersize=4, label=name)
        axes.fill_between(
            at, [each["low"] for each in means], [each["high"] for each in means], color=colour, alpha=0.2, linewidth=0
        )
    axes.legend(fontsize=8)
    axes.set(title="6. Values and 100 rollouts", xlabel="plies played", ylabel="squared error", ylim=(0, None))


def ratings(axes: Any, figures: Figures) -> None:
    """7: the parts."""
    parts = figures["parts"]
    told = {"p": "policy alone", "r": "rollouts", "v": "value"}
    order = sorted(parts, key=lambda name: -parts[name]["elo"])
    _bars(axes, {told.get(name, name): _elo(parts[name]) for name in order}, None)
    axes.set(title="7. Rollouts, value network, policy network", xlabel="Elo")


def others(axes: Any, figures: Figures) -> None:
    """9."""
    _bars(axes, {name: _elo(figures[name]) for name in sorted(figures, key=lambda name: -figures[name]["elo"])}, None)
    axes.set(title="9. Beside other programs", xlabel="Elo")


def mixings(axes: Any, figures: Figures) -> None:
    """7: lambda."""
    found = figures["mixings"]
    at = [float(name.split()[-1]) for name in found]
    elo = np.array([_elo(each) for each in found.values()])
    axes.errorbar(at, elo[:, 0], yerr=[elo[:, 0] - elo[:, 1], elo[:, 2] - elo[:, 0]], fmt="o-", color=OURS, capsize=3)
    axes.set(title="7. Mixing", xlabel="lambda, the rollouts' part", ylabel="Elo")


def _elo(figures: Figures) -> tuple[float, float, float]:
    return figures["elo"], figures["low"], figures["high"]


PANELS: tuple[tuple[int, Callable[[Any, Figures], None]], ...] = (
    (1, accuracies),
    (2, seen_planes),
    (3, one_and_eight),
    (4, scores),
    (5, errors_of_kinds),
    (6, errors_by_stage),
    (7, ratings),
    (7, mixings),
    (9, others),
)
