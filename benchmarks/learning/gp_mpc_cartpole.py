"""C11: GP-MPC swings up the cart-pole within five trials of 3 s, beside mean propagation and PILCO's way."""

from dataclasses import replace

from gp_mpc_runs import Comparison

from sakiyomi.agents.gp_mpc import GPMPC
from sakiyomi.envs.catalog import PLANTS
from sakiyomi.envs.plant_env import plant_task

NOTE = (
    "A trial solves the task if the tip of the pole stays within 8 cm of its goal for 10 steps on end. In the paper 90"
    " % of the runs of GP-MPC have done so after 3 trials (9 s of experience), PILCO's need 2 trials more, and mean"
    " propagation succeeds as well."
)

if __name__ == "__main__":
    config = GPMPC.presets["cartpole"]
    variants = {
        "gp-mpc": config,
        "zero-variance": replace(config, zero_variance=True),
        "pilco": replace(config, planner="policy"),
    }
    task = plant_task("cartpole-swingup", replace(PLANTS["cartpole-swingup"], horizon=30))
    about = "C11: GP-MPC, cart-pole swing-up in trials of 3 s"
    Comparison("gp-mpc-cartpole", about, task, variants, note=NOTE).main()
