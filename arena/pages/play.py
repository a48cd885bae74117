"""The routes under /play: a game against any player in the browser.

    GET  /play               the page
    POST /play/new           begin a game (`play_setup.read_setup`); answers its state
    GET  /play/KEY/state     the state (`play_session.Session.state`)
    GET  /play/KEY/events    server-sent events: state, thought, hint, closed
    POST /play/KEY/VERB      move, undo, resign, claim, pause, hint, analyse, stop, close; answers the state

Bodies and answers are JSON; an answer that is no 2xx is ``{"error": ONE LINE}``. A body that does not say that it is
JSON is refused: pages of other sites cannot send such a one without asking first. `guard.Guard` looks at host and
origin.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sakiyomi.arena.pages.play_page import play_page
from sakiyomi.arena.pages.play_room import Room
from sakiyomi.arena.pages.play_seats import analyst, check_spec, thinks
from sakiyomi.arena.pages.play_session import Refused, Session
from sakiyomi.arena.pages.play_setup import read, read_setup

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

LARGEST = 1 << 16  # bytes of a request
WAITING = 200  # events that a listener may be behind before it is dropped; it asks anew
_STILL_HERE = 15.0  # seconds between signs of life to a page that is told nothing


class BadRequest(ValueError):
    """A request that is none, with the HTTP `status` that says so."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


def routes(*, commands: bool = False, room: Room | None = None) -> "list[BaseRoute]":
    """Starlette's routes of the pages to play on. With `commands`, pages may name programs to start as players.

    Streams of events end when `room` is closed.
    """
    from starlette.routing import Route

    served = _Served(room or Room(), commands)
    return [
        Route("/play", served.page),
        Route("/play/new", served.new, methods=["POST"]),
        Route("/play/{key}/state", served.state),
        Route("/play/{key}/events", served.events),
        Route("/play/{key}/{verb}", served.act, methods=["POST"]),
    ]


class _Served:
    """The routes' handlers for the games of one room."""

    def __init__(self, room: Room, commands: bool):
        self._room, self._commands = room, commands

    async def page(self, _request: "Request") -> "Response":
        from starlette.responses import HTMLResponse

        return HTMLResponse(await asyncio.to_thread(play_page))

    async def new(self, request: "Request") -> "Response":
        def begin(body: Mapping[str, Any]) -> dict[str, Any]:
            setup = read_setup(body, commands=self._commands)
            self._room.close(read(body, "replaces", str, ""))
            return self._room.open(setup).state()

        return await _answered(request, begin)

    async def state(self, request: "Request") -> "Response":
        return await _answered(request, lambda _: self._session(request).state())

    async def act(self, request: "Request") -> "Response":
        def act(body: Mapping[str, Any]) -> dict[str, Any]:
            session = self._session(request)
            verb = request.path_params["verb"]
            if verb == "close":
                self._room.close(session.key)
            elif verb not in _VERBS:
                raise BadRequest(404, f"a game has no {verb!r}; there are: {', '.join(_VERBS)}, close")
            else:
                _VERBS[verb](self, session, body)
            return session.state()

        return await _answered(request, act)

    async def events(self, request: "Request") -> "Response":
        from starlette.responses import StreamingResponse

        try:
            session = self._session(request)
        except BadRequest as error:
            return _refusal(error.status, str(error))
        return StreamingResponse(
            _stream(session), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    def _session(self, request: "Request") -> Session:
        try:
            return self._room.get(request.path_params["key"])
        except KeyError:
            raise BadRequest(404, "this game is not kept here any more: begin a new one") from None

    def _analyst(self, session: Session, body: Mapping[str, Any]) -> str:
        spec = check_spec(read(body, "spec", str), session.setup.game, commands=self._commands)
        if not thinks(spec):
            raise ValueError(f"{spec} cannot be watched while it thinks")
        return analyst(spec)

    def _hint(self, session: Session, body: Mapping[str, Any]) -> None:
        session.hint(self._analyst(session, body))

    def _analyse(self, session: Session, body: Mapping[str, Any]) -> None:
        session.analyse(self._analyst(session, body), read(body, "ply", int))


_VERBS: dict[str, Callable[[_Served, Session, Mapping[str, Any]], None]] = {
    "move": lambda _, session, body: session.move(read(body, "move", str), read(body, "ply", int)),
    "undo": lambda _, session, body: session.undo(),
    "resign": lambda _, session, body: session.resign(),
    "claim": lambda _, session, body: session.claim(),
    "pause": lambda _, session, body: session.pause(read(body, "paused", bool)),
    "hint": _Served._hint,
    "analyse": _Served._analyse,
    "stop": lambda _, session, body: session.stop(),
}


async def _answered(request: "Request", handle: Callable[[Mapping[str, Any]], dict[str, Any]]) -> "Response":
    """What `handle` makes of the request's body, in a thread; errors as JSON."""
    from starlette.responses import JSONResponse

    try:
        body = await _body(request) if request.method == "POST" else {}
        return JSONResponse(await asyncio.to_thread(handle, body), headers={"Cache-Control": "no-store"})
    except BadRequest as error:
        return _refusal(error.status, str(error))
    except Refused as error:
        return _refusal(409, str(error))
    except ValueError as error:
        return _refusal(400, str(error))


def _refusal(status: int, message: str) -> "Response":
    from starlette.responses import JSONResponse

    return JSONResponse({"error": message}, status, headers={"Cache-Control": "no-store"})


async def _body(request: "Request") -> Mapping[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise BadRequest(415, f"the body must be application/json, not {kind or 'of no kind'}")
    text = b""
    async for part in request.stream():
        text += part
        if len(text) > LARGEST:
            raise BadRequest(413, f"the body is longer than {LARGEST} bytes")
    try:
        body = json.loads(text or b"{}")
    except (ValueError, RecursionError):
        raise BadRequest(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise BadRequest(400, "the body must be a JSON object")
    return body


async def _stream(session: Session) -> AsyncIterator[str]:
    """The session's events as text, until it is closed or the page is gone."""
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[tuple[str, dict[str, Any] | None]] = asyncio.Queue()

    def put(event: str, data: dict[str, Any] | None) -> None:
        if events.qsize() < WAITING or event == "closed":
            events.put_nowait((event, data))
        elif events.qsize() == WAITING:
            events.put_nowait(("closed", None))

    def hear(event: str, data: dict[str, Any] | None) -> None:
        with suppress(RuntimeError):  # the server has ended
            loop.call_soon_threadsafe(put, event, data)

    await asyncio.to_thread(session.listen, hear)
    try:
        while True:
            try:
                event, data = await asyncio.wait_for(events.get(), _STILL_HERE)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            yield f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"
            if event == "closed":
                return
    finally:
        session.unlisten(hear)
