"""Which steps of latent paths the dynamics explain: their inputs, their outputs, and the way back for gradients.

Wang, Fleet and Hertzmann 2008, section 3.2: the input is the last latent point, or the last two (second order), and the
controls if there are any; the output is the next point, or how far it is from the last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from sakiyomi.agents.parts.gpdm.kernels import Floats, Whole


@dataclass(frozen=True)
class Dynamics:
    """The form of the dynamics of a latent path.

    `order` 1: the input is x[t]; 2: x[t] and x[t-1], or with `velocity` x[t] and x[t] - x[t-1]. `difference`: the
    output is x[t+1] - x[t], else x[t+1]. `ard`: each input has kernel weights of its own, else all share them.
    """

    order: Literal[1, 2] = 1
    difference: bool = False
    velocity: bool = False
    ard: bool = False

    def __post_init__(self) -> None:
        if self.order not in (1, 2):
            raise ValueError(f"order must be 1 or 2, got {self.order!r}")
        if self.velocity and self.order != 2:
            raise ValueError("a velocity needs two latent points: set order=2")

    def groups(self, latents: int, controls: int) -> Whole:
        """[Z] the group of kernel weights to which each input belongs."""
        inputs = self.order * latents + controls
        return np.arange(inputs) if self.ard else np.zeros(inputs, np.int64)

    def input(self, last: Floats, before: Floats, controls: Floats | None = None) -> Floats:
        """[M, Z] the inputs for points `last` [M, q], those `before` them, and what is done there."""
        parts = [last]
        if self.order == 2:
            parts.append(last - before if self.velocity else before)
        if controls is not None:
            parts.append(controls)
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True, eq=False)
class Transitions:
    """M steps of latents [N, q]: the step m leads from row ``last[m]`` into the next row.

    `firsts` [S] are the rows in which a sequence begins. `controls` [N, U] holds what is done in each row.
    """

    form: Dynamics
    last: Whole
    firsts: Whole
    controls: Floats | None = None

    @classmethod
    def within(cls, form: Dynamics, lengths: Sequence[int], controls: Floats | None = None) -> Self:
        """All steps within sequences of `lengths` rows that follow one another: none leads from one into the next."""
        firsts = np.cumsum([0, *lengths[:-1]])
        spans = zip(firsts, lengths, strict=True)
        last = np.concatenate([np.arange(first + form.order - 1, first + n - 1) for first, n in spans])
        return cls(form, last, firsts, controls)

    def inputs(self, x: Floats) -> Floats:
        """[M, Z]"""
        controls = None if self.controls is None else self.controls[self.last]
        return self.form.input(x[self.last], x[self.last - 1], controls)

    def outputs(self, x: Floats) -> Floats:
        """[M, q]"""
        return x[self.last + 1] - x[self.last] if self.form.difference else x[self.last + 1]

    def pull(self, to_inputs: Floats, to_outputs: Floats, rows: int) -> Floats:
        """The gradient [N, q] with respect to the latents, from those to `inputs` and `outputs`."""
        q, last = to_outputs.shape[1], self.last
        gradient = np.zeros((rows, q))
        # Rows differ from one another within each line, so that plain addition loses nothing.
        gradient[last + 1] += to_outputs
        gradient[last] += to_inputs[:, :q]
        if self.form.difference:
            gradient[last] -= to_outputs
        if self.form.order == 2:
            second = to_inputs[:, q : 2 * q]
            gradient[last - 1] += -second if self.form.velocity else second
            if self.form.velocity:
                gradient[last] += second
        return gradient

    def starting(self, x: Floats) -> tuple[float, Floats]:
        """-ln p of the first points of the sequences, and its gradient [N, q].

        The first is N(0, I), and the second, if the order is 2, N(first, I).
        """
        gradient, firsts = np.zeros_like(x), self.firsts
        gradient[firsts] = x[firsts]
        value, count = 0.5 * float((x[firsts] ** 2).sum()), len(firsts)
        if self.form.order == 2:
            seconds = np.setdiff1d(firsts + 1, [*firsts, len(x)])
            apart = x[seconds] - x[seconds - 1]
            gradient[seconds] += apart
            gradient[seconds - 1] -= apart
            value += 0.5 * float((apart**2).sum())
            count += len(seconds)
        return value + 0.5 * count * x.shape[1] * float(np.log(2 * np.pi)), gradient
