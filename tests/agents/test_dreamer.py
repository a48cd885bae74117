"""Dreamer: its losses term by term, where gradients go, learning that goes on bit for bit, and input that is wrong."""

import itertools
import math
import shutil
from dataclasses import replace
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

torch = pytest.importorskip("torch")

from sakiyomi.agents.agent import TrainingBudget, Turn  # noqa: E402
from sakiyomi.agents.dreamer import Config, Dreamer, Learner, Networks, dreamed, model_losses  # noqa: E402
from sakiyomi.agents.parts.episodes.controls import Controls  # noqa: E402
from sakiyomi.agents.parts.episodes.sequences import Episode, SequenceReplay  # noqa: E402
from sakiyomi.agents.parts.episodes.videos import open_loop  # noqa: E402
from sakiyomi.agents.parts.latent.batches import Batch  # noqa: E402
from sakiyomi.agents.parts.latent.behaviour import frozen, value_loss  # noqa: E402
from sakiyomi.agents.parts.latent.distributions import Gaussian  # noqa: E402
from sakiyomi.agents.parts.latent.paper_tasks import CONTROL_TASKS  # noqa: E402
from sakiyomi.agents.parts.latent.rssm import State  # noqa: E402
from sakiyomi.boards import make_game  # noqa: E402
from sakiyomi.envs import make_task  # noqa: E402
from sakiyomi.envs.task import Task  # noqa: E402

TINY = Config(
    deter=6, stoch=3, hidden=5, depth=2, shrink=4, vector_layers=(7, 4), state_layers=(5,), reward_layers=(5,),
    end_layers=(5,), actor_layers=(6,), value_layers=(5,), horizon=4, batch=3, length=5, prefill=20, pretrain=3,
    train_every=20, updates=2, futures=4, save_every=0.0,
)  # fmt: skip
ALWAYS = TrainingBudget(environment_steps=10**9)
VECTORS, CHOICES = Controls(low=(-1.0, -2.0), high=(1.0, 2.0)), Controls(choices=3)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


class Line(gymnasium.Env):
    """A point on a line, moved by the action, which is played `repeat` times; ten steps. A choice 0, 1, 2 is a third of
    the way. `reward` is of the place and the last action.
    """

    observation_space = Box(-20, 20, (2,), np.float32)

    def __init__(self, reward=lambda place, action: -abs(place), steps=10, repeat=1, discrete=False, ends=False):
        self.reward_of, self.steps, self.repeat, self.ends = reward, steps, repeat, ends
        self.action_space = Discrete(3) if discrete else Box(-2.0, 2.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.time = self.np_random.uniform(-1, 1), 0
        return self.seen(), {}

    def step(self, action):
        action = float(np.ravel(action)[0]) - isinstance(self.action_space, Discrete)
        self.place, self.time = self.place + action, self.time + 1
        over, reward = self.time >= self.steps, self.repeat * self.reward_of(self.place, action)
        return self.seen(), reward, over and self.ends, over and not self.ends, {"frames": self.repeat}

    def seen(self):
        return np.array([self.place, 1.0], np.float32)


def line(**settings):
    env = Line(**settings)
    return Task("line", env.observation_space, env.action_space, env.steps, (-99, 99), lambda: Line(**settings))


def networks(config=TINY, shape=(4,), controls=VECTORS, seed=1):
    return Networks(config, shape, controls, seed)


def batch_of(shape=(4,), controls=VECTORS, seed=0, rows=3, length=5):
    """Random numbers, with an episode that ends within the first sequence."""
    rng = np.random.default_rng(seed)
    seen = rng.integers(256, size=(rows, length, *shape))
    seen = seen.astype(np.uint8) if len(shape) > 1 else rng.normal(size=(rows, length, *shape)).astype(np.float32)
    actions = rng.uniform(-1, 1, (rows, length, controls.size))
    actions = controls.encoded(rng.integers(controls.choices, size=(rows, length))) if controls.discrete else actions
    first, terminal = np.zeros((2, rows, length), np.bool_)
    first[:, 0] = first[0, 3] = terminal[0, 2] = True
    actions[first] = 0
    arrays = (seen, actions.astype(np.float32), rng.normal(size=(rows, length)).astype(np.float32), first, terminal)
    return Batch(*(torch.from_numpy(array) for array in arrays))


def log_normal(x, mean, std=1.0):
    return -0.5 * ((x - mean) / std) ** 2 - math.log(std) - 0.5 * math.log(2 * math.pi)


def dream_of(nets, starts=4, seed=3, alive=None, horizon=None):
    """Starts, whether they count, and the numbers of a dream."""
    rssm, horizon = nets.world.rssm, horizon or nets.config.horizon
    random = torch.randn(2, starts, 9, generator=dice(seed))
    belief = rssm.initial(starts).belief
    state = State(random[0, :, : rssm.deter], random[1, :, : rssm.stoch], belief)
    chances = (dice(seed + 1), dice(seed + 2))
    noise = rssm.noise(horizon, starts, generator=chances[0])
    alive = torch.ones(starts) if alive is None else alive
    return state, alive, noise, nets.actor.noise(horizon, starts, generator=chances[1])


SETTINGS = [
    {"objective": "reconstruction", "free_nats": 0.3},
    {"objective": "contrastive", "free_nats": 0.3, "free_each": True, "kl_weight": 0.5},
    {"objective": "reward", "predict_end": True, "squash": True, "reward_scale": 0.3, "reward_weight": 3.0},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings["objective"])
@torch.no_grad()
def test_model_loss_term_by_term(settings):
    """The model run step by step, with sums written out in plain Python."""
    config = replace(TINY, deviation=0.5, **settings)
    world, batch = networks(config).world, batch_of()
    world.senses.standard.see(np.random.default_rng(3).normal(2, 3, (50, 4)))
    rssm, noise = world.rssm, world.rssm.noise(3, 5, generator=dice(5))
    terms, mean_kl, posteriors = model_losses(world, batch, noise)
    totals = dict.fromkeys(("observation", "reward", "end"), 0.0)
    kls, states, told = [], [], []
    for b in range(3):
        deter, stoch = torch.zeros(1, 6), torch.zeros(1, 3)
        for t in range(5):
            keep = 0.0 if batch.is_first[b, t] else 1.0
            seen = ((batch.observations[b, t] - world.senses.standard.mean) / world.senses.standard.std).float()
            embed = world.senses.encoder(seen)[None]
            x = torch.cat([stoch * keep, batch.actions[b, t][None] * keep], 1)
            deter = rssm.cell(torch.nn.functional.elu(rssm.step_in(x)), deter * keep)
            prior = rssm.prior_out(torch.nn.functional.elu(rssm.prior_in(deter)))[0]
            posterior = rssm.posterior_out(torch.nn.functional.elu(rssm.posterior_in(torch.cat([deter, embed], 1))))[0]
            p_mean, q_mean, p_std, q_std = (
                *(x[:3] for x in (prior, posterior)),
                *(torch.log(1 + x[3:].exp()) + 0.1 for x in (prior, posterior)),
            )
            stoch = (q_mean + q_std * noise[b, t])[None]
            features = torch.cat([stoch, deter], 1)
            torch.testing.assert_close(posteriors.features[b, t][None], features)
            if world.decoder is not None:
                pairs = zip(seen.tolist(), world.decoder(features)[0].tolist(), strict=True)
                totals["observation"] -= sum(log_normal(o / 0.5, m / 0.5) for o, m in pairs)
            reward = batch.rewards[b, t].item()
            reward = math.tanh(config.reward_scale * reward) if config.squash else reward
            totals["reward"] -= config.reward_weight * log_normal(reward, world.reward(features).item())
            if world.end is not None:
                goes_on, chance = 0.99 * (not batch.is_terminal[b, t]), torch.sigmoid(world.end(features)).item()
                totals["end"] -= 10 * (goes_on * math.log(chance) + (1 - goes_on) * math.log(1 - chance))
            if world.state is not None:
                told.append(world.state(embed)[0])
            states.append(features[0])
            normals = (torch.distributions.Normal(q_mean, q_std), torch.distributions.Normal(p_mean, p_std))
            kls.append(torch.distributions.kl_divergence(*normals).sum().item())
    nats = config.free_nats
    free = np.maximum(kls, nats).mean() if config.free_each else max(np.mean(kls), nats)
    expected = {"divergence": config.kl_weight * free, "reward": totals["reward"] / 15}
    if world.decoder is not None:
        expected["observation"] = totals["observation"] / 15
    if world.end is not None:
        expected["end"] = totals["end"] / 15
    if world.state is not None:
        pairs = [[sum(log_normal(s[k].item(), m[k].item()) for k in range(9)) for m in told] for s in states]
        contrasts = [pairs[i][i] - math.log(sum(map(math.exp, pairs[i]))) for i in range(15)]
        expected["contrast"] = -np.mean(contrasts)
    assert set(terms) == set(expected)
    for name, value in expected.items():
        assert terms[name].item() == pytest.approx(value, rel=1e-4), name
    assert mean_kl.item() == pytest.approx(np.mean(kls), rel=1e-4)


@pytest.mark.parametrize("controls", [VECTORS, CHOICES], ids=["vectors", "choices"])
@pytest.mark.parametrize("ends", [False, True], ids=["constant", "ends"])
@torch.no_grad()
def test_behaviour_losses_term_by_term(controls, ends):
    """Paths imagined a step at a time, returns by their recursion: the first reward is that of the first step."""
    nets = networks(replace(TINY, predict_end=ends, horizon=3), controls=controls)
    alive = torch.tensor([1.0, 0.0, 1.0, 1.0])
    starts, alive, noise, actions = dream_of(nets, alive=alive)
    dream = dreamed(nets, starts, alive, noise, actions)
    world, states, state = nets.world, [], starts
    for h in range(3):
        choice = nets.actor(state.features)
        states.append(world.rssm.imagine(state, choice.draw(actions[h])[None], noise=noise[h : h + 1])[0])
        state = states[-1]
    actor, critic = 0.0, 0.0
    for n in range(4):
        features = [each.features[n] for each in states]
        reward, value = ([net(f).item() for f in features] for net in (world.reward, nets.value))
        discount = [torch.sigmoid(world.end(f)).item() if ends else 0.99 for f in features]
        last = reward[1] + discount[1] * value[2]
        first = reward[0] + discount[0] * ((1 - 0.95) * value[1] + 0.95 * last)
        for weight, target, predicted in ((1.0, first, value[0]), (discount[0], last, value[1])):
            actor -= alive[n].item() * weight * target
            critic -= alive[n].item() * weight * log_normal(target, predicted)
    assert dream.loss.item() == pytest.approx(actor / 8, rel=1e-4)
    loss = value_loss(nets.value(dream.features[:-1]), dream.returns, dream.weights)
    assert loss.item() == pytest.approx(critic / 8, rel=1e-4)


@pytest.mark.parametrize("controls", [VECTORS, CHOICES], ids=["vectors", "choices"])
def test_where_gradients_go(controls):
    """The actor's loss reaches the actor alone, through the dynamics; the model's and the value's their own alone."""
    nets = networks(replace(TINY, predict_end=True, free_nats=0.0), controls=controls)
    dream_of_it = dream_of(nets)
    with frozen(nets.world, nets.value):
        dream = dreamed(nets, *dream_of_it)
    dream.loss.backward()
    assert all(each.grad is not None and each.grad.abs().sum() > 0 for each in nets.actor.parameters())
    assert all(each.grad is None for each in (*nets.world.parameters(), *nets.value.parameters()))
    nets.zero_grad(set_to_none=True)
    value_loss(nets.value(dream.features[:-1].detach()), dream.returns, dream.weights).backward()
    assert all(each.grad is not None for each in nets.value.parameters())
    assert all(each.grad is None for each in (*nets.world.parameters(), *nets.actor.parameters()))
    nets.zero_grad(set_to_none=True)
    sum(model_losses(nets.world, batch_of(controls=controls), torch.zeros(3, 5, 3))[0].values()).backward()
    assert all(each.grad is not None and each.grad.abs().sum() > 0 for each in nets.world.parameters())
    assert all(each.grad is None for each in (*nets.actor.parameters(), *nets.value.parameters()))


def test_actor_does_not_learn_through_what_it_sees():
    """The gradient is that of a course of actions whose inputs are held: by differences in float64, states being
    imagined anew. With inputs that move along it would be another.
    """
    nets = networks(replace(TINY, horizon=3)).double()
    starts, alive, noise, draws = dream_of(nets)
    starts, noise, draws = starts.map(lambda x: x.double()), noise.double(), draws.double()
    with frozen(nets.world, nets.value):
        dream = dreamed(nets, starts, alive, noise, draws)
    gradient = torch.autograd.grad(dream.loss, list(nets.actor.parameters()))
    held = torch.cat([starts.features[None], dream.features[:-1]]).detach()

    def loss(held):
        with torch.no_grad():
            if held is None:
                return dreamed(nets, starts, alive, noise, draws).loss.item()
            actions = torch.stack([nets.actor(held[h]).draw(draws[h]) for h in range(3)])
            states = nets.world.rssm.imagine(starts, actions, noise=noise)
            reward, value = nets.world.reward(states.features), nets.value(states.features)
            last = reward[1] + 0.99 * value[2]
            first = reward[0] + 0.99 * (0.05 * value[1] + 0.95 * last)
            return -(torch.stack([first, 0.99 * last])).mean().item()

    differences, moving = [], []
    weight = nets.actor.layers.layers[0].weight
    for place in ((0, 0), (2, 3), (5, 8)):
        for held_now, found in ((held, differences), (None, moving)):
            ends = []
            for step in (1e-5, -1e-5):
                with torch.no_grad():
                    weight[place] += step
                ends.append(loss(held_now))
                with torch.no_grad():
                    weight[place] -= step
            found.append((ends[0] - ends[1]) / 2e-5)
    found = [gradient[0][place].item() for place in ((0, 0), (2, 3), (5, 8))]
    np.testing.assert_allclose(found, differences, rtol=1e-4, atol=1e-10)
    assert not np.allclose(found, moving, rtol=1e-3, atol=1e-10)


class Linear:
    """s' = 0.9 s + 0.5 a + 0.1 noise, all of it in the features."""

    def dream(self, state, policy, horizon, *, noise):
        stoch, actions = [state.stoch], []
        for h in range(horizon):
            actions.append(policy(State(stoch[-1][:, :0], stoch[-1], None), h))
            stoch.append(0.9 * stoch[-1] + 0.5 * actions[-1] + 0.1 * noise[h])
        stoch = torch.stack(stoch[1:])
        belief = Gaussian(stoch, stoch)
        return State(stoch[..., :0], stoch, belief), torch.stack(actions)


def test_gradient_through_linear_dynamics_in_closed_form():
    """r = 2 s, v = 3 s, a = m + noise: each action moves the states after it by 0.5, 0.45, ..."""
    mean = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    nets = SimpleNamespace(
        config=Config(horizon=4, discount=0.8, trace=0.7),
        world=SimpleNamespace(
            rssm=Linear(),
            reward=lambda f: 2 * f[..., 0],
            discounts=lambda f: torch.full(f.shape[:-1], 0.8, dtype=f.dtype),
        ),
        actor=lambda f: Gaussian(mean.expand(f.shape), torch.ones_like(f)),
        value=lambda f: 3 * f[..., 0],
        target=None,
    )
    generator = dice(1)
    start = torch.randn(5, 1, generator=generator, dtype=torch.float64)
    noise, actions = (torch.randn(4, 5, 1, generator=generator, dtype=torch.float64) for _ in range(2))
    dream = dreamed(nets, State(start[:, :0], start, None), torch.ones(5, dtype=torch.float64), noise, actions)
    dream.loss.backward()
    moved = [0.5 * sum(0.9**k for k in range(h)) for h in (1, 2, 3, 4)]  # d s_h / d m
    third = 2 * moved[2] + 0.8 * 3 * moved[3]
    second = 2 * moved[1] + 0.8 * (0.3 * 3 * moved[2] + 0.7 * third)
    first = 2 * moved[0] + 0.8 * (0.3 * 3 * moved[1] + 0.7 * second)
    assert mean.grad.item() == pytest.approx(-(first + 0.8 * second + 0.64 * third) / 3, rel=1e-12)


def test_what_nothing_comes_after_teaches_nothing():
    nets = networks(replace(TINY, predict_end=True))
    starts, _, noise, actions = dream_of(nets)
    dream = dreamed(nets, starts, torch.tensor([0.0, 0.0, 0.0, 0.0]), noise, actions)
    dream.loss.backward()
    assert all(each.grad.abs().sum() == 0 for each in nets.actor.parameters())


def test_starts_are_posteriors_that_may_go_on():
    learner, batch = Learner(networks(replace(TINY, predict_end=True)), 0), batch_of()
    _, _, posteriors = model_losses(learner.nets.world, batch, torch.zeros(3, 5, 3))
    starts, alive = learner._starts(posteriors, batch)
    assert len(alive) == 12  # without the last of each sequence
    assert alive.tolist() == [1, 1, 0, 1, *[1] * 8]
    torch.testing.assert_close(starts.features, posteriors.features[:, :-1].flatten(0, 1))
    assert not starts.features.requires_grad
    some = Learner(networks(replace(TINY, starts=4)), 0)
    assert some._starts(posteriors, batch)[0].features.shape == (4, 9)
    assert some._starts(posteriors, batch)[1].tolist() == [1] * 4


def test_slow_value_network_is_copied_now_and_then():
    nets = networks(replace(TINY, slow_copy=3))
    learner, before = Learner(nets, 0), {name: each.clone() for name, each in nets.target.state_dict().items()}
    sequences = sequences_of()
    for number in (1, 2):
        learner.update(sequences, number)
    assert all(torch.equal(before[name], each) for name, each in nets.target.state_dict().items())
    assert not torch.equal(before["layers.0.weight"], nets.value.layers[0].weight)
    learner.update(sequences, 3)
    assert all(torch.equal(nets.value.state_dict()[name], each) for name, each in nets.target.state_dict().items())


def sequences_of(seed=0):
    """A batch as a replay would give it."""
    batch = batch_of(seed=seed)
    return SimpleNamespace(**{name: getattr(batch, name).numpy() for name in batch.__dataclass_fields__})


def test_papers_sizes():
    nets = Networks(Config(), (64, 64, 3), Controls(low=(-1.0,), high=(1.0,)), seed=0)
    world = nets.world
    parts = (world.senses, world.rssm, world.decoder, world.reward, nets.value, nets.actor)
    count = [sum(each.numel() for each in part.parameters()) for part in parts]
    assert count == [690_144, 556_920, 3_795_555, 253_201, 413_601, 574_402]


def test_papers_settings():
    presets = Dreamer.presets
    assert next(iter(presets)) == "state_quick"
    paper, atari, first = presets["dmc"], presets["atari"], presets["arxiv_v1"]
    assert paper == Config()
    assert (paper.model_rate, paper.value_rate, paper.actor_rate) == (6e-4, 8e-5, 8e-5)
    assert (paper.batch, paper.length, paper.horizon, paper.updates, paper.train_every) == (50, 50, 15, 100, 1000)
    assert (paper.epsilon, paper.clip, paper.squash, paper.predict_end, paper.free_nats) == (1e-7, 100, False, False, 3)
    assert (atari.horizon, atari.kl_weight, atari.squash, atari.predict_end) == (10, 0.1, True, True)
    assert (first.model_rate, first.value_rate, first.actor_rate) == (1e-3, 3e-4, 3e-4)
    assert (first.horizon, first.slow_copy) == (20, 100)
    assert {f"dmc/{task}@dreamer" for task in CONTROL_TASKS} < set(presets)
    assert [atari.random_share(n) for n in (0, 100_000, 10**9)] == pytest.approx([0.4, 0.25, 0.1])


def trained(folder, rounds, config=TINY, task="pendulum", seed=0, resume=False, then=lambda number: None):
    """The figures of each round."""
    task = make_task(task) if isinstance(task, str) else task
    figures, run = [], Dreamer.train(task, folder, ALWAYS, config=config, seed=seed, resume=resume)
    for progress in run:
        figures.append({"env": progress.environment_steps, "steps": progress.steps, **progress.scalars})
        then(len(figures))
        if len(figures) == rounds:
            run.close()
    return figures


@pytest.mark.parametrize("discrete", [False, True], ids=["vectors", "choices"])
def test_what_is_resumed_goes_on_bit_for_bit(tmp_path, discrete):
    """Beside a run, what a kill in its last round leaves if the second was saved last, in the midst of an episode."""
    settings = {"predict_end": True, "slow_copy": 2, "train_every": 25, "starts": 7}
    config, task = replace(TINY, **settings), line(discrete=discrete, ends=True, steps=13)

    def keep(number):
        if number == 2:
            shutil.copytree(tmp_path / "run", tmp_path / "killed")

    straight = trained(tmp_path / "run", 4, config, task, then=keep)
    shutil.copytree(tmp_path / "run" / "episodes", tmp_path / "killed" / "episodes", dirs_exist_ok=True)
    resumed = trained(tmp_path / "killed", 2, config, task, resume=True)
    assert resumed == straight[2:]
    one, other = (Dreamer.load(tmp_path / name).nets.state_dict() for name in ("run", "killed"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert trained(tmp_path / "other", 1, config, task, seed=1)[0] != straight[0]


def test_steps_are_those_of_the_simulator(tmp_path):
    """Each action is played 4 times: 5 decisions are 20 steps, and all the rewards of them count."""
    task = line(reward=lambda place, action: 1.0, repeat=4)
    figures = trained(tmp_path, 4, replace(TINY, prefill=40), task)
    assert [each["env"] for each in figures] == [20, 40, 60, 80]
    assert [each["steps"] for each in figures] == [0, 3, 5, 7]
    assert figures[1]["return/episode"] == 40
    assert {"loss/observation", "loss/reward", "loss/divergence", "loss/actor", "loss/value"} < set(figures[-1])
    assert "model/error 1 ahead" in figures[-1]


@pytest.mark.parametrize("by_length", [False, True])
def test_episodes_are_drawn_as_its_settings_say(tmp_path, monkeypatch, by_length):
    asked, drawn = set(), SequenceReplay.sample

    def spied(self, *args, **settings):
        asked.add(tuple(sorted(settings.items())))
        return drawn(self, *args, **settings)

    monkeypatch.setattr(SequenceReplay, "sample", spied)
    trained(tmp_path, 4, replace(TINY, by_length=by_length))
    assert asked == {(("across", False), ("by_length", by_length))}


def test_the_model_may_learn_first():
    """Behaviour is as it was until so many updates are done."""
    nets = networks(replace(TINY, model_first=2))
    learner, behaviour = Learner(nets, 0), {"actor": nets.actor, "value": nets.value}
    begun = {name: [each.clone() for each in net.parameters()] for name, net in behaviour.items()}
    world = [each.clone() for each in nets.world.reward.parameters()]
    for number in (1, 2, 3):
        figures = learner.update(sequences_of(number), number)
        alike = {all(map(torch.equal, net.parameters(), begun[name])) for name, net in behaviour.items()}
        assert alike == {number <= 2}
        assert ("loss/actor" in figures) == ("dream/return" in figures) == (number > 2)
    assert not any(map(torch.equal, nets.world.reward.parameters(), world))


def test_quick_presets_tell_what_is_small():
    """Free nats do not bind where vectors tell little, and pictures are in the unit that gradients are cut in."""
    quick, pixels, paper = (Dreamer.presets[name] for name in ("state_quick", "pixels_quick", "dmc"))
    assert (quick.free_nats, pixels.free_nats) == (0.1, 0.0)
    assert (quick.by_length, pixels.by_length, paper.by_length) == (True, True, False)
    assert (pixels.deviation, pixels.clip, pixels.kl_weight, pixels.reward_weight) == (1.0, 100.0, 0.2, 100.0)
    assert paper.model_first == 0


def test_its_errors_are_those_of_its_learner_and_of_a_seed():
    rows = np.random.default_rng(0).normal(size=(12, 4)).astype("f4")
    episode, nets = Episode.of(rows, np.ones((11, 2)), np.arange(11.0), True), networks()
    agent, learner = Dreamer("line", nets, VECTORS), Learner(nets, 3)
    assert "model/error 1 ahead" in agent.errors(episode.rows)
    assert agent.errors(episode.rows, seed=3) == learner.errors(episode.rows) != agent.errors(episode.rows, seed=4)
    assert Dreamer("line", networks(replace(TINY, objective="reward")), VECTORS).errors(episode.rows) == {}


def test_exploring(tmp_path):
    """Noise is added within the limits, choices are random now and then, and what was done is what is remembered."""
    nets = networks(shape=(2,))
    agent, turn = Dreamer("line", nets, VECTORS), turn_of(np.zeros((300, 2)), True)
    chosen, carry = agent.act(agent.initial(300, 1), turn, explore=True)
    torch.testing.assert_close(carry.action * torch.tensor([1.0, 2.0]), torch.from_numpy(chosen).float())
    assert (np.abs(chosen) <= [1, 2]).all()
    again, _ = agent.act(agent.initial(300, 1), turn, explore=True)
    assert (again == chosen).all()
    best, _ = agent.act(agent.initial(300, 1), turn, explore=False)
    assert not np.allclose(best, chosen)

    agent = Dreamer("line", networks(shape=(2,), controls=CHOICES), CHOICES)
    with torch.no_grad():
        agent.nets.actor.layers.layers[-1].bias += torch.tensor([0.0, 50.0, 0.0])
    for share, others in ((0.0, 0.0), (0.6, 0.4)):
        agent.random = share
        chosen, carry = agent.act(agent.initial(300, 1), turn, explore=True)
        assert np.mean(chosen != 1) == pytest.approx(others, abs=0.1)
        assert (carry.action.argmax(dim=1).numpy() == chosen).all()
    assert (agent.act(agent.initial(300, 1), turn, explore=False)[0] == 1).all()


def turn_of(observations, first=False):
    observations = np.asarray(observations)
    rows = len(observations)
    return Turn(observations, np.full(rows, first), np.zeros(rows, np.float32))


def test_learns_to_act_in_imagination(tmp_path):
    """The reward is the action: a model learned from random actions is enough to find the greatest."""
    config = replace(
        TINY, deter=24, stoch=4, hidden=24, vector_layers=(24, 16), reward_layers=(24,), actor_layers=(24,),
        value_layers=(24,), deviation=0.2, free_nats=0.5, batch=8, length=8, reward_weight=10.0, model_rate=3e-3,
        actor_rate=3e-3, value_rate=3e-3, horizon=4, starts=32, epsilon=1e-5,
    )  # fmt: skip
    nets, rng = Networks(config, (2,), Controls(low=(-2.0,), high=(2.0,)), 0), np.random.default_rng(0)
    replay = SequenceReplay(tmp_path, (2,), np.float32, 1, 10_000)
    for number in range(30):
        env, actions = Line(lambda place, action: action), rng.uniform(-1, 1, (10, 1))
        seen = [env.reset(seed=number)[0], *(env.step(2 * action)[0] for action in actions)]
        replay.add(Episode.of(np.stack(seen), actions, 2 * actions[:, 0], False))
    nets.world.senses.standard.see(replay.read(np.arange(1), len(replay)).observations[0])
    learner = Learner(nets, 0)
    figures = [learner.update(replay.sample(8, 8, rng), number) for number in range(1, 151)]
    agent = Dreamer("line", nets, Controls(low=(-2.0,), high=(2.0,)))
    turn = turn_of([[0.3, 1.0], [-2.0, 1.0]], True)
    actions, carry = agent.act(agent.initial(2, seed=1), turn, explore=False)
    assert (actions > 1.5).all()
    assert np.mean([each["dream/return"] for each in figures[-10:]]) > figures[0]["dream/return"] + 2
    assert figures[-1]["loss/reward"] - 10 * 0.5 * math.log(2 * math.pi) < 0.2  # the least there can be
    foresight = agent.foresee(carry, turn, row=1)
    assert foresight.plan.shape == (4, 1)
    assert foresight.plan[0] == actions[1]
    assert (foresight.plan > 1).all()
    seen, reward = foresight.future["observation"], foresight.future["reward"]
    assert (seen.mean.shape, seen.std.shape, seen.samples.shape) == ((4, 2), (4, 2), (4, 4, 2))
    assert (np.diff(seen.mean[:, 0]) > 0.5).all()  # where it goes
    np.testing.assert_allclose(reward.mean, foresight.plan[:, 0], atol=0.7)
    assert foresight.value == foresight.future["value"].mean[0]
    again, _ = agent.act(agent.initial(2, seed=1), turn, explore=False)
    assert (again == actions).all()  # looking changed nothing, and chance is the seed's


@pytest.mark.parametrize("objective", ["reconstruction", "contrastive"])
def test_learns_from_pictures(tmp_path, objective):
    config = replace(TINY, batch=2, objective=objective, train_every=50, prefill=50)
    figures = trained(tmp_path, 3, config, "point-mass@pixels")
    assert figures[-1]["steps"] == 7
    agent, task = Dreamer.load(tmp_path), make_task("point-mass@pixels")
    assert (agent.task, agent.config) == ("point-mass@pixels", config)
    if objective == "reconstruction":
        loop = open_loop(agent, task, context=2)
        assert loop.truth.shape == loop.predicted.shape == (4, 64, 64, 3)
    else:
        turn = turn_of(task.make(seed=0).reset(seed=0)[0][None], True)
        _, carry = agent.act(agent.initial(1), turn, explore=True)
        assert set(agent.foresee(carry, turn).future) == {"reward", "value"}


def test_ends_are_foreseen():
    nets = networks(replace(TINY, predict_end=True))
    agent, turn = Dreamer("line", nets, VECTORS), turn_of(np.zeros((1, 4)), True)
    _, carry = agent.act(agent.initial(1), turn, explore=True)
    goes_on = agent.foresee(carry, turn).future["continue"]
    assert goes_on.mean.shape == (4,)
    assert ((goes_on.samples >= 0) & (goes_on.samples <= 1)).all()


def test_what_is_foreseen_is_not_scaled():
    """Rewards that are learned as halves are told as they are, and so are values."""
    turn, told = turn_of(np.zeros((1, 4)), True), []
    for scale in (1.0, 0.5):
        agent = Dreamer("line", networks(replace(TINY, reward_scale=scale)), VECTORS)
        _, carry = agent.act(agent.initial(1), turn, explore=False)
        told.append(agent.foresee(carry, turn))
    for name in ("reward", "value"):
        np.testing.assert_allclose(told[1].future[name].mean, 2 * told[0].future[name].mean, rtol=1e-5)
    assert told[1].value == pytest.approx(2 * told[0].value)


def test_rows_of_a_batch_do_not_meet():
    """What one episode shows changes nothing for the others, and a new episode forgets the last."""
    agent = Dreamer("line", networks(shape=(2,)), VECTORS)
    observations = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)

    def states(second, first):
        carry = agent.initial(3, seed=2)
        for step in range(3):
            shown = observations + step
            shown[1] = second
            turn = Turn(shown, np.array([step == 0, step == 0, step == 0 or (first and step == 2)]), np.zeros(3, "f4"))
            _, carry = agent.act(carry, turn, explore=True)
        return carry.state.deter

    one, other, begun = states(5.0, False), states(-5.0, False), states(5.0, True)
    assert torch.equal(one[0], other[0])
    assert not torch.allclose(one[1], other[1])
    assert torch.equal(one[:2], begun[:2])
    assert not torch.allclose(one[2], begun[2])


def test_half_the_bits_are_near_and_losses_have_all_of_them():
    nets, batch = networks(replace(TINY, predict_end=True, free_nats=0.0)), batch_of()
    dream_of_it, noise = dream_of(nets), nets.world.rssm.noise(3, 5, generator=dice())
    with torch.no_grad():
        whole = model_losses(nets.world, batch, noise)[0] | {"actor": dreamed(nets, *dream_of_it).loss}
        with torch.autocast("cpu", torch.bfloat16):
            half = model_losses(nets.world, batch, noise)[0] | {"actor": dreamed(nets, *dream_of_it).loss}
    for name, value in half.items():
        assert value.dtype == torch.float32, name
        torch.testing.assert_close(value, whole[name], rtol=0.02, atol=0.02)


@pytest.mark.slow
def test_losses_are_graphs_that_compile():
    nets, batch = networks(replace(TINY, predict_end=True)), batch_of()
    noise, dream = nets.world.rssm.noise(3, 5, generator=dice()), dream_of(nets)
    for function, given in ((model_losses, (nets.world, batch, noise)), (dreamed, (nets, *dream))):
        compiled = torch.compile(function, backend="eager", fullgraph=True)(*given)
        plain = function(*given)
        if function is dreamed:
            torch.testing.assert_close(compiled.loss, plain.loss)
        else:
            torch.testing.assert_close(compiled[0], plain[0])


def test_numbers_that_are_none_stop_it_with_the_place():
    nets = networks()
    before = {name: each.clone() for name, each in nets.state_dict().items()}
    sequences, learner = sequences_of(), Learner(nets, 0)
    sequences.rewards[1, 2] = np.nan
    with pytest.raises(ValueError, match="update 7: loss/reward is nan"):
        learner.update(sequences, 7)
    assert all(torch.equal(before[name], each) for name, each in nets.state_dict().items())
    sequences.rewards[1, 2] = 0
    with torch.no_grad():
        nets.value.layers[-1].bias += np.inf
    with pytest.raises(ValueError, match="update 8: loss/actor is"):
        learner.update(sequences, 8)


def test_a_run_that_diverges_keeps_what_was_saved(tmp_path):
    rewards = itertools.chain([1.0] * 45, itertools.repeat(1e12))
    with pytest.raises(ValueError, match=r"update [4-7]: loss/reward"):
        trained(tmp_path, 9, replace(TINY, batch=30), line(reward=lambda place, action: next(rewards)))
    assert Dreamer.load(tmp_path).task == "line"


def test_what_is_wrong_is_said(tmp_path):
    with pytest.raises(ValueError, match="is a board game"):
        trained(tmp_path, 1, task=make_game("tictactoe"))
    with pytest.raises(ValueError, match="length=50, episodes of line 11 rows at most"):
        trained(tmp_path, 1, replace(TINY, length=50), line())
    with pytest.raises(ValueError, match="wanted are pictures of uint8 or vectors"):
        trained(tmp_path, 1, task=replace(line(), observation_space=Box(0, 1, (4, 4), np.float32)))
    agent = Dreamer("line", networks(shape=(2,)), VECTORS)
    with pytest.raises(ValueError, match=r"observations must be \[B, 2\], got \[1, 3\]"):
        agent.act(agent.initial(1), turn_of(np.zeros((1, 3)), True), False)
    with pytest.raises(ValueError, match=r"observation\[0, 1\] is nan"):
        agent.act(agent.initial(1), turn_of(np.array([[0.0, np.nan]]), True), False)
    for wrong in ({"batch": 0}, {"horizon": 1}, {"discount": 1.1}, {"deviation": 0.0}, {"actor_layers": ()}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            replace(TINY, **wrong)
    trained(tmp_path / "run", 1, task=line())
    (tmp_path / "run" / "weights.safetensors").unlink()
    with pytest.raises(ValueError, match="is damaged"):
        Dreamer.load(tmp_path / "run")
