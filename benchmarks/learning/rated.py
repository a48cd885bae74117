"""Rated games in the arena: an agent against other players, on one scale."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course import Mark, at_least, searching

from sakiyomi.agents import AlphaZero
from sakiyomi.agents.opponents import make_opponent
from sakiyomi.agents.parts.strength.contest import Choose, contest, duel
from sakiyomi.agents.parts.strength.score import Score
from sakiyomi.arena import Tournament
from sakiyomi.arena.engines.process import find_program
from sakiyomi.arena.rating.estimates import Rating
from sakiyomi.arena.rating.joint import fit
from sakiyomi.arena.rating.results import Results
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
    yield from marks_of(tournament.run())


@dataclass(frozen=True)
class Rival:
    """A way to choose that is to be rated, and the fixed opponents that it meets."""

    name: str
    choose: Choose
    meets: tuple[str, ...]


def rated_together(game: Game, rivals: Sequence[Rival], games: int) -> list[Rating]:
    """Ratings after so many games of each rival against those that it meets and against the rival before it.

    All games of a pair are played at once, which asks networks in batches: much sooner done than `rated`.
    """
    scores: dict[tuple[str, str], Score] = {}
    for number, rival in enumerate(rivals):
        for word in rival.meets:
            scores[rival.name, word] = contest(game, rival.choose, make_opponent(word, 1), games, seed=1)
            print(f"  {rival.name} against {word}: {scores[rival.name, word]}", flush=True)
        if number:
            before = rivals[number - 1]
            scores[rival.name, before.name] = duel(game, rival.choose, before.choose, games, seed=1)
            print(f"  {rival.name} against {before.name}: {scores[rival.name, before.name]}", flush=True)
    counts = {
        (one, other, points): float(many)
        for (one, other), score in scores.items()
        for points, many in ((1.0, score.wins), (0.5, score.draws), (0.0, score.losses))
    }
    return fit(Results.of_counts(counts), advantage=False).table()  # either side moves first in half of the games


def marks_of(table: list[Rating]) -> Iterator[Mark]:
    """Ratings as marks without bars."""
    for rating in table:
        counts = f"{rating.wins} won, {rating.draws} drawn, {rating.losses} lost"
        yield Mark(f"rating of {rating.name}", f"{rating.elo:+.0f} ({rating.low:+.0f} to {rating.high:+.0f}), {counts}")


def above_alphabeta(agent: AlphaZero, folder: Path) -> Iterator[Mark]:
    """The agent on its way and at its end, rated with fixed players: is it above one that looks a ply ahead?"""
    rivals = []
    for place in sorted((folder / "snapshots").glob("*")):
        meets = ("greedy", "alphabeta:1") if rivals else ("random", "greedy", "alphabeta:1")
        choose = searching(AlphaZero.load(place), 100)
        rivals.append(Rival(f"after part {place.name}, 100 simulations", choose, meets))
    rivals.append(Rival("at the end, 100 simulations", searching(agent, 100), ("greedy", "alphabeta:1")))
    rivals.append(Rival("at the end, 400 simulations", searching(agent, 400), ("alphabeta:1",)))
    table = rated_together(agent.game, rivals, 20)
    yield from marks_of(table)
    elo = {rating.name: rating.elo for rating in table}
    above = elo["at the end, 400 simulations"] > elo["alphabeta:1"]
    yield Mark("400 simulations above alphabeta:1", "yes" if above else "no", "yes", above)


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
