"""Every game keeps the promises of the protocol; `test_conformance_faults` shows that the suite notices if not."""

import sys

import pytest

from sakiyomi.boards.chess import Chess
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.game import Game
from sakiyomi.boards.go import Go
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.shogi import Shogi
from sakiyomi.boards.testing import check_game
from sakiyomi.boards.tictactoe import TicTacToe

GAMES: list[Game] = [
    TicTacToe(),
    ConnectFour(),
    Othello(),
    Othello(size=6),
    Go(size=5),
    Go(size=(4, 6)),
    Chess(),
    Chess(chess960=True),
    Shogi(),
]


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.name)
def test_game_keeps_its_promises(game):
    check_game(game, examples=8)


@pytest.mark.parametrize("seed", [1, 6])
@pytest.mark.parametrize(
    "game",
    [
        Go(size=5, komi=2.5, rules="japanese"),
        Go(size=3, komi=0.5),
        Go(size=4, komi=1, rules="aga"),
        Go(size=(2, 5), rules="chinese"),
        Go(size=5, rules="new-zealand", scoring="territory"),
        Go(size=2, max_plies=9),
    ],
    ids=repr,
)
def test_go_keeps_its_promises_by_every_rule_set(game, seed):
    check_game(game, examples=4, seed=seed)


def test_missing_hypothesis_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "sakiyomi.boards.testing.machine", raising=False)
    with pytest.raises(ImportError, match="pip install hypothesis"):
        check_game(TicTacToe())
