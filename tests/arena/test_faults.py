"""Engines that fail in the midst of real tournaments lose that game, the reason is kept, and the rest is played."""

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sakiyomi.arena import Budget, Termination, Tournament

FAKE = f"{shlex.quote(sys.executable)} -S {shlex.quote(str(Path(__file__).with_name('fake_engine.py')))}"
REASONS = {
    "crash": (Termination.CRASH, "exited with code 1; it last said: fatal: out of ideas"),
    "segfault": (Termination.CRASH, "was killed by SIGSEGV"),
    "exit": (Termination.CRASH, "exited with code 0"),
    "close-output": (Termination.CRASH, "closed its output"),
    "hang": (Termination.STALL, "gave no answer to 'genmove"),
    "half": (Termination.STALL, "gave no answer to 'genmove"),
    "illegal": (Termination.ILLEGAL_MOVE, "the point is occupied"),
    "off-board": (Termination.ILLEGAL_MOVE, "'Z25' is off the 5x5 board"),
    "nonsense": (Termination.PROTOCOL_ERROR, "which is no move"),
    "rubbish": (Termination.PROTOCOL_ERROR, "which is no GTP response"),
    "wrong-id": (Termination.PROTOCOL_ERROR, "id 4711 where"),
    "refuse": (Termination.PROTOCOL_ERROR, "refused to generate a move"),
    "flood": (Termination.PROTOCOL_ERROR, "without a line end"),
    "flood-lines": (Termination.PROTOCOL_ERROR, "more than 4096 lines"),
    "bad-utf8": (Termination.PROTOCOL_ERROR, "which is no move"),
}


def engines(mode: str) -> dict[str, str]:
    return {"bad": f"gtp:{FAKE} {mode}", "good": f"gtp:{FAKE} good"}


def lost_by(name: str, played) -> bool:
    return played.record.score == (0.0 if played.record.players[0] == name else 1.0)


@pytest.mark.parametrize("mode", REASONS)
def test_a_failing_engine_loses_and_the_tournament_goes_on(mode, tmp_path, monkeypatch):
    monkeypatch.setattr("sakiyomi.arena.engines.gtp.SILENCE", 0.2)
    termination, reason = REASONS[mode]
    budget, margin = (Budget(seconds=0.5), 2) if termination is Termination.STALL else (Budget(), 20)
    tournament = Tournament(
        "go-5x5", engines(mode), games=2, workers=0, budget=budget, margin=margin, out=tmp_path / "out"
    )
    table = tournament.run()
    assert sum(rating.games for rating in table) == 4
    # What was stored is what is told, also to whoever opens the folder later.
    stored = Tournament.stored(tmp_path / "out")
    assert list(stored.stream()) == []
    assert stored.played == tournament.played
    assert all(played.record.score is not None for played in stored.played)
    faults = [played for played in stored.played if played.termination is not Termination.NORMAL]
    assert faults
    for played in faults:
        assert played.termination is termination
        assert lost_by("bad", played)
        assert played.detail.startswith("bad: ")
        assert reason in played.detail
        assert played.record.ending == termination
    assert any(reason in path.read_text() for path in (tmp_path / "out").rglob("*.sgf"))


def test_workers_survive_failing_engines():
    players = engines("crash") | {name: f"gtp:{FAKE} {name}" for name in ("exit", "rubbish", "illegal", "flood")}
    tournament = Tournament("go-5x5", players, games=2, workers=2)
    table = tournament.run()
    assert len(tournament.played) == 30
    assert {rating.name for rating in table} == set(players)
    assert table[0].name == "good"
    assert all(lost_by(other_of("good", played), played) for played in tournament.played if "good" in seats(played))


def seats(played) -> tuple[str, str]:
    return played.record.players


def other_of(name: str, played) -> str:
    return next(player for player in seats(played) if player != name)


def test_a_silent_engine_in_a_worker_is_given_up_and_leaves_nothing_running(tmp_path):
    log = tmp_path / "log"
    players = engines(f"hang --log {shlex.quote(str(log))}")
    started = time.monotonic()
    tournament = Tournament("go-5x5", players, games=2, workers=1, patience=5.0)
    tournament.run()
    assert time.monotonic() - started < 60
    assert [played.termination for played in tournament.played] == [Termination.STALL] * 2
    assert all(lost_by("bad", played) for played in tournament.played)
    assert not [line for line in processes() if str(log) in line]


def processes() -> list[str]:
    """The command lines of all processes that run."""
    return subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_command_line_reports_failures(tmp_path):
    out = tmp_path / "out"
    words = [sys.executable, "-m", "sakiyomi.arena", "tournament", "go-5x5", "--games", "2", "--workers", "1"]
    words += ["--out", str(out), *(f"{name}={spec}" for name, spec in engines("crash").items())]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "crash" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert {entry["name"] for entry in json.loads((out / "standings.json").read_text())["standings"]} == {"bad", "good"}
    assert "out of ideas" in (out / "report.html").read_text()


@pytest.mark.parametrize(
    ("game", "player", "why"),
    [
        ("go-5x5", "gtp:cat", "cat does not speak GTP: it answered 'list_commands' with '1 list_commands' and no GTP "),
        ("go-5x5", "gtp:true", "true does not speak GTP: it exited with code 0"),
        ("go-5x5", f"gtp:{FAKE} crash-at-once", "does not speak GTP: it exited with code 1; it last said: fatal: out"),
        (
            "go-5x5",
            f"gtp:{FAKE} flood-at-start",
            "does not speak GTP: it answered 'list_commands' with 100 lines, none",
        ),
        (
            "chess",
            "uci:cat@nodes=5",
            "cat does not speak UCI: it answered 'uci' with 'uci' and no uciok in 0.3 s",
        ),
        ("chess", "uci:true", "true does not speak UCI: it exited with code 0"),
        ("chess", "uci:sh -c 'echo no licence; exit 3'", "UCI: it exited with code 3; it printed: no licence"),
        (
            "shogi",
            "usi:cat",
            "cat does not speak USI: it answered 'usi' with 'usi' and no usiok in 0.3 s",
        ),
    ],
)
def test_a_program_that_is_no_engine_is_refused_before_anything_is_written(game, player, why, tmp_path, monkeypatch):
    for module in ("gtp", "talk"):
        monkeypatch.setattr(f"sakiyomi.arena.engines.{module}.NONSENSE", 0.3)
    with pytest.raises(ValueError, match="does not speak") as caught:
        Tournament(game, ["random", player], out=tmp_path / "out")
    assert why in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_who_waits_for_engines_is_told(tmp_path):
    words = [sys.executable, "-m", "sakiyomi.arena", "tournament", "chess", "random", "uci:sh -c 'sleep 3'"]
    done = subprocess.run([*words, "--out", str(tmp_path / "out")], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    waiting, why = done.stderr.splitlines()
    assert waiting == "waiting for the engines to start ..."
    assert "sh does not speak UCI: it exited with code 0" in why


def test_a_missing_engine_is_reported_before_anything_is_written(tmp_path):
    out = tmp_path / "out"
    words = [sys.executable, "-m", "sakiyomi.arena", "tournament", "go-5x5", "random", "gtp:no-such-engine --mode gtp"]
    done = subprocess.run([*words, "--out", str(out)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.count("\n") <= 1
    assert "'no-such-engine' not found" in done.stderr
    assert not out.exists()
