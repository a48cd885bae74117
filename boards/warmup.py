"""Compile every kernel once and leave the machine code in the cache: ``python -m sakiyomi.boards.warmup``."""

import time
from collections.abc import Iterator

import numpy as np

from sakiyomi.boards.catalog import GAMES, make_game
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.game import Game
from sakiyomi.boards.go import Go
from sakiyomi.boards.random import seeds
from sakiyomi.boards.shogi import Shogi


def warm_up(game: Game) -> None:
    """Call every batched method of `game` once, so that all its kernels are compiled or loaded."""
    states = game.new(2)
    paths = game.legal(states).argmax(axis=1).astype(np.int32)[:, None]
    game.play(states, paths[:, 0])
    replayed = game.replay(game.new(2), paths, np.ones(2, np.int32))
    assert (game.turn(replayed) == game.turn(states)).all()
    game.observe(states)
    game.ending(states)
    game.result(states)
    game.rollout(states, seeds(np.random.default_rng(0), 2))
    if isinstance(game, Go):
        _warm_up_go(game)
    if isinstance(game, Chess):
        _warm_up_chess(game)
    if isinstance(game, Shogi):
        _warm_up_shogi(game)


def _warm_up_go(game: Go) -> None:
    states = game.new(2)
    game.sensible(states)
    game.replay_moves(states, np.zeros((2, 1), np.int32), np.ones(2, np.int32))
    game.set_up(game.colours(states), np.zeros(2, np.int32))
    for scoring in ("area", "territory"):
        Go(game.size, scoring=scoring).settled_score(states)


def _warm_up_chess(game: Chess) -> None:
    states = game.new(1)
    game.legal_actions(states)
    game.claims(states)
    game.perft(states, 3)
    game.san(states, game.parse_move(states, "e4"))
    game.parse_position("4k3/8/8/8/3pP3/8/8/4K3 b - e3 0 1")
    game.check(states)


def _warm_up_shogi(game: Shogi) -> None:
    states = game.new(1)
    game.legal_actions(states)
    game.declarations(states)
    game.in_check(states)
    game.perft(states, 3)
    game.parse_position("two-piece")
    game.check(states)


def warm_up_all() -> Iterator[tuple[str, float]]:
    """Warm up every game of the catalogue; yields its name and the seconds it took."""
    for name in GAMES:
        start = time.perf_counter()
        warm_up(make_game(name))
        yield name, time.perf_counter() - start


if __name__ == "__main__":
    for name, seconds in warm_up_all():
        print(f"{name}: {seconds:.1f} s")
