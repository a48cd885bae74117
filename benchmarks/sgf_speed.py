"""SGF: games read, and read and replayed, against sgfmill in the same run; positions for learning.

    python benchmarks/sgf_speed.py [PATH] [--games N]

PATH is a folder or an archive of SGF files (19x19 games of a server are what the figures are meant for); without it
games are made: random legal 19x19 games with the headers that servers write. Every game is first read by both, and
moves and final boards are compared; then all take turns, and each figure is the best, per CPU second of one thread.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from timing import best_rates, show

from sakiyomi.boards import rows
from sakiyomi.boards.go import Go
from sakiyomi.boards.random import pick, seeds
from sakiyomi.sgf import Record, first_illegal, main_line_of, parse, record_of, to_sgf, to_training
from sakiyomi.sgf.archive import Meter, members
from sakiyomi.sgf.grammar import MAX_BYTES
from sakiyomi.sgf.mainline import read_main_line
from sakiyomi.sgf.replay import Batch


def made_games(count: int) -> list[bytes]:
    """Random legal games of 150 to 300 moves, with a server's headers, one move a line."""
    go = Go(19, rules="japanese")
    rng = np.random.default_rng(0)
    states, words = go.new(count), seeds(rng, count)
    plies: list[NDArray[np.int32]] = []
    while len(plies) < 300:
        mask = go.sensible(states)
        mask[:, -1] &= ~mask[:, :-1].any(axis=1)  # no passes while there is another move
        plies.append(pick(mask, words))
        go.play(states, plies[-1])
    table = np.stack(plies, axis=1)
    tags = {"komi": "6.50", "rules": "Japanese", "date": "2020-01-01", "place": "a server", "time": "1800"}
    tags |= {"overtime": "5x30 byo-yomi", "black rank": "6d", "white rank": "7d"}
    files = []
    for row in range(count):
        moves = tuple(go.move_text(None, action) for action in table[row, : rng.integers(150, 300)].tolist())
        record = Record("go-19x19", moves, None, "B+R", "resignation", ("black player", "white player"), tags)
        files.append(to_sgf(record).replace(b";", b"\n;"))
    return files


def read_files(path: Path, count: int) -> list[bytes]:
    """The bytes of the first `count` Go files of a size and charset that both can read."""
    found: list[bytes] = []
    for name, data in members((path,), MAX_BYTES, Meter()):
        if isinstance(data, bytes) and name.lower().endswith(".sgf") and _both_read(data):
            found.append(data)
        if len(found) == count:
            break
    return found


def _both_read(data: bytes) -> bool:
    try:
        _sgfmill_replay(data)
    except (ValueError, IndexError, KeyError):
        return False
    return True


def _sgfmill_moves(data: bytes) -> tuple[Any, list[Any]]:
    from sgfmill import sgf, sgf_moves

    game = sgf.Sgf_game.from_bytes(data)
    return sgf_moves.get_setup_and_moves(game)


def _sgfmill_replay(data: bytes) -> Any:
    board, moves = _sgfmill_moves(data)
    for colour, point in moves:
        if point is not None:
            board.play(*point, colour)
    return board


def check(files: list[bytes]) -> None:
    """Both read the same moves and reach the same boards. Raises AssertionError."""
    records = [record_of(tree) for data in files for tree in parse(data)[:1]]
    assert first_illegal(records) == [None] * len(records)
    for data, record in zip(files, records, strict=True):
        _, moves = _sgfmill_moves(data)
        line = main_line_of(record)
        ours = [move for ply, move in enumerate(record.moves) if ply not in line.implied]
        theirs = ["pass" if p is None else "ABCDEFGHJKLMNOPQRSTUVWXYZ"[p[1]] + str(p[0] + 1) for _, p in moves]
        assert ours == theirs[len(theirs) - len(ours) :]
        batch = Batch([line], line.width, line.height, True)
        end = batch.states.copy()
        batch.game.replay_moves(end, batch.actions, batch.lengths)
        board = _sgfmill_replay(data)
        final = [
            {"b": 1, "w": -1, None: 0}[board.get(y, x)] for y in range(line.height)[::-1] for x in range(line.width)
        ]
        assert batch.game.board(end).ravel().tolist() == final
    print(f"{len(files)} games: moves and final boards agree with sgfmill's")


def jobs(files: list[bytes]) -> dict[str, dict[str, Callable[[], float]]]:
    """Tables of jobs, ours first."""
    few = files[: max(len(files) // 10, 1)]  # of the slower side, so that rounds take about as long

    def arrays() -> float:
        for data in files:
            for tree in parse(data):
                read_main_line(tree, 19, 19)
        return len(files)

    def records() -> float:
        for data in files:
            for tree in parse(data):
                record_of(tree)
        return len(files)

    def replayed() -> float:
        first_illegal([record_of(tree) for data in files for tree in parse(data)])
        return len(files)

    def sgfmill_reads() -> float:
        for data in few:
            _sgfmill_moves(data)
        return len(few)

    def sgfmill_replays() -> float:
        for data in few:
            _sgfmill_replay(data)
        return len(few)

    return {
        "main line as an array": {"sakiyomi": arrays, "sakiyomi, whole Records": records, "sgfmill": sgfmill_reads},
        "every move replayed": {"sakiyomi": replayed, "sgfmill": sgfmill_replays},
    }


def training(files: list[bytes]) -> dict[str, Callable[[], float]]:
    """Positions made ready for learning, from Records."""
    records = [record_of(tree) for data in files for tree in parse(data)]
    go = Go(19, rules="japanese")

    def job(**options: Any) -> Callable[[], float]:
        return lambda: sum(len(actions) for _, actions, _ in to_training(records, go, 4096, unknown=0.0, **options))

    return {
        "uint8": job(compact=True),
        "float32": job(),
        "uint8, shuffled": job(compact=True, shuffle=np.random.default_rng(0)),
    }


def main() -> None:
    """Check, then time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, nargs="?", help="folder or archive of SGF files")
    parser.add_argument("--games", type=int, default=2000, help="how many to read at the most (default 2000)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs")
    given = parser.parse_args()
    if given.quick:
        given.games //= 10
    rows.set_threads(1)
    files = read_files(given.path, given.games) if given.path else made_games(min(given.games, 500))
    print(f"{len(files)} games of {sum(map(len, files)) / len(files):,.0f} bytes")
    check(files[:300])
    for title, table in jobs(files).items():
        show(title, "games/s", best_rates(table, rounds=5))
    show("for learning, 19x19", "positions/s", best_rates(training(files[:500]), rounds=3))


if __name__ == "__main__":
    main()
