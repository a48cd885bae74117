"""Exact regression against dense algebra, other libraries, and bad rows."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.gp import GP, Kernel  # noqa: E402
from sakiyomi.agents.parts.gp.regression import factored  # noqa: E402


def process(rows=20, width=3, outputs=2, linear=False, noise=0.1, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(rows, width)), rng.normal(size=(rows, outputs))
    kernel = Kernel(
        lengthscales=torch.from_numpy(rng.uniform(0.5, 2, (outputs, width))),
        signal=torch.from_numpy(rng.uniform(0.5, 2, outputs)),
        linear=torch.from_numpy(rng.uniform(0.2, 1, (outputs, width))) if linear else None,
    )
    mean = torch.from_numpy(rng.normal(size=outputs))
    return GP.of(
        torch.from_numpy(x), torch.from_numpy(y), kernel, torch.full((outputs,), noise, dtype=torch.float64), mean
    )


def covariance_by_hand(kernel, output, x, y):
    """Entry by entry."""
    scales, signal = kernel.lengthscales[output].tolist(), float(kernel.signal[output])
    slopes = [0.0] * len(scales) if kernel.linear is None else kernel.linear[output].tolist()
    matrix = np.empty((len(x), len(y)))
    for i, u in enumerate(x.tolist()):
        for j, v in enumerate(y.tolist()):
            distance = sum(((p - q) / scale) ** 2 for p, q, scale in zip(u, v, scales, strict=True))
            product = sum(w**2 * p * q for p, q, w in zip(u, v, slopes, strict=True))
            matrix[i, j] = signal**2 * math.exp(-0.5 * distance) + product
    return matrix


@pytest.mark.parametrize("linear", [False, True])
def test_prediction_is_the_conditional_gaussian(linear):
    gp = process(linear=linear)
    where = torch.from_numpy(np.random.default_rng(1).normal(size=(5, 3)))
    means, variances = gp.predict(where)
    for output in range(2):
        K = covariance_by_hand(gp.kernel, output, gp.inputs, gp.inputs) + 0.01 * np.eye(20)
        cross = covariance_by_hand(gp.kernel, output, where, gp.inputs)
        prior = np.diag(covariance_by_hand(gp.kernel, output, where, where))
        residual = gp.targets[:, output].numpy() - float(gp.mean[output])
        np.testing.assert_allclose(means[:, output], float(gp.mean[output]) + cross @ np.linalg.solve(K, residual))
        wanted = prior - np.einsum("bn,nb->b", cross, np.linalg.solve(K, cross.T))
        np.testing.assert_allclose(variances[:, output], wanted, rtol=1e-9)
        density = -0.5 * residual @ np.linalg.solve(K, residual) - 0.5 * np.linalg.slogdet(2 * np.pi * K)[1]
        np.testing.assert_allclose(gp.log_likelihood[output], density)
    torch.testing.assert_close(gp.predict_mean(where), means)


def test_prediction_takes_any_leading_axes():
    gp = process()
    where = torch.randn(4, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    means, variances = gp.predict(where)
    assert means.shape == variances.shape == (4, 2, 2)
    torch.testing.assert_close(gp.predict(where[1, 1]), (means[1, 1], variances[1, 1]))
    torch.testing.assert_close(gp.predict_mean(where[1, 1]), means[1, 1])


def test_float32_is_promoted():
    gp = process()
    low = GP.of(gp.inputs.float(), gp.targets.float(), gp.kernel, gp.noise)
    assert low.beta.dtype == low.cholesky.dtype == torch.float64
    assert low.predict(gp.inputs[0].float())[0].dtype == torch.float64


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("linear", [False, True])
def test_appending_is_conditioning_on_all_rows(count, linear):
    gp = process(linear=linear)
    rng = np.random.default_rng(2)
    x, y = torch.from_numpy(rng.normal(size=(count, 3))), torch.from_numpy(rng.normal(size=(count, 2)))
    grown = gp.appended(x, y)
    whole = GP.of(torch.cat((gp.inputs, x)), torch.cat((gp.targets, y)), gp.kernel, gp.noise, gp.mean)
    for name in ("cholesky", "beta", "precision", "log_likelihood"):
        torch.testing.assert_close(getattr(grown, name), getattr(whole, name), rtol=1e-9, atol=1e-9)
    assert len(gp.inputs) == 20, "a process is a value"


def test_an_appended_row_is_known_at_once():
    gp = process(noise=1e-3)
    x, y = torch.tensor([0.3, -2.0, 1.5]), torch.tensor([4.0, -3.0])
    mean, variance = gp.appended(x, y).predict(x)
    torch.testing.assert_close(mean, y.double(), atol=5e-3, rtol=0)
    assert bool((variance < 1.1e-6).all())


def test_a_row_appended_many_times_stays_sound():
    gp = process(noise=1e-3)
    for _ in range(30):
        gp = gp.appended(gp.inputs[0], gp.targets[0])
    mean, _ = gp.predict(gp.inputs[0])
    torch.testing.assert_close(mean, gp.targets[0], atol=1e-2, rtol=0)


def test_jitter_rises_until_the_factor_exists_and_then_gives_up_by_name():
    ones = torch.ones(3, 3, dtype=torch.float64)
    good = torch.eye(3, dtype=torch.float64)
    factor, jitter = factored(torch.stack((good, ones)))
    assert jitter.tolist() == [0.0, 1e-8]
    torch.testing.assert_close(factor @ factor.mT, torch.stack((good, ones + 1e-8 * good)))
    slightly = ones - 1e-6 * good
    assert factored(slightly[None])[1].item() == pytest.approx(1e-5, rel=1e-3)
    with pytest.raises(ValueError, match="output 1"):
        factored(torch.stack((good, -good)))


def test_duplicated_rows_are_sound():
    x = torch.zeros(10, 2)
    y = torch.arange(10.0)[:, None]
    gp = GP.of(x, y, Kernel(lengthscales=[[1.0, 1.0]], signal=[10.0]), torch.tensor([1.0]))
    mean, variance = gp.predict(torch.zeros(2))
    assert mean.item() == pytest.approx(4.5 * 1000 / 1001)
    assert variance.item() == pytest.approx(1 / (10 + 0.01))


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (np.zeros((3, 2)), np.zeros((2, 1)), r"got \(3, 2\) and \(2, 1\)"),
        (np.zeros((0, 2)), np.zeros((0, 1)), "N >= 1"),
        (np.zeros(3), np.zeros((3, 1)), r"\[N, D\]"),
        (np.full((3, 2), np.nan), np.zeros((3, 1)), r"inputs\[0, 0\] is nan"),
        (np.zeros((3, 2)), np.array([[0.0], [np.inf], [0.0]]), r"targets\[1, 0\] is inf"),
        (np.zeros((3, 4)), np.zeros((3, 1)), "4 inputs and 1 outputs, the kernel 2 and 1"),
    ],
)
def test_bad_rows_are_named(inputs, targets, message):
    with pytest.raises(ValueError, match=message):
        GP.of(inputs, targets, Kernel(lengthscales=[[1.0, 1.0]], signal=[1.0]), torch.tensor([0.1]))


def test_bad_hyperparameters_are_named():
    with pytest.raises(ValueError, match="lengthscales must be positive"):
        Kernel(lengthscales=[[1.0, -1.0]], signal=[1.0])
    with pytest.raises(ValueError, match="signal has shape"):
        Kernel(lengthscales=[[1.0, 1.0]], signal=[1.0, 2.0])
    kernel = Kernel(lengthscales=[[1.0, 1.0]], signal=[1.0])
    with pytest.raises(ValueError, match="noise must be above 0"):
        GP.of(np.zeros((3, 2)), np.zeros((3, 1)), kernel, torch.tensor([0.0]))
    with pytest.raises(ValueError, match="1 finite numbers"):
        GP.of(np.zeros((3, 2)), np.zeros((3, 1)), kernel, torch.tensor([0.1, 0.1]))
    with pytest.raises(ValueError, match="to append"):
        process().appended(torch.zeros(2), torch.zeros(2))
    with pytest.raises(ValueError, match="nan"):
        process().appended(torch.full((3,), math.nan), torch.zeros(2))


@pytest.mark.parametrize("linear", [False, True])
def test_saved_and_restored(linear):
    gp = process(linear=linear)
    back = GP.of_tensors(gp.tensors())
    assert torch.equal(back.beta, gp.beta)
    assert torch.equal(back.cholesky, gp.cholesky)
    with pytest.raises(ValueError, match="no signal"):
        GP.of_tensors({name: value for name, value in gp.tensors().items() if name != "signal"})


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 15), st.integers(0, 1000), st.floats(1e-3, 1.0))
def test_variance_lies_between_nothing_and_the_prior(rows, seed, noise):
    gp = process(rows=rows, noise=noise, seed=seed)
    where = torch.from_numpy(np.random.default_rng(seed).normal(size=(8, 3)) * 2)
    _, variances = gp.predict(torch.cat((where, gp.inputs)))
    assert bool((variances >= 0).all())
    assert bool((variances <= gp.kernel.signal.square() + 1e-12).all())


def test_agrees_with_gpytorch():
    gpytorch = pytest.importorskip("gpytorch")
    gp = process(outputs=1)

    class Theirs(gpytorch.models.ExactGP):
        def __init__(self, x, y, likelihood):
            super().__init__(x, y, likelihood)
            self.mean_module = gpytorch.means.ConstantMean()
            self.covar_module = gpytorch.kernels.ScaleKernel(gpytorch.kernels.RBFKernel(ard_num_dims=3))

        def forward(self, x):
            return gpytorch.distributions.MultivariateNormal(self.mean_module(x), self.covar_module(x))

    likelihood = gpytorch.likelihoods.GaussianLikelihood().double()
    theirs = Theirs(gp.inputs, gp.targets[:, 0], likelihood).double()
    theirs.initialize(
        **{
            "mean_module.constant": gp.mean[0],
            "covar_module.outputscale": gp.kernel.signal[0] ** 2,
            "covar_module.base_kernel.lengthscale": gp.kernel.lengthscales,
            "likelihood.noise": gp.noise[0] ** 2,
        }
    )
    density = gpytorch.mlls.ExactMarginalLogLikelihood(likelihood, theirs)
    value = density(theirs(gp.inputs), gp.targets[:, 0]) * len(gp.inputs)
    torch.testing.assert_close(value.detach(), gp.log_likelihood[0], rtol=1e-9, atol=1e-9)
    theirs.eval()
    where = torch.from_numpy(np.random.default_rng(1).normal(size=(5, 3)))
    with torch.no_grad():
        there = theirs(where)
    means, variances = gp.predict(where)
    torch.testing.assert_close(there.mean, means[:, 0], rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(there.variance, variances[:, 0], rtol=1e-7, atol=1e-8)
