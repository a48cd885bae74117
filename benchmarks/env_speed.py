"""Board environments: random plies a second at batch 1, 64 and 1024, against peers in the same run.

    python benchmarks/env_speed.py [--games go-9x9 chess ...] [--pgx PYTHON] [--quick]

PettingZoo and OpenSpiel come with the extra `bench`. pgx is used where `--pgx` names the Python of an environment that
has it (``python -m venv pgx; pgx/bin/pip install pgx "jax[cpu]"``): it runs there, in a process of its own. PettingZoo
and OpenSpiel step one game at a time, so their figure is the same at every batch. Every figure is plies per CPU second,
ours on one thread, pgx's time that of all its threads; the best of several rounds in which all take turns.

Ours, from the least to the most that a step gives: `random_step` draws and plays; "masks" makes the mask of legal
actions of every position first, as OpenSpiel lists them; "masks, planes" are steps of the vector environment in
self-play, whose actions are drawn from the masks, as PettingZoo and pgx give them; "AEC" is `BoardEnv`, the interface
of PettingZoo.
"""

import argparse
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from timing import best_rates

from sakiyomi.boards import make_game, rows
from sakiyomi.boards.random import pick, seeds
from sakiyomi.envs import BoardBatch, BoardEnv, BoardVectorEnv

BATCHES = (1, 64, 1024)
GAMES = ("go-9x9", "go-19x19", "chess", "shogi")
Job = Callable[[], float]
PLIES = {1: 4000, 64: 100, 1024: 20}  # steps of a round, by batch


def random_steps(game: str, batch: int, plies: int) -> Job:
    games = BoardBatch(game, batch)

    def job() -> float:
        for _ in range(plies):
            games.random_step()
        return batch * plies

    return job


def masked_steps(game: str, batch: int, plies: int) -> Job:
    games = BoardBatch(game, batch)

    def job() -> float:
        for _ in range(plies):
            games.legal()
            games.step(games.sample())
        return batch * plies

    return job


def vector_steps(game: str, batch: int, plies: int) -> Job:
    envs = BoardVectorEnv(game, batch, opponent=None, autoreset_mode="SameStep", copy=False)
    rng = seeds(np.random.default_rng(0), batch)
    info = envs.reset(seed=0)[1]
    masks = info["action_mask"].view(np.bool_)

    def job() -> float:
        for _ in range(plies):
            envs.step(pick(masks, rng))
        return batch * plies

    return job


def play_aec(env, count: int) -> Job:
    """Plies of random games through the interface of PettingZoo."""
    rng = np.random.default_rng(0)

    def job() -> float:
        env.reset(seed=0)
        for _ in range(count):
            observation, _, terminated, truncated, _ = env.last()
            if terminated or truncated:
                env.reset()
                observation = env.last()[0]
            legal = np.flatnonzero(observation["action_mask"])
            env.step(int(legal[int(rng.random() * len(legal))]))
        return count

    return job


def pettingzoo_steps(game: str, count: int) -> Job | None:
    """PettingZoo's own environments; it has no shogi."""
    if game.startswith("go"):
        from pettingzoo.classic import go_v5

        return play_aec(go_v5.env(board_size=int(game.rpartition("x")[2])), count)
    if game == "chess":
        from pettingzoo.classic import chess_v6

        return play_aec(chess_v6.env(), count)
    return None


def openspiel_steps(game: str, count: int) -> Job:
    import pyspiel

    options = {"board_size": int(game.rpartition("x")[2])} if game.startswith("go") else {}
    rules, rng = pyspiel.load_game(game.partition("-")[0], options), np.random.default_rng(0)

    def job() -> float:
        state = rules.new_initial_state()
        for _ in range(count):
            if state.is_terminal():
                state = rules.new_initial_state()
            actions = state.legal_actions()
            state.apply_action(actions[int(rng.random() * len(actions))])
        return count

    return job


class Pgx:
    """pgx in a process of its own, which plays so many steps when it is told to."""

    def __init__(self, python: Path, game: str, batch: int):
        command = [str(python), "-c", PGX, game.replace("-", "_"), str(batch)]
        quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}  # the compiler tells of what takes it long
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, env=quiet, **pipes)
        self.ask(1)  # compiles

    def ask(self, steps: int) -> float:
        """Plies per CPU second."""
        print(steps, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("pgx has ended: see above")
        return float(json.loads(line))

    def job(self, steps: int) -> Job:
        """A round of so many steps."""
        return lambda: -self.ask(steps)

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


PGX = """
import sys, time
import jax, jax.numpy as jnp, pgx
from pgx.experimental.wrappers import auto_reset

env, batch = pgx.make(sys.argv[1]), int(sys.argv[2])
step = auto_reset(env.step, env.init)

@jax.jit
def random_step(state, key):
    key, chance, restart = jax.random.split(key, 3)
    logits = jnp.where(state.legal_action_mask, 0.0, -jnp.inf)
    actions = jax.random.categorical(chance, logits, axis=-1)
    return jax.vmap(step)(state, actions, jax.random.split(restart, batch)), key

key = jax.random.PRNGKey(0)
state = jax.jit(jax.vmap(env.init))(jax.random.split(key, batch))
for line in sys.stdin:
    start = time.process_time()
    for _ in range(int(line)):
        state, key = random_step(state, key)
    jax.block_until_ready(state)
    print(int(line) * batch / (time.process_time() - start), flush=True)
"""


def measure(game: str, batch: int, pgx: Path | None, part: int, rounds: int) -> dict[str, float]:
    """Rates of all at one batch; PettingZoo and OpenSpiel take part at each, to be measured beside ours."""
    plies = max(2, PLIES[batch] // part)
    jobs = {
        "sakiyomi, random_step": random_steps(game, batch, plies),
        "sakiyomi, masks": masked_steps(game, batch, plies),
        "sakiyomi, masks, planes": vector_steps(game, batch, max(2, plies // 4)),
    }
    if batch == 1:
        jobs["sakiyomi, AEC"] = play_aec(BoardEnv(game), 1200 // part)
    slow = 4 if batch == 1 else 8
    try:
        jobs["OpenSpiel"] = openspiel_steps(game, 4000 // part)
        if peer := pettingzoo_steps(game, 1200 // part // slow):
            jobs["PettingZoo"] = peer
    except ImportError as error:
        print(f"not installed: {error}")
    peer = Pgx(pgx, game, batch) if pgx else None
    if peer:
        started = time.perf_counter()
        peer.ask(2)
        spent = (time.perf_counter() - started) / 2
        jobs["pgx"] = peer.job(max(2, min(200, int(0.3 / spent))))
    for job in jobs.values():
        job()  # what is compiled or made once
    found = best_rates(jobs, rounds)
    if peer:
        peer.close()
    return found


def report(game: str, found: dict[int, dict[str, float]]) -> None:
    """A table of one game, and how far ours is ahead at each batch."""
    table = Table(title=f"{game}: random plies a CPU second", title_justify="left")
    table.add_column("")
    for batch in found:
        table.add_column(f"batch {batch}", justify="right")
    for name in found[1]:
        table.add_row(name, *(f"{rates[name]:,.0f}" if name in rates else "" for rates in found.values()))
    for peers, bar in ((("OpenSpiel", "pgx"), 2), (("PettingZoo",), 50)):
        ratios = []
        for rates in found.values():
            ours = max(rate for name, rate in rates.items() if name.startswith("sakiyomi"))
            theirs = max((rates[name] for name in peers if name in rates), default=0.0)
            ratios.append(f"{ours / theirs:,.1f} x" if theirs else "")
        table.add_row(f"ours over the best of {', '.join(peers)} (to reach: {bar})", *ratios, style="bold")
    if "PettingZoo" in found[1]:
        ratio = found[1]["sakiyomi, AEC"] / found[1]["PettingZoo"]
        table.add_row("AEC over PettingZoo's AEC", f"{ratio:,.1f} x", style="bold")
    Console(width=120).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", nargs="+", default=GAMES, help="go-9x9, go-19x19, chess, shogi")
    parser.add_argument("--pgx", type=Path, help="Python of an environment with pgx")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs")
    options = parser.parse_args()
    rows.set_threads(1)
    part, rounds = (10, 2) if options.quick else (1, 5)
    for game in options.games:
        make_game(game)  # an unknown name is told before the work
        report(game, {batch: measure(game, batch, options.pgx, part, rounds) for batch in BATCHES})


if __name__ == "__main__":
    main()
