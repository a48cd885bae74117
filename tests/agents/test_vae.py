"""V of World Models: its size, its loss to the last term, and that it learns."""

import math

import pytest

pytest.importorskip("torch")

import torch

from sakiyomi.agents.parts.vmc.vae import VAE, Codes, as_colours, as_frames, kl_to_standard, vae_loss


def make(latent, **sizes):
    return VAE(latent, generator=torch.Generator().manual_seed(0), **sizes)


@pytest.mark.parametrize(("latent", "parameters"), [(32, 4_348_547), (64, 4_446_915)])
def test_size_of_the_paper(latent, parameters):
    assert sum(each.numel() for each in make(latent).parameters()) == parameters


def test_shapes_and_range():
    vae = make(5, size=16, depth=2)
    logits, codes = vae(torch.rand(3, 3, 16, 16), torch.randn(3, 5))
    again = vae.decode(codes.mean)
    assert logits.shape == again.shape == (3, 3, 16, 16)
    assert codes.mean.shape == codes.log_variance.shape == (3, 5)
    assert 0 < again.min() < again.max() < 1
    assert vae.decode(torch.zeros(2, 4, 5)).shape == (2, 4, 3, 16, 16)


def test_weights_come_from_the_generator_alone():
    first, torch_state = make(3, size=16, depth=2), torch.random.get_rng_state()
    torch.manual_seed(5)
    second = make(3, size=16, depth=2)
    torch.random.set_rng_state(torch_state)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_loss_of_two_pixels():
    """Summed over pixels, no half, no mean; averaged over the batch."""
    pictures = torch.tensor([[[[0.0, 1.0]]], [[[0.5, 0.5]]]])
    logits = torch.tensor([[[[0.5, 0.5]]], [[[0.5, 0.2]]]]).logit()
    codes = Codes(torch.tensor([[2.0], [0.0]]), torch.zeros(2, 1))
    loss = vae_loss(logits, pictures, codes, free=0.5)
    assert loss.reconstruction == pytest.approx((0.25 + 0.25 + 0.09) / 2)
    assert loss.kl == pytest.approx((2.0 + 0.0) / 2)
    assert loss.total == pytest.approx(0.295 + (2.0 + 0.5) / 2)  # free of each sample, not of the mean
    entropic = vae_loss(logits, pictures, codes, free=0.5, error="cross-entropy")
    nats = [math.log(2), math.log(2), math.log(2), -(math.log(0.2) + math.log(0.8)) / 2]
    assert entropic.reconstruction == pytest.approx(sum(nats) / 2)


def test_free_nats_are_of_each_picture():
    mean = torch.tensor([[3.0, 0.0], [0.1, 0.0]], requires_grad=True)
    blank = torch.zeros(2, 1, 1, 1)
    vae_loss(blank, blank, Codes(mean, torch.zeros(2, 2)), free=0.5).total.backward()
    assert mean.grad[0, 0] == pytest.approx(1.5)  # 3, averaged over two pictures
    assert mean.grad[1].tolist() == [0.0, 0.0]  # below the bound, whatever the other has


def test_divergence_by_torch_and_by_chance():
    torch.manual_seed(0)
    codes = Codes(torch.randn(4, 3), torch.randn(4, 3))
    normal = torch.distributions.Normal(codes.mean, (codes.log_variance / 2).exp())
    standard = torch.distributions.Normal(0.0, 1.0)
    exact = torch.distributions.kl_divergence(normal, torch.distributions.Normal(torch.zeros(4, 3), 1.0)).sum(-1)
    assert kl_to_standard(codes) == pytest.approx(exact, rel=1e-5)
    drawn = codes.drawn(torch.randn(100_000, 4, 3))
    by_chance = (normal.log_prob(drawn) - standard.log_prob(drawn)).sum(-1).mean(0)
    assert by_chance == pytest.approx(exact, rel=0.02)


def test_colours_there_and_back():
    frames = torch.arange(256, dtype=torch.uint8).reshape(1, 8, 8, 4)[..., :3]
    for inverted in (False, True):
        colours = as_colours(frames, inverted)
        assert colours.shape == (1, 3, 8, 8)
        assert colours[0, 1, 0, 0] == pytest.approx(1 - 1 / 255 if inverted else 1 / 255)
        assert torch.equal(as_frames(colours, inverted), frames)


def test_it_learns_a_batch_by_heart():
    torch.manual_seed(1)
    vae, pictures = make(4, size=16, depth=4), torch.zeros(4, 3, 16, 16)
    for k in range(4):
        pictures[k, :, 4 * k : 4 * k + 4] = 1.0
    optimiser, losses = torch.optim.Adam(vae.parameters(), lr=3e-3), []
    for _ in range(60):
        logits, codes = vae(pictures, torch.randn(4, 4))
        loss = vae_loss(logits, pictures, codes, free=0.5)
        optimiser.zero_grad()
        loss.total.backward()
        optimiser.step()
        losses.append(float(loss.reconstruction.detach()))
    assert losses[-1] < 0.5 * losses[0]
