"""Real chess engines from Debian: each plays whole games within what it knows of UCI."""

import os
import shutil

import numpy as np
import pytest

from sakiyomi.arena import Budget, Termination, make_player
from sakiyomi.arena.engines.process import GAME_FOLDERS
from sakiyomi.arena.engines.spec import Limits
from sakiyomi.arena.engines.uci import UciPlayer
from sakiyomi.arena.match import PlayerFault
from sakiyomi.arena.playing import play
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.position import Position

pytestmark = pytest.mark.engines

STOCKFISH, FAIRY, GNU, GLAURUNG, TOGA = "stockfish", "fairy-stockfish", "gnuchess --uci", "glaurung", "toga2"
TRIED = [
    (STOCKFISH, ("nodes=100", "depth=2", "movetime=0.02", "clock=1+0.01")),
    (FAIRY, ("nodes=100", "depth=2", "movetime=0.02", "clock=1+0.01")),
    (GNU, ("depth=2", "movetime=0.02")),
    (GLAURUNG, ("depth=2",)),
    (TOGA, ("depth=2", "movetime=0.02", "clock=1+0.01")),
]


@pytest.fixture
def engine():
    """Makes a player by its spec, or skips where the engine is not installed."""
    made = []

    def player(spec: str, game: Chess | None = None):
        program = spec.partition("uci:")[2].split("@")[0].split()[0]
        if shutil.which(program, path=os.pathsep.join([os.environ["PATH"], *GAME_FOLDERS])) is None:
            pytest.skip(f"{program} is not installed")
        made.append(make_player(spec, game or Chess()))
        made[-1].margin = 60  # a busy machine is no fault of the engine's
        return made[-1]

    yield player
    for one in made:
        one.close()


def drawn(number: int) -> tuple[Chess, str]:
    """Chess960, and its start position of that number."""
    game = Chess(chess960=True)
    return game, game.position_text(game.start(np.array([number])))


@pytest.mark.parametrize(("command", "limit"), [(command, limit) for command, limits in TRIED for limit in limits])
def test_engines_play_whole_games(engine, command, limit):
    played = play(Chess(), (engine(f"uci:{command}@{limit}"), engine("uci:stockfish@nodes=20")))
    assert played.termination is Termination.NORMAL, played.detail
    assert len(played.record.moves) > 6


@pytest.mark.parametrize("command", [STOCKFISH, FAIRY, GLAURUNG])
@pytest.mark.parametrize("number", [0, 400, 959])
def test_chess960_from_its_start_positions(engine, command, number):
    game, setup = drawn(number)
    players = engine(f"uci:{command}@depth=2", game), engine("uci:stockfish@nodes=20", game)
    played = play(game, players, setup=setup)
    assert played.termination is Termination.NORMAL, played.detail


@pytest.mark.parametrize("command", [GNU, TOGA])
def test_engines_that_do_not_know_chess960_say_so(engine, command):
    player = engine(f"uci:{command}@depth=1")
    with pytest.raises(PlayerFault, match="does not play Chess960: it has no option UCI_Chess960"):
        player.begin(Chess(chess960=True), 0, np.random.default_rng(0))


@pytest.mark.parametrize("command", [GNU, TOGA])
def test_engines_that_do_not_heed_a_limit_of_nodes_are_found_out(engine, command):
    with pytest.raises(PlayerFault, match=r"does not heed 'go nodes 10': [0-9]{7} nodes by now; limit its depth"):
        engine(f"uci:{command}@nodes=10,OwnBook=false").choose(Position(Chess()), Budget())


def test_castling_both_ways_in_both_games(engine):
    for game, text, best in [
        (Chess(), "5k2/8/8/8/8/8/8/4K2R w K - 0 1", {"e1g1"}),
        (Chess(chess960=True), "5k2/8/8/8/8/8/8/4K2R w K - 0 1", {"e1h1"}),
        (Chess(chess960=True), "2k5/8/8/8/8/8/8/1R3K2 w B - 0 1", {"f1b1"}),
    ]:
        player = engine("uci:stockfish@depth=8", game)
        position = Position(game, text)
        assert best <= set(position.legal_moves())
        assert player.choose(position, Budget()) in position.legal_moves()
        for move in best:  # what is told of castling is understood
            after = position.after(move)
            assert player.choose(after, Budget()) in after.legal_moves()


def test_promotions_and_mates_are_found(engine):
    player = engine("uci:stockfish@depth=6")
    assert player.choose(Position(Chess(), "7k/P7/6K1/8/8/8/8/8 w - - 0 1"), Budget()) in ("a7a8q", "a7a8r")
    assert player.choose(Position(Chess(), "6k1/5ppp/8/8/8/8/8/R3K3 w Q - 0 1"), Budget()) == "a1a8"


def test_limits_by_the_match_reach_the_engine(engine):
    player = engine("uci:stockfish")
    position = Position(Chess())
    assert {player.choose(position, Budget(simulations=10)) for _ in range(3)} <= set(position.legal_moves())
    assert player.choose(position, Budget(depth=1)) in position.legal_moves()
    assert player.choose(position, Budget(seconds=0.05)) in position.legal_moves()


def test_strength_can_be_limited(engine):
    weak = engine("weak=uci:stockfish@nodes=2000,UCI_Elo=1350")
    strong = engine("strong=uci:stockfish@nodes=2000")
    score = 0.0
    for seed in range(4):
        pair = (strong, weak) if seed % 2 == 0 else (weak, strong)
        played = play(Chess(), pair, seed=seed)
        assert played.termination is Termination.NORMAL, played.detail
        score += played.record.score if pair[0] is strong else 1 - played.record.score
    assert score > 2
    with pytest.raises(PlayerFault, match="option UCI_Elo is a whole number from 1350 to 2850, not '100'"):
        UciPlayer("stockfish", Limits(nodes=1), {"UCI_Elo": 100}).choose(Position(Chess()), Budget())


def test_a_node_limit_gives_the_same_game_again(engine):
    games = [play(Chess(), (engine("uci:stockfish@nodes=300"), engine("uci:fairy-stockfish@nodes=300"))) for _ in "ab"]
    assert games[0].record.moves == games[1].record.moves
