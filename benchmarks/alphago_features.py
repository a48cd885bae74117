"""AlphaGo's input planes: positions a second for each number of planes, and where the time goes.

    python benchmarks/alphago_features.py [PATH ...] [--positions N] [--quick]

Each PATH is a folder or an archive of SGF files, from which positions of 19x19 and 9x9 games are drawn, one a game;
for a size that has none, and without a PATH, they come from games of random sensible moves. Every figure is per CPU
second of one thread, the best of several rounds in which all take turns.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from timing import best_rates

from sakiyomi.agents.alphago.features import PLANES, encode_plies, feature_planes, ladder_moves
from sakiyomi.boards import rows
from sakiyomi.boards.game import States
from sakiyomi.boards.go import Go
from sakiyomi.boards.random import pick, seeds
from sakiyomi.sgf import main_line_of, parse, record_of
from sakiyomi.sgf.archive import Meter, members
from sakiyomi.sgf.grammar import MAX_BYTES
from sakiyomi.sgf.replay import Batch


def real_games(paths: list[Path], size: int, count: int) -> Batch | None:
    """The first `count` games of that size with 20 moves or more; None if there is none."""
    lines = []
    for name, data in members(tuple(paths), MAX_BYTES, Meter()):
        if len(lines) == count:
            break
        if not isinstance(data, bytes) or not name.lower().endswith(".sgf"):
            continue
        try:
            record = record_of(parse(data)[0])
            if record.game == f"go-{size}x{size}":
                lines.append(main_line_of(record))
        except (ValueError, IndexError):
            continue
        if lines and (not lines[-1].plain or len(lines[-1].actions) < 20):
            lines.pop()
    return Batch(lines, size, size, False) if lines else None


def random_positions(size: int, count: int) -> tuple[Go, States]:
    game = Go(size, rules="japanese")
    states, rng = game.new(count), seeds(np.random.default_rng(0), count)
    lengths = np.random.default_rng(0).integers(1, size * size * 3 // 4, count)
    for ply in range(int(lengths.max())):
        going = lengths > ply
        now, drawn = states[going], rng[going]
        game.play(now, pick(game.sensible(now), drawn))
        states[going], rng[going] = now, drawn
    states["passes"] = 0
    return game, states


def measure(size: int, paths: list[Path], count: int) -> None:
    batch = real_games(paths, size, count) if paths else None
    jobs: dict[str, Callable[[], object]] = {}
    if batch is None:
        game, states = random_positions(size, count)
        source = "random moves"
    else:
        played = batch.play()
        plies = np.random.default_rng(0).integers(0, played[:, None], (len(played), 8)).astype(np.int32)
        game, source = batch.game, "real games"
        states = game.replay(batch.states, batch.actions, np.ascontiguousarray(plies[:, 0]))
        states["passes"] = 0
    for planes in PLANES:
        jobs[f"{planes} planes"] = lambda planes=planes: feature_planes(game, states, planes)
    jobs["ladders and what they need"] = lambda: ladder_moves(game, states)
    jobs["legal moves"] = lambda: game.legal(states)
    counts = dict.fromkeys(jobs, len(states))
    if batch is not None:
        jobs["a game replayed for 1"] = lambda: encode_plies(game, batch.states, batch.actions, plies[:, :1])
        jobs["a game replayed for 8"] = lambda: encode_plies(game, batch.states, batch.actions, plies)
        counts |= {"a game replayed for 1": len(plies), "a game replayed for 8": plies.size}
    rates = best_rates({name: counted(job, counts[name]) for name, job in jobs.items()})
    print(f"{size}x{size}, {len(states)} positions of {source}, positions a CPU second:")
    for name, rate in rates.items():
        print(f"  {name:28}{rate:12,.0f}")
    where(rates)


def counted(job: Callable[[], object], count: int) -> Callable[[], float]:
    def work() -> float:
        job()
        return count

    return work


def where(rates: dict[str, float]) -> None:
    """Microseconds a position of each group of the 48 planes, by what a number of planes adds to a smaller one."""
    took = {name: 1e6 / rate for name, rate in rates.items()}
    liberties = took["20 planes"] - took["12 planes"]
    ladders = took["ladders and what they need"] - took["legal moves"] - liberties
    parts = {
        "stones": took["4 planes"],
        "ages": took["12 planes"] - took["4 planes"],
        "liberties": liberties,
        "legal": took["legal moves"],
        "ladders": ladders,
        "what moves make": took["48 planes"] - took["20 planes"] - took["legal moves"] - ladders,
    }
    print("  microseconds a position: " + ", ".join(f"{name} {time:.1f}" for name, time in parts.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    parser.add_argument("--positions", type=int, default=1024)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs")
    options = parser.parse_args()
    rows.set_threads(1)
    for size in (19, 9):
        measure(size, options.paths, options.positions // (10 if options.quick else 1))


if __name__ == "__main__":
    main()
