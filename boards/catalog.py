"""Games by name: `make_game("go-9x9")`."""

import difflib
import re
from collections.abc import Callable
from inspect import signature
from typing import Any

from sakiyomi.boards.game import Game

GAMES = {
    "go-9x9": "Go; any size from go-1x1 to go-25x25, rectangular too (go-9x13: 9 columns, 13 rows)",
    "tictactoe": "Tic-tac-toe",
    "connect4": "Connect Four, 7 columns by 6 rows",
    "othello": "Othello, 8x8; also othello-6x6",
    "chess": "Chess",
    "chess960": "Chess960 (Fischer random chess)",
    "shogi": "Shogi",
}
"""Names that `make_game` takes, with a line about each."""


def make_game(name: str, **options: Any) -> Game:
    """The game of that name; `options` go to its constructor (``make_game("go-9x9", komi=5.5)``).

    Raises ValueError for an unknown name or option, listing what there is.
    """
    from sakiyomi.boards.chess import Chess
    from sakiyomi.boards.connect4 import ConnectFour
    from sakiyomi.boards.go import Go
    from sakiyomi.boards.othello import Othello
    from sakiyomi.boards.shogi import Shogi
    from sakiyomi.boards.tictactoe import TicTacToe

    lowered = name.lower()
    try:
        if match := re.fullmatch(r"go-?(\d+)(?:x(\d+))?", lowered, re.ASCII):
            width, height = int(match[1]), int(match[2] or match[1])
            return _made(name, Go, {"size": (width, height)}, options)
        if lowered in ("chess", "chess960"):
            return _made(name, Chess, {"chess960": lowered == "chess960"}, options)
        if lowered == "shogi":
            return _made(name, Shogi, {}, options)
        if lowered == "tictactoe":
            return _made(name, TicTacToe, {}, options)
        if lowered == "connect4":
            return _made(name, ConnectFour, {}, options)
        if match := re.fullmatch(r"othello(?:-(\d+)x(\d+))?", lowered):
            if match[1] != match[2]:
                raise ValueError("Othello boards are square")
            return _made(name, Othello, {"size": int(match[1] or 8)}, options)
    except TypeError as error:
        raise ValueError(f"game {name!r} does not take these options: {', '.join(options)} ({error})") from None
    near = difflib.get_close_matches(lowered, GAMES, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(GAMES)}"
    raise ValueError(f"unknown game {name!r}; {hint}")


def _made(name: str, kind: Callable[..., Game], fixed: dict[str, Any], options: dict[str, Any]) -> Game:
    """A game of that kind; `fixed` is what its name says of it."""
    taken = [option for option in signature(kind).parameters if option not in fixed]
    for option in options:
        if option not in taken:
            there = f"there are: {', '.join(taken)}" if taken else "it takes none"
            raise ValueError(f"game {name!r} does not take the option {option!r}; {there}")
    return kind(**fixed, **options)
