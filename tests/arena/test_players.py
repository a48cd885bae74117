"""Players by spec: what is made, and how mistakes are answered."""

import numpy as np
import pytest

from sakiyomi.arena import Budget, make_player
from sakiyomi.arena.players import KINDS, check_player, parse_spec
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.position import Position

TICTACTOE = make_game("tictactoe")


@pytest.mark.parametrize(
    ("spec", "name", "text", "argument"),
    [
        ("random", "random", "random", ""),
        ("uct:800", "uct:800", "uct:800", "800"),
        ("uct", "uct", "uct", ""),
        ("strong=uct:800", "strong", "uct:800", "800"),
        (" my player = uct:800 ", "my player", "uct:800", "800"),
        ("gtp:gnugo --mode gtp --level=5", "gnugo", "gtp:gnugo --mode gtp --level=5", "gnugo --mode gtp --level=5"),
        ("weak=gtp:/usr/games/gnugo --level=1", "weak", "gtp:/usr/games/gnugo --level=1", "/usr/games/gnugo --level=1"),
        ("python:fakes:First", "python:fakes:First", "python:fakes:First", "fakes:First"),
    ],
)
def test_specs_are_taken_apart(spec, name, text, argument):
    parsed = parse_spec(spec)
    assert (parsed.name, parsed.text, parsed.argument) == (name, text, argument)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("randon", "unknown player 'randon'; did you mean 'random'?"),
        ("UCT:5", "did you mean 'uct:N'?"),
        ("stockfish", "unknown player 'stockfish'; there are: random, greedy, uct:N"),
        ("", "unknown player ''"),
        ("random:3", "player 'random:3' is to be written 'random'"),
        ("alphabeta", "is to be written 'alphabeta:DEPTH'"),
        ("gtp:", "is to be written 'gtp:COMMAND'"),
        ("uct:0", "needs a whole number of 1 or more, got '0'"),
        ("uct:-5", "needs a whole number of 1 or more, got '-5'"),
        ("uct:1e3", "needs a whole number of 1 or more, got '1e3'"),
        ("alphabeta:x", "'alphabeta:x' needs a whole number of 1 or more, got 'x'"),
        ("gtp:no-such-engine --mode gtp", "'no-such-engine' not found"),
        ("gtp:/no/such/engine", "'/no/such/engine' not found"),
        ("gtp:'unclosed", "badly quoted"),
        ("python:nosuchmodule:X", "player 'python:nosuchmodule:X' cannot be made: No module named 'nosuchmodule'"),
        ("python:fakes:Nobody", "cannot be made: .*has no attribute 'Nobody'"),
        ("python:fakes", "cannot be made"),
        ("python:collections:Counter", "is none: it has no method 'begin'"),
        ("python:collections:UserString", "cannot be made: .*missing 1 required"),
        ("python:fakes:Unmakeable", "this one cannot be made"),
    ],
)
def test_mistakes_are_answered_in_one_line(spec, words):
    with pytest.raises(ValueError, match=words) as caught:
        check_player(spec, make_game("go-9x9") if "gtp" in spec else TICTACTOE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spec", ["random", "greedy", "uct:20", "alphabeta:2", "perfect", "python:fakes:First"])
def test_players_choose_without_begin(spec):
    player = make_player(f"me={spec}", TICTACTOE)
    assert player.name == "me"
    position = Position(TICTACTOE)
    assert player.choose(position, Budget(simulations=50)) in position.legal_moves()
    assert position.ply == 0
    player.begin(TICTACTOE, 0, np.random.default_rng(1))
    assert player.choose(position, Budget()) in position.legal_moves()
    player.close()


@pytest.mark.parametrize("spec", ["random", "greedy", "uct:20"])
@pytest.mark.parametrize("game", ["go-5x5", "connect4", "othello-6x6"])
def test_general_players_play_every_game(spec, game):
    rules = make_game(game)
    player = make_player(spec, rules)
    position = Position(rules)
    assert player.choose(position, Budget(simulations=50)) in position.legal_moves()
    player.close()


@pytest.mark.parametrize(
    ("spec", "game", "words"),
    [
        ("perfect", "go-9x9", "perfect plays tictactoe, connect4 and othello, not go-9x9"),
        (
            "alphabeta:3",
            "go-9x9",
            "alphabeta plays chess, chess960, shogi, tictactoe, connect4 and othello, not go-9x9",
        ),
        ("gtp:gnugo", "connect4", "GTP engines play Go, not connect4"),
    ],
)
def test_players_of_other_games_are_refused(spec, game, words):
    rules = make_game(game)
    for make in (check_player, make_player):
        with pytest.raises(ValueError, match=words):
            make(spec, rules)


@pytest.mark.parametrize("name", ["two\nlines", "tab\there", "bell\a", "\udcff", "a\u2028b"])
def test_names_that_are_no_text(name):
    with pytest.raises(ValueError, match=r"a player's name .*must be"):
        parse_spec(f"{name}=random")


def test_cheap_specs_for_compiling_are_of_their_kind():
    for kind in KINDS:
        if kind.warm:
            assert parse_spec(kind.warm).kind is kind
