"""AlphaGo: policies and values learnt from games, rollouts, and a search that goes by all of them.

D. Silver et al., "Mastering the game of Go with deep neural networks and tree search", Nature 529:484 (2016). A policy
network learns the moves of game records (`policy`), and then, against its own earlier selves, to win (`reinforce`);
games that the two play teach a value network who will win (`value_data`, `value`). Linear policies over local patterns
learn from the same records (`rollout_learning`): one plays games to their ends, the other stands in for the network. A
tree search values each leaf by the value network and by one rollout (`search`). `train` has the stages in order.

Departures: what the search expects of the move that it visited most, not of the best, decides about resigning; a search
is not extended where the move visited most is not the one of greatest value, and does not go on in the opponent's time;
where one of value network and rollouts is missing, the other says it all, and where both are, the policy alone plays.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.agent import RESIGN, Actions, Foresight, Progress, TrainingBudget, Turn
from sakiyomi.agents.alphago.config import PRESETS, Config
from sakiyomi.agents.alphago.files import load_parts, save_parts
from sakiyomi.agents.alphago.guides import Parts, Whose, make_guides, mixing_of
from sakiyomi.agents.alphago.search import Guides
from sakiyomi.agents.alphago.thinking import ApvPlanner
from sakiyomi.agents.parts.runs.flags import from_json, to_json
from sakiyomi.agents.parts.search.deciding import Deciding, best_actions, imagined, look, positions_of
from sakiyomi.agents.parts.search.findings import drawn
from sakiyomi.boards.game import Game, States
from sakiyomi.boards.go import Go
from sakiyomi.boards.player import Player
from sakiyomi.envs.task import Task


@dataclass
class Glance:
    """What is remembered where nothing is searched: the chances of the last positions' actions, [B, A]."""

    trees: int
    rng: np.random.Generator
    chances: NDArray[np.float32] | None = None


Carry = Deciding | Glance


class AlphaGo:
    """Plays Go by the search of the paper. An `Agent`; its carry is a `Deciding`, or, where it has neither a value
    network nor a rollout policy or is told not to search, a `Glance`.

    The settings of the search are those of `config`; `simulations` a move if nothing else is said.
    """

    presets: ClassVar[Mapping[str, Config]] = PRESETS

    def __init__(self, game: Go, parts: Parts, config: Config, *, search: bool = True):
        self.game, self.config = game, config
        self.parts = parts.checked(config.priors)
        self.mixing = mixing_of(parts, config.mixing) if search else None

    @property
    def task(self) -> str:
        """The game that it has learnt, by its name."""
        return self.game.name

    def guides(self, game: Go, rng: np.random.Generator) -> Guides:
        """What a search of `game` goes by; symmetries come from `rng`."""
        config, whose = self.config, self.config.priors
        power = 1 / config.softening if config.divisor else config.softening
        return make_guides(game, self.parts, whose, power=power, pass_prior=config.pass_prior, rng=rng)

    def initial(self, batch: int, seed: int = 0) -> Carry:
        """As `Agent.initial`."""
        rng = np.random.default_rng(seed)
        if self.mixing is None:
            return Glance(batch, rng)
        late = self.config.late and self.parts.tree is not None  # else nothing stands in for the networks
        settings = replace(self.config.search, mixing=self.mixing, late=late)
        return Deciding(
            ApvPlanner(self.game, lambda game: self.guides(game, rng), batch, self.config.simulations, settings, rng)
        )

    def act(self, carry: Carry, turn: Turn, explore: bool) -> tuple[Actions, Carry]:
        """As `Agent.act`; with `explore` moves are drawn in proportion to visits, or from the policy.

        Raises ValueError for a turn without positions, of more of them than the carry is for, of games that are over,
        or of another game.
        """
        trees = carry.trees if isinstance(carry, Glance) else carry.planner.trees
        game, states = positions_of(turn, trees)
        if not isinstance(game, Go) or game.size != self.game.size:
            raise ValueError(f"AlphaGo has learnt {self.game.name}, and plays nothing else: got {game.name}")
        if isinstance(carry, Glance):
            return self._glanced(carry, game, states, turn.legal, explore), carry
        found = look(carry, turn)
        best = best_actions(found, carry.planner)
        if explore:
            return drawn(found.proportions(), carry.planner.rng), carry
        expected = found.means[np.arange(len(best)), best]  # nan where it was not visited
        return np.where(expected < self.config.resign, RESIGN, best), carry

    def foresee(self, carry: Carry, turn: Turn, row: int = 0) -> Foresight:
        """As `Agent.foresee`: the moves looked at, their visits, values, priors and lines. See also `search_view`."""
        if isinstance(carry, Deciding):
            return imagined(carry, row)
        if carry.chances is None:
            raise ValueError("nothing is foreseen before the first act")
        chances = carry.chances[row]
        order = np.argsort(-chances, kind="stable")[: int((chances > 0).sum())]
        return Foresight(actions=order, priors=chances[order].astype(np.float64), lines=(order[:1].astype(np.int32),))

    def save(self, folder: Path) -> None:
        """As `Agent.save`."""
        save_parts(folder, self.game, self.parts, to_json(self.config))

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        mixing: float | None = None,
        threshold: int | None = None,
        leaves: int | None = None,
        priors: Whose | None = None,
        late: bool | None = None,
        resign: float | None = None,
        search: bool = True,
    ) -> Self:
        """As `Agent.load`; settings that are named take the place of its own, and `search` False plays by policy alone.

        Raises ValueError for priors of a policy that the agent has not.
        """
        game, parts, settings = load_parts(folder)
        named: dict[str, Any] = {"mixing": mixing, "threshold": threshold, "leaves": leaves}
        named |= {"priors": priors, "late": late, "resign": resign}
        changed = {name: value for name, value in named.items() if value is not None}
        return cls(game, parts, from_json(Config, settings | changed), search=search)

    @classmethod
    def train(
        cls,
        task: Task | Game,
        folder: Path,
        budget: TrainingBudget,
        *,
        config: Config,
        seed: int = 0,
        resume: bool = False,
        records: str | None = None,
        stage: str | None = None,
        teachers: Sequence[Player] = (),
    ) -> Iterator[Progress]:
        """As `Agent.train`: stage after stage (`config.STAGES`), each to its own number of steps or its share of
        `budget`; `stage` names one alone, which then has all of it.

        `records` are SGF files, folders or archives of them (several with commas between); without, `teachers`, or by
        default ``config.teacher``, play the games to learn from, which stay in ``folder/games``.
        """
        from sakiyomi.agents.alphago.train import train_stages

        paths = [part.strip() for part in records.split(",") if part.strip()] if records else []
        return train_stages(
            task, folder, budget, config=config, seed=seed, resume=resume, records=paths, stage=stage, teachers=teachers
        )

    def _glanced(
        self, carry: Glance, game: Go, states: States, legal: NDArray[np.bool_] | None, explore: bool
    ) -> NDArray[np.int64]:
        """[B] actions by the policy alone."""
        allowed = game.legal(states) if legal is None else legal & game.legal(states)
        if not allowed.any(axis=1).all():
            raise ValueError("no move to choose: a game is over, or none of its legal moves is allowed")
        chances = np.where(allowed, self.guides(game, carry.rng).priors(states), np.float32(0))
        barred = chances.sum(axis=1, keepdims=True) == 0
        chances = np.where(barred, allowed, chances).astype(np.float32)
        carry.chances = chances / chances.sum(axis=1, keepdims=True)
        if explore:
            return drawn(carry.chances.astype(np.float64), carry.rng)
        best: NDArray[np.int64] = carry.chances.argmax(axis=1)
        return best


def rules_of_go(task: Task | Game) -> Go:
    """The rules that `task` is or is about. Raises ValueError if that is not Go."""
    game: Any = task.rules if isinstance(task, Task) else task
    if not isinstance(game, Go):
        raise ValueError(f"AlphaGo learns Go alone, such as go-9x9, not {task.name}")
    return game
