"""UTF-16 and UTF-32, in which some programs save text: told from the first bytes, and read as UTF-8."""

import codecs
import io

from sakiyomi.sgf.archive import Source

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SEEN = 64  # bytes by which UTF-16 without a mark is told


def _codec(head: bytes) -> str:
    """Python's codec if a file that begins so is in UTF-16 or UTF-32, else "".

    By its byte order mark; or because every other of its first bytes is 0, as in UTF-16 without a mark.
    """
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return codec
    even, odd = head[:_SEEN:2], head[1:_SEEN:2]
    if len(odd) < 4 or len(even) != len(odd):
        return ""
    if odd.count(0) > len(odd) * 3 // 4 and not even.count(0):
        return "utf-16-le"
    return "utf-16-be" if even.count(0) > len(even) * 3 // 4 and not odd.count(0) else ""


def wide_charset(head: bytes) -> str:
    """ "UTF-16", "UTF-32", or "" for a file that begins so and is in neither."""
    return _codec(head)[:6].upper()


def narrow(data: bytes) -> bytes:
    """`data` in UTF-8, with its byte order mark, if it is in UTF-16 or UTF-32; else as it is."""
    codec = _codec(data)
    return data.decode(codec, "replace").encode() if codec else data


class Narrowed(Source):
    """A file in UTF-16 or UTF-32 that is read as UTF-8."""

    def __init__(self, source: Source):
        super().__init__(source.name, io.BytesIO(), -1)
        self._source = source
        self._decoder = codecs.getincrementaldecoder(_codec(source.head(_SEEN)))("replace")
        self._rest = b""

    def _more(self, count: int) -> bytes:
        while len(self._rest) < count and (part := self._source.read(count)):
            self._rest += self._decoder.decode(part).encode()
        if len(self._rest) < count:
            self._rest += self._decoder.decode(b"", True).encode()
        self.broken = self._source.broken
        found, self._rest = self._rest[:count], self._rest[count:]
        return found
