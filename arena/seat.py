"""`AgentPlayer`: an agent as a player of board games.

Whatever moves in the arena is a `Player`, one position at a time; an agent acts in a batch. A seat is a batch of one:
it shows the agent each position as a `Turn`, keeps the carry between its moves, and tells what the agent foresees.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.agent import RESIGN as GIVES_UP
from sakiyomi.agents.agent import Agent, Foresight, Turn
from sakiyomi.agents.parts.choices import allowed_actions
from sakiyomi.agents.parts.settings import whole
from sakiyomi.boards.game import Game, IllegalMove
from sakiyomi.boards.player import RESIGN, Budget, Thought
from sakiyomi.boards.position import Position


class AgentPlayer:
    """`agent` at a board: a `Player`, `Thoughtful` and a `Thinker`.

    `simulations` are those of a move for which nothing else is said; None leaves that to the agent. The agent plays as
    well as it can, without exploring. Raises ValueError for `simulations` that are no whole number of 1 or more.
    """

    def __init__(
        self, agent: Agent[Any], *, simulations: int | None = None, name: str = "agent", seed: int | None = None
    ):
        self.agent, self.name = agent, name
        self.simulations = None if simulations is None else whole(f"the simulations of {name}", simulations)
        self._rng = np.random.default_rng(seed)
        self._carry: Any = None
        self._played: tuple[Game, tuple[int, ...]] | None = None  # the game, and what was played when it last chose
        self._decided: tuple[Turn, float] | None = None  # what it last chose for, and in how many seconds
        self._thought: Thought | None = None

    @property
    def thought(self) -> Thought | None:
        """What the agent foresaw when it last chose; None if it told of nothing. Made when first asked for."""
        if self._thought is None and self._decided is not None:
            turn, seconds = self._decided
            self._thought = _thought(self.agent.foresee(self._carry, turn), turn, seconds)
        return self._thought

    def begin(self, game: Game, side: int, rng: np.random.Generator) -> None:
        """Forget the last game; take this one's random numbers from `rng`."""
        self._rng = rng
        self._played = self._decided = self._thought = None
        self._carry = self._fresh()  # now, as it may take a while: later the clock runs

    def close(self) -> None:
        """Nothing to give back."""

    def choose(self, position: Position, budget: Budget) -> str:
        """The move to play. Raises ValueError if the game is over or the agent does not play it."""
        if budget.simulations is None and budget.seconds is None:
            budget = replace(budget, simulations=self.simulations)
        return self._choose(position, budget, allowed_actions(position, None), None, None)

    def think(
        self,
        position: Position,
        budget: Budget,
        *,
        moves: Sequence[str] | None,
        stop: Event,
        tell: Callable[[Thought], None],
    ) -> str:
        """As `Thinker.think`; how soon it stops, and how often it tells, is the agent's.

        Raises ValueError if the game is over or `moves` is empty, IllegalMove or BadNotation for what `moves` holds.
        """
        move = self._choose(position, budget, allowed_actions(position, moves), stop, tell)
        if self.thought is not None:
            tell(self.thought)
        return move

    def _choose(
        self,
        position: Position,
        budget: Budget,
        allowed: NDArray[np.int64],
        stop: Event | None,
        tell: Callable[[Thought], None] | None,
    ) -> str:
        game, played, started = position.game, position.actions, time.monotonic()
        check_plays(self.agent, game, self.name)
        carry = self._fresh() if self._carry is None else self._carry
        first = np.array([not self._continues(game, played)])
        legal = np.zeros((1, game.num_actions), np.bool_)
        legal[0, allowed] = True
        turn = Turn.of_game(game, position.state.copy(), first, legal=legal, budget=budget, stop=stop)
        if tell is not None:
            turn = replace(turn, tell=_told(turn, tell, started))
        self._carry = self._thought = self._decided = self._played = None  # of a decision that fails nothing is kept
        actions, self._carry = self.agent.act(carry, turn, explore=False)
        self._played, self._decided = (game, played), (turn, time.monotonic() - started)
        action = int(actions[0])
        if action == GIVES_UP:
            return RESIGN
        if not 0 <= action < game.num_actions or not legal[0, action]:
            raise IllegalMove(f"{self.name} chose action {action}, which it may not in {position.text()}")
        return game.move_text(position.state, action)

    def _fresh(self) -> Any:
        """What the agent remembers as a game begins."""
        return self.agent.initial(1, int(self._rng.integers(2**63)))

    def _continues(self, game: Game, played: tuple[int, ...]) -> bool:
        """Is this the game in which it last chose, further on?"""
        if self._played is None or self._played[0] != game:
            return False
        before = self._played[1]
        return len(played) > len(before) and played[: len(before)] == before


def check_plays(agent: Agent[Any], game: Game, name: str) -> None:
    """Raises ValueError unless `agent` has learnt `game`."""
    if agent.task != game.name:
        raise ValueError(f"{name} has learnt {agent.task}, not {game.name}")


def _thought(foresight: Foresight, turn: Turn, seconds: float) -> Thought | None:
    if foresight.value is None and foresight.actions is None:
        return None
    assert turn.game is not None, "a seat stands at a board"
    assert turn.states is not None, "a seat stands at a board"
    return foresight.thought(turn.game, turn.states, seconds)


def _told(turn: Turn, tell: Callable[[Thought], None], started: float) -> Callable[[Foresight], None]:
    """Passes on, as thoughts, what an agent tells while it looks at `turn`."""

    def pass_on(foresight: Foresight) -> None:
        thought = _thought(foresight, turn, time.monotonic() - started)
        if thought is not None:
            tell(thought)

    return pass_on
