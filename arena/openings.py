"""Openings: moves played before the players are asked, from a file or at random.

A file holds one opening a line (``D4 Q16 Q4``, ``#`` starts a comment), or game records (SGF and whatever else
`sakiyomi.sgf.load` reads), whose main lines are taken. ``random:K`` makes openings of K random plies from the seed.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sakiyomi.boards.game import BadNotation, Game, IllegalMove
from sakiyomi.boards.position import Position

Opening = tuple[str, ...]

_HARMLESS = {"CHARSET_GUESSED", "CHARSET_LIES", "BROKEN_BYTES", "JUNK_OUTSIDE", "ODD_NUMBER", "ODD_RESULT"}
_HARMLESS |= {"OTHER_GAME", "BOARD_TOO_BIG"}  # another game is refused by name
"""Faults of a record that leave no doubt of its moves."""
_TRIES = 100
_STREAM = 0x0BE7  # keeps the numbers drawn for openings apart from those drawn for games


def load_openings(source: str, game: Game, count: int, seed: int = 0) -> tuple[Opening, ...]:
    """The openings that `source` names: "" (the ordinary start), ``random:K``, or the path of a file.

    `count` is how many random ones are wanted (all different, as far as the game has as many); a file gives what it
    holds. Each is checked move by move. Raises ValueError that names file, line, move and the rule broken.
    """
    if not source:
        return ((),)
    if source.startswith("random:"):
        plies = source.removeprefix("random:")
        if not re.fullmatch(r"\d+", plies):
            raise ValueError(f"openings {source!r}: a number of plies is wanted, as in random:4")
        return random_openings(game, int(plies), count, seed)
    path = Path(source)
    if not path.is_file():
        raise ValueError(f"openings {source!r}: no such file (random:K makes openings of K random plies)")
    text = path.read_bytes()
    looks_like_sgf = re.match(rb"\s*\(\s*;", text.removeprefix(b"\xef\xbb\xbf")) is not None
    found = _from_records(path, game) if looks_like_sgf else _from_lines(path, text, game)
    if not found:
        raise ValueError(f"openings {source!r}: the file holds none")
    return tuple(found)


def random_openings(game: Game, plies: int, count: int, seed: int) -> tuple[Opening, ...]:
    """`count` openings of `plies` random legal moves (no passes), none of which ends the game.

    Opening k depends on `seed` and the openings before it alone, so that more openings begin with the same ones.
    Raises ValueError if games of `plies` plies that are not over cannot be found.
    """
    found: list[Opening] = []
    for index in range(count if plies else 1):
        rng = np.random.default_rng([seed, _STREAM, index])
        drawn: Opening | None = None
        for _ in range(_TRIES):
            opening = _random_opening(game, plies, rng)
            if opening is not None:
                drawn = opening
            if opening is not None and opening not in found:
                break
        if drawn is None:
            raise ValueError(f"openings 'random:{plies}': games of {game.name} are over by then; take fewer plies")
        found.append(drawn)
    return tuple(found)


def check_opening(game: Game, moves: Sequence[str], where: str) -> Opening:
    """`moves` as the game writes them. Raises ValueError, beginning with `where`, for an illegal move or the end."""
    position = Position(game)
    written: list[str] = []
    for number, move in enumerate(moves, 1):
        try:
            action = position.action(move)
        except (IllegalMove, BadNotation) as error:
            raise ValueError(f"{where}: move {number} ({move}): {error}") from None
        written.append(game.move_text(position.state, action))
        position.play(action)
    if position.outcome() is not None:
        raise ValueError(
            f"{where}: the game is over after these {len(written)} moves; an opening must leave one to play"
        )
    return tuple(written)


def _random_opening(game: Game, plies: int, rng: np.random.Generator) -> Opening | None:
    position = Position(game)
    moves: list[str] = []
    for _ in range(plies):
        legal = [move for move in position.legal_moves() if move != "pass"]
        if not legal:
            return None
        moves.append(legal[int(rng.integers(len(legal)))])
        position.play(moves[-1])
    return None if position.outcome() else tuple(moves)


def _from_lines(path: Path, text: bytes, game: Game) -> list[Opening]:
    found = []
    for number, line in enumerate(text.decode("utf-8-sig", "replace").splitlines(), 1):
        if moves := line.partition("#")[0].replace(",", " ").split():
            found.append(check_opening(game, moves, f"openings {path}, line {number}"))
    return found


def _from_records(path: Path, game: Game) -> list[Opening]:
    from sakiyomi.sgf import Collection

    collection = Collection(path)
    records = list(collection)
    if collection.failures:
        raise ValueError(f"openings {collection.failures[0]}")
    found = []
    for number, record in enumerate(records, 1):
        where = f"openings {path}, game {number}"
        if serious := [fault for fault in record.tree.faults if fault.fault.name not in _HARMLESS]:
            found_at, wrong = serious[0], serious[0].fault.value.partition(":")[0]
            raise ValueError(f"{where}, byte {found_at.byte}, line {found_at.line}: {wrong}; mend the file")
        if record.game != game.name:
            raise ValueError(f"{where}: it is a game of {record.game}, {game.name} is wanted")
        if record.setup is not None:
            raise ValueError(f"{where}: it starts from a set-up position; openings are moves from the ordinary start")
        found.append(check_opening(game, record.moves, where))
    return found
