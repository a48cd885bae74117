"""FEN, X-FEN and Shredder-FEN, read and written (chessprogramming.org/Forsyth-Edwards_Notation and /Chess960).

Read liberally: castling rights as KQkq (the outermost rook on that side, as in X-FEN) or as the rooks' files
(Shredder-FEN); the clocks may be missing. Written as X-FEN, which is plain FEN for standard chess: the rook's file
appears only where another rook stands further out. An en passant square is written only if a pawn can take there.
"""

import re
from collections.abc import Callable

import numpy as np

from sakiyomi.boards.chess import rules
from sakiyomi.boards.chess.state import STATE
from sakiyomi.boards.chess.tables import THROUGH
from sakiyomi.boards.game import BadNotation, States

START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"
PIECES = "PNBRQK"
FILES = "abcdefgh"
_USUAL = (("Qq", 1), ("Rr", 2), ("Bb", 2), ("Nn", 2))  # pieces that a side starts with


def square_name(square: int) -> str:
    """0 is a1, 63 is h8."""
    return FILES[square % 8] + str(square // 8 + 1)


def square_number(name: str) -> int:
    """a1 is 0, h8 is 63."""
    return FILES.index(name[0]) + 8 * (int(name[1]) - 1)


def mirrored(board: int) -> int:
    """A bitboard top to bottom."""
    return int.from_bytes(board.to_bytes(8, "little"), "big")


def pieces_by_square(states: States) -> dict[int, str]:
    """The pieces of states[0] by real square (a1 = 0), White's as capitals."""
    words = [int(states[name][0]) for name in ("pawns", "knights", "diagonals", "orthogonals", "kings", "own")]
    turn = int(states["turn"][0])
    P, N, D, R, K, own = (mirrored(word) if turn else word for word in words)
    found = {}
    for letter, board in zip(PIECES, (P, N, D & ~R, R & ~D, D & R, K), strict=True):
        for square in range(64):
            if board >> square & 1:
                white = bool(own >> square & 1) != bool(turn)
                found[square] = letter if white else letter.lower()
    return found


def write(states: States, shredder: bool = False) -> str:
    """states[0] as X-FEN, or with `shredder` as Shredder-FEN."""
    pieces, turn = pieces_by_square(states), int(states["turn"][0])
    ranks = []
    for rank in reversed(range(8)):
        row = "".join(pieces.get(8 * rank + file, ".") for file in range(8))
        ranks.append(re.sub(r"\.+", lambda gap: str(len(gap[0])), row))
    ep, ply = int(states["ep"][0]), int(states["ply"][0])
    passant = square_name(ep ^ 56 * turn) if ep else "-"
    rights = _write_castling(pieces, castling_squares(states), shredder)
    return f"{'/'.join(ranks)} {'wb'[turn]} {rights} {passant} {int(states['halfmove'][0])} {ply // 2 + 1}"


def castling_squares(states: States) -> set[int]:
    """The real squares of the rooks with which castling is allowed."""
    board = int(states["castling"][0])
    board = mirrored(board) if states["turn"][0] else board
    return {square for square in range(64) if board >> square & 1}


def _write_castling(pieces: dict[int, str], rooks: set[int], shredder: bool) -> str:
    text = ""
    for king, letter, base in (("K", "R", 0), ("k", "r", 56)):
        home = [square for square, piece in pieces.items() if piece == king]
        for rook in sorted((square for square in rooks if square - base in range(8)), reverse=True):
            right = rook > home[0]
            further = range(rook + 1, base + 8) if right else range(base, rook)
            inner = any(pieces.get(square) == letter for square in further)
            name = FILES[rook % 8] if shredder or inner else "qk"[right]
            text += name if base else name.upper()
    return text or "-"


def read(text: str, chess960: bool) -> States:
    """[1]. Raises BadNotation, which names the text and the rule that it breaks."""

    def bad(why: str) -> BadNotation:
        shown = text if len(text) <= 200 else text[:197] + "..."
        return BadNotation(f"{shown!r} is no chess position: {why}")

    fields = text.split()
    if not 4 <= len(fields) <= 6:
        raise bad("FEN has six fields: pieces, w or b, castling, en passant, halfmove clock, move number")
    pieces = _read_pieces(fields[0], bad)
    if fields[1] not in ("w", "b"):
        raise bad(f"whose turn it is must be w or b, not {fields[1]!r}")
    turn = "wb".index(fields[1])
    rooks = _read_castling(fields[2], pieces, chess960, bad)
    ep = _read_en_passant(fields[3], pieces, turn, bad)
    numbers = [*fields[4:], *("0", "1")[len(fields) - 4 :]]
    if not all(number.isascii() and number.isdigit() for number in numbers):
        raise bad(f"halfmove clock and move number must be numbers, not {' '.join(numbers)[:80]!r}")
    if len(numbers[0].lstrip("0")) > 4 or len(numbers[1].lstrip("0")) > 6:
        raise bad("the halfmove clock goes up to 9999, the move number to 999999")
    clock, move = int(numbers[0]), max(int(numbers[1]), 1)
    states = _record(pieces, turn, rooks, clock, 2 * (move - 1) + turn)
    _check_kings(states, 0 if ep is None else ep ^ 56 * turn, bad)
    if ep is not None:
        states["ep"] = ep ^ 56 * turn
        takers = np.zeros(1, np.bool_)
        rules.en_passant_rows(0, 1, states.view(np.uint64), takers)
        if not takers[0]:
            states["ep"] = 0
    rules.begin_rows(0, 1, states.view(np.uint64))
    return states


def _read_pieces(text: str, bad: Callable[[str], BadNotation]) -> dict[int, str]:
    ranks = text.split("/")
    if len(ranks) != 8:
        raise bad(f"eight ranks are wanted, there are {len(ranks)}")
    pieces = {}
    for rank, row in zip(reversed(range(8)), ranks, strict=True):
        file = 0
        for sign in row.replace("~", ""):
            if sign in "12345678":
                file += int(sign)
            elif sign.upper() in PIECES and file < 8:
                pieces[8 * rank + file] = sign
                file += 1
            else:
                raise bad(f"rank {rank + 1}, {row!r}, must be made of {PIECES}, {PIECES.lower()} and 1-8, 8 squares")
        if file != 8:
            raise bad(f"rank {rank + 1}, {row!r}, has {file} squares")
    signs = "".join(pieces.values())
    for who, king, pawn, own in (("White", "K", "P", str.isupper), ("Black", "k", "p", str.islower)):
        if signs.count(king) != 1:
            raise bad(f"{who} has {signs.count(king)} kings")
        if signs.count(pawn) > 8:
            raise bad(f"{who} has {signs.count(pawn)} pawns, more than 8")
        if sum(map(own, signs)) > 16:
            raise bad(f"{who} has more than 16 pieces")
        extra = sum(max(sum(own(s) and s in kinds for s in signs) - usual, 0) for kinds, usual in _USUAL)
        if extra > 8 - signs.count(pawn):
            raise bad(f"{who} has {extra} promoted pieces and {signs.count(pawn)} pawns, more than 8 together")
    if any(piece in "Pp" and square // 8 in (0, 7) for square, piece in pieces.items()):
        raise bad("a pawn stands on the first or the last rank")
    return pieces


def _read_castling(text: str, pieces: dict[int, str], chess960: bool, bad: Callable[[str], BadNotation]) -> set[int]:
    if text == "-":
        return set()
    rooks = set()
    for sign in text:
        base, king, rook = (0, "K", "R") if sign.isupper() else (56, "k", "r")
        home = next(square for square, piece in pieces.items() if piece == king)
        if sign in "KQkq":
            side = range(base + 7, home, -1) if sign.lower() == "k" else range(base, home)
            found = next((square for square in side if pieces.get(square) == rook), None)
        elif sign.isascii() and sign.lower() in FILES:
            found = base + FILES.index(sign.lower())
        else:
            raise bad(f"castling is - or made of KQkq or the rooks' files, not {text!r}")
        if home // 8 * 8 != base or found is None or pieces.get(found) != rook:
            raise bad(f"castling right {sign!r} needs king and rook of that side on their first rank")
        if not chess960 and (home - base != 4 or found - base not in (0, 7)):
            raise bad(f"castling right {sign!r} needs the king on the e-file and a rook in the corner (or Chess960)")
        rooks.add(found)
    for base in (0, 56):
        home = next(square for square, piece in pieces.items() if piece == ("k" if base else "K"))
        own = [square > home for square in rooks if square - base in range(8)]
        if len(own) != len(set(own)):
            raise bad(f"castling {text!r} names two rooks on the same side of the king")
    return rooks


def _read_en_passant(text: str, pieces: dict[int, str], turn: int, bad: Callable[[str], BadNotation]) -> int | None:
    if text == "-":
        return None
    if not re.fullmatch("[a-h][36]", text) or (text[1] == "6") == bool(turn):
        raise bad(f"en passant is - or a square on rank {3 if turn else 6}, not {text!r}")
    square, forward = square_number(text), -8 if turn else 8
    pawn = "P" if turn else "p"
    if pieces.get(square - forward) != pawn or square in pieces or square + forward in pieces:
        raise bad(f"no pawn can just have moved two squares past {text}")
    return square


def _record(pieces: dict[int, str], turn: int, rooks: set[int], clock: int, ply: int) -> States:
    states: States = np.zeros(1, STATE)
    on = {"pawns": "P", "knights": "N", "diagonals": "BQ", "orthogonals": "RQ", "kings": "K"}

    def board(squares: set[int]) -> int:
        return sum(1 << (square ^ 56 * turn) for square in squares)

    for name, kinds in on.items():
        states[name] = board({square for square, piece in pieces.items() if piece.upper() in kinds})
    states["own"] = board({square for square, piece in pieces.items() if piece.islower() == bool(turn)})
    states["castling"] = board(rooks)
    states["turn"], states["halfmove"], states["ply"] = turn, clock, ply
    return states


def _check_kings(states: States, ep: int, bad: Callable[[str], BadNotation]) -> None:
    """The player who has moved is not in check, and his last move can have given the check that there is.

    `ep` is the square that a pawn has just passed, as the player to move sees it, or 0. The rules of what can have
    been are python-chess's (`Board.status`).
    """
    checkers, others = _checkers(states)
    if others:
        who = ("Black", "White")[int(states["turn"][0])]
        raise bad(f"{who} is in check, but it is not {who}'s turn")
    squares = [square for square in range(64) if checkers >> square & 1]
    if len(squares) > 2:
        raise bad("no move gives check with more than two pieces")
    king = int(states["kings"][0]) & int(states["own"][0])
    if len(squares) == 2 and int(THROUGH[64 * squares[0] + squares[1]]) & king:
        raise bad("no move gives check with two pieces from opposite sides")
    if ep and squares and squares != [ep - 8]:
        before = states.copy()
        before["pawns"] ^= np.uint64(1 << ep - 8 | 1 << ep + 8)
        if len(squares) == 2 or _checkers(before)[0]:
            raise bad("the pawn that can be taken en passant cannot have given this check")


def _checkers(states: States) -> tuple[int, int]:
    """The pieces that give check to the player to move, and to the other, as each sees them."""
    found = np.zeros((1, 2), np.uint64)
    rules.checkers_rows(0, 1, states.view(np.uint64), found)
    return int(found[0, 0]), int(found[0, 1])
