"""Games of shogi in a real browser: what is drawn, marked, written and copied, at every move against cshogi."""

import time

import chromium
import cshogi
import pytest
from cshogi import KIF
from shogi_games import cells_of, random_game, record_of, western

from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.pages.report import write_report
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi
from sakiyomi.sgf import load
from sakiyomi.sgf.record import Record

pytestmark = pytest.mark.browser
browser, nothing_goes_wrong = chromium.browser, chromium.nothing_goes_wrong

MATSURI = "l6nl/5+P1gk/2np1S3/p1p4Pp/3P2Sp1/1PPb2P1P/P5GS1/R8/LN4bKL w RGgsn5p 120"
LANCE = "lnsgkgsn1/1r5b1/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL w - 1"
STARTS = [None, MATSURI, LANCE]
FACES = " 歩香桂銀金角飛玉と杏圭全 馬龍"
GAMES = [random_game(seed, start, 50, 0.7) for seed, start in zip((11, 2, 4), STARTS, strict=True)]
REPETITION = ("2h3h", "8b7b", "3h2h", "7b8b") * 3
MORE = [
    record_of(REPETITION, result="1/2-1/2", ending="repetition"),
    record_of(
        ["7g7f", "3c3d"], result="0-1", ending="resignation", comments={0: "a start", 1: "a remark\nin two lines"}
    ),
    record_of(["7g7f", "3c3d", "8h9z", "8c8d"], result="0-1", ending="illegal move"),
    record_of([], "4k4/9/9/9/9/9/4+r4/9/4K4 b R2B4G4S4N4L18P 1", result="1-0", ending="declaration"),
    record_of(["7g7f"], result="1-0", ending="perpetual check"),
    record_of(["7g7f"], result="0-1", ending="time forfeit"),  # of the player who is not to move
    record_of(["7g7f"], result="1/2-1/2", ending="move limit"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    records = [record_of(moves, start) for (moves, _), start in zip(GAMES, STARTS, strict=True)]
    path = tmp_path_factory.mktemp("shogi") / "report.html"
    write_report(path, "Shogi", [Played(record, Termination.NORMAL, "", (1.5, 61)) for record in [*records, *MORE]])
    return path.as_uri()


SEEN = """(() => {
  const ground = document.querySelector('#board .ground').getBoundingClientRect();
  const found = [...state.drawing.pieces.children].map(piece => {
    const man = piece.querySelector('[data-character]'), box = man.getBoundingClientRect();
    const count = piece.querySelector('text');
    return [man.dataset.character, man.getAttribute('transform') ? 1 : 0,
      (box.x + box.width / 2 - ground.x) / ground.width * 9, (box.y + box.height / 2 - ground.y) / ground.height * 9,
      count ? Number(count.textContent) : 1];
  });
  return found;
})()"""


def drawn(browser, flipped=False):
    """The 95 cells as they are seen on the screen, by where pieces lie and which way they point."""
    cells = [0] * 95
    for character, turned, x, y, count in browser.js(SEEN):
        white = turned != flipped
        kind = FACES.index(character.replace("王", "玉"))
        assert character != ("玉" if white else "王")
        if 0 < x < 9 and 0 < y < 9:
            assert max(abs(x % 1 - 0.5), abs(y % 1 - 0.5)) < 0.1
            cell = 9 * int(y) + int(x)
            cell = 80 - cell if flipped else cell
            cells[cell] = -kind if white else kind
        else:
            assert (x < 0 or y < 0) == turned  # each hand lies on its side
            cells[80 + 7 * white + kind] = count
    return cells


def marked(browser, name):
    """The squares that carry a mark, as cshogi numbers them."""
    places = browser.js(
        f"[...document.querySelectorAll('#board .{name}')].map(r => [r.x.baseVal.value, r.y.baseVal.value / 1.08])"
    )
    return {9 * (8 - round(x)) + round(y) for x, y in places}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_game_step_by_step_and_back(browser, address, number):
    moves, boards = GAMES[number - 1]
    browser.open(f"{address}#game-{number}-ply-0")
    notate(browser, "western")
    for ply, board in enumerate(boards):
        if ply:
            browser.press("ArrowRight")
            text = western(boards[ply - 1], moves[ply - 1])
            assert browser.text("#moves [aria-current]").split() == [f"{ply}", text]
            sides = ("White", "Black") if boards[0].turn == ply % 2 else ("Black", "White")
            assert browser.text("#status").startswith(f"Move {ply} of {len(moves)}: {sides[0]} {text}")
            move = boards[ply - 1].move_from_usi(moves[ply - 1])
            assert marked(browser, "last-to") == {cshogi.move_to(move)}
            assert marked(browser, "last-from") == (set() if "*" in moves[ply - 1] else {cshogi.move_from(move)})
        assert drawn(browser) == cells_of(board).tolist(), ply
        assert browser.js("position.value") == board.sfen(), ply
        assert marked(browser, "check") == ({board.king_square(board.turn)} if board.is_check() else set())
    for board in reversed(boards[:-1]):
        browser.press("ArrowLeft")
        assert drawn(browser) == cells_of(board).tolist()
    assert browser.js("state.ply") == 0


def test_the_games_are_rich():
    played = " ".join(move for moves, _ in GAMES for move in moves)
    assert played.count("*") > 20
    assert played.count("+") > 5
    assert any(board.is_check() for _, boards in GAMES for board in boards)


def test_the_board_turns(browser, address):
    browser.open(f"{address}#game-2-ply-40")
    board = GAMES[1][1][40]
    letters = "[...state.drawing.names.querySelectorAll('text')].map(t => t.textContent).join('')"
    notate(browser, "western")
    assert browser.js(letters) == "987654321abcdefghi"
    for act in (lambda: browser.press("f"), lambda: browser.click("#flip")):
        act()
        assert browser.js(letters) == "123456789ihgfedcba"
        assert drawn(browser, True) == cells_of(board).tolist()
        browser.press("ArrowRight")
        assert drawn(browser, True) == cells_of(GAMES[1][1][41]).tolist()
        browser.click("#game-after")
        assert browser.js("state.drawing.flipped")
        browser.click("#game-before")
        browser.js("show(40)")
        browser.press("f")
        assert drawn(browser) == cells_of(board).tolist()


def notate(browser, notation):
    browser.js(f"notation.value = {notation!r}; notation.dispatchEvent(new Event('change')); 0")


TEXTS = "[...moves.querySelectorAll('button')].map(b => b.lastChild.textContent.trim())"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_moves_in_japanese(browser, address, number):
    browser.open(f"{address}#game-{number}-ply-20")
    (moves, boards), game, expected = GAMES[number - 1], Shogi(), []
    position = Position(game, STARTS[number - 1])
    for move in moves:
        expected.append(game.ki2_text(position.state, position.action(move)))
        position.play(move)
    assert browser.js(TEXTS) == expected
    assert f" {expected[19]}" in browser.text("#status")
    assert browser.js("[...document.querySelectorAll('[data-numeral]')].map(p => p.dataset.numeral).join('')") == (
        "一二三四五六七八九"
    )
    assert drawn(browser) == cells_of(boards[20]).tolist()


def test_japanese_needs_no_font(browser, address):
    browser.open(f"{address}#game-2-ply-20")
    text = browser.text("#moves [aria-current] .drawn")
    signs = browser.js("[...document.querySelector('#moves [aria-current] .drawn svg').children].map(c => c.outerHTML)")
    assert len(signs) == len(text.replace("　", ""))
    for sign, character in zip(signs, text.replace("　", ""), strict=True):
        assert f"#glyph-{ord(character)}" in sign
    boxes = browser.js("[...document.querySelectorAll('#moves .drawn use')].map(u => u.getBoundingClientRect().height)")
    assert min(boxes) > 0.5
    assert max(boxes) < 20
    wide = browser.js("[...moves.querySelectorAll('.drawn svg')].map(s => s.getBoundingClientRect().height)")
    assert min(wide) > 15
    assert browser.js("getComputedStyle(document.querySelector('#moves .drawn span')).fontSize") == "0px"


def test_moves_in_western_and_usi(browser, address):
    browser.open(f"{address}#game-2-ply-20")
    moves, boards = GAMES[1]
    notate(browser, "western")
    assert browser.js(TEXTS) == [western(board, move) for board, move in zip(boards[:-1], moves, strict=True)]
    notate(browser, "usi")
    assert browser.js(TEXTS) == list(moves)
    assert moves[19] in browser.text("#status")
    assert browser.count("#moves .drawn") == browser.count("[data-numeral]") == 0
    browser.click("#game-after")
    assert browser.text("#moves [aria-current]").split()[1] == GAMES[2][0][-1]  # the notation stays from game to game


def test_moves_stand_in_two_columns(browser, address):
    browser.open(f"{address}#game-3")
    assert browser.js("moves.innerText").split()[::2][:3] == ["1", "2", "3"]
    first, second, third = browser.js(
        "[...moves.querySelectorAll('button')].slice(0, 3).map(b => b.getBoundingClientRect().x)"
    )
    assert first == third > second  # White begins in a handicap game


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 9, 10])
def test_kif_is_read_back(browser, address, tmp_path, number):
    browser.open(f"{address}#game-{number}")
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    browser.js("navigator.clipboard.writeText = async text => { window.copied = text; }")
    browser.click("#copy-record")
    assert browser.becomes("Boolean(window.copied)", True)
    browser.click("#save-record")
    file = tmp_path / f"game-{number}.kifu"
    deadline = time.monotonic() + 10
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    text = file.read_text(encoding="utf-8")
    assert text == browser.js("window.copied")
    moves = GAMES[number - 1][0] if number < 4 else MORE[number - 4].moves
    start = STARTS[number - 1] if number < 4 else None
    if start != MATSURI:  # cshogi reads no diagrams
        parsed = KIF.Parser.parse_str(text)
        assert [cshogi.move_to_usi(move) for move in parsed.moves] == list(moves)
        assert parsed.sfen == (start or cshogi.STARTING_SFEN)
        assert parsed.names == ["sente", "gote"]
    (record,) = load(file)
    assert (record.moves, record.players) == (moves, ("sente", "gote"))
    assert (record.setup or "").split()[:3] == (start or "").split()[:3]
    if number > 3:
        assert (record.result, record.ending) == (MORE[number - 4].result, MORE[number - 4].ending)
    if number == 5:
        assert "*a remark\n*in two lines\n" in text
        assert text.endswith("   3 投了\nまで2手で後手の勝ち\n")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (4, "1/2-1/2 · drawn by repetition (sennichite)"),
        (5, "0-1 · White won by resignation"),
        (6, "0-1 · White won by an illegal move of the other side"),
        (7, "1-0 · Black won by declaring the entering king"),
        (8, "1-0 · Black won as the other side repeated the position by perpetual check"),
        (9, "0-1 · White won on time"),
        (10, "1/2-1/2 · drawn at the limit of moves"),
    ],
)
def test_endings_are_named(browser, address, number, words):
    browser.open(f"{address}#game-{number}")
    assert browser.text("#outcome") == words


def test_mate_and_check_are_said(browser, tmp_path):
    record = record_of(["G*5b"], "4k4/9/4P4/9/9/9/9/9/4K4 b G 1", ending="checkmate")
    path = tmp_path / "mate.html"
    write_report(path, "Mate", [Played(record, Termination.NORMAL)])
    browser.open(path.as_uri())
    assert browser.text("#status").endswith(", mate")
    assert browser.text("#outcome") == "1-0 · Black won by checkmate"


def test_what_is_not_legal_is_listed_as_it_was_told(browser, address):
    browser.open(f"{address}#game-6")
    assert browser.text("#status") == "Move 2 of 2: White △３四歩"
    assert browser.js("moves.innerText").split() == ["1", "▲７六歩", "2", "△３四歩", "3", "8h9z", "4", "8c8d"]
    assert "cannot be followed after move 2" in browser.text("#comment")
    assert browser.text("#list tbody tr:nth-child(6) td:nth-child(5)") == "4"
    browser.open(f"{address}#game-7")
    assert browser.text("#status") == "Start, 0 moves"
    assert drawn(browser)[81:88] == [18, 4, 4, 4, 4, 2, 1]


def test_pieces_glide_and_drops_come_from_the_hand(browser, address):
    moves, _ = GAMES[1]
    drop = next(ply for ply, move in enumerate(moves, 1) if "*" in move)
    plain = next(ply for ply, move in enumerate(moves, 1) if ply > 2 and "*" not in move)
    for ply in (drop, plain):
        browser.open(f"{address}#game-2-ply-{ply - 1}", motion=True)
        moving = "document.getAnimations().map(a => a.effect.getKeyframes()[0].transform).join(';')"
        begin = browser.js(f"show({ply}), {moving}")
        assert begin.count("translate") == 1
        x, y = (float(number.rstrip("px")) for number in begin[begin.index("(") + 1 : -1].split(","))
        assert (0 < x < 9 and 0 < y < 9 * 1.08) == (ply == plain)
        assert browser.js(f"document.getAnimations().forEach(a => a.finish()), show(0), show(5), {moving}") == ""


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 700, 1000, 1280, 1800])
def test_it_fits_every_width(browser, address, width, dark):
    browser.open(f"{address}#game-2-ply-30", width, 780, dark)
    assert browser.js("document.documentElement.scrollWidth") == width
    assert drawn(browser) == cells_of(GAMES[1][1][30]).tolist()
    square = browser.js("document.querySelector('#board .ground').getBoundingClientRect().width / 9")
    assert square > (31 if width < 600 else 40)
    box = browser.js("(b => [b.width, b.height])(document.querySelector('#board svg').getBoundingClientRect())")
    assert box[1] < 0.87 * 780
    assert browser.js("state.drawing.folded") == (width in (360, 1000))
    out = browser.js(
        "(box => [...document.querySelectorAll('#board svg g')].filter(g => { const b = g.getBoundingClientRect();"
        " return b.width && (b.left < box.left - 1 || b.right > box.right + 1 || b.top < box.top - 1"
        " || b.bottom > box.bottom + 1); }).length)(document.querySelector('#board svg').getBoundingClientRect())"
    )
    assert out == 0


@pytest.mark.parametrize("width", [360, 1280])
def test_counts_stand_beside_their_pieces(browser, address, width):
    browser.open(f"{address}#game-7", width)
    counts = browser.js(
        "(root => [...document.querySelectorAll('#board .count')].map(c => { const a = c.getBoundingClientRect(),"
        " b = c.parentNode.querySelector('[data-character]').getBoundingClientRect();"
        " return [a.left - b.right, root.right - a.right]; }))"
        "(document.querySelector('#board svg').getBoundingClientRect())"
    )
    assert len(counts) == 6
    assert min(map(min, counts)) > -1  # px


def test_the_window_changes_its_width(browser, address):
    browser.open(f"{address}#game-2-ply-30", 1280, 800)
    browser.call("Emulation.setDeviceMetricsOverride", width=420, height=800, deviceScaleFactor=1, mobile=False)
    assert browser.becomes("state.drawing.folded", True)
    assert drawn(browser) == cells_of(GAMES[1][1][30]).tolist()
    browser.call("Emulation.setDeviceMetricsOverride", width=1280, height=800, deviceScaleFactor=1, mobile=False)
    assert browser.becomes("state.drawing.folded", False)
    assert drawn(browser) == cells_of(GAMES[1][1][30]).tolist()


def test_chess_and_go_beside_shogi(browser, tmp_path):
    records = [
        record_of(GAMES[0][0]),
        Record("chess", moves=("e2e4", "e7e5"), players=("a", "b")),
        Record("go-5x5", moves=("B1", "A1", "A2"), players=("a", "b")),
        record_of([], MATSURI),
    ]
    path = tmp_path / "mixed.html"
    write_report(path, "Mixed", [Played(record, Termination.NORMAL) for record in records])
    browser.open(f"{path.as_uri()}#game-1")
    names = "[...document.querySelectorAll('#tools button, #position-name')].map(e => e.innerText).join()"
    notate(browser, "usi")
    assert browser.js(names) == "SFEN,Copy SFEN,Flip board,Copy KIF,Save KIF"
    assert browser.js("notations.checkVisibility()")
    browser.click("#game-after")
    assert browser.js(names) == "FEN,Copy FEN,Flip board,Copy PGN,Save PGN"
    assert not browser.js("notations.checkVisibility()")
    assert browser.js("moves.innerText").split() == ["1.", "e4", "e5"]
    browser.click("#game-after")
    assert not browser.js("document.querySelector('#tools').checkVisibility()")
    assert not browser.js("document.querySelector('.keys .flips').checkVisibility()")
    browser.click("#game-after")
    assert drawn(browser) == cells_of(cshogi.Board(MATSURI)).tolist()
    assert browser.js("document.getElementById('notation').value") == "usi"
