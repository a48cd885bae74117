"""Fit the piece-square tables of the chess evaluation to the results of real games, and print them.

    python benchmarks/chess_tune.py GAMES.pgn [MORE.pgn.xz ...] [--keep POSITIONS.npz]

The evaluation of a position is to predict the result of its game: expected score = 1 / (1 + 10 ** (-centipawns / 400)),
fitted by logistic regression on quiet positions (P. Österlund's "Texel tuning", 2014). Each piece has a value for each
square, for the middle game and for the endgame, weighed by the material on the board (as in `chess_evaluation`); what
few positions tell of is drawn towards left-right symmetry, towards its neighbours and towards plain material. A tenth
of the games is held out, and the loss on their positions is given beside that of plain material.
"""

import argparse
import io
import lzma
import random
from collections.abc import Iterator
from pathlib import Path

import chess
import chess.pgn
import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.optimize import minimize
from scipy.sparse import csr_array, diags_array, vstack

KINDS = "PNBRQK"
PLAIN = np.repeat([100.0, 320, 330, 500, 950, 0], 64)  # the material that the tables are drawn towards
WEIGHTS = np.array([0, 1, 1, 2, 3, 0])  # of the kinds in the phase
ALL = 22  # the phase of the start position
SCORE = {"1-0": 1.0, "0-1": 0.0, "1/2-1/2": 0.5}
FIRST_PLY = 10  # openings are played by heart
SLOPE = np.log(10) / 400


def games(path: Path) -> Iterator[chess.pgn.Game]:
    """The games of standard chess with a result."""
    data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
    text = io.StringIO(data.decode("utf-8", "replace"))
    while (game := chess.pgn.read_game(text)) is not None:
        if game.headers.get("Result") in SCORE and not game.errors and "FEN" not in game.headers:
            yield game


def pieces(board: chess.Board) -> list[int]:
    """32 numbers: kind * 64 + square as its owner sees it, White's plus 1, Black's minus 1 less; 0 for none."""
    found: list[int] = []
    for kind in range(6):
        boards = (board.pieces_mask(kind + 1, chess.WHITE), board.pieces_mask(kind + 1, chess.BLACK))
        found += [64 * kind + square + 1 for square in chess.scan_forward(boards[0])]
        found += [-(64 * kind + (square ^ 56) + 1) for square in chess.scan_forward(boards[1])]
    return found + [0] * (32 - len(found))


def quiet_positions(game: chess.pgn.Game) -> Iterator[tuple[list[int], bool]]:
    """Positions out of check, before and after a move that neither takes, promotes nor gives check; and the turn."""
    board = game.board()
    calm = False
    for ply, move in enumerate(game.mainline_moves()):
        quiet = not (board.is_capture(move) or move.promotion or board.gives_check(move))
        if ply >= FIRST_PLY and calm and quiet and not board.is_check():
            yield pieces(board), board.turn
        board.push(move)
        calm = quiet


def read(paths: list[Path]) -> dict[str, NDArray[np.generic]]:
    """Positions int16 [N, 32], turns [N], scores for White [N], and the number of the game of each."""
    rows: list[list[int]] = []
    turns: list[bool] = []
    scores: list[float] = []
    numbers: list[int] = []
    number = 0
    seen: set[tuple[str, ...]] = set()
    for path in paths:
        for game in track(games(path), description=path.name, total=None):
            moves = tuple(move.uci() for move in game.mainline_moves())
            if moves in seen or len(moves) < 2 * FIRST_PLY:
                continue
            seen.add(moves)
            number += 1
            for row, turn in quiet_positions(game):
                rows.append(row)
                turns.append(turn)
                scores.append(SCORE[game.headers["Result"]])
                numbers.append(number)
    columns = {"rows": np.array(rows, np.int16), "turns": np.array(turns), "scores": np.array(scores)}
    return {**columns, "games": np.array(numbers)}


def features(rows: NDArray[np.int16], turns: NDArray[np.bool_]) -> csr_array:
    """[N, 769]: the pieces of each position, the weight of its phase on the middle game; last the turn."""
    sign, index = np.sign(rows).astype(np.float64), np.abs(rows.astype(np.int64)) - 1
    phase = np.minimum(1, (WEIGHTS[np.maximum(index, 0) // 64] * (rows != 0)).sum(axis=1) / ALL)[:, None]
    row = np.broadcast_to(np.arange(len(rows))[:, None], rows.shape)
    used = rows != 0
    middle = ((sign * phase)[used], (row[used], index[used]))
    end = ((sign * (1 - phase))[used], (row[used], 384 + index[used]))
    tempo = (np.where(turns, 1.0, -1.0), (np.arange(len(rows)), np.full(len(rows), 768)))
    data, places = zip(middle, end, tempo, strict=True)
    where = np.concatenate([place[0] for place in places]), np.concatenate([place[1] for place in places])
    return csr_array((np.concatenate(data), where), shape=(len(rows), 769))


def ties() -> csr_array:
    """Differences that ought to be small, one a row: mirrored squares, and neighbours, of each table."""
    pairs: list[tuple[int, int, float]] = []
    for table in range(12):
        for square in range(64):
            at, x = 64 * table + square, square % 8
            if table % 6 == 0 and not 8 <= square < 56:
                continue
            if x < 4:
                pairs.append((at, at ^ 7, 2.0))
            if x < 7:
                pairs.append((at, at + 1, 1.0))
            if square < (48 if table % 6 == 0 else 56):
                pairs.append((at, at + 8, 1.0))
    rows = np.repeat(np.arange(len(pairs)), 2)
    columns = np.array([pair[:2] for pair in pairs]).ravel()
    values = np.array([(weight, -weight) for *_, weight in pairs]).ravel()
    return csr_array((values, (rows, columns)), shape=(len(pairs), 769))


def loss(x: csr_array, values: NDArray[np.float64], scores: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """The mean cross-entropy, and its gradient."""
    logits = SLOPE * (x @ values)
    chance = 1 / (1 + np.exp(-logits))
    mean = float(np.mean(np.logaddexp(0, logits) - scores * logits))
    return mean, SLOPE * (x.T @ (chance - scores)) / len(scores)


def curvature(x: csr_array, values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """[F, F], the Hessian of `loss`."""
    chance = 1 / (1 + np.exp(-SLOPE * (x @ values)))
    weighted = x * (SLOPE**2 * chance * (1 - chance))[:, None]
    return np.asarray((x.T @ weighted).todense()) / size


def fit(x: csr_array, scores: NDArray[np.float64], smooth: float, plain: float) -> NDArray[np.float64]:
    """Values [769]: the tables of the middle game, those of the endgame, and what the turn is worth.

    Newton's method; the Hessian hardly changes, so that of the start serves until the end.
    """
    penalty = vstack([np.sqrt(smooth) * ties(), np.sqrt(plain) * diags_array(np.r_[np.ones(768), 0])]).tocsr()
    start = np.r_[PLAIN, PLAIN, 0]
    values = start.copy()
    weights = (penalty.T @ penalty).todense() / len(scores)
    hessian = curvature(x, values, len(scores)) + 2 * weights
    for _ in range(30):
        gradient = loss(x, values, scores)[1] + 2 * np.asarray(weights @ (values - start)).ravel()
        values = values - np.linalg.solve(hessian, gradient)
    return values


def material(x: csr_array) -> csr_array:
    """[N, 6]: the same features with one value for each kind, whatever square and phase, and the turn."""
    kinds = (np.arange(768) // 64) % 6
    used = np.r_[kinds != 5, True]
    gather = csr_array((used.astype(float), (np.arange(769), np.r_[np.where(kinds == 5, 0, kinds), 5])), shape=(769, 6))
    return (x @ gather).tocsr()


def fit_material(x: csr_array, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """[6], the best values of the pieces alone."""
    found = minimize(lambda v: loss(x, v, scores), PLAIN[::64].copy(), jac=True, method="L-BFGS-B")
    return np.asarray(found.x)


def show(values: NDArray[np.float64]) -> None:
    """Print the tables as Python, rank 8 first, scaled so that a pawn is worth 100 on the average."""
    pawns = np.r_[values[8:56], values[384 + 8 : 384 + 56]]
    values = values * 100 / pawns.mean()
    print(f"TEMPO = {values[768]:.0f}")
    for half, name in enumerate(("MIDDLE_GAME", "ENDGAME")):
        print(f"{name} = (")
        for kind in range(6):
            table = values[384 * half + 64 * kind :][:64].reshape(8, 8)
            if kind == 5:
                table = table - table.mean()
            print(f"    # {chess.piece_name(kind + 1)}")
            for rank in range(7, -1, -1):
                row = np.zeros(8) if kind == 0 and rank in (0, 7) else table[rank]
                print("    " + "".join(f"{value:.0f}, " for value in row).rstrip())
        print(")")


def main() -> None:
    """Read, fit, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("games", type=Path, nargs="+", help="PGN files, .xz or plain")
    parser.add_argument("--keep", type=Path, help="keep the positions here, or take them from here")
    parser.add_argument("--smooth", type=float, default=0.002, help="weight of symmetry and smoothness")
    parser.add_argument("--plain", type=float, default=0.0003, help="weight of plain material")
    options = parser.parse_args()
    if options.keep and options.keep.exists():
        columns = dict(np.load(options.keep))
    else:
        columns = read(options.games)
        if options.keep:
            np.savez_compressed(options.keep, **columns)
    x, scores = features(columns["rows"], columns["turns"]), columns["scores"]
    numbers = sorted(set(columns["games"].tolist()))
    out = set(random.Random(0).sample(numbers, len(numbers) // 10))
    held = np.isin(columns["games"], list(out))
    print(f"# {len(numbers)} games, {len(scores)} positions, {held.sum()} of them held out")
    values = fit(x[~held], scores[~held], options.smooth, options.plain)
    plain = material(x)
    pieces_alone = fit_material(plain[~held], scores[~held])
    mean = scores[~held].mean()
    none = -float(np.mean(scores[held] * np.log(mean) + (1 - scores[held]) * np.log(1 - mean)))
    print(f"# loss held out: tables {loss(x[held], values, scores[held])[0]:.4f}", end=", ")
    print(f"material {loss(plain[held], pieces_alone, scores[held])[0]:.4f}, always the mean {none:.4f}")
    print(f"# loss fitted: tables {loss(x[~held], values, scores[~held])[0]:.4f}")
    print("# material fitted: " + ", ".join(f"{k} {v:.0f}" for k, v in zip(KINDS, pieces_alone, strict=True)))
    show(values)


if __name__ == "__main__":
    main()
