"""What an actor in a latent state carries along, and what is foreseen there: its course, imagined, and how well."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sakiyomi.agents.agent import Foresight, Predicted, Turn
from sakiyomi.agents.parts.episodes.controls import Controls
from sakiyomi.agents.parts.latent.actors import Actor
from sakiyomi.agents.parts.latent.batches import Batch
from sakiyomi.agents.parts.latent.observing import checked
from sakiyomi.agents.parts.latent.open_loop import open_loop_errors
from sakiyomi.agents.parts.latent.rssm import RSSM, State
from sakiyomi.agents.parts.latent.senses import Senses


@dataclass(frozen=True, eq=False)
class Latent:
    """The carry: the latent state [B, ...], the action [B, U] that was taken from it, and chance."""

    state: State
    action: Tensor
    generator: torch.Generator


def encoded(senses: Senses, turn: Turn, device: torch.device) -> tuple[Tensor, Tensor]:
    """What `senses` make of a turn's observations, [B, outputs], and its is_first [B], on `device`.

    Raises ValueError for observations that are not finite, or of another shape.
    """
    given = torch.from_numpy(np.ascontiguousarray(checked(turn.observation, senses.shape)))
    return senses(senses.seen(given.to(device))), torch.from_numpy(turn.is_first).to(device)


def foreseen(
    rssm: RSSM,
    senses: Senses,
    decoder: Callable[[Tensor], Tensor] | None,
    actor: Actor,
    carry: Latent,
    row: int,
    controls: Controls,
    *,
    numbers: Mapping[str, Callable[[Tensor], Tensor]],
    horizon: int,
    futures: int,
) -> Foresight:
    """What `actor` expects in one row of a batch: its best actions along one path, and `futures` paths of these.

    `numbers` are what is predicted of features [..., F], by name; "value" must be among them, the return from a state
    on, the reward of arriving there included. Pictures are those of the one path, which is that of the means where
    latent states are normal. Without a decoder nothing is shown.
    """
    generator = torch.Generator(carry.action.device).manual_seed(0)  # of its own: looking changes nothing
    start, first = carry.state[row : row + 1], carry.action[row : row + 1]
    noise = rssm.noise(horizon, 1 + futures, generator=generator)
    if not rssm.classes:
        noise[:, 0] = 0

    def best(state: State, step: int) -> Tensor:
        return actor.best(state.features, generator) if step else first

    _, plan = rssm.dream(start, best, horizon, noise=noise[:, :1])
    starts = start.map(lambda x: x.expand(1 + futures, *x.shape[1:]))
    features = rssm.imagine(starts, plan.expand(-1, 1 + futures, -1), noise=noise).features.transpose(0, 1)
    future = {name: _predicted(told(features[1:]).double().cpu().numpy()) for name, told in numbers.items()}
    if decoder is not None:
        shown = senses.shown(decoder(features[:1] if senses.pictures else features[1:]))
        future["observation"] = Predicted(shown[0]) if senses.pictures else _predicted(shown)
    actions = controls.decoded(plan[:, 0].cpu().numpy())
    return Foresight(
        value=float(future["value"].mean[0]),
        actions=actions[:1],
        lines=(actions,),
        future=future,
        simulations=futures,
        depth=horizon,
    )


def foretold(
    rssm: RSSM,
    senses: Senses,
    decoder: Callable[[Tensor], Tensor],
    reward: Callable[[Tensor], Tensor],
    episode: Batch,
    rewards: Tensor,
    *,
    horizon: int,
    generator: torch.Generator,
) -> dict[str, float]:
    """`open_loop_errors` of an `episode` [1, L, ...] with `rewards` [1, L] as the model is to predict them."""
    seen = senses.seen(episode.observations)
    posteriors, _ = rssm.observe(senses(seen), episode.actions, episode.is_first, noise=generator)
    rows = (seen[0], rewards[0], posteriors[0], episode.actions[0])
    return open_loop_errors(rssm, decoder, reward, *rows, horizon=horizon, generator=generator)


def _predicted(samples: NDArray[Any]) -> Predicted:
    """Of futures [P, H, ...]."""
    return Predicted(samples.mean(axis=0), samples.std(axis=0), samples=samples)
