"""`save`, and `Record` -> SGF; `pgn_writing` has PGN, `shogi_writing` CSA, KIF, KI2 and USI.

A record that still has the tree it was read from is written as that tree, variations and all, with the root's
properties changed where the record's fields were. One without, or with other moves, is written from its fields.
"""

import bz2
import gzip
import lzma
import os
import re
import tempfile
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from sakiyomi.boards.go.notation import MAX_SIZE, parse_diagram
from sakiyomi.sgf import properties as props
from sakiyomi.sgf.charset import known, to_utf8
from sakiyomi.sgf.go import (
    APPLICATION,
    GAME_NAME,
    IDENTS,
    MULTILINE,
    RESERVED,
    TAG_NAMES,
    board_size,
    main_line_of,
    record_of,
    setup_text,
    written_by_us,
)
from sakiyomi.sgf.grammar import GameTree, encode, escape, write_node, write_tree
from sakiyomi.sgf.mainline import BLACK, WHITE, MainLine
from sakiyomi.sgf.pgn_writing import pgn_parts
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.shogi_writing import shogi_parts

Values = dict[str, list[str]]
_NODES_A_LINE = 10
_COMPRESS: dict[str, Callable[[IO[bytes]], Any]] = {
    ".gz": partial(gzip.GzipFile, "", "wb", 9),
    ".xz": partial(lzma.LZMAFile, mode="wb"),
    ".bz2": partial(bz2.BZ2File, mode="wb"),
}
_SHOGI = {".csa": "csa", ".kif": "kif", ".kifu": "kif", ".ki2": "ki2", ".usi": "usi"}
_GM = {"othello": "2", "chess": "3", "chess960": "3", "shogi": "8"}


def save(records: Record | Iterable[Record], path: str | os.PathLike[str], charset: str | None = None) -> None:
    """Write one record, or several into one file: as PGN if the path ends in .pgn, as shogi records if it ends in .csa,
    .kif, .kifu, .ki2 or .usi, else as SGF.

    Behind that, .gz, .xz or .bz2 compresses. All but SGF is written as it comes, so that any number of records fits.

    `charset` is a name that CA may hold; by default, for SGF, the one that all records came in, or else UTF-8; for .kif
    and .ki2 Shift_JIS, as other programs expect, or UTF-8 where that lacks a character; UTF-8 for the others. The file
    appears whole or not at all. Raises ValueError for a charset that is unknown or lacks a character, and for a record
    that the format cannot hold.
    """
    path = Path(path)
    packed = path.suffix.lower() in _COMPRESS
    ending = Path(path.stem).suffix.lower() if packed else path.suffix.lower()
    if ending in _SHOGI:
        parts = shogi_parts(_SHOGI[ending], records, charset if ending in (".kif", ".ki2") else charset or "UTF-8")
    else:
        parts = pgn_parts(records, charset or "UTF-8") if ending == ".pgn" else iter([to_sgf(records, charset)])
    write_whole(path, parts, _COMPRESS[path.suffix.lower()] if packed else None)


def write_whole(
    path: Path, data: bytes | Iterable[bytes], compress: Callable[[IO[bytes]], IO[bytes]] | None = None
) -> None:
    """Write a file by way of a temporary one beside it, so that nobody finds it half-written.

    `data` may come in parts, and `compress` may wrap the file.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file, nullcontext(file) if compress is None else compress(file) as out:
            for part in [data] if isinstance(data, bytes) else data:
                out.write(part)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def to_sgf(records: Record | Iterable[Record], charset: str | None = None) -> bytes:
    """The bytes that `save` writes."""
    records = [records] if isinstance(records, Record) else list(records)
    if charset is not None:
        return encode(b"".join(_written(record, charset) for record in records), charset)
    came_in = {record.tree.charset for record in records if isinstance(record.tree, GameTree)} - {"US-ASCII"}
    common = came_in.pop() if len(came_in) == 1 else "UTF-8"
    if common not in ("UTF-8", "UTF-16", "UTF-32"):
        text = b"".join(_written(record, common) for record in records)
        try:
            data = encode(text, common)
        except ValueError:
            pass  # a character was added that the charset has not: then UTF-8, which has them all
        else:
            if to_utf8(data).data == text:  # or too little of it is left to be known by
                return data
    return to_sgf(records, "UTF-8")


def _written(record: Record, charset: str) -> bytes:
    """One record in UTF-8 that calls itself `charset`."""
    if isinstance(record.tree, GameTree):
        read = record_of(record.tree)
        line, read_line = ((r.game, r.moves, r.setup, dict(r.comments)) for r in (record, read))
        if line == read_line:
            old, new = _information(read), _information(record)
            change = {ident: new.get(ident, []) for ident in {**old, **new} if old.get(ident) != new.get(ident)}
            return write_tree(record.tree, change, charset)
    canonical = known(charset)
    return _from_fields(record, canonical[0] if canonical else charset)


def _information(record: Record) -> Values:
    """The root properties for players, result, ending and tags."""
    values: Values = {}
    if record.players[0]:
        values["PB"] = [record.players[0]]
    if record.players[1]:
        values["PW"] = [record.players[1]]
    extra = []
    stated = props.write_result(record.result, record.ending)
    for name, text in record.tags.items():
        ident = IDENTS.get(name, name)
        proper = re.fullmatch(r"[A-Z]{1,16}", ident) and ident not in RESERVED and name not in TAG_NAMES
        said_anyway = (name, text) in (("result", stated), ("application", APPLICATION))
        if not proper or said_anyway or ("\n" in text and ident not in MULTILINE):
            extra.append(f"{name.replace('%', '%25').replace(':', '%3A')}:{text}")
        else:
            values[ident] = [text]
    if extra:
        values["TAG"] = extra
    values.setdefault("RE", [stated])
    result, ending, _ = props.read_result(values["RE"][0])
    if not ending and record.moves[-2:] == ("pass", "pass"):
        ending = "two passes"
    if result != record.result:
        values["RESULT"] = [record.result]
    if ending != record.ending:
        values["ENDING"] = [record.ending]
    return values


def _from_fields(record: Record, charset: str) -> bytes:
    """The record in UTF-8, from its fields alone."""
    lost = [ply for ply in record.comments if not 0 <= ply <= len(record.moves)]
    if lost:
        raise ValueError(f"comment at ply {lost[0]}, but the record has plies 0 to {len(record.moves)}")
    if record.game.startswith("go-"):
        root, moves = _go(record)
    else:
        root, moves = _other(record)
    head: Values = {"FF": ["4"], "GM": root.pop("GM"), "CA": [charset]}
    if "application" not in record.tags and written_by_us(record):
        head["AP"] = [APPLICATION]
    nodes = [[(k, [escape(v) for v in vs]) for k, vs in {**head, **root, **_information(record)}.items()]]
    nodes += [[(colour, [escape(text)])] for colour, text in moves]
    for ply, text in record.comments.items():
        nodes[ply].append(("C", [escape(text)]))
    out = b"(" + write_node(nodes[0])
    for first in range(1, len(nodes), _NODES_A_LINE):
        out += b"\n" + b"".join(map(write_node, nodes[first : first + _NODES_A_LINE]))
    return out + b")\n"


def _go(record: Record) -> tuple[Values, list[tuple[str, str]]]:
    """Root properties and moves of a Go record."""
    width, height = board_size(record)
    root: Values = {"GM": ["1"], "SZ": [str(width) if width == height else f"{width}:{height}"]}
    if max(width, height) > MAX_SIZE:
        if record.moves or record.setup:
            raise ValueError(f"{record.game}: moves are known up to {MAX_SIZE}x{MAX_SIZE}")
        return root, []
    line = main_line_of(record)
    turn = line.turn
    if record.setup is not None:
        diagram = parse_diagram(record.setup)
        turn = diagram.turn
        stones = diagram.board.ravel()
        for ident, colour in (("AB", BLACK), ("AW", WHITE)):
            if points := np.flatnonzero(stones == colour).tolist():
                root[ident] = [props.write_point(point, width, height) for point in points]
        root["PL"] = ["BW"[turn]]
        # What a reader makes of these: where it is not the same text, the text itself is added.
        board = stones if stones.any() else None
        said = MainLine(width, height, line.actions, turn, board)
        if setup_text(said, props.read_handicap(record.tags.get("handicap", "")) or 0) != record.setup:
            root["POSITION"] = [record.setup]
    colours = ("B", "W") if turn == 0 else ("W", "B")
    moves = [
        (colours[ply % 2], props.write_point(action, width, height)) for ply, action in enumerate(line.actions.tolist())
    ]
    return root, moves


def _other(record: Record) -> tuple[Values, list[tuple[str, str]]]:
    """Root properties and moves of a record of another game."""
    if match := re.fullmatch(r"sgf-gm(.{1,20})", record.game):
        if record.moves or record.setup:
            raise ValueError(f"{record.game}: SGF of this game is kept as properties only, without moves")
        return {"GM": [match[1]]}, []
    if not re.fullmatch(GAME_NAME, record.game):
        raise ValueError(f"SGF cannot hold a record of {record.game!r}; a name such as 'connect4' is wanted")
    family = record.game.split("-")[0]
    root: Values = {"GM": [_GM.get(family, "0")], "GAME": [record.game]}
    if size := re.search(r"-(\d+)x\1$", record.game):
        root["SZ"] = [size[1]]
    if record.setup is not None:
        root["POSITION"] = [record.setup]
    return root, [("BW"[ply % 2], move) for ply, move in enumerate(record.moves)]
