"""What agents with world models foresee, written by `evaluate`: films of pictures, fans of vectors, and refusals."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("gymnasium")
torch = pytest.importorskip("torch")

from sakiyomi.agents import dreamer, dreamerv2, planet, world_models  # noqa: E402
from sakiyomi.agents.parts.episodes.controls import Controls  # noqa: E402
from sakiyomi.agents.parts.episodes.videos import CHARTED, GAP  # noqa: E402
from sakiyomi.arena.cli import main  # noqa: E402
from sakiyomi.arena.tasks.foresight import CONTEXT, FILMED  # noqa: E402
from sakiyomi.envs import make_task  # noqa: E402

TASK = "point-mass@pixels"
AHEAD = 3


def a_planet(task):
    small = {"depth": 2, "deter": 4, "hidden": 4, "horizon": AHEAD, "population": 4, "elites": 2, "iterations": 1}
    config = replace(planet.PlaNet.presets["pixels_quick"], **small)
    controls = Controls.of(task)
    return planet.PlaNet(task.name, planet.Model(config, task.observation_space.shape, controls, 0), controls)


def a_dreamer(module, name, task):
    agent = getattr(module, name)
    small = {"depth": 2, "deter": 4, "hidden": 4, "horizon": AHEAD}
    nets = module.Networks(
        replace(agent.presets["pixels_quick"], **small), task.observation_space.shape, Controls.of(task), 0
    )
    return agent(task.name, nets, Controls.of(task))


def a_world_model(task):
    config, controls = replace(world_models.QUICK, latent=4, depth=2, hidden=4, foresight=AHEAD), Controls.of(task)
    brain = config.brain(controls, 64, seed=0)
    return world_models.WorldModels(task.name, config, controls, brain, torch.zeros(brain.controller.parameters))


AGENTS = {
    "planet": a_planet,
    "dreamer": lambda task: a_dreamer(dreamer, "Dreamer", task),
    "dreamerv2": lambda task: a_dreamer(dreamerv2, "DreamerV2", task),
    "worldmodels": a_world_model,
}


def evaluate(task, spec, path):
    with pytest.raises(SystemExit) as left:
        main(["evaluate", task, spec, "--episodes", "1", "--foresight", str(path)])
    return left.value.code


@pytest.mark.parametrize("name", AGENTS)
def test_frames_context_prediction_and_error(name, tmp_path, capsys):
    AGENTS[name](make_task(TASK)).save(tmp_path / "agent")
    assert evaluate(TASK, f"{name}:{tmp_path / 'agent'}", tmp_path / "seen.npz") == 0
    arrays = np.load(tmp_path / "seen.npz")
    assert {key.split("/")[0] for key in arrays} == {str(number) for number in range(FILMED)}
    assert arrays["0/context"].shape == (CONTEXT + 1, 64, 64, 3)
    assert arrays["0/truth"].shape == arrays["0/predicted"].shape == arrays["0/error"].shape == (AHEAD, 64, 64, 3)
    difference = np.abs(arrays["1/truth"].astype(int) - arrays["1/predicted"])
    assert (arrays["1/error"] == difference).all()
    assert arrays["0/rewards"].shape == (CONTEXT + 1 + AHEAD,)
    assert arrays["0/predicted reward"].shape == (AHEAD,)
    assert ("0/predicted value" in arrays) == name.startswith("dreamer")
    assert str(tmp_path / "seen.npz") in capsys.readouterr().err


def test_a_film_and_a_strip(tmp_path):
    image = pytest.importorskip("PIL.Image")
    AGENTS["dreamer"](make_task(TASK)).save(tmp_path / "agent")
    spec, cell = f"dreamer:{tmp_path / 'agent'}", 2 * 64 + 2 * GAP
    assert evaluate(TASK, spec, tmp_path / "film.gif") == 0
    with image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == CONTEXT + 1 + AHEAD
        assert film.size == (FILMED * cell, 3 * cell + len(CHARTED) * (64 + 2 * GAP))
    assert evaluate(TASK, spec, tmp_path / "strip.png") == 0
    with image.open(tmp_path / "strip.png") as strip:
        assert strip.size == ((1 + AHEAD) * (64 + 2 * GAP), 3 * (64 + 2 * GAP))


@pytest.mark.parametrize(
    ("task", "name", "words"),
    [
        (TASK, "seen.txt", "wanted is a .gif, .mp4, .png, or a .npz"),
        ("point-mass", "seen.gif", "wanted is a .png, or a .npz of arrays: point-mass shows no pictures"),
        (TASK, "seen.gif", "random is no agent"),
    ],
)
def test_what_cannot_be_written_is_refused_at_once(task, name, words, tmp_path, capsys):
    evaluate(task, "random", tmp_path / name)
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""
    assert not (tmp_path / name).exists()
