"""Shogi: perft, random games, batched steps and start-up, against peers in the same run.

    python benchmarks/shogi_speed.py [--quick]

Peers are used where they are: Fairy-Stockfish (`go perft`, a program of its own), cshogi, rsshogi, python-shogi.
Every figure is per CPU second of one thread, the best of several rounds in which all take turns; only "two threads" is
wall time.
Fairy-Stockfish takes drops of pawns that mate for legal, so that its counts may be a little higher; its rate is by
its own count. It counts the last ply of perft by making the list of its moves: "listed" does the same, "counted" makes
none. cshogi has no perft: moves are made and taken back in Python, and the list of the last ply is asked for its
length. "Games" are of uniformly random moves; they end by the rules or, as not every peer knows them, after 512 plies.
"""

import argparse
import importlib
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from timing import best_rates, show

from sakiyomi.boards import rows
from sakiyomi.boards.random import pick, seeds
from sakiyomi.boards.shogi import Shogi

GAME = Shogi()
POSITIONS = {
    "start": ("lnsgkgsnl/1r5b1/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL b - 1", 5),
    "middle game": ("l6nl/5+P1gk/2np1S3/p1p4Pp/3P2Sp1/1PPb2P1P/P5GS1/R8/LN4bKL w GR5pnsg 1", 3),
    "593 moves": ("R8/2K1S1SSk/4B4/9/9/9/9/9/1L1L1L3 b RBGSNLP3g3n17p 1", 3),
}
MOST_PLIES = 512


def perft(sfen: str, depth: int, listed: bool) -> Callable[[], float]:
    """Leaves, by our perft."""
    state = GAME.parse_position(sfen)
    return lambda: GAME.perft(state, depth, listed)


def children() -> float:
    """CPU seconds of the programs run so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fairy_perft(program: str, sfen: str, depth: int) -> Callable[[], float]:
    """Leaves, by Fairy-Stockfish; the time of its start and of `perft 1` is taken off."""

    def seconds(plies: int) -> tuple[float, int]:
        before = children()
        commands = f"usi\nposition sfen {sfen}\ngo perft {plies}\nquit\n"
        done = subprocess.run([program], input=commands, capture_output=True, text=True, check=True)
        return children() - before, int(done.stdout.rsplit("Nodes searched:", 1)[1])

    start = min(seconds(1)[0] for _ in range(5))

    def job() -> float:
        used, leaves = seconds(depth)
        return -leaves / max(1e-3, used - start)

    return job


def cshogi_perft(peer: Any, sfen: str, depth: int) -> Callable[[], float]:
    """Leaves, by a loop in Python over cshogi's moves."""

    def count(board: Any, plies: int) -> int:
        if plies == 1:
            return len(board.legal_moves)
        total = 0
        for move in board.legal_moves:
            board.push(move)
            total += count(board, plies - 1)
            board.pop()
        return total

    return lambda: count(peer.Board(sfen), depth)


def rollouts(batch: int) -> Callable[[], float]:
    """Random games to their end, inside one kernel call."""
    states, rng = GAME.new(batch), seeds(np.random.default_rng(0), batch)

    def job() -> float:
        GAME.rollout(states, rng)
        return batch

    return job


def cshogi_games(peer: Any, games: int) -> Callable[[], float]:
    """Random games with cshogi."""
    rng = random.Random(0)

    def job() -> float:
        for _ in range(games):
            board, plies = peer.Board(), 0
            while plies < MOST_PLIES and (moves := list(board.legal_moves)):
                board.push(rng.choice(moves))
                plies += 1
                if board.is_draw() in (peer.REPETITION_DRAW, peer.REPETITION_WIN, peer.REPETITION_LOSE):
                    break
        return games

    return job


def rsshogi_games(peer: Any, games: int) -> Callable[[], float]:
    """Random games with rsshogi (Rust)."""
    rng = random.Random(0)

    def job() -> float:
        for _ in range(games):
            board, plies = peer.Board(), 0
            while plies < MOST_PLIES and (moves := list(board.legal_moves())):
                board.apply_move(rng.choice(moves))
                plies += 1
        return games

    return job


def python_shogi_games(peer: Any, games: int) -> Callable[[], float]:
    """The first plies of one random game with python-shogi: a whole one takes seconds."""
    rng = random.Random(0)

    def job() -> float:
        board, plies, most = peer.Board(), 0, 20 * games
        while plies < most and (moves := list(board.legal_moves)):
            board.push(rng.choice(moves))
            plies += 1
        return plies / 400  # of about so many plies is a whole one

    return job


PEERS = (
    ("cshogi", "cshogi", cshogi_games, 20),
    ("rsshogi", "rsshogi.core", rsshogi_games, 20),
    ("python-shogi, by its first plies", "shogi", python_shogi_games, 1),
)


def installed(module: str) -> Any:
    """The module, or None."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def peers(quick: bool) -> dict[str, Callable[[], float]]:
    """Random games of the libraries that are installed."""
    found: dict[str, Callable[[], float]] = {}
    for name, module, make, games in PEERS:
        if (peer := installed(module)) is not None:
            found[name] = make(peer, games if quick else 4 * games)
        else:
            print(f"  {name.split(',')[0]} is not installed: left out")
    return found


def steps(batch: int, plies: int, masks: bool) -> Callable[[], float]:
    """Uniformly random plies through the public batch, the actions as lists or as masks; ended games start anew."""
    states, fresh = GAME.new(batch), GAME.new(1)
    rng, draw = seeds(np.random.default_rng(0), batch), np.random.default_rng(0)
    every, opening = np.arange(batch), GAME.parse_move(fresh, "7g7f")

    def job() -> float:
        for _ in range(plies):
            if masks:
                legal = GAME.legal(states)
                ended = ~legal.any(axis=1)
                chosen = pick(legal, rng)
            else:
                lists, counts = GAME.legal_actions(states)
                ended = counts == 0
                chosen = lists[every, (draw.random(batch) * counts).astype(np.int64)]
            if ended.any():
                states[ended] = fresh
                chosen[ended] = opening
            GAME.play(states, chosen)
        return batch * plies

    return job


def start_up() -> None:
    """Seconds of CPU to the first list of legal moves, with an empty cache and with a filled one."""
    code = "from sakiyomi.boards import Position, Shogi; Position(Shogi()).legal_moves()"
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("cold", "warm", "warm"):
            before = children()
            subprocess.run([sys.executable, "-c", code], env={**os.environ, "SAKIYOMI_CACHE": folder}, check=True)
            print(f"  {kind} start to the first list of moves: {children() - before:.2f} CPU s")


def two_threads(depth: int) -> None:
    """Wall time of perft on one thread and on two, alternating."""
    state, best = GAME.new(1), {1: float("inf"), 2: float("inf")}
    for _ in range(5):
        for threads in best:
            rows.set_threads(threads)
            began = time.perf_counter()
            GAME.perft(state, depth)
            best[threads] = min(best[threads], time.perf_counter() - began)
    rows.set_threads(1)
    print(f"  perft {depth} on two threads over one: {best[1] / best[2]:.2f} x")


def perfts(rounds: int, less: int) -> None:
    """Perft of each position, counted and listed."""
    program = shutil.which("fairy-stockfish") or shutil.which("fairy-stockfish", path="/usr/games")
    if not program:
        print("  Fairy-Stockfish is not installed: left out")
    peer = installed("cshogi")
    for name, (sfen, full) in POSITIONS.items():
        depth = full - less
        GAME.perft(GAME.parse_position(sfen), 2)  # compiled now, not within the timing
        jobs = {f"sakiyomi, leaves {kind}": perft(sfen, depth, kind == "listed") for kind in ("listed", "counted")}
        if program:
            jobs["Fairy-Stockfish go perft"] = fairy_perft(program, sfen, depth)
        if peer:
            jobs["cshogi, loop in Python"] = cshogi_perft(peer, sfen, depth)
        show(f"perft {depth} of {name}", "leaves a CPU s", rates := best_rates(jobs, rounds))
        listed, counted, *others = rates.values()
        for who, rate in zip(list(rates)[2:], others, strict=True):
            print(f"  listed {listed / rate:.1f} x, counted {counted / rate:.1f} x {who}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs")
    quick = parser.parse_args().quick
    rows.set_threads(1)
    perfts(2 if quick else 5, 1 if quick else 0)
    games = {"sakiyomi, rollout": rollouts(64 if quick else 512), **peers(quick)}
    batch = 128 if quick else 1024
    plies = {
        f"sakiyomi, batch of {batch}, lists": steps(batch, 30, masks=False),
        f"sakiyomi, batch of {batch}, masks": steps(batch, 5, masks=True),
        "sakiyomi, batch of 1, lists": steps(1, 200, masks=False),
    }
    for job in [next(iter(games.values())), *plies.values()]:
        job()
    show("random games", "games a CPU s", best_rates(games, 2 if quick else 5))
    show("random plies through the public batch", "plies a CPU s", best_rates(plies, 2 if quick else 5))
    two_threads(4 if quick else 5)
    start_up()


if __name__ == "__main__":
    main()
