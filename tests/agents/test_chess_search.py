"""The chess search against plain minimax, its evaluation against NumPy, its exchanges against trying them out."""

import time
from threading import Event, Timer

import chess
import numpy as np
import pytest

from sakiyomi.agents.parts.alphabeta import chess_captures, chess_evaluation
from sakiyomi.agents.parts.alphabeta import nodes as search_nodes
from sakiyomi.agents.parts.alphabeta import table as search_table
from sakiyomi.agents.parts.alphabeta.chess_search import ROW
from sakiyomi.agents.parts.alphabeta.chess_thinking import ChessSearcher
from sakiyomi.agents.parts.alphabeta.deepening import Limits, thought_of
from sakiyomi.agents.parts.alphabeta.nodes import EVERYTHING, INFINITE, QUIESCENCE, TABLE
from sakiyomi.agents.parts.alphabeta.table import MATE, WON
from sakiyomi.boards import Ending, Position
from sakiyomi.boards.chess import Chess, notation, rules
from sakiyomi.boards.chess.state import CASTLE, HOT, MOST_MOVES

U = np.uint64
GAME = Chess()
FENS = [
    "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1",
    "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1",
    "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1",
    "r2q1rk1/pP1p2pp/Q4n2/bbp1p3/Np6/1B3NBn/pPPP1PPP/R3K2R b KQ - 0 1",
    "rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8",
    "r4rk1/1pp1qppp/p1np1n2/2b1p1B1/2B1P1b1/P1NP1N2/1PP1QPPP/R4RK1 w - - 0 10",
    "8/8/4k3/3pP3/3K4/8/8/8 w - d6 0 2",
    "4k3/8/8/8/8/8/r7/4K2R w K - 97 60",
    "5k2/5P2/5K2/8/8/8/8/8 w - - 0 1",
    "k7/8/1K6/8/8/8/8/7R w - - 99 80",
]
MATES = {
    1: [
        "6k1/5ppp/8/8/8/8/5PPP/R5K1 w - - 0 1",
        "r1bqkb1r/pppp1ppp/2n2n2/4p2Q/2B1P3/8/PPPP1PPP/RNB1K1NR w KQkq - 4 4",
        "rnbqkbnr/pppp1ppp/8/4p3/6P1/5P2/PPPPP2P/RNBQKBNR b KQkq - 0 2",
        "k7/8/1K6/8/8/8/8/7R w - - 99 80",  # mate comes before the fifty-move rule
    ],
    2: [
        "5r1k/1b2Nppp/8/2R5/4Q3/8/5PPP/6K1 w - - 0 1",
        "4kb1r/p2n1ppp/4q3/4p1B1/4P3/1Q6/PPP2PPP/2KR4 w k - 0 1",
        "8/6K1/1p1B1RB1/8/2Q5/2n1kP1N/3b4/4n3 w - - 0 1",
        "B7/K1B1p1Q1/5r2/7p/1P1kp1bR/3P3R/1P1NP3/2n5 w - - 0 1",
        "2r1nr1k/pp1q1p1p/3bpp2/5P2/1P1Q4/P3P3/1B3P1P/R3K1R1 w Q - 0 1",
    ],
    3: [
        "r5rk/5p1p/5R2/4B3/8/8/7P/7K w - - 0 1",
        "r1b1kb1r/pppp1ppp/5q2/4n3/3KP3/2N3PN/PPP4P/R1BQ1B1R b kq - 0 1",
        "r3k2r/ppp2Npp/1b5n/4p2b/2B1P2q/BQP2P2/P5PP/RN5K w kq - 1 1",
        "r2n1rk1/1ppb2pp/1p1p4/3Ppq1n/2B3P1/2P4P/PP1N1P1K/R2Q1RN1 b - - 0 1",
        "3q1r1k/2p4p/1p1pBrp1/p2Pp3/2PnP3/5PP1/PP1Q2K1/5R1R w - - 1 1",
        "6k1/ppp2ppp/8/2n2K1P/2P2P1P/2Bpr3/PP4r1/4RR2 b - - 0 1",
    ],
    4: [
        "7R/r1p1q1pp/3k4/1p1n1Q2/3N4/8/1PP2PPP/2B3K1 w - - 1 1",
    ],
}
# Positions with one good move (F. Reinfeld, "Win at Chess", 1945; the Bratko-Kopec test, 1982).
TACTICS = [
    ("2rr3k/pp3pp1/1nnqbN1p/3pN3/2pP4/2P3Q1/PPB4P/R4RK1 w - - 0 1", "Qg6"),
    ("5rk1/1ppb3p/p1pb4/6q1/3P1p1r/2P1R2P/PP1BQ1P1/5RKN w - - 0 1", "Rg3"),
    ("r1bq2rk/pp3pbp/2p1p1pQ/7P/3P4/2PB1N2/PP3PPR/2KR4 w - - 0 1", "Qxh7+"),
    ("5k2/6pp/p1qN4/1p1p4/3P4/2PKP2Q/PP3r2/3R4 b - - 0 1", "Qc4+"),
    ("7k/p7/1R5K/6r1/6p1/6P1/8/8 w - - 0 1", "Rb7"),
    ("rnbqkb1r/pppp1ppp/8/4P3/6n1/7P/PPPNPPP1/R1BQKBNR b KQkq - 0 1", "Ne3"),
    ("r4q1k/p2bR1rp/2p2Q1N/5p2/5p2/2P5/PP3PPP/R5K1 w - - 0 1", "Rf7"),
    ("3q1rk1/p4pp1/2pb3p/3p4/6Pr/1PNQ4/P1PB1PP1/4RRK1 b - - 0 1", "Bh2+"),
    ("2br2k1/2q3rn/p2NppQ1/2p1P3/Pp5R/4P3/1P3PPP/3R2K1 w - - 0 1", "Rxh7"),
    ("1k1r4/pp1b1R2/3q2pp/4p3/2B5/4Q3/PPP2B2/2K5 b - - 0 1", "Qd1+"),
    ("2r3k1/1p2q1pp/2b1pr2/p1pp4/6Q1/1P1PP1R1/P1PN2PP/5RK1 w - - 0 1", "Qxg7+"),
    ("3rn2k/ppb2rpp/2ppqp2/5N2/2P1P3/1P5Q/PB3PPP/3RR1K1 w - - 0 1", "Nh6"),
]
NUMPY_TABLES = [np.array(table).reshape(6, 8, 8) for table in (chess_evaluation.MIDDLE_GAME, chess_evaluation.ENDGAME)]


def reference_evaluation(board):
    """The value for the mover, by the tables as they are printed."""
    sums, phase = np.zeros(2, np.int64), 0
    for square, piece in board.piece_map().items():
        kind, x, y = piece.piece_type - 1, square % 8, square // 8
        row = 7 - y if piece.color else y  # the tables have rank 8 first, as the owner sees it
        sign = 1 if piece.color == board.turn else -1
        sums += [sign * table[kind, row, x] for table in NUMPY_TABLES]
        phase += (0, 1, 1, 2, 3, 0)[kind]
    phase = min(phase, 22)
    return int((sums[0] * phase + sums[1] * (22 - phase)) // 22) + chess_evaluation.TEMPO


def quiet_value(board, ply, alpha, beta):
    """The reference for the quiet search: alpha-beta by the book."""
    if board.is_insufficient_material():
        return 0
    if board.is_check():
        moves, best = list(board.legal_moves), ply - MATE
    else:
        best = reference_evaluation(board)
        moves = [move for move in board.legal_moves if board.is_capture(move) or move.promotion]
    moves.sort(key=lambda move: -(board.piece_type_at(move.to_square) or 0))
    for move in moves:
        if best >= beta:
            break
        board.push(move)
        best = max(best, -quiet_value(board, ply + 1, -beta, -max(alpha, best)))
        board.pop()
    return best


def minimax(board, depth, quiesce=False, ply=0, alpha=-INFINITE, beta=INFINITE):
    """The value for the mover by trying everything; draws as the search sees them.

    Before a quiet search, which would take for ever, what `alpha` and `beta` make pointless is left out.
    """
    if ply:
        if board.is_insufficient_material() or board.is_repetition(2):
            return 0
        if board.halfmove_clock >= 100 and not board.is_checkmate():
            return 0
        if depth == 0:
            return quiet_value(board, ply, alpha, beta) if quiesce else reference_evaluation(board)
    moves = sorted(board.legal_moves, key=lambda move: -(board.piece_type_at(move.to_square) or 0))
    if not moves:
        return ply - MATE if board.is_check() else 0
    best = -INFINITE
    for move in moves:
        board.push(move)
        best = max(best, -minimax(board, depth - 1, quiesce, ply + 1, -beta, -max(alpha, best)))
        board.pop()
        if quiesce and best >= beta:
            break
    return best


def searched(position, depth, features, choices=None):
    """What the searcher finds, without random bonuses."""
    choices = choices or notation.moves(position.state)
    searcher = ChessSearcher(GAME, 1, features)
    return searcher.search(position.state, choices, np.zeros(len(choices), np.int64), Limits(depth))


def random_boards(seed, count, chess960=False, most=80):
    """Positions of random games, as boards of python-chess with their history."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        board = chess.Board.from_chess960_pos(int(rng.integers(960))) if chess960 else chess.Board()
        for _ in range(int(rng.integers(1, most))):
            board.push(list(board.legal_moves)[int(rng.integers(board.legal_moves.count()))])
            if board.is_game_over():
                board.pop()
                break
        yield board


def position_of(board):
    """Our position with the same history."""
    position = Position(Chess(chess960=board.chess960), board.root().fen())
    for move in board.move_stack:
        position.play(move.uci())
    return position


def row_of(state):
    """The words that the search keeps of a position."""
    row = np.zeros(2 * int(ROW), np.uint64)
    row[: int(HOT)] = state.view(np.uint64)[: int(HOT)]
    return row


# --- evaluation


@pytest.mark.parametrize("chess960", [False, True])
def test_evaluation_is_that_of_the_tables_and_turns_with_the_colours(chess960):
    for board in random_boards(1, 30, chess960):
        for one in (board, board.mirror()):
            row = row_of(Position(Chess(chess960), one.fen()).state)
            pair = chess_evaluation.sum_pairs(row, U(0))
            value = int(chess_evaluation.blend(pair, chess_evaluation.phase(row, U(0))))
            assert value == reference_evaluation(one) == reference_evaluation(board)


@pytest.mark.parametrize("chess960", [False, True])
def test_each_move_gains_what_the_position_after_it_is_worth(chess960):
    flags = set()
    boards = [*random_boards(2, 60, chess960, most=200), *([] if chess960 else map(chess.Board, FENS))]
    for board in boards:
        state = position_of(board).state
        before = chess_evaluation.sum_pairs(row_of(state), U(0))
        for move in notation.moves(state):
            after = state.copy()
            rules.make_rows(0, 1, after.view(np.uint64), np.array([move], np.uint16))
            gain = chess_evaluation.gain(row_of(state), U(0), U(move))
            assert chess_evaluation.sum_pairs(row_of(after), U(0)) == -(before + gain), (board.fen(), move)
            flags.add(move >> 12)
    assert flags >= {0, 1, int(CASTLE), 4, 5, 6, 7}


# --- captures and exchanges


@pytest.mark.parametrize("chess960", [False, True])
def test_captures_and_promotions_are_listed(chess960):
    fens = [] if chess960 else FENS
    for board in [*random_boards(3, 60, chess960, most=200), *map(chess.Board, fens)]:
        if board.is_check():
            continue
        state = Position(Chess(chess960), board.fen()).state
        moves = np.zeros(MOST_MOVES, np.uint16)
        count = int(chess_captures.list_captures(row_of(state), U(0), moves, U(0)))
        game = Chess(chess960)
        found = sorted(game.move_text(state, notation.action_of(int(m), chess960)) for m in moves[:count])
        wanted = [m for m in board.legal_moves if (board.is_capture(m) or m.promotion) and not board.is_castling(m)]
        assert found == sorted(move.uci() for move in wanted), board.fen()


def exchange(board, square, worth):
    """What the mover wins by taking on `square` with his least valuable piece as long as it pays; pins left aside."""
    takers = [s for s in board.attackers(board.turn, square) if board.color_at(s) == board.turn]
    if not takers:
        return 0
    taker = min(takers, key=lambda s: worth[board.piece_type_at(s)])
    victim = worth[board.piece_type_at(square)]
    after = board.copy(stack=False)
    after.set_piece_at(square, after.remove_piece_at(taker))
    after.turn = not board.turn
    if board.piece_type_at(taker) == chess.KING and after.attackers(after.turn, square):
        return 0
    return max(0, victim - exchange(after, square, worth))


def test_exchanges_lose_what_trying_them_out_loses():
    worth = dict(enumerate(chess_captures.WORTH.tolist(), start=1))
    tried = {True: 0, False: 0}
    for board in random_boards(4, 60, most=120):
        state = Position(GAME, board.fen()).state
        for move in notation.moves(state):
            text = chess.Move.from_uci(GAME.move_text(state, notation.action_of(move, False)))
            if not board.is_capture(text) or text.promotion:
                continue
            after = board.copy(stack=False)
            victim = worth[chess.PAWN if board.is_en_passant(text) else board.piece_type_at(text.to_square)]
            after.push(text)
            won = victim - exchange(after, text.to_square, worth)
            loses = bool(chess_captures.loses_material(row_of(state), U(0), U(move)))
            assert loses == (won < 0), (board.fen(), text.uci())
            tried[loses] += 1
    assert min(tried.values()) > 20


# --- the table


def test_table_gives_back_what_was_stored():
    table, rng = np.zeros(4 * 64, np.uint64), np.random.default_rng(5)
    for _ in range(300):
        key, move = U(rng.integers(1 << 63)), U(rng.integers(1, 1 << 16))
        depth, bound, ply = int(rng.integers(1, 100)), int(rng.integers(1, 4)), U(rng.integers(100))
        value = int(rng.choice([rng.integers(-WON, WON), MATE - 120, 120 - MATE]))
        table[:] = 0
        search_table.store(table, key, move, depth, U(bound), value, ply, U(rng.integers(256)))
        entry = U(search_table.probe(table, key))
        assert entry & search_table.MOVE_BITS == move
        assert (search_table.depth_of(entry), search_table.bound_of(entry)) == (depth, bound)
        assert search_table.value_of(entry, ply) == value
        assert search_table.probe(table, key ^ U(1)) == 0
        mate = abs(value) > WON
        nearer = search_table.value_of(entry, U(0))
        assert abs(nearer) == abs(value) + (int(ply) if mate else 0)


def test_table_keeps_the_deep_and_the_new():
    table = np.zeros(4, np.uint64)

    def put(key, depth, age):
        search_table.store(table, U(key), U(1), depth, U(1), 0, U(0), U(age))

    def kept():
        return {key for key in range(1, 9) if search_table.probe(table, U(key))}

    put(1, 9, 0)
    put(2, 3, 0)
    put(3, 4, 0)
    assert kept() == {1, 3}  # the deepest and the last
    put(4, 9, 0)
    assert kept() == {4, 3}
    put(5, 1, 1)
    assert kept() == {5, 3}  # of an earlier search, however deep


# --- values


@pytest.mark.parametrize("fen", FENS)
@pytest.mark.parametrize("features", [0, TABLE])
def test_value_is_that_of_minimax(fen, features):
    board = chess.Board(fen)
    for depth in (1, 2, 3):
        if depth == 3 and board.legal_moves.count() > 21:
            continue
        assert searched(Position(GAME, fen), depth, features).value == minimax(board, depth)


@pytest.mark.parametrize("fen", [*FENS[:1], *FENS[2:3], *FENS[4:]])
@pytest.mark.parametrize("features", [QUIESCENCE, QUIESCENCE | TABLE])
def test_value_with_quiet_search_is_that_of_minimax(fen, features):
    for depth in (1, 2) if fen != FENS[5] else (1,):
        value = minimax(chess.Board(fen), depth, quiesce=True)
        assert searched(Position(GAME, fen), depth, features).value == value


@pytest.mark.parametrize("chess960", [False, True])
def test_value_with_history_is_that_of_minimax(chess960):
    for board in random_boards(6, 4, chess960):
        position = position_of(board)
        assert searched(position, 2, 0).value == minimax(board, 2)
        assert searched(position, 1, QUIESCENCE).value == minimax(board, 1, quiesce=True)


@pytest.mark.slow
@pytest.mark.parametrize("features", [0, TABLE, QUIESCENCE, QUIESCENCE | TABLE])
def test_value_of_many_positions_is_that_of_minimax(features):
    for board in [*map(chess.Board, FENS), *random_boards(7, 25)]:
        for depth in (1, 2, 3) if board.legal_moves.count() < 25 else (1, 2):
            value = minimax(board, depth, features & QUIESCENCE != 0)
            assert searched(position_of(board), depth, features).value == value


def test_windows_and_depths_before_change_no_value():
    """Iterative deepening with narrow windows finds what one look with an open window finds."""
    for fen in FENS:
        position = Position(GAME, fen)
        found = searched(position, 6 if len(notation.moves(position.state)) < 25 else 4, QUIESCENCE)
        searcher = ChessSearcher(GAME, 1, QUIESCENCE)
        moves = np.array(notation.moves(position.state), np.uint16)
        searcher.set_up(position.state)
        searcher.deepening.control[search_nodes.MOST_NODES] = 1 << 62
        once = searcher.deepening.iterate(moves, np.zeros(len(moves), np.int64), found.depth, WON)
        assert once.value == found.value


# --- what it finds


@pytest.mark.parametrize(("moves", "fen"), [(moves, fen) for moves, fens in MATES.items() for fen in fens])
def test_mates_are_found(moves, fen):
    position = Position(GAME, fen)
    choices = notation.moves(position.state)
    found = ChessSearcher(GAME, 4).search(
        position.state, choices, np.zeros(len(choices), np.int64), Limits(nodes=3_000_000)
    )
    assert found.value == MATE - (2 * moves - 1)
    assert thought_of(found, (), 400, 0.0).mate == moves
    for move in ChessSearcher(GAME, 1).texts(position.state, found.play):
        position.play(move)
    outcome = position.outcome()
    assert (outcome.winner, outcome.ending) == (int(fen.split()[1] == "b"), Ending.CHECKMATE)


def test_being_mated_is_told():
    position = Position(GAME, "6k1/R7/1R6/8/8/8/8/6K1 b - - 0 1")
    found = searched(position, 4, EVERYTHING)
    thought = thought_of(found, (), 400, 0.0)
    assert (found.value, thought.mate, thought.value, thought.centipawns) == (2 - MATE, -1, -1.0, None)


def value_of(fen, depth, moves=()):
    position = Position(GAME, fen)
    for move in moves:
        position.play(move)
    return searched(position, depth, EVERYTHING).value


def test_draws_by_rule():
    assert value_of("k7/P7/8/1K6/8/8/8/8 w - - 0 1", 8) == 0  # stalemate, or the pawn is lost
    assert value_of("8/8/8/4k3/8/8/6n1/K6R b - - 0 1", 1) < 0
    assert value_of("8/8/8/4k3/8/8/5n2/K6R b - - 0 1", 1) == 0  # takes the rook: one knight cannot mate
    assert value_of("7k/8/8/8/8/8/R7/K7 w - - 99 80", 6) == 0
    assert value_of("7k/8/8/8/8/8/R7/K7 w - - 0 80", 6) > 300


def test_repetition_is_a_draw():
    """Black, two queens down, checks for ever; a rook up, a move that brings a position back is worth nothing."""
    assert value_of("6k1/5pp1/8/8/7q/8/QQ4P1/6K1 b - - 0 1", 8) == 0
    assert value_of("6k1/5pp1/8/8/8/8/QQ4P1/6K1 b - - 0 1", 4) < -500
    position = Position(GAME, "7k/8/8/8/8/8/R7/1K6 b - - 0 1")
    for move in ("h8g8", "a2a1", "g8h8"):
        position.play(move)
    state = position.state
    back = [m for m in notation.moves(state) if GAME.move_text(state, notation.action_of(m, False)) == "a1a2"]
    assert searched(position, 4, EVERYTHING, back).value == 0
    assert searched(position, 4, EVERYTHING).value > 300


@pytest.mark.slow
@pytest.mark.parametrize(("fen", "best"), TACTICS)
def test_tactics(fen, best):
    position = Position(GAME, fen)
    choices = notation.moves(position.state)
    found = ChessSearcher(GAME, 64).search(
        position.state, choices, np.zeros(len(choices), np.int64), Limits(nodes=20_000_000)
    )
    assert notation.san(position.state, found.play[0]).rstrip("+#") == best.rstrip("+#")


# --- limits


def test_nodes_are_kept_to_exactly():
    position = Position(GAME, FENS[1])
    choices = notation.moves(position.state)
    bonus = np.zeros(len(choices), np.int64)
    for nodes in (1, 2, 47, 1000, 12_345):
        found = ChessSearcher(GAME).search(position.state, choices, bonus, Limits(nodes=nodes))
        again = ChessSearcher(GAME).search(position.state, choices, bonus, Limits(nodes=nodes))
        assert found == again
        assert found.play[0] in choices
        assert found.nodes <= nodes
        searcher = ChessSearcher(GAME)
        searcher.search(position.state, choices, bonus, Limits(nodes=nodes))
        assert searcher.deepening.control[search_nodes.NODES] == nodes


def test_stops_at_once():
    """When told to, or when the time is over; of three tries the best counts, as the machine may be busy."""
    position = Position(GAME, FENS[5])
    choices = notation.moves(position.state)
    bonus = np.zeros(len(choices), np.int64)
    searcher, late = ChessSearcher(GAME), {"stop": 9.0, "seconds": 9.0}
    searcher.search(position.state, choices, bonus, Limits(2))
    for _ in range(3):
        stop = Event()
        Timer(0.1, stop.set).start()
        began = time.monotonic()
        found = searcher.search(position.state, choices, bonus, Limits(), stop)
        late["stop"] = min(late["stop"], time.monotonic() - began - 0.1)
        began = time.monotonic()
        searcher.search(position.state, choices, bonus, Limits(seconds=0.1))
        late["seconds"] = min(late["seconds"], time.monotonic() - began - 0.1)
        assert found.depth > 4
    assert max(late.values()) < 0.05
    stop.set()
    assert searcher.search(position.state, choices, bonus, Limits(), stop).play[0] in choices


def test_settings():
    with pytest.raises(ValueError, match="whole number of 1 or more megabytes, got 0"):
        ChessSearcher(GAME, 0)
