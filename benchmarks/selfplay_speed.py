"""Self-play end to end: simulations and evaluations a second by game, network and runtime, and where the time goes.

::

    python benchmarks/selfplay_speed.py                       # all games and the runtimes that are installed
    python benchmarks/selfplay_speed.py connect4 --games 1024 # one game, more games at once

Two groups of games share the cores, a thread each. "search" is the share of descents, expansion and backing up in the
time of the threads, "rules" that of replay, legal moves and planes. The first column of ratios is to PyTorch.
"""

import argparse
import time
from importlib.util import find_spec

import torch

from sakiyomi.agents.alphazero import QUICK
from sakiyomi.agents.parts.dual.nets import DualNet
from sakiyomi.agents.parts.search import Gumbel
from sakiyomi.agents.parts.selfplay.crew import LocalCrew
from sakiyomi.agents.parts.selfplay.self_player import Habits
from sakiyomi.boards import rows
from sakiyomi.boards.catalog import make_game

NETS = (("connect4", 3, 32), ("connect4", 5, 64), ("go-9x9", 6, 64), ("chess", 6, 64))
RUNTIMES = ("torch", "openvino", "openvino-bf16", "openvino-int8")


def measure(name: str, blocks: int, channels: int, runtime: str, games: int, seconds: float) -> dict[str, float]:
    """Figures of self-play for so many seconds."""
    game = make_game(name)
    _, height, width = game.planes
    policy = "planes" if game.num_actions > 4 * height * width else "linear"
    net = DualNet(game.planes, game.num_actions, blocks=blocks, channels=channels, policy=policy, hidden=QUICK.hidden)
    habits = Habits(simulations=100, selection=Gumbel())
    crew = LocalCrew(game, habits, games=games, groups=min(2, games), seed=0, runtime=runtime)
    states = game.new(games)
    crew.use(net, game.observe(states))
    crew.play(5)
    crew.tally()
    started, cpu, rounds = time.perf_counter(), time.process_time(), 0
    tally: dict[str, float] = {}
    while time.perf_counter() - started < seconds:
        crew.play(50)
        rounds += 50
        for key, value in crew.tally().items():
            tally[key] = tally.get(key, 0.0) + value
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    busy = sum(tally[key] for key in ("select", "encode", "network", "back up"))
    return {
        "wall": tally["evaluated"] / wall,
        "cpu": tally["evaluated"] / cpu,
        "search": (tally["select"] + tally["back up"]) / busy,
        "rules": tally["encode"] / busy,
        "network": tally["network"] / busy,
        "fill": tally["evaluated"] / tally["asked"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("game", nargs="?", help="one game of the table instead of all")
    parser.add_argument("--games", type=int, default=128, help="played at once (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    rows.set_threads(1)
    runtimes = [name for name in RUNTIMES if not name.startswith("openvino") or find_spec("openvino")]
    print("game, net          runtime         evaluations/s  per CPU s  x torch  search  rules  network  batch fill")
    for name, blocks, channels in NETS:
        if chosen.game not in (None, name):
            continue
        base = 0.0
        for runtime in runtimes:
            told = measure(name, blocks, channels, runtime, chosen.games, 0.6 if chosen.quick else 6.0)
            base = base or told["cpu"]
            print(
                f"{name + f' {blocks}x{channels}':18} {runtime:15} {told['wall']:13,.0f} {told['cpu']:10,.0f}"
                f" {told['cpu'] / base:8.1f} {told['search']:7.1%} {told['rules']:6.1%} {told['network']:8.1%}"
                f" {told['fill']:8.1%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
