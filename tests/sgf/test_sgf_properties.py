"""Values as the standard has them, and as servers and programs write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sakiyomi.sgf import properties as props


@pytest.mark.parametrize(
    ("text", "result", "ending", "exact"),
    [
        ("B+R", "B+R", "resignation", True),
        ("W+Resign", "W+R", "resignation", True),
        ("B+T", "B+T", "time", True),
        ("W+Time", "W+T", "time", True),
        ("B+F", "B+F", "forfeit", True),
        ("W+Forfeit", "W+F", "forfeit", True),
        ("B+3.5", "B+3.5", "", True),
        ("W+65.00", "W+65", "", True),
        ("B+", "B+", "", True),
        ("0", "0", "", True),
        ("Draw", "0", "", True),
        ("Void", "*", "no result", True),
        ("?", "*", "", True),
        ("", "*", "", True),
        ("b+r", "B+R", "resignation", False),
        ("B + 3.5", "B+3.5", "", False),
        ("B+Resign.", "B+R", "resignation", False),
        ("W+1/2", "W+0.5", "", False),
        ("W+½", "W+0.5", "", False),
        ("B+2 1/2", "B+2.5", "", False),
        ("B+2.75", "B+5.5", "", True),
        ("B+0.5 (moves beyond 261 not known)", "B+0.5", "", False),
        ("Black wins by resignation", "B+R", "resignation", False),
        ("White wins by 3.5", "W+3.5", "", False),
        ("W wins", "W+", "", False),
        ("Jigo", "0", "", False),
        ("B+0", "0", "", True),
        ("黑中盘胜", "B+R", "resignation", False),
        ("白中盤勝", "W+R", "resignation", False),
        ("白番中押し勝ち", "W+R", "resignation", False),
        ("黒3目半勝ち", "B+3.5", "", False),
        ("白番半目勝", "W+0.5", "", False),
        ("黑胜3又3/4子", "B+7.5", "", False),
        ("白胜1/4子", "W+0.5", "", False),
        ("黑负", "W+", "", False),
        ("白超时负", "B+T", "time", False),
        ("흑불계승", "B+R", "resignation", False),
        ("백 반집승", "W+0.5", "", False),
        ("和棋", "0", "", False),
        ("持碁", "0", "", False),
        ("Both lost", "*", "no result", False),
        ("Left unfinished", "*", "", False),
        ("W", "*", "", False),
    ],
)
def test_results(text, result, ending, exact):
    assert props.read_result(text) == (result, ending, exact)


@pytest.mark.parametrize("result", ["B+R", "W+T", "B+F", "W+0.5", "B+12", "B+", "0", "*"])
def test_a_result_that_is_written_is_read_back(result):
    assert props.read_result(props.write_result(result, ""))[0] == result


@pytest.mark.parametrize(
    ("text", "komi"),
    [
        ("6.5", 6.5),
        ("6,5", 6.5),
        ("0", 0),
        ("-5.5", -5.5),
        (" 7.50 ", 7.5),
        (".5", 0.5),
        ("375", 7.5),
        ("650", 6.5),
        ("3.75", 7.5),
        ("5.5目", 5.5),
        ("6目半", 6.5),
        ("７．５", 7.5),
        ("3又3/4子", 7.5),
        ("", None),
        ("none", None),
        ("9" * 30, None),
    ],
)
def test_komi(text, komi):
    assert props.read_komi(text) == komi


@pytest.mark.parametrize(
    ("text", "rules", "komi"),
    [
        ("3.75", "chinese", 7.5),
        ("375", "chinese", 7.5),
        ("3.75", "japanese", 3.75),
        ("7.3", "chinese", 7.3),
        ("6.25", None, 6.25),
        ("100", None, 100),
        ("361", "chinese", 361),
    ],
)
def test_komi_is_guessed_only_where_it_is_likely(text, rules, komi):
    assert props.read_komi(text, rules) == komi


@pytest.mark.parametrize("text", ["3.75", "375", "7.3", "650", "-0.0", "0.000012345678901234567"])
def test_komi_of_our_own_files_is_what_it_says(text):
    assert props.read_komi(text, "chinese", exact=True) == float(text)


@pytest.mark.parametrize(
    ("text", "stones"),
    [("2", 2), (" 9 ", 9), ("0", 0), ("吴受先", 0), ("让2子", 2), ("让先", 0), ("x", None), ("1.5", None)],
)
def test_handicap(text, stones):
    assert props.read_handicap(text) == stones


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("19", (19, 19)),
        (" 19 ", (19, 19)),
        ("9:13", (9, 13)),
        ("9 : 13", (9, 13)),
        ("19x19", (19, 19)),
        ("52", (52, 52)),
        ("1", (1, 1)),
        ("0", None),
        ("53", None),
        ("9:", None),
        ("large", None),
        ("-9", None),
    ],
)
def test_sizes(text, size):
    assert props.read_size(text) == size


@pytest.mark.parametrize(
    ("text", "size", "action"),
    [
        ("aa", (19, 19), 0),
        ("sa", (19, 19), 18),
        ("as", (19, 19), 18 * 19),
        (" pd ", (19, 19), 3 * 19 + 15),
        ("PD", (19, 19), 3 * 19 + 15),
        ("", (19, 19), 361),
        ("tt", (19, 19), 361),
        ("tt", (9, 9), 81),
        ("tt", (20, 20), 399),
        ("pass", (9, 9), 81),
        ("ma", (9, 13), None),
        ("am", (9, 13), 108),
        ("aA", (27, 27), 26 * 27),
        ("AA", (27, 27), 26 * 27 + 26),
        ("zz", (19, 19), None),
        ("d4", (9, 9), None),
        ("a", (9, 9), None),
        ("aaa", (9, 9), None),
        ("é!", (9, 9), None),
    ],
)
def test_points(text, size, action):
    assert props.read_point(text, *size) == action


@given(st.integers(1, 52), st.integers(1, 52), st.data())
def test_a_point_that_is_written_is_read_back(width, height, data):
    action = data.draw(st.integers(0, width * height))
    assert props.read_point(props.write_point(action, width, height), width, height) == action


def test_lists_of_points_may_be_rectangles():
    assert props.read_points("bb", 9, 9) == (10,)
    assert props.read_points("bb:dc", 9, 9) == (10, 11, 12, 19, 20, 21)
    assert props.read_points("dc:bb", 9, 9) == props.read_points("bb:dc", 9, 9)
    assert props.read_points("bb:", 9, 9) is None
    assert props.read_points("", 9, 9) is None
    assert props.read_points("bb:zz", 9, 9) is None


@pytest.mark.parametrize(
    ("text", "rules", "suicide"),
    [
        ("Japanese", "japanese", False),
        ("japanese", "japanese", False),
        ("jp", "japanese", False),
        ("Korean", "japanese", False),
        ("日本", "japanese", False),
        ("Chinese", "chinese", False),
        ("cn", "chinese", False),
        ("中国规则", "chinese", False),
        ("AGA", "aga", False),
        ("NZ", "new-zealand", True),
        ("New Zealand", "new-zealand", True),
        ("new-zealand", "new-zealand", True),
        ("GOE", "chinese", True),
        ("Tromp-Taylor", "tromp-taylor", True),
        ("tromp-taylor", "tromp-taylor", True),
        ("", None, False),
        ("house rules", None, False),
    ],
)
def test_rules(text, rules, suicide):
    assert props.read_rules(text) == rules
    assert props.allows_suicide(text) is suicide
