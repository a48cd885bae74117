"""Many Atari games at once: each row plays what a single game plays, and ends are kept apart."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("ale_py", reason='ale-py is not installed: pip install "sakiyomi[atari]"')

from gymnasium.vector import AutoresetMode, VectorEnv

from sakiyomi.envs.atari import AtariGame, cartridge_of
from sakiyomi.envs.atari_batch import AtariBatch
from sakiyomi.envs.atari_presets import MACHADO, PRESETS


def row(observations, i):
    return {key: value[i] for key, value in observations.items()} if isinstance(observations, dict) else observations[i]


def assert_same(seen, wanted):
    if isinstance(wanted, dict):
        assert (seen["actions"] == wanted["actions"]).all()
        seen, wanted = seen["screens"], wanted["screens"]
    assert np.abs(seen.astype(int) - wanted).max() <= 1


@pytest.mark.parametrize(("name", "actions"), [("dqn", 120), ("muzero", 36), ("dreamer", 220), ("machado", 220)])
def test_a_row_plays_what_a_single_game_plays(name, actions):
    """With the seed of its row: chance at the start, sticky actions, rewards, lost lives, ends and what follows."""
    n, id = 2, f"ALE/Breakout-v5@{name}"
    batch = AtariBatch(id, n, threads=2)
    games = [AtariGame(cartridge_of("ALE/Breakout-v5"), PRESETS[name]) for _ in range(n)]
    seen, _ = batch.reset(seed=11)
    for i, game in enumerate(games):
        assert_same(row(seen, i), game.reset(seed=11 + i)[0])
    rng, ended, ends = np.random.default_rng(0), np.zeros(n, bool), 0
    for _ in range(actions):
        chosen = rng.integers(batch.single_action_space.n, size=n)
        seen, rewards, terminated, truncated, infos = batch.step(chosen)
        for i, game in enumerate(games):
            if ended[i]:
                wanted, rest = game.reset()[0], (0.0, False, False)
            else:
                wanted, *rest, info = game.step(chosen[i])
                assert info["points"] == infos["points"][i]
            assert_same(row(seen, i), wanted)
            assert [rewards[i], terminated[i], truncated[i]] == list(rest)
        ended = terminated | truncated
        ends += ended.sum()
    assert ends > 0 or name == "muzero"
    batch.close()


@pytest.mark.parametrize("name", list(PRESETS))
def test_spaces_are_gymnasiums(name):
    batch = AtariBatch(f"ALE/Pong-v5@{name}", 2, threads=1)
    assert isinstance(batch, VectorEnv)
    assert batch.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    observations, _ = batch.reset(seed=0)
    assert observations in batch.observation_space
    batch.action_space.seed(0)
    observations, rewards, terminated, truncated, _ = batch.step(batch.action_space.sample())
    assert observations in batch.observation_space
    assert (rewards.dtype, terminated.dtype, truncated.dtype) == (np.float64, np.bool_, np.bool_)
    assert rewards.shape == terminated.shape == truncated.shape == (2,)
    batch.close()


def test_results_do_not_depend_on_the_threads():
    runs = []
    for threads in (1, 2):
        batch = AtariBatch("ALE/Breakout-v5@dreamer", 3, threads=threads)
        batch.reset(seed=3)
        runs.append([batch.step(np.full(3, step % 5))[:4] for step in range(60)])
        batch.close()
    for one, two in zip(*runs, strict=True):
        assert all((a == b).all() for a, b in zip(one, two, strict=True))


def test_the_clock_truncates_and_a_new_game_follows():
    batch = AtariBatch("ALE/Pong-v5", 2, threads=1, preset=replace(MACHADO, frames=40))
    batch.reset(seed=0)
    for step in range(1, 24):
        seen, rewards, terminated, truncated, infos = batch.step(np.array([2, 3]))
        assert not terminated.any()
        assert (truncated == (step % 11 == 10)).all()  # ten actions, then one that begins anew
        if step % 11 == 0:
            assert (infos["episode_frame_number"] == 0).all()
            assert not seen[:, :3].any()
            assert (rewards == 0).all()
    batch.close()


def test_observations_are_never_written_again():
    batch = AtariBatch("ALE/Breakout-v5@dqn", 2, threads=1)
    first, _ = batch.reset(seed=0)
    second, *_ = batch.step(np.array([1, 1]))
    kept = first.copy(), second.copy()
    for _ in range(20):
        batch.step(np.array([2, 3]))
    batch.reset()
    assert (first == kept[0]).all()
    assert (second == kept[1]).all()
    batch.close()


def test_the_clock_may_stop_a_game_when_a_life_is_lost():
    """Both a single game and a row then begin a new game."""
    game = AtariGame("breakout", PRESETS["dqn"])
    game.reset(seed=0)
    steps = 1
    while not game.step(1)[2]:
        steps += 1
    preset = replace(PRESETS["dqn"], frames=4 * steps)
    game, batch = AtariGame("breakout", preset), AtariBatch("ALE/Breakout-v5", 1, threads=1, preset=preset)
    game.reset(seed=0)
    batch.reset(seed=0)
    for _ in range(steps):
        _, _, terminated, truncated, info = game.step(1)
        _, _, *ends, _ = batch.step(np.array([1]))
        assert (terminated, truncated) == (ends[0][0], ends[1][0])
    assert (terminated, truncated, info["lives"]) == (True, False, 4)
    first, info = game.reset()
    seen, _, _, _, infos = batch.step(np.array([1]))
    assert info["lives"] == infos["lives"][0] == 5
    assert_same(seen[0], first)
    batch.close()


def test_seeds():
    batch = AtariBatch("ALE/Pong-v5@dqn", 3, threads=1)
    one = batch.reset(seed=[5, 6, 7])[0]
    two = batch.reset(seed=5)[0]
    assert (one == two).all()
    batch.reset(seed=[5, None, 7])
    with pytest.raises(ValueError, match="2 seeds for 3 games"):
        batch.reset(seed=[1, 2])
    batch.close()


def test_a_batch_without_a_seed_begins_by_chance():
    # Each of 200 changes of direction may stick by chance: whole courses are the same with a probability below 1e-40.
    courses = []
    for _ in range(2):
        batch = AtariBatch("ALE/Breakout-v5@machado", 2, threads=1)
        batch.reset()
        actions = [np.full(2, 3 + step % 2) for step in range(200)]  # right and left
        courses.append([batch.step(action)[0].copy() for action in actions])
        batch.close()
    assert any((one != two).any() for one, two in zip(*courses, strict=True))


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batch = AtariBatch("ALE/Pong-v5@dqn", 1)
        batch.reset(seed=0)
        batch.step(np.array([0]))
        batch.close()
