"""PGN main lines as columns: every game of a text, every move checked by the rules, no Python object per move.

What is read: tag pairs; SAN as liberally as `Chess.parse_move` reads it, UCI, figurines; `{}` and `;` comments, NAGs
and `!?` signs, results. Variations are skipped and counted. `pgn_scan` says where games begin and end, `Stop` why a
main line may stop before its game does.

Games, moves, comments, NAGs and tags are those of python-chess, but for these differences; docs/pgn.md has them as a
table, with what records make of them.

Games: a tag line right after movetext starts a game, and so does, after a blank line, a tag whose name was there
before, where python-chess takes the first for movetext and the second for the same game; a blank line between tags or
comments and the moves does not end the game.

Tags: they may be indented, several in a line, and followed by moves in their line; an escaped quotation mark does not
close a value. From a position that cannot be (three kings, nine pawns, castling rights without king and rook in place)
no moves are read (`Stop.BAD_POSITION`), where python-chess plays on; an empty FEN tag or "?" is the usual start. Other
variants keep their tags only (`Stop.VARIANT`).

Movetext: `;` comments are read; ``1e4`` is a number and a move, ``1/2`` a result; figurines, all dashes, and what only
`Chess.parse_move` reads are seen; a variation before the first move is one, and does not open the main line; a word
that names a square but is no move (Sf3) ends the main line, where python-chess reads the letters it knows (f3). At a
null move these columns stop; the result behind an illegal move is still read.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards import rows
from sakiyomi.boards.batches import plain, ready
from sakiyomi.boards.chess import fen, san
from sakiyomi.boards.chess.game import Chess
from sakiyomi.boards.chess.state import STATE
from sakiyomi.boards.game import BadNotation, States
from sakiyomi.sgf import pgn_replay, pgn_scan
from sakiyomi.sgf.pgn_scan import Closing, Stop

__all__ = ["Closing", "PgnColumns", "Stop", "read_columns", "san_texts", "uci_texts"]

GRAIN = 16  # games that one thread takes at least
CHESS960 = ("chess960", "chess 960", "fischerandom", "fischerrandom", "fischer random")
_STANDARD = ("standard", "chess", "classical", "normal", "illegal", "from position")
_OTHERS = """suicide|suicide chess|giveaway|giveaway chess|give away|give away chess|antichess|anti chess|anti|atomic
|atom|atomic chess|king of the hill|koth|kingofthehill|racing kings|racing|race|racingkings|horde|horde chess
|three-check|three check|threecheck|three check chess|3-check|3 check|3check|crazyhouse|crazy house|house|zh"""
OTHER_VARIANTS = frozenset(name.strip() for name in _OTHERS.split("|"))
"""Variants with other rules, by the names that PGN has for them. Any other name is read as chess: moves are checked."""


@dataclass(frozen=True)
class PgnColumns:
    r"""G games, M moves of their main lines, C comments there, T tag pairs; places are byte offsets in `text`.

    starts, movetexts, stops  int64 [G], the first byte of a game, the first behind its tags, the first behind it
    lines      int64 [G], the number of the line of `starts`, from 1
    tag_firsts int64 [G + 1]; tags int64 [T, 4], start and stop of the name and of the value, with its ``\"`` and ``\\``
    chess960   bool [G], by the Variant tag, or because the FEN has castling rights that standard chess has not
    states     [G] records, the first positions; the standard one too where the FEN tag cannot be used
    move_firsts int64 [G + 1], where each game's moves begin in the next three
    actions    int32 [M], for ``Chess(chess960=...).play``
    codes      uint16 [M], UCI in real squares: from | to << 6 | promotion << 12 (1 n, 2 b, 3 r, 4 q); see `uci_texts`
    offsets    int64 [M], where the move stands
    comment_firsts int64 [G + 1]; comments int64 [C, 3], moves before it, start and stop of the text without braces
    results    int8 [G], `Closing`: the last result in the movetext
    nags, variations  int32 [G], NAGs and !? signs of the main line; variations of any depth
    faults     uint8 [G], `Stop`; fault_places int64 [G], where that is
    """

    text: bytes
    starts: NDArray[np.int64]
    movetexts: NDArray[np.int64]
    stops: NDArray[np.int64]
    lines: NDArray[np.int64]
    tag_firsts: NDArray[np.int64]
    tags: NDArray[np.int64]
    chess960: NDArray[np.bool_]
    states: States
    move_firsts: NDArray[np.int64]
    actions: NDArray[np.int32]
    codes: NDArray[np.uint16]
    offsets: NDArray[np.int64]
    comment_firsts: NDArray[np.int64]
    comments: NDArray[np.int64]
    results: NDArray[np.int8]
    nags: NDArray[np.int32]
    variations: NDArray[np.int32]
    faults: NDArray[np.uint8]
    fault_places: NDArray[np.int64]

    def __len__(self) -> int:
        """G."""
        return len(self.starts)

    def moves(self, game: int) -> slice:
        """The places of a game's moves in `actions`, `codes` and `offsets`."""
        return slice(int(self.move_firsts[game]), int(self.move_firsts[game + 1]))

    def game_text(self, game: int) -> bytes:
        """The bytes of a game, tags and movetext."""
        return self.text[self.starts[game] : self.stops[game]]

    def tag_bytes(self, game: int) -> dict[bytes, bytes]:
        """The tags of a game as they stand; of equal names the last counts."""
        rows_of = self.tags[self.tag_firsts[game] : self.tag_firsts[game + 1]].tolist()
        return {self.text[a:b]: self.text[c:d] for a, b, c, d in rows_of}

    def tag_table(self, game: int, encoding: str = "utf-8") -> dict[str, str]:
        """The tags of a game, unescaped, in `encoding`; a value that is not in it is taken as Latin-1."""
        return {name.decode("ascii"): _tag_text(value, encoding) for name, value in self.tag_bytes(game).items()}

    def comment_bytes(self, game: int) -> list[tuple[int, bytes]]:
        """The main line's comments: how many moves stand before each, and its text without braces."""
        rows_of = self.comments[self.comment_firsts[game] : self.comment_firsts[game + 1]].tolist()
        return [(ply, self.text[a:b]) for ply, a, b in rows_of]


def _tag_text(value: bytes, encoding: str) -> str:
    try:
        text = value.decode(encoding)
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return text.replace('\\"', '"').replace("\\\\", "\\") if "\\" in text else text


def read_columns(text: bytes, *, last: bool = True) -> tuple[PgnColumns, int]:
    """Read all games of `text`, and how many of its bytes are done with.

    With ``last=False`` more text will follow: the last game, which may go on there, is left, and the second value is
    where it begins. The columns take 1.8 kB a game and some bytes a move: of a large file, read some MB at a time.
    """
    data = np.frombuffer(text, np.uint8)
    games, tags = _split(data)
    done = len(text)
    if not last:
        done = int(games[-1, pgn_scan.START]) if len(games) else _last_line(text)
        games = games[:-1]
        tags = tags[: np.searchsorted(tags[:, 0], done)]
    chess960, states, faults, places = _first_positions(text, games, tags)
    found = np.zeros((len(games), pgn_replay.FOUND_COLUMNS), np.int64)
    found[:, pgn_replay.FAULT] = faults
    moves = _replay(data, games, states, chess960, found)
    columns = PgnColumns(
        text=text,
        starts=games[:, pgn_scan.START].copy(),
        movetexts=games[:, pgn_scan.MOVETEXT].copy(),
        stops=games[:, pgn_scan.STOP].copy(),
        lines=games[:, pgn_scan.LINE].copy(),
        tag_firsts=np.append(games[:, pgn_scan.FIRST_TAG], len(tags)),
        tags=tags,
        chess960=chess960,
        states=states,
        move_firsts=moves.firsts,
        actions=moves.actions,
        codes=moves.codes,
        offsets=moves.offsets,
        comment_firsts=moves.comment_firsts,
        comments=moves.comments,
        results=found[:, pgn_replay.RESULT].astype(np.int8),
        nags=found[:, pgn_replay.NAGS].astype(np.int32),
        variations=found[:, pgn_replay.VARIATIONS].astype(np.int32),
        faults=found[:, pgn_replay.FAULT].astype(np.uint8),
        fault_places=np.where(places >= 0, places, found[:, pgn_replay.FAULT_PLACE]),
    )
    return columns, done


def _last_line(text: bytes) -> int:
    """Where the last line begins; a CR at the very end may be half of a line's end."""
    return max(text.rfind(b"\n"), text.rfind(b"\r", 0, max(len(text) - 1, 0))) + 1


def _split(data: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The tables of games and tags; the kernel stops when one is full and goes on with a new one."""
    room_games, room_tags = len(data) // 500 + 16, len(data) // 100 + 64
    i, line, tags_before = 0, 1, 0
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    while i < len(data) or not parts:
        games = np.empty((room_games, pgn_scan.GAME_COLUMNS), np.int64)
        tags, counts = np.empty((room_tags, 4), np.int64), np.zeros(4, np.int64)
        pgn_scan.split(data, np.uint64(i), np.uint64(line), games, tags, counts)
        n_games, n_tags, i, line = counts.tolist()
        games, tags = games[:n_games], tags[:n_tags]
        for column in (pgn_scan.FIRST_TAG, pgn_scan.FEN_TAG, pgn_scan.VARIANT_TAG):
            games[:, column] += np.where(games[:, column] == pgn_scan.NO_TAG, 0, tags_before)
        parts.append((games, tags))
        tags_before += n_tags
        room_games, room_tags = 2 * room_games, 2 * room_tags
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([games for games, _ in parts]), np.concatenate([tags for _, tags in parts])


def _first_positions(
    text: bytes, games: NDArray[np.int64], tags: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], States, NDArray[np.uint8], NDArray[np.int64]]:
    """By the tags Variant and FEN: Chess960 or not, first positions, and faults with their places (else -1)."""
    states = Chess().new(len(games))
    chess960, faults = np.zeros(len(games), np.bool_), np.zeros(len(games), np.uint8)
    places = np.full(len(games), -1, np.int64)
    fen_tags, variant_tags = games[:, pgn_scan.FEN_TAG], games[:, pgn_scan.VARIANT_TAG]
    for game in np.flatnonzero((fen_tags >= 0) | (variant_tags >= 0)).tolist():
        if (tag := variant_tags[game]) >= 0:
            name = text[tags[tag, 2] : tags[tag, 3]].decode("latin-1").lower()
            chess960[game] = name in CHESS960
            if name in OTHER_VARIANTS:
                faults[game], places[game] = Stop.VARIANT, tags[tag, 2]
                continue
        if (tag := fen_tags[game]) >= 0:
            found = _position(text[tags[tag, 2] : tags[tag, 3]].decode("latin-1"), bool(chess960[game]))
            if found is None:
                faults[game], places[game] = Stop.BAD_POSITION, tags[tag, 2]
            else:
                states[game : game + 1], chess960[game] = found
    return chess960, states, faults, places


@lru_cache(maxsize=4096)
def _position(text: str, chess960: bool) -> tuple[States, bool] | None:
    """The position of a FEN tag and whether it is one of Chess960; None if it is no position.

    Fields that are missing at the end are filled in, as is usual for PGN; "?" and nothing mean the usual start.
    """
    fields = text.split()
    if fields in ([], ["?"]):
        fields = fen.START.split()
    text = " ".join(fields + ["w", "-", "-", "0", "1"][len(fields) - 1 :])
    for rights in (chess960, True):
        try:
            state = fen.read(text, rights)
        except BadNotation:
            continue
        state.setflags(write=False)
        return state, rights
    return None


class _Moves(NamedTuple):
    """The columns of moves and comments, as in `PgnColumns`."""

    firsts: NDArray[np.int64]
    actions: NDArray[np.int32]
    codes: NDArray[np.uint16]
    offsets: NDArray[np.int64]
    comment_firsts: NDArray[np.int64]
    comments: NDArray[np.int64]


def forget_positions() -> None:
    """Empty the store of positions already read from FEN tags, so that a benchmark reads them again."""
    _position.cache_clear()


def _replay(
    data: NDArray[np.uint8],
    games: NDArray[np.int64],
    states: States,
    chess960: NDArray[np.bool_],
    found: NDArray[np.int64],
) -> _Moves:
    """Fill `found` and return the rest.

    Each game writes into a room that must suffice. A move takes three bytes: two-byte ones are pawn moves, which need
    a space or a longer move behind them, as e4e5 would be one move, and two castlings as OO.
    """
    move_rooms, note_rooms = _firsts(games[:, pgn_scan.BYTES] // 3 + 4), _firsts(games[:, pgn_scan.COMMENTS])
    notes = np.empty((int(note_rooms[-1]), 3), np.int64)
    wide = _move_columns(int(move_rooms[-1]))
    tables = (data, np.ascontiguousarray(games), states.view(np.uint64), chess960, move_rooms, note_rooms)
    rows.run(pgn_replay.replay_rows, len(games), GRAIN, *tables, *wide, notes, found)
    firsts = _firsts(found[:, pgn_replay.MOVES])
    packed = _move_columns(int(firsts[-1]))
    rows.run(pgn_replay.pack_rows, len(games), GRAIN, move_rooms, firsts, *wide, *packed)
    counts = found[:, pgn_replay.NOTES]
    note_firsts = _firsts(counts)
    kept = np.repeat(note_rooms[:-1] - note_firsts[:-1], counts) + np.arange(note_firsts[-1])
    return _Moves(firsts, *packed, note_firsts, notes[kept])


def _move_columns(count: int) -> tuple[NDArray[np.int32], NDArray[np.uint16], NDArray[np.int64]]:
    """Room for actions, codes and offsets."""
    return np.empty(count, np.int32), np.empty(count, np.uint16), np.empty(count, np.int64)


def _firsts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """[n + 1]: where each of n parts begins, and where the last ends."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])


@cache
def _uci_table() -> NDArray[np.object_]:
    squares = [file + rank for rank in "12345678" for file in "abcdefgh"]
    texts = [origin + to + piece for piece in ("", *"nbrq") for to in squares for origin in squares]
    return np.array(texts, object)


def uci_texts(codes: NDArray[np.uint16]) -> list[str]:
    """Moves as UCI, from `PgnColumns.codes`."""
    texts: list[str] = _uci_table()[codes].tolist()
    return texts


def san_texts(
    states: States, actions: NDArray[np.int32], lengths: NDArray[np.int64], chess960: NDArray[np.bool_]
) -> list[str]:
    """Strict SAN of B games in one list: the first positions [B], their legal actions [M] one game behind the other.

    `lengths` [B] sum up to M; `chess960` [B]. Raises ValueError if they do not.
    """
    words = ready(states, STATE).view(np.uint64)
    lengths = plain(lengths, np.int64, (len(states),))
    firsts = _firsts(lengths)
    flat = plain(actions, np.int32, (int(firsts[-1]),))
    modes = plain(chess960, np.bool_, (len(states),))
    texts = np.zeros(len(flat) * san.LONGEST, np.uint8)
    rows.run(san.san_rows, len(states), GRAIN, words, modes, firsts, flat, texts)
    written: list[str] = texts.view(f"S{san.LONGEST}").astype(f"U{san.LONGEST}").tolist()
    return written
