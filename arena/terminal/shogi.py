"""Shogi at the terminal: what the person there may say, and the board with both hands, in colours or in letters."""

import re
from collections.abc import Collection, Iterator

import numpy as np
from rich.console import Console
from rich.text import Text

from sakiyomi.arena.terminal.terminal import TurningTable, declaration, shows_colours
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi
from sakiyomi.boards.shogi.sfen import HAND_ORDER, LETTERS, NAMES, piece_text, square_name, square_number
from sakiyomi.boards.shogi.usi import squares_of

SIDES = ("Black", "White")
_KANJI = ".歩香桂銀金角飛玉と杏圭全.馬龍"
_SQUARES = ("#a17d4b", "#98744a")  # alternating
_MOVED = "#7d8f2e"  # the squares of the last move
_CHECK = "#c0392b"
WESTERN = re.compile(
    r"(?P<piece>\+?[PLNSGBRK])(?P<origin>[1-9][a-i1-9])?(?P<sign>[-x*]?)(?P<to>[1-9][a-i1-9])(?P<end>[+=]?)"
)
_WIDTH = 38  # of the board in colours
_INK = (("#000000", "#7a0000"), ("#ffffff", "#ffc4b8"))  # Black's and White's pieces, plain and promoted


class ShogiTable(TurningTable):
    """A shogi board, seen from the side of the person who plays."""

    help = """type a move as USI (7g7f, 8h2b+ to promote, P*5e to drop), in Western texts
(P-7f, Bx2b+, G6i-5h), CSA (+7776FU) or KIF, or one of:
  moves, moves 7g   the legal moves, or those of one piece; moves P* those of pawns in hand
  undo              take your last move back
  flip, board       turn the board round, show it again
  sfen              the position as text
  win               declare the entering king
  resign, quit      end the game"""
    position_word = "sfen"
    square = re.compile(r"[1-9][a-i]|[PLNSGBR]\*")

    def show(self) -> None:  # noqa: D102
        print()
        self.console.print(shogi_board(self.position, self.flipped, self.last(), self.console))
        if self.position.outcome() is None:
            print(shogi_status(self.position))

    def text(self, move: str) -> str:  # noqa: D102
        action = self.position.action(move)
        usi = self.position.game.move_text(self.position.state, action)
        return f"{self.position.ply + 1}. {usi} ({western(self.position, action)})"

    def moves_from(self, square: str) -> list[str]:  # noqa: D102
        return shogi_moves(self.position, square)

    def other(self, word: str, rest: str) -> bool | None:  # noqa: D102
        if match := WESTERN.fullmatch(word):
            return self._play_western(word, match)
        if word != "win":
            return super().other(word, rest)
        if why := why_no_declaration(self.position):
            print(f"you cannot declare: {why}")
            return None
        claim = declaration(self.position)
        assert claim is not None, "shogi has declarations"
        print(claim[0])
        return False

    def _play_western(self, word: str, match: re.Match[str]) -> bool | None:
        """Play the legal move that a Western text means, or what it says in USI, to be told why it is illegal."""
        found = sorted(
            self.position.game.move_text(self.position.state, action) for action in fitting(self.position, match)
        )
        if len(found) > 1:
            print(f"{word} may be {' or '.join(found)}: name the square that the piece leaves")
            return None
        if found:
            self.position.play(found[0])
            return True
        kind = LETTERS.index(match["piece"][-1]) + 8 * (match["piece"][0] == "+")
        mail, to, end = self.position.state["mail"][0, :81], _place(match["to"]), match["end"].replace("=", "")
        origins = [square_name(square) for square in np.flatnonzero(mail == kind + 16 * self.position.turn).tolist()]
        if match["sign"] == "*":
            return super().other(f"{match['piece']}*{to}", "")
        if match["origin"] or len(origins) == 1:
            return super().other(f"{_place(match['origin']) if match['origin'] else origins[0]}{to}{end}", "")
        print(f"illegal move {word}: no {_name(kind)} can go to {to}{' and promote' if end else ''}")
        print("type moves for the legal moves, help for how to write them")
        return None


def western(position: Position, action: int) -> str:
    """A legal action in Western notation (Hodges): "P-7f", "Bx2b+", "S-3c=" (not promoted though it might be), "P*5e".

    The square that a piece leaves is named where another of its kind could go to the same square: "G6i-5h".
    """
    turn = position.turn
    origin, to, promotes = squares_of(action, turn)
    mail = position.state["mail"][0]
    if origin >= 81:
        return f"{LETTERS[origin - 80]}*{square_name(to)}"
    piece = int(mail[origin])
    rivals = (squares_of(other, turn)[:2] for other in position.legal_actions().tolist())
    ambiguous = any(
        other != origin and place == to and other < 81 and int(mail[other]) == piece for other, place in rivals
    )
    far = any((8 - square % 9 if turn else square % 9) < 3 for square in (origin, to))
    declines = far and piece & 15 < 8 and piece & 15 != 5
    name = piece_text(piece).upper() + (square_name(origin) if ambiguous else "")
    return f"{name}{'x' if mail[to] else '-'}{square_name(to)}{'+' if promotes else '=' if declines else ''}"


def fitting(position: Position, match: re.Match[str]) -> list[int]:
    """The legal actions that a Western text, matched by `WESTERN`, may mean; a sign "=" may be left out."""
    turn, mail = position.turn, position.state["mail"][0]
    wanted, drop = square_number(_place(match["to"])), match["sign"] == "*"
    found = []
    for action in position.legal_actions().tolist():
        origin, to, promotes = squares_of(action, turn)
        piece = LETTERS[origin - 80] if origin >= 81 else piece_text(int(mail[origin])).upper()
        left = match["origin"] is None or (origin < 81 and square_number(_place(match["origin"])) == origin)
        if (piece, to, origin >= 81, promotes, left) == (match["piece"], wanted, drop, match["end"] == "+", True):
            found.append(action)
    return found


def _place(square: str) -> str:
    """A square as USI has it: "7f", also of "76"."""
    return square[0] + ("abcdefghi"[int(square[1]) - 1] if square[1].isdigit() else square[1])


def shogi_moves(position: Position, square: str = "") -> list[str]:
    """The legal moves in USI, a line for each kind of piece; those from `square` ("7g", "P*" from the hand) alone if
    it is given.
    """
    lines: dict[tuple[bool, int], list[str]] = {}
    mail = position.state["mail"][0]
    for action in position.legal_actions().tolist():
        origin = squares_of(action, position.turn)[0]
        text = position.game.move_text(position.state, action)
        if text.lower().startswith(square.lower()):
            kind = origin - 80 if origin >= 81 else int(mail[origin]) & 15
            lines.setdefault((origin >= 81, kind), []).append(text)
    return [f"{_name(kind)}{' drops' if drop else ''}: {' '.join(usi)}" for (drop, kind), usi in sorted(lines.items())]


def _name(kind: int) -> str:
    return NAMES[kind] if kind < 9 else {14: "horse", 15: "dragon"}.get(kind, f"promoted {NAMES[kind - 8]}")


def shogi_status(position: Position) -> str:
    """Whose turn it is, and what there is to say: "White to move, in check"."""
    parts = f"{SIDES[position.turn]} to move" + (", in check" if _checked(position) is not None else "")
    return parts + ("" if why_no_declaration(position) else "; the entering king may be declared: type win")


def why_no_declaration(position: Position) -> str:
    """The condition of a declaration that the player to move does not fulfil, in words; "" where he may declare."""
    game, turn = position.game, position.turn
    assert isinstance(game, Shogi), "declarations are for shogi"
    if game.declarations(position.state)[0]:
        return ""
    if game.declaration == "none":
        return "this game has no declarations"
    mine = position.board().astype(np.int64) * (1 - 2 * turn)
    zone = mine[6:] if turn else mine[:3]
    if not (zone == 8).any():
        return "your king is not in the three furthest ranks"
    if _checked(position) is not None:
        return "your king is in check"
    entered = int(((zone > 0) & (zone != 8)).sum())
    if entered < 10:
        return f"beside the king {entered} of your pieces are in the three furthest ranks, 10 are wanted"
    big = np.isin(zone, (6, 7, 14, 15)).sum()
    hand = game.hands(position.state)[turn]
    points = entered + 4 * int(big) + int(hand.sum()) + 4 * int(hand[6:].sum())
    wanted = 24 if game.declaration == "24" else 28 - turn
    return f"these and your hand make {points} points, {wanted} are wanted"


def _checked(position: Position) -> int | None:
    """The square of the king in check."""
    game = position.game
    if not isinstance(game, Shogi) or not game.in_check(position.state)[0]:
        return None
    return int(np.flatnonzero(position.state["mail"][0, :81] == 8 + 16 * position.turn)[0])


def shogi_board(position: Position, flipped: bool, last: str | None, console: Console) -> Text:
    """The board with both hands, from White's side if `flipped`, with the last move (USI) and a king in check marked.

    In letters where the console has no colours, cannot show kanji or is too narrow.
    """
    if not shows_colours(console, _KANJI, _WIDTH):
        return Text("\n".join(_lettered(position, flipped)))
    moved = {square_number(square) for square in re.findall("[1-9][a-i]", last or "")}
    return _coloured(position, flipped, moved, _checked(position))


def _lettered(position: Position, flipped: bool) -> Iterator[str]:
    mail = position.state["mail"][0]
    near = int(flipped)
    yield f"{SIDES[1 - near]} holds {_held(position, 1 - near, LETTERS)}"
    yield "".join(f"{file + 1:>3}" for file in _files(flipped))
    for rank in _ranks(flipped):
        signs = (piece_text(int(mail[9 * file + rank])) for file in _files(flipped))
        yield "".join(f"{sign:>3}" for sign in signs) + " " + "abcdefghi"[rank]
    yield f"{SIDES[near]} holds {_held(position, near, LETTERS)}"


def _coloured(position: Position, flipped: bool, moved: Collection[int], checked: int | None) -> Text:
    mail = position.state["mail"][0]
    near = int(flipped)
    text = Text(f" {SIDES[1 - near]} holds {_held(position, 1 - near, _KANJI)}\n")
    text.append("".join(f"  {file + 1} " for file in _files(flipped)) + "\n", "dim")
    for rank in _ranks(flipped):
        for file in _files(flipped):
            square = 9 * file + rank
            piece = int(mail[square])
            kind, side = piece & 15, piece >> 4
            ground = _SQUARES[(file + rank) % 2]
            ground = _CHECK if square == checked else _MOVED if square in moved else ground
            sign = ("v" if side != near else " ") + _face(kind, side) + " " if piece else 4 * " "
            text.append(sign, f"bold {_INK[side][kind > 8]} on {ground}")
        text.append(f" {'abcdefghi'[rank]}\n", "dim")
    text.append(f" {SIDES[near]} holds {_held(position, near, _KANJI)}")
    return text


def _face(kind: int, side: int) -> str:
    return "王" if kind == 8 and side else _KANJI[kind]


def _files(flipped: bool) -> range:
    return range(9) if flipped else range(8, -1, -1)


def _ranks(flipped: bool) -> range:
    return range(8, -1, -1) if flipped else range(9)


def _held(position: Position, side: int, signs: str) -> str:
    """A hand as text: "R P3", "飛 歩3"."""
    game = position.game
    assert isinstance(game, Shogi), "hands are for shogi"
    counts = game.hands(position.state)[side].tolist()
    held = (f"{signs[kind]}{counts[kind] if counts[kind] > 1 else ''}" for kind in HAND_ORDER if counts[kind])
    return " ".join(held) or "nothing"
