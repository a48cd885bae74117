"""How a page hears of a tournament that another process plays; and what watching costs that process: nothing."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pages import data_of, words
from served import add, config, make, played, row, running, site

from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.pages.film_data import FILM_ROW
from sakiyomi.arena.pages.watch import LOOK, Rests, Watched, pace
from sakiyomi.arena.store import Store
from sakiyomi.sgf.record import Record

START = [played("a", "b", "1-0"), played("b", "a", "1/2-1/2")]
WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from served import add, played
add(Path(sys.argv[2]), 3, played("b", "new", "0-1"))
"""


@pytest.fixture
def first(tmp_path):
    make(tmp_path / "first", ("a", "b"), START, length=10)
    return tmp_path / "first"


def heard(events, wanted):
    """The data and the id of the first event of that name."""
    return next((data, mark) for name, data, mark in events if name == wanted)


class TestEvents:
    def test_a_game_that_another_process_stores_is_told(self, first):
        with site(first.parent) as here:
            since = data_of(here.get("/t/first/"))["live"]
            events = here.events(f"/t/first/{since}")
            assert "2 of 10" in heard(events, "regions")[0]["facts"]
            subprocess.run([sys.executable, "-c", WRITER, str(Path(__file__).parent), str(first)], check=True)
            news, mark = heard(events, "games")
            assert news["numbers"] == [3]
            assert [news["players"][place] for place in news["games"][0][:2]] == ["b", "new"]
            assert mark.endswith("-3")
            regions = {}
            for name, data, _ in events:
                regions |= data if name == "regions" else {}
                if "new" in regions.get("ratings", "") and "3 of 10" in regions.get("facts", ""):
                    break
            assert [cells[1] for cells in words(regions["ratings"], "standings")[1:]] == ["new", "a", "b"]

    def test_who_connects_again_hears_only_what_is_new(self, first):
        with site(first.parent) as here:
            since = data_of(here.get("/t/first/"))["live"]
            for number in (3, 4):
                add(first, number, played("a", "b", "1-0"))
            news, mark = heard(here.events(f"/t/first/{since}"), "games")
            assert news["numbers"] == [3, 4]
            add(first, 5, played("b", "a", "1-0"))
            news, _ = heard(here.events(f"/t/first/{since}", Last_Event_ID=mark), "games")
            assert news["numbers"] == [5]

    @pytest.mark.parametrize("since", ["", "x", "00000000-2", "00000000-99", "-"])
    def test_a_page_that_is_not_of_this_server_is_loaded_anew(self, first, since):
        with site(first.parent) as here:
            assert next(here.events(f"/t/first/events?since={since}"))[0] == "anew"

    def test_games_being_played_are_shown(self, first):
        with site(first.parent) as here:
            since = data_of(here.get("/t/first/"))["live"]
            events = here.events(f"/t/first/{since}")
            running(first, (3, "a", "b", ["b2", "a1"]), (4, "b", "a", []))
            facts, data = "", {"games": []}
            for name, told, _ in events:
                facts = told.get("facts", facts) if name == "regions" else facts
                data = told if name == "running" else data
                if "Being played" in facts and data["games"]:
                    break
            assert data["numbers"] == [3, 4]
            assert data["clocks"] == [[61.2, 8.5], [61.2, 8.5]]
            assert data["games"][0][FILM_ROW] == "b2 a1"
            add(first, 3, played("a", "b", "1-0"))
            data = next(data for name, data, _ in events if name == "running" and len(data["games"]) == 1)
            assert data["numbers"] == [4]

    def test_a_server_that_ends_lets_go_of_its_readers(self, first):
        with site(first.parent) as here:
            since = data_of(here.get("/t/first/"))["live"]
            events = here.events(f"/t/first/{since}")
            next(events)
            begun = time.monotonic()
        list(events)  # to its end
        assert time.monotonic() - begun < 20


class TestWatching:
    def test_only_new_games_are_read(self, first, monkeypatch):
        read = []
        whole = Store.row
        monkeypatch.setattr(Store, "row", lambda store, number: read.append(number) or whole(store, number))
        watched = Watched(first)
        for number in (3, 5, 4):
            watched.refresh()
            add(first, number, played("a", "b", "1-0"))
            time.sleep(LOOK)
        watched.refresh()
        assert read == [1, 2, 3, 5, 4]
        assert [entry.number for entry in watched.arrived] == [1, 2, 3, 5, 4]
        assert [entry.number for entry in watched.entries()] == [1, 2, 3, 4, 5]
        assert watched.data()[1]["numbers"] == [1, 2, 3, 4, 5]

    def test_a_game_that_is_played_again_takes_the_place_of_the_first(self, first):
        failed = Played(Record("tictactoe", players=("a", "b")), Termination.COULD_NOT_START, "a: no such program")
        add(first, 3, failed)
        add(first, 4, played("b", "a", "1-0"))
        watched = Watched(first)
        watched.refresh()
        assert len(watched.figures()[1]["faults"]) == 1
        with Store.open(first / "tournament.sqlite", writing=True) as store:
            store.remove(3)
            store.add(row(3, played("a", "b", "1-0")))
        time.sleep(LOOK)
        watched.refresh()
        assert [entry.number for entry in watched.arrived] == [1, 2, 3, 4, 3]
        known, data = watched.data()
        assert (known, data["numbers"]) == (5, [1, 2, 3, 4])
        assert data["games"][2][2] == "1-0"
        assert watched.status.done == 4

    def test_the_store_can_be_closed_in_one_piece_while_it_is_watched(self, first):
        watched = Watched(first)
        with Store.open(first / "tournament.sqlite", writing=True) as store:
            store.add(row(3, played("a", "b", "1-0")))
            watched.refresh()
        assert len(watched.arrived) == 3
        assert not list(first.glob("*-wal"))

    def test_a_tournament_that_grows(self, first):
        watched = Watched(first)
        watched.refresh()
        assert (watched.status.planned, watched.title) == (10, "tictactoe: a, b")
        with Store.open(first / "tournament.sqlite", writing=True) as store:
            store.set_config(config(("a", "b", "c"), length=10) | {"stages": [[2, 10]]})
        time.sleep(LOOK)
        watched.refresh()
        assert (watched.status.planned, watched.title) == (30, "tictactoe: a, b, c")

    def test_another_tournament_takes_the_place(self, first):
        with site(first.parent) as here:
            since = data_of(here.get("/t/first/"))["live"]
            events = here.events(f"/t/first/{since}")
            assert next(events)[0] == "regions"
            (first / "tournament.sqlite").rename(first / "old.sqlite")
            make(first, ("c", "d"), [played("c", "d", "1-0")])
            assert any(name == "anew" for name, _, _ in events)
            assert data_of(here.get("/t/first/"))["players"] == ["c", "d"]

    def test_the_state_of_a_tournament(self, first):
        watched = Watched(first)
        watched.refresh()
        assert watched.status.state == "stopped"
        running(first)
        assert watched.status.state == "running"
        watched.folder.pause()
        assert watched.status.state == "paused"
        watched.folder.proceed()
        for number in range(3, 11):
            add(first, number, played("a", "b", "1-0"))
        time.sleep(LOOK)
        watched.refresh()
        assert (watched.status.state, watched.status.share) == ("finished", 1.0)

    def test_a_test_ends_when_it_knows_enough(self, tmp_path):
        games = [played(*(("new", "old", "1-0") if n % 2 else ("old", "new", "0-1"))) for n in range(1, 41)]
        make(tmp_path, ("new", "old"), games, schedule="sprt:0,200", length=100)
        watched = Watched(tmp_path)
        watched.refresh()
        test = watched.figures()[1]["test"]
        assert (test.verdict, test.one) == ("H1", "new")
        assert watched.status.state == "finished"
        assert watched.status.planned == 2 * sum(test.counts)


def test_rests_are_as_long_as_the_work_was():
    rests = Rests(0.0, 5.0)
    assert rests.due
    with rests:
        time.sleep(0.02)
    assert not rests.due
    assert Rests(100.0, 0.0).due


def test_pace():
    start = datetime(2030, 1, 1, tzinfo=UTC)

    def times(*seconds):
        return [(start + timedelta(seconds=s)).isoformat() for s in seconds]

    assert pace([]) is None
    assert pace(times(5)) is None
    assert pace(times(0, 2, 4, 6)) == pytest.approx(2)
    assert pace(times(0, 9, 5000, 5002, 5004)) == pytest.approx(2)  # it was stopped for more than an hour
