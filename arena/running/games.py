"""Games between players as work: the players of a tournament, each made when first needed and kept."""

import os
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np

from sakiyomi.arena.clock import TimeControl
from sakiyomi.arena.match import (
    Played,
    PlayerFault,
    Termination,
    final_result,
    lost_game,
    one_line,
    outcome_of,
)
from sakiyomi.arena.playing import Conditions, OnTurn, play
from sakiyomi.arena.schedules.schedule import Pairing, game_seed
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import Player
from sakiyomi.boards.position import Position

NODE = "SAKIYOMI_NODE"
"""The variable of the environment that names the machine of a worker elsewhere."""


@dataclass(frozen=True)
class Games:
    """What all games of a tournament share: `specs` maps names to specs; see `Work`.

    `clocks` are the players' time controls, none where there are no clocks; they stand in for that of `conditions`.
    `seed` is the tournament's. `warm` are specs of players that need compilation. With `restart` players are made anew
    for each game; else they live from game to game, so that an engine starts once. With `lean` only the two of the game
    at hand do, so that the others' engines hold no memory.
    """

    game: Game
    specs: Mapping[str, str]
    conditions: Conditions
    clocks: Mapping[str, TimeControl] = field(default_factory=dict)
    seed: int = 0
    warm: tuple[str, ...] = ()
    restart: bool = False
    lean: bool = False

    def bench(self, guests: Mapping[str, Player] | None = None) -> "GameBench":
        """The players; `guests` are some that were made elsewhere, and are never closed here."""
        return GameBench(self, guests or {})

    def lost(self, job: Pairing, side: int | None, fault: PlayerFault, moves: Sequence[str]) -> Played:
        """The game lost by `side`; without a result if nobody's code ran."""
        if side is None:
            side, fault = 0, PlayerFault(Termination.INTERRUPTED, str(fault))
        names, opening = (job.first, job.second), job.opening
        return lost_game(self.game, names, moves or opening.moves, side, fault, setup=opening.setup)


class GameBench:
    """The players of a tournament and the games between them; see `Bench`."""

    def __init__(self, games: Games, guests: Mapping[str, Player]):
        self._games, self._guests = games, guests
        self._players: dict[str, Player] = dict(guests)

    def do(self, job: Pairing, on_turn: OnTurn = lambda side, moves, clocks: None) -> Played:
        """Play one game; never raises for what a player does."""
        names, setup = (job.first, job.second), job.opening.setup
        game, conditions, clocks = self._games.game, self._games.conditions, self._games.clocks
        if clocks:
            conditions = replace(conditions, clock=(clocks[job.first], clocks[job.second]))
        if self._games.lean:
            self._drop(tuple(name for name in self._players if name not in names))
        for side, name in enumerate(names):
            try:
                self._seat(name)
            except (PlayerFault, ValueError, OSError) as error:
                self._drop(names)
                fault = PlayerFault(Termination.COULD_NOT_START, one_line(f"{error}{_where()}"))
                return lost_game(game, names, job.opening.moves, side, fault, setup=setup)
        try:
            played = play(
                game,
                (self._players[job.first], self._players[job.second]),
                conditions,
                job.opening.moves,
                seed=game_seed(self._games.seed, job.number),
                setup=setup,
                names=names,
                on_turn=on_turn,
            )
        except (OSError, EOFError):
            raise  # the parent has hung up
        except Exception as error:  # not the players' doing: the rules of the game failed
            traceback.print_exc()
            fault = PlayerFault(Termination.INTERRUPTED, one_line(f"the rules failed: {type(error).__name__}: {error}"))
            played = lost_game(game, names, job.opening.moves, 0, fault, setup=setup)
        if self._games.restart or not played.termination.fair:
            self._drop(names)
        return played

    def warm(self) -> None:
        """Compile what the games need: the rules by a game of random moves, the players by games of cheap ones."""
        from sakiyomi.arena.warmup import warm_up_players

        game, rng = self._games.game, np.random.default_rng(0)
        position = Position(game)
        while outcome_of(position) is None:
            position.play(int(rng.choice(position.legal_actions())))
        final_result(position)
        warm_up_players(game, self._games.warm)

    def close(self) -> None:
        """Close all players."""
        self._drop(tuple(self._players))

    def _seat(self, name: str) -> None:
        from sakiyomi.arena.players import make_player

        if name not in self._players:
            player = self._players[name] = make_player(self._games.specs[name], self._games.game)
            if hasattr(player, "margin"):  # an engine: it is not silent before it is late
                player.margin = self._games.conditions.margin

    def _drop(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name in self._players and name not in self._guests:
                with suppress(Exception, SystemExit):  # what a faulty player does when it is closed changes no result
                    self._players.pop(name).close()


def _where() -> str:
    node = os.environ.get(NODE)
    return f" (on node {node})" if node else ""
