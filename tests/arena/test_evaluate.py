"""The command `evaluate`."""

import json

import numpy as np
import pytest

from sakiyomi.arena import cli
from sakiyomi.arena.cli_evaluate import figures_of
from sakiyomi.arena.tasks.tournament import TaskTournament

pytest.importorskip("gymnasium")


@pytest.fixture(autouse=True)
def few_replicates(monkeypatch):
    monkeypatch.setattr("sakiyomi.arena.tasks.statistics.FINAL", 500)


def run(*arguments):
    with pytest.raises(SystemExit) as left:
        cli.main(["evaluate", *map(str, arguments)])
    return left.value.code


def test_a_task(capsys):
    assert run("cartpole-swingup", "swingup", "--episodes", 3) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[0].split()[:3] == ["episode", "1", "return"]
    assert lines[0].endswith("40 steps, truncated")
    assert lines[3].startswith("mean return")
    assert "95 % interval" in lines[4]


def test_episodes_are_those_of_a_tournament(capsys):
    assert run("pendulum", "random", "--episodes", 4, "--seed", 7, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    contest = TaskTournament(["pendulum"], ["random"], games=4, seed=7, workers=0)
    for _ in contest.stream():
        pass
    totals = {row.episode.run: row.outcome.total for row in contest.rows}
    assert [each["score"] for each in told["episodes"]] == [totals[k] for k in sorted(totals)]
    assert told["mean"] == pytest.approx(np.mean(list(totals.values())))
    low, high = told["mean_interval"]
    assert low <= told["mean"] <= high
    assert told["count"] == 4


def test_a_film_of_episodes(tmp_path, capsys):
    film = tmp_path / "film.npz"
    assert run("point-mass@pixels", "random", "--episodes", 2, "--video", film) == 0
    held = np.load(film)
    assert held["frames"].shape == (102, 400, 400, 3)
    assert held["starts"].tolist() == [0, 51]
    assert held["fps"] == 10
    assert capsys.readouterr().err.strip() == str(film)


def test_filming_changes_nothing(tmp_path, capsys):
    told = []
    for more in ([], ["--video", tmp_path / "film"]):
        assert run("reacher", "random", "--episodes", 2, "--json", *more) == 0
        told.append([each["score"] for each in json.loads(capsys.readouterr().out)["episodes"]])
    assert told[0] == told[1]
    assert len(list((tmp_path / "film").iterdir())) == 202


def test_games(tmp_path, capsys):
    film = tmp_path / "games.npz"
    arguments = ["--against", "random", "--episodes", 4, "--json", "--video", film, "--fps", 3]
    assert run("tictactoe", "perfect", *arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["moved"] for each in told["episodes"]] == ["first", "second"] * 2
    assert all(each["score"] >= 0.5 for each in told["episodes"])
    assert told["mean"] > 0.5
    held = np.load(film)
    assert len(held["frames"]) == sum(each["moves"] + 2 for each in told["episodes"])
    assert len(held["starts"]) == 4
    assert held["fps"] == 3
    np.testing.assert_array_equal(held["frames"][0], held["frames"][held["starts"][2]])  # an empty board


def test_one_episode_has_no_interval(capsys):
    assert run("pendulum", "zero", "--episodes", 1) == 0
    assert "interval" not in capsys.readouterr().out


def test_a_failing_player(capsys, monkeypatch, tmp_path):
    (tmp_path / "fragile.py").write_text(
        "class Fragile:\n"
        "    def begin(self, task, seed): pass\n"
        "    def act(self, observation): 1 / 0\n"
        "    def close(self): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert run("pendulum", "python:fragile:Fragile", "--episodes", 2, "--video", tmp_path / "film") == 1
    out = capsys.readouterr().out
    assert out.count("crash after 0 steps") == 2
    assert "ZeroDivisionError" in out
    assert "no episode was played to its end" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pendulm", "random"], "unknown task 'pendulm'; did you mean 'pendulum'?"),
        (["pendulum", "uct:3"], "unknown player of tasks 'uct:3'"),
        (["tictactoe", "swingup"], "unknown player 'swingup'"),
        (["pendulum", "zero", "--video", "x.avi"], "a film's name ends in .gif, .mp4 or .npz"),
        (["pendulum", "zero", "--episodes", "0"], "Invalid value"),
    ],
)
def test_mistakes_are_one_line(capsys, arguments, words):
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_figures_by_hand():
    told = figures_of([0.0, 1.0, 2.0, 9.0])
    assert told["mean"] == 3.0
    assert told["iqm"] == 1.5
    assert told["count"] == 4
    assert told["mean_interval"][0] >= 0
    assert told["mean_interval"][1] <= 9
    assert figures_of([])["mean"] is None
    assert figures_of([2.0]) == {"count": 1, "mean": 2.0, "mean_interval": None, "iqm": 2.0, "iqm_interval": None}


def test_what_counts_in_atari_games_are_points(capsys):
    """And not their tanh, which is what agents are rewarded with."""
    pytest.importorskip("ale_py")
    assert run("ALE/SpaceInvaders-v5@dreamer", "random", "--episodes", 1, "--json") == 0
    (episode,) = json.loads(capsys.readouterr().out)["episodes"]
    assert episode["score"] >= 5  # an invader is worth 5 or more
    assert episode["score"] % 5 == 0
