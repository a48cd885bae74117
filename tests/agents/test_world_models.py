"""World Models as an agent: presets, acting, foreseeing, the stages of its training, stopped and resumed."""

import shutil
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("gymnasium")

import torch

from sakiyomi.agents.agent import TrainingBudget, Turn
from sakiyomi.agents.parts.episodes.controls import Controls
from sakiyomi.agents.parts.episodes.random_actions import AtRandom, Brownian
from sakiyomi.agents.parts.runs import metrics
from sakiyomi.agents.parts.runs.agent_files import load_agent
from sakiyomi.agents.parts.runs.checkpoints import write_json
from sakiyomi.agents.parts.runs.flags import from_json, overridden, to_json
from sakiyomi.agents.parts.runs.metrics import read_progress
from sakiyomi.agents.parts.vmc import course, learning
from sakiyomi.agents.parts.vmc.course import shortened
from sakiyomi.agents.parts.vmc.evolution import Evolution
from sakiyomi.agents.parts.vmc.evolving import Champion, EvolutionPlan, Evolving
from sakiyomi.agents.parts.vmc.exploring import RandomNetworks
from sakiyomi.agents.parts.vmc.learning import Fit, RNNPlan
from sakiyomi.agents.parts.vmc.mdn_rnn import Memory
from sakiyomi.agents.world_models import CARRACING, DOOM, QUICK, Config, WorldModels
from sakiyomi.boards import TicTacToe
from sakiyomi.envs import make_task

TINY = replace(
    QUICK,
    collect=replace(QUICK.collect, rollouts=4, envs=2),
    latent=3,
    depth=1,
    vae=replace(QUICK.vae, epochs=1, batch=8),
    hidden=4,
    rnn=replace(QUICK.rnn, epochs=2, batch=2),
    evolution=EvolutionPlan(
        world="dream",
        population=4,
        trials=2,
        cap=None,
        generations=3,
        evaluate_every=2,
        evaluation_trials=4,
        task_trials=2,
    ),
    noise=0.0,
    rounds=1,
    foresight=4,
    futures=3,
    save_every=0.0,
)
CONTROLS = Controls(low=(-2.0, -2.0), high=(2.0, 2.0))


@pytest.fixture(autouse=True)
def bare_log(monkeypatch):
    """Logs without plots and TensorBoard."""
    monkeypatch.setattr(metrics.MetricsLog, "plot", lambda self: None)
    monkeypatch.setattr(metrics, "_board", lambda folder, resume_at: None)


def training(folder, config=TINY, budget=None, resume=False, seed=3):
    pytest.importorskip("cmaes")
    task = make_task("point-mass@pixels")
    return WorldModels.train(task, folder, budget or TrainingBudget(), config=config, seed=seed, resume=resume)


def untrained(config=TINY, seed=1):
    brain = config.brain(CONTROLS, 64, seed)
    weights = torch.randn(brain.controller.parameters, generator=torch.Generator().manual_seed(seed))
    return WorldModels("point-mass@pixels", config, CONTROLS, brain, weights)


def turn_of(batch, first=True, seed=0):
    frames = np.random.default_rng(seed).integers(256, size=(batch, 64, 64, 3), dtype=np.uint8)
    return Turn(frames, np.full(batch, first), np.zeros(batch, np.float32))


def test_sizes_of_the_paper():
    for config, low, high, sizes in (
        (CARRACING, (-1.0, 0.0, 0.0), (1.0, 1.0, 1.0), (4_348_547, 422_368, 867)),
        (DOOM, (-1.0,), (1.0,), (4_446_915, 1_678_785, 1_088)),
    ):
        brain = config.brain(Controls(low=low, high=high), 64, 0)
        counted = [sum(each.numel() for each in module.parameters()) for module in (brain.vae, brain.rnn)]
        assert (*counted, brain.controller.parameters) == sizes


def test_settings_of_the_paper():
    for config in (CARRACING, DOOM):
        assert (config.collect.rollouts, config.vae.epochs, config.vae.batch, config.vae.rate) == (
            10_000,
            10,
            100,
            1e-4,
        )
        assert (config.vae.free_nats, config.vae.error, config.mixtures, config.rnn.clip) == (0.5, "squared", 5, 1.0)
        plan = config.evolution
        assert (plan.population, plan.trials, plan.deviation, plan.weight_decay) == (64, 16, 0.1, 0.01)
        assert (plan.decimals, plan.evaluate_every, plan.evaluation_trials, plan.temperature) == (4, 25, 1024, 1.15)
        assert config.rounds == 1
        assert config.sampled
    assert (CARRACING.evolution.world, CARRACING.rnn.length, CARRACING.clipped) == ("task", 999, (2,))
    assert (DOOM.evolution.world, DOOM.rnn.layout, DOOM.rnn.length, DOOM.rnn.restart_weight) == (
        "dream",
        "stream",
        500,
        10,
    )
    assert DOOM.collect.least_steps == 100
    assert DOOM.rnn.rate_at(0) == pytest.approx(1e-3)
    assert DOOM.rnn.rate_at(100_000) == pytest.approx((1e-3 - 1e-5) * np.exp(-1), rel=0.03)
    assert CARRACING.rnn.rate_at(100_000) == 1e-3


def test_presets_are_settings_in_json_and_words():
    for config in WorldModels.presets.values():
        assert from_json(Config, to_json(config)) == config
    assert overridden(QUICK, ["evolution.population=8", "vae.epochs=2"]).evolution.population == 8
    for wrong, message in (
        ({"inputs": ("z", "z")}, "each once"),
        ({"evolution": EvolutionPlan(world="dream")}, "a dream needs restart or reward"),
        ({"futures": 0}, "futures must be 1 or more"),
        ({"evolution": EvolutionPlan(judged_in_task=True)}, "judged_in_task needs episodes in the task"),
    ):
        with pytest.raises(ValueError, match=message):
            Config(**wrong)


def test_it_acts_within_limits_and_remembers():
    agent = untrained()
    carry = agent.initial(3, seed=1)
    actions, carry = agent.act(carry, turn_of(3), False)
    assert actions.shape == (3, 2)
    assert (np.abs(actions) <= 2).all()
    assert carry.hidden.abs().sum() > 0
    again, _ = agent.act(agent.initial(3, seed=1), turn_of(3), False)
    assert (again == actions).all()
    later, _ = agent.act(carry, turn_of(3, first=False), False)
    forgot, _ = agent.act(carry, turn_of(3, first=True), False)
    assert (later != forgot).all()


def test_a_new_episode_forgets_the_row_alone():
    agent = untrained(replace(TINY, sampled=False))
    _, carry = agent.act(agent.initial(2), turn_of(2), False)
    turn = turn_of(2, seed=5)
    mixed = replace(turn, is_first=np.array([True, False]))
    actions, _ = agent.act(carry, mixed, False)
    alone, _ = agent.act(
        agent.initial(1),
        replace(turn_of(2, seed=5), observation=turn.observation[:1], is_first=np.array([True])),
        False,
    )
    went_on, _ = agent.act(carry, replace(turn, is_first=np.array([False, False])), False)
    assert actions[0] == pytest.approx(alone[0], abs=1e-6)
    assert actions[1] == pytest.approx(went_on[1], abs=1e-6)


def test_noise_is_of_exploring_alone():
    agent = untrained(replace(TINY, noise=0.5))
    calm, _ = agent.act(agent.initial(2, 1), turn_of(2), False)
    assert (agent.act(agent.initial(2, 1), turn_of(2), False)[0] == calm).all()
    assert (agent.act(agent.initial(2, 1), turn_of(2), True)[0] != calm).all()


def test_wrong_pictures():
    agent, turn = untrained(), turn_of(1)
    for observation in (turn.observation[:, :32], turn.observation.astype(np.float32)):
        with pytest.raises(ValueError, match=r"observations must be uint8 \[B, 64, 64, 3\]"):
            agent.act(agent.initial(1), replace(turn, observation=observation), False)


def test_what_it_foresees():
    agent = untrained()
    turn = turn_of(2)
    actions, carry = agent.act(agent.initial(2, 1), turn, False)
    before = carry.generator.get_state()
    foresight = agent.foresee(carry, turn, row=1)
    assert torch.equal(carry.generator.get_state(), before)
    assert foresight.plan.shape == (4, 2)
    assert foresight.plan[0] == pytest.approx(actions[1], abs=1e-6)
    pictures = foresight.future["observation"]
    assert pictures.mean.shape == (4, 64, 64, 3)
    assert pictures.samples.shape == (2, 4, 64, 64, 3)
    assert 0 <= pictures.mean.min() <= pictures.mean.max() <= 1
    assert foresight.future["reward"].mean.shape == foresight.future["entropy"].mean.shape == (4,)
    goes_on = foresight.future["continue"]
    assert (goes_on.mean > 0).all()
    assert (goes_on.mean < 1).all()
    assert (foresight.depth, foresight.simulations) == (4, 3)
    assert (agent.foresee(carry, turn, row=1).future["observation"].samples == pictures.samples).all()


def test_the_plan_is_the_controllers_in_the_likeliest_dream():
    agent = untrained()
    _, carry = agent.act(agent.initial(1, 1), turn_of(1), False)
    foresight, brain = agent.foresee(carry, turn_of(1)), agent.brain
    memory, weights = carry.memory, agent.weights[None]
    for h in range(3):
        mixture = brain.rnn.foretold(memory.hidden).code
        code = mixture.means.gather(-1, mixture.log_weights.argmax(-1, keepdim=True))[..., 0]
        painted = 1 - brain.vae.decode(code)[0].movedim(0, -1).detach().numpy()
        assert foresight.future["observation"].mean[h] == pytest.approx(painted, abs=1e-5)
        action = brain.controller(weights, code, memory)
        assert foresight.plan[h + 1] == pytest.approx(2 * action[0].detach().numpy(), abs=1e-5)
        memory = brain.rnn.step(code, action, torch.zeros(1, dtype=torch.bool), memory)


def test_saved_and_loaded(tmp_path):
    agent = untrained()
    agent.save(tmp_path)
    other = WorldModels.load(tmp_path)
    assert (other.task, other.config, other.controls) == (agent.task, agent.config, agent.controls)
    assert (
        other.act(other.initial(2, 1), turn_of(2), False)[0] == agent.act(agent.initial(2, 1), turn_of(2), False)[0]
    ).all()
    write_json(tmp_path / "agent.json", {"agent": "worldmodels", "task": "x"})
    with pytest.raises(ValueError, match="is damaged"):
        WorldModels.load(tmp_path)


@pytest.mark.parametrize("task", ["point-mass", "pendulum"])
def test_tasks_that_are_not_seen(tmp_path, task):
    with pytest.raises(ValueError, match="World Models learn from pictures"):
        next(WorldModels.train(make_task(task), tmp_path, TrainingBudget(), config=TINY))


def test_a_board_game(tmp_path):
    with pytest.raises(ValueError, match="tictactoe is a board game"):
        next(WorldModels.train(TicTacToe(), tmp_path, TrainingBudget(), config=TINY))


def result(folder):
    _, tensors = load_agent(folder, "worldmodels")
    rows = [{k: v for k, v in row.items() if "second" not in k and "spent" not in k} for row in read_progress(folder)]
    return tensors, rows


def same(one, other):
    (tensors, rows), (others, other_rows) = result(one), result(other)
    assert rows == other_rows
    assert all(torch.equal(tensor, others[name]) for name, tensor in tensors.items())


def test_stages_one_after_the_other_and_resumed_alike(tmp_path):
    whole = list(training(tmp_path / "whole"))
    stages = [progress.scalars["stage/number"] for progress in whole]
    assert stages == sorted(stages)
    assert set(stages) == {1, 2, 3, 4, 5}
    assert whole[-1].environment_steps == 200
    assert any("return/task" in progress.scalars for progress in whole)
    done = 0
    while done < len(whole):
        stopped = training(tmp_path / "parts", resume=True)
        done += len(list(islice(stopped, 3)))
        stopped.close()
    same(tmp_path / "whole", tmp_path / "parts")
    agent = WorldModels.load(tmp_path / "whole")
    assert agent.weights.abs().sum() > 0
    assert list(training(tmp_path / "whole", resume=True)) == []


def test_killed_at_any_point_it_goes_on_from_what_was_saved(tmp_path):
    """Files of pictures and codes may then hold more than what was saved knows of."""
    rare = replace(TINY, save_every=1e9, rounds=2, noise=0.1, evolution=replace(TINY.evolution, generations=2))
    for number, _ in enumerate(training(tmp_path / "whole", rare)):
        if number in (1, 4, 9):
            shutil.copytree(tmp_path / "whole", tmp_path / str(number))
    for number in (1, 9):
        for _ in training(tmp_path / str(number), rare, resume=True):
            pass
        same(tmp_path / "whole", tmp_path / str(number))
    assert result(tmp_path / "whole")[1][-1]["stage/round"] == 2


def test_rewards_weigh_in_m_and_the_dream_pays_what_the_task_can(tmp_path, monkeypatch):
    asked, losses, dreams = {}, learning.mdn_rnn_loss, course.in_dream

    def spied_loss(foretold, wanted, restart_weight, reward_weight):
        asked["weight"] = reward_weight
        return losses(foretold, wanted, restart_weight, reward_weight)

    def spied_dream(*args, **settings):
        asked["pays"] = settings["rewards"]
        return dreams(*args, **settings)

    monkeypatch.setattr(learning, "mdn_rnn_loss", spied_loss)
    monkeypatch.setattr(course, "in_dream", spied_dream)
    plan = replace(TINY, evolution=replace(TINY.evolution, generations=1, task_trials=0))
    assert list(training(tmp_path, plan))
    assert asked == {"weight": QUICK.rnn.reward_weight, "pays": (0.0, 1.0)}
    assert QUICK.rnn.reward_weight > 1 == CARRACING.rnn.reward_weight


def test_a_budget_ends_it(tmp_path):
    assert list(training(tmp_path, budget=TrainingBudget(steps=5)))[-1].spent >= 1


def test_steps_cut_episodes_off():
    task = shortened(make_task("point-mass@pixels"), 7, workers=0)
    env, steps, truncated = task.make(seed=0), 0, False
    while not truncated:
        _, _, terminated, truncated, _ = env.step(np.zeros(2))
        assert not terminated
        steps += 1
    assert steps == task.horizon == 7
    with pytest.raises(ValueError, match="only without workers"):
        shortened(task, 7, workers=2)


# Exploring


def test_actions_are_held():
    actor = AtRandom(CONTROLS, 3)
    carry, turn, seen = actor.initial(2, 1), turn_of(2), []
    for t in range(60):
        actions, carry = actor.act(carry, replace(turn, is_first=np.full(2, t == 0)), True)
        seen.append(actions.copy())
    changes = np.flatnonzero(np.diff(np.array(seen)[:, 0, 0]) != 0) + 1
    assert set(np.diff(changes)) == {1, 2, 3}
    assert (np.abs(seen) <= 2).all()


def test_brownian_motion_stays_near():
    actor = Brownian(CONTROLS, 0.1)
    carry, turn, seen = actor.initial(1, 1), turn_of(1), []
    for t in range(200):
        actions, carry = actor.act(carry, replace(turn, is_first=np.array([t == 0])), True)
        seen.append(actions[0, 0] / 2)
    assert np.std(np.diff(seen)) == pytest.approx(0.1, rel=0.3)
    assert np.max(np.abs(seen)) <= 1


def test_a_random_network_lasts_an_episode():
    actor = RandomNetworks(CONTROLS, lambda: TINY.brain(CONTROLS, 64, 0))
    first, carry = actor.act(actor.initial(2, 1), turn_of(2), True)
    assert carry.seeds[0] != carry.seeds[1]
    assert (first[0] != first[1]).all()
    _, later = actor.act(carry, turn_of(2, first=False), True)
    assert torch.equal(later.seeds, carry.seeds)
    _, new = actor.act(later, turn_of(2), True)
    assert (new.seeds != carry.seeds).all()


# Evolution


def evolving(world, plan, seed=1):
    pytest.importorskip("cmaes")
    search = Evolution(np.zeros(2), deviation=plan.deviation, population=plan.population, seed=seed)
    return Evolving(search, Champion([0.0, 0.0]), world, plan, seed)


def test_what_is_reported_is_the_mean_in_episodes_never_seen():
    seeds, limits = [], []

    def world(weights, trials, seed, limit):
        seeds.append((seed, len(weights), trials))
        limits.append(limit)
        returns = -((weights.double() - 0.3) ** 2).sum(1, keepdim=True).repeat(1, trials).numpy()
        return returns, np.full(returns.shape, 10)

    plan = EvolutionPlan(population=8, trials=2, generations=20, evaluate_every=10, evaluation_trials=5, cap=2.0)
    stage = evolving(world, plan)
    told = [stage.advance(done) for done in range(20)]
    assert [each.finished for each in told] == [False] * 19 + [True]
    assert [number for number, each in enumerate(told) if "return/mean of the search" in each.figures] == [9, 19]
    evaluations = [seed for seed, candidates, _ in seeds if candidates == 1]
    assert len(set(seeds)) == len(seeds) == 22
    assert not set(evaluations) & {seed for seed, candidates, _ in seeds if candidates == 8}
    assert stage.champion.weights == pytest.approx([0.3, 0.3], abs=0.05)  # it climbs: no sign is lost
    assert stage.champion.weights == pytest.approx(stage.evolution.mean.tolist(), abs=1e-4)
    assert told[-1].figures["return/mean of the search"] == stage.champion.score
    assert limits[0] is None
    assert limits[1] == 20
    assert limits[10] is None  # evaluations are not cut off


def test_the_champion_stays_while_it_is_the_best():
    scores = iter([5.0, 3.0, 7.0])

    def world(weights, trials, seed, limit):
        score = next(scores) if len(weights) == 1 else 0.0
        return np.full((len(weights), trials), score), np.ones((len(weights), trials), int)

    stage = evolving(world, EvolutionPlan(population=4, generations=3, evaluate_every=1))
    champions = []
    for done in range(3):
        stage.advance(done)
        champions.append((stage.champion.score, stage.champion.weights))
    assert [score for score, _ in champions] == [5.0, 5.0, 7.0]
    assert champions[0][1] == champions[1][1] != champions[2][1]


@pytest.mark.parametrize("in_task", [False, True])
def test_the_champion_may_be_judged_in_the_task(in_task):
    """The dream likes each generation better than the last, the task the first best."""

    def scoring(scores):
        def world(weights, trials, seed, limit):
            score = next(scores) if len(weights) == 1 else 0.0
            return np.full((len(weights), trials), score), np.ones((len(weights), trials), int)

        return world

    plan = EvolutionPlan(world="dream", population=4, generations=3, evaluate_every=1, judged_in_task=in_task)
    stage = replace(
        evolving(scoring(iter([5.0, 6.0, 7.0])), plan), others={"task": (scoring(iter([3.0, 1.0, 2.0])), 2)}
    )
    told = [stage.advance(done).figures for done in range(3)]
    assert stage.champion.score == (3.0 if in_task else 7.0)
    assert [each["return/task"] for each in told] == [3.0, 1.0, 2.0]
    assert [each["return/mean of the search"] for each in told] == [5.0, 6.0, 7.0]


# Fitting


def test_gradients_are_cut_by_value_and_divergence_is_told(tmp_path):
    linear = torch.nn.Linear(2, 1, bias=False)
    fit = Fit(linear, 1e-3, "M")
    fit.update(100 * linear(torch.tensor([[1.0, -1e-3]])).sum(), 1, clip=1.0)
    assert linear.weight.grad.tolist() == [[1.0, pytest.approx(-0.1)]]
    before, given = linear.weight.detach().clone(), torch.tensor([[1.0, 2.0]])
    with pytest.raises(ValueError, match="update 2 of M: loss is nan, learning has diverged"):
        fit.update(linear(torch.tensor([[float("nan"), 0.0]])).sum(), 2)
    with pytest.raises(ValueError, match=r"update 3 of M: gradient is nan, learning has diverged .*; lower the rate"):
        fit.update((linear(given) * 0).sqrt().sum(), 3, clip=1.0)  # the root of 0 is, but not its slope
    with pytest.raises(ValueError, match="update 4 of M: loss is"):
        fit.update((linear(given) * 1e12).sum().abs(), 4)
    assert torch.equal(linear.weight, before)
    fit.carried = Memory(torch.ones(1, 2), torch.zeros(1, 2))
    fit.save(tmp_path / "fit")
    other = Fit(torch.nn.Linear(2, 1, bias=False), 1e-3, "M")
    other.load(tmp_path / "fit")
    assert torch.equal(other.module.weight, linear.weight)
    assert torch.equal(other.carried.hidden, fit.carried.hidden)


def test_rates_fall():
    plan = RNNPlan(rate=1e-2, least_rate=1e-3, rate_decay=0.5)
    assert [plan.rate_at(update) for update in (0, 1, 1000)] == pytest.approx([1e-2, 5.5e-3, 1e-3])


# Learning


@pytest.mark.slow
def test_it_learns_to_see_to_foretell_and_to_dream(tmp_path):
    """A part of the quick preset: V beats the mean picture, M what knows nothing, and C does something in the task."""
    config = replace(
        QUICK,
        collect=replace(QUICK.collect, rollouts=32, envs=32),
        depth=4,
        vae=replace(QUICK.vae, epochs=4, batch=32),
        hidden=16,
        rounds=1,
        rnn=replace(QUICK.rnn, epochs=80),
        evolution=replace(QUICK.evolution, generations=3, evaluate_every=3, evaluation_trials=16, task_trials=8),
    )
    rows = [progress.scalars for progress in training(tmp_path, config)]

    def column(name):
        return [row[name] for row in rows if name in row]

    assert column("loss/reconstruction")[-1] < 0.8 * column("loss/reconstruction")[0]
    assert column("loss/rnn code")[-1] < 0.9 * column("loss/rnn code")[0]
    assert column("loss/rnn restart")[-1] < 0.5 * column("loss/rnn restart")[0]
    assert 0 <= column("return/task")[-1] <= 50


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "package", "preset", "horizon"),
    [
        ("doom/take-cover", "vizdoom", "doom", 2100),
        ("gym/CarRacing-v3@world-models", "Box2D", "carracing", 1000),
    ],
)
def test_a_little_of_the_papers_tasks(tmp_path, name, package, preset, horizon):
    pytest.importorskip(package)
    pytest.importorskip("cmaes")
    task = make_task(name)
    assert task.horizon == horizon
    config = WorldModels.presets[preset]
    short = None if preset == "doom" else 20
    little = replace(
        config,
        collect=replace(config.collect, rollouts=2, envs=2, steps=short, least_steps=0),
        depth=2,
        hidden=4,
        vae=replace(config.vae, epochs=1),
        rnn=replace(config.rnn, epochs=1, batch=2, length=20),
        evolution=replace(
            config.evolution, population=4, trials=1, generations=1, evaluation_trials=2, dream_steps=10, task_trials=1
        ),
    )
    told = list(WorldModels.train(task, tmp_path, TrainingBudget(), config=little))
    assert told[-1].scalars["stage/number"] == 5
    env = task.make(seed=1)
    agent, (seen, _) = WorldModels.load(tmp_path), env.reset(seed=1)
    turn = Turn(seen[None], np.array([True]), np.zeros(1, np.float32))
    actions, carry = agent.act(agent.initial(1), turn, False)
    assert env.action_space.contains(actions[0].astype(env.action_space.dtype))
    assert agent.foresee(carry, turn).future["observation"].mean.shape[1:] == (64, 64, 3)
    env.close()
