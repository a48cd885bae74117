"""Positions a second of each inference runtime beside PyTorch's eager mode, all in one run, and their rounding errors.

    python benchmarks/inference_speed.py                 # three nets, batches of 1, 64 and 256, one core
    python benchmarks/inference_speed.py --threads 2 --rounds 9

The rate is by CPU time, the best of the rounds in which all runtimes take turns. ONNX Runtime runs as a peer where
`onnx` and `onnxruntime` are installed. The errors are those of a net that learned the middle of the board for some
seconds, on positions of random games that it has not seen: the mean Kullback-Leibler divergence of the policy and the
root mean square of the value.
"""

import argparse
import io
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import torch
from timing import best_rates

from sakiyomi.agents.parts.dual.inference import make_evaluator
from sakiyomi.agents.parts.dual.nets import DualNet, folded
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.game import Game
from sakiyomi.boards.go import Go

NETS: list[tuple[Game, int, int]] = [(ConnectFour(), 3, 32), (Go(size=9), 3, 48), (Go(size=9), 6, 64)]
RUNTIMES = ["torch", "openvino", "openvino-bf16", "openvino-int8"]


def positions(game: Game, n: int, seed: int) -> np.ndarray:
    """Observations of n random games, each cut at random before its 20th move."""
    rng, states = np.random.default_rng(seed), game.new(n)
    lengths = rng.integers(0, 20, n)
    for ply in range(20):
        on = np.flatnonzero((lengths > ply) & (game.ending(states) == 0))
        moving = states[on]
        legal = game.legal(moving)
        game.play(moving, np.where(legal, rng.random(legal.shape), -1).argmax(1))
        states[on] = moving
    return np.float32(game.observe(states))


def learn(net: DualNet, observations: np.ndarray, steps: int) -> None:
    """Teach `net` where the mover's pieces gather, and who has more in the middle of the board."""
    inputs = torch.from_numpy(observations)
    own, other = inputs[:, 0], inputs[:, inputs.shape[1] // 2]
    crowd = torch.nn.functional.avg_pool2d(own[:, None], 3, 1, 1).flatten(1)[:, : net.actions].argmax(1) % net.actions
    side = torch.tanh((own - other)[:, 1:-1, 2:-2].sum((1, 2)))
    optimiser = torch.optim.Adam(net.parameters(), 2e-3)
    for _ in range(steps):
        rows = torch.randint(len(inputs), (64,))
        logits, values = net(inputs[rows])
        loss = torch.nn.functional.cross_entropy(logits, crowd[rows]) + (values - side[rows]).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def onnx_runtime(net: DualNet, threads: int) -> Callable[[np.ndarray], object]:
    """The same net in ONNX Runtime, float32."""
    import onnxruntime

    file = io.BytesIO()
    names, sizes = ["observations"], {"observations": {0: "n"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the newer exporter needs a package more
        example = (torch.zeros(1, *net.planes),)
        torch.onnx.export(folded(net), example, file, dynamo=False, input_names=names, dynamic_axes=sizes)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
    return lambda observations: session.run(None, {"observations": observations})


def errors(net: DualNet, evaluate: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], seen: np.ndarray) -> str:
    """Divergence of the policy and error of the value against PyTorch's float32."""
    with torch.inference_mode():
        exact, values = net.eval()(torch.from_numpy(seen))
        logits, ours = (torch.from_numpy(output) for output in evaluate(seen))
        log = exact.log_softmax(1)
        divergence = (log.exp() * (log - logits.log_softmax(1))).sum(1).mean()
        return f"KL {divergence:.6f}, value RMS {(ours - values).square().mean().sqrt():.5f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60, help="of learning before the errors are taken")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rounds, steps = (1, 5) if options.quick else (options.rounds, options.steps)
    for game, blocks, channels in NETS:
        torch.manual_seed(0)
        net = DualNet(game.planes, game.num_actions, blocks=blocks, channels=channels, hidden=64)
        learn(net, positions(game, 1024, 0), steps)
        print(f"\n{game.name}, {blocks} blocks of {channels}, {options.threads} thread(s)")
        evaluators: dict[str, Callable[[np.ndarray], object]] = {}
        calibration, new = positions(game, 400, 1), positions(game, 400, 2)
        for runtime in RUNTIMES if find_spec("openvino") else ["torch"]:
            start = time.process_time()
            settings = {"threads": options.threads, "device": "cpu", "calibration": calibration}
            evaluate = make_evaluator(net, runtime, **settings)
            built = time.process_time() - start
            print(f"  {runtime}: built in {built:.3f} CPU s, {errors(net, evaluate, new)}")
            evaluators[runtime] = evaluate
        if find_spec("onnx") and find_spec("onnxruntime"):
            evaluators["onnxruntime, float32"] = onnx_runtime(net, options.threads)
        for batch in (1, 64, 256):
            part = new[:batch].copy() if batch <= len(new) else new
            times = max(1, 256 // batch)
            jobs = {
                name: lambda run=run, part=part, times=times: sum(len(part) for _ in range(times) if run(part))
                for name, run in evaluators.items()
            }
            rates = best_rates(jobs, rounds)
            shown = (f"{name} {rate:,.0f} ({rate / rates['torch']:.2f} x)" for name, rate in rates.items())
            print(f"  batch {batch}: positions a CPU second (against torch): {', '.join(shown)}", flush=True)


if __name__ == "__main__":
    main()
