"""The latent dynamics against loops written from the formulas, over is_first, chunks, gradients and compilation."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.latent.distributions import Gaussian, OneHots  # noqa: E402
from sakiyomi.agents.parts.latent.pixel_nets import initialise  # noqa: E402
from sakiyomi.agents.parts.latent.rssm import RSSM, LayerNormGRU  # noqa: E402

KINDS = {
    "planet": {"activation": "relu"},
    "dreamer": {},
    "dreamerv2": {"stoch": 3, "classes": 4, "cell": "layer_norm"},
    "dreamerv2 normal": {"std": "sigmoid", "cell": "layer_norm"},
    "stochastic": {"dynamics": "stochastic", "activation": "relu"},
    "deterministic": {"dynamics": "deterministic", "activation": "relu"},
}
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors gain nothing by a second core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def model(kind, seed=0):
    """A small model in float64, of 2 actions and embeddings of 6, its biases off zero."""
    rssm = RSSM(2, 6, **({"deter": 5, "hidden": 7, "stoch": 3} | KINDS[kind])).double()
    initialise(rssm, seeded(seed), like="torch")
    return rssm


def sequences(batch=3, length=6, seed=1, first=()):
    """Embeddings, actions and is_first of `batch` sequences that begin with an episode, and again at `first`; no action
    led to where an episode begins.
    """
    embeds, actions = (torch.randn(batch, length, n, generator=seeded(seed), dtype=torch.float64) for n in (6, 2))
    is_first = torch.zeros(batch, length, dtype=torch.bool)
    is_first[:, 0] = True
    for row, t in first:
        is_first[row, t] = True
    return embeds, actions * ~is_first[..., None], is_first


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.log1p(np.exp(x))


def softmax(x):
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


class Slow:
    """One sequence at a time, one step at a time, from the formulas, in NumPy."""

    def __init__(self, kind, rssm):
        self.settings = {"activation": "elu", "classes": 0, "cell": "gru", "std": "softplus", "dynamics": "recurrent"}
        self.settings |= KINDS[kind]
        self.weights = {name: value.numpy() for name, value in rssm.state_dict().items()}

    def dense(self, name, *inputs):
        return self.weights[f"{name}.weight"] @ np.concatenate(inputs) + self.weights[f"{name}.bias"]

    def act(self, x):
        return np.maximum(x, 0) if self.settings["activation"] == "relu" else np.where(x > 0, x, np.expm1(x))

    def memory(self, x, h):
        if self.settings["cell"] == "layer_norm":
            parts = self.dense("cell.linear", x, h)
            parts = (parts - parts.mean()) / np.sqrt(parts.var() + 1e-3)
            reset, candidate, update = np.split(
                parts * self.weights["cell.norm.weight"] + self.weights["cell.norm.bias"], 3
            )
            update = sigmoid(update - 1)
            return update * np.tanh(sigmoid(reset) * candidate) + (1 - update) * h
        of_x = self.weights["cell.weight_ih"] @ x + self.weights["cell.bias_ih"]
        of_h = self.weights["cell.weight_hh"] @ h + self.weights["cell.bias_hh"]
        (xr, xz, xn), (hr, hz, hn) = np.split(of_x, 3), np.split(of_h, 3)
        keep = sigmoid(xz + hz)
        return keep * h + (1 - keep) * np.tanh(xn + sigmoid(xr + hr) * hn)

    def move(self, h, s, action):
        """The next memory, and what the posterior sees of the past."""
        x = self.act(self.dense("step_in", s, action))
        if self.settings["dynamics"] == "stochastic":
            return h, x
        h = self.memory(x, h)
        return h, h

    def prior(self, past):
        hidden = past if self.settings["dynamics"] == "stochastic" else self.act(self.dense("prior_in", past))
        return self.parameters(self.dense("prior_out", hidden))

    def posterior(self, past, embed):
        return self.parameters(self.dense("posterior_out", self.act(self.dense("posterior_in", past, embed))))

    def parameters(self, raw):
        if self.settings["classes"]:
            return (raw.reshape(-1, self.settings["classes"]),)
        mean, raw = np.split(raw, 2)
        return mean, (softplus(raw) if self.settings["std"] == "softplus" else 2 * sigmoid(raw / 2)) + 0.1

    def draw(self, parameters, noise):
        if self.settings["dynamics"] == "deterministic":
            return parameters[0]
        if not self.settings["classes"]:
            return parameters[0] + parameters[1] * noise
        chosen = [int(np.searchsorted(np.cumsum(p), u)) for p, u in zip(softmax(parameters[0]), noise, strict=True)]
        return np.eye(self.settings["classes"])[chosen].ravel()


def parameters_of(belief):
    return (belief.logits,) if isinstance(belief, OneHots) else (belief.mean, belief.std)


def assert_close(mine, slow):
    np.testing.assert_allclose(mine.detach().numpy(), slow, rtol=1e-9, atol=1e-9)


@every_kind
def test_observing_is_the_formulas_step_by_step(kind):
    rssm = model(kind)
    embeds, actions, is_first = sequences(first=[(1, 3)])
    noise = rssm.noise(3, 6, generator=seeded())
    posteriors, priors = rssm.observe(embeds, actions, is_first, noise=noise)
    slow = Slow(kind, rssm)
    for b in range(3):
        h, s = np.zeros(rssm.deter), np.zeros(rssm.stoch)
        for t in range(6):
            action = actions[b, t].numpy()
            if is_first[b, t]:
                h, s = 0 * h, 0 * s
            h, past = slow.move(h, s, action)
            belief = slow.posterior(past, embeds[b, t].numpy())
            s = slow.draw(belief, noise[b, t].numpy())
            for mine, theirs in zip(parameters_of(posteriors.belief), belief, strict=True):
                assert_close(mine[b, t], theirs)
            for mine, theirs in zip(parameters_of(priors), slow.prior(past), strict=True):
                assert_close(mine[b, t], theirs)
            assert_close(posteriors.features[b, t], np.concatenate([s, h]))
    assert posteriors.features.shape == (3, 6, rssm.features)


@every_kind
def test_imagining_is_the_formulas_step_by_step(kind):
    rssm = model(kind)
    start = rssm.observe(*sequences(), noise=seeded())[0][:, -1]
    actions = torch.randn(4, 3, 2, generator=seeded(5), dtype=torch.float64)
    noise = rssm.noise(4, 3, generator=seeded(6))
    states = rssm.imagine(start, actions, noise=noise)
    slow = Slow(kind, rssm)
    for n in range(3):
        h, s = start.deter[n].detach().numpy(), start.stoch[n].detach().numpy()
        for t in range(4):
            h, past = slow.move(h, s, actions[t, n].numpy())
            belief = slow.prior(past)
            s = slow.draw(belief, noise[t, n].numpy())
            for mine, theirs in zip(parameters_of(states.belief), belief, strict=True):
                assert_close(mine[t, n], theirs)
            assert_close(states.features[t, n], np.concatenate([s, h]))


@every_kind
def test_dreaming_is_imagining_what_the_policy_chooses(kind):
    rssm = model(kind)
    start = rssm.observe(*sequences(), noise=seeded())[0][:, -1]
    noise = rssm.noise(4, 3, generator=seeded(6))
    seen = []

    def policy(state, step):
        seen.append((state.features, step))
        return torch.tanh(state.features[:, :2] + step)

    states, actions = rssm.dream(start, policy, 4, noise=noise)
    torch.testing.assert_close(states.features, rssm.imagine(start, actions, noise=noise).features)
    assert [step for _, step in seen] == [0, 1, 2, 3]
    torch.testing.assert_close(
        torch.stack([f for f, _ in seen]), torch.cat([start.features[None], states.features[:-1]])
    )
    torch.testing.assert_close(actions[2], torch.tanh(states.features[1, :, :2] + 2))


@every_kind
def test_two_episodes_in_one_sequence_are_as_two_sequences(kind):
    """Nothing of the state of the episode before reaches the next."""
    rssm = model(kind)
    embeds, actions, is_first = sequences(first=[(0, 3), (1, 3), (2, 3)])
    noise = rssm.noise(3, 6, generator=seeded())
    whole, priors = rssm.observe(embeds, actions, is_first, noise=noise)
    for part in (slice(0, 3), slice(3, 6)):
        rows = (slice(None), part)
        alone, its_priors = rssm.observe(embeds[rows], actions[rows], is_first[rows], noise=noise[rows])
        torch.testing.assert_close(whole[rows].features, alone.features)
        torch.testing.assert_close(priors[rows].entropy(), its_priors.entropy())
    without, _ = rssm.observe(embeds, actions, sequences()[2], noise=noise)
    assert not torch.allclose(without.features[:, 3], whole.features[:, 3])


@every_kind
def test_what_was_done_before_an_episode_is_forgotten(kind):
    """Who acts still has the last action of the episode before."""
    rssm = model(kind)
    embeds, actions, is_first = sequences()
    noise, before = rssm.noise(3, generator=seeded()), rssm.initial(3).map(lambda x: x + 1)

    def after(action, first):
        return rssm.step(before, action, embeds[:, 0], first, noise=noise).features

    begun = after(actions[:, 1], is_first[:, 0])
    torch.testing.assert_close(begun, after(actions[:, 0], is_first[:, 0]))
    assert not torch.allclose(begun, after(actions[:, 1], is_first[:, 1]))


@every_kind
def test_what_begins_within_an_episode_is_told_from_its_beginning_by_its_action(kind):
    rssm = model(kind)
    embeds, actions, is_first = sequences(first=[(0, 3)])
    within = sequences()[1]  # with the action that led to the row where, of the first, all before is forgotten
    noise = rssm.noise(3, 6, generator=seeded())
    whole, began = (rssm.observe(embeds, each, is_first, noise=noise)[0].features for each in (within, actions))
    assert not torch.allclose(whole[0, 3], began[0, 3])
    other = rssm.initial(3).map(lambda x: x + 1)
    piece, _ = rssm.observe(embeds[:, 3:], within[:, 3:], is_first[:, 3:], other, noise=noise[:, 3:])
    torch.testing.assert_close(piece.features[0], whole[0, 3:])


@every_kind
def test_a_carried_state_goes_on_unless_an_episode_begins(kind):
    rssm = model(kind)
    embeds, actions, is_first = sequences(first=[(1, 4)])
    noise = rssm.noise(3, 6, generator=seeded())
    whole, _ = rssm.observe(embeds, actions, is_first, noise=noise)
    head, _ = rssm.observe(embeds[:, :4], actions[:, :4], is_first[:, :4], noise=noise[:, :4])
    tail, _ = rssm.observe(embeds[:, 4:], actions[:, 4:], is_first[:, 4:], head[:, -1], noise=noise[:, 4:])
    torch.testing.assert_close(tail.features, whole.features[:, 4:])
    torch.testing.assert_close(tail.belief.entropy(), whole.belief.entropy()[:, 4:])
    state = rssm.initial(3)
    for t in range(6):
        state = rssm.step(state, actions[:, t], embeds[:, t], is_first[:, t], noise=noise[:, t])
        torch.testing.assert_close(state.features, whole.features[:, t])


def test_what_led_to_an_observation_is_the_action_of_its_own_row():
    """The prior of row t moves with the action of row t, and with none of a later row."""
    rssm = model("dreamer")
    embeds, actions, is_first = sequences()
    noise = rssm.noise(3, 6, generator=seeded())
    means = [rssm.observe(embeds, actions, is_first, noise=noise)[1].mean]
    for t in range(1, 6):
        other = actions.clone()
        other[:, t] += 1
        moved = (rssm.observe(embeds, other, is_first, noise=noise)[1].mean - means[0]).abs().amax((0, 2))
        assert float(moved[:t].detach().max()) < 1e-12
        assert float(moved[t].detach()) > 1e-3


def test_the_cell_of_dreamerv2_forgets_slowly_and_is_not_that_of_torch():
    """With all parts at 0 the update is sigmoid(-1), and the candidate 0."""
    cell = LayerNormGRU(3, 4)
    torch.nn.init.zeros_(cell.linear.weight)
    torch.nn.init.zeros_(cell.linear.bias)
    h = torch.tensor([[1.0, -2.0, 0.5, 3.0]])
    torch.testing.assert_close(cell(torch.rand(1, 3), h), h * (1 - 1 / (1 + np.e)))
    # one normalisation of all parts: a part that is larger than the others keeps that
    torch.nn.init.constant_(cell.linear.bias[8:], 50.0)
    forgetful = cell(torch.rand(1, 3), h)
    assert float((forgetful / h).detach().max()) < 1 - 1 / (1 + np.e)


@pytest.mark.parametrize("kind", ["dreamer", "dreamerv2 normal", "stochastic", "deterministic"])
def test_gradients_through_sequences_and_dreams_are_finite_differences(kind):
    rssm = model(kind)
    embeds, actions, is_first = sequences(batch=2, length=3, first=[(1, 2)])
    noise = rssm.noise(2, 3, generator=seeded())
    further = rssm.noise(2, 2, generator=seeded(3))

    class Losses(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rssm = rssm

        def forward(self, embeds, actions):
            states, priors = self.rssm.observe(embeds, actions, is_first, noise=noise)
            dreamt, _ = self.rssm.dream(states[:, -1], lambda s, h: torch.tanh(s.features[:, :2]), 2, noise=further)
            return states.belief.kl(priors), (dreamt.features**2).sum(-1)

    losses = Losses()
    names = [name for name, _ in losses.named_parameters()]
    values = [parameter.detach().clone().requires_grad_() for parameter in losses.parameters()]

    def at(embeds, actions, *values):
        return torch.func.functional_call(losses, dict(zip(names, values, strict=True)), (embeds, actions))

    assert torch.autograd.gradcheck(at, (embeds.requires_grad_(), actions.requires_grad_(), *values), fast_mode=True)


@every_kind
def test_dreams_pass_gradients_to_the_policy_alone(kind):
    """Through a draw too: a loss of states that come after the action, of classes as of normal numbers."""
    rssm = model(kind)
    rssm.requires_grad_(False)
    start = rssm.observe(*sequences(), noise=seeded())[0].map(lambda x: x.flatten(0, 1))
    actor = torch.nn.Linear(rssm.features, 2).double()
    states, _ = rssm.dream(start, lambda s, h: torch.tanh(actor(s.features.detach())), 3, noise=seeded(3))
    states.stoch[-1].pow(2).mul(torch.arange(rssm.stoch)).sum().backward()
    assert float(actor.weight.grad.abs().sum()) > 0
    assert all(parameter.grad is None for parameter in rssm.parameters())


def test_deterministic_dynamics_ignore_the_noise_and_others_do_not():
    for kind in KINDS:
        rssm = model(kind)
        two = [rssm.observe(*sequences(), noise=seeded(seed))[0].features for seed in (1, 2)]
        assert torch.equal(*two) == (kind == "deterministic")


def test_the_beginning_is_zero_of_the_right_shapes():
    state = model("dreamerv2").initial(4, 2)
    assert (state.deter.shape, state.stoch.shape, state.belief.logits.shape) == ((4, 2, 5), (4, 2, 12), (4, 2, 3, 4))
    state = model("stochastic").initial(4)
    assert state.features.shape == (4, 3)
    assert isinstance(state.belief, Gaussian)
    assert float(state.features.abs().sum()) == 0


@pytest.mark.parametrize("kind", ["dreamer", "dreamerv2"])
def test_loops_compile_whole_and_give_the_same(kind):
    rssm = model(kind)
    noise, further = rssm.noise(3, 6, generator=seeded()), rssm.noise(2, 3, generator=seeded(2))

    def work(embeds, actions, is_first, noise, further):
        states, priors = rssm.observe(embeds, actions, is_first, noise=noise)
        dreamt, acted = rssm.dream(states[:, -1], lambda s, h: torch.tanh(s.features[:, :2]), 2, noise=further)
        return states.belief.kl(priors), dreamt.features, rssm.imagine(states[:, 0], acted, noise=further).stoch

    compiled = torch.compile(work, backend="eager", fullgraph=True)
    for mine, theirs in zip(compiled(*sequences(), noise, further), work(*sequences(), noise, further), strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("kind", ["dreamer", "dreamerv2"])
def test_half_precision_keeps_probabilities_and_memory_in_full(kind):
    rssm = model(kind).float()
    embeds, actions, is_first = sequences()
    noise = rssm.noise(3, 6, generator=seeded())
    inputs = (embeds.float(), actions.float(), is_first)
    exact, _ = rssm.observe(*inputs, noise=noise)
    with torch.autocast("cpu", torch.bfloat16):
        states, priors = rssm.observe(*inputs, noise=noise)
        kl = states.belief.kl(priors)
    assert {states.deter.dtype, states.stoch.dtype, kl.dtype, *(p.dtype for p in parameters_of(priors))} == {
        torch.float32
    }
    torch.testing.assert_close(states.deter, exact.deter, atol=0.1, rtol=0.1)
    with torch.autocast("cpu", torch.bfloat16):
        small = rssm.cell(torch.zeros(1, 7), torch.full((1, 5), 0.7))  # numbers that bfloat16 does not have
    if kind == "dreamer":
        torch.testing.assert_close(small, rssm.cell(torch.zeros(1, 7), torch.full((1, 5), 0.7)), atol=0, rtol=0)
    if kind == "dreamerv2":
        assert set(states.stoch.detach().unique().tolist()) == {0.0, 1.0}


def test_what_does_not_fit_is_named():
    rssm = model("dreamer")
    embeds, actions, is_first = sequences()
    with pytest.raises(ValueError, match=r"embeds .* \(3, 6, 6\), got \(3, 6, 5\)"):
        rssm.observe(embeds[..., :5], actions, is_first, noise=seeded())
    with pytest.raises(ValueError, match=r"actions .* \(3, 6, 2\), got \(3, 5, 2\)"):
        rssm.observe(embeds, actions[:, 1:], is_first, noise=seeded())
    with pytest.raises(ValueError, match=r"actions .* \(4, 3, 2\), got \(4, 3, 1\)"):
        rssm.imagine(rssm.initial(3), torch.zeros(4, 3, 1), noise=seeded())
    with pytest.raises(ValueError, match="hidden': 0"):
        RSSM(2, 6, hidden=0)
    with pytest.raises(ValueError, match="deterministic"):
        RSSM(2, 6, classes=4, dynamics="deterministic")
