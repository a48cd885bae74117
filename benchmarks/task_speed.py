"""Tasks of other packages: what our presets cost over the bare library, in frames per CPU second.

    python benchmarks/task_speed.py [--quick] [atari] [control] [pixels] [racing] [doom]

Ours and the bare library take turns in one run, with the same settings and the same actions; each figure is the best of
several rounds, a ratio below 0.95 loses more than 5 %. Atari is compared with ale-py's own vector environment, which
averages with OpenCV inside, in one thread; the control suite with `suite.load`, `step` and `physics.render`; Doom,
which runs in a process of its own, by wall time. What is not installed is left out.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import numpy as np
from timing import best_rates, show

Job = Callable[[], float]
CONTROL = "cheetah-run"
REPEAT = 4
NEEDED = {"atari": "ale_py", "control": "dm_control", "pixels": "dm_control", "racing": "Box2D", "doom": "vizdoom"}
"""Packages without which there is nothing to compare with."""


def atari_batches(preset_name: str, n: int, steps: int) -> dict[str, Job]:
    """`n` games at once, ours and ale-py's."""
    from sakiyomi.envs.atari import cartridge_of, preset_of
    from sakiyomi.envs.atari_batch import AtariBatch, native

    id = "ALE/Breakout-v5"
    ours = AtariBatch(f"{id}@{preset_name}", n, threads=1)
    theirs = native(cartridge_of(id), preset_of(preset_name), n, threads=1)
    return {"sakiyomi": _vector_job(ours, n, steps), "ale-py": _vector_job(theirs, n, steps)}


def _vector_job(env, n: int, steps: int) -> Job:
    rng = np.random.default_rng(0)
    actions = rng.integers(4, size=(steps, n))
    env.reset(seed=0)

    def job() -> float:
        for chosen in actions:
            env.step(chosen)
        return 4.0 * n * steps

    return job


def atari_games(preset_name: str, steps: int) -> dict[str, Job]:
    """One game: ours in Python, and ale-py's vector environment with a single row."""
    from sakiyomi.envs.atari import atari_task, cartridge_of, preset_of
    from sakiyomi.envs.atari_batch import native

    id = "ALE/Breakout-v5"
    game = atari_task(f"{id}@{preset_name}").make()
    game.reset(seed=0)
    actions = np.random.default_rng(0).integers(4, size=steps)

    def job() -> float:
        over = False
        for action in actions:  # as in the vector environment, a new beginning takes a step
            if over:
                game.reset()
                over = False
            else:
                _, _, terminated, truncated, _ = game.step(action)
                over = terminated or truncated
        return 4.0 * steps

    return {"sakiyomi": job, "ale-py": _vector_job(native(cartridge_of(id), preset_of(preset_name), 1, 1), 1, steps)}


def control(size: tuple[int, int] | None, steps: int) -> dict[str, Job]:
    """The suite with an action repeat, from its state or from pictures."""
    from sakiyomi.envs.control import ControlEnv

    env = ControlEnv(CONTROL, repeat=REPEAT, size=size)
    from dm_control import suite

    bare = suite.load(*CONTROL.split("-"), task_kwargs={"random": 0})
    actions = np.random.default_rng(0).uniform(-1, 1, (steps, 6)).astype(np.float32)

    def ours() -> float:
        env.reset(seed=0)
        for action in actions:
            env.step(action)
        return REPEAT * steps

    def theirs() -> float:
        bare.reset()
        for action in actions:
            for _ in range(REPEAT):
                bare.step(action)
            if size:
                bare.physics.render(*size, camera_id=0)
        return REPEAT * steps

    return {"sakiyomi": ours, "dm_control": theirs}


def racing(steps: int) -> dict[str, Job]:
    """CarRacing, cropped and averaged, and as Gymnasium has it."""
    from sakiyomi.envs.catalog import make_task

    env = make_task("gym/CarRacing-v3@world-models").build()
    bare = make_task("gym/CarRacing-v3").build()

    def job(env) -> float:
        env.reset(seed=0)
        for _ in range(steps):
            env.step(np.array([0.1, 0.5, 0.0]))
        return steps

    return {"sakiyomi": partial(job, env), "Gymnasium": partial(job, bare)}


def doom(steps: int) -> dict[str, Job]:
    """Take cover, and ViZDoom's environment, which only draws, at our resolution and at the paper's."""
    import gymnasium

    from sakiyomi.envs.doom import TakeCover

    env = TakeCover()
    sizes = {"320x240": "RES_320X240", "640x480": "RES_640X480"}
    bare = {
        f"ViZDoom, {size}": gymnasium.make("VizdoomTakeCover-v1", screen_resolution=way, disable_env_checker=True)
        for size, way in sizes.items()
    }

    def job(env, action) -> float:
        env.reset(seed=0)
        start = time.perf_counter()
        for _ in range(steps):
            if env.step(action)[2]:
                env.reset()
        return -steps / (time.perf_counter() - start)

    theirs = {name: partial(job, env, 0) for name, env in bare.items()}
    return {"sakiyomi": partial(job, env, np.zeros(1, np.float32)), **theirs}


def main() -> None:
    """Measure what was asked for, and print a table for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["atari", "control", "pixels", "racing", "doom"])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    options = parser.parse_args()
    rounds, length = (3, 1) if options.quick else (9, 3)
    jobs: dict[str, dict[str, Callable[[], dict[str, Job]]]] = {
        "atari": {
            **{f"Atari, 8 games, {p}": partial(atari_batches, p, 8, 40 * length) for p in ("dqn", "dreamer", "muzero")},
            **{f"Atari, 1 game, {p}": partial(atari_games, p, 200 * length) for p in ("dqn", "dreamer", "muzero")},
        },
        "control": {f"{CONTROL}, state": partial(control, None, 80 * length)},
        "pixels": {f"{CONTROL}, 64x64 pixels": partial(control, (64, 64), 10 * length)},
        "racing": {"CarRacing, 64x64": partial(racing, 40 * length)},
        "doom": {"Doom, take cover, 64x64": partial(doom, 60 * length)},
    }
    for what in options.what:
        if find_spec(NEEDED[what]) is None:
            print(f"{what}: left out, as {NEEDED[what]} is not installed")
            continue
        for title, make in jobs[what].items():
            show(title, "frames/s", best_rates(make(), rounds))


if __name__ == "__main__":
    main()
