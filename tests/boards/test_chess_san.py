"""SAN: the two readers agree on every spelling, and what is written is python-chess's."""

import random

import chess
import chess.pgn
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.boards.chess import Chess
from sakiyomi.boards.game import BadNotation, IllegalMove
from sakiyomi.sgf.pgn_columns import Stop, read_columns, san_texts

SEEDS = st.integers(0, 2**32)
FIGURINES = str.maketrans("KQRBNP", "♔♕♖♗♘♙")


def spellings(rng, board):
    """Texts that may or may not be moves on the board: all the pieces to all squares, with origins and promotions."""
    texts = set()
    for move in list(board.legal_moves) + [m for m in board.pseudo_legal_moves if rng.random() < 0.5]:
        piece = board.piece_type_at(move.from_square)
        letter = "" if piece == chess.PAWN else chess.piece_symbol(piece).upper()
        origin, to = chess.square_name(move.from_square), chess.square_name(move.to_square)
        became = f"={chess.piece_symbol(move.promotion).upper()}" if move.promotion else ""
        hints = ("", origin[0], origin[1], origin) if letter else ("", origin[0])
        texts |= {letter + hint + takes + to + became for hint in hints for takes in ("", "x")}
        texts |= {move.uci(), letter + to, letter + to + became.lower().replace("=", "")}
    texts |= {text.translate(FIGURINES) for text in rng.sample(sorted(texts), len(texts) // 4)}
    for _ in range(20):
        texts.add(rng.choice(["", *"NBRQK"]) + rng.choice(["", *"abcdefgh"]) + rng.choice(chess.SQUARE_NAMES))
    return sorted(texts | {"O-O", "O-O-O", "O–O", "0−0−0"})


def expected(game, state, text):
    """The action that notation.parse finds legal, or the fault."""
    try:
        action = game.parse_move(state, text)
    except IllegalMove:
        return Stop.ILLEGAL
    except BadNotation as error:
        return Stop.AMBIGUOUS if "ambiguous" in str(error) or "become" in str(error) else Stop.ILLEGAL
    return action if game.legal(state)[0, action] else Stop.ILLEGAL


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.booleans())
def test_san_is_read_as_notation_reads_it(seed, chess960):
    rng = random.Random(seed)
    board = chess.Board.from_chess960_pos(rng.randrange(960)) if chess960 else chess.Board()
    for _ in range(rng.randrange(100)):
        moves = [m for m in board.legal_moves if m.promotion not in (chess.QUEEN,)] or list(board.legal_moves)
        if not moves:
            break
        board.push(rng.choice(moves))
    check_spellings(board, rng)


AMBIGUOUS_POSITIONS = [
    "4k3/8/8/8/1b6/8/3N1N2/4K3 w - - 0 1",  # a pinned knight
    "4k3/8/8/8/8/R6R/8/R3K2R w KQ - 0 1",
    "Q3Q3/7k/Q7/8/8/8/8/K7 w - - 0 1",
    "8/P1P4k/8/8/8/8/8/K7 w - - 0 1",
    "1n1n3k/P1P5/8/8/8/8/8/K7 w - - 0 1",
    "8/8/8/K1pP3r/8/8/8/7k w - c6 0 1",  # taking en passant would open the rank
    "k7/8/8/2PpP3/8/8/8/K7 w - d6 0 1",
    "r3k2r/8/8/8/8/8/8/R3K1NR b KQkq - 0 1",
    "4k3/8/8/8/8/8/4r3/R3K2R w KQ - 0 1",
]


@pytest.mark.parametrize("fen", AMBIGUOUS_POSITIONS)
def test_san_with_rivals_pins_and_promotions(fen):
    check_spellings(chess.Board(fen), random.Random(0))


def check_spellings(board, rng):
    game = Chess(chess960=board.chess960)
    fen = board.shredder_fen() if board.chess960 else board.fen()
    state, texts = game.parse_position(fen), spellings(rng, board)
    variant = '[Variant "Chess960"]\n' if board.chess960 else ""
    data = "".join(f'{variant}[FEN "{fen}"]\n\n{text} *\n\n' for text in texts)
    columns, _ = read_columns(data.encode())
    assert len(columns) == len(texts)
    for number, text in enumerate(texts):
        plays = columns.actions[columns.moves(number)]
        found = int(plays[0]) if len(plays) else Stop(columns.faults[number])
        assert found == expected(game, state, text), f"{text} in {fen}"


# --- writing


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_san_is_written_as_python_chess_writes_it(seed):
    rng, games, written = random.Random(seed), [], []
    for _ in range(4):
        game = chess.pgn.Game()
        board = chess.Board.from_chess960_pos(rng.randrange(960)) if rng.random() < 0.5 else chess.Board()
        game.setup(board)
        if board.chess960:
            game.headers["Variant"] = "Chess960"
        node = game
        while board.ply() < 160 and (moves := list(board.legal_moves)):
            forcing = [m for m in moves if board.is_castling(m) or m.promotion or board.gives_check(m)]
            move = rng.choice(forcing if forcing and rng.random() < 0.5 else moves)
            node = node.add_variation(move)
            written.append(board.san_and_push(move))
        games.append(str(game))
    columns, _ = read_columns("\n\n".join(games).encode())
    lengths = np.diff(columns.move_firsts)
    assert san_texts(columns.states, columns.actions, lengths, columns.chess960) == written


@pytest.mark.parametrize(
    "fen", [*AMBIGUOUS_POSITIONS, "7k/5Q2/8/8/8/8/8/K5R1 w - - 0 1", "6rk/6pp/8/6N1/8/8/8/K7 w - -"]
)
def test_san_of_every_move_is_strict(fen):
    game = Chess()
    state = game.parse_position(fen)
    actions = game.legal_actions(state)[0][0]
    actions = actions[actions >= 0]
    states = np.repeat(state, len(actions))
    texts = san_texts(states, actions, np.ones(len(actions), np.int64), np.zeros(len(actions), np.bool_))
    assert texts == [game.san(state, action) for action in actions]


def test_san_needs_as_many_actions_as_plies():
    with pytest.raises(ValueError, match="shape"):
        san_texts(Chess().new(1), np.zeros(3, np.int32), np.array([2]), np.zeros(1, np.bool_))


@pytest.mark.parametrize(
    "text",
    [
        "a1–a5",
        "♖a5",
        "b8=♕",
        "b8♛+",
        "♔e1−d1",
        "O–O",
        "a1-a5",
        "a1xa5",
        "e1-g1",
        "e1g1+",
        "a1a8+",
        "a1a8!",
        "Ke1-d1",
        "b7-b8=N+",
        "b7b8(Q)#",
    ],
)
def test_moves_told_by_both_squares_are_read_alike_here_and_by_the_game(text):
    fen = "4k3/1P6/8/8/8/8/8/R3K2R w KQ - 0 1"
    columns, _ = read_columns(f'[FEN "{fen}"]\n\n1. {text} *\n'.encode())
    game = Chess()
    assert columns.actions.tolist() == [game.parse_move(game.parse_position(fen), text)]
