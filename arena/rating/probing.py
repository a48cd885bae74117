"""The inverse of a large matrix in which anybody may meet anybody: conjugate gradients and random probes.

The more opponents players have, and the more mixed, the better both do. With the degrees D on the diagonal, K = D - A,
the powers of A / D fade quickly but for the level of a pool, which is pinned and put back exactly. The first three
terms of K^-1 = 1/D + 1/D A 1/D + ... are taken as they are, and only what is left over is probed: E[z_j (R z)_i] = R_ij
for random signs z (Hutchinson; Bekas, Kokiopoulou and Saad, 2007). Players of whom that tells too little are solved
for.
"""

import numpy as np
from scipy.sparse import csr_array

from sakiyomi.arena.rating.curvature import Curvature, singular
from sakiyomi.arena.rating.model import Floats, Ints, NoMaximum

EXACT = 1e-9
"""Relative residual at which a solution is taken for one."""
TARGET = 0.02
"""Relative standard error that every probed variance is to reach (half of it for the standard error of a rating)."""
GAP_TARGET = 0.05
"""The same for the variance of the difference of two players."""
BATCH = 16
"""Probes made together."""
MOST = 512
"""Probes made at most, and players solved for one by one after that."""
_SEED = 20_041_231


class Probes:
    """K^-1 by conjugate gradients; its entries from probes that are the same in every run."""

    def __init__(self, curvature: Curvature):
        self._diagonal, self._links = curvature.fixed
        self._pools, n = curvature.pools, len(self._diagonal)
        total = np.bincount(self._pools, self._diagonal)[self._pools]
        self._level = self._diagonal / np.sqrt(total)  # the pins are p p' of every pool's part p
        self._sums = csr_array((self._level, (self._pools, np.arange(n))), shape=(int(self._pools.max()) + 1, n))
        self._singular = singular(curvature).astype(float)  # [n] whose pool has no level without a pin
        self.accuracy = 0.0

    def _times(self, columns: Floats, pinned: Floats) -> Floats:
        level = np.asarray(self._sums @ columns)[self._pools] * (self._level * pinned)[:, None]
        return np.asarray(self._diagonal[:, None] * columns - self._links @ columns + level)

    def solve(self, columns: Floats) -> Floats:
        """See `Solver`."""
        return self._conjugate(columns, self._singular, EXACT)

    def _conjugate(self, wanted: Floats, pinned: Floats, tolerance: float) -> Floats:
        """Conjugate gradients for all columns at once, preconditioned by the diagonal."""
        scale = 1 / (self._diagonal + self._level**2 * pinned)[:, None]
        found, rest = np.zeros_like(wanted), wanted.copy()
        shifted = scale * rest
        direction, size = shifted.copy(), (rest * shifted).sum(0)
        goal = np.maximum(size * tolerance**2, 1e-300)
        for _ in range(20 * int(np.sqrt(len(wanted))) + 1000):
            if (size <= goal).all():
                return found
            image = self._times(direction, pinned)
            curve = (direction * image).sum(0)
            length = np.where(size > goal, size / np.where(curve > 0, curve, 1.0), 0.0)
            found += length * direction
            rest -= length * image
            shifted = scale * rest
            size, before = (rest * shifted).sum(0), size
            direction = shifted + np.where(before > 0, size / np.where(before > 0, before, 1.0), 0.0) * direction
        raise NoMaximum("the results hardly join some players to the others; use a prior")

    def variances(self, i: Ints, j: Ints) -> tuple[Floats, Floats]:
        """See `Solver`. Probes go on until each variance is known to `TARGET`; `accuracy` tells how far they came."""
        n, everyone = len(self._diagonal), np.ones(len(self._diagonal))
        inverse, links = 1 / self._diagonal, self._links
        scaled = csr_array((links.data * inverse[links.indices], links.indices, links.indptr), shape=links.shape)
        known = inverse + inverse**2 * np.asarray((scaled * links).sum(1)).ravel()
        known_pairs = inverse[i] * inverse[j] * (_entries(links, i, j) + _products(scaled, links, i, j))
        back = self._unpinning()
        rng = np.random.default_rng(_SEED)
        own, pairs, probes = _Mean(n), _Mean(len(i)), 0
        while True:
            signs = rng.choice([-1.0, 1.0], (n, BATCH))
            first = inverse[:, None] * signs
            second = inverse[:, None] * (links @ first)
            third = inverse[:, None] * (links @ second)
            left = self._conjugate(signs, everyone, 1e-4) - first - second - third
            own.add(signs * left)
            pairs.add((signs[i] * left[j] + signs[j] * left[i]) / 2)
            probes += BATCH
            diagonal, entries = known + own.mean, known_pairs + pairs.mean
            noise = own.error / np.maximum(diagonal, 1e-9 * inverse)
            gap_noise = 2 * pairs.error / np.maximum(diagonal[i] + diagonal[j] - 2 * entries, 1e-9 * inverse[i])
            vague = int((noise > TARGET).sum() + (gap_noise > GAP_TARGET).sum())
            if probes >= MOST or not vague or (vague <= probes and probes >= 4 * BATCH):
                break
        alone = _worst(noise, TARGET)
        diagonal[alone] = self._quadratic(alone, alone[:0])
        together = _worst(gap_noise, GAP_TARGET)
        gaps = self._quadratic(i[together], j[together])
        entries[together] = (diagonal[i[together]] + diagonal[j[together]] - gaps) / 2
        noise[alone] = 0.0
        self.accuracy = float(noise.max())
        return diagonal + back**2, entries + back[i] * back[j]

    def _quadratic(self, i: Ints, j: Ints) -> Floats:
        """[k] the pinned inverse's diagonal at `i` or, where `j` is given, the variance of i less j."""
        found = np.zeros(len(i))
        for start in range(0, len(i), BATCH):
            some = slice(start, start + BATCH)
            columns = np.zeros((len(self._diagonal), len(i[some])))
            columns[i[some], range(len(i[some]))] = 1.0
            if len(j):
                columns[j[some], range(len(i[some]))] -= 1.0
            found[some] = (columns * self._conjugate(columns, np.ones(len(columns)), 1e-4)).sum(0)
        return found

    def _unpinning(self) -> Floats:
        """[n] u such that u u' is, within each pool that has a level of its own, what the pin took from K^-1."""
        own = 1 - self._singular
        if not own.any():
            return np.zeros_like(own)
        level = self._conjugate((self._level * own)[:, None], self._singular, EXACT)[:, 0]
        total = np.bincount(self._pools, self._level * level)[self._pools]
        return np.asarray(own * level / np.sqrt(1 + total))


class _Mean:
    """The mean of what is drawn, and its standard error."""

    def __init__(self, size: int):
        self._sum, self._squares, self._number = np.zeros(size), np.zeros(size), 0

    def add(self, drawn: Floats) -> None:
        """Take in more draws [size, k]."""
        self._sum += drawn.sum(1)
        self._squares += (drawn**2).sum(1)
        self._number += drawn.shape[1]

    @property
    def mean(self) -> Floats:
        return np.asarray(self._sum / self._number)

    @property
    def error(self) -> Floats:
        return np.asarray(np.sqrt(np.maximum(self._squares / self._number - self.mean**2, 0) / self._number))


def _worst(noise: Floats, target: float) -> Ints:
    """Where the noise is above the target, the worst first, at most `MOST`."""
    order = np.argsort(-noise, kind="stable")[:MOST]
    return np.asarray(order[noise[order] > target])


def _entries(matrix: csr_array, i: Ints, j: Ints) -> Floats:
    return np.asarray(matrix[i, j]).ravel() if len(i) else np.zeros(0)


def _products(a: csr_array, b: csr_array, i: Ints, j: Ints) -> Floats:
    """The entries (i, j) of ``a @ b.T``."""
    return np.asarray((a[i] * b[j]).sum(1)).ravel() if len(i) else np.zeros(0)
