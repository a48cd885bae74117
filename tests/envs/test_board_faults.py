"""What goes wrong in other libraries' boards, as tests: two sizes at once, superko, history, windows at import."""

import subprocess
import sys

import numpy as np
import pytest

from sakiyomi.boards import Go, Position
from sakiyomi.envs import BoardEnv


def test_two_sizes_live_in_one_process():
    small, large = BoardEnv("go-9x9"), BoardEnv("go-13x13")
    rng = np.random.default_rng(0)
    small.reset()
    large.reset()
    for _ in range(60):
        for env in (small, large):
            env.step(int(rng.choice(np.flatnonzero(env.last()[0]["action_mask"]))))
    assert small.last()[0]["observation"].shape == (17, 9, 9)
    assert large.last()[0]["observation"].shape == (17, 13, 13)


def test_no_whole_board_position_comes_back(play_at_random):
    """Positional superko over 40 random games on 5x5, where play without it repeats many times."""
    env = BoardEnv(Go(size=5))
    for seed in range(40):
        env.reset(seed=seed)
        actions, _ = play_at_random(env, seed)
        position, seen = Position(env.game), {bytes(25)}
        for action in actions:
            position.play(action)
            if action != 25:
                board = position.board().tobytes()
                assert board not in seen
                seen.add(board)


def test_a_ko_may_not_be_retaken_at_once_but_after_a_threat():
    env = BoardEnv(Go(size=5), illegal="raise")
    env.reset(options={"opening": ["B3", "C3", "C4", "D4", "C2", "D2", "E1", "E3", "D3"]})  # D3 takes C3's stone
    position = env.position()
    retake = env.game.parse_move(position.state, "C3")
    assert position.board()[2, 2] == 0
    assert env.last()[0]["action_mask"][retake] == 0
    for move in ("A1", "A5"):
        env.step(env.position().action(move))
    assert env.last()[0]["action_mask"][retake] == 1


def test_observations_are_of_the_space_and_the_documented_shape():
    for name, shape in (("go-9x9", (17, 9, 9)), ("go-9x13", (17, 13, 9)), ("chess", (119, 8, 8))):
        env = BoardEnv(name)
        env.reset()
        assert env.observation_space("player_0")["observation"].shape == shape
        assert env.last()[0]["observation"].dtype == np.float32


def test_history_planes_do_not_lag():
    """The newest planes show the position after the last ply, the ones before it the ply before."""
    env = BoardEnv("chess")
    env.reset()
    for move in ("e2e4", "e7e5"):
        env.step(env.position().action(move))
    planes = env.last()[0]["observation"]
    assert planes[0, 4, 4] == 1  # White's pawn on e4
    assert planes[6, 3, 4] == 1  # Black's on e5
    assert planes[14 + 6, 3, 4] == 0  # a ply ago it was still at home
    assert planes[14 + 6, 1, 4] == 1
    assert planes[28, 4, 4] == 0  # two plies ago so was White's


def test_masks_of_chess_are_the_legal_moves_of_python_chess():
    chess = pytest.importorskip("chess")
    env, rng = BoardEnv("chess"), np.random.default_rng(7)
    for _ in range(3):
        env.reset()
        board = chess.Board()
        for _ in range(120):
            observation, _, terminated, _, _ = env.last()
            if terminated:
                break
            position, actions = env.position(), np.flatnonzero(observation["action_mask"])
            moves = {env.game.move_text(position.state, int(a)): int(a) for a in actions}
            assert set(moves) == {move.uci() for move in board.legal_moves}
            move = str(rng.choice(sorted(moves)))
            env.step(moves[move])
            board.push_uci(move)


def test_castling_en_passant_and_promotion_are_actions():
    env = BoardEnv("chess")
    for fen, move in (
        ("r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1", "e1g1"),
        ("r3k2r/8/8/8/8/8/8/R3K2R b KQkq - 0 1", "e8c8"),
        ("4k3/8/8/3pP3/8/8/8/4K3 w - d6 0 1", "e5d6"),
        ("8/P6k/8/8/8/8/8/4K3 w - - 0 1", "a7a8n"),
    ):
        env.reset(options={"setup": fen})
        expected = Position(env.game, fen).after(move)
        env.step(env.position().action(move))
        assert env.position() == expected


def test_nothing_of_a_window_system_is_loaded():
    code = (
        "import sys; from sakiyomi.envs import BoardEnv; env = BoardEnv('go-9x9', 'rgb_array'); env.reset();"
        "env.render(); print(sorted({'pygame', 'tkinter', 'matplotlib', 'PIL', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
