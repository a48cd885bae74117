"""Players by a line of text: `make_player("uct:800", game)`.

A spec is ``KIND`` or ``KIND:ARGUMENT``; ``NAME=SPEC`` gives the player a name of its own, as in ``strong=uct:800``.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from sakiyomi.boards.game import Game
from sakiyomi.boards.player import Player

ENGINES = ("gtp", "uci", "usi")
"""Kinds of players that are programs of somebody's."""

_NO_TEXT = ("Cc", "Cs", "Zl", "Zp")  # control characters, lone surrogates, line and paragraph separators


@dataclass(frozen=True)
class Kind:
    """One kind of player: how its spec is written, what it is, and how it is made.

    `warm` is a cheap spec of the same kind that compiles the same kernels ("" where nothing is compiled). `bare` kinds
    may be written without what stands after the colon, or with the settings of it alone (``alphazero@sims=50``).
    """

    form: str
    about: str
    make: Callable[[str, Game], Any]
    warm: str = ""
    bare: bool = False

    @property
    def name(self) -> str:
        """The word before the colon."""
        return self.form.partition(":")[0]


@dataclass(frozen=True)
class Spec:
    """A spec taken apart: ``name=kind:argument``. `text` is it without the name."""

    name: str
    text: str
    kind: Kind
    argument: str


def make_player(spec: str, game: Game) -> Player:
    """The player that `spec` describes, ready for ``choose(position, Budget(simulations=50))``.

    Kinds: ``random``, ``greedy``, ``uct:N`` (N simulations a move), ``alphabeta:DEPTH``, ``perfect`` (solved games),
    ``gtp:COMMAND``, ``uci:COMMAND@nodes=N`` and ``usi:COMMAND@nodes=N`` (engines; docs/gtp.md, docs/uci.md,
    docs/usi.md), ``alphazero@sims=N`` (agents with the weights that come with the package, ``alphazero:DIR`` with those
    trained in a folder), ``python:MODULE:NAME`` (a class or function of yours, called without arguments; agents:
    ``python:MODULE:NAME:DIR``, docs/agents.md). Raises ValueError for an unknown kind, a bad number, an engine that is
    not installed, or a player that does not play `game`.
    """
    parsed = parse_spec(spec)
    player: Player = parsed.kind.make(parsed.argument, game)
    player.name = parsed.name
    return player


def parse_spec(spec: str) -> Spec:
    """`spec` taken apart and checked as far as it goes without making the player. Raises ValueError."""
    named = re.fullmatch(r"\s*([^:@=]+?)\s*=(.*)", spec, re.DOTALL)
    text = (named[2] if named else spec).strip()
    word, _, argument = text.partition(":")
    kinds = {kind.name: kind for kind in KINDS}
    short, at, settings = text.partition("@")
    if at and short in kinds and kinds[short].bare:
        word, argument = short, at + settings
    if any(unicodedata.category(letter) == "Cs" for letter in spec):
        raise ValueError(f"a player's name and spec must be text, got {spec!r}")
    if word not in kinds:
        near = difflib.get_close_matches(word.lower(), kinds, 1, 0.5)
        hint = f"did you mean {kinds[near[0]].form!r}?" if near else f"there are: {', '.join(k.form for k in KINDS)}"
        raise ValueError(f"unknown player {text!r}; {hint}")
    kind = kinds[word]
    takes = kind.form.partition(":")[2]
    if bool(argument.strip()) != bool(takes) and not (kind.bare and text == kind.name):
        raise ValueError(f"player {text!r} is to be written {kind.form!r}")
    name = named[1] if named else _own_name(kind.name, text, argument.strip())
    return Spec(check_name(name), text, kind, argument.strip())


def check_name(name: Any) -> str:
    """`name`, if a player can be called so in files and on screens. Raises ValueError."""
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"a player's name must be a text that is not blank, got {name!r}")
    odd = next((letter for letter in name if unicodedata.category(letter) in _NO_TEXT), None)
    if odd is not None:
        raise ValueError(f"a player's name must be one line of text: {name!r} holds {odd!r}")
    return name


def check_player(spec: str, game: Game) -> Spec:
    """`parse_spec`, and as much as can be known without playing: numbers, the engine's program, the game.

    Engines are started, to see whether they speak their protocol and have the options that the spec names. Raises
    ValueError.
    """
    parsed = parse_spec(spec)
    player = parsed.kind.make(parsed.argument, game)
    try:
        if parsed.kind.name in ENGINES:
            _check_engine(player, game)
    finally:
        player.close()
    return parsed


def _own_name(kind: str, text: str, argument: str) -> str:
    """What a player is called that is given no name."""
    if kind == "gtp":
        return _program_name(argument)
    if kind == "uci":
        from sakiyomi.arena.engines.uci_spec import parse_uci_spec

        return parse_uci_spec(argument).name
    if kind == "usi":
        from sakiyomi.arena.engines.usi_spec import parse_usi_spec

        return parse_usi_spec(argument).name
    return text


def _program_name(command: str) -> str:
    return Path(command.split()[0].strip("'\"")).name


def _number(spec: str, text: str, least: int) -> int:
    if not re.fullmatch(r"\d+", text) or int(text) < least:
        raise ValueError(f"player {spec!r} needs a whole number of {least} or more, got {text!r}")
    return int(text)


def _agent(module: str, name: str) -> Any:
    """A class of sakiyomi.agents, imported when first wanted."""
    return getattr(import_module(f"sakiyomi.agents.{module}"), name)


def _random(argument: str, game: Game) -> Any:
    return _agent("random_player", "RandomPlayer")()


def _greedy(argument: str, game: Game) -> Any:
    return _agent("greedy", "GreedyPlayer")()


def _uct(argument: str, game: Game) -> Any:
    simulations = _number(f"uct:{argument}", argument, 1) if argument else 1000
    return _agent("uct", "UCTPlayer")(simulations)


def _alphabeta(argument: str, game: Game) -> Any:
    depth = _number(f"alphabeta:{argument}", argument, 1)
    _agent("alphabeta", "check_game")(game)
    return _agent("alphabeta", "AlphaBetaPlayer")(depth)


def _perfect(argument: str, game: Game) -> Any:
    _agent("alphabeta", "check_small")(game, "perfect")
    return _agent("perfect", "PerfectPlayer")()


def _gtp(argument: str, game: Game) -> Any:
    from sakiyomi.arena.engines.gtp import GtpPlayer
    from sakiyomi.boards.go import Go

    if not isinstance(game, Go):
        raise ValueError(f"GTP engines play Go, not {game.name}")
    return GtpPlayer(argument, name=_program_name(argument))


def _uci(argument: str, game: Game) -> Any:
    from sakiyomi.arena.engines.uci import UciPlayer, check_game
    from sakiyomi.arena.engines.uci_spec import parse_uci_spec

    check_game(game)
    spec = parse_uci_spec(argument)
    return UciPlayer(spec.command, spec.limits, spec.options, spec.name)


def _usi(argument: str, game: Game) -> Any:
    from sakiyomi.arena.engines.usi import UsiPlayer, check_game
    from sakiyomi.arena.engines.usi_spec import parse_usi_spec

    check_game(game)
    spec = parse_usi_spec(argument)
    return UsiPlayer(spec.command, spec.limits, spec.options, spec.name)


def _check_engine(player: Any, game: Game) -> None:
    from sakiyomi.arena.match import PlayerFault

    try:
        player.check(game)
    except PlayerFault as fault:
        raise ValueError(str(fault)) from None


def _learnt(kind: str, argument: str, game: Game) -> Any:
    """The agent of that name, seated."""
    from sakiyomi.arena.agent_specs import agent_player

    return agent_player(kind, argument, game)


def _python(argument: str, game: Game) -> Any:
    module, _, name = argument.partition(":")
    name, folder, path = name.partition(":")
    if folder:
        return _learnt(f"python:{module}:{name}", path, game)
    try:
        kind = getattr(import_module(module), name)
        if hasattr(kind, "act") and hasattr(kind, "load"):
            raise ValueError("it is an agent: name the folder that it was trained in, python:MODULE:NAME:DIR")
        player = kind()
    except (Exception, SystemExit) as error:  # anybody's code
        raise ValueError(f"player 'python:{argument}' cannot be made: {error or type(error).__name__}") from error
    missing = [method for method in ("begin", "choose", "close") if not callable(getattr(player, method, None))]
    if missing:
        raise ValueError(f"player 'python:{argument}' is none: it has no method {missing[0]!r}")
    return player


KINDS = (
    Kind("random", "any legal move, all equally likely", _random, warm="random"),
    Kind("greedy", "the best move by looking one ply ahead", _greedy, warm="greedy"),
    Kind("uct:N", "UCT with random rollouts, N simulations a move", _uct, warm="uct:2", bare=True),
    Kind("alphabeta:DEPTH", "alpha-beta to a fixed depth: chess, shogi, small games", _alphabeta, warm="alphabeta:1"),
    Kind("perfect", "perfect play, for games small enough to be solved", _perfect),
    Kind(
        "alphazero:DIR@sims=N",
        "AlphaZero as trained in DIR, N simulations a move; without :DIR by the weights that come with the package",
        partial(_learnt, "alphazero"),
        bare=True,
    ),
    Kind("alphagozero:DIR@sims=N", "AlphaGo Zero, in the same way", partial(_learnt, "alphagozero"), bare=True),
    Kind(
        "alphago:DIR@sims=N",
        "AlphaGo, in the same way; mixing=0 (values alone) to 1 (rollouts), priors=sl, rl or tree, search=false",
        partial(_learnt, "alphago"),
        bare=True,
    ),
    Kind("muzero:DIR@sims=N", "MuZero, in the same way", partial(_learnt, "muzero"), bare=True),
    Kind("gtp:COMMAND", "an engine that speaks GTP, such as gtp:gnugo --mode gtp --level 5", _gtp),
    Kind("uci:COMMAND@LIMITS", "an engine that speaks UCI, such as uci:stockfish@nodes=200 (docs/uci.md)", _uci),
    Kind("usi:COMMAND@LIMITS", "an engine that speaks USI, such as usi:fairy-stockfish@nodes=500 (docs/usi.md)", _usi),
    Kind(
        "python:MODULE:NAME",
        "a player of yours: NAME of MODULE, called without arguments; an agent of yours: python:MODULE:NAME:DIR",
        _python,
    ),
)
"""Every kind of player there is."""
