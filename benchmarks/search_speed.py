"""Tree search without a network: simulations a CPU second, where they go, and mctx and OpenSpiel beside.

    python benchmarks/search_speed.py [--rounds 3] [--peers]

The network is a table of constants, so all that is measured is trees, rules and planes: ours on real games, B games at
once, on one thread. With ``--peers``, in the same run: mctx on a game without rules (its trees alone: constant priors
and values, no state), compiled, on however many threads it takes, by CPU time; ours on the same; and OpenSpiel's MCTS
in Python with constants and, where pyspiel has it, in C++ with a random game a leaf. That needs ``mctx``
and ``pyspiel``.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from timing import best_rates, show

from sakiyomi.agents.parts.search import Gumbel, Puct, RulesModel, Search
from sakiyomi.agents.parts.search import models as search_models
from sakiyomi.agents.parts.search import search as search_module
from sakiyomi.agents.parts.search.models import Evaluate, Leaves
from sakiyomi.boards import rows
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.game import Game
from sakiyomi.boards.go import Go
from sakiyomi.boards.tictactoe import TicTacToe

SIMULATIONS = 200
PARTS = ("select", "back up", "encode", "network")


def constants(actions: int, batch: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, actions)).astype(np.float32), rng.uniform(-0.3, 0.3, batch).astype(np.float32)


def constant_network(game: Game, batch: int) -> Evaluate:
    logits, values = constants(game.num_actions, batch)
    return lambda observations: (logits[: len(observations)], values[: len(observations)])


def measure(game: Game, batch: int, selection: Puct | Gumbel, rounds: int) -> dict[str, float]:
    """Microseconds a simulation, the best round, and its parts."""
    model = RulesModel(game, constant_network(game, batch), batch)
    search = Search(model, batch, SIMULATIONS, selection=selection, rng=np.random.default_rng(0))
    search.run(SIMULATIONS)
    best = {"all": np.inf}
    for _ in range(rounds):
        search.seconds, model.seconds = dict.fromkeys(PARTS[:2], 0.0), dict.fromkeys(PARTS[2:], 0.0)
        started = time.process_time()
        search.run(SIMULATIONS)
        spent = {"all": time.process_time() - started, **search.seconds, **model.seconds}
        spent = {part: seconds * 1e6 / (batch * SIMULATIONS) for part, seconds in spent.items()}
        best = min(best, spent, key=lambda figures: figures["all"])
    return best


class Bare:
    """A model without rules: nothing ends, all actions are legal, priors and values are constants."""

    def __init__(self, actions: int, batch: int):
        self.num_actions = actions
        self.outputs = constants(actions, batch)

    def look(self, leaves: Leaves) -> int:
        """As `Model.look`."""
        leaves.logits, leaves.values = self.outputs
        leaves.legal[:] = True
        leaves.discounts[:] = -1
        return len(leaves.nodes)


def bare_search(actions: int, batch: int, selection: Puct | Gumbel) -> Callable[[], float]:
    search = Search(Bare(actions, batch), batch, SIMULATIONS, selection=selection, shuffle=False)

    def job() -> float:
        search.run(SIMULATIONS)
        return float(batch * SIMULATIONS)

    job()
    return job


def mctx_search(actions: int, batch: int, gumbel: bool) -> Callable[[], float]:
    import jax
    import jax.numpy as jnp
    import mctx

    logits, values = (jnp.asarray(array) for array in constants(actions, batch))

    def step(_params, _key, _action, state):  # type: ignore[no-untyped-def]
        output = mctx.RecurrentFnOutput(
            reward=jnp.zeros(batch), discount=-jnp.ones(batch), prior_logits=logits, value=values
        )
        return output, state

    root = mctx.RootFnOutput(prior_logits=logits, value=values, embedding=jnp.zeros(batch))
    policy = mctx.gumbel_muzero_policy if gumbel else mctx.muzero_policy

    @jax.jit
    def run(key):  # type: ignore[no-untyped-def]
        return policy((), key, root, step, SIMULATIONS).action

    key = jax.random.PRNGKey(0)
    run(key).block_until_ready()

    def job() -> float:
        run(key).block_until_ready()
        return float(batch * SIMULATIONS)

    return job


def openspiel_searches(name: str) -> dict[str, Callable[[], float]]:
    """MCTS of one position, in Python and in C++."""
    import pyspiel
    from open_spiel.python.algorithms import mcts

    class Constants(mcts.Evaluator):  # type: ignore[misc]
        def evaluate(self, state):  # type: ignore[no-untyped-def]
            return [0.1, -0.1]

        def prior(self, state):  # type: ignore[no-untyped-def]
            legal = state.legal_actions()
            return [(action, 1 / len(legal)) for action in legal]

    game = pyspiel.load_game(name)
    jobs: dict[str, Callable[[], float]] = {}
    python = mcts.MCTSBot(
        game, 1.25, SIMULATIONS, Constants(), solve=False, child_selection_fn=mcts.SearchNode.puct_value
    )
    bots = {"OpenSpiel, Python": python}
    if hasattr(pyspiel, "MCTSBot"):
        # The C++ bot takes evaluators in C++ only: a random game a leaf is the cheapest there is.
        bots["OpenSpiel, C++, with a random game a leaf"] = pyspiel.MCTSBot(
            game,
            pyspiel.RandomRolloutEvaluator(1, 0),
            1.25,
            SIMULATIONS,
            1000,
            False,
            0,
            False,
            pyspiel.ChildSelectionPolicy.PUCT,
        )
    for who, bot in bots.items():

        def job(bot: object = bot) -> float:
            bot.mcts_search(game.new_initial_state())  # type: ignore[attr-defined]
            return float(SIMULATIONS)

        jobs[who] = job
    return jobs


def show_games(rounds: int, batches: tuple[int, ...]) -> None:
    table = Table(title="Microseconds of CPU a simulation, one thread", title_justify="left")
    for column in ("", "games", "selection", *PARTS, "all", "a second"):
        table.add_column(column, justify="right", no_wrap=True)
    for game in (TicTacToe(), ConnectFour(), Go(size=9), Chess()):
        for batch in batches:
            for selection in (Puct(), Gumbel()):
                found = measure(game, batch, selection, rounds)
                figures = [f"{found[part]:.2f}" for part in (*PARTS, "all")]
                name = type(selection).__name__
                table.add_row(game.name, str(batch), name, *figures, f"{1e6 / found['all']:,.0f}")
    Console().print(table)


def show_peers(rounds: int) -> None:
    for gumbel in (False, True):
        for actions, batch in ((7, 32), (7, 64), (82, 32)):
            ours = bare_search(actions, batch, Gumbel() if gumbel else Puct(scale="siblings"))
            jobs = {"sakiyomi": ours, "mctx": mctx_search(actions, batch, gumbel)}
            kind = "Gumbel" if gumbel else "PUCT"
            title = f"Trees alone, {kind}, {actions} actions, {batch} trees, {SIMULATIONS} simulations"
            show(title, "simulations a CPU second", best_rates(jobs, rounds))
    for game, name in ((ConnectFour(), "connect_four"), (Go(size=9), "go(board_size=9)")):
        model = RulesModel(game, constant_network(game, 64), 64)
        search = Search(model, 64, SIMULATIONS)

        def job(search: Search = search) -> float:
            search.run(SIMULATIONS)
            return float(64 * SIMULATIONS)

        job()
        rates = best_rates({"sakiyomi, 64 games at once": job, **openspiel_searches(name)}, rounds)
        show(f"{game.name}, constant evaluation", "simulations a CPU second", rates)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many rounds is shown (3)")
    parser.add_argument("--peers", action="store_true", help="measure mctx and OpenSpiel, too")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs")
    options = parser.parse_args()
    rows.set_threads(1)
    search_module.perf_counter = search_models.perf_counter = time.process_time  # shares by CPU time, too
    show_games(1 if options.quick else options.rounds, (1, 64) if options.quick else (1, 64, 256))
    if options.peers:
        show_peers(options.rounds)


if __name__ == "__main__":
    main()
