"""The eight relations that AlphaGo's paper claims, measured on what a run has learnt, and its rating beside others.

    sakiyomi train alphago go-9x9 --records RECORDS --out runs/alphago-9x9
    python benchmarks/learning/alphago_relations.py runs/alphago-9x9                  # all, one after the other
    python benchmarks/learning/alphago_relations.py runs/alphago-9x9 --relation 4     # one
    python benchmarks/learning/alphago_relations.py runs/alphago-9x9 --page           # write the page of what there is

    1  the policy network foretells far more moves than the rollout policy (by 10 points), which is 100 times as fast
    2  48 planes foretell more than 12, 12 more than 4
    3  the mean of eight views foretells 1 to 2 points more than one
    4  the policy reinforced wins over 60 % against the one learnt from records; a pool is the better opponent
    5  one position a game leaves train and test errors together; as many of whole games are learnt by heart
    6  the value network errs less than rollouts by the rollout policy, stage by stage of the game (figure 2b)
    7  component ablation and mixing, in the arena, at equal simulations
    8  the policy learnt from records or the reinforced one as prior
    9  ratings beside other programs (figure 4a): told, as is 8

Each relation goes on where it was stopped, in the folder `relations` of the run; results are written there as
relation-K.json, and the page as docs/results/alphago-relations.md with a plot and all figures beside it. `--tiny`
takes small numbers, to see the code run.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import alphago_measures as measures
import numpy as np
import torch
from alphago_plot import plot_relations
from rated import GNUGO, installed

from sakiyomi.agents.agent import TrainingBudget
from sakiyomi.agents.alphago.agent import AlphaGo
from sakiyomi.agents.alphago.config import Config
from sakiyomi.agents.alphago.files import value_network
from sakiyomi.agents.alphago.guides import near_records
from sakiyomi.agents.alphago.policy import PolicyNet
from sakiyomi.agents.alphago.policy_games import PolicyPlayer, match
from sakiyomi.agents.alphago.records import GameRecords
from sakiyomi.agents.alphago.stages import POSITIONS_AT_ONCE, PolicyStage, ReinforceStage, Stage, ValueStage, split
from sakiyomi.agents.alphago.value import ValueNet
from sakiyomi.agents.alphago.value_data import whole_games
from sakiyomi.agents.parts.runs.checkpoints import load_tensors, read_json, settled, write_json
from sakiyomi.agents.parts.runs.training_run import RUN, STATE, TrainingRun
from sakiyomi.arena import Tournament
from sakiyomi.arena.agent_specs import weights_of
from sakiyomi.arena.training import Run
from sakiyomi.boards.go import Go

PAGE = Path(__file__).resolve().parents[2] / "docs" / "results" / "alphago-relations"
WELL_ABOVE = 0.10  # relation 1: on 9x9 45 to 60 % are expected of the network, 20 to 35 % of the rollout policy
TOGETHER = 1.05  # relation 5: at the most so many times the train error is a test error that is no worse
ROLLOUTS = 100
LEEWAY = 0.05  # relation 6: by so much rollouts may err less in a stage, as they are exact when all is settled
STAGE_PLIES = 10  # relation 6: plies of a stage of the game
PARTS = {
    "rvp": "",
    "vp": "mixing=0",
    "rp": "mixing=1",
    "rv": "priors=tree",
    "v": "priors=tree,mixing=0",
    "r": "priors=tree,mixing=1",
    "p": "search=false",
}
"""The paper's figure 4b: rollouts, value network, policy network; without the last the tree policy's priors."""
MIXINGS = (0.0, 0.25, 0.5, 0.75, 1.0)
Row = tuple[str, str]
Result = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    positions: int = 10_000
    plane_steps: int = 4000  # of learning, for each number of planes
    games: int = 400  # between two policies
    value_games: int = 200  # whose positions values and rollouts are compared in, and that tell how long games are
    pair_games: int = 40  # of a pair of players with search
    simulations: int = 200


TINY = Size(200, 4, 16, 6, 2, 16)


@dataclass
class Lab:
    """What a run has learnt, and where to write."""

    folder: Path
    size: Size

    @cached_property
    def run(self) -> Run:
        """What the run is."""
        return Run.stored(self.folder)

    @cached_property
    def agent(self) -> AlphaGo:
        """The player."""
        return AlphaGo.load(self.folder)

    @property
    def game(self) -> Go:
        """By the rules of records."""
        return near_records(self.agent.game)

    @property
    def config(self) -> Config:
        """The run's."""
        config: Config = self.run.config
        return config

    @cached_property
    def train(self) -> GameRecords:
        """Games that were learnt from."""
        return GameRecords.load(self.folder / "records" / "train")

    @cached_property
    def test(self) -> GameRecords:
        """Games to test by."""
        return GameRecords.load(self.folder / "records" / "test")

    @property
    def place(self) -> Path:
        """Where the relations are."""
        return self.folder / "relations"

    def part(self, name: str, stage: str) -> Any:
        """A part of the agent. Raises SystemExit, which says so, if it has not been learnt."""
        found = getattr(self.agent.parts, name)
        if found is None:
            raise SystemExit(f"{self.folder} has no {name} yet: sakiyomi train --resume --out {self.folder} ({stage})")
        return found

    def steps(self, stage: str) -> int:
        """For how long the run's `stage` has learnt."""
        return int(read_json(settled(self.folder / stage / RUN) / STATE)["counters"]["steps"])

    @cached_property
    def baseline(self) -> ValueNet | None:
        """What the run's reinforcement had as a baseline."""
        wanted = self.config.reinforce_baseline
        return None if wanted is None else value_network(Path(wanted), self.game)

    def taught(self, name: str, stage: Stage, rng_seed: int = 0) -> Stage:
        """`stage`, run to its end in ``relations/name``, where it goes on if it was stopped."""
        run = TrainingRun(self.place / name, stage.parts, np.random.default_rng(rng_seed))
        run.begin((self.place / name / RUN).exists())
        nothing = TrainingBudget()
        try:
            while not stage.done(run.counters) and run.goes_on(nothing):
                progress = run.record(stage.go_on(run.counters), nothing, _Nothing(), 60.0)
                print(f"{name}: {progress.steps:,} steps, {progress.seconds:.0f} s", flush=True)
        finally:
            stage.close()
            run.end(_Nothing())
        return stage


class _Nothing:
    """In place of an agent: a stage alone is no player."""

    def save(self, folder: Path) -> None:
        """Nothing."""


def accuracy_and_speed(lab: Lab) -> Result:
    """1: SL policy, rollout policy, tree policy, on the same positions."""
    places = measures.places_to_test_by(lab.test, lab.size.positions)
    rollout, tree = lab.part("rollout", "rollout"), lab.part("tree", "rollout")
    net, states = lab.agent.parts.policy, lab.test.at(places[:256]).states
    hits = {
        "policy network": measures.foretold_by_net(net, lab.test, places, 1),
        "tree policy": measures.foretold_by_patterns(tree, lab.test, places),
        "rollout policy": measures.foretold_by_patterns(rollout, lab.test, places),
    }
    found = {name: measures.rate(each) for name, each in hits.items()}
    over_tree, over_rollout = (
        _difference(hits["policy network"], hits[name]) for name in ("tree policy", "rollout policy")
    )
    move = measures.microseconds_a_rollout_move(lab.game, rollout)
    times = {f"in batches of {n}": measures.microseconds_a_position(lab.test.game, net, states, n) for n in (1, 64)}
    rows = [(f"moves foretold by the {name}", str(rate)) for name, rate in found.items()]
    rows += [("the network over the tree policy", _points(over_tree))]
    rows += [("the network over the rollout policy", _points(over_rollout))]
    rows += [("a move of a rollout", f"{move:.2f} µs of processor time")]
    rows += [(f"an answer of the network, {how}", f"{us:.0f} µs, {us / move:.0f} times") for how, us in times.items()]
    holds = over_tree[1] > 0 and over_rollout[1] > WELL_ABOVE and times["in batches of 1"] >= 100 * move
    figures = {name: rate._asdict() for name, rate in found.items()}
    figures |= {"over the tree policy": over_tree, "over the rollout policy": over_rollout}
    ratio = min(times.values()) / move
    return _result(rows, holds, figures | {"rollout move, µs": move, "network, µs": times, "least ratio": ratio})


def planes(lab: Lab) -> Result:
    """2: nets that see 4, 12 and 48 planes, each taught as long."""
    places, found = measures.places_to_test_by(lab.test, lab.size.positions), dict[int, dict[int, Any]]()
    hits = {}
    for count in (4, 12, 48):
        steps = lab.size.plane_steps
        config = replace(lab.config, planes=count, policy_steps=steps, policy_halving=max(1, steps // 4))
        stage: Any = lab.taught(f"planes-{count}", PolicyStage(lab.game, config, lab.train, lab.test, lab.run.seed))
        hits[count] = {n: measures.foretold_by_net(stage.learning.net, lab.test, places, n) for n in (1, 8)}
        found[count] = {n: measures.rate(each) for n, each in hits[count].items()}
    rows = [(f"{n} planes, {v} view{'s' * (v > 1)}", str(r)) for n, views in found.items() for v, r in views.items()]
    gaps = {f"{b} over {a} planes": _difference(hits[b][8], hits[a][8]) for a, b in ((4, 12), (12, 48))}
    rows += [(name, _points(gap)) for name, gap in gaps.items()]
    figures = {f"{n} planes, {v} views": r._asdict() for n, views in found.items() for v, r in views.items()}
    return _result(rows, all(low > 0 for _, low, _ in gaps.values()), figures | gaps)


def views(lab: Lab) -> Result:
    """3: one view and the mean of eight, on the same positions."""
    places = measures.places_to_test_by(lab.test, lab.size.positions)
    one, eight = (measures.foretold_by_net(lab.agent.parts.policy, lab.test, places, n) for n in (1, 8))
    gap = _difference(eight, one)
    rows = [("one view", str(measures.rate(one))), ("eight views", str(measures.rate(eight))), ("more", _points(gap))]
    figures = {"one": measures.rate(one)._asdict(), "eight": measures.rate(eight)._asdict(), "more": gap}
    return _result(rows, gap[1] > 0, figures)


def reinforced(lab: Lab) -> Result:
    """4: RL against SL, and a pool of opponents against none, taught by as many games."""
    sl, rl = lab.agent.parts.policy, lab.part("reinforced", "reinforce")
    config = replace(lab.config, reinforce_steps=lab.steps("reinforce"))
    without = ReinforceStage(lab.game, config, sl, lab.run.seed, self_only=True, baseline=lab.baseline)
    stage: Any = lab.taught("self-only", without)
    alone, early = stage.learning.net, _earlier(lab, sl)
    pairs = {
        "reinforced against SL": (rl, sl),
        "without a pool against SL": (alone, sl),
        "reinforced against the one without a pool": (rl, alone),
        "reinforced against its earlier self": (rl, early),
        "without a pool against that earlier self": (alone, early),
    }
    found = {}
    for number, (name, (one, other)) in enumerate(pairs.items()):
        players = [
            PolicyPlayer(lab.game, net, np.random.default_rng((number, k))) for k, net in enumerate((one, other))
        ]
        found[name] = measures.points(match(lab.game, players[0], players[1], lab.size.games))
    rows = [(name, str(rate)) for name, rate in found.items()]
    holds = found["reinforced against SL"].low > 0.6
    holds &= found["reinforced against the one without a pool"].low > 0.5
    return _result(rows, holds, {name: rate._asdict() for name, rate in found.items()})


def one_position_a_game(lab: Lab) -> Result:
    """5: as many positions, one a game or all of some games; nothing else differs but that those hang together."""
    value, positions, rl = lab.part("value", "value"), _positions(lab), lab.part("reinforced", "reinforce")
    one = split(positions, lab.config.test_share)  # as the run's value network has learnt from them
    rng = np.random.default_rng((lab.run.seed, 5))
    plies = whole_games(lab.game, rl, lab.size.value_games, rng).lengths.mean()
    games = whole_games(lab.game, rl, max(2, int(len(positions) // plies)), rng)
    config = replace(lab.config, value_steps=lab.steps("value"))
    stage: Any = lab.taught("value-all", ValueStage(lab.game, config, games, lab.run.seed))
    every = stage.train, stage.test
    rows, figures, errors = list[Row](), dict[str, Any](), list[tuple[measures.Mean, ...]]()
    for name, net, (train, test), (_, other) in (
        ("one position a game", value, one, every),
        ("all positions", stage.learning.net, every, one),
    ):
        sets = {"train": train, "held out": test, "held out of the other kind": other}
        found = {what: _value_error(lab, net, records) for what, records in sets.items()}
        errors.append((found["train"], found["held out"]))
        rows.append((f"{name}, learnt from", f"{len(train.places):,} positions of {len(train):,} games"))
        rows += [(f"{name}, {what}", str(mean)) for what, mean in found.items()]
        figures[name] = {what: mean._asdict() for what, mean in found.items()}
        figures[name] |= {"positions": len(train.places), "games": len(train)}
    gaps = [test.mean / train.mean for train, test in errors]
    rows += [("held out over train, one position a game", f"{gaps[0]:.3f}"), ("all positions", f"{gaps[1]:.3f}")]
    apart = errors[1][1].low > errors[1][0].high
    return _result(rows, gaps[0] < TOGETHER < gaps[1] and apart, figures | {"held out over train": gaps})


def values_and_rollouts(lab: Lab) -> Result:
    """6: squared errors by stage of the game, in games that the reinforced policy plays with itself.

    Departure: the paper's positions are of human games, whose komi differs from game to game here.
    """
    game, value = lab.game, lab.part("value", "value")
    rl, rollout = lab.part("reinforced", "reinforce"), lab.part("rollout", "rollout")
    records = whole_games(game, rl, lab.size.value_games, np.random.default_rng((lab.run.seed, 6)))
    places = measures.places_to_test_by(records, lab.size.positions)
    seen, of = records.at(places), measures.games_of_places(records, places)
    errors = {"value network": measures.value_errors(value, records, places)}
    for name, roll in (
        ("rollout policy", measures.policy_rollouts(game, rollout)),
        ("uniform rollouts", measures.uniform_rollouts(game)),
    ):
        errors[name] = measures.rollout_errors(game, roll, seen.states, seen.results, ROLLOUTS, 0)
        print(f"{ROLLOUTS} {name} done", flush=True)
    errors["rollout policy less value network"] = errors["rollout policy"] - errors["value network"]
    stages = seen.plies // STAGE_PLIES
    parts = {f"plies {k * STAGE_PLIES} to {(k + 1) * STAGE_PLIES - 1}": stages == k for k in np.unique(stages)}
    found = {
        part: {name: measures.mean_by_games(each[chosen], of[chosen]) for name, each in errors.items()}
        for part, chosen in (parts | {"all": stages >= 0}).items()
    }
    rows = [
        (part, "; ".join(f"{name} {m.mean:.3f} ({m.low:.3f} to {m.high:.3f})" for name, m in means.items()))
        for part, means in found.items()
    ]
    ahead = {part: means["rollout policy less value network"] for part, means in found.items()}
    holds = ahead["all"].low > 0 and all(each.high > -LEEWAY for each in ahead.values())
    figures = {part: {name: mean._asdict() for name, mean in means.items()} for part, means in found.items()}
    return _result(rows, holds, figures)


def ablation(lab: Lab) -> Result:
    """7: parts left out, and mixings, in two tournaments."""
    for name, stage in (("value", "value"), ("rollout", "rollout")):
        lab.part(name, stage)
    parts = _rated(lab, "ablation", PARTS)
    mixings = _rated(lab, "mixing", {f"lambda {mixing:g}": f"mixing={mixing}" for mixing in MIXINGS})
    rows = [(name, _elo(figures)) for table in (parts, mixings) for name, figures in table.items()]
    elo = {name: figures["elo"] for name, figures in (parts | mixings).items()}
    order = elo["rvp"] > max(elo["vp"], elo["rp"]) > elo["p"]
    best = max(mixings, key=lambda name: elo[name])
    rows.append(("order", "rvp > max(vp, rp) > p" if order else "not the paper's"))
    rows.append(("best mixing", best))
    inside = best not in ("lambda 0", "lambda 1")
    return _result(rows, order and inside, {"parts": parts, "mixings": mixings})


def prior(lab: Lab) -> Result:
    """8: whose priors; told, no mark."""
    lab.part("reinforced", "reinforce")
    table = _rated(lab, "priors", {"SL prior": "priors=sl", "RL prior": "priors=rl"}, times=5)
    rows = [(name, _elo(figures)) for name, figures in table.items()]
    return _result(rows, None, table)


def beside_others(lab: Lab) -> Result:
    """9: with search, by the policies alone, and UCT, the shipped AlphaZero and GNU Go as far as they are there."""
    lab.part("reinforced", "reinforce")
    name, sims, own = lab.agent.game.name, lab.size.simulations, f"alphago:{lab.folder}"
    players = {
        f"AlphaGo, {sims} simulations": f"{own}@resign=-1,sims={sims}",
        f"AlphaGo, {4 * sims} simulations": f"{own}@resign=-1,sims={4 * sims}",
        "SL policy alone": f"{own}@search=false",
        f"uct:{5 * sims}": f"uct:{5 * sims}",
    }
    if (weights_of("alphazero") / name).exists():
        players[f"AlphaZero, {sims} simulations"] = f"alphazero:{name}@sims={sims}"
    if installed("gnugo"):
        players |= {f"GNU Go, level {level}": GNUGO.format(level) for level in (1, 10)}
    table = _tournament(lab, "others", players)
    return _result([(each, _elo(figures)) for each, figures in table.items()], None, table)


RELATIONS: dict[int, Callable[[Lab], Result]] = {
    1: accuracy_and_speed,
    2: planes,
    3: views,
    4: reinforced,
    5: one_position_a_game,
    6: values_and_rollouts,
    7: ablation,
    8: prior,
    9: beside_others,
}


def _rated(lab: Lab, name: str, settings: dict[str, str], times: int = 1) -> dict[str, dict[str, float]]:
    """A round robin of the run's agent with several settings: ratings with their 95 % intervals."""
    sims = lab.size.simulations
    players = {each: f"alphago:{lab.folder}@resign=-1,sims={sims}{how and ','}{how}" for each, how in settings.items()}
    return _tournament(lab, name, players, times)


def _tournament(lab: Lab, name: str, players: dict[str, str], times: int = 1) -> dict[str, dict[str, float]]:
    """A round robin of `players`, kept in ``relations/name``."""
    out = lab.place / name
    tournament = Tournament(
        lab.agent.game,
        players,
        games=times * lab.size.pair_games,
        openings="random:4",
        seed=1,
        workers=0,
        out=out,
        resume=out.exists(),
    )
    return {
        each.name: {"elo": each.elo, "low": each.low, "high": each.high, "score": each.score, "games": each.games}
        for each in tournament.run()
    }


def _earlier(lab: Lab, sl: PolicyNet) -> PolicyNet:
    """The policy in the middle of the reinforced one's pool."""
    run = lab.folder / "reinforce" / RUN / "learning"
    count = read_json(run / "state.json")["pool"]
    net = PolicyNet(**sl.settings())
    net.load_state_dict(load_tensors(run / f"pool-{count // 2}.safetensors"))
    return net


def _value_error(lab: Lab, net: ValueNet, records: GameRecords) -> measures.Mean:
    """Of positions of `records`, with its interval."""
    places = measures.places_to_test_by(records, lab.size.positions)
    errors = measures.value_errors(net, records, places)
    return measures.mean_by_games(errors, measures.games_of_places(records, places))


def _positions(lab: Lab) -> GameRecords:
    """Those of the run."""
    path = lab.folder / "positions" / RUN / "positions"
    if not path.with_name(f"{path.name}.npz").exists():
        raise SystemExit(f"{lab.folder} has no positions yet, {POSITIONS_AT_ONCE} at once: let the run go on")
    return GameRecords.load(path)


def _difference(hits: Any, others: Any) -> tuple[float, float, float]:
    """The mean difference of two shares on the same positions, with its 95 % interval."""
    gaps = hits.astype(float) - others
    error = 1.96 * float(gaps.std()) / len(gaps) ** 0.5
    return float(gaps.mean()), float(gaps.mean()) - error, float(gaps.mean()) + error


def _points(gap: tuple[float, float, float]) -> str:
    return f"{100 * gap[0]:+.2f} points ({100 * gap[1]:+.2f} to {100 * gap[2]:+.2f})"


def _elo(figures: dict[str, float]) -> str:
    text = f"{figures['elo']:+.0f} ({figures['low']:+.0f} to {figures['high']:+.0f})"
    return f"{text}, {figures['score']:.0%} of {figures['games']:.0f} games"


def _result(rows: list[Row], holds: bool | None, figures: dict[str, Any]) -> Result:
    return {"rows": rows, "holds": None if holds is None else bool(holds), "figures": figures}


def write_page(lab: Lab, page: Path) -> None:
    """The page of results and its JSON, of the relations that were measured."""
    found = {k: read_json(path) for k in RELATIONS if (path := lab.place / f"relation-{k}.json").exists()}
    titles = [line.strip()[3:] for line in (__doc__ or "").splitlines() if line.strip()[:3].rstrip().isdigit()]
    about = read_json(lab.folder / "records" / "about.json")
    config = lab.config
    lines = [
        "# AlphaGo's relations",
        "",
        f"{lab.agent.game.name}; policy network of {config.layers} layers of {config.filters} filters, value network of"
        f" {config.value_layers} of {config.value_filters}; {about['games']:,} games of records"
        f" ({about['positions']:,} positions). Intervals are of 95 %. Errors of values are"
        " (z - v)^2 with z and v from -1 to 1; the AlphaGo Zero paper's scale is a quarter of that.",
        "",
        f"![the relations in figures]({page.name}.png)",
        "",
    ]
    for k, result in found.items():
        verdict = {None: "", True: " Holds.", False: " Does not hold here."}[result["holds"]]
        lines += [f"## {k}. {titles[k - 1].capitalize()}", "", f"Measured with {result['size']}.{verdict}", ""]
        lines += ["| | |", "| --- | --- |", *(f"| {name} | {text} |" for name, text in result["rows"]), ""]
    missing = [str(k) for k in RELATIONS if k not in found]
    if missing:
        lines += [f"Not measured yet: {', '.join(missing)}.", ""]
    page.parent.mkdir(parents=True, exist_ok=True)
    page.with_suffix(".md").write_text("\n".join(lines), encoding="utf-8")
    plot_relations({k: result["figures"] for k, result in found.items()}, page.with_suffix(".png"))
    write_json(page.with_suffix(".json"), {str(k): result for k, result in found.items()})
    print(f"written: {page.with_suffix('.md')}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the folder of a run of AlphaGo")
    parser.add_argument("--relation", type=int, choices=RELATIONS, action="append", help="one of them; may be repeated")
    parser.add_argument("--page", action="store_true", help="write the page, and do no more")
    parser.add_argument("--to", type=Path, default=PAGE, help="the page, without its ending (default %(default)s)")
    parser.add_argument("--tiny", action="store_true", help="small numbers")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch (default %(default)s)")
    for name, value in vars(Size()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=None, help=f"default {value}")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    given = {name: getattr(options, name) for name in vars(Size()) if getattr(options, name) is not None}
    lab = Lab(options.run, replace(TINY if options.tiny else Size(), **given))
    for k in () if options.page else options.relation or RELATIONS:
        print(f"relation {k}", flush=True)
        result = RELATIONS[k](lab) | {"size": ", ".join(f"{n}={v}" for n, v in vars(lab.size).items())}
        write_json(lab.place / f"relation-{k}.json", result)
        print(json.dumps(result["rows"], indent=1), "holds" if result["holds"] else "", flush=True)
    write_page(lab, options.to)


if __name__ == "__main__":
    main()
