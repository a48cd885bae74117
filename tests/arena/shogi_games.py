"""Games of shogi by cshogi for tests, and its boards in our numbers."""

import random

import cshogi
import numpy as np

from sakiyomi.sgf.record import Record

KINDS = (0, 1, 2, 3, 4, 6, 7, 5, 8)  # ours by cshogi's, from pawn to king


def cells_of(board):
    """The 95 cells of a board of cshogi, as `frames_shogi` numbers them."""
    cells = np.zeros(95, np.int8)
    for square in range(81):
        piece, white = board.piece(square) & 15, board.piece(square) >> 4
        if piece:
            kind = KINDS[piece] if piece <= 8 else 8 + KINDS[piece - 8]
            cells[9 * (square % 9) + 8 - square // 9] = -kind if white else kind
    for side, hand in enumerate(board.pieces_in_hand):
        cells[81 + 7 * side : 88 + 7 * side] = hand  # in the same order as ours, unlike the pieces
    return cells


def random_game(seed, sfen=None, plies=200, promote=0.5):
    """A random game that is fond of promotions and drops: the moves in USI, and the board before and after each."""
    rng = random.Random(seed)
    board = cshogi.Board(sfen) if sfen else cshogi.Board()
    moves, boards = [], [board.copy()]
    while len(moves) < plies and not board.is_game_over() and board.is_draw() == cshogi.NOT_REPETITION:
        legal = list(board.legal_moves)
        rare = [move for move in legal if cshogi.move_is_promotion(move) or cshogi.move_is_drop(move)]
        move = rng.choice(rare if rare and rng.random() < promote else legal)
        moves.append(cshogi.move_to_usi(move))
        board.push(move)
        boards.append(board.copy())
    return tuple(moves), boards


def record_of(moves, sfen=None, **more):
    """A record of those moves."""
    return Record("shogi", moves=tuple(moves), setup=sfen, **{"result": "1-0", "players": ("sente", "gote"), **more})


def western(board, usi):
    """A legal move of a board of cshogi in Western notation."""
    move = board.move_from_usi(usi)
    to = usi[2:4]
    if cshogi.move_is_drop(move):
        return usi
    origin = cshogi.move_from(move)
    piece = board.piece(origin)

    def rival(other):
        alike = not cshogi.move_is_drop(other) and board.piece(cshogi.move_from(other)) == piece
        return alike and cshogi.move_from(other) != origin and cshogi.move_to(other) == cshogi.move_to(move)

    letter = cshogi.PIECE_SYMBOLS[piece & 15].upper()
    where = usi[:2] if any(rival(other) for other in board.legal_moves) else ""
    deep = "ghi" if board.turn else "abc"
    might = piece & 15 < 9 and letter not in "KG" and (usi[1] in deep or usi[3] in deep)
    end = "+" if cshogi.move_is_promotion(move) else "=" if might else ""
    return f"{letter}{where}{'x' if board.piece(cshogi.move_to(move)) else '-'}{to}{end}"
