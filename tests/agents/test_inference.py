"""Every runtime gives what the network itself gives, for any number of positions and from any thread."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.dual import inference  # noqa: E402
from sakiyomi.agents.parts.dual.inference import make_evaluator  # noqa: E402
from sakiyomi.agents.parts.dual.nets import DualNet  # noqa: E402
from sakiyomi.boards.connect4 import ConnectFour  # noqa: E402

EXACT = ["torch", "openvino"]
ALL = [*EXACT, "openvino-bf16", "openvino-int8"]


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors gain nothing by a second core, and lose much where it is taken."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def positions(n, seed=0):
    """Observations float32 [n, 2, 6, 7] of Connect Four after up to 20 random moves."""
    game, rng = ConnectFour(), np.random.default_rng(seed)
    states = game.new(n)
    lengths = rng.integers(0, 21, n)
    for ply in range(20):
        on = np.flatnonzero((lengths > ply) & (game.ending(states) == 0))
        moving = states[on]
        legal = game.legal(moving)
        game.play(moving, np.where(legal, rng.random(legal.shape), -1).argmax(1))
        states[on] = moving
    return np.float32(game.observe(states))


def expected(net, observations):
    with torch.inference_mode():
        return [output.numpy() for output in net.eval()(torch.from_numpy(observations))]


@pytest.fixture(scope="module")
def trained():
    """A net that has learned which column is fullest and who has more discs in the middle, and so is not near zero."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    net = DualNet((2, 6, 7), 7, blocks=2, channels=16, hidden=32, pooling=True)
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    observations = torch.from_numpy(positions(1024))
    fullest = observations.sum((1, 2)).argmax(1)
    middle = torch.tanh(observations[:, 0, :, 2:5].sum((1, 2)) - observations[:, 1, :, 2:5].sum((1, 2)))
    for _ in range(50):
        rows = torch.randint(1024, (64,))
        logits, values = net(observations[rows])
        loss = torch.nn.functional.cross_entropy(logits, fullest[rows]) + (values - middle[rows]).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return net


def evaluator(net, runtime, **settings):
    if runtime.startswith("openvino"):
        pytest.importorskip("openvino")
    return make_evaluator(net, runtime, device="cpu", calibration=positions(300, seed=9), **settings)


@pytest.mark.parametrize("policy", ["linear", "planes"])
@pytest.mark.parametrize("pooling", [False, True])
@pytest.mark.parametrize("runtime", EXACT)
def test_every_kind_of_net_is_computed_exactly(runtime, pooling, policy):
    torch.manual_seed(1)
    net = DualNet((3, 4, 5), 40, blocks=2, channels=8, policy=policy, pooling=pooling, ownership=True, reply=True)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
        net(torch.rand(200, 3, 4, 5))  # statistics of its own for every normalisation
    observations = np.random.default_rng(2).random((9, 3, 4, 5), np.float32)
    found = evaluator(net, runtime)(observations)
    for ours, theirs in zip(found, expected(net, observations), strict=True):
        assert ours.dtype == np.float32
        assert theirs.std() > 0.01
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("runtime", ALL)
def test_any_number_of_positions(trained, runtime):
    evaluate, observations = evaluator(trained, runtime, batch=16), positions(50, seed=3)
    logits, values = evaluate(observations)
    assert logits.shape == (50, 7)
    assert values.shape == (50,)
    for n in (0, 1, 15, 16, 17, 33):
        some = evaluate(observations[:n])
        np.testing.assert_allclose(some[0], logits[:n], rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(some[1], values[:n], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("runtime", "divergence", "error"), [("openvino-bf16", 1e-3, 0.02), ("openvino-int8", 4e-3, 0.06)]
)
def test_rounding_costs_little(trained, runtime, divergence, error):
    """Mean Kullback-Leibler divergence of the policies and root mean square error of the values, on new positions."""
    observations = positions(400, seed=5)
    logits, values = evaluator(trained, runtime)(observations)
    exact_logits, exact_values = expected(trained, observations)
    exact, ours = torch.from_numpy(exact_logits).log_softmax(1), torch.from_numpy(logits).log_softmax(1)
    assert exact.exp().amax(1).mean() > 0.4  # no uniform policy, which any rounding would leave alone
    assert exact_values.std() > 0.3
    assert (exact.exp() * (exact - ours)).sum(1).mean() < divergence
    assert np.sqrt(np.square(values - exact_values).mean()) < error


def test_int8_is_another_computation(trained):
    observations = positions(100, seed=5)
    rounded, _ = evaluator(trained, "openvino-int8")(observations)
    assert np.abs(rounded - expected(trained, observations)[0]).max() > 1e-4


@pytest.mark.parametrize("runtime", ALL)
def test_threads_share_an_evaluator(trained, runtime):
    evaluate = evaluator(trained, runtime, batch=8)
    inputs = [positions(5 + i, seed=i) for i in range(12)]
    alone = [evaluate(observations) for observations in inputs]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(evaluate, inputs * 3))
    for ours, theirs in zip(together, alone * 3, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("runtime", ALL)
def test_answers_are_the_callers_own_and_inputs_stay(trained, runtime):
    evaluate, observations = evaluator(trained, runtime), positions(4, seed=1)
    before = observations.copy()
    first = evaluate(observations)
    kept = [output.copy() for output in first]
    evaluate(positions(4, seed=2))
    np.testing.assert_array_equal(first[0], kept[0])
    np.testing.assert_array_equal(first[1], kept[1])
    np.testing.assert_array_equal(observations, before)


@pytest.mark.parametrize("runtime", EXACT)
def test_arrays_of_any_layout(trained, runtime):
    evaluate, observations = evaluator(trained, runtime), positions(12, seed=1)
    logits, _ = evaluate(observations)
    observations.flags.writeable = False
    for layout in (observations, np.asfortranarray(observations), observations.astype(np.uint8)):
        np.testing.assert_array_equal(evaluate(layout)[0], logits)
    np.testing.assert_allclose(evaluate(observations[::2])[0], logits[::2], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("runtime", EXACT)
def test_training_goes_on_without_the_evaluator(runtime):
    net = DualNet((2, 6, 7), 7, blocks=1, channels=8).train()
    evaluate, observations = evaluator(net, runtime), positions(6)
    before, _ = evaluate(observations)
    assert net.training
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(1)
    np.testing.assert_array_equal(evaluate(observations)[0], before)


def test_the_number_of_threads_of_torch_is_put_back(trained):
    torch.set_num_threads(1)
    evaluator(trained, "torch", threads=2)(positions(2))
    assert torch.get_num_threads() == 1


def test_auto_is_nearly_exact(trained):
    observations = positions(3)
    if not torch.cuda.is_available():
        chosen = make_evaluator(trained, "auto") if _has_openvino() else evaluator(trained, "torch")
        assert chosen.runtime == ("openvino-bf16" if _has_openvino() else "torch")
        np.testing.assert_allclose(chosen(observations)[0], expected(trained, observations)[0], atol=0.1)


def test_auto_without_openvino_computes_and_says_how_to_be_faster(trained, monkeypatch):
    monkeypatch.setattr(inference, "find_spec", lambda name: None)
    with pytest.warns(UserWarning, match=r"pip install \"sakiyomi\[cpu\]\""):
        evaluate = make_evaluator(trained, device="cpu")
    assert evaluate.runtime == "torch"


def test_openvino_that_is_not_installed_is_named(trained, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "sakiyomi.agents.parts.dual.inference_openvino", raising=False)
    monkeypatch.delattr("sakiyomi.agents.parts.dual.inference_openvino", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install \"sakiyomi\[cpu\]\""):
        make_evaluator(trained, "openvino", device="cpu")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"runtime": "onnx"}, "runtime must be one of auto, torch"),
        ({"runtime": "openvino", "device": "cuda"}, "computes on the CPU"),
        ({"runtime": "openvino-int8"}, "calibration"),
        ({"runtime": "cuda-graphs", "device": "cpu"}, "needs a GPU"),
        ({"batch": 0}, "1 or more"),
        ({"threads": 0}, "1 or more"),
    ],
)
def test_settings_that_do_not_go_together(trained, settings, says):
    with pytest.raises(ValueError, match=says):
        make_evaluator(trained, **settings)


def test_observations_of_another_game(trained):
    with pytest.raises(ValueError, match=r"\(2, 6, 7\).*\(3, 17, 9, 9\)"):
        evaluator(trained, "torch")(np.zeros((3, 17, 9, 9), np.float32))


def test_a_layer_that_cannot_be_translated_is_named():
    pytest.importorskip("openvino")
    from sakiyomi.agents.parts.dual.inference_graph import as_model

    with pytest.raises(ValueError, match="GELU"):
        as_model(torch.nn.Sequential(torch.nn.Conv2d(2, 3, 1), torch.nn.GELU()), (2, 5, 5))
    with pytest.raises(ValueError, match="sigmoid"):
        as_model(Sigmoid(), (2, 5, 5))


class Sigmoid(torch.nn.Module):
    def forward(self, x):
        return torch.sigmoid(x)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("runtime", ["torch", "cuda-graphs"])
def test_a_gpu_gives_the_same(trained, runtime):
    evaluate, inputs = (
        make_evaluator(trained, runtime, batch=64, device="cuda"),
        [positions(n) for n in (1, 5, 64, 150)],
    )
    with ThreadPoolExecutor(2) as pool:
        for observations, found in zip(inputs * 3, pool.map(evaluate, inputs * 3), strict=True):
            for ours, theirs in zip(found, expected(trained, observations), strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=0.02, atol=0.02)


def _has_openvino():
    return inference.find_spec("openvino") is not None
