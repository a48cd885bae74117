"""MuZero on CartPole: steps of the environment a CPU second, searched with 25 simulations each, and samples learned.

    python benchmarks/muzero_speed.py [--quick] [--peer FOLDER]

Ours plays by the preset "cartpole", many episodes at once, one network call for all of them a simulation, on one
thread: to make a step, search and environment together. With ``--peer``, in the same run: muzero-general, of which
FOLDER is a checkout, by its own settings for CartPole (a network of a fraction of the size) but 25 simulations; it
plays one episode at a time. It needs ``torch``, ``ray`` and ``gymnasium``. Rates are of CPU time, the best of some
rounds. Published for others: none for CartPole; the bar is 300 steps a second.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium
import numpy as np
import torch
from timing import best_rates, show

from sakiyomi.agents.muzero import MuZero
from sakiyomi.agents.parts.muzero.learner import MuZeroLearner
from sakiyomi.agents.parts.muzero.lookahead import Lookahead
from sakiyomi.agents.parts.muzero.net_dynamics import NetDynamics
from sakiyomi.agents.parts.muzero.playing import LatentPlay
from sakiyomi.agents.parts.muzero.stages import TaskStage
from sakiyomi.agents.parts.muzero.unrolls import UnrollReplay
from sakiyomi.envs import make_task

SIMULATIONS = 25
BAR = {"note": "the bar is 300 steps a second"}
CONFIG = replace(MuZero.presets["cartpole"], simulations=SIMULATIONS)


def playing(rows: int, moves: int) -> tuple[Callable[[], float], LatentPlay]:
    """Makes `moves` steps in each of so many episodes."""
    stage = TaskStage(make_task("gym/CartPole-v1"), rows, 0)
    look = Lookahead(
        NetDynamics(CONFIG.net(stage, 0)),
        rows,
        stage.actions,
        simulations=SIMULATIONS,
        selection=CONFIG.selection,
        noise=CONFIG.noise,
        discount=CONFIG.discount,
        players=1,
        rng=np.random.default_rng(0),
    )
    play = CONFIG.play(stage, look)

    def job() -> float:
        play.play(moves)
        return rows * moves

    job()
    return job, play


def learning(updates: int) -> Callable[[], float]:
    """Makes so many updates; its units are samples, K + 1 positions each."""
    _, play = playing(16, 1)
    replay: UnrollReplay = CONFIG.replay(play.stage)
    for episode in play.play(200):
        replay.add(episode)
    learner: MuZeroLearner = CONFIG.learner(CONFIG.net(play.stage, 0))
    rng = np.random.default_rng(0)

    def job() -> float:
        for _ in range(updates):
            value_of = NetDynamics(learner.playing()).value_of
            learner.step(replay.sample(rng, CONFIG.batch, CONFIG.unroll, value_of), CONFIG.rate)
        return updates * CONFIG.batch

    job()
    return job


def peer(folder: Path, moves: int) -> Callable[[], float]:
    """Steps of muzero-general, one episode at a time. Raises SystemExit if FOLDER is no checkout of it."""
    if not (folder / "self_play.py").is_file():
        raise SystemExit(f"--peer {folder}: wanted is a checkout of muzero-general, with self_play.py")
    sys.path.insert(0, str(folder))
    sys.modules.setdefault("gym", ModuleType("gym"))  # its environment is not used, but imported
    import games.cartpole as settings  # type: ignore[import-not-found]
    import models  # type: ignore[import-not-found]
    import self_play  # type: ignore[import-not-found]

    config: Any = settings.MuZeroConfig()
    config.num_simulations = SIMULATIONS
    model = models.MuZeroNetwork(config)
    model.eval()
    env = gymnasium.make("CartPole-v1")
    seen = [env.reset(seed=0)[0]]

    def job() -> float:
        with torch.no_grad():
            for _ in range(moves):
                root, _ = self_play.MCTS(config).run(model, seen[0].reshape(1, 1, 4), [0, 1], 0, True)
                action = max(root.children, key=lambda each: root.children[each].visit_count)
                seen[0], _, terminated, truncated, _ = env.step(action)
                if terminated or truncated:
                    seen[0] = env.reset()[0]
        return moves

    job()
    return job


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--peer", type=Path, metavar="FOLDER", help="a checkout of muzero-general")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rounds, moves = (2, 4) if options.quick else (7, 8)
    jobs = {f"{rows} episodes at once": playing(rows, moves)[0] for rows in (64, 16, 1)}
    if options.peer:
        jobs["muzero-general, 1 episode"] = peer(options.peer, 2 * moves)
    show(f"CartPole-v1, {SIMULATIONS} simulations a step", "steps / CPU s", best_rates(jobs, rounds), BAR)
    title = f"learning, batches of {CONFIG.batch}, {CONFIG.unroll} steps unrolled"
    show(title, "samples / CPU s", best_rates({"sakiyomi": learning(moves)}, rounds))


if __name__ == "__main__":
    main()
