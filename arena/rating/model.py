"""Paired-comparison models with draws: chances, log-likelihood and its derivatives.

Everything here is in natural units (nats): a strength r, the advantage a of moving first, and the lead
D = r_first - r_second + a. Two models give win, draw and loss their probabilities:

- Davidson (JASA 65, 1970): win, draw, loss in proportion to exp(D/2), exp(v), exp(-D/2), with v = ln nu.
- Rao-Kupper (JASA 62, 1967; Coulom's BayesElo): win sigma(D - e), loss sigma(-D - e), draw the rest; e > 0.

Without draws both are Bradley-Terry's; "half-wins" is Bradley-Terry with a draw as half a win for each. The
log-likelihoods are concave in (r, a, draw parameter), so Newton's method with step halving finds the only maximum
(`problem.py`). `joint.py` is the part to read first.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DrawModel = Literal["davidson", "rao-kupper", "half-wins"]


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


def chances(model: DrawModel, lead: Floats, draw: float, equal_draws: float = 0.0) -> Floats:
    """[P, 3] the first player's chances to win, draw and lose, at leads D [P].

    "half-wins" says nothing of draws: there the chance to draw is the one that goes with the expected score in
    Davidson's model if equals draw with the rate `equal_draws`, as in Ordo's simulations.
    """
    if model == "rao-kupper":
        win, loss = sigmoid(lead - draw), sigmoid(-lead - draw)
    elif model == "davidson":
        total = np.logaddexp(np.logaddexp(lead / 2, -lead / 2), draw)
        win, loss = np.exp(lead / 2 - total), np.exp(-lead / 2 - total)
    else:
        score = sigmoid(lead)
        # win loss = f^2 drawn^2 with win = score - drawn / 2, loss = 1 - score - drawn / 2, f = 1 / nu
        c, root = score * (1 - score), ((1 - equal_draws) / max(2 * equal_draws, 1e-12)) ** 2
        drawn = 4 * c / (1 + np.sqrt(np.maximum(1 + 4 * (4 * root - 1) * c, 0)))
        win, loss = score - drawn / 2, 1 - score - drawn / 2
    return np.stack([win, np.maximum(1 - win - loss, 0), loss], 1)


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
