"""Minus the Hessian of the log-posterior as a graph of the players, and which way to solve with it.

The strengths' part K is the Laplacian of a graph (an edge for every two players who met, weighed by what their games
tell) plus the prior's precision; advantage and draw parameter border it by two columns. K is never bad to handle:

- small pools: a dense Cholesky factor (`elimination.Dense`);
- graphs that fall into levels, where players meet only neighbours (ladders, leagues, opponents of like strength):
  elimination level by level (`elimination.Levels`), exact, too;
- large pools in which anybody meets anybody: conjugate gradients, which there take a dozen steps, and random probes
  for the diagonal of the inverse (`probing.Probes`).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from sakiyomi.arena.rating.model import Counts, Floats, Ints

DENSE = 1000
"""Players up to whom matrices are dense."""


class Pattern:
    """Who met whom: the places of the edges in a symmetric sparse matrix, found once for all weights."""

    def __init__(self, counts: Counts):
        n = counts.players
        low, high = np.minimum(counts.first, counts.second), np.maximum(counts.first, counts.second)
        pairs, self._edge = np.unique(low * n + high, return_inverse=True)
        self._players, self._low, self._high = n, pairs // n, pairs % n

    @cached_property
    def _places(self) -> csr_array:
        """The number of each edge, from 1, at its two places."""
        n, number = self._players, np.arange(1, len(self._low) + 1)
        both = np.concatenate([self._low, self._high]), np.concatenate([self._high, self._low])
        return csr_array(coo_array((np.tile(number, 2), both), shape=(n, n)))

    def _edges(self, weights: Floats) -> Floats:
        return np.asarray(np.bincount(self._edge, weights, len(self._low)), np.float64)

    def links(self, weights: Floats) -> csr_array:
        """[n, n], symmetric: the `weights` [P] of the counts' entries added up by pair."""
        places = self._places
        return csr_array((self._edges(weights)[places.data - 1], places.indices, places.indptr), shape=places.shape)

    def dense(self, weights: Floats) -> Floats:
        """`links` as an array."""
        links, edges = np.zeros((self._players, self._players)), self._edges(weights)
        links[self._low, self._high] = links[self._high, self._low] = edges
        return links


class Solver(Protocol):
    """The inverse of K, which players' contrasts within a pool tell from any other that differs by a constant."""

    accuracy: float
    """The largest relative standard error of what `variances` found; 0 where that is exact."""

    def solve(self, columns: Floats) -> Floats:
        """K^-1 times `columns` [n, k]."""
        ...

    def variances(self, i: Ints, j: Ints) -> tuple[Floats, Floats]:
        """The diagonal of K^-1, and its entries at (i, j)."""
        ...


@dataclass(frozen=True, eq=False)
class Curvature:
    """Minus the Hessian at a point.

    K is diag(`diagonal`) - `links`, of the `weights` [P] that the entries of the counts have; `border` [n, 2] and
    `corner` [2, 2] belong to the advantage and the draw parameter. `free` [n + 2] tells what is fitted; `pools` [n]
    which players are joined, and `held` [n] whose pool has its level from several anchors, or loose ones.
    """

    diagonal: Floats
    pattern: Pattern
    weights: Floats
    border: Floats
    corner: Floats
    free: NDArray[np.bool_]
    pools: Ints
    held: NDArray[np.bool_]

    @cached_property
    def links(self) -> csr_array:
        """[n, n], symmetric."""
        return self.pattern.links(self.weights)

    @property
    def pin(self) -> float:
        """The precision given to the mean of a pool whose level nothing holds."""
        return max(1.0, float(self.diagonal.mean()))

    def dense(self) -> Floats:
        """[n + 2, n + 2], the mean of each pool pinned unless anchors hold it."""
        n = len(self.diagonal)
        full = np.zeros((n + 2, n + 2))
        full[:n, :n] = -self.pattern.dense(self.weights)
        full[range(n), range(n)] += self.diagonal
        same = (self.pools[:, None] == self.pools[None, :]) & ~self.held[:, None]
        full[:n, :n] += same / np.maximum(same.sum(1, keepdims=True), 1) * self.pin
        full[:n, n:], full[n:, :n], full[n:, n:] = self.border, self.border.T, self.corner
        return full

    @cached_property
    def fixed(self) -> "Fixed":
        """K with the players who are not fitted cut out: their rows and columns are the unit matrix's."""
        n = len(self.diagonal)
        free = self.free[:n]
        if free.all():
            return Fixed(self.diagonal, self.links)
        rows = np.repeat(np.arange(n), np.diff(self.links.indptr))
        data = self.links.data * (free[rows] & free[self.links.indices])
        links = csr_array((data, self.links.indices, self.links.indptr), shape=self.links.shape)
        return Fixed(np.where(free, self.diagonal, 1.0), links)

    def solver(self) -> Solver:
        """The way that suits the graph."""
        from sakiyomi.arena.rating.elimination import Dense, Levels, levels_of
        from sakiyomi.arena.rating.probing import Probes

        if len(self.diagonal) <= DENSE:
            return Dense(self)
        order, starts = levels_of(self.fixed.links)
        return Probes(self) if order is None else Levels(self, order, starts)


class Fixed(NamedTuple):
    """K as diag(`diagonal`) - `links`."""

    diagonal: Floats
    links: csr_array


def singular(curvature: Curvature) -> NDArray[np.bool_]:
    """[n]: is K singular along the level of the player's pool, since neither anchors nor a prior hold it?"""
    diagonal, links = curvature.fixed
    slack = np.bincount(curvature.pools, diagonal - np.asarray(links.sum(1)).ravel())
    return np.asarray((slack <= 1e-9 * np.bincount(curvature.pools, diagonal))[curvature.pools])
