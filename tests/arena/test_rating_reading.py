"""Who played whom, read from files: tags of PGN as fast as they come, every other format, names and aliases."""

import gzip

import pytest

from sakiyomi.arena.rating import reading
from sakiyomi.arena.rating.reading import read_aliases, read_games, seat_pairs
from sakiyomi.sgf import Collection


def pgn(first, second, result, closing=None, moves="1. e4 e5"):
    return f'[White "{first}"]\n[Black "{second}"]\n[Result "{result}"]\n\n{moves} {closing or result}\n\n'


def read(tmp_path, text, name="games.pgn"):
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_games([path])


def test_tags_are_enough(tmp_path):
    found = read(tmp_path, pgn("a", "b", "1-0") + pgn("b", "a", "1/2-1/2") + pgn("c", "a", "0-1"))
    assert found.outcomes == [("a", "b", 1.0), ("b", "a", 0.5), ("c", "a", 0.0)]
    assert (found.games, found.undecided, found.unnamed, found.failures) == (3, 0, 0, [])


def test_games_that_cannot_be_replayed_count(tmp_path):
    assert read(tmp_path, pgn("a", "b", "1-0", moves="1. Ke5 zz9")).outcomes == [("a", "b", 1.0)]


@pytest.mark.parametrize(
    ("stated", "closing", "score"),
    [
        ("*", "1-0", 1.0),
        ("?", "0-1", 0.0),
        ("", "1/2-1/2", 0.5),
        ("1/2", "*", 0.5),
        ("0-1", "1-0", 0.0),
        ("*", "*", None),
        ("adjourned", "1-0", None),
    ],
)
def test_results(tmp_path, stated, closing, score):
    found = read(tmp_path, pgn("a", "b", stated, closing))
    assert found.outcomes == ([] if score is None else [("a", "b", score)])
    assert found.undecided == (score is None)


def test_a_game_without_result_tag(tmp_path):
    assert read(tmp_path, '[White "a"]\n[Black "b"]\n\n1. e4 1-0\n').outcomes == [("a", "b", 1.0)]


def test_names(tmp_path):
    latin = pgn("Söder", "b", "1-0").encode("latin-1")
    assert read(tmp_path, latin).outcomes == [("Söder", "b", 1.0)]
    assert read(tmp_path, pgn("Söder", "b", "1-0").encode("utf-16")).outcomes == [("Söder", "b", 1.0)]
    assert read(tmp_path, pgn(r"The \"Rock\"", "b", "1-0")).outcomes == [('The "Rock"', "b", 1.0)]
    found = read(tmp_path, pgn("?", "b", "1-0") + '[White "x"]\n\n1-0\n')
    assert (found.unnamed, found.outcomes) == (2, [])


def test_of_equal_tags_the_last_counts(tmp_path):
    text = '[White "a"]\n[White "c"]\n[Black "b"]\n[Result "1-0"]\n\n1-0\n'
    assert read(tmp_path, text).outcomes == [("c", "b", 1.0)]


def test_chunks_end_anywhere(tmp_path, monkeypatch):
    text = "".join(pgn(f"player {i}", f"player {i + 1}", ("1-0", "0-1", "1/2-1/2")[i % 3]) for i in range(60))
    whole = read(tmp_path, text).outcomes
    assert len(whole) == 60
    for size in (1, 37, 100, 1000):
        monkeypatch.setattr(reading, "CHUNK", size)
        assert read(tmp_path, text).outcomes == whole


def test_many_games_in_little_room(tmp_path):
    assert read(tmp_path, '[White "a"][Black "b"]1-0\n\n' * 2000).outcomes == [("a", "b", 1.0)] * 2000


def test_other_formats_and_archives(tmp_path):
    (tmp_path / "one.sgf").write_text("(;GM[1]PB[a]PW[b]RE[W+R];B[aa])(;GM[1]PB[a]PW[b]RE[Void])")
    (tmp_path / "two.csa").write_text("V2.2\nN+x\nN-y\nPI\n+\n+7776FU\nT1\n%TORYO\n")
    (tmp_path / "three.pgn.gz").write_bytes(gzip.compress(pgn("c", "d", "1-0").encode()))
    (tmp_path / "bad.sgf").write_text("nothing of the kind")
    found = read_games([tmp_path])
    assert sorted(found.outcomes) == [("a", "b", 0.0), ("c", "d", 1.0), ("x", "y", 1.0)]
    assert (found.games, found.undecided) == (4, 1)
    assert len(found.failures) == 1
    assert "bad.sgf" in found.failures[0]


def test_a_broken_archive_is_told_after_what_could_be_read(tmp_path):
    packed = gzip.compress((pgn("a", "b", "1-0") * 3000).encode())
    found = read(tmp_path, packed[: len(packed) // 2], "games.pgn.gz")
    assert found.failures
    assert found.outcomes
    assert set(found.outcomes) == {("a", "b", 1.0)}


def test_no_such_file(tmp_path):
    with pytest.raises(ValueError, match="no such file or folder"):
        read_games([tmp_path / "none.pgn"])


def test_progress(tmp_path):
    heard = []
    (tmp_path / "a.pgn").write_text(pgn("a", "b", "1-0") * 3)
    (tmp_path / "b.pgn").write_text(pgn("a", "b", "1-0") * 4)
    read_games([tmp_path / "a.pgn", tmp_path / "b.pgn"], lambda games, share: heard.append((games, share)))
    assert heard[-1] == (7, 1.0)
    assert (3, 0.5) in heard


def test_real_records_read_as_the_reader_of_games_does(records):
    """Where the moves are sound, players and results are those of the whole reader."""
    compared = 0
    for path in sorted((records / "chess" / "samples").glob("*.pgn")):
        collection = Collection(path)
        theirs = [(*game.players, game.score) for game in collection]
        if collection.failures:
            continue
        mine = read_games([path])
        rated = [entry for entry in theirs if entry[2] is not None and entry[0] and entry[1]]
        assert mine.outcomes == rated
        assert mine.games == len(theirs)
        compared += len(rated)
    assert compared > 20


def test_aliases(tmp_path):
    path = tmp_path / "names.tsv"
    path.write_text("# comment\nAlder\talder 1.0\tAlder 1\n\nBirch\tbirch\n")
    assert read_aliases(path) == {"alder 1.0": "Alder", "Alder 1": "Alder", "birch": "Birch"}
    path.write_text("Alder, alder\n")
    with pytest.raises(ValueError, match=r"names\.tsv, line 1: wanted: a name, a tab"):
        read_aliases(path)
    path.write_text("Alder\tx\nBirch\tx\n")
    with pytest.raises(ValueError, match="line 2: 'x' stands for two players"):
        read_aliases(path)


def test_seat_pairs():
    one, two, three, four = ("a", "b", 1.0), ("b", "a", 0.5), ("a", "b", 0.0), ("a", "c", 1.0)
    assert seat_pairs([one, four, two, three]) == [[one, two], [three], [four]]
    assert seat_pairs([one, three, two, two]) == [[one, two], [three, two]]
