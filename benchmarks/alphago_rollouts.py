"""AlphaGo's rollout policy: moves foretold, rollouts a second beside uniform playouts, time a move.

    python benchmarks/alphago_rollouts.py [--records-9 PATH] [--records-19 PATH] [--games N] [--epochs N] [--quick]

Learns a rollout policy and a tree policy from records (archives or folders of SGF) and tells how many moves of games
held out they foretell; without records, rollouts are timed with weights of 0, which have no patterns to look up but
the same work else. Rates are per CPU second of one thread, from the empty board, the best of several rounds in which
all take turns.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from timing import best_rates, show

from sakiyomi.agents.alphago.patterns import Patterns
from sakiyomi.agents.alphago.rollout import RolloutPolicy, rollout_margins
from sakiyomi.agents.alphago.rollout_learning import Games, Learner, find_patterns, learn_games
from sakiyomi.agents.alphago.tree_policy import TreePolicy
from sakiyomi.boards import rows
from sakiyomi.boards.go import Go
from sakiyomi.boards.random import seeds
from sakiyomi.sgf import Collection, main_line_of

SHORTEST = {9: 25, 19: 60}  # moves of a game that is learnt from


def read_games(path: Path, go: Go, size: int, most: int) -> list[Games]:
    """Nine tenths of the games in random order, and the last tenth."""
    moves, boards, turns = [], [], []
    for record in Collection(path):
        if record.game != go.name:
            continue
        line = main_line_of(record)
        if line.plain and len(line.actions) >= SHORTEST[size]:
            moves.append(line.actions)
            boards.append(np.zeros(size * size, np.uint8) if line.board is None else line.board)
            turns.append(line.turn)
        if len(moves) == most:
            break
    order = np.random.default_rng(0).permutation(len(moves))
    parts = []
    for chosen in np.split(order, [len(order) * 9 // 10]):
        states, _ = go.set_up(np.array([boards[i] for i in chosen]), np.array([turns[i] for i in chosen]))
        offsets = np.concatenate([[0], np.cumsum([len(moves[i]) for i in chosen])]).astype(np.int64)
        parts.append(Games(states, np.concatenate([moves[i] for i in chosen]).astype(np.int32), offsets))
    return parts


def learn(go: Go, train: Games, test: Games, tree: bool, epochs: int) -> Learner:
    """A policy after `epochs` passes; prints what it foretells."""
    start = time.process_time()
    learner = Learner(go, find_patterns(go, train, tree=tree))
    counted = time.process_time() - start
    positions = sum(fit.positions for _, fit in learn_games(learner, train, epochs=epochs, seed=0))
    seconds = time.process_time() - start - counted
    fit, patterns = learner.measure(test), learner.patterns
    diamonds = 0 if patterns.diamonds is None else len(patterns.diamonds)
    print(
        f"{go.name} {'tree' if tree else 'rollout'} policy: {len(patterns.rings):,} rings,"
        f" {len(patterns.responses):,} responses, {diamonds:,} diamonds; {len(train.states):,} games"
        f" ({positions:,} steps, {seconds:.1f} s of CPU, {counted:.1f} s to count patterns):"
        f" {fit.accuracy:.2%} of {fit.positions:,} held-out moves foretold,"
        f" log-likelihood {fit.mean_log_likelihood:.4f} a move",
        flush=True,
    )
    return learner


def rates(size: int, policy: RolloutPolicy, tree: TreePolicy | None, count: int, rounds: int) -> None:
    """Rollouts and uniform playouts a second, time a move, and of a whole position's chances."""
    go = Go(size=size)
    states, rng = go.new(count), seeds(np.random.default_rng(0), count)
    plies = {"rollouts": 0.0, "uniform playouts": 0.0}

    def rolled() -> float:
        plies["rollouts"] = rollout_margins(go, states, policy, rng)[1].mean()
        return count

    def uniform() -> float:
        plies["uniform playouts"] = go.rollout_margins(states, rng)[1].mean()
        return count

    for job in (rolled, uniform):
        job()
    found = best_rates({"rollouts": rolled, "uniform playouts": uniform}, rounds)
    show(f"rollouts {size}x{size}", "a second", found)
    for name, rate in found.items():
        print(f"  {name}: {plies[name]:.1f} moves each, {1e6 / rate / plies[name]:.3f} microseconds a move")
    if tree is not None:
        middle = go.replay(
            states,
            np.random.default_rng(0)
            .permuted(np.tile(np.arange(size * size), (count, 1)), axis=1)[:, : size * size // 4]
            .astype(np.int32),
            np.full(count, size * size // 4, np.int32),
        )
        jobs = {
            "tree policy's priors": lambda: len(tree.priors(go, middle)),
            "rollout policy's chances": lambda: len(policy.move_probabilities(go, middle)),
        }
        show(f"positions {size}x{size}", "a second", best_rates(jobs, rounds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records-9", type=Path, help="9x9 games to learn from")
    parser.add_argument("--records-19", type=Path, help="19x19 games to learn from")
    parser.add_argument("--games", type=int, default=8000, help="games that are read at the most")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs")
    options = parser.parse_args()
    rows.set_threads(1)
    part, rounds = (10, 2) if options.quick else (1, 7)
    for size, path in ((9, options.records_9), (19, options.records_19)):
        tree = None
        if path is None:
            none = Patterns(np.zeros(0, np.uint64), np.zeros(0, np.uint64))
            policy = RolloutPolicy(none, np.zeros(none.features, np.float32))
        else:
            go = Go(size=size, superko="simple", suicide=False)
            train, test = read_games(path, go, size, options.games // part)
            learner = learn(go, train, test, False, options.epochs)
            policy = RolloutPolicy(learner.patterns, learner.weights)
            learner = learn(go, train, test, True, options.epochs)
            tree = TreePolicy(learner.patterns, learner.weights)
        rates(size, policy, tree, (2000 if size == 9 else 400) // part, rounds)


if __name__ == "__main__":
    main()
