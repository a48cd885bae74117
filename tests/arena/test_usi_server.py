"""Our players behind the Universal Shogi Interface: what is said, and what is answered."""

import random
import re
import time

import pytest
from uci_talk import note, talks
from usi_talk import ShogiTalk

from sakiyomi.boards import Budget, Position
from sakiyomi.boards.clock import Clock
from sakiyomi.boards.shogi import Shogi

START = "lnsgkgsnl/1r5b1/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL b - 1"
OPTION = re.compile(
    r"option name \S+ type (check default (true|false)|spin default \d+ min \d+ max \d+|combo default \w+( var \w+)+)"
)
ENTERED = "K8/GGGGSSSS1/PPPPPP3/9/9/9/9/9/8k b 2R2B 1"  # 34 points: Black may declare by either rule
HALF = "K8/GGGGSSSS1/PPPPPP3/9/9/9/9/9/8k b R2Br 1"  # 29 points
MATED = "4k4/4G4/4P4/9/9/9/9/9/4K4 w - 1"
STUCK = "8k/6G2/7G1/9/9/9/9/9/K8 w - 1"  # no move, no check


@pytest.fixture
def talk():
    with talks(ShogiTalk) as make:
        yield make


def ready(engine, *lines):
    """Say `lines` to an engine that has compiled everything."""
    engine.say("usi", "isready")
    engine.until("readyok")
    engine.say(*lines)
    return engine


def test_the_engine_introduces_itself(talk):
    lines = talk("strong one=uct:40").say("usi")
    assert lines[0].startswith("id name Sakiyomi ")
    assert lines[0].endswith(" strong one")
    assert lines[1].startswith("id author ")
    assert lines[-1] == "usiok"
    assert all(OPTION.fullmatch(line) for line in lines[2:-1])
    assert "option name USI_Hash type spin default 1024 min 1 max 65536" in lines
    names = {line.split()[2] for line in lines[2:-1]}
    own = {"USI_Ponder", "NetworkDelay", "EnteringKingRule", "MaxMovesToDraw"}
    assert names == {*own, "Simulations", "USI_Hash", "Threads"}


def test_readiness_is_told_when_all_is_compiled_and_during_a_search_at_once(talk):
    engine = talk("python:uci_talk:Thinks")
    engine.say("usi", "isready", "isready")
    engine.until("readyok")
    assert engine.say("isready") == ["readyok"]
    engine.say("go infinite")
    engine.until("info depth")
    assert engine.say("isready") == ["readyok"]


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("", []),
        ("stop", []),
        ("ponderhit", []),
        ("usinewgame", []),
        ("gameover win", []),
        ("gameover", []),
        ("setoption name USI_Ponder value true", []),
        ("setoption name USI_Hash value 256", []),
        ("setoption name NetworkDelay value 7", []),
        ("setoption name enteringkingrule value csarule24", []),
        ("setoption name Depth value 9", []),
        ("setoption name Depth value 0", ["option Depth is a whole number from 1 to 99, not '0'"]),
        (
            "setoption name EnteringKingRule value TryRule",
            ["option EnteringKingRule is one of CSARule27, CSARule24, NoEnteringKing, not 'TryRule'"],
        ),
        (
            "setoption name EvalDir value eval",
            [
                "there is no option 'EvalDir'; there are: USI_Ponder, NetworkDelay, EnteringKingRule, MaxMovesToDraw, "
                "Depth"
            ],
        ),
        ("setoption Depth 3", ["it is written: setoption name NAME [value VALUE]"]),
        ("setoption", ["it is written: setoption name NAME [value VALUE]"]),
        ("position", ["'' where startpos or sfen is wanted: position startpos|sfen SFEN [moves MOVE...]"]),
        ("position fen 8", ["'fen' where startpos or sfen is wanted: position startpos|sfen SFEN [moves MOVE...]"]),
    ],
)
def test_what_is_said_and_what_is_answered(talk, line, answers):
    assert note(talk("python:uci_talk:Deep").say(line)) == answers


def test_the_memory_of_a_player_is_an_option_that_controllers_may_set_anyway(talk):
    engine = talk("python:usi_talk:Big")
    assert "option name USI_Hash type spin default 256 min 1 max 65536" in engine.say("usi")
    assert engine.say("setoption name usi_hash value 64") == []
    assert engine.session._player.megabytes == 64
    assert note(engine.say("setoption name USI_Hash value 0")) == [
        "option USI_Hash is a whole number from 1 to 65536, not '0'"
    ]


# --- positions


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("position startpos", START),
        ("position startpos moves", START),
        (
            "position startpos moves 7g7f 3c3d 8h2b+ 3a2b B*4e",
            "lnsgkg1nl/1r5s1/pppppp1pp/6p2/5B3/2P6/PP1PPPPPP/7R1/LNSGKGSNL w b 6",
        ),
        (f"position sfen {START}", START),
        (f"position sfen {START.removesuffix(' 1')}", START),
        ("position sfen lnsgkgsnl/9/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL w - 1 moves 8c8d", None),
        ("now position  startpos", START),
    ],
)
def test_positions_are_set_up(talk, command, text):
    engine = talk()
    assert engine.say(command) == []
    if text is None:
        text = Position(Shogi(), "two-piece").after("8c8d").text()
    assert engine.session.board.position.text() == text


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("position sfen", "SFEN has four fields"),
        ("position sfen 9/9 b - 1", "nine ranks are wanted, there are 2"),
        ("position startpos moves 7g7f 7g7f", "illegal move 7g7f in lnsgkgsnl/1r5b1/ppppppppp/9/9/2P6/"),
        ("position startpos moves e2e4", "'e2e4' in lnsgkgsnl/"),
        ("position startpos 7g7f", "'7g7f' where the word moves is wanted"),
        (f"position sfen {START} 7g7f", "SFEN has four fields"),
        (f"position sfen {MATED} moves 5a4a", "the game has ended (checkmate)"),
    ],
)
def test_what_is_no_position_is_explained_and_leaves_none(talk, command, why):
    engine = talk()
    assert why in note(engine.say(command))[0]
    *said, best = engine.ask("go byoyomi 10")
    assert note(said) == ["there is no position to think about"]
    assert best == "bestmove resign"
    engine.say("position startpos")
    assert engine.move("go byoyomi 10") != "resign"


def test_a_game_that_goes_on_after_its_end_is_followed_without_its_history(talk):
    """Controllers may know neither repetition nor a limit of moves."""
    engine, played = talk("uct:10"), []
    for move in ["4i4h", "4a4b", "4h4i", "4b4a"] * 140:
        played.append(move)
    assert engine.say(f"position startpos moves {' '.join(played)} 7g7f") == []
    assert engine.session.board.position.text().startswith("lnsgkgsnl/1r5b1/ppppppppp/9/9/2P6/")
    assert engine.session.board.position.ply == len(played) + 1
    assert engine.move("go nodes 10") in engine.session.board.position.legal_moves()
    engine = talk("uct:10", Shogi(max_plies=2))
    engine.say("position startpos moves 7g7f 3c3d")
    assert engine.move("go nodes 10") in engine.session.board.position.legal_moves()


# --- limits


@pytest.mark.parametrize(
    ("player", "go", "budget"),
    [
        ("Thinks", "go depth 3", Budget(depth=3)),
        ("Thinks", "go nodes 700", Budget(700)),
        ("Thinks", "go depth 2 movetime 500", Budget(None, 0.4, 2)),
        ("Thinks", "go depth 2 btime 0 wtime 0 byoyomi 1000", Budget(None, 0.9, 2)),
        ("Thinks", "go depth 2 byoyomi 1000", Budget(None, 0.9, 2)),
        ("Thinks", "go depth 2 byoyomi 100", Budget(None, 0.05, 2)),
        ("Thinks", "go depth 2 btime 60000 wtime 1 byoyomi 10000", Budget(None, 11.9, 2)),
        ("Thinks", "go depth 2 btime 500 wtime 1 byoyomi 10000", Budget(None, 10 + 0.5 / 30 - 0.1, 2)),
        ("Thinks", "go depth 2 btime 60000 wtime 1 binc 1000 winc 7", Budget(None, 2 + 0.75 - 0.1, 2)),
        ("Thinks", "go depth 2 btime 0 wtime 0 binc 1000 winc 1000", Budget(None, 1 / 30 + 0.75 - 0.1, 2)),
        ("Thinks", "go depth 2 wtime 60000", Budget(depth=2)),
        ("Deep", "go", Budget(depth=4)),
        ("Deep", "go btime 30000 wtime 1 byoyomi 0", Budget(None, 0.9, 4)),
        ("Busy", "go", Budget(500)),
        ("Busy", "go depth 3 byoyomi 1000", Budget(None, 0.9, 3)),
    ],
)
def test_limits_reach_the_player(talk, player, go, budget):
    engine = ready(talk(f"python:uci_talk:{player}"))
    engine.ask(go)
    ((_, got, moves),) = engine.session._player.asked
    assert (got.simulations, got.depth, moves) == (budget.simulations, budget.depth, None)
    assert (got.seconds is None) == (budget.seconds is None)
    if budget.seconds is not None:
        assert budget.seconds - 0.015 <= got.seconds <= budget.seconds + 1e-9


def test_white_has_his_own_clock(talk):
    engine = ready(talk("python:uci_talk:Deep"), "position startpos moves 7g7f")
    engine.ask("go btime 1 wtime 60000 byoyomi 5000")
    ((_, budget, _),) = engine.session._player.asked
    assert budget.seconds == pytest.approx(60 / 30 + 5 - 0.1, abs=0.015)


@pytest.mark.parametrize(
    ("left", "byoyomi"), [(0.0, 1.0), (0.0, 0.05), (600.0, 10.0), (5.0, 30.0), (0.3, 0.1), (-2.0, 1.0)]
)
def test_no_byoyomi_is_overstepped(left, byoyomi):
    for _ in range(300):
        spent = Clock(left, byoyomi=byoyomi).seconds(0.1)
        assert byoyomi / 2 <= spent < max(left, 0) + byoyomi
        left = max(left - spent, 0.0)
    assert left == 0


def test_wrong_numbers_and_unknown_words_of_go_are_explained_and_passed_over(talk):
    said = talk("python:uci_talk:Thinks").ask("go byoyomi soon depth 2 movestogo 3")
    words = "searchmoves, ponder, infinite, btime, wtime, binc, winc, byoyomi, depth, nodes, movetime"
    assert note(said[:4]) == [
        "go byoyomi wants a whole number, not 'soon'",
        f"go knows no 'soon'; it knows: {words}",
        f"go knows no 'movestogo'; it knows: {words}",
        f"go knows no '3'; it knows: {words}",
    ]


def test_moves_to_be_searched(talk):
    engine = talk("python:uci_talk:Thinks")
    assert engine.move("go searchmoves 7g7f 2g2f depth 1") == "7g7f"
    assert engine.session._player.asked[-1][2] == ["7g7f", "2g2f"]
    *said, best = engine.ask("go depth 1 searchmoves P*5e 2g2f")
    assert "searchmoves: illegal move P*5e" in said[0]
    assert best.startswith("bestmove 2g2f")
    *said, best = engine.ask("go depth 1 searchmoves P*5e")
    assert note(said)[-1] == "no move of searchmoves is legal"
    assert best == "bestmove resign"


# --- when the move is said


@pytest.mark.parametrize("player", ["python:uci_talk:Thinks", "python:fakes:First"])
@pytest.mark.parametrize("go", ["go infinite", "go ponder btime 60000 wtime 60000 byoyomi 1000"])
def test_no_move_before_stop(talk, player, go):
    engine = talk(player)
    before = len(engine.lines)
    engine.say(go)
    assert engine.silent()
    engine.say("stop")
    engine.until("bestmove", before)
    engine.say("stop")
    assert engine.silent(0.05)


def test_ponderhit_starts_the_clock(talk):
    engine = ready(talk("python:uci_talk:Thinks"))
    engine.say("go ponder btime 0 wtime 0 byoyomi 500")
    assert engine.silent(0.6)
    started = time.monotonic()
    engine.say("ponderhit")
    engine.until("bestmove")
    assert 0.3 < time.monotonic() - started < 3  # 0.5 s - 0.1 s


def test_the_end_of_the_game_ends_pondering(talk):
    engine = talk("python:uci_talk:Thinks")
    engine.say("go ponder btime 0 wtime 0 byoyomi 500")
    engine.until("info depth")
    engine.say("gameover lose")
    engine.until("bestmove")
    assert engine.say("usinewgame") == []


def test_lines_and_moves_expected(talk):
    *said, best = talk("python:uci_talk:Thinks").ask("position startpos moves 7g7f", "go depth 1")
    first = Position(Shogi()).after("7g7f").legal_moves()[0]
    reply = Position(Shogi()).after("7g7f").after(first).legal_moves()[0]
    assert said == [f"info depth 2 score cp 191 nodes 30 nps 2000 time 15 pv {first} {reply}"]
    assert best == f"bestmove {first} ponder {reply}"


# --- resignation and declaration


@pytest.mark.parametrize(
    ("position", "score", "why"),
    [
        (f"sfen {MATED}", "mate 0", "checkmate"),
        (f"sfen {STUCK}", "mate 0", "no moves"),
        (f"startpos moves {'4i4h 4a4b 4h4i 4b4a ' * 3}", "cp 0", "repetition"),
    ],
)
def test_after_the_end_there_is_a_move_if_the_rules_of_moving_know_one(talk, position, score, why):
    *lines, last = talk("uct:10").ask(f"position {position}", "go byoyomi 100")
    assert lines == [f"info depth 0 score {score}", f"info string the game is over: {why}"]
    assert (last == "bestmove resign") == (why != "repetition")


@pytest.mark.parametrize(
    ("player", "why"),
    [
        ("fakes:Raiser", "the player failed: KeyError"),
        ("fakes:Rubbish", "the player chose no legal move: 'rubbish'"),
        ("fakes:Number", "the player's move is no text: 4"),
        ("fakes:Quitter", "the player resigns"),
        ("usi_talk:Claims", "the player chose no legal move: 'win'"),
    ],
)
def test_a_player_that_fails_or_gives_up_resigns(talk, player, why):
    *said, best = talk(f"python:{player}").ask("go byoyomi 50")
    assert note(said)[0].startswith(why)
    assert best == "bestmove resign"


def test_the_entering_king_is_declared_when_that_wins(talk):
    engine = ready(talk("python:uci_talk:Deep"), f"position sfen {ENTERED}")
    assert engine.ask("go byoyomi 100") == ["info string the entering king is declared", "bestmove win"]
    assert engine.move("go searchmoves 9a8a depth 1") == "9a8a"
    engine.say("setoption name EnteringKingRule value NoEnteringKing")
    assert engine.move("go byoyomi 100") != "win"
    engine.say("setoption name EnteringKingRule value CSARule24", f"position sfen {HALF}")
    assert engine.move("go byoyomi 100") != "win"
    engine.say("setoption name EnteringKingRule value CSARule27")
    assert engine.move("go byoyomi 100") == "win"


def test_a_player_may_declare_a_draw(talk):
    engine = talk("python:usi_talk:Claims", Shogi(declaration="24"))
    assert engine.move(f"position sfen {HALF}", "go byoyomi 100") == "win"


def test_the_length_of_games_is_an_option(talk):
    engine = talk("python:uci_talk:Busy")
    engine.say("setoption name Simulations value 77", "setoption name MaxMovesToDraw value 320")
    assert engine.session.board.game == Shogi(max_plies=320)
    engine.ask("go")
    assert engine.session._player.asked[-1][1] == Budget(77)
    for value, plies in ((100_000, 512), (0, 512)):
        engine.say(f"setoption name MaxMovesToDraw value {value}")
        assert engine.session.board.game == Shogi(max_plies=plies)


# --- mate problems


@pytest.mark.parametrize(
    ("position", "go", "answer"),
    [
        ("sfen 4k4/9/4P4/9/9/9/9/9/9 b G 1", "go mate infinite", "checkmate G*5b"),
        ("sfen 4k4/9/9/9/9/9/9/9/9 b P 1", "go mate 1000", "checkmate nomate"),
        ("startpos", "go mate", "checkmate nomate"),
        (f"sfen {MATED}", "go mate 1000", "checkmate nomate"),
        ("sfen 4k4/9/9/9/9/9/9/9/9 b R 1", "go mate 50", "checkmate timeout"),
    ],
)
def test_mate_problems(talk, position, go, answer):
    engine = ready(talk(), f"position {position}")
    before = len(engine.lines)
    engine.say(go)
    assert engine.until("checkmate", before) == [answer]


def test_a_mate_search_is_stopped(talk):
    engine = ready(talk(), "position sfen 4k4/9/9/9/9/9/9/9/9 b R 1")
    before = len(engine.lines)
    engine.say("go mate infinite")
    assert note(engine.say("usinewgame")) == ["usinewgame during a search is not followed; send stop first"]
    engine.say("stop")
    assert engine.until("checkmate", before)[-1] == "checkmate timeout"
    assert note(engine.say("go mate soon")) == ["go mate wants milliseconds or infinite, not 'soon'"]
    engine.say("stop")
    engine.until("checkmate", before + 2)


COMMANDS = ["usi", "isready", "setoption", "usinewgame", "position", "go", "stop", "ponderhit", "gameover"]
WORDS = [
    *COMMANDS,
    *("name", "value", "USI_Ponder", "EnteringKingRule", "CSARule24", "MaxMovesToDraw", "Depth", "true", "startpos"),
    *("sfen", "moves", "7g7f", "3c3d", "8h2b+", "P*5e", "resign", "win", "searchmoves", "btime", "wtime", "byoyomi"),
    *("binc", "depth", "nodes", "mate", "movetime", "infinite", "ponder", "-1", "0", "1", "30", "1000000000000", "☃"),
    *("\x00", "4k4/9/9/9/9/9/9/9/4K4", START.split()[0], "w", "b", "-", "2RG3p"),
]


@pytest.mark.parametrize("player", ["python:uci_talk:Deep", "python:fakes:First"])
@pytest.mark.parametrize("seed", range(3))
def test_no_words_upset_the_engine(talk, player, seed):
    rng, engine = random.Random(seed), talk(player)
    for _ in range(300):
        engine.say(" ".join(rng.choices(WORDS, k=rng.randint(0, 9))))
        if rng.random() < 0.2:
            engine.say("stop")
    engine.say("stop", "isready")
    engine.until("readyok")
    asked = len(engine.lines)
    engine.say("stop", "usinewgame", "position startpos moves 7g7f", "go byoyomi 20")
    moves = Position(Shogi()).after("7g7f").legal_moves()
    engine.until(f"bestmove {moves[0]}", asked)
