"""What an agent foresees in pictures, beside what then happened.

An agent acts for some steps (the context), says what it foresees, and its plan is then carried out without another look
(open loop): Hafner et al., "Learning latent dynamics for planning from pixels", ICML 2019, figure 8, and
"Dream to control", ICLR 2020, figure 4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.agent import Foresight, Turn
from sakiyomi.agents.parts.episodes.charts import Line, chart
from sakiyomi.envs.task import Task

Frames = NDArray[np.uint8]
CONTEXT, IMAGINED, GAP = (120, 120, 120), (255, 140, 0), 2
"""The borders of frames that the agent had seen and of such as it imagined (RGB), and their width in pixels."""
CAME = (235, 235, 235)
"""The colour of numbers that came; those imagined have that of imagined frames."""
CHARTED = ("reward", "value")
"""Numbers that films show below the pictures, if they were foreseen."""


class Foreseeing(Protocol):
    """What is asked of an agent here."""

    def initial(self, batch: int, seed: int = 0) -> Any: ...  # noqa: D102
    def act(self, carry: Any, turn: Turn, explore: bool) -> tuple[NDArray[Any], Any]: ...  # noqa: D102
    def foresee(self, carry: Any, turn: Turn, row: int = 0) -> Foresight: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class OpenLoop:
    """C frames that were seen, and H that then came, beside those `predicted`: all uint8 [., height, width, 3].

    `rewards` [C + H] are those of arriving at all of them, and `numbers` [H], by name, what else was predicted; `paths`
    [P, H] are its sampled futures, as far as the agent tells of them.
    """

    context: Frames
    truth: Frames
    predicted: Frames
    rewards: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    numbers: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    paths: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def error(self) -> Frames:
        """[H, height, width, 3], how far the predicted is from what came."""
        return np.asarray(np.abs(self.truth.astype(np.int16) - self.predicted), np.uint8)

    @property
    def errors(self) -> NDArray[np.float64]:
        """[H], the mean squared error of each frame, colours being 0 to 1."""
        squares = ((self.truth.astype(np.float64) - self.predicted) / 255) ** 2
        return np.asarray(squares.mean(axis=(1, 2, 3)))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it by name, what was predicted beside the frames as "predicted reward" and so on."""
        frames = {"context": self.context, "truth": self.truth, "predicted": self.predicted, "error": self.error}
        return {**frames, "rewards": self.rewards, **{f"predicted {k}": v for k, v in self.numbers.items()}}


def open_loop(agent: Foreseeing, task: Task, context: int = 5, seed: int = 0) -> OpenLoop:
    """What `agent` foresees in `task` after `context` steps, and what came of its plan.

    If the episode ends before the plan does, what was foreseen of later is left out. Raises ValueError for an agent
    that foresees no pictures, or an episode that ends in the context.
    """
    env = task.make()
    observation, _ = env.reset(seed=seed)
    carry, rewards, seen = agent.initial(1, seed), [0.0], [_picture(observation)]
    try:
        while True:
            first = np.array([len(seen) == 1])
            turn = Turn(np.asarray(observation)[None], first, np.array(rewards[-1:], np.float32))
            actions, carry = agent.act(carry, turn, False)
            if len(seen) > context:
                break
            observation, got, terminated, truncated, _ = env.step(actions[0].astype(env.action_space.dtype))
            rewards.append(float(got))
            seen.append(_picture(observation))
            if terminated or truncated:
                raise ValueError(f"the episode of {task.name} ended after {len(seen) - 1} steps, before the prediction")
        foresight = agent.foresee(carry, turn, 0)
        plan, imagined = _imagined(foresight)
        came = list[Frames]()
        for action in plan:
            observation, got, terminated, truncated, _ = env.step(np.asarray(action).astype(env.action_space.dtype))
            rewards.append(float(got))
            came.append(_picture(observation))
            if terminated or truncated:
                break
    finally:
        env.close()
    told = {name: each for name, each in foresight.future.items() if np.ndim(each.mean) == 1}
    numbers = {name: np.asarray(each.mean, np.float64)[: len(came)] for name, each in told.items()}
    sampled = {name: each.samples for name, each in told.items() if each.samples is not None}
    paths = {name: np.asarray(samples, np.float64)[:, : len(came)] for name, samples in sampled.items()}
    return OpenLoop(np.stack(seen), np.stack(came), imagined[: len(came)], np.array(rewards), numbers, paths)


def film_frames(loops: list[OpenLoop], scale: int = 2) -> Frames:
    """[C + H, ...] pictures, a step each: a column for every prediction; its rows are truth, prediction and error.

    In the context the second row repeats the first, with another border. Shorter predictions stop at their end. Below
    are charts of such of the `CHARTED` numbers as were predicted, and of the rewards as they come.
    """
    steps = max(len(each.context) + len(each.truth) for each in loops)
    charts = [name for name in CHARTED if all(name in each.numbers for each in loops)]
    return np.stack([np.concatenate([_column(each, t, scale, charts) for each in loops], axis=1) for t in range(steps)])


def strip(loop: OpenLoop, shown: int = 6, scale: int = 1) -> Frames:
    """One picture: the last of the context and `shown` steps from the prediction's first to its last, side by side."""
    seen, ahead = len(loop.context), len(loop.truth)
    times = np.unique(np.linspace(0, ahead - 1, min(shown, ahead)).round().astype(int))
    return np.concatenate([_column(loop, t, scale) for t in (seen - 1, *(seen + times))], axis=1)


def save_film(loops: list[OpenLoop], path: str | Path, fps: float = 5.0, scale: int = 2) -> None:
    """Write `film_frames` as `sakiyomi.envs.video.Film` does: .gif (with Pillow), .mp4, .npz, or a folder of PNGs.

    Raises ValueError for a missing package, with the command that installs it.
    """
    from sakiyomi.envs.video import Film

    with Film(path, fps) as film:
        film.begin()
        for frame in film_frames(loops, scale):
            film.add(frame)


def _imagined(foresight: Foresight) -> tuple[NDArray[Any], Frames]:
    """The plan [H, ...] and the frames [H, height, width, 3] expected along it."""
    predicted, plan = foresight.future.get("observation"), foresight.plan
    if plan is None or predicted is None or np.ndim(predicted.mean) != 4:
        raise ValueError("the agent foresees no pictures: its foresight has no plan, or no frames called 'observation'")
    return plan, np.stack([_picture(frame) for frame in predicted.mean])


def _picture(frame: Any) -> Frames:
    """uint8 [height, width, 3] of a frame, uint8 or 0 to 1, of 1 or 3 channels or none; of screens one after the other,
    [screens, height, width], the last.
    """
    array = np.asarray(frame)
    array = array[-1] if array.ndim == 3 and array.shape[2] not in (1, 3) else array
    if array.ndim not in (2, 3):
        raise ValueError(f"a picture is [height, width] or [height, width, channels], got {list(array.shape)}")
    if array.dtype != np.uint8:
        array = (255 * np.clip(array, 0, 1)).round().astype(np.uint8)
    array = array.reshape(*array.shape[:2], -1)
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:2], 3)) if array.shape[2] == 1 else array)


def _column(loop: OpenLoop, t: int, scale: int, charts: Sequence[str] = ()) -> Frames:
    """Truth, prediction, error and `charts` of step t, one below the other."""
    seen = len(loop.context)
    t = min(t, seen + len(loop.truth) - 1)
    if t < seen:
        frame, border = loop.context[t], CONTEXT
        cells = [frame, frame, np.zeros_like(frame)]
    else:
        at, border = t - seen, IMAGINED
        cells = [loop.truth[at], loop.predicted[at], loop.error[at]]
    borders = (CONTEXT, border, CONTEXT)
    framed = [_framed(cell, colour, scale) for cell, colour in zip(cells, borders, strict=True)]
    framed += [_framed(_charted(loop, name, t, framed[0].shape[1] - 2 * GAP), CONTEXT, 1) for name in charts]
    return np.concatenate(framed, axis=0)


def _charted(loop: OpenLoop, name: str, t: int, width: int) -> Frames:
    """What was predicted under that name, from where it was, and the rewards up to step t, with a line there."""
    seen, total = len(loop.context), len(loop.context) + len(loop.truth)
    lines: Sequence[Line] = [Line(loop.numbers[name] if t >= seen else loop.numbers[name][:0], IMAGINED, seen)]
    if name == "reward":
        lines = [Line(loop.rewards[: t + 1], CAME), *lines]
    every = np.concatenate([loop.numbers[name], loop.rewards if name == "reward" else []])
    return chart(lines, total, (float(every.min()), float(every.max())), (width // 2, width), now=t)


def _framed(cell: Frames, colour: tuple[int, int, int], scale: int) -> Frames:
    """`cell` with pixels `scale` wide and a border."""
    large = cell.repeat(scale, axis=0).repeat(scale, axis=1)
    framed = np.empty((large.shape[0] + 2 * GAP, large.shape[1] + 2 * GAP, 3), np.uint8)
    framed[:] = colour
    framed[GAP:-GAP, GAP:-GAP] = large
    return framed
