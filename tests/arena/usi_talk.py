"""Talking to a USI session in tests; players by spec `python:usi_talk:NAME`."""

from uci_talk import Talk, Thinks

from sakiyomi.arena.serving.usi_server import Session
from sakiyomi.boards.player import DECLARE
from sakiyomi.boards.shogi import Shogi


class ShogiTalk(Talk):
    """A session of shogi, and every line that it has said."""

    def open(self, spec, game, seed, say):
        return Session(spec, game or Shogi(), seed, say=say)


class Big(Thinks):
    """One with a memory of its own."""

    megabytes = 256


class Claims:
    """Declares the entering king, whatever the position."""

    name = "claims"

    def begin(self, game, side, rng):
        pass

    def choose(self, position, budget):
        return DECLARE

    def close(self):
        pass
