"""Free nats, balancing and overshooting: values, and whose parameters receive a gradient."""

import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.latent.distributions import Gaussian, OneHots  # noqa: E402
from sakiyomi.agents.parts.latent.kl_terms import balanced_kl, free_each, free_mean, overshooting  # noqa: E402
from sakiyomi.agents.parts.latent.pixel_nets import initialise  # noqa: E402
from sakiyomi.agents.parts.latent.rssm import RSSM, State  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors gain nothing by a second core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_each_step_has_its_own_free_nats():
    kl = torch.tensor([[1.0, 5.0], [2.0, 4.0]], requires_grad=True)
    loss = free_each(kl, 3.0)
    loss.backward()
    assert float(loss.detach()) == (3 + 5 + 3 + 4) / 4
    assert kl.grad.tolist() == [[0, 0.25], [0, 0.25]]


def test_a_batch_has_free_nats_together():
    """One step below the bound still learns where the mean is above it."""
    kl = torch.tensor([[1.0, 5.0], [2.0, 6.0]], requires_grad=True)
    loss = free_mean(kl, 3.0)
    loss.backward()
    assert float(loss.detach()) == 3.5
    assert kl.grad.tolist() == [[0.25, 0.25], [0.25, 0.25]]
    below = torch.tensor([[1.0, 5.0], [2.0, 2.0]], requires_grad=True)
    loss = free_mean(below, 3.0)
    loss.backward()
    assert float(loss.detach()) == 3
    assert float(below.grad.abs().sum()) == 0


def beliefs(kind, apart):
    """Posterior and prior [2, 3], the one moved by `apart` from the other, and their parameters."""
    generator = seeded()
    if kind == "normal":
        mean = torch.randn(2, 3, 4, generator=generator, dtype=torch.float64)
        posterior, prior = ((mean + shift).requires_grad_() for shift in (apart, 0.0))
        return *(Gaussian(m, torch.full_like(m, 0.7)) for m in (posterior, prior)), posterior, prior
    logits = torch.randn(2, 3, 4, 5, generator=generator, dtype=torch.float64)
    shift = apart * torch.randn(logits.shape, generator=generator, dtype=torch.float64)
    posterior, prior = (logits + shift).requires_grad_(), logits.clone().requires_grad_()
    return OneHots(posterior), OneHots(prior), posterior, prior


@pytest.mark.parametrize("kind", ["normal", "classes"])
def test_balancing_trains_the_prior_four_times_as_much(kind):
    posterior, prior, of_posterior, of_prior = beliefs(kind, 1e-4)
    loss = balanced_kl(posterior, prior)
    loss.backward()
    torch.testing.assert_close(loss, posterior.kl(prior).mean())
    assert float(of_prior.grad.norm() / of_posterior.grad.norm()) == pytest.approx(4, rel=1e-2)


@pytest.mark.parametrize(("balance", "posterior_learns"), [(1.0, False), (0.0, True)])
def test_at_the_ends_of_the_balance_one_side_learns_alone(balance, posterior_learns):
    posterior, prior, of_posterior, of_prior = beliefs("classes", 0.5)
    balanced_kl(posterior, prior, balance=balance).backward()
    assert (float(of_posterior.grad.abs().sum()) > 0) == posterior_learns
    assert (float(of_prior.grad.abs().sum()) > 0) == (not posterior_learns)


def test_the_balanced_divergence_is_from_posterior_to_prior_with_free_nats():
    posterior, prior, of_posterior, of_prior = beliefs("normal", 0.5)
    wide = Gaussian(prior.mean, 3 * prior.std)
    torch.testing.assert_close(balanced_kl(posterior, wide), posterior.kl(wide).mean())
    assert bool(wide.kl(posterior).mean() > 2 * posterior.kl(wide).mean())
    loss = balanced_kl(posterior, prior, nats=50.0)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(50)
    assert float(of_posterior.grad.abs().sum() + of_prior.grad.abs().sum()) == 0


# Overshooting: batch 2, length 5, an episode of the second sequence begins at its row 2.

KINDS = {
    "normal": {},
    "classes": {"classes": 4, "cell": "layer_norm"},
    "stochastic": {"dynamics": "stochastic"},
}


def setting(kind):
    rssm = RSSM(2, 6, deter=5, hidden=7, stoch=3, **KINDS[kind]).double()
    initialise(rssm, seeded(), like="torch")
    embeds, actions = (torch.randn(2, 5, n, generator=seeded(1), dtype=torch.float64) for n in (6, 2))
    is_first = torch.tensor([[1, 0, 0, 0, 0], [1, 0, 1, 0, 0]]).bool()
    actions *= ~is_first[..., None]
    posteriors, priors = rssm.observe(embeds, actions, is_first, noise=seeded(2))
    return rssm, posteriors, priors, actions, is_first


def slowly(rssm, posteriors, actions, is_first, distance, nats, beta, noise):
    """One path at a time: from every state before a row, on to wherever the sequence or the episode ends."""
    batch, length = is_first.shape
    noise = noise.unflatten(1, (batch, length))
    total = 0.0
    for b in range(batch):
        for start in range(length):
            fresh = start == 0 or bool(is_first[b, start])
            state = rssm.initial(1) if fresh else posteriors[b : b + 1, start - 1]
            state = State(state.deter, state.stoch, posteriors.belief[b : b + 1, 0])
            for d in range(distance):
                t = start + d
                if t >= length or (d > 0 and bool(is_first[b, t])):
                    break
                action = actions[b, t] * (0.0 if is_first[b, t] else 1.0)
                state = rssm.imagine(state, action[None, None], noise=noise[d, b, start][None, None])[0]
                target = posteriors.belief[b : b + 1, t]
                kl = (target if d == 0 else target.detach()).kl(state.belief)[0]
                total = total + (1.0 if d == 0 else beta) * torch.clamp(kl, min=nats)
    return total / (batch * length * distance)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("distance", "nats", "beta"), [(1, 0.0, 1.0), (3, 0.3, 0.5), (5, 0.0, 2.0)])
def test_overshooting_is_the_sum_over_paths(kind, distance, nats, beta):
    rssm, posteriors, _, actions, is_first = setting(kind)
    noise = rssm.noise(distance, 10, generator=seeded(3))
    fast = overshooting(rssm, posteriors, actions, is_first, distance=distance, nats=nats, beta=beta, noise=noise)
    slow = slowly(rssm, posteriors, actions, is_first, distance, nats, beta, noise)
    torch.testing.assert_close(fast, slow)
    gradients = [torch.autograd.grad(loss, list(rssm.parameters()), retain_graph=True) for loss in (fast, slow)]
    torch.testing.assert_close(*gradients)


def test_a_distance_of_one_is_the_plain_bound():
    rssm, posteriors, priors, actions, is_first = setting("normal")
    loss = overshooting(rssm, posteriors, actions, is_first, distance=1, nats=0.2, noise=seeded())
    torch.testing.assert_close(loss, free_each(posteriors.belief.kl(priors), 0.2))


def test_posteriors_far_ahead_are_aims_and_do_not_learn_from_it():
    """Only by where the paths start, which here is cut off, could a posterior learn of a distance above 1."""
    rssm, posteriors, _, actions, is_first = setting("normal")
    cut = State(posteriors.deter.detach(), posteriors.stoch.detach(), posteriors.belief)
    whole, single = (
        overshooting(rssm, cut, actions, is_first, distance=3, nats=0.0, beta=beta, noise=seeded())
        for beta in (1.0, 0.0)
    )
    far, near = (torch.autograd.grad(loss, posteriors.belief.mean, retain_graph=True)[0] for loss in (whole, single))
    torch.testing.assert_close(far, near)
    assert float(near.abs().sum()) > 0
    by_prior = [torch.autograd.grad(loss, rssm.prior_out.weight, retain_graph=True)[0] for loss in (whole, single)]
    assert not torch.allclose(*by_prior)


def test_a_distance_that_does_not_fit_is_named():
    rssm, posteriors, _, actions, is_first = setting("normal")
    for distance in (0, 6):
        with pytest.raises(ValueError, match=f"1 to 5, .* got {distance}"):
            overshooting(rssm, posteriors, actions, is_first, distance=distance, nats=0.0, noise=seeded())
