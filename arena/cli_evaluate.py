"""The command `evaluate`: episodes of one player in a task, or games against another, with figures and a film."""

import difflib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sakiyomi.arena.tasks.episodes import Outcome
    from sakiyomi.arena.tasks.seat import AgentTaskPlayer
    from sakiyomi.boards.game import Game
    from sakiyomi.envs.video import Film
    from sakiyomi.sgf.record import Record

BOARD_PACE = 1.5
"""Frames a second of a game's film."""


def evaluate(
    task: Annotated[str, typer.Argument(help="pendulum, ALE/Pong-v5, go-9x9, ...; see 'sakiyomi list tasks|games'")],
    player: Annotated[str, typer.Argument(help="who acts: random, swingup, uct:400, ...; see 'sakiyomi list players'")],
    against: Annotated[str, typer.Option(metavar="PLAYER", help="games: who plays the other side")] = "random",
    episodes: Annotated[int, typer.Option(help="episodes, or games with sides taken in turn", min=1)] = 10,
    seed: Annotated[int, typer.Option(help="the same seed gives the same episodes", min=0)] = 0,
    video: Annotated[
        str | None, typer.Option(metavar="FILE|DIR", help="film them: .gif, .mp4, .npz, or a folder of PNGs")
    ] = None,
    fps: Annotated[float | None, typer.Option(help="frames a second (default: the task's own pace)")] = None,
    foresight: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="tasks: what an agent foresees beside what then happens: .png, .npz; seen as pixels: .gif, .mp4, too",
        ),
    ] = None,
    simulations: Annotated[int | None, typer.Option(help="games: simulations a move")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the figures as JSON")] = False,
) -> None:
    """Let a player act in a task, say what it achieves and how sure that is, and film it if you like.

    Episodes are those of 'sakiyomi tournament' with the same seed.

    Example: sakiyomi evaluate cartpole-swingup swingup --episodes 20 --video swingup.gif

    \b
    More:
      sakiyomi evaluate point-mass@pixels random --video frames.npz --json
      sakiyomi evaluate go-9x9 uct:400 --against uct:100 --episodes 2 --video games.mp4
      sakiyomi evaluate pendulum pets:runs/pets --foresight fans.png
      sakiyomi evaluate point-mass@pixels dreamer:runs/dreamer --foresight dream.gif
    """
    from sakiyomi.envs.catalog import is_task

    scores: list[float] = []
    with ExitStack() as stack:
        watched = None if foresight is None else _watched(foresight, task, player)
        if is_task(task):
            found = _episodes(task, player, episodes, seed, video, fps, stack)
        else:
            found = _games(task, player, against, episodes, seed, video, fps, simulations, stack)
        lines = []
        for line in found:
            lines.append(line)
            scores += [] if line["score"] is None else [line["score"]]
            if not as_json:
                print(line["text"], flush=True)
    figures = figures_of(scores)
    if as_json:
        rows = [{key: value for key, value in line.items() if key != "text"} for line in lines]
        print(json.dumps({"task": task, "player": player, "seed": seed, **figures, "episodes": rows}, indent=1))
    else:
        _print_figures(figures, "return" if is_task(task) else "score")
    if video is not None:
        print(video, file=sys.stderr)
    if foresight is not None and watched is not None:
        _write_foresight(task, watched, seed, foresight)
    if not scores:
        raise typer.Exit(1)


def figures_of(scores: Sequence[float]) -> dict[str, Any]:
    """Mean, interquartile mean, each with its 95 % interval (None for fewer than two), and their number."""
    import numpy as np

    from sakiyomi.arena.tasks.statistics import FINAL, bootstrap, enough, iqm, mean

    runs = [np.asarray(scores, np.float64)]
    figures: dict[str, Any] = {"count": len(scores)}
    for name, statistic in (("mean", mean), ("iqm", iqm)):
        if not scores:
            figures[name], figures[f"{name}_interval"] = None, None
            continue
        told = bootstrap(statistic, runs, replicates=enough(FINAL, runs)) if len(scores) > 1 else None
        figures[name] = float(statistic(runs))
        figures[f"{name}_interval"] = None if told is None else [float(told.low), float(told.high)]
    return figures


def _print_figures(figures: dict[str, Any], what: str) -> None:
    from sakiyomi.arena.tasks.words import figure

    if not figures["count"]:
        print("no episode was played to its end")
        return
    for name, title in (("mean", f"mean {what}"), ("iqm", "interquartile mean")):
        interval = figures[f"{name}_interval"]
        sure = f"  95 % interval {figure(interval[0])} to {figure(interval[1])}" if interval else ""
        print(f"{title:20}  {figure(figures[name])}{sure}")


def _episodes(
    name: str, spec: str, count: int, seed: int, video: str | None, fps: float | None, stack: ExitStack
) -> Iterator[dict[str, Any]]:
    """What became of each episode: those of a tournament with the same seed."""
    from sakiyomi.arena.tasks.episodes import Episode, EpisodeBench, run_seed
    from sakiyomi.arena.tasks.players import check_task_player
    from sakiyomi.arena.tasks.words import figure
    from sakiyomi.envs.catalog import make_task

    task = make_task(name)
    parsed = check_task_player(spec, [task])
    if video is not None:
        task = replace(task, build=_filmed(task, video, fps, stack))
    bench = EpisodeBench({name: task}, {parsed.name: parsed.text})
    stack.callback(bench.close)
    for run in range(1, count + 1):
        outcome = bench.do(Episode(run, name, parsed.name, run, run_seed(seed, run)))
        text = f"episode {run:{len(str(count))}}  {_told(outcome, figure)}"
        yield {
            "score": outcome.total if outcome.whole else None,
            "steps": outcome.steps,
            "seconds": round(outcome.seconds, 6),
            "ending": outcome.ending,
            "detail": outcome.detail,
            "text": text,
        }


def _told(outcome: "Outcome", figure: Callable[[float], str]) -> str:
    if not outcome.whole:
        return f"{outcome.ending} after {outcome.steps} steps: {outcome.detail}"
    return f"return {figure(outcome.total):>9}  {outcome.steps} steps, {outcome.ending}"


def _watched(path: Path, task: str, spec: str) -> "AgentTaskPlayer":
    """The player whose foresight is to be written. Raises ValueError for what cannot be written or foreseen."""
    from sakiyomi.envs.catalog import is_task

    if not is_task(task):
        raise ValueError("--foresight is for tasks; what is foreseen in a game, 'sakiyomi serve' shows")
    from sakiyomi.arena.tasks.foresight import foreseeing

    return foreseeing(path, task, spec)


def _write_foresight(task: str, player: "AgentTaskPlayer", seed: int, path: Path) -> None:
    from sakiyomi.arena.tasks.foresight import write_foresight

    write_foresight(task, player, seed, path)
    print(path, file=sys.stderr)


def _filmed(task: Any, video: str, fps: float | None, stack: ExitStack) -> Callable[[], Any]:
    """How to make the environment of `task` so that it is filmed."""
    from sakiyomi.envs.video import Film, Filmed, frames_a_second, visible

    env = visible(task)
    film = stack.enter_context(Film(video, fps or frames_a_second(env)))
    kept = [env]  # the first is there already; another is made only after a fault
    return lambda: Filmed(kept.pop() if kept else visible(task), film)


def _games(
    name: str,
    player: str,
    against: str,
    count: int,
    seed: int,
    video: str | None,
    fps: float | None,
    simulations: int | None,
    stack: ExitStack,
) -> Iterator[dict[str, Any]]:
    """What became of each game: 1, 0.5 or 0 for `player`, who moves first in the first, the third, ..."""
    from sakiyomi.arena.match import one_line
    from sakiyomi.arena.players import make_player
    from sakiyomi.arena.playing import play
    from sakiyomi.arena.tasks.episodes import run_seed
    from sakiyomi.boards.catalog import make_game
    from sakiyomi.boards.player import Budget
    from sakiyomi.envs.catalog import PLANTS

    if near := difflib.get_close_matches(name, PLANTS, 1):
        raise ValueError(f"unknown task {name!r}; did you mean {near[0]!r}?")
    game = make_game(name)
    sides = make_player(player, game), make_player(against, game)
    for side in sides:
        stack.callback(side.close)
    film = None
    if video is not None:
        from sakiyomi.envs.video import Film

        film = stack.enter_context(Film(video, fps or BOARD_PACE))
    for number in range(count):
        second = number % 2
        seated = (sides[1], sides[0]) if second else sides
        played = play(game, seated, Budget(simulations), seed=run_seed(seed, number // 2))
        first = played.record.score if played.rated else None
        score = None if first is None else 1 - first if second else first
        if film is not None:
            _film_game(film, game, played.record)
        told = "not counted" if score is None else {1.0: "won", 0.5: "drawn", 0.0: "lost"}[score]
        why = played.detail or f"{played.record.result}, {played.record.ending}"
        moved = "second" if second else "first"
        text = f"game {number + 1:{len(str(count))}}  {told} moving {moved}, {len(played.record.moves)} moves: "
        yield {
            "score": score,
            "moves": len(played.record.moves),
            "moved": moved,
            "ending": str(played.record.ending),
            "detail": played.detail,
            "text": text + one_line(why),
        }


def _film_game(film: "Film", game: "Game", record: "Record") -> None:
    """Every position of a game, the last one twice as long."""
    from sakiyomi.envs.drawing import picture

    film.begin()
    for position in record.positions(game):
        film.add(picture(game, position.state))
    film.add(picture(game, position.state))
