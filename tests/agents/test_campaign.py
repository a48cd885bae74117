"""Runs of learning: stopped, killed, damaged and resumed; their figures and files."""

import json
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.agent import TrainingBudget  # noqa: E402
from sakiyomi.agents.alphago_zero import AlphaGoZero  # noqa: E402
from sakiyomi.agents.alphazero import AlphaZero  # noqa: E402
from sakiyomi.agents.parts.runs import metrics  # noqa: E402
from sakiyomi.agents.parts.runs.metrics import read_progress  # noqa: E402
from sakiyomi.agents.parts.selfplay import campaign as campaigns  # noqa: E402
from sakiyomi.agents.parts.selfplay.crew import LocalCrew  # noqa: E402
from sakiyomi.agents.parts.selfplay.self_player import FORBIDDEN  # noqa: E402
from sakiyomi.boards import ConnectFour, Go, TicTacToe, rows  # noqa: E402

TINY = {
    "blocks": 1,
    "channels": 8,
    "hidden": 8,
    "simulations": 6,
    "games": 8,
    "rounds": 40,
    "batch": 16,
    "least": 20,
    "uses": 2.0,
    "window": 300,
    "evaluation_games": 2,
    "evaluation_simulations": 4,
    "opponents": ("random",),
    "save_every": 0.0,
}
ZERO = replace(AlphaZero.presets["tictactoe"], **TINY, evaluate_every=2, considered=0)
GO_ZERO = replace(
    AlphaGoZero.presets["tictactoe"],
    **TINY,
    checkpoint_steps=4,
    gate_games=4,
    gate_score=0.5,
    resign_after=10,
    play_on=0.5,
)
AGENTS = {"alphazero": (AlphaZero, ZERO), "alphagozero": (AlphaGoZero, GO_ZERO)}
STEPS = 30
TIMES = ("seconds", "spent", "per second", "share/")  # figures that no two runs have alike


def training(folder, kind="alphazero", steps=STEPS, resume=False, game=None, seed=3, runtime="torch", **settings):
    agent, config = AGENTS[kind]
    return agent.train(
        game or TicTacToe(),
        folder,
        TrainingBudget(steps=steps),
        config=replace(config, **settings),
        seed=seed,
        resume=resume,
        runtime=runtime,
    )


def contents(folder):
    """All that a run leaves, without what tells of time."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir() or name.startswith("tensorboard") or path.suffix == ".png":
            continue
        if path.suffix == ".npz":
            with np.load(path) as arrays:
                found[name] = {each: arrays[each].tobytes() for each in arrays.files}
        elif name == "run/state.json":
            found[name] = json.loads(path.read_text())
            del found[name]["counters"]["seconds"], found[name]["counters"]["processor_seconds"]
        elif name == "progress.json":
            kept = [
                {key: row[key] for key in row if not any(part in key for part in TIMES)}
                for row in read_progress(folder)
            ]
            found[name] = kept
        else:
            found[name] = path.read_bytes()
    return found


def same(one, other):
    one, other = contents(one), contents(other)
    assert one.keys() == other.keys()
    for name in one:
        assert one[name] == other[name], name


def bare(log, module, setattr=setattr):
    """Logs without plots and TensorBoard, which take longer than these runs."""
    setattr(log, "plot", lambda self: None)
    setattr(module, "_board", lambda folder, resume_at: None)


@pytest.fixture(scope="module", autouse=True)
def bare_log():
    with pytest.MonkeyPatch.context() as patched:
        bare(metrics.MetricsLog, metrics, patched.setattr)
        yield


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """A run of each agent that was never stopped."""
    folders = {}
    for kind in AGENTS:
        folders[kind] = tmp_path_factory.mktemp(kind) / "run"
        last = list(training(folders[kind], kind))[-1]
        assert last.steps >= STEPS
    return folders


# --- stopped and resumed

KILLED = """
import os, random, signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_campaign as runs
runs.bare(runs.metrics.MetricsLog, runs.metrics)
folder, kind, chance = Path(sys.argv[2]), sys.argv[3], random.Random(int(sys.argv[4]))
most, kills = int(sys.argv[5]), 0
while True:
    hears, tells = os.pipe()
    child = os.fork()  # nothing has been computed here, so that no thread is missing in the child
    if child == 0:
        for progress in runs.training(folder, kind, resume=True):
            os.write(tells, b".")
        os._exit(0)
    os.close(tells)
    if kills < most:
        os.read(hears, chance.randrange(1, 3))  # an iteration, or the end
        time.sleep(chance.uniform(0, 0.2))
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if status == 0:
        break
    assert os.WIFSIGNALED(status), status
    kills += 1
    print("killed after", runs.read_progress(folder)[-1]["steps"], flush=True)
"""


@pytest.mark.parametrize(
    ("kind", "kills"),
    [
        ("alphazero", 1),
        pytest.param("alphazero", 4, marks=pytest.mark.slow),
        pytest.param("alphagozero", 4, marks=pytest.mark.slow),
    ],
)
def test_a_run_that_is_killed_again_and_again_ends_like_one_never_stopped(kind, kills, unbroken, tmp_path):
    folder, chance = tmp_path / "run", str(random.randrange(1000))
    command = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(folder), kind, chance, str(kills)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "killed after" in done.stdout, "no kill fell into the run"
    same(folder, unbroken[kind])
    steps = [row["step"] for row in read_progress(folder)]
    assert steps == list(range(1, len(steps) + 1))


@pytest.mark.parametrize("kind", AGENTS)
def test_a_run_that_is_closed_is_saved_and_goes_on_as_it_would_have(kind, unbroken, tmp_path):
    folder = tmp_path / "run"
    told = []
    for stop in (1, 3, 2, 100):
        stages = training(folder, kind, resume=True, save_every=1e9)
        for progress in stages:
            told.append(progress)
            stop -= 1
            if stop == 0:
                stages.close()
                break
    same_settings = {"agent.json"}  # which tell of save_every
    one, other = contents(folder), contents(unbroken[kind])
    for name in one.keys() - same_settings:
        assert one[name] == other[name], name
    assert [each.steps for each in told] == [row["steps"] for row in read_progress(folder)]
    assert all(a.seconds < b.seconds for a, b in pairwise(told))
    assert told[-1].spent >= 1 > told[-2].spent


@pytest.mark.parametrize(
    ("groups", "runtime"),
    [
        (1, "torch"),
        pytest.param(3, "torch", marks=pytest.mark.slow),
        pytest.param(1, "openvino", marks=pytest.mark.slow),
    ],
)
def test_the_same_seed_gives_the_same_run(groups, runtime, tmp_path):
    pytest.importorskip(runtime)
    threads = torch.get_num_threads(), rows.setting()
    for name in ("one", "two"):
        list(training(tmp_path / name, groups=groups, runtime=runtime))
    same(tmp_path / "one", tmp_path / "two")
    assert (torch.get_num_threads(), rows.setting()) == threads


def test_another_seed_gives_another_run(unbroken, tmp_path):
    list(training(tmp_path / "run", seed=4))
    mine, theirs = contents(tmp_path / "run"), contents(unbroken["alphazero"])
    for name in ("weights.safetensors", "run/replay/actions.npy"):
        assert mine[name] != theirs[name]


@pytest.mark.parametrize("kind", AGENTS)
def test_a_run_whose_budget_is_spent_stays_as_it_is(kind, unbroken, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(unbroken[kind], folder)
    assert list(training(folder, kind, resume=True)) == []
    same(folder, unbroken[kind])
    had = read_progress(folder)[-1]["steps"]
    more = list(training(folder, kind, steps=int(had) + 1, resume=True))
    assert more[-1].steps > had


def test_an_iteration_that_fails_is_as_if_killed(unbroken, tmp_path, monkeypatch):
    folder, threads = tmp_path / "run", torch.get_num_threads()
    stages = training(folder)
    for _ in range(3):
        next(stages)
    play, count = LocalCrew.play, 0

    def failing(self, rounds):
        nonlocal count
        play(self, rounds // 2)
        count += 1
        raise OSError("no more")

    with monkeypatch.context() as patched:
        patched.setattr(LocalCrew, "play", failing)
        with pytest.raises(OSError, match="no more"):
            next(stages)
    assert count == 1
    assert torch.get_num_threads() == threads
    list(training(folder, resume=True))
    same(folder, unbroken["alphazero"])


@pytest.mark.parametrize("kind", AGENTS)
def test_the_agent_can_be_loaded_after_the_first_progress(kind, tmp_path):
    stages = training(tmp_path, kind, save_every=1e9)
    next(stages)
    agent, _ = AGENTS[kind]
    assert agent.load(tmp_path, runtime="torch").task == "tictactoe"
    stages.close()


def test_a_run_killed_between_two_savings_loses_what_came_after_the_last(unbroken, tmp_path):
    stages = training(tmp_path / "run", save_every=1e9)
    for _ in range(4):
        next(stages)
    shutil.copytree(tmp_path / "run", tmp_path / "killed")  # what a kill leaves now: saved after the first iteration
    assert [row["step"] for row in read_progress(tmp_path / "killed")] == [1, 2, 3, 4]
    stages.close()
    list(training(tmp_path / "killed", resume=True))
    same(tmp_path / "killed", unbroken["alphazero"])


# --- damaged and foreign


def bytes_of(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("lost", [(), ("agent.json",), ("run",)], ids=["whole", "run alone", "agent alone"])
@pytest.mark.parametrize("kind", AGENTS)
def test_a_new_run_takes_no_agents_place(kind, lost, unbroken, tmp_path, monkeypatch):
    folder, closed = tmp_path / "run", []
    monkeypatch.setattr(LocalCrew, "close", lambda self: closed.append(self))
    shutil.copytree(unbroken[kind], folder)
    for name in lost:
        (shutil.rmtree if name == "run" else Path.unlink)(folder / name)
    before = bytes_of(folder)
    with pytest.raises(ValueError, match="holds an agent already: resume its run, or begin in another folder"):
        next(training(folder, kind))
    assert bytes_of(folder) == before
    assert len(closed) == 1


@pytest.mark.parametrize("kind", AGENTS)
def test_an_agent_whose_run_is_gone_cannot_be_gone_on_from(kind, unbroken, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(unbroken[kind], folder)
    shutil.rmtree(folder / "run")
    before = bytes_of(folder)
    with pytest.raises(ValueError, match=r"holds an agent but no longer its run \(run/\)"):
        next(training(folder, kind, steps=100, resume=True))
    assert bytes_of(folder) == before


STRENGTHLESS = [
    ({"opponents": ("random", "grandmaster")}, "cannot have 'grandmaster': opponent 'grandmaster' is not known"),
    ({"opponents": ("uct:many",)}, "cannot have 'uct:many'"),
    ({"opponents": ("perfect",), "game": Go(size=5)}, "cannot have 'perfect': .*go-5x5"),
]


@pytest.mark.parametrize(("settings", "why"), STRENGTHLESS)
@pytest.mark.parametrize("kind", AGENTS)
def test_opponents_are_checked_before_anything_is_learned(kind, settings, why, tmp_path):
    with pytest.raises(ValueError, match=why):
        next(training(tmp_path / "run", kind, **settings))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("kind", "name"), [("alphazero", "opening_plies"), ("alphagozero", "gate_plies")])
def test_openings_that_end_every_game_are_told_at_once(kind, name, tmp_path):
    with pytest.raises(ValueError, match="no opening of 9 plies in tictactoe"):
        next(training(tmp_path / "run", kind, **{name: 9}))
    assert not (tmp_path / "run").exists()


FILES = [
    "state.json",
    "learner/net.safetensors",
    "learner/average.safetensors",
    "learner/optimizer.json",
    "learner/optimizer.safetensors",
    "replay/replay.json",
    "replay/actions.npy",
    "replay/target_used.npy",
    "crew/group-1/games.npz",
    "crew/group-0/random.json",
]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("how", ["missing", "empty", "cut", "other"])
def test_a_damaged_run_is_told_and_left_as_it_is(file, how, unbroken, tmp_path):
    folder, threads = tmp_path / "run", torch.get_num_threads()
    shutil.copytree(unbroken["alphazero"], folder)
    damaged = folder / "run" / file
    content = damaged.read_bytes()
    if how == "missing":
        damaged.unlink()
    else:
        damaged.write_bytes({"empty": b"", "cut": content[: len(content) * 2 // 3], "other": b"{}\n"}[how])
    before = bytes_of(folder)
    with pytest.raises(ValueError, match="damaged or of a run with other settings") as caught:
        list(training(folder, steps=100, resume=True))
    assert str(folder / "run") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert bytes_of(folder) == before
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"channels": 12}, "size mismatch"),
        ({"games": 12}, "holds 4 games of tictactoe, 6 of tictactoe are wanted"),
        ({"game": ConnectFour()}, "size mismatch"),
    ],
)
def test_a_run_with_other_settings_is_not_gone_on_from(settings, why, unbroken, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(unbroken["alphazero"], folder)
    before = bytes_of(folder)
    with pytest.raises(ValueError, match=rf"other settings: .*({why})"):
        list(training(folder, steps=100, resume=True, **settings))
    assert bytes_of(folder) == before


# --- figures


@pytest.mark.parametrize("kind", AGENTS)
def test_figures_are_complete_and_add_up(kind, unbroken):
    progress = read_progress(unbroken[kind])
    for row in progress:
        shares = [row[f"share/{name}"] for name in campaigns.ACTIVITIES]
        assert sum(shares) == pytest.approx(1)
        assert all(0 <= share <= 1 for share in shares)
        assert 0 < row["self-play/batch fill"] <= 1
        assert row["self-play/simulations per second"] > 0
        assert row["self-play/seconds"] > 0
        assert 1 <= row.get("self-play/plies a game", 5) <= 9  # some begin after random moves, or are given up
        assert 0 <= row.get("self-play/first player's score", 0) <= 1
        for name in row:
            assert row[name] is not None, name
            if name.endswith(" low"):
                assert row[name] <= row[name.removesuffix(" low")] <= row[name.removesuffix("low") + "high"]
    learned = [row for row in progress if "loss/policy" in row]
    assert len(learned) >= len(progress) - 2
    assert all({"loss/value", "learning/rate", "learning/samples per second"} <= row.keys() for row in learned)
    assert progress[-1]["spent"] >= 1
    assert [row["steps"] for row in progress] == sorted(row["steps"] for row in progress)
    for name in ("environment steps", "self-play/games"):
        assert all(a[name] <= b[name] for a, b in pairwise(progress))
    if kind == "alphazero":
        assert [row["step"] for row in progress if "score/random" in row] == [
            row["step"] for row in progress if row["step"] % 2 == 0
        ]
    else:
        assert {"gate/score", "gate/score low", "gate/score high", "gate/accepted", "gate/rejected"} <= {
            name for row in progress for name in row
        }
        assert any("resignation/threshold" in row for row in progress)


def test_samples_drawn_are_those_owed(unbroken):
    state = json.loads((unbroken["alphazero"] / "run" / "state.json").read_text())
    counters, memory = state["counters"], state["memory"]
    added = json.loads((unbroken["alphazero"] / "run" / "replay" / "replay.json").read_text())["targets_added"]
    assert counters["steps"] * 16 + memory["owed"] == 2.0 * added
    assert counters["environment_steps"] == added
    # a simulation or more in each of 40 rounds of 8 games, but for those that look at new roots
    assert 0.7 < memory["simulations"] / (40 * 8 * counters["iterations"]) < 3


def test_what_a_crew_did_before_it_was_saved_is_not_counted_again(tmp_path):
    crews = [LocalCrew(TicTacToe(), ZERO.habits, games=4, groups=2, seed=0, runtime="torch") for _ in range(2)]
    net = ZERO.learner(TicTacToe(), 0).net
    for crew in crews:
        crew.use(net, None, FORBIDDEN)
    crews[0].play(30)
    crews[0].save(tmp_path)
    crews[0].tally()
    crews[1].load(tmp_path)
    assert all(figure == 0 for figure in crews[1].tally().values())
    for crew in crews:
        crew.play(30)
    first, second = (crew.tally() for crew in crews)
    for name in ("simulations", "evaluated", "asked"):
        assert first[name] == second[name] > 0


def test_crews_want_a_group_a_game_at_the_most():
    for groups in (0, 3):
        with pytest.raises(ValueError, match="from 1 group to one a game"):
            LocalCrew(TicTacToe(), ZERO.habits, games=2, groups=groups, seed=0)
