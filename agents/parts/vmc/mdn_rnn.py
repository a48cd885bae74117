"""M of World Models: an LSTM with mixtures of Gaussians for outputs, which foretells codes of pictures.

D. Ha and J. Schmidhuber, "Recurrent world models facilitate policy evolution", NeurIPS 2018, section 2.2 and appendix
A.2, with the constants of the published code::

    step           t             t + 1
    code          z_t            z_{t+1}  <- foretold by what M remembers once it has z_t and a_t
    action        a_t                        taken at z_t
    first         1 where an episode begins with z_t: M remembers nothing from before
    memory       h_t, c_t        h_{t+1}, c_{t+1}

Every entry of a code has a mixture of its own, with its own weights. Besides, M may foretell whether the episode ends
on arriving at t + 1, the reward on arriving there, and the action that will be taken there.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sakiyomi.agents.parts.latent.pixel_nets import initialise

LEAST_TEMPERATURE = 1e-6
"""Below it the likeliest component is always drawn."""
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


class Memory(NamedTuple):
    """What the LSTM remembers, [B, H] each."""

    hidden: Tensor
    cell: Tensor


class Mixture(NamedTuple):
    """Mixtures of K Gaussians, [..., Z, K] each: one mixture for every entry of a code."""

    log_weights: Tensor
    means: Tensor
    log_stds: Tensor


class Foretold(NamedTuple):
    """What M foretells [...]: the code's mixture, and what else it was made for (None if not)."""

    code: Mixture
    restart: Tensor | None  # [...], the logit of an episode's end
    reward: Tensor | None  # [...]
    action: Tensor | None  # [..., U]


class MDNRNN(nn.Module):
    """Codes [..., latent] and actions [..., actions] -> what comes next.

    With `restart` it is shown where episodes begin, and foretells where they end; with `reward` and `action` it
    foretells these. Weights are drawn from `generator`; the bias of the forget gate begins at 1, as usual.
    """

    def __init__(
        self,
        latent: int,
        actions: int,
        *,
        hidden: int,
        generator: torch.Generator,
        mixtures: int = 5,
        restart: bool = False,
        reward: bool = False,
        action: bool = False,
    ) -> None:
        super().__init__()
        self.latent, self.actions, self.hidden, self.mixtures = latent, actions, hidden, mixtures
        self.restart, self.reward, self.action = restart, reward, action
        inputs = latent + actions + restart
        # Gates: input, forget, output, and the new content. The last column is the bias: one, where others have two.
        self.of_input = nn.Parameter(torch.empty(4 * hidden, inputs + 1))
        self.of_memory = nn.Parameter(torch.empty(4 * hidden, hidden))
        self.output = nn.Linear(hidden, 3 * mixtures * latent + restart + reward + action * actions)
        initialise(self.output, generator)
        bound = math.sqrt(6 / (inputs + hidden + 4 * hidden))
        with torch.no_grad():
            for weights in (self.of_input, self.of_memory):
                weights.uniform_(-bound, bound, generator=generator)
            self.of_input[:, -1] = 0
            self.of_input[hidden : 2 * hidden, -1] = 1

    def empty(self, batch: int) -> Memory:
        """What is remembered as `batch` episodes begin."""
        zeros = self.of_memory.new_zeros(batch, self.hidden)
        return Memory(zeros, zeros)

    def step(self, codes: Tensor, actions: Tensor, first: Tensor, memory: Memory) -> Memory:
        """What is remembered after codes [B, Z], actions [B, U] and `first` bool [B]."""
        kept = (~first)[:, None].to(codes.dtype)
        driven = functional.linear(self._shown(codes, actions, first), self.of_input)
        return self._after(driven, Memory(memory.hidden * kept, memory.cell * kept))

    def unroll(self, codes: Tensor, actions: Tensor, first: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """Steps [B, T, ...] one after the other: hidden states [B, T, H] after each, and the last memory."""
        driven = functional.linear(self._shown(codes, actions, first), self.of_input)
        kept = (~first)[..., None].to(codes.dtype)
        forgets = first.any(dim=0).tolist()
        hidden = []
        for t, forget in enumerate(forgets):
            if forget:
                memory = Memory(memory.hidden * kept[:, t], memory.cell * kept[:, t])
            memory = self._after(driven[:, t], memory)
            hidden.append(memory.hidden)
        return torch.stack(hidden, dim=1), memory

    def foretold(self, hidden: Tensor) -> Foretold:
        """What hidden states [..., H] foretell of the step after."""
        outputs = self.output(hidden)
        sizes = [3 * self.mixtures * self.latent, int(self.restart), int(self.reward), self.action * self.actions]
        code, restart, reward, action = outputs.split(sizes, dim=-1)
        logits, means, log_stds = code.unflatten(-1, (3, self.latent, self.mixtures)).unbind(dim=-3)
        return Foretold(
            Mixture(logits.log_softmax(dim=-1), means, log_stds),
            restart[..., 0] if self.restart else None,
            reward[..., 0] if self.reward else None,
            action if self.action else None,
        )

    def _shown(self, codes: Tensor, actions: Tensor, first: Tensor) -> Tensor:
        ones = torch.ones_like(codes[..., :1])
        seen = [codes, actions, first[..., None].to(codes.dtype), ones]
        return torch.cat(seen if self.restart else [codes, actions, ones], dim=-1)

    def _after(self, driven: Tensor, memory: Memory) -> Memory:
        """One step of the LSTM, whose gates are driven by `driven` [B, 4 H] from outside."""
        gates = driven + functional.linear(memory.hidden, self.of_memory)
        inlet, forget, outlet = gates[:, : 3 * self.hidden].sigmoid().chunk(3, dim=-1)
        cell = forget * memory.cell + inlet * gates[:, 3 * self.hidden :].tanh()
        return Memory(outlet * cell.tanh(), cell)


def mixture_nll(mixture: Mixture, codes: Tensor) -> Tensor:
    """[..., Z] nats, the negative log-density of each entry of `codes` [..., Z] by its own mixture."""
    off = (codes[..., None] - mixture.means) * (-mixture.log_stds).exp()
    log_density = mixture.log_weights - mixture.log_stds - 0.5 * off**2 - HALF_LOG_2PI
    return -log_density.logsumexp(dim=-1)


class Wanted(NamedTuple):
    """What was to be foretold, for [...] steps; `valid` says which of them are steps at all."""

    codes: Tensor  # [..., Z]
    restart: Tensor  # bool [...]
    reward: Tensor  # [...]
    action: Tensor  # [..., U]
    valid: Tensor  # bool [...]
    action_valid: Tensor  # bool [...], where an action follows


def mdn_rnn_loss(
    foretold: Foretold, wanted: Wanted, restart_weight: float, reward_weight: float = 1.0
) -> dict[str, Tensor]:
    """The terms of the loss of M by name, "total" their sum: means over steps, of codes over their entries, too.

    Ends of episodes, of which there are few, count `restart_weight` times. What the picture is after an end is not
    learned, if ends are. Rewards are taken for Gaussian with variance 1 / `reward_weight`, actions with variance 1, but
    for a constant.
    """
    seen = wanted.valid if foretold.restart is None else wanted.valid & ~wanted.restart
    terms = {"code": _mean(mixture_nll(foretold.code, wanted.codes).mean(dim=-1), seen)}
    if foretold.restart is not None:
        weight = foretold.restart.new_tensor(restart_weight)
        target = wanted.restart.to(foretold.restart.dtype)
        loss = functional.binary_cross_entropy_with_logits(
            foretold.restart, target, pos_weight=weight, reduction="none"
        )
        terms["restart"] = _mean(loss, wanted.valid)
    if foretold.reward is not None:
        terms["reward"] = reward_weight * _mean((foretold.reward - wanted.reward) ** 2 / 2, wanted.valid)
    if foretold.action is not None:
        errors = ((foretold.action - wanted.action) ** 2).sum(dim=-1) / 2
        terms["action"] = _mean(errors, wanted.valid & wanted.action_valid)
    return {"total": torch.stack(list(terms.values())).sum(), **terms}


def drawn_codes(mixture: Mixture, temperature: float, uniform: Tensor, normal: Tensor) -> Tensor:
    """[..., Z], codes drawn with `uniform` (0 to 1) and standard `normal` numbers [..., Z].

    The logarithms of the weights are divided by the temperature, variances are multiplied by it; at 0 the mean of the
    likeliest component is drawn. Raises ValueError for a temperature below 0.
    """
    if temperature < 0:
        raise ValueError(f"a temperature is 0 or more, got {temperature}")
    weights = (mixture.log_weights / max(temperature, LEAST_TEMPERATURE)).softmax(dim=-1)
    steps = weights.cumsum(dim=-1)
    chosen = (steps < uniform[..., None] * steps[..., -1:]).sum(dim=-1, keepdim=True)
    chosen = chosen.clamp(max=mixture.means.shape[-1] - 1)
    mean, log_std = (each.gather(-1, chosen)[..., 0] for each in (mixture.means, mixture.log_stds))
    return mean + log_std.exp() * math.sqrt(temperature) * normal


def mixture_entropy(mixture: Mixture) -> Tensor:
    """[...] nats, the entropy of the choice of a component, averaged over the entries of a code."""
    return -(mixture.log_weights.exp() * mixture.log_weights).sum(dim=-1).mean(dim=-1)


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    weights = counted.to(values.dtype)
    return (values * weights).sum() / weights.sum().clamp(min=1)
