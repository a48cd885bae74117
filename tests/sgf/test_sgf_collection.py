"""Folders, archives and compressed files; what cannot be read is told and the rest goes on."""

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
import zipfile

import pytest

from sakiyomi.sgf import BadRecord, Collection, Fault, grammar, load

GOOD = b"(;SZ[9]PB[%d];B[ee];W[gc])"
FILES = {f"games/{i}.sgf": GOOD % i for i in range(3)} | {
    "games/deep/four.SGF": b"(;SZ[9];B[ee])(;SZ[9];B[gc])",
    "games/bad.sgf": b"<html>not found</html>",
    "games/off.sgf": b"(;SZ[9];B[ee])\n(;SZ[9];B[pd])\n(;SZ[9];B[cc])",
    "games/game.pgn": b'[Event "x"]\n\n1. e4 *\n',
    "games/INDEX.tsv": b"file\twhat\n",
    "games/.hidden.sgf": b"(;)",
}


def in_folder(tmp_path):
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path / "games"


def tar_bytes(mode):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        for name, data in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zip_bytes():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def packed(kind, tmp_path):
    if kind == "folder":
        return in_folder(tmp_path)
    path = tmp_path / f"games.{kind}"
    path.write_bytes(zip_bytes() if kind == "zip" else tar_bytes(f"w:{kind.partition('.')[2]}"))
    return path


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz", "tar.xz", "tar.bz2"])
def test_the_same_games_come_out_of_everything(kind, tmp_path):
    collection = Collection(packed(kind, tmp_path))
    for _ in range(2):  # as often as one likes
        records = list(collection)
        assert sorted(record.moves for record in records) == sorted(
            [("E5", "G7")] * 3 + [("E5",), ("G7",), ("E5",), ("C7",), ("e2e4",)]
        )
        reasons = sorted((bad.file.rpartition("/")[2], bad.game, bad.line) for bad in collection.failures)
        assert reasons == [("bad.sgf", 0, 1), ("off.sgf", 2, 2)]
        assert (collection.games, collection.files) == (8, 7)
    assert collection.progress[0] == collection.progress[1] > 0
    (page,) = [bad for bad in collection.failures if bad.file.endswith("bad.sgf")]
    assert "looks like a web page" in page.reason
    assert "\n" not in str(page)


def test_folders_are_read_in_order_and_archives_name_their_members(tmp_path):
    folder = in_folder(tmp_path)
    names = [record.players[0] for record in Collection(folder)]
    assert names[:3] == ["0", "1", "2"]
    archive = packed("tar.xz", tmp_path)
    files = {record.tree.file for record in Collection(archive)}
    assert f"{archive}!games/deep/four.SGF" in files


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, bz2.compress])
def test_compressed_files_are_told_by_their_bytes(compress, tmp_path):
    path = tmp_path / "no-name-to-speak-of"
    path.write_bytes(compress(GOOD % 7))
    (record,) = load(path)
    assert record.players == ("7", "")


def test_archives_within_archives(tmp_path):
    path = tmp_path / "outer.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.tar.gz", tar_bytes("w:gz"))
        archive.writestr("one.sgf.xz", lzma.compress(GOOD % 9))
        archive.writestr("inner.zip", zip_bytes())
    collection = Collection(path)
    assert len(list(collection)) == 8 + 1 + 8
    assert len(collection.failures) == 4
    with tarfile.open(tmp_path / "outer.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("inner.zip")
        info.size = len(zip_bytes())
        tar.addfile(info, io.BytesIO(zip_bytes()))
    assert len(list(Collection(tmp_path / "outer.tar.gz"))) == 8


def test_archives_within_archives_end_somewhere(tmp_path):
    data = GOOD % 1
    for _ in range(6):
        data = gzip.compress(data)
    path = tmp_path / "deep.gz"
    path.write_bytes(data)
    collection = Collection(path)
    assert list(collection) == []
    assert "nested so deep" in collection.failures[0].reason


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.xz", "tar.bz2"])
def test_a_cut_archive_gives_what_it_has_and_a_failure(kind, tmp_path):
    path = packed(kind, tmp_path)
    path.write_bytes(path.read_bytes()[: -path.stat().st_size // 3])
    (tmp_path / "sound.sgf").write_bytes(GOOD % 5)
    collection = Collection(path, tmp_path / "sound.sgf")
    assert list(collection)[-1].players[0] == "5"
    assert any("broken" in bad.reason for bad in collection.failures)


def test_a_damaged_member_does_not_stop_a_zip(tmp_path):
    path = packed("zip", tmp_path)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        offset = archive.getinfo("games/0.sgf").header_offset
    data[offset + 45] ^= 0xFF
    path.write_bytes(data)
    collection = Collection(path)
    assert len(list(collection)) == 7
    assert any(bad.file.endswith("games/0.sgf") for bad in collection.failures)


def test_a_file_over_the_limit_is_refused_without_being_read(tmp_path, monkeypatch):
    monkeypatch.setattr(grammar, "MAX_BYTES", 1 << 20)
    huge = tmp_path / "huge.sgf"
    with huge.open("wb") as file:
        file.write(b"(;C[")
        file.truncate(1 << 30)  # a gigabyte that takes no disk
    bomb = tmp_path / "bomb.sgf.xz"
    bomb.write_bytes(lzma.compress(b"(;C[" + b"x" * (1 << 22)))
    with tarfile.open(tmp_path / "big.tar.gz", "w:gz") as tar:
        for name, size in (("big.sgf", 1 << 22), ("small.sgf", 0)):
            data = b"(;C[" + b"x" * size + b"])"
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    collection = Collection(tmp_path, limit=1 << 20)
    assert len(list(collection)) == 1
    assert sorted(bad.file.rpartition("/")[2] for bad in collection.failures) == [
        "big.tar.gz!big.sgf",
        "bomb.sgf.xz",
        "huge.sgf",
    ]
    assert all("1,048,576 bytes" in bad.reason for bad in collection.failures)


def test_strict_makes_faults_failures_and_legal_replays(tmp_path):
    path = tmp_path / "games.sgf"
    path.write_bytes(b"(;SZ[9];B[ee])(;SZ[9];B[EE])(;SZ[9];B[ee];W[gc];B[gc];W[aa])")
    assert len(list(Collection(path))) == 3
    strict = Collection(path, strict=True)
    assert len(list(strict)) == 2
    assert Fault.ODD_POINT.value in strict.failures[0].reason
    legal = Collection(path, legal=True)
    assert [len(record.moves) for record in legal] == [1, 1]
    assert legal.games == 2
    (bad,) = legal.failures
    assert (bad.game, bad.byte) == (3, 50)
    assert "move 3: B G7: the point is occupied" in bad.reason


def test_load_reads_what_it_can_and_warns_of_the_rest(tmp_path):
    path = tmp_path / "games.sgf"
    path.write_bytes(b"(;SZ[9];B[ee])(;SZ[9];B[pd])")
    with pytest.warns(UserWarning, match=r"left out: .*games\.sgf: game 2, byte 24, line 1: move 1"):
        (record,) = load(path)
    assert record.moves == ("E5",)
    with pytest.raises(BadRecord, match="game 2"):
        load(path, strict=True)


def test_load_raises_where_there_is_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        load(tmp_path / "missing.sgf")
    (tmp_path / "empty.sgf").touch()
    with pytest.raises(BadRecord, match="the file is empty"):
        load(tmp_path / "empty.sgf")


def test_a_failure_can_be_sent_to_another_process():
    bad = BadRecord("why", file="f", byte=3, line=2, game=1)
    twin = pickle.loads(pickle.dumps(bad))
    assert (str(twin), twin.byte, twin.line, twin.game, twin.file) == (str(bad), 3, 2, 1, "f")


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, bz2.compress])
def test_a_cut_pgn_gives_what_it_has_and_a_failure(compress, tmp_path):
    path = tmp_path / "games.pgn.packed"
    games = b"".join(b'[Event "%d"]\n\n1. %s4 *\n\n' % (n, b"abcdefgh"[n % 8 : n % 8 + 1]) for n in range(60_000))
    packed = compress(games)
    path.write_bytes(packed[: len(packed) * 4 // 5])
    (tmp_path / "sound.sgf").write_bytes(GOOD % 5)
    collection = Collection(path, tmp_path / "sound.sgf")
    found = [record.game for record in collection]
    assert found[-1] == "go-9x9"
    assert 1000 < len(found) < 60_000
    (bad,) = collection.failures
    assert "broken" in bad.reason


def test_trees_of_all_formats_say_the_same_things(tmp_path):
    (tmp_path / "a.sgf").write_bytes(b"(;SZ[9];B[EE](;W[gc])(;W[cg]))")
    (tmp_path / "b.pgn").write_bytes(b"1. e4 (1. d4) e5")
    for record in Collection(tmp_path):
        tree = record.tree
        assert (tree.number, tree.offset, tree.has_variations, tree.charset) == (1, 0, True, "US-ASCII")
        assert len(tree.faults) == 1
        assert tree.file.startswith(str(tmp_path))
        assert str(tree.bad("why", 0)) == f"{tree.file}: game 1, byte 0, line 1: why"
