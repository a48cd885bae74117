"""Chess: perft, random plies, batched steps and start-up, against peers in the same run.

    python benchmarks/chess_speed.py [--quick]

Peers are used where they are: Stockfish (`go perft`, a program of its own), python-chess, OpenSpiel, cozy-chess-py.
Every figure is per CPU second of one thread, the best of several rounds in which all take turns; only "two threads" is
wall time.
Stockfish counts the last ply of perft by making the list of its moves: "listed" does the same, "counted" makes none.
"""

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
from timing import best_rates, show

from sakiyomi.boards import rows
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.random import pick, seeds

GAME = Chess()
POSITIONS = {
    "start": ("rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1", 6),
    "Kiwipete": ("r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1", 5),
}


def perft(fen: str, depth: int, listed: bool) -> Callable[[], float]:
    """Leaves, by our perft."""
    state = GAME.parse_position(fen)
    return lambda: GAME.perft(state, depth, listed)


def stockfish_perft(program: str, fen: str, depth: int) -> Callable[[], float]:
    """Leaves, by Stockfish; the time of its start and of `perft 1` is taken off."""

    def seconds(plies: int) -> tuple[float, int]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        commands = f"position fen {fen}\ngo perft {plies}\nquit\n"
        done = subprocess.run([program], input=commands, capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return used, int(done.stdout.rsplit("Nodes searched:", 1)[1])

    start = min(seconds(1)[0] for _ in range(5))

    def job() -> float:
        used, leaves = seconds(depth)
        return -leaves / (used - start)

    return job


def rollouts(batch: int) -> Callable[[], float]:
    """Plies of random games to their end, inside one kernel call."""
    states, rng = GAME.new(batch), seeds(np.random.default_rng(0), batch)
    return lambda: float(GAME.rollout_plies(states, rng)[1].sum())


def steps(batch: int, plies: int, masks: bool) -> Callable[[], float]:
    """Uniformly random plies through the public batch, the actions as lists or as masks; ended games start anew."""
    states, fresh = GAME.new(batch), GAME.new(1)
    rng, draw = seeds(np.random.default_rng(0), batch), np.random.default_rng(0)
    every, opening = np.arange(batch), GAME.parse_move(fresh, "e2e4")

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


def python_chess(games: int) -> Callable[[], float]:
    """Plies of random games with python-chess."""
    import chess

    rng = random.Random(0)

    def job() -> float:
        plies = 0
        for _ in range(games):
            board = chess.Board()
            while not board.is_game_over():
                board.push(rng.choice(list(board.legal_moves)))
                plies += 1
        return plies

    return job


def open_spiel(games: int) -> Callable[[], float]:
    """Plies of random games with OpenSpiel."""
    import pyspiel

    rng, game = random.Random(0), pyspiel.load_game("chess")

    def job() -> float:
        plies = 0
        for _ in range(games):
            state = game.new_initial_state()
            while not state.is_terminal():
                state.apply_action(rng.choice(state.legal_actions()))
                plies += 1
        return plies

    return job


def cozy_chess(games: int) -> Callable[[], float]:
    """Plies of random games with cozy-chess (Rust), which knows no repetition: games are cut at 400 plies."""
    import cozy_chess as peer

    rng = random.Random(0)

    def job() -> float:
        total = 0
        for _ in range(games):
            board, plies = peer.Board(), 0
            while plies < 400 and board.status() == peer.GameStatus.Ongoing:
                board.play_unchecked(rng.choice(board.generate_moves()))
                plies += 1
            total += plies
        return total

    return job


PEERS = (("python-chess", python_chess, 1), ("OpenSpiel", open_spiel, 5), ("cozy-chess-py", cozy_chess, 10))


def peers(quick: bool) -> dict[str, Callable[[], float]]:
    """Random games of the libraries that are installed."""
    found: dict[str, Callable[[], float]] = {}
    for name, make, games in PEERS:
        try:
            found[name] = make(games if quick else 4 * games)
        except ImportError:
            print(f"  {name} is not installed: left out")
    return found


def start_up() -> None:
    """Seconds of CPU to the first list of legal moves, with an empty cache and with a filled one."""
    code = "from sakiyomi.boards import Chess, Position; Position(Chess()).legal_moves()"
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("cold", "warm", "warm"):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", code], env={**os.environ, "SAKIYOMI_CACHE": folder}, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
            print(f"  {kind} start to the first list of moves: {used:.2f} CPU s")


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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs")
    quick = parser.parse_args().quick
    rows.set_threads(1)
    rounds, less = (2, 1) if quick else (7, 0)
    stockfish = shutil.which("stockfish") or shutil.which("stockfish", path="/usr/games")
    for name, (fen, full) in POSITIONS.items():
        depth = full - less
        GAME.perft(GAME.parse_position(fen), 3)  # compiled now, not within the timing
        for kind in ("counted", "listed"):
            jobs = {f"sakiyomi, leaves {kind}": perft(fen, depth, kind == "listed")}
            if stockfish:
                jobs["Stockfish go perft"] = stockfish_perft(stockfish, fen, depth)
            else:
                print("  Stockfish is not installed: left out")
            show(f"perft {depth} of {name}", "leaves a CPU s", best_rates(jobs, rounds))
    batch = 128 if quick else 1024
    jobs = {
        "sakiyomi, rollout": rollouts(batch),
        f"sakiyomi, batch of {batch}, lists": steps(batch, 50, masks=False),
        f"sakiyomi, batch of {batch}, masks": steps(batch, 10, masks=True),
        "sakiyomi, batch of 1, lists": steps(1, 200, masks=False),
        **peers(quick),
    }
    for job in list(jobs.values())[:4]:
        job()
    show("random plies", "plies a CPU s", best_rates(jobs, 2 if quick else 5))
    two_threads(5 if quick else 6)
    start_up()


if __name__ == "__main__":
    main()
