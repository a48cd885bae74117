"""Compile everything once, so that games start at once: rules, players and searches that are compiled, records."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from sakiyomi.agents.alphago import warmup as alphago_warmup
from sakiyomi.agents.parts.search import warmup as search_warmup
from sakiyomi.arena.players import KINDS, make_player
from sakiyomi.arena.playing import play
from sakiyomi.boards import warmup
from sakiyomi.boards.catalog import GAMES, make_game
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import Budget
from sakiyomi.envs import warmup as environment_warmup
from sakiyomi.sgf import warmup as record_warmup


def warm_up_players(game: Game, specs: Iterable[str]) -> None:
    """One cheap game of each player against itself. A fault of a player will show in its own games."""
    for spec in specs:
        players = make_player(spec, game), make_player(spec, game)
        play(game, players, Budget(simulations=2))
        for player in players:
            player.close()


def warm_up_all() -> Iterator[tuple[str, float]]:
    """Warm up games, environments, records, search and every kind of player; yields names and the seconds they took."""
    yield from warmup.warm_up_all()
    yield "environments", _seconds(environment_warmup.warm_up)
    yield "records", _seconds(record_warmup.warm_up)
    yield "search", _seconds(search_warmup.warm_up)
    yield "alphago", _seconds(alphago_warmup.warm_up)
    for kind in (kind for kind in KINDS if kind.warm):
        yield kind.name, _seconds(partial(_warm_up_kind, kind.warm))


def _warm_up_kind(spec: str) -> None:
    for game in map(make_game, GAMES):
        try:
            make_player(spec, game).close()
        except ValueError:
            continue  # a kind that does not play this game
        warm_up_players(game, [spec])


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
