"""What an agent that searches over learned dynamics remembers of its episodes, and how it fares in a task."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.agent import Foresight, Observations, Predicted, Turn
from sakiyomi.agents.parts.muzero.grid import Grid
from sakiyomi.agents.parts.muzero.lookahead import Lookahead, best_actions, line_after
from sakiyomi.agents.parts.muzero.stacking import Stack
from sakiyomi.agents.parts.muzero.stages import TaskStage
from sakiyomi.agents.parts.search import Dirichlet, Findings, Gumbel, Puct
from sakiyomi.envs.task import Task

MakeLookahead = Callable[[int, Puct | Gumbel, Dirichlet | None, np.random.Generator], Lookahead]
TOLD = 16  # actions that are told with the line expected after them


@dataclass
class Looking:
    """Of `batch` episodes: the latest frames, the last `actions`, the last search, and what it `found`; actions are the
    numbers of a `grid` if they are vectors."""

    batch: int
    rng: np.random.Generator
    grid: Grid | None = None
    found: Findings | None = None
    actions: NDArray[np.integer] = field(default_factory=lambda: np.zeros(0, np.int64))
    _stack: Stack | None = None
    _latest: Lookahead | None = None
    _made: dict[tuple[Puct | Gumbel, Dirichlet | None], Lookahead] = field(default_factory=dict)

    def shown(
        self, turn: Turn, frame: tuple[int, ...], stack: int, actions: int, with_actions: bool
    ) -> NDArray[np.float32]:
        """Inputs [B, ...] (`stacking`): the frames before, and what the `turn` shows, to which the last actions led.

        Where there are more or fewer episodes than before, all count as new. Raises ValueError for frames of another
        shape than `frame`, and for more of them than `batch`.
        """
        frames, first = frames_shown(turn.observation, frame), turn.is_first
        if len(frames) > self.batch:
            raise ValueError(f"the carry is for {self.batch} episodes, got {len(frames)}")
        if self._stack is None or len(self._stack.frames) != len(frames):
            self._stack = Stack(len(frames), stack, frame, frames.dtype)
            self.actions, first = np.zeros(len(frames), np.int64), np.ones(len(frames), np.bool_)
        self._stack.see(frames, self.actions, first)
        return self._stack.inputs(actions, with_actions)

    def lookahead(self, selection: Puct | Gumbel, noise: Dirichlet | None, make: MakeLookahead) -> Lookahead:
        """The search with these settings, made when it is first wanted; `look` and `foresight` are by the last one."""
        if (selection, noise) not in self._made:
            self._made[selection, noise] = make(self.batch, selection, noise, self.rng)
        self._latest = self._made[selection, noise]
        return self._latest

    def look(self, turn: Turn, inputs: NDArray[np.float32], simulations: int | None, *, noisy: bool) -> Findings:
        """Search from `inputs`, as far as the `turn` allows, who is told meanwhile what is foreseen."""
        look, tell = self._latest, turn.tell
        assert look is not None, "lookahead comes first"
        turns = None if turn.states is None or turn.game is None else turn.game.turn(turn.states)

        def told() -> None:
            if tell is not None:
                self.found = look.search.findings(np.arange(len(inputs)))
                tell(self.foresight(0))

        self.found = look.find(
            inputs,
            turn.legal,
            turns,
            noisy=noisy,
            simulations=simulations,
            seconds=turn.budget.seconds,
            stop=turn.stop,
            tell=None if tell is None else told,
        )
        told()
        return self.found

    def foresight(self, row: int) -> Foresight:
        """What the last search found in a row; "reward" and "value" along its best line are as who moves now sees them.

        Raises ValueError before the first search.
        """
        found, look = self.found, self._latest
        if found is None or look is None:
            raise ValueError("nothing is foreseen before the first act")
        order, two = best_first(found, look.selection, row), look.model.players == 2
        lines = [line_after(look.search, row, int(action)) for action in order[:TOLD] if found.visits[row, action]]
        at_root = np.zeros(len(order), np.int64)
        future = {} if not lines else {"value": Predicted(lines[0].values)}
        if lines and not two:
            future["reward"] = Predicted(lines[0].rewards)
        return Foresight(
            value=float(np.clip(found.values[row], -1, 1) if two else found.values[row]),
            actions=self._named(row, at_root, order),
            visits=found.visits[row, order],
            values=found.means[row, order],
            priors=found.priors[row, order],
            lines=tuple(self._named(row, line.nodes, line.actions) for line in lines),
            future=future,
            simulations=int(found.visits[row].sum()),
            depth=max((len(line.actions) for line in lines), default=0),
        )

    def act(self, chosen: NDArray[np.integer]) -> NDArray[Any]:
        """Take what was `chosen` [B] at the roots: returns the actions [B], or vectors [B, U]."""
        assert self._latest is not None, "lookahead comes first"
        rows = np.arange(len(chosen))
        drawn = self._latest.model.candidates(rows, 0)
        self.actions = chosen if drawn is None else drawn[rows, chosen]
        return self.grid.vectors(self.actions).astype(np.float32) if self.grid else self.actions

    def _named(self, row: int, nodes: NDArray[np.integer], chosen: NDArray[np.integer]) -> NDArray[Any]:
        """What `chosen` [n] at `nodes` [n] of tree `row` are: actions [n], or vectors [n, U]."""
        assert self._latest is not None, "lookahead comes first"
        drawn = self._latest.model.candidates(row, nodes)
        actions = chosen if drawn is None else drawn[np.arange(len(chosen)), chosen]
        return self.grid.vectors(actions) if self.grid else actions


class Acting(Protocol):
    """What is asked of an agent to see how it fares."""

    def initial(self, batch: int, seed: int = 0) -> Any: ...  # noqa: D102
    def act(self, carry: Any, turn: Turn, explore: bool) -> tuple[NDArray[Any], Any]: ...  # noqa: D102


def frames_shown(observation: Observations, frame: tuple[int, ...]) -> NDArray[Any]:
    """Frames [B, ...] of what a turn shows: itself, or the latest of its "screens". Raises ValueError for others."""
    shown = observation if isinstance(observation, np.ndarray) else np.asarray(observation["screens"])[:, -1]
    if shown.shape[1:] != frame:
        raise ValueError(f"observations must be [B, {', '.join(map(str, frame))}], got {shown.shape}")
    return shown if shown.dtype == np.uint8 else shown.astype(np.float32)


def best_first(found: Findings, selection: Puct | Gumbel, row: int) -> NDArray[np.int64]:
    """The actions of a row that may be done: the one to choose, then the others by visits, means and priors."""
    allowed = np.flatnonzero(found.priors[row] > 0)
    means = np.where(found.visits[row, allowed] > 0, found.means[row, allowed], -np.inf)
    order = allowed[np.lexsort((found.priors[row, allowed], means, found.visits[row, allowed]))[::-1]]
    first = best_actions(found, selection)[row]
    return np.concatenate([[first], order[order != first]])


def task_scores(agent: Acting, task: Task, episodes: int, seed: int) -> list[float]:
    """The returns of so many episodes of an agent that acts as well as it can, all played at once."""
    stage, carry = TaskStage(task, episodes, seed), agent.initial(episodes, seed)
    first, rewards = np.ones(episodes, np.bool_), np.zeros(episodes, np.float32)
    scores, over = np.zeros(episodes), np.zeros(episodes, np.bool_)
    try:
        while not over.all():
            actions, carry = agent.act(carry, Turn(stage.frames, first, rewards), explore=False)
            played = stage.play(actions)
            scores += np.where(over, 0, played.rewards)
            over |= played.ended
            first, rewards = played.ended, np.where(played.ended, np.float32(0), played.rewards)
    finally:
        stage.close()
    return scores.tolist()
