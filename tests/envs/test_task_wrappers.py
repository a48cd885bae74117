"""Actions held for several steps and what is told of an episode, on an environment that counts."""

import pytest

pytest.importorskip("gymnasium", reason='Gymnasium is not installed: pip install "sakiyomi[envs]"')

import gymnasium
from gymnasium.spaces import Discrete
from gymnasium.wrappers import TimeLimit

from sakiyomi.envs.wrappers import ActionRepeat, EpisodeStatistics


class Counter(gymnasium.Env):
    """Observes how often it was stepped since the reset; each step is worth 1; over (terminated) after `length`."""

    observation_space = action_space = Discrete(1000)

    def __init__(self, length: int):
        self.length, self.count = length, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        return 0, {}

    def step(self, action):
        assert self.count < self.length, "stepped after the end"
        self.count += 1
        return self.count, 1.0, self.count == self.length, False, {"inner": self.count}


def test_rewards_are_summed_over_the_repeats():
    env = ActionRepeat(Counter(length=8), 3)
    env.reset()
    assert env.step(0) == (3, 3.0, False, False, {"inner": 3, "frames": 3})
    assert env.step(0) == (6, 6.0 - 3.0, False, False, {"inner": 6, "frames": 3})
    assert env.step(0) == (8, 2.0, True, False, {"inner": 8, "frames": 2})  # nothing is stepped after the end


@pytest.mark.parametrize("repeat", [1, 2, 4, 7, 1000])
def test_the_return_does_not_depend_on_the_repeat(repeat):
    env = ActionRepeat(TimeLimit(Counter(length=2000), 1000), repeat)
    env.reset()
    total, frames, over = 0.0, 0, False
    while not over:
        _, reward, terminated, truncated, info = env.step(0)
        assert not terminated
        total, frames, over = total + reward, frames + info["frames"], truncated
    assert (total, frames) == (1000.0, 1000)


def test_an_action_is_played_at_least_once():
    with pytest.raises(ValueError, match="at least once"):
        ActionRepeat(Counter(length=2), 0)


def test_statistics_come_with_the_last_step_only():
    env = EpisodeStatistics(ActionRepeat(Counter(length=5), 2))
    for _ in range(2):  # and begin anew
        env.reset()
        assert "episode" not in env.step(0)[4]
        assert "episode" not in env.step(0)[4]
        assert env.step(0)[4]["episode"] == {"return": 5.0, "length": 3, "frames": 5}


def test_statistics_count_a_step_as_a_frame_where_nothing_else_is_told():
    env = EpisodeStatistics(TimeLimit(Counter(length=10), 4))
    env.reset()
    for _ in range(4):
        _, _, terminated, truncated, info = env.step(0)
    assert (terminated, truncated, info["episode"]) == (False, True, {"return": 4.0, "length": 4, "frames": 4})
