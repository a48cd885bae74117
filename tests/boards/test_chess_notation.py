"""Chess texts: FEN and its dialects, UCI, SAN as people write it, and errors that name text, position and rule."""

import random
from collections import Counter

import chess as peer
import numpy as np
import pytest

from sakiyomi.boards import BadNotation, Chess, IllegalMove, Position

GAME, GAME960 = Chess(), Chess(chess960=True)
KINGS = "4k3/8/8/8/8/8/8/4K3"


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("4k3/8/8/8/8/8/8/4K2R w K -", "4k3/8/8/8/8/8/8/4K2R w K - 0 1"),
        ("4k3/8/8/8/8/8/8/4K2R w H - 3 9", "4k3/8/8/8/8/8/8/4K2R w K - 3 9"),
        ("  4k3/8/8/8/8/8/8/4K3   b  -  -  0  0 ", "4k3/8/8/8/8/8/8/4K3 b - - 0 1"),
        ("4k3/8/8/8/4P3/8/8/4K3 b - e3 0 1", "4k3/8/8/8/4P3/8/8/4K3 b - - 0 1"),  # nobody can take there
        ("4k3/8/8/8/3pP3/8/8/4K3 b - e3 0 1", "4k3/8/8/8/3pP3/8/8/4K3 b - e3 0 1"),
        ("8/8/8/8/k2pP2R/8/8/4K3 b - e3 0 1", "8/8/8/8/k2pP2R/8/8/4K3 b - - 0 1"),  # both pawns would leave the rank
        ("r3k2r/8/8/8/8/8/8/R3K2R w qkQK - 12 34", "r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 12 34"),
    ],
)
def test_fen_is_read_liberally_and_written_strictly(given, written):
    position = Position(GAME, given)
    assert position.text() == written
    assert peer.Board(written).fen() == written


@pytest.mark.parametrize(
    ("given", "x_fen", "shredder"),
    [
        ("1r2k1r1/8/8/8/8/8/8/1R2K1R1 w KQkq - 0 1", "KQkq", "GBgb"),
        ("rr2k1r1/8/8/8/8/8/8/RR2K1R1 w GBgb - 0 1", "KBkb", "GBgb"),
        ("4k3/8/8/8/8/8/8/4KR1R w F - 0 1", "F", "F"),
    ],
)
def test_castling_rights_of_chess960(given, x_fen, shredder):
    state = GAME960.parse_position(given)
    assert GAME960.position_text(state).split()[2] == x_fen
    assert GAME960.shredder_fen(state).split()[2] == shredder
    for text in (GAME960.position_text(state), GAME960.shredder_fen(state)):
        assert GAME960.position_text(GAME960.parse_position(text)) == GAME960.position_text(state)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "six fields"),
        (f"{KINGS} w - - 0 1 extra", "six fields"),
        ("8/8/8/8 w - - 0 1", "eight ranks"),
        ("4k3/9/8/8/8/8/8/4K3 w - - 0 1", "rank 7, '9', must be made of"),
        ("4k3/7/8/8/8/8/8/4K3 w - - 0 1", "rank 7, '7', has 7 squares"),
        ("4k3/8pp/8/8/8/8/8/4K3 w - - 0 1", "rank 7"),
        (f"{KINGS} x - - 0 1", "whose turn it is must be w or b, not 'x'"),
        ("8/8/8/8/8/8/8/4K3 w - - 0 1", "Black has 0 kings"),
        ("4k3/8/8/8/8/8/8/3KK3 w - - 0 1", "White has 2 kings"),
        ("4k3/pppppppp/p7/8/8/8/8/4K3 w - - 0 1", "Black has 9 pawns"),
        ("4k3/8/8/8/8/QQQQQQQQ/QQQQQQQQ/4K3 w - - 0 1", "White has more than 16 pieces"),
        ("4k3/8/8/8/8/QQQQQQQQ/PPQ5/4K3 b - - 0 1", "White has 8 promoted pieces and 2 pawns"),
        ("4k2P/8/8/8/8/8/8/4K3 w - - 0 1", "a pawn stands on the first or the last rank"),
        ("4k3/8/8/8/8/8/8/4K2R w Q - 0 1", "castling right 'Q' needs king and rook"),
        ("4k3/8/8/8/8/8/8/3K3R w K - 0 1", "castling right 'K' needs the king on the e-file"),
        (f"{KINGS} w X - 0 1", "castling is - or made of KQkq"),
        (f"{KINGS} w - e4 0 1", "en passant is - or a square on rank 6, not 'e4'"),
        (f"{KINGS} w - e6 0 1", "no pawn can just have moved two squares past e6"),
        ("4k3/8/8/8/4r3/8/8/4K3 b - - 0 1", "White is in check, but it is not White's turn"),
        ("4k3/8/3n4/1r2K2r/8/4r3/8/8 w - - 0 1", "no move gives check with more than two pieces"),
        (f"{KINGS} w - - x 1", "halfmove clock and move number must be numbers"),
        (f"{KINGS} w - - 0 ١", "must be numbers"),
    ],
)
def test_impossible_positions_are_refused_with_the_rule(text, why):
    with pytest.raises(BadNotation) as error:
        GAME.parse_position(text)
    assert why in str(error.value)
    assert repr(text) in str(error.value)
    assert "\n" not in str(error.value)


def test_two_rooks_of_one_side_cannot_both_castle():
    with pytest.raises(BadNotation, match="two rooks on the same side"):
        GAME960.parse_position("4k3/8/8/8/8/8/8/4KR1R w FH - 0 1")


@pytest.mark.parametrize(
    ("fen", "texts", "uci"),
    [
        (peer.STARTING_FEN, ["e4", "e2e4", "e2-e4", "Pe4", "e4!?", " e4 ", "P2e4"], "e2e4"),
        (peer.STARTING_FEN, ["Nf3", "Ngf3", "N1f3", "Ng1f3", "Ng1-f3", "Nf3+", "Nf3??"], "g1f3"),
        ("r3k3/1P6/8/8/8/8/8/4K3 w - - 0 1", ["bxa8=Q+", "bxa8Q", "ba8=Q", "bxa8(Q)", "bxa8/Q", "b7a8q"], "b7a8q"),
        ("r3k3/1P6/8/8/8/8/8/4K3 w - - 0 1", ["bxa8=N", "bxa8=n", "b7xa8=N", "bxa8N"], "b7a8n"),
        ("r3k3/1P6/8/8/8/8/8/4K3 w - - 0 1", ["b8=R+", "b8R"], "b7b8r"),
        ("4k3/8/8/8/8/8/8/R3K2R w KQ - 0 1", ["O-O", "0-0", "o-o", "OO", "O-O!", "e1g1", "e1h1"], "e1g1"),
        ("4k3/8/8/8/8/8/8/R3K2R w KQ - 0 1", ["O-O-O", "0-0-0", "O-O-O+", "e1a1"], "e1c1"),
        ("4k3/8/8/3pP3/8/8/8/4K3 w - d6 0 1", ["exd6", "ed6", "exd6e.p.", "exd6 e.p.", "e5d6"], "e5d6"),
        ("4k3/8/8/8/8/2p5/1P6/B3K3 w - - 0 1", ["bxc3"], "b2c3"),
        ("4k3/8/8/8/8/2p5/3P4/B3K3 w - - 0 1", ["Bxc3", "Bc3", "B:c3"], "a1c3"),
    ],
)
def test_moves_are_read_liberally(fen, texts, uci):
    for text in texts:
        position = Position(GAME, fen)
        assert GAME.move_text(position.state, position.action(text)) == uci, text


def test_castling_texts_of_chess960():
    position = Position(GAME960, "4k3/8/8/8/8/8/8/1R2K1R1 w GB - 0 1")
    for text in ("O-O", "e1g1"):
        assert GAME960.move_text(position.state, position.action(text)) == "e1g1"
    for text in ("O-O-O", "e1b1", "e1c1"):
        assert GAME960.move_text(position.state, position.action(text)) == "e1b1"


@pytest.mark.parametrize(
    ("fen", "text", "error", "why"),
    [
        (peer.STARTING_FEN, "e5", IllegalMove, "no pawn can go to e5"),
        (peer.STARTING_FEN, "Ke2", IllegalMove, "White's own pawn stands on e2"),
        (peer.STARTING_FEN, "O-O", IllegalMove, "the bishop on f1 stands between king and rook"),
        (f"r3k1nr/{'8/' * 6}4K3 b kq - 0 1", "O-O", IllegalMove, "the knight on g8 stands between king and rook"),
        ("3rk3/8/8/8/8/8/8/R3K2R w KQ - 0 1", "O-O-O", IllegalMove, "White's king would pass d1, which is attacked"),
        ("4k3/8/8/8/8/8/7p/R3K2R w KQ - 0 1", "O-O", IllegalMove, "White's king would reach g1, which is attacked"),
        ("r3k3/8/8/8/4R3/8/8/4K3 b q - 0 1", "O-O-O", IllegalMove, "Black's king is in check, and may not castle"),
        ("r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1", "Kxh1", IllegalMove, "White's own rook stands on h1"),
        ("4k3/8/8/8/8/8/8/R3K2R w - - 0 1", "e1g1", IllegalMove, "no right to castle on the king's side"),
        ("4k3/8/8/8/5r2/8/8/4K2R w K - 0 1", "e1g1", IllegalMove, "White's king would pass f1, which is attacked"),
        (peer.STARTING_FEN, "e2e5", IllegalMove, "the pawn on e2 cannot go to e5"),
        (peer.STARTING_FEN, "e7e5", IllegalMove, "White has no piece on e7"),
        (peer.STARTING_FEN, "a1a2", IllegalMove, "White's own pawn stands on a2"),
        (peer.STARTING_FEN, "a1a4", IllegalMove, "the rook on a1 cannot go to a4"),
        ("4k3/8/8/8/8/8/4r3/4K3 w - - 0 1", "e1f2", IllegalMove, "White's king would be in check"),
        ("7k/8/6K1/8/8/8/8/1R6 w - - 150 200", "b1b2", IllegalMove, "the game has ended (seventyfive moves)"),
        ("4k3/8/8/8/8/8/N7/N3K3 w - - 0 1", "Nc2+", IllegalMove, None),
        ("4k3/8/8/8/8/N7/8/N3K3 w - - 0 1", "Nc2", BadNotation, "is ambiguous: N1c2, N3c2"),
        ("4k3/P7/8/8/8/8/8/4K3 w - - 0 1", "a7a8", BadNotation, "which piece does the pawn become"),
        ("4k3/P7/8/8/8/8/8/4K3 w - - 0 1", "a8", BadNotation, "is ambiguous: a8=B, a8=N, a8=Q+, a8=R+"),
        (peer.STARTING_FEN, "e2e4q", BadNotation, "only a pawn that reaches the last rank"),
        (peer.STARTING_FEN, "a1b4", BadNotation, "no piece moves from a1 to b4"),
        (peer.STARTING_FEN, "hello", BadNotation, "is no move"),
        (peer.STARTING_FEN, "e4=Q", IllegalMove, "only a pawn that reaches the last rank promotes"),
        (peer.STARTING_FEN, "Nbf3", IllegalMove, "no knight on the b-file can go to f3"),
        (peer.STARTING_FEN, "N4f3", IllegalMove, "White has no knight on rank 4"),
        (peer.STARTING_FEN, "Nd4", IllegalMove, "no knight can go to d4"),
        ("4k3/8/8/8/4r3/8/4N3/4K3 w - - 0 1", "Nc3", IllegalMove, "White's king would be in check"),
        ("4k3/8/8/8/8/8/8/4K2R w - - 0 1", "O-O", IllegalMove, "White has no right to castle on the king's side"),
    ],
)
def test_bad_moves_are_named_with_position_and_rule(fen, text, error, why):
    position = Position(GAME, fen)
    if why is None:
        position.play(text)
        return
    with pytest.raises(error) as caught:
        position.play(text)
    assert why in str(caught.value)
    assert text in str(caught.value)
    assert position.text() == fen


def test_castling_onto_a_square_that_the_rook_covered():
    position = Position(GAME960, "4k3/8/8/8/8/8/8/qR1K4 w B - 0 1")
    with pytest.raises(IllegalMove, match="White's king would be in check once the rook has left b1"):
        position.play("O-O-O")


def test_why_castling_is_illegal_agrees_with_python_chess():
    """Random positions with king and rooks at home, where castling is not legal: the reason is true."""
    rng = np.random.default_rng(5)
    seen = Counter()
    while sum(seen.values()) < 300:
        board = peer.Board(None)
        for square, piece in zip((0, 4, 7, 60), "RKRk", strict=True):
            board.set_piece_at(square, peer.Piece.from_symbol(piece))
        for square in rng.choice(np.r_[1:4, 5:7, 8:60, 61:64], 5, replace=False):
            board.set_piece_at(int(square), peer.Piece.from_symbol(str(rng.choice(list("nbrqNB")))))
        board.castling_rights = peer.BB_A1 | peer.BB_H1
        if not board.is_valid():
            continue
        for text, between, way in (("O-O", (5, 6), (5, 6)), ("O-O-O", (1, 2, 3), (3, 2))):
            try:
                board.parse_san(text)
                continue
            except ValueError:
                pass
            with pytest.raises(IllegalMove) as caught:
                Position(GAME, board.fen()).play(text)
            said = str(caught.value)
            full = [s for s in between if board.piece_at(s)]
            attacked = [s for s in way if board.is_attacked_by(peer.BLACK, s)]
            if full:
                kind = "between"
                assert any(f"on {peer.square_name(s)} stands between" in said for s in full), said
            elif board.is_check():
                kind = "check"
                assert "White's king is in check" in said
            else:
                kind = "attacked"
                assert f"{peer.square_name(attacked[0])}, which is attacked" in said
            seen[kind] += 1
    assert min(seen[kind] for kind in ("between", "check", "attacked")) > 10


def test_whole_numbers_are_wanted():
    with pytest.raises(ValueError, match="whole numbers"):
        GAME960.start(np.array([0.5]))
    with pytest.raises(TypeError):
        GAME.new(2.5)
    with pytest.raises(TypeError, match="described by a text, got 5"):
        Position(GAME, 5)


@pytest.mark.parametrize("action", [-1, 4672, 99999])
def test_san_of_no_action_is_refused(action):
    with pytest.raises(IllegalMove, match=f"action {action} is not one of chess's 0..4671"):
        GAME.san(GAME.new(1), action)


def test_san_of_an_illegal_action_is_refused():
    state = GAME.new(1)
    with pytest.raises(IllegalMove, match="the pawn on e2 cannot go to e5"):
        GAME.san(state, GAME.parse_move(state, "e2e5"))


def test_board_and_drawing():
    position = Position(GAME, "4k3/8/8/8/8/8/P7/R3K2q w Q - 0 1")
    assert position.board().tolist()[7] == [4, 0, 0, 0, 6, 0, 0, -5]
    assert position.board()[0, 4] == -6
    assert str(position).splitlines()[7:] == ["1 R . . . K . . q", "  a b c d e f g h"]


def test_actions_of_numpy_are_as_good_as_python_s():
    state = GAME.new(1)
    for action in np.flatnonzero(GAME.legal(state)[0]).astype(np.int32):
        assert GAME.move_text(state, action) == GAME.move_text(state, int(action))
        assert GAME.san(state, action) == GAME.san(state, int(action))


@pytest.mark.parametrize(
    ("text", "uci"),
    [
        ("a1-a5", "a1a5"),
        ("a1xa5", "a1a5"),
        ("a1a8+", "a1a8"),
        ("a1a8!?", "a1a8"),
        ("e1-g1", "e1g1"),
        ("e1g1+", "e1g1"),
        ("Ke1-d1", "e1d1"),
        ("b7-b8=N+", "b7b8n"),
        ("b7b8(Q)#", "b7b8q"),
        ("b7xa8/R", None),
    ],
)
def test_both_squares_name_a_move_of_any_piece(text, uci):
    state = GAME.parse_position("4k3/1P6/8/8/8/8/8/R3K2R w KQ - 0 1")
    if uci is None:
        with pytest.raises(IllegalMove, match="cannot go to a8"):
            Position(GAME, GAME.position_text(state)).play(text)
    else:
        assert GAME.move_text(state, GAME.parse_move(state, text)) == uci


def test_long_numbers_and_texts_are_refused_like_others():
    with pytest.raises(BadNotation, match="is no move") as told:
        GAME.parse_move(GAME.new(1), "+" * 20_000 + "x")
    assert len(str(told.value)) < 200
    for clocks in ("9" * 5000 + " 1", "0 " + "9" * 5000):
        with pytest.raises(BadNotation, match="the halfmove clock goes up to 9999") as caught:
            GAME.parse_position(f"{KINGS} w - - {clocks}")
        assert len(str(caught.value)) < 500


def test_what_cannot_have_been_is_told_as_python_chess_tells_it():
    """Kings, a few pieces and a pawn that may have moved two squares, at random: check that no move can have given."""
    rng, seen = random.Random(5), Counter()
    told = peer.STATUS_IMPOSSIBLE_CHECK | peer.STATUS_TOO_MANY_CHECKERS | peer.STATUS_OPPOSITE_CHECK
    for _ in range(4000):
        board = peer.Board(None)
        white, black, *others = rng.sample(range(64), rng.randrange(4, 9))
        board.set_piece_at(white, peer.Piece(peer.KING, peer.WHITE))
        board.set_piece_at(black, peer.Piece(peer.KING, peer.BLACK))
        for square in others:
            kind = rng.choice([peer.KNIGHT, peer.BISHOP, peer.ROOK, peer.QUEEN, peer.PAWN, peer.PAWN])
            if kind != peer.PAWN or 0 < peer.square_rank(square) < 7:
                board.set_piece_at(square, peer.Piece(kind, rng.random() < 0.4))
        board.turn = rng.random() < 0.5
        pushed = [s for s in board.pieces(peer.PAWN, not board.turn) if peer.square_rank(s) == (4 if board.turn else 3)]
        if pushed and rng.random() < 0.8:
            board.ep_square = pushed[0] + (8 if board.turn else -8)
        status = board.status()
        if status & ~told:
            continue
        try:
            GAME.parse_position(board.fen(en_passant="fen"))
            legal = True
        except BadNotation:
            legal = False
        assert legal == (status == peer.STATUS_VALID), board.fen(en_passant="fen")
        seen[status] += 1
    assert len(seen) > 3
