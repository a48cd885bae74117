"""Pictures of plants and tasks from 64x64 pixels: what is where, exact states, determinism."""

import numpy as np
import pytest

from sakiyomi.envs import is_task, make_task
from sakiyomi.envs.catalog import PLANTS
from sakiyomi.envs.dynamics import Plant
from sakiyomi.envs.plant_pictures import GOAL, PAPER, ROD, Scene, add_scene, pictures

pytest.importorskip("gymnasium")


def middle(picture, colour, tolerance=30):
    """Where the pixels of a colour are on average: x and y in -1..1, y up."""
    rows, columns = np.nonzero((np.abs(picture.astype(int) - colour) < tolerance).all(-1))
    assert len(rows)
    size = len(picture)
    return (2 * columns.mean() + 1) / size - 1, 1 - (2 * rows.mean() + 1) / size


@pytest.mark.parametrize("size", [64, 200])
def test_the_ball_and_the_goal_are_where_the_state_says(size):
    plant, rng = PLANTS["point-mass"], np.random.default_rng(0)
    states = np.array([plant.start(rng) for _ in range(20)])
    states = states[np.hypot(*(states[:, 2:4] - states[:, 4:]).T) > 0.4]
    for state, picture in zip(states, pictures(plant, states, size), strict=True):
        pixel = 2.2 / size
        assert np.multiply(middle(picture, ROD), 1.1) == pytest.approx(state[2:4], abs=0.6 * pixel)
        assert np.multiply(middle(picture, GOAL), 1.1) == pytest.approx(state[4:6], abs=0.6 * pixel)


def test_rods_hang_and_stand():
    plant = PLANTS["pendulum"]
    hanging, standing = pictures(plant, np.array([[0, 0], [0, np.pi]]), 100)
    assert middle(hanging, ROD)[1] == pytest.approx(-0.5 / 1.3, abs=0.03)
    assert middle(standing, ROD)[1] == pytest.approx(0.5 / 1.3, abs=0.03)
    for name, still in (("cart-double-pendulum", [0, 0, 0, 0]), ("double-pendulum", [0, 0])):
        left, right = pictures(PLANTS[name], np.array([[*still, 0.5, 0.5], [*still, -0.5, -0.5]]), 100)
        np.testing.assert_allclose(left[:, ::-1].astype(int), right, atol=1)  # anticlockwise is to the left
        assert middle(left, ROD)[0] < 0


@pytest.mark.parametrize("name", PLANTS)
def test_edges_are_smooth_and_nothing_is_drawn_beyond_the_window(name):
    plant, rng = PLANTS[name], np.random.default_rng(1)
    states = np.array([plant.start(rng) for _ in range(3)])
    drawn = pictures(plant, states, 64)
    assert drawn.shape == (3, 64, 64, 3)
    assert drawn.dtype == np.uint8
    for picture in drawn:
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 12
    far = states + 100.0
    assert pictures(plant, far, 64).shape == drawn.shape


def test_a_half_covered_pixel_is_half_coloured():
    class Nothing(Plant):
        pass

    def scene(plant):
        return Scene(0, 0, 2, (), lambda states: [(-9.0, states[:, 0], 9.0, states[:, 0], 1.0, (0, 0, 0))])

    add_scene(Nothing, scene)
    picture = pictures(Nothing(), np.array([[0.0], [0.5]]), 4)[:, :, 1, 0]
    assert picture[0].tolist() == [250, 0, 0, 250]
    assert picture[1].tolist() == [125, 0, 125, 250]


def test_an_unknown_plant_is_refused():
    with pytest.raises(ValueError, match="no picture of a Plant"):
        pictures(Plant(), np.zeros((1, 2)))


@pytest.mark.parametrize("name", PLANTS)
def test_a_task_from_pixels(name):
    task = make_task(f"{name}@pixels")
    assert is_task(task.name)
    assert task.observation_space.shape == (64, 64, 3)
    env, plain = task.make(seed=5), make_task(name).make(seed=5)
    observation, info = env.reset(seed=6)
    plain.reset(seed=6)
    rng = np.random.default_rng(0)
    for _ in range(task.horizon):
        assert task.observation_space.contains(observation)
        np.testing.assert_array_equal(observation, pictures(env.plant, info["state"][None], 64)[0])
        control = rng.uniform(task.action_space.low, task.action_space.high)
        observation, reward, terminated, truncated, info = env.step(control)
        _, same, *_, other = plain.step(control)
        assert reward == same
        np.testing.assert_array_equal(info["state"], other["state"])
    assert (terminated, truncated) == (False, True)


def test_check_of_gymnasium():
    from gymnasium.utils.env_checker import check_env

    check_env(make_task("pendulum@pixels").make(), skip_render_check=True)
    env = make_task("reacher").make(seed=0)
    assert env.render().shape == (400, 400, 3)
    assert (env.render()[0, 0] == PAPER).all()


def test_unknown_views_are_refused():
    with pytest.raises(ValueError, match="did you mean 'pendulum'"):
        make_task("pendulum@pixel")


def test_a_linear_model_reads_the_ball_from_the_pixels():
    """That the task can be learned: least squares on 16x16 means tells where the ball and the goal are."""
    plant, rng = PLANTS["point-mass"], np.random.default_rng(0)
    states = np.array([plant.start(rng) for _ in range(1500)])
    seen = pictures(plant, states, 64).reshape(1500, 16, 4, 16, 4, 3).mean((2, 4)).reshape(1500, -1) / 255 - 0.9
    seen = np.column_stack([seen, np.ones(1500)])
    normal = seen[:1000].T @ seen[:1000] + 1e-3 * np.eye(seen.shape[1])
    weights = np.linalg.solve(normal, seen[:1000].T @ states[:1000, 2:])
    error = seen[1000:] @ weights - states[1000:, 2:]
    assert 1 - error.var() / states[1000:, 2:].var() > 0.95
