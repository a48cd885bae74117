"""Gumbel MuZero against MuZero with few simulations: what each learns in the same number of plies, as a plot.

::

    python benchmarks/learning/mz_gumbel.py                                      # Connect Four, an hour in all
    python benchmarks/learning/mz_gumbel.py --game tictactoe --plies 40000       # quick
    python benchmarks/learning/mz_gumbel.py --simulations 2 8 --seeds 1 2 3
    python benchmarks/learning/mz_gumbel.py --measure                            # of what the runs hold

The claim (I. Danihelka et al., "Policy improvement by planning with Gumbel", ICLR 2022): shares of visits are no
improvement when visits are few, and MuZero stops learning at 16 simulations and fewer; Gumbel MuZero learns from 2 on.
All runs have the same settings but for the search's rule and its number of simulations: the game's preset with a small
network, and a rate that falls over their plies. The ten of Connect Four take about 60 minutes of one core together, 4
with 2 simulations and 7 with 32, those of tic-tac-toe about 15 by 40,000 plies each. What was learned is measured
without search, by the policy's own moves, and with as many simulations as were learned with. A run that is stopped
goes on when it is started again; figures are docs/results/mz-gumbel-GAME.md, .json and .png.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from course import RESULTS, RUNS
from latent_measures import by_network_alone, searching
from measures import mistake_rate, tictactoe_optimal
from positions import load

from sakiyomi.agents.agent import TrainingBudget
from sakiyomi.agents.muzero import Config, MuZero
from sakiyomi.agents.opponents import make_opponent
from sakiyomi.agents.parts.runs.checkpoints import read_json, write_json
from sakiyomi.agents.parts.strength.contest import Choose, contest
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.game import Game

RULES = {"PUCT": 0, "Gumbel": 16}
"""Root actions that a search considers; 0 is PUCT."""
NET: dict[str, int] = {"channels": 32, "hidden": 32, "blocks": 1}
OPPONENTS = {"connect4": "uct:100", "tictactoe": "random"}
GAMES = 200
MEASURED = "measured.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--game", choices=tuple(OPPONENTS), default="connect4")
    parser.add_argument("--simulations", type=int, nargs="+", default=[2, 4, 8, 16, 32])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--plies", type=int, default=150_000, help="of self-play in each run (default %(default)s)")
    parser.add_argument("--out", type=Path, help="folder of the runs (default runs/mz-gumbel-GAME)")
    parser.add_argument("--measure", action="store_true", help="measure only, without learning")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    game, out = make_game(chosen.game), chosen.out or RUNS / f"mz-gumbel-{chosen.game}"
    found: dict[str, dict[int, list[dict[str, float]]]] = {rule: {} for rule in RULES}
    for simulations in chosen.simulations:
        for rule in RULES:
            for seed in chosen.seeds:
                folder = out / f"{rule.lower()}-{simulations}-seed{seed}"
                if not chosen.measure:
                    learn(game, folder, config_of(chosen.game, rule, simulations, chosen.plies), chosen.plies, seed)
                if (folder / MEASURED).exists():
                    figures = read_json(folder / MEASURED)
                    found[rule].setdefault(simulations, []).append(figures)
                    print(f"{rule}, {simulations} simulations, seed {seed}: {figures}", flush=True)
    write(chosen.game, chosen.plies, found)


def config_of(game: str, rule: str, simulations: int, plies: int) -> Config:
    """The preset of the game with a small network, without what it leaves to looking at itself."""
    config: Config = MuZero.presets[game]
    searched = {"considered": min(RULES[rule], simulations), "simulations": simulations}
    updates = max(1, int(plies * config.uses / config.batch))
    return replace(config, **NET, **searched, rate_steps=updates, evaluate_every=10**9)


def learn(game: Game, folder: Path, config: Config, plies: int, seed: int) -> None:
    """What a run has still to learn, and how strong it is then, which the folder keeps."""
    budget = TrainingBudget(environment_steps=plies)
    steps = 0
    for progress in MuZero.train(game, folder, budget, config=config, seed=seed, resume=True):
        steps = progress.environment_steps
        if int(10 * progress.spent) > int(10 * (progress.spent - config.rows * config.moves / plies)):
            print(f"  {folder.name}: {steps} plies", flush=True)
    if steps or not (folder / MEASURED).exists():
        write_json(folder / MEASURED, measured(MuZero.load(folder), game, config.simulations))


def measured(agent: MuZero, game: Game, simulations: int) -> dict[str, float]:
    """Figures by name, 0 to 1."""
    alone, opponent = by_network_alone(agent, game), OPPONENTS[game.name]
    score = contest(game, searching(agent, game, simulations), make_opponent(opponent, 1), GAMES, seed=1)
    plain = contest(game, alone, make_opponent(opponent, 1), GAMES, seed=1)
    return {
        "right moves, network alone": right_moves(alone, game),
        f"score against {opponent}, network alone": plain.mean,
        f"score against {opponent}": score.mean,
    }


def right_moves(choose: Choose, game: Game) -> float:
    """The share of positions in which `choose` keeps the result."""
    if game.name == "tictactoe":
        return tictactoe_optimal(choose).share
    return 1 - float(np.mean([mistake_rate(choose, load(name)).share for name in ("middle-easy", "begin-medium")]))


def write(game: str, plies: int, found: dict[str, dict[int, list[dict[str, float]]]]) -> None:
    """The page, its plot (lines are means of the seeds, which are dots) and its figures."""
    from matplotlib.figure import Figure

    names = list(next((runs[0] for each in found.values() for runs in each.values()), {}))
    figure = Figure(figsize=(4 * max(1, len(names)), 3.6), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, max(1, len(names)), sharex=True))
    page = [
        f"# Gumbel MuZero and MuZero with few simulations, {game}",
        "",
        f"`python benchmarks/learning/mz_gumbel.py --game {game}`: {plies:,} plies of self-play a run. Right moves are"
        " those that keep the result under perfect play.",
        "",
        f"![strength by simulations](mz-gumbel-{game}.png)",
        "",
        "| rule | simulations | seeds | " + " | ".join(names) + " |",
        "| --- |" + " --- |" * (len(names) + 2),
    ]
    for rule, runs in found.items():
        for panel, name in zip(panels, names, strict=False):
            means = [float(np.mean([each[name] for each in runs[n]])) for n in runs]
            (line,) = panel.plot(list(runs), means, "-", label=rule)
            dots = [(n, each[name]) for n in runs for each in runs[n]]
            panel.plot(*zip(*dots, strict=True), "o", color=line.get_color(), markersize=4)
            panel.set(xlabel="simulations", title=name)
        for n, each in runs.items():
            shown = " | ".join(f"{np.mean([one[name] for one in each]):.1%}" for name in names)
            page.append(f"| {rule} | {n} | {len(each)} | {shown} |")
    for panel in panels:
        panel.set_xscale("log", base=2)
        panel.grid(alpha=0.3)
        panel.legend(fontsize="small")
        panel.title.set_fontsize("small")
    RESULTS.mkdir(parents=True, exist_ok=True)
    figure.savefig(RESULTS / f"mz-gumbel-{game}.png", dpi=120)
    (RESULTS / f"mz-gumbel-{game}.md").write_text("\n".join([*page, ""]), encoding="utf-8")
    (RESULTS / f"mz-gumbel-{game}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"written: {RESULTS}/mz-gumbel-{game}.md")


if __name__ == "__main__":
    main()
