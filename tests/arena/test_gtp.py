"""The GTP client: what it says to an engine, how it follows positions, and what it makes of misbehaviour."""

import os
import shlex
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from fakes import Passer

from sakiyomi.arena.engines.gtp import GtpConnection, GtpError, GtpPlayer, rules_text
from sakiyomi.arena.engines.process import GAME_FOLDERS
from sakiyomi.arena.match import PlayerFault, Termination
from sakiyomi.arena.playing import play
from sakiyomi.boards.clock import Clock
from sakiyomi.boards.go import Go
from sakiyomi.boards.player import RESIGN, Budget
from sakiyomi.boards.position import Position
from sakiyomi.boards.tictactoe import TicTacToe

FAKE = f"{shlex.quote(sys.executable)} -S {shlex.quote(str(Path(__file__).with_name('fake_engine.py')))}"
ANYTIME = Budget()


class Fake:
    """A GtpPlayer of the fake engine, closed after the test, and the commands it got."""

    def __init__(self, folder: Path):
        self.log = folder / "log"
        self.players: list[GtpPlayer] = []

    def __call__(self, mode: str = "good", *options: str, **settings) -> GtpPlayer:
        self.log.unlink(missing_ok=True)
        command = f"{FAKE} {mode} {' '.join(options)} --log {shlex.quote(str(self.log))}"
        self.players.append(GtpPlayer(command, **settings))
        return self.players[-1]

    def heard(self) -> list[str]:
        """The commands since the last call, but for the opening question."""
        lines = self.log.read_text().splitlines()
        self.log.write_text("")
        return [line for line in lines if line != "list_commands"]


@pytest.fixture
def fake(tmp_path):
    made = Fake(tmp_path)
    yield made
    for player in made.players:
        player.close()


def after(*moves: str, game: Go | None = None, text: str | None = None) -> Position:
    position = Position(game or Go(size=9), text)
    for move in moves:
        position.play(move)
    return position


def fault_of(player: GtpPlayer, position: Position, budget: Budget = ANYTIME) -> PlayerFault:
    with pytest.raises(PlayerFault) as caught:
        player.choose(position, budget)
    return caught.value


# --- following a game


def test_a_game_is_followed_move_by_move(fake):
    player = fake()
    position = after(game=Go(size=9, komi=5.5, rules="chinese"))
    position.play(player.choose(position, ANYTIME))
    assert fake.heard() == ["boardsize 9", "clear_board", "komi 5.5", "genmove black"]
    position.play("E5")
    position.play(player.choose(position, ANYTIME))
    assert fake.heard() == ["play white E5", "genmove black"]
    assert [position.game.move_text(None, action) for action in position.actions] == ["A1", "E5", "B1"]


def test_it_may_join_in_the_middle_and_hear_passes(fake):
    player = fake()
    player.choose(after("D4", "pass", "E5"), ANYTIME)
    expected = ["boardsize 9", "clear_board", "komi 7.5"]
    assert fake.heard() == [*expected, "play black D4", "play white pass", "play black E5", "genmove white"]


def test_other_positions_are_reached_by_undo_or_from_the_start(fake):
    player = fake()
    player.choose(after("D4", "E5", "F6"), ANYTIME)
    fake.heard()
    player.choose(after("D4", "E5", "G7"), ANYTIME)
    assert fake.heard() == ["undo", "undo", "play black G7", "genmove white"]
    player.choose(after("C3"), ANYTIME)
    assert fake.heard() == ["boardsize 9", "clear_board", "komi 7.5", "play black C3", "genmove white"]
    player.choose(after("C3", game=Go(size=9, komi=0.5)), ANYTIME)
    assert fake.heard()[:3] == ["boardsize 9", "clear_board", "komi 0.5"]
    player.choose(after("C3", game=Go(size=9, komi=1234.5678)), ANYTIME)
    assert fake.heard()[:3] == ["boardsize 9", "clear_board", "komi 1234.5678"]


def test_without_undo_it_starts_anew(fake):
    player = fake("good", "--without undo")
    player.choose(after("D4", "E5", "F6"), ANYTIME)
    fake.heard()
    player.choose(after("D4", "E5", "F6", "G7"), ANYTIME)
    assert fake.heard() == [
        *("boardsize 9", "clear_board", "komi 7.5"),
        *("play black D4", "play white E5", "play black F6", "play white G7", "genmove black"),
    ]


def test_every_game_begins_on_a_cleared_board(fake):
    player = fake()
    for _ in range(2):
        player.begin(Go(size=9), 0, np.random.default_rng(0))
        assert fake.heard() == ["boardsize 9", "clear_board", "komi 7.5"]  # before any clock runs
        player.choose(after("D4"), ANYTIME)
        assert fake.heard() == ["play black D4", "genmove white"]


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("5x5 5/1X3/5/3X1/5 w", ["set_free_handicap D2 B4", "genmove white"]),
        ("5x5 5/1X3/5/3X1/5 b", ["play black D2", "play black B4", "genmove black"]),
        ("5x5 5/1X1O1/5/5/5 w", ["play black B4", "play white D4", "genmove white"]),
    ],
)
def test_first_positions_with_stones(fake, text, commands):
    player = fake()
    player.choose(after(game=Go(size=5), text=text), ANYTIME)
    assert fake.heard() == ["boardsize 5", "clear_board", "komi 7.5", *commands]


def test_stones_are_placed_without_captures(fake):
    text = "3x3 XX1/XOO/1O1 b"
    player = fake()
    player.choose(after(game=Go(size=3), text=text), ANYTIME)
    board = Position(Go(size=3))
    for line in fake.heard()[3:-1]:
        _, colour, vertex = line.split()
        board.game.set_turn(board.state, ["black", "white"].index(colour))
        board.play(vertex)
    assert (board.board() == Position(Go(size=3), text).board()).all()


def test_turns_that_were_given_away_are_told_right(fake):
    position = after("D4")
    position.game.set_turn(position.state, 0)
    position.play("E5")
    player = fake()
    player.choose(position, ANYTIME)
    assert fake.heard()[3:] == ["play black D4", "play black E5", "genmove white"]


def test_boards_need_not_be_square(fake):
    game = Go(size=(5, 7))
    player = fake()
    player.choose(after("E7", game=game), ANYTIME)
    assert fake.heard()[:2] == ["rectangular_boardsize 5 7", "clear_board"]
    fault = fault_of(fake("good", "--without rectangular_boardsize"), after(game=game))
    assert "square boards only, not on 5 columns by 7 rows" in str(fault)
    assert fault.termination is Termination.COULD_NOT_START


def test_rules_are_told_to_engines_that_can_hear_them(tmp_path):
    assert rules_text(Go(rules="aga", suicide=True)) == "aga superko=situational suicide=yes scoring=area"


def test_only_go_is_played(fake):
    with pytest.raises(ValueError, match="play Go, not tictactoe"):
        fake().begin(TicTacToe(), 0, np.random.default_rng(0))


def test_a_missing_program_is_known_at_once():
    with pytest.raises(ValueError, match="'no-such-engine' not found"):
        GtpPlayer("no-such-engine --level 3")


def test_names(fake):
    assert fake(name="Ann").name == "Ann"
    assert fake().name == "Fake Engine"
    assert fake("good", "--without name").name == Path(sys.executable).name


# --- time


def test_seconds_are_told_as_one_move_of_byo_yomi(fake):
    player = fake()
    position = after()
    for budget in (Budget(seconds=3.7), Budget(seconds=3.7), Budget(seconds=0.2), Budget(), Budget()):
        position.play(player.choose(position, budget))
        position.play("pass")
    told = [line for line in fake.heard() if line.split()[0] in ("time_settings", "time_left", "genmove")]
    assert told == [
        *("time_settings 0 3 1", "time_left black 3 1", "genmove black"),
        *("time_left black 3 1", "genmove black"),
        *("time_settings 0 1 1", "time_left black 1 1", "genmove black"),
        *("time_settings 0 1 0", "genmove black"),
        "genmove black",
    ]


def test_engines_without_clocks_are_left_alone(fake):
    player = fake("good", "--without time_settings --without time_left")
    player.choose(after(), Budget(seconds=5))
    assert fake.heard()[-2:] == ["komi 7.5", "genmove black"]


# --- engines that misbehave

FAULTS = {
    "crash": (Termination.CRASH, "exited with code 1; it last said: fatal: out of ideas"),
    "segfault": (Termination.CRASH, "was killed by SIGSEGV"),
    "exit": (Termination.CRASH, "exited with code 0"),
    "orphan": (Termination.CRASH, "exited with code 4"),
    "close-output": (Termination.CRASH, "closed its output"),
    "hang": (Termination.STALL, "gave no answer to '"),
    "half": (Termination.STALL, "gave no answer to '"),
    "nonsense": (Termination.PROTOCOL_ERROR, "'I had rather not', which is no move"),
    "empty": (Termination.PROTOCOL_ERROR, "'', which is no move"),
    "rubbish": (Termination.PROTOCOL_ERROR, "'Segmentation violation (core dumped)', which is no GTP response"),
    "wrong-id": (Termination.PROTOCOL_ERROR, "id 4711 where"),
    "refuse": (Termination.PROTOCOL_ERROR, "refused to generate a move: 'no licence for this position'"),
    "flood": (Termination.PROTOCOL_ERROR, "without a line end"),
    "flood-lines": (Termination.PROTOCOL_ERROR, "more than"),
    "flood-blank": (Termination.PROTOCOL_ERROR, "4096 lines and no GTP response"),
    "bad-utf8": (Termination.PROTOCOL_ERROR, "which is no move"),
}


@pytest.mark.parametrize("mode", FAULTS)
def test_a_fault_is_named_and_the_next_game_starts_afresh(fake, mode):
    player = fake(mode, move_timeout=1.5 if FAULTS[mode][0] is Termination.STALL else 20)
    position = after()
    position.play(player.choose(position, ANYTIME))
    position.play("E5")
    fault = fault_of(player, position)
    assert fault.termination is FAULTS[mode][0]
    assert FAULTS[mode][1] in str(fault)
    assert "\n" not in str(fault)
    player.begin(Go(size=9), 0, np.random.default_rng(0))
    assert player.choose(after("D4"), ANYTIME) == "A1"


@pytest.mark.parametrize(
    ("mode", "termination", "message"),
    [
        ("crash-at-once", Termination.CRASH, "exited with code 1; it last said: fatal"),
        ("deaf", Termination.STALL, "gave no answer to '"),
        ("slow-start", Termination.STALL, "gave no answer to '"),
        ("flood-at-start", Termination.PROTOCOL_ERROR, "100 lines, none a GTP response, the last 'loading'"),
    ],
)
def test_bad_starts(fake, mode, termination, message):
    player = fake(mode, start_timeout=0.4 if termination is Termination.STALL else 20)
    with pytest.raises(PlayerFault) as caught:
        player.begin(Go(size=9), 0, np.random.default_rng(0))
    assert caught.value.termination is termination
    assert message in str(caught.value)


@pytest.mark.parametrize("mode", ["slow-start", "banner", "no-ids", "crlf", "stderr-flood"])
def test_habits_that_are_forgiven(fake, mode):
    assert fake(mode).choose(after("D4"), ANYTIME) == "A1"


def test_a_hang_under_a_time_limit_does_not_last_for_the_long_timeout(fake, monkeypatch):
    monkeypatch.setattr("sakiyomi.arena.engines.gtp.SILENCE", 0.2)
    player = fake("hang", "--at 1")
    player.margin = 0.1
    started = time.monotonic()
    assert fault_of(player, after(), Budget(seconds=0.2)).termination is Termination.STALL
    assert time.monotonic() - started < 10


def test_who_may_be_late_is_not_silent_before(fake, monkeypatch):
    monkeypatch.setattr("sakiyomi.arena.engines.gtp.SILENCE", 0.1)
    player = fake("hang", "--at 1")
    player.margin = 1.0
    for budget in (Budget(seconds=0.2), Budget(clocks=(Clock(0.2), Clock(60)))):
        assert "in 1.3 s" in str(fault_of(player, after(), budget))


@pytest.mark.parametrize(("mode", "move"), [("illegal", "D4"), ("off-board", "Z25"), ("resign", RESIGN)])
def test_what_the_match_is_to_judge_is_returned(fake, mode, move):
    assert fake(mode, "--at 1").choose(after("D4"), ANYTIME) == move


def test_refusing_to_follow_is_a_fault(fake):
    fault = fault_of(fake("good", "--without play"), after("D4"))
    assert fault.termination is Termination.PROTOCOL_ERROR
    assert "refused 'play black D4': 'unknown command'" in str(fault)


def test_refusing_a_legal_move_is_a_difference_of_rules_and_not_rated(fake):
    player = fake("good", "--refuse A2")
    played = play(Go(size=5), (player, Passer()), opening=["E5", "A2"], names=("engine", "passer"))
    assert (played.termination, played.record.result, played.rated) == (Termination.RULES_DIFFER, "*", False)
    assert "does not know these rules: refused 'play white A2': 'illegal move'" in played.detail
    assert played.detail.endswith("try --rules chinese")


def test_an_engine_that_will_not_quit_is_killed(fake):
    player = fake("stays")
    player.choose(after(), ANYTIME)
    started = time.monotonic()
    player.close()
    assert time.monotonic() - started < 5


def test_any_command_can_be_asked(fake):
    player = fake()
    assert player.ask("protocol_version") == "2"
    assert player.knows("genmove")
    assert not player.knows("fly")
    with pytest.raises(GtpError, match="unknown command"):
        player.ask("fly")
    assert isinstance(player._started(), GtpConnection)


def test_two_engines_play_a_game(fake):
    played = play(Go(size=5), (fake(name="a"), fake(name="b")))
    assert played.termination is Termination.NORMAL
    assert played.record.moves[:4] == ("A1", "B1", "C1", "D1")
    assert played.record.moves[-2:] == ("pass", "pass")


# --- GNU Go


@pytest.fixture
def gnu(request):
    """Two GNU Gos of level 1."""
    if shutil.which("gnugo", path=os.pathsep.join([os.environ["PATH"], *GAME_FOLDERS])) is None:
        pytest.skip("GNU Go is not installed")
    players = [
        GtpPlayer("gnugo --mode gtp --level 1 --chinese-rules --capture-all-dead --never-resign") for _ in range(2)
    ]
    yield players
    for player in players:
        player.close()


@pytest.mark.engines
def test_gnu_go_plays_itself_and_agrees_on_the_score(gnu):
    game = Go(size=9, komi=6.5, rules="chinese")
    for seed in range(2):
        played = play(game, (gnu[0], gnu[1]), seed=seed)
        assert played.termination is Termination.NORMAL, played.detail
        lead = after(*played.record.moves, game=game).score()
        assert played.record.result == f"{'B' if lead > 0 else 'W'}+{abs(lead):g}"
        assert gnu[0].ask("final_score") == gnu[1].ask("final_score") == f"{'B' if lead > 0 else 'W'}+{abs(lead):.1f}"


@pytest.mark.engines
def test_games_of_gnu_go_depend_on_their_seed_alone(gnu):
    games = [play(Go(size=7, rules="chinese"), (gnu[0], gnu[1]), seed=seed).record.moves for seed in (1, 2, 1)]
    assert games[0] == games[2]


@pytest.mark.engines
def test_gnu_go_takes_handicap_komi_and_time(gnu):
    game = Go(size=9, komi=0.5, rules="chinese")
    position = Position(game)
    position.state = game.handicap(4)
    move = gnu[0].choose(position, Budget(seconds=2))
    assert position.after(move).ply == 1
    assert gnu[0].name == "GNU Go"
    assert gnu[0].ask("get_handicap") == "4"
    assert float(gnu[0].ask("get_komi")) == 0.5
    assert gnu[0].ask("list_stones black").split() == [
        position.game.move_text(None, a) for a in np.flatnonzero(game.colours(position.state)[0])
    ]


@pytest.mark.engines
def test_gnu_go_refuses_boards_that_are_not_square_or_too_large(gnu):
    assert "square boards only" in str(fault_of(gnu[0], after(game=Go(size=(9, 7)))))
    fault = fault_of(gnu[1], after(game=Go(size=25)))
    assert "refused 'boardsize 25': 'unacceptable size'" in str(fault)
    assert fault.termination is Termination.COULD_NOT_START
