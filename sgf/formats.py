"""Which format a file is in, told from its first bytes; names and endings do not count."""

import re

from sakiyomi.sgf.wide import narrow

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
_SFEN = rb"[1-9+lnsgkrbpLNSGKRBP]{1,18}(?:/[1-9+lnsgkrbpLNSGKRBP]{1,18}){8}\s+[bw]\s"
_USI_MOVE = rb"(?:[1-9][a-i][1-9][a-i]\+?|[PLNSGBR]\*[1-9][a-i])"
_USI = re.compile(
    rb"(?:position\s+)?(?:startpos\b|(?:sfen\s+)?%b|(?:moves\s+)?%b\s+%b)" % (_SFEN, _USI_MOVE, _USI_MOVE)
)
_CSA = re.compile(
    rb"'CSA encoding=|V[1-9](?:\.\d)?\s|N[+-]|\$[A-Z_]{2,20}[+-]?:"
    rb"|PI(?:\s|,|\d)|P[1-9][ +-]|P[+-]\s*(?:\d|\s)|[+-]\s|[+-]\d{4}[A-Z]{2}"
)
_HASH_LINES = re.compile(rb"(?:\xef\xbb\xbf|\s|^#[^\r\n]*)*", re.MULTILINE)
_CSA_SKIPPED = re.compile(rb"(?:\xef\xbb\xbf|\s|^'(?!CSA encoding=)[^\r\n]*)*", re.MULTILINE)
_KIF_LINES = [
    *("#KIF version", "手合割：", "手数----", "先手：", "後手：", "下手：", "上手："),
    *("先手の持駒：", "後手の持駒：", "下手の持駒：", "上手の持駒："),
    *("開始日時：", "対局日：", "棋戦：", "▲", "△", "▽", "▼", "変化："),
]
_KIF = re.compile(
    rb"^[ \t]*(?:%b)|^[ \t]*1[ \t]+(?:%b)"
    % (
        b"|".join(re.escape(line.encode(codec)) for line in _KIF_LINES for codec in ("utf-8", "cp932", "euc_jp"))
        + b"|\xe2\x98[\x96\x97]",
        b"|".join(sign.encode(codec) for sign in "１２３４５６７８９" for codec in ("utf-8", "cp932", "euc_jp")),
    ),
    re.MULTILINE,
)
_BARE_SGF = re.compile(rb"^\s*;\s*[A-Z]{1,2}\s*\[", re.MULTILINE)  # a game that lacks its "("


def pgn_start(head: bytes) -> int | None:
    """Where PGN begins in the first bytes of a file, None if there is no sign of it, or of SGF before it.

    That is at the first tag pair or move; white space, comments and text that is neither may come before. Bytes are
    counted in UTF-8 where the file is in UTF-16 or UTF-32.
    """
    head = narrow(head) + b"\n"
    match = _SKIPPED.match(head)
    first = match.end() if match else 0
    if any(form.match(head, first) for form in (_TAG, _MOVES, _RESULT)):
        return None if _BARE_SGF.search(head, 0, first) else 0
    found = _TAG_LINE.search(head) or _MOVES_LINE.search(head)
    if found is None or _SGF.search(head, 0, found.start()) or _BARE_SGF.search(head, 0, found.start()):
        return None
    return found.start()


def shogi_format(head: bytes) -> str:
    """The format, "csa", "kif" (which is KI2's, too) or "usi", of the first bytes of a file of shogi records, or ""."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head[: len(head) // 2 * 2].decode("utf-16", "replace").encode()
    match = _CSA_SKIPPED.match(head)
    if _CSA.match(head + b"\n", match.end() if match else 0):
        return "csa"
    if _USI.match(head + b"\n", _past_comments(head)):
        return "usi"
    found = _KIF.search(head)
    if found is None or _SGF.search(head, 0, found.start()) or _TAG_LINE.search(head, 0, found.start()):
        return ""
    return "kif"


def _past_comments(head: bytes) -> int:
    """Where the first line begins that is neither empty nor one of "#"."""
    match = _HASH_LINES.match(head)
    return match.end() if match else 0
