"""Games to learn values from: one position each, by the paper's scheme (Silver et al. 2016, Methods, "Value network:
regression").

::

    ply     0 ... U-2      U-1                U, U+1, ... to the end
    moves   SL policy      random, legal      RL policy
                                              ^ the position to learn from (the paper's s_{U+1})

U is uniform on 1..450 on 19x19, and on as many for each point on other boards. One position a game: neighbours in a
game differ by a stone and share the result, which a network would learn by heart.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.policy import PolicyNet
from sakiyomi.agents.alphago.policy_games import PlayedGames, PolicyPlayer, drawn, play_games
from sakiyomi.agents.alphago.records import GameRecords
from sakiyomi.boards.game import States
from sakiyomi.boards.go import Go

MOST_TURNING, PAPER_AREA = 450, 361
GAMES = 256  # played side by side


def most_turning(area: int) -> int:
    """The largest U on a board of `area` points: 450 on 19x19."""
    return max(1, round(MOST_TURNING * area / PAPER_AREA))


def value_positions(
    game: Go,
    sl: PolicyNet,
    rl: PolicyNet,
    n: int,
    rng: np.random.Generator,
    *,
    tell: Callable[[int], None] | None = None,
) -> GameRecords:
    """`n` games with one position each to learn from (``places``), all moves drawn at temperature 1.

    Games that end before they have such a position, or that have no legal point at move U, are played again. `tell` is
    called with the games gained so far. Raises ValueError for `n` below 1.
    """
    if n < 1:
        raise ValueError(f"1 or more positions are wanted, got {n}")
    parts, gained = list[GameRecords](), 0
    while gained < n:
        turning = rng.integers(1, most_turning(game.layout.area) + 1, size=min(GAMES, 2 * (n - gained) + 8))
        played, valid = _turned_games(game, sl, rl, turning, rng)
        # the first of them: the ones that ended first would be of another kind
        kept = np.flatnonzero(valid & (played.lengths > turning))[: n - gained]
        if len(kept):
            parts.append(_records(game, played, kept, turning[kept], turning[kept] + 1))
            gained += len(kept)
        if tell:
            tell(gained)
    return GameRecords.joined(parts)


def whole_games(
    game: Go, rl: PolicyNet, n: int, rng: np.random.Generator, *, tell: Callable[[int], None] | None = None
) -> GameRecords:
    """`n` games that `rl` plays against itself, with all their positions to learn from: what the scheme avoids."""
    player, parts = PolicyPlayer(game, rl, rng), list[GameRecords]()
    if n < 1:
        raise ValueError(f"1 or more games are wanted, got {n}")
    for start in range(0, n, GAMES):
        played = play_games(game, player, min(GAMES, n - start))
        rows = np.arange(len(played.lengths))
        parts.append(_records(game, played, rows, np.zeros(len(rows), np.int64), played.lengths))
        if tell:
            tell(start + len(rows))
    return GameRecords.joined(parts)


def _turned_games(
    game: Go, sl: PolicyNet, rl: PolicyNet, turning: NDArray[np.int64], rng: np.random.Generator
) -> tuple[PlayedGames, NDArray[np.bool_]]:
    """A game for each U of `turning` [n]; and [n], False where there was no legal point at move U."""
    before, after, valid = PolicyPlayer(game, sl, rng), PolicyPlayer(game, rl, rng), np.ones(len(turning), np.bool_)

    def choose(states: States, rows: NDArray[np.int64]) -> NDArray[np.int32]:
        left = turning[rows] - 1 - states["ply"].astype(np.int64)  # moves of the SL policy still to come
        actions = np.empty(len(states), np.int32)
        for player, those in ((before, left > 0), (after, left < 0)):
            if those.any():
                actions[those] = player(states[those], rows[those])
        if (now := left == 0).any():
            actions[now] = drawn(game.legal(states[now])[:, :-1].astype(np.float64), rng)
            valid[rows[now]] = actions[now] < game.layout.area
        return actions

    return play_games(game, choose, len(turning)), valid


def _records(
    game: Go, played: PlayedGames, rows: NDArray[np.int64], first: NDArray[np.int64], stop: NDArray[np.int64]
) -> GameRecords:
    """The games of `rows` up to move `stop`, to be learnt from in the positions before the moves `first` to `stop`."""
    steps = np.arange(played.moves.shape[1])
    kept = steps < stop[:, None]
    learn = (kept & (steps >= first[:, None]))[kept]
    return GameRecords(
        game,
        played.moves[rows][kept],
        np.concatenate([[0], np.cumsum(stop)]),
        np.flatnonzero(learn),
        np.zeros(len(rows), np.uint8),
        np.zeros((len(rows), game.layout.area), np.uint8),
        np.full(len(rows), game.komi, np.float32),
        played.results[rows],
    )
