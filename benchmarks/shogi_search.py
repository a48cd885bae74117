"""The shogi search: positions a second, and games against Fairy-Stockfish held to few positions a move.

    python benchmarks/shogi_search.py [--quick] [--games 40]

Positions per CPU second of one thread, the best of several rounds in which all take turns. The programs count alike,
every position that is reached, but they do not do the same for each: Fairy-Stockfish weighs mobility, king safety and
threats besides, ours has tables, and the plain search in Python with cshogi counts material. With --games,
`alphabeta:DEPTH` plays so many games against Fairy-Stockfish at each number of nodes and against one ply less, from
pairs of random openings with changed colours; what is shown are points and the difference in Elo with its 95 %
interval. Games without an end after 300 plies are drawn.
"""

import argparse
import math
import random
import resource
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from timing import best_rates, show

from sakiyomi.agents import AlphaBetaPlayer, RandomPlayer
from sakiyomi.agents.parts.alphabeta.deepening import Limits
from sakiyomi.agents.parts.alphabeta.shogi_thinking import ShogiSearcher
from sakiyomi.arena.players import make_player
from sakiyomi.boards import DECLARE, RESIGN, Budget, Player, Position
from sakiyomi.boards.shogi import Shogi, usi

GAME = Shogi(max_plies=300)
POSITIONS = {
    "start": "lnsgkgsnl/1r5b1/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL b - 1",
    "castles": "ln1g3nl/1ks1gr3/1ppp1sbpp/p3ppp2/7P1/P1PPP1P2/1PS1GP2P/1KGRBS3/LN5NL b - 41",
    "full hands": "l6nl/5+P1gk/2np1S3/p1p4Pp/3P2Sp1/1PPb2P1P/P5GS1/R8/LN4bKL w GR5pnsg 1",
}
ENGINE_PAIRINGS = [(1, 10), (2, 10), (2, 100), (3, 100), (4, 100), (4, 1000), (5, 1000), (6, 1000), (6, 10_000)]
OWN_PAIRINGS = [(2, 1), (3, 2), (4, 3), (5, 4), (6, 5)]
WORTH = (0, 1, 3, 4, 5, 8, 10, 6, 0, 5, 5, 5, 5, 10, 13)  # by cshogi's kinds of pieces


def ours(sfen: str, nodes: int) -> Callable[[], float]:
    """Positions that our search looks at, with an empty table."""
    state = GAME.parse_position(sfen)
    choices = usi.moves(state)
    bonus, searcher = np.zeros(len(choices), np.int64), ShogiSearcher(GAME, 16)

    def job() -> float:
        searcher.forget()
        return float(searcher.search(state, choices, bonus, Limits(nodes=nodes)).nodes)

    return job


def fairy(program: str, sfen: str, nodes: int) -> Callable[[], float]:
    """Positions that Fairy-Stockfish looks at; the time of its start and of one position is taken off."""

    def seconds(count: int) -> tuple[float, int]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as engine:
            assert engine.stdin is not None
            assert engine.stdout is not None
            engine.stdin.write(f"usi\nposition sfen {sfen}\ngo nodes {count}\n")
            engine.stdin.flush()
            done = 0
            for line in engine.stdout:
                words = line.split()
                if "nodes" in words and words[0] == "info":
                    done = int(words[words.index("nodes") + 1])
                if line.startswith("bestmove"):
                    break
            engine.stdin.write("quit\n")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done

    start = min(seconds(1)[0] for _ in range(3))

    def job() -> float:
        used, done = seconds(nodes)
        return -done / max(1e-3, used - start)

    return job


def plain_python(peer: Any, sfen: str, nodes: int) -> Callable[[], float]:
    """Positions that plain alpha-beta with cshogi looks at: four plies, captures first, material."""

    def material(board: Any) -> int:
        total = sum((1 - 2 * (piece >> 4)) * WORTH[piece & 15] for piece in board.pieces)
        for sign, hand in zip((1, -1), board.pieces_in_hand, strict=True):
            total += sign * sum(count * WORTH[kind] for kind, count in zip((1, 2, 3, 4, 7, 5, 6), hand, strict=True))
        return -total if board.turn else total

    def value(board: Any, depth: int, alpha: int, beta: int, count: list[int]) -> int:
        count[0] += 1
        if depth == 0 or count[0] >= nodes:
            return material(board)
        for move in sorted(board.legal_moves, key=lambda move: -int(peer.move_cap(move))):
            board.push(move)
            alpha = max(alpha, -value(board, depth - 1, -beta, -alpha, count))
            board.pop()
            if alpha >= beta:
                break
        return alpha

    def job() -> float:
        count = [0]
        value(peer.Board(sfen), 4, -1000, 1000, count)
        return float(count[0])

    return job


@cache
def opening(number: int) -> tuple[int, ...]:
    """Eight random plies after which neither side has won much, by a look six plies ahead."""
    rng, searcher = random.Random(number), ShogiSearcher(GAME, 4)
    while True:
        position = Position(GAME)
        for _ in range(8):
            position.play(rng.choice(position.legal_actions().tolist()))
        choices = usi.moves(position.state)
        bonus = np.zeros(len(choices), np.int64)
        if abs(searcher.search(position.state, choices, bonus, Limits(6, 50_000)).value) < 300:
            return position.actions


def points(player: Player, opponent: Player, number: int) -> float:
    """What `player` makes of game `number` against `opponent`: 1, 1/2 or 0."""
    position, side = Position(GAME), number % 2
    seats = (opponent, player) if side else (player, opponent)
    for seat, who in enumerate(seats):
        who.begin(GAME, seat, np.random.default_rng([number, seat]))
    for action in opening(number // 2):
        position.play(action)
    while (outcome := position.outcome()) is None:
        move = seats[position.turn].choose(position, Budget())
        if move == RESIGN:
            return float(position.turn != side)
        if move == DECLARE:
            return float(position.turn == side)
        position.play(move)
    return 0.5 if outcome.winner is None else float(outcome.winner == side)


def elo(score: float) -> float:
    """The difference in rating that makes `score` points a game the expectation."""
    return -400 * math.log10(1 / min(max(score, 0.002), 0.998) - 1)


def play(pairings: list[tuple[str, Player, str, Player]], games: int) -> None:
    """Play the pairings and print the points."""
    table = Table(title=f"{games} games each", title_justify="left")
    for column in ("", "against", "won", "drawn", "lost", "Elo"):
        table.add_column(column, justify="right")
    for name, player, other, opponent in pairings:
        work = track(range(games), f"{name} - {other}", transient=True)
        scores = [points(player, opponent, n) for n in work]
        mean, error = float(np.mean(scores)), float(np.std(scores)) / math.sqrt(games)
        counts = [str(scores.count(score)) for score in (1.0, 0.5, 0.0)]
        margin = f"{elo(mean):+.0f} ({elo(mean - 1.96 * error):+.0f} to {elo(mean + 1.96 * error):+.0f})"
        table.add_row(name, other, *counts, margin)
        opponent.close()
    Console().print(table)


def matches(program: str | None, games: int) -> None:
    """Games against random moves, one ply less, and Fairy-Stockfish."""

    def named(depth: int) -> tuple[str, Player]:
        return f"alphabeta:{depth}", AlphaBetaPlayer(depth)

    pairings: list[tuple[str, Player, str, Player]] = [(*named(1), "random", RandomPlayer())]
    pairings += [(*named(deep), *named(shallow)) for deep, shallow in OWN_PAIRINGS]
    if program:
        for depth, nodes in ENGINE_PAIRINGS:
            engine = make_player(f"usi:{program}@nodes={nodes}", GAME)
            pairings.append((*named(depth), f"Fairy-Stockfish, nodes={nodes}", engine))
    play(pairings, games)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs")
    parser.add_argument("--games", type=int, default=0, help="games at each pairing with Fairy-Stockfish and others")
    options = parser.parse_args()
    nodes, rounds = (200_000, 2) if options.quick else (2_000_000, 5)
    program = shutil.which("fairy-stockfish") or shutil.which("fairy-stockfish", path="/usr/games")
    try:
        import cshogi
    except ImportError:
        cshogi = None
        print("cshogi is not installed: left out")
    for name, sfen in POSITIONS.items():
        ours(sfen, 1000)()  # compiled now, not within the timing
        jobs = {"sakiyomi, alphabeta": ours(sfen, nodes)}
        if program:
            jobs["Fairy-Stockfish, go nodes"] = fairy(program, sfen, nodes // 10)
        if cshogi:
            jobs["cshogi, plain alpha-beta"] = plain_python(cshogi, sfen, nodes // 100)
        show(name, "positions a CPU s", best_rates(jobs, rounds))
    if not program:
        print("Fairy-Stockfish is not installed: left out")
    if options.games:
        matches(program, options.games)


if __name__ == "__main__":
    main()
