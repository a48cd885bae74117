"""Why a game of PGN cannot be read, in words; and FEN tags that can be mended."""

import re
from functools import lru_cache

import numpy as np

from sakiyomi.boards.chess import notation
from sakiyomi.sgf.chess_moves import GAMES
from sakiyomi.sgf.pgn_columns import PgnColumns, Stop

_WORD = re.compile(rb"[^\s{}();$]{1,40}")


def reason(columns: PgnColumns, game: int, fault: Stop) -> str:
    """The text, the position and the rule."""
    at = int(columns.fault_places[game])
    return _bad_position(columns, game, at) if fault is Stop.BAD_POSITION else _bad_move(columns, game, at, fault)


@lru_cache(maxsize=256)
def possible_fen(fen: str) -> str | None:
    """`fen`, as long as it was, with only those castling rights and that en passant square that can be."""
    given = len(fen.split())
    if not 1 <= given <= 6:
        return None
    fields = [*fen.split(), *("w", "-", "-", "0", "1")[given - 1 :]]

    def good(rights: str, passant: str) -> bool:
        try:
            GAMES["chess960"].parse_position(" ".join([*fields[:2], rights or "-", passant, *fields[4:]]))
        except ValueError:
            return False
        return True

    if not good("", "-"):
        return None
    rights = ""
    for sign in dict.fromkeys(fields[2]):
        rights += sign if good(rights + sign, "-") else ""
    passant = fields[3] if good(rights, fields[3]) else "-"
    mended = " ".join([*fields[:2], rights or "-", passant, *fields[4:]][:given])
    return mended.ljust(len(fen)) if len(mended) <= len(fen) else None


def _bad_position(columns: PgnColumns, game: int, at: int) -> str:
    text = columns.tag_table(game)["FEN"]
    try:
        GAMES["chess960"].parse_position(text)
    except ValueError as error:
        return f"the FEN tag: {error}"
    raise AssertionError(f"{text!r} at {at} can be read")


def _bad_move(columns: PgnColumns, game: int, at: int, fault: Stop) -> str:
    """The move with its number among the moves, and what is wrong with it."""
    rules = GAMES["chess960" if columns.chess960[game] else "chess"]
    moves = columns.moves(game)
    actions = columns.actions[moves][None, :]
    count = actions.shape[1]
    state = rules.replay(columns.states[game : game + 1], actions, np.array([count], np.int32))
    match = _WORD.match(columns.text, at)
    word = match[0].decode("utf-8", "replace").strip() if match else ""
    number = f"move {count + 1}: "
    position = rules.position_text(state)
    if fault is Stop.NULL_MOVE:
        return f"{number}{word!r} in {position}: a null move, which chess has not (in variations they are read)"
    try:
        notation.parse(state, word, rules.chess960)
    except ValueError as error:
        return number + str(error)
    return f"{number}{word!r} in {position} is no move"
