"""Known rewards against those that the environments give, over random episodes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.episodes.rollouts import at_random, play  # noqa: E402
from sakiyomi.agents.parts.planning.known_rewards import known_reward  # noqa: E402
from sakiyomi.envs import make_task  # noqa: E402
from sakiyomi.envs.catalog import PLANTS  # noqa: E402

MUJOCO = ("pets/cartpole", "pets/reacher", "pets/pusher", "pets/halfcheetah", "gym/InvertedPendulum-v5")


def rows(rollout):
    before, after = rollout.observations[:-1], rollout.observations[1:]
    return [torch.from_numpy(each) for each in (before, rollout.actions, after)]


@pytest.mark.parametrize("name", ["gym/Pendulum-v1", "gym/MountainCarContinuous-v0", *MUJOCO])
def test_is_the_environments_reward(name):
    if name in MUJOCO:
        pytest.importorskip("mujoco")
    task = make_task(name)
    env, reward = task.make(), known_reward(task)
    assert reward is not None
    for seed in range(3):
        rollout = play(env, at_random(task, seed), seed)
        got = reward(*rows(rollout))
        np.testing.assert_allclose(got, rollout.rewards, rtol=1e-4, atol=1e-4)
    env.close()


def test_the_goal_of_the_mountain_car_is_rewarded():
    reward = known_reward(make_task("gym/MountainCarContinuous-v0"))
    after = torch.tensor([[0.46, 0.01], [0.44, 0.01], [0.46, -0.01]])
    assert reward(torch.zeros(3, 2), torch.full((3, 1), 0.5), after).tolist() == pytest.approx([99.975, -0.025, -0.025])
    env = make_task("gym/MountainCarContinuous-v0").make(seed=0)
    env.unwrapped.state = np.array([0.445, 0.06])
    _, got, terminated, *_ = env.step(np.array([0.5], np.float32))
    assert terminated
    assert got == pytest.approx(99.975)


@pytest.mark.parametrize("name", sorted(PLANTS))
def test_plants_are_rewarded_for_the_state_reached(name):
    task = make_task(name)
    env, reward = task.make(), known_reward(task)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    states, rewards = [], []
    for _ in range(20):
        _, got, _, _, info = env.step(rng.uniform(env.action_space.low, env.action_space.high))
        states.append(info["state"])
        rewards.append(got)
    after = torch.from_numpy(np.stack(states))
    got = reward(torch.zeros_like(after), torch.zeros(20, len(env.action_space.low)), after)
    np.testing.assert_allclose(got, rewards, atol=1e-9)


@pytest.mark.parametrize("name", ["gym/Pendulum-v1", "gym/MountainCarContinuous-v0", "cartpole-swingup"])
def test_leading_dimensions_broadcast(name):
    task = make_task(name)
    size, reward = task.observation_space.shape[0], known_reward(task)
    before, action, after = torch.rand(5, 7, 1, size), torch.rand(1, 7, 1, 1), torch.rand(5, 7, 4, size)
    got = torch.broadcast_to(reward(before, action, after), (5, 7, 4))
    one = reward(before[2, 3, 0], action[0, 3, 0], after[2, 3, 1])
    torch.testing.assert_close(got[2, 3, 1], one)


def test_none_where_it_is_not_known():
    assert known_reward(make_task("gym/CartPole-v1")) is None
    assert known_reward(make_task("pendulum@pixels")) is None
