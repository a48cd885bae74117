"""`Record` -> PGN, in the standard's export format: tags in order, strict SAN, lines of 80 columns.

A record that still has the `PgnTree` it was read from keeps its movetext, with variations, NAGs and comments, and all
tags whose fields were not changed. One without, or with another main line, is written from its fields.

Comments stand in braces, those too that were read after ";", which some programs do not know.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from sakiyomi.boards.chess.fen import START
from sakiyomi.boards.game import Ending
from sakiyomi.sgf import pgn_tags
from sakiyomi.sgf.chess_moves import GAMES, Played, endings, play_records
from sakiyomi.sgf.faults import Fault
from sakiyomi.sgf.grammar import encode
from sakiyomi.sgf.pgn import Reread, reread
from sakiyomi.sgf.pgn_columns import san_texts
from sakiyomi.sgf.pgn_tree import PgnTree
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.replay import first_illegal

Tags = dict[str, str]
COLUMNS = 80
_GAMES = 256  # that are written together
_DRAW = "1/2-1/2"
_RESULT_TAGS = {"Result", pgn_tags.write_name("result")}
_TOKEN = re.compile(r"^%[^\n]*|\{[^}]*\}?|;[^\n]*|[()]|\*|(?<![^\s()}])(?:1-0|0-1|1/2(?:-1/2)?)(?![^\s({;])", re.M)
_NOT_ASCII = re.compile(r"(^%[^\n]*|\{[^}]*\}?|;[^\n]*)|[^\x00-\x7f]", re.M)  # the group: what holds no moves
_MARGIN = re.compile(r"\s*\n(?=%)|\s*(?!%)")  # "%" hides a line where it stands first, and there only
_UNFINISHED = {Fault.NO_RESULT, Fault.NO_MOVETEXT, Fault.UNCLOSED_COMMENT, Fault.UNCLOSED_VARIATION}


def to_pgn(records: Record | Iterable[Record], charset: str = "UTF-8") -> bytes:
    """The bytes that `save` writes to a .pgn file.

    Raises ValueError for a record that PGN cannot hold: of another game than chess, with a move that is illegal, with
    another result than 1-0, 0-1, 1/2-1/2 and *; and for a charset that is unknown or lacks a character.
    """
    return b"".join(pgn_parts(records, charset))


def pgn_parts(records: Record | Iterable[Record], charset: str = "UTF-8") -> Iterator[bytes]:
    """`to_pgn` in parts of some hundred games, so that any number can be written."""
    rest = iter([records] if isinstance(records, Record) else records)
    number = 1
    while part := list(islice(rest, _GAMES)):
        text = "".join(_written(part, number))
        yield encode(text.encode("utf-8", "replace"), charset)
        number += len(part)


def _written(records: Sequence[Record], number: int) -> Iterator[str]:
    """The games as text; the first has that number, for errors."""
    for index, record in enumerate(records):
        _check(record, number + index)
    read = _as_read(records)
    kept = [_same_line(record, old) for record, old in zip(records, read, strict=True)]
    for index, (record, keep) in enumerate(zip(records, kept, strict=True)):
        if not keep and record.game not in GAMES:
            where = _where(record, number + index)
            raise ValueError(f"{where}: moves, setup and comments of {record.game} can only be kept as they were read")
    board = _endings(records)
    sans = _sans([record for record, keep in zip(records, kept, strict=True) if not keep])
    for record, old, keep, ending in zip(records, read, kept, board, strict=True):
        tags = _tags(record, ending)
        if keep and old is not None:
            pairs, movetext = _kept_tags(old[1], _tags(old[0], ending), tags), _kept_movetext(record, old[0])
        else:
            pairs, movetext = tags, _movetext(record, next(sans))
        head = "".join(f'[{name} "{pgn_tags.escape(value)}"]\n' for name, value in pairs.items())
        yield f"{head}\n{movetext}\n\n"


def _check(record: Record, number: int) -> None:
    tree, where = record.tree, _where(record, number)
    if record.game not in GAMES and not (isinstance(tree, PgnTree) and record.game == tree.game_name):
        raise ValueError(f"{where}: PGN holds chess and chess960, not {record.game}; write SGF (.sgf)")
    if record.result not in pgn_tags.RESULTS:
        raise ValueError(f"{where}: PGN has the results {', '.join(pgn_tags.RESULTS)}, not {record.result!r}")
    if lost := [ply for ply in record.comments if not 0 <= ply <= len(record.moves)]:
        raise ValueError(f"{where}: comment at ply {lost[0]}, but the record has plies 0 to {len(record.moves)}")


def _where(record: Record, number: int) -> str:
    tree = record.tree
    return f"game {number}" if tree is None or not tree.file else f"{tree.file}, game {tree.number}"


def _as_read(records: Sequence[Record]) -> list[Reread | None]:
    """Each record as it was read from its tree, and the tags there; None for one without."""
    trees = [record.tree for record in records if isinstance(record.tree, PgnTree)]
    found = iter(reread(trees) if trees else [])
    return [next(found) if isinstance(record.tree, PgnTree) else None for record in records]


def _same_line(record: Record, old: Reread | None) -> bool:
    """Does the movetext that was read still say what the record says?"""
    if old is None:
        return False
    mine, theirs = ((r.game, r.setup, r.moves, _said(r)) for r in (record, old[0]))
    return mine == theirs


def _said(record: Record) -> dict[int, str]:
    return {ply: text for ply, text in record.comments.items() if text}


def _by_kind(records: Sequence[Record]) -> Iterator[tuple[list[int], Played]]:
    """The records of each kind of chess, by index, and their moves."""
    for name, game in GAMES.items():
        part = [index for index, record in enumerate(records) if record.game == name]
        if not part:
            continue
        those = [records[index] for index in part]
        played = play_records(game, those)
        if (played.played < np.diff(played.firsts)).any():
            for record, illegal in zip(those, first_illegal(those), strict=True):
                if illegal is not None:
                    raise ValueError(f"a game that PGN cannot hold, {' - '.join(record.players)}: {illegal}")
        yield part, played


def _endings(records: Sequence[Record]) -> list[str]:
    """Why each game ended as its last position tells, where it matters; else ""."""
    found = [""] * len(records)
    wanted = [
        index for index, r in enumerate(records) if r.ending and r.game in GAMES and not _by_termination(r.ending)
    ]
    those = [records[index] for index in wanted]
    for part, played in _by_kind(those):
        chess960 = np.full(len(part), those[part[0]].game == "chess960")
        drawn = np.array([those[index].result == _DRAW for index in part])
        codes = endings(played.starts, chess960, played.firsts, played.actions, drawn).tolist()
        for index, code in zip(part, codes, strict=True):
            decisive = those[index].result in ("1-0", "0-1")
            if code and (code == Ending.CHECKMATE or not decisive):
                found[wanted[index]] = Ending(code).text
    return found


def _sans(records: Sequence[Record]) -> Iterator[list[str]]:
    """The moves of each record in SAN."""
    found: list[list[str]] = [[] for _ in records]
    for part, played in _by_kind(records):
        lengths = np.diff(played.firsts)
        chess960 = np.full(len(part), records[part[0]].game == "chess960")
        texts = san_texts(played.starts, played.actions, lengths, chess960)
        for row, index in enumerate(part):
            found[index] = texts[int(played.firsts[row]) : int(played.firsts[row + 1])]
    return iter(found)


def _by_termination(ending: str) -> bool:
    """Does Termination alone give the ending back?"""
    return pgn_tags.read_ending(pgn_tags.write_termination(ending)) == ending


def _tags(record: Record, board: str) -> Tags:
    """All tags in their order; `board` is the ending that the last position tells."""
    tags = dict.fromkeys(pgn_tags.ROSTER, "?")
    tags["Date"] = "????.??.??"
    tags |= {"White": record.players[0] or "?", "Black": record.players[1] or "?", "Result": record.result}
    for name, text in record.tags.items():
        theirs = pgn_tags.write_name(name)
        tags[theirs] = pgn_tags.write_value(theirs, text)
    if "PlyCount" in tags:
        tags["PlyCount"] = str(len(record.moves))
    setup = START if record.setup is None and record.game == "chess960" else record.setup
    if setup is not None:
        tags |= {"SetUp": "1", "FEN": setup}
    if record.game == "chess960":
        tags["Variant"] = "Chess960"
    if record.ending:
        tags["Termination"] = pgn_tags.write_termination(record.ending)
        if record.ending not in (pgn_tags.read_ending(tags["Termination"]) or board, ""):
            tags["Ending"] = record.ending
    return tags


def _kept_tags(stated: Sequence[tuple[str, str]], old: Tags, new: Tags) -> Tags:
    """The tags as they were stated, but for those that are now others: `old` and `new` by the record's fields."""
    changed = {name for name in {**old, **new} if old.get(name) != new.get(name)}
    if changed & _RESULT_TAGS:  # an odd Result is both the result and a tag
        changed |= _RESULT_TAGS
    pairs: Tags = {}
    for name, value in stated:
        pairs.pop(name, None)  # of two the last counts
        if name not in changed:
            pairs[name] = value
        elif name in new:
            pairs[name] = new[name]
    if not pairs:
        return new
    pairs |= {name: new[name] for name in new if name in changed and name not in pairs}
    return {name: pairs.pop(name) for name in pgn_tags.ROSTER if name in pairs} | pairs


def _kept_movetext(record: Record, old: Record) -> str:
    """The movetext as it was read, with its result set right where the record's was changed or it had none."""
    tree: PgnTree = record.tree
    faults = {found.fault for found in tree.faults}
    text = tree.text_from(tree.movetext).replace("\0", " ").rstrip()
    if tree.charset not in ("UTF-8", "US-ASCII"):  # a byte between moves would become a letter before one
        text = _NOT_ASCII.sub(lambda match: match[1] or (" " if match[0].isalpha() else match[0]), text)
    margin = _MARGIN.match(text)
    text = text[margin.end() :] if margin else f" {text}"
    if ";" in text:
        text = _TOKEN.sub(_in_braces, text)
    return text if not faults & _UNFINISHED and record.result == old.result else _finished(text, record.result)


def _finished(text: str, result: str) -> str:
    """The movetext with `result` in place of its own, or else at its end, and what is open closed."""
    depth, last, match = 0, None, None
    for match in _TOKEN.finditer(text):
        depth = max(depth + {"(": 1, ")": -1}.get(match[0], 0), 0)
        if depth == 0 and match[0][0] in "01*":
            last = match
    open_comment = match is not None and match[0][0] == "{" and match[0][-1] != "}"
    ends = ["}"] * open_comment + [")"] * depth
    between = "\n" if match and match[0][0] == "%" and match.end() == len(text) else " "
    if last is None:
        ends.append(result)
    else:
        before, after = text[: last.start()], text[last.end() :]
        text = before + " " * before[-1:].isalnum() + result + " " * after[:1].isalnum() + after
    return between.join(filter(None, [text, " ".join(ends)]))


def _in_braces(token: re.Match[str]) -> str:
    """A comment that goes to the end of its line, in braces; any other token as it is."""
    said = token[0][1:]
    said = said[said[:1] == " " : len(said) - (said[-1:] == " ")]
    return token[0] if token[0][0] != ";" else f"{{ {pgn_tags.write_comment(pgn_tags.read_comment(said))} }}"


def _movetext(record: Record, sans: Sequence[str]) -> str:
    """Movetext from the fields, in lines of 80 columns but for comments, which stay in one piece."""
    first = 0
    if record.setup is not None:
        fields = record.setup.split()
        first = 2 * (max(int(fields[5]) if len(fields) > 5 else 1, 1) - 1) + (fields[1] == "b")
    out = _Lines()
    if 0 in record.comments:
        out.comment(record.comments[0])
    numbered = True  # is a number wanted before Black's move, too?
    comments = record.comments
    for ply, san in enumerate(sans, 1):
        number, black = divmod(first + ply - 1, 2)
        if not black:
            out.token(f"{number + 1}. {san}")
        else:
            out.token(f"{number + 1}... {san}" if numbered else san)
        numbered = False
        if ply in comments:
            out.comment(comments[ply])
            numbered = True
    out.token(record.result)
    return out.text()


class _Lines:
    """Text broken into lines between its tokens."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line = ""

    def token(self, token: str) -> None:
        """Add a token that may not be broken."""
        if not self.line:
            self.line = token
        elif len(self.line) + 1 + len(token) > COLUMNS:
            self.lines.append(self.line)
            self.line = token
        else:
            self.line += " " + token

    def comment(self, text: str) -> None:
        """Add a comment, in one piece, as a line's end in it is part of it."""
        if not text:
            return
        first, *more = f"{{ {pgn_tags.write_comment(text)} }}".split("\n")
        self.token(first)
        if more:
            self.lines += [self.line, *more[:-1]]
            self.line = more[-1]

    def text(self) -> str:
        """All lines."""
        return "\n".join([*self.lines, self.line] if self.line else self.lines)
