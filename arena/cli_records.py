"""The commands `records check`, `records convert` and `records stats`."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sakiyomi.sgf import Collection, Record

app = typer.Typer(
    help="Game records: check, convert, count.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

_Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="record files, folders, archives")]
_Json = Annotated[bool, typer.Option("--json", help="print JSON")]
_KINDS = (".sgf", ".pgn", ".csa", ".kif", ".kifu", ".ki2", ".usi")
_WRITTEN = tuple(kind + packed for kind in _KINDS for packed in ("", ".gz", ".xz", ".bz2"))
_PROGRESS_AFTER = 1.0  # seconds until a progress bar is worth showing


@app.command()
def check(
    paths: _Paths,
    strict: Annotated[bool, typer.Option("--strict", help="tolerated faults are failures, too")] = False,
    replay: Annotated[bool, typer.Option("--replay/--no-replay", help="play every move under the rules")] = True,
    as_json: _Json = False,
) -> None:
    """Read every game and replay it; list those that are faulty, with file, byte, line and reason.

    Exit code 0 if all are sound, 1 if some are not, 2 if a path cannot be opened. Faults that are read all the same
    (docs/sgf.md, docs/pgn.md and docs/shogi-records.md list them) are counted by kind, and are failures only with
    --strict.

    Example: sakiyomi records check games/ kgs-6d-19x19.tar.xz
    """
    from sakiyomi.sgf import Collection

    collection = Collection(*paths, strict=strict, legal=replay)
    tolerated: Counter[str] = Counter()
    began = time.perf_counter()
    for record in _with_progress(collection, "checking"):
        tolerated.update({found.fault.name for found in record.tree.faults})
    took = time.perf_counter() - began
    if as_json:
        _print_json(
            {
                "files": collection.files,
                "games": collection.games,
                "failures": [
                    {"file": bad.file, "game": bad.game, "byte": bad.byte, "line": bad.line, "reason": bad.reason}
                    for bad in collection.failures
                ],
                "tolerated": dict(tolerated.most_common()),
            }
        )
    else:
        _print_check(collection, tolerated, took)
    if collection.failures:
        raise typer.Exit(1)
    if not collection.files:
        raise ValueError(
            f"no record files in {', '.join(map(str, paths))}; names such as game.sgf, games.pgn are looked for"
        )


def _print_check(collection: "Collection", tolerated: Counter[str], took: float) -> None:
    from sakiyomi.sgf import Fault

    for bad in collection.failures:
        print(_clean(str(bad)))
    if tolerated:
        print("read all the same:")
        for name, count in tolerated.most_common():
            print(f"  {count:7,}  {Fault[name].value}")
    rate = f", {collection.games / took:,.0f} games/s" if took > _PROGRESS_AFTER else ""
    print(f"{collection.games:,} sound games, {len(collection.failures):,} failures{rate}")


@app.command()
def convert(
    paths: _Paths,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help=".sgf, .pgn, .csa, .kif, .kifu, .ki2, .usi (also .gz, .xz, .bz2 behind it) or .jsonl",
        ),
    ],
    charset: Annotated[
        str, typer.Option(help="of the file written, such as UTF-8; without it UTF-8, for .kif and .ki2 Shift_JIS")
    ] = "",
    main_line: Annotated[bool, typer.Option("--main-line", help="leave variations and markup out")] = False,
    legal: Annotated[bool, typer.Option("--legal", help="leave games out that do not replay")] = False,
) -> None:
    """Write all games into one clean SGF or PGN file, of shogi CSA, KIF, KI2 or USI, or a JSON object a line (.jsonl).

    Games that cannot be read are named on standard error and left out; the exit code is then 1. All but SGF is written
    as the games are read, so that files of any size go through.

    Example: sakiyomi records convert old/ --out all.sgf --main-line

    Example: sakiyomi records convert lichess.pgn.xz --out main-lines.pgn --main-line

    Example: sakiyomi records convert floodgate/ --out games.csa
    """
    from dataclasses import replace

    from sakiyomi.sgf import Collection, save
    from sakiyomi.sgf.writing import write_whole

    endings = "".join(out.suffixes[-2:]).lower()
    if not endings.endswith((*_WRITTEN, ".jsonl")):
        kinds = ", ".join(_KINDS)
        raise ValueError(f"--out {out}: the name must end in one of {kinds} (.gz, .xz, .bz2 may follow), or in .jsonl")
    collection = Collection(*paths, legal=legal)
    counted = _Counted(_with_progress(collection, "converting"))
    records = (replace(record, tree=_main_line(record.tree)) if main_line else record for record in counted)
    if endings.endswith(".jsonl"):
        lines = (json.dumps(_as_json(record), ensure_ascii=False) for record in records)
        write_whole(out, (f"{line}\n".encode("utf-8", "replace") for line in lines))
    else:
        save(records, out, charset or ("UTF-8" if endings.endswith(_WRITTEN[:8]) else None))
    for bad in collection.failures:
        print(_clean(f"left out: {bad}"), file=sys.stderr)
    print(f"{counted.count:,} games written to {out}")
    if collection.failures:
        raise typer.Exit(1)


def _main_line(tree: Any) -> Any:
    """What `--main-line` leaves of a tree: of shogi's the times."""
    from sakiyomi.sgf.shogi_tree import ShogiTree

    return tree.main_line() if isinstance(tree, ShogiTree) else None


class _Counted:
    """Records, counted as they pass."""

    def __init__(self, records: "Iterator[Record]"):
        self.records, self.count = records, 0

    def __iter__(self) -> "Iterator[Record]":
        """The records."""
        for record in self.records:
            self.count += 1
            yield record


def _as_json(record: "Record") -> dict[str, Any]:
    return {
        "game": record.game,
        "setup": record.setup,
        "moves": record.moves,
        "result": record.result,
        "ending": record.ending,
        "players": record.players,
        "tags": dict(record.tags),
        "comments": {str(ply): text for ply, text in record.comments.items()},
    }


@app.command()
def stats(paths: _Paths, as_json: _Json = False) -> None:
    """Count games, moves, results, endings, years, charsets, the most frequent players; also what only some games have.

    That is, for Go: handicaps and rules; for chess: openings by their ECO code, players' ratings in steps of 200, and
    who won.

    Example: sakiyomi records stats kgs-6d-19x19.tar.xz

    Example: sakiyomi records stats lichess.pgn.xz --json
    """
    from sakiyomi.sgf import Collection

    collection = Collection(*paths)
    counted = _count(_with_progress(collection, "counting"))
    counted["failures"] = len(collection.failures)
    if as_json:
        _print_json(counted)
    else:
        _print_stats(counted)
    if not collection.files:
        raise ValueError(f"no record files in {', '.join(map(str, paths))}; names such as game.sgf are looked for")


_TABLES = ("game", "result", "how", "handicap", "rules", "ECO", "rating", "year", "charset", "player")
_WINNERS = {1.0: "{first} wins", 0.5: "draw", 0.0: "{second} wins", None: "unknown"}


def _count(records: Iterator["Record"]) -> dict[str, Any]:
    """What `stats` shows."""
    tables: dict[str, Counter[str]] = {name: Counter() for name in _TABLES}
    games = moves = variations = comments = 0
    for record in records:
        games += 1
        moves += len(record.moves)
        comments += len(record.comments)
        variations += record.tree.has_variations
        _tally(record, tables)
    return {
        "games": games,
        "moves": moves,
        "moves per game": round(moves / games, 1) if games else 0,
        "games with variations": variations,
        "comments": comments,
        **{name: dict(table.most_common(12)) for name, table in tables.items() if table or not games},
    }


def _tally(record: "Record", tables: dict[str, Counter[str]]) -> None:
    """Count what one record says."""
    tags, chess = record.tags, record.game.startswith(("chess", "pgn-"))
    first, second = ("white", "black") if chess else ("black", "white")
    tables["game"][record.game] += 1
    tables["result"][_WINNERS[record.score].format(first=first, second=second)] += 1
    by_points = record.result[1:2] == "+" and record.result[2:3].isdigit()
    tables["how"][record.ending or ("score" if by_points else "unknown")] += 1
    tables["year"][tags["date"][:4] if tags.get("date") else "unknown"] += 1
    tables["charset"][record.tree.charset] += 1
    tables["player"].update(name for name in record.players if name)
    if record.game.startswith("go-"):
        tables["handicap"][tags.get("handicap") or "0"] += 1
        tables["rules"][tags.get("rules") or "unknown"] += 1
    if chess:
        tables["ECO"][tags["ECO"] if tags.get("ECO", "?").strip("?") else "unknown"] += 1
        for name in ("WhiteElo", "BlackElo"):
            rating = tags.get(name, "")
            low = int(rating) // 200 * 200 if rating.isascii() and rating.isdigit() and len(rating) < 5 else 0
            tables["rating"][f"{low}-{low + 199}" if low else "unknown"] += 1


def _print_stats(counted: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in counted.items():
        shown = f"{value:,}" if not isinstance(value, dict) else ""
        if isinstance(value, dict):
            shown = "  ".join(f"{_clean(str(key))} {count:,}" for key, count in value.items())
        table.add_row(name, shown)
    Console(soft_wrap=False, markup=False, highlight=False).print(table)


def _with_progress(collection: "Collection", doing: str) -> Iterator["Record"]:
    """The records; on a terminal with a bar of the bytes read, once it has taken a second."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield from collection
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    began, shown, bar = time.perf_counter(), 0.0, Progress(*columns, console=console, transient=True)
    task = bar.add_task(doing)
    try:
        for record in collection:
            now = time.perf_counter()
            if now - began > _PROGRESS_AFTER and now - shown > 0.2:
                if not shown:
                    bar.start()
                shown = now
                done, total = collection.progress
                bar.update(task, completed=done, total=total, description=f"{doing} {collection.games:,} games")
            yield record
    finally:
        if shown:
            bar.stop()


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=not (sys.stdout.encoding or "").lower().startswith("utf")))


def _clean(text: str) -> str:
    """`text` in one line, without control characters: names in records are anybody's."""
    line = "".join(c if c.isprintable() else " " for c in text)
    return line.encode(sys.stdout.encoding or "utf-8", "replace").decode(sys.stdout.encoding or "utf-8")
