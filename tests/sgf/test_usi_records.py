"""USI lines: what is read, and what is said of a faulty one."""

import pytest

from sakiyomi.sgf import BadRecord, Collection, read_usi

HANDICAP = "lnsgkgsnl/9/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL w - 1"


@pytest.mark.parametrize(
    ("line", "setup", "moves"),
    [
        ("position startpos moves 7g7f 3c3d 8h2b+", None, ("7g7f", "3c3d", "8h2b+")),
        ("startpos moves 7g7f", None, ("7g7f",)),
        ("position startpos", None, ()),
        ("7g7f 3c3d", None, ("7g7f", "3c3d")),
        (f"position sfen {HANDICAP} moves 5a6b", HANDICAP, ("5a6b",)),
        (f"sfen {HANDICAP}", HANDICAP, ()),
        (f"{HANDICAP} moves 5a6b 7g7f", HANDICAP, ("5a6b", "7g7f")),
        (f"\ufeffposition sfen {HANDICAP.removesuffix(' 1')} moves 5a6b", HANDICAP, ("5a6b",)),
    ],
)
def test_lines(line, setup, moves):
    (record,) = read_usi(f"{line}\n".encode())
    assert (record.setup, record.moves, record.result) == (setup, moves, "*")


def test_the_last_word_may_end_the_game():
    records = read_usi(b"startpos moves 7g7f resign\n\n# a comment\nstartpos moves 7g7f 3c3d win\r\n")
    told = [(record.moves, record.result, record.ending, record.tree.line) for record in records]
    assert told == [
        (("7g7f",), "1-0", "resignation", 1),
        (("7g7f", "3c3d"), "1-0", "declaration", 4),
    ]


@pytest.mark.parametrize(
    ("line", "byte", "why"),
    [
        ("startpos moves 7g7f 7g7f", 29, "move 2: '7g7f' in lnsg.*: White has no piece on 7g"),
        ("startpos moves 7g7f nonsense", 29, "move 2: 'nonsense' is no move: USI such as 7g7f"),
        ("sfen 9/9 b - 1 moves 7g7f", 9, "the first position: .* nine ranks"),
        ("sfen", 9, "the first position"),
        ("startpos moves P*5e", 24, "move 1: .* Black has no pawn in hand"),
    ],
)
def test_faults(line, byte, why):
    good, bad = read_usi(f"startpos\n{line}\n".encode(), "games.usi")
    assert good.moves == ()
    assert isinstance(bad, BadRecord)
    with pytest.raises(BadRecord, match=f"games.usi: game 2, byte {byte}, line 2: .*{why}"):
        raise bad


def test_long_files_are_streamed(tmp_path):
    path = tmp_path / "many.usi"
    moves = " ".join(["5i5h 5a5b 5h5i 5b5a"] * 100)
    path.write_text(f"position startpos moves {moves}\n" * 700)
    assert path.stat().st_size > 1 << 20
    games = Collection(path)
    assert [(record.tree.number, len(record.moves)) for record in games] == [(n, 400) for n in range(1, 701)]
    assert games.failures == []
