"""A board game as a `Task`: one side of it for the agent, the other for a player who moves at random."""

from functools import partial
from typing import TYPE_CHECKING, Any

from sakiyomi.boards.game import Game
from sakiyomi.envs.task import Task
from sakiyomi.envs.versus import VersusEnv

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv


def board_task(name: str, game: Game) -> Task:
    """The task that `game` sets: sides are drawn for each episode, the return is 1, 0 or -1."""
    env = VersusEnv(game)
    return Task(
        name=name,
        observation_space=env.observation_space,
        action_space=env.action_space,
        horizon=game.max_plies,
        reward_range=(-1.0, 1.0),
        build=partial(VersusEnv, game),
        scale=(-1.0, 1.0),
        build_many=partial(_many, game),
        players=2,
        rules=game,
    )


def _many(game: Game, n: int, mode: str) -> "VectorEnv[Any, Any, Any]":
    from sakiyomi.envs.vector import BoardVectorEnv

    return BoardVectorEnv(game, n, autoreset_mode=mode)
