"""Pictures of pieces: chess figures, shogi's wedges and round stones, as layers of colour to lay on a square."""

from functools import cache

import numpy as np

from sakiyomi.envs.shapes import FINE, Fine, Mask, disc, grid, grown, line, mean, polygon, text

Colour = tuple[int, int, int]
Layers = tuple[tuple[Mask, Colour], ...]
"""From the bottom up: where, and in which colour."""

INK, IVORY, COAL = (30, 28, 26), (250, 246, 236), (62, 60, 62)
WEDGE, WEDGE_EDGE, RED = (240, 208, 146), (122, 84, 40), (178, 34, 28)
PAWN, KNIGHT, BISHOP, ROOK, QUEEN, KING = range(1, 7)
_SHOGI = ("", "P", "L", "N", "S", "G", "B", "R", "K")


@cache
def chess_piece(size: int, kind: int, white: bool) -> Layers:
    """A figure with a dark edge, `kind` as `Chess.board` numbers them."""
    body, cuts = _figure(size, kind)
    edge = mean(grown(body, max(1, round(0.028 * size * FINE))))
    inner = mean(cuts & body)
    if white:
        return (edge, INK), (mean(body), IVORY), (inner, INK)
    return (edge, INK), (mean(body), COAL), (inner, (206, 202, 196))


def _figure(size: int, kind: int) -> tuple[Fine, Fine]:
    """The body of a figure, and the lines within it."""
    base = polygon(size, [(0.24, 0.86), (0.24, 0.79), (0.30, 0.74), (0.70, 0.74), (0.76, 0.79), (0.76, 0.86)])
    cuts = line(size, [(0.30, 0.765), (0.70, 0.765)], 0.018)
    if kind == PAWN:
        body = disc(size, 0.5, 0.34, 0.125) | disc(size, 0.5, 0.475, 0.15, 0.28)
        return body | base | polygon(size, [(0.43, 0.48), (0.57, 0.48), (0.66, 0.75), (0.34, 0.75)]), cuts
    if kind == ROOK:
        top = [(0.27, 0.18), (0.37, 0.18), (0.37, 0.24), (0.45, 0.24), (0.45, 0.18), (0.55, 0.18), (0.55, 0.24)]
        top += [(0.63, 0.24), (0.63, 0.18), (0.73, 0.18), (0.73, 0.31), (0.65, 0.38), (0.67, 0.75), (0.33, 0.75)]
        return base | polygon(size, [*top, (0.35, 0.38), (0.27, 0.31)]), cuts | line(
            size, [(0.36, 0.38), (0.64, 0.38)], 0.018
        )
    if kind == KNIGHT:
        head = [(0.35, 0.76), (0.37, 0.63), (0.47, 0.53), (0.50, 0.44), (0.43, 0.47), (0.36, 0.54), (0.28, 0.58)]
        head += [(0.21, 0.53), (0.23, 0.44), (0.30, 0.33), (0.34, 0.25), (0.35, 0.12), (0.44, 0.19), (0.56, 0.19)]
        head += [(0.67, 0.29), (0.73, 0.45), (0.73, 0.76)]
        eye = disc(size, 0.405, 0.325, 0.022) | line(size, [(0.265, 0.495), (0.285, 0.475)], 0.022)
        return base | polygon(size, head, smooth=2), cuts | eye | line(
            size, [(0.60, 0.27), (0.66, 0.42), (0.66, 0.62)], 0.018
        )
    if kind == BISHOP:
        body = disc(size, 0.5, 0.155, 0.05) | polygon(
            size, [(0.5, 0.12), (0.68, 0.42), (0.60, 0.60), (0.40, 0.60), (0.32, 0.42)], 2
        )
        body |= disc(size, 0.5, 0.605, 0.17, 0.22) | polygon(
            size, [(0.43, 0.60), (0.57, 0.60), (0.64, 0.75), (0.36, 0.75)]
        )
        return base | body, cuts | line(size, [(0.5, 0.31), (0.5, 0.47)], 0.024) | line(
            size, [(0.43, 0.39), (0.57, 0.39)], 0.024
        )
    if kind == QUEEN:
        tips = [(0.17, 0.27), (0.335, 0.19), (0.5, 0.16), (0.665, 0.19), (0.83, 0.27)]
        crown = [(0.17, 0.27), (0.32, 0.52), (0.335, 0.19), (0.435, 0.49), (0.5, 0.16), (0.565, 0.49), (0.665, 0.19)]
        body = polygon(size, [*crown, (0.68, 0.52), (0.83, 0.27), (0.70, 0.75), (0.30, 0.75)])
        for x, y in tips:
            body |= disc(size, x, y, 0.042)
        return base | body, cuts | line(size, [(0.31, 0.64), (0.5, 0.62), (0.69, 0.64)], 0.018)
    cross = line(size, [(0.5, 0.08), (0.5, 0.30)], 0.05) | line(size, [(0.425, 0.15), (0.575, 0.15)], 0.05)
    wings = (
        disc(size, 0.335, 0.465, 0.155, 0.95) | disc(size, 0.665, 0.465, 0.155, 0.95) | disc(size, 0.5, 0.36, 0.10, 1.3)
    )
    body = wings | polygon(size, [(0.22, 0.54), (0.5, 0.44), (0.78, 0.54), (0.70, 0.75), (0.30, 0.75)])
    lines = line(size, [(0.31, 0.66), (0.5, 0.64), (0.69, 0.66)], 0.018) | line(size, [(0.5, 0.42), (0.5, 0.57)], 0.018)
    return base | cross | body, cuts | lines


@cache
def shogi_piece(size: int, kind: int, black: bool) -> Layers:
    """A wedge that points away from its owner, its letter upright for Black, red if promoted; `kind` unsigned."""
    wedge = polygon(size, [(0.5, 0.08), (0.74, 0.19), (0.85, 0.90), (0.15, 0.90), (0.26, 0.19)])
    letter = text(size, _SHOGI[kind if kind <= 8 else kind - 8], 0.40, 0.15)
    layers = (
        (mean(grown(wedge, max(1, round(0.02 * size * FINE)))), WEDGE_EDGE),
        (mean(wedge), WEDGE),
        (np.roll(letter, round(0.05 * size), axis=0), RED if kind > 8 else INK),
    )
    return layers if black else tuple((mask[::-1, ::-1], colour) for mask, colour in layers)


@cache
def stone(size: int, black: bool) -> Layers:
    """A round stone with a shadow and a soft light from the top left."""
    across, down = grid(size)
    round_ = disc(size, 0.5, 0.5, 0.465)
    light = np.exp(-((across - 0.36) ** 2 + (down - 0.32) ** 2) / 0.045)
    samples = (round_ * light).reshape(size, FINE, size, FINE).mean(axis=(1, 3)).astype(np.float32)
    shadow = 0.35 * mean(disc(size, 0.525, 0.54, 0.465))
    if black:
        return (shadow, INK), (mean(round_), (24, 24, 26)), (0.55 * samples, (190, 190, 196))
    return (
        (shadow, INK),
        (mean(round_), (120, 116, 108)),
        (mean(disc(size, 0.5, 0.5, 0.448)), (232, 230, 224)),
        (samples, (255, 255, 255)),
    )


@cache
def token(size: int, colour: Colour) -> Layers:
    """A disc of Connect Four."""
    return (mean(disc(size, 0.5, 0.5, 0.40)), colour), (0.35 * mean(disc(size, 0.5, 0.5, 0.29)), (255, 255, 255))


@cache
def sign(size: int, cross: bool) -> Layers:
    """A cross or a ring."""
    if cross:
        both = line(size, [(0.24, 0.24), (0.76, 0.76)], 0.11) | line(size, [(0.76, 0.24), (0.24, 0.76)], 0.11)
        return ((mean(both), (52, 92, 168)),)
    return ((mean(disc(size, 0.5, 0.5, 0.33) & ~disc(size, 0.5, 0.5, 0.22)), (196, 64, 52)),)
