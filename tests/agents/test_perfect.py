"""Exact values against brute force and known results; perfect play against everybody."""

import time

import numpy as np
import pytest

from sakiyomi.agents.alphabeta import AlphaBetaPlayer
from sakiyomi.agents.greedy import GreedyPlayer
from sakiyomi.agents.parts.solvers import connect4 as connect4_solver
from sakiyomi.agents.parts.solvers import tictactoe as tictactoe_solver
from sakiyomi.agents.parts.solvers.connect4_book import book, book_action
from sakiyomi.agents.perfect import EVER, PerfectPlayer, Solver
from sakiyomi.agents.random_player import RandomPlayer
from sakiyomi.boards import Budget, Position
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.go import Go
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.tictactoe import TicTacToe


@pytest.fixture(scope="module")
def solver():
    return Solver()


def after(game, moves):
    position = Position(game)
    for move in moves:
        position.play(move)
    return position


def random_position(game, plies, rng):
    position = Position(game)
    while position.ply < plies and position.outcome() is None:
        position.play(int(rng.choice(position.legal_actions())))
    return position if position.outcome() is None else random_position(game, plies, rng)


def brute_force(position, known):
    """The score for the mover by trying everything to the end."""
    text = position.text()
    if text not in known:
        outcome = position.outcome()
        if outcome is None:
            known[text] = max(-brute_force(position.after(move), known) for move in position.legal_moves())
        elif isinstance(position.game, Othello):
            known[text] = int(position.board().sum()) * (1 - 2 * position.turn)
        elif isinstance(position.game, ConnectFour):
            known[text] = 0 if outcome.winner is None else -(22 - (position.ply + 1) // 2)
        else:
            known[text] = 0 if outcome.winner is None else -(10 - position.ply)
    return known[text]


def test_tictactoe_is_a_draw_and_solved_whole(solver):
    known = {}
    assert brute_force(Position(TicTacToe()), known) == 0
    assert len(known) == 5478
    for text, score in known.items():
        position = Position(TicTacToe(), text)
        assert tictactoe_solver.score(tictactoe_solver.movers_board(position.state)) == score
        assert solver.score(position) == score


@pytest.mark.parametrize("plies", [33, 34, 38])
def test_connect4_like_brute_force(solver, plies):
    rng, known = np.random.default_rng(plies), {}
    for _ in range(10):
        position = random_position(ConnectFour(), plies, rng)
        score = brute_force(position, known)
        assert solver.score(position) == score
        for move in position.legal_moves():  # ended ones, too
            assert solver.score(position.after(move)) == known[position.after(move).text()]


def test_connect4_windows(solver):
    """A search within a window gives the score inside it and a bound on the right side outside."""
    rng = np.random.default_rng(0)
    for _ in range(30):
        position = random_position(ConnectFour(), 22, rng)
        score = solver.score(position)
        for low, high in ((-1, 1), (0, 3), (-5, -2), (score - 1, score), (score, score + 1), (score - 2, score + 2)):
            found = solver.bounded(position.game, position.state, low, high, EVER)
            assert found == score if low < score < high else found <= low if score <= low else found >= high


def test_connect4_mirror_images_have_the_same_score(solver):
    rng = np.random.default_rng(1)
    for _ in range(5):
        position = random_position(ConnectFour(), 15, rng)
        mirrored = after(ConnectFour(), [6 - action for action in position.actions])
        assert solver.score(position) == Solver().score(mirrored)


def test_connect4_score_is_the_best_of_its_moves(solver):
    """At a depth that brute force does not reach."""
    rng = np.random.default_rng(3)
    for _ in range(5):
        position = random_position(ConnectFour(), 14, rng)
        assert solver.score(position) == max(-solver.score(position.after(move)) for move in position.legal_moves())


@pytest.mark.slow
def test_connect4_from_the_start(solver):
    """The first player wins with his last disc, from the middle column only (Allis 1988, Allen 1988)."""
    assert solver.score(Position(ConnectFour())) == 1
    assert [-solver.score(after(ConnectFour(), [column])) for column in range(7)] == [-2, -1, 0, 1, 0, -1, -2]


def test_connect4_table_entries():
    """Look-ups give what was stored under the same key; of a pair, the entry of the larger search survives."""
    table = connect4_solver.new_table(4)
    keys = np.random.default_rng(0).integers(1, 1 << 49, 200, dtype=np.uint64)
    for number, key in enumerate(keys):
        connect4_solver.store(table, key, 10 + number % 30, 1 + number % 120)
        assert connect4_solver.look_up(table, key) == 1 + number % 120
    table = connect4_solver.new_table(1)
    for key, discs in ((1, 8), (2, 20), (3, 30)):
        connect4_solver.store(table, np.uint64(key), discs, key)
    assert [connect4_solver.look_up(table, np.uint64(key)) for key in (1, 2, 3)] == [1, 0, 3]


def test_given_up_searches_say_so(solver):
    position = after(ConnectFour(), "444")
    assert solver.bounded(position.game, position.state, -21, 21, 1000) is None
    assert solver.best_action(position.game, position.state, position.legal_actions(), 1000) is None
    position = Position(Othello())
    assert solver.bounded(position.game, position.state, -64, 64, 1000) is None


@pytest.mark.parametrize(("side", "last"), [(0, 6), (1, 5)])
def test_book_covers_its_own_lines(side, last):
    """Whoever keeps to it finds a legal move at each turn up to ply `last`, whatever the other side plays."""
    level = {Position(ConnectFour()).text()}
    for ply in range(last + 1):
        after_next = set()
        for position in (Position(ConnectFour(), text) for text in level):
            if ply % 2 == side:
                action = book_action(position.state)
                assert action in position.legal_actions(), position
                after_next.add(position.after(action).text())
            elif position.outcome() is None:
                after_next.update(position.after(move).text() for move in position.legal_moves())
        level = after_next
    assert len(level) > 100


def test_book_keeps_a_win(solver):
    """Where the second player has answered the first move 4 at random, the book's next moves still win."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        position = Position(ConnectFour())
        while position.ply < 7 and position.outcome() is None:
            action = book_action(position.state) if position.turn == 0 else None
            position.play(int(rng.choice(position.legal_actions())) if action is None else action)
        assert solver.bounded(position.game, position.state, -1, 0, EVER) < 0


def test_book_knows_mirror_images():
    assert book_action(Position(ConnectFour()).state) == 3
    for columns in ("2", "26", "264"):
        position, image = after(ConnectFour(), columns), after(ConnectFour(), [7 - int(column) for column in columns])
        action = book_action(position.state)
        assert book_action(image.state) == (None if action is None else 6 - action)
    assert all(0 <= action < 7 for action in book().values())


@pytest.mark.parametrize(("size", "empties"), [(6, 6), (6, 7), (8, 6), (8, 7)])
def test_othello_like_brute_force(solver, size, empties):
    rng = np.random.default_rng(size * empties)
    for _ in range(4):
        position = random_position(Othello(size), size * size - 4 - empties, rng)
        score = brute_force(position, {})
        assert solver.score(position) == score
        for low, high in ((-1, 1), (score - 1, score), (score, score + 1), (score - 3, score + 3)):
            found = solver.bounded(position.game, position.state, low, high, EVER)
            assert found == score if low < score < high else found <= low if score <= low else found >= high


def test_othello_endgame_of_sixteen(solver):
    """The score of a position is the best of those after its moves, at a depth that brute force does not reach."""
    position = random_position(Othello(), 45, np.random.default_rng(2))
    scores = [-solver.score(position.after(move)) for move in position.legal_moves()]
    assert solver.score(position) == max(scores)


@pytest.mark.slow
def test_othello_endgame_of_twenty(solver):
    position = random_position(Othello(), 40, np.random.default_rng(5))
    scores = [-solver.score(position.after(move)) for move in position.legal_moves()]
    assert solver.score(position) == max(scores)


def play(game, players, seed, start=None):
    rng = np.random.default_rng(seed)
    for side, player in enumerate(players):
        player.begin(game, side, rng)
    position = Position(game) if start is None else start.copy()
    while position.outcome() is None:
        position.play(players[position.turn].choose(position, Budget()))
    return position


def test_perfect_never_loses_tictactoe():
    perfect, wins = PerfectPlayer(), 0
    for seed in range(200):
        side = seed % 2
        opponent = (RandomPlayer(), GreedyPlayer())[seed // 2 % 2]
        winner = play(TicTacToe(), (opponent, perfect) if side else (perfect, opponent), seed).outcome().winner
        assert winner in (None, side)
        wins += winner == side
    assert wins > 100
    assert play(TicTacToe(), (PerfectPlayer(), PerfectPlayer()), 0).outcome().winner is None


def test_perfect_first_player_wins_connect4():
    """From the start, against whatever comes; the first plies are the book's, then the solver's."""
    perfect = PerfectPlayer()
    for seed, opponent in enumerate((RandomPlayer(), GreedyPlayer(), AlphaBetaPlayer(8))):
        assert play(ConnectFour(), (perfect, opponent), seed).outcome().winner == 0


def test_perfect_second_player_uses_mistakes():
    perfect = PerfectPlayer()
    for seed in range(3):
        assert play(ConnectFour(), (RandomPlayer(), perfect), seed).outcome().winner == 1


def test_perfect_keeps_the_score(solver):
    """Both sides perfect: the score stays the same, move by move, to the end."""
    position, perfect = random_position(ConnectFour(), 14, np.random.default_rng(8)), PerfectPlayer(seed=0)
    score = solver.score(position)
    while position.outcome() is None:
        position.play(perfect.choose(position, Budget()))
        score = -score
        assert solver.score(position) == score
    position = random_position(Othello(6), 20, np.random.default_rng(9))
    score = solver.score(position)
    while position.outcome() is None:
        turn = position.turn
        position.play(perfect.choose(position, Budget()))
        score = -score if position.turn != turn else score
        assert solver.score(position) == score


def test_perfect_beats_alphabeta_at_othello():
    points = 0.0
    for seed in range(8):
        side = seed % 2
        perfect = PerfectPlayer(endgame=12)
        players = (AlphaBetaPlayer(2), perfect) if side else (perfect, AlphaBetaPlayer(2))
        winner = play(Othello(size=6), players, seed).outcome().winner
        points += 0.5 if winner is None else float(winner == side)
    assert points >= 6.5


def test_seconds_are_kept():
    """A position out of the book that would take long is looked at for about the time given."""
    position = after(ConnectFour(), "1726")
    assert book_action(position.state) is None
    perfect = PerfectPlayer()
    perfect.choose(after(ConnectFour(), "4444443322"), Budget())  # machine code is loaded
    start = time.monotonic()
    perfect.choose(position, Budget(seconds=0.5))
    assert time.monotonic() - start < 20


def test_other_games_are_refused():
    for act in (
        lambda: PerfectPlayer().choose(Position(Go(size=5)), Budget()),
        lambda: PerfectPlayer().begin(Go(size=5), 0, np.random.default_rng()),
        lambda: Solver().score(Position(Go(size=5))),
    ):
        with pytest.raises(ValueError, match="plays tictactoe, connect4 and othello, not go-5x5"):
            act()
