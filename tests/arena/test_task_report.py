"""The page about a tournament of tasks: what it says, and that names cannot do anything in it."""

import numpy as np
import pytest
from pages import Page, words
from test_task_standings import rows

from sakiyomi.arena.tasks.figures import ticks
from sakiyomi.arena.tasks.report import render_tasks
from sakiyomi.arena.tasks.standings import Table
from sakiyomi.arena.tasks.words import figure

pytest.importorskip("gymnasium")

RNG = np.random.default_rng(0)
PLAYERS = ["good", "bad", "<script>alert(1)</script>"]


def made(tasks=("t0",), scales=None, episodes=6, planned=None, players=PLAYERS):
    every = []
    for task in tasks:
        returns = {name: (10 - 9 * i + RNG.normal(0, 1, episodes)).tolist() for i, name in enumerate(players)}
        every += rows(returns, task)
    table = Table(every, tasks, players, scales)
    standings = table.standings(200)
    return render_tasks("a title", table, standings, every, planned or len(every))


def test_the_page_stands_alone_and_nests():
    page = made()
    checked = Page(page)
    assert all(link.startswith(("data:", "#")) for link in checked.links)
    assert "script" not in checked.tags
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert checked.tags.count("section") == 5


def test_tables():
    page = made(("t0", "t1"), scales={"t0": (0, 10), "t1": (0, 20)})
    standings = words(page, "standings")
    assert standings[0][:6] == ["#", "Player", "IQM", "95 %", "Mean", "Median"]
    assert [row[1] for row in standings[1:]] == PLAYERS
    assert [row[-3:-1] for row in standings[1:]] == [["12", "0"]] * 3
    cross = words(page, "cross")
    assert cross[0] == ["", *PLAYERS]
    assert cross[1][2].startswith("100.0 %")
    assert cross[2][1].startswith("0.0 %")
    assert "Gap" in standings[0]
    assert "Returns of different tasks are pooled" not in page
    assert "Returns of different tasks are pooled" in made(("t0", "t1"))


def test_failures_are_shown_with_their_reason():
    every = rows({"good": [1, 2, 3], "bad": [None, 2, None]})
    table = Table(every, ["t"], ["good", "bad"])
    page = render_tasks("a title", table, table.standings(100), every, 6)
    faults = words(page, "faults")
    assert [row[:4] for row in faults[1:]] == [["bad", "t", "1", "crash"], ["bad", "t", "3", "crash"]]
    assert "2 failed" in page


def test_unfinished_and_empty_tournaments():
    assert "of the episodes are played" in made(planned=100)
    assert "No episode yet" in render_tasks("a title", Table([], ["t"], ["a"]), [], [], 5)
    single = made(players=["good"])
    assert 'id="cross"' not in single
    assert 'id="plot"' not in single


def test_equal_returns_have_a_plot():
    every = rows({"a": [3, 3, 3], "b": [3, 3, 3]})
    table = Table(every, ["t"], ["a", "b"])
    page = render_tasks("a title", table, table.standings(100), every, 6)
    assert "nan" not in page.lower()
    assert page.count('class="dot"') == 6


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (-1200, -100, [-1200, -1000, -800, -600, -400, -200]), (2, 2.06, None)],
)
def test_ticks_are_round_and_few(low, high, wanted):
    found = ticks(low, high)
    assert 2 <= len(found) <= 7
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)
    if wanted:
        assert found == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("value", "text"),
    [(28.614, "28.61"), (1204.4, "1204"), (0.00342, "0.0034"), (-3.5, "−3.500"), (0, "0"), (-1e-9, "0"), (np.nan, "")],
)
def test_figures(value, text):
    assert figure(value) == text
