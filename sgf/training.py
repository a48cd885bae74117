"""`to_training`: records -> batches of (observation, action, result) to learn from.

Many games are replayed side by side, a ply of all of them at a time, so that a batch holds positions of many games.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.chess import Chess
from sakiyomi.boards.game import Game, States
from sakiyomi.boards.go import Go
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi
from sakiyomi.boards.shogi.state import MAX_PLIES
from sakiyomi.sgf import chess_moves, shogi_moves
from sakiyomi.sgf import properties as props
from sakiyomi.sgf.go import main_line_of
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.replay import Batch

TrainingBatch = tuple[NDArray[Any], NDArray[np.int32], NDArray[np.float32]]
_GAMES = 512  # replayed side by side


class Training:
    """An iterable of batches; made by `to_training`. After a pass, `games` and `positions` count what was taken and
    `left_out` the games that were not, by reason.
    """

    def __init__(
        self,
        records: Iterable[Record],
        game: Game,
        batch: int,
        compact: bool,
        unknown: float | None,
        shuffle: np.random.Generator | None,
        window: int,
    ):
        self.records, self.game, self.batch, self.compact = records, game, batch, compact
        self.unknown, self.shuffle, self.window = unknown, shuffle, max(window, batch)
        self.games = self.positions = 0
        self.left_out: Counter[str] = Counter()

    def __iter__(self) -> Iterator[TrainingBatch]:
        """The batches."""
        self.games = self.positions = 0
        self.left_out.clear()
        pool = _Pool(self.game, self.batch, self.compact, self.shuffle, self.window)
        for chunk in self._chunks():
            for observations, actions, results in _plies(*chunk):
                self.positions += len(actions)
                yield from pool.add(observations, actions, results)
        yield from pool.rest()

    def _chunks(self) -> Iterator["_Chunk"]:
        held: dict[bool, list[tuple[Record, float]]] = defaultdict(list)  # apart: games that allow suicide
        for record in self.records:
            score = record.score
            if record.game != self.game.name:
                self.left_out[f"a game of {record.game}"] += 1
            elif score is None and self.unknown is None:
                self.left_out["no known result"] += 1
            else:
                suicide = props.allows_suicide(record.tags.get("rules", ""))
                held[suicide].append((record, self.unknown or 0.0 if score is None else 2 * score - 1))
                if len(held[suicide]) >= _GAMES:
                    yield self._prepared(held.pop(suicide), suicide)
        for suicide, rest in held.items():
            yield self._prepared(rest, suicide)

    def _prepared(self, held: list[tuple[Record, float]], suicide: bool) -> "_Chunk":
        if isinstance(self.game, Go):
            chunk = _go_chunk(self.game, held, suicide, self.left_out)
        elif isinstance(self.game, (Chess, Shogi)):
            chunk = _line_chunk(self.game, held, self.left_out)
        else:
            chunk = _other_chunk(self.game, held, self.left_out)
        self.games += len(chunk.lengths)
        return chunk


class _Chunk(NamedTuple):
    """Games to replay side by side: [G] first states, [G, T] actions and which to learn, [G] lengths and results."""

    game: Game
    states: States
    actions: NDArray[np.int32]
    learn: NDArray[np.bool_]
    lengths: NDArray[np.int32]
    results: NDArray[np.float32]


def to_training(
    records: Iterable[Record],
    game: Game,
    batch: int = 1024,
    *,
    compact: bool = False,
    unknown: float | None = None,
    shuffle: np.random.Generator | None = None,
    window: int = 16_384,
) -> Training:
    """Batches of positions with the move that was played and how the game ended, from records of `game`.

    Each batch is (observations, actions, results): what `Game.observe` shows before the move, float32 [B, C, Y, X] or
    uint8 if `compact`; int32 [B]; float32 [B], +1 if the mover won, -1 if the mover lost, 0 for a draw. B is `batch`,
    less in the last. With `shuffle` positions are drawn from a window of that many; without, they come ply by ply of
    512 games at a time, long games last.

    Games of another kind or size, and those without a known result are left out, unless `unknown` gives the value for
    Black or the first player to put in its place. A game that has an illegal move, stones set up within it or a move
    that KO orders is taken up to there. Passes that are in no file (`MainLine.implied`) are played, but not learnt.

    Raises ValueError for `compact` with a game whose planes hold fractions (chess and shogi: move counts).
    """
    if compact and isinstance(game, (Chess, Shogi)):
        raise ValueError(f"compact: {game.name}'s planes of move counts hold fractions, which bytes cannot")
    if batch < 1:
        raise ValueError(f"batch must be 1 or more, got {batch}")
    return Training(records, game, batch, compact, unknown, shuffle, window)


def _go_chunk(game: Go, held: list[tuple[Record, float]], suicide: bool, left_out: Counter[str]) -> _Chunk:
    lines, results = [], []
    for record, result in held:
        try:
            line = main_line_of(record)
        except ValueError:
            left_out["moves that are no moves"] += 1
            continue
        if not line.plain:
            line.actions = line.actions[: min([*line.setups, *line.forced])]
        lines.append(line)
        results.append(result)
    batch = Batch(lines, game.layout.width, game.layout.height, suicide)
    learn = np.ones(batch.actions.shape, np.bool_)
    for row, line in enumerate(lines):
        learn[row, [ply for ply in line.implied if ply < len(line.actions)]] = False
    return _Chunk(batch.game, batch.states, batch.actions, learn, batch.play(), np.array(results, np.float32))


def _line_chunk(game: Chess | Shogi, held: list[tuple[Record, float]], left_out: Counter[str]) -> _Chunk:
    """Chess or shogi, whose records know their legal actions or are checked in a kernel."""
    roots, lines, results = [], [], []
    for record, result in held:
        try:
            roots.append(chess_moves.start_of(record) if record.game != "shogi" else shogi_moves.start_of(record.setup))
        except ValueError:
            left_out["no legal first position"] += 1
            continue
        try:
            if record.game == "shogi":
                lines.append(shogi_moves.actions_of(record)[:MAX_PLIES])
            else:
                lines.append(chess_moves.actions_of(record))
        except ValueError:
            left_out["moves that are no moves"] += 1
            roots.pop()
            continue
        results.append(result)
    states = np.concatenate(roots) if roots else game.new(0)
    return _table(game, states, lines, results)


def _table(
    game: Game, states: States, lines: Sequence[Sequence[int] | NDArray[np.int32]], results: list[float]
) -> _Chunk:
    """Games as a chunk in which all moves are to be learnt."""
    lengths = np.array([len(actions) for actions in lines], np.int32)
    table = np.zeros((len(lines), max(lengths.tolist(), default=0)), np.int32)
    for row, actions in enumerate(lines):
        table[row, : len(actions)] = actions
    return _Chunk(game, states, table, np.ones(table.shape, np.bool_), lengths, np.array(results, np.float32))


def _other_chunk(game: Game, held: list[tuple[Record, float]], left_out: Counter[str]) -> _Chunk:
    """Any other game, replayed move by move to check them."""
    lines, roots, results = [], [], []
    for record, result in held:
        try:
            position = Position(game, record.setup)
        except ValueError:
            left_out["no legal first position"] += 1
            continue
        roots.append(position.state.copy())
        lines.append(_legal_actions(position, record.moves))
        results.append(result)
    return _table(game, np.concatenate(roots) if roots else game.new(0), lines, results)


def _legal_actions(position: Position, moves: Iterable[str]) -> list[int]:
    """The actions of `moves` up to the first that is illegal or no move."""
    actions = []
    for move in moves:
        try:
            actions.append(position.action(move))
        except ValueError:
            break
        position.play(actions[-1])
    return actions


def _plies(
    game: Game,
    states: States,
    actions: NDArray[np.int32],
    learn: NDArray[np.bool_],
    lengths: NDArray[np.int32],
    results: NDArray[np.float32],
) -> Iterator[TrainingBatch]:
    """What is to be learnt of each ply of all games, in turn; observations in bytes where the game has them."""
    order = np.argsort(-lengths, kind="stable")  # so that the games that go on are always the first rows
    states, actions, learn, lengths, results = (
        states[order],
        actions[order],
        learn[order],
        lengths[order],
        results[order],
    )
    observe = game.observe_bytes if isinstance(game, Go) else game.observe
    for ply in range(int(lengths[0]) if len(lengths) else 0):
        going = int(np.searchsorted(-lengths, -ply, "left"))
        now, played, wanted = states[:going], actions[:going, ply], learn[:going, ply]
        rows = slice(None) if wanted.all() else np.flatnonzero(wanted)
        signs = 1 - 2 * game.turn(now[rows]).astype(np.float32)
        yield observe(now[rows]), played[rows], results[:going][rows] * signs
        game.play(now, played)


class _Pool:
    """Collects positions and hands out batches: in order, or drawn at random from a full window."""

    def __init__(self, game: Game, batch: int, compact: bool, shuffle: np.random.Generator | None, window: int):
        self.batch, self.shuffle, self.size = batch, shuffle, 0
        self.room = batch if shuffle is None else window
        small = compact or (isinstance(game, Go) and shuffle is not None)
        self.given: np.dtype[Any] = np.dtype(np.uint8 if compact else np.float32)
        self.held: np.dtype[Any] = np.dtype(np.uint8 if small else np.float32)
        self.shape = game.planes
        self._empty()

    def _empty(self) -> None:
        self.observations = np.empty((self.room, *self.shape), self.held)
        self.actions = np.empty(self.room, np.int32)
        self.results = np.empty(self.room, np.float32)

    def add(
        self, observations: NDArray[Any], actions: NDArray[np.int32], results: NDArray[np.float32]
    ) -> Iterator[TrainingBatch]:
        """Take positions in; yields the batches that this fills."""
        start = 0
        while start < len(actions):
            count = min(len(actions) - start, self.room - self.size)
            to, of = slice(self.size, self.size + count), slice(start, start + count)
            self.observations[to], self.actions[to], self.results[to] = observations[of], actions[of], results[of]
            self.size += count
            start += count
            if self.size == self.room:
                yield self._full() if self.shuffle is None else self._drawn(self.shuffle)

    def rest(self) -> Iterator[TrainingBatch]:
        """What is left when all has been taken in."""
        while self.shuffle is not None and self.size > self.batch:
            yield self._drawn(self.shuffle)
        if self.size:
            rows = slice(self.size) if self.shuffle is None else self.shuffle.permutation(self.size)
            yield self._out(rows)
            self.size = 0

    def _out(self, rows: Any) -> TrainingBatch:
        shown = self.observations[rows].astype(self.given, copy=False)
        return shown, self.actions[rows], self.results[rows]

    def _full(self) -> TrainingBatch:
        given = self._out(slice(None))
        self.size = 0
        self._empty()  # what was given belongs to the receiver
        return given

    def _drawn(self, rng: np.random.Generator) -> TrainingBatch:
        """A batch drawn from the window; what lies at its end moves into the gaps."""
        drawn = rng.choice(self.size, self.batch, replace=False, shuffle=True)
        given = self._out(drawn)
        self.size -= self.batch
        gaps = drawn[drawn < self.size]
        stay = np.setdiff1d(np.arange(self.size, self.size + self.batch), drawn)
        for table in (self.observations, self.actions, self.results):
            table[gaps] = table[stay]
        return given
