"""A step of a state's distribution against Kalman's prediction, sampling, and many steps in a row."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.gp import GP, Kernel, angle_moments, next_mean, next_state, process_inputs, with_angles  # noqa: E402


def pendulum(rows=60, seed=0):
    """A process of a pendulum's changes: state (speed, angle), a torque, the angle seen as sine and cosine."""
    rng = np.random.default_rng(seed)
    states = np.stack((rng.uniform(-4, 4, rows), rng.uniform(-3, 3, rows)), 1)
    controls = rng.uniform(-2, 2, (rows, 1))
    faster = 0.1 * (controls[:, 0] - 5 * np.sin(states[:, 1]))
    changes = np.stack((faster, 0.1 * (states[:, 0] + 0.5 * faster)), 1) + 0.003 * rng.normal(size=(rows, 2))
    kernel = Kernel(lengthscales=[[8.0, 1.5, 1.5, 6.0], [6.0, 3.0, 3.0, 8.0]], signal=[1.0, 0.7])
    return GP.of(process_inputs(states, controls, [1]), changes, kernel, torch.tensor([0.005, 0.005]))


STATE = torch.tensor([0.5, 2.0], dtype=torch.float64)
SPREAD = torch.tensor([[0.1, 0.03], [0.03, 0.05]], dtype=torch.float64)
TORQUE = torch.tensor([0.7], dtype=torch.float64)


def test_inputs_are_laid_out():
    row = process_inputs([1.0, 2.0, 3.0], [4.0], [1, 0])
    wanted = [3.0, math.sin(2), math.cos(2), math.sin(1), math.cos(1), 4.0]
    assert row.tolist() == pytest.approx(wanted)
    assert process_inputs([1.0, 2.0], [4.0]).tolist() == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("linear", [False, True])
def test_a_linear_system_is_predicted_as_by_kalman(linear):
    A = torch.tensor([[0.1, 0.3], [-0.4, -0.2]], dtype=torch.float64)
    B = torch.tensor([[0.2], [0.5]], dtype=torch.float64)
    rng = np.random.default_rng(0)
    states, controls = torch.from_numpy(rng.normal(size=(80, 2))), torch.from_numpy(rng.normal(size=(80, 1)))
    changes = states @ A.mT + controls @ B.mT
    if linear:
        kernel = Kernel(lengthscales=torch.ones(2, 3), signal=[3e-3, 3e-3], linear=torch.ones(2, 3))
    else:
        kernel = Kernel(lengthscales=torch.full((2, 3), 20.0), signal=[3.0, 3.0])
    gp = GP.of(process_inputs(states, controls), changes, kernel, torch.full((2,), 3e-3))
    U = torch.tensor([[0.09]], dtype=torch.float64)
    cross = torch.tensor([[0.02], [-0.03]], dtype=torch.float64)
    mean, covariance = next_state(gp, STATE, SPREAD, TORQUE, control_covariance=U, cross_covariance=cross)
    F = torch.eye(2, dtype=torch.float64) + A
    torch.testing.assert_close(mean, F @ STATE + B @ TORQUE, atol=1e-3, rtol=0)
    wanted = F @ SPREAD @ F.mT + B @ U @ B.mT + F @ cross @ B.mT + (F @ cross @ B.mT).mT
    torch.testing.assert_close(covariance, wanted, atol=1e-3, rtol=0)


def by_samples(gp, spread, control_of, count=100_000):
    """Mean and covariance of the next state by sampling the state, with `control_of` the augmented states."""
    rng = np.random.default_rng(0)
    states = torch.from_numpy(rng.multivariate_normal(STATE.numpy(), spread.numpy(), count))
    means, variances = gp.predict(process_inputs(states, control_of(with_angles(states, [1])), [1]))
    after = states + means + variances.sqrt() * torch.from_numpy(rng.normal(size=(count, 2)))
    return after.mean(0), after.mT.cov()


def test_moments_are_those_of_samples_where_angles_are_nearly_gaussian():
    """What is approximate is to take sines and cosines for Gaussian, which small spreads nearly are."""
    gp, spread = pendulum(), 0.05 * SPREAD
    mean, covariance = next_state(gp, STATE, spread, TORQUE, angles=[1])
    wanted_mean, wanted = by_samples(gp, spread, lambda full: TORQUE.expand(len(full), 1))
    torch.testing.assert_close(mean, wanted_mean, atol=2e-3, rtol=0)
    torch.testing.assert_close(covariance, wanted, atol=0, rtol=0.03)


def test_a_control_that_depends_on_the_state():
    """A feedback u = K [x, sin, cos], whose covariance with the state is known."""
    gp, spread = pendulum(), 0.05 * SPREAD
    K = torch.tensor([[-1.3, 0.2, 2.5, 0.4]], dtype=torch.float64)
    full_mean, full, _ = angle_moments(STATE, spread, [1])
    given = {"angles": [1], "control_covariance": K @ full @ K.mT}
    mean, covariance = next_state(gp, STATE, spread, K @ full_mean, cross_covariance=full @ K.mT, **given)
    wanted_mean, wanted = by_samples(gp, spread, lambda full: full @ K.mT)
    torch.testing.assert_close(mean, wanted_mean, atol=2e-3, rtol=0)
    torch.testing.assert_close(covariance, wanted, atol=0, rtol=0.05)
    _, independent = next_state(gp, STATE, spread, K @ full_mean, **given)
    assert float(((independent - wanted) / wanted).abs().max()) > 0.2, "the feedback damps"


def test_certain_states_are_the_mean_only_mode():
    gp = pendulum()
    mean, covariance = next_state(gp, STATE, torch.zeros(2, 2), TORQUE, angles=[1])
    torch.testing.assert_close(next_mean(gp, STATE, TORQUE, angles=[1]), mean)
    torch.testing.assert_close(
        covariance, torch.diag(gp.predict(process_inputs(STATE, TORQUE, [1]))[1]), atol=1e-9, rtol=1e-6
    )
    uncertain, _ = next_state(gp, STATE, SPREAD, TORQUE, angles=[1])
    assert float((uncertain - mean).abs().max()) > 1e-3, "spread moves the mean"


def test_covariance_stays_sound_over_many_steps():
    gp = pendulum()
    mean, covariance = STATE.expand(5, 2), 1e-4 * torch.eye(2, dtype=torch.float64).expand(5, 2, 2)
    controls = torch.from_numpy(np.random.default_rng(0).uniform(-2, 2, (40, 5, 1)))
    for control in controls:
        mean, covariance = next_state(gp, mean, covariance, control, angles=[1])
        assert torch.equal(covariance, covariance.mT)
        assert torch.linalg.eigvalsh(covariance).min().item() >= -1e-10
        assert bool(torch.isfinite(mean).all())


def test_gradient_through_steps_is_that_of_finite_differences():
    gp = pendulum()

    def reached(controls, mean, root):
        covariance = root @ root.mT
        for control in controls:
            mean, covariance = next_state(gp, mean, covariance, control, angles=[1])
        return mean, covariance

    controls = torch.tensor([[0.5], [-1.0], [1.5]], dtype=torch.float64, requires_grad=True)
    root = torch.linalg.cholesky(SPREAD).requires_grad_()
    assert torch.autograd.gradcheck(reached, (controls, STATE.clone().requires_grad_(), root), eps=1e-4, atol=1e-6)

    def certain(controls, mean):
        for control in controls:
            mean = next_mean(gp, mean, control, angles=[1])
        return mean

    assert torch.autograd.gradcheck(certain, (controls, STATE.clone().requires_grad_()), atol=1e-6, rtol=1e-6)


def test_candidates_share_a_state():
    gp = pendulum()
    controls = torch.tensor([[0.5], [-1.0], [1.5]], dtype=torch.float64)
    mean, covariance = next_state(gp, STATE.expand(3, 2), SPREAD.expand(3, 2, 2), controls, angles=[1])
    for number in range(3):
        alone = next_state(gp, STATE, SPREAD, controls[number], angles=[1])
        torch.testing.assert_close((mean[number], covariance[number]), alone)


def test_widths_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"4 inputs and 2 outputs; 2 states with 0 angles and 1 controls want 3 and 2"):
        next_state(pendulum(), STATE, SPREAD, TORQUE)
    with pytest.raises(ValueError, match="want 5 and 2"):
        next_mean(pendulum(), STATE, torch.zeros(2), angles=[1])
