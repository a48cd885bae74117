"""Episodes of control: played, kept, saved, and refused where they hold numbers that are none."""

import importlib.util

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete

from sakiyomi.agents.parts.episodes.rollouts import Rollout, Transitions, at_random, box_of, by_agent, play
from sakiyomi.envs import make_task
from sakiyomi.envs.task import Task


class Counting(gymnasium.Env):
    """Shows (step, last action), rewards ten times the action's first number, ends after `steps`."""

    def __init__(self, steps=5, terminates=False, wrong=None):
        self.steps, self.terminates, self.wrong = steps, terminates, wrong
        self.observation_space = Box(-np.inf, np.inf, (2,), np.float32)
        self.action_space = Box(-2.0, 3.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = 0
        return np.array([0, 0], np.float32), {}

    def step(self, action):
        self.at += 1
        seen = np.array([self.at, action[0]], np.float32)
        reward = 10 * float(action[0])
        if self.wrong == "observation" and self.at == 3:
            seen[1] = np.nan
        if self.wrong == "reward" and self.at == 3:
            reward = float("inf")
        over = self.at == self.steps
        return seen, reward, over and self.terminates, over and not self.terminates, {}


def task_of(env):
    return Task("counting", env.observation_space, env.action_space, 5, (-30, 30), lambda: env)


def rising(turn):
    """Acts by what it is shown: the step's number, as an action within the limits."""
    assert turn.is_first[0] == (turn.observation[0, 0] == 0)
    return turn.observation[:, :1] / 2


def test_a_step_leads_from_its_observation_to_the_next():
    rollout = play(Counting(), rising, seed=0)
    assert rollout.observations[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert rollout.actions[:, 0].tolist() == [0, 0.5, 1, 1.5, 2]
    assert rollout.observations[1:, 1].tolist() == rollout.actions[:, 0].tolist()
    assert rollout.rewards.tolist() == [0, 5, 10, 15, 20]
    assert rollout.score == 50
    assert len(rollout) == 5
    assert not rollout.terminated


def test_a_turn_shows_the_reward_of_arriving():
    shown = []

    def choose(turn):
        shown.append(float(turn.reward[0]))
        return np.ones((1, 1))

    play(Counting(), choose, seed=0)
    assert shown == [0, 10, 10, 10, 10]


class Choosing(Counting):
    """The same with three choices, the number of the choice in place of the action's first number."""

    def __init__(self):
        super().__init__()
        self.action_space = Discrete(3)

    def step(self, action):
        assert self.action_space.contains(action)
        return super().step([action])


def test_choices_are_kept_as_their_numbers(tmp_path):
    rollout = play(Choosing(), lambda turn: turn.observation[:, 0].astype(np.int64) % 3, seed=0)
    assert rollout.actions.tolist() == [0, 1, 2, 0, 1]
    assert rollout.actions.dtype == np.int64
    assert rollout.rewards.tolist() == [0, 10, 20, 0, 10]
    kept, again = Transitions([rollout, rollout]), Transitions()
    assert kept.actions.shape == (10,)
    with pytest.raises(ValueError, match="actions have the shape"):
        kept.add(play(Counting(), rising, seed=0))
    if importlib.util.find_spec("torch"):
        kept.save(tmp_path / "kept")
        again.load(tmp_path / "kept")
        assert again.actions.tolist() == kept.actions.tolist()


def test_returns_are_what_is_still_to_come():
    rollout = play(Counting(), rising, seed=0)
    assert rollout.returns(1.0).tolist() == [50, 50, 45, 35, 20, 0]
    wanted = [sum(0.5 ** (i - t) * rollout.rewards[i] for i in range(t, 5)) for t in range(6)]
    assert rollout.returns(0.5) == pytest.approx(wanted)


def test_ends_are_told_apart():
    assert play(Counting(terminates=True), rising, seed=0).terminated
    cut = play(Counting(), rising, seed=0, over=lambda observation: observation[0] >= 2)
    assert len(cut) == 2
    assert not cut.terminated


@pytest.mark.parametrize("wrong", ["observation", "reward"])
def test_numbers_that_are_none_are_refused_with_their_place(wrong):
    with pytest.raises(ValueError, match=rf"{wrong}s\[.*\] is (nan|inf)"):
        play(Counting(wrong=wrong), rising, seed=0)


@pytest.mark.parametrize(
    ("observations", "actions", "rewards", "told"),
    [
        ((1, 2), (0, 1), (0,), "one step at least"),
        ((3, 2), (3, 1), (3,), r"observations of 3 steps must be \[4, ...\]"),
        ((4, 2), (3, 1), (2,), "rewards of 3 steps"),
        ((4, 2), (3, 1, 1), (3,), "actions of 3 steps"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(observations, actions, rewards, told):
    with pytest.raises(ValueError, match=told):
        Rollout(np.zeros(observations), np.zeros(actions), np.zeros(rewards))


def made(lengths, width=2):
    rng = np.random.default_rng(len(lengths))
    return [
        Rollout(rng.normal(size=(n + 1, width)), rng.normal(size=(n, 1)), rng.normal(size=n), bool(n % 2))
        for n in lengths
    ]


def test_transitions_join_episodes_without_a_step_between_them():
    first, second = made([2, 3])
    data = Transitions([first, second])
    assert len(data) == 5
    for t in range(2):
        assert (data.observations[t] == first.observations[t]).all()
        assert (data.next_observations[t] == first.observations[t + 1]).all()
    assert (data.next_observations[2] == second.observations[1]).all()
    assert data.rewards.tolist() == [*first.rewards, *second.rewards]


def test_episodes_of_another_size_are_refused():
    data = Transitions(made([2]))
    with pytest.raises(ValueError, match=r"observations have the shape \(2,\), got an episode where it is \(3,\)"):
        data.add(made([2], width=3)[0])
    assert len(data) == 2


@pytest.mark.parametrize("lengths", [[], [4], [3, 1, 2]])
def test_what_is_saved_comes_back(tmp_path, lengths):
    pytest.importorskip("torch")
    data, back = Transitions(made(lengths)), Transitions(made([5]))
    data.save(tmp_path / "data")
    back.load(tmp_path / "data")
    assert [len(each) for each in back] == lengths
    for one, other in zip(data, back, strict=True):
        assert one.terminated == other.terminated
        for name in ("observations", "actions", "rewards"):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_random_actions_fill_the_box_and_come_from_their_seed():
    task = task_of(Counting())
    actions = np.stack([play(Counting(), at_random(task, seed), 0).actions for seed in range(200)]).ravel()
    assert actions.min() >= -2
    assert actions.max() <= 3
    assert abs(actions.mean() - 0.5) < 4 * 5 / np.sqrt(12 * len(actions))
    again = play(Counting(), at_random(task, 7), 0).actions
    assert again.tolist() == play(Counting(), at_random(task, 7), 0).actions.tolist()


class Remembering:
    """Acts by how often it was asked before in the episode."""

    def initial(self, batch, seed=0):
        return 0

    def act(self, carry, turn, explore):
        return np.full((1, 1), carry / 10), carry + 1


def test_an_agent_keeps_its_carry_through_an_episode():
    assert play(Counting(), by_agent(Remembering(), 0, True), 0).actions[:, 0].tolist() == [0, 0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize(
    ("seen", "acts", "told"),
    [
        (Box(-1, 1, (2,)), Discrete(3), "vectors of real numbers for actions"),
        (Box(0, 255, (8, 8, 3), np.uint8), Box(-1, 1, (1,)), "shows vectors"),
        (Dict({"a": Box(-1, 1, (2,))}), Box(-1, 1, (1,)), "shows vectors"),
        (Box(-1, 1, (2,)), Box(-np.inf, 1, (1,)), "actions without limits"),
    ],
)
def test_tasks_that_are_no_control_are_refused(seen, acts, told):
    with pytest.raises(ValueError, match=told):
        box_of(Task("other", seen, acts, 5, (0, 1), Counting))


def test_seeds_reproduce_an_episode_of_a_task():
    task = make_task("pendulum")
    one, other = (play(task.make(), at_random(task, 1), 2) for _ in range(2))
    assert one.observations.tobytes() == other.observations.tobytes()
    assert len(one) == task.horizon
