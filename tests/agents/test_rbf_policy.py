"""PILCO's policy: its moments against samples, its limits, and that it improves by the gradient."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.gp import GP, Kernel, process_inputs, with_angles  # noqa: E402
from sakiyomi.agents.parts.gp.rbf_policy import (  # noqa: E402
    RbfPolicy,
    control_of,
    followed,
    squashed_moments,
    sum_moments,
)

LOW, HIGH = torch.tensor([-1.0, 0.0]).double(), torch.tensor([3.0, 1.0]).double()


def a_policy(rng, centres=6, inputs=3, controls=2):
    return RbfPolicy(
        torch.from_numpy(rng.normal(size=(centres, inputs))),
        torch.from_numpy(rng.normal(size=(centres, controls))),
        torch.from_numpy(rng.normal(0, 0.3, inputs)),
    )


def covariance(rng, size):
    root = torch.from_numpy(rng.normal(0, 0.5, (size, size)))
    return root @ root.mT


def test_moments_of_the_sum_against_samples():
    rng = np.random.default_rng(0)
    policy, mean, spread = a_policy(rng), torch.from_numpy(rng.normal(size=3)), covariance(rng, 3)
    draws = torch.from_numpy(rng.multivariate_normal(mean.numpy(), spread.numpy(), 400_000))
    offsets = (draws[:, None] - policy.centres) / policy.log_lengthscales.exp()
    wishes = torch.exp(-0.5 * offsets.square().sum(-1)) @ policy.weights
    expected, second, pull = sum_moments(policy, mean, spread)
    np.testing.assert_allclose(expected, wishes.mean(0), atol=6e-3)
    np.testing.assert_allclose(second, np.cov(wishes.mT), atol=6e-3)
    together = (draws - mean).mT @ (wishes - wishes.mean(0)) / len(draws)
    np.testing.assert_allclose(spread @ pull, together, atol=6e-3)


def test_moments_of_the_squashed_controls_against_samples():
    rng = np.random.default_rng(1)
    mean, spread = torch.tensor([0.4, -1.0]).double(), covariance(rng, 2)
    draws = torch.from_numpy(rng.multivariate_normal(mean.numpy(), spread.numpy(), 400_000))
    controls = (LOW + HIGH) / 2 + (HIGH - LOW) / 2 * (9 * draws.sin() + (3 * draws).sin()) / 8
    expected, second, slopes = squashed_moments(mean, spread, LOW, HIGH)
    np.testing.assert_allclose(expected, controls.mean(0), atol=8e-3)
    np.testing.assert_allclose(second, np.cov(controls.mT), atol=8e-3)
    together = (draws - mean).mT @ (controls - controls.mean(0)) / len(draws)
    np.testing.assert_allclose(spread * slopes, together, atol=8e-3)


def test_controls_stay_within_the_limits():
    rng = np.random.default_rng(2)
    policy = a_policy(rng, inputs=3)
    wild = policy._replace(weights=50 * policy.weights)
    controls = control_of(wild, torch.from_numpy(rng.normal(size=(1000, 2))), (1,), LOW, HIGH)
    assert (controls >= LOW).all()
    assert (controls <= HIGH).all()
    np.testing.assert_allclose(controls.amax(0), HIGH, atol=1e-2)
    np.testing.assert_allclose(controls.amin(0), LOW, atol=1e-2)


def test_flat_and_back():
    policy = a_policy(np.random.default_rng(3))
    again = policy.like(policy.flat())
    assert all(torch.equal(one, other) for one, other in zip(policy, again, strict=True))


def test_a_sure_state_is_followed_as_the_policy_acts():
    """Without variance the tube is the chain of the process's means under the policy's own controls."""
    rng = np.random.default_rng(4)
    states, controls = torch.from_numpy(rng.normal(size=(20, 2))), torch.from_numpy(rng.uniform(-1, 1, (20, 1)))
    kernel = Kernel(lengthscales=torch.full((2, 4), 2.0), signal=torch.ones(2))
    change = torch.stack((0.1 * controls[:, 0] - 0.2 * states[:, 1].sin(), 0.1 * states[:, 0]), -1)
    gp = GP.of(process_inputs(states, controls, (1,)), change, kernel, torch.full((2,), 1e-2))
    policy, low, high = a_policy(rng, controls=1), torch.tensor([-1.0]).double(), torch.tensor([1.0]).double()
    state = torch.tensor([0.2, 0.4]).double()
    tube = followed(gp, policy, state, torch.zeros(2, 2).double(), 1, (1,), low, high)
    control = control_of(policy, state, (1,), low, high)
    following = state + gp.predict_mean(process_inputs(state, control, (1,)))
    np.testing.assert_allclose(tube.means[0], following, atol=1e-8)

    spread = torch.diag(torch.tensor([0.02, 0.02])).double()
    draws = torch.from_numpy(rng.multivariate_normal(state.numpy(), spread.numpy(), 200_000))
    acted = control_of(policy, draws, (1,), low, high)
    means, variances = gp.predict(process_inputs(draws, acted, (1,)))
    moved = (draws + means + variances.sqrt() * torch.from_numpy(rng.normal(size=means.shape))).numpy()
    tube = followed(gp, policy, state, spread, 1, (1,), low, high)
    np.testing.assert_allclose(tube.means[0], moved.mean(0), atol=3e-3)
    np.testing.assert_allclose(tube.covariances[0], np.cov(moved.T), atol=3e-3)
    assert with_angles(state, (1,)).shape == (4,)


def test_gradient_against_finite_differences():
    rng = np.random.default_rng(5)
    states, controls = torch.from_numpy(rng.normal(size=(15, 2))), torch.from_numpy(rng.uniform(-1, 1, (15, 1)))
    kernel = Kernel(lengthscales=torch.full((2, 4), 2.0), signal=torch.ones(2))
    gp = GP.of(process_inputs(states, controls, (1,)), 0.1 * states, kernel, torch.full((2,), 1e-2))
    policy, low, high = a_policy(rng, 4, controls=1), torch.tensor([-1.0]).double(), torch.tensor([1.0]).double()
    begin = torch.tensor([0.1, 0.5]).double(), 0.05 * torch.eye(2).double()

    def value(flat):
        tube = followed(gp, policy.like(flat), *begin, 3, (1,), low, high)
        return tube.means.square().sum() + tube.covariances.sum()

    flat = policy.flat().requires_grad_()
    (gradient,) = torch.autograd.grad(value(flat), flat)
    for number in range(0, len(flat), 3):
        shift = torch.zeros_like(flat)
        shift[number] = 1e-4
        with torch.no_grad():
            numeric = (value(flat + shift) - value(flat - shift)).item() / 2e-4
        assert gradient[number].item() == pytest.approx(numeric, rel=1e-5, abs=1e-6)
