"""DreamerV2: its losses term by term, where gradients go, learning that goes on bit for bit, and wrong input."""

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
from sakiyomi.agents.dreamerv2 import Config, DreamerV2, Learner, Networks, dreamed, model_losses  # noqa: E402
from sakiyomi.agents.parts.episodes.controls import Controls  # noqa: E402
from sakiyomi.agents.parts.episodes.sequences import Episode, SequenceReplay  # noqa: E402
from sakiyomi.agents.parts.episodes.videos import open_loop  # noqa: E402
from sakiyomi.agents.parts.latent.batches import Batch  # noqa: E402
from sakiyomi.agents.parts.latent.behaviour import frozen, value_loss  # noqa: E402
from sakiyomi.agents.parts.latent.distributions import Gaussian, OneHot  # noqa: E402
from sakiyomi.agents.parts.latent.observing import shown_by  # noqa: E402
from sakiyomi.agents.parts.latent.paper_tasks import CONTROL_TASKS  # noqa: E402
from sakiyomi.agents.parts.latent.rssm import State  # noqa: E402
from sakiyomi.boards import make_game  # noqa: E402
from sakiyomi.envs import make_task  # noqa: E402
from sakiyomi.envs.task import Task  # noqa: E402

TINY = Config(
    deter=6, stoch=3, classes=4, hidden=5, depth=2, shrink=4, vector_layers=(7, 4), reward_layers=(5,),
    end_layers=(5,), actor_layers=(6,), value_layers=(5,), horizon=4, squash=False, batch=3, length=5, shortest=2,
    longest=7, prefill=20, pretrain=3, train_every=5, report_every=4, futures=4, save_every=0.0,
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


def dream_of(nets, starts=4, seed=3, terminal=None):
    """Starts, whether they are terminal, and the numbers of a dream."""
    rssm, horizon = nets.world.rssm, nets.config.horizon
    random = torch.randn(2, starts, 20, generator=dice(seed))
    state = State(random[0, :, : rssm.deter], random[1, :, : rssm.stoch], rssm.initial(starts).belief)
    noise = rssm.noise(horizon, starts, generator=dice(seed + 1))
    terminal = torch.zeros(starts, dtype=torch.bool) if terminal is None else terminal
    return state, terminal, noise, nets.actor.noise(horizon, starts, generator=dice(seed + 2))


def model_step(world, deter, stoch, action, embed):
    """The memory, and the posterior's and the prior's logits or outputs, of one step, written out."""
    rssm, cell = world.rssm, world.rssm.cell
    x = torch.nn.functional.elu(rssm.step_in(torch.cat([stoch, action], 1)))
    reset, candidate, update = cell.norm(cell.linear(torch.cat([x, deter], 1))).chunk(3, 1)
    update = torch.sigmoid(update - 1)
    deter = update * torch.tanh(torch.sigmoid(reset) * candidate) + (1 - update) * deter
    prior = rssm.prior_out(torch.nn.functional.elu(rssm.prior_in(deter)))[0]
    hidden = rssm.posterior_in(torch.cat([deter, embed], 1))
    return deter, rssm.posterior_out(torch.nn.functional.elu(hidden))[0], prior


SETTINGS = [
    {"predict_end": True, "squash": True, "free_nats": 0.0, "kl_weight": 0.1},
    {"predict_end": False, "reward_weight": 3.0, "free_nats": 1e3, "kl_weight": 1.0},
    {"classes": 0, "balance": 0.6, "free_nats": 0.0},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=["discrete", "free", "normal"])
@torch.no_grad()
def test_model_loss_term_by_term(settings):
    """The model run step by step, with sums written out in plain Python."""
    config = replace(TINY, deviation=0.5, **settings)
    world, batch = networks(config).world, batch_of()
    world.senses.standard.see(np.random.default_rng(3).normal(2, 3, (50, 4)))
    noise = world.rssm.noise(3, 5, generator=dice(5))
    before = dream_of(networks(config), starts=3)[0]
    terms, mean_kl, posteriors = model_losses(world, batch, before, noise)
    totals, kls = dict.fromkeys(("observation", "reward", "end"), 0.0), []
    batch.is_first[1, 0] = False  # of the second sequence, only here: to be told from what is forgotten
    for b in range(3):
        deter, stoch = before.deter[b][None], before.stoch[b][None]
        for t in range(5):
            keep = 0.0 if batch.is_first[b, t] or t == 0 else 1.0
            seen = ((batch.observations[b, t] - world.senses.standard.mean) / world.senses.standard.std).float()
            given = (deter * keep, stoch * keep, batch.actions[b, t][None] * keep)
            deter, posterior, prior = model_step(world, *given, world.senses.encoder(seen)[None])
            if config.classes:
                q, p = (torch.softmax(x.view(3, 4), 1) for x in (posterior, prior))
                stoch = torch.zeros(3, 4)
                for v in range(3):
                    stoch[v, int((torch.cumsum(q[v], 0) < noise[b, t, v]).sum())] = 1
                stoch = stoch.view(1, 12)
                kls.append((q * (q / p).log()).sum().item())
            else:
                q_std, p_std = (2 / (1 + (-x[3:] / 2).exp()) + 0.1 for x in (posterior, prior))
                stoch = (posterior[:3] + q_std * noise[b, t])[None]
                normals = (torch.distributions.Normal(x[:3], s) for x, s in ((posterior, q_std), (prior, p_std)))
                kls.append(torch.distributions.kl_divergence(*normals).sum().item())
            features = torch.cat([stoch, deter], 1)
            torch.testing.assert_close(posteriors.features[b, t][None], features)
            pairs = zip(seen.tolist(), world.decoder(features)[0].tolist(), strict=True)
            totals["observation"] -= sum(log_normal(o / 0.5, m / 0.5) for o, m in pairs)
            reward = batch.rewards[b, t].item()
            reward = math.tanh(reward) if config.squash else reward
            totals["reward"] -= config.reward_weight * log_normal(reward, world.reward(features).item())
            if world.end is not None:
                goes_on, chance = 0.999 * (not batch.is_terminal[b, t]), torch.sigmoid(world.end(features)).item()
                totals["end"] -= 5 * (goes_on * math.log(chance) + (1 - goes_on) * math.log(1 - chance))
    expected = {name: value / 15 for name, value in totals.items() if name != "end" or world.end is not None}
    expected["divergence"] = config.kl_weight * max(np.mean(kls), config.free_nats)  # both of the two are the same
    assert set(terms) == set(expected)
    for name, value in expected.items():
        assert terms[name].item() == pytest.approx(value, rel=1e-4), name
    assert mean_kl.item() == pytest.approx(np.mean(kls), rel=1e-4)


def test_states_are_carried_on_from_batch_to_batch():
    """Two halves, the second begun where the first ended, are the whole; but not where an episode begins."""
    nets, batch = networks(), batch_of(length=6)
    noise = nets.world.rssm.noise(3, 6, generator=dice(1))
    nothing = nets.world.rssm.initial(3)

    def posteriors(part, state):
        return model_losses(nets.world, batch[:, part], state, noise[:, part])[2]

    whole = posteriors(slice(None), nothing)
    one = posteriors(slice(0, 3), nothing)
    two = posteriors(slice(3, 6), one[:, -1])
    torch.testing.assert_close(two.features, whole.features[:, 3:])
    other = posteriors(slice(3, 6), one[:, -1].map(lambda x: x + 1))
    torch.testing.assert_close(other.features[0], two.features[0])  # there an episode begins
    assert not torch.allclose(other.features[1:], two.features[1:])


def test_learner_carries_its_states():
    nets = networks()
    learner = Learner(nets, 0)
    assert learner.state.deter.abs().sum() == 0
    learner.update(sequences_of(), 1)
    assert (learner.state.deter.abs().sum(dim=1) > 0).all()
    assert not learner.state.deter.requires_grad


def sequences_of(seed=0, controls=VECTORS):
    """A batch as a replay would give it."""
    batch = batch_of(seed=seed, controls=controls)
    return SimpleNamespace(**{name: getattr(batch, name).numpy() for name in batch.__dataclass_fields__})


@pytest.mark.parametrize("controls", [VECTORS, CHOICES], ids=["vectors", "choices"])
@pytest.mark.parametrize("reinforce", [None, 0.0, 0.3, 1.0])
@pytest.mark.parametrize("ends", [False, True], ids=["constant", "ends"])
@torch.no_grad()
def test_behaviour_losses_term_by_term(controls, reinforce, ends):
    """Paths imagined a step at a time; the action in s_t goes with the return from s_{t+1} on and the value of s_t."""
    nets = networks(replace(TINY, reinforce=reinforce, horizon=3, entropy=0.2, predict_end=ends), controls=controls)
    for each in nets.target.parameters():
        each += 0.3 * torch.randn(each.shape, generator=dice(8))  # not the critic
    terminal = torch.tensor([False, True, False, False])
    starts, terminal, noise, draws = dream_of(nets, terminal=terminal)
    dream = dreamed(nets, starts, terminal, noise, draws)
    share = (1.0 if controls.discrete else 0.0) if reinforce is None else reinforce
    states, actions = [starts], []
    for h in range(3):
        actions.append(nets.actor(states[-1].features).draw(draws[h]))
        states.append(nets.world.rssm.imagine(states[-1], actions[-1][None], noise=noise[h : h + 1])[0])
    actor, critic = 0.0, 0.0
    for n in range(4):
        features = [each.features[n] for each in states]
        reward, slow, fast = ([net(f).item() for f in features] for net in (nets.world.reward, nets.target, nets.value))
        if ends:
            discount = [0.999 * (not terminal[n]), *(torch.sigmoid(nets.world.end(f)).item() for f in features[1:])]
        else:
            discount = [0.999] * 4
        returns = [0.0, 0.0, 0.0, slow[3]]
        for t in (2, 1, 0):
            returns[t] = reward[t] + discount[t] * (0.05 * slow[t + 1] + 0.95 * returns[t + 1])
        weights = [1.0, discount[0], discount[0] * discount[1]]
        for t in range(3):
            critic -= weights[t] * log_normal(returns[t], fast[t])
        for t in range(2):
            policy = nets.actor(features[t])
            plain = share * policy.log_prob(actions[t][n]).item() * (returns[t + 1] - slow[t])
            actor -= weights[t] * (plain + (1 - share) * returns[t + 1] + 0.2 * policy.entropy().item())
    assert dream.loss.item() == pytest.approx(actor / 8, rel=1e-4)
    loss = value_loss(nets.value(dream.features[:-1]), dream.returns, dream.weights)
    assert loss.item() == pytest.approx(critic / 12, rel=1e-4)


@pytest.mark.parametrize("controls", [VECTORS, CHOICES], ids=["vectors", "choices"])
@pytest.mark.parametrize("reinforce", [0.0, 1.0], ids=["dynamics", "reinforce"])
def test_where_gradients_go(controls, reinforce):
    """With either gradient, and without entropy, the actor learns, and it alone. Choices pass gradients, too."""
    nets = networks(replace(TINY, reinforce=reinforce, entropy=0.0), controls=controls)
    dream_of_it = dream_of(nets)
    with frozen(nets.world):
        dream = dreamed(nets, *dream_of_it)
    dream.loss.backward()
    assert all(each.grad is not None and each.grad.abs().sum() > 0 for each in nets.actor.parameters())
    others = (nets.world, nets.value, nets.target)
    assert all(each.grad is None for net in others for each in net.parameters())
    nets.zero_grad(set_to_none=True)
    value_loss(nets.value(dream.features[:-1].detach()), dream.returns, dream.weights).backward()
    assert all(each.grad is not None for each in nets.value.parameters())
    assert all(each.grad is None for net in (nets.world, nets.actor, nets.target) for each in net.parameters())
    nets.zero_grad(set_to_none=True)
    state, noise = nets.world.rssm.initial(3), torch.full((3, 5, 3), 0.5)
    sum(model_losses(nets.world, batch_of(controls=controls), state, noise)[0].values()).backward()
    assert all(each.grad is not None and each.grad.abs().sum() > 0 for each in nets.world.parameters())
    assert all(each.grad is None for net in (nets.actor, nets.value) for each in net.parameters())


def test_nothing_counts_after_an_end():
    """From a terminal start, only the first action has a weight, and the critic's target is the reward alone."""
    nets = networks(controls=CHOICES)
    starts, terminal, noise, draws = dream_of(nets, terminal=torch.tensor([True, False, True, False]))
    dream = dreamed(nets, starts, terminal, noise, draws)
    assert (dream.weights[0] == 1).all()
    assert (dream.weights[1:, [0, 2]] == 0).all()
    assert (dream.weights[1:, [1, 3]] > 0).all()
    torch.testing.assert_close(dream.returns[0, [0, 2]], nets.world.reward(starts.features)[[0, 2]])


class Bandit:
    """The state is the arm that was pulled last, its reward is in the features: no arm changes what comes later."""

    classes, deter = 0, 0

    def dream(self, state, policy, horizon, *, noise):
        stoch, actions = [state.stoch], []
        for h in range(horizon):
            actions.append(policy(State(stoch[-1][:, :0], stoch[-1], None), h))
            stoch.append(actions[-1])
        stoch = torch.stack(stoch[1:])
        return State(stoch[..., :0], stoch, Gaussian(stoch, stoch)), torch.stack(actions)


class Arms:
    """A choice whose logits are the same everywhere."""

    discrete = True

    def __init__(self):
        self.logits = torch.tensor([0.3, -0.2], requires_grad=True)

    def __call__(self, features):
        return OneHot(self.logits.expand(*features.shape[:-1], 2))


def bandit(arms, reinforce, pays=(0.0, 1.0), entropy=0.0):
    return SimpleNamespace(
        config=Config(horizon=3, discount=0.8, trace=1.0, reinforce=reinforce, entropy=entropy),
        world=SimpleNamespace(
            rssm=Bandit(),
            reward=lambda f: f @ torch.tensor(pays),
            discounts=lambda f, terminal: torch.full(f.shape[:-1], 0.8),
        ),
        actor=arms,
        target=lambda f: torch.zeros(f.shape[:-1]),
    )


def dream_with(nets, starts, seed):
    state = State(torch.zeros(starts, 0), torch.tensor([[1.0, 0.0]]).expand(starts, 2), None)
    return dreamed(nets, state, torch.zeros(starts), torch.zeros(3), torch.rand(3, starts, generator=dice(seed)))


@pytest.mark.parametrize("reinforce", [0.0, 0.5, 1.0])
def test_gradient_of_a_bandit_is_the_exact_one(reinforce):
    """The mean of many dreams, against the derivative of p(better) (1 + 0.8 + ...), which the dynamics give exactly.

    With REINFORCE an action is judged by what comes after it alone; with the wrong step's return it would be by
    nothing. Straight through the dynamics, each return holds what all actions before it changed: here, only its own.
    """
    arms = Arms()
    dream = dream_with(bandit(arms, reinforce), 200_000, seed=1)
    (gradient,) = torch.autograd.grad(dream.loss, arms.logits)
    p = torch.softmax(arms.logits.detach(), 0)
    slope = torch.stack([-p[0] * p[1], p[0] * p[1]])  # of p[1]
    plain = (1 + 0.8) * slope / 2  # t = 0, 1: the weight, and the reward that follows
    through = (1 + 0.8 + 0.8) * slope / 2  # and G_1 has the reward of the action after it
    expected = -(reinforce * plain + (1 - reinforce) * through)
    torch.testing.assert_close(gradient, expected, rtol=0.03, atol=0)


def test_better_arm_is_preferred():
    arms = Arms()
    optimizer = torch.optim.Adam([arms.logits], 0.1)
    for step in range(60):
        optimizer.zero_grad()
        dream_with(bandit(arms, 1.0), 50, seed=step).loss.backward()
        optimizer.step()
    assert torch.softmax(arms.logits, 0)[1] > 0.95


def test_entropy_is_rewarded_once():
    """Without pay the loss is -weight * entropy, log 2 for equal chances; and a greater weight gives more entropy."""
    arms = Arms()
    with torch.no_grad():
        arms.logits.zero_()
    loss = dream_with(bandit(arms, 1.0, pays=(0.0, 0.0), entropy=0.7), 10, seed=0).loss
    assert loss.item() == pytest.approx(-0.7 * math.log(2) * (1 + 0.8) / 2, rel=1e-6)
    entropies = []
    for weight in (0.1, 1.0):
        arms = Arms()
        optimizer = torch.optim.Adam([arms.logits], 0.1)
        for step in range(60):
            optimizer.zero_grad()
            dream_with(bandit(arms, 1.0, entropy=weight), 50, seed=step).loss.backward()
            optimizer.step()
        entropies.append(OneHot(arms.logits).entropy().item())
    assert entropies[1] > entropies[0] + 0.2


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


def test_critic_is_copied_every_hundred_updates():
    config = replace(TINY, starts=2, batch=3)
    nets = networks(config)
    learner, before = Learner(nets, 0), {name: each.clone() for name, each in nets.target.state_dict().items()}
    sequences = sequences_of()
    for number in range(1, 100):
        learner.update(sequences, number)
    assert all(torch.equal(before[name], each) for name, each in nets.target.state_dict().items())
    learner.update(sequences, 100)
    assert all(torch.equal(nets.value.state_dict()[name], each) for name, each in nets.target.state_dict().items())
    assert not torch.equal(before["layers.0.weight"], nets.target.layers[0].weight)


def test_papers_sizes():
    """22 million for Atari with the actor and the critic; 18 actions, one grey picture."""
    nets = Networks(Config(), (64, 64), Controls(choices=18), seed=0)
    count = {name: sum(each.numel() for each in part.parameters()) for name, part in nets.named_children()}
    assert count["world"] == pytest.approx(19.98e6, rel=1e-3)
    assert count["actor"] == pytest.approx(1.14e6, rel=5e-3)
    assert count["value"] == pytest.approx(1.13e6, rel=5e-3)
    vision = Networks(DreamerV2.presets["dmc_vision"], (64, 64, 3), Controls(low=(-1.0,) * 6, high=(1.0,) * 6), seed=0)
    assert sum(each.numel() for each in vision.world.parameters()) == pytest.approx(13.66e6, rel=1e-3)


def test_papers_settings():
    presets = DreamerV2.presets
    assert next(iter(presets)) == "discrete_quick"
    atari, paper, control = presets["atari"], presets["atari_paper"], presets["dmc_vision"]
    assert atari == Config()
    assert (atari.kl_weight, atari.free_nats, atari.balance, atari.end_weight) == (0.1, 0.0, 0.8, 5.0)
    assert (atari.discount, atari.trace, atari.horizon, atari.squash, atari.predict_end) == (
        0.999,
        0.95,
        15,
        True,
        True,
    )
    assert (atari.model_rate, atari.actor_rate, atari.value_rate, atari.entropy) == (2e-4, 4e-5, 1e-4, 1e-3)
    assert (atari.epsilon, atari.clip, atari.decay, atari.slow_copy) == (1e-5, 100, 1e-6, 100)
    assert (atari.batch, atari.train_every, atari.prefill, atari.pretrain, atari.ends) == (16, 16, 50_000, 1, True)
    assert (paper.batch, paper.train_every, paper.discount) == (50, 4, 0.995)
    assert (control.kl_weight, control.free_nats, control.predict_end, control.squash) == (1.0, 1.0, False, False)
    assert (control.deter, control.hidden, control.discount, control.entropy) == (200, 200, 0.99, 1e-4)
    assert (control.model_rate, control.actor_rate, control.value_rate) == (3e-4, 8e-5, 8e-5)
    assert (control.prefill, control.pretrain, control.train_every) == (1000, 100, 5)
    assert (atari.share(discrete=True), control.share(discrete=False)) == (1.0, 0.0)
    assert replace(atari, reinforce=0.1).share(discrete=True) == 0.1
    assert not presets["ALE/Pong-v5@dreamer"].squash  # the task does
    assert {f"dmc/{task}@{seen}" for task in CONTROL_TASKS for seen in ("dreamer", "proprio")} < set(presets)


def trained(folder, rounds, config=TINY, task="pendulum", seed=0, resume=False, then=lambda number: None):
    """The figures of each round."""
    task = make_task(task) if isinstance(task, str) else task
    figures, run = [], DreamerV2.train(task, folder, ALWAYS, config=config, seed=seed, resume=resume)
    for progress in run:
        figures.append({"env": progress.environment_steps, "steps": progress.steps, **progress.scalars})
        then(len(figures))
        if len(figures) == rounds:
            run.close()
    return figures


@pytest.mark.parametrize("discrete", [False, True], ids=["vectors", "choices"])
def test_what_is_resumed_goes_on_bit_for_bit(tmp_path, discrete):
    """Beside a run, what a kill in its last round leaves if the second was saved last, in the midst of an episode."""
    config, task = replace(TINY, slow_copy=3, starts=7, ends=True), line(discrete=discrete, ends=True, steps=13)

    def keep(number):
        if number == 2:
            shutil.copytree(tmp_path / "run", tmp_path / "killed")

    straight = trained(tmp_path / "run", 4, config, task, then=keep)
    shutil.copytree(tmp_path / "run" / "episodes", tmp_path / "killed" / "episodes", dirs_exist_ok=True)
    resumed = trained(tmp_path / "killed", 2, config, task, resume=True)
    assert resumed == straight[2:]
    one, other = (DreamerV2.load(tmp_path / name).nets.state_dict() for name in ("run", "killed"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert trained(tmp_path / "other", 1, config, task, seed=1)[0] != straight[0]


def test_updates_are_per_decision_and_steps_the_simulators(tmp_path):
    """Each action is played 4 times: rounds of 4 times 5 decisions are 80 steps; an update each but the first four."""
    task = line(reward=lambda place, action: 1.0, repeat=4)
    figures = trained(tmp_path, 3, replace(TINY, prefill=22), task)
    assert [each["env"] for each in figures] == [80, 160, 240]
    assert [each["steps"] for each in figures] == [0, 3 + 3, 3 + 7]
    assert figures[1]["return/episode"] == 40
    losses = {"loss/observation", "loss/reward", "loss/divergence", "loss/end", "loss/actor", "loss/value"}
    assert losses < set(figures[-1])
    assert {"model/error 1 ahead", "actor/entropy", "dream/return", "model/divergence"} < set(figures[-1])


@pytest.mark.parametrize("by_length", [False, True])
def test_episodes_are_drawn_as_its_settings_say(tmp_path, monkeypatch, by_length):
    asked, drawn = set(), SequenceReplay.stretch

    def spied(self, *args, **settings):
        asked.add(tuple(sorted(settings.items())))
        return drawn(self, *args, **settings)

    monkeypatch.setattr(SequenceReplay, "stretch", spied)
    trained(tmp_path, 4, replace(TINY, by_length=by_length, ends=True))
    assert asked == {(("by_length", by_length), ("ends", True))}


def test_quick_presets_see_how_episodes_end():
    quick, cartpole, pixels = (
        DreamerV2.presets[name] for name in ("discrete_quick", "gym/CartPole-v1", "pixels_quick")
    )
    assert all(each.ends and each.by_length for each in (quick, cartpole, pixels))
    assert not any(DreamerV2.presets[name].by_length for name in ("atari", "atari_paper", "dmc_vision"))
    assert (cartpole.train_every, cartpole.slow_copy, cartpole.value_rate) == (2, 20, 1e-3)
    assert (pixels.deviation, pixels.clip, pixels.kl_weight, pixels.reward_weight) == (1.0, 100.0, 0.05, 100.0)


def test_its_errors_are_those_of_its_learner_and_of_a_seed():
    rows = np.random.default_rng(0).normal(size=(12, 4)).astype("f4")
    episode, nets = Episode.of(rows, np.ones((11, 2)), np.arange(11.0), True), networks()
    agent, learner = DreamerV2("line", nets, VECTORS), Learner(nets, 3)
    assert "model/error 1 ahead" in agent.errors(episode.rows)
    assert agent.errors(episode.rows, seed=3) == learner.errors(episode.rows) != agent.errors(episode.rows, seed=4)


def test_atari_games_are_seen():
    """As the paper shows them, a screen in a stack of one; what is foreseen is of the same kind."""
    pytest.importorskip("ale_py")
    task = make_task("ALE/Pong-v5@dreamer")
    config = replace(TINY, shrink=4)
    agent = DreamerV2(task.name, networks(config, *shown_by(task)[:1], controls=Controls.of(task)), Controls.of(task))
    seen, _ = task.make(seed=0).reset(seed=0)
    turn = turn_of(seen[None], True)
    _, carry = agent.act(agent.initial(1), turn, explore=True)
    assert agent.foresee(carry, turn).future["observation"].mean.shape[1:] == seen.shape == (1, 64, 64)


def test_acts_as_it_is_asked_to():
    agent, turn = DreamerV2("line", networks(shape=(2,)), VECTORS), turn_of(np.zeros((300, 2)), True)
    chosen, carry = agent.act(agent.initial(300, 1), turn, explore=True)
    torch.testing.assert_close(carry.action * torch.tensor([1.0, 2.0]), torch.from_numpy(chosen).float())
    assert (np.abs(chosen) <= [1, 2]).all()
    assert (agent.act(agent.initial(300, 1), turn, explore=True)[0] == chosen).all()
    with torch.no_grad():
        mean = agent.nets.actor(carry.state.features).mean
    best, other = agent.act(agent.initial(300, 1), turn, explore=False)
    np.testing.assert_allclose(best, mean * torch.tensor([1.0, 2.0]), rtol=1e-5)
    torch.testing.assert_close(other.state.features, carry.state.features)


def turn_of(observations, first=False):
    observations = np.asarray(observations)
    rows = len(observations)
    return Turn(observations, np.full(rows, first), np.zeros(rows, np.float32))


def test_learns_to_choose_in_imagination(tmp_path):
    """The choice 2 pays: a model learned from random choices is enough to find it."""
    config = replace(
        TINY, deter=24, classes=6, hidden=24, vector_layers=(24, 16), reward_layers=(24,), end_layers=(8,),
        actor_layers=(24,), value_layers=(24,), deviation=0.2, batch=8, length=8, shortest=8, longest=8,
        reward_weight=10.0, model_rate=3e-3, actor_rate=3e-3, value_rate=3e-3, horizon=4, starts=32, discount=0.9,
    )  # fmt: skip
    nets, rng = Networks(config, (2,), CHOICES, 0), np.random.default_rng(0)
    replay = SequenceReplay(tmp_path, (2,), np.float32, 3, 10_000)
    for number in range(30):
        env, actions = Line(lambda place, action: action, discrete=True), rng.integers(3, size=10)
        seen = [env.reset(seed=number)[0], *(env.step(action)[0] for action in actions)]
        replay.add(Episode.of(np.stack(seen), CHOICES.encoded(actions), actions - 1.0, False))
    nets.world.senses.standard.see(replay.read(np.arange(1), len(replay)).observations[0])
    learner = Learner(nets, 0)
    figures = [learner.update(replay.sample(8, 8, rng), number) for number in range(1, 151)]
    agent = DreamerV2("line", nets, CHOICES)
    turn = turn_of([[0.3, 1.0], [-2.0, 1.0]], True)
    actions, carry = agent.act(agent.initial(2, seed=1), turn, explore=False)
    assert (actions == 2).all()
    assert figures[-1]["actor/entropy"] < 0.8 * figures[0]["actor/entropy"]
    assert figures[-1]["loss/reward"] - 10 * 0.5 * math.log(2 * math.pi) < 0.7
    foresight = agent.foresee(carry, turn, row=1)
    assert (foresight.plan == 2).all()
    assert foresight.plan.shape == (4,)
    assert foresight.actions.shape == (1,)
    seen, goes_on = foresight.future["observation"], foresight.future["continue"]
    assert (seen.mean.shape, seen.std.shape, seen.samples.shape) == ((4, 2), (4, 2), (4, 4, 2))
    assert (goes_on.mean > 0.8).all()
    np.testing.assert_allclose(foresight.future["reward"].mean, 1, atol=0.5)
    again, _ = agent.act(agent.initial(2, seed=1), turn, explore=False)
    assert (again == actions).all()  # looking changed nothing, and chance is the seed's


@pytest.mark.parametrize("classes", [4, 0], ids=["discrete", "normal"])
def test_learns_from_pictures(tmp_path, classes):
    config = replace(TINY, batch=2, classes=classes, train_every=20, prefill=60, pretrain=1)
    figures = trained(tmp_path, 2, config, "point-mass@pixels")
    assert figures[-1]["steps"] == 6
    agent, task = DreamerV2.load(tmp_path), make_task("point-mass@pixels")
    assert (agent.task, agent.config) == ("point-mass@pixels", config)
    loop = open_loop(agent, task, context=2)
    assert loop.truth.shape == loop.predicted.shape == (4, 64, 64, 3)


def test_rows_of_a_batch_do_not_meet():
    """What one episode shows changes nothing for the others, and a new episode forgets the last."""
    agent = DreamerV2("line", networks(shape=(2,)), VECTORS)
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
    nets, batch = networks(TINY, controls=CHOICES), batch_of(controls=CHOICES)
    state = nets.world.rssm.initial(3)
    dream_of_it, noise = dream_of(nets), nets.world.rssm.noise(3, 5, generator=dice())
    with torch.no_grad():
        whole = model_losses(nets.world, batch, state, noise)[0] | {"actor": dreamed(nets, *dream_of_it).loss}
        with torch.autocast("cpu", torch.bfloat16):
            half = model_losses(nets.world, batch, state, noise)[0] | {"actor": dreamed(nets, *dream_of_it).loss}
    for name, value in half.items():
        assert value.dtype == torch.float32, name
        torch.testing.assert_close(value, whole[name], rtol=0.02, atol=0.02)


@pytest.mark.slow
def test_losses_are_graphs_that_compile():
    nets, batch = networks(TINY), batch_of()
    noise, dream = nets.world.rssm.noise(3, 5, generator=dice()), dream_of(nets)
    for function, given in (
        (model_losses, (nets.world, batch, nets.world.rssm.initial(3), noise)),
        (dreamed, (nets, *dream)),
    ):
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
        nets.target.layers[-1].bias += np.inf
    with pytest.raises(ValueError, match="update 8: loss/actor is"):
        learner.update(sequences, 8)


def test_a_run_that_diverges_keeps_what_was_saved(tmp_path):
    rewards = itertools.chain([1.0] * 45, itertools.repeat(1e12))
    with pytest.raises(ValueError, match=r"update [4-9]: loss/reward"):
        trained(tmp_path, 9, replace(TINY, batch=30), line(reward=lambda place, action: next(rewards)))
    assert DreamerV2.load(tmp_path).task == "line"


def test_what_is_wrong_is_said(tmp_path):
    with pytest.raises(ValueError, match="is a board game"):
        trained(tmp_path, 1, task=make_game("tictactoe"))
    with pytest.raises(ValueError, match="length=50, episodes of line 11 rows at most"):
        trained(tmp_path, 1, replace(TINY, shortest=50, longest=50), line())
    with pytest.raises(ValueError, match="wanted are pictures of uint8 or vectors"):
        trained(tmp_path, 1, task=replace(line(), observation_space=Box(0, 1, (4, 4), np.float32)))
    agent = DreamerV2("line", networks(shape=(2,)), VECTORS)
    with pytest.raises(ValueError, match=r"observations must be \[B, 2\], got \[1, 3\]"):
        agent.act(agent.initial(1), turn_of(np.zeros((1, 3)), True), False)
    with pytest.raises(ValueError, match=r"observation\[0, 1\] is nan"):
        agent.act(agent.initial(1), turn_of(np.array([[0.0, np.nan]]), True), False)
    for wrong in (
        {"batch": 0},
        {"horizon": 1},
        {"discount": 1.1},
        {"longest": 1},
        {"reinforce": 2.0},
        {"deviation": 0.0},
        {"actor_layers": ()},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            replace(TINY, **wrong)
    trained(tmp_path / "run", 1, task=line())
    (tmp_path / "run" / "weights.safetensors").unlink()
    with pytest.raises(ValueError, match="is damaged"):
        DreamerV2.load(tmp_path / "run")
