"""MuZero: the search of AlphaZero over dynamics that are learned, for board games, control and Atari.

J. Schrittwieser et al., "Mastering Atari, Go, chess and shogi by planning with a learned model", arXiv:1911.08265
(2019), Nature 588 (2020). What is observed becomes a latent state (h); a step of the learned dynamics gives the reward
and the latent state after an action (g), and each latent state has a policy and a value (f). The search knows the rules
at its root alone. All three are learned at once, by unrolling them along what was played (section 3).

Departures, all of them settings: `considered` > 0 searches as Gumbel MuZero does (I. Danihelka et al., ICLR 2022);
`sampled` > 0 searches over actions drawn from the policy, for tasks whose actions are vectors (Sampled MuZero,
`parts.muzero.sampling`); `averaging` plays by a moving average of the weights; `random_plies` begins games with random
moves; `symmetries` turns what is learned from; layers are normalised one by one, not over batches, in all presets but
the papers'. Settings and presets are in `parts.muzero.config`. Reanalyse (appendix H) is `refreshes`, stored
positions searched again for each new one, and `fresh_values`, which are built on the network's to play by, in place of
the searches' then. Chess is shown AlphaZero's planes of this library, not a history of 100 positions.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch

from sakiyomi.agents.agent import Actions, Foresight, Progress, TrainingBudget, Turn
from sakiyomi.agents.parts.muzero.acting import Looking, task_scores
from sakiyomi.agents.parts.muzero.config import (
    ATARI_S,
    CARTPOLE,
    CONNECT4,
    PAPER_ATARI,
    PAPER_BOARD,
    PENDULUM,
    QUICK,
    TICTACTOE,
    Config,
)
from sakiyomi.agents.parts.muzero.course import learned_from, one_thread, played_into, search_again
from sakiyomi.agents.parts.muzero.grid import Grid
from sakiyomi.agents.parts.muzero.lookahead import Lookahead, best_actions
from sakiyomi.agents.parts.muzero.nets import MuZeroNet
from sakiyomi.agents.parts.muzero.stages import game_of, stage_of
from sakiyomi.agents.parts.runs.agent_files import DAMAGE, damaged, load_agent, save_agent
from sakiyomi.agents.parts.runs.flags import from_json, to_json
from sakiyomi.agents.parts.runs.training_run import Part, TrainingRun
from sakiyomi.agents.parts.search import Dirichlet, Gumbel, Puct
from sakiyomi.agents.parts.strength.measuring import check_strength, strength
from sakiyomi.boards.game import Game
from sakiyomi.envs.task import Task


class MuZero:
    """Chooses by a search over its network's dynamics. An `Agent` for board games, and for tasks whose actions are
    choices or, on a `grid`, vectors; its carry is a `Looking`.

    `task` is what it has learnt, by name, played by `players`, who are shown frames of the shape `frame`. `simulations`
    a move (0: the configuration's for evaluation).
    """

    presets: ClassVar[Mapping[str, Config]] = {
        "quick": QUICK,
        "cartpole": CARTPOLE,
        "gym/CartPole-v1": CARTPOLE,
        "gym/Pendulum-v1": PENDULUM,
        "tictactoe": TICTACTOE,
        "connect4": CONNECT4,
        "atari-s": ATARI_S,
        "paper-board": PAPER_BOARD,
        "paper-atari": PAPER_ATARI,
    }

    def __init__(
        self,
        task: str,
        players: int,
        net: MuZeroNet,
        config: Config,
        frame: tuple[int, ...],
        *,
        simulations: int = 0,
        grid: Grid | None = None,
    ):
        self.task, self.players, self.net, self.config, self.frame = task, players, net, config, tuple(frame)
        self.grid = grid
        self.simulations = simulations or config.evaluation_simulations

    def initial(self, batch: int, seed: int = 0) -> Looking:
        """As `Agent.initial`."""
        return Looking(batch, np.random.default_rng(seed), self.grid)

    def act(self, carry: Looking, turn: Turn, explore: bool) -> tuple[Actions, Looking]:
        """As `Agent.act`; with `explore` as when learning ended. Raises ValueError for observations of other shapes."""
        config, budget = self.config, turn.budget
        inputs = carry.shown(turn, self.frame, config.stack, self.net.actions, config.past_actions)
        open_end = budget.simulations is None and (budget.seconds is not None or turn.stop is not None)
        usual = config.selection if explore else config.evaluation_selection
        selection = config.puct if open_end else usual  # Gumbel's schedule needs the number of simulations
        noisy = explore or config.evaluation_noise
        look = carry.lookahead(selection, config.noise if noisy else None, self._lookahead)
        simulations = budget.simulations or (config.simulations if explore else self.simulations)
        found = carry.look(turn, inputs, None if open_end else simulations, noisy=noisy)
        if explore:
            late = np.zeros(len(inputs), np.bool_)
            if config.exploring_plies is not None and turn.states is not None:
                late = turn.states["ply"] >= config.exploring_plies
            chosen = look.choose(found, np.where(late, 0.0, config.temperatures[-1]))
        else:
            chosen = best_actions(found, selection)
        return carry.act(chosen), carry

    def foresee(self, carry: Looking, turn: Turn, row: int = 0) -> Foresight:
        """As `Agent.foresee`, with the rewards and values predicted along the best line; ValueError before an act."""
        return carry.foresight(row)

    def save(self, folder: Path) -> None:
        """As `Agent.save`."""
        about = {"task": self.task, "players": self.players, "frame": list(self.frame)}
        about |= {"net": self.net.settings(), "config": to_json(self.config)}
        about["grid"] = asdict(self.grid) if self.grid else None
        save_agent(folder, "muzero", about, self.net.state_dict())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As `Agent.load`."""
        about, weights = load_agent(folder, "muzero")
        try:
            net = MuZeroNet(**about["net"])
            net.load_state_dict(weights)
            config = from_json(Config, about["config"], str(folder / "agent.json"))
            device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
            held = about.get("grid")
            grid = held and Grid(held["bins"], tuple(held["low"]), tuple(held["high"]))
            told = about["task"], int(about["players"]), net.eval().to(device), config, tuple(about["frame"])
            return cls(*told, grid=grid)
        except DAMAGE as error:
            raise damaged(folder, error) from error

    @classmethod
    def train(
        cls,
        task: Task | Game,
        folder: Path,
        budget: TrainingBudget,
        *,
        config: Config,
        seed: int = 0,
        resume: bool = False,
    ) -> Iterator[Progress]:
        """As `Agent.train`: episodes by the latest network, learning from them, now and then a look at its strength.

        What is resumed on the same machine goes on bit for bit as it would have.
        """
        if (game := game_of(task)) is not None:
            check_strength(game, config.opponents, config.opening_plies)
            if config.sampled:
                raise ValueError(f"sampled={config.sampled}: of the moves of {game.name} only legal ones may be drawn")
        stage = stage_of(
            task, config.rows, seed, random_plies=config.random_plies, cap=config.cap, bins=config.action_bins
        )
        chance = np.random.default_rng(seed).spawn(2)
        learner = config.learner(config.net(stage, seed))
        made = partial(cls, task.name, stage.players, config=config, frame=stage.frame, grid=stage.grid)
        agent = made(net=learner.playing())
        look = agent._lookahead(config.rows, config.selection, config.noise, chance[0])
        play = config.play(stage, look)
        replay = config.replay(stage)
        parts: dict[str, Part] = {"learner": learner, "replay": replay, "stage": stage, "play": play}
        run = TrainingRun(folder, parts, chance[1], {"samples": 0.0, "searches": 0.0})
        owed = run.memory
        with closing(stage), one_thread():
            run.begin(resume)
            try:
                while run.goes_on(budget):
                    look.use(config.dynamics(learner.playing(), chance[0]))
                    play.temperature = config.temperature(learner.steps)
                    figures, new, steps = played_into(replay, play, config.moves)
                    if replay.added >= config.least:  # what came before is never made up for: it would be at one go
                        owed["samples"] += config.uses * new
                        owed["searches"] += config.refreshes * new
                    searches = int(owed["searches"] // config.rows)
                    search_again(replay, look, run.rng, searches)
                    updates = int(owed["samples"] // config.batch)
                    sizes = updates, config.batch, config.unroll
                    figures |= learned_from(replay, learner, run.rng, *sizes, config.learning_rate, config.fresh_values)
                    owed["searches"] -= searches * config.rows
                    owed["samples"] -= updates * config.batch
                    run.counters.steps += updates
                    run.counters.environment_steps += steps
                    agent = made(net=learner.playing())
                    if (run.counters.iterations + 1) % config.evaluate_every == 0:
                        figures |= agent._strength(task, seed)
                    yield run.record(figures, budget, agent, config.save_every)
            finally:
                run.end(agent)

    def _strength(self, task: Task | Game, seed: int) -> dict[str, float]:
        """Against fixed opponents, or the mean return in a task."""
        config, game = self.config, game_of(task)
        if game is not None:
            return strength(self, game, config.opponents, config.evaluation_games, config.opening_plies, seed)
        assert isinstance(task, Task)
        return {"return/evaluation": float(np.mean(task_scores(self, task, config.evaluation_games, seed + 1)))}

    def _lookahead(
        self, trees: int, selection: Puct | Gumbel, noise: Dirichlet | None, chance: np.random.Generator
    ) -> Lookahead:
        return self.config.lookahead(self.net, trees, self.players, selection, noise, chance)
