"""A prediction of pictures as a strip of frames: what is drawn where, and that it is written whole."""

import numpy as np
import pytest

pytest.importorskip("gymnasium")
figure = pytest.importorskip("matplotlib.figure")

from sakiyomi.agents.parts.episodes.strips import plot_strip  # noqa: E402
from sakiyomi.agents.parts.episodes.videos import OpenLoop  # noqa: E402


def a_loop(numbers=("reward", "value"), ahead=5):
    rng = np.random.default_rng(0)
    context, truth, predicted = (rng.integers(256, size=(n, 8, 8, 3), dtype=np.uint8) for n in (3, ahead, ahead))
    told = {name: rng.normal(size=ahead) for name in numbers}
    paths = {name: rng.normal(size=(4, ahead)) for name in numbers}
    return OpenLoop(context, truth, predicted, np.arange(3.0 + ahead), told, paths)


def drawn(loop, path, monkeypatch, **how):
    kept = []
    monkeypatch.setattr(figure.Figure, "savefig", lambda self, *_, **__: kept.append(self))
    plot_strip(loop, path, **how)
    return kept[0].axes


def test_frames_have_their_steps_and_their_borders(tmp_path, monkeypatch):
    loop = a_loop()
    axes = drawn(loop, tmp_path / "strip.png", monkeypatch, shown=3)
    columns = 2 + 3
    came, imagined, difference = (axes[row * columns : (row + 1) * columns] for row in range(3))
    assert [each.get_title() for each in came] == ["-1", "0", "+1", "+3", "+5"]
    assert (came[1].images[0].get_array() == loop.context[-1]).all()
    assert (came[3].images[0].get_array() == loop.truth[2]).all()
    assert (imagined[1].images[0].get_array() == loop.context[-1]).all()
    assert (imagined[4].images[0].get_array() == loop.predicted[4]).all()
    assert (difference[2].images[0].get_array() == loop.error[0]).all()
    assert not difference[0].images
    borders = [each.spines["top"].get_edgecolor() for each in imagined]
    assert borders[0] == borders[1] != borders[2] == borders[4]


def test_below_are_rewards_that_came_and_all_futures(tmp_path, monkeypatch):
    loop = a_loop()
    reward, value = drawn(loop, tmp_path / "strip.png", monkeypatch)[-2:]
    assert [each.get_ylabel() for each in (reward, value)] == ["reward", "value"]
    black = next(line for line in reward.lines if line.get_color() == "black")
    assert black.get_xdata().tolist() == list(range(-1, 6))
    assert black.get_ydata().tolist() == loop.rewards[1:].tolist()
    assert len(value.lines) == 4 + 1 + 1  # futures, their mean, and the line of step 0
    assert value.lines[4].get_xdata().tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("numbers", [(), ("reward",), ("reward", "value")])
def test_the_picture_is_written_whole(numbers, tmp_path):
    plot_strip(a_loop(numbers, ahead=1), tmp_path / "strip.png")
    assert (tmp_path / "strip.png").read_bytes()[:4] == b"\x89PNG"
    assert [each.name for each in tmp_path.iterdir()] == ["strip.png"]
