"""What happened to an agent while it learns: episodes taken in, told in figures, and whether they suffice.

A sequence lies in one episode, or with `across` goes on into the next ones.
"""

import math
from collections.abc import Sequence

import numpy as np

from sakiyomi.agents.parts.episodes.collecting import Acting, Collected, Collector
from sakiyomi.agents.parts.episodes.sequences import SequenceReplay, Sequences
from sakiyomi.agents.parts.latent.senses import Senses
from sakiyomi.envs.task import Task

ERROR_ROWS = 200
"""Of an episode, when a model's errors are measured: an hour of Atari would not fit into memory."""


def check_length(task: Task, length: int, across: bool) -> None:
    """Raises ValueError if no episode of `task` can have a sequence of `length` rows."""
    if not across and task.horizon is not None and task.horizon + 1 < length:
        rows = task.horizon + 1
        raise ValueError(f"sequences have length={length}, episodes of {task.name} {rows} rows at most: set it to less")


def fits(replay: SequenceReplay, length: int, across: bool) -> bool:
    """Can sequences of `length` rows be drawn?"""
    return len(replay) >= length if across else int(replay.lengths.max(initial=0)) >= length


def gathered(
    collector: Collector,
    acting: Acting,
    replay: SequenceReplay,
    senses: Senses,
    *,
    decisions: float = math.inf,
    frames: float = math.inf,
    episodes: float = math.inf,
) -> Collected:
    """What comes of so many decisions, steps of the simulator, or episodes, whichever are done first.

    Episodes that end are added to `replay`, and `senses` count in what vectors they showed.
    """
    gathered = Collected()
    while gathered.decisions < decisions and gathered.frames < frames and len(gathered.episodes) < episodes:
        collected = collector.collect(acting, decisions=1)
        gathered.decisions += collected.decisions
        gathered.frames += collected.frames
        for episode in collected.episodes:
            gathered.episodes.append(episode)
            replay.add(episode)
            if not senses.pictures:
                senses.standard.see(episode.observations)
    return gathered


def averaged(figures: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each figure, which all have; nothing of none."""
    return {name: float(np.mean([each[name] for each in figures])) for name in (figures[0] if figures else ())}


def latest(replay: SequenceReplay, most: int) -> Sequences:
    """[1, L], the latest episode that `replay` holds, of which `most` rows at the most, from its beginning."""
    lengths = replay.lengths
    begin = replay.oldest + int(lengths[:-1].sum())
    return replay.read(np.array([begin]), min(most, int(lengths[-1])))
