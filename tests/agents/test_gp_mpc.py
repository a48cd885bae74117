"""GP-MPC: what is wanted of tasks, success, planning step by step, walls, learning, saving and going on."""

import json
from dataclasses import replace
from threading import Event

import numpy as np
import pytest

torch = pytest.importorskip("torch")
gymnasium = pytest.importorskip("gymnasium")

from gymnasium.spaces import Box, Discrete  # noqa: E402

from sakiyomi.agents.agent import TrainingBudget, Turn  # noqa: E402
from sakiyomi.agents.gp_mpc import GPMPC, Config, model_of, solved  # noqa: E402
from sakiyomi.agents.parts.episodes.rollouts import Rollout, Transitions, box_of  # noqa: E402
from sakiyomi.agents.parts.gp.tube import outside  # noqa: E402
from sakiyomi.agents.parts.runs.flags import from_json, overridden, settings_of, to_json  # noqa: E402
from sakiyomi.boards import TicTacToe  # noqa: E402
from sakiyomi.boards.player import Budget  # noqa: E402
from sakiyomi.envs import make_task  # noqa: E402
from sakiyomi.envs.catalog import PLANTS  # noqa: E402
from sakiyomi.envs.plant_env import plant_task  # noqa: E402
from sakiyomi.envs.task import Task  # noqa: E402

TINY = replace(GPMPC.presets["pendulum"], horizon=3, iterations=3, first_starts=2, fits=1)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def short(name="pendulum", steps=8, **constants):
    return plant_task(name, replace(PLANTS[name], horizon=steps, **constants))


def some_data(task, seed=0, episodes=1):
    rng, env, data = np.random.default_rng(seed), task.make(), Transitions()
    low, high = box_of(task)
    for episode in range(episodes):
        seen, actions, rewards, over = [env.reset(seed=episode)[0]], [], [], False
        while not over:
            actions.append(rng.uniform(low, high))
            observation, reward, _, over, _ = env.step(actions[-1])
            seen.append(observation)
            rewards.append(reward)
        data.add(Rollout(np.stack(seen), np.stack(actions), np.array(rewards)))
    return data


@pytest.fixture(scope="module")
def agent():
    task = short(steps=12)
    return GPMPC(task.name, *box_of(task), TINY, model_of(some_data(task), TINY, 0))


def turn(*observations, first=False):
    seen = np.array(observations, np.float64)
    return Turn(seen, np.full(len(seen), first), np.zeros(len(seen), np.float32))


@pytest.mark.parametrize("name", ["cartpole-swingup", "pendulum", "double-pendulum", "cart-double-pendulum"])
def test_presets_want_what_the_tasks_reward(name):
    plant, config = PLANTS[name], GPMPC.presets[name]
    states = np.random.default_rng(0).normal(0, 2, (50, len(plant.bounds)))
    distances = config.distances(states)
    rewards = np.array([plant.reward(tuple(state)) for state in states])
    np.testing.assert_allclose(np.exp(-(distances**2) / (2 * plant.width**2)), rewards, atol=1e-12)
    assert min(config.widths) == plant.width


def test_solved_is_ten_steps_on_end():
    far, near = [1.0], [0.01]
    assert solved(np.array(far * 5 + near * 10), 0.08, 10) == 5
    assert solved(np.array(near * 10 + far * 20), 0.08, 10) == 0
    assert solved(np.array(near * 9 + far + near * 9), 0.08, 10) is None
    assert solved(np.array(near * 9 + far + near * 12), 0.08, 10) == 10
    assert solved(np.array([0.08] * 20), 0.08, 10) is None
    assert solved(np.array([]), 0.08, 10) is None
    assert solved(np.array(near), 0.08, 1) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tip": ((1.0,), (1.0, 0.0))}, "tip must have a row"),
        ({"goal": (0.0,)}, "tip must have a row"),
        ({"angles": (4,)}, "angles must be"),
        ({"angles": (0, 1, 2)}, "angles must be"),
        ({"widths": ()}, "widths must be"),
        ({"widths": (0.2, 0.0)}, "widths must be"),
        ({"noise": (0.1,)}, "noise must be 4"),
        ({"walls": ((4, 0.0, 1.0),)}, "a wall is"),
        ({"walls": ((0, None, None),)}, "a wall is"),
        ({"walls": ((0, 1.0, -1.0),)}, "a wall is"),
        ({"confidence": 1.0}, "confidence"),
        ({"horizon": 0}, "horizon must be 1"),
        ({"fits": 0}, "fits must be 1"),
    ],
)
def test_configurations_that_make_no_sense(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(Config(), **changes)


def test_settings_as_texts_and_as_json():
    for preset in GPMPC.presets.values():
        assert from_json(Config, json.loads(json.dumps(to_json(preset)))) == preset
        assert overridden(Config(), [f"{name}={text}" for name, text in settings_of(preset)]) == preset
    walled = overridden(Config(), ["walls=[[0, -0.5, null], [1, null, 2]]"])
    assert walled.walls == ((0, -0.5, None), (1, None, 2.0))


def test_controls_stay_within_the_limits_and_plans_go_on(agent):
    carry = agent.initial(1)
    actions, carry = agent.act(carry, turn([0.0, 0.1], first=True), False)
    assert actions.shape == (1, 1)
    assert (np.abs(carry[0].plan.controls) <= 2.5).all()
    np.testing.assert_array_equal(actions[0], carry[0].plan.controls[0])
    rows = len(agent.gp.inputs)
    assert len(carry[0].gp.inputs) == rows
    _, carry = agent.act(carry, turn([0.4, 0.12]), False)
    assert len(carry[0].gp.inputs) == rows + 1
    assert len(agent.gp.inputs) == rows


def test_a_step_seen_is_known_at_once(agent):
    """The next plan is made with the step that led to it, which the process then foretells to within its noise."""
    begin = np.array([0.0, 0.1])
    actions, carry = agent.act(agent.initial(1), turn(begin, first=True), False)
    _, carry = agent.act(carry, turn([1.5, 0.5]), False)
    row = torch.tensor([[begin[0], np.sin(begin[1]), np.cos(begin[1]), actions[0, 0]]])
    gp = carry[0].gp
    missed = (gp.predict_mean(row)[0] - torch.tensor([1.5, 0.4])).abs()
    before = (agent.gp.predict_mean(row)[0] - torch.tensor([1.5, 0.4])).abs()
    assert (missed < before).all()
    assert (gp.targets[-1] == torch.tensor([1.5, 0.4], dtype=torch.float64)).all()


def test_a_row_acts_alike_alone_and_among_others(agent):
    first, second = [0.0, 0.1], [0.5, -0.2]
    alone, _ = agent.act(agent.initial(1, seed=3), turn(first, first=True), False)
    both, carry = agent.act(agent.initial(2, seed=3), turn(first, second, first=True), False)
    np.testing.assert_array_equal(alone[0], both[0])
    again, _ = agent.act(agent.initial(1, seed=3), turn(first, first=True), True)
    np.testing.assert_array_equal(alone, again)
    mixed = Turn(np.array([first, second]), np.array([False, True]), np.zeros(2, np.float32))
    _, carry = agent.act(carry, mixed, False)
    assert [memory.step for memory in carry] == [2, 1]
    assert len(carry[0].gp.inputs) == len(carry[1].gp.inputs) + 1


def test_zero_variance_plans_otherwise(agent):
    certain = GPMPC(agent.task, agent.low, agent.high, replace(TINY, zero_variance=True), agent.gp)
    shown = turn([3.0, 2.0], first=True)
    _, unsure = agent.act(agent.initial(1), shown, False)
    _, sure = certain.act(certain.initial(1), shown, False)
    assert not np.allclose(unsure[0].plan.controls, sure[0].plan.controls, atol=1e-3)
    assert not certain.foresee(sure, shown).future["state"].covariance.any()


def test_foresight_is_the_tube_along_the_plan(agent):
    walls = ((1, -20.0, 20.0),)
    walled = GPMPC(agent.task, agent.low, agent.high, replace(TINY, walls=walls), agent.gp)
    shown = turn([0.3, 1.0], first=True)
    assert agent.foresee(agent.initial(1), shown).plan is None
    for each in (agent, walled):
        _, carry = each.act(each.initial(1), shown, False)
        seen = each.foresee(carry, shown)
        assert seen.plan.shape == (3, 1)
        state, reward = seen.future["state"], seen.future["reward"]
        assert state.mean.shape == state.std.shape == (3, 2)
        assert state.covariance.shape == (3, 2, 2)
        assert (state.std > 0).all()
        assert seen.value == pytest.approx(reward.mean.sum())
        assert ((reward.mean > 0) & (reward.mean < 1)).all()
        assert seen.depth == 3
        assert seen.simulations > 0
        assert ("satisfied" in seen.future) == (each is walled)
    np.testing.assert_allclose(seen.future["satisfied"].mean, 1, atol=1e-6)


def test_observations_that_are_none(agent):
    for observation, message in (([[0.0, np.nan]], "finite"), ([[0.0]], "must be"), ([0.0, 0.0], "must be")):
        shown = Turn(np.array(observation), np.array([True]), np.zeros(1, np.float32))
        with pytest.raises(ValueError, match=message):
            agent.act(agent.initial(1), shown, False)


def test_without_processes_it_acts_at_random():
    agent = GPMPC("pendulum", np.array([-2.5]), np.array([2.5]), TINY)
    carry, drawn = agent.initial(1, seed=1), []
    for step in range(50):
        actions, carry = agent.act(carry, turn([0.0, 0.0], first=step == 0), True)
        drawn.append(actions[0, 0])
    assert np.std(drawn) > 1
    assert np.abs(drawn).max() <= 2.5


def test_learns_saves_and_goes_on_as_if_never_stopped(tmp_path):
    task = short(steps=5)
    whole = list(GPMPC.train(task, tmp_path / "whole", TrainingBudget(steps=3), config=TINY, seed=5))
    assert [progress.steps for progress in whole] == [1, 2, 3]
    assert [progress.environment_steps for progress in whole] == [5, 10, 15]
    assert "model/error" not in whole[0].scalars
    assert whole[2].scalars["model/error"] > 0
    parted = list(GPMPC.train(task, tmp_path / "parted", TrainingBudget(steps=2), config=TINY, seed=5))
    parted += GPMPC.train(task, tmp_path / "parted", TrainingBudget(steps=3), config=TINY, seed=5, resume=True)
    assert [dict(progress.scalars) for progress in parted] == [dict(progress.scalars) for progress in whole]
    one, other = (GPMPC.load(tmp_path / name) for name in ("whole", "parted"))
    assert one.config == TINY
    assert one.task == "pendulum"
    shown = turn([0.0, 0.1], first=True)
    np.testing.assert_array_equal(*(each.act(each.initial(1), shown, False)[0] for each in (one, other)))
    one.save(tmp_path / "copy")
    again = GPMPC.load(tmp_path / "copy")
    np.testing.assert_array_equal(*(each.act(each.initial(1), shown, False)[0] for each in (one, again)))


def test_a_policy_instead_of_plans(tmp_path):
    """PILCO: between trials a policy comes to cost less, it is saved, and gone on from."""
    task = short(steps=4)
    config = replace(TINY, planner="policy", centres=5, policy_iterations=3)
    whole = list(GPMPC.train(task, tmp_path / "whole", TrainingBudget(steps=3), config=config))
    parted = list(GPMPC.train(task, tmp_path / "parted", TrainingBudget(steps=2), config=config))
    before = GPMPC.load(tmp_path / "parted")
    parted += GPMPC.train(task, tmp_path / "parted", TrainingBudget(steps=3), config=config, resume=True)
    assert [dict(progress.scalars) for progress in parted] == [dict(progress.scalars) for progress in whole]
    agent = GPMPC.load(tmp_path / "whole")
    assert agent.policy.centres.shape == (5, 3)
    assert not torch.equal(agent.policy.weights, before.policy.weights)
    shown = turn([0.0, 0.1], first=True)
    actions, carry = agent.act(agent.initial(1), shown, False)
    assert np.abs(actions).max() <= 2.5
    seen = agent.foresee(carry, shown)
    assert seen.plan.shape == (3, 1)
    np.testing.assert_array_equal(seen.plan[0], actions[0])
    assert seen.future["state"].covariance.shape == (3, 2, 2)


def test_a_folder_that_holds_no_agent(tmp_path):
    with pytest.raises(ValueError, match="holds no agent"):
        GPMPC.load(tmp_path)
    GPMPC("pendulum", np.array([-2.5]), np.array([2.5]), TINY).save(tmp_path)
    assert GPMPC.load(tmp_path).gp is None
    (tmp_path / "agent.json").write_text('{"agent": "gp_mpc", "task": "pendulum", "config": {"horizon": 0}}')
    with pytest.raises(ValueError, match="damaged: horizon must be 1"):
        GPMPC.load(tmp_path)


def test_a_trial_ends_at_a_wall(tmp_path):
    task, config = short(steps=30), replace(TINY, walls=((1, -0.25, 0.25),))
    (progress,) = GPMPC.train(task, tmp_path, TrainingBudget(steps=1), config=config)
    assert progress.scalars["trial/outside"] == 1
    assert progress.scalars["trial/steps"] < 30


def test_plans_keep_to_a_wall():
    """A pendulum that swings fast to a wall is held back as soon as plans heed it."""
    task = short(steps=40)
    config = replace(TINY, horizon=4, iterations=15, fits=2, walls=((1, None, 0.3),))
    agent = GPMPC(task.name, *box_of(task), config, model_of(some_data(task), config, 0))
    shown = turn([0.6, 0.0], first=True)
    worst = {}
    for heeding in ("nothing", "expected", "chance"):
        each = GPMPC(task.name, agent.low, agent.high, replace(config, heeding=heeding), agent.gp)
        _, carry = each.act(each.initial(1), shown, False)
        state = each.foresee(carry, shown).future["state"]
        plan = carry[0].plan
        worst[heeding] = state.mean[:, 1].max()
        assert (carry[0].kept is not None) == (plan.violation == 0)
        if heeding != "nothing":
            assert plan.violation == 0
    assert worst["nothing"] > 0.31
    assert worst["chance"] < worst["expected"] - 0.01
    assert worst["expected"] < 0.3 + 1e-5
    assert not outside([0.0, worst["expected"] - 1e-4], config.walls)


class Odd(gymnasium.Env):
    """Shows what it is told to, in episodes of four steps."""

    def __init__(self, show, action_space=None, reward=0.0):
        self.observation_space = Box(-10, 10, (2,), np.float64)
        self.action_space = action_space or Box(-1, 1, (1,), np.float64)
        self.show, self.reward, self.steps = show, reward, 0

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return np.array(self.show(0), np.float64), {}

    def step(self, action):
        self.steps += 1
        return np.array(self.show(self.steps), np.float64), self.reward, False, self.steps == 4, {}


def odd(show, **others):
    env = Odd(show, **others)
    return Task("odd", env.observation_space, env.action_space, 4, (0.0, 1.0), lambda: env)


@pytest.mark.parametrize("show", [lambda t: [1.0, 2.0], lambda t: [0.0, 0.0], lambda t: [t % 2, 0.0]])
def test_tasks_that_show_nothing_new(tmp_path, show):
    """Constant and repeated rows: finite processes, and plans within the limits."""
    *_, last = GPMPC.train(odd(show), tmp_path, TrainingBudget(steps=3), config=TINY)
    assert np.isfinite(list(last.scalars.values())).all()
    agent = GPMPC.load(tmp_path)
    assert (agent.gp.kernel.signal / agent.gp.noise).max() <= 1000.001


def test_one_step_is_too_little_to_learn_from(tmp_path):
    task = short(steps=1)
    _, second, third = GPMPC.train(task, tmp_path, TrainingBudget(steps=3), config=TINY)
    assert "model/error" not in second.scalars
    assert "model/error" in third.scalars


def test_a_decision_costs_no_more_than_its_budget(agent):
    start = turn([3.0, 2.0], first=True)
    _, free = agent.act(agent.initial(1), start, False)
    for limit, most in (
        ({"budget": Budget(simulations=2)}, 2),
        ({"budget": Budget(seconds=1e-9)}, 1),
        ({"stop": stopped()}, 1),
    ):
        actions, carry = agent.act(agent.initial(1), replace(start, **limit), False)
        assert carry[0].plan.evaluations == most < free[0].plan.evaluations
        assert np.abs(actions).max() <= 2.5


def stopped():
    event = Event()
    event.set()
    return event


def test_tasks_that_cannot_be_learnt(tmp_path):
    budget = TrainingBudget(steps=2)
    with pytest.raises(ValueError, match="has actions Discrete"):
        next(GPMPC.train(odd(lambda t: [0, 0], action_space=Discrete(2)), tmp_path, budget, config=TINY))
    for when, message in ((2, "observations must be finite"), (4, r"observations\[4, 1\] is nan")):
        with pytest.raises(ValueError, match=message):
            next(GPMPC.train(odd(lambda t, w=when: [0, np.nan if t == w else 0]), tmp_path, budget, config=TINY))
    with pytest.raises(ValueError, match=r"rewards\[0\] is nan"):
        next(GPMPC.train(odd(lambda t: [0, t], reward=np.nan), tmp_path, budget, config=TINY))
    with pytest.raises(ValueError, match="is a game"):
        next(GPMPC.train(TicTacToe(), tmp_path, budget, config=TINY))
    with pytest.raises(ValueError, match="shows 2 numbers, the configuration describes 4"):
        next(GPMPC.train(short(), tmp_path, budget, config=Config()))
    assert not list(tmp_path.glob("*/*.safetensors"))


def test_presets_by_the_names_of_tasks():
    for name in ("pendulum", "cartpole-swingup", "double-pendulum", "cart-double-pendulum"):
        (size,) = make_task(name).observation_space.shape
        assert GPMPC.presets[name].observed == size
    assert next(iter(GPMPC.presets)) == "cartpole"
