"""PETS as an agent: learning that goes on, acting in batches, foresight, every variant, and input that is wrong."""

import shutil
from dataclasses import replace
from threading import Event

import gymnasium
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.agent import TrainingBudget, Turn  # noqa: E402
from sakiyomi.agents.parts.episodes.rollouts import Rollout, Transitions  # noqa: E402
from sakiyomi.agents.pets import PETS, Config, Model  # noqa: E402
from sakiyomi.boards.player import Budget  # noqa: E402
from sakiyomi.envs import make_task  # noqa: E402
from sakiyomi.envs.task import Task  # noqa: E402

TINY = Config(
    members=2,
    hidden=(8,),
    decays=(1e-4, 1e-4),
    epochs=2,
    early_epochs=2,
    particles=4,
    precision="float32",
    horizon=3,
    population=8,
    elites=2,
    iterations=2,
    angles=(1,),
)
ALWAYS = TrainingBudget(environment_steps=10**9)


def trained(folder, trials, config=TINY, task="pendulum", seed=0, resume=False, then=lambda number: None):
    """The figures of each trial, and the agent in the end."""
    task = make_task(task) if isinstance(task, str) else task
    figures, run = [], PETS.train(task, folder, ALWAYS, config=config, seed=seed, resume=resume)
    for progress in run:
        figures.append({k: v for k, v in progress.scalars.items() if not k.startswith("seconds")})
        then(len(figures))
        if len(figures) == trials:
            run.close()
    return figures


def turn_of(observations, first=False):
    observations = np.atleast_2d(np.asarray(observations, np.float64))
    rows = len(observations)
    return Turn(observations, np.full(rows, first), np.zeros(rows, np.float32))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of three trials; what it held after the first is beside it, as a kill in the second would have left it."""
    place = tmp_path_factory.mktemp("pets")
    killed = place / "killed"

    def keep(number):
        if number == 1:
            shutil.copytree(place / "run", killed)
            (killed / "run-unfinished").mkdir()

    figures = trained(place / "run", 3, then=keep)
    np.save(place / "returns.npy", [each["return/trial"] for each in figures])
    return place


def weights(place):
    return PETS.load(place).model.ensemble.state_dict()


def test_a_run_that_was_killed_goes_on_bit_for_bit(folder):
    again = trained(folder / "killed", 2, resume=True)
    assert [each["return/trial"] for each in again] == np.load(folder / "returns.npy")[1:].tolist()
    one, two = weights(folder / "run"), weights(folder / "killed")
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_seeds_change_a_run(folder, tmp_path):
    other = trained(tmp_path, 1, seed=1)
    assert other[0]["return/trial"] != np.load(folder / "returns.npy")[0]


def test_tells_how_it_learns(folder, tmp_path):
    figures = trained(tmp_path, 2)
    assert "model/error one step ahead" not in figures[0]  # nothing was learnt before the first
    assert figures[1]["model/error one step ahead"] > 0
    assert figures[1].keys() >= {"return/trial", "trial/steps", "loss/model"}


def test_save_and_load_act_the_same(folder, tmp_path):
    agent = PETS.load(folder / "run")
    agent.save(tmp_path)
    turn, acted = turn_of(np.ones((3, 2)), first=True), []
    for each in (agent, PETS.load(tmp_path)):
        carry = each.initial(3, seed=5)
        actions, carry = each.act(carry, turn, explore=False)
        acted.append(each.act(carry, turn, explore=True)[0])
        assert actions.shape == (3, 1)
        assert np.abs(actions).max() <= 2.5
    np.testing.assert_array_equal(*acted)
    with pytest.raises(ValueError, match="holds no agent"):
        PETS.load(tmp_path / "nothing")
    (tmp_path / "weights.safetensors").write_bytes(b"1")
    with pytest.raises(ValueError, match="damaged"):
        PETS.load(tmp_path)


def test_plans_go_on_where_they_were_but_not_over_an_episodes_end(folder):
    agent = PETS.load(folder / "run")
    carry = agent.initial(2)
    carry = replace(carry, plan=torch.full_like(carry.plan, 2.0))
    seen = []
    agent._improved = lambda planned, start, turn: seen.append(planned.plan) or planned
    turn = Turn(np.zeros((2, 2)), np.array([False, True]), np.zeros(2, np.float32))
    agent.act(carry, turn, explore=False)
    assert seen[0][0, :, 0].tolist() == [2, 2, 0]
    assert seen[0][1, :, 0].tolist() == [0, 0, 0]


def test_foresees_what_its_particles_meet(folder):
    agent = PETS.load(folder / "run")
    turn = turn_of([[0.0, 0.0], [0.0, 3.0]], first=True)
    actions, carry = agent.act(agent.initial(2), turn, explore=False)
    state = carry.generator.get_state()
    seen, again = (agent.foresee(carry, turn, row=1) for _ in range(2))
    assert torch.equal(carry.generator.get_state(), state)
    np.testing.assert_array_equal(seen.actions[0], actions[1])
    assert seen.plan.shape == (3, 1)
    observed, reward = seen.future["observation"], seen.future["reward"]
    assert observed.mean.shape == observed.std.shape == (3, 2)
    assert observed.samples.shape == (4, 3, 2)
    assert reward.samples.shape == (4, 3)
    assert seen.value == pytest.approx(reward.mean.sum(), rel=1e-5)
    np.testing.assert_allclose(observed.samples.mean(axis=0), observed.mean, rtol=1e-5)
    np.testing.assert_allclose(observed.samples.std(axis=0), observed.std, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(observed.samples, again.future["observation"].samples)
    assert np.abs(observed.samples[:, 0] - [0, 3]).max() < 3
    assert seen.simulations == 16
    assert seen.depth == 3


def test_particles_of_one_network_stand_next_to_each_other():
    model = Model(replace(TINY, deterministic=True, particles=6), 2, 1, lambda o, a, n: n[..., 0], seed=0)
    agent = PETS("pendulum", model, np.array([-1.0]), np.array([1.0]))
    turn = turn_of([1.0, 1.0], first=True)
    _, carry = agent.act(agent.initial(1), turn, explore=False)
    samples = agent.foresee(carry, turn).future["observation"].samples
    assert (samples[:3] == samples[0]).all()
    assert (samples[3:] == samples[3]).all()
    assert not np.allclose(samples[0], samples[3])


@pytest.mark.parametrize(
    "settings",
    [
        *({"propagation": method} for method in ("tsinf", "ts1", "ds", "mm", "e")),
        *({"planner": planner} for planner in ("cem", "mppi", "icem", "random")),
        {"members": 1},
        {"deterministic": True},
        {"members": 1, "deterministic": True},
        {"deterministic": True, "propagation": "ts1"},
        {"deterministic": True, "propagation": "ds"},
        {"deterministic": True, "propagation": "e"},
        {"precision": "bfloat16"},
        {"learned_bounds": False},
        {"reward": "learned"},
        {"reward": "learned", "propagation": "ts1", "unseen": (0,), "absolute": (0,)},
    ],
    ids=str,
)
def test_every_variant_learns_acts_and_foresees(settings):
    config = replace(TINY, **settings)
    known = None if config.reward == "learned" else lambda o, a, n: -(n**2).sum(dim=-1) - a[..., 0] ** 2
    model = Model(config, 2, 1, known, seed=0)
    rng = np.random.default_rng(0)
    data = Transitions([Rollout(rng.normal(size=(21, 2)), rng.normal(size=(20, 1)), rng.normal(size=20))])
    assert np.isfinite(model.learn(data, seed=0))
    agent = PETS("pendulum", model, np.array([-1.0]), np.array([1.0]))
    carry = agent.initial(3)
    turn = turn_of(rng.normal(size=(3, 2)), first=True)
    for _ in range(2):
        actions, carry = agent.act(carry, turn, explore=False)
        turn = turn_of(rng.normal(size=(3, 2)))
        assert np.isfinite(actions).all()
        assert np.abs(actions).max() <= 1
    seen = agent.foresee(carry, turn)
    assert np.isfinite(seen.value)
    assert np.isfinite(seen.future["observation"].samples).all()


def test_changes_are_easier_to_learn_than_the_next_state():
    """Pitfall 33: points that move at a constant speed."""
    rng = np.random.default_rng(0)
    rollouts = []
    for _ in range(5):
        speed = rng.uniform(-1, 1)
        place = 100 * rng.uniform(-1, 1) + 0.1 * speed * np.arange(41)
        seen = np.stack([place, np.full(41, speed)], axis=-1)
        rollouts.append(Rollout(seen, np.zeros((40, 1)), np.zeros(40)))
    data, errors = Transitions(rollouts), []
    for absolute in ((), (0, 1)):
        config = replace(TINY, angles=(), absolute=absolute, hidden=(32,), epochs=40, early_epochs=40, rate=3e-3)
        model = Model(config, 2, 1, lambda o, a, n: n[..., 0], seed=0)
        model.learn(data, seed=0)
        before, action = (torch.from_numpy(each)[None].float() for each in (data.observations, data.actions))
        with torch.no_grad():
            following = model.dynamics()(before.expand(2, -1, -1), action.expand(2, -1, -1))[0].mean(dim=0)
        errors.append(float(np.sqrt(((following.numpy() - data.next_observations) ** 2).mean())))
    assert 10 * errors[0] < errors[1]


def test_presets_are_those_of_the_paper():
    assert next(iter(PETS.presets)) == "quick"
    sizes = {"pets/cartpole": (4, 1, 6), "pets/reacher": (17, 7, 24), "pets/pusher": (20, 7, 27)}
    sizes["pets/halfcheetah"] = (18, 6, 24)
    for name, (observed, actions, inputs) in sizes.items():
        config = PETS.presets[name]
        net = Model(config, observed, actions, lambda o, a, n: n[..., 0], seed=0).ensemble
        assert (net.inputs, net.outputs, net.members) == (inputs, observed, 5)
        assert (config.particles, config.epochs, config.batch, config.keep) == (20, 5, 32, 0.1)
    assert PETS.presets["pets/cartpole"] == Config(angles=(1,))


def test_a_point_or_what_never_changes_can_be_learned_from():
    model = Model(TINY, 2, 1, None, seed=0)
    one = Transitions([Rollout(np.zeros((2, 2)), np.zeros((1, 1)), np.zeros(1))])
    still = Transitions([Rollout(np.ones((31, 2)), np.ones((30, 1)), np.zeros(30))])
    for data in (one, still):
        assert np.isfinite(model.learn(data, seed=0))
        assert np.isfinite(model.error(data))
    agent = PETS("pendulum", model, np.array([-1.0]), np.array([1.0]))
    assert np.isfinite(agent.act(agent.initial(1), turn_of([1e3, -1e3], first=True), explore=False)[0]).all()


class Broken(gymnasium.Env):
    """A task that shows or gives a number that is none at its third step."""

    observation_space = gymnasium.spaces.Box(-1, 1, (2,), np.float64)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float64)

    def __init__(self, seen, reward):
        self.seen, self.reward, self.steps = seen, reward, 0

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return np.zeros(2), {}

    def step(self, action):
        self.steps += 1
        now = self.steps == 3
        return np.array([0.0, self.seen if now else 0.0]), self.reward if now else 0.0, False, self.steps == 5, {}


@pytest.mark.parametrize(
    ("seen", "reward", "said"),
    [(np.nan, 0.0, r"observations\[3, 1\] is nan"), (0.0, np.nan, r"rewards\[2\] is nan")],
)
def test_numbers_that_are_none_end_learning(seen, reward, said, tmp_path):
    space, actions = Broken.observation_space, Broken.action_space
    task = Task("broken", space, actions, 5, (-1, 1), build=lambda: Broken(seen, reward))
    with pytest.raises(ValueError, match=said):
        trained(tmp_path, 1, task=task)


def test_refuses_what_it_cannot_do(folder, tmp_path):
    agent = PETS.load(folder / "run")
    with pytest.raises(ValueError, match=r"observation\[1, 0\] is nan"):
        agent.act(agent.initial(2), turn_of([[0.0, 0.0], [np.nan, 0.0]]), explore=False)
    with pytest.raises(ValueError, match=r"observations must be \[B, 2\], got \(1, 3\)"):
        agent.act(agent.initial(1), turn_of([0.0, 0.0, 0.0]), explore=False)
    for task, config, said in (
        ("gym/CartPole-v1", TINY, "has actions Discrete"),
        ("pendulum@pixels", TINY, "wanted is a task that shows vectors"),
        ("pendulum", replace(TINY, angles=(2,)), "angles: observations have entries 0 to 1"),
    ):
        with pytest.raises(ValueError, match=said):
            trained(tmp_path / "refused", 1, config=config, task=task)
    from sakiyomi.boards import Go

    with pytest.raises(ValueError, match="is a board game"):
        next(PETS.train(Go(5), tmp_path / "refused", ALWAYS, config=TINY))
    for wrong, said in (
        ({"decays": (1e-4,)}, "decays must be one more"),
        ({"particles": 5}, "multiple of the 2 networks"),
        ({"elites": 9}, "elites must be from 1"),
        ({"horizon": 0}, "horizon must be 1 or more"),
        ({"rate": 0.0}, "must be over 0, got 0.0 and 1.0"),
        ({"temperature": -1.0}, "must be over 0"),
        ({"keep": 1.0}, "must be from 0 to below 1, got 1.0 and 0.5"),
        ({"smoothing": 1.0}, "must be from 0 to below 1"),
        ({"decay": 0.9}, "decay must be 1 or more"),
    ):
        with pytest.raises(ValueError, match=said):
            replace(TINY, **wrong)


def test_a_reward_that_is_asked_for_must_be_known(tmp_path):
    space, actions = Broken.observation_space, Broken.action_space
    task = Task("unknown", space, actions, 5, (-1, 1), build=lambda: Broken(0.0, 0.0))
    with pytest.raises(ValueError, match="the reward of unknown is not known"):
        trained(tmp_path / "a", 1, config=replace(TINY, reward="known"), task=task)
    assert len(trained(tmp_path / "b", 2, config=TINY, task=task)) == 2
    assert (tmp_path / "b" / "agent.json").read_text().count('"learned reward": true') == 1


def test_a_decision_costs_no_more_than_its_budget(folder, monkeypatch):
    """Plans are counted where they are rated; the carry's chance is the same each time."""
    rated = []

    def counted(model, reward, start, actions, **more):
        rated.append(len(actions))
        if len(rated) == 5:
            stop.set()
        return torch.zeros(len(actions))

    monkeypatch.setattr("sakiyomi.agents.pets.expected_returns", counted)
    agent, stop = PETS.load(folder / "run"), Event()
    for simulations, wanted in ((None, [8, 8]), (3, [3]), (8, [8]), (25, [8, 8, 8])):
        rated.clear()
        turn = replace(turn_of([0.0, 0.1], first=True), budget=Budget(simulations=simulations))
        _, carry = agent.act(agent.initial(1), turn, explore=False)
        assert rated == wanted
        assert agent.foresee(carry, turn).simulations == sum(wanted)
    for limit, wanted in (({"budget": Budget(seconds=1e-9)}, 1), ({"stop": stop}, 5)):
        rated.clear()
        agent.act(agent.initial(1), replace(turn_of([0.0, 0.1], first=True), **limit), explore=False)
        assert len(rated) == wanted


@pytest.mark.slow
def test_learns_the_pendulum_in_a_few_trials(tmp_path):
    """C9 of the first trials: random play has -1197 +- 290 on average."""
    figures = trained(tmp_path, 4, config=PETS.presets["quick"], task="gym/Pendulum-v1")
    assert max(each["return/trial"] for each in figures[1:]) > -400
