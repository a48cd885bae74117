"""The recurrent state-space model: latent dynamics of a deterministic memory and a stochastic state.

D. Hafner et al., PlaNet (ICML 2019, section 3), Dreamer (ICLR 2020), DreamerV2 (ICLR 2021, section 2.1). With memory h,
stochastic state s, action a and embedding e of the observation, where row t's action *led to* row t's observation::

    memory      h_t = GRU(h_{t-1}, act(W [s_{t-1}, a_t]))
    prior       p(s_t | h_t)         what it expects
    posterior   q(s_t | h_t, e_t)    what it believes having seen
    features    [s_t, h_t]           what every head sees

`RSSM.observe` follows posteriors along sequences, `RSSM.imagine` and `RSSM.dream` go on by priors alone. Only what
depends on the step before is in their loops: actions and embeddings are multiplied for all steps at once before, and
priors of observed steps are computed at once afterwards. All randomness comes in as an argument, so that the loops are
functions of tensors, which compile.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from sakiyomi.agents.parts.latent.distributions import (
    Gaussian,
    Noise,
    OneHots,
    full,
    sigmoid_std,
    softplus_std,
)
from sakiyomi.agents.parts.latent.pixel_nets import ACTIVATIONS, Activation
from sakiyomi.agents.parts.latent.tensors import Tensors, stacked

Dynamics = Literal["recurrent", "stochastic", "deterministic"]
STD = {"softplus": softplus_std, "sigmoid": sigmoid_std}


class Belief(Protocol):
    """What `Gaussian` and `OneHots` have in common, as distributions [..., S] of a stochastic state."""

    def __getitem__(self, rows: Any) -> Self: ...

    @property
    def mode(self) -> Tensor:
        """[..., S]."""

    def draw(self, noise: Noise) -> Tensor:
        """[..., S]."""

    def kl(self, other: Self) -> Tensor:
        """[...], KL(self || other) in nats."""

    def entropy(self) -> Tensor:
        """[...], in nats."""

    def detach(self) -> Self:
        """The same numbers, which pass no gradient on."""

    def map(self, change: Callable[[Tensor], Tensor]) -> Self:
        """What `change` makes of each parameter."""


@dataclass(frozen=True)
class State(Tensors):
    """Where the model is: memory `deter` [..., D], state `stoch` [..., S], and the `belief` that it was drawn from.

    ``state.map(f)``, ``state[rows]`` and ``state.detach()`` work on all of its tensors at once.
    """

    deter: Tensor
    stoch: Tensor
    belief: Belief

    @property
    def features(self) -> Tensor:
        """[..., S + D], what heads and decoders see."""
        return torch.cat([self.stoch, self.deter], -1)


Policy = Callable[[State, int], Tensor]
"""The states [N, ...] of an imagined step and its number, 0 for the start, to actions [N, U]."""


class FullGRU(nn.GRUCell):
    """PyTorch's cell, in float32 or better wherever other products are halved: a memory that is rounded at every step
    loses what is added to it little by little.
    """

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        """As `nn.GRUCell`."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(full(x), h)


class LayerNormGRU(nn.Module):
    """DreamerV2's cell: x [N, inputs], h [N, units] -> h [N, units].

    One linear layer of [x, h] gives reset, candidate and update, which are normalised together; the reset gate
    multiplies the candidate before its tanh, and 1 is taken from the update, so that the memory at first remembers.
    """

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs + units, 3 * units)
        self.norm = nn.LayerNorm(3 * units, eps=1e-3)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """As the class says."""
        reset, candidate, update = self.norm(full(self.linear(torch.cat([x, h], -1)))).chunk(3, -1)
        candidate = torch.tanh(torch.sigmoid(reset) * candidate)
        return torch.lerp(h, candidate, torch.sigmoid(update - 1))


class RSSM(nn.Module):
    """The latent dynamics; `features` is the size of ``State.features``.

    `stoch` numbers are normal if `classes` is 0 (`std` names the map of a deviation from the network's output, see
    `softplus_std` and `sigmoid_std`), else `stoch` variables of so many classes each, one-hot and flattened. `cell` is
    PyTorch's GRU, which PlaNet and Dreamer come close to, or DreamerV2's. PlaNet and Dreamer have 200 units, 30 normal
    numbers, and ReLU and ELU; DreamerV2 has 32 variables of 32 classes, ELU, and 600 units for Atari.

    `dynamics` other than ``"recurrent"`` are PlaNet's ablations (section 3, figure 2). ``"stochastic"`` has no memory:
    the hidden layer of [s_{t-1}, a_t] takes the place of h_t, and `deter` is empty. ``"deterministic"`` carries the
    most probable state instead of one that is drawn. Raises ValueError for sizes below 1, and for classes with it.
    """

    def __init__(
        self,
        actions: int,
        embed: int,
        *,
        deter: int = 200,
        hidden: int = 200,
        stoch: int = 30,
        classes: int = 0,
        activation: Activation = "elu",
        std: Literal["softplus", "sigmoid"] = "softplus",
        cell: Literal["gru", "layer_norm"] = "gru",
        dynamics: Dynamics = "recurrent",
    ) -> None:
        super().__init__()
        if min(actions, embed, deter, hidden, stoch) < 1 or classes < 0:
            sizes = {"actions": actions, "embed": embed, "deter": deter, "hidden": hidden, "stoch": stoch}
            raise ValueError(f"sizes of an RSSM are 1 or more, classes 0 or more; got {sizes | {'classes': classes}}")
        if classes and dynamics == "deterministic":
            raise ValueError("the most probable class passes no gradient: deterministic dynamics have classes = 0")
        self.variables, self.classes, self.dynamics = stoch, classes, dynamics
        self.stoch = stoch * max(classes, 1)
        self.deter = 0 if dynamics == "stochastic" else deter
        self.features = self.stoch + self.deter
        self._std = STD[std]
        self._context = self.deter or hidden
        outputs = self.stoch if classes else 2 * stoch
        self.act = ACTIVATIONS[activation]()
        self.step_in = nn.Linear(self.stoch + actions, hidden)
        if dynamics != "stochastic":
            self.cell = LayerNormGRU(hidden, deter) if cell == "layer_norm" else FullGRU(hidden, deter)
            self.prior_in = nn.Linear(deter, hidden)
        self.prior_out = nn.Linear(hidden, outputs)
        self.posterior_in = nn.Linear(self._context + embed, hidden)
        self.posterior_out = nn.Linear(hidden, outputs)

    def initial(self, *lead: int) -> State:
        """The state before anything happened: zeros, `lead` dimensions first; its belief is of no account."""
        zeros = self.step_in.weight.new_zeros
        if self.classes:
            belief: Belief = OneHots(zeros(*lead, self.variables, self.classes))
        else:
            belief = Gaussian(zeros(*lead, self.stoch), zeros(*lead, self.stoch) + 1)
        return State(zeros(*lead, self.deter), zeros(*lead, self.stoch), belief)

    def noise(self, *lead: int, generator: torch.Generator) -> Tensor:
        """The numbers [*lead, variables] that so many draws of a state need: uniform for classes, else normal."""
        draw = torch.rand if self.classes else torch.randn
        weight = self.step_in.weight
        return draw(*lead, self.variables, generator=generator, device=weight.device, dtype=weight.dtype)

    def observe(
        self, embeds: Tensor, actions: Tensor, is_first: Tensor, state: State | None = None, *, noise: Noise
    ) -> tuple[State, Belief]:
        """The posterior states and the priors' beliefs, [B, L, ...], along sequences.

        `embeds` [B, L, E], `actions` [B, L, U] that led to them, zeros where an episode begins, `is_first` [B, L] (an
        episode begins, or what was before is not known: the state before counts as zeros), `state` [B, ...] before the
        first step, zeros if None. `noise` is a generator or numbers [B, L, variables]. Raises ValueError for shapes
        that do not fit.
        """
        batch, length = is_first.shape
        weight, context = self.posterior_in.weight, self._context
        _check("embeds", embeds, (batch, length), weight.shape[1] - context)
        _check("actions", actions, (batch, length), self.step_in.in_features - self.stoch)
        keep = (~is_first.bool()).to(full(embeds).dtype).unsqueeze(-1)
        from_stoch, doing = self._hoisted(actions)
        from_context, from_embed = weight[:, :context], weight[:, context:]
        seeing = functional.linear(embeds, from_embed, self.posterior_in.bias)
        numbers = self._numbers(noise, (batch, length))
        state = self.initial(batch) if state is None else state
        deter, stoch = state.deter, state.stoch
        contexts, states = [], []
        # unbound, as the gradient of a row picked by its number would be a whole tensor of zeros
        for kept, did, saw, drawn in zip(*(x.unbind(1) for x in (keep, doing, seeing, numbers)), strict=True):
            deter, given = self._move(deter * kept, stoch * kept, from_stoch, did)
            hidden = self.act(functional.linear(given, from_context) + saw)
            states.append(self._state(deter, self.posterior_out(hidden), drawn))
            stoch = states[-1].stoch
            contexts.append(given)
        return stacked(states, 1), self._prior(torch.stack(contexts, 1))

    def step(self, state: State, action: Tensor, embed: Tensor, is_first: Tensor, *, noise: Noise) -> State:
        """The posterior states [B, ...] of one step on from `state`; action [B, U], embed [B, E], is_first [B] (an
        episode begins: state and action before it are forgotten).
        """
        noise = noise if isinstance(noise, torch.Generator) else noise[:, None]
        led = action * (~is_first.bool()).to(action.dtype).unsqueeze(-1)
        return self.observe(embed[:, None], led[:, None], is_first[:, None], state, noise=noise)[0][:, 0]

    def imagine(self, state: State, actions: Tensor, *, noise: Noise) -> State:
        """The states [H, N, ...] that `actions` [H, N, U] lead to from `state` [N, ...], by the priors.

        `noise` is a generator or numbers [H, N, variables]. Raises ValueError for shapes that do not fit.
        """
        _check("actions", actions, (len(actions), len(state.stoch)), self.step_in.in_features - self.stoch)
        from_stoch, doing = self._hoisted(actions)
        numbers = self._numbers(noise, tuple(actions.shape[:2]))
        states = []
        for did, drawn in zip(doing.unbind(0), numbers.unbind(0), strict=True):
            state = self._imagined(state, from_stoch, did, drawn)
            states.append(state)
        return stacked(states, 0)

    def dream(self, state: State, policy: Policy, horizon: int, *, noise: Noise) -> tuple[State, Tensor]:
        """The states [H, N, ...] after the start and the actions [H, N, U] that led to them, chosen by `policy`.

        `state` [N, ...] is the start, and what `policy` sees first; gradients pass through states and actions.
        """
        from_stoch, from_action = self._split()
        numbers = self._numbers(noise, (horizon, len(state.stoch)))
        states, actions = [], []
        for h in range(horizon):
            actions.append(policy(state, h))
            doing = functional.linear(actions[-1], from_action, self.step_in.bias)
            state = self._imagined(state, from_stoch, doing, numbers[h])
            states.append(state)
        return stacked(states, 0), torch.stack(actions)

    def _imagined(self, state: State, from_stoch: Tensor, doing: Tensor, numbers: Tensor) -> State:
        deter, given = self._move(state.deter, state.stoch, from_stoch, doing)
        return self._state(deter, self._prior_raw(given), numbers)

    def _move(self, deter: Tensor, stoch: Tensor, from_stoch: Tensor, doing: Tensor) -> tuple[Tensor, Tensor]:
        """The next memory, and what prior and posterior are told of the past: the memory, if there is one."""
        hidden = self.act(functional.linear(stoch, from_stoch) + doing)
        if self.dynamics == "stochastic":
            return deter, hidden
        deter = full(self.cell(hidden, deter))
        return deter, deter

    def _prior_raw(self, given: Tensor) -> Tensor:
        hidden = given if self.dynamics == "stochastic" else self.act(self.prior_in(given))
        raw: Tensor = self.prior_out(hidden)
        return raw

    def _prior(self, given: Tensor) -> Belief:
        return self._belief(self._prior_raw(given))

    def _state(self, deter: Tensor, raw: Tensor, numbers: Tensor) -> State:
        belief = self._belief(raw)
        return State(deter, belief.mode if self.dynamics == "deterministic" else belief.draw(numbers), belief)

    def _belief(self, raw: Tensor) -> Belief:
        """Of the outputs [..., 2 S] or [..., V * C] of the last layer, in float32 or better."""
        if self.classes:
            return OneHots(full(raw).unflatten(-1, (self.variables, self.classes)))
        mean, std = full(raw).chunk(2, -1)
        return Gaussian(mean, self._std(std))

    def _split(self) -> tuple[Tensor, Tensor]:
        """The first layer's weights of the state and of the action."""
        return self.step_in.weight[:, : self.stoch], self.step_in.weight[:, self.stoch :]

    def _hoisted(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        """The first layer's weights of the state, and what actions [..., U] add to its outputs."""
        from_stoch, from_action = self._split()
        return from_stoch, functional.linear(actions, from_action, self.step_in.bias)

    def _numbers(self, noise: Noise, lead: tuple[int, ...]) -> Tensor:
        return self.noise(*lead, generator=noise) if isinstance(noise, torch.Generator) else noise


def _check(name: str, x: Tensor, lead: Sequence[int], width: int) -> None:
    if tuple(x.shape) != (*lead, width):
        raise ValueError(f"{name} of this RSSM and batch are {(*lead, width)}, got {tuple(x.shape)}")
