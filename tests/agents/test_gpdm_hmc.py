"""Hybrid Monte Carlo: Gaussian moments, reversibility, acceptance; and fair samples against numerical integration."""

import numpy as np
import pytest

from sakiyomi.agents.parts.gpdm.hmc import hmc, leapfrog
from sakiyomi.agents.parts.gpdm.model import Model
from sakiyomi.agents.parts.gpdm.motions import gathered
from sakiyomi.agents.parts.gpdm.paths import fair_samples, future
from sakiyomi.agents.parts.gpdm.posterior import State
from sakiyomi.agents.parts.gpdm.transitions import Dynamics

COVARIANCE = np.array([[1.0, 0.6, 0.0], [0.6, 2.0, 0.3], [0.0, 0.3, 0.5]])
MEAN = np.array([1.0, -2.0, 0.5])


def gaussian(x):
    solved = np.linalg.solve(COVARIANCE, x - MEAN)
    return 0.5 * float((x - MEAN) @ solved), solved


def test_samples_have_the_moments_of_their_gaussian():
    found = hmc(gaussian, np.zeros(3), np.random.default_rng(0), draws=2000, step=0.05, leapfrogs=10, burn_in=50)
    assert found.acceptance >= 0.6
    assert found.points.mean(0) == pytest.approx(MEAN, abs=0.15)
    assert np.cov(found.points.T) == pytest.approx(COVARIANCE, abs=0.25)


def test_leapfrog_comes_back_and_keeps_volume():
    rng = np.random.default_rng(1)
    point, momentum = rng.normal(size=3), rng.normal(size=3)
    end, final, value = leapfrog(gaussian, point, momentum, 0.1, 25)
    back, again, _ = leapfrog(gaussian, end, -final, 0.1, 25)
    assert back == pytest.approx(point, abs=1e-10)
    assert -again == pytest.approx(momentum, abs=1e-10)
    assert value == gaussian(end)[0]


def test_the_same_seed_gives_the_same_samples():
    runs = [hmc(gaussian, np.zeros(3), np.random.default_rng(5), draws=5, step=0.3, leapfrogs=5) for _ in range(2)]
    assert np.array_equal(runs[0].points, runs[1].points)


def one_latent() -> Model:
    """A model of a single latent dimension whose dynamics are learnt from few points, so that it is unsure."""
    x = np.array([[-1.2], [-0.5], [0.4], [1.1], [0.6], [-0.3], [-1.0]])
    y = np.concatenate([x, 2 * x], axis=1) + 0.01 * np.arange(14).reshape(7, 2)
    alpha = np.array([0.2, 1.5, 0.8, 12.0])
    return Model(gathered([y]), Dynamics(), State(x, np.array([1.0, 50.0]), alpha, np.ones(2)))


def test_one_step_is_sampled_as_the_process_predicts_it():
    model = one_latent()
    found = fair_samples(model, model.x[-1:], 1, np.random.default_rng(0), draws=500, leapfrogs=5, step=0.2)
    mean, variance = model.step(model.x[-1:], model.x[-1:])
    assert found.points.mean() == pytest.approx(mean[0, 0], abs=4 * np.sqrt(variance[0] / 300))
    assert found.points.var() == pytest.approx(variance[0], rel=0.25)


def test_a_path_is_sampled_as_a_whole():
    """Two steps, whose joint density is integrated on a grid: the second's variance is not that of step by step."""
    model = one_latent()
    path = future(model, model.x[-1:], 2)
    grid = np.linspace(-4, 4, 41)
    densities = np.exp([[-path.slope(np.array([a, b]))[0] for b in grid] for a in grid])
    densities /= densities.sum()
    means = np.array([(densities.sum(1) * grid).sum(), (densities.sum(0) * grid).sum()])
    deviations = np.sqrt(
        [(densities.sum(1) * (grid - means[0]) ** 2).sum(), (densities.sum(0) * (grid - means[1]) ** 2).sum()]
    )
    found = fair_samples(model, model.x[-1:], 2, np.random.default_rng(3), draws=700, leapfrogs=5, step=0.2)
    assert found.points[:, :, 0].mean(0) == pytest.approx(means, abs=0.1)
    assert found.points[:, :, 0].std(0) == pytest.approx(deviations, rel=0.15)


def test_the_joint_of_a_path_is_not_a_chain_of_single_predictions():
    """A path that errs errs on in the same way, as the function is one; steps drawn one by one forget that."""
    model = one_latent()
    path = future(model, model.x[-1:], 2)
    away = model.step(model.x[-1:], model.x[-1:])[0][0, 0] + 0.5
    mean, variance = model.step(np.array([[away]]), np.array([[away]]))
    at = np.linspace(-4, 4, 401)
    joint = np.exp([-path.slope(np.array([away, b]))[0] for b in at])
    joint /= joint.sum()
    assert abs((joint * at).sum() - mean[0, 0]) > 0.02
    assert (joint * (at - (joint * at).sum()) ** 2).sum() < variance[0]
