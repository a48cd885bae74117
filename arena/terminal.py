"""A game between a person at the terminal and a player."""

import secrets
import sys
from contextlib import AbstractContextManager, nullcontext, suppress

import numpy as np

from sakiyomi.arena.errors import Failure
from sakiyomi.arena.live import plain_console
from sakiyomi.arena.match import PlayerFault, final_result
from sakiyomi.arena.players import make_player
from sakiyomi.boards.game import BadNotation, Game, IllegalMove
from sakiyomi.boards.player import RESIGN, Budget
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
    if game.name not in ("chess", "chess960"):
        return Table(Position(game))
    from sakiyomi.arena.terminal_chess import ChessTable

    return ChessTable.laid(game, side, rng)


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


def _verdict(position: Position, side: int) -> str:
    outcome = position.outcome()
    assert outcome is not None, "the game goes on"
    who = "" if outcome.winner is None else ": you win" if outcome.winner == side else ": you lose"
    return f"{final_result(position)} ({outcome.ending.text}){who}"
