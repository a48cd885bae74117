"""What engines of UCI and USI tell of their thoughts: lines of ``info``, read as a `Thought`."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from sakiyomi.boards.player import Candidate, Thought

TELL_EVERY = 0.1
"""Seconds between two thoughts that are told while an engine thinks."""
_NUMBERS = ("depth", "multipv", "nodes", "time")  # words of ``info`` that a whole number follows and that are used here
_REST = ("pv", "string", "refutation", "currline")  # words that everything behind belongs to

_GREATEST = 10**15  # no number that an engine tells is so great


@dataclass(frozen=True)
class Info:
    """A line of ``info`` taken apart; the score is the player's to move, `mate` in moves.

    `certain` is the result of a mate of which no length is told (USI: ``score mate +``), 1 or -1; else 0. `bound` says
    that the score is only a bound.
    """

    depth: int = 0
    multipv: int = 1
    nodes: int = 0
    time: int = 0
    centipawns: int | None = None
    mate: int | None = None
    certain: int = 0
    bound: bool = False
    line: tuple[str, ...] = ()

    @property
    def value(self) -> float | None:
        """The expected result, -1 to 1."""
        if self.certain:
            return float(self.certain)
        if self.mate is not None:
            return 1.0 if self.mate > 0 else -1.0
        return None if self.centipawns is None else expected_result(self.centipawns)


def expected_result(centipawns: float) -> float:
    """The expected result, -1 to 1, of a lead in hundredths of a pawn: what `serving.info.centipawns` reckons back."""
    return 2 / (1 + 10 ** (-max(min(centipawns, 4000), -4000) / 400)) - 1


def parse_info(text: str, *, mate_in_plies: bool = False) -> Info:
    """A line of ``info``; what is not understood is passed over. Mates are told in moves, or in plies as USI has it."""
    words = text.split()
    found: dict[str, Any] = {}
    at = 1
    while at < len(words):
        word = words[at]
        at += 1
        if word in _REST:
            if word == "pv":
                found["line"] = tuple(words[at:])
            break
        if word in ("lowerbound", "upperbound"):
            found["bound"] = True
        elif word in _NUMBERS:
            number = _whole(words[at : at + 1])
            if number is not None:
                found[word] = max(number, 0)
        elif word == "score":
            found |= _score(words[at : at + 2], mate_in_plies)
    return Info(**found)


def _score(words: list[str], mate_in_plies: bool) -> dict[str, Any]:
    """What stands behind ``score``; nothing if that is no score."""
    kind, value = (*words, "", "")[:2]
    number = _whole([value])
    if kind == "cp" and number is not None:
        return {"centipawns": number}
    if kind != "mate":
        return {}
    if number is None:
        return {"certain": {"+": 1, "-": -1}[value]} if value in ("+", "-") else {}
    if mate_in_plies:
        number = (number + 1) // 2 if number > 0 else -(-number // 2)
    return {"mate": number}


def _first_move(line: str) -> str:
    """The first move of the line of play that a line of ``info`` tells, "" if it tells none."""
    return line.partition(" pv ")[2].partition(" ")[0]


def _whole(words: list[str]) -> int | None:
    try:
        number = int(words[0])
    except (ValueError, IndexError):
        return None
    return number if abs(number) < _GREATEST else None


class Listener:
    """Keeps what an engine says while it thinks of one move, and reads it when asked.

    With `tell` each new thought is told, but not more often than every TELL_EVERY seconds; `finish` tells the last one.
    """

    def __init__(self, mate_in_plies: bool, tell: Callable[[Thought], None] | None = None):
        self.move: str | None = None
        """The move that was played in the end."""
        self._mate_in_plies, self._tell = mate_in_plies, tell
        self._lines: dict[str, str] = {}  # by the rank among several lines of play
        self._began = self._told = monotonic()
        self._new = False

    def hear(self, line: str) -> None:
        """A line of ``info``."""
        words = f" {line} "
        if " score " not in words or " string " in f"{words.partition(' score ')[0]} ":
            return
        rank = words.partition(" multipv ")[2].partition(" ")[0] or "1"
        if "erbound " in words and _first_move(self._lines.get(rank, "")) == _first_move(line):
            return  # what is no bound says more; but a bound for another move tells that the ranks have changed
        self._lines[rank] = line
        self._new = True
        if self._tell is not None and rank == "1" and monotonic() - self._told >= TELL_EVERY:
            self._say()

    def finish(self, move: str | None) -> None:
        """The engine has said its move, None where it is none."""
        self.move = move
        if self._tell is not None and self._new:
            self._say()

    def thought(self) -> Thought | None:
        """What the engine thinks; None if it has told nothing."""
        infos = sorted((self._read(line) for line in self._lines.values()), key=lambda info: info.multipv)
        if not infos:
            return None
        best = infos[0]
        line = best.line
        if self.move is not None and line[:1] != (self.move,):  # it changed its mind at the end, and did not say why
            line = (self.move,)
        candidates: dict[str, Candidate] = {}
        for info in infos:
            if info.line and info.line[0] not in candidates:
                candidates[info.line[0]] = Candidate(info.line[0], value=info.value, line=info.line)
        return Thought(
            line,
            best.value,
            best.centipawns,
            best.mate,
            best.depth,
            max(info.nodes for info in infos),
            max(info.time for info in infos) / 1000,
            tuple(candidates.values()),
        )

    def _read(self, line: str) -> Info:
        return parse_info(line, mate_in_plies=self._mate_in_plies)

    def _say(self) -> None:
        thought = self.thought()
        if self._tell is not None and thought is not None:
            self._new, self._told = False, monotonic()
            self._tell(thought)
