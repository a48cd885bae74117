"""Starting and ending `sakiyomi serve`, and what the static report has gained from the live page."""

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing

import pytest
from pages import Page, data_of, words
from served import make, played

from sakiyomi.arena.errors import Failure
from sakiyomi.arena.pages.figures import SprtState
from sakiyomi.arena.pages.plot import history
from sakiyomi.arena.pages.report import render
from sakiyomi.arena.pages.serving import serve
from sakiyomi.arena.pages.words import plain, ratio, span
from sakiyomi.arena.rating.joint import fit
from sakiyomi.arena.rating.sequential import Sprt

SERVE = "from pathlib import Path; from sakiyomi.arena.cli_serve import serve; import sys; serve(Path(sys.argv[1]), "


@pytest.fixture
def started(tmp_path):
    """Starts servers as programs; gives the program and its first line."""
    programs = []

    def start(arguments):
        program = subprocess.Popen(
            [sys.executable, "-c", f"{SERVE}{arguments})", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        programs.append(program)
        return program, program.stdout.readline()

    yield start
    for program in programs:
        program.kill()
        program.communicate()


class TestProgram:
    def test_it_ends_at_ctrl_c_though_somebody_listens(self, started, tmp_path):
        make(tmp_path / "first", ("a", "b"), [played("a", "b", "1-0")])
        program, line = started("port=0")
        address = re.match(r"(http://127\.0\.0\.1:\d+/)  \(Ctrl-C ends it\)", line)[1]
        listener = urllib.request.urlopen(f"{address}events", timeout=30)
        assert listener.readline() == b"event: regions\n"
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=30)
        assert (program.returncode, out, err) == (0, "", "ended\n")

    def test_a_taken_port_and_an_open_address(self, started):
        with closing(socket.socket()) as taken:
            taken.bind(("0.0.0.0", 0))
            taken.listen()
            port = taken.getsockname()[1]
            program, line = started(f"host='0.0.0.0', port={port}")
            found = int(re.match(r"http://0\.0\.0\.0:(\d+)/", line)[1])
            assert port < found < port + 20
            deadline = time.monotonic() + 30
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{found}/", timeout=30).read()
                    break
                except OSError:
                    assert time.monotonic() < deadline
            program.send_signal(signal.SIGTERM)
            _, err = program.communicate(timeout=30)
            assert f"port {port} is taken, so it is {found}" in err
            assert "0.0.0.0 is open to other machines" in err

    def test_what_cannot_be_served(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(ValueError, match="is no folder"):
            serve(tmp_path / "file")
        with pytest.raises(Failure, match="nothing can be served at"):
            serve(tmp_path, "256.1.1.1")
        with pytest.raises(Failure, match=r"nothing can be served at 203\.0\.113\.1"):
            serve(tmp_path, "203.0.113.1")


GAMES = [played(*(("new", "old", "1-0") if n % 3 else ("old", "new", "1-0"))) for n in range(40)]


class TestStaticReport:
    @pytest.mark.parametrize(
        ("counts", "verdict", "said"),
        [
            ((1, 2, 9, 3, 2), None, "Open: is new stronger than old by 0 Elo (H0) or by 50 (H1)?"),
            ((0, 0, 5, 5, 20), "H1", "H1 is accepted: new is stronger than old by 50 Elo rather than by 0."),
            ((20, 5, 5, 0, 0), "H0", "H0 is accepted: new is stronger than old by 0 Elo rather than by 50."),
        ],
    )
    def test_a_sequential_test(self, counts, verdict, said):
        test = Sprt(0, 50)
        assert test.verdict(counts) == verdict
        page = render("Title", GAMES, test=SprtState(test, "new", "old", counts, verdict))
        Page(page)
        shown = re.search(r'<section[^>]*id="test">.*?</section>', page, re.S)[0]
        assert said in " ".join(re.sub("<[^>]+>", "", shown).split())
        assert ratio(test.llr(counts)) in shown
        assert f"{sum(counts)} pairs" in shown
        assert 'id="test"' not in render("Title", GAMES)

    def test_the_ratio_stands_between_its_bounds(self):
        test = Sprt(0, 50)
        for counts, verdict in (((1, 2, 9, 3, 2), None), ((0, 0, 5, 5, 20), "H1"), ((200, 5, 5, 0, 0), "H0")):
            shown = SprtState(test, "new", "old", counts, verdict).shown
            assert 0 <= shown["at"] <= 100
            assert (shown["at"] > shown["high_at"]) == (verdict == "H1")
            assert (shown["at"] < shown["low_at"]) == (verdict == "H0")
            assert shown["zero_at"] == 50

    def test_games_keep_their_numbers(self):
        games = [*GAMES[:2], played("new", "old", "0-1", detail="no move")]
        page = render("Title", games, numbers=[1, 2, 7])
        assert data_of(page)["numbers"] == [1, 2, 7]
        assert words(page, "faults")[1][0] == "7"
        assert 'href="#game-7"' in page

    def test_ratings_over_the_games(self):
        table = fit(GAMES).table()
        fits = {}
        shown = history(GAMES, table, fits)
        assert sorted(fits) == [10, 12, 14, 17, 21, 25, 30, 36]
        assert fits[21] == pytest.approx({row.name: row.elo for row in fit(GAMES[:21]).table()})
        assert [line["name"] for line in shown["lines"]] == [row.name for row in table]
        ends = [line["path"].split("L")[-1].split()[0] for line in shown["lines"]]
        assert ends == ["100.0", "100.0"]
        kept = dict(fits)
        history(GAMES[:30], fit(GAMES[:30]).table(), fits)
        assert fits == kept  # nothing is fitted twice
        assert history(GAMES[:19], table, {}) is None
        assert "Ratings over the games" in render("Title", GAMES)


def test_words():
    assert [span(s) for s in (0.2, 44.6, 59.6, 200, 7500)] == ["1 s", "45 s", "1 min", "3 min", "2 h 5 min"]
    assert [ratio(x) for x in (1.234, -0.5, 0)] == ["+1.23", "−0.50", "+0.00"]
    assert [plain(x) for x in (5.0, -2.5)] == ["5", "−2.5"]
