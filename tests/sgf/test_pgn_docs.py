"""docs/pgn.md lists the same faults as the code, and its example runs."""

import re
from pathlib import Path

from sakiyomi.sgf import Fault, Record, save
from sakiyomi.sgf.faults import PGN_FAULTS
from sakiyomi.sgf.pgn_tags import TAG_NAMES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "pgn.md").read_text()


def test_the_page_lists_every_fault_as_the_code_does():
    rows = dict(re.findall(r"^\| `([A-Z_0-9]+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert rows == {fault.name: fault.value for fault in {*PGN_FAULTS, Fault.BROKEN_BYTES}}


def test_the_page_names_every_tag():
    assert [name for name in TAG_NAMES.values() if f"`{name}`" not in PAGE] == []


def test_the_example_runs(tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    moves = ("e2e4", "e7e5", "d1h5", "b8c6", "f1c4", "g8f6", "h5f7")
    tags = {"event": "A cup", "ECO": "C20"}
    game = Record("chess", moves, None, "1-0", "checkmate", ("White", "Black"), tags, {1: "[%clk 0:05:00]"})
    save(game, "game.pgn")
    save(game, "archive.pgn.xz")
    names = {}
    exec(compile(code, "docs/pgn.md", "exec"), names)
    assert names["actions"].shape == (7,)
    assert names["games"].failures == []
    assert names["record"].ending == "checkmate"
    assert names["game"].headers["White"] == "White"
    assert names["load"]("copy.pgn.gz") == [game]
