"""Learning of dual nets: losses and updates against NumPy and hand-made ones, saving, overfitting."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from sakiyomi.agents.parts.selfplay.replay import Samples
from sakiyomi.boards import Go, TicTacToe

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.dual.inference import make_evaluator  # noqa: E402
from sakiyomi.agents.parts.dual.learner import Learner, seeded  # noqa: E402
from sakiyomi.agents.parts.dual.nets import DualNet  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def net_of(game, seed=0, **settings):
    with seeded(seed):
        net = DualNet(game.planes, game.num_actions, **{"blocks": 1, "channels": 8, "hidden": 8} | settings)
        with torch.no_grad():  # heads that say something
            for last in (net.policy.last, net.value.last):
                torch.nn.init.normal_(last.weight, std=0.3)
    return net


def samples_of(game, n, seed=0):
    """Random positions with random targets on their legal moves."""
    rng, states = np.random.default_rng(seed), game.new(n)
    for ply in range(4):
        rows = np.arange(ply, n)
        some = states[rows]
        moves = np.where(game.legal(some), rng.random((len(rows), game.num_actions)), -1).argmax(1)
        game.play(some, moves.astype(np.int32))
        states[rows] = some
    legal = game.legal(states)
    policies = rng.exponential(size=legal.shape) * legal
    replies = rng.exponential(size=legal.shape)
    replies[::3] = 0
    replies /= np.maximum(replies.sum(1, keepdims=True), 1e-9)
    return Samples(
        observations=game.observe(states),
        legal=legal,
        policies=(policies / policies.sum(1, keepdims=True)).astype(np.float32),
        values=rng.uniform(-1, 1, n).astype(np.float32),
        outcomes=rng.choice([-1, 0, 1], n).astype(np.float32),
        games=np.arange(n),
        plies=states["ply"].astype(np.int32),
        replies=replies.astype(np.float32),
        ownership=rng.choice([-1, 0, 1], (n, *game.planes[1:])).astype(np.float32),
        finished=rng.random(n) < 0.5,
    )


def log_softmax(logits):
    shifted = logits - logits.max()
    return shifted - np.log(np.exp(shifted).sum())


def outputs(net, samples):
    """What the net computes while it trains, in NumPy."""
    copy = deepcopy(net).train()
    with torch.no_grad():
        out = copy.forward_all(torch.from_numpy(samples.observations))
    return [None if each is None else each.double().numpy() for each in out]


def test_losses_are_the_papers_formulas():
    game, n = Go(size=4), 12
    net, samples = net_of(game, ownership=True, reply=True), samples_of(game, n)
    learner = Learner(net, value_weight=1.5, value_part=0.25, ownership=0.3, reply=0.2)
    logits, values, ownership, reply = outputs(net, samples)
    net.train()
    losses = {name: loss.item() for name, loss in learner.losses(samples).items()}
    policy = value = owners = replies = 0.0
    for i in range(n):
        legal = np.flatnonzero(samples.legal[i])
        policy -= samples.policies[i, legal] @ log_softmax(logits[i, legal])
        value += (0.75 * samples.outcomes[i] + 0.25 * samples.values[i] - values[i]) ** 2
        replies -= samples.replies[i] @ log_softmax(reply[i])
        if samples.finished[i]:
            owners += ((samples.ownership[i] - ownership[i]) ** 2).mean()
    wanted = {"policy": policy, "value": 1.5 * value, "ownership": 0.3 * owners, "reply": 0.2 * replies}
    assert losses == pytest.approx({name: loss / n for name, loss in wanted.items()}, rel=1e-4)


def test_heads_without_weight_are_left_out_and_need_no_targets():
    game = Go(size=4)
    samples = replace(samples_of(game, 4), replies=None, ownership=None, finished=None)
    learner = Learner(net_of(game))
    assert learner.needs == {"ownership": False, "replies": False}
    assert set(learner.losses(samples)) == {"policy", "value"}
    assert Learner(net_of(game, reply=True, ownership=True), ownership=1, reply=1).needs == {
        "ownership": True,
        "replies": True,
    }


def gradients(net, samples, decay=0.0):
    """Of the loss with ``decay / 2 |theta|^2`` added, by name."""
    copy = deepcopy(net).train()
    loss = sum(Learner(copy).losses(samples).values())
    loss = loss + decay / 2 * sum((weight**2).sum() for weight in copy.parameters())
    loss.backward()
    return {name: weight.grad.clone() for name, weight in copy.named_parameters()}


def test_weights_of_illegal_moves_get_no_gradient():
    game = TicTacToe()
    samples = samples_of(game, 8)
    net = net_of(game)
    samples.legal[:, 3], samples.policies[:, 3] = False, 0
    grads = gradients(net, samples)["policy.last.weight"]
    assert (grads[3] == 0).all()
    assert (grads[4] != 0).any()


def test_decay_of_sgd_is_the_gradient_of_half_of_it_times_the_squared_weights():
    game = TicTacToe()
    net, samples = net_of(game), samples_of(game, 16)
    learner = Learner(net, optimizer="sgd", rate=1.0, momentum=0.9, decay=0.05)
    learner.half = False
    velocity = {name: torch.zeros_like(weight) for name, weight in net.named_parameters()}
    wanted = {name: weight.detach().clone() for name, weight in net.named_parameters()}
    for rate in (0.1, 0.1, 0.02):
        for name, grad in gradients(net, samples, decay=0.05).items():
            velocity[name] = 0.9 * velocity[name] + grad
            wanted[name] = wanted[name] - rate * velocity[name]
        learner.step(samples, rate)
        for name, weight in net.named_parameters():
            assert torch.allclose(weight, wanted[name], atol=1e-6), name


def test_layers_in_bfloat16_move_the_weights_nearly_the_same_way():
    game = TicTacToe()
    samples, moved = samples_of(game, 64), []
    for half in (False, True):
        net = net_of(game)
        before = torch.cat([weight.detach().flatten().clone() for weight in net.parameters()])
        learner = Learner(net, optimizer="sgd", momentum=0.0, decay=0.0)
        learner.half = half
        losses = learner.step(samples, 0.1)
        assert all(weight.dtype == torch.float32 for weight in net.parameters())
        moved.append((torch.cat([weight.detach().flatten() for weight in net.parameters()]) - before, losses))
    (one, exact), (other, near) = moved
    assert float(torch.nn.functional.cosine_similarity(one, other, dim=0)) > 0.98
    assert near == pytest.approx(exact, rel=0.03)


def test_a_value_that_is_surely_wrong_is_unlearned_in_bfloat16_too():
    game = TicTacToe()
    samples = replace(samples_of(game, 8), outcomes=np.full(8, -1, np.float32))
    for half in (False, True):
        net = net_of(game)
        with torch.no_grad():
            net.value.last.weight.zero_()
            net.value.last.bias.fill_(4.0)
        learner = Learner(net, optimizer="sgd", momentum=0.0, decay=0.0)
        learner.half = half
        learner.step(samples, 1.0)
        moved = float(net.value.last.bias.detach()) - 4.0
        slope = 1 - np.tanh(4.0) ** 2
        assert moved == pytest.approx(-2 * (np.tanh(4.0) + 1) * slope, rel=0.02), half  # d/dx (tanh x + 1)^2


def test_gradients_are_cut_to_their_norm():
    game = TicTacToe()
    net, samples = net_of(game), samples_of(game, 16)
    before = {name: weight.detach().clone() for name, weight in net.named_parameters()}
    Learner(net, optimizer="sgd", momentum=0.0, decay=0.0, clip=0.01).step(samples, 1.0)
    moved = sum(((weight - before[name]) ** 2).sum() for name, weight in net.named_parameters()) ** 0.5
    assert float(moved.detach()) == pytest.approx(0.01, rel=1e-3)


def test_the_net_to_play_by_is_a_moving_average():
    game = TicTacToe()
    net, samples = net_of(game), samples_of(game, 16)
    learner = Learner(net, averaging=0.25, rate=0.05)
    assert learner.playing() is net
    wanted = None
    for kept in (0.0, 2 / 11, 0.25, 0.25, 0.25):  # (1 + n) / (10 + n), until that is more than 0.25
        learner.step(samples, 0.05)
        now = {name: tensor.detach().double().clone() for name, tensor in net.state_dict().items()}
        wanted = now if wanted is None else {name: kept * wanted[name] + (1 - kept) * now[name] for name in now}
    playing = learner.playing().state_dict()
    assert playing.keys() == net.state_dict().keys()
    for name, tensor in playing.items():
        if tensor.is_floating_point():
            assert torch.allclose(tensor.double(), wanted[name], atol=1e-5), name
    assert not torch.allclose(learner.playing().stem.conv.weight, net.stem.conv.weight)
    assert Learner(net).playing() is net


@pytest.mark.parametrize("kind", [{"optimizer": "sgd"}, {"optimizer": "adamw"}, {"averaging": 0.9, "clip": 1.0}])
def test_what_was_saved_learns_on_bit_for_bit(kind, tmp_path):
    game = Go(size=4)
    batches = [samples_of(game, 16, seed) for seed in range(6)]
    learner = Learner(net_of(game, pooling=True, blocks=2), **kind)
    for batch in batches[:3]:
        learner.step(batch, 0.02)
    learner.save(tmp_path)
    other = Learner(net_of(game, seed=1, pooling=True, blocks=2), **kind)
    other.load(tmp_path)
    assert other.steps == 3
    for batch in batches[3:]:
        assert learner.step(batch, 0.01) == other.step(batch, 0.01)
    for mine, theirs in ((learner.net, other.net), (learner.playing(), other.playing())):
        for name, tensor in mine.state_dict().items():
            assert torch.equal(tensor, theirs.state_dict()[name]), name


def test_the_same_samples_give_the_same_weights():
    game = TicTacToe()
    nets = [net_of(game), net_of(game)]
    for net in nets:
        learner = Learner(net)
        for seed in range(4):
            learner.step(samples_of(game, 32, seed), 0.01)
    for name, tensor in nets[0].state_dict().items():
        assert torch.equal(tensor, nets[1].state_dict()[name]), name


def test_seeds_of_networks_leave_other_random_numbers_alone():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = (net_of(TicTacToe(), seed).stem.conv.weight for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), wanted)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_in_play_a_position_is_seen_alike_in_any_company():
    """Normalisation by the batch belongs to training; play uses the running statistics."""
    game = TicTacToe()
    net = net_of(game)
    learner = Learner(net, averaging=0.5)
    for seed in range(5):
        learner.step(samples_of(game, 32, seed), 0.01)
    seen = samples_of(game, 8, 9).observations
    evaluate = make_evaluator(learner.playing(), "torch", batch=8, device="cpu")
    together, alone = evaluate(seen), [evaluate(row[None]) for row in seen]
    for number in range(2):
        assert np.allclose(together[number], np.concatenate([each[number] for each in alone]), atol=1e-5)
    with torch.no_grad():
        logits, values = deepcopy(learner.playing()).eval()(torch.from_numpy(seen))
    assert np.allclose(together[0], logits.numpy(), atol=1e-4)
    assert np.allclose(together[1], values.numpy(), atol=1e-4)


def test_a_batch_of_positions_is_learned_by_heart():
    game = TicTacToe()
    samples = samples_of(game, 32)
    learner = Learner(net_of(game, channels=16), decay=0.0)
    for _ in range(250):
        losses = learner.step(samples, 5e-3)
    shares = samples.policies[samples.policies > 0]
    entropy = -(shares * np.log(shares)).sum() / 32  # what cross-entropy cannot fall below
    assert losses["policy"] < entropy + 0.05
    assert losses["value"] < 0.05
