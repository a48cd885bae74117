"""Moments of sines and cosines against sampling, finite differences and known limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.gp import angle_moments, with_angles  # noqa: E402


def gaussian(width=4, size=0.7, seed=0):
    rng = np.random.default_rng(seed)
    root = size * rng.normal(size=(width, width))
    return torch.from_numpy(2 * rng.normal(size=width)), torch.from_numpy(root @ root.T)


@pytest.mark.parametrize("angles", [[2], [1, 3], [3, 0, 2]])
def test_moments_are_those_of_samples(angles):
    count = 200_000
    m, S = gaussian()
    samples = torch.from_numpy(np.random.default_rng(1).multivariate_normal(m.numpy(), S.numpy(), count))
    turned = with_angles(samples, angles)
    mean, covariance, crossed = angle_moments(m, S, angles)
    assert bool(((turned.mean(0) - mean).abs() < 4.5 * turned.std(0) / math.sqrt(count)).all())
    offset = turned - mean
    for i in range(len(mean)):
        products = offset[:, i, None] * offset
        error = products.std(0) / math.sqrt(count)
        assert bool(((products.mean(0) - covariance[i]).abs() < 4.5 * error).all())
    assert torch.equal(crossed, covariance[:4])
    torch.testing.assert_close(covariance, covariance.mT)


def test_textbook_variances_of_one_angle():
    m, v = torch.tensor([0.7], dtype=torch.float64), torch.tensor([[0.3]], dtype=torch.float64)
    mean, covariance, _ = angle_moments(m, v, [0])
    shrunk = math.exp(-0.3)
    assert mean[1:].tolist() == pytest.approx([math.exp(-0.15) * math.sin(0.7), math.exp(-0.15) * math.cos(0.7)])
    assert covariance[1, 1].item() == pytest.approx(0.5 * (1 - shrunk) * (1 + shrunk * math.cos(1.4)))
    assert covariance[2, 2].item() == pytest.approx(0.5 * (1 - shrunk) * (1 - shrunk * math.cos(1.4)))
    assert covariance[1, 2].item() == pytest.approx(-0.5 * (1 - shrunk) * shrunk * math.sin(1.4))


def test_a_certain_state_and_one_that_is_quite_unknown():
    m, S = gaussian()
    mean, covariance, _ = angle_moments(m, 0 * S, [1, 3])
    torch.testing.assert_close(mean, with_angles(m, [1, 3]))
    assert bool((covariance == 0).all())
    mean, covariance, _ = angle_moments(m, 1e4 * S, [1, 3])
    torch.testing.assert_close(mean[4:], torch.zeros(4, dtype=torch.float64))
    torch.testing.assert_close(covariance[4:, 4:], 0.5 * torch.eye(4, dtype=torch.float64))


def test_no_angles_change_nothing():
    m, S = gaussian()
    for ours, given_ in zip(angle_moments(m, S, []), (m, S, S), strict=True):
        assert torch.equal(ours, given_)
    assert torch.equal(with_angles(m, []), m)


def test_candidates_at_once():
    single = [gaussian(seed=seed) for seed in range(6)]
    means, covariances = torch.stack([m for m, _ in single]), torch.stack([S for _, S in single])
    batched = angle_moments(means.view(2, 3, 4), covariances.view(2, 3, 4, 4), [0, 3])
    for number, (m, S) in enumerate(single):
        for part, alone in zip(batched, angle_moments(m, S, [0, 3]), strict=True):
            torch.testing.assert_close(part[number // 3, number % 3], alone)


@pytest.mark.parametrize("size", [0.7, 1e-3])
def test_gradient_is_that_of_finite_differences(size):
    m, S = gaussian(size=size)

    def both(m, root):
        mean, covariance, _ = angle_moments(m, root @ root.mT, [1, 2])
        return mean, covariance

    root = torch.linalg.cholesky(S)
    assert torch.autograd.gradcheck(both, (m.requires_grad_(), root.requires_grad_()), atol=1e-7, rtol=1e-6)


def test_gradient_of_a_certain_state_and_of_a_quite_unknown_one_is_finite():
    for scale in (0.0, 1e6):
        m, S = gaussian()
        m, S = m.requires_grad_(), (scale * S).requires_grad_()
        _, covariance, _ = angle_moments(m, S, [1, 2])
        by_mean, by_covariance = torch.autograd.grad(covariance.sum(), (m, S))
        assert bool(torch.isfinite(by_mean).all())
        assert bool(torch.isfinite(by_covariance).all())
        assert scale > 0 or bool((by_covariance[1, 2] != 0).all()), "correlation of the angles counts from the start"


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 5))
def test_covariance_is_positive_semidefinite(seed, size):
    m, S = gaussian(size=size, seed=seed)
    _, covariance, _ = angle_moments(m, S, [0, 1, 3])
    assert torch.linalg.eigvalsh(covariance).min().item() > -1e-10 * max(1.0, S.abs().max().item())


@pytest.mark.parametrize("angles", [[4], [-1], [1, 1]])
def test_bad_columns_are_named(angles):
    with pytest.raises(ValueError, match="different columns from 0 to 3"):
        angle_moments(*gaussian(), angles)
