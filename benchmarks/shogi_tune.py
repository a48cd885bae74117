"""Fit the tables of the shogi evaluation to the results of real games, and print them.

    python benchmarks/shogi_tune.py RECORDS [MORE ...] [--keep POSITIONS.npz]

RECORDS are files, folders or archives of CSA, KIF, KI2 or USI games. The evaluation of a position is to predict the
result of its game: expected score = 1 / (1 + 10 ** (-points / 600)), fitted by logistic regression on quiet positions
(P. Österlund's "Texel tuning", 2014). A piece on the board has a value for its square, one for its place relative to
its own king and one relative to the enemy king; a hand has one for each kind and count; each for empty hands and for
full ones (as in `shogi_evaluation`). What few positions tell of is drawn towards its neighbours, towards the other of
the two phases, and towards plain material; hands towards even steps. A fifth of the games is held out first, and the
loss on their positions given beside that of plain material; then all are fitted, and the numbers, scaled so that a gold
is worth 540, printed for `shogi_values`.
"""

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.sparse import csr_array, diags_array

from sakiyomi.agents.parts.alphabeta.shogi_values import HELD, KINDS, PHASES, ZONE_OF
from sakiyomi.boards.shogi import Shogi
from sakiyomi.sgf import Collection, Record

GAME = Shogi()
FIRST_PLY, FEWEST_PLIES = 12, 20  # openings are played by heart
SLOPE = np.log(10) / 600
KING, WHITE, GOLD, GOLD_WORTH = 8, 16, 5, 540
# Points by kind, which the tables are drawn towards: roughly what beginners are taught.
PLAIN = np.array((0, 90, 315, 405, 495, 540, 855, 990, 0, 540, 540, 540, 540, 0, 945, 1395), float) / 4
NAMES = ("", "pawn", "lance", "knight", "silver", "gold", "bishop", "rook", "king", "promoted pawn", "promoted lance")
NAMES += ("promoted knight", "promoted silver", "", "horse", "dragon")
# Columns: three tables [16 kinds, 45] and the hands [8 kinds, 20]; once for empty hands, once for full; last the turn.
PLACE, OWN, ENEMY, HAND, HALF = 0, 720, 1440, 2160, 2320
COLUMNS = 2 * HALF + 1
FOLD = 5 * (np.arange(81) % 9) + np.minimum(np.arange(81) // 9, 8 - np.arange(81) // 9)


def quiet_positions(record: Record) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint64], int]]:
    """`mail`, hands and turn of positions out of check before and after moves that neither take, promote nor check."""
    state = GAME.new(1) if record.setup is None else GAME.parse_position(record.setup)
    calm, checked = False, bool(GAME.in_check(state)[0])
    for ply, text in enumerate(record.moves):
        action = GAME.parse_move(state, text)
        legal, count = GAME.legal_actions(state)
        if action not in legal[0, : count[0]]:
            return
        mail, hands, turn = state["mail"][0, :81].copy(), state["hands"][0].copy(), int(state["turn"][0])
        GAME.play(state, np.array([action], np.int32))
        was_checked, checked = checked, bool(GAME.in_check(state)[0])
        taken = np.count_nonzero(mail) > np.count_nonzero(state["mail"][0, :81])
        quiet = not (taken or text.endswith("+") or checked)
        if ply >= FIRST_PLY and calm and quiet and not was_checked:
            yield mail, hands, turn
        calm = quiet


def read(paths: list[Path]) -> dict[str, NDArray[np.generic]]:
    """Positions: `mail` [N, 81], hands [N, 2], turns [N], scores for Black [N], and the number of the game of each."""
    rows: list[tuple[NDArray[np.uint8], NDArray[np.uint64], int]] = []
    scores: list[float] = []
    numbers: list[int] = []
    seen: set[tuple[str, ...]] = set()
    for path in paths:
        for record in track(Collection(path), description=path.name, total=None):
            if record.score is None or len(record.moves) < FEWEST_PLIES or record.moves in seen:
                continue
            seen.add(record.moves)
            found = list(quiet_positions(record))
            rows += found
            scores += [record.score] * len(found)
            numbers += [len(seen)] * len(found)
    mail, hands, turns = zip(*rows, strict=True)
    columns = {"mail": np.array(mail), "hands": np.array(hands), "turn": np.array(turns)}
    return {**columns, "score": np.array(scores), "game": np.array(numbers)}


def features(columns: dict[str, NDArray[np.generic]]) -> csr_array:
    """[N, COLUMNS]: the pieces and hands of each position, the weight of its phase on the half for empty hands."""
    mail, hands = columns["mail"].astype(np.int64), columns["hands"].astype(np.uint64)
    count = len(mail)
    black, white = ((mail == king).argmax(axis=1) for king in (KING, KING + WHITE))
    black = np.where((mail == KING).any(axis=1), black, 44)
    white = np.where((mail == KING + WHITE).any(axis=1), white, 36)
    row, square = np.nonzero(mail)
    kind, theirs = mail[row, square] & 15, mail[row, square] >> 4 == 1
    sign = np.where(theirs, -1.0, 1.0)
    at = np.where(theirs, 80 - square, square)
    own, enemy = np.where(theirs, 80 - white[row], black[row]), np.where(theirs, 80 - black[row], white[row])
    near = kind != KING
    rows = [row, row[near], row[near]]
    values = [sign, sign[near], sign[near]]
    places = [PLACE + 45 * kind + FOLD[at]]
    for table, king in ((OWN, own), (ENEMY, enemy)):
        places.append((table + 45 * kind + ZONE_OF[81 * king + at].astype(np.int64))[near])
    pieces = np.zeros(count, np.int64)
    for side in (0, 1):
        for held in range(1, 8):
            many = ((hands[:, side] >> np.uint64(8 * (held - 1))) & np.uint64(255)).astype(np.int64)
            some = np.flatnonzero(many)
            rows.append(some)
            places.append(HAND + 20 * held + many[some])
            values.append(np.full(len(some), 1.0 - 2 * side))
            pieces += many if held > 1 else 0
    weight = np.maximum(0, PHASES - pieces) / PHASES
    r, c, v = np.concatenate(rows), np.concatenate(places), np.concatenate(values)
    turn = (np.arange(count), np.full(count, 2 * HALF), 1.0 - 2 * columns["turn"].astype(float))
    r, c = np.concatenate([r, r, turn[0]]), np.concatenate([c, HALF + c, turn[1]])
    v = np.concatenate([v * weight[r[: len(v)]], v * (1 - weight[r[: len(v)]]), turn[2]])
    return csr_array((v, (r, c)), shape=(count, COLUMNS))


def prior() -> NDArray[np.float64]:
    """[COLUMNS]: plain material, in hand a tenth more."""
    half = np.zeros(HALF)
    half[PLACE:OWN] = np.repeat(PLAIN, 45)
    half[HAND:] = (1.1 * PLAIN[:8, None] * np.arange(20)).ravel()
    return np.r_[half, half, 0]


def ties() -> csr_array:
    """What ought to be small, one a row: differences of neighbours and of the phases, second differences of hands."""
    found: list[list[tuple[int, float]]] = []
    for half in (0, HALF):
        for table, kinds in ((PLACE, (*KINDS, KING)), (OWN, KINDS), (ENEMY, KINDS)):
            for kind in kinds:
                for y in range(9):
                    for x in range(5):
                        at = half + table + 45 * kind + 5 * y + x
                        found += [[(at, 1.0), (at + 1, -1.0)]] * (x < 4) + [[(at, 1.0), (at + 5, -1.0)]] * (y < 8)
        for kind in range(1, 8):
            at = half + HAND + 20 * kind
            found += [[(at + n, 1.0), (at + n + 1, -2.0), (at + n + 2, 1.0)] for n in range(18)]
    found += [[(at, 1.0), (HALF + at, -1.0)] for at in range(HALF)]
    row = np.repeat(np.arange(len(found)), [len(tie) for tie in found])
    column, value = zip(*(pair for tie in found for pair in tie), strict=True)
    return csr_array((np.array(value), (row, np.array(column))), shape=(len(found), COLUMNS))


def loss(x: csr_array, values: NDArray[np.float64], scores: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """The mean cross-entropy, and its gradient."""
    logits = SLOPE * (x @ values)
    chance = 1 / (1 + np.exp(-logits))
    return float(np.mean(np.logaddexp(0, logits) - scores * logits)), SLOPE * (x.T @ (chance - scores)) / len(scores)


def fit(x: csr_array, scores: NDArray[np.float64], smooth: float, plain: float) -> NDArray[np.float64]:
    """Values [COLUMNS], by Newton's method; the Hessian hardly changes, so that of the start serves until the end."""
    start = prior()
    pull = np.full(COLUMNS, plain)
    pull[-1] = 0
    for half in (0, HALF):
        pull[half + OWN : half + HAND] *= 3
        pull[half + 45 * KING : half + 45 * (KING + 1)] *= 0.3
    tied = ties()
    weights = (smooth * (tied.T @ tied) + diags_array(pull)).toarray() / len(scores)
    chance = 1 / (1 + np.exp(-SLOPE * (x @ start)))
    curved = (x * (SLOPE**2 * chance * (1 - chance))[:, None]).T @ x
    factor = cho_factor(curved.toarray() / len(scores) + 2 * weights + 1e-12 * np.eye(COLUMNS))
    values = start.copy()
    for _ in range(12):
        gradient = loss(x, values, scores)[1] + 2 * weights @ (values - start)
        values = values - cho_solve(factor, gradient)
    return values


def material(x: csr_array) -> csr_array:
    """[N, 24]: a value for each kind on the board and one for each in hand, whatever square and phase; the turn."""
    gather = np.zeros((COLUMNS, 24))
    for half in (0, HALF):
        for kind in KINDS:
            gather[half + 45 * kind : half + 45 * kind + 45, kind] = 1
        for kind in range(1, 8):
            gather[half + HAND + 20 * kind : half + HAND + 20 * kind + 20, 15 + kind] = np.arange(20)
    gather[-1, 23] = 1
    return (x @ csr_array(gather)).tocsr()


def fit_material(x: csr_array, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """[24], the best values of the pieces alone."""
    start = np.r_[PLAIN, PLAIN[1:8], 0]
    return np.asarray(minimize(lambda v: loss(x, v, scores), start, jac=True, method="L-BFGS-B").x)


def scaled(x: csr_array, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The values with a gold on the board worth GOLD_WORTH on the average, and by what they were multiplied."""
    use = np.asarray(abs(x).sum(axis=0)).ravel()
    total = 0.0
    for table in (PLACE, OWN, ENEMY):
        at = np.r_[table + 45 * GOLD : table + 45 * GOLD + 45]
        at = np.r_[at, HALF + at]
        total += float(use[at] @ values[at] / use[at].sum())
    return values * GOLD_WORTH / total, GOLD_WORTH / total


def show(name: str, numbers: NDArray[np.float64]) -> None:
    """Print one table, lines as long as they may be."""
    print(f"    # {name}")
    line = "   "
    for number in numbers:
        text = f" {number:.0f},".replace(" -0,", " 0,")
        if len(line + text) > 118:
            print(line)
            line = "   "
        line += text
    print(line)


def show_all(values: NDArray[np.float64], factor: float) -> None:
    """Print the numbers as `shogi_values` has them."""
    print(f"SCALE = {600 * factor:.0f}  # points that make a player ten times as likely to win as to lose")
    print(f"TEMPO = {values[-1]:.0f}")
    for name, half in (("EMPTY_HANDS", 0), ("FULL_HANDS", HALF)):
        print(f"{name} = (")
        for table, where in ((PLACE, "on its square"), (OWN, "by its own king"), (ENEMY, "by the enemy king")):
            for kind in (*KINDS, KING) if table == PLACE else KINDS:
                numbers = values[half + table + 45 * kind :][:45]
                show(f"{NAMES[kind]} {where}", numbers - numbers.mean() if kind == KING else numbers)
        print(f")\n{name}_HELD = (")
        for kind, most in enumerate(HELD, start=1):
            show(NAMES[kind], np.r_[0, values[half + HAND + 20 * kind + 1 :][:most]])
        print(")")


def main() -> None:
    """Read, fit, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", type=Path, nargs="+", help="records of games")
    parser.add_argument("--keep", type=Path, help="keep the positions here, or take them from here")
    parser.add_argument("--smooth", type=float, default=0.008, help="weight of smoothness")
    parser.add_argument("--plain", type=float, default=0.0005, help="weight of plain material")
    options = parser.parse_args()
    if options.keep and options.keep.exists():
        columns = dict(np.load(options.keep))
    else:
        columns = read(options.records)
        if options.keep:
            np.savez_compressed(options.keep, **columns)
    x, scores = features(columns), columns["score"].astype(float)
    numbers = sorted(set(columns["game"].tolist()))
    held = np.isin(columns["game"], random.Random(0).sample(numbers, len(numbers) // 5))
    print(f"# {len(numbers)} games, {len(scores)} positions, {held.sum()} of them held out")
    values, plain = fit(x[~held], scores[~held], options.smooth, options.plain), material(x)
    alone = fit_material(plain[~held], scores[~held])
    mean = scores[~held].mean()
    none = -float(np.mean(scores[held] * np.log(mean) + (1 - scores[held]) * np.log(1 - mean)))
    print(f"# loss held out: tables {loss(x[held], values, scores[held])[0]:.4f}", end=", ")
    print(f"material {loss(plain[held], alone, scores[held])[0]:.4f}, always the mean {none:.4f}")
    values = fit(x, scores, options.smooth, options.plain)
    print(f"# loss fitted: {loss(x, values, scores)[0]:.4f}")
    show_all(*scaled(x, values))


if __name__ == "__main__":
    main()
