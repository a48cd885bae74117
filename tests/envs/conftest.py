"""What tests of environments share: the games, and random play."""

from importlib.util import find_spec

import numpy as np
import pytest

from sakiyomi.boards import Chess, ConnectFour, Go, Othello, Shogi, TicTacToe

SMALL = [TicTacToe(), ConnectFour(), Othello(size=6), Go(size=5), Go(size=(4, 6), rules="japanese", max_plies=60)]
LARGE = [Chess(), Chess(chess960=True), Shogi(max_plies=80)]

# What needs the packages of the extra "envs".
if find_spec("gymnasium") is None or find_spec("pettingzoo") is None:
    collect_ignore_glob = ["test_board_[efpv]*"]


def name_of(game):
    return f"{game.name}-{game.rules}" if isinstance(game, Go) else game.name


@pytest.fixture(params=SMALL + LARGE, ids=name_of)
def game(request):
    """Each game in turn."""
    return request.param


@pytest.fixture(params=SMALL, ids=name_of)
def small_game(request):
    """Each game that is quickly played to its end."""
    return request.param


@pytest.fixture(scope="session")
def play_at_random():
    """A function that plays a game of an AEC environment to its end: the actions, and each agent's last reward."""

    def play(env, seed):
        rng, actions, last = np.random.default_rng(seed), [], {}
        for agent in env.agent_iter():
            observation, reward, terminated, truncated, _ = env.last()
            last[agent] = reward
            if terminated or truncated:
                env.step(None)
            else:
                actions.append(int(rng.choice(np.flatnonzero(observation["action_mask"]))))
                env.step(actions[-1])
        return actions, last

    return play
