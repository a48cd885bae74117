"""Pictures of boards: each piece where it stands, in its colour; and the ids under which environments are made."""

import subprocess
import sys
import zlib

import gymnasium
import numpy as np
import pettingzoo
import pytest

import sakiyomi.envs
from sakiyomi.boards import Chess, ConnectFour, Go, Othello, Position, Shogi, TicTacToe
from sakiyomi.envs import picture
from sakiyomi.envs.registration import IDS


def square_of(image, row, column, square=48, left=0):
    """The middle of a square of a picture."""
    y, x = square // 2 + row * square, square // 2 + (column + left) * square
    return image[y + square // 4 : y + 3 * square // 4, x + square // 4 : x + 3 * square // 4].astype(float)


def test_a_picture_is_an_array_of_bytes_and_the_same_each_time(game):
    state = game.new(1)
    image = picture(game, state)
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3
    assert (image == picture(game, state)).all()
    assert picture(game, state, 24).shape[0] * 2 == image.shape[0]
    action = int(np.flatnonzero(game.legal(state)[0])[0])
    game.play(state, np.array([action], np.int32))
    assert (image != picture(game, state)).any()


def test_stones_are_black_and_white_where_they_stand():
    position = Position(Go(size=9))
    for move in ("D4", "C7", "pass"):
        position.play(move)
    image = picture(position.game, position.state)
    assert square_of(image, 5, 3).mean() < 60
    assert square_of(image, 2, 2).mean() > 215
    assert 120 < square_of(image, 0, 8).mean() < 200  # wood


def test_white_pieces_are_lighter_than_black_ones():
    game = Chess()
    image = picture(game, game.new(1))
    for column in range(8):
        for back, front in ((7, 6), (0, 1)):
            light = square_of(image, back, column).mean() + square_of(image, front, column).mean()
            assert (light > 2 * 165) == (back == 7)
    kinds = [square_of(image, 7, column)[:, :, 0] for column in range(5)]
    differences = [abs(one - other).mean() for i, one in enumerate(kinds) for other in kinds[:i]]
    assert min(differences) > 5  # five figures of five shapes


def test_shogi_pieces_point_away_from_their_owners_and_show_hands():
    position = Position(Shogi(), "4k4/9/9/9/4P4/4p4/9/9/4K4 b 2Rb2p 1")
    image = picture(position.game, position.state).astype(float)
    black, white = (square_of(image, row, 4, left=2) for row in (4, 5))
    assert abs(black - white[::-1, ::-1]).mean() < 8
    assert abs(black - white).mean() > 8
    paper = image[5, 5]
    assert abs(image[-3 * 48 :, -2 * 48 :] - paper).mean() > 3  # Black's hand below on the right
    assert abs(image[: 3 * 48, : 2 * 48] - paper).mean() > 3  # White's above on the left
    empty = picture(Shogi(), Shogi().new(1)).astype(float)
    assert abs(empty[-3 * 48 : -24, -2 * 48 :] - paper).mean() == 0


def test_colours_of_the_small_games():
    image = picture(ConnectFour(), ConnectFour().parse_position("......./......./......./......./......./XO....."))
    red, yellow = square_of(image, 5, 0).mean(axis=(0, 1)), square_of(image, 5, 1).mean(axis=(0, 1))
    assert red[0] > 1.3 * red[1]
    assert yellow[1] > 1.3 * yellow[2]
    board = picture(Othello(size=6), Othello(size=6).new(1))
    assert square_of(board, 0, 0)[:, :, 1].mean() > 1.2 * square_of(board, 0, 0)[:, :, 0].mean()
    cross = picture(TicTacToe(), TicTacToe().parse_position("X../.../..."))
    assert (cross[:, :, 2].astype(int) - cross[:, :, 0] > 60).sum() > 300  # blue


def test_an_unknown_game_gets_stones():
    class Other(TicTacToe):
        name = "noughts"

    assert picture(Other(), Other().parse_position("XO./.../...")).shape == (192, 192, 3)


def test_pictures_pack_well():
    """Flat colours, no noise: a picture of a full-size board packs to a small part of its bytes."""
    game = Go(size=19)
    image = picture(game, game.new(1))
    assert len(zlib.compress(image.tobytes())) < image.size / 20


CODE = """
import sys
import sakiyomi.envs
print(sorted({"torch", "numba", "pygame", "jax"} & set(sys.modules)))
import gymnasium
env = gymnasium.make("sakiyomi/TicTacToe-v0")
print(env.reset(seed=0)[0].shape)
"""


def test_importing_registers_and_loads_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "(2, 3, 3)"]
    assert done.stderr == ""


def test_gymnasium_imports_us_by_the_name_before_the_colon():
    code = 'import gymnasium; print(gymnasium.make("sakiyomi.envs:sakiyomi/Go9x9-v0").unwrapped.game.name)'
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "go-9x9"


HIDE = """
import sys
sys.modules["{package}"] = None
import sakiyomi.envs
print(sakiyomi.envs.BoardBatch("tictactoe", 2).random_step()[1].tolist())
try:
    sakiyomi.envs.{name}
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("package", "name"), [("gymnasium", "VersusEnv"), ("gymnasium", "BoardVectorEnv"), ("pettingzoo", "BoardEnv")]
)
def test_a_missing_package_is_one_line_and_the_batch_needs_none(package, name):
    code = HIDE.format(package=package, name=name)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    batch, told = done.stdout.strip().split("\n")
    assert batch == "[False, False]"
    assert 'pip install "sakiyomi[envs]"' in told


def test_ids_are_in_both_registries():
    for name, game in IDS.items():
        assert gymnasium.spec(name).kwargs == {"game": game}
        assert sakiyomi.envs.BoardEnv(game).game.name == game
    env = pettingzoo.make("aec", "sakiyomi/Chess-v0", max_cycles=5)
    env.reset()
    assert env.unwrapped.game.name == "chess"
    assert pettingzoo.make("parallel", "sakiyomi/Go9x9-v0").reset()[0].keys() == {"player_0", "player_1"}
