"""Replay of K-step unrolls: episodes as MuZero's search played them, and what to learn from their positions on.

::

    row t          0      1    ...    T-1      T
    observation   o_0    o_1   ...  o_{T-1}   o_T
    reward         0     u_1   ...  u_{T-1}   u_T     of arriving there, for who moved before
    turn          who moves there: 0 or 1
    action        a_0    a_1   ...  a_{T-1}    -      taken there
    policy        pi_0   pi_1  ... pi_{T-1}    -      the search's
    value         nu_0   nu_1  ... nu_{T-1}   nu_T    the search's, for who moves there; nu_T = 0 where the task ended

All rows of an episode lie one behind the other in a ring; the oldest episodes leave for new ones. An unroll from t has
the observation of row t, the actions of rows t .. t + K - 1, and targets for the rows t .. t + K (`muzero_targets`).
Behind an episode's end actions are drawn at random, and what is to be predicted there is: nothing, in tasks (reward 0,
value 0); the game's outcome for whoever would move, in board games without predicted rewards (`alternating`). Nothing
is learned of what lies behind a time limit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sakiyomi.agents.parts.muzero.stacking import inputs_of
from sakiyomi.agents.parts.muzero.targets import bootstrapped, goes_on, reward_sums
from sakiyomi.agents.parts.runs.checkpoints import read_json, whole_folder, write_json
from sakiyomi.agents.parts.selfplay.turned import Turned
from sakiyomi.boards.game import Symmetry

LEAST_PRIORITY = 1e-3  # added to errors, so that nothing is never drawn again
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
ValueOf = Callable[[Floats], Floats]
"""Values [n] of inputs [n, ...], for who moves there."""


@dataclass(frozen=True, eq=False)
class Episode:
    """T actions, T at least 1: `observations` [T + 1, ...], `rewards` [T + 1] (the first is 0), `turns` [T + 1],
    `actions` [T], `policies` [T, A], `legal` [T, A], `values` [T + 1], as shown above.

    `candidates` [T, K] are the actions that policies [T, K] and `legal` speak of, where these were drawn; None: of all.
    `terminated`: the task itself ended it. The first `lead` rows are only seen and never learned from: they belong to
    the episode whose later part this is. Raises ValueError for arrays that do not fit.
    """

    observations: NDArray[Any]
    actions: NDArray[np.integer]
    rewards: Floats
    turns: NDArray[np.integer]
    policies: Floats
    legal: Bools
    values: Floats
    terminated: bool
    lead: int = 0
    candidates: Ints | None = None

    def __post_init__(self) -> None:
        steps = len(self.actions)
        for name in ("observations", "rewards", "turns", "values", "policies", "legal"):
            wanted = steps + (name not in ("policies", "legal"))
            if len(getattr(self, name)) != wanted:
                raise ValueError(f"{name} of {steps} actions must be {wanted} rows, got {len(getattr(self, name))}")
        if not 0 <= self.lead < steps:
            raise ValueError(f"an episode needs an action behind its lead, got {steps} actions and lead={self.lead}")
        if not (np.isfinite(self.rewards).all() and np.isfinite(self.values).all()):
            raise ValueError("rewards and values of an episode must be finite")
        if self.rewards[0] or (self.terminated and self.values[-1]):
            raise ValueError("the first reward must be 0, and so must the value where the task has ended")

    def __len__(self) -> int:
        """Rows."""
        return len(self.rewards)

    @property
    def score(self) -> float:
        """The sum of the rewards."""
        return float(self.rewards.sum(dtype=np.float64))


@dataclass(frozen=True, eq=False)
class Unrolls:
    """B unrolls of K steps; the masks [B, ...] are 1 where there is something to learn."""

    inputs: Floats  # [B, ...], as the network takes them
    actions: Ints  # [B, K]
    policies: Floats  # [B, K + 1, A]
    policy_mask: Floats  # [B, K + 1]
    values: Floats  # [B, K + 1]
    value_mask: Floats  # [B, K + 1]
    rewards: Floats  # [B, K], of arriving at row t + 1 .. t + K
    reward_mask: Floats  # [B, K]
    weights: Floats  # [B], importance weights, the greatest of them 1
    places: Ints  # [B], for `UnrollReplay.judge`
    candidates: Ints | None = None  # [B, K + 1, C], the actions that the policies are of (then [B, K + 1, C])


class UnrollReplay:
    """The latest episodes, `capacity` rows at the most. A part of a `TrainingRun`.

    Frames have `frame` as their shape and are of the type `kind`; inputs are `stack` of them, `with_actions` or not
    (`stacking`). Values are `n` steps ahead, discounted by `discount`. Row i is drawn with P(i) ~ |nu_i - z_i|^alpha
    and weighs (1 / (M P(i)))^beta, M being the number of rows that may be drawn; alpha 0 draws all alike. With
    `symmetries` of a board each unroll is turned by one of them, drawn at random: planes, actions and policies.
    Policies are of all `actions`, or with `sampled` of that many candidates, which are kept beside them.
    """

    def __init__(
        self,
        capacity: int,
        frame: tuple[int, ...],
        kind: DTypeLike,
        actions: int,
        *,
        n: int,
        discount: float,
        alternating: bool = False,
        stack: int = 1,
        with_actions: bool = False,
        alpha: float = 0.0,
        beta: float = 0.0,
        symmetries: Sequence[Symmetry] = (),
        sampled: int = 0,
    ):
        if capacity < 2 or n < 1:
            raise ValueError(f"capacity must be 2 or more and n 1 or more, got {capacity} and {n}")
        self.capacity, self.actions, self.n, self.discount = capacity, actions, n, discount
        self.alternating, self.alpha, self.beta = alternating, alpha, beta
        self.stack, self.with_actions, self.symmetries = stack, with_actions, tuple(symmetries)
        width = sampled or actions
        self._ring: dict[str, NDArray[Any]] = {  # columns, which grow to `capacity` places as they are needed
            "observations": np.zeros((0, *frame), kind),
            "actions": np.zeros(0, np.int64),
            "rewards": np.zeros(0, np.float32),
            "turns": np.zeros(0, np.int8),
            "policies": np.zeros((0, width), np.float32),
            "legal": np.zeros((0, width), np.bool_),
            "values": np.zeros(0, np.float32),
            "sums": np.zeros(0, np.float64),  # of rewards, n steps ahead
            "at": np.zeros(0, np.int32),  # t
            "lengths": np.zeros(0, np.int32),  # T
            "terminated": np.zeros(0, np.bool_),
            "weights": np.zeros(0, np.float64),  # |error|^alpha; 0: is not drawn
        }
        if sampled:
            self._ring["candidates"] = np.zeros((0, sampled), np.int64)
        self._starts: list[int] = []  # numbers of the first rows of the episodes held; row i is in place i % capacity
        self._end = 0  # number of the next row
        self.added = 0
        """Rows ever added that may be drawn."""

    def __len__(self) -> int:
        """Rows held."""
        return self._end - self._starts[0] if self._starts else 0

    @property
    def episodes(self) -> int:
        """Episodes held."""
        return len(self._starts)

    def add(self, episode: Episode) -> None:
        """Append an episode. Raises ValueError for one that does not fit."""
        rows, ring = len(episode), self._ring
        if rows > self.capacity:
            raise ValueError(f"an episode of {rows} rows does not fit into a replay of {self.capacity}")
        if episode.observations.shape[1:] != ring["observations"].shape[1:]:
            shapes = f"{episode.observations.shape[1:]}, not {ring['observations'].shape[1:]}"
            raise ValueError(f"observations of the episode have the shape {shapes}")
        self._drop_until(self._end + rows - self.capacity)
        self._reserve(min(self._end + rows, self.capacity))
        places = np.arange(self._end, self._end + rows) % self.capacity
        for name in ("observations", "rewards", "turns", "values"):
            ring[name][places] = getattr(episode, name)
        for name in [each for each in ("actions", "policies", "legal", "candidates") if each in ring]:
            ring[name][places[:-1]] = getattr(episode, name)
            ring[name][places[-1]] = 0
        ring["sums"][places] = reward_sums(episode.rewards, episode.turns, self.n, self.discount)
        ring["at"][places], ring["lengths"][places] = np.arange(rows), rows - 1
        ring["terminated"][places] = episode.terminated
        self._starts.append(self._end)
        self._end += rows
        drawn = places[episode.lead : -1]
        ring["weights"][places] = 0
        self._weigh(drawn, ring["values"][drawn] - self._values(drawn, 0)[0][:, 0])
        self.added += len(drawn)

    def sample(self, rng: np.random.Generator, batch: int, steps: int, value_of: ValueOf | None = None) -> Unrolls:
        """`batch` unrolls of K = `steps`, drawn with replacement. Values build on those stored, or on what `value_of`
        says of the inputs there (appendix H: a target network). Raises ValueError while there is nothing to draw."""
        places, weights = self._draw(rng, batch)
        ring = self._ring
        at, last = ring["at"][places][:, None] + np.arange(steps + 1), ring["lengths"][places][:, None]
        known = ring["terminated"][places][:, None] | (at <= last)
        values, rows = self._values(places, steps, value_of)
        taken = np.where(at < last, ring["actions"][rows], rng.integers(self.actions, size=at.shape))
        policies = ring["policies"][rows] * (at < last)[..., None]
        inputs = self.inputs(places)
        if len(self.symmetries) > 1:
            chosen = rng.integers(len(self.symmetries), size=batch)
            turned = Turned(self.symmetries, chosen)
            inputs, taken = turned.planes(inputs), turned.actions(taken)
            each = Turned(self.symmetries, np.repeat(chosen, steps + 1))
            policies = each.by_action(policies.reshape(-1, self.actions)).reshape(policies.shape)
        return Unrolls(
            inputs=inputs,
            actions=taken[:, :-1],
            policies=policies,
            policy_mask=(at < last).astype(np.float32),
            values=values.astype(np.float32),
            value_mask=known.astype(np.float32),
            rewards=np.where(at <= last, ring["rewards"][rows], np.float32(0))[:, 1:],
            reward_mask=known[:, 1:].astype(np.float32),
            weights=weights,
            places=places,
            candidates=ring["candidates"][rows] if "candidates" in ring else None,
        )

    def judge(self, places: Ints, errors: NDArray[np.floating]) -> None:
        """The values predicted at `places` [n], as sampled or drawn, are off by so much now."""
        self._weigh(places, errors)

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """[count] places of rows that may be drawn, all alike: to be searched again."""
        eligible = np.flatnonzero(self._ring["weights"] > 0)
        if not len(eligible):
            raise ValueError("there is nothing to draw: no episode was added")
        return eligible[rng.integers(len(eligible), size=count)]

    def inputs(self, places: Ints) -> Floats:
        """[n, ...], what the network is shown of rows at `places` [n]."""
        ring = self._ring
        back = np.minimum(np.arange(self.stack - 1, -1, -1), ring["at"][places][:, None])
        rows = (places[:, None] - back) % self.capacity
        led = np.arange(self.stack - 1, -1, -1) < ring["at"][places][:, None]  # none leads to an episode's first row
        past = np.where(led, ring["actions"][np.where(led, rows - 1, rows) % self.capacity], 0)
        return inputs_of(ring["observations"][rows], past, self.actions, self.with_actions)

    def legal(self, places: Ints) -> Bools:
        """[n, A]."""
        mask: Bools = self._ring["legal"][places]
        return mask

    def turns(self, places: Ints) -> NDArray[np.int8]:
        """[n]."""
        turns: NDArray[np.int8] = self._ring["turns"][places]
        return turns

    def refresh(
        self,
        places: Ints,
        policies: NDArray[np.floating],
        values: NDArray[np.floating],
        candidates: Ints | None = None,
    ) -> None:
        """Put in the policies [n, A] and values [n] of a new search at `places` [n] (Reanalyse), and what is drawn."""
        self._ring["policies"][places], self._ring["values"][places] = policies, values
        if candidates is not None:
            self._ring["candidates"][places] = candidates
        self._weigh(places, self._ring["values"][places] - self._values(places, 0)[0][:, 0])

    def save(self, folder: Path) -> None:
        """Write all that is held, as .npy files and replay.json, whole or not at all."""
        places = np.arange(self._starts[0] if self._starts else 0, self._end) % self.capacity
        about = {"capacity": self.capacity, "starts": self._starts, "end": self._end, "added": self.added}
        with whole_folder(folder) as unfinished:
            for name, column in self._ring.items():
                np.save(unfinished / f"{name}.npy", column[places], allow_pickle=False)
            write_json(unfinished / "replay.json", about)

    def load(self, folder: Path) -> None:
        """Hold what `save` wrote. Raises ValueError for a replay of another capacity or of other frames."""
        about = read_json(folder / "replay.json")
        if about["capacity"] != self.capacity:
            raise ValueError(f"{folder} holds a replay of capacity {about['capacity']}, wanted {self.capacity}")
        self._starts, self._end, self.added = list(about["starts"]), int(about["end"]), int(about["added"])
        self._reserve(min(self._end, self.capacity))
        places = np.arange(self._starts[0] if self._starts else 0, self._end) % self.capacity
        for name, column in self._ring.items():
            stored = np.load(folder / f"{name}.npy", allow_pickle=False)
            if stored.shape != (len(places), *column.shape[1:]):
                raise ValueError(f"{folder}/{name}.npy is {stored.shape}, {column.shape[1:]} a row is wanted")
            column[:] = 0
            column[places] = stored

    def _values(self, places: Ints, steps: int, value_of: ValueOf | None = None) -> tuple[NDArray[np.float64], Ints]:
        """z [n, K + 1] of the rows from `places` on, and these rows' places."""
        ring = self._ring
        left = (ring["lengths"][places] - ring["at"][places]).astype(np.int64)[:, None]
        ahead = np.minimum(np.arange(steps + 1), left)  # the episode's last row stands for all behind it
        rows = (places[:, None] + ahead) % self.capacity
        on = np.minimum(self.n, left - ahead)
        then = (rows + on) % self.capacity
        built_on = ring["values"][then] if value_of is None else self._valued(then, value_of)
        z = bootstrapped(ring["sums"][rows], built_on, ring["turns"][rows], ring["turns"][then], on, self.discount)
        if self.alternating:
            past = ring["at"][places][:, None] + np.arange(steps + 1) - ring["lengths"][places][:, None]
            over = (past >= 0) & ring["terminated"][places][:, None]
            z = np.where(over, goes_on(ring["rewards"][rows], np.maximum(past, 0)), z)
        return z, rows

    def _valued(self, places: Ints, value_of: ValueOf) -> Floats:
        """What `value_of` says of the rows at `places`, any shape; 0 where the task has ended."""
        once, where = np.unique(places, return_inverse=True)
        ended = self._ring["terminated"][once] & (self._ring["at"][once] == self._ring["lengths"][once])
        values = np.where(ended, np.float32(0), value_of(self.inputs(once)))
        return np.asarray(values[where.reshape(places.shape)], np.float32)

    def _weigh(self, places: Ints, errors: NDArray[np.floating]) -> None:
        self._ring["weights"][places] = (np.abs(errors) + LEAST_PRIORITY) ** self.alpha

    def _draw(self, rng: np.random.Generator, count: int) -> tuple[Ints, Floats]:
        """[count] places, and their importance weights."""
        cumulative = np.cumsum(self._ring["weights"])
        if not len(cumulative) or cumulative[-1] <= 0:
            raise ValueError("there is nothing to draw: no episode was added")
        places = np.searchsorted(cumulative, rng.random(count) * cumulative[-1], side="right")
        shares = self._ring["weights"][places] / cumulative[-1]
        eligible = int(np.count_nonzero(self._ring["weights"]))
        weights = (eligible * shares) ** -self.beta
        return places, (weights / weights.max()).astype(np.float32)

    def _drop_until(self, number: int) -> None:
        """Let episodes go that have rows before that number."""
        while self._starts and self._starts[0] < number:
            first = self._starts.pop(0)
            stop = self._starts[0] if self._starts else self._end
            self._ring["weights"][np.arange(first, stop) % self.capacity] = 0

    def _reserve(self, places: int) -> None:
        """Have so many places, at least; new ones are empty."""
        have = len(self._ring["weights"])
        if places > have:
            more = min(self.capacity, max(places, 2 * have)) - have
            for name, column in self._ring.items():
                self._ring[name] = np.concatenate([column, np.zeros((more, *column.shape[1:]), column.dtype)])
