"""The self-players of a training run: groups of games side by side, on this machine or on others by Ray."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.dual.inference import make_evaluator
from sakiyomi.agents.parts.dual.nets import DualNet
from sakiyomi.agents.parts.search.caching import CachedEvaluate
from sakiyomi.agents.parts.search.models import Evaluate
from sakiyomi.agents.parts.selfplay.replay import Episode
from sakiyomi.agents.parts.selfplay.self_player import FORBIDDEN, Habits, SelfPlay, play_side_by_side
from sakiyomi.agents.parts.selfplay.turned import Turned
from sakiyomi.boards.game import Game
from sakiyomi.boards.rows import threads


class RandomSymmetry:
    """An evaluator that looks at each position turned by a random symmetry of `game` (AlphaGo Zero, Methods)."""

    def __init__(self, game: Game, evaluate: Evaluate, rng: np.random.Generator):
        self._symmetries, self._evaluate, self._rng = game.symmetries(), evaluate, rng

    def __call__(self, observations: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """As the evaluator."""
        turned = Turned(self._symmetries, self._rng.integers(len(self._symmetries), size=len(observations)))
        logits, values = self._evaluate(turned.planes(observations))
        return turned.turned_back(logits), values


class Crew(Protocol):
    """Plays games with itself by the net that it was given last."""

    def use(self, net: DualNet, calibration: NDArray[np.float32] | None, resign_below: float = FORBIDDEN) -> None:
        """Play by the weights that `net` has now. `calibration` observations are for a runtime of whole numbers."""
        ...

    def play(self, rounds: int) -> list[Episode]:
        """Play so many rounds of the search; returns the games that ended."""
        ...

    def tally(self) -> dict[str, float]:
        """Since the last call: simulations, leaves that the network valued, places for them, seconds by activity."""
        ...

    def lowest(self) -> list[float]:
        """Since the last call: the lowest values that the winners of games saw that nobody might resign."""
        ...

    def save(self, folder: Path) -> None:
        """Write the games as they stand."""
        ...

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote."""
        ...

    def close(self) -> None:
        """End what was started for it."""
        ...


def make_crew(
    game: Game,
    habits: Habits,
    *,
    games: int,
    groups: int,
    seed: int,
    runtime: str = "auto",
    random_symmetry: bool = False,
    ray: str | None = None,
) -> Crew:
    """A `LocalCrew`, or with `ray`, the address of a cluster, a `RayCrew`."""
    settings: dict[str, Any] = {"games": games, "groups": groups, "seed": seed, "runtime": runtime}
    if ray is None:
        return LocalCrew(game, habits, random_symmetry=random_symmetry, **settings)
    from sakiyomi.agents.parts.selfplay.ray_crew import RayCrew

    return RayCrew(game, habits, random_symmetry=random_symmetry, address=ray, **settings)


class LocalCrew:
    """`groups` groups that share `games` games, a thread each, every group with its own share of the cores."""

    def __init__(
        self,
        game: Game,
        habits: Habits,
        *,
        games: int,
        groups: int,
        seed: int | Sequence[int],
        runtime: str = "auto",
        random_symmetry: bool = False,
        device: str | None = None,
    ):
        if not 1 <= groups <= games:
            raise ValueError(f"self-play has from 1 group to one a game, got groups={groups} for games={games}")
        self.game, self.runtime, self.random_symmetry, self.device = game, runtime, random_symmetry, device
        self._cores = max(1, threads() // groups)
        shares = [games * (group + 1) // groups - games * group // groups for group in range(groups)]
        seeds = np.random.SeedSequence(seed).spawn(groups)
        self.groups = [
            SelfPlay(game, _unknowing, share, habits, np.random.default_rng(each))
            for share, each in zip(shares, seeds, strict=True)
        ]
        self._told: dict[str, float] = {}

    def use(self, net: DualNet, calibration: NDArray[np.float32] | None, resign_below: float = FORBIDDEN) -> None:
        """As `Crew.use`."""
        runtime = self.runtime
        if calibration is None and runtime == "openvino-int8":
            runtime = "openvino"  # nothing has been played yet
        # PyTorch's number of threads is one for the whole process: groups and learner would disturb each other's, and
        # sums be split otherwise from run to run.
        cores = 1 if runtime == "torch" or not find_spec("openvino") else self._cores
        for group in self.groups:  # an evaluator each: calls of one wait for each other
            evaluate: Evaluate = make_evaluator(
                net,
                runtime,
                batch=len(group.model.roots),
                threads=cores,
                device=self.device,
                calibration=calibration,
            )
            if group.habits.cache:
                evaluate = CachedEvaluate(evaluate, self.game.num_actions, group.habits.cache)
            if self.random_symmetry:
                evaluate = RandomSymmetry(self.game, evaluate, group.rng)
            group.model.evaluate = evaluate
            group.habits = replace(group.habits, resign_below=resign_below)

    def play(self, rounds: int) -> list[Episode]:
        """As `Crew.play`."""
        return play_side_by_side(self.groups, rounds)

    def tally(self) -> dict[str, float]:
        """As `Crew.tally`."""
        now: dict[str, float] = {}
        for group in self.groups:
            search = group.search
            counts = {"simulations": group.simulations, "evaluated": search.evaluated, "asked": search.asked}
            for name, value in (counts | search.seconds | group.model.seconds).items():
                now[name] = now.get(name, 0.0) + value
        since = {name: value - self._told.get(name, 0.0) for name, value in now.items()}
        self._told = now
        return since

    def lowest(self) -> list[float]:
        """As `Crew.lowest`."""
        found = [low.value for group in self.groups for low in group.lowest]
        for group in self.groups:
            group.lowest.clear()
        return found

    def save(self, folder: Path) -> None:
        """As `Crew.save`."""
        for number, group in enumerate(self.groups):
            group.save(folder / f"group-{number}")

    def load(self, folder: Path) -> None:
        """As `Crew.load`."""
        for number, group in enumerate(self.groups):
            group.load(folder / f"group-{number}")
        self.tally()  # what was done before does not count as done since the last call

    def close(self) -> None:
        """As `Crew.close`: there is nothing to end."""


def _unknowing(observations: NDArray[Any]) -> Any:
    raise RuntimeError("a crew is given a net by `use` before it plays")
