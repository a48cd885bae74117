"""Who may ask the local server, and what its pages may do.

A browser shows pages of other people too. Such a page may send requests to this machine, or have a name of its own lead
here (DNS rebinding); so a request must name this machine as its host, and one that changes something must come from a
page of ours. Pages of ours may ask nobody else.
"""

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""What a page may load, and from where, unless its answer says otherwise."""


class Guard:
    """Middleware that refuses what is not asked of this machine by its name, and sends `POLICY` with every answer.

    `hosts` are further names. An IP address is always allowed as a host: no name leads astray there.
    """

    def __init__(self, app: "ASGIApp", hosts: Iterable[str] = ()):
        self._app = app
        self._hosts = {"localhost", *(host.lower() for host in hosts)}

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        from starlette.datastructures import Headers, MutableHeaders
        from starlette.responses import PlainTextResponse

        headers = Headers(scope=scope)
        host = headers.get("host", "")
        origin = headers.get("origin")
        if not self._known(host):
            refusal = "this server is asked by the name of its machine, such as localhost"
            await PlainTextResponse(refusal, 400)(scope, receive, send)
            return
        if scope["method"] not in ("GET", "HEAD") and origin is not None and not _of(host, origin):
            await PlainTextResponse("a page of another server asks", 403)(scope, receive, send)
            return

        async def guarded(message: "Message") -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer.setdefault("Content-Security-Policy", POLICY)
                answer.setdefault("Cache-Control", "no-cache")
                answer["X-Content-Type-Options"] = "nosniff"
                answer["Referrer-Policy"] = "no-referrer"
                answer["Cross-Origin-Resource-Policy"] = "same-origin"
            await send(message)

        await self._app(scope, receive, guarded)

    def _known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._hosts or name.endswith(".localhost"):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _of(host: str, origin: str) -> bool:
    """Is this the origin of a page of `host`?"""
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False
