"""How well AlphaGo's policy network foretells the moves of game records, by its number of input planes.

    python benchmarks/learning/alphago_policy.py RECORDS... --size 9 --planes 4 12 48 --filters 64 --steps 2000

Games are split into those to learn from and those to test by; each network learns from the same positions for as many
steps, by SGD with momentum, its rate falling as half a cosine. Printed, and written to --out as JSON: the share of test
positions whose move was the likeliest, by one view of the board and by the mean of its eight (Silver et al. 2016,
Extended Data Table 3: 55.4 % with 192 filters and one view; 57.0 % with 256 and eight), with the standard error.
"""

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sakiyomi.agents.alphago.feeding import batches
from sakiyomi.agents.alphago.loading import load_records
from sakiyomi.agents.alphago.policy import PolicyLearning, PolicyNet, accuracy
from sakiyomi.agents.alphago.records import GameRecords
from sakiyomi.agents.parts.dual.learner import seeded

TOLD = 30.0  # seconds from one sign of progress to the next
TEST_SEED, CHUNK = 1, 1024


def main() -> None:
    """Load, learn with each number of planes, and tell."""
    options = read_options()
    torch.set_num_threads(options.threads)
    size = options.size
    records = load_records(*options.records, size=size, least_moves=options.least_moves, least_rank=options.least_rank)
    train, test = records.split(options.test, TEST_SEED)
    print(f"{len(records):,} games, {len(records.places):,} positions; left out or cut: {dict(records.notes)}")
    found = []
    for planes in options.planes:
        with seeded(options.seed):
            net = PolicyNet((planes, size, size), filters=options.filters, layers=options.layers)
        spent = learn(net, train, options)
        found.append(measured(net, test, options) | {"planes": planes, "processor seconds": spent})
        print(json.dumps(found[-1]), flush=True)
        if options.out:
            options.out.write_text(json.dumps({"options": shown(options), "found": found}, indent=1) + "\n")


def learn(net: PolicyNet, train: GameRecords, options: argparse.Namespace) -> float:
    """Teach `net` the moves of `train`; the processor seconds that it took, of all threads together."""
    learning = PolicyLearning(net, optimizer="sgd", momentum=0.9, clip=options.clip)
    began, told, figures = time.process_time(), time.monotonic(), list[tuple[float, float]]()
    feed = batches(train, options.batch, net.planes[0], options.seed)
    for step, batch in zip(range(options.steps), feed, strict=False):
        found = learning.step(batch, options.rate * (1 + math.cos(math.pi * step / options.steps)) / 2)
        figures.append((found["loss/policy"], found["accuracy"]))
        if time.monotonic() - told > TOLD:
            loss, right = np.mean(figures[-100:], axis=0)
            print(f"{net.planes[0]} planes, step {step + 1:,}: loss {loss:.3f}, accuracy {right:.1%}", flush=True)
            told = time.monotonic()
    feed.close()
    return time.process_time() - began


def measured(net: PolicyNet, test: GameRecords, options: argparse.Namespace) -> dict[str, Any]:
    """The accuracy on positions of `test`, drawn once for all networks."""
    rng = np.random.default_rng(TEST_SEED)
    count = min(options.positions, len(test.places))
    places = np.sort(rng.choice(test.places, count, replace=False))
    rights = np.zeros(2)
    for start in range(0, count, CHUNK):
        batch = test.batch(test.at(places[start : start + CHUNK]), net.planes[0])
        rights += [accuracy(net, batch, views) * len(batch.moves) for views in (1, 8)]
    one, eight = rights / count
    return {"accuracy": one, "accuracy of 8": eight, "standard error": (one * (1 - one) / count) ** 0.5, "of": count}


def shown(options: argparse.Namespace) -> dict[str, Any]:
    """The options as JSON can hold them, the files by their names alone."""
    held = vars(options) | {"records": [path.name for path in options.records]}
    return {name: value for name, value in held.items() if name != "out"}


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", nargs="+", type=Path, help="SGF files, folders or archives of them")
    parser.add_argument("--size", type=int, default=9)
    parser.add_argument("--planes", type=int, nargs="+", default=[4, 12, 48])
    parser.add_argument("--filters", type=int, default=64)
    parser.add_argument("--layers", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--clip", type=float, default=5.0)
    parser.add_argument("--test", type=float, default=0.1, help="share of the games to test by")
    parser.add_argument("--positions", type=int, default=20_000, help="positions to test by, at the most")
    parser.add_argument("--least-moves", type=int, default=20)
    parser.add_argument("--least-rank", default=None, help='of both players: "1d"')
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=None)
    return parser.parse_args()


if __name__ == "__main__":
    main()
