"""PGN -> records: `read_pgn` for a file's bytes, `stream_pgn` for a file of any size.

The bytes are read into columns (`pgn_columns`), with every move of the main lines checked, and these are made into
records here. A game whose main line cannot be read whole is a `BadRecord` instead, with the text, the position and
the rule.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.chess.fen import START
from sakiyomi.boards.game import Ending, States
from sakiyomi.sgf import pgn_tags
from sakiyomi.sgf.archive import Source
from sakiyomi.sgf.charset import ASCII, CHARSETS, UTF8, nearly_utf8
from sakiyomi.sgf.chess_moves import GAMES, endings
from sakiyomi.sgf.faults import BadRecord, Fault
from sakiyomi.sgf.formats import HEAD, pgn_start
from sakiyomi.sgf.likelihood import latin, likeliest, western_share
from sakiyomi.sgf.pgn_columns import CHESS960, Closing, PgnColumns, Stop, read_columns, uci_texts
from sakiyomi.sgf.pgn_failures import possible_fen, reason
from sakiyomi.sgf.pgn_tree import PgnTree, line_ends
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.wide import Narrowed, narrow, wide_charset

CHUNK = 1 << 19
"""Bytes that are read into columns at once: these take three times as much, the records fifteen times, and a game of
three bytes 4 kB. Longer pieces are no faster.
"""
_WESTERN = 0.5  # of the bytes above 127: where so many stand alone among letters, a comment is not Chinese
_CLOSING = {
    int(Closing.NONE): "",
    int(Closing.WHITE): "1-0",
    int(Closing.BLACK): "0-1",
    int(Closing.DRAW): "1/2-1/2",
    int(Closing.UNKNOWN): "*",
}
_CODES = {text: code for code, text in _CLOSING.items()}
_FATAL = frozenset({Stop.ILLEGAL, Stop.AMBIGUOUS, Stop.NO_MOVE, Stop.NULL_MOVE, Stop.BAD_POSITION})
_UNCLOSED = {
    int(Stop.UNCLOSED_COMMENT): Fault.UNCLOSED_COMMENT,
    int(Stop.UNCLOSED_VARIATION): Fault.UNCLOSED_VARIATION,
}


@dataclass
class Place:
    """Where in a file a text begins: `byte` from 0, `line` from 1, and the games before it.

    `charset` is the file's if it was not read as it is, but as UTF-8; bytes are then counted in that.
    """

    file: str = ""
    byte: int = 0
    line: int = 1
    games: int = 0
    charset: str = ""

    def move(self, text: bytes, games: int) -> None:
        """Go on behind `text`, which holds so many games."""
        self.byte += len(text)
        self.line += line_ends(text)
        self.games += games


def read_pgn(data: bytes, file: str = "") -> list[Record | BadRecord]:
    """The games of a file's bytes, in order; in place of one that cannot be read a BadRecord."""
    charset = wide_charset(data)
    data = narrow(data)
    start = pgn_start(data[:HEAD]) or 0
    place = Place(file, charset=charset)
    place.move(data[:start], 0)
    columns, _ = read_columns(data[start:])
    return list(_records(columns, place, before=start))


def stream_pgn(source: Source, limit: int, chunk: int = CHUNK) -> Iterator[Record | BadRecord]:
    """The games of a file of any size, read and given away by and by.

    Raises BadRecord where the file cannot be unpacked further, after all before, and for a game of over `limit` bytes.
    """
    charset = wide_charset(source.head(HEAD))
    if charset:
        source = Narrowed(source)
    place, rest, wanted = Place(source.name, charset=charset), b"", chunk
    before = pgn_start(source.head(HEAD)) or 0
    place.move(source.read(before), 0)
    last = False
    while not last:
        data = source.read(wanted)
        last = len(data) < wanted
        text = rest + data
        columns, done = read_columns(text, last=last)
        yield from _records(columns, place, before)
        place.move(text[:done], len(columns))
        if len(columns):
            before = 0
        rest = text[done:]
        wanted = chunk if done else chunk + len(text) // 2  # of a long game ever longer pieces, or it would take ages
        if len(rest) > limit:
            why = f"a game of over {limit:,} bytes; the rest of the file is not read"
            raise BadRecord(why, file=place.file, byte=place.byte, line=place.line, game=place.games + 1)
    if source.broken:
        raise source.broken


Reread = tuple[Record, list[tuple[str, str]]]
"""A record and all tag pairs of its game, as they stand but for escapes."""


def reread(trees: Sequence[PgnTree]) -> list[Reread]:
    """The records of trees as they were first read, whatever has since been changed in them."""
    found = _together(trees)
    if [record.tree.data for record, _ in found] != [tree.data for tree in trees]:  # some do not end before the next
        found = [pair for tree in trees for pair in _together([tree])]
    for tree, (record, _) in zip(trees, found, strict=True):
        assert record.moves == tree.moves, f"{tree} was read as {record}"
    return found


def _together(trees: Sequence[PgnTree]) -> list[Reread]:
    columns, _ = read_columns(b"\n\n\n\n".join(tree.data for tree in trees))
    if len(columns) != len(trees):
        return []
    records = list(_records(columns, Place(), charsets=[tree.charset for tree in trees]))
    found: list[Reread] = []
    for game, (tree, record) in enumerate(zip(trees, records, strict=True)):
        if isinstance(record, Record):
            spans = columns.tags[columns.tag_firsts[game] : columns.tag_firsts[game + 1]].tolist()
            texts = ((columns.text[a:b].decode("ascii"), columns.text[c:d]) for a, b, c, d in spans)
            pairs = [(name, pgn_tags.unescape(value.decode(tree.codec, "replace"))) for name, value in texts]
            found.append((record, pairs))
    return found


def _records(
    columns: PgnColumns, place: Place, before: int = 0, charsets: list[str] | None = None
) -> Iterator[Record | BadRecord]:
    """Records of all games of `columns`, which begin at `place`; `before` bytes of other text were skipped there."""
    reader = _Reader(columns, place, charsets)
    for game in range(len(columns)):
        fault = Stop(int(columns.faults[game]))
        record = reader.record(game) if fault not in _FATAL else _mended(columns, game, fault, place, charsets)
        if record is None:
            yield _failure(columns, game, fault, place)
            continue
        if before and not game:
            record.tree.note(Fault.TEXT_BEFORE, 0, f"{before} bytes")
        yield record


class _Reader:
    """Makes records of columns, with what is looked up for all games at once."""

    def __init__(self, columns: PgnColumns, place: Place, charsets: list[str] | None):
        self.columns, self.place, self.charsets = columns, place, charsets
        self.latin = columns.text.decode("latin-1")  # a character a byte: offsets stay
        self.has_nul = b"\0" in columns.text
        self.uci = uci_texts(columns.codes)
        self.starts, self.movetexts, self.stops, self.lines = (
            column.tolist() for column in (columns.starts, columns.movetexts, columns.stops, columns.lines)
        )
        self.tags, self.tag_firsts = columns.tags.tolist(), columns.tag_firsts.tolist()
        self.comments, self.comment_firsts = columns.comments.tolist(), columns.comment_firsts.tolist()
        self.move_firsts, self.results = columns.move_firsts.tolist(), columns.results.tolist()
        self.chess960, self.variations = columns.chess960.tolist(), (columns.variations > 0).tolist()
        self.faults = columns.faults.tolist()
        self.endings = _board_endings(columns, columns.results)
        self._likeliest: tuple[str, str] | None = None

    def record(self, game: int) -> Record:
        """One game."""
        columns, place = self.columns, self.place
        start, stop, first, after = (
            self.starts[game],
            self.stops[game],
            self.move_firsts[game],
            self.move_firsts[game + 1],
        )
        data = columns.text[start:stop]
        charset, codec = self._charset(game, data)
        fields, tags, repeated = self._tags(game, codec)
        name, setup = self._first_position(game, fields)
        tree = PgnTree(
            data,
            place.file,
            place.byte + start,
            place.line + self.lines[game] - 1,
            place.games + game + 1,
            charset,
            self.movetexts[game] - start,
            self.variations[game],
            name,
            setup,
            tuple(self.uci[first:after]),
            columns.actions[first:after].copy(),
        )
        result = self._result(game, tree, fields.get("Result"), tags)
        ending = fields.get("Ending") or pgn_tags.read_ending(fields.get("Termination", ""))
        ending = ending or self._board_ending(game, result)
        if charset != "US-ASCII" or place.charset or self.faults[game] or repeated or "Variant" in fields:
            self._note_faults(game, tree, fields, repeated)
        players = (_player(fields.get("White", "")), _player(fields.get("Black", "")))
        comments = self._comments(game, codec)
        return Record(name, tree.moves, setup, result, ending, players, tags, comments, tree)

    def _charset(self, game: int, data: bytes) -> tuple[str, str]:
        """The usual name of a game's charset and Python's codec, "" where Latin-1 will do as all is ASCII."""
        if self.charsets is not None:
            name = self.charsets[game]
            return name, "" if name == "US-ASCII" else CHARSETS.get(name, name)
        if data.isascii():
            return ASCII[0], ""
        try:
            data.decode()
        except UnicodeDecodeError:
            return UTF8 if nearly_utf8(data) else self._other_charset()
        return UTF8

    def _other_charset(self) -> tuple[str, str]:
        """The charset of the games that are not in UTF-8: the one in which they read best together."""
        if self._likeliest is None:
            columns = self.columns
            texts = (columns.game_text(game) for game in range(len(columns)))
            text = b"\n".join(text for text in texts if not _is_utf8(text))
            self._likeliest = latin(text) if western_share(text) > _WESTERN else likeliest(text, None)
        return self._likeliest

    def _tags(self, game: int, codec: str) -> tuple[dict[str, str], dict[str, str], list[int]]:
        """The tags that are fields, by PGN's names; the others, by ours; and where each stands for a second time."""
        fields: dict[str, str] = {}
        tags: dict[str, str] = {}
        repeated: list[int] = []
        latin, text = self.latin, self.columns.text
        seen: dict[str, int] = {}
        for a, b, c, d in self.tags[self.tag_firsts[game] : self.tag_firsts[game + 1]]:
            name = latin[a:b]
            value = text[c:d].decode(codec, "replace") if codec else latin[c:d]
            if "\\" in value:
                value = pgn_tags.unescape(value)
            if self.has_nul:
                value = value.replace("\0", " ")
            seen[name] = seen.get(name, 0) + 1
            if seen[name] == 2:
                repeated.append(a)
            if name in pgn_tags.FIELDS:
                fields[name] = value
            elif name not in pgn_tags.TAG_NAMES:
                tags[pgn_tags.read_name(name)] = value
            elif (said := pgn_tags.read_value(name, value)) is not None:
                tags[pgn_tags.TAG_NAMES[name]] = said
        return fields, tags, repeated

    def _comments(self, game: int, codec: str) -> dict[int, str]:
        """Ply -> text; several at one place are its lines."""
        found: dict[int, str] = {}
        latin, text = self.latin, self.columns.text
        for ply, a, b in self.comments[self.comment_firsts[game] : self.comment_firsts[game + 1]]:
            said = text[a:b].decode(codec, "replace") if codec else latin[a:b]
            if self.has_nul:
                said = said.replace("\0", " ")
            said = said[said[:1] == " " : len(said) - (said[-1:] == " ")]  # the spaces beside the braces
            if "\r" in said:
                said = said.replace("\r\n", "\n").replace("\r", "\n")
            if "&#" in said:
                said = pgn_tags.read_comment(said)
            if said:
                found[ply] = f"{found[ply]}\n{said}" if ply in found else said
        return found

    def _result(self, game: int, tree: PgnTree, stated: str | None, tags: dict[str, str]) -> str:
        """`Record.result`: the Result tag's, or if it gives none the one after the moves."""
        closing = _CLOSING[self.results[game]]
        result, exact = pgn_tags.read_result(stated or "")
        if not exact and stated:
            tree.note(Fault.UNKNOWN_RESULT_TAG, 0, f'Result "{stated[:40]}"')
            tags["result"] = stated
        if not closing:
            empty = not tree.data[tree.movetext :].strip()
            tree.note(Fault.NO_MOVETEXT if empty else Fault.NO_RESULT, len(tree.data))
            return result
        if stated is not None and stated not in ("", "?") and closing != result:
            tree.note(Fault.RESULTS_DISAGREE, len(tree.data), f"Result {stated[:40]!r}, then {closing}")
        return closing if result == "*" and exact else result

    def _board_ending(self, game: int, result: str) -> str:
        """Why the game ended as its last position tells, by the record's result."""
        if result == (_CLOSING[self.results[game]] or "*"):
            return self.endings[game]
        return _board_endings(self.columns, np.array([_CODES[result]], np.int8), game)[0]

    def _first_position(self, game: int, fields: dict[str, str]) -> tuple[str, str | None]:
        """`Record.game` and `Record.setup`."""
        if self.faults[game] == Stop.VARIANT:
            return f"pgn-{re.sub('[^a-z0-9]+', '-', fields['Variant'].lower()).strip('-')}", None
        chess960 = self.chess960[game]
        name = "chess960" if chess960 else "chess"
        if "FEN" not in fields:
            return name, None
        return name, _setup(fields["FEN"], chess960, self.columns.states[game : game + 1].tobytes())

    def _note_faults(self, game: int, tree: PgnTree, fields: dict[str, str], repeated: list[int]) -> None:
        """Those of the charset, the tags and the grammar."""
        start, variant = self.starts[game], fields.get("Variant", "")
        if self.place.charset:
            tree.note(Fault.NOT_UTF8, 0, self.place.charset)
        if tree.charset not in ("US-ASCII", "UTF-8"):
            tree.note(Fault.NOT_UTF8, 0, tree.charset)
        elif tree.charset == "UTF-8" and not _is_utf8(tree.data):
            tree.note(Fault.BROKEN_BYTES, 0, tree.charset)
        names = (self.latin[place : self.latin.find('"', place)].strip() for place in repeated)
        tree.note_all(Fault.DUPLICATE_TAG, [place - start for place in repeated], names)
        if self.faults[game] == Stop.VARIANT:
            tree.note(Fault.OTHER_VARIANT, 0, variant)
        elif variant.lower() not in pgn_tags.STANDARD and variant.lower() not in CHESS960:
            tree.note(Fault.UNKNOWN_VARIANT, 0, variant[:40])
        for stop, fault in _UNCLOSED.items():
            if self.faults[game] == stop:
                tree.note(fault, int(self.columns.fault_places[game]) - start)


def _board_endings(columns: PgnColumns, results: NDArray[np.int8], first: int = 0) -> list[str]:
    """Why games, from the `first` on, ended as their last positions tell; `results` [B] are `Closing` codes."""
    part = slice(first, first + len(results))
    moves = columns.move_firsts[first : first + len(results) + 1]
    actions = columns.actions[moves[0] : moves[-1]]
    codes = endings(columns.states[part], columns.chess960[part], moves - moves[0], actions, results == Closing.DRAW)
    decisive = (results == Closing.WHITE) | (results == Closing.BLACK)
    codes[decisive & (codes != Ending.CHECKMATE)] = Ending.ONGOING  # the board does not tell why
    names = {int(code): Ending(code).text for code in np.unique(codes).tolist()} | {0: ""}
    return [names[code] for code in codes.tolist()]


@lru_cache(maxsize=2048)
def _setup(text: str, chess960: bool, state: bytes) -> str | None:
    """The first position as our text, None if it is the ordinary one; `text` is the FEN tag, for the cache alone."""
    game = GAMES["chess960" if chess960 else "chess"]
    states: States = np.frombuffer(state, game.dtype).copy()
    setup = game.position_text(states)
    return None if setup == START else setup


def _player(name: str) -> str:
    return "" if name == "?" else name


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _mended(columns: PgnColumns, game: int, fault: Stop, place: Place, charsets: list[str] | None) -> Record | None:
    """The record of a game whose FEN tag is a position but for castling and en passant; None if that is not it."""
    start, stop = int(columns.starts[game]), int(columns.stops[game])
    tag = int(columns.fault_places[game]) - start
    data = columns.text[start:stop]
    end = data.find(b'"', tag)
    possible = possible_fen(data[tag:end].decode("latin-1")) if fault is Stop.BAD_POSITION else None
    if possible is None:
        return None
    text = data[:tag] + possible.encode("latin-1") + data[end:]
    alone, _ = read_columns(text)
    if len(alone) != 1 or int(alone.faults[0]) in _FATAL:
        return None
    line = place.line + int(columns.lines[game]) - 1
    where = Place(place.file, place.byte + start, line, place.games + game, place.charset)
    record = _Reader(alone, where, charsets and charsets[game : game + 1]).record(0)
    record.tree.note(Fault.POSITION_MENDED, tag, data[tag:end].decode("latin-1")[:90])
    return replace(record, tree=replace(record.tree, data=data))


def _failure(columns: PgnColumns, game: int, fault: Stop, place: Place) -> BadRecord:
    """Why a main line cannot be read: the text, the position and the rule."""
    at = int(columns.fault_places[game])
    start = int(columns.starts[game])
    line = place.line + int(columns.lines[game]) - 1 + line_ends(columns.text[start:at])
    return BadRecord(
        reason(columns, game, fault), file=place.file, byte=place.byte + at, line=line, game=place.games + game + 1
    )
