"""GP-MPC swings up the pendulum within five trials of 4 s, beside mean propagation and PILCO's way."""

from dataclasses import replace

from gp_mpc_runs import Comparison

from sakiyomi.agents.gp_mpc import GPMPC
from sakiyomi.envs import make_task

NOTE = (
    "A trial solves the task if the tip of the rod stays within 16 cm of its goal for 10 steps on end, which is 16 % of"
    " its length, as on the cart-pole. The paper has no pendulum; the plant is PILCO's."
)

if __name__ == "__main__":
    config = GPMPC.presets["pendulum"]
    variants = {
        "gp-mpc": config,
        "zero-variance": replace(config, zero_variance=True),
        "pilco": replace(config, planner="policy"),
    }
    about = "GP-MPC, pendulum swing-up in trials of 4 s"
    Comparison("gp-mpc-pendulum", about, make_task("pendulum"), variants, note=NOTE).main()
