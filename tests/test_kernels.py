"""Compiled code: one signature a kernel, no float where integers are meant, and a cache that cannot be stale."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Compiles every kernel afresh, then tells each one's signatures and which of its variables are floats.
REPORT = """
import json
from sakiyomi.boards.kernel import KERNELS
from sakiyomi.arena.warmup import warm_up_all
list(warm_up_all())
kernels = {}
for kernel in KERNELS:
    floats = sorted({
        name
        for overload in kernel.overloads.values()
        for name, kind in overload.type_annotation.typemap.items()
        if str(kind).startswith(("float", "complex"))
    })
    name = f"{kernel.py_func.__module__}.{kernel.py_func.__name__}"
    kernels[name] = {"signatures": [str(s) for s in kernel.signatures], "floats": floats}
print(json.dumps(kernels))
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """What a run in a fresh cache compiled, by kernel."""
    environment = {**os.environ, "SAKIYOMI_CACHE": str(tmp_path_factory.mktemp("cache"))}
    done = subprocess.run([sys.executable, "-c", REPORT], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_warm_up_compiles_every_entry_kernel_for_one_signature(compiled):
    found = {name: kernel["signatures"] for name, kernel in compiled.items()}
    assert {name: signatures for name, signatures in found.items() if len(signatures) > 1} == {}
    entries = {name for name in found if name.endswith("_rows")}
    assert entries
    assert {name for name in entries if not found[name]} == set()


def test_integer_kernels_hold_no_float(compiled):
    """A uint64 that meets an int becomes a float64 in Numba, and silently loses its low bits."""
    floats = {name: kernel["floats"] for name, kernel in compiled.items() if kernel["floats"]}
    # mean results, priors, probabilities; the weights of linear policies
    meant = ("sakiyomi.agents.parts.search.", "sakiyomi.agents.parts.uct.tree.")
    meant += tuple(
        f"sakiyomi.agents.alphago.{name}."
        for name in ("apv_tree", "candidates", "following", "reading", "rollout_kernels")
    )
    assert {name for name in floats if not name.startswith(meant)} == set()


def test_no_kernel_was_compiled_twice_by_the_tests_before():
    """The facade fixes dtype, contiguity and writability, so whatever users pass, one machine code serves."""
    from sakiyomi.boards.kernel import KERNELS

    many = {
        f"{k.py_func.__module__}.{k.py_func.__name__}": [str(s) for s in k.signatures]
        for k in KERNELS
        if len(k.signatures) > 1
    }
    assert many == {}


# Plays a seeded random game of each kind and tells where it ended, with a rollout from the middle.
PLAY = """
import numpy as np
from sakiyomi.boards import Chess, ConnectFour, Go, Othello, Position, Shogi, TicTacToe
from sakiyomi.boards.random import pick, seeds
for game in (TicTacToe(), ConnectFour(), Othello(size=6), Go(size=4), Go(size=(3, 4), rules="japanese"),
             Chess(), Chess(chess960=True), Shogi()):
    position, rng = Position(game), seeds(np.random.default_rng(7), 1)
    for ply in range(30):
        if position.outcome():
            break
        position.play(int(pick(game.legal(position.state), rng)[0]))
    print(position.text(), position.outcome(), game.rollout(position.state, rng), game.observe(position.state).sum())
"""


def test_interpreter_and_compiler_agree():
    """Without the JIT, NumPy refuses mixed signs and checks every index: what it says holds for the machine code."""
    played = [
        subprocess.run(
            [sys.executable, "-c", PLAY],
            env={**os.environ, "NUMBA_DISABLE_JIT": off},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for off in "01"
    ]
    assert played[0] == played[1]
    assert played[0].count("\n") == 8


@pytest.mark.parametrize("names", ["low", "(\n    low,\n)"])
def test_editing_another_file_recompiles_its_callers(tmp_path, names):
    """A caller's file is as it was, the file that it imports from was edited: the old code must not be served."""
    package = tmp_path / "sakiyomi" / "boards"
    package.mkdir(parents=True)
    (tmp_path / "sakiyomi" / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "kernel.py").write_bytes((ROOT / "boards" / "kernel.py").read_bytes())
    (package / "top.py").write_text(
        "from sakiyomi.boards.kernel import kernel\n"
        f"from sakiyomi.boards.low import {names}\n\n@kernel\ndef top(x):\n    return low(x)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "SAKIYOMI_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-c", "from sakiyomi.boards.top import top; print(top(1))"]
    for answer in (10, 20):
        (package / "low.py").write_text(
            f"from sakiyomi.boards.kernel import kernel\n\n@kernel\ndef low(x):\n    return x * {answer}\n"
        )
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == str(answer)
