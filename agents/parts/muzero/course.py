"""The three things that a MuZero run does in turn: play, search stored positions again, learn."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from sakiyomi.agents.parts.muzero.learner import MuZeroLearner
from sakiyomi.agents.parts.muzero.lookahead import Lookahead
from sakiyomi.agents.parts.muzero.net_dynamics import NetDynamics
from sakiyomi.agents.parts.muzero.playing import LatentPlay
from sakiyomi.agents.parts.muzero.unrolls import UnrollReplay


@contextmanager
def one_thread() -> Iterator[None]:
    """In the block networks on the CPU use one thread: several, which wait for each other inside every layer, would
    take longer than a small layer, the more so on a machine with other work; and sums keep their order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def played_into(replay: UnrollReplay, play: LatentPlay, moves: int) -> tuple[dict[str, float], int, int]:
    """So many actions in every row, what they completed added to `replay`: figures, how many new positions there are to
    learn from, and the simulator's steps."""
    before, steps, started = replay.added, play.steps, time.monotonic()
    for episode in play.play(moves):
        replay.add(episode)
    steps = play.steps - steps
    figures = {
        "self-play/steps per second": steps / max(time.monotonic() - started, 1e-9),
        "self-play/temperature": play.temperature,
    }
    if play.scores:
        figures |= {"return/mean": float(np.mean(play.scores)), "return/steps": float(np.mean(play.lengths))}
        play.scores.clear()
        play.lengths.clear()
    return figures, replay.added - before, steps


def search_again(replay: UnrollReplay, look: Lookahead, rng: np.random.Generator, searches: int) -> None:
    """Reanalyse (appendix H of the paper): so many times, search positions of `replay`, one for each tree, by the
    latest network, whose policies and values take the place of those stored."""
    for _ in range(searches if replay.added else 0):
        places = np.unique(replay.draw(rng, look.trees))
        found = look.find(replay.inputs(places), replay.legal(places), replay.turns(places))
        replay.refresh(places, look.policies(found), found.values, look.model.candidates(np.arange(len(places)), 0))


def learned_from(
    replay: UnrollReplay,
    learner: MuZeroLearner,
    rng: np.random.Generator,
    updates: int,
    batch: int,
    unroll: int,
    rate: Callable[[int], float],
    fresh: bool = False,
) -> dict[str, float]:
    """So many updates with `batch` unrolls of `unroll` steps each, at the learning `rate` of each step; mean losses.

    Values build on those of the searches that were played by, or, if `fresh`, on those of the network to play by now.
    """
    if not updates:
        return {}
    sums, started = dict[str, float](), time.monotonic()
    for _ in range(updates):
        value_of = NetDynamics(learner.playing()).value_of if fresh else None
        unrolls = replay.sample(rng, batch, unroll, value_of)
        losses, errors = learner.step(unrolls, rate(learner.steps))
        if replay.alpha:
            replay.judge(unrolls.places, errors)
        for name, loss in losses.items():
            sums[name] = sums.get(name, 0.0) + loss
    figures = {f"loss/{name}": total / updates for name, total in sums.items()}
    seconds = max(time.monotonic() - started, 1e-9)
    return figures | {"learning/rate": rate(learner.steps), "learning/samples per second": updates * batch / seconds}
