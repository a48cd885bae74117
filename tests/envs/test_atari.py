"""Atari games: frame by frame against Gymnasium's own wrappers, presets, beginnings and ends."""

import sys
import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("ale_py", reason='ale-py is not installed: pip install "sakiyomi[atari]"')

import ale_py
import gymnasium
from gymnasium.utils.env_checker import check_env

from sakiyomi.envs.atari import AtariGame, action_meanings, atari_task, cartridge_of, preset_of
from sakiyomi.envs.atari_presets import MACHADO, PRESETS, AtariPreset, muzero_planes
from sakiyomi.envs.atari_scores import SCORES
from sakiyomi.envs.catalog import make_task
from sakiyomi.envs.pixels import AreaResize


def screens(observation):
    return observation["screens"] if isinstance(observation, dict) else observation


@pytest.fixture
def opencv(monkeypatch):
    """OpenCV, or what Gymnasium's wrapper uses of it."""
    try:
        import cv2
    except ImportError:
        resizers = {}

        def resize(image, size, interpolation):
            key = (image.shape, size)
            return resizers.setdefault(key, AreaResize(image.shape, size[::-1]))(image)

        monkeypatch.setitem(sys.modules, "cv2", SimpleNamespace(resize=resize, INTER_AREA=3))
    else:
        return cv2


def gymnasiums(id: str, preset: AtariPreset):
    """The same through Gymnasium's AtariPreprocessing and FrameStackObservation."""
    gymnasium.register_envs(ale_py)
    env = gymnasium.make(
        id,
        frameskip=1,
        repeat_action_probability=preset.stickiness,
        full_action_space=preset.all_actions,
        max_num_frames_per_episode=preset.frames,
    )
    env = gymnasium.wrappers.AtariPreprocessing(
        env, noop_max=0, frame_skip=preset.skip, screen_size=preset.size[::-1], grayscale_obs=preset.grey
    )
    if preset.stack > 1:
        env = gymnasium.wrappers.FrameStackObservation(env, preset.stack, padding_type="zero")
    return env


def seed_of_console(seeds) -> int:
    """The seed that Gymnasium's environment has given the console, if it is one that we can give too."""
    seed = int(np.int32(seeds[1]))
    assert seed >= 0, "choose another seed"
    return seed


@pytest.mark.parametrize(
    ("game", "name", "actions"),
    [
        ("ALE/Breakout-v5", "dqn", 200),
        ("ALE/Breakout-v5", "muzero", 40),
        ("ALE/Breakout-v5", "dreamer", 200),
        ("ALE/Breakout-v5", "machado", 200),
        ("ALE/MsPacman-v5", "machado", 60),
        pytest.param("ALE/MsPacman-v5", "muzero", 600, marks=pytest.mark.slow),
        pytest.param("ALE/SpaceInvaders-v5", "dreamer", 2000, marks=pytest.mark.slow),
        pytest.param("ALE/Seaquest-v5", "dqn", 2000, marks=pytest.mark.slow),
    ],
)
def test_frame_by_frame_as_gymnasium(opencv, game, name, actions):
    """Observations, rewards and ends agree, sticky actions too, as the console has the same seed."""
    preset = replace(preset_of(name), noops=0, reward="points", life_loss=False)
    ours, theirs = AtariGame(cartridge_of(game), preset), gymnasiums(game, preset)
    assert ours.action_space == theirs.action_space
    rng = np.random.default_rng(0)
    wanted, info = theirs.reset(seed=6)
    seen, _ = ours.reset(seed=seed_of_console(info["seeds"]))
    for step in range(actions):
        seen = screens(seen)
        assert np.abs(seen.astype(int) - np.reshape(wanted, seen.shape)).max() <= 1, step
        action = rng.integers(ours.action_space.n)
        wanted, *rest, info = theirs.step(action)
        seen, reward, terminated, truncated, told = ours.step(action)
        assert [reward, terminated, truncated] == rest, step
        assert told["lives"] == info["lives"]
        if terminated or truncated:
            wanted, _ = theirs.reset()
            seen, _ = ours.reset()


@pytest.mark.parametrize("name", list(PRESETS))
def test_gymnasiums_checker_is_content(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(atari_task(f"ALE/Breakout-v5@{name}").build(), skip_render_check=True)


@pytest.mark.parametrize("name", list(PRESETS))
def test_the_task_describes_its_environments(name):
    task = make_task(f"ALE/Breakout-v5@{name}")
    env = task.make(seed=3)
    observation, _ = env.reset(seed=3)
    assert observation in task.observation_space
    assert env.observation_space == task.observation_space
    assert env.action_space == task.action_space
    assert task.discrete
    low, high = task.reward_range
    for _ in range(60):
        observation, reward, *_ = env.step(env.action_space.sample())
        assert observation in task.observation_space
        assert low <= reward <= high


def test_presets_are_the_papers():
    assert {name: make_task(f"ALE/Pong-v5@{name}").horizon for name in PRESETS} == {
        "dqn": 4500,
        "muzero": 27000,
        "dreamer": 27000,
        "machado": 27000,
    }
    actions = {name: make_task(f"ALE/Pong-v5@{name}").action_space.n for name in PRESETS}
    assert actions == {"dqn": 6, "muzero": 18, "dreamer": 18, "machado": 18}
    assert {name: preset.screens for name, preset in PRESETS.items()} == {
        "dqn": (4, 84, 84),
        "muzero": (32, 96, 96, 3),
        "dreamer": (1, 64, 64),
        "machado": (4, 84, 84),
    }


def test_the_name_without_a_preset_is_the_standard_of_v5():
    task = make_task("ALE/Pong-v5")
    assert task.observation_space.shape == (210, 160, 3)
    assert task.action_space.n == 6


@pytest.mark.parametrize("name", list(PRESETS))
def test_the_same_seed_plays_the_same_episode(name):
    task = make_task(f"ALE/Breakout-v5@{name}")
    first, second = task.make(seed=1), task.make()
    second.reset(seed=8)
    for _ in range(30):
        second.step(1)
    a, _ = first.reset(seed=4)
    b, _ = second.reset(seed=4)
    rng = np.random.default_rng(0)
    for _ in range(150):
        assert (screens(a) == screens(b)).all()
        action = rng.integers(task.action_space.n)
        a, *rest = first.step(action)
        b, *others = second.step(action)
        assert rest == others
        if rest[1] or rest[2]:
            a, b = first.reset()[0], second.reset()[0]


def test_sticky_actions_differ_between_seeds():
    task = make_task("ALE/Breakout-v5@machado")
    ends = []
    for seed in (1, 2):
        env = task.make()
        env.reset(seed=seed)
        for step in range(30):
            observation, *_ = env.step(3 + step // 3 % 2)  # right and left
        ends.append(observation)
    assert (ends[0] != ends[1]).any()


def test_nothing_is_done_for_up_to_30_frames_at_the_start():
    env = AtariGame("pong", replace(MACHADO, stickiness=0.0, noops=30))
    env.reset(seed=0)
    waited = []
    for _ in range(300):
        env.reset()
        waited.append(env.console.getEpisodeFrameNumber())
    assert set(waited) == set(range(31))  # by chance 30 of 31 in one of 600 seeds
    assert 13 < np.mean(waited) < 17


def test_observations_are_never_written_again():
    env = make_task("ALE/Breakout-v5@muzero").make(seed=0)
    seen, _ = env.reset(seed=0)
    kept = {key: value.copy() for key, value in seen.items()}
    for _ in range(40):
        env.step(1)
    env.reset()
    assert all((seen[key] == kept[key]).all() for key in seen)


def test_a_lost_life_ends_an_episode_and_the_game_goes_on():
    env = make_task("ALE/Breakout-v5@dqn").make(seed=0)
    env.reset(seed=0)
    lives = []
    for _ in range(5):
        terminated = False
        while not terminated:
            _, reward, terminated, truncated, info = env.step(1)  # fire, and never move
            assert reward in (-1.0, 0.0, 1.0)
        assert not truncated
        lives.append((info["lives"], info["game_over"]))
        observation, info = env.reset()
        assert observation.any(axis=(1, 2)).all() == (lives[-1][0] > 0)  # a new game has black screens behind it
    assert lives == [(4, False), (3, False), (2, False), (1, False), (0, True)]
    assert info["lives"] == 5


def test_a_seed_begins_a_new_game_even_after_a_lost_life():
    env = make_task("ALE/Breakout-v5@dqn").make(seed=0)
    start, _ = env.reset(seed=5)
    while not env.step(1)[2]:
        pass
    again, info = env.reset(seed=5)
    assert info["lives"] == 5
    assert (again == start).all()


def test_the_clock_truncates_and_never_terminates():
    env = AtariGame("pong", replace(MACHADO, frames=42))
    env.reset(seed=0)
    steps = [env.step(0) for _ in range(11)]
    assert [step[2:4] for step in steps] == [(False, False)] * 10 + [(False, True)]
    assert [step[4]["frames"] for step in steps] == [4] * 10 + [2]


@pytest.mark.parametrize(("reward", "wanted"), [("points", 7.0), ("sign", 1.0), ("tanh", np.tanh(7.0))])
def test_rewards_of_points(reward, wanted):
    """Breakout's upper bricks are worth 7; here Space Invaders' are worth 5 and more."""
    preset = replace(MACHADO, reward=reward)
    assert preset.rewards(np.array([7, 0, -7])).tolist() == [wanted, 0.0, -wanted]
    env = AtariGame("space_invaders", preset)
    env.reset(seed=0)
    for _ in range(200):
        _, got, _, _, info = env.step(1)
        assert got == preset.rewards(np.array([info["points"]]))[0]
        if info["points"]:
            return
    pytest.fail("nothing was hit")


def test_muzeros_planes():
    env = make_task("ALE/Breakout-v5@muzero").make(seed=0)
    env.reset(seed=0)
    for action in (3, 17, 9):
        observation, *_ = env.step(action)
    planes = muzero_planes(observation)
    assert planes.shape == (128, 96, 96)
    assert planes.dtype == np.float32
    assert (planes[93:96] == np.moveaxis(observation["screens"][-1], -1, 0).astype(np.float32) / np.float32(255)).all()
    assert not planes[: 3 * 28].any()  # four screens so far
    assert planes[96:, 5, 7].tolist() == [0.0] * 29 + [np.float32(a / 18) for a in (3, 17, 9)]
    assert (planes[96:] == planes[96:, :1, :1]).all()
    batch = {key: np.stack([value, value]) for key, value in observation.items()}
    assert (muzero_planes(batch) == planes).all()


def test_rendering_shows_the_console():
    env = make_task("ALE/Pong-v5@dreamer").make(seed=0)
    env.reset(seed=0)
    assert env.render().shape == (210, 160, 3)


def test_actions_have_names():
    env = make_task("ALE/Pong-v5@dqn").make()
    assert tuple(env.get_action_meanings()) == action_meanings("pong", False)
    assert env.get_action_meanings()[0] == "NOOP"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ALE/Pon-v5@dqn", "did you mean 'ALE/Pong-v5'"),
        ("ALE/?@dqn", "called as in 'ALE/Pong-v5'"),
        ("ALE/Pong-v5@rainbow", "unknown Atari preset 'rainbow'; there are: dqn, muzero, dreamer, machado"),
    ],
)
def test_unknown_names(name, message):
    with pytest.raises(ValueError, match=message):
        make_task(name)


def test_scales_are_of_games_that_exist():
    assert len(SCORES) == 57
    assert set(SCORES) <= set(ale_py.roms.get_all_rom_ids())
    assert all(chance < tester for chance, tester in SCORES.values())
    assert make_task("ALE/Pong-v5@machado").scale == (-20.7, 14.6)
    assert make_task("ALE/Pong-v5@dqn").scale is None  # rewards are clipped
