"""AlphaGo's pipeline: each stage does its work, goes on bit for bit where it was killed, and keeps to its budget."""

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sakiyomi.agents.agent import TrainingBudget
from sakiyomi.boards import Chess, Go
from sakiyomi.sgf import Collection

torch = pytest.importorskip("torch")

from sakiyomi.agents import AlphaGo  # noqa: E402
from sakiyomi.agents.alphago import stages, train  # noqa: E402
from sakiyomi.agents.alphago.config import STAGES, rate_at  # noqa: E402
from sakiyomi.agents.alphago.own_games import play_own_games  # noqa: E402
from sakiyomi.agents.alphago.policy import PolicyNet  # noqa: E402
from sakiyomi.agents.alphago.value_data import whole_games  # noqa: E402
from sakiyomi.agents.parts.runs.checkpoints import load_tensors  # noqa: E402
from sakiyomi.agents.parts.runs.metrics import MetricsLog  # noqa: E402
from sakiyomi.agents.parts.strength.measuring import strength  # noqa: E402
from sakiyomi.agents.random_player import RandomPlayer  # noqa: E402

GAME = Go(5)
TINY = replace(
    AlphaGo.presets["quick"],
    filters=4,
    layers=2,
    value_filters=4,
    value_layers=4,
    value_hidden=8,
    own_games=12,
    policy_steps=6,
    policy_batch=16,
    policy_halving=3,
    rollout_epochs=3,
    reinforce_steps=3,
    reinforce_games=4,
    pool_every=2,
    positions=60,
    value_steps=6,
    value_batch=16,
    report_every=2,
    test_positions=64,
    opponents=(),
    simulations=8,
    save_every=0.0,
)
FIRST_FIGURES = {
    "records": "records/own games",
    "policy": "accuracy/test",
    "rollout": "accuracy/rollout test",
    "reinforce": "score/sl",
    "positions": "positions/made",
    "value": "mse/test",
}


@pytest.fixture(autouse=True)
def small_machine(monkeypatch):
    """One thread, few games in a match, few positions at once, a sign of life after each game, and no plots."""
    monkeypatch.setattr(stages, "MATCH_GAMES", 4)
    monkeypatch.setattr(stages, "POSITIONS_AT_ONCE", 20)
    monkeypatch.setattr(train, "TELL", 0.0)
    monkeypatch.setattr(MetricsLog, "plot", lambda self: None)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def training(folder, budget=None, resume=False, config=TINY, game=GAME, **options):
    options = {"teachers": [RandomPlayer()], **options}
    return AlphaGo.train(game, folder, budget or TrainingBudget(), config=config, seed=3, resume=resume, **options)


def stage_of(progress):
    """The stage that tells such figures."""
    groups = {name.partition("/")[0] for name in progress.scalars}
    names = set(progress.scalars)
    if "records" in groups:
        return "records"
    for name, mark in (("rollout", "loss/rollout"), ("value", "loss/value"), ("policy", "loss/policy")):
        if mark in names:
            return name
    return "positions" if "positions" in groups else "reinforce"


@pytest.mark.filterwarnings("ignore:no records are given")
def test_each_stage_goes_on_as_if_it_had_not_been_killed(tmp_path):
    """What a kill leaves is what was saved last: a copy of the folder, taken in the middle of each stage."""
    whole, seen, copies = tmp_path / "whole", list[str](), dict[str, Path]()
    for progress in training(whole):
        name = stage_of(progress)
        seen.append(name)
        AlphaGo.load(whole)  # at any time
        if seen.count(name) == 2 or (name in ("reinforce", "positions") and name not in copies):
            copies[name] = tmp_path / name
            shutil.copytree(whole, copies[name], dirs_exist_ok=True)
    assert sorted(set(seen), key=seen.index) == list(STAGES)
    assert set(copies) == set(STAGES)
    rows = json.loads((whole / "progress.json").read_text())
    assert {FIRST_FIGURES[name] for name in STAGES[1:]} <= {key for row in rows for key in row}
    weights = (whole / "weights.safetensors").read_bytes()
    for name, copy in copies.items():
        assert (copy / "weights.safetensors").read_bytes() != weights
        told = [stage_of(progress) for progress in training(copy, resume=True)]
        assert told[0] == name
        assert (copy / "weights.safetensors").read_bytes() == weights, name
        again = json.loads((copy / "progress.json").read_text())
        assert [row["step"] for row in again] == [row["step"] for row in rows]
    parts = AlphaGo.load(whole).parts
    assert None not in (parts.reinforced, parts.value, parts.rollout, parts.tree)
    assert list(training(whole, resume=True)) == []


@pytest.mark.filterwarnings("ignore:no records are given")
def test_stages_one_by_one_give_what_all_give(tmp_path):
    both = tmp_path / "all", tmp_path / "single"
    list(training(both[0]))
    for number, stage in enumerate(STAGES):
        told = {stage_of(progress) for progress in training(both[1], resume=number > 0, stage=stage)}
        assert told == {stage}
    assert len({(folder / "weights.safetensors").read_bytes() for folder in both}) == 1


@pytest.mark.filterwarnings("ignore:no records are given")
def test_budgets_are_shared_out(tmp_path):
    config = replace(TINY, shares=(0.0, 0.4, 0.2, 0.2, 0.1, 0.1))
    told = list(training(tmp_path, TrainingBudget(steps=10), config=config))
    assert told[-1].steps <= 10 + 2  # an iteration is not cut
    steps = {name: json.loads((tmp_path / name / "run" / "state.json").read_text()) for name in STAGES[1:]}
    assert {name: held["counters"]["steps"] for name, held in steps.items()} == {
        "policy": 4,
        "rollout": 2,
        "reinforce": 2,
        "positions": 1,
        "value": 2,
    }
    assert all(a.spent <= b.spent + 1e-9 for a, b in pairwise(told))
    more = list(training(tmp_path, TrainingBudget(steps=40), config=config, resume=True))
    assert {stage_of(progress) for progress in more} == {"value"}  # the others are closed: it builds on them
    alone = list(training(tmp_path, config=config, resume=True, stage="policy"))
    assert {stage_of(progress) for progress in alone} == {"policy"}


@pytest.mark.filterwarnings("ignore:no records are given")
def test_little_time_is_not_spent_on_own_games(tmp_path):
    list(training(tmp_path, TrainingBudget(seconds=1e-3)))
    assert len(list((tmp_path / "games").iterdir())) == train.FEWEST_GAMES < TINY.own_games
    assert not (tmp_path / "policy" / "run").exists()
    assert {stage_of(progress) for progress in training(tmp_path, TrainingBudget(steps=1), resume=True)} == {"policy"}


def test_records_that_are_given(tmp_path, monkeypatch):
    list(play_own_games(GAME, [RandomPlayer()], 6, tmp_path / "given", opening_plies=2, seed=1))
    list(training(tmp_path / "run", records=f"{tmp_path / 'given'}", stage="policy"))
    about = json.loads((tmp_path / "run" / "records" / "about.json").read_text())
    assert about["games"] == 6
    assert about["sources"] == [str(tmp_path / "given")]
    assert not (tmp_path / "run" / "games").exists()
    with pytest.raises(ValueError, match="other records need another folder"):
        list(training(tmp_path / "run", records=str(tmp_path), resume=True))
    with pytest.raises(ValueError, match="there are no records at nowhere"):
        training(tmp_path / "other", records="nowhere")
    monkeypatch.setattr(train, "TELL", 60.0)  # a refusal comes before any sign of life
    with pytest.raises(ValueError, match="no game on 4x4 to learn from"):
        list(training(tmp_path / "other", records=f"{tmp_path / 'given'}", game=Go(4)))
    assert not (tmp_path / "other").exists()


@pytest.mark.filterwarnings("ignore:no records are given")
def test_a_second_pass_has_the_first_ones_values_as_a_baseline(tmp_path):
    """The same seed learns the same policy from records; reinforcement differs by b alone."""
    first, second = tmp_path / "first", tmp_path / "second"
    list(training(first))
    config = replace(TINY, reinforce_baseline=str(first))
    for progress in training(second, config=config):
        if stage_of(progress) == "reinforce" and not (tmp_path / "killed").exists():
            shutil.copytree(second, tmp_path / "killed")
    one, other = AlphaGo.load(first).parts, AlphaGo.load(second).parts
    assert torch.equal(one.policy.bias, other.policy.bias)
    assert not torch.equal(one.reinforced.bias, other.reinforced.bias)
    held = load_tensors(second / "reinforce" / "run" / "learning" / "baseline.safetensors")
    assert all(torch.equal(held[name], weight) for name, weight in one.value.state_dict().items())
    shutil.rmtree(first)  # what was begun needs it no more
    list(training(tmp_path / "killed", config=config, resume=True))
    assert (tmp_path / "killed" / "weights.safetensors").read_bytes() == (second / "weights.safetensors").read_bytes()


@pytest.mark.filterwarnings("ignore:no records are given")
def test_baselines_that_cannot_be(tmp_path):
    list(training(tmp_path / "first", stage="records"))
    for folder, game, why in (
        ("nowhere", GAME, "holds no agent"),
        ("first", GAME, "has no value network for go-5x5"),
        ("first", Go(4), "has no value network for go-4x4"),
    ):
        config = replace(TINY, reinforce_baseline=str(tmp_path / folder))
        with pytest.raises(ValueError, match=why):
            training(tmp_path / "second", config=config, game=game)


def test_own_games_are_records(tmp_path):
    made = list(play_own_games(GAME, [RandomPlayer()], 5, tmp_path, opening_plies=3, seed=1))
    assert made == [1, 2, 3, 4, 5]
    records = list(Collection(tmp_path))
    assert len(records) == 5
    for record in records:
        position = list(record.positions(GAME))[-1]
        assert record.result == ("B+" if position.score() > 0 else "W+") + f"{abs(position.score()):g}"
        assert record.tags["komi"] == "7.5"
    before = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    (tmp_path / "000002.sgf").unlink()
    assert list(play_own_games(GAME, [RandomPlayer()], 5, tmp_path, opening_plies=3, seed=1)) == [3]
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == before
    with pytest.raises(ValueError, match="one player at least"):
        list(play_own_games(GAME, [], 1, tmp_path, opening_plies=0, seed=0))


def test_what_cannot_be_trained(tmp_path):
    with pytest.raises(ValueError, match="AlphaGo learns Go alone, such as go-9x9, not chess"):
        training(tmp_path, game=Chess())
    with pytest.raises(ValueError, match="there is no stage 'polcy'; there are: records, policy, rollout"):
        training(tmp_path, stage="polcy")
    with pytest.raises(ValueError, match="opponents cannot have 'alphabeta:4'"):
        training(tmp_path, config=replace(TINY, opponents=("alphabeta:4",)))
    list(play_own_games(GAME, [RandomPlayer()], 4, tmp_path / "games", opening_plies=2, seed=1))
    list(training(tmp_path, records=str(tmp_path / "games"), stage="records"))
    with pytest.raises(ValueError, match="holds an agent already"):
        training(tmp_path)
    for stage, lacking in (("reinforce", "policy"), ("positions", "policy")):
        with pytest.raises(ValueError, match=f"the stage '{stage}' builds on '{lacking}', which has learnt nothing"):
            list(training(tmp_path, resume=True, stage=stage))
    list(training(tmp_path, TrainingBudget(steps=1), config=replace(TINY, report_every=1), resume=True))
    assert not (tmp_path / "value" / "run").exists()  # no budget was left for it, which is no fault


def test_games_to_test_by_are_others():
    games = whole_games(Go(3), PolicyNet((4, 3, 3), filters=2, layers=2), 5, np.random.default_rng(0))
    for share, count in ((0.01, 1), (0.4, 2), (0.99, 4)):
        learn, test = stages.split(games, share)
        assert (len(learn), len(test)) == (5 - count, count)
    with pytest.raises(ValueError, match="two games at least"):
        stages.split(games.take(np.arange(1)), 0.5)


def test_rates_are_halved():
    assert [rate_at(0.8, 10, step) for step in (0, 9, 10, 19, 20)] == [0.8, 0.8, 0.4, 0.4, 0.2]


KILLED = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
sys.path.insert(0, {tests!r})
import test_alphago_train as here
from sakiyomi.agents.alphago import stages
stages.MATCH_GAMES, stages.POSITIONS_AT_ONCE = 4, 20
for progress in here.training(Path({folder!r}), resume={resume}):
    print(here.stage_of(progress), flush=True)
"""


@pytest.mark.slow
def test_a_real_kill(tmp_path):
    def command(folder, resume):
        text = KILLED.format(tests=str(Path(__file__).parent), folder=str(folder), resume=resume)
        return [sys.executable, "-W", "ignore", "-c", text]

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(whole, False), check=True, capture_output=True)
    rng, resume = np.random.default_rng(0), False
    for stage in STAGES[1:]:
        with subprocess.Popen(command(killed, resume), stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                if line.strip() == stage:
                    time.sleep(rng.random() * 0.05)
                    process.send_signal(signal.SIGKILL)
                    break
        resume = True
    subprocess.run(command(killed, True), check=True, capture_output=True)
    assert (killed / "weights.safetensors").read_bytes() == (whole / "weights.safetensors").read_bytes()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:no records are given")
def test_the_quick_preset_learns_to_beat_random_play(tmp_path):
    config = replace(AlphaGo.presets["quick"], opponents=())
    list(AlphaGo.train(GAME, tmp_path, TrainingBudget(), config=config))
    agent = AlphaGo.load(tmp_path)
    assert strength(agent, GAME, ("random",), 40, 4, 0)["score/random low"] > 0.8
    alone = AlphaGo.load(tmp_path, search=False)
    assert strength(alone, GAME, ("random",), 40, 4, 0)["score/random low"] > 0.5
