"""Sampled MuZero: at each node some actions are drawn from the policy, and the search knows no others.

T. Hubert et al., "Learning and planning in complex action spaces", arXiv:2104.06303, sections 4 and 5. Of K actions
a_i ~ beta, where beta ~ pi^(1 / tau), with ``beta^(a) = |{i: a_i = a}| / K``, the search's prior is

::

    pi^_beta(a) ~ beta^(a) / beta(a) pi(a)

which for tau = 1 is beta^ itself, and the network learns the shares of the visits among these actions.

An action that is drawn twice is one edge of the tree, with the prior of both; the edge of the second has none.
Departure: the paper's policies of continuous actions are Gaussian; here each dimension is a categorical distribution
over the values of a `Grid`, independent of the others, which needs no bounds on its spread and no squashing, and for
one dimension is the policy that MuZero has anyway.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sakiyomi.agents.parts.muzero.grid import digits
from sakiyomi.agents.parts.muzero.net_dynamics import NetDynamics
from sakiyomi.agents.parts.muzero.nets import MuZeroNet
from sakiyomi.agents.parts.search import LatentModel

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass
class Kept:
    """Latent states [..., *latent] and the actions [..., K] drawn there, which are put and taken together."""

    latents: Tensor
    candidates: Ints

    @property
    def shape(self) -> tuple[int, ...]:
        """[..., K]."""
        return self.candidates.shape

    def __getitem__(self, places: Any) -> "Kept":
        return Kept(self.latents[places], self.candidates[places])

    def __setitem__(self, places: Any, those: "Kept") -> None:
        self.latents[places], self.candidates[places] = those.latents, those.candidates


class SampledDynamics:
    """Asks `net`; `count` actions are drawn by `rng` at each latent state, and a search's action k is the k-th of them.

    `temperature` is tau: over 1 the actions are drawn more widely than the policy has them.
    """

    def __init__(self, net: MuZeroNet, count: int, temperature: float, rng: np.random.Generator):
        self.whole, self.count, self.temperature, self.rng = NetDynamics(net), count, temperature, rng
        self._shape = (net.dimensions, net.bins)

    def room(self, trees: int, nodes: int) -> Kept:
        """As `Dynamics.room`."""
        return Kept(self.whole.room(trees, nodes), np.zeros((trees, nodes, self.count), np.int64))

    def initial(self, observations: NDArray[Any]) -> tuple[Floats, Floats, Kept]:
        """As `Dynamics.initial`; the logits are those of the actions drawn."""
        logits, values, latents = self.whole.initial(observations)
        priors, candidates = self._drawn(logits)
        return priors, values, Kept(latents, candidates)

    def recurrent(self, kept: Kept, actions: NDArray[np.int32]) -> tuple[Floats, Floats, Floats, Kept]:
        """As `Dynamics.recurrent`."""
        taken = kept.candidates[np.arange(len(actions)), actions]
        logits, values, rewards, latents = self.whole.recurrent(kept.latents, taken)
        priors, candidates = self._drawn(logits)
        return priors, values, rewards, Kept(latents, candidates)

    def _drawn(self, logits: Floats) -> tuple[Floats, Ints]:
        """Logarithms of priors [n, K], and the actions [n, K] that they are of."""
        logits = logits.reshape(len(logits), *self._shape)
        candidates = drawn_actions(logits / self.temperature, self.count, self.rng)
        return log_priors(logits, candidates, self.temperature), candidates


class CandidateModel(LatentModel):
    """A `LatentModel` that tells which actions the edges of its nodes are."""

    def candidates(self, trees: Any, nodes: Any) -> Ints | None:
        """[n, K]: at `nodes` [n] of `trees` [n] the search's action k is the k-th of these; None: it is k itself."""
        kept = self._latents
        return kept.candidates[trees, nodes] if isinstance(kept, Kept) else None


def drawn_actions(logits: Floats, count: int, rng: np.random.Generator) -> Ints:
    """[n, count] actions, each dimension's value drawn by its `logits` [n, U, bins]."""
    n, dimensions, bins = logits.shape
    sums = np.exp(log_shares(logits)).cumsum(axis=2)[:, None]
    drawn = rng.random((n, count, dimensions, 1)) * sums[..., -1:] >= sums
    places = np.minimum(drawn.sum(axis=3), bins - 1)  # a number close to 1 may be rounded to it
    return np.asarray(places @ bins ** np.arange(dimensions), np.int64)


def log_priors(logits: Floats, candidates: Ints, temperature: float) -> Floats:
    """[n, K]: ``log beta^ / beta pi`` of `candidates` [n, K] but for a constant, given the `logits` [n, U, bins] of pi.

    Minus infinity for the second and later of equal ones, whose part the first has.
    """
    same = candidates[:, :, None] == candidates[:, None]
    gain = log_probabilities(logits, candidates) - log_probabilities(logits / temperature, candidates)
    is_first = same.argmax(axis=2) == np.arange(candidates.shape[1])
    return np.where(is_first, np.log(same.sum(axis=2)) + gain, -np.inf).astype(np.float32)


def log_probabilities(logits: Floats, candidates: Ints) -> Floats:
    """[n, K], of `candidates` [n, K], given `logits` [n, U, bins]."""
    _, dimensions, bins = logits.shape
    places = np.stack(digits(candidates, bins, dimensions), axis=1)
    chosen: Floats = np.take_along_axis(log_shares(logits), places, axis=2).sum(axis=1)
    return chosen


def log_shares(logits: Floats) -> Floats:
    """The logarithm of the softmax along the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    logs: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return logs
