"""The command `serve`."""

from pathlib import Path
from typing import Annotated

import typer


def serve(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="a tournament's folder, or one of several (tournaments)")
    ] = None,
    port: Annotated[int, typer.Option(help="the port, or the next free one", min=0, max=65535)] = 8765,
    host: Annotated[
        str, typer.Option(help="the address to serve at; others than this are open to the network")
    ] = "127.0.0.1",
    commands: Annotated[
        bool,
        typer.Option(
            "--commands",
            help="let pages start programs as players (uci:stockfish) and load agents from folders (alphazero:DIR)",
        ),
    ] = False,
    browser: Annotated[bool, typer.Option("--open", help="open the page in the browser")] = False,
) -> None:
    """Serve the pages on this machine: tournaments as they are played, their games, and play against a player.

    Example: sakiyomi serve first --open

    Example: sakiyomi serve tournaments --port 9000
    """
    from sakiyomi.arena.pages.serving import serve as serve_pages

    serve_pages(folder, host, port, open_browser=browser, commands=commands)
