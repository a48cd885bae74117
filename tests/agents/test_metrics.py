"""The log of a training run: whole after any kill, nothing doubled after a resume, readable by others."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from sakiyomi.agents.parts.runs import metrics
from sakiyomi.agents.parts.runs.metrics import MetricsLog, read_progress


@pytest.fixture(autouse=True)
def _no_board(monkeypatch, request):
    """TensorBoard takes seconds to import; one test asks for it."""
    if "board" not in request.fixturenames:
        monkeypatch.setattr(metrics, "_board", lambda folder, resume_at: None)


@pytest.fixture
def board():
    """What reads TensorBoard's files."""
    pytest.importorskip("torch")
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator


def test_progress_is_one_valid_document_after_every_line(tmp_path):
    log = MetricsLog(tmp_path)
    assert json.loads((tmp_path / "progress.json").read_text()) == []
    wanted = []
    for step in range(1, 8):
        log.log(step, step / 10, {"loss/policy": 1 / step, "odd": float("nan")})
        wanted.append({"step": step, "spent": step / 10, "loss/policy": 1 / step, "odd": None})
        assert json.loads((tmp_path / "progress.json").read_text()) == wanted == read_progress(tmp_path)
    assert (tmp_path / "progress.json").read_text().count("\n") == 9


def test_figures_of_numpy_are_numbers(tmp_path):
    MetricsLog(tmp_path).log(1, 0.5, {"loss/value": np.float32(0.25), "games": np.int64(3)})
    assert read_progress(tmp_path) == [{"step": 1, "spent": 0.5, "loss/value": 0.25, "games": 3}]


@pytest.mark.parametrize("resume_at", [0, 3, 5, 9])
def test_what_was_logged_beyond_the_resumed_step_is_cut(tmp_path, resume_at):
    log = MetricsLog(tmp_path)
    for step in range(1, 6):
        log.log(step, 0, {"sitting": 1})
    log = MetricsLog(tmp_path, resume_at)
    kept = min(resume_at, 5)
    assert [row["step"] for row in read_progress(tmp_path)] == list(range(1, kept + 1))
    for step in range(resume_at + 1, resume_at + 3):
        log.log(step, 0, {"sitting": 2})
    rows = json.loads((tmp_path / "progress.json").read_text())
    assert [row["step"] for row in rows] == [*range(1, kept + 1), resume_at + 1, resume_at + 2]
    assert [row["sitting"] for row in rows] == [1] * kept + [2] * 2


def test_steps_must_grow(tmp_path):
    log = MetricsLog(tmp_path)
    log.log(4, 0, {})
    with pytest.raises(ValueError, match="step 4 is logged after step 4"):
        log.log(4, 0, {})
    assert len(read_progress(tmp_path)) == 1


def test_a_line_broken_off_anywhere_loses_that_line_alone(tmp_path):
    log = MetricsLog(tmp_path)
    for step in range(1, 4):
        log.log(step, 0, {"loss": 0.5})
    path = tmp_path / "progress.json"
    whole = path.read_bytes()
    start = whole.index(b'\n{"step": 3')
    for end in range(start, len(whole) + 1):
        path.write_bytes(whole[:end])
        rows = read_progress(tmp_path)
        assert [row["step"] for row in rows] in ([1, 2], [1, 2, 3])
        assert all(row["loss"] == 0.5 for row in rows)
    MetricsLog(tmp_path, 3)
    assert path.read_bytes() == whole


def test_what_is_no_log_is_told(tmp_path):
    path = tmp_path / "progress.json"
    path.write_text('{"a": 1}\n')
    with pytest.raises(ValueError, match=r"progress\.json is no log of training"):
        read_progress(tmp_path)
    path.write_text('[\n{"step": 1},\nnonsense\n{"step": 2}\n]\n')
    with pytest.raises(ValueError, match=r"progress\.json, line 3: no JSON"):
        read_progress(tmp_path)
    assert read_progress(tmp_path / "nowhere") == []


WRITER = """
import sys
from sakiyomi.agents.parts.runs import metrics
metrics._board = lambda folder, resume_at: None
done = int(sys.argv[2])
log = metrics.MetricsLog(sys.argv[1], done)
while True:
    done += 1
    log.log(done, 0.0, {f"figure {number}": done / 7 for number in range(40)})
    print(done, flush=True)
"""


def test_a_killed_run_that_goes_on_has_every_step_once(tmp_path):
    chance, done = random.Random(1), 0
    for _ in range(4):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, str(done)], stdout=subprocess.PIPE)
        writer.stdout.readline()
        time.sleep(chance.uniform(0, 0.02))
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        steps = [row["step"] for row in read_progress(tmp_path)]
        assert steps == list(range(1, len(steps) + 1))
        assert len(steps) > done
        done = len(steps) - 1  # the run itself was saved a step before


def rows_of_a_run():
    rows = []
    for step in range(1, 31):
        row = {"step": step, "seconds": 60.0 * step, "loss/policy": 2 / step, "loss/value": None if step < 3 else 0.5}
        row |= {"self-play/simulations per second": 2e4, "self-play/batch fill": 0.9}
        row |= {"share/select": 0.5, "share/network": 0.5}
        if step % 10 == 0:
            row |= {"score/random": 0.9, "score/random low": 0.8, "score/random high": 0.95, "gate/score": 0.6}
        rows.append(row)
    return rows


def test_the_plot_has_a_panel_for_each_group_that_has_figures(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    from sakiyomi.agents.parts.runs.metrics_plot import plot_progress

    drawn, save = [], Figure.savefig

    def watched(figure, *rest, **others):
        drawn.append(figure)
        save(figure, *rest, **others)

    monkeypatch.setattr(Figure, "savefig", watched)
    plot_progress(rows_of_a_run(), tmp_path / "progress.png")
    assert (tmp_path / "progress.png").read_bytes().startswith(b"\x89PNG")
    panels = {axes.get_title(loc="left"): axes for axes in drawn[0].axes}
    assert len(panels) == 6
    loss = {line.get_label(): line.get_xydata() for line in panels["loss"].get_lines()}
    assert np.allclose(loss["policy"], [[step, 2 / step] for step in range(1, 31)])  # minutes
    assert len(loss["value"]) == 28  # what is not there is left out
    score = panels["score against each opponent, 95 % interval"]
    assert [line.get_label() for line in score.get_lines()] == ["random"]
    (band,) = score.collections
    assert band.get_paths()[0].get_extents().y0 == pytest.approx(0.8)
    assert band.get_paths()[0].get_extents().y1 == pytest.approx(0.95)
    plot_progress(rows_of_a_run()[:1], tmp_path / "progress.png")
    plot_progress([{"step": 1, "spent": 0.0}], tmp_path / "progress.png")
    assert [len(figure.axes) for figure in drawn] == [6, 4, 0]


def test_the_last_step_draws_the_plot(tmp_path):
    pytest.importorskip("matplotlib")
    log = MetricsLog(tmp_path)
    log.log(1, 0.5, {"loss/value": 1.0})
    assert not (tmp_path / "progress.png").exists()
    log.log(2, 1.0, {"loss/value": 0.5})
    assert (tmp_path / "progress.png").exists()


def test_without_matplotlib_there_is_no_plot(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for name in [name for name in sys.modules if name.startswith("matplotlib.")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "sakiyomi.agents.parts.runs.metrics_plot", raising=False)
    log = MetricsLog(tmp_path)
    with pytest.warns(UserWarning, match=r'no plot without matplotlib: pip install "sakiyomi\[plots\]"'):
        log.log(1, 1.0, {"loss/value": 1.0})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["progress.json"]


def test_without_tensorboard_there_is_no_board(tmp_path, board, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    with pytest.warns(UserWarning, match="no scalars for TensorBoard without tensorboard"):
        log = MetricsLog(tmp_path)
    log.log(1, 0.5, {"loss/value": 1.0})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["progress.json"]


def test_tensorboard_shows_each_step_once_after_a_resume(tmp_path, board):
    log = MetricsLog(tmp_path)
    for step in range(1, 6):
        log.log(step, 0, {"loss/value": 1.0})
    log = MetricsLog(tmp_path, 3)
    for step in range(4, 8):
        log.log(step, 0, {"loss/value": 2.0})
    events = board(str(tmp_path / "tensorboard"))
    events.Reload()
    shown = [(event.step, event.value) for event in events.Scalars("loss/value")]
    assert shown == [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 2), (7, 2)]
