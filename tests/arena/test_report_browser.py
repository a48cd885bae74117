"""The report in a real browser: no errors and no requests, replay by mouse and keys, deep links, phone width, themes.

The browser is a headless Chromium, driven by its DevTools protocol over pipes.
"""

import base64
import io
import itertools
import json
import os
import random
import re
import select
import shutil
import subprocess
import time
from pathlib import Path

import chess
import chess.pgn
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
KEYS = {"f": 70, "ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35, " ": 32}


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

    def open(
        self, address: str, width: int = 1280, height: int = 900, dark: bool = False, motion: bool = False
    ) -> None:
        """Load a page anew in a window of that size and wait for it; what moves jumps unless `motion` is wanted."""
        self.call("Page.navigate", url="about:blank")  # a change of the part after "#" alone would not load anything
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        moving = {"name": "prefers-reduced-motion", "value": "no-preference" if motion else "reduce"}
        self.call("Emulation.setEmulatedMedia", features=[scheme, moving])
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


# ---- chess


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
def chess_address(tmp_path_factory):
    path = tmp_path_factory.mktemp("chess") / "report.html"
    write_report(path, "Chess", [Played(record, Termination.NORMAL, "", (1.5, 61)) for record, _ in CHESS])
    return path.as_uri()


def men(browser):
    """The board on the screen as {square: piece}, by where the pieces are seen, and how far they are off the middle."""
    found = browser.js(
        "(root => { const box = root.querySelectorAll('rect')[1].getBoundingClientRect(), unit = box.width / 8;"
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
def test_a_chess_game_step_by_step(browser, chess_address, number):
    record, board = CHESS[number - 1]
    browser.open(f"{chess_address}#game-{number}-ply-0")
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
        assert browser.js("fen.value") == board.fen(), ply
        assert marked(browser, "check") == ({board.king(board.turn)} if board.is_check() else set())
    while board.move_stack:
        board.pop()
        browser.press("ArrowLeft")
        assert men(browser) == expected_men(board)
    browser.press("End")
    assert browser.js("state.ply") == len(record.moves)


def test_a_mate_says_so(browser, chess_address):
    browser.open(chess_address)
    assert browser.text("#outcome") == "0-1 · checkmate"
    assert browser.text("#status") == "9... Qxh2# (Black, mate)"
    assert browser.text("#seats .winner") == "black"
    assert browser.text("#list tbody tr td:nth-child(5)") == "9"
    assert browser.js("document.querySelector('#seats li svg [data-piece]').dataset.piece") == "6"


def test_captures_and_material(browser, chess_address):
    browser.open(f"{chess_address}#game-1-ply-18")
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


def test_the_board_turns(browser, chess_address):
    browser.open(f"{chess_address}#game-1-ply-16")
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


def test_moves_are_numbered_in_pairs(browser, chess_address):
    browser.open(f"{chess_address}#game-1")
    assert browser.js("moves.innerText").split()[:7] == ["1.", "e4", "d5", "2.", "e5", "f5", "3."]
    columns = "[...moves.querySelectorAll('button')].slice(0, 4).map(b => b.getBoundingClientRect().x)"
    white, black, *again = browser.js(columns)
    assert white < black
    assert again == [white, black]
    browser.open(f"{chess_address}#game-3")
    assert browser.js("moves.innerText").split() == ["30...", "Kd7", "31.", "a8=Q", "Kc7"]
    columns = browser.js(columns)
    assert columns[0] == columns[2] == black
    browser.click("#moves li:nth-child(2) button")
    assert browser.js("fen.value") == "Q7/3k4/8/8/8/8/4R3/4K3 b - - 0 31"


def test_pieces_glide_from_square_to_square(browser, chess_address):
    browser.open(f"{chess_address}#game-1-ply-14", motion=True)
    moving = "document.getAnimations().map(a => a.effect.target.dataset.piece).sort().join()"
    assert browser.js(f"show(15), {moving}") == "4,6"  # castling
    assert browser.js(f"document.getAnimations().forEach(a => a.finish()), show(4), {moving}") == ""  # a jump
    assert browser.js(f"show(5), {moving}") == "1"  # en passant
    assert browser.js("document.getAnimations().forEach(a => a.finish())") is None
    assert len(men(browser)) == 31


@pytest.mark.parametrize("number", [1, 2, 3])
def test_pgn_and_fen_are_to_be_had(browser, chess_address, tmp_path, number):
    record, start = CHESS[number - 1]
    browser.open(f"{chess_address}#game-{number}")
    browser.js("navigator.clipboard.writeText = async text => { window.copied = text; }")
    browser.click("#copy-fen")
    assert browser.becomes("window.copied", browser.js("fen.value"))
    assert browser.becomes("document.getElementById('copy-fen').textContent", "Copied")
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    browser.click("#save-pgn")
    browser.click("#copy-pgn")
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


def test_copying_where_the_clipboard_is_closed(browser, chess_address):
    browser.open(chess_address)
    browser.js(
        "navigator.clipboard.writeText = async () => { throw new Error('closed'); };"
        "document.execCommand = (command) => { window.copied = [command, document.activeElement.value]; }; 0"
    )
    browser.click("#copy-fen")
    assert browser.becomes("Boolean(window.copied)", True)
    assert browser.js("window.copied") == ["copy", browser.js("fen.value")]
    assert browser.count("textarea") == 0


def test_what_is_said_of_a_move(browser, chess_address):
    browser.open(f"{chess_address}#game-1-ply-4")
    assert browser.text("#comment") == "evaluation 0.35, depth 12; {taken}"


def test_tools_are_for_chess_only(browser, address, chess_address):
    browser.open(address)
    assert not browser.js("tools.checkVisibility()")
    browser.press("f")
    browser.open(chess_address)
    assert browser.js("tools.checkVisibility()")


def test_games_of_all_kinds_in_one_page(browser, tmp_path):
    broken = Record("chess", moves=("e2e4", "e7e5", "e4e5", "a7a6"), players=PLAYERS[:2])
    records = [CHESS[0][0], GAMES[0].record, broken, Record("chess", players=PLAYERS[:2]), Record("chess", setup="?")]
    path = tmp_path / "mixed.html"
    write_report(path, "Mixed", [Played(record, Termination.NORMAL) for record in records])
    browser.open(f"{path.as_uri()}#game-1")
    assert browser.text("#list thead th:nth-child(2)") == "First"
    assert len(men(browser)) == 27
    browser.press("f")
    browser.click("#game-after")
    assert stones(browser) == expected_stones(GAMES[0].record, 70)
    assert not browser.js("tools.checkVisibility()")
    browser.click("#game-after")
    assert browser.js("tools.checkVisibility()")
    assert browser.js("state.drawing.flipped")
    assert browser.text("#status") == "1... e5 (Black)"
    assert "cannot be followed after move 2: illegal move e4e5" in browser.text("#comment")
    assert browser.count("#moves li") == 4
    browser.click("#game-after")
    assert browser.text("#status") == "Start, 0 moves"
    assert browser.js("fen.value") == chess.STARTING_FEN
    assert browser.js("pgn()").endswith("\n\n*\n")
    browser.click("#game-after")
    assert "no board" in browser.text("#board")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1280])
def test_chess_fits_every_width(browser, chess_address, width, dark):
    browser.open(f"{chess_address}#game-2-ply-30", width, 780, dark)
    assert browser.js("document.documentElement.scrollWidth") == width
    assert browser.js("document.querySelector('#board svg').getBoundingClientRect().width") >= min(width - 60, 640)
