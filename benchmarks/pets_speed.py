"""PETS: CPU seconds of a planning step and of an epoch of learning, ours and mbrl-lib's, in one run.

    python benchmarks/pets_speed.py [--mbrl PYTHON] [--sizes halfcheetah cartpole lesson quick] [--jobs plan epoch]
                                    [--quick]

mbrl-lib is used where `--mbrl` names the Python of an environment that has it; it runs in a process of its own::

    python -m venv mbrl; mbrl/bin/pip install --no-deps mbrl
    mbrl/bin/pip install torch gymnasium hydra-core omegaconf tqdm termcolor

Both learn the same rows, plan from the same observation with the same networks, rewards and numbers of everything
(TS-infinity, CEM that is not ended early), on one thread each; the best of several rounds in which they take turns.
Ours plans in float32, and in bfloat16 where the processor has units for it, which is then what the agent does by
itself. The sizes are the paper's for the half-cheetah and for the cart-pole, mbrl-lib's own for its lesson on PETS, and
those of our quick preset.
"""

import argparse
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from timing import best_rates

from sakiyomi.agents.agent import Turn
from sakiyomi.agents.parts.episodes.rollouts import Rollout, Transitions, box_of
from sakiyomi.agents.pets import PETS, Config, Model
from sakiyomi.envs import make_task
from sakiyomi.envs.pets_rewards import REWARDS

Job = Callable[[], float]
MEMBERS = 5
EPOCHS = 5
"""That are learned at a time."""
TRIALS = 10
"""Random walks of equal length, of which the rows that are learned are the steps."""


@dataclass(frozen=True)
class Size:
    """What is measured."""

    task: str
    layers: int
    width: int
    population: int
    elites: int
    particles: int
    horizon: int
    rows: int  # that are learned
    batch: int
    iterations: int = 5


SIZES = {
    "halfcheetah": Size("pets/halfcheetah", 4, 200, 500, 50, 20, 30, rows=2000, batch=32),
    "cartpole": Size("pets/cartpole", 3, 500, 400, 40, 20, 25, rows=2000, batch=32),
    "lesson": Size("pets/cartpole", 4, 200, 350, 35, 20, 15, rows=2000, batch=256),
    "quick": Size("pets/cartpole", 3, 64, 200, 20, 10, 15, rows=2000, batch=32),
}
SHOWN = {
    "pets/halfcheetah": {"angles": (2,), "unseen": (0,), "absolute": (0,)},
    "pets/cartpole": {"angles": (1,)},
}


def ours(size: Size, precision: str) -> tuple[Job, Job]:
    """A plan, and an epoch of learning."""
    task = make_task(size.task)
    low, high = box_of(task)
    config = Config(
        members=MEMBERS,
        hidden=(size.width,) * size.layers,
        decays=(1e-4,) * (size.layers + 1),
        batch=size.batch,
        epochs=EPOCHS,
        precision=precision,
        particles=size.particles,
        horizon=size.horizon,
        population=size.population,
        elites=size.elites,
        iterations=size.iterations,
        least=0.0,
        **SHOWN[size.task],
    )
    observed = task.observation_space.shape[0]
    model = Model(config, observed, len(low), REWARDS[size.task], seed=0)
    rng, steps = np.random.default_rng(0), size.rows // TRIALS
    walks = 0.1 * rng.normal(size=(TRIALS, steps + 1, observed)).cumsum(1)
    actions = rng.uniform(low, high, (TRIALS, steps, len(low)))
    data = Transitions([Rollout(walk, doing, np.zeros(steps)) for walk, doing in zip(walks, actions, strict=True)])
    model.learn(data, seed=0)
    agent = PETS(size.task, model, low, high)
    carry = agent.initial(1)
    turn = Turn(np.zeros((1, observed)), np.array([False]), np.zeros(1, np.float32))

    def plan() -> float:
        nonlocal carry
        _, carry = agent.act(carry, turn, explore=False)
        return 1

    def learn() -> float:
        model.learn(data, seed=0)
        return EPOCHS

    return plan, learn


class Mbrl:
    """mbrl-lib in a process of its own, which plans or learns when it is told to."""

    def __init__(self, python: Path, size: Size):
        task = make_task(size.task)
        low, high = box_of(task)
        about = {"observed": task.observation_space.shape[0], "low": low.tolist(), "high": high.tolist()}
        about |= {"members": MEMBERS, "trials": TRIALS, "epochs": EPOCHS}
        command = [str(python), "-W", "ignore", "-c", MBRL, json.dumps(asdict(size) | about)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        one = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self.process = subprocess.Popen(command, env={**os.environ, **one}, **pipes)

    def job(self, what: str) -> Job:
        """Plans or epochs ("plan", "learn") a CPU second, measured there: negative, as `best_rates` has it."""

        def ask() -> float:
            print(what, file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("mbrl-lib has ended: see above")
            return -1 / float(line)

        return ask

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


MBRL = """
import json, sys, time, types
import numpy as np, torch, omegaconf
import mbrl.models, mbrl.planning, mbrl.types
from mbrl.env import reward_fns, termination_fns
from mbrl.util.replay_buffer import BootstrapIterator

torch.set_num_threads(1)
s = types.SimpleNamespace(**json.loads(sys.argv[1]))
low, high = np.array(s.low), np.array(s.high)
cheetah = s.task == "pets/halfcheetah"

def shown(obs):
    lib = np if isinstance(obs, np.ndarray) else torch
    join = np.concatenate if lib is np else torch.cat
    angle = obs[..., 2:3] if cheetah else obs[..., 1:2]
    parts = [obs[..., 1:2], lib.sin(angle), lib.cos(angle), obs[..., 3:]] if cheetah else [
        lib.sin(angle), lib.cos(angle), obs[..., :1], obs[..., 2:]]
    return join(parts, -1)

inputs = s.observed + (0 if cheetah else 1) + len(low)
model = mbrl.models.GaussianMLP(
    inputs, s.observed, "cpu", num_layers=s.layers, ensemble_size=s.members, hid_size=s.width,
    propagation_method="fixed_model", learn_logvar_bounds=True, activation_fn_cfg={"_target_": "torch.nn.SiLU"})
wrapped = mbrl.models.OneDTransitionRewardModel(
    model, target_is_delta=True, normalize=True, normalize_double_precision=True, learned_rewards=False,
    obs_process_fn=shown, no_delta_list=[0] if cheetah else None, num_elites=s.members)
rng = np.random.default_rng(0)
steps = s.rows // s.trials
walks = 0.1 * rng.normal(size=(s.trials, steps + 1, s.observed)).cumsum(1)
actions = rng.uniform(low, high, (s.trials, steps, len(low)))
before, actions, after = (
    each.reshape(s.rows, -1).astype(np.float32) for each in (walks[:, :-1], actions, walks[:, 1:]))
none = np.zeros(s.rows)
data = mbrl.types.TransitionBatch(before, actions, after, none, none, none)
trainer = mbrl.models.ModelTrainer(wrapped, optim_lr=1e-3, weight_decay=1e-4)

def learn():
    wrapped.update_normalizer(data)
    batches = BootstrapIterator(
        data, s.batch, s.members, shuffle_each_epoch=True, permute_indices=False, rng=np.random.default_rng(0))
    trainer.train(batches, num_epochs=s.epochs, evaluate=False, silent=True)
    return s.epochs

env = types.SimpleNamespace(observation_space=None, action_space=None)
reward = reward_fns.halfcheetah if cheetah else reward_fns.cartpole_pets
model_env = mbrl.models.ModelEnv(
    env, wrapped, termination_fns.no_termination, reward, generator=torch.Generator().manual_seed(0))
agent = mbrl.planning.TrajectoryOptimizerAgent(
    omegaconf.OmegaConf.create(dict(
        _target_="mbrl.planning.CEMOptimizer", num_iterations=s.iterations, elite_ratio=s.elites / s.population,
        population_size=s.population, alpha=0.1, device="cpu", lower_bound=None, upper_bound=None,
        return_mean_elites=True, clipped_normal=False)),
    low.tolist(), high.tolist(), planning_horizon=s.horizon)
agent.set_trajectory_eval_fn(lambda obs, plans: model_env.evaluate_action_sequences(plans, obs, s.particles))

def plan():
    agent.act(np.zeros(s.observed, np.float32))
    return 1

learn()
for line in sys.stdin:
    start = time.process_time()
    done = learn() if line.strip() == "learn" else plan()
    print((time.process_time() - start) / done, flush=True)
"""


def measure(size: Size, mbrl: Path | None, wanted: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """CPU seconds of a plan, and of an epoch, by whose they are; those `wanted`."""
    plan, learn = ours(size, "float32")
    jobs = {"plan": {"sakiyomi, float32": plan}, "epoch": {"sakiyomi": learn}}
    if torch.cpu._is_amx_tile_supported():
        jobs["plan"]["sakiyomi, bfloat16"] = ours(size, "bfloat16")[0]
    peer = Mbrl(mbrl, size) if mbrl else None
    if peer:
        jobs["plan"]["mbrl-lib"], jobs["epoch"]["mbrl-lib"] = peer.job("plan"), peer.job("learn")
    found = {what: {who: 1 / rate for who, rate in best_rates(jobs[what], rounds).items()} for what in wanted}
    if peer:
        peer.close()
    return found


def report(name: str, size: Size, found: dict[str, dict[str, float]]) -> None:
    """A table of one size."""
    about = f"{MEMBERS} networks of {size.layers} x {size.width}, {size.population} plans of {size.horizon} steps, "
    about += f"{size.particles} particles, {size.iterations} iterations; {size.rows} rows in batches of {size.batch}"
    table = Table(title=f"{name}: {about}", title_justify="left", caption="to reach: 3 x", caption_justify="left")
    for column in ("CPU seconds", "", "", "mbrl-lib takes"):
        table.add_column(column, justify="left" if column == "CPU seconds" else "right")
    for what, times in found.items():
        theirs = times.get("mbrl-lib")
        for who, seconds in times.items():
            ratio = f"{theirs / seconds:.2f} x" if theirs and who != "mbrl-lib" else ""
            table.add_row(what, who, f"{seconds:.3f}", ratio)
    Console(width=130).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mbrl", type=Path, help="Python of an environment with mbrl-lib")
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=SIZES)
    parser.add_argument("--jobs", nargs="+", default=["plan", "epoch"], choices=("plan", "epoch"))
    parser.add_argument("--quick", action="store_true", help="the smallest size, two rounds: to see that it runs")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in ["quick"] if options.quick else options.sizes:
        report(name, SIZES[name], measure(SIZES[name], options.mbrl, options.jobs, 2 if options.quick else 5))


if __name__ == "__main__":
    main()
