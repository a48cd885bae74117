"""Which preset a training takes for a task, and that it is told where none is made for it."""

import warnings
from dataclasses import replace

import pytest
from fake_agents import Scripted

pytest.importorskip("torch")

from sakiyomi.agents import Dreamer, DreamerV2, PlaNet
from sakiyomi.agents.agent import TrainingBudget
from sakiyomi.arena.training import Run, configured, preset_for

FAKE = "python:fake_agents:Scripted"


@pytest.mark.parametrize(
    ("agent", "task", "name"),
    [
        ("dreamer", "dmc/walker-walk@dreamer", "dmc/walker-walk@dreamer"),
        ("dreamer", "dmc/fish-swim@dreamer", "dmc/*@dreamer"),
        ("dreamer", "dmc/reacher-easy@proprio", "dmc/*@proprio"),
        ("dreamer", "ALE/Seaquest-v5@dreamer", "ALE/*@dreamer"),
        ("dreamer", "double-pendulum@pixels", "*@pixels"),
        ("dreamer", "gym/Acrobot-v1", "state_quick"),
        ("dreamerv2", "dmc/humanoid-walk@dreamer", "dmc/humanoid-walk@dreamer"),
        ("dreamerv2", "dmc/fish-swim@proprio", "dmc/*@proprio"),
        ("dreamerv2", "ALE/MontezumaRevenge-v5@dreamer", "ALE/MontezumaRevenge-v5@dreamer"),
        ("dreamerv2", "ALE/Seaquest-v5@dreamer", "ALE/*@dreamer"),
        ("dreamerv2", "gym/CartPole-v1", "gym/CartPole-v1"),
        ("planet", "dmc/cartpole-balance@planet", "dmc/*@planet"),
        ("worldmodels", "pendulum@pixels", "*@pixels"),
    ],
)
def test_a_task_has_its_own_preset_or_that_of_its_kind(agent, task, name):
    assert preset_for(agent, task) == name


def test_presets_of_kinds_are_the_papers():
    assert configured("dreamer", "dmc/fish-swim@dreamer", None, ()) == Dreamer.presets["dmc"]
    assert configured("dreamerv2", "dmc/fish-swim@dreamer", None, ()) == DreamerV2.presets["dmc_vision"]
    assert configured("planet", "dmc/cartpole-balance@planet", None, ()) == PlaNet.presets["dmc"]
    for agent in (Dreamer, DreamerV2):  # these tasks squash rewards themselves
        played = configured(agent.__name__.lower(), "ALE/Seaquest-v5@dreamer", None, ())
        assert played == replace(agent.presets["atari"], squash=False)


def test_a_run_knows_the_preset_that_its_settings_come_from():
    def run(task, preset, *settings):
        return Run("dreamerv2", task, configured("dreamerv2", task, preset, settings))

    assert run("dmc/fish-swim@dreamer", None, "batch=8").preset == "dmc/*@dreamer"
    assert run("gym/Acrobot-v1", None).preset == "discrete_quick"
    assert run("gym/Acrobot-v1", "atari", "batch=8").preset == "atari"
    assert run("point-mass", None).preset == "point-mass"


@pytest.mark.parametrize(
    ("task", "preset", "warned"), [("tictactoe", None, False), ("othello", None, True), ("othello", "slow", False)]
)
def test_it_is_told_where_no_preset_is_for_the_task(tmp_path, task, preset, warned):
    run = Run(FAKE, task, configured(FAKE, task, preset, ()))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        trained = run.start(tmp_path / "run", TrainingBudget(steps=1))
        assert not told  # but when it begins
        next(trained)
        trained.close()
    words = [str(each.message) for each in told]
    assert (
        words
        == [f"{FAKE} has no preset for othello and takes 'usual'; --preset names another, --presets lists them"]
        * warned
    )
    assert Scripted.load(tmp_path / "run").steps == 1
