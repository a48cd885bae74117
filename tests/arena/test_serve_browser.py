"""Served pages in a real browser: what moves as games end, replay by keys, phone width, lists, quiet of the network."""

import json

import chromium
import pytest
from pages import data_of
from served import add, make, played, running, site

from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.pages.report import render
from sakiyomi.arena.tasks.tournament import TaskTournament
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.position import Position
from sakiyomi.sgf.record import Record

pytestmark = pytest.mark.browser
browser = chromium.browser
NASTY = "<img src=x onerror=document.title='broken'>"
MOVES = ("E5", "C3", "G7", "C7", "G3", "pass", "pass")
CHESS = ("e2e4", "e7e5", "g1f3", "b8c6", "f1b5")


def go(first, second, result="B+3.5", moves=MOVES):
    return Played(
        Record("go-9x9", moves=moves, result=result, ending="two passes", players=(first, second)),
        Termination.NORMAL,
        "",
        (1.0, 2.0),
    )


@pytest.fixture
def first(tmp_path):
    """A tournament in which "b" leads."""
    make(tmp_path / "first", ("a", "b", NASTY), [go("a", "b", "W+2.5"), go("b", "a")], game="go-9x9", length=10)
    return tmp_path / "first"


@pytest.fixture
def here(first):
    with site(first.parent) as running_site:
        yield running_site


@pytest.fixture(autouse=True)
def nothing_goes_wrong(browser, here):
    browser.errors.clear()
    browser.requests.clear()
    yield
    assert browser.errors == []
    assert all(request.startswith((here.address, "about:", "data:", "blob:")) for request in browser.requests)
    browser.call("Page.navigate", url="about:blank")  # lets go of the server


def rows(browser, table):
    return browser.js(f"[...document.querySelector('{table}').tBodies[0].rows].map(r => r.innerText.split('\\t'))")


def test_a_game_that_ends_appears_without_a_reload(browser, here, first):
    browser.open(f"{here.address}/t/first/", motion=True)
    assert [cells[1] for cells in rows(browser, "#standings")] == ["b", "a"]
    assert browser.becomes("document.getElementById('game-title').innerText", "Game 2")
    browser.js("window.here = 'still'; document.getElementById('standings').id")
    for number in range(3, 9):
        add(first, number, go("a", "b") if number % 2 else go("b", "a", "W+0.5"))
    assert browser.becomes("document.querySelector('#standings tbody th').innerText", "a")
    assert browser.becomes("document.querySelectorAll('#list tbody tr').length", 8)
    assert rows(browser, "#list")[0][0] == "8"
    assert "8 of 30 games" in browser.text("#facts .state")
    assert browser.js("window.here") == "still"
    assert browser.text("#game-title") == "Game 2"  # what somebody looks at stays
    browser.click("#game-after")
    assert browser.becomes("document.getElementById('game-title').innerText", "Game 1")


def test_games_being_played_move_on_small_boards(browser, here, first):
    browser.open(f"{here.address}/t/first/")
    assert browser.js("document.getElementById('running').hidden")
    running(first, (3, "a", NASTY, MOVES[:2]), (4, "b", "a", []))
    assert browser.becomes("document.querySelectorAll('#boards li').length", 2)
    assert "Move 2: C3" in browser.text("#boards li")
    assert NASTY in browser.text("#boards li")
    stones = "SLOTS[0].drawing.pieces.children.length"
    assert browser.js(stones) == 2
    running(first, (3, "a", NASTY, MOVES[:5]), (4, "b", "a", MOVES[:1]))
    assert browser.becomes(stones, 5)
    add(first, 3, go("a", NASTY))
    running(first, (4, "b", "a", MOVES[:1]))
    assert browser.becomes("document.querySelectorAll('#boards li').length", 1)
    assert browser.js("document.title") == "go-9x9: a, b, " + NASTY


def test_the_board_of_a_game_that_has_ended_waits_for_the_next(browser, here, first):
    browser.open(f"{here.address}/t/first/")
    running(first, (3, "a", "b", MOVES[:2]))
    assert browser.becomes("document.querySelectorAll('#boards li').length", 1)
    browser.js("window.item = document.querySelector('#boards li')")
    running(first)
    assert browser.becomes("item.classList.contains('over')", True)
    assert not browser.js("document.getElementById('running').hidden")
    running(first, (4, "b", "a", MOVES[:1]))
    assert browser.becomes("item.dataset.number", "4")
    assert browser.js("item.isConnected && !item.classList.contains('over')")
    running(first)
    assert browser.becomes("document.getElementById('running').hidden", True)


def test_the_first_game_of_a_tournament_brings_everything(browser, here, first):
    make(first.parent / "new", ("white", "black"), [], game="chess")
    browser.open(f"{here.address}/t/new/")
    assert browser.js("document.getElementById('games').hidden")
    running(first.parent / "new", (1, "white", "black", CHESS[:4]))
    assert browser.becomes("document.querySelectorAll('#boards li').length", 1)
    add(first.parent / "new", 1, played("white", "black", "1-0", game="chess", moves=CHESS))
    assert browser.becomes("document.getElementById('game-title').innerText", "Game 1")
    assert browser.text("#moves [aria-current]").split() == ["3.", "Bb5"]
    assert browser.becomes("document.querySelectorAll('#standings tbody tr').length", 2)
    assert [cells[1] for cells in rows(browser, "#standings")] == ["white", "black"]
    assert browser.text("#position") is not None


def test_a_game_is_replayed_by_keys(browser, here):
    browser.open(f"{here.address}/t/first/#game-1-ply-2")
    assert browser.becomes("state.ply", 2)
    for key, ply in (("ArrowRight", 3), ("ArrowLeft", 2), ("Home", 0), ("End", 7)):
        browser.press(key)
        assert browser.js("state.ply") == ply
        assert browser.js("location.hash") == f"#game-1-ply-{ply}"
    assert browser.text("#status").startswith("Move 7 of 7: Black pass")


def test_the_film_is_that_of_the_static_report(browser, here):
    browser.open(f"{here.address}/t/first/#game-2-ply-5")
    assert browser.becomes("state.ply", 5)
    seen = json.loads(browser.js("JSON.stringify(NUMBERED.get(2).changes)"))
    assert seen == data_of(render("t", [go("b", "a")]))["games"][0][11]
    position = Position(make_game("go-9x9"))
    for move in MOVES[:5]:
        position.play(move)
    assert browser.js("[...state.positions[5].cells]") == position.board().ravel().tolist()


@pytest.mark.parametrize("dark", [False, True])
def test_phone_width(browser, here, first, dark):
    running(first, (3, "a", NASTY, MOVES[:2]), (4, "b", "a", []), (5, "b", "a", []))
    for path in ("/", "/t/first/"):
        browser.open(here.address + path, width=390, height=844, dark=dark)
        if path != "/":
            assert browser.becomes("document.querySelectorAll('#boards li').length", 3)
        assert browser.js("document.documentElement.scrollWidth") == 390


def test_the_list_of_tournaments_moves(browser, here, first):
    browser.open(f"{here.address}/")
    assert "2 of 30 games" in browser.text("#cards")
    add(first, 3, go("a", "b"))
    assert browser.becomes("document.querySelector('#cards .state').innerText", "Stopped 3 of 30 games")
    make(first.parent / "other", ("a", "b"), [played("a", "b", "1-0")])
    assert browser.becomes("document.querySelectorAll('#cards li').length", 2)
    browser.click("#cards li a[href*=other]")
    assert browser.becomes("location.pathname", "/t/other/")


def test_filters(browser, here, first):
    for number in range(3, 7):
        add(first, number, go(NASTY, "b", "0" if number % 2 else "W+1.5"))
    browser.open(f"{here.address}/t/first/")
    browser.choose("#by-player", NASTY)
    assert browser.text("#shown") == "4 of 6 games"
    browser.choose("#by-result", "drawn")
    assert [cells[0] for cells in rows(browser, "#list")] == ["5", "3"]
    add(first, 7, go(NASTY, "b", "0"))
    assert browser.becomes("document.getElementById('shown').innerText", "3 of 7 games")
    assert browser.js("document.getElementById('by-player').selectedOptions[0].text") == NASTY


def test_keys_reach_everything(browser, here):
    browser.open(f"{here.address}/")
    assert browser.js("document.querySelector('.skip').getAttribute('href')") == "#main"
    assert browser.js("[...document.querySelectorAll('#cards li')].every(c => c.querySelector('a').tabIndex === 0)")
    browser.open(f"{here.address}/t/first/")
    assert browser.js("document.querySelector('.skip').getAttribute('href')") == "#games"
    browser.js("document.querySelector('#list a').focus()")
    assert browser.js("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_the_focus_stays_where_figures_change(browser, here, first):
    browser.open(f"{here.address}/t/first/")
    browser.js("document.querySelector('#standings').closest('.scroll').focus()")
    add(first, 3, go("a", NASTY))
    assert browser.becomes("document.querySelectorAll('#standings tbody tr').length", 3)
    assert browser.js("document.activeElement.contains(document.getElementById('standings'))")


def test_the_page_of_tasks_follows_them(browser, here, first):
    def tournament(**more):
        return TaskTournament(["pendulum"], ["zero", "random"], games=2, workers=0, out=first.parent / "tasks", **more)

    episodes = tournament().stream()
    for _ in range(3):
        next(episodes)
    episodes.close()
    browser.open(f"{here.address}/t/tasks/")
    browser.js("document.querySelector('#standings').closest('.scroll').focus()")
    browser.js("window.here = 'still'")
    assert browser.count("progress") == 1
    tournament(resume=True).run()
    assert browser.becomes("document.querySelectorAll('progress, [data-again]').length", 0)
    assert browser.js("window.here") == "still"
    assert browser.js("document.activeElement.contains(document.getElementById('standings'))")


def test_a_server_that_has_ended_is_told_of(browser, tmp_path):
    make(tmp_path / "short", ("a", "b"), [played("a", "b", "1-0")])
    with site(tmp_path) as short:
        browser.open(f"{short.address}/t/short/")
        assert not browser.js("document.body.classList.contains('cut-off')")
    assert browser.becomes("document.body.classList.contains('cut-off')", True)
    browser.errors.clear()  # that it cannot be reached
    browser.requests.clear()
