"""Several observations as one input of a network: the latest frames, and the actions that led to them.

A *frame* is what is observed at one step: a picture of bytes ([Y, X, C], or [C, Y, X] where C is many), planes of
numbers [C, Y, X] (board games), or a vector [O]. Inputs are float32: planes [C', Y, X] or a vector [O'], the oldest
frame first, bytes as 0 to 1, and behind them, if wanted, a plane (or number) of a/A for the action that led to each
frame (MuZero, appendix E, "Network input": 32 pictures and 32 planes for Atari).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

COLOURS = (1, 3)  # how many channels a picture has whose channels come last


def input_shape(frame: tuple[int, ...], kind: Any, stack: int, with_actions: bool) -> tuple[int, ...]:
    """The shape of an input. Raises ValueError for frames that are neither vectors nor planes."""
    if len(frame) == 1:
        return ((frame[0] + with_actions) * stack,)
    if len(frame) != 3:
        raise ValueError(f"observations must be vectors, pictures or planes, got shape {frame}")
    channels, height, width = (frame[2], *frame[:2]) if _channels_last(frame, kind) else frame
    return (channels + with_actions) * stack, height, width


def inputs_of(frames: NDArray[Any], past: NDArray[np.integer], actions: int, with_actions: bool) -> NDArray[np.float32]:
    """Inputs [n, ...] of `frames` [n, S, ...], oldest first, and the actions `past` [n, S] that led to them."""
    n, stack, *frame = frames.shape
    if len(frame) == 3 and _channels_last(tuple(frame), frames.dtype):
        frames = np.moveaxis(frames, -1, 2)
    if stack == 1 and not with_actions and frames.dtype == np.float32:
        return frames[:, 0]
    flat = frames.reshape(n, stack * frames.shape[2], *frames.shape[3:])
    pixels = frames.dtype == np.uint8
    seen = np.divide(flat, 255, dtype=np.float32) if pixels else flat.astype(np.float32)
    if not with_actions:
        return seen
    shares = (past / actions).astype(np.float32).reshape(n, stack, *(1,) * (seen.ndim - 2))
    return np.concatenate([seen, np.broadcast_to(shares, (n, stack, *seen.shape[2:]))], axis=1)


class Stack:
    """The latest `stack` frames of `rows` episodes, and the actions that led to them; before an episode's first frame
    stands that frame again, and action 0."""

    def __init__(self, rows: int, stack: int, frame: tuple[int, ...], kind: Any):
        self.frames = np.zeros((rows, stack, *frame), kind)
        self.past = np.zeros((rows, stack), np.int64)

    def see(self, frames: NDArray[Any], actions: NDArray[np.integer], is_first: NDArray[np.bool_]) -> None:
        """One frame more in each row: `frames` [rows, ...], to which `actions` [rows] led, or an episode's first."""
        self.frames = np.concatenate([self.frames[:, 1:], frames[:, None]], axis=1)
        self.past = np.concatenate([self.past[:, 1:], actions[:, None]], axis=1)
        if is_first.any():
            self.frames[is_first] = frames[is_first, None]
            self.past[is_first] = 0

    def seen(self, frames: NDArray[Any], actions: NDArray[np.integer], rows: NDArray[np.integer]) -> "Stack":
        """What `see` would make of some `rows` [n]; these stay as they are."""
        later = Stack(0, self.frames.shape[1], frames.shape[1:], frames.dtype)
        later.frames, later.past = self.frames[rows], self.past[rows]
        later.see(frames, actions, np.zeros(len(rows), np.bool_))
        return later

    def inputs(self, actions: int, with_actions: bool) -> NDArray[np.float32]:
        """[rows, ...], as `inputs_of`."""
        return inputs_of(self.frames, self.past, actions, with_actions)


def _channels_last(frame: tuple[int, ...], kind: Any) -> bool:
    return np.dtype(kind) == np.uint8 and frame[2] in COLOURS
