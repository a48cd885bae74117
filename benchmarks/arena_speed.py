"""The arena's own cost: games a second with players that think no time, beside fastchess and plain loops.

    python benchmarks/arena_speed.py [--quick] [--fastchess PROGRAM]

Tic-tac-toe is played by Python players that answer at once; chess by two UCI engines that answer at once (a few lines
of C, compiled here) and repeat the position after 8 plies, on a clock, in sakiyomi and in fastchess, each with
everything written: games, records, results. Ours is measured from the first game to the last, without the start and the
report at the end; CPU time is that of the parent, its workers and engines. fastchess looks at its clock once a second,
so it plays many more games. The best of several rounds in which all take turns.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
ENGINE = r"""
#include <stdio.h>
#include <string.h>
int main(void) {
    static const char *moves[] = {"g1f3", "g8f6", "f3g1", "f6g8"};
    static char line[65536];
    int ply = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        if (!strncmp(line, "ucinewgame", 10)) ply = 0;
        else if (!strncmp(line, "uci", 3)) puts("id name instant\nid author nobody\nuciok");
        else if (!strncmp(line, "isready", 7)) puts("readyok");
        else if (!strncmp(line, "position", 8)) {
            char *found = strstr(line, "moves ");
            ply = 0;
            if (found) for (char *c = found + 6; *c; c++) ply += *c == ' ' || *c == '\n';
        }
        else if (!strncmp(line, "go", 2)) printf("info depth 1 score cp 0\nbestmove %s\n", moves[ply % 4]);
        else if (!strncmp(line, "quit", 4)) return 0;
    }
    return 0;
}
"""


class Instant:
    """Plays tic-tac-toe from a list that fits itself: nine moves and a draw."""

    name = "instant"
    MOVES = ("b2", "a1", "c3", "a3", "a2", "c2", "c1", "b1", "b3")

    def begin(self, game, side, rng):
        """Nothing is kept."""

    def choose(self, position, budget):
        """The next of the list."""
        return self.MOVES[position.ply]

    def close(self):
        """Nothing is held."""


def tournament(game: str, player: str, clock: str, games: int, workers: int, out: Path) -> None:
    """What the process of one tournament does; prints wall and CPU seconds a game from its first one on."""
    from sakiyomi.arena import Tournament

    played = Tournament(game, {"a": player, "b": player}, games=games, workers=workers, out=out, clock=clock)
    stream = played.stream()
    next(stream)
    began = time.perf_counter(), cpu_seconds(os.getpid())
    for _ in range(games - 2):
        next(stream)
    ended = time.perf_counter(), cpu_seconds(os.getpid())
    next(stream)
    print(json.dumps([(end - begin) / (games - 2) for begin, end in zip(began, ended, strict=True)]))
    stream.close()
    assert len(list((out / "games").iterdir())) == games


def cpu_seconds(pid: int) -> float:
    """CPU time that a process and all it has started have used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = [
        int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()
    ]
    return used + sum(map(cpu_seconds, children))


def run(words: list[str], folder: Path) -> tuple[str, float, float]:
    """What a command prints, and its wall and CPU seconds with all that it started and waited for."""
    start = time.perf_counter()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            words, stdout=log, stderr=log, cwd=folder, env=os.environ | {"PYTHONPATH": str(HERE)}
        )
        _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    said = (folder / "log").read_text()
    if process.returncode:
        sys.exit(f"{' '.join(words)} failed:\n{said[-2000:]}")
    return said, wall, used.ru_utime + used.ru_stime


Cost = Callable[[], tuple[float, float]]
"""Wall and CPU seconds a game."""


def ours(game: str, player: str, clock: str, games: int, workers: int) -> Cost:
    """A tournament of ours."""

    def cost() -> tuple[float, float]:
        with tempfile.TemporaryDirectory() as folder:
            arguments = (game, player, clock, games, workers)
            code = f"from pathlib import Path; import arena_speed as a; a.tournament(*{arguments!r}, Path('out'))"
            said, _, _ = run([sys.executable, "-c", code], Path(folder))
            wall, cpu = json.loads(said.splitlines()[-1])
            return wall, cpu

    return cost


def fastchess(program: str, engine: str, games: int, workers: int) -> Cost:
    """The same games in fastchess; every engine process plays one after the other, as ours do."""

    def cost() -> tuple[float, float]:
        with tempfile.TemporaryDirectory() as folder:
            engines = [word for name in "ab" for word in ("-engine", f"cmd={engine}", f"name={name}")]
            settings = ["-each", "proto=uci", "tc=10+0.1", "-rounds", str(games // 2), "-games", "2"]
            running = ["-concurrency", str(workers), "-force-concurrency", "-pgnout", "file=games.pgn"]
            _, wall, cpu = run([program, *engines, *settings, *running], Path(folder))
            written = (Path(folder) / "games.pgn").read_text().count("[Result ")
            assert written == games, f"{written} of {games} games written"
            return wall / games, cpu / games

    return cost


def plain_loop(games: int) -> tuple[float, float]:
    """Our rules alone: positions and moves, no players, clocks, records or store."""
    from sakiyomi.boards.position import Position
    from sakiyomi.boards.tictactoe import TicTacToe

    game, start, used = TicTacToe(), time.perf_counter(), time.process_time()
    for _ in range(games):
        position = Position(game)
        while position.outcome() is None:
            position.play(position.action(Instant.MOVES[position.ply]))
    return (time.perf_counter() - start) / games, (time.process_time() - used) / games


def open_spiel_loop(games: int) -> tuple[float, float]:
    """OpenSpiel's tic-tac-toe in C++, moves by their notation, from Python: what any arena in Python costs at least."""
    import pyspiel

    game, start, used = pyspiel.load_game("tic_tac_toe"), time.perf_counter(), time.process_time()
    for _ in range(games):
        state = game.new_initial_state()
        while not state.is_terminal():
            legal = {state.action_to_string(state.current_player(), action): action for action in state.legal_actions()}
            move = Instant.MOVES[len(state.history())]
            sign = "xo"[state.current_player()]
            state.apply_action(legal[f"{sign}({3 - int(move[1])},{'abc'.index(move[0])})"])
    return (time.perf_counter() - start) / games, (time.process_time() - used) / games


def measured(jobs: dict[str, Cost], rounds: int) -> dict[str, tuple[float, float]]:
    """Games a second and CPU milliseconds a game, the best of the rounds."""
    best: dict[str, tuple[float, float]] = {}
    for _ in range(rounds):
        for name, cost in jobs.items():
            wall, cpu = cost()
            rate, spent = best.get(name, (0.0, float("inf")))
            best[name] = max(rate, 1 / wall), min(spent, 1000 * cpu)
    return best


def show(title: str, found: dict[str, tuple[float, float]], to: str) -> None:
    """Print one table; ratios are to the line `to`."""
    table = Table(title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    for head in ("workers", "games/s", "a worker", "CPU ms/game", f"of {to}"):
        table.add_column(head, justify="right")
    for name, (rate, cpu) in found.items():
        ratio = f"{rate / found[to][0]:.2f} x" if to in found and name != to else ""
        who, _, count = name.partition(", ")
        workers = int(count or 1)
        table.add_row(who, str(workers), f"{rate:,.0f}", f"{rate / workers:,.0f}", f"{cpu:.3f}", ratio)
    Console().print(table)


def instant_engine(folder: Path) -> str:
    """The engine, compiled; "" where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return ""
    (folder / "instant.c").write_text(ENGINE)
    subprocess.run([compiler, "-O2", "-o", folder / "instant", folder / "instant.c"], check=True)
    return str(folder / "instant")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer games and rounds")
    parser.add_argument("--fastchess", default=shutil.which("fastchess") or "", help="the program; left out if missing")
    options = parser.parse_args()
    many, rounds = (4000, 1) if options.quick else (12000, 3)
    ttt: dict[str, Cost] = {}
    for workers in (1, 2):
        ttt[f"sakiyomi, {workers}"] = ours("tictactoe", "python:arena_speed:Instant", "", many, workers)
    ttt["rules alone"] = lambda: plain_loop(many)
    if find_spec("pyspiel"):
        ttt["OpenSpiel"] = lambda: open_spiel_loop(many)
    show("Tic-tac-toe, 9 moves a game", measured(ttt, rounds), "rules alone")
    with tempfile.TemporaryDirectory() as folder:
        if not (engine := instant_engine(Path(folder))):
            sys.exit("no C compiler: the chess games are left out")
        chess: dict[str, Cost] = {}
        for workers in (1, 2):
            chess[f"sakiyomi, {workers}"] = ours("chess", f"uci:{engine}", "10+0.1", many // 5, workers)
            if options.fastchess:
                chess[f"fastchess, {workers}"] = fastchess(options.fastchess, engine, 5 * many, workers)
        show("Chess, UCI engines, 8 moves a game", measured(chess, rounds), "fastchess, 1")


if __name__ == "__main__":
    main()
