"""Which format a file is in, told from its first bytes; names and endings do not count."""

import re

HEAD = 1 << 16
"""Bytes that are looked at: a game must begin in them."""

_SAN = rb"(?:[NBRQK][a-h1-8x]{0,3}[a-h][1-8]|(?:[a-h]x)?[a-h][1-8](?:=?[NBRQ])?|[a-h][1-8][a-h][1-8]|[O0]-[O0])[+#!?]*"
_TAG = re.compile(rb"[ \t]*\[\s*[A-Za-z0-9][\w+#=:-]*\s+\"")
_TAG_LINE = re.compile(rb"^[ \t]*\[\s*[A-Za-z0-9][\w+#=:-]*\s+\"", re.MULTILINE)
_NUMBER = rb"\d{1,5}\s*\.[.\s]*"
_MOVES = re.compile(rb"%b(?:%b|--)|%b\s+(?:%b%b|%b|1-0|0-1|1/2|\*)" % (_NUMBER, _SAN, _SAN, _NUMBER, _SAN, _SAN))
_MOVES_LINE = re.compile(rb"^[ \t]*1\s*\.[.\s]*%b" % _SAN, re.MULTILINE)
_RESULT = re.compile(rb"(?:1-0|0-1|1/2-1/2|\*)\s")
_SKIPPED = re.compile(rb"(?:\xef\xbb\xbf|\s|^[%;][^\r\n]*|\{[^}]*\})*", re.MULTILINE)
_SGF = re.compile(rb"\(\s*;")
_BARE_SGF = re.compile(rb"^\s*;\s*[A-Z]{1,2}\s*\[", re.MULTILINE)  # a game that lacks its "("


def pgn_start(head: bytes) -> int | None:
    """Where PGN begins in the first bytes of a file, None if there is no sign of it, or of SGF before it.

    That is at the first tag pair or move; white space, comments and text that is neither may come before.
    """
    head = head + b"\n"
    match = _SKIPPED.match(head)
    first = match.end() if match else 0
    if any(form.match(head, first) for form in (_TAG, _MOVES, _RESULT)):
        return None if _BARE_SGF.search(head, 0, first) else 0
    found = _TAG_LINE.search(head) or _MOVES_LINE.search(head)
    if found is None or _SGF.search(head, 0, found.start()) or _BARE_SGF.search(head, 0, found.start()):
        return None
    return found.start()
