"""Training runs and trials: stopped, killed, damaged and resumed."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

from sakiyomi.agents.agent import TrainingBudget
from sakiyomi.agents.parts.episodes.trials import Trials
from sakiyomi.agents.parts.runs import metrics
from sakiyomi.agents.parts.runs.agent_files import load_agent, save_agent
from sakiyomi.agents.parts.runs.checkpoints import read_json, write_json
from sakiyomi.agents.parts.runs.metrics import read_progress
from sakiyomi.agents.parts.runs.training_run import TrainingRun
from sakiyomi.envs import make_task


@pytest.fixture(autouse=True)
def bare_log(monkeypatch):
    """Logs without plots and TensorBoard."""
    monkeypatch.setattr(metrics.MetricsLog, "plot", lambda self: None)
    monkeypatch.setattr(metrics, "_board", lambda folder, resume_at: None)


class Sum:
    """Learns the sum of the numbers that it is given."""

    def __init__(self):
        self.total = 0.0

    def save(self, path):
        write_json(path.with_name(f"{path.name}.json"), self.total)

    def load(self, path):
        self.total = read_json(path.with_name(f"{path.name}.json"))


class Player:
    """An agent that is the sum."""

    def __init__(self, learnt):
        self.learnt = learnt

    def save(self, folder):
        save_agent(folder, "sum", {"total": self.learnt.total}, {})


def learning(folder, steps, resume=False):
    learnt, rng = Sum(), np.random.default_rng(1)
    run, budget = TrainingRun(folder, {"sum": learnt}, rng, {"most": 0.0}), TrainingBudget(steps=steps)
    run.begin(resume)
    try:
        while run.goes_on(budget):
            number = float(rng.random())
            learnt.total += number
            run.memory["most"] = max(run.memory["most"], number)
            run.counters.steps += 1
            yield run.record({"number": number}, budget, Player(learnt))
    finally:
        run.end(Player(learnt))


def state_of(folder):
    state = read_json(folder / "run" / "state.json")
    del state["counters"]["seconds"], state["counters"]["processor_seconds"]
    numbers = [row["number"] for row in read_progress(folder)]
    return state, numbers, read_json(folder / "run" / "sum.json"), load_agent(folder, "sum")[0]


def test_a_run_that_is_resumed_equals_one_that_never_stopped(tmp_path):
    whole = list(learning(tmp_path / "whole", 6))
    assert [each.steps for each in whole] == [1, 2, 3, 4, 5, 6]
    assert whole[-1].spent == 1
    stopped = learning(tmp_path / "parts", 6)
    for _ in range(2):
        next(stopped)
    stopped.close()
    assert [each.steps for each in learning(tmp_path / "parts", 6, resume=True)] == [3, 4, 5, 6]
    assert state_of(tmp_path / "parts") == state_of(tmp_path / "whole")


def test_what_an_iteration_cut_short_has_left_is_not_saved(tmp_path):
    learnt = Sum()
    run, budget = TrainingRun(tmp_path, {"sum": learnt}, np.random.default_rng(1)), TrainingBudget(steps=9)
    run.begin(resume=False)
    assert run.goes_on(budget)
    learnt.total = 1.0
    run.record({}, budget, Player(learnt))
    assert run.goes_on(budget)
    learnt.total = 2.0
    run.end(Player(learnt))
    assert read_json(tmp_path / "run" / "sum.json") == 1.0


def test_what_is_done_is_saved_at_the_end_even_if_it_was_not_yet_due(tmp_path):
    learnt = Sum()
    run, budget = TrainingRun(tmp_path, {"sum": learnt}, np.random.default_rng(1)), TrainingBudget(steps=9)
    run.begin(resume=False)
    for total in (1.0, 2.0):
        run.goes_on(budget)
        learnt.total = total
        run.record({}, budget, Player(learnt), save_every=1e9)
    assert read_json(tmp_path / "run" / "sum.json") == 1.0
    run.end(Player(learnt))
    assert read_json(tmp_path / "run" / "sum.json") == 2.0


def test_folders_that_cannot_be_gone_on_from_are_refused(tmp_path):
    list(learning(tmp_path / "run", 2))
    with pytest.raises(ValueError, match="holds an agent already"):
        next(learning(tmp_path / "run", 4))
    (tmp_path / "run" / "run" / "sum.json").write_text("{")
    with pytest.raises(ValueError, match="is damaged or of a run with other settings"):
        next(learning(tmp_path / "run", 4, resume=True))
    alone = tmp_path / "alone"
    save_agent(alone, "sum", {}, {})
    with pytest.raises(ValueError, match="no longer its run"):
        next(learning(alone, 4, resume=True))


def test_an_agent_of_another_kind_or_none_is_refused(tmp_path):
    save_agent(tmp_path, "sum", {}, {})
    with pytest.raises(ValueError, match="of the kind 'sum', 'pets' is wanted"):
        load_agent(tmp_path, "pets")
    with pytest.raises(ValueError, match="holds no agent"):
        load_agent(tmp_path / "nowhere", "pets")
    (tmp_path / "weights.safetensors").write_bytes(b"not that")
    with pytest.raises(ValueError, match="is damaged"):
        load_agent(tmp_path, "sum")
    (tmp_path / "agent.json").write_text(json.dumps([1]))
    with pytest.raises(ValueError, match="of the kind None"):
        load_agent(tmp_path, "sum")


class Still:
    """Applies a torque of its own making to the pendulum, always the same in an episode."""

    def initial(self, batch, seed=0):
        return np.random.default_rng(seed).uniform(-1, 1, (batch, 1))

    def act(self, carry, turn, explore):
        return carry, carry

    def save(self, folder):
        save_agent(folder, "still", {}, {})


def trying(folder, steps, resume=False):
    trials, budget, agent = Trials(make_task("pendulum"), folder, 3, {}), TrainingBudget(steps=steps), Still()
    trials.begin(resume)
    try:
        while trials.goes_on(budget):
            rollout = trials.play(agent if trials.data else None)
            yield trials.record({"return/trial": rollout.score}, budget, agent)
    finally:
        trials.end(agent)


def test_trials_begin_at_random_and_go_on_as_they_would_have(tmp_path):
    whole = list(trying(tmp_path / "whole", 4))
    assert [each.environment_steps for each in whole] == [40, 80, 120, 160]
    stopped = trying(tmp_path / "parts", 4)
    next(stopped)
    next(stopped)
    stopped.close()
    list(trying(tmp_path / "parts", 4, resume=True))
    data = [(folder / "run" / "data.safetensors").read_bytes() for folder in (tmp_path / "whole", tmp_path / "parts")]
    assert data[0] == data[1]
    returns = [[row["return/trial"] for row in read_progress(tmp_path / name)] for name in ("whole", "parts")]
    assert returns[0] == returns[1]
    assert len(set(returns[0])) == 4  # no two trials are alike
