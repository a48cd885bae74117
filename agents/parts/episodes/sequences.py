"""Replay of sequences: episodes are kept row by row, and drawn as chunks for models that remember.

::

    row t            0       1     ...     T
    observation     o_0     o_1    ...    o_T
    action           0      a_0    ...  a_{T-1}     the one that led to the observation, zeros at the beginning
    reward           0      r_0    ...  r_{T-1}     that of arriving at the observation, 0 at the beginning
    is_first         1       0     ...     0
    is_last          0       0     ...     1
    is_terminal      0       0     ...     e        1 where the task itself ended, never where only the clock did

So nothing is shifted by who learns: a state that has seen row t has the action and the observation of row t behind it,
and what it is to predict is the reward of row t. `Episode.of` is where the shift is made.

Rows have numbers that only grow, and lie in files of so many rows each, mapped into memory and never written over: what
a save names stays as it was until a later save no longer names it. To save is to flush the latest rows and to write
down which episodes there are, however many.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sakiyomi.agents.parts.runs.checkpoints import read_json, write_json

FILE_BYTES = 1 << 24
"""About the size of a file of rows."""
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Piece = tuple[int, int, int, int]
"""Sequence b, where in it, the number of the first row that goes there, and how many rows do."""


@dataclass(frozen=True, eq=False)
class Episode:
    """T + 1 rows, T at least 1: `observations` [T + 1, ...], `actions` [T + 1, U], `rewards` [T + 1], as shown above.

    `terminated` is True where the task itself ended it. Raises ValueError for arrays that do not fit, a beginning
    with an action or a reward, and numbers that are not finite, with the place.
    """

    observations: NDArray[Any]
    actions: Floats
    rewards: Floats
    terminated: bool = False
    points: float | None = None
    """What the task itself counts, where rewards are something else (in Atari tanh of the points won in a step)."""

    def __post_init__(self) -> None:
        rows = len(self.observations)
        if rows < 2 or len(self.actions) != rows or self.rewards.shape != (rows,) or self.actions.ndim != 2:
            shapes = ", ".join(str(list(a.shape)) for a in (self.observations, self.actions, self.rewards))
            raise ValueError(f"an episode is [T + 1, ...], [T + 1, U] and [T + 1] with T of 1 or more, got {shapes}")
        if self.actions[0].any() or self.rewards[0]:
            raise ValueError("the first row of an episode has no action and no reward: both must be 0")
        for name in ("observations", "actions", "rewards"):
            array = getattr(self, name)
            wrong = np.argwhere(~np.isfinite(array)) if array.dtype.kind == "f" else np.zeros((0, 1), np.int64)
            if len(wrong):
                at = ", ".join(map(str, wrong[0]))
                raise ValueError(f"{name}[{at}] is {array[tuple(wrong[0])]}: an episode must be of finite numbers")

    @classmethod
    def of(
        cls,
        observations: NDArray[Any],
        actions: NDArray[Any],
        rewards: NDArray[Any],
        terminated: bool,
        points: float | None = None,
    ) -> Self:
        """Of observations [T + 1, ...], where action t of [T, U] led from t to t + 1 and brought reward t of [T]."""
        led = np.concatenate([np.zeros_like(actions[:1]), actions]).astype(np.float32)
        arrived = np.concatenate([[0.0], rewards]).astype(np.float32)
        return cls(observations, led, arrived, terminated, points)

    def __len__(self) -> int:
        """Rows."""
        return len(self.rewards)

    @property
    def score(self) -> float:
        """How good it was: its points, where the task counts them, else the return, the sum of the rewards."""
        return float(self.rewards.sum(dtype=np.float64)) if self.points is None else self.points

    @property
    def rows(self) -> "Sequences":
        """[1, T + 1], as shown above."""
        first, last = (np.arange(len(self)) == row for row in (0, len(self) - 1))
        numbers = self.observations[None], self.actions[None], self.rewards[None]
        return Sequences(*numbers, first[None], (last & self.terminated)[None], last[None])


@dataclass(frozen=True, eq=False)
class Sequences:
    """B sequences of L rows, as shown above."""

    observations: NDArray[Any]  # [B, L, ...]
    actions: Floats  # [B, L, U]
    rewards: Floats  # [B, L]
    is_first: Bools  # [B, L]
    is_terminal: Bools  # [B, L]
    is_last: Bools  # [B, L]


COLUMNS = {
    "observation": "observations",
    "action": "actions",
    "reward": "rewards",
    "is_first": "is_first",
    "is_terminal": "is_terminal",
    "is_last": "is_last",
}
"""Fields of a row, and what they are called in `Sequences`."""


class SequenceReplay:
    """The latest episodes, `capacity` rows at the most: the oldest leave for new ones. A part of a `TrainingRun`.

    Observations are of `shape` and of the type `kind` (uint8 for pictures), actions have `actions` numbers. Rows lie in
    files in `folder`, which is not to be the run's own: that is replaced as a whole. One that holds other rows, of a
    run that was never saved, is written over. Memory grows with the number of episodes alone.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...], kind: DTypeLike, actions: int, capacity: int):
        if capacity < 2:
            raise ValueError(f"a replay holds 2 rows at least, got capacity={capacity}")
        numbers: list[Any] = [("observation", kind, shape), ("action", np.float32, (actions,)), ("reward", np.float32)]
        self.row = np.dtype(numbers + [(name, np.bool_) for name in ("is_first", "is_terminal", "is_last")])
        self.folder, self.capacity = folder, capacity
        self._size = max(1, min(capacity, FILE_BYTES // self.row.itemsize))  # rows of a file
        self._files: dict[int, NDArray[Any]] = {}
        self._unsaved: set[int] = set()  # files that were written to
        self._starts, self._lengths = np.zeros(0, np.int64), np.zeros(0, np.int64)  # of the episodes held
        self._end = 0  # the number of the next row
        self._saved_from = 0  # the oldest row that the last save names

    def __len__(self) -> int:
        """Rows held."""
        return int(self._lengths.sum())

    @property
    def episodes(self) -> int:
        """Episodes held."""
        return len(self._starts)

    @property
    def oldest(self) -> int:
        """The number of the oldest row held."""
        return int(self._starts[0]) if self.episodes else self._end

    @property
    def lengths(self) -> Ints:
        """[episodes], the rows of each, the oldest first."""
        return self._lengths.copy()

    def add(self, episode: Episode) -> None:
        """Append an episode. Raises ValueError for one of other sizes, and for one longer than the capacity."""
        count, kind, given = len(episode), self.row["observation"], episode.rows
        for name, field in (("observations", kind), ("actions", self.row["action"])):
            shape = getattr(episode, name).shape[1:]
            if shape != field.shape:
                raise ValueError(f"{name} are {list(field.shape)} here, got an episode with {list(shape)}")
        if kind.base == np.uint8 and episode.observations.dtype != np.uint8:
            raise ValueError(f"observations are pictures of uint8 here, got {episode.observations.dtype}")
        if count > self.capacity:
            raise ValueError(f"an episode of {count} rows does not fit into a replay of {self.capacity}")
        for part, rows in self._stretches(self._end, count, write=True):
            for name, column in COLUMNS.items():
                rows[name] = getattr(given, column)[0, part]
        starts, lengths = np.append(self._starts, self._end), np.append(self._lengths, count)
        self._end += count
        stay = starts >= self._end - self.capacity
        self._starts, self._lengths = starts[stay], lengths[stay]
        for number in [number for number in self._files if (number + 1) * self._size <= self.oldest]:
            del self._files[number]

    def sample(
        self,
        batch: int,
        length: int,
        rng: np.random.Generator,
        *,
        across: bool = False,
        ends: int = 0,
        by_length: bool = False,
    ) -> Sequences:
        """`batch` sequences: an episode each, all equally likely, and in it a beginning, all equally likely.

        A sequence lies in one episode (those that are shorter are never drawn), or with `across` goes on into the
        episodes that were added after it. With `by_length` an episode is as likely as it has beginnings: else long ones
        are hardly ever read to their ends where most are short. With `ends` the last beginning is so many times
        likelier than the others (DreamerV2's `prioritize_ends`). Raises ValueError if there is nothing as long.
        """
        if across:
            self._check_rows(length)
            chosen = self._drawn(batch, 1, rng, by_length)
            begins = self._starts[chosen] + rng.integers(self._lengths[chosen])
            return self.read(np.minimum(begins, self._end - length), length)
        chosen = self._drawn(batch, length, rng, by_length)
        last = self._lengths[chosen] - length
        return self.read(self._starts[chosen] + np.minimum(rng.integers(last + 1 + ends), last), length)

    def stretch(
        self, least: int, most: int, rng: np.random.Generator, *, ends: bool, by_length: bool = False
    ) -> tuple[int, int]:
        """Where a piece of an episode begins and ends, of `least` to `most` rows, as DreamerV2 draws them.

        `by_length` is as in `sample`, with the beginnings of pieces of `least` rows. Raises ValueError if no episode
        has `least` rows.
        """
        chosen = int(self._drawn(1, least, rng, by_length)[0])
        total = int(self._lengths[chosen])
        count = max(least, min(total, most) - int(rng.integers(least)))
        last = total - count
        begin = int(self._starts[chosen]) + min(int(rng.integers(last + 1 + (least if ends else 0))), last)
        return begin, begin + count

    def read(self, begins: Ints, length: int) -> Sequences:
        """The `length` rows from each of the numbers `begins` [B] on."""
        pieces = [(b, 0, int(begin), length) for b, begin in enumerate(begins)]
        return self.gather(pieces, len(begins), length)

    def gather(self, pieces: Iterable[Piece], batch: int, length: int) -> Sequences:
        """[batch, length] put together of pieces, which must cover all of it."""
        out = {name: np.empty((batch, length, *self.row[name].shape), self.row[name].base) for name in COLUMNS}
        for b, at, begin, count in pieces:
            for part, rows in self._stretches(begin, count):
                for name, column in out.items():
                    column[b, at + part.start : at + part.stop] = rows[name]
        return Sequences(**{COLUMNS[name]: column for name, column in out.items()})

    def episode(self, number: int) -> Sequences:
        """[1, T + 1], the episode of that number among those held, 0 the oldest, -1 the latest."""
        return self.read(self._starts[[number]], int(self._lengths[number]))

    def save(self, path: Path) -> None:
        """Put all rows on the disk, and what there is of them into `path`.json and `path`.npy."""
        for number in self._unsaved & self._files.keys():
            file = self._files[number]
            assert isinstance(file, np.memmap)
            file.flush()
        self._unsaved.clear()
        np.save(path.with_name(f"{path.name}.npy"), np.stack([self._starts, self._lengths]))
        write_json(path.with_name(f"{path.name}.json"), {"rows": self._end, "of a file": self._size})
        # What the save before this one names must be there until this one is complete; what it does not name need not.
        for gone in self.folder.glob("*.npy"):
            if gone.stem.isdecimal() and (int(gone.stem) + 1) * self._size <= self._saved_from:
                gone.unlink()
        self._saved_from = self.oldest

    def load(self, path: Path) -> None:
        """Hold what `save` wrote. Raises ValueError if the rows are gone, or others than these settings give."""
        about = read_json(path.with_name(f"{path.name}.json"))
        table = np.load(path.with_name(f"{path.name}.npy"), allow_pickle=False)
        if about["of a file"] != self._size:
            raise ValueError(
                f"{self.folder} holds rows of other settings: {about['of a file']} a file, not {self._size}"
            )
        self._files.clear()
        self._unsaved.clear()
        self._starts, self._lengths, self._end = table[0], table[1], int(about["rows"])
        self._saved_from = self.oldest
        for number in range(self.oldest // self._size, -(-self._end // self._size)):
            self._open(number)

    def _drawn(self, count: int, length: int, rng: np.random.Generator, by_length: bool) -> Ints:
        """[count] numbers of episodes of `length` rows or more, each alike, or as likely as it has so many rows."""
        fit = np.flatnonzero(self._lengths >= length)
        if not fit.size:
            longest = int(self._lengths.max(initial=0))
            raise ValueError(f"there is no episode of {length} rows yet: the longest of {self.episodes} has {longest}")
        if not by_length:
            return fit[rng.integers(len(fit), size=count)]
        before = np.cumsum(self._lengths[fit] - length + 1)  # beginnings in all episodes up to each
        return fit[np.searchsorted(before, rng.integers(before[-1], size=count), side="right")]

    def _check_rows(self, length: int) -> None:
        if len(self) < length:
            raise ValueError(f"{length} rows are wanted, there are {len(self)}")

    def _stretches(self, begin: int, count: int, write: bool = False) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Views of the `count` rows from number `begin` on, each with its place among them."""
        done = 0
        while done < count:
            number, at = divmod(begin + done, self._size)
            part = min(count - done, self._size - at)
            if write:
                self._unsaved.add(number)
            yield slice(done, done + part), self._open(number)[at : at + part]
            done += part

    def _open(self, number: int) -> NDArray[Any]:
        """A file's rows. One that holds none yet is made."""
        if number not in self._files:
            path = self.folder / f"{number:06}.npy"
            self.folder.mkdir(parents=True, exist_ok=True)
            mode: Any = "r+" if number * self._size < self._end else "w+"
            file = np.lib.format.open_memmap(path, mode, self.row, (self._size,))
            if file.dtype != self.row or file.shape != (self._size,):
                raise ValueError(f"{path} holds rows of other settings: {file.dtype}, wanted {self.row}")
            self._files[number] = file
        return self._files[number]


class Streams:
    """`batch` endless streams of pieces of episodes, read `length` rows at a time, so that a model may carry its states
    on from one batch to the next (DreamerV2, published code). A part of a `TrainingRun`.

    A piece has `least` to `most` rows; where one begins is_first is set, be it within an episode: a state that was
    carried on is to be forgotten there. The action of such a row tells it from the first of an episode, which has none.
    With `ends` pieces at the end of an episode are likelier; `by_length` is as in `SequenceReplay.stretch`.
    """

    def __init__(
        self,
        replay: SequenceReplay,
        batch: int,
        length: int,
        *,
        least: int,
        most: int,
        ends: bool = False,
        by_length: bool = False,
    ):
        if not 1 <= least <= most:
            raise ValueError(f"least must be from 1 to most, got {least} and {most}")
        self.replay, self.batch, self.length = replay, batch, length
        self.least, self.most, self.ends, self.by_length = least, most, ends, by_length
        self._at = np.zeros((batch, 2), np.int64)  # the next row of each stream, and the end of its piece

    def sample(self, rng: np.random.Generator) -> Sequences:
        """The next rows of each stream. Raises ValueError if no episode has `least` rows."""
        pieces, begins = list[Piece](), list[tuple[int, int]]()
        for b, at in enumerate(self._at):
            done = 0
            while done < self.length:
                if at[0] >= at[1] or at[0] < self.replay.oldest:
                    how = {"ends": self.ends, "by_length": self.by_length}
                    at[:] = self.replay.stretch(self.least, self.most, rng, **how)
                    begins.append((b, done))
                count = min(self.length - done, int(at[1] - at[0]))
                pieces.append((b, done, int(at[0]), count))
                done += count
                at[0] += count
        sequences = self.replay.gather(pieces, self.batch, self.length)
        for begin in begins:
            sequences.is_first[begin] = True
        return sequences

    def save(self, path: Path) -> None:
        """Write where the streams are to `path`.npy."""
        np.save(path.with_name(f"{path.name}.npy"), self._at)

    def load(self, path: Path) -> None:
        """Go on where `save` was called. Raises ValueError for another number of streams."""
        at = np.load(path.with_name(f"{path.name}.npy"), allow_pickle=False)
        if at.shape != self._at.shape:
            raise ValueError(f"{len(self._at)} streams are wanted, {path.name}.npy has {len(at)}")
        self._at = at
