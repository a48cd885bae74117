"""Learning a GPDM on a made-up gait: what it reaches, and that each way to learn does what it is for."""

from functools import cache

import numpy as np
import pytest

from sakiyomi.agents.parts.gpdm.learning import FIXED_ALPHA, improve, learn_map, principal_latents, starting_state
from sakiyomi.agents.parts.gpdm.missing import filled
from sakiyomi.agents.parts.gpdm.model import Model
from sakiyomi.agents.parts.gpdm.motions import gathered
from sakiyomi.agents.parts.gpdm.paths import MATCHED, fair_samples, future, matched, mean_path, seen_path, within
from sakiyomi.agents.parts.gpdm.posterior import Posterior
from sakiyomi.agents.parts.gpdm.transitions import Dynamics, Transitions
from sakiyomi.agents.parts.gpdm.two_stage import learn_two_stage
from sakiyomi.agents.parts.motion.gaits import synthetic_gait

GAIT = synthetic_gait(0).frames
FIRST = Dynamics()


def posterior_of(motions, form=FIRST, weight=1.0, fixed=False):
    return Posterior(motions.y, Transitions.within(form, motions.lengths), form.groups(3, 0), weight, fixed)


@cache
def learnt(form=FIRST, weight=1.0, rounds=25, holed=False) -> Model:
    gait = GAIT.copy()
    if holed:
        gait[45:75] = np.nan
        gait[100, :30] = np.nan
    motions = gathered([gait], order=form.order, missing=holed)
    posterior = posterior_of(motions, form, weight)
    state = learn_map(posterior, starting_state(posterior, principal_latents(motions.y, 3)), rounds)
    return Model(motions, form, state, weight)


def test_map_climbs_far_above_where_it_begins():
    motions = gathered([GAIT])
    posterior = posterior_of(motions)
    values = []
    start = starting_state(posterior, principal_latents(motions.y, 3))
    learn_map(posterior, start, 5, tell=lambda done, value: values.append((done, value)))
    assert [done for done, _ in values] == [1, 2, 3, 4, 5]
    assert np.all(np.diff([posterior.slope(start).value] + [value for _, value in values]) < 0)
    assert learnt().posterior.slope(learnt().state).value < values[0][1] - 1000


@pytest.mark.parametrize("form", [FIRST, Dynamics(2, True)], ids=str)
def test_the_forecast_of_means_stays_on_the_path(form):
    model = learnt(form)
    assert 0.3 < model.x.std(0).min() <= model.x.std(0).max() < 3  # neither to a point nor away
    path = mean_path(model, model.x[: form.order], 100)
    errors = np.sqrt(((path - model.x[form.order : form.order + 100]) ** 2).mean(1))
    assert errors[49] < 0.2
    assert within(model, path) == 100


def test_the_path_is_a_smooth_orbit_that_closes():
    x = learnt().x
    assert (np.diff(x, n=2, axis=0) ** 2).mean() < 0.3 * (np.diff(x, axis=0) ** 2).mean()
    assert np.sqrt(((x[30:] - x[:-30]) ** 2).sum(1)).mean() < 0.2 * learnt().radius


def test_the_balanced_one_moves_more_smoothly():
    def surprise(model):
        steps = model.transitions
        means = model.kernel.between(steps.inputs(model.x), steps.inputs(model.x)) @ model.learnt.solved
        return np.sqrt(((means - steps.outputs(model.x)) ** 2).mean())

    assert surprise(learnt(weight=40 / 3)) < 0.5 * surprise(learnt())


def test_fixed_dynamics_stay_fixed():
    motions = gathered([GAIT[:60]])
    posterior = posterior_of(motions, Dynamics(1, True), fixed=True)
    start = starting_state(posterior, principal_latents(motions.y, 3), FIXED_ALPHA)
    state = learn_map(posterior, start, 3)
    assert state.alpha.tolist() == list(FIXED_ALPHA)
    assert posterior.slope(state).value < posterior.slope(start).value
    assert not np.array_equal(state.theta, start.theta)


def test_two_stages_learn_the_kernels_over_samples_and_then_the_path():
    motions = gathered([GAIT[:45]])
    posterior = posterior_of(motions)
    start = learn_map(posterior, starting_state(posterior, principal_latents(motions.y, 3)), 3)
    told = []
    rng = np.random.default_rng(0)
    sizes = {"cycles": 2, "draws": 6, "skip": 2, "settling": 40}
    state = learn_two_stage(posterior, start, rng, **sizes, tell=lambda *each: told.append(each))
    assert [done for done, _ in told] == [1, 2]
    assert posterior.slope(state).value < told[-1][1]  # a sampled path is less likely than the best one
    assert not np.allclose(state.alpha, start.alpha)
    assert np.array_equal(improve(posterior, state, 1, kernels=False).alpha, state.alpha)


def test_a_future_is_sampled_near_the_path():
    model = learnt()
    found = fair_samples(model, model.x[-1:], 20, np.random.default_rng(0), draws=6, burn_in=0, leapfrogs=20)
    assert found.points.shape == (6, 20, 3)
    assert np.sqrt(((found.points - model.x.mean(0)) ** 2).sum(-1)).max() < 3 * model.radius
    assert found.acceptance > 0.3


def test_a_path_has_exact_gradients_and_a_likeliest_course():
    model = learnt(Dynamics(2, True))
    path, rng = future(model, model.x[-2:], 8), np.random.default_rng(0)
    at = path.x[path.free].ravel() + 0.02 * rng.normal(size=24)
    value, gradient = path.slope(at)
    for k in range(24):
        side = 1e-6 * (np.arange(24) == k)
        assert gradient[k] == pytest.approx(
            (path.slope(at + side)[0] - path.slope(at - side)[0]) / 2e-6, rel=1e-3, abs=0.05
        )
    best = path.likeliest()
    assert np.array_equal(best[:2], model.x[-2:])
    assert path.slope(best[path.free].ravel())[0] < value


def test_rows_seen_anew_are_found_on_the_path():
    model = learnt()
    y = model.motions.centred(GAIT[30:50])
    y[5, :] = np.nan
    y[6, ::2] = np.nan
    assert np.sqrt(((seen_path(model, y) - model.x[30:50]) ** 2).mean()) < 0.1
    with pytest.raises(ValueError, match="nothing is seen"):
        seen_path(model, np.full((3, 40), np.nan))


def test_the_stretch_that_looks_most_alike_is_found_again():
    model = learnt()
    y = model.motions.centred(GAIT[30:50]) + 0.01 * np.random.default_rng(0).normal(size=(20, 40))
    assert np.array_equal(matched(model, y), model.x[50 - MATCHED : 50])
    y[-MATCHED:-1, ::2] = np.nan
    assert np.array_equal(matched(model, y), model.x[50 - MATCHED : 50])
    assert np.array_equal(matched(model, y[-2:]), model.x[48:50])
    with pytest.raises(ValueError, match="nothing is seen of the last"):
        matched(model, np.full((3, 40), np.nan))


def test_a_gap_is_filled_by_the_cycle_and_not_by_a_line():
    gait = GAIT.copy()
    gait[45:75], gait[100, :30] = np.nan, np.nan
    model = learnt(holed=True)
    (whole,), (deviations,) = filled(model, [gait])
    seen, spread = ~np.isnan(gait), GAIT.std(0)
    assert np.array_equal(whole[seen], GAIT[seen])
    assert (deviations[seen] == 0).all()
    assert (deviations[~seen] > 0).all()
    error = np.sqrt((((whole - GAIT) / spread)[45:75] ** 2).mean())
    straight = np.linspace(GAIT[44], GAIT[75], 32)[1:-1]
    assert error < 0.3 * np.sqrt((((straight - GAIT[45:75]) / spread) ** 2).mean())
    assert np.sqrt((((whole - GAIT) / spread)[100] ** 2).mean()) < 0.3
    with pytest.raises(ValueError, match="not the sequences"):
        filled(model, [gait[:90]])


def test_duplicated_frames_and_constant_columns_are_learnt_as_they_are():
    gait = np.repeat(GAIT[:40, :6], 2, axis=0)
    gait[:, 2] = 7.5
    motions = gathered([gait])
    assert motions.varying.tolist() == [True, True, False, True, True, True]
    posterior = posterior_of(motions)
    state = learn_map(posterior, starting_state(posterior, principal_latents(motions.y, 3)), 3)
    model = Model(motions, FIRST, state)
    mean, deviation = model.observation(model.x[:4])
    assert np.isfinite(mean).all()
    assert (mean[:, 2] == 7.5).all()
    assert (deviation[:, 2] == 0).all()
    assert np.sqrt(((mean - gait[:4]) ** 2).mean()) < 0.3 * gait.std()


@pytest.mark.parametrize(
    ("sequences", "options", "message"),
    [
        ([], {}, "at least one"),
        ([np.zeros(5)], {}, "sequence 0 must be rows"),
        ([np.ones((5, 2))], {}, "constant"),
        ([np.eye(3), np.eye(4)], {}, "differ in their columns"),
        ([np.array([[0.0, 1.0], [np.nan, 2.0], [1.0, 1.0]])], {}, "row 1, column 0 is nan; NaN means unseen"),
        ([np.array([[0.0, 1.0], [np.inf, 2.0], [1.0, 1.0]])], {"missing": True}, "row 1, column 0 is inf"),
        ([np.eye(3)], {"order": 2}, "want 4 complete rows"),
        ([np.array([[np.nan, 1.0], [np.nan, 2.0], [np.nan, 1.0]])], {"missing": True}, "got 0"),
        ([np.eye(4)], {"controls": [np.zeros((3, 1))]}, "controls must be"),
        ([np.eye(4)], {"controls": [np.full((4, 1), np.nan)]}, "finite"),
    ],
)
def test_data_that_cannot_be_learnt_are_refused(sequences, options, message):
    with pytest.raises(ValueError, match=message):
        gathered(sequences, **options)


def test_more_latents_than_directions_are_refused():
    with pytest.raises(ValueError, match="vary in 1 directions"):
        principal_latents(np.outer(np.arange(9.0), [1.0, 2.0]), 2)


def test_missing_rows_split_a_sequence():
    gait = GAIT[:20].copy()
    gait[[4, 6, 7], 3] = np.nan
    motions = gathered([gait, GAIT[:5]], order=1, missing=True)
    assert motions.lengths == (4, 12, 5)
    assert motions.rows.tolist() == [0, 1, 2, 3, *range(8, 20), *range(20, 25)]
    with pytest.raises(ValueError, match="must be"):
        motions.centred(np.zeros((2, 3)))
