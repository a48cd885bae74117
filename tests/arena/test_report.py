"""The report's contents: figures, films of games, escaping, self-containment, and pools with nothing to show."""

import json
import random
import re
import time
from html import unescape
from html.parser import HTMLParser

import chess
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.arena.frames import Film, decode, film, films
from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.rating import ratings
from sakiyomi.arena.report import clock, elo_text, likelihood, percent, render, signed, write_report
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.position import Position
from sakiyomi.sgf.record import Record

VOID = {"meta", "link", "input", "br", "path", "line", "circle", "hr"}
NASTY = "</script><script>alert(1)</script><b onmouseover='x'>&amp;\"\u2028"


class Page(HTMLParser):
    """Checks that elements nest, and collects attributes and the text of tables."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.tags = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "action", "data", "poster")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def played(first="a", second="b", result="1-0", game="tictactoe", moves=("b2", "a1"), **more):
    termination = more.pop("termination", Termination.NORMAL)
    detail = more.pop("detail", "")
    record = Record(
        game, moves=moves, result=result, players=(first, second), ending=more.pop("ending", "line"), **more
    )
    return Played(record, termination, detail, (0.25, 1.5))


def random_game(name, seed, plies=120):
    rng = np.random.default_rng(seed)
    position = Position(make_game(name))
    moves = []
    while position.outcome() is None and len(moves) < plies:
        legal = position.legal_moves()
        moves.append(legal[rng.integers(len(legal))])
        position.play(moves[-1])
    return Record(name, moves=tuple(moves), result="1-0", players=("a", "b"))


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


def words(page, table):
    """The rows of a table of the page as lists of cell texts."""
    inside = re.search(rf'<table id="{table}".*?</table>', page, re.S)[0]
    rows = re.findall(r"<tr.*?</tr>", inside, re.S)
    cells = [re.findall(r"<(?:td|th)\b.*?</(?:td|th)>", row, re.S) for row in rows]
    return [[" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in row] for row in cells]


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
        both = render("t", [Played(chess_game(1)[0], Termination.NORMAL), played()])
        assert words(both, "list")[0][1:3] == ["First", "Second"]
        moves = re.search(r"<dt>Moves a game</dt><dd>(\d+)", page)[1]
        assert moves == f"{len(chess_game(1)[2] + ('',)) // 2}"


class TestFigures:
    GAMES = (
        [played("strong", "weak", "1-0")] * 6
        + [played("weak", "strong", "0-1")] * 5
        + [played("weak", "strong", "1/2-1/2", ending="full board")]
        + [played("strong", "third", "1-0")] * 2
        + [played("third", "weak", "0-1", ending="", termination=Termination.CRASH, detail="third: exit code 3")]
    )

    def test_standings_are_the_ratings(self):
        page = render("Title", self.GAMES)
        rows = words(page, "standings")[1:]
        table = ratings(self.GAMES)
        assert [row[1] for row in rows] == [row.name for row in table] == ["strong", "weak", "third"]
        for cells, row in zip(rows, table, strict=True):
            assert cells[2] == elo_text(row.elo)
            assert cells[3] == f"{signed(row.high - row.elo)} {signed(row.low - row.elo)}"
            assert cells[4:7] == [f"{row.games}", f"{row.wins}–{row.draws}–{row.losses}", percent(row.score)]
        assert rows[0][4:7] == ["14", "13–1–0", "96.4 %"]
        assert rows[0][7] == likelihood(table[0].los)
        assert rows[-1][7] == "–"
        assert rows[0][8] == clock((8 * 0.25 + 6 * 1.5) / 14)

    def test_cross_table(self):
        page = render("Title", self.GAMES)
        rows = words(page, "cross")
        assert rows[0][1:] == ["strong", "weak", "third"]
        assert rows[1] == ["strong", "", "95.8 % 11–1–0", "100.0 % 2–0–0"]
        assert rows[2] == ["weak", "4.2 % 0–1–11", "", "100.0 % 1–0–0"]
        assert rows[3] == ["third", "0.0 % 0–0–2", "0.0 % 0–0–1", ""]
        assert "strong against weak: moving first 6–0–0; moving second 5–1–0" in page

    def test_endings_and_faults(self):
        page = render("Title", self.GAMES)
        assert [(row[0], row[2]) for row in words(page, "endings")[1:]] == [
            ("line", "13"),
            ("full board", "1"),
            ("crash", "1"),
        ]
        assert words(page, "faults")[1:] == [["15", "third – weak", "crash", "third: exit code 3"]]
        assert 'href="#game-15"' in page

    def test_the_first_player(self):
        page = render("Title", self.GAMES)
        assert "X moves first and scores <b>56.7 %</b>" in page
        assert "X wins 8" in page
        assert "O wins 6" in page

    def test_planned_games(self):
        assert "15 of 20" in render("Title", self.GAMES, planned=20)
        assert "<progress" in render("Title", self.GAMES, planned=20)
        assert "<progress" not in render("Title", self.GAMES, planned=15)

    def test_an_anchor_is_named(self):
        page = render("Title", self.GAMES, anchor="weak", anchor_elo=1500)
        assert "Elo with weak held fixed" in page
        assert words(page, "standings")[2][1:4] == ["weak", "1500", "anchor"]
        with pytest.raises(ValueError, match="anchor 'nobody'"):
            render("Title", self.GAMES, anchor="nobody")

    def test_data_for_the_script(self):
        data = data_of(render("Title", self.GAMES))
        assert data["players"] == ["strong", "weak", "third"]
        assert len(data["games"]) == 15
        assert data["games"][14][5] == "third: exit code 3"
        assert [board["style"] for board in data["boards"]] == ["tictactoe"]


class TestAwkwardTournaments:
    def test_no_games(self):
        page = render("Title", [], planned=10)
        Page(page)
        assert "No rated game yet" in page
        assert "0 of 10" in page

    def test_only_unrated_games(self):
        page = render("Title", [played(result="*", termination=Termination.COULD_NOT_START, detail="a: no such file")])
        Page(page)
        assert "No rated game yet" in page
        assert "no such file" in page

    def test_only_games_against_oneself(self):
        Page(render("Title", [played("a", "a")]))

    def test_pools_that_never_met(self):
        page = render("Title", [played("a", "b"), played("b", "a"), played("x", "y")])
        Page(page)
        assert "2 groups that never met" in page
        assert [row[0] for row in words(page, "standings")[1:]] == ["Group 1", "1", "2", "Group 2", "1", "2"]

    def test_a_player_who_never_started_is_named(self):
        failed = played("c", "a", "*", termination=Termination.COULD_NOT_START)
        assert "Not rated: c." in render("Title", [played(), failed])

    def test_games_that_have_no_board(self):
        page = render("Title", [played(game="tiddlywinks", moves=("flip", "flop"))])
        assert data_of(page)["games"][0][9] == -1

    @pytest.mark.parametrize(
        "where", ["title", "subtitle", "name", "detail", "ending", "result", "move", "comment", "tag"]
    )
    def test_what_users_name_is_escaped(self, where):
        at = {where: NASTY}
        game = played(
            at.get("name", "a"),
            "b",
            at.get("result", "1-0"),
            game="tictactoe" if where != "move" else "tiddlywinks",
            moves=(at.get("move", "b2"),),
            ending=at.get("ending", "line"),
            detail=at.get("detail", ""),
            termination=Termination.CRASH,
            comments={1: at.get("comment", "")},
            tags={"rules": at.get("tag", "r"), "komi": "1"},
        )
        page = render(at.get("title", "t"), [game, played()], subtitle=at.get("subtitle", ""))
        assert Page(page).tags.count("script") == 2
        assert "<script>alert" not in page
        assert "<b onmouseover" not in page
        assert json.dumps(data_of(page))

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.text(min_size=1), min_size=2, max_size=4, unique=True), st.text())
    def test_any_text_survives(self, names, title):
        page = render(title, [played(first, second) for first in names for second in names if first != second])
        Page(page)
        assert sorted(data_of(page)["players"]) == sorted(names)


class TestFile:
    def test_the_page_stands_alone(self, tmp_path):
        write_report(tmp_path / "report.html", "Title", TestFigures.GAMES)
        text = (tmp_path / "report.html").read_text(encoding="utf-8")
        page = Page(text)
        assert all(link.startswith(("#", "data:")) for link in page.links)
        addresses = set(re.findall(r"(?:https?:)?//[\w.]+\.[\w./]+", text))
        assert addresses == {"http://www.w3.org/2000/svg"}  # a namespace, which nobody fetches
        assert "@import" not in text
        assert "url(" not in text.replace("url(#", "")
        assert "default-src 'none'" in text

    def test_hundreds_of_games_stay_small(self):
        games = [Played(random_game("go-9x9", seed, 90), Termination.NORMAL) for seed in range(20)]
        empty, full = len(render("t", games[:1])), len(render("t", games))
        assert (full - empty) / 19 < 1000

    def test_nothing_half_written(self, tmp_path, monkeypatch):
        path = tmp_path / "report.html"
        path.write_text("before")

        def fail(self, text, encoding):
            self.open("w").write(text[:10])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(type(path), "write_text", fail)
        with pytest.raises(OSError, match="No space left"):
            write_report(path, "Title", [])
        assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
        assert path.read_text() == "before"

    def test_the_same_games_give_the_same_page(self):
        assert render("Title", TestFigures.GAMES) == render("Title", TestFigures.GAMES)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0854, "85 ms"),
        (0.9996, "1.0 s"),
        (3.21, "3.2 s"),
        (99.96, "1:40"),
        (245, "4:05"),
        (7384, "2:03:04"),
    ],
)
def test_times(seconds, text):
    assert clock(seconds) == text


def test_figures_as_text():
    assert [elo_text(x) for x in (12.4, -12.6, -0.2)] == ["12", "−13", "0"]
    assert [signed(x) for x in (12.4, -12.6, -0.2)] == ["+12", "−13", "0"]
    assert [likelihood(x) for x in (0.5, 0.9994, 0.9999)] == ["50.0 %", "99.9 %", "> 99.9 %"]
