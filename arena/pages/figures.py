"""The figures of a tournament as the pages show them: pure functions of its games, in the order of their numbers."""

from collections import Counter
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.pages.frames import Board, board_of, first_side
from sakiyomi.arena.pages.plot import history, plot
from sakiyomi.arena.pages.words import clock
from sakiyomi.arena.rating.joint import Fit, Rating, fit
from sakiyomi.arena.rating.sequential import Sprt
from sakiyomi.sgf.record import Record

FAIR = (Termination.NORMAL, Termination.RESIGNATION, Termination.MOVE_LIMIT)
"""Endings that are nobody's fault."""

FAULTS = 200
"""Faults that the page lists, at most; the list of games has them all."""


@dataclass(frozen=True)
class Entry:
    """A game in the list: number `number` of the tournament, with a record that has lost its moves, of which there were
    `plies`. `board` is what it is played on, None where that is not known; `second_first` tells whether the second
    player moved first, as in handicap games of shogi.
    """

    number: int
    played: Played
    plies: int
    board: Board | None
    second_first: bool

    @classmethod
    def of(cls, number: int, played: Played) -> "Entry":
        """The entry of a whole game."""
        record = played.record
        bare = replace(played, record=replace(record, moves=(), comments={}))
        second = bool(record.moves) and first_side(record) == 1
        return cls(number, bare, len(record.moves), board_of(record.game), second)

    @property
    def record(self) -> Record:
        """Game, players, result; without moves."""
        return self.played.record

    @property
    def fault(self) -> bool:
        """Did the game end by somebody's fault?"""
        return self.played.termination not in FAIR

    @property
    def ending(self) -> str:
        """Why the game ended: by which rule, or by whose doing."""
        return self.record.ending or str(self.played.termination)

    @property
    def moves(self) -> int:
        """The moves as players count them: in chess one of White's and one of Black's are one."""
        return (self.plies + 1) // 2 if self.record.game.startswith("chess") else self.plies


@dataclass(frozen=True)
class SprtState:
    """How the sequential test `test` of `one` against `other` stands: `counts` are pairs by the points of `one` in them
    (0, 1/2, 1, 3/2, 2), `verdict` "H0", "H1" or None.
    """

    test: Sprt
    one: str
    other: str
    counts: tuple[int, ...]
    verdict: str | None

    @property
    def shown(self) -> dict[str, Any]:
        """The ratio, its bounds, and where between them it stands, as percentages of the bar's width."""
        (low, high), llr = self.test.bounds, self.test.llr(self.counts)
        room = 0.08 * (high - low)
        least, width = low - room, high - low + 2 * room

        def at(value: float) -> float:
            return round(100 * (min(max(value, least), least + width) - least) / width, 2)

        most = max(*self.counts, 1)
        return {
            "llr": llr,
            "low": low,
            "high": high,
            "at": at(llr),
            "low_at": at(low),
            "high_at": at(high),
            "zero_at": at(0.0),
            "unit": "Elo" if self.test.scale == "logistic" else "normalized Elo",
            "pairs": sum(self.counts),
            "bars": [
                (points, count, round(100 * count / most, 1))
                for points, count in zip(("0", "½", "1", "1½", "2"), self.counts, strict=True)
            ],
        }


@dataclass(frozen=True)
class Standing:
    """A row of the table: the rating, the rank within its pool, and the mean thinking time of a game in seconds."""

    rating: Rating
    rank: int
    opens_pool: bool
    seconds: float


def figures(
    entries: Sequence[Entry],
    *,
    planned: int | None = None,
    anchor: str | None = None,
    anchor_elo: float = 0.0,
    test: SprtState | None = None,
    order: Sequence[Entry] | None = None,
    fits: MutableMapping[int, dict[str, float]] | None = None,
) -> dict[str, Any]:
    """What facts.html, standings.html and figures.html show; arguments as `report.write_report` has them.

    `order` are the entries in the order in which the games ended, if that is another; `fits` see `plot.history`.
    """
    rated = any(entry.played.rated and entry.record.players[0] != entry.record.players[1] for entry in entries)
    found = fit([entry.played for entry in entries], anchor=anchor, anchor_elo=anchor_elo) if rated else None
    table = found.table() if found else []
    names = [row.name for row in table]
    sides = sides_of(entries)
    return {
        "facts": _facts(entries, planned),
        "share": len(entries) / planned if planned and len(entries) < planned else None,
        "table": _standings(table, entries),
        "pools": 1 + max((row.pool for row in table), default=0),
        "plot": plot(table),
        "history": history([entry.played for entry in order or entries], table, {} if fits is None else fits),
        "cross": _cross(entries, names),
        "unrated": sorted({name for entry in entries for name in entry.record.players} - set(names)),
        "anchor": anchor,
        "sides": sides,
        "advantage": _advantage(entries, found, sides),
        "second_first": sum(entry.second_first for entry in entries),
        "endings": _endings(entries),
        "faults": [entry for entry in entries if entry.fault][:FAULTS],
        "count": len(entries),
        "test": test,
    }


def sides_of(entries: Sequence[Entry]) -> tuple[str, str]:
    """What the two sides are called, if they are called the same in all games."""
    named = {entry.board.sides for entry in entries if entry.board}
    return named.pop() if len(named) == 1 else ("First", "Second")


def _facts(entries: Sequence[Entry], planned: int | None) -> list[tuple[str, str]]:
    """The (label, figure) pairs under the title."""
    players = {name for entry in entries for name in entry.record.players}
    faults = sum(entry.fault for entry in entries)
    whole = f"{len(entries)} of {planned}" if planned is not None and planned > len(entries) else f"{len(entries)}"
    facts = [("Players", f"{len(players)}"), ("Games", whole)]
    kinds = Counter(entry.record.game for entry in entries)
    facts.append(("Game", ", ".join(name for name, _ in kinds.most_common(3)) or "none yet"))
    tags = {tuple(entry.record.tags.get(tag, "") for tag in ("rules", "komi")) for entry in entries}
    if len(tags) == 1:
        rules, komi = next(iter(tags))
        if rules and komi:
            facts.append(("Rules", f"{rules}, komi {komi}"))
    if entries:
        facts.append(("Moves a game", f"{sum(entry.moves for entry in entries) / len(entries):.0f}"))
        facts.append(("Thinking time", clock(sum(sum(entry.played.seconds) for entry in entries))))
        facts.append(("Faults", f"{faults}" if faults else "none"))
    return facts


def _standings(table: Sequence[Rating], entries: Sequence[Entry]) -> list[Standing]:
    times: dict[str, list[float]] = {}  # of each player, of all games: [seconds, games]
    for entry in entries:
        for name, seconds in zip(entry.record.players, entry.played.seconds, strict=True):
            spent = times.setdefault(name, [0.0, 0.0])
            spent[0] += seconds
            spent[1] += 1
    standings = []
    ranks: Counter[int] = Counter()
    for row in table:
        ranks[row.pool] += 1
        seconds, games = times[row.name]
        standings.append(Standing(row, ranks[row.pool], ranks[row.pool] == 1, seconds / games))
    return standings


def _cross(entries: Sequence[Entry], names: Sequence[str]) -> list[list[dict[str, Any] | None]]:
    """[row][column] what the player of the row made of the player of the column; None where they have not met."""
    met: dict[tuple[str, str], list[list[int]]] = {}  # [as first or second][won, drawn, lost]
    for entry in entries:
        score = entry.record.score
        if not entry.played.rated or score is None:
            continue
        first, second = entry.record.players
        met.setdefault((first, second), [[0, 0, 0], [0, 0, 0]])[0][round(2 - 2 * score)] += 1
        met.setdefault((second, first), [[0, 0, 0], [0, 0, 0]])[1][round(2 * score)] += 1
    return [[_cell(met.get((row, column))) if row != column else None for column in names] for row in names]


def _cell(met: list[list[int]] | None) -> dict[str, Any] | None:
    if met is None:
        return None
    wins, draws, losses = (sum(seat) for seat in zip(*met, strict=True))
    score = (wins + draws / 2) / (wins + draws + losses)
    seats = "; ".join(
        f"moving {order} {won}\N{EN DASH}{drawn}\N{EN DASH}{lost}"
        for order, (won, drawn, lost) in zip(("first", "second"), met, strict=True)
    )
    return {
        "wins": wins,
        "draws": draws,
        "losses": losses,
        "score": score,
        "side": "won" if score > 0.5 else "lost" if score < 0.5 else "even",
        "strength": round(abs(score - 0.5), 3),
        "seats": seats,
    }


def _advantage(entries: Sequence[Entry], found: Fit | None, sides: tuple[str, str]) -> dict[str, Any] | None:
    """What the first player made of all games, and what the fit says that moving first is worth."""
    if found is None:
        return None
    scores = Counter(entry.record.score for entry in entries if entry.played.rated)
    won, drawn, lost = (scores[score] for score in (1.0, 0.5, 0.0))
    total = won + drawn + lost
    return {
        "sides": sides,
        "shares": [(won, won / total), (drawn, drawn / total), (lost, lost / total)],
        "score": (won + drawn / 2) / total,
        "worth": found.advantage,
        "equal_draws": found.draws,
    }


def _endings(entries: Sequence[Entry]) -> list[tuple[str, int, float]]:
    """(ending, games, share), the most common first."""
    return [(ending, n, n / len(entries)) for ending, n in Counter(entry.ending for entry in entries).most_common()]
