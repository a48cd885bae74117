"""The report in a real browser: no errors and no requests, replay by mouse and keys, deep links, phone width, themes.

The browser is a headless Chromium, driven by its DevTools protocol over pipes.
"""

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from sakiyomi.arena.frames import decode, film
from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.report import write_report
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.position import Position
from sakiyomi.sgf.record import Record

pytestmark = pytest.mark.browser
PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NASTY = "<script>document.title='broken'</script>"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars --remote-debugging-pipe"
)
KEYS = {"ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35, " ": 32}


class Chromium:
    """One page of one browser. `errors` collects what the page's script threw or logged as an error, `requests` the
    addresses that it asked for.
    """

    def __init__(self, program: str, profile: Path):
        to_browser, ours = os.pipe()
        mine, from_browser = os.pipe()
        # The protocol's pipes are file descriptors 3 and 4 of the browser.
        shell = f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}'
        command = ["bash", "-c", shell, program, *FLAGS.split(), f"--user-data-dir={profile}", "about:blank"]
        self.process = subprocess.Popen(
            command, pass_fds=(to_browser, from_browser), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(to_browser)
        os.close(from_browser)
        self._out, self._in, self._pending = ours, mine, b""
        self._numbers = itertools.count(1)
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._loaded = False
        self._session: str | None = None
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params):
        """The result of one command of the protocol."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def _read(self, patience: float = 30.0):
        deadline = time.monotonic() + patience
        while b"\0" not in self._pending:
            ready, _, _ = select.select([self._in], [], [], max(deadline - time.monotonic(), 0))
            assert ready, "the browser is silent"
            data = os.read(self._in, 1 << 20)
            assert data, "the browser has gone"
            self._pending += data
        text, _, self._pending = self._pending.partition(b"\0")
        message = json.loads(text)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, params) -> None:
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Page.loadEventFired":
            self._loaded = True

    def open(self, address: str, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Load a page anew in a window of that size and wait for it."""
        self.call("Page.navigate", url="about:blank")  # a change of the part after "#" alone would not load anything
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self._loaded = False
        self.call("Page.navigate", url=address)
        while not self._loaded or self.js("location.href") == "about:blank":
            if not self._loaded:
                self._read()

    def js(self, expression: str):
        """The value of a JavaScript expression on the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def text(self, selector: str) -> str:
        """The text of the first element that fits."""
        return self.js(f"document.querySelector({json.dumps(selector)}).innerText")

    def becomes(self, expression: str, wanted) -> bool:
        """Has the expression that value, now or in ten seconds? The page hears of a new address with a delay."""
        deadline = time.monotonic() + 10
        while (found := self.js(expression)) != wanted and time.monotonic() < deadline:
            time.sleep(0.02)
        return found == wanted

    def count(self, selector: str) -> int:
        """How many elements fit."""
        return self.js(f"document.querySelectorAll({json.dumps(selector)}).length")

    def click(self, selector: str) -> None:
        """Click the middle of the first element that fits, by the mouse."""
        quoted = json.dumps(selector)
        self.js(f"document.querySelector({quoted}).scrollIntoView({{block: 'center', behavior: 'instant'}})")
        box = self.js(
            f"(b => [b.x + b.width / 2, b.y + b.height / 2])(document.querySelector({quoted}).getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def press(self, key: str) -> None:
        """Press and release a key."""
        code = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": KEYS[key]}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, **code, **({"text": " "} if key == " " else {}))

    def choose(self, selector: str, label: str) -> None:
        """Choose the option with that label."""
        self.js(
            f"(s => {{ s.value = [...s.options].find(o => o.text === {json.dumps(label)}).value;"
            f" s.dispatchEvent(new Event('change')); }})(document.querySelector({json.dumps(selector)}))"
        )

    def screenshot(self, path: Path, whole: bool = False) -> None:
        """A picture of the window, or of the whole page."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        """End the browser."""
        self._session = None
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        for end in (self._out, self._in):
            os.close(end)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if PROGRAM is None:
        pytest.skip("no Chromium on the path")
    chromium = Chromium(PROGRAM, tmp_path_factory.mktemp("profile"))
    yield chromium
    chromium.close()


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


@pytest.fixture(autouse=True)
def nothing_goes_wrong(browser):
    browser.errors.clear()
    browser.requests.clear()
    yield
    assert browser.errors == []
    assert all(request.startswith(("file:", "about:", "data:")) for request in browser.requests)


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
