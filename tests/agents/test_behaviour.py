"""The parts that Dreamer and DreamerV2 share: actors, senses, contrast, several descents, and episodes taken in."""

import math
from dataclasses import dataclass, replace

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from sakiyomi.agents.parts.episodes.collecting import Collector  # noqa: E402
from sakiyomi.agents.parts.episodes.controls import Controls  # noqa: E402
from sakiyomi.agents.parts.episodes.random_actions import AtRandom  # noqa: E402
from sakiyomi.agents.parts.episodes.sequences import Episode, SequenceReplay  # noqa: E402
from sakiyomi.agents.parts.latent.actors import Actor, jittered, mixed_up  # noqa: E402
from sakiyomi.agents.parts.latent.batches import Batch  # noqa: E402
from sakiyomi.agents.parts.latent.behaviour import frozen, some_of, value_loss  # noqa: E402
from sakiyomi.agents.parts.latent.contrast import contrast  # noqa: E402
from sakiyomi.agents.parts.latent.experience import averaged, check_length, fits, gathered, latest  # noqa: E402
from sakiyomi.agents.parts.latent.pixel_nets import initialise  # noqa: E402
from sakiyomi.agents.parts.latent.senses import Senses  # noqa: E402
from sakiyomi.agents.parts.runs.config_checks import check_layers, check_within  # noqa: E402
from sakiyomi.agents.parts.runs.descents import Descents  # noqa: E402
from sakiyomi.envs.task import Task  # noqa: E402


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def test_frozen_modules_pass_gradients_and_take_none():
    first, second = nn.Linear(2, 2), nn.Linear(2, 1)
    second.bias.requires_grad_(False)
    with frozen(second):
        y = second(first(torch.ones(3, 2))).sum()
    y.backward()
    assert first.weight.grad.abs().sum() > 0
    assert second.weight.grad is None
    assert second.weight.requires_grad
    assert not second.bias.requires_grad  # as it was before


def test_frozen_lets_go_after_an_error():
    net = nn.Linear(1, 1)
    with pytest.raises(RuntimeError, match="stop"), frozen(net):
        raise RuntimeError("stop")
    assert net.weight.requires_grad


def test_some_starts_stand_for_all():
    numbers = torch.arange(40.0) ** 2
    assert torch.equal(some_of(40, 0, dice()), torch.arange(40))
    assert torch.equal(some_of(40, 99, dice()), torch.arange(40))
    generator, means = dice(1), []
    for _ in range(2000):
        chosen = some_of(40, 10, generator)
        assert len(set(chosen.tolist())) == 10
        means.append(numbers[chosen].mean())
    error = numbers.std() / math.sqrt(10 * 2000)
    assert abs(torch.stack(means).mean() - numbers.mean()) < 4 * error


def test_value_loss_is_written_out():
    generator = dice(2)
    values, returns, weights = (torch.randn(3, 4, generator=generator, requires_grad=True) for _ in range(3))
    loss, total = value_loss(values, returns, weights), 0.0
    for t in range(3):
        for n in range(4):
            log_prob = -0.5 * (returns[t, n] - values[t, n]).item() ** 2 - 0.5 * math.log(2 * math.pi)
            total -= weights[t, n].item() * log_prob
    assert loss.item() == pytest.approx(total / 12, rel=1e-5)
    loss.backward()
    torch.testing.assert_close(values.grad, (weights * (values - returns)).detach() / 12)
    assert returns.grad is None
    assert weights.grad is None


def test_contrast_is_written_out():
    """Against densities from torch.distributions, one pair at a time."""
    generator = dice(3)
    states, told = (torch.randn(5, 3, generator=generator, requires_grad=True) for _ in range(2))
    pairs = torch.stack(
        [torch.stack([torch.distributions.Normal(m, 1.0).log_prob(s).sum() for m in told]) for s in states]
    )
    expected = -sum(pairs[i, i] - torch.log(pairs[i].exp().sum()) for i in range(5)) / 5
    torch.testing.assert_close(contrast(states, told), expected)
    wanted = torch.autograd.grad(expected, (states, told))
    for one, other in zip(torch.autograd.grad(contrast(states, told), (states, told)), wanted, strict=True):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(contrast(torch.zeros(7, 2), torch.zeros(7, 2)), torch.tensor(math.log(7)))


def test_actors_begin_as_the_papers_do():
    """Dreamer's standard deviation is 5 at first, DreamerV2's 1.1; choices are about as likely as each other."""
    features = 0.01 * torch.randn(50, 6, generator=dice())
    actors = {
        "tanh": Actor(6, 2, False, (8, 8), "tanh_gaussian"),
        "truncated": Actor(6, 2, False, (8, 8), "truncated_normal"),
        "choices": Actor(6, 3, True, (8,), "tanh_gaussian"),
    }
    for actor in actors.values():
        initialise(actor, dice(4))
    torch.testing.assert_close(actors["tanh"](features).std.mean().item(), 5.0, rtol=0.02, atol=0)
    torch.testing.assert_close(actors["truncated"](features).std.mean().item(), 1.1, rtol=0.02, atol=0)
    torch.testing.assert_close(actors["choices"](features).probs, torch.full((50, 3), 1 / 3), rtol=0.05, atol=0)


@pytest.mark.parametrize(
    ("discrete", "vectors"), [(True, "tanh_gaussian"), (False, "tanh_gaussian"), (False, "truncated_normal")]
)
def test_actions_of_actors(discrete, vectors):
    actor = Actor(4, 3, discrete, (6,), vectors)
    features = torch.randn(5, 2, 4, generator=dice(5))
    drawn = actor(features).draw(actor.noise(5, 2, generator=dice(6)))
    best = actor.best(features, dice(7))
    for actions in (drawn, best):
        assert actions.shape == (5, 2, 3)
        assert actions.abs().max() <= 1
        if discrete:
            assert torch.equal(actions.sum(-1), torch.ones(5, 2))
    (drawn * torch.arange(30.0).view(5, 2, 3)).sum().backward()
    assert all(each.grad.abs().sum() > 0 for each in actor.parameters())
    more = torch.stack([actor(features).draw(dice(seed)) for seed in range(50)])
    assert (actor(features).log_prob(best) >= actor(features).log_prob(more).quantile(0.8, dim=0)).all()


def test_exploring_changes_actions_as_much_as_it_is_said():
    still = torch.zeros(4000, 2)
    assert jittered(still, 0.3, dice(8)).std().item() == pytest.approx(0.3, rel=0.05)
    assert jittered(still + 1, 0.3, dice(8)).max() == 1
    first = torch.nn.functional.one_hot(torch.zeros(4000, dtype=torch.int64), 4).float()
    changed = mixed_up(first, 0.4, dice(9))
    assert torch.equal(changed.sum(-1), torch.ones(4000))
    np.testing.assert_allclose(changed.mean(dim=0), [0.7, 0.1, 0.1, 0.1], atol=0.025)
    assert torch.equal(mixed_up(first, 0.0, dice(9)), first)


@pytest.mark.parametrize("shape", [(16, 16, 3), (16, 16), (1, 16, 16), (4, 16, 16), (5,)])
def test_senses_see_and_show(shape):
    senses = Senses(shape, depth=2, layers=(6, 4))
    observations = np.random.default_rng(0).integers(256, size=(3, 2, *shape))
    kind = np.uint8 if len(shape) > 1 else np.float32
    observations = torch.from_numpy(observations.astype(kind))
    if kind == np.float32:
        senses.standard.see(observations.numpy().reshape(6, 5))
    seen = senses.seen(observations)
    assert senses(seen).shape == (3, 2, senses.outputs)
    np.testing.assert_allclose(senses.shown(seen), observations, atol=1e-4)
    decoded = senses.decoder(7)(torch.zeros(3, 2, 7))
    assert decoded.shape == seen.shape
    if len(shape) > 1:
        assert (float(seen.min()), float(seen.max())) == (-0.5, 0.5)  # normalised once
    assert senses.log_prob(seen, decoded).shape == (3, 2)


def test_senses_cut_colours_and_turn_angles():
    pictures = torch.from_numpy(np.random.default_rng(0).integers(256, size=(2, 16, 16, 3), dtype=np.uint8))
    cut = Senses((16, 16, 3), depth=2, layers=(4,), bits=3)
    seen = cut.seen(pictures, dice())
    assert torch.equal((seen + 0.5).mul(8).floor().movedim(1, -1).to(torch.uint8), pictures // 32)
    with pytest.raises(ValueError, match="bits=3 take noise"):
        cut.seen(pictures)
    turned = Senses((3,), depth=1, layers=(4,), angles=(1,))
    rows = torch.tensor([[1.0, 0.5, 2.0], [3.0, 0.5 + 2 * math.pi, -2.0]])
    turned.standard.see(rows.numpy())
    assert turned.seen(rows).shape == turned.decoder(5)(torch.zeros(2, 5)).shape == (2, 4)
    np.testing.assert_allclose(turned.shown(turned.seen(rows)), [[1, 0.5, 2], [3, 0.5, -2]], atol=1e-5)


def test_what_is_seen_is_added_up_in_units_of_its_deviation():
    senses = Senses((16, 16, 3), depth=2, layers=(4,), deviation=0.5)
    seen = torch.rand(2, 3, 16, 16, generator=dice()) - 0.5
    expected = -0.5 * (4 * seen**2).sum(dim=(1, 2, 3)) - 16 * 16 * 3 * 0.5 * math.log(2 * math.pi)
    torch.testing.assert_close(senses.log_prob(seen, torch.zeros_like(seen)), expected)


def test_screens_are_channels():
    """What Atari shows, [S, H, W], is what the same screens as colours, [H, W, S], are."""
    screens, colours = (Senses(shape, depth=2, layers=(4,), shrink=2) for shape in ((3, 32, 32), (32, 32, 3)))
    pictures = torch.from_numpy(np.random.default_rng(0).integers(256, size=(2, 3, 32, 32), dtype=np.uint8))
    assert torch.equal(screens.seen(pictures), colours.seen(pictures.movedim(1, -1)))


def test_pictures_must_be_squares():
    with pytest.raises(ValueError, match="squares"):
        Senses((16, 32, 3), depth=2, layers=(4,))


def two_nets():
    torch.manual_seed(0)
    return {"one": (nn.Linear(2, 1), 0.1), "two": (nn.Linear(2, 1), 0.01)}


def test_descents_step_one_network_at_a_time_with_its_rate():
    nets = two_nets()
    descents = Descents(nets, 1e-8, 100.0, seed=0)
    before = {name: net.weight.detach().clone() for name, (net, _) in nets.items()}
    figures = descents.step("two", {"all": nets["two"][0](torch.ones(1, 2)).sum()}, "update 1")
    assert set(figures) == {"loss/all", "gradient/two"}
    assert torch.equal(nets["one"][0].weight, before["one"])
    torch.testing.assert_close(nets["two"][0].weight, before["two"] - 0.01, rtol=0, atol=1e-6)  # Adam's first step


def test_descents_go_on_bit_for_bit(tmp_path):
    def steps(descents, nets, count):
        for _ in range(count):
            noise = torch.rand(1, 2, generator=descents.generator)
            for name in nets:
                descents.step(name, {"all": (nets[name][0](noise) - 1).square().sum()}, "here")

    nets, copy = two_nets(), nn.Linear(2, 1)
    straight = Descents(nets, 1e-7, 1.0, seed=3, copies={"copy": copy})
    steps(straight, nets, 3)
    straight.save(tmp_path / "all", {"carried": torch.arange(3.0)})
    again, other = two_nets(), nn.Linear(2, 1)
    resumed = Descents(again, 1e-7, 1.0, seed=99, copies={"copy": other})
    assert torch.equal(resumed.load(tmp_path / "all")["carried"], torch.arange(3.0))
    assert torch.equal(other.weight, copy.weight)
    steps(straight, nets, 2)
    steps(resumed, again, 2)
    for name in nets:
        assert torch.equal(nets[name][0].weight, again[name][0].weight)


def test_weights_decay_whatever_the_rate():
    """1 - decay a step, also without a gradient: AdamW's is rate * decay."""
    nets = two_nets()
    before = nets["two"][0].weight.detach().clone()
    descents = Descents(nets, 1e-5, 100.0, 1e-3, seed=0)
    descents.step("two", {"none": 0 * nets["two"][0](torch.ones(1, 2)).sum()}, "here")
    torch.testing.assert_close(nets["two"][0].weight.detach(), before * (1 - 1e-3), rtol=1e-6, atol=0)


def test_gradients_are_cut_by_their_norm():
    nets = two_nets()
    descents = Descents(nets, 1e-5, 2.0, seed=0)
    x = torch.tensor([[30.0, 40.0]])
    figures = descents.step("one", {"all": nets["one"][0](x).sum()}, "here")
    gradient = torch.cat([each.grad.flatten() for each in nets["one"][0].parameters()])
    assert figures["gradient/one"] == pytest.approx(math.sqrt(30**2 + 40**2 + 1))
    assert gradient.norm().item() == pytest.approx(2.0, rel=1e-4)
    assert (gradient[1] / gradient[0]).item() == pytest.approx(4 / 3)  # by value both would be the same


class Count(gymnasium.Env):
    """Shows the time; each action is repeated twice; seven steps."""

    observation_space = Box(0, 20, (1,), np.float32)
    action_space = Box(-1.0, 1.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.time += 1
        return np.full(1, self.time, np.float32), 2.0, False, self.time == 7, {"frames": 2}


def counting(horizon=7):
    return Task("count", Count.observation_space, Count.action_space, horizon, (2, 2), Count)


def test_what_is_gathered(tmp_path):
    task = counting()
    controls, senses = Controls.of(task), Senses((1,), depth=1, layers=(2,))
    place = (tmp_path / "others", (1,), np.float32, 1, 100)
    replay = SequenceReplay(tmp_path, (1,), np.float32, 1, 100)
    collector = Collector(task, controls, seed=0)
    try:
        lived = gathered(collector, AtRandom(controls), replay, senses, frames=13)
        assert (lived.frames, lived.decisions, len(lived.episodes)) == (14, 7, 1)
        assert not fits(replay, 9, across=True)
        assert fits(replay, 8, across=False)
        assert not fits(replay, 9, across=False)
        more = gathered(collector, AtRandom(controls), replay, senses, decisions=10)
        assert (more.frames, more.decisions, len(more.episodes)) == (20, 10, 1)
        whole = gathered(collector, AtRandom(controls), SequenceReplay(*place), senses, episodes=2)
        assert (whole.decisions, len(whole.episodes)) == (4 + 7, 2)
    finally:
        collector.close()
    assert fits(replay, 9, across=True)
    assert replay.episodes == 2
    assert float(senses.standard.mean) == 3.5
    replay.add(Episode.of(np.full((4, 1), 9.0, np.float32), np.zeros((3, 1)), np.zeros(3), True))
    assert (latest(replay, 99).observations == 9).all()
    assert latest(replay, 99).is_terminal.tolist() == [[False, False, False, True]]
    assert latest(replay, 2).observations.shape == (1, 2, 1)
    assert averaged([{"a": 1.0}, {"a": 4.0}]) == {"a": 2.5}
    assert averaged([]) == {}
    batch = Batch.of(latest(replay, 99), torch.device("cpu"))
    assert batch.is_first.tolist() == [[True, False, False, False]]


def test_sequences_must_fit_into_episodes():
    check_length(counting(), 8, across=False)
    check_length(counting(), 99, across=True)
    check_length(replace(counting(), horizon=None), 99, across=False)
    with pytest.raises(ValueError, match="length=9, episodes of count 8 rows at most"):
        check_length(counting(), 9, across=False)


@dataclass
class Settings:
    many: int = 3
    layers: tuple[int, ...] = (4, 0)


def test_checks_say_what_would_be_right():
    check_within(Settings(), 1, 3, "many")
    with pytest.raises(ValueError, match="many must be 4 or more, got 3"):
        check_within(Settings(), 4, math.inf, "many")
    with pytest.raises(ValueError, match="many must be from 0 to 1, got 3"):
        check_within(Settings(), 0, 1, "many")
    with pytest.raises(ValueError, match="layers must be numbers of units"):
        check_layers(Settings(), "layers")
    with pytest.raises(ValueError, match="layers must be numbers of units"):
        check_layers(Settings(layers=()), "layers")
