"""What is left of a damaged tournament: every game whose checksum holds, read from the pages of its file directly.

SQLite reads a file by its index, and gives up where that is damaged. Here each page is looked at by itself, those in
the write-ahead log included, and whatever on it is no game of ours, whole to the last letter, is passed over. Source:
https://www.sqlite.org/fileformat.html, whose sections stand in brackets.
"""

import json
import os
import re
import shutil
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from sakiyomi.arena.store import Row, Store, StoreError, row_of, sealed

PAGE_SIZES = tuple(1 << power for power in range(9, 17))
_LEAF = 13  # the type of a page that holds rows of a table (1.6)
_WAL_HEADER, _FRAME_HEADER = 32, 24  # bytes (4.1)
_HASH = re.compile(r"[0-9a-f]{64}")
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # bytes of integers by their serial type (2.1)


class Recovered(NamedTuple):
    """How many games were `kept`, how many `lost` of those whose record still stands in games/, and the file with what
    was there before.
    """

    kept: int
    lost: int
    damaged: Path


def recover(path: Path) -> Recovered:
    """Put in place of the damaged database `path` one with all games that can still be read.

    The damaged one stays beside it. Lost games are played again when the tournament is resumed. Raises StoreError if
    there is no such file, if the tournament's settings are lost, and for tournaments of tasks.
    """
    if not path.is_file():
        raise StoreError(f"{path}: no such tournament")
    config, rows = salvage(path)
    if config is None:
        raise StoreError(f"{path}: the settings of the tournament cannot be read any more; restore a copy")
    if "game" not in config:
        raise StoreError(f"{path}: games alone can be recovered, and this is a tournament of tasks; restore a copy")
    damaged = _aside(path)
    fresh = path.with_name(f".{path.name}.recovered")
    try:
        fresh.unlink(missing_ok=True)
        with Store.create(fresh, config) as store:
            for number in sorted(rows):
                store.add(rows[number])
        for ending in "", "-wal":
            with suppress(FileNotFoundError):
                shutil.copy2(f"{path}{ending}", f"{damaged}{ending}")
        for ending in "-wal", "-shm", "-journal":  # they would be taken for those of the new file
            Path(f"{path}{ending}").unlink(missing_ok=True)
        os.replace(fresh, path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        fresh.unlink(missing_ok=True)
    names = (re.match(r"(\d+)-", record.name) for record in path.with_name("games").glob("*"))
    recorded = {int(found[1]) for found in names if found}
    return Recovered(len(rows), len(recorded - set(rows)), damaged)


def salvage(path: Path) -> tuple[dict[str, Any] | None, dict[int, Row]]:
    """The settings (None if they are lost), and the games by number, that are whole in the file and in its log.

    Of a game that is there twice the later one is taken.
    """
    config: dict[str, Any] | None = None
    rows: dict[int, Row] = {}
    data = path.read_bytes()
    log = Path(f"{path}-wal")
    frames = log.read_bytes() if log.exists() else b""
    size = _page_size(data, frames)
    for page, pages in _pages(data, frames, size):
        for rowid, values in _cells(page, pages, size):
            if found := _config(values):
                config = found
            elif (row := _game(rowid, values)) and (rowid not in rows or rows[rowid].finished <= row.finished):
                rows[rowid] = row
    return config, rows


def _aside(path: Path) -> Path:
    """A name for the damaged file that is not taken."""
    names = (path.with_name(f"{path.name}.damaged{number}") for number in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(name for name in names if not name.exists())


def _config(values: list[Any]) -> dict[str, Any] | None:
    """The settings, if these are the values of their row."""
    if len(values) != 3 or not all(isinstance(value, str) for value in values[1:]):
        return None
    if not sealed(values[1], values[2]):
        return None
    found = json.loads(values[1])
    return found if isinstance(found, dict) else None


def _game(rowid: int, values: list[Any]) -> Row | None:
    """The game, if these are the values of one, whole."""
    if len(values) not in (17, 18):
        return None
    seconds = [float(value) if isinstance(value, int) else value for value in values[12:14]]  # 0.0 is kept as 0
    *comments, checksum = values[16:]
    if comments and _HASH.fullmatch(str(comments[0])):  # their columns once stood the other way round
        comments, checksum = [checksum], comments[0]
    with suppress(sqlite3.DatabaseError, ValueError, TypeError):
        return row_of((rowid, *values[1:12], *seconds, *values[14:16], *(comments or [""])), checksum)
    return None


def _page_size(data: bytes, frames: bytes) -> int:
    """Bytes of a page: as the header tells, the log's if that is damaged, or what is usual."""
    told = int.from_bytes(data[16:18], "big")
    logged = int.from_bytes(frames[8:12], "big")
    return next((size for size in (65536 if told == 1 else told, logged) if size in PAGE_SIZES), 4096)


def _pages(data: bytes, frames: bytes, size: int) -> Iterator[tuple[bytes, list[bytes]]]:
    """Each page, with all those of the same age, among which its rows may go on.

    First the file's, then the log's, which hold what came after; of a page that the log has more than once each is
    looked at.
    """
    pages = [data[at : at + size].ljust(size, b"\0") for at in range(0, len(data), size)]
    for number, page in enumerate(tuple(pages)):
        yield page if number else b"\0" * 100 + page[100:], pages
    step = _FRAME_HEADER + size
    logged = [frames[at : at + step] for at in range(_WAL_HEADER, len(frames), step)]
    numbered = [(int.from_bytes(frame[:4], "big"), frame[_FRAME_HEADER:].ljust(size, b"\0")) for frame in logged]
    for number, page in numbered:
        if 0 < number <= len(pages) + len(numbered):
            pages += [b"\0" * size] * (number - len(pages))
            pages[number - 1] = page
    for _, page in numbered:
        yield page, pages


def _cells(page: bytes, pages: list[bytes], size: int) -> Iterator[tuple[int, list[Any]]]:
    """The number and the values of each row that stands on this page, as far as they can be made out."""
    if page[0] != _LEAF:
        return
    count = int.from_bytes(page[3:5], "big")
    for at in range(8, min(8 + 2 * count, size - 1), 2):
        with suppress(IndexError, ValueError, struct.error):
            yield _cell(page, int.from_bytes(page[at : at + 2], "big"), pages, size)


def _cell(page: bytes, at: int, pages: list[bytes], size: int) -> tuple[int, list[Any]]:
    """One row (1.6). Raises IndexError or ValueError where it makes no sense."""
    length, at = _varint(page, at)
    rowid, at = _varint(page, at)
    if not 0 < length < 1 << 30:
        raise ValueError(length)
    most, least = size - 35, (size - 12) * 32 // 255 - 23
    local = length
    if length > most:  # the rest stands on other pages
        spare = least + (length - least) % (size - 4)
        local = spare if spare <= most else least
    payload = page[at : at + local]
    following = int.from_bytes(page[at + local : at + local + 4], "big") if local < length else 0
    seen: set[int] = set()
    while len(payload) < length:
        if not 0 < following <= len(pages) or following in seen:
            raise ValueError(following)
        seen.add(following)
        more = pages[following - 1]
        payload += more[4 : 4 + min(size - 4, length - len(payload))]
        following = int.from_bytes(more[:4], "big")
    return rowid, _values(payload)


def _values(payload: bytes) -> list[Any]:
    """The values of a row (2.1)."""
    header, at = _varint(payload, 0)
    kinds = []
    while at < header:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values: list[Any] = []
    for kind in kinds:
        length = _INTEGERS.get(kind, 8 if kind == 7 else max(0, (kind - 12) // 2))
        part = payload[at : at + length]
        if len(part) < length:
            raise ValueError(kind)
        values.append(_value(kind, part))
        at += length
    return values


def _value(kind: int, part: bytes) -> Any:
    if kind in (0, 8, 9):
        return {0: None, 8: 0, 9: 1}[kind]
    if kind == 7:
        return struct.unpack(">d", part)[0]
    if kind in _INTEGERS:
        return int.from_bytes(part, "big", signed=True)
    return part.decode() if kind % 2 else part


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that stands at `at`, and where it ends (1.6)."""
    number = 0
    for index in range(9):
        byte = data[at + index]
        if index == 8:
            return number << 8 | byte, at + 9
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return number, at + index + 1
