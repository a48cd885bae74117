"""An update of PlaNet, Dreamer and DreamerV2: seconds at the papers' sizes, and where they go.

    python benchmarks/latent_speed.py [--quick] [--batch N] [--only NAME ...] [--precision WHICH] [--peer PYTHON]

An update is what an agent learns by: PlaNet's is of its model, the Dreamers' is of the model, of the actor in dreams
from all states of the batch, and of the values. Pictures are 64x64, actions six numbers (Atari: choices). On a CPU, in
one thread, seconds are of the processor, on a GPU of the clock, the queue being waited for; each is the best of several
rounds. The parts are timed forward, one by one, and "backward" is the rest: gradients, clipping and Adam. With the path
of an interpreter that has torchrl, its Dreamer, made as its own helper makes it, takes turns with ours.
"""

import argparse
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from sakiyomi.agents import dreamer, dreamerv2, planet
from sakiyomi.agents.parts.episodes.controls import Controls
from sakiyomi.agents.parts.episodes.sequences import Sequences
from sakiyomi.agents.parts.latent.batches import Batch
from sakiyomi.agents.parts.latent.observing import best_device

VECTORS = Controls(low=(-1.0,) * 6, high=(1.0,) * 6)
CHOICES = Controls(choices=6)
PEER = Path(__file__).with_name("latent_speed_torchrl.py")
SIZES: dict[str, tuple[Any, Any, Controls, tuple[int, ...]]] = {
    "PlaNet": (planet, planet.Config(), VECTORS, (64, 64, 3)),
    "Dreamer": (dreamer, dreamer.DMC, VECTORS, (64, 64, 3)),
    "DreamerV2 (control)": (dreamerv2, dreamerv2.DMC, VECTORS, (64, 64, 3)),
    "DreamerV2 (Atari)": (dreamerv2, dreamerv2.ATARI, CHOICES, (64, 64)),
}
"""The module, the paper's configuration, controls and pictures."""
PARTS = ("encoder", "filter", "decoder", "dream", "backward")


def sequences(batch: int, length: int, controls: Controls, shape: tuple[int, ...]) -> Sequences:
    """Random ones, with an episode's beginning in each."""
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (batch, length, controls.size)).astype(np.float32)
    if controls.discrete:
        actions = controls.encoded(rng.integers(controls.choices, size=(batch, length)))
    marks = np.zeros((3, batch, length), np.bool_)
    marks[0, :, 0] = True
    pictures = rng.integers(256, size=(batch, length, *shape), dtype=np.uint8)
    return Sequences(pictures, actions, rng.normal(size=(batch, length)).astype(np.float32), *marks)


class Updated:
    """One of `SIZES`, at its batch size or another, ready to be updated."""

    def __init__(self, name: str, batch: int | None, precision: str, compiled: bool):
        self.module, config, self.controls, shape = SIZES[name]
        self.config = replace(config, batch=batch or config.batch, precision=precision)
        if self.module is not planet:
            self.config = replace(self.config, compiled=compiled)
        build = self.module.Model if self.module is planet else self.module.Networks
        self.nets = build(self.config, shape, self.controls, 0).to(best_device())
        self.learner = self.module.Learner(self.nets, 0)
        self.sequences = sequences(self.config.batch, self.config.length, self.controls, shape)
        self.batch = Batch.of(self.sequences, self.learner.device)
        self.number = 0

    def update(self) -> None:
        """The whole."""
        self.number += 1
        self.learner.update(self.sequences, self.number)

    def parts(self) -> dict[str, float]:
        """Seconds of each part, forward."""
        with torch.autocast(self.learner.device.type, torch.bfloat16, enabled=self.learner._half):
            return self._parts()

    def _parts(self) -> dict[str, float]:
        learner, batch = self.learner, self.batch
        world, generator = getattr(self.nets, "world", self.nets), self.learner.generator
        found: dict[str, float] = {}
        seen = world.senses.seen(batch.observations, generator)
        embeds = measured(found, "encoder", lambda: world.senses(seen))
        posteriors = measured(
            found,
            "filter",
            lambda: world.rssm.observe(embeds.detach(), batch.actions, batch.is_first, noise=generator)[0],
        ).detach()
        measured(found, "decoder", lambda: world.decoder(posteriors.features))
        if self.module is planet:
            return found
        starts = posteriors.map(lambda x: x.flatten(0, 1))
        shape = (self.config.horizon, batch.is_first.numel())
        chances = world.rssm.noise(*shape, generator=generator), self.nets.actor.noise(*shape, generator=generator)
        marks = batch.is_terminal.flatten()
        alive = marks if self.module is dreamerv2 else (~marks).float()
        measured(found, "dream", lambda: learner._dreamed(self.nets, starts, alive, *chances))
        return found


def now() -> float:
    """Seconds: of the processor, or on a GPU of the clock once all that was asked for is done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def measured(found: dict[str, float], name: str, job: Callable[[], Any]) -> Any:
    """What `job` gives; its seconds are put down under `name`."""
    start = now()
    given = job()
    found[name] = now() - start
    return given


class Peer:
    """TorchRL under an interpreter of its own, asked line by line."""

    def __init__(self, python: str):
        self.program = subprocess.Popen([python, str(PEER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def seconds(self, batch: int, length: int, horizon: int) -> float:
        """Of one update of Dreamer."""
        assert self.program.stdin
        assert self.program.stdout
        print(json.dumps([batch, length, horizon, VECTORS.size]), file=self.program.stdin, flush=True)
        return float(self.program.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self.program.communicate()


def compared(job: Updated, name: str, rounds: int, peer: Peer | None, table: Table) -> None:
    """The lines of one agent; the first update of all warms up."""
    size = (job.config.batch, job.config.length)
    whole, theirs, parts = float("inf"), float("inf"), dict.fromkeys(PARTS, float("inf"))
    job.update()
    for _ in range(rounds):
        found: dict[str, float] = {}
        measured(found, "update", job.update)
        whole = min(whole, found["update"])
        parts |= {part: min(parts[part], seconds) for part, seconds in job.parts().items()}
        if peer and name == "Dreamer":
            theirs = min(theirs, peer.seconds(*size, job.config.horizon))
    forward = {part: seconds for part, seconds in parts.items() if seconds < float("inf")}
    shares = {**forward, "backward": whole - sum(forward.values())}
    shown = [f"{100 * shares[part] / whole:.0f} %" if part in shares else "" for part in PARTS]
    million = sum(p.numel() for p in job.nets.parameters()) / 1e6
    table.add_row(name, f"{size[0]} x {size[1]}", f"{million:.1f}", f"{whole:.3f}", f"{1 / whole:.2f}", *shown, "")
    if theirs < float("inf"):
        seconds = (f"{theirs:.3f}", f"{1 / theirs:.2f}")
        table.add_row("TorchRL's Dreamer", f"{size[0]} x {size[1]}", "", *seconds, *[""] * 5, f"{theirs / whole:.2f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two sequences, one round")
    parser.add_argument("--batch", type=int, help="sequences (default: the papers')")
    parser.add_argument("--only", nargs="+", choices=SIZES, default=list(SIZES), help="of these agents")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", choices=("float32", "bfloat16", "auto"), default="auto", help="of ours")
    parser.add_argument("--compiled", action="store_true", help="by torch.compile, which pays on a GPU")
    parser.add_argument("--peer", metavar="PYTHON", help="an interpreter with torchrl")
    chosen = parser.parse_args()
    batch, rounds = (2, 1) if chosen.quick else (chosen.batch, chosen.rounds)
    torch.set_num_threads(1)
    table = Table(title=f"An update, on {best_device().type}", title_justify="left")
    for heading in ("", "batch", "million weights", "seconds", "a second", *PARTS, "ours is faster"):
        table.add_column(heading, justify="left" if heading in ("", "batch") else "right")
    peer = Peer(chosen.peer) if chosen.peer else None
    try:
        for name in chosen.only:
            job = Updated(name, batch, chosen.precision, chosen.compiled)
            compared(job, name, rounds, peer, table)
    finally:
        if peer:
            peer.close()
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
