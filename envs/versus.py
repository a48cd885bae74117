"""`VersusEnv`: a game against an opponent who moves inside `step`, the interface of Gymnasium.

::

    env = VersusEnv("chess", opponent="random", side=0)
    planes, info = env.reset(seed=0)
    planes, reward, terminated, truncated, info = env.step(env.action_space.sample(info["action_mask"]))
"""

from collections.abc import Callable
from typing import Any, Literal, SupportsFloat

import numpy as np
from numpy.typing import NDArray

from sakiyomi.envs import spaces
from sakiyomi.envs.extras import missing

try:
    import gymnasium
    from gymnasium.error import ResetNeeded
except ImportError as error:
    raise ImportError(missing("VersusEnv", "gymnasium")) from error

from sakiyomi.boards import DECLARE, RESIGN, Budget, Game, IllegalMove, Player, Position, make_game
from sakiyomi.envs.batch import RESIGN as RESIGN_ACTION
from sakiyomi.envs.batch import BoardBatch
from sakiyomi.envs.drawing import RENDER_MODES, check_mode, show
from sakiyomi.envs.illegal import Illegal, check_illegal, legal_number, why_illegal
from sakiyomi.envs.setups import set_up, usual_starts

Planes = NDArray[np.float32]
Reply = Callable[[Position, np.random.Generator], str | int]
"""Chooses a move, as text or action, of a position that it leaves as it is; its randomness comes from the generator."""
Opponent = Literal["random"] | Player | Reply


class VersusEnv(gymnasium.Env[Planes, np.int64]):
    """One side of `game` for the learner, the other for `opponent`, who has answered when `step` returns.

    The opponent is "random" (uniform among the legal moves), a `Player` (asked with `budget`) or a function of a
    `Position` and a random generator. `side` is the learner's, 0 (moves first) or 1; None draws it for each game. An
    observation is float32 [C, Y, X] (`Game.observe`); ``info["action_mask"]``, int8 [A], tells what is legal (so does
    `action_masks()`, for libraries that ask so), ``info["side"]`` the learner's side. At the end the reward is 1, 0 or
    -1 for the learner, before it is 0.

    An illegal action loses (-1, terminated, the reason in ``info["illegal"]``); with ``illegal="raise"`` it raises
    IllegalMove and changes nothing. After `max_plies` plies of both a game is cut off. ``reset(options={"setup": ...,
    "opening": [...], "side": 0})`` begins elsewhere. Arrays that are returned are never written to again.
    """

    metadata: dict[str, Any] = {"render_modes": list(RENDER_MODES), "render_fps": 2}  # noqa: RUF012

    def __init__(
        self,
        game: Game | str,
        opponent: Opponent = "random",
        side: int | None = None,
        render_mode: str | None = None,
        *,
        budget: Budget | None = None,
        max_plies: int | None = None,
        illegal: Illegal = "lose",
    ):
        if opponent != "random" and not callable(opponent) and not hasattr(opponent, "choose"):
            raise ValueError(
                f'the opponent is "random", a Player or a function of a position, got {opponent!r}'
                " (sakiyomi.arena.make_player makes a Player of a name)"
            )
        self.game: Game = make_game(game) if isinstance(game, str) else game
        self.opponent, self.budget, self.illegal = opponent, budget or Budget(), check_illegal(illegal)
        self.side, self._fixed_side = 0, check_side(side)
        self.render_mode = check_mode(render_mode)
        starts = usual_starts(self.game)
        self._batch = BoardBatch(self.game, 1, restart="never", starts=starts, max_plies=max_plies)
        self._mask = np.zeros(self.game.num_actions, np.bool_)
        self._position: Position | None = None  # kept up for opponents who want to see one
        self._rng = np.random.default_rng(0)  # the opponent's
        self._running = self._begun = False
        self.observation_space: Any = spaces.planes_space(self.game)
        self.action_space = spaces.action_space(self.game)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Planes, dict[str, Any]]:
        """Begin a game; an opponent who moves first has moved."""
        super().reset(seed=seed)
        position = set_up(self.game, options)
        drawn, batch_seed, opponent_seed = self.np_random.integers([2, 1 << 62, 1 << 62])
        asked = check_side((options or {}).get("side"))
        fixed = self._fixed_side if asked is None else asked
        self.side = int(drawn) if fixed is None else fixed
        self._batch.reset(int(batch_seed))
        if position is not None:
            self._batch.set_up(position.state)
        self._rng = np.random.default_rng(int(opponent_seed))
        self._position = None
        if self.opponent != "random":
            self._position = position or self._seen()
            if hasattr(self.opponent, "begin"):
                self.opponent.begin(self.game, 1 - self.side, self._rng)
        self._running = self._begun = True
        self._reply()
        if self.render_mode == "human":
            self.render()
        return self._observe(), self._info()

    def step(self, action: np.int64) -> tuple[Planes, SupportsFloat, bool, bool, dict[str, Any]]:
        """Play `action` and, if the game goes on, the opponent's answer."""
        if not self._running:
            raise ResetNeeded("the game is over: call reset()" if self._begun else "call reset() before step()")
        played = legal_number(action, self._mask)
        why = "" if played is not None else why_illegal(self.game, self._batch.states, action)
        if why and self.illegal == "raise":
            raise IllegalMove(why)
        self._play(RESIGN_ACTION if played is None else played)
        self._reply()
        info = self._info()
        if why:
            info["illegal"] = why
        if self.render_mode == "human":
            self.render()
        batch = self._batch
        reward = float(batch.rewards[0, self.side])
        return self._observe(), reward, bool(batch.terminated[0]), bool(batch.truncated[0]), info

    def action_masks(self) -> NDArray[np.bool_]:
        """bool [A], the legal actions: `info["action_mask"]` under the name that masked PPO asks for."""
        return self._mask.copy()

    def _play(self, action: int) -> None:
        batch = self._batch
        batch.actions[0] = action
        _, terminated, truncated = batch.step(batch.actions)
        self._running = not (terminated[0] or truncated[0])
        if self._position is not None and action >= 0:
            self._position.play(action)

    def _reply(self) -> None:
        """Let the opponent move for as long as it is his turn."""
        batch = self._batch
        while self._running and batch.turn[0] != self.side:
            if self._position is None:
                self._play(int(batch.sample()[0]))
            else:
                self._answer(self._position)
        self._mask = batch.legal()[0].copy() if self._running else np.zeros(len(self._mask), np.bool_)

    def _answer(self, position: Position) -> None:
        """Ask a `Player` or a function. Raises IllegalMove or BadNotation for a move that is none."""
        opponent: Any = self.opponent
        if hasattr(opponent, "choose"):
            move = opponent.choose(position.copy(), self.budget)
        else:
            move = opponent(position.copy(), self._rng)
        if move == RESIGN:
            self._play(RESIGN_ACTION)
        elif move == DECLARE and hasattr(self.game, "declarations"):
            self._declared(position)
        else:
            self._play(position.action(move))

    def _declared(self, position: Position) -> None:
        """The opponent declares the entering king (shogi): a win, a draw, or not allowed."""
        verdict = int(getattr(self.game, "declarations")(position.state)[0])  # noqa: B009 (not in the protocol)
        if verdict == 0:
            raise IllegalMove(f"the opponent may not declare in {position.text()}")
        won = 1.0 if verdict == 1 else 0.0
        self._batch.rewards[0, self.side], self._batch.rewards[0, 1 - self.side] = -won, won
        self._batch.terminated[0], self._running = True, False

    def _seen(self) -> Position:
        position = Position(self.game)
        position.state = self._batch.states.copy()
        return position

    def _observe(self) -> Planes:
        planes: Planes = self._batch.observe()[0].copy()
        return planes

    def _info(self) -> dict[str, Any]:
        return {"action_mask": self._mask.astype(np.int8), "side": self.side}

    def position(self) -> Position:
        """A copy of the position, for notation and pictures."""
        return self._seen()

    def render(self) -> Any:
        """The board as `render_mode` says: printed, as text, as a picture."""
        if not self._begun:
            raise ResetNeeded("call reset() before render()")
        return show(self.game, self._batch.states, self.render_mode)

    def close(self) -> None:
        """Close the opponent, if it can be closed; once."""
        opponent: Any = self.opponent
        if hasattr(opponent, "close") and not getattr(self, "_closed", False):
            opponent.close()
        self._closed = True


def check_side(side: Any) -> int | None:
    """`side` if it is 0, 1 or None. Raises ValueError for others."""
    if side not in (None, 0, 1):
        raise ValueError(f"side is 0 (moves first), 1 or None (drawn for each game), got {side!r}")
    return None if side is None else int(side)
