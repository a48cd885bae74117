"""Saving: bit for bit, and whole whatever moment the writer is killed at."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from sakiyomi.agents.parts.runs.checkpoints import (
    load_optimizer,
    load_tensors,
    read_json,
    save_optimizer,
    save_tensors,
    settled,
    whole_folder,
    write_json,
)


def test_json_comes_back_and_replaces_what_was_there(tmp_path):
    path = tmp_path / "new" / "state.json"
    for value in ({"a": [1, 0.1 + 0.2, None, "ö"]}, {"b": 2**127 + 1}):
        write_json(path, value)
        assert read_json(path) == value
    assert [file.name for file in path.parent.iterdir()] == ["state.json"]


def test_json_that_cannot_be_written_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "state.json"
    write_json(path, 1)
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON compliant"):
            write_json(path, {"loss": value})
    assert read_json(path) == 1
    path.write_text('{"cut of')
    with pytest.raises(ValueError, match=r"state\.json is damaged: no JSON"):
        read_json(path)


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.PCG64DXSM])
def test_a_generator_goes_on_from_json(tmp_path, kind):
    rng, other = np.random.Generator(kind(1)), np.random.Generator(kind(2))
    rng.integers(9, size=3, dtype=np.uint32)
    write_json(tmp_path / "rng.json", rng.bit_generator.state)
    other.bit_generator.state = read_json(tmp_path / "rng.json")
    assert np.array_equal(rng.integers(9, size=99, dtype=np.uint32), other.integers(9, size=99, dtype=np.uint32))


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with whole_folder(tmp_path / "run") as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "a").write_text("1")
        assert not (tmp_path / "run").exists()
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "run") as folder:
        (folder / "a").write_text(f"{1 / 0}")
    assert [str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*")] == ["run", "run/inner", "run/inner/a"]
    with whole_folder(tmp_path / "run") as folder:
        (folder / "b").write_text("3")
    assert [str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*")] == ["run", "run/b"]


def test_a_replacement_cut_short_between_its_two_renames(tmp_path):
    with whole_folder(tmp_path / "run") as folder:
        (folder / "a").write_text("old")
    (tmp_path / "run").rename(tmp_path / ".run.old")
    assert (settled(tmp_path / "run") / "a").read_text() == "old"
    assert settled(tmp_path / "never") == tmp_path / "never"
    (tmp_path / "run").rename(tmp_path / ".run.old")
    with whole_folder(tmp_path / "run") as folder:
        (folder / "a").write_text("new")
    assert (settled(tmp_path / "run") / "a").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


WRITER = """
import sys
from pathlib import Path
from sakiyomi.agents.parts.runs.checkpoints import settled, whole_folder, write_json
folder = Path(sys.argv[1])
number = int(sys.argv[2])
print("go", flush=True)
while True:
    number += 1
    write_json(folder / "state.json", {"numbers": [number] * 500})
    with whole_folder(folder / "run") as run:
        for file in range(8):
            (run / f"{file}.txt").write_text(f"{number} " * 2000)
"""


def test_a_killed_writer_leaves_whole_files_and_folders(tmp_path):
    """Whatever was half written when it was killed, what is found is one version and no older one than before."""
    chance, last, whole, seen = random.Random(0), 0, 0, set()
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, str(last)], stdout=subprocess.PIPE)
        writer.stdout.readline()
        while not settled_run(tmp_path):
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, 0.03))
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        run = settled(tmp_path / "run")
        assert {path.name for path in run.iterdir()} == {f"{file}.txt" for file in range(8)}
        found = {word for path in run.iterdir() for word in path.read_text().split()}
        assert len(found) == 1
        assert all(len(path.read_text().split()) == 2000 for path in run.iterdir())
        numbers = set(json.loads((tmp_path / "state.json").read_text())["numbers"])
        assert len(numbers) == 1
        seen |= numbers
        assert last <= max(numbers)
        assert whole <= int(max(found)) <= max(numbers)
        last, whole = max(numbers), int(max(found))
    assert len(seen) > 1


# Forks a child for each file operation of a save, which is killed just before that operation.
OPERATIONS = """
import os, signal, sys
from pathlib import Path
from sakiyomi.agents.parts.runs.checkpoints import read_json, settled, whole_folder, write_json

folder = Path(sys.argv[1])

def save(version):
    write_json(folder / "state.json", [version] * 9)
    with whole_folder(folder / "run") as run:
        for file in range(3):
            (run / f"{file}.txt").write_text(f"{version} " * 9)

def killed(version, left):
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    def count(event, _):
        nonlocal left
        if event in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.listdir", "os.scandir"):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)
    save(version)
    os._exit(0)

save(0)
version = before = 0
dead = True
while dead:
    version += 1
    dead = killed(version, version)
    texts = {file.name: file.read_text().split() for file in settled(folder / "run").iterdir()}
    assert set(texts) == {f"{file}.txt" for file in range(3)}, texts
    assert all(text == texts["0.txt"] and len(text) == 9 for text in texts.values()), texts
    found = int(texts["0.txt"][0])
    assert found in (before, version), (version, before, found)
    state = read_json(folder / "state.json")
    assert state == [state[0]] * 9 and found <= state[0] <= version, (version, found, state)
    before = found
assert found == version, (version, found)
print(version)
"""


def test_a_save_killed_at_any_of_its_file_operations(tmp_path):
    done = subprocess.run([sys.executable, "-c", OPERATIONS, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 15
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "state.json"]


def settled_run(folder):
    return (folder / "run").exists() or (folder / ".run.old").exists()


def test_tensors_come_back_bit_for_bit(tmp_path):
    torch = pytest.importorskip("torch")
    tied = torch.randn(3, 4)
    tensors = {
        "channels last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "view": torch.randn(6, 6)[::2, 1:].requires_grad_(),
        "tied": tied,
        "tied too": tied,
        "count": torch.tensor(7),
        "half": torch.randn(5).bfloat16(),
        "odd": torch.tensor([float("nan"), -0.0, float("inf"), 1e-45]),
        "flags": torch.tensor([True, False]),
        "none": torch.zeros(0, 3),
    }
    save_tensors(tmp_path / "new" / "net.safetensors", tensors)
    loaded = load_tensors(tmp_path / "new" / "net.safetensors")
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name].nan_to_num(), tensor.detach().nan_to_num())
        assert torch.equal(torch.signbit(loaded[name]), torch.signbit(tensor))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["net.safetensors"]


def test_damaged_tensors_are_told_in_one_line(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "net.safetensors"
    save_tensors(path, {"a": torch.ones(100)})
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ValueError, match=r"net\.safetensors is damaged"):
        load_tensors(path)
    with pytest.raises(FileNotFoundError):
        load_tensors(tmp_path / "nothing")


def makers(torch):
    optim = torch.optim
    return {
        "sgd": lambda parameters: optim.SGD(parameters, 0.1, momentum=0.9, weight_decay=1e-4),
        "plain sgd": lambda parameters: optim.SGD(parameters, 0.1),
        "adam": lambda parameters: optim.Adam(parameters, 1e-3, amsgrad=True),
        "adamw": lambda parameters: optim.AdamW(parameters, 1e-3, betas=(0.8, 0.95)),
        "rmsprop": lambda parameters: optim.RMSprop(parameters, 1e-3, momentum=0.5),
    }


@pytest.mark.parametrize("kind", ["sgd", "plain sgd", "adam", "adamw", "rmsprop"])
def test_an_optimizer_goes_on_bit_for_bit(tmp_path, kind):
    """Half of the steps, saved, and the other half in new objects: the same weights as without a stop."""
    torch = pytest.importorskip("torch")

    def fresh():
        torch.manual_seed(0)
        net = torch.nn.Sequential(
            torch.nn.Conv2d(3, 16, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 5)
        )
        net = net.to(memory_format=torch.channels_last)
        groups = [{"params": net[0].parameters()}, {"params": net[3].parameters(), "weight_decay": 0.01}]
        return net, makers(torch)[kind](groups)

    def learn(net, optimizer, steps):
        for step in steps:
            chance = torch.Generator().manual_seed(step)
            net(torch.randn(8, 3, 5, 5, generator=chance)).square().mean().backward()
            for group in optimizer.param_groups:
                group["lr"] = 0.1 / (step + 3)
            optimizer.step()
            optimizer.zero_grad()

    net, optimizer = fresh()
    learn(net, optimizer, range(12))
    half, its = fresh()
    learn(half, its, range(6))
    save_tensors(tmp_path / "net.safetensors", half.state_dict())
    save_optimizer(tmp_path / "optimizer", its)
    other, resumed = fresh()
    other.load_state_dict(load_tensors(tmp_path / "net.safetensors"))
    load_optimizer(tmp_path / "optimizer", resumed)
    assert [type(group.get("betas")) for group in resumed.param_groups] == [
        type(group.get("betas")) for group in its.param_groups
    ]
    for one, two in zip(its.state.values(), resumed.state.values(), strict=True):
        assert one.keys() == two.keys()
        for name, value in one.items():
            if isinstance(value, torch.Tensor):
                assert value.stride() == two[name].stride()
                assert torch.equal(value, two[name])
    learn(other, resumed, range(6, 12))
    for one, two in zip(net.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


def test_an_optimizer_of_other_parameters_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    save_optimizer(tmp_path / "optimizer", torch.optim.SGD(torch.nn.Linear(2, 2).parameters(), 0.1))
    with pytest.raises(ValueError, match="group"):
        load_optimizer(tmp_path / "optimizer", torch.optim.SGD(torch.nn.Linear(2, 2, bias=False).parameters(), 0.1))
