"""The command `tournament`, and `match` for two players."""

import json
import re
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sakiyomi.arena.cli_going import patience as waiting
from sakiyomi.arena.cli_going import pause_line, quoted, stop_by_signals, stopped
from sakiyomi.arena.cli_options import (
    Annotate,
    ClockText,
    Depth,
    Draw,
    Games,
    Komi,
    Margin,
    MaxMoves,
    Memory,
    Nice,
    Openings,
    Out,
    Patience,
    Pin,
    Ray,
    Resign,
    Restart,
    Rules,
    Scales,
    Schedule,
    Seconds,
    Seed,
    Simulations,
    Solved,
    Tablebases,
    Workers,
)
from sakiyomi.arena.cli_tasks import is_task_folder, report_tasks, resume_tasks, run_tasks, task_names

if TYPE_CHECKING:
    from rich.console import Console

    from sakiyomi.arena.settings import Settings
    from sakiyomi.arena.tournament import Tournament


def tournament(
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="GAME PLAYER... | FILE.toml", help="the game and who plays, or a file that says so"),
    ] = None,
    games: Games = None,
    schedule: Schedule = None,
    openings: Openings = None,
    komi: Komi = None,
    rules: Rules = None,
    seed: Seed = None,
    simulations: Simulations = None,
    seconds: Seconds = None,
    depth: Depth = None,
    clock: ClockText = None,
    margin: Margin = None,
    annotate: Annotate = None,
    resign: Resign = None,
    draw: Draw = None,
    max_moves: MaxMoves = None,
    solved: Solved = None,
    tablebases: Tablebases = None,
    scales: Scales = None,
    workers: Workers = None,
    patience: Patience = None,
    restart: Restart = None,
    pin: Pin = None,
    memory: Memory = None,
    nice: Nice = None,
    ray: Ray = None,
    out: Out = None,
    resume: Annotated[bool, typer.Option("--resume", help="keep the games that DIR holds, play the rest")] = False,
    mend: Annotated[
        bool, typer.Option("--recover", help="with --resume: first save what can be read of a damaged database")
    ] = False,
    add: Annotated[
        list[str] | None, typer.Option(metavar="PLAYER", help="with --resume: one more player; may be repeated")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the final standings as JSON")] = False,
) -> None:
    """Play a tournament, everyone against everyone unless --schedule says otherwise, and rate the players.

    GAME may be a single-player task, or several ("a,b"): all players play the same seeds. See 'sakiyomi list tasks'.

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

    Example: sakiyomi tournament chess a=alphabeta:6 "uci:stockfish" --clock 10+0.1 --resign moves=4,score=800 --out d

    Example: sakiyomi tournament cartpole-swingup random zero swingup --games 20 --out tasks

    Example: sakiyomi tournament --resume --out first --add uct:1600
    """
    given = {
        key: value
        for key, value in locals().items()
        if value is not None and key not in ("what", "resume", "mend", "add", "as_json", "komi", "rules")
    }
    options = {key: value for key, value in (("komi", komi), ("rules", rules)) if value is not None}
    stop_by_signals()
    if mend:
        _recover(given, resume and not what)
    if not what:
        if not resume or "out" not in given:
            raise ValueError(
                "a game and players are wanted, as in: sakiyomi tournament go-9x9 random uct:100"
                " (or --resume --out DIR to go on with a tournament)"
            )
        if is_task_folder(Path(given["out"])):
            resume_tasks(**_task_options(given, options), add=add or (), as_json=as_json)
            return
        with waiting("waiting for the games to be read and the players to start"):
            contest = _stored(given, options, add or [])
    elif add:
        raise ValueError("--add belongs to --resume --out DIR, without game and players")
    else:
        settings = _settings(what)
        if tasks := task_names(settings.game):
            chosen = _task_options(settings.other | given, settings.options | options)
            run_tasks(tasks, settings.players, resume=resume, as_json=as_json, **chosen)
            return
        for name in settings.missing:
            typer.echo(f"{name} is left out: it is not installed", err=True)
        with waiting(_what_takes_long(settings)):
            contest = _described(settings, given, options, resume)
    _run(contest, as_json)


_OF_TASKS = {"games", "seed", "workers", "out", "patience", "scales", "pin", "memory", "nice", "ray"}


def _task_options(given: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The options of a tournament of tasks. Raises ValueError for those that belong to games."""
    from sakiyomi.arena.settings import amount

    if odd := sorted((given.keys() - _OF_TASKS) | options.keys()):
        raise ValueError(f"--{odd[0].replace('_', '-')} belongs to games; tasks know: {', '.join(sorted(_OF_TASKS))}")
    return given | ({"memory": amount(given["memory"])} if "memory" in given else {})


def _recover(given: dict[str, Any], resumed: bool) -> None:
    """Save the games of the database in DIR that can still be read. Raises ValueError or StoreError."""
    from sakiyomi.arena.folder import Folder
    from sakiyomi.arena.recovery import recover

    if not resumed or "out" not in given:
        raise ValueError("--recover belongs to --resume --out DIR, without game and players")
    folder = Folder(Path(given["out"]))
    if not folder.database.exists():
        raise ValueError(f"{folder.database}: no such tournament")
    folder.make()  # which holds it
    try:
        found = recover(folder.database)
    finally:
        folder.release()
    lost = f", {found.lost} are lost and will be played again" if found.lost else ""
    typer.echo(f"{found.kept} games are saved{lost}; what was there is kept as {found.damaged}", err=True)


def match(
    game: Annotated[str, typer.Argument(help="go-9x9, chess, ...; see 'sakiyomi list games'")],
    players: Annotated[list[str], typer.Argument(metavar="A B", help="the two players")],
    sprt: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="ELO0 ELO1", help="stop when A is known to be better by so much"),
    ] = None,
    games: Games = None,
    openings: Openings = None,
    komi: Komi = None,
    rules: Rules = None,
    seed: Seed = None,
    simulations: Simulations = None,
    seconds: Seconds = None,
    depth: Depth = None,
    clock: ClockText = None,
    margin: Margin = None,
    annotate: Annotate = None,
    resign: Resign = None,
    draw: Draw = None,
    max_moves: MaxMoves = None,
    solved: Solved = None,
    tablebases: Tablebases = None,
    workers: Workers = None,
    patience: Patience = None,
    restart: Restart = None,
    pin: Pin = None,
    memory: Memory = None,
    nice: Nice = None,
    ray: Ray = None,
    out: Out = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the final standings as JSON")] = False,
) -> None:
    """Play a match of two players, and tell what it says of them: score, Elo, likelihood of superiority.

    With --sprt the match ends as soon as it is clear whether A is better by ELO1 Elo, or by ELO0 only.

    Example: sakiyomi match chess new=alphabeta:5 old=alphabeta:4 --openings random:8 --games 100

    Example: sakiyomi match go-9x9 uct:400 uct:200 --sprt 0 50
    """
    if len(players) != 2:
        raise ValueError(f"a match is between two players, got {len(players)}; see 'sakiyomi tournament'")
    given = {
        key: value
        for key, value in locals().items()
        if value is not None and key not in ("game", "players", "sprt", "komi", "rules", "as_json")
    }
    if task_names(game):
        raise ValueError(f"{game!r} is a task, at which players do not meet; see 'sakiyomi tournament'")
    if sprt is not None:
        given["schedule"] = f"sprt:{sprt[0]:g},{sprt[1]:g}"
    options = {key: value for key, value in (("komi", komi), ("rules", rules)) if value is not None}
    stop_by_signals()
    settings = _settings([game, *players])
    with waiting(_what_takes_long(settings)):
        contest = _described(settings, given, options, resume=False)
    _run(contest, as_json)


def pause(folder: Annotated[Path, typer.Argument(metavar="DIR", help="the folder of a running tournament")]) -> None:
    """Let the running games of a tournament end, and start no others until 'sakiyomi proceed DIR'.

    Example: sakiyomi pause first
    """
    from sakiyomi.arena.folder import Folder

    Folder(folder).pause()
    print(f"{folder} pauses once its running games have ended; to go on: sakiyomi proceed {quoted(folder)}")


def proceed(folder: Annotated[Path, typer.Argument(metavar="DIR", help="the folder of a paused tournament")]) -> None:
    """Go on with a paused tournament.

    Example: sakiyomi proceed first
    """
    from sakiyomi.arena.folder import Folder

    Folder(folder).proceed()
    print(f"{folder} goes on")


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the folder of a tournament")],
) -> None:
    """Write report.html and standings.json of a tournament again, also while it goes on.

    Example: sakiyomi report first
    """
    from sakiyomi.arena.folder import Folder
    from sakiyomi.arena.results import write_results_of

    if is_task_folder(folder):
        report_tasks(folder)
        return
    write_results_of(Folder(folder))
    print(Folder(folder).report)


def _settings(what: list[str]) -> "Settings":
    from sakiyomi.arena.settings import Settings, read_settings

    if what[0].endswith(".toml"):
        if len(what) > 1:
            raise ValueError(f"{what[0]} names the players; {what[1]!r} is too much")
        return read_settings(Path(what[0]))
    return Settings(what[0], what[1:], {}, {})


def _described(settings: "Settings", given: dict[str, Any], options: dict[str, Any], resume: bool) -> "Tournament":
    from sakiyomi.arena.settings import arguments
    from sakiyomi.arena.tournament import Tournament

    other = settings.other | given
    other.setdefault("out", f"tournaments/{settings.game}-{time.strftime('%Y%m%d-%H%M%S')}")
    return Tournament(
        settings.game, settings.players, resume=resume, options=settings.options | options, **arguments(other)
    )


def _what_takes_long(settings: "Settings") -> str:
    engines = any(re.match(r"([^:@=]*=)?\s*(gtp|uci|usi):", player) for player in settings.players)
    return "waiting for the engines to start" if engines else "getting ready"


_MAY_CHANGE = {"out", "workers", "games", "schedule", "patience", "pin", "memory", "nice", "ray"}


def _stored(given: dict[str, Any], options: dict[str, Any], add: list[str]) -> "Tournament":
    from sakiyomi.arena.settings import amount
    from sakiyomi.arena.tournament import Tournament

    fixed = sorted((given.keys() - _MAY_CHANGE) | options.keys())
    if fixed:
        raise ValueError(f"--{fixed[0].replace('_', '-')} cannot change when a tournament is resumed")
    if "memory" in given:
        given["memory"] = amount(given["memory"])
    return Tournament.stored(given.pop("out"), add=add, **given)


def _run(contest: "Tournament", as_json: bool) -> None:
    """Play, show, and leave everything in order when interrupted."""
    from sakiyomi.arena.live import duel_lines, follow, plain_console, test_line
    from sakiyomi.arena.running.local import processors
    from sakiyomi.arena.schedules.sequential import SprtSchedule

    console = plain_console(stderr=as_json)
    folder = contest.folder
    assert folder is not None, "the command line always has a folder"
    total = contest.schedule.planned
    most = "at most " if isinstance(contest.schedule, SprtSchedule) else ""
    console.print(f"{contest.title}: {most}{total} games, in {folder.path}")
    timed = contest.budget.seconds is not None or contest.clocks
    if timed and (contest.workers or 0) > processors() and not contest.ray:
        console.print("more workers than processors: players will lack time, and may lose on it")
    if line := pause_line(folder):
        console.print(line)
    try:
        follow(contest, console)
    except KeyboardInterrupt:
        console.print(stopped(contest, total, "games"))
        raise
    print_standings(contest.standings(), as_json, unrated=_unrated(contest))
    for line in (*duel_lines(contest), test_line(contest)):
        if line:
            console.print(line)
    _print_faults(contest, console)
    console.print(f"report: {folder.report}")


def _unrated(contest: "Tournament") -> list[str]:
    rated = {rating.name for rating in contest.standings()}
    return [name for name in contest.names if name not in rated]


def print_standings(table: Any, as_json: bool, unrated: list[str] | None = None) -> None:
    """Print a table of ratings, as JSON or for people."""
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
        if not played.termination.fair:
            kinds.setdefault((played.termination.value, played.detail.partition(":")[0]), []).append(played.detail)
    for (termination, _), details in kinds.items():
        console.print(f"{len(details)} x {termination}: {details[0]}")
