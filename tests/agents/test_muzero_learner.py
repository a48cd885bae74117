"""The unrolled loss: gradients against the sum written out by hand, masks, learning, files."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.func import functional_call  # noqa: E402

from sakiyomi.agents.parts.dual.learner import seeded  # noqa: E402
from sakiyomi.agents.parts.muzero.bins import encode  # noqa: E402
from sakiyomi.agents.parts.muzero.learner import MuZeroLearner, tensors, unrolled_losses  # noqa: E402
from sakiyomi.agents.parts.muzero.nets import MuZeroNet  # noqa: E402
from sakiyomi.agents.parts.muzero.unrolls import Unrolls  # noqa: E402

A, CPU = 3, torch.device("cpu")


def net_of(support=4, channels=5, hidden=6):
    with seeded(0):
        net = MuZeroNet((2,), A, kind="mlp", channels=channels, hidden=hidden, support=support)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter += 0.3 * torch.randn_like(parameter)
    return net


def some(batch=4, steps=2, seed=0, **others):
    rng = np.random.default_rng(seed)
    found = {
        "inputs": rng.normal(size=(batch, 2)),
        "actions": rng.integers(A, size=(batch, steps)),
        "policies": rng.dirichlet(np.ones(A), (batch, steps + 1)),
        "policy_mask": np.ones((batch, steps + 1)),
        "values": rng.uniform(-1, 1, (batch, steps + 1)),
        "value_mask": np.ones((batch, steps + 1)),
        "rewards": rng.uniform(-1, 1, (batch, steps)),
        "reward_mask": np.ones((batch, steps)),
        "weights": rng.uniform(0.2, 1, batch),
        "places": np.arange(batch),
    } | others
    arrays = {name: array for name, array in found.items() if array is not None}
    return Unrolls(**{k: v if v.dtype == np.int64 else v.astype(np.float32) for k, v in arrays.items()})


class Part(torch.nn.Module):
    """One function of a net, as a module, so that each use of it can be given parameters of its own."""

    def __init__(self, net, name):
        super().__init__()
        self.net, self.name = net, name

    def forward(self, *inputs):
        return getattr(self.net, self.name)(*inputs)


@pytest.mark.parametrize("support", [4, 0])
def test_gradients_are_the_sum_written_out(support):
    """Every use of a function has parameters of its own here, and nothing is scaled; by the paper, what comes from the
    loss of step k counts 1 (k = 0) or 1/K, and halves for every step of the dynamics that it passes on its way back."""
    net, unrolls, steps = net_of(support), some(steps=2), 2
    told = tensors(unrolls, CPU)
    losses, _ = unrolled_losses(net, told, 0.5)
    sum(losses.values()).backward()
    scaled = {name: parameter.grad.clone() for name, parameter in net.named_parameters()}

    def own():
        return {f"net.{k}": v.detach().clone().requires_grad_() for k, v in net.named_parameters()}

    def loss_of(outcomes, targets):
        if not support:
            return (outcomes - targets) ** 2
        return -(encode(targets, support) * outcomes.log_softmax(1)).sum(1)

    copies = [(0, own())]  # the step whose latent state these parameters make
    latents, by_step = functional_call(Part(net, "represent"), copies[0][1], (told["inputs"],)), []
    heads = []
    for k in range(steps + 1):
        total = torch.zeros(())
        if k:
            copies.append((k, own()))
            rewards, latents = functional_call(Part(net, "step"), copies[-1][1], (latents, told["actions"][:, k - 1]))
            if support:
                total = total + (told["weights"] * loss_of(rewards, told["rewards"][:, k - 1])).mean()
        heads.append(own())
        logits, values = functional_call(Part(net, "predict"), heads[-1], (latents,))
        policy = -(told["policies"][:, k] * logits.log_softmax(1)).sum(1)
        by_step.append(total + (told["weights"] * (policy + 0.5 * loss_of(values, told["values"][:, k]))).mean())
    wanted = {name: torch.zeros_like(parameter) for name, parameter in net.named_parameters()}
    for k, loss in enumerate(by_step):
        share = 1.0 if k == 0 else 1 / steps
        for made_at, parameters in [*copies, *((k, each) for each in heads)]:
            grads = torch.autograd.grad(loss, list(parameters.values()), retain_graph=True, allow_unused=True)
            for name, grad in zip(parameters, grads, strict=True):
                if grad is not None:
                    wanted[name.removeprefix("net.")] += share * 0.5 ** (k - made_at) * grad
    for name, grad in scaled.items():
        torch.testing.assert_close(grad, wanted[name], rtol=1e-4, atol=1e-6, msg=name)


def test_what_is_masked_teaches_nothing():
    mask = np.ones((4, 3))
    mask[:, 1:] = 0
    one = some(policy_mask=mask, value_mask=mask, reward_mask=mask[:, 1:])
    rng = np.random.default_rng(7)
    changed = {
        "policies": np.concatenate([one.policies[:, :1], rng.dirichlet(np.ones(A), (4, 2))], 1),
        "values": np.concatenate([one.values[:, :1], rng.normal(size=(4, 2))], 1),
        "rewards": rng.normal(size=(4, 2)),
    }
    two = some(**{**vars(one), **changed})
    first, second = (unrolled_losses(net_of(), tensors(each, CPU), 1.0)[0] for each in (one, two))
    for name, loss in first.items():
        assert loss.item() == pytest.approx(second[name].item(), abs=1e-6)
    assert first["reward"].item() == 0


def test_errors_are_those_of_the_first_values():
    net, unrolls = net_of(), some()
    _, errors = unrolled_losses(net, tensors(unrolls, CPU), 1.0)
    with torch.no_grad():
        values = net.scalars(net.predict(net.represent(torch.from_numpy(unrolls.inputs))).values).numpy()
    assert errors.numpy() == pytest.approx(np.abs(values - unrolls.values[:, 0]), abs=1e-6)


@pytest.mark.parametrize("support", [4, 0])
@pytest.mark.parametrize(("optimizer", "rate"), [("adamw", 0.01), ("sgd", 0.1)])
def test_what_is_shown_again_and_again_is_learnt(support, optimizer, rate):
    learner = MuZeroLearner(net_of(support, 16, 32), optimizer=optimizer, clip=5.0, device=CPU)
    unrolls = some(batch=8, policies=np.eye(A)[np.random.default_rng(1).integers(A, size=(8, 3))])
    first, _ = learner.step(unrolls, rate)
    for _ in range(200):
        last, errors = learner.step(unrolls, rate)
    assert last["policy"] < 0.3 * first["policy"]
    assert last["value"] < first["value"]
    assert errors.mean() < 0.3
    assert ("reward" in last) == (support > 0)


def test_saved_and_loaded_it_goes_on_the_same(tmp_path):
    def fresh():
        return MuZeroLearner(net_of(), optimizer="adamw", averaging=0.9, device=CPU)

    one = fresh()
    for step in range(3):
        one.step(some(seed=step), 0.01)
    one.save(tmp_path / "learner")
    two = fresh()
    two.load(tmp_path / "learner")
    for step in range(3, 6):
        assert one.step(some(seed=step), 0.01)[0] == two.step(some(seed=step), 0.01)[0]
    for name, tensor in one.playing().state_dict().items():
        assert torch.equal(tensor, two.playing().state_dict()[name])
    assert one.steps == two.steps == 6


def test_what_is_played_by_is_the_average():
    learner = MuZeroLearner(net_of(), optimizer="sgd", averaging=0.99, device=CPU)
    assert learner.playing() is learner.net
    learner.step(some(), 0.01)
    assert learner.playing() is not learner.net
