"""CSA, KIF and KI2 read, every move checked, and written, against cshogi and python-shogi in the same run.

    python benchmarks/shogi_records_speed.py [--csa FILE] [--kif FILE] [--python-shogi FOLDER] [--quick]

FILE is an archive (.tar.xz) of records, one game a file; without one games are made: random legal games of 120 moves
at the most with names, times and an ending. Each reader first reads all games, and the moves are compared; then all
take turns, and each figure is the best, per CPU second of one thread. Files are in memory, as bytes for us, as text for
the others. FOLDER is the site-packages where python-shogi lies, if not in this environment; it is GPL, and slow.
"""

import argparse
import io
import random
import sys
import tarfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cshogi
import cshogi.CSA
import cshogi.KI2
import cshogi.KIF
from timing import best_rates, show

from sakiyomi.boards import rows
from sakiyomi.sgf import BadRecord, Record, read_csa, read_kif, to_csa, to_ki2, to_kif
from sakiyomi.sgf.shogi_text import decode

Lines = list[tuple[str, ...]]


def made_games(count: int) -> list[Record]:
    """Random legal games that end by resignation."""
    rng, records = random.Random(0), []
    for number in range(count):
        board, moves, comments = cshogi.Board(), [], {}
        while len(moves) < 120 and (legal := list(board.legal_moves)):
            move = rng.choice(legal)
            moves.append(cshogi.move_to_usi(move))
            comments[len(moves)] = f"[%emt 0:00:{rng.randrange(60):02}]"
            board.push(move)
        result = ("0-1", "1-0")[len(moves) % 2]
        names = (f"black {number}", f"white {number}")
        records.append(Record("shogi", tuple(moves), None, result, "resignation", names, {}, comments))
    return records


def files_of(path: Path, suffix: str) -> list[bytes]:
    """The records in an archive."""
    with tarfile.open(path) as archive:
        found = (archive.extractfile(member) for member in archive if member.name.endswith(suffix))
        return [file.read() for file in found if file is not None]


def ours(read: Callable[[bytes], list[Record | BadRecord]], files: Iterable[bytes]) -> Lines:
    """The main lines that we read. Raises BadRecord."""
    lines = []
    for data in files:
        for record in read(data):
            if isinstance(record, BadRecord):
                raise record
            lines.append(record.moves)
    return lines


def of_cshogi(parse: Callable[[str], Any], texts: Iterable[str]) -> Lines:
    """What cshogi reads."""
    lines = []
    for text in texts:
        parsed = parse(text)
        games = parsed if isinstance(parsed, list) else [parsed]
        lines += [tuple(cshogi.move_to_usi(move) for move in game.moves) for game in games]
    return lines


def of_python_shogi(module: Any, texts: Iterable[str]) -> Lines:
    """What python-shogi reads."""
    return [tuple(game["moves"]) for text in texts for game in module.Parser.parse_str(text)]


def agreement(name: str, mine: Lines, theirs: Lines) -> str:
    """How many games the two read alike."""
    same = sum(a == b for a, b in zip(mine, theirs, strict=True))
    return f"  {name} reads {same} of {len(mine)} games with the same moves"


def attempt(job: Callable[[Sequence[str]], Lines], text: str) -> tuple[str, ...]:
    """One file by a peer, nothing if it fails."""
    try:
        return job([text])[0]
    except (ValueError, KeyError, IndexError, AssertionError, cshogi.KIF.ParserException):
        return ()


def compare(
    title: str,
    read: Callable[[bytes], list[Record | BadRecord]],
    files: list[bytes],
    peers: dict[str, Callable[[Sequence[str]], Lines]],
    rounds: int,
) -> None:
    """Check and time the readers of one format on files of one game each; peers are timed on those that they read."""
    texts = [decode(data).text for data in files]
    mine = ours(read, files)
    plies = sum(map(len, mine))
    print(f"{title}: {len(files)} games, {sum(map(len, files)):,} bytes, {plies:,} plies")
    jobs: dict[str, Callable[[], float]] = {"sakiyomi": lambda: float(len(ours(read, files)))}
    for name, job in peers.items():
        theirs = [attempt(job, text) for text in texts]
        print(agreement(name, mine, theirs))
        good = [text for text, line in zip(texts, theirs, strict=True) if line]
        jobs[name] = lambda job=job, good=good: float(len(job(good)))  # type: ignore[misc]
    show(f"{title}, one game a file", "games a CPU s", best_rates(jobs, rounds))


def compare_archive(title: str, files: list[bytes], rounds: int) -> None:
    """Time the readers of CSA on one text of all games."""
    data = b"/\n".join(file.removeprefix(b"\xef\xbb\xbf") for file in files)
    text = decode(data).text
    mine, theirs = ours(read_csa, [data]), of_cshogi(cshogi.CSA.Parser.parse_str, [text])
    print(agreement("cshogi", mine, theirs))
    jobs: dict[str, Callable[[], float]] = {
        "sakiyomi, moves as USI": lambda: float(len(read_csa(data))),
        "cshogi, moves as numbers": lambda: float(len(cshogi.CSA.Parser.parse_str(text))),
        "cshogi, moves as USI": lambda: float(len(of_cshogi(cshogi.CSA.Parser.parse_str, [text]))),
    }
    show(f"{title}, one file of all games", "games a CPU s", best_rates(jobs, rounds))


def writing(records: list[Record], rounds: int) -> None:
    """Games written; we check the moves, cshogi has them as its own numbers and writes no times."""
    games = []
    for record in records:
        board, numbers = cshogi.Board(), []
        for move in record.moves:
            numbers.append(board.move_from_usi(move))
            board.push(numbers[-1])
        games.append((list(record.players), numbers))

    def csa_of_cshogi() -> float:
        out = cshogi.CSA.Exporter()
        out.f = io.StringIO()
        for names, numbers in games:
            out.info(names=names, version="V2.2")
            for number in numbers:
                out.move(number)
            out.endgame("%TORYO")
        return float(len(games))

    def kif_of_cshogi() -> float:
        out = cshogi.KIF.Exporter()
        for names, numbers in games:
            out.kifu, out.prev_move, out.move_number = io.StringIO(), None, 1
            out.header(names)
            for number in numbers:
                out.move(number)
            out.end("resign")
        return float(len(games))

    for form, write, theirs in (("CSA", to_csa, csa_of_cshogi), ("KIF", to_kif, kif_of_cshogi), ("KI2", to_ki2, None)):
        jobs: dict[str, Callable[[], float]] = {
            "sakiyomi": lambda write=write: float(len(write(records)) and len(games))
        }  # type: ignore[misc]
        if theirs is not None:
            jobs["cshogi"] = theirs
        show(f"{form}, written", "games a CPU s", best_rates(jobs, rounds))


def python_shogi(folder: Path | None) -> Any:
    """The package `shogi` with its readers, None where it is missing."""
    if folder is not None:
        sys.path.append(str(folder))
    try:
        import shogi.CSA
        import shogi.KIF
    except ImportError:
        return None
    return shogi


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csa", type=Path, help="archive of .csa files")
    parser.add_argument("--kif", type=Path, help="archive of .kif files")
    parser.add_argument("--python-shogi", type=Path, metavar="FOLDER", help="site-packages that hold python-shogi")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs")
    given = parser.parse_args()
    rows.set_threads(1)
    rounds, count = (2, 40) if given.quick else (7, 400)
    made = made_games(count)
    csa = files_of(given.csa, ".csa") if given.csa else [to_csa(record) for record in made]
    kif = files_of(given.kif, ".kif") if given.kif else [to_kif(record) for record in made]
    peer = python_shogi(given.python_shogi)
    csa_peers = {"cshogi": lambda texts: of_cshogi(cshogi.CSA.Parser.parse_str, texts)}
    kif_peers = {"cshogi": lambda texts: of_cshogi(cshogi.KIF.Parser.parse_str, texts)}
    if peer is not None:
        csa_peers["python-shogi"] = lambda texts: of_python_shogi(peer.CSA, texts)
        kif_peers["python-shogi"] = lambda texts: of_python_shogi(peer.KIF, texts)
    compare("CSA", read_csa, csa, csa_peers, rounds)
    compare_archive("CSA", csa, rounds)
    compare("KIF", read_kif, kif, kif_peers, rounds)
    compare("KI2", read_kif, [to_ki2(record) for record in made], {}, rounds)
    writing(made, rounds)


if __name__ == "__main__":
    main()
