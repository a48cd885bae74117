"""The chess search: positions a second, and games against Stockfish held to few positions a move.

    python benchmarks/chess_search.py [--quick] [--games 40]

Positions per CPU second of one thread, the best of several rounds in which all take turns. The programs count alike,
every position that is reached, but they do not do the same for each: Stockfish evaluates with a neural network, ours
with piece-square tables, and the plain search in Python with python-chess counts material. With --games,
`alphabeta:DEPTH` plays so many games against Stockfish at each number of nodes, from pairs of random openings with
changed colours; what is shown are points and the difference in Elo with its 95 % interval.
"""

import argparse
import math
import random
import resource
import shutil
import subprocess
from collections.abc import Callable

import chess
import chess.engine
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from timing import best_rates, show

from sakiyomi.agents import AlphaBetaPlayer
from sakiyomi.agents.parts.alphabeta.chess_thinking import ChessSearcher
from sakiyomi.agents.parts.alphabeta.deepening import Limits
from sakiyomi.boards import Budget, Position
from sakiyomi.boards.chess import Chess, notation

GAME = Chess()
POSITIONS = {
    "start": "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1",
    "Kiwipete": "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1",
    "middle game": "r4rk1/1pp1qppp/p1np1n2/2b1p1B1/2B1P1b1/P1NP1N2/1PP1QPPP/R4RK1 w - - 0 10",
    "rook endgame": "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1",
}
PAIRINGS = [
    (1, 1),
    (1, 10),
    (2, 10),
    (2, 100),
    (4, 10),
    (4, 100),
    (4, 1000),
    (6, 100),
    (6, 1000),
    (8, 1000),
    (8, 10_000),
]
WORTH = {chess.PAWN: 1, chess.KNIGHT: 3, chess.BISHOP: 3, chess.ROOK: 5, chess.QUEEN: 9, chess.KING: 0}


def ours(fen: str, nodes: int) -> Callable[[], float]:
    """Positions that our search looks at, with an empty table."""
    state = GAME.parse_position(fen)
    choices = notation.moves(state)
    bonus, searcher = np.zeros(len(choices), np.int64), ChessSearcher(GAME, 16)

    def job() -> float:
        searcher.forget()
        return float(searcher.search(state, choices, bonus, Limits(nodes=nodes)).nodes)

    return job


def stockfish(program: str, fen: str, nodes: int) -> Callable[[], float]:
    """Positions that Stockfish looks at; the time of its start and of one position is taken off."""

    def seconds(count: int) -> tuple[float, int]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as engine:
            assert engine.stdin is not None
            assert engine.stdout is not None
            engine.stdin.write(f"position fen {fen}\ngo nodes {count}\n")
            engine.stdin.flush()
            done = 0
            for line in engine.stdout:
                words = line.split()
                if "nodes" in words:
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


def plain_python(fen: str, nodes: int) -> Callable[[], float]:
    """Positions that plain alpha-beta with python-chess looks at: three plies, captures first, material."""

    def value(board: chess.Board, depth: int, alpha: int, beta: int, count: list[int]) -> int:
        count[0] += 1
        if depth == 0 or count[0] >= nodes:
            side = board.turn
            return sum(w * (len(board.pieces(k, side)) - len(board.pieces(k, not side))) for k, w in WORTH.items())
        moves = sorted(board.legal_moves, key=lambda move: -(board.piece_type_at(move.to_square) or 0))
        for move in moves:
            board.push(move)
            alpha = max(alpha, -value(board, depth - 1, -beta, -alpha, count))
            board.pop()
            if alpha >= beta:
                break
        return alpha

    def job() -> float:
        count = [0]
        value(chess.Board(fen), 4, -1000, 1000, count)
        return float(count[0])

    return job


def opening(number: int) -> list[str]:
    """Eight random plies."""
    rng = random.Random(number)
    while True:
        board = chess.Board()
        for _ in range(8):
            board.push(rng.choice(list(board.legal_moves)))
        if not board.is_game_over():
            return [move.uci() for move in board.move_stack]


def points(player: AlphaBetaPlayer, engine: chess.engine.SimpleEngine, nodes: int, number: int) -> float:
    """What `player` makes of game `number` against `engine`: 1, 1/2 or 0."""
    position, board, side = Position(GAME), chess.Board(), number % 2
    player.begin(GAME, side, np.random.default_rng(number))
    for move in opening(number // 2):
        position.play(move)
        board.push_uci(move)
    while position.outcome() is None and not board.can_claim_draw():
        if position.turn == side:
            move = player.choose(position, Budget())
        else:
            found = engine.play(board, chess.engine.Limit(nodes=nodes), game=number).move
            assert found is not None
            move = found.uci()
        position.play(move)
        board.push_uci(move)
    outcome = position.outcome()
    return 0.5 if outcome is None or outcome.winner is None else float(outcome.winner == side)


def elo(score: float) -> float:
    """The difference in rating that makes `score` points a game the expectation."""
    return -400 * math.log10(1 / min(max(score, 0.002), 0.998) - 1)


def play_stockfish(program: str, games: int) -> None:
    """Play the pairings and print the points."""
    table = Table(title=f"alphabeta:DEPTH against Stockfish, {games} games each", title_justify="left")
    for column in ("", "against", "won", "drawn", "lost", "Elo"):
        table.add_column(column, justify="right")
    with chess.engine.SimpleEngine.popen_uci(program) as engine:
        engine.configure({"Threads": 1, "Hash": 16})
        for depth, nodes in PAIRINGS:
            player = AlphaBetaPlayer(depth)
            what = f"alphabeta:{depth} - nodes={nodes}"
            scores = [points(player, engine, nodes, n) for n in track(range(games), what, transient=True)]
            mean, error = float(np.mean(scores)), float(np.std(scores)) / math.sqrt(games)
            counts = [str(scores.count(score)) for score in (1.0, 0.5, 0.0)]
            margin = f"{elo(mean):+.0f} ({elo(mean - 1.96 * error):+.0f} to {elo(mean + 1.96 * error):+.0f})"
            table.add_row(f"alphabeta:{depth}", f"nodes={nodes}", *counts, margin)
    Console().print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs")
    parser.add_argument("--games", type=int, default=0, help="games at each pairing with Stockfish")
    options = parser.parse_args()
    nodes, rounds = (200_000, 2) if options.quick else (2_000_000, 5)
    program = shutil.which("stockfish") or shutil.which("stockfish", path="/usr/games")
    for name, fen in POSITIONS.items():
        ours(fen, 1000)()  # compiled now, not within the timing
        jobs = {"sakiyomi, alphabeta": ours(fen, nodes)}
        if program:
            jobs["Stockfish, go nodes"] = stockfish(program, fen, nodes)
        jobs["python-chess, plain alpha-beta"] = plain_python(fen, nodes // 100)
        show(name, "positions a CPU s", best_rates(jobs, rounds))
    if not program:
        print("Stockfish is not installed: left out")
    elif options.games:
        play_stockfish(program, options.games)


if __name__ == "__main__":
    main()
