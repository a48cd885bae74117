"""Sampled MuZero: actions that are vectors, drawn at each node; priors and losses by hand, and a task learned."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
gymnasium = pytest.importorskip("gymnasium")

from sakiyomi.agents.agent import TrainingBudget, Turn  # noqa: E402
from sakiyomi.agents.muzero import MuZero  # noqa: E402
from sakiyomi.agents.parts.dual.learner import seeded  # noqa: E402
from sakiyomi.agents.parts.muzero.acting import task_scores  # noqa: E402
from sakiyomi.agents.parts.muzero.grid import Grid, digits  # noqa: E402
from sakiyomi.agents.parts.muzero.learner import log_policies  # noqa: E402
from sakiyomi.agents.parts.muzero.lookahead import Lookahead  # noqa: E402
from sakiyomi.agents.parts.muzero.net_dynamics import NetDynamics  # noqa: E402
from sakiyomi.agents.parts.muzero.nets import MuZeroNet  # noqa: E402
from sakiyomi.agents.parts.muzero.sampling import (  # noqa: E402
    SampledDynamics,
    drawn_actions,
    log_priors,
    log_probabilities,
)
from sakiyomi.agents.parts.muzero.unrolls import Episode, UnrollReplay  # noqa: E402
from sakiyomi.agents.parts.runs.checkpoints import load_tensors  # noqa: E402
from sakiyomi.agents.parts.search import Gumbel, Puct  # noqa: E402
from sakiyomi.boards import TicTacToe  # noqa: E402
from sakiyomi.envs.task import Task  # noqa: E402

GRID = Grid(3, (-1.0, 0.0), (1.0, 4.0))


class Pointing(gymnasium.Env):
    """Where is it? The nearer to what was seen the action is, the more it brings; then all is over."""

    observation_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = self.np_random.uniform(-1, 1, 1).astype(np.float32)
        return self.at, {}

    def step(self, action):
        assert action.shape == (1,)
        assert abs(action[0]) <= 1
        return self.at, 1.0 - float(abs(action - self.at)[0]), True, False, {}


POINTING = Task(
    name="pointing",
    observation_space=Pointing.observation_space,
    action_space=Pointing.action_space,
    horizon=1,
    reward_range=(-1.0, 1.0),
    build=Pointing,
)
CONFIG = replace(
    MuZero.presets["quick"],
    channels=32,
    hidden=32,
    support=3,
    simulations=16,
    considered=8,
    evaluation_simulations=16,
    rows=32,
    moves=4,
    piece=None,
    td_steps=1,
    unroll=1,
    discount=1.0,
    sampled=8,
    action_bins=9,
    uses=16.0,
    least=256,
    window=5_000,
    rate=1e-2,
    temperature_steps=(200, 400),
    evaluate_every=10**9,
    save_every=1e9,
)


def net_of(actions, dimensions, seed=0, **others):
    settings = {"kind": "mlp", "channels": 6, "hidden": 8, "support": 4} | others
    with seeded(seed):
        net = MuZeroNet((2,), actions, dimensions=dimensions, **settings)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter += 0.5 * torch.randn_like(parameter)
    return net.eval()


def test_numbers_of_vectors():
    assert (GRID.dimensions, GRID.actions) == (2, 9)
    assert GRID.vectors(np.array([0, 1, 3, 8])).tolist() == [[-1, 0], [0, 0], [-1, 2], [1, 4]]
    assert GRID.vectors(np.arange(8).reshape(2, 4)).shape == (2, 4, 2)
    assert [place.tolist() for place in digits(torch.arange(9), 3, 2)] == [[0, 1, 2] * 3, [0, 0, 0, 1, 1, 1, 2, 2, 2]]
    most = Grid(11, (0.0,) * 17, (1.0,) * 17)
    assert (most.vectors(np.array([most.actions - 1])) == 1).all()
    for wrong in ({"bins": 1}, {"bins": 1 << 31, "low": (0.0,) * 3, "high": (1.0,) * 3}):
        with pytest.raises(ValueError, match="cannot be numbered"):
            Grid(**{"bins": 3, "low": (0.0,), "high": (1.0,)} | wrong)
    with pytest.raises(ValueError, match="need bounds"):
        Grid.of(gymnasium.spaces.Box(-np.inf, 1, (2,)), 3)


def test_values_are_drawn_as_often_as_the_policy_has_them():
    """Each dimension by itself."""
    logits = np.log(np.array([[[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]], np.float32))
    drawn = drawn_actions(logits, 20_000, np.random.default_rng(0))
    shares = np.bincount(drawn[0], minlength=9) / 20_000
    assert pytest.approx(np.outer([0.7, 0.2, 0.1], [0.1, 0.1, 0.8]), abs=0.01) == shares.reshape(3, 3).T


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_priors_by_hand(temperature):
    """(beta^ / beta) pi, of two dimensions of three values; action 4 was drawn twice."""
    logits = np.random.default_rng(1).normal(size=(1, 2, 3)).astype(np.float32)
    candidates = np.array([[4, 0, 4, 7]])
    wanted, tau = {}, temperature
    for action in (4, 0, 7):
        pi = beta = 1.0
        for place, each in ((action % 3, logits[0, 0]), (action // 3, logits[0, 1])):
            pi *= np.exp(each[place]) / np.exp(each).sum()
            beta *= np.exp(each[place] / tau) / np.exp(each / tau).sum()
        wanted[action] = (2 if action == 4 else 1) / 4 / beta * pi
    found = np.exp(log_priors(logits, candidates, tau)[0])
    assert found[2] == 0
    assert found[[0, 1, 3]] / found.sum() == pytest.approx(np.array([*wanted.values()]) / sum(wanted.values()))


def test_the_policy_learns_the_shares_of_what_was_drawn():
    """Against the sum written out, and with all actions of one dimension against what MuZero learns anyway."""
    net, rng = net_of(9, 2), np.random.default_rng(0)
    logits, shares = torch.randn(4, 6), torch.from_numpy(rng.dirichlet(np.ones(5), 4))
    candidates = torch.from_numpy(rng.integers(9, size=(4, 5)))
    logs = log_policies(net, logits, candidates)
    for row in range(4):
        by_hand = 0.0
        for share, action in zip(shares[row], candidates[row], strict=True):
            first, second = logits[row, :3].softmax(0), logits[row, 3:].softmax(0)
            by_hand -= float(share) * float((first[action % 3] * second[action // 3]).log())
        assert -float((shares[row] * logs[row]).sum()) == pytest.approx(by_hand, rel=1e-5)
    same = log_probabilities(logits.numpy().reshape(4, 2, 3), candidates.numpy())
    assert same == pytest.approx(logs.numpy(), abs=1e-5)
    plain, every = net_of(6, 1), torch.arange(6).expand(4, 6)
    torch.testing.assert_close(log_policies(plain, logits, every), log_policies(plain, logits, None))


class Everything(SampledDynamics):
    """Draws each action once, by a uniform proposal."""

    def __init__(self, net):
        super().__init__(net, net.actions, np.inf, Once())


class Once(np.random.Generator):
    """Random numbers each of which falls into the next of 5 equal parts."""

    def __init__(self):
        super().__init__(np.random.PCG64(0))

    def random(self, shape):
        assert shape[1:] == (5, 1, 1)
        return np.broadcast_to(((np.arange(5) + 0.5) / 5)[None, :, None, None], shape)


@pytest.mark.parametrize("selection", [Puct(scale="tree"), Gumbel(considered=4)], ids=["puct", "gumbel"])
def test_with_every_action_drawn_once_it_is_the_search_over_all(selection):
    net, seen = net_of(5, 1), np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    settings = {"simulations": 40, "selection": selection, "discount": 0.9, "players": 1}
    looks = [
        Lookahead(dynamics, 7, 5, rng=np.random.default_rng(3), **settings)
        for dynamics in (NetDynamics(net), Everything(net))
    ]
    plain, drawn = (look.find(seen) for look in looks)
    np.testing.assert_allclose(plain.priors, drawn.priors, atol=1e-6)
    assert np.array_equal(plain.visits, drawn.visits)
    np.testing.assert_allclose(plain.means, drawn.means, atol=1e-4)
    assert looks[0].model.candidates(np.arange(7), 0) is None
    assert (looks[1].model.candidates(np.arange(7), 0) == np.arange(5)).all()


def test_a_step_is_that_of_the_action_drawn_there():
    net = net_of(9, 2)
    dynamics, seen = SampledDynamics(net, 4, 1.0, np.random.default_rng(0)), np.zeros((3, 2), np.float32)
    _, _, kept = dynamics.initial(seen)
    _, values, rewards, after = dynamics.recurrent(kept, np.array([2, 0, 3], np.int32))
    taken = kept.candidates[[0, 1, 2], [2, 0, 3]]
    _, wanted, rewarded, latents = NetDynamics(net).recurrent(kept.latents, taken)
    assert (values == wanted).all()
    assert (rewards == rewarded).all()
    assert torch.equal(after.latents, latents)


def test_what_was_drawn_is_kept_beside_what_was_found_of_it():
    played = Episode(
        observations=np.arange(4, dtype=np.float32)[:, None],
        actions=np.array([5, 80, 7]),
        rewards=np.zeros(4, np.float32),
        turns=np.zeros(4, np.int8),
        policies=np.array([[0.5, 0.5], [0.1, 0.9], [1, 0]], np.float32),
        legal=np.ones((3, 2), np.bool_),
        values=np.zeros(4, np.float32),
        terminated=True,
        candidates=np.array([[5, 6], [70, 80], [7, 7]]),
    )
    replay = UnrollReplay(50, (1,), np.float32, 100, n=3, discount=1.0, sampled=2)
    replay.add(played)
    found = replay.sample(np.random.default_rng(0), 30, 2)
    for b, t in enumerate(found.places):
        for k in range(min(3, 3 - t)):
            assert found.candidates[b, k].tolist() == played.candidates[t + k].tolist()
            assert found.policies[b, k] == pytest.approx(played.policies[t + k])
        assert found.actions[b, 0] == played.actions[t]
    replay.refresh(np.array([1]), np.array([[0.3, 0.7]]), np.array([2.0]), np.array([[1, 2]]))
    found = replay.sample(np.random.default_rng(0), 30, 1)
    row = int(np.flatnonzero(found.places == 1)[0])
    assert found.candidates[row, 0].tolist() == [1, 2]
    assert found.policies[row, 0] == pytest.approx([0.3, 0.7])


def test_pointing_is_learnt(tmp_path):
    """Values at random bring 0.3 here, the nearest of the grid's 0.94."""
    list(MuZero.train(POINTING, tmp_path, TrainingBudget(steps=400), config=CONFIG, seed=1))
    assert np.mean(task_scores(MuZero.load(tmp_path), POINTING, 200, 5)) > 0.6


def test_vectors_out_and_in_the_plan(tmp_path):
    list(MuZero.train(POINTING, tmp_path, TrainingBudget(steps=1), config=CONFIG))
    agent = MuZero.load(tmp_path)
    assert agent.grid == Grid(9, (-1.0,), (1.0,))
    turn = Turn(np.zeros((3, 1), np.float32), np.ones(3, np.bool_), np.zeros(3, np.float32))
    for explore in (True, False):
        actions, carry = agent.act(agent.initial(3), turn, explore)
        assert (actions.shape, actions.dtype) == ((3, 1), np.float32)
        assert np.isin(actions, np.linspace(-1, 1, 9, dtype=np.float32)).all()
    seen = agent.foresee(carry, turn, row=1)
    assert seen.actions.shape == (8, 1)
    assert seen.actions[0] == seen.plan[0] == actions[1]
    assert all(line.shape[1:] == (1,) for line in seen.lines)


def test_a_run_that_was_stopped_goes_on_as_it_would_have(tmp_path):
    """With what was drawn, and positions searched again."""
    config = replace(CONFIG, rows=4, moves=3, least=10, batch=8, uses=1.0, refreshes=0.5, averaging=0.9)

    def run(folder, steps, resume=False):
        budget = TrainingBudget(environment_steps=steps)
        return list(MuZero.train(POINTING, folder, budget, config=config, seed=3, resume=resume))

    whole = run(tmp_path / "whole", 12 * 6)
    run(tmp_path / "parts", 12 * 3)
    rest = run(tmp_path / "parts", 12 * 6, resume=True)
    assert whole[-1].steps == rest[-1].steps > 0
    one, two = (load_tensors(tmp_path / name / "weights.safetensors") for name in ("whole", "parts"))
    for name, tensor in one.items():
        assert torch.equal(tensor, two[name]), name


def test_what_cannot_be_drawn_is_refused(tmp_path):
    with pytest.raises(ValueError, match="action_bins have to be set"):
        next(MuZero.train(POINTING, tmp_path, TrainingBudget(steps=1), config=replace(CONFIG, action_bins=0)))
    board = replace(MuZero.presets["tictactoe"], sampled=4)
    with pytest.raises(ValueError, match="only legal ones"):
        next(MuZero.train(TicTacToe(), tmp_path, TrainingBudget(steps=1), config=board))
    with pytest.raises(ValueError, match="proposal_temperature"):
        replace(CONFIG, proposal_temperature=0.0)
    with pytest.raises(ValueError, match="no grid of 2"):
        MuZeroNet((2,), 8, kind="mlp", channels=4, hidden=4, dimensions=2)
