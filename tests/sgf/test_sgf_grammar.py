"""Bytes <-> trees: the grammar, the faults it lives with, and input meant to break it."""

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.sgf import BadRecord, Fault, GameTree, parse, serialise
from sakiyomi.sgf import grammar as grammar_module
from sakiyomi.sgf.grammar import escape, plain, unescape


def only(data: bytes) -> GameTree:
    (tree,) = parse(data)
    return tree


def shape(tree):
    """The tree as nested lists of properties: (properties, children), without recursion limits in mind."""
    return [
        (dict(node.properties()), None if node.parent is None else node.parent.index - tree.first)
        for node in tree.nodes()
    ]


def faults(tree):
    return [found.fault for found in tree.faults]


def test_nodes_properties_and_values():
    tree = only(b"(;FF[4]GM[1]PB[Kuro]AB[aa][bb:cc];B[pd]C[good];W[dp])")
    assert [node.properties() for node in tree.nodes()] == [
        {"FF": ["4"], "GM": ["1"], "PB": ["Kuro"], "AB": ["aa", "bb:cc"]},
        {"B": ["pd"], "C": ["good"]},
        {"W": ["dp"]},
    ]
    assert tree.root.get("PB") == "Kuro"
    assert tree.root.get("PW", "?") == "?"
    assert tree.faults == []


def test_variations_keep_their_order_and_the_first_is_the_main_line():
    tree = only(b"(;N[0](;N[1];N[2](;N[3])(;N[4]))(;N[5](;N[6])(;N[7];N[8])))")
    names = [node.get("N") for node in tree.nodes()]
    assert names == list("012345678")
    assert [[child.get("N") for child in node.children] for node in tree.nodes()] == [
        ["1", "5"],
        ["2"],
        ["3", "4"],
        [],
        [],
        ["6", "7"],
        [],
        ["8"],
        [],
    ]
    assert [node.get("N") for node in tree.main_line()] == ["0", "1", "2", "3"]
    assert tree.root.children[1].parent.get("N") == "0"


def test_several_games_in_a_file_are_numbered():
    first, second = parse(b"(;N[a](;N[b])(;N[c]))\n(;N[d])")
    assert [node.get("N") for node in first.nodes()] == ["a", "b", "c"]
    assert [node.get("N") for node in second.nodes()] == ["d"]
    assert (first.number, second.number) == (1, 2)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (rb"a\]b", "a]b"),
        (rb"a\\", "a\\"),
        (rb"a\:b", "a:b"),
        (rb"\a\\b\]", "a\\b]"),
        (b"soft\\\nbreak", "softbreak"),
        (b"soft\\\r\nbreak", "softbreak"),
        (b"soft\\\n\rbreak", "softbreak"),
        (b"soft\\\rbreak", "softbreak"),
        (b"a\nb\r\nc\n\rd\re", "a\nb\nc\nd\ne"),
        (b"tab\there\vand\fthere", "tab here and there"),
        (rb"\\\\\]", "\\\\]"),
        (b"", ""),
    ],
)
def test_escapes_and_line_breaks(raw, text):
    assert only(b"(;C[%b])" % raw).root.get("C") == text


@given(st.text())
def test_escape_is_undone(text):
    assert unescape(escape(text)).decode() == text.encode("utf-8", "replace").decode()
    assert plain(escape(text.replace("\r", ""))).translate({9: 32, 11: 32, 12: 32}) == text.encode(
        "utf-8", "replace"
    ).decode().replace("\r", "").translate({9: 32, 11: 32, 12: 32})


UGLY = {
    "old long names": (b"(;GaMe[1]FileFormat[1];Black[pd];White[dp])", ["GM", "FF", "B", "W"], []),
    "no last )": (b"(;GM[1];B[pd];W[dp]", ["GM", "B", "W"], [Fault.UNCLOSED_GAME]),
    "no last ) of a variation": (b"(;GM[1](;B[pd];W[dp])", ["GM", "B", "W"], [Fault.UNCLOSED_GAME]),
    "junk with a [ before": (b"From: x [y] (a.b)\n(;GM[1];B[pd])", ["GM", "B"], [Fault.JUNK_OUTSIDE]),
    "junk after": (b"(;GM[1];B[pd])\nregards", ["GM", "B"], [Fault.JUNK_OUTSIDE]),
    "no ; after (": (b"(GM[1]SZ[19];B[pd])", ["GM", "SZ", "B"], [Fault.NO_SEMICOLON]),
    "no ; in a variation": (b"(;GM[1](B[pd];W[dp])(B[dd]))", ["GM", "B", "W", "B"], [Fault.NO_SEMICOLON] * 2),
    "no (": (b";GM[1];B[pd];W[dp])", ["GM", "B", "W"], [Fault.NO_OPENING]),
    "a ) too many": (b"(;GM[1];B[pd]))", ["GM", "B"], [Fault.EXTRA_CLOSING]),
    "lower-case names": (b"(;ff[4]sz[9];b[ee];w[cc])", ["FF", "SZ", "B", "W"], [Fault.LOWER_CASE_IDENT]),
    "spaces everywhere": (b" ( ; GM [1] SZ\n[19] ; B [pd]\t; W\n[dp] ) ", ["GM", "SZ", "B", "W"], []),
    "one property twice": (b"(;AP[a]AP[b];B[pd])", ["AP", "AP", "B"], [Fault.DUPLICATE_PROPERTY]),
    "a value of nothing": (b"(;[x]GM[1];B[pd])", ["GM", "B"], [Fault.BARE_VALUE]),
    "words between": (b"(;GM[1] hello, you ;B[pd] 12)", ["GM", "B"], [Fault.JUNK_INSIDE] * 2),
    "NULs": (b"(;GM[1]\0\0;B[pd]\0)", ["GM", "B"], []),
    "a name longer than any": (b"(;MULTIGOGM[1]ABCDEFGHIJKLMNOP[2])", ["MULTIGOGM", "ABCDEFGHIJKLMNOP"], []),
    "cut in a move": (b"(;GM[1];B[pd];W[d", ["GM", "B"], [Fault.UNCLOSED_VALUE, Fault.UNCLOSED_GAME]),
    "byte order mark": (b"\xef\xbb\xbf(;GM[1];B[pd])", ["GM", "B"], []),
    "digits in names": (b"(;a1B[x]C2[y]b3[z])", ["A1B", "C2", "B3"], [Fault.LOWER_CASE_IDENT]),
    "only a root": (b"(;)", [], []),
}


@pytest.mark.parametrize("case", UGLY)
def test_ugly_files_are_read(case):
    data, names, noted = UGLY[case]
    tree = only(data)
    assert [ident for node in tree.nodes() for ident, _ in node.raw()] == names
    assert faults(tree) == noted


def test_a_value_cut_off_by_the_end_is_a_text_or_nothing():
    assert only(b"(;C[not yet").root.get("C") == "not yet"
    assert [node.properties() for node in only(b"(;GM[1];B[p").nodes()] == [{"GM": ["1"]}, {}]


@pytest.mark.parametrize(
    ("data", "comment", "moves"),
    [
        (b"(;C[see [this] move];B[pd])", "see [this] move", 1),
        (b"(;C[a [b], c];B[pd];W[dp])", "a [b], c", 2),
        (b"(;C[ends with [x]];B[pd])", "ends with [x]", 1),
        (b"(;C[smile :]];B[pd])", "smile :]", 1),
        (b"(;C[a [b] c [d] e];B[pd])", "a [b] c [d] e", 1),
    ],
)
def test_an_unescaped_bracket_in_a_comment(data, comment, moves):
    tree = only(data)
    assert tree.root.get("C") == comment
    assert [node.raw()[0][0] for node in list(tree.nodes())[1:]] == ["B", "W"][:moves]
    assert faults(tree) == [Fault.UNESCAPED_BRACKET]
    again = only(serialise([tree]))
    assert again == tree
    assert again.faults == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"   \n", "the file is empty"),
        (b"<!DOCTYPE html><html>(no game)</html>", "web page"),
        (b'[Event "x"]\n1. e4 *', "PGN"),
        (b"V2.2\nPI\n+7776FU\n", "CSA"),
        ("手合割：平手\n".encode("cp932"), "KIF"),
        (b"((((", "no SGF game"),
        (b"()", "no SGF game"),
        (b"hello", "no SGF game"),
    ],
)
def test_what_is_no_sgf_is_said_in_one_line(data, reason):
    with pytest.raises(BadRecord, match=reason) as caught:
        parse(data, "some.sgf")
    assert str(caught.value).startswith("some.sgf: ")
    assert "\n" not in str(caught.value)


def test_faults_say_where():
    _, second = parse(b"(;GM[1])\n(;GM[1]\nSZ[9]\nhere it is;B[aa])")
    (found,) = second.faults
    assert (found.fault, found.game, found.line, found.byte) == (Fault.JUNK_INSIDE, 2, 4, 23)
    assert str(found).startswith("game 2, byte 23, line 4: ")


# --- round trip

IDENTS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=9).filter(lambda ident: ident != "CA")
VALUES = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\t\v\f"), max_size=12),
    min_size=1,
    max_size=3,
)
NODES = st.dictionaries(IDENTS, VALUES, max_size=4)
TREES = st.recursive(
    st.tuples(NODES, st.just([])), lambda trees: st.tuples(NODES, st.lists(trees, max_size=3)), max_leaves=12
)


def written(tree):
    """A tree written the long way, each child in parentheses of its own."""
    properties, children = tree
    node = "".join(
        ident + "".join(f"[{value}]" for value in map(escaped, values)) for ident, values in properties.items()
    )
    return f";{node}" + "".join(f"({written(child)})" for child in children)


def escaped(value):
    return "".join("\\" + c if c in "]\\:" else c for c in value)


def flat(tree, parent=None, into=None):
    into = [] if into is None else into
    into.append((tree[0], parent))
    here = len(into) - 1
    for child in tree[1]:
        flat(child, here, into)
    return into


@settings(max_examples=60, deadline=None)
@given(TREES)
def test_any_tree_is_read_as_it_was_written_and_survives_the_round_trip(tree):
    (read,) = parse(f"({written(tree)})".encode())
    assert shape(read) == flat(tree)
    assert [f for f in faults(read) if f is not Fault.CHARSET_GUESSED] == []
    (again,) = parse(serialise([read]))
    assert again == read
    assert [{**found, "CA": None} for found, _ in shape(again)] == [{**found, "CA": None} for found, _ in shape(read)]
    assert serialise([again]) == serialise([read])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from([b"(", b")", b";", b"[", b"]", b"\\", b"B", b"C", b"x", b" ", b"\n", b"\xe9", b"pd", b"tt"])
    )
)
def test_tokens_in_any_order_are_read_or_refused_and_what_is_read_survives(tokens):
    try:
        trees = parse(b"".join(tokens))
    except BadRecord:
        return
    assert parse(serialise(trees)) == trees


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_random_bytes_are_read_or_refused(data, as_game):
    try:
        trees = parse(b"(;C[" + data if as_game else data)
    except BadRecord:
        return
    for tree in trees:
        for node in tree.nodes():
            node.properties()
        assert tree.charset
        list(map(str, tree.faults))


def test_equality_sees_structure_names_and_values():
    base = b"(;GM[1](;B[aa];W[bb])(;B[cc]))"
    assert only(base) == only(base.replace(b"(", b"(\n").replace(b"[aa]", b"[a\\a]"))
    assert only(b"(;CA[UTF-8]GM[1])") == only(b"(;GM[1])")
    for other in (
        b"(;GM[1](;B[aa])(;W[bb])(;B[cc]))",
        b"(;GM[1](;B[aa];W[bb](;B[cc])))",
        b"(;GM[1](;B[aa];W[bb])(;B[cd]))",
        b"(;GM[1](;B[aa];W[bb])(;W[cc]))",
        b"(;GM[1](;B[aa];W[bb]))",
    ):
        assert only(base) != only(other)
    assert only(base) != 1


# --- hostile input


def test_a_hundred_thousand_levels_of_variations():
    deep = b"(;B[aa]" * 100_000
    tree = only(deep + b")" * 100_000)
    assert len(tree) == 100_000
    assert tree.main_line_stop - tree.first == 100_000
    assert tree == only(serialise([tree]))
    (cut,) = parse(deep)
    assert len(cut) == 100_000
    assert cut == tree
    wide = b"(;GM[1]" + b"(;B[aa](;W[bb])" * 50_000 + b")" * 50_000 + b")"
    assert only(serialise(parse(wide))) == only(wide)


@pytest.mark.parametrize(
    "piece", [b"(", b")", b";", b"[", b"]", b"\\", b"(;", b"(;)", b"A[", b"[]", b"a", b"]a", b" ", b"\0"]
)
def test_a_megabyte_of_one_thing_is_quick(piece, monkeypatch):
    monkeypatch.setattr(grammar_module, "MAX_GAMES", 1000)
    for head in (b"", b"(;C["):
        started = time.process_time()
        try:
            parse(head + piece * (1_000_000 // len(piece)))
            few = parse(head + piece * 1000)
            assert parse(serialise(few)) == few
        except BadRecord:
            pass
        assert time.process_time() - started < 10


def test_a_file_over_the_limit_is_refused_unread(monkeypatch):
    monkeypatch.setattr(grammar_module, "MAX_BYTES", 1000)
    assert parse(b"(;C[" + b"x" * 900 + b"])")
    with pytest.raises(BadRecord, match="1,000 at the most"):
        parse(b"(;C[" + b"x" * 1000 + b"])")


def test_too_many_games_are_refused(monkeypatch):
    monkeypatch.setattr(grammar_module, "MAX_GAMES", 10)
    assert len(parse(b"(;)" * 10)) == 10
    with pytest.raises(BadRecord, match="11 games"):
        parse(b"(;)" * 11)


def test_memory_for_reading_is_bounded_by_the_size_of_the_file():
    data = b"(" + b";" * 4_000_000
    tracemalloc.start()
    try:
        parse(data)
        assert tracemalloc.get_traced_memory()[1] < 32 * len(data)
    finally:
        tracemalloc.stop()
