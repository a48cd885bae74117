"""The dream of World Models: an environment that is nothing but M, in which many episodes go on at once.

D. Ha and J. Schmidhuber, "Recurrent world models facilitate policy evolution", NeurIPS 2018, section 4 and appendix
A.4, with the constants of the published code. An episode begins with the code of a first picture that was once seen;
each step M foretells the next code, from which one is drawn. A temperature above 1 makes the dream harder to predict,
so that a controller finds it harder to cheat in it. M ends an episode where it holds an end for likelier than not.

::

    dream = Dream(model, starts, horizon=1000, generator=generator, temperature=1.15)
    dream.reset(rollouts=16, copies=64)                  # 1024 episodes: 64 candidates meet the same 16
    while len(dream.rows):
        rewards, over = dream.step(actions)              # for dream.codes and dream.memory, both [N, ...]
        dream.keep(~over)
"""

from collections.abc import Callable
from math import inf

import torch
from torch import Tensor

from sakiyomi.agents.parts.vmc.mdn_rnn import MDNRNN, Memory, drawn_codes
from sakiyomi.agents.parts.vmc.vae import Codes

COMPACT = 0.9
"""The part of the episodes that still go on, below which the others are left out of the computation."""
Act = Callable[[Tensor, Memory, Tensor], Tensor]
"""Codes [N, Z], memories [N, H] and whose turn it is [N], the number of a candidate, to actions [N, U]."""


class Dream:
    """Episodes of `model`, which begin with one of the codes `starts` [F, Z], each as likely, and end after `horizon`.

    The reward is what the model foretells, within `rewards`, what the task can pay (beyond it a controller would be
    paid for mistakes of the model) or, if it foretells none, 1 a step, for living on (the last step's, too).
    All chance comes from `generator`, on the CPU. Copies of an episode share theirs: the same start and the same
    random numbers at each step, so that their difference tells of those who act in them.
    """

    def __init__(
        self,
        model: MDNRNN,
        starts: Codes,
        *,
        horizon: int,
        generator: torch.Generator,
        temperature: float = 1.0,
        rewards: tuple[float, float] = (-inf, inf),
    ) -> None:
        if horizon < 1 or not len(starts.mean):
            raise ValueError(f"a dream has a step and a beginning at least, got {horizon} and {len(starts.mean)}")
        self.model, self.horizon, self.temperature, self.rewards = model, horizon, temperature, rewards
        self._starts, self._generator = starts, generator
        self.rows = torch.zeros(0, dtype=torch.int64)

    @torch.no_grad()
    def reset(self, rollouts: int, copies: int = 1) -> None:
        """Begin `copies` of each of so many episodes; row n is copy n // rollouts of episode n % rollouts."""
        self._rollouts, self.time = rollouts, 0
        self._device = self._starts.mean.device
        self.rows = torch.arange(rollouts * copies, device=self._device)
        chosen = torch.randint(len(self._starts.mean), (rollouts,), generator=self._generator)
        began = Codes(*(each[chosen.to(self._device)] for each in self._starts))
        self.codes = began.drawn(self._noise(torch.randn)).repeat(copies, 1)
        self.memory = self.model.empty(len(self.rows))
        self.first = torch.ones(len(self.rows), dtype=torch.bool, device=self._device)

    @torch.no_grad()
    def step(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Take `actions` [N, U] in the episodes `rows` [N]: rewards [N], and which of them are over, bool [N]."""
        self.memory = self.model.step(self.codes, actions, self.first, self.memory)
        foretold = self.model.foretold(self.memory.hidden)
        whose = self.rows % self._rollouts
        uniform, normal = self._noise(torch.rand)[whose], self._noise(torch.randn)[whose]
        self.codes = drawn_codes(foretold.code, self.temperature, uniform, normal)
        self.first = torch.zeros_like(self.first)
        self.time += 1
        late = torch.full_like(self.first, self.time >= self.horizon)
        over = late if foretold.restart is None else late | (foretold.restart > 0)
        paid = torch.ones_like(self.codes[:, 0]) if foretold.reward is None else foretold.reward.clamp(*self.rewards)
        return paid, over

    def keep(self, going: Tensor) -> None:
        """Go on with those of `rows` where `going`, bool [N], alone."""
        self.rows, self.codes, self.first = self.rows[going], self.codes[going], self.first[going]
        self.memory = Memory(self.memory.hidden[going], self.memory.cell[going])

    def _noise(self, draw: Callable[..., Tensor]) -> Tensor:
        """[rollouts, Z]."""
        return draw((self._rollouts, self.model.latent), generator=self._generator).to(self._device)


@torch.no_grad()
def dreamt(
    dream: Dream, act: Act, *, candidates: int, rollouts: int, limit: int | None = None
) -> tuple[Tensor, Tensor]:
    """The returns of candidates in the dream, and the lengths of their episodes, [candidates, rollouts] each.

    All meet the same episodes. After `limit` steps they are cut off.
    """
    dream.reset(rollouts, candidates)
    returns = torch.zeros(candidates * rollouts, dtype=torch.float64)
    lengths = torch.zeros(candidates * rollouts, dtype=torch.int64)
    alive = torch.ones_like(dream.first)
    while len(dream.rows):
        rewards, over = dream.step(act(dream.codes, dream.memory, dream.rows // rollouts))
        rows = dream.rows.cpu()
        returns[rows] += (rewards * alive).double().cpu()
        lengths[rows] += alive.cpu()
        alive = alive & ~over & (limit is None or dream.time < limit)
        going = int(alive.sum())
        if going < COMPACT * len(alive) or not going:
            dream.keep(alive)
            alive = alive[alive]
    return returns.view(candidates, rollouts), lengths.view(candidates, rollouts)
