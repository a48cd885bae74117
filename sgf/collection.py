"""`Collection`: the records of files, folders and archives, one after the other; `load`: those of one path.

The format of each file is told from its content (`formats`). SGF, KIF and KI2 files are parsed whole; PGN, CSA and USI
files are streamed, however large they are.
"""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from sakiyomi.sgf.archive import Meter, Source, sources
from sakiyomi.sgf.faults import BadRecord, Found
from sakiyomi.sgf.formats import HEAD, pgn_start, shogi_format
from sakiyomi.sgf.go import main_line_of, record_of
from sakiyomi.sgf.grammar import MAX_BYTES, parse
from sakiyomi.sgf.pgn import stream_pgn
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.replay import ROWS, first_illegal
from sakiyomi.sgf.shogi_reading import stream_shogi
from sakiyomi.sgf.tree import Tree


class Collection:
    """Records from any number of paths: record files, folders of them, .zip, .tar(.gz, .xz, .bz2), .gz, .xz, .bz2.

    Iterating reads lazily, in the order of the paths (folders sorted by name), as often as one likes; a game that
    cannot be read goes to `failures`, and the rest goes on. `games` and `files` count what the last pass has read.

    With `strict` a game with any tolerated fault (`faults.Fault`) is a failure; with `legal` one that does not replay
    under its rules is (records are then held back until some hundred can be replayed together; those of PGN and shogi
    always are legal). An SGF or KIF file may have `limit` bytes, and so may a single game of PGN, CSA or USI. Raises
    FileNotFoundError at once for a path that does not exist.
    """

    def __init__(
        self, *paths: str | os.PathLike[str], strict: bool = False, legal: bool = False, limit: int = MAX_BYTES
    ):
        self.paths = tuple(Path(path) for path in paths)
        for path in self.paths:
            if not path.exists():
                raise FileNotFoundError(f"no such file or folder: {path}")
        self.strict, self.legal, self.limit = strict, legal, min(limit, MAX_BYTES)
        self.failures: list[BadRecord] = []
        self.games = self.files = 0
        self._meter = Meter()

    @property
    def progress(self) -> tuple[int, int]:
        """Bytes on disk read so far, and in all."""
        return self._meter.now, self._meter.total

    def __iter__(self) -> Iterator[Record]:
        """The records that can be read."""
        self.failures.clear()
        self.games = self.files = 0
        self._meter = Meter()
        return self._read()

    def _read(self) -> Iterator[Record]:
        held: list[Record] = []  # to be replayed together
        for _, source in sources(self.paths, self.limit, self._meter):
            self.files += 1
            try:
                if isinstance(source, BadRecord):
                    raise source
                if form := shogi_format(source.head(HEAD)):
                    yield from self._replayed(held)
                    yield from self._given(stream_shogi(form, source, self.limit))
                elif pgn_start(source.head(HEAD)) is not None:
                    yield from self._replayed(held)
                    yield from self._given(stream_pgn(source, self.limit))
                elif not self.legal:
                    yield from self._from_sgf(source)
                else:
                    for record in self._from_sgf(source):
                        held.append(record)
                        if len(held) >= ROWS:
                            yield from self._replayed(held)
            except BadRecord as error:
                self.failures.append(error)
        yield from self._replayed(held)

    def _given(self, games: Iterator[Record | BadRecord]) -> Iterator[Record]:
        for found in games:
            if isinstance(found, BadRecord):
                self.failures.append(found)
            elif self._passes(found):
                yield found

    def _from_sgf(self, source: Source) -> Iterator[Record]:
        for tree in parse(source.whole(self.limit), source.name):
            try:
                record = record_of(tree)
            except BadRecord as error:
                self.failures.append(error)
            else:
                if self._passes(record):
                    yield record

    def _passes(self, record: Record) -> bool:
        """Count the record, unless it has faults and none are tolerated."""
        tree: Tree = record.tree
        if self.strict and tree.faults:
            self.failures.append(_as_failure(tree, tree.faults[0]))
            return False
        self.games += 1
        return True

    def _replayed(self, held: list[Record]) -> Iterator[Record]:
        """Those of the records held back that are legal; none are held back then."""
        records = held.copy()
        held.clear()
        for record, illegal in zip(records, first_illegal(records), strict=True):
            if illegal is None:
                yield record
                continue
            self.games -= 1
            tree: Tree = record.tree
            places = main_line_of(record).offsets if illegal.move and record.game.startswith("go-") else ()
            offset = int(places[illegal.move - 1]) if len(places) >= illegal.move > 0 else tree.offset
            self.failures.append(tree.bad(str(illegal), offset))


def _as_failure(tree: Tree, found: Found) -> BadRecord:
    detail = f" ({found.detail})" if found.detail else ""
    return BadRecord(found.fault.value + detail, file=tree.file, byte=found.byte, line=found.line, game=found.game)


def load(path: str | os.PathLike[str], strict: bool = False) -> list[Record]:
    """The records of a file; the format is told from the content. Also of a folder or an archive, whole in memory.

    Raises BadRecord if none can be read, and FileNotFoundError. Of several games those that cannot be read are left
    out with a warning each (`Collection` lists them); with `strict` the first of them, or of the tolerated faults, is
    raised.
    """
    collection = Collection(path, strict=strict)
    records = list(collection)
    if collection.failures and (strict or not records):
        raise collection.failures[0]
    for failure in collection.failures:
        warnings.warn(f"left out: {failure}", stacklevel=2)
    return records
