"""GP-MPC between walls 70 cm to either side, which end a trial: heeded with confidence, on average, or not at all."""

from dataclasses import replace

from gp_mpc_runs import Comparison

from sakiyomi.agents.gp_mpc import GPMPC
from sakiyomi.envs.catalog import PLANTS
from sakiyomi.envs.plant_env import plant_task

NOTE = (
    "A trial ends where the cart meets a wall, and what it would have taught is lost. `chance`: each state foreseen"
    " keeps to the walls with a confidence of 95 %; `expected`: its mean does; `nothing`: they are not heeded. As in"
    " the paper, it is the confidence that avoids walls."
)

if __name__ == "__main__":
    config = GPMPC.presets["constrained_cartpole"]
    variants = {heeding: replace(config, heeding=heeding) for heeding in ("chance", "expected", "nothing")}
    task = plant_task("cartpole-swingup", replace(PLANTS["cartpole-swingup"], horizon=30))
    about = "GP-MPC, cart-pole swing-up between walls, trials of 3 s"
    Comparison("gp-mpc-wall", about, task, variants, trials=8, note=NOTE).main()
