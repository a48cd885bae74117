"""The report's contents: figures, escaping, self-containment, and pools with nothing to show."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Page, data_of, words

from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.pages.report import clock, elo_text, likelihood, percent, render, signed, write_report
from sakiyomi.arena.rating.joint import ratings
from sakiyomi.sgf.record import Record

NASTY = "</script><script>alert(1)</script><b onmouseover='x'>&amp;\"\u2028"


def played(first="a", second="b", result="1-0", game="tictactoe", moves=("b2", "a1"), **more):
    termination = more.pop("termination", Termination.NORMAL)
    detail = more.pop("detail", "")
    record = Record(
        game, moves=moves, result=result, players=(first, second), ending=more.pop("ending", "line"), **more
    )
    return Played(record, termination, detail, (0.25, 1.5))


class TestFigures:
    GAMES = (
        [played("strong", "weak", "1-0")] * 6
        + [played("weak", "strong", "0-1")] * 5
        + [played("weak", "strong", "1/2-1/2", ending="full board")]
        + [played("strong", "third", "1-0")] * 2
        + [played("third", "weak", "0-1", ending="", termination=Termination.CRASH, detail="third: exit code 3")]
    )

    def test_standings_are_the_ratings(self):
        page = render("Title", self.GAMES)
        rows = words(page, "standings")[1:]
        table = ratings(self.GAMES)
        assert [row[1] for row in rows] == [row.name for row in table] == ["strong", "weak", "third"]
        for cells, row in zip(rows, table, strict=True):
            assert cells[2] == elo_text(row.elo)
            assert cells[3] == f"{signed(row.high - row.elo)} {signed(row.low - row.elo)}"
            assert cells[4:7] == [f"{row.games}", f"{row.wins}–{row.draws}–{row.losses}", percent(row.score)]
        assert rows[0][4:7] == ["14", "13–1–0", "96.4 %"]
        assert rows[0][7] == likelihood(table[0].los)
        assert rows[-1][7] == "–"
        assert rows[0][8] == clock((8 * 0.25 + 6 * 1.5) / 14)

    def test_cross_table(self):
        page = render("Title", self.GAMES)
        rows = words(page, "cross")
        assert rows[0][1:] == ["strong", "weak", "third"]
        assert rows[1] == ["strong", "", "95.8 % 11–1–0", "100.0 % 2–0–0"]
        assert rows[2] == ["weak", "4.2 % 0–1–11", "", "100.0 % 1–0–0"]
        assert rows[3] == ["third", "0.0 % 0–0–2", "0.0 % 0–0–1", ""]
        assert "strong against weak: moving first 6–0–0; moving second 5–1–0" in page

    def test_an_even_score_is_neither_won_nor_lost(self):
        page = render("Title", [played("a", "b", "1-0"), played("b", "a", "1-0")])
        assert page.count('<td class="even"') == 2
        assert '<td class="lost"' not in page

    def test_endings_and_faults(self):
        page = render("Title", self.GAMES)
        assert [(row[0], row[2]) for row in words(page, "endings")[1:]] == [
            ("line", "13"),
            ("full board", "1"),
            ("crash", "1"),
        ]
        assert words(page, "faults")[1:] == [["15", "third – weak", "crash", "third: exit code 3"]]
        assert 'href="#game-15"' in page

    def test_the_first_player(self):
        page = render("Title", self.GAMES)
        assert "X moves first and scores <b>56.7 %</b>" in page
        assert "X wins 8" in page
        assert "O wins 6" in page

    def test_planned_games(self):
        assert "15 of 20" in render("Title", self.GAMES, planned=20)
        assert "<progress" in render("Title", self.GAMES, planned=20)
        assert "<progress" not in render("Title", self.GAMES, planned=15)

    def test_an_anchor_is_named(self):
        page = render("Title", self.GAMES, anchor="weak", anchor_elo=1500)
        assert "Elo with weak held fixed" in page
        assert words(page, "standings")[2][1:4] == ["weak", "1500", "anchor"]
        with pytest.raises(ValueError, match="anchor 'nobody'"):
            render("Title", self.GAMES, anchor="nobody")

    def test_data_for_the_script(self):
        data = data_of(render("Title", self.GAMES))
        assert data["players"] == ["strong", "weak", "third"]
        assert len(data["games"]) == 15
        assert data["games"][14][5] == "third: exit code 3"
        assert [board["style"] for board in data["boards"]] == ["tictactoe"]


class TestAwkwardTournaments:
    def test_no_games(self):
        page = render("Title", [], planned=10)
        Page(page)
        assert "No rated game yet" in page
        assert "0 of 10" in page

    def test_only_unrated_games(self):
        page = render("Title", [played(result="*", termination=Termination.COULD_NOT_START, detail="a: no such file")])
        Page(page)
        assert "No rated game yet" in page
        assert "no such file" in page

    def test_only_games_against_oneself(self):
        Page(render("Title", [played("a", "a")]))

    def test_pools_that_never_met(self):
        page = render("Title", [played("a", "b"), played("b", "a"), played("x", "y")])
        Page(page)
        assert "2 groups that never met" in page
        assert [row[0] for row in words(page, "standings")[1:]] == ["Group 1", "1", "2", "Group 2", "1", "2"]

    def test_a_player_who_never_started_is_named(self):
        failed = played("c", "a", "*", termination=Termination.COULD_NOT_START)
        assert "Not rated: c." in render("Title", [played(), failed])

    def test_games_that_have_no_board(self):
        page = render("Title", [played(game="tiddlywinks", moves=("flip", "flop"))])
        assert data_of(page)["games"][0][9] == -1

    @pytest.mark.parametrize(
        "where", ["title", "subtitle", "name", "detail", "ending", "result", "move", "comment", "tag"]
    )
    def test_what_users_name_is_escaped(self, where):
        at = {where: NASTY}
        game = played(
            at.get("name", "a"),
            "b",
            at.get("result", "1-0"),
            game="tictactoe" if where != "move" else "tiddlywinks",
            moves=(at.get("move", "b2"),),
            ending=at.get("ending", "line"),
            detail=at.get("detail", ""),
            termination=Termination.CRASH,
            comments={1: at.get("comment", "")},
            tags={"rules": at.get("tag", "r"), "komi": "1"},
        )
        page = render(at.get("title", "t"), [game, played()], subtitle=at.get("subtitle", ""))
        assert Page(page).tags.count("script") == 2
        assert "<script>alert" not in page
        assert "<b onmouseover" not in page
        assert json.dumps(data_of(page))

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.text(min_size=1), min_size=2, max_size=4, unique=True), st.text())
    def test_any_text_survives(self, names, title):
        page = render(title, [played(first, second) for first in names for second in names if first != second])
        Page(page)
        assert sorted(data_of(page)["players"]) == sorted(names)


class TestFile:
    def test_the_page_stands_alone(self, tmp_path):
        write_report(tmp_path / "report.html", "Title", TestFigures.GAMES)
        text = (tmp_path / "report.html").read_text(encoding="utf-8")
        page = Page(text)
        assert all(link.startswith(("#", "data:")) for link in page.links)
        addresses = set(re.findall(r"(?:https?:)?//[\w.]+\.[\w./]+", text))
        assert addresses == {"http://www.w3.org/2000/svg"}  # a namespace, which nobody fetches
        assert "@import" not in text
        assert "url(" not in text.replace("url(#", "")
        assert "default-src 'none'" in text

    def test_nothing_half_written(self, tmp_path, monkeypatch):
        path = tmp_path / "report.html"
        path.write_text("before")

        def fail(self, text, encoding):
            self.open("w").write(text[:10])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(type(path), "write_text", fail)
        with pytest.raises(OSError, match="No space left"):
            write_report(path, "Title", [])
        assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
        assert path.read_text() == "before"

    def test_the_same_games_give_the_same_page(self):
        assert render("Title", TestFigures.GAMES) == render("Title", TestFigures.GAMES)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0854, "85 ms"),
        (0.9996, "1.0 s"),
        (3.21, "3.2 s"),
        (99.96, "1:40"),
        (245, "4:05"),
        (7384, "2:03:04"),
    ],
)
def test_times(seconds, text):
    assert clock(seconds) == text


def test_figures_as_text():
    assert [elo_text(x) for x in (12.4, -12.6, -0.2)] == ["12", "−13", "0"]
    assert [signed(x) for x in (12.4, -12.6, -0.2)] == ["+12", "−13", "0"]
    assert [likelihood(x) for x in (0.5, 0.9994, 0.9999)] == ["50.0 %", "99.9 %", "> 99.9 %"]
