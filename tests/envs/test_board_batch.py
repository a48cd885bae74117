"""`BoardBatch`: every game in it is a game of `Position`, whatever the restart, the threads and the buffers."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.boards import Chess, ConnectFour, Go, Othello, Position, Shogi, TicTacToe, rows
from sakiyomi.boards.random import seeds
from sakiyomi.envs import BoardBatch
from sakiyomi.envs.batch import IDLE, RESIGN

FAST = [TicTacToe(), ConnectFour(), Othello(size=6), Go(size=4), Go(size=5, rules="aga", komi=-3), Chess()]


def twin_of(batch, row):
    position = Position(batch.game)
    position.state = batch.states[row : row + 1].copy()
    return position


def check_row(batch, twin, row):
    """Row `row` of the batch is at the position `twin`."""
    legal = twin.legal_actions().tolist()
    assert np.flatnonzero(batch.legal()[row]).tolist() == legal
    lists, counts = batch.legal_actions()
    assert sorted(lists[row, : counts[row]].tolist()) == legal
    assert (lists[row, counts[row] :] == -1).all()
    assert (batch.observe()[row] == batch.game.observe(twin.state)[0]).all()
    assert batch.turn[row] == twin.turn


def check_end(batch, twin, row):
    """Row `row` tells the outcome of `twin`."""
    outcome = twin.outcome()
    assert bool(batch.terminated[row]) == (outcome is not None)
    if outcome is None:
        assert batch.rewards[row].tolist() == [0, 0]
        assert batch.endings[row] == 0
    else:
        first = 0 if outcome.winner is None else 1 - 2 * outcome.winner
        assert batch.rewards[row].tolist() == [first, -first]
        assert batch.endings[row] == outcome.ending


def test_every_game_is_one_that_position_plays(game):
    batch = BoardBatch(game, 3, seed=4, restart="never")
    twins = [twin_of(batch, row) for row in range(3)]
    for _ in range(60):
        for row, twin in enumerate(twins):
            check_row(batch, twin, row)
        actions = batch.sample().copy()
        assert all((action == IDLE) == bool(twin.outcome()) for action, twin in zip(actions, twins, strict=True))
        batch.step(actions)
        for row, (twin, action) in enumerate(zip(twins, actions, strict=True)):
            if action != IDLE:
                twin.play(int(action))  # raises if it was not legal
                check_end(batch, twin, row)
                assert batch.plies[row] == len(twin.actions)


@settings(max_examples=25, deadline=None)
@given(game=st.sampled_from(FAST), seed=st.integers(0, 2**32), restart=st.sampled_from(["same step", "next step"]))
def test_games_end_restart_and_reproduce(game, seed, restart):
    batch, again = (BoardBatch(game, 4, seed=seed, restart=restart, max_plies=25) for _ in range(2))
    twins, ended = [twin_of(batch, row) for row in range(4)], 0
    waiting = np.zeros(4, np.bool_)
    for _ in range(60):
        batch.random_step()
        again.step(again.sample())
        assert (batch.states == again.states).all()
        np.testing.assert_equal(batch.rewards, again.rewards)
        for row, twin in enumerate(twins):
            if waiting[row]:  # a "next step" that only restarts
                assert (batch.actions[row], batch.plies[row]) == (IDLE, 0)
                twins[row] = Position(game)
                continue
            twin.play(int(batch.actions[row]))
            check_end(batch, twin, row)
            over = bool(batch.terminated[row] or batch.truncated[row])
            assert over == (twin.outcome() is not None or len(twin.actions) == 25)
            if over:
                ended += 1
                assert batch.final_states[row] == twin.state[0]
                assert batch.lengths[row] == len(twin.actions)
            if over and restart == "same step":
                twins[row] = Position(game)
            assert batch.states[row] == twins[row].state[0]
        if restart == "next step":
            waiting = batch.terminated | batch.truncated
        assert (batch.rewards.sum(axis=1) == 0).all()
        assert batch.legal().any(axis=1).tolist() == (~(waiting & batch.terminated)).tolist()
    assert ended >= 4


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_change_a_game(threads):
    def played(game):
        batch = BoardBatch(game, 700, seed=1)
        for _ in range(12):
            batch.random_step()
        return batch.states.copy(), batch.legal().copy(), batch.observe().copy(), batch.legal_actions()[1].copy()

    try:
        for game in (Go(size=5), Chess(), Shogi(), Othello(size=6)):
            rows.set_threads(1)
            alone = played(game)
            rows.set_threads(threads)
            for one, many in zip(alone, played(game), strict=True):
                assert (one == many).all()
    finally:
        rows.set_threads(0)


@pytest.mark.parametrize("game", [Go(size=9), Chess(), Shogi()], ids=lambda game: game.name)
def test_a_step_makes_no_arrays(game):
    """A thousand games, masks, lists and planes: not even a byte a game is made that stays or goes."""
    batch = BoardBatch(game, 100, seed=0)

    def all_of_it():
        batch.step(batch.sample())
        batch.random_step()
        batch.legal()
        batch.legal_actions()
        batch.observe()

    all_of_it()
    where = [array.ctypes.data for array in (batch.states, batch.legal(), batch.observe(), batch.sample())]
    tracemalloc.start()
    for _ in range(20):
        all_of_it()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000  # a mask alone would take 8,200 for Go, 467,200 for chess
    assert where == [array.ctypes.data for array in (batch.states, batch.legal(), batch.observe(), batch.sample())]


def test_sample_is_uniform_over_the_legal_actions():
    go = Go(size=3)
    states = Position(go)
    for move in ("B2", "A1", "C2"):
        states.play(move)
    batch = BoardBatch(go, 20_000, seed=0, starts=states.state)
    counts = np.bincount(batch.sample(), minlength=10)
    legal = states.legal_actions()
    assert counts[legal].sum() == 20_000
    expected = 20_000 / len(legal)
    assert abs(counts[legal] - expected).max() < 6 * expected**0.5


def test_sample_takes_other_random_numbers():
    batch = BoardBatch("go-9x9", 50, seed=0)
    one, other = (seeds(np.random.default_rng(5), 50) for _ in range(2))
    first = batch.sample(one).copy()
    assert (batch.sample(other) == first).all()
    assert (one == other).all()
    assert (batch.sample(one) != first).any()


def test_the_last_position_is_seen_before_the_restart():
    batch = BoardBatch("tictactoe", 2)
    for actions in ([0, 0], [3, 1], [1, 2], [4, 3], [2, 4]):  # game 0: X fills the top row
        rewards, terminated, _ = batch.step(np.array(actions))
    assert rewards.tolist() == [[1, -1], [0, 0]]
    assert terminated.tolist() == [True, False]
    assert batch.game.draw(batch.final_states[:1]).startswith("3 X X X")
    ended, planes = batch.observe_final()
    assert ended.tolist() == [0]
    assert planes[0, 1].tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 0]]  # O is to move: X is the other
    assert batch.plies.tolist() == [0, 5]
    assert batch.lengths[0] == 5


def test_giving_up_waiting_and_numbers_that_are_no_actions(game):
    batch = BoardBatch(game, 4)
    action = int(np.flatnonzero(batch.legal()[1])[0])
    rewards, terminated, _ = batch.step(np.array([RESIGN, action, IDLE, game.num_actions]))
    assert rewards.tolist() == [[-1, 1], [0, 0], [0, 0], [-1, 1]]
    assert terminated.tolist() == [True, False, False, True]
    assert batch.plies.tolist() == [0, 1, 0, 0]
    assert batch.endings.tolist() == [0, 0, 0, 0]


def test_chess960_and_other_lists_of_starts_are_drawn_from():
    game = Chess(chess960=True)
    batch = BoardBatch(game, 64, seed=3, starts=game.start(np.arange(960)))
    texts = {game.position_text(batch.states[row]) for row in range(64)}
    assert len(texts) > 40
    endings = BoardBatch("tictactoe", 64, seed=0, starts=_openings())
    assert {TicTacToe().position_text(endings.states[row]) for row in range(64)} == {"X../.../...", ".../.X./..."}


def _openings():
    return np.concatenate([TicTacToe().parse_position(text) for text in ("X../.../...", ".../.X./...")])


def test_set_up_and_reset_of_some_rows():
    batch = BoardBatch("chess", 3)
    batch.random_step()
    before = batch.states.copy()
    fen = "4k3/8/8/8/8/8/8/4K2R b K - 0 1"
    batch.set_up(batch.game.parse_position(fen), np.array([False, True, False]))
    assert batch.game.position_text(batch.states[1]) == fen
    assert batch.turn.tolist() == [1, 1, 1]
    assert (batch.states[[0, 2]] == before[[0, 2]]).all()
    batch.reset(rows=np.array([True, False, False]))
    assert batch.plies.tolist() == [0, 0, 1]
    assert batch.turn.tolist() == [0, 1, 1]


@pytest.mark.parametrize("restart", ["next step", "never"])
def test_resetting_one_row_leaves_another_that_is_over(small_game, restart):
    batch = BoardBatch(small_game, 3, restart=restart)
    batch.step(np.array([RESIGN, RESIGN, IDLE]))
    batch.reset(rows=np.array([True, False, False]))
    assert batch.terminated.tolist() == [False, True, False]
    assert batch.sample()[1] == IDLE
    batch.random_step()
    assert batch.terminated.tolist() == [False, restart == "never", False]
    assert batch.plies.tolist() == [1, 0, 1]


def test_copies_and_pickles_go_on_alike(game):
    batch = BoardBatch(game, 5, seed=9)
    for _ in range(7):
        batch.random_step()
    twins = [copy.deepcopy(batch), copy.copy(batch), pickle.loads(pickle.dumps(batch))]
    for each in (batch, *twins):
        for _ in range(10):
            each.random_step()
    for twin in twins:
        assert (twin.states == batch.states).all()
        assert not np.shares_memory(twin.states, batch.states)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 0}, "1 game or more"),
        ({"restart": "sometimes"}, "restart is one of"),
        ({"max_plies": 0}, "max_plies"),
        ({"starts": "R5k1/5ppp/8/8/8/8/8/6K1 b - - 0 1"}, "the game is over"),
        ({"starts": Go(size=9).new(1)}, "positions of chess"),
        ({"starts": Chess().new(0)}, "positions of chess"),
        ({"game": "chequers"}, "unknown game"),
    ],
)
def test_bad_settings_are_told(options, words):
    with pytest.raises(ValueError, match=words):
        BoardBatch(**{"game": "chess", "n": 2, **options})


def test_bad_shapes_are_told():
    batch = BoardBatch("chess", 2)
    with pytest.raises(ValueError, match=r"shape \[2\], got \[3\]"):
        batch.step(np.zeros(3, np.int32))
    with pytest.raises(ValueError, match=r"rows must be bool \[2\]"):
        batch.reset(rows=np.ones(3, np.bool_))
