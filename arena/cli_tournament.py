"""The commands `tournament`, `ratings` and `report`."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from sakiyomi.arena.settings import Settings
    from sakiyomi.arena.tournament import Tournament
    from sakiyomi.sgf.record import Record

_Limit = Annotated[int | None, typer.Option(min=1)]


def tournament(
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="GAME PLAYER... | FILE.toml", help="the game and who plays, or a file that says so"),
    ] = None,
    games: Annotated[
        int | None, typer.Option(help="games for each two players who meet (default 10; swiss 2; sprt: at most 10000)")
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="round-robin (default), gauntlet, ladder:K, swiss:ROUNDS, sprt:ELO0,ELO1"),
    ] = None,
    openings: Annotated[
        str | None,
        typer.Option(metavar="FILE|random:PLIES", help="moves or positions at the start: lines, FEN, EPD, records"),
    ] = None,
    simulations: Annotated[int | None, typer.Option(help="simulations a move, for players that count them")] = None,
    seconds: Annotated[float | None, typer.Option(help="seconds a move")] = None,
    margin: Annotated[float | None, typer.Option(help="seconds that a move may take beyond that (default 1)")] = None,
    patience: Annotated[
        float | None, typer.Option(help="seconds until a silent player has lost (default 600); needs workers")
    ] = None,
    komi: Annotated[float | None, typer.Option(help="Go: points that White gets (default 7.5)")] = None,
    rules: Annotated[str | None, typer.Option(help="Go: a rule set; see 'sakiyomi list rules'")] = None,
    workers: Annotated[int | None, typer.Option(help="processes (default: one a processor)")] = None,
    seed: Annotated[int | None, typer.Option(help="the same seed gives the same games (default 0)")] = None,
    out: Annotated[str | None, typer.Option(metavar="DIR", help="folder for games, standings and report")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="keep the games that DIR holds, play the rest")] = False,
    add: Annotated[
        list[str] | None, typer.Option(metavar="PLAYER", help="with --resume: one more player; may be repeated")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the final standings as JSON")] = False,
) -> None:
    """Play a tournament, everyone against everyone unless --schedule says otherwise, and rate the players.

    gauntlet:K: the first K players (1) meet all others; ladder:K: each player the K (3) before it, as checkpoints do.

    swiss:ROUNDS: players meet others with about as many points, whom they have met least.

    sprt:0,5: two players, until it is clear whether the first is stronger by 5 Elo or by none (also with alpha=0.1).

    Leaves in DIR tournament.sqlite, standings.json and report.html, and in games/ the record of each game.

    Records are .sgf files, of chess .pgn, of shogi .csa and .kif; all in one are all-games.pgn and all-games.csa.

    In chess960 pairs start from positions drawn at random. Engines are tried out before the first game.

    Example: sakiyomi tournament go-9x9 random uct:100 strong=uct:800 --games 20 --openings random:4 --out first

    Example: sakiyomi tournament chess alphabeta:4 "uci:stockfish@nodes=200" --openings openings.pgn:8 --out second

    Example: sakiyomi tournament shogi alphabeta:3 "usi:fairy-stockfish@nodes=500" --openings random:4 --out third

    Example: sakiyomi tournament chess new=alphabeta:5 old=alphabeta:4 --schedule sprt:0,20 --openings random:8

    Example: sakiyomi tournament --resume --out first --add uct:1600
    """
    given = {
        "games": games,
        "schedule": schedule,
        "openings": openings,
        "simulations": simulations,
        "seconds": seconds,
        "margin": margin,
        "patience": patience,
        "workers": workers,
        "seed": seed,
        "out": out,
    }
    given = {key: value for key, value in given.items() if value is not None}
    options = {key: value for key, value in (("komi", komi), ("rules", rules)) if value is not None}
    if not what:
        with _patience():
            contest = _stored(given, options, resume, add or [])
    elif add:
        raise ValueError("--add belongs to --resume --out DIR, without game and players")
    else:
        settings = _settings(what)
        for name in settings.missing:
            typer.echo(f"{name} is left out: its program is not installed", err=True)
        with _patience():
            contest = _described(settings, given, options, resume)
    _run(contest, as_json)


def ratings(
    paths: Annotated[
        list[Path], typer.Argument(help="tournament folders, databases, game records, folders of records")
    ],
    anchor: Annotated[str | None, typer.Option(metavar="PLAYER", help="whose rating is fixed")] = None,
    elo: Annotated[float, typer.Option(help="the rating of the anchor")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Rate the players of any games: tournaments of ours, game records of anybody's.

    Example: sakiyomi ratings first second/tournament.sqlite games.sgf --anchor random
    """
    from sakiyomi.arena.rating.joint import ratings as rate

    found = [game for path in paths for game in _games(path)]
    table = rate(found, anchor=anchor, anchor_elo=elo)
    if not table:
        raise ValueError(f"no rated game in {', '.join(map(str, paths))} ({len(found)} games read)")
    _print_standings(table, as_json)


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the folder of a tournament")],
) -> None:
    """Write report.html and standings.json of a tournament again, also while it goes on.

    Example: sakiyomi report first
    """
    from sakiyomi.arena.folder import Folder
    from sakiyomi.arena.results import write_results_of

    write_results_of(Folder(folder))
    print(Folder(folder).report)


@contextmanager
def _patience() -> Iterator[None]:
    """Say what takes so long, if it does."""
    timer = Timer(2.0, typer.echo, ["waiting for the engines to start ..."], {"err": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _settings(what: list[str]) -> "Settings":
    from sakiyomi.arena.settings import Settings, read_settings

    if what[0].endswith(".toml"):
        if len(what) > 1:
            raise ValueError(f"{what[0]} names the players; {what[1]!r} is too much")
        return read_settings(Path(what[0]))
    return Settings(what[0], what[1:], {}, {})


def _described(settings: "Settings", given: dict[str, Any], options: dict[str, Any], resume: bool) -> "Tournament":
    from sakiyomi.arena.tournament import Tournament
    from sakiyomi.boards.player import Budget

    other = settings.other | given
    budget = Budget(other.pop("simulations", None), other.pop("seconds", None))
    other.setdefault("out", f"tournaments/{settings.game}-{time.strftime('%Y%m%d-%H%M%S')}")
    return Tournament(
        settings.game,
        settings.players,
        budget=budget,
        resume=resume,
        options=settings.options | options,
        **other,
    )


def _stored(given: dict[str, Any], options: dict[str, Any], resume: bool, add: list[str]) -> "Tournament":
    from sakiyomi.arena.tournament import Tournament

    if not resume or "out" not in given:
        raise ValueError(
            "a game and players are wanted, as in: sakiyomi tournament go-9x9 random uct:100"
            " (or --resume --out DIR to go on with a tournament)"
        )
    fixed = sorted((given.keys() - {"out", "workers", "games", "schedule", "patience"}) | options.keys())
    if fixed:
        raise ValueError(f"--{fixed[0]} cannot change when a tournament is resumed")
    return Tournament.stored(given.pop("out"), add=add, **given)


def _run(contest: "Tournament", as_json: bool) -> None:
    """Play, show, and leave everything in order when interrupted."""
    from sakiyomi.arena.live import follow, plain_console, test_line
    from sakiyomi.arena.schedules.sequential import SprtSchedule
    from sakiyomi.arena.tournament import processors

    console = plain_console(stderr=as_json)
    folder = contest.folder
    assert folder is not None, "the command line always has a folder"
    signal.signal(signal.SIGTERM, _interrupt)
    total = contest.schedule.planned
    most = "at most " if isinstance(contest.schedule, SprtSchedule) else ""
    console.print(f"{contest.title}: {most}{total} games, in {folder.path}")
    if contest.budget.seconds and contest.workers > processors():
        console.print("more workers than processors: players will lack time, and may lose on it")
    try:
        follow(contest, console)
    except KeyboardInterrupt:
        contest.write_results()
        console.print(
            f"stopped after {len(contest.rows)} of {total} games, all kept; to go on:"
            f" sakiyomi tournament --resume --out {folder.path}"
        )
        raise
    _print_standings(contest.standings(), as_json, unrated=_unrated(contest))
    if verdict := test_line(contest):
        console.print(verdict)
    _print_faults(contest, console)
    console.print(f"report: {folder.report}")


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _unrated(contest: "Tournament") -> list[str]:
    rated = {rating.name for rating in contest.standings()}
    return [name for name in contest.names if name not in rated]


def _print_standings(table: Any, as_json: bool, unrated: list[str] | None = None) -> None:
    from sakiyomi.arena.folder import plain
    from sakiyomi.arena.live import plain_console, standings_table

    if as_json:
        print(json.dumps([plain(asdict(rating)) for rating in table], indent=1, ensure_ascii=False))
    else:
        plain_console().print(standings_table(table, unrated=unrated or ()))


def _print_faults(contest: "Tournament", console: "Console") -> None:
    """How many games ended by somebody's fault, with the first of each kind."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for played in contest.played:
        if played.detail:
            kinds.setdefault((played.termination.value, played.detail.partition(":")[0]), []).append(played.detail)
    for (termination, _), details in kinds.items():
        console.print(f"{len(details)} x {termination}: {details[0]}")


def _games(path: Path) -> "Iterator[Record | Any]":
    """The games in a tournament's folder or database, or in any records."""
    from sakiyomi.arena.folder import Folder
    from sakiyomi.arena.store import Store, is_database

    database = Folder(path).database if path.is_dir() else path
    if is_database(database) or (database.suffix == ".sqlite" and database.exists()):
        with Store.open(database) as store:
            yield from (row.played for row in store.rows())
        return
    if not path.exists():
        raise ValueError(f"{path}: no such file or folder")
    from sakiyomi.sgf import Collection

    collection = Collection(path)
    yield from collection
    for failure in collection.failures:
        typer.echo(f"left out: {failure}", err=True)
