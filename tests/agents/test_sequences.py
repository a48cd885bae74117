"""Replay of sequences: what is stored where, what is drawn how often, and that nothing is lost over saves and kills."""

import itertools

import numpy as np
import pytest

from sakiyomi.agents.parts.episodes import sequences as module
from sakiyomi.agents.parts.episodes.sequences import Episode, SequenceReplay, Streams

EVERYTHING = ("observations", "actions", "rewards", "is_first", "is_terminal", "is_last")


def numbered(number, steps, terminated=False):
    """An episode whose observations are (number, t), whose action after t is t + 1, and its reward ten times that."""
    observations = np.stack([np.full(steps + 1, number), np.arange(steps + 1)], axis=1).astype(np.float32)
    actions = np.arange(1, steps + 1, dtype=np.float32)[:, None]
    return Episode.of(observations, actions, 10 * actions[:, 0], terminated)


@pytest.fixture(autouse=True)
def small_files(monkeypatch):
    """Files of few rows, so that sequences lie in several."""
    monkeypatch.setattr(module, "FILE_BYTES", 7 * replay_row().itemsize)


def replay_row():
    return np.dtype([("o", "f4", (2,)), ("a", "f4", (1,)), ("r", "f4"), ("flags", "?", (3,))])


def replay_in(folder, capacity=1000):
    return SequenceReplay(folder, (2,), np.float32, 1, capacity)


def test_row_holds_the_action_that_led_to_it_and_the_reward_of_arriving(tmp_path):
    replay = replay_in(tmp_path)
    replay.add(numbered(0, 3, terminated=True))
    replay.add(numbered(1, 2))
    whole, cut = replay.episode(0), replay.episode(1)
    assert whole.observations[0].tolist() == [[0, 0], [0, 1], [0, 2], [0, 3]]
    assert whole.actions[0, :, 0].tolist() == [0, 1, 2, 3]
    assert whole.rewards[0].tolist() == [0, 10, 20, 30]
    assert whole.is_first[0].tolist() == [1, 0, 0, 0]
    assert whole.is_last[0].tolist() == whole.is_terminal[0].tolist() == [0, 0, 0, 1]
    assert cut.is_last[0].tolist() == [0, 0, 1]
    assert not cut.is_terminal.any()  # the clock ended it
    assert (len(replay), replay.episodes, replay.lengths.tolist()) == (7, 2, [4, 3])


def test_sequences_are_consecutive_rows_of_one_episode(tmp_path):
    replay, rng = replay_in(tmp_path), np.random.default_rng(0)
    for number, steps in enumerate((10, 3, 17, 30)):
        replay.add(numbered(number, steps, terminated=number % 2 == 1))
    drawn = replay.sample(200, 9, rng)
    numbers, times = drawn.observations[..., 0], drawn.observations[..., 1]
    assert (numbers == numbers[:, :1]).all()
    assert set(numbers[:, 0]) == {0, 2, 3}  # episode 1 has but 4 rows
    assert (np.diff(times) == 1).all()
    assert (drawn.actions[..., 0] == times).all()
    assert (drawn.rewards == 10 * times).all()
    assert (drawn.is_first == (times == 0)).all()
    ends = np.array([10, 3, 17, 30])[numbers.astype(int)]
    assert (drawn.is_last == (times == ends)).all()
    assert (drawn.is_terminal == (drawn.is_last & (numbers == 3))).all()


def test_episodes_and_beginnings_are_equally_likely(tmp_path):
    replay, n = replay_in(tmp_path), 6000
    replay.add(numbered(0, 4))
    replay.add(numbered(1, 9))
    first = replay.sample(n, 3, np.random.default_rng(1)).observations[:, 0]
    assert abs((first[:, 0] == 0).mean() - 0.5) < 0.03  # 5 and 10 rows, yet alike
    for number, places in ((0, 3), (1, 8)):
        counts = np.bincount(first[first[:, 0] == number, 1].astype(int), minlength=places)
        expected = counts.sum() / places
        assert len(counts) == places
        assert ((counts - expected) ** 2 / expected).sum() < 30  # chi-squared of at most 7 degrees: p < 1e-4


def test_ends_are_drawn_more_often_if_wanted(tmp_path):
    replay = replay_in(tmp_path)
    replay.add(numbered(0, 9))
    first = replay.sample(8000, 4, np.random.default_rng(2), ends=4).observations[:, 0, 1]
    counts = np.bincount(first.astype(int), minlength=7) / 8000
    np.testing.assert_allclose(counts, [1 / 11] * 6 + [5 / 11], atol=0.02)


@pytest.mark.parametrize("across", [False, True])
def test_episodes_by_their_length(tmp_path, across):
    """Ten episodes of 4 rows beside one of 40: every beginning is alike, so most lie in the long one."""
    replay, n = replay_in(tmp_path), 6000
    for number in range(10):
        replay.add(numbered(number, 3))
    replay.add(numbered(10, 39))
    replay.add(numbered(11, 3))  # what goes on across them may begin in any but this
    rng = np.random.default_rng(1)
    first = replay.sample(n, 4, rng, across=across, by_length=True).observations[:, 0]
    beginnings = 37 if not across else 40
    share = 37 / (37 + 11) if not across else 40 / 84
    assert (first[:, 0] == 10).mean() == pytest.approx(share, abs=0.02)
    counts = np.bincount(first[first[:, 0] == 10, 1].astype(int), minlength=beginnings)
    assert len(counts) == beginnings
    expected = counts.sum() / beginnings
    assert ((counts - expected) ** 2 / expected).sum() < 90  # chi-squared of 39 degrees: p < 1e-5
    alike = replay.sample(n, 4, rng, across=across).observations[:, 0, 0]
    assert (alike == 10).mean() == pytest.approx(1 / 12, abs=0.02)


def test_streams_by_the_length_of_episodes(tmp_path):
    replay = replay_in(tmp_path)
    for number in range(10):
        replay.add(numbered(number, 7))
    replay.add(numbered(10, 47))
    shares = []
    for by_length in (False, True):
        streams, rng = Streams(replay, 50, 8, least=8, most=8, by_length=by_length), np.random.default_rng(0)
        shares.append(np.mean([streams.sample(rng).observations[:, 0, 0] == 10 for _ in range(40)]))
    np.testing.assert_allclose(shares, [1 / 11, 41 / 51], atol=0.03)


def test_the_row_of_a_piece_within_an_episode_keeps_its_action(tmp_path):
    """By which it is told from the beginning of an episode."""
    replay = replay_in(tmp_path)
    replay.add(numbered(0, 30))
    batch = Streams(replay, 50, 8, least=8, most=8).sample(np.random.default_rng(0))
    assert batch.is_first[:, 0].all()
    assert (batch.actions[:, 0, 0] == batch.observations[:, 0, 1]).all()
    assert (batch.actions[:, 0, 0] > 0).any()


def test_rows_of_an_episode_are_those_of_a_replay(tmp_path):
    replay, episode = replay_in(tmp_path), numbered(4, 9, terminated=True)
    replay.add(episode)
    for name in EVERYTHING:
        assert (getattr(episode.rows, name) == getattr(replay.episode(0), name)).all()


def test_points_are_the_score_where_a_task_counts_them():
    episode = numbered(0, 3)
    assert episode.score == 60
    counted = Episode.of(episode.observations, np.ones((3, 1)), np.tanh([7.0, 0.0, 2.0]), False, points=9.0)
    assert counted.score == 9


def test_across_goes_on_into_the_next_episode(tmp_path):
    replay = replay_in(tmp_path)
    for number in range(4):
        replay.add(numbered(number, 2, terminated=number == 0))
    drawn = replay.sample(300, 7, np.random.default_rng(3), across=True)
    flat = drawn.observations[..., 0] * 3 + drawn.observations[..., 1]
    assert (np.diff(flat) == 1).all()
    assert set(flat[:, 0]) == set(range(6))
    assert (drawn.is_first == (drawn.observations[..., 1] == 0)).all()
    assert (drawn.actions[drawn.is_first] == 0).all()
    assert (drawn.rewards[drawn.is_first] == 0).all()
    with pytest.raises(ValueError, match="13 rows are wanted, there are 12"):
        replay.sample(1, 13, np.random.default_rng(0), across=True)


def test_the_oldest_leave_when_it_is_full(tmp_path):
    replay = replay_in(tmp_path, capacity=20)
    for number in range(30):
        replay.add(numbered(number, 5))
    assert (len(replay), replay.episodes) == (18, 3)
    assert set(replay.sample(100, 6, np.random.default_rng(0)).observations[..., 0].ravel()) == {27, 28, 29}
    assert replay.episode(0).observations[0, :, 0].tolist() == [27] * 6


def test_pictures_stay_bytes(tmp_path):
    replay = SequenceReplay(tmp_path, (4, 4, 3), np.uint8, 2, 50)
    pictures = np.random.default_rng(0).integers(256, size=(6, 4, 4, 3), dtype=np.uint8)
    replay.add(Episode.of(pictures, np.ones((5, 2)), np.zeros(5), False))
    drawn = replay.episode(-1)
    assert drawn.observations.dtype == np.uint8
    assert (drawn.observations[0] == pictures).all()
    with pytest.raises(ValueError, match="uint8"):
        replay.add(Episode.of(pictures / 255, np.ones((5, 2)), np.zeros(5), False))


def test_what_is_wrong_is_said(tmp_path):
    replay = replay_in(tmp_path, capacity=10)
    with pytest.raises(ValueError, match="no episode of 5 rows yet: the longest of 0 has 0"):
        replay.sample(1, 5, np.random.default_rng(0))
    with pytest.raises(ValueError, match="12 rows does not fit into a replay of 10"):
        replay.add(numbered(0, 11))
    with pytest.raises(ValueError, match=r"observations are \[2\] here, got an episode with \[3\]"):
        replay.add(Episode.of(np.zeros((3, 3)), np.zeros((2, 1)), np.zeros(2), False))
    with pytest.raises(ValueError, match=r"rewards\[2\] is nan"):
        Episode.of(np.zeros((3, 2)), np.zeros((2, 1)), np.array([0.0, np.nan]), False)
    with pytest.raises(ValueError, match="both must be 0"):
        Episode(np.zeros((3, 2)), np.ones((3, 1), np.float32), np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="T of 1 or more"):
        Episode(np.zeros((1, 2)), np.zeros((1, 1), np.float32), np.zeros(1, np.float32))


def test_goes_on_from_a_save_though_it_had_gone_further(tmp_path):
    """As after a kill: what came after the save is gone, what the save names is there, though it had left since."""
    replay, rng = replay_in(tmp_path / "rows", capacity=40), np.random.default_rng(5)
    (tmp_path / "run").mkdir()
    for number in range(20):
        replay.add(numbered(number, 3 + number % 4))
        if number in (5, 9, 12):
            replay.save(tmp_path / "run" / "replay")
            kept = [replay.episode(i) for i in range(replay.episodes)]
    again = replay_in(tmp_path / "rows", capacity=40)
    again.load(tmp_path / "run" / "replay")
    assert again.episodes == len(kept)
    for i, before in enumerate(kept):
        for name in EVERYTHING:
            assert (getattr(again.episode(i), name) == getattr(before, name)).all()
    straight = replay_in(tmp_path / "straight", capacity=40)
    for number in range(13):
        straight.add(numbered(number, 3 + number % 4))
    for number in range(13, 25):  # from here on as if nothing had happened
        for each in (again, straight):
            each.add(numbered(100 + number, 3 + number % 4))
        seed = int(rng.integers(1 << 31))
        one, other = (each.sample(8, 4, np.random.default_rng(seed)) for each in (again, straight))
        assert all((getattr(one, name) == getattr(other, name)).all() for name in EVERYTHING)


def test_files_of_episodes_that_left_go(tmp_path):
    replay = replay_in(tmp_path / "rows", capacity=40)
    for number in range(100):
        replay.add(numbered(number, 6))
        replay.save(tmp_path / "replay")
    assert len(list((tmp_path / "rows").iterdir())) <= 40 // 7 + 4


def test_rows_of_other_settings_are_refused(tmp_path):
    replay = replay_in(tmp_path / "rows")
    replay.add(numbered(0, 4))
    replay.save(tmp_path / "replay")
    other = SequenceReplay(tmp_path / "rows", (3,), np.float32, 1, 1000)
    with pytest.raises(ValueError, match="other settings"):
        other.load(tmp_path / "replay")


def test_a_new_replay_writes_over_what_a_run_without_a_save_left(tmp_path):
    replay_in(tmp_path).add(numbered(7, 12))
    replay = replay_in(tmp_path)
    replay.add(numbered(3, 2))
    assert replay.episode(0).observations[0].tolist() == [[3, 0], [3, 1], [3, 2]]


def test_streams_read_pieces_to_their_ends_one_after_the_other(tmp_path):
    replay = replay_in(tmp_path)
    for number, steps in enumerate((12, 19, 30)):
        replay.add(numbered(number, steps))
    streams, rng = Streams(replay, 3, 5, least=8, most=11), np.random.default_rng(0)
    batches = [streams.sample(rng) for _ in range(60)]
    joined = {name: np.concatenate([getattr(each, name) for each in batches], axis=1) for name in EVERYTHING}
    for b in range(3):
        begins = np.flatnonzero(joined["is_first"][b])
        assert begins[0] == 0
        for begin, end in itertools.pairwise(begins):
            piece = joined["observations"][b, begin:end]
            assert 8 <= len(piece) <= 11
            assert (piece[:, 0] == piece[0, 0]).all()
            assert (np.diff(piece[:, 1]) == 1).all()
    assert (joined["actions"][..., 0] == joined["observations"][..., 1]).all()


def test_streams_of_one_length_begin_with_each_batch(tmp_path):
    """DreamerV2's own: pieces of 50 rows, batches of 50 rows."""
    replay = replay_in(tmp_path)
    replay.add(numbered(0, 40))
    streams, rng = Streams(replay, 4, 10, least=10, most=10), np.random.default_rng(0)
    for _ in range(5):
        batch = streams.sample(rng)
        assert batch.is_first[:, 0].all()
        assert not batch.is_first[:, 1:].any()


def test_streams_at_the_end_of_episodes(tmp_path):
    replay = replay_in(tmp_path)
    replay.add(numbered(0, 29, terminated=True))
    shares = []
    for ends in (False, True):
        streams, rng = Streams(replay, 50, 10, least=10, most=10, ends=ends), np.random.default_rng(0)
        shares.append(np.mean([streams.sample(rng).is_terminal.any(axis=1) for _ in range(40)]))
    np.testing.assert_allclose(shares, [1 / 21, 11 / 31], atol=0.03)


def test_a_stream_whose_episode_left_begins_a_new_piece(tmp_path):
    replay = replay_in(tmp_path, capacity=30)
    replay.add(numbered(0, 25))
    streams, rng = Streams(replay, 2, 4, least=20, most=20), np.random.default_rng(0)
    streams.sample(rng)
    replay.add(numbered(1, 25))
    batch = streams.sample(rng)
    assert batch.is_first[:, 0].all()
    assert (batch.observations[..., 0] == 1).all()


def test_streams_go_on_from_a_save(tmp_path):
    replay = replay_in(tmp_path / "rows")
    for number in range(5):
        replay.add(numbered(number, 20 + number))
    streams = Streams(replay, 3, 4, least=9, most=14)
    streams.sample(np.random.default_rng(0))
    streams.save(tmp_path / "streams")
    again = Streams(replay, 3, 4, least=9, most=14)
    again.load(tmp_path / "streams")
    for seed in range(6):
        one, other = (each.sample(np.random.default_rng(seed)) for each in (streams, again))
        assert all((getattr(one, name) == getattr(other, name)).all() for name in EVERYTHING)
    with pytest.raises(ValueError, match="4 streams are wanted"):
        Streams(replay, 4, 4, least=9, most=14).load(tmp_path / "streams")


def test_states_carried_from_batch_to_batch_are_those_of_each_piece_alone(tmp_path):
    """A stream changes its episode within batches and between them; nothing of the old one may remain."""
    torch = pytest.importorskip("torch")
    from sakiyomi.agents.parts.latent.rssm import RSSM

    torch.manual_seed(0)
    rssm, noise = RSSM(1, 2, deter=5, hidden=6, stoch=3, dynamics="deterministic"), torch.Generator()
    replay, rng = replay_in(tmp_path), np.random.default_rng(0)
    for number, steps in enumerate((12, 19, 30)):
        replay.add(numbered(number, steps))
    streams, state, batches, carried = Streams(replay, 2, 4, least=6, most=9), None, [], []
    with torch.no_grad():
        for _ in range(12):
            batches.append(streams.sample(rng))
            given = [torch.from_numpy(getattr(batches[-1], name)) for name in EVERYTHING]
            states, _ = rssm.observe(given[0], given[1], given[3], state, noise=noise)
            state = states[:, -1]
            carried.append(states.features)
        joined = [torch.from_numpy(np.concatenate([getattr(each, name) for each in batches], 1)) for name in EVERYTHING]
        features, pieces = torch.cat(carried, 1), set()
        for b in range(2):
            begins = [*torch.nonzero(joined[3][b])[:, 0].tolist(), features.shape[1]]
            for begin, end in itertools.pairwise(begins):
                rows = slice(begin, end)
                first = torch.zeros(1, end - begin, dtype=torch.bool)
                alone, _ = rssm.observe(*(each[b : b + 1, rows] for each in joined[:2]), first, noise=noise)
                torch.testing.assert_close(features[b : b + 1, rows], alone.features, atol=1e-6, rtol=1e-5)
                pieces.add(begin % 4)
    assert pieces == {0, 1, 2, 3}


@pytest.mark.slow
def test_memory_and_disk_stay_bounded_over_100_000_rows(tmp_path, monkeypatch):
    """Pictures of 64x64, of which 10,000 are held: 123 MB of 1.2 GB that come by, and as many are drawn."""
    monkeypatch.setattr(module, "FILE_BYTES", 1 << 24)
    replay, rng = SequenceReplay(tmp_path / "rows", (64, 64, 3), np.uint8, 2, 10_000), np.random.default_rng(0)
    pictures = rng.integers(256, size=(500, 64, 64, 3), dtype=np.uint8)
    episode = Episode.of(pictures, np.ones((499, 2)), np.zeros(499), False)
    anonymous, peaks = [], []
    for number in range(200):
        replay.add(episode)
        replay.sample(10, 50, rng)
        if number % 10 == 9:
            replay.save(tmp_path / "replay")
            anonymous.append(own_memory())
            peaks.append(sum(file.stat().st_size for file in (tmp_path / "rows").iterdir()))
    assert anonymous[-1] - anonymous[3] < 5 << 20
    assert max(peaks) < 260 << 20
    assert len(replay) == 10_000


def own_memory():
    """Bytes of this process that no file holds."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("RssAnon"))
