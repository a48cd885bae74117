"""What a search found at its roots: visits, values, the policy that it teaches and the move that it plays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.search.selection import Gumbel

_LOWEST = -1e30  # stands for minus infinity where that would be subtracted from itself


@dataclass(frozen=True)
class Findings:
    """Of n roots, by action [n, A]; values are those of the player to move at the root, -1 to 1.

    `priors` are the network's after masking (and noise); `means` are nan where nothing was visited; `values` [n] are
    the mean results at the roots, `raw_values` [n] the network's; `noise` are the Gumbel samples, or zeros. `proofs`
    [n, A] and `certain` [n], of actions and roots, are results known for certain, else nan; they take the place of
    means and values, and policies then stand on what is best for certain, and never on a loss if there is a choice.
    """

    visits: NDArray[np.int64]
    means: NDArray[np.float64]
    priors: NDArray[np.float64]
    values: NDArray[np.float64]
    raw_values: NDArray[np.float64]
    noise: NDArray[np.float64]
    proofs: NDArray[np.float64]
    certain: NDArray[np.float64]

    @property
    def sound(self) -> NDArray[np.bool_]:
        """[n, A]: legal, and not known to be worse than another action."""
        best = np.where(np.isnan(self.certain)[:, None], ~(self.proofs < 0), self.proofs == self.certain[:, None])
        return np.asarray(best & (self.priors > 0))

    def proportions(self, temperature: float | NDArray[np.float64] = 1.0) -> NDArray[np.float64]:
        """``N^(1/tau) / sum N^(1/tau)`` [n, A]; tau 0 (or each row's own) is all on the most visited, equals shared.

        A root without visits (of sound actions) follows its priors, one where the game is over has no policy: zeros.
        """
        counts = np.where(self.sound, self.visits, 0)
        counts = np.where(counts.sum(1, keepdims=True) > 0, counts, np.where(self.sound, self.priors, 0))
        tau = np.broadcast_to(np.asarray(temperature, np.float64), len(counts))[:, None]
        with np.errstate(divide="ignore"):
            logs = np.log(counts)
        logs -= np.maximum(logs.max(1, keepdims=True), _LOWEST)
        return _normalised(np.where(tau > 0, np.exp(logs / np.maximum(tau, 1e-8)), logs == 0))

    def completed(self) -> NDArray[np.float64]:
        """[n, A]: means where visited, else the mixed value (Gumbel paper, appendix D)."""
        visited = self.visits > 0
        total = self.visits.sum(1)
        weight = np.where(visited, np.maximum(self.priors, 1e-30), 0)
        mean = (weight * np.where(visited, self.means, 0)).sum(1) / np.maximum(weight.sum(1), 1e-30)
        mixed = (self.raw_values + total * mean) / (1 + total)
        return np.where(visited, self.means, mixed[:, None])

    def sigma(self, gumbel: Gumbel) -> NDArray[np.float64]:
        """[n, A]: ``(visit + max N) scale q`` of the completed values (see `Gumbel`)."""
        q = self.completed()
        if gumbel.rescale:
            low, high = q.min(1, keepdims=True), q.max(1, keepdims=True)
            q = (q - low) / np.maximum(high - low, 1e-8)
        return np.asarray((gumbel.visit + self.visits.max(1, keepdims=True)) * gumbel.scale * q)

    def improved(self, gumbel: Gumbel) -> NDArray[np.float64]:
        """``softmax(logits + sigma(completed Q))`` [n, A], the policy that Gumbel search teaches."""
        scores = self._logits() + self.sigma(gumbel)
        return _normalised(np.exp(scores - np.maximum(scores.max(1, keepdims=True), _LOWEST)))

    def gumbel_actions(self, gumbel: Gumbel) -> NDArray[np.int64]:
        """[n]: of the most visited (sound) actions the one of greatest ``g + logit + sigma(q)``."""
        scores = self.noise + self._logits() + self.sigma(gumbel)
        visits = np.where(self.sound, self.visits, -1)
        most = visits == visits.max(1, keepdims=True)
        return np.asarray(np.argmax(np.where(most, scores, -np.inf), axis=1))

    def pruned(self, c: NDArray[np.float64], forced: float) -> NDArray[np.float64]:
        """Visits [n, A] without those that only forced playouts gave (KataGo, section 3.2).

        From every action but the most visited one, up to ``sqrt(forced P sum N)`` visits are taken while its PUCT
        score, with the coefficient `c` [n] (root of the visits included) and Q in [-1, 1], stays below the best
        one's; actions left with a single visit lose it.
        """
        visits = self.visits.astype(np.float64)
        total = visits.sum(1, keepdims=True)
        best = visits.argmax(1)
        rows = np.arange(len(visits))
        means = np.where(self.visits > 0, self.means, 0.0)
        coefficient = c[:, None] * self.priors
        aim = (means + coefficient / (1 + visits))[rows, best][:, None]
        gap = aim - means
        with np.errstate(divide="ignore", invalid="ignore"):
            needed = np.where(gap > 0, np.ceil(coefficient / gap - 1 - 1e-9), visits)
        least = visits - np.floor(np.sqrt(forced * self.priors * total))
        kept: NDArray[np.float64] = np.clip(np.maximum(needed, least), 0, visits)
        kept[kept <= 1] = 0
        kept[rows, best] = visits[rows, best]
        return kept

    def _logits(self) -> NDArray[np.float64]:
        """[n, A]: the logarithms of the priors; minus infinity where an action is not sound."""
        return np.where(self.sound, np.log(np.maximum(self.priors, 1e-30)), -np.inf)


def drawn(shares: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """[n] actions, drawn in proportion to `shares` [n, A]."""
    sums = np.cumsum(shares, axis=1)
    chosen: NDArray[np.int64] = np.argmax(sums > rng.random(len(sums))[:, None] * sums[:, -1:], axis=1)
    return chosen


def _normalised(powers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows that sum to 1; rows of zeros stay."""
    sums = powers.sum(1, keepdims=True)
    return np.asarray(powers / np.where(sums > 0, sums, 1))
