"""`Tournament`: who plays, how often, from which openings; plays it with workers, stores each game, resumes.

tournament = Tournament("go-9x9", ["random", "greedy", "uct:100"], games=10, out="first")
for rating in tournament.run():
    print(rating.name, rating.elo)
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakiyomi.arena.adjudication import Adjudication
from sakiyomi.arena.admission import (
    Players,
    admitted,
    check_no_other_clock,
    check_numbers,
    clock_given,
    clocks_of,
    folder_of,
    openings_of,
    workers_of,
)
from sakiyomi.arena.config import check_resumed, config_of, game_options
from sakiyomi.arena.folder import Folder
from sakiyomi.arena.match import MARGIN, Played
from sakiyomi.arena.players import parse_spec
from sakiyomi.arena.playing import NO_LIMIT, Conditions
from sakiyomi.arena.results import score_of, title_of, write_results
from sakiyomi.arena.running.crew import PATIENCE, TICK, Crew
from sakiyomi.arena.running.everywhere import check_crew, crew_for
from sakiyomi.arena.running.games import Games
from sakiyomi.arena.running.limits import Limits
from sakiyomi.arena.running.watching import remove_running, running_entries, write_running
from sakiyomi.arena.schedules.openings import drawn
from sakiyomi.arena.schedules.schedule import Agenda, Opening, Pairing
from sakiyomi.arena.schedules.spec import ROUND_ROBIN, ScheduleSpec, Stage, parse_schedule
from sakiyomi.arena.store import Row, Store, StoreError, utc_now
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import Budget

if TYPE_CHECKING:
    from sakiyomi.arena.rating.joint import Rating

PAUSE = 0.5
"""Seconds between two looks whether a pause is over."""


class Tournament:
    """A tournament of `players` at `game`, in colour-swapped pairs.

    `schedule` says who meets whom ("round-robin", "swiss:7", "sprt:0,5"...; see `schedules/spec.py`), `games` how many
    games any two play who meet (None: 10; in a Swiss tournament 2; in a test at the most, 10,000).
    `players` are specs ("uct:800", "strong=uct:800"), a mapping from names to specs, or `Player` objects (these play
    in this process). `openings` is "" (the ordinary start; in Chess960 one drawn for each pair), "random:K", a file's
    path, or a list of move lists (see `schedules/openings.py`); `budget` is what each move may cost; `workers` the
    number of processes (None: one a processor; 0: this process, where `patience`, the seconds until a silent player
    has lost, cannot be enforced).
    `clock` is a time control for the game ("60+0.6", see `clock.py`), or one for each player by name ("*": all others);
    `margin` the seconds that a move may come late; `adjudication` tells when games end early; `annotate` whether
    records note times and scores (None: on clocks). `restart` starts players afresh for each game, `pin` gives workers
    processors of their own, `memory` bytes to each with its engines, `nice` a lower priority; `ray` is the address of a
    Ray cluster to play on.
    `out` is the folder for results (None: nothing is written). With `resume` the games that `out` holds are kept and
    the rest is played; everything but how it is run must be as before, but a tournament may grow: by more
    games, by players after those that it had (not in a Swiss tournament or a test), by Swiss rounds.

    The seed of a game comes from `seed` and the game's number alone, so that players whose effort is counted in
    simulations play the same games with any number of workers.

    Raises ValueError for anything that cannot be played, and StoreError if `out` cannot be used; nothing has been
    written then.
    """

    def __init__(
        self,
        game: Game | str,
        players: Players,
        *,
        games: int | None = None,
        schedule: str = ROUND_ROBIN,
        openings: str | Sequence[Sequence[str] | Opening] = "",
        budget: Budget = NO_LIMIT,
        seed: int = 0,
        workers: int | None = None,
        out: str | Path | None = None,
        resume: bool = False,
        margin: float = MARGIN,
        patience: float = PATIENCE,
        clock: str | Mapping[str, str] = "",
        adjudication: Adjudication = Adjudication(),  # noqa: B008 it is frozen
        annotate: bool | None = None,
        restart: bool = False,
        pin: bool = False,
        memory: int | None = None,
        nice: int = 0,
        ray: str = "",
        options: Mapping[str, Any] | None = None,
    ):
        form = parse_schedule(schedule)
        games = form.games if games is None else games
        check_numbers(games, seed, workers, margin, patience)
        self.game = make_game(game, **options or {}) if isinstance(game, str) else game
        self.budget, self.seed, self.margin, self.patience = budget, int(seed), margin, patience
        self.specs, self._objects = admitted(players, self.game)
        self.workers = workers_of(workers, bool(self._objects), self.game, ray)
        self.names = (*self.specs, *self._objects)
        lines = openings_of(openings, self.game, form.lines(games), seed)
        self.clocks = clocks_of(clock, self.names, budget)
        if self.clocks:
            check_no_other_clock(self.specs)
        adjudication.referee(self.game)
        self.conditions = Conditions(
            budget, None, margin, adjudication, bool(self.clocks) if annotate is None else annotate
        )
        self.restart = restart
        self.limits, self.ray = Limits(pin, memory, nice), ray
        check_crew(self.workers, self.limits, ray)
        self.config = self._config(games, form, openings, lines)
        self.folder = folder_of(out)
        self._resume = resume
        if self.folder and self.folder.database.exists():
            self.config["stages"] = self._stages(form)
        self._new_schedule = partial(form.make, self.names, games, lines, self.config["stages"])
        self.schedule = self._new_schedule()
        self.rows: list[Row] = []
        """Games played so far, those of earlier runs first."""
        self._crew: Crew | None = None

    def _config(
        self, games: int, form: ScheduleSpec, openings: str | Sequence[Any], lines: Sequence[Opening]
    ) -> dict[str, Any]:
        """What fixes the games, as JSON: random openings by their name, so that more can be drawn, others in full."""
        named = isinstance(openings, str) and drawn(openings, self.game)
        return {
            "game": self.game.name,
            "options": game_options(self.game),
            "players": [[name, self.specs.get(name, "")] for name in self.names],
            "schedule": form.text,
            "stages": [],
            "games": games,
            "openings": openings if named else [line.text for line in lines],
            "seed": self.seed,
            "simulations": self.budget.simulations,
            "seconds": self.budget.seconds,
            "depth": self.budget.depth,
            "margin": self.margin,
            "clock": {name: control.text for name, control in self.clocks.items()},
            "adjudication": self.conditions.adjudication.settings,
            "annotate": self.conditions.annotate,
            "restart": self.restart,
        }

    @classmethod
    def stored(
        cls,
        out: str | Path,
        *,
        games: int | None = None,
        schedule: str | None = None,
        add: Sequence[str] = (),
        **settings: Any,
    ) -> "Tournament":
        """The tournament in the folder `out`, to be resumed as it was set up.

        It may grow to more `games`, to a `schedule` of more Swiss rounds, and by the players `add` (specs); `settings`
        are how it is run: workers, patience, pin, memory, ray.
        """
        with Store.open(Folder(Path(out)).database) as store:
            config = config_of(store)
        openings = config["openings"]
        players = dict(config["players"])
        for text in add:
            spec = parse_spec(text)
            if spec.name in players:
                raise ValueError(f"{spec.name!r} plays in {out} already; name the other one otherwise: NAME={text}")
            players[spec.name] = spec.text
        return cls(
            config["game"],
            players,
            games=config["games"] if games is None else games,
            schedule=config["schedule"] if schedule is None else schedule,
            openings=openings if isinstance(openings, str) else [Opening.parse(line) for line in openings],
            budget=Budget(config["simulations"], config["seconds"], config["depth"]),
            seed=config["seed"],
            out=out,
            resume=True,
            margin=config["margin"],
            clock=clock_given(config["clock"]),
            adjudication=Adjudication.of(config["adjudication"]),
            annotate=config["annotate"],
            restart=config["restart"],
            options=config["options"],
            **settings,
        )

    @property
    def title(self) -> str:
        """The tournament in a few words."""
        return title_of(self.game.name, self.names)

    @property
    def running(self) -> list[tuple[Pairing, int]]:
        """The games now played by workers, and how many moves each has."""
        return [(game.job, len(game.moves)) for game in self._crew.doing] if self._crew else []

    def run(self) -> "list[Rating]":
        """Play all that is left to play; the standings."""
        for _ in self.stream():
            pass
        return self.standings()

    def stream(self) -> Iterator[Played]:
        """Play all that is left to play, handing over each game when it has ended and is stored."""
        with ExitStack() as stack:
            store = self._open(stack)
            self.schedule = self._new_schedule()
            agenda = Agenda(self.schedule, {row.pairing.number: score_of(row) for row in self.rows})
            for row in self._play(agenda, stack):
                if store:
                    store.add(row)
                self.rows.append(row)
                agenda.note(row.pairing.number, score_of(row))
                if self.folder:
                    self.folder.write_record(row, self.title)
                yield row.played
            self.write_results()

    def standings(self) -> "list[Rating]":
        """Ratings from the games played so far."""
        from sakiyomi.arena.rating.joint import ratings

        return ratings(self.played)

    @property
    def played(self) -> list[Played]:
        """The games played so far, by number."""
        return [row.played for row in sorted(self.rows, key=lambda row: row.pairing.number)]

    def write_results(self) -> None:
        """Write standings.json, report.html and, of chess, all-games.pgn for the games played so far."""
        if self.folder:
            write_results(self.folder, self.title, self.rows, self.schedule)

    def _play(self, agenda: Agenda, stack: ExitStack) -> Iterator[Row]:
        warm = {parse_spec(spec).kind.warm for spec in self.specs.values()} - {""}
        lean = self.limits.memory is not None
        games = Games(
            self.game,
            self.specs,
            self.conditions,
            self.clocks,
            self.seed,
            tuple(sorted(warm)),
            restart=self.restart,
            lean=lean,
        )
        if self.workers == 0:
            yield from self._play_here(agenda, games, stack)
        elif len(agenda):
            self._crew = stack.enter_context(self._hire(games))
            if self.folder:
                stack.callback(remove_running, self.folder.running)
            for done in self._crew.do(agenda):
                yield Row(*done)

    def _hire(self, games: Games) -> Crew:
        """The workers, here or on a Ray cluster."""
        given: dict[str, Any] = {"log": self.folder.log if self.folder else None, "patience": self.patience}
        given |= {"limits": self.limits, "paused": self._paused, "tick": self._tell}
        return crew_for(games, self.workers, ray=self.ray, **given)

    def _paused(self) -> bool:
        return self.folder is not None and self.folder.paused

    def _tell(self) -> None:
        """Let others see the games that are being played."""
        if self.folder:
            write_running(self.folder.running, running_entries(self._crew.doing if self._crew else ()))

    def _play_here(self, agenda: Agenda, games: Games, stack: ExitStack) -> Iterator[Row]:
        bench = games.bench(self._objects)
        stack.callback(bench.close)
        if self.folder:
            stack.callback(remove_running, self.folder.running)
        told = -math.inf
        while pairing := agenda.take():
            while self._paused():
                time.sleep(PAUSE)
            if time.monotonic() - told > TICK:
                self._tell()
                told = time.monotonic()
            started = utc_now()
            yield Row(pairing, bench.do(pairing), started, utc_now())

    def _open(self, stack: ExitStack) -> Store | None:
        """The store, locked for this process, with the games of earlier runs read into `rows`."""
        if not self.folder:
            return None
        self.folder.make()
        stack.callback(self.folder.release)
        if not self.folder.database.exists():
            try:
                store = Store.create(self.folder.database, self.config)
            except StoreError:
                self.folder.unmake()
                raise
            return stack.enter_context(store)
        form = parse_schedule(self.config["schedule"])
        self._stages(form)
        store = stack.enter_context(Store.open(self.folder.database, writing=True))
        rows = []
        for row in list(store.rows()):
            if form.grows and not row.played.termination.rated:
                store.remove(row.pairing.number)  # the reason may be gone by now
            else:  # where results decide who meets whom, also games without one have had their say
                rows.append(row)
        self.rows = rows  # all or none, if this is interrupted
        if store.config != self.config:
            store.set_config(self.config)
        self.folder.write_missing_records(self.rows, self.title)
        return store

    def _stages(self, form: ScheduleSpec) -> list[Stage]:
        """The schedules from which the stored tournament has grown to this one.

        Raises ValueError unless it may be resumed with these settings.
        """
        assert self.folder is not None
        if not self._resume:
            raise ValueError(f"{self.folder.path} holds a tournament already: resume it, or choose another folder")
        with Store.open(self.folder.database) as store:
            stored = config_of(store)
        return check_resumed(self.folder.path, stored, self.config, form)
