"""Our own plants: equations against a tight integrator, Lagrange, conserved energy, symmetries and limiting cases."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sakiyomi.envs.catalog import PLANTS
from sakiyomi.envs.dynamics import Plant, advance, after, step_rows
from sakiyomi.envs.point_mass import PointMass

# Name: standard deviations of the states that tests begin with, of lively motion.
LIVELY = {
    "cartpole-swingup": (2, 3, 8, 3),
    "pendulum": (8, 3),
    "double-pendulum": (6, 6, 3, 3),
    "cart-double-pendulum": (2, 3, 6, 6, 3, 3),
    "reacher": (3, 3, 3, 3, 0.4, 0.4),
    "point-mass": (1, 1, 0.4, 0.4, 0.4, 0.4),
}
NEW = ("cart-double-pendulum", "reacher", "point-mass", "double-pendulum")


def drawn(name, count, seed=0):
    """States [count, S] and controls [count, A] within the limits."""
    rng, plant = np.random.default_rng(seed), PLANTS[name]
    states = rng.normal(0, LIVELY[name], (count, len(plant.bounds)))
    return states, rng.uniform(-1, 1, (count, len(plant.limits))) * plant.limits


def test_all_plants_are_tested():
    assert set(LIVELY) == set(PLANTS)


@pytest.mark.parametrize("name", LIVELY)
def test_a_step_is_that_of_a_tight_integrator(name):
    plant, errors = PLANTS[name], []
    for state, control in zip(*drawn(name, 25), strict=True):
        exact = solve_ivp(
            lambda t, y, u=tuple(control): plant.derivative(tuple(y), u),
            (0, plant.step),
            state,
            method="DOP853",
            rtol=1e-12,
            atol=1e-13,
        ).y[:, -1]
        errors.append(np.abs(after(plant, state, control) - exact).max())
    assert max(errors) < 1e-6
    assert np.median(errors) < 3e-8


@pytest.mark.parametrize("name", LIVELY)
def test_energy_is_kept_without_friction_and_lost_with_it(name):
    still = np.zeros(len(PLANTS[name].limits))
    state = drawn(name, 1, seed=4)[0][0]
    for friction, kept in ((0.0, True), (0.1, False)):
        plant = replace(PLANTS[name], friction=friction)
        now, before = state, plant.energy(tuple(state))
        for _ in range(20):
            now = after(plant, now, still)
        if kept:
            assert plant.energy(tuple(now)) == pytest.approx(before, abs=1e-4)
        else:
            assert plant.energy(tuple(now)) < before - 1e-3


# Name: places of velocities and of the coordinates that they belong to, and the control's force on each coordinate.
MECHANICS = {
    "cartpole-swingup": ((1, 2), (0, 3), [[1.0], [0.0]]),
    "pendulum": ((0,), (1,), [[1.0]]),
    "double-pendulum": ((0, 1), (2, 3), [[1.0, 0.0], [0.0, 1.0]]),
    "cart-double-pendulum": ((1, 2, 3), (0, 4, 5), [[1.0], [0.0], [0.0]]),
    "reacher": ((0, 1), (2, 3), [[1.0, -1.0], [0.0, 1.0]]),
    "point-mass": ((0, 1), (2, 3), [[1.0, 0.0], [0.0, 1.0]]),
}


@pytest.mark.parametrize("name", MECHANICS)
def test_the_equations_are_those_of_lagrange(name):
    """d/dt dL/dv - dL/dq = Q with L = T - V, of which the energy T + V knows all: nothing else of the plant does."""
    torch = pytest.importorskip("torch")
    plant = replace(PLANTS[name], friction=0.0)
    fast, places, forces = MECHANICS[name]

    def lagrangian(v, q):
        states = [torch.zeros((), dtype=torch.float64)] * len(plant.bounds), []
        moving, resting = list(states[0]), list(states[0])
        for k, place in enumerate(places):
            moving[fast[k]], moving[place], resting[place] = v[k], q[k], q[k]
        return plant.energy(moving) - 2 * plant.energy(resting)

    for state, control in zip(*drawn(name, 5, seed=2), strict=True):
        change = np.array(plant.derivative(tuple(state), tuple(control)), float)
        v, q = (torch.tensor(state[list(at)]) for at in (fast, places))
        (vv, vq), _ = torch.autograd.functional.hessian(lagrangian, (v, q))
        pull = torch.autograd.functional.jacobian(lagrangian, (v, q))[1]
        left = vv @ torch.tensor(change[list(fast)]) + vq @ torch.tensor(change[list(places)]) - pull
        np.testing.assert_allclose(left.numpy(), np.array(forces) @ control, atol=1e-9)
        np.testing.assert_array_equal(change[list(places)], state[list(fast)])


@pytest.mark.parametrize("name", LIVELY)
def test_the_mirror_image_moves_as_the_mirror_image(name):
    plant, (states, controls) = PLANTS[name], drawn(name, 20)
    sign = -np.ones(len(plant.bounds))
    np.testing.assert_allclose(after(plant, sign * states, -controls), sign * after(plant, states, controls), rtol=1e-9)


def test_turning_the_table_turns_the_arm():
    plant, (states, controls) = PLANTS["reacher"], drawn("reacher", 20)
    turn = 0.7
    turned = states + np.array([0, 0, turn, turn, 0, 0])
    turned[:, 4] = np.cos(turn) * states[:, 4] - np.sin(turn) * states[:, 5]
    turned[:, 5] = np.sin(turn) * states[:, 4] + np.cos(turn) * states[:, 5]
    (one, won), (other, same) = step_rows(plant, states, controls), step_rows(plant, turned, controls)
    np.testing.assert_allclose(other[:, :4] - one[:, :4], np.tile([0, 0, turn, turn], (20, 1)), atol=1e-9)
    np.testing.assert_allclose(same, won, rtol=1e-9)


def test_without_the_outer_rod_it_is_the_cart_pole():
    """Whose angle counts from hanging: theta - pi."""
    double = replace(PLANTS["cart-double-pendulum"], outer=1e-12, inner_length=0.5, step=0.1, limits=(10.0,))
    states, controls = drawn("cartpole-swingup", 20)
    x, v, omega, theta = states.T
    rest = np.zeros(20)
    ours = after(double, np.stack([x, v, omega, rest, theta - np.pi, rest], 1), controls)[:, [0, 1, 2, 4]]
    np.testing.assert_allclose(
        ours + np.array([0, 0, 0, np.pi]), after(PLANTS["cartpole-swingup"], states, controls), rtol=1e-6, atol=1e-6
    )


def test_on_a_cart_too_heavy_to_move_it_is_the_double_pendulum():
    constants = {"inner_length": 0.5, "outer_length": 0.7, "inner": 0.4}
    alone = replace(PLANTS["double-pendulum"], **constants, limits=(0.0, 0.0))
    cart = replace(PLANTS["cart-double-pendulum"], **constants, cart=1e9, step=0.1)
    states, controls = drawn("double-pendulum", 20)
    w1, w2, theta1, theta2 = states.T
    rest = np.zeros(20)
    moved = after(cart, np.stack([rest, rest, w1, w2, theta1, theta2], 1), np.zeros((20, 1)))
    np.testing.assert_allclose(after(alone, states, controls), moved[:, 2:], rtol=1e-6, atol=1e-6)


def test_a_torque_on_rods_without_weight_lifts_what_it_can():
    """The outer rod alone: J dw/dt = u, the inner one being so heavy that it stays."""
    plant = replace(PLANTS["double-pendulum"], inner=1e12, gravity=0.0)
    inertia = 0.5 * 0.5**2 / 3
    moved = after(plant, np.array([0.0, 0.3, np.pi, 0.2]), np.array([2.0, 1.5]))
    assert moved[1] == pytest.approx(0.3 + 1.5 / inertia * plant.step, rel=1e-6)
    assert moved[3] == pytest.approx(0.2 + 0.3 * plant.step + 1.5 / inertia * plant.step**2 / 2, rel=1e-6)
    assert moved[2] == pytest.approx(np.pi, abs=1e-9)


def test_upright_at_rest_the_double_pendulum_stays_and_falls_when_touched():
    plant, still = PLANTS["cart-double-pendulum"], np.zeros(1)
    assert np.abs(after(plant, np.zeros(6), still)).max() == 0
    hanging = np.array([0, 0, 0, 0, np.pi, np.pi])
    np.testing.assert_allclose(after(plant, hanging, still), hanging, atol=1e-12)
    state = np.array([0, 0, 0, 0, 1e-6, 0])
    for _ in range(60):
        state = after(plant, state, still)
    assert abs(state[4]) > 0.1


def test_without_the_lower_arm_it_is_one_rod_on_a_motor():
    """J dw/dt = u1 - u2 without friction."""
    plant = replace(PLANTS["reacher"], lower=1e-12, friction=0.0)
    moved = after(plant, np.array([0.3, 0, 0.2, 0.2, 0, 0]), np.array([0.5, 0.0]))
    inertia = 0.5 * 0.5**2 / 3
    assert moved[0] == pytest.approx(0.3 + 0.5 / inertia * plant.step, rel=1e-9)
    assert moved[2] == pytest.approx(0.2 + 0.3 * plant.step + 0.5 / inertia * plant.step**2 / 2, rel=1e-9)


def test_the_ball_flies_as_the_closed_form_says_and_bounces_off_walls():
    plant = PLANTS["point-mass"]
    state, push, t, c = np.array([0.5, -0.4, 0.1, 0.2, 0, 0]), np.array([1.0, -0.5]), plant.step, plant.friction
    end = push / c
    velocity = end + (state[:2] - end) * np.exp(-c * t)
    place = state[2:4] + end * t + (state[:2] - end) * (1 - np.exp(-c * t)) / c
    np.testing.assert_allclose(after(plant, state, push)[:4], [*velocity, *place], atol=1e-12)
    free, now = replace(plant, friction=0.0), np.array([2.0, 0, 0, 0, 0, 0])
    for _ in range(10):
        now = after(free, now, np.zeros(2))
        assert abs(now[2]) < plant.half
    assert now[0] == pytest.approx(-2.0, abs=1e-5)


def test_rewards_by_hand():
    double, arm, ball, alone = (PLANTS[name] for name in NEW)
    assert alone.reward((9, 9, 0.0, 0.0)) == pytest.approx(1.0)
    assert alone.reward((9, 9, np.pi / 2, np.pi / 2)) == pytest.approx(np.exp(-0.5 * 2 / 0.25))
    assert alone.reward((9, 9, 0.0, np.pi)) == pytest.approx(np.exp(-0.5 * 1 / 0.25))
    assert double.reward((0.0,) * 6) == pytest.approx(1.0)
    assert double.reward((0.3, 1, 1, 1, 0.0, 0.0)) == pytest.approx(np.exp(-0.5 * 0.36))
    assert double.reward((0.0, 0, 0, 0, np.pi, np.pi)) == pytest.approx(np.exp(-0.5 * (2.4 / 0.5) ** 2))
    assert replace(double, stretch=1 / 0.6).reward((0, 0, 0, 0, np.pi, 0.0)) == pytest.approx(np.exp(-8))  # 2 m below
    assert arm.reward((9, 9, 0.0, np.pi / 2, 0.5, 0.5)) == pytest.approx(1.0)
    assert arm.reward((0, 0, 0.0, 0.0, 1.0, 0.15)) == pytest.approx(np.exp(-0.5))
    assert ball.reward((0, 0, 0.3, 0.4, 0.0, 0.0)) == pytest.approx(np.exp(-0.5 * (0.5 / 0.3) ** 2))


def test_starts():
    rng = np.random.default_rng(0)
    arms = np.array([PLANTS["reacher"].start(rng) for _ in range(500)])
    away = np.hypot(arms[:, 4], arms[:, 5])
    assert away.min() >= 0.2
    assert away.max() <= 0.9
    assert np.mean(away < np.sqrt((0.2**2 + 0.9**2) / 2)) == pytest.approx(0.5, abs=0.08)  # even over the area
    balls = np.array([PLANTS["point-mass"].start(rng) for _ in range(500)])
    assert np.abs(balls[:, 2:]).max() <= 0.8
    assert not arms[:, :2].any()
    assert not balls[:, :2].any()
    for name, moving in (("cart-double-pendulum", 4), ("double-pendulum", 2)):
        hanging = np.array([PLANTS[name].start(rng) for _ in range(500)])
        np.testing.assert_allclose(hanging.mean(0), [0] * moving + [np.pi] * 2, atol=0.02)
        np.testing.assert_allclose(hanging.std(0), [0.1] * moving + [0.01] * 2, rtol=0.15)


@pytest.mark.parametrize("name", LIVELY)
def test_a_row_is_the_same_bits_in_any_batch(name):
    plant, (states, controls) = PLANTS[name], drawn(name, 33)
    whole, rewards = step_rows(plant, states, 2 * controls)
    for row in (0, 7, 32):
        alone, reward = step_rows(plant, states[row], 2 * controls[row])
        np.testing.assert_array_equal(whole[row], alone)
        assert rewards[row] == reward
    half, others = step_rows(plant, np.asfortranarray(states[::2]), 2 * controls[::2])
    np.testing.assert_array_equal(whole[::2], half)
    np.testing.assert_array_equal(rewards[::2], others)


@pytest.mark.parametrize("name", LIVELY)
def test_compiled_code_does_what_the_equations_say(name):
    plant, (states, controls) = PLANTS[name], drawn(name, 10)
    moved, rewards = step_rows(plant, states, controls)
    plain = advance(plant, tuple(states.T), tuple(controls.T), plant.step, plant.substeps)
    np.testing.assert_allclose(moved, np.stack(plain, -1), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(rewards, plant.reward(plain), rtol=1e-9, atol=1e-12)


@dataclass(frozen=True, kw_only=True)
class Spring(Plant):
    """A plant of a user's own, which is not compiled."""

    limits: tuple[float, ...] = (1.0,)
    bounds: tuple[float, ...] = (9.0, 9.0)
    step: float = 0.1
    horizon: int = 5

    def derivative(self, state, control):
        return state[1], control[0] - state[0]

    def reward(self, state):
        return 1 / (1 + state[0] ** 2)


def test_a_plant_need_not_be_compiled():
    moved, rewards = step_rows(Spring(), np.array([[1.0, 0.0], [0.0, 1.0]]), np.zeros((2, 1)))
    c, s = np.cos(0.1), np.sin(0.1)
    np.testing.assert_allclose(moved, [[c, -s], [s, c]], atol=1e-9)
    np.testing.assert_allclose(rewards, 1 / (1 + np.array([c, s]) ** 2), atol=1e-9)
    assert after(Spring(), np.array([1.0, 0.0]), np.zeros(1)).shape == (2,)


def test_constants_are_the_plants_own():
    heavy = PointMass(mass=2.0)
    assert heavy.numbers.mass == 2.0
    assert after(heavy, np.zeros(6), np.ones(2))[0] < after(PointMass(), np.zeros(6), np.ones(2))[0]


@pytest.mark.parametrize("name", LIVELY)
def test_one_control_for_many_states_and_the_other_way_round(name):
    plant, (states, controls) = PLANTS[name], drawn(name, 4)
    moved, rewards = step_rows(plant, states[0], controls)
    assert moved.shape == states.shape
    for row in range(4):
        np.testing.assert_array_equal(moved[row], after(plant, states[0], controls[row]))
    np.testing.assert_array_equal(after(plant, states, controls[0])[3], after(plant, states[3], controls[0]))
    assert rewards.shape == (4,)


def test_shapes_that_make_no_sense_are_refused():
    plant = PLANTS["reacher"]
    with pytest.raises(ValueError, match=r"a state of 6 numbers and 2 controls, got \[4\] and \[2\]"):
        after(plant, np.zeros(4), np.zeros(2))
    with pytest.raises(ValueError, match="got"):
        after(plant, np.zeros(6), np.zeros((3, 1)))
    with pytest.raises(ValueError, match="broadcast"):
        after(plant, np.zeros((2, 6)), np.zeros((3, 2)))


def test_other_equations_are_not_those_that_were_compiled():
    @dataclass(frozen=True, kw_only=True)
    class Windy(PointMass):
        wind: float = 1.0

        def derivative(self, state, control):
            change = super().derivative(state, control)
            return change[0] + self.wind, *change[1:]

    moved = after(Windy(), np.zeros(6), np.zeros(2))
    np.testing.assert_allclose(moved, after(PointMass(), np.zeros(6), np.array([1.0, 0.0])), atol=1e-12)
