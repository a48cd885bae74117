"""`BoardVectorEnv`: the same games as so many `VersusEnv`, in each of Gymnasium's ways to begin anew."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from sakiyomi.boards import Chess, Go, IllegalMove, Position
from sakiyomi.envs import BoardVectorEnv, VersusEnv


def last_legal(position, rng):
    """An opponent for one game."""
    return int(position.legal_actions()[-1])


def all_last_legal(batch):
    """The same for all games of a batch."""
    legal = batch.legal()
    return legal.shape[1] - 1 - legal[:, ::-1].argmax(axis=1)


def choose(rng, masks):
    """A random legal action for each row, 0 where there is none."""
    return np.array([rng.choice(np.flatnonzero(mask)) if mask.any() else 0 for mask in masks])


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_plays_as_gymnasium_runs_single_games(small_game, mode, side):
    ours = BoardVectorEnv(small_game, 5, all_last_legal, side, autoreset_mode=mode, max_plies=40)
    theirs = SyncVectorEnv([lambda: VersusEnv(small_game, last_legal, side, max_plies=40)] * 5, autoreset_mode=mode)
    planes, info = ours.reset(seed=1)
    theirs_planes, theirs_info = theirs.reset(seed=1)
    rng, ended = np.random.default_rng(0), 0
    for _ in range(60):
        assert (planes == theirs_planes).all()
        assert (info["action_mask"] == theirs_info["action_mask"]).all()
        actions = choose(rng, info["action_mask"])
        planes, *outcome, info = ours.step(actions)
        theirs_planes, *theirs_outcome, theirs_info = theirs.step(actions)
        for value, theirs_value in zip(outcome, theirs_outcome, strict=True):
            assert value.tolist() == theirs_value.tolist()
            assert value.dtype == theirs_value.dtype
        over = outcome[1] | outcome[2]
        ended += over.sum()
        if mode is AutoresetMode.SAME_STEP and over.any():
            assert info["_final_obs"].tolist() == theirs_info["_final_obs"].tolist()
            for row in np.flatnonzero(over):
                assert (info["final_obs"][row] == theirs_info["final_obs"][row]).all()
    assert ended >= 5


def test_disabled_restarts_wait_for_the_user():
    envs = BoardVectorEnv("tictactoe", 3, autoreset_mode=AutoresetMode.DISABLED)
    _, info = envs.reset(seed=0)
    rng = np.random.default_rng(0)
    over = np.zeros(3, np.bool_)
    while not over.any():
        _, _, terminated, truncated, info = envs.step(choose(rng, info["action_mask"]))
        over = terminated | truncated
    with pytest.raises(ResetNeeded, match="are over"):
        envs.step(choose(rng, info["action_mask"]))
    going_on = envs.batch.states[~over].copy()
    _, info = envs.reset(options={"reset_mask": over})
    assert (envs.batch.states[~over] == going_on).all()
    assert info["action_mask"].any(axis=1).all()
    envs.step(choose(rng, info["action_mask"]))


def test_self_play_rewards_who_moved(small_game):
    envs = BoardVectorEnv(small_game, 4, opponent=None, autoreset_mode="SameStep")
    _, info = envs.reset(seed=0)
    rng, twins = np.random.default_rng(1), [Position(small_game) for _ in range(4)]
    for _ in range(80):
        assert info["side"].tolist() == [twin.turn for twin in twins]
        actions = choose(rng, info["action_mask"])
        _, rewards, terminated, _, info = envs.step(actions)
        for row, twin in enumerate(twins):
            mover = twin.turn
            twin.play(int(actions[row]))
            outcome = twin.outcome()
            assert terminated[row] == (outcome is not None)
            winner = outcome and outcome.winner
            assert rewards[row] == (0 if winner is None else 1 if winner == mover else -1)
            if outcome:
                twins[row] = Position(small_game)


def test_illegal_actions_lose_where_they_are_played():
    envs = BoardVectorEnv("chess", 3, side=0)
    _, info = envs.reset(seed=0)
    actions = choose(np.random.default_rng(0), info["action_mask"])
    actions[1], actions[2] = 0, 99_999
    _, rewards, terminated, _, info = envs.step(actions)
    assert rewards.tolist() == [0, -1, -1]
    assert terminated.tolist() == [False, True, True]
    assert info["illegal"].tolist() == [False, True, True]
    _, rewards, terminated, _, info = envs.step(actions)  # games 1 and 2 begin anew, whatever the action
    assert rewards.tolist() == ([0, 0, 0] if info.get("illegal") is None else [-1, 0, 0])
    assert not terminated[1:].any()


@pytest.mark.parametrize("copy", [True, False])
def test_arrays_are_new_ones_unless_asked_otherwise(copy):
    envs = BoardVectorEnv(Go(size=5), 2, copy=copy)
    first, info = envs.reset(seed=0)
    second, _, _, _, later = envs.step(choose(np.random.default_rng(0), info["action_mask"]))
    assert np.shares_memory(first, second) != copy
    assert np.shares_memory(info["action_mask"], later["action_mask"]) != copy


def test_same_seed_same_games():
    def played(seed):
        envs = BoardVectorEnv(Chess(chess960=True), 6)
        planes, info = envs.reset(seed=seed)
        seen, rng = [planes], np.random.default_rng(0)
        for _ in range(10):
            planes, _, _, _, info = envs.step(choose(rng, info["action_mask"]))
            seen.append(planes)
        return np.array(seen)

    assert (played(3) == played(3)).all()
    assert (played(3) != played(4)).any()


def test_an_opponent_that_breaks_the_rules_is_told():
    envs = BoardVectorEnv("tictactoe", 2, opponent=lambda batch: np.array([4, 4]), side=0)
    envs.reset(seed=0)
    with pytest.raises(IllegalMove, match="the opponent in game 1: illegal move b2"):
        envs.step(np.array([0, 4]))


def test_a_seeded_reset_of_one_game_leaves_the_other():
    envs = BoardVectorEnv("chess", 2, side=0)
    _, info = envs.reset(seed=0)
    envs.step(choose(np.random.default_rng(0), info["action_mask"]))
    envs.reset(seed=5, options={"reset_mask": np.array([True, False]), "opening": "e2e4 e7e5"})
    assert envs.batch.states["ply"].tolist() == [2, 2]
    assert envs.game.position_text(envs.batch.states[0]).startswith("rnbqkbnr/pppp1ppp/8/4p3/4P3")
    assert not envs.game.position_text(envs.batch.states[1]).startswith("rnbqkbnr/pppp1ppp/8/4p3/4P3")


def test_make_vec_makes_it_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        envs = gymnasium.make_vec("sakiyomi/Go9x9-v0", num_envs=4)
        assert isinstance(envs.unwrapped, BoardVectorEnv)
        assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
        planes, info = envs.reset(seed=0)
        assert envs.observation_space.contains(planes)
        assert envs.single_action_space.n == 82
        assert info["_action_mask"].all()
        pictures = gymnasium.make_vec("sakiyomi/Go9x9-v0", num_envs=2, render_mode="rgb_array")
        pictures.reset()
        assert [picture.dtype for picture in pictures.render()] == [np.uint8] * 2
        sync = gymnasium.make_vec("sakiyomi/Go9x9-v0", num_envs=2, vectorization_mode="sync", opponent=last_legal)
        sync.reset(seed=0)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"opponent": 3}, "a Player plays one game"), ({"side": 5}, "side is"), ({"render_mode": "x"}, "render_mode")],
)
def test_bad_settings_are_told(options, words):
    with pytest.raises(ValueError, match=words):
        BoardVectorEnv("tictactoe", 2, **options)


def test_bad_calls_are_told():
    envs = BoardVectorEnv("tictactoe", 2)
    with pytest.raises(ResetNeeded):
        envs.step(np.zeros(2, np.int64))
    with pytest.raises(ValueError, match="reset_mask"):
        envs.reset(options={"reset_mask": np.array([True, False])})
    envs.reset()
    with pytest.raises(ValueError, match=r"shape \[2\]"):
        envs.step(np.zeros(3, np.int64))
