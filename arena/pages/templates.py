"""The pages' templates, filled by Jinja, which escapes what a user named; and the files that stand beside them."""

from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from sakiyomi.arena.pages.words import clock, elo_text, likelihood, percent, plain, ratio, signed, span


def page(name: str, **context: Any) -> str:
    """The template `name` ("index.html", beside this file), filled."""
    return template(name).render(**context)


@lru_cache
def template(name: str) -> Template:
    """The template `name`. `page.html` is the frame of all of them: its head, its menu (where a server gives the
    page: `served`), its footer; others extend it.
    """
    return _environment().get_template(name)


@lru_cache
def asset(name: str) -> str:
    """The text of a script or a style sheet beside this file."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@lru_cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("sakiyomi.arena.pages", ""),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "elo": elo_text,
        "signed": signed,
        "clock": clock,
        "percent": percent,
        "likelihood": likelihood,
        "span": span,
        "ratio": ratio,
        "plain": plain,
    }
    environment.globals["served"] = False
    environment.globals["asset"] = asset
    return environment
