"""Records as arrays: what is taken of made SGF files and what is left out, positions against replaying by hand."""

import tarfile

import numpy as np
import pytest

from sakiyomi.agents.alphago.feeding import batches, make_batch
from sakiyomi.agents.alphago.loading import load_records, rank_of
from sakiyomi.agents.alphago.records import GameRecords
from sakiyomi.boards import Go, Position
from sakiyomi.boards.random import pick, seeds

SIZE = 5
HEAD = "(;GM[1]FF[4]SZ[5]KM[2.5]"
PLAIN = HEAD + "RE[B+R]BR[3d]WR[1d];B[cc];W[bb];B[];W[dd];B[dc])"
HANDICAP = HEAD + "RE[W+3.5]HA[2]AB[bb][dd]BR[2k]WR[1d];W[cc];B[cd];W[db])"
WHITE_STONES = HEAD + "AB[aa][ab]AW[ba]PL[B];B[bb];W[cc])"  # Black's second move takes White's stone
OUT_OF_TURN = HEAD + "RE[0];B[cc];B[bb];W[aa])"
OCCUPIED = HEAD + "RE[B+];B[cc];W[bb];B[cc];W[dd])"
SET_UP_WITHIN = HEAD + "RE[W+];B[cc];W[bb];AB[ee];B[dd])"
GOES_ON = HEAD + "RE[B+1];B[cc];W[];B[];W[bb])"
BIGGER = PLAIN.replace("SZ[5]", "SZ[7]")
SUICIDE = HEAD + "RU[NZ]RE[B+];B[ba];W[cc];B[ab];W[aa];B[dd])"
DEAD_START = HEAD + "AB[aa]AW[ab][ba];B[cc])"


@pytest.fixture
def folder(tmp_path):
    texts = [PLAIN, HANDICAP, WHITE_STONES, OUT_OF_TURN, OCCUPIED, SET_UP_WITHIN, GOES_ON, BIGGER, SUICIDE, DEAD_START]
    for number, text in enumerate([*texts, "no game at all", HEAD + ";B[zz];W[aa])"]):
        (tmp_path / f"{number:02}.sgf").write_text(text)
    return tmp_path


def point(text):
    """ "bc" of SGF as an action."""
    return (ord(text[1]) - ord("a")) * SIZE + ord(text[0]) - ord("a")


def moves_of(records, game):
    return records.moves[records.offsets[game] : records.offsets[game + 1]].tolist()


def random_records(games=12, size=5, seed=0, longest=30):
    """Games of random legal moves, passes among them, results at random."""
    game, rng = Go(size, superko="simple", suicide=False), np.random.default_rng(seed)
    lengths = rng.integers(1, longest, games)
    lines = []
    for length in lengths:
        states, counters, line = game.new(1), seeds(rng, 1), []
        while len(line) < length and game.legal(states).any():
            line.append(int(pick(game.legal(states), counters)[0]))
            game.play(states, np.array([line[-1]]))
        lines.append(line)
    moves = np.concatenate(lines).astype(np.int16)
    results = rng.choice([-1, 0, 1, np.nan], games).astype(np.float32)
    return GameRecords(
        game,
        moves,
        np.cumsum([0, *map(len, lines)]),
        np.flatnonzero(moves < size * size),
        np.zeros(games, np.uint8),
        np.zeros((games, size * size), np.uint8),
        np.full(games, 7.5, np.float32),
        results,
    )


def test_what_is_taken_of_each_file(folder):
    records = load_records(folder, size=SIZE)
    assert len(records) == 8
    passing = SIZE * SIZE
    assert moves_of(records, 0) == [point("cc"), point("bb"), passing, point("dd"), point("dc")]
    assert moves_of(records, 3) == [point("cc"), passing, point("bb"), point("aa")]  # White's pass is in no file
    assert moves_of(records, 4) == [point("cc"), point("bb")]  # up to the occupied point
    assert moves_of(records, 5) == [point("cc"), point("bb")]  # up to the stones set up
    assert moves_of(records, 7) == [point("ba"), point("cc"), point("ab")]  # up to the suicide
    assert records.turns.tolist() == [0, 1, 0, 0, 0, 0, 0, 0]
    assert np.flatnonzero(records.boards[1]).tolist() == [point("bb"), point("dd")]
    assert records.boards[2][[point("aa"), point("ab"), point("ba")]].tolist() == [1, 1, 2]
    expected = [1, -1, np.nan, 0, 1, -1, 1, 1]
    np.testing.assert_array_equal(records.results, np.array(expected, np.float32))
    assert records.komi.tolist() == [2.5] * 8
    assert records.moves[records.places].max() < passing
    assert len(records.places) == (records.moves < passing).sum()
    assert records.notes == {
        "another game or board": 1,
        "unreadable": 2,
        "a first position that cannot be": 1,
        "cut short where it could not go on": 3,
    }


def test_filters(folder):
    def count(**wanted):
        return len(load_records(folder, size=SIZE, **wanted))

    assert count(handicap=True) == 2  # the handicap game, and the one that sets up two black stones
    assert count(handicap=False) == 6
    assert count(decided=True) == 7
    assert count(least_moves=4) == 1  # passes do not count
    assert count(least_rank="5k") == 2
    assert count(least_rank="1d") == 1
    assert len(load_records(folder, size=7)) == 1
    with pytest.raises(ValueError, match="no game on 9x9 to learn from"):
        load_records(folder, size=9)
    with pytest.raises(ValueError, match="least_rank"):
        load_records(folder, size=SIZE, least_rank="good")
    with pytest.raises(FileNotFoundError):
        load_records(folder / "missing")


def test_lists_of_files_and_archives_hold_the_same(folder):
    whole = load_records(folder, size=SIZE)
    packed = folder.parent / "packed.tar.xz"
    with tarfile.open(packed, "w:xz") as tar:
        for file in sorted(folder.iterdir()):
            tar.add(file, file.name)
    told = []
    for other in (
        load_records(packed, size=SIZE, tell=lambda *now: told.append(now)),
        load_records(*sorted(folder.iterdir()), size=SIZE),
    ):
        np.testing.assert_array_equal(other.moves, whole.moves)
        np.testing.assert_array_equal(other.offsets, whole.offsets)
    assert told


@pytest.mark.parametrize(
    ("text", "rank"),
    [("1d", 1), ("9段", 9), ("1k", 0), ("17k", -16), ("P9段", 18), ("3p", 12), ("?", None), ("-7k", 8)],
)
def test_ranks(text, rank):
    assert rank_of(text) == rank


def test_an_absurdly_long_game_is_cut(folder):
    (folder / "long.sgf").write_text(HEAD + "".join(";B[];W[]" for _ in range(20_000)) + ";B[cc])")
    (folder / "passes.sgf").write_text(HEAD + ";B[cc]" + "".join(";W[];B[]" for _ in range(20_000)) + ")")
    records = load_records(folder, size=SIZE)
    assert len(records) == 9
    assert records.lengths.max() == records.game.max_plies == 512
    assert records.notes["cut short where it could not go on"] == 4
    assert records.notes["too few moves"] == 1


def test_positions_are_those_of_replaying(folder):
    records = load_records(folder, size=SIZE)
    found = records.at(records.places)
    for row, place in enumerate(records.places.tolist()):
        game = int(np.searchsorted(records.offsets, place, "right")) - 1
        states, _ = records.game.set_up(records.boards[game : game + 1], records.turns[game : game + 1])
        for move in moves_of(records, game)[: place - records.offsets[game]]:
            records.game.play(states, np.array([move]))
        assert records.game.board(found.states[row]).tolist() == records.game.board(states[0]).tolist()
        assert found.states["turn"][row] == states["turn"][0]
        assert found.plies[row] == place - records.offsets[game]
        sign = 1 if states["turn"][0] == 0 else -1
        np.testing.assert_equal(found.results[row], records.results[game] * sign)
    np.testing.assert_array_equal(found.moves, records.moves[records.places])
    after_passes = records.offsets[6] + 3
    assert records.game.legal(records.at(np.array([after_passes])).states)[0].any()  # it goes on after two passes


def test_turning_turns_boards_and_moves_alike():
    records, rng = random_records(), np.random.default_rng(3)
    positions = records.draw(rng, 64)
    batch = records.batch(positions, 4)
    plain = records.batch(positions._replace(symmetries=np.zeros(64, np.int64)), 4)
    assert set(positions.symmetries.tolist()) == set(range(8))
    assert batch.legal[np.arange(64), batch.moves].all()
    for row, symmetry in enumerate(positions.symmetries):
        turn = records.game.symmetries()[symmetry].planes
        np.testing.assert_array_equal(batch.planes[row], turn(plain.planes[row]))
        marked = np.zeros(25, np.int64)
        marked[positions.moves[row]] = 1
        assert turn(marked.reshape(5, 5)).ravel().argmax() == batch.moves[row]
        np.testing.assert_array_equal(batch.legal[row], turn(plain.legal[row].reshape(5, 5)).ravel())


def test_planes_show_what_position_shows(folder):
    """The first three planes against `Position`, an independent way to the same board."""
    records = load_records(folder / "00.sgf", size=SIZE)
    position = Position(records.game)
    for text in ("C3", "B4", "pass"):
        position.play(text)
    planes = records.batch(records.at(records.places[2:3]), 4).planes[0]  # White is to move
    board = records.game.board(position.state)
    np.testing.assert_array_equal(planes[:4], [board == -1, board == 1, board == 0, np.ones((5, 5))])


def test_every_position_is_equally_likely():
    records = random_records(games=4, longest=8)
    drawn = records.draw(np.random.default_rng(0), 20_000)
    keys = [f"{state.tobytes().hex()}{move}" for state, move in zip(drawn.states, drawn.moves, strict=True)]
    expected = {
        f"{state.tobytes().hex()}{move}"
        for state, move in zip(records.at(records.places).states, records.moves[records.places], strict=True)
    }
    seen, counts = np.unique(keys, return_counts=True)
    assert set(seen.tolist()) == expected
    each = 20_000 / len(records.places)
    assert counts.min() > each - 6 * each**0.5  # two games that begin alike share a position
    np.testing.assert_allclose(np.bincount(drawn.symmetries) / 20_000, 1 / 8, atol=0.02)


def test_split_is_by_game_and_by_seed():
    records = random_records(games=40)
    marks = np.arange(40, dtype=np.float32)
    records = GameRecords(**{**vars_of(records), "komi": marks})
    train, test = records.split(0.25, seed=5)
    assert len(test) == 10
    assert sorted([*train.komi.tolist(), *test.komi.tolist()]) == marks.tolist()
    again = records.split(0.25, seed=5)[1]
    np.testing.assert_array_equal(again.moves, test.moves)
    assert records.split(0.25, seed=6)[1].komi.tolist() != test.komi.tolist()
    for part in (train, test):
        for number, mark in enumerate(part.komi.astype(int)):
            assert moves_of(part, number) == moves_of(records, mark)
        assert (part.moves[part.places] < 25).all()
        assert len(part.places) == (part.moves < 25).sum()
    with pytest.raises(ValueError, match="share"):
        records.split(1.0, seed=0)


def vars_of(records):
    names = ("game", "moves", "offsets", "places", "turns", "boards", "komi", "results", "notes")
    return {name: getattr(records, name) for name in names}


def test_joined_and_decided():
    first, second = random_records(seed=1), random_records(seed=2)
    both = GameRecords.joined([first, second])
    assert len(both) == len(first) + len(second)
    assert moves_of(both, len(first) + 3) == moves_of(second, 3)
    np.testing.assert_array_equal(both.places, np.flatnonzero(both.moves < 25))
    assert not np.isnan(both.decided().results).any()
    assert len(both.decided()) == (~np.isnan(both.results)).sum()
    with pytest.raises(ValueError, match="one board"):
        GameRecords.joined([first, random_records(size=4)])


def test_saved_records_are_the_same(tmp_path):
    records = random_records()
    records.save(tmp_path / "games")
    loaded = GameRecords.load(tmp_path / "games")
    assert loaded.game == records.game
    for name in ("moves", "offsets", "places", "turns", "boards", "komi", "results"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(records, name))
    np.savez(tmp_path / "other.npz", something=np.zeros(3))
    with pytest.raises(ValueError, match="holds no records"):
        GameRecords.load(tmp_path / "other")


def test_batches_go_on_as_if_never_stopped():
    records = random_records()
    feed = batches(records, 16, 4, seed=7)
    whole = [next(feed) for _ in range(6)]
    feed.close()
    feed = batches(records, 16, 4, seed=7, start=3)
    for expected, found in zip(whole[3:], feed, strict=False):
        for a, b in zip(expected, found, strict=True):
            np.testing.assert_array_equal(a, b)
    feed.close()
    np.testing.assert_array_equal(whole[2].planes, make_batch(records, 16, 4, 7, 2).planes)
    assert (whole[0].planes != whole[1].planes).any()


def test_nothing_to_learn_from_is_told():
    records = random_records()
    empty = GameRecords(**{**vars_of(records), "places": np.empty(0, np.int64)})
    with pytest.raises(ValueError, match="no position to draw"):
        next(batches(empty, 4, 4, seed=0))
    with pytest.raises(ValueError, match="1 or more"):
        next(batches(records, 0, 4, seed=0))


def test_real_records(records):
    found = load_records(records / "go" / "samples", size=9)
    assert len(found) >= 1
    batch = found.batch(found.draw(np.random.default_rng(0), 256), 48)
    assert batch.legal[np.arange(256), batch.moves].all()
    assert batch.planes[np.arange(256), 46].reshape(256, -1).any()
