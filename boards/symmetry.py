"""The symmetries of a W x H board, as they act on planes and on actions.

A square board has eight (the dihedral group D4), a rectangular one the four that keep its shape. Actions are squares
numbered row by row from the top left, as in the planes: ``action = y * W + x``; a pass, if there is one, comes last
and stays where it is.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import Symmetry

Planes = NDArray[Any]


def identity(planes: Planes) -> Planes:
    """[..., Y, X] as it is."""
    return planes


def mirror(planes: Planes) -> Planes:
    """[..., Y, X] with left and right exchanged."""
    return planes[..., ::-1]


def flip(planes: Planes) -> Planes:
    """[..., Y, X] with top and bottom exchanged."""
    return planes[..., ::-1, :]


def rotate180(planes: Planes) -> Planes:
    """[..., Y, X] turned by half a turn."""
    return planes[..., ::-1, ::-1]


def transpose(planes: Planes) -> Planes:
    """[..., Y, X] mirrored in the diagonal from the top left; the shape becomes [..., X, Y]."""
    return np.swapaxes(planes, -1, -2)


def rotate90(planes: Planes) -> Planes:
    """[..., Y, X] turned by a quarter, anticlockwise."""
    return flip(transpose(planes))


def rotate270(planes: Planes) -> Planes:
    """[..., Y, X] turned by a quarter, clockwise."""
    return mirror(transpose(planes))


def antitranspose(planes: Planes) -> Planes:
    """[..., Y, X] mirrored in the diagonal from the top right."""
    return rotate180(transpose(planes))


RECTANGLE: tuple[Callable[[Planes], Planes], ...] = (identity, mirror, flip, rotate180)
SQUARE = (*RECTANGLE, transpose, rotate90, rotate270, antitranspose)


def board_symmetry(transform: Callable[[Planes], Planes], width: int, height: int, passes: bool) -> Symmetry:
    """`transform`, one of this file's functions that keep a `width` x `height` board's shape, as a `Symmetry`."""
    squares = width * height
    came_from = transform(np.arange(squares).reshape(height, width)).ravel()  # by place after, the square before
    actions = np.arange(squares + passes, dtype=np.int32)
    actions[came_from] = np.arange(squares)
    return Symmetry(transform.__name__, transform, actions)


def board_symmetries(width: int, height: int, passes: bool) -> list[Symmetry]:
    """The 8 symmetries of a square board or the 4 of a rectangular one, the identity first.

    With `passes` there is one more action than squares, the pass.
    """
    transforms = SQUARE if width == height else RECTANGLE
    return [board_symmetry(transform, width, height, passes) for transform in transforms]
