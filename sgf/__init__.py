"""Game records: SGF, PGN, CSA, KIF, KI2, USI <-> `Record`, files and archives of them, what can be learnt from them.

Read `record.py` first; for SGF then `grammar.py` (bytes <-> tree), `go.py` (tree <-> record) and `replay.py` (record ->
positions); for PGN `pgn_columns.py` (bytes -> columns), `pgn.py` (columns -> records) and `pgn_writing.py`; for shogi
`csa.py`, `kif.py` and `usi.py` (bytes -> drafts), `shogi_games.py` (drafts -> records) and `shogi_writing.py`.
"""

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
