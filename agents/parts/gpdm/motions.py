"""The data of a GPDM: sequences of observations, checked, centred, and split where rows are missing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sakiyomi.agents.parts.gpdm.kernels import Floats, Whole


@dataclass(frozen=True, eq=False)
class Motions:
    """The complete rows `y` [N, K] of all sequences, about `mean` [D], only the K columns that vary.

    `lengths` are those of the runs of rows that follow one another without a gap: a missing row splits a sequence.
    ``rows[n]`` is the row of all sequences, one after the other, that n was. `varying` [D] marks the columns kept.
    `controls` [N, U] holds what was done in each row.
    """

    y: Floats
    mean: Floats
    varying: NDArray[np.bool_]
    lengths: tuple[int, ...]
    rows: Whole
    controls: Floats | None = None

    @property
    def firsts(self) -> Whole:
        """[S] the row in which each run begins."""
        return np.cumsum([0, *self.lengths[:-1]])

    def whole(self, y: Floats) -> Floats:
        """[..., D] observations, from their varying columns about the mean [..., K]."""
        full = np.broadcast_to(self.mean, (*y.shape[:-1], len(self.mean))).copy()
        full[..., self.varying] += y
        return full

    def whole_deviations(self, deviations: Floats) -> Floats:
        """[..., D] standard deviations from those of the varying columns [..., K]; 0 in the others."""
        full = np.zeros((*deviations.shape[:-1], len(self.mean)))
        full[..., self.varying] = deviations
        return full

    def centred(self, observations: ArrayLike) -> Floats:
        """[T, K] as `y`, of observations [T, D] in which NaN means unseen. Raises ValueError for another shape."""
        given = np.asarray(observations, np.float64)
        if given.ndim != 2 or given.shape[1] != len(self.mean):
            raise ValueError(f"observations must be [T, {len(self.mean)}], got {list(given.shape)}")
        if np.isinf(given).any():
            raise ValueError(f"row {int(np.flatnonzero(np.isinf(given).any(1))[0])} of the observations is not finite")
        result: Floats = (given - self.mean)[:, self.varying]
        return result


def gathered(
    sequences: Sequence[ArrayLike],
    *,
    order: int = 1,
    missing: bool = False,
    controls: Sequence[ArrayLike] | None = None,
) -> Motions:
    """The `Motions` of sequences [T, D]; with `missing` NaN means unseen, and only complete rows are learnt from.

    Runs of rows that are too short for a step of dynamics of this `order` are left out. `controls` has an array [T, U]
    for each sequence. Raises ValueError for NaN without `missing`, infinities, shapes that do not fit, a column that is
    nowhere seen, data that do not vary, and too few rows.
    """
    given = [_checked(sequence, number, missing) for number, sequence in enumerate(sequences)]
    if not given:
        raise ValueError("at least one sequence of observations is wanted, got none")
    if len({sequence.shape[1] for sequence in given}) > 1:
        raise ValueError(f"sequences differ in their columns: {[sequence.shape[1] for sequence in given]}")
    y = np.concatenate(given)
    runs = [
        (a, b)
        for a, b in whole_runs(np.asarray(~np.isnan(y).any(axis=1)), [len(each) for each in given])
        if b - a > order
    ]
    rows = np.concatenate([np.zeros(0, np.int64), *(np.arange(a, b) for a, b in runs)])
    if len(rows) < order + 2:
        raise ValueError(f"dynamics of order {order} want {order + 2} complete rows without a gap, got {len(rows)}")
    kept = y[rows]
    mean = kept.mean(0)
    varying = np.ptp(kept, axis=0) > 1e-10 * np.maximum(1e-300, np.abs(kept).max(0))
    if not varying.any():
        raise ValueError("all columns are constant: there is no motion to learn")
    return Motions(
        y=(kept - mean)[:, varying],
        mean=mean,
        varying=varying,
        lengths=tuple(b - a for a, b in runs),
        rows=rows,
        controls=None if controls is None else _joined(controls, [len(each) for each in given])[rows],
    )


def whole_runs(flags: NDArray[np.bool_], lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Beginnings and ends (exclusive) of the runs of True within each of the sequences."""
    first, runs = 0, []
    for n in lengths:
        edges = np.flatnonzero(np.diff(np.concatenate([[False], flags[first : first + n], [False]]).astype(int)))
        runs += [(int(first + a), int(first + b)) for a, b in edges.reshape(-1, 2)]
        first += n
    return runs


def _checked(sequence: ArrayLike, number: int, missing: bool) -> Floats:
    given = np.asarray(sequence, np.float64)
    if given.ndim != 2 or 0 in given.shape:
        raise ValueError(f"sequence {number} must be rows of observations [T, D], got the shape {list(given.shape)}")
    wrong = np.isinf(given) if missing else ~np.isfinite(given)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        hint = "" if missing else "; NaN means unseen with missing=True"
        raise ValueError(f"sequence {number}, row {row}, column {column} is {given[row, column]}{hint}")
    return given


def _joined(controls: Sequence[ArrayLike], lengths: list[int]) -> Floats:
    given = [np.asarray(each, np.float64) for each in controls]
    if [len(each) for each in given] != lengths or any(each.ndim != 2 for each in given):
        got = [list(each.shape) for each in given]
        raise ValueError(f"controls must be [T, U] with the rows of each sequence, {lengths}, got {got}")
    if not all(np.isfinite(each).all() for each in given):
        raise ValueError("controls must be finite")
    return np.concatenate(given)
