"""What tasks of other packages share: actions held for several steps, and what an episode came to.

Both keep the two ends of an episode apart: *terminated* is an end that belongs to the task (the value after it is 0),
*truncated* one that only stops the clock (a time limit; the value goes on).
"""

from typing import TYPE_CHECKING, Any, SupportsFloat

import gymnasium
from gymnasium.utils import RecordConstructorArgs

if TYPE_CHECKING:
    from gymnasium import Env


class ActionRepeat(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Plays every action `repeat` times, or until the episode ends, and gives the sum of the rewards.

    ``info["frames"]`` is the number of steps that the environment made. Raises ValueError for a `repeat` below 1.
    """

    def __init__(self, env: "Env[Any, Any]", repeat: int):
        RecordConstructorArgs.__init__(self, repeat=repeat)
        gymnasium.Wrapper.__init__(self, env)
        if repeat < 1:
            raise ValueError(f"an action is played at least once, not {repeat} times")
        self.repeat = repeat

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """One decision of the agent."""
        total, frames = 0.0, 0
        terminated = truncated = False
        while frames < self.repeat and not (terminated or truncated):
            observation, reward, terminated, truncated, info = self.env.step(action)
            total += float(reward)
            frames += 1
        return observation, total, terminated, truncated, {**info, "frames": frames}


class EpisodeStatistics(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Tells at an episode's last step what it came to, as ``info["episode"]``.

    Its "return" is the sum of the rewards, its "length" the number of decisions, its "frames" that of the simulator's
    steps (the sum of ``info["frames"]``, 1 where a step does not tell). Unlike Gymnasium's `RecordEpisodeStatistics`
    nothing in it depends on the clock, so that the same seed gives the same `info`.
    """

    def __init__(self, env: "Env[Any, Any]"):
        RecordConstructorArgs.__init__(self)
        gymnasium.Wrapper.__init__(self, env)
        self._return, self._length, self._frames = 0.0, 0, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        self._return, self._length, self._frames = 0.0, 0, 0
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Count one step, and sum up if it is the last."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._return += float(reward)
        self._length += 1
        self._frames += info.get("frames", 1)
        if terminated or truncated:
            summary = {"return": self._return, "length": self._length, "frames": self._frames}
            info = {**info, "episode": summary}
        return observation, reward, terminated, truncated, info
