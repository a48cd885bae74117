"""A game between a person at the terminal and a player."""

import secrets

import numpy as np

from sakiyomi.arena.errors import Failure
from sakiyomi.arena.match import PlayerFault, final_result
from sakiyomi.arena.players import make_player
from sakiyomi.boards.game import BadNotation, Game, IllegalMove
from sakiyomi.boards.player import RESIGN, Budget
from sakiyomi.boards.position import Position

HELP = "type a move, or one of: moves, undo, resign, quit"


def play_in_terminal(
    game: Game,
    against: str,
    side: int,
    budget: Budget,
    seed: int | None = None,
) -> None:
    """Play `game` as `side` (0 moves first) against the player of spec `against`; end of input ends it."""
    player = make_player(against, game)
    position = Position(game)
    rng = np.random.default_rng(secrets.randbits(63) if seed is None else seed)
    try:
        player.begin(game, 1 - side, rng)
        print(HELP)
        while position.outcome() is None:
            if position.turn == side:
                print(f"\n{position}")
                if not _take(position):
                    return
                continue
            move = player.choose(position.copy(), budget)
            if move == RESIGN:
                print(f"{player.name} resigns: you win")
                return
            position.play(move)
            print(f"{player.name}: {move}")
        print(f"\n{position}\n{_verdict(position)}")
    except EOFError:
        print()
    except PlayerFault as fault:
        raise Failure(f"{player.name}: {fault} ({fault.termination})") from fault
    finally:
        player.close()


def _take(position: Position) -> bool:
    """One answer of the person at the board; False ends the game."""
    answer = input("your move: ").strip()
    if answer in ("quit", "exit", "q"):
        return False
    if answer == RESIGN:
        print("you resign")
        return False
    if answer == "moves":
        print(" ".join(position.legal_moves()))
    elif answer == "undo":
        if len(position.actions) < 2:
            print("there is no move of yours to take back")
        else:
            position.undo()
            position.undo()
    elif answer in ("", "help", "?"):
        print(HELP)
    else:
        try:
            position.play(answer)
        except (IllegalMove, BadNotation) as error:
            print(str(error))
    return True


def _verdict(position: Position) -> str:
    outcome = position.outcome()
    assert outcome is not None, "the game goes on"
    return f"{final_result(position)} ({outcome.ending.text})"
