"""AlphaGo's speed: feature planes, records read and fed, rollouts beside the network, playouts of the search.

    python benchmarks/alphago_speed.py [--run FOLDER] [--records PATH ...] [--quick]

Figures are per CPU second of one thread, the best of several rounds; "x" is the ratio to a bar, or to the line above.
Networks are those of the presets, with weights that have learnt nothing and are as fast as others, and linear policies
without patterns; or, with ``--run``, what a run has learnt, on its board. Records are SGF files, folders or archives
of 19x19 games; without them, games of random moves are written as SGF first.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from alphago_features import random_positions
from timing import best_rates

from sakiyomi.agents.alphago.agent import AlphaGo
from sakiyomi.agents.alphago.features import feature_planes
from sakiyomi.agents.alphago.feeding import make_batch
from sakiyomi.agents.alphago.guides import Parts, make_guides, near_records
from sakiyomi.agents.alphago.loading import load_records
from sakiyomi.agents.alphago.patterns import Patterns
from sakiyomi.agents.alphago.policy import probabilities
from sakiyomi.agents.alphago.rollout import RolloutPolicy, rollout_margins
from sakiyomi.agents.alphago.search import Apv, ApvSearch
from sakiyomi.agents.alphago.stages import VALUE_PLANES, new_policy
from sakiyomi.agents.alphago.tree_policy import TreePolicy
from sakiyomi.agents.alphago.value import ValueNet
from sakiyomi.boards import rows
from sakiyomi.boards.go import Go
from sakiyomi.boards.random import pick, seeds

FEATURES_BAR = 5_000  # positions a second a core on 19x19, 48 planes, made and fed
ROLLOUT_BAR = 100  # times as fast a move as the policy network
BATCH = 128


def untaught(size: int) -> AlphaGo:
    """AlphaGo as the preset for that size has it, before it has learnt anything, with all parts."""
    game, config = Go(size), AlphaGo.presets[f"go-{size}x{size}"]
    none = np.zeros(0, np.uint64)
    patterns = Patterns(none, none), Patterns(none, none, none)
    rollout, tree = (np.zeros(each.features, np.float32) for each in patterns)
    value = ValueNet(
        (VALUE_PLANES, size, size),
        filters=config.value_filters,
        layers=config.value_layers,
        hidden=config.value_hidden,
    )
    net = new_policy(game, config, 0)
    return AlphaGo(
        game, Parts(net, net, value, RolloutPolicy(patterns[0], rollout), TreePolicy(patterns[1], tree)), config
    )


def features(count: int, rounds: int) -> None:
    """The 48 planes of positions of 19x19."""
    game, states = random_positions(19, count)

    def encoded() -> float:
        return len(feature_planes(game, states, 48))

    print(f"19x19, 48 planes (bar: {FEATURES_BAR:,} positions a second)")
    encoded()
    barred("planes of positions", best_rates({"": encoded}, rounds)[""])


def feeding(paths: list[Path], games: int, rounds: int) -> None:
    """SGF read, and batches made of it: positions replayed, turned, as 48 planes."""
    with tempfile.TemporaryDirectory() as folder:
        if not paths:
            write_random_games(Path(folder), games)
        started = time.process_time()
        records = load_records(*paths or [Path(folder)], size=19, least_moves=20)
        read = len(records.places) / (time.process_time() - started)

    def fed() -> float:
        return len(make_batch(records, BATCH, 48, 0, 0).moves)

    fed()
    barred(f"positions of SGF read ({len(records):,} games)", read)
    barred(f"positions drawn, replayed and turned, {BATCH} at once", best_rates({"": fed}, rounds)[""])


def write_random_games(folder: Path, games: int) -> None:
    """Games of random sensible moves, 200 at the most."""
    game = Go(19, rules="japanese")
    states, rng = game.new(games), seeds(np.random.default_rng(1), games)
    texts = [["(;GM[1]FF[4]SZ[19]KM[6.5]RE[B+R]"] for _ in range(games)]
    for ply in range(200):
        actions = pick(game.sensible(states), rng)
        game.play(states, actions)
        for text, action in zip(texts, actions.tolist(), strict=True):
            point = "" if action == 361 else chr(97 + action % 19) + chr(97 + action // 19)
            text.append(f";{'BW'[ply % 2]}[{point}]")
    for number, text in enumerate(texts):
        (folder / f"{number}.sgf").write_text("".join((*text, ")")))


def rollouts(agent: AlphaGo, count: int, rounds: int) -> None:
    """A move of a rollout beside an answer of the policy network, and what the tables take."""
    game, policy, net = near_records(agent.game), agent.parts.rollout, agent.parts.policy
    if policy is None:
        return
    empty, random, moves = game.new(count), seeds(np.random.default_rng(0), count), [0.0]
    _, middle = random_positions(game.size, BATCH)

    def rolled() -> float:
        moves[0] = float(rollout_margins(game, empty, policy, random)[1].sum())
        return moves[0]

    def answered(batch: int) -> Callable[[], float]:
        def job() -> float:
            some = middle[:batch]
            return len(probabilities(net, feature_planes(game, some, net.planes[0]), game.sensible(some)[:, :-1]))

        return job

    jobs = {"moves of rollouts": rolled, "answers of the network, 1 at once": answered(1)}
    jobs[f"answers of the network, {BATCH} at once"] = answered(BATCH)
    for job in jobs.values():
        job()
    found = best_rates(jobs, rounds)
    rate = found["moves of rollouts"]
    size = f"{net.layers} layers of {net.filters} filters"
    print(f"{game.name}, rollouts and a policy network of {size} (bar: {ROLLOUT_BAR} times)")
    told("rollouts from the empty board", rate * count / moves[0])
    for name, each in found.items():
        told(name, each, "" if each == rate else f"{rate / each:8,.0f} x")
    factors = [getattr(policy.factors, each) for each in policy.factors._fields]
    kilobytes = sum(each.nbytes for each in factors if isinstance(each, np.ndarray)) / 1024
    print(f"  a rollout's tables: {kilobytes:,.0f} KiB, {policy.patterns.features:,} weights")


def searching(agent: AlphaGo, simulations: int, rounds: int) -> None:
    """Playouts of one search from the empty board, and the parts of its time."""
    config, whose = agent.config, agent.config.priors
    print(f"{agent.game.name}, playouts of the search, {simulations} from the empty board")
    usual = replace(config.search, late=False)
    kinds = {"1 descent at once": replace(usual, leaves=1), f"{usual.leaves} descents": usual}
    kinds[f"{usual.leaves} descents, networks a round later"] = replace(usual, late=True)
    kinds[f"{usual.leaves} descents, values alone"] = replace(usual, mixing=0.0)
    kinds[f"{usual.leaves} descents, rollouts alone"] = replace(usual, mixing=1.0)
    rng = np.random.default_rng(0)
    guides = make_guides(agent.game, agent.parts, whose, power=config.softening, pass_prior=config.pass_prior, rng=rng)

    def job(settings: Apv) -> tuple[ApvSearch, Callable[[], float]]:
        search = ApvSearch(agent.game, guides, 1, settings, rng=rng)
        search.roots[:] = agent.game.new(settings.leaves)
        search.run(2 * settings.leaves)
        return search, lambda: float(search.run(simulations).visits.sum())

    searches = {name: job(settings) for name, settings in kinds.items()}
    found = best_rates({name: work for name, (_, work) in searches.items()}, rounds)
    for name, rate in found.items():
        seconds = searches[name][0].seconds
        parts = ", ".join(f"{part} {each / sum(seconds.values()):.0%}" for part, each in seconds.items())
        told(name, rate, parts)


def told(what: str, rate: float, beside: str = "") -> None:
    print(f"  {what:52}{rate:12,.0f} a second  {beside}", flush=True)


def barred(what: str, rate: float) -> None:
    told(what, rate, f"{rate / FEATURES_BAR:8.1f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="a folder that AlphaGo has learnt in")
    parser.add_argument("--records", type=Path, nargs="+", default=[], help="SGF of 19x19 games")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs")
    options = parser.parse_args()
    rows.set_threads(1)
    torch.set_num_threads(1)
    part, rounds = (10, 1) if options.quick else (1, 5)
    features(1024 // part, rounds)
    feeding(options.records, 200 // part, rounds)
    for agent in [AlphaGo.load(options.run)] if options.run else [untaught(9), untaught(19)]:
        rollouts(agent, 1000 // part, rounds)
        searching(agent, agent.config.simulations // part, rounds)


if __name__ == "__main__":
    main()
