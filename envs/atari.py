"""Atari 2600 games through the Arcade Learning Environment, shown as a paper shows them: ``ALE/Pong-v5@dreamer``.

`AtariGame` is one game, `sakiyomi.envs.atari_batch.AtariBatch` many in threads of their own. A row of a batch and a
game with the same seed play the same episodes. The games' cartridges come inside ale-py.
"""

import difflib
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple, SupportsFloat

import ale_py
import gymnasium
import numpy as np
from ale_py import roms
from ale_py.registration import rom_id_to_name
from gymnasium.spaces import Discrete
from numpy.typing import NDArray

from sakiyomi.envs.atari_presets import PRESETS, AtariPreset
from sakiyomi.envs.atari_scores import SCORES
from sakiyomi.envs.pixels import AreaResize
from sakiyomi.envs.task import Task

NOOP = 0
"""The action that does nothing: the first of every game."""
SEEDS = 1 << 31
"""How many seeds the console's random numbers have."""


def atari_task(name: str) -> Task:
    """The task ``ALE/GAME-v5@PRESET``. Raises ValueError for an unknown game or preset."""
    id, _, preset_name = name.partition("@")
    cartridge, preset = cartridge_of(id), preset_of(preset_name)
    actions = action_meanings(cartridge, preset.all_actions)
    return Task(
        name=name,
        observation_space=preset.observation_space(len(actions)),
        action_space=Discrete(len(actions)),
        horizon=preset.horizon,
        reward_range=preset.reward_range,
        build=partial(AtariGame, cartridge, preset),
        scale=SCORES.get(cartridge) if preset.reward == "points" and not preset.life_loss else None,
    )


def preset_of(name: str) -> AtariPreset:
    """The preset of that name. Raises ValueError if there is none."""
    if name not in PRESETS:
        raise ValueError(f"unknown Atari preset {name!r}; there are: {', '.join(PRESETS)}")
    return PRESETS[name]


def cartridge_of(id: str) -> str:
    """The cartridge of a game, as "ms_pacman" of "ALE/MsPacman-v5". Raises ValueError if there is none."""
    cartridges = _cartridges()
    if id not in cartridges:
        near = difflib.get_close_matches(id, cartridges, 1)
        hint = f"did you mean {near[0]!r}?" if near else "Atari games are called as in 'ALE/Pong-v5'"
        raise ValueError(f"unknown task {id!r}; {hint}")
    return cartridges[id]


@cache
def _cartridges() -> dict[str, str]:
    return {f"ALE/{rom_id_to_name(cartridge)}-v5": cartridge for cartridge in roms.get_all_rom_ids()}


def action_meanings(cartridge: str, all_actions: bool) -> tuple[str, ...]:
    """What the actions 0, 1, ... of a game do: "NOOP", "FIRE", "UP", ..."""
    return tuple(action.name for action in _loaded(cartridge).actions(all_actions))


class _Cartridge(NamedTuple):
    """What one has to load a cartridge to know, which takes a tenth of a second."""

    path: Path
    legal: list[ale_py.Action]
    minimal: list[ale_py.Action]
    screen: tuple[int, int]

    def actions(self, all_actions: bool) -> list[ale_py.Action]:
        return self.legal if all_actions else self.minimal


@cache
def _loaded(cartridge: str) -> _Cartridge:
    path = roms.get_rom_path(cartridge)
    assert path is not None, f"{cartridge} is in the list of ale-py's cartridges"
    console = _console(0.0)
    console.loadROM(path)
    rows, columns = console.getScreenDims()
    return _Cartridge(path, console.getLegalActionSet(), console.getMinimalActionSet(), (rows, columns))


def _console(stickiness: float) -> ale_py.ALEInterface:
    """A console without a cartridge."""
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)  # its banner is nobody's result
    console = ale_py.ALEInterface()
    console.setFloat("repeat_action_probability", stickiness)
    return console


class AtariGame(gymnasium.Env[Any, np.int64]):
    """One game. `cartridge` is as in "ms_pacman", `preset` how the agent sees it.

    ``info`` has "points", won in this step as they are; "frames", the number played; "lives", and "game_over",
    which tells the end of the game from the loss of a life. ``env.render()`` is the screen of the console.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 15}  # noqa: RUF012 - Gymnasium's own form

    def __init__(self, cartridge: str, preset: AtariPreset, render_mode: str | None = "rgb_array"):
        self.preset, self.render_mode = preset, render_mode
        self.console = _console(preset.stickiness)
        loaded = _loaded(cartridge)
        self._path, self._actions = loaded.path, loaded.actions(preset.all_actions)
        self.observation_space = preset.observation_space(len(self._actions))
        self.action_space = Discrete(len(self._actions))
        shape = loaded.screen if preset.grey else (*loaded.screen, 3)
        self._last, self._before = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)  # the last two frames
        self._resize = AreaResize(shape, preset.size)
        self._get_screen = self.console.getScreenGrayscale if preset.grey else self.console.getScreenRGB
        self._screens = np.zeros(preset.screens, np.uint8)  # a ring; `_oldest` is the one to be overwritten
        self._past = np.zeros(preset.stack, np.int64)
        self._oldest = 0
        self._noops: np.random.RandomState | None = None
        self._lives = self._played = 0
        self._life_lost = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode: a new game, or the rest of this one if only a life was lost and no `seed` is given."""
        super().reset(seed=seed)
        if seed is not None or self._noops is None:
            self._insert(int(self.np_random.integers(SEEDS)) if seed is None else seed % SEEDS)
        elif self._life_lost and self._played < self.preset.frames:
            return self._go_on()
        return self._new_game()

    def _insert(self, seed: int) -> None:
        """Begin the console's random numbers, which it takes with the cartridge, and ours."""
        self.console.setInt("random_seed", seed)
        self.console.loadROM(self._path)
        self._noops = np.random.RandomState(seed)  # C++'s std::mt19937, from which ale-py's batches draw

    def _new_game(self) -> tuple[Any, dict[str, Any]]:
        self.console.reset_game()
        for _ in range(self._draw_noops()):
            self.console.act(self._actions[NOOP])
            if self.console.game_over():
                self.console.reset_game()
        self._screens[:], self._past[:], self._oldest = 0, 0, 0
        self._get_screen(self._last)
        self._before[:] = 0
        self._remember(NOOP)
        self._lives, self._played, self._life_lost = self.console.lives(), 0, False
        return self._observation(), self._info(0, 0)

    def _go_on(self) -> tuple[Any, dict[str, Any]]:
        """The next life of the same game begins with one action that does nothing, unless that ends it, too."""
        observation, _, terminated, truncated, info = self.step(np.int64(NOOP))
        return self.reset() if terminated or truncated else (observation, info)

    def _draw_noops(self) -> int:
        """How many frames to wait: uniform in 0..noops, drawn as libstdc++ does (Lemire, ACM TOMACS 29, 2019)."""
        if not self.preset.noops or self._noops is None:
            return 0
        below, words = self.preset.noops + 1, 1 << 32
        while True:
            product = int(self._noops.randint(words, dtype=np.uint32)) * below
            if product % words >= words % below:
                return product // words

    def step(self, action: np.int64) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Hold `action` for the frames of one step."""
        preset, console = self.preset, self.console
        held = self._actions[action]
        points, frames, over = 0, 0, False
        for left in range(preset.skip, 0, -1):
            points += console.act(held)
            frames += 1
            over = console.game_over()
            if over or self._played + frames >= preset.frames:
                break
            if left <= 2:
                self._get_screen(self._last if left == 1 else self._before)
        self._played += frames
        self._remember(action)
        lives = console.lives()
        self._life_lost = preset.life_loss and not over and 0 < lives < self._lives
        self._lives = lives
        terminated = over or self._life_lost
        truncated = self._played >= preset.frames and not terminated
        reward = float(preset.rewards(np.asarray(points)))
        return self._observation(), reward, terminated, truncated, self._info(points, frames, over)

    def _remember(self, action: int | np.int64) -> None:
        """Put the screen of this moment, and the action that led to it, in the place of the oldest."""
        if self.preset.maximum:
            np.maximum(self._last, self._before, out=self._last)
        self._screens[self._oldest] = self._resize(self._last)
        self._past[self._oldest] = action
        self._oldest = (self._oldest + 1) % self.preset.stack

    def _observation(self) -> Any:
        screens = _unrolled(self._screens, self._oldest)
        if not self.preset.past_actions:
            return screens
        return {"screens": screens, "actions": _unrolled(self._past, self._oldest)}

    def _info(self, points: int, frames: int, over: bool = False) -> dict[str, Any]:
        return {"points": points, "frames": frames, "lives": self._lives, "game_over": over}

    def render(self) -> NDArray[np.uint8] | None:
        """The screen of the console, RGB [rows, columns, 3]."""
        return self.console.getScreenRGB() if self.render_mode == "rgb_array" else None

    def get_action_meanings(self) -> list[str]:
        """What the actions 0, 1, ... do."""
        return [action.name for action in self._actions]


def _unrolled(ring: NDArray[Any], oldest: int) -> NDArray[Any]:
    """A copy of `ring` that begins with row `oldest`."""
    result = np.empty_like(ring)
    result[: len(ring) - oldest] = ring[oldest:]
    result[len(ring) - oldest :] = ring[:oldest]
    return result
