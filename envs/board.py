"""`BoardEnv`: any game for two agents, the AEC interface of PettingZoo.

::

    env = BoardEnv("go-9x9")
    env.reset(seed=0)
    for agent in env.agent_iter():
        observation, reward, terminated, truncated, info = env.last()
        mask = observation["action_mask"]
        env.step(None if terminated or truncated else env.action_space(agent).sample(mask))
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.envs import spaces
from sakiyomi.envs.extras import missing

try:
    from pettingzoo import AECEnv, ParallelEnv  # type: ignore[import-untyped]
except ImportError as error:
    raise ImportError(missing("BoardEnv", "pettingzoo")) from error

from gymnasium.error import ResetNeeded

from sakiyomi.boards import Game, IllegalMove, Position, make_game
from sakiyomi.envs.batch import RESIGN, BoardBatch
from sakiyomi.envs.drawing import RENDER_MODES, check_mode, show
from sakiyomi.envs.illegal import Illegal, check_illegal, legal_number, why_illegal
from sakiyomi.envs.setups import set_up, usual_starts

AGENTS = ("player_0", "player_1")
Observation = dict[str, NDArray[Any]]


class BoardEnv(AECEnv):  # type: ignore[misc]
    """A game of two agents, "player_0", who moves first, and "player_1"; ``metadata["players"]`` names their colours.

    An observation is ``{"observation": float32 [C, Y, X], "action_mask": int8 [A]}``: the planes of `Game.observe`, as
    the player to move sees the position, and what he may play; the mask is also in the info. For the other agent, and
    after the end, the mask is all 0. At the end the winner gets 1 and the loser -1, or both 0.

    An illegal action loses, as with PettingZoo's TerminateIllegalWrapper: -1 for who played it, 0 for the other, and
    ``info["illegal"]`` of the loser says why; with ``illegal="raise"`` it raises IllegalMove and changes nothing.
    `max_cycles` moves of each player after which a game is cut off (truncated); default: never, beside the rules.

    ``reset(options={"setup": "a FEN", "opening": ["e2e4", "e7e5"]})`` begins elsewhere. Chess960 draws its start from
    the seed; all else is deterministic. `render_mode` "human" prints the board, "ansi" returns it as text, "rgb_array"
    as a picture, uint8 [H, W, 3]; `metadata["render_modes"]` lists them.
    """

    metadata: dict[str, Any] = {"render_modes": list(RENDER_MODES), "is_parallelizable": False, "render_fps": 2}  # noqa: RUF012

    def __init__(
        self,
        game: Game | str,
        render_mode: str | None = None,
        *,
        max_cycles: int | None = None,
        illegal: Illegal = "lose",
    ):
        super().__init__()
        if max_cycles is not None and max_cycles < 1:
            raise ValueError(f"max_cycles must be 1 or more, or None, got {max_cycles}")
        self.game: Game = make_game(game) if isinstance(game, str) else game
        self.render_mode = check_mode(render_mode)
        self.illegal, self.max_cycles = check_illegal(illegal), max_cycles
        self.metadata = {**type(self).metadata, "name": self.game.name, "players": players(self.game)}
        self._build(None if max_cycles is None else 2 * max_cycles)
        self.possible_agents = list(AGENTS)
        self.agents: list[str] = []
        self.observation_spaces = {agent: spaces.masked_space(self.game) for agent in AGENTS}
        self.action_spaces = {agent: spaces.action_space(self.game) for agent in AGENTS}
        self._mask = np.zeros(self.game.num_actions, np.bool_)
        self._begun = False

    def _build(self, most_plies: int | None) -> None:
        self._batch = BoardBatch(
            self.game, 1, seed=None, restart="never", starts=usual_starts(self.game), max_plies=most_plies
        )

    def observation_space(self, agent: str) -> Any:
        """The space of the agent's observations, the same object each time."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """The space of the agent's actions, the same object each time."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin a game, at its start or as `options` say."""
        position = set_up(self.game, options)
        self._batch.reset(seed)
        if position is not None:
            self._batch.set_up(position.state)
        self.agents = list(AGENTS)
        self.rewards = dict.fromkeys(AGENTS, 0.0)
        self._cumulative_rewards = dict.fromkeys(AGENTS, 0.0)
        self.terminations = dict.fromkeys(AGENTS, False)
        self.truncations = dict.fromkeys(AGENTS, False)
        self._skip_agent_selection = None
        self._begun = True
        self._look()
        if self.render_mode == "human":
            self.render()

    def step(self, action: int | None) -> None:
        """Play the action of `agent_selection`; None for an agent whose game is over."""
        if not self.agents:
            raise ResetNeeded("the game is over: call reset()" if self._begun else "call reset() before step()")
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        played = legal_number(action, self._mask)
        if played is None:
            self._lose(agent, action)
        else:
            self._cumulative_rewards[agent] = 0.0
            self._batch.actions[0] = played
            rewards, terminated, truncated = self._batch.step(self._batch.actions)
            if terminated[0] or truncated[0]:
                first, second = rewards[0].tolist()
                self._end({AGENTS[0]: first, AGENTS[1]: second}, bool(terminated[0]))
            else:
                self.rewards = dict.fromkeys(AGENTS, 0.0)
            self._look()
        if self.render_mode == "human":
            self.render()

    def _lose(self, agent: str, action: Any) -> None:
        why = why_illegal(self.game, self._batch.states, action)
        if self.illegal == "raise":
            raise IllegalMove(why)
        self._cumulative_rewards[agent] = 0.0
        self._batch.actions[0] = RESIGN
        self._batch.step(self._batch.actions)
        self._end({other: -1.0 if other == agent else 0.0 for other in AGENTS}, terminated=True)
        self._look()
        self.infos[agent]["illegal"] = why

    def _end(self, rewards: dict[str, float], terminated: bool) -> None:
        self.rewards = rewards
        self.terminations = dict.fromkeys(AGENTS, terminated)
        self.truncations = dict.fromkeys(AGENTS, not terminated)
        self._accumulate_rewards()

    def _look(self) -> None:
        """Note whose turn it is and what he may play."""
        turn = int(self._batch.turn[0])
        mover, other = AGENTS[turn], AGENTS[1 - turn]
        self.agent_selection = mover
        none = np.zeros(len(self._mask), np.int8)
        if self.terminations[mover] or self.truncations[mover]:
            self._mask, mask = np.zeros(len(none), np.bool_), none.copy()
        else:
            self._mask = self._batch.legal()[0].copy()  # our own: what users do to theirs is no matter
            mask = self._mask.astype(np.int8)
        self.infos: dict[str, dict[str, Any]] = {mover: {"action_mask": mask}, other: {"action_mask": none}}

    def observe(self, agent: str) -> Observation:
        """What the agent sees: new arrays each time."""
        if not self._begun:
            raise ResetNeeded("call reset() before observe()")
        planes = self._batch.observe()[0].copy()
        return {"observation": planes, "action_mask": self.infos[agent]["action_mask"].copy()}

    def position(self) -> Position:
        """A copy of the position, for notation and pictures."""
        position = Position(self.game)
        position.state = self._batch.states.copy()
        return position

    def state(self) -> NDArray[np.int8]:
        """[Y, X], the board as `Game.board` gives it: positive the first player's pieces, negative the second's."""
        return self.game.board(self._batch.states)

    def render(self) -> Any:
        """The board as `render_mode` says: printed, as text, as a picture. Raises ValueError without a mode."""
        if not self._begun:
            raise ResetNeeded("call reset() before render()")
        return show(self.game, self._batch.states, self.render_mode)

    def close(self) -> None:
        """Nothing is held open."""


def parallel_env(
    game: Game | str, render_mode: str | None = None, *, max_cycles: int | None = None, illegal: Illegal = "lose"
) -> "ParallelEnv[str, Observation, int | None]":
    """`BoardEnv` with PettingZoo's parallel interface: a step is one ply, of which only the mover's action counts.

    ``infos[agent]["active_agent"]`` names who is to move; `max_cycles` here are plies.
    """
    from pettingzoo.utils.conversions import turn_based_aec_to_parallel  # type: ignore[import-untyped]

    env = BoardEnv(game, render_mode, illegal=illegal)
    env._build(max_cycles)
    return turn_based_aec_to_parallel(env)


def players(game: Game) -> tuple[str, str]:
    """What the first and the second player are called."""
    if game.name.startswith("chess"):
        return "white", "black"
    if game.name in ("tictactoe", "connect4"):
        return "X", "O"
    return "black", "white"
