"""Playing to learn by a search over learned dynamics: many episodes at once, whole episodes out.

All rows search together, a network call for all of them a simulation, and act together. An episode that ends is
followed by the next one. One that only its clock ended is searched once more from its last observation: what it was
worth there is what values before it build on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.muzero.lookahead import Lookahead
from sakiyomi.agents.parts.muzero.stacking import Stack
from sakiyomi.agents.parts.muzero.stages import Played, Stage
from sakiyomi.agents.parts.muzero.unrolls import Episode
from sakiyomi.agents.parts.runs.checkpoints import read_json, whole_folder, write_json

COLUMNS = ("observations", "rewards", "turns", "actions", "policies", "legal", "values", "candidates")


@dataclass
class _Running:
    """One row's episode as far as it is kept here; `rewards` are those of arriving, so there is always one more."""

    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in COLUMNS} | {"rewards": [0.0]})
    lead: int = 0
    score: float = 0.0  # of the whole episode
    length: int = 0


class LatentPlay:
    """Plays the rows of `stage` by `lookahead`, which has as many trees. A part of a `TrainingRun`, beside its stage.

    Inputs are `stack` frames, `with_actions` or not. Actions follow the visits to the power of 1 / `temperature`, which
    may be changed, for `exploring_plies` (None: always), and are then the best. Episodes are handed out in pieces of
    `piece` actions (None: whole). `scores` and `lengths` are those of the episodes that ended, to be emptied by who
    reads them.
    """

    def __init__(
        self,
        stage: Stage,
        lookahead: Lookahead,
        *,
        stack: int = 1,
        with_actions: bool = False,
        temperature: float = 1.0,
        exploring_plies: int | None = None,
        piece: int | None = None,
    ):
        self.stage, self.lookahead, self.with_actions = stage, lookahead, with_actions
        self.temperature, self.exploring_plies, self.piece = temperature, exploring_plies, piece
        self.stack = Stack(stage.rows, stack, stage.frame, stage.kind)
        self.steps = 0
        """Of the simulator, so far."""
        self.scores: list[float] = []
        self.lengths: list[int] = []
        self._running = [_Running() for _ in range(stage.rows)]
        self._see(stage.frames, np.zeros(stage.rows, np.int64), np.ones(stage.rows, np.bool_))

    def play(self, moves: int) -> list[Episode]:
        """So many actions in each row; returns the episodes (or pieces) that were completed, in order."""
        self.lookahead.search.reseed()  # so that all that lasts from one call to the next is saved
        return [episode for _ in range(moves) for episode in self._move()]

    def save(self, path: Path) -> None:
        """Write the running episodes."""
        about = [{"lead": each.lead, "score": each.score, "length": each.length} for each in self._running]
        with whole_folder(path) as folder:
            for row, running in enumerate(self._running):
                columns: dict[str, Any] = {
                    name: np.array(values) for name, values in running.columns.items() if len(values)
                }
                np.savez(folder / f"{row}.npz", **columns)
            np.savez(folder / "stack.npz", frames=self.stack.frames, past=self.stack.past)
            told = {"rows": about, "steps": self.steps, "rng": self.lookahead.rng.bit_generator.state}
            write_json(folder / "play.json", told)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote. Raises ValueError if that was of another number of rows."""
        about = read_json(path / "play.json")
        if len(about["rows"]) != self.stage.rows:
            raise ValueError(f"{path} holds {len(about['rows'])} episodes, {self.stage.rows} are wanted")
        self.steps = int(about["steps"])
        self.lookahead.rng.bit_generator.state = about["rng"]
        for row, told in enumerate(about["rows"]):
            running = self._running[row] = _Running(**told)
            with np.load(path / f"{row}.npz", allow_pickle=False) as columns:
                for name in columns.files:
                    running.columns[name] = list(columns[name])
        with np.load(path / "stack.npz", allow_pickle=False) as held:
            self.stack.frames, self.stack.past = held["frames"], held["past"]

    def _move(self) -> list[Episode]:
        """An action in each row; returns what is complete by it."""
        stage, look, rows = self.stage, self.lookahead, np.arange(self.stage.rows)
        shown = {"observations": stage.frames, "turns": stage.turns}
        found = look.find(self._inputs(self.stack), stage.legal, shown["turns"])
        complete = self._cut(found.values, shown)
        policies, drawn = look.policies(found), look.model.candidates(rows, 0)
        shown["legal"] = np.ones(policies.shape, np.bool_) if stage.legal is None else stage.legal
        shown |= {} if drawn is None else {"candidates": drawn}
        tau = np.full(len(rows), self.temperature)
        if self.exploring_plies is not None:
            tau[stage.plies >= self.exploring_plies] = 0.0
        chosen = look.choose(found, tau)
        actions = chosen if drawn is None else drawn[rows, chosen]
        played = stage.play(actions)
        self.steps += played.steps
        self._note(rows, shown | {"actions": actions, "policies": policies, "values": found.values})
        for row in rows:
            running = self._running[row]
            running.columns["rewards"].append(float(played.rewards[row]))
            running.score += float(played.rewards[row])
            running.length += 1
        complete += self._end(played, actions)
        self._see(stage.frames, actions, played.ended)
        return complete

    def _cut(self, values: NDArray[np.float64], shown: Mapping[str, NDArray[Any]]) -> list[Episode]:
        """Hand out what has the length of a piece; what goes on begins with the frames that its inputs still need."""
        complete = list[Episode]()
        for row in range(self.stage.rows if self.piece else 0):
            running = self._running[row]
            if len(running.columns["actions"]) - running.lead >= (self.piece or 0):
                last = {"observations": shown["observations"][row], "turns": shown["turns"][row], "values": values[row]}
                columns = running.columns
                complete.append(_episode(columns, last, False, running.lead))
                lead = min(self.stack.frames.shape[1] - 1, len(columns["actions"]))
                kept = {name: column[len(column) - lead :] for name, column in columns.items()}
                kept["rewards"] = [0.0, *columns["rewards"][len(columns["rewards"]) - lead :]] if lead else [0.0]
                self._running[row] = _Running(kept, lead, running.score, running.length)
        return complete

    def _end(self, played: Played, actions: NDArray[np.integer]) -> list[Episode]:
        """Hand out the episodes that ended."""
        ended, cut = np.flatnonzero(played.ended), np.flatnonzero(played.truncated)
        values, turns = np.zeros(self.stage.rows), np.zeros(self.stage.rows, np.int8)
        for row in ended:
            turns[row] = 1 - self._running[row].columns["turns"][-1] if self.stage.players == 2 else 0
        if len(cut):
            later = self.stack.seen(played.frames[cut], actions[cut], cut)
            values[cut] = self.lookahead.find(self._inputs(later), None, turns[cut], noisy=False).values
        complete = list[Episode]()
        for row in ended:
            running = self._running[row]
            last = {"observations": played.frames[row], "turns": turns[row], "values": values[row]}
            complete.append(_episode(running.columns, last, bool(played.terminated[row]), running.lead))
            self.scores.append(running.score)
            self.lengths.append(running.length)
            self._running[row] = _Running()
        return complete

    def _note(self, rows: NDArray[np.integer], found: Mapping[str, NDArray[Any]]) -> None:
        """A row more of each episode."""
        for name, column in found.items():
            for row in rows:
                self._running[row].columns[name].append(column[row])

    def _see(self, frames: NDArray[Any], actions: NDArray[np.integer], is_first: NDArray[np.bool_]) -> None:
        self.stack.see(frames, actions, is_first)

    def _inputs(self, stack: Stack) -> NDArray[np.float32]:
        return stack.inputs(self.stage.actions, self.with_actions)


def _episode(columns: Mapping[str, list[Any]], last: Mapping[str, Any], terminated: bool, lead: int) -> Episode:
    """Of rows, and what the last of them lack."""
    rows = {name: [*column, last[name]] if name in last else column for name, column in columns.items()}
    return Episode(
        observations=np.stack(rows["observations"]),
        actions=np.array(rows["actions"], np.int64),
        rewards=np.array(rows["rewards"], np.float32),
        turns=np.array(rows["turns"], np.int8),
        policies=np.array(rows["policies"], np.float32),
        legal=np.array(rows["legal"], np.bool_),
        values=np.array(rows["values"], np.float32),
        terminated=terminated,
        lead=lead,
        candidates=np.array(rows["candidates"], np.int64) if len(rows["candidates"]) else None,
    )
