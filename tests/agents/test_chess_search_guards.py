"""The guards of the chess search: what keeps its short cuts from telling what is not so."""

import numpy as np

from sakiyomi.agents.parts.alphabeta import chess_search
from sakiyomi.agents.parts.alphabeta import nodes as search_nodes
from sakiyomi.agents.parts.alphabeta.chess_search import ROW
from sakiyomi.agents.parts.alphabeta.chess_thinking import ChessSearcher
from sakiyomi.agents.parts.alphabeta.deepening import Limits
from sakiyomi.agents.parts.alphabeta.nodes import EVERYTHING, FUTILITY
from sakiyomi.agents.parts.alphabeta.table import MATE, WON
from sakiyomi.boards import Position
from sakiyomi.boards.chess import Chess, notation
from sakiyomi.boards.chess.state import HOT, KEY

U = np.uint64
GAME = Chess()


def look(fen, depth, low, high, first=None):
    """What one look at the moves of a position finds between two values, and its first choice; `first` comes last."""
    position = Position(GAME, fen)
    moves = notation.moves(position.state)
    if first is not None:
        moves.sort(key=lambda move: text_of(position.state, move) == first)
    searcher = ChessSearcher(GAME, 1)
    searcher.set_up(position.state)
    searcher.deepening.control[search_nodes.MOST_NODES] = 1 << 62
    order = np.array(moves, np.uint16)
    value = searcher._look(order, np.zeros(len(moves), np.int64), depth, low, high)
    return value, next(iter(searcher.texts(position.state, [int(searcher.deepening.plays[0])])))


def text_of(state, move):
    return GAME.move_text(state, notation.action_of(move, False))


def searched(searcher, position, limits):
    choices = notation.moves(position.state)
    return searcher.search(position.state, choices, np.zeros(len(choices), np.int64), limits)


def test_every_earlier_occurrence_repeats():
    """Keys of few values, so that some come back after 4, 6, 8 ... plies, and clocks that cut off what is before."""
    rng, backs = np.random.default_rng(0), set()
    position = Position(GAME)
    for _ in range(3000):
        at = int(rng.integers(0, 40))
        line = rng.integers(0, 12, at + 1).astype(np.uint64)
        clock = int(rng.integers(0, 40))
        state = position.state.copy()
        state["halfmove"] = clock
        row = np.zeros(2 * int(ROW), np.uint64)
        row[: int(HOT)] = state.view(np.uint64)[: int(HOT)]
        row[int(KEY)] = line[at]
        found = [back for back in range(4, min(clock, at) + 1, 2) if line[at - back] == line[at]]
        assert bool(chess_search.repeated(row, line, U(0), U(at))) == bool(found)
        backs.update(found[:1])
    assert backs >= {4, 6, 8, 10, 12}


def test_values_of_the_table_do_not_hold_near_the_fifty_move_rule():
    """The same squares with a clock of 0 and then of 95: the table knows them as won, whatever is asked about them."""
    searcher = ChessSearcher(GAME, 4, EVERYTHING & ~FUTILITY)
    won = searched(searcher, Position(GAME, "7k/8/8/8/8/8/R7/K7 w - - 0 80"), Limits(8))
    assert won.value > 300
    for clock, depth in ((95, 6), (94, 7), (97, 5)):
        late = Position(GAME, f"7k/8/8/8/8/8/R7/K7 w - - {clock} 80")
        moves = np.array(notation.moves(late.state), np.uint16)
        searcher.set_up(late.state)
        searcher.deepening.control[search_nodes.MOST_NODES] = 1 << 62
        assert searcher._look(moves, np.zeros(len(moves), np.int64), depth, 100, 101) <= 100
        assert searched(searcher, late, Limits(depth)).value == 0


def test_a_shorter_mate_is_seen_when_a_longer_one_is_known():
    """In two, by a quiet move that is tried last, when a mate in ten is sure: material is no refutation."""
    assert look("7k/7p/P3K2P/8/8/8/8/8 w - - 0 1", 4, MATE - 20, MATE, first="a6a7") == (MATE - 3, "a6a7")


def test_a_player_far_behind_is_not_mated_by_leaving_out_his_moves():
    """No quiet move of the bare king can better his value, but without any he would be as good as mated."""
    fen = "8/8/8/4k3/8/8/RR6/K7 w - - 0 1"
    for depth in (2, 3, 4, 5):
        for low in (-300, 0, 300, 600):
            assert -WON < look(fen, depth, low, low + 1)[0] < WON


def test_nothing_is_left_of_other_searches():
    """After `forget`, a search does what that of a new object does, to the position."""
    first, second = (
        Position(GAME),
        Position(GAME, "r4rk1/1pp1qppp/p1np1n2/2b1p1B1/2B1P1b1/P1NP1N2/1PP1QPPP/R4RK1 w - - 0 10"),
    )
    for one, other in ((first, second), (second, first), (second, second)):
        used, fresh = ChessSearcher(GAME, 1), ChessSearcher(GAME, 1)
        searched(used, one, Limits(nodes=40_000))
        used.forget()
        assert searched(used, other, Limits(6)) == searched(fresh, other, Limits(6))
