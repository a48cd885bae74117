"""The self-players of a training run: groups of games side by side, on this machine or on others by Ray."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.inference import Evaluator, make_evaluator
from sakiyomi.agents.parts.nets import DualNet
from sakiyomi.agents.parts.replay import Episode
from sakiyomi.agents.parts.selfplay import FORBIDDEN, Habits, SelfPlay, play_side_by_side
from sakiyomi.agents.parts.turned import Turned
from sakiyomi.boards.game import Game
from sakiyomi.boards.rows import threads


class RandomSymmetry:
    """An evaluator that looks at each position turned by a random symmetry of `game` (AlphaGo Zero, Methods)."""

    def __init__(self, game: Game, evaluate: Evaluator, rng: np.random.Generator):
        self._symmetries, self._evaluate, self._rng = game.symmetries(), evaluate, rng

    def __call__(self, observations: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """As `Evaluator`."""
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


class LocalCrew:
    """`groups` groups that share `games` games, a thread each, every group with its own share of the cores."""

    def __init__(
        self,
        game: Game,
        habits: Habits,
        *,
        games: int,
        groups: int,
        seed: int,
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
        most = max(len(group.model.roots) for group in self.groups)
        runtime = self.runtime
        if calibration is None and runtime == "openvino-int8":
            runtime = "openvino"  # nothing has been played yet
        evaluate = make_evaluator(
            net, runtime, batch=most, threads=self._cores, device=self.device, calibration=calibration
        )
        for group in self.groups:
            turned = RandomSymmetry(self.game, evaluate, group.rng)
            group.model.evaluate = turned if self.random_symmetry else evaluate
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


def _unknowing(observations: NDArray[Any]) -> Any:
    raise RuntimeError("a crew is given a net by `use` before it plays")
