"""Engines on the clocks of a match: what each protocol tells them, and who loses on time."""

import shlex
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sakiyomi.arena import Conditions, Termination, parse_time, play
from sakiyomi.arena.engines import gtp_time
from sakiyomi.arena.engines.gtp import GtpPlayer
from sakiyomi.arena.engines.spec import Limits
from sakiyomi.arena.engines.uci import UciPlayer
from sakiyomi.arena.engines.usi import UsiPlayer
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.clock import Clock
from sakiyomi.boards.go import Go
from sakiyomi.boards.player import Budget
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi
from sakiyomi.boards.tictactoe import TicTacToe

KINDS = {
    "uci": (UciPlayer, "fake_uci.py", Chess()),
    "usi": (UsiPlayer, "fake_usi.py", Shogi()),
    "gtp": (GtpPlayer, "fake_engine.py", Go(size=9)),
}


@pytest.fixture
def fake(tmp_path):
    """Makes a player of the protocol, which has the first move, and what it hears of time in its next move."""
    log, made = tmp_path / "log", []

    def make(protocol: str, *words: str, **settings):
        kind, script, game = KINDS[protocol]
        path = shlex.quote(str(Path(__file__).with_name(script)))
        command = f"{shlex.quote(sys.executable)} -S {path} good --log {shlex.quote(str(log))} {' '.join(words)}"
        player = kind(command, **settings)
        made.append(player)

        def told(*clocks: Clock, position: Position | None = None, **budget) -> list[str]:
            log.write_text("")
            at = position or Position(game)
            at.play(player.choose(at, Budget(clocks=(*clocks, *clocks)[:2], **budget)))
            lines = log.read_text().splitlines()
            return [line for line in lines if line.startswith(("go ", "time_", "kata-time", "kgs-time"))]

        return player, told

    yield make
    for player in made:
        player.close()


MAIN = Clock(60, 0.6)


@pytest.mark.parametrize(
    ("clocks", "told"),
    [
        ((MAIN, Clock(59.5, 1)), "go wtime 60000 btime 59500 winc 600 binc 1000"),
        ((Clock(10, moves_to_go=7),), "go wtime 10000 btime 10000 winc 0 binc 0 movestogo 7"),
        ((Clock(-0.1), Clock(0.0002)), "go wtime 1 btime 1 winc 0 binc 0"),
        ((Clock(20, byoyomi=5, periods=3),), "go wtime 25000 btime 25000 winc 0 binc 0"),
        ((Clock(0, byoyomi=5),), "go wtime 5000 btime 5000 winc 0 binc 0 movestogo 1"),
        ((Clock(0, byoyomi=5, periods=3, overtime=True),), "go wtime 5000 btime 5000 winc 0 binc 0 movestogo 1"),
        (
            (Clock(12, moves_to_go=4, byoyomi=30, stones=9, overtime=True),),
            "go wtime 12000 btime 12000 winc 0 binc 0 movestogo 4",
        ),
    ],
)
def test_uci_is_told_both_clocks(fake, clocks, told):
    assert fake("uci")[1](*clocks) == [told]


def test_black_is_told_the_moves_of_its_own_session(fake):
    _, told = fake("uci")
    position = Position(Chess())
    position.play("e4")
    clocks = (Clock(9, moves_to_go=3), Clock(8, moves_to_go=4))
    assert told(*clocks, position=position) == ["go wtime 9000 btime 8000 winc 0 binc 0 movestogo 4"]


@pytest.mark.parametrize(
    ("clocks", "told"),
    [
        ((Clock(60),), "go btime 60000 wtime 60000 byoyomi 0"),
        ((MAIN, Clock(30, 1)), "go btime 59400 wtime 29000 binc 600 winc 1000"),
        ((Clock(0.2, 0.6),), "go btime 0 wtime 0 binc 200 winc 200"),
        ((Clock(20, byoyomi=5, periods=3),), "go btime 20000 wtime 20000 byoyomi 5000"),
        ((Clock(0, byoyomi=5, overtime=True), Clock(7, byoyomi=5)), "go btime 0 wtime 7000 byoyomi 5000"),
        ((Clock(12, moves_to_go=4, byoyomi=30, stones=9, overtime=True),), "go btime 0 wtime 0 byoyomi 3000"),
    ],
)
def test_usi_is_told_what_is_left_without_the_increment_to_come(fake, clocks, told):
    assert fake("usi")[1](*clocks) == [told]


@pytest.mark.parametrize("protocol", ["uci", "usi"])
def test_limits_of_its_own_go_with_the_clock(fake, protocol):
    clock = "wtime 60000 btime 60000 winc 0 binc 0" if protocol == "uci" else "btime 60000 wtime 60000 byoyomi 0"
    for limits, budget, more in (
        (Limits(), {}, ""),
        (Limits(), {"simulations": 9}, " nodes 9"),
        (Limits(nodes=5, depth=3), {"simulations": 9}, " depth 3 nodes 5"),
        (Limits(movetime=2), {"seconds": 3.0}, " movetime 2000"),
        (Limits(movetime=5), {"seconds": 3.0}, " movetime 3000"),
        (Limits(clock=(5, 1)), {}, ""),
    ):
        assert fake(protocol, limits=limits)[1](Clock(60), **budget) == [f"go {clock}{more}"]


def test_gtp_is_told_the_control_once_a_game_and_both_clocks_before_each_move(fake):
    player, told = fake("gtp")
    position = Position(Go(size=9))
    assert told(Clock(60.9), Clock(59.2), position=position) == [
        "time_settings 60 0 0",
        "time_left white 59 0",
        "time_left black 60 0",
    ]
    position.play("pass")
    assert told(Clock(50), Clock(40), position=position) == ["time_left white 40 0", "time_left black 50 0"]
    player.begin(Go(size=9), 0, np.random.default_rng(0))
    assert told(Clock(60), Clock(60))[0] == "time_settings 60 0 0"
    assert told(Clock(20, moves_to_go=9), Clock(30, moves_to_go=8)) == [
        *("time_settings 0 20 9", "time_left white 30 8", "time_left black 20 9"),
    ]


@pytest.mark.parametrize(
    ("clock", "commands", "left"),
    [
        (
            Clock(60.5),
            ["kata-time_settings absolute 60.5", "kgs-time_settings absolute 60", "time_settings 60 0 0"],
            60.5,
        ),
        (MAIN, ["kata-time_settings fischer 60 0.6", "kgs-time_settings absolute 60", "time_settings 60 0 0"], 60),
        (
            Clock(9, byoyomi=30, periods=5),
            ["kata-time_settings byoyomi 9 30 5", "kgs-time_settings byoyomi 9 30 5", "time_settings 9 30 1"],
            9,
        ),
        (
            Clock(9, byoyomi=300, stones=15),
            ["kata-time_settings canadian 9 300 15", "kgs-time_settings canadian 9 300 15", "time_settings 9 300 15"],
            9,
        ),
    ],
)
def test_dialects_of_gtp(clock, commands, left):
    assert gtp_time.settings(clock) == commands
    assert gtp_time.time_left("black", clock, commands[0]) == f"time_left black {left:g} 0"


def test_overtime_in_gtp():
    periods = Clock(0, byoyomi=30.5, periods=2, overtime=True)
    stones = Clock(100.5, moves_to_go=4, byoyomi=300, stones=15, overtime=True)
    told = [gtp_time.time_left("white", periods, command) for command in gtp_time.settings(periods)]
    assert told == ["time_left white 30.5 2", "time_left white 30 2", "time_left white 30 1"]
    assert gtp_time.time_left("white", stones, "time_settings") == "time_left white 100 4"
    assert gtp_time.time_left("white", Clock(0.4), "time_settings") == "time_left white 1 0"
    assert gtp_time.time_left("white", Clock(-0.4), "time_settings") == "time_left white 0 0"


# --- whose flag falls


@pytest.mark.parametrize("protocol", KINDS)
def test_on_the_clock_of_a_match_the_match_judges(fake, protocol):
    slow = ("--wait 0.3",) if protocol != "gtp" else ()
    settings = {} if protocol == "gtp" else {"margin": 0.01}
    player, _ = fake(protocol, *slow, **settings)
    game = KINDS[protocol][2]
    assert player.choose(Position(game), Budget(clocks=(Clock(0.05), Clock(0.05))))


class Sleeper:
    """Sleeps so long over its first move, and keeps how long that really took."""

    name = "sleeper"

    def __init__(self, seconds: float):
        self.seconds, self.took = seconds, 0.0

    def begin(self, game, side, rng) -> None:
        pass

    def choose(self, position, budget) -> str:
        began = time.perf_counter()
        if not self.took:
            time.sleep(self.seconds)
            self.took = time.perf_counter() - began
        return position.legal_moves()[0]

    def close(self) -> None:
        pass


LIMIT, MARGIN = 0.1, 0.05


@pytest.mark.parametrize("off", [-0.01, 0.01])
@pytest.mark.parametrize("text", ["0.1", "0.1+5", "0,0.1", "1/0.1", "0.05,0.05"])
def test_forfeits_are_exact_to_ten_milliseconds(text, off):
    """A sleep that the machine drew out is another sleep: it is tried again."""
    control = parse_time(text)
    for _ in range(20):
        sleeper, other = Sleeper(LIMIT + MARGIN + off), Sleeper(0)
        played = play(TicTacToe(), (sleeper, other), Conditions(clock=(control, parse_time("60")), margin=MARGIN))
        if sleeper.took < LIMIT + MARGIN + off + 0.005:
            break
    else:
        pytest.skip("this machine is too busy to sleep to 5 ms")
    late = played.termination is Termination.TIME_FORFEIT and not played.record.moves
    assert late is (off > 0), played.detail
    assert abs(played.seconds[0] - sleeper.took) < 0.005 or not late
