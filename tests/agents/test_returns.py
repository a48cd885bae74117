"""Returns against hand-made numbers, closed forms and the mixture of n-step returns that defines them."""

import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.latent.returns import lambda_returns, path_weights  # noqa: E402


def path(steps=6, paths=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    rewards, values = torch.randn(2, steps, paths, generator=generator, dtype=torch.float64)
    return rewards, values, torch.rand(steps, paths, generator=generator, dtype=torch.float64)


def by_mixture(rewards, values, discounts, lam):
    """(1 - lam) sum over n of lam^(n-1) times the n-step return, the rest of the weight on the longest."""
    last = len(values) - 1
    returns = []
    for t in range(last):
        total, weight = 0.0, 1.0
        for n in range(1, last - t + 1):
            bootstrapped, factor = 0.0, 1.0
            for k in range(n):
                bootstrapped = bootstrapped + factor * rewards[t + k]
                factor = factor * discounts[t + k]
            bootstrapped = bootstrapped + factor * values[t + n]
            share = weight * (1 - lam) if n < last - t else weight
            total, weight = total + share * bootstrapped, weight * lam
        returns.append(total)
    return torch.stack(returns)


def test_numbers_by_hand():
    """Three steps: each of reward, value and discount is used at its own state."""
    rewards, values = torch.tensor([1.0, 2.0, 4.0, 100.0]), torch.tensor([50.0, 8.0, 16.0, 32.0])
    discounts = torch.tensor([0.5, 0.25, 0.5, 100.0])
    # G2 = 4 + 0.5 * 32 = 20; G1 = 2 + 0.25 (0.5 * 16 + 0.5 * 20) = 6.5; G0 = 1 + 0.5 (0.5 * 8 + 0.5 * 6.5) = 4.625
    assert lambda_returns(rewards, values, discounts, 0.5).tolist() == [4.625, 6.5, 20.0]
    assert path_weights(discounts).tolist() == [1.0, 0.5, 0.125]


@pytest.mark.parametrize("lam", [0.0, 0.3, 0.95, 1.0])
def test_returns_are_the_mixture_of_n_step_returns(lam):
    torch.testing.assert_close(lambda_returns(*path(), lam), by_mixture(*path(), lam))


def test_closed_forms_at_both_ends():
    rewards, values, discounts = path()
    torch.testing.assert_close(
        lambda_returns(rewards, values, discounts, 0.0), (rewards + discounts * values.roll(-1, 0))[:-1]
    )
    powers = 0.9 ** torch.arange(6, dtype=torch.float64)[:, None]
    sums = (powers[:-1] * rewards[:-1]).sum(0) + powers[-1] * values[-1]
    torch.testing.assert_close(lambda_returns(rewards, values, 0.9, 1.0)[0], sums)


def test_a_discount_of_zero_ends_the_path_at_its_own_state():
    rewards, values, discounts = path()
    discounts[2] = 0
    changed, others = rewards.clone(), values.clone()
    changed[3:], others[3:] = 1e6, 1e6
    before, after = (lambda_returns(r, v, discounts, 0.95) for r, v in ((rewards, values), (changed, others)))
    torch.testing.assert_close(before[:3], after[:3])
    torch.testing.assert_close(before[2], rewards[2])
    assert not torch.allclose(before[3:], after[3:])
    assert float(path_weights(discounts)[3:].abs().max()) == 0
    assert float(path_weights(discounts)[2].min()) > 0


def test_weights_are_products_of_the_discounts_before_and_pass_no_gradient():
    discounts = path()[2].requires_grad_()
    weights = path_weights(discounts)
    assert not weights.requires_grad
    for t in range(5):
        torch.testing.assert_close(weights[t], discounts[:t].detach().prod(0))


def test_gradients_are_finite_differences():
    tensors = [x[:4].requires_grad_() for x in path()]
    assert torch.autograd.gradcheck(lambda *x: lambda_returns(*x, 0.9), tensors)


def test_shapes_that_do_not_fit_are_named():
    rewards, values, discounts = path()
    with pytest.raises(ValueError, match=r"\(5, 3\)"):
        lambda_returns(rewards[1:], values, discounts, 0.95)
    with pytest.raises(ValueError, match="T >= 1"):
        lambda_returns(rewards[:1], values[:1], discounts[:1], 0.95)
