"""Shogi engines as players: the controller's side of the Universal Shogi Interface; sources in `serving.usi_server`."""

import re
from collections.abc import Mapping
from typing import Any

from sakiyomi.arena.engines.options import Option
from sakiyomi.arena.engines.player import EnginePlayer, taken_back
from sakiyomi.arena.engines.process import EngineProcess
from sakiyomi.arena.engines.spec import Limits, unknown_option
from sakiyomi.arena.engines.usi_connection import UsiConnection
from sakiyomi.arena.engines.usi_spec import USI_SYNTAX
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import DECLARE, RESIGN
from sakiyomi.boards.position import Position

_MOVE = re.compile(r"[1-9][a-i][1-9][a-i]\+?|[PLNSGBR]\*[1-9][a-i]", re.ASCII)


class UsiPlayer(EnginePlayer[UsiConnection]):
    """A USI engine as a `Player` of shogi; see `EnginePlayer`.

    ``bestmove resign`` gives the game up, and ``bestmove win`` declares the entering king. The match's seconds for a
    move are told as byo-yomi, which every engine knows.
    """

    timed, increment_first = "byoyomi", True

    def check_game(self, game: Game) -> None:  # noqa: D102
        check_game(game)

    def connect(self, process: EngineProcess) -> UsiConnection:  # noqa: D102
        engine = UsiConnection(process, self.start_timeout)
        engine.set_options(option_values(self.program, engine.options, self.options))
        engine.ready(self.move_timeout)
        return engine

    def forget(self) -> None:  # noqa: D102
        self._known: tuple[tuple[int, ...], bytes] = ((), b"")  # actions and state that `_told` tells of
        self._told = ""

    def follow(self, position: Position) -> str:
        """The command ``position`` that tells of `position`."""
        actions = position.actions
        known, state = self._known
        before, moves = taken_back(position, len(actions) - len(known))
        if not self._told or (known, state) != (actions[: len(known)], before.state.tobytes()):
            before, moves = taken_back(position, len(actions))
            start = before.text()
            even = start == position.game.position_text(position.game.new(1))
            self._told = "position startpos" if even else f"position sfen {start}"
            known = ()
        if moves:
            self._told += "" if known else " moves"
            self._told += f" {' '.join(moves)}"
        self._known = (actions, position.state.tobytes())
        return self._told

    def play(self, engine: UsiConnection, told: str, limits: Limits, timeout: float) -> str:  # noqa: D102
        return engine.play(told, self._go(limits), limits.nodes, timeout)

    def move_of(self, said: str) -> str | None:  # noqa: D102
        if said.lower() in (RESIGN, DECLARE):
            return said.lower()
        return said if _MOVE.fullmatch(said) else None

    def _go(self, limits: Limits) -> str:
        """`limits` as the command ``go``. The other side's clock is unknown: it is said to show the same."""
        words = ["go"]
        if limits.clock or limits.byoyomi is not None:
            left = _milliseconds(self.left)
            words += [f"btime {left} wtime {left}"]
            if limits.byoyomi is not None:
                words += [f"byoyomi {_milliseconds(limits.byoyomi)}"]
            elif limits.clock and limits.clock[1]:
                increment = _milliseconds(limits.clock[1])
                words += [f"binc {increment} winc {increment}"]
            else:
                words += ["byoyomi 0"]
        if limits.movetime is not None:
            words += [f"movetime {_milliseconds(limits.movetime)}"]
        words += [f"{name} {count}" for name in ("depth", "nodes") if (count := getattr(limits, name)) is not None]
        return " ".join(words)


def check_game(game: Game) -> None:
    """Raises ValueError for a game that USI engines do not play."""
    if game.name != "shogi":
        raise ValueError(f"USI engines play shogi, not {game.name}")


def option_values(program: str, known: Mapping[str, Option], wanted: Mapping[str, Any]) -> dict[str, bool | int | str]:
    """`wanted` by the names, and with the values, that the engine's options take; `known` has them in small letters.

    A limit of strength (UCI_Elo) switches UCI_LimitStrength on, without which engines ignore it. USI_Hash need not be
    announced. Raises ValueError for an option that the engine does not have and for a value that it does not take.
    """
    values: dict[str, bool | int | str] = {}
    for key, value in wanted.items():
        option = known.get(key.lower())
        if option is None:
            raise ValueError(unknown_option(program, key, [each.name for each in known.values()], USI_SYNTAX.forms))
        try:
            values[option.name] = option.read(value)
        except ValueError as error:
            raise ValueError(f"{program}: {error}") from None
    if "UCI_Elo" in values and "uci_limitstrength" in known:
        values.setdefault("UCI_LimitStrength", True)
    return values


def _milliseconds(seconds: float) -> int:
    return max(round(seconds * 1000), 0)
