"""What networks see and answer: AlphaZero's 4,672 actions and 119 planes, against tables made another way."""

import random
from itertools import product

import chess as peer
import numpy as np
import pytest

from sakiyomi.boards import Chess, Position
from sakiyomi.boards.chess.starts import start_fen

GAME, GAME960 = Chess(), Chess(chess960=True)
COMPASS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"]
TOWARDS = {"N": (0, 1), "E": (1, 0), "S": (0, -1), "W": (-1, 0)}


def direction(name):
    """(files, ranks) of a compass direction."""
    return tuple(sum(TOWARDS[letter][axis] for letter in name) for axis in (0, 1))


def number(origin, to, promotion=None):
    """The action of a move by the definition, with White to move; squares as python-chess has them."""
    dx = peer.square_file(to) - peer.square_file(origin)
    dy = peer.square_rank(to) - peer.square_rank(origin)
    first = 73 * (8 * (7 - peer.square_rank(origin)) + peer.square_file(origin))
    if promotion in (peer.KNIGHT, peer.BISHOP, peer.ROOK):
        return first + 64 + 3 * (dx + 1) + [peer.KNIGHT, peer.BISHOP, peer.ROOK].index(promotion)
    far = max(abs(dx), abs(dy))
    for plane, name in enumerate(COMPASS):
        if (dx, dy) == tuple(far * part for part in direction(name)):
            return first + 7 * plane + far - 1
    return first + 56 + [(1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2)].index((dx, dy))


def moves_that_occur():
    """Every move of a queen or knight on the empty board, and all promotions to less: 1,858."""
    for piece, origin in product((peer.QUEEN, peer.KNIGHT), peer.SQUARES):
        for to in attacks(piece, origin):
            yield piece, peer.Move(origin, to)
    for file, side, promotion in product(range(8), (-1, 0, 1), (peer.KNIGHT, peer.BISHOP, peer.ROOK)):
        if 0 <= file + side < 8:
            yield peer.PAWN, peer.Move(peer.square(file, 6), peer.square(file + side, 7), promotion)


def attacks(piece, origin):
    board = peer.BaseBoard(None)
    board.set_piece_at(origin, peer.Piece(piece, peer.WHITE))
    return board.attacks(origin)


def stage(piece, move):
    """A position with White to move in which `move` of `piece` is legal."""
    corners = [peer.A1, peer.H1, peer.A8, peer.H8, peer.D4, peer.E2, peer.B6, peer.G3, peer.C7, peer.F6, peer.A5]
    for king, other, pawn in product(corners, corners, (peer.H3, peer.A6)):  # the pawn: else knights cannot mate
        board = peer.Board(None)
        board.set_piece_at(move.from_square, peer.Piece(piece, peer.WHITE))
        if piece == peer.PAWN and peer.square_file(move.from_square) != peer.square_file(move.to_square):
            board.set_piece_at(move.to_square, peer.Piece(peer.ROOK, peer.BLACK))
        taken = {king, other, pawn, move.to_square, move.from_square}
        if len(taken) < 5:
            continue
        board.set_piece_at(pawn, peer.Piece(peer.PAWN, peer.BLACK))
        board.set_piece_at(king, peer.Piece(peer.KING, peer.WHITE))
        board.set_piece_at(other, peer.Piece(peer.KING, peer.BLACK))
        if board.is_valid() and move in board.legal_moves:
            return board
    raise AssertionError(f"no stage for {move}")


def test_all_1858_moves_have_their_own_action_for_both_colours():
    seen = set()
    for piece, move in moves_that_occur():
        board = stage(piece, move)
        action = number(move.from_square, move.to_square, move.promotion)
        seen.add(action)
        for turned in (False, True):
            if turned:
                board, move = board.mirror(), mirrored(move)
            position = Position(GAME, board.fen())
            assert GAME.move_text(position.state, action) == move.uci()
            assert GAME.parse_move(position.state, move.uci()) == action
            assert action in position.legal_actions()
            position.play(action)
            assert position.text() == after(board, move)
    assert len(seen) == 1858


def mirrored(move):
    return peer.Move(peer.square_mirror(move.from_square), peer.square_mirror(move.to_square), move.promotion)


def after(board, move):
    board = board.copy(stack=False)
    board.push(move)
    return board.fen()


def test_no_other_action_is_ever_legal():
    known = np.zeros(GAME.num_actions, bool)
    known[[number(m.from_square, m.to_square, m.promotion) for _, m in moves_that_occur()]] = True
    for game in (GAME, GAME960):
        roots = game.start(np.arange(0, 960, 5)) if game.chess960 else game.new(200)
        rng = np.random.default_rng(3)
        for _ in range(120):
            legal = game.legal(roots)
            assert not legal[:, ~known].any()
            lists, counts = game.legal_actions(roots)
            assert (counts == legal.sum(axis=1)).all()
            chosen = lists[np.arange(len(roots)), rng.integers(0, np.maximum(counts, 1))]
            roots, chosen = roots[counts > 0], chosen[counts > 0]
            game.play(roots, chosen)


def test_castling_is_two_squares_and_in_chess960_the_rook():
    fen = "r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1"
    for game, right, left in ((GAME, peer.G1, peer.C1), (GAME960, peer.H1, peer.A1)):
        for text in (fen, fen.replace(" w ", " b ")):
            state = game.parse_position(text)
            assert game.parse_move(state, "O-O") == number(peer.E1, right)
            assert game.parse_move(state, "O-O-O") == number(peer.E1, left)


def planes_of(boards):
    """The 119 planes by the definition, from all positions of a game so far, the last one to move."""
    now = boards[-1]
    out = np.zeros((119, 8, 8), np.float32)

    def mask(squares):
        picture = np.zeros((8, 8))
        for square in squares:
            y = 7 - peer.square_rank(square)
            picture[y if now.turn else 7 - y, peer.square_file(square)] = 1
        return picture

    for h, board in enumerate(reversed(boards[-8:])):
        for side, colour in enumerate((now.turn, not now.turn)):
            for kind in range(6):
                out[14 * h + 6 * side + kind] = mask(board.pieces(kind + 1, colour))
        before = boards[: len(boards) - 1 - h]
        times = sum(same(board, other) for other in before)
        out[14 * h + 12] = times >= 1
        out[14 * h + 13] = times >= 2
    out[112] = not now.turn
    out[113] = now.ply() / 512
    for k, colour in enumerate((now.turn, not now.turn)):
        out[114 + 2 * k] = now.has_kingside_castling_rights(colour)
        out[115 + 2 * k] = now.has_queenside_castling_rights(colour)
    out[118] = now.halfmove_clock / 100
    return out


def same(board, other):
    return board._transposition_key() == other._transposition_key()


@pytest.mark.parametrize("seed", range(4))
def test_planes_of_random_games(seed):
    rng = random.Random(seed)
    game = GAME960 if seed % 2 else GAME
    fen = start_fen(rng.randrange(960)) if seed % 2 else peer.STARTING_FEN
    board, position = peer.Board(fen, chess960=game.chess960), Position(game, fen)
    boards = [board.copy(stack=False)]
    for _ in range(70):
        assert np.array_equal(game.observe(position.state)[0], planes_of(boards)), board.fen()
        moves = list(board.legal_moves)
        if not moves or position.outcome():
            break
        # Going back and forth makes repetitions.
        back = [m for m in moves if len(boards) > 2 and same(_played(board, m), boards[-4 if len(boards) > 3 else 0])]
        move = rng.choice(back if back and rng.random() < 0.7 else moves)
        position.play(move.uci())
        board.push(move)
        boards.append(board.copy(stack=False))
    assert len(boards) > 20


def _played(board, move):
    board = board.copy(stack=False)
    board.push(move)
    return board


def test_planes_of_repetitions_and_of_a_set_up():
    position = Position(GAME)
    for ply, move in enumerate(["g1f3", "g8f6", "f3g1", "f6g8"] * 2):
        position.play(move)
        seen = GAME.observe(position.state)[0]
        assert seen[12].all() == (ply >= 3), ply
        assert seen[13].all() == (ply >= 7), ply
    late = GAME.observe(GAME.parse_position("4k3/8/8/8/8/8/P7/4K3 b - - 7 40"))[0]
    assert not late[14:112].any()  # what came before is not known
    assert late[112].all()
    assert late[113, 0, 0] == np.float32(79 / 512)
    assert late[118, 0, 0] == np.float32(0.07)
    assert np.argwhere(late[6]).tolist() == [[1, 0]]  # White's pawn on a2, far from Black


def test_colours_exchanged_look_the_same():
    """But for the colour plane and the ply: why the board is mirrored and not turned."""
    board = peer.Board("r3k2r/pppq1ppp/2n2n2/3pp3/8/2N1PN2/PPPPBPPP/R2QK2R w KQk - 4 9")
    white = GAME.observe(GAME.parse_position(board.fen()))[0]
    black = GAME.observe(GAME.parse_position(board.mirror().fen()))[0]
    assert np.array_equal(np.delete(white, [112, 113], 0), np.delete(black, [112, 113], 0))


def test_symmetry_is_the_identity_alone():
    (identity,) = GAME.symmetries()
    assert identity.actions.tolist() == list(range(4672))
