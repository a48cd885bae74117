"""`serve`: the pages of `sakiyomi serve`, on this machine."""

import ipaddress
import socket
import sys
import webbrowser
from pathlib import Path
from threading import Timer

from sakiyomi.arena.errors import Failure

PORT = 8765
GRACE = 3  # seconds that requests have to end in
_TRIED = 20  # ports, if the first is taken


def serve(
    folder: Path | None = None,
    host: str = "127.0.0.1",
    port: int = PORT,
    *,
    open_browser: bool = False,
    commands: bool = False,
) -> None:
    """Serve the tournaments in `folder` until Ctrl-C, at the first free port from `port` on.

    With `commands`, pages may name programs of this machine to be started as players (gtp:, uci:, usi:).
    A `folder` that is not there yet is waited for. Raises Failure if nothing can be served at `host`, and
    ValueError for a `folder` that is a file.
    """
    if folder is not None and not folder.is_dir():
        if folder.exists():
            raise ValueError(f"{folder} is no folder; the folder of a tournament, or of several, is wanted")
        print(f"{folder}: no such folder yet; the page waits for it", file=sys.stderr)
    import uvicorn

    from sakiyomi.arena.pages.app import make_app
    from sakiyomi.boards import rows

    rows.set_threads(1)  # several players may think at once
    app = make_app(folder, hosts=[host], commands=commands, ended=lambda: server.should_exit)
    listener = _listen(host, port)
    at = listener.getsockname()[1]
    address = f"http://{f'[{host}]' if ':' in host else host}:{at}/"
    if at != port and port:
        print(f"port {port} is taken, so it is {at}", file=sys.stderr)
    if not _loopback(host):
        print(_open_to_others(host, commands), file=sys.stderr)
    print(f"{address}  (Ctrl-C ends it)", flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE))
    opener = Timer(0.5, webbrowser.open, [address])
    opener.daemon = True
    if open_browser:
        opener.start()
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        print("ended", file=sys.stderr)
    finally:
        opener.cancel()
        listener.close()


def _open_to_others(host: str, commands: bool) -> str:
    programs = ", and can start any program of this machine as a player" if commands else ""
    return (
        f"careful: {host} is open to other machines. Whoever reaches it sees the tournaments and lets players think"
        f" here{programs}; nothing is encrypted, nobody is asked for a password"
    )


def _listen(host: str, port: int) -> socket.socket:
    """A socket at the first free port from `port` on (0: any)."""
    failure: OSError | None = None
    try:
        family, _, _, _, found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise Failure(f"nothing can be served at {host!r}: {error.strerror}") from error
    for candidate in range(port, min(port + _TRIED, 65536)) if port else (0,):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((found[0], candidate))
            listener.listen(128)
        except OSError as error:
            listener.close()
            failure = error
        else:
            return listener
    assert failure is not None
    raise Failure(f"nothing can be served at {host} from port {port} on: {failure.strerror}")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
