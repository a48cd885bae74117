"""Our players behind the Universal Chess Interface: what is said, and what is answered."""

import random
import re
import time

import pytest
from uci_talk import Talk, note, talks

from sakiyomi.boards import Budget, Position
from sakiyomi.boards.chess import Chess

OPTION = re.compile(r"option name [\w ]+ type (check default (true|false)|spin default \d+ min \d+ max \d+)")


@pytest.fixture
def talk():
    with talks(Talk) as make:
        yield make


def test_the_engine_introduces_itself(talk):
    lines = talk("strong one=uct:40").say("uci")
    assert lines[0].startswith("id name Sakiyomi ")
    assert lines[0].endswith(" strong one")
    assert lines[1].startswith("id author ")
    assert lines[-1] == "uciok"
    assert all(OPTION.fullmatch(line) for line in lines[2:-1])
    assert "option name Simulations type spin default 40 min 1 max 1000000000" in lines
    names = {line.split(" type ")[0].removeprefix("option name ") for line in lines[2:-1]}
    assert names == {"Ponder", "UCI_Chess960", "Move Overhead", "Simulations", "Hash", "Threads"}
    assert "option name UCI_Chess960 type check default true" in talk("random", Chess(chess960=True)).say("uci")


def test_readiness_is_told_when_all_is_compiled_and_during_a_search_at_once(talk):
    engine = talk("python:uci_talk:Thinks")
    engine.say("uci", "isready", "isready")
    engine.until("readyok")
    assert engine.say("isready") == ["readyok"]
    assert engine.lines.count("readyok") == 3
    engine.say("go infinite")
    engine.until("info depth")
    assert engine.say("isready") == ["readyok"]


SAID = [
    ("", []),
    ("   \t ", []),
    ("debug on", []),
    ("joho debug on", []),
    ("register later", []),
    ("stop", []),
    ("ponderhit", []),
    ("ucinewgame", []),
    ("\t setoption \t name   move  OVERHEAD value  7 ", []),
    ("setoption name Ponder value true", []),
    ("setoption name Depth value 9", []),
    ("setoption name Depth value 0", ["option Depth is a whole number from 1 to 99, not '0'"]),
    ("setoption name Depth value 1_0", ["option Depth is a whole number from 1 to 99, not '1_0'"]),
    ("setoption name Depth", ["option Depth is a whole number from 1 to 99, not ''"]),
    ("setoption name Ponder value maybe", ["option Ponder is true or false, not 'maybe'"]),
    (
        "setoption name Contempt value 3",
        ["there is no option 'Contempt'; there are: Ponder, UCI_Chess960, Move Overhead, Depth"],
    ),
    ("setoption Depth 3", ["it is written: setoption name NAME [value VALUE]"]),
    ("setoption name value 3", ["setoption without a name"]),
    ("setoption", ["it is written: setoption name NAME [value VALUE]"]),
    ("position", ["'' where startpos or fen is wanted: position startpos|fen FEN [moves MOVE...]"]),
    ("position e2e4", ["'e2e4' where startpos or fen is wanted: position startpos|fen FEN [moves MOVE...]"]),
]


@pytest.mark.parametrize(("line", "answers"), SAID)
def test_what_is_said_and_what_is_answered(talk, line, answers):
    assert note(talk("python:uci_talk:Deep").say(line)) == answers


def test_what_is_no_command_is_explained(talk):
    said = note(talk().say("fly me to the moon"))
    assert said[0].startswith("unknown command 'fly me to the moon'; there are: uci, debug, isready, ")


# --- limits


@pytest.mark.parametrize(
    ("player", "go", "budget"),
    [
        ("Thinks", "go depth 3", Budget(depth=3)),
        ("Thinks", "go nodes 700", Budget(700)),
        ("Thinks", "go depth 3 nodes 700 movetime 1000", Budget(700, 0.98, 3)),
        ("Thinks", "go nodes 0 depth -1", Budget(1, None, 1)),
        ("Thinks", "go mate 2", Budget(depth=3)),
        ("Thinks", "go mate 4 depth 2", Budget(depth=2)),
        ("Thinks", "go depth 2 wtime 40000 btime 1", Budget(None, 40 / 30 - 0.02, 2)),
        ("Thinks", "go depth 2 wtime 40000 winc 1000 movestogo 4 binc 9", Budget(None, 43 / 4 - 0.02, 2)),
        ("Thinks", "go depth 2 btime 40000", Budget(depth=2)),
        ("Thinks", "go depth 2 wtime -5 btime -5", Budget(None, 0.001, 2)),
        ("Deep", "go", Budget(depth=4)),
        ("Deep", "go wtime 40000 btime 1", Budget(None, 40 / 30 - 0.02, 4)),
        ("Deep", "go depth 7", Budget(depth=7)),
        ("Deep", "go nodes 700", Budget(700)),
        ("Busy", "go", Budget(500)),
        ("Busy", "go depth 3", Budget(500, None, 3)),
        ("Busy", "go mate 3", Budget(500, None, 5)),
        ("Busy", "go depth 3 movetime 50", Budget(None, 0.03, 3)),
        ("Busy", "go nodes 700", Budget(700)),
    ],
)
def test_limits_reach_the_player(talk, player, go, budget):
    engine = talk(f"python:uci_talk:{player}")
    engine.say("uci", "isready")
    engine.until("readyok")
    engine.ask(go)
    ((_, got, moves),) = engine.session._player.asked
    assert (got.simulations, got.depth, moves) == (budget.simulations, budget.depth, None)
    assert (got.seconds is None) == (budget.seconds is None)
    if budget.seconds is not None:
        assert budget.seconds - 0.015 <= got.seconds <= budget.seconds


def test_black_has_his_own_clock(talk):
    engine = talk("python:uci_talk:Deep")
    engine.say("uci", "isready", "position startpos moves e2e4")
    engine.until("readyok")
    engine.ask("go wtime 1 btime 60000 winc 0 binc 500")
    ((_, budget, _),) = engine.session._player.asked
    assert budget.seconds == pytest.approx(60 / 30 + 0.75 * 0.5 - 0.02, abs=0.015)


def test_wrong_numbers_and_unknown_words_of_go_are_explained_and_passed_over(talk):
    engine = talk("python:uci_talk:Thinks")
    said = engine.ask("go movetime soon depth 2 quickly nodes 99999999999999999999 mate")
    assert note(said[:-2]) == [
        "go movetime wants a whole number, not 'soon'",
        "go knows no 'soon'; it knows: searchmoves, ponder, infinite, wtime, btime, winc, binc, movestogo, depth, "
        "nodes, mate, movetime",
        "go knows no 'quickly'; it knows: searchmoves, ponder, infinite, wtime, btime, winc, binc, movestogo, depth, "
        "nodes, mate, movetime",
        "go nodes wants a whole number, not '99999999999999999999'",
        "go knows no '99999999999999999999'; it knows: searchmoves, ponder, infinite, wtime, btime, winc, binc, "
        "movestogo, depth, nodes, mate, movetime",
        "go mate wants a whole number, not ''",
    ]
    assert engine.session._player.asked[0][1] == Budget(depth=2)


def test_moves_to_be_searched(talk):
    engine = talk("python:uci_talk:Thinks")
    assert engine.move("go searchmoves g1f3 e2e4 depth 1") == "g1f3"
    assert engine.session._player.asked[-1][2] == ["g1f3", "e2e4"]
    *said, best = engine.ask("go depth 1 searchmoves e2e5 e2e4")
    assert "searchmoves: illegal move e2e5" in said[0]
    assert best.startswith("bestmove e2e4")
    *said, best = engine.ask("go depth 1 searchmoves 0000")
    assert note(said)[-1] == "no move of searchmoves is legal"
    assert best == "bestmove 0000"
    said = talk("python:fakes:First").ask("go searchmoves e2e4")
    assert note(said[:1]) == ["this player cannot be held to searchmoves; they are not regarded"]


# --- when the move is said


@pytest.mark.parametrize("player", ["python:uci_talk:Thinks", "python:uci_talk:Deep", "python:fakes:First"])
@pytest.mark.parametrize("go", ["go infinite", "go ponder wtime 60000 btime 60000", "go infinite depth 1"])
def test_no_move_before_stop(talk, player, go):
    engine = talk(player)
    before = len(engine.lines)
    engine.say(go)
    assert engine.silent()
    engine.say("stop")
    assert engine.until("bestmove", before)[-1].split()[1] == "a2a3"
    engine.say("stop")
    assert engine.silent(0.05)


def test_ponderhit_starts_the_clock(talk):
    engine = talk("python:uci_talk:Thinks")
    engine.say("uci", "isready", "position startpos moves e2e4 e7e5")
    engine.until("readyok")
    engine.say("go ponder wtime 9000 btime 9000")
    assert engine.silent(0.4)
    started = time.monotonic()
    engine.say("ponderhit")
    engine.until("bestmove")
    assert 0.2 < time.monotonic() - started < 3  # 9 s / 30 - 0.02 s
    ((_, budget, _),) = engine.session._player.asked
    assert budget == Budget()


def test_a_ponderhit_on_a_search_that_has_ended_brings_its_move_at_once(talk):
    for player in ("python:fakes:First", "python:uci_talk:Thinks"):
        engine = talk(player)
        engine.say("go ponder depth 1")
        assert engine.silent()
        engine.say("ponderhit")
        engine.until("bestmove a2a3", patience=5)


def test_a_player_that_cannot_be_stopped_answers_when_it_has_its_move(talk):
    engine = talk("python:uci_talk:Slow")
    engine.say("go movetime 10", "stop")
    assert engine.say("isready") == ["readyok"]
    ready, line, best = engine.until("bestmove")
    assert (ready, best) == ("readyok", "bestmove g1f3")
    assert re.fullmatch(r"info depth 1 score cp 0 nodes 1 nps \d+ time 3\d\d pv g1f3", line)


def test_a_mate_of_the_wanted_length_ends_the_search(talk):
    lines = talk("python:uci_talk:Mates").ask("go mate 2")
    assert [re.search(r"score mate (\d)", line)[1] for line in lines[:-1]] == ["3", "2"]


def test_what_cannot_be_done_during_a_search_is_refused(talk):
    engine = talk("python:uci_talk:Thinks")
    engine.say("go infinite")
    engine.until("info depth")
    for command in ("go depth 1", "ucinewgame", "setoption name Ponder value true"):
        word = command.split()[0]
        assert note(engine.say(command)) == [f"{word} during a search is not followed; send stop first"]
    assert engine.say("position startpos moves e2e4") == []
    before = len(engine.lines)
    assert engine.move("stop", "ucinewgame", "go depth 1 searchmoves e7e5") == "a2a3"  # the first search ends first
    assert engine.until("bestmove e7e5", before)
    assert engine.session._player.begun == [0, 1]


def test_lines_and_moves_expected(talk):
    *said, best = talk("python:uci_talk:Thinks").ask("position startpos moves e2e4", "go depth 1")
    assert said == ["info depth 2 score cp 191 nodes 30 nps 2000 time 15 pv a7a6 e4e5"]
    assert best == "bestmove a7a6 ponder e4e5"


# --- the end of the game, and the faults of players


@pytest.mark.parametrize(
    ("position", "said", "best"),
    [
        ("fen R5k1/5ppp/8/8/8/8/8/K7 b - -", ["info depth 0 score mate 0", "checkmate"], "0000"),
        ("fen 7k/5Q2/8/8/8/8/8/K7 b - -", ["info depth 0 score cp 0", "stalemate"], "0000"),
        ("fen 7k/8/8/8/8/8/8/K7 b - -", ["info depth 0 score cp 0", "insufficient material"], "h8"),
        (f"startpos moves {'g1f3 g8f6 f3g1 f6g8 ' * 4}", ["info depth 0 score cp 0", "repetition"], ""),
        ("fen 7k/8/8/8/8/8/8/K5R1 w - - 150 200", ["info depth 0 score cp 0", "seventyfive moves"], ""),
    ],
)
def test_after_the_end_there_is_a_move_if_the_rules_of_moving_know_one(talk, position, said, best):
    engine = talk("uct:10")
    *lines, last = engine.ask(f"position {position}", "go movetime 100")
    assert lines == [said[0], f"info string the game is over: {said[1]}"]
    move = last.removeprefix("bestmove ")
    assert move.startswith(best)
    assert (move == "0000") == (best == "0000")


@pytest.mark.parametrize(
    ("player", "why"),
    [
        ("Raiser", "the player failed: KeyError: 'no such\\nthing'"),
        ("Leaver", "the player failed: SystemExit: 3"),
        ("Mute", "the player failed: PlayerFault: no answer in 5 s"),
        ("Sulker", "the player failed: PlayerFault: the licence has run out"),
        ("Rubbish", "the player chose no legal move: 'rubbish' is no move"),
        ("Number", "the player's move is no text: 4"),
        ("Array", "the player's move is no text: array("),
        ("Quitter", "the player resigns"),
    ],
)
def test_a_player_that_fails_sends_the_null_move(talk, player, why):
    engine = talk(f"python:fakes:{player}")
    *said, best = engine.ask("go movetime 50")
    assert note(said)[0].startswith(why.encode().decode())
    assert best == "bestmove 0000"
    assert engine.say("isready")[-1:] in (["readyok"], [])


def test_settings_reach_the_player_and_outlast_a_change_of_the_game(talk):
    engine = talk("python:uci_talk:Busy")
    engine.say("setoption name simulations value 77")
    engine.ask("go")
    assert engine.session._player.asked[-1][1] == Budget(77)
    engine.say("setoption name UCI_Chess960 value true")
    engine.ask("go")
    assert engine.session._player.asked == [(Position(Chess()).text(), Budget(77), None)]


def test_a_seed_makes_games_that_can_be_repeated(talk):
    numbers = []
    for seed in (1, 1, 2):
        engine = talk("python:uci_talk:Deep", seed=seed)
        for _ in range(2):
            engine.ask("ucinewgame", "go")
            engine.ask("position startpos moves e2e4", "go")
        assert engine.session._player.begun == [0, 1]
        numbers.append(engine.session._player.numbers)
    assert numbers[0] == numbers[1]
    assert len({*numbers[0], *numbers[2]}) == 4


COMMANDS = ["uci", "isready", "setoption", "ucinewgame", "position", "go", "stop", "ponderhit", "debug", "register"]
WORDS = [
    *COMMANDS,
    *("name", "value", "Ponder", "UCI_Chess960", "Move", "Overhead", "Depth", "true", "false", "startpos", "fen"),
    *("moves", "e2e4", "e7e5", "e1g1", "g8f6", "0000", "e7e8q", "searchmoves", "wtime", "btime", "winc", "movestogo"),
    *("depth", "nodes", "mate", "movetime", "infinite", "ponder", "-1", "0", "1", "30", "1000000000000", "☃", "\x00"),
    *("8/8/8/8/8/8/8/K6k", "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R", "w", "b", "KQkq", "-"),
]


@pytest.mark.parametrize("player", ["python:uci_talk:Deep", "python:fakes:First"])
@pytest.mark.parametrize("seed", range(3))
def test_no_words_upset_the_engine(talk, player, seed):
    rng, engine = random.Random(seed), talk(player)
    for _ in range(400):
        words = rng.choices(WORDS, k=rng.randint(0, 9))
        engine.say(" ".join(words))
        if rng.random() < 0.2:
            engine.say("stop")
    engine.say("stop", "isready")
    engine.until("readyok")
    asked = len(engine.lines)
    engine.say(
        "stop",
        "setoption name UCI_Chess960 value false",
        "ucinewgame",
        "position startpos moves e2e4",
        "go movetime 20",
    )
    assert any(line.startswith("bestmove a7a6") for line in engine.until("bestmove a7a6", asked))
