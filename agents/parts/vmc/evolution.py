"""CMA-ES: evolution of a vector of numbers by asking for candidates and telling how fit they were.

N. Hansen, "The CMA evolution strategy: a tutorial", arXiv:1604.00772, as the package `cmaes` has it. Here fitness is
maximised; what counts in the end is the mean of the search, not the candidate that was luckiest (Ha and Schmidhuber,
"Recurrent world models facilitate policy evolution", NeurIPS 2018, appendix A.4).
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.runs.checkpoints import read_json, write_json

Floats = NDArray[np.float64]
EXTRA = "torch"
"""The extra that brings the package."""


class Evolution:
    """A search from `mean` [D] with standard deviation `deviation`. A part of a `TrainingRun`.

    With `diagonal` the covariance is kept diagonal (R. Ros and N. Hansen, 2008): time and memory then grow with D and
    not with its square, but how entries hang together is not learned. What is by chance in a generation comes from
    `seed` and its number. Raises ModuleNotFoundError without the package `cmaes`, with the command that installs it.
    """

    def __init__(self, mean: Floats, *, deviation: float, population: int, seed: int, diagonal: bool = False):
        if population < 2 or deviation <= 0:
            raise ValueError(f"population must be 2 or more, deviation over 0; got {population} and {deviation}")
        self.size, self._kind = len(mean), _kind(diagonal)
        self._settings = {"sigma": deviation, "population_size": population}
        self.restart(mean, seed)

    def restart(self, mean: Floats, seed: int) -> None:
        """Begin anew from `mean` [D]."""
        self.seed = seed
        self._search: Any = self._kind(mean=np.array(mean, np.float64), seed=seed, **self._settings)

    @property
    def generation(self) -> int:
        """How many generations have been told."""
        return int(self._search.generation)

    @property
    def mean(self) -> Floats:
        """[D], where the search is."""
        return np.array(self._search.mean)

    def ask(self) -> Floats:
        """[P, D], the candidates of this generation; the same each time until they are told."""
        drawn = np.random.default_rng([self.seed, self.generation]).integers(1 << 31)
        self._search.reseed_rng(int(drawn))
        return np.stack([self._search.ask() for _ in range(self._search.population_size)])

    def tell(self, candidates: Floats, fitness: Floats) -> None:
        """End the generation: how fit candidates [P, D] were, [P], more being better.

        Raises ValueError for fitness that is no finite number, with the candidate.
        """
        wrong = np.flatnonzero(~np.isfinite(fitness))
        if len(wrong):
            raise ValueError(
                f"generation {self.generation}: the fitness of candidate {wrong[0]} is {fitness[wrong[0]]}"
            )
        self._search.tell(list(zip(candidates, -np.asarray(fitness, np.float64), strict=True)))
        # Through the form that is saved, which drops rounding errors: so a search goes on alike, saved or not.
        self._search.__setstate__(self._search.__getstate__())

    def save(self, path: Path) -> None:
        """Write all of it to `path`.npz and `path`.json."""
        arrays, others = dict[str, Any](), dict[str, Any]()
        for name, value in self._search.__getstate__().items():
            (arrays if isinstance(value, np.ndarray) else others)[name] = value
        np.savez(path.with_name(f"{path.name}.npz"), **arrays)
        state = {name: _plain(value) for name, value in others.items()}
        write_json(path.with_name(f"{path.name}.json"), {"seed": self.seed, "search": state})

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote. Raises ValueError for a search of another size."""
        with np.load(path.with_name(f"{path.name}.npz"), allow_pickle=False) as arrays:
            about = read_json(path.with_name(f"{path.name}.json"))
            state = {**about["search"], **arrays}
        if len(state["_mean"]) != self.size:
            raise ValueError(f"{path.name} searches for {len(state['_mean'])} numbers, wanted are {self.size}")
        self.seed = int(about["seed"])
        self._search.__setstate__(state)


def _kind(diagonal: bool) -> Any:
    try:
        import cmaes
    except ModuleNotFoundError:
        command = f'pip install "sakiyomi[{EXTRA}]"'
        raise ModuleNotFoundError(f"CMA-ES needs the package cmaes: {command}", name="cmaes") from None
    return cmaes.SepCMA if diagonal else cmaes.CMA


def _plain(value: Any) -> Any:
    """As JSON has it."""
    return value.item() if isinstance(value, np.generic) else value
