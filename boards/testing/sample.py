"""Positions to check a game on: random games from the start to their end."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import Game, States
from sakiyomi.boards.random import pick, seeds
from sakiyomi.boards.testing.promises import Promise, demand


@dataclass(frozen=True)
class Sample:
    """Positions met in random games, and the moves of those games."""

    game: Game
    rng: np.random.Generator
    every: States  # [M] all positions met
    states: States  # [S] some of them, ongoing and ended
    paths: NDArray[np.int32]  # [G, D] whole games from the start
    lengths: NDArray[np.int32]  # [G]
    finals: States  # [G] where those games ended

    @property
    def ongoing(self) -> States:
        """Those of `states` in which a move can be made."""
        ongoing: States = self.states[self.game.legal(self.states).any(axis=1)]
        return ongoing

    def choose(self, states: States) -> NDArray[np.int32]:
        """A random legal action for each of `states`."""
        return pick(self.game.legal(states), seeds(self.rng, len(states))).astype(np.int32)

    def demand(self, holds: Any, promise: Promise, seen: str, state: Any = None) -> None:
        """Raise `BrokenPromise` unless `holds`."""
        demand(self.game, holds, promise, seen, state)


def same(a: States, b: States) -> bool:
    """Do all fields of all records agree?"""
    return a.shape == b.shape and a.dtype == b.dtype and bool(np.all(a == b))


def each(states: States) -> list[States]:
    """The rows, each as a batch of one."""
    return np.split(states, len(states)) if len(states) else []


def walk(game: Game, rng: np.random.Generator, alternating: bool, games: int = 12, keep: int = 40) -> Sample:
    """Play `games` random games to their end, checking the bookkeeping of every ply; keep `keep` of the positions."""
    states = game.new(games)
    met: list[States] = [states.copy()]
    path: list[NDArray[np.int32]] = []
    lengths = np.zeros(games, np.int32)
    while (alive := np.flatnonzero(game.legal(states).any(axis=1))).size:
        too_long = f"max_plies is {game.max_plies} and a random game goes on"
        demand(game, len(path) < game.max_plies, Promise.MAX_PLIES, too_long, states[alive[0]])
        before = states[alive]
        after = before.copy()
        actions = pick(game.legal(before), seeds(rng, len(before))).astype(np.int32)
        game.play(after, actions)
        _keeps_count(game, before, after, alternating)
        states[alive] = after
        path.append(np.zeros(games, np.int32))
        path[-1][alive] = actions
        lengths[alive] += 1
        met.append(after)
    every = np.concatenate(met)
    chosen = np.sort(rng.choice(len(every), min(keep, len(every)), replace=False))
    sample = np.concatenate([states[: keep // 4], game.new(1), every[chosen]])
    paths = np.stack(path, axis=1) if path else np.zeros((games, 1), np.int32)
    return Sample(game, rng, every, sample, paths, lengths, states)


def _keeps_count(game: Game, before: States, after: States, alternating: bool) -> None:
    for old, new in zip(each(before), each(after), strict=True):
        demand(game, new["ply"] == old["ply"] + 1, Promise.PLIES, f"it went from {old['ply']} to {new['ply']}", old)
        if alternating:
            demand(game, game.turn(new) != game.turn(old), Promise.TURNS, f"it stayed {game.turn(old)}", old)
