"""Contrastive learning of states: each is told from the observation at its time, among those of the whole batch.

D. Hafner et al., "Dream to control", ICLR 2020, section 4.
"""

import torch
from torch import Tensor
from torch.nn import functional

from sakiyomi.agents.parts.latent.distributions import full


def contrast(states: Tensor, told: Tensor) -> Tensor:
    """-mean over i of [log N(s_i; m_i, 1) - log sum_j N(s_i; m_j, 1)]; gradients go to both.

    `states` [N, F] are s, and `told` [N, F] are m, the means that a network tells of the observations.
    """
    # what the squared distance has of the state alone, and its constant, are in both terms
    log_probs = full(states) @ full(told).T - 0.5 * full(told).square().sum(-1)
    return functional.cross_entropy(log_probs, torch.arange(len(told), device=told.device))
