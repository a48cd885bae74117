"""Game records: SGF <-> `Record`, files and archives of them, and what can be learnt from them.

Read `record.py` first, then `grammar.py` (bytes <-> tree), `go.py` (tree <-> record) and `replay.py` (record ->
positions).
"""

from sakiyomi.sgf.collection import Collection, load
from sakiyomi.sgf.faults import BadRecord, Fault, Found
from sakiyomi.sgf.go import main_line_of, record_of
from sakiyomi.sgf.grammar import GameTree, Node, parse, serialise
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.replay import first_illegal, positions
from sakiyomi.sgf.training import to_training
from sakiyomi.sgf.writing import save, to_sgf

__all__ = [
    "BadRecord",
    "Collection",
    "Fault",
    "Found",
    "GameTree",
    "Node",
    "Record",
    "first_illegal",
    "load",
    "main_line_of",
    "parse",
    "positions",
    "record_of",
    "save",
    "serialise",
    "to_sgf",
    "to_training",
]
