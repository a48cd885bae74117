"""PETS' ablation: what its networks tell of chance and of themselves, and how particles pass through them.

::

    python benchmarks/learning/pets_ablation.py                       # all variants, one trial of each in turn
    python benchmarks/learning/pets_ablation.py --variants PE-TSinf D-E --trials 4
    python benchmarks/learning/pets_ablation.py --measure             # of what the runs hold so far

Every variant learns the paper's cart-pole with small networks and few plans, so that all of them take minutes: a
comparison of the variants with each other, not with the paper's figures. Section 6 of Chua et al. (NeurIPS 2018) names
them: P networks that tell a variance, D those that tell none, E an ensemble of them; then how particles propagate. A
run goes on where it was stopped. Results are docs/results/pets-ablation.md with plot and figures.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from course import RESULTS, RUNS
from trials_course import Returns, TrialsCourse, interval, returns_of

from sakiyomi.agents.parts.runs.flags import settings_of
from sakiyomi.agents.parts.runs.metrics import Row, read_progress
from sakiyomi.agents.pets import PETS, Config

ABOUT = "PETS' ablation on the paper's cart-pole, small"
BASE = replace(PETS.presets["quick-cartpole"], population=100, elites=10, iterations=4, horizon=20, early_epochs=20)
ALONE = {"members": 1}
CERTAIN = {"deterministic": True}
VARIANTS: dict[str, Config] = {
    "PE-TSinf": BASE,
    "PE-TS1": replace(BASE, propagation="ts1"),
    "PE-DS": replace(BASE, propagation="ds"),
    "PE-MM": replace(BASE, propagation="mm"),
    "PE-E": replace(BASE, propagation="e"),
    "P-TSinf": replace(BASE, **ALONE),
    "P-E": replace(BASE, propagation="e", **ALONE),
    "DE-TSinf": replace(BASE, **CERTAIN),
    "DE-TS1": replace(BASE, propagation="ts1", **CERTAIN),
    "DE-E": replace(BASE, propagation="e", **CERTAIN),
    "D-E": replace(BASE, propagation="e", **ALONE, **CERTAIN),
}


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=ABOUT)
    parser.add_argument("--seeds", type=int, default=1, help="from 0 on (default %(default)s)")
    parser.add_argument("--trials", type=int, default=10, help="with the first, at random (default %(default)s)")
    parser.add_argument("--variants", nargs="*", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--out", type=Path, default=RUNS / "pets-ablation", help="folder of the runs")
    parser.add_argument("--measure", action="store_true", help="measure only, without learning")
    chosen = parser.parse_args()
    torch.set_num_threads(1)  # the products are small
    folders = {name: [chosen.out / name / f"seed{seed}" for seed in range(chosen.seeds)] for name in chosen.variants}
    if not chosen.measure:
        for trials in range(1, chosen.trials + 1):  # in turn, so that what is there can be compared at any time
            for name, runs in folders.items():
                print(name, flush=True)
                course = TrialsCourse(name, ABOUT, PETS, "pets/cartpole", VARIANTS[name], lambda returns: [])
                for seed, folder in enumerate(runs):
                    course.learn(folder, seed, trials)
    found = {name: [rows for rows in map(read_progress, runs) if rows] for name, runs in folders.items()}
    found = {name: [rows[: chosen.trials] for rows in runs] for name, runs in found.items() if runs}
    if not found:
        parser.error(f"there are no runs in {chosen.out}")
    write(found)


def write(found: dict[str, list[list[Row]]]) -> None:
    """The page of results, its plot and its figures; the variants that came farthest first."""
    returns = {name: returns_of(runs) for name, runs in found.items()}
    names = sorted(returns, key=lambda name: -float(last(returns[name]).mean()))
    lines = [
        f"# {ABOUT}",
        "",
        "`python benchmarks/learning/pets_ablation.py`. P: networks that tell a variance, D: none; E: five of them,"
        " else one. Then how particles propagate: TSinf and TS1 sample, DS and MM fit normals, E follows the mean."
        " Trials of 200 steps, the first at random. Few seeds: differences of some tens are chance.",
        "",
        "| variant | seeds | trials | best trial | last three trials | mean of all but the first | CPU-s a trial |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in names:
        each = returns[name]
        cost = np.mean([(rows[-1]["processor seconds"] or 0.0) / len(rows) for rows in found[name]])
        figures = (each.max(axis=1), last(each), each[:, 1:].mean(axis=1))
        shown = " | ".join(f"{value.mean():.0f}" for value in figures)
        lines.append(f"| {name} | {len(each)} | {each.shape[1]} | {shown} | {cost:.1f} |")
    settings = " ".join(f"{key}={value}" for key, value in settings_of(BASE))
    lines += ["", "![returns](pets-ablation.png)", "", f"Settings of PE-TSinf: {settings}.", ""]
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "pets-ablation.md").write_text("\n".join(lines), encoding="utf-8")
    figures = {name: returns[name].tolist() for name in names}
    (RESULTS / "pets-ablation.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    plot({name: returns[name] for name in names}, RESULTS / "pets-ablation.png")
    print(f"written: {RESULTS / 'pets-ablation'}.md")


def last(returns: Returns) -> Returns:
    """[S] the mean of the last three trials."""
    return np.asarray(returns[:, -3:].mean(axis=1))


def plot(returns: dict[str, Returns], path: Path) -> None:
    """The mean return of each variant over its trials; ensembles with variances are drawn thick."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for number, (name, each) in enumerate(returns.items()):
        mean, _ = interval(each)
        style = {"P": "-", "D": "--"}[name[0]]
        wide = 2.2 if name.startswith("PE") else 1.2
        colour = colormaps["tab20"](2 * number % 20 + number // 10)
        axes.plot(1 + np.arange(len(mean)), mean, style, linewidth=wide, color=colour, label=name)
    axes.set(xlabel="trial", ylabel="return", title=ABOUT)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", ncols=1, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
