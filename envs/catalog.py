"""Tasks by name: `make_task("cartpole-swingup")`."""

import difflib
import re
from dataclasses import dataclass
from importlib.util import find_spec

from sakiyomi.envs.cart_double_pendulum import CartDoublePendulum
from sakiyomi.envs.cartpole_swingup import CartPole
from sakiyomi.envs.double_pendulum import DoublePendulum
from sakiyomi.envs.dynamics import Plant
from sakiyomi.envs.pendulum import Pendulum
from sakiyomi.envs.point_mass import PointMass
from sakiyomi.envs.reacher import Reacher
from sakiyomi.envs.task import Task


@dataclass(frozen=True)
class Family:
    """Tasks that are named alike: how, what they are, the package that they need and the extra that brings it."""

    form: str
    about: str
    package: str
    extra: str

    @property
    def installed(self) -> bool:
        """Is the package there?"""
        return find_spec(self.package) is not None

    @property
    def install(self) -> str:
        """The command that installs it."""
        return f'pip install "sakiyomi[{self.extra}]"'

    @property
    def prefix(self) -> str:
        """What the names begin with, or the whole name."""
        return re.split("NAME", self.form, maxsplit=1)[0]


PLANTS: dict[str, Plant] = {
    "cartpole-swingup": CartPole(),
    "pendulum": Pendulum(),
    "double-pendulum": DoublePendulum(),
    "cart-double-pendulum": CartDoublePendulum(),
    "reacher": Reacher(),
    "point-mass": PointMass(),
}
"""Our own tasks with exact dynamics."""
AS_PIXELS = "@pixels"
"""What makes any of them one that is seen as 64x64 pixels."""
BALANCE = "cartpole-continuous"
"""A task of mbrl-lib's."""
KEY_DOOR = "key-door-5x5"
"""A grid for agents that learn a model."""
PREFIXES = ("gym/", "ALE/", "dmc/", "pets/", "doom/")
"""What names of tasks of other packages and papers begin with."""

BOARDS = Family("GAME", "a board game of 'sakiyomi list games' against a random player", "gymnasium", "envs")
TASKS = (
    Family("cartpole-swingup", "swing a pole up by pushing its cart (PILCO, GP-MPC); exact", "gymnasium", "envs"),
    Family("pendulum", "swing a rod up with a weak motor (PILCO); exact", "gymnasium", "envs"),
    Family("double-pendulum", "swing up two rods by two weak motors (PILCO, GP-MPC); exact", "gymnasium", "envs"),
    Family("cart-double-pendulum", "swing up two rods, one upon the other (PILCO); exact", "gymnasium", "envs"),
    Family("reacher", "bring the tip of an arm of two rods to a goal (after PETS); exact", "gymnasium", "envs"),
    Family(
        "point-mass",
        "push a ball to a goal; exact. From 64x64 pixels, as all of these: point-mass@pixels",
        "gymnasium",
        "envs",
    ),
    Family(
        "gym/NAME",
        "any environment of Gymnasium's registry, such as gym/CartPole-v1; every action played twice: "
        "gym/Pendulum-v1@repeat:2",
        "gymnasium",
        "envs",
    ),
    Family(
        "gym/CarRacing-v3@world-models", "CarRacing-v3 in the 64x64 pixels that World Models saw", "Box2D", "control"
    ),
    Family(
        "ALE/NAME-v5",
        "Atari games with sticky actions, such as ALE/Pong-v5; as papers show them: ALE/Pong-v5@dqn, @muzero, "
        "@dreamer, @machado",
        "ale_py",
        "atari",
    ),
    Family(
        "dmc/NAME",
        "DeepMind's control suite, such as dmc/cartpole-swingup; from 64x64 pixels: @planet, @dreamer, @pixels; from "
        "the state, actions repeated: @proprio",
        "dm_control",
        "control",
    ),
    Family(BALANCE, "balance a pole by pushing its cart as strongly as one likes", "gymnasium", "envs"),
    Family(KEY_DOOR, "fetch a key, open a door, fall into no pit; the best return is known", "gymnasium", "envs"),
    Family(
        "pets/NAME",
        "the tasks of PETS: pets/cartpole, pets/reacher, pets/pusher, pets/halfcheetah",
        "mujoco",
        "control",
    ),
    Family("doom/take-cover", "dodge fireballs in Doom, from 64x64 pixels (World Models)", "vizdoom", "doom"),
    BOARDS,
)
"""Names that `make_task` takes."""


def is_task(name: str) -> bool:
    """Does `name` name a single-player task, whether there is such a one and it is installed or not?"""
    return name.removesuffix(AS_PIXELS) in PLANTS or name in (BALANCE, KEY_DOOR) or name.startswith(PREFIXES)


def make_task(name: str) -> Task:
    """The task of that name: one of `TASKS`.

    Raises ValueError for an unknown name, and for one whose package is missing, with the command that installs it.
    """
    plant = PLANTS.get(name.removesuffix(AS_PIXELS))
    whole = next((f for f in TASKS if f.form in (name, plant and name.removesuffix(AS_PIXELS))), None)
    family = whole or next((f for f in TASKS if f.form != f.prefix and name.startswith(f.prefix)), None)
    if family is None:
        return _board_task(name)
    if not family.installed:
        raise ValueError(f"task {name!r} needs the package {family.package}: {family.install}")
    if plant is not None:
        from sakiyomi.envs.plant_env import PIXELS, plant_task

        return plant_task(name, plant, PIXELS if name.endswith(AS_PIXELS) else None)
    return _task_of_others(name, family)


def _board_task(name: str) -> Task:
    """A board game against a random player. Raises ValueError if there is no such game."""
    from sakiyomi.boards.catalog import make_game

    try:
        game = make_game(name)
    except ValueError:
        raise ValueError(_unknown(name)) from None
    if not BOARDS.installed:
        raise ValueError(f"task {name!r} needs the package {BOARDS.package}: {BOARDS.install}")
    from sakiyomi.envs.board_task import board_task

    return board_task(name, game)


def _task_of_others(name: str, family: Family) -> Task:
    """A task that another package brings."""
    if family.prefix == "dmc/":
        from sakiyomi.envs.control import control_task

        return control_task(name)
    if family.prefix == "pets/":
        from sakiyomi.envs.pets_env import pets_task

        return pets_task(name)
    if name == BALANCE:
        from sakiyomi.envs.cartpole_continuous import continuous_cartpole_task

        return continuous_cartpole_task(name)
    if name == KEY_DOOR:
        from sakiyomi.envs.key_door import key_door_task

        return key_door_task()
    if name == "doom/take-cover":
        from sakiyomi.envs.doom import take_cover_task

        return take_cover_task()
    if name == "gym/CarRacing-v3@world-models":
        from sakiyomi.envs.carracing import car_racing_task

        return car_racing_task(name, family.install)
    if family.prefix == "ALE/" and "@" in name:
        from sakiyomi.envs.atari import atari_task

        return atari_task(name)
    from sakiyomi.envs.gymnasium_tasks import REPEAT, atari, registered, repeating

    if family.prefix == "ALE/":
        return atari(name)
    if REPEAT in name:
        return repeating(name, 'pip install "sakiyomi[control]"')
    return registered(name, name.removeprefix("gym/"), 'pip install "sakiyomi[control]"')


def _unknown(name: str) -> str:
    forms = ", ".join(family.form for family in TASKS)
    near = difflib.get_close_matches(name, [*PLANTS, BALANCE, KEY_DOOR], 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {forms}"
    return f"unknown task {name!r}; {hint}"
