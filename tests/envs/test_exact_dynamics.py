"""Our own plants: their equations against a tight integrator and the conservation of energy, their rewards by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sakiyomi.envs.catalog import PLANTS
from sakiyomi.envs.dynamics import advance, after

CART, ROD = PLANTS["cartpole-swingup"], PLANTS["pendulum"]
SPEEDS = {"cartpole-swingup": (2, 3, 10, 3), "pendulum": (8, 3)}


@pytest.mark.parametrize("name", SPEEDS)
def test_a_step_is_that_of_a_tight_integrator(name):
    plant, rng = PLANTS[name], np.random.default_rng(0)
    for _ in range(25):
        state, control = rng.normal(0, SPEEDS[name]), rng.uniform(-1, 1, 1) * plant.limits
        exact = solve_ivp(
            lambda t, y, u=tuple(control): plant.derivative(tuple(y), u),
            (0, plant.step),
            state,
            method="DOP853",
            rtol=1e-12,
            atol=1e-13,
        ).y[:, -1]
        assert np.abs(after(plant, state, control) - exact).max() < 1e-6
    rest = np.zeros(len(SPEEDS[name]))
    assert np.abs(after(plant, rest, np.zeros(1)) - rest).max() < 1e-12  # hanging


@pytest.mark.parametrize("name", SPEEDS)
def test_the_integrator_is_of_fourth_order(name):
    plant, state = PLANTS[name], tuple(float(x) for x in SPEEDS[name])
    exact = np.array(advance(plant, state, (1.0,), 0.1, 640))
    errors = [np.abs(np.array(advance(plant, state, (1.0,), 0.1, n)) - exact).max() for n in (10, 20)]
    assert 12 < errors[0] / errors[1] < 20


@pytest.mark.parametrize("name", SPEEDS)
def test_energy_is_kept_without_friction_and_lost_with_it(name):
    state = np.array(SPEEDS[name], float)
    for friction, kept in ((0.0, True), (0.1, False)):
        plant = replace(PLANTS[name], friction=friction)
        now, before = state, plant.energy(tuple(state))
        for _ in range(20):
            now = after(plant, now, np.zeros(1))
        if kept:
            assert plant.energy(tuple(now)) == pytest.approx(before, abs=1e-4)
        else:
            assert plant.energy(tuple(now)) < before - 0.1


def test_work_is_force_times_way():
    """What a force adds to the energy of the cart and its pole, which the equations of motion know nothing of."""
    plant, state, work = replace(CART, friction=0.0), (0.1, 0.5, -2.0, 1.0), 0.0
    before = plant.energy(state)
    for _ in range(2000):
        following = advance(plant, state, (7.0,), 1e-4, 1)
        work += 7.0 * (following[0] - state[0])
        state = following
    assert plant.energy(state) - before == pytest.approx(work, abs=1e-6)


def test_rewards_by_hand():
    assert CART.reward((0.0, 0.0, 0.0, np.pi)) == pytest.approx(1.0)
    assert CART.reward((0.0, 5.0, 5.0, 0.0)) == pytest.approx(np.exp(-1 / (2 * 0.25**2)))  # a metre below
    assert CART.reward((0.25, 0.0, 0.0, -np.pi)) == pytest.approx(np.exp(-0.5))
    assert ROD.reward((0.0, np.pi)) == pytest.approx(1.0)
    assert ROD.reward((0.0, 0.0)) == pytest.approx(np.exp(-4 / (2 * 0.5**2)))


@pytest.mark.parametrize("name", SPEEDS)
def test_a_batch_is_its_rows_and_controls_are_limited(name):
    plant, rng = PLANTS[name], np.random.default_rng(1)
    states = rng.normal(0, 1, (3, 4, len(plant.bounds)))
    controls = rng.normal(0, 20, (3, 4, 1))
    batch = after(plant, states, controls)
    for i in np.ndindex(3, 4):
        np.testing.assert_allclose(batch[i], after(plant, states[i], controls[i]), rtol=1e-12, atol=1e-14)
    strongest = after(plant, states, np.sign(controls) * plant.limits[0])
    beyond = np.abs(controls[..., 0]) > plant.limits[0]
    np.testing.assert_array_equal(batch[beyond], strongest[beyond])


@pytest.mark.parametrize("name", SPEEDS)
def test_no_control_leaves_the_bounds_within_an_episode(name):
    plant, state = PLANTS[name], np.zeros(len(PLANTS[name].bounds))
    for _ in range(plant.horizon):
        state = after(plant, state, np.array([plant.limits[0] if state[-2] >= 0 else -plant.limits[0]]))
        assert (np.abs(state) < np.array(plant.bounds) / 2).all()
