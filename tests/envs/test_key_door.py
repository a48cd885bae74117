"""The key and the door: rules case by case, the reference against search of all that can be done."""

import itertools

import numpy as np
import pytest

pytest.importorskip("gymnasium")

from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from sakiyomi.envs.catalog import make_task
from sakiyomi.envs.key_door import HORIZON, KeyDoor, Layout, after, best_return, least_steps

UP, RIGHT, DOWN, LEFT = range(4)
LAYOUT = Layout((1, 1), (1, 3), (0, 4), frozenset({(1, 4), (2, 1), (3, 3)}))


def begun(layout=LAYOUT):
    env = KeyDoor()
    env.reset(seed=0)
    env.layout = layout
    env._agent = layout.agent
    return env


def test_it_is_an_environment():
    task = make_task("key-door-5x5")
    check_env(task.make(), skip_render_check=True)
    assert task.discrete
    assert task.observation_space.shape == (5, 5, 5)


def test_the_key_opens_the_door():
    env = begun()
    told = [env.step(action) for action in (RIGHT, RIGHT, UP, RIGHT)]
    assert [reward for _, reward, *_ in told] == pytest.approx([-0.02, -0.02, -0.02, 0.98])
    assert [over for _, _, over, *_ in told] == [False, False, False, True]
    planes = np.stack([seen for seen, *_ in told])
    assert planes[:, 1].sum(axis=(1, 2)).tolist() == [1, 0, 0, 0]  # the key leaves the ground
    assert planes[:, 4].mean(axis=(1, 2)).tolist() == [0, 1, 1, 1]  # and is held
    assert least_steps(LAYOUT) == 4
    assert best_return(LAYOUT) == pytest.approx(sum(reward for _, reward, *_ in told))
    with pytest.raises(ResetNeeded):
        env.step(UP)


def test_pits_end_it_and_the_border_and_a_locked_door_do_not():
    _, reward, over, cut, _ = begun().step(DOWN)
    assert (reward, over, cut) == (pytest.approx(-1.02), True, False)
    assert after(LAYOUT, (0, 3), False, RIGHT) == (0, 3)
    assert after(LAYOUT, (0, 3), True, RIGHT) == (0, 4)
    assert after(LAYOUT, (0, 0), True, LEFT) == (0, 0)


def test_the_clock_cuts_it_off():
    env = begun()
    told = [env.step(UP) for _ in range(HORIZON)]
    assert [cut for *_, cut, _ in told] == [False] * (HORIZON - 1) + [True]
    assert not any(over for _, _, over, *_ in told)


def test_the_least_number_of_steps_is_that_of_trying_everything():
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        layout = Layout.drawn(rng)
        steps = least_steps(layout)
        if steps <= 5:
            found.append(steps)
            reached = [opened(layout, actions) for actions in itertools.product(range(4), repeat=steps)]
            assert min(filter(None, reached)) == steps
    assert len(found) > 10


def opened(layout, actions):
    """After how many of these the door opens, or None."""
    at, held = layout.agent, False
    for step, action in enumerate(actions, start=1):
        at = after(layout, at, held, action)
        held |= at == layout.key
        if at == layout.door:
            return step
        if at in layout.pits:
            return None
    return None


def test_a_layout_without_a_way_is_refused():
    shut = Layout((0, 0), (4, 4), (2, 2), frozenset({(0, 1), (1, 0), (3, 3)}))
    assert least_steps(shut) is None
    with pytest.raises(ValueError, match="no way"):
        best_return(shut)
