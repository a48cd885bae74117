"""Tasks that other packages bring: what is said where they are missing, and that tasks travel to other processes."""

import pickle

import pytest

pytest.importorskip("gymnasium", reason='Gymnasium is not installed: pip install "sakiyomi[envs]"')

from sakiyomi.envs import catalog
from sakiyomi.envs.catalog import TASKS, is_task, make_task

NAMES = {
    "ALE/Pong-v5@dqn": ("ale_py", "atari"),
    "ALE/Pong-v5": ("ale_py", "atari"),
    "dmc/cartpole-swingup@planet": ("dm_control", "control"),
    "gym/CarRacing-v3@world-models": ("Box2D", "control"),
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


def test_another_scenario_of_doom_is_unknown():
    with pytest.raises(ValueError, match=r"unknown task 'doom/basic'; there are: .*doom/take-cover"):
        make_task("doom/basic")
