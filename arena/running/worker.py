"""A worker: a process that plays the games it is given, one after another. `crew.py` starts workers and listens.

    parent -> worker    sys.path, Setup, then Job, Job, ...; the end of the connection ends the worker
    worker -> parent    READY, then for each game Played; meanwhile whose turn it is and the moves, by `progress`

Players live as long as the worker, so that an engine starts once; after a fault both players of the game are made
anew. The worker is in a session of its own: Ctrl-C in the terminal reaches the parent alone. A second pipe, on which
nothing is ever sent, tells the worker when the parent has died.
"""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sakiyomi.arena.match import Played
    from sakiyomi.arena.schedules.schedule import Opening
    from sakiyomi.boards.game import Game
    from sakiyomi.boards.player import Budget, Player

READY = "ready"


@dataclass(frozen=True)
class Setup:
    """What all games of a tournament share: `specs` maps names to specs, `margin` is that of `match.play`.

    Before it says READY, a worker compiles what the game and the specs in `warm` need, unless `warm` is None.
    """

    game: "Game"
    specs: "Mapping[str, str]"
    budget: "Budget"
    margin: float
    warm: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Job:
    """One game: who moves first, who second, the moves played for them and from where, and the seed."""

    first: str
    second: str
    opening: "Opening"
    seed: int


class Bench:
    """The players of a tournament, each made when first needed and kept. Used by workers and without them.

    `guests` are players made elsewhere: they are never closed here.
    """

    def __init__(self, setup: Setup, guests: "Mapping[str, Player] | None" = None):
        self._setup = setup
        self._guests = guests or {}
        self._players: dict[str, Player] = dict(self._guests)

    def play(self, job: Job, on_turn: "Callable[[int, Sequence[str]], None]" = lambda side, moves: None) -> "Played":
        """Play one game; never raises for what a player does."""
        from sakiyomi.arena.match import PlayerFault, Termination, lost_game, one_line, play

        names, setup = (job.first, job.second), job.opening.setup
        for side, name in enumerate(names):
            try:
                self._seat(name)
            except (PlayerFault, ValueError, OSError) as error:
                self._drop(names)
                fault = PlayerFault(Termination.COULD_NOT_START, one_line(str(error)))
                return lost_game(self._setup.game, names, job.opening.moves, side, fault, setup=setup)
        try:
            played = play(
                self._setup.game,
                (self._players[job.first], self._players[job.second]),
                self._setup.budget,
                job.opening.moves,
                seed=job.seed,
                setup=setup,
                names=names,
                margin=self._setup.margin,
                on_turn=on_turn,
            )
        except (OSError, EOFError):
            raise  # the parent has hung up
        except Exception as error:  # not the players' doing: the rules of the game failed
            traceback.print_exc()
            fault = PlayerFault(Termination.INTERRUPTED, one_line(f"the rules failed: {type(error).__name__}: {error}"))
            played = lost_game(self._setup.game, names, job.opening.moves, 0, fault, setup=setup)
        if played.termination not in (Termination.NORMAL, Termination.RESIGNATION, Termination.MOVE_LIMIT):
            self._drop(names)
        return played

    def warm(self) -> None:
        """Compile what the games need: the rules by a game of random moves, the players by games of cheap ones."""
        import numpy as np

        from sakiyomi.arena.match import final_result, outcome_of
        from sakiyomi.arena.warmup import warm_up_players
        from sakiyomi.boards.position import Position

        game, rng = self._setup.game, np.random.default_rng(0)
        position = Position(game)
        while outcome_of(position) is None:
            position.play(int(rng.choice(position.legal_actions())))
        final_result(position)
        warm_up_players(game, self._setup.warm or ())

    def close(self) -> None:
        """Close all players."""
        self._drop(tuple(self._players))

    def _seat(self, name: str) -> None:
        from sakiyomi.arena.players import make_player

        if name not in self._players:
            self._players[name] = make_player(self._setup.specs[name], self._setup.game)

    def _drop(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name in self._players and name not in self._guests:
                with suppress(Exception, SystemExit):  # what a faulty player does when it is closed changes no result
                    self._players.pop(name).close()


class Stopped(BaseException):
    """SIGTERM came: not the doing of the player whose code ran."""


def main(handle: int, life: int, memory: int) -> None:
    """Serve the parent at the other end of file descriptor `handle` until it hangs up.

    `memory` is that of the file shared for `Progress`, `life` the reading end of a pipe that nobody but the parent can
    write to: it ends when the parent has died.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, args=(life,), daemon=True).start()
    connection: Connection[Any, Any] = Connection(handle)
    try:
        signal.signal(signal.SIGTERM, _stop)
        with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent is gone or wants no more
            sys.path[:] = connection.recv()
            _serve(connection, memory)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # nothing is left to be stopped
    except Stopped:
        sys.exit(128 + signal.SIGTERM)


def _die_with_parent(life: int) -> None:
    """End the worker, its engines and whatever its players started once the parent is dead, whatever a player does."""
    while os.read(life, 1):
        pass
    if process := sys.modules.get("sakiyomi.arena.engines.process"):
        process.kill_engines()
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def _serve(connection: "Connection[Any, Any]", memory: int) -> None:
    from sakiyomi.arena.running.progress import Progress
    from sakiyomi.boards import rows

    rows.set_threads(1)  # the processors are shared out by the number of workers
    setup = connection.recv()
    bench, progress = Bench(setup), Progress(memory)
    try:
        if setup.warm is not None:
            bench.warm()
        progress.begin()
        connection.send(READY)
        while True:
            job = connection.recv()
            played = bench.play(job, progress.turn)
            progress.begin()
            connection.send(played)
    finally:
        bench.close()


def _stop(number: int, frame: FrameType | None) -> None:
    """SIGTERM: leave through every ``finally``, which closes the engines and must not be stopped in its turn."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    # Under this name the classes above would be __main__'s, which the parent cannot unpickle.
    from sakiyomi.arena.running import worker

    worker.main(*map(int, sys.argv[1:]))
