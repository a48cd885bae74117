"""How V and M of World Models learn: from pictures, and from their codes.

Every stage goes forward in small steps, `advance`, each of which depends on nothing but what is learnt so far and on
the number of steps `done` in the stage: so a run that was stopped goes on as it would have.
"""

import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sakiyomi.agents.parts.episodes.sequences import Episode, SequenceReplay
from sakiyomi.agents.parts.runs.checkpoints import (
    load_optimizer,
    load_tensors,
    read_json,
    save_optimizer,
    save_tensors,
    write_json,
)
from sakiyomi.agents.parts.runs.descent import DIVERGED
from sakiyomi.agents.parts.vmc.code_batches import Layout, batches_of_epoch, pieces_of, read_lesson
from sakiyomi.agents.parts.vmc.mdn_rnn import MDNRNN, Memory, mdn_rnn_loss
from sakiyomi.agents.parts.vmc.vae import Error, as_colours, vae_loss
from sakiyomi.agents.parts.vmc.worlds import VMC

REPORT = 20
"""Updates between two reports."""
ENCODED = 2000
"""Pictures of which codes are made between two reports, at least."""


@dataclass(frozen=True, kw_only=True)
class VAEPlan:
    """How V learns; defaults: published code for both tasks."""

    epochs: int = 10  # over all pictures
    batch: int = 100
    rate: float = 1e-4  # Adam's
    free_nats: float = 0.5  # for each entry of the code
    error: Error = "squared"


@dataclass(frozen=True, kw_only=True)
class RNNPlan:
    """How M learns; defaults: CarRacing's."""

    layout: Layout = "episodes"
    length: int = 999  # steps of a sequence
    epochs: int = 40  # over all episodes: 4,000 updates for 10,000
    batch: int = 100
    rate: float = 1e-3  # Adam's, at the beginning
    least_rate: float = 1e-3  # towards which it falls
    rate_decay: float = 0.99999  # an update, of what is above the least
    clip: float = 1.0  # of each entry of the gradient
    restart_weight: float = 10.0  # of ends of episodes
    reward_weight: float = 1.0  # of rewards, which tell little where they are small

    def rate_at(self, update: int) -> float:
        """Adam's rate at that update, 0 the first."""
        return self.least_rate + (self.rate - self.least_rate) * self.rate_decay**update


@dataclass
class Told:
    """What came of a step: figures, updates, steps of the environment, and whether the stage is through."""

    figures: Mapping[str, float]
    finished: bool
    steps: int = 0
    environment_steps: int = 0


class Stage(Protocol):
    """Of the course that an agent learns in."""

    def advance(self, done: int) -> Told: ...  # noqa: D102


class Fit:
    """A network, its Adam, and what a network that remembers has carried on. A part of a `TrainingRun`."""

    def __init__(self, module: nn.Module, rate: float, name: str):
        self.module, self.name = module, name
        self.optimiser = torch.optim.Adam(module.parameters(), lr=rate)
        self.carried: Memory | None = None

    def update(self, loss: Tensor, number: int, clip: float | None = None) -> None:
        """Take step `number` downwards, 1 the first; each entry of the gradient is cut to `clip` if there is one.

        Raises ValueError, as `Descent.step`, if loss or gradient are not finite or the loss diverges; the weights are
        then as before.
        """
        self.optimiser.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.module.parameters(), math.inf)  # which cuts nothing
        figures = {"loss": float(loss.detach()), "gradient": float(norm)}
        for name, value in figures.items():
            if not math.isfinite(value) or (name == "loss" and abs(value) > DIVERGED):
                told = ", ".join(f"{each} {figures[each]:.3g}" for each in figures)
                where = f"update {number} of {self.name}"
                raise ValueError(f"{where}: {name} is {value:.3g}, learning has diverged ({told}); lower the rate")
        if clip is not None:
            nn.utils.clip_grad_value_(self.module.parameters(), clip)
        self.optimiser.step()

    def save(self, path: Path) -> None:
        """Write all of it."""
        tensors = {f"net.{name}": tensor for name, tensor in self.module.state_dict().items()}
        if self.carried is not None:
            tensors |= self.carried._asdict()
        save_tensors(path.with_name(f"{path.name}.safetensors"), tensors)
        save_optimizer(path.with_name(f"{path.name}-optimizer"), self.optimiser)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        tensors = load_tensors(path.with_name(f"{path.name}.safetensors"))
        device = next(self.module.parameters()).device
        carried = [tensors.pop(name).to(device) for name in Memory._fields if name in tensors]
        self.carried = Memory(*carried) if carried else None
        self.module.load_state_dict({name.removeprefix("net."): tensor for name, tensor in tensors.items()})
        load_optimizer(path.with_name(f"{path.name}-optimizer"), self.optimiser)


class CodeShelf:
    """The codes of all pictures, made anew in each round: `replay`, in a folder of the round. A part of a run."""

    def __init__(self, folder: Path, latent: int, actions: int, capacity: int):
        self.folder, self._sizes, self._capacity = folder, (latent, actions), capacity
        self._saved = 0
        self.renew(0)

    def renew(self, number: int) -> None:
        """Begin with none, in that round."""
        self.number, (latent, actions) = number, self._sizes
        folder = self.folder / f"{number:03}"
        self.replay = SequenceReplay(folder, (2, latent), np.float16, actions, self._capacity)

    def save(self, path: Path) -> None:
        """Write what there is; codes of rounds before the last save's go."""
        self.replay.save(path.with_name(f"{path.name}-rows"))
        write_json(path.with_name(f"{path.name}.json"), self.number)
        for folder in self.folder.glob("*"):
            if folder.name.isdecimal() and int(folder.name) < self._saved:
                shutil.rmtree(folder)
        self._saved = self.number

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        self.renew(int(read_json(path.with_name(f"{path.name}.json"))))
        self.replay.load(path.with_name(f"{path.name}-rows"))
        self._saved = self.number


@dataclass(eq=False)
class Seeing:
    """V learns from pictures, which come in a new order in each epoch."""

    brain: VMC
    fit: Fit
    frames: SequenceReplay
    plan: VAEPlan
    seed: int

    def advance(self, done: int) -> Told:
        """`REPORT` updates, or what is left."""
        size = min(self.plan.batch, len(self.frames))
        each = len(self.frames) // size
        begin, end = done * REPORT, min((done + 1) * REPORT, self.plan.epochs * each)
        terms = [self._update(number, each, size) for number in range(begin, end)]
        total, reconstruction, kl = torch.tensor(terms).mean(dim=0).tolist()
        figures = {"loss/vae": total, "loss/reconstruction": reconstruction, "loss/kl": kl, "vae/epoch": end / each}
        return Told(figures, end == self.plan.epochs * each, steps=end - begin)

    def _update(self, number: int, each: int, size: int) -> list[float]:
        epoch, at = divmod(number, each)
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.frames))
        rows = self.frames.oldest + order[at * size : (at + 1) * size]
        device = self.brain.vae.mean.weight.device
        frames = torch.from_numpy(self.frames.read(rows, 1).observations[:, 0]).to(device)
        pictures = as_colours(frames, self.brain.inverted)
        normal = torch.randn((size, self.brain.vae.latent), generator=torch.Generator().manual_seed(self.seed + number))
        logits, codes = self.brain.vae(pictures, normal.to(device))
        loss = vae_loss(logits, pictures, codes, self.plan.free_nats, self.plan.error)
        self.fit.update(loss.total, number + 1)
        return [float(term.detach()) for term in loss]


@dataclass(eq=False)
class Encoding:
    """V makes codes of all pictures."""

    brain: VMC
    frames: SequenceReplay
    shelf: CodeShelf

    def advance(self, done: int) -> Told:
        """Some episodes."""
        codes, seen = self.shelf.replay, 0
        while seen < ENCODED and codes.episodes < self.frames.episodes:
            episode = self.frames.episode(codes.episodes)
            mean, log_variance = self.brain.seen(torch.from_numpy(episode.observations[0]))
            stored = torch.stack([mean, log_variance], dim=1).cpu().numpy().astype(np.float16)
            ended = bool(episode.is_terminal[0, -1])
            codes.add(Episode(stored, episode.actions[0], episode.rewards[0], ended))
            seen += len(stored)
        return Told({"codes/episodes": float(codes.episodes)}, codes.episodes == self.frames.episodes)


@dataclass(eq=False)
class Remembering:
    """M learns from codes, all episodes in each epoch."""

    rnn: MDNRNN
    fit: Fit
    shelf: CodeShelf
    plan: RNNPlan
    seed: int

    def advance(self, done: int) -> Told:
        """`REPORT` updates, or what is left."""
        lengths, plan = self.shelf.replay.lengths, self.plan
        each = batches_of_epoch(lengths, plan.layout, plan.batch, plan.length)
        begin, end = done * REPORT, min((done + 1) * REPORT, self.plan.epochs * each)
        terms = [self._update(number, each, lengths) for number in range(begin, end)]
        means = {name: float(np.mean([term[name] for term in terms])) for name in terms[0]}
        figures = {f"loss/rnn {name}".removesuffix(" total"): mean for name, mean in means.items()}
        figures["rnn/epoch"] = end / each
        return Told(figures, end == self.plan.epochs * each, steps=end - begin)

    def _update(self, number: int, each: int, lengths: NDArray[np.int64]) -> dict[str, float]:
        plan, (epoch, at) = self.plan, divmod(number, each)
        order = np.random.default_rng([self.seed, epoch])
        pieces = pieces_of(lengths, plan.layout, plan.batch, plan.length, at, order)
        lesson = read_lesson(self.shelf.replay, pieces, torch.Generator().manual_seed(self.seed + number))
        device = self.rnn.of_memory.device
        codes, actions, first = (each.to(device) for each in lesson[:3])
        wanted = type(lesson.wanted)(*(each.to(device) for each in lesson.wanted))
        carried = self.fit.carried if plan.layout == "stream" and at else None
        hidden, memory = self.rnn.unroll(codes, actions, first, carried or self.rnn.empty(len(codes)))
        self.fit.carried = Memory(*(each.detach() for each in memory)) if plan.layout == "stream" else None
        terms = mdn_rnn_loss(self.rnn.foretold(hidden), wanted, plan.restart_weight, plan.reward_weight)
        for group in self.fit.optimiser.param_groups:
            group["lr"] = plan.rate_at(number)
        self.fit.update(terms["total"], number + 1, plan.clip)
        return {name: float(term.detach()) for name, term in terms.items()}
