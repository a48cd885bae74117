"""The 48 input planes of AlphaGo's policy networks, and the 49th of the value network.

(Silver 2016, Extended Data Table 2; the paper counts planes but gives no order within a group.) Planes are 0 or 1, in
the view of the player to move; a plane here is an index from 0:

    0-2    own stones, opponent's stones, empty points
    3      all 1
    4-11   turns since: the stone was played 1, 2, ... 7, 8 or more plies ago, passes counted
    12-19  liberties: the stone's chain has 1, 2, ... 7, 8 or more
    20-27  capture size: the legal move takes 0, 1, ... 6, 7 or more stones
    28-35  self-atari size: the legal move leaves its chain one liberty and 1, 2, ... 7, 8 or more stones
    36-43  liberties after the move: the legal move's chain has 1, 2, ... 7, 8 or more, those freed by captures counted
    44     ladder capture: the legal move catches a chain in a ladder
    45     ladder escape: the legal move saves an own chain from one (`ladders.py` for both)
    46     sensibleness: the move is legal and fills no own single-point eye
    47     all 0
    48     all 1 if Black is to move

Stones of the first position, handicap among them, were played by no move: they count as 8 or more plies old. A suicide,
where the rules allow it, takes no stone and leaves no chain, so it is in plane 20 and in none of 28 to 43.

The first 4, 12 and 20 planes are the paper's smaller sets. The positions themselves say how old stones are: a point
that holds a stone of the same colour after each of two plies running holds the same stone, so the boards of the last
eight plies, which a position keeps, tell ages from 1 to 7.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.plane_kernels import encode_plies_rows, encode_rows, ladder_rows
from sakiyomi.boards import rows
from sakiyomi.boards.batches import plain, ready
from sakiyomi.boards.game import States
from sakiyomi.boards.go import Go
from sakiyomi.boards.go.rulesets import SUPERKO
from sakiyomi.boards.go.state import U

PLANES = (4, 12, 20, 48, 49)
"""How many planes there can be."""
_GRAIN = 8  # positions that one thread takes at least


def feature_planes(game: Go, states: States, planes: int = 48) -> NDArray[np.uint8]:
    """[B, planes, H, W], 0 or 1: the first `planes` of the planes of `states` [B].

    Legal moves are those of `game.legal`: none after the end of the game. Raises ValueError for a number of planes
    that is not one of `PLANES`.
    """
    _check(planes)
    states = ready(states, game.dtype)
    out = np.empty((len(states), planes, game.layout.area), np.uint8)
    args = (*game.layout.words(states), *_places(game), *_size_and_rules(game), U(planes), out)
    rows.run(encode_rows, len(states), _GRAIN, *args)
    return out.reshape(len(states), planes, game.layout.height, game.layout.width)


def encode_plies(
    game: Go, starts: States, moves: NDArray[np.integer[Any]], plies: NDArray[np.integer[Any]], planes: int = 48
) -> NDArray[np.uint8]:
    """[G, K, planes, H, W], 0 or 1: the planes of G games after each of K numbers of moves; a game is replayed once.

    `starts` [G] are the first positions, `moves` [G, T] actions that the caller holds to be legal, `plies` [G, K] in
    any order, 0 for the first position itself. As in records, two passes end no game here. Raises ValueError for a
    ply below 0, beyond T or beyond what the game has room for, and for a number of planes that there is not.
    """
    _check(planes)
    starts = ready(starts, game.dtype)
    moves = plain(moves, np.int32, (len(starts), None))
    plies = plain(plies, np.int32, (len(starts), None))
    most = min(moves.shape[1], game.max_plies - int(starts["ply"].max(initial=0)))
    if plies.size and not (plies.min() >= 0 and plies.max() <= most):
        raise ValueError(f"plies must lie in 0..{most} here, got {plies.min()} to {plies.max()}")
    order = np.argsort(plies, axis=1, kind="stable")
    out = np.empty((plies.size, planes, game.layout.area), np.uint8)
    games = moves, np.take_along_axis(plies, order, 1), order
    args = (game.layout.words(starts)[1], *_places(game), *_size_and_rules(game), *games, U(planes), out)
    rows.run(encode_plies_rows, len(starts), 1, *args)
    return out.reshape(*plies.shape, planes, game.layout.height, game.layout.width)


def ladder_moves(game: Go, states: States) -> NDArray[np.bool_]:
    """[B, 2, H, W]: the legal moves that capture in a ladder, and those that save from one; planes 44 and 45 alone."""
    states = ready(states, game.dtype)
    out = np.zeros((len(states), 2, game.layout.area), np.bool_)
    words, k64, _ = game.layout.words(states)
    row, cold, _ = _places(game)
    rows.run(ladder_rows, len(states), _GRAIN, words, k64, row, cold, *_size_and_rules(game), out)
    return out.reshape(len(states), 2, game.layout.height, game.layout.width)


def warm_up() -> None:
    """Compile every kernel of the planes once, and leave the machine code in the cache."""
    game = Go(5)
    states, moves = game.new(2), np.zeros((2, 1), np.int32)
    feature_planes(game, states)
    encode_plies(game, states, moves, moves)
    ladder_moves(game, states)


def _check(planes: int) -> None:
    if planes not in PLANES:
        raise ValueError(f"there are {', '.join(map(str, PLANES))} feature planes to choose from, not {planes!r}")


def _places(game: Go) -> tuple[np.uint64, np.uint64, np.uint64]:
    """Bytes of a row, and where its cold part and its recent boards begin."""
    return U(game.dtype.itemsize), U(game.layout.cold), U(game.layout.recent_byte)


def _size_and_rules(game: Go) -> tuple[Any, ...]:
    """Hot words of a row, columns and rows, the limit of plies, and the rules of ko and suicide."""
    layout, ruleset = game.layout, game.ruleset
    ko = U(SUPERKO.index(ruleset.superko))
    return U(layout.hot), U(layout.width), U(layout.height), U(game.max_plies), ko, ruleset.suicide
