"""`check_game`: the promises on random games, then a search for a short sequence of moves that breaks one."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sakiyomi.boards.game import Game
from sakiyomi.boards.testing.checks import CHECKS, describes_itself, has_shapes, starts
from sakiyomi.boards.testing.promises import BrokenPromise, Promise
from sakiyomi.boards.testing.sample import Sample, walk


def check_game(game: Game, *, examples: int = 20, seed: int = 0, alternating: bool = True) -> None:
    """Raise `BrokenPromise`, an AssertionError, if `game` breaks a promise of the `Game` protocol.

    The message names the promise, what was seen, the position and the likely cause. First random games are played and
    every promise is checked on their positions; then Hypothesis tries `examples` sequences of moves, undos, copies and
    illegal actions, and shrinks one that fails to a short one, which it prints. The same `seed` makes the same checks.
    `alternating=False` is for games in which a side may have several plies in a row. A game may offer
    ``check(states)``, which raises AssertionError where a field that is kept from ply to ply (a hash, a list of chains)
    differs from its value computed afresh; it is called on every position met.

    Raises ImportError if the package hypothesis is not installed.
    """
    run_machine = _machine()
    rng = np.random.default_rng(seed)
    for check in (describes_itself, starts, has_shapes):
        _run(game, check, game)
    sample: Sample = _run(game, walk, game, rng, alternating)
    for promise in CHECKS:
        _run(game, promise, sample)
    _run(game, run_machine, game, examples, seed)


def _machine() -> Callable[[Game, int, int], None]:
    try:
        from sakiyomi.boards.testing.machine import run_machine
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        raise ImportError("check_game needs the package hypothesis: pip install hypothesis") from error
    return run_machine


def _run(game: Game, check: Callable[..., Any], *args: Any) -> Any:
    """Call a check; anything else that the game raises is a broken promise too."""
    try:
        return check(*args)
    except BrokenPromise:
        raise
    except Exception as error:
        raise BrokenPromise(
            Promise.NO_EXCEPTIONS,
            f"{game.name}: {Promise.NO_EXCEPTIONS.words}, but {type(error).__name__}: {error} came up in the check "
            f"{check.__name__!r} ({(check.__doc__ or '').splitlines()[0].rstrip('.')}). Likely cause: "
            f"{Promise.NO_EXCEPTIONS.cause}.",
        ) from error
