"""Rules of shogi at their edges, each on Black's side and, with the board turned, on White's."""

import re

import cshogi
import pytest

from sakiyomi.boards import Ending, IllegalMove, Position, Shogi

GAME = Shogi()
SIDES = pytest.mark.parametrize("turned", [False, True], ids=["black", "white"])


def turn_sfen(sfen):
    """The position with the board turned by half a turn and the sides exchanged."""
    board, turn, hands, number = sfen.split()
    squares = reversed(re.findall(r"\+?[A-Za-z]|[1-9]|/", board))
    return f"{''.join(squares).swapcase()} {'wb'['bw'.index(turn)]} {hands.swapcase()} {number}"


def turn_move(move):
    """A move on the board turned by half a turn."""
    return "".join(str(10 - int(sign)) if sign.isdigit() else "ihgfedcba"["abcdefghi".index(sign)] for sign in move)


def turn_drop(move):
    return f"{move[:2]}{turn_move(move[2:])}"


@SIDES
@pytest.mark.parametrize(
    ("sfen", "drop", "legal"),
    [
        ("8k/6G2/9/9/9/9/9/9/K8 b P 1", "P*1b", True),  # the king can do nothing but take the pawn
        ("8k/6G2/9/7N1/9/9/9/9/K8 b P 1", "P*1b", False),  # which is guarded now
        ("4k4/2G3G2/9/3N5/9/9/9/9/K8 b P 1", "P*5b", False),
        # The pawn shuts off its own rook from 4b.
        ("4k4/R8/2N3N2/9/9/9/9/9/4K4 b P 1", "P*5b", True),
        ("4k4/R8/2N2SN2/9/9/9/9/9/4K4 b P 1", "P*5b", False),
        # A rook takes the pawn: the lance would pin it, were the pawn not between.
        ("4k4/2G3G2/9/3N5/4r4/9/9/9/K3L4 b P 1", "P*5b", True),
        # Two pieces could take it, and both are pinned; or one of them is not.
        ("3nkn3/3g1g3/9/1B3N1B1/9/9/9/9/K8 b P 1", "P*5b", False),
        ("3nkn3/3g1g3/9/1B3N3/9/9/9/9/K8 b P 1", "P*5b", True),
        # It parries a check: the rook that gave it takes the pawn.
        ("3nkn3/K7r/3G1G3/9/9/9/9/9/9 b P 1", "P*5b", True),
        ("3nkn3/9/3G1G3/9/9/9/9/9/K8 b P 1", "P*5b", False),
    ],
)
def test_drops_of_pawns_that_mate(sfen, drop, legal, turned):
    if turned:
        sfen, drop = turn_sfen(sfen), turn_drop(drop)
    theirs = {cshogi.move_to_usi(move) for move in cshogi.Board(sfen).legal_moves}
    position = Position(GAME, sfen)
    assert (drop in theirs) == legal
    assert set(position.legal_moves()) == theirs


@SIDES
@pytest.mark.parametrize("file", range(1, 10))
def test_two_pawns_on_a_file(file, turned):
    row = "".join(str(count) if count else "" for count in (9 - file,)) + "P" + (str(file - 1) if file > 1 else "")
    sfen, drop = f"k8/9/9/9/{row}/9/9/9/K8 b P 1", f"P*{file}g"
    promoted = sfen.replace(f"{row}/", f"{row.replace('P', '+P')}/")
    if turned:
        sfen, promoted, drop = turn_sfen(sfen), turn_sfen(promoted), turn_drop(drop)
    with pytest.raises(IllegalMove, match="has a pawn on file"):
        Position(GAME, sfen).play(drop)
    assert drop in Position(GAME, promoted).legal_moves()


@SIDES
@pytest.mark.parametrize(
    ("piece", "at", "to", "forced"),
    [
        ("P", "5b", "5a", True),
        ("P", "5c", "5b", False),
        ("L", "5b", "5a", True),
        ("L", "5d", "5b", False),
        ("N", "5c", "4a", True),
        ("N", "5d", "4b", True),
        ("N", "5e", "4c", False),
        ("S", "5b", "5a", False),
        ("S", "5c", "4d", False),  # leaves the zone
        ("B", "5c", "4d", False),
        ("R", "5a", "5e", False),
    ],
)
def test_who_must_promote_and_who_may(piece, at, to, forced, turned):
    ranks = ["9"] * 9
    ranks["abcdefghi".index(at[1])] = f"4{piece}4"
    ranks[8], move = "8K", at + to
    sfen = f"{'/'.join(ranks)} b - 1"
    if turned:
        sfen, move = turn_sfen(sfen), turn_move(move)
    position = Position(GAME, sfen)
    assert f"{move}+" in position.legal_moves()
    assert (move in position.legal_moves()) == (not forced)
    if forced:
        with pytest.raises(IllegalMove, match="could never move again: it must promote"):
            position.play(move)


# --- repetition

START = "8R/6k2/9/9/9/9/9/9/K8 b - 1"
CHECKS = ["1a1b", "3b3a", "1b1a", "3a3b"]
QUIET = ["9i8i", "3b4b", "8i9i", "4b3b"]


def after(moves, turned, sfen=START):
    position = Position(GAME, turn_sfen(sfen) if turned else sfen)
    for move in moves:
        assert position.outcome() is None
        position.play(turn_move(move) if turned else move)
    return position


@SIDES
@pytest.mark.parametrize("before", [[], ["9i8i", "3b4b", "8i8h", "4b3b"]])
def test_checks_from_the_first_occurrence_on_are_enough(before, turned):
    """Neither the move that led to it nor any before need have been a check."""
    outcome = after([*before, *CHECKS * 3], turned).outcome()
    assert (outcome.ending, outcome.winner) == (Ending.PERPETUAL_CHECK, 0 if turned else 1)


@SIDES
@pytest.mark.parametrize("quiet", range(3))
def test_one_round_without_checks_makes_it_a_draw(quiet, turned):
    rounds = [CHECKS, CHECKS, CHECKS]
    rounds[quiet] = QUIET
    outcome = after([move for moves in rounds for move in moves], turned).outcome()
    assert (outcome.ending, outcome.winner) == (Ending.REPETITION, None)


@SIDES
def test_if_both_sides_did_nothing_but_check_it_is_a_draw(turned):
    sfen, cycle = "9/6k2/9/9/9/9/9/9/K7R b - 1", [*CHECKS[1:], CHECKS[0]]
    moves = ["1i1b", *cycle, *cycle, *cycle[:-1]]
    position, twin = after(moves, turned, sfen), after(moves, turned, sfen)
    position.state["checks"][0, 0 if turned else 1] = 6  # as though the evasions had been checks
    for each in (position, twin):
        each.play(turn_move(cycle[-1]) if turned else cycle[-1])
    assert position.outcome().ending is Ending.REPETITION
    assert twin.outcome().ending is Ending.PERPETUAL_CHECK


# --- the entering king


@SIDES
@pytest.mark.parametrize(
    ("hand", "points"), [("10P", 28), ("9P", 27), ("6P", 24), ("5P", 23), ("R8P", 31), ("R7P", 30), ("B5P", 28)]
)
def test_points_of_the_entering_king(hand, points, turned):
    for board in ("KRB+P+P+P+P+P+P/+P+P7", "K+R+B+P+P+P+P+P+P/+P+P7"):
        sfen = f"{board}/9/9/9/9/9/9/4k4 b {hand} 1"
        sfen = turn_sfen(sfen) if turned else sfen
        state = GAME.parse_position(sfen)
        wins = points >= (27 if turned else 28)
        assert GAME.declarations(state)[0] == wins
        assert cshogi.Board(sfen).is_nyugyoku() == wins
        by_24 = Shogi(declaration="24").declarations(state)[0]
        assert by_24 == (1 if points >= 31 else 2 if points >= 24 else 0)


@SIDES
@pytest.mark.parametrize(
    "sfen",
    [
        "KRB+P+P+P+P+P+P/+P+P7/9/9/r8/9/9/9/4k4 b 10P 1",  # may declare: a pawn stands between
        "KRB+P+P+P+P+P+P/1+P+P6/9/9/r8/9/9/9/4k4 b 10P 1",  # in check
    ],
)
def test_nobody_declares_in_check(sfen, turned):
    checked = "/1+P" in sfen
    state = GAME.parse_position(turn_sfen(sfen) if turned else sfen)
    assert GAME.in_check(state)[0] == checked
    assert GAME.declarations(state)[0] == (not checked)
