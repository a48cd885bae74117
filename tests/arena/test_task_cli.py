"""What the command line does with tasks."""

import json

import pytest

from sakiyomi.arena import cli_tasks
from sakiyomi.arena.rating.joint import ratings
from sakiyomi.arena.tasks.results import task_games

pytest.importorskip("gymnasium")


@pytest.fixture(autouse=True)
def few_replicates(monkeypatch):
    monkeypatch.setattr("sakiyomi.arena.tasks.statistics.FINAL", 500)
    monkeypatch.setattr("sakiyomi.arena.tasks.results.FINAL", 500)


def run(tmp_path, **options):
    options = {"games": 2, "workers": 0, "out": str(tmp_path / "out")} | options
    cli_tasks.run_tasks(["pendulum"], ["zero", "push=constant:1"], **options)


def test_a_tournament_is_played_and_shown(tmp_path, capsys):
    run(tmp_path)
    out = capsys.readouterr().out
    assert out.startswith(f"pendulum: zero, push: 4 episodes, in {tmp_path / 'out'}\n")
    assert "IQM" in out
    assert out.rstrip().endswith(f"report: {tmp_path / 'out' / 'report.html'}")


def test_json_is_all_that_is_printed_then(tmp_path, capsys):
    run(tmp_path, as_json=True)
    captured = capsys.readouterr()
    standings = json.loads(captured.out)
    assert {row["name"] for row in standings} == {"zero", "push"}
    assert standings[1]["better"] is None
    assert "report:" in captured.err


def test_going_on_and_growing(tmp_path, capsys):
    run(tmp_path)
    cli_tasks.resume_tasks(str(tmp_path / "out"), games=3, add=["wild=random"], workers=0)
    assert "9 episodes" in capsys.readouterr().out


def test_ratings_and_the_report_of_a_folder(tmp_path, capsys):
    run(tmp_path)
    folder = tmp_path / "out"
    assert cli_tasks.is_task_folder(folder)
    assert cli_tasks.is_task_folder(folder / "tournament.sqlite")
    assert not cli_tasks.is_task_folder(tmp_path)
    games = list(task_games(folder))
    assert [game.players for game in games] == [("push", "zero")] * 2
    assert {row.name for row in ratings(games)} == {"push", "zero"}
    before = (folder / "report.html").read_text()
    (folder / "report.html").unlink()
    capsys.readouterr()
    cli_tasks.report_tasks(folder)
    assert capsys.readouterr().out.strip() == str(folder / "report.html")
    assert (folder / "report.html").read_text() == before


def test_faults_are_told(tmp_path, capsys):
    cli_tasks.run_tasks(["pendulum"], ["raiser=python:task_fakes:Raiser"], games=2, workers=0, out=str(tmp_path / "a"))
    assert "2 x crash: raiser: KeyError: 'out of\\nfuel'" in capsys.readouterr().out


def test_the_folder_is_named_after_the_tasks(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    cli_tasks.run_tasks(["gym/Pendulum-v1"], ["zero"], games=1, workers=0)
    (folder,) = (tmp_path / "tournaments").iterdir()
    assert folder.name.startswith("gym-Pendulum-v1-20")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cartpole-swingup", ["cartpole-swingup"]),
        ("pendulum, gym/X-v1", ["pendulum", "gym/X-v1"]),
        (["ALE/Pong-v5"], ["ALE/Pong-v5"]),
        ("go-9x9", []),
        ("chess", []),
        ("", []),
    ],
)
def test_names_of_tasks(text, names):
    assert cli_tasks.task_names(text) == names


def test_games_and_tasks_do_not_mix():
    with pytest.raises(ValueError, match="'go-9x9' is no single-player task"):
        cli_tasks.task_names("pendulum,go-9x9")
    with pytest.raises(ValueError, match="players are wanted, as in: sakiyomi tournament pendulum random zero"):
        cli_tasks.run_tasks(["pendulum"], [])


def test_lists(monkeypatch):
    assert [name for name, _ in cli_tasks.list_tasks()][:2] == ["cartpole-swingup", "pendulum"]
    assert "swingup" in dict(cli_tasks.list_task_players())
    monkeypatch.setattr("sakiyomi.envs.catalog.find_spec", lambda name: None)
    assert all("needs pip install" in about for _, about in cli_tasks.list_tasks())
