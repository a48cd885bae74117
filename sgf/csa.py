"""CSA -> records: `read_csa` for a file's bytes, versions 1 to 3.0, one game or several parted by lines "/".

The bytes are scanned and the moves checked in kernels (`csa_kernels`, `shogi_moves`). Comments, lines ``'text`` and
``'*text``, belong to the move before them; a comment ``'** 35 +7776FU`` (an evaluation and what the program foresees)
is kept as "* 35 +7776FU".
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import BadNotation
from sakiyomi.boards.shogi import csa, sfen
from sakiyomi.sgf import csa_kernels as kernels
from sakiyomi.sgf import shogi_moves, shogi_text
from sakiyomi.sgf.faults import BadRecord, Fault
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.shogi_endings import RESULTS, from_csa
from sakiyomi.sgf.shogi_games import Draft, records_of

_EVEN_RANKS = csa.position_lines(shogi_moves.start_of(None))[:9]
_EVEN = (["PI", "+"], [*_EVEN_RANKS, "+"], [*_EVEN_RANKS, "P+", "P-", "+"])


def read_csa(
    data: bytes, file: str = "", charset: str = "", before: tuple[int, int, int] = (0, 0, 0)
) -> list[Record | BadRecord]:
    """The games of a file's bytes, in order; in place of one that cannot be read a BadRecord.

    `before` are the bytes, lines and games of the file before `data`.
    """
    text = shogi_text.decode(data, charset) if not data.isascii() or charset else None
    codec, name = (text.codec, text.charset) if text else ("ascii", "US-ASCII")
    if name == "UTF-16" and text:
        data, codec = text.text.encode(), "utf-8"
    mark = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    drafts = list(_drafts(data, mark, file, codec, name, before))
    if text and drafts:
        drafts[0].faults += [(fault, 0, detail) for fault, detail in text.faults]
    return records_of(drafts)


class _Scanned:
    """The tables of `csa_kernels.scan`."""

    def __init__(self, data: bytes, start: int):
        array = np.frombuffer(data, np.uint8)
        lines = data.count(b"\n") + data.count(b"\r") + 2
        room = len(data) // 7 + 4
        games = np.empty((data.count(b"\n/") + data.count(b"\r/") + 2, kernels.GAME_COLUMNS), np.int64)
        self.requests, self.times = np.empty(room, np.uint32), np.empty(room, np.int64)
        self.places: NDArray[np.int64] = np.empty(room, np.int64)
        notes, counts = np.empty((lines, kernels.NOTE_COLUMNS), np.int64), np.zeros(5, np.int64)
        tables = (games, self.requests, self.times, self.places, notes, counts)
        kernels.scan(array, np.uint64(start), np.uint64(1), *tables)
        self.games: list[list[int]] = games[: counts[0]].tolist()
        self.notes: list[list[int]] = notes[: counts[2]].tolist()


def _drafts(
    data: bytes, mark: int, file: str, codec: str, charset: str, before: tuple[int, int, int]
) -> Iterator[Draft]:
    scanned, number = _Scanned(data, mark), before[2]
    for game in scanned.games:
        start, stop, line, first, count, note, notes, closing, closing_stop, closing_time, fault, body = game
        if count == 0 and notes == 0 and closing < 0:
            continue  # nothing behind the last "/"
        number += 1
        place = 0 if start == mark else start
        draft = Draft(data[place:stop], file, before[0] + place, before[1] + line, number, charset, "csa")
        moves = slice(first, first + count)
        draft.requests = scanned.requests[moves]
        draft.offset = partial(_offset, scanned.places[moves], place)
        draft.text = partial(_text_at, data, scanned.places[moves])
        draft.times = np.empty(count + (closing >= 0), np.int64)
        draft.times[:count] = scanned.times[moves]
        draft.times[count:] = closing_time
        if closing >= 0:
            word = data[closing:closing_stop].decode(codec, "replace")
            draft.closing = partial(from_csa, word)
            if not from_csa(word, 0).known:
                draft.faults.append((Fault.UNKNOWN_CLOSING, closing - place, word[:40]))
        if fault >= 0:
            text = data[fault : fault + 40].split(b"\n")[0].decode(codec, "replace").strip()
            draft.bad = (
                f"move {count + 1}: {text!r} is no move: CSA such as +7776FU or -0055KA is wanted",
                fault - place,
            )
        _read_notes(draft, data, scanned.notes[note : note + notes], codec, place, body)
        yield draft


def _offset(places: NDArray[np.int64], start: int, index: int) -> int:
    return int(places[index]) - start


def _text_at(data: bytes, places: NDArray[np.int64], index: int) -> str:
    at = int(places[index])
    return data[at : at + 7].decode("ascii", "replace")


def _read_notes(draft: Draft, data: bytes, notes: list[list[int]], codec: str, place: int, body: int) -> None:
    """Comments, headers and the first position."""
    position: list[str] = []
    comments: dict[int, list[str]] = {}
    players, tags, where = ["", ""], draft.tags, -1
    stated = {"RESULT": "", "ENDING": "", "FIRST_MOVE": ""}
    for ply, start, stop in notes:
        line = data[start:stop].decode(codec, "replace")
        sign = line[0]
        if sign == "'":
            if not line.startswith("'CSA encoding="):
                comments.setdefault(ply, []).append(line[2:] if line[1:2] == "*" else line[1:])
        elif sign == "N" and line[1:2] in ("+", "-"):
            players["+-".index(line[1])] = line[2:].strip()
        elif sign == "$":
            name, _, value = line[1:].partition(":")
            if name in stated and (name != "RESULT" or value.strip() in RESULTS):
                stated[name] = value.strip()
            else:
                shogi_text.read_tag(name.strip(), value.strip(), tags)
        elif sign == "P" or line.rstrip() in ("+", "-"):
            where = start if where < 0 else where
            position += line.rstrip().split(",") if "," in line else [line.rstrip()]
        elif sign == "V" and ply == 0:
            pass
        elif sign in "+-" and draft.bad is None:
            draft.bad = (f"{line!r} is no move: CSA such as +7776FU or -0055KA is wanted", start - place)
        elif line.strip():
            draft.faults.append((Fault.UNKNOWN_LINE, start - place, line[:40]))
    draft.players = (players[0], players[1])
    draft.stated = (stated["RESULT"], stated["ENDING"])
    draft.comments = {ply: text for ply, lines in comments.items() if (text := "\n".join(lines))}
    if (position not in _EVEN and position) or stated["FIRST_MOVE"]:
        _set_up(draft, position or _EVEN[0], stated["FIRST_MOVE"], max(where - place, 0))


def _set_up(draft: Draft, lines: list[str], number: str, offset: int) -> None:
    try:
        text = sfen.write(csa.read_position(lines))
        draft.start = shogi_moves.start_of(f"{text.rpartition(' ')[0]} {number}" if number else text)
    except BadNotation as error:
        draft.bad = (f"the first position: {error}", offset)
        draft.requests = draft.requests[:0]
        return
    setup = shogi_moves.GAME.position_text(draft.start)
    draft.setup = None if setup == sfen.START else setup
