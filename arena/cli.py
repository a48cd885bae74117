"""The command line: `sakiyomi COMMAND`. Heavy modules are imported by the commands that need them.

What a user gets wrong ends with one line on standard error and exit code 2; SAKIYOMI_DEBUG=1 shows the traceback.
"""

import difflib
import os
import re
import sqlite3
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sakiyomi.arena import cli_evaluate, cli_ratings, cli_records, cli_serve, cli_tournament, cli_train
from sakiyomi.arena.cli_tasks import list_task_players, list_tasks

UsageError: type[Any] = typer.BadParameter.__mro__[1]
"""Click's, wherever the installed typer keeps it."""

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="Board games, agents that plan, and an Elo arena that rates them.",
)
app.command()(cli_tournament.tournament)
app.command()(cli_tournament.match)
app.command()(cli_train.train)
app.command()(cli_evaluate.evaluate)
app.command()(cli_ratings.ratings)
app.command()(cli_tournament.report)
app.command()(cli_serve.serve)
app.command()(cli_tournament.pause)
app.command()(cli_tournament.proceed)
app.add_typer(cli_records.app, name="records")


@app.command()
def play(
    game: Annotated[str, typer.Argument(help="go-9x9, connect4, ...; see 'sakiyomi list games'")],
    against: Annotated[str, typer.Option(metavar="PLAYER", help="who plays the other side")],
    second: Annotated[bool, typer.Option("--second", help="let the other side move first")] = False,
    simulations: Annotated[int | None, typer.Option(help="simulations a move for the other side")] = None,
    seconds: Annotated[float | None, typer.Option(help="seconds a move for the other side")] = None,
    komi: Annotated[float | None, typer.Option(help="Go: points that White gets")] = None,
    rules: Annotated[str | None, typer.Option(help="Go: a rule set; see 'sakiyomi list rules'")] = None,
    seed: Annotated[int | None, typer.Option(help="makes the other side's choices reproducible")] = None,
) -> None:
    """Play a game in the terminal: type moves, or 'undo', 'resign', 'moves', 'quit'.

    Example: sakiyomi play go-9x9 --against uct:1000

    Example: sakiyomi play shogi --against alphabeta:3
    """
    from sakiyomi.arena.terminal.terminal import play_in_terminal
    from sakiyomi.boards.player import Budget

    budget = Budget(simulations, seconds)
    play_in_terminal(_game(game, komi=komi, rules=rules), against, 1 if second else 0, budget, seed)


@app.command()
def engine(
    player: Annotated[str, typer.Argument(help="the player to be served, such as uct:2000")],
    protocol: Annotated[str, typer.Option(help="gtp for Go, uci for chess, usi for shogi")] = "gtp",
    game: Annotated[
        str | None, typer.Option(help="what to start with (default go-19x19, with uci chess; chess960; with usi shogi)")
    ] = None,
    komi: Annotated[float | None, typer.Option(help="Go: points that White gets")] = None,
    rules: Annotated[str | None, typer.Option(help="Go: a rule set")] = None,
    seed: Annotated[int | None, typer.Option(help="makes the player's choices reproducible")] = None,
) -> None:
    """Serve a player as an engine on standard input and output, for other programs to play with.

    GTP is for programs of Go: Sabaki, GoGui.
    UCI is for programs of chess: Cute Chess, fastchess, python-chess.
    USI is for programs of shogi: ShogiGUI, Shogidokoro, ShogiArena, cshogi.
    Give them 'sakiyomi' as the engine's command, and the rest as its arguments.

    Example: sakiyomi engine alphabeta:6 --protocol uci

    \b
    More:
      sakiyomi engine uct:2000 --protocol gtp --game go-9x9 --komi 6.5
      sakiyomi engine alphabeta:4 --protocol usi
      echo go movetime 1000 | sakiyomi engine uct:1000 --protocol uci
      fastchess -engine cmd=sakiyomi args="engine alphabeta:6 --protocol uci"
        name=ours -engine cmd=stockfish name=theirs -each tc=10+0.1 -rounds 5
    """
    from sakiyomi.arena.serving.engine import serve

    serve(player, protocol, game, seed=seed, **_given(komi=komi, rules=rules))


@app.command()
def perft(
    game: Annotated[str, typer.Argument(help="go-3x3, othello, ...")],
    depth: Annotated[int, typer.Option(help="plies", min=0)],
    position: Annotated[str | None, typer.Option(metavar="TEXT", help="where to start from")] = None,
    threads: Annotated[int, typer.Option(help="at most so many; 0: one for each processor", min=0)] = 0,
    komi: Annotated[float | None, typer.Option(help="Go: points that White gets")] = None,
    rules: Annotated[str | None, typer.Option(help="Go: a rule set")] = None,
) -> None:
    """Count the sequences of legal moves of each length up to a depth: how rule engines are compared.

    Example: sakiyomi perft connect4 --depth 6
    """
    import signal
    import time

    from sakiyomi.boards import rows
    from sakiyomi.boards.position import Position

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # one ply may take hours in compiled code, which hears of no Ctrl-C
    rows.set_threads(threads)
    start = Position(_game(game, komi=komi, rules=rules), position)
    start.perft(min(depth, 1))  # compiled now, not within the timing
    for plies in range(depth + 1):
        began = time.perf_counter()
        count = start.perft(plies)
        took = time.perf_counter() - began
        print(f"perft {plies:2d}  {count:15,d}  {took:8.3f} s  {count / max(took, 1e-9):13,.0f} a second")


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="which; all if none is named")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="a tenth of the work: to see that they run")] = False,
) -> None:
    """Run the benchmarks of a checkout, each beside the peers that are installed.

    Example: sakiyomi bench go_speed --quick
    """
    import subprocess

    folder = Path(__file__).resolve().parent.parent / "benchmarks"
    found = {path.stem: path for path in sorted(folder.glob("*_speed.py"))}
    if not found:
        raise ValueError(f"no benchmarks in {folder}; they are part of the repository, not of an installed package")
    for name in names or []:
        if name not in found:
            raise ValueError(f"no benchmark {name!r}; there are: {', '.join(found)}")
    for name in names or found:
        print(f"{name}:", flush=True)
        done = subprocess.run([sys.executable, str(found[name]), *(["--quick"] if quick else [])])
        if done.returncode:
            raise typer.Exit(done.returncode)


@app.command()
def warmup() -> None:
    """Compile everything that is compiled on first use, so that the first game starts at once.

    Example: sakiyomi warmup
    """
    from sakiyomi.arena.warmup import warm_up_all

    for name, seconds in warm_up_all():
        print(f"{name:10}  {seconds:6.1f} s", flush=True)


@app.command(name="list")
def list_(
    what: Annotated[str, typer.Argument(metavar="games|tasks|players|agents|rules", help="what to list")],
) -> None:
    """List the games, the single-player tasks, the kinds of players, the agents that learn, or the rule sets of Go.

    Example: sakiyomi list players
    """
    rows = _listed(what)
    width = max(len(name) for name, _ in rows)
    for name, about in rows:
        print(f"{name:{width}}  {about}")


def _listed(what: str) -> list[tuple[str, str]]:
    if what == "games":
        from sakiyomi.boards.catalog import GAMES

        return list(GAMES.items())
    if what == "players":
        from sakiyomi.arena.players import KINDS

        return [(kind.form, kind.about) for kind in KINDS] + [
            (form, f"tasks: {about}") for form, about in list_task_players()
        ]
    if what == "tasks":
        return list_tasks()
    if what == "agents":
        from sakiyomi.arena.agent_specs import listed

        return listed()
    if what == "rules":
        from sakiyomi.boards.go.rulesets import RULES

        return [
            (
                name,
                f"{rules.scoring} scoring, {rules.superko} ko, suicide {'allowed' if rules.suicide else 'forbidden'}",
            )
            for name, rules in RULES.items()
        ]
    raise ValueError(f"{what!r} cannot be listed; there are: games, players, rules, tasks, agents")


def _game(name: str, **options: Any) -> Any:
    from sakiyomi.boards.catalog import make_game

    return make_game(name, **_given(**options))


def _given(**options: Any) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code: 0, 2 for what the user can mend, 130 when interrupted."""
    sys.exit(_run(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: list[str]) -> int:
    from sakiyomi.arena.errors import Failure

    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # where modules of python:MODULE:NAME are looked for, after all others
    try:
        code = app(arguments or ["--help"], prog_name="sakiyomi", standalone_mode=False)
    except UsageError as error:
        message = _usage(error)
        return _complain(message) if message else 2  # no message: help was asked for, by giving nothing
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as in `sakiyomi list games | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError, ModuleNotFoundError, sqlite3.Error, Failure) as error:  # a module: an extra is missing
        if os.environ.get("SAKIYOMI_DEBUG"):
            raise
        return _complain(str(error))
    return code if isinstance(code, int) else 0


def _complain(message: str) -> int:
    print(f"sakiyomi: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _usage(error: Any) -> str:
    """What is wrong with the command line, and where to look."""
    message = str(error.format_message()).rstrip(".")
    context = error.ctx
    if context is None or not message:
        return message
    if asked := re.match(r"No such command '(.*?)'", message):
        commands = context.command.list_commands(context)
        near = difflib.get_close_matches(asked[1], commands, 1, 0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(commands)}"
        return f"no such command {asked[1]!r}; {hint}"
    return f"{message} (see {context.command_path} --help)"


if __name__ == "__main__":
    main()
