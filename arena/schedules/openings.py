"""Openings: moves played before the players are asked, or positions to start from, from a file or at random.

``random:K`` makes openings of K random plies from the seed, in Chess960 each from a start position drawn from the 960.
A file holds

- one opening a line (``D4 Q16 Q4``, ``1. d4 d5 2. c4``, ``#`` starts a comment), with a set-up position as
  ``POSITION | D4 Q16``;
- or positions, one a line, as FEN or EPD (names that end in .fen or .epd), or as SFEN (.sfen), where lines of USI
  (``startpos moves 7g7f 3c3d``, ``sfen ... moves ...``) may stand, too;
- or game records (SGF, PGN, CSA, KIF and whatever else `sakiyomi.sgf.load` reads), whose main lines are taken:
  ``FILE:K`` takes no more than their first K plies.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np

from sakiyomi.arena.match import outcome_of
from sakiyomi.arena.schedules.schedule import Opening
from sakiyomi.boards.game import BadNotation, Game, IllegalMove
from sakiyomi.boards.position import Position

_HARMLESS = {"CHARSET_GUESSED", "CHARSET_LIES", "BROKEN_BYTES", "JUNK_OUTSIDE", "ODD_NUMBER", "ODD_RESULT"}
_HARMLESS |= {"NOT_UTF8", "TEXT_BEFORE", "DUPLICATE_TAG", "UNKNOWN_RESULT_TAG", "RESULTS_DISAGREE", "NO_RESULT"}
_HARMLESS |= {"NO_MOVETEXT", "UNKNOWN_VARIANT"}
_HARMLESS |= {"OTHER_GAME", "BOARD_TOO_BIG", "OTHER_VARIANT"}  # another game is refused by name
"""Faults of a record that leave no doubt of its moves."""
_MOVE_NUMBER = re.compile(r"(?<!\S)\d+\.(\.\.)?(?!\S)|(?<!\S)\d+\.(\.\.)?(?=[A-Za-z])", re.ASCII)
_RECORDS = (".pgn", ".csa", ".kif", ".kifu", ".ki2")
_USI = re.compile(r"(?:position\s+)?(startpos|sfen\s+[^|]+?)(?:\s+moves\b([^|]*))?", re.IGNORECASE)
_TRIES = 100
_STREAM = 0x0BE7  # keeps the numbers drawn for openings apart from those drawn for games
_CHESS960 = 960


def load_openings(source: str, game: Game, count: int, seed: int = 0) -> tuple[Opening, ...]:
    """The openings that `source` names: "" (the ordinary start), ``random:K``, or the path of a file.

    The ordinary start of Chess960 is any of the 960 positions: "" is ``random:0`` there. `count` is how many random
    ones are wanted (all different, as far as the game has as many); a file gives what it holds. Each is checked move
    by move. Raises ValueError that names file, line, move and the rule broken.
    """
    if drawn(source, game):
        plies = source.removeprefix("random:") or "0"
        if not re.fullmatch(r"\d+", plies):
            raise ValueError(f"openings {source!r}: a number of plies is wanted, as in random:4")
        return random_openings(game, int(plies), count, seed)
    if not source:
        return (Opening(),)
    path, most = _file(source)
    data = path.read_bytes()
    if _holds_records(path, data):
        found = _from_records(path, game, most)
    else:
        read = _from_positions if path.suffix.lower() in (".epd", ".fen", ".sfen") else _from_lines
        found = read(path, data.decode("utf-8-sig", "replace"), game, most)
    if not found:
        raise ValueError(f"openings {source!r}: the file holds none")
    return tuple(found if most is None else dict.fromkeys(found))  # games that begin alike are one opening


def drawn(source: str, game: Game) -> bool:
    """Are these openings made from the seed, so that their name says all and more of them can be had?"""
    return source.startswith("random:") or (not source and game.name == "chess960")


def random_openings(game: Game, plies: int, count: int, seed: int) -> tuple[Opening, ...]:
    """`count` openings of `plies` random legal moves (no passes), none of which ends the game.

    In Chess960 each begins with a start position drawn at random. Opening k depends on `seed` and the openings before
    it alone, so that more openings begin with the same ones. Raises ValueError if games of `plies` plies that are not
    over cannot be found.
    """
    found: list[Opening] = []
    known: set[Opening] = set()
    for index in range(count if plies or game.name == "chess960" else 1):
        rng = np.random.default_rng([seed, _STREAM, index])
        last: Opening | None = None
        for _ in range(_TRIES):
            opening = _random_opening(game, plies, rng)
            if opening is not None:
                last = opening
            if opening is not None and opening not in known:
                break
        if last is None:
            raise ValueError(f"openings 'random:{plies}': games of {game.name} are over by then; take fewer plies")
        found.append(last)
        known.add(last)
    return tuple(found)


def check_opening(game: Game, opening: Opening, where: str) -> Opening:
    """`opening` as the game writes it.

    Raises ValueError, beginning with `where`, for a setup that is none, an illegal move and the end of the game.
    """
    try:
        position = Position(game, opening.setup)
    except BadNotation as error:
        raise ValueError(f"{where}: {error}") from None
    start = None if opening.setup is None else position.text()
    written: list[str] = []
    for number, move in enumerate(opening.moves, 1):
        try:
            action = position.action(move)
        except (IllegalMove, BadNotation) as error:
            raise ValueError(f"{where}: move {number} ({move}): {error}") from None
        written.append(game.move_text(position.state, action))
        position.play(action)
    if (outcome := outcome_of(position)) is not None:
        after = f"after these {len(written)} moves" if written else f"there ({outcome.ending.text})"
        raise ValueError(f"{where}: the game is over {after}; an opening must leave one to play")
    return Opening(tuple(written), start)


def _random_opening(game: Game, plies: int, rng: np.random.Generator) -> Opening | None:
    position = _drawn_start(game, rng) if game.name == "chess960" else Position(game)
    setup = position.text() if game.name == "chess960" else None
    moves: list[str] = []
    for _ in range(plies):
        legal = [move for move in position.legal_moves() if move != "pass"]
        if not legal:
            return None
        moves.append(legal[int(rng.integers(len(legal)))])
        position.play(moves[-1])
    return None if position.outcome() else Opening(tuple(moves), setup)


def _drawn_start(game: Any, rng: np.random.Generator) -> Position:
    """One of Chess960's start positions."""
    position = Position(game)
    position.state = game.start(rng.integers(_CHESS960, size=1))
    return position


def _file(source: str) -> tuple[Path, int | None]:
    """The path, and how many plies to take of each game: ``FILE`` or ``FILE:K``."""
    path, most = Path(source), None
    if not path.is_file() and (cut := re.fullmatch(r"(.+):(\d+)", source, re.ASCII | re.DOTALL)):
        path, most = Path(cut[1]), int(cut[2])
    if not path.is_file():
        raise ValueError(f"openings {source!r}: no such file (random:K makes openings of K random plies)")
    return path, most


def _holds_records(path: Path, data: bytes) -> bool:
    """Is it a file of game records, not of lines? SGF and PGN are known by how they begin, others by their names."""
    begins_so = re.match(rb"\s*(\(\s*;|\[)", data.removeprefix(b"\xef\xbb\xbf")) is not None
    return begins_so or path.suffix.lower() in _RECORDS


def _from_lines(path: Path, text: str, game: Game, most: int | None) -> list[Opening]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        told = line.partition("#")[0]
        setup, bar, moves = told.rpartition("|")
        if setup.strip() or moves.strip():
            played = _MOVE_NUMBER.sub(" ", moves.replace(",", " ")).split()
            opening = _usi_line(told, game, most) or Opening(tuple(played[:most]), setup.strip() if bar else None)
            found.append(check_opening(game, opening, f"openings {path}, line {number}"))
    return found


def _usi_line(text: str, game: Game, most: int | None) -> Opening | None:
    """The opening that a line of USI tells, such as "startpos moves 7g7f"; None for another line."""
    match = _USI.fullmatch(text.strip()) if game.name == "shogi" else None
    if match is None:
        return None
    setup = None if match[1].lower() == "startpos" else match[1][len("sfen") :].strip()
    return Opening(tuple((match[2] or "").split()[:most]), setup)


def _from_positions(path: Path, text: str, game: Any, most: int | None) -> list[Opening]:
    """FEN, EPD or SFEN, one a line: what follows the position in EPD (``bm``, ``id``) is passed over."""
    sfen = path.suffix.lower() == ".sfen"
    if sfen and game.name != "shogi":
        raise ValueError(f"openings {path}: SFEN are positions of shogi, not of {game.name}")
    if not sfen and not hasattr(game, "parse_epd"):
        raise ValueError(f"openings {path}: FEN and EPD are positions of chess, not of {game.name}")
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        where = f"openings {path}, line {number}"
        if sfen:
            opening = _usi_line(line, game, most) or Opening((), line.strip())
            found.append(check_opening(game, opening, where))
            continue
        try:
            fields = line.replace(";", " ; ").split()
            clocks = [field.isascii() and field.isdigit() for field in fields[4:6]] == [True, True]
            state = game.parse_position(" ".join(fields[: 6 if clocks else 4]))
        except BadNotation as error:
            raise ValueError(f"{where}: {error}") from None
        found.append(check_opening(game, Opening((), game.position_text(state)), where))
    return found


def _from_records(path: Path, game: Game, most: int | None) -> list[Opening]:
    from sakiyomi.sgf import Collection

    collection = Collection(path)
    records = list(collection)
    if collection.failures:
        raise ValueError(f"openings {collection.failures[0]}")
    found = []
    for number, record in enumerate(records, 1):
        where = f"openings {path}, game {number}"
        faults = getattr(record.tree, "faults", ())
        if serious := [fault for fault in faults if fault.fault.name not in _HARMLESS]:
            found_at, wrong = serious[0], serious[0].fault.value.partition(":")[0]
            raise ValueError(f"{where}, byte {found_at.byte}, line {found_at.line}: {wrong}; mend the file")
        if record.game != game.name:
            raise ValueError(f"{where}: it is a game of {record.game}, {game.name} is wanted")
        found.append(check_opening(game, Opening(record.moves[:most], record.setup), where))
    return found
