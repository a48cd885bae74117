"""Shogi texts: SFEN, USI, the drawn board, and errors that name text, position and rule."""

import pytest

from sakiyomi.boards import BadNotation, IllegalMove, Position, Shogi

GAME = Shogi()
START = "lnsgkgsnl/1r5b1/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL b - 1"
KINGS = "4k4/9/9/9/9/9/9/9/4K4"


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("startpos", START),
        (f"sfen {START}", START),
        (START.removesuffix(" 1"), START),
        (f"  {KINGS}   w   -   7 ", f"{KINGS} w - 7"),
        (f"{KINGS} b p2P10pLn 0", f"{KINGS} b L2Pn11p 1"),
        ("two-piece", "lnsgkgsnl/9/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL w - 1"),
        ("4k4/9/9/9/9/9/9/9/9 b R 1", "4k4/9/9/9/9/9/9/9/9 b R 1"),  # a mating problem: Black has no king
    ],
)
def test_sfen_is_read_liberally_and_written_strictly(given, written):
    assert Position(GAME, given).text() == written


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "four fields"),
        ("queen", "or give startpos or a handicap's name"),
        ("startpos moves 7g7f", "a position has no moves; give what stands before them"),
        ("x" * 1000, "^'x{200}'[.]{3} is no shogi position"),
        (f"{KINGS} b - 1 extra", "four fields"),
        ("9/9 b - 1", "nine ranks"),
        (f"{KINGS} x - 1", "must be b or w, not 'x'"),
        (f"{KINGS} b - one", "the move number must be a number, not 'one'"),
        (f"{KINGS} b 3X 1", "the hands are - or such as RB2p, not '3X'"),
        (f"{KINGS} b 0P 1", "0P is nothing"),
        ("4k4/8/9/9/9/9/9/9/4K4 b - 1", "rank b, '8', has 8 squares"),
        ("4k4/9p/9/9/9/9/9/9/4K4 b - 1", "rank b, '9p', has 10 squares"),
        ("4k4/4x4/9/9/9/9/9/9/4K4 b - 1", "rank b, '4x4': 'x' is no piece"),
        ("4k4/4+g4/9/9/9/9/9/9/4K4 b - 1", "'[+]g' is no piece"),
        ("3kk4/9/9/9/9/9/9/9/9 b - 1", "White has two kings"),
        ("4k4/9/9/9/9/9/9/9/4K4 b 3R 1", "there are 3 rooks, more than 2"),
        ("4k4/9/9/9/9/P8/P8/9/4K4 b - 1", "Black has two pawns on file 9"),
        ("4k4/9/9/9/9/9/9/9/4K3p b - 1", "the pawn on 1i could never move"),
        ("4k4/N8/9/9/9/9/9/9/4K4 b - 1", "the knight on 9b could never move"),
        ("4k4/4R4/9/9/9/9/9/9/4K4 b - 1", "White is in check, but it is not White's turn"),
    ],
)
def test_impossible_positions_are_refused_with_the_rule(text, why):
    with pytest.raises(BadNotation, match=why):
        Position(GAME, text)


@pytest.mark.parametrize(
    ("sfen", "move", "error", "why"),
    [
        (START, "7g7e", IllegalMove, "illegal move 7g7e in .* the pawn on 7g cannot go to 7e"),
        (START, "5e5d", IllegalMove, "Black has no piece on 5e"),
        (START, "3c3d", IllegalMove, "Black has no piece on 3c"),
        (START, "8h7g", IllegalMove, "Black's own pawn stands on 7g"),
        (START, "8h2b", IllegalMove, "the bishop on 8h cannot go to 2b"),
        (START, "7g7f+", IllegalMove, "a piece promotes only when it enters, leaves or moves within"),
        (START, "P*5e", IllegalMove, "Black has no pawn in hand"),
        (f"{KINGS} b P 1", "P*5a", IllegalMove, "5a is occupied"),
        (f"{KINGS} b P 1", "P*4a", IllegalMove, "a pawn dropped on 4a could never move"),
        (f"{KINGS} b N 1", "N*4b", IllegalMove, "a knight dropped on 4b could never move"),
        ("4k4/9/9/9/9/9/P8/9/4K4 b P 1", "P*9e", IllegalMove, "Black has a pawn on file 9 already"),
        ("4k4/P8/9/9/9/9/9/9/4K4 b - 1", "9b9a", IllegalMove, "a pawn on 9a could never move again: it must promote"),
        ("4k4/9/9/9/9/9/9/9/3GK4 b - 1", "6i7h+", IllegalMove, "a gold does not promote"),
        ("4k4/9/9/9/4r4/9/9/4G4/4K4 b - 1", "5h6h", IllegalMove, "Black's king would be in check"),
        ("4k4/9/9/9/4r4/9/9/9/4K4 b P 1", "P*4e", IllegalMove, "Black's king would be in check"),
        (START, "1a2b2c", BadNotation, "is no move: USI such as 7g7f"),
        (START, "7g8d", BadNotation, "'7g8d' in lnsg.*: no piece moves from 7g to 8d"),
        (START, "７六金", BadNotation, "in lnsg.*: no gold .金. can go to 7f"),
        (START, "▲７六歩成", BadNotation, "in lnsg.*: a piece promotes only when it enters"),
        (START, "▲５八玉成", BadNotation, "a king does not promote"),
        (f"{KINGS} b P 1", "５五歩成", BadNotation, "no pawn .歩. can go to 5e"),
        (f"{KINGS} b P 1", "５一歩", BadNotation, "5a is occupied"),
        (START, "x" * 1000, BadNotation, "'x{200}'[.]{3} in lnsg"),
        (START, "K*5e", BadNotation, "is no move"),
    ],
)
def test_bad_moves_are_named_with_position_and_rule(sfen, move, error, why):
    with pytest.raises(error, match=why):
        Position(GAME, sfen).play(move)


def test_board_hands_and_drawing():
    position = Position(GAME, "lnsgk1snl/1r4gb1/p1pppp2p/6pR1/9/2P6/P2PPPP1P/1B7/LNSGKGSNL b P2p 1")
    board = position.board()
    assert board[0].tolist() == [-2, -3, -4, -5, -8, 0, -4, -3, -2]
    assert board[3, 7] == 7  # Black's rook on 2d
    assert GAME.hands(position.state)[0].tolist() == [0, 1, 0, 0, 0, 0, 0, 0]
    assert GAME.hands(position.state)[1, 1] == 2
    drawn = str(position).splitlines()
    assert drawn[0] == "White holds P2"
    assert drawn[1].split() == list("987654321")
    assert drawn[5] == "  .  .  .  .  .  .  p  R  . d"
    assert drawn[-1] == "Black holds P"


def test_handicaps_have_white_to_move_and_miss_what_they_say():
    assert GAME.position_text(GAME.handicap("even")) == START
    assert GAME.position_text(GAME.handicap("ten-piece")).split()[:2] == [
        "4k4/9/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL",
        "w",
    ]
    assert len(GAME.handicap("rook", 3)) == 3
    with pytest.raises(ValueError, match="unknown handicap 'queen'; there are: even, lance"):
        GAME.handicap("queen")
