"""The moves of shogi records, many games at once: requests or USI texts -> legal moves; how games ended; why not.

A code is a move as `boards.shogi.state` has it, a request what a text says of one (`boards.shogi.text_kernels`).
Repetitions before the end do not stop a game that goes on.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards import rows
from sakiyomi.boards.batches import ready
from sakiyomi.boards.game import BadNotation, Ending, IllegalMove, States
from sakiyomi.boards.shogi import Shogi, usi
from sakiyomi.boards.shogi import text_kernels as kernels
from sakiyomi.boards.shogi.japanese import PIECES
from sakiyomi.boards.shogi.sfen import NAMES, START, hand_counts, square_name
from sakiyomi.boards.shogi.state import MAX_PLIES, STATE
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.shogi_kernels import final_rows
from sakiyomi.sgf.shogi_tree import ShogiTree

GAME = Shogi()
NO_SQUARE = 127
_GRAIN = 32  # games that one thread takes at least
_SQUARES = [square_name(square) for square in range(81)]
_CODES = {f"{a}{b}": j | i << 7 for i, a in enumerate(_SQUARES) for j, b in enumerate(_SQUARES) if i != j}
_CODES |= {f"{text}+": code | 1 << 14 for text, code in _CODES.items()}
_CODES |= {f"{letter}*{b}": j | (81 + i) << 7 for i, letter in enumerate("PLNSGBR") for j, b in enumerate(_SQUARES)}
ILLEGAL, AMBIGUOUS, WRONG_PIECE, WRONG_SIDE, NO_LAST = range(1, 6)
"""Why a request is no legal move; see `text_kernels`."""


@cache
def _texts() -> NDArray[np.object_]:
    table = np.empty(1 << 15, object)
    for text, code in _CODES.items():
        table[code] = text
    return table


def usi_texts(codes: NDArray[np.uint16]) -> list[str]:
    """Moves as USI."""
    texts: list[str] = _texts()[codes].tolist()
    return texts


def codes_of(moves: Sequence[str]) -> NDArray[np.uint16]:
    """The codes of USI texts. Raises BadNotation for a text that is no move."""
    try:
        return np.array([_CODES[move] for move in moves], np.uint16)
    except KeyError:
        odd = next(move for move in moves if move not in _CODES)
        raise BadNotation(f"{odd!r} is no move: USI such as 7g7f, 8h2b+ or P*5e is wanted") from None


def is_move(text: str) -> bool:
    """Is it USI?"""
    return text in _CODES


def requests_of(codes: NDArray[np.uint16]) -> NDArray[np.uint32]:
    """Requests for exactly these moves."""
    wide = codes.astype(np.uint32)
    promotes = wide >> 14
    return np.asarray(wide & 0x3FFF | promotes << 18, np.uint32)


class Played(NamedTuple):
    """Games played side by side: `starts` the first positions [B]; `firsts` int64 [B + 1], where each one's moves begin
    in `codes` uint16 [M] and `actions` int32 [M]; `played` int32 [B], how many of them are legal; `faults` uint8 [B],
    0 or why the next one is not (`ILLEGAL`, ...).
    """

    starts: States
    firsts: NDArray[np.int64]
    codes: NDArray[np.uint16]
    actions: NDArray[np.int32]
    played: NDArray[np.int32]
    faults: NDArray[np.uint8]

    def turn(self, row: int) -> int:
        """Whose turn it is behind the legal moves of a game."""
        return (int(self.starts["turn"][row]) + int(self.played[row])) % 2

    def line(self, row: int) -> slice:
        """Where the legal moves of a game are."""
        first = int(self.firsts[row])
        return slice(first, first + int(self.played[row]))


def play(starts: States, lines: Sequence[NDArray[np.uint32]], lasts: Sequence[int] = ()) -> Played:
    """Play requests from first positions [B], each up to the first that is no legal move.

    `lasts` are the squares where the moves before the first went, `NO_SQUARE` if there were none.
    """
    firsts = np.zeros(len(lines) + 1, np.int64)
    np.cumsum([len(line) for line in lines], out=firsts[1:])
    requests = np.concatenate(lines) if len(lines) > 1 else lines[0] if lines else np.zeros(0, np.uint32)
    squares = np.array(lasts, np.uint8) if lasts else np.full(len(lines), NO_SQUARE, np.uint8)
    codes, actions = np.zeros(len(requests), np.uint16), np.zeros(len(requests), np.int32)
    played, faults = np.zeros(len(lines), np.int32), np.zeros(len(lines), np.uint8)
    tables = (squares, firsts, requests, codes, actions, played, faults)
    rows.run(kernels.resolve_rows, len(lines), _GRAIN, _words(starts), *tables)
    return Played(starts, firsts, codes, actions, played, faults)


def describe(played: Played) -> NDArray[np.uint16]:
    """[M]: what Japanese texts say of the moves of games of legal moves (`text_kernels.describe`)."""
    words = np.zeros(len(played.codes), np.uint16)
    tables = (played.firsts, played.codes, words)
    rows.run(kernels.describe_rows, len(played.starts), _GRAIN, _words(played.starts), *tables)
    return words


def endings(starts: States, lines: Sequence[NDArray[np.uint16]]) -> list[tuple[str, str]]:
    """Result and ending that the last position of each game of legal moves tells, ("*", "") where it tells nothing."""
    if not lines:
        return []
    firsts = np.zeros(len(lines) + 1, np.int64)
    lines = [line if len(line) <= MAX_PLIES else line[:0] for line in lines]
    np.cumsum([len(line) for line in lines], out=firsts[1:])
    codes = np.concatenate(lines) if lines else np.zeros(0, np.uint16)
    found, verdicts = np.zeros(len(lines), np.int8), np.zeros(len(lines), np.int8)
    rows.run(final_rows, len(lines), _GRAIN, _words(starts), firsts, codes, found, verdicts)
    turns = (starts["turn"] + np.diff(firsts)) % 2
    kings = np.bitwise_count(starts["boards"][:, 7]).sum(axis=1)  # diagrams of a few pieces lack them
    found[(found == Ending.NO_MOVES) & (kings < 2)] = Ending.ONGOING
    return [_ending(*row) for row in zip(found.tolist(), verdicts.tolist(), turns.tolist(), strict=True)]


def _ending(code: int, verdict: int, turn: int) -> tuple[str, str]:
    if code in (Ending.CHECKMATE, Ending.NO_MOVES):
        return ("0-1", "1-0")[turn], Ending(code).text
    if code == Ending.PERPETUAL_CHECK:
        return "0-1" if verdict == 2 else "1-0", Ending(code).text
    return ("1/2-1/2", Ending(code).text) if code == Ending.REPETITION else ("*", "")


def why(state: States, request: int, fault: int, last: int = NO_SQUARE) -> str:
    """Position and rule for a request that is no legal move in state[0]."""
    turn, to, origin, kind = int(state["turn"][0]), request & 127, request >> 7 & 127, request >> 14 & 15
    where, side = f"in {GAME.position_text(state)}", ("Black", "White")[turn]
    if fault == WRONG_SIDE:
        return f"{where}: it is {side}'s turn"
    if fault == NO_LAST:
        return f"{where}: 同 is the square of the move before, and there is none"
    if fault == AMBIGUOUS:
        return f"{where}: several pieces can go there; 右, 左, 上, 引, 寄 or 直 tells which"
    if fault == WRONG_PIECE:
        there = _name(int(state["mail"][0, origin]) & 15)
        return f"{where}: a {there} stands on {square_name(origin)}, not a {_name(kind)}"
    to = last if to == NO_SQUARE else to
    return f"{where}: {_rule(state, turn, to, origin, kind, request)}"


def _rule(state: States, turn: int, to: int, origin: int, kind: int, request: int) -> str:
    promotes = bool(request >> 18 & 1)
    if origin == NO_SQUARE:
        mail = state["mail"][0, :81].tolist()
        way = [square for square in range(81) if mail[square] == kind + 16 * turn]
        reasons = [_why(state, usi.action_from(square, to, promotes, turn), square, to) for square in way]
        near = [reason for reason in reasons if "cannot go" not in reason and "no piece moves" not in reason]
        if not near and kind < 8 and hand_counts(state)[turn][kind]:
            return _why(state, usi.action_from(80 + kind, to, False, turn), 80 + kind, to)
        return near[0] if near else f"no {_name(kind)} ({PIECES[kind]}) can go to {square_name(to)}"
    if request >> 19 & 1 and origin < 81:  # CSA's kind is that after the move
        promotes = kind == int(state["mail"][0, origin] & 15) + 8
    return _why(state, usi.action_from(origin, to, promotes, turn), origin, to)


def _why(state: States, action: int | None, origin: int, to: int) -> str:
    if action is None:
        return f"no piece moves from {square_name(origin)} to {square_name(to)}"
    return GAME.why_illegal(state, action)


def _name(kind: int) -> str:
    if kind <= 8:
        return NAMES[kind]
    return {14: "horse", 15: "dragon"}.get(kind) or f"promoted {NAMES[kind - 8]}"


# --- records


def start_of(setup: str | None) -> States:
    """[1], a first position, read-only. Raises BadNotation if `setup` is none."""
    return _start(setup or START)


@lru_cache(maxsize=512)
def _start(setup: str) -> States:
    state = GAME.parse_position(setup)
    state.setflags(write=False)
    return state


def side_by_side(starts: Sequence[States | None]) -> States:
    """[B], copies of first positions [1], of the even one for None."""
    words = start_of(None).view(np.uint64)
    states: States = np.repeat(words[None], len(starts), axis=0).ravel().view(STATE)
    for row, start in enumerate(starts):
        if start is not None:
            states[row] = start[0]
    return states


def known_legal(record: Record) -> bool:
    """Is the main line one that was read from a file of shogi records, as it was?"""
    tree = record.tree
    return isinstance(tree, ShogiTree) and (record.moves, record.setup) == (tree.moves, tree.setup)


def play_records(records: Sequence[Record]) -> Played:
    """Play records of shogi. Raises BadNotation for a move or a setup that is none."""
    starts = side_by_side([None if record.setup is None else start_of(record.setup) for record in records])
    return play(starts, [requests_of(codes_of(record.moves)) for record in records])


def actions_of(record: Record) -> NDArray[np.int32]:
    """The actions of the moves up to the first that is illegal. Raises BadNotation for a move or setup that is none."""
    if known_legal(record):
        actions: NDArray[np.int32] = record.tree.actions
        return actions
    played = play_records([record])
    return played.actions[played.line(0)]


def action_after_end(state: States, move: str) -> int:
    """The action of a move that is legal but for the repetition before it. Raises IllegalMove for another."""
    action = GAME.parse_move(state, move)
    if not play(state, [requests_of(codes_of([GAME.move_text(state, action)]))]).played[0]:
        raise IllegalMove(f"illegal move {move} in {GAME.position_text(state)}: {GAME.why_illegal(state, action)}")
    return action


def _words(starts: States) -> NDArray[np.uint64]:
    return ready(starts, STATE).view(np.uint64)
