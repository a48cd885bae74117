"""Shogi against known counts and, ply by ply, against cshogi and rsshogi; drop mates, repetition, declaration."""

import random
from pathlib import Path

import cshogi
import numpy as np
import pytest
import rsshogi.core

from sakiyomi.boards import Ending, IllegalMove, Position, Shogi, rows
from sakiyomi.boards.random import seeds
from sakiyomi.boards.shogi.handicaps import HANDICAPS

GAME = Shogi()
SHALLOW = 300_000


def perft_table():
    """(SFEN, depth, count) of each line of shogi.perft."""
    name = sfen = ""
    for line in (Path(__file__).parent / "shogi.perft").read_text().splitlines():
        key, _, rest = line.partition(" ")
        if key == "id":
            name = rest
        elif key == "sfen":
            sfen = rest
        elif key == "perft":
            depth, count = map(int, rest.split())
            slow = [pytest.mark.slow] if count > 25_000_000 else []
            yield pytest.param(sfen, depth, count, id=f"{name}-{depth}", marks=slow)


@pytest.mark.parametrize(("sfen", "depth", "count"), list(perft_table()))
def test_perft(sfen, depth, count):
    state = GAME.parse_position(sfen)
    assert GAME.perft(state, depth) == count
    assert GAME.perft(state, depth, listed=True) == count


def test_perft_is_the_same_on_two_threads_and_by_playing():
    position = Position(GAME, "l6nl/5+P1gk/2np1S3/p1p4Pp/3P2Sp1/1PPb2P1P/P5GS1/R8/LN4bKL w GR5pnsg 1")
    before = rows._threads
    try:
        rows.set_threads(2)
        assert position.perft(3) == 4_809_015
    finally:
        rows.set_threads(before)
    assert sum(position.after(move).perft(1) for move in position.legal_moves()) == position.perft(2) == 28_684
    with pytest.raises(ValueError, match="depth must be 0 or more"):
        position.perft(-1)


def play_beside(sfen, rng, plies, bold=0.3):
    """A random game on ours, cshogi and rsshogi; what they say of each position must agree."""
    board, other = cshogi.Board(sfen), rsshogi.core.Board(sfen)
    position = Position(GAME, sfen)
    for _ in range(plies):
        text = board.sfen()
        assert position.text() == text
        theirs = sorted(cshogi.move_to_usi(move) for move in board.legal_moves)
        outcome = position.outcome()
        if outcome is not None:
            if outcome.ending in (Ending.CHECKMATE, Ending.NO_MOVES):
                assert theirs == []
                assert outcome.winner == 1 - position.turn
            break
        assert position.legal_moves() == sorted(position.legal_moves(), key=position.action)
        assert sorted(position.legal_moves()) == theirs, text
        assert sorted(move.to_usi() for move in other.legal_moves()) == theirs, text
        lists, counts = GAME.legal_actions(position.state)
        assert sorted(lists[0, : counts[0]].tolist()) == position.legal_actions().tolist()
        assert bool(GAME.in_check(position.state)[0]) == board.is_check()
        assert (GAME.declarations(position.state)[0] == 1) == board.is_nyugyoku()
        # Promotions and drops are preferred: they make the rarer rules happen.
        special = [move for move in theirs if move[-1] == "+" or "*" in move]
        move = rng.choice(special if special and rng.random() < bold else theirs)
        position.play(move)
        board.push_usi(move)
        other.apply_usi(move)
    GAME.check(position.state)
    return position


@pytest.mark.parametrize("seed", range(6))
def test_random_games_beside_cshogi_and_rsshogi(seed):
    play_beside(cshogi.STARTING_SFEN, random.Random(seed), 250, bold=0.15 * seed)


@pytest.mark.parametrize("handicap", HANDICAPS)
def test_handicap_games_beside_cshogi(handicap):
    sfen = GAME.position_text(GAME.handicap(handicap))
    assert Position(GAME, handicap).text() == sfen
    play_beside(sfen, random.Random(1), 40)


@pytest.mark.slow
def test_many_random_games_beside_cshogi_and_rsshogi():
    for seed in range(200):
        play_beside(cshogi.STARTING_SFEN, random.Random(seed), 512, bold=(seed % 10) / 10)


# --- a pawn drop that mates


@pytest.mark.parametrize(
    ("sfen", "legal"),
    [
        ("6+P1k/9/8G/9/9/9/9/9/K8 b P 1", False),  # the gold guards the pawn, and the king cannot leave
        ("8k/9/8G/9/9/9/9/9/K8 b P 1", True),  # only a check: the king goes to 2a
        ("6+P1k/9/9/9/9/9/9/9/K8 b P 1", True),  # the king takes it
        ("7rk/9/7GG/9/9/9/9/9/K8 b P 1", False),  # a rook beside the king does not reach it
        ("7gk/9/7GG/9/9/9/9/9/K8 b P 1", True),  # a gold takes it
        ("7nk/7g1/8G/9/9/9/9/9/K8 b P 1", True),
        ("7nk/7g1/8G/5B3/9/9/9/9/K8 b P 1", False),  # the gold that could take it is pinned
    ],
)
def test_a_pawn_drop_that_mates_is_illegal(sfen, legal):
    position, board = Position(GAME, sfen), cshogi.Board(sfen)
    assert ("P*1b" in position.legal_moves()) == legal
    assert legal == any(cshogi.move_to_usi(move) == "P*1b" for move in board.legal_moves)
    if not legal:
        with pytest.raises(IllegalMove, match="uchifuzume"):
            position.play("P*1b")


def test_a_pawn_that_moves_may_mate_and_other_drops_may():
    for sfen, move in (("6+P1k/9/8P/8L/9/9/9/9/K8 b - 1", "1c1b+"), ("6+P1k/9/8G/9/9/9/9/9/K8 b L 1", "L*1b")):
        position = Position(GAME, sfen)
        position.play(move)
        assert position.outcome().ending is Ending.CHECKMATE
        assert position.outcome().winner == 0


# --- repetition


def played(sfen, moves, game=GAME):
    position = Position(game, sfen)
    for move in moves:
        assert position.outcome() is None, f"over before {move}"
        position.play(move)
    return position


def test_the_fourth_occurrence_is_a_draw():
    moves = ["2h3h", "8b7b", "3h2h", "7b8b"] * 3
    position = played("startpos", moves)
    assert position.outcome().ending is Ending.REPETITION
    assert position.outcome().winner is None
    assert position.legal_moves() == []
    assert played("startpos", moves[:-1]).outcome() is None


def test_hands_and_turn_make_positions_different():
    position = Position(GAME, "4k4/9/9/9/9/9/9/9/4K4 b 2P 1")
    for move in ["P*5e", *["5a4a", "5i4i", "4a5a", "4i5i"] * 3]:
        assert position.outcome() is None
        position.play(move)
    assert position.outcome().ending is Ending.REPETITION  # counted from the position after the drop


@pytest.mark.parametrize("turned", [False, True])
def test_perpetual_check_loses(turned):
    sfen = "9/6k2/9/9/9/9/9/9/K7R b - 1" if not turned else "r7k/9/9/9/9/9/9/2K6/9 w - 1"
    first = ["1i1b", "3b3a", "1b1a", "3a3b", "1a1b"]
    cycle = ["3b3a", "1b1a", "3a3b", "1a1b"]
    if turned:
        first, cycle = ([turn_move(move) for move in moves] for moves in (first, cycle))
    position = Position(GAME, sfen)
    for move in first + cycle * 3:
        if position.outcome():
            break
        position.play(move)
    assert position.outcome().ending is Ending.PERPETUAL_CHECK
    assert position.outcome().winner == (0 if turned else 1)


def turn_move(move):
    """A move on the board turned by half a turn."""
    return "".join(str(10 - int(sign)) if sign.isdigit() else "ihgfedcba"["abcdefghi".index(sign)] for sign in move)


def test_a_quiet_move_among_the_checks_makes_it_a_draw():
    position = Position(GAME, "9/6k2/9/9/9/9/9/9/K7R b - 1")
    moves = ["1i1b", "3b3a", "1b1i", "3a3b"] * 3
    for move in moves:
        position.play(move)
    assert position.outcome().ending is Ending.REPETITION


def test_random_repetitions_beside_a_plain_count_and_cshogi():
    """Kings and a rook alone repeat often: the verdict by a list of all positions.

    cshogi judges by the last round alone, whichever occurrence it ends at: so where that was all checks of one side but
    not the rounds before it, the two differ.
    """
    verdicts, differ = [], 0
    for seed in range(30):
        rng = random.Random(seed)
        position, seen, checks = Position(GAME, "4k4/9/9/9/R8/9/9/9/4K4 b - 1"), [], [0, 0]
        other = cshogi.Board(position.text())
        seen.append(position.text().rsplit(" ", 1)[0])
        for ply in range(400):
            near = ("9e", "5e", "4e", "5a", "4a", "5i", "4i")
            quick = [
                move for move in position.legal_moves() if move[:2] in near and move[2:] in near and move[1] == move[3]
            ]
            checking = [move for move in quick if GAME.in_check(position.after(move).state)[0]] if seed % 2 else []
            move = rng.choice(checking or quick or position.legal_moves())
            position.play(move)
            other.push_usi(move)
            checks[ply % 2] = checks[ply % 2] + 1 if GAME.in_check(position.state)[0] else 0
            text = position.text().rsplit(" ", 1)[0]
            before = [index for index, earlier in enumerate(seen) if earlier == text]
            seen.append(text)
            outcome = position.outcome()
            assert bool(before) == (other.is_draw() != cshogi.NOT_REPETITION)
            if len(before) == 3:
                half = (len(seen) - 1 - before[0]) // 2
                losers = [side for side in (0, 1) if checks[side] >= half]
                if len(losers) == 1:
                    assert outcome.ending is Ending.PERPETUAL_CHECK
                    assert outcome.winner == 1 - losers[0]
                    loses = cshogi.REPETITION_LOSE if losers[0] == position.turn else cshogi.REPETITION_WIN
                    assert other.is_draw() == loses
                else:
                    assert outcome.ending is Ending.REPETITION
                    last_round = (len(seen) - 1 - before[-1]) // 2
                    all_checks = max(checks) >= last_round
                    differ += all_checks
                    assert (other.is_draw() == cshogi.REPETITION_DRAW) != all_checks
                verdicts.append(outcome.ending)
                break
            assert outcome is None or outcome.ending in (Ending.CHECKMATE, Ending.NO_MOVES)
            if outcome:
                break
    assert verdicts.count(Ending.REPETITION) > 10
    assert verdicts.count(Ending.PERPETUAL_CHECK) > 0
    assert differ < len(verdicts) / 2


# --- the entering king


@pytest.mark.parametrize(
    ("sfen", "by_27", "by_24"),
    [
        # ten pieces beside the king, a bishop and a rook: 10 + 8 = 18 points on the board, the hand brings the rest
        ("KRBPPPPPP/PP7/9/9/9/9/9/9/4k4 b 10P 1", 1, 2),
        ("KRBPPPPPP/PP7/9/9/9/9/9/9/4k4 b 9P 1", 0, 2),
        ("KRBPPPPPP/P8/9/9/9/9/9/9/4k4 b 10P 1", 0, 0),  # nine pieces
        ("KRBPPPPPP/PP7/9/9/9/9/9/9/4k4 b R8P 1", 1, 1),
        ("1RBPPPPPP/PP7/9/K8/9/9/9/9/4k4 b R8P 1", 0, 0),  # the king is not in the zone
        ("4K4/9/9/9/9/9/9/7pp/ppppppbrk w 9p 1", 1, 2),  # White needs a point less
        ("4K4/9/9/9/9/9/9/7pp/ppppppbrk w 8p 1", 0, 2),
    ],
)
def test_declaration(sfen, by_27, by_24):
    sfen = sfen.replace("P", "+P").replace("p", "+p").replace("0+", "0").replace(" b ", " b ")
    board, _, rest = sfen.partition(" ")
    sfen = f"{board} {rest.replace('+', '')}"
    state = GAME.parse_position(sfen)
    assert GAME.declarations(state)[0] == by_27
    assert Shogi(declaration="24").declarations(state)[0] == by_24
    assert Shogi(declaration="none").declarations(state)[0] == 0
    assert cshogi.Board(sfen).is_nyugyoku() == (by_27 == 1)


def test_the_limit_of_moves_is_a_draw_unless_the_last_one_mates():
    game = Shogi(max_plies=4)
    position = played("startpos", ["7g7f", "3c3d", "2g2f", "8c8d"], game)
    assert position.outcome().ending is Ending.MOVE_LIMIT
    assert position.outcome().winner is None
    mating = Position(Shogi(max_plies=1), "6+P1k/9/8G/9/9/9/9/9/K8 b L 1")
    mating.play("L*1b")
    assert mating.outcome().ending is Ending.CHECKMATE
    for limit in (1.5, "512"):
        with pytest.raises(TypeError, match="integer"):
            Shogi(max_plies=limit)
    for options in ({"max_plies": 0}, {"max_plies": 513}, {"declaration": "28"}):
        with pytest.raises(ValueError, match="must be"):
            Shogi(**options)


def test_rollouts_play_by_the_rules():
    results, plies = GAME.rollout_plies(GAME.new(64), seeds(np.random.default_rng(0), 64))
    assert set(results.tolist()) <= {1.0, 0.0, -1.0}
    assert plies.max() == 512
    assert (results[plies < 512] != 0).mean() > 0.8
    mated = GAME.parse_position("6+P1k/8L/8G/9/9/9/9/9/K8 w - 1")
    assert GAME.rollout(mated, seeds(np.random.default_rng(0), 1))[0] == 1.0
