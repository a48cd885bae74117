"""EPD: a position and operations on it, as test suites are written (PGN standard of 1994, section 16.2).

``2r3k1/5pp1/8/8/8/8/5PP1/2R3K1 w - - bm Rxc8#; id "back rank"; hmvc 4;``: the first four fields of a FEN, then
operations, each a word and its operands up to a semicolon. Read liberally: the two clocks of a FEN may stand before
the operations, the last semicolon may be missing, a string may hold \\" and \\\\.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np

from sakiyomi.boards.chess import fen, notation, reasons, rules
from sakiyomi.boards.game import BadNotation, IllegalMove, States

Operand = str | int | float
"""A string, a move (as UCI), a number; Python's or NumPy's."""

CHOICES = ("am", "bm", "pm", "rm", "sm")
"""Operations whose operands are moves in the position: to avoid, best, predicted, played in reply, supplied."""
LINE = "pv"
"""The operation whose operands are moves one after the other."""

_OPCODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,14}")
_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+)|(;)|(\S))', re.DOTALL)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


class _Raw(NamedTuple):
    """An operand as written, and whether in quotes."""

    text: str
    quoted: bool


def read(text: str, chess960: bool) -> tuple[States, dict[str, tuple[Operand, ...]]]:
    """The position [1] and its operations in the order of the line.

    `hmvc` and `fmvn` set the position's clocks. Raises BadNotation for a line that is no EPD, a bad position and a
    text that names no move; IllegalMove for an illegal one.
    """
    fields = text.rstrip("; \t\r\n").split(None, 4)
    if len(fields) < 4:
        raise BadNotation(f"{text!r} is no EPD: pieces, w or b, castling and en passant are wanted, then operations")
    rest = fields[4] if len(fields) == 5 else ""
    clocks = re.match(r"([0-9]+)\s+([0-9]+)(?=\s|;|$)", rest)
    raw = _operations(rest[clocks.end() :] if clocks else rest, text)
    halfmove, move = clocks.groups() if clocks else ("0", "1")
    halfmove, move = _clock(raw, "hmvc", halfmove, text), _clock(raw, "fmvn", move, text)
    states = fen.read(f"{' '.join(fields[:4])} {halfmove} {move}", chess960)
    return states, {opcode: _read(states, opcode, operands, chess960) for opcode, operands in raw.items()}


def write(states: States, operations: Mapping[str, Operand | Sequence[Operand] | None], chess960: bool) -> str:
    """states[0] and its operations as EPD. Moves are given as texts, UCI or SAN, and written as SAN.

    A sequence gives several operands, None none. Raises ValueError for an operation that EPD cannot hold, BadNotation
    and IllegalMove for its moves.
    """
    words = fen.write(states).split()[:4]
    for opcode, given in operations.items():
        if not _OPCODE.fullmatch(opcode):
            raise ValueError(
                f"{opcode!r} is no EPD operation: up to 15 letters, digits and _ are wanted, first a letter"
            )
        operands: Sequence[Operand] = ()
        if given is not None:
            operands = (given,) if isinstance(given, str | int | float | Real) else tuple(given)
        if opcode in CHOICES or opcode == LINE:
            texts = _moves(states, opcode, [str(move) for move in operands], chess960, _san)
        else:
            texts = [_write(opcode, operand) for operand in operands]
        words.append(" ".join([opcode, *texts]) + ";")
    return " ".join(words)


def _operations(text: str, line: str) -> dict[str, list[_Raw]]:
    """The operations of `text`, not yet understood. Raises BadNotation."""
    found: dict[str, list[_Raw]] = {}
    opcode = ""
    for match in _TOKEN.finditer(text):
        string, word, end, odd = match.groups()
        if odd:
            begun = text[match.start() :].strip()[:20]
            raise BadNotation(f"{line!r} is no EPD: the string that begins {begun!r} does not end")
        if end:
            opcode = ""
        elif opcode:
            found[opcode].append(
                _Raw(re.sub(r"\\(.)", r"\1", string), True) if string is not None else _Raw(word, False)
            )
        elif word == "-":
            continue
        elif word is None or not _OPCODE.fullmatch(word):
            raise BadNotation(f"{line!r} is no EPD: an operation such as bm or id is wanted, not {word or string!r}")
        elif word in found:
            raise BadNotation(f"{line!r} is no EPD: operation {word!r} stands there twice")
        else:
            opcode = word
            found[opcode] = []
    return found


def _clock(raw: dict[str, list[_Raw]], opcode: str, default: str, line: str) -> str:
    if opcode not in raw:
        return default
    operands = raw[opcode]
    if len(operands) != 1 or not re.fullmatch("[0-9]{1,6}", operands[0].text):
        raise BadNotation(f"{line!r} is no EPD: {opcode} takes one whole number")
    return operands[0].text


def _read(states: States, opcode: str, raw: list[_Raw], chess960: bool) -> tuple[Operand, ...]:
    if opcode in CHOICES or opcode == LINE:
        return tuple(_moves(states, opcode, [operand.text for operand in raw], chess960, _uci))
    return tuple(operand.text if operand.quoted else _value(operand.text) for operand in raw)


def _value(text: str) -> Operand:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _write(opcode: str, operand: Operand) -> str:
    if isinstance(operand, str):
        if len(operand.splitlines()) > 1 or operand != operand.rstrip("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"):
            raise ValueError(f"EPD is one line: the operand {operand!r} of {opcode} holds a line break")
        return '"' + operand.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(operand, Integral) and not isinstance(operand, bool) and abs(int(operand)) < 10**18:
        if opcode in ("hmvc", "fmvn") and not 0 <= operand < 10**6:
            raise ValueError(f"the operand of {opcode} must be a whole number from 0 to 999999, got {operand}")
        return str(int(operand))
    if isinstance(operand, Integral) or not isinstance(operand, Real) or not math.isfinite(operand):
        raise ValueError(f"an operand of {opcode} must be a string or a finite number below 10**18, got {operand!r}")
    return repr(float(operand))


def _moves(
    states: States, opcode: str, texts: list[str], chess960: bool, say: Callable[[States, int, bool], str]
) -> list[str]:
    """The moves as `say` writes them: each in the position itself, or those of a line in turn."""
    row, found = states.copy(), []
    for text in texts:
        try:
            move = _legal(row, text, chess960)
        except (BadNotation, IllegalMove) as error:
            raise type(error)(f"operation {opcode}: {error}") from None
        found.append(say(row, move, chess960))
        if opcode == LINE:
            rules.make_rows(0, 1, row.view(np.uint64), np.array([move], np.uint16))
    return found


def _legal(states: States, text: str, chess960: bool) -> int:
    """The legal move (16 bits) that a UCI or SAN text names."""
    action = notation.parse(states, text, chess960)
    for move in notation.moves(states):
        if notation.action_of(move, chess960) == action:
            return move
    reason = reasons.why_illegal(states, action, chess960)
    raise IllegalMove(f"illegal move {text} in {fen.write(states)}: {reason}")


def _san(states: States, move: int, chess960: bool) -> str:
    return notation.san(states, move)


def _uci(states: States, move: int, chess960: bool) -> str:
    return notation.uci(states, notation.action_of(move, chess960))
