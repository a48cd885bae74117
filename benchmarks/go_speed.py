"""Go: playouts, batched steps, threads, start-up and memory, against peers in the same run.

    python benchmarks/go_speed.py [--libego FOLDER] [--quick]

Peers are used where they are: OpenSpiel and PettingZoo from the extra `bench`; libEGO (C++) from a checkout of its
sources, which is compiled here with g++ -O3 -march=native. Every figure is per CPU second of one thread, the best of
several rounds in which all take turns; only "two threads" is wall time.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from timing import best_rates, show

from sakiyomi.boards import rows
from sakiyomi.boards.go import Go
from sakiyomi.boards.random import pick, seeds

HERE = Path(__file__).resolve().parent


def playouts(size: int, count: int) -> Callable[[], float]:
    """Light playouts from the empty board."""
    go = Go(size=size)
    states, rng = go.new(count), seeds(np.random.default_rng(0), count)
    _, plies = go.rollout_margins(states, rng)
    print(f"  {size}x{size}: {plies.mean():.1f} moves a playout")

    def job() -> float:
        go.rollout_margins(states, rng)
        return count

    return job


def libego(sources: Path, size: int, count: int, folder: Path) -> Callable[[], float]:
    """libEGO's light playouts, in a program of its own; its board size is a constant of its sources."""
    code = sources / "source"
    config = folder / f"{size}"
    config.mkdir()
    text = (code / "goboard" / "config.hpp").read_text().replace("board_size = 9", f"board_size = {size}")
    for file in (code / "goboard").glob("*.*pp"):
        (config / file.name).write_text(text if file.name == "config.hpp" else file.read_text())
    program = config / "libego"
    flags = ["-std=gnu++11", "-O3", "-march=native", "-fomit-frame-pointer", "-w", "-fpermissive"]
    files = [HERE / "libego.cpp", config / "ego.cpp", code / "utils" / "test.cpp"]
    subprocess.run(["g++", *flags, f"-I{code / 'utils'}", f"-I{config}", *files, "-o", program], check=True)

    def job() -> float:
        done = subprocess.run([program, str(count), "1"], capture_output=True, text=True, check=True)
        return -float(done.stdout.split()[0])

    return job


def steps(size: int, batch: int, plies: int) -> Callable[[], float]:
    """Uniformly random legal actions, the pass among them, through the public batch; ended games start anew."""
    go = Go(size=size)
    rng = seeds(np.random.default_rng(0), batch)
    states, fresh = go.new(batch), go.new(1)

    def job() -> float:
        for _ in range(plies):
            ended = go.ending(states) != 0
            if ended.any():
                states[ended] = fresh
            go.play(states, pick(go.legal(states), rng))
        return batch * plies

    return job


def openspiel_steps(size: int, count: int) -> Callable[[], float]:
    import pyspiel

    game = pyspiel.load_game("go", {"board_size": size})
    rng = np.random.default_rng(0)

    def job() -> float:
        state = game.new_initial_state()
        for _ in range(count):
            if state.is_terminal():
                state = game.new_initial_state()
            actions = state.legal_actions()
            state.apply_action(actions[int(rng.random() * len(actions))])
        return count

    return job


def pettingzoo_steps(size: int, count: int) -> Callable[[], float]:
    from pettingzoo.classic import go_v5

    env = go_v5.env(board_size=size)
    rng = np.random.default_rng(0)

    def job() -> float:
        env.reset(seed=0)
        for _ in range(count):
            observation, _, terminated, truncated, _ = env.last()
            if terminated or truncated:
                env.reset()
                observation = env.last()[0]
            env.step(int(rng.choice(np.flatnonzero(observation["action_mask"]))))
        return count

    return job


def two_threads(size: int, count: int) -> float:
    """Wall time of one thread over that of two, the best of each."""
    go = Go(size=size)
    states, rng = go.new(count), seeds(np.random.default_rng(0), count)
    best = {1: float("inf"), 2: float("inf")}
    for _ in range(9):
        for threads in best:
            rows.set_threads(threads)
            start = time.perf_counter()
            go.rollout_margins(states, rng)
            best[threads] = min(best[threads], time.perf_counter() - start)
    rows.set_threads(1)
    return best[1] / best[2]


def start_up() -> dict[str, float]:
    """CPU and wall seconds from a new process to the first list of legal moves on 9x9."""
    code = "from sakiyomi.boards import Go, Position; Position(Go(size=9)).legal_moves()"
    found = {}
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "SAKIYOMI_CACHE": cache}
        for name in ("cold", "warm", "warm, second", "warm, third"):
            wall, before = time.perf_counter(), os.times()
            subprocess.run([sys.executable, "-c", code], env=environment, check=True)
            after = os.times()
            cpu = after.children_user + after.children_system - before.children_user - before.children_system
            print(f"  {name}: {time.perf_counter() - wall:.2f} s, {cpu:.2f} s of CPU")
            found[name] = cpu
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libego", type=Path, help="folder of libEGO's sources, to be compiled and timed beside us")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs")
    options = parser.parse_args()
    rows.set_threads(1)
    part, rounds = (10, 2) if options.quick else (1, 9)
    with tempfile.TemporaryDirectory() as folder:
        for size, count in ((9, 4000 // part), (19, 1000 // part)):
            jobs = {"sakiyomi": playouts(size, count)}
            if options.libego:
                jobs["libEGO"] = libego(options.libego, size, count, Path(folder))
            show(f"light playouts {size}x{size}", "playouts/s", best_rates(jobs, rounds))
    for size in (9, 19):
        jobs = {f"sakiyomi, batch {batch}": steps(size, batch, 100 // part) for batch in (1024, 64, 1)}
        for name, peer, count in (("OpenSpiel", openspiel_steps, 4000), ("PettingZoo go_v5", pettingzoo_steps, 400)):
            try:
                jobs[name] = peer(size, count // part)
            except ImportError as error:
                print(f"  {name} is not installed ({error})")
        show(f"random legal steps {size}x{size}", "steps/s", best_rates(jobs, rounds))
    print("two threads over one, wall time of playouts (1.8 is the bar; needs two idle processors):")
    for size, count in ((9, 8000 // part), (19, 2000 // part)):
        print(f"  {size}x{size}: {two_threads(size, count):.2f} x")
    print("memory of a position, superko history and the last eight boards included:")
    for size in (9, 13, 19):
        layout = Go(size=size).layout
        print(f"  {size}x{size}: {layout.dtype.itemsize:,} bytes, of which a playout copies {2 * layout.hot:,}")
    print("from a new process to the first legal moves on 9x9:")
    start_up()


if __name__ == "__main__":
    main()
