"""The GPDM's posterior: values against SciPy's densities, gradients against finite differences."""

import numpy as np
import pytest
from scipy.stats import halfnorm, multivariate_normal

from sakiyomi.agents.parts.gpdm.kernels import Kernel
from sakiyomi.agents.parts.gpdm.learning import rescaled
from sakiyomi.agents.parts.gpdm.model import Model
from sakiyomi.agents.parts.gpdm.motions import gathered
from sakiyomi.agents.parts.gpdm.posterior import Posterior, State
from sakiyomi.agents.parts.gpdm.terms import NotDefiniteError, conditioned_term, dynamics_term, factor, learn
from sakiyomi.agents.parts.gpdm.transitions import Dynamics, Transitions

FORMS = [
    Dynamics(),
    Dynamics(1, True),
    Dynamics(2, True),
    Dynamics(2),
    Dynamics(2, True, True),
    Dynamics(2, True, ard=True),
]
STEP = 1e-6


def problem(form=FORMS[0], lengths=(9, 1, 6), q=2, columns=4, controls=1, weight=1.0, seed=0):
    """A posterior of random data, and a random state."""
    rng = np.random.default_rng(seed)
    n = sum(lengths)
    y = rng.normal(size=(n, columns)) * [1, 2, 0.5, 3][:columns]
    u = rng.normal(size=(n, controls)) if controls else None
    groups = form.groups(q, controls)
    alpha = np.exp(rng.normal(size=2 * (groups.max() + 1) + 2) * 0.4)
    alpha[-1] *= 20
    state = State(rng.normal(size=(n, q)), np.array([0.7, 30.0]), alpha, np.exp(0.3 * rng.normal(size=columns)))
    return Posterior(y, Transitions.within(form, lengths, u), groups, weight), state


def brute_kernel(a, b, alpha, groups):
    """The dynamics' kernel, a pair at a time."""
    sides = (len(alpha) - 2) // 2
    linear, widths = alpha[groups], alpha[sides + groups]
    return np.array(
        [[(linear * s * t).sum() + alpha[-2] * np.exp(-0.5 * (widths * (s - t) ** 2).sum()) for t in b] for s in a]
    )


def brute_steps(form, lengths, x, u):
    """Inputs and outputs of all steps, one at a time."""
    inputs, outputs, first = [], [], 0
    for n in lengths:
        for t in range(first + form.order - 1, first + n - 1):
            parts = [x[t]]
            if form.order == 2:
                parts.append(x[t] - x[t - 1] if form.velocity else x[t - 1])
            inputs.append(np.concatenate([*parts, u[t]]))
            outputs.append(x[t + 1] - x[t] if form.difference else x[t + 1])
        first += n
    return np.array(inputs), np.array(outputs)


def brute_value(form, lengths, posterior, state):
    """-ln posterior from SciPy's densities alone."""
    x, theta, alpha, scales = state
    n, q = x.shape
    kernel = np.array([[np.exp(-0.5 * theta[0] * ((a - b) ** 2).sum()) for b in x] for a in x]) + np.eye(n) / theta[1]
    seen = sum(multivariate_normal(cov=kernel / w**2).logpdf(posterior.y[:, d]) for d, w in enumerate(scales))
    inputs, outputs = brute_steps(form, lengths, x, posterior.transitions.controls)
    covariance = brute_kernel(inputs, inputs, alpha, posterior.groups) + np.eye(len(inputs)) / alpha[-1]
    moved = sum(multivariate_normal(cov=covariance).logpdf(outputs[:, d]) for d in range(q))
    first = 0
    for length in lengths:
        moved += multivariate_normal(cov=np.eye(q)).logpdf(x[first])
        if form.order == 2 and length > 1:
            moved += multivariate_normal(mean=x[first], cov=np.eye(q)).logpdf(x[first + 1])
        first += length
    priors = halfnorm(scale=posterior.spread).logpdf(scales).sum() - np.log(theta).sum() - np.log(alpha).sum()
    return -(seen + posterior.weight * moved + priors)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_the_posterior_is_the_product_of_its_densities(form):
    lengths = (9, 1, 6)
    posterior, state = problem(form, lengths, weight=2.5)
    assert posterior.slope(state).value == pytest.approx(brute_value(form, lengths, posterior, state), abs=1e-8)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("what", ["x", "theta", "alpha"])
def test_its_gradients_are_those_of_finite_differences(form, what):
    posterior, state = problem(form, weight=3.0)
    slope, at = getattr(posterior.slope(state), f"to_{what}"), getattr(state, what)
    for index in np.ndindex(at.shape):
        side = np.zeros(at.shape)
        side[index] = STEP
        ends = [at + s * side if what == "x" else at * np.exp(s * side) for s in (1, -1)]
        above, below = (posterior.slope(state._replace(**{what: end})).value for end in ends)
        assert slope[index] == pytest.approx((above - below) / (2 * STEP), rel=2e-5, abs=2e-5)


def test_the_balance_weighs_the_dynamics_alone():
    plain, state = problem()
    weighed, _ = problem(weight=8.0)
    none = Posterior(plain.y, None, plain.groups)
    latents = 0.5 * (state.x**2).sum() + 0.5 * state.x.size * np.log(2 * np.pi)
    others = none.slope(state).value - latents
    dynamics = plain.slope(state).value - others - np.log(state.alpha).sum()
    assert weighed.slope(state).value == pytest.approx(others + 8 * dynamics + np.log(state.alpha).sum())


@pytest.mark.parametrize(("form", "pairs"), [(Dynamics(), 18 - 2), (Dynamics(2), 18 - 4)])
def test_no_step_leads_from_one_sequence_into_the_next(form, pairs):
    steps = Transitions.within(form, (10, 8))
    x = np.arange(36.0).reshape(18, 2)
    assert len(steps.inputs(x)) == len(steps.outputs(x)) == pairs
    assert 9 not in steps.last
    assert 10 not in steps.last[steps.last < 10 + form.order - 1]


def test_a_second_order_step_goes_on_from_the_point_that_it_is_measured_from():
    x = np.array([[0.0], [1.0], [10.0], [100.0]])
    steps = Transitions.within(Dynamics(2, True), (4,))
    assert steps.inputs(x).tolist() == [[1.0, 0.0], [10.0, 1.0]]
    assert steps.outputs(x).tolist() == [[9.0], [90.0]]
    assert Transitions.within(Dynamics(2, True, True), (4,)).inputs(x).tolist() == [[1.0, 1.0], [10.0, 9.0]]


def test_closed_form_scales_are_the_best():
    posterior, state = problem()
    best = rescaled(posterior, state)
    value = posterior.slope(best).value
    for d in range(4):
        for factor_ in (0.99, 1.01):
            scales = best.scales.copy()
            scales[d] *= factor_
            assert posterior.slope(best._replace(scales=scales)).value > value


def test_a_path_given_the_learnt_steps_is_the_joint_less_what_was_learnt():
    posterior, state = problem(lengths=(14,))
    kernel = Kernel(state.alpha, posterior.groups)
    inputs, outputs = posterior.transitions.inputs(state.x), posterior.transitions.outputs(state.x)
    joint, before = dynamics_term(kernel, inputs, outputs).value, dynamics_term(kernel, inputs[:8], outputs[:8]).value
    value, to_inputs, to_outputs = conditioned_term(
        kernel, learn(kernel, inputs[:8], outputs[:8]), inputs[8:], outputs[8:]
    )
    assert value == pytest.approx(joint - before, abs=1e-9)
    whole = dynamics_term(kernel, inputs, outputs)
    assert to_inputs == pytest.approx(whole.to_inputs[8:], abs=1e-8)
    assert to_outputs == pytest.approx(whole.to_outputs[8:], abs=1e-8)


def test_a_pose_has_the_density_of_the_joint_gaussian_given_the_rows_learnt_from():
    posterior, state = problem(lengths=(12,), controls=0)
    rng = np.random.default_rng(1)
    model = Model(gathered([posterior.y]), FORMS[0], state)
    x, y = rng.normal(size=(1, 2)), rng.normal(size=(1, 4))
    y[0, 2] = np.nan
    every = np.concatenate([state.x, x])
    kernel = np.exp(-0.5 * 0.7 * ((every[:, None] - every) ** 2).sum(-1)) + np.eye(13) / 30
    wanted = 0.0
    for d in (0, 1, 3):
        joint = multivariate_normal(cov=kernel / state.scales[d] ** 2)
        rows = multivariate_normal(cov=kernel[:12, :12] / state.scales[d] ** 2)
        wanted -= joint.logpdf([*model.motions.y[:, d], y[0, d]]) - rows.logpdf(model.motions.y[:, d])
    value, gradient = model.pose_term(x, y)
    assert value == pytest.approx(wanted, abs=1e-9)
    for d in range(2):
        side = np.zeros((1, 2))
        side[0, d] = STEP
        change = (model.pose_term(x + side, y)[0] - model.pose_term(x - side, y)[0]) / (2 * STEP)
        assert gradient[0, d] == pytest.approx(change, rel=1e-5)


def test_a_matrix_that_is_only_just_not_definite_is_helped_and_others_are_refused():
    nearly = np.ones((3, 3))
    lower = factor(nearly, "it")
    assert lower @ lower.T == pytest.approx(nearly, abs=1e-3)
    with pytest.raises(NotDefiniteError, match="it of 2 points"):
        factor(np.array([[1.0, 3.0], [3.0, 1.0]]), "it")
    with pytest.raises(NotDefiniteError, match="not finite"):
        factor(np.array([[np.nan]]), "it")


def test_wrong_forms_are_refused():
    with pytest.raises(ValueError, match="1 or 2"):
        Dynamics(3)
    with pytest.raises(ValueError, match="order=2"):
        Dynamics(1, velocity=True)


def test_observations_with_a_linear_part():
    posterior, state = problem(lengths=(8,), controls=0)
    state = state._replace(theta=np.array([0.7, 30.0, 1.6]))
    none = Posterior(posterior.y, None, posterior.groups)
    kernel = np.exp(-0.35 * ((state.x[:, None] - state.x) ** 2).sum(-1)) + 1.6 * state.x @ state.x.T + np.eye(8) / 30
    seen = sum(multivariate_normal(cov=kernel / w**2).logpdf(posterior.y[:, d]) for d, w in enumerate(state.scales))
    seen += multivariate_normal(cov=np.eye(16)).logpdf(state.x.ravel())
    priors = halfnorm(scale=none.spread).logpdf(state.scales).sum() - np.log(state.theta).sum()
    assert none.slope(state).value == pytest.approx(-(seen + priors), abs=1e-8)
    for what in ("x", "theta"):
        at = getattr(state, what)
        for index in np.ndindex(at.shape):
            side = np.zeros(at.shape)
            side[index] = STEP
            ends = [at + s * side if what == "x" else at * np.exp(s * side) for s in (1, -1)]
            above, below = (none.slope(state._replace(**{what: end})).value for end in ends)
            slope = getattr(none.slope(state), f"to_{what}")[index]
            assert slope == pytest.approx((above - below) / (2 * STEP), rel=2e-5, abs=2e-5)
    model, x = Model(gathered([posterior.y]), FORMS[0], state), np.array([[0.3, -0.8]])
    for d in range(2):
        side = np.zeros((1, 2))
        side[0, d] = STEP
        change = (
            model.pose_term(x + side, x @ np.ones((2, 4)))[0] - model.pose_term(x - side, x @ np.ones((2, 4)))[0]
        ) / (2 * STEP)
        assert model.pose_term(x, x @ np.ones((2, 4)))[1][0, d] == pytest.approx(change, rel=1e-4)
