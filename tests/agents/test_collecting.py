"""Acting to learn: what is counted, what is kept, and that a run goes on in the midst of episodes as it would have."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
gymnasium = pytest.importorskip("gymnasium")

from gymnasium.spaces import Box, Discrete  # noqa: E402

from sakiyomi.agents.parts.episodes.carries import carry_tensors, restored_carry  # noqa: E402
from sakiyomi.agents.parts.episodes.collecting import Collector, evaluated  # noqa: E402
from sakiyomi.agents.parts.episodes.controls import Controls  # noqa: E402
from sakiyomi.agents.parts.episodes.random_actions import AtRandom  # noqa: E402
from sakiyomi.envs import make_task  # noqa: E402
from sakiyomi.envs.task import Task  # noqa: E402
from sakiyomi.envs.wrappers import ActionRepeat  # noqa: E402


class Clock(gymnasium.Env):
    """Observes (the episode's own number, the time), reward 1 a step; ends at a time that chance sets, or is cut off.

    An action over 0 in the last but one place of the box ends it for good.
    """

    observation_space = Box(-1e9, 1e9, (2,), np.float32)
    action_space = Box(np.array([-10.0, 0.0]), np.array([10.0, 4.0]), dtype=np.float64)

    def __init__(self, limit=None):
        self.limit = limit

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.number, self.time = self.np_random.integers(1 << 20), 0
        self.end = self.limit or int(self.np_random.integers(3, 9))
        return self.seen(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.time += 1
        return self.seen(), 1.0, bool(action[0] > 9), self.time >= self.end, {}

    def seen(self):
        return np.array([self.number, self.time], np.float32)


def clock(limit=None, repeat=1):
    env = Clock(limit)
    return Task(
        "clock", env.observation_space, env.action_space, limit, (0, 1), lambda: ActionRepeat(Clock(limit), repeat)
    )


@dataclass(frozen=True)
class Memory:
    count: torch.Tensor
    generator: torch.Generator


class Counts:
    """Its first number is how often it has acted since the episode began, its second chance."""

    def initial(self, batch, seed=0):
        return Memory(torch.zeros(batch), torch.Generator().manual_seed(seed))

    def act(self, carry, turn, explore):
        count = torch.where(torch.from_numpy(turn.is_first), 0.0, carry.count) + 1
        actions = torch.stack([count, 4 * torch.rand(len(count), generator=carry.generator)], dim=1)
        return actions.double().numpy(), Memory(count, carry.generator)


def same(one, other):
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for a, b in zip(one, other, strict=True)
        for name in ("observations", "actions", "rewards")
    )


def test_controls_of_a_box_are_from_minus_one_to_one():
    controls = Controls.of(clock())
    assert (controls.size, controls.discrete) == (2, False)
    actions = np.array([[-10.0, 4.0], [5.0, 1.0]])
    assert controls.encoded(actions).tolist() == [[-1, 1], [0.5, -0.5]]
    np.testing.assert_allclose(controls.decoded(controls.encoded(actions)), actions)
    assert controls.decoded(np.array([[-3.0, 1.5]])).tolist() == [[-10, 4]]
    assert Controls.from_json(controls.to_json()) == controls


def test_controls_of_choices_are_one_hot():
    controls = Controls.of(replace(clock(), action_space=Discrete(3)))
    assert (controls.size, controls.discrete) == (3, True)
    assert controls.encoded(np.array([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert controls.decoded(np.array([[0.1, 0.7, 0.2]])).tolist() == [1]
    with pytest.raises(ValueError, match="wanted are choices"):
        Controls.of(replace(clock(), action_space=Box(-np.inf, np.inf, (2,))))


def test_episodes_are_whole_and_each_in_its_own_environment():
    task = clock()
    collector = Collector(task, Controls.of(task), seed=3, n=3)
    collected = collector.collect(Counts(), episodes=12)
    assert len(collected.episodes) >= 12
    for episode in collected.episodes:
        times, numbers = episode.observations[:, 1], episode.observations[:, 0]
        assert times.tolist() == list(range(len(episode)))
        assert len(set(numbers)) == 1
        np.testing.assert_allclose(episode.actions[1:, 0] * 10, times[1:], rtol=1e-6)  # the carry began anew with it
        assert episode.rewards.tolist() == [0] + [1] * (len(episode) - 1)
        assert not episode.terminated  # the clock is no end of the task's own
    assert len({episode.observations[0, 0] for episode in collected.episodes}) == len(collected.episodes)
    assert collected.frames == collected.decisions


def test_the_tasks_own_end_is_terminal():
    task = clock(limit=40)
    collected = Collector(task, Controls.of(task), seed=0).collect(Counts(), episodes=1)
    assert collected.episodes[0].terminated  # its tenth action is over 9
    assert len(collected.episodes[0]) == 11


def test_frames_are_counted_where_actions_are_repeated():
    """Reward 1 a step of the simulator: the return is 1000 however often actions are repeated."""
    for repeat in (1, 8, 300):
        task = clock(limit=1000, repeat=repeat)
        acting = AtRandom(Controls(low=(-10.0, 0.0), high=(8.0, 4.0)))  # that never ends it
        collected = Collector(task, Controls.of(task), seed=0, n=2).collect(acting, episodes=2)
        assert [episode.score for episode in collected.episodes] == [1000, 1000]
        assert collected.frames == 2000
        assert collected.decisions == 2 * -(-1000 // repeat)


@pytest.mark.slow
def test_the_control_suites_time_limit_is_no_end():
    pytest.importorskip("dm_control")
    task = make_task("dmc/cartpole-swingup@proprio")
    collector = Collector(task, Controls.of(task), seed=0)
    collected = collector.collect(AtRandom(collector.controls), episodes=1)
    assert not collected.episodes[0].terminated
    assert (collected.decisions, collected.frames) == (500, 1000)


def test_random_actions_are_even():
    controls = Controls(low=(-10.0, 0.0), high=(10.0, 4.0))
    acting, choosing = AtRandom(controls), AtRandom(Controls(choices=3))
    turn = type("Turn", (), {"is_first": np.zeros(3000, np.bool_)})
    drawn, _ = acting.act(acting.initial(3000, 1), turn, True)
    np.testing.assert_allclose(drawn.mean(axis=0) / [10, 2], [0, 1], atol=0.04)
    np.testing.assert_allclose(drawn.std(axis=0), [20 / 12**0.5, 4 / 12**0.5], rtol=0.05)
    chosen, _ = choosing.act(choosing.initial(3000, 1), turn, True)
    np.testing.assert_allclose(np.bincount(chosen) / 3000, [1 / 3] * 3, atol=0.03)


class Scoring(Clock):
    """Wins as many points a step as it has steps behind it, of which the rewards are tanh."""

    def step(self, action):
        observation, _, terminated, truncated, _ = super().step(action)
        return observation, float(np.tanh(self.time)), terminated, truncated, {"points": self.time}


def test_points_are_the_score_where_a_task_counts_them(tmp_path):
    """And are so of an episode that was gone on with."""
    task = replace(clock(), build=Scoring)
    straight, resumed = (Collector(task, Controls.of(task), seed=5, n=3) for _ in range(2))
    straight.collect(Counts(), decisions=3 * 7)
    straight.save(tmp_path / "acting")
    resumed.load(tmp_path / "acting")
    for collector in (straight, resumed):
        for episode in collector.collect(Counts(), episodes=9).episodes:
            steps = len(episode) - 1
            assert episode.score == episode.points == steps * (steps + 1) / 2
            assert episode.rewards.max() < 1.0001
    played = evaluated(task, Controls.of(task), Counts(), episodes=4, seed=1)
    assert {episode.score for episode in played} <= {6, 10, 15, 21, 28, 36}


@pytest.mark.parametrize("before", [0, 1, 7, 18])
def test_goes_on_in_the_midst_of_episodes(tmp_path, before):
    task = clock()
    straight, stopped, resumed = (Collector(task, Controls.of(task), seed=5, n=3) for _ in range(3))
    if before:
        straight.collect(Counts(), decisions=3 * before)
        stopped.collect(Counts(), decisions=3 * before)
    stopped.save(tmp_path / "acting")
    resumed.load(tmp_path / "acting")
    resumed.save(tmp_path / "again")  # before it has acted
    resumed.load(tmp_path / "again")
    expected, found = (each.collect(Counts(), decisions=60) for each in (straight, resumed))
    assert len(expected.episodes) > 4
    assert expected.rows == found.rows
    assert same(expected.episodes, found.episodes)


def test_goes_on_with_pictures_and_compiled_steps(tmp_path):
    task = make_task("point-mass@pixels")
    straight, resumed = (Collector(task, Controls.of(task), seed=1, n=2) for _ in range(2))
    acting = AtRandom(straight.controls)
    straight.collect(acting, decisions=2 * 60)
    straight.save(tmp_path / "acting")
    resumed.load(tmp_path / "acting")
    expected, found = (each.collect(acting, episodes=2).episodes for each in (straight, resumed))
    assert same(expected, found)
    assert expected[0].observations.dtype == np.uint8
    assert expected[0].observations.shape == (51, 64, 64, 3)
    assert np.abs(expected[0].actions[1:]).max() <= 1


def test_another_number_of_episodes_at_a_time_is_refused(tmp_path):
    task = clock()
    collector = Collector(task, Controls.of(task), seed=5, n=3)
    collector.collect(Counts(), decisions=3)
    collector.save(tmp_path / "acting")
    with pytest.raises(ValueError, match="2 episodes at a time are wanted"):
        Collector(task, Controls.of(task), seed=5, n=2).load(tmp_path / "acting")


def test_evaluation_takes_the_first_episode_of_each():
    task = clock()
    episodes = evaluated(task, Controls.of(task), Counts(), episodes=5, seed=2)
    assert len(episodes) == 5
    assert same(episodes, evaluated(task, Controls.of(task), Counts(), episodes=5, seed=2))
    assert len({episode.observations[0, 0] for episode in episodes}) == 5


def test_carries_are_restored_with_their_chance():
    counts = Counts()
    carry = counts.initial(2, seed=4)
    torch.rand(5, generator=carry.generator)
    nested = Nested(carry, torch.arange(3.0), None)
    tensors = {name: tensor.clone() for name, tensor in carry_tensors(nested).items()}
    assert set(tensors) == {"inner.count", "inner.generator", "plan"}
    again = restored_carry(Nested(counts.initial(2), torch.zeros(3), None), tensors)
    assert torch.equal(again.plan, nested.plan)
    assert torch.equal(torch.rand(4, generator=again.inner.generator), torch.rand(4, generator=carry.generator))
    with pytest.raises(ValueError, match=r"plan was \[3\] when it was saved, is \[4\]"):
        restored_carry(Nested(counts.initial(2), torch.zeros(4), None), tensors)


@dataclass(frozen=True)
class Nested:
    inner: Memory
    plan: torch.Tensor
    nothing: None
