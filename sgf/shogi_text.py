"""The charset of shogi records, and the names that headers and tags go by.

The order: a byte order mark; ASCII; the encoding that the file names in its first lines, if the bytes are valid in it
(``'CSA encoding=UTF-8``, ``#KIF version=2.0 encoding=Shift_JIS``); UTF-8, if they are; Shift_JIS, as is usual without a
name; EUC-JP; Shift_JIS with U+FFFD. Shift_JIS is windows-31j (cp932) throughout.
"""

import re
from typing import NamedTuple

from sakiyomi.sgf.charset import CHARSETS, known
from sakiyomi.sgf.faults import Fault

_NAMED = re.compile(rb"^(?:'CSA|#+ ?KIF)[^\r\n]{0,40}?encoding=([A-Za-z0-9_-]+)", re.MULTILINE | re.IGNORECASE)
_HEAD = 4096
_MARKS = ((b"\xef\xbb\xbf", "UTF-8"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))

TAGS = {
    "event": ("EVENT", "棋戦"),
    "place": ("SITE", "場所"),
    "end time": ("END_TIME", "終了日時"),
    "time": ("TIME_LIMIT", "持ち時間"),
    "opening": ("OPENING", "戦型"),
    "name": ("TITLE", "表題"),
    "note": ("NOTE", "備考"),
    "source": ("SOURCE", "出典"),
    "round": ("ROUND", "局"),
    "annotator": ("ANNOTATOR", "解説"),
}
"""Tag -> CSA's and KIF's header; "date" and "start time" stand in START_TIME and 開始日時. Others keep their names."""
_FROM = {header: tag for tag, headers in TAGS.items() for header in headers}
ENDING = ("ENDING", "終局")
RESULT = ("RESULT", "結果")
"""Headers of ours, where the closing move does not give `Record.ending` and `Record.result`."""
FIRST_MOVE = "FIRST_MOVE"
"""A header of ours in CSA: the number of the first move, where that is not 1."""
_DATE = re.compile(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2})(?:\([^)]*\))?(?:[ T]+(\d{1,2}:\d\d(?::\d\d)?\S*))?")
_RESERVED = frozenset(
    [
        "START_TIME",
        "ENDING",
        "RESULT",
        "FIRST_MOVE",
        "開始日時",
        "終局",
        "結果",
        "手合割",
        "先手",
        "後手",
        "下手",
        "上手",
        "変化",
        "先手の持駒",
        "後手の持駒",
        "下手の持駒",
        "上手の持駒",
    ]
)
_NO_HEADER = re.compile("[▲△▽▼☗☖]|まで|手数|変化")  # how other lines of KIF begin


class Text(NamedTuple):
    """A file as text: `text`, the usual name of the charset, Python's codec, and what is wrong."""

    text: str
    charset: str
    codec: str
    faults: tuple[tuple[Fault, str], ...] = ()


def decode(data: bytes, charset: str = "") -> Text:
    """The text of a file or of a part of one, whose `charset` may be known already."""
    if charset:
        codec = CHARSETS.get(charset, charset)
        return Text(data.decode(codec, "replace").removeprefix("\ufeff"), charset, codec)
    for mark, name in _MARKS:
        if data.startswith(mark):
            text = data.decode("utf-16" if name == "UTF-16" else "utf-8-sig", "replace")
            broken = ((Fault.BROKEN_BYTES, name),) if "\ufffd" in text else ()
            return Text(text, name, CHARSETS[name], broken)
    if data.isascii() and b"\x1b$" not in data:
        return Text(data.decode("ascii"), "US-ASCII", "ascii")
    match = _NAMED.search(data, 0, _HEAD)
    named = known(match[1].decode("ascii")) if match else None
    lies: tuple[tuple[Fault, str], ...] = ()
    if match and named and (read := _strictly(data, named[1])) is not None:
        return Text(read, *named)
    if match:
        lies = ((Fault.ENCODING_LIES, match[1].decode("ascii")),)
    for name in ("ISO-2022-JP", "UTF-8", "Shift_JIS", "EUC-JP"):
        if (name != "ISO-2022-JP" or data.isascii()) and (read := _strictly(data, CHARSETS[name])) is not None:
            return Text(read, name, CHARSETS[name], lies)
    text = data.decode(CHARSETS["Shift_JIS"], "replace")
    return Text(text, "Shift_JIS", CHARSETS["Shift_JIS"], (*lies, (Fault.BROKEN_BYTES, "Shift_JIS")))


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


def quoted(text: str) -> str:
    """The text in quotation marks for a message, with the wide space as it is."""
    return repr(text).replace(r"\u3000", "　")


def read_tag(name: str, value: str, tags: dict[str, str]) -> None:
    """Enter a header into `tags`."""
    if not value:
        return
    if name in ("START_TIME", "開始日時") or (name in ("対局日", "START") and "date" not in tags):
        match = _DATE.fullmatch(value)
        if match is None:
            tags["date"] = value
            return
        tags["date"] = f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}"
        if match[4]:
            tags["start time"] = match[4]
    elif (tag := _FROM.get(name)) is not None:
        tags[tag] = value
    else:
        tags[re.sub("%([0-9A-F]{4})", lambda code: chr(int(code[1], 16)), name)] = value


def write_tags(tags: dict[str, str], kif: bool) -> list[tuple[str, str]]:
    """Headers and their values, in the order of the tags."""
    lines = []
    for tag, value in tags.items():
        if tag == "start time" and "date" in tags:
            continue
        if tag == "date":
            text = value.replace("-", "/") if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else value
            start = tags.get("start time", "")
            lines.append(("開始日時" if kif else "START_TIME", f"{text} {start}".strip()))
            continue
        name = TAGS[tag][kif] if tag in TAGS else _quoted(tag)
        if tag == "time" and not kif and not re.fullmatch(r"\d+:\d\d(:\d\d)?\+\d+", value):
            name = TAGS[tag][1]  # CSA's has one form only
        lines.append((name, value))
    return [(name, " ".join(value.split("\n"))) for name, value in lines]


def _quoted(tag: str) -> str:
    """A name that no header has; signs that part names from values as "%003A"."""
    plain = re.sub(r"[%:：,|\s*'#&$]", lambda sign: f"%{ord(sign[0]):04X}", tag)
    taken = plain in _RESERVED or plain in _FROM or _NO_HEADER.match(plain)
    return f"%{ord(plain[0]):04X}{plain[1:]}" if taken else plain
