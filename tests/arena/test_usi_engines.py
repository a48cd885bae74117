"""Real shogi engines from Debian: each plays whole games within what it knows of USI."""

import os
import shutil

import pytest

from sakiyomi.arena import Budget, Termination, make_player
from sakiyomi.arena.engines.process import GAME_FOLDERS
from sakiyomi.arena.match import PlayerFault
from sakiyomi.arena.players import check_player
from sakiyomi.arena.playing import play
from sakiyomi.boards.player import RESIGN
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi

pytestmark = pytest.mark.engines

FAIRY, GPS = "fairy-stockfish", "gpsusi -N 1"
FAIRYS = ("nodes=100", "depth=2", "movetime=0.02", "byoyomi=0.05", "clock=1+0.02", "clock=1/0.05")
SHALLOW = "LimitDepth=4"  # an option of GPSShogi's, for quick games
TRIED = [(FAIRY, limit) for limit in FAIRYS] + [(GPS, f"{limit},{SHALLOW}") for limit in ("byoyomi=0.5", "clock=2/0.5")]
MATE = "4k4/9/4P4/9/9/9/9/9/9 b G 1"
MATED = "4k4/4G4/4P4/9/9/9/9/9/4K4 w - 1"


@pytest.fixture
def engine():
    """Makes a player by its spec, or skips where the engine is not installed."""
    made = []

    def player(spec: str):
        program = spec.partition("usi:")[2].split("@")[0].split()[0]
        if shutil.which(program, path=os.pathsep.join([os.environ["PATH"], *GAME_FOLDERS])) is None:
            pytest.skip(f"{program} is not installed")
        made.append(make_player(spec, Shogi()))
        made[-1].margin = 60  # a busy machine is no fault of the engine's
        return made[-1]

    yield player
    for one in made:
        one.close()


@pytest.mark.parametrize(("command", "limit"), TRIED)
def test_engines_play_whole_games(engine, command, limit):
    played = play(Shogi(), (engine(f"usi:{command}@{limit}"), engine("usi:fairy-stockfish@nodes=20")))
    assert played.termination in (Termination.NORMAL, Termination.RESIGNATION), played.detail
    assert len(played.record.moves) > 6


@pytest.mark.parametrize("limit", ["nodes=100", "depth=4", "movetime=0.5", "clock=5+0.1"])
def test_what_gpsshogi_does_not_know_ends_it_and_is_told(engine, limit):
    player = engine(f"usi:gpsusi@{limit}")
    with pytest.raises(
        PlayerFault, match=r"gpsusi was killed by SIGABRT; it last said: .*unknown option in go"
    ) as caught:
        player.choose(Position(Shogi()), Budget())
    assert caught.value.termination is Termination.CRASH


@pytest.mark.parametrize("setup", ["lance", "two-piece", "six-piece", "ten-piece"])
@pytest.mark.parametrize("command", [f"{FAIRY}@nodes=50", f"{GPS}@byoyomi=0.5,{SHALLOW}"])
def test_handicap_games(engine, command, setup):
    played = play(Shogi(), (engine("usi:fairy-stockfish@nodes=500"), engine(f"usi:{command}")), setup=setup)
    assert played.termination in (Termination.NORMAL, Termination.RESIGNATION), played.detail
    assert played.record.result == "1-0" or setup != "ten-piece"  # Black has all his pieces


def test_drops_promotions_mates_and_resignation(engine):
    player = engine("usi:fairy-stockfish@nodes=500")
    assert player.choose(Position(Shogi(), MATE), Budget()) == "G*5b"
    assert player.choose(Position(Shogi(), MATED).copy(), Budget()) == RESIGN
    position = Position(Shogi()).after("7g7f").after("3c3d")
    for move in ("8h2b+", "3a2b", "B*4e"):  # what is told of them is understood
        position.play(move)
        assert player.choose(position, Budget()) in position.legal_moves()


def test_limits_by_the_match_reach_the_engine(engine):
    position = Position(Shogi())
    player = engine("usi:fairy-stockfish")
    for budget in (Budget(simulations=10), Budget(depth=1), Budget(seconds=0.05)):
        assert player.choose(position, budget) in position.legal_moves()


def test_options_are_those_that_the_engine_names(engine):
    engine("usi:fairy-stockfish@nodes=10,Skill Level=-20").choose(Position(Shogi()), Budget())
    engine("usi:gpsusi@byoyomi=0.5,LimitDepth=4,Thread=1").choose(Position(Shogi()), Budget())
    with pytest.raises(ValueError, match="option LimitDepth is a whole number from 4 to 10, not '3'"):
        check_player("usi:gpsusi@byoyomi=1,LimitDepth=3", Shogi())
    with pytest.raises(ValueError, match="fairy-stockfish has no option 'USI_Hash'; did you mean "):
        check_player("usi:fairy-stockfish@USI_Hash=16", Shogi())


def test_a_node_limit_gives_the_same_game_again(engine):
    games = [
        play(Shogi(), (engine("usi:fairy-stockfish@nodes=200"), engine("usi:fairy-stockfish@nodes=90"))) for _ in "ab"
    ]
    assert games[0].record.moves == games[1].record.moves
