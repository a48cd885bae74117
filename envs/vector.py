"""`BoardVectorEnv`: `VersusEnv` for many games at once, or self-play, as a vector environment of Gymnasium.

::

    envs = gymnasium.make_vec("sakiyomi/Go9x9-v0", num_envs=1024)
    planes, info = envs.reset(seed=0)
    planes, rewards, terminated, truncated, info = envs.step(actions)  # legal by info["action_mask"]
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sakiyomi.envs import spaces
from sakiyomi.envs.extras import missing

try:
    from gymnasium.error import ResetNeeded
    from gymnasium.vector import AutoresetMode, VectorEnv
    from gymnasium.vector.utils import batch_space
except ImportError as error:
    raise ImportError(missing("BoardVectorEnv", "gymnasium")) from error

from sakiyomi.boards import Game, IllegalMove, make_game
from sakiyomi.envs.batch import IDLE, RESIGN, BoardBatch
from sakiyomi.envs.drawing import check_mode, show
from sakiyomi.envs.illegal import why_illegal
from sakiyomi.envs.setups import set_up, usual_starts
from sakiyomi.envs.versus import check_side

Planes = NDArray[np.float32]
Replies = Callable[[BoardBatch], NDArray[np.integer[Any]]]
"""An action for each game of the batch, which it only looks at; those of games where it has no turn are ignored."""
Info = dict[str, Any]


class BoardVectorEnv(VectorEnv[Planes, NDArray[np.int64], NDArray[Any]]):
    """`num_envs` games of the learner, who has `side` 0 or 1 (None: drawn for each game), against `opponent`.

    The opponent is "random", a function of the `BoardBatch` that gives an action for each game, or None for self-play:
    then the learner chooses for whoever is to move, and the reward of a step is that of the player who moved in it.
    Observations are float32 [n, C, Y, X], ``info["action_mask"]`` int8 [n, A], ``info["side"]`` int8 [n] (in
    self-play: whose ply it is). An illegal action loses, ``info["illegal"]`` bool [n] tells where.

    `autoreset_mode` is Gymnasium's: NEXT_STEP (the next step ignores the action of a game that ended, and shows its
    new start), SAME_STEP (``info["final_obs"]`` has the last observations) or DISABLED
    (``reset(options={"reset_mask": bool [n]})``). With ``copy=False`` observations and masks are buffers, to
    be read only, that the next step writes over.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(
        self,
        game: Game | str,
        num_envs: int = 1,
        opponent: Literal["random"] | Replies | None = "random",
        side: int | None = None,
        render_mode: str | None = None,
        *,
        max_plies: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        copy: bool = True,
    ):
        if opponent not in (None, "random") and not callable(opponent):
            raise ValueError(
                'the opponent is "random", None (self-play) or a function of a BoardBatch; a Player plays one game:'
                ' VersusEnv, or make_vec(..., vectorization_mode="sync")'
            )
        self.game: Game = make_game(game) if isinstance(game, str) else game
        self.num_envs, self.opponent, self.copy = num_envs, opponent, copy
        self.render_mode, self._fixed_side = check_mode(render_mode), check_side(side)
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**type(self).metadata, "autoreset_mode": self.autoreset_mode}
        starts = usual_starts(self.game)
        self.batch = BoardBatch(self.game, num_envs, restart="never", starts=starts, max_plies=max_plies)
        self.single_observation_space = spaces.planes_space(self.game)
        self.single_action_space = spaces.action_space(self.game)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._every = np.arange(num_envs)
        self._sides = np.zeros(num_envs, np.int8)
        self._mask = self.batch.legal()
        self._ended = np.ones(num_envs, np.bool_)
        self._begun = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Planes, Info]:
        """Begin all games, or those of ``options["reset_mask"]``; "setup" and "opening" as in `VersusEnv`."""
        super().reset(seed=seed)
        options = options or {}
        rows = np.array(options.get("reset_mask", np.ones(self.num_envs, np.bool_)), np.bool_)
        if rows.shape != (self.num_envs,) or not (self._begun or rows.all()):
            raise ValueError(f"reset_mask must be bool [{self.num_envs}], and the first reset is of all games")
        position = set_up(self.game, options)
        if seed is not None or not self._begun:
            self.batch.reset(int(self.np_random.integers(1 << 62)), rows)
        self._begun = True
        self._begin(rows, None if position is None else position.state)
        self._ended &= ~rows
        return self._seen()

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[Planes, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], Info]:
        """Play the learner's actions [n] and the answers to them."""
        beginning = self._beginning()
        chosen = np.asarray(actions)
        if chosen.shape != (self.num_envs,):
            raise ValueError(f"actions must have shape [{self.num_envs}], got {list(chosen.shape)}")
        known = (chosen >= 0) & (chosen < self.game.num_actions)
        legal = known & self._mask[self._every, np.where(known, chosen, 0)]
        illegal = ~legal & ~beginning
        if beginning.any():
            self._begin(beginning)
        movers = self.batch.turn.copy() if self.opponent is None else self._sides
        self.batch.step(np.where(beginning, IDLE, np.where(legal, chosen, RESIGN)))
        rewards = self.batch.rewards[self._every, movers].astype(np.float64)
        self._reply(rewards)
        terminated, truncated = self.batch.terminated.copy(), self.batch.truncated.copy()
        self._ended = terminated | truncated
        info: Info = {}
        if illegal.any():
            info |= {"illegal": illegal, "_illegal": np.ones(self.num_envs, np.bool_)}
        if self.autoreset_mode is AutoresetMode.SAME_STEP and self._ended.any():
            info |= self._final()
            self._begin(self._ended)
            self._ended = np.zeros(self.num_envs, np.bool_)
        planes, seen = self._seen()
        return planes, rewards, terminated, truncated, seen | info

    def _beginning(self) -> NDArray[np.bool_]:
        """bool [n], the games that begin in this step instead of going on."""
        if not self._begun:
            raise ResetNeeded("call reset() before step()")
        if self.autoreset_mode is AutoresetMode.DISABLED and self._ended.any():
            over = np.flatnonzero(self._ended).tolist()
            raise ResetNeeded(f'games {over} are over: reset(options={{"reset_mask": ...}})')
        return self._ended.copy()

    def _begin(self, rows: NDArray[np.bool_], states: NDArray[Any] | None = None) -> None:
        """New games in `rows`; opponents who move first have moved."""
        if states is None:
            self.batch.reset(rows=rows)
        else:
            self.batch.set_up(states, rows)
        drawn = self.np_random.integers(2, size=self.num_envs, dtype=np.int8)
        self._sides[rows] = drawn[rows] if self._fixed_side is None else self._fixed_side
        self._reply(np.zeros(self.num_envs))

    def _reply(self, rewards: NDArray[np.float64]) -> None:
        """Let opponents move where it is their turn; what the learner gets for it is entered in `rewards` [n]."""
        batch = self.batch
        while self.opponent is not None:
            waiting = (batch.turn != self._sides) & ~batch.terminated & ~batch.truncated
            if not waiting.any():
                break
            answers = batch.sample() if isinstance(self.opponent, str) else self._answers(self.opponent, waiting)
            batch.step(np.where(waiting, answers, IDLE))
            rewards[waiting] = batch.rewards[self._every, self._sides][waiting]

    def _answers(self, opponent: Replies, waiting: NDArray[np.bool_]) -> NDArray[np.integer[Any]]:
        """What a function answers. Raises IllegalMove where it may not."""
        answers, rows = np.asarray(opponent(self.batch)), np.flatnonzero(waiting)
        given, legal = answers[rows], self.batch.legal()
        known = (given >= 0) & (given < self.game.num_actions)
        wrong = rows[~(known & legal[rows, np.where(known, given, 0)])]
        if wrong.size:
            state = self.batch.states[wrong[0] : wrong[0] + 1]
            raise IllegalMove(f"the opponent in game {wrong[0]}: {why_illegal(self.game, state, answers[wrong[0]])}")
        return answers

    def _final(self) -> Info:
        """The last observations of games that have ended, in Gymnasium's form."""
        ended, planes = np.flatnonzero(self._ended), np.full(self.num_envs, None, object)
        for row, seen in zip(ended, self.game.observe(self.batch.states[ended]), strict=True):
            planes[row] = seen
        sides = {"side": self._sides.copy(), "_side": self._ended.copy()}
        return {
            "final_obs": planes,
            "_final_obs": self._ended.copy(),
            "final_info": sides,
            "_final_info": self._ended.copy(),
        }

    def _seen(self) -> tuple[Planes, Info]:
        batch, every = self.batch, np.ones(self.num_envs, np.bool_)
        self._mask = batch.legal()
        self._mask[batch.truncated] = False
        planes = batch.observe().copy() if self.copy else batch.observe()
        mask, sides = self._mask.view(np.int8), batch.turn if self.opponent is None else self._sides
        info = {"action_mask": mask.copy() if self.copy else mask, "side": sides.copy()}
        return planes, info | {"_action_mask": every, "_side": every.copy()}

    def render(self) -> tuple[Any, ...] | None:
        """The boards as `render_mode` says."""
        return tuple(show(self.game, self.batch.states[i : i + 1], self.render_mode) for i in range(self.num_envs))
