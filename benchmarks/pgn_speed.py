"""PGN: main lines with every move checked, and SAN written, against python-chess in the same run.

    python benchmarks/pgn_speed.py [FILE ...] [--games N] [--quick]

FILE is PGN, as it is or packed (.xz, .gz, .bz2); without one games are made: random legal games of 45 moves at the
most with the seven usual tags, 640 bytes each. Every game is first read by both and the moves are compared; then all
take turns, and each figure is the best, per CPU second of one thread. Only "two threads" is wall time.

Of python-chess there are two: "main lines" skips variations and keeps a list of moves and nothing else, which is the
work that our columns do (they keep comments, too), and so the fair peer; "whole trees" is `read_game` as most use it,
which makes an object of every move, variations' too. Ours, too: "records" are the objects that `read_pgn` gives.
"""

import argparse
import bz2
import gzip
import io
import logging
import lzma
import random
import time
from collections.abc import Callable
from pathlib import Path

import chess
import chess.pgn
import numpy as np
from timing import best_rates, show

from sakiyomi.boards import rows
from sakiyomi.sgf import read_pgn
from sakiyomi.sgf.pgn_columns import PgnColumns, Stop, forget_positions, read_columns, san_texts, uci_texts

OPEN = {".xz": lzma.open, ".gz": gzip.open, ".bz2": bz2.open}


def made_games(count: int) -> bytes:
    """Random legal games, written by python-chess."""
    rng = random.Random(0)
    texts = []
    for number in range(count):
        game = chess.pgn.Game()
        game.headers["Round"] = str(number)
        board, node = game.board(), game
        while board.ply() < 90 and (moves := list(board.legal_moves)):
            move = rng.choice(moves)
            node = node.add_variation(move)
            board.push(move)
        game.headers["Result"] = board.result()
        texts.append(str(game))
    return ("\n\n".join(texts) + "\n").encode()


def read_file(path: Path) -> bytes:
    """The text of a PGN file."""
    with OPEN.get(path.suffix, open)(path, "rb") as file:
        return bytes(file.read())


def their_games(text: str) -> list[chess.pgn.Game]:
    """What python-chess reads."""
    handle, games = io.StringIO(text, newline=None), []
    while (game := chess.pgn.read_game(handle)) is not None:
        games.append(game)
    return games


class MainLine(chess.pgn.BaseVisitor[list[chess.Move]]):
    """The moves of a main line, each checked by the rules, and nothing else."""

    def begin_game(self) -> None:
        """A new list."""
        self.moves: list[chess.Move] = []

    def visit_move(self, board: chess.Board, move: chess.Move) -> None:
        """Note the move."""
        self.moves.append(move)

    def begin_variation(self) -> chess.pgn.SkipType:
        """Skip it."""
        return chess.pgn.SKIP

    def result(self) -> list[chess.Move]:
        """The moves."""
        return self.moves


def check(columns: PgnColumns, games: list[chess.pgn.Game]) -> None:
    """Both read the same main lines. Raises AssertionError."""
    texts, plies = uci_texts(columns.codes), 0
    for number, game in enumerate(games):
        board, theirs = game.board(), []
        for move in game.mainline_moves():
            theirs.append(board.uci(move))
            board.push(move)
        assert texts[columns.moves(number)] == theirs, f"game {number + 1}, line {columns.lines[number]}"
        plies += len(theirs)
    stopped = int(np.count_nonzero((columns.faults != Stop.NONE) & (columns.faults < Stop.UNCLOSED_COMMENT)))
    print(f"{len(games)} games, {plies:,} plies: main lines agree with python-chess's; {stopped} stop before their end")


def reading(data: bytes, few: bytes, counts: tuple[int, int]) -> dict[str, Callable[[], float]]:
    """Games read; python-chess reads the `few`."""

    def columns() -> float:
        forget_positions()
        read_columns(data)
        return counts[0]

    def with_texts() -> float:
        forget_positions()
        uci_texts(read_columns(data)[0].codes)
        return counts[0]

    def records() -> float:
        forget_positions()
        read_pgn(data)
        return counts[0]

    def their_main_lines() -> float:
        handle = io.StringIO(few.decode("latin-1"), newline=None)
        while chess.pgn.read_game(handle, Visitor=MainLine) is not None:
            pass
        return counts[1]

    def their_trees() -> float:
        their_games(few.decode("latin-1"))
        return counts[1]

    return {
        "sakiyomi, columns": columns,
        "sakiyomi, columns and UCI texts": with_texts,
        "sakiyomi, records": records,
        "python-chess, main lines": their_main_lines,
        "python-chess, whole trees": their_trees,
    }


def writing(columns: PgnColumns, games: list[chess.pgn.Game]) -> dict[str, Callable[[], float]]:
    """Plies written as SAN."""
    lines = [(game.board(), list(game.mainline_moves())) for game in games]
    lengths = np.diff(columns.move_firsts)

    def ours() -> float:
        return len(san_texts(columns.states, columns.actions, lengths, columns.chess960))

    def python_chess() -> float:
        for first, moves in lines:
            board = first.copy()
            for move in moves:
                board.san_and_push(move)
        return sum(len(moves) for _, moves in lines)

    return {"sakiyomi": ours, "python-chess": python_chess}


def two_threads(data: bytes, games: int) -> None:
    """Wall time of reading on one thread and on two, alternating."""
    best = {1: float("inf"), 2: float("inf")}
    for _ in range(7):
        for threads in best:
            rows.set_threads(threads)
            forget_positions()
            began = time.perf_counter()
            read_columns(data)
            best[threads] = min(best[threads], time.perf_counter() - began)
    rows.set_threads(1)
    rates = " and ".join(f"{games / seconds:,.0f} games/s on {threads}" for threads, seconds in best.items())
    print(f"  wall time: {rates} threads, {best[1] / best[2]:.2f} x")


def measure(name: str, data: bytes, peer_games: int, rounds: int) -> None:
    """Check and time one text."""
    columns, _ = read_columns(data)
    many = len(columns)
    number = min(peer_games, many)
    few = data[: int(columns.stops[number - 1])]
    check(columns, games := their_games(few.decode("latin-1")))
    size = f"{name}: {many:,} games, {len(data) / many:,.0f} bytes and {len(columns.actions) / many:.0f} plies each"
    show(size, "games a CPU s", best_rates(reading(data, few, (many, len(games))), rounds))
    two_threads(data, many)
    show("strict SAN", "plies a CPU s", best_rates(writing(columns, games), rounds))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE", help="PGN files, packed or not")
    parser.add_argument("--games", type=int, default=10_000, help="how many to make (default 10000)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs")
    given = parser.parse_args()
    logging.getLogger("chess.pgn").setLevel(logging.CRITICAL)
    rows.set_threads(1)
    rounds, peer_games = (2, 20) if given.quick else (5, 200)
    for path in given.files:
        measure(path.name, read_file(path), peer_games, rounds)
    if not given.files:
        distinct = made_games(100 if given.quick else 500)
        copies = max(given.games // (1000 if given.quick else 500), 1)
        measure("random games", (distinct + b"\n") * copies, peer_games, rounds)


if __name__ == "__main__":
    main()
