"""Films of games: the first position and the changes of every move, against our boards and python-chess."""

import random
import re
import time

import chess
import numpy as np
import pytest
from pages import data_of, words

from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.pages.frames import Film, decode, film, films
from sakiyomi.arena.pages.report import render
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.position import Position
from sakiyomi.sgf.record import Record


def random_game(name, seed, plies=120):
    rng = np.random.default_rng(seed)
    position = Position(make_game(name))
    moves = []
    while position.outcome() is None and len(moves) < plies:
        legal = position.legal_moves()
        moves.append(legal[rng.integers(len(legal))])
        position.play(moves[-1])
    return Record(name, moves=tuple(moves), result="1-0", players=("a", "b"))


class TestFilms:
    @pytest.mark.parametrize(
        "name", ["go-9x9", "go-3x5", "go-25x25", "othello", "othello-6x6", "connect4", "tictactoe"]
    )
    @pytest.mark.parametrize("seed", [1, 2])
    def test_a_film_shows_every_position(self, name, seed):
        record = random_game(name, seed, 300 if name == "go-3x5" else 120)
        shown = film(record)
        position = Position(make_game(name))
        boards = decode(shown)
        assert len(boards) == len(record.moves) + 1 == len(shown.turns) + 1
        for board, move, turn in zip(boards, record.moves, shown.turns, strict=False):
            assert (board == position.board()).all()
            assert position.turn == int(turn)
            position.play(move)
        assert (boards[-1] == position.board()).all()
        assert shown.fault == ""

    def test_the_cell_that_was_played_comes_first(self):
        shown = film(Record("othello", moves=("d3", "c3")))
        for text, cell in zip(shown.changes.split(","), (8 * 2 + 3, 8 * 2 + 2), strict=True):
            assert decode(Film(shown.board, text[:3], "", "", ""))[0].ravel()[cell] != 0

    def test_captures_are_part_of_a_move(self):
        moves = ("B1", "A1", "A2")  # Black takes the corner
        boards = decode(film(Record("go-5x5", moves=moves)))
        assert boards[2][4, 0] == -1
        assert boards[3][4, 0] == 0

    def test_a_setup_is_the_first_picture(self):
        shown = film(Record("tictactoe", setup="X.O/.X./..O", moves=("a1",)))
        assert decode(shown)[0].tolist() == [[1, 0, -1], [0, 1, 0], [0, 0, -1]]

    def test_rules_of_the_record_are_followed(self):
        suicide = ("A2", "B1", "B2", "E5", "C1", "A1")  # of two stones
        chinese = film(Record("go-5x5", moves=suicide, tags={"rules": "chinese", "komi": "7.5"}))
        assert "suicide" in chinese.fault
        assert film(Record("go-5x5", moves=suicide, tags={"rules": "tromp-taylor"})).fault == ""
        assert film(Record("go-5x5", moves=suicide, tags={"rules": "house", "komi": "lots"})).fault == ""

    def test_an_illegal_record_stops_where_it_breaks(self):
        shown = film(Record("tictactoe", moves=("b2", "b2", "a1")))
        assert len(decode(shown)) == 2
        assert shown.fault.startswith("the record cannot be followed after move 1: illegal move b2")

    @pytest.mark.parametrize("record", [Record("tiddlywinks", moves=("1",)), Record("tictactoe", setup="?")])
    def test_what_cannot_be_shown_has_no_film(self, record):
        assert film(record) is None

    def test_a_move_costs_a_few_bytes(self):
        shown = film(random_game("go-9x9", 5))
        assert len(shown.changes) < 6 * len(shown.turns)

    def test_hundreds_of_games_stay_small(self):
        games = [Played(random_game("go-9x9", seed, 90), Termination.NORMAL) for seed in range(20)]
        empty, full = len(render("t", games[:1])), len(render("t", games))
        assert (full - empty) / 19 < 1000


def chess_game(seed, chess960=False, fen=None, plies=120):
    """A random game by python-chess, in which rare moves are liked: the record, all boards, and the moves in SAN."""
    rng = random.Random(seed)
    board = chess.Board(fen, chess960=chess960) if fen else chess.Board()
    if chess960 and not fen:
        board = chess.Board.from_chess960_pos(rng.randrange(960))
    setup = board.fen() if chess960 or fen else None
    boards, moves, sans = [board.copy(stack=False)], [], []
    while not board.is_game_over() and len(moves) < plies:
        legal = list(board.legal_moves)
        rare = [m for m in legal if board.is_castling(m) or board.is_en_passant(m) or m.promotion]
        move = rng.choice(rare if rare and rng.random() < 0.7 else legal)
        moves.append(board.uci(move))
        sans.append(board.san(move))
        board.push(move)
        boards.append(board.copy(stack=False))
    name = "chess960" if chess960 else "chess"
    return Record(name, moves=tuple(moves), setup=setup, result="1-0", players=("a", "b")), boards, tuple(sans)


def cells_of(board):
    """A board of python-chess as `Game.board` has it."""
    cells = np.zeros((8, 8), np.int8)
    for square, piece in board.piece_map().items():
        cells[7 - square // 8, square % 8] = piece.piece_type if piece.color else -piece.piece_type
    return cells


class TestChessFilms:
    @pytest.mark.parametrize("chess960", [False, True])
    def test_boards_moves_and_fen_parts_are_those_of_python_chess(self, chess960):
        games = [chess_game(seed, chess960) for seed in range(40)]
        shown = films(record for record, _, _ in games)
        for (record, boards, sans), made in zip(games, shown, strict=True):
            assert made.chess.sans == sans
            assert (made.fault, made.chess.setup) == ("", record.setup or "")
            assert made.turns == ("01" * len(sans))[: len(sans)]
            rights, passants, right = dict(made.chess.rights), dict(made.chess.passants), None
            for ply, (found, board) in enumerate(zip(decode(made), boards, strict=True)):
                assert (found == cells_of(board)).all(), (record, ply)
                right = rights.get(ply, right)
                assert [right, passants.get(ply, "-")] == board.fen().split()[2:4]
        played = " ".join(san for _, _, sans in games for san in sans)
        for rare in ("O-O", "O-O-O", "=Q", "=N"):
            assert rare in played

    @pytest.mark.parametrize(
        ("fen", "move", "san"),
        [
            ("6k1/8/8/8/8/8/R6R/K7 w - - 0 1", "a2d2", "Rad2"),
            ("R7/8/8/7k/8/8/8/R6K w - - 0 1", "a1a4", "R1a4"),
            ("1k6/8/8/8/4Q2Q/8/8/K6Q w - - 0 1", "h4e1", "Qh4e1"),
            ("k7/8/8/8/4r3/8/2N3N1/4K3 w - - 0 1", "c2e3", "Nce3"),
            ("4k3/8/8/8/4r3/8/2N1N3/4K3 w - - 0 1", "c2d4", "Nd4"),  # the other knight is pinned
            ("8/P1k5/8/8/8/8/8/K7 w - - 0 1", "a7a8n", "a8=N+"),
            ("1r5k/P7/8/8/8/8/8/K7 w - - 0 1", "a7b8q", "axb8=Q+"),
            ("6k1/5ppp/8/8/8/8/8/K3R3 w - - 0 1", "e1e8", "Re8#"),
            ("7k/8/8/3pP3/8/8/8/K7 w - d6 0 1", "e5d6", "exd6"),
            ("rk6/8/8/8/8/8/8/1K6 b q - 0 1", "b8a8", "O-O-O"),  # Chess960
        ],
    )
    def test_san(self, fen, move, san):
        name = "chess960" if san.startswith("O") else "chess"
        assert film(Record(name, setup=fen, moves=(move,))).chess.sans == (san,)

    @pytest.mark.parametrize(
        ("fen", "move", "rank", "changes"),
        [
            ("4k3/8/8/8/8/8/8/5KR1 w G - 0 1", "f1g1", ".....RK.", "(9--9)"),  # they change places
            ("4k3/8/8/8/8/8/8/6KR w H - 0 1", "g1h1", ".....RK.", "_9"),  # the king stays
            ("4k3/8/8/8/8/8/8/R1K5 w A - 0 1", "c1a1", "..KR....", "47"),
            ("4k3/8/8/8/8/8/8/RK6 w A - 0 1", "b1a1", "..KR....", "(5647)"),
            ("4k3/8/8/8/8/8/8/2KR4 w D - 0 1", "c1d1", ".....RK.", "(6-79)"),
        ],
    )
    def test_castling_in_chess960(self, fen, move, rank, changes):
        shown = film(Record("chess960", setup=fen, moves=(move,)))
        assert shown.changes == changes
        assert "".join("." if not piece else "PNBRQK"[piece - 1] for piece in decode(shown)[1][7]) == rank

    def test_a_letter_of_rights_that_changes_with_another_rook(self):
        setup = "4k3/8/8/8/8/8/8/1K1R2R1 w D - 0 1"
        board = chess.Board(setup, chess960=True)
        moves = ("g1g2", "e8e7", "g2g1")
        shown = film(Record("chess960", setup=setup, moves=moves))
        rights, right = dict(shown.chess.rights), None
        for ply in range(4):
            right = rights.get(ply, right)
            assert right == board.fen().split()[2], ply
            if ply < 3:
                board.push_uci(moves[ply])
        assert len(rights) == 3

    def test_a_setup_with_black_to_move_in_check(self):
        fen = "4k3/8/8/8/8/8/4R3/4K3 b - - 7 30"
        shown = film(Record("chess", setup=fen, moves=("e8d8", "e2d2")))
        assert shown.chess.check
        assert (shown.turns, shown.chess.sans, shown.chess.setup) == ("10", ("Kd8", "Rd2+"), fen)
        assert film(Record("chess", setup="no fen")) is None

    def test_moves_as_others_write_them(self):
        shown = film(Record("chess", moves=("Nf3", "g8f6", "g3", "g6", "Bg2", "Bg7", "e1h1", "0-0")))
        assert shown.fault == ""
        assert shown.chess.sans[-2:] == ("O-O", "O-O")

    @pytest.mark.parametrize("wrong", ["e2e5", "e7e5", "e2e4q", "e2e9", "--", "e2e4q " * 2, "日本"])
    def test_an_illegal_record_stops_where_it_breaks(self, wrong):
        good = chess_game(3)
        broken = Record("chess", moves=("d2d4", "d7d5", wrong, "e7e5"))
        found = films([good[0], broken, good[0], Record("tictactoe", moves=("b2",))])
        assert found[0] == found[2] == film(good[0])
        assert found[0].fault == ""
        assert found[1].chess.sans == ("d4", "d5")
        assert found[1].fault.startswith("the record cannot be followed after move 2: ")
        assert found[3].board.style == "tictactoe"

    def test_a_game_without_moves(self):
        shown = film(Record("chess"))
        assert (shown.changes, shown.turns, shown.chess.sans) == ("", "", ())
        assert (decode(shown)[0] == cells_of(chess.Board())).all()

    def test_hundreds_of_games_stay_small_and_quick(self):
        games = [Played(chess_game(seed, plies=100)[0], Termination.NORMAL) for seed in range(30)]
        render("t", games[:1])  # what is compiled is compiled now
        began = time.process_time()
        full = render("t", games)
        seconds = time.process_time() - began
        data = {name: data_of(full)["games"][0][place] for name, place in (("moves", 8), ("changes", 11))}
        assert len(data["changes"]) < 240
        assert (len(full) - len(render("t", games[:1]))) / 29 < 950
        assert seconds < 2

    def test_the_page_names_white_and_black(self):
        page = render("t", [Played(chess_game(1)[0], Termination.NORMAL)])
        assert "White moves first" in page
        assert words(page, "list")[0][1:3] == ["White", "Black"]
        both = render(
            "t",
            [
                Played(chess_game(1)[0], Termination.NORMAL),
                Played(Record("tictactoe", players=("a", "b")), Termination.NORMAL),
            ],
        )
        assert words(both, "list")[0][1:3] == ["First", "Second"]
        moves = re.search(r"<dt>Moves a game</dt><dd>(\d+)", page)[1]
        assert moves == f"{len(chess_game(1)[2] + ('',)) // 2}"
