"""Moves as USI texts, "7g7f", "8h2b+", "P*5e" (http://hgm.nubati.net/usi.html), and moves as lists."""

import re

import numpy as np

from sakiyomi.boards.game import BadNotation, States
from sakiyomi.boards.shogi import rules
from sakiyomi.boards.shogi.actions import DROPS, OFF_BOARD, PLANE, PLANES, PROMOTION, SQUARE, TARGET, VIEW
from sakiyomi.boards.shogi.sfen import LETTERS, shown, square_name, square_number, write
from sakiyomi.boards.shogi.state import MOST_MOVES

_MOVE = re.compile(r"([1-9][a-i])([1-9][a-i])([+=]?)")
_DROP = re.compile(r"([PLNSGBR])\*([1-9][a-i])", re.IGNORECASE)


def moves(states: States) -> list[int]:
    """The legal moves of states[0], whether a rule has ended the game or not, as 15-bit words (see `state`)."""
    found, counts = np.empty(MOST_MOVES, np.uint16), np.empty(1, np.int32)
    rules.moves_rows(0, 1, states.view(np.uint64), found, counts)
    return [int(move) for move in found[: counts[0]]]


def squares_of(action: int, turn: int) -> tuple[int, int, bool]:
    """Origin (81 + kind - 1 for a drop), target and promotion of an action; the target is 127 if off the board."""
    view, plane = divmod(action, PLANES)
    square = int(SQUARE[81 * turn + view])
    if plane >= DROPS:
        return 81 + plane - DROPS, square, False
    to = int(TARGET[66 * view + plane % PROMOTION])
    return square, OFF_BOARD if to == OFF_BOARD else int(SQUARE[81 * turn + to]), plane >= PROMOTION


def action_from(origin: int, to: int, promotes: bool, turn: int) -> int | None:
    """The action with that origin (81 + kind - 1 for a drop), target and promotion; None if no piece moves so."""
    target = int(VIEW[81 * turn + to])
    if origin >= 81:
        return target * PLANES + DROPS + origin - 81
    view = int(VIEW[81 * turn + origin])
    plane = int(PLANE[81 * view + target])
    return None if plane == OFF_BOARD else view * PLANES + plane + PROMOTION * promotes


def move_text(states: States, action: int) -> str:
    """The action as USI; one that leads off the board as from its square to "--"."""
    origin, to, promotes = squares_of(action, int(states["turn"][0]))
    if to == OFF_BOARD:
        return square_name(origin) + "--"
    if origin >= 81:
        return f"{LETTERS[origin - 80]}*{square_name(to)}"
    return square_name(origin) + square_name(to) + "+" * promotes


def parse(states: States, text: str) -> int:
    """The action that a USI text names. Raises BadNotation."""
    turn, plain = int(states["turn"][0]), text.strip()
    if match := _DROP.fullmatch(plain):
        action = action_from(80 + LETTERS.index(match[1].upper()), square_number(match[2].lower()), False, turn)
    elif match := _MOVE.fullmatch(plain):
        action = action_from(square_number(match[1]), square_number(match[2]), match[3] == "+", turn)
        if action is None:
            raise BadNotation(f"{text!r} in {write(states)}: no piece moves from {match[1]} to {match[2]}")
    else:
        raise BadNotation(f"{shown(text)} in {write(states)} is no move: USI such as 7g7f, 8h2b+ or P*5e is wanted")
    assert action is not None, "drops have actions"
    return action
