"""Our players as GTP engines: commands, files, moves, and whole games driven from outside."""

import io
import os
import random
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from gtp_talk import say, session

from sakiyomi.arena.engines.gtp import GtpError, GtpPlayer
from sakiyomi.arena.engines.process import GAME_FOLDERS
from sakiyomi.arena.match import Termination
from sakiyomi.arena.playing import play
from sakiyomi.arena.serving.engine import serve
from sakiyomi.arena.serving.gtp_board import spread_points
from sakiyomi.boards.go import Go
from sakiyomi.boards.player import Budget

REQUIRED = {"protocol_version", "name", "version", "known_command", "list_commands", "quit", "boardsize", "clear_board"}
REQUIRED |= {"komi", "play", "genmove"}
STANDARD = {"fixed_handicap", "place_free_handicap", "set_free_handicap", "undo", "time_settings", "time_left"}
STANDARD |= {"final_score", "final_status_list", "loadsgf", "reg_genmove", "showboard"}
COMMAND = f"{shlex.quote(sys.executable)} -m sakiyomi.arena engine"


def test_every_command_of_the_specification_is_there():
    talk = session()
    listed = set(say(talk, "list_commands")[0].removeprefix("= ").split("\n"))
    assert listed >= REQUIRED | STANDARD
    for command in listed:
        assert say(talk, f"known_command {command}") == ["= true"]
    assert all(
        "-" in command for command in listed - REQUIRED - STANDARD - {"rectangular_boardsize", "set_random_seed"}
    )


def test_no_command_is_upset_by_any_number_of_arguments():
    talk = session()
    for command in say(talk, "list_commands")[0].removeprefix("= ").split("\n"):
        for args in ("", "x", "b", "3", "b x", "3 3", "x y z", "b 3 3", "a b c d e f", "9" * 50, "☃ ☃"):
            assert re.match("[=?]", say(talk, f"{command} {args}")[0])
    talk.close()


def test_the_board_is_shown():
    talk = session(game=Go(size=2))
    say(talk, "play b A1", "play w B2")
    assert say(talk, "showboard")[0] == "= \n" + str(talk.board.position)
    assert "X(O)" not in str(talk.board.position)
    assert "X" in str(talk.board.position)


def test_a_move_is_generated_and_played():
    talk = session()
    vertex = say(talk, "1 genmove w")[0].removeprefix("=1 ")
    assert talk.board.position.game.parse_move(None, vertex) == talk.board.position.actions[0]
    assert talk.board.position.turn == 0
    assert say(talk, f"play b {vertex}") == ["? illegal move"]
    assert say(talk, "genmove green", "genmove") == ["? invalid color or coordinate", "? syntax error"]


def test_a_move_for_regression_is_not_played():
    talk = session()
    say(talk, "play b D4")
    assert re.fullmatch(r"= ([A-HJ]\d|pass)", say(talk, "reg_genmove w")[0])
    assert len(talk.board.position.actions) == 1


SGF = "(;FF[4]GM[1]SZ[5]KM[3.5]AB[aa]AW[ee];B[bb];B[cc];W[dd](;B[];W[];B[ab])(;B[ba]))"


@pytest.mark.parametrize(
    ("number", "stones", "turn"),
    [("", "A4 A5 B4 C3 / D2 E1", 1), (" 1", "A5 / E1", 0), (" 2", "A5 B4 / E1", 1), (" 9", "A4 A5 B4 C3 / D2 E1", 1)],
)
def test_files_are_loaded_up_to_a_move(tmp_path, number, stones, turn):
    file = tmp_path / "a game.sgf"
    file.write_text(SGF)
    talk = session()
    say(talk, "play b J9")
    assert say(talk, f"loadsgf {file}{number}") == ["="]
    board, game = talk.board.position.board(), talk.board.game
    named = [sorted(game.move_text(None, a) for a in (board.ravel() == c).nonzero()[0]) for c in (1, -1)]
    assert " / ".join(" ".join(names) for names in named) == stones
    assert talk.board.position.turn == turn
    assert game.komi == 3.5


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "no such file"),
        ("", "cannot load file"),
        ("(;GM[1]SZ[5];B[zz])", "cannot load file"),
        ("(;GM[1]SZ[5];B[aa];W[aa])", "illegal move"),
        ("(;GM[1]SZ[37])", "Go boards go from 1x1 to 25x25"),
        ("(;GM[2])", "cannot load file"),
    ],
)
def test_a_file_that_cannot_be_loaded_leaves_the_board_alone(tmp_path, content, complaint):
    if content is not None:
        (tmp_path / "x.sgf").write_text(content)
    talk = session()
    say(talk, "play b J9")
    answer = say(talk, f"loadsgf {tmp_path / 'x.sgf'}")[0]
    assert answer.startswith("? ")
    assert complaint in answer
    assert "\n" not in answer
    assert say(talk, "play w J9") == ["? illegal move"]


def test_both_colours_are_generated_to_the_move_limit_and_beyond():
    talk = session(game=Go(size=2, max_plies=8))
    answers = say(talk, *["genmove b"] * 12)
    assert all(re.fullmatch(r"= ([AB][12]|pass)", answer) for answer in answers)
    assert answers[-1] == "= pass"


def test_a_player_that_resigns_or_fails_is_reported():
    assert say(session("python:fakes:Quitter"), "genmove b") == ["= resign"]
    answer = say(session("python:fakes:Mute"), "genmove b")
    assert answer == ["? python:fakes:Mute: no answer in 5 s"]


def test_the_same_seed_gives_the_same_moves():
    talk = session()
    games = []
    for seed in (5, 6, 5):
        say(talk, "clear_board", f"set_random_seed {seed}")
        games.append(say(talk, *["genmove b", "genmove w"] * 5))
    assert games[0] == games[2] != games[1]


def test_cleaning_up_ends_when_nothing_is_dead():
    talk = session(game=Go(size=5, rules="chinese"))
    say(talk, *(f"play b {column}{row}" for column in "ABCDE" for row in "24"))
    assert say(talk, "kgs-genmove_cleanup b") == ["= pass"]
    say(talk, "play w C1")
    assert say(talk, "kgs-genmove_cleanup b") != ["= pass"]
    assert say(talk, "final_status_list dead") in (["= C1"], ["="])


@pytest.mark.parametrize(("width", "height"), [(2, 1), (3, 3), (5, 4), (6, 6), (13, 2)])
def test_free_handicaps_of_any_number_fit(width, height):
    for stones in range(2, width * height):
        points = spread_points(width, height, stones)
        assert len(set(points.tolist())) == stones
        assert 0 <= points.min() <= points.max() < width * height


def test_handicaps_beyond_the_fixed_ones_stay_off_the_edge():
    talk = session(game=Go(size=19))
    vertices = say(talk, "place_free_handicap 25")[0].split()[1:]
    assert len(vertices) == 25
    assert not any(vertex[0] in "AT" or vertex[1:] in ("1", "19") for vertex in vertices)
    assert talk.board.position.turn == 1


def test_the_player_is_given_the_time_of_its_colour(monkeypatch):
    budgets: list[Budget] = []
    talk = session()
    monkeypatch.setattr(talk._player, "choose", lambda position, budget: budgets.append(budget) or "pass")
    say(talk, "time_settings 0 10 1", "time_left w 4 1", "genmove b", "genmove w", "reg_genmove b")
    assert [budget.seconds for budget in budgets[:2]] == pytest.approx([10 * 0.95 - 0.1, 4 * 0.95 - 0.1])
    assert budgets[2] == Budget()
    assert all(budget.simulations is None for budget in budgets)


# --- the whole engine


def test_serving_ends_with_quit_or_the_end_of_input():
    for script, answers in (("1 name\n2 quit\n3 name\n", 2), ("1 name\n2 komi 5", 2), ("", 0)):
        output = io.StringIO()
        serve("python:fakes:First", "gtp", "go-9x9", input=io.StringIO(script), output=output)
        assert output.getvalue().count("\n\n") == answers


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("random", "telepathy"), "unknown protocol 'telepathy'; there are: gtp, uci"),
        (("random", "gtp", "tictactoe"), "GTP is a protocol for Go, not for tictactoe"),
        (("random", "gtp", "go-99x99"), "Go boards go from 1x1 to 25x25, not 99x99"),
        (("rondom", "gtp"), "unknown player 'rondom'"),
    ],
)
def test_what_cannot_be_served_is_explained(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        serve(*arguments, input=io.StringIO(), output=io.StringIO())


def test_a_session_through_pipes():
    script = "1 boardsize 9\n\xff\xfe # not text\n2 genmove b\n3 final_score\n4 quit\n5 name\n".encode("latin-1")
    words = shlex.split(f"{COMMAND} random --protocol gtp")
    done = subprocess.run(words, input=script, capture_output=True, timeout=120, check=True)
    pattern = r"=1\n\n\? unknown command\n\n=2 ([A-HJ][1-9]|pass)\n\n=3 [BW]\+\d+(\.5)?\n\n=4\n\n"
    assert re.fullmatch(pattern, done.stdout.decode())


def test_our_client_drives_our_engine_through_a_whole_game():
    player = GtpPlayer(f"{COMMAND} random --protocol gtp")
    try:
        for game in (Go(size=5, rules="aga", suicide=True), Go(size=(3, 6), komi=0.5)):
            played = play(game, (player, make_dice()), seed=3)
            assert played.termination in (Termination.NORMAL, Termination.MOVE_LIMIT), played.detail
            again = play(game, (player, make_dice()), seed=3)
            assert again.record == played.record
    finally:
        player.close()


def make_dice():
    from fakes import Dice

    return Dice()


@pytest.fixture
def gnu():
    """A bare GNU Go, for its board."""
    if shutil.which("gnugo", path=os.pathsep.join([os.environ["PATH"], *GAME_FOLDERS])) is None:
        pytest.skip("GNU Go is not installed")
    player = GtpPlayer("gnugo --mode gtp")
    yield player
    player.close()


@pytest.mark.engines
@pytest.mark.parametrize("seed", range(3))
def test_plays_of_either_colour_are_taken_as_by_gnu_go(gnu, seed):
    rng = random.Random(seed)
    talk = session(game=Go(size=5, rules="japanese"))
    gnu.ask("boardsize 5")
    refused = 0
    for _ in range(600):
        command = f"play {rng.choice('bw')} {rng.choice('ABCDE')}{rng.randint(1, 5)}"
        if rng.random() < 0.2:
            command = rng.choice(["undo", "play b pass", "play w pass"])
        try:
            theirs = f"= {gnu.ask(command)}".strip()
        except GtpError as error:
            theirs = f"? {error}"
            refused += 1
        assert say(talk, command) == [theirs], command
        stones = talk.board.game.colours(talk.board.position.state)[0]
        for colour, name in ((1, "black"), (2, "white")):
            vertices = {talk.board.game.move_text(None, point) for point in (stones == colour).nonzero()[0]}
            assert vertices == set(gnu.ask(f"list_stones {name}").split()), command
    assert refused > 50


@pytest.mark.engines
def test_fixed_handicaps_are_those_of_gnu_go(gnu):
    talk = session()
    for size in (7, 8, 9, 10, 11, 13, 14, 15, 18, 19):  # on 12x12 GNU Go is off the specification
        gnu.ask(f"boardsize {size}")
        say(talk, f"boardsize {size}")
        for stones in range(2, 10 if size % 2 and size > 8 else 5):
            gnu.ask("clear_board")
            say(talk, "clear_board")
            assert say(talk, f"fixed_handicap {stones}") == ["= " + gnu.ask(f"fixed_handicap {stones}")]
