"""Rows of a batch, each turned by a symmetry of its own: planes, actions and whatever goes by action."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import Symmetry


class Turned:
    """n rows turned by ``symmetries[chosen[i]]`` each (`Game.symmetries`); `chosen` is int [n], or None: as they are.

    Arguments may be returned as they are; they are never changed.
    """

    def __init__(self, symmetries: Sequence[Symmetry], chosen: NDArray[np.integer[Any]] | None):
        self.symmetries, self.chosen = symmetries, chosen
        self._images = np.stack([np.append(symmetry.actions, np.int32(-1)) for symmetry in symmetries])  # -1 stays -1

    def planes(self, planes: NDArray[Any]) -> NDArray[Any]:
        """[n, ..., Y, X] as the turned boards show it."""
        if self.chosen is None:
            return planes
        out = np.empty_like(planes)
        for number, symmetry in enumerate(self.symmetries):
            rows = np.flatnonzero(self.chosen == number)
            out[rows] = symmetry.planes(planes[rows])
        return out

    def actions(self, actions: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
        """[n, W] actions by their numbers on the turned boards; -1 stays -1."""
        return actions if self.chosen is None else self._images[self.chosen[:, None], actions]

    def by_action(self, values: NDArray[Any]) -> NDArray[Any]:
        """[n, A], values by action, in the order of the turned boards' actions."""
        if self.chosen is None:
            return values
        out = np.empty_like(values)
        np.put_along_axis(out, self._images[self.chosen, :-1], values, axis=1)
        return out

    def turned_back(self, values: NDArray[Any]) -> NDArray[Any]:
        """[n, A], what belongs to the actions of the turned boards, in the order before: undoes `by_action`."""
        return values if self.chosen is None else np.take_along_axis(values, self._images[self.chosen, :-1], axis=1)
