"""mbrl-lib's continuous cart-pole: Gymnasium's, step by step, where the push is full, and what lies between."""

import warnings

import numpy as np
import pytest

pytest.importorskip("gymnasium", reason='Gymnasium is not installed: pip install "sakiyomi[envs]"')

import gymnasium
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from sakiyomi.envs import is_task, make_task
from sakiyomi.envs.pets_rewards import REWARDS

NAME = "cartpole-continuous"


def test_the_task_describes_its_environment():
    task = make_task(NAME)
    assert is_task(NAME)
    assert (task.horizon, task.continuous, task.reward_range, task.scale) == (200, True, (0.0, 1.0), (0.0, 200.0))
    env = task.make(seed=0)
    assert (env.observation_space, env.action_space) == (task.observation_space, task.action_space)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        check_env(task.build(), skip_render_check=True)
    assert all("infinity" in str(each.message) for each in said)


def test_full_pushes_are_gymnasiums_cart_pole():
    ours, theirs = make_task(NAME).make(), gymnasium.make("CartPole-v1").unwrapped
    rng = np.random.default_rng(0)
    for seed in range(5):
        assert (ours.reset(seed=seed)[0] == theirs.reset(seed=seed)[0]).all()
        fallen = False
        while not fallen:
            right = int(rng.integers(2))
            seen, reward, fallen, truncated, _ = ours.step(np.array([2.0 * right - 1], np.float32))
            expected, _, ended, *_ = theirs.step(right)
            assert (seen == expected).all()
            assert (fallen, truncated, reward) == (ended, False, 0.0 if fallen else 1.0)
        with pytest.raises(ResetNeeded):
            ours.step(np.zeros(1))


def test_half_a_push_moves_the_cart_half_as_much():
    env = make_task(NAME).make()

    def speed(push):
        before = env.reset(seed=3)[0]
        return env.step(np.array([push]))[0][1] - before[1]

    idle = speed(0.0)
    assert speed(0.5) - idle == pytest.approx((speed(1.0) - idle) / 2, rel=1e-4)
    assert speed(7.0) == speed(1.0)


def test_an_episode_of_balance_is_cut_off_at_200():
    """A linear control that balances it."""
    env = make_task(NAME).make()
    seen, _ = env.reset(seed=1)
    score, steps, over = 0.0, 0, False
    while not over:
        push = np.clip(seen @ np.array([0.3, 0.5, 5.0, 1.0]), -1, 1)
        before, (seen, reward, fallen, over, _) = seen, env.step(np.array([push]))
        assert reward == REWARDS[NAME](before, np.array([push]), seen)
        assert not fallen
        score, steps = score + reward, steps + 1
    assert (score, steps) == (200.0, 200)
    with pytest.raises(ResetNeeded):
        env.step(np.zeros(1))


def test_actions_must_be_finite():
    env = make_task(NAME).make(seed=0)
    with pytest.raises(ValueError, match=r"^cartpole-continuous: an action must be a finite number, got \[nan\]$"):
        env.step(np.array([np.nan]))


def test_its_picture_is_gymnasiums():
    pytest.importorskip("pygame", reason='pygame is not installed: pip install "sakiyomi[control]"')
    env = make_task(NAME).make(seed=0)
    assert env.render().shape == (400, 600, 3)
    env.close()
