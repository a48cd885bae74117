"""Our players behind the Universal Chess Interface: the command ``position``, and games that go on after a draw."""

import chess
import pytest
from uci_talk import Talk, note, talks

from sakiyomi.boards.chess import Chess

KIWIPETE = "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1"


@pytest.fixture
def talk():
    with talks(Talk) as make:
        yield make


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("position startpos", "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"),
        ("position startpos moves", "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"),
        ("position startpos moves e2e4 c7c5", "rnbqkbnr/pp1ppppp/8/2p5/4P3/8/PPPP1PPP/RNBQKBNR w KQkq - 0 2"),
        (f"position fen {KIWIPETE}", KIWIPETE),
        (
            f"position fen {KIWIPETE} moves e1g1 e8c8",
            "2kr3r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R4RK1 w - - 2 2",
        ),
        (
            f"position fen {KIWIPETE} moves e1a1 e8h8",
            "r4rk1/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/2KR3R w - - 2 2",
        ),
        ("position fen 8/4P1k1/8/8/8/8/8/K7 w - - moves e7e8N", "4N3/6k1/8/8/8/8/8/K7 b - - 0 1"),
        ("now position  fen  k7/8/8/8/8/8/8/K6R b - -", "k7/8/8/8/8/8/8/K6R b - - 0 1"),
    ],
)
def test_positions_are_set_up(talk, command, text):
    engine = talk()
    assert engine.say(command) == []
    assert engine.session.board.position.text() == text


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("position fen", "FEN"),
        ("position fen 8/8/8/8/8/8/8/K7 w - - 0 1", "Black has 0 kings"),
        ("position startpos moves e2e4 e2e4", "illegal move e2e4 in rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b"),
        ("position startpos moves e2e5", "the pawn on e2 cannot go to e5"),
        ("position startpos moves hello", "'hello' is no move"),
        ("position startpos moves 0000", "'0000' is no move"),
        ("position fen 8/8/8/8/8/8/P7/K6k w - - moves a2a3 moves", "'moves' is no move"),
        ("position fen rk6/8/8/8/8/8/8/RK6 w A - 0 1", "or Chess960"),
        ("position startpos e2e4", "'e2e4' where the word moves is wanted: position startpos|fen FEN [moves MOVE...]"),
        (f"position fen {KIWIPETE} e1g1", "FEN has six fields"),
        ("position fen 8/8/8/4k3/8/4K3/8/8 w - - 0 1 moves e3d3 e5e4", "Black's king would be in check"),
        ("position fen 7k/5KQ1/8/8/8/8/8/8 b - - 0 1 moves h8h7", "the game has ended (checkmate)"),
    ],
)
def test_what_is_no_position_is_explained_and_leaves_none(talk, command, why):
    engine = talk()
    assert why in note(engine.say(command))[0]
    *said, best = engine.ask("go movetime 10")
    assert note(said) == ["there is no position to think about"]
    assert best == "bestmove 0000"
    assert engine.say("position startpos moves e2e4") == []
    assert engine.move("go movetime 10") == "a7a6"


def test_the_history_is_kept_from_command_to_command(talk):
    engine, played = talk(), []
    for number, move in enumerate(["g1f3", "g8f6", "f3g1", "f6g8"] * 4, 1):
        played.append(move)
        engine.say(f"position startpos moves {' '.join(played)}")
        board = engine.session.board.position
        assert len(board.actions) == number
    assert board.outcome() is not None, "the fifth occurrence"
    engine.say("position startpos moves e2e4")
    assert len(engine.session.board.position.actions) == 1
    engine.say("position startpos moves d2d4 d7d5")
    assert engine.session.board.position.text().startswith("rnbqkbnr/ppp1pppp/8/3p4/3P4/")


def test_chess960_takes_castling_in_both_notations_and_writes_the_king_onto_his_rook(talk):
    start = "rkr5/ppp5/8/8/8/8/PPP5/RKR5 w ACac - 0 1"
    engine = talk("python:uci_talk:Thinks")
    engine.say("setoption name UCI_Chess960 value true")
    for castled in ("b1g1", "b1c1"):
        assert engine.say(f"position fen {start} moves {castled}") == []
        assert engine.session.board.position.text().startswith("rkr5/ppp5/8/8/8/8/PPP5/R4RK1 b")
    engine.say(f"position fen {start}")
    assert engine.move("go depth 1 searchmoves b1g1") == "b1c1"
    engine.say("setoption name UCI_Chess960 value false", f"position fen {KIWIPETE}")
    assert engine.move("go depth 1 searchmoves e1h1") == "e1g1"


def test_a_position_that_stands_is_kept_when_the_option_changes(talk):
    engine = talk()
    engine.say(f"position fen {KIWIPETE} moves e1g1", "setoption name UCI_Chess960 value true")
    assert engine.session.board.game == Chess(chess960=True)
    assert engine.session.board.position.text().endswith("R4RK1 b kq - 1 1")
    engine.say("position fen 1k6/8/8/8/8/8/8/RK6 w A - 0 1")
    assert "or Chess960" in note(engine.say("setoption name UCI_Chess960 value false"))[0]
    assert engine.session.board.position is None


@pytest.mark.parametrize(
    ("position", "text"),
    [
        ("fen 8/8/8/4k3/8/4K3/8/8 w - - 0 1 moves e3d3", "8/8/8/4k3/8/3K4/8/8 b - - 1 1"),
        ("fen 8/8/8/4k3/8/4K3/8/8 w - - 0 1 moves e3d3 e5f5 d3e3", "8/8/8/5k2/8/4K3/8/8 b - - 3 2"),
        ("fen 7k/8/6K1/8/8/8/8/R7 b - - 149 100 moves h8g8 a1a2", "6k1/8/6K1/8/8/8/R7/8 b - - 151 101"),
        (
            f"startpos moves {'g1f3 g8f6 f3g1 f6g8 ' * 4} e2e4",
            "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0",
        ),
    ],
)
def test_a_controller_may_go_on_after_a_draw_by_rule(talk, position, text):
    engine = talk("alphabeta:1")
    setup, _, moves = position.partition(" moves ")
    played = moves.split()
    for count in (*range(1, len(played)), len(played)):  # told move by move, and at once
        assert engine.say(f"position {setup} moves {' '.join(played[:count])}") == []
    other = talk("alphabeta:1")
    other.say(f"position {position}")
    for each in (engine, other):
        assert each.session.board.position.text().startswith(text)
        assert (
            chess.Move.from_uci(each.move("go depth 1")) in chess.Board(each.session.board.position.text()).legal_moves
        )
