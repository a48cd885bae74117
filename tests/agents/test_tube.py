"""States to come as a Gaussian process foretells them: against Monte Carlo, definitions, and the adjoint recursion."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.gp import GP, Kernel, next_state, process_inputs  # noqa: E402
from sakiyomi.agents.parts.gp.tube import Tube, costs_of, foretold, margins, outside, satisfied  # noqa: E402

ANGLES = (1,)


@pytest.fixture(scope="module")
def gp():
    """Of a pendulum-like system: state (omega, theta), one control."""
    rng = np.random.default_rng(0)
    states = torch.from_numpy(rng.normal(0, 1, (25, 2)))
    controls = torch.from_numpy(rng.uniform(-2, 2, (25, 1)))
    omega, theta = states.unbind(-1)
    change = torch.stack((0.1 * (controls[:, 0] - 5 * theta.sin()), 0.1 * omega), -1)
    kernel = Kernel(lengthscales=torch.full((2, 4), 2.0), signal=torch.tensor([1.0, 0.5]))
    noise = torch.tensor([0.02, 0.01])
    return GP.of(process_inputs(states, controls, ANGLES), change, kernel, noise)


BEGIN = (torch.tensor([0.3, 0.5], dtype=torch.float64), torch.diag(torch.tensor([0.04, 0.01], dtype=torch.float64)))


def test_the_first_step_against_samples(gp):
    control = torch.tensor([[0.7]], dtype=torch.float64)
    tube = foretold(gp, *BEGIN, control, ANGLES)
    draws = 200_000
    noise = torch.from_numpy(np.random.default_rng(1).normal(size=(2, draws, 2)))
    states = BEGIN[0] + noise[0] * BEGIN[1].diagonal().sqrt()
    means, variances = gp.predict(process_inputs(states, control.expand(draws, 1), ANGLES))
    following = (states + means + noise[1] * variances.sqrt()).numpy()
    # sines and cosines are matched, not carried on exactly: a percent of the spread
    spread = following.std(0)
    np.testing.assert_allclose(tube.means[0], following.mean(0), atol=0.02 * spread.max())
    np.testing.assert_allclose(tube.covariances[0], np.cov(following.T), atol=0.03 * spread.max() ** 2)


def test_certain_is_the_limit_of_no_variance(gp):
    controls = torch.tensor([[0.7], [-1.0], [2.0]], dtype=torch.float64)
    certain = foretold(gp, *BEGIN, controls, ANGLES, certain=True)
    assert not certain.covariances.any()
    first = foretold(gp, BEGIN[0], 1e-14 * BEGIN[1], controls[:1], ANGLES)
    np.testing.assert_allclose(certain.means[0], first.means[0], atol=1e-9)
    unsure = foretold(gp, *BEGIN, controls, ANGLES)
    assert (certain.means[-1] - unsure.means[-1]).abs().max() > 1e-3


def test_covariances_stay_positive_semidefinite(gp):
    controls = torch.from_numpy(np.random.default_rng(2).uniform(-2, 2, (40, 1)))
    covariances = foretold(gp, *BEGIN, controls, ANGLES).covariances
    assert torch.equal(covariances, covariances.mT)
    assert torch.linalg.eigvalsh(covariances).min() > -1e-10


def test_gradient_is_the_adjoint_recursion_and_that_of_finite_differences(gp):
    """Pontryagin: costates run back by the derivatives of each step; the controls' gradient is read off them."""
    tip = torch.tensor([[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]], dtype=torch.float64)
    goal = torch.tensor([0.0, -1.0], dtype=torch.float64)
    controls = torch.tensor([[0.7], [-1.0], [1.5], [0.2]], dtype=torch.float64, requires_grad=True)

    def step_cost(mean, covariance):
        return costs_of(Tube(mean[None], covariance[None]), ANGLES, tip, goal, (2.0,)).sum()

    def cost(controls):
        return costs_of(foretold(gp, *BEGIN, controls, ANGLES), ANGLES, tip, goal, (2.0,)).sum()

    (gradient,) = torch.autograd.grad(cost(controls), controls)
    fixed = controls.detach()
    path = [BEGIN]
    for control in fixed:
        path.append(next_state(gp, *path[-1], control, angles=ANGLES))
    costate = [torch.zeros_like(each) for each in BEGIN]
    adjoint = torch.zeros_like(fixed)
    for t in reversed(range(len(fixed))):
        arrived = [each.detach().requires_grad_() for each in path[t + 1]]
        slopes = torch.autograd.grad(step_cost(*arrived), arrived)
        costate = [c + s for c, s in zip(costate, slopes, strict=True)]
        left = [each.detach().requires_grad_() for each in (*path[t], fixed[t])]
        moved = next_state(gp, *left[:2], left[2], angles=ANGLES)
        hamiltonian = sum((c * m).sum() for c, m in zip(costate, moved, strict=True))
        *costate, adjoint[t] = torch.autograd.grad(hamiltonian, left)
    np.testing.assert_allclose(gradient, adjoint, rtol=1e-9, atol=1e-13)
    for t in range(len(fixed)):
        shift = torch.zeros_like(fixed)
        shift[t] = 1e-4
        numeric = (cost(fixed + shift) - cost(fixed - shift)) / 2e-4
        assert gradient[t, 0].item() == pytest.approx(numeric.item(), rel=1e-6, abs=1e-9)


def made_tube(rng, steps=3, size=2):
    roots = rng.normal(size=(steps, size, size))
    return Tube(torch.from_numpy(rng.normal(size=(steps, size))), torch.from_numpy(roots @ roots.transpose(0, 2, 1)))


def test_costs_against_samples():
    """Without angles the point is Gaussian, and its expected cost exact."""
    rng = np.random.default_rng(3)
    tube, tip, goal = made_tube(rng), torch.from_numpy(rng.normal(size=(2, 2))), torch.tensor([0.5, -0.2]).double()
    costs = costs_of(tube, (), tip, goal, (0.5, 2.0))
    assert costs.shape == (2, 3)
    for step in range(3):
        draws = rng.multivariate_normal(tube.means[step].numpy(), tube.covariances[step].numpy(), 400_000)
        squared = ((draws @ tip.numpy().T - goal.numpy()) ** 2).sum(1)
        for number, width in enumerate((0.5, 2.0)):
            assert costs[number, step].item() == pytest.approx(1 - np.exp(-squared / 2 / width**2).mean(), abs=3e-3)


def test_a_wall_at_the_margin_is_kept_with_the_confidence_wanted():
    tube = made_tube(np.random.default_rng(4))
    deviations = tube.covariances[:, 0, 0].sqrt()
    for step in range(3):
        one = Tube(tube.means[step : step + 1], tube.covariances[step : step + 1])
        walls = ((0, None, float(tube.means[step, 0] + 1.6448536 * deviations[step])),)
        assert margins(one, walls, 0.95).item() == pytest.approx(0, abs=1e-6)
        assert satisfied(one, walls).item() == pytest.approx(0.95, abs=1e-7)
        assert margins(one, walls, None).item() == pytest.approx(1.6448536 * deviations[step].item())
        far = float(1.9599640 * deviations[step])
        both = ((0, float(tube.means[step, 0]) - far, float(tube.means[step, 0]) + far),)
        np.testing.assert_allclose(margins(one, both, 0.95), 0, atol=1e-6)
        assert satisfied(one, both).item() == pytest.approx(0.95, abs=1e-7)


def test_walls_on_a_sure_state():
    tube = Tube(torch.tensor([[0.0], [2.0]]).double(), torch.zeros(2, 1, 1).double())
    walls = ((0, -1.0, 1.0),)
    assert margins(tube, walls, 0.95).tolist() == pytest.approx([1, 3, 1, -1])
    assert satisfied(tube, walls).tolist() == [1, 0]


def test_outside():
    walls = ((1, None, 2.0), (0, -1.0, 1.0))
    assert not outside([0.0, 2.0], walls)
    assert not outside([1.0, -math.inf], walls)
    assert outside([0.0, 2.1], walls)
    assert outside([-1.1, 0.0], walls)
    assert not outside([9.0, 9.0], ())
