"""What a player thinks, as the ``info`` lines of UCI and USI."""

import math

from sakiyomi.boards.game import BadNotation, IllegalMove
from sakiyomi.boards.player import Thought
from sakiyomi.boards.position import Position

SURE = 0.9999  # values beyond tell no more: 17 pawns


def centipawns(value: float) -> int:
    """The lead in hundredths of a pawn that belongs to an expected result `value`, -1 to 1.

    With the expected score p = (value + 1) / 2 it is 400 log10(p / (1 - p)): a pawn is worth what 100 rating points
    are (chessprogramming.org/Pawn_Advantage,_Win_Percentage,_and_Elo). Values stop short of certainty, at 17 pawns.
    """
    bounded = min(max(value, -SURE), SURE)
    return round(400 * math.log10((1 + bounded) / (1 - bounded)))


def info(thought: Thought, position: Position, *, mate_in_plies: bool = False) -> str:
    """The line that tells `thought` of `position`; its play is cut short at a move that is not legal.

    A mate is told in moves as UCI has it, or in plies as USI has it.
    """
    words = [f"info depth {max(thought.depth, 1)}"]
    if thought.mate is not None:
        words.append(f"score mate {plies_of(thought.mate) if mate_in_plies else thought.mate}")
    elif thought.centipawns is not None:
        words.append(f"score cp {thought.centipawns}")
    elif thought.value is not None:
        words.append(f"score cp {centipawns(thought.value)}")
    speed = round(thought.nodes / max(thought.seconds, 1e-6))
    words.append(f"nodes {thought.nodes} nps {speed} time {round(thought.seconds * 1000)}")
    if line := legal_line(thought.line, position):
        words.append(f"pv {' '.join(line)}")
    return " ".join(words)


def plies_of(mate: int) -> int:
    """The plies of a mate in `mate` moves of the player to move, who is mated himself where it is negative."""
    return 2 * mate - 1 if mate > 0 else 2 * mate


def legal_line(line: tuple[str, ...], position: Position) -> list[str]:
    """The moves of `line` as far as they can be played from `position`, as its game writes them."""
    at, played = position.copy(), []
    for move in line:
        try:
            action = at.action(move)
        except (BadNotation, IllegalMove):
            break
        played.append(at.game.move_text(at.state, action))
        at.play(action)
    return played
