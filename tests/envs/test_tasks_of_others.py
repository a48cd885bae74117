"""Tasks that other packages bring: what is said where they are missing, and that tasks travel to other processes."""

import pickle

import numpy as np
import pytest

pytest.importorskip("gymnasium", reason='Gymnasium is not installed: pip install "sakiyomi[envs]"')

from sakiyomi.envs import catalog
from sakiyomi.envs.catalog import TASKS, is_task, make_task

NAMES = {
    "ALE/Pong-v5@dqn": ("ale_py", "atari"),
    "ALE/Pong-v5": ("ale_py", "atari"),
    "dmc/cartpole-swingup@planet": ("dm_control", "control"),
    "gym/CarRacing-v3@world-models": ("Box2D", "control"),
    "gym/Pendulum-v1@repeat:2": ("gymnasium", "envs"),
    "doom/take-cover": ("vizdoom", "doom"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_package_is_one_line_with_its_command(monkeypatch, name):
    package, extra = NAMES[name]
    monkeypatch.setattr(catalog, "find_spec", lambda wanted: None if wanted == package else object())
    with pytest.raises(ValueError) as caught:
        make_task(name)
    assert str(caught.value) == f'task {name!r} needs the package {package}: pip install "sakiyomi[{extra}]"'


@pytest.mark.parametrize("name", NAMES)
def test_they_are_known_as_tasks_and_listed(name):
    assert is_task(name)
    assert any(name.startswith(family.prefix) and family.package == NAMES[name][0] for family in TASKS)


@pytest.mark.parametrize("name", NAMES)
def test_how_to_make_one_travels_to_other_processes(name):
    pytest.importorskip(NAMES[name][0])
    task = make_task(name)
    env = pickle.loads(pickle.dumps(task.build))()
    assert env.observation_space == task.observation_space
    assert env.action_space == task.action_space
    env.close()


def test_another_preset_of_gymnasiums_tasks_is_unknown():
    with pytest.raises(ValueError, match="unknown task 'gym/CartPole-v1@world-models'"):
        make_task("gym/CartPole-v1@world-models")


def test_actions_are_played_several_times():
    task, plain = make_task("gym/Pendulum-v1@repeat:3"), make_task("gym/Pendulum-v1")
    assert (task.horizon, plain.horizon) == (67, 200)
    one, other = task.make(seed=4), plain.make(seed=4)
    ended, steps, frames = False, 0, 0
    while not ended:
        action = np.array([2 * np.sin(steps)], np.float32)
        seen, reward, _, ended, info = one.step(action)
        moments = [other.step(action)[:2] for _ in range(info["frames"])]
        np.testing.assert_array_equal(seen, moments[-1][0])
        assert reward == pytest.approx(sum(got for _, got in moments))
        steps, frames = steps + 1, frames + info["frames"]
    assert (steps, frames) == (67, 200)


@pytest.mark.parametrize("times", ["0", "two", "1.5", ""])
def test_how_often_is_a_whole_number(times):
    with pytest.raises(ValueError, match="a whole number over 0"):
        make_task(f"gym/Pendulum-v1@repeat:{times}")


def test_another_scenario_of_doom_is_unknown():
    with pytest.raises(ValueError, match=r"unknown task 'doom/basic'; there are: .*doom/take-cover"):
        make_task("doom/basic")
