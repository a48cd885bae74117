"""The pages of `sakiyomi serve`: what is shown where, escaping, who may ask, downloads, damage."""

import json
import os
import re
from urllib.parse import quote

import pytest
from pages import Page, data_of, words
from served import add, make, played, running, site

from sakiyomi.arena.folder import Folder
from sakiyomi.arena.pages.film_data import FILM_ROW
from sakiyomi.arena.pages.report import render
from sakiyomi.arena.rating.joint import ratings
from sakiyomi.arena.tasks.results import task_page
from sakiyomi.arena.tasks.tournament import TaskTournament
from sakiyomi.sgf import load

NASTY = "</script><script>alert(1)</script><b onmouseover='x'>&amp;\""
PLAYERS = ("strong", "weak", NASTY)
GAMES = [
    played("strong", "weak", "1-0"),
    played("weak", "strong", "1/2-1/2"),
    played("strong", NASTY, "1-0"),
    played(NASTY, "weak", "0-1", moves=("b2",), detail="exit code 3 <i>"),
]
CHESS = played("strong", "weak", "0-1", game="chess", moves=("f2f3", "e7e5", "g2g4", "d8h4"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    make(folder / "first", PLAYERS, GAMES)
    make(folder / "sécond <b>", ("strong", "weak"), [CHESS], game="chess", length=1)
    (folder / "no tournament").mkdir()
    (folder / "secret.txt").write_text("secret")
    return folder


@pytest.fixture(scope="module")
def here(folder):
    with site(folder) as running_site:
        yield running_site


class TestPages:
    def test_the_tournaments_of_a_folder(self, here):
        page = here.get("/")
        Page(page)
        assert "4 of 12 games" in page
        assert "sécond &lt;b&gt;" in page
        assert "<script>alert" not in page
        assert f'href="/t/{quote("sécond <b>")}/"' in page
        assert "no tournament" not in page
        here.get(f"/t/{quote('sécond <b>')}/")

    def test_a_tournament_is_shown_as_in_its_report(self, here):
        page, report = here.get("/t/first/"), render("Title", GAMES)
        Page(page)
        for table in ("standings", "cross", "endings", "faults"):
            assert words(page, table) == words(report, table)
        assert "4 of 12 games" in page

    def test_names_are_escaped(self, here):
        page = here.get("/t/first/")
        assert "<script>alert" not in page
        assert "<b onmouseover" not in page
        assert "<i>" not in page
        assert data_of(page)["players"] == list(PLAYERS)

    def test_the_page_has_its_games_without_films(self, here):
        data = data_of(here.get("/t/first/"))
        assert data["numbers"] == [1, 2, 3, 4]
        assert [game[8] for game in data["games"]] == [5, 9, 5, 1]  # plies
        assert [len(game) for game in data["games"]] == [10] * 4
        assert re.fullmatch(r"events\?since=[0-9a-f]+-4", data["live"])

    def test_a_film_is_that_of_the_report(self, here):
        film, report = json.loads(here.get("/t/first/films/2.json")), data_of(render("Title", GAMES))
        assert film["games"][0][FILM_ROW:] == report["games"][1][FILM_ROW:]
        assert film["boards"] == report["boards"]
        assert here.ask("/t/first/films/99.json")[0] == 404

    def test_only_one_tournament(self, folder):
        with site(folder / "first") as alone:
            status, headers, _ = alone.ask("/")
            assert (status, headers["location"]) == (307, "/t/first/")
            assert "Standings" in alone.get("/t/first/")

    def test_a_folder_without_tournaments_waits_for_one(self, tmp_path):
        with site(tmp_path / "later <b>") as empty:
            page = empty.get("/")
            assert "No tournament yet" in page
            assert "later &lt;b&gt;" in page
            events = empty.events("/events")
            assert "No tournament yet" in next(events)[1]["cards"]
            make(tmp_path / "later <b>" / "inner", ("a", "b"), [played("a", "b", "1-0")])
            assert "inner" in next(events)[1]["cards"]
            make(tmp_path / "later <b>", ("a", "b"), [])
            assert next(events)[:2] == ("go", f"/t/{quote('later <b>')}/")

    def test_a_tournament_without_games(self, tmp_path):
        make(tmp_path / "new", ("a", "b"), [])
        with site(tmp_path) as new:
            page = new.get("/t/new/")
            Page(page)
            assert "No rated game yet" in page
            assert "0 of 4 games" in page


class TestDownloads:
    def test_records(self, here, tmp_path):
        status, headers, text = here.ask(f"/t/{quote('sécond <b>')}/games/1.pgn")
        assert status == 200
        assert headers["content-disposition"].startswith("attachment")
        path = tmp_path / "game.pgn"
        path.write_text(text)
        record = load(path)[0]
        assert (record.moves, record.result) == (CHESS.record.moves, "0-1")
        assert "GM[" in here.get("/t/first/games/1.sgf")
        for missing in ("games/99.sgf", "games/1.pgn", "games/1.exe", "games/1", "games/x.sgf"):
            assert here.ask(f"/t/first/{missing}")[0] == 404

    def test_the_report_stands_alone(self, here):
        status, headers, text = here.ask("/t/first/report.html")
        assert (status, headers["content-disposition"]) == (200, "attachment; filename*=utf-8''first.html")
        assert all(link.startswith(("#", "data:")) for link in Page(text).links)
        assert data_of(text)["games"] == data_of(render("Title", GAMES))["games"]

    def test_standings(self, here):
        found = json.loads(here.get("/t/first/standings.json"))
        assert (found["games"], found["planned"], found["state"]) == (4, 12, "stopped")
        assert [row["elo"] for row in found["standings"]] == pytest.approx([row.elo for row in ratings(GAMES)])
        assert [fault["game"] for fault in found["faults"]] == [4]


class TestWhoMayAsk:
    @pytest.mark.parametrize(
        "path",
        [
            "/t/..%2f..%2fetc/",
            "/t/%2e%2e/",
            "/t/../secret.txt",
            "/t/no%20tournament/",
            "/t/first%2f..%2f..%2fsecret.txt",
            "/t/first/games/../tournament.sqlite",
            "/t/first/tournament.sqlite",
            "/t/first/running.json",
            "/static/app.py",
            "/static/../app.py",
            "/static/..%2fapp.py",
            "/static/%2e%2e%2fcli.py",
            "/static/report.html",
            "/static/nothing.js",
            "/secret.txt",
            "/t/%00/",
            "/nothing",
            "/static/" + "a" * 5000 + ".js",
            "/t/" + "a" * 5000 + "/",
            "/t/first/films/99999999999999999999.json",
            "/t/first/games/99999999999999999999.sgf",
        ],
    )
    def test_nothing_but_pages_is_given_out(self, here, path):
        status, _, text = here.ask(path)
        assert status == 404
        assert "secret" not in text.replace("secret.txt", "")

    def test_scripts_and_styles(self, here):
        status, headers, text = here.ask("/static/report.js")
        assert (status, headers["content-type"]) == (200, "text/javascript; charset=utf-8")
        assert "function show" in text
        page = here.get("/t/first/")
        for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
            assert here.ask(path)[0] == 200

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example", "", "127.0.0.1.x"])
    def test_another_name_for_this_machine_is_refused(self, here, host):
        assert here.ask("/", Host=host)[0] == 400

    @pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:5", "[::1]:7", "192.168.1.2"])
    def test_this_machine_may_be_asked_by_its_names(self, here, host):
        assert here.ask("/", Host=host)[0] == 200

    def test_pages_of_others_change_nothing(self, here):
        assert here.ask("/", "POST", Origin="http://evil.example")[0] == 403
        assert here.ask("/", "POST", Origin="null")[0] == 403
        assert here.ask("/", "POST", Origin="http://[")[0] == 403
        assert here.ask("/", "POST", Origin=here.address)[0] == 405

    def test_a_wrong_address_leads_on(self, here):
        status, _, text = here.ask("/tournaments")
        assert (status, "There is no such page here." in text) == (404, True)
        assert '<a href="/play">' in text

    def test_pages_may_ask_nobody_else(self, here):
        for path in ("/", "/t/first/", "/static/report.js", "/t/first/standings.json", "/nothing"):
            headers = here.ask(path)[1]
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "connect-src 'self'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"


class TestDamage:
    def test_a_damaged_store_is_told_of(self, tmp_path):
        make(tmp_path / "broken", ("a", "b"), [played("a", "b", "1-0")])
        make(tmp_path / "whole", ("a", "b"), [played("a", "b", "1-0")])
        store = tmp_path / "broken" / "tournament.sqlite"
        store.write_bytes(store.read_bytes()[:5000])
        (tmp_path / "text").mkdir()
        (tmp_path / "text" / "tournament.sqlite").write_text("no database")
        with site(tmp_path) as damaged:
            status, _, text = damaged.ask("/t/broken/")
            assert status == 500
            assert "is damaged" in text
            assert damaged.ask("/t/broken/standings.json")[0] == 500
            assert damaged.ask("/t/text/")[0] == 500
            page = damaged.get("/")
            Page(page)
            assert page.count('class="notice"') == 2
            assert "Standings" in damaged.get("/t/whole/")

    def test_what_was_read_stays_when_the_store_is_damaged_later(self, tmp_path):
        make(tmp_path / "first", ("a", "b"), [played("a", "b", "1-0")])
        with site(tmp_path) as damaged:
            since = data_of(damaged.get("/t/first/"))["live"]
            (tmp_path / "first" / "tournament.sqlite").write_bytes(b"SQLite format 3\0 and then nothing of it")
            events = damaged.events(f"/t/first/{since}")
            assert any("is damaged" in data.get("facts", "") for name, data, _ in events if name == "regions")
            assert "Standings" in damaged.get("/t/first/")

    def test_a_broken_list_of_running_games_does_no_harm(self, tmp_path):
        make(tmp_path / "first", ("a", "b"), [played("a", "b", "1-0")])
        with site(tmp_path) as odd:
            since = data_of(odd.get("/t/first/"))["live"]
            events = odd.events(f"/t/first/{since}")
            for text in ("", "{", "7", '[7, null, {"number": 2}]', '[{"number": "x", "moves": 3}]'):
                (tmp_path / "first" / "running.json").write_text(text)
                odd.get("/t/first/")
            running(tmp_path / "first", (2, "b", "a", ["b2"]))
            data = next(data for name, data, _ in events if name == "running" and data["games"])
            assert data["numbers"] == [2]


def test_a_removed_tournament_is_gone(tmp_path):
    make(tmp_path / "first", ("a", "b"), [played("a", "b", "1-0")])
    with site(tmp_path) as removed:
        add(tmp_path / "first", 2, played("b", "a", "1-0"))
        removed.get("/t/first/")
        (tmp_path / "first" / "tournament.sqlite").unlink()
        assert removed.ask("/t/first/")[0] == 404
        assert "No tournament yet" in removed.get("/")


def test_a_tournament_of_tasks_has_its_page(tmp_path):
    TaskTournament(["pendulum"], ["zero", "constant:1.0"], games=2, workers=0, out=tmp_path / "tasks").run()
    with site(tmp_path) as served:
        assert "pendulum: zero, constant:1.0" in served.get("/")
        assert "<b>Finished</b> 4 episodes<" in served.get("/")
        page = served.get("/t/tasks/")
        assert "IQM" in page
        assert "constant:1.0" in page
        assert {'<a href="/">Tournaments</a>', '<a href="/play">Play</a>'} <= set(re.findall("<a href=.*?</a>", page))
        assert "data-again" not in page
        assert Page(served.get("/t/tasks/report.html")).links == Page(task_page(Folder(tmp_path / "tasks"))).links
        assert served.ask("/t/tasks/games/1.sgf")[0] == 404
        assert len(json.loads(served.get("/t/tasks/standings.json"))["standings"]) == 2


def test_a_tournament_that_has_just_begun_is_not_called_stopped(tmp_path):
    make(tmp_path / "first", ("a", "b"), [])
    store = tmp_path / "first" / "tournament.sqlite"
    with site(tmp_path) as begun:
        assert "Being played" in begun.get("/")
        assert "Being played" in begun.get("/t/first/")
        long_ago = store.stat().st_mtime - 60
        os.utime(store, (long_ago, long_ago))
        assert "Stopped" in begun.get("/")
        assert "Stopped" in begun.get("/t/first/")


def test_one_game_is_no_plural(tmp_path):
    make(tmp_path / "one", ("a", "b"), [played("a", "b", "1-0")], length=1)
    with site(tmp_path) as single:
        assert re.search(r"<b>Finished</b> 1 game<", single.get("/"))
