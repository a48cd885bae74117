"""What every `Game` promises, and what is likely wrong where a promise is broken."""

from enum import Enum
from typing import Any

import numpy as np

from sakiyomi.boards.game import Game


class Promise(Enum):
    """One promise of the `Game` protocol: its words, and the likely cause where it does not hold."""

    def __init__(self, words: str, cause: str):
        self.words, self.cause = words, cause

    NO_EXCEPTIONS = "no method raises on what the protocol allows", "see the error above"

    # What the game says of itself
    NAME = "name is a text", "no name was given"
    SIZES = "num_actions and max_plies are positive", "a board of size zero"
    PLANES = "planes is (C, Y, X), all positive", "an axis was left out, or that of the batch put in"
    FIELDS = "dtype has the integer fields ply and turn", "the bookkeeping is kept elsewhere or as another type"
    NO_OBJECTS = (
        "dtype has no object fields",
        "Python objects in the record: copies share them, and np.save refuses them",
    )
    PICKLES = "a pickled copy of the game equals the game", "it is no frozen dataclass, or a field does not compare"

    # The start, and what queries give
    NEW = "new(B) gives B records of dtype", "new() forgets the batch or the dtype"
    NEW_EQUAL = "new() sets every field", "memory that was not set (np.empty)"
    NEW_ONGOING = "a new game is at ply 0 and goes on", "ply is not set, or ending() takes the start for an end"
    NEW_APART = "the positions of new() are independent", "its rows share memory"
    SHAPES = "queries give the documented shape and dtype, for no positions too", "a missing astype or reshape"
    BOARD = "board() is int8 [Y, X]", "a flat board, or another dtype"
    DRAW = "draw() is a text", "it prints instead of returning"

    # Playing
    PLIES = "play() adds 1 to ply", "play() forgets the field ply"
    TURNS = (
        "the turn passes to the other side after every ply",
        "play() forgets the field turn (a game with several plies in a row is checked with alternating=False)",
    )
    TURN = "turn() is the field turn, 0 or 1", "it is derived another way, or colours are 1 and -1, or 1 and 2"
    MAX_PLIES = "games end within max_plies", "max_plies is too small, or ending() or legal() misses an end"
    ENDING = "ending() gives Ending codes", "a code of its own"
    ENDED = (
        "a game has ended exactly when no action is legal",
        "legal() does not look at ending(), or a side without a move has neither a pass nor an end",
    )
    ONGOING_RESULT = "result() is 0 while the game goes on", "it gives the score so far"
    RESULT = "result() is 1, 0 or -1", "points or probabilities instead of the outcome"
    REFUSED = "an action outside legal() is refused and changes nothing", "legal() answers differently when asked twice"
    REASON = "why_illegal() gives a reason", "it is empty, or no text"

    # State is the record, a batch is its rows
    QUERIES = "queries leave the positions as they are", "one works on the batch itself instead of a copy"
    COPIES = "what is played on a copy does not touch other positions", "the game object keeps state of its own"
    SAME_AGAIN = "a move taken back and played again gives the same position", "the game object keeps state of its own"
    BATCH = "a batch is its rows, asked or played one by one", "a row is mixed up with its neighbours"
    LAYOUT = (
        "slices with a step, read-only arrays and int64 actions are understood (play() may refuse by ValueError)",
        "the memory layout is taken for granted, or a contiguous copy is played and not written back",
    )
    REPLAY = (
        "replay() plays the first lengths[i] actions of each path on a copy of its root",
        "the lengths are ignored, or the roots: it must go on from any position and leave it as it is",
    )
    SAVED = (
        "positions survive np.save and np.load",
        "dtype's type np.record is taken for granted, or objects are inside",
    )
    CHECK = "fields kept from ply to ply equal recomputed ones", "play() updates them wrongly"

    # Rollouts
    ROLLOUT = "rollout() gives float32 [B] of 1, 0 and -1", "points, a missing astype, or play stops before the end"
    ROLLOUT_SEEDS = (
        "the same random states give the same rollouts on any number of threads",
        "random numbers from elsewhere, or shared by rows",
    )
    ROLLOUT_ROWS = "a row's rollout does not depend on its neighbours", "one random state serves the whole batch"
    ROLLOUT_MOVES_ON = "rollout() moves the random states on", "the new state is not written back"
    ROLLOUT_ENDED = (
        "the rollout of an ended game is its result",
        "play goes on after the end, or the sign is the mover's and not the first player's",
    )

    # Notation
    MOVE_TEXTS = "legal moves have different texts", "move_text() leaves something out"
    MOVES_BACK = "parse_move() reads back move_text()", "the two count rows, columns or letters differently"
    ONE_LINE = "position_text() is one line", "a drawing instead"
    PARSED = "parse_position() gives a batch of one", "a single record instead, or another dtype"
    TEXT_BACK = "position_text() survives parse_position()", "a field is written but not read"
    BOARD_BACK = "a position read back has the same board", "rows read upside down, or colours exchanged"
    TURN_BACK = "a position read back has the same turn", "the side to move is not in the text"
    LEGAL_BACK = "a position read back allows all moves that were legal", "parsing forgets what the rules need"
    BAD_NOTATION = (
        "rubbish raises BadNotation",
        "the text is taken apart before it is checked, or the pattern matches too much",
    )

    # Observations and symmetries
    FINITE = "observe() is finite", "a division by zero"
    MOVERS_VIEW = (
        "observe() shows the position as the player to move sees it",
        "the planes are the first player's and the second's whoever is to move",
    )
    IDENTITY = "the identity is the first symmetry", "symmetries() is empty or in another order"
    PERMUTES = "a symmetry permutes the actions", "two actions get one number, or the pass is left out"
    GROUP = "two symmetries, one after the other, are a symmetry", "one is missing or wrong"
    START_FIXED = "a symmetry maps the starting position to itself", "it is one of the board, not of this game's start"
    SYMMETRIC = (
        "legal(g(s))[actions] == legal(s), observe(g(s)) == planes(observe(s)) and result(g(s)) == result(s)",
        "planes and actions of the symmetry belong to different transformations, or the rules are not symmetric",
    )


class BrokenPromise(AssertionError):
    """A game breaks `promise`; the message says what was seen, where, and the likely cause."""

    def __init__(self, promise: Promise, message: str):
        super().__init__(message)
        self.promise = promise


def demand(game: Game, holds: Any, promise: Promise, seen: str, state: Any = None) -> None:
    """Raise `BrokenPromise` unless `holds`, or all of it; `state` is where."""
    if not np.all(holds):
        place = "" if state is None else f" in {describe(game, state)}"
        raise BrokenPromise(promise, f"{game.name}: {promise.words}, but {seen}{place}. Likely cause: {promise.cause}.")


def describe(game: Game, state: Any) -> str:
    """The position as text, or its bare fields where the game cannot write it."""
    try:
        return f"{game.position_text(state)!r} at ply {int(np.atleast_1d(state)['ply'][0])}"
    except Exception:  # the game under test may be broken in any way, and another fault is being reported
        return repr(state)
