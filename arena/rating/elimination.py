"""Exact inverses: of small matrices, and of large ones whose graph falls into levels."""

from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse import csr_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from sakiyomi.arena.rating.curvature import Curvature, singular
from sakiyomi.arena.rating.model import Floats, Ints, NoMaximum

WORK = 4e9
"""Sum of the cubes of the levels' sizes up to which elimination by levels beats random probes."""
_LEAST = 64  # players a level has at least: matrix products pay only from some size on


class Dense:
    """A Cholesky factor of the whole matrix."""

    accuracy = 0.0

    def __init__(self, curvature: Curvature):
        n = len(curvature.diagonal)
        matrix = curvature.dense()[:n, :n]
        fixed = np.flatnonzero(~curvature.free[:n])
        matrix[fixed, :] = matrix[:, fixed] = 0.0
        matrix[fixed, fixed] = 1.0
        self._size = n
        try:
            self._factor = cho_factor(matrix, lower=True)
            sound = bool((np.diag(self._factor[0]) ** 2 > 1e-12 * np.diag(matrix)).all())
        except LinAlgError:
            sound = False
        if not sound:
            raise NoMaximum("the results put no bound on some ratings; use a prior")

    def solve(self, columns: Floats) -> Floats:
        """See `Solver`."""
        return np.asarray(cho_solve(self._factor, columns))

    @cached_property
    def _inverse(self) -> Floats:
        return self.solve(np.eye(self._size))

    def variances(self, i: Ints, j: Ints) -> tuple[Floats, Floats]:
        """See `Solver`."""
        return np.diag(self._inverse), self._inverse[i, j]


def levels_of(links: csr_array) -> tuple[Ints | None, Ints]:
    """An order of the players, and where in it levels begin (and the last ends); only neighbouring levels are linked.

    The order is None where the levels are so large that elimination would take too long.
    """
    n = links.shape[0]
    order = np.asarray(reverse_cuthill_mckee(links, symmetric_mode=True), np.int64)
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    farthest = np.arange(n)
    rows = np.repeat(np.arange(n), np.diff(links.indptr))
    np.maximum.at(farthest, place[rows], place[links.indices])
    reach = np.maximum.accumulate(farthest) + 1  # behind the last neighbour of all up to here
    starts = [0, min(_LEAST, n)]
    while starts[-1] < n:
        starts.append(min(max(starts[-1] + _LEAST, int(reach[starts[-1] - 1])), n))
    work = float((np.diff(np.array(starts, float)) ** 3).sum())
    return (order if work <= WORK else None), np.array(starts)


class Levels:
    """Block elimination: K is block tridiagonal in the levels.

    With S_k what is left of block k when those before it are eliminated, C_k the block (k + 1, k) and
    G_k = S_k^-1 C_k', the inverse has the blocks X_kk = S_k^-1 + G_k X_k+1,k+1 G_k' and X_kl = -G_k X_k+1,l for k < l.
    """

    accuracy = 0.0

    def __init__(self, curvature: Curvature, order: Ints, starts: Ints):
        diagonal, links = curvature.fixed
        grounded = np.zeros(len(diagonal))
        _, someone = np.unique(curvature.pools, return_index=True)
        grounded[someone] = np.where(singular(curvature)[someone], curvature.pin, 0.0)
        matrix = links[order][:, order]
        diagonal = (diagonal + grounded)[order]
        self._order, self._starts = order, starts
        self._place = np.empty(len(order), np.int64)
        self._place[order] = np.arange(len(order))
        self._factors: list[tuple[Floats, bool]] = []
        self._gains: list[Floats] = []  # G_k
        block = np.zeros((0, 0))
        for k, (a, b) in enumerate(pairwise(starts.tolist())):
            block = np.diag(diagonal[a:b]) - matrix[a:b, a:b].toarray()
            if k:
                below = -matrix[a:b, starts[k - 1] : a].toarray()
                gain = cho_solve(self._factors[-1], below.T)
                self._gains.append(gain)
                block -= below @ gain
            try:
                self._factors.append(cho_factor(block, lower=True))
            except LinAlgError as error:
                raise NoMaximum("the results put no bound on some ratings; use a prior") from error

    def solve(self, columns: Floats) -> Floats:
        """See `Solver`."""
        starts, gains = self._starts, self._gains
        found = columns[self._order]
        for k, gain in enumerate(gains):
            found[starts[k + 1] : starts[k + 2]] -= gain.T @ found[starts[k] : starts[k + 1]]
        for k in reversed(range(len(self._factors))):
            here = slice(starts[k], starts[k + 1])
            found[here] = cho_solve(self._factors[k], found[here])
            if k < len(gains):
                found[here] -= gains[k] @ found[starts[k + 1] : starts[k + 2]]
        result = np.empty_like(found)
        result[self._order] = found
        return result

    def variances(self, i: Ints, j: Ints) -> tuple[Floats, Floats]:
        """See `Solver`. Entries far from the diagonal are carried from level to level."""
        starts, n = self._starts, len(self._order)
        near, far = np.minimum(self._place[i], self._place[j]), np.maximum(self._place[i], self._place[j])
        level_near, level_far = (np.searchsorted(starts, place, side="right") - 1 for place in (near, far))
        diagonal, entries = np.empty(n), np.empty(len(i))
        block = np.zeros((0, 0))
        carried, columns = np.zeros((0, 0)), np.zeros(0, np.int64)  # X_kl[:, far place] of the pairs under way
        for k in reversed(range(len(self._factors))):
            a, b = int(starts[k]), int(starts[k + 1])
            above, block = block, cho_solve(self._factors[k], np.eye(b - a))
            if k < len(self._gains):
                gain = self._gains[k]
                block += gain @ above @ gain.T
                carried = -gain @ carried
            else:
                carried = np.zeros((b - a, 0))
            diagonal[self._order[a:b]] = np.diag(block)
            new = np.flatnonzero(level_far == k)
            carried = np.hstack([carried, block[:, far[new] - a]])
            columns = np.concatenate([columns, new])
            done = level_near[columns] == k
            entries[columns[done]] = carried[near[columns[done]] - a, np.flatnonzero(done)]
            carried, columns = carried[:, ~done], columns[~done]
        return diagonal, entries
