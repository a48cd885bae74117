"""The tasks ``pets/...``: their physics against equations, what they show, how they start, and bad input."""

import pickle
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gymnasium", reason='Gymnasium is not installed: pip install "sakiyomi[control]"')
if find_spec("mujoco") is None:  # it is to be imported by the task, which says how it draws
    pytest.skip('MuJoCo is not installed: pip install "sakiyomi[control]"', allow_module_level=True)

from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from sakiyomi.envs import is_task, make_task, pets_env
from sakiyomi.envs.pets_env import ENVS, CartPole, HalfCheetah, Pusher, Reacher, mujoco
from sakiyomi.envs.pets_rewards import REWARDS, hand, pole_tip

SHAPES = {
    "pets/cartpole": (4, 1, 3.0, 200, 0.04),
    "pets/reacher": (17, 7, 20.0, 150, 0.02),
    "pets/pusher": (20, 7, 2.0, 150, 0.04),
    "pets/halfcheetah": (18, 6, 1.0, 1000, 0.05),
}


@pytest.fixture(params=SHAPES)
def name(request):
    return request.param


def test_a_task_describes_its_environments(name):
    seen, acted, limit, horizon, seconds = SHAPES[name]
    task = make_task(name)
    env = task.make(seed=0)
    assert is_task(name)
    assert (task.horizon, task.continuous, task.rules_known, task.players) == (horizon, True, False, 1)
    assert task.observation_space.shape == (seen,)
    assert task.action_space.shape == (acted,)
    assert (task.action_space.high == limit).all()
    assert (task.action_space.low == -limit).all()
    assert (env.observation_space, env.action_space) == (task.observation_space, task.action_space)
    assert env.seconds == pytest.approx(seconds)


def test_gymnasiums_checker_is_content(name):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        check_env(make_task(name).build(), skip_render_check=True)
    known = ("infinity", "normalized space")  # states without bounds; controls are as in the paper
    assert all(any(words in str(each.message) for words in known) for each in said)


def test_an_episode_is_cut_off_at_its_horizon_and_rewarded_as_planners_know(name):
    task = make_task(name)
    env = task.make(seed=0)
    before, _ = env.reset(seed=4)
    rows, over, steps = [], False, 0
    while not over:
        action = env.action_space.sample()
        after, reward, terminated, truncated, _ = env.step(action)
        assert not terminated
        rows.append((before, action, after, reward))
        before, over, steps = after, truncated, steps + 1
    assert steps == task.horizon
    befores, actions, afters, rewards = map(np.array, zip(*rows, strict=True))
    np.testing.assert_allclose(REWARDS[name](befores, actions, afters), rewards, rtol=1e-9, atol=1e-9)
    assert task.reward_range[0] <= rewards.min()
    assert rewards.max() <= task.reward_range[1]
    with pytest.raises(ResetNeeded):
        env.step(action)


def test_the_same_seed_is_the_same_episode(name):
    def episode(seed):
        env = make_task(name).make(seed)
        first = env.reset()[0]
        return np.stack([first, *(env.step(env.action_space.sample())[0] for _ in range(10))])

    assert (episode(5) == episode(5)).all()
    assert (episode(5) != episode(6)).any()


def test_observations_are_never_written_again(name):
    env = make_task(name).make(seed=0)
    seen, _ = env.reset(seed=0)
    kept = seen.copy()
    later = env.step(env.action_space.high)[0]
    later_kept = later.copy()
    env.step(env.action_space.low)
    assert (seen == kept).all()
    assert (later == later_kept).all()


def test_actions_are_cut_to_the_limits_and_must_be_finite(name):
    env = make_task(name).make(seed=0)
    ends = []
    for action in (env.action_space.high, 10 * env.action_space.high):
        env.reset(seed=1)
        ends.append(env.step(action)[:2])
    assert (ends[0][0] == ends[1][0]).all()
    assert ends[0][1] == ends[1][1]
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match=rf"^{name}: an action must be of finite numbers, got \["):
            env.step(np.full(env.action_space.shape, bad))


def test_a_step_needs_a_beginning(name):
    with pytest.raises(ResetNeeded):
        make_task(name).build().step(np.zeros(SHAPES[name][1]))


def test_how_to_make_one_travels_to_other_processes(name):
    task = make_task(name)
    env = pickle.loads(pickle.dumps(task.build))()
    assert env.observation_space == task.observation_space


def test_nothing_is_left_behind(name, tmp_path, monkeypatch, capfd):
    """MuJoCo writes its warnings to a file where one works."""
    monkeypatch.chdir(tmp_path)
    env = make_task(name).make(seed=0)
    for _ in range(20):
        env.step(env.action_space.sample())
    assert list(Path.cwd().iterdir()) == []
    assert capfd.readouterr().err == ""


def test_pictures(name):
    env = make_task(name).make(seed=0)
    try:
        first = env.render()
    except ValueError as error:
        pytest.skip(str(error))
    assert (first.shape, first.dtype) == ((360, 480, 3), np.uint8)
    assert first.std() > 5
    for _ in range(10):
        env.step(env.action_space.high)
    assert (env.render() != first).any()
    env.close()
    assert ENVS[name](render_mode=None).render() is None


def test_where_nothing_draws_one_line_says_what_would(monkeypatch):
    def renderer(*args):
        raise RuntimeError("an OpenGL platform library has not been loaded")

    monkeypatch.setattr(mujoco, "Renderer", renderer)
    pets_env._obstacle.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"libegl1.*libosmesa6.*has not been loaded") as caught:
            make_task("pets/cartpole").make(seed=0).render()
    finally:
        pets_env._obstacle.cache_clear()
    assert "\n" not in str(caught.value)


def test_unknown_tasks_are_refused_in_one_line():
    with pytest.raises(ValueError, match=r"^unknown task 'pets/ant'; there are: pets/cartpole, .*pets/halfcheetah$"):
        make_task("pets/ant")


def test_the_cart_pole_obeys_the_textbook():
    """Accelerations against the equations of a rod on a cart, with friction in both joints."""
    env = CartPole()
    cart, pole = env.model.body_mass[1:]
    to_middle = float(np.linalg.norm(env.model.body_ipos[2]))
    inertia = pole * to_middle**2 + env.model.body_inertia[2].max()
    lean = np.arctan2(env.model.body_ipos[2, 0], -env.model.body_ipos[2, 2])
    rng = np.random.default_rng(0)
    for _ in range(20):
        env.data.qpos[:] = rng.uniform(-1, 1, 2) * (2, np.pi)
        env.data.qvel[:] = rng.uniform(-3, 3, 2)
        env.data.ctrl[:] = push = rng.uniform(-3, 3)
        mujoco.mj_forward(env.model, env.data)
        angle, (v, w) = env.data.qpos[1] - lean, env.data.qvel  # the middle is at x - l sin, -l cos
        masses = np.array([[cart + pole, -pole * to_middle * np.cos(angle)], [0, inertia]])
        masses[1, 0] = masses[0, 1]
        forces = [100 * push - v - pole * to_middle * np.sin(angle) * w**2]
        forces += [-w - pole * 9.81 * to_middle * np.sin(angle)]
        np.testing.assert_allclose(env.data.qacc, np.linalg.solve(masses, forces), rtol=1e-6)


def test_the_cart_pole_keeps_its_energy_without_friction():
    env = CartPole()
    env.model.dof_damping[:] = 0
    env.model.opt.enableflags |= mujoco.mjtEnableBit.mjENBL_ENERGY
    env.reset(seed=0)
    env.model.opt.timestep = 0.005
    env.data.qpos[:], env.data.qvel[:] = (0.0, 2.0), (0.0, 1.0)
    energies = []
    for _ in range(400):
        mujoco.mj_step(env.model, env.data)
        energies.append(env.data.energy.sum())
    assert np.ptp(env.data.qpos) > 0.5
    assert np.ptp(energies) < 1e-4 * np.mean(energies)


def test_the_cart_stays_on_its_rail():
    env = CartPole()
    env.reset(seed=0)
    reached = [env.step(np.array([3.0]))[0][0] for _ in range(100)]
    assert 2.4 < max(reached) < 2.75  # the end of the rail is a little soft


def test_the_cart_pole_starts_hanging():
    env = CartPole()
    starts = np.array([env.reset(seed=seed)[0] for seed in range(400)])
    assert abs(starts.mean(0)).max() < 0.02
    np.testing.assert_allclose(starts.std(0), 0.1, rtol=0.12)
    assert pole_tip(starts)[1].mean() == pytest.approx(-0.6, abs=0.01)
    still = env.data
    mujoco.mj_resetData(env.model, still)
    mujoco.mj_forward(env.model, still)
    assert abs(still.qacc).max() < 0.1  # hanging is at rest, but for the pole's lean of a millimetre


def test_the_reachers_hand_is_where_mujoco_has_it():
    env = Reacher()
    rng = np.random.default_rng(0)
    for _ in range(20):
        env.data.qpos[:] = rng.uniform(-2, 2, 7)
        mujoco.mj_kinematics(env.model, env.data)
        np.testing.assert_allclose(hand(env.observe()), env.data.site("hand").xpos, atol=1e-9)


def test_the_reachers_goal_is_drawn_for_each_episode_and_stays():
    env = Reacher()
    starts = np.array([env.reset(seed=seed)[0] for seed in range(300)])
    assert (starts[:, :7] == 0).all()
    assert (starts[:, 10:] == 0).all()
    np.testing.assert_allclose(starts[:, 7:10].mean(0), (0, 0.25, 0), atol=0.025)
    np.testing.assert_allclose(starts[:, 7:10].std(0), 0.1, rtol=0.15)
    first, _ = env.reset(seed=1)
    for _ in range(20):
        later = env.step(env.action_space.sample())[0]
    assert (later[7:10] == first[7:10]).all()
    assert env.data.ncon == 0  # nothing is there to be touched


def test_the_pusher_starts_beside_its_goal():
    env = Pusher()
    starts = np.array([env.reset(seed=seed)[0] for seed in range(300)])
    np.testing.assert_allclose(starts[:, 17:].mean(0), (0.45 + 0.15, -0.05 - 0.25, -0.275), atol=0.006)
    np.testing.assert_allclose(starts[:, 17:19].std(0), 0.025, rtol=0.15)
    assert (starts[:, :7] == 0).all()
    assert 0.0045 < abs(starts[:, 7:14]).max() <= 0.005
    assert (starts[0, 14:17] == starts[1, 14:17]).all()


def test_the_pushers_tip_is_midway_between_its_fingers():
    env = Pusher()
    env.reset(seed=0)
    for _ in range(15):
        seen = env.step(env.action_space.sample())[0]
    fingers = [env.data.geom(name).xpos for name in ("tip_arml", "tip_armr")]
    np.testing.assert_allclose(seen[14:17], np.mean(fingers, axis=0), atol=1e-12)


def test_the_pusher_moves_the_object_by_touching_it_alone():
    env = Pusher()
    first, _ = env.reset(seed=0)
    for _ in range(20):
        apart = env.step(np.zeros(7))[0]
    assert (apart[17:] == first[17:]).all()
    env.data.qpos[1] = 0.33  # the arm is lowered to the table
    mujoco.mj_kinematics(env.model, env.data)
    mujoco.mj_comPos(env.model, env.data)
    tip = env.observe()[14:17]
    env.data.qpos[7:9] += tip[[1, 0]] - first[[18, 17]] + (0.25, 0)  # the object is put on the way of its turn
    mujoco.mj_forward(env.model, env.data)
    put = env.observe()[17:]
    for _ in range(40):
        after = env.step(np.array([2.0, 0, 0, 0, 0, 0, 0]))[0]
    assert after[18] - put[1] > 0.05
    assert after[19] == put[2]
    assert env.model.body("object").mass == pytest.approx(0.04)


def test_the_cheetahs_speed_is_its_way_by_the_time():
    env = HalfCheetah()
    first, _ = env.reset(seed=0)
    assert first[0] == 0
    start = env.data.qpos[0]
    speeds = [env.step(env.action_space.sample())[0][0] for _ in range(30)]
    assert 0.05 * sum(speeds) == pytest.approx(env.data.qpos[0] - start)
    starts = np.array([env.reset(seed=seed)[0] for seed in range(300)])
    np.testing.assert_allclose(starts[:, 1:].std(0), 0.001, rtol=0.15)
    assert (starts[:, 0] == 0).all()
    assert env.model.body_mass.sum() == pytest.approx(14)
