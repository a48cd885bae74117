"""The games as the page's scripts get them: lists of names, boards and endings, and each game as a short list.

The order of a game's list is that of the script's `FIELDS`. Where films are fetched one by one, a list ends behind the
board and has the number of plies in the place of the moves.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sakiyomi.arena.match import Played
from sakiyomi.arena.pages.figures import Entry
from sakiyomi.arena.pages.frames import Board, Film, films

FILM_ROW = 8
"""Where what is needed for the list of games ends in a game's list."""


class Lists:
    """What games have in common, each named by its place in a list; the lists only grow."""

    def __init__(self, players: Iterable[str] = ()):
        self.players = list(players)
        self.endings: list[str] = []
        self.starts: list[str] = []
        self.boards: list[Board] = []

    def row(self, entry: Entry) -> list[Any]:
        """A game without its film."""
        return [*self._head(entry), entry.plies, -1 if entry.board is None else _place(self.boards, entry.board)]

    def film_row(self, entry: Entry, played: Played, shown: Film | None) -> list[Any]:
        """A game with its film."""
        filmed = (
            (_place(self.starts, shown.start), shown.changes, _turns(shown), shown.fault) if shown else (0, "", "", "")
        )
        return [
            *self._head(entry),
            " ".join(_texts(played, shown)),
            _place(self.boards, shown.board) if shown else -1,
            *filmed,
            {ply: text for ply, text in played.record.comments.items() if text != played.detail},
            *_more(shown),
        ]

    def data(self, numbers: Sequence[int], games: list[list[Any]]) -> dict[str, Any]:
        """What the script reads: the lists and the games with these numbers."""
        return {
            "players": self.players,
            "endings": self.endings,
            "starts": self.starts,
            "boards": [asdict(board) for board in self.boards],
            "numbers": list(numbers),
            "games": games,
        }

    def _head(self, entry: Entry) -> list[Any]:
        record = entry.record
        return [
            *(_place(self.players, name) for name in record.players),
            record.result,
            record.score,
            _place(self.endings, entry.ending),
            entry.played.detail,
            [round(seconds, 3) for seconds in entry.played.seconds],
            int(entry.played.rated),
        ]


def with_films(entries: Sequence[Entry], games: Sequence[Played], players: Iterable[str]) -> dict[str, Any]:
    """The data of whole games, the names of whose players are listed in the order of `players`."""
    lists = Lists(players)
    shown = films(game.record for game in games)
    rows = [lists.film_row(*parts) for parts in zip(entries, games, shown, strict=True)]
    return lists.data([entry.number for entry in entries], rows)


def to_json(data: Any) -> str:
    """JSON that may stand in a script element: no "<" can end it."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _place(found: list[Any], entry: Any) -> int:
    """Where `entry` stands in the list, to whose end it is put if it is new."""
    if entry not in found:
        found.append(entry)
    return found.index(entry)


def _texts(played: Played, shown: Film | None) -> Sequence[str]:
    """The moves as the page is told them: in chess SAN as far as they are legal, in shogi those that are not."""
    if shown and shown.shogi:
        return played.record.moves[len(shown.turns) :]
    sans = shown.chess.sans if shown and shown.chess else ()
    return (*sans, *played.record.moves[len(sans) :])


def _turns(shown: Film) -> str | tuple[int, int]:
    """Who moved at each ply, or, where they took turns, who began and how many plies there are."""
    first = int(shown.turns[:1] or 0)
    regular = "".join(str((first + ply) % 2) for ply in range(len(shown.turns)))
    return (first, len(regular)) if regular == shown.turns else shown.turns


def _more(shown: Film | None) -> tuple[Any, ...]:
    """What the page needs for a FEN or SFEN of each position: `setup`, `rights`, `passants` and `check`."""
    if shown and shown.shogi:
        return shown.shogi.setup, "", "", int(shown.shogi.check)
    if shown is None or shown.chess is None:
        return ()
    chess = shown.chess
    texts = (",".join(f"{ply}{text}" for ply, text in pairs) for pairs in (chess.rights, chess.passants))
    return (chess.setup, *texts, int(chess.check))
