"""The policy network: its shape against the paper's, masks, symmetries, learning, saving."""

from copy import deepcopy

import numpy as np
import pytest

from sakiyomi.boards import Go
from sakiyomi.boards.random import pick, seeds

torch = pytest.importorskip("torch")

from sakiyomi.agents.alphago import tower  # noqa: E402
from sakiyomi.agents.alphago.policy import (  # noqa: E402
    PolicyLearning,
    PolicyNet,
    accuracy,
    masked_softmax,
    probabilities,
)
from sakiyomi.agents.alphago.records import Batch, GameRecords  # noqa: E402
from sakiyomi.agents.parts.dual.learner import seeded  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def float32(monkeypatch):
    """Layers compute in float32 on every machine."""
    monkeypatch.setattr(tower, "computes_with_bfloat16", lambda: False)


def net_of(planes=4, size=5, seed=0, **settings):
    with seeded(seed):
        net = PolicyNet((planes, size, size), **{"filters": 8, "layers": 3} | settings)
        torch.nn.init.normal_(net.last.weight, std=0.5)  # a policy that says something
        torch.nn.init.normal_(net.bias, std=0.5)
    return net


def batch_of(n=64, size=5, planes=4, seed=0):
    """Positions of random games, and a legal move of each drawn at random."""
    game, rng = Go(size), np.random.default_rng(seed)
    moves, counters = np.zeros((n, 9), np.int16), seeds(rng, n)
    states = game.new(n)
    for ply in range(9):
        moves[:, ply] = pick(game.legal(states)[:, :-1], counters)
        game.play(states, moves[:, ply].astype(np.int64))
    records = GameRecords(
        game,
        moves.ravel(),
        np.arange(n + 1) * 9,
        np.arange(n * 9),
        np.zeros(n, np.uint8),
        np.zeros((n, size * size), np.uint8),
        np.full(n, 7.5, np.float32),
        rng.choice([-1, 1], n).astype(np.float32),
    )
    return records.batch(records.at(np.arange(n) * 9 + rng.integers(9, size=n)), planes)


@pytest.mark.parametrize(("planes", "filters", "layers", "size"), [(48, 192, 13, 19), (12, 64, 5, 9), (4, 7, 2, 3)])
def test_layers_and_parameters_are_the_papers(planes, filters, layers, size):
    net = PolicyNet((planes, size, size), filters=filters, layers=layers)
    convolutions = [module for module in net.modules() if isinstance(module, torch.nn.Conv2d)]
    assert [each.kernel_size[0] for each in convolutions] == [5] + [3] * (layers - 2) + [1]
    first = 25 * planes * filters + filters
    others = (layers - 2) * (9 * filters * filters + filters)
    assert sum(each.numel() for each in net.parameters()) == first + others + filters + size * size
    assert net(torch.zeros(2, planes, size, size)).shape == (2, size * size)
    assert PolicyNet(**net.settings()).settings() == net.settings()


def test_settings_that_make_no_net():
    with pytest.raises(ValueError, match="2 or more layers"):
        PolicyNet((4, 5, 5), layers=1)
    with pytest.raises(ValueError, match="planes must be"):
        PolicyNet((0, 5, 5))
    with pytest.raises(ValueError, match="optimizer"):
        PolicyLearning(net_of(), optimizer="lion")


def test_first_policy_is_near_uniform_and_has_gradients():
    with seeded(1):
        net = PolicyNet((48, 9, 9), filters=32, layers=13)
    logits = net(torch.from_numpy(batch_of(16, 9, 48).planes).float())
    assert 0 < logits.std() < 0.3
    torch.nn.functional.cross_entropy(logits, torch.zeros(16, dtype=torch.long)).backward()
    norms = [weight.grad.norm().item() for name, weight in net.named_parameters() if "weight" in name]
    assert min(norms) > 1e-4  # the signal neither dies nor explodes on its way through 13 layers
    assert max(norms) < 10


def test_masked_softmax():
    logits = np.array([[1.0, 2.0, 3.0], [1000.0, 0.0, 0.0], [5.0, 5.0, 5.0]], np.float32)
    allowed = np.array([[True, True, False], [False, True, True], [False, False, False]])
    expected = [[1 / (1 + np.e), np.e / (1 + np.e), 0], [0, 0.5, 0.5], [0, 0, 0]]
    np.testing.assert_allclose(masked_softmax(logits, allowed), expected, rtol=1e-6)


def test_probabilities_of_legal_moves_alone():
    net, batch = net_of(), batch_of()
    shares = probabilities(net, batch.planes, batch.legal)
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-5)
    assert (shares[~batch.legal] == 0).all()
    assert (shares[batch.legal] > 0).all()
    sharper = probabilities(net, batch.planes, batch.legal, temperature=0.5)
    squares = shares.astype(np.float64) ** 2
    np.testing.assert_allclose(sharper, squares / squares.sum(1, keepdims=True), rtol=0.03, atol=1e-5)
    assert probabilities(net, batch.planes[:0], batch.legal[:0]).shape == (0, 25)


@pytest.mark.parametrize("number", range(8))
def test_a_turned_net_answers_for_the_turned_board(float32, number):
    """Kernels and biases turned by a symmetry, shown the turned board: the turned policy, the same numbers."""
    net, batch, symmetry = net_of(), batch_of(), Go(5).symmetries()[number]
    turned = deepcopy(net)
    with torch.no_grad():
        for old, new in zip(net.modules(), turned.modules(), strict=True):
            if isinstance(old, torch.nn.Conv2d):
                new.weight.copy_(torch.from_numpy(symmetry.planes(old.weight.numpy()).copy()))
        turned.bias.copy_(torch.from_numpy(symmetry.planes(net.bias.numpy().reshape(5, 5)).ravel()))
    shares = probabilities(net, batch.planes, batch.legal)
    shown = np.ascontiguousarray(symmetry.planes(batch.planes))
    legal = symmetry.planes(batch.legal.reshape(-1, 5, 5)).reshape(-1, 25)
    found = probabilities(turned, shown, legal)
    np.testing.assert_allclose(found[:, symmetry.actions[:-1]], shares, rtol=1e-3, atol=1e-6)


def test_ensemble_is_the_mean_over_turned_boards(float32):
    net, batch = net_of(), batch_of()
    whole = probabilities(net, batch.planes, batch.legal, symmetries=8)
    total = np.zeros_like(whole)
    for symmetry in Go(5).symmetries():
        legal = symmetry.planes(batch.legal.reshape(-1, 5, 5)).reshape(-1, 25)
        found = probabilities(net, np.ascontiguousarray(symmetry.planes(batch.planes)), np.ascontiguousarray(legal))
        total += found[:, symmetry.actions[:-1]]
    np.testing.assert_allclose(whole, total / 8, rtol=1e-4, atol=1e-6)
    for symmetry in Go(5).symmetries():  # and does not change when the board is turned
        legal = symmetry.planes(batch.legal.reshape(-1, 5, 5)).reshape(-1, 25)
        shown = np.ascontiguousarray(symmetry.planes(batch.planes))
        found = probabilities(net, shown, np.ascontiguousarray(legal), symmetries=8)
        np.testing.assert_allclose(found[:, symmetry.actions[:-1]], whole, rtol=1e-3, atol=1e-6)
    with pytest.raises(ValueError, match="4 symmetries"):
        probabilities(net, np.zeros((1, 4, 5, 6), np.uint8), np.ones((1, 30), np.bool_), symmetries=8)


def test_accuracy_counts_likeliest_moves():
    net, batch = net_of(), batch_of()
    likeliest = probabilities(net, batch.planes, batch.legal).argmax(1)
    assert accuracy(net, batch._replace(moves=likeliest)) == 1
    wrong = likeliest.copy()
    wrong[:16] = (wrong[:16] + 1) % 25
    assert accuracy(net, batch._replace(moves=wrong)) == 48 / 64


def test_step_goes_down_the_cross_entropy(float32):
    """One step of plain SGD against autograd on a formula written out, without channels-last."""
    net, batch = net_of(), batch_of()
    own = deepcopy(net)
    logits = own(torch.from_numpy(batch.planes).float())
    logits = logits.masked_fill(~torch.from_numpy(batch.legal), -torch.inf)
    loss = -(logits.log_softmax(1)[torch.arange(64), torch.from_numpy(batch.moves)]).mean()
    loss.backward()
    figures = PolicyLearning(net, momentum=0.0).step(batch, rate=0.5)
    assert figures["loss/policy"] == pytest.approx(loss.item(), rel=1e-5)
    for found, before in zip(net.parameters(), own.parameters(), strict=True):
        step = before.grad
        assert (found.detach() - (before.detach() - 0.5 * step)).norm() < 1e-4 * step.norm() + 1e-6


def test_a_loss_that_is_none_stops():
    net, batch = net_of(), batch_of()
    learning = PolicyLearning(net)
    with torch.no_grad():
        net.bias[0] = torch.nan
    before = net.last.weight.detach().clone()
    with pytest.raises(ValueError, match="diverged"):
        learning.step(batch, 0.1)
    assert torch.equal(net.last.weight, before)


@pytest.mark.parametrize("planes", [4, 12, 20, 48])
def test_overfits_64_positions(planes):
    batch = batch_of(planes=planes)
    # a random move cannot be told in a position that another game shares
    shown = np.concatenate([batch.planes[:, :3].reshape(64, -1)], axis=1)
    _, firsts = np.unique(shown, axis=0, return_index=True)
    batch = Batch(*(column[firsts] for column in batch))
    with seeded(0):
        net = PolicyNet((planes, 5, 5), filters=32, layers=4)
    learning = PolicyLearning(net, optimizer="adam")
    for _ in range(200):
        figures = learning.step(batch, 3e-3)
        if figures["accuracy"] == 1:
            break
    assert len(firsts) > 50
    assert accuracy(net, batch) > 0.95


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_what_is_resumed_goes_on_bit_for_bit(tmp_path, optimizer):
    batches = [batch_of(16, seed=seed) for seed in range(6)]
    whole = PolicyLearning(net_of(), optimizer=optimizer)
    for batch in batches:
        whole.step(batch, 0.01)
    first = PolicyLearning(net_of(), optimizer=optimizer)
    for batch in batches[:3]:
        first.step(batch, 0.01)
    first.save(tmp_path / "policy")
    second = PolicyLearning(net_of(seed=9), optimizer=optimizer)
    second.load(tmp_path / "policy")
    for batch in batches[3:]:
        second.step(batch, 0.01)
    for name, weight in whole.net.state_dict().items():
        assert torch.equal(weight, second.net.state_dict()[name]), name
