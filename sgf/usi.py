"""USI lines -> records: `read_usi`, for "position startpos moves 7g7f 3c3d", one game a line (http://hgm.nubati.net/usi.html).

"position" may be missing, and "startpos" where moves follow; "sfen" and a position stand for another first one. Behind
the moves "resign" or "win" (a declaration) may end the game. Lines of "#" and empty ones are skipped.
"""

import re
from functools import partial
from itertools import islice

from sakiyomi.boards.game import BadNotation
from sakiyomi.boards.shogi import sfen
from sakiyomi.sgf import shogi_moves, shogi_text
from sakiyomi.sgf.faults import BadRecord
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.shogi_endings import Closing
from sakiyomi.sgf.shogi_games import Draft, records_of

_ENDINGS = {"resign": ("0-1", "1-0", "resignation"), "win": ("1-0", "0-1", "declaration")}
_FIELDS = re.compile(r"\S+")


def read_usi(
    data: bytes, file: str = "", charset: str = "", before: tuple[int, int, int] = (0, 0, 0)
) -> list[Record | BadRecord]:
    """The games of a file's bytes, in order; in place of one that cannot be read a BadRecord.

    `before` are the bytes, lines and games of the file before `data`.
    """
    text = shogi_text.decode(data, charset)
    if text.charset == "UTF-16":
        data = text.text.encode()
    at, number, drafts = before[0], before[2], []
    for line, part in enumerate(data.splitlines(keepends=True), before[1] + 1):
        words = part.decode(text.codec, "surrogateescape").removeprefix("\ufeff").split()
        if words and not words[0].startswith("#"):
            number += 1
            draft = Draft(part, file, at, line, number, text.charset, "usi")
            _read(draft, words, text.codec)
            drafts.append(draft)
        at += len(part)
    return records_of(drafts)


def _read(draft: Draft, words: list[str], codec: str) -> None:
    """One line, as words, into a draft."""
    at = 1 if words[0] == "position" else 0
    first = words[at] if at < len(words) else ""
    moves = words.index("moves") if "moves" in words else None
    if first == "startpos":
        line = words[at + 1 :] if moves is None else words[moves + 1 :]
    elif first == "sfen" or "/" in first:
        stop = min(at + (first == "sfen") + 4, len(words)) if moves is None else moves
        _set_up(draft, words[at:stop])
        line = words[stop + (moves is not None) :]
    else:
        line = words[at:] if moves is None else words[moves + 1 :]
    if line and line[-1] in _ENDINGS:
        draft.closing = partial(_closing, line.pop())
    draft.text = line.__getitem__
    draft.offset = partial(_offset, draft.data, codec, len(words) - len(line) - (draft.closing is not None))
    if draft.bad is not None:
        return
    try:
        draft.requests = shogi_moves.requests_of(shogi_moves.codes_of(line))
    except BadNotation as error:
        index = next(i for i, move in enumerate(line) if not shogi_moves.is_move(move))
        draft.requests = shogi_moves.requests_of(shogi_moves.codes_of(line[:index]))
        draft.bad = (f"move {index + 1}: {error}", draft.offset(index))


def _closing(word: str, turn: int) -> Closing:
    return Closing(_ENDINGS[word][turn], _ENDINGS[word][2])


def _set_up(draft: Draft, fields: list[str]) -> None:
    try:
        draft.start = shogi_moves.start_of(" ".join(fields))
    except BadNotation as error:
        draft.bad = (f"the first position: {error}", 0)
        return
    setup = shogi_moves.GAME.position_text(draft.start)
    draft.setup = None if setup == sfen.START else setup


def _offset(data: bytes, codec: str, first: int, index: int) -> int:
    """Where a move stands in a line whose moves begin with the word `first`."""
    text = data.decode(codec, "surrogateescape")
    start = next(islice(_FIELDS.finditer(text), first + index, None)).start()
    return len(text[:start].encode(codec, "surrogateescape"))
