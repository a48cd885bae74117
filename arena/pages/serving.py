"""`serve`: the pages of `sakiyomi serve`, on this machine."""

import ipaddress
import socket
import sys
import webbrowser
from pathlib import Path
from threading import Timer

from sakiyomi.arena.errors import Failure

PORT = 8765
_TRIED = 20  # ports, if the first is taken


def serve(folder: Path | None = None, host: str = "127.0.0.1", port: int = PORT, *, open_browser: bool = False) -> None:
    """Serve the tournaments in `folder` until Ctrl-C, at the first free port from `port` on.

    Raises Failure if nothing can be served at `host`, or Starlette or uvicorn is missing.
    """
    try:
        import uvicorn

        from sakiyomi.arena.pages.app import make_app

        app = make_app(folder, hosts=[host])
    except ModuleNotFoundError as error:
        raise Failure(f'the pages need {error.name}: pip install "sakiyomi[web]"') from None
    listener = _listen(host, port)
    at = listener.getsockname()[1]
    address = f"http://{f'[{host}]' if ':' in host else host}:{at}/"
    if at != port and port:
        print(f"port {port} is taken, so it is {at}", file=sys.stderr)
    if not _loopback(host):
        print(
            f"{host} is open to other machines: whoever reaches it sees the tournaments and can start players here;"
            " nothing is encrypted, nobody is asked for a password",
            file=sys.stderr,
        )
    print(f"{address}  (Ctrl-C ends it)", flush=True)
    opener = Timer(0.5, webbrowser.open, [address])
    opener.daemon = True
    if open_browser:
        opener.start()
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1, lifespan="on")
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        print("ended", file=sys.stderr)
    finally:
        opener.cancel()
        listener.close()


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
