"""One self-contained HTML page about a tournament: standings, cross table, ratings, and every game on a drawn board.

The page (report.html, .css and the .js beside this file) is filled here with text, figures and the games; it needs no
rules, no network and no other file. What a user named is escaped by Jinja in the page and as JSON in the data.
"""

import json
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.pages.frames import Board, Film, films
from sakiyomi.arena.rating.joint import Fit, Rating, fit

FAIR = (Termination.NORMAL, Termination.RESIGNATION, Termination.MOVE_LIMIT)
"""Endings that are nobody's fault."""
SCRIPTS = ("_board", "_moving", "_pieces", "_chess", "_kanji", "_shogi", "")
TURNS = 12
"""Where `turns` stands in the script's `FIELDS`."""
MARGIN = 400.0
"""Elo that the rating plot shows beyond the best and the worst; longer intervals are cut there and get an arrow."""


def write_report(
    path: Path,
    title: str,
    games: Sequence[Played],
    *,
    subtitle: str = "",
    planned: int | None = None,
    anchor: str | None = None,
    anchor_elo: float = 0.0,
) -> None:
    """Write the page about `games`, in the order of their numbers, to `path`; what stood there stays until it is whole.

    `planned` is the number of games that the tournament is to have. `anchor` is the player rated `anchor_elo`.
    """
    text = render(title, games, subtitle=subtitle, planned=planned, anchor=anchor, anchor_elo=anchor_elo)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def render(
    title: str,
    games: Sequence[Played],
    *,
    subtitle: str = "",
    planned: int | None = None,
    anchor: str | None = None,
    anchor_elo: float = 0.0,
) -> str:
    """The page as text; see `write_report`."""
    rated = any(game.rated and game.record.players[0] != game.record.players[1] for game in games)
    found = fit(games, anchor=anchor, anchor_elo=anchor_elo) if rated else None
    table = found.table() if found else []
    names = [row.name for row in table]
    unrated = sorted({name for game in games for name in game.record.players} - set(names))
    film_data = _films(games, [*names, *unrated])
    named = {board["sides"] for board in film_data["boards"]}
    sides = named.pop() if len(named) == 1 else ("First", "Second")
    return _template().render(
        title=title,
        subtitle=subtitle,
        facts=_facts(games, planned, found),
        progress=len(games) / planned if planned and len(games) < planned else None,
        table=[_standing(row, rank, table, games) for rank, row in enumerate(table)],
        pools=1 + max((row.pool for row in table), default=0),
        plot=_plot(table),
        cross=_cross(games, names),
        unrated=unrated,
        anchor=anchor,
        sides=sides,
        advantage=_advantage(games, found, sides),
        second_first=sum(_second_first(row) for row in film_data["games"]),
        endings=_endings(games),
        faults=[
            {"number": number, "players": game.record.players, "termination": game.termination, "detail": game.detail}
            for number, game in enumerate(games, 1)
            if game.termination not in FAIR
        ],
        count=len(games),
        data=_json(film_data),
        css=_text("report.css"),
        scripts=[_text(f"report{part}.js") for part in SCRIPTS],
    )


@lru_cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters |= {
        "elo": elo_text,
        "signed": signed,
        "clock": clock,
        "percent": percent,
        "likelihood": likelihood,
    }
    return environment.from_string(_text("report.html"))


def _text(name: str) -> str:
    return files("sakiyomi.arena.pages").joinpath(name).read_text(encoding="utf-8")


def elo_text(elo: float) -> str:
    """A rating in whole points, with a minus sign that is one."""
    return f"{round(elo):d}".replace("-", "\N{MINUS SIGN}")


def signed(elo: float) -> str:
    """A difference in whole points with its sign."""
    return f"{round(elo):+d}".replace("-", "\N{MINUS SIGN}") if round(elo) else "0"


def percent(share: float) -> str:
    """A share (0..1) with one decimal: "62.5 %"."""
    return f"{100 * share:.1f} %"


def likelihood(share: float) -> str:
    """A share as `percent` writes it, which never claims certainty."""
    return "> 99.9 %" if share > 0.9995 else percent(share)


def clock(seconds: float) -> str:
    """A time in the unit that suits it: "85 ms", "3.2 s", "4:05"."""
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _facts(games: Sequence[Played], planned: int | None, found: Fit | None) -> list[tuple[str, str]]:
    """The (label, figure) pairs under the title."""
    players = {name for game in games for name in game.record.players}
    moves = [_moves(game) for game in games]
    faults = sum(game.termination not in FAIR for game in games)
    whole = f"{len(games)} of {planned}" if planned is not None and planned != len(games) else f"{len(games)}"
    facts = [("Players", f"{len(players)}"), ("Games", whole)]
    kinds = Counter(game.record.game for game in games)
    facts.append(("Game", ", ".join(name for name, _ in kinds.most_common(3)) or "none yet"))
    tags = Counter(tuple(game.record.tags.get(tag, "") for tag in ("rules", "komi")) for game in games)
    if len(tags) == 1 and all(
        *tags,
    ):
        rules, komi = next(iter(tags))
        facts.append(("Rules", f"{rules}, komi {komi}"))
    if games:
        facts.append(("Moves a game", f"{sum(moves) / len(moves):.0f}"))
        facts.append(("Thinking time", clock(sum(sum(game.seconds) for game in games))))
        facts.append(("Faults", f"{faults}" if faults else "none"))
    return facts


@dataclass(frozen=True)
class Standing:
    """A row of the table: the rating, the rank within its pool, and the mean thinking time of a game in seconds."""

    rating: Rating
    rank: int
    opens_pool: bool
    seconds: float


def _standing(row: Rating, place: int, table: Sequence[Rating], games: Sequence[Played]) -> Standing:
    above = [other for other in table[:place] if other.pool == row.pool]
    times = [
        time for game in games for name, time in zip(game.record.players, game.seconds, strict=True) if name == row.name
    ]
    return Standing(row, len(above) + 1, not above, sum(times) / max(len(times), 1))


def _plot(table: Sequence[Rating]) -> dict[str, Any] | None:
    """Ratings with their intervals as percentages of the plot's width, and ticks at round figures."""
    if not table:
        return None
    lowest, highest = min(row.elo for row in table) - MARGIN, max(row.elo for row in table) + MARGIN
    low = max(min(row.low for row in table), lowest)
    high = min(max(row.high for row in table), highest)
    room = 0.04 * (high - low) or 50.0
    low, high = low - room, high + room

    def at(elo: float) -> float:
        return round(100 * (min(max(elo, low), high) - low) / (high - low), 2)

    step = next(
        (step for step in (5, 10, 20, 25, 50, 100, 200, 250, 500) if (high - low) / step <= 5),
        1000 * math.ceil((high - low) / 5000),
    )
    ticks = range(math.ceil(low / step), math.floor(high / step) + 1)
    return {
        "ticks": [(at(step * tick), elo_text(step * tick), tick == 0) for tick in ticks],
        "rows": [
            {
                "rating": row,
                "low": at(row.low),
                "elo": at(row.elo),
                "high": at(row.high),
                "cut_low": row.low < low,
                "cut_high": row.high > high,
            }
            for row in table
        ],
    }


def _cross(games: Sequence[Played], names: Sequence[str]) -> list[list[dict[str, Any] | None]]:
    """[row][column] what the player of the row made of the player of the column; None where they have not met."""
    met: dict[tuple[str, str], list[list[int]]] = {}  # [as first or second][won, drawn, lost]
    for game in games:
        score = game.record.score
        if not game.rated or score is None:
            continue
        first, second = game.record.players
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
        "side": "won" if score > 0.5 else "lost",
        "strength": round(abs(score - 0.5), 3),
        "seats": seats,
    }


def _advantage(games: Sequence[Played], found: Fit | None, sides: tuple[str, str]) -> dict[str, Any] | None:
    """What the first player made of all games, and what the fit says that moving first is worth."""
    if found is None:
        return None
    scores = [game.record.score for game in games if game.rated]
    won, drawn, lost = (scores.count(score) for score in (1.0, 0.5, 0.0))
    total = won + drawn + lost
    return {
        "sides": sides,
        "shares": [(won, won / total), (drawn, drawn / total), (lost, lost / total)],
        "score": (won + drawn / 2) / total,
        "worth": found.advantage,
        "equal_draws": found.draws,
    }


def _endings(games: Sequence[Played]) -> list[tuple[str, int, float]]:
    """(ending, games, share), the most common first."""
    return [(ending, n, n / len(games)) for ending, n in Counter(_ending(game) for game in games).most_common()]


def _ending(game: Played) -> str:
    """Why the game ended: by which rule, or by whose doing."""
    return game.record.ending or str(game.termination)


def _moves(game: Played) -> int:
    """The moves of a game as its players count them: in chess one of White's and one of Black's are one."""
    plies = len(game.record.moves)
    return (plies + 1) // 2 if game.record.game.startswith("chess") else plies


def _films(games: Sequence[Played], names: Sequence[str]) -> dict[str, Any]:
    """What the page's script gets: names, boards, endings, first positions, and the games as short lists in the order
    of the script's `FIELDS`.
    """
    boards: list[Board] = []
    endings: list[str] = []
    starts: list[str] = []
    rows: list[list[Any]] = []
    places = {name: place for place, name in enumerate(names)}
    for game, shown in zip(games, films(game.record for game in games), strict=True):
        record = game.record
        rows.append(
            [
                *(places[name] for name in record.players),
                record.result,
                record.score,
                _place(endings, _ending(game)),
                game.detail,
                [round(time, 3) for time in game.seconds],
                int(game.rated),
                " ".join(_texts(game, shown)),
                _place(boards, shown.board) if shown else -1,
                *(
                    (_place(starts, shown.start), shown.changes, _turns(shown), shown.fault)
                    if shown
                    else (0, "", "", "")
                ),
                {ply: text for ply, text in record.comments.items() if text != game.detail},
                *_more(shown),
            ]
        )
    lists = {"players": list(names), "endings": endings, "starts": starts}
    return {**lists, "boards": [asdict(board) for board in boards], "games": rows}


def _place(found: list[Any], entry: Any) -> int:
    """Where `entry` stands in the list, to whose end it is put if it is new."""
    if entry not in found:
        found.append(entry)
    return found.index(entry)


def _texts(game: Played, shown: Film | None) -> Sequence[str]:
    """The moves as the page is told them: in chess SAN as far as they are legal, in shogi those that are not."""
    if shown and shown.shogi:
        return game.record.moves[len(shown.turns) :]
    sans = shown.chess.sans if shown and shown.chess else ()
    return (*sans, *game.record.moves[len(sans) :])


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


def _second_first(row: list[Any]) -> bool:
    """Did the second player move first, as in handicap games of shogi?"""
    turns = row[TURNS]
    return bool(turns) and int(turns[0]) == 1


def _json(data: Any) -> str:
    """JSON that may stand in a script element: no "<" can end it."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
