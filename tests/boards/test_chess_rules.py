"""Chess against known counts and, ply by ply, against python-chess; endings and claims."""

import random
from pathlib import Path

import chess as peer
import numpy as np
import pytest

from sakiyomi.boards import Chess, Ending, Position, rows
from sakiyomi.boards.chess.starts import start_fen
from sakiyomi.boards.random import seeds

GAME, GAME960 = Chess(), Chess(chess960=True)
SHALLOW, DEEP = 300_000, 800_000_000
ENDINGS = {
    peer.Termination.CHECKMATE: Ending.CHECKMATE,
    peer.Termination.STALEMATE: Ending.STALEMATE,
    peer.Termination.INSUFFICIENT_MATERIAL: Ending.INSUFFICIENT_MATERIAL,
    peer.Termination.SEVENTYFIVE_MOVES: Ending.SEVENTYFIVE_MOVES,
    peer.Termination.FIVEFOLD_REPETITION: Ending.REPETITION,
}


def perft_table():
    """(name, FEN, depth, count) of each line of chess.perft."""
    name = epd = ""
    for line in (Path(__file__).parent / "chess.perft").read_text().splitlines():
        key, _, rest = line.partition(" ")
        if key == "id":
            name = rest
        elif key == "epd":
            epd = rest
        elif key == "perft":
            depth, count = map(int, rest.split())
            slow = [pytest.mark.slow] if count > SHALLOW else []
            yield pytest.param(epd, "960" in name, depth, count, id=f"{name}-{depth}", marks=slow)


@pytest.mark.parametrize(("epd", "chess960", "depth", "count"), list(perft_table()))
def test_perft(epd, chess960, depth, count):
    game = Chess(chess960=chess960)
    state = game.parse_position(epd)
    assert game.perft(state, depth) == count
    assert game.perft(state, depth, listed=True) == count


def test_perft_is_the_same_on_two_threads_and_by_playing():
    position = Position(GAME, "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1")
    before = rows._threads
    try:
        rows.set_threads(2)
        assert position.perft(3) == 97862
    finally:
        rows.set_threads(before)
    assert sum(position.after(move).perft(1) for move in position.legal_moves()) == position.perft(2) == 2039
    assert (position.perft(0), position.perft(1)) == (1, 48)
    with pytest.raises(ValueError, match="depth must be 0 or more"):
        position.perft(-1)


def test_all_960_start_positions():
    states = GAME960.start(np.arange(960))
    fens = [GAME960.position_text(state) for state in states]
    assert len(set(fens)) == 960
    assert fens[518].split()[0] == peer.STARTING_BOARD_FEN
    for number in range(960):
        board = peer.Board.from_chess960_pos(number)
        assert fens[number] == board.fen()
        assert GAME960.shredder_fen(states[number]) == board.fen(shredder=True)
        count = 0
        for move in board.legal_moves:
            board.push(move)
            count += board.legal_moves.count()
            board.pop()
        assert GAME960.perft(states[number], 2) == count, fens[number]


def play_beside(game, fen, rng, plies, every=16):
    """A random game on both; what they say of each position must agree."""
    board = peer.Board(fen, chess960=game.chess960)
    position = Position(game, fen)
    for ply in range(plies):
        text = board.fen()
        assert position.text() == text
        outcome = board.outcome()
        ours = position.outcome()
        assert (outcome is None) == (ours is None), text
        if outcome:
            assert ENDINGS[outcome.termination] is ours.ending, text
            assert ours.winner == (None if outcome.winner is None else int(not outcome.winner))
            break
        assert bool(game.in_check(position.state)[0]) == board.is_check()
        claim = Ending(int(game.claims(position.state)[0]))
        fifty, threefold = board.is_fifty_moves(), board.is_repetition(3)
        assert claim == (Ending.FIFTY_MOVES if fifty else Ending.REPETITION if threefold else Ending.ONGOING), text
        moves = sorted(board.legal_moves, key=peer.Move.uci)
        assert sorted(position.legal_moves()) == [move.uci() for move in moves], text
        lists, counts = game.legal_actions(position.state)
        assert sorted(lists[0, : counts[0]].tolist()) == position.legal_actions().tolist()
        # Pieces that make the rarer rules happen are preferred: kings, rooks and pawns.
        weights = [1 + 3 * (board.piece_type_at(move.from_square) in (peer.PAWN, peer.KING)) for move in moves]
        move = rng.choices(moves, weights)[0]
        for shown in moves if ply % every == 0 else [move]:
            action, san = game.parse_move(position.state, shown.uci()), board.san(shown)
            assert game.san(position.state, action) == san, text
            assert game.parse_move(position.state, san) == action, text
        position.play(move.uci())
        board.push(move)
    game.check(position.state)
    return position


@pytest.mark.parametrize("seed", range(12))
def test_random_games_beside_python_chess(seed):
    play_beside(GAME, peer.STARTING_FEN, random.Random(seed), 400)


@pytest.mark.parametrize("seed", range(12))
def test_random_chess960_games_beside_python_chess(seed):
    rng = random.Random(seed)
    play_beside(GAME960, start_fen(rng.randrange(960)), rng, 400)


@pytest.mark.parametrize(
    "fen",
    [
        "4k3/P6P/8/8/8/8/p6p/4K3 w - - 0 1",
        "r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1",
        "4k3/1p1p1p2/8/P1P1P3/3p1p1p/8/2P1P1P1/4K3 w - - 0 1",
        "8/8/8/4k3/8/8/4K3/RR6 w - - 90 80",
        "8/8/2b5/4k3/8/8/4K3/4B1B1 w - - 140 200",
        "k7/8/8/8/8/8/8/K6R w - - 0 1",
        "R6R/3Q4/1Q4Q1/4Q3/2Q4Q/Q4Q2/pp1Q4/kBNN1KB1 w - - 0 1",
    ],
)
def test_games_from_set_ups_beside_python_chess(fen):
    for seed in range(3):
        play_beside(GAME, fen, random.Random(seed), 150)


@pytest.mark.slow
@pytest.mark.parametrize("chess960", [False, True])
def test_many_random_games_beside_python_chess(chess960):
    rng = random.Random(chess960)
    for _ in range(200):
        fen = start_fen(rng.randrange(960)) if chess960 else peer.STARTING_FEN
        play_beside(Chess(chess960=chess960), fen, rng, 600, every=50)


def test_castling_in_chess960_where_the_king_stays_or_the_rook_shields():
    def castles(fen):
        position = Position(GAME960, fen)
        board = peer.Board(fen, chess960=True)
        assert sorted(position.legal_moves()) == sorted(move.uci() for move in board.legal_moves)
        return {board.san(move) for move in board.legal_moves if board.is_castling(move)}

    assert castles("4k3/8/8/8/8/8/8/2R1K3 w C - 0 1") == {"O-O-O"}
    assert castles("4k3/8/8/8/8/8/8/1RK5 w B - 0 1") == {"O-O-O"}
    assert castles("4k3/8/8/8/8/8/8/qRK5 w B - 0 1") == set()  # the rook shields the king and would leave
    assert castles("4k3/8/8/8/8/8/8/5KR1 w G - 0 1") == {"O-O"}
    assert castles("4k3/8/8/8/8/8/8/1r3KR1 w G - 0 1") == set()  # in check
    position = Position(GAME960, "4k3/8/8/8/8/8/8/1RK5 w B - 0 1")
    position.play("O-O-O")
    assert position.text() == "4k3/8/8/8/8/8/8/2KR4 b - - 1 1"


def test_fivefold_repetition_ends_and_threefold_is_a_claim():
    position = Position(GAME)
    seen = []
    for move in ["g1f3", "g8f6", "f3g1", "f6g8"] * 4:
        position.play(move)
        seen.append((Ending(int(GAME.claims(position.state)[0])), position.outcome()))
    assert [claim for claim, _ in seen].index(Ending.REPETITION) == 7  # the start position for the third time
    assert [outcome is None for _, outcome in seen] == [True] * 15 + [False]
    assert position.outcome().ending is Ending.REPETITION
    assert position.outcome().winner is None
    assert position.legal_moves() == []


def test_repetition_asks_for_the_same_rights():
    """A lost right to castle, or a pawn that could be taken en passant, makes another position."""
    shuffle = ["h1g1", "h8g8", "g1h1", "g8h8"]
    position = Position(GAME, "4k2r/8/8/8/8/8/8/4K2R w Kk - 0 1")
    for move in shuffle * 2:
        position.play(move)
    assert GAME.claims(position.state)[0] == Ending.ONGOING  # twice without the rights, once with
    for move in shuffle:
        position.play(move)
    assert GAME.claims(position.state)[0] == Ending.REPETITION

    position = Position(GAME, "4k3/8/8/8/3p4/8/4P3/4K3 w - - 0 1")
    position.play("e2e4")
    after = position.copy()
    for move in ["e8d8", "e1d1", "d8e8", "d1e1"] * 2:
        after.play(move)
    assert GAME.claims(after.state)[0] == Ending.ONGOING
    assert after.text().split()[3] == "-"
    assert position.text().split()[3] == "e3"


def test_fifty_moves_are_a_claim_and_seventy_five_an_end_unless_it_is_mate():
    position = Position(GAME, "7k/8/8/8/8/8/8/KR6 w - - 98 100")
    position.play("b1b2")
    assert GAME.claims(position.state)[0] == Ending.ONGOING
    position.play("h8g8")
    assert GAME.claims(position.state)[0] == Ending.FIFTY_MOVES
    assert position.outcome() is None
    late = Position(GAME, "7k/8/6K1/8/8/8/8/1R6 w - - 149 200")
    assert late.after("b1b2").outcome().ending is Ending.SEVENTYFIVE_MOVES
    assert late.after("b1b8").outcome().ending is Ending.CHECKMATE
    assert late.after("b1b8").outcome().winner == 0
    assert Position(GAME, "7k/8/6K1/8/8/8/8/1R6 w - - 400 300").outcome().ending is Ending.SEVENTYFIVE_MOVES


@pytest.mark.parametrize(
    "fen",
    [
        "4k3/8/8/8/8/8/8/4K3 w - - 0 1",
        "4k3/8/8/8/8/8/8/4KN2 b - - 0 1",
        "4k3/8/8/8/8/8/8/4KB2 b - - 0 1",
        "2b1k3/8/8/8/8/8/8/4KB2 w - - 0 1",
        "5bk1/8/8/8/8/8/8/4KB2 w - - 0 1",
        "4k3/8/8/8/8/8/8/3NKN2 w - - 0 1",
        "4kn2/8/8/8/8/8/8/4KN2 w - - 0 1",
        "4kn2/8/8/8/8/8/8/4KB2 w - - 0 1",
        "4k3/8/8/8/8/8/P7/4K3 w - - 0 1",
        "4k3/8/8/8/8/8/8/4K2Q w - - 0 1",
    ],
)
def test_insufficient_material(fen):
    ours = Position(GAME, fen).outcome()
    assert (ours is not None and ours.ending is Ending.INSUFFICIENT_MATERIAL) == (
        peer.Board(fen).is_insufficient_material()
    )


def test_mate_and_stalemate():
    mate = Position(GAME)
    for move in ["f3", "e5", "g4", "Qh4#"]:
        mate.play(move)
    assert (mate.outcome().ending, mate.outcome().winner) == (Ending.CHECKMATE, 1)
    assert GAME.result(mate.state)[0] == -1
    stale = Position(GAME, "7k/5Q2/6K1/8/8/8/8/8 b - - 0 1")
    assert (stale.outcome().ending, stale.outcome().winner) == (Ending.STALEMATE, None)


def test_the_most_moves_there_can_be():
    """218 moves, the record of positions that can be reached (Petrović 1964), fill every kind of list."""
    state = GAME.parse_position("R6R/3Q4/1Q4Q1/4Q3/2Q4Q/Q4Q2/pp1Q4/kBNN1KB1 w - - 0 1")
    lists, counts = GAME.legal_actions(state)
    assert counts[0] == GAME.legal(state).sum() == len(set(lists[0].tolist()) - {-1}) == 218
    assert GAME.perft(state, 2) == GAME.perft(state, 2, listed=True) == 99


def test_rollouts_end_as_games_do():
    states, rng = GAME.new(64), seeds(np.random.default_rng(1), 64)
    results, plies = GAME.rollout_plies(states, rng)
    assert set(results.tolist()) <= {-1, 0, 1}
    assert 100 < plies.mean() < 700
    mated = GAME.parse_position("7k/8/6K1/8/8/8/8/1R6 w - - 149 200")
    assert GAME.rollout(mated, seeds(np.random.default_rng(1), 1)).shape == (1,)


def test_a_seeded_game_stays_the_same():
    """One pinned number: it changes only if rules, move order, keys or random numbers do."""
    results, plies = GAME.rollout_plies(GAME.new(32), seeds(np.random.default_rng(5), 32))
    assert (int(plies.sum()), int(results.sum())) == SIGNATURE


SIGNATURE = (11704, 2)
