"""One step of a state's distribution through a Gaussian process that has learned the changes of the state.

Rows of the process are [states that are no angles, sin t_1, cos t_1, ..., controls], laid out by `process_inputs`;
targets are x_{t+1} - x_t for every state. With the M, C and V of moment matching

    mean' = mean + M,   covariance' = covariance + C + cov[x, input] V + (cov[x, input] V)'

(Deisenroth & Rasmussen 2011, §2.2; Kamthe & Deisenroth 2018, §3.1).
"""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from sakiyomi.agents.parts.gp.angles import angle_moments, with_angles
from sakiyomi.agents.parts.gp.kernels import float64
from sakiyomi.agents.parts.gp.matching import moments
from sakiyomi.agents.parts.gp.regression import GP


def process_inputs(states: Tensor, controls: Tensor, angles: Sequence[int] = ()) -> Tensor:
    """[..., D] rows of the process, for `states` [..., X] with columns `angles` of angles, and `controls` [..., U]."""
    states, controls = float64(states), float64(controls)
    return torch.cat((with_angles(states, angles)[..., _kept(states.shape[-1], angles)], controls), -1)


def next_state(
    gp: GP,
    mean: Tensor,
    covariance: Tensor,
    control: Tensor,
    *,
    angles: Sequence[int] = (),
    control_covariance: Tensor | None = None,
    cross_covariance: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Mean [..., X] and covariance [..., X, X] of the next state, by exact moment matching.

    Args:
        gp: of the changes of all X states, over rows of `process_inputs`.
        mean: [..., X] of the state.
        covariance: [..., X, X] of the state.
        control: [..., U] the control, or its mean.
        angles: columns of the state that are angles.
        control_covariance: [..., U, U], 0 if not given.
        cross_covariance: [..., X + 2A, U] of [x, sin, cos, ...] (in the order of `angle_moments`) with the control, for
            a control that depends on the state; 0 if not given.

    Returns:
        the moments of the noise-free state, the covariance symmetric.

    Raises ValueError for shapes that do not fit, and whatever `moments` raises.
    """
    width, held = mean.shape[-1], control.shape[-1]
    _check(gp, width, held, angles)
    mean, covariance, control = float64(mean), float64(covariance), float64(control)
    full_mean, full, crossed = angle_moments(mean, covariance, angles)
    from_state, from_control = _selections(width, held, tuple(angles))
    input_mean = full_mean @ from_state.mT + control @ from_control.mT
    input_covariance = from_state @ full @ from_state.mT
    with_inputs = crossed @ from_state.mT  # cov[x, input]
    if control_covariance is not None:
        input_covariance = input_covariance + from_control @ float64(control_covariance) @ from_control.mT
    if cross_covariance is not None:
        both = from_state @ float64(cross_covariance) @ from_control.mT
        input_covariance = input_covariance + both + both.mT
        with_inputs = with_inputs + float64(cross_covariance)[..., :width, :] @ from_control.mT
    M, C, V = moments(gp, input_mean, input_covariance)
    moved = with_inputs @ V
    following = covariance + C + moved + moved.mT
    return mean + M, 0.5 * (following + following.mT)


def next_mean(gp: GP, mean: Tensor, control: Tensor, *, angles: Sequence[int] = ()) -> Tensor:
    """[..., X] the next state if the state was certain and the process's mean was true: the zero-variance model.

    Arguments and errors as those of `next_state`.
    """
    mean, control = float64(mean), float64(control)
    _check(gp, mean.shape[-1], control.shape[-1], angles)
    return mean + gp.predict_mean(process_inputs(mean, control.expand(*mean.shape[:-1], -1), angles))


def _kept(width: int, angles: Sequence[int]) -> list[int]:
    """Columns of [x, sin, cos, ...] that the process sees: all but the angles themselves."""
    return [column for column in range(width + 2 * len(angles)) if column not in set(angles)]


@cache
def _selections(width: int, held: int, angles: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Matrices of 0 and 1 that take [x, sin, cos, ...] and the control to their places among the process's inputs.

    Products with them are quicker than indices, backward above all.
    """
    kept = _kept(width, angles)
    from_state = torch.zeros(len(kept) + held, width + 2 * len(angles), dtype=torch.float64)
    from_state[range(len(kept)), kept] = 1.0
    from_control = torch.zeros(len(kept) + held, held, dtype=torch.float64)
    from_control[len(kept) :] = torch.eye(held, dtype=torch.float64)
    return from_state, from_control


def _check(gp: GP, width: int, held: int, angles: Sequence[int]) -> None:
    wanted = width + len(angles) + held
    if (gp.inputs.shape[1], gp.outputs) != (wanted, width):
        raise ValueError(
            f"the process has {gp.inputs.shape[1]} inputs and {gp.outputs} outputs;"
            f" {width} states with {len(angles)} angles and {held} controls want {wanted} and {width}"
        )
