"""What the readers of CSA, KIF, KI2 and USI share: from what a file says of its games, `Draft`, to records.

The moves of all games of a file are checked together. A game whose main line cannot be read whole is a `BadRecord`,
unless its last move is a foul that the file says ended it; variations are cut short instead.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import States
from sakiyomi.sgf import shogi_moves as moves
from sakiyomi.sgf.faults import BadRecord, Fault
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.shogi_endings import Closing
from sakiyomi.sgf.shogi_text import quoted
from sakiyomi.sgf.shogi_tree import ShogiTree, Variation

_FOUL = re.compile("反則|illegal", re.IGNORECASE)


@dataclass
class Branch:
    """A variation as a file has it: see `Variation`."""

    parent: int
    ply: int
    requests: list[int]
    texts: list[str]
    offset: int
    comments: dict[int, str] = field(default_factory=dict)
    times: list[str] = field(default_factory=list)
    ending: str = ""


@dataclass
class Draft:
    """A game as a file has it, moves not yet checked.

    `start` is None for the even start; `last` the square of the move before the first; `text` gives a move as it is
    written, by index, and `offset` where it stands; that and `bad` (a reason and its place) count from the beginning of
    `data`; `closing` tells the ending by whose turn it is; `stated` are result and ending that headers give, "" for
    none, "-" for no ending.
    """

    data: bytes
    file: str
    byte: int
    line: int
    number: int
    charset: str
    format: str
    start: States | None = None
    setup: str | None = None
    last: int = moves.NO_SQUARE
    requests: Any = ()
    text: Callable[[int], str] = str
    offset: Callable[[int], int] = int
    times: Any = ()
    comments: dict[int, str] = field(default_factory=dict)
    players: tuple[str, str] = ("", "")
    tags: dict[str, str] = field(default_factory=dict)
    closing: Callable[[int], Closing | None] | None = None
    made: Closing | None = None
    stated: tuple[str, str] = ("", "")
    branches: list[Branch] = field(default_factory=list)
    faults: list[tuple[Fault, int, str]] = field(default_factory=list)
    bad: tuple[str, int] | None = None

    def failure(self, reason: str, offset: int) -> BadRecord:
        """The error for something at `offset` of `data`."""
        before = self.data[:offset]
        line = self.line + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")
        return BadRecord(reason, file=self.file, byte=self.byte + offset, line=line, game=self.number)


def records_of(drafts: Sequence[Draft]) -> list[Record | BadRecord]:
    """The records of the games of a file."""
    starts = moves.side_by_side([draft.start for draft in drafts])
    lines = [np.asarray(draft.requests, np.uint32) for draft in drafts]
    played = moves.play(starts, lines, [draft.last for draft in drafts])
    texts = moves.usi_texts(played.codes)
    found: list[Record | BadRecord] = []
    for row, outcome in enumerate(_outcomes(drafts, lines, played)):
        line = played.line(row)
        if isinstance(outcome, Closing):
            found.append(_record(drafts[row], outcome, played, row, tuple(texts[line])))
        else:
            found.append(outcome)
    return found


def _outcomes(
    drafts: Sequence[Draft], lines: Sequence[NDArray[np.uint32]], played: moves.Played
) -> list[Closing | BadRecord]:
    """How each game ended, by its file, or else by its board; a BadRecord for one that cannot be read."""
    told = [_told(draft, lines[row], played, row) for row, draft in enumerate(drafts)]
    if silent := [row for row, outcome in enumerate(told) if outcome is None]:
        by_board = moves.endings(played.starts[silent], [played.codes[played.line(row)] for row in silent])
        for row, ending in zip(silent, by_board, strict=True):
            told[row] = Closing(*ending)
    return [outcome for outcome in told if outcome is not None]


def _told(draft: Draft, line: NDArray[np.uint32], played: moves.Played, row: int) -> Closing | BadRecord | None:
    """How a file says that a game ended, None if it says nothing; a BadRecord if the game cannot be read."""
    if played.played[row] < len(line):
        return _foul(draft, line, played, row)
    if draft.bad is not None:
        return draft.failure(*draft.bad)
    closing = draft.closing(played.turn(row)) if draft.closing is not None else None
    made = draft.made
    if closing is None or made is None:
        return closing or made
    if closing.result == "*" != made.result:
        return made
    if "*" != made.result != closing.result:
        draft.faults.append((Fault.ENDINGS_DISAGREE, len(draft.data), f"{closing.result}, then {made.result}"))
    return closing


def _record(draft: Draft, closing: Closing, played: moves.Played, row: int, texts: tuple[str, ...]) -> Record:
    line = played.line(row)
    variations = _variations(draft, played.starts[row : row + 1], played.codes[line])
    tree = ShogiTree(
        draft.data,
        draft.file,
        draft.byte,
        draft.line,
        draft.number,
        draft.charset,
        draft.format,
        draft.setup,
        texts,
        played.actions[line].copy(),
        draft.times,
        variations,
    )
    for fault in draft.faults:
        tree.note(*fault)
    result, ending = draft.stated[0] or closing.result, draft.stated[1] or closing.ending
    ending = "" if ending == "-" else ending
    return Record("shogi", texts, draft.setup, result, ending, draft.players, draft.tags, draft.comments, tree)


def _foul(draft: Draft, line: NDArray[np.uint32], played: moves.Played, row: int) -> Closing | BadRecord:
    """The ending of a game whose last move is a foul and which says so; else why it cannot be read."""
    count = int(played.played[row])
    actions = np.ascontiguousarray(played.actions[played.line(row)][None, :])
    state = moves.GAME.replay(played.starts[row : row + 1].copy(), actions, np.array([count], np.int32))
    last = int(played.codes[played.line(row)][-1]) & moves.NO_SQUARE if count else draft.last
    rule = moves.why(state, int(line[count]), int(played.faults[row]), last)
    text, offset = draft.text(count), draft.offset(count)
    reason = f"move {count + 1}: {quoted(text)} {rule}"
    turn = int(state["turn"][0])
    said = draft.closing(1 - turn) if draft.closing is not None else None
    after = draft.comments.get(count + 1, "")
    is_foul = "illegal move" in ((said.ending if said else ""), (draft.made.ending if draft.made else ""))
    if count + 1 != len(line) or draft.bad is not None or not (is_foul or _FOUL.search(after)):
        return draft.failure(reason, offset)
    draft.faults.append((Fault.ILLEGAL_END, offset, reason))
    draft.tags["illegal move"] = text
    if after:
        draft.comments[count] = "\n".join(filter(None, [draft.comments.get(count, ""), draft.comments.pop(count + 1)]))
    return Closing(("0-1", "1-0")[turn], "illegal move")


def _variations(draft: Draft, start: States, main: NDArray[np.uint16]) -> tuple[Variation, ...]:
    """The variations, each played from the line that it leaves."""
    found: list[Variation] = []
    number: dict[int, int] = {-1: -1}  # of those that are kept
    whole: dict[int, NDArray[np.uint16]] = {-1: main}
    for index, branch in enumerate(draft.branches):
        parent = branch.parent if branch.parent in whole else -1
        before = whole[parent][: branch.ply]
        if len(before) < branch.ply:
            draft.faults.append((Fault.LOST_VARIATION, branch.offset, f"variation from move {branch.ply + 1}"))
            continue
        line = np.concatenate([moves.requests_of(before), np.array(branch.requests, np.uint32)])
        played = moves.play(start, [line], [draft.last])
        count = int(played.played[0])
        if count < len(line):
            detail = f"move {count + 1}: {quoted(branch.texts[count - branch.ply])}"
            draft.faults.append((Fault.BROKEN_VARIATION, branch.offset, detail))
        if count == branch.ply:
            continue
        whole[index], number[index] = played.codes[:count], len(found)
        comments = {ply: text for ply, text in branch.comments.items() if ply <= count}
        texts = tuple(moves.usi_texts(played.codes[branch.ply : count]))
        times = tuple(branch.times[: len(texts) + 1])
        found.append(Variation(number[parent], branch.ply, texts, comments, times, branch.ending))
    return tuple(found)
