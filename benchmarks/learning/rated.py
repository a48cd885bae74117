"""Rated games in the arena: an agent against other players, on one scale."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from course import Mark, at_least

from sakiyomi.agents.parts.strength.score import Score
from sakiyomi.arena import Tournament
from sakiyomi.arena.engines.process import find_program
from sakiyomi.arena.store import Row
from sakiyomi.boards.game import Game
from sakiyomi.boards.go import Go

GNUGO = "gtp:gnugo --mode gtp --level {} --chinese-rules --capture-all-dead --positional-superko"


def against_gnugo(
    agent: Any,
    folder: Path,
    game: Go,
    *,
    games: int,
    simulations: int,
    bar: float | None = None,
    black_bar: float | None = None,
    level: int = 10,
) -> Iterator[Mark]:
    """The agent in `folder` against GNU Go at `game`, with bars for its score and for that as Black.

    Says so if GNU Go is not installed.
    """
    what = f"{games} games against GNU Go level {level}, komi {game.komi:g}, {simulations} simulations"
    if not installed("gnugo"):
        yield Mark(what, "not measured: GNU Go is not installed")
        return
    players = {"learned": f"{kind_of(agent)}:{folder}@sims={simulations}", "gnugo": GNUGO.format(level)}
    contest = Tournament(game, players, games=games, openings="random:2", seed=1)
    contest.run()
    yield marked(f"{what}, those as Black", score_as(contest.rows, 0), black_bar)
    yield marked(f"{what}, those as White", score_as(contest.rows, 1), None)
    yield marked(what, score_as(contest.rows, 0) + score_as(contest.rows, 1), bar)


def score_as(rows: list[Row], side: int) -> Score:
    """The learned player's games with that colour."""
    points = [row.played.record.score for row in rows if (row.pairing.first, row.pairing.second)[side] == "learned"]
    won = 1.0 - side
    return Score(points.count(won), points.count(0.5), points.count(1.0 - won))


def marked(what: str, score: Score, bar: float | None) -> Mark:
    """The score as a mark, with a bar or none."""
    return Mark(what, str(score)) if bar is None else at_least(what, score.mean, str(score), bar)


def rated(game: Game, players: dict[str, str], games: int, out: Path) -> Iterator[Mark]:
    """A round robin of `players`, so many games a pair, and everybody's rating; records and report go to `out`."""
    tournament = Tournament(game, players, games=games, openings="random:2", seed=1, out=out, resume=out.exists())
    for rating in tournament.run():
        counts = f"{rating.wins} won, {rating.draws} drawn, {rating.losses} lost"
        yield Mark(f"rating of {rating.name}", f"{rating.elo:+.0f} ({rating.low:+.0f} to {rating.high:+.0f}), {counts}")


def installed(program: str) -> bool:
    """Is there an outside program of that name?"""
    try:
        find_program(program)
    except ValueError:
        return False
    return True


def kind_of(agent: Any) -> str:
    """The agent's name in player specs."""
    return type(agent).__name__.lower()
