"""What was foreseen beside what then came: an oracle's pictures are the truth, and films show what they should."""

import numpy as np
import pytest

pytest.importorskip("gymnasium")

from sakiyomi.agents.agent import Foresight, Predicted
from sakiyomi.agents.parts.episodes.videos import (
    CAME,
    GAP,
    IMAGINED,
    OpenLoop,
    _picture,
    film_frames,
    open_loop,
    save_film,
    strip,
)
from sakiyomi.envs import make_task

PLAN = np.tile([[1.5, -0.5]], (8, 1))


class Oracle:
    """Foresees what the true environment shows, darker by `off`; as `floats` it says so in numbers from 0 to 1."""

    def __init__(self, task, off=0, floats=False):
        self.task, self.off, self.floats = task, off, floats

    def initial(self, batch, seed=0):
        return seed, 0

    def act(self, carry, turn, explore):
        seed, steps = carry
        return np.array([[-1.0, 1.0]]), (seed, steps + 1)

    def foresee(self, carry, turn, row=0):
        env, (seed, steps) = self.task.make(), carry
        env.reset(seed=seed)
        for _ in range(steps - 1):
            env.step(np.array([-1.0, 1.0]))
        frames = np.zeros((len(PLAN), 64, 64, 3), np.uint8)  # black after the episode's end
        for h, action in enumerate(PLAN[: self.task.horizon - steps + 1]):
            frames[h] = env.step(action)[0]
        frames = np.clip(frames.astype(int) - self.off, 0, 255).astype(np.uint8)
        shown = frames / 255 if self.floats else frames
        rewards = np.arange(len(PLAN)) / 10
        paths = np.stack([rewards, rewards])
        future = {
            "observation": Predicted(shown),
            "reward": Predicted(rewards, samples=paths),
            "value": Predicted(10 - rewards),
        }
        return Foresight(actions=PLAN[:1], lines=(PLAN,), future=future)


@pytest.fixture(scope="module")
def task():
    return make_task("point-mass@pixels")


@pytest.mark.parametrize("floats", [False, True])
def test_an_oracle_errs_nowhere(task, floats):
    loop = open_loop(Oracle(task, floats=floats), task, context=5, seed=3)
    assert loop.context.shape == (6, 64, 64, 3)
    assert loop.truth.shape == loop.predicted.shape == (8, 64, 64, 3)
    assert (loop.errors == 0).all()
    assert (np.diff(loop.truth.astype(int), axis=0) != 0).any(axis=(1, 2, 3)).all()  # it moves
    env = task.make()
    first, _ = env.reset(seed=3)
    assert (loop.context[0] == first).all()


def test_the_error_is_measured(task):
    loop = open_loop(Oracle(task, off=20), task, context=2, seed=3)
    dark = np.minimum(loop.truth, 20)
    assert (loop.error == dark).all()
    np.testing.assert_allclose(loop.errors, ((dark / 255) ** 2).mean(axis=(1, 2, 3)))


def test_what_comes_after_the_end_of_the_episode_is_left_out(task):
    loop = open_loop(Oracle(task), task, context=46, seed=0)
    assert len(loop.truth) == len(loop.predicted) == 4
    with pytest.raises(ValueError, match="ended after 50 steps"):
        open_loop(Oracle(task), task, context=60, seed=0)


def test_numbers_lie_beside_the_rewards_that_came(task):
    loop = open_loop(Oracle(task), task, context=46, seed=0)
    env = task.make()
    env.reset(seed=0)
    actions = [np.array([-1.0, 1.0])] * 46 + list(PLAN[:4])
    np.testing.assert_allclose(loop.rewards, [0.0, *(env.step(action)[1] for action in actions)])
    assert {name: each.tolist() for name, each in loop.numbers.items()} == {
        "reward": [0.0, 0.1, 0.2, 0.3],
        "value": [10.0, 9.9, 9.8, 9.7],
    }
    assert {name: each.tolist() for name, each in loop.paths.items()} == {"reward": [[0.0, 0.1, 0.2, 0.3]] * 2}
    arrays = loop.arrays()
    assert (arrays["error"] == loop.error).all()
    assert (arrays["predicted value"] == loop.numbers["value"]).all()


def test_of_screens_one_after_the_other_the_last_is_shown():
    screens = np.random.default_rng(0).integers(256, size=(4, 16, 16), dtype=np.uint8)
    shown = _picture(screens)
    assert shown.shape == (16, 16, 3)
    assert (shown == screens[-1, ..., None]).all()


def test_without_pictures_there_is_no_film():
    task = make_task("point-mass")
    blind = Oracle(make_task("point-mass@pixels"))
    blind.foresee = lambda carry, turn, row: Foresight(lines=(PLAN,), future={"observation": Predicted(PLAN)})
    with pytest.raises(ValueError, match="a picture is"):
        open_loop(blind, task)
    with pytest.raises(ValueError, match="foresees no pictures"):
        open_loop(blind, blind.task)


def test_film_has_truth_prediction_and_error_below_each_other():
    rng = np.random.default_rng(0)
    context, truth, predicted = (rng.integers(256, size=(n, 5, 4, 3), dtype=np.uint8) for n in (2, 3, 3))
    loop = OpenLoop(context, truth, predicted)
    frames = film_frames([loop, loop], scale=2)
    high, wide = 2 * 5 + 2 * GAP, 2 * 4 + 2 * GAP
    assert frames.shape == (5, 3 * high, 2 * wide, 3)

    def cell(frame, row, column):
        part = frame[row * high : (row + 1) * high, column * wide : (column + 1) * wide]
        return part[GAP:-GAP:2, GAP:-GAP:2]

    assert (cell(frames[1], 0, 1) == context[1]).all()
    assert (cell(frames[1], 1, 1) == context[1]).all()
    assert (cell(frames[3], 0, 0) == truth[1]).all()
    assert (cell(frames[3], 1, 0) == predicted[1]).all()
    assert (cell(frames[3], 2, 0) == np.abs(truth[1].astype(int) - predicted[1])).all()
    assert (frames[1][high] != frames[3][high]).any()  # the border of what is imagined
    shown = strip(loop, shown=2, scale=2)
    assert shown.shape == (3 * high, 3 * wide, 3)
    assert (cell(shown, 1, 2) == predicted[2]).all()


def test_charts_show_what_was_expected_from_then_on_and_what_came():
    frames = np.zeros((3, 5, 8, 3), np.uint8)
    numbers = {"reward": np.array([1.0, 0.0, 1.0]), "value": np.array([0.0, 1.0, 2.0])}
    loop = OpenLoop(frames[:2], frames, frames, np.array([0.0, 0.0, 1.0, 1.0, 1.0]), numbers)
    film = film_frames([loop], scale=2)
    plain = film_frames([OpenLoop(frames[:2], frames, frames)], scale=2)
    charts = film[:, plain.shape[1] :]
    assert (film[:, : plain.shape[1]] == plain).all()
    assert charts.shape[1] == 2 * (16 // 2 + 2 * GAP)  # two charts, half as high as wide

    def marked(chart, colour):
        return (chart == colour).all(axis=-1)

    assert not marked(charts[1], IMAGINED).any()  # nothing is imagined in the context
    rewards, values = charts[:, : charts.shape[1] // 2], charts[:, charts.shape[1] // 2 :]
    assert marked(rewards[2], IMAGINED).any()
    assert marked(values[2], IMAGINED).any()
    assert not marked(values, CAME).any()  # what a state was worth nobody knows
    assert (np.diff([marked(each, CAME).sum() for each in rewards]) >= 0).all()
    assert np.flatnonzero(marked(values[4], IMAGINED).any(axis=0)).min() > 16 // 3  # it begins after the context


def test_film_is_written(tmp_path):
    frames = np.random.default_rng(0).integers(256, size=(4, 8, 8, 3), dtype=np.uint8)
    loop = OpenLoop(frames, frames, frames)
    save_film([loop], tmp_path / "film.npz")
    with np.load(tmp_path / "film.npz") as stored:
        assert (stored["frames"] == film_frames([loop])).all()
    image = pytest.importorskip("PIL.Image")
    save_film([loop], tmp_path / "film.gif")
    with image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 8
