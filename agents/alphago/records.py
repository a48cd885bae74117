"""Games of Go as flat arrays, and positions to learn from drawn out of them.

A game's moves stand one after the other behind those of the game before; a *place* is the index of a move in them, and
names the position in which that move was played::

    moves    q4 d16 c3 ... q16 | d4 pass c17 ... | ...
    offsets  ^0                ^83               ^
    places   0  1   2  ...       83      85          the moves to learn from: passes are none

`load_records` (`loading`) makes them of SGF files, `value_data` of games that networks played.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.features import feature_planes
from sakiyomi.agents.parts.selfplay.turned import Turned
from sakiyomi.boards.game import States
from sakiyomi.boards.go import Go

_BY_GAME = ("turns", "boards", "komi", "results")
_ARRAYS = ("moves", "offsets", "places", *_BY_GAME)


class Positions(NamedTuple):
    """n positions out of records. `symmetries` [n] says how each board is to be turned (`Go.symmetries`)."""

    states: States  # [n]
    moves: NDArray[np.int64]  # [n], as played
    results: NDArray[np.float32]  # [n], 1 where the player to move won the game, 0 a draw, -1 lost, NaN unknown
    plies: NDArray[np.int64]  # [n], moves played before
    symmetries: NDArray[np.int64]  # [n]


class Batch(NamedTuple):
    """What networks learn from: boards and moves turned as the positions said."""

    planes: NDArray[np.uint8]  # [n, C, Y, X]
    legal: NDArray[np.bool_]  # [n, area]
    moves: NDArray[np.int64]  # [n]
    results: NDArray[np.float32]  # [n], of the player to move; NaN unknown
    plies: NDArray[np.int64]  # [n]


@dataclass(frozen=True, eq=False)
class GameRecords:
    """G games on the board of `game`, by whose rules they are replayed (simple ko, no suicide)."""

    game: Go
    moves: NDArray[np.int16]  # [M], row * width + column, width * height for a pass; legal all of them
    offsets: NDArray[np.int64]  # [G + 1], where each game begins
    places: NDArray[np.int64]  # [K], ascending: the moves to learn from
    turns: NDArray[np.uint8]  # [G], who moves first: 0 Black, 1 White
    boards: NDArray[np.uint8]  # [G, area], the first positions: 0 empty, 1 black, 2 white
    komi: NDArray[np.float32]  # [G], NaN unknown
    results: NDArray[np.float32]  # [G], 1 Black won, 0 a draw, -1 White won, NaN unknown
    notes: Mapping[str, int] = field(default_factory=dict)
    """How many games were left out or cut short, by reason."""

    def __len__(self) -> int:
        return len(self.turns)

    @cached_property
    def area(self) -> int:
        """Points of the board; as a move, the pass."""
        return self.game.layout.area

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """[G], moves of each game, passes counted."""
        return np.diff(self.offsets)

    def take(self, games: NDArray[np.integer[Any]]) -> Self:
        """The records of those games alone, in that order."""
        lengths = self.lengths[games]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        shift = self.offsets[games] - offsets[:-1]
        marks = np.zeros(len(self.moves), np.bool_)
        marks[self.places] = True
        kept = np.arange(offsets[-1]) + np.repeat(shift, lengths)
        return type(self)(
            self.game,
            self.moves[kept],
            offsets,
            np.flatnonzero(marks[kept]),
            self.turns[games],
            self.boards[games],
            self.komi[games],
            self.results[games],
        )

    def split(self, test: float, seed: int) -> tuple[Self, Self]:
        """(train, test): whole games, so that no game is in both; the share `test` of them, chosen by `seed`."""
        if not 0 < test < 1:
            raise ValueError(f"the share of games to test by must lie between 0 and 1, got {test}")
        order = np.random.default_rng(seed).permutation(len(self))
        count = round(test * len(self))
        return self.take(np.sort(order[count:])), self.take(np.sort(order[:count]))

    def decided(self) -> Self:
        """The games whose result is known."""
        return self.take(np.flatnonzero(~np.isnan(self.results)))

    def draw(self, rng: np.random.Generator, n: int) -> Positions:
        """`n` positions, each equally likely, and a random symmetry for each. Raises ValueError if there is none."""
        if not len(self.places):
            raise ValueError("there is no position to draw: the records hold no move to learn from")
        chosen = self.places[rng.integers(len(self.places), size=n)]
        return self.at(chosen, rng.integers(len(self.game.symmetries()), size=n))

    def at(self, places: NDArray[np.int64], symmetries: NDArray[np.int64] | None = None) -> Positions:
        """The positions in which the moves at `places` [n] were played, not turned if `symmetries` [n] is None."""
        games = np.searchsorted(self.offsets, places, "right") - 1
        starts = self.offsets[games]
        plies = places - starts
        roots, _ = self.game.set_up(self.boards[games], self.turns[games])
        steps = np.arange(plies.max(initial=0))
        paths = self.moves[np.minimum(starts[:, None] + steps, places[:, None])].astype(np.int32)
        states = self.game.replay(roots, paths, plies.astype(np.int32))
        states["passes"][states["passes"] >= 2] = 0  # records go on after two passes
        signs = 1 - 2 * self.game.turn(states).astype(np.float32)
        turned = np.zeros(len(places), np.int64) if symmetries is None else symmetries
        return Positions(states, self.moves[places].astype(np.int64), self.results[games] * signs, plies, turned)

    def batch(self, positions: Positions, planes: int) -> Batch:
        """Those positions as `planes` feature planes, with moves and legal moves, all turned alike."""
        game, (states, moves, results, plies, symmetries) = self.game, positions
        turned = Turned(game.symmetries(), symmetries)
        legal = turned.by_action(game.legal(states))[:, :-1]
        shown = turned.planes(feature_planes(game, states, planes))
        return Batch(shown, legal, turned.actions(moves[:, None])[:, 0].astype(np.int64), results, plies)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The games of all `parts`, one after the other. Raises ValueError for none, or for several boards or rules."""
        if len({part.game for part in parts}) != 1:
            names = sorted({part.game.name for part in parts})
            raise ValueError(f"records to be joined must be of one board and its rules, got {names}")
        starts = np.cumsum([0, *(len(part.moves) for part in parts)])
        after = [part.offsets[1:] + start for part, start in zip(parts, starts[:-1], strict=True)]
        places = [part.places + start for part, start in zip(parts, starts[:-1], strict=True)]
        flat: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _BY_GAME}
        moves = np.concatenate([part.moves for part in parts])
        return cls(parts[0].game, moves, np.concatenate([starts[:1], *after]), np.concatenate(places), **flat)

    def save(self, path: Path) -> None:
        """Write the records, but not the notes, to `path`.npz."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        np.savez_compressed(path.with_name(f"{path.name}.npz"), game=json.dumps(asdict(self.game)), **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote to `path`.npz. Raises ValueError for a file that holds something else."""
        try:
            with np.load(path.with_name(f"{path.name}.npz"), allow_pickle=False) as held:
                settings = json.loads(str(held["game"]))
                settings["size"] = settings["size"] if isinstance(settings["size"], int) else tuple(settings["size"])
                return cls(Go(**settings), **{name: held[name] for name in _ARRAYS})
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}.npz holds no records of games: {error}") from error
