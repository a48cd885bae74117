"""The command line: what it prints, leaves and answers to mistakes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sakiyomi.arena.cli import main
from sakiyomi.boards import rows

COMMANDS = ["tournament", "ratings", "report", "play", "engine", "perft", "warmup", "list", "records"]


def run(capsys, *arguments):
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    return ended.value.code, out, err


@pytest.mark.parametrize("command", [c for c in COMMANDS if c != "records"])
def test_every_command_has_help_with_an_example(capsys, command):
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert f"Example: sakiyomi {command}" in out


def test_help_names_every_command(capsys):
    code, out, _ = run(capsys)
    assert code == 0
    assert all(re.search(rf"^\W*{command} ", out, re.MULTILINE) for command in COMMANDS)


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys, time\n"
        "from sakiyomi.arena.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = [name for name in ('numba', 'scipy', 'numpy', 'jinja2') if name in sys.modules]\n"
        "print('HEAVY', heavy, time.process_time())"
    )
    times = []
    for _ in range(3):
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        heavy, seconds = re.search(r"HEAVY (\[.*\]) (\S+)", out).groups()
        assert heavy == "[]"
        times.append(float(seconds))
    assert min(times) < 0.5


def test_a_tournament_from_one_command(capsys, tmp_path):
    out = tmp_path / "out"
    arguments = ["tournament", "tictactoe", "random", "one=python:fakes:First", "two=python:fakes:Dice"]
    code, printed, err = run(capsys, *arguments, "--games", "4", "--workers", "1", "--out", str(out))
    assert (code, err) == (0, "")
    assert "12 games" in printed
    for word in ("Elo", "95 % interval", "LOS", "score", "random", "one", "two"):
        assert word in printed
    assert (out / "report.html").exists()
    assert len(list((out / "games").iterdir())) == 12
    assert json.loads((out / "standings.json").read_text())["games"] == 12

    code, again, _ = run(capsys, "tournament", "--resume", "--out", str(out), "--json")
    assert code == 0
    table = json.loads(again)
    assert [entry["games"] for entry in table] == [8, 8, 8]

    code, rated, _ = run(capsys, "ratings", str(out), "--anchor", "random", "--elo", "1500", "--json")
    assert code == 0
    assert {entry["name"]: entry["elo"] for entry in json.loads(rated)["ratings"]}["random"] == 1500

    code, rated, _ = run(capsys, "ratings", str(out / "tournament.sqlite"))
    assert code == 0
    assert "random" in rated

    (out / "report.html").unlink()
    code, printed, _ = run(capsys, "report", str(out))
    assert (code, printed.strip()) == (0, str(out / "report.html"))
    assert (out / "report.html").exists()


TOML = """
game = "tictactoe"
games = 2
seed = 4
workers = 0
openings = "lines.txt"
out = "results"

[players]
one = "python:fakes:First"
two = "python:fakes:Dice"
"""


def test_a_tournament_from_a_file(capsys, tmp_path):
    (tmp_path / "t.toml").write_text(TOML)
    (tmp_path / "lines.txt").write_text("b2\n")
    code, printed, err = run(capsys, "tournament", str(tmp_path / "t.toml"), "--games", "4")
    assert (code, err) == (0, "")
    assert "tictactoe: one, two: 4 games" in printed
    assert len(list((tmp_path / "results" / "games").iterdir())) == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("game = \n", r"t\.toml: not TOML: .*line 1"),
        ('gmae = "go-9x9"', "unknown key 'gmae'; did you mean 'game'"),
        ('game = "go-9x9"', "'players' is missing"),
        ('game = "go-9x9"\nplayers = "random"', "players = 'random': a table of names and specs"),
        ('game = 9\nplayers = ["random"]', "game = 9: a name such as"),
        ('game = "go-9x9"\nplayers = ["random", 3]', "player 3: a spec such as"),
        ('game = "go-9x9"\ngames = true\nplayers = []', "games = True: a whole number is wanted"),
        ('game = "go-9x9"\n[players]\n"a:b" = "random"', "player 'a:b': a name holds no"),
        ('game = "go-9x9"\nkomi = "7"\nplayers = []', "komi = '7': a number is wanted"),
        ('game = "go-9x9"\nplayers = ["random", "greedy"]\n[options]\nkmi = 7', "option 'kmi'; there are: komi"),
        ('game = "go-9x9"\nseconds = nan\nplayers = ["random", "greedy"]', "seconds must be a number over 0, got nan"),
        ('game = "go-9x9"\nout = ""\nplayers = ["random", "greedy"]', "out = '': a folder is wanted"),
        ('game = "go-9x9"\n[players]\n"" = "random"\nb = "random"', "a player's name must be"),
    ],
)
def test_mistakes_in_a_file(capsys, tmp_path, monkeypatch, text, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.toml").write_text(text)
    code, _, err = run(capsys, "tournament", "t.toml")
    assert code == 2
    assert re.search(words, err), err
    assert err.count("\n") == 1
    assert os.listdir(tmp_path) == ["t.toml"]


MISTAKES = {
    "turnament": "no such command 'turnament'; did you mean 'tournament'?",
    "tournament": "a game and players are wanted",
    "tournament --gmes 3": "No such option: --gmes",
    "tournament go-9x9 random uct:3 --games many": "Invalid value for '--games'",
    "tournament nogame random uct:3": "unknown game 'nogame'",
    "tournament go-99x99 random uct:3": "99x99",
    "tournament go-9x9 randm uct:3": "unknown player 'randm'; did you mean 'random'?",
    "tournament go-9x9 random": "at least two players, got 1",
    "tournament go-9x9 random uct:3 --rules japan": "unknown Go rules 'japan'",
    "tournament go-9x9 random gtp:no-such-engine": "'no-such-engine' not found",
    "tournament go-9x9 random uct:3 --openings nowhere": "openings 'nowhere': no such file",
    "tournament go-9x9 random uct:3 --games 0": "must be 1 or more, got 0",
    "tournament tictactoe random uct:3 --komi 3": "'tictactoe' does not take the option 'komi'; it takes none",
    "tournament go-9x9 random uct:3 --seconds nan": "seconds must be a number over 0, got nan",
    "tournament go-9x9 random uct:3 --simulations 0": "simulations must be a whole number of 1 or more, got 0",
    "tournament go-9x9 random uct:3 --margin -1": "margin must be a number of seconds, 0 or more",
    f"tournament go-9x9 random uct:3 --out {'x' * 300}": "this folder cannot be made (File name too long)",
    f"tournament go-9x9 random uct:3 --out {__file__}": "test_cli.py is a file)",
    "tournament go-9x9 random uct:3 --out=": "the folder for results has no name",
    "play tictactoe --against random --seconds 0": "seconds must be a number over 0",
    "tournament nowhere.toml": "nowhere.toml: no such file",
    "tournament --resume --out nowhere": "nowhere/tournament.sqlite: no such tournament",
    "tournament --resume --out nowhere --seed 3": "--seed cannot change",
    "ratings nowhere": "nowhere: no such file or folder",
    "report nowhere": "no such tournament",
    "play nogame --against random": "unknown game",
    "play tictactoe": "Missing option '--against'",
    "perft tictactoe --depth x": "Invalid value for '--depth'",
    "perft tictactoe --depth 2 --position XXX": "'XXX' is no position of tic-tac-toe",
    "engine uct:3 --protocol xboard": "unknown protocol 'xboard'; there are: gtp, uci",
    "engine uct:3 --protocol uci --game go-9x9": "UCI is a protocol for chess and chess960, not for go-9x9",
    "list things": "'things' cannot be listed; there are: games, players, rules",
}


@pytest.mark.parametrize("command", MISTAKES)
def test_mistakes_are_one_line_and_leave_nothing(capsys, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *command.split())
    assert (code, out) == (2, "")
    assert err.startswith("sakiyomi: ")
    assert err.count("\n") == 1
    assert MISTAKES[command] in err
    assert not list(tmp_path.iterdir())


def test_a_damaged_database(capsys, tmp_path):
    (tmp_path / "tournament.sqlite").write_bytes(b"SQLite format 3\0" + b"\xa5" * 5000)
    before = (tmp_path / "tournament.sqlite").read_bytes()
    for arguments in (["tournament", "--resume", "--out"], ["report"], ["ratings"]):
        code, _, err = run(capsys, *arguments, str(tmp_path))
        assert code == 2
        assert "tournament.sqlite is damaged" in err
        assert err.count("\n") == 1
    assert (tmp_path / "tournament.sqlite").read_bytes() == before
    assert os.listdir(tmp_path) == ["tournament.sqlite"]


def test_an_unreadable_database_is_not_passed_over(capsys, tmp_path):
    (tmp_path / "tournament.sqlite").write_text("no database")
    (tmp_path / "games").mkdir()
    (tmp_path / "games" / "1.sgf").write_text("(;PB[a]PW[b]RE[B+R];B[aa])")
    code, out, err = run(capsys, "ratings", str(tmp_path))
    assert (code, out) == (2, "")
    assert "tournament.sqlite is damaged" in err


def test_a_folder_that_cannot_be_made(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    arguments = ["tournament", "tictactoe", "random", "uct:3", "--out", str(tmp_path / "file" / "out")]
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert "cannot be made" in err


def test_interrupting_tells_how_to_go_on(tmp_path):
    out = tmp_path / "out"
    players = ["slow=python:fakes:Slow", "dice=python:fakes:Dice"]
    process = subprocess.Popen(
        [sys.executable, "-m", "sakiyomi.arena", "tournament", "tictactoe", *players, "--games", "400", "--out", out],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(1000):
        if (out / "games").exists() and len(list((out / "games").iterdir())) > 3:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    printed, err = process.communicate(timeout=30)
    assert (process.returncode, err.replace("getting ready ...\n", "")) == (130, "")  # said on a slow machine
    played = int(re.search(r"stopped after (\d+) of 400 games, all kept", printed)[1])
    assert 3 < played < 400
    assert f"sakiyomi tournament --resume --out {out}" in printed
    assert json.loads((out / "standings.json").read_text())["games"] == played


def test_perft_of_chess_on_two_threads(capsys):
    code, out, _ = run(capsys, "perft", "chess", "--depth", "4", "--threads", "2")
    rows.set_threads(0)
    assert code == 0
    assert re.findall(r"perft +(\d+) +([\d,]+) ", out)[-1] == ("4", "197,281")


def test_perft(capsys):
    code, out, _ = run(capsys, "perft", "tictactoe", "--depth", "3", "--position", "X../.../...")
    assert code == 0
    assert re.findall(r"perft +(\d+) +([\d,]+) ", out) == [("0", "1"), ("1", "8"), ("2", "56"), ("3", "336")]


@pytest.mark.parametrize(("what", "words"), [("games", "go-9x9"), ("players", "uct:N"), ("rules", "tromp-taylor")])
def test_lists(capsys, what, words):
    code, out, _ = run(capsys, "list", what)
    assert code == 0
    assert words in out


def test_a_game_in_the_terminal(capsys, monkeypatch):
    answers = iter(["moves", "z9", "undo", "b2", "undo", "b2", "c3", "", "a1", "a3", "c1", "b1", "a2", "c2", "b3"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    code, out, _ = run(capsys, "play", "tictactoe", "--against", "python:fakes:First")
    assert code == 0
    assert "'z9' is no move" in out
    assert "there is no move of yours to take back" in out
    assert "python:fakes:First: a3" in out
    assert "1-0 (line)" in out


@pytest.mark.parametrize(("answer", "words"), [("quit", "a3 b3 c3"), ("resign", "you resign")])
def test_leaving_a_game(capsys, monkeypatch, answer, words):
    answers = iter(["moves", answer])
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    code, out, _ = run(capsys, "play", "tictactoe", "--against", "random", "--seed", "1")
    assert code == 0
    assert words in out


def test_the_other_side_may_resign_or_move_first(capsys, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda prompt: "b2")
    code, out, _ = run(capsys, "play", "tictactoe", "--against", "python:fakes:Quitter", "--second")
    assert code == 0
    assert "python:fakes:Quitter resigns: you win" in out


def test_the_end_of_input_ends_a_game(capsys, monkeypatch):
    def ended(prompt):
        raise EOFError

    monkeypatch.setattr("builtins.input", ended)
    assert run(capsys, "play", "tictactoe", "--against", "random")[0] == 0


def test_a_reader_that_has_gone_is_no_error():
    command = f"{sys.executable} -m sakiyomi.arena list games | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("g", "")


def test_a_damaged_database_is_recovered_and_the_rest_played(capsys, tmp_path):
    out = tmp_path / "out"
    run(capsys, "tournament", "tictactoe", "random", "a=random", "--games", "30", "--workers", "0", "--out", str(out))
    database = out / "tournament.sqlite"
    content = bytearray(database.read_bytes())
    content[-2048:] = bytes(2048)
    database.write_bytes(content)
    code, _, err = run(capsys, "tournament", "--resume", "--out", str(out), "--workers", "0")
    assert code == 2
    assert "--resume --recover" in err
    code, _, err = run(capsys, "tournament", "--resume", "--recover", "--out", str(out), "--workers", "0")
    assert (code, "games are saved" in err, "tournament.sqlite.damaged" in err) == (0, True, True)
    assert json.loads((out / "standings.json").read_text())["games"] == 30
