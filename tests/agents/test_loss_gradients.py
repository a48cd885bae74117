"""Whole losses of world models: the gradient of every weight against finite differences, at tiny sizes, in float64."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents import dreamer, dreamerv2, planet  # noqa: E402
from sakiyomi.agents.parts.episodes.controls import Controls  # noqa: E402
from sakiyomi.agents.parts.latent.batches import Batch  # noqa: E402
from sakiyomi.agents.parts.latent.senses import Senses  # noqa: E402
from sakiyomi.agents.parts.vmc.mdn_rnn import MDNRNN, Wanted, mdn_rnn_loss  # noqa: E402
from sakiyomi.agents.parts.vmc.vae import VAE, vae_loss  # noqa: E402

CONTROLS = Controls(low=(-1.0, -2.0), high=(1.0, 2.0))
SIZES = {
    "deter": 4, "stoch": 2, "hidden": 3, "depth": 1, "shrink": 4, "vector_layers": (3, 3), "reward_layers": (3,),
    "free_nats": 0.0, "kl_weight": 0.7, "reward_weight": 2.0, "batch": 2, "length": 3, "horizon": 3,
}  # fmt: skip
SEEN = pytest.mark.parametrize("shape", [(4,), (64, 64, 3)], ids=["vectors", "pictures"])


@pytest.fixture(autouse=True)
def in_float64(monkeypatch):
    """What is seen is float32 by itself, and weights are not to be rounded to it."""
    seen = Senses.seen
    monkeypatch.setattr(Senses, "seen", lambda self, *given: seen(self, *given).double())


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def batch_of(shape):
    """Random numbers, of which an episode ends within the first sequence."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(256, size=(2, 3, *shape)).astype(np.uint8)
    seen = torch.from_numpy(pictures) if len(shape) > 1 else torch.from_numpy(rng.normal(size=(2, 3, *shape)))
    first, terminal = torch.zeros(2, 3, dtype=torch.bool), torch.zeros(2, 3, dtype=torch.bool)
    first[:, 0] = first[0, 2] = terminal[0, 1] = True
    actions = torch.from_numpy(rng.uniform(-1, 1, (2, 3, 2))) * ~first[..., None]
    return Batch(seen, actions, torch.from_numpy(rng.normal(size=(2, 3))), first, terminal)


def assert_slopes(module, loss):
    """Of `loss()`, along its gradient and at random, for each of the tensors of weights; none is without effect."""
    parameters, chance = dict(module.named_parameters()), dice(1)
    for weights in parameters.values():  # biases of 0 would leave ReLU at its kink where inputs are 0
        weights.data += 0.1 * torch.randn(weights.shape, generator=chance, dtype=torch.float64)
    gradients = torch.autograd.grad(loss(), list(parameters.values()))
    for (name, weights), gradient in zip(parameters.items(), gradients, strict=True):
        assert gradient.any(), f"{name} has no gradient"
        along = torch.randn(weights.shape, generator=chance, dtype=torch.float64)
        for direction in (gradient / gradient.norm(), along / along.norm()):
            ends = []
            for step in (1e-5, -1e-5):
                with torch.no_grad():
                    weights += step * direction
                    ends.append(float(loss().detach()))
                    weights -= step * direction
            slope = float((gradient * direction).sum())
            assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(slope, rel=1e-4, abs=1e-6), name


@SEEN
def test_planet(shape):
    """Without overshooting, which holds the posteriors that priors are tied to."""
    model, batch = planet.Model(planet.Config(**SIZES), shape, CONTROLS, 1).double(), batch_of(shape)
    assert_slopes(model, lambda: sum(planet.losses(model, batch, dice(2))[0].values()))


@SEEN
@pytest.mark.parametrize("objective", ["reconstruction", "contrastive", "reward"])
def test_dreamer(shape, objective):
    more = {"state_layers": (3,), "end_layers": (3,), "predict_end": True, "objective": objective}
    world = dreamer.World(dreamer.Config(**SIZES, **more), shape, 2).double()
    batch, noise = batch_of(shape), world.rssm.noise(2, 3, generator=dice(2)).double()
    assert_slopes(world, lambda: sum(dreamer.model_losses(world, batch, noise)[0].values()))


@SEEN
def test_dreamerv2(shape):
    """With normal states: draws of choices pass gradients on that are no slopes. An evenly balanced divergence has half
    its slope for a gradient, as either side of it is held in turn; so it is doubled here.
    """
    config = dreamerv2.Config(**SIZES, classes=0, end_layers=(3,), balance=0.5)
    world = dreamerv2.World(config, shape, 2).double()
    batch, noise = batch_of(shape), world.rssm.noise(2, 3, generator=dice(2)).double()

    def loss():
        terms, _, _ = dreamerv2.model_losses(world, batch, world.rssm.initial(2), noise)
        divergence = terms["divergence"]
        return sum(terms.values()) + divergence - divergence.detach()

    assert_slopes(world, loss)


def test_vae():
    vae = VAE(2, generator=dice(), size=16, depth=1).double()
    pictures = torch.rand(3, 3, 16, 16, generator=dice(1)).double()
    noise = torch.randn(3, 2, generator=dice(2)).double()

    def loss():
        logits, codes = vae(pictures, noise)
        return vae_loss(logits, pictures, codes, free=0.0).total

    assert_slopes(vae, loss)


def test_mdn_rnn():
    rnn = MDNRNN(2, 2, hidden=3, generator=dice(), mixtures=2, restart=True, reward=True).double()
    codes, actions = (torch.randn(2, 3, 2, generator=dice(seed)).double() for seed in (1, 2))
    first, ends = torch.zeros(2, 2, 3, dtype=torch.bool)
    first[:, 0] = first[0, 2] = ends[0, 1] = True
    valid = torch.ones(2, 3, dtype=torch.bool)
    wanted = Wanted(codes.roll(1, 0), ends, codes[..., 0], actions, valid, valid)

    def loss():
        memory = rnn.empty(2)
        hidden, _ = rnn.unroll(codes, actions, first, type(memory)(*(each.double() for each in memory)))
        return mdn_rnn_loss(rnn.foretold(hidden), wanted, 10.0, 3.0)["total"]

    assert_slopes(rnn, loss)
