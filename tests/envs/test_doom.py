"""Doom's take cover as World Models played it."""

import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("vizdoom", reason='vizdoom is not installed: pip install "sakiyomi[doom]"')

from gymnasium.utils.env_checker import check_env

from sakiyomi.envs.catalog import make_task
from sakiyomi.envs.doom import TakeCover


@pytest.fixture
def env(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    env = make_task("doom/take-cover").build()
    yield env
    env.close()
    assert list(Path.cwd().iterdir()) == []  # Doom leaves nothing behind


def push(x):
    return np.array([x], np.float32)


def test_the_task_describes_its_environment(env):
    task = make_task("doom/take-cover")
    assert (task.horizon, task.continuous) == (2100, True)
    assert (env.observation_space, env.action_space) == (task.observation_space, task.action_space)
    observation, _ = env.reset(seed=0)
    assert observation in task.observation_space
    assert observation.std() > 5


def test_a_third_of_the_way_is_where_moving_begins(env):
    """To the right the room moves to the left, and the other way round; between them it stays."""
    ends = {}
    for x in (0.0, 0.32, -0.32, 0.34, 1.0, -0.34, -1.0):
        env.reset(seed=5)
        for _ in range(8):
            ends[x] = env.step(push(x))[0]
    for same in ((0.0, 0.32, -0.32), (0.34, 1.0), (-0.34, -1.0)):
        assert all((ends[x] == ends[same[0]]).all() for x in same)
    assert (ends[0.0] != ends[1.0]).any()
    assert (ends[1.0] != ends[-1.0]).any()


def test_a_frame_alive_is_worth_one_and_death_terminates(env):
    first, _ = env.reset(seed=1)
    kept = first.copy()
    terminated, frames = False, 0
    while not terminated:
        observation, reward, terminated, truncated, _ = env.step(push(0.0))
        frames += 1
        assert (reward, truncated) == (1.0, False)
        assert frames <= 2100
    assert not observation.any()
    assert (first == kept).all()


def test_the_same_seed_plays_the_same_episode(env):
    runs = []
    for _ in range(2):
        env.reset(seed=3)
        runs.append([env.step(push(1.0 if t % 9 < 5 else -1.0)) for t in range(60)])
        env.reset(seed=8)
    for one, two in zip(*runs, strict=True):
        assert (one[0] == two[0]).all()
        assert one[1:] == two[1:]


def test_gymnasiums_checker_is_content(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = TakeCover()
        check_env(env, skip_render_check=True)
        env.close()
