"""CarRacing as World Models saw it."""

import warnings

import numpy as np
import pytest

pytest.importorskip("Box2D", reason='Box2D is not installed: pip install "sakiyomi[control]"')

from gymnasium.utils.env_checker import check_env

from sakiyomi.envs.catalog import make_task
from sakiyomi.envs.pixels import AreaResize

NAME = "gym/CarRacing-v3@world-models"


def test_the_upper_84_rows_in_64_by_64():
    task = make_task(NAME)
    env, bare = task.make(), task.build().env
    assert (env.observation_space, env.action_space) == (task.observation_space, task.action_space)
    assert (task.observation_space.shape, task.action_space.shape, task.horizon) == ((64, 64, 3), (3,), 1000)
    seen, wanted = env.reset(seed=1)[0], bare.reset(seed=1)[0]
    resize = AreaResize((84, 96, 3), (64, 64))
    action = np.array([0.2, 0.8, 0.0])
    for _ in range(10):
        assert (seen == resize(wanted[:84])).all()
        seen, *rest = env.step(action)
        wanted, *others = bare.step(action)
        assert rest == others
    assert seen.std() > 10  # a road, not a black picture
    env.close()
    bare.close()


def test_gymnasiums_checker_is_content():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*is different from the unwrapped version")
        check_env(make_task(NAME).build(), skip_render_check=True)
