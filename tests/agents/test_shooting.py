"""Planning by gradient: against solutions in closed form, brute force, and the true cart-pole."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.planning.shooting import shifted, shoot  # noqa: E402
from sakiyomi.envs.catalog import PLANTS  # noqa: E402
from sakiyomi.envs.dynamics import after, step_rows  # noqa: E402
from sakiyomi.envs.torch_dynamics import torch_after, torch_reward  # noqa: E402

LOW, HIGH = np.array([-1.0, -2.0]), np.array([1.0, 2.0])


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def course(controls):
    """[H + 1] where a point goes that each control moves by itself."""
    return torch.cat((torch.zeros(1, dtype=torch.float64), controls[:, 0].cumsum(0)))


def to(target):
    return lambda controls: ((controls - torch.tensor(target)).square().sum(), None)


def test_finds_the_minimum_inside_the_limits():
    target = np.array([[0.3, -1.5], [-0.9, 0.1], [0.0, 1.9]])
    plan = shoot(to(target), [np.zeros((3, 2))], LOW, HIGH, tolerance=1e-12)
    np.testing.assert_allclose(plan.controls, target, atol=1e-5)
    assert (plan.violation, plan.start) == (0, 0)
    assert plan.cost < 1e-9
    assert plan.evaluations > 1


def test_minimum_beyond_the_limits_is_at_the_limits_exactly():
    plan = shoot(to(np.array([[5.0, -7.0]])), [np.zeros((1, 2))], LOW, HIGH, tolerance=1e-12)
    assert plan.controls.tolist() == [[1.0, -2.0]]


def test_linear_quadratic_regulator():
    """x' = a x + b u, cost sum x'^2 + r u^2: the optimum is a least-squares problem in the controls."""
    a, b, r, first, steps = 0.9, 0.5, 0.2, 3.0, 7

    def objective(controls):
        x, cost = torch.tensor(first, dtype=torch.float64), 0.0
        for control in controls[:, 0]:
            x = a * x + b * control
            cost = cost + x.square() + r * control.square()
        return cost, None

    matrix = np.array([[b * a ** (t - s) if s <= t else 0.0 for s in range(steps)] for t in range(steps)])
    drift = first * a ** np.arange(1, steps + 1)
    whole = np.vstack((matrix, math.sqrt(r) * np.eye(steps)))
    best = np.linalg.lstsq(whole, -np.concatenate((drift, np.zeros(steps))), rcond=None)[0]
    limits = np.array([50.0])
    plan = shoot(objective, [np.zeros((steps, 1))], -limits, limits, iterations=200, tolerance=1e-14)
    np.testing.assert_allclose(plan.controls[:, 0], best, atol=1e-4)


def test_the_best_of_several_starts_is_kept():
    """Two valleys, the deeper one at 0.8; each start falls into its own."""

    def objective(controls):
        u = controls[0, 0]
        return 1 - torch.exp(-50 * (u - 0.8).square()) - 0.5 * torch.exp(-50 * (u + 0.8).square()), None

    low, high = np.array([-1.0]), np.array([1.0])
    shallow, deep = np.array([[-0.7]]), np.array([[0.7]])
    plan = shoot(objective, [shallow, deep], low, high, tolerance=1e-12)
    assert plan.start == 1
    assert plan.controls[0, 0] == pytest.approx(0.8, abs=1e-3)
    alone = shoot(objective, [shallow], low, high, tolerance=1e-12)
    assert alone.controls[0, 0] == pytest.approx(-0.8, abs=1e-3)
    assert plan.evaluations > alone.evaluations


def test_constraints_against_brute_force():
    """The point is to come to 2 in three steps, the sum of squares being small, and never to be beyond 1.2."""

    def objective(controls):
        way = course(controls)
        return (way[-1] - 2).square() + 0.1 * controls.square().sum(), 1.2 - way[1:]

    low, high = np.array([-1.0]), np.array([1.0])
    plan = shoot(objective, [np.zeros((3, 1))], low, high, iterations=100, tolerance=1e-12)
    grid = np.linspace(-1, 1, 81)
    u = np.stack(np.meshgrid(grid, grid, grid), -1).reshape(-1, 3)
    way = u.cumsum(1)
    costs = (way[:, -1] - 2) ** 2 + 0.1 * (u**2).sum(1)
    assert plan.violation == 0
    assert plan.cost == pytest.approx(costs[(way <= 1.2 + 1e-9).all(1)].min(), abs=2e-3)
    np.testing.assert_allclose(plan.controls[:, 0], 0.4, atol=1e-3)  # equal thirds of the way, by symmetry
    free = shoot(lambda controls: (objective(controls)[0], None), [np.zeros((3, 1))], low, high)
    assert free.controls.sum() > 1.5


def test_an_infeasible_outcome_never_displaces_a_plan_that_keeps_the_constraint():
    """Only what is near 0.6 is allowed, and nothing leads there from a start far off."""

    def objective(controls):
        u = controls[0, 0]
        return u + 1, (torch.exp(-200 * (u - 0.6).square()) - 0.5)[None]

    low, high, start, kept = np.array([-1.0]), np.array([1.0]), np.array([[-0.9]]), np.array([[0.62]])
    lost = shoot(objective, [start], low, high)
    assert lost.violation == pytest.approx(0.5)
    plan = shoot(objective, [start], low, high, kept=kept)
    assert (plan.violation, plan.start) == (0, 1)
    np.testing.assert_allclose(plan.controls, kept)
    assert plan.cost > lost.cost


def test_looking_ends_with_the_best_so_far():
    """However little may be spent, what is kept is looked at, so that a plan within the constraint is never lost."""
    low, high, kept = np.array([-1.0]), np.array([1.0]), np.array([[0.62]])

    def objective(controls):
        return ((controls + 0.9) ** 2).sum(), controls[:, 0] - 0.6

    for most in (1, 2, 4):
        plan = shoot(objective, [np.array([[-0.9]])], low, high, kept=kept, evaluations=most)
        assert plan.evaluations == most
        assert plan.violation == 0
        assert plan.start == 1 or most > 2
    calls = []
    plan = shoot(
        to(np.ones((3, 2))), [np.zeros((3, 2))] * 2, LOW, HIGH, over=lambda: calls.append(1) or len(calls) >= 3
    )
    assert plan.evaluations == 3
    with pytest.raises(ValueError, match="not finite at any"):
        shoot(lambda c: (c.sum() * torch.nan, None), [np.zeros((3, 2))], LOW, HIGH, evaluations=1)


def test_impossible_constraints_are_missed_least():
    def objective(controls):
        u = controls[0, 0]
        return u.square(), torch.stack((u - 3, -u + 0.0))  # 3 is out of reach, and opposed by the other

    plan = shoot(objective, [np.array([[0.5]]), np.array([[-0.5]])], np.array([-1.0]), np.array([1.0]))
    assert plan.violation <= 2.5
    assert -1 <= plan.controls[0, 0] <= 1


def test_what_is_not_finite_never_wins():
    def objective(controls):
        u = controls[0, 0]
        return torch.where(u > 0, torch.log(u), torch.tensor(torch.nan, dtype=torch.float64)) + 5 * u, None

    low, high = np.array([-1.0]), np.array([1.0])
    plan = shoot(objective, [np.array([[-0.5]]), np.array([[0.5]])], low, high)
    assert plan.controls[0, 0] > 0
    assert math.isfinite(plan.cost)
    assert plan.start == 1
    with pytest.raises(ValueError, match="not finite at any"):
        shoot(objective, [np.array([[-0.5]])], low, high)


def test_bad_starts_and_limits():
    zero = np.zeros((2, 2))
    with pytest.raises(ValueError, match="below the upper"):
        shoot(to(zero), [zero], HIGH, LOW)
    for starts in ([], [np.zeros((2, 3))], [zero, np.zeros((3, 2))], [np.zeros(2)], [np.zeros((0, 2))]):
        with pytest.raises(ValueError, match="same shape"):
            shoot(to(zero), starts, LOW, HIGH)
    with pytest.raises(ValueError, match="same shape"):
        shoot(to(zero), [zero], LOW, HIGH, kept=np.zeros((3, 2)))


def test_the_rest_of_a_plan():
    controls = np.arange(6.0).reshape(3, 2)
    assert shifted(controls).tolist() == [[2, 3], [4, 5], [4, 5]]
    assert shifted(controls, 5).tolist() == [[4, 5]] * 3


PLANT = PLANTS["cartpole-swingup"]


def true_costs(state, plans):
    """[B] what `plans` [B, H, 1] cost from `state` by the true equations, compiled."""
    states, costs = np.repeat(state[None], len(plans), 0), np.zeros(len(plans))
    for controls in plans.transpose(1, 0, 2):
        states, rewards = step_rows(PLANT, states, controls)
        costs += 1 - rewards
    return costs


class Compiled(torch.autograd.Function):
    """The cost of controls [H, 1] with its gradient by differences, for the sake of speed."""

    @staticmethod
    def forward(ctx, controls, state):
        plan = controls.detach().numpy()
        shifts = 1e-5 * np.eye(plan.size).reshape(-1, *plan.shape)
        cost, *others = true_costs(state, np.concatenate((plan[None], plan + shifts, plan - shifts)))
        up, down = np.split(np.array(others), 2)
        ctx.save_for_backward(torch.from_numpy((up - down).reshape(plan.shape) / 2e-5))
        return torch.tensor(cost, dtype=torch.float64)

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.saved_tensors[0], None


def differentiated(state, controls):
    """The same cost, with its gradient by PyTorch."""
    moved, cost = torch.from_numpy(state), torch.zeros((), dtype=torch.float64)
    for control in controls:
        moved = torch_after(PLANT, moved, control, substeps=10)
        cost = cost + 1 - torch_reward(PLANT, moved)
    return cost


def test_both_gradients_of_the_true_cartpole_agree():
    rng = np.random.default_rng(0)
    state, plan = np.array([0.1, 0.3, 1.0, 2.5]), rng.uniform(-8, 8, (5, 1))
    controls = torch.from_numpy(plan).requires_grad_()
    costs = Compiled.apply(controls, state), differentiated(state, controls)
    assert costs[0].item() == pytest.approx(costs[1].item(), rel=1e-5)
    gradients = [torch.autograd.grad(cost, controls)[0] for cost in costs]
    np.testing.assert_allclose(*gradients, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
def test_true_cartpole_is_swung_up_and_held(seed):
    """With eight steps of foresight the tip comes within 8 cm of its goal within a second or so, and stays there."""
    rng = np.random.default_rng(seed)
    state, limits, plan, distances = PLANT.start(rng), np.array(PLANT.limits), None, []
    for _ in range(25):
        begin = state
        starts = [plan.after()] if plan else [rng.uniform(-10, 10, (8, 1)) for _ in range(3)]
        plan = shoot(lambda controls, at=begin: (Compiled.apply(controls, at), None), starts, -limits, limits)
        state = after(PLANT, state, plan.controls[0])
        distances.append(math.hypot(state[0] + 0.5 * math.sin(state[3]), 0.5 * (1 + math.cos(state[3]))))
    distances = np.array(distances)
    assert distances[0] > 0.9
    assert (distances[12:] < 0.08).all(), distances
