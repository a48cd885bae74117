"""C7: MuZero balances CartPole-v1 after learning its dynamics; 475 over 100 episodes is what the task calls solved."""

from task_course import TaskCourse

from sakiyomi.agents.muzero import MuZero
from sakiyomi.envs import make_task

if __name__ == "__main__":
    TaskCourse(
        "c7-cartpole",
        "C7: MuZero, CartPole-v1",
        MuZero,
        make_task("gym/CartPole-v1"),
        MuZero.presets["cartpole"],
        bar=475,
        steps=100_000,
        note="It is measured by a Gumbel search without noise, which looks at both actions at the root however sure the"
        " policy is; it learns by PUCT.",
    ).main()
