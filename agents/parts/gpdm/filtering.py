"""Where a latent path is, from what is seen of it: predict by the dynamics, then correct by the observation.

An iterated extended Kalman filter (B. Bell and F. Cathey, IEEE TAC 38(2), 1993), whose correction is a few Gauss-Newton
steps on -ln p(y | x) - ln N(x; predicted). Both Gaussian processes are linearised at their means; their own variances
are the noise. A belief is over the last `order` latent points, the last one first: s = [x[t], x[t-1]].
"""

from typing import NamedTuple

import numpy as np

from sakiyomi.agents.parts.gpdm.kernels import Floats
from sakiyomi.agents.parts.gpdm.model import Model

CORRECTIONS = 5  # Gauss-Newton steps


class Belief(NamedTuple):
    """A Gaussian over the last latent points: mean [order q], covariance [order q, order q]."""

    mean: Floats
    covariance: Floats


def first_belief(model: Model, y: Floats) -> Belief:
    """Of the row `y` [K] (as ``model.motions.y``) with which a sequence begins: about the row learnt from that is most
    like it, with the prior N(0, I); an earlier point is taken to be the same."""
    q, scales = model.x.shape[1], model.state.scales
    nearest = model.x[np.argmin((((model.motions.y - y) * scales) ** 2).sum(1))]
    mean, covariance = corrected(model, np.zeros(q), np.eye(q), y, nearest)
    copies = np.tile(np.eye(q), (model.form.order, 1))
    return Belief(copies @ mean, copies @ covariance @ copies.T + 1e-9 * np.eye(len(copies)))


def predicted(model: Model, belief: Belief, control: Floats | None) -> Belief:
    """The belief a step later, `control` [U] having been done."""
    q, order = model.x.shape[1], model.form.order
    last, before = belief.mean[:q], belief.mean[-q:]
    controls = None if control is None else control[None]
    mean, variance = model.step(last[None], before[None], controls)
    jacobian = np.zeros((order * q, order * q))
    at = model.form.input(last[None], before[None], controls)[0]
    slopes = model.kernel.slopes(at, model.learnt.inputs, model.learnt.solved)
    jacobian[:q, :q] = slopes[:, :q] + (np.eye(q) if model.form.difference else 0)
    if order == 2:
        second = slopes[:, q : 2 * q]
        jacobian[:q, q:] = -second if model.form.velocity else second
        if model.form.velocity:
            jacobian[:q, :q] += second
        jacobian[q:, :q] = np.eye(q)
    covariance = jacobian @ belief.covariance @ jacobian.T
    covariance[:q, :q] += variance[0] * np.eye(q)
    return Belief(np.concatenate([mean[0], last])[: order * q], 0.5 * (covariance + covariance.T))


def updated(model: Model, belief: Belief, y: Floats) -> Belief:
    """The belief once the row `y` [K] is seen, NaN where it is not."""
    return Belief(*corrected(model, *belief, y, belief.mean))


def seen_moments(model: Model, belief: Belief) -> tuple[Floats, Floats]:
    """What is to be seen: means [D] and standard deviations [D], the belief's uncertainty and noise included."""
    q = model.x.shape[1]
    mean, deviation = model.observation(belief.mean[None, :q])
    slopes = model.motions.whole_deviations(pose_slopes(model, belief.mean[:q]).T)
    spread = np.einsum("qd,qp,pd->d", slopes, belief.covariance[:q, :q], slopes)
    return mean[0], np.sqrt(deviation[0] ** 2 + np.maximum(spread, 0))


def corrected(model: Model, mean: Floats, covariance: Floats, y: Floats, start: Floats) -> tuple[Floats, Floats]:
    """Mean and covariance of N(mean, covariance) given that the row `y` is seen, its first q coordinates being x."""
    q, seen = model.x.shape[1], ~np.isnan(y)
    at: Floats = start
    gain: Floats = np.zeros((len(mean), 0))
    slopes: Floats = np.zeros((0, len(mean)))
    if not seen.any():
        return mean, covariance
    for _ in range(CORRECTIONS):
        means, variances = model.pose(at[None, :q])
        slopes = np.zeros((int(seen.sum()), len(mean)))
        slopes[:, :q] = pose_slopes(model, at[:q])[seen]
        noise = np.diag(variances[0, seen])
        gain = np.asarray(np.linalg.solve(slopes @ covariance @ slopes.T + noise, slopes @ covariance).T, np.float64)
        step = mean + gain @ (y[seen] - means[0, seen] - slopes @ (mean - at)) - at
        at = at + step
        if np.abs(step).max() < 1e-8:
            break
    left: Floats = covariance - gain @ slopes @ covariance
    return at, 0.5 * (left + left.T)


def pose_slopes(model: Model, x: Floats) -> Floats:
    """[K, q] how the mean of what is seen changes with the latent point `x` [q]."""
    return model.pose_kernel.slopes(x, model.x, model.pose_weights) / model.state.scales[:, None]


def deviations_along(model: Model, history: Floats, path: Floats, beyond: Floats) -> Floats:
    """[H, D] standard deviations of what is seen along the first T of H steps of a forecast, then those of `beyond`.

    The forecast `path` [T, q] of a model without controls goes on from the points `history` [order, q], which are sure.
    """
    belief = Belief(history[::-1].ravel(), 1e-9 * np.eye(history.size))
    deviations = beyond.copy()
    for t in range(len(path)):
        belief = predicted(model, belief, None)
        deviations[t] = seen_moments(model, belief)[1]
    return deviations


def one_step_error(model: Model, rows: Floats, controls: Floats) -> float:
    """How far the next of `rows` [T, D] are from those predicted, filtering along them, `controls` [T, U] being done.

    The root mean square over all columns, each divided by its standard deviation.
    """
    belief, misses = first_belief(model, model.motions.centred(rows[:1])[0]), []
    for row, control in zip(rows[1:], controls, strict=False):  # the last row's leads to no other
        belief = predicted(model, belief, control)
        misses.append(seen_moments(model, belief)[0] - row)
        belief = updated(model, belief, model.motions.centred(row[None])[0])
    return float(np.sqrt(np.mean((np.array(misses) / np.maximum(rows.std(0), 1e-12)) ** 2)))
