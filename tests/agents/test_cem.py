"""The cross-entropy method and its kin on costs whose least is known, and the pitfalls of planning."""

import numpy as np
import pytest
import scipy.stats

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.planning.cem import (  # noqa: E402
    WORST,
    cem,
    cheapest,
    finite,
    random_shooting,
    shifted,
    truncated_normal,
)
from sakiyomi.agents.parts.planning.icem import coloured_noise, icem  # noqa: E402
from sakiyomi.agents.parts.planning.mppi import mppi  # noqa: E402

PETS = {"population": 200, "elites": 20, "iterations": 10}
PLANET = {"population": 200, "elites": 20, "iterations": 10, "keep": 0.0, "least": 0.0, "truncated": False}


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def bowl(goal):
    return lambda plans: ((plans - goal[:, None]) ** 2).sum(dim=(2, 3))


def problem(batch=3, horizon=4, size=2, reach=2.0):
    """Goals [B, H, U] within the box, and the arguments that begin in its middle."""
    low, high = torch.full((size,), -reach), torch.full((size,), reach)
    goal = reach * (2 * torch.rand((batch, horizon, size), generator=chance(9)) - 1) * 0.9
    return goal, (torch.zeros_like(goal), torch.full_like(goal, reach / 2), low, high)


@pytest.mark.parametrize("flavour", [PETS, PLANET], ids=["pets", "planet"])
def test_finds_the_bottom_of_a_bowl_for_several_problems_at_once(flavour):
    goal, begin = problem()
    plan = cem(bowl(goal), *begin, generator=chance(), **{**flavour, "iterations": 30})
    assert float((plan - goal).abs().max()) < 0.1


def test_mppi_and_icem_find_it_too():
    goal, begin = problem()
    plan = mppi(bowl(goal), *begin, population=2000, iterations=20, temperature=0.2, smoothing=0.0, generator=chance())
    assert float((plan - goal).abs().max()) < 0.4
    plan, kept = icem(
        bowl(goal),
        *begin,
        population=200,
        elites=20,
        iterations=30,
        exponent=0.0,
        decay=1.1,
        kept=None,
        generator=chance(),
    )
    assert float((plan - goal).abs().max()) < 0.1
    assert kept.shape == (3, 6, 4, 2)
    again, _ = icem(
        bowl(goal),
        *begin,
        population=50,
        elites=6,
        iterations=1,
        exponent=0.0,
        decay=1.1,
        keep=0.0,
        kept=kept,
        generator=chance(),
    )
    assert float((again - goal).abs().max()) < 0.1  # what is kept is not looked for again


def test_one_step_of_the_pets_flavour_is_as_the_paper_has_it():
    """Elites' mean and biased variance, of which 0.9 is taken over; compared with NumPy on the very samples."""
    goal, (mean, std, low, high) = problem(batch=1)
    seen = []

    def cost(plans):
        seen.append(plans.double().numpy().copy())
        return bowl(goal)(plans)

    plan = cem(cost, mean, std, low, high, population=50, elites=5, iterations=2, generator=chance())
    wanted, variance = np.zeros(mean.shape[1:]), np.full(mean.shape[1:], 1.0)
    for plans in seen:
        within = np.minimum(variance, np.minimum((wanted + 2) / 2, (2 - wanted) / 2) ** 2)
        assert (np.abs(plans[0] - wanted) <= 2 * np.sqrt(within) + 1e-5).all()
        order = ((plans[0] - goal[0].numpy()) ** 2).sum(axis=(1, 2)).argsort()[:5]
        best = plans[0][order]
        wanted = 0.1 * wanted + 0.9 * best.mean(axis=0)
        variance = 0.1 * variance + 0.9 * best.var(axis=0)
    np.testing.assert_allclose(plan[0], wanted, atol=1e-5)


def test_the_elite_mean_is_better_than_the_best_sample_under_noise():
    """Pitfall 31: a noisy quadratic; the mean of many seeds."""
    goal = torch.full((64, 3, 1), 0.3)
    low, high = torch.full((1,), -2.0), torch.full((1,), 2.0)
    noise, best = chance(5), []

    def cost(plans):
        costs = bowl(goal)(plans) + torch.randn(plans.shape[:2], generator=noise)
        best.append(cheapest(plans, costs, 1)[:, 0])
        return costs

    begin = (torch.zeros_like(goal), torch.ones_like(goal), low, high)
    plan = cem(cost, *begin, population=100, elites=10, iterations=5, generator=chance())

    def off(plans):
        return float(((plans - goal) ** 2).sum(dim=(1, 2)).mean())

    assert off(plan) < 0.5 * off(best[-1])


def test_samples_do_not_pile_up_on_the_bounds():
    """Pitfall 41: truncated sampling leaves none there, clipping many."""
    goal = torch.full((1, 3, 1), 2.0)  # at the bound itself
    low, high = torch.full((1,), -2.0), torch.full((1,), 2.0)
    shares = []

    def cost(plans):
        shares.append(float((plans.abs() >= 2).double().mean()))
        assert bool((plans.abs() <= 2).all())
        return bowl(goal)(plans)

    begin = (torch.zeros_like(goal), torch.ones_like(goal), low, high)
    cem(cost, *begin, generator=chance(), **PETS)
    assert max(shares) == 0
    shares.clear()
    cem(cost, *begin, generator=chance(), **PLANET)
    assert max(shares) > 0.1


def test_ends_once_the_variance_is_small():
    """Pitfall 41: PETS' epsilon; a problem that has ended keeps its mean while another goes on."""
    calls = []

    def cost(plans):
        calls.append(1)
        return bowl(torch.zeros(2, 1, 1))(plans)

    low, high = torch.full((1,), -2.0), torch.full((1,), 2.0)
    std = torch.tensor([0.03, 1.0]).view(2, 1, 1)
    mean = torch.tensor([0.5, 0.5]).view(2, 1, 1)
    plan = cem(cost, mean, std, low, high, population=50, elites=5, iterations=100, generator=chance())
    assert float(plan[0]) == 0.5  # 0.03^2 is under 0.001
    assert abs(float(plan[1])) < 0.1
    assert len(calls) < 20


def test_truncated_normal_is_that_of_scipy():
    drawn = truncated_normal((20_000,), chance()).numpy()
    assert np.abs(drawn).max() <= 2
    assert scipy.stats.kstest(drawn, scipy.stats.truncnorm(-2, 2).cdf).pvalue > 0.01


def test_a_plan_moves_on_with_the_last_entry_given():
    """Pitfall 32: the warm start is the caller's; PlaNet's begins anew and never calls it."""
    plan = torch.arange(6.0).view(1, 3, 2)
    assert shifted(plan, torch.tensor([7.0, 8.0])).tolist() == [[[2, 3], [4, 5], [7, 8]]]
    assert plan.tolist() == [[[0, 1], [2, 3], [4, 5]]]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_never_wins(bad):
    """Pitfall 42."""
    costs = torch.tensor([[3.0, bad, 1.0], [2e6, 3e6, bad], [bad, bad, bad]])
    assert finite(costs).tolist() == [[3, WORST, 1], [2e6, 3e6, 3e6], [WORST] * 3]
    goal, begin = problem()

    def cost(plans):
        costs = bowl(goal)(plans)
        return torch.where(torch.rand(costs.shape, generator=holes) < 0.5, bad, costs)

    for planner, settings in (
        (cem, {**PETS, "iterations": 30}),
        (mppi, {"population": 2000, "iterations": 30, "temperature": 0.2, "smoothing": 0.0}),
    ):
        holes = chance(3)
        plan = planner(cost, *begin, generator=chance(), **settings)
        assert float((plan - goal).abs().max()) < 0.3
    holes = chance(3)
    settings = {**PETS, "iterations": 30, "exponent": 0.0, "decay": 1.0, "kept": None}
    plan, kept = icem(cost, *begin, generator=chance(), **settings)
    assert float((plan - goal).abs().max()) < 0.3
    assert bool(torch.isfinite(kept).all())
    everywhere = cem(lambda plans: torch.full(plans.shape[:2], bad), *begin, generator=chance(), **PETS)
    assert bool(torch.isfinite(everywhere).all())


def test_random_shooting_passes_over_what_is_not_finite():
    goal, begin = problem()
    seen = []

    def cost(plans):
        costs = bowl(goal)(plans)
        seen.append((plans, torch.where(costs < costs.median(dim=1, keepdim=True).values, torch.nan, costs)))
        return seen[0][1]

    plan = random_shooting(cost, *begin[2:], goal.shape, population=50, generator=chance())
    ((plans, costs),) = seen
    assert torch.equal(plan, plans[torch.arange(3), torch.where(costs.isnan(), torch.inf, costs).argmin(dim=1)])


def test_random_shooting_takes_the_best_of_all():
    goal, (_, _, low, high) = problem(batch=2, horizon=2, size=1)
    plan = random_shooting(bowl(goal), low, high, goal.shape, population=4000, generator=chance())
    assert float((plan - goal).abs().max()) < 0.2


@pytest.mark.parametrize("steps", [1, 2, 15, 30])
@pytest.mark.parametrize("exponent", [0.0, 2.0])
def test_coloured_noise_has_variance_1_and_its_spectrum(steps, exponent):
    noise = coloured_noise(exponent, (20_000, steps), chance())
    assert noise.shape == (20_000, steps)
    np.testing.assert_allclose(noise.var(dim=0), 1, atol=0.06)
    if steps == 30:
        power = torch.fft.rfft(noise).abs().square().mean(dim=0)
        np.testing.assert_allclose(power[2] / power[8], 4**exponent, rtol=0.1)


def test_mppi_weights_are_exponential():
    """One iteration, by hand on its samples; smooth noise keeps its variance."""
    goal, begin = problem(batch=1, horizon=30, size=1, reach=100.0)
    seen = []

    def cost(plans):
        seen.append(plans)
        return bowl(goal)(plans) / 1e4

    begin = (begin[0], torch.ones_like(goal), *begin[2:])
    plan = mppi(cost, *begin, population=4000, iterations=1, temperature=0.1, smoothing=0.8, generator=chance())
    plans = seen[0][0].double().numpy()
    costs = ((plans - goal[0].numpy()) ** 2).sum(axis=(1, 2)) / 1e4
    weights = np.exp(-(costs - costs.min()) / 0.1)
    np.testing.assert_allclose(plan[0], np.einsum("n,nhu->hu", weights, plans) / weights.sum(), atol=1e-4)
    np.testing.assert_allclose(plans.var(axis=0), 1, atol=0.15)
    assert np.corrcoef(plans[:, 3, 0], plans[:, 4, 0])[0, 1] == pytest.approx(0.8, abs=0.05)


PLANNERS = {
    "cem": lambda *given, **more: cem(*given, **PETS, generator=chance(), **more),
    "planet": lambda *given, **more: cem(*given, **PLANET, generator=chance(), **more),
    "mppi": lambda *given, **more: mppi(
        *given, population=50, iterations=10, temperature=0.2, smoothing=0.5, generator=chance(), **more
    ),
    "icem": lambda *given, **more: icem(*given, **PETS, exponent=2.0, decay=1.1, kept=None, generator=chance(), **more)[
        0
    ],
}


@pytest.mark.parametrize("name", PLANNERS)
def test_draws_are_made_where_the_plans_are(name):
    """Wherever tensors are made by default, of which the device "meta" is one that holds no numbers."""
    goal, begin = problem()
    plan = PLANNERS[name](bowl(goal), *begin)
    with torch.device("meta"):
        again = PLANNERS[name](bowl(goal), *begin)
        shot = random_shooting(bowl(goal), *begin[2:], goal.shape, population=9, generator=chance())
    assert torch.equal(again, plan)
    assert shot.device == goal.device


@pytest.mark.gpu
@pytest.mark.parametrize("name", PLANNERS)
def test_plans_on_a_gpu(name, monkeypatch):
    goal, begin = problem()[0].cuda(), [each.cuda() for each in problem()[1]]
    monkeypatch.setitem(globals(), "chance", lambda seed=0: torch.Generator("cuda").manual_seed(seed))
    assert PLANNERS[name](bowl(goal), *begin).device == goal.device


@pytest.mark.parametrize("name", PLANNERS)
def test_planning_ends_when_it_is_told_to(name):
    goal, begin = problem()
    calls = []

    def cost(plans):
        calls.append(len(calls))
        return bowl(goal)(plans)

    plan = PLANNERS[name](cost, *begin, over=lambda: len(calls) == 3)
    assert len(calls) == 3
    assert bool(torch.isfinite(plan).all())


def test_settings_that_cannot_be():
    goal, begin = problem()
    with pytest.raises(ValueError, match="elites must be from 1 to the population, 5; got 6"):
        cem(bowl(goal), *begin, population=5, elites=6, iterations=1, generator=chance())
    with pytest.raises(ValueError, match="temperature"):
        mppi(bowl(goal), *begin, population=5, iterations=1, temperature=0.0, smoothing=0.0, generator=chance())
    with pytest.raises(ValueError, match="decay"):
        icem(
            bowl(goal),
            *begin,
            population=5,
            elites=2,
            iterations=1,
            exponent=0.0,
            decay=0.5,
            kept=None,
            generator=chance(),
        )
