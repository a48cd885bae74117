"""Which charset a file is in: labelled, unlabelled, wrongly labelled, broken, mixed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.sgf import Fault, parse, serialise
from sakiyomi.sgf.charset import CHARSETS, known, to_utf8

# Names of no one: words of the game, places and seasons.
CHINESE = "(;GM[1]GN[第三届围棋公开赛决赛]PB[黑龙江队]BR[九段]PW[春风]WR[业余五段]RE[黑中盘胜]DT[二〇〇八年三月];B[pd])"
TAIWAN = "(;GM[1]GN[第三屆圍棋公開賽決賽]PB[黑龍江隊]BR[九段]PW[春風]WR[業餘五段]RE[黑中盤勝];B[pd])"
JAPANESE = "(;GM[1]GN[第十期名人戦予選]PB[ソ十表能]BR[九段]PW[春の海ノリ]WR[四段]RE[黒中押し勝ち];B[pd])"
KOREAN = "(;GM[1]GN[제삼회 바둑 대회 결승전]PB[봄바람]BR[구단]PW[가을하늘]WR[사단]RE[흑 불계승];B[pd])"
RUSSIAN = "(;GM[1]GN[Третий открытый турнир]PB[Весенний ветер]PW[Осеннее небо];B[pd])"
FRENCH = "(;GM[1]GN[Tournoi d'été de Besançon]PB[Hélène à l'île]PW[Señor Müller];B[pd])"

SAMPLES = [
    (CHINESE, "gb18030", "GB18030"),
    (CHINESE, "utf-8", "UTF-8"),
    (TAIWAN, "big5", "Big5"),
    (TAIWAN, "utf-8", "UTF-8"),
    (JAPANESE, "cp932", "Shift_JIS"),
    (JAPANESE, "euc_jp", "EUC-JP"),
    (JAPANESE, "utf-8", "UTF-8"),
    (JAPANESE, "iso2022_jp", "ISO-2022-JP"),
    (KOREAN, "euc_kr", "EUC-KR"),
    (KOREAN, "utf-8", "UTF-8"),
    (RUSSIAN, "cp1251", "windows-1251"),
    (RUSSIAN, "utf-8", "UTF-8"),
    (FRENCH, "latin-1", "windows-1252"),
    (FRENCH, "utf-8", "UTF-8"),
]


def properties(data):
    (tree,) = parse(data)
    return tree, {ident: value for node in tree.nodes() for ident, (value, *_) in node.properties().items()}


@pytest.mark.parametrize(("text", "codec", "name"), SAMPLES)
def test_a_charset_without_label_is_found(text, codec, name):
    tree, found = properties(text.encode(codec))
    assert tree.charset == name
    assert found == properties(text.encode())[1]
    expected = [] if name == "ISO-2022-JP" else [Fault.CHARSET_GUESSED]
    assert [fault.fault for fault in tree.faults] == expected


@pytest.mark.parametrize(("text", "codec", "name"), SAMPLES)
def test_a_right_label_is_believed(text, codec, name):
    labelled = text.replace("GM[1]", f"GM[1]CA[{name}]")
    tree, found = properties(labelled.encode(codec))
    assert tree.charset == name
    assert tree.faults == []
    assert found == properties(labelled.encode())[1] | {"CA": name}


@pytest.mark.parametrize(
    ("text", "codec", "label", "name"),
    [
        (JAPANESE, "cp932", "UTF-8", "Shift_JIS"),
        (CHINESE, "gb18030", "UTF-8", "GB18030"),
        (CHINESE, "utf-8", "GB2312", "UTF-8"),
        (JAPANESE, "utf-8", "Shift_JIS", "UTF-8"),
        (JAPANESE, "cp932", "US-ASCII", "Shift_JIS"),
        (FRENCH, "latin-1", "UTF-8", "windows-1252"),
        (FRENCH, "utf-8", "ISO-8859-1", "UTF-8"),
        (CHINESE, "gb18030", "nonsense-9", "GB18030"),
        (KOREAN, "euc_kr", "zip", "EUC-KR"),
    ],
)
def test_a_wrong_label_is_seen_through(text, codec, label, name):
    tree, found = properties(text.replace("GM[1]", f"GM[1]CA[{label}]").encode(codec))
    assert tree.charset == name
    assert found["GN"] == properties(text.encode())[1]["GN"]
    assert [fault.fault for fault in tree.faults] == [Fault.CHARSET_LIES]


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_wide_charsets_and_byte_order_marks(codec):
    for mark in (JAPANESE, "\ufeff" + JAPANESE if codec.endswith("e") else JAPANESE):
        tree, found = properties(mark.encode(codec))
        assert tree.charset == codec.upper().removesuffix("-SIG").removesuffix("-LE").removesuffix("-BE")
        assert found["PB"] == "ソ十表能"


def test_trail_bytes_that_look_like_brackets_do_not_end_a_value():
    """In Shift_JIS 5C and 5D are second bytes, too: so 表 is 95 5C and ャ is 83 83, ゼ is 83 5B, ソ is 83 5C."""
    for text, codec in (("表ソ能ゼ十", "cp932"), ("許功蓋", "big5"), ("俓僜", "gbk")):
        raw = text.encode(codec)
        assert {0x5B, 0x5C, 0x5D} & set(raw)
        name = known(codec)[0]
        _, found = properties(b"(;CA[%b]PB[%b]PW[x];B[pd];W[dp])" % (name.encode(), raw))
        assert (found["PB"], found["PW"], found["B"], found["W"]) == (text, "x", "pd", "dp")


def test_utf8_with_bytes_lost_stays_utf8():
    """Some server's files have "?" where UTF-8 had 81, 8D, 8F, 90 or 9D."""
    lost = CHINESE.encode().translate(bytes.maketrans(b"\x81\x8d\x8f\x90\x9d", b"?????"))
    assert lost != CHINESE.encode()
    tree, found = properties(lost)
    assert tree.charset == "UTF-8"
    assert found["PW"] == "春风"
    assert [fault.fault for fault in tree.faults] == [Fault.CHARSET_GUESSED, Fault.BROKEN_BYTES]
    (again,) = parse(serialise([tree]))
    assert again == tree
    assert again.root.raw() != []


@pytest.mark.parametrize(
    ("name", "codec"), [("时光", "gb18030"), ("ひろし", "cp932"), ("바둑", "euc_kr"), ("créé", "latin-1")]
)
def test_one_short_name_can_be_enough(name, codec):
    assert properties(f"(;PB[{name}])".encode(codec))[1]["PB"] == name


def test_one_value_in_another_charset():
    data = CHINESE.encode()[:-1] + b";C[" + "黑超时罚点".encode("gb18030") + b"])"
    tree, found = properties(data)
    assert tree.charset == "UTF-8"
    assert found["C"] == "黑超时罚点"
    assert found["PW"] == "春风"


def test_a_broken_byte_survives_even_where_the_rest_no_longer_shows_the_charset():
    data = b"(;CA[UTF-8]RE[W+\xff.5];B[pd]P[" + ("围" * 40).encode()  # cut: the last value is dropped
    (tree,) = parse(data)
    assert tree.charset == "UTF-8"
    (again,) = parse(serialise([tree]))
    assert again == tree
    assert again.root.get("RE") == tree.root.get("RE")


def test_games_of_one_file_may_differ_in_charset():
    parts = [
        JAPANESE.replace("GM[1]", "GM[1]CA[Shift_JIS]").encode("cp932"),
        CHINESE.replace("GM[1]", "GM[1]CA[gb2312]").encode("gb18030"),
        KOREAN.replace("GM[1]", "GM[1]CA[EUC-KR]").encode("euc_kr"),
    ]
    trees = parse(b"\n".join(parts))
    assert [tree.charset for tree in trees] == ["Shift_JIS", "GB18030", "EUC-KR"]
    assert [tree.root.get("PW") for tree in trees] == ["春の海ノリ", "春风", "가을하늘"]


def test_places_are_those_of_the_file_not_of_the_decoded_text():
    data = b"(;CA[Shift_JIS]GN[" + "囲碁".encode("cp932") + b"]\n??? ;B[pd])"
    (tree,) = parse(data)
    (found,) = tree.faults
    assert found.fault is Fault.JUNK_INSIDE
    assert data[found.byte : found.byte + 3] == b"???"
    assert found.line == 2


@pytest.mark.parametrize("name", CHARSETS)
def test_writing_in_any_charset_and_reading_it_back(name):
    text = {"GB18030": CHINESE, "Big5": TAIWAN, "EUC-KR": KOREAN, "windows-1251": RUSSIAN, "KOI8-R": RUSSIAN}.get(name)
    text = text or (
        FRENCH if name in ("windows-1252", "ISO-8859-1") else JAPANESE if name != "US-ASCII" else "(;PB[x])"
    )
    (tree,) = parse(text.encode())
    written = serialise([tree], name)
    (again,) = parse(written)
    assert again == tree
    assert again.charset == name
    assert again.root.get("CA") == ("" if name == "US-ASCII" else name)


def test_a_charset_without_the_character_is_an_error():
    (tree,) = parse(JAPANESE.encode())
    with pytest.raises(ValueError, match=r"ISO-8859-1 has no character .* use UTF-8"):
        serialise([tree], "ISO-8859-1")
    with pytest.raises(ValueError, match="unknown charset 'klingon'"):
        serialise([tree], "klingon")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=120))
def test_any_bytes_become_text(data):
    text = to_utf8(data)
    assert text.original_length(0, len(text.data)) >= 0
    assert all(known(stretch.charset) for stretch in text.stretches)
