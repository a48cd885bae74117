"""Our players as engines for other programs: `serve("uct:2000")` speaks GTP, or another protocol, on its pipes."""

import contextlib
import io
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.game import Game

if TYPE_CHECKING:
    from sakiyomi.arena.serving.session import EngineSession

PROTOCOLS = {"gtp": "go-19x19", "uci": "chess", "usi": "shogi"}
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

    `game` names the game that the engine starts with; controllers change the board of Go, and the kind of chess.
    `options` go to the game (``komi=6.5, rules="chinese"``); `seed` makes the games reproducible. Raises ValueError for
    an unknown player, protocol, game or option, and for a player that does not play that game.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"unknown protocol {protocol!r}; there are: {', '.join(PROTOCOLS)}")
    board = make_game(game or PROTOCOLS[protocol], **options)
    lines, out = input or _tolerant(sys.stdin), output or sys.stdout
    {"gtp": _serve_gtp, "uci": _serve_uci, "usi": _serve_usi}[protocol](player_spec, board, seed, lines, out)


def _serve_gtp(player_spec: str, game: Game, seed: int | None, lines: TextIO, out: TextIO) -> None:
    from sakiyomi.arena.serving.gtp_server import Session
    from sakiyomi.boards.go import Go

    if not isinstance(game, Go):
        raise ValueError(f"GTP is a protocol for Go, not for {game.name}")
    session = Session(player_spec, game, seed)
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


def _serve_uci(player_spec: str, game: Game, seed: int | None, lines: TextIO, out: TextIO) -> None:
    from sakiyomi.arena.serving.uci_server import Session
    from sakiyomi.boards.chess import Chess

    if not isinstance(game, Chess):
        raise ValueError(f"UCI is a protocol for chess and chess960, not for {game.name}")

    _converse(lambda say: Session(player_spec, game, seed, say=say), lines, out)


def _serve_usi(player_spec: str, game: Game, seed: int | None, lines: TextIO, out: TextIO) -> None:
    from sakiyomi.arena.serving.usi_server import Session
    from sakiyomi.boards.shogi import Shogi

    if not isinstance(game, Shogi):
        raise ValueError(f"USI is a protocol for shogi, not for {game.name}")
    _converse(lambda say: Session(player_spec, game, seed, say=say), lines, out)


def _converse(make: "Callable[[Callable[[str], None]], EngineSession]", lines: TextIO, out: TextIO) -> None:
    """A session of UCI or USI, made by `make`, from the first line to the last."""

    def say(line: str) -> None:
        try:
            out.write(line + "\n")
            out.flush()
        except BrokenPipeError:  # the controller has gone; the end of input follows
            session.stop()

    session = make(say)
    stopped = False
    try:
        with contextlib.suppress(KeyboardInterrupt):
            for line in lines:
                session.hear(line)
                if session.ended:
                    break
            else:
                session.drain()
    finally:
        stopped = session.close()
    if not stopped and lines is sys.stdin:  # a player deep in thought, or the compiler: nothing would end it in order
        os._exit(0)


def _tolerant(stream: TextIO) -> TextIO:
    """`stream`, bytes that are no text being replaced, not fatal; comments may hold anything."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="replace")
    return stream
