"""CSA: what is read of a file, and what is said of one that is faulty."""

import pytest

from sakiyomi.boards.shogi.csa import position_lines
from sakiyomi.boards.shogi.sfen import START
from sakiyomi.sgf import BadRecord, Collection, Fault, read_csa
from sakiyomi.sgf.shogi_moves import start_of

SPEC = """'----------Example of V2.2----------
V2.2
N+NAKAHARA
N-YONENAGA
$EVENT:13th World Computer Shogi Championship
$SITE:KAZUSA ARC
$START_TIME:2003/05/03 10:30:00
$END_TIME:2003/05/03 11:11:05
$TIME_LIMIT:00:25+00
$OPENING:YAGURA
P1-KY-KE-GI-KI-OU-KI-GI-KE-KY
P2 * -HI *  *  *  *  * -KA *
P3-FU-FU-FU-FU-FU-FU-FU-FU-FU
P4 *  *  *  *  *  *  *  *  *
P5 *  *  *  *  *  *  *  *  *
P6 *  *  *  *  *  *  *  *  *
P7+FU+FU+FU+FU+FU+FU+FU+FU+FU
P8 * +KA *  *  *  *  * +HI *
P9+KY+KE+GI+KI+OU+KI+GI+KE+KY
'Comments are allowed
+
+2726FU
T12
-3334FU
T6
+7776FU
'*the usual move
%CHUDAN
T3
"""


def one(text, **options):
    (record,) = read_csa(text.encode() if isinstance(text, str) else text, "game.csa", **options)
    if isinstance(record, BadRecord):
        raise record
    return record


def test_the_example_of_the_standard():
    record = one(SPEC)
    assert record.moves == ("2g2f", "3c3d", "7g7f")
    assert record.setup is None
    assert record.players == ("NAKAHARA", "YONENAGA")
    assert record.tags == {
        "event": "13th World Computer Shogi Championship",
        "place": "KAZUSA ARC",
        "date": "2003-05-03",
        "start time": "10:30:00",
        "end time": "2003/05/03 11:11:05",
        "time": "00:25+00",
        "opening": "YAGURA",
    }
    assert (record.result, record.ending) == ("*", "interrupted")
    assert record.comments == {0: "----------Example of V2.2----------\nComments are allowed", 3: "the usual move"}
    assert record.tree.times == (12.0, 6.0, None, 3.0)
    assert record.tree.faults == []


@pytest.mark.parametrize(
    ("closing", "result", "ending"),
    [
        ("%TORYO", "0-1", "resignation"),
        ("%TIME_UP", "0-1", "time forfeit"),
        ("%TSUMI", "0-1", "checkmate"),
        ("%KACHI", "1-0", "declaration"),
        ("%ILLEGAL_MOVE", "0-1", "illegal move"),
        ("%+ILLEGAL_ACTION", "0-1", "illegal move"),
        ("%-ILLEGAL_ACTION", "1-0", "illegal move"),
        ("%SENNICHITE", "1/2-1/2", "repetition"),
        ("%JISHOGI", "1/2-1/2", "impasse"),
        ("%HIKIWAKE", "1/2-1/2", "declaration"),
        ("%MAX_MOVES", "1/2-1/2", "move limit"),
        ("%CHUDAN", "*", "interrupted"),
        ("%FUZUMI", "*", "no mate"),
        ("%MATTA", "*", "takeback"),
        ("%ERROR", "*", "error"),
        ("", "*", ""),
    ],
)
def test_endings(closing, result, ending):
    record = one(f"PI\n+\n+7776FU\n-3334FU\n{closing}\n")
    assert (record.result, record.ending) == (result, ending)
    assert record.tree.faults == []


def test_a_closing_move_that_is_not_known():
    record = one("PI\n+\n+7776FU\n%WEATHER_BAD\n")
    assert (record.result, record.ending) == ("*", "weather bad")
    assert [found.fault for found in record.tree.faults] == [Fault.UNKNOWN_CLOSING]


def test_the_board_tells_of_a_mate_that_no_line_does():
    mate = "P1 *  *  *  * -OU *  *  *  * \nP3 *  *  *  * +FU *  *  *  * \nP9 *  *  *  * +OU *  *  *  * \nP+00KI\n+\n"
    record = one(f"{mate}+0052KI\n")
    assert (record.result, record.ending) == ("1-0", "checkmate")
    assert record.setup == "4k4/9/4P4/9/9/9/9/9/4K4 b G 1"


def test_versions_line_ends_and_commas():
    for version in ("V2\n", "V2.1\n", "V2.2\n", "V3.0\n", ""):
        assert one(f"{version}PI\n+\n+7776FU,T5,-3334FU,T6\n%TORYO,T1\n").tree.times == (5.0, 6.0, 1.0)
    for end in ("\r\n", "\r", "\n", " \n"):
        record = one(end.join(["V2.2", "N+a", "PI", "+", "+7776FU", "T5", "%TORYO"]))
        assert (record.moves, record.players, record.ending) == (("7g7f",), ("a", ""), "resignation")
    assert one("V3.0\nPI\n+\n+7776FU\nT5.125\n").tree.times == (5.125,)


@pytest.mark.parametrize(
    ("lines", "setup"),
    [
        ("PI\n+", None),
        ("PI\n-", START.replace(" b ", " w ")),
        ("PI82HI22KA\n-", "lnsgkgsnl/9/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL w - 1"),
        ("P-51OU\nP+53FU59OU00KI\nP-00AL\n+", "4k4/9/4P4/9/9/9/9/9/4K4 b G2r2b3g4s4n4l17p 1"),
        ("P-51OU\nP+59OU\nP+00FU00FU00KA\n-", "4k4/9/9/9/9/9/9/9/4K4 w B2P 1"),
    ],
)
def test_first_positions(lines, setup):
    assert one(f"{lines}\n").setup == setup
    first = start_of(setup)
    again = "\n".join(position_lines(first))
    assert one(f"{again}\n").setup == setup


def test_several_games_and_their_places():
    text = "V2.2\nPI\n+\n+7776FU\n%TORYO\n/\nN+b\nPI\n+\n+7776FU\n-7776FU\n/\n'last\nPI\n+\n/\n"
    first, second, third = read_csa(text.encode(), "many.csa")
    assert (first.moves, first.tree.number, first.tree.line) == (("7g7f",), 1, 1)
    assert isinstance(second, BadRecord)
    assert (second.game, second.line, second.byte) == (2, 11, text.index("-7776FU"))
    assert (third.comments, third.tree.number) == ({0: "last"}, 3)


def test_comments_of_programs_are_kept():
    record = one("'*opening\nPI\n+\n+7776FU\n'** 35 -3334FU +2726FU\n'plain\n")
    assert record.comments == {0: "opening", 1: "* 35 -3334FU +2726FU\nplain"}


def test_charsets():
    text = "'CSA encoding={}\nN+先手の人\nPI\n+\n+7776FU\n'*良い手\n"
    for named, codec in (("UTF-8", "utf-8"), ("SHIFT_JIS", "cp932"), ("EUC-JP", "euc_jp")):
        record = one(text.format(named).encode(codec))
        assert (record.players[0], record.comments) == ("先手の人", {1: "良い手"})
    for codec in ("utf-8", "utf-8-sig", "cp932", "utf-16"):
        assert one(text.partition("\n")[2].encode(codec)).players[0] == "先手の人"
    lying = one(text.format("UTF-8").encode("cp932"))
    assert lying.players[0] == "先手の人"
    assert [found.fault for found in lying.tree.faults] == [Fault.ENCODING_LIES]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("+7775FU", "line 3: move 1: '[+]7775FU' in lnsg.* b - 1: the pawn on 7g cannot go to 7e"),
        ("-3334FU", "line 3: move 1: '-3334FU' in .*: it is Black's turn"),
        ("+7776GI", "a pawn stands on 7g, not a silver"),
        ("+0055FU", "Black has no pawn in hand"),
        ("+7776FU\n-8822UM", "line 4: move 2: .* White has no piece on 8h"),
        ("+7776FU\n-3334FU\n+8822UM\n-3122GI\n+0055FU", "line 7: move 5: .* Black has no pawn in hand"),
        ("+7776XX", "line 3: move 1: '[+]7776XX' is no move: CSA such as [+]7776FU"),
        ("+7776FU\n-3a34FU", "line 4: move 2: '-3a34FU' is no move"),
        ("+7776", "line 3: move 1: '[+]7776' is no move"),
        ("+7776FU\n+x", "line 4: '[+]x' is no move"),
    ],
)
def test_bad_moves_are_named_with_line_position_and_rule(body, why):
    with pytest.raises(BadRecord, match=f"game.csa: game 1, byte [0-9]+, .*{why}"):
        one(f"PI\n+\n{body}\n")


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("P1-KY\n+", "'P1-KY': P1 to P9 have nine squares each"),
        ("PI55KA\n+", "no KA stands on 55"),
        ("P+55XX\n+", "XX is no piece of CSA's"),
        ("P+5KA\n+", "squares and pieces such as 55KA00FU are wanted"),
        ("P+05KA\n+", "05 is no square"),
        ("P+00TO\n+", "TO cannot be in hand"),
        ("P+11FU\n+", "the pawn on 1a could never move"),
        ("P+55OU\nP-54KI\n-", "Black is in check, but it is not Black's turn"),
    ],
)
def test_bad_first_positions_are_named(lines, why):
    with pytest.raises(BadRecord, match=f"line 1: the first position: .*{why}"):
        one(f"{lines}\n+7776FU\n")


def test_a_foul_ends_a_game_that_says_so():
    for closing in ("%ILLEGAL_MOVE", "'*ILLEGAL_MOVE(nifu)"):
        record = one(f"PI\n+\n+7776FU\n-3334FU\n+7775FU\n+7776FU\n{closing}\n".replace("+7775FU\n", ""))
        assert (record.moves, record.result, record.ending) == (("7g7f", "3c3d"), "0-1", "illegal move")
        assert [found.fault for found in record.tree.faults] == [Fault.ILLEGAL_END]
        assert record.tags == {"illegal move": "+7776FU"}


def test_lines_that_mean_nothing_are_skipped_and_told():
    record = one("V2.2\nhello\nPI\n+\n+7776FU\n")
    (found,) = record.tree.faults
    assert (found.fault, found.line, found.detail) == (Fault.UNKNOWN_LINE, 2, "hello")


def test_long_files_are_streamed(tmp_path):
    game = f"PI\n+\n'{1500 * 'x'}\n+7776FU\nT1\n-3334FU\nT2\n%TORYO\n"
    path = tmp_path / "long.csa"
    path.write_text("/\n".join([game] * 2000 + ["PI\n+\n+7775FU\n"]))
    assert path.stat().st_size > 2 << 20  # several pieces
    games = Collection(path)
    assert [record.tree.number for record in games] == list(range(1, 2001))
    (bad,) = games.failures
    assert (bad.game, bad.line, bad.byte) == (2001, 2000 * 9 + 3, 2000 * (len(game) + 2) + 5)
