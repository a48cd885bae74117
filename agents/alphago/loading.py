"""SGF files -> `GameRecords`: the games of one board size that fit what is asked for, legal to their last move.

Of the paper's data (KGS games of 6 to 9 dan) 35.4 % were handicap games, and passes were not learnt (Silver et al.
2016, Methods, "Policy network: classification").
"""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.records import GameRecords
from sakiyomi.boards.go import Go
from sakiyomi.sgf.collection import Collection
from sakiyomi.sgf.go import komi_of, main_line_of
from sakiyomi.sgf.mainline import BLACK, MainLine
from sakiyomi.sgf.properties import read_handicap
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.replay import ROWS, Batch, reader

_PLIES = 512  # room in positions, or several times as much where a game is longer
_RANK = re.compile(r"(p?)\s*([-+]?\d+)\s*(d|k|p|段|級|级)")
_PROFESSIONAL = 10  # a professional's first rank stands above 9 dan

Path = str | os.PathLike[str]


def load_records(
    *paths: Path,
    size: int | tuple[int, int] = 19,
    least_moves: int = 0,
    handicap: bool | None = None,
    decided: bool = False,
    least_rank: str | None = None,
    tell: Callable[[int, float], None] | None = None,
) -> GameRecords:
    """The games in `paths`: SGF files, folders of them and archives (`sgf.Collection`), on boards of `size` (9, or
    (columns, rows)).

    Wanted are games of `least_moves` moves on the board or more, with a handicap (True), even ones (False) or both
    (None), only those whose result is known if `decided`, and only between players who both have `least_rank` ("1d",
    "5k", "3p") or better. A game is taken up to its first illegal move (superko is no matter, suicide is illegal),
    until stones are set up within it, or for three plies a point and some more. Passes, and moves that no file has, are
    played but not among the places to learn from.

    ``notes`` of the result counts what was left out or cut, by reason. `tell` is called now and then with the games
    taken so far and the part of the files that is read. Raises FileNotFoundError for a path that does not exist, and
    ValueError if no game is left.
    """
    width, height = (size, size) if isinstance(size, int) else size
    least = None if least_rank is None else rank_of(least_rank)
    if least_rank is not None and least is None:
        raise ValueError(f'least_rank must be a rank like "1d", "5k" or "3p", got {least_rank!r}')
    collection, notes = Collection(*paths), Counter[str]()
    lines, komi, results = list[MainLine](), list[float](), list[float]()
    for number, record in enumerate(collection):
        if tell and number % 256 == 0:
            tell(len(lines), collection.progress[0] / max(collection.progress[1], 1))
        reason = _unwanted(record, f"go-{width}x{height}", handicap, decided, least)
        if reason:
            notes[reason] += 1
            continue
        lines.append(main_line_of(record))
        known = komi_of(record)
        komi.append(np.nan if known is None else known)
        results.append(np.nan if record.score is None else 2 * record.score - 1)
    if collection.failures:
        notes["unreadable"] = len(collection.failures)
    return _checked(lines, width, height, np.array(komi), np.array(results), least_moves, notes)


def rank_of(text: str) -> int | None:
    """A rank as a number: 1 for "1d", 9 for "9段", 0 for "1k", -16 for "17k", 10 for "1p"; None if it is none."""
    found = _RANK.search(unicodedata.normalize("NFKC", text).strip().lower())
    if not found:
        return None
    number = int(found[2])
    if found[3] in "k級级":
        return 1 - number
    return number + (_PROFESSIONAL - 1 if found[1] or found[3] == "p" else 0)


def _unwanted(record: Record, game: str, handicap: bool | None, decided: bool, least: int | None) -> str:
    """Why the record is not to be taken; "" if it is."""
    if record.game != game:
        return "another game or board"
    if decided and record.score is None:
        return "no known result"
    if handicap is not None and handicap != has_handicap(record):
        return "an even game" if handicap else "a handicap game"
    if least is not None:
        ranks = [rank_of(record.tags.get(f"{colour} rank", "")) for colour in ("black", "white")]
        if any(rank is None or rank < least for rank in ranks):
            return "a rank too low or unknown"
    return ""


def has_handicap(record: Record) -> bool:
    """Does Black begin with two stones or more, or does the record say so?"""
    if (read_handicap(record.tags.get("handicap", "")) or 0) >= 2:
        return True
    if record.setup is None:
        return False
    board = main_line_of(record).board
    return board is not None and int((board == BLACK).sum()) >= 2


def _checked(
    lines: Sequence[MainLine],
    width: int,
    height: int,
    komi: NDArray[np.float64],
    results: NDArray[np.float64],
    least_moves: int,
    notes: Counter[str],
) -> GameRecords:
    """The games of `lines`, each up to where it cannot be replayed; `notes` is added to."""
    longest = max((len(line.actions) for line in lines), default=0)
    room = min(longest + 1, 3 * width * height + 64)  # as the rules have it: an absurd game is not to swell all others
    game = reader(width, height, False, -(-room // _PLIES) * _PLIES)
    area, kept, moves, learn = width * height, list[int](), list[NDArray[np.int16]](), list[NDArray[np.bool_]]()
    for first in range(0, len(lines), ROWS):
        part = lines[first : first + ROWS]
        played = _legal_moves(game, part)
        for number, (line, count) in enumerate(zip(part, played.tolist(), strict=True), first):
            wanted = line.actions[: max(count, 0)] < area
            if count < 0:
                notes["a first position that cannot be"] += 1
            elif not wanted.any() or wanted.sum() < least_moves:
                notes["too few moves"] += 1
            else:
                notes["cut short where it could not go on"] += count < len(line.actions)
                kept.append(number)
                moves.append(line.actions[:count].astype(np.int16))
                learn.append(wanted)
    if not kept:
        told = ", ".join(f"{count} {reason}" for reason, count in notes.items() if count)
        raise ValueError(f"no game on {width}x{height} to learn from ({told or 'no record was found'})")
    boards = [np.zeros(area, np.uint8) if (board := lines[number].board) is None else board for number in kept]
    return GameRecords(
        game,
        np.concatenate(moves),
        np.cumsum([0, *map(len, moves)]),
        np.flatnonzero(np.concatenate(learn)),
        np.array([lines[number].turn for number in kept], np.uint8),
        np.stack(boards),
        komi[kept].astype(np.float32),
        results[kept].astype(np.float32),
        {reason: count for reason, count in notes.items() if count},
    )


def _legal_moves(game: Go, lines: Sequence[MainLine]) -> NDArray[np.int64]:
    """[n], how many moves of each line can be played; -1 where the first position has a chain without liberties."""
    batch = Batch(lines, game.layout.width, game.layout.height, suicide=False)
    until = [min([len(line.actions), game.max_plies, *line.setups, *line.forced]) for line in lines]
    return np.where(batch.valid, np.minimum(batch.play(), until), -1).astype(np.int64)
