"""Integrals of products of two exponentials of a Gaussian process over a Gaussian input, with their derivatives.

With Q_abij = E s_ai(x) s_bj(x) for x ~ N(m, S), s_ai the bump of output a at row i (see `bump_integrals`), and c_ij the
centre of the product of two bumps, B = (S + (1/l_a^2 + 1/l_b^2)^-1)^-1, g_ij = B (c_ij - m), w_ij = weight_ij Q_ij,

    L = sum w_ij,   dL/dm = sum w_ij g_ij,   dL/dS = 1/2 sum w_ij (g_ij g_ij' - B).

Q has N^2 entries for each pair of outputs, so it decides the cost. Its exponent is bilinear in v_i = x_i - m and v_j,
so one matrix product; and L and its derivatives need Q only times a few vectors, from both sides. All is done in one
pass over blocks that stay in the processor's cache.

Axes: B batch, E outputs, P pairs of outputs (a <= b), N rows of data, D inputs.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from sakiyomi.agents.parts.gp.bumps import Bumps, inverse_and_log_volume

BLOCK = 120_000  # numbers of Q that are worked on at once: about a megabyte, which a core's own cache holds


def products(offsets: Tensor, covariance: Tensor, bumps: Bumps, slopes: bool) -> tuple[Tensor, Tensor, Tensor]:
    """L [P, B] and, if `slopes`, its derivatives by mean [P, B, D] and covariance [P, B, D, D].

    With p = 1/l_a^2 + 1/l_b^2, A = I + p^1/2 S p^1/2 and z_ij = v_i / l_a^2 + v_j / l_b^2, log Q_ij is

        log(s_a^2 s_b^2) - 1/2 log |A| - 1/2 |v_i / l_a|^2 - 1/2 |v_j / l_b|^2 + 1/2 z_ij' p^-1/2 (I - A^-1) p^-1/2 z_ij

    and g_ij = p^1/2 A^-1 p^-1/2 z_ij. All is done with the rows' v and their squares, which the pairs share.
    """
    tight_a, tight_b = bumps.tight_a[:, None], bumps.tight_b[:, None]  # [P, 1, D]
    root = (tight_a + tight_b).sqrt()
    inverse, log_volume = inverse_and_log_volume(covariance, root)  # [P, B, D, D], [P, B]
    width = offsets.shape[-1]
    gain = (torch.eye(width, dtype=offsets.dtype) - inverse) / (root[..., :, None] * root[..., None, :])
    gain_a, gain_b = gain * tight_a[..., :, None], gain * tight_b[..., :, None]
    fall_a = gain_a * tight_a[..., None, :] - torch.diag_embed(tight_a)
    fall_b = gain_b * tight_b[..., None, :] - torch.diag_embed(tight_b)
    squares = (offsets[..., :, None] * offsets[..., None, :]).flatten(-2)  # [B, N, D D]
    falls = 0.5 * torch.cat((fall_a, fall_b)).flatten(-2).movedim(0, -1)  # [B, D D, 2 P]
    log_left, log_right = (squares @ falls).movedim(-1, 0)[..., None].chunk(2)  # [P, B, N, 1]
    log_left = log_left + (bumps.height[:, None] - 0.5 * log_volume)[..., None, None]
    # The whole exponent is one product of [N, D + 2] and [D + 2, N].
    ones = torch.ones(log_left.shape, dtype=offsets.dtype)
    lines = torch.cat((ones, offsets.expand(len(ones), -1, -1, -1)), -1)
    rising = torch.cat((ones, offsets @ (gain_a * tight_b[..., None, :]), log_left), -1)
    falling = torch.cat((log_right, lines[..., 1:], ones), -1)
    columns = bumps.right[..., None] * (lines if slopes else ones)
    along, across = _sweep(rising, falling, columns, bumps.left, bumps.own, slopes)
    along = bumps.left[..., None] * along  # sums over j of w_ij, and of w_ij v_j
    total = along[..., 0].sum(-1)
    if not slopes:
        return total, total, total
    sums = torch.cat((along[..., 0], bumps.right * across)).movedim(0, 1)  # [B, 2 P, N] of w_ij over j and over i
    firsts = (sums @ offsets).movedim(1, 0)[..., None].chunk(2)  # of w_ij v_i and of w_ij v_j  [P, B, D, 1]
    seconds = (sums @ squares).movedim(1, 0).unflatten(-1, (width, width)).chunk(2)
    mixed = offsets.mT @ along[..., 1:]  # of w_ij v_i v_j'
    drawn = root[..., :, None] * inverse / root[..., None, :]
    g_a, g_b = drawn * tight_a[..., None, :], drawn * tight_b[..., None, :]  # g_ij = g_a v_i + g_b v_j
    by_mean = (g_a @ firsts[0] + g_b @ firsts[1])[..., 0]
    crossed = g_a @ mixed @ g_b.mT
    second = g_a @ seconds[0] @ g_a.mT + g_b @ seconds[1] @ g_b.mT + crossed + crossed.mT
    B = root[..., :, None] * inverse * root[..., None, :]
    return total, by_mean, 0.5 * (second - total[..., None, None] * B)


def _sweep(
    rising: Tensor, falling: Tensor, columns: Tensor, left_weight: Tensor, own: Tensor, slopes: bool
) -> tuple[Tensor, Tensor]:
    """Q `columns` [P, B, N, 1 or D + 1] and, if `slopes`, Q' `left_weight` [P, B, N], block by block.

    Q = exp(`rising` `falling`'), times `own` for the E pairs of an output with itself. It is symmetric there, so that
    its second sum is the first one.
    """
    count, batch, rows, _ = rising.shape
    outputs = len(own)
    # Contiguous, so that what is written to their flat views is in them.
    along, across = torch.empty(columns.shape, dtype=rising.dtype), torch.empty(rising.shape[:-1], dtype=rising.dtype)
    flat = [tensor.flatten(0, 1) for tensor in (rising, falling.mT, columns, along, across[..., None, :])]
    weights = left_weight.expand(-1, batch, -1).flatten(0, 1)[:, None]
    buffer = torch.empty(max(1, min(BLOCK // rows**2, count * batch)), rows, rows, dtype=rising.dtype)
    for start, stop in _blocks(outputs, count, batch, len(buffer)):
        up, down, right, sums, other_sums = (tensor[start:stop] for tensor in flat)
        Q = buffer[: stop - start]
        torch.bmm(up, down, out=Q).exp_()
        if start < outputs * batch:
            Q.view(-1, min(batch, stop - start), rows, rows).mul_(own[start // batch : -(-stop // batch), None])
        torch.bmm(Q, right, out=sums)
        if slopes and start >= outputs * batch:
            torch.bmm(weights[start:stop], Q, out=other_sums)
    if slopes:
        across[:outputs] = along[:outputs, ..., 0]
    return along, across


def _blocks(outputs: int, count: int, batch: int, most: int) -> Iterator[tuple[int, int]]:
    """Ranges of at most `most` of the `count` x `batch` matrices Q, none across the border of the first `outputs`.

    Among the first ones a range is several outputs with all their candidates, or some candidates of one output.
    """
    border = outputs * batch
    if most >= batch:
        size = most // batch * batch
        yield from ((start, min(start + size, border)) for start in range(0, border, size))
    else:
        for output in range(0, border, batch):
            yield from ((output + s, output + min(s + most, batch)) for s in range(0, batch, most))
    yield from ((start, min(start + most, count * batch)) for start in range(border, count * batch, most))
