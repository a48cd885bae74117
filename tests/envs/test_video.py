"""Films: what is written is what was shown, in each format."""

import io
import struct
import sys
import zlib

import numpy as np
import pytest

from sakiyomi.envs import make_task

gymnasium = pytest.importorskip("gymnasium")

from sakiyomi.envs.video import Film, Filmed, frames_a_second, png, visible  # noqa: E402 (needs Gymnasium)


def drawn(count=5, height=31, width=40):
    """Frames on which a block of a colour of its own wanders."""
    frames = np.full((count, height, width, 3), 240, np.uint8)
    for k in range(count):
        frames[k, 3:20, 2 + 5 * k : 9 + 5 * k] = (40 * k, 200 - 30 * k, 90)
    return frames


def shot(path, frames, fps=10.0, starts=(0,)):
    with Film(path, fps) as film:
        for k, frame in enumerate(frames):
            if k in starts:
                film.begin()
            film.add(frame)
    assert film.count == len(frames)


def pixels_of(data):
    """What a PNG of plain RGB rows holds, with its checksums checked."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, found = 8, {}
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        found[kind] = body
        at += 12 + length
    width, height, *form = struct.unpack(">IIBBBBB", found[b"IHDR"])
    assert form == [8, 2, 0, 0, 0]
    rows = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


def test_png():
    frame = np.random.default_rng(0).integers(0, 256, (13, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(pixels_of(png(frame)), frame)


def test_other_programs_read_our_png():
    image = pytest.importorskip("PIL.Image")
    frame = drawn()[3]
    np.testing.assert_array_equal(np.array(image.open(io.BytesIO(png(frame)))), frame)


def test_a_folder_of_frames(tmp_path):
    frames = drawn()
    shot(tmp_path / "film", frames)
    files = sorted((tmp_path / "film").iterdir())
    assert [file.name for file in files] == [f"00000{k}.png" for k in range(5)]
    for file, frame in zip(files, frames, strict=True):
        np.testing.assert_array_equal(pixels_of(file.read_bytes()), frame)
    with pytest.raises(ValueError, match="is there already"):
        Film(tmp_path / "film")


def test_an_archive(tmp_path):
    frames = drawn()
    shot(tmp_path / "film.npz", frames, 7.5, starts=(0, 3))
    held = np.load(tmp_path / "film.npz")
    np.testing.assert_array_equal(held["frames"], frames)
    assert held["fps"] == 7.5
    assert held["starts"].tolist() == [0, 3]


@pytest.mark.parametrize(("fps", "shown", "hold"), [(10.0, 5, 100), (40.0, 5, 20), (100.0, 3, 20), (120.0, 2, 20)])
def test_gif(tmp_path, fps, shown, hold):
    image = pytest.importorskip("PIL.Image")
    frames = drawn()
    shot(tmp_path / "film.gif", frames, fps)
    film = image.open(tmp_path / "film.gif")
    assert film.n_frames == shown
    assert film.info["loop"] == 0
    every = {5: 1, 3: 2, 2: 3}[shown]
    for k in range(shown):
        film.seek(k)
        assert film.info["duration"] == hold
        difference = np.abs(np.array(film.convert("RGB")).astype(int) - frames[k * every])
        assert difference.max() <= 2


def test_mp4(tmp_path):
    av = pytest.importorskip("av")
    frames = drawn()
    shot(tmp_path / "film.mp4", frames, 12.5)
    with av.open(str(tmp_path / "film.mp4")) as film:
        stream = film.streams.video[0]
        assert float(stream.average_rate) == 12.5
        seen = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
    assert len(seen) == 5
    assert seen[0].shape == (32, 40, 3)  # even, as the format wants
    for ours, theirs in zip(frames, seen, strict=True):
        assert np.abs(theirs[:31].astype(int) - ours).mean() < 6


@pytest.mark.parametrize(("ending", "module", "words"), [(".gif", "PIL.Image", "Pillow"), (".mp4", "av", "av")])
def test_a_missing_package_is_named(tmp_path, monkeypatch, ending, module, words):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError, match=rf'needs the package {words}: pip install "sakiyomi\[video\]"'):
        Film(tmp_path / f"film{ending}")


def test_what_is_no_film_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.gif, \.mp4 or \.npz"):
        Film(tmp_path / "film.avi")
    with pytest.raises(ValueError, match="frames a second, not 0"):
        Film(tmp_path / "film.npz", 0)
    film = Film(tmp_path / "film.npz")
    with pytest.raises(ValueError, match="a frame is uint8"):
        film.add(np.zeros((4, 4, 3)))
    film.add(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="frame 1 of"):
        film.add(np.zeros((4, 5, 3), np.uint8))


def test_no_frames_no_file(tmp_path):
    with Film(tmp_path / "film.npz"):
        pass
    assert not list(tmp_path.iterdir())


def test_an_interrupted_film_keeps_what_was_shot(tmp_path):
    def interrupted():
        with Film(tmp_path / "film.npz") as film:
            film.add(drawn()[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(np.load(tmp_path / "film.npz")["frames"]) == 1


@pytest.mark.parametrize("name", ["pendulum", "point-mass@pixels"])
def test_episodes_are_filmed(tmp_path, name):
    env = make_task(name).make()
    pace = frames_a_second(env)
    assert pace == 10
    with Film(tmp_path / "film.npz", pace) as film:
        filmed = Filmed(env, film)
        for seed in (1, 2):
            filmed.reset(seed=seed)
            for _ in range(3):
                filmed.step(env.action_space.sample())
    held = np.load(tmp_path / "film.npz")
    assert held["frames"].shape == (8, 400, 400, 3)
    assert held["starts"].tolist() == [0, 4]
    np.testing.assert_array_equal(held["frames"][-1], env.render())


def test_environments_of_gymnasium_are_made_visible():
    pytest.importorskip("pygame")
    env = visible(make_task("gym/CartPole-v1"))
    env.reset(seed=0)
    assert env.render().shape == (400, 600, 3)
    env.close()


class Blind(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return np.zeros(2), {}


class Seeing(Blind):
    def reset(self, *, seed=None, options=None):
        return np.zeros((8, 8, 3), np.uint8), {}


def test_what_is_not_rendered_is_what_is_observed(tmp_path):
    film = Film(tmp_path / "film.npz")
    Filmed(Seeing(), film).reset()
    assert film.count == 1
    with pytest.raises(ValueError, match="has no pictures"):
        Filmed(Blind(), film).reset()
