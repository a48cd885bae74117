"""docs/shogi-records.md lists the same faults, tags and endings as the code, and its example runs."""

import re
from pathlib import Path

from sakiyomi.sgf import Fault, Record, save
from sakiyomi.sgf.faults import SHOGI_FAULTS
from sakiyomi.sgf.shogi_endings import _ENDINGS
from sakiyomi.sgf.shogi_text import TAGS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "shogi-records.md").read_text()


def test_the_page_lists_every_fault_as_the_code_does():
    rows = dict(re.findall(r"^\| `([A-Z_0-9]+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert rows == {fault.name: fault.value for fault in {*SHOGI_FAULTS, Fault.BROKEN_BYTES}}


def test_the_page_names_every_tag_and_ending():
    words = {*TAGS, *(ending for ending, *_ in _ENDINGS), *(csa for _, _, csa, _ in _ENDINGS if csa)}
    assert [word for word in sorted(words) if f"`{word}`" not in PAGE] == []
    assert [kif for _, _, _, kif in _ENDINGS if kif not in PAGE] == []


def test_the_example_runs(tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    game = Record("shogi", ("7g7f", "3c3d"), None, "0-1", "resignation", ("先手", "後手"), {"event": "A cup"})
    save(game, "game.csa")
    save(game, "folder/game.kif")
    save(game, "archive.tar.xz")  # told by its content
    names = {}
    exec(compile(code, "docs/shogi-records.md", "exec"), names)
    assert names["action"] == names["game"].parse_move(names["state"], "7g7f")
    assert names["actions"].shape == (4,)
    assert names["games"].failures == []
