"""Who may sit at a game in the browser, and a `Seat` that makes its player when it is first asked.

A web page must never start a program of its choice: engines are those that are offered here and found on this machine,
unless the server's owner allows commands. Nor may it name a folder to read: agents that learn are those whose weights
come with the package.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from threading import Event, Lock
from typing import Any

import numpy as np

from sakiyomi.arena.agent_specs import BOARD_AGENTS, missing_packages, weights_of
from sakiyomi.arena.engines.process import find_program
from sakiyomi.arena.players import ENGINES, make_player, parse_spec
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import Budget, Player, Thought
from sakiyomi.boards.position import Position

THINKERS = ("uct", "alphabeta", *BOARD_AGENTS, "uci", "usi")
"""Kinds of players that can be watched while they think."""
TREE = 128  # megabytes for a search tree: several games are played at a time
LINES = 4  # that an engine tells of in an analysis
UNTOLD = Budget(seconds=1.0)  # for a player that has no limit of its own and was given none


@dataclass(frozen=True)
class Offer:
    """A player that the page lists: what it is called there, and its spec."""

    name: str
    spec: str


_SMALL = (
    Offer("Random", "random"),
    Offer("Greedy, one ply", "greedy"),
    Offer("UCT, 100 playouts", "uct:100"),
    Offer("UCT, 1,000 playouts", "uct:1000"),
    Offer("UCT, 10,000 playouts", "uct:10000"),
)
_SEARCH = (*(Offer(f"Alpha-beta, {depth} plies", f"alphabeta:{depth}") for depth in (2, 4, 6)),)
_LEARNT = {"alphazero": "AlphaZero", "alphagozero": "AlphaGo Zero", "alphago": "AlphaGo"}
_CHESS = (
    Offer("Stockfish, beginner", "Stockfish beginner=uci:stockfish@Skill Level=0,Threads=1,Hash=32"),
    Offer("Stockfish", "Stockfish=uci:stockfish@Threads=1,Hash=32"),
    Offer("Fairy-Stockfish", "Fairy-Stockfish=uci:fairy-stockfish@Threads=1,Hash=32"),
)
_ENGINES = {
    "go": tuple(Offer(f"GNU Go, level {n}", f"GNU Go {n}=gtp:gnugo --mode gtp --level {n}") for n in (1, 5, 10)),
    "chess960": _CHESS,
    "chess": (
        *_CHESS,
        Offer("GNU Chess", "GNU Chess=uci:gnuchess --uci"),
        Offer("Toga", "Toga=uci:toga2"),
    ),
    "shogi": (
        Offer("Fairy-Stockfish, beginner", "Fairy-Stockfish beginner=usi:fairy-stockfish@Skill Level=0,Threads=1"),
        Offer("Fairy-Stockfish", "Fairy-Stockfish=usi:fairy-stockfish@Threads=1"),
        Offer("GPS Shogi", "GPS Shogi=usi:gpsusi -N 1@byoyomi=1,LimitDepth=6"),
    ),
}


@lru_cache(maxsize=64)
def offers(name: str) -> tuple[Offer, ...]:
    """The players that this machine has for the game `name`, weak ones first in each family."""
    game = make_game(name)
    family = next((key for key in _ENGINES if name.startswith(key)), "")
    found = [*_SMALL]
    for offer in (*_SEARCH, *((Offer("Perfect", "perfect"),) if name == "tictactoe" else ())):
        with suppress(ValueError):  # the kind does not play this game
            make_player(offer.spec, game).close()
            found.append(offer)
    return (*found, *_learnt(name), *(offer for offer in _ENGINES.get(family, ()) if _installed(offer)))


def _learnt(name: str) -> Iterator[Offer]:
    """Agents with weights in the package for the game `name`. They are not loaded for that: PyTorch takes its time."""
    for agent, paper in _LEARNT.items():
        if (weights_of(agent) / name).is_dir() and not missing_packages():
            for simulations in (10, 100, 1000):
                yield Offer(f"{paper}, {simulations:,} simulations", f"{agent}@sims={simulations}")


def _installed(offer: Offer) -> bool:
    try:
        find_program(parse_spec(offer.spec).argument.partition("@")[0])
    except ValueError:
        return False
    return True


def check_spec(spec: str, game: Game, *, commands: bool = False) -> str:
    """`spec`, if a page may have that player. Raises ValueError, for an engine's command too unless `commands`."""
    parsed = parse_spec(spec)
    if parsed.kind.name == "python":
        raise ValueError("a page may not name code to run: python: players do not play in the browser")
    if parsed.kind.name in BOARD_AGENTS and not commands and not re.fullmatch(r"(@[^@]*=[^@]*)?", parsed.argument):
        raise ValueError(f"a page may not name folders to read, only {parsed.kind.name} as it comes with the package")
    if parsed.kind.name in ENGINES and not commands and spec not in {offer.spec for offer in offers(game.name)}:
        raise ValueError(f"a page may not name programs to start: {spec!r} is none of the engines offered")
    make_player(spec, game).close()
    return spec


def analyst(spec: str) -> str:
    """The same player as one asks it for its opinion: engines offered with one thread tell of several moves."""
    return spec.replace("Threads=1", f"Threads=1,MultiPV={LINES}")


def thinks(spec: str) -> bool:
    """Can the player of that spec be watched while it thinks, for as long as one likes?"""
    return parse_spec(spec).kind.name in THINKERS and "byoyomi=" not in spec


class Seat:
    """One side of a game: a person, or the player of `spec`, who spends `budget` on a move.

    The player is made when it is first asked, does one thing at a time, and is closed as soon as it does nothing.
    """

    def __init__(self, game: Game, side: int, spec: str = "", budget: Budget = Budget(), name: str = ""):  # noqa: B008 a value
        self.game, self.side, self.spec, self.budget = game, side, spec, budget
        self.name = name or (parse_spec(spec).name if spec else "You")
        self._player: Player | None = None
        self._busy = Lock()
        self._closed = False

    @property
    def person(self) -> bool:
        """Does a person move this side?"""
        return not self.spec

    def choose(
        self, position: Position, stop: Event, tell: Callable[[Thought], None], budget: Budget | None = None
    ) -> str:
        """The player's move, its thoughts told on the way or at the end. Raises what the player raises.

        `budget` replaces the seat's own; without any limit it lasts until `stop` is set.
        """
        with self._busy:
            try:
                return self._choose(position, stop, tell, budget)
            finally:
                if self._closed:
                    self._end()

    def _choose(self, position: Position, stop: Event, tell: Callable[[Thought], None], budget: Budget | None) -> str:
        if self._player is None:
            self._player = make_player(self.spec, self.game)
            if getattr(self._player, "megabytes", 0) > TREE:
                self._player.megabytes = TREE  # type: ignore[attr-defined]
            self._player.begin(self.game, self.side, np.random.default_rng(secrets.randbits(63)))
        player: Any = self._player
        wanted = budget if budget is not None else _limits(player, self.budget)
        if wanted is not None and callable(getattr(player, "think", None)):
            return str(player.think(position, wanted, moves=None, stop=stop, tell=tell))
        move = str(player.choose(position, wanted or self.budget))
        thought = getattr(player, "thought", None)
        if isinstance(thought, Thought):
            tell(thought)
        return move

    def close(self) -> None:
        """Close the player, at once or when it has done what it is doing."""
        self._closed = True
        if self._busy.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._busy.release()

    def _end(self) -> None:
        player, self._player = self._player, None
        if player is not None:
            player.close()


def _limits(player: Any, budget: Budget) -> Budget | None:
    """`budget`, or the player's own limits where it has none; None where only `choose` knows them."""
    if budget != Budget():
        return budget
    limits = getattr(player, "limits", None)
    if limits is not None and (limits.clock is not None or limits.byoyomi is not None):
        return None
    own = Budget(
        getattr(player, "simulations", None) or getattr(limits, "nodes", None),
        getattr(limits, "movetime", None),
        getattr(player, "depth", None) or getattr(limits, "depth", None),
    )
    return own if own != Budget() else UNTOLD
