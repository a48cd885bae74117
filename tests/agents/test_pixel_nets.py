"""Encoders, decoders and heads: the papers' sizes, where weights begin, and pictures in and out."""

import math

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from sakiyomi.agents.parts.latent.pixel_nets import (  # noqa: E402
    MLP,
    PixelDecoder,
    PixelEncoder,
    as_bytes,
    initialise,
    normalised,
    quantised,
)
from sakiyomi.agents.parts.latent.rssm import RSSM  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors gain nothing by a second core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def size(*modules):
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def test_sizes_of_the_papers():
    with torch.device("meta"):
        encoder, decoder = PixelEncoder(3), PixelDecoder(230, 3)
        reward, value, actor = (MLP(230, out, hidden=hidden) for out, hidden in DREAMER_HEADS)
        assert size(encoder) == 690_144
        assert size(decoder) == 3_795_555
        assert [size(head) for head in (reward, value, actor)] == [253_201, 413_601, 574_402]
        assert size(RSSM(1, 1024)) == 556_920
        assert size(RSSM(2, 1024)) == 557_120
        assert size(encoder, RSSM(1, 1024), decoder, reward) == pytest.approx(5_296_000, abs=500)
        for latents, whole in ((32, 4_348_547), (64, 4_446_915)):
            heads = [nn.Linear(1024, latents), nn.Linear(1024, latents)]
            assert size(PixelEncoder(3), *heads, PixelDecoder(latents, 3)) == whole


DREAMER_HEADS = [(None, (400,) * 2), (None, (400,) * 3), (2, (400,) * 4)]


@pytest.mark.parametrize(
    ("channels", "actions", "units", "heads", "millions"), [(1, 18, 600, 2, 19.98), (3, 6, 200, 1, 13.66)]
)
def test_sizes_of_dreamerv2(channels, actions, units, heads, millions):
    with torch.device("meta"):
        encoder = PixelEncoder(channels, depth=48, activation="elu")
        rssm = RSSM(actions, encoder.outputs, deter=units, hidden=units, stoch=32, classes=32, cell="layer_norm")
        decoder = PixelDecoder(rssm.features, channels, depth=48, activation="elu")
        model = [encoder, rssm, decoder, *(MLP(rssm.features, None, hidden=(400,) * 4) for _ in range(heads))]
    assert size(*model) / 1e6 == pytest.approx(millions, abs=0.005)


@pytest.mark.parametrize(("pixels", "outputs"), [(64, 128), (32, 64), (16, 32)])
def test_pictures_of_every_size_go_through(pixels, outputs):
    encoder, decoder = PixelEncoder(2, size=pixels, depth=4), PixelDecoder(7, 2, size=pixels, depth=4)
    pictures = torch.rand(3, 5, 2, pixels, pixels)
    assert encoder.outputs == outputs
    assert decoder.first.out_features == outputs
    embeds = encoder(pictures)
    assert embeds.shape == (3, 5, outputs)
    torch.testing.assert_close(embeds[1, 2], encoder(pictures[1, 2]))
    assert decoder(torch.rand(3, 5, 7)).shape == pictures.shape
    assert decoder(torch.rand(7)).shape == pictures.shape[2:]
    far = decoder(1000 * torch.rand(7))
    assert float(far.detach().abs().max()) > 1, "the means have no bound"


@pytest.mark.parametrize("pixels", [64, 32, 16])
def test_a_decoder_is_its_layers_one_after_the_other(pixels):
    decoder = PixelDecoder(5, 3, size=pixels, depth=4).double()
    features = torch.randn(6, 5, generator=seeded(), dtype=torch.float64)
    whole, layers = decoder(features), decoder.layers(decoder.first(features)[..., None, None])
    torch.testing.assert_close(whole, layers)
    parameters = list(decoder.parameters())
    gradients = [torch.autograd.grad(pictures.square().sum(), parameters) for pictures in (whole, layers)]
    torch.testing.assert_close(*gradients)


def test_the_last_pixels_of_both_sides_matter():
    """Sizes that do not divide would leave a border that nothing sees or nothing draws."""
    for pixels in (64, 32, 16):
        picture = torch.zeros(1, 1, pixels, pixels, requires_grad=True)
        encoder = PixelEncoder(1, size=pixels, depth=2, activation="elu")
        encoder(picture).sum().backward()
        drawn = PixelDecoder(3, 1, size=pixels, depth=4, activation="elu")(torch.ones(3)).detach()
        assert float(drawn.std()) > 0
        assert float(picture.grad[0, 0, 0, 0].abs()) > 0
        assert float(drawn[0, -1, -1]) != 0


def test_heads_give_numbers_or_vectors():
    assert MLP(4, None, hidden=(8,))(torch.rand(2, 3, 4)).shape == (2, 3)
    assert MLP(4, 5, hidden=())(torch.rand(2, 3, 4)).shape == (2, 3, 5)
    kinds = [type(layer).__name__ for layer in MLP(4, 5, hidden=(8, 8), activation="relu").layers]
    assert kinds == ["Linear", "ReLU", "Linear", "ReLU", "Linear"]


def test_weights_begin_as_those_of_keras():
    model = nn.ModuleList([PixelEncoder(3, depth=8), PixelDecoder(20, 3, depth=8), RSSM(2, 16, deter=24, hidden=24)])
    initialise(model, seeded())
    conv, transposed = model[0].layers[2], model[1].layers[2]
    for weight, fans in (
        (conv.weight, 16 * (8 + 16)),
        (transposed.weight, 25 * (32 + 16)),
        (model[1].first.weight, 20 + 256),
        (model[2].cell.weight_ih, 24 + 72),
    ):
        bound = math.sqrt(6 / fans)
        assert float(weight.detach().abs().max()) == pytest.approx(bound, rel=0.02)
        assert float(weight.detach().abs().max()) <= bound
        assert float(weight.detach().std()) == pytest.approx(bound / math.sqrt(3), rel=0.05)
    recurrent = model[2].cell.weight_hh.detach()
    torch.testing.assert_close(recurrent.T @ recurrent, torch.eye(24), atol=1e-5, rtol=0)
    assert all(float(p.detach().abs().max()) == 0 for name, p in model.named_parameters() if "bias" in name)


def test_weights_begin_as_those_of_torch():
    """The bounds of the library's own beginnings, which are drawn from its global generator."""
    model = nn.ModuleList([nn.Linear(50, 40), nn.Conv2d(4, 8, 5), nn.ConvTranspose2d(6, 4, 5), nn.GRUCell(9, 30)])
    bounds = [50**-0.5, 100**-0.5, 100**-0.5, 30**-0.5]
    for _ in range(2):  # as they are made, then as they are drawn
        for part, bound in zip(model, bounds, strict=True):
            extremes = [float(parameter.detach().abs().max()) for parameter in part.parameters()]
            assert max(extremes) == pytest.approx(bound, rel=0.1)
            assert 0 < min(extremes) <= max(extremes) <= bound
        initialise(model, seeded(), like="torch")


@pytest.mark.parametrize("like", ["keras", "torch"])
def test_a_seed_gives_the_same_weights(like):
    models = [RSSM(2, 8, deter=6, hidden=7, stoch=3, classes=4, cell="layer_norm") for _ in range(3)]
    for model, seed in zip(models, (1, 1, 2), strict=True):
        initialise(model, seeded(seed), like=like)
    first, same, other = (torch.cat([p.flatten() for p in model.parameters()]) for model in models)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_bytes_come_back_and_lie_around_zero():
    bytes_ = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).expand(2, 16, 16, 3)
    pictures = normalised(bytes_)
    assert pictures.shape == (2, 3, 16, 16)
    assert (float(pictures.min()), float(pictures.max())) == (-0.5, 0.5)
    assert torch.equal(as_bytes(pictures), bytes_)
    assert torch.equal(as_bytes(torch.tensor([[[9.0]], [[-9.0]]])), torch.tensor([[[255, 0]]], dtype=torch.uint8))


def test_five_bits_fill_their_steps_evenly():
    bytes_ = torch.arange(256, dtype=torch.uint8).reshape(1, 256, 1, 1).expand(500, 256, 1, 1)
    pictures = quantised(bytes_, seeded())
    assert pictures.shape == (500, 1, 256, 1)
    levels = (bytes_.movedim(-1, -3).long() // 8).double()
    inside = (pictures.double() + 0.5) * 32 - levels
    assert float(inside.min()) >= 0
    assert float(inside.max()) <= 1
    assert float(inside.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(inside.std()) == pytest.approx(12**-0.5, abs=0.01)
    assert (as_bytes(pictures).int() - bytes_.int()).abs().max() <= 8


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="48 x 48"):
        PixelEncoder(3, size=48)
    with pytest.raises(ValueError, match="weights of LSTM begin"):
        initialise(nn.Sequential(nn.Linear(2, 2), nn.LSTM(2, 2)), seeded())
    with pytest.raises(ValueError, match=r"\(64, 64, 3\)"):
        PixelEncoder(3)(torch.rand(64, 64, 3))
