"""What a worker tells of its game while it plays, in memory shared with the parent: which game, whose code runs, moves.

A worker writes a few bytes before it calls a player, and the parent looks when it wants to know, above all when the
worker has died or is silent. A message for each move would cost more than the moves of fast players do.
"""

import math
import mmap
import os
import struct
import time
from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import IO

SIZE = 1 << 16
_RECALL = struct.Struct("<q")  # the parent's: batches of jobs up to this one are not to be begun any more
_GAME = struct.Struct("<qd")  # the game's number, 0 between games; when it began, in seconds since the epoch
_HEAD = struct.Struct("<dqQdd")  # when this was written; whose code runs, -1 nobody's; bytes of text; the clocks
_GAME_AT = _RECALL.size
_HEAD_AT = _GAME_AT + _GAME.size
_TEXT_AT = _HEAD_AT + _HEAD.size
_ROOM = SIZE - _TEXT_AT
_NONE = (math.nan, math.nan)


class Progress:
    """The shared memory, by the handle of a file that both sides have open; without one, a new one.

    The worker writes all but `recalled`. What is read while the other side writes may be a move behind. Times are those
    of `time.monotonic`, which all processes of a machine share.
    """

    def __init__(self, handle: int | None = None):
        self._file = None
        if handle is None:
            self._file = _shared()
            handle = self._file.fileno()
        self.handle = handle
        self._memory = mmap.mmap(handle, SIZE)
        self._told = self._length = 0

    def begin(self, number: int) -> None:
        """A new game: nobody's code runs, and there are no moves."""
        self._told = self._length = 0
        self._write(-1)
        _GAME.pack_into(self._memory, _GAME_AT, number, time.time())

    def end(self) -> None:
        """The game is over; what its players do next is nobody's fault."""
        _GAME.pack_into(self._memory, _GAME_AT, 0, 0.0)
        self._write(-1)

    def turn(self, side: int, moves: Sequence[str], clocks: tuple[float, float] | None = None) -> None:
        """The code of player `side` runs from now on, after `moves`, of which those told before are not looked at.

        `clocks` are what the two clocks show, in seconds.
        """
        if len(moves) > self._told:
            text = "".join(f"{move} " for move in moves[self._told :]).encode()
            end = self._length + len(text)
            if end <= _ROOM:  # else the end of a very long game is not told
                self._memory[_TEXT_AT + self._length : _TEXT_AT + end] = text
                self._told, self._length = len(moves), end
        self._write(side, clocks or _NONE)

    def _write(self, side: int, clocks: tuple[float, float] = _NONE) -> None:
        _HEAD.pack_into(self._memory, _HEAD_AT, time.monotonic(), side, self._length, *clocks)

    @property
    def recalled(self) -> int:
        """Jobs of batches up to this number are done by others."""
        found: int = _RECALL.unpack_from(self._memory)[0]
        return found

    def recall(self, batch: int) -> None:
        """Let the worker begin no more job of `batch` and those before it."""
        _RECALL.pack_into(self._memory, 0, batch)

    @property
    def number(self) -> int:
        """The game's number; 0 between games."""
        found: int = _GAME.unpack_from(self._memory, _GAME_AT)[0]
        return found

    @property
    def since(self) -> float:
        """When the game began, in seconds since the epoch; 0 between games."""
        found: float = _GAME.unpack_from(self._memory, _GAME_AT)[1]
        return found

    @property
    def written(self) -> float:
        """When anything was last written; 0 if never."""
        found: float = _HEAD.unpack_from(self._memory, _HEAD_AT)[0]
        return found

    @property
    def side(self) -> int | None:
        """Whose code runs: 0 moves first; None before that of any player."""
        side: int = _HEAD.unpack_from(self._memory, _HEAD_AT)[1]
        return None if side < 0 else side

    @property
    def clocks(self) -> tuple[float, float] | None:
        """What the two clocks showed then, in seconds; None where there are none."""
        first, second = _HEAD.unpack_from(self._memory, _HEAD_AT)[3:]
        return None if math.isnan(first) else (first, second)

    @property
    def moves(self) -> tuple[str, ...]:
        """The moves of the game."""
        length: int = _HEAD.unpack_from(self._memory, _HEAD_AT)[2]
        return tuple(self._memory[_TEXT_AT : _TEXT_AT + length].decode("utf-8", "replace").split())

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
        if self._file is not None:
            self._file.close()


def _shared() -> IO[bytes]:
    """A file of `SIZE` zeros: in memory (Linux), or else on disk with all its room taken now.

    A page that finds no room on a full disk when it is first written to would kill the process. Raises OSError.
    """
    file: IO[bytes]
    if hasattr(os, "memfd_create"):
        file = os.fdopen(os.memfd_create("progress"), "w+b")
    else:
        file = TemporaryFile()  # noqa: SIM115 whoever asked for it closes it
    try:
        file.write(bytes(SIZE))
        file.flush()
    except OSError:
        file.close()
        raise
    return file
