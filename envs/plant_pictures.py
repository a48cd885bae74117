"""Plants as pictures: round strokes and discs with smooth edges, drawn by compiled code for one state or thousands.

A `Scene` says what is seen of a plant: a square window of the plane in metres, what never moves, and strokes that
follow the state. The same scene gives the pictures that people look at and the 64x64 pixels that agents see.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.kernel import kernel
from sakiyomi.envs.cart_double_pendulum import CartDoublePendulum
from sakiyomi.envs.cartpole_swingup import CartPole
from sakiyomi.envs.double_pendulum import DoublePendulum
from sakiyomi.envs.dynamics import Floats, Plant
from sakiyomi.envs.pendulum import Pendulum
from sakiyomi.envs.point_mass import PointMass
from sakiyomi.envs.reacher import Reacher

Pictures = NDArray[np.uint8]
Colour = tuple[int, int, int]
Stroke = tuple[Any, Any, Any, Any, float, Colour]
"""From x, y to x, y with the radius, all in metres; a disc if they are the same. Ends are numbers or arrays [N]."""

PAPER, RAIL, CART, ROD, OUTER, JOINT, GOAL = (
    (250, 248, 243),
    (176, 170, 160),
    (54, 82, 122),
    (222, 120, 52),
    (188, 62, 66),
    (40, 44, 52),
    (116, 190, 138),
)
THINNEST = 0.8
"""Pixels of a stroke's radius, at least."""


@dataclass(frozen=True)
class Scene:
    """A window `reach` metres to all sides of (x, y), the strokes that never move, and a function of states [N, S]."""

    x: float
    y: float
    reach: float
    still: tuple[Stroke, ...]
    moving: Callable[[Floats], Sequence[Stroke]]


def pictures(plant: Plant, states: Floats, size: int = 400) -> Pictures:
    """uint8 [N, size, size, 3] of states [N, S]. Raises ValueError for a plant without a scene."""
    scene = scene_of(plant)
    drawn = np.repeat(_background(plant, size)[None], len(states), axis=0)
    _draw_strokes(drawn, scene, scene.moving(np.asarray(states, np.float64)))
    return drawn


@lru_cache(maxsize=64)
def scene_of(plant: Plant) -> Scene:
    """What is seen of `plant`. Raises ValueError if nothing is."""
    make = _SCENES.get(type(plant))
    if make is None:
        raise ValueError(f"there is no picture of a {type(plant).__name__}; plant_pictures.add_scene gives it one")
    return make(plant)


def add_scene(kind: type[Plant], make: Callable[[Any], Scene]) -> None:
    """Let plants of that class be seen as `make` says of each."""
    _SCENES[kind] = make


@lru_cache(maxsize=64)
def _background(plant: Plant, size: int) -> Pictures:
    drawn = np.empty((1, size, size, 3), np.uint8)
    drawn[:] = PAPER
    scene = scene_of(plant)
    _draw_strokes(drawn, scene, scene.still)
    drawn.flags.writeable = False
    picture: Pictures = drawn[0]
    return picture


def _draw_strokes(drawn: Pictures, scene: Scene, strokes: Sequence[Stroke]) -> None:
    """Draw strokes in the order given, converted to pixels with y down."""
    count, size = len(drawn), drawn.shape[1]
    scale = size / (2 * scene.reach)
    lines = np.empty((count, len(strokes), 5))
    colours = np.array([stroke[5] for stroke in strokes], np.float64).reshape(-1, 3)
    for k, (x0, y0, x1, y1, radius, _) in enumerate(strokes):
        for place, value in enumerate((x0, y0, x1, y1)):
            lines[:, k, place] = value
        lines[:, k, 4] = max(radius * scale, THINNEST)
    lines[:, :, 0:4:2] = (lines[:, :, 0:4:2] - scene.x + scene.reach) * scale
    lines[:, :, 1:4:2] = (scene.y + scene.reach - lines[:, :, 1:4:2]) * scale
    _paint(drawn, lines, colours)


@kernel
def _paint(drawn: Pictures, lines: Floats, colours: Floats) -> None:
    """Lay strokes [N, K, 5] (x0, y0, x1, y1, radius in pixels) of colours [K, 3] upon pictures [N, H, W, 3].

    A pixel takes on as much of the colour as the stroke covers of it, by the distance of its middle from the rim.
    """
    count, height, width, _ = drawn.shape
    for i in range(count):
        for k in range(lines.shape[1]):
            x0, y0, x1, y1, radius = lines[i, k, 0], lines[i, k, 1], lines[i, k, 2], lines[i, k, 3], lines[i, k, 4]
            far, dx, dy = radius + 0.5, x1 - x0, y1 - y0
            length = dx * dx + dy * dy
            top = min(max(int(np.floor(min(y0, y1) - far)), 0), height)
            bottom = min(max(int(np.ceil(max(y0, y1) + far)), 0), height)
            left = min(max(int(np.floor(min(x0, x1) - far)), 0), width)
            right = min(max(int(np.ceil(max(x0, x1) + far)), 0), width)
            for row in range(top, bottom):
                py = row + 0.5 - y0
                for column in range(left, right):
                    px = column + 0.5 - x0
                    along = 0.0 if length == 0.0 else min(max((px * dx + py * dy) / length, 0.0), 1.0)
                    ex, ey = px - along * dx, py - along * dy
                    off = ex * ex + ey * ey
                    if off >= far * far:
                        continue
                    cover = min(far - np.sqrt(off), 1.0)
                    for c in range(3):
                        below = drawn[i, row, column, c]
                        drawn[i, row, column, c] = np.uint8(below + cover * (colours[k, c] - below) + 0.5)


def _dot(x: Any, y: Any, radius: float, colour: Colour) -> Stroke:
    return x, y, x, y, radius, colour


def _goal(x: Any, y: Any, radius: float) -> Stroke:
    """Where something is wanted to be."""
    return _dot(x, y, radius, GOAL)


def _pendulum(plant: Pendulum) -> Scene:
    length = plant.length

    def moving(states: Floats) -> Sequence[Stroke]:
        theta = states[:, 1]
        return (
            (0.0, 0.0, length * np.sin(theta), -length * np.cos(theta), 0.07 * length, ROD),
            _dot(0.0, 0.0, 0.04 * length, JOINT),
        )

    return Scene(0.0, 0.0, 1.3 * length, (_goal(0.0, length, 0.13 * length),), moving)


def _cartpole(plant: CartPole) -> Scene:
    length = plant.length

    def moving(states: Floats) -> Sequence[Stroke]:
        x, theta = states[:, 0], states[:, 3]
        tip = x + length * np.sin(theta), -length * np.cos(theta)
        return (*_cart(x, length), (x, 0.0, *tip, 0.07 * length, ROD), _dot(x, 0.0, 0.04 * length, JOINT))

    return Scene(0.0, 0.0, 2.4 * length, (_rail(8 * length, length), _goal(0.0, length, 0.13 * length)), moving)


def _double_pendulum(plant: DoublePendulum) -> Scene:
    l1, l2 = plant.inner_length, plant.outer_length
    whole = l1 + l2

    def moving(states: Floats) -> Sequence[Stroke]:
        theta1, theta2 = states[:, 2], states[:, 3]
        elbow = -l1 * np.sin(theta1), l1 * np.cos(theta1)
        tip = elbow[0] - l2 * np.sin(theta2), elbow[1] + l2 * np.cos(theta2)
        return (
            (*elbow, *tip, 0.06 * l2, OUTER),
            (0.0, 0.0, *elbow, 0.07 * l1, ROD),
            _dot(0.0, 0.0, 0.04 * l1, JOINT),
            _dot(*elbow, 0.04 * l1, JOINT),
        )

    return Scene(0.0, 0.0, 1.2 * whole, (_goal(0.0, whole, 0.12 * l1),), moving)


def _cart_double_pendulum(plant: CartDoublePendulum) -> Scene:
    l1, l2 = plant.inner_length, plant.outer_length
    whole = l1 + l2

    def moving(states: Floats) -> Sequence[Stroke]:
        x, theta1, theta2 = states[:, 0], states[:, 4], states[:, 5]
        elbow = x - l1 * np.sin(theta1), l1 * np.cos(theta1)
        tip = elbow[0] - l2 * np.sin(theta2), elbow[1] + l2 * np.cos(theta2)
        return (
            *_cart(x, l1),
            (*elbow, *tip, 0.06 * l2, OUTER),
            (x, 0.0, *elbow, 0.07 * l1, ROD),
            _dot(x, 0.0, 0.04 * l1, JOINT),
            _dot(*elbow, 0.04 * l1, JOINT),
        )

    return Scene(0.0, 0.0, 1.7 * whole, (_rail(4 * whole, l1), _goal(0.0, whole, 0.12 * l1)), moving)


def _reacher(plant: Reacher) -> Scene:
    l1, l2 = plant.upper_length, plant.lower_length

    def moving(states: Floats) -> Sequence[Stroke]:
        theta1, theta2 = states[:, 2], states[:, 3]
        elbow = l1 * np.cos(theta1), l1 * np.sin(theta1)
        tip = elbow[0] + l2 * np.cos(theta2), elbow[1] + l2 * np.sin(theta2)
        return (
            _goal(states[:, 4], states[:, 5], 0.08),
            (0.0, 0.0, *elbow, 0.05, CART),
            (*elbow, *tip, 0.04, ROD),
            _dot(*elbow, 0.025, JOINT),
            _dot(*tip, 0.025, JOINT),
        )

    return Scene(0.0, 0.0, 1.15 * (l1 + l2), (_dot(0.0, 0.0, 0.09, RAIL),), moving)


def _point_mass(plant: PointMass) -> Scene:
    half, thick = plant.half, 0.025
    wall = half + thick

    def moving(states: Floats) -> Sequence[Stroke]:
        return (
            _goal(states[:, 4], states[:, 5], plant.width),
            _dot(states[:, 2], states[:, 3], plant.radius, ROD),
        )

    corners = ((-wall, -wall), (wall, -wall), (wall, wall), (-wall, wall), (-wall, -wall))
    walls = tuple((*a, *b, thick, RAIL) for a, b in pairwise(corners))
    return Scene(0.0, 0.0, 1.1 * half, walls, moving)


def _rail(far: float, length: float) -> Stroke:
    return -far, 0.0, far, 0.0, 0.02 * length, RAIL


def _cart(x: Any, length: float) -> tuple[Stroke]:
    return ((x - 0.2 * length, 0.0, x + 0.2 * length, 0.0, 0.13 * length, CART),)


_SCENES: dict[type[Plant], Callable[[Any], Scene]] = {
    CartDoublePendulum: _cart_double_pendulum,
    CartPole: _cartpole,
    DoublePendulum: _double_pendulum,
    Pendulum: _pendulum,
    PointMass: _point_mass,
    Reacher: _reacher,
}
