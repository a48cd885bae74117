"""Mates that are asked for are found if there are any: against plain search through python-chess, and in problems."""

from threading import Event

import chess as peer
import numpy as np
import pytest

from sakiyomi.agents import AlphaBetaPlayer
from sakiyomi.boards import Budget, Chess, Position, Shogi

PROBLEMS = [  # that a pruned search of 2 N - 1 plies misses
    ("r1b2k1r/ppp1bppp/8/1B1Q4/5q2/2P5/PPP2PPP/R3R1K1 w - - 1 1", 2, "d5d8"),
    ("kbK5/pp6/1P6/8/8/8/8/R7 w - - 0 1", 2, "a1a6"),
    ("3q1r1k/2p4p/1p1pBrp1/p2Pp3/2PnP3/5PP1/PP1Q2K1/5R1R w - - 1 1", 3, "h1h7"),
    ("r1bqr3/ppp1B1kp/1b4p1/n2B4/3PQ1P1/2P5/P4P2/RN4K1 w - - 1 1", 4, "e4e5"),
]


def think(player, position, mate):
    told = []
    budget = Budget(depth=2 * mate - 1, mate=mate)
    move = player.think(position, budget, moves=None, stop=Event(), tell=told.append)
    assert told[-1].line[0] == move
    return move, told[-1].mate


@pytest.mark.parametrize(("fen", "mate", "key"), PROBLEMS)
def test_problems(fen, mate, key):
    player, position = AlphaBetaPlayer(), Position(Chess(), fen)
    assert think(player, position, mate) == (key, mate)
    shorter = think(player, position, mate - 1) if mate > 1 else (None, None)
    assert shorter[1] is None or shorter[1] > mate - 1  # the search of before is not mistaken for a proof


def mates_in(board, moves):
    """The first moves that force mate in `moves`, by trying everything."""
    found = []
    for move in list(board.legal_moves):
        board.push(move)
        if board.is_checkmate():
            found.append(move.uci())
        elif moves > 1 and not board.is_stalemate() and not board.is_insufficient_material():
            found += [move.uci()] * all(_answered(board, answer, moves - 1) for answer in list(board.legal_moves))
        board.pop()
    return found


def _answered(board, answer, moves):
    board.push(answer)
    mated = bool(mates_in(board, moves))
    board.pop()
    return mated


def test_a_mate_in_two_is_found_if_and_only_if_there_is_one():
    rng = np.random.default_rng(11)
    player, seen = AlphaBetaPlayer(seed=1), {True: 0, False: 0}
    while min(seen.values()) < 6:
        board = peer.Board(None)
        squares = rng.choice(64, 6, replace=False)
        for square, letter in zip(squares, "kKQRpn", strict=True):
            board.set_piece_at(int(square), peer.Piece.from_symbol(letter))
        if not board.is_valid() or board.is_check() or mates_in(board, 1):
            continue
        firsts = mates_in(board, 2)
        if seen[bool(firsts)] >= 6:
            continue
        seen[bool(firsts)] += 1
        move, mate = think(player, Position(Chess(), board.fen()), 2)
        assert (mate == 2) == bool(firsts), board.fen()
        assert move in firsts or not firsts, board.fen()


def test_a_mate_in_shogi():
    """A gold dropped in front of the king, which a pawn covers."""
    assert think(AlphaBetaPlayer(), Position(Shogi(), "4k4/9/4P4/9/9/9/9/9/4K4 b G 1"), 1) == ("G*5b", 1)


def test_no_move_is_lost_where_there_is_no_mate():
    player, position = AlphaBetaPlayer(seed=0), Position(Chess())
    move, mate = think(player, position, 2)
    assert mate is None
    assert move in position.legal_moves()
