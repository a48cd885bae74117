"""Agents as players of tasks."""

import numpy as np
import pytest
from task_agents import Config, Pushing

from sakiyomi.arena.cli import main
from sakiyomi.arena.tasks.episodes import Episode, EpisodeBench
from sakiyomi.arena.tasks.players import check_task_player, make_task_player
from sakiyomi.arena.tasks.seat import AgentTaskPlayer
from sakiyomi.envs import make_task

ROD = make_task("pendulum")


@pytest.fixture
def spec(tmp_path):
    Pushing(Config(0.5), "pendulum").save(tmp_path)
    return f"python:task_agents:Pushing:{tmp_path}"


def test_an_episode_is_shown_turn_by_turn(spec):
    bench = EpisodeBench({"pendulum": ROD}, {"me": spec})
    player = make_task_player(spec)
    bench._players["me"] = player
    for run in (1, 2):
        assert bench.do(Episode(run, "pendulum", "me", run, run)).whole
    shown = player.agent.shown
    assert len(shown) == 2 * ROD.horizon
    assert [first for first, _ in shown] == [number % ROD.horizon == 0 for number in range(len(shown))]
    assert [reward for first, reward in shown if first] == [0.0, 0.0]
    assert all(0 < reward <= 1 for first, reward in shown if not first)
    bench.close()


def test_it_acts_and_foresees(spec):
    player = make_task_player(spec)
    assert isinstance(player, AgentTaskPlayer)
    player.begin(ROD, 0)
    assert player.foresee() is None
    assert player.act(np.array([0.0, 1.0])).tolist() == [0.5]
    player.rewarded(0.25)
    player.act(np.array([0.0, 2.0]))
    assert player.foresee().value == 0.25
    assert player.foresee().future["state"].mean[0].tolist() == [0.0, 2.0]


def test_settings_of_its_loading_stand_behind_an_at(spec):
    player = make_task_player(f"{spec}@scale=3")
    player.begin(ROD, 0)
    assert player.act(np.array([0.0, 1.0])).tolist() == [1.5]


def test_another_task_is_refused(spec):
    with pytest.raises(ValueError, match="has learnt pendulum, not cartpole-swingup"):
        make_task_player(spec).begin(make_task("cartpole-swingup"), 0)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("python:task_agents:Pushing", "name the folder that it was trained in"),
        ("python:task_agents:Pushing:nowhere", "nowhere holds no agent"),
        ("pets", "'pets' is to be written 'pets:FOLDER'"),
        ("pets:", "is to be written 'pets:FOLDER'"),
    ],
)
def test_what_is_no_agent_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        check_task_player(wrong, [ROD])


def test_a_setting_that_there_is_not_is_refused(spec):
    with pytest.raises(ValueError, match="no setting 'sims=3'; there are: scale"):
        make_task_player(f"{spec}@sims=3")


def test_what_it_foresees_is_written(spec, tmp_path, capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["evaluate", "pendulum", spec, "--episodes", "1", "--foresight", str(tmp_path / "fans.npz")])
    arrays = np.load(tmp_path / "fans.npz")
    assert arrays["observations"].shape == (ROD.horizon + 1, 2)
    assert (arrays["10/state/mean"] == arrays["observations"][10]).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("pendulum", "random", "--foresight", "fans.npz"), "random is no agent"),
        (("pendulum", "random", "--foresight", "fans.gif"), "wanted is a .png, or a .npz"),
        (("tictactoe", "random", "--foresight", "fans.npz"), "--foresight is for tasks"),
    ],
)
def test_what_cannot_be_foreseen_is_refused_at_once(arguments, words, capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", *arguments])
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""
