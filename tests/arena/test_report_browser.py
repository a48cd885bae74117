"""The report in a real browser: replay by mouse and keys, deep links, lists, phone width, themes."""

import chromium
import numpy as np
import pytest

from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.pages.frames import decode, film
from sakiyomi.arena.pages.report import write_report
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.position import Position
from sakiyomi.sgf.record import Record

pytestmark = pytest.mark.browser
browser, nothing_goes_wrong = chromium.browser, chromium.nothing_goes_wrong
NASTY = "<script>document.title='broken'</script>"


def random_game(name, players, seed, plies=70):
    """A game of random moves whose result goes by the seed."""
    rng, position, moves = np.random.default_rng(seed), Position(make_game(name)), []
    while position.outcome() is None and len(moves) < plies:
        legal = position.legal_moves()
        moves.append(legal[rng.integers(len(legal))])
        position.play(moves[-1])
    result = ("B+3.5", "W+R") if name.startswith("go") else ("1-0", "0-1")
    record = Record(name, moves=tuple(moves), result=result[seed % 2], ending="two passes", players=players)
    return Played(record, Termination.NORMAL, "", (0.5, 1.25))


PLAYERS = ("uct:800", "greedy", "random", NASTY)
GAMES = [
    random_game("go-9x9", (first, second), 7 * i + j)
    for i, first in enumerate(PLAYERS)
    for j, second in enumerate(PLAYERS)
    if i != j
]
CAPTURE = Played(
    Record("go-5x5", moves=("B1", "A1", "A2", "pass"), result="B+1", players=PLAYERS[:2], ending="x"),
    Termination.NORMAL,
)
CRASHED = Played(
    Record("go-9x9", moves=("E5",), result="W+F", players=PLAYERS[:2], ending="crash", comments={0: "a remark"}),
    Termination.CRASH,
    f"uct:800: {NASTY}",
)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, f"Cup {NASTY}", [*GAMES, CAPTURE, CRASHED], subtitle="test", planned=20)
    return path.as_uri()


def stones(browser):
    """The board on the screen as [(side, x, y)], sorted."""
    return sorted(
        map(
            tuple,
            browser.js(
                "[...state.drawing.pieces.children].map(g =>"
                " [g.lastChild.getAttribute('fill').includes('piece0') ? 1 : -1,"
                " ...g.getAttribute('transform').match(/[\\d.]+/g).map(Number)])"
            ),
        )
    )


def expected_stones(record, ply):
    board = decode(film(record))[ply]
    return sorted((int(board[y, x]), float(x), float(y)) for y, x in zip(*np.nonzero(board), strict=True))


def test_the_page_opens_on_the_last_position_of_the_first_game(browser, address):
    browser.open(address)
    assert browser.js("document.title") == f"Cup {NASTY}"
    assert browser.text("h1") == f"Cup {NASTY}"
    assert browser.text("#game-title") == "Game 1"
    assert stones(browser) == expected_stones(GAMES[0].record, 70)
    assert browser.count("#list tbody tr") == len(GAMES) + 2
    assert browser.js("location.hash") == ""
    assert browser.js("scrollY") == 0


@pytest.mark.parametrize("ply", [0, 1, 37, 70])
def test_deep_links(browser, address, ply):
    browser.open(f"{address}#game-3-ply-{ply}")
    assert browser.text("#game-title") == "Game 3"
    assert stones(browser) == expected_stones(GAMES[2].record, ply)
    assert browser.js("document.getElementById('slider').value") == f"{ply}"
    assert browser.js("document.getElementById('viewer').getBoundingClientRect().top >= 0")
    assert browser.js("document.getElementById('viewer').getBoundingClientRect().top < innerHeight / 2")


@pytest.mark.parametrize("broken", ["#game-0", "#game-999-ply-3", "#game-x", "#game-1-ply-99999", "#nothing", "#%"])
def test_wrong_links_do_no_harm(browser, address, broken):
    browser.open(address + broken)
    assert browser.text("#game-title") == "Game 1"
    assert stones(browser) == expected_stones(GAMES[0].record, 70)


def test_buttons_slider_and_keys_step_through_a_game(browser, address):
    browser.open(f"{address}#game-2-ply-10")
    ply = "state.ply"
    for act, wanted in [
        (lambda: browser.click("#forward"), 11),
        (lambda: browser.click("#back"), 10),
        (lambda: browser.click("#first"), 0),
        (lambda: browser.click("#last"), 70),
        (lambda: browser.press("ArrowLeft"), 69),
        (lambda: browser.press("ArrowRight"), 70),
        (lambda: browser.press("Home"), 0),
        (lambda: browser.press("End"), 70),
        (lambda: browser.click("#moves li:nth-child(33) button"), 33),
    ]:
        act()
        assert browser.js(ply) == wanted
        assert stones(browser) == expected_stones(GAMES[1].record, wanted)
        assert browser.js("location.hash") == f"#game-2-ply-{wanted}"
    browser.js("slider.value = 21; slider.dispatchEvent(new Event('input'))")
    assert browser.js(ply) == 21
    assert browser.text("#status").startswith(f"Move 21 of 70: Black {GAMES[1].record.moves[20]}")
    assert browser.text("#moves [aria-current]").split() == ["21", GAMES[1].record.moves[20]]


def test_it_plays_by_itself(browser, address):
    browser.open(f"{address}#game-2-ply-67")
    browser.press(" ")
    assert browser.js("document.getElementById('play').getAttribute('aria-pressed')") == "true"
    assert browser.becomes("state.ply", 70)
    assert browser.js("document.getElementById('play').getAttribute('aria-pressed')") == "false"


def test_last_move_and_captures_are_marked(browser, address):
    number = len(GAMES) + 1
    browser.open(f"{address}#game-{number}-ply-3")
    assert stones(browser) == expected_stones(CAPTURE.record, 3) == [(1, 0.0, 3.0), (1, 1.0, 4.0)]
    assert browser.count(".last-move") == 1
    assert browser.js("document.querySelector('.last-move').getAttribute('cy')") == "3"
    assert browser.count(".ghost") == 1
    assert "1 captured" in browser.text("#seats li:first-child")
    browser.press("ArrowRight")
    assert browser.count(".last-move") == browser.count(".ghost") == 0
    assert browser.text("#status") == "Move 4 of 4: White pass"


def test_faults_tell_their_reason(browser, address):
    browser.open(address)
    browser.click("#faults a")
    assert browser.becomes("state.game.number", len(GAMES) + 2)
    assert browser.text("#game-title") == f"Game {len(GAMES) + 2}"
    assert NASTY in browser.text("#outcome")
    browser.press("Home")
    assert browser.text("#comment") == "a remark"


def test_the_list_filters_and_sorts(browser, address):
    browser.open(address)
    browser.choose("#by-player", "random")
    assert browser.text("#shown") == f"6 of {len(GAMES) + 2} games"
    browser.choose("#by-opponent", NASTY)
    assert browser.count("#list tbody tr") == 2
    browser.choose("#by-opponent", "all")
    browser.choose("#by-player", "all")
    browser.choose("#by-ending", "crash")
    assert browser.count("#list tbody tr") == 1
    browser.choose("#by-ending", "all")
    browser.click("#list th[data-key=plies] button")
    assert browser.text("#list tbody tr td:nth-child(5)") == "1"
    browser.click("#list th[data-key=plies] button")
    assert browser.text("#list tbody tr td:nth-child(5)") == "70"
    assert browser.js("document.querySelector('#list th[data-key=plies]').ariaSort") == "descending"


def test_a_click_in_the_list_opens_the_game_and_the_keys_follow(browser, address):
    browser.open(address)
    browser.click("#list tbody tr:nth-child(5) td:nth-child(4)")
    assert browser.becomes("state.game.number", 5)
    assert browser.text("#game-title") == "Game 5"
    browser.press("ArrowLeft")
    assert stones(browser) == expected_stones(GAMES[4].record, 69)
    browser.click("#game-after")
    assert browser.text("#game-title") == "Game 6"
    assert browser.js("document.querySelector('#list [aria-current]').dataset.number") == "6"


def test_long_lists_come_in_parts(browser, tmp_path):
    path = tmp_path / "long.html"
    write_report(path, "Long", GAMES * 20)
    browser.open(path.as_uri())
    assert browser.count("#list tbody tr") == 100
    browser.click("#more")
    browser.click("#more")
    assert browser.count("#list tbody tr") == len(GAMES) * 20
    assert not browser.js("document.getElementById('more').checkVisibility()")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1280])
def test_no_width_scrolls_sideways_and_text_is_readable(browser, address, width, dark):
    browser.open(f"{address}#game-2-ply-30", width, 780, dark)
    assert browser.js("document.documentElement.scrollWidth") == width
    board = browser.js("document.querySelector('#board svg').getBoundingClientRect().width")
    assert min(width - 60, 640) <= board <= width
    shades = browser.js(
        "[document.body, document.querySelector('.card')].map(e => getComputedStyle(e))"
        ".flatMap(s => [s.color, s.backgroundColor])"
    )
    text, paper, _, card = (sum(map(float, shade[4:-1].split(",")[:3])) / 3 for shade in shades)
    assert (text > 200 and max(paper, card) < 60) if dark else (text < 60 and min(paper, card) > 200)


@pytest.mark.parametrize("name", ["othello", "connect4", "tictactoe", "go-19x19", "go-1x3", "go-25x25"])
def test_every_board_is_drawn(browser, tmp_path, name):
    game = random_game(name, ("a", "b"), 3, 30)
    path = tmp_path / "one.html"
    write_report(
        path, name, [game, Played(Record("tiddlywinks", moves=("flip",), players=("a", "b")), Termination.NORMAL)]
    )
    browser.open(path.as_uri())
    board = decode(film(game.record))[-1]
    assert browser.count("#board svg g[transform^=translate]") >= np.count_nonzero(board)
    assert browser.js("state.drawing.pieces.children.length") == np.count_nonzero(board)
    browser.click("#game-after")
    assert "no board" in browser.text("#board")
    browser.press("Home")
    assert browser.text("#status") == "Start, 1 move"
