"""Doom without its graphics card: ``doom/take-cover``, in which World Models' agent dodges fireballs.

Ha and Schmidhuber, "Recurrent world models facilitate policy evolution", NeurIPS 2018, section 4 and appendix: an
episode lasts while the player lives, 2100 frames at most, with a reward of 1 a frame; 750 on average over 100 episodes
counts as solved. The agent sees the upper five sixths of the screen, averaged to 64x64, and says one number: above 1/3
is a step to the right, below -1/3 to the left, else it stays.

Departure: Doom draws 240 rows of 320 pixels, not 480 of 640. After averaging the two differ by 2 of 255 in the mean,
and frames come three times faster.
"""

import shutil
import tempfile
import weakref
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsFloat

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from gymnasium.wrappers import TimeLimit
from numpy.typing import NDArray

from sakiyomi.envs.display import without_display
from sakiyomi.envs.pixels import AreaResize
from sakiyomi.envs.task import Task

if TYPE_CHECKING:
    from gymnasium import Env

FRAMES = 2100
ROWS = 200
"""Rows of 240 above the player's hands."""
SIZE = (64, 64)
THRESHOLD = 1 / 3
STAY, RIGHT, LEFT = 0, 1, 2
"""Actions of ViZDoom's own environment."""


def take_cover_task() -> Task:
    """The task ``doom/take-cover``."""
    return Task(
        name="doom/take-cover",
        observation_space=Box(0, 255, (*SIZE, 3), np.uint8),
        action_space=Box(-1.0, 1.0, (1,), np.float32),
        horizon=FRAMES,
        reward_range=(0.0, 1.0),
        build=partial(_limited, FRAMES),
        scale=(0.0, float(FRAMES)),
    )


def _limited(frames: int) -> "Env[Any, Any]":
    return TimeLimit(TakeCover(), frames)


class TakeCover(gymnasium.Env[NDArray[np.uint8], NDArray[np.float32]]):
    """The game, without a limit on its length. Observations uint8 [64, 64, 3], actions float32 [1].

    The picture after the last frame is black: Doom shows none of a player who is dead.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 35}  # noqa: RUF012 - Gymnasium's own form

    def __init__(self, render_mode: str | None = "rgb_array"):
        without_display()
        from vizdoom import gymnasium_wrapper  # noqa: F401 - registers the names

        self.render_mode = render_mode
        self.observation_space = Box(0, 255, (*SIZE, 3), np.uint8)
        self.action_space = Box(-1.0, 1.0, (1,), np.float32)
        folder = Path(tempfile.mkdtemp(prefix="sakiyomi-doom-"))  # its settings would lie in ours
        self._doom = gymnasium.make(
            "VizdoomTakeCover-v1",
            disable_env_checker=True,
            screen_resolution="RES_320X240",
            doom_config_path=str(folder / "doom.ini"),
        )
        self._end = weakref.finalize(self, _end, self._doom, folder)
        screen = self._doom.observation_space["screen"].shape  # type: ignore[index]
        self._resize = AreaResize((ROWS, *screen[1:]), SIZE)
        self._screen = np.zeros(screen, dtype=np.uint8)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        litter = Path("_vizdoom")  # an empty folder that Doom makes where it starts
        ours = not litter.exists()
        observation, _ = self._doom.reset(seed=int(self.np_random.integers(1 << 31)))
        if ours:
            with suppress(OSError):  # another Doom was faster
                litter.rmdir()
        return self._shown(observation["screen"]), {}

    def step(self, action: NDArray[np.float32]) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Play one frame."""
        push = float(np.asarray(action).reshape(()))
        move = RIGHT if push > THRESHOLD else LEFT if push < -THRESHOLD else STAY
        observation, reward, terminated, truncated, _ = self._doom.step(move)
        return self._shown(observation["screen"]), float(reward), terminated, truncated, {}

    def _shown(self, screen: NDArray[np.uint8]) -> NDArray[np.uint8]:
        self._screen = screen
        return self._resize(screen[:ROWS])

    def render(self) -> NDArray[np.uint8] | None:
        """What Doom shows, RGB [240, 320, 3]."""
        return self._screen.copy() if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """End Doom."""
        self._end()


def _end(doom: "Env[Any, Any]", folder: Path) -> None:
    """End Doom, which now writes its settings, and remove them."""
    doom.close()
    shutil.rmtree(folder, ignore_errors=True)
