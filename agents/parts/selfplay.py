"""Self-play: many games at once, a search for every move, whole games out.

Games stand at different plies; when a game's search is done it moves and begins its next search in the same round, and
a game that has ended is followed by a new one, so that every round of the search fills its batch.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.checkpoints import read_json, write_json
from sakiyomi.agents.parts.replay import WIDTH, Episode
from sakiyomi.agents.parts.search import Dirichlet, Findings, Gumbel, Puct, RulesModel, Search
from sakiyomi.agents.parts.search.models import Evaluate
from sakiyomi.boards.game import Ending, Game

FORBIDDEN = -2.0  # below every value: a threshold that nobody resigns by


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How self-play searches and moves; explicit numbers, since each paper has its own.

    A full search has `simulations`; with `fast_simulations` only a part `full_share` of the moves gets one, drawn by
    chance, and the others a fast search without noise that teaches no policy (KataGo, section 3.1, playout cap
    randomisation). Moves follow the visits for `exploring_plies` and are then the most visited (with Gumbel they are
    the search's own choice throughout). `surprise` is the part of the sampling weight that goes by how much the search
    changed the policy (KataGo's methods, "Policy surprise weighting"). Games are given up where the root's and its best
    move's value lie below `resign_below`, but in a part `play_on` of the games never.
    """

    simulations: int
    fast_simulations: int | None = None
    full_share: float = 0.25
    selection: Puct | Gumbel
    noise: Dirichlet | None = None
    exploring_plies: int = 30
    surprise: float = 0.0
    resign_below: float = FORBIDDEN
    play_on: float = 0.1
    solve: bool = False


@dataclass(frozen=True)
class Lowest:
    """Of a finished game that nobody might resign: the lowest value that its winner saw (min over moves of the better
    of root and best move): he would have resigned by mistake at any threshold above it."""

    value: float


class SelfPlay:
    """`games` games of `game` played at once; `evaluate` may be replaced between runs, and `habits`, too.

    A run begins a new search in every game, so all that lasts from one to the next are the games' moves and `rng`:
    what `save` writes. Equal seeds give equal games.
    """

    def __init__(self, game: Game, evaluate: Evaluate, games: int, habits: Habits, rng: np.random.Generator):
        self.game, self.habits, self.rng = game, habits, rng
        self.model = RulesModel(game, evaluate, games)
        most = max(habits.simulations, habits.fast_simulations or 0)
        self.search = Search(
            self.model,
            games,
            most,
            selection=habits.selection,
            noise=habits.noise,
            solve=habits.solve,
            rng=rng,
        )
        self.simulations = 0
        """Done so far, in all runs."""
        self.lowest: list[Lowest] = []
        """Of the games that nobody might resign, in order; to be emptied by who reads it."""
        width, plies = min(game.num_actions, WIDTH), min(game.max_plies, 128)
        self._starts = game.new(games)
        self._length = np.zeros(games, np.int32)
        self._full = np.zeros(games, np.bool_)  # has the running search all its simulations?
        self._played_on = rng.random(games) < habits.play_on
        self._low = np.ones((games, 2), np.float32)  # lowest value that each side saw
        self._actions = np.zeros((games, plies), np.int32)
        self._target_actions = np.full((games, plies, width), -1, np.int32)
        self._target_probabilities = np.zeros((games, plies, width), np.float32)
        self._values = np.zeros((games, plies), np.float32)
        self._weights = np.zeros((games, plies), np.float32)
        self._surprises = np.zeros((games, plies), np.float32)

    def run(self, rounds: int) -> list[Episode]:
        """Play for so many rounds of the search; returns the games that ended, in the order of their ends."""
        finished: list[Episode] = []
        self.search.reseed()
        self._begin(np.arange(len(self._length)))
        for _ in range(rounds):
            done = self.search.round()
            if len(done):
                self.simulations += int(self.search.forest.trees["done"][done].sum())
                finished += self._move(done)
                self._begin(done)
        return finished

    def _begin(self, rows: NDArray[np.int64]) -> None:
        habits = self.habits
        fast = habits.fast_simulations
        self._full[rows] = True if fast is None else self.rng.random(len(rows)) < habits.full_share
        goals = np.where(self._full[rows], habits.simulations, fast or 0)
        noisy = self._full[rows] | isinstance(habits.selection, Gumbel)
        self.search.begin(rows, goals, noisy)

    def _move(self, rows: NDArray[np.int64]) -> list[Episode]:
        """Play a move in the games `rows`, whose searches are done; returns those that end by it."""
        found = self.search.findings(rows)
        turns = self.game.turn(self.model.roots[rows])
        best = np.maximum(found.values, np.nanmax(found.means, axis=1, initial=-1.0))
        self._low[rows, turns] = np.minimum(self._low[rows, turns], best)
        given_up = (best < self.habits.resign_below) & ~self._played_on[rows]
        targets = self._targets(found)
        actions = self._choose(found, targets, self._length[rows])
        self._note(rows, actions, found, targets)
        states = self.model.roots[rows]
        self.game.play(states, actions.astype(np.int32))
        self.model.roots[rows] = states
        over = self.game.ending(states) != Ending.ONGOING
        results = np.where(over, self.game.result(states), np.where(turns == 0, -1, 1))
        ended = np.flatnonzero(over | given_up)
        return [self._end(int(rows[i]), float(results[i])) for i in ended]

    def _targets(self, found: Findings) -> NDArray[np.float64]:
        """[n, A], the policies that the searches teach."""
        selection = self.habits.selection
        if isinstance(selection, Gumbel):
            return found.improved(selection)
        if selection.forced > 0:
            visits = found.pruned(_coefficient(selection, found.visits.sum(1)), selection.forced)
            return np.asarray(visits / np.maximum(visits.sum(1, keepdims=True), 1e-30))
        return found.proportions()

    def _choose(self, found: Findings, targets: NDArray[np.float64], plies: NDArray[np.int32]) -> NDArray[np.int64]:
        """[n] actions."""
        selection = self.habits.selection
        if isinstance(selection, Gumbel):
            return found.gumbel_actions(selection)
        shares = np.where((plies < self.habits.exploring_plies)[:, None], targets, found.proportions(0.0))
        sums = np.cumsum(shares, axis=1)
        draws = self.rng.random(len(sums))[:, None] * sums[:, -1:]
        chosen: NDArray[np.int64] = np.argmax(sums > draws, axis=1)
        return chosen

    def _note(
        self, rows: NDArray[np.int64], actions: NDArray[np.int64], found: Findings, targets: NDArray[np.float64]
    ) -> None:
        """Write the moves `actions` and what their searches found into the games' records."""
        plies = self._length[rows]
        if int(plies.max()) >= self._actions.shape[1]:
            self._lengthen()
        width = self._target_actions.shape[2]
        if width == self.game.num_actions:
            named = np.broadcast_to(np.arange(width), targets.shape)
        else:
            named = np.argpartition(-targets, width, axis=1)[:, :width]
        shares = np.take_along_axis(targets, named, axis=1)
        shares = shares / shares.sum(1, keepdims=True)
        self._actions[rows, plies] = actions
        self._target_actions[rows, plies] = np.where(shares > 0, named, -1)
        self._target_probabilities[rows, plies] = shares
        self._values[rows, plies] = np.clip(found.values, -1, 1)
        self._weights[rows, plies] = self._full[rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(targets > 0, targets * np.log(targets / np.maximum(found.priors, 1e-30)), 0)
        self._surprises[rows, plies] = np.maximum(terms.sum(1), 0)
        self._length[rows] += 1

    def _end(self, row: int, result: float) -> Episode:
        """The finished game of `row`, which begins anew."""
        plies = int(self._length[row])
        episode = Episode(
            self._starts[row : row + 1].copy(),
            self._actions[row, :plies].copy(),
            self._target_actions[row, :plies].copy(),
            self._target_probabilities[row, :plies].copy(),
            self._values[row, :plies].copy(),
            _weighed(self._weights[row, :plies], self._surprises[row, :plies], self.habits.surprise),
            result,
            self.model.roots[row : row + 1].copy(),
        )
        if self._played_on[row] and result != 0:
            self.lowest.append(Lowest(float(self._low[row, 0 if result > 0 else 1])))
        self.model.roots[row] = self._starts[row]
        self._length[row] = 0
        self._low[row] = 1
        self._played_on[row] = self.rng.random() < self.habits.play_on
        return episode

    def _records(self) -> dict[str, NDArray[Any]]:
        """All that lasts from run to run but the random numbers."""
        longest = int(self._length.max(initial=0))
        by_ply = ("_actions", "_target_actions", "_target_probabilities", "_values", "_weights", "_surprises")
        records = {name[1:]: getattr(self, name)[:, :longest] for name in by_ply}
        states = {"roots": self.model.roots, "starts": self._starts}
        records |= {name: array.view(np.uint8).reshape(len(array), -1) for name, array in states.items()}
        return records | {"length": self._length, "played_on": self._played_on, "low": self._low}

    def save(self, folder: Path) -> None:
        """Write the games as they stand, and the random numbers, into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / "games.npz", allow_pickle=False, **self._records())
        random = {"rng": self.rng.bit_generator.state, "simulations": self.simulations}
        write_json(folder / "random.json", {"game": self.game.name, "games": len(self._length), **random})

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote. Raises ValueError if that was another number of games or another game."""
        noted = read_json(folder / "random.json")
        if (noted["games"], noted["game"]) != (len(self._length), self.game.name):
            wanted = f"{len(self._length)} of {self.game.name}"
            raise ValueError(f"{folder} holds {noted['games']} games of {noted['game']}, {wanted} are wanted")
        self.rng.bit_generator.state, self.simulations = noted["rng"], noted["simulations"]
        with np.load(folder / "games.npz") as records:
            while self._actions.shape[1] < records["actions"].shape[1]:
                self._lengthen()
            for name in self._records():
                array = records[name]
                if name in ("roots", "starts"):
                    states = self.model.roots if name == "roots" else self._starts
                    states[:] = array.reshape(-1).view(self.game.dtype)
                elif name in ("length", "played_on", "low"):
                    getattr(self, f"_{name}")[:] = array
                else:
                    getattr(self, f"_{name}")[:, : array.shape[1]] = array

    def _lengthen(self) -> None:
        """Room for twice as many plies."""
        for name in ("_actions", "_target_actions", "_target_probabilities", "_values", "_weights", "_surprises"):
            array = getattr(self, name)
            setattr(self, name, np.concatenate([array, np.zeros_like(array)], axis=1))


def play_side_by_side(groups: Sequence[SelfPlay], rounds: int) -> list[Episode]:
    """Run all `groups` for so many rounds, a thread each, so that one searches while another's network computes.

    Returns their games, group by group: the same ones however the threads took turns.
    """
    if len(groups) == 1:
        return groups[0].run(rounds)
    with ThreadPoolExecutor(len(groups), thread_name_prefix="self-play") as pool:
        return [episode for played in pool.map(lambda group: group.run(rounds), groups) for episode in played]


def _weighed(weights: NDArray[np.float32], surprises: NDArray[np.float32], part: float) -> NDArray[np.float32]:
    """`weights` [T] of 0 and 1, a `part` of their sum given out in proportion to `surprises`."""
    told = surprises * weights
    if part == 0 or told.sum() <= 0:
        return weights.copy()
    shared: NDArray[np.float32] = (1 - part) * weights + part * weights.sum() * told / told.sum()
    return shared.astype(np.float32)


def _coefficient(puct: Puct, visits: NDArray[np.int64]) -> NDArray[np.float64]:
    """[n], c sqrt(N) of PUCT at roots with so many visits, for Q in [-1, 1]."""
    growth = 0 if puct.base is None else np.log((visits + 1 + puct.base + 1) / puct.base)
    scale = 1.0 if puct.scale == "none" else 2.0  # a Q in [0, 1] lies half as far apart
    return np.asarray(scale * (puct.init + growth) * np.sqrt(visits + 1.0))
