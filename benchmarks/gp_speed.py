"""Moment matching through a Gaussian process: CPU milliseconds a step, forward and with its gradient.

    python benchmarks/gp_speed.py [--quick] [--peer PYTHON]

A process of 4 outputs and 6 inputs (4 states, 2 controls) predicts the next state of 1 or 32 candidates, in one thread
and float64. Beside ours stands the same step by plain automatic differentiation of the formulas, batched over
candidates and pairs of outputs; and, with the path of an interpreter that has it installed, TorchRL's GPWorldModel, in
a process of its own. All get the same numbers, must give the same results (gradients, too), and take turns; each figure
is the best of several rounds.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from sakiyomi.agents.parts.gp import GP, Kernel, fit, next_state

STATES, CONTROLS = 4, 2
PEER = Path(__file__).with_name("gp_speed_torchrl.py")
WIDEST = 400_000  # batch times rows squared, beyond which the others would take gigabytes
Step = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


def problem(rows: int, batch: int) -> dict[str, np.ndarray]:
    """Rows, hyper-parameters and input distributions."""
    rng = np.random.default_rng(rows)
    x = rng.normal(size=(rows, STATES + CONTROLS))
    y = 0.3 * np.sin(x @ rng.normal(size=(STATES + CONTROLS, STATES))) + 0.02 * rng.normal(size=(rows, STATES))
    roots = 0.2 * rng.normal(size=(batch, STATES, STATES))
    return {
        "inputs": x,
        "targets": y,
        "lengthscales": rng.uniform(1, 3, (STATES, STATES + CONTROLS)),
        "signal": rng.uniform(0.3, 0.6, STATES),
        "noise": np.full(STATES, 0.02),
        "mean": 0.5 * rng.normal(size=(batch, STATES)),
        "covariance": roots @ roots.swapaxes(-1, -2),
        "control": 0.5 * rng.normal(size=(batch, CONTROLS)),
    }


def process(given: dict[str, np.ndarray]) -> GP:
    kernel = Kernel(lengthscales=given["lengthscales"], signal=given["signal"])
    return GP.of(given["inputs"], given["targets"], kernel, given["noise"])


def plain_step(gp: GP) -> Step:
    """The textbook's formulas, all pairs of outputs in one batch, left to automatic differentiation."""
    a, b = torch.triu_indices(gp.outputs, gp.outputs)
    tight, heights = gp.kernel.lengthscales**-2, gp.kernel.signal.square()
    own = (a == b).double()[:, None, None]
    weights = gp.beta[a][:, :, None] * gp.beta[b][:, None, :] - own * gp.precision[a]

    def step(mean: torch.Tensor, covariance: torch.Tensor, control: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        m = torch.cat((mean, control), -1)
        S = torch.nn.functional.pad(covariance, (0, CONTROLS, 0, CONTROLS))[:, None]
        v, one = (gp.inputs - m[:, None])[:, None], torch.eye(m.shape[-1], dtype=m.dtype)
        pulled = torch.linalg.solve(S + torch.diag_embed(1 / tight), v.mT).mT
        volume = torch.linalg.det(S * tight[:, None] + one).rsqrt()
        q = heights[:, None] * volume[..., None] * torch.exp(-0.5 * (v * pulled).sum(-1)) * gp.beta
        M, V = q.sum(-1), (q[..., None, :] @ pulled)[..., 0, :].mT
        R = S * (tight[a] + tight[b])[:, None] + one
        z_a, z_b = v * tight[a][:, None], v * tight[b][:, None]
        T = torch.linalg.solve(R, S.expand_as(R))
        left = -0.5 * (v.square() @ tight[a][..., None])[..., 0] + 0.5 * ((z_a @ T) * z_a).sum(-1)
        right = -0.5 * (v.square() @ tight[b][..., None])[..., 0] + 0.5 * ((z_b @ T) * z_b).sum(-1)
        Q = torch.exp(left[..., :, None] + right[..., None, :] + z_a @ T @ z_b.mT)
        L = (weights * Q).sum((-1, -2)) * heights[a] * heights[b] * torch.linalg.det(R).rsqrt()
        C = torch.zeros(*M.shape, gp.outputs, dtype=M.dtype)
        C[:, a, b] = L
        C[:, b, a] = L
        C = C - M[:, :, None] * M[:, None, :] + torch.diag(heights)
        moved = covariance @ V[:, :STATES]
        return mean + M, covariance + C + moved + moved.mT

    return step


def ours_step(gp: GP) -> Step:
    return lambda mean, covariance, control: next_state(gp, mean, covariance, control)


def timed(step: Step, given: dict[str, np.ndarray], repeats: int) -> dict[str, object]:
    """Best CPU seconds of a step, and of a step with its gradient, and what came out."""
    names = ("mean", "covariance", "control")
    fixed = [torch.from_numpy(given[name]) for name in names]
    free = [tensor.clone().requires_grad_() for tensor in fixed]
    forward = both = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        with torch.no_grad():
            mean, covariance = step(*fixed)
        forward = min(forward, time.process_time() - start)
        start = time.process_time()
        reached, spread = step(*free)
        gradients = torch.autograd.grad(reached.sum() + spread.sum(), free)
        both = min(both, time.process_time() - start)
    symmetric = 0.5 * (gradients[1] + gradients[1].mT)
    values = [part.tolist() for part in (mean, covariance, gradients[0], symmetric, gradients[2])]
    return {"forward": forward, "both": both, "values": values}


class Peer:
    """TorchRL under an interpreter of its own, asked line by line."""

    def __init__(self, python: str):
        self.program = subprocess.Popen([python, PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def timed(self, given: dict[str, np.ndarray], repeats: int) -> dict[str, object]:
        """What `timed` gives for our steps."""
        gp = process(given)
        with tempfile.NamedTemporaryFile(suffix=".npz") as file:
            np.savez(file, **given, beta=gp.beta.numpy(), precision=gp.precision.numpy())
            file.flush()
            assert self.program.stdin
            assert self.program.stdout
            print(json.dumps([file.name, repeats]), file=self.program.stdin, flush=True)
            answer: dict[str, object] = json.loads(self.program.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        self.program.communicate()


def compare(rows: int, batch: int, repeats: int, rounds: int, peer: Peer | None, table: Table) -> None:
    """One line of the table for each of those who are compared."""
    given = problem(rows, batch)
    gp = process(given)
    small = batch * rows**2 <= WIDEST
    jobs: dict[str, Callable[[], dict[str, object]]] = {"sakiyomi": lambda: timed(ours_step(gp), given, repeats)}
    if small:
        jobs["autograd"] = lambda: timed(plain_step(gp), given, max(2, repeats // 10))
    if peer and small:
        jobs["TorchRL"] = lambda: peer.timed(given, max(2, repeats // 10))
    best: dict[str, list[float]] = {name: [float("inf")] * 2 for name in jobs}
    wanted = None
    for _ in range(rounds):
        for name, job in jobs.items():
            done = job()
            best[name] = [min(old, done[part]) for old, part in zip(best[name], ("forward", "both"), strict=True)]
            wanted = wanted or done["values"]
            for ours, theirs in zip(wanted, done["values"], strict=True):
                np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-5, err_msg=name)
    for name, (forward, both) in best.items():
        ratios = [f"{theirs / ours:.1f} x" for ours, theirs in zip(best["sakiyomi"], (forward, both), strict=True)]
        shown = [f"{1e3 * forward:.2f}", f"{1e3 * both:.2f}"]
        table.add_row(str(rows), str(batch), name, *shown, *(["", ""] if name == "sakiyomi" else ratios))


def fits(rows: int, table: Table) -> None:
    given = problem(rows, 1)
    start = time.process_time()
    gp = fit(given["inputs"], given["targets"], starts=3)
    table.add_row(str(rows), f"{time.process_time() - start:.2f}", f"{gp.log_likelihood.sum().item():.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and sizes")
    parser.add_argument("--peer", metavar="PYTHON", help="an interpreter with torchrl, botorch and gpytorch")
    options = parser.parse_args()
    torch.set_num_threads(1)
    table = Table(title="A step through 4 outputs, 6 inputs", title_justify="left")
    headings = ("rows", "batch", "", "forward, ms", "with gradient, ms", "ours is faster", "with gradient")
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left")
    peer = Peer(options.peer) if options.peer else None
    try:
        for rows in (50, 300) if options.quick else (50, 100, 200, 300):
            for batch in (1, 32):
                compare(
                    rows, batch, 5 if options.quick else 40 // (1 + batch // 8), 2 if options.quick else 5, peer, table
                )
    finally:
        if peer:
            peer.close()
    Console().print(table)
    fitted = Table(title="Fitting 4 outputs, 6 inputs, 3 starts", title_justify="left")
    for heading in ("rows", "CPU s", "log likelihood"):
        fitted.add_column(heading, justify="right")
    for rows in (50,) if options.quick else (50, 100, 200, 300):
        fits(rows, fitted)
    Console().print(fitted)


if __name__ == "__main__":
    main()
