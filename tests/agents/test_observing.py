"""What latent-state agents observe, and how they go down a loss: against NumPy, and by hand."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gymnasium.spaces import Box, Dict  # noqa: E402

from sakiyomi.agents.parts.latent.observing import (  # noqa: E402
    Standardiser,
    checked,
    enlarged,
    going_on,
    halved,
    shown_by,
    shrunk,
)
from sakiyomi.agents.parts.latent.open_loop import open_loop_errors  # noqa: E402
from sakiyomi.agents.parts.latent.rssm import RSSM  # noqa: E402
from sakiyomi.agents.parts.runs.descent import Descent  # noqa: E402
from sakiyomi.envs import make_task  # noqa: E402
from sakiyomi.envs.task import Task  # noqa: E402


def test_statistics_seen_bit_by_bit_are_those_of_all_rows():
    rows = np.random.default_rng(0).normal([1e6, -3, 5], [1e-1, 40, 0], (500, 3))
    standard = Standardiser(3)
    for part in np.split(rows, [3, 40, 41, 300]):
        standard.see(part)
    np.testing.assert_allclose(standard.mean, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(standard.std[:2], rows[:, :2].std(axis=0), rtol=1e-8)
    assert standard.std[2] == 1  # a constant
    out = standard(torch.from_numpy(rows))
    assert out.dtype == torch.float32
    np.testing.assert_allclose(out[:, :2].mean(dim=0), 0, atol=1e-5)
    np.testing.assert_allclose(out[:, :2].std(dim=0, correction=0), 1, rtol=1e-5)
    np.testing.assert_allclose(standard.undone(out), rows, rtol=1e-6)


def test_angles_are_seen_as_sine_and_cosine():
    rows = np.random.default_rng(0).normal([2, 0, 5, 1], [1, 4, 1, 9], (500, 4))
    standard = Standardiser(4, angles=(3, 1))
    standard.see(rows)
    out = standard(torch.from_numpy(rows))
    turned = np.stack(
        [rows[:, 0], rows[:, 2], *(np.sin(rows[:, i]) for i in (3, 1)), *(np.cos(rows[:, i]) for i in (3, 1))]
    )
    np.testing.assert_allclose(out.T, (turned.T - turned.mean(axis=1)).T / turned.std(axis=1)[:, None], atol=1e-5)
    back = standard.undone(out).numpy()
    np.testing.assert_allclose(back[:, [0, 2]], rows[:, [0, 2]], atol=1e-5)
    np.testing.assert_allclose(np.exp(1j * back[:, [1, 3]]), np.exp(1j * rows[:, [1, 3]]), atol=1e-5)
    assert np.abs(back[:, [1, 3]]).max() <= np.pi
    with pytest.raises(ValueError, match="angles must be from 0 to 3"):
        Standardiser(4, angles=(4,))


def test_angles_of_futures_go_on_from_what_is_observed():
    now, steps = np.array([1.0, 17.0]), np.cumsum(np.full((3, 6), 0.8) * [[1], [-1], [0]], axis=1)
    futures = np.stack([np.zeros((3, 6)), 17.0 + steps], axis=2)
    wrapped = futures.copy()
    wrapped[..., 1] = np.angle(np.exp(1j * futures[..., 1]))
    np.testing.assert_allclose(going_on(now, wrapped, [1]), futures, atol=1e-9)


def test_statistics_are_saved_with_the_weights():
    one, other = Standardiser(2), Standardiser(2)
    assert torch.equal(one(torch.ones(1, 2)), torch.ones(1, 2))  # nothing seen yet
    one.see(np.array([[1.0, 2.0], [3.0, 8.0]]))
    other.load_state_dict(one.state_dict())
    for each in (one, other):
        each.see(np.array([[4.0, 4.0]]))
    assert torch.equal(one.std, other.std)
    assert int(other.count) == 3


@pytest.mark.parametrize("units", [True, False])
def test_products_are_halved_where_it_is_faster(monkeypatch, units):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: units, raising=False)
    here, there = torch.device("cpu"), torch.device("cuda")
    assert halved("auto", here, pictures=True) == units
    assert not halved("auto", here, pictures=False)
    assert halved("auto", there, pictures=False)
    for device in (here, there):
        assert halved("bfloat16", device, pictures=False)
        assert not halved("float32", device, pictures=True)


def test_shrinking_averages_squares():
    pictures = np.random.default_rng(0).integers(256, size=(2, 3, 6, 8, 3), dtype=np.uint8)
    small = shrunk(torch.from_numpy(pictures), 2)
    expected = pictures.reshape(2, 3, 3, 2, 4, 2, 3).mean(axis=(3, 5)).round()
    assert (small.numpy() == expected).all()
    large = enlarged(small.numpy(), 2)
    assert large.shape == pictures.shape
    assert (large[..., 4:6, 2:4, :] == small.numpy()[..., 2:3, 1:2, :]).all()
    with pytest.raises(ValueError, match="6x8 cannot be made 4 times smaller"):
        shrunk(torch.from_numpy(pictures), 4)


def test_what_tasks_show():
    assert shown_by(make_task("pendulum")) == ((2,), np.float32)
    assert shown_by(make_task("pendulum@pixels")) == ((64, 64, 3), np.uint8)
    for space in (Dict(), Box(0, 1, (3, 3), np.float32), Box(0, 255, (4,), np.uint8)):
        with pytest.raises(ValueError, match="wanted are pictures of uint8 or vectors"):
            shown_by(Task("other", space, Box(-1, 1, (1,)), None, (0, 1), lambda: None))


def test_observations_are_checked():
    assert checked(np.zeros((2, 3)), (3,)).dtype == np.float32
    assert checked(np.zeros((2, 4, 4, 3), np.uint8), (4, 4, 3)).dtype == np.uint8
    with pytest.raises(ValueError, match=r"observations must be \[B, 3\], got \[2, 4\]"):
        checked(np.zeros((2, 4)), (3,))
    with pytest.raises(ValueError, match=r"observation\[1, 2\] is inf"):
        checked(np.array([[0, 0, 0], [0, 0, np.inf]]), (3,))


def layer(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Linear(3, 2)


def test_gradients_are_cut_to_a_norm_and_the_norm_is_told():
    """With plain Adam's first step, which hides the size of a gradient, taken apart."""
    module = layer()
    descent = Descent(module, rate=0.1, epsilon=1e-8, clip=0.5)
    terms = {"a": 3 * module.weight.sum(), "b": 4 * module.bias.sum()}
    figures = descent.step(terms, "update 1")
    expected = (6 * 9 + 2 * 16) ** 0.5
    assert figures["gradient"] == pytest.approx(expected)
    assert figures["a"] == pytest.approx(terms["a"].item())
    norm = torch.cat([each.grad.flatten() for each in module.parameters()]).norm()
    assert norm.item() == pytest.approx(0.5, rel=1e-4)


def test_decay_is_a_part_of_the_weights_whatever_the_rate():
    for rate in (1e-3, 1e-1):
        module = layer()
        before = module.weight.detach().clone()
        Descent(module, rate=rate, epsilon=1e-8, clip=1.0, decay=1e-2).step({"none": 0 * module.weight.sum()}, "here")
        torch.testing.assert_close(module.weight.detach(), before * (1 - 1e-2))


def test_descent_goes_on_bit_for_bit_and_stops_at_numbers_that_are_none(tmp_path):
    inputs = torch.randn(20, 5, 3, generator=torch.Generator().manual_seed(0))

    def go_on(descent, part):
        for x in part:
            descent.step({"square": descent.module(x).square().mean()}, "update")

    straight, stopped, resumed = (Descent(layer(seed), rate=0.01, epsilon=1e-5, clip=1.0) for seed in (0, 0, 1))
    go_on(straight, inputs)
    go_on(stopped, inputs[:10])
    stopped.save(tmp_path / "model")
    resumed.load(tmp_path / "model")
    go_on(resumed, inputs[10:])
    assert torch.equal(straight.module.weight, resumed.module.weight)
    with pytest.raises(ValueError, match="update 3: loss is nan, learning has diverged"):
        resumed.step({"fine": resumed.module.weight.sum(), "loss": resumed.module.weight.sum() * np.nan}, "update 3")
    with pytest.raises(ValueError, match=r"gradient is (nan|inf)"):
        resumed.step({"root": (resumed.module.weight - resumed.module.weight).sum().sqrt()}, "update 4")
    assert torch.equal(straight.module.weight, resumed.module.weight)


def test_open_loop_errors_are_those_of_a_loop():
    rssm = RSSM(2, 4, deter=5, hidden=6, stoch=3)
    decoder, reward = torch.nn.Linear(8, 4), lambda features: features.sum(dim=-1)
    generator = torch.Generator().manual_seed(0)
    seen, rewards, actions = (torch.randn(shape, generator=generator) for shape in ((9, 4), (9,), (9, 2)))
    is_first = torch.arange(9)[None] == 0
    posteriors = rssm.observe(seen[None], actions[None], is_first, noise=generator)[0][0]
    noise = rssm.noise(3, 6, generator=generator)
    with torch.no_grad():
        found = open_loop_errors(rssm, decoder, reward, seen, rewards, posteriors, actions, horizon=3, generator=noise)
        misses, sums = {1: [], 3: []}, []
        for t in range(6):
            path = rssm.imagine(posteriors[t : t + 1], actions[t + 1 : t + 4, None], noise=noise[:, t : t + 1])
            for h in misses:
                misses[h].append((decoder(path.features[h - 1, 0]) - seen[t + h]).square().mean().item())
            sums.append((rewards[t + 1 : t + 4].sum().item(), path.features.sum().item()))
    variance = seen.var(dim=0, correction=0).mean().item()
    for h, each in misses.items():
        assert found[f"model/error {h} ahead"] == pytest.approx(np.mean(each) / variance, rel=1e-5)
    assert found["model/reward correlation 3 ahead"] == pytest.approx(np.corrcoef(np.array(sums).T)[0, 1], rel=1e-4)
    few = (seen[:4], rewards[:4], posteriors[:4], actions[:4])
    assert open_loop_errors(rssm, decoder, reward, *few, horizon=3, generator=generator) == {}
