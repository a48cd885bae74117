"""Moment matching against sampling, quadrature, certain inputs, finite differences and plain differentiation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.gp import GP, Kernel, moments  # noqa: E402
from sakiyomi.agents.parts.gp.pair_integrals import BLOCK  # noqa: E402


def process(rows=25, width=3, outputs=3, linear=False, noise=0.1, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, width))
    y = np.sin(x @ rng.normal(size=(width, outputs))) + noise * rng.normal(size=(rows, outputs))
    kernel = Kernel(
        lengthscales=rng.uniform(0.8, 2, (outputs, width)),
        signal=rng.uniform(0.5, 1.5, outputs),
        linear=rng.uniform(0.2, 0.8, (outputs, width)) if linear else None,
    )
    return GP.of(x, y, kernel, np.full(outputs, noise), rng.normal(size=outputs))


def gaussian(width=3, size=0.4, seed=1):
    rng = np.random.default_rng(seed)
    root = size * rng.normal(size=(width, width))
    return torch.from_numpy(0.5 * rng.normal(size=width)), torch.from_numpy(root @ root.T)


def plain(gp, m, S):
    """The textbook's formulas for one input, pair by pair, with nothing rearranged; no linear part."""
    kernel, v, one = gp.kernel, gp.inputs - m, torch.eye(len(m), dtype=m.dtype)
    M, V, C = [], [], []
    for a in range(gp.outputs):
        squares = torch.diag(kernel.lengthscales[a] ** 2)
        pulled = torch.linalg.solve(S + squares, v.mT).mT
        volume = torch.linalg.det(S @ squares.inverse() + one).rsqrt()
        q = kernel.signal[a] ** 2 * volume * torch.exp(-0.5 * (v * pulled).sum(-1))
        M.append(gp.beta[a] @ q)
        V.append((gp.beta[a] * q) @ pulled)
    for a in range(gp.outputs):
        for b in range(gp.outputs):
            tight_a, tight_b = kernel.lengthscales[a] ** -2, kernel.lengthscales[b] ** -2
            R = S @ torch.diag(tight_a + tight_b) + one
            z = (v * tight_a)[:, None] + (v * tight_b)[None]
            quadratic = torch.einsum("ijd,de,ije->ij", z, torch.linalg.solve(R, S), z)
            logs = -0.5 * ((v**2 @ tight_a)[:, None] + (v**2 @ tight_b)[None]) + 0.5 * quadratic
            Q = (kernel.signal[a] * kernel.signal[b]) ** 2 * logs.exp() * torch.linalg.det(R).rsqrt()
            own = kernel.signal[a] ** 2 - (gp.precision[a] * Q).sum() if a == b else 0.0
            C.append(gp.beta[a] @ Q @ gp.beta[b] - M[a] * M[b] + own)
    return torch.stack(M) + gp.mean, torch.stack(C).view(gp.outputs, gp.outputs), torch.stack(V, 1)


def sampled(gp, m, S, count, seed=0):
    """The same three by sampling, with their standard errors."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(count // 50_000):
        x = torch.from_numpy(rng.multivariate_normal(m.numpy(), S.numpy(), 50_000, method="eigh"))
        parts.append((x, *gp.predict(x)))
    x, mean, variance = (torch.cat(part) for part in zip(*parts, strict=True))
    centred, offset = mean - mean.mean(0), x - m
    products = centred[:, :, None] * centred[:, None, :] + torch.diag_embed(variance)
    together = offset[:, :, None] * centred[:, None, :]

    def estimate(samples):
        return samples.mean(0), samples.std(0) / math.sqrt(count)

    return estimate(mean), estimate(products), estimate(together)


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("count", [100_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_moments_are_those_of_samples(linear, count):
    gp, (m, S) = process(linear=linear), gaussian()
    M, C, V = moments(gp, m, S)
    for ours, (estimate, error) in zip((M, C, S @ V), sampled(gp, m, S, count), strict=True):
        assert bool((error < 0.01).all())
        assert bool(((ours - estimate).abs() < 4.5 * error).all()), (ours - estimate) / error


@pytest.mark.parametrize("linear", [False, True])
def test_one_dimension_by_quadrature(linear):
    gp = process(width=1, outputs=2, linear=linear)
    m, S = torch.tensor([0.3], dtype=torch.float64), torch.tensor([[0.5]], dtype=torch.float64)
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = torch.from_numpy(weights / weights.sum())
    x = m + S[0].sqrt() * torch.from_numpy(nodes)[:, None]
    mean, variance = gp.predict(x)
    M, C, V = moments(gp, m, S)
    torch.testing.assert_close(M, weights @ mean, rtol=1e-10, atol=1e-10)
    centred = mean - weights @ mean
    wanted = torch.einsum("n,na,nb->ab", weights, centred, centred) + torch.diag(weights @ variance)
    torch.testing.assert_close(C, wanted, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(S @ V, torch.einsum("n,nd,na->da", weights, x - m, centred), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("linear", [False, True])
def test_a_certain_input_gives_the_prediction(linear):
    gp, (m, S) = process(linear=linear), gaussian()
    mean, variance = gp.predict(m)
    M, C, V = moments(gp, m, torch.zeros_like(S))
    torch.testing.assert_close(M, mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(C, torch.diag(variance), rtol=1e-9, atol=1e-11)
    where = m.clone().requires_grad_()
    slopes = torch.stack([torch.autograd.grad(gp.predict_mean(where)[a], where)[0] for a in range(3)], 1)
    torch.testing.assert_close(V, slopes, rtol=1e-10, atol=1e-10)


def test_certain_and_uncertain_inputs_mix():
    """A control is certain beside an uncertain state: the limit of ever surer ones."""
    gp, (m, S) = process(), gaussian()
    S[2] = S[:, 2] = 0.0
    almost = S + torch.diag(torch.tensor([0, 0, 1e-10]))
    for exact, limit in zip(moments(gp, m, S), moments(gp, m, almost), strict=True):
        torch.testing.assert_close(exact, limit, atol=1e-8, rtol=1e-8)


def test_far_from_the_rows_the_prior_returns():
    gp, (m, S) = process(), gaussian()
    M, C, V = moments(gp, m + 1000, S)
    torch.testing.assert_close(M, gp.mean)
    torch.testing.assert_close(C, torch.diag(gp.kernel.signal.square()))
    assert bool((V == 0).all())


@pytest.mark.parametrize("linear", [False, True])
def test_candidates_at_once_are_candidates_one_by_one(linear):
    gp = process(rows=60, linear=linear)
    single = [gaussian(seed=seed) for seed in range(90)]
    assert BLOCK < 90 * 60**2, "so that a block ends among the candidates"
    means = torch.stack([m for m, _ in single]).view(2, 45, 3)
    covariances = torch.stack([S for _, S in single]).view(2, 45, 3, 3)
    batched = moments(gp, means, covariances)
    assert [part.shape[2:] for part in batched] == [(3,), (3, 3), (3, 3)]
    for number in (0, 1, 33, 44, 45, 89):
        for part, alone in zip(batched, moments(gp, *single[number]), strict=True):
            torch.testing.assert_close(part[number // 45, number % 45], alone, rtol=1e-12, atol=1e-12)


def gradients(function, m, S, seed=0):
    m, S = m.clone().requires_grad_(), S.clone().requires_grad_()
    generator = torch.Generator().manual_seed(seed)
    weighted = sum(
        (part * torch.randn(part.shape, dtype=torch.float64, generator=generator)).sum() for part in function(m, S)
    )
    by_mean, by_covariance = torch.autograd.grad(weighted, (m, S))
    return by_mean, 0.5 * (by_covariance + by_covariance.mT)


@pytest.mark.parametrize("seed", range(3))
def test_value_and_gradient_are_those_of_plain_differentiation(seed):
    gp, (m, S) = process(outputs=4, width=5, rows=30, seed=seed), gaussian(width=5, seed=seed)
    for ours, theirs in zip(moments(gp, m, S), plain(gp, m, S), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
    ours = gradients(lambda *given: moments(gp, *given), m, S)
    theirs = gradients(lambda *given: plain(gp, *given), m, S)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_gradient_is_that_of_finite_differences(part, linear):
    gp, (m, S) = process(linear=linear), gaussian()

    def value(m, S):
        return moments(gp, m, S)[part : part + 1]

    by_mean, by_covariance = gradients(value, m, S)
    step = 1e-5

    def slope(dm, dS):
        generator = torch.Generator().manual_seed(0)
        change = value(m + step * dm, S + step * dS)[0] - value(m - step * dm, S - step * dS)[0]
        return float((change * torch.randn(change.shape, dtype=torch.float64, generator=generator)).sum()) / (2 * step)

    for i in range(3):
        unit = torch.eye(3, dtype=torch.float64)[i]
        assert by_mean[i].item() == pytest.approx(slope(unit, 0 * S), rel=1e-6, abs=1e-7)
        for j in range(i + 1):
            both = torch.zeros_like(S)
            both[i, j] = both[j, i] = 1.0
            assert (by_covariance * both).sum().item() == pytest.approx(slope(0 * m, both), rel=1e-6, abs=1e-7)


def test_without_gradients_the_values_are_the_same():
    gp, (m, S) = process(), gaussian()
    wanted = moments(gp, m.clone().requires_grad_(), S)
    for ours, other in zip(moments(gp, m, S), wanted, strict=True):
        torch.testing.assert_close(ours, other, rtol=1e-12, atol=1e-12)


def test_an_appended_row_counts():
    gp, (m, S) = process(), gaussian()
    moments(gp, m, S)
    x, y = torch.from_numpy(np.random.default_rng(9).normal(size=(2, 3)))
    grown = gp.appended(x, y)
    whole = GP.of(grown.inputs, grown.targets, gp.kernel, gp.noise, gp.mean)
    for ours, other in zip(moments(grown, m, S), moments(whole, m, S), strict=True):
        torch.testing.assert_close(ours, other, rtol=1e-9, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4), st.floats(0.0, 3.0), st.booleans())
def test_covariance_of_input_and_outputs_is_positive_semidefinite(seed, width, outputs, size, linear):
    gp = process(rows=12, width=width, outputs=outputs, linear=linear, seed=seed)
    m, S = gaussian(width=width, size=size, seed=seed)
    M, C, V = moments(gp, m, S)
    assert bool(torch.isfinite(M).all())
    torch.testing.assert_close(C, C.mT)
    joint = torch.cat((torch.cat((S, S @ V), 1), torch.cat(((S @ V).mT, C), 1)))
    assert torch.linalg.eigvalsh(joint).min().item() > -1e-9


def test_float32_is_promoted_and_bad_input_is_named():
    gp, (m, S) = process(), gaussian()
    assert moments(gp, m.float(), S.float())[0].dtype == torch.float64
    with pytest.raises(ValueError, match=r"got \(2,\) and \(2, 2\)"):
        moments(gp, m[:2], S[:2, :2])
    with pytest.raises(ValueError, match="positive semi-definite"):
        moments(gp, m, -100 * torch.eye(3))
    for wrong in (math.nan, math.inf):
        with pytest.raises(ValueError, match="finite"):
            moments(gp, m, S * wrong)
        with pytest.raises(ValueError, match="finite"):
            moments(gp, m * wrong, S)
