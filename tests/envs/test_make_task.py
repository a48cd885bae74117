"""`make_task`: what tasks there are, what they say of themselves, and what is said when one cannot be made."""

import warnings

import numpy as np
import pytest

from sakiyomi.envs import TASKS, is_task, make_task
from sakiyomi.envs.catalog import PLANTS

gymnasium = pytest.importorskip("gymnasium")


@pytest.mark.parametrize("name", PLANTS)
def test_our_tasks_pass_the_check_of_gymnasium(name):
    from gymnasium.utils.env_checker import check_env

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        check_env(make_task(name).make(), skip_render_check=True)
    assert all("normalized space" in str(each.message) for each in warned)  # controls are in newtons, as in the papers


@pytest.mark.parametrize("name", [*PLANTS, "gym/CartPole-v1", "gym/Pendulum-v1"])
def test_a_task_describes_its_environments(name):
    task = make_task(name)
    env = task.make(seed=3)
    assert (env.observation_space, env.action_space) == (task.observation_space, task.action_space)
    assert task.discrete != task.continuous
    assert task.discrete == (name == "gym/CartPole-v1")
    observation, _ = env.reset()
    assert task.observation_space.contains(observation)
    low, high = task.reward_range
    for _ in range(task.horizon):
        observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        assert task.observation_space.contains(observation)
        assert low <= reward <= high
        if terminated or truncated:
            break
    else:
        pytest.fail("the episode goes on beyond its horizon")
    assert terminated or truncated


@pytest.mark.parametrize("name", [*PLANTS, "gym/Pendulum-v1"])
def test_the_same_seed_is_the_same_episode(name):
    def returns(seed):
        env = make_task(name).make(seed)
        env.reset()
        return [env.step(env.action_space.sample())[1] for _ in range(20)]

    assert returns(5) == returns(5)
    assert returns(5) != returns(6)


def test_an_episode_can_start_anywhere():
    env = make_task("cartpole-swingup").make(seed=0)
    _, info = env.reset(options={"state": [0, 0, 0, np.pi]})
    assert info["state"].tolist() == [0, 0, 0, np.pi]
    _, reward, *_ = env.step(np.zeros(1))
    assert reward > 0.99


def test_noise_is_measured_not_real():
    env = make_task("cartpole-swingup").make(seed=0)
    off = []
    for seed in range(200):
        observation, info = env.reset(seed=seed)
        off.append(observation - info["state"])
    assert np.std(off) == pytest.approx(0.01, rel=0.15)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cartpole-swngup", "unknown task 'cartpole-swngup'; did you mean 'cartpole-swingup'"),
        ("backgammon", "unknown task 'backgammon'; there are: cartpole-swingup, pendulum, .*gym/NAME, "),
        ("gym/Nothing-v0", "unknown task 'gym/Nothing-v0': .*Nothing"),
        ("gym/", "unknown task 'gym/'"),
    ],
)
def test_unknown_tasks_are_refused_in_one_line(name, words):
    with pytest.raises(ValueError, match=words) as caught:
        make_task(name)
    assert "\n" not in str(caught.value)


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr("sakiyomi.envs.catalog.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"needs the package ale_py: pip install \"sakiyomi\[atari\]\""):
        make_task("ALE/Pong-v5")
    with pytest.raises(ValueError, match=r"needs the package gymnasium"):
        make_task("pendulum")
    assert not any(task.installed for task in TASKS)


def test_names_of_tasks_are_told_from_names_of_games():
    assert all(map(is_task, ["cartpole-swingup", "gym/X-v1", "ALE/Pong-v5", "dmc/walker-walk"]))
    assert not any(map(is_task, ["go-9x9", "chess", "connect4", ""]))


def test_atari():
    pytest.importorskip("ale_py")
    task = make_task("ALE/Pong-v5")
    assert task.discrete
    assert task.horizon == 27_000
    assert task.scale == (-20.7, 14.6)
    env = task.make(seed=0)
    assert env.unwrapped.ale.getFloat("repeat_action_probability") == 0.25
    first = [env.step(action % 6)[0].sum() for action in range(40) if action or env.reset(seed=1)]
    again = [env.step(action % 6)[0].sum() for action in range(40) if action or env.reset(seed=1)]
    assert first == again
    env.close()
    with pytest.raises(ValueError, match="unknown task 'ALE/Nothing-v5'"):
        make_task("ALE/Nothing-v5")
    with pytest.raises(ValueError, match="did you mean 'ALE/Pong-v5'"):
        make_task("ALE/Pong")


@pytest.mark.parametrize(("name", "actions"), [("go-9x9", 82), ("chess", 4672), ("tictactoe", 9)])
def test_board_games_are_tasks_of_two_players_with_known_rules(name, actions):
    task = make_task(name)
    assert (task.players, task.rules_known, task.discrete, task.action_space.n) == (2, True, True, actions)
    env = task.make(seed=1)
    observation, info = env.reset()
    assert env.observation_space.contains(observation)
    for _ in range(3):
        observation, *_, info = env.step(env.action_space.sample(info["action_mask"]))
    assert env.observation_space.contains(observation)
    assert not is_task(name)


def test_whose_rules_are_known():
    assert make_task("pendulum").rules_known
    assert make_task("pendulum").players == 1
    assert not make_task("gym/CartPole-v1").rules_known
