"""Rating large pools: ours against Ordo, BayesElo and choix in the same run.

    python benchmarks/rating_speed.py [--players N] [--games N] [--ordo PROGRAM] [--bayeselo PROGRAM] [--quick]

The games are of anybody against anybody, or of neighbours in strength, with planted ratings, draws and an advantage.
Ours gives ratings, the advantage, the draw rate, a standard error and an interval for each player; the steps are timed
one by one. Ordo (-W -D) and BayesElo (mm 1 1) read the same games from a PGN file, which ours does, too, for the
comparison; they give no errors in this time (BayesElo: those of opponents taken as exact). choix, if it is installed,
fits wins and losses without draws, advantage or errors, of at
most 1,000 players. All figures are CPU seconds.
"""

import argparse
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from sakiyomi.arena.rating.joint import Fit, fit
from sakiyomi.arena.rating.reading import read_games
from sakiyomi.arena.rating.results import Outcome, Results

CHOIX = 1000
"""Players up to whom choix ends within minutes."""
TEXT = {1.0: "1-0", 0.5: "1/2-1/2", 0.0: "0-1"}


def made_games(players: int, number: int, kind: str) -> list[Outcome]:
    """Games with planted strengths."""
    rng = np.random.default_rng(0)
    strength = np.sort(rng.normal(0, 300, players))
    first = rng.integers(players, size=number)
    if kind == "anybody":
        second = (first + 1 + rng.integers(players - 1, size=number)) % players
    else:
        second = (first + rng.integers(1, 41, size=number) * rng.choice([-1, 1], number)) % players
    odds = 1 / (1 + 10 ** ((strength[second] - strength[first] - 30) / 400))
    luck = rng.random(number)
    score = np.where(luck < 0.8 * odds, 1.0, np.where(luck > 1 - 0.8 * (1 - odds), 0.0, 0.5))
    names = [f"Player {i:05d}" for i in range(players)]
    return [(names[i], names[j], s) for i, j, s in zip(first.tolist(), second.tolist(), score.tolist(), strict=True)]


def write_pgn(games: list[Outcome], path: Path) -> None:
    """The games with tags and six plies."""
    with path.open("w") as file:
        for one, other, score in games:
            text = TEXT[score]
            file.write(
                f'[White "{one}"]\n[Black "{other}"]\n[Result "{text}"]\n\n1. e4 e5 2. Nf3 Nc6 3. Bb5 a6 {text}\n\n'
            )


def timed(job: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this process, and what the job gives."""
    start = time.process_time()
    found = job()
    return time.process_time() - start, found


def child(command: list[str], text: str = "") -> float:
    """CPU seconds of a program."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, input=text.encode(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours(games: list[Outcome], rounds: int) -> tuple[dict[str, float], Fit]:
    """The steps, each the best of the rounds."""
    steps: dict[str, list[float]] = {}
    for _ in range(rounds):
        counting, results = timed(lambda: Results.of(games))
        fitting, found = timed(lambda results=results: fit(results))
        showing, _ = timed(found.table)
        for step, took in (("counting", counting), ("fit with errors", fitting), ("table with LOS", showing)):
            steps.setdefault(step, []).append(took)
    return {step: min(times) for step, times in steps.items()}, found


def peers(games: list[Outcome], given: argparse.Namespace) -> dict[str, float]:
    """CPU seconds of ours from a file and of the programs there are."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "games.pgn"
        write_pgn(games, path)
        found["sakiyomi, from a PGN file"] = timed(lambda: fit(Results.of(read_games([path]).outcomes)).table())[0]
        if given.ordo:
            found["Ordo -W -D, no errors"] = child([given.ordo, "-q", "-p", str(path), "-W", "-D", "-o", f"{path}.out"])
        if given.bayeselo:
            orders = f"readpgn {path}\nelo\nmm 1 1\nratings >{path}.out\nx\nx\n"
            found["BayesElo mm 1 1, conditional errors"] = child([given.bayeselo], orders)
    results = Results.of(games)
    try:
        import choix  # type: ignore[import-not-found]
    except ImportError:
        return found
    if len(results.players) > CHOIX:
        return found
    place = {name: i for i, name in enumerate(results.players)}
    wins = [(place[a], place[b]) if s else (place[b], place[a]) for a, b, s in games if s != 0.5]
    found["choix opt_pairwise, no draws, no errors"] = timed(lambda: choix.opt_pairwise(len(place), wins, alpha=0.01))[
        0
    ]
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--players", type=int, default=10_000, help="(default 10000)")
    parser.add_argument("--games", type=int, default=1_000_000, help="(default 1000000)")
    parser.add_argument("--ordo", help="the program, if it is to be measured")
    parser.add_argument("--bayeselo", help="the program, if it is to be measured")
    parser.add_argument("--quick", action="store_true", help="a hundredth of the games: to see that it runs")
    given = parser.parse_args()
    players, number = (given.players // 10, given.games // 100) if given.quick else (given.players, given.games)
    for kind in ("anybody", "neighbours"):
        games = made_games(players, number, kind)
        fit(games[: len(games) // 20])  # what is loaded and compiled once
        steps, found = ours(games, 1 if given.quick else 2)
        table = Table(title=f"{players:,} players, {number:,} games, {kind}", title_justify="left")
        for column in ("", "CPU s", "sakiyomi is"):
            table.add_column(column, justify="right" if column else "left")
        for step, took in steps.items():
            table.add_row(step, f"{took:.2f}", "")
        total = sum(steps.values())
        table.add_row("sakiyomi, from a list of games", f"{total:.2f}", "")
        others = peers(games, given)
        read = others["sakiyomi, from a PGN file"]
        for who, took in others.items():
            table.add_row(who, f"{took:.2f}", f"{took / (total if who.startswith('choix') else read):.1f} x")
        Console().print(table)
        way = type(found.bordered.solver).__name__
        print(f"errors by {way}, to {50 * found.accuracy:.2f} % of themselves at worst\n")


if __name__ == "__main__":
    main()
