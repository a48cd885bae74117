"""The command `ratings`."""

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sakiyomi.arena.rating.anchors import Anchor
    from sakiyomi.arena.rating.joint import Prior
    from sakiyomi.arena.rating.reading import Read
    from sakiyomi.arena.rating.resampling import Resampled

QUIET = 2.0
"""Seconds before progress is shown, and between two lines of it."""
FAILURES = 20
"""Games that could not be read, at most so many named."""
_DRAWS = ("davidson", "rao-kupper", "half-wins")
_PRIORS = ("weak", "none", "bayeselo")


def ratings(
    paths: Annotated[
        list[Path], typer.Argument(help="tournament folders, databases, game records, folders and archives of records")
    ],
    anchor: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=ELO", help="a known rating; may be repeated; NAME=ELO+-ERROR: known to an error"),
    ] = None,
    elo: Annotated[float, typer.Option(help="the rating of an --anchor that names none")] = 0.0,
    draws: Annotated[str, typer.Option(help="what a draw means: davidson, rao-kupper, half-wins")] = "davidson",
    prior: Annotated[str, typer.Option(help="what is believed before any game: weak, none, bayeselo")] = "weak",
    relative: Annotated[
        str, typer.Option("--relative-to", help="what errors are relative to: anchor, pool (its mean)")
    ] = "anchor",
    simulate: Annotated[
        int, typer.Option(metavar="N", help="errors from N simulated tournaments", min=0, show_default=False)
    ] = 0,
    bootstrap: Annotated[
        int, typer.Option(metavar="N", help="errors from N draws of colour-swapped pairs", min=0, show_default=False)
    ] = 0,
    seed: Annotated[int, typer.Option(help="of --simulate and --bootstrap", min=0)] = 0,
    los: Annotated[bool, typer.Option("--los", help="who is stronger than whom, how likely")] = False,
    expected: Annotated[bool, typer.Option("--expected", help="what everyone can expect against everyone")] = False,
    head_to_head: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="the results of one player by opponent; may be repeated")
    ] = None,
    min_games: Annotated[int, typer.Option(help="show only players with so many games; all count", min=0)] = 0,
    alias: Annotated[
        Path | None, typer.Option(metavar="FILE", help="lines: the name to use, a tab, another name of the same player")
    ] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="write the table there, too")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Rate the players of any games: tournaments of ours, game records of anybody's.

    All games are weighed at once: the order of games and files does not matter.

    Names that are spelt differently are different players, unless --alias says otherwise.

    Of PGN only the tags White, Black and Result are read.

    Elo figures mean expected scores. The interval holds the truth in 95 of 100 cases.

    LOS is the likelihood that a player is stronger than the next one in the table.

    --draws half-wins --prior none rates as Ordo does, --draws rao-kupper --prior bayeselo as BayesElo.

    With --prior none who won or lost every game is marked ">" or "<": results alone put no bound there.

    Example: sakiyomi ratings first second/tournament.sqlite games.sgf --anchor random

    Example: sakiyomi ratings *.pgn --anchor "Fruit 2.1=2700" --anchor "Crafty=2600+-30" --simulate 1000

    Example: sakiyomi ratings league/ --head-to-head strong --los --min-games 20 --csv table.csv
    """
    from sakiyomi.arena.rating.reading import read_aliases, read_games
    from sakiyomi.arena.rating.results import Results

    if simulate and bootstrap:
        raise ValueError("--simulate and --bootstrap are two ways to one thing: choose one")
    wanted = _Wanted(
        _one_of("--draws", draws, _DRAWS),
        _one_of("--prior", prior, _PRIORS),
        _one_of("--relative-to", relative, ("anchor", "pool")),
        simulate,
        bootstrap,
        seed,
        [anchor_of(text, elo) for text in anchor or []],
    )
    aliases = read_aliases(alias) if alias else {}
    progress = _Progress()
    read = read_games(paths, progress.reading)
    if aliases:
        read.outcomes = [(aliases.get(a, a), aliases.get(b, b), score) for a, b, score in read.outcomes]
    results = Results.of(read.outcomes)
    if not results.games:
        raise ValueError(f"no rated game in {', '.join(map(str, paths))} ({read.games} games read)")
    rated = wanted.rate(results, read, progress)
    _report(rated, results, read, min_games, head_to_head or [], los, expected, csv, as_json)


@dataclass
class _Rated:
    rows: "list[Any]"
    fit: Any
    resampled: "Resampled | None" = None


@dataclass
class _Wanted:
    """How to rate."""

    draws: Any
    prior: str
    relative: Any
    simulate: int
    bootstrap: int
    seed: int
    anchors: "list[Anchor]"

    def rate(self, results: Any, read: "Read", progress: "_Progress") -> _Rated:
        """The table and the fit."""
        from sakiyomi.arena.rating.joint import fit

        if self.simulate or self.bootstrap:
            return self._resampled(results, read, progress)
        if self.prior == "none":
            from sakiyomi.arena.rating.perfect import marked_ratings

            return _Rated(*marked_ratings(results, anchors=self.anchors, draws=self.draws, relative_to=self.relative))
        found = fit(results, anchors=self.anchors, draws=self.draws, prior=self._prior(), relative_to=self.relative)
        return _Rated(found.table(), found)

    def _prior(self) -> "Prior":
        from sakiyomi.arena.rating.joint import BAYESELO, WEAK

        return BAYESELO if self.prior == "bayeselo" else WEAK

    def _resampled(self, results: Any, read: "Read", progress: "_Progress") -> _Rated:
        import numpy as np

        from sakiyomi.arena.rating.bootstrap import bootstrap
        from sakiyomi.arena.rating.reading import seat_pairs
        from sakiyomi.arena.rating.resampling import simulate

        if self.prior == "none":
            raise ValueError("--simulate and --bootstrap need a prior: drawn anew, anybody may win every game")
        samples = self.simulate or self.bootstrap
        if samples < 2:
            raise ValueError("--simulate and --bootstrap need at least 2 samples, better 1000")
        rng = np.random.default_rng(self.seed)
        options: dict[str, Any] = {
            "samples": samples,
            "anchors": self.anchors,
            "draws": self.draws,
            "prior": self._prior(),
            "relative_to": self.relative,
            "progress": lambda done: progress.say(f"{done} of {samples} samples"),
        }
        if self.simulate:
            drawn = simulate(results, rng, **options)
        else:
            drawn = bootstrap(seat_pairs(read.outcomes), rng, **options)
        progress.clear()
        return _Rated(drawn.table, drawn.fit, drawn)


def anchor_of(text: str, elo: float = 0.0) -> "Anchor":
    """An anchor from NAME=ELO, NAME=ELO+-ERROR or NAME (rated `elo`). Raises ValueError for anything else."""
    from sakiyomi.arena.rating.anchors import Anchor

    name, equals, figures = text.rpartition("=")
    if not equals:
        return Anchor(text, elo)
    rating, _, error = figures.replace("±", "+-").partition("+-")
    try:
        return Anchor(name, float(rating), float(error) if error else 0.0)
    except ValueError as problem:
        raise ValueError(f"--anchor {text!r}: wanted NAME=ELO or NAME=ELO+-ERROR, such as Fruit=2700+-20") from problem


def _one_of(option: str, given: str, known: "Sequence[str]") -> str:
    if given not in known:
        raise ValueError(f"{option} {given}: there are: {', '.join(known)}")
    return given


class _Progress:
    """One line on standard error, renewed; nothing while all is quick."""

    def __init__(self) -> None:
        self._said = time.monotonic()
        self._shown = False

    def reading(self, games: int, share: float) -> None:
        """So many games are read, such a share of the files."""
        if share < 1 or self._shown:
            self.say(f"{games:,} games read, {100 * share:.0f} %")
        if share >= 1:
            self.clear()

    def say(self, text: str) -> None:
        """Show `text` unless something was shown a moment ago."""
        terminal, now = sys.stderr.isatty(), time.monotonic()
        if now - self._said > (0.2 if terminal and self._shown else QUIET):
            self._said, self._shown = now, True
            typer.echo(f"\r{text} " if terminal else text, err=True, nl=not terminal)

    def clear(self) -> None:
        """End the line."""
        if self._shown and sys.stderr.isatty():
            typer.echo("", err=True)
        self._shown = False


def _report(
    rated: _Rated,
    results: Any,
    read: "Read",
    min_games: int,
    names: "Sequence[str]",
    los: bool,
    expected: bool,
    csv: Path | None,
    as_json: bool,
) -> None:
    """Print everything, and say what was left out."""
    from sakiyomi.arena.rating import printing

    rows, found = [row for row in rated.rows if row.games >= min_games], rated.fit
    tallies = {name: printing.opponents(name, results, found) for name in names}
    superiority: Callable[[], Any] = lambda: (rated.resampled or found).los  # noqa: E731
    if csv:
        csv.write_text(printing.csv_text(rows), "utf-8")
    if as_json:
        content: dict[str, Any] = {
            "ratings": [asdict(row) for row in rows],
            "games": results.games,
            "advantage": asdict(found.advantage),
            "draw_rate": found.draws,
            "model": found.model,
        }
        order = found.order
        if los or expected:
            content["players"] = [found.players[i] for i in order]
        for key, asked, matrix in (("los", los, superiority), ("expected", expected, lambda: found.expected)):
            if asked:
                content[key] = matrix()[order][:, order]
        if tallies:
            content["head_to_head"] = tallies
        print(json.dumps(printing.plain(content), indent=1, ensure_ascii=False))
    else:
        parts = list(printing.rating_tables(rows))
        parts.append("\n".join([printing.lead_line(found), *printing.pool_lines(rated.rows)]))
        if los:
            parts.append(printing.matrix_table("LOS of row over column, %", found, superiority()))
        if expected:
            parts.append(printing.matrix_table("Expected score of row against column, %", found, found.expected))
        parts += [printing.opponents_table(name, tally) for name, tally in tallies.items()]
        print("\n\n".join(parts))
    _left_out(read, results.games)


def _left_out(read: "Read", rated: int) -> None:
    parts = [f"{read.games:,} games read, {rated:,} rated"]
    if read.undecided:
        parts.append(f"{read.undecided:,} without a result")
    if read.unnamed:
        parts.append(f"{read.unnamed:,} without both names")
    if own := read.games - read.undecided - read.unnamed - rated:
        parts.append(f"{own:,} of a player against itself")
    typer.echo("; ".join(parts), err=True)
    for failure in read.failures[:FAILURES]:
        typer.echo(f"left out: {failure}", err=True)
    if len(read.failures) > FAILURES:
        typer.echo(f"left out: {len(read.failures) - FAILURES} more", err=True)
