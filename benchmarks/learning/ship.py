"""Puts a trained agent into the package: its weights, made small, and a card.

::

    python benchmarks/learning/ship.py runs/c3-connect4-seed1 --results docs/results/c3-connect4-seed1
    python benchmarks/learning/ship.py runs/ttt --games 20 --into /tmp/weights

The card's rating is that of a small tournament with random, greedy and UCT, played here, with 95 % intervals; 0 is the
players' mean. AlphaZero's and AlphaGo Zero's matrices are stored as float16 if the network then answers as before;
other agents are stored as they are. An agent that is no better than random is not shipped.
"""

import argparse
import json
import os
import platform
import re
import shlex
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from course import Mark, verdict

from sakiyomi.agents.parts.dual.files import load_dual_net, policy_positions
from sakiyomi.agents.parts.dual.shipping import Card, for_play, halved, rounding
from sakiyomi.agents.parts.runs.agent_files import DESCRIPTION, WEIGHTS
from sakiyomi.agents.parts.runs.checkpoints import load_tensors, read_json, save_tensors, whole_folder, write_json
from sakiyomi.agents.parts.runs.flags import from_json, settings_of
from sakiyomi.arena import Tournament
from sakiyomi.arena.agent_specs import agent_class, weights_of
from sakiyomi.arena.training import Run
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.game import Game

DUAL = ("alphazero", "alphagozero")
SIMULATIONS = 50  # of the agent in the games that rate it


def main() -> None:
    """Ship the run that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the folder of the run")
    parser.add_argument("--results", type=Path, help="page of results of its course, without the ending .md")
    parser.add_argument("--command", help="how to train it again (default: as the run or the results tell)")
    parser.add_argument(
        "--games", type=int, default=40, help="games a pair of players to rate it (default %(default)s)"
    )
    parser.add_argument("--into", type=Path, help="folder for the agents (default the package's)")
    parser.add_argument("--processor", default=processor(), help="what it was trained on (default %(default)r)")
    chosen = parser.parse_args()

    described = read_json(chosen.run / DESCRIPTION)
    kind, config = described["agent"], described["config"]
    game = make_game(described.get("game") or described["task"])
    into = (chosen.into / kind if chosen.into else weights_of(kind)) / game.name
    with whole_folder(into) as folder:
        stored = store_dual(chosen.run, folder) if kind in DUAL else store(chosen.run, folder)
        size = f"{sum(tensor.numel() for tensor in load_tensors(folder / WEIGHTS).values()):,} numbers"
        facts = {
            "network": f"{depth(described)}, {size}, {(folder / WEIGHTS).stat().st_size / 1e6:.2f} MB",
            "rounding": stored,
            "rating": rating(game, kind, folder, chosen.games),
            "processor": chosen.processor,
            **history(chosen.run, chosen.results, chosen.command, kind, config),
        }
        Card(f"{kind}, {game.name}", facts, marks_of(chosen.results)).write(folder)
    print(f"written: {into}")
    print((into / "card.md").read_text())


def store_dual(run: Path, folder: Path) -> str:
    """Write an agent of one network with two heads into `folder`, made small; what was done to its numbers."""
    kind = read_json(run / DESCRIPTION)["agent"]
    game, net, config = load_dual_net(run, kind)
    small = for_play(net)
    cost = rounding(small, policy_positions(game, small))
    weights = small.state_dict()
    save_tensors(folder / WEIGHTS, halved(weights) if cost.harmless() else weights)
    write_json(folder / DESCRIPTION, {"agent": kind, "game": game.name, "net": small.settings(), "config": config})
    return f"float16 ({cost})" if cost.harmless() else f"float32 (in float16 {cost})"


def store(run: Path, folder: Path) -> str:
    """Copy any other agent into `folder`; what was done to its numbers: nothing."""
    for name in (WEIGHTS, DESCRIPTION):
        shutil.copy(run / name, folder / name)
    return "none"


def depth(described: dict[str, Any]) -> str:
    """How large the networks are: AlphaGo has several."""
    nets = described.get("nets") or {"": described["net"]}
    return "; ".join(
        f"{whose} {net.get('layers') or net['blocks']} {'layers' if 'layers' in net else 'blocks'} of"
        f" {net.get('filters' if 'layers' in net else 'channels')} channels".strip()
        for whose, net in nets.items()
    )


def history(run: Path, results: Path | None, command: str | None, kind: str, config: dict[str, Any]) -> dict[str, str]:
    """How the run went: facts of the card."""
    last = read_json(run / "progress.json")[-1]
    if (run / "run.json").is_file():
        stored = Run.stored(run)
        command, seed = command or training_command(stored, last["seconds"]), stored.seed
    else:
        page = results.with_suffix(".md").read_text(encoding="utf-8") if results else ""
        told = re.search(r"`(python benchmarks/learning/\S+ --seed (\d+))`", page)
        command = command or (told[1] if told else None)
        named = re.search(r"-seed(\d+)$", run.name)
        if command is None or not (told or named):
            raise SystemExit(f"{run} does not tell how it was trained: name its --results, or a --command")
        seed = int(told[2] if told else named[1])  # type: ignore[index]
    finished = datetime.fromtimestamp((run / "progress.json").stat().st_mtime, UTC)
    return {
        "command": f"`{command}`",
        "learning": f"{last['seconds'] / 60:.0f} minutes, {last['steps']:,.0f} steps of learning, "
        f"{last['environment steps']:,.0f} plies of self-play",
        "seed": str(seed),
        "date": f"{finished:%Y-%m-%d}",
        "settings": " ".join(f"{name}={value}" for name, value in config_settings(kind, config)),
    }


def config_settings(kind: str, config: dict[str, Any]) -> list[tuple[str, str]]:
    """The settings by name, as `sakiyomi train --set` takes them."""
    return list(settings_of(from_json(type(next(iter(agent_class(kind).presets.values()))), config)))


def training_command(run: Run, seconds: float) -> str:
    """The command that trains such an agent again."""
    presets = agent_class(run.agent).presets
    usual = dict(settings_of(presets.get(run.task, next(iter(presets.values())))))
    changed = [f"{name}={value}" for name, value in settings_of(run.config) if usual[name] != value]
    options = [part for each in changed for part in ("--set", each)]
    return shlex.join(
        ["sakiyomi", "train", run.agent, run.task, *options, "--seed", str(run.seed), "--budget", f"{seconds:.0f}s"]
    )


def rating(game: Game, kind: str, folder: Path, games: int) -> str:
    """What the agent in `folder` is worth against players that never change."""
    players = {"learned": f"{kind}:{folder}@sims={SIMULATIONS}"}
    players |= {spec: spec for spec in ("random", "greedy", "uct:100", "uct:1000")}
    table = {each.name: each for each in Tournament(game, players, games=games, openings="random:2", seed=1).run()}
    if table["learned"].low <= table["random"].high:
        raise SystemExit(f"{folder} is not shipped: it is no better than random ({table['learned']})")
    told = (f"{name} {table[name].elo:+.0f} ({table[name].low:+.0f} to {table[name].high:+.0f})" for name in players)
    return f"{', '.join(told)}; {games} games a pair, {SIMULATIONS} simulations a move"


def marks_of(results: Path | None) -> list[tuple[str, str, str, str]]:
    """The pass marks of the results page."""
    if results is None:
        return []
    stored = json.loads(results.with_suffix(".json").read_text(encoding="utf-8"))
    marks = [Mark(**mark) for mark in stored["marks"]]
    return [(mark.what, mark.figure, mark.bar, verdict(mark)) for mark in marks]


def processor() -> str:
    """This machine's, as far as it tells."""
    info = Path("/proc/cpuinfo")
    name = re.search(r"model name\s*: (.*)", info.read_text()) if info.is_file() else None
    return f"{os.cpu_count()} cores, {name[1] if name else platform.machine()}"


if __name__ == "__main__":
    main()
