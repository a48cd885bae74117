"""How the papers show Atari games to their agents: `PRESETS`, by the name that follows the @ in ``ALE/Pong-v5@dqn``.

What differs is who repeats actions by chance, how an episode begins and ends, what a reward is and what the screen
looks like. All skip frames alike: an action is held for four frames, and the screen is the brighter of the last two,
pixel by pixel, because the console draws some things in every second frame only.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from gymnasium.spaces import Box, Dict, Space
from numpy.typing import NDArray

ACTIONS = 18
"""Positions of a joystick with one button."""


@dataclass(frozen=True, kw_only=True)
class AtariPreset:
    """What an Atari game is for an agent.

    An episode is cut off (truncated) after `frames` frames. With `life_loss` it also ends (terminates) when a life is
    lost; the game then goes on, and the next episode begins in its midst after one action of doing nothing. After a
    new game begins, nothing is done for a number of frames drawn from 0 to `noops`.
    """

    size: tuple[int, int] = (84, 84)  # rows and columns of the screen after averaging
    grey: bool = True
    stack: int = 4  # screens in an observation, the oldest first; black before the first
    past_actions: bool = False  # are the actions that led to those screens in the observation too?
    skip: int = 4
    maximum: bool = True  # the brighter of the last two frames
    stickiness: float = 0.0  # chance, at every frame, that the console takes the previous action instead of the new one
    all_actions: bool = False  # 18, or only those that do something in the game?
    noops: int = 0
    life_loss: bool = False
    reward: Literal["points", "sign", "tanh"] = "points"  # of the points won in the frames of one action
    frames: int = 108_000  # half an hour

    @property
    def screens(self) -> tuple[int, ...]:
        """Shape of the screens in an observation: (stack, rows, columns) and, unless they are grey, 3 for RGB."""
        return (self.stack, *self.size) if self.grey else (self.stack, *self.size, 3)

    @property
    def horizon(self) -> int:
        """Actions in an episode at most."""
        return -(-self.frames // self.skip)

    @property
    def reward_range(self) -> tuple[float, float]:
        """Between which a reward lies."""
        return (-float("inf"), float("inf")) if self.reward == "points" else (-1.0, 1.0)

    def rewards(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """The rewards for `points` won."""
        rewards = points.astype(np.float64)
        if self.reward == "points":
            return rewards
        return np.tanh(rewards, out=rewards) if self.reward == "tanh" else np.sign(rewards, out=rewards)

    def observation_space(self, actions: int) -> Space[Any]:
        """The space of observations in a game of `actions` actions: screens, or a dict of "screens" and "actions"."""
        screens = Box(0, 255, self.screens, np.uint8)
        if not self.past_actions:
            return screens
        return Dict({"screens": screens, "actions": Box(0, actions - 1, (self.stack,), np.int64)})


DQN = AtariPreset(noops=30, life_loss=True, reward="sign", frames=18_000)
"""Mnih et al., "Human-level control through deep reinforcement learning", Nature 518, 2015: Methods and Extended Data
Table 1. Four grey screens of 84x84, up to 30 actions of doing nothing, rewards clipped to -1, 0 and 1, the loss of a
life an end while it learns, five minutes a game.

Departure: 84x84 by averaging, as all later work has it, instead of bilinear interpolation.
"""

MUZERO = AtariPreset(size=(96, 96), grey=False, stack=32, past_actions=True, all_actions=True, noops=30)
"""Schrittwieser et al., "Mastering Atari, Go, chess and shogi by planning with a learned model", Nature 588, 2020:
appendix "Network input", 32 screens of 96x96 in RGB with the 32 actions that led to them, all 18 actions, points as
they are, 30 minutes, no sticky actions. `muzero_planes` makes the network's 128 planes of an observation.
"""

DREAMER = AtariPreset(size=(64, 64), stack=1, stickiness=0.25, all_actions=True, noops=30, reward="tanh")
"""Hafner et al., "Mastering Atari with discrete world models", ICLR 2021 (DreamerV2): section 3 and Table D.1. One grey
screen of 64x64 (the agent has a memory of its own), sticky actions, all 18 actions, tanh of the points, no end at the
loss of a life, 30 minutes. (The program that its authors published uses the actions of the game alone.)
"""

MACHADO = AtariPreset(stickiness=0.25, all_actions=True)
"""Machado et al., "Revisiting the Arcade Learning Environment", JAIR 61, 2018, section 6: sticky actions against agents
that learn a sequence by heart, all 18 actions, only the end of the game ends an episode, points as they are.

Departure: four frames to an action and 30 minutes to a game, as in the standard of the v5 names and later work.
"""

PRESETS: dict[str, AtariPreset] = {"dqn": DQN, "muzero": MUZERO, "dreamer": DREAMER, "machado": MACHADO}
"""By name."""


def muzero_planes(observation: dict[str, NDArray[Any]], actions: int = ACTIONS) -> NDArray[np.float32]:
    """The input of MuZero's network, planes [..., 4 * stack, rows, columns] in [0, 1].

    `observation` holds "screens" uint8 [..., stack, rows, columns, 3] and "actions" [..., stack]. First come red, green
    and blue of every screen, the oldest first, then a constant plane a/18 for the action that led to it
    (Schrittwieser et al. 2020, appendix "Network input").
    """
    screens, past = observation["screens"], observation["actions"]
    *batch, stack, rows, columns, _ = screens.shape
    planes = np.empty((*batch, 4 * stack, rows, columns), dtype=np.float32)
    colours = np.moveaxis(screens, -1, -3).reshape(*batch, 3 * stack, rows, columns)
    np.divide(colours, 255, out=planes[..., : 3 * stack, :, :])
    planes[..., 3 * stack :, :, :] = (past / actions)[..., None, None]
    return planes
