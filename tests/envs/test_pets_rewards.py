"""The rewards of the tasks of PETS: values by hand, arrays and tensors alike, and the arm's kinematics."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sakiyomi.envs.pets_rewards import (
    REWARDS,
    cartpole_reward,
    half_cheetah_reward,
    hand,
    pole_tip,
    pusher_reward,
    reacher_reward,
    standing,
)

SIZES = {
    "pets/cartpole": (4, 1),
    "pets/reacher": (17, 7),
    "pets/pusher": (20, 7),
    "pets/halfcheetah": (18, 6),
    "cartpole-continuous": (4, 1),
}


def drawn(name, *shape, seed=0):
    rng = np.random.default_rng(seed)
    seen, acted = SIZES[name]
    return rng.normal(size=(*shape, seen)), rng.normal(size=(*shape, acted)), rng.normal(size=(*shape, seen))


def test_there_is_one_for_each_task():
    assert set(REWARDS) == set(SIZES)


def test_the_pole_hangs_where_its_angle_is_zero():
    assert pole_tip(np.array([0.3, 0.0, 1.0, 1.0])) == pytest.approx((0.3, -0.6))
    assert pole_tip(np.array([0.3, np.pi, 1.0, 1.0])) == pytest.approx((0.3, 0.6))
    x, z = pole_tip(np.array([0.0, np.pi / 2, 0.0, 0.0]))
    assert (x, z) == pytest.approx((-0.6, 0.0), abs=1e-12)


def test_the_pole_is_best_upright_over_the_middle():
    x, angle = np.meshgrid(np.linspace(-2, 2, 41), np.linspace(-np.pi, np.pi, 41), indexing="ij")
    states = np.stack([x, angle, 0 * x, 0 * x], -1)
    rewards = cartpole_reward(states, np.zeros((41, 41, 1)), states)
    best = states[np.unravel_index(rewards.argmax(), rewards.shape)]
    assert best[0] == pytest.approx(0.0)
    assert abs(best[1]) == pytest.approx(np.pi)
    assert rewards.max() == pytest.approx(1.0)
    hanging = cartpole_reward(np.zeros(4), np.array([2.0]), np.zeros(4))
    assert hanging == pytest.approx(np.exp(-(1.2**2) / 0.6**2) - 0.04)


def test_the_cheetah_is_rewarded_for_its_speed_less_its_effort():
    after = np.zeros(18)
    after[0] = 3.0
    assert half_cheetah_reward(np.ones(18), np.full(6, 0.5), after) == pytest.approx(3.0 - 0.1 * 6 * 0.25)


def test_the_pusher_pays_for_every_axis():
    after = np.zeros(20)
    after[14:17], after[17:20] = (0.1, 0.2, -0.3), (0.4, 0.0, -0.2)
    near, far = 0.3 + 0.2 + 0.1, 0.05 + 0.05 + 0.123
    assert pusher_reward(np.ones(20), np.full(7, 2.0), after) == pytest.approx(-0.5 * near - 1.25 * far - 2.8)


def test_the_hand_is_where_rotation_after_rotation_puts_it():
    """Against rotation matrices: shoulder about z and y, then a roll about x and a hinge about y, twice."""
    angles = np.random.default_rng(1).uniform(-3, 3, (50, 17))
    for row, found in zip(angles, np.stack(hand(angles), -1), strict=True):
        shoulder = Rotation.from_euler("Z", row[0])
        upper = shoulder * Rotation.from_euler("Y", row[1])
        fore = upper * Rotation.from_euler("XY", row[2:4])
        last = fore * Rotation.from_euler("XY", row[4:6])
        links = ((shoulder, 0.1), (upper, 0.4), (fore, 0.321), (last, 0.16828))
        expected = np.array([0, -0.188, 0]) + sum(turn.apply([length, 0, 0]) for turn, length in links)
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_the_reacher_pays_the_square_of_its_distance():
    after = np.zeros(17)
    after[7:10] = (0.98928, -0.188 + 0.3, 0.4)
    assert reacher_reward(np.ones(17), np.full(7, 3.0), after) == pytest.approx(-0.25 - 0.01 * 63)


def test_the_continuous_cart_pole_stands_within_its_limits():
    states = np.array([[2.39, 9, 0, 9], [2.41, 0, 0, 0], [-2.41, 0, 0, 0], [0, 0, 0.209, 0], [0, 0, -0.21, 0]])
    assert standing(states).tolist() == [True, False, False, True, False]
    assert not standing(np.array([0, 0, np.nan, 0]))


@pytest.mark.parametrize("name", SIZES)
def test_any_leading_shape(name):
    before, action, after = drawn(name, 3, 5)
    rewards = REWARDS[name](before, action, after)
    assert rewards.shape == (3, 5)
    assert np.isfinite(rewards).all()
    assert REWARDS[name](before[1, 2], action[1, 2], after[1, 2]) == pytest.approx(rewards[1, 2], abs=1e-12)


@pytest.mark.parametrize("name", SIZES)
def test_tensors_give_what_arrays_give(name):
    torch = pytest.importorskip("torch")
    arrays = drawn(name, 4, 6)
    tensors = [torch.as_tensor(each) for each in arrays]
    np.testing.assert_allclose(REWARDS[name](*tensors).numpy(), REWARDS[name](*arrays), atol=1e-12)
    singles = REWARDS[name](*(each.float() for each in tensors))
    assert singles.dtype == torch.float32
    np.testing.assert_allclose(singles.numpy(), REWARDS[name](*arrays), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", [name for name in SIZES if name != "cartpole-continuous"])
def test_gradients_are_those_of_finite_differences(name):
    torch = pytest.importorskip("torch")
    before, action, after = (torch.as_tensor(each) for each in drawn(name, 2, seed=3))
    action.requires_grad_()
    after.requires_grad_()
    assert torch.autograd.gradcheck(lambda a, o: REWARDS[name](before, a, o), (action, after))
