"""Distributions against SciPy, PyTorch's, quadrature, Monte Carlo and finite differences."""

import math

import numpy as np
import pytest
from scipy import stats

torch = pytest.importorskip("torch")

from torch.distributions import Categorical, Independent, Normal, kl_divergence  # noqa: E402

from sakiyomi.agents.parts.latent.distributions import (  # noqa: E402
    Bernoulli,
    Gaussian,
    OneHot,
    OneHots,
    TanhGaussian,
    TruncatedNormal,
    dreamer_actor,
    dreamerv2_actor,
    sigmoid_std,
    softplus_std,
    unit_log_prob,
)
from sakiyomi.agents.parts.latent.tensors import stacked  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors gain nothing by a second core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def numbers(*shape, seed=0, scale=1.0):
    return scale * torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def gaussian(*shape, seed=0):
    return Gaussian(numbers(*shape, seed=seed), numbers(*shape, seed=seed + 1, scale=0.4).exp())


def families():
    """One distribution [4, 6] of each kind (the last of 2 variables of 3), in float64."""
    return {
        "gaussian": gaussian(4, 6),
        "one-hot": OneHot(numbers(4, 6)),
        "one-hots": OneHots(numbers(4, 2, 3)),
        "tanh": TanhGaussian(numbers(4, 6), numbers(4, 6, seed=1).exp()),
        "truncated": TruncatedNormal(numbers(4, 6).tanh(), sigmoid_std(numbers(4, 6, seed=1))),
        "bernoulli": Bernoulli(numbers(4, 6)),
    }


@pytest.mark.parametrize("name", families())
def test_a_seed_gives_the_same_draw_and_another_seed_another(name):
    family = families()[name]
    draws = [family.draw(seeded(seed)) for seed in (3, 3, 4)]
    assert draws[0].shape == (4, 6)
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_a_draw_from_numbers_is_the_draw_from_a_generator_that_gives_them():
    family = gaussian(4, 6)
    assert torch.equal(family.draw(seeded(5)), family.draw(numbers(4, 6, seed=5)))
    uniform = torch.rand(4, 2, generator=seeded(5), dtype=torch.float64)
    assert torch.equal(OneHots(numbers(4, 2, 3)).draw(seeded(5)), OneHots(numbers(4, 2, 3)).draw(uniform))


def test_normals_agree_with_those_of_torch():
    mine, other = gaussian(5, 3), gaussian(5, 3, seed=7)
    theirs, others = (Independent(Normal(d.mean, d.std), 1) for d in (mine, other))
    x = numbers(5, 3, seed=9)
    torch.testing.assert_close(mine.log_prob(x), theirs.log_prob(x))
    torch.testing.assert_close(mine.entropy(), theirs.entropy())
    torch.testing.assert_close(mine.kl(other), kl_divergence(theirs, others))


def test_classes_agree_with_those_of_torch():
    mine, other = OneHot(numbers(5, 4)), OneHot(numbers(5, 4, seed=7))
    theirs, others = Categorical(logits=mine.logits), Categorical(logits=other.logits)
    x = OneHot(numbers(5, 4, seed=9)).mode
    torch.testing.assert_close(mine.log_prob(x), theirs.log_prob(x.argmax(-1)))
    torch.testing.assert_close(mine.entropy(), theirs.entropy())
    torch.testing.assert_close(mine.kl(other), kl_divergence(theirs, others))
    assert torch.equal(mine.mode.argmax(-1), mine.logits.argmax(-1))


def test_variables_of_classes_add_up():
    mine, other = OneHots(numbers(5, 3, 4)), OneHots(numbers(5, 3, 4, seed=7))
    x = mine.draw(seeded())
    each = [(OneHot(mine.logits[:, v]), OneHot(other.logits[:, v]), x[:, 4 * v : 4 * v + 4]) for v in range(3)]
    torch.testing.assert_close(mine.log_prob(x), sum(one.log_prob(y) for one, _, y in each))
    torch.testing.assert_close(mine.entropy(), sum(one.entropy() for one, _, _ in each))
    torch.testing.assert_close(mine.kl(other), sum(one.kl(another) for one, another, _ in each))
    assert torch.equal(mine.mode, torch.cat([one.mode for one, _, _ in each], -1))


@pytest.mark.parametrize("kind", ["normal", "classes"])
def test_kl_is_the_mean_of_log_ratios_under_the_first(kind):
    draws = 50_000
    if kind == "normal":
        mine, other = gaussian(3), gaussian(3, seed=7)
        x = Gaussian(mine.mean.expand(draws, 3), mine.std.expand(draws, 3)).draw(seeded())
    else:
        mine, other = OneHots(2 * numbers(2, 3)), OneHots(numbers(2, 3, seed=7))
        x = OneHots(mine.logits.expand(draws, 2, 3)).draw(seeded())
    ratios = mine.log_prob(x) - other.log_prob(x)
    error = 5 * float(ratios.std()) / draws**0.5
    assert float(mine.kl(other)) == pytest.approx(float(ratios.mean()), abs=error)
    assert abs(float(other.kl(mine)) - float(ratios.mean())) > error, "the two directions must be told apart"


def test_classes_are_drawn_as_often_as_they_are_probable():
    logits = torch.tensor([0.0, 1.0, -torch.inf, -2.0, 0.5], dtype=torch.float64)
    draws = OneHot(logits.expand(100_000, 5)).draw(seeded())
    counts, expected = draws.sum(0).numpy(), 100_000 * torch.softmax(logits, 0).numpy()
    assert counts[2] == 0
    assert stats.chisquare(np.delete(counts, 2), np.delete(expected, 2)).pvalue > 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_impossible_class_is_not_drawn_at_the_ends_of_the_uniform_numbers(dtype):
    generator = seeded()
    for _ in range(20):
        logits = 3 * torch.randn(64, 9, generator=generator, dtype=dtype)
        logits[:, [0, 4, 8]] = -torch.inf
        for end in (0.0, 1 - 2**-24):
            draw = OneHot(logits).draw(torch.full((64,), end, dtype=dtype))
            assert float(draw[:, [0, 4, 8]].sum()) == 0
            assert torch.equal(draw.sum(-1), torch.ones(64, dtype=dtype))
            assert bool(torch.isfinite(OneHot(logits).log_prob(draw)).all())
    assert float(OneHot(torch.tensor([0.0, -torch.inf])).entropy()) == 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_straight_through_draws_are_exactly_one_hot_and_pass_the_gradient_of_probabilities(dtype):
    logits = numbers(8, 2, 5).to(dtype).requires_grad_()
    weights = numbers(8, 10, seed=3).float()
    draw = OneHots(logits).draw(seeded())
    assert draw.dtype == torch.float32
    assert set(draw.detach().unique().tolist()) == {0.0, 1.0}
    assert torch.equal(draw.detach().unflatten(-1, (2, 5)).sum(-1), torch.ones(8, 2))
    (draw * weights).sum().backward()
    again = logits.detach().clone().requires_grad_()
    (torch.softmax(again.float(), -1).flatten(-2) * weights).sum().backward()
    assert torch.equal(logits.grad, again.grad)
    assert float(logits.grad.abs().sum()) > 0


def test_tanh_normals_integrate_to_one_and_are_finite_where_they_saturate():
    x = torch.linspace(-1, 1, 200_001, dtype=torch.float64)[1:-1, None]
    for mean, std in [(0.0, 0.5), (0.8, 0.7), (-0.3, 0.2)]:
        density = TanhGaussian(torch.tensor([mean]).double(), torch.tensor([std]).double()).log_prob(x).exp()
        assert float(torch.trapezoid(density, x[:, 0])) == pytest.approx(1, abs=1e-3)
    raw = torch.tensor([[200.0, -200.0, 3.0, 9.0]], requires_grad=True)
    actor = dreamer_actor(raw)
    drawn = actor.draw(torch.tensor([[9.0, -9.0]]))
    assert float(drawn.detach().abs().max()) <= 1
    (actor.log_prob(drawn).sum() + drawn.sum()).backward()
    assert bool(torch.isfinite(raw.grad).all())
    assert bool(torch.isfinite(actor.log_prob(torch.tensor([[1.0, -1.0]]))).all())


def test_tanh_normal_density_is_that_of_its_draws():
    family = TanhGaussian(torch.tensor([0.4]).double(), torch.tensor([0.9]).double())
    draws = TanhGaussian(family.mean.expand(20_000, 1), family.std.expand(20_000, 1)).draw(seeded())
    x = torch.linspace(-0.99999, 0.99999, 4001, dtype=torch.float64)
    below = torch.cumulative_trapezoid(family.log_prob(x[:, None]).exp(), x)
    result = stats.kstest(draws[:, 0].numpy(), lambda y: np.interp(y, x[1:].numpy(), below.numpy()))
    assert result.pvalue > 1e-3


def test_the_best_of_many_draws_is_near_the_top_of_the_density():
    family = TanhGaussian(torch.tensor([0.6, -0.2]).double(), torch.tensor([0.5, 0.3]).double())
    x = torch.linspace(-0.999, 0.999, 4001, dtype=torch.float64)
    tops = [
        float(x[Gaussian(m[None], s[None]).log_prob(torch.atanh(x)[:, None]).sub(torch.log(1 - x**2)).argmax()])
        for m, s in zip(family.mean, family.std, strict=True)
    ]
    best = family.best_of(20_000, seeded())
    assert best.tolist() == pytest.approx(tops, abs=0.05)
    # not tanh of the mean: the bounds draw probability to them
    assert float(best[0]) > math.tanh(0.6) + 0.05
    assert family.map(lambda p: p.expand(3, 4, 2)).best_of(100, seeded()).shape == (3, 4, 2)


def test_truncated_normals_agree_with_those_of_scipy():
    rng = np.random.default_rng(0)
    mean, std = rng.uniform(-1, 1, (50, 2)), rng.uniform(0.1, 2.1, (50, 2))
    mine = TruncatedNormal(torch.from_numpy(mean), torch.from_numpy(std))
    theirs = stats.truncnorm((-1 - mean) / std, (1 - mean) / std, mean, std)
    x, u = rng.uniform(-1, 1, (50, 2)), rng.uniform(0.01, 0.99, (50, 2))
    np.testing.assert_allclose(mine.log_prob(torch.from_numpy(x)), theirs.logpdf(x).sum(-1), rtol=1e-9)
    np.testing.assert_allclose(mine.entropy(), theirs.entropy().sum(-1), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(mine.draw(torch.from_numpy(u)), theirs.ppf(u), atol=1e-5)


def test_gradients_of_truncated_draws_are_finite_differences():
    def draw(mean, std):
        return TruncatedNormal(mean, std).draw(torch.tensor([0.03, 0.5, 0.97], dtype=torch.float64))

    parameters = [torch.tensor(row, dtype=torch.float64, requires_grad=True) for row in ([0.9, 0, -0.5], [0.3, 1, 2])]
    assert torch.autograd.gradcheck(draw, parameters)


@pytest.mark.parametrize("uniform", [0.0, 2**-24, 0.5, 1 - 2**-24])
@pytest.mark.parametrize("mean", [-1.0, 0.0, 1.0])
def test_truncated_draws_at_the_edges_are_inside_and_pass_a_gradient(uniform, mean):
    mean = torch.tensor([mean], requires_grad=True)
    std = torch.tensor([0.1], requires_grad=True)
    family = TruncatedNormal(mean, std)
    x = family.draw(torch.tensor([uniform]))
    assert abs(float(x.detach())) <= 1 - 1e-6
    (x.sum() + family.log_prob(x.detach()).sum() + family.entropy().sum()).backward()
    assert bool(torch.isfinite(mean.grad).all())
    assert bool(torch.isfinite(std.grad).all())


def test_a_truncated_draw_that_is_clipped_passes_the_gradient_of_the_one_before():
    mean = torch.tensor([0.9999999], dtype=torch.float64, requires_grad=True)
    x = TruncatedNormal(mean, torch.full_like(mean, 1e-1)).draw(torch.tensor([0.99999999], dtype=torch.float64))
    assert float(x.detach()) == 1 - 1e-6
    x.backward()
    assert float(mean.grad) != 0


def test_coins_have_the_cross_entropy_of_soft_targets():
    coin = Bernoulli(numbers(7))
    for x in (torch.ones(7), torch.zeros(7), torch.full((7,), 0.99)):
        expected = x.double() * coin.mean.log() + (1 - x.double()) * (1 - coin.mean).log()
        torch.testing.assert_close(coin.log_prob(x.double()), expected)
    assert coin.mode.tolist() == [float(p > 0.5) for p in coin.mean]
    draws = Bernoulli(torch.full((100_000,), 0.7)).draw(seeded())
    assert float(draws.mean()) == pytest.approx(1 / (1 + math.exp(-0.7)), abs=0.01)
    extreme = torch.tensor([200.0, -200.0], requires_grad=True)
    Bernoulli(extreme).log_prob(torch.tensor([0.0, 1.0])).sum().backward()
    assert extreme.grad.tolist() == [-1, 1]


def test_deviations_where_networks_begin():
    zero = torch.zeros(1)
    assert float(softplus_std(zero)) == pytest.approx(0.1 + math.log(2))
    assert float(sigmoid_std(zero)) == pytest.approx(1.1)
    assert float(dreamer_actor(torch.zeros(2)).std) == pytest.approx(5.0001)
    assert float(dreamerv2_actor(torch.zeros(2)).std) == pytest.approx(1.1)
    raw = torch.tensor([2.0, -1.0, 0.3, 0.7])
    actor = dreamer_actor(raw)
    assert actor.mean.tolist() == pytest.approx([5 * math.tanh(0.4), 5 * math.tanh(-0.2)])
    assert actor.std.tolist() == pytest.approx([math.log1p((math.exp(5) - 1) * math.exp(r)) + 1e-4 for r in (0.3, 0.7)])
    assert dreamerv2_actor(raw).mean.tolist() == pytest.approx([math.tanh(2), math.tanh(-1)])
    assert float(sigmoid_std(torch.tensor(1.4))) == pytest.approx(2 / (1 + math.exp(-0.7)) + 0.1)
    assert float(softplus_std(torch.tensor(30.0), least=0.5)) == pytest.approx(30.5)


def test_a_picture_has_the_sum_of_its_pixels_not_the_mean():
    picture = numbers(2, 3, 64, 64, scale=0.3)
    loss = -unit_log_prob(picture, torch.zeros_like(picture), 3)
    expected = 0.5 * (picture**2).sum((1, 2, 3)) + 64 * 64 * 3 * 0.5 * math.log(2 * math.pi)
    torch.testing.assert_close(loss, expected)
    assert unit_log_prob(numbers(2, 5), numbers(2, 5, seed=1), 0).shape == (2, 5)
    assert unit_log_prob(picture.bfloat16(), picture.bfloat16(), 3).dtype == torch.float32


def test_records_change_and_stack_together():
    first, second = gaussian(4, 3), gaussian(4, 3, seed=5)
    assert first[1:3].mean.shape == (2, 3)
    both = stacked([first, second], 1)
    assert torch.equal(both.std[:, 1], second.std)
    assert torch.equal(both.map(lambda x: x.flatten(0, 1)).mean[1], second.mean[0])
    grown = Gaussian(first.mean.requires_grad_(), first.std).detach()
    assert not grown.mean.requires_grad
