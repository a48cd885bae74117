"""Expected costs against sampling, known cases and finite differences."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.gp import quadratic_cost, saturating_cost  # noqa: E402

TARGET = torch.tensor([0.2, -0.5, 1.0], dtype=torch.float64)


def gaussian(size=0.5, seed=0):
    rng = np.random.default_rng(seed)
    root = size * rng.normal(size=(3, 3))
    return torch.from_numpy(rng.normal(size=3)), torch.from_numpy(root @ root.T)


def precision(seed=5, rank=2):
    root = np.random.default_rng(seed).normal(size=(3, rank))
    return torch.from_numpy(root @ root.T)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_costs_are_those_of_samples(rank):
    count = 200_000
    (m, S), T = gaussian(), precision(rank=rank)
    x = torch.from_numpy(np.random.default_rng(1).multivariate_normal(m.numpy(), S.numpy(), count))
    distance = (((x - TARGET) @ T) * (x - TARGET)).sum(-1)
    cost = 1 - torch.exp(-0.5 * distance)
    mean, variance, together = saturating_cost(m, S, TARGET, T)
    square, product = (cost - mean).square(), (x - m) * (cost - mean)[:, None]
    expected = quadratic_cost(m, S, TARGET, T)
    for samples, ours in ((cost, mean), (square, variance), (product, together), (distance, expected[()])):
        assert bool(((samples.mean(0) - ours).abs() < 4.5 * samples.std(0) / math.sqrt(count)).all())


def test_a_certain_state_has_the_cost_itself():
    m, S = gaussian()
    T = precision()
    distance = float((m - TARGET) @ T @ (m - TARGET))
    mean, variance, together = saturating_cost(m, 0 * S, TARGET, T)
    assert mean.item() == pytest.approx(1 - math.exp(-0.5 * distance))
    assert variance.item() == pytest.approx(0, abs=1e-15)
    assert together.tolist() == [0, 0, 0]
    assert quadratic_cost(m, 0 * S, TARGET, T).item() == pytest.approx(distance)


def test_far_away_uncertainty_lowers_the_cost_and_at_the_target_it_raises_it():
    one = torch.eye(3, dtype=torch.float64)
    far, near = TARGET + 4, TARGET
    assert saturating_cost(far, one, TARGET, one)[0] < saturating_cost(far, 0.01 * one, TARGET, one)[0]
    assert saturating_cost(near, one, TARGET, one)[0] > saturating_cost(near, 0.01 * one, TARGET, one)[0]


def test_gradients_and_candidates():
    single = [gaussian(seed=seed) for seed in range(4)]
    m = torch.stack([m for m, _ in single]).requires_grad_()
    roots = torch.stack([torch.linalg.cholesky(S) for _, S in single]).requires_grad_()

    def all_costs(m, roots):
        S = roots @ roots.mT
        return (*saturating_cost(m, S, TARGET, precision()), quadratic_cost(m, S, TARGET, precision()))

    assert torch.autograd.gradcheck(all_costs, (m, roots), atol=1e-7, rtol=1e-6)
    batched = all_costs(m, roots)
    for number, (mean, S) in enumerate(single):
        alone = (*saturating_cost(mean, S, TARGET, precision()), quadratic_cost(mean, S, TARGET, precision()))
        for part, value in zip(batched, alone, strict=True):
            torch.testing.assert_close(part[number].detach(), value)


def test_tip_of_a_pole():
    """PILCO's weight for cart-pole: the squared distance of the pole's tip from where it stands upright."""
    length = 0.5
    Q = torch.tensor([[1, length, 0], [length, length**2, 0], [0, 0, length**2]], dtype=torch.float64)
    x, angle = 0.3, 2.0
    state = torch.tensor([x, math.sin(angle), math.cos(angle)], dtype=torch.float64)
    upright = torch.tensor([0, 0, -1.0], dtype=torch.float64)
    tip = np.array([x + length * math.sin(angle), -length * math.cos(angle)])
    wanted = ((tip - [0, length]) ** 2).sum()
    assert quadratic_cost(state, torch.zeros(3, 3), upright, Q).item() == pytest.approx(wanted)
