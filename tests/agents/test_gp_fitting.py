"""Fitting: gradients, planted hyper-parameters, and rows from which little can be learned."""

import math

import numpy as np
import pytest
from scipy.optimize import approx_fprime

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.gp import GP, Kernel, fit  # noqa: E402
from sakiyomi.agents.parts.gp.fitting import Problem, objective  # noqa: E402


def problem(rows=15, linear=False, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(rows, 2)), rng.normal(size=rows)
    return Problem(x, y, np.ones(2), 1.0, linear)


PARAMETERS = np.array([0.2, -0.4, -1.0, 1.3])


@pytest.mark.parametrize("linear", [False, True])
def test_gradient_is_that_of_finite_differences(linear):
    parameters = np.append(PARAMETERS, [-0.5, 0.4]) if linear else PARAMETERS
    parameters = np.append(parameters[:1] + 4.4, parameters[1:])  # where the penalty counts
    _, gradient = objective(parameters, problem(linear=linear))
    numeric = approx_fprime(parameters, lambda p: objective(p, problem(linear=linear))[0], 1e-6)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("linear", [False, True])
def test_objective_is_the_process_s_likelihood(linear):
    parameters = np.append(PARAMETERS, [-0.5, 0.4]) if linear else PARAMETERS
    rows = problem(linear=linear)
    kernel = Kernel(
        lengthscales=torch.from_numpy(np.exp(parameters[None, :2])),
        signal=torch.from_numpy(np.exp(parameters[2:3] + parameters[3:4])),
        linear=torch.from_numpy(np.exp(parameters[None, 4:])) if linear else None,
    )
    gp = GP.of(rows.inputs, rows.targets[:, None], kernel, torch.from_numpy(np.exp(parameters[2:3])))
    assert objective(parameters, rows)[0] == pytest.approx(-gp.log_likelihood.item(), abs=1e-9)


def test_gradient_agrees_with_scikit_learn():
    kernels = pytest.importorskip("sklearn.gaussian_process.kernels")
    from sklearn.gaussian_process import GaussianProcessRegressor

    rows = problem()
    signal, noise = math.exp(2 * (PARAMETERS[2] + PARAMETERS[3])), math.exp(2 * PARAMETERS[2])
    theirs = kernels.ConstantKernel(signal) * kernels.RBF(np.exp(PARAMETERS[:2])) + kernels.WhiteKernel(noise)
    model = GaussianProcessRegressor(theirs, alpha=0.0, optimizer=None).fit(rows.inputs, rows.targets)
    value, slope = model.log_marginal_likelihood(model.kernel_.theta, eval_gradient=True)
    ours, gradient = objective(PARAMETERS, rows)
    assert value == pytest.approx(-ours, abs=1e-9)
    # Theirs are logs of variances: signal, lengthscales, noise. Ours scale the signal with the noise.
    wanted = -np.array([slope[1], slope[2], 2 * slope[0] + 2 * slope[3], 2 * slope[0]])
    np.testing.assert_allclose(gradient, wanted, atol=1e-7)


def test_planted_hyperparameters_are_found():
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (150, 2))
    kernel = Kernel(lengthscales=[[0.7, 3.0]], signal=[2.0])
    covariance = kernel(torch.from_numpy(x), torch.from_numpy(x))[0].numpy() + 0.01 * np.eye(150)
    y = np.linalg.cholesky(covariance) @ rng.normal(size=150)
    gp = fit(x, y[:, None])
    np.testing.assert_allclose(gp.kernel.lengthscales[0], [0.7, 3.0], rtol=0.3)
    assert gp.kernel.signal.item() == pytest.approx(2.0, rel=0.4)
    assert gp.noise.item() == pytest.approx(0.1, rel=0.2)
    truth = GP.of(x, y[:, None], kernel, torch.tensor([0.1]))
    assert gp.log_likelihood.item() > truth.log_likelihood.item()


def test_a_line_is_extrapolated_by_the_linear_part():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (40, 2))
    y = (x @ [[3.0], [-1.0]]) + 0.01 * rng.normal(size=(40, 1))
    gp = fit(x, y, linear=True)
    mean, variance = gp.predict(torch.tensor([4.0, 4.0]))
    assert mean.item() == pytest.approx(8.0, abs=0.2)
    assert variance.item() < 0.1


def test_the_best_of_several_starts_is_kept():
    rng = np.random.default_rng(3)
    x = rng.uniform(-2, 2, (25, 3))
    y = np.sin(6 * x[:, :1]) + 0.1 * rng.normal(size=(25, 1))
    one, many = (fit(x, y, starts=starts).log_likelihood.item() for starts in (1, 6))
    assert many >= one - 1e-6


def test_same_seed_same_fit():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=(20, 2))
    first, second = (fit(x, y, rng=np.random.default_rng(5)) for _ in range(2))
    assert torch.equal(first.beta, second.beta)


def test_warm_start_begins_where_it_was():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 2))
    y = np.sin(2 * x[:, :1]) + 0.05 * rng.normal(size=(40, 1))
    cold = fit(x, y, starts=3)
    warm = fit(x, y, starts=1, warm=cold, iterations=1)
    assert warm.log_likelihood.item() >= cold.log_likelihood.item() - 1e-3
    both = fit(x, y, linear=True, warm=cold)
    assert both.kernel.linear is not None
    with pytest.raises(ValueError, match="warm has 1 outputs of 2 inputs"):
        fit(x, np.hstack((y, y)), warm=cold)


def sound(gp):
    where = torch.from_numpy(np.random.default_rng(0).normal(size=(10, gp.inputs.shape[1])))
    means, variances = gp.predict(where)
    assert bool(torch.isfinite(means).all())
    assert bool(torch.isfinite(variances).all())
    assert bool((gp.kernel.signal <= 1000.001 * gp.noise).all())
    assert bool(torch.isfinite(gp.kernel.lengthscales).all())


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("value", [0.0, 5.0, -1e-9, 1e6])
def test_constant_outputs(value, linear):
    x = np.random.default_rng(0).normal(size=(20, 2))
    gp = fit(x, np.full((20, 1), value), linear=linear)
    sound(gp)
    assert gp.predict_mean(torch.from_numpy(x)).numpy() == pytest.approx(np.full((20, 1), value), rel=0.05, abs=1e-9)


@pytest.mark.parametrize("linear", [False, True])
def test_constant_inputs(linear):
    rng = np.random.default_rng(0)
    x = np.stack((rng.normal(size=30), np.full(30, 7.0)), 1)
    y = np.sin(x[:, :1])
    sound(fit(x, y, linear=linear))
    sound(fit(np.full((30, 2), 3.0), rng.normal(size=(30, 1)), linear=linear))


@pytest.mark.parametrize("linear", [False, True])
def test_duplicated_rows(linear):
    rng = np.random.default_rng(0)
    x = np.repeat(rng.normal(size=(5, 2)), 8, 0)
    sound(fit(x, x[:, :1] + 0.1 * rng.normal(size=(40, 1)), linear=linear))
    sound(fit(x, x[:, :1], linear=linear))


def test_noiseless_rows_stay_within_the_ratio_of_signal_to_noise():
    x = np.linspace(-3, 3, 60)[:, None]
    gp = fit(x, np.hstack((np.sin(x), x)))
    sound(gp)
    np.testing.assert_allclose(gp.predict_mean(torch.from_numpy(x))[:, 0], np.sin(x[:, 0]), atol=0.01)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_units_do_not_matter(scale):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 2))
    y = np.sin(x[:, :1]) + 0.1 * rng.normal(size=(30, 1))
    plain, scaled = fit(x, y), fit(x * scale, y / scale)
    np.testing.assert_allclose(scaled.kernel.lengthscales, plain.kernel.lengthscales * scale, rtol=0.02)
    np.testing.assert_allclose(scaled.noise * scale, plain.noise, rtol=0.02)


def test_two_rows_are_enough_and_one_is_not():
    sound(fit(np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]])))
    with pytest.raises(ValueError, match="at least 2 rows"):
        fit(np.zeros((1, 2)), np.zeros((1, 1)))
    with pytest.raises(ValueError, match="1 start"):
        fit(np.zeros((3, 2)), np.zeros((3, 1)), starts=0)
    with pytest.raises(ValueError, match="is nan"):
        fit(np.full((3, 2), np.nan), np.zeros((3, 1)))
