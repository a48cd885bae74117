"""AlphaGo's relations, each measured on a small run: what is compared with what, and what the verdict asks for."""

import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "learning"))
import alphago_measures as measures
import alphago_plot as plot
import alphago_relations as relations
import torch

from sakiyomi.agents import AlphaGo
from sakiyomi.agents.agent import TrainingBudget
from sakiyomi.agents.alphago import stages
from sakiyomi.agents.parts.runs.metrics import MetricsLog
from sakiyomi.agents.random_player import RandomPlayer
from sakiyomi.arena.training import Run

CONFIG = replace(
    AlphaGo.presets["quick"],
    filters=4,
    layers=2,
    value_filters=4,
    value_layers=4,
    value_hidden=8,
    own_games=12,
    test_share=0.2,
    policy_steps=6,
    policy_batch=16,
    rollout_epochs=3,
    reinforce_steps=3,
    reinforce_games=4,
    pool_every=2,
    positions=300,
    value_steps=40,
    value_batch=16,
    opponents=(),
)
SIZE = replace(relations.TINY, positions=400, value_games=6)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A run on 5x5 that has learnt all parts a little."""
    folder, before = tmp_path_factory.mktemp("relations") / "run", torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MetricsLog, "plot", lambda self: None)
        patch.setattr(stages, "MATCH_GAMES", 4)
        patch.setattr("sakiyomi.arena.training.teachers", lambda game: [RandomPlayer()])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of games that it makes itself, and of a size without a preset
            list(Run("alphago", "go-5x5", CONFIG, 3).start(folder, TrainingBudget()))
        yield relations.Lab(folder, SIZE)
    torch.set_num_threads(before)


def test_a_gap_must_be_large_and_beyond_chance(lab, monkeypatch):
    """5 points more than the rollout policy are too few, and so are 10.5 that may be 9."""
    n = 2000
    shares = {"net": 0.5, "tree": 0.4, "rollout": 0.3}
    monkeypatch.setattr(measures, "microseconds_a_rollout_move", lambda *_: 1.0)
    monkeypatch.setattr(measures, "microseconds_a_position", lambda *_: 150.0)

    def hits(share):
        return np.arange(n) < share * n

    monkeypatch.setattr(measures, "foretold_by_net", lambda *_: hits(shares["net"]))
    monkeypatch.setattr(
        measures,
        "foretold_by_patterns",
        lambda policy, *_: hits(shares["tree" if policy is lab.agent.parts.tree else "rollout"]),
    )
    for change, holds in (({}, True), ({"rollout": 0.45}, False), ({"tree": 0.5}, False), ({"rollout": 0.395}, False)):
        shares.update({"net": 0.5, "tree": 0.4, "rollout": 0.3} | change)
        assert relations.accuracy_and_speed(lab)["holds"] == holds, change
    shares.update(rollout=0.3)
    monkeypatch.setattr(measures, "microseconds_a_position", lambda *_: 99.0)
    assert not relations.accuracy_and_speed(lab)["holds"]


def test_a_pool_is_compared_with_none_after_as_many_games(lab, monkeypatch):
    found = relations.reinforced(lab)
    assert "reinforced against the one without a pool" in found["figures"]
    alone = relations.read_json(lab.place / "self-only" / "run" / "state.json")["counters"]
    assert alone["steps"] == lab.steps("reinforce") == CONFIG.reinforce_steps
    for against_sl, against_alone, holds in ((0.9, 0.9, True), (0.9, 0.45, False), (0.55, 0.9, False)):
        scores = iter([against_sl, 0.5, against_alone, 0.5, 0.5])

        def match(*_, scores=scores):
            return np.where(np.arange(400) < 400 * next(scores), 1, -1).astype(np.float32)

        monkeypatch.setattr(relations, "match", match)
        assert relations.reinforced(lab)["holds"] == holds


def test_both_value_networks_learn_from_as_many_positions(lab):
    found = relations.one_position_a_game(lab)
    one, every = (found["figures"][name] for name in ("one position a game", "all positions"))
    assert one["positions"] == one["games"] == 240
    assert every["positions"] == pytest.approx(240, rel=0.25)
    assert every["games"] < 20
    for figures in (one, every):
        for kind in ("train", "held out", "held out of the other kind"):
            assert 0 < figures[kind]["mean"] < 4
    assert one["held out"]["of"] == 60
    assert every["held out"]["of"] == one["held out of the other kind"]["of"] > 20
    assert every["held out of the other kind"] != one["held out"]
    taught = relations.read_json(lab.place / "value-all" / "run" / "state.json")["counters"]
    assert taught["steps"] == lab.steps("value")


def test_games_to_test_by_were_not_learnt_from(lab, monkeypatch):
    """The one net that is taught has whole games to learn from and other whole games to be tested by."""
    made, taught = [], relations.Lab.taught

    def noted(self, name, stage, rng_seed=0):
        made.append(stage)
        return taught(self, name, stage, rng_seed)

    monkeypatch.setattr(relations.Lab, "taught", noted)
    relations.one_position_a_game(lab)
    (stage,) = made
    games = [
        {tuple(r.moves[a:b]) for a, b in zip(r.offsets, r.offsets[1:], strict=False)} for r in (stage.train, stage.test)
    ]
    assert not games[0] & games[1]
    for records in (stage.train, stage.test):
        assert len(records.places) == records.lengths.sum()


def test_values_are_compared_with_the_rollout_policy_stage_by_stage(lab, monkeypatch):
    found = relations.values_and_rollouts(lab)
    *parts, whole = found["figures"].values()
    assert [name for name, _ in found["rows"]][:2] == ["plies 0 to 9", "plies 10 to 19"]
    assert sum(part["value network"]["of"] for part in parts) == whole["value network"]["of"]
    for part in (*parts, whole):
        gap = part["rollout policy"]["mean"] - part["value network"]["mean"]
        assert part["rollout policy less value network"]["mean"] == pytest.approx(gap)

    def errors_of(early, late):
        """Errors of the value network, in the first 20 plies and after."""

        def errors(net, records, places):
            plies = places - records.offsets[measures.games_of_places(records, places)]
            return np.random.default_rng(0).random(len(places)) * 0.01 + np.where(plies < 20, early, late)

        return errors

    monkeypatch.setattr(measures, "rollout_errors", lambda game, roll, seen, *_: np.full(len(seen), 0.5))
    for errors, holds in (((0.1, 0.1), True), ((0.1, 0.52), True), ((0.1, 0.9), False), ((0.9, 0.1), False)):
        monkeypatch.setattr(measures, "value_errors", errors_of(*errors))
        assert relations.values_and_rollouts(lab)["holds"] == holds, errors


def test_the_page(lab, tmp_path):
    pytest.importorskip("matplotlib")
    result = relations.views(lab) | {"size": "tiny"}
    relations.write_json(lab.place / "relation-3.json", result)
    relations.write_page(lab, tmp_path / "page")
    text = (tmp_path / "page.md").read_text()
    assert "## 3. The mean of eight views" in text
    assert "Not measured yet: 1, 2, 4, 5, 6, 7, 8, 9." in text
    assert (tmp_path / "page.png").stat().st_size > 1000
    assert AlphaGo.load(lab.folder).parts.value is not None


def test_every_relation_has_its_panel(tmp_path):
    """With the figures of all relations as they are stored, the ends of bars and lines are those figures."""
    figure = pytest.importorskip("matplotlib.figure").Figure()

    def share(value):
        return {"share": value, "low": value - 0.01, "high": value + 0.01}

    def mean(value):
        return {"mean": value, "low": value - 0.02, "high": value + 0.02}

    def elo(value):
        return {"elo": value, "low": value - 40, "high": value + 40}

    stage = {"value network": mean(0.5), "rollout policy": mean(0.6), "uniform rollouts": mean(0.7)}
    found = {
        1: {name: share(0.4) for name in ("policy network", "tree policy", "rollout policy")},
        2: {f"{n} planes, 8 views": share(0.3 + n / 300) for n in (4, 12, 48)},
        3: {"one": share(0.42), "eight": share(0.44)},
        4: dict.fromkeys(
            ("reinforced against SL", "without a pool against SL", "reinforced against the one without a pool"),
            share(0.7),
        ),
        5: {name: {"train": mean(0.6), "held out": mean(0.7)} for name in ("one position a game", "all positions")},
        6: {"plies 0 to 9": stage, "plies 10 to 19": stage, "all": stage},
        7: {
            "parts": {name: elo(k) for k, name in enumerate(relations.PARTS)},
            "mixings": {f"lambda {mixing:g}": elo(-100 * mixing) for mixing in relations.MIXINGS},
        },
        9: {"AlphaGo": elo(100), "GNU Go": elo(-100)},
    }
    drawn = {}
    for k, draw in plot.PANELS:
        axes = figure.add_subplot()
        draw(axes, found[k])
        drawn[axes.get_title()] = axes
    assert [title[0] for title in drawn] == list("123456779")
    bars = drawn["2. By planes, taught as long, eight views"].patches
    np.testing.assert_allclose([bar.get_width() for bar in bars], [46, 34, 30 + 4 / 3])
    np.testing.assert_allclose(drawn["7. Mixing"].lines[0].get_xydata(), [(m, -100 * m) for m in relations.MIXINGS])
    plot.plot_relations(found, tmp_path / "all.png")
    assert (tmp_path / "all.png").stat().st_size > 10_000
