"""Weights made small enough for the package, what that costs in exactness, and a card that says where they come from.

A folder of shipped weights holds what `dual_files` writes, so that an agent loads it like any other, and ``card.md``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from sakiyomi.agents.parts.dual.nets import DualNet
from sakiyomi.agents.parts.runs.checkpoints import write_bytes

CARD = "card.md"
FACTS = ("command", "learning", "processor", "seed", "date", "network", "rounding", "rating", "settings")
"""What every card tells, in this order."""


class Rounding(NamedTuple):
    """How far a net with rounded weights is from the exact one: means over positions."""

    policy: float
    """Kullback-Leibler divergence of the policies over all actions, in nats."""
    value: float
    """Root of the mean squared difference of the values."""

    def harmless(self) -> bool:
        """Far below what a quantised runtime errs by, and what a search would notice?"""
        return self.policy < 1e-5 and self.value < 2e-3

    def __str__(self) -> str:
        return f"policy differs by {self.policy:.1g} nats, value by {self.value:.1g}"


def for_play(net: DualNet) -> DualNet:
    """A copy of `net` without the heads that only training uses."""
    kept = DualNet(**net.settings() | {"ownership": False, "reply": False})
    weights = net.state_dict()
    kept.load_state_dict({name: weights[name] for name in kept.state_dict()})
    kept.eval()
    return kept


def halved(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights with matrices and filters in float16; scales, shifts and statistics, which are few, as they are."""
    return {
        name: tensor.half() if tensor.is_floating_point() and tensor.dim() > 1 else tensor
        for name, tensor in weights.items()
    }


@torch.no_grad()
def rounding(net: DualNet, observations: NDArray[np.float32]) -> Rounding:
    """What `halved` costs `net` on observations [n, C, Y, X]."""
    rounded = DualNet(**net.settings())
    rounded.load_state_dict(halved(net.state_dict()))
    seen = torch.from_numpy(observations)
    (logits, values), (near, near_values) = net.eval()(seen), rounded.eval()(seen)
    exact, other = functional.log_softmax(logits.double(), 1), functional.log_softmax(near.double(), 1)
    policy = (exact.exp() * (exact - other)).sum(1).mean()
    return Rounding(float(policy), float((values - near_values).square().mean().sqrt()))


@dataclass(frozen=True)
class Card:
    """What is to be known of shipped weights: `facts` by the names in `FACTS`, and the marks that they were held to.

    A mark is what was measured, the figure with its interval, the bar ("" where there is none) and the verdict. Raises
    ValueError where a fact is missing or blank.
    """

    title: str
    facts: Mapping[str, str]
    marks: Sequence[tuple[str, str, str, str]] = ()

    def __post_init__(self) -> None:
        for name in FACTS:
            if not self.facts.get(name, "").strip():
                raise ValueError(f"the card of {self.title} lacks {name!r}")

    def write(self, folder: Path) -> None:
        """Write it into `folder`, as Markdown."""
        lines = [f"# {self.title}", "", "| | |", "|---|---|"]
        lines += [f"| {name} | {_cell(self.facts[name])} |" for name in FACTS]
        if self.marks:
            lines += ["", "| what was measured | figure | bar | |", "|---|---|---|---|"]
            lines += [f"| {' | '.join(map(_cell, mark))} |" for mark in self.marks]
        write_bytes(folder / CARD, ("\n".join(lines) + "\n").encode())

    @classmethod
    def read(cls, folder: Path) -> "Card":
        """The card in `folder`. Raises ValueError if it lacks something, FileNotFoundError if there is none."""
        text = (folder / CARD).read_text(encoding="utf-8")
        rows = [[_text(cell) for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines()]
        facts = {row[0]: row[1] for row in rows if len(row) == 2 and row[0] in FACTS}
        marks = [(row[0], row[1], row[2], row[3]) for row in rows if len(row) == 4][2:]
        return cls(text.partition("\n")[0].removeprefix("# "), facts, marks)


def _cell(text: str) -> str:
    """`text` on a line of its own, within a table."""
    return " ".join(text.split()).replace("|", r"\|")


def _text(cell: str) -> str:
    return cell.strip().replace(r"\|", "|")
