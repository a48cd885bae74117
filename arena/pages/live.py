"""The pages of tournaments: the list of them, and each as it is played.

/                          the list, or the way to the one tournament that the folder holds
/events                    the list again, when it has changed
/t/NAME/                   the page of a tournament: the report, and what moves
/t/NAME/events             what has changed, as server-sent events: see `_changes`
/t/NAME/films/NUMBER.json  a game to be shown
/t/NAME/games/NUMBER.EXT   its record
/t/NAME/report.html        the page as one file; /t/NAME/standings.json the ratings

Tournaments of single-player tasks have the page, the report and the standings.
"""

import json
import time
from asyncio import sleep, to_thread
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from sakiyomi.arena.folder import RECORDS, Folder, plain
from sakiyomi.arena.pages.catalog import Catalog
from sakiyomi.arena.pages.film_data import to_json
from sakiyomi.arena.pages.frames import board_of
from sakiyomi.arena.pages.report import SCRIPTS, render
from sakiyomi.arena.pages.templates import page
from sakiyomi.arena.pages.watch import Watched
from sakiyomi.arena.store import Row, StoreError
from sakiyomi.arena.tasks.results import task_page

if TYPE_CHECKING:
    from starlette.requests import Request

BEAT = 0.5
"""Seconds between two looks for what has changed."""
NEWS = 5000
"""Games that one event tells of, at most."""
SILENCE = 15.0
"""Seconds after which something is said in any case, so that a reader who has gone is noticed."""
_TYPES = {
    "pgn": "application/x-chess-pgn",
    "sgf": "application/x-go-sgf",
    "csa": "text/plain",
    "kif": "text/plain",
}
Handler = Callable[["Request"], Awaitable[Response]]
WatchedHandler = Callable[["Request", Watched], Awaitable[Response]]


def routes(catalog: Catalog, ended: Callable[[], bool]) -> list[Route]:
    """The routes for the tournaments of `catalog`. Events end when `ended` says that the server does."""

    def watching(handler: WatchedHandler) -> Handler:
        """`handler` for the tournament that the address names."""

        @wraps(handler)
        async def handle(request: "Request") -> Response:
            name = request.path_params["name"]
            if (tasks := await to_thread(catalog.tasks, name)) is not None:
                return await _of_tasks(request, tasks)
            watched = await to_thread(catalog.get, name)
            if watched is None:
                return apology(f"There is no tournament {request.path_params['name']!r} here.", 404)
            try:
                return await handler(request, watched)
            except StoreError as error:
                return apology(str(error), 500)

        return handle

    async def index(request: "Request") -> Response:
        alone = await to_thread(lambda: catalog.alone)
        if alone is not None:
            return RedirectResponse(_address(alone))
        return HTMLResponse(
            page("index.html", served="tournaments", folder=catalog.folder, cards=await _cards(catalog))
        )

    async def index_events(request: "Request") -> Response:
        return _stream(_list_changes(catalog, ended))

    async def events(request: "Request", watched: Watched) -> Response:
        since = request.headers.get("last-event-id") or request.query_params.get("since", "")
        return _stream(_changes(watched, since, ended))

    return [
        Route("/", index),
        Route("/events", index_events),
        Route("/t/{name}/", watching(_tournament)),
        Route("/t/{name}/events", watching(events)),
        Route("/t/{name}/films/{number:int}.json", watching(_film)),
        Route("/t/{name}/games/{number:int}.{kind}", watching(_record)),
        Route("/t/{name}/report.html", watching(_report)),
        Route("/t/{name}/standings.json", watching(_standings)),
    ]


async def _of_tasks(request: "Request", folder: Folder) -> Response:
    """The page of single-player tasks: drawn afresh for each request, which its script repeats while they go on."""
    asked = request.url.path.rpartition("/")[2]
    if asked == "standings.json":
        return FileResponse(folder.standings) if folder.standings.exists() else apology("No standings yet.", 404)
    if asked not in ("", "report.html"):
        return apology("Tournaments of tasks have no games.", 404)
    try:
        text = await to_thread(task_page, folder, served=not asked)
    except StoreError as error:
        return apology(str(error), 500)
    return HTMLResponse(text)


async def _tournament(request: "Request", watched: Watched) -> Response:
    text = await to_thread(_page, watched)
    return HTMLResponse(text)


def _page(watched: Watched) -> str:
    watched.refresh()
    if watched.trouble and not watched.arrived:
        raise StoreError(watched.trouble)
    known, data = watched.data()
    _, shown = watched.figures()
    data["live"] = f"events?since={watched.mark}-{known}"
    board = board_of(watched.game)
    more = {**shown, "sides": board.sides} if board else shown
    return page(
        "report.html",
        served="tournament",
        title=watched.title,
        subtitle="",
        data=to_json(data),
        scripts=(*SCRIPTS, "served.js", "served_running.js"),
        live=watched.status,
        trouble=watched.trouble,
        **more,
    )


async def _changes(watched: Watched, since: str, ended: Callable[[], bool]) -> AsyncIterator[str]:
    """What happens in a tournament after the event `since` ("MARK-COUNT"), as server-sent events:

    `games`: games that have ended, as the page's data has them; `regions`: parts of the page, by their ids, as HTML;
    `running`: the games being played; `anew`: this server does not know the page's data, so let it be loaded anew.
    """
    mark, _, count = since.rpartition("-")
    if mark != watched.mark or not count.isdigit() or int(count) > len(watched.arrived):
        yield _event("anew", {})
        return
    known, told = int(count), _Told()
    while not ended():
        await to_thread(watched.refresh)
        if watched.mark != mark:
            yield _event("anew", {})
            return
        while len(watched.arrived) > known:
            known, news = await to_thread(watched.news, known, NEWS)
            yield _event("games", news, f"{watched.mark}-{known}")
        for event in await to_thread(_moved, watched, told):
            yield event
        yield told.beat()
        await sleep(BEAT)


def _moved(watched: Watched, told: "_Told") -> list[str]:
    """The events for the parts of the page that are not as they were told."""
    version, shown = watched.figures()
    shown = {**shown, "live": watched.status, "trouble": watched.trouble}
    regions = {}
    if told.new("facts", text := page("facts.html", **shown)):
        regions["facts"] = text
    if told.new("version", version):
        regions |= {"ratings": page("standings.html", **shown), "figures": page("figures.html", **shown)}
    events = [_event("regions", regions)] if regions else []
    if told.new("running", running := watched.running()):
        events.append(_event("running", running))
    return events


async def _list_changes(catalog: Catalog, ended: Callable[[], bool]) -> AsyncIterator[str]:
    """The list of tournaments whenever it changes (`regions`), and where to go when there is but one (`go`)."""
    told = _Told()
    while not ended():
        alone = await to_thread(lambda: catalog.alone)
        if alone is not None:
            yield _event("go", _address(alone))
            return
        text = page("cards.html", folder=catalog.folder, cards=await _cards(catalog))
        yield _event("regions", {"cards": text}) if told.new("cards", text) else told.beat()
        await sleep(2 * BEAT)


class _Told:
    """What a page has been told, so that it is told what is new alone."""

    def __init__(self) -> None:
        self._told: dict[str, Any] = {}
        self._spoke = time.monotonic()

    def new(self, name: str, news: Any) -> bool:
        """Is this not what was told last?"""
        if name in self._told and self._told[name] == news:
            return False
        self._told[name] = news
        self._spoke = time.monotonic()
        return True

    def beat(self) -> str:
        """A word that means nothing, where nothing was said for long."""
        if time.monotonic() - self._spoke < SILENCE:
            return ""
        self._spoke = time.monotonic()
        return ": nothing new\n\n"


async def _film(request: "Request", watched: Watched) -> Response:
    film = await to_thread(watched.film, request.path_params["number"])
    return Response("no such game", 404) if film is None else JSONResponse(film)


async def _record(request: "Request", watched: Watched) -> Response:
    number, kind = request.path_params["number"], request.path_params["kind"]
    row = await to_thread(watched.row, number)
    if row is None or kind not in RECORDS.get(row.played.record.game, ("sgf",)):
        return Response("no such game", 404)
    text = await to_thread(_written, row, watched.title, kind)
    return _attached(text, f"game-{number}.{kind}", _TYPES[kind])


def _written(row: Row, event: str, kind: str) -> bytes:
    """The record as the tournament's folder has it, made anew, since a killed tournament may lack some."""
    with TemporaryDirectory() as path:
        folder = Folder(Path(path))
        folder.games.mkdir()
        folder.write_record(row, event)
        return next(path for path in folder.record_paths(row) if path.suffix == f".{kind}").read_bytes()


async def _report(request: "Request", watched: Watched) -> Response:
    name = f"{request.path_params['name']}.html"
    return _attached((await to_thread(_whole, watched)).encode(), name, "text/html")


def _whole(watched: Watched) -> str:
    """The static report of all games stored now."""
    watched.refresh()
    rows = watched.all_rows()
    _, shown = watched.figures()
    return render(
        watched.title,
        [row.played for row in rows],
        planned=watched.status.planned,
        numbers=[row.pairing.number for row in rows],
        test=shown["test"],
    )


async def _standings(request: "Request", watched: Watched) -> Response:
    return JSONResponse(await to_thread(_table, watched))


def _table(watched: Watched) -> dict[str, Any]:
    watched.refresh()
    if watched.trouble:
        raise StoreError(watched.trouble)
    _, shown = watched.figures()
    status = watched.status
    faults = [entry for entry in watched.entries() if entry.played.detail]
    return {
        "tournament": watched.title,
        "state": status.state,
        "games": shown["count"],
        "planned": status.planned,
        "standings": [plain(asdict(row.rating)) for row in shown["table"]],
        "faults": [
            {"game": entry.number, "termination": entry.played.termination.value, "detail": entry.played.detail}
            for entry in faults
        ],
    }


async def _cards(catalog: Catalog) -> list[Any]:
    return [{"card": card, "address": _address(card.name)} for card in await to_thread(catalog.cards)]


def _address(name: str) -> str:
    return f"/t/{quote(name, safe='')}/"


def _event(name: str, data: Any, known: str = "") -> str:
    head = f"id: {known}\n" if known else ""
    return f"{head}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _stream(events: AsyncIterator[str]) -> Response:
    return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _attached(data: bytes, name: str, kind: str) -> Response:
    disposition = f"attachment; filename*=utf-8''{quote(name, safe='')}"
    return Response(data, media_type=kind, headers={"Content-Disposition": disposition})


def apology(message: str, status: int) -> Response:
    """A page that says why another cannot be shown."""
    return HTMLResponse(page("apology.html", served="tournament", message=message), status)
