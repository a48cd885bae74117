"""The web application of `sakiyomi serve`: tournaments as they are played, and games against a player.

    /                    the tournaments of a folder, or the one tournament that it holds
    /t/NAME/             a tournament: see `live.py`
    /play...             play against a player: see `play.py`
    /static/NAME         scripts and style sheets beside this file

Other engineers' routes come from functions without arguments that give a list of Starlette's routes. Every answer goes
through `guard.Guard`, which checks whose page asks and what a page may do. Templates are filled by `templates.page`.
"""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

Handler = Callable[["Request"], Awaitable["Response"]]

_TYPES = {".css": "text/css", ".js": "text/javascript"}


def make_app(folder: Path | None = None, hosts: Iterable[str] = ()) -> "Starlette":
    """The application for the tournaments in `folder` ("tournaments" of the current directory, if None).

    `hosts` are names beside those of this machine's loopback by which it may be asked.
    """
    from starlette.applications import Starlette
    from starlette.middleware import Middleware

    from sakiyomi.arena.pages.guard import Guard

    made: list[BaseRoute] = [*_static(), *_play()]
    return Starlette(routes=made, middleware=[Middleware(Guard, hosts=tuple(hosts))])


def _play() -> "list[BaseRoute]":
    with suppress(ModuleNotFoundError):
        from sakiyomi.arena.pages.play import routes

        return list(routes())
    return []


def _static() -> "list[BaseRoute]":
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    from sakiyomi.arena.pages.templates import asset

    async def static(request: "Request") -> "Response":
        name = request.path_params["name"]
        kind = _TYPES.get(Path(name).suffix)
        if kind is None or not name.replace(".", "").replace("_", "").isalnum():
            return PlainTextResponse("no such file", 404)
        try:
            return Response(asset(name), media_type=kind)
        except FileNotFoundError:
            return PlainTextResponse("no such file", 404)

    return [Route("/static/{name}", static)]
