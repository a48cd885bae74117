"""Fans: what was foreseen beside what then happened, as arrays and as a picture."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("gymnasium")

from sakiyomi.agents.agent import Foresight, Predicted
from sakiyomi.agents.parts.episodes.fans import Watched, plot_fans, spread, watch
from sakiyomi.agents.parts.episodes.rollouts import Rollout
from sakiyomi.envs import make_task
from sakiyomi.envs.catalog import PLANTS
from sakiyomi.envs.dynamics import after

AHEAD = 5


class Knowing:
    """Holds the pendulum's torque at zero and foresees by the true dynamics, `sure` of it to so many units."""

    config = None

    def __init__(self, sure):
        self.sure, self.plant = sure, make_task("pendulum").rules

    def initial(self, batch, seed=0):
        return None

    def act(self, carry, turn, explore):
        assert not explore
        return np.zeros((1, 1)), carry

    def foresee(self, carry, turn, row=0):
        states = [turn.observation[row]]
        for _ in range(AHEAD):
            states.append(after(self.plant, states[-1], np.zeros(1)))
        mean = np.stack(states[1:])
        future = {"state": Predicted(mean, np.full(mean.shape, self.sure)), "reward": Predicted(np.zeros(AHEAD))}
        return Foresight(lines=(np.zeros((AHEAD, 1)),), future=future)


def watched(sure=0.5):
    return watch(make_task("pendulum").make(), Knowing(sure), seed=3, every=10)


def test_fans_begin_where_the_agent_was_asked():
    seen = watched()
    assert sorted(seen.foreseen) == [0, 10, 20, 30]
    arrays = seen.arrays()
    assert arrays["observations"].shape == (41, 2)
    assert arrays["30/plan"].shape == (AHEAD, 1)
    assert arrays["30/state/mean"].shape == arrays["30/state/std"].shape == (AHEAD, 2)
    assert "30/state/samples" not in arrays
    # measured with noise of 0.1 and 0.01: the true dynamics from there are about right
    assert np.abs(arrays["10/state/mean"][0] - arrays["observations"][11]).max() < 0.6


class Pushing:
    """Pushes to the right for ever, and expects the reward of every step, and from each step on three more."""

    config = SimpleNamespace(discount=0.5)

    def initial(self, batch, seed=0):
        return None

    def act(self, carry, turn, explore):
        return np.ones(1, np.int64), carry

    def foresee(self, carry, turn, row=0):
        future = {"reward": Predicted(np.ones(2)), "value": Predicted(np.full(2, 1.75))}
        return Foresight(value=1.75, lines=(np.ones(2, np.int64),), future=future)


def test_choices_values_and_what_came_of_them(tmp_path, monkeypatch):
    seen = watch(make_task("gym/CartPole-v1").make(), Pushing(), seed=0, every=4)
    steps = len(seen.rollout)
    arrays = seen.arrays()
    assert arrays["actions"].tolist() == [1] * steps
    assert arrays["4/plan"].tolist() == [1, 1]
    assert arrays["4/value/mean"].tolist() == [1.75, 1.75]
    assert arrays["4/value"] == 1.75
    assert arrays["returns"] == pytest.approx([2 - 2 * 0.5 ** (steps - t) for t in range(steps + 1)])
    figure = pytest.importorskip("matplotlib.figure")
    drawn = []
    monkeypatch.setattr(figure.Figure, "savefig", lambda self, *_, **__: drawn.append(self))
    plot_fans(seen, tmp_path / "fans.png")
    panels = {axes.get_ylabel(): axes for axes in drawn[0].axes}
    assert list(panels)[4:] == ["reward", "value", "action"]
    black = [line for line in panels["value"].lines if line.get_color() == "black"]
    assert black[0].get_ydata() == pytest.approx(arrays["returns"])
    assert panels["value"].lines[0].get_xdata().tolist() == [0, 1, 2]  # it opens where it was foreseen


def test_coverage_is_the_part_within_two_deviations():
    assert watched(sure=1.0).coverage(1) == 1.0
    assert watched(sure=0.0).coverage(1) == 0.0
    assert np.isnan(watched().coverage(AHEAD + 1))


def test_coverage_of_a_gaussian_that_is_right():
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(4001, 1))
    fans = {t: Foresight(future={"observation": Predicted(np.zeros((1, 1)), np.ones((1, 1)))}) for t in range(4000)}
    right = Watched(Rollout(seen, np.zeros((4000, 1)), np.zeros(4000)), fans).coverage(1)
    assert right == pytest.approx(0.9545, abs=4 * np.sqrt(0.9545 * 0.0455 / 4000))


def test_spread_is_told_in_any_form():
    mean, rng = np.zeros((3, 2)), np.random.default_rng(0)
    samples = rng.normal(size=(500, 3, 2)) * [1.0, 2.0]
    covariance = np.tile(np.diag([4.0, 9.0]), (3, 1, 1))
    assert (spread(Predicted(mean)) == 0).all()
    assert spread(Predicted(mean, covariance=covariance)).tolist() == [[2.0, 3.0]] * 3
    assert spread(Predicted(mean, samples=samples)) == pytest.approx(samples.std(axis=0))


def test_quantities_are_called_as_the_task_calls_them(tmp_path, monkeypatch):
    figure = pytest.importorskip("matplotlib.figure")
    drawn = []
    monkeypatch.setattr(figure.Figure, "savefig", lambda self, *_, **__: drawn.append(self))
    seen = watched()
    assert seen.names == ("ω [1/s]", "θ [rad]")
    for given, names in ((seen, ()), (seen, ("speed",)), (Watched(seen.rollout, seen.foreseen), ())):
        plot_fans(given, tmp_path / "fans.png", names)
    labels = [[panel.get_ylabel() for panel in each.axes[:2]] for each in drawn]
    assert labels == [["ω [1/s]", "θ [rad]"], ["speed", "observation 1"], ["observation 0", "observation 1"]]


def test_of_a_long_episode_the_beginning_is_drawn(tmp_path, monkeypatch):
    figure = pytest.importorskip("matplotlib.figure")
    drawn = []
    monkeypatch.setattr(figure.Figure, "savefig", lambda self, *_, **__: drawn.append(self))
    plot_fans(watched(), tmp_path / "fans.png", steps=15)
    angle, reward, action = drawn[0].axes[1:]
    starts = [line.get_xdata()[0] for line in angle.lines if len(line.get_xdata()) == 1 + AHEAD]
    assert starts == [0, 10]
    black = [next(line for line in axes.lines if line.get_color() == "black") for axes in (angle, reward)]
    assert [line.get_xdata()[-1] for line in black] == [15, 15]
    assert len(action.lines[0].get_xdata()) == 15


@pytest.mark.parametrize("name", PLANTS)
def test_every_number_of_a_plant_has_its_name(name):
    plant = PLANTS[name]
    assert len(set(plant.names)) == len(plant.bounds)
    assert make_task(name).make().unwrapped.metadata["observed"] == plant.names
    assert "observed" not in make_task(f"{name}@pixels").make().unwrapped.metadata


def test_the_picture_is_written_whole(tmp_path):
    pytest.importorskip("matplotlib")
    plot_fans(watched(), tmp_path / "fans.png", ("speed", "angle"))
    assert (tmp_path / "fans.png").read_bytes()[:4] == b"\x89PNG"
    assert [each.name for each in tmp_path.iterdir()] == ["fans.png"]
