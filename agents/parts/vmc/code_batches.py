"""Sequences of codes for M to learn from: each batch draws its codes anew.

What is stored of a picture are the mean and the logarithm of the variance of its code (`vae.Codes`), as observations
[2, Z] of episodes in a `SequenceReplay`. A sequence has L + 1 rows, of which the first L are shown and the last L are
to be foretold. They lie in two ways:

- "episodes": a sequence is an episode from its beginning, or as much of it as fits (World Models on CarRacing);
- "stream": episodes in a new order lie one after the other, cut into as many streams as a batch has rows, from which
  one batch after the other is read; a memory is carried on from batch to batch (World Models on DoomTakeCover).
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sakiyomi.agents.parts.episodes.sequences import SequenceReplay, Sequences
from sakiyomi.agents.parts.vmc.mdn_rnn import Wanted
from sakiyomi.agents.parts.vmc.vae import Codes

Layout = Literal["episodes", "stream"]
Ints = NDArray[np.int64]


class Lesson(NamedTuple):
    """What M is shown, [B, L, ...], and what it is to foretell of the step after each."""

    codes: Tensor
    actions: Tensor
    first: Tensor  # bool [B, L]
    wanted: Wanted


def batches_of_epoch(lengths: Ints, layout: Layout, batch: int, length: int) -> int:
    """How many batches read all episodes of so many rows once."""
    if layout == "episodes":
        return -(-len(lengths) // batch)
    return max(1, (int(lengths.sum()) // min(batch, len(lengths)) - 1) // length)


def pieces_of(
    lengths: Ints, layout: Layout, batch: int, length: int, number: int, rng: np.random.Generator
) -> list[list[tuple[int, int]]]:
    """For each of B sequences its pieces (number of the first row, how many) in batch `number` of an epoch.

    `rng` must be in the same state for all batches of an epoch: it draws the order of the episodes.
    """
    starts, order = np.cumsum(lengths) - lengths, rng.permutation(len(lengths))
    if layout == "episodes":
        chosen = order[number * batch : (number + 1) * batch]
        return [[(int(starts[e]), int(min(lengths[e], length + 1)))] for e in chosen]
    ends = np.cumsum(lengths[order])
    streams = min(batch, len(lengths))
    size = int(ends[-1]) // streams
    return [
        list(_stretch(starts[order], ends, s * size + number * length, min(length + 1, size - number * length)))
        for s in range(streams)
    ]


def read_lesson(replay: SequenceReplay, pieces: list[list[tuple[int, int]]], normal: torch.Generator) -> Lesson:
    """The rows that `pieces_of` names, with codes drawn by `normal`; shorter sequences are filled up, invalid there."""
    most = max(sum(count for _, count in each) for each in pieces)
    read = [[_rows(replay, begin, count) for begin, count in each] for each in pieces]

    def column(name: str) -> Tensor:
        out = np.zeros((len(read), most, *getattr(read[0][0], name).shape[2:]), getattr(read[0][0], name).dtype)
        for b, parts in enumerate(read):
            whole = np.concatenate([getattr(part, name)[0] for part in parts])
            out[b, : len(whole)] = whole
        return torch.from_numpy(out)

    there = torch.tensor([sum(count for _, count in each) for each in pieces])[:, None] > torch.arange(most)
    first, actions = column("is_first"), column("actions")
    stored = column("observations").float()
    codes = Codes(stored[:, :, 0], stored[:, :, 1])
    drawn = codes.drawn(torch.randn(codes.mean.shape, generator=normal))
    valid = there[:, 1:] & ~first[:, 1:]  # the last row of an episode leads nowhere
    following = torch.nn.functional.pad(actions[:, 2:], (0, 0, 0, 1))
    followed = torch.nn.functional.pad(valid[:, 1:], (0, 1))
    wanted = Wanted(
        drawn[:, 1:], column("is_terminal")[:, 1:], column("rewards")[:, 1:], following, valid, followed & valid
    )
    return Lesson(drawn[:, :-1], actions[:, 1:], first[:, :-1], wanted)


def _rows(replay: SequenceReplay, begin: int, count: int) -> Sequences:
    return replay.read(np.array([begin]), count)


def _stretch(starts: Ints, ends: Ints, begin: int, count: int) -> Iterator[tuple[int, int]]:
    """Pieces of `count` rows from place `begin` on; episodes that begin with rows `starts` end before places `ends`."""
    number = int(np.searchsorted(ends, begin, side="right"))
    while count > 0:
        within = int(ends[number]) - begin
        part = min(count, within)
        length = int(ends[number]) - (int(ends[number - 1]) if number else 0)
        yield int(starts[number]) + length - within, part
        begin, count, number = begin + part, count - part, number + 1
