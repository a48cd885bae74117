"""``gym/CarRacing-v3@world-models``: the road as World Models' agent sees it.

Ha and Schmidhuber, "Recurrent world models facilitate policy evolution", NeurIPS 2018, section 3 and appendix: the
upper 84 of 96 rows, without the instruments below, averaged to 64x64; 1000 frames; actions are steering in [-1, 1], gas
and brake in [0, 1]. 900 on average over 100 tracks counts as solved.
"""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.spaces import Box

from sakiyomi.envs.gymnasium_tasks import registered
from sakiyomi.envs.pixels import Pixels
from sakiyomi.envs.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from gymnasium import Env

ROWS = 84
SIZE = (64, 64)


def car_racing_task(name: str, install: str) -> Task:
    """The task `name`; ValueError, with the command `install`, if Box2D or pygame is missing."""
    task = registered(name, "CarRacing-v3", install)
    return replace(task, build=partial(_seen, task.build), observation_space=Box(0, 255, (*SIZE, 3), np.uint8))


def _seen(build: "Callable[[], Env[Any, Any]]") -> "Env[Any, Any]":
    return Pixels(build(), SIZE, ROWS)
