"""What games that are cut short count."""

import numpy as np
import pytest

from sakiyomi.agents.parts.selfplay.standing import material, standing
from sakiyomi.boards import Chess, ConnectFour, Go, Shogi


@pytest.mark.parametrize(
    ("fen", "lead"),
    [
        ("rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1", 0),
        ("rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNB1KBNR b KQkq - 0 1", -9),
        ("4k3/8/8/8/8/8/8/R3K3 b Q - 0 1", 5),
        ("4k3/p1p5/8/8/8/8/8/4K1N1 w - - 0 1", 1),
    ],
)
def test_material_of_chess(fen, lead):
    game = Chess()
    states = game.parse_position(fen)
    assert material(game, states).tolist() == [lead]
    assert standing(game, states, by_material=True).tolist() == [pytest.approx(np.tanh(lead / 6))]
    assert standing(game, states).tolist() == [0]


@pytest.mark.parametrize(
    ("sfen", "lead"),
    [
        ("lnsgkgsnl/1r5b1/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL b - 1", 0),
        (
            "lnsgkgsnl/1r7/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL b B 1",
            16,
        ),  # a bishop less for one, more for the other
        ("4k4/9/9/9/9/9/9/4+R4/4K4 w 2g 1", 0),  # a dragon against two golds in hand
    ],
)
def test_material_of_shogi(sfen, lead):
    game = Shogi()
    assert material(game, game.parse_position(sfen)).tolist() == [lead]


def test_scores_go_before_all():
    game = Go(5, komi=0.5)
    states = game.new(2)
    game.play(states[1:], np.array([12], np.int32))
    assert standing(game, states).tolist() == [-1, 1]
    assert standing(ConnectFour(), ConnectFour().new(3)).tolist() == [0, 0, 0]
    assert standing(game, states[:0]).shape == (0,)


def test_other_games_have_no_material():
    with pytest.raises(ValueError, match="connect4 cannot be judged by material"):
        standing(ConnectFour(), ConnectFour().new(1), by_material=True)
