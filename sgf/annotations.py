"""What programs write into the comments of moves, "[%clk 0:05:00]": clocks, times and evaluations.

The commands are those of PGN (https://www.enpassant.dk/chess/palview/enhancedpgn.htm, and Lichess's %eval); comments
keep them as they are, so that nothing is lost. A list has an entry for every move, None where nothing is said.
"""

import re

from sakiyomi.sgf.record import Record

_TIME = r"\s+(\d+):(\d+):(\d+(?:\.\d*)?)\s*\]"
_CLOCK, _SPENT = re.compile(r"\[%clk" + _TIME), re.compile(r"\[%emt" + _TIME)
_EVAL = re.compile(r"\[%eval\s+(?:#([+-]?\d+)|([+-]?(?:\d+\.?\d*|\.\d+)))(?:\s*,\s*\d+)?\s*\]")
MATE = 10_000.0
"""The evaluation of a mate on the board; a mate in n moves is n less."""


def clocks(record: Record) -> list[float | None]:
    """Seconds left on the clock of the player who made each move ([%clk])."""
    return _seconds(record, _CLOCK)


def times(record: Record) -> list[float | None]:
    """Seconds spent on each move ([%emt])."""
    return _seconds(record, _SPENT)


def evals(record: Record) -> list[float | None]:
    """The position after each move in pawns for White ([%eval]); mate in n moves is 10000 - n, Black's is negative.

    "#0" is mate on the board: for the player who moved.
    """
    found: list[float | None] = []
    for ply in range(1, len(record.moves) + 1):
        match = _EVAL.search(record.comments.get(ply, ""))
        if match is None:
            found.append(None)
        elif match[2]:
            found.append(float(match[2]))
        else:
            moves = int(match[1])
            white = not match[1].startswith("-") if moves else _by_white(record, ply)
            found.append(MATE - moves if white else -MATE - moves)
    return found


def annotation(
    spent: float | None = None,
    left: float | None = None,
    centipawns: int | None = None,
    mate: int | None = None,
    depth: int = 0,
) -> str:
    """The comment of a move with what is known of it: [%eval] (centipawns, or moves to mate, as White sees them, and
    the depth), [%emt] (`spent` seconds), [%clk] (`left` seconds). What the functions above read.
    """
    said = []
    if mate is not None or centipawns is not None:
        score = f"#{mate}" if mate is not None else f"{(centipawns or 0) / 100:.2f}"
        said.append(f"[%eval {score},{depth}]" if depth else f"[%eval {score}]")
    said += [f"[%{name} {_time(x)}]" for name, x in (("emt", spent), ("clk", left)) if x is not None]
    return " ".join(said)


def _time(seconds: float) -> str:
    """H:MM:SS.mmm, not under 0."""
    whole = max(round(seconds * 1000), 0)
    minutes, milliseconds = divmod(whole, 60_000)
    return f"{minutes // 60}:{minutes % 60:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def _by_white(record: Record, ply: int) -> bool:
    """Was the move that made `ply` White's?"""
    first = 1 if record.setup is not None and record.setup.split()[1:2] == ["b"] else 0
    return (ply - 1 + first) % 2 == 0


def _seconds(record: Record, command: re.Pattern[str]) -> list[float | None]:
    found: list[float | None] = []
    for ply in range(1, len(record.moves) + 1):
        match = command.search(record.comments.get(ply, ""))
        found.append(None if match is None else 3600 * int(match[1]) + 60 * int(match[2]) + float(match[3]))
    return found
