"""The dream of World Models, the controllers in it, and candidates that are tried in dream and task."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("gymnasium")

import torch

from sakiyomi.agents.parts.episodes.controls import Controls
from sakiyomi.agents.parts.vmc import dream as dreams
from sakiyomi.agents.parts.vmc.dream import Dream, dreamt
from sakiyomi.agents.parts.vmc.evolving import in_dream, in_task
from sakiyomi.agents.parts.vmc.linear_controller import LinearController, decayed, rounded
from sakiyomi.agents.parts.vmc.mdn_rnn import MDNRNN, Memory
from sakiyomi.agents.parts.vmc.trying import tried
from sakiyomi.agents.parts.vmc.vae import VAE, Codes
from sakiyomi.agents.parts.vmc.worlds import VMC
from sakiyomi.envs import make_vector

STARTS = Codes(torch.arange(6.0).view(3, 2), torch.full((3, 2), -20.0))


def model(restart=True, reward=False, bias=None):
    rnn = MDNRNN(2, 1, hidden=4, generator=torch.Generator().manual_seed(0), restart=restart, reward=reward)
    if bias is not None:
        with torch.no_grad():
            rnn.output.weight[-1] = 0.0
            rnn.output.bias[-1] = bias
    return rnn


def dream_of(rnn, horizon=5, seed=1, **more):
    return Dream(rnn, STARTS, horizon=horizon, generator=torch.Generator().manual_seed(seed), **more)


def still(codes, memory, whose):
    return torch.zeros(len(whose), 1)


def test_an_episode_begins_with_a_first_picture():
    dream = dream_of(model())
    dream.reset(rollouts=50)
    assert {tuple(code) for code in dream.codes.round().tolist()} == {(0.0, 1.0), (2.0, 3.0), (4.0, 5.0)}
    assert dream.first.all()
    assert not dream.memory.hidden.any()


@pytest.mark.parametrize(("bias", "length"), [(1e-3, 1), (-1e-3, 5)])
def test_an_end_is_where_it_is_likelier_than_not_and_its_step_is_paid(bias, length):
    returns, lengths = dreamt(dream_of(model(bias=bias)), still, candidates=2, rollouts=3)
    assert lengths.tolist() == [[length] * 3] * 2
    assert returns.tolist() == [[float(length)] * 3] * 2


def test_foretold_rewards_are_paid():
    returns, _ = dreamt(dream_of(model(restart=False, reward=True, bias=0.25)), still, candidates=1, rollouts=2)
    assert returns.tolist() == [[1.25, 1.25]]


@pytest.mark.parametrize(("bias", "paid"), [(1.75, 1.0), (-0.5, 0.0), (0.25, 0.25)])
def test_no_more_is_paid_than_the_task_can(bias, paid):
    dream = dream_of(model(restart=False, reward=True, bias=bias), rewards=(0.0, 1.0))
    returns, _ = dreamt(dream, still, candidates=1, rollouts=2)
    assert returns.tolist() == [[5 * paid] * 2]


def test_copies_meet_the_same_and_episodes_do_not():
    dream = dream_of(model(restart=False, reward=True))
    dream.reset(rollouts=3, copies=4)
    for _ in range(3):
        dream.step(torch.zeros(12, 1))
        codes = dream.codes.view(4, 3, 2)
        assert (codes == codes[:1]).all()
        assert (codes[0, 0] != codes[0, 1]).any()


def test_a_dream_at_no_temperature_is_the_likeliest():
    ends = []
    for seed in (1, 2):
        dream = Dream(
            model(restart=False, reward=True),
            Codes(STARTS.mean[:1], STARTS.log_variance[:1] - 100),
            horizon=5,
            generator=torch.Generator().manual_seed(seed),
            temperature=0.0,
        )
        dream.reset(2)
        for _ in range(4):
            dream.step(torch.zeros(2, 1))
        ends.append(dream.codes)
    assert torch.allclose(ends[0], ends[1], atol=1e-6)


def test_leaving_out_what_is_over_changes_nothing(monkeypatch):
    results = []
    for part in (0.0, 0.9):
        monkeypatch.setattr(dreams, "COMPACT", part)
        rnn = model(restart=True)
        with torch.no_grad():
            rnn.output.weight[-1] *= 10
        results.append(dreamt(dream_of(rnn, horizon=20), still, candidates=3, rollouts=8))
    assert len(set(results[0][1].flatten().tolist())) > 1
    assert torch.equal(results[0][1], results[1][1])
    assert torch.allclose(results[0][0], results[1][0])


def test_a_limit_cuts_off():
    _, lengths = dreamt(dream_of(model(bias=-1.0)), still, candidates=1, rollouts=2, limit=3)
    assert lengths.tolist() == [[3, 3]]


def test_a_dream_needs_a_step_and_a_beginning():
    with pytest.raises(ValueError, match="a step and a beginning"):
        dream_of(model(), horizon=0)


# Controllers


@pytest.mark.parametrize(
    ("latent", "hidden", "controls", "inputs", "bias", "parameters"),
    [(32, 256, 3, ("z", "h"), True, 867), (64, 512, 1, ("z", "c", "h"), False, 1_088)],
)
def test_size_of_the_paper(latent, hidden, controls, inputs, bias, parameters):
    assert LinearController(inputs, latent, hidden, controls, bias).parameters == parameters


def test_a_controller_is_a_line():
    controller = LinearController(("z", "c", "h"), 2, 3, 2)
    weights, codes = torch.randn(5, controller.parameters), torch.randn(5, 2)
    memory = Memory(torch.randn(5, 3), torch.randn(5, 3))
    got = controller(weights, codes, memory)
    for b in range(5):
        features = torch.cat([codes[b], memory.cell[b], memory.hidden[b]])
        assert torch.allclose(got[b], torch.tanh(weights[b, :16].view(2, 8) @ features + weights[b, 16:]), atol=1e-6)


def test_the_car_s_controls():
    """Steering is tanh, gas (tanh + 1) / 2, the brake clip(tanh, 0, 1)."""
    controls = Controls(low=(-1.0, 0.0, 0.0), high=(1.0, 1.0, 1.0))
    controller = LinearController(("z",), 1, 1, 3, bias=False, clipped=(2,))
    memory = Memory(torch.zeros(2, 1), torch.zeros(2, 1))
    driven = torch.tensor([[0.5, -0.7, -0.3], [-2.0, 0.4, 0.9]])
    got = controls.decoded(controller(driven, torch.ones(2, 1), memory).numpy())
    squashed = np.tanh(driven.numpy())
    wanted = np.stack([squashed[:, 0], (squashed[:, 1] + 1) / 2, squashed[:, 2].clip(0, 1)], 1)
    assert got == pytest.approx(wanted, abs=1e-6)


def test_choices():
    controller = LinearController(("z",), 1, 1, 3, bias=False, choices=True)
    memory = Memory(torch.zeros(1, 1), torch.zeros(1, 1))
    assert controller(torch.tensor([[0.1, 0.5, -2.0]]), torch.ones(1, 1), memory).tolist() == [[0.0, 1.0, 0.0]]


def test_decay_and_decimals():
    fitness = decayed(torch.tensor([1.0, 1.0]), torch.tensor([[0.0, 0.0], [3.0, 1.0]]), 0.01)
    assert fitness.tolist() == pytest.approx([1.0, 0.95])
    assert rounded([0.123456], 4).tolist() == pytest.approx([0.1235])
    assert rounded([0.123456], None).tolist() == pytest.approx([0.123456])


# Candidates in both worlds


@pytest.fixture
def brain():
    chance = torch.Generator().manual_seed(3)
    rnn = MDNRNN(2, 2, hidden=3, generator=chance, reward=True)
    return VMC(VAE(2, generator=chance, depth=1), rnn, LinearController(("z", "h"), 2, 3, 2))


def worlds(brain):
    controls = Controls(low=(-2.0, -2.0), high=(2.0, 2.0))
    yield in_dream(brain, STARTS, temperature=1.0, horizon=6)
    envs = make_vector("point-mass@pixels", 3, mode="disabled")
    yield in_task(brain, controls, envs, steps=4)
    envs.close()


def test_all_candidates_meet_the_same_episodes(brain):
    weights = torch.randn(1, brain.controller.parameters, generator=torch.Generator().manual_seed(0)).repeat(3, 1)
    for world in worlds(brain):
        returns, lengths = world(weights, 2, 5, None)
        assert returns.shape == lengths.shape == (3, 2)
        assert returns == pytest.approx(returns[:1].repeat(3, 0), abs=1e-5)
        assert returns[0, 0] != returns[0, 1]
        assert (world(weights, 2, 5, None)[0] == returns).all()
        assert (world(weights, 2, 6, None)[0] != returns).any()
        assert (world(weights, 2, 5, 2)[1] == 2).all()


def test_common_episodes_make_differences_plainer(brain):
    chance = torch.Generator().manual_seed(1)
    first = 0.3 * torch.randn(1, brain.controller.parameters, generator=chance)
    second = first + 0.01 * torch.randn(first.shape, generator=chance)
    world = next(worlds(brain))
    common = [np.diff(world(torch.cat([first, second]), 4, seed, None)[0].mean(1))[0] for seed in range(20)]
    apart = [world(second, 4, 50 + s, None)[0].mean() - world(first, 4, s, None)[0].mean() for s in range(20)]
    assert np.std(common) < 0.2 * np.std(apart)


class Counting:
    """A vector of environments whose episodes last as long as their seed says and pay their seed a step."""

    def __init__(self, n):
        from gymnasium.spaces import Box

        self.num_envs, self.single_action_space = n, Box(-1.0, 1.0, (1,), np.float64)
        self.seeds, self.left = np.zeros(n, int), np.zeros(n, int)

    def reset(self, *, seed, options=None):
        rows = (options or {}).get("reset_mask", np.ones(self.num_envs, bool))
        self.seeds[rows] = self.left[rows] = np.array(seed)[rows]
        return self.seeds.copy(), {}

    def step(self, actions):
        assert (self.left > 0).all(), "an episode that is over was stepped"
        self.left -= 1
        over = self.left == 0
        return self.seeds.copy(), self.seeds.astype(float), over, np.zeros_like(over), {}


def test_episodes_of_all_lengths_are_counted_once():
    seen = []

    def act(observations, numbers, begins):
        seen.extend(numbers[begins].tolist())
        return np.zeros((len(numbers), 1))

    seeds = [3, 1, 4, 1, 5, 9, 2]
    returns, lengths = tried(Counting(3), seeds, act)
    assert lengths.tolist() == seeds
    assert returns.tolist() == [seed**2 for seed in seeds]
    assert sorted(set(seen)) == list(range(7))
    assert tried(Counting(10), seeds, act, limit=4)[1].tolist() == [3, 1, 4, 1, 4, 4, 2]
