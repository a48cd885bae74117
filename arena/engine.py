"""Our players as engines for other programs: `serve("uct:2000")` speaks GTP on standard input and output."""

import contextlib
import io
import sys
from typing import Any, TextIO

from sakiyomi.arena.gtp_server import Session
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.go import Go

PROTOCOLS = {"gtp": "go-19x19"}
"""Protocols that can be served, and the game each starts with."""


def serve(
    player_spec: str,
    protocol: str = "gtp",
    game: str | None = None,
    *,
    seed: int | None = None,
    input: TextIO | None = None,
    output: TextIO | None = None,
    **options: Any,
) -> None:
    """Serve the player until ``quit`` or the end of `input`; standard input and output by default.

    `game` names the board that the engine starts with; controllers change it. `options` go to the game (``komi=6.5,
    rules="chinese"``); `seed` makes the games reproducible. Raises ValueError for an unknown player, protocol, game or
    option, and for a player that does not play that game.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"unknown protocol {protocol!r}; there is: {', '.join(PROTOCOLS)}")
    go = make_game(game or PROTOCOLS[protocol], **options)
    if not isinstance(go, Go):
        raise ValueError(f"GTP is a protocol for Go, not for {go.name}")
    session = Session(player_spec, go, seed)
    lines, out = input or _tolerant(sys.stdin), output or sys.stdout
    try:
        with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):  # the controller has gone
            for line in lines:
                if response := session.respond(line):
                    out.write(response)
                    out.flush()
                if session.ended:
                    break
    finally:
        session.close()


def _tolerant(stream: TextIO) -> TextIO:
    """`stream`, bytes that are no text being replaced, not fatal; comments may hold anything."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="replace")
    return stream
