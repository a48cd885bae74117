"""Many environments at once: the same arrays however they are stepped, and honest ends of episodes."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from sakiyomi.envs import make_task
from sakiyomi.envs.dynamics import step_rows
from sakiyomi.envs.vector_tasks import MODES, make_vector

gymnasium = pytest.importorskip("gymnasium")
STEPS, ROWS = 90, 5


def one_by_one(name):
    """The task without what steps many of it together."""
    return dataclasses.replace(make_task(name), build_many=None)


def played(envs, seed=3):
    """All that resets and steps return."""
    space, rng = envs.single_action_space, np.random.default_rng(0)
    returned = [envs.reset(seed=seed)]
    for _ in range(STEPS):
        discrete = isinstance(space, gymnasium.spaces.Discrete)
        drawn = (
            rng.integers(space.n, size=ROWS) if discrete else rng.uniform(space.low, space.high, (ROWS, *space.shape))
        )
        returned.append(envs.step(drawn))
    envs.close()
    return returned


def check_same(one, other):
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            check_same(one[key], other[key])
    elif isinstance(one, list | tuple) or (isinstance(one, np.ndarray) and one.dtype == object):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            check_same(a, b)
    elif one is None:
        assert other is None
    else:
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("mode", ["next_step", "same_step"])
@pytest.mark.parametrize("name", ["pendulum", "point-mass@pixels", "gym/CartPole-v1"])
def test_the_same_whatever_steps_it(name, mode):
    expected = played(make_vector(one_by_one(name), ROWS, mode=mode))  # Gymnasium's own
    check_same(expected, played(make_vector(name, ROWS, mode=mode)))
    for workers in (1, 2, 3):
        check_same(expected, played(make_vector(name, ROWS, workers, mode)))
    check_same(expected, played(make_vector(one_by_one(name), ROWS, 2, mode)))


def test_rows_are_single_environments():
    envs, task = make_vector("reacher", 3), make_task("reacher")
    first, _ = envs.reset(seed=7)
    singles = [task.make() for _ in range(3)]
    for row, env in enumerate(singles):
        np.testing.assert_array_equal(env.reset(seed=7 + row)[0], first[row])
    for _ in range(20):
        controls = envs.action_space.sample()
        seen, rewards, *_ = envs.step(controls)
        for row, env in enumerate(singles):
            observation, reward, *_ = env.step(controls[row])
            np.testing.assert_array_equal(observation, seen[row])
            assert reward == rewards[row]


@pytest.mark.parametrize("workers", [0, 2])
def test_next_step_shows_the_last_observation_and_then_the_new_start(workers):
    envs = make_vector("pendulum", 2, workers)
    envs.reset(seed=0)
    still = np.zeros((2, 1))
    for _ in range(40):
        seen, _, terminated, truncated, _ = envs.step(still)
    assert truncated.all()
    assert not terminated.any()  # a time limit: the value goes on
    begun, rewards, terminated, truncated, info = envs.step(np.full((2, 1), 2.5))
    assert not truncated.any()
    assert not rewards.any()
    assert np.abs(begun).max() < 1  # near rest, which no push has moved
    assert "final_obs" not in info
    assert not np.array_equal(seen, begun)
    envs.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_same_step_keeps_the_last_observation(workers):
    envs, plain = make_vector("cartpole-swingup", 3, workers, "same_step"), make_vector("cartpole-swingup", 3)
    envs.reset(seed=0)
    plain.reset(seed=0)
    for _ in range(40):
        controls = plain.action_space.sample()
        seen, rewards, _, truncated, info = envs.step(controls)
        last, same, *_ = plain.step(controls)
    assert truncated.all()
    np.testing.assert_array_equal(rewards, same)
    np.testing.assert_array_equal(np.stack(info["final_obs"]), last)
    assert info["_final_obs"].all()
    assert np.abs(seen).max() < 1
    _, rewards, _, truncated, _ = envs.step(controls)
    assert rewards.any()
    assert not truncated.any()
    envs.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_terminated_is_told_from_truncated(workers):
    envs = make_vector("gym/CartPole-v1", 4, workers)
    envs.reset(seed=0)
    ends = [envs.step(np.ones(4, np.int64))[2:4] for _ in range(12)]
    assert np.any([terminated for terminated, _ in ends])
    assert not np.any([truncated for _, truncated in ends])
    envs.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_disabled_begins_anew_by_a_mask(workers):
    envs = make_vector("point-mass", 4, workers, "disabled")
    envs.reset(seed=0)
    for _ in range(50):
        seen, _, _, truncated, _ = envs.step(np.ones((4, 2)))
    assert truncated.all()
    mask = np.array([True, False, True, True])
    begun, _ = envs.reset(options={"reset_mask": mask})
    np.testing.assert_array_equal(begun[1], seen[1])
    assert not begun[mask][:, :2].any()  # at rest
    envs.close()


def test_an_ended_episode_is_not_stepped_when_resets_are_disabled():
    from gymnasium.error import ResetNeeded

    envs = make_vector("pendulum", 2, mode="disabled")
    with pytest.raises(ResetNeeded):
        envs.step(np.zeros((2, 1)))
    envs.reset(seed=0)
    for _ in range(40):
        envs.step(np.zeros((2, 1)))
    with pytest.raises(ResetNeeded, match="are over"):
        envs.step(np.zeros((2, 1)))


def test_seeds_by_row_and_states_of_ones_own():
    envs = make_vector("pendulum", 3)
    one, _ = envs.reset(seed=[4, 9, 4])
    np.testing.assert_array_equal(one[0], one[2])
    assert not np.array_equal(one[0], one[1])
    again, _ = envs.reset()  # goes on drawing
    assert not np.array_equal(one, again)
    _, info = envs.reset(options={"state": [0.0, np.pi]})
    np.testing.assert_array_equal(info["state"], [[0.0, np.pi]] * 3)
    with pytest.raises(ValueError, match="2 seeds for 3"):
        envs.reset(seed=[1, 2])


def test_what_is_returned_is_never_written_again():
    for workers in (0, 2):
        envs = make_vector("point-mass", 4, workers)
        seen, info = envs.reset(seed=0)
        kept = seen.copy(), info["state"].copy()
        results = envs.step(np.ones((4, 2)))
        copies = [each.copy() for each in results[:4]]
        envs.step(-np.ones((4, 2)))
        np.testing.assert_array_equal(seen, kept[0])
        np.testing.assert_array_equal(info["state"], kept[1])
        for result, copy in zip(results[:4], copies, strict=True):
            np.testing.assert_array_equal(result, copy)
        envs.close()


def test_true_states_and_pictures_of_a_batch():
    envs = make_vector("reacher@pixels", 2)
    envs.reset(seed=0)
    before, controls = envs.states, envs.action_space.sample()
    envs.step(controls)
    np.testing.assert_array_equal(envs.states, step_rows(envs.plant, before, controls)[0])
    assert [picture.shape for picture in envs.render()] == [(400, 400, 3)] * 2


def test_more_workers_than_environments_are_not_started():
    envs = make_vector("pendulum", 2, workers=8)
    assert len(envs._processes) == 2
    envs.close()
    assert not any(process.is_alive() for process in envs._processes)
    envs.close()  # twice is nothing


class Failing(gymnasium.Env):
    """Raises in the second step."""

    def __init__(self):
        self.observation_space = gymnasium.spaces.Box(-1, 1, (2,))
        self.action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.steps += 1
        if self.steps == 2:
            raise ZeroDivisionError("the second step")
        return np.zeros(2, np.float32), 0.0, False, False, {}


def test_a_failing_worker_is_told_with_its_reason():
    task = dataclasses.replace(one_by_one("gym/CartPole-v1"), build=Failing, name="failing")
    env = Failing()
    task = dataclasses.replace(task, observation_space=env.observation_space, action_space=env.action_space)
    envs = make_vector(task, 4, 2)
    envs.reset(seed=0)
    envs.step(np.zeros(4, np.int64))
    with pytest.raises(RuntimeError, match=r"worker 0 failed(.|\n)*the second step(.|\n)*worker 1 failed"):
        envs.step(np.zeros(4, np.int64))
    assert not any(process.is_alive() for process in envs._processes)


def test_a_killed_worker_is_noticed():
    envs = make_vector("pendulum", 4, 2)
    envs.reset(seed=0)
    envs._processes[1].kill()
    envs._processes[1].join()
    with pytest.raises(RuntimeError, match="worker 1 failed: its process has ended with exit code -9"):
        envs.step(np.zeros((4, 1)))


ORPHANS = """
import os
from sakiyomi.envs import make_vector
envs = make_vector("pendulum", 4, 2)
print(*[process.pid for process in envs._processes], flush=True)
os.kill(os.getpid(), 9)
"""


def test_workers_end_with_a_parent_that_is_killed():
    """Whose output they hold open: it is at its end when they have gone."""
    done = subprocess.run([sys.executable, "-c", ORPHANS], capture_output=True, text=True, timeout=60)
    assert done.returncode == -9
    assert len(done.stdout.split()) == 2


def test_spawned_workers_know_tasks_by_name():
    envs = make_vector("pendulum", 2, 1, context="spawn")
    seen, _ = envs.reset(seed=3)
    np.testing.assert_array_equal(seen, make_vector("pendulum", 2).reset(seed=3)[0])
    envs.close()


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="mode is one of 'next_step'"):
        make_vector("pendulum", 2, mode="sometimes")
    with pytest.raises(ValueError, match="at least one"):
        make_vector("pendulum", 0)
    with pytest.raises(ValueError, match="unknown task"):
        make_vector("nothing", 2)
    assert set(MODES.values()) == {mode.value for mode in gymnasium.vector.AutoresetMode}
