"""Records on the board: legality as servers saw it, setups, forced moves; compared with sgfmill's board."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sgfmill import boards

from sakiyomi.boards.game import IllegalMove
from sakiyomi.boards.go import Go
from sakiyomi.sgf import Record, first_illegal, parse, record_of


def read(text):
    (tree,) = parse(text.encode())
    return record_of(tree)


def last(record):
    *_, position = record.positions()
    return position


def test_positions_are_one_more_than_moves_and_independent():
    record = read("(;SZ[9];B[ee];W[gc];B[])")
    positions = list(record.positions())
    assert [position.ply for position in positions] == [0, 1, 2, 3]
    assert [int(abs(position.board()).sum()) for position in positions] == [0, 1, 2, 2]
    positions[1].play("A1")
    assert int(abs(positions[2].board()).sum()) == 2


def test_komi_and_rules_of_the_record_count():
    record = read("(;SZ[9]KM[5.5]RU[Chinese];B[ee];W[];B[])")
    position = last(record)
    assert position.game.komi == 5.5
    assert position.game.rules == "chinese"
    assert position.game.ruleset.superko == "simple"
    assert position.score() == 81 - 5.5


def test_captures():
    position = last(read("(;SZ[5];B[ab];W[aa];B[ba])"))
    assert position.board()[0].tolist() == [0, 1, 0, 0, 0]


ILLEGAL = {
    "occupied": ("(;SZ[9];B[ee];W[ee])", 2, "W E5: the point is occupied"),
    "suicide": ("(;SZ[5];B[ab];W[dd];B[ba];W[aa])", 4, "W A5: suicide"),
    "ko": (
        "(;SZ[5];B[ba];W[ca];B[ab];W[db];B[bc];W[cc];B[cb];W[bb];B[cb])",
        9,
        "B C4: the ko may not be retaken at once",
    ),
    "setup": ("(;SZ[5]AB[ab][ba]AW[aa];B[ee])", 0, "the first position has a chain without liberties"),
}


@pytest.mark.parametrize("case", ILLEGAL)
def test_what_breaks_the_rules_is_said(case):
    text, move, reason = ILLEGAL[case]
    record = read(text)
    (illegal,) = first_illegal([record])
    assert (illegal.move, illegal.reason) == (move, reason)
    with pytest.raises(ValueError, match=rf"^move {move}: " if move else "liberties"):
        list(record.positions())


def test_suicide_is_legal_where_the_rules_say_so():
    text, _, _ = ILLEGAL["suicide"]
    record = read(text.replace("SZ[5]", "SZ[5]RU[NZ]"))
    assert first_illegal([record]) == [None]
    assert last(record).board()[0, 0] == 0


def test_superko_is_not_applied():
    """A double ko repeats the whole board; servers let it pass, whatever the file's rules."""
    moves = "".join(f";{c}[]" for c in "BW")
    record = read(f"(;SZ[5]RU[Chinese];B[aa];W[]{moves}{moves};B[bb])")
    assert first_illegal([record]) == [None]


def test_a_game_goes_on_after_two_passes():
    record = read("(;SZ[9];B[ee];W[];B[];W[gc];B[cc])")
    assert first_illegal([record]) == [None]
    assert int(abs(last(record).board()).sum()) == 3


def test_stones_set_up_within_the_game_change_the_position_and_lift_the_ko():
    ko = "(;SZ[5];B[ba];W[ca];B[ab];W[db];B[bc];W[cc];B[cb];W[bb]{};B[cb])"
    assert first_illegal([read(ko.format(";AB[ee]"))]) == [None]
    position = last(read(ko.format(";AB[ee]")))
    assert (position.board()[4, 4], position.board()[1, 1]) == (1, 0)
    (illegal,) = first_illegal([read("(;SZ[5];B[aa];AE[aa]AW[bb];W[bb])")])
    assert illegal.move == 2
    assert "occupied" in illegal.reason


def test_a_forced_move_is_carried_out():
    record = read("(;SZ[5];B[ab];W[dd];B[ba];W[aa]KO[];B[ee])")
    assert first_illegal([record]) == [None]
    assert last(record).board()[0, 0] == 0  # suicide takes the stone off
    over = read("(;SZ[5];B[ee];W[ee]KO[];B[aa])")
    assert first_illegal([over]) == [None]
    assert last(over).board()[4, 4] == -1
    capture = read("(;SZ[5];B[ba];W[ca];B[ab];W[db];B[bc];W[cc];B[cb];W[bb];B[cb]KO[])")
    assert first_illegal([capture]) == [None]
    assert last(capture).board()[1].tolist()[1:3] == [0, 1]


def test_games_of_all_kinds_in_one_call():
    records = [
        read("(;SZ[9];B[ee])"),
        Record("tictactoe", ("a1", "a1")),
        read("(;SZ[9];B[ee];W[ee])"),
        Record("hnefatafl", ("e2e4",)),
        read("(;SZ[37];B[pd])"),
        Record("go-9x9", ("Z9",)),
        read("(;SZ[13]RU[NZ];B[ee])"),
        read("(;GM[3]PB[a])"),
    ]
    answers = first_illegal(records)
    assert [answer is None for answer in answers] == [True, False, False, False, True, False, True, True]
    assert "unknown game 'hnefatafl'" in str(answers[3])
    assert str(answers[2]) == "move 2: W E5: the point is occupied"


def test_very_long_games_replay():
    moves = ("A1", "pass") + ("pass", "pass") * 2000
    record = Record("go-5x5", moves)
    assert first_illegal([record]) == [None]
    assert sum(1 for _ in record.positions()) == len(moves) + 1


def test_games_longer_than_any_are_not_replayed():
    (illegal,) = first_illegal([Record("go-5x5", ("pass",) * 60_001)])
    assert illegal.move == 60_001
    assert "over 60,000 moves" in illegal.reason


def sgfmill_board(size, record):
    """The final board as sgfmill plays it, or the number of the first move that it finds illegal."""
    board, ko, colour = boards.Board(size), None, "b"
    for number, move in enumerate(record.moves, 1):
        point = None
        if move != "pass":
            point = (int(move[1:]) - 1, "ABCDEFGHJ".index(move[0]))
            taken = [p for p in ((r, c) for r in range(size) for c in range(size)) if board.get(*p) is not None]
            if point in taken or point == ko:
                return number
            before = board.copy()
            ko = board.play(*point, colour)
            if board.get(*point) is None:
                return number
            assert before is not board
        else:
            ko = None
        colour = "w" if colour == "b" else "b"
    return [[{"b": 1, "w": -1, None: 0}[board.get(r, c)] for c in range(size)] for r in range(size)][::-1]


@settings(max_examples=80, deadline=None)
@given(st.integers(2, 5), st.lists(st.integers(0, 25), max_size=60))
def test_random_moves_are_judged_as_by_another_implementation(size, numbers):
    go = Go(size=size)
    record = Record(go.name, tuple(go.move_text(None, number % (size * size + 1)) for number in numbers))
    (illegal,) = first_illegal([record])
    theirs = sgfmill_board(size, record)
    if illegal is not None:
        assert theirs == illegal.move
        with pytest.raises(IllegalMove, match=f"^move {illegal.move}: "):
            list(record.positions())
    else:
        assert last(record).board().tolist() == theirs


def test_a_batch_is_judged_as_each_game_alone():
    rng = np.random.default_rng(0)
    go = Go(size=5)
    records = [
        Record(go.name, tuple(go.move_text(None, a) for a in rng.integers(0, 26, rng.integers(1, 30)).tolist()))
        for _ in range(300)
    ]
    together = first_illegal(records)
    assert together == [first_illegal([record])[0] for record in records]
    assert any(together)
    assert not all(together)
