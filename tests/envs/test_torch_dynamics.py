"""Plants as differentiable functions: the same numbers, and gradients that finite differences confirm."""

import numpy as np
import pytest

from sakiyomi.envs.catalog import PLANTS
from sakiyomi.envs.dynamics import after, step_rows
from sakiyomi.envs.torch_dynamics import torch_after, torch_reward

torch = pytest.importorskip("torch")

LIVELY = {
    "cartpole-swingup": (1, 1, 2, 3),
    "pendulum": (3, 3),
    "double-pendulum": (2, 2, 3, 3),
    "cart-double-pendulum": (1, 1, 2, 2, 3, 3),
    "reacher": (1, 1, 3, 3, 0.4, 0.4),
    "point-mass": (1, 1, 0.4, 0.4, 0.4, 0.4),
}


def drawn(name, count):
    rng, plant = np.random.default_rng(1), PLANTS[name]
    states = rng.normal(0, LIVELY[name], (count, len(plant.bounds)))
    return states, rng.uniform(-0.9, 0.9, (count, len(plant.limits))) * plant.limits


@pytest.mark.parametrize("name", LIVELY)
def test_tensors_move_as_arrays_do(name):
    plant, (states, controls) = PLANTS[name], drawn(name, 12)
    moved, rewards = step_rows(plant, states, 2 * controls)
    found = torch_after(plant, torch.tensor(states), torch.tensor(2 * controls))
    np.testing.assert_allclose(found.numpy(), moved, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(torch_reward(plant, found).numpy(), rewards, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("name", LIVELY)
def test_gradients_are_those_of_finite_differences(name):
    plant, (states, controls) = PLANTS[name], drawn(name, 2)
    inputs = [torch.tensor(each, requires_grad=True) for each in (states, controls)]
    assert torch.autograd.gradcheck(lambda s, u: torch_after(plant, s, u, substeps=3), inputs, atol=1e-6, rtol=1e-4)
    assert torch.autograd.gradcheck(lambda s: torch_reward(plant, s), inputs[:1], atol=1e-7)


@pytest.mark.parametrize("name", LIVELY)
def test_gradients_are_those_of_the_compiled_dynamics(name):
    """At the full number of substeps, by central differences of `after`."""
    plant, (states, controls) = PLANTS[name], drawn(name, 1)
    ours = torch.autograd.functional.jacobian(
        lambda s, u: torch_after(plant, s, u), (torch.tensor(states[0]), torch.tensor(controls[0]))
    )
    for k, (given, found) in enumerate(zip((states[0], controls[0]), ours, strict=True)):
        for j in range(len(given)):
            step = 1e-5 * np.eye(len(given))[j]
            ends = [[states[0], controls[0]] for _ in range(2)]
            ends[0][k], ends[1][k] = given + step, given - step
            slope = (after(plant, *ends[0]) - after(plant, *ends[1])) / 2e-5
            np.testing.assert_allclose(found[:, j].numpy(), slope, atol=1e-5, rtol=1e-5)


def test_a_control_beyond_the_limits_is_cut_and_has_no_gradient():
    plant = PLANTS["pendulum"]
    control = torch.tensor([[5.0], [1.0]], dtype=torch.float64, requires_grad=True)
    moved = torch_after(plant, torch.zeros(2, 2, dtype=torch.float64), control)
    moved.sum().backward()
    assert control.grad[0, 0] == 0
    assert control.grad[1, 0] > 0
    np.testing.assert_allclose(moved[0].detach(), after(plant, np.zeros(2), np.array([2.5])), atol=1e-12)


def test_shapes_and_types_are_those_given():
    plant = PLANTS["reacher"]
    states, controls = torch.zeros(3, 4, 6), torch.zeros(3, 4, 2)
    moved = torch_after(plant, states, controls, substeps=1)
    assert moved.shape == (3, 4, 6)
    assert moved.dtype == torch.float32
    assert torch_reward(plant, moved).shape == (3, 4)


def test_gradients_find_a_control():
    """Ten steps of descent bring the ball nearer to the goal than doing nothing."""
    plant = PLANTS["point-mass"]
    start = torch.tensor([0, 0, -0.5, 0, 0.3, 0.2], dtype=torch.float64)
    plan = torch.zeros(10, 2, dtype=torch.float64, requires_grad=True)
    rewards = []
    for _ in range(10):
        state, total = start, 0
        for control in plan:
            state = torch_after(plant, state, control, substeps=2)
            total = total + torch_reward(plant, state)
        rewards.append(float(total.detach()))
        (gradient,) = torch.autograd.grad(total, plan)
        plan = (plan + gradient).clamp(-2, 2).detach().requires_grad_()
    assert rewards[-1] > rewards[0] + 1
