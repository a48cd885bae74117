"""The rewards of the tasks ``pets/...`` and ``cartpole-continuous``: what a planner may know of them.

Chua et al., "Deep reinforcement learning in a handful of trials using probabilistic dynamics models", NeurIPS 2018,
section 6 and its published program. Each is a function of an observation [..., O], an action [..., U] and the next
observation [..., O], and gives [...]: all three NumPy arrays, or all three PyTorch tensors (through which gradients
pass), of any leading shape. The environments give the same rewards, so a planner with a learned model of the
observations needs to learn nothing else. A reward is minus the paper's cost.
"""

import math
from collections.abc import Callable
from typing import Any

from sakiyomi.envs.plant_maths import cos, exp, sin

Rows = Any
"""Arrays, or tensors, whose last axis is that of an observation or of an action."""
Reward = Callable[[Rows, Rows, Rows], Rows]

POLE = 0.6
"""Metres from the hinge of ``pets/cartpole`` to the tip of its pole, and the width of the reward."""
SHOULDER = (0.0, -0.188, 0.0)
"""Metres: where the arm of ``pets/reacher`` stands."""
LINKS = (0.1, 0.4, 0.321, 0.16828)
"""Metres: shoulder, upper arm, forearm, hand."""
GOAL = (0.45, -0.05, -0.323)
"""Metres: where the object of ``pets/pusher`` is to be."""
TRACK = 2.4
"""Metres that the cart of ``cartpole-continuous`` may go either way."""
TILT = math.radians(12)
"""Radians that its pole may lean."""


def cartpole_reward(observation: Rows, action: Rows, next_observation: Rows) -> Rows:
    """How near the tip is to being upright over the middle, 0..1, less 0.01 |u|^2; observed are x, angle, and changes.

    The angle is 0 where the pole hangs.
    """
    x, z = pole_tip(next_observation)
    return exp(-(x**2 + (z - POLE) ** 2) / POLE**2) - 0.01 * _squared(action)


def pole_tip(observation: Rows) -> tuple[Rows, Rows]:
    """Metres to the right and upwards [...] of the tip of the pole in ``pets/cartpole``."""
    return observation[..., 0] - POLE * sin(observation[..., 1]), -POLE * cos(observation[..., 1])


def half_cheetah_reward(observation: Rows, action: Rows, next_observation: Rows) -> Rows:
    """Metres a second forward, which is observed first, less 0.1 |u|^2."""
    return next_observation[..., 0] - 0.1 * _squared(action)


def reacher_reward(observation: Rows, action: Rows, next_observation: Rows) -> Rows:
    """Minus the square of the hand's distance from the goal, less 0.01 |u|^2; angles are at 0..6, the goal at 7..9."""
    apart = (place - next_observation[..., 7 + i] for i, place in enumerate(hand(next_observation)))
    return -sum(d**2 for d in apart) - 0.01 * _squared(action)


def hand(observation: Rows) -> tuple[Rows, Rows, Rows]:
    """Metres x, y, z [...] of the hand of ``pets/reacher``, from its angles 0..5; the seventh turns it in its place.

    The hand lies along its last link and is turned by joint after joint, up the arm to the shoulder.
    """
    turn = [observation[..., i] for i in range(6)]
    x, y, z = LINKS[3], 0.0, 0.0
    for i, link in ((4, LINKS[2]), (2, LINKS[1])):  # each a roll about x and a hinge about y, beyond it
        x, z = _turned(x, z, -turn[i + 1])
        y, z = _turned(y, z, turn[i])
        x = x + link
    x, z = _turned(x, z, -turn[1])
    x, y = _turned(x + LINKS[0], y, turn[0])
    return x + SHOULDER[0], y + SHOULDER[1], z + SHOULDER[2]


def _turned(a: Rows, b: Rows, angle: Rows) -> tuple[Rows, Rows]:
    """The point (a, b) of a plane, turned about its origin."""
    return a * cos(angle) - b * sin(angle), a * sin(angle) + b * cos(angle)


def pusher_reward(observation: Rows, action: Rows, next_observation: Rows) -> Rows:
    """Minus 0.5 tip to object, 1.25 object to goal (sums of sizes along x, y, z), 0.1 |u|^2; tip 14..16, object 17..19.

    The paper's program takes both distances before a step in its environment and after it in its planner; here it is
    after, always.
    """
    tip, thing = next_observation[..., 14:17], next_observation[..., 17:20]
    from_goal = sum(abs(thing[..., i] - GOAL[i]) for i in range(3))
    return -0.5 * abs(tip - thing).sum(-1) - 1.25 * from_goal - 0.1 * _squared(action)


def balance_reward(observation: Rows, action: Rows, next_observation: Rows) -> Rows:
    """1 while the pole of ``cartpole-continuous`` stands, 0 once it has fallen or the cart has left the track."""
    return 1.0 * standing(next_observation)


def standing(observation: Rows) -> Rows:
    """Booleans [...]: is the cart of ``cartpole-continuous`` on its track, the pole within 12 degrees of upright?"""
    return (abs(observation[..., 0]) <= TRACK) & (abs(observation[..., 2]) <= TILT)


def _squared(action: Rows) -> Rows:
    return (action**2).sum(-1)


REWARDS: dict[str, Reward] = {
    "pets/cartpole": cartpole_reward,
    "pets/reacher": reacher_reward,
    "pets/pusher": pusher_reward,
    "pets/halfcheetah": half_cheetah_reward,
    "cartpole-continuous": balance_reward,
}
"""By the names of the tasks."""
