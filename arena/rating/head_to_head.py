"""Two players and the games between them: score, Elo, and how sure they are.

Games are counted as losses, draws and wins of the first named player (three counts), or, better, as pairs of games from
one opening with colours swapped (five counts, by the pair's score 0, 1/2, 1, 3/2, 2). Pairs cancel the opening's
advantage, so their scores vary less than those of single games, and intervals from them are honest and narrower.

Sources: Fishtest's statistics (`LLRcalc`, `stat_util`); M. Van den Bergh, "Comments on normalized Elo", 2020.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]

NELO = 800 / math.log(10)
"""Normalized Elo in a standard deviation of one game's score."""
EMPTY = 1e-3
"""Stands for a count of nothing where a test needs every outcome to be possible."""


def check_counts(counts: Sequence[int]) -> Floats:
    """`counts` as floats. Raises ValueError unless they are three or five whole numbers, none below 0."""
    found = np.asarray(counts, dtype=np.float64)
    if found.shape not in ((3,), (5,)) or not np.isfinite(found).all() or (found < 0).any() or (found % 1).any():
        raise ValueError(
            "wanted: 3 counts (games lost, drawn, won) or 5 (pairs of games by their score 0, 1/2, 1, 3/2, 2),"
            f" got {list(counts)}"
        )
    return found


def elo_of(score: float) -> float:
    """The difference in Elo at which `score` (0..1) is expected; infinite at 0 and 1."""
    if score <= 0 or score >= 1:
        return math.copysign(math.inf, score - 0.5)
    return -400 * math.log10(1 / score - 1)


def score_of(elo: float) -> float:
    """The score (0..1) expected at a difference of `elo`."""
    return 1 / (1 + 10 ** (-elo / 400))


@dataclass(frozen=True)
class Duel:
    """What `counts` tell of the first player against the second.

    `score` is the mean (0..1) and `deviation` the standard deviation of a game's score, as far as it shows from pairs.
    `elo` lies in `low`..`high` with the confidence asked for; `nelo` is normalized Elo, the mean's distance from 1/2 in
    standard deviations of one game, with `nelo_error` the half-width of its interval; `los` is the likelihood that the
    first player is the stronger one.
    """

    games: int
    score: float
    deviation: float
    elo: float
    low: float
    high: float
    nelo: float
    nelo_error: float
    los: float


def duel(counts: Sequence[int], confidence: float = 0.95) -> Duel:
    """The figures for `counts`: games lost, drawn, won, or pairs by their score 0, 1/2, 1, 3/2, 2.

    Intervals are normal ones of the mean score, seen through the Elo curve. Raises ValueError for counts that are none,
    no games at all, or a confidence outside 0..1.
    """
    found = check_counts(counts)
    if not 0 < confidence < 1:
        raise ValueError(f"the confidence must lie between 0 and 1, got {confidence}")
    total = float(found.sum())
    if not total:
        raise ValueError("no games: nothing can be said of the players")
    mean, variance = moments(found / total)
    error = math.sqrt(variance / total)
    games_a_count = (len(found) - 1) // 2
    deviation = math.sqrt(games_a_count * variance)
    z = float(ndtri((1 + confidence) / 2))
    lead = mean - 0.5
    return Duel(
        games=round(total) * games_a_count,
        score=mean,
        deviation=deviation,
        elo=elo_of(mean),
        low=elo_of(mean - z * error),
        high=elo_of(mean + z * error),
        nelo=_in_units(lead, deviation) * NELO,
        nelo_error=z * NELO / math.sqrt(total * games_a_count),
        los=float(ndtr(_in_units(lead, error))),
    )


def _in_units(lead: float, unit: float) -> float:
    """`lead` / `unit`, where nothing varied infinite, or 0 if there is no lead."""
    if unit:
        return lead / unit
    return math.copysign(math.inf, lead) if lead else 0.0


def moments(shares: Floats) -> tuple[float, float]:
    """Mean and variance of the score of one count, when counts occur with frequencies `shares`."""
    scores = np.linspace(0, 1, len(shares))
    mean = float(shares @ scores)
    return mean, float(shares @ (scores - mean) ** 2)


def trinomial(results: Sequence[float]) -> tuple[int, int, int]:
    """Games lost, drawn, won, from their scores 0, 1/2, 1."""
    return results.count(0), results.count(0.5), results.count(1)


def pentanomial(pairs: Sequence[tuple[float, float]]) -> tuple[int, int, int, int, int]:
    """Pairs of games by their score, from the scores 0, 1/2, 1 of their two games."""
    sums = [first + second for first, second in pairs]
    return sums.count(0), sums.count(0.5), sums.count(1), sums.count(1.5), sums.count(2)
