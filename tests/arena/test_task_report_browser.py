"""The page about a tournament of tasks in a real browser."""

import pytest
from chromium import browser, nothing_goes_wrong  # noqa: F401 fixtures
from test_task_report import made

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(made(("t0", "t1"), players=[*(f"a player of a rather long name {i}" for i in range(9)), "<b>"]))
    return path.as_uri()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_as_wide_as_the_window_and_its_drawings_are_in_it(browser, address, width):  # noqa: F811
    browser.open(address, width)
    assert browser.js("document.documentElement.scrollWidth") == width
    assert browser.count(".strip .dot") == 10 * 2 * 6
    assert browser.count(".profile polyline") == 8
    outside = (
        "[...document.querySelectorAll('.strip circle, .profile polygon, #plot circle')].filter(e => {"
        " const b = e.getBoundingClientRect(), c = e.closest('section').getBoundingClientRect();"
        " return b.left < c.left || b.right > c.right || b.top < c.top || b.bottom > c.bottom }).length"
    )
    assert browser.js(outside) == 0


def test_what_is_wide_scrolls_by_the_keyboard(browser, address):  # noqa: F811
    browser.open(address, 390)
    scrolls = "[...document.querySelectorAll('.scroll')].every(e => e.tabIndex === 0)"
    assert browser.js(scrolls)
    assert browser.js("(e => e.scrollWidth > e.clientWidth)(document.querySelector('#cross').parentElement)")
