"""What a move costs beside the engine's thinking: an engine that answers at once, in chess, shogi and Go.

    python benchmarks/engine_overhead.py [--fastchess PROGRAM] [--moves N]

Compiles a small engine in C (needs ``cc``) that moves its knights to and fro, asks it through our players and through
python-chess, and plays whole matches: ours (`play`) and, if the program is given, fastchess's, with and without a
clock. All in one run; milliseconds a move by the wall clock, best of several.
"""

import argparse
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sakiyomi.arena import Conditions, parse_time, play
from sakiyomi.arena.engines.gtp import GtpPlayer
from sakiyomi.arena.engines.spec import Limits
from sakiyomi.arena.engines.uci import UciPlayer
from sakiyomi.arena.engines.usi import UsiPlayer
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.clock import Clock
from sakiyomi.boards.go import Go
from sakiyomi.boards.player import Budget
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi

ENGINE = r"""
#include <stdio.h>
#include <string.h>
#define COMMANDS "undo\ntime_left\ntime_settings"
static const char *chess[2][2] = {{"g1f3", "f3g1"}, {"g8f6", "f6g8"}};
static const char *shogi[2][2] = {{"4i4h", "4h4i"}, {"4a4b", "4b4a"}};
static char line[1 << 16];
int main(void) {
    int played = 0, usi = 0, id;
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    while (fgets(line, sizeof line, stdin)) {
        if (!strncmp(line, "uci\n", 4)) puts("id name Instant\nid author nobody\nuciok");
        else if (!strncmp(line, "usi\n", 4)) { usi = 1; puts("id name Instant\nusiok"); }
        else if (!strncmp(line, "isready", 7)) puts("readyok");
        else if (!strncmp(line, "position", 8)) {
            char *at = strstr(line, "moves");
            played = 0;
            if (at) for (at += 5; *at && *at != '\n'; at++) played += *at == ' ';
        } else if (!strncmp(line, "go", 2)) {
            const char *move = (usi ? shogi : chess)[played % 2][played / 2 % 2];
            printf("info depth 1 score cp 0 nodes 1 time 0 pv %s\nbestmove %s\n", move, move);
        } else if (!strncmp(line, "quit", 4)) break;
        else if (sscanf(line, "%d", &id) == 1)
            printf("=%d %s\n\n", id, strstr(line, "list_") ? COMMANDS : strstr(line, "genmove") ? "pass" : "");
        fflush(stdout);
    }
    return 0;
}
"""


def best_of(action: Callable[[], int], times: int = 5) -> float:
    """The fewest milliseconds a move that `action`, which returns how many moves it made, ever took."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        moves = action()
        found.append((time.perf_counter() - began) / moves * 1000)
    return min(found)


def show(what: str, milliseconds: float) -> None:
    print(f"{what:<58}{milliseconds:8.3f} ms a move", flush=True)


def questions(player, position: Position, moves: int) -> float:
    """Asks for the same move again and again."""
    budget = Budget()

    def ask() -> int:
        for _ in range(moves):
            player.choose(position, budget)
        return moves

    player.choose(position, budget)
    return best_of(ask)


def go_moves(engine: str, moves: int) -> float:
    """Asks for passes in a game whose other moves are played at random; what those take is not counted."""
    player, rng, clocks = GtpPlayer(engine), np.random.default_rng(0), (Clock(60, 1), Clock(60, 1))
    position, spent = Position(Go(size=19)), 0.0
    player.choose(position, Budget(clocks=clocks))
    for _ in range(moves):
        began = time.perf_counter()
        move = player.choose(position, Budget(clocks=clocks))
        spent += time.perf_counter() - began
        position.play(move)
        position.play(int(rng.choice(position.legal_actions()[:-1])))
    player.close()
    return spent / moves * 1000


def python_chess(engine: str, moves: int) -> float:
    import chess
    import chess.engine

    with chess.engine.SimpleEngine.popen_uci(engine) as player:
        board, limit = chess.Board(), chess.engine.Limit(nodes=1)

        def ask() -> int:
            for _ in range(moves):
                player.play(board, limit)
            return moves

        return best_of(ask)


def match(kind, engine: str, game, conditions: Conditions, games: int) -> float:
    """Whole games of two engines; each is drawn by repetition, or by passes."""
    players = kind(engine), kind(engine)

    def all_games() -> int:
        return sum(len(play(game, players, conditions).record.moves) for _ in range(games))

    all_games()
    found = best_of(all_games, 3)
    for player in players:
        player.close()
    return found


def fastchess(program: str, engine: str, limit: str, games: int, folder: Path) -> float:
    """A match of fastchess; what it takes to start is measured apart, and taken off."""

    def run(rounds: int) -> float:
        command = [program, "-engine", f"cmd={engine}", "name=a", "-engine", f"cmd={engine}", "name=b", "-each"]
        command += [limit, "-rounds", str(rounds), "-games", "1", "-concurrency", "1", "-log", "level=fatal"]
        began = time.perf_counter()
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            raise SystemExit(f"{program}: {done.stdout[-300:]}{done.stderr[-300:]}")
        return time.perf_counter() - began

    start, whole = (min(run(rounds) for _ in range(3)) for rounds in (1, games + 1))
    return (whole - start) / (8 * games) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fastchess", default=shutil.which("fastchess"), help="its program, to play the same match")
    parser.add_argument("--moves", type=int, default=500)
    parser.add_argument("--games", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source, engine = Path(folder, "instant.c"), str(Path(folder, "instant"))
        source.write_text(ENGINE)
        subprocess.run(["cc", "-O2", "-o", engine, source], check=True)
        print("a question and its answer, an engine that answers at once")
        for name, kind, game in (
            ("UCI: UciPlayer.choose", UciPlayer, Chess()),
            ("USI: UsiPlayer.choose", UsiPlayer, Shogi()),
        ):
            player = kind(engine, Limits(nodes=1))
            show(name, questions(player, Position(game), options.moves))
            player.close()
        show("UCI: python-chess's SimpleEngine.play", python_chess(engine, options.moves))
        show("GTP: GtpPlayer.choose, in a game of 19x19", go_moves(engine, 250))
        print("whole matches: questions, rules, records")
        nodes, clock = Conditions(Budget(simulations=1)), Conditions(clock=(parse_time("60+1"),) * 2)
        for name, conditions in (("nodes=1", nodes), ("60+1", clock)):
            show(f"UCI match, {name}", match(UciPlayer, engine, Chess(), conditions, options.games))
            show(f"USI match, {name}", match(UsiPlayer, engine, Shogi(), conditions, options.games))
        if options.fastchess is None:
            print("fastchess: not found; --fastchess PROGRAM compares with it")
            return
        for limit in ("nodes=1", "tc=60+1"):
            show(f"fastchess, {limit}", fastchess(options.fastchess, engine, limit, 10 * options.games, Path(folder)))


if __name__ == "__main__":
    main()
