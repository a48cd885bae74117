"""Paired-comparison models with draws: log-likelihood, its maximum by Newton's method, and the covariance there.

Everything here is in natural units (nats): a strength r, the advantage a of moving first, and the lead
D = r_first - r_second + a. Two models give win, draw and loss their probabilities:

- Davidson (JASA 65, 1970): win, draw, loss in proportion to exp(D/2), exp(v), exp(-D/2), with v = ln nu.
- Rao-Kupper (JASA 62, 1967; Coulom's BayesElo): win sigma(D - e), loss sigma(-D - e), draw the rest; e > 0.

Without draws both are Bradley-Terry's; "half-wins" is Bradley-Terry with a draw as half a win for each. The
log-likelihoods are concave in (r, a, draw parameter), so Newton's method with step halving finds the only maximum.
`ratings.py` is the part to read first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DrawModel = Literal["davidson", "rao-kupper", "half-wins"]

Evaluation = tuple[float, Floats, Floats]
"""Log-posterior, its gradient [n + 2], and minus its Hessian [n + 2, n + 2]."""

LIMIT = 30.0
"""Nats (5200 Elo): a strength beyond it means that the maximum is at infinity."""


class NoMaximum(ValueError):
    """The likelihood grows without end: the results alone do not fix the ratings."""


class Counts(NamedTuple):
    """Results of `players` players, one entry a pair and seating ([P] each).

    `first` and `second` are player numbers, never equal; `wins`, `draws`, `losses` the games that the first player
    won, drew and lost (fractions allowed).
    """

    players: int
    first: Ints
    second: Ints
    wins: Floats
    draws: Floats
    losses: Floats

    @property
    def games(self) -> Floats:
        """[P], games of each entry."""
        return self.wins + self.draws + self.losses

    def pools(self) -> Ints:
        """[players], number of the connected pool: players whom no chain of games joins are in different pools."""
        return _components(self.players, self.first, self.second, "weak")

    def with_virtual_draws(self, number: float) -> "Counts":
        """These counts with BayesElo's prior: on average `number` draws a player, spread over its opponents and seats.

        For player i and each opponent j, ``number / 4 * n_ij / n_i`` draws from each seat, n counting real games.
        """
        if number == 0:
            return self
        first = np.concatenate([self.first, self.second])
        second = np.concatenate([self.second, self.first])
        games = np.concatenate([self.games, self.games])  # of the pair as met from either side
        played = np.maximum(np.bincount(first, games, self.players), 1e-9)
        draws = number / 4 * games * (1 / played[first] + 1 / played[second])
        none = np.zeros_like(draws)
        pairs = (self, Counts(self.players, first, second, none, draws, none))
        return Counts(
            self.players,
            np.concatenate([c.first for c in pairs]),
            np.concatenate([c.second for c in pairs]),
            np.concatenate([c.wins for c in pairs]),
            np.concatenate([c.draws for c in pairs]),
            np.concatenate([c.losses for c in pairs]),
        )


class Terms(NamedTuple):
    """Log-likelihood [P], its gradient in (D, draw parameter), and minus its second derivatives."""

    value: Floats
    lead: Floats
    draw: Floats
    lead_lead: Floats
    lead_draw: Floats
    draw_draw: Floats


def bradley_terry(lead: Floats, _: float, counts: Counts) -> Terms:
    """No draws: win sigma(D). Drawn games count as half a win and half a loss (Ordo's quasi-likelihood)."""
    wins, losses = counts.wins + counts.draws / 2, counts.losses + counts.draws / 2
    win = sigmoid(lead)
    value = -wins * np.logaddexp(0, -lead) - losses * np.logaddexp(0, lead)
    none = np.zeros_like(lead)
    return Terms(value, wins * (1 - win) - losses * win, none, (wins + losses) * win * (1 - win), none, none)


def davidson(lead: Floats, draw: float, counts: Counts) -> Terms:
    """Davidson's model with v = `draw`."""
    total = np.logaddexp(np.logaddexp(lead / 2, -lead / 2), draw)
    win, loss, drawn = np.exp(lead / 2 - total), np.exp(-lead / 2 - total), np.exp(draw - total)
    n = counts.games
    value = (counts.wins - counts.losses) * lead / 2 + counts.draws * draw - n * total
    return Terms(
        value,
        (counts.wins - counts.losses - n * (win - loss)) / 2,
        counts.draws - n * drawn,
        n * (win + loss - (win - loss) ** 2) / 4,
        -n * (win - loss) * drawn / 2,
        n * drawn * (1 - drawn),
    )


def rao_kupper(lead: Floats, draw: float, counts: Counts) -> Terms:
    """Rao and Kupper's model with e = `draw` > 0; P(draw) = (exp(2e) - 1) P(win) P(loss)."""
    not_lost, not_won = counts.wins + counts.draws, counts.losses + counts.draws
    win, loss = sigmoid(lead - draw), sigmoid(-lead - draw)
    value = -not_lost * np.logaddexp(0, draw - lead) - not_won * np.logaddexp(0, draw + lead)
    value += counts.draws * (2 * draw + np.log(-np.expm1(-2 * draw)))
    up, down = not_lost * (1 - win), not_won * (1 - loss)
    curve_up, curve_down = up * win, down * loss
    closeness = -np.expm1(-2 * draw)  # 1 - exp(-2e)
    return Terms(
        value,
        up - down,
        2 * counts.draws / closeness - up - down,
        curve_up + curve_down,
        curve_down - curve_up,
        curve_up + curve_down + 4 * counts.draws * (1 - closeness) / closeness**2,
    )


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x))."""
    return np.asarray(expit(x))


MODELS: dict[DrawModel, Callable[[Floats, float, Counts], Terms]] = {
    "davidson": davidson,
    "rao-kupper": rao_kupper,
    "half-wins": bradley_terry,
}


def expected_score(model: DrawModel, lead: Floats, draw: float) -> Floats:
    """The first player's expected score, P(win) + P(draw) / 2, at lead D."""
    if model == "rao-kupper":
        return (1 + sigmoid(lead - draw) - sigmoid(-lead - draw)) / 2
    if model == "half-wins":
        return sigmoid(lead)
    total = np.logaddexp(np.logaddexp(lead / 2, -lead / 2), draw)
    return (1 + np.exp(lead / 2 - total) - np.exp(-lead / 2 - total)) / 2


def draw_rate(model: DrawModel, draw: float) -> tuple[float, float]:
    """How often equals draw, and the derivative of that in the draw parameter; see `no_draws`."""
    if model == "half-wins":
        return 0.0, 0.0
    if model == "davidson":  # d0 = nu / (2 + nu)
        rate = float(expit(draw - np.log(2)))
        return rate, rate * (1 - rate)
    rate = float(np.tanh(draw / 2))  # d0 = 1 - 2 sigma(-e)
    return rate, (1 - rate**2) / 2


def slope(model: DrawModel, draw: float) -> tuple[float, float]:
    """Expected-score Elo per Elo of the model's own scale, at equality, and its derivative in the draw parameter.

    Davidson 2 / (2 + nu) = 1 - d0; Rao-Kupper 4x / (1 + x)^2 = 1 - d0^2 with x = exp(-e) (BayesElo's "scale").
    """
    rate, change = draw_rate(model, draw)
    return (1 - rate, -change) if model == "davidson" else (1 - rate**2, -2 * rate * change)


def no_draws(model: DrawModel) -> float:
    """The draw parameter of a game that is never drawn."""
    return -np.inf if model == "davidson" else 0.0


@dataclass(frozen=True)
class Problem:
    """What is to be maximised over theta = (strengths [players], first-player advantage, draw parameter).

    `sigma` is the standard deviation, in nats, of a Gaussian prior on every strength (about its pool's mean) and on the
    advantage; infinity for none. `draw_prior` counts pseudo-games between equals, half of them drawn (0 for none).
    `free` [players + 2] tells which entries are fitted; the others stay as they start.
    """

    counts: Counts
    terms: Callable[[Floats, float, Counts], Terms]
    model: DrawModel
    sigma: float
    draw_prior: float
    free: NDArray[np.bool_]
    pools: Ints

    def evaluate(self, theta: Floats) -> Evaluation:
        """Log-posterior, gradient and minus the Hessian at `theta`, the mean of each pool pinned in the Hessian."""
        n, c = self.counts.players, self.counts
        advantage, draw = theta[n], float(theta[n + 1])
        t = self.terms(theta[c.first] - theta[c.second] + advantage, draw, c)
        value, gradient, hessian = float(t.value.sum()), np.zeros(n + 2), np.zeros((n + 2, n + 2))
        for player, sign in ((c.first, 1.0), (c.second, -1.0)):
            gradient[:n] += sign * np.bincount(player, t.lead, n)
            hessian[:n, n] += sign * np.bincount(player, t.lead_lead, n)
            hessian[:n, n + 1] += sign * np.bincount(player, t.lead_draw, n)
            np.add.at(hessian, (player, player), t.lead_lead)
        np.add.at(hessian, (c.first, c.second), -t.lead_lead)
        np.add.at(hessian, (c.second, c.first), -t.lead_lead)
        gradient[n:] = t.lead.sum(), t.draw.sum()
        hessian[n, n], hessian[n, n + 1], hessian[n + 1, n + 1] = (
            t.lead_lead.sum(),
            t.lead_draw.sum(),
            t.draw_draw.sum(),
        )
        hessian[n:, :n], hessian[n + 1, n] = hessian[:n, n:].T, hessian[n, n + 1]
        return value + self._prior(theta, gradient, hessian), gradient, hessian

    def _prior(self, theta: Floats, gradient: Floats, hessian: Floats) -> float:
        """The log-prior; adds its derivatives, and the pin of each pool's mean, to `gradient` and `hessian`."""
        n, weight, value = self.counts.players, self.sigma**-2.0, 0.0
        if weight:
            strengths = theta[: n + 1]
            value -= float(weight / 2 * strengths @ strengths)
            gradient[: n + 1] -= weight * strengths
            hessian[range(n + 1), range(n + 1)] += weight
        same = self.pools[:, None] == self.pools[None, :]
        hessian[:n, :n] += same / same.sum(1) * max(1.0, float(np.trace(hessian[:n, :n])) / n)
        if self.draw_prior and self.free[n + 1]:
            draw, half = float(theta[n + 1]), self.draw_prior / 2
            if self.model == "davidson":  # half (ln d0 + ln(1 - d0)), d0 the logistic function of v - ln 2
                rate = draw_rate(self.model, draw)[0]
                value += half * float(draw + np.log(2) - 2 * np.logaddexp(draw, np.log(2)))
                gradient[n + 1] += half * (1 - 2 * rate)
                hessian[n + 1, n + 1] += half * 2 * rate * (1 - rate)
            else:  # half (ln tanh(e/2) + ln 2 sigma(-e))
                lost, tail = float(expit(-draw)), float(np.exp(-draw))
                value += half * float(np.log(np.tanh(draw / 2)) + np.log(2) - np.logaddexp(0, draw))
                gradient[n + 1] += half * (2 * tail / (1 - tail**2) - (1 - lost))
                hessian[n + 1, n + 1] += half * (2 * tail * (1 + tail**2) / (1 - tail**2) ** 2 + lost * (1 - lost))
        return value

    def climb(self, theta: Floats, step: Floats, here: Evaluation) -> tuple[Floats, Evaluation, float]:
        """`theta` after as much of `step` as does not lead down, what is found there, and the length of the way."""
        length = float(np.abs(step).max())
        while length > 1e-12:
            trial = theta + step
            if self.model != "rao-kupper" or not self.free[-1] or trial[-1] > 0:
                there = self.evaluate(trial)
                if there[0] >= here[0] - 1e-12 * abs(here[0]):
                    return trial, there, length
            step, length = step / 2, length / 2
        return theta, here, 0.0


def maximise(problem: Problem, theta: Floats) -> tuple[Floats, float, Floats]:
    """The maximum near the start `theta`: theta, the log-posterior, and the covariance [n + 2, n + 2] (fixed: 0).

    Raises NoMaximum if there is none.
    """
    free = np.flatnonzero(problem.free)
    value, gradient, hessian = problem.evaluate(theta)
    for _ in range(200):
        step = np.zeros_like(theta)
        step[free] = cho_solve(_factor(hessian, free), gradient[free])
        theta, (value, gradient, hessian), length = problem.climb(theta, step, (value, gradient, hessian))
        if np.abs(theta[free]).max() > LIMIT:
            raise NoMaximum("the results put no bound on the ratings; use a prior")
        if length < 1e-9:
            break
    covariance = np.zeros_like(hessian)
    covariance[np.ix_(free, free)] = cho_solve(_factor(hessian, free), np.eye(len(free)))
    return theta, value, covariance


def _factor(hessian: Floats, free: Ints) -> tuple[Floats, bool]:
    """Cholesky factor of the free part of minus the Hessian. Raises NoMaximum if it is singular."""
    matrix = hessian[np.ix_(free, free)]
    try:
        factor, lower = cho_factor(matrix, lower=True)
    except LinAlgError:
        factor, lower = np.zeros_like(matrix), True
    pivots = np.diag(factor) ** 2
    if (pivots <= 1e-12 * np.diag(matrix)).any():
        raise NoMaximum("the results cannot tell strength from the advantage of moving first; use a prior")
    return factor, lower


def unbeaten(counts: Counts) -> Ints | None:
    """Players who never lost or drew against the rest of their pool, or None if there are no such players.

    Where there are, maximum likelihood puts them infinitely high (Ford 1957's condition fails).
    """
    up = counts.wins + counts.draws > 0  # the second player lost to, or drew with, the first
    down = counts.losses + counts.draws > 0
    loser = np.concatenate([counts.second[up], counts.first[down]])
    winner = np.concatenate([counts.first[up], counts.second[down]])
    strong, pools = _components(counts.players, loser, winner, "strong"), counts.pools()
    if len(set(strong.tolist())) == len(set(pools.tolist())):
        return None
    leaving = strong[loser] != strong[winner]  # losses to players of another class
    beaten = set(strong[loser[leaving]].tolist())
    tops = [label for label in strong[winner[leaving]].tolist() if label not in beaten]
    return np.flatnonzero(strong == tops[0])


def _components(players: int, a: Ints, b: Ints, connection: Literal["weak", "strong"]) -> Ints:
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(players, players))
    labels = connected_components(graph, directed=True, connection=connection)[1]
    return np.asarray(labels, np.int64)
