"""docs/sgf.md lists the same faults as the code, and its example runs."""

import re
from pathlib import Path

from sakiyomi.sgf import Fault, Record, save
from sakiyomi.sgf.faults import PGN_FAULTS, SHOGI_FAULTS
from sakiyomi.sgf.go import TAG_NAMES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sgf.md").read_text()


def test_the_page_lists_every_fault_as_the_code_does():
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert rows == {fault.name: fault.value for fault in Fault if fault not in PGN_FAULTS | SHOGI_FAULTS}


def test_the_page_names_every_tag():
    assert [name for name in TAG_NAMES.values() if f"`{name}`" not in PAGE] == []


def test_the_example_runs(tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    game = Record("go-19x19", ("Q16", "D4", "R3"), None, "B+3.5", tags={"komi": "6.5"})
    save(game, "game.sgf")
    save(game, "archive.tar.xz")  # told by its content: a compressed file
    names = {}
    exec(compile(code, "docs/sgf.md", "exec"), names)
    assert names["actions"].shape == (3,)
    assert names["games"].failures == []
