"""The UCI client: specs, what it says to an engine, how it follows positions, and what it makes of misbehaviour."""

import asyncio
import gc
import itertools
import os
import shlex
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from test_process import gone

from sakiyomi.arena.engines.spec import Limits
from sakiyomi.arena.engines.uci import UciPlayer
from sakiyomi.arena.match import PlayerFault, Termination
from sakiyomi.arena.players import check_player, make_player, parse_spec
from sakiyomi.arena.playing import play
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import Budget
from sakiyomi.boards.position import Position
from sakiyomi.boards.tictactoe import TicTacToe

FAKE = f"{shlex.quote(sys.executable)} -S {shlex.quote(str(Path(__file__).with_name('fake_uci.py')))}"
ANYTIME = Budget()
QUICK = Limits(nodes=1)


class Fake:
    """A UciPlayer of the fake engine, closed after the test, and the commands it got."""

    def __init__(self, folder: Path):
        self.log = folder / "log"
        self.players: list[UciPlayer] = []

    def __call__(self, mode: str = "good", *options: str, limits: Limits = QUICK, **settings) -> UciPlayer:
        self.log.unlink(missing_ok=True)
        command = f"{FAKE} {mode} {' '.join(options)} --log {shlex.quote(str(self.log))}"
        self.players.append(UciPlayer(command, limits, **settings))
        return self.players[-1]

    def heard(self) -> list[str]:
        """The commands since the last call, but for those that only ask whether it is there."""
        lines = self.log.read_text().splitlines()
        self.log.write_text("")
        return [line for line in lines if line not in ("uci", "isready")]


@pytest.fixture
def fake(tmp_path):
    made = Fake(tmp_path)
    yield made
    for player in made.players:
        player.close()


def after(*moves: str, game: Game | None = None, text: str | None = None) -> Position:
    position = Position(game or Chess(), text)
    for move in moves:
        position.play(move)
    return position


def fault_of(player: UciPlayer, position: Position, budget: Budget = ANYTIME) -> PlayerFault:
    with pytest.raises(PlayerFault) as caught:
        player.choose(position, budget)
    assert "\n" not in str(caught.value)
    return caught.value


def begin(player: UciPlayer, game: Game | None = None) -> None:
    player.begin(game or Chess(), 0, np.random.default_rng(0))


# --- specs


def test_players_by_spec(tmp_path):
    names = [parse_spec(f"uci:{FAKE} good@{text}").name for text in ("nodes=20", "clock=60+0.6,Hash=32")]
    program = Path(sys.executable).name
    assert names == [f"{program}@nodes=20", f"{program}@clock=60+0.6,Hash=32"]
    assert parse_spec(f"me=uci:{FAKE} good@nodes=20").name == "me"
    assert check_player(f"uci:{FAKE} good@Hash=32,nodes=20", Chess()).argument.endswith("@Hash=32,nodes=20")
    player = make_player(f"me=uci:{FAKE} good --log {tmp_path}/log@Hash=32,nodes=20", Chess())
    assert player.choose(after(), ANYTIME) == "g1f3"
    player.close()
    heard = (tmp_path / "log").read_text().splitlines()
    assert heard == ["uci", "setoption name Hash value 32", "isready", "position startpos", "go nodes 20", "quit"]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("Skil Level=3", "has no option 'Skil Level'; did you mean 'Skill Level'"),
        ("Elo=1500", "has no option 'Elo'; did you mean 'UCI_Elo'?"),
        ("Xyz=1", "has no option 'Xyz'; it has: Hash, Skill Level"),
        ("node=100", "has no option 'node'; did you mean 'nodes'"),
        ("Hash=0", "option Hash is a whole number from 1 to 1024, not '0'"),
        ("Hash=much", "option Hash is a whole number from 1 to 1024, not 'much'"),
        ("Style=Wild", "option Style is one of Solid, Normal, Risky, not 'Wild'"),
        ("OwnBook=perhaps", "option OwnBook is true or false, not 'perhaps'"),
    ],
)
def test_options_are_checked_before_any_game(parameters, words):
    with pytest.raises(ValueError, match=words) as caught:
        check_player(f"uci:{FAKE} good@{parameters}", Chess())
    assert "\n" not in str(caught.value)


def test_an_engine_that_does_not_start_is_refused_before_any_game():
    program = Path(sys.executable).name
    with pytest.raises(ValueError, match=f"^{program} does not speak UCI: it exited with code 1; it last said: fatal"):
        check_player(f"uci:{FAKE} crash-at-once", Chess())
    assert check_player(f"uci:{FAKE} good", Chess()).name == program


def test_options_are_set_by_their_own_names(fake):
    begin(fake(options={"hash": 32, "ownbook": "No", "style": "Risky", "UCI_Elo": 1500, "Skill Level": "20"}))
    assert fake.heard() == [
        "setoption name Hash value 32",
        "setoption name OwnBook value false",
        "setoption name Style value Risky",
        "setoption name UCI_Elo value 1500",
        "setoption name Skill Level value 20",
        "setoption name UCI_LimitStrength value true",
        "ucinewgame",
    ]


def test_only_chess_is_played(fake):
    with pytest.raises(ValueError, match="UCI engines play chess and chess960, not tictactoe"):
        begin(fake(), TicTacToe())
    with pytest.raises(ValueError, match="UCI engines play chess and chess960, not tictactoe"):
        check_player("uci:stockfish", TicTacToe())
    with pytest.raises(ValueError, match="'no-such-engine' not found"):
        check_player("uci:no-such-engine@nodes=5", Chess())


# --- following a game


def test_a_game_is_followed_from_its_start(fake):
    player = fake()
    position = after()
    begin(player)
    position.play(player.choose(position, ANYTIME))
    position.play("e5")
    assert player.choose(position, ANYTIME) == "f3g1"
    assert fake.heard() == [
        "ucinewgame",
        *("position startpos", "go nodes 1"),
        *("position startpos moves g1f3 e7e5", "go nodes 1"),
    ]
    begin(player)
    assert fake.heard() == ["ucinewgame"]


def test_any_position_can_be_asked_about(fake):
    player = fake()
    told = []
    for position in (after("e4", "e5"), after("e4"), after("d4", "d5", "c4"), after("d4", "d5", "c4", "c6"), after()):
        player.choose(position, ANYTIME)
        told += [line.removeprefix("position startpos") for line in fake.heard() if line.startswith("position")]
    assert told == [" moves e2e4 e7e5", " moves e2e4", " moves d2d4 d7d5 c2c4", " moves d2d4 d7d5 c2c4 c7c6", ""]


def test_the_same_moves_from_another_start_are_another_game(fake):
    player = fake()
    texts = ["4k3/8/8/8/8/8/4P3/4K3 w - - 0 1", "4k3/7p/8/8/8/8/4P3/4K3 w - - 0 1"]
    for text in texts:
        player.choose(after("e4", text=text), ANYTIME)
        assert fake.heard()[-2] == f"position fen {text} moves e2e4"


def test_castling_and_promotion_are_told_and_understood(fake):
    text = "r3k3/6P1/8/8/8/8/8/R3K2R w KQq - 0 1"
    fake().choose(after("O-O", "Kd7", "g8=N", text=text), ANYTIME)
    assert fake.heard()[-2].endswith("moves e1g1 e8d7 g7g8n")
    game = Chess(chess960=True)
    start = game.position_text(game.start(np.array([500])))
    player = fake()
    player.choose(after(game=game, text=start), ANYTIME)
    assert fake.heard()[:2] == [
        "setoption name UCI_Chess960 value true",
        f"position fen {game.shredder_fen(game.start([500]))}",
    ]
    player.choose(after(), ANYTIME)
    assert "setoption name UCI_Chess960 value false" in fake.heard()


def test_very_long_games_are_told_from_their_last_irreversible_move(fake, monkeypatch):
    monkeypatch.setattr("sakiyomi.arena.engines.following.LONG", 6)
    moves = ["e2e4", "e7e6", "g1f3", "g8f6", "f3g1", "f6g8", "g1f3"]
    player = fake()
    player.choose(after(*moves), ANYTIME)
    fen = "rnbqkbnr/pppp1ppp/4p3/8/4P3/8/PPPP1PPP/RNBQKBNR w KQkq - 0 2"
    assert fake.heard()[-2] == f"position fen {fen} moves g1f3 g8f6 f3g1 f6g8 g1f3"
    player.choose(after(*moves, "g8f6"), ANYTIME)
    assert fake.heard()[-2] == f"position fen {fen} moves g1f3 g8f6 f3g1 f6g8 g1f3 g8f6"


# --- limits


@pytest.mark.parametrize(
    ("limits", "budget", "told"),
    [
        (Limits(), Budget(), "go movetime 1000"),
        (Limits(), Budget(seconds=2.5), "go movetime 2500"),
        (Limits(), Budget(simulations=50, depth=3), "go depth 3 nodes 50"),
        (Limits(nodes=7), Budget(simulations=50), "go nodes 7"),
        (Limits(nodes=7), Budget(seconds=3), "go nodes 7 movetime 3000"),
        (Limits(depth=2, movetime=2), Budget(seconds=3), "go depth 2 movetime 2000"),
        (Limits(movetime=0.5), Budget(), "go movetime 500"),
        (Limits(clock=(60, 0.6)), Budget(seconds=9), "go wtime 60000 btime 60000 winc 600 binc 600"),
    ],
)
def test_limits_of_its_own_come_before_those_of_the_match(fake, limits, budget, told):
    fake(limits=limits).choose(after(), budget)
    assert fake.heard()[-1] == told


def test_the_clock_runs_through_the_game_and_is_set_by_begin(fake):
    player = fake("good", "--wait 0.2", limits=Limits(clock=(10, 0.05)))
    position = after()
    for _ in range(2):
        begin(player)
        times = []
        for _ in range(3):
            player.choose(position, ANYTIME)
            times.append(int(fake.heard()[-1].split()[2]))
        assert times[0] == 10_000
        for before, later in itertools.pairwise(times):
            assert 9_000 < later <= before - 200 + 51


def test_who_oversteps_the_clock_loses_on_time(fake):
    player = fake("good", "--wait 0.5", limits=Limits(clock=(0.3, 0.1)), margin=0.1)
    fault = fault_of(player, after("e4"))
    assert fault.termination is Termination.TIME_FORFEIT
    assert "'s clock of 0.3+0.1 ran out: 0.2" in str(fault)
    assert "in rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b" in str(fault)
    fault = fault_of(fake("good", "--wait 0.5", limits=Limits(movetime=0.2), margin=0.1), after())
    assert fault.termination is Termination.TIME_FORFEIT
    assert "for a move, 0.2 s allowed" in str(fault)
    assert fake("good", "--wait 0.2", limits=Limits(clock=(0.1, 0.1)), margin=0.5).choose(after(), ANYTIME) == "g1f3"


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
    "none": (Termination.PROTOCOL_ERROR, "answered 'go nodes 1' with 'bestmove (none)', which is no move"),
    "null": (Termination.PROTOCOL_ERROR, "with 'bestmove 0000', which is no move"),
    "resign": (Termination.PROTOCOL_ERROR, "with 'bestmove resign', which is no move"),
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
    position.play("e5")
    fault = fault_of(player, position)
    assert fault.termination is termination
    assert words in str(fault)
    assert f", in {position.text()}" in str(fault)
    begin(player)
    assert player.choose(after(), ANYTIME) == "g1f3"


@pytest.mark.parametrize(
    ("mode", "termination", "words"),
    [
        ("crash-at-once", Termination.CRASH, "exited with code 1; it last said: fatal"),
        ("deaf", Termination.STALL, "does not speak UCI: it gave no answer to 'uci' in 0.4 s"),
        ("slow-start", Termination.STALL, "gave no answer to 'uci'"),
        ("not-ready", Termination.STALL, "gave no answer to 'isready'"),
        ("flood-at-start", Termination.PROTOCOL_ERROR, "with 4096 lines, the last 'loading'"),
        ("bad-option", Termination.PROTOCOL_ERROR, "answered 'uci' badly: 'option name Level' announces no option"),
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
    assert player.choose(after(), ANYTIME) == "g1f3"
    assert capfd.readouterr() == ("", "")


def test_a_second_answer_is_not_that_to_the_next_question(fake):
    player = fake("twice", "--at 1")
    position = after()
    position.play(player.choose(position, ANYTIME))
    position.play("e5")
    time.sleep(0.2)  # until it is there
    assert player.choose(position, ANYTIME) == "f3g1"


def test_an_engine_without_chess960_does_not_start_in_it(fake):
    player = fake("good", "--without UCI_Chess960")
    begin(player)
    with pytest.raises(PlayerFault, match="does not play Chess960: it has no option UCI_Chess960") as caught:
        begin(player, Chess(chess960=True))
    assert caught.value.termination is Termination.COULD_NOT_START
    with pytest.raises(ValueError, match="does not play Chess960"):
        check_player(f"uci:{FAKE} good --without UCI_Chess960", Chess(chess960=True))


def test_what_the_match_is_to_judge_is_returned(fake):
    assert fake("illegal", "--at 1").choose(after("e4"), ANYTIME) == "e2e5"
    promotes = "4k3/P7/8/8/8/8/8/4K3 w - - 0 1"
    assert fake("upper", "--at 1").choose(after(text=promotes), ANYTIME) == "a7a8q"
    played = play(Chess(), (fake("illegal", "--at 1", name="bad"), fake(name="good")))
    assert (played.termination, played.record.result) == (Termination.ILLEGAL_MOVE, "0-1")
    assert played.detail.startswith("bad: illegal move e2e5 in rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq")


def test_two_engines_draw_by_repetition(fake):
    played = play(Chess(), (fake(name="a"), fake(name="b")))
    assert (played.termination, played.record.result) == (Termination.NORMAL, "1/2-1/2"), played.detail
    assert played.record.moves == ("g1f3", "g8f6", "f3g1", "f6g8") * 2


def test_nothing_is_left_running(fake):
    others = set(threading.enumerate())  # those of other tests, and of the kernels
    player = fake("stays")
    begin(player)
    pid = player._engine.process.pid
    started = time.monotonic()
    player.close()
    assert time.monotonic() - started < 5
    assert gone(pid)
    forgotten = fake("hang", "--at 1")
    begin(forgotten)
    pid = forgotten._engine.process.pid
    assert all(thread.daemon for thread in set(threading.enumerate()) - others)
    fake.players.clear()
    del forgotten, player
    deadline = time.monotonic() + 10
    while not gone(pid) and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.05)
    assert gone(pid)


def test_an_engine_that_is_killed_in_midgame_loses_that_game_alone(fake):
    players = fake(name="victim"), fake(name="other")

    def kill(side, moves, clocks) -> None:
        if len(moves) == 4:
            os.kill(players[0]._engine.process.pid, signal.SIGKILL)

    killed = play(Chess(), players, on_turn=kill)
    assert (killed.termination, killed.record.result, len(killed.record.moves)) == (Termination.CRASH, "0-1", 4)
    assert "victim: " in killed.detail
    assert "was killed by SIGKILL" in killed.detail
    assert play(Chess(), players).termination is Termination.NORMAL


def test_an_interrupted_question_ends_the_engine(fake, monkeypatch):
    class Interrupted(BaseException):
        pass

    player = fake()
    begin(player)
    engine = player._engine

    def interrupt(deadline):
        raise Interrupted

    monkeypatch.setattr(engine.process, "next_line", interrupt)
    with pytest.raises(Interrupted):
        player.choose(after(), ANYTIME)
    assert gone(engine.process.pid)
    assert player.choose(after(), ANYTIME) == "g1f3"


def test_it_may_be_asked_where_an_event_loop_runs(fake):
    async def notebook() -> str:
        return fake().choose(after(), ANYTIME)

    assert asyncio.run(notebook()) == "g1f3"
