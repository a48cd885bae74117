"""Game trees -> records: boards, moves, setup, handicap, and the faults that real files have."""

from dataclasses import replace

import pytest

from sakiyomi.sgf import BadRecord, Fault, Record, main_line_of, parse, record_of
from sakiyomi.sgf.go import setup_text


def read(text):
    data = text if isinstance(text, bytes) else text.encode()
    (tree,) = parse(data, "game.sgf")
    return record_of(tree)


def faults(record):
    return [found.fault for found in record.tree.faults]


def test_a_whole_game():
    record = read(
        "(;FF[4]GM[1]SZ[9]PB[Kuro]PW[Shiro]BR[3d]WR[4d]KM[6.5]RU[Japanese]DT[2020-02-02]EV[Cup]RE[B+3.50]TC[3]"
        "C[begins];B[ee]C[centre];W[gc];B[];W[tt]C[ends])"
    )
    assert record.game == "go-9x9"
    assert record.players == ("Kuro", "Shiro")
    assert record.moves == ("E5", "G7", "pass", "pass")
    assert record.setup is None
    assert (record.result, record.ending, record.score) == ("B+3.5", "two passes", 1.0)
    assert record.tags == {
        "black rank": "3d",
        "white rank": "4d",
        "komi": "6.5",
        "rules": "Japanese",
        "date": "2020-02-02",
        "event": "Cup",
        "result": "B+3.50",
        "TC": "3",
    }
    assert record.comments == {0: "begins", 1: "centre", 4: "ends"}
    assert faults(record) == []


@pytest.mark.parametrize(
    ("size", "game", "corner"),
    [("9", "go-9x9", "A9"), ("9:13", "go-9x13", "A13"), ("25", "go-25x25", "A25"), ("1", "go-1x1", "A1")],
)
def test_sizes(size, game, corner):
    record = read(f"(;SZ[{size}];B[aa])")
    assert (record.game, record.moves) == (game, (corner,))


def test_without_size_the_board_is_19():
    assert read("(;GM[1];B[pd])").game == "go-19x19"
    assert read("(;SZ[];B[pd])").game == "go-19x19"


def test_tt_is_a_pass_up_to_19_and_a_point_above():
    assert read("(;SZ[19];B[tt])").moves == ("pass",)
    assert read("(;SZ[20];B[tt])").moves == ("U1",)
    assert read("(;SZ[21];B[])").moves == ("pass",)


@pytest.mark.parametrize(
    ("text", "fault", "moves"),
    [
        ("(;SZ[9];B[EE];W[gc])", Fault.ODD_POINT, ("E5", "G7")),
        ("(;SZ[9];B[ ee ];W[gc])", Fault.ODD_POINT, ("E5", "G7")),
        ("(;SZ[9];B[pass];W[gc])", Fault.ODD_POINT, ("pass", "G7")),
        ("(;SZ[9];B[ee][gc];W[gg])", Fault.ODD_POINT, ("E5", "G3")),
        ("(;SZ[9];B[ee]W[gc];B[gg])", Fault.TWO_MOVES, ("E5", "G7", "G3")),
        ("(;SZ[9];B[ee];B[gc];W[gg])", Fault.OUT_OF_TURN, ("E5", "pass", "G7", "G3")),
        ("(;SZ[ 9 ];B[ee])", Fault.ODD_NUMBER, ("E5",)),
        ("(;SZ[9]KM[6,5];B[ee])", Fault.ODD_NUMBER, ("E5",)),
        ("(;SZ[9]HA[吴受先]CA[UTF-8];B[ee])", Fault.ODD_NUMBER, ("E5",)),
        ("(;SZ[9]RE[Black wins];B[ee])", Fault.ODD_RESULT, ("E5",)),
    ],
)
def test_odd_moves_and_numbers_are_read_and_noted(text, fault, moves):
    record = read(text)
    assert record.moves == moves
    assert faults(record) == [fault]


def test_a_fault_is_noted_once_however_often_the_tree_is_read():
    (tree,) = parse(b"(;SZ[9];B[EE])")
    assert record_of(tree) == record_of(tree)
    assert len(tree.faults) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(;SZ[9];B[ee];W[pd])", r"game 1, byte 16, line 1: move 2, 'pd', is no point of a 9x9 board"),
        ("(;SZ[9]\n;B[e5])", r"line 2: move 1, 'e5', is no point of a 9x9 board"),
        ("(;SZ[9]AB[aa][zz];B[ee])", r"the stone 'zz' is on no point of a 9x9 board"),
        ("(;SZ[9]AB[aa:];B[ee])", r"the stone 'aa:' is on no point"),
        ("(;SZ[77];B[ee])", r"the board size '77' is none from 1 to 52"),
        ("(;AB" + "[aa]" * 10_001 + ")", r"10,001 stones in one property"),
        ("(;" + "A[]" * 100_001 + ")", r"over 100,000 properties or values"),
        ("(;SZ[huge];B[ee])", r"the board size 'huge' is none from 1 to 52"),
    ],
)
def test_a_move_or_stone_off_the_board_makes_the_game_unreadable(text, reason):
    with pytest.raises(BadRecord, match=reason) as caught:
        read(text)
    assert str(caught.value).startswith("game.sgf: game 1, byte ")


def test_a_hostile_number_of_faults_and_comments_takes_no_long_time():
    record = read("(;SZ[9]" + ";AB[]" * 20_000 + ";B[ee]" + "C[x]" * 20_000 + ")")
    assert len(record.tree.faults) == 100
    assert len(record.comments[1]) == 39_999


def test_the_implied_pass_is_told_from_a_real_one():
    line = main_line_of(read("(;SZ[9];B[ee];B[gc];W[];B[])"))
    assert line.actions.tolist() == [40, 81, 24, 81, 81]
    assert line.implied == {1}


def test_setup_stones_and_rectangles():
    record = read("(;SZ[9]AB[aa:ba][cc]AW[ii]PL[W];W[ee])")
    assert record.setup == "9x9 XX7/9/2X6/9/9/9/9/9/8O w"
    assert record.moves == ("E5",)
    assert faults(record) == []


def test_setup_may_stand_behind_the_root_and_be_taken_back():
    record = read("(;SZ[9]HA[2];AB[gc][cg];AE[gc]AW[ac];W[ee])")
    assert record.setup == "9x9 9/9/O8/9/9/9/2X6/9/9 w"


def test_handicap_stones_are_part_of_the_setup():
    record = read("(;SZ[9]HA[2]AB[gc][cg];W[ee])")
    assert record.setup == "9x9 9/9/6X2/9/9/9/2X6/9/9 w handicap 2"
    assert record.tags["handicap"] == "2"


def test_handicap_stones_played_as_moves_become_the_setup():
    played = read("(;SZ[9]HA[2];B[gc];B[cg];W[ee])")
    placed = read("(;SZ[9]HA[2]AB[gc][cg];W[ee])")
    assert (played.setup, played.moves) == (placed.setup, placed.moves)
    assert faults(played) == [Fault.HANDICAP_AS_MOVES]


@pytest.mark.parametrize(
    ("root", "turn"),
    [
        ("", None),
        ("PL[W]", "w"),
        ("AB[aa]", "b"),
        ("AB[aa][bb]", "w"),
        ("AB[aa][bb]PL[B]", "b"),
        ("AB[aa]AW[bb]", "b"),
        ("AB[aa]AW[bb]PL[w]", "w"),
    ],
)
def test_who_moves_when_no_move_says(root, turn):
    setup = read(f"(;SZ[9]{root})").setup
    assert (setup.split()[2] if setup else None) == turn


def test_white_may_begin():
    record = read("(;SZ[9];W[ee];B[gc])")
    assert record.setup == "9x9 9/9/9/9/9/9/9/9/9 w"
    assert record.moves == ("E5", "G7")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("(;SZ[9]AB[aa][aa])", Fault.STONE_TWICE),
        ("(;SZ[9]AB[aa]AW[aa])", Fault.STONE_TWICE),
        ("(;SZ[9]AB[])", Fault.EMPTY_STONE),
        ("(;SZ[9]AB[aa]B[ee])", Fault.MOVE_WITH_SETUP),
    ],
)
def test_faults_of_setups(text, fault):
    assert faults(read(text)) == [fault]


def test_stones_set_up_within_the_game():
    record = read("(;SZ[9];B[ee];W[gc];AB[aa]AE[gc];B[gg])")
    assert record.moves == ("E5", "G7", "G3")
    assert faults(record) == [Fault.SETUP_IN_GAME]
    line = main_line_of(record)
    assert line.setups == {2: [(0, 1), (24, 0)]}
    assert not line.plain


def test_forced_moves_are_marked():
    assert main_line_of(read("(;SZ[9];B[ee];W[ee]KO[];B[gc])")).forced == {1}


def test_comments_of_nodes_without_moves_join_those_of_the_move_before():
    record = read("(;SZ[9]C[a];C[b];B[ee]C[c];C[d];W[gc])")
    assert record.comments == {0: "a\nb", 1: "c\nd"}


def test_variations_stay_in_the_tree():
    record = read("(;SZ[9];B[ee](;W[gc];B[gg])(;W[cg]))")
    assert record.moves == ("E5", "G7", "G3")
    assert [node.get("W") for node in record.tree.nodes() if node.get("W")] == ["gc", "cg"]


def test_old_names_are_understood():
    record = read("(;GaMe[1]SiZe[9]PlayerBlack[a]KoMi[5.5];Black[ee];White[gc])")
    assert (record.game, record.moves, record.players[0]) == ("go-9x9", ("E5", "G7"), "a")
    assert record.tags["komi"] == "5.5"


@pytest.mark.parametrize("number", ["2", "3", "4", "8", "11", "40"])
def test_other_games_are_kept_as_properties(number):
    record = read(f"(;GM[{number}]PB[a]PW[b]RE[W+];B[d3];W[c4]C[x])")
    assert record.game == f"sgf-gm{number}"
    assert (record.moves, record.players, record.score) == ((), ("a", "b"), 0.0)
    assert [node.properties() for node in record.tree.nodes()][1:] == [{"B": ["d3"]}, {"W": ["c4"], "C": ["x"]}]
    assert faults(record) == [Fault.OTHER_GAME]


def test_boards_over_25_are_kept_as_properties():
    record = read("(;SZ[37]PB[a];B[pd];W[AK])")
    assert (record.game, record.moves, record.players[0]) == ("go-37x37", (), "a")
    assert faults(record) == [Fault.BOARD_TOO_BIG]
    assert len(record.tree) == 3


def test_tags_show_text_in_one_line():
    record = read(b"(;GN[a\nb\\]c]GC[one\ntwo]EV[x\\\ny])")
    assert record.tags["name"] == "a b]c"
    assert record.tags["comment"] == "one\ntwo"
    assert record.tags["event"] == "xy"


def test_a_record_without_a_tree_gives_the_same_main_line():
    whole = read("(;SZ[9]HA[2]AB[gc][cg];W[ee];B[cc];W[])")
    bare = replace(whole, tree=None)
    for line in (main_line_of(whole), main_line_of(bare)):
        assert (line.actions.tolist(), line.turn) == ([40, 20, 81], 1)
        assert setup_text(line, 2) == whole.setup


def test_changed_fields_win_over_the_tree():
    record = replace(read("(;SZ[9];B[ee];W[gc])"), moves=("A1", "B1"))
    assert main_line_of(record).actions.tolist() == [72, 73]


@pytest.mark.parametrize("move", ["I5", "K1", "A10", "", "d4x", "tt"])
def test_moves_that_are_none_are_refused(move):
    with pytest.raises(ValueError, match="no point of a 9x9 board"):
        main_line_of(Record("go-9x9", (move,)))
    with pytest.raises(ValueError, match="a record of Go is wanted"):
        main_line_of(Record("chess", ("e2e4",)))
