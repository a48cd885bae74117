"""Shogi engines as players: the controller's side of the Universal Shogi Interface; sources in `serving.usi_server`."""

import re

from sakiyomi.arena.engines.player import EnginePlayer, milliseconds
from sakiyomi.arena.engines.usi_spec import USI_SYNTAX
from sakiyomi.boards.clock import Clock
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import DECLARE, RESIGN
from sakiyomi.boards.position import Position

_MOVE = re.compile(r"[1-9][a-i][1-9][a-i]\+?|[PLNSGBR]\*[1-9][a-i]", re.ASCII)


class UsiPlayer(EnginePlayer):
    """A USI engine as a `Player` of shogi; see `EnginePlayer`.

    ``bestmove resign`` gives the game up, and ``bestmove win`` declares the entering king. The match's seconds for a
    move are told as byo-yomi, which every engine knows.
    """

    syntax = USI_SYNTAX
    timed, increment_first = "byoyomi", True

    def check_game(self, game: Game) -> None:  # noqa: D102
        check_game(game)

    def start_text(self, position: Position) -> str:  # noqa: D102
        start = position.text()
        even = start == position.game.position_text(position.game.new(1))
        return "startpos" if even else f"sfen {start}"

    def clock_words(self, clocks: tuple[Clock, Clock], side: int) -> str:
        """As `EnginePlayer.clock_words`. What is left is told without the increment of the coming move.

        Servers of CSA's protocol add it before the move, and engines reckon with what is left and the increment
        together; ours is added after the move and stands on the clock by then. Spare periods of byo-yomi are not told
        of, and of Canadian overtime, which USI does not know, a byo-yomi of a move's share.
        """
        own = clocks[side]
        added = [min(clock.increment, max(clock.left, 0.0)) for clock in clocks]
        left = [milliseconds(_main_time(clock) - more) for clock, more in zip(clocks, added, strict=True)]
        words = [f"btime {left[0]} wtime {left[1]}"]
        if any(added):
            words.append(f"binc {milliseconds(added[0])} winc {milliseconds(added[1])}")
        if own.byoyomi or not any(added):
            words.append(f"byoyomi {milliseconds(_byoyomi(own))}")
        return " ".join(words)

    def move_of(self, said: str) -> str | None:  # noqa: D102
        if said.lower() in (RESIGN, DECLARE):
            return said.lower()
        return said if _MOVE.fullmatch(said) else None


def check_game(game: Game) -> None:
    """Raises ValueError for a game that USI engines do not play."""
    if game.name != "shogi":
        raise ValueError(f"USI engines play shogi, not {game.name}")


def _main_time(clock: Clock) -> float:
    return 0.0 if clock.overtime and clock.byoyomi else clock.left


def _byoyomi(clock: Clock) -> float:
    """Seconds of overtime for the coming move."""
    if not clock.canadian:
        return clock.byoyomi
    return clock.left / max(clock.moves_to_go or 1, 1) if clock.overtime else clock.byoyomi / clock.stones
