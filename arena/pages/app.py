"""The web application of `sakiyomi serve`: tournaments as they are played, and games against a player.

    /                    the tournaments of a folder, or the one tournament that it holds: see `live.py`
    /t/NAME/             a tournament
    /play...             play against a player: see `play.py`
    /static/NAME         scripts and style sheets beside this file

Every answer goes through `guard.Guard`, which checks whose page asks and what a page may do. Templates are filled by
`templates.page`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

FOLDER = Path("tournaments")
"""Where tournaments are looked for, if nothing is said; where `sakiyomi tournament` leaves them."""
_TYPES = {".css": "text/css", ".js": "text/javascript"}
_BEAT = 0.2  # seconds between two looks whether the server is about to end


def make_app(
    folder: Path | None = None,
    hosts: Iterable[str] = (),
    *,
    commands: bool = False,
    ended: Callable[[], bool] = lambda: False,
) -> "Starlette":
    """The application for the tournaments in `folder` (`FOLDER`, if None).

    `hosts` are names beside those of this machine's loopback by which it may be asked. With `commands`, pages may name
    programs to be started as players. When `ended` says that the server is about to end, so do its streams of events.
    """
    from starlette.applications import Starlette
    from starlette.middleware import Middleware

    from sakiyomi.arena.pages import live, play
    from sakiyomi.arena.pages.catalog import Catalog
    from sakiyomi.arena.pages.guard import Guard
    from sakiyomi.arena.pages.play_room import Room

    room = Room()

    async def close_room_at_end() -> None:
        while not ended():
            await asyncio.sleep(_BEAT)
        await asyncio.to_thread(room.close_all)

    @asynccontextmanager
    async def lifespan(_app: "Starlette") -> AsyncIterator[None]:
        closing = asyncio.create_task(close_room_at_end())
        yield
        closing.cancel()
        await asyncio.to_thread(room.close_all)

    made = [
        *live.routes(Catalog(FOLDER if folder is None else folder), ended),
        *play.routes(commands=commands, room=room),
        *_static(),
    ]

    async def no_page(_request: "Request", _error: Exception) -> "Response":
        return live.apology("There is no such page here.", 404)

    return Starlette(
        routes=made,
        middleware=[Middleware(Guard, hosts=tuple(hosts))],
        exception_handlers={404: no_page},
        lifespan=lifespan,
    )


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
        except OSError:  # there is none, or its name is longer than names can be
            return PlainTextResponse("no such file", 404)

    return [Route("/static/{name}", static)]
