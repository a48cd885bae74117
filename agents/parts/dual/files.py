"""Agents of one dual network on disk: agent.json says what it is, weights.safetensors holds the weights."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.dual.inference import NetEvaluator, check_runtime, make_evaluator
from sakiyomi.agents.parts.dual.nets import DualNet
from sakiyomi.agents.parts.runs.agent_files import DAMAGE, damaged, load_agent, save_agent
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.game import Ending, Game
from sakiyomi.boards.rows import threads

CALIBRATION = 512  # positions, at least, by which a runtime of whole numbers measures its ranges


def save_dual_net(folder: Path, kind: str, game: Game, net: DualNet, config: dict[str, Any]) -> None:
    """Write an agent of that `kind` into `folder`, each file whole or not at all."""
    save_agent(folder, kind, {"game": game.name, "net": net.settings(), "config": config}, net.state_dict())


def load_dual_net(folder: Path, kind: str) -> tuple[Game, DualNet, dict[str, Any]]:
    """The game, the net and the configuration of the agent in `folder`. Raises ValueError if there is none."""
    described, weights = load_agent(folder, kind)
    try:
        settings = described["net"]
        net = DualNet(**settings | {"planes": tuple(settings["planes"])})
        net.load_state_dict(weights)
        game, config = make_game(described["game"]), described["config"]
    except DAMAGE as error:
        raise damaged(folder, error) from error
    if (game.planes, game.num_actions) != (net.planes, net.actions):
        raise ValueError(f"the agent in {folder} is damaged: its net is not one for {game.name}")
    return game, net.eval(), config


class Evaluators:
    """Evaluators of one net, made when they are first wanted: each takes a while to make.

    A runtime of whole numbers is calibrated on positions of play by the network's own policy. Raises ValueError for a
    runtime that there is not, ModuleNotFoundError for one that is not installed.
    """

    def __init__(self, game: Game, net: DualNet, runtime: str):
        check_runtime(runtime)
        self._game, self._net, self._runtime = game, net, runtime
        self._made: dict[int, NetEvaluator] = {}

    def of(self, batch: int) -> NetEvaluator:
        """One for `batch` positions at a time."""
        if batch not in self._made:
            wanted = self._runtime.endswith("int8")
            calibration = policy_positions(self._game, self._net) if wanted else None
            self._made[batch] = make_evaluator(
                self._net, self._runtime, batch=batch, threads=threads(), calibration=calibration
            )
        return self._made[batch]


def policy_positions(game: Game, net: DualNet, at_least: int = CALIBRATION) -> NDArray[np.float32]:
    """Observations [n, C, Y, X] from games in which moves are drawn from the policy of `net`, always the same ones."""
    rng = np.random.default_rng(0)
    evaluate = make_evaluator(net, "torch", batch=64, threads=threads())
    states, seen = game.new(64), list[NDArray[np.float32]]()
    while sum(len(each) for each in seen) < at_least:
        observations = game.observe(states)
        seen.append(observations)
        logits = np.where(game.legal(states), evaluate(observations)[0], -np.inf)
        game.play(states, np.argmax(logits + rng.gumbel(size=logits.shape), axis=1).astype(np.int32))
        over = game.ending(states) != Ending.ONGOING
        states[over] = game.new(int(over.sum()))
    return np.concatenate(seen)
