"""Ensembles of networks: the loss by hand, what they learn of noise, bootstraps, inputs of any size, bfloat16."""

from math import log, sqrt

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.pets.ensemble import Ensemble  # noqa: E402
from sakiyomi.agents.parts.pets.learning import bootstrap, differentiate, fit, loss_of, optimiser_of  # noqa: E402


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def ensemble(inputs=1, outputs=1, members=5, hidden=(32, 32), **others):
    return Ensemble(inputs, outputs, members=members, hidden=hidden, generator=chance(), **others)


def learned(net, inputs, targets, epochs=50, rate=3e-3, decay=1e-5, seed=1, batch=32):
    optimiser = optimiser_of(net, rate, [decay] * len(net.weights))
    history = fit(net, optimiser, inputs, targets, epochs=epochs, batch=batch, generator=chance(seed))
    return optimiser, history


def by_hand(net, member, x):
    """One member for rows [N, I], in NumPy's float64, layer by layer."""
    x = (x - net.mean.numpy()) / net.std.numpy()
    for layer, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
        x = x / (1 + np.exp(-x)) if layer else x
        x = x @ weight[member].detach().double().numpy() + bias[member].detach().double().numpy()
    return x


def soft(x):
    return np.log1p(np.exp(x))


def test_each_member_is_a_network_of_its_own():
    net = ensemble(3, 2, members=4, hidden=(16, 8))
    rows = torch.randn(10, 3, dtype=torch.float64, generator=chance())
    net.standardise(rows)
    mean, log_variance = net(rows)
    assert mean.shape == log_variance.shape == (4, 10, 2)
    for member in range(4):
        raw = by_hand(net, member, rows.numpy())
        bounded = 0.5 - soft(0.5 - raw[:, 2:])
        bounded = -10 + soft(bounded + 10)
        np.testing.assert_allclose(mean[member].detach(), raw[:, :2], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(log_variance[member].detach(), bounded, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(mean[0], mean[1])


def test_the_loss_is_the_papers_to_the_last_digit():
    """Pitfall 37: means over rows and outputs, sums over members; 0.01 times the bounds' distance; no half."""
    net = ensemble(1, 2, members=2, hidden=())
    with torch.no_grad():
        net.weights[0].zero_()
        net.biases[0][:] = torch.tensor([[[1.0, 2.0, -1.0, -2.0]], [[0.0, 0.0, 0.0, 0.0]]])
    inputs, targets = torch.zeros(2, 3, 1), torch.tensor([0.5, 1.0]).expand(2, 3, 2)

    def bounded(raw):
        upper = 0.5 - log(1 + np.exp(0.5 - raw))
        return -10 + log(1 + np.exp(upper + 10))

    errors = ((0.25, -1.0), (1.0, -2.0)), ((0.25, 0.0), (1.0, 0.0))  # (m - y)^2 and the raw logarithm of variance
    wanted = sum(np.mean([e * np.exp(-bounded(v)) + bounded(v) for e, v in member]) for member in errors)
    wanted += 0.01 * 2 * (0.5 + 10)
    assert loss_of(net, inputs, targets).item() == pytest.approx(wanted, rel=1e-6)


def test_deterministic_loss_is_the_mean_square():
    net = ensemble(1, 2, members=3, hidden=(), deterministic=True)
    with torch.no_grad():
        net.weights[0].zero_()
    assert loss_of(net, torch.zeros(3, 4, 1), torch.full((3, 4, 2), 2.0)).item() == pytest.approx(3 * 4.0)
    assert net(torch.zeros(4, 1))[1] is None
    assert net.predictor()(torch.zeros(3, 4, 1))[1] is None


@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("hidden", [(), (7, 5)])
def test_the_gradient_is_autograds(deterministic, hidden):
    """Twice, as the second time goes into the memory of the first."""
    net = ensemble(3, 2, members=4, hidden=hidden, deterministic=deterministic)
    for seed in (1, 2):
        inputs, targets = (torch.randn(4, 6, size, generator=chance(seed)) for size in (3, 2))
        wanted = loss_of(net, inputs, targets)
        bounds = [] if deterministic else [net.highest, net.lowest]
        parameters = [*net.weights, *net.biases, *bounds]
        gradients = torch.autograd.grad(wanted, parameters)
        torch.testing.assert_close(differentiate(net, inputs, targets), wanted.detach())
        for parameter, gradient in zip(parameters, gradients, strict=True):
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-6)


def test_a_parameter_may_be_moved_once_its_gradient_is_known():
    """What moves them at once and what moves them in the end lead to the same bits; each is told of once."""
    nets = [ensemble(3, 2, hidden=(7, 5)) for _ in range(2)]
    inputs, targets = (torch.randn(5, 6, size, generator=chance()) for size in (3, 2))
    one, two = (optimiser_of(net, 1e-2, (0.1, 0.2, 0.3)) for net in nets)
    told = []
    for _ in range(3):
        losses = differentiate(nets[0], inputs, targets, lambda p: (told.append(p), one.move(p)))
        torch.testing.assert_close(losses, differentiate(nets[1], inputs, targets), rtol=0, atol=0)
        two.step()
    for moved, waited in zip(*(net.parameters() for net in nets), strict=True):
        assert sum(each is moved for each in told) == 3
        assert torch.equal(moved, waited)


def test_decay_is_that_of_half_the_squared_weights():
    net = ensemble(2, 1, members=2, hidden=(4,))
    optimiser = torch.optim.SGD(
        [{k: v for k, v in group.items() if k in ("params", "weight_decay")} for group in groups_of(net, (0.3, 0.7))],
        lr=1.0,
    )
    inputs, targets = torch.randn(2, 5, 2, generator=chance()), torch.randn(2, 5, 1, generator=chance())
    loss = loss_of(net, inputs, targets)
    loss = loss + 0.15 * (net.weights[0] ** 2).sum() + 0.35 * (net.weights[1] ** 2).sum()
    wanted = torch.autograd.grad(loss, list(net.weights))
    before = [weight.detach().clone() for weight in net.weights]
    loss_of(net, inputs, targets).backward()
    optimiser.step()
    for weight, old, gradient in zip(net.weights, before, wanted, strict=True):
        torch.testing.assert_close(old - weight, gradient, rtol=1e-4, atol=1e-6)


def groups_of(net, decays):
    return optimiser_of(net, 1e-3, decays).param_groups


def test_learns_noise_that_depends_on_the_input_and_knows_its_limits():
    """Pitfall 36: the deviation of heteroscedastic data, and variances under their bound where there is no data."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (1000, 1))
    deviation = 0.1 + 0.2 * (x + 1)
    y = np.sin(3 * x) + deviation * rng.normal(size=x.shape)
    net = ensemble()
    _, history = learned(net, torch.from_numpy(x), torch.from_numpy(y), epochs=80, batch=100)
    assert history[-1] < history[0]
    net.requires_grad_(False)
    at = torch.linspace(-0.9, 0.9, 19, dtype=torch.float64)[:, None]
    mean, log_variance = net(at)
    truth = 0.1 + 0.2 * (at[:, 0] + 1)
    spread = (0.5 * log_variance).exp().mean(dim=0)[:, 0]
    assert float((spread / truth - 1).abs().mean()) < 0.1
    assert float((mean.mean(dim=0) - torch.sin(3 * at)).abs().max()) < 0.1
    far = net(torch.tensor([[-100.0], [100.0], [1e6]]))[1]
    assert bool(torch.isfinite(far).all())
    assert bool((far <= net.highest + 0.01).all())
    assert float(net.highest.detach()) < 0.5  # the loss draws bounds together where nothing asks for more


def test_bounds_that_are_not_learned_stay():
    net = ensemble(learned_bounds=False)
    x = torch.randn(50, 1, dtype=torch.float64, generator=chance())
    learned(net, x, x, epochs=3)
    assert float(net.highest) == 0.5
    assert float(net.lowest) == -10


def test_members_learn_from_rows_of_their_own_that_change_from_call_to_call():
    """Pitfall 38."""
    one, two = bootstrap(10_000, 5, chance(0)), bootstrap(10_000, 5, chance(1))
    for drawn in (*one, *two):
        assert len(drawn.unique()) / 10_000 == pytest.approx(1 - np.exp(-1), abs=0.01)
    assert not torch.equal(one[0], one[1])
    assert not torch.equal(one, two)


def test_rows_are_drawn_once_in_a_call_and_all_used_in_each_epoch(monkeypatch):
    from sakiyomi.agents.parts.pets import learning as module

    seen = []

    def noted(net, inputs, targets, known):
        seen.append(targets[..., 0].clone())
        return differentiate(net, inputs, targets, known)

    monkeypatch.setattr(module, "differentiate", noted)
    net, rows = ensemble(members=3), torch.arange(10, dtype=torch.float64)[:, None]
    fit(net, optimiser_of(net, 1e-3, [0, 0, 0]), rows, rows, epochs=2, batch=4, generator=chance())
    first, second = torch.cat(seen[:3], dim=1), torch.cat(seen[3:], dim=1)
    assert first.shape == (3, 10)
    assert not torch.equal(first, second)
    assert torch.equal(first.sort(dim=1).values, second.sort(dim=1).values)


def test_constant_and_tiny_inputs_are_standardised_in_float64():
    """Pitfall 35: a constant column is divided by 1; a large mean does not swallow a small spread."""
    rows = torch.randn(100, 3, dtype=torch.float64, generator=chance())
    rows[:, 1] = 7.0
    rows[:, 2] = 1e6 + 1e-3 * rows[:, 2]
    net = ensemble(3, 1)
    net.standardise(rows)
    assert net.std[1] == 1
    shown = net.standardised(rows)
    assert float(shown[:, 1].abs().max()) == 0
    torch.testing.assert_close(shown[:, 2].std(correction=0), torch.tensor(1.0), rtol=1e-4, atol=0)
    learned(net, rows, rows[:, :1], epochs=2)
    assert bool(torch.isfinite(net(rows)[0]).all())


@pytest.mark.parametrize("rows", [torch.zeros(1, 2), torch.ones(30, 2)], ids=["one", "duplicates"])
def test_one_row_and_rows_all_alike(rows):
    net = ensemble(2, 1)
    _, history = learned(net, rows, torch.full((len(rows), 1), 0.3), epochs=100)
    mean, log_variance = net(rows)
    assert np.isfinite(history).all()
    assert bool(torch.isfinite(log_variance).all())
    torch.testing.assert_close(mean[:, 0], torch.full((5, 1), 0.3), atol=0.05, rtol=0)


def test_refuses_what_it_cannot_learn_from():
    net = ensemble(2, 1)
    optimiser = optimiser_of(net, 1e-3, [0, 0, 0])
    good, bad = torch.zeros(4, 2), torch.tensor([[0.0, np.nan]] * 4)
    for inputs, wanted, said in (
        (bad, good[:, :1], "inputs to learn from hold 4"),
        (good, bad[:, 1:], "targets to learn from hold 4"),
        (good[:0], good[:0, :1], "1 row or more"),
        (good, good[:2, :1], "a target for each"),
    ):
        with pytest.raises(ValueError, match=said):
            fit(net, optimiser, inputs, wanted, epochs=1, batch=2, generator=chance())
    with pytest.raises(ValueError, match="3 layers of weights need as many decays, got 1"):
        optimiser_of(net, 1e-3, [0.0])


def test_learning_goes_on_where_it_was():
    """Warm start of weights and optimiser; the same seed gives the same bits."""
    rows = torch.randn(60, 1, dtype=torch.float64, generator=chance())
    nets = [ensemble(), ensemble()]
    for net in nets:
        optimiser, first = learned(net, rows, rows.sin(), epochs=20)
        steps = float(next(iter(optimiser.state.values()))["step"])
        second = fit(net, optimiser, rows, rows.sin(), epochs=5, batch=32, generator=chance(2))
        assert next(iter(optimiser.state.values()))["step"] == steps + 10
        assert second[0] < first[2]
    for one, two in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.equal(one, two)


def test_predictor_is_the_network_in_float32_and_nearly_so_in_bfloat16():
    net = ensemble(4, 3, hidden=(64, 64, 64))
    rows = 5 + 3 * torch.randn(200, 4, generator=chance())
    net.standardise(rows)
    with torch.no_grad():
        mean, log_variance = net(rows)
    given = rows.expand(5, -1, -1)
    exact, spread = net.predictor()(given)
    torch.testing.assert_close(exact, mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(spread, (0.5 * log_variance).exp(), rtol=1e-4, atol=1e-5)
    rough, rough_spread = net.predictor(torch.bfloat16)(given)
    assert rough.dtype == torch.float32
    assert float((rough - exact).std() / exact.std()) < 0.02
    assert float((rough_spread / spread - 1).abs().max()) < 0.02


def test_predictor_does_not_change_when_the_network_learns():
    net, rows = ensemble(), torch.randn(40, 1, dtype=torch.float64, generator=chance())
    predict = net.predictor(torch.bfloat16), net.predictor()
    given = torch.ones(5, 2, 1)
    before = [each(given)[0].clone() for each in predict]
    learned(net, rows, rows, epochs=3)
    assert torch.equal(before[0], predict[0](given)[0])
    assert torch.equal(before[1], predict[1](given)[0])


def test_weights_begin_as_truncated_normals():
    net = ensemble(100, 50, hidden=(100,))
    std = 0.5 / sqrt(100)
    first = net.weights[0].detach()
    assert float(first.abs().max()) <= 2 * std
    assert float(first.std()) == pytest.approx(0.88 * std, rel=0.02)  # cut at two deviations
    assert all(bool((bias == 0).all()) for bias in net.biases)
