"""Rows and entries that are missing from the motions learnt from, filled in by the model.

Wang, Fleet and Hertzmann 2008, section 5.3: the model is learnt from the complete rows; the latents of the others are
then the likeliest for the dynamics and for what is seen of them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sakiyomi.agents.parts.gpdm.kernels import Floats
from sakiyomi.agents.parts.gpdm.model import Model
from sakiyomi.agents.parts.gpdm.motions import whole_runs
from sakiyomi.agents.parts.gpdm.paths import Path, mean_path, within

SOFTNESS = (1e-4, 1e-2, 1.0)


def filled(model: Model, sequences: Sequence[ArrayLike], iterations: int = 100) -> tuple[list[Floats], list[Floats]]:
    """The sequences [T, D] that `model` was learnt from, with what is NaN filled in; and standard deviations [T, D].

    These are 0 where an entry was seen. Raises ValueError for other sequences than those.
    """
    given = [np.array(sequence, np.float64) for sequence in sequences]
    lengths = [len(sequence) for sequence in given]
    y, known = np.concatenate(given), np.zeros(sum(lengths), bool)
    if len(known) <= model.motions.rows.max() or np.isnan(y[model.motions.rows]).any():
        raise ValueError("these are not the sequences that the model was learnt from")
    known[model.motions.rows] = True
    x = np.zeros((len(y), model.x.shape[1]))
    x[known] = model.x
    first = 0
    for n in lengths:
        for a, b in whole_runs(~known[first : first + n], [n]):
            _fill(model, x[first : first + n], known[first : first + n], y[first : first + n], a, b, iterations)
        first += n
    deviations, means = np.zeros_like(y), y.copy()
    if not known.all():
        mean, deviation = model.observation(x[~known])
        unseen = np.isnan(y[~known])
        means[~known] = np.where(unseen, mean, y[~known])
        deviations[~known] = np.where(unseen, deviation, 0.0)
    cuts = np.cumsum(lengths)[:-1]
    return np.split(means, cuts), np.split(deviations, cuts)


def _fill(model: Model, x: Floats, known: NDArray[np.bool_], y: Floats, a: int, b: int, iterations: int) -> None:
    """Find the latents of rows a to b (exclusive) of one sequence, in place, between the rows known around them."""
    order = model.form.order
    before, after = max(0, a - order), min(len(x), b + order)
    starts = [_between(x, known, a, b)]
    if a >= order and known[a - order : a].all() and model.motions.controls is None:
        course = mean_path(model, x[a - order : a], b - a)
        if within(model, course) == b - a:
            starts.append(course)
    best, lowest = starts[0], np.inf
    for start in starts:
        x[a:b] = start
        rows = model.motions.centred(y[before:after])
        path = Path(model, x[before:after].copy(), known[before:after], rows, weight=model.weight)
        found = path.likeliest(iterations, SOFTNESS)
        if (value := path.slope(found[path.free].ravel())[0]) < lowest:
            best, lowest = found[a - before : b - before], value
    x[a:b] = best


def _between(x: Floats, known: NDArray[np.bool_], a: int, b: int) -> Floats:
    """[b - a, q] on straight lines between the known rows around."""
    rows, there = np.arange(a, b), np.flatnonzero(known)
    return np.stack([np.interp(rows, there, x[there, d]) for d in range(x.shape[1])], axis=1)
