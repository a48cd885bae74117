"""Anchors: players whose rating is known from elsewhere, exactly or within an error."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sakiyomi.arena.rating.model import Floats, Ints

_FIRM = 100.0  # Elo: anchors that are looser count less for where the level of a pool is


@dataclass(frozen=True)
class Anchor:
    """`name` is rated `elo`: exactly or, with `sigma` > 0, with that standard error (a loose anchor).

    One exact anchor in a pool moves all its ratings alike and changes no difference. Several anchors, or loose ones,
    are facts like the games: they pull the ratings of their pool. Raises ValueError for figures that are none.
    """

    name: str
    elo: float
    sigma: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.elo) and math.isfinite(self.sigma) and self.sigma >= 0):
            raise ValueError(f"an anchor needs a finite rating and an error of at least 0, got {self}")


@dataclass(frozen=True, eq=False)
class Moorings:
    """Anchors as a fit of n players needs them, in Elo.

    `level` [n] is the rating that stands for 0 in a player's pool; `elo` [n] an anchor's rating relative to that, else
    0; `exact` and `loose` [n] tell who is an anchor, `sigma` [n] how loose. `held` [n]: does the player's pool have its
    level from several anchors, or loose ones? `lone` [n] is the only anchor, an exact one, of its pool.
    """

    level: Floats
    elo: Floats
    sigma: Floats
    exact: NDArray[np.bool_]
    loose: NDArray[np.bool_]
    held: NDArray[np.bool_]
    lone: NDArray[np.bool_]


def moor(anchors: Sequence[Anchor], names: Sequence[str], pools: Ints) -> Moorings:
    """Find the anchors among the players. Raises ValueError for one who is none of them, or is there twice."""
    n, place = len(names), {name: i for i, name in enumerate(names)}
    elo, sigma = np.zeros(n), np.zeros(n)
    exact, loose = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for anchor in anchors:
        if anchor.name not in place:
            some = ", ".join([*names[:20], *(["..."] if n > 20 else [])])
            raise ValueError(f"anchor {anchor.name!r} has no rated game; players that have: {some}")
        i = place[anchor.name]
        if exact[i] or loose[i]:
            raise ValueError(f"anchor {anchor.name!r} is given twice")
        elo[i], sigma[i] = anchor.elo, anchor.sigma
        (loose if anchor.sigma else exact)[i] = True
    any_here = exact | loose
    weight = np.where(any_here, 1 / (_FIRM**2 + sigma**2), 0.0)
    number = np.bincount(pools, any_here.astype(float))[pools]
    level = np.bincount(pools, weight * elo)[pools] / np.maximum(np.bincount(pools, weight)[pools], 1e-300)
    held = (number > 1) | (np.bincount(pools, loose.astype(float))[pools] > 0)
    return Moorings(level, np.where(any_here, elo - level, 0.0), sigma, exact, loose, held, exact & ~held)
