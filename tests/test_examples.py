"""The examples and the README's commands stay true."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sakiyomi.arena.settings import read_settings
from sakiyomi.arena.tournament import Tournament

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_example_runs(path, tmp_path):
    done = subprocess.run([sys.executable, path], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert list(tmp_path.iterdir()) == []


def test_tournament_of_make_arena_is_sound():
    settings = read_settings(ROOT / "examples" / "arena.toml")
    contest = Tournament(settings.game, settings.players, options=settings.options, workers=0, games=2)
    assert {"uct-50", "uct-800"} <= set(contest.names)


def test_readme_python_runs(tmp_path):
    """In order, with the records that it saves in place of those that the reader has, and little to learn."""
    pytest.importorskip("torch")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 3
    text = "\n".join(blocks)
    quicker = (('"archive.tar.xz", "lichess.pgn"', '"game.sgf"'), ("uct:800", "uct:20"), ("seconds=60", "steps=20"))
    for what, instead in quicker:
        assert what in text
        text = text.replace(what, instead)
    done = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "game.sgf").read_text("utf-8").startswith("(;")


def test_readme_commands_exist():
    block = re.search(r"```sh\nsakiyomi(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    for line in block[0].splitlines()[1:-1]:
        command = shlex.split(line, comments=True)[1]
        done = subprocess.run(
            [sys.executable, "-m", "sakiyomi.arena", command, "--help"], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "Example" in done.stdout or command == "records"


@pytest.mark.slow
def test_benchmarks_run():
    program = [sys.executable, "-m", "sakiyomi.arena", "bench", "--quick"]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "playouts/s" in done.stdout
    assert "games/s" in done.stdout
