"""A game between a person at the terminal and a player."""

import re
import secrets
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import numpy as np
from rich.console import Console

from sakiyomi.arena.errors import Failure
from sakiyomi.arena.live import plain_console
from sakiyomi.arena.match import PlayerFault, final_result
from sakiyomi.arena.players import make_player
from sakiyomi.boards.game import BadNotation, Game, IllegalMove
from sakiyomi.boards.player import DECLARE, RESIGN, Budget
from sakiyomi.boards.position import Position


def play_in_terminal(
    game: Game,
    against: str,
    side: int,
    budget: Budget,
    seed: int | None = None,
) -> None:
    """Play `game` as `side` (0 moves first) against the player of spec `against`; end of input ends it.

    Chess960 begins at a start position drawn by `seed`.
    """
    if sys.stdin.isatty():
        with suppress(ImportError):  # Windows has none
            import readline  # noqa: F401 arrow keys at the prompt
    player = make_player(against, game)
    rng = np.random.default_rng(secrets.randbits(63) if seed is None else seed)
    table = _table(game, side, rng)
    position = table.position
    try:
        player.begin(game, 1 - side, rng)
        print(table.help)
        while position.outcome() is None:
            if position.turn == side:
                table.show()
                while (answered := table.answer()) is None:
                    pass
                if not answered:
                    return
                continue
            with table.waiting(player.name):
                move = player.choose(position.copy(), budget)
            if move == RESIGN:
                print(f"{player.name} resigns: you win")
                return
            if move == DECLARE and (claim := declaration(position)) is not None:
                print(f"{player.name} declares the entering king: {claim[0]}{_who(claim[1], side)}")
                return
            text = table.text(move)
            position.play(move)
            print(f"{player.name}: {text}")
        table.show()
        print(_verdict(position, side))
    except EOFError:
        print()
    except PlayerFault as fault:
        raise Failure(f"{player.name}: {fault} ({fault.termination})") from fault
    finally:
        player.close()


def _table(game: Game, side: int, rng: np.random.Generator) -> "Table":
    if game.name in ("chess", "chess960"):
        from sakiyomi.arena.terminal.chess import ChessTable

        return ChessTable.laid(game, side, rng)
    if game.name == "shogi":
        from sakiyomi.arena.terminal.shogi import ShogiTable

        return ShogiTable(Position(game), side == 1)
    return Table(Position(game))


MUCH = 200
"""Characters of a list of moves that is not shown unasked."""


class Table:
    """The position as the person at the terminal sees it, and what that person says."""

    help = "type a move, or one of: moves, undo, resign, quit"

    def __init__(self, position: Position):
        self.position = position
        self.console = plain_console()

    def show(self) -> None:
        """Draw the board."""
        print(f"\n{self.position}")

    def text(self, move: str) -> str:
        """A legal move as the person is told it."""
        return move

    def waiting(self, name: str) -> AbstractContextManager[object]:
        """Shows that `name` is thinking, where that can be shown."""
        return self.console.status(f"{name} is thinking") if self.console.is_terminal else nullcontext()

    def answer(self) -> bool | None:
        """Ask for one answer and carry it out.

        True where the board is to be looked at anew, None where it is as it was, False if the person leaves the game.
        """
        word, _, rest = input("your move: ").strip().partition(" ")
        if word in ("quit", "exit", "q"):
            return False
        if word == RESIGN:
            print("you resign")
            return False
        if word == "moves":
            self.list_moves(rest.strip().lower())
            return None
        if word == "undo":
            return self._undo()
        if word in ("", "help", "?"):
            print(self.help)
            return None
        return self.other(word, rest.strip())

    def list_moves(self, _square: str) -> None:
        """Print the legal moves."""
        print(" ".join(self.position.legal_moves()))

    def other(self, word: str, rest: str) -> bool | None:
        """Carry out what is none of the common commands: a move."""
        try:
            self.position.play(f"{word} {rest}".strip())
        except (IllegalMove, BadNotation) as error:
            self.refuse(word, error)
            return None
        return True

    def refuse(self, _move: str, error: ValueError) -> None:
        """Say why a move is none."""
        print(error)

    def _undo(self) -> bool | None:
        if len(self.position.actions) < 2:
            print("there is no move of yours to take back")
            return None
        self.position.undo()
        self.position.undo()
        return True


class TurningTable(Table):
    """A table for a game whose pieces move, seen from either side; the sub-classes draw the board."""

    position_word = ""
    """The command that shows the position as text."""
    square = re.compile("")
    """How a text begins that names the square, or the piece in hand, that is to move."""

    def __init__(self, position: Position, flipped: bool):
        super().__init__(position)
        self.flipped = flipped

    def last(self) -> str | None:
        """The last move on the board."""
        if not self.position.actions:
            return None
        before = self.position.copy()
        before.undo()
        return before.game.move_text(before.state, self.position.actions[-1])

    def moves_from(self, square: str) -> Sequence[str]:
        """The legal moves, a line for each kind of piece as "pawn: e3 e4"; those from `square` alone if it is given."""
        raise NotImplementedError("sub-classes list moves")

    def list_moves(self, square: str) -> None:  # noqa: D102
        print("\n".join(self.moves_from(square)) or f"no legal move from {square}")

    def other(self, word: str, rest: str) -> bool | None:  # noqa: D102
        if word in ("flip", "board"):
            self.flipped ^= word == "flip"
            return True
        if word == self.position_word:
            print(self.position.text())
            return None
        return super().other(word, rest)

    def refuse(self, move: str, error: ValueError) -> None:  # noqa: D102
        print(str(error).replace(f" in {self.position.text()}", "", 1))
        origin = self.square.match(move)
        if origin and (legal := self.moves_from(origin[0])):
            texts = legal[0].partition(": ")[2]
            print(f"from {origin[0]}: {texts}" if len(texts) < MUCH else f"type moves {origin[0]} for the legal ones")
        else:
            print("type moves for the legal moves, help for how to write them")


def shows_colours(console: Console, signs: str, width: int) -> bool:
    """Can the console show colours, these signs, and a board of that width?"""
    coloured = console.is_terminal and console.color_system is not None and not console.no_color
    if console.width < width:
        return False
    try:
        signs.encode(console.encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return coloured


def declaration(position: Position) -> tuple[str, int | None] | None:
    """What comes of it if the player to move declares the entering king, in words, and the winner or None for a draw;
    None in games without declarations.
    """
    game: Any = position.game
    if not hasattr(game, "declarations"):
        return None
    allowed = int(game.declarations(position.state)[0])
    if allowed == 2:
        return "1/2-1/2 (declaration)", None
    winner = position.turn if allowed else 1 - position.turn
    return f"{('1-0', '0-1')[winner]} ({'declaration' if allowed else 'the conditions are not fulfilled'})", winner


def _verdict(position: Position, side: int) -> str:
    outcome = position.outcome()
    assert outcome is not None, "the game goes on"
    return f"{final_result(position)} ({outcome.ending.text}){_who(outcome.winner, side)}"


def _who(winner: int | None, side: int) -> str:
    return "" if winner is None else ": you win" if winner == side else ": you lose"
