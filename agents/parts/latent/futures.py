"""What an actor in a latent state carries along, and what is foreseen there: what comes of a plan, and how well."""

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
from sakiyomi.agents.parts.latent.observing import checked, going_on
from sakiyomi.agents.parts.latent.open_loop import open_loop_errors
from sakiyomi.agents.parts.latent.rssm import RSSM, State
from sakiyomi.agents.parts.latent.senses import Senses


@dataclass(frozen=True, eq=False)
class Latent:
    """The carry: the latent state [B, ...], the action [B, U] that was taken from it, and chance."""

    state: State
    action: Tensor
    generator: torch.Generator


def encoded(senses: Senses, turn: Turn, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """What `senses` make of a turn's observations, [B, outputs], and its is_first [B], on the generator's device.

    Raises ValueError for observations that are not finite, or of another shape.
    """
    given = torch.from_numpy(np.ascontiguousarray(checked(turn.observation, senses.shape))).to(generator.device)
    return senses(senses.seen(given, generator)), torch.from_numpy(turn.is_first).to(generator.device)


def acted_out(
    rssm: RSSM,
    senses: Senses,
    decoder: Callable[[Tensor], Tensor] | None,
    actor: Actor,
    carry: Latent,
    turn: Turn,
    row: int,
    controls: Controls,
    *,
    numbers: Mapping[str, Callable[[Tensor], Tensor]],
    horizon: int,
    futures: int,
) -> Foresight:
    """What `actor` expects in one row of a batch: what comes of the actions that are best along one path.

    As `foreseen`, where "value" must be among the `numbers`: the return from a state on, the reward of arriving there
    included.
    """
    generator = torch.Generator(carry.action.device).manual_seed(0)  # of its own: looking changes nothing
    start, first = carry.state[row : row + 1], carry.action[row : row + 1]
    noise = path_noise(rssm, horizon, futures, generator)

    def best(state: State, step: int) -> Tensor:
        return actor.best(state.features, generator) if step else first

    _, plan = rssm.dream(start, best, horizon, noise=noise[:, :1])
    nets, now = (rssm, senses, decoder), np.asarray(turn.observation)[row]
    return foreseen(*nets, start, plan[:, 0], now, controls, numbers=numbers, noise=noise)


def foreseen(
    rssm: RSSM,
    senses: Senses,
    decoder: Callable[[Tensor], Tensor] | None,
    start: State,
    plan: Tensor,
    now: NDArray[Any],
    controls: Controls,
    *,
    numbers: Mapping[str, Callable[[Tensor], Tensor]],
    noise: Tensor,
) -> Foresight:
    """What comes of a `plan` [H, U] from the state `start` [1, ...], in which `now` is observed.

    `numbers` are what is predicted of features [..., F], by name. They, and vectors, are those of as many paths as
    `noise` [H, 1 + paths, variables] has, but for the first, which is that of pictures: of the means where latent
    states are normal. Without a decoder nothing is shown.
    """
    paths = noise.shape[1]
    starts = start.map(lambda x: x.expand(paths, *x.shape[1:]))
    features = rssm.imagine(starts, plan[:, None].expand(-1, paths, -1), noise=noise).features.transpose(0, 1)
    future = {name: _predicted(told(features[1:]).double().cpu().numpy()) for name, told in numbers.items()}
    if decoder is not None and senses.pictures:
        future["observation"] = Predicted(senses.shown(decoder(features[:1]))[0])
    elif decoder is not None:
        future["observation"] = _predicted(going_on(now, senses.shown(decoder(features[1:])), senses.angles))
    actions = controls.decoded(plan.cpu().numpy())
    return Foresight(
        value=float(future["value"].mean[0]) if "value" in future else None,
        actions=actions[:1],
        lines=(actions,),
        future=future,
        simulations=paths - 1,
        depth=len(plan),
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
    seen = senses.seen(episode.observations, generator)
    posteriors, _ = rssm.observe(senses(seen), episode.actions, episode.is_first, noise=generator)
    rows = (seen[0], rewards[0], posteriors[0], episode.actions[0])
    return open_loop_errors(rssm, decoder, reward, *rows, horizon=horizon, generator=generator)


def path_noise(rssm: RSSM, horizon: int, futures: int, generator: torch.Generator) -> Tensor:
    """[H, 1 + futures, variables] for paths of states, the first being that of the means where these are normal."""
    noise = rssm.noise(horizon, 1 + futures, generator=generator)
    if not rssm.classes:
        noise[:, 0] = 0
    return noise


def _predicted(samples: NDArray[Any]) -> Predicted:
    """Of futures [P, H, ...]."""
    return Predicted(samples.mean(axis=0), samples.std(axis=0), samples=samples)
