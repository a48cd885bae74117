"""The shape of the house: which folder imports which, and that an installed copy is the tree."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ARROWS = {
    "boards": set(),
    "sgf": {"boards"},
    "envs": {"boards"},
    "agents": {"boards", "envs", "sgf"},
    "arena": {"boards", "envs", "sgf", "agents"},
}
HOUSE = [path for folder in ARROWS for path in sorted((ROOT / folder).rglob("*.py"))]


def imported(path):
    """Modules that a file imports, with the line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            yield node.module, node.lineno


@pytest.mark.parametrize("path", HOUSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    here = path.relative_to(ROOT).parts[0]
    for module, line in imported(path):
        first, *rest = module.split(".")
        assert first not in ARROWS, f"{path}:{line}: import sakiyomi.{module}, a bare one makes a second copy"
        if first == "sakiyomi":
            assert rest, f"{path}:{line}: sakiyomi is a namespace; import from one of its packages"
            assert rest[0] == here or rest[0] in ARROWS[here], f"{path}:{line}: {here} must not import {rest[0]}"


def test_agent_files_import_no_other_agent_file():
    everybody = {"__init__", "agent", "opponents"}  # what an agent is, and whom learners measure themselves by
    agents = {path.stem for path in (ROOT / "agents").glob("*.py")} - everybody
    for path in (ROOT / "agents").glob("*.py"):
        if path.stem in everybody:
            continue
        for module, line in imported(path):
            parts = module.split(".")
            if parts[:2] == ["sakiyomi", "agents"] and len(parts) > 2:
                assert parts[2] not in agents - {path.stem}, f"{path}:{line}: what agents share goes to agents/parts"


def test_wheel_holds_the_tree_and_nothing_else(tmp_path):
    """Every package must be listed in pyproject.toml; a forgotten one works from the checkout and fails installed."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", tmp_path]
    copy = tmp_path / "copy"
    copy.mkdir()
    # Built from a copy, as setuptools leaves a build folder behind.
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    for name in files.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            target = copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    done = subprocess.run([*command, copy], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    packed = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    tree = {
        f"sakiyomi/{path.relative_to(copy)}"
        for folder in ARROWS
        for path in (copy / folder).rglob("*")
        if path.is_file()
    }
    assert packed == tree
