"""Control tasks from pixels: they need OpenGL without a display, and draw slowly where no graphics card helps."""

import os
import warnings

import numpy as np
import pytest

pytest.importorskip("dm_control", reason='dm_control is not installed: pip install "sakiyomi[control]"')

from gymnasium.utils.env_checker import check_env

from sakiyomi.envs.catalog import make_task
from sakiyomi.envs.control import ControlEnv
from sakiyomi.envs.display import without_display

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def opengl():
    """Skip where nothing draws."""
    without_display()
    try:
        ControlEnv("cartpole-swingup", size=(8, 8)).reset()
    except ValueError as error:
        pytest.skip(f"MUJOCO_GL={os.environ.get('MUJOCO_GL')}: {error}")


@pytest.mark.parametrize("name", ["walker-walk", "quadruped-walk"])
def test_pictures_are_the_suites(name):
    env = ControlEnv(name, size=(64, 64))
    env.reset(seed=1)
    env.action_space.seed(0)
    for _ in range(3):
        seen = env.step(env.action_space.sample())[0]
        camera = 2 if name.startswith("quadruped") else 0
        assert (seen == env._env.physics.render(64, 64, camera_id=camera)).all()
        assert seen.flags["C_CONTIGUOUS"]


def test_planets_pictures_have_five_bits():
    task = make_task("dmc/cartpole-swingup@planet")
    plain = ControlEnv("cartpole-swingup", size=(64, 64))
    a, b = task.build().reset(seed=2)[0], plain.reset(seed=2)[0]
    assert a in task.observation_space
    assert (a == b // 8 * 8).all()
    assert len(np.unique(a)) > 4


@pytest.mark.parametrize("preset", ["pixels", "planet", "dreamer"])
def test_gymnasiums_checker_is_content(preset):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(make_task(f"dmc/cartpole-swingup@{preset}").build(), skip_render_check=True)


def test_the_same_seed_draws_the_same_pictures_and_none_is_drawn_over():
    one, two = ControlEnv("reacher-easy", size=(64, 64)), ControlEnv("reacher-easy", size=(64, 64))
    first, _ = one.reset(seed=1)
    assert (first == two.reset(seed=1)[0]).all()
    kept = first.copy()
    assert (one.step(np.ones(2, np.float32))[0] == two.step(np.ones(2, np.float32))[0]).all()
    assert (first == kept).all()


def test_rendering():
    env = make_task("dmc/cartpole-swingup").make(seed=0)
    env.reset(seed=0)
    assert env.render().shape == (240, 320, 3)
    env.close()
