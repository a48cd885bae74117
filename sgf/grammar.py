"""SGF bytes <-> game trees; knows no game.

`parse` gives one `GameTree` for each game of a file. Nothing here recurses: a tree may be as deep as its file is long.
Reading follows SGF FF[4] (https://www.red-bean.com/sgf/sgf4.html) and is lenient (`faults.Fault`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sakiyomi.sgf.charset import CHARSETS, Text, decode_broken, known, to_utf8
from sakiyomi.sgf.faults import BadRecord, Fault, Found
from sakiyomi.sgf.scan import SCAN_FAULTS, main_line_end, pack, scan

Rows = NDArray[np.int32]
Raw = list[tuple[str, list[bytes]]]

MAX_BYTES = 64 << 20
"""A larger file is refused. The columns of the worst file of this size (all ";") take about 16 times as much memory."""
MAX_GAMES = 1_000_000
"""Games in one file; a `GameTree` takes some hundred times the memory of the shortest game, "(;)"."""
MAX_FAULTS = 100
"""Faults of one game that are listed."""
_FAULT_ROWS = 4096  # faults of the grammar in one file that are listed
_ESCAPED = re.compile(rb"\\(?:\r\n|\n\r|[\r\n]|(.)|\Z)", re.DOTALL)
_UNESCAPED_END = re.compile(rb"(?<!\\)(?:\\\\)*\]|(?<!\\)(?:\\\\)*\\\Z")
_BREAK = re.compile(r"\r\n|\n\r|\r")
_SPACES = str.maketrans("\t\v\f", "   ")
_LINE = 72  # a written line ends after the node that reaches this many bytes


@dataclass
class _Seen:
    """How far bytes and lines have been counted: places are mostly asked for in the order of the file."""

    offset: int = 0
    byte: int = 0
    line: int = 1


@dataclass(frozen=True)
class Columns:
    """What `scan` found in one file, shared by the trees of its games; see there for the tables."""

    text: Text
    file: str
    nodes: Rows
    props: Rows
    codes: NDArray[np.uint64]
    values: Rows
    seen: _Seen = field(default_factory=_Seen, repr=False)

    def place(self, offset: int) -> tuple[int, int]:
        """Byte (from 0) and line (from 1) in the file of an offset in the scanned text."""
        seen = self.seen if offset >= self.seen.offset else _Seen()
        part = self.text.data[seen.offset : offset]
        seen.line += part.count(b"\n") + part.count(b"\r") - part.count(b"\r\n")
        seen.byte += self.text.original_length(seen.offset, offset)
        seen.offset = offset
        object.__setattr__(self, "seen", seen)
        return self.text.bom + seen.byte, seen.line


@dataclass(frozen=True, eq=False)
class GameTree:
    """One game of a file: nodes `first` to `stop` - 1 of the file's columns.

    `faults` lists what was wrong and read all the same, here and by the layers above. Equal trees have the same nodes,
    names and values as text; CA, which says how the bytes are to be read, does not count.
    """

    columns: Columns
    first: int
    stop: int
    number: int
    offset: int
    faults: list[Found] = field(default_factory=list, repr=False)

    @property
    def charset(self) -> str:
        """The charset that the file was in, by its usual name."""
        return self.columns.text.stretch(self.offset).charset

    @property
    def file(self) -> str:
        """The file's path; inside an archive "archive!member"."""
        return self.columns.file

    @property
    def root(self) -> "Node":
        """The first node."""
        return Node(self, self.first)

    def __len__(self) -> int:
        """How many nodes there are, variations included."""
        return self.stop - self.first

    def nodes(self) -> Iterator["Node"]:
        """All nodes in the order of the file, variations included."""
        return (Node(self, index) for index in range(self.first, self.stop))

    def raw_nodes(self) -> Iterator[Raw]:
        """`Node.raw` of all nodes, faster than one by one."""
        return _raw_nodes(self.columns, self.columns.nodes[self.first : self.stop + 1, 2].tolist())

    def main_line(self) -> Iterator["Node"]:
        """The root, its first child, that one's first child, and so on."""
        return (Node(self, index) for index in range(self.first, self.main_line_stop))

    @property
    def main_line_stop(self) -> int:
        """The main line is nodes `first` to this one - 1: a first child always follows its parent."""
        return int(main_line_end(self.columns.nodes, self.first, self.stop))

    @property
    def has_variations(self) -> bool:
        """Is there more than the main line?"""
        return self.main_line_stop < self.stop

    @cached_property
    def _families(self) -> tuple[Rows, NDArray[np.int64]]:
        """The nodes after the root sorted by parent, and where each parent's children begin."""
        parents = self.columns.nodes[self.first + 1 : self.stop, 0]
        order = np.argsort(parents, kind="stable")
        starts = np.searchsorted(parents[order], np.arange(self.first, self.stop + 1))
        return (order + self.first + 1).astype(np.int32), starts

    def children_of(self, index: int) -> list[int]:
        """The nodes after that one, the main line's first."""
        order, starts = self._families
        children: list[int] = order[starts[index - self.first] : starts[index - self.first + 1]].tolist()
        return children

    def note(self, fault: Fault, offset: int, detail: str = "") -> None:
        """Add a fault found at `offset` of the scanned text."""
        if len(self.faults) >= MAX_FAULTS:
            return
        byte, line = self.columns.place(offset)
        found = Found(fault, byte, line, self.number, detail)
        if found not in self.faults:  # a tree may be read more than once
            self.faults.append(found)

    def count(self, index: int) -> tuple[int, int]:
        """How many properties and values a node has."""
        columns = self.columns
        first, stop = columns.nodes[index : index + 2, 2].tolist()
        return stop - first, int(columns.props[stop, 2] - columns.props[first, 2])

    def bad(self, reason: str, offset: int) -> BadRecord:
        """The error for something at `offset` of the scanned text."""
        byte, line = self.columns.place(offset)
        return BadRecord(reason, file=self.file, byte=byte, line=line, game=self.number)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GameTree):
            return NotImplemented
        mine, theirs = self.columns.nodes[self.first : self.stop, 0], other.columns.nodes[other.first : other.stop, 0]
        return (
            len(self) == len(other)
            and bool(np.array_equal(mine[1:] - self.first, theirs[1:] - other.first))
            and all(map(_same, self.raw_nodes(), other.raw_nodes()))
        )

    __hash__ = None  # type: ignore[assignment]  # `faults` grows


@dataclass(frozen=True)
class Node:
    """A view of one node: a mapping-like look at its properties. Values are unescaped text."""

    tree: GameTree
    index: int

    @property
    def offset(self) -> int:
        """Where the node begins in the scanned text."""
        return int(self.tree.columns.nodes[self.index, 1])

    @property
    def parent(self) -> "Node | None":
        """The node before, None for the root."""
        above = int(self.tree.columns.nodes[self.index, 0])
        return None if above < 0 else Node(self.tree, above)

    @property
    def children(self) -> list["Node"]:
        """The nodes after this one, the main line's first."""
        return [Node(self.tree, index) for index in self.tree.children_of(self.index)]

    def raw(self) -> Raw:
        """The properties in the order of the file, values still escaped, in UTF-8; those without a value left out."""
        columns = self.tree.columns
        first, stop = columns.nodes[self.index : self.index + 2, 2].tolist()
        return next(_raw_nodes(columns, [first, stop])) if first < stop else []

    def properties(self) -> dict[str, list[str]]:
        """Name -> values. A property that stands twice in the node has both lists."""
        merged: dict[str, list[str]] = {}
        for ident, values in self.raw():
            merged.setdefault(ident, []).extend(map(plain, values))
        return merged

    def get(self, ident: str, default: str = "") -> str:
        """The first value of a property, or `default`."""
        values = self.properties().get(ident)
        return values[0] if values else default

    def offset_of(self, ident: str) -> int:
        """Where the property's name stands in the scanned text; the node's own place if it has no such property."""
        columns = self.tree.columns
        first, stop = columns.nodes[self.index : self.index + 2, 2].tolist()
        rows = np.flatnonzero(columns.codes[first:stop] == pack(ident))
        return int(columns.props[first + rows[0], 0]) if len(rows) else self.offset


def _raw_nodes(columns: Columns, starts: list[int]) -> Iterator[Raw]:
    """What `Node.raw` gives for nodes whose first properties are `starts`; one more of these closes the last node."""
    data = columns.text.data
    rows = columns.props[starts[0] : starts[-1] + 1].tolist()
    base = rows[0][2]
    values = columns.values[base : rows[-1][2]].tolist()
    for start, stop in pairwise(starts):
        found = []
        for index in range(start - starts[0], stop - starts[0]):
            ident, after, value = rows[index]
            if spans := values[value - base : rows[index + 1][2] - base]:
                found.append((name(data[ident:after]), [data[first:last] for first, last in spans]))
        yield found


def _same(mine: Raw, theirs: Raw) -> bool:
    """Are the properties equal, in the same order? CA does not count."""
    if mine == theirs:
        return True
    shown = ([(ident, list(map(plain, values))) for ident, values in raw if ident != "CA"] for raw in (mine, theirs))
    return next(shown) == next(shown)


@cache
def _capitals(ident: bytes) -> str:
    text = ident.decode("ascii")
    capitals = "".join(c for c in text if not c.islower())
    return capitals if capitals[:1].isalpha() else text.upper()


def name(ident: bytes) -> str:
    """A property's name as FF[4] writes it: small letters dropped (FF[1] to FF[3]), or capitals if all are small."""
    return ident.decode("ascii") if ident.isupper() else _capitals(ident[:64])


def unescape(raw: bytes) -> bytes:
    r"""A value without its escapes: ``\x`` is x, ``\`` and a line break is nothing."""
    return _ESCAPED.sub(rb"\1", raw) if b"\\" in raw else raw


def plain(raw: bytes) -> str:
    """A value as text: unescaped, its line breaks as "\\n", other white space as " "."""
    raw = unescape(raw)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = decode_broken(raw)
    return text if text.isprintable() else _BREAK.sub("\n", text).translate(_SPACES)


def escape(text: str) -> bytes:
    r"""`text` as a value: ``\`` and ``]`` escaped, in UTF-8. Lone surrogates become "?"."""
    return text.replace("\\", "\\\\").replace("]", "\\]").encode("utf-8", "replace")


def parse(data: bytes, file: str = "") -> list[GameTree]:
    """The game trees of a file's bytes, in order.

    Raises BadRecord if there is no game in it, or if it is over `MAX_BYTES` or `MAX_GAMES`.
    """
    if len(data) > MAX_BYTES:
        raise BadRecord(f"{len(data):,} bytes: a file may have {MAX_BYTES:,} at the most", file=file)
    text = to_utf8(data)
    columns, games, faults = _scan(text, file)
    if not len(games) - 1:
        raise BadRecord(f"no SGF game in it: there is no '(;'{_looks_like(text.data)}", file=file)
    if len(games) - 1 > MAX_GAMES:
        raise BadRecord(f"{len(games) - 1:,} games: a file may have {MAX_GAMES:,} at the most", file=file)
    rows = games.tolist()
    trees = [
        GameTree(columns, row[0], after[0], number, row[1]) for number, (row, after) in enumerate(pairwise(rows), 1)
    ]
    for tree in trees:
        for fault, detail in text.stretch(tree.offset).faults:
            tree.note(fault, tree.offset, detail)
    for kind, offset, game in faults.tolist():
        trees[max(game - 1, 0)].note(SCAN_FAULTS[kind], offset)
    return trees


def _scan(text: Text, file: str) -> tuple[Columns, Rows, Rows]:
    """The columns, the games table and the faults table."""
    data = text.data
    opens, brackets = data.count(b"(") + 2, data.count(b"[") + 2
    nodes = np.empty((data.count(b";") + opens + data.count(b")"), 3), np.int32)
    games, props = np.empty((opens, 3), np.int32), np.empty((brackets, 3), np.int32)
    codes, values = np.empty(brackets, np.uint64), np.empty((brackets, 2), np.int32)
    faults, counts = np.empty((_FAULT_ROWS, 3), np.int32), np.zeros(5, np.int64)
    stack = np.empty(opens, np.int32)
    scan(np.frombuffer(data, np.uint8), games, nodes, props, codes, values, stack, faults, counts)
    n_games, _, _, _, n_faults = counts.tolist()
    return Columns(text, file, nodes, props, codes, values), games[: n_games + 1], faults[: min(n_faults, _FAULT_ROWS)]


def _looks_like(data: bytes) -> str:
    """What else the file seems to be, for the error."""
    head = data[:2000].lstrip()
    if not head:
        return "; the file is empty"
    if head.startswith(b"[Event ") or b"\n[White " in head:
        return "; it looks like PGN, which `load` reads"
    if head.startswith((b"V2", b"V3", b"'CSA", b"PI", b"N+")):
        return "; it looks like CSA, which `load` reads"
    if b"KIF" in head[:100] or "手合割".encode() in head or "手合割".encode("cp932") in head:
        return "; it looks like KIF, which `load` reads"
    return "; it looks like a web page" if b"<html" in head.lower() or b"<!doctype" in head.lower() else ""


def serialise(trees: Sequence[GameTree], charset: str = "UTF-8") -> bytes:
    """The trees as one file in `charset` (a name that CA may hold), with CA set to it.

    Raises ValueError for an unknown charset or one that has not all the characters.
    """
    return encode(b"".join(write_tree(tree, {}, charset) for tree in trees), charset)


def encode(data: bytes, charset: str) -> bytes:
    """UTF-8 in another charset. Raises ValueError if it is unknown or a character is not in it."""
    found = known(charset)
    if found is None:
        raise ValueError(f"unknown charset {charset!r}; there are: {', '.join(CHARSETS)}")
    name, codec = found
    if codec == "utf-8":
        return data
    try:
        return data.decode("utf-8", "replace").replace("\ufffd", "?").encode(codec)
    except UnicodeEncodeError as error:
        character = error.object[error.start]
        raise ValueError(f"{name} has no character {character!r} (U+{ord(character):04X}); use UTF-8") from None


def write_tree(tree: GameTree, change: Mapping[str, Sequence[str]], charset: str) -> bytes:
    """One tree in UTF-8, ending in a newline, with CA naming `charset`, unless it has no CA and needs none.

    `change` has the values that properties of the root get in place of their own; none takes the property away. Bytes
    that are no UTF-8 stay as they are, if the whole is still known for UTF-8 and meant to be; else they are mended.
    """
    found = known(charset)
    name = found[0] if found else charset
    for mend in (False, True):
        written = _write(tree, change, mend)
        if not written.isascii() or "CA" in tree.root.properties():
            written = _write(tree, {**change, "CA": [name]}, mend)
        if mend or _is_utf8(written) or (name == "UTF-8" and to_utf8(written).stretches[0].charset == "UTF-8"):
            break
    return written


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _write(tree: GameTree, change: Mapping[str, Sequence[str]], mend: bool) -> bytes:
    parents = (tree.columns.nodes[tree.first : tree.stop, 0] - tree.first).tolist()
    siblings = np.bincount(np.array(parents[1:], np.int64), minlength=1).tolist() if len(tree) > 1 else [0]
    out, opened, width = bytearray(b"("), [0], 0
    for i, raw in enumerate(tree.raw_nodes()):
        parent = parents[i]
        while opened[-1] > max(parent, 0):
            opened.pop()
            out += b")"
        if i and siblings[parent] > 1:
            opened.append(i)
            out += b"\n("
            width = 1
        before = len(out)
        out += write_node(raw if i else _changed(raw, change), mend)
        width += len(out) - before
        if width >= _LINE or not i:
            out += b"\n"
            width = 0
    return bytes(out.rstrip(b"\n") + b")" * len(opened) + b"\n")


def _changed(raw: Raw, change: Mapping[str, Sequence[str]]) -> Raw:
    """The properties with `change` made: in the place of the old one, or at the end."""
    new = {ident: [escape(value) for value in values] for ident, values in change.items()}
    kept = [(ident, new.pop(ident, []) if ident in change else values) for ident, values in raw]
    return [pair for pair in [*kept, *new.items()] if pair[1]]


def write_node(properties: Sequence[tuple[str, Sequence[bytes]]], mend: bool = False) -> bytes:
    """One node; values come escaped, but for "]" that a reader has let pass. With `mend` all becomes valid UTF-8."""
    parts = [b";"]
    for ident, values in properties:
        parts.append(ident.encode("ascii"))
        parts += [b"[%b]" % _clean(value, mend) for value in values]
    return b"".join(parts)


def _clean(raw: bytes, mend: bool) -> bytes:
    if mend and not _is_utf8(raw):
        return escape(plain(raw))
    if _UNESCAPED_END.search(raw):
        return unescape(raw).replace(b"\\", b"\\\\").replace(b"]", b"\\]")
    return raw
