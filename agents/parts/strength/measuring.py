"""Strength while learning: contests of an agent against fixed opponents, as figures by name."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.agent import RESIGN, Agent, Turn
from sakiyomi.agents.opponents import make_opponent
from sakiyomi.agents.parts.strength.contest import RESIGNED, Choose, contest, random_openings
from sakiyomi.boards.game import Game, States
from sakiyomi.envs.task import Task


def rules_of(task: Task | Game) -> Game:
    """The board game that `task` is or is about. Raises ValueError for a task that is no board game."""
    if not isinstance(task, Task):
        return task
    if task.players != 2 or task.rules is None:
        raise ValueError(f"{task.name} is no board game, and an agent that plans by the rules learns nothing else")
    game: Game = task.rules  # type: ignore[assignment]
    return game


def chooser(agent: Agent[Any], game: Game, batch: int, seed: int = 0) -> Choose:
    """The moves that `agent` chooses when it plays as well as it can, in up to `batch` positions at once."""
    carry = agent.initial(batch, seed)

    def choose(states: States) -> NDArray[np.integer[Any]]:
        nonlocal carry
        actions, carry = agent.act(carry, Turn.of_game(game, states), explore=False)
        return np.where(actions == RESIGN, RESIGNED, actions)

    return choose


def check_strength(game: Game, opponents: tuple[str, ...], opening_plies: int) -> None:
    """Raise ValueError for what `strength` will not be able to do: for a word that names no opponent, an opponent that
    does not play `game`, or openings so long that every game is over."""
    rng = np.random.default_rng(0)
    for word in opponents:
        try:
            make_opponent(word, 0).begin(game, 0, rng)
        except ValueError as error:
            raise ValueError(f"opponents cannot have {word!r}: {error}") from error
    random_openings(game, 1, opening_plies, rng)


def strength(
    agent: Agent[Any], game: Game, opponents: tuple[str, ...], games: int, opening_plies: int, seed: int
) -> dict[str, float]:
    """Score against each opponent, 0 to 1, with a 95 % interval: "score/uct:100", and the same with "low", "high"."""
    figures: dict[str, float] = {}
    choose = chooser(agent, game, games)
    for word in opponents:
        score = contest(game, choose, make_opponent(word, seed), games, opening_plies=opening_plies, seed=seed)
        low, high = score.interval
        figures |= {f"score/{word}": score.mean, f"score/{word} low": low, f"score/{word} high": high}
    return figures
