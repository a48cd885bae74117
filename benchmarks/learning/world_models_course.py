"""World Models on a task: learn, then hold V, M and C against what knows nothing, and film what they foresee.

::

    python benchmarks/learning/world_models_course.py point-mass@pixels
    python benchmarks/learning/world_models_course.py doom/take-cover --preset doom_quick --seed 2 --workers 2
    python benchmarks/learning/world_models_course.py point-mass@pixels --measure       # what is in the folder

A run that is stopped goes on when it is started again. Beside the run's own files lie measures.json, and foreseen.gif
and foreseen.png of what is imagined. V is held against the mean picture; M against one Gaussian for each entry of a
code, on episodes that it did not learn from; C, in the task, against random actions.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from imagined import imagined
from trials_course import interval

from sakiyomi.agents.agent import TrainingBudget
from sakiyomi.agents.parts.episodes.collecting import evaluated
from sakiyomi.agents.parts.episodes.random_actions import AtRandom
from sakiyomi.agents.parts.runs.checkpoints import write_json
from sakiyomi.agents.parts.vmc.course import shortened
from sakiyomi.agents.parts.vmc.mdn_rnn import mixture_entropy, mixture_nll
from sakiyomi.agents.parts.vmc.vae import as_colours
from sakiyomi.agents.world_models import WorldModels
from sakiyomi.envs import make_task
from sakiyomi.envs.task import Task

EPISODES = 10
"""By which V and M are measured, and C where nothing else is asked for."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", help="point-mass@pixels, doom/take-cover, gym/CarRacing-v3@world-models, ...")
    parser.add_argument("--preset", help="default: the one of the task, or quick")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes that step environments")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--episodes", type=int, default=EPISODES, help="to measure C by (default %(default)s)")
    parser.add_argument("--minutes", type=float, help="of learning at most")
    parser.add_argument("--out", type=Path, help="folder (default runs/worldmodels-TASK-seedS)")
    parser.add_argument("--measure", action="store_true", help="measure only")
    chosen = parser.parse_args()
    task = make_task(chosen.task)
    name = chosen.task.replace("/", "-")
    folder = chosen.out or Path("runs") / f"worldmodels-{name}-seed{chosen.seed}"
    if not chosen.measure:
        presets = WorldModels.presets
        config = presets[chosen.preset or (chosen.task if chosen.task in presets else "quick")]
        budget = TrainingBudget(seconds=chosen.minutes and 60 * chosen.minutes)
        for progress in WorldModels.train(
            task,
            folder,
            budget,
            config=config,
            seed=chosen.seed,
            resume=folder.exists(),
            workers=chosen.workers,
            device=chosen.device,
        ):
            told = "  ".join(f"{key} {value:.4g}" for key, value in progress.scalars.items())
            print(f"{progress.seconds:7.0f} s  {told}", flush=True)
    agent = WorldModels.load(folder)
    figures = measured(agent, task, chosen.seed, chosen.episodes)
    write_json(folder / "measures.json", figures)
    for key, value in figures.items():
        print(f"{key:32} {value:.4g}")
    imagined(agent, task, folder / "foreseen")


def measured(agent: WorldModels, task: Task, seed: int, episodes: int) -> dict[str, float]:
    """Figures by name, from episodes that have nothing to do with those of training.

    Of returns there are means with half the width of their 95 % intervals, of so many `episodes`.
    """
    shorter, config = shortened(task, agent.config.collect.steps, 0), agent.config
    exploring = AtRandom(agent.controls, config.collect.held)
    held = evaluated(shorter, agent.controls, exploring, episodes, seed + 7000)
    random = evaluated(shorter, agent.controls, AtRandom(agent.controls), episodes, seed + 8000)
    own = evaluated(shorter, agent.controls, agent, episodes, seed + 8000)
    figures = dict[str, float]()
    for name, played in (("controller", own), ("random", random), ("held", held)):
        mean, half = interval(np.array([[episode.score] for episode in played]))
        figures |= {f"return/{name}": float(mean[0]), f"return/{name} +-": float(half[0])}
    return {**figures, **_seeing(agent, held[:EPISODES]), **_remembering(agent, held[:EPISODES])}


def _seeing(agent: WorldModels, episodes) -> dict[str, float]:
    """The squared error of pictures, summed over a picture, by V and by the mean picture."""
    frames = torch.from_numpy(np.concatenate([episode.observations[::5] for episode in episodes]))
    pictures, codes = as_colours(frames, agent.brain.inverted), agent.brain.seen(frames)
    with torch.no_grad():
        again = torch.cat([agent.brain.vae.decode(part) for part in codes.mean.split(256)])
    errors = ((again - pictures) ** 2).flatten(1).sum(dim=1)
    mean = ((pictures.mean(dim=0) - pictures) ** 2).flatten(1).sum(dim=1)
    return {"vae/error": float(errors.mean()), "vae/error of the mean picture": float(mean.mean())}


def _remembering(agent: WorldModels, episodes) -> dict[str, float]:
    """Nats for an entry of a code, by M and by a Gaussian that knows their mean and variance; the squared error of
    rewards beside their variance; the AUC of ends.
    """
    rnn, chance = agent.brain.rnn, torch.Generator().manual_seed(0)
    nats, entropies, drawn, rewards, logits, ends = [], [], [], [], [], []
    for episode in episodes:
        codes = agent.brain.seen(torch.from_numpy(episode.observations))
        z = codes.drawn(torch.randn(codes.mean.shape, generator=chance))
        first = torch.zeros(1, len(z) - 1, dtype=torch.bool)
        first[:, 0] = True
        with torch.no_grad():
            hidden, _ = rnn.unroll(z[None, :-1], torch.from_numpy(episode.actions)[None, 1:], first, rnn.empty(1))
            foretold = rnn.foretold(hidden)
        stays = len(z) - 1 - episode.terminated
        nats.append(mixture_nll(foretold.code, z[None, 1:])[0, :stays])
        entropies.append(mixture_entropy(foretold.code)[0])
        drawn.append(z[1 : stays + 1])
        if foretold.reward is not None:
            rewards.append(torch.stack([foretold.reward[0], torch.from_numpy(episode.rewards[1:])]))
        if foretold.restart is not None:
            logits.append(foretold.restart[0])
            ends.append(torch.arange(len(z) - 1) == stays)
    every = torch.cat(drawn)
    gaussian = torch.distributions.Normal(every.mean(dim=0), every.std(dim=0))
    figures = {
        "rnn/nats": float(torch.cat(nats).mean()),
        "rnn/nats of a Gaussian": float(-gaussian.log_prob(every).mean()),
        "rnn/entropy of the choice": float(torch.cat(entropies).mean()),
    }
    if rewards:
        guess, true = torch.cat(rewards, dim=1)
        figures["rnn/error of rewards"] = float(((guess - true) ** 2).mean())
        figures["rnn/variance of rewards"] = float(true.var(correction=0))
    if logits and torch.cat(ends).any():
        figures["rnn/AUC of the end"] = _auc(torch.cat(logits), torch.cat(ends))
    return figures


def _auc(scores: torch.Tensor, positive: torch.Tensor) -> float:
    """How likely a positive one has the greater score."""
    above = scores[positive][:, None] - scores[~positive][None]
    return float(((above > 0).float() + 0.5 * (above == 0)).mean())


if __name__ == "__main__":
    main()
