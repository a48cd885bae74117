"""Replay of whole self-play games: moves are kept, positions are played again when they are sampled.

::

    position   t          0          1               T-1         T      position t: `start` after actions[:t]
                          |          |                |          |
    row t of the arrays  actions[0] actions[1] ... actions[T-1]  final  the action played there, and what its search
                         values[0]  values[1]  ... values[T-1]          found: policy, value, for the player to move

AlphaGo Zero (Silver 2017, Methods, "Optimization") and AlphaZero draw positions uniformly from a window of the latest
games; here in proportion to a weight each, so that positions searched in a hurry (Wu 2019, "Accelerating self-play
learning in Go", section 3.1) can be left out.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.runs.checkpoints import read_json, settled, whole_folder, write_json
from sakiyomi.agents.parts.selfplay.turned import Turned
from sakiyomi.boards.game import Ending, Game, States
from sakiyomi.boards.go import Go
from sakiyomi.boards.go.score import regions

WIDTH = 128  # actions that a policy target names at the most, if nothing else is said
TABLE = ("length", "result", "finished", "start", "owners")  # what is kept of a game, beside its place in the ring
SUM_ERROR = 1e-3  # how far the probabilities of a target may be from 1 together


@dataclass(frozen=True)
class Episode:
    """One self-play game of T plies; row t belongs to the position after t actions, as its player to move sees it.

    The policy target of a row gives ``target_probabilities[t, i]`` to the action ``target_actions[t, i]``, no action
    twice; -1 marks what is not used. `weights` say how often a position is to be sampled in proportion to others; one
    of weight 0 has no target, and its probabilities may be all 0. Raises ValueError for arrays that do not fit.
    """

    start: States  # [1]
    actions: NDArray[np.int32]  # [T], T >= 1, all of them legal in turn
    target_actions: NDArray[np.int32]  # [T, W]
    target_probabilities: NDArray[np.float32]  # [T, W], rows sum to 1
    values: NDArray[np.float32]  # [T], the search's value of the position, -1 to 1
    weights: NDArray[np.float32]  # [T], 0 or more
    result: float  # for the first player: +1, 0 or -1, or what lies between where a game was cut short
    final: States  # [1], the last position

    def __post_init__(self) -> None:
        plies, width = len(self.actions), self.target_actions.shape[-1]
        if plies == 0:
            raise ValueError("an episode has one action at least, got none")
        for name, kind, shape in (
            ("start", self.start.dtype, (1,)),
            ("final", self.start.dtype, (1,)),
            ("actions", np.int32, (plies,)),
            ("target_actions", np.int32, (plies, width)),
            ("target_probabilities", np.float32, (plies, width)),
            ("values", np.float32, (plies,)),
            ("weights", np.float32, (plies,)),
        ):
            array = getattr(self, name)
            if array.shape != shape or array.dtype != kind:
                got = f"{array.dtype} {list(array.shape)}"
                raise ValueError(f"{name} of an episode must be {np.dtype(kind)} {list(shape)}, got {got}")
        if not -1 <= self.result <= 1:
            raise ValueError(f"result of an episode must lie in -1..1, got {self.result!r}")
        if not np.all((self.weights >= 0) & np.isfinite(self.weights)):
            raise ValueError("weights of an episode must be numbers of 0 or more")
        if not np.all(np.abs(self.values) <= 1):
            raise ValueError("values of an episode must lie in -1..1")
        self._check_targets()

    def _check_targets(self) -> None:
        used = self.target_actions >= 0
        if not np.all(self.target_probabilities >= 0) or np.any(self.target_probabilities[~used] != 0):
            raise ValueError("target_probabilities must be 0 or more, and 0 where target_actions is -1")
        wrong = np.abs(self.target_probabilities.sum(axis=1) - 1) > SUM_ERROR
        if np.any(wrong & (self.weights > 0)):
            ply = int(np.flatnonzero(wrong & (self.weights > 0))[0])
            total = self.target_probabilities[ply].sum()
            raise ValueError(f"target_probabilities of ply {ply} must sum to 1, got {total:.6g}")


@dataclass(frozen=True)
class Samples:
    """n positions to learn from, all as their players to move see them; `legal` masks the policy's softmax."""

    observations: NDArray[np.float32]  # [n, C, Y, X]
    legal: NDArray[np.bool_]  # [n, A]
    policies: NDArray[np.float32]  # [n, A], the search's policy
    values: NDArray[np.float32]  # [n], the search's value
    outcomes: NDArray[np.float32]  # [n], how the game ended: +1 won, 0 drawn, -1 lost
    games: NDArray[np.int64]  # [n], from which game, counted from 0 since the replay began
    plies: NDArray[np.int32]  # [n], actions played before
    replies: NDArray[np.float32] | None = None  # [n, A], the policy target one ply later; all 0 where there is none
    ownership: NDArray[np.float32] | None = None  # [n, Y, X], who owns the point at the end: +1 own, -1 the opponent
    finished: NDArray[np.bool_] | None = None  # [n], False: the game was given up, `ownership` is not settled


class GameReplay:
    """The latest games of `game`, `positions` positions at the most: the oldest games leave for new ones.

    Policy targets name `width` actions at the most (None: all, or 128 of many). Memory grows with what is held: the
    moves and targets, about 20 bytes and 6 times `width` a position, and one state a game.
    """

    def __init__(self, game: Game, positions: int = 200_000, width: int | None = None):
        if positions < 1:
            raise ValueError(f"a replay holds one position at least, got positions={positions}")
        self.game, self.positions = game, positions
        self.width = min(game.num_actions, WIDTH) if width is None else width
        self.added = 0  # positions ever added
        self.targets_added = 0  # of these, with a weight over 0
        action = np.min_scalar_type(-game.num_actions)
        self._ring = {  # columns, which grow to `positions` places as they are needed
            "game": np.zeros(0, np.int64),  # which game the position belongs to
            "actions": np.zeros(0, action),
            "target_actions": np.zeros((0, self.width), action),
            "target_probabilities": np.zeros((0, self.width), np.float32),
            "values": np.zeros(0, np.float32),
            "weights": np.zeros(0, np.float32),  # 0 where the ring is empty
        }
        self._next = 0  # where in the ring the next game begins
        self._held = 0
        points = int(np.prod(game.planes[1:])) if isinstance(game, Go) else 0
        row = [("first", np.int64), *zip(TABLE[:3], (np.int32, np.float32, np.bool_), strict=True)]
        self._games = np.zeros(16, np.dtype([*row, ("start", game.dtype), ("owners", np.int8, (points,))]))
        self._oldest = self._newest = 0  # games _oldest.._newest-1 are held, each in row ``number % len(_games)``
        self._cumulative: NDArray[np.float64] | None = None  # of the weights; None: not up to date
        self._symmetries = game.symmetries()

    def __len__(self) -> int:
        return self._held

    @property
    def games(self) -> int:
        """Games held."""
        return self._newest - self._oldest

    def add(self, episode: Episode) -> None:
        """Append a game; the oldest leave if there is no room. Raises ValueError for one that does not fit."""
        self._check(episode)
        owners = final_owners(self.game, episode.final)[0] if isinstance(self.game, Go) else np.zeros(0, np.int8)
        finished = bool(self.game.ending(episode.final)[0] != Ending.ONGOING)
        row = (len(episode.actions), episode.result, finished, episode.start[0], owners)
        columns = (episode.actions, episode.target_actions, episode.target_probabilities, episode.values)
        self._append(row, (*columns, episode.weights))
        self.added += len(episode.actions)
        self.targets_added += int(np.count_nonzero(episode.weights))

    def sample(
        self,
        rng: np.random.Generator,
        n: int,
        symmetries: bool = False,
        *,
        replies: bool = False,
        ownership: bool = False,
    ) -> Samples:
        """`n` positions, drawn with replacement in proportion to their weights.

        With `symmetries` each is turned by a random symmetry of the game, targets alike. `replies` and `ownership`
        (Go only) fill these fields. Raises ValueError while no position has a weight over 0.
        """
        if ownership and not isinstance(self.game, Go):
            raise ValueError(f"{self.game.name} has no ownership of points; only Go has")
        places = self._draw(rng, n)
        numbers = self._ring["game"][places]
        games = self._games[numbers % len(self._games)]
        plies = ((places - games["first"]) % self.positions).astype(np.int32)
        states = self._rebuild(games, plies)
        signs = 1 - 2 * self.game.turn(states).astype(np.float32)
        several = symmetries and len(self._symmetries) > 1
        turned = Turned(self._symmetries, rng.integers(len(self._symmetries), size=n) if several else None)
        found = Samples(
            observations=turned.planes(self.game.observe(states)),
            legal=turned.by_action(self.game.legal(states)),
            policies=self._policies(places, turned),
            values=self._ring["values"][places],
            outcomes=games["result"] * signs + np.float32(0),  # a draw is 0, not -0
            games=numbers,
            plies=plies,
        )
        more: dict[str, Any] = {}
        if replies:
            after = (places + 1) % len(self._ring["weights"])
            more["replies"] = self._policies(after, turned)
            more["replies"][(plies + 1 >= games["length"]) | (self._ring["weights"][after] == 0)] = 0
        if ownership:
            owners = games["owners"] * signs[:, None] + np.float32(0)
            more["ownership"] = turned.planes(owners.reshape(n, *self.game.planes[1:]))
            more["finished"] = games["finished"]
        return replace(found, **more)

    def save(self, folder: str | Path) -> None:
        """Write everything that `load` needs: .npy files and replay.json, whole or not at all."""
        places = np.arange(self._next - self._held, self._next) % self.positions
        held = {name: column[places] for name, column in self._ring.items()}
        games = self._games[np.arange(self._oldest, self._newest) % len(self._games)]
        used = held["target_actions"] >= 0
        arrays = {
            **{name: held[name] for name in ("actions", "values", "weights")},
            "target_used": np.packbits(used, axis=1),
            "target_actions": held["target_actions"][used],
            "target_probabilities": held["target_probabilities"][used],
            **{f"game_{name}": games[name] for name in TABLE},
        }
        first = int(games["first"][0]) if len(games) else self._next
        counts = {"first": first, "oldest": self._oldest, "added": self.added, "targets_added": self.targets_added}
        with whole_folder(folder) as unfinished:
            for name, array in arrays.items():
                np.save(unfinished / f"{name}.npy", array, allow_pickle=False)
            write_json(unfinished / "replay.json", {**self._kind(), **counts})

    def load(self, folder: str | Path) -> None:
        """Hold what `save` wrote instead of what is held; the same generator then draws the same samples.

        A replay of another number of positions keeps the latest games that fit. Raises ValueError for a replay of
        another game or width, FileNotFoundError where none was saved.
        """
        folder = settled(folder)
        meta: Any = read_json(folder / "replay.json")
        if wrong := [name for name in ("game", "record", "width") if meta[name] != self._kind()[name]]:
            theirs, ours = meta[wrong[0]], self._kind()[wrong[0]]
            raise ValueError(f"{folder} holds a replay of another {wrong[0]}: {theirs!r}, wanted {ours!r}")
        stored = {path.stem: np.load(path, allow_pickle=False) for path in folder.glob("*.npy")}
        used = np.unpackbits(stored["target_used"], axis=1, count=self.width).astype(np.bool_)
        target_actions = np.full(used.shape, -1, self._ring["target_actions"].dtype)
        target_probabilities = np.zeros(used.shape, np.float32)
        target_actions[used], target_probabilities[used] = stored["target_actions"], stored["target_probabilities"]
        columns = (stored["actions"], target_actions, target_probabilities, stored["values"], stored["weights"])
        self._ring["weights"][:] = 0
        self._held = 0
        self._oldest = self._newest = meta["oldest"]
        self._next = meta["first"] if meta["positions"] == self.positions else 0
        self._cumulative = None
        at = 0
        for row in zip(*(stored[f"game_{name}"] for name in TABLE), strict=True):
            if row[0] <= self.positions:
                self._append(row, tuple(column[at : at + row[0]] for column in columns))
            at += row[0]
        self.added, self.targets_added = meta["added"], meta["targets_added"]

    def _kind(self) -> dict[str, Any]:
        record = self.game.dtype.itemsize
        return {"game": self.game.name, "record": record, "positions": self.positions, "width": self.width}

    def _check(self, episode: Episode) -> None:
        plies, width = episode.target_actions.shape
        if episode.start.dtype != self.game.dtype:
            raise ValueError(f"the episode's start is no position of {self.game.name}")
        if plies > self.positions:
            raise ValueError(f"a game of {plies} plies does not fit a replay of {self.positions} positions")
        if width > self.width:
            raise ValueError(f"targets of an episode name {self.width} actions at the most here, got {width}")
        most, actions = self.game.num_actions, (episode.actions, episode.target_actions)
        if any(part.max(initial=-1) >= most for part in actions) or episode.actions.min() < 0:
            raise ValueError(f"actions of {self.game.name} are 0..{most - 1}, the episode has others")

    def _append(self, row: tuple[Any, ...], columns: tuple[NDArray[Any], ...]) -> None:
        """Put a game behind the newest: its row of the table but for the first field, and its columns of the ring."""
        plies, width = columns[1].shape
        while self._held + plies > self.positions:
            self._drop_oldest()
        if self.games == len(self._games):
            self._widen_table()
        self._reserve(min(self._next + plies, self.positions))
        places, ring = np.arange(self._next, self._next + plies) % self.positions, self._ring
        ring["game"][places] = self._newest
        ring["actions"][places], ring["values"][places], ring["weights"][places] = columns[0], columns[3], columns[4]
        ring["target_actions"][places, :width], ring["target_actions"][places, width:] = columns[1], -1
        ring["target_probabilities"][places, :width], ring["target_probabilities"][places, width:] = columns[2], 0
        self._games[self._newest % len(self._games)] = (self._next, *row)
        self._next = (self._next + plies) % self.positions
        self._held += plies
        self._newest += 1
        self._cumulative = None

    def _drop_oldest(self) -> None:
        game = self._games[self._oldest % len(self._games)]
        places = np.arange(game["first"], game["first"] + game["length"]) % self.positions
        self._ring["weights"][places] = 0
        self._held -= int(game["length"])
        self._oldest += 1

    def _reserve(self, places: int) -> None:
        """Have so many places in the ring, at least; new ones are empty."""
        have = len(self._ring["weights"])
        if places > have:
            more = min(self.positions, max(places, 2 * have)) - have
            for name, column in self._ring.items():
                self._ring[name] = np.concatenate([column, np.zeros((more, *column.shape[1:]), column.dtype)])

    def _widen_table(self) -> None:
        held = np.arange(self._oldest, self._newest)
        wider = np.zeros(2 * len(self._games), self._games.dtype)
        wider[held % len(wider)] = self._games[held % len(self._games)]
        self._games = wider

    def _draw(self, rng: np.random.Generator, n: int) -> NDArray[np.int64]:
        """[n] places in the ring: the inverse of the cumulative weights, summed anew only after games were added."""
        if self._cumulative is None:
            self._cumulative = np.cumsum(self._ring["weights"], dtype=np.float64)
        total = self._cumulative[-1] if len(self._cumulative) else 0.0
        if total <= 0:
            raise ValueError("nothing to sample: no position of the replay has a weight over 0")
        aims = rng.random(n) * total  # under the total: one unit in the last place less is the most that is drawn
        places: NDArray[np.int64] = np.searchsorted(self._cumulative, aims, side="right")
        return places

    def _rebuild(self, games: NDArray[Any], plies: NDArray[np.int32]) -> States:
        """[n] positions: each game's start after its first `plies` actions."""
        actions, starts = self._ring["actions"], games["start"].copy()
        paths = (games["first"][:, None] + np.arange(max(1, plies.max(initial=0)))) % len(actions)
        return self.game.replay(starts, actions[paths].astype(np.int32), plies)

    def _policies(self, places: NDArray[np.int64], turned: Turned) -> NDArray[np.float32]:
        """[n, A]; what is not used goes to one column more, which is cut off."""
        most = self.game.num_actions
        dense = np.zeros((len(places), most + 1), np.float32)
        actions, probabilities = (self._ring[f"target_{name}"][places] for name in ("actions", "probabilities"))
        np.put_along_axis(dense, turned.actions(actions), probabilities, 1)
        return dense[:, :most].copy()


def final_owners(game: Go, finals: States) -> NDArray[np.int8]:
    """[B, area], whose each point is at the end: +1 Black's, -1 White's, 0 nobody's (area as the boards stand)."""
    owners = np.zeros((len(finals), game.layout.area), np.int8)
    for board, row in zip(game.colours(finals), owners, strict=True):
        regions(board, game.layout.width, game.layout.height, row)
    return np.array([0, 1, -1, 0], np.int8)[owners]
