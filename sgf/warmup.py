"""Compile what reads, replays and writes records, so that the first file is read at once."""

from sakiyomi.sgf.go import record_of
from sakiyomi.sgf.grammar import parse
from sakiyomi.sgf.pgn import read_pgn
from sakiyomi.sgf.pgn_writing import to_pgn
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.replay import first_illegal


def warm_up() -> None:
    """Read, replay and write a small game of each format."""
    first_illegal([record_of(parse(b"(;SZ[9];B[ee])")[0]), Record("chess", ("e2e4",))])
    read_pgn(to_pgn(Record("chess", ("e2e4", "e7e5"), ending="resignation")))
