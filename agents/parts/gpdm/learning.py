"""Learning a GPDM by MAP: the scales in closed form, then some steps of L-BFGS in all other unknowns, again and again.

Wang, Fleet and Hertzmann 2008, algorithm 1, with L-BFGS for scaled conjugate gradients. `weight` and `alpha` make of it
the balanced GPDM and that of fixed dynamics (N. Lawrence's); for its two-stage MAP see `two_stage`.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from sakiyomi.agents.parts.gpdm.kernels import Floats
from sakiyomi.agents.parts.gpdm.posterior import Posterior, State
from sakiyomi.agents.parts.gpdm.terms import best_scales

THETA = (1.0, float(np.e))  # where learning starts: inverse squared width, precision
ALPHA = (0.9, 1.0, 0.1, float(np.e))  # linear, inverse squared width, variance, precision
SURE_ALPHA = (0.5, 4.0, 0.5, 300.0)  # ours: from the paper's, learning may end where steps are nothing but noise
FIXED_ALPHA = (0.0, 0.2, 0.01, 1e6)  # no linear part, smooth, next to no noise
LIMITS = (1e-6, 1e6)  # of θ and α

Tell = Callable[[int, float], None]
"""Called after each round with its number and the -ln posterior."""


def principal_latents(y: Floats, latents: int) -> Floats:
    """[N, q] the scores of the rows `y` [N, D] in their first q principal components, each of variance 1.

    Raises ValueError if there are fewer components than latents.
    """
    left, sizes, _ = np.linalg.svd(y - y.mean(0), full_matrices=False)
    if (rank := int((sizes > 1e-10 * max(sizes[0], 1e-300)).sum())) < latents:
        raise ValueError(f"the data vary in {rank} directions only: latents can be as many at the most, got {latents}")
    result: Floats = left[:, :latents] * np.sqrt(len(y) - 1)
    return result


def starting_state(posterior: Posterior, x: Floats, alpha: tuple[float, ...] = ALPHA, *, linear: bool = False) -> State:
    """The unknowns at latents `x` [N, q] before anything is learnt; `alpha` as for one group, which all groups get.

    With `linear` observations have a linear part, too.
    """
    groups = int(posterior.groups.max(initial=0)) + 1
    slope, width, variance, precision = alpha
    every = np.array([slope] * groups + [width] * groups + [variance, precision])
    return State(x, np.array([*THETA, 1.0] if linear else THETA), every, np.ones(posterior.y.shape[1]))


def improve(posterior: Posterior, state: State, iterations: int, *, x: bool = True, kernels: bool = True) -> State:
    """`state` after so many iterations of L-BFGS in the latents (`x`) and in θ and α (`kernels`) together."""
    used = posterior.learns(state.alpha)

    def slope(unknowns: Floats) -> tuple[float, Floats]:
        at = _unpacked(unknowns, state, x, used if kernels else None)
        result = posterior.slope(at)
        parts = [result.to_x.ravel()] if x else []
        parts += [result.to_theta, result.to_alpha[used]] if kernels else []
        return result.value, np.concatenate(parts)

    logs = np.log(np.concatenate([state.theta, state.alpha[used]]))
    start = np.concatenate(([state.x.ravel()] if x else []) + ([logs] if kernels else []))
    bounds = [(None, None)] * (state.x.size * x) + [(np.log(LIMITS[0]), np.log(LIMITS[1]))] * (len(logs) * kernels)
    found = minimize(slope, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": iterations})
    return _unpacked(found.x, state, x, used if kernels else None)


def rescaled(posterior: Posterior, state: State) -> State:
    """`state` with the best scales for it."""
    return state._replace(scales=best_scales(state.x, posterior.y, state.theta, posterior.spread))


def learn_map(
    posterior: Posterior, state: State, rounds: int = 100, iterations: int = 10, *, tell: Tell | None = None
) -> State:
    """The state of (locally) greatest posterior: `rounds` times the scales, then `iterations` in all other unknowns."""
    for done in range(1, rounds + 1):
        state = improve(posterior, rescaled(posterior, state), iterations)
        if tell is not None:
            tell(done, posterior.slope(state).value)
    return state


def learn_from_best(
    posterior: Posterior, starts: Sequence[State], rounds: int = 100, iterations: int = 10, *, tell: Tell | None = None
) -> State:
    """`learn_map` from each of `starts` for a tenth of the `rounds`, then on from the best."""
    if len(starts) > 1:
        begun = [learn_map(posterior, start, max(1, rounds // 10), iterations) for start in starts]
        starts = [min(begun, key=lambda state: posterior.slope(state).value)]
    return learn_map(posterior, starts[0], rounds, iterations, tell=tell)


def _unpacked(unknowns: Floats, state: State, x: bool, used: NDArray[np.bool_] | None) -> State:
    """`state` with the unknowns in the place of its latents, if `x`, and of θ and the α `used`, unless None."""
    size = state.x.size * x
    at = state._replace(x=unknowns[:size].reshape(state.x.shape)) if x else state
    if used is None:
        return at
    numbers, sides, alpha = np.exp(unknowns[size:]), len(state.theta), state.alpha.copy()
    alpha[used] = numbers[sides:]
    return at._replace(theta=numbers[:sides], alpha=alpha)
