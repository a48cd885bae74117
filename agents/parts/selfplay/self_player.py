"""Self-play: many games at once, a search for every move, whole games out.

Games stand at different plies; when a game's search is done it moves and begins its next search in the same round, and
a game that has ended is followed by a new one, so that every round of the search fills its batch.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.runs.checkpoints import read_json, write_json
from sakiyomi.agents.parts.search import Dirichlet, Findings, Gumbel, Puct, RulesModel, Search
from sakiyomi.agents.parts.search.findings import drawn
from sakiyomi.agents.parts.search.models import Evaluate
from sakiyomi.agents.parts.selfplay.games_so_far import GamesSoFar
from sakiyomi.agents.parts.selfplay.replay import Episode
from sakiyomi.agents.parts.selfplay.standing import standing
from sakiyomi.boards.game import Ending, Game, States

FORBIDDEN = -2.0  # below every value: a threshold that nobody resigns by
ONWARD = 0.75  # of games cut and judged by material, that the next game goes on from there


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How self-play searches and moves; explicit numbers, since each paper has its own.

    A full search has `simulations`; with `fast_simulations` only a part `full_share` of the moves gets one, drawn by
    chance, and the others a fast search that teaches no policy and has no Dirichlet noise (KataGo, section 3.1, playout
    cap randomisation); Gumbel's samples it keeps, without which those games would hardly differ. Moves follow the
    visits for `exploring_plies` and are then the most visited (with Gumbel they are the search's own choice
    throughout). `surprise` is the part of the sampling weight that goes by how much the search changed the policy
    (KataGo's methods, "Policy surprise weighting"). Games are given up where the root's and its best move's value lie
    below `resign_below`, but in a part `play_on` of the games never. With `random_plies` half of the games begin after
    1 to so many random moves: a network then also learns positions to which good play does not lead (KataGo begins
    games with moves drawn from its policy for this). `cache` network outputs are kept for positions met again. After
    `cap` plies a game is cut and counts as it stands (`standing`); None: it goes on for as long as the rules let it.
    In chess and shogi it then counts its material, `by_material`, if that is wished, and most of these games go on as
    the next ones: so all phases of the game are learned from, in pieces of `cap` plies.
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
    random_plies: int = 0
    cap: int | None = None
    by_material: bool = False
    cache: int = 0
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
            self.model, games, most, selection=habits.selection, noise=habits.noise, solve=habits.solve, rng=rng
        )
        self.simulations = 0
        """Done so far, in all runs."""
        self.lowest: list[Lowest] = []
        """Of the games that nobody might resign, in order; to be emptied by who reads it."""
        self._games = GamesSoFar(game, self.model.roots)
        self._games.played_on[:] = rng.random(games) < habits.play_on
        for row in range(games):
            self._games.begin(row, self._start())
        self._full = np.zeros(games, np.bool_)  # has the running search all its simulations?

    def run(self, rounds: int) -> list[Episode]:
        """Play for so many rounds of the search; returns the games that ended, in the order of their ends."""
        finished: list[Episode] = []
        self.search.reseed()
        self._begin(np.arange(len(self._full)))
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
        found, games, habits = self.search.findings(rows), self._games, self.habits
        states = self.model.roots[rows]
        turns = self.game.turn(states)
        best = np.maximum(found.values, np.nanmax(found.means, axis=1, initial=-1.0))
        games.low[rows, turns] = np.minimum(games.low[rows, turns], best)
        given_up = (best < habits.resign_below) & ~games.played_on[rows]
        targets = self._targets(found)
        actions = self._choose(found, targets, games.length[rows])
        full, surprises = self._full[rows], surprises_of(targets, found.priors)
        games.note(rows, actions, targets, values=np.clip(found.values, -1, 1), weights=full, surprises=surprises)
        self.game.play(states, actions.astype(np.int32))
        self.model.roots[rows] = states
        over = self.game.ending(states) != Ending.ONGOING
        cut = ~over & (games.length[rows] >= (habits.cap or np.inf))
        results = np.where(over, self.game.result(states), np.where(turns == 0, -1, 1))
        results[cut] = standing(self.game, states[cut], habits.by_material)
        ended = np.flatnonzero(over | cut | given_up)
        onward = cut & (self.rng.random(len(rows)) < ONWARD) if habits.by_material else np.zeros_like(cut)
        return [self._end(int(rows[i]), float(results[i]), states[i : i + 1] if onward[i] else None) for i in ended]

    def _targets(self, found: Findings) -> NDArray[np.float64]:
        """[n, A], the policies that the searches teach."""
        selection = self.habits.selection
        if isinstance(selection, Gumbel):
            return found.improved(selection)
        if selection.forced > 0:
            pruned = found.pruned(_coefficient(selection, found.visits.sum(1)), selection.forced)
            kept = np.where(found.sound, pruned, 0)
            total = kept.sum(1, keepdims=True)
            return np.where(total > 0, kept / np.maximum(total, 1), found.proportions())
        return found.proportions()

    def _choose(self, found: Findings, targets: NDArray[np.float64], plies: NDArray[np.int32]) -> NDArray[np.int64]:
        """[n] actions."""
        selection = self.habits.selection
        if isinstance(selection, Gumbel):
            return found.gumbel_actions(selection)
        early = (plies < self.habits.exploring_plies)[:, None]
        return drawn(np.where(early, targets, found.proportions(0.0)), self.rng)

    def _end(self, row: int, result: float, states: States | None = None) -> Episode:
        """The finished game of `row`, which begins anew, or goes on from `states` [1]."""
        games = self._games
        if games.played_on[row] and result != 0:
            self.lowest.append(Lowest(float(games.low[row, 0 if result > 0 else 1])))
        games.played_on[row] = self.rng.random() < self.habits.play_on
        episode = games.end(row, result, self.habits.surprise)
        games.begin(row, self._start() if states is None else states.copy())
        return episode

    def _start(self) -> States:
        """[1], where a game begins: at the game's own start, or after random moves that do not end it."""
        game, rng = self.game, self.rng
        states = game.new(1)
        if not self.habits.random_plies or rng.random() < 0.5:
            return states
        sensible = getattr(game, "sensible", game.legal)
        for _ in range(rng.integers(1, self.habits.random_plies + 1)):
            after, moves = states.copy(), sensible(states)[0]
            if not moves.any():
                break
            game.play(after, rng.choice(np.flatnonzero(moves), 1).astype(np.int32))
            if game.ending(after)[0] != Ending.ONGOING:
                break
            states = after
        return states

    def save(self, folder: Path) -> None:
        """Write the games as they stand, and the random numbers, into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        self._games.save(folder / "games.npz")
        random = {"rng": self.rng.bit_generator.state, "simulations": self.simulations}
        write_json(folder / "random.json", {"game": self.game.name, "games": len(self._full), **random})

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote. Raises ValueError if that was another number of games or another game."""
        noted = read_json(folder / "random.json")
        if (noted["games"], noted["game"]) != (len(self._full), self.game.name):
            wanted = f"{len(self._full)} of {self.game.name}"
            raise ValueError(f"{folder} holds {noted['games']} games of {noted['game']}, {wanted} are wanted")
        self.rng.bit_generator.state, self.simulations = noted["rng"], noted["simulations"]
        self._games.load(folder / "games.npz")


def play_side_by_side(groups: Sequence[SelfPlay], rounds: int) -> list[Episode]:
    """Run all `groups` for so many rounds, a thread each, so that one searches while another's network computes.

    Returns their games, group by group: the same ones however the threads took turns.
    """
    if len(groups) == 1:
        return groups[0].run(rounds)
    with ThreadPoolExecutor(len(groups), thread_name_prefix="self-play") as pool:
        return [episode for played in pool.map(lambda group: group.run(rounds), groups) for episode in played]


def surprises_of(targets: NDArray[np.float64], priors: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n], the Kullback-Leibler divergence of the network's policies [n, A] from the search's."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(targets > 0, targets * np.log(targets / np.maximum(priors, 1e-30)), 0)
    return np.asarray(np.maximum(terms.sum(1), 0))


def _coefficient(puct: Puct, visits: NDArray[np.int64]) -> NDArray[np.float64]:
    """[n], c sqrt(N) of PUCT at roots with so many visits, for Q in [-1, 1]."""
    growth = 0 if puct.base is None else np.log((visits + 1 + puct.base + 1) / puct.base)
    scale = 1.0 if puct.scale == "none" else 2.0  # a Q in [0, 1] lies half as far apart
    return np.asarray(scale * (puct.init + growth) * np.sqrt(visits + 1.0))
