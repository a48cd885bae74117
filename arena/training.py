"""A training run in a folder, as `sakiyomi train` runs it: what is learnt, by whom, how, and for how long.

`run.json` in the folder tells what the run is; everything else there is the agent's.
"""

import difflib
import inspect
import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from sakiyomi.agents.agent import Progress, TrainingBudget
from sakiyomi.agents.parts.runs.checkpoints import read_json, write_json
from sakiyomi.agents.parts.runs.flags import from_json, overridden, settings_of, to_json
from sakiyomi.arena.agent_specs import TASK_AGENTS, agent_class
from sakiyomi.arena.players import make_player
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.game import Game
from sakiyomi.boards.go import Go
from sakiyomi.boards.player import Player
from sakiyomi.envs.catalog import is_task, make_task
from sakiyomi.envs.task import Task

RUN = "run.json"
_GNUGO = "gtp:gnugo --mode gtp --chinese-rules --capture-all-dead --positional-superko --level {}"
TEACHERS = (f"GNU Go 1={_GNUGO.format(1)}", f"GNU Go 10={_GNUGO.format(10)}")
"""Whose games an agent learns from where it is given none: of different strength, so that mistakes are punished."""
MAIN = ("", "loss", "score", "return")
"""Groups of figures that tell how a run goes; others tell how fast and why."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Run:
    """What is trained: the agent and the task by their names, the agent's configuration, the seed."""

    agent: str
    task: str
    config: Any
    seed: int = 0

    @classmethod
    def stored(cls, folder: Path) -> "Run":
        """The run of `folder`. Raises ValueError if there is none or it cannot be read."""
        path = folder / RUN
        if not path.is_file():
            raise ValueError(f"{folder} holds no run: there is no {path}")
        try:
            stored = read_json(path)
            agent, task, seed, values = (stored[key] for key in ("agent", "task", "seed", "config"))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is damaged ({error}); restore a copy") from None
        kind = type(next(iter(agent_class(agent).presets.values())))
        return cls(agent, task, from_json(kind, values, str(path)), seed)

    @property
    def preset(self) -> str:
        """The name of the preset that the settings are, or come nearest to; of such that are alike the task's."""
        presets: Mapping[str, Any] = agent_class(self.agent).presets
        own, usual = set(settings_of(self.config)), preset_for(self.agent, self.task)
        return min(presets, key=lambda name: (len(own.symmetric_difference(settings_of(presets[name]))), name != usual))

    def start(self, folder: Path, budget: TrainingBudget, **options: Any) -> Iterator[Progress]:
        """Begin in `folder`, which is made. `options` are those of the agent's `train`.

        Warns, when it begins, of settings that are the agent's first for want of any for the task. Raises ValueError if
        there is something in the folder, or the agent has no such option or cannot learn the task.
        """
        self._check(options)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            what = "holds a run already: --resume goes on with it" if (folder / RUN).is_file() else "is not empty"
            raise ValueError(f"{folder} {what}; a new run needs another folder")
        trained = self._train(folder, budget, resume=False, **options)
        folder.mkdir(parents=True, exist_ok=True)
        what_it_is = {"agent": self.agent, "task": self.task, "seed": self.seed, "config": to_json(self.config)}
        write_json(folder / RUN, what_it_is)
        return self._noted(_unless_refused(trained, folder))

    def resume(self, folder: Path, budget: TrainingBudget, **options: Any) -> Iterator[Progress]:
        """Go on in `folder`. Raises ValueError if the agent has no such option."""
        self._check(options)
        return self._train(folder, budget, resume=True, **options)

    def _train(self, folder: Path, budget: TrainingBudget, **options: Any) -> Iterator[Progress]:
        task = self._what_it_learns()
        kind = agent_class(self.agent)
        others: list[Player] = []
        if "teachers" in inspect.signature(kind.train).parameters and "records" not in options:
            others = options["teachers"] = teachers(task)
        trained: Iterator[Progress] = kind.train(task, folder, budget, config=self.config, seed=self.seed, **options)
        return _closing(trained, others)

    def _noted(self, trained: Iterator[Progress]) -> Iterator[Progress]:
        """What `trained` yields, after a warning if the settings were made for no such task."""
        first = next(iter(agent_class(self.agent).presets))
        if not _presets_of(self.agent, self.task) and self.preset == first:
            names = f"{self.agent} has no preset for {self.task} and takes {first!r}"
            warnings.warn(f"{names}; --preset names another, --presets lists them", stacklevel=2)
        yield from trained

    def _what_it_learns(self) -> Task | Game:
        """Raises ValueError for an unknown name, with the nearest of what the agent could learn."""
        if is_task(self.task):
            return make_task(self.task)
        try:
            return make_game(self.task)
        except ValueError:
            if self.agent not in TASK_AGENTS:
                raise
        return make_task(self.task)

    def _check(self, options: Mapping[str, Any]) -> None:
        taken = inspect.signature(agent_class(self.agent).train).parameters
        for name in options:
            if name not in taken:
                raise ValueError(f"the agent {self.agent} has no option {name!r}")


def _unless_refused(trained: Iterator[Progress], folder: Path) -> Iterator[Progress]:
    """What `trained` yields. What the agent refuses at once leaves no run in `folder` that could not go on."""
    try:
        yield from trained
    except (ValueError, ImportError):
        if [each.name for each in folder.iterdir()] == [RUN]:
            (folder / RUN).unlink()
            folder.rmdir()
        raise


def teachers(game: Any) -> list[Player]:
    """Strong players of `game` that this machine has, from whose games an agent can learn; there may be none."""
    if not isinstance(game, Go):
        return []
    try:
        return [make_player(spec, game) for spec in TEACHERS]
    except ValueError:
        return []


def _closing(trained: Iterator[Progress], players: Sequence[Player]) -> Iterator[Progress]:
    """What `trained` yields; afterwards `players` are closed."""
    try:
        yield from trained
    finally:
        for player in players:
            player.close()


def configured(agent: str, task: str | None, preset: str | None, settings: Sequence[str]) -> Any:
    """A configuration: the agent's preset of the name `preset`, or `preset_for` the task, with ``name=value`` settings
    put in.

    Raises ValueError for an unknown agent, preset or setting, or a wrong value.
    """
    presets = agent_class(agent).presets
    if preset is not None and preset not in presets:
        near = difflib.get_close_matches(preset, presets, 1, 0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(presets)}"
        raise ValueError(f"{agent} has no preset {preset!r}; {hint}")
    return overridden(presets[preset or preset_for(agent, task or "")], settings)


def preset_for(agent: str, task: str) -> str:
    """The name of the agent's preset for `task`: called as the task, or as a pattern of it such as "dmc/*@dreamer"; the
    agent's first where none is.
    """
    return next(iter(_presets_of(agent, task) or agent_class(agent).presets))


def _presets_of(agent: str, task: str) -> list[str]:
    """The names of the presets that are made for `task`, the one that is called so before all patterns."""
    fitting = [name for name in agent_class(agent).presets if fnmatchcase(task, name)]
    return sorted(fitting, key=lambda name: name != task)


def parse_budget(text: str) -> TrainingBudget:
    """What ``30m``, ``1h30m``, ``5000steps``, ``1e6env`` (steps of the environment), or several with commas, allow.

    Raises ValueError.
    """
    limits: dict[str, Any] = {}
    number = r"(\d+\.?\d*|\d*\.\d+)"
    for part in text.replace(" ", "").split(","):
        if match := re.fullmatch(rf"{number}(?:e(\d))?(steps?|env)", part):
            name = "environment_steps" if match[3] == "env" else "steps"
            limits[name] = round(float(match[1]) * 10 ** int(match[2] or 0))
        elif re.fullmatch(rf"({number}[smhd])+", part):
            limits["seconds"] = sum(float(n) * _UNITS[unit] for n, unit in re.findall(rf"{number}([smhd])", part))
        else:
            raise ValueError(f"a training budget is written 30m, 1h30m, 5000steps, 1e6env or 2h,1e6env; got {text!r}")
    return TrainingBudget(**limits)


def line_of(progress: Progress) -> str:
    """One line: for how long, how much longer (where there is a budget), and how far."""
    left = ""
    if progress.spent > 0:
        rest = progress.seconds * max(1 / progress.spent - 1, 0.0)
        left = f" ({100 * min(progress.spent, 1):.0f} %, {clock_text(rest)} left)"
    return f"{clock_text(progress.seconds)}{left}  {progress.steps:,} steps"


def groups_of(scalars: Mapping[str, float]) -> dict[str, str]:
    """Figures as text by their groups: ``{"loss": "policy 1.69, value 0.381", "score": "random 0.9 (0.5 to 1)"}``.

    "x low" and "x high" are the ends of the interval of "x"; what has no group is in the group "".
    """
    groups: dict[str, list[str]] = {}
    for name, value in scalars.items():
        if name.removesuffix(" low").removesuffix(" high") in scalars and name.endswith((" low", " high")):
            continue
        group, slash, what = name.partition("/")
        group, what = (group, what) if slash else ("", name)
        ends = [scalars.get(f"{name} {end}") for end in ("low", "high")]
        interval = "" if None in ends else f" ({ends[0]:.3g} to {ends[1]:.3g})"
        groups.setdefault(group, []).append(f"{what} {value:.4g}{interval}")
    return {group: ", ".join(figures) for group, figures in groups.items()}


def clock_text(seconds: float) -> str:
    """Hours, minutes and seconds: 1:02:03."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
