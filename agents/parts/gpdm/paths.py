"""Latent paths beyond those learnt from: forecasts, fair samples of the future, rows seen anew, gaps to be filled.

Wang, Fleet and Hertzmann 2008, sections 4 and 5: all of them are one density, that of a path of which some points are
known and of which some rows are seen, given the model. Its steps are taken together, as the joint prediction of a
Gaussian process, not one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from sakiyomi.agents.parts.gpdm.hmc import Draws, hmc
from sakiyomi.agents.parts.gpdm.kernels import Floats, Whole
from sakiyomi.agents.parts.gpdm.model import Model
from sakiyomi.agents.parts.gpdm.terms import conditioned_term
from sakiyomi.agents.parts.gpdm.transitions import Transitions

MATCHED = 6  # rows by which a stretch of what was learnt is found again
FAR = 3.0  # radii of the data: a path that goes farther from their middle has left what the model knows


@dataclass(frozen=True, eq=False)
class Path:
    """Latents `x` [P, q] of rows that follow one another, those `known` [P] given, the others to be found from there.

    `y` [P, K] is what is seen of the rows (as ``model.motions.y``), NaN where nothing is; `controls` [P, U] is what is
    done in them. `weight` multiplies ln p of the path.
    """

    model: Model
    x: Floats
    known: NDArray[np.bool_]
    y: Floats | None = None
    controls: Floats | None = None
    weight: float = 1.0

    @cached_property
    def free(self) -> Whole:
        """[F] the rows to be found."""
        return np.flatnonzero(~np.asarray(self.known, bool))

    @cached_property
    def steps(self) -> Transitions:
        """Those that touch a row to be found; the others are the model's own."""
        every = Transitions.within(self.model.form, (len(self.x),), self.controls)
        free = ~np.asarray(self.known, bool)
        touched = free[every.last] | free[every.last + 1]
        if self.model.form.order == 2:
            touched |= free[every.last - 1]
        return Transitions(every.form, every.last[touched], every.firsts[free[every.firsts]], self.controls)

    def slope(self, unknowns: Floats) -> tuple[float, Floats]:
        """-ln p of the free rows [F q], up to a constant, and its gradient."""
        x = self.whole(unknowns)
        value, gradient = self.steps.starting(x)
        if len(self.steps.last):
            inputs, outputs = self.steps.inputs(x), self.steps.outputs(x)
            moved, to_inputs, to_outputs = conditioned_term(self.model.kernel, self.model.learnt, inputs, outputs)
            value, gradient = value + moved, gradient + self.steps.pull(to_inputs, to_outputs, len(x))
        value, gradient = self.weight * value, self.weight * gradient
        if self.y is not None:
            posed, to_x = self.model.pose_term(x[self.free], self.y[self.free])
            value += posed
            gradient[self.free] += to_x
        return value, gradient[self.free].ravel()

    def whole(self, unknowns: Floats) -> Floats:
        """[P, q] the path with the free rows [F q] put in."""
        x = self.x.copy()
        x[self.free] = unknowns.reshape(len(self.free), x.shape[1])
        return x

    def likeliest(self, iterations: int = 200, softness: Sequence[float] = (1.0,)) -> Floats:
        """[P, q] the path of (locally) greatest density, by so many iterations of L-BFGS for each number of `softness`.

        Each is the part of its precisions that the model has in the meantime, the last one 1: a path of which nothing
        is seen hardly moves under precise dynamics, and finds its course if these come to be precise by and by.
        """
        found: Floats = self.x[self.free].ravel()
        for part in softness:
            path = replace(self, model=softened(self.model, part)) if part < 1 else self
            result = minimize(path.slope, found, jac=True, method="L-BFGS-B", options={"maxiter": iterations})
            found = result.x
        return self.whole(found)


def softened(model: Model, part: float) -> Model:
    """`model` with so large a part of its precisions, at the least 100: steps and observations have more noise."""
    state = model.state
    theta, alpha = state.theta.copy(), state.alpha.copy()
    theta[1], alpha[-1] = (max(part * value, min(value, 100.0)) for value in (theta[1], alpha[-1]))
    return replace(model, state=state._replace(theta=theta, alpha=alpha))


def mean_path(model: Model, history: Floats, steps: int, controls: Floats | None = None) -> Floats:
    """[steps, q] each point the mean of what the dynamics expect after the last, the first after `history` [order, q].

    `controls` [steps, U] begin with what is done in the last row of the history.
    """
    path = [*np.asarray(history, np.float64)]
    for t in range(steps):
        control = None if controls is None else controls[t : t + 1]
        path.append(model.step(path[-1][None], path[-min(2, len(path))][None], control)[0][0])
    return np.array(path[len(history) :]).reshape(steps, model.x.shape[1])


def within(model: Model, path: Floats) -> int:
    """How many of the first points of `path` [T, q] lie within 3 radii of the data about their middle."""
    distances = np.sqrt(((path - model.x.mean(0)) ** 2).sum(1))
    near = np.isfinite(distances) & (distances <= FAR * model.radius)
    return len(path) if near.all() else int(np.argmin(near))


def future(model: Model, history: Floats, steps: int, controls: Floats | None = None) -> Path:
    """The path of the next `steps` rows after the points `history` [order, q], from the forecast of means on."""
    ahead = mean_path(model, history, steps, controls)
    sure = within(model, ahead)
    ahead[sure:] = ahead[sure - 1] if sure else history[-1]
    if controls is not None:
        empty = np.zeros((1, controls.shape[1]))
        controls = np.concatenate([*[empty] * (len(history) - 1), controls, empty])
    known = np.arange(len(history) + steps) < len(history)
    return Path(model, np.concatenate([history, ahead]), known, controls=controls)


def fair_samples(
    model: Model,
    history: Floats,
    steps: int,
    rng: np.random.Generator,
    *,
    draws: int = 60,
    burn_in: int = 20,
    leapfrogs: int = 100,
    step: float = 0.01,
    controls: Floats | None = None,
) -> Draws:
    """Samples [draws, steps, q] of the whole future path by hybrid Monte Carlo, from its likeliest course on."""
    path = future(model, history, steps, controls)
    start = path.likeliest()[path.free].ravel()
    found = hmc(path.slope, start, rng, draws=draws, step=step, leapfrogs=leapfrogs, burn_in=burn_in)
    return found._replace(points=found.points.reshape(draws, steps, -1))


def seen_path(model: Model, y: Floats, controls: Floats | None = None, iterations: int = 100) -> Floats:
    """[T, q] the latents of rows `y` [T, K] seen anew (NaN: unseen), which follow one another; the first is free.

    They begin where the model's own rows look most alike, rows of which nothing is seen between their neighbours.
    """
    seen = ~np.isnan(y)
    given, scales = np.where(seen, y, 0.0) * model.state.scales, model.state.scales
    ours = model.motions.y * scales
    apart = (seen @ (ours**2).T) - 2 * given @ ours.T
    x = model.x[np.argmin(apart, axis=1)].copy()
    blank, rows = ~seen.any(1), np.arange(len(y))
    if blank.all():
        raise ValueError("nothing is seen of any row")
    for d in range(x.shape[1]):
        x[blank, d] = np.interp(rows[blank], rows[~blank], x[~blank, d])
    return Path(model, x, np.zeros(len(y), bool), y, controls, model.weight).likeliest(iterations)


def matched(model: Model, y: Floats) -> Floats:
    """[M, q] the latents learnt of those consecutive rows that look most like the last of `y` [T, K] (NaN: unseen).

    M is `MATCHED`, or less if there are fewer rows to compare. From here a forecast stays on the path that was learnt.
    Latents found anew by density (`seen_path`) need not lie on it: where a pose is off by more than the noise that was
    learnt, the likeliest place for it is far from all others, where the model takes anything for possible. Raises
    ValueError if nothing is seen of the last rows.
    """
    longest = min(MATCHED, len(y), max(model.motions.lengths))
    last, scales = y[-longest:], model.state.scales
    seen = ~np.isnan(last)
    if not seen.any():
        raise ValueError(f"nothing is seen of the last {longest} rows")
    best, least = 0, np.inf
    for start, length in zip(model.motions.firsts, model.motions.lengths, strict=True):
        for first in range(start, start + length - longest + 1):
            apart = np.where(seen, last - model.motions.y[first : first + longest], 0.0) * scales
            if (distance := float((apart**2).sum())) < least:
                best, least = first, distance
    return model.x[best : best + longest].copy()
