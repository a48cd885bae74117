"""`Collection`: the records of files, folders and archives, one after the other; `load`: those of one path."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from sakiyomi.sgf.archive import Meter, members
from sakiyomi.sgf.faults import BadRecord, Found
from sakiyomi.sgf.go import main_line_of, record_of
from sakiyomi.sgf.grammar import MAX_BYTES, GameTree, parse
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.replay import ROWS, first_illegal


class Collection:
    """Records from any number of paths: record files, folders of them, .zip, .tar(.gz, .xz, .bz2), .gz, .xz, .bz2.

    Iterating reads lazily, in the order of the paths (folders sorted by name), as often as one likes; a game that
    cannot be read goes to `failures`, and the rest goes on. `games` and `files` count what the last pass has read.

    With `strict` a game with any tolerated fault (`faults.Fault`) is a failure; with `legal` one that does not replay
    under its rules is (records are then held back until some hundred can be replayed together). A single file may have
    `limit` bytes. Raises FileNotFoundError at once for a path that does not exist.
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
        return self._legal(self._read()) if self.legal else self._read()

    def _read(self) -> Iterator[Record]:
        for name, data in members(self.paths, self.limit, self._meter):
            self.files += 1
            if isinstance(data, BadRecord):
                self.failures.append(data)
                continue
            try:
                trees = parse(data, name)
            except BadRecord as error:
                self.failures.append(error)
                continue
            for tree in trees:
                try:
                    record = record_of(tree)
                    if self.strict and tree.faults:
                        raise _as_failure(tree, tree.faults[0])
                except BadRecord as error:
                    self.failures.append(error)
                else:
                    self.games += 1
                    yield record

    def _legal(self, records: Iterator[Record]) -> Iterator[Record]:
        held: list[Record] = []
        for record in records:
            held.append(record)
            if len(held) >= ROWS:
                yield from self._replayed(held)
                held = []
        yield from self._replayed(held)

    def _replayed(self, records: list[Record]) -> Iterator[Record]:
        for record, illegal in zip(records, first_illegal(records), strict=True):
            if illegal is None:
                yield record
                continue
            self.games -= 1
            tree: GameTree = record.tree
            places = main_line_of(record).offsets if illegal.move else ()
            offset = int(places[illegal.move - 1]) if len(places) >= illegal.move > 0 else tree.offset
            self.failures.append(tree.bad(str(illegal), offset))


def _as_failure(tree: GameTree, found: Found) -> BadRecord:
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
