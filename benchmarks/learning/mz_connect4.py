"""MuZero learns Connect Four; beside it AlphaZero, after as many plies and after as long, measured and rated.

::

    python benchmarks/learning/mz_connect4.py                       # an hour for each of the two
    python benchmarks/learning/mz_connect4.py --minutes 5 --seed 2  # shorter, or another seed
    python benchmarks/learning/mz_connect4.py --measure             # of what the runs hold

Both search with as many simulations when they are measured, and by the presets "connect4" when they learn: AlphaZero by
the rules, MuZero by what it has learned of them. Minutes are of processor time. What they are measured on are positions
solved exactly, and rated games in the arena. A run that is stopped goes on when it is started again. Results are
docs/results/mz-connect4-seedS.md and .json.
"""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import course
import latent_measures
import torch
from course import RESULTS, RUNS, told_as
from measures import GPU_MISTAKES, Rate, mistake_rate
from positions import SETS, load
from rated import rated

from sakiyomi.agents import AlphaZero
from sakiyomi.agents.agent import TrainingBudget
from sakiyomi.agents.muzero import MuZero
from sakiyomi.agents.opponents import make_opponent
from sakiyomi.agents.parts.runs.metrics import read_progress
from sakiyomi.agents.parts.strength.contest import Choose, contest
from sakiyomi.boards import ConnectFour

GAME = ConnectFour()
SIMULATIONS = 200
GAMES = 40  # a pair of rated players
LATENT, AS_LONG, AS_MANY = "MuZero", "AlphaZero after as long", "AlphaZero after as many plies"
BARS = {"begin-medium": 0.10, "middle-medium": 0.10}
"""The most mistakes that MuZero may make, of those that learn on a GPU."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="of processor time for each (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--simulations", type=int, default=SIMULATIONS, help="when measured (default %(default)s)")
    parser.add_argument("--out", type=Path, default=RUNS / "mz-connect4", help="folder of the runs")
    parser.add_argument("--measure", action="store_true", help="measure only, without learning")
    chosen = parser.parse_args()
    torch.set_num_threads(1)  # the products are small
    seeded = {name: chosen.out / f"{name}-seed{chosen.seed}" for name in ("muzero", "alphazero", "alphazero-as-many")}
    folders = dict(zip((LATENT, AS_LONG, AS_MANY), seeded.values(), strict=True))
    if not chosen.measure:
        time = TrainingBudget(processor_seconds=60 * chosen.minutes)
        learn(MuZero, folders[LATENT], time, chosen.seed)
        if not folders[AS_MANY].exists():
            learn(AlphaZero, folders[AS_LONG], TrainingBudget(environment_steps=plies(folders[LATENT])), chosen.seed)
            keep(folders[AS_LONG], folders[AS_MANY])
        learn(AlphaZero, folders[AS_LONG], time, chosen.seed)
    searched: dict[str, Choose] = {}
    alone: dict[str, Choose] = {}
    for name, folder in folders.items():
        if name == LATENT:
            latent = MuZero.load(folder)
            searched[name] = latent_measures.searching(latent, GAME, chosen.simulations)
            alone[f"{name}, network alone"] = latent_measures.by_network_alone(latent, GAME)
        else:
            ruled = AlphaZero.load(folder)
            searched[name] = course.searching(ruled, chosen.simulations)
            alone[f"{name}, network alone"] = course.by_network_alone(ruled)
    mistakes = {
        name: {each: mistake_rate(choose, load(each)) for each in SETS} for name, choose in (searched | alone).items()
    }
    scores = {
        f"{name} against {word}": str(contest(GAME, choose, make_opponent(word, 1), 100, seed=1))
        for name, choose in searched.items()
        for word in ("random", "uct:1000")
    }
    players = {
        name: f"{'muzero' if name == LATENT else 'alphazero'}:{folder}@sims={chosen.simulations}"
        for name, folder in folders.items()
    }
    ratings = rated(GAME, players | {"uct:1000": "uct:1000"}, GAMES, chosen.out / f"rated-seed{chosen.seed}")
    scores |= {mark.what: mark.figure for mark in ratings}
    write(f"mz-connect4-seed{chosen.seed}", chosen, folders, mistakes, scores)


def learn(agent: type[Any], folder: Path, budget: TrainingBudget, seed: int) -> None:
    """Learn, telling a line for each minute."""
    told = -1
    stages = agent.train(GAME, folder, budget, config=agent.presets["connect4"], seed=seed, resume=True)
    for progress in stages:
        if int(progress.seconds // 60) > told:
            told = int(progress.seconds // 60)
            print(f"{agent.__name__}: {progress.environment_steps} plies, {told_as(progress)}", flush=True)


def keep(folder: Path, place: Path) -> None:
    """Copy the agent in `folder` to `place` as it is now."""
    place.mkdir(parents=True)
    for name in ("agent.json", "weights.safetensors", "progress.json"):
        shutil.copy(folder / name, place / name)


def plies(folder: Path) -> int:
    """Of self-play, so far."""
    return int(read_progress(folder)[-1]["environment steps"] or 0)


def write(
    name: str,
    chosen: argparse.Namespace,
    folders: dict[str, Path],
    mistakes: dict[str, dict[str, Rate]],
    scores: dict[str, str],
) -> None:
    """The page of results and its figures."""
    spent = {each: read_progress(folder)[-1] for each, folder in folders.items()}
    page = [
        "# MuZero and AlphaZero, Connect Four",
        "",
        f"`python benchmarks/learning/mz_connect4.py --seed {chosen.seed}`: "
        + "; ".join(
            f"{each} {row['environment steps']:,.0f} plies of self-play, {row['steps']:,.0f} steps of learning,"
            f" {(row['processor seconds'] or 0) / 60:.0f} minutes of processor time"
            for each, row in spent.items()
        )
        + f". Measured with {chosen.simulations} simulations.",
        "",
        "Mistakes, of the positions of each set:",
        "",
        "| set | " + " | ".join(mistakes) + " | bar for MuZero | another's AlphaZero (GPU) |",
        "| --- |" + " --- |" * (len(mistakes) + 2),
        *(
            f"| {each} | "
            + " | ".join(f"{found[each].share:.1%}" for found in mistakes.values())
            + f" | {f'<= {BARS[each]:.0%}' if each in BARS else ''} | {GPU_MISTAKES[each]:.1%} |"
            for each in SETS
        ),
        "",
        f"100 games after 4 random plies, and ratings of {GAMES} games a pair after 2:",
        "",
        *(f"- {what}: {score}" for what, score in scores.items()),
        "",
    ]
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.md").write_text("\n".join(page), encoding="utf-8")
    figures = {
        "mistakes": {who: {each: tuple(rate) for each, rate in found.items()} for who, found in mistakes.items()},
        "scores": scores,
        "last": spent,
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print("\n".join(page))


if __name__ == "__main__":
    main()
