"""DeepMind's control suite: against the bare suite, repeats, ends, seeds, and what is said of packages that misfit."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

pytest.importorskip("dm_control", reason='dm_control is not installed: pip install "sakiyomi[control]"')

from gymnasium.utils.env_checker import check_env

from sakiyomi.envs import control
from sakiyomi.envs.catalog import make_task
from sakiyomi.envs.control import PLANET_REPEATS, ControlEnv
from sakiyomi.envs.display import without_display

without_display()  # before a test imports the suite itself


def play(env, actions):
    """Step through `actions`, giving each step's five values."""
    return [env.step(action) for action in actions]


def actions_for(env, count, seed=0):
    env.action_space.seed(seed)
    return [env.action_space.sample() for _ in range(count)]


@pytest.mark.parametrize("repeat", [1, 3])
def test_as_the_bare_suite(repeat):
    """The suite itself with its own random numbers in the same state, stepped by hand."""
    from dm_control import suite

    env = ControlEnv("cheetah-run", repeat=repeat)
    seen, _ = env.reset(seed=3)
    random = np.random.RandomState(0)
    bare = suite.load("cheetah", "run", task_kwargs={"random": random})
    random.seed(int(np.random.default_rng(3).integers(1 << 32)))
    moment = bare.reset()
    for action in actions_for(env, 40):
        assert (seen == np.concatenate([np.ravel(x) for x in moment.observation.values()]).astype(np.float32)).all()
        wanted = 0.0
        for _ in range(repeat):
            moment = bare.step(action)
            wanted += moment.reward
        seen, reward, terminated, truncated, info = env.step(action)
        assert (reward, terminated, truncated) == (wanted, False, False)
        assert info == {"discount": 1.0, "frames": repeat}


@pytest.mark.parametrize("repeat", [1, 8, 7])
def test_an_episode_is_a_thousand_steps_then_cut_off(repeat):
    env = ControlEnv("cartpole-swingup", repeat=repeat)
    env.reset(seed=0)
    zero = np.zeros(1, np.float32)
    steps = play(env, [zero] * -(-1000 // repeat))
    assert [step[2:4] for step in steps[:-1]] == [(False, False)] * (len(steps) - 1)
    assert steps[-1][2:4] == (False, True)
    assert sum(step[4]["frames"] for step in steps) == 1000


def test_an_end_for_good_terminates():
    """The one domain whose episodes end when they are solved: a ball on a spring at rest."""
    env = ControlEnv("lqr-lqr_2_1", repeat=2)
    env.reset(seed=0)
    with env._env.physics.reset_context():
        env._env.physics.data.qpos[:] = 0
        env._env.physics.data.qvel[:] = 0
    _, _, terminated, truncated, info = env.step(np.zeros(1, np.float32))
    assert (terminated, truncated) == (True, False)
    assert info == {"discount": 0.0, "frames": 1}
    assert make_task("dmc/lqr-lqr_2_1").horizon is None


def test_the_same_seed_plays_the_same_episode():
    one, two = ControlEnv("reacher-easy"), ControlEnv("reacher-easy")
    two.reset(seed=9)
    play(two, actions_for(two, 20))
    a, b = one.reset(seed=4)[0], two.reset(seed=4)[0]
    assert (a == b).all()
    for x, y in zip(play(one, actions_for(one, 30)), play(two, actions_for(two, 30)), strict=True):
        assert (x[0] == y[0]).all()
        assert x[1:] == y[1:]
    assert (one.reset()[0] == two.reset()[0]).all()  # and the episode after it
    assert (one.reset(seed=5)[0] != a).any()


def test_without_a_seed_episodes_differ():
    assert (ControlEnv("reacher-easy").reset()[0] != ControlEnv("reacher-easy").reset()[0]).any()


def test_observations_are_never_written_again():
    env = ControlEnv("walker-walk")
    seen, _ = env.reset(seed=0)
    kept = seen.copy()
    play(env, actions_for(env, 5))
    assert (seen == kept).all()


@pytest.mark.parametrize("name", ["dmc/cartpole-swingup", "dmc/ball_in_cup-catch@proprio"])
def test_gymnasiums_checker_is_content_but_for_the_unbounded_state(name):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        check_env(make_task(name).build(), skip_render_check=True)
    assert all("infinity" in str(warning.message) for warning in said)


def test_tasks_describe_their_environments():
    task = make_task("dmc/walker-walk@proprio")
    assert (task.horizon, task.reward_range, task.scale) == (500, (0.0, 2.0), (0.0, 1000.0))
    assert task.continuous
    env = task.make(seed=0)
    assert env.reset(seed=0)[0] in task.observation_space
    assert env.step(env.action_space.sample())[0] in task.observation_space
    pixels = make_task("dmc/walker-walk@dreamer")
    assert pixels.observation_space.shape == (64, 64, 3)
    assert (pixels.observation_space.dtype, pixels.horizon) == (np.uint8, 500)


def test_planets_action_repeats():
    assert {name: make_task(f"dmc/{name}@planet").horizon for name in PLANET_REPEATS} == {
        "cartpole-balance": 125,
        "cartpole-swingup": 125,
        "reacher-easy": 250,
        "cheetah-run": 250,
        "finger-spin": 500,
        "ball_in_cup-catch": 250,
        "walker-walk": 500,
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dmc/cartpole-swing", "did you mean 'dmc/cartpole-swingup'"),
        ("dmc/cartpole", "unknown task 'dmc/cartpole'"),
        ("dmc/hopper-hop@planet", "PlaNet has no action repeat for 'hopper-hop'; it has: cartpole-balance, "),
        (
            "dmc/hopper-hop@sac",
            "unknown preset 'sac' of the control suite; there are: pixels, planet, dreamer, proprio",
        ),
    ],
)
def test_unknown_names(name, message):
    with pytest.raises(ValueError, match=message):
        make_task(name)


def test_a_mujoco_that_does_not_fit_is_named(monkeypatch):
    from dm_control import suite

    def load(*args, **kwargs):
        raise AttributeError("'MjModel' object has no attribute 'flex_vertedge'")

    monkeypatch.setattr(suite, "load", load)
    monkeypatch.setattr(control, "version", lambda package: {"mujoco": "4.0.0", "dm_control": "1.0.50"}[package])
    with pytest.raises(ValueError) as caught:
        make_task("dmc/cartpole-swingup")
    assert str(caught.value).startswith("dm_control 1.0.50 does not work with mujoco 4.0.0: ")
    assert 'pip install "sakiyomi[control]", which brings mujoco==3.17.0' in str(caught.value)
    assert "\n" not in str(caught.value)


def test_where_nothing_draws_one_line_says_what_would(monkeypatch):
    from dm_control import mujoco

    def camera(*args, **kwargs):
        raise ImportError("Cannot initialize a EGL device display.")

    monkeypatch.setattr(mujoco, "Camera", camera)
    env = ControlEnv("cartpole-swingup", size=(64, 64))
    with pytest.raises(ValueError, match=r"libegl1.*libosmesa6.*Cannot initialize") as caught:
        env.reset()
    assert "\n" not in str(caught.value)


def test_tasks_from_their_state_need_no_opengl():
    """In a process of its own: OpenGL is chosen once, when the suite is imported."""
    code = """
from sakiyomi.envs.catalog import make_task
print(make_task("dmc/cartpole-swingup").make(seed=0).reset(seed=0)[0].shape)
try:
    make_task("dmc/cartpole-swingup@pixels").make(seed=0)
except ValueError as error:
    print(error)
"""
    environment = {**os.environ, "MUJOCO_GL": "nonsense"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    shape, message = done.stdout.splitlines()
    assert shape == "(5,)"
    assert message.startswith("pictures of MuJoCo without a display need EGL or OSMesa: install libegl1")


def test_gymnasiums_own_mujoco_goes_by_the_same_door():
    pytest.importorskip("imageio", reason="Gymnasium's MuJoCo tasks need imageio, which is not installed")
    task = make_task("gym/HalfCheetah-v5")
    env = task.make(seed=0)
    assert env.reset(seed=0)[0] in task.observation_space
    assert task.horizon == 1000
    env.close()


@pytest.mark.slow
def test_every_task_of_the_suite():
    from dm_control import suite

    for domain, kind in suite.ALL_TASKS:
        task = make_task(f"dmc/{domain}-{kind}")
        env = task.make(seed=0)
        assert env.reset(seed=0)[0] in task.observation_space, task.name
        observation, reward, *_ = env.step(env.action_space.sample())
        assert observation in task.observation_space, task.name
        assert task.reward_range[0] <= reward <= task.reward_range[1], task.name
        limit = env._env._step_limit
        assert task.horizon == (None if limit == float("inf") else limit), task.name
