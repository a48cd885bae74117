"""Which stones are dead, which stand in seki: estimated from playouts, made certain where Benson's algorithm can.

Stones live or die with what they can connect to. A colour's stones and the empty points between them fall into areas,
which the other colour's stones bound; the stones of an area are dead where playouts give the area, all its points
taken together, to the opponent. A single chain tells less: playouts that know no eyes cut it off and take it too often.

Seki needs evidence of its own, for ownership about even is common where boundaries are thin, and true seki is rare:
two chains that have nothing to live on but the liberties that they share.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SEKI_WITHIN = 0.4  # mean ownership, either way, that leaves a chain's fate to who moves first
CROSS = ndimage.generate_binary_structure(2, 1)
ON_ONE_BOARD = np.stack([0 * CROSS, CROSS, 0 * CROSS])  # neighbours in [B, H, W]
RING = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.bool_)  # the neighbours without the point itself

Boards = NDArray[np.uint8]
Mask = NDArray[np.bool_]


class Chain(NamedTuple):
    """Masks [H, W]; `eyes` are the liberties that nothing but stones of its colour touches."""

    stones: Mask
    liberties: Mask
    eyes: Mask


def judge(boards: Boards, owners: NDArray[np.float64], alive: NDArray[np.int8]) -> tuple[Mask, Mask]:
    """Dead stones and stones in seki: two [B, H, W].

    `boards` [B, H, W] are 0 empty, 1 black, 2 white; `owners` [B, H, W] mean ownership, +1 Black's to -1 White's;
    `alive` [B, 2, H, W] for each colour 1 on its pass-alive stones, 2 on the points of their vital regions.
    """
    dead = np.zeros(boards.shape, np.bool_)
    uncertain: list[dict[int, list[Chain]]] = []
    for colour, sign in ((1, 1), (2, -1)):
        stones = boards == colour
        mine, theirs = alive[:, colour - 1], alive[:, 2 - colour]
        held = np.where(mine != 0, 1.0, np.where(theirs == 2, -1.0, sign * owners))
        lost = _means(held, stones | (boards == 0)) < 0
        dead |= stones & (lost | (theirs == 2)) & (mine != 1)
        uncertain.append(_uncertain_chains(boards, stones, held))
    seki = _in_seki(boards, *uncertain)
    return dead & ~seki, seki


def _means(held: NDArray[np.float64], mask: Mask) -> NDArray[np.float64]:
    """[B, H, W], at each point of `mask` the mean of `held` over the points connected to it; 0 elsewhere."""
    labels, count = ndimage.label(mask, ON_ONE_BOARD)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sums = np.bincount(labels.ravel(), weights=held.ravel(), minlength=count + 1)
    means = sums / np.maximum(sizes, 1)
    means[0] = 0
    return np.asarray(means[labels])


def _uncertain_chains(boards: Boards, stones: Mask, held: NDArray[np.float64]) -> dict[int, list[Chain]]:
    """By number of the board, the chains of `stones` whose ownership is about even."""
    even = stones & (np.abs(_means(held, stones)) < SEKI_WITHIN)
    chains: dict[int, list[Chain]] = {}
    for i in np.flatnonzero(even.any((1, 2))).tolist():
        labels, count = ndimage.label(even[i], CROSS)
        eyes = (boards[i] == 0) & ~_beside(~stones[i])
        for chain in (labels == label for label in range(1, count + 1)):
            liberties = _beside(chain) & (boards[i] == 0)
            chains.setdefault(i, []).append(Chain(chain, liberties, liberties & eyes))
    return chains


def _in_seki(boards: Boards, black: dict[int, list[Chain]], white: dict[int, list[Chain]]) -> Mask:
    """[B, H, W], the stones of every pair of chains that live in seki."""
    seki = np.zeros(boards.shape, np.bool_)
    for i in black.keys() & white.keys():
        for ours in black[i]:
            for theirs in white[i]:
                if _locked(boards[i] != 0, ours, theirs):
                    seki[i] |= ours.stones | theirs.stones
    return seki


def _locked(stones: Mask, ours: Chain, theirs: Chain) -> bool:
    """Whether either chain would lose its stones by taking the other's liberties.

    They share two liberties and have no others, or share one or more and have an eye each (an eye against none wins).
    No other stone touches those that are shared: it could connect there, or attack from there.
    """
    shared = ours.liberties & theirs.liberties
    if not shared.any() or any(((c.liberties & ~shared) != c.eyes).any() for c in (ours, theirs)):
        return False
    eyes = ours.eyes.any()
    if eyes != theirs.eyes.any() or (not eyes and np.count_nonzero(shared) < 2):
        return False
    return not bool((_beside(shared) & stones & ~ours.stones & ~theirs.stones).any())


def _beside(mask: Mask) -> Mask:
    """The points that have a neighbour in `mask`."""
    return np.asarray(ndimage.binary_dilation(mask, RING))
