"""The shogi search against plain minimax, its evaluation against NumPy, its exchanges against trying them out."""

import cshogi
import numpy as np
import pytest

from sakiyomi.agents.parts.alphabeta import nodes as search_nodes
from sakiyomi.agents.parts.alphabeta import shogi_captures, shogi_evaluation, shogi_search, shogi_values
from sakiyomi.agents.parts.alphabeta.deepening import Limits
from sakiyomi.agents.parts.alphabeta.nodes import EVERYTHING, INFINITE, QUIESCENCE, TABLE
from sakiyomi.agents.parts.alphabeta.shogi_search import PERPETUAL, QUIET_PLIES, ROW
from sakiyomi.agents.parts.alphabeta.shogi_thinking import ShogiSearcher
from sakiyomi.agents.parts.alphabeta.table import MATE, WON
from sakiyomi.boards import Position
from sakiyomi.boards.shogi import Shogi, rules, usi
from sakiyomi.boards.shogi.state import HOT, MOST_MOVES

U = np.uint64
GAME = Shogi()
START = "lnsgkgsnl/1r5b1/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL b - 1"
CROWDED = "l6nl/5+P1gk/2np1S3/p1p4Pp/3P2Sp1/1PPb2P1P/P5GS1/R8/LN4bKL w GR5pnsg 1"
SFENS = [
    START,
    "ln1gk2nl/1rs3gb1/p1pppp1pp/1p4p2/9/2P6/PPBPPPPPP/4K2R1/LNSG1GSNL w s 10",
    "4k4/9/4P4/9/9/9/9/9/4K4 b G 1",
    "3sks3/9/4+P4/9/9/9/9/4r4/3K5 w gp 1",
    "8k/6+P2/9/9/9/9/9/2b6/K8 b 2GNr2p 1",
    "9/2k2g3/1ppP5/9/3B5/9/PP7/1K1+r5/9 b Lsp 31",
]


def pieces_of(board):
    """(kind as in `boards.shogi.state`, white, file, rank) of each piece, files from the right, both from 0."""
    kinds = (0, 1, 2, 3, 4, 6, 7, 5, 8, 9, 10, 11, 12, 14, 15)  # cshogi has the gold behind the rook
    for square, piece in enumerate(board.pieces):
        if piece:
            yield kinds[piece & 15], piece >> 4, square // 9, square % 9


def hands_of(board):
    """Counts by hand and kind, pawn to rook."""
    return [list(hand) for hand in board.pieces_in_hand]


def numbers(half):
    """The printed numbers by table: places [14, 9, 5], own king and enemy king [13, 9, 5], hands by kind."""
    board = np.array(getattr(shogi_values, half))
    held, hands = list(getattr(shogi_values, f"{half}_HELD")), []
    for most in shogi_values.HELD:
        hands.append(held[: most + 1])
        held = held[most + 1 :]
    assert not held
    places, own, enemy = np.split(board, [14 * 45, 27 * 45])
    return places.reshape(14, 9, 5), own.reshape(13, 9, 5), enemy.reshape(13, 9, 5), hands


HALVES = [numbers("EMPTY_HANDS"), numbers("FULL_HANDS")]
INDEX = {kind: i for i, kind in enumerate((*shogi_values.KINDS, 8))}


def reference_evaluation(board):
    """The value for the mover, by the numbers as they are printed."""
    pieces, hands = list(pieces_of(board)), hands_of(board)
    homes = {0: (4, 8), 1: (4, 8)}  # of kings, as their owner sees the board
    for kind, white, file, rank in pieces:
        if kind == 8:
            homes[white] = (8 - file, 8 - rank) if white else (file, rank)
    sums = []
    for places, own, enemy, held in HALVES:
        total = 0
        for kind, white, file, rank in pieces:
            x, y = (8 - file, 8 - rank) if white else (file, rank)
            value = places[INDEX[kind], y, min(x, 8 - x)]
            if kind != 8:
                (a, b), (c, d) = homes[white], homes[1 - white]
                value += own[INDEX[kind], np.clip(y - b, -4, 4) + 4, min(abs(x - a), 4)]
                value += enemy[INDEX[kind], np.clip(y - 8 + d, -4, 4) + 4, min(abs(x - 8 + c), 4)]
            total += value if white == board.turn else -value
        for white in (0, 1):
            sign = 1 if white == board.turn else -1
            total += sign * sum(held[kind][count] for kind, count in enumerate(hands[white]))
        sums.append(int(total))
    pieces_held = sum(sum(hand[1:]) for hand in hands)
    empty = max(0, shogi_values.PHASES - pieces_held)
    return (sums[0] * empty + sums[1] * (shogi_values.PHASES - empty)) // shogi_values.PHASES + shogi_values.TEMPO


def is_forcing(board, move):
    """Does the move take something or promote a pawn, bishop or rook, none of which forgoes promotion?"""
    text = cshogi.move_to_usi(move)
    if text[1] == "*":
        return False
    kind = board.piece(cshogi.SQUARES[9 * (int(text[0]) - 1) + "abcdefghi".index(text[1])]) & 15
    zone = "ghi" if board.turn else "abc"
    promotes = text.endswith("+")
    if kind in (cshogi.PAWN, cshogi.BISHOP, cshogi.ROOK):
        return promotes or (bool(cshogi.move_cap(move)) and text[1] not in zone and text[3] not in zone)
    return bool(cshogi.move_cap(move))


def quiet_value(board, ply, last, alpha, beta):
    """The reference for the quiet search: alpha-beta by the book."""
    if ply == last:
        return reference_evaluation(board)
    moves = list(board.legal_moves)
    if board.is_check():
        best = ply - MATE
    else:
        best = reference_evaluation(board)
        moves = [move for move in moves if is_forcing(board, move)]
    moves.sort(key=lambda move: -(cshogi.move_cap(move) & 15))
    for move in moves:
        if best >= beta:
            break
        board.push(move)
        best = max(best, -quiet_value(board, ply + 1, last, -beta, -max(alpha, best)))
        board.pop()
    return best


def repeats(past):
    """What the last of `past`, (position, whether in check) from the first on, makes of the game for the mover."""
    for since in range(len(past) - 3, -1, -2):
        if past[since][0] == past[-1][0]:
            theirs = all(check for _, check in past[since + 2 :: 2])
            ours = all(check for _, check in past[since + 1 :: 2])
            return 0 if ours == theirs else -PERPETUAL if ours else PERPETUAL
    return None


def minimax(board, depth, quiesce=False, past=None, ply=0, alpha=-INFINITE, beta=INFINITE):
    """The value for the mover by trying everything; repetitions as the search sees them.

    Before a quiet search, which would take for ever, what `alpha` and `beta` make pointless is left out.
    """
    past = [*(past or []), (board.sfen().rsplit(" ", 1)[0], board.is_check())]
    if ply:
        found = repeats(past)
        if found is not None:
            return found
        if depth == 0:
            return (
                quiet_value(board, ply, ply + int(QUIET_PLIES), alpha, beta) if quiesce else reference_evaluation(board)
            )
    best = ply - MATE
    for move in sorted(board.legal_moves, key=lambda move: -(cshogi.move_cap(move) & 15)):
        board.push(move)
        best = max(best, -minimax(board, depth - 1, quiesce, past, ply + 1, -beta, -max(alpha, best)))
        board.pop()
        if quiesce and best >= beta:
            break
    return best


def searched(position, depth, features=EVERYTHING, choices=None, nodes=1 << 62):
    """What the searcher finds, without random bonuses."""
    choices = choices or usi.moves(position.state)
    searcher = ShogiSearcher(position.game, 4, features)
    return searcher.search(position.state, choices, np.zeros(len(choices), np.int64), Limits(depth, nodes))


def random_games(seed, count, most=120):
    """Random games: the board of cshogi at their end, our position there, and the past of `minimax`."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        board, position, past = cshogi.Board(), Position(GAME), []
        for _ in range(int(rng.integers(1, most))):
            moves = list(board.legal_moves)
            move = moves[int(rng.integers(len(moves)))]
            after = position.after(cshogi.move_to_usi(move))
            if after.outcome() is not None:
                break
            past.append((board.sfen().rsplit(" ", 1)[0], board.is_check()))
            board.push(move)
            position = after
        yield board, position, past


def row_of(state):
    """The words that the search keeps of a position."""
    row = np.zeros(2 * int(ROW), np.uint64)
    row[: int(HOT)] = state.view(np.uint64)[: int(HOT)]
    return row


def turned(sfen):
    """The position with the colours changed and the board turned."""
    pieces, turn, hands, *_ = sfen.split()
    ranks = []
    for rank in reversed(pieces.split("/")):
        signs = [rank[i - 1 : i + 1] if rank[i - 1 : i] == "+" else rank[i] for i in range(len(rank)) if rank[i] != "+"]
        ranks.append("".join(reversed(signs)).swapcase())
    return f"{'/'.join(ranks)} {'wb'[turn == 'w']} {hands.swapcase()} 1"


# --- evaluation


def value_of_row(row):
    return int(shogi_evaluation.blend(shogi_evaluation.sum_pairs(row, U(0)), shogi_evaluation.phase(row, U(0))))


def test_evaluation_is_that_of_the_numbers_and_turns_with_the_board():
    sfens = [*SFENS, CROWDED, *(board.sfen() for board, *_ in random_games(1, 30, 300))]
    sfens.append("4k4/9/9/9/9/9/9/9/9 b RB2G 1")  # a problem, without a king of Black's
    for sfen in sfens:
        value = value_of_row(row_of(Position(GAME, sfen).state))
        assert value == value_of_row(row_of(Position(GAME, turned(sfen)).state)), sfen
        if sfen.count("K") == 1:
            assert value == reference_evaluation(cshogi.Board(sfen)), sfen


def test_each_move_brings_the_evaluation_of_the_position_after_it():
    kinds = set()
    states = [Position(GAME, sfen).state for sfen in [*SFENS, CROWDED]]
    for state in [*states, *(position.state for _, position, _ in random_games(2, 40, 300))]:
        row = row_of(state)
        row[int(shogi_search.PAIR)] = U(int(shogi_evaluation.sum_pairs(row, U(0))) & (1 << 64) - 1)
        for move in usi.moves(state):
            after = state.copy()
            rules.make_rows(0, 1, after.view(np.uint64), np.array([move], np.uint16))
            shogi_search.step(row, U(0), U(move))
            assert (row[int(ROW) :][: int(HOT)] == row_of(after)[: int(HOT)]).all()
            assert row.view(np.int64)[int(ROW + shogi_search.PAIR)] == shogi_evaluation.sum_pairs(row_of(after), U(0))
            kinds.add((int(shogi_captures.mover(row, U(0), U(move))), move >> 7 & 127 >= 81, move >> 14))
    assert {kind for kind, *_ in kinds} >= {1, 2, 3, 4, 5, 6, 7, 8, 9}
    assert any(dropped for _, dropped, _ in kinds)
    assert any(promotes for *_, promotes in kinds)


# --- captures and exchanges


def test_captures_and_promotions_are_listed():
    boards = [(cshogi.Board(sfen), Position(GAME, sfen)) for sfen in [*SFENS, CROWDED]]
    listed = 0
    for board, position in [*boards, *((b, p) for b, p, _ in random_games(3, 120, 300))]:
        if board.is_check():
            continue
        moves = np.zeros(MOST_MOVES, np.uint16)
        count = int(shogi_captures.list_captures(row_of(position.state), U(0), moves, U(0)))
        searcher = ShogiSearcher(GAME, 1)
        found = sorted(next(searcher.texts(position.state, [int(move)])) for move in moves[:count])
        wanted = [cshogi.move_to_usi(move) for move in board.legal_moves if is_forcing(board, move)]
        assert found == sorted(wanted), board.sfen()
        listed += count
    assert listed > 300


def exchange(position, square, side, removed):
    """What `side` wins by taking on `square`, where a piece of kind `removed` stands, as long as it pays."""
    worth = shogi_captures.WORTH
    w = row_of(position)
    lo, hi = (w[18] | w[20]), (w[19] | w[21])
    t_lo, t_hi = shogi_captures.takers(w, U(0), U(square), U(side), lo, hi)
    squares = [s for s in range(81) if (int(t_lo) | int(t_hi) << 63) >> s & 1]
    if not squares:
        return 0
    taker = min(squares, key=lambda s: worth[int(position["mail"][0, s]) & 15])
    kind = int(position["mail"][0, taker]) & 15
    pieces = {s: int(p) for s, p in enumerate(position["mail"][0]) if p and s not in (taker, square)}
    pieces[square] = kind + 16 * side
    after = usi_record(pieces, side)
    reply = exchange(after, square, 1 - side, kind)
    if kind == 8 and reply > 0:
        return 0
    return max(0, int(worth[removed]) - reply)


def usi_record(pieces, turn):
    from sakiyomi.boards.shogi import sfen

    return sfen.record(pieces, [[0] * 8, [0] * 8], turn, 0)


def test_exchanges_lose_what_trying_them_out_loses():
    """The moves of random positions; pins are not looked at on either side."""
    tried = {True: 0, False: 0}
    for _, position, _ in random_games(4, 60, 200):
        state = position.state
        for move in usi.moves(state):
            row, to = row_of(state), move & 127
            victim = int(shogi_captures.taken(row, U(0), U(move)))
            kind = int(shogi_captures.mover(row, U(0), U(move)))
            if not victim and kind not in (4, 7):
                continue
            after = state.copy()
            rules.make_rows(0, 1, after.view(np.uint64), np.array([move], np.uint16))
            won = int(shogi_captures.WORTH[victim]) + (int(shogi_captures.PROMOTION[kind]) if move >> 14 else 0)
            stands = int(after["mail"][0, to]) & 15
            won -= exchange(after, to, int(after["turn"][0]), stands)
            loses = bool(shogi_captures.loses_material(row, U(0), U(move)))
            assert loses == (won < 0), (position.text(), move)
            tried[loses] += 1
    assert min(tried.values()) > 50


# --- values


@pytest.mark.parametrize("sfen", SFENS)
@pytest.mark.parametrize("features", [0, TABLE])
def test_value_is_that_of_minimax(sfen, features):
    board = cshogi.Board(sfen)
    for depth in (1, 2, 3):
        position = Position(GAME, sfen)
        if GAME.perft(position.state, depth) <= 4_000:
            assert searched(position, depth, features).value == minimax(board, depth)


@pytest.mark.parametrize("features", [QUIESCENCE, QUIESCENCE | TABLE])
def test_value_with_quiet_search_is_that_of_minimax(features):
    for sfen in SFENS:
        for depth in (1, 2):
            board = cshogi.Board(sfen)
            if len(list(board.legal_moves)) ** depth > 2_000:
                continue
            assert searched(Position(GAME, sfen), depth, features).value == minimax(board, depth, quiesce=True), sfen


def test_value_with_history_is_that_of_minimax():
    for board, position, past in random_games(6, 4, 60):
        assert searched(position, 2, 0).value == minimax(board, 2, past=past)
        assert searched(position, 1, QUIESCENCE).value == minimax(board, 1, quiesce=True, past=past)


@pytest.mark.slow
@pytest.mark.parametrize("features", [0, TABLE, QUIESCENCE, QUIESCENCE | TABLE])
def test_value_of_many_positions_is_that_of_minimax(features):
    for board, position, past in random_games(7, 15):
        for depth in (1, 2, 3):
            if len(list(board.legal_moves)) ** depth > 30_000:
                continue
            value = minimax(board, depth, features & QUIESCENCE != 0, past)
            assert searched(position, depth, features).value == value, position.text()


def test_windows_and_depths_before_change_no_value():
    """Iterative deepening with narrow windows finds what one look with an open window finds."""
    for sfen in SFENS[:1] + SFENS[2:]:
        position = Position(GAME, sfen)
        found = searched(position, 5 if sfen == START else 3, QUIESCENCE)
        searcher = ShogiSearcher(GAME, 1, QUIESCENCE)
        moves = np.array(usi.moves(position.state), np.uint16)
        searcher.set_up(position.state)
        searcher.deepening.control[search_nodes.MOST_NODES] = 1 << 62
        once = searcher.deepening.iterate(moves, np.zeros(len(moves), np.int64), found.depth, WON)
        assert once.value == found.value
