"""KIF and KI2 -> records: `read_kif`, for a file's bytes. Form: http://kakinoki.o.oo7.jp/kif_format.html.

Both have the same headers, diagrams, comments ("*" lines, which belong to the move before), variations (変化：12手) and
last line (まで87手で先手の勝ち); KIF has a numbered line for each move, with its origin and time, KI2 (`ki2`) moves as
people write them, many to a line. Lines of "#" and "&" are skipped. A file holds one game; several may follow each
other if each begins with "#KIF version" or, behind the moves of the one before, with 手合割 or 開始日時.

A variation leaves the line that ends with the variation before it, or the nearest line above that is old enough.
"""

import re
from collections.abc import Iterator
from functools import partial

from sakiyomi.boards.game import BadNotation
from sakiyomi.boards.shogi import bod, sfen
from sakiyomi.boards.shogi.handicaps import handicap_sfen
from sakiyomi.boards.shogi.japanese import request_of
from sakiyomi.sgf import ki2, shogi_moves, shogi_text
from sakiyomi.sgf.faults import BadRecord, Fault
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.shogi_endings import RESULTS, Closing, from_kif, from_made_line
from sakiyomi.sgf.shogi_games import Branch, Draft, records_of

HANDICAPS = {
    "平手": "even",
    "香落ち": "lance",
    "右香落ち": "right-lance",
    "角落ち": "bishop",
    "飛車落ち": "rook",
    "飛香落ち": "rook-lance",
    "二枚落ち": "two-piece",
    "四枚落ち": "four-piece",
    "六枚落ち": "six-piece",
    "八枚落ち": "eight-piece",
    "十枚落ち": "ten-piece",
}
_TOP = {
    "三枚落ち": "lnsgkgsn1/9",
    "五枚落ち": "2sgkgsn1/9",
    "左五枚落ち": "1nsgkgs2/9",
    "左七枚落ち": "2sgkg3/9",
    "右七枚落ち": "3gkgs2/9",
    "七枚落ち": "3gkgs2/9",
    "九枚落ち": "3gk4/9",
}
SETUPS = {name: handicap_sfen(ours) for name, ours in HANDICAPS.items()}
SETUPS |= {name: f"{top}/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL w - 1" for name, top in _TOP.items()}
"""手合割 -> SFEN."""
_PLAYERS = {"先手": 0, "下手": 0, "後手": 1, "上手": 1}
_HANDS = {f"{name}の持駒": side for name, side in _PLAYERS.items()}
_TURNS = {f"{name}番": side for name, side in _PLAYERS.items()} | _PLAYERS
_VERSION = "#KIF version"
_MOVES = re.compile(r"[▲△▽▼☗☖]|まで|[ 　]*\d+[ 　]+(?!\d[ 　])")  # and not ９ ８ ７ above a diagram
_BEGINS = re.compile(r"手合割[：:]|開始日時[：:]")
_HEADER = re.compile(r"([^：:*|]{1,80}?)[ 　]*(?:：|(?<=[^\x00-\x7f]):)(.*)")
_VARIATION = re.compile(r"変化[：:][ 　]*([0-9]+)[ 　]*手?")
_COUNT = re.compile(r"手数[＝=][ 　]*([0-9]+)(?:[ 　]+(.*?)[ 　]*まで)?")
_NO_MOVE = "is no move: KIF such as ７六歩(77), 同　銀成(31) or ５五角打 is wanted"


def read_kif(data: bytes, file: str = "", charset: str = "") -> list[Record | BadRecord]:
    """The games of a file's bytes, in order; in place of one that cannot be read a BadRecord."""
    text = shogi_text.decode(data, charset)
    lines = text.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    source = data if text.charset != "UTF-16" else text.text.encode()
    drafts = []
    for number, (first, stop) in enumerate(_games(lines), 1):
        part = source if (first, stop) == (0, len(lines)) else _bytes_of(source, first, stop)
        byte = len(_bytes_of(source, 0, first)) if first else 0
        draft = Draft(part, file, byte, first + 1, number, text.charset, "kif")
        _Parser(draft).parse(lines[first:stop])
        drafts.append(draft)
    if drafts:
        drafts[0].faults += [(fault, 0, detail) for fault, detail in text.faults]
    return records_of(drafts)


def _games(lines: list[str]) -> Iterator[tuple[int, int]]:
    """First line and the one behind the last of each game."""
    first, begun, played = 0, False, False
    for number, line in enumerate(lines):
        sign = line[:1]
        if not sign:
            continue
        if sign == "#":
            if begun and line.startswith(_VERSION):
                yield first, number
                first, begun, played = number, False, False
            continue
        begun = begun or bool(line.strip())
        if played:
            if sign in "手開" and _BEGINS.match(line):
                yield first, number
                first, played = number, False
        else:
            played = _MOVES.match(line) is not None
    if played or any(line.strip() for line in lines[first:]):
        yield first, len(lines)


def _bytes_of(data: bytes, first: int, stop: int) -> bytes:
    return b"".join(data.splitlines(keepends=True)[first:stop])


def _offset(data: bytes, number: int) -> int:
    """Where the line with that number, from 0, begins."""
    return len(_bytes_of(data, 0, number))


class _Parser:
    """Reads the lines of one game into a draft."""

    def __init__(self, draft: Draft):
        self.draft = draft
        self.main = self.line = Branch(-1, 0, [], [], 0)  # the main line; the one that is being read
        self.numbers: list[int] = []  # of the lines where the main line's moves stand
        self.closed = False
        self.ranks: list[str] = []
        self.hands = [[0] * 8, [0] * 8]
        self.handicap, self.turn, self.count = "", -1, 0
        self.players, self.stated = ["", ""], {"結果": "", "終局": ""}

    def parse(self, lines: list[str]) -> None:
        """Read all lines."""
        draft, main, numbers = self.draft, self.main, self.numbers
        for number, line in enumerate(lines):
            fields = line.split(None, 2)
            if len(fields) == 3 and fields[0].isdecimal() and not self.closed:  # a move with its time, as most lines are
                request, here = request_of(fields[1]), self.line
                if request is not None:
                    here.requests.append(request)
                    here.texts.append(fields[1])
                    here.times.append(fields[2])
                    if here is main:
                        numbers.append(number)
                    continue
            if not fields:
                continue
            if line[0] == "*":
                self._comment(line[1:])
            elif fields[0].isdecimal() and len(fields) > 1 and not self.closed and not fields[1].isdecimal():
                self._move(number, fields[1], fields[2] if len(fields) > 2 else "")
            elif line[0] not in "#&":
                self._other(number, line)
            if draft.bad is not None:
                break
        for branch in (main, *draft.branches):
            branch.comments = {ply: text for ply, text in branch.comments.items() if text}
        draft.requests, draft.times, draft.comments = main.requests, main.times, main.comments
        draft.text, draft.offset = main.texts.__getitem__, self._place
        draft.players = (self.players[0], self.players[1])
        draft.stated = (self.stated["結果"], self.stated["終局"])
        self._check_numbers(lines)
        self._set_up(lines)

    def _check_numbers(self, lines: list[str]) -> None:
        """Of KIF's main line, whose first and last move tell whether any is missing."""
        if self.draft.format == "kif" and self.numbers:
            first, last = (int(lines[number].split(None, 1)[0]) for number in (self.numbers[0], self.numbers[-1]))
            if last - first != len(self.numbers) - 1:
                self._fault(Fault.ODD_NUMBER_OF_MOVE, self.numbers[-1], f"{last} is move {len(self.numbers)}")

    def _place(self, index: int) -> int:
        """Where in `data` the line of a move begins."""
        return _offset(self.draft.data, self.numbers[index])

    def _comment(self, text: str) -> None:
        at, comments = self.line.ply + len(self.line.texts), self.line.comments
        comments[at] = f"{comments[at]}\n{text}" if at in comments else text

    def _move(self, number: int, text: str, time: str) -> None:
        if text == "同":
            piece, _, time = time.partition(" ")
            text = f"同　{piece}"
        request = request_of(text)
        if request is None and text.endswith("+"):  # a variation leaves here, and no time stands before its sign
            text = text[:-1]
            request = request_of(text)
        if request is None:
            self._no_move(number, text, time)
        else:
            self._add(number, request, text)
            self.line.times.append(time)

    def _add(self, number: int, request: int, text: str) -> None:
        line = self.line
        line.requests.append(request)
        line.texts.append(text)
        if line is self.main:
            self.numbers.append(number)

    def _no_move(self, number: int, text: str, time: str) -> None:
        """What stands in a move's place: a closing move, or nothing known."""
        closing = from_kif(text, 0)
        if closing is not None:
            if not closing.known:
                self._fault(Fault.UNKNOWN_CLOSING, number, text)
            self.closed = True
            self.line.times.append(time)
            self.line.ending = text
            if self.line is self.main:
                self.draft.closing = partial(from_kif, text)
        elif self.line is self.main:
            at = len(self.main.requests) + 1
            self.draft.bad = (f"move {at}: {shogi_text.quoted(text)} {_NO_MOVE}", _offset(self.draft.data, number))
        else:
            self._fault(Fault.BROKEN_VARIATION, number, text)
            self.closed = True

    def _fault(self, fault: Fault, number: int, detail: str) -> None:
        self.draft.faults.append((fault, _offset(self.draft.data, number), detail[:60]))

    def _other(self, number: int, line: str) -> None:
        """A line that is neither a comment nor a numbered move."""
        plain = line.strip()
        if line[0] in ki2.SIDES:
            self._ki2(number, plain)
        elif plain.startswith("まで"):
            self._made(number, plain)
        elif match := _VARIATION.match(plain):
            self._variation(number, int(match[1]))
        elif "：" not in plain and (plain.startswith("|") or plain[-2:-1] == "|"):
            self.ranks.append(plain)
        elif plain in _TURNS:
            self.turn = _TURNS[plain]
        elif match := _COUNT.match(plain):
            self.count = int(match[1])
            request = request_of(match[2]) if match[2] else None
            self.draft.last = request & 127 if request is not None else shogi_moves.NO_SQUARE
        elif match := _HEADER.match(plain):
            self._header(number, match[1].strip(), match[2].strip())
        elif not plain.startswith(("手数-", "手数 ", "+-")) and "９ ８" not in plain and "9 8 7" not in plain:
            self._fault(Fault.UNKNOWN_LINE, number, plain)

    def _ki2(self, number: int, line: str) -> None:
        self.draft.format = "ki2"
        for token in ki2.tokens(line):
            request = request_of(token)
            if self.closed:
                self._fault(Fault.UNKNOWN_LINE, number, token)
            elif request is None:
                self._no_move(number, token[1:].strip(), "")
            else:
                self._add(number, request, token)

    def _made(self, number: int, line: str) -> None:
        closing = from_made_line(line)
        if self.line is not self.main:
            self.line.ending = self.line.ending or line
        elif closing is None or not closing.known:
            self._fault(Fault.UNKNOWN_CLOSING, number, line)
        if self.line is self.main and closing is not None and self.draft.made is None:
            self.draft.made = closing
        self.closed = True

    def _variation(self, number: int, move: int) -> None:
        branches, ply = self.draft.branches, max(move - 1, 0)
        parent = len(branches) - 1
        while parent >= 0 and branches[parent].ply >= ply:
            parent = branches[parent].parent
        self.line = Branch(parent, ply, [], [], _offset(self.draft.data, number))
        branches.append(self.line)
        self.closed = False

    def _header(self, number: int, name: str, value: str) -> None:
        if name in _PLAYERS:
            self.players[_PLAYERS[name]] = value
        elif name in _HANDS:
            try:
                self.hands[_HANDS[name]] = bod.read_hand(value)
            except BadNotation as error:
                self._no_position(str(error), number)
        elif name == "手合割":
            self.handicap = value
        elif name == "手番":
            self.turn = _TURNS.get(value, -1)
        elif name == "終局" or (name == "結果" and value in RESULTS):
            self.stated[name] = value
        else:
            shogi_text.read_tag(name, value, self.draft.tags)

    # --- the first position

    def _no_position(self, why: str, number: int) -> None:
        self.draft.bad = (f"the first position: {why}", _offset(self.draft.data, number))
        self.draft.requests = []

    def _set_up(self, lines: list[str]) -> None:
        draft = self.draft
        if draft.bad is not None and draft.bad[0].startswith("the first position"):
            return
        side = (self.main.requests[0] >> 27) - 1 if self.main.requests else -1
        try:
            text = self._sfen(side)
            if text is None:
                return
            draft.start = shogi_moves.start_of(text)
        except BadNotation as error:
            number = next((n for n, line in enumerate(lines) if line.startswith(("手合割", "|"))), 0)
            self._no_position(str(error), number)
            return
        setup = shogi_moves.GAME.position_text(draft.start)
        draft.setup = None if setup == sfen.START else setup

    def _sfen(self, side: int) -> str | None:
        """The first position, None for the even start; `side` is the first move's by its sign, -1 without one."""
        if self.ranks:
            if len(self.ranks) != 9:
                raise BadNotation(f"a diagram has nine ranks, this one {len(self.ranks)}")
            pieces: dict[int, int] = {}
            for rank, line in enumerate(self.ranks):
                pieces |= bod.read_rank(line, rank)
            turn = self.turn if self.turn >= 0 else max(side, 0)
            diagram = sfen.write(sfen.record(pieces, self.hands, turn, 0))
            return f"{diagram.removesuffix(' 1')} {self.count + 1}"
        name = self.handicap.replace("落ち", "落").replace("落", "落ち")
        text = SETUPS.get(name or "平手")
        if text is None:
            raise BadNotation(f"手合割 {self.handicap!r} without a diagram is not known; known are {' '.join(SETUPS)}")
        turn = self.turn
        if turn < 0 and side >= 0 and side != "bw".index(text.split()[1]):
            self.draft.faults.append((Fault.ODD_TURN, 0, ""))
            turn = side
        if turn >= 0:
            text = text.replace(" w " if turn == 0 else " b ", " b " if turn == 0 else " w ")
        return None if text == sfen.START else text


__all__ = ["HANDICAPS", "SETUPS", "Closing", "read_kif"]
