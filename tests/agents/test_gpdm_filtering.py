"""The filter of latent paths: slopes against finite differences, Kalman's equations, and tracking of what is seen."""

import numpy as np
import pytest

from sakiyomi.agents.parts.gpdm.filtering import (
    Belief,
    corrected,
    first_belief,
    pose_slopes,
    predicted,
    seen_moments,
    updated,
)
from sakiyomi.agents.parts.gpdm.learning import learn_map, principal_latents, starting_state
from sakiyomi.agents.parts.gpdm.model import Model
from sakiyomi.agents.parts.gpdm.motions import gathered
from sakiyomi.agents.parts.gpdm.posterior import Posterior
from sakiyomi.agents.parts.gpdm.transitions import Dynamics, Transitions

FORMS = [Dynamics(1, True, ard=True), Dynamics(2, True), Dynamics(2, True, velocity=True), Dynamics()]


def swinging(form, linear=True, rounds=6) -> tuple[Model, np.ndarray, np.ndarray]:
    """A model of a driven oscillator seen through two numbers, its rows and what drove it."""
    rng = np.random.default_rng(0)
    x, rows, controls = np.array([1.0, 0.0]), [], rng.uniform(-1, 1, (50, 1))
    for t in range(50):
        rows.append(x + 0.01 * rng.normal(size=2))
        x = np.array([0.95 * x[0] + 0.3 * x[1], 0.95 * x[1] - 0.3 * x[0] + 0.3 * controls[t, 0]])
    y = np.array(rows) @ np.array([[1.0, 0.5], [0.0, 2.0]])
    motions = gathered([y], order=form.order, controls=[controls])
    posterior = Posterior(motions.y, Transitions.within(form, motions.lengths, motions.controls), form.groups(2, 1))
    start = starting_state(posterior, principal_latents(motions.y, 2), (0.5, 1.0, 0.5, 300.0), linear=linear)
    return Model(motions, form, learn_map(posterior, start, rounds)), y, controls


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_step_of_a_belief_is_the_linearised_process(form):
    model, _, controls = swinging(form)
    size, q = 2 * form.order, 2
    place, u = np.concatenate([model.x[20], model.x[19]])[:size], controls[20]
    belief = Belief(place, 1e-4 * np.diag(np.arange(1.0, size + 1)))
    after = predicted(model, belief, u)

    def mean(at):
        return np.concatenate([model.step(at[None, :q], at[None, -q:], u[None])[0][0], at[:q]])[:size]

    jacobian = np.stack([(mean(place + d) - mean(place - d)) / 2e-6 for d in 1e-6 * np.eye(size)], axis=1)
    wanted = jacobian @ belief.covariance @ jacobian.T
    wanted[:q, :q] += model.step(place[None, :q], place[None, -q:], u[None])[1][0] * np.eye(q)
    assert after.mean == pytest.approx(mean(place))
    assert after.covariance == pytest.approx(wanted, rel=1e-5, abs=1e-10)


def test_what_is_seen_of_a_belief_agrees_with_samples():
    model, _, _ = swinging(FORMS[0])
    belief = Belief(model.x[10], np.array([[4e-4, 1e-4], [1e-4, 2e-4]]))
    samples = np.random.default_rng(0).multivariate_normal(*belief, size=4000)
    means, deviations = model.observation(samples)
    wanted = np.sqrt(means.var(0) + (deviations**2).mean(0))
    mean, deviation = seen_moments(model, belief)
    assert mean == pytest.approx(means.mean(0), abs=5e-3)
    assert deviation == pytest.approx(wanted, rel=0.05)


@pytest.mark.parametrize("linear", [True, False])
def test_slopes_of_what_is_seen(linear):
    model, _, _ = swinging(FORMS[0], linear, rounds=2)
    x = model.x[3] + 0.1
    sides = [(model.pose(x[None] + d)[0] - model.pose(x[None] - d)[0])[0] / 2e-6 for d in 1e-6 * np.eye(2)]
    assert pose_slopes(model, x) == pytest.approx(np.stack(sides, axis=1), rel=1e-5)


def test_a_correction_is_the_likeliest_point_and_kalmans_covariance():
    model, _, _ = swinging(FORMS[0])
    mean, covariance, y = model.x[5] + 0.05, 0.01 * np.eye(2), model.motions.y[5]
    at, left = corrected(model, mean, covariance, y, mean)
    slopes, noise = pose_slopes(model, at), np.diag(model.pose(at[None])[1][0])
    wanted = np.linalg.inv(np.linalg.inv(covariance) + slopes.T @ np.linalg.inv(noise) @ slopes)
    assert left == pytest.approx(wanted, rel=1e-6)
    pull = slopes.T @ np.linalg.solve(noise, y - model.pose(at[None])[0][0])
    assert pull == pytest.approx(np.linalg.solve(covariance, at - mean), rel=1e-3, abs=1e-3)


def test_nothing_seen_changes_nothing():
    model, _, _ = swinging(FORMS[0], rounds=2)
    belief = Belief(model.x[5], np.eye(2))
    assert updated(model, belief, np.full(2, np.nan)).mean is belief.mean


@pytest.mark.parametrize("form", FORMS[:2], ids=str)
def test_a_filtered_path_foretells_the_next_row(form):
    model, y, controls = swinging(form)
    rows = model.motions.centred(y)
    belief, misses, inside = first_belief(model, rows[0]), [], []
    for t in range(1, 50):
        belief = predicted(model, belief, controls[t - 1])
        mean, deviation = seen_moments(model, belief)
        misses.append(mean - y[t])
        inside.append(np.abs(mean - y[t]) < 3 * deviation)
        belief = updated(model, belief, rows[t])
    assert np.sqrt(np.mean(np.square(misses[3:]), axis=0)).max() < 0.15 * y.std()
    assert np.mean(inside) > 0.85
    assert np.linalg.eigvalsh(belief.covariance).min() > -1e-10
