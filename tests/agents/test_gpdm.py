"""GPDM: forecasts, fills in, is saved and loaded; and acts, foresees and learns by trials."""

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
gymnasium = pytest.importorskip("gymnasium")

from gymnasium.spaces import Box  # noqa: E402

from sakiyomi.agents.agent import TrainingBudget, Turn  # noqa: E402
from sakiyomi.agents.gpdm import BALANCED, FIXED, GPDM, MAP, PENDULUM, TWO_STAGE, Config  # noqa: E402
from sakiyomi.agents.parts.episodes.rollouts import Rollout, box_of  # noqa: E402
from sakiyomi.agents.parts.gpdm.model import Model  # noqa: E402
from sakiyomi.agents.parts.gpdm.motions import gathered  # noqa: E402
from sakiyomi.agents.parts.gpdm.paths import fair_samples  # noqa: E402
from sakiyomi.agents.parts.gpdm.posterior import State  # noqa: E402
from sakiyomi.agents.parts.gpdm.rolling import Processes  # noqa: E402
from sakiyomi.agents.parts.gpdm.showing import observed, shown, told  # noqa: E402
from sakiyomi.agents.parts.gpdm.transitions import Dynamics  # noqa: E402
from sakiyomi.agents.parts.gpdm.trial_rows import latest, trial_rows  # noqa: E402
from sakiyomi.agents.parts.motion.gaits import synthetic_gait  # noqa: E402
from sakiyomi.boards.player import Budget  # noqa: E402
from sakiyomi.envs import make_task  # noqa: E402
from sakiyomi.envs.catalog import PLANTS  # noqa: E402
from sakiyomi.envs.plant_env import plant_task  # noqa: E402
from sakiyomi.envs.task import Task  # noqa: E402

torch.set_num_threads(1)
GAIT = synthetic_gait(1, frames=150, channels=12).frames
QUICK = replace(BALANCED, rounds=12)
TINY = replace(PENDULUM, rounds=4, rounds_again=2, horizon=4, planning=3, first_starts=1, more_starts=1, particles=3)


@cache
def walker() -> GPDM:
    return GPDM.fit([GAIT[:100]], QUICK)


def turn_of(observation, first=True):
    return Turn(np.asarray(observation, np.float64)[None], np.array([first]), np.zeros(1, np.float32))


def test_a_cycle_is_forecast_that_was_not_learnt():
    ahead = walker().forecast(GAIT[100:120], 30)
    spread = GAIT.std(0)
    assert ahead.mean.shape == ahead.std.shape == (30, 12)
    assert np.sqrt((((ahead.mean - GAIT[120:150]) / spread) ** 2).mean()) < 0.3
    assert (ahead.std > 0).all()
    assert ahead.std[-1].mean() > ahead.std[0].mean()


def test_samples_of_the_future(monkeypatch):
    monkeypatch.setattr("sakiyomi.agents.gpdm.fair_samples", partial(fair_samples, leapfrogs=10, burn_in=2))
    agent = GPDM.fit([GAIT[:40]], replace(MAP, order=1, difference=False, rounds=8))
    ahead = agent.forecast(GAIT[40:45], 3, samples=4, seed=1)
    assert ahead.samples.shape == (4, 3, 12)
    assert np.array_equal(ahead.samples, agent.forecast(GAIT[40:45], 3, samples=4, seed=1).samples)
    assert ahead.std == pytest.approx(np.maximum(ahead.std, ahead.samples.std(0)))


def test_a_forecast_that_leaves_the_data_says_so_and_stays():
    angle, radius = 0.3 * np.arange(60), 1.03 ** np.arange(60)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    motions = gathered([x @ np.array([[1.0, 0.5, 2.0], [0.3, -1.0, 0.0]])])
    state = State(x, np.array([0.05, 1e4]), np.array([4.0, 1e-6, 1e-6, 1e6]), np.ones(3))
    agent = GPDM(replace(MAP, latents=2, order=1), Model(motions, Dynamics(), state))
    with pytest.warns(UserWarning, match="leaves what the data tell about"):
        ahead = agent.forecast(motions.whole(motions.y)[40:], 90)
    assert np.isfinite(ahead.mean).all()
    assert np.isfinite(ahead.std).all()
    assert np.array_equal(ahead.mean[-1], ahead.mean[-2])


@pytest.mark.parametrize("config", [FIXED, MAP, replace(TWO_STAGE, cycles=1, draws=3, skip=1, first_rounds=2)], ids=str)
def test_every_way_to_learn_gives_a_model(config):
    agent = GPDM.fit([GAIT[:40], GAIT[50:80]], replace(config, rounds=3))
    assert len(agent.model.transitions.last) == 70 - 2 * config.order
    assert np.isfinite(agent.forecast(GAIT[70:80], 5).mean).all()


def test_what_is_missing_is_filled_in():
    holed = GAIT[:100].copy()
    holed[40:60] = np.nan
    with pytest.raises(ValueError, match="missing=True"):
        GPDM.fit([holed], QUICK)
    agent = GPDM.fit([holed], QUICK, missing=True)
    (whole,), (deviation,) = agent.filled([holed])
    assert np.sqrt((((whole - GAIT[:100]) / GAIT.std(0))[40:60] ** 2).mean()) < 0.4
    assert (deviation[40:60] > 0).all()


def test_a_saved_model_forecasts_the_same(tmp_path):
    walker().save(tmp_path)
    again = GPDM.load(tmp_path)
    assert again.task == "motion"
    assert again.config == QUICK
    assert np.array_equal(again.forecast(GAIT[:20], 9).mean, walker().forecast(GAIT[:20], 9).mean)
    (tmp_path / "agent.json").write_text('{"agent": "gpdm", "task": "motion"}')
    with pytest.raises(ValueError, match="damaged"):
        GPDM.load(tmp_path)
    with pytest.raises(ValueError, match="no agent"):
        GPDM.load(tmp_path / "none")


def test_wrong_questions_are_refused():
    with pytest.raises(ValueError, match="no model yet"):
        GPDM(MAP).forecast(GAIT, 3)
    with pytest.raises(ValueError, match=r"\[T, 12\]"):
        walker().forecast(GAIT[:, :3], 3)
    with pytest.raises(ValueError, match="steps must be 1"):
        walker().forecast(GAIT, 0)
    with pytest.raises(ValueError, match="nothing is seen"):
        walker().forecast(np.full((4, 12), np.nan), 3)
    with pytest.raises(ValueError, match="does not act"):
        walker().act(walker().initial(1), turn_of(GAIT[0]), False)
    with pytest.raises(ValueError, match="latents must be 1"):
        Config(latents=0)
    with pytest.raises(ValueError, match="cycles must be 1 or more, got 0"):
        Config(algorithm="two_stage", cycles=0)
    with pytest.raises(ValueError, match="order=2"):
        Config(order=1, velocity=True)


SHORT = plant_task("pendulum", replace(PLANTS["pendulum"], horizon=20))


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpdm")
    list(GPDM.train(SHORT, folder, TrainingBudget(steps=2), config=TINY, seed=3))
    return GPDM.load(folder)


def test_an_agent_acts_within_its_box_and_foresees(agent):
    low, high = box_of(make_task("pendulum"))
    turn = Turn(np.array([[0.0, 0.1], [1.0, 0.5]]), np.ones(2, bool), np.zeros(2, np.float32))
    actions, carry = agent.act(agent.initial(2, seed=1), turn, False)
    assert actions.shape == (2, 1)
    assert ((low <= actions) & (actions <= high)).all()
    again, _ = agent.act(agent.initial(2, seed=1), turn, False)
    assert np.array_equal(actions, again)
    ahead = agent.foresee(carry, turn, row=1)
    assert ahead.plan.shape == (4, 1)
    assert np.array_equal(ahead.actions[0], actions[1])
    assert ahead.future["latent"].covariance.shape == (4, 2, 2)
    assert ahead.future["observation"].mean.shape == ahead.future["observation"].std.shape == (4, 2)
    assert ahead.value == pytest.approx(ahead.future["reward"].mean.sum())
    following, _ = agent.act(carry, Turn(turn.observation + 0.01, np.zeros(2, bool), turn.reward), False)
    assert following.shape == (2, 1)
    with pytest.raises(ValueError, match="finite"):
        agent.act(carry, turn_of([np.nan, 0.0]), False)
    with pytest.raises(ValueError, match="knows them"):
        agent.forecast(np.zeros((4, 2)), 2)


def test_tensors_and_arrays_agree(agent):
    model = agent.model
    processes, rng = Processes.of(model), np.random.default_rng(0)
    x, controls = model.x[5:9] + 0.05 * rng.normal(size=(4, 2)), rng.uniform(-1, 1, (4, 1))
    means, variances = model.step(x, x, controls)
    at = torch.from_numpy(np.concatenate([x, controls], axis=1))
    moved, deviation = processes.steps.mean_and_deviation(at)
    assert (moved + torch.from_numpy(x)).numpy() == pytest.approx(means, abs=1e-9)
    assert deviation[:, 0].numpy() ** 2 == pytest.approx(variances, rel=1e-6, abs=1e-9)
    assert processes.seen(torch.from_numpy(x)).numpy() == pytest.approx(model.observation(x)[0], abs=1e-9)
    noise = torch.ones(1, 4, 2, dtype=torch.float64)
    path = processes.path(torch.from_numpy(x), torch.from_numpy(x), torch.from_numpy(controls)[None], noise)
    assert path[0].numpy() == pytest.approx(means + np.sqrt(variances)[:, None], abs=1e-7)


def test_a_plan_has_the_gradient_of_its_rewards(agent):
    _, carry = agent.act(agent.initial(1), turn_of([0.5, 0.3]), False)
    memory = carry[0]
    noise = agent._noise(np.random.default_rng(0))
    controls = torch.full((4, 1), 0.3, dtype=torch.float64, requires_grad=True)
    agent._rewards(memory.belief, controls, noise).sum().backward()
    with torch.no_grad():
        for t in range(4):
            side = torch.zeros(4, 1, dtype=torch.float64)
            side[t] = 1e-5
            ends = [agent._rewards(memory.belief, controls + s * side, noise).sum().item() for s in (1, -1)]
            assert controls.grad[t, 0].item() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-4, abs=1e-9)


def test_training_goes_on_as_it_would_have(tmp_path, agent):
    run = GPDM.train(SHORT, tmp_path, TrainingBudget(steps=2), config=TINY, seed=3)
    first = next(run)
    assert first.environment_steps == 20
    run.close()
    (second,) = GPDM.train(SHORT, tmp_path, TrainingBudget(steps=2), config=TINY, seed=3, resume=True)
    assert second.steps == 2
    assert "model/error" in second.scalars
    assert np.array_equal(GPDM.load(tmp_path).model.x, agent.model.x)


def test_a_reward_that_is_not_known_is_learnt(tmp_path):
    config = replace(TINY, reward="learned")
    list(GPDM.train(make_task("pendulum"), tmp_path, TrainingBudget(environment_steps=40), config=config, seed=0))
    agent = GPDM.load(tmp_path)
    assert agent.rewards is not None
    actions, carry = agent.act(agent.initial(1), turn_of([0.0, 0.0]), False)
    assert np.isfinite(actions).all()
    assert np.isfinite(agent.foresee(carry, turn_of([0.0, 0.0])).value)


def test_tasks_that_it_cannot_learn(tmp_path):
    budget = TrainingBudget(steps=1)
    with pytest.raises(ValueError, match="shows 2 numbers"):
        next(GPDM.train(make_task("pendulum"), tmp_path, budget, config=replace(TINY, angles=(2,))))
    with pytest.raises(ValueError, match="vectors"):
        next(GPDM.train(make_task("gym/CartPole-v1"), tmp_path, budget, config=TINY))
    with pytest.raises(ValueError, match="vectors"):
        next(GPDM.train(make_task("tictactoe").rules, tmp_path, budget, config=TINY))


class Odd(gymnasium.Env):
    """Shows and gives what it is told to, step by step."""

    def __init__(self, show, reward=lambda t: 0.0, steps=6):
        self.observation_space, self.action_space = Box(-10, 10, (2,), np.float64), Box(-1, 1, (1,), np.float64)
        self.show, self.reward, self.last, self.at = show, reward, steps, 0

    def reset(self, *, seed=None, options=None):
        self.at = 0
        return np.array(self.show(0), np.float64), {}

    def step(self, action):
        self.at += 1
        return np.array(self.show(self.at), np.float64), self.reward(self.at), False, self.at == self.last, {}


def odd(show, **others):
    env = Odd(show, **others)
    return Task("odd", env.observation_space, env.action_space, env.last, (0.0, 1.0), lambda: env)


@pytest.mark.parametrize(
    ("show", "others", "message"),
    [
        (lambda t: [0.0, np.nan if t == 3 else t], {}, "finite|is nan"),
        (lambda t: [0.0, np.nan if t == 6 else t], {}, r"observations\[6, 1\] is nan"),
        (lambda t: [0.0, t], {"reward": lambda t: np.nan}, r"rewards\[0\] is nan"),
        (lambda t: [1.0, 2.0], {}, "all columns are constant"),
        (lambda t: [t, 2.0 * t], {}, "vary in 1 directions"),
    ],
)
def test_trials_that_cannot_be_learnt_from(show, others, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        list(GPDM.train(odd(show, **others), tmp_path, TrainingBudget(steps=3), config=replace(TINY, angles=())))


@pytest.mark.parametrize("show", [lambda t: [t % 2, 2.0], lambda t: [t // 2, t % 2 * 1e-3]])
def test_a_constant_number_and_repeated_points_are_learnt_as_they_are(show, tmp_path):
    config = replace(TINY, latents=1, angles=())
    *_, last = GPDM.train(odd(show), tmp_path, TrainingBudget(steps=3), config=config)
    assert np.isfinite(list(last.scalars.values())).all()
    agent = GPDM.load(tmp_path)
    actions, carry = agent.act(agent.initial(1), turn_of(show(0)), False)
    assert np.abs(actions).max() <= 1
    assert np.isfinite(agent.foresee(carry, turn_of(show(0))).future["observation"].mean).all()


def test_one_step_is_too_little_to_learn_from(tmp_path):
    """Two rows have no two steps: it goes on at random until there are enough."""
    task = odd(lambda t: [t, t**2], steps=1)
    _, second, third = GPDM.train(task, tmp_path, TrainingBudget(steps=3), config=replace(TINY, latents=1))
    assert "model/error" not in second.scalars
    assert "model/error" in third.scalars


def test_a_decision_costs_no_more_than_its_budget(agent):
    start = turn_of([0.0, 0.1])
    agent = GPDM(replace(TINY, first_starts=3), agent.model, task="pendulum", low=agent.low, high=agent.high)
    _, free = agent.act(agent.initial(1, seed=1), start, False)
    for budget, most in ((Budget(simulations=2), 2), (Budget(seconds=1e-9), 1)):
        actions, carry = agent.act(agent.initial(1, seed=1), replace(start, budget=budget), False)
        assert agent.foresee(carry, start).simulations == most < free[0].plan.evaluations
        assert np.abs(actions).max() <= 2.5


def test_without_a_model_it_acts_at_random():
    low, high = box_of(make_task("pendulum"))
    agent = GPDM(TINY, task="pendulum", low=low, high=high)
    actions, carry = agent.act(
        agent.initial(3), Turn(np.zeros((3, 2)), np.ones(3, bool), np.zeros(3, np.float32)), True
    )
    assert len(set(actions[:, 0])) == 3
    assert agent.foresee(carry, turn_of([0.0, 0.0])).plan is None


def test_angles_are_learnt_as_sines_and_cosines_and_told_without_jumps():
    observations = np.array([[0.5, 3.0, -1.0], [0.6, 3.3, -1.2]])
    seen = shown(observations, (1,))
    assert seen == pytest.approx(
        np.column_stack([observations[:, [0, 2]], np.sin(observations[:, 1]), np.cos(observations[:, 1])])
    )
    back = observed(torch.from_numpy(seen), (1,)).numpy()
    assert back[:, [0, 2]] == pytest.approx(observations[:, [0, 2]])
    assert np.exp(1j * back[:, 1]) == pytest.approx(np.exp(1j * observations[:, 1]))
    means, deviations = told(seen, np.full((2, 4), 0.01), (1,), np.array([0.0, 2.9, 0.0]))
    assert means == pytest.approx(observations)
    assert deviations == pytest.approx(0.01)


def test_only_the_latest_trials_are_kept():
    data = [Rollout(np.zeros((n + 1, 2)), np.zeros((n, 1)), np.zeros(n)) for n in (5, 6, 7)]
    assert [len(each) for each in latest(data, 15)] == [6, 7]
    assert [len(each) for each in latest(data, 14)] == [7]
    assert [len(each) for each in latest(data, 3)] == [7]


def test_trials_as_rows():
    rollout = Rollout(np.array([[0.0, 1.0], [0.5, 2.0], [1.0, 3.0]]), np.array([[-2.0], [1.0]]), np.array([5.0, 6.0]))
    rows = trial_rows([rollout, rollout], np.array([-2.0]), np.array([2.0]), (1,))
    assert rows.sequences[1][:, 1:] == pytest.approx(np.column_stack([np.sin([1, 2, 3]), np.cos([1, 2, 3])]))
    assert rows.controls[0].tolist() == [[-1.0], [0.5], [0.0]]
    assert np.array_equal(rows.rewards, [np.nan, 5, 6, np.nan, 5, 6], equal_nan=True)
