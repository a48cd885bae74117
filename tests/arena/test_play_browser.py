"""Playing in a real browser: whole games by mouse and by keys, what a player foresees, phone width."""

import json

import chromium
import pytest
from served import site

pytestmark = pytest.mark.browser
browser = chromium.browser
KEYS = {"Enter": 13, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    with site(tmp_path_factory.mktemp("none")) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_goes_wrong(browser, here, monkeypatch):
    monkeypatch.setattr(chromium, "KEYS", chromium.KEYS | KEYS)
    browser.errors.clear()
    browser.requests.clear()
    yield
    assert browser.errors == []
    assert all(request.startswith((here.address, "about:", "data:", "blob:")) for request in browser.requests)
    browser.call("Page.navigate", url="about:blank")  # lets go of the server


def begin(browser, here, family, first="", second="", kind="", width=1280, **fields):
    """Open the page and begin a game by its form."""
    browser.open(f"{here.address}/play", width=width)
    browser.click(f"input[value='{family}']")
    if kind:
        browser.choose("#kind", kind)
    for side, spec in enumerate((first, second)):
        put(browser, f"#who-{side}", spec)
    for field, value in fields.items():
        browser.js("document.querySelector('#more-options').open = true")
        put(browser, f"#{field.replace('_', '-')}", value)
    browser.click("#begin")
    assert browser.becomes("document.querySelector('#game').hidden", False), browser.text("#form-message")


def put(browser, selector, value):
    """Give a field that value, as a person would."""
    field = f"document.querySelector({json.dumps(selector)})"
    browser.js(f"{field}.value = {json.dumps(value)}; {field}.dispatchEvent(new Event('change'))")
    assert browser.js(f"{field}.value") == value


def place(browser, cell):
    """Where a cell of the board is seen."""
    browser.js("document.querySelector('#surface').scrollIntoView({block: 'center', behavior: 'instant'})")
    return browser.js(
        "(([x, y]) => (p => [p.x, p.y])(new DOMPoint(x, y).matrixTransform(table.drawing.element.getScreenCTM())))"
        f"(middleOf(table.drawing, {cell}))"
    )


def mouse(browser, kind, x, y):
    browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)


def click(browser, *cells):
    """Click cells of the board, by the mouse."""
    for cell in cells:
        x, y = place(browser, cell)
        mouse(browser, "mousePressed", x, y)
        mouse(browser, "mouseReleased", x, y)


def drag(browser, origin, to):
    """Drag what stands on a cell to another."""
    (x, y), (u, v) = place(browser, origin), place(browser, to)
    mouse(browser, "mousePressed", x, y)
    for part in (0.3, 0.7, 1):
        mouse(browser, "mouseMoved", x + part * (u - x), y + part * (v - y))
    mouse(browser, "mouseReleased", u, v)


def touch(browser, origin, to=None):
    """Touch a cell, or draw a finger from it to another."""
    (x, y), (u, v) = place(browser, origin), place(browser, origin if to is None else to)
    browser.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
    for part in (0.2, 0.5, 1) if to is not None else ():
        point = {"x": x + part * (u - x), "y": y + part * (v - y)}
        browser.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=[point])
    browser.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])


def played(browser, plies):
    """Are so many moves played, and is nobody thinking?"""
    return browser.becomes("[plies(), table.now.thinking === null].join()", f"{plies},true")


def turn_comes(browser):
    """Wait until the person may move; is the game over instead?"""
    assert browser.becomes("table.now.ended !== null || table.now.legal.length > 0", True)
    return browser.js("table.now.ended !== null")


def square(name):
    """A square of chess as a cell."""
    return 8 * (8 - int(name[1])) + "abcdefgh".index(name[0])


def cell(name):
    """A square of shogi as a cell."""
    return 9 * "abcdefghi".index(name[1]) + 9 - int(name[0])


def test_a_whole_game_of_go_by_clicking(browser, here):
    begin(browser, here, "Go", "", "greedy", kind="5×5")
    for turn in range(60):
        if turn_comes(browser):
            break
        # Points next to nothing of ours are left alone: a pass answers a pass, so that the game ends.
        passed = browser.js("plies() > 0 && moveText(plies() - 1) === 'pass'")
        free = browser.js("table.now.legal.map(([, to]) => to).filter((to) => to >= 0)")
        if passed or not free or turn > 30:
            browser.click("#pass")
        else:
            click(browser, free[len(free) // 2])
        assert browser.becomes(f"table.now.ended !== null || plies() >= {2 * turn + 2}", True)
    assert browser.js("table.now.ended !== null")
    words = browser.text("#ended")
    assert "after two passes, counted by tromp-taylor rules" in words
    assert words.startswith(("You win", "You lose", "Drawn"))
    last = browser.js("[plies() - 2, plies() - 1].map((k) => moveText(k))")
    assert last == ["pass", "pass"]
    assert browser.js("document.querySelector('#resign').hidden")


def test_a_point_that_is_taken_is_refused_with_the_rule(browser, here):
    begin(browser, here, "Go", "", "", kind="5×5")
    click(browser, 12)
    assert played(browser, 1)
    click(browser, 12)
    assert browser.becomes("document.querySelector('#message').innerText", "Illegal move C3: the point is occupied")
    browser.errors.clear()  # Chromium tells of every 400
    browser.click("#undo")
    assert played(browser, 0)
    assert browser.becomes("document.querySelector('#message').hidden", True)


def test_fools_mate_by_clicking_and_dragging(browser, here):
    begin(browser, here, "Chess")
    click(browser, square("f2"))
    assert browser.count(".over .target") == 2
    click(browser, square("f3"))
    assert played(browser, 1)
    drag(browser, square("e7"), square("e5"))
    assert played(browser, 2)
    click(browser, square("g2"), square("g4"))
    assert played(browser, 3)
    drag(browser, square("d8"), square("h4"))
    assert played(browser, 4)
    assert browser.text("#ended").split("\n") == ["Black wins", "By checkmate"]
    assert "Black Qh4#. Black wins by checkmate" in browser.js("document.querySelector('#say').textContent")
    browser.click("#back")
    assert browser.js("[table.ply, table.drawing.position.cells[39]].join()") == "3,0"
    browser.click("#undo")
    assert played(browser, 3)


def test_fingers_tap_and_drag(browser, here):
    browser.call("Emulation.setTouchEmulationEnabled", enabled=True)
    try:
        begin(browser, here, "Chess", width=390)
        for name in ("e2", "e4"):
            touch(browser, square(name))
        assert played(browser, 1)
        touch(browser, square("e7"), square("e5"))
        assert played(browser, 2)
    finally:
        browser.call("Emulation.setTouchEmulationEnabled", enabled=False)


def test_a_game_of_chess_against_a_player(browser, here):
    begin(browser, here, "Chess", "", "random")
    for turn in range(12):
        if turn_comes(browser):
            break
        _, to, origin, _ = browser.js(f"table.now.legal[{7 * turn} % table.now.legal.length]")
        click(browser, origin, to)
        browser.js("document.querySelector('#promotion button')?.click()")
        assert browser.becomes(f"table.now.ended !== null || plies() >= {2 * turn + 2}", True)
    assert browser.js("plies()") >= 20 or browser.js("table.now.ended !== null")
    assert browser.count("#moves li") == browser.js("plies()")


def test_a_pawn_becomes_what_is_chosen(browser, here):
    begin(browser, here, "Chess", from_position="7k/P7/8/8/8/8/8/7K w - - 0 1")
    click(browser, square("a7"), square("a8"))
    assert browser.js("[...document.querySelectorAll('#promotion button')].map(b => b.ariaLabel).join()") == (
        "queen,rook,bishop,knight"
    )
    browser.press("Escape")
    assert browser.js("document.querySelector('#promotion').hidden && plies() === 0")
    click(browser, square("a7"), square("a8"))
    browser.press("ArrowRight")
    browser.press(" ")
    assert played(browser, 1)
    assert browser.js("moveText(0)") == "a8=R+"


def test_shogi_promotes_and_drops(browser, here):
    begin(browser, here, "Shogi", from_position="4k4/9/9/9/9/9/9/7R1/4K4 b P 1")
    click(browser, cell("2h"), cell("2c"))
    assert browser.js("[...document.querySelectorAll('#promotion button')].map(b => b.ariaLabel).join()") == (
        "promote to dragon,do not promote"
    )
    browser.click("#promotion [aria-label='promote to dragon']")
    assert played(browser, 1)
    click(browser, cell("5a"), cell("5c"))
    assert browser.becomes("document.querySelector('#message').innerText.startsWith('Illegal move 5a5c: ')", True)
    browser.errors.clear()
    click(browser, cell("5a"), cell("4a"))
    assert played(browser, 2)
    click(browser, 81)  # the pawn in hand
    assert browser.count(".over .target") > 50
    click(browser, cell("4b"))
    assert played(browser, 3)
    assert browser.js("table.game.played[2].drop")
    put(browser, "#notation", "usi")
    assert browser.js(
        "[...document.querySelectorAll('#moves button')].map(b => b.innerText.split(/\\s+/).pop()).join()"
    ) == ("2h2c+,5a4a,P*4b")


@pytest.mark.parametrize(("family", "cells"), [("Tic-tac-toe", [6, 3, 7, 4, 8]), ("Connect Four", [0, 1] * 3 + [0])])
def test_games_by_keys_alone(browser, here, family, cells):
    begin(browser, here, family)
    browser.js("document.querySelector('#surface').focus()")
    width = browser.js("table.drawing.board.width")
    for ply, wanted in enumerate(cells, 1):
        for _ in range(20):
            at = browser.js("surface.cursor")
            if at == wanted:
                break
            across, down = wanted % width - at % width, wanted // width - at // width
            browser.press(
                "ArrowRight" if across > 0 else "ArrowLeft" if across else "ArrowDown" if down > 0 else "ArrowUp"
            )
        assert browser.js("surface.cursor") == wanted
        assert browser.count(".over .cursor") == 1
        browser.press("Enter")
        assert played(browser, ply)
    assert browser.text("#ended").endswith("With a full line")


def test_chess_by_keys_alone(browser, here):
    begin(browser, here, "Chess")
    browser.js("document.querySelector('#surface').focus()")
    for _ in range(2):
        browser.press("ArrowDown")
    assert browser.js("document.querySelector('#cell-says').textContent") == "e2, White pawn"
    browser.press("Enter")
    assert "can go to e3, e4" in browser.js("document.querySelector('#cell-says').textContent")
    browser.press("ArrowUp")
    browser.press("ArrowUp")
    browser.press(" ")
    assert played(browser, 1)
    assert browser.js("document.querySelector('#say').textContent") == "White e4"


def test_a_move_may_be_typed(browser, here):
    begin(browser, here, "Chess", "", "random")
    for text, plies in (("Nf3", 2), ("b1c3", 4)):
        browser.js(f"document.querySelector('#typed').value = '{text}'")
        browser.click("#type button")
        assert played(browser, plies)
        assert browser.becomes("document.querySelector('#typed').value", "")


def test_what_a_player_foresees(browser, here):
    begin(browser, here, "Tic-tac-toe", "", "uct:100")
    click(browser, 0)
    assert played(browser, 2)
    assert "uct:100 · move 2" in browser.text("#about")
    assert browser.count("#candidates tbody tr") == 8
    assert browser.count("#line li") > 1
    assert browser.js("getComputedStyle(document.querySelector('#gauge')).display") != "none"
    assert browser.count(".over .heat") == 0  # that was about the position before
    browser.click("#back")
    assert browser.count(".over .heat") > 1
    assert browser.count(".over .heat.best") == 1
    browser.js("document.querySelectorAll('#line button')[1].focus()")
    assert browser.count(".over .ghostly") == 2
    assert browser.js("[...document.querySelectorAll('.over .number')].map(n => n.textContent).join()") == "1,2"
    browser.js("document.activeElement.blur()")
    browser.click("#overlay")
    assert browser.count(".over .heat") == 0


def test_analysis_of_any_position_until_it_is_stopped(browser, here):
    begin(browser, here, "Chess")
    click(browser, square("e2"), square("e4"))
    assert played(browser, 1)
    browser.click("#back")
    put(browser, "#analyst", "alphabeta:2")
    browser.click("#analyse")
    assert browser.becomes("table.thoughts.has(0) && table.thoughts.get(0).depth >= 2", True)
    assert browser.js("table.now.thinking.kind") == "analysis"
    assert browser.becomes("document.querySelectorAll('.over .arrow.best').length", 1)
    browser.click("#forward")  # it goes along
    assert browser.becomes("table.thoughts.has(1)", True)
    browser.click("#analyse")
    assert browser.becomes("table.now.thinking", None)
    assert browser.text("#analyse") == "Analyse"
    assert browser.becomes("document.querySelectorAll('.curve-line').length", 1)


def test_a_hint_is_marked_on_the_board(browser, here):
    begin(browser, here, "Tic-tac-toe")
    for cell_, ply in ((0, 1), (3, 2), (1, 3), (4, 4)):
        click(browser, cell_)
        assert played(browser, ply)
    put(browser, "#analyst", "alphabeta:2")
    browser.click("#hint")
    assert browser.becomes("document.querySelector('#message').innerText", "Alpha-beta, 2 plies would play c3.")
    assert browser.count(".over .hinted") == 1


def test_chess960_castles_by_clicking_the_rook(browser, here):
    start = "1r2k1r1/pppppppp/8/8/8/8/PPPPPPPP/1R2K1R1 w GBgb - 0 1"
    begin(browser, here, "Chess", kind="Chess960", from_position=start)
    click(browser, square("e1"), square("g1"))
    assert played(browser, 1)
    click(browser, square("e8"), square("b8"))
    assert played(browser, 2)
    assert browser.js("[moveText(0), moveText(1)].join()") == "O-O,O-O-O"


def test_a_hint_is_written_as_moves_are(browser, here):
    begin(browser, here, "Chess", from_position="6k1/5ppp/8/8/8/8/8/R5K1 w - - 0 1")
    put(browser, "#analyst", "alphabeta:2")
    browser.click("#hint")
    assert browser.becomes("document.querySelector('#message').innerText", "Alpha-beta, 2 plies would play Ra8#.")


def test_the_choice_of_a_piece_keeps_the_focus_until_it_is_made(browser, here, monkeypatch):
    monkeypatch.setitem(chromium.KEYS, "Tab", 9)
    begin(browser, here, "Chess", from_position="7k/P7/8/8/8/8/8/K7 w - - 0 1")
    click(browser, square("a7"), square("a8"))
    names = []
    for _ in range(5):
        names.append(browser.js("document.activeElement.getAttribute('aria-label')"))
        browser.press("Tab")
    assert names == ["queen", "rook", "bishop", "knight", "queen"]
    browser.press("Escape")
    assert browser.becomes("document.querySelector('#promotion').hidden", True)
    assert browser.js("document.activeElement.id") == "surface"


def test_a_game_that_is_kept_no_more_is_told_of(browser, here):
    browser.open(f"{here.address}/play#gone")
    told = "document.querySelector('#form-message').innerText"
    assert browser.becomes(told, "This game is not kept here any more: begin a new one")
    assert browser.js("location.hash") == ""
    browser.errors.clear()  # that it is not found


def test_two_players_are_watched(browser, here):
    begin(browser, here, "Tic-tac-toe", "random", "greedy")
    assert browser.js("document.querySelector('#undo').hidden && document.querySelector('#type').hidden")
    browser.click("#pause")
    assert browser.becomes("table.now.paused", True)
    browser.click("#pause")
    assert browser.becomes("table.now.ended !== null", True)


def test_the_page_comes_back_to_its_game(browser, here):
    begin(browser, here, "Go", "", "", kind="9×9")
    click(browser, 40)
    assert played(browser, 1)
    address = browser.js("location.href")
    browser.open(address)
    assert browser.becomes("table.now && plies()", 1)
    browser.click("#new-game")
    browser.click("#cancel")
    assert browser.becomes("table.now && plies()", 1)
    browser.open(f"{here.address}/play#nothing")
    assert browser.becomes("location.hash", "")
    assert browser.js("document.querySelector('#game').hidden")
    browser.errors.clear()  # Chromium tells of the 404


@pytest.mark.parametrize("family", ["Go", "Chess", "Shogi", "Othello", "Connect Four"])
def test_phone_width(browser, here, family):
    begin(browser, here, family, "", "random", width=390)
    _, to, origin, _ = browser.js("table.now.legal[table.now.legal.length >> 1]")
    click(browser, *([origin] if origin >= 0 else []), to)
    assert played(browser, 2)
    assert browser.js("document.documentElement.scrollWidth") <= 390
    box = browser.js("(b => [b.left, b.right])(table.drawing.element.getBoundingClientRect())")
    assert box[0] >= 0
    assert box[1] <= 390
    assert box[1] - box[0] > 330
    browser.click("#new-game")
    browser.js("document.querySelector('#more-options').open = true")
    assert browser.js("document.documentElement.scrollWidth") <= 390


def test_what_cannot_be_begun_is_said(browser, here):
    browser.open(f"{here.address}/play")
    put(browser, "#who-1", "other")
    browser.js("document.querySelector('#spec-1').value = 'gtp:touch x'")
    browser.click("#begin")
    assert browser.becomes("document.querySelector('#form-message').hidden", False)
    assert "may not name programs" in browser.text("#form-message")
    browser.errors.clear()  # Chromium tells of the 400
