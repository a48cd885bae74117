"""The USI client: specs, what it says to an engine, how it follows positions, and what it makes of misbehaviour."""

import itertools
import os
import shlex
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from test_process import gone

from sakiyomi.arena.engines.spec import Limits
from sakiyomi.arena.engines.usi import UsiPlayer
from sakiyomi.arena.engines.usi_spec import parse_usi_spec
from sakiyomi.arena.match import PlayerFault, Termination
from sakiyomi.arena.players import check_player, make_player, parse_spec
from sakiyomi.arena.playing import play
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import DECLARE, RESIGN, Budget
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi

FAKE = f"{shlex.quote(sys.executable)} -S {shlex.quote(str(Path(__file__).with_name('fake_usi.py')))}"
ANYTIME = Budget()
QUICK = Limits(nodes=1)
ENTERED = "K8/GGGGSSSS1/PPPPPP3/9/9/9/9/9/8k b 2R2B 1"  # Black may declare


class Fake:
    """A UsiPlayer of the fake engine, closed after the test, and the commands it got."""

    def __init__(self, folder: Path):
        self.log = folder / "log"
        self.players: list[UsiPlayer] = []

    def __call__(self, mode: str = "good", *options: str, limits: Limits = QUICK, **settings) -> UsiPlayer:
        self.log.unlink(missing_ok=True)
        command = f"{FAKE} {mode} {' '.join(options)} --log {shlex.quote(str(self.log))}"
        self.players.append(UsiPlayer(command, limits, **settings))
        return self.players[-1]

    def heard(self) -> list[str]:
        """The commands since the last call, but for those that only ask whether it is there."""
        for player in self.players:
            if player._engine is not None:
                player._engine.ready(10)  # it has read what was sent before
        lines = self.log.read_text().splitlines()
        self.log.write_text("")
        return [line for line in lines if line not in ("usi", "isready")]


@pytest.fixture
def fake(tmp_path):
    made = Fake(tmp_path)
    yield made
    for player in made.players:
        player.close()


def after(*moves: str, text: str | None = None) -> Position:
    position = Position(Shogi(), text)
    for move in moves:
        position.play(move)
    return position


def fault_of(player: UsiPlayer, position: Position, budget: Budget = ANYTIME) -> PlayerFault:
    with pytest.raises(PlayerFault) as caught:
        player.choose(position, budget)
    assert "\n" not in str(caught.value)
    return caught.value


def begin(player: UsiPlayer, game: Game | None = None) -> None:
    player.begin(game or Shogi(), 0, np.random.default_rng(0))


# --- specs


@pytest.mark.parametrize(
    ("argument", "command", "limits", "options"),
    [
        ("gpsusi", "gpsusi", Limits(), {}),
        ("fairy-stockfish@nodes=500", "fairy-stockfish", Limits(nodes=500), {}),
        ("gpsusi -N 1@byoyomi=2,LimitDepth=4", "gpsusi -N 1", Limits(byoyomi=2.0), {"LimitDepth": "4"}),
        ("x@depth=3,movetime=.5", "x", Limits(depth=3, movetime=0.5), {}),
        ("x@clock=60+0.6", "x", Limits(clock=(60.0, 0.6)), {}),
        ("x@clock=600/10", "x", Limits(clock=(600.0, 0.0), byoyomi=10.0), {}),
        ("x@clock=600,byoyomi=10", "x", Limits(clock=(600.0, 0.0), byoyomi=10.0), {}),
        ("x@clock=600", "x", Limits(clock=(600.0, 0.0)), {}),
        ("x@clock=0/10", "x", Limits(byoyomi=10.0), {}),
        ("/opt/a@b/x@Skill Level=5", "/opt/a@b/x", Limits(), {"Skill Level": "5"}),
    ],
)
def test_specs_are_taken_apart(argument, command, limits, options):
    spec = parse_usi_spec(argument)
    assert (spec.command, spec.limits, spec.options) == (command, limits, options)


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("x@nodes", "'nodes' is no KEY=VALUE; there are nodes=N, depth=N, movetime=SECONDS, byoyomi=SECONDS, clock="),
        ("x@nodes=0", "nodes must be a whole number of 1 or more, got '0'"),
        (
            "x@byoyomi=1+1",
            "byoyomi=1+1: byoyomi=SECONDS is wanted, each number in digits and a point, as in byoyomi=0.5",
        ),
        ("x@clock=60/", "clock=60/: clock=SECONDS+INCREMENT or clock=SECONDS/BYOYOMI is wanted, each number in digits"),
        ("x@clock=0+1", "clock=0+1: more than 0 seconds are wanted"),
        ("x@clock=60/0", "more than 0 seconds of byo-yomi are wanted"),
        ("x@clock=60+1/10", "is wanted"),
        ("x@clock=60/10,byoyomi=5", "byoyomi stands there twice"),
        ("x@clock=60+1,byoyomi=5", "a clock has an increment or a byoyomi, not both"),
        ("x@movetime=1,byoyomi=2", "movetime and byoyomi exclude each other"),
        ("x@movetime=1,clock=2", "movetime and clock exclude each other"),
        ("x@UCI_Variant=chess", "UCI_Variant cannot be set: the arena sets it"),
        ("x@USI_Ponder=true", "USI_Ponder cannot be set"),
        ("@nodes=3", "the engine's command is missing, as in usi:fairy-stockfish@nodes=500"),
    ],
)
def test_wrong_specs_are_answered_in_one_line(argument, words):
    with pytest.raises(ValueError, match="player 'usi:") as caught:
        parse_usi_spec(argument)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_players_by_spec(tmp_path):
    names = [parse_spec(f"usi:{FAKE} good@{text}").name for text in ("nodes=20", "clock=60/10,USI_Hash=32")]
    program = Path(sys.executable).name
    assert names == [f"{program}@nodes=20", f"{program}@clock=60/10,USI_Hash=32"]
    assert parse_spec(f"me=usi:{FAKE} good@nodes=20").name == "me"
    player = make_player(f"me=usi:{FAKE} good --log {tmp_path}/log@USI_Hash=32,nodes=20", Shogi())
    assert player.choose(after(), ANYTIME) == "4i4h"
    player.close()
    heard = (tmp_path / "log").read_text().splitlines()
    assert heard == ["usi", "setoption name USI_Hash value 32", "isready", "position startpos", "go nodes 20", "quit"]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("Skil Level=3", "has no option 'Skil Level'; did you mean 'Skill Level'"),
        ("Hash=3", "has no option 'Hash'; did you mean "),
        ("byoyom=100", "has no option 'byoyom'; did you mean 'byoyomi'"),
        ("USI_Hash=0", "option USI_Hash is a whole number from 1 to 1024, not '0'"),
        ("USI_Hash=much", "option USI_Hash is a whole number from 1 to 1024, not 'much'"),
        ("EnteringKingRule=Try", "is one of NoEnteringKing, CSARule24, CSARule27, not 'Try'"),
        ("OwnBook=perhaps", "option OwnBook is true or false, not 'perhaps'"),
        ("Clear Hash=now", "option Clear Hash is a button: it takes no value, not 'now'"),
    ],
)
def test_options_are_checked_before_any_game(parameters, words):
    with pytest.raises(ValueError, match="option") as caught:
        check_player(f"usi:{FAKE} good@{parameters}", Shogi())
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_options_are_set_by_their_own_names(fake):
    wanted = {"usi_hash": 32, "ownbook": "No", "enteringkingrule": "csarule24", "UCI_Elo": 1500, "clear hash": ""}
    begin(fake(options={**wanted, "BookFile": "/a,/b", "EvalDir": ""}))
    assert fake.heard() == [
        "setoption name USI_Hash value 32",
        "setoption name OwnBook value false",
        "setoption name EnteringKingRule value CSARule24",
        "setoption name UCI_Elo value 1500",
        "setoption name Clear Hash",
        "setoption name BookFile value /a,/b",
        "setoption name EvalDir value <empty>",
        "setoption name UCI_LimitStrength value true",
        "usinewgame",
    ]


def test_only_shogi_is_played(fake):
    with pytest.raises(ValueError, match="USI engines play shogi, not chess"):
        begin(fake(), Chess())
    with pytest.raises(ValueError, match="USI engines play shogi, not chess"):
        check_player("usi:fairy-stockfish", Chess())
    with pytest.raises(ValueError, match="'no-such-engine' not found"):
        check_player("usi:no-such-engine@nodes=5", Shogi())


# --- following a game


def test_a_game_is_followed_from_its_start(fake):
    player = fake()
    position = after()
    begin(player)
    position.play(player.choose(position, ANYTIME))
    position.play("3c3d")
    assert player.choose(position, ANYTIME) == "4h4i"
    assert fake.heard() == [
        "usinewgame",
        *("position startpos", "go nodes 1"),
        *("position startpos moves 4i4h 3c3d", "go nodes 1"),
    ]
    begin(player)
    assert fake.heard() == ["usinewgame"]


def test_any_position_can_be_asked_about(fake):
    player = fake()
    told = []
    lines = (["7g7f", "3c3d"], ["7g7f"], ["2g2f", "8c8d", "2f2e"], ["2g2f", "8c8d", "2f2e", "8d8e"], [], ["7g7f"])
    for moves in lines:
        player.choose(after(*moves), ANYTIME)
        told += [line for line in fake.heard() if line.startswith("position")]
    assert told == [" ".join(["position startpos", *(["moves", *moves] if moves else [])]) for moves in lines]


def test_handicaps_and_other_starts_are_told_as_sfen(fake):
    player = fake()
    text = after(text="two-piece").text()
    for moves in ([], ["8c8d"], ["8c8d", "7g7f"], ["3c3d"]):
        player.choose(after(*moves, text="two-piece"), ANYTIME)
        told = fake.heard()[-2].removeprefix(f"position sfen {text}")
        assert told == (f" moves {' '.join(moves)}" if moves else "")
    player.choose(after("7g7f", "3c3d", "8h2b+", "3a2b", "B*4e"), ANYTIME)
    assert fake.heard()[-2] == "position startpos moves 7g7f 3c3d 8h2b+ 3a2b B*4e"


def test_the_same_moves_from_another_start_are_another_game(fake):
    player = fake()
    for text in ("4k4/9/9/9/9/9/4P4/9/4K4 b - 1", "4k4/9/9/9/9/9/4P4/8L/4K4 b - 1"):
        player.choose(after("5g5f", text=text), ANYTIME)
        assert fake.heard()[-2] == f"position sfen {text} moves 5g5f"


def test_the_longest_game_fits_into_one_line_of_a_pipe(fake):
    position = after()
    for _ in range(127):
        for move in ("4i4h", "4a4b", "4h4i", "4b4a"):
            position._past.append((position.state, position.action(move)))  # what no repetition ends
            position.game.play(position.state, np.array([position.actions[-1]], np.int32))
            position.state["verdict"] = 0
    assert fake().choose(position, ANYTIME)
    assert len(fake.heard()[-2]) < 4096


# --- limits


@pytest.mark.parametrize(
    ("limits", "budget", "told"),
    [
        (Limits(), Budget(), "go btime 0 wtime 0 byoyomi 1000"),
        (Limits(), Budget(seconds=2.5), "go btime 0 wtime 0 byoyomi 2500"),
        (Limits(), Budget(simulations=50, depth=3), "go depth 3 nodes 50"),
        (Limits(nodes=7), Budget(simulations=50), "go nodes 7"),
        (Limits(nodes=7), Budget(seconds=3), "go btime 0 wtime 0 byoyomi 3000 nodes 7"),
        (Limits(depth=2, movetime=2), Budget(seconds=3), "go depth 2 movetime 2000"),
        (Limits(movetime=2), Budget(seconds=1), "go movetime 1000"),
        (Limits(byoyomi=0.5), Budget(), "go btime 0 wtime 0 byoyomi 500"),
        (Limits(byoyomi=0.5), Budget(seconds=0.25), "go btime 0 wtime 0 byoyomi 250"),
        (Limits(clock=(60, 0.6)), Budget(seconds=9), "go btime 60000 wtime 60000 binc 600 winc 600"),
        (Limits(clock=(60, 0)), Budget(), "go btime 60000 wtime 60000 byoyomi 0"),
        (Limits(clock=(60, 0), byoyomi=5), Budget(seconds=9), "go btime 60000 wtime 60000 byoyomi 5000"),
    ],
)
def test_limits_of_its_own_come_before_those_of_the_match(fake, limits, budget, told):
    fake(limits=limits).choose(after(), budget)
    assert fake.heard()[-1] == told


@pytest.mark.parametrize("limits", [Limits(clock=(10, 0.05)), Limits(clock=(10, 0), byoyomi=3)])
def test_the_clock_runs_through_the_game_and_is_set_by_begin(fake, limits):
    player = fake("good", "--wait 0.2", limits=limits)
    for _ in range(2):
        begin(player)
        times = []
        for _ in range(3):
            player.choose(after(), ANYTIME)
            times.append(int(fake.heard()[-1].split()[2]))
        assert times[0] == 10_000
        for before, later in itertools.pairwise(times):
            assert 9_000 < later <= before - 200 + 51


def test_byoyomi_begins_when_the_clock_has_run_out(fake):
    player = fake("good", "--wait 0.3", limits=Limits(clock=(0.5, 0), byoyomi=0.4), margin=0.1)
    times = []
    for _ in range(4):
        player.choose(after(), ANYTIME)
        times.append(int(fake.heard()[-1].split()[2]))
    assert times[0] == 500
    assert 100 < times[1] <= 200
    assert times[2:] == [0, 0]


def test_the_increment_of_a_move_may_be_spent_on_it(fake):
    player = fake("good", "--wait 0.4", limits=Limits(clock=(0.1, 0.6)), margin=0.05)
    assert [player.choose(after(), ANYTIME) for _ in range(2)] == ["4i4h"] * 2


def test_who_oversteps_the_clock_loses_on_time(fake):
    for limits, words in (
        (Limits(clock=(0.1, 0.1)), "'s clock of 0.1+0.1 ran out: 0."),
        (Limits(clock=(0.1, 0), byoyomi=0.1), "'s clock of 0.1/0.1 ran out: 0."),
        (Limits(byoyomi=0.2), " s for a move, 0.2 s allowed"),
        (Limits(movetime=0.2), " s for a move, 0.2 s allowed"),
    ):
        fault = fault_of(fake("good", "--wait 0.5", limits=limits, margin=0.1), after("7g7f"))
        assert fault.termination is Termination.TIME_FORFEIT
        assert words in str(fault)
        assert ", in lnsgkgsnl/1r5b1/ppppppppp/9/9/2P6/PP1PPPPPP/1B5R1/LNSGKGSNL w - 2" in str(fault)


# --- resignation and declaration


def test_resignation_and_declaration_are_understood(fake):
    assert fake("resign", "--at 1").choose(after(), ANYTIME) == RESIGN
    assert fake("win", "--at 1").choose(after(), ANYTIME) == DECLARE
    assert fake("loud", "--at 1").choose(after(), ANYTIME) == DECLARE
    played = play(Shogi(), (fake("resign", name="a"), fake(name="b")))
    assert (played.termination, played.record.result) == (Termination.RESIGNATION, "0-1")
    played = play(Shogi(), (fake("win", "--at 1", name="a"), fake(name="b")), setup=ENTERED)
    assert (played.termination, played.record.result, played.record.ending) == ("normal", "1-0", "declaration")
    played = play(Shogi(), (fake("win", "--at 1", name="a"), fake(name="b")))
    assert (played.termination, played.record.result) == (Termination.ILLEGAL_MOVE, "0-1")
    assert "declared the entering king in" in played.detail


# --- engines that misbehave

FAULTS = {
    "crash": (Termination.CRASH, "exited with code 1; it last said: fatal: out of ideas"),
    "explains": (Termination.CRASH, "exited with code 3; it printed: no net / get one, in "),
    "segfault": (Termination.CRASH, "was killed by SIGSEGV"),
    "exit": (Termination.CRASH, "exited with code 0"),
    "orphan": (Termination.CRASH, "exited with code 4"),
    "close-output": (Termination.CRASH, "closed its output"),
    "hang": (Termination.STALL, "gave no answer to 'go nodes 1' in 1 s"),
    "half": (Termination.STALL, "gave no answer to 'go nodes 1'"),
    "flood-info": (Termination.STALL, "gave no answer to 'go nodes 1'"),
    "flood-nodes": (Termination.PROTOCOL_ERROR, "does not heed 'go nodes 1': 2000000 nodes by now; limit its depth"),
    "none": (Termination.PROTOCOL_ERROR, "answered 'go nodes 1' with 'bestmove (none)', which is no move"),
    "null": (Termination.PROTOCOL_ERROR, "with 'bestmove 0000', which is no move"),
    "small": (Termination.PROTOCOL_ERROR, "with 'bestmove p*5e', which is no move"),
    "empty": (Termination.PROTOCOL_ERROR, "with 'bestmove ', which is no move"),
    "bad-utf8": (Termination.PROTOCOL_ERROR, "which is no move"),
    "flood": (Termination.PROTOCOL_ERROR, "without a line end"),
    "flood-lines": (Termination.PROTOCOL_ERROR, "answered 'go nodes 1' with 4096 lines, the last 'and more'"),
    "flood-blank": (Termination.PROTOCOL_ERROR, "4096 lines"),
}


@pytest.mark.parametrize("mode", FAULTS)
def test_a_fault_is_named_and_the_next_game_starts_afresh(fake, mode):
    termination, words = FAULTS[mode]
    player = fake(mode, move_timeout=1 if termination is Termination.STALL else 20)
    position = after()
    position.play(player.choose(position, ANYTIME))
    position.play("3c3d")
    fault = fault_of(player, position)
    assert fault.termination is termination
    assert words in str(fault)
    assert f", in {position.text()}" in str(fault)
    begin(player)
    assert player.choose(after(), ANYTIME) == "4i4h"


@pytest.mark.parametrize(
    ("mode", "termination", "words"),
    [
        ("crash-at-once", Termination.CRASH, "exited with code 1; it last said: fatal"),
        ("deaf", Termination.STALL, "does not speak USI: it gave no answer to 'usi' in 0.4 s"),
        ("not-ready", Termination.STALL, "gave no answer to 'isready'"),
        ("flood-at-start", Termination.PROTOCOL_ERROR, "with 4096 lines, the last 'loading'"),
        ("bad-option", Termination.PROTOCOL_ERROR, "answered 'usi' badly: 'option name Level' announces no option"),
    ],
)
def test_bad_starts(fake, mode, termination, words):
    timeout = 0.4 if termination is Termination.STALL else 20
    player = fake(mode, start_timeout=timeout, move_timeout=timeout)
    with pytest.raises(PlayerFault) as caught:
        begin(player)
    assert caught.value.termination is termination
    assert words in str(caught.value)


@pytest.mark.parametrize("mode", ["slow-start", "banner", "crlf", "tabs", "stderr-flood", "talks"])
def test_habits_that_are_forgiven(fake, mode, capfd):
    player = fake(mode)
    begin(player)
    assert player.choose(after(), ANYTIME) == "4i4h"
    assert capfd.readouterr() == ("", "")


def test_an_illegal_move_is_for_the_match_to_judge(fake):
    assert fake("illegal", "--at 1").choose(after("7g7f"), ANYTIME) == "5i5e"
    played = play(Shogi(), (fake("illegal", "--at 1", name="bad"), fake(name="good")))
    assert (played.termination, played.record.result) == (Termination.ILLEGAL_MOVE, "0-1")
    assert "5i5e in lnsgkgsnl/1r5b1/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL b - 1" in played.detail


def test_two_engines_draw_by_repetition(fake):
    played = play(Shogi(), (fake(name="a"), fake(name="b")))
    assert (played.termination, played.record.result) == (Termination.NORMAL, "1/2-1/2"), played.detail
    assert played.record.moves == ("4i4h", "4a4b", "4h4i", "4b4a") * 3


def test_nothing_is_left_running(fake):
    player = fake("stays")
    begin(player)
    pid = player._engine.process.pid
    started = time.monotonic()
    player.close()
    assert time.monotonic() - started < 5
    assert gone(pid)


def test_an_engine_that_is_killed_in_midgame_loses_that_game_alone(fake):
    players = fake(name="victim"), fake(name="other")

    def kill(side, moves, clocks) -> None:
        if len(moves) == 4:
            os.kill(players[0]._engine.process.pid, signal.SIGKILL)

    killed = play(Shogi(), players, on_turn=kill)
    assert (killed.termination, killed.record.result, len(killed.record.moves)) == (Termination.CRASH, "0-1", 4)
    assert "victim: " in killed.detail
    assert "was killed by SIGKILL" in killed.detail
    assert play(Shogi(), players).termination is Termination.NORMAL
