"""The command `train`: runs in folders, budgets, settings, stopping and going on, and its answers to mistakes."""

import io
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fake_agents import Config, Head, Scripted

from sakiyomi.agents.agent import Progress, TrainingBudget
from sakiyomi.arena.agent_specs import AGENTS
from sakiyomi.arena.cli import main
from sakiyomi.arena.cli_train import _View
from sakiyomi.arena.live import plain_console
from sakiyomi.arena.training import Run, configured, groups_of, line_of, parse_budget

FAKE = "python:fake_agents:Scripted"
GO_ON = "sakiyomi train --resume --out"


def run(capsys, *arguments):
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as ended:
        main(["train", *map(str, arguments)])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def refused(capsys, *arguments):
    """What standard error says of a command that the user can mend."""
    code, out, err = run(capsys, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    return err


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs" / "first"


def test_help_teaches(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for words in ("Example: sakiyomi train alphazero connect4 --budget 30m", "--resume", "--set", "docs/agents.md"):
        assert words in out


def test_a_run_from_one_command(capsys, folder):
    code, out, err = run(capsys, FAKE, "tictactoe", "--budget", "30steps", "--out", folder, "--seed", 3)
    assert (code, err) == (0, "")
    first, figures, latest, last = out.splitlines()
    assert first == f"{FAKE} learns tictactoe as preset tictactoe says, in {folder}"
    assert figures == "0:00:00  1 steps  loss: policy 1  width 4, seed 3"  # of the preset that is called as the task
    assert latest == "0:00:15 (97 %, 0:00:00 left)  30 steps  loss: policy 0.03333  width 4, seed 3"
    assert last == f"learnt for 0:00:15, 30 steps; the player: {FAKE}:{folder}"
    assert Scripted.load(folder).steps == 30
    stored = json.loads((folder / "run.json").read_text())
    assert stored == {
        "agent": FAKE,
        "task": "tictactoe",
        "seed": 3,
        "config": {"pause": 0.0, "head": {"width": 4}},
    }
    assert Run.stored(folder) == Run(FAKE, "tictactoe", Config(head=Head(4)), 3)

    code, out, _ = run(capsys, "--resume", "--out", folder, "--budget", "40steps")
    assert code == 0
    assert "31 steps" in out
    assert Scripted.load(folder).steps == 40
    code, out, _ = run(capsys, "--resume", "--out", folder, "--budget", "40steps")
    assert code == 0
    assert "the budget is spent; resume with a greater one" in out


def test_without_out_the_folder_is_named_after_the_run(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(capsys, FAKE, "connect4", "--budget", "1steps")[0] == 0
    (made,) = (tmp_path / "runs").iterdir()
    assert re.fullmatch(r"python-fake_agents-Scripted-connect4-\d{8}-\d{6}", made.name)


def test_settings_are_shown(capsys):
    assert run(capsys, FAKE, "connect4", "--show")[1] == "pause=0.0\nhead.width=16\n"
    assert run(capsys, FAKE, "tictactoe", "--show")[1] == "pause=0.0\nhead.width=4\n"
    arguments = ("--preset", "slow", "--set", "head.width=3", "--set", "pause=1e-3", "--show")
    assert run(capsys, FAKE, *arguments)[1] == "pause=0.001\nhead.width=3\n"
    first, *others = run(capsys, FAKE, "--presets")[1].splitlines()
    assert first.startswith("usual      (--show prints its settings")
    assert others == ["tictactoe  head.width=4", "slow       pause=0.02"]


def test_agents_are_listed(capsys):
    with pytest.raises(SystemExit):
        main(["list", "agents"])
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()] == [*AGENTS, "python:MODULE:NAME"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "an agent and a task are wanted"),
        ((FAKE,), "a task is wanted, as in: sakiyomi train python:fake_agents:Scripted connect4"),
        (("alphazer0", "connect4"), "unknown agent 'alphazer0'; did you mean 'alphazero'?"),
        ((FAKE, "conect4"), "unknown game 'conect4'; did you mean 'connect4'?"),
        (("pets", "cartpole-swingp"), "unknown task 'cartpole-swingp'; did you mean 'cartpole-swingup'?"),
        ((FAKE, "connect4", "--preset", "slw"), "has no preset 'slw'; did you mean 'slow'?"),
        ((FAKE, "connect4", "--preset", "q"), "there are: usual, tictactoe, slow"),
        ((FAKE, "connect4", "--set", "head.widht=3"), "no setting 'head.widht'; did you mean 'head.width'?"),
        ((FAKE, "connect4", "--set", "head.width=few"), "head.width=few: a whole number is wanted"),
        ((FAKE, "connect4", "--budget", "30"), "a training budget is written 30m, 1h30m, 5000steps"),
        ((FAKE, "connect4", "--budget", "0m"), "seconds to train must be over 0"),
        ((FAKE, "connect4", "--ray", "local"), "the agent python:fake_agents:Scripted has no option 'ray'"),
        ((FAKE, "connect4", "--records", "games"), "the agent python:fake_agents:Scripted has no option 'records'"),
        ((FAKE, "connect4", "--stage", "policy"), "the agent python:fake_agents:Scripted has no option 'stage'"),
        ((FAKE, "connect4", "--resume"), "--resume goes on with the run of a folder"),
    ],
)
def test_mistakes_are_answered_in_one_line(capsys, monkeypatch, tmp_path, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert words in refused(capsys, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_has_one_run(capsys, folder):
    assert run(capsys, FAKE, "tictactoe", "--budget", "2steps", "--out", folder)[0] == 0
    assert "holds a run already" in refused(capsys, FAKE, "tictactoe", "--out", folder)
    assert "runs is not empty" in refused(capsys, FAKE, "tictactoe", "--out", folder.parent)
    assert "--seed cannot change" in refused(capsys, "--resume", "--out", folder, "--seed", 1)
    assert "--set cannot change" in refused(capsys, "--resume", "--out", folder, "--set", "pause=1")
    assert "a run of the task tictactoe, not go-9x9" in refused(capsys, FAKE, "go-9x9", "--resume", "--out", folder)
    assert "a run of the agent" in refused(capsys, "alphazero", "--resume", "--out", folder)
    assert "holds no run" in refused(capsys, "--resume", "--out", folder.parent)
    assert Scripted.load(folder).steps == 2
    (folder / "run.json").write_text('{"agent": "x"')
    assert "run.json is damaged" in refused(capsys, "--resume", "--out", folder)


def test_what_is_refused_at_once_leaves_no_run(capsys, folder):
    code, _, err = run(capsys, "python:fake_agents:Picky", "tictactoe", "--budget", "2steps", "--out", folder)
    assert (code, err) == (2, "sakiyomi: a width of 4 will not do\n")
    assert not folder.exists()
    assert run(capsys, FAKE, "tictactoe", "--budget", "2steps", "--out", folder)[0] == 0
    resumed = run(capsys, "--resume", "--out", folder, "--budget", "3steps", "--runtime", "abacus")
    assert resumed[0] == 0
    assert Scripted.load(folder).steps == 3


def test_a_warning_is_a_line_told_once(capsys, folder):
    code, out, err = run(capsys, "python:fake_agents:Warner", "tictactoe", "--budget", "3steps", "--out", folder)
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if "curves" in line] == ["note: no curves today"]


def test_a_budget_too_small_to_learn_is_told(capsys, folder):
    code, out, _ = run(capsys, "python:fake_agents:Warner", "tictactoe", "--budget", "1env", "--out", folder)
    assert code == 0
    assert out.splitlines()[-1].endswith(f"nothing learnt yet; with a greater one: {GO_ON} {folder} --budget ...")


@pytest.mark.parametrize("stops", [1, 2])
def test_ctrl_c_saves_and_tells_how_to_go_on(folder, stops):
    """The first one waits for the end of a step, and what it learnt is saved; a second one within a step does not."""
    pause = "0.02" if stops == 1 else "60"
    program = [sys.executable, "-m", "sakiyomi.arena", "train", FAKE, "tictactoe", "--out", folder]
    process = subprocess.Popen(
        [*map(str, program), "--set", f"pause={pause}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent,
    )
    assert process.stdout.readline().startswith(FAKE)
    if stops == 1:
        assert "1 steps" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    if stops == 2:
        assert process.stderr.readline() == "\n"
        assert "once more: at once" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"to go on: sakiyomi train --resume --out {folder}" in out
    assert (", saved; to go on" in out, "stopped at once; to go on" in out) == (stops == 1, stops == 2)
    if stops == 1:
        assert Scripted.load(folder).steps >= 1


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("30m", TrainingBudget(seconds=1800)),
        ("1h30m", TrainingBudget(seconds=5400)),
        ("1.5h", TrainingBudget(seconds=5400)),
        ("90s", TrainingBudget(seconds=90)),
        ("2d", TrainingBudget(seconds=172800)),
        ("5000steps", TrainingBudget(steps=5000)),
        ("1 step", TrainingBudget(steps=1)),
        ("1e6env", TrainingBudget(environment_steps=1_000_000)),
        ("2.5e3steps, 10m", TrainingBudget(seconds=600, steps=2500)),
    ],
)
def test_budgets_as_text(text, budget):
    assert parse_budget(text) == budget


@pytest.mark.parametrize("text", ["", "m", "30", "-5m", "1e6", "1h 30", "steps", "..5m", "5m,", "1e-3steps"])
def test_what_is_no_budget(text):
    with pytest.raises(ValueError, match="a training budget is written"):
        parse_budget(text)


def test_the_line_of_a_run():
    assert line_of(Progress(1200, 9000, 600.0, 0.25)) == "0:10:00 (25 %, 0:30:00 left)  1,200 steps"
    assert line_of(Progress(0, 0, 3661.0, 0.0)) == "1:01:01  0 steps"


def test_figures_by_group():
    scalars = {
        "loss/policy": 1.23456,
        "score/uct:100": 0.5,
        "score/uct:100 low": 0.25,
        "score/uct:100 high": 0.75,
        "loss/value": 2,
        "positions": 7,
        "share/back up": 0.125,
        "tide/low": 3,
    }
    assert groups_of(scalars) == {
        "loss": "policy 1.235, value 2",
        "score": "uct:100 0.5 (0.25 to 0.75)",
        "": "positions 7",
        "share": "back up 0.125",
        "tide": "low 3",
    }


def test_in_a_terminal_all_figures_are_shown():
    console = plain_console(file=io.StringIO(), terminal=True)
    with _View(console) as view:
        view.show(Progress(1, 1, 1.0, 0.5, {"loss/policy": 1.5, "speed/games": 3}))
        view.show(Progress(2, 2, 2.0, 1.0, {"loss/policy": 1.25}))
    shown = console.file.getvalue()
    assert "speed: games 3" in shown
    assert "0:00:02 (100 %, 0:00:00 left)  2 steps  loss: policy 1.25\n" in shown


def test_a_preset_called_as_the_task_is_meant_for_it():
    assert configured(FAKE, "tictactoe", None, ()) == Scripted.presets["tictactoe"]
    assert configured(FAKE, "go-9x9", None, ()) == Scripted.presets["usual"]
    assert configured(FAKE, "tictactoe", "slow", ()) == Scripted.presets["slow"]
