"""C11: GP-MPC swings up the cart-pole within five trials of 3 s, beside mean propagation and PILCO's way."""

from dataclasses import replace

from gp_mpc_runs import Comparison

from sakiyomi.agents.gp_mpc import GPMPC
from sakiyomi.envs.catalog import PLANTS
from sakiyomi.envs.plant_env import plant_task

if __name__ == "__main__":
    config = GPMPC.presets["cartpole"]
    variants = {
        "gp-mpc": config,
        "zero-variance": replace(config, zero_variance=True),
        "pilco": replace(config, planner="policy"),
    }
    task = plant_task("cartpole-swingup", replace(PLANTS["cartpole-swingup"], horizon=30))
    Comparison("gp-mpc-cartpole", "C11: GP-MPC, cart-pole swing-up in trials of 3 s", task, variants).main()
