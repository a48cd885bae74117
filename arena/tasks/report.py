"""One HTML page about a tournament of tasks, in the frame and style of the other reports.

The page is tasks.html and tasks.css beside this file, filled here. As a file it has no script and asks for nothing.
"""

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template

from sakiyomi.arena.pages.templates import asset
from sakiyomi.arena.pages.words import clock, elo_text, likelihood, percent, signed
from sakiyomi.arena.tasks.figures import task_figures
from sakiyomi.arena.tasks.standings import Standing, Table
from sakiyomi.arena.tasks.store import EpisodeRow
from sakiyomi.arena.tasks.words import figure


def render_tasks(
    title: str,
    table: Table,
    standings: Sequence[Standing],
    rows: Sequence[EpisodeRow],
    planned: int,
    *,
    served: bool = False,
) -> str:
    """The page as text; `planned` is the number of episodes that there are to be.

    A page that is `served` has the menu of the other pages, and renews itself while episodes are to come.
    """
    style = files(__package__).joinpath("tasks.css").read_text(encoding="utf-8")
    return _template().render(title=title, style=style, served=served, **task_figures(table, standings, rows, planned))


@lru_cache
def _template() -> Template:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("sakiyomi.arena.tasks", ""), PackageLoader("sakiyomi.arena.pages", "")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "clock": clock,
        "elo": elo_text,
        "figure": figure,
        "likelihood": likelihood,
        "percent": percent,
        "signed": signed,
    }
    environment.globals |= {"served": False, "asset": asset}
    return environment.get_template("tasks.html")
