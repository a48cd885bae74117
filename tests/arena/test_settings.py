"""TOML files of tournaments: every option of the command line, checked when read."""

import inspect

import pytest

from sakiyomi.arena import Tournament, cli_tournament
from sakiyomi.arena.settings import _WANTED, amount, arguments, read_settings

WHOLE = """
game = "chess"
games = 4
schedule = "gauntlet"
openings = "random:2"
simulations = 50
clock = "60+0.5"
margin = 0.2
resign = "moves=3,score=600"
draw = "from=30,moves=8,score=10"
max_moves = 20
annotate = false
restart = true
workers = 1
patience = 30.5
pin = false
seed = 3
out = "here"

[players]
one = "random"
two = "alphabeta:1"

[clocks]
two = "10"
"""


def write(tmp_path, text):
    path = tmp_path / "file.toml"
    path.write_text(text)
    return path


def test_a_file_can_say_all_that_the_command_line_can():
    parameters = set(inspect.signature(cli_tournament.tournament).parameters)
    options = parameters - {"what", "resume", "mend", "add", "as_json"}
    assert options <= set(_WANTED)
    assert set(_WANTED) - options == {"game", "tasks", "players", "if_installed", "options", "clocks"}


def test_a_whole_file_becomes_a_tournament(tmp_path):
    settings = read_settings(write(tmp_path, WHOLE))
    tournament = Tournament(settings.game, settings.players, **arguments(settings.other))
    config = tournament.config
    assert config["clock"] == {"one": "60+0.5", "two": "10"}
    assert config["adjudication"] == {
        "resign": "moves=3,score=600",
        "draw": "from=30,moves=8,score=10",
        "max_moves": 20,
    }
    assert (config["simulations"], config["margin"], config["annotate"], config["restart"]) == (50, 0.2, False, True)
    assert (config["schedule"], config["games"], config["seed"]) == ("gauntlet:1", 4, 3)
    assert (tournament.workers, tournament.patience) == (1, 30.5)
    assert tournament.folder.path == tmp_path / "here"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('resing = "moves=3"', "unknown key 'resing'; did you mean 'resign'?"),
        ("clock = 60", "clock = 60: a time control: SECONDS"),
        ("annotate = 1", "annotate = 1: true or false is wanted"),
        ("workers = true", "workers = True: a whole number is wanted"),
        ("max_moves = true", "max_moves = True: a whole number is wanted"),
    ],
)
def test_mistakes_are_named_with_what_would_be_right(tmp_path, line, words):
    path = write(tmp_path, f'game = "chess"\nplayers = ["random", "a=random"]\n{line}\n')
    with pytest.raises(ValueError, match=r"file\.toml") as caught:
        read_settings(path)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "size"), [("2G", 2 << 30), ("500M", 500 << 20), ("64k", 65536), ("1000", 1000), ("1.5GiB", 3 << 29)]
)
def test_amounts_of_memory(text, size):
    assert amount(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1", "2T"])
def test_what_is_no_amount(text):
    with pytest.raises(ValueError, match="no amount of memory"):
        amount(text)
