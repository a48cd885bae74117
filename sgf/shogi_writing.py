"""`Record` -> CSA, KIF, KI2 and USI.

A record that still has the text it was read from, in the same format, is written as that text while none of its fields
was changed; any other from its fields, with the times and, in KIF and KI2, the variations of its tree where the moves
are the same. Where no closing move gives `result` and `ending`, headers of ours do ($RESULT, $ENDING; 結果, 終局); and
$FIRST_MOVE the number of the first move, for which KIF has 手数.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import States
from sakiyomi.boards.shogi import bod, csa, japanese, sfen
from sakiyomi.sgf import shogi_endings, shogi_moves, shogi_text
from sakiyomi.sgf.csa import read_csa
from sakiyomi.sgf.faults import BadRecord
from sakiyomi.sgf.grammar import encode
from sakiyomi.sgf.kif import SETUPS, read_kif
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.shogi_endings import RESULTS, Closing
from sakiyomi.sgf.shogi_tree import ShogiTree, Variation, move_times

FORMATS = ("csa", "kif", "ki2", "usi")
_GAMES = 256  # that are written together
_HANDICAPS = {setup: name for name, setup in SETUPS.items()}
_READERS: dict[str, Callable[..., list[Record | BadRecord]]] = {"csa": read_csa, "kif": read_kif, "ki2": read_kif}
_A_LINE = 6  # moves of KI2
_SHIFT_JIS = ("shift_jis", "shift-jis", "sjis", "cp932", "windows-31j", "ms932")


def to_csa(records: Record | Iterable[Record], charset: str = "UTF-8") -> bytes:
    """The bytes that `save` writes to a .csa file. Raises ValueError for a record that CSA cannot hold."""
    return b"".join(shogi_parts("csa", records, charset))


def to_kif(records: Record | Iterable[Record], charset: str = "UTF-8") -> bytes:
    """The bytes that `save` writes to a .kifu file. Raises ValueError for a record that KIF cannot hold."""
    return b"".join(shogi_parts("kif", records, charset))


def to_ki2(records: Record | Iterable[Record], charset: str = "UTF-8") -> bytes:
    """The bytes of a KI2 file. Raises ValueError for a record that KI2 cannot hold."""
    return b"".join(shogi_parts("ki2", records, charset))


def to_usi(records: Record | Iterable[Record]) -> bytes:
    """Lines "position startpos moves ...". Raises ValueError for a record of another game, or with an illegal move."""
    return b"".join(shogi_parts("usi", records))


def shogi_parts(form: str, records: Record | Iterable[Record], charset: str | None = "UTF-8") -> Iterator[bytes]:
    """The bytes of a file in parts of some hundred games, so that any number can be written.

    `charset` None is Shift_JIS, as programs expect of .kif and .ki2, or UTF-8 for a part that needs it.
    """
    rest = iter([records] if isinstance(records, Record) else records)
    number = 1
    while part := list(islice(rest, _GAMES)):
        yield _encoded(form, _written(form, part, number), charset)
        number += len(part)


def _encoded(form: str, text: str, charset: str | None) -> bytes:
    """The text, which names its encoding as "@" at the beginning of each game."""
    if form == "usi":
        return text.encode("ascii", "replace")
    for name in ["Shift_JIS", "UTF-8"] if charset is None else [charset]:
        usual = "Shift_JIS" if name.lower() in _SHIFT_JIS else name
        named = text.replace(_ENCODING, usual.upper() if form == "csa" else usual)
        try:
            return named.encode("cp932") if usual == "Shift_JIS" else encode(named.encode("utf-8", "replace"), name)
        except ValueError:
            if charset is not None:
                raise ValueError(
                    f"the charset {charset} lacks a character of the records; UTF-8 has them all"
                ) from None
    raise AssertionError("UTF-8 holds every text")


_ENCODING = "\0encoding\0"


@dataclass(frozen=True)
class _Game:
    """A record with what is looked up for many at once: first position, codes, and what Japanese texts say of moves."""

    record: Record
    start: States
    codes: NDArray[np.uint16]
    words: NDArray[np.uint16] | None

    @property
    def turn(self) -> int:
        """Who begins."""
        return int(self.start["turn"][0])

    @property
    def last_turn(self) -> int:
        """Whose turn it is at the end."""
        return (self.turn + len(self.codes)) % 2

    @property
    def tree(self) -> ShogiTree | None:
        """The tree, if the moves are still its."""
        tree = self.record.tree
        return tree if isinstance(tree, ShogiTree) and shogi_moves.known_legal(self.record) else None

    @property
    def closing_time(self) -> float | None:
        """Seconds before the closing move."""
        times = self.tree.times if self.tree is not None else ()
        return times[len(self.codes)] if len(times) > len(self.codes) else None


def _written(form: str, records: Sequence[Record], number: int) -> str:
    for index, record in enumerate(records):
        _check(form, record, number + index)
    played = shogi_moves.play_records(records)
    lengths = np.diff(played.firsts)
    for row in np.flatnonzero(played.played < lengths).tolist():
        _refuse(form, records[row], number + row, played, row)
    words = shogi_moves.describe(played) if form in ("kif", "ki2") else None
    texts = []
    for row, record in enumerate(records):
        line = slice(int(played.firsts[row]), int(played.firsts[row + 1]))
        start = played.starts[row : row + 1]
        game = _Game(record, start, played.codes[line], None if words is None else words[line])
        if form == "csa" and number + row > 1:
            texts.append("/\n")
        texts.append(_unchanged(form, record) or _WRITERS[form](game))
    return "".join(texts)


def _check(form: str, record: Record, number: int) -> None:
    where = f"game {number}"
    if record.game != "shogi":
        raise ValueError(f"{where}: {form.upper()} holds shogi, not {record.game}; write SGF (.sgf) or PGN (.pgn)")
    if form != "usi" and record.result not in RESULTS:
        raise ValueError(f"{where}: {form.upper()} has the results {', '.join(RESULTS)}, not {record.result!r}")
    if lost := [ply for ply in record.comments if not 0 <= ply <= len(record.moves)]:
        raise ValueError(f"{where}: comment at ply {lost[0]}, but the record has plies 0 to {len(record.moves)}")


def _refuse(form: str, record: Record, number: int, played: shogi_moves.Played, row: int) -> None:
    count = int(played.played[row])
    line = np.ascontiguousarray(played.actions[played.line(row)][None, :])
    state = shogi_moves.GAME.replay(played.starts[row : row + 1], line, np.array([count], np.int32))
    move = record.moves[count]
    rule = shogi_moves.GAME.why_illegal(state, shogi_moves.GAME.parse_move(state, move))
    position = shogi_moves.GAME.position_text(state)
    raise ValueError(f"game {number}: {form.upper()} holds legal moves: move {count + 1}: {move} in {position}: {rule}")


def _unchanged(form: str, record: Record) -> str:
    """The text that a record was read from in this format, if it still says what the record does; else ""."""
    tree = record.tree
    if not isinstance(tree, ShogiTree) or tree.format != form or form == "usi":
        return ""
    read = _READERS[form](tree.data, "", tree.charset)
    if len(read) != 1 or read[0] != record:
        return ""
    lines = tree.text.rstrip("\n").split("\n")
    if form == "csa":
        lines = [line for line in lines if not line.startswith("'CSA encoding=") and line != "/"]
    else:
        lines = [line for line in lines if not line.startswith("#KIF version")]
    return "\n".join([_first_line(form), *lines, ""])


def _first_line(form: str) -> str:
    return f"'CSA encoding={_ENCODING}" if form == "csa" else f"#KIF version=2.0 encoding={_ENCODING}"


def _stated(game: _Game, read: Closing | None, kif: bool) -> list[tuple[str, str]]:
    """Headers for what the closing move does not say; `read` is what a reader makes of it."""
    record, found = game.record, read or Closing("*", "")
    if read is None:  # the board is asked
        found = Closing(*shogi_moves.endings(game.start, [game.codes])[0])
    lines = []
    if found.result != record.result:
        lines.append((shogi_text.RESULT[kif], record.result))
    if found.ending != record.ending:
        lines.append((shogi_text.ENDING[kif], record.ending or "-"))
    return lines


# --- CSA


def _csa(game: _Game) -> str:
    record = game.record
    word = shogi_endings.to_csa(record.result, record.ending, game.last_turn)
    read = shogi_endings.from_csa(word, game.last_turn) if word else None
    times = move_times(record)
    new = word == "%MAX_MOVES" or any(spent is not None and spent % 1 for spent in times)
    lines = [_first_line("csa"), "V3.0" if new else "V2.2"]
    lines += [f"N{sign}{_one_line(name)}" for sign, name in zip("+-", record.players, strict=True) if name]
    headers = shogi_text.write_tags(dict(record.tags), kif=False) + _stated(game, read, kif=False)
    if ply := int(game.start["ply"][0]):
        headers.append((shogi_text.FIRST_MOVE, str(ply + 1)))
    lines += [f"${name}:{value}" for name, value in headers]
    lines += ["PI", "+"] if record.setup is None else csa.position_lines(game.start)
    lines += _comment("'*", record.comments.get(0, ""))
    texts = _csa_moves(game)
    for ply, (text, spent) in enumerate(zip(texts, times, strict=True), 1):
        lines.append(text)
        if spent is not None:
            lines.append(f"T{_plain(spent)}")
        if ply in record.comments:
            lines += _comment("'*", record.comments[ply])
    if word:
        lines.append(word)
        if game.closing_time is not None:
            lines.append(f"T{_plain(game.closing_time)}")
    return "\n".join([*lines, ""])


def _csa_moves(game: _Game) -> list[str]:
    """The moves, with the kinds of pieces followed on a list of squares."""
    mail, texts, turn = game.start["mail"][0, :81].tolist(), [], game.turn
    for code in game.codes.tolist():
        to, origin = code & 127, code >> 7 & 127
        if origin >= 81:
            kind, start = origin - 80, "00"
        else:
            kind, start = (mail[origin] & 15) + (8 if code >> 14 else 0), csa.square_digits(origin)
            mail[origin] = 0
        mail[to] = kind
        texts.append(f"{'+-'[turn]}{start}{csa.square_digits(to)}{csa.NAMES[kind]}")
        turn = 1 - turn
    return texts


def _plain(seconds: float) -> str:
    """12 or 12.345."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def _comment(sign: str, text: str) -> list[str]:
    return [f"{sign}{line}" for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")] if text else []


def _one_line(text: str) -> str:
    return " ".join(text.split("\n"))


# --- KIF and KI2


def _head(game: _Game, read: Closing | None) -> list[str]:
    """Headers, first position and players."""
    record, lines = game.record, [_first_line("kif")]
    handicap = _HANDICAPS.get(record.setup or sfen.START)
    white_begins = game.turn == 1 and handicap is not None
    headers = shogi_text.write_tags(dict(record.tags), kif=True) + _stated(game, read, kif=True)
    lines += [f"{name}：{value}" for name, value in headers]
    lines.append(f"手合割：{handicap or 'その他'}")
    names = ("下手", "上手") if white_begins else ("先手", "後手")
    if handicap is None:
        lines += bod.write(game.start)
        if ply := int(game.start["ply"][0]):
            lines.append(f"手数＝{ply}")
    return [*lines, *(f"{name}：{_one_line(player)}" for name, player in zip(names, record.players, strict=True))]


def _made(game: _Game, alone: bool) -> str:
    """The last line, "まで87手で先手の勝ち"."""
    record = game.record
    handicap = game.turn == 1 and record.setup in _HANDICAPS
    return shogi_endings.made_line(record.result, record.ending, len(game.codes), handicap, alone)


def _kif(game: _Game) -> str:
    record = game.record
    word = shogi_endings.to_kif(record.result, record.ending, game.last_turn)
    read = shogi_endings.from_kif(word, game.last_turn) if word else None
    variations = game.tree.variations if game.tree is not None else ()
    texts = _texts(game.start, game.codes, game.words, 0, kif=True)
    lines = [*_head(game, read), "手数----指手---------消費時間--", *_comment("*", record.comments.get(0, ""))]
    times = [*move_times(record), game.closing_time]
    lines += _numbered(texts, 0, times, record.comments, _forks(variations, -1), word)
    if made := _made(game, alone=False) if word else "":
        lines.append(made)
    for index, variation in enumerate(variations):
        moves = _texts(*_line_of(game, variations, variation), variation.ply, kif=True)
        forks = _forks(variations, index)
        stated = [*variation.times, *[None] * (len(moves) + 1 - len(variation.times))]
        lines += ["", f"変化：{variation.ply + 1}手", *_comment("*", variation.comments.get(variation.ply, ""))]
        closing = "" if variation.ending.startswith("まで") else variation.ending
        lines += _numbered(moves, variation.ply, stated, variation.comments, forks, closing)
        if variation.ending.startswith("まで"):
            lines.append(variation.ending)
    return "\n".join([*lines, ""])


def _numbered(
    texts: list[str],
    first: int,
    times: Sequence[float | None],
    comments: Mapping[int, str],
    forks: set[int],
    closing: str,
) -> list[str]:
    """Lines of moves from ply `first` on, each with its time, comments and, at the plies `forks`, the sign "+"."""
    lines, said = [], comments
    spent_by = [0.0, 0.0]
    for index, text in enumerate([*texts, closing] if closing else texts):
        ply, spent = first + index, times[index] if index < len(times) else None
        line = f"{ply + 1:4} {text}"
        if spent is not None:
            spent_by[ply % 2] += spent
            width = sum(1 if sign.isascii() else 2 for sign in text)
            line += " " * max(13 - width, 1) + _clock(spent, spent_by[ply % 2])
        lines.append(line + ("+" if ply in forks else ""))
        if ply + 1 in said and index < len(texts):
            lines += _comment("*", said[ply + 1])
    return lines


def _clock(spent: float, total: float) -> str:
    """( 0:12/00:01:10); parts of seconds are left out."""
    minutes, seconds = divmod(int(spent), 60)
    hours, rest = divmod(int(total), 3600)
    return f"({minutes:2}:{seconds:02}/{hours:02}:{rest // 60:02}:{rest % 60:02})"


def _forks(variations: Sequence[Variation], line: int) -> set[int]:
    """Plies at which variations leave a line."""
    return {variation.ply for variation in variations if variation.parent == line}


def _line_of(
    game: _Game, variations: Sequence[Variation], variation: Variation
) -> tuple[States, NDArray[np.uint16], NDArray[np.uint16]]:
    """First position, and the moves of a variation with those before it, with their words."""
    codes = shogi_moves.codes_of(variation.moves)
    while True:
        ply, parent = variation.ply, variation.parent
        before = game.codes if parent < 0 else shogi_moves.codes_of(variations[parent].moves)
        first = 0 if parent < 0 else variations[parent].ply
        codes = np.concatenate([before[: ply - first], codes])
        if parent < 0:
            break
        variation = variations[parent]
    played = shogi_moves.play(game.start, [shogi_moves.requests_of(codes)])
    return game.start, codes, shogi_moves.describe(played)


def _texts(
    start: States, codes: NDArray[np.uint16], words: NDArray[np.uint16] | None, first: int, kif: bool
) -> list[str]:
    """The moves from ply `first` on in KIF or KI2."""
    assert words is not None, "Japanese texts need their words"
    turn, last, texts = int(start["turn"][0]), shogi_moves.NO_SQUARE, []
    for code, word in zip(codes.tolist(), words.tolist(), strict=True):
        texts.append(japanese.kif_of(code, word & 15, last) if kif else japanese.ki2_of(code, word, last, turn))
        last, turn = code & 127, 1 - turn
    return texts[first:]


def _ki2(game: _Game) -> str:
    record = game.record
    made = _made(game, alone=True)
    read = shogi_endings.from_made_line(made) if made else None
    variations = game.tree.variations if game.tree is not None else ()
    texts = _texts(game.start, game.codes, game.words, 0, kif=False)
    lines = [*_head(game, read), "", *_comment("*", record.comments.get(0, "")), *_rows(texts, 0, record.comments)]
    if made:
        lines.append(made)
    for variation in variations:
        moves = _texts(*_line_of(game, variations, variation), variation.ply, kif=False)
        lines += ["", f"変化：{variation.ply + 1}手", *_comment("*", variation.comments.get(variation.ply, ""))]
        lines += _rows(moves, variation.ply, variation.comments)
        if variation.ending:
            closing = variation.ending
            lines.append(closing if closing.startswith("まで") else f"{japanese.SIDES[0]}{closing}")
    return "\n".join([*lines, ""])


def _rows(texts: list[str], first: int, comments: Mapping[int, str]) -> list[str]:
    """Moves, six to a line, with comments below the move that they belong to."""
    lines, row, said = [], [], comments
    for ply, text in enumerate(texts, first + 1):
        row.append(text)
        if ply in said or len(row) == _A_LINE or ply == first + len(texts):
            padded = (text + "　" * (6 - len(text)) for text in row)
            lines.append("".join(padded).rstrip("　"))
            row = []
            lines += _comment("*", said.get(ply, ""))
    return lines


def _usi(game: _Game) -> str:
    record = game.record
    first = "startpos" if record.setup is None else f"sfen {record.setup}"
    return f"position {first}{' moves ' if record.moves else ''}{' '.join(record.moves)}\n"


_WRITERS: dict[str, Callable[[_Game], str]] = {"csa": _csa, "kif": _kif, "ki2": _ki2, "usi": _usi}
