"""Trajectory sampling against what each method must give for models with a closed form."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.pets.propagation import (  # noqa: E402
    WORST,
    dealt,
    expected_returns,
    imagine,
    matched,
)

METHODS = ("tsinf", "ts1", "ds", "mm", "e")


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def drifting(members, noise=None):
    """Network e moves its particles on by e, and by the action."""

    def model(observations, actions):
        by = torch.arange(members, dtype=torch.float32)[:, None, None]
        mean = observations + by + actions
        return mean, None if noise is None else torch.full_like(mean, noise)

    return model


def nothing(observations, actions, following):
    return following.sum(dim=-1) * 0


def last(model, method, members, particles, horizon, candidates=1, seed=0):
    """[E, C, p] where particles are in the end, from 0."""
    steps = imagine(
        model,
        nothing,
        torch.zeros(candidates, 1),
        torch.zeros(candidates, horizon, 1),
        members=members,
        particles=particles,
        method=method,
        generator=chance(seed),
    )
    *_, (state, _) = steps
    return state[..., 0]


def test_tsinf_stays_with_its_network_and_ts1_spreads_by_the_root_of_the_horizon():
    """Pitfall 39."""
    members, each = 5, 40
    staying = last(drifting(members), "tsinf", members, members * each, 16)
    for e in range(members):
        assert bool((staying[e] == 16 * e).all())
    step = np.std(np.arange(members))
    spread = {
        horizon: last(drifting(members), "ts1", members, members * each, horizon, candidates=50).std() / step
        for horizon in (4, 16, 64)
    }
    for horizon, ratio in spread.items():
        assert float(ratio) == pytest.approx(np.sqrt(horizon), rel=0.05)


def test_ts1_deals_the_same_number_to_each_network_and_loses_none():
    state = torch.arange(5 * 3 * 4, dtype=torch.float32).view(5, 3, 4, 1)
    shuffled = dealt(state, chance())
    for candidate in range(3):
        assert sorted(shuffled[:, candidate].flatten().tolist()) == sorted(state[:, candidate].flatten().tolist())
    assert not torch.equal(shuffled, state)
    again = torch.stack([dealt(state, chance(seed))[:, 0, :, 0] for seed in range(2000)])
    where = [(again[:, e] == 0).any(dim=-1).double().mean().item() for e in range(5)]
    assert where == pytest.approx([0.2] * 5, abs=0.04)


@pytest.mark.parametrize("method", ["tsinf", "ts1", "ds", "mm"])
def test_noise_of_the_plant_is_sampled(method):
    """Pitfall 40: the variance of a random walk, whatever the method."""
    model = lambda o, a: (o, torch.full_like(o, 0.5))  # noqa: E731
    ends = last(model, method, 4, 400, 9, candidates=20)
    assert float(ends.var()) == pytest.approx(9 * 0.25, rel=0.1)


def test_moments_are_matched_within_a_network_or_over_all():
    rng = np.random.default_rng(0)
    mean, std = torch.from_numpy(rng.normal(size=(3, 2, 8, 1))), torch.from_numpy(rng.uniform(0.1, 1, (3, 2, 8, 1)))
    drawn = mean + std * torch.from_numpy(rng.normal(size=(40_000, *mean.shape)))
    for over in ((2,), (0, 2)):
        middle, spread = matched(mean, std, over)
        axes = (0, *(axis + 1 for axis in over))
        sampled = drawn.mean(dim=axes, keepdim=True)[0].expand_as(mean)
        torch.testing.assert_close(middle, sampled, atol=5e-3, rtol=0)
        torch.testing.assert_close(spread, drawn.std(dim=axes, keepdim=True)[0].expand_as(mean), atol=5e-3, rtol=0)
    ends = last(drifting(5, noise=0.1), "ds", 5, 2000, 4)
    np.testing.assert_allclose(ends.mean(dim=-1)[:, 0], 4 * np.arange(5), atol=0.1)
    ends = last(drifting(5, noise=0.1), "mm", 5, 2000, 1)
    np.testing.assert_allclose(ends.mean(dim=-1)[:, 0], 2, atol=0.3)
    assert float(ends.std()) == pytest.approx(np.sqrt(2 + 0.01), rel=0.05)


def test_expectation_follows_the_mean_of_all_networks():
    ends = last(drifting(5, noise=9.0), "e", 5, 20, 3)
    assert ends.shape == (5, 1, 1)
    assert bool((ends == 6).all())


@pytest.mark.parametrize("method", METHODS)
def test_returns_are_the_mean_over_particles_of_summed_rewards(method):
    """A deterministic plant known by all networks: any method gives its return, and so do candidates in parts."""
    model = lambda o, a: (o + a, None)  # noqa: E731
    reward = lambda o, a, n: (n - 1).squeeze(-1) + 2 * o[..., 0] - a[..., 0] ** 2  # noqa: E731
    actions = torch.randn(30, 6, 1, generator=chance())
    start = torch.randn(30, 1, generator=chance(1))
    wanted = []
    for state, plan in zip(start[:, 0].tolist(), actions[..., 0].tolist(), strict=True):
        total = 0.0
        for action in plan:
            total += (state + action - 1) + 2 * state - action**2
            state += action
        wanted.append(total)
    for together in (1, 70, 10_000):
        got = expected_returns(
            model,
            reward,
            start,
            actions,
            members=5,
            particles=10,
            method=method,
            generator=chance(),
            together=together,
        )
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)


def test_a_learned_reward_is_the_last_output():
    model = lambda o, a: (torch.cat([o + a, 3 * o], dim=-1), None)  # noqa: E731
    steps = list(
        imagine(
            model,
            None,
            torch.ones(1, 1),
            torch.ones(1, 3, 1),
            members=2,
            particles=4,
            method="tsinf",
            generator=chance(),
        )
    )
    assert [float(state[0, 0, 0, 0]) for state, _ in steps] == [2, 3, 4]
    assert [float(reward[0, 0, 0]) for _, reward in steps] == [3, 6, 9]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_particle_that_is_lost_costs_a_million(bad):
    """Pitfall 42: one particle in ten of one candidate, of networks that otherwise earn 1."""

    def model(observations, actions):
        following = observations + 1
        following[0, 3] = torch.where(actions[0, 3] > 0, bad, following[0, 3])
        return following, torch.zeros_like(following)

    got = expected_returns(
        model,
        lambda o, a, n: 0 * n[..., 0] + 1,
        torch.zeros(4, 1),
        torch.tensor([-1.0, -1, -1, 1]).view(4, 1, 1).expand(4, 1, 1),
        members=5,
        particles=5,
        method="tsinf",
        generator=chance(),
    )
    assert got.tolist() == pytest.approx([1, 1, 1, (WORST + 4) / 5])


def test_particles_are_shared_out_evenly():
    with pytest.raises(ValueError, match="multiple of the 5 networks, got 12"):
        last(drifting(5), "tsinf", 5, 12, 1)


def test_the_same_seed_gives_the_same_futures():
    one, two, three = (last(drifting(5, 0.3), "ts1", 5, 20, 4, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, three)
