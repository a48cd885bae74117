"""`BoardEnv`: PettingZoo's own tests, the rules against `Position`, and what users do wrong."""

import copy
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from pettingzoo.test import (
    api_test,
    max_cycles_test,
    parallel_api_test,
    parallel_seed_test,
    performance_benchmark,
    render_test,
    seed_test,
)
from pettingzoo.utils.wrappers import OrderEnforcingWrapper, TerminateIllegalWrapper

from sakiyomi.boards import Go, IllegalMove, Position
from sakiyomi.envs import BoardEnv, parallel_env

EXPECTED = ("Observation is not a NumPy array", "Observation space for each agent", "all zeros")


def test_passes_the_tests_of_pettingzoo(game):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        api_test(BoardEnv(game), num_cycles=60)
        parallel_api_test(parallel_env(game), num_cycles=60)
    unexpected = [str(w.message) for w in caught if not any(words in str(w.message) for words in EXPECTED)]
    assert unexpected == []
    seed_test(lambda: BoardEnv(game), num_cycles=40)
    parallel_seed_test(lambda: parallel_env(game), num_cycles=40)


def test_passes_the_test_of_cycles():
    """The test plays without masks: its actions are seeded here so that they are legal by chance."""

    def seeded(env):
        for number, agent in enumerate(env.possible_agents):
            env.action_space(agent).seed(10 + number)
        return env

    module = SimpleNamespace(
        env=lambda max_cycles: seeded(BoardEnv(Go(size=19), max_cycles=max_cycles)),
        parallel_env=lambda max_cycles: seeded(parallel_env(Go(size=19), max_cycles=max_cycles)),
    )
    max_cycles_test(module)


def test_passes_the_test_of_rendering(game, capsys):
    render_test(lambda render_mode: BoardEnv(game, render_mode))
    assert capsys.readouterr().out.count("\n") > 5  # "human" prints


def test_a_game_is_the_one_that_position_plays(game):
    env, rng = BoardEnv(game, max_cycles=60), np.random.default_rng(3)
    env.reset(seed=5)
    twin = env.position()
    for agent in env.agent_iter():
        observation, _, terminated, truncated, info = env.last()
        if terminated or truncated:
            break
        assert agent == f"player_{twin.turn}"
        assert env.observation_space(agent).contains(observation)
        assert np.flatnonzero(observation["action_mask"]).tolist() == twin.legal_actions().tolist()
        assert (info["action_mask"] == observation["action_mask"]).all()
        assert (observation["observation"] == game.observe(twin.state)[0]).all()
        action = int(rng.choice(np.flatnonzero(observation["action_mask"])))
        twin.play(action)
        env.step(action)
    outcome = twin.outcome()
    assert terminated == (outcome is not None)
    assert truncated == (outcome is None)
    winner = outcome and outcome.winner
    expected = [0, 0] if winner is None else [1, -1] if winner == 0 else [-1, 1]
    assert [env.rewards[f"player_{side}"] for side in (0, 1)] == expected
    assert not observation["action_mask"].any()


def test_rewards_of_both_players_sum_to_zero(small_game, play_at_random):
    env = BoardEnv(small_game)
    for seed in range(10):
        env.reset(seed=seed)
        _, last = play_at_random(env, seed)
        assert sum(last.values()) == 0
        assert env.agents == []


def test_what_was_returned_is_never_written_to_again():
    env = BoardEnv("go-5x5")
    env.reset()
    first, _, _, _, info = env.last()
    kept = copy.deepcopy((first, info))
    env.step(7)
    second = env.last()[0]
    assert not np.shares_memory(first["observation"], second["observation"])
    np.testing.assert_equal((first, info), kept)
    second["action_mask"][:] = 1  # what a user does to his arrays does not change the rules
    env.infos[env.agent_selection]["action_mask"][:] = 1
    env.step(7)
    assert env.rewards == {"player_0": 0.0, "player_1": -1.0}


def test_an_illegal_action_loses_and_says_why():
    env = BoardEnv("chess")
    env.reset()
    env.step(int(Position(env.game).action("e2e4")))
    env.step(0)
    assert env.rewards == {"player_0": 0.0, "player_1": -1.0}
    assert env.terminations == {"player_0": True, "player_1": True}
    assert "illegal move" in env.infos["player_1"]["illegal"]
    env.step(None)
    env.step(None)
    assert env.agents == []


@pytest.mark.parametrize("action", [4672, -1, "e2e4", None, 1.5])
def test_what_is_no_action_loses_too(action):
    env = BoardEnv("chess")
    env.reset()
    env.step(action)
    assert env.rewards["player_0"] == -1
    assert "is not one of chess's 0..4671" in env.infos["player_0"]["illegal"]


def test_an_illegal_action_can_raise_and_then_changes_nothing():
    env = BoardEnv("tictactoe", illegal="raise")
    env.reset()
    env.step(4)
    with pytest.raises(IllegalMove, match="the square is taken"):
        env.step(4)
    env.step(0)
    assert env.rewards == {"player_0": 0.0, "player_1": 0.0}


def test_set_up_and_opening():
    env = BoardEnv("chess")
    mate = "6k1/5ppp/8/8/8/8/8/R5K1 w - - 0 1"
    env.reset(options={"setup": mate})
    env.step(int(env.position().action("a1a8")))
    assert env.rewards == {"player_0": 1.0, "player_1": -1.0}
    env.reset(options={"opening": ["e2e4", "e7e5"]})
    assert env.position().text().startswith("rnbqkbnr/pppp1ppp/8/4p3/4P3")
    env.reset(options={"setup": Position(env.game, mate), "opening": "g1g2"})
    assert env.agent_selection == "player_1"
    env.reset()
    assert env.position() == Position(env.game)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"setup": "nonsense"}, "nonsense"),
        ({"opening": ["e2e5"]}, "illegal move e2e5"),
        ({"opening": "f2f3 e7e5 g2g4 d8h4"}, "the game is over"),
        ({"setup": Position(Go(size=9))}, "a position of go-9x9, the game is chess"),
    ],
)
def test_bad_options_are_told(options, words):
    with pytest.raises(ValueError, match=words):
        BoardEnv("chess").reset(options=options)


def test_order_of_calls_is_told(play_at_random):
    env = BoardEnv("tictactoe")
    for call in (lambda: env.step(0), env.render, lambda: env.observe("player_0")):
        with pytest.raises(ResetNeeded, match="call reset"):
            call()
    env.reset()
    with pytest.raises(ValueError, match="without a render_mode"):
        env.render()
    play_at_random(env, 0)
    with pytest.raises(ResetNeeded, match="the game is over"):
        env.step(0)


@pytest.mark.parametrize("options", [{"illegal": "pass"}, {"max_cycles": 0}, {"render_mode": "window"}])
def test_bad_settings_are_told(options):
    with pytest.raises(ValueError, match="got"):
        BoardEnv("tictactoe", **options)


def test_chess960_draws_its_start_from_the_seed():
    env, starts = BoardEnv("chess960"), {}
    for seed in (0, 1, 2, 0, 1, 2):
        env.reset(seed=seed)
        starts.setdefault(seed, set()).add(env.position().text())
    assert all(len(found) == 1 for found in starts.values())
    assert len(set.union(*starts.values())) > 1


def test_a_copy_goes_its_own_way():
    env = BoardEnv("go-5x5")
    env.reset()
    env.step(12)
    twin = copy.deepcopy(env)
    env.step(0)
    assert env.position() != twin.position()
    twin.step(0)
    np.testing.assert_equal(env.last()[0], twin.last()[0])


def test_the_parallel_interface_says_who_moves():
    env = parallel_env("tictactoe")
    env.reset(seed=0)
    _, rewards, _, _, infos = env.step({"player_0": 0, "player_1": 8})
    assert {info["active_agent"] for info in infos.values()} == {"player_1"}
    assert rewards == {"player_0": 0, "player_1": 0}
    assert env.state().tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("wrap", [lambda env: TerminateIllegalWrapper(env, -1.0), OrderEnforcingWrapper])
def test_the_wrappers_of_pettingzoo_fit(wrap, play_at_random):
    env = wrap(BoardEnv("connect4"))
    env.reset(seed=0)
    assert sum(play_at_random(env, 0)[1].values()) == 0


@pytest.mark.slow
def test_the_speed_test_of_pettingzoo_runs(capsys):
    """It plays for five seconds and prints."""
    performance_benchmark(BoardEnv("go-9x9"))
    assert "turns per second" in capsys.readouterr().out
