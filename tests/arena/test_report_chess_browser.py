"""Games of chess in a real browser: what is drawn, marked, written and copied, at every move against python-chess."""

import io
import random
import re
import time

import chess
import chess.pgn
import chromium
import pytest

from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.pages.report import write_report
from sakiyomi.sgf.record import Record

pytestmark = pytest.mark.browser
browser, nothing_goes_wrong = chromium.browser, chromium.nothing_goes_wrong
NASTY = "<script>document.title='broken'</script>"
GO = Record("go-5x5", moves=("B1", "A1", "A2"), players=("a", "b"))


def chess_record(sans="", fen=None, chess960=False, **more):
    """A game given by its moves in SAN, and python-chess's board before it."""
    board = chess.Board(fen, chess960=chess960) if fen else chess.Board()
    start, moves = board.copy(), []
    for san in sans.split():
        move = board.parse_san(san)
        moves.append(board.uci(move))
        board.push(move)
    name = "chess960" if chess960 else "chess"
    return Record(name, moves=tuple(moves), setup=fen, **{"players": ("white", "black"), **more}), start


def random_chess960(seed):
    """The moves of a random game in which both sides castle."""
    rng = random.Random(seed)
    while True:
        number, castled, sans = rng.randrange(960), 0, []
        board = chess.Board.from_chess960_pos(number)
        while len(sans) < 60 and not board.is_game_over():
            castling = [move for move in board.legal_moves if board.is_castling(move)]
            castled += bool(castling)
            move = rng.choice(castling or list(board.legal_moves))
            sans.append(board.san(move))
            board.push(move)
        if castled == 2:
            return " ".join(sans), chess.Board.from_chess960_pos(number).fen()


EVERYTHING = "e4 d5 e5 f5 exf6 Qd6 fxg7 Bd7 gxh8=N Nc6 Nf3 O-O-O Be2 Ne5 O-O Nxf3+ Kh1 Qxh2#"
"""En passant, a promotion to less that takes, castling on both sides, check and mate."""
BLACK_FIRST = "4k3/P7/8/8/8/8/4R3/4K3 b - - 7 30"
CHESS = [
    chess_record(EVERYTHING, result="0-1", ending="checkmate", comments={0: "a start", 4: "[%eval 0.35,12] {taken}"}),
    chess_record(*random_chess960(4), chess960=True, result="1/2-1/2", ending="repetition"),
    chess_record(
        "Kd7 a8=Q Kc7", BLACK_FIRST, players=(NASTY, 'a "quoted" \\ name'), result="1-0", ending="resignation"
    ),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("chess") / "report.html"
    write_report(path, "Chess", [Played(record, Termination.NORMAL, "", (1.5, 61)) for record, _ in CHESS])
    return path.as_uri()


def men(browser):
    """The board on the screen as {square: piece}, by where the pieces are seen, and how far they are off the middle."""
    found = browser.js(
        "(root => { const box = root.querySelector('.ground').getBoundingClientRect(), unit = box.width / 8;"
        " const middle = (at, size, start) => (at + size / 2 - start) / unit;"
        " return [...state.drawing.pieces.children].map(g => { const b = g.getBoundingClientRect();"
        " return [Number(g.dataset.piece), middle(b.x, b.width, box.x), middle(b.y, b.height, box.y)]; });"
        " })(document.querySelector('#board svg'))"
    )
    seen = {}
    for piece, x, y in found:
        assert max(abs(x % 1 - 0.5), abs(y % 1 - 0.5)) < 0.12
        seen[chess.square(int(x), 7 - int(y))] = piece
    assert len(seen) == len(found)
    return seen


def expected_men(board):
    return {square: piece.piece_type * (1 if piece.color else -1) for square, piece in board.piece_map().items()}


def marked(browser, name):
    """The squares that carry a mark."""
    places = browser.js(
        f"[...document.querySelectorAll('#board .{name}')].map(r => [r.x.baseVal.value, r.y.baseVal.value])"
    )
    return {chess.square(int(x), 7 - int(y)) for x, y in places}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_chess_game_step_by_step(browser, address, number):
    record, board = CHESS[number - 1]
    browser.open(f"{address}#game-{number}-ply-0")
    for ply in range(len(record.moves) + 1):
        if ply:
            move = board.parse_uci(record.moves[ply - 1])
            san = board.san(move)
            castles = board.is_castling(move)
            board.push(move)
            browser.press("ArrowRight")
            assert browser.text("#moves [aria-current]").split()[-1] == san
            assert san in browser.text("#status")
            if not castles:
                assert (marked(browser, "last-from"), marked(browser, "last-to")) == (
                    {move.from_square},
                    {move.to_square},
                )
            else:
                assert len(marked(browser, "last-to")) == 1
        assert men(browser) == expected_men(board), ply
        assert browser.js("position.value") == board.fen(), ply
        assert marked(browser, "check") == ({board.king(board.turn)} if board.is_check() else set())
    while board.move_stack:
        board.pop()
        browser.press("ArrowLeft")
        assert men(browser) == expected_men(board)
    browser.press("End")
    assert browser.js("state.ply") == len(record.moves)


def test_a_mate_says_so(browser, address):
    browser.open(address)
    assert browser.text("#outcome") == "0-1 · checkmate"
    assert browser.text("#status") == "9... Qxh2# (Black, mate)"
    assert browser.text("#seats .winner") == "black"
    assert browser.text("#list tbody tr td:nth-child(5)") == "9"
    assert browser.js("document.querySelector('#seats li svg [data-piece]').dataset.piece") == "6"


def test_captures_and_material(browser, address):
    browser.open(f"{address}#game-1-ply-18")
    taken = (
        "[...document.querySelectorAll('#seats .taken')].map(row =>"
        " [...row.querySelectorAll('[data-piece]')].map(g => Number(g.dataset.piece)))"
    )
    assert browser.js(taken) == [[-1, -1, -4], [1, 2]]
    assert browser.text("#seats li:first-child .taken") == "+5"
    assert browser.text("#seats li:last-child .taken") == ""
    assert browser.js("document.querySelector('#seats .taken').title") == "has taken pawn, pawn, rook"
    browser.press("Home")
    assert browser.js(taken) == [[], []]


def test_the_board_turns(browser, address):
    browser.open(f"{address}#game-1-ply-16")
    board = CHESS[0][1].copy()
    for move in CHESS[0][0].moves[:16]:
        board.push_uci(move)
    upright = men(browser)
    for act in (lambda: browser.press("f"), lambda: browser.click("#flip")):
        act()
        assert men(browser) == {63 - square: piece for square, piece in upright.items()}
        assert marked(browser, "check") == {63 - board.king(chess.WHITE)}
        assert (
            browser.js("[...document.querySelectorAll('#board svg text')].map(t => t.textContent).join('')")
            == "hgfedcba12345678"
        )
        browser.click("#game-after")
        assert browser.js("state.drawing.flipped")
        browser.click("#game-before")
        browser.press("f")
        browser.js("show(16)")
        assert men(browser) == upright == expected_men(board)
        assert browser.js("flip.getAttribute('aria-pressed')") == "false"


def test_moves_are_numbered_in_pairs(browser, address):
    browser.open(f"{address}#game-1")
    assert browser.js("moves.innerText").split()[:7] == ["1.", "e4", "d5", "2.", "e5", "f5", "3."]
    columns = "[...moves.querySelectorAll('button')].slice(0, 4).map(b => b.getBoundingClientRect().x)"
    white, black, *again = browser.js(columns)
    assert white < black
    assert again == [white, black]
    browser.open(f"{address}#game-3")
    assert browser.js("moves.innerText").split() == ["30...", "Kd7", "31.", "a8=Q", "Kc7"]
    columns = browser.js(columns)
    assert columns[0] == columns[2] == black
    browser.click("#moves li:nth-child(2) button")
    assert browser.js("position.value") == "Q7/3k4/8/8/8/8/4R3/4K3 b - - 0 31"


def test_pieces_glide_from_square_to_square(browser, address):
    browser.open(f"{address}#game-1-ply-14", motion=True)
    moving = "document.getAnimations().map(a => a.effect.target.dataset.piece).sort().join()"
    assert browser.js(f"show(15), {moving}") == "4,6"  # castling
    assert browser.js(f"document.getAnimations().forEach(a => a.finish()), show(4), {moving}") == ""  # a jump
    assert browser.js(f"show(5), {moving}") == "1"  # en passant
    assert browser.js("document.getAnimations().forEach(a => a.finish())") is None
    assert len(men(browser)) == 31


@pytest.mark.parametrize("number", [1, 2, 3])
def test_pgn_and_fen_are_to_be_had(browser, address, tmp_path, number):
    record, start = CHESS[number - 1]
    browser.open(f"{address}#game-{number}")
    browser.js("navigator.clipboard.writeText = async text => { window.copied = text; }")
    browser.click("#copy-position")
    assert browser.becomes("window.copied", browser.js("position.value"))
    assert browser.becomes("document.getElementById('copy-position').textContent", "Copied")
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    browser.click("#save-record")
    browser.click("#copy-record")
    assert browser.becomes("window.copied.startsWith('[Event')", True)
    text = browser.js("window.copied")
    file = tmp_path / f"game-{number}.pgn"
    deadline = time.monotonic() + 10
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert file.read_text() == text
    game = chess.pgn.read_game(io.StringIO(text))
    assert game.errors == []
    assert game.board() == start
    board = game.board()
    assert board.chess960 == start.chess960
    moves = []
    for move in game.mainline_moves():
        moves.append(board.uci(move))
        board.push(move)
    assert tuple(moves) == record.moves
    headers = game.headers
    # python-chess leaves the escapes of the PGN standard (8.1.1.5) as they are
    assert tuple(re.sub(r"\\(.)", r"\1", headers[side]) for side in ("White", "Black")) == record.players
    assert (headers["Event"], headers["Result"], headers["Termination"]) == ("Chess", record.result, record.ending)
    if number == 1:
        assert game.comment == "a start"
        assert game[0][0][0][0].comment == "[%eval 0.35,12] taken"
    assert max(map(len, text.partition("\n\n")[2].splitlines())) < 81


def test_copying_where_the_clipboard_is_closed(browser, address):
    browser.open(address)
    browser.js(
        "navigator.clipboard.writeText = async () => { throw new Error('closed'); };"
        "document.execCommand = (command) => { window.copied = [command, document.activeElement.value]; }; 0"
    )
    browser.click("#copy-position")
    assert browser.becomes("Boolean(window.copied)", True)
    assert browser.js("window.copied") == ["copy", browser.js("position.value")]
    assert browser.count("textarea") == 0


def test_what_is_said_of_a_move(browser, address):
    browser.open(f"{address}#game-1-ply-4")
    assert browser.text("#comment") == "evaluation 0.35, depth 12; {taken}"


def test_games_of_all_kinds_in_one_page(browser, tmp_path):
    broken = Record("chess", moves=("e2e4", "e7e5", "e4e5", "a7a6"), players=("a", "b"))
    records = [CHESS[0][0], GO, broken, Record("chess", players=("a", "b")), Record("chess", setup="?")]
    path = tmp_path / "mixed.html"
    write_report(path, "Mixed", [Played(record, Termination.NORMAL) for record in records])
    browser.open(f"{path.as_uri()}#game-1")
    assert browser.text("#list thead th:nth-child(2)") == "First"
    assert len(men(browser)) == 27
    browser.press("f")
    browser.click("#game-after")
    assert browser.js("[...state.drawing.shown].filter(Boolean).length") == 2
    assert not browser.js("tools.checkVisibility()")
    browser.click("#game-after")
    assert browser.js("tools.checkVisibility()")
    assert browser.js("state.drawing.flipped")
    assert browser.text("#status") == "1... e5 (Black)"
    assert "cannot be followed after move 2: illegal move e4e5" in browser.text("#comment")
    assert browser.count("#moves li") == 4
    browser.click("#game-after")
    assert browser.text("#status") == "Start, 0 moves"
    assert browser.js("position.value") == chess.STARTING_FEN
    assert browser.js("recordText()").endswith("\n\n*\n")
    browser.click("#game-after")
    assert "no board" in browser.text("#board")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1280])
def test_chess_fits_every_width(browser, address, width, dark):
    browser.open(f"{address}#game-2-ply-30", width, 780, dark)
    assert browser.js("document.documentElement.scrollWidth") == width
    assert browser.js("document.querySelector('#board svg').getBoundingClientRect().width") >= min(width - 60, 640)
