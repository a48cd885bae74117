"""Many games of one kind at once, in the threads of ale-py's own vector environment: `AtariBatch`.

::

    games = AtariBatch("ALE/Pong-v5@dreamer", 64)
    observations, infos = games.reset(seed=0)                 # game i has the seed 0 + i
    observations, rewards, terminated, truncated, infos = games.step(actions)

Row i plays what `AtariGame` plays with the seed of row i. A game that has ended begins anew in the *next* step
(Gymnasium's ``AutoresetMode.NEXT_STEP``): that step ignores its action, its reward is 0, and its observation is the
first of the new episode. So the last observation of an episode is never lost, and nothing of one episode gets into
another. (A game that is lost in the very step that follows a lost life ends as it begins; a single game is begun anew.)
"""

from typing import Any

import numpy as np
from ale_py.vector_env import AtariVectorEnv
from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from sakiyomi.envs.atari import NOOP, SEEDS, action_meanings, cartridge_of, preset_of
from sakiyomi.envs.atari_presets import AtariPreset


class AtariBatch(VectorEnv[Any, NDArray[np.int64], NDArray[Any]]):
    """`n` games of ``ALE/GAME-v5@PRESET``, in `threads` threads (0: as many as there are games or processors).

    A `preset` of one's own may be given instead of the name of one.

    `infos` has arrays [n]: "points" won in this step as they are, "lives", "frame_number" and "episode_frame_number".
    Raises ValueError for an unknown game or preset.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012 - Gymnasium's own form

    def __init__(self, name: str, n: int, threads: int = 0, preset: AtariPreset | None = None):
        id, _, preset_name = name.partition("@")
        cartridge, self.preset = cartridge_of(id), preset or preset_of(preset_name)
        self.num_envs = n
        self._games = native(cartridge, self.preset, n, threads)
        actions = len(action_meanings(cartridge, self.preset.all_actions))
        self.single_observation_space = self.preset.observation_space(actions)
        self.single_action_space = Discrete(actions)
        self.observation_space = batch_space(self.single_observation_space, n)
        self.action_space = batch_space(self.single_action_space, n)
        self._ended = np.zeros(n, dtype=np.bool_)
        self._past = np.zeros((n, self.preset.stack), dtype=np.int64)
        self._begun = False

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin all games anew: game i with `seed` + i, or with the i-th of a list."""
        super().reset(seed=seed if isinstance(seed, int) else None)
        seeds = self._seeds(seed)
        screens, infos = self._games.reset(seed=seeds)
        self._ended[:], self._past[:] = False, 0
        self._begun = True
        return self._observations(screens), {**infos, "points": np.zeros(self.num_envs, dtype=np.int32)}

    def _seeds(self, seed: int | list[int | None] | None) -> NDArray[np.int64] | None:
        if seed is None and self._begun:
            return None
        if isinstance(seed, int):
            return (np.arange(self.num_envs) + seed) % SEEDS
        drawn = self.np_random.integers(SEEDS, size=self.num_envs)
        if seed is None:
            return drawn
        if len(seed) != self.num_envs:
            raise ValueError(f"{len(seed)} seeds for {self.num_envs} games")
        return np.array([d if s is None else s % SEEDS for s, d in zip(seed, drawn, strict=True)])

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[Any, NDArray[Any], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Hold an action in each game; those that ended in the step before begin anew instead."""
        actions = np.where(self._ended, NOOP, actions)
        screens, points, terminated, truncated, infos = self._games.step(actions)
        rewards = self.preset.rewards(points)
        rewards[self._ended] = 0.0
        if self.preset.past_actions:
            self._remember(actions)
        self._ended = terminated | truncated
        return self._observations(screens), rewards, terminated, truncated, {**infos, "points": points}

    def _remember(self, actions: NDArray[np.int64]) -> None:
        """Shift the past actions; no preset has them together with lives that end an episode in the midst of a game."""
        self._past[:, :-1] = self._past[:, 1:]
        self._past[:, -1] = actions
        self._past[self._ended] = 0

    def _observations(self, screens: NDArray[np.uint8]) -> Any:
        return {"screens": screens, "actions": self._past.copy()} if self.preset.past_actions else screens

    def close_extras(self, **kwargs: Any) -> None:
        """Stop the threads."""
        del self._games


def native(cartridge: str, preset: AtariPreset, n: int, threads: int) -> AtariVectorEnv:
    """ale-py's vector environment. Rewards come as points, and a lost life is told without a new game."""
    return AtariVectorEnv(
        cartridge,
        n,
        num_threads=threads,
        max_num_frames_per_episode=preset.frames,
        repeat_action_probability=preset.stickiness,
        full_action_space=preset.all_actions,
        autoreset_mode=AutoresetMode.NEXT_STEP,
        img_height=preset.size[0],
        img_width=preset.size[1],
        grayscale=preset.grey,
        stack_num=preset.stack,
        frameskip=preset.skip,
        maxpool=preset.maximum,
        noop_max=preset.noops + 1 if preset.noops else 0,
        episodic_life=False,
        life_loss_info=preset.life_loss,
        reward_clipping=False,
        use_fire_reset=False,
    )
