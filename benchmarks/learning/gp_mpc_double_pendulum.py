"""GP-MPC swings up the double pendulum in trials of 3 s (the paper has six), beside mean propagation."""

from dataclasses import replace

from gp_mpc_runs import Comparison

from sakiyomi.agents.gp_mpc import GPMPC
from sakiyomi.envs import make_task

if __name__ == "__main__":
    config = GPMPC.presets["double-pendulum"]
    variants = {"gp-mpc": config, "zero-variance": replace(config, zero_variance=True)}
    about = "GP-MPC, double pendulum in trials of 3 s"
    Comparison("gp-mpc-double-pendulum", about, make_task("double-pendulum"), variants, trials=8).main()
