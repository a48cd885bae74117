"""Which charset a file is in, and its bytes as UTF-8.

Everything after this module sees UTF-8: in Shift_JIS, Big5 and GB18030 the second byte of a character may be 0x5C or
0x5D, a backslash or "]", so that a file must be decoded before it is scanned. The order: a byte order mark; ASCII; the
charset that CA names, if the bytes are valid in it; UTF-8, if they are, or nearly; then the likeliest (`likelihood`).
Where CA differs from game to game, each stretch of the file is looked at by itself.

SGF FF[4] makes ISO-8859-1 the default, but most real files without CA are in UTF-8 or another multibyte charset.
"""

import codecs
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache

from sakiyomi.sgf.faults import Fault
from sakiyomi.sgf.likelihood import MULTIBYTE, latin, likeliest

UTF8 = ("UTF-8", "utf-8")
ASCII = ("US-ASCII", "ascii")
CHARSETS = {
    **dict([UTF8, ASCII]),
    **MULTIBYTE,
    "ISO-2022-JP": "iso2022_jp",
    "UTF-16": "utf-16",
    "UTF-32": "utf-32",
    "windows-1251": "cp1251",
    "KOI8-R": "koi8_r",
    "windows-1252": "cp1252",
    "ISO-8859-1": "latin-1",
}
"""The usual charsets, under the name that CA gives them, with Python's codec; CA may name any that Python knows."""

_ALIASES = {
    "GB18030": "gb2312 gbk cp936 gb_2312-80 euc-cn gb18030-2000 chinese",
    "Big5": "big-5 cp950 big5-hkscs big5hkscs x-x-big5",
    "Shift_JIS": "shift-jis sjis x-sjis cp932 windows-31j ms932 ms_kanji shiftjis",
    "EUC-JP": "eucjp ujis x-euc-jp euc_jp",
    "EUC-KR": "euckr euc_kr cp949 ks_c_5601-1987 ksc5601 uhc korean",
    "UTF-8": "utf8 unicode",
    "ISO-8859-1": "latin1 latin-1 iso8859-1 iso-8859-15",
    "windows-1252": "cp1252",
    "windows-1251": "cp1251",
    "US-ASCII": "ascii",
}
_NAMES = {name.lower(): name for name in CHARSETS}
_NAMES |= {alias: name for name, aliases in _ALIASES.items() for alias in aliases.split()}

_CA = re.compile(rb"(?<![A-Za-z])C[a-z]*A[a-z]*\s*\[\s*([A-Za-z0-9_.:-]+)\s*\]")
_GAME_START = re.compile(rb"\(\s*;")
_HEAD = 1 << 16  # CA is sought among so many bytes
_JUDGED = 1 << 20  # nearly-UTF-8 is judged by so many
# A character of two or more bytes in UTF-8 in which some program has put "?" for continuation bytes.
_NEARLY_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf?]|[\xe0-\xef][\x80-\xbf?]{2}|[\xf0-\xf4][\x80-\xbf?]{3}")
_SURELY_UTF8 = re.compile(rb"[\xe0-\xef][\x80-\xbf]{2}|(?:[\xc2-\xdf][\x80-\xbf][\x00-\x7f]*){4}")
# Letters in which nobody writes names of players: phonetic signs, Armenian, Syriac, Thaana, N'Ko.
_STRANGE = re.compile("[\u0250-\u036f\u0530-\u058f\u0700-\u07ff]")
_MARKS = (
    (codecs.BOM_UTF8, *UTF8),
    (codecs.BOM_UTF32_LE, "UTF-32", "utf-32-le"),
    (codecs.BOM_UTF32_BE, "UTF-32", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "UTF-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "UTF-16", "utf-16-be"),
)


@dataclass(frozen=True)
class Stretch:
    """A part of a file, from offset `start` of its UTF-8 text on, that is in one charset."""

    start: int
    charset: str
    codec: str
    faults: tuple[tuple[Fault, str], ...] = ()


@dataclass(frozen=True)
class Text:
    """A file as UTF-8, in which bytes that mean nothing may remain; `bom` bytes of byte order mark were taken off."""

    data: bytes
    stretches: tuple[Stretch, ...]
    bom: int = 0

    def stretch(self, offset: int) -> Stretch:
        """The stretch that an offset lies in."""
        return self.stretches[max(bisect_right(self.stretches, offset, key=lambda stretch: stretch.start) - 1, 0)]

    def original_length(self, start: int, stop: int) -> int:
        """How many bytes ``data[start:stop]`` was in the file."""
        length = 0
        for index, stretch in enumerate(self.stretches):
            end = self.stretches[index + 1].start if index + 1 < len(self.stretches) else len(self.data)
            first, last = max(start, stretch.start), min(stop, end)
            if first >= last:
                continue
            if stretch.codec in ("ascii", "utf-8"):
                length += last - first
            else:
                length += len(self.data[first:last].decode("utf-8", "replace").encode(stretch.codec, "replace"))
        return length


@cache
def known(name: str) -> tuple[str, str] | None:
    """The usual name and the codec of the charset that CA calls `name`, or None if there is none."""
    if usual := _NAMES.get(name.lower()):
        return usual, CHARSETS[usual]
    try:
        codec = codecs.lookup(name).name
        "(;".encode(codec)
    except (LookupError, ValueError, TypeError):
        return None  # unknown, or a codec for something other than text
    return name, codec


def to_utf8(data: bytes) -> Text:
    """The bytes of a file as UTF-8."""
    for mark, name, codec in _MARKS:
        if data.startswith(mark):
            text, stretch = _decoded(data[len(mark) :], (name, codec), [], 0)
            return Text(text, (stretch,), len(mark))
    if data.isascii() and b"\0" not in data[:16] and b"\x1b" not in data:
        return Text(data, (Stretch(0, *ASCII),))
    texts, stretches, start = [], [], 0
    for part in _parts(data):
        charset, faults = _judge(part)
        text, stretch = _decoded(part, charset, faults, start)
        texts.append(text)
        stretches.append(stretch)
        start += len(text)
    return Text(b"".join(texts), tuple(stretches))


def _parts(data: bytes) -> list[bytes]:
    """The file cut before games where CA changes; nearly always one part."""
    cuts, last = [0], None
    named = {match[1].lower() for match in _CA.finditer(data)}
    if len(named) > 1 and not _decodes(data, "utf-8"):
        for match in _CA.finditer(data):
            name = match[1].lower()
            starts = list(_GAME_START.finditer(data, cuts[-1], match.start()))
            if name != last and last is not None and starts:
                cuts.append(starts[-1].start())
            last = name
    return [data[start:stop] for start, stop in zip(cuts, [*cuts[1:], len(data)], strict=True)]


def _judge(data: bytes) -> tuple[tuple[str, str], list[tuple[Fault, str]]]:
    """Name and codec of the charset, and what is wrong with how the file states it."""
    if without_mark := _utf16_without_mark(data):
        return ("UTF-16", without_mark), []
    match = _CA.search(data, 0, _HEAD)
    named = match[1].decode("ascii") if match else ""
    declared = known(named) if named else None
    if declared and declared[0] in ("UTF-16", "UTF-32"):
        declared = None  # or CA could not have been read
    if data.isascii():
        japanese = declared is None and b"\x1b$" in data and _decodes(data, "iso2022_jp")
        return ("ISO-2022-JP", "iso2022_jp") if japanese else (declared or ASCII), []
    charset = _choose(data, declared)
    if not named:
        return charset, [(Fault.CHARSET_GUESSED, charset[0])]
    if charset != declared:
        return charset, [(Fault.CHARSET_LIES, f"CA[{named}], read as {charset[0]}")]
    return charset, []


def _choose(data: bytes, declared: tuple[str, str] | None) -> tuple[str, str]:
    """The charset of bytes that are not ASCII."""
    western = declared is not None and declared[0] in ("ISO-8859-1", "windows-1252", "US-ASCII")
    believed = declared is not None and not western and _decodes(data, declared[1])
    if _decodes(data, "utf-8"):
        # Other text is valid UTF-8 by chance only if it is very short.
        by_chance = not _SURELY_UTF8.search(data)
        if by_chance and declared is None and _STRANGE.search(data.decode()):
            return likeliest(data, None)
        return declared if declared and believed and by_chance else UTF8
    if declared and believed:
        return declared
    if declared in (None, UTF8) and nearly_utf8(data):
        return UTF8
    if declared and declared[0] == "ISO-8859-1" and latin(data) != declared and re.search(rb"[\x80-\x9f]", data):
        declared = None  # by its quotes and dashes windows-1252
    return likeliest(data, None if declared in (UTF8, ASCII) else declared)


def _decoded(
    data: bytes, charset: tuple[str, str], faults: list[tuple[Fault, str]], start: int
) -> tuple[bytes, Stretch]:
    """`data` in UTF-8; what claims to be UTF-8 stays as it is, so that broken bytes are not lost."""
    name, codec = charset
    if codec in ("utf-8", "ascii"):
        if not _decodes(data, "utf-8"):
            faults.append((Fault.BROKEN_BYTES, name))
        return data, Stretch(start, name, codec, tuple(faults))
    text = data.decode(codec, "replace")
    if "\ufffd" in text:
        faults.append((Fault.BROKEN_BYTES, name))
    return text.encode("utf-8", "replace"), Stretch(start, name, codec, tuple(faults))


def _utf16_without_mark(data: bytes) -> str:
    """The codec, if the file looks like UTF-16 that lacks its mark: of its first bytes every other is mostly 0."""
    even, odd = data[:64:2], data[1:64:2]
    if len(odd) < 4 or (data[:1] != b"(" and data[1:2] != b"("):
        return ""
    if odd.count(0) > len(odd) // 3 and even.count(0) <= odd.count(0) // 4:
        return "utf-16-le"
    return "utf-16-be" if even.count(0) > len(even) // 3 and odd.count(0) <= even.count(0) // 4 else ""


def _decodes(data: bytes, codec: str) -> bool:
    try:
        data.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def nearly_utf8(data: bytes) -> bool:
    """Is it UTF-8 but for a few bytes, or with "?" where some program lost continuation bytes?"""
    rest, characters = _NEARLY_UTF8.subn(b"", data[:_JUDGED])
    stray = len(rest.translate(None, bytes(range(128))))
    return stray * 3 <= characters


def decode_broken(raw: bytes) -> str:
    """The text of a value in a UTF-8 file whose bytes are not UTF-8: with U+FFFD, or from another charset."""
    if nearly_utf8(raw):
        return raw.decode("utf-8", "replace")
    return raw.decode(likeliest(raw, None)[1], "replace")
