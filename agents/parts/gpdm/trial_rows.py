"""Trials of control as sequences that a GPDM learns."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from sakiyomi.agents.parts.episodes.rollouts import Rollout
from sakiyomi.agents.parts.gp import GP, fit
from sakiyomi.agents.parts.gpdm.kernels import Floats
from sakiyomi.agents.parts.gpdm.model import Model
from sakiyomi.agents.parts.gpdm.showing import shown


class TrialRows(NamedTuple):
    """Of each trial of T steps what is learnt of its observations [T + 1, D], and what was done there [T + 1, U].

    `rewards` [N] are those of arriving in the rows of all trials, NaN in their first ones.
    """

    sequences: list[Floats]
    controls: list[Floats]
    rewards: Floats


def trial_rows(rollouts: Sequence[Rollout], low: Floats, high: Floats, angles: tuple[int, ...]) -> TrialRows:
    """The rows of `rollouts`; controls are -1 to 1 within `low` [U] to `high` [U], and 0 in a trial's last row."""
    return TrialRows(
        [shown(each.observations, angles) for each in rollouts],
        [np.concatenate([standard(each.actions, low, high), np.zeros((1, len(low)))]) for each in rollouts],
        np.concatenate([np.concatenate([[np.nan], each.rewards]) for each in rollouts]),
    )


def latest(rollouts: Sequence[Rollout], points: int) -> list[Rollout]:
    """The last of them that have at most `points` rows together, one at the least."""
    kept, rows = list[Rollout](), 0
    for rollout in reversed(rollouts):
        rows += len(rollout.observations)
        if kept and rows > points:
            break
        kept.insert(0, rollout)
    return kept


def standard(controls: Floats, low: Floats, high: Floats) -> Floats:
    """[..., U] controls, their box being -1 to 1."""
    return 2 * (controls - low) / (high - low) - 1


def reward_process(model: Model, rewards: Floats, rng: np.random.Generator) -> GP:
    """The process of the reward of arriving at a latent point; `rewards` [N] as in `TrialRows`."""
    targets = rewards[model.motions.rows]
    arrived = ~np.isnan(targets)
    return fit(torch.from_numpy(model.x[arrived]), torch.from_numpy(targets[arrived, None]), rng=rng)
