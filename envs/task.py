"""`Task`: what a task looks like to an agent, before any environment of it is made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gymnasium import Env, Space
    from gymnasium.vector import VectorEnv

    from sakiyomi.boards.game import Game
    from sakiyomi.envs.dynamics import Plant


@dataclass(frozen=True, eq=False)
class Task:
    """One task by its name; `make` gives environments of it, which agree with this description.

    `observation_space` and `action_space` are Gymnasium's. `horizon` is the number of steps after which an episode is
    cut off (truncated), None if only the task itself ends it. A step's reward lies in `reward_range`. `scale` holds the
    returns that normalise to 0 and to 1, None where there are no such references. `build_many` is for `make_vector`: it
    takes a number of environments and the value of an `AutoresetMode`, and makes one that steps them together.
    `players` is 2 for board games, where the environment plays the other side. `rules` are what an agent may plan with,
    if they are known exactly: the `Game`, or the `Plant` of a task of our own.
    """

    name: str
    observation_space: "Space[Any]"
    action_space: "Space[Any]"
    horizon: int | None
    reward_range: tuple[float, float]
    build: Callable[[], "Env[Any, Any]"] = field(repr=False)
    scale: tuple[float, float] | None = None
    build_many: Callable[[int, str], "VectorEnv[Any, Any, Any]"] | None = field(default=None, repr=False)
    players: int = 1
    rules: "Game | Plant | None" = None

    @property
    def rules_known(self) -> bool:
        """Can an agent work out exactly what its actions will do?"""
        return self.rules is not None

    @property
    def discrete(self) -> bool:
        """Are the actions numbers 0, 1, ... that stand for choices? Else they are vectors, or something else."""
        from gymnasium.spaces import Discrete

        return isinstance(self.action_space, Discrete)

    @property
    def continuous(self) -> bool:
        """Are the actions vectors of real numbers?"""
        from gymnasium.spaces import Box

        return isinstance(self.action_space, Box)

    def make(self, seed: int | None = None) -> "Env[Any, Any]":
        """A new environment. With a `seed` its episodes, and what its action space samples, are the same each time."""
        env = self.build()
        if seed is not None:
            env.action_space.seed(seed)
            env.reset(seed=seed)
        return env
