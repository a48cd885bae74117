"""AlphaGo's pipeline: stage after stage, each of which goes on from where it was stopped.

::

    folder/agent.json, weights.safetensors     the player so far
    folder/progress.json, progress.png         the figures of all stages, one after the other
    folder/games/                              own games (SGF), where no records were given
    folder/records/                            the games to learn from and to test by
    folder/policy/, rollout/, ...              a `TrainingRun` for each stage, with its own figures
"""

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any
from warnings import warn

import numpy as np

from sakiyomi.agents.agent import Progress, TrainingBudget
from sakiyomi.agents.alphago.agent import AlphaGo, rules_of_go
from sakiyomi.agents.alphago.config import STAGES, Config
from sakiyomi.agents.alphago.files import value_network
from sakiyomi.agents.alphago.guides import Parts, near_records
from sakiyomi.agents.alphago.loading import load_records
from sakiyomi.agents.alphago.own_games import play_own_games
from sakiyomi.agents.alphago.records import GameRecords
from sakiyomi.agents.alphago.stages import (
    PolicyStage,
    PositionsStage,
    ReinforceStage,
    RolloutStage,
    Stage,
    ValueStage,
    new_policy,
    split,
)
from sakiyomi.agents.opponents import make_opponent
from sakiyomi.agents.parts.runs.agent_files import DAMAGE, DESCRIPTION
from sakiyomi.agents.parts.runs.checkpoints import read_json, settled, whole_folder, write_json
from sakiyomi.agents.parts.runs.metrics import MetricsLog
from sakiyomi.agents.parts.runs.training_run import RUN, STATE, Counters, TrainingRun
from sakiyomi.agents.parts.strength.measuring import check_strength, strength
from sakiyomi.boards.go import Go
from sakiyomi.boards.player import Player

RECORDS, STRENGTH = "records", "strength.json"
NEEDS: dict[str, tuple[str, ...]] = {
    "policy": (),
    "rollout": (),
    "reinforce": ("policy",),
    "positions": ("policy", "reinforce"),
    "value": ("positions",),
}
"""What a stage builds on, beside records."""
FEWEST_GAMES = 10  # of its own, however little time there is
TELL = 2.0  # seconds between two signs of life


def train_stages(
    task: Any,
    folder: Path,
    budget: TrainingBudget,
    *,
    config: Config,
    seed: int,
    resume: bool,
    records: Sequence[str],
    stage: str | None,
    teachers: Sequence[Player],
) -> Iterator[Progress]:
    """As `AlphaGo.train`."""
    game = rules_of_go(task)
    if stage is not None and stage not in STAGES:
        raise ValueError(f"there is no stage {stage!r}; there are: {', '.join(STAGES)}")
    check_strength(game, config.opponents, config.opening_plies)
    for path in records:
        if not Path(path).exists():
            raise ValueError(f"there are no records at {path}: SGF files, folders or archives of them are wanted")
    if not resume and config.reinforce_baseline is not None:
        value_network(Path(config.reinforce_baseline), game)  # a refusal comes at once
    if not resume and (folder / DESCRIPTION).exists():
        raise ValueError(f"{folder} holds an agent already: resume its run, or begin in another folder")
    return Pipeline(game, folder, config, seed).run(budget, records, stage, teachers)


@dataclass
class Pipeline:
    """A run of all stages in `folder`. `parts` are what has been learnt so far."""

    game: Go
    folder: Path
    config: Config
    seed: int
    parts: dict[str, Any] = field(default_factory=dict)
    counters: dict[str, Counters] = field(default_factory=dict)
    made: dict[str, Stage] = field(default_factory=dict)

    def run(
        self, budget: TrainingBudget, paths: Sequence[str], stage: str | None, teachers: Sequence[Player]
    ) -> Iterator[Progress]:
        """The stages that are not closed, or `stage` alone."""
        self._log: MetricsLog | None = None
        self.parts["policy"] = new_policy(self.game, self.config, self.seed)
        yield from self._gathered(budget, paths, teachers)
        last = max((number for number, name in enumerate(STAGES) if self._begun(name)), default=0)
        try:
            for number, name in enumerate(STAGES[1:], 1):
                if stage is not None and number > STAGES.index(stage):
                    break
                wanted = stage == name or (stage is None and number >= last)
                if not wanted and not self._begun(name):
                    continue
                if lacking := [each for each in NEEDS[name] if not self._begun(each)]:
                    if stage is None:
                        break  # the budget is spent
                    raise ValueError(f"the stage {name!r} builds on {lacking[0]!r}, which has learnt nothing yet")
                self.made[name] = self._stage(name)
                if self._begun(name):
                    self._recall(name)
                limit = budget if stage else self._limit(budget, number)
                if wanted and limit is not None:
                    yield from self._work(name, budget, limit)
            self.save(self.folder)  # once more, as a kill may have come between a stage's last saving and the player's
            if stage in (None, STAGES[-1]):
                yield from self._measured()
        finally:
            if self._log is not None:
                self._log.close()

    def agent(self) -> AlphaGo:
        """The player so far."""
        wanted = {"sl": "policy", "rl": "reinforced", "tree": "tree"}[self.config.priors]
        config = self.config if wanted in self.parts else replace(self.config, priors="sl")
        return AlphaGo(self.game, Parts(**self.parts), config)

    def save(self, _: Path) -> None:
        """Write the player so far, whatever stage's run is saved."""
        self.agent().save(self.folder)

    def _work(self, name: str, budget: TrainingBudget, limit: TrainingBudget) -> Iterator[Progress]:
        """The stage `name`, until it is done or has spent `limit`, its share of `budget` or that itself."""
        stage = self.made[name]
        run = TrainingRun(self.folder / name, stage.parts, np.random.default_rng(self.seed))
        run.begin(self._begun(name))
        self.counters[name] = run.counters
        if self._log is None:
            self._log = MetricsLog(self.folder, resume_at=self._total().iterations)
        try:
            while not stage.done(run.counters) and run.goes_on(limit):
                figures = stage.go_on(run.counters)
                self.parts |= stage.gives
                told = run.record(figures, limit, self, self.config.save_every)
                total = self._total()
                used = total.seconds, total.steps, total.environment_steps, total.processor_seconds
                spent = told.spent if limit is budget else budget.spent(*used)
                self._log.log(total.iterations, spent, {"stage": float(STAGES.index(name))} | _told(total) | figures)
                yield Progress(total.steps, total.environment_steps, total.seconds, spent, figures)
        finally:
            stage.close()
            run.end(self)

    def _gathered(self, budget: TrainingBudget, paths: Sequence[str], teachers: Sequence[Player]) -> Iterator[Progress]:
        """The records to learn from; own games, if there are none."""
        place = settled(self.folder / RECORDS)
        if place.exists():
            had = read_json(place / "about.json")["sources"]
            if paths and had != list(paths):
                raise ValueError(f"this run learns from {', '.join(had)}; other records need another folder")
        else:
            sources: Sequence[str | Path] = paths
            if not sources:
                yield from self._play_own(teachers, budget)
                sources = [self.folder / "games"]
            found = yield from self._loading(sources)
            train, test = split(found, self.config.test_share)
            with whole_folder(place) as writing:
                train.save(writing / "train")
                test.save(writing / "test")
                about = {"sources": [str(path) for path in sources], "left out or cut": dict(found.notes)}
                write_json(writing / "about.json", about | {"games": len(found), "positions": len(found.places)})
        self.train, self.test = (GameRecords.load(place / name) for name in ("train", "test"))

    def _loading(self, sources: Sequence[str | Path]) -> Generator[Progress, None, GameRecords]:
        """Read records, telling now and then how far it is; returns them."""
        config, so_far = self.config, {"records/games": 0.0, "records/part read": 0.0}

        def tell(games: int, part: float) -> None:
            so_far.update({"records/games": float(games), "records/part read": part})

        with ThreadPoolExecutor(1, "records") as reader:
            reading: Future[GameRecords] = reader.submit(
                load_records,
                *sources,
                size=self.game.size,
                least_moves=config.least_moves,
                handicap=config.handicap,
                least_rank=config.least_rank,
                tell=tell,
            )
            started = monotonic()
            while True:
                try:
                    return reading.result(timeout=TELL)
                except NotYet:
                    yield self._life(monotonic() - started, dict(so_far))

    def _play_own(self, teachers: Sequence[Player], budget: TrainingBudget) -> Iterator[Progress]:
        """Play the games to learn from, as many as are wanted or the stage's share of the time allows."""
        config, started, told = self.config, monotonic(), -TELL
        players = list(teachers) or [make_opponent(config.teacher, self.seed)]
        names = ", ".join(player.name for player in players)
        warn(f"no records are given: {names} play {config.own_games} games to learn from", stacklevel=2)
        playing = play_own_games(
            near_records(self.game),
            players,
            config.own_games,
            self.folder / "games",
            opening_plies=config.own_opening_plies,
            seed=self.seed,
        )
        allowed = inf if budget.seconds is None else config.shares[0] * budget.seconds
        for made in playing:
            self.counters[RECORDS] = Counters(seconds=monotonic() - started)
            if monotonic() - started > allowed and made >= FEWEST_GAMES:
                break
            if monotonic() - told >= TELL:
                told = monotonic()
                yield self._life(told - started, {"records/own games": float(made)})

    def _life(self, seconds: float, figures: dict[str, float]) -> Progress:
        """A sign of it before anything is learnt; the player, who has learnt nothing, is there from the first on."""
        if not (self.folder / DESCRIPTION).exists():
            self.save(self.folder)
        return Progress(0, 0, seconds, 0.0, figures)

    def _stage(self, name: str) -> Stage:
        """The stage of that name, made of what those before have learnt."""
        game, config, seed = near_records(self.game), self.config, self.seed
        if name == "policy":
            return PolicyStage(game, config, self.train, self.test, seed)
        if name == "rollout":
            return RolloutStage(config, self.train, self.test, seed)
        if name == "reinforce":
            wanted = None if self._begun(name) else config.reinforce_baseline  # later the stage has it in its own files
            baseline = None if wanted is None else value_network(Path(wanted), game)
            return ReinforceStage(game, config, self.parts["policy"], seed, baseline=baseline)
        if name == "positions":
            return PositionsStage(game, config, self.parts["policy"], self.parts["reinforced"], seed)
        before = self.made["positions"]
        assert isinstance(before, PositionsStage), "it has that name"
        assert before.positions.records is not None, "it has begun"
        return ValueStage(game, config, before.positions.records, seed)

    def _recall(self, name: str) -> None:
        """What the stage `name` had learnt when it was saved last."""
        run, stage = settled(self.folder / name / RUN), self.made[name]
        try:
            self.counters[name] = Counters(**read_json(run / STATE)["counters"])
            for part, held in stage.parts.items():
                held.load(run / part)
        except DAMAGE as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{run} is damaged or of a run with other settings: {reason}") from error
        if self.counters[name].steps:
            self.parts |= stage.gives

    def _begun(self, name: str) -> bool:
        return settled(self.folder / name / RUN).exists()

    def _total(self) -> Counters:
        """The counters of all stages together."""
        each = [vars(counters) for counters in self.counters.values()]
        return Counters(**{name: sum(one[name] for one in each) for name in vars(Counters())})

    def _limit(self, budget: TrainingBudget, number: int) -> TrainingBudget | None:
        """What of `budget` the stage with that number may spend: its share, and what earlier ones left of theirs.

        None if there is nothing.
        """
        share = sum(self.config.shares[: number + 1])
        limits: dict[str, Any] = {}
        for name, whole in vars(budget).items():
            if whole is None:
                continue
            earlier = sum(getattr(self.counters.get(each, Counters()), name) for each in STAGES[:number])
            limits[name] = round(share * whole - earlier, 6)  # 0.6 * 10 is a little over 6
        return None if any(limit <= 0 for limit in limits.values()) else TrainingBudget(**limits)

    def _measured(self) -> Iterator[Progress]:
        """Games against fixed opponents, once all stages are done."""
        config = self.config
        done = STAGES[-1] in self.made and all(each.done(self.counters[name]) for name, each in self.made.items())
        if not done or not config.opponents or (self.folder / STRENGTH).exists() or self._log is None:
            return
        figures = strength(
            self.agent(), self.game, config.opponents, config.evaluation_games, config.opening_plies, self.seed
        )
        write_json(self.folder / STRENGTH, figures)
        total = self._total()
        self._log.log(total.iterations + 1, 1.0, _told(total) | figures)
        yield Progress(total.steps, total.environment_steps, total.seconds, 1.0, figures)


def _told(total: Counters) -> dict[str, float]:
    """Counters as the log has them."""
    return {name.replace("_", " "): float(value) for name, value in vars(total).items() if name != "iterations"}
