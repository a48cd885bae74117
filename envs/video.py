"""Episodes as films: `Film` writes frames to a GIF, an MP4, a NumPy archive or a folder of PNGs; `Filmed` takes them.

::

    with Film("episode.gif", fps=10) as film:
        env = Filmed(task.make(), film)
        ...                                    # every reset and step adds a frame

Archives and PNGs need nothing but NumPy. GIF needs Pillow, MP4 needs PyAV: ``pip install "sakiyomi[video]"``.
"""

import struct
import zlib
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, SupportsFloat

import numpy as np
from numpy.typing import NDArray

from sakiyomi.envs.extras import missing

try:
    import gymnasium
except ImportError as error:
    raise ImportError(missing("films of environments", "gymnasium")) from error

if TYPE_CHECKING:
    from sakiyomi.envs.task import Task

Frame = NDArray[np.uint8]
SLOWEST, FASTEST = 0.1, 240.0
"""Frames a second that a film may have."""
GIF_FASTEST = 50.0
"""Frames a second of a GIF at most: viewers show faster ones slowly."""


class Film:
    """Frames, uint8 [H, W, 3] and all of one size, written to `path` as its ending says.

    ".gif", ".mp4", ".npz" (arrays "frames" [N, H, W, 3], "fps" and "starts", the numbers of the episodes' first
    frames), or no ending: a folder of files 000000.png and so on. The file is complete after `close`.
    Raises ValueError for another ending, for a missing package (with the command that installs it), for a folder that
    holds something, and for frames of another size or kind.
    """

    def __init__(self, path: str | Path, fps: float = 10.0):
        self.path, self.fps = Path(path), fps
        if not SLOWEST <= fps <= FASTEST:
            raise ValueError(f"a film has {SLOWEST:g} to {FASTEST:g} frames a second, not {fps:g}")
        ending = self.path.suffix.lower()
        if ending not in _SINKS:
            raise ValueError(
                f"a film's name ends in .gif, .mp4 or .npz, or has no ending (a folder), got {str(path)!r}"
            )
        self.count, self._shape = 0, (0, 0, 0)
        self._starts: list[int] = []
        self._sink: _Sink = _SINKS[ending](self.path, fps)

    def begin(self) -> None:
        """The next frame is the first of an episode."""
        self._starts.append(self.count)

    def add(self, frame: Frame) -> None:
        """The next frame."""
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            raise ValueError(f"a frame is uint8 [height, width, 3], got {frame.dtype} {list(frame.shape)}")
        if self.count and frame.shape != self._shape:
            raise ValueError(f"frame {self.count} of {self.path} is {list(frame.shape)}, those before {self._shape}")
        self._shape = frame.shape
        self._sink.add(frame)
        self.count += 1

    def close(self) -> None:
        """Finish the file. Nothing is written if there were no frames."""
        if self.count:
            self._sink.finish(self._starts)

    def __enter__(self) -> "Film":
        return self

    def __exit__(self, *raised: Any) -> None:
        self.close()  # whatever was raised: what there is can be seen


class Filmed(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Adds a frame to a film at every reset and step: what the environment renders, or its observation if that is one.

    Raises ValueError for an environment that shows nothing.
    """

    def __init__(self, env: "gymnasium.Env[Any, Any]", film: Film):
        super().__init__(env)
        self._film = film

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, on film."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._film.begin()
        self._take(observation)
        return observation, info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """One step, on film."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._take(observation)
        return observation, reward, terminated, truncated, info

    def _take(self, observation: Any) -> None:
        shown: Any = self.env.render() if self.env.render_mode == "rgb_array" else None
        frame = observation if shown is None else shown
        if not (isinstance(frame, np.ndarray) and frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[2] == 3):
            raise ValueError(f"{self.env} has no pictures: it renders none, and observes none")
        self._film.add(frame)


def visible(task: "Task") -> "gymnasium.Env[Any, Any]":
    """An environment of the task that renders pictures, if it can."""
    env = task.make()
    if env.render_mode is None and env.spec is not None and "rgb_array" in env.metadata.get("render_modes", ()):
        spec = env.spec
        env.close()
        return gymnasium.make(spec, render_mode="rgb_array")
    return env


def frames_a_second(env: "gymnasium.Env[Any, Any]", fallback: float = 10.0) -> float:
    """What the environment says of its own pace."""
    told = env.metadata.get("render_fps") or fallback
    return float(min(max(told, SLOWEST), FASTEST))


def png(frame: Frame) -> bytes:
    """uint8 [H, W, 3] as a PNG file."""
    height, width, _ = frame.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each row begins with its filter: none
    rows[:, 1:] = frame.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, RGB
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


class _Sink(Protocol):
    """Where frames go."""

    def add(self, frame: Frame) -> None: ...

    def finish(self, starts: list[int]) -> None: ...


class _Folder:
    def __init__(self, path: Path, fps: float):
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            raise ValueError(f"{path} is there already: name a new or an empty folder for the frames")
        path.mkdir(parents=True, exist_ok=True)
        self._path, self._count = path, 0

    def add(self, frame: Frame) -> None:
        (self._path / f"{self._count:06}.png").write_bytes(png(frame))
        self._count += 1

    def finish(self, starts: list[int]) -> None:
        pass  # every file is complete


class _Archive:
    def __init__(self, path: Path, fps: float):
        self._path, self._fps = path, fps
        self._frames: list[Frame] = []

    def add(self, frame: Frame) -> None:
        self._frames.append(frame.copy())

    def finish(self, starts: list[int]) -> None:
        np.savez_compressed(self._path, frames=np.stack(self._frames), fps=self._fps, starts=np.array(starts, np.int64))


class _Gif:
    """Each frame in the 256 colours that suit it. Of more than 50 a second, as many as can be shown."""

    def __init__(self, path: Path, fps: float):
        try:
            self._image: Any = import_module("PIL.Image")
        except ImportError:
            raise ValueError(missing("a film as GIF", "Pillow", "video")) from None
        self._path = path
        self._every = int(np.ceil(fps / GIF_FASTEST))
        self._hold = round(100 * self._every / fps) * 10  # milliseconds; the format counts hundredths
        self._count = 0
        self._images: list[Any] = []

    def add(self, frame: Frame) -> None:
        if self._count % self._every == 0:
            image, plain = self._image.fromarray(frame), self._image.Dither.NONE
            self._images.append(image.quantize(256, self._image.Quantize.MEDIANCUT, dither=plain))
        self._count += 1

    def finish(self, starts: list[int]) -> None:
        first, *rest = self._images
        first.save(self._path, "GIF", save_all=True, append_images=rest, duration=self._hold, loop=0)


class _Mp4:
    """H.264, which every browser plays."""

    def __init__(self, path: Path, fps: float):
        try:
            self._av: Any = import_module("av")
        except ImportError:
            raise ValueError(missing("a film as MP4", "av", "video")) from None
        self._path, self._rate = str(path), Fraction(fps).limit_denominator(1000)
        self._file: Any = None

    def add(self, frame: Frame) -> None:
        height, width = frame.shape[:2]
        even = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")  # as the format wants
        if self._file is None:
            self._file = self._av.open(self._path, "w")
            self._stream = self._file.add_stream("libx264", rate=self._rate)
            self._stream.pix_fmt, self._stream.options = "yuv420p", {"crf": "18"}
            self._stream.height, self._stream.width = even.shape[:2]
        picture = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
        self._file.mux(self._stream.encode(picture))

    def finish(self, starts: list[int]) -> None:
        self._file.mux(self._stream.encode())
        self._file.close()


_SINKS: dict[str, Any] = {".gif": _Gif, ".mp4": _Mp4, ".npz": _Archive, "": _Folder}
