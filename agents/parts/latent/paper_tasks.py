"""The tasks that Dreamer and DreamerV2 were tried in: ``dmc/walker-walk@dreamer``, ``ALE/Pong-v5@dreamer``."""

CONTROL_TASKS = (
    "acrobot-swingup",
    "cartpole-balance",
    "cartpole-balance_sparse",
    "cartpole-swingup",
    "cartpole-swingup_sparse",
    "cheetah-run",
    "ball_in_cup-catch",
    "finger-spin",
    "finger-turn_easy",
    "finger-turn_hard",
    "hopper-hop",
    "hopper-stand",
    "pendulum-swingup",
    "quadruped-run",
    "quadruped-walk",
    "reacher-easy",
    "reacher-hard",
    "walker-run",
    "walker-stand",
    "walker-walk",
)
"""The 20 of "Dream to control", ICLR 2020, figure 10."""
ATARI_GAMES = ("Boxing", "Breakout", "Freeway", "Pong")
"""Some of the 55 of "Mastering Atari with discrete world models", ICLR 2021, in which learning shows early."""
