"""CSA, KIF, KI2 and USI files of any size, read and given away by and by."""

from collections.abc import Iterator

from sakiyomi.sgf.archive import Source
from sakiyomi.sgf.csa import read_csa
from sakiyomi.sgf.faults import BadRecord
from sakiyomi.sgf.kif import read_kif
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.usi import read_usi

CHUNK = 1 << 20
"""Bytes of CSA and USI that are read at once: records take some twenty times as much."""


def read_shogi(form: str, data: bytes, file: str = "") -> list[Record | BadRecord]:
    """The games of a file's bytes; `form` is "csa", "kif" (or "ki2") or "usi"."""
    return {"csa": read_csa, "usi": read_usi, "kif": read_kif, "ki2": read_kif}[form](data, file)


def stream_shogi(form: str, source: Source, limit: int, chunk: int = CHUNK) -> Iterator[Record | BadRecord]:
    """The games of a file; KIF and KI2 files, and a single game of CSA or line of USI, may have `limit` bytes.

    Raises BadRecord where the file cannot be unpacked further, after all before, and for what is larger.
    """
    head = source.head(2)
    if form not in ("csa", "usi") or head in (b"\xff\xfe", b"\xfe\xff"):
        yield from read_shogi(form, source.whole(limit), source.name)
        return
    read, mark = (read_csa, b"\n/") if form == "csa" else (read_usi, b"\n")
    rest, before, wanted, last = b"", (0, 0, 0), chunk, False
    while not last:
        data = source.read(wanted)
        last = len(data) < wanted
        text = rest + data
        cut = len(text) if last else _cut(text, mark)
        if cut:
            part, rest = text[:cut], text[cut:]
            found = read(part, source.name, "", before)
            yield from found
            lines = part.count(b"\n") + part.count(b"\r") - part.count(b"\r\n")
            before = (before[0] + cut, before[1] + lines, before[2] + len(found))
            wanted = chunk
        else:
            rest, wanted = text, 2 * len(text)  # a game as long as that: ever longer pieces, or it would take ages
        if len(rest) > limit:
            why = f"a game of over {limit:,} bytes; the rest of the file is not read"
            raise BadRecord(why, file=source.name, byte=before[0], line=before[1] + 1, game=before[2] + 1)
    if source.broken:
        raise source.broken


def _cut(text: bytes, mark: bytes) -> int:
    """Behind the last line that ends a game, 0 if there is none."""
    at = text.rfind(mark, 0, len(text) - 2)
    if at < 0:
        return 0
    end = text.find(b"\n", at + len(mark) - 1)
    return end + 1 if end >= 0 else 0
