"""Agents by name: the classes, the weights that come with the package, and players such as ``alphazero@sims=50``."""

import difflib
import inspect
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import sakiyomi.agents
from sakiyomi.agents.parts.runs.flags import parse
from sakiyomi.arena.seat import AgentPlayer, check_plays
from sakiyomi.boards.game import Game
from sakiyomi.envs.extras import missing

EXTRAS = {"torch": "torch", "safetensors": "torch", "cmaes": "torch", "gymnasium": "envs"}
"""The extra that brings a package which agents import."""


class Paper(NamedTuple):
    """An agent of this package: its class in `sakiyomi.agents`, and what it is."""

    kind: str
    about: str


BOARD_AGENTS = {
    "alphazero": Paper("AlphaZero", "plans with the rules and one network, learns by self-play: any board game"),
    "alphagozero": Paper("AlphaGoZero", "the same for Go, with the board's symmetries and a gate for new networks"),
    "alphago": Paper("AlphaGo", "learns Go from records, then from play: policies, values and rollouts in one search"),
    "muzero": Paper("MuZero", "the same search over dynamics that it learns: board games and tasks"),
}
"""Agents that play board games, by the names that specs and `sakiyomi train` have for them."""
TASK_AGENTS = {
    "pets": Paper("PETS", "plans with an ensemble of networks that say how sure they are: control tasks"),
    "gpmpc": Paper("GPMPC", "plans with Gaussian processes and their uncertainty, within constraints: control tasks"),
    "gpdm": Paper("GPDM", "plans in a latent space with Gaussian process dynamics; forecasts motion"),
    "worldmodels": Paper(
        "WorldModels", "a linear controller evolved in the dreams of a recurrent network: from pixels"
    ),
    "planet": Paper("PlaNet", "plans in the latent space of a recurrent state-space model: from pixels or states"),
    "dreamer": Paper("Dreamer", "learns to act in such a model's imagination, by gradients through it"),
    "dreamerv2": Paper("DreamerV2", "the same with discrete latent states: Atari and control"),
    "muzero": BOARD_AGENTS["muzero"],
}
"""Agents that act in tasks."""
AGENTS = BOARD_AGENTS | TASK_AGENTS


def agent_class(name: str) -> Any:
    """The agent of that name: one of `AGENTS`, or ``python:MODULE:NAME`` for a class of somebody's.

    Raises ValueError if there is none, and where a package is missing, with the command that installs it.
    """
    try:
        if name in AGENTS:
            return getattr(sakiyomi.agents, AGENTS[name].kind)
        if match := re.fullmatch(r"python:([\w.]+):(\w+)", name):
            return _checked(getattr(import_module(match[1]), match[2]), name)
    except ModuleNotFoundError as error:
        if error.name in EXTRAS:
            raise ValueError(missing(f"agent {name!r}", error.name, EXTRAS[error.name])) from None
        raise ValueError(f"agent {name!r}: {error}") from None
    except AttributeError as error:
        raise ValueError(f"agent {name!r}: {error}") from None
    near = difflib.get_close_matches(name.lower(), AGENTS, 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(AGENTS)}, python:MODULE:NAME"
    raise ValueError(f"unknown agent {name!r}; {hint}")


def listed() -> list[tuple[str, str]]:
    """For `list agents`: names and what they are, with the games that have weights in the package."""
    own = ("python:MODULE:NAME", "an agent of yours (docs/agents.md)")
    told = ((name, paper.about, ", ".join(_games(name))) for name, paper in AGENTS.items())
    return [(name, f"{about}; with weights: {games}" if games else about) for name, about, games in told] + [own]


def agent_player(kind: str, argument: str, game: Game) -> AgentPlayer:
    """The player ``KIND:FOLDER@sims=N,...`` for `game`, where `argument` is what stands after the kind and its colon.

    Without a folder the weights that come with the package are taken. `sims` are the simulations a move; other settings
    go to the agent's `load`. Raises ValueError: no such agent, folder, weights or setting, or another game.
    """
    agent, settings, spec = _loaded(kind, argument, game, {"sims": int})
    check_plays(agent, game, spec)
    return AgentPlayer(agent, simulations=settings.get("sims"), name=spec)


def task_agent(kind: str, argument: str) -> Any:
    """The agent ``KIND:FOLDER@NAME=VALUE,...`` that acts in tasks, where `argument` is what stands after the kind.

    Raises ValueError: no such agent, folder or setting.
    """
    return _loaded(kind, argument, None, {})[0]


def _loaded(kind: str, argument: str, game: Game | None, more: dict[str, Any]) -> tuple[Any, dict[str, Any], str]:
    """The agent, those of its settings that are `more` than its `load` takes (by their types), and its spec."""
    match = re.fullmatch(r"(.*?)\s*(?:@([^@]*=[^@]*))?", argument, re.DOTALL)
    assert match is not None, "every text is of that form"
    spec = f"{kind}:{argument}"
    loaded = agent_class(kind)
    settings = _settings(match[2] or "", loaded, spec, more)
    others = {name: settings.pop(name) for name in more if name in settings}
    if not match[1] and game is None:
        raise ValueError(f"player {spec!r} is to be written {kind}:FOLDER, the folder that it was trained in")
    folder = Path(match[1]) if match[1] or game is None else shipped(kind, game)
    return loaded.load(folder, **settings), others, spec


def shipped(name: str, game: Game) -> Path:
    """The folder of the weights for `game` that come with the package.

    Raises ValueError if there are none, with the games that have some.
    """
    folder = weights_of(name) / game.name
    if folder.is_dir():
        return folder
    others = f" (it has some for {', '.join(_games(name))})" if _games(name) else ""
    raise ValueError(
        f"{name} has no weights for {game.name} in the package{others}; "
        f"train it (sakiyomi train {name} {game.name}) and name the folder: {name}:FOLDER"
    )


def weights_of(name: str) -> Path:
    """Where the weights of the agent `name` that come with the package lie, a folder for each game."""
    return Path(str(sakiyomi.agents.__file__)).parent / "weights" / name


def missing_packages() -> list[str]:
    """What the agents of this package need and is not installed. Nothing is imported for that, as it takes its time."""
    return [name for name in ("torch", "safetensors") if find_spec(name) is None]


def _games(name: str) -> list[str]:
    """The games for which the agent `name` has weights in the package."""
    folder = weights_of(name)
    return sorted(each.name for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []


def _settings(text: str, kind: Any, spec: str, more: dict[str, Any]) -> dict[str, Any]:
    """``name=value,...`` as the parameters of `kind.load` have them, or as `more` says."""
    hints = dict(more)
    for name, parameter in inspect.signature(kind.load, eval_str=True).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            hints[name] = parameter.annotation
    settings: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = (each.strip() for each in part.partition("="))
        if not equals or name not in hints:
            raise ValueError(
                f"player {spec!r}: no setting {part.strip()!r}; there are: {', '.join(hints)}, as in sims=50"
            )
        hint = str if hints[name] is inspect.Parameter.empty else hints[name]
        settings[name] = parse(value, hint, f"player {spec!r}: {name}")
    return settings


def _checked(kind: Any, name: str) -> Any:
    """`kind`, if its class has what an `Agent` has. Raises ValueError naming what is missing."""
    for each in ("presets", "initial", "act", "foresee", "save", "load", "train"):
        if not hasattr(kind, each):
            raise ValueError(f"{name!r} is no agent: it has no {each!r} (see sakiyomi.agents.agent.Agent)")
    return kind
