"""The games that self-play has under way: where they began, their moves, and what the searches found, ply by ply.

::

    by ply   [B, plies, ...]   row t of a game belongs to the position after t moves, as in `Episode`
    by game  [B, ...]          how many plies, whether nobody may resign, the lowest value that each side saw
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.selfplay.replay import WIDTH, Episode
from sakiyomi.boards.game import Game, States

BY_GAME = ("length", "played_on", "low")
ROOM = 128  # plies that there is room for at first


class GamesSoFar:
    """Games of `game` that stand at `states` [B], which belong to who plays them; all begin there."""

    def __init__(self, game: Game, states: States):
        self.game, self.states, self.starts = game, states, states.copy()
        games, width, plies = len(states), min(game.num_actions, WIDTH), min(game.max_plies, ROOM)
        self.length = np.zeros(games, np.int32)
        self.played_on = np.zeros(games, np.bool_)  # may nobody resign?
        self.low = np.ones((games, 2), np.float32)  # the lowest value that each side saw
        self.by_ply: dict[str, NDArray[Any]] = {
            "actions": np.zeros((games, plies), np.int32),
            "target_actions": np.zeros((games, plies, width), np.int32),
            "target_probabilities": np.zeros((games, plies, width), np.float32),
            "values": np.zeros((games, plies), np.float32),
            "weights": np.zeros((games, plies), np.float32),
            "surprises": np.zeros((games, plies), np.float32),
        }

    def note(
        self,
        rows: NDArray[np.int64],
        actions: NDArray[np.int64],
        targets: NDArray[np.float64],
        **found: NDArray[Any],
    ) -> None:
        """Write the next ply of the games `rows` [n]: moves, policies [n, A], and the columns "values" and so on.

        Of policies that name more actions than `Episode` holds, the likeliest are kept.
        """
        plies = self.length[rows]
        if int(plies.max()) >= self._room:
            self._lengthen()
        width = self.by_ply["target_actions"].shape[2]
        if width == self.game.num_actions:
            named = np.broadcast_to(np.arange(width), targets.shape)
        else:
            named = np.argpartition(-targets, width, axis=1)[:, :width]
        shares = np.take_along_axis(targets, named, axis=1)
        shares = shares / shares.sum(1, keepdims=True)
        policy = {"target_actions": np.where(shares > 0, named, -1), "target_probabilities": shares}
        for name, column in {"actions": actions, **policy, **found}.items():
            self.by_ply[name][rows, plies] = column
        self.length[rows] += 1

    def begin(self, row: int, start: States) -> None:
        """A new game in `row`, from the position `start` [1]."""
        self.starts[row] = self.states[row] = start[0]
        self.length[row] = 0
        self.low[row] = 1

    def end(self, row: int, result: float, surprise: float) -> Episode:
        """The game of `row`, which is over; a part `surprise` of its weights goes by how surprising plies were."""
        game = {name: column[row, : self.length[row]].copy() for name, column in self.by_ply.items()}
        game["weights"] = weighed(game["weights"], game.pop("surprises"), surprise)
        start, final = self.starts[row : row + 1].copy(), self.states[row : row + 1].copy()
        for column in self.by_ply.values():
            column[row, : self.length[row]] = 0  # what `save` writes is then the same after every resumption
        return Episode(start=start, result=result, final=final, **game)

    def save(self, path: Path) -> None:
        """Write the games as they stand into an .npz file."""
        longest = int(self.length.max(initial=0))
        records = {name: column[:, :longest] for name, column in self.by_ply.items()}
        records |= {name: getattr(self, name) for name in BY_GAME}
        for name, states in (("roots", self.states), ("starts", self.starts)):
            records[name] = states.view(np.uint8).reshape(len(states), -1)
        np.savez(path, allow_pickle=False, **records)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote of as many games."""
        with np.load(path) as records:
            longest = records["actions"].shape[1]
            while self._room < longest:
                self._lengthen()
            for name, states in (("roots", self.states), ("starts", self.starts)):
                states[:] = records[name].reshape(-1).view(self.game.dtype)
            for name in BY_GAME:
                getattr(self, name)[:] = records[name]
            for name, column in self.by_ply.items():
                column[:, :longest] = records[name]

    @property
    def _room(self) -> int:
        return int(self.by_ply["actions"].shape[1])

    def _lengthen(self) -> None:
        """Room for twice as many plies."""
        for name, column in self.by_ply.items():
            self.by_ply[name] = np.concatenate([column, np.zeros_like(column)], axis=1)


def weighed(weights: NDArray[np.float32], surprises: NDArray[np.float32], part: float) -> NDArray[np.float32]:
    """`weights` [T] of 0 and 1, a `part` of their sum given out in proportion to `surprises`."""
    told = surprises * weights
    if part == 0 or told.sum() <= 0:
        return weights.copy()
    shared: NDArray[np.float32] = (1 - part) * weights + part * weights.sum() * told / told.sum()
    return shared.astype(np.float32)
