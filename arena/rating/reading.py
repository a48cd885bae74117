"""Who played whom, and how it ended, from tournaments of ours and from anybody's game records.

Of PGN only the tags are read: White, Black and Result are all that ratings need, so a million games take seconds, and
games whose moves cannot be followed count, too. Where the Result tag names no winner the word after the moves does.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sakiyomi.arena.rating.results import Outcome
from sakiyomi.sgf import pgn_tags
from sakiyomi.sgf.archive import Meter, Source, sources
from sakiyomi.sgf.charset import decode_broken
from sakiyomi.sgf.faults import BadRecord
from sakiyomi.sgf.formats import HEAD, has_sgf, named_format, pgn_start, shogi_format
from sakiyomi.sgf.grammar import MAX_BYTES
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.wide import Narrowed, wide_charset

CHUNK = 1 << 23
"""Bytes of PGN looked through at once."""
_SCORES = {"1-0": 1.0, "0-1": 0.0, "1/2-1/2": 0.5}
_CLOSINGS = ((b"1/2-1/2", 0.5), (b"1-0", 1.0), (b"0-1", 0.0))

Progress = Callable[[int, float], None]
"""Hears how many games are read and what share (0..1) of the files."""


@dataclass
class Read:
    """What was found: `outcomes` of rated games in the order of the files, and what is left out and why.

    `games` counts all that were read, `undecided` those without a result, `unnamed` those without two names.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    games: int = 0
    undecided: int = 0
    unnamed: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, first: str, second: str, score: float | None) -> None:
        """Take in one game."""
        self.games += 1
        if score is None:
            self.undecided += 1
        elif not first or not second:
            self.unnamed += 1
        else:
            self.outcomes.append((first, second, score))


def read_games(paths: Sequence[Path], progress: Progress = lambda games, share: None) -> Read:
    """The games in tournament folders, databases, record files, folders of records and archives.

    What cannot be read is listed in `failures`. Raises ValueError for a path that is not there, StoreError for a
    damaged database.
    """
    found = Read()
    for number, path in enumerate(paths):
        if not path.exists():
            raise ValueError(f"{path}: no such file or folder")

        def report(share: float, before: int = number) -> None:
            progress(found.games, (before + share) / len(paths))

        if not _read_tournament(path, found):
            _read_files(path, found, report)
        report(1.0)
    return found


def _read_tournament(path: Path, found: Read) -> bool:
    """Read a tournament's folder or database; False if `path` is none."""
    from sakiyomi.arena.folder import Folder
    from sakiyomi.arena.store import Store, is_database
    from sakiyomi.arena.tasks.results import task_games
    from sakiyomi.arena.tasks.store import holds_tasks

    database = Folder(path).database if path.is_dir() else path
    if not (is_database(database) or (database.suffix == ".sqlite" and database.exists())):
        return False
    if holds_tasks(database):
        for record in task_games(database):
            found.add(*record.players, record.score)
        return True
    with Store.open(database) as store:
        for row in store.rows():
            played = row.played
            found.add(*played.record.players, played.record.score if played.rated else None)
    return True


def _read_files(path: Path, found: Read, report: Callable[[float], None]) -> None:
    meter = Meter()
    for _, source in sources((path,), MAX_BYTES, meter):
        try:
            if isinstance(source, BadRecord):
                raise source
            if not shogi_format(source.head(HEAD)) and pgn_start(source.head(HEAD)) is not None:
                for _ in _read_pgn(source, found):
                    report(meter.now / max(meter.total, 1))
                continue
            for number, game in enumerate(_records(source)):
                if isinstance(game, BadRecord):
                    found.failures.append(str(game))
                else:
                    found.add(*game.players, game.score)
                if number % 100 == 0:
                    report(meter.now / max(meter.total, 1))
        except BadRecord as error:
            found.failures.append(str(error))


def _records(source: Source) -> Iterator[Record | BadRecord]:
    """The games of a file that is no PGN."""
    from sakiyomi.sgf.go import record_of
    from sakiyomi.sgf.grammar import parse
    from sakiyomi.sgf.shogi_reading import stream_shogi

    if form := shogi_format(source.head(HEAD)):
        yield from stream_shogi(form, source, MAX_BYTES)
        return
    if (named := named_format(source.name)) and not has_sgf(source.head(HEAD)):
        raise BadRecord(f"no {named} game in it", file=source.name)
    for tree in parse(source.whole(MAX_BYTES), source.name):
        try:
            yield record_of(tree)
        except BadRecord as error:
            yield error


def _read_pgn(source: Source, found: Read) -> Iterator[None]:
    """Read the tags of a PGN file, a chunk at a time."""
    if wide_charset(source.head(HEAD)):
        source = Narrowed(source)
    source.read(pgn_start(source.head(HEAD)) or 0)
    names: dict[bytes, str] = {}
    rest, last = b"", False
    while not last:
        data = source.read(CHUNK + len(rest))
        last = len(data) < CHUNK + len(rest)
        text = rest + data
        rest = text[_read_chunk(text, last, names, found) :]
        yield
    if source.broken:
        raise source.broken


def _read_chunk(text: bytes, last: bool, names: dict[bytes, str], found: Read) -> int:
    """Read the games of `text`, but for the last if more text follows; how many bytes are done with."""
    data = np.frombuffer(text, np.uint8)
    stops, first_tags, starts, tags = _split(data)
    done = len(text)
    if not last:
        done = int(starts[-1]) if len(starts) else max(text.rfind(b"\n"), 0)
        tags = tags[: int(first_tags[-1])] if len(starts) else tags
        stops, first_tags = stops[:-1], first_tags[:-1]
    white, black, result = (_values(data, tags, first_tags, name) for name in (b"White", b"Black", b"Result"))
    for stop, a, b, c, d, e, f in zip(
        stops.tolist(), *white.T.tolist(), *black.T.tolist(), *result.T.tolist(), strict=True
    ):
        one, other = text[a:b], text[c:d]
        first, second = names.get(one), names.get(other)
        if first is None:
            first = names[one] = _name(one)
        if second is None:
            second = names[other] = _name(other)
        said = text[e:f].decode("latin-1")
        score = _SCORES.get(said)
        if score is None:
            score = _score(said, text[max(stop - 8, 0) : stop])
        found.add(first, second, score)
    return done


def _split(
    data: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Games' stops, first tags and starts, and the tags' names and values [T, 4] (start, stop, start, stop)."""
    from sakiyomi.sgf import pgn_scan

    room_games, room_tags = len(data) // 100 + 16, len(data) // 20 + 64
    i, line, before = 0, 1, 0
    games: list[NDArray[np.int64]] = []
    tags: list[NDArray[np.int64]] = []
    while i < len(data) or not games:
        game = np.zeros((room_games, pgn_scan.GAME_COLUMNS), np.int64)
        tag, counts = np.zeros((room_tags, 4), np.int64), np.zeros(4, np.int64)
        pgn_scan.split(data, np.uint64(i), np.uint64(line), game, tag, counts)
        number, used, i, line = counts.tolist()
        game[:, int(pgn_scan.FIRST_TAG)] += before
        games.append(game[:number])
        tags.append(tag[:used])
        before += used
        room_games, room_tags = 2 * room_games, 2 * room_tags
    table = np.concatenate(games)
    stops, first_tags, starts = (table[:, int(c)] for c in (pgn_scan.STOP, pgn_scan.FIRST_TAG, pgn_scan.START))
    return stops, first_tags, starts, np.concatenate(tags)


def _values(
    data: NDArray[np.uint8], tags: NDArray[np.int64], first_tags: NDArray[np.int64], name: bytes
) -> NDArray[np.int64]:
    """[G, 2] where the value of the tag `name` begins and ends in each game, 0 and 0 where there is none."""
    places = np.zeros((len(first_tags), 2), np.int64)
    if not len(first_tags):
        return places
    rows = np.flatnonzero(tags[:, 1] - tags[:, 0] == len(name))
    for offset, byte in enumerate(name):
        rows = rows[data[tags[rows, 0] + offset] == byte]
    games = np.searchsorted(first_tags, rows, side="right") - 1
    places[games] = tags[rows, 2:]  # of equal names the last counts
    return places


def _name(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = decode_broken(raw)
    text = pgn_tags.unescape(text).strip()
    return "" if text == "?" else text


def _score(said: str, end: bytes) -> float | None:
    result, exact = pgn_tags.read_result(said)
    if result != "*":
        return _SCORES[result]
    if exact or said == "*":
        return next((score for word, score in _CLOSINGS if end.endswith(word)), None)
    return None


def read_aliases(path: Path) -> dict[str, str]:
    """Other name -> canonical name, from lines of the one, a tab and the other. Raises ValueError for other lines."""
    aliases: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        canonical, *others = (part.strip() for part in line.split("\t"))
        if not canonical or not others or not all(others):
            raise ValueError(f"{path}, line {number}: wanted: a name, a tab, and the other name; got {line!r}")
        for other in others:
            if aliases.setdefault(other, canonical) != canonical:
                raise ValueError(f"{path}, line {number}: {other!r} stands for two players")
    return aliases


def seat_pairs(outcomes: Sequence[Outcome]) -> list[list[Outcome]]:
    """The games of each two players in pairs with the seats swapped, as they follow each other; the others alone."""
    waiting: dict[tuple[str, str], list[Outcome]] = {}
    pairs: list[list[Outcome]] = []
    for outcome in outcomes:
        first, second, _ = outcome
        if queue := waiting.get((second, first)):
            pairs.append([queue.pop(0), outcome])
        else:
            waiting.setdefault((first, second), []).append(outcome)
    return pairs + [[outcome] for queue in waiting.values() for outcome in queue]
