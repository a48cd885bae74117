"""Game records: SGF, PGN, CSA, KIF, KI2, USI <-> `Record`, files and archives of them, what can be learnt from them.

Read `record.py` first; for SGF then `grammar.py` (bytes <-> tree), `go.py` (tree <-> record) and `replay.py` (record ->
positions); for PGN `pgn_columns.py` (bytes -> columns), `pgn.py` (columns -> records) and `pgn_writing.py`; for shogi
`csa.py`, `kif.py` and `usi.py` (bytes -> drafts), `shogi_games.py` (drafts -> records) and `shogi_writing.py`.

Public names are imported when first used: who asks for a `Record` need not load every reader.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sakiyomi.sgf.annotations import clocks, evals, times
    from sakiyomi.sgf.collection import Collection, load
    from sakiyomi.sgf.csa import read_csa
    from sakiyomi.sgf.faults import BadRecord, Fault, Found
    from sakiyomi.sgf.go import main_line_of, record_of
    from sakiyomi.sgf.grammar import GameTree, Node, parse, serialise
    from sakiyomi.sgf.kif import read_kif
    from sakiyomi.sgf.pgn import read_pgn
    from sakiyomi.sgf.pgn_columns import PgnColumns, read_columns, uci_texts
    from sakiyomi.sgf.pgn_tree import PgnTree
    from sakiyomi.sgf.pgn_writing import to_pgn
    from sakiyomi.sgf.record import Record
    from sakiyomi.sgf.replay import first_illegal, positions
    from sakiyomi.sgf.shogi_tree import ShogiTree, move_times
    from sakiyomi.sgf.shogi_writing import to_csa, to_ki2, to_kif, to_usi
    from sakiyomi.sgf.training import to_training
    from sakiyomi.sgf.tree import Tree
    from sakiyomi.sgf.usi import read_usi
    from sakiyomi.sgf.writing import save, to_sgf

_HOMES = {
    "BadRecord": "sakiyomi.sgf.faults",
    "Collection": "sakiyomi.sgf.collection",
    "Fault": "sakiyomi.sgf.faults",
    "Found": "sakiyomi.sgf.faults",
    "GameTree": "sakiyomi.sgf.grammar",
    "Node": "sakiyomi.sgf.grammar",
    "PgnColumns": "sakiyomi.sgf.pgn_columns",
    "PgnTree": "sakiyomi.sgf.pgn_tree",
    "Record": "sakiyomi.sgf.record",
    "ShogiTree": "sakiyomi.sgf.shogi_tree",
    "Tree": "sakiyomi.sgf.tree",
    "clocks": "sakiyomi.sgf.annotations",
    "evals": "sakiyomi.sgf.annotations",
    "first_illegal": "sakiyomi.sgf.replay",
    "load": "sakiyomi.sgf.collection",
    "main_line_of": "sakiyomi.sgf.go",
    "move_times": "sakiyomi.sgf.shogi_tree",
    "parse": "sakiyomi.sgf.grammar",
    "positions": "sakiyomi.sgf.replay",
    "read_columns": "sakiyomi.sgf.pgn_columns",
    "read_csa": "sakiyomi.sgf.csa",
    "read_kif": "sakiyomi.sgf.kif",
    "read_pgn": "sakiyomi.sgf.pgn",
    "read_usi": "sakiyomi.sgf.usi",
    "record_of": "sakiyomi.sgf.go",
    "save": "sakiyomi.sgf.writing",
    "serialise": "sakiyomi.sgf.grammar",
    "times": "sakiyomi.sgf.annotations",
    "to_csa": "sakiyomi.sgf.shogi_writing",
    "to_ki2": "sakiyomi.sgf.shogi_writing",
    "to_kif": "sakiyomi.sgf.shogi_writing",
    "to_pgn": "sakiyomi.sgf.pgn_writing",
    "to_sgf": "sakiyomi.sgf.writing",
    "to_training": "sakiyomi.sgf.training",
    "to_usi": "sakiyomi.sgf.shogi_writing",
    "uci_texts": "sakiyomi.sgf.pgn_columns",
}

__all__ = [
    "BadRecord",
    "Collection",
    "Fault",
    "Found",
    "GameTree",
    "Node",
    "PgnColumns",
    "PgnTree",
    "Record",
    "ShogiTree",
    "Tree",
    "clocks",
    "evals",
    "first_illegal",
    "load",
    "main_line_of",
    "move_times",
    "parse",
    "positions",
    "read_columns",
    "read_csa",
    "read_kif",
    "read_pgn",
    "read_usi",
    "record_of",
    "save",
    "serialise",
    "times",
    "to_csa",
    "to_ki2",
    "to_kif",
    "to_pgn",
    "to_sgf",
    "to_training",
    "to_usi",
    "uci_texts",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
