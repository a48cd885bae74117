"""The sequential probability ratio test: play until it is clear whether a player is better by `elo1` or only by `elo0`.

The generalised test (GSPRT) takes for each hypothesis the likeliest distribution of outcomes that meets it, given those
seen. Source: M. Van den Bergh, "The generalized maximum likelihood ratio for the expectation value of a distribution"
and "Normalized Elo", as Fishtest computes them; A. Wald, "Sequential Tests of Statistical Hypotheses", 1945.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq

from sakiyomi.arena.rating.head_to_head import EMPTY, NELO, Floats, check_counts, moments, score_of

Scale = Literal["logistic", "normalized"]
_STEPS = 10  # of the fixed point for normalized Elo; it settles in about five


@dataclass(frozen=True)
class Sprt:
    """The test of `elo1` (accepted with "H1") against `elo0` ("H0").

    `alpha` is the chance to accept H1 although H0 is true, `beta` that to accept H0 although H1 is. `scale` says what
    the Elo figures are: ordinary ones, or normalized (differences measured by how many games they take to show).
    Raises ValueError for elo1 not above elo0, or chances that are none.
    """

    elo0: float = 0.0
    elo1: float = 5.0
    alpha: float = 0.05
    beta: float = 0.05
    scale: Scale = "logistic"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.elo0) and math.isfinite(self.elo1) and self.elo0 < self.elo1):
            raise ValueError(f"a test needs elo0 below elo1, got {self.elo0} and {self.elo1}")
        if not (0 < self.alpha < 0.5 and 0 < self.beta < 0.5):
            raise ValueError(f"alpha and beta must lie between 0 and 0.5, got {self.alpha} and {self.beta}")
        if self.scale not in ("logistic", "normalized"):
            raise ValueError(f"scale must be 'logistic' or 'normalized', got {self.scale!r}")

    @property
    def bounds(self) -> tuple[float, float]:
        """The log-likelihood ratios at which H0 and H1 are accepted (Wald's)."""
        return math.log(self.beta / (1 - self.alpha)), math.log((1 - self.beta) / self.alpha)

    def llr(self, counts: Sequence[int]) -> float:
        """The logarithm of how much likelier `counts` (see `duel`) are under H1 than under H0; 0 for no games."""
        found = check_counts(counts)
        if not found.any():
            return 0.0
        found = np.where(found == 0, EMPTY, found)
        total = float(found.sum())
        shares = found / total
        nearest = _nearest_mean if self.scale == "logistic" else _nearest_normalized
        h0, h1 = (nearest(shares, elo) for elo in (self.elo0, self.elo1))
        return total * float(shares @ np.log(h1 / h0))

    def verdict(self, counts: Sequence[int]) -> Literal["H0", "H1"] | None:
        """Which hypothesis is accepted, None while more games are needed."""
        low, high = self.bounds
        llr = self.llr(counts)
        return "H0" if llr <= low else "H1" if llr >= high else None


@dataclass(frozen=True)
class Verdict:
    """How a test stands: its log-likelihood ratio, the bounds within which it is open, and what is accepted, if any."""

    llr: float
    bounds: tuple[float, float]
    accepted: Literal["H0", "H1"] | None


def sprt(
    counts: Sequence[int],
    elo0: float = 0.0,
    elo1: float = 5.0,
    *,
    alpha: float = 0.05,
    beta: float = 0.05,
    scale: Scale = "logistic",
) -> Verdict:
    """The test of `elo1` against `elo0` on `counts`: games lost, drawn, won, or pairs by points 0, 1/2, 1, 3/2, 2.

    Arguments as `Sprt` has them. Raises ValueError for wrong ones.
    """
    test = Sprt(elo0, elo1, alpha, beta, scale)
    return Verdict(test.llr(counts), test.bounds, test.verdict(counts))


def _nearest_mean(shares: Floats, elo: float) -> Floats:
    """The likeliest distribution, given `shares`, whose mean score is that of `elo`."""
    return _nearest(shares, np.linspace(0, 1, len(shares)) - score_of(elo))


def _nearest_normalized(shares: Floats, elo: float) -> Floats:
    """The likeliest distribution, given `shares`, with (mean - 1/2) / deviation of `elo` normalized.

    The condition is not linear in the distribution: it is linearised at the last one found, again and again.
    """
    scores = np.linspace(0, 1, len(shares))
    target = elo / NELO * math.sqrt((len(shares) - 1) // 2)
    found = np.full(len(shares), 1 / len(shares))
    for _ in range(_STEPS):
        mean, variance = moments(found)
        deviation = math.sqrt(variance)
        before = found
        found = _nearest(shares, scores - 0.5 - target * deviation * (1 + ((mean - scores) / deviation) ** 2) / 2)
        if np.abs(found - before).max() < 1e-9:
            break
    return found


def _nearest(shares: Floats, weights: Floats) -> Floats:
    """The distribution p of the highest likelihood, given `shares`, with ``p @ weights == 0``.

    By Lagrange, p = shares / (1 + x weights), where x is the one root that leaves every p positive.
    """

    def condition(x: float) -> float:
        return float(shares @ (weights / (1 + x * weights)))

    low, high = -1 / weights.max(), -1 / weights.min()
    margin = 1e-12 * (high - low)
    x = brentq(condition, low + margin, high - margin, xtol=1e-14, rtol=8.9e-16)
    return shares / (1 + x * weights)
