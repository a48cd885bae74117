"""What networks see and answer in shogi: AlphaZero's 11,259 actions and 362 planes, against tables made another way."""

import random

import cshogi
import numpy as np
import pytest

from sakiyomi.boards import Position, Shogi

GAME = Shogi()
COMPASS = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)]  # (to the right, forward)
HELD = "PLNSGBR"
KINDS = ["P", "L", "N", "S", "G", "B", "R", "K", "+P", "+L", "+N", "+S", "+B", "+R"]


def seen(square, turn):
    """Column from the left and row from the top of a USI square, as the mover sees it."""
    column, row = 9 - int(square[0]), "abcdefghi".index(square[1])
    return (8 - column, 8 - row) if turn else (column, row)


def number(usi, turn):
    """The action of a move by the definition."""
    x, y = seen(usi[2:4], turn)
    if usi[1] == "*":
        return 139 * (9 * y + x) + 132 + HELD.index(usi[0])
    u, v = seen(usi[:2], turn)
    right, forward = x - u, v - y
    if forward == 2 and abs(right) == 1:
        plane = 64 if right == 1 else 65
    else:
        far = max(abs(right), abs(forward))
        plane = 8 * COMPASS.index((right // far, forward // far)) + far - 1
    return 139 * (9 * v + u) + plane + 66 * usi.endswith("+")


@pytest.mark.parametrize("positions", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_every_legal_move_of_random_positions_has_its_action(positions):
    rng = random.Random(0)
    board, checked = cshogi.Board(), set()
    for _ in range(positions):
        moves = [cshogi.move_to_usi(move) for move in board.legal_moves]
        if not moves or board.move_number > 300:
            board.reset()
            continue
        state = GAME.parse_position(board.sfen())
        actions = [number(move, board.turn) for move in moves]
        assert sorted(actions) == np.flatnonzero(GAME.legal(state)[0]).tolist()
        for move, action in zip(moves, actions, strict=True):
            assert GAME.move_text(state, action) == move
            assert GAME.parse_move(state, move) == action
        checked.update(actions)
        # Two plies in three a promotion or a drop, if there is one: the rarer actions.
        rare = [move for move in moves if move[-1] == "+" or move[1] == "*"]
        move = rng.choice(rare if rare and rng.random() < 0.5 else moves)
        after = Position(GAME, board.sfen())
        after.play(number(move, board.turn))
        board.push_usi(move)
        assert after.text() == board.sfen()
    assert len(checked) > 1500


def planes_of(history):
    """The 362 planes by the definition; `history` are the SFENs of a game so far, the last one to move."""
    turn = int(history[-1].split()[1] == "w")
    out = np.zeros((362, 9, 9), np.float32)
    for h, sfen in enumerate(reversed(history[-8:])):
        board = cshogi.Board(sfen)
        for square, piece in enumerate(board.pieces):
            if piece:
                x, y = 8 - square // 9, square % 9
                if turn:
                    x, y = 8 - x, 8 - y
                sign = cshogi.PIECE_SYMBOLS[piece & 15].upper()
                out[45 * h + KINDS.index(sign) + 14 * (piece >> 4 != turn), y, x] = 1
        before = [other.rsplit(" ", 1)[0] for other in history[: len(history) - 1 - h]]
        times = before.count(sfen.rsplit(" ", 1)[0])
        for k in range(3):
            out[45 * h + 28 + k] = times > k
        for k, who in enumerate((turn, 1 - turn)):
            for kind, count in enumerate(board.pieces_in_hand[who]):
                out[45 * h + 31 + 7 * k + kind] = count
    out[360] = turn
    out[361] = (int(history[-1].split()[3]) - 1) / 512
    return out


@pytest.mark.parametrize("seed", range(4))
def test_planes_of_random_games(seed):
    rng, position = random.Random(seed), Position(GAME)
    history = [position.text()]
    for _ in range(80):
        assert np.array_equal(GAME.observe(position.state)[0], planes_of(history)), history[-1]
        moves = position.legal_moves()
        if not moves:
            break
        back = [move for move in moves if len(history) > 3 and same(position.after(move).text(), history[-4])]
        position.play(rng.choice(back if back and rng.random() < 0.6 else moves))
        history.append(position.text())
    assert len(history) > 40


def same(text, other):
    return text.rsplit(" ", 1)[0] == other.rsplit(" ", 1)[0]


def test_planes_of_a_set_up_and_of_a_start_by_white():
    late = GAME.observe(GAME.parse_position("4k4/9/9/9/9/9/9/P8/4K4 w 2Pr 31"))[0]
    assert not late[45:360].any()  # what came before is not known
    assert late[360].all()
    assert late[361, 0, 0] == np.float32(30 / 512)
    assert late[37].all()  # White's rook
    assert (late[38] == 2).all()  # Black's pawns
    assert np.argwhere(late[14]).tolist() == [[1, 8]]  # 9h, from White's side far right


def test_sides_exchanged_look_the_same():
    """But for the colour plane and the ply."""
    black = GAME.observe(GAME.parse_position("lnsgk1snl/1r4gb1/p1pppp2p/6pR1/9/2P6/P2PPPP1P/1B7/LNSGKGSNL b Pp 1"))[0]
    white = GAME.observe(GAME.parse_position("lnsgkgsnl/7b1/p1pppp2p/6p2/9/1rP6/P2PPPP1P/1BG4R1/LNS1KGSNL w Pp 1"))[0]
    assert np.array_equal(np.delete(black, 360, 0), np.delete(white, 360, 0))
