"""PlaNet: its loss term by term, what its planner finds, learning that goes on bit for bit, and input that is wrong."""

import itertools
import math
import shutil
from dataclasses import replace

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

torch = pytest.importorskip("torch")

from sakiyomi.agents.agent import TrainingBudget, Turn  # noqa: E402
from sakiyomi.agents.parts.episodes.controls import Controls  # noqa: E402
from sakiyomi.agents.parts.episodes.sequences import Episode, SequenceReplay  # noqa: E402
from sakiyomi.agents.parts.episodes.videos import open_loop  # noqa: E402
from sakiyomi.agents.parts.latent.batches import Batch  # noqa: E402
from sakiyomi.agents.planet import PAPER_TASKS, Config, Learner, Model, PlaNet, losses  # noqa: E402
from sakiyomi.boards import make_game  # noqa: E402
from sakiyomi.envs import make_task  # noqa: E402
from sakiyomi.envs.task import Task  # noqa: E402

TINY = Config(
    deter=6,
    stoch=3,
    hidden=5,
    depth=2,
    shrink=4,
    vector_layers=(7, 4),
    reward_layers=(5,),
    batch=3,
    length=5,
    updates=2,
    seed_episodes=2,
    horizon=3,
    iterations=2,
    population=8,
    elites=3,
    futures=4,
)
ALWAYS = TrainingBudget(environment_steps=10**9)
ONE, TWO = (Controls(low=(-1.0,) * size, high=(1.0,) * size) for size in (1, 2))


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Line(gymnasium.Env):
    """A point on a line, moved by the action; ten steps. `reward` is of the place, the last action and chance."""

    observation_space = Box(-20, 20, (2,), np.float32)
    action_space = Box(-2.0, 2.0, (1,), np.float32)

    def __init__(self, reward=lambda place, action: -abs(place), steps=10):
        self.reward_of, self.steps = reward, steps

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.time = self.np_random.uniform(-1, 1), 0
        return self.seen(), {}

    def step(self, action):
        self.place, self.time = self.place + float(action[0]), self.time + 1
        return self.seen(), self.reward_of(self.place, float(action[0])), False, self.time >= self.steps, {}

    def seen(self):
        return np.array([self.place, 1.0], np.float32)


def line(**settings):
    env = Line(**settings)
    return Task("line", env.observation_space, env.action_space, 10, (-99, 99), lambda: Line(**settings))


def sequences_in(folder, shape, kind=np.float32, actions=2, rows=12, seed=0, length=5, batch=3):
    """Drawn from two episodes of random numbers, the first of which ends within the replay."""
    rng, replay = np.random.default_rng(seed), SequenceReplay(folder, shape, kind, actions, 1000)
    for _ in range(2):
        seen = rng.integers(256, size=(rows, *shape)) if kind == np.uint8 else rng.normal(size=(rows, *shape))
        episode = Episode.of(
            seen.astype(kind), rng.uniform(-1, 1, (rows - 1, actions)), rng.normal(size=rows - 1), False
        )
        replay.add(episode)
    return replay.sample(batch, length, rng, across=True)


def batch_in(*args, **settings):
    return Batch.of(sequences_in(*args, **settings), torch.device("cpu"))


def dice(seed=5):
    return torch.Generator().manual_seed(seed)


def trained(folder, episodes, config=TINY, task="pendulum", seed=0, resume=False, then=lambda number: None):
    """The figures of each episode."""
    task = make_task(task) if isinstance(task, str) else task
    figures, run = [], PlaNet.train(task, folder, ALWAYS, config=config, seed=seed, resume=resume)
    for progress in run:
        figures.append({"env": progress.environment_steps, "steps": progress.steps, **progress.scalars})
        then(len(figures))
        if len(figures) == episodes:
            run.close()
    return figures


def turn_of(observations, first=False):
    observations = np.asarray(observations)
    rows = len(observations)
    return Turn(observations, np.full(rows, first), np.zeros(rows, np.float32))


def log_normal(x, mean, std):
    return -0.5 * ((x - mean) / std) ** 2 - math.log(std) - 0.5 * math.log(2 * math.pi)


@pytest.mark.parametrize("dynamics", ["recurrent", "stochastic", "deterministic"])
def test_loss_term_by_term(tmp_path, dynamics):
    """The model run step by step, with sums written out in plain Python."""
    config = replace(TINY, dynamics=dynamics, free_nats=0.7, reward_weight=3.0, kl_weight=0.2)
    model = Model(config, (4,), TWO, seed=1)
    model.senses.standard.see(np.random.default_rng(3).normal(2, 3, (50, 4)))
    batch = batch_in(tmp_path, (4,), seed=2)
    assert batch.is_first[:, 1:].any()
    terms, kl = losses(model, batch, dice())
    with torch.no_grad():
        noise = model.rssm.noise(3, 5, generator=dice())
        totals = {"observation": 0.0, "reward": 0.0, "divergence": 0.0, "kl": 0.0}
        for b in range(3):
            deter, stoch = torch.zeros(1, model.rssm.deter), torch.zeros(1, 3)
            for t in range(5):
                keep = 0.0 if batch.is_first[b, t] else 1.0
                standard = model.senses.standard
                seen = (batch.observations[b, t] - standard.mean) / standard.std
                seen = seen.float()
                action = batch.actions[b, t][None] * keep
                x = torch.relu(model.rssm.step_in(torch.cat([stoch * keep, action], 1)))
                deter = model.rssm.cell(x, deter * keep) if dynamics != "stochastic" else deter
                given = x if dynamics == "stochastic" else deter
                hidden = given if dynamics == "stochastic" else torch.relu(model.rssm.prior_in(given))
                q_hidden = torch.relu(model.rssm.posterior_in(torch.cat([given, model.senses(seen)[None]], 1)))
                (p_mean, p_raw), (q_mean, q_raw) = (
                    out(h)[0].chunk(2)
                    for out, h in ((model.rssm.prior_out, hidden), (model.rssm.posterior_out, q_hidden))
                )
                p_std, q_std = (torch.log(1 + raw.exp()) + 0.1 for raw in (p_raw, q_raw))
                stoch = (q_mean if dynamics == "deterministic" else q_mean + q_std * noise[b, t])[None]
                features = torch.cat([stoch, deter], 1)
                decoded = model.decoder(features)[0]
                totals["observation"] -= sum(
                    log_normal(float(o), float(m), 1.0) for o, m in zip(seen, decoded, strict=True)
                )
                totals["reward"] -= 3 * log_normal(float(batch.rewards[b, t]), float(model.reward(features)), 1.0)
                each = float(
                    (p_std / q_std).log().sum() + ((q_std**2 + (q_mean - p_mean) ** 2) / (2 * p_std**2)).sum() - 3 / 2
                )
                totals["divergence"] += 0.2 * max(each, 0.7)
                totals["kl"] += each
    for name, term in {**terms, "kl": kl}.items():
        np.testing.assert_allclose(term.item(), totals[name] / 15, rtol=1e-4, err_msg=name)


def test_pixels_are_added_up_not_averaged(tmp_path):
    model = Model(replace(TINY, shrink=1), (16, 16, 3), TWO, seed=0)
    for parameter in model.decoder.parameters():
        torch.nn.init.zeros_(parameter)
    batch = batch_in(tmp_path, (16, 16, 3), np.uint8)
    terms, _ = losses(model, batch, dice())
    seen = model.senses.seen(batch.observations, dice())
    expected = 0.5 * (seen**2).sum(dim=(2, 3, 4)).mean() + 16 * 16 * 3 * 0.5 * math.log(2 * math.pi)
    torch.testing.assert_close(terms["observation"], expected, rtol=1e-5, atol=0)


def test_pictures_are_seen_in_five_bits_around_zero():
    """Every value is in the middle half or so of the range, its bits are right, and nothing is normalised twice."""
    model = Model(replace(TINY, shrink=1), (16, 16, 3), TWO, seed=0)
    pictures = np.random.default_rng(0).integers(256, size=(20, 16, 16, 3), dtype=np.uint8)
    seen = model.senses.seen(torch.from_numpy(pictures), dice(0))
    assert seen.shape == (20, 3, 16, 16)
    assert -0.5 <= float(seen.min()) < -0.49
    assert 0.49 < float(seen.max()) < 0.5
    counts, _ = np.histogram(seen.numpy(), bins=32, range=(-0.5, 0.5))
    by_hand = np.bincount((pictures >> 3).ravel(), minlength=32)
    assert (counts == by_hand).all()
    shown = model.senses.shown(seen)
    assert shown.dtype == np.uint8
    assert np.abs(shown.astype(int) - pictures).max() <= 8  # one of 32 steps
    assert (np.abs(shown[0, :, :, 0].astype(int) - pictures[0, :, :, 0]) <= 8).all()  # rows are rows, colours colours


def test_pictures_are_shrunk_by_averages_and_enlarged_again():
    model = Model(TINY, (64, 64, 3), TWO, seed=0)
    pictures = np.zeros((1, 64, 64, 3), np.uint8)
    pictures[0, :4, 4:8, 1] = 240
    pictures[0, 4:6, :4, 2] = 200
    seen = model.senses.seen(torch.from_numpy(pictures), dice(0))
    assert seen.shape == (1, 3, 16, 16)
    assert 240 / 256 - 0.5 <= seen[0, 1, 0, 1] < 248 / 256 - 0.5
    assert 96 / 256 - 0.5 <= seen[0, 2, 1, 0] < 104 / 256 - 0.5  # half of 200
    shown = model.senses.shown(seen)
    assert shown.shape == (1, 64, 64, 3)
    assert (shown[0, :4, 4:8, 1] > 235).all()
    with pytest.raises(ValueError, match="squares"):
        Model(TINY, (64, 48, 3), TWO, seed=0)


def test_overshooting_of_one_step_is_the_one_step_bound(tmp_path):
    batch = batch_in(tmp_path, (4,))
    plain = losses(Model(TINY, (4,), TWO, seed=1), batch, dice())[0]
    one, three = (losses(Model(replace(TINY, overshooting=d), (4,), TWO, seed=1), batch, dice())[0] for d in (1, 3))
    torch.testing.assert_close(plain["divergence"], one["divergence"])
    assert set(three) == set(plain)
    assert not torch.allclose(three["divergence"], one["divergence"])
    torch.testing.assert_close(three["observation"], plain["observation"])  # decoded one step ahead only


def test_every_parameter_learns(tmp_path):
    for shape, kind in (((4,), np.float32), ((64, 64, 3), np.uint8)):
        model = Model(replace(TINY, free_nats=0.0), shape, TWO, seed=1)
        terms, _ = losses(model, batch_in(tmp_path / str(len(shape)), shape, kind), dice(0))
        sum(terms.values()).backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


def test_free_nats_leave_the_prior_alone_below_them(tmp_path):
    model = Model(replace(TINY, free_nats=1e6), (4,), TWO, seed=1)
    terms, _ = losses(model, batch_in(tmp_path, (4,)), dice(0))
    assert terms["divergence"].item() == 1e6
    sum(terms.values()).backward()
    assert model.rssm.prior_out.weight.grad.abs().sum() == 0


def test_papers_sizes():
    """Section 5 and appendix A: 1024 numbers of an embedding, a memory of 200, 30 stochastic numbers, one action."""
    model = Model(Config(), (64, 64, 3), ONE, seed=0)
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    assert count["senses"] == 690_144
    assert count["decoder"] == 3_795_555
    assert count["rssm"] == 556_920
    assert count["reward"] == 230 * 200 + 200 + 200 * 200 + 200 + 201
    assert set(PlaNet.presets) > {"dmc", "state_quick", "pixels_quick", *(f"dmc/{task}@planet" for task in PAPER_TASKS)}


def test_one_batch_is_learned_by_heart(tmp_path):
    config = replace(
        TINY, deter=32, stoch=8, hidden=32, vector_layers=(32, 32), reward_layers=(32,), deviation=0.1, rate=3e-3
    )
    model = Model(config, (2,), ONE, seed=0)
    model.senses.standard.see(np.random.default_rng(0).normal(size=(100, 2)))
    sequences, learner = sequences_in(tmp_path, (2,), actions=1), Learner(model, seed=0)
    figures = [learner.update(sequences, number) for number in range(200)]
    assert figures[-1]["loss/reward"] - 0.5 * math.log(2 * math.pi) < 0.2 * figures[0]["loss/reward"]
    assert figures[-1]["loss/observation"] < 0.05 * figures[0]["loss/observation"]


def course(episodes, reward, seed=0, steps=10):
    """Episodes of `Line` with random actions."""
    env, rng = Line(reward, steps), np.random.default_rng(seed)
    for number in range(episodes):
        seen, actions, rewards = [env.reset(seed=seed + number)[0]], [], []
        for _ in range(steps):
            actions.append(rng.uniform(-1, 1, 1))
            observation, got, *_ = env.step(2 * actions[-1])
            seen.append(observation)
            rewards.append(got)
        yield Episode.of(np.stack(seen), np.stack(actions), np.array(rewards), False)


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A model of `Line` whose reward is the last action, and an episode that it has not seen."""
    config = replace(
        TINY, deter=32, stoch=4, hidden=32, vector_layers=(32, 16), reward_layers=(32,), deviation=0.1, free_nats=0.5,
        batch=16, length=8, reward_weight=10.0, rate=2e-3, population=100, elites=10, iterations=5,
    )  # fmt: skip
    replay = SequenceReplay(tmp_path_factory.mktemp("toy"), (2,), np.float32, 1, 10_000)
    model, rng = Model(config, (2,), ONE, seed=0), np.random.default_rng(0)
    for episode in course(40, lambda place, action: action):
        replay.add(episode)
        model.senses.standard.see(episode.observations)
    learner = Learner(model, seed=0)
    for number in range(250):
        learner.update(replay.sample(16, 8, rng), number)
    held_out = SequenceReplay(tmp_path_factory.mktemp("held-out"), (2,), np.float32, 1, 10_000)
    for episode in course(20, lambda place, action: action, seed=1000):
        held_out.add(episode)
    return model, held_out


def followed(model, episode, generator):
    """What is seen, and the posterior states, along an episode."""
    batch = Batch.of(episode, torch.device("cpu"))
    seen = model.senses.seen(batch.observations, generator)
    return seen, model.rssm.observe(model.senses(seen), batch.actions, batch.is_first, noise=generator)[0]


def test_reward_belongs_to_the_state_that_the_action_led_to(toy):
    """The reward is the last action's value: what is predicted at row t is reward t, not its neighbours."""
    model, held_out = toy
    predicted, true = [], []
    with torch.no_grad():
        for number in range(held_out.episodes):
            episode = held_out.episode(number)
            _, posteriors = followed(model, episode, dice(number))
            predicted.append(model.reward(posteriors.features)[0].numpy())
            true.append(episode.rewards[0])
    predicted, true = np.array(predicted), np.array(true)

    def correlation(lag):
        return np.corrcoef(predicted[:, 2:-2].ravel(), true[:, 2 + lag : true.shape[1] - 2 + lag].ravel())[0, 1]

    assert correlation(0) > 0.95
    assert abs(correlation(1)) < 0.25
    assert abs(correlation(-1)) < 0.25


def test_imagination_follows_the_actions(toy):
    """Three steps ahead without seeing, the true actions foretell, and those of other episodes do not."""
    model, held_out = toy
    learner = Learner(model, seed=0)
    figures = [learner.errors(held_out.episode(number)) for number in range(held_out.episodes)]
    error = np.mean([each["model/error 3 ahead"] for each in figures])
    assert error < 0.4  # some of the episodes hardly leave their place
    assert np.mean([each["model/reward correlation 3 ahead"] for each in figures]) > 0.9
    others = []
    for number in range(held_out.episodes):
        episode, other = held_out.episode(number), held_out.episode((number + 1) % held_out.episodes)
        seen, posteriors = followed(model, episode, learner.generator)
        with torch.no_grad():
            actions = torch.from_numpy(other.actions[0, 3:6])[:, None]
            path = model.rssm.imagine(posteriors[0, 2:3], actions, noise=learner.generator)
            miss = (model.decoder(path.features[-1])[0] - seen[0, 5]).square().mean()
        others.append(float(miss / (seen[0] - seen[0].mean(dim=0)).square().mean()))
    assert np.mean(others) > 2 * error


def test_planner_takes_what_the_model_rewards(toy):
    """The reward is the action: the best plan is the greatest action, all the time."""
    model, _ = toy
    agent = PlaNet("line", model, Controls.of(line()))
    observation = np.array([[0.3, 1.0], [-2.0, 1.0]], np.float32)
    actions, carry = agent.act(agent.initial(2, seed=1), turn_of(observation, first=True), explore=False)
    assert (actions > 1.5).all()
    assert actions.shape == (2, 1)
    foresight = agent.foresee(carry, turn_of(observation), row=1)
    assert foresight.plan.shape == (3, 1)
    assert (foresight.plan[0] == actions[1]).all()
    seen = foresight.future["observation"]
    assert (seen.mean.shape, seen.std.shape, seen.samples.shape) == ((3, 2), (3, 2), (4, 3, 2))
    np.testing.assert_allclose(seen.mean[:, 0], -2 + np.cumsum(foresight.plan[:, 0]), atol=1.5)
    np.testing.assert_allclose(foresight.value, foresight.future["reward"].mean.sum(), rtol=1e-6)
    again, _ = agent.act(agent.initial(2, seed=1), turn_of(observation, first=True), explore=False)
    assert (again == actions).all()  # looking changed nothing, and chance is the seed's


def test_exploring_adds_noise_within_the_limits(toy):
    model, _ = toy
    agent = PlaNet("line", model, Controls.of(line()))
    observation = np.tile([[0.0, 1.0]], (64, 1)).astype(np.float32)
    planned, _ = agent.act(agent.initial(64, 1), turn_of(observation, True), explore=False)
    explored, carry = agent.act(agent.initial(64, 1), turn_of(observation, True), explore=True)
    unplanned = explored - planned  # the same plans, for chance comes from the seed
    assert np.abs(explored).max() <= 2
    assert 0.1 < unplanned.std() < 2 * 0.3 + 0.05  # less what the limits cut off
    np.testing.assert_allclose(carry.plan[:, 0].numpy() * 2, explored, atol=1e-6)


def test_angles_go_on_from_where_they_are():
    agent = PlaNet("pendulum", Model(replace(TINY, angles=(1,)), (2,), ONE, seed=0), Controls.of(make_task("pendulum")))
    found = []
    for turns in (0, 3):
        turn = turn_of(np.array([[0.5, 1.0 + turns * 2 * math.pi]]), first=True)
        actions, carry = agent.act(agent.initial(1), turn, explore=False)
        seen = agent.foresee(carry, turn).future["observation"]
        assert (np.abs(seen.samples[:, 0, 1] - turn.observation[0, 1]) <= math.pi).all()
        found.append((actions, seen.mean - [0, turns * 2 * math.pi]))
    for one, other in zip(*found, strict=True):  # whole turns change nothing
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_rows_of_a_batch_do_not_meet():
    """What one episode shows changes nothing for the others, and a new episode forgets the last."""
    agent = PlaNet("line", Model(TINY, (2,), ONE, seed=0), Controls.of(line()))
    observations = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)

    def states(second, first):
        carry = agent.initial(3, seed=2)
        for step in range(3):
            shown = observations + step
            shown[1] = second
            turn = Turn(shown, np.array([step == 0, step == 0, step == 0 or (first and step == 2)]), np.zeros(3, "f4"))
            _, carry = agent.act(carry, turn, explore=False)
        return carry.state.deter

    one, other, begun = states(5.0, False), states(-5.0, False), states(5.0, True)
    assert torch.equal(one[0], other[0])
    assert not torch.allclose(one[1], other[1])
    assert torch.equal(one[:2], begun[:2])
    assert not torch.allclose(one[2], begun[2])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of five episodes, and beside it what a kill at the end of the fifth, before it was saved, would have left
    if the third had been saved last: the state after the third, and all the files of episodes.
    """
    place = tmp_path_factory.mktemp("planet")

    def keep(number):
        if number == 3:
            shutil.copytree(place / "run", place / "killed")

    torch.set_num_threads(1)
    figures = trained(place / "run", 5, then=keep)
    shutil.copytree(place / "run" / "episodes", place / "killed" / "episodes", dirs_exist_ok=True)
    return place, figures


def test_what_is_resumed_goes_on_bit_for_bit(folder):
    place, straight = folder
    resumed = trained(place / "killed", 2, resume=True)
    assert resumed == straight[3:]
    one, other = (PlaNet.load(place / name).model.state_dict() for name in ("run", "killed"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert (place / "run" / "run" / "acting.json").is_file()


@pytest.mark.parametrize("by_length", [False, True])
def test_episodes_are_drawn_as_its_settings_say(tmp_path, monkeypatch, by_length):
    asked, sample = [], SequenceReplay.sample

    def spied(self, *args, **settings):
        asked.append(settings)
        return sample(self, *args, **settings)

    monkeypatch.setattr(SequenceReplay, "sample", spied)
    trained(tmp_path, 2, replace(TINY, by_length=by_length))
    assert asked == [{"by_length": by_length}] * 2
    assert [PlaNet.presets[name].by_length for name in ("dmc", "state_quick", "pixels_quick")] == [False, True, True]


def test_its_errors_are_those_of_its_learner_and_of_a_seed(toy):
    model, held_out = toy
    agent, episode = PlaNet("line", model, Controls.of(line())), held_out.episode(0)
    learner = Learner(model, seed=3)
    assert agent.errors(episode, seed=3) == learner.errors(episode)
    assert agent.errors(episode, seed=3) == agent.errors(episode, seed=3) != agent.errors(episode, seed=4)


def test_figures_of_a_run(folder):
    _, figures = folder
    assert [each["env"] for each in figures] == [40, 80, 120, 160, 200]
    assert [each["steps"] for each in figures] == [0, 2, 4, 6, 8]
    assert set(figures[0]) == {"env", "steps", "return/episode"}
    assert {"loss/observation", "loss/reward", "loss/divergence", "model/divergence", "model/error 1 ahead"} <= set(
        figures[-1]
    )


def test_other_seeds_play_otherwise(folder, tmp_path):
    _, figures = folder
    assert trained(tmp_path, 1, seed=1)[0] != figures[0]


def test_agent_is_as_it_was_saved(folder):
    place, _ = folder
    agent = PlaNet.load(place / "run")
    assert (agent.task, agent.config) == ("pendulum", TINY)
    observation = np.zeros((2, 2))
    actions = [
        PlaNet.load(place / "run").act(agent.initial(2, 3), turn_of(observation, True), False)[0] for _ in range(2)
    ]
    assert (actions[0] == actions[1]).all()
    (place / "broken").mkdir()
    shutil.copy(place / "run" / "agent.json", place / "broken")
    with pytest.raises(ValueError, match="is damaged"):
        PlaNet.load(place / "broken")


def test_learns_from_pictures(tmp_path):
    figures = trained(tmp_path, 3, replace(TINY, batch=2), "point-mass@pixels")
    assert figures[-1]["steps"] == 4
    agent, task = PlaNet.load(tmp_path), make_task("point-mass@pixels")
    observation, _ = task.make(seed=0).reset(seed=0)
    _, carry = agent.act(agent.initial(1), turn_of(observation[None], True), explore=True)
    frames = agent.foresee(carry, turn_of(observation[None])).future["observation"].mean
    assert frames.shape == (3, 64, 64, 3)
    assert frames.dtype == np.uint8
    loop = open_loop(agent, task, context=2)
    assert loop.truth.shape == loop.predicted.shape == (3, 64, 64, 3)


def test_numbers_that_are_none_stop_it_with_the_place(tmp_path):
    model = Model(TINY, (4,), TWO, seed=1)
    before = {name: each.clone() for name, each in model.state_dict().items()}
    sequences, learner = sequences_in(tmp_path, (4,)), Learner(model, 0)
    sequences.rewards[1, 2] = np.nan
    with pytest.raises(ValueError, match="update 7: loss/reward is nan"):
        learner.update(sequences, 7)
    sequences.rewards[1, 2] = 1e8
    with pytest.raises(ValueError, match=r"update 8: loss/reward is .*e.*, learning has diverged"):
        learner.update(sequences, 8)
    assert all(torch.equal(before[name], each) for name, each in model.state_dict().items())


def test_a_run_that_diverges_keeps_what_was_saved(tmp_path):
    rewards = itertools.chain([1.0] * 25, itertools.repeat(1e12))
    task = line(reward=lambda place, action: next(rewards))
    with pytest.raises(ValueError, match="update 3: loss/reward"):
        trained(tmp_path, 9, task=task)
    assert PlaNet.load(tmp_path).task == "line"


def test_what_is_wrong_is_said(tmp_path):
    def begun(task):
        next(PlaNet.train(task, tmp_path, ALWAYS, config=TINY))

    with pytest.raises(ValueError, match="is a board game"):
        begun(make_game("tictactoe"))
    with pytest.raises(ValueError, match="3 actions to choose from"):
        begun(replace(line(), action_space=Discrete(3)))
    with pytest.raises(ValueError, match="wanted are pictures of uint8 or vectors"):
        begun(replace(line(), observation_space=Box(0, 1, (4, 4), np.float32)))
    with pytest.raises(ValueError, match="no episode of 50 rows yet"):
        trained(tmp_path / "long", 3, replace(TINY, length=50))
    agent = PlaNet("line", Model(TINY, (2,), ONE, seed=0), Controls.of(line()))
    with pytest.raises(ValueError, match=r"observations must be \[B, 2\], got \[1, 3\]"):
        agent.act(agent.initial(1), turn_of(np.zeros((1, 3)), True), False)
    with pytest.raises(ValueError, match=r"observation\[0, 1\] is nan"):
        agent.act(agent.initial(1), turn_of(np.array([[0.0, np.nan]]), True), False)
    for wrong in ({"elites": 9}, {"batch": 0}, {"overshooting": 6}, {"deviation": 0.0}, {"bits": 9}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            replace(TINY, **wrong)
