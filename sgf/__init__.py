"""Game records: SGF and PGN <-> `Record`, files and archives of them, and what can be learnt from them.

Read `record.py` first; for SGF then `grammar.py` (bytes <-> tree), `go.py` (tree <-> record) and `replay.py` (record ->
positions); for PGN `pgn_columns.py` (bytes -> columns), `pgn.py` (columns -> records) and `pgn_writing.py`.
"""

from sakiyomi.sgf.annotations import clocks, evals, times
from sakiyomi.sgf.collection import Collection, load
from sakiyomi.sgf.faults import BadRecord, Fault, Found
from sakiyomi.sgf.go import main_line_of, record_of
from sakiyomi.sgf.grammar import GameTree, Node, parse, serialise
from sakiyomi.sgf.pgn import read_pgn
from sakiyomi.sgf.pgn_columns import PgnColumns, read_columns, uci_texts
from sakiyomi.sgf.pgn_tree import PgnTree
from sakiyomi.sgf.pgn_writing import to_pgn
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.replay import first_illegal, positions
from sakiyomi.sgf.training import to_training
from sakiyomi.sgf.tree import Tree
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
    "Tree",
    "clocks",
    "evals",
    "first_illegal",
    "load",
    "main_line_of",
    "parse",
    "positions",
    "read_columns",
    "read_pgn",
    "record_of",
    "save",
    "serialise",
    "times",
    "to_pgn",
    "to_sgf",
    "to_training",
    "uci_texts",
]
