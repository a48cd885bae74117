"""Two-stage MAP: the hyper-parameters by Monte Carlo expectation maximisation, then the latents that suit them.

Wang, Fleet and Hertzmann 2008, section 3.4, algorithm 2: the latents are averaged over, not chosen, while θ, α and the
scales are learnt, which keeps these from fitting one path too closely.
"""

import numpy as np
from scipy.optimize import minimize

from sakiyomi.agents.parts.gpdm.hmc import hmc
from sakiyomi.agents.parts.gpdm.kernels import Floats
from sakiyomi.agents.parts.gpdm.learning import LIMITS, Tell, improve
from sakiyomi.agents.parts.gpdm.posterior import Posterior, State
from sakiyomi.agents.parts.gpdm.terms import observation_squares


def learn_two_stage(
    posterior: Posterior,
    state: State,
    rng: np.random.Generator,
    *,
    cycles: int = 20,
    draws: int = 50,
    skip: int = 10,
    leapfrogs: int = 10,
    step: float = 1 / 1500,
    iterations: int = 10,
    settling: int = 500,
    tell: Tell | None = None,
) -> State:
    """`cycles` of EM from `state` on, `draws` samples of the latents each; then `settling` iterations in the latents.

    `step` and `leapfrogs` are those of hybrid Monte Carlo, of whose points every `skip`-th is a sample; `iterations` of
    L-BFGS make an M-step.
    """
    shape = state.x.shape
    for done in range(1, cycles + 1):

        def slope(latents: Floats, state: State = state) -> tuple[float, Floats]:
            result = posterior.slope(state._replace(x=latents.reshape(shape)))
            return result.value, result.to_x.ravel()

        found = hmc(
            slope, state.x.ravel(), rng, draws=draws, step=step, leapfrogs=leapfrogs, burn_in=5 * skip, skip=skip
        )
        step = found.step
        samples = found.points.reshape(draws, *shape)
        state = _maximised(posterior, state._replace(x=samples[-1]), samples, iterations)
        if tell is not None:
            tell(done, float(np.mean([posterior.slope(state._replace(x=x)).value for x in samples])))
    return improve(posterior, state, settling, kernels=False)


def _maximised(posterior: Posterior, state: State, samples: Floats, iterations: int) -> State:
    """The M-step: scales in closed form, then θ and α, both for the mean over the samples [S, N, q]."""
    squares = np.mean([observation_squares(x, posterior.y, state.theta) for x in samples], axis=0)
    state = state._replace(scales=np.sqrt(len(posterior.y) / (squares + 1 / posterior.spread**2)))
    used, sides = posterior.learns(state.alpha), len(state.theta)

    def at(logs: Floats) -> State:
        alpha = state.alpha.copy()
        alpha[used] = np.exp(logs[sides:])
        return state._replace(theta=np.exp(logs[:sides]), alpha=alpha)

    def slope(logs: Floats) -> tuple[float, Floats]:
        results = [posterior.slope(at(logs)._replace(x=x)) for x in samples]
        gradients = [np.concatenate([result.to_theta, result.to_alpha[used]]) for result in results]
        return float(np.mean([result.value for result in results])), np.mean(gradients, axis=0)

    start = np.log(np.concatenate([state.theta, state.alpha[used]]))
    bounds = [(np.log(LIMITS[0]), np.log(LIMITS[1]))] * len(start)
    found = minimize(slope, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": iterations})
    return at(found.x)
