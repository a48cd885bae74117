"""Planning by gradient: open-loop controls that a differentiable model rates best, within limits and constraints.

Single shooting: the controls are the only unknowns, the states follow from them, and the gradient of the whole course
comes from one backward pass, which is the adjoint recursion of Pontryagin's principle. Controls without other
constraints are found by L-BFGS-B, those with inequality constraints by SLSQP (scipy), each from several starts. S.
Kamthe and M. Deisenroth, "Data-efficient reinforcement learning with probabilistic model predictive control", AISTATS
2018, section 3, plan so.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]
Objective = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor | None]]
"""Of controls [H, U], float64: the cost, a scalar, and margins [C] that are to be 0 or more, or None."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Controls [H, U], what they cost, and by how much they miss the worst constraint, 0 if they keep all.

    `evaluations` are of the objective with its gradient, of all starts together; `start` is the number of the start
    that led here.
    """

    controls: Floats
    cost: float
    violation: float
    evaluations: int
    start: int

    def after(self, steps: int = 1) -> Floats:
        """[H, U] the plan's rest, `steps` later, its last control repeated."""
        return shifted(self.controls, steps)


def shifted(controls: Floats, steps: int = 1) -> Floats:
    """[H, U] `controls` without the first `steps`, the last one repeated."""
    last = np.repeat(controls[-1:], min(steps, len(controls)), axis=0)
    return np.concatenate((controls[steps:], last))


def shoot(
    objective: Objective,
    starts: Sequence[Floats],
    low: Floats,
    high: Floats,
    *,
    iterations: int = 25,
    tolerance: float = 1e-5,
    slack: float = 1e-6,
    kept: Floats | None = None,
    evaluations: int | None = None,
    over: Callable[[], bool] = lambda: False,
) -> Plan:
    """The best controls that `iterations` of the optimiser find from each of `starts` [H, U].

    They lie within `low` [U] and `high` [U] exactly, and keep the constraints to within `slack` wherever a point was
    met that does; else they are those that miss them least. `kept` [H, U], such as the rest of the last plan that kept
    them, is looked at first, but not improved. An optimiser stops early when an iteration gains less than `tolerance`;
    all ends with the best so far after so many `evaluations` of the objective, and once `over` says so. What is not
    finite never wins. Raises ValueError for starts of another shape than the limits', and if nothing finite
    was met.
    """
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    if not np.all(low < high):
        raise ValueError(f"the lower limits of controls must be below the upper ones, got {low} and {high}")
    candidates = [np.asarray(start, np.float64) for start in (*starts, *(() if kept is None else (kept,)))]
    shape = (*candidates[0].shape[:1], *low.shape) if starts else ()
    if not shape or not shape[0] or any(each.shape != shape for each in candidates):
        got = [list(each.shape) for each in candidates]
        raise ValueError(f"starts of a plan must all be of the same shape [H, {len(low)}], got {got}")
    search = _Search(objective, low, high, shape, slack, math.inf if evaluations is None else evaluations, over)
    if kept is not None:
        search.start = len(starts)
        search.look(search.scaled(np.clip(candidates[-1], low, high)))
    for number, start in enumerate(candidates[: len(starts)]):
        search.start = number
        search.descend(np.clip(start, low, high), iterations, tolerance)
    if search.best is None:
        raise ValueError("no plan: the cost is not finite at any of the starts")
    controls, cost, violation, start_number = search.best
    return Plan(controls, cost, violation, search.evaluations, start_number)


class _Ended(Exception):
    """Ends a descent, at a point that has no cost or because no more may be looked at."""


@dataclass
class _Search:
    """Descends in controls scaled to -1..1, and remembers the best point that it ever looked at."""

    objective: Objective
    low: Floats
    high: Floats
    shape: tuple[int, ...]
    slack: float
    most: float
    over: Callable[[], bool]
    evaluations: int = 0
    start: int = 0
    best: tuple[Floats, float, float, int] | None = None
    _seen: tuple[bytes, float, Floats, Floats, torch.Tensor | None, torch.Tensor] | None = field(default=None)

    def scaled(self, controls: Floats) -> Floats:
        """[H * U] within -1..1."""
        return np.asarray((2 * controls - self.low - self.high) / (self.high - self.low)).ravel()

    def descend(self, start: Floats, iterations: int, tolerance: float) -> None:
        point = self.scaled(start)
        if not self.look(point):
            return
        constrained = self._seen is not None and self._seen[4] is not None
        rules: Any = {"type": "ineq", "fun": self.margins, "jac": self.slopes} if constrained else ()
        # A saturated cost is nearly flat where a plan most needs to get on, so slopes end a descent only when tiny.
        options: Any = {"maxiter": iterations, "ftol": tolerance} | ({} if constrained else {"gtol": 1e-9})
        with suppress(_Ended):  # the best point before it is remembered
            minimize(
                self.cost,
                point,
                jac=True,
                bounds=[(-1.0, 1.0)] * point.size,
                method="SLSQP" if constrained else "L-BFGS-B",
                constraints=rules,
                options=options,
            )

    def look(self, point: Floats) -> bool:
        """Look at a point; False if it has no finite cost, or may not be looked at any more."""
        try:
            self.cost(point)
        except _Ended:
            return False
        return True

    def cost(self, point: Floats) -> tuple[float, Floats]:
        if self._seen is None or self._seen[0] != point.tobytes():
            self._evaluate(point)
        assert self._seen is not None
        return self._seen[1], self._seen[2]

    def margins(self, point: Floats) -> Floats:
        self.cost(point)
        assert self._seen is not None
        return self._seen[3]

    def slopes(self, point: Floats) -> Floats:
        """[C, H * U] the gradient of each margin."""
        self.cost(point)
        assert self._seen is not None
        _, _, _, _, margins, controls = self._seen
        assert margins is not None
        rows = [torch.autograd.grad(margin, controls, retain_graph=True)[0] for margin in margins]
        return np.stack([self._chain(row) for row in rows])

    def _evaluate(self, point: Floats) -> None:
        if self.best is not None and (self.evaluations >= self.most or self.over()):
            raise _Ended
        clipped = np.clip(point, -1.0, 1.0).reshape(self.shape)  # SLSQP steps over bounds by rounding
        values = np.clip((self.low + self.high + clipped * (self.high - self.low)) / 2, self.low, self.high)
        controls = torch.from_numpy(values).requires_grad_()
        cost, margins = self.objective(controls)
        (gradient,) = torch.autograd.grad(cost, controls, retain_graph=margins is not None)
        self.evaluations += 1
        slope, value = self._chain(gradient), cost.item()
        free = np.zeros(0) if margins is None else margins.detach().numpy().astype(np.float64)
        if not (np.isfinite(value) and np.isfinite(slope).all() and np.isfinite(free).all()):
            raise _Ended
        self._seen = point.tobytes(), value, slope, free, margins, controls
        missed = max(0.0, float(-free.min(initial=0.0)))
        missed = 0.0 if missed <= self.slack else missed
        if self.best is None or (missed, value) < (self.best[2], self.best[1]):
            self.best = values, value, missed, self.start

    def _chain(self, gradient: torch.Tensor) -> Floats:
        """The gradient in scaled controls."""
        return np.asarray(gradient.numpy() * (self.high - self.low) / 2).ravel()
