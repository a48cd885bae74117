"""`VersusEnv`: Gymnasium's checks without a warning, opponents of each kind, sides, and what users do wrong."""

import copy
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from sakiyomi.boards import Budget, Chess, Go, IllegalMove, Position, Shogi
from sakiyomi.envs import VersusEnv
from sakiyomi.envs.registration import IDS

MATE_NEXT = {"setup": "6k1/5ppp/8/8/8/8/8/R5K1 w - - 0 1", "side": 0}


class FirstMove:
    """A player who plays the first legal move, or the texts that it is given."""

    name = "first"

    def __init__(self, *moves):
        self.moves, self.begun, self.budgets, self.closed = list(moves), [], [], 0

    def begin(self, game, side, rng):
        self.begun.append((game, side))
        self.rng = rng

    def choose(self, position, budget):
        self.budgets.append(budget)
        return self.moves.pop(0) if self.moves else position.legal_moves()[0]

    def close(self):
        self.closed += 1


def first_legal(position, rng):
    return int(position.legal_actions()[0])


def play(env, seed):
    """One game of random legal actions: the actions, the rewards, and how it ended."""
    rng, rewards, actions = np.random.default_rng(seed), [], []
    _, info = env.reset(seed=seed)
    while True:
        actions.append(int(rng.choice(np.flatnonzero(info["action_mask"]))))
        planes, reward, terminated, truncated, info = env.step(actions[-1])
        assert env.observation_space.contains(planes)
        rewards.append(reward)
        if terminated or truncated:
            assert not info["action_mask"].any()
            return actions, rewards, terminated
        assert info["action_mask"].any()
        assert env.position().turn == info["side"]


@pytest.mark.parametrize("name", IDS)
def test_gymnasium_has_nothing_to_say(name, capsys):
    """`check_env` plays random actions without a mask, so it also sees illegal ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(name).unwrapped)
        check_env(gymnasium.make(name, opponent=first_legal).unwrapped, skip_render_check=True)


@pytest.mark.parametrize("opponent", ["random", first_legal, FirstMove()], ids=["random", "function", "player"])
def test_games_end_and_reproduce(small_game, opponent):
    envs = [VersusEnv(small_game, opponent) for _ in range(2)]
    for seed in range(5):
        actions, rewards, terminated = play(envs[0], seed)
        assert (actions, rewards, terminated) == play(envs[1], seed)
        assert terminated
        assert rewards[:-1] == [0] * (len(rewards) - 1)
        assert rewards[-1] in (1, 0, -1)


def test_a_game_against_a_function_is_the_one_that_position_plays(game):
    env = VersusEnv(game, first_legal, side=1, max_plies=60)
    _, info = env.reset(seed=1)
    rng, twin = np.random.default_rng(2), Position(game)
    if game == Chess(chess960=True):
        return  # starts are drawn; the others begin as a Position does
    twin.play(first_legal(twin, rng))
    done = False
    while not done:
        assert np.flatnonzero(info["action_mask"]).tolist() == twin.legal_actions().tolist()
        assert env.position() == twin
        action = int(rng.choice(twin.legal_actions()))
        _, reward, terminated, truncated, info = env.step(action)
        twin.play(action)
        if not twin.outcome() and len(twin.actions) < 60:
            twin.play(first_legal(twin, rng))
        done = terminated or truncated
    outcome = twin.outcome()
    assert terminated == (outcome is not None)
    winner = outcome and outcome.winner
    assert reward == (0 if winner is None else 1 if winner == 1 else -1)


def test_sides_are_drawn_or_fixed():
    env = VersusEnv("tictactoe")
    sides = [env.reset(seed=seed)[1]["side"] for seed in range(40)]
    assert 8 < sum(sides) < 32
    assert sides == [env.reset(seed=seed)[1]["side"] for seed in range(40)]
    assert {VersusEnv("tictactoe", side=1).reset(seed=seed)[1]["side"] for seed in range(5)} == {1}
    assert env.reset(options={"side": 0})[1]["side"] == 0
    assert env.position().ply == 0
    assert VersusEnv("tictactoe", side=1).reset()[0].sum() == 1  # the opponent has moved


def test_players_are_told_of_each_game_and_closed_once():
    player, budget = FirstMove(), Budget(simulations=3)
    env = VersusEnv("tictactoe", player, side=1, budget=budget)
    env.reset(seed=0)
    assert player.begun == [(env.game, 0)]
    assert player.budgets == [budget]
    draws = []
    for _ in range(2):
        env.reset(seed=7)
        draws.append(player.rng.random())
    assert draws[0] == draws[1]
    env.close()
    env.close()
    assert player.closed == 1


def test_an_opponent_may_give_up():
    env = VersusEnv("chess", FirstMove("resign"), side=0)
    env.reset()
    _, reward, terminated, _, _ = env.step(env.position().action("e2e4"))
    assert (reward, terminated) == (1, True)


def test_an_opponent_may_declare_the_entering_king_where_the_rules_allow_it():
    ready = "+L+N+SGKG+S+N+L/1+R5+B1/+P+P+P+P+P+P+P+P+P/9/9/9/9/4k4/9 b RB 1"  # 37 points
    env = VersusEnv(Shogi(), FirstMove("win"), side=1)
    env.reset(options={"setup": ready})
    assert env._batch.rewards[0].tolist() == [1, -1]
    assert not env.action_masks().any()
    with pytest.raises(IllegalMove, match="may not declare"):
        VersusEnv(Shogi(), FirstMove("win"), side=1).reset()


def test_a_win_is_rewarded_and_the_mate_seen():
    env = VersusEnv("chess", illegal="raise")
    env.reset(options=MATE_NEXT)
    with pytest.raises(IllegalMove, match="illegal move"):
        env.step(0)
    planes, reward, terminated, truncated, _ = env.step(env.position().action("a1a8"))
    assert (reward, terminated, truncated) == (1.0, True, False)
    assert type(reward) is float
    assert type(terminated) is bool
    assert (planes == env.game.observe(env.position().state)[0]).all()


@pytest.mark.parametrize("action", [0, 4672, -3, None])
def test_an_illegal_action_loses_and_says_why(action):
    env = VersusEnv("chess", side=0)
    env.reset()
    _, reward, terminated, _, info = env.step(action)
    assert (reward, terminated) == (-1.0, True)
    assert "illegal move" in info["illegal"] or "is not one of chess's" in info["illegal"]
    with pytest.raises(ResetNeeded, match="the game is over"):
        env.step(0)


def test_a_game_is_cut_off():
    env = VersusEnv(Go(size=9), side=0, max_plies=3)
    env.reset(seed=0)
    _, _, terminated, truncated, info = env.step(0)
    assert (terminated, truncated) == (False, False)
    _, reward, terminated, truncated, _ = env.step(int(np.flatnonzero(info["action_mask"])[0]))
    assert (reward, terminated, truncated) == (0, False, True)


def test_what_was_returned_is_never_written_to_again():
    env = VersusEnv("go-5x5", first_legal)
    given = [env.reset(seed=0)]
    for _ in range(3):
        planes, _, _, _, info = env.step(int(np.flatnonzero(env.action_masks())[-2]))
        given.append((planes, info))
    kept = copy.deepcopy(given)
    env.step(int(np.flatnonzero(env.action_masks())[-2]))
    np.testing.assert_equal(given, kept)


def test_a_copy_goes_on_alike():
    env = VersusEnv("go-5x5", side=0)
    env.reset(seed=0)
    env.step(12)
    twin = copy.deepcopy(env)
    np.testing.assert_equal(env.step(0), twin.step(0))


@pytest.mark.parametrize("options", [{"opponent": "strong"}, {"side": 2}, {"render_mode": "x"}, {"illegal": "x"}])
def test_bad_settings_are_told(options):
    with pytest.raises(ValueError, match="got"):
        VersusEnv("tictactoe", **options)


def test_order_of_calls_is_told():
    env = VersusEnv("tictactoe")
    with pytest.raises(ResetNeeded, match="before step"):
        env.step(0)
    with pytest.raises(ResetNeeded, match="before render"):
        env.render()
