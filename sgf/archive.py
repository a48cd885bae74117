"""Files inside folders, archives and compressed files, one after the other, each as a stream or up to a limit.

`sources` walks the paths given: a folder holds what lies below it, an archive (.zip, .tar, also compressed) its
members, a compressed file (.gz, .xz, .bz2) one file. Archives are told by their first bytes, not by their names, and
streamed: memory does not grow with their size. Of a folder or an archive only what has the name of a record or an
archive is taken; a path named outright is always taken. `members` gives whole files.
"""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sakiyomi.sgf.faults import BadRecord

RECORDS = (".sgf", ".mgt", ".pgn", ".csa", ".kif", ".kifu", ".ki2", ".usi")
ARCHIVES = (".zip", ".tar", ".tgz", ".txz", ".tbz2", ".gz", ".xz", ".bz2")
_MAX_NESTING = 2  # archives within archives
_PIECE = 1 << 16  # bytes that are unpacked at once, and lost where a file breaks off
_OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"\xfd7zXZ\0": lzma.open, b"BZh": bz2.open}
_BROKEN = (
    OSError,
    EOFError,
    lzma.LZMAError,
    zlib.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    RuntimeError,
    NotImplementedError,
)


@dataclass
class Meter:
    """How far the reading of the paths has come, in bytes on disk."""

    done: int = 0
    total: int = 0
    current: IO[bytes] | None = None

    @property
    def now(self) -> int:
        """Bytes read."""
        try:
            return self.done + (self.current.tell() if self.current else 0)
        except ValueError:  # closed just now
            return self.done


class Source:
    """An open file that can be looked into before it is read; good until the next one is asked for.

    `name` is the path, inside an archive "archive!member"; `size` the bytes that it has, -1 where that is not known
    beforehand. A file that cannot be unpacked to its end ends before, and `broken` says why.
    """

    def __init__(self, name: str, file: IO[bytes], size: int):
        self.name, self.size = name, size
        self.broken: BadRecord | None = None
        self._file, self._seen = file, b""

    def head(self, count: int) -> bytes:
        """The first `count` bytes, before any is read."""
        if len(self._seen) < count:
            self._seen += self._more(count - len(self._seen))
        return self._seen[:count]

    def read(self, count: int) -> bytes:
        """The next `count` bytes, less only at the end."""
        data, self._seen = self._seen[:count], self._seen[count:]
        return data if len(data) == count else data + self._more(count - len(data))

    def whole(self, limit: int) -> bytes:
        """The rest. Raises BadRecord if it cannot be unpacked, or if there are more than `limit` bytes."""
        data = b"" if self.size > limit else self.read(limit + 1)
        if self.broken:
            raise self.broken
        if self.size > limit or len(data) > limit:
            reason = f"larger than {limit:,} bytes, the most that a file which is parsed whole may have"
            raise BadRecord(reason, file=self.name)
        return data

    def _more(self, count: int) -> bytes:
        parts: list[bytes] = []
        try:
            while count > 0 and not self.broken and (part := self._file.read(min(count, _PIECE))):
                parts.append(part)
                count -= len(part)
        except _BROKEN as error:
            self.broken = _broken(self.name, error)
        return b"".join(parts)


_Entry = Source | BadRecord


def members(paths: tuple[Path, ...], limit: int, meter: Meter) -> Iterator[tuple[str, bytes | BadRecord]]:
    """Name and bytes of each file; in place of bytes a BadRecord for what cannot be opened or is over `limit` bytes."""
    for name, source in sources(paths, limit, meter):
        try:
            yield name, source if isinstance(source, BadRecord) else source.whole(limit)
        except BadRecord as error:
            yield name, error


def sources(paths: tuple[Path, ...], limit: int, meter: Meter) -> Iterator[tuple[str, _Entry]]:
    """Name and source of each file; in place of a source a BadRecord for what cannot be opened.

    `limit` is the most bytes that a zip file inside another archive may have, as it is unpacked in memory.
    """
    files = [path for given in paths for path in _files(given)]
    meter.total = sum(path.stat().st_size for path in files if path.is_file())
    for path in files:
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                meter.current = file
                yield from _opened(str(path), file, size, limit, 0)
        except OSError as error:
            yield str(path), BadRecord(f"cannot be read: {error.strerror or error}", file=str(path))
        else:
            meter.done += size
        finally:
            meter.current = None


def _files(given: Path) -> Iterator[Path]:
    """The files of one path: itself, or those below a folder that have a record's or an archive's name."""
    if not given.is_dir():
        yield given
        return
    for folder, below, names in os.walk(given):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name.lower().endswith(RECORDS + ARCHIVES):
                yield Path(folder, name)


def _opened(name: str, file: IO[bytes], size: int, limit: int, nesting: int) -> Iterator[tuple[str, _Entry]]:
    """What one open file holds: itself, or the files inside. `size` is -1 where it is not known beforehand."""
    buffered: Any = file if isinstance(file, io.BufferedReader) else io.BufferedReader(_Raw(file))
    try:
        head = buffered.peek(512)[:512]
        opener = next((opener for magic, opener in _OPENERS.items() if head.startswith(magic)), None)
        if opener is not None and nesting <= _MAX_NESTING:
            with opener(buffered, "rb") as inner:
                yield from _opened(name, inner, -1, limit, nesting + 1)
        elif head[257:262] == b"ustar" and nesting <= _MAX_NESTING:
            yield from _tar(name, buffered, limit, nesting)
        elif head.startswith(b"PK\x03\x04") and nesting <= _MAX_NESTING:
            yield from _zip(name, buffered, limit, nesting)
        elif opener is not None or head.startswith((b"PK\x03\x04", b"7z\xbc\xaf", b"Rar!")):
            yield name, BadRecord("an archive of a kind, or nested so deep, that it is not opened", file=name)
        else:
            yield name, Source(name, buffered, size)
    except _BROKEN as error:
        yield name, _broken(name, error)


def _broken(name: str, error: Exception) -> BadRecord:
    return BadRecord(f"the archive or compressed file is broken: {error}", file=name)


def _tar(name: str, file: IO[bytes], limit: int, nesting: int) -> Iterator[tuple[str, _Entry]]:
    with tarfile.open(fileobj=file, mode="r|") as tar:
        for member in tar:
            if member.isfile() and _wanted(member.name):
                inner = tar.extractfile(member)
                assert inner is not None, "a regular file has content"
                for full, found in _member(f"{name}!{member.name}", inner, member.size, limit, nesting):
                    yield full, found
                    if isinstance(found, Source) and found.broken:
                        return  # what follows cannot be found


def _zip(name: str, file: IO[bytes], limit: int, nesting: int) -> Iterator[tuple[str, _Entry]]:
    """Zip files have their table at the end: one inside another archive is first read whole, up to `limit`."""
    if nesting:
        try:
            file = io.BytesIO(Source(name, file, -1).whole(limit))
        except BadRecord as error:
            yield name, error
            return
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if info.is_dir() or not _wanted(info.filename):
                continue
            full = f"{name}!{info.filename}"
            try:
                with archive.open(info) as inner:
                    yield from _member(full, inner, info.file_size, limit, nesting)
            except _BROKEN as error:
                yield full, BadRecord(f"cannot be unpacked: {error}", file=full)


def _member(name: str, file: IO[bytes], size: int, limit: int, nesting: int) -> Iterator[tuple[str, _Entry]]:
    if name.lower().endswith(ARCHIVES):
        yield from _opened(name, file, size, limit, nesting + 1)
    else:
        yield name, Source(name, file, size)


def _wanted(name: str) -> bool:
    return name.lower().endswith(RECORDS + ARCHIVES) and not Path(name).name.startswith(".")


class _Raw(io.RawIOBase):
    """A readable file as a raw stream, so that it can be looked into before it is read."""

    def __init__(self, file: IO[bytes]):
        self.file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self.file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
