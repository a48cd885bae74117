"""Compile what reads, replays and writes records, so that the first file is read at once."""

from sakiyomi.sgf.csa import read_csa
from sakiyomi.sgf.go import record_of
from sakiyomi.sgf.grammar import parse
from sakiyomi.sgf.kif import read_kif
from sakiyomi.sgf.pgn import read_pgn
from sakiyomi.sgf.pgn_writing import to_pgn
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.replay import first_illegal
from sakiyomi.sgf.shogi_writing import to_csa, to_ki2


def warm_up() -> None:
    """Read, replay and write a small game of each format."""
    first_illegal([record_of(parse(b"(;SZ[9];B[ee])")[0]), Record("chess", ("e2e4",))])
    read_pgn(to_pgn(Record("chess", ("e2e4", "e7e5"), ending="resignation")))
    shogi = Record("shogi", ("7g7f", "3c3d"))
    read_csa(to_csa(shogi))  # the board is asked how it ended
    read_kif(to_ki2(shogi))
