"""docs/agents.md holds: its agent learns, plays and foresees by the commands and the code that it shows."""

import io
import json
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from sakiyomi.agents.parts.runs.checkpoints import read_json
from sakiyomi.arena.cli import main
from sakiyomi.arena.match import Termination
from sakiyomi.arena.players import make_player
from sakiyomi.arena.playing import play
from sakiyomi.arena.seat import AgentPlayer
from sakiyomi.boards import TicTacToe

GUIDE = (Path(__file__).resolve().parent.parent.parent / "docs" / "agents.md").read_text("utf-8")
QUICKER = {
    "--budget 10s": "--budget 30steps",
    "--budget 15s": "--budget 40steps",
    "--games 20": "--games 2 --workers 0",
}


def run(*arguments):
    """What the command line prints."""
    out = io.StringIO()
    with redirect_stdout(out), pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 0
    return out.getvalue()


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A folder in which somebody has followed the guide, and what the commands and the code printed."""
    folder = tmp_path_factory.mktemp("guide")
    agent, *others = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    (folder / "my_agent.py").write_text(agent)
    commands = "".join(re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL))
    for slow, quick in QUICKER.items():
        assert slow in commands
        commands = commands.replace(slow, quick)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", [*sys.path])
        patch.setattr(sys, "stdin", io.StringIO("quit\n"))
        said = []
        for line in commands.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "sakiyomi"
            said.append(run(*arguments))
        done = subprocess.run([sys.executable, "-c", "\n".join(others)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
        yield folder, said
    del sys.modules["my_agent"]


def test_the_commands_do_what_the_guide_says(followed):
    folder, (presets, first, second, tournament, *_) = followed
    assert presets.splitlines()[1].split() == ["bold", "chance=0.4"]
    assert "30 steps" in first
    assert "40 steps" in second
    assert "table" in tournament
    stored = json.loads((folder / "runs" / "table" / "run.json").read_text())
    assert stored["config"] == {"rate": 0.2, "chance": 0.2, "games": 100}


def test_the_agent_has_learnt_and_foresees(followed):
    folder, (*_, watched) = followed
    assert "Candidate(move=" in watched
    assert "(15, 1) [1. 1. 1. 1.]" in watched
    game = TicTacToe()
    table = make_player(f"python:my_agent:Table:{folder / 'runs' / 'table'}", game)
    others = make_player("random", game)
    scores = []
    for number in range(60):
        sides = (table, others) if number % 2 == 0 else (others, table)
        played = play(game, sides, seed=number)
        assert played.termination is Termination.NORMAL
        scores.append(played.record.score if number % 2 == 0 else 1 - played.record.score)
    assert sum(scores) / 60 > 0.85
    assert isinstance(table, AgentPlayer)
    assert table.thought.value is not None


def test_a_resumed_run_equals_one_that_was_not_stopped(followed):
    folder, _ = followed
    settings = ("--set", "rate=0.2", "--budget", "40steps", "--out", "runs/whole")
    run("train", "python:my_agent:Table", "tictactoe", *settings)
    whole, parts = (read_json(folder / "runs" / name / "table.json") for name in ("whole", "table"))
    assert whole.pop("seconds") != parts.pop("seconds")
    assert whole == parts
