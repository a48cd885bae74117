"""The command `train`: an agent learns a game or a task, in a folder where it can be stopped and gone on with."""

import shlex
import signal
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from sakiyomi.arena.cli_options import Ray

if TYPE_CHECKING:
    from rich.console import Console

    from sakiyomi.agents.agent import Progress
    from sakiyomi.arena.training import Run

LINE_EVERY = 60.0
"""Seconds between two lines where there is no terminal."""
_RUNNING = "Running"


def train(
    agent: Annotated[str | None, typer.Argument(help="alphazero, ...; see 'sakiyomi list agents'")] = None,
    task: Annotated[str | None, typer.Argument(help="connect4, go-9x9, pendulum, ...")] = None,
    preset: Annotated[
        str | None, typer.Option(metavar="NAME", help="a configuration of the agent's (default: the one for the task)")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="one setting; may be repeated")
    ] = None,
    presets: Annotated[bool, typer.Option("--presets", help="list the agent's presets, and do no more")] = False,
    show: Annotated[bool, typer.Option("--show", help="print the settings that a run has, and do no more")] = False,
    budget: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="30m, 1h30m, 5000steps, 1e6env; several: what ends first")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="the same seed learns the same (default 0)", min=0)] = None,
    out: Annotated[str | None, typer.Option(metavar="DIR", help="folder of the run", rich_help_panel=_RUNNING)] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on with the run in DIR", rich_help_panel=_RUNNING)
    ] = False,
    runtime: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="what computes networks that act: auto, torch, openvino-int8, ...",
            rich_help_panel=_RUNNING,
        ),
    ] = None,
    ray: Ray = None,
    records: Annotated[
        str | None,
        typer.Option(
            metavar="PATH,...", help="alphago: SGF files, folders, archives to learn from", rich_help_panel=_RUNNING
        ),
    ] = None,
    stage: Annotated[
        str | None, typer.Option(metavar="NAME", help="alphago: one stage alone", rich_help_panel=_RUNNING)
    ] = None,
) -> None:
    """Let an agent learn a game or a task. Ctrl-C saves; --resume goes on.

    Unless --preset names one, the preset is taken that is called as the task, or else whose name is a pattern of it:
    dmc/*@dreamer fits dmc/walker-walk@dreamer, *@pixels fits pendulum@pixels. Where none fits, it is the agent's first,
    and a note says so.

    The budget is that of all runs in DIR together: to learn on when it is spent, resume with a greater one. Without a
    budget the agent learns until it is stopped. env counts steps of the environment: moves of self-play, frames.

    Example: sakiyomi train alphazero connect4 --budget 30m --out runs/c4

    Example: sakiyomi train --resume --out runs/c4 --budget 2h

    Example: sakiyomi train alphazero --presets

    Example: sakiyomi train alphazero tictactoe --set simulations=50 --show

    Example: sakiyomi train alphago go-9x9 --records games/ --budget 2h --out runs/go

    \b
    Then:
      sakiyomi play connect4 --against alphazero:runs/c4
      sakiyomi tournament connect4 alphazero:runs/c4@sims=50 uct:1000 alphabeta:4 --games 20

    An agent of yours (docs/agents.md): sakiyomi train python:my_agent:MyAgent tictactoe --out runs/mine
    """
    if resume:
        fixed = {"--preset": preset, "--set": settings or None, "--seed": seed}
        run = _stored(out, agent, task, [name for name, value in fixed.items() if value is not None])
    else:
        if agent is None:
            raise ValueError("an agent and a task are wanted, as in: sakiyomi train alphazero connect4 --budget 30m")
        if presets:
            _print_presets(agent)
            return
        from sakiyomi.arena.training import Run, configured

        config = configured(agent, task, preset, settings or ())
        run = Run(agent, task or "", config, seed or 0)
    if show:
        _print_settings(run.config)
        return
    if not run.task:
        raise ValueError(f"a task is wanted, as in: sakiyomi train {agent} connect4 (see 'sakiyomi list games|tasks')")
    folder = Path(out or f"runs/{_file_name(run.agent)}-{_file_name(run.task)}-{time.strftime('%Y%m%d-%H%M%S')}")
    given = {"runtime": runtime, "ray": ray, "records": records, "stage": stage}
    options = {name: value for name, value in given.items() if value is not None}
    _train(run, folder, budget, resume, options)


def _stored(out: str | None, agent: str | None, task: str | None, changed: Sequence[str]) -> "Run":
    """The run that is to be resumed. Raises ValueError for what cannot change in it."""
    from sakiyomi.arena.training import Run

    if out is None:
        raise ValueError("--resume goes on with the run of a folder: name it, as in --resume --out runs/c4")
    if changed:
        raise ValueError(f"{changed[0]} cannot change when a run is resumed; begin another in another folder")
    run = Run.stored(Path(out))
    for what, wanted, had in (("agent", agent, run.agent), ("task", task, run.task)):
        if wanted not in (None, had):
            raise ValueError(f"{out} holds a run of the {what} {had}, not {wanted}")
    return run


def _train(run: "Run", folder: Path, budget: str | None, resume: bool, options: dict[str, Any]) -> None:
    """Learn, showing how it goes, until the budget is spent or somebody stops it."""
    from sakiyomi.agents.agent import TrainingBudget
    from sakiyomi.arena.live import plain_console
    from sakiyomi.arena.training import clock_text, parse_budget

    allowed = TrainingBudget() if budget is None else parse_budget(budget)
    begin = run.resume if resume else run.start
    stages = begin(folder, allowed, **options)
    console, last = plain_console(), None
    command = f"sakiyomi train --resume --out {shlex.quote(str(folder))}"
    how = f"to go on: {command}"
    try:
        with _stopping() as stopped, _View(console) as view, _notes(console):
            console.print(f"{run.agent} learns {run.task} as preset {run.preset} says, in {folder}")
            for progress in stages:
                last = progress
                view.show(progress)
                if stopped:
                    stages.close()  # type: ignore[attr-defined]  # a generator: it saves
                    break
    except KeyboardInterrupt:
        console.print(f"stopped at once; {how} (from what was last saved)")
        raise
    if last is None:
        console.print("nothing was learnt: the budget is spent; resume with a greater one")
        return
    done = f"{clock_text(last.seconds)}, {last.steps:,} steps"
    if stopped:
        console.print(f"stopped after {done}, saved; {how}")
        raise typer.Exit(130)
    if not last.steps:
        if budget is None:  # a stage that prepares
            console.print(f"done, without a step of learning; {how}")
        else:
            console.print(f"the budget is spent and nothing learnt yet; with a greater one: {command} --budget ...")
        return
    console.print(f"learnt for {done}; the player: {shlex.quote(f'{run.agent}:{folder}')}")


class _View:
    """Shows how a run goes: lines that renew themselves in a terminal, one line a minute anywhere else."""

    def __init__(self, console: "Console"):
        from rich.live import Live

        self._console, self._shown = console, -LINE_EVERY
        self._live = Live("starting ...", console=console, transient=True) if console.is_terminal else None
        self._figures: dict[str, float] = {}
        self._line = ""

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()
        if self._line:
            self._console.print(self._line)

    def show(self, progress: "Progress") -> None:
        """So far it is; figures that it does not tell again are shown as they were told last."""
        from rich.text import Text

        from sakiyomi.arena.training import MAIN, groups_of, line_of

        self._figures |= progress.scalars
        head, groups = line_of(progress), groups_of(self._figures)
        lines = [f"{group}: {figures}" if group else figures for group, figures in groups.items()]
        main = [line for line, group in zip(lines, groups, strict=True) if group in MAIN]
        self._line = "  ".join([head, *main])
        if self._live:
            self._live.update(Text("\n".join([head, *lines])))
        elif time.monotonic() - self._shown >= LINE_EVERY:
            self._shown = time.monotonic()
            self._console.print(self._line)
            self._line = ""


@contextmanager
def _notes(console: "Console") -> Iterator[None]:
    """Show what is warned of as a line, once, and not where in the code."""
    told: set[str] = set()

    def tell(message: Warning | str, *place: Any, **more: Any) -> None:
        if str(message) not in told:
            told.add(str(message))
            console.print(f"note: {message}")

    with warnings.catch_warnings():
        warnings.showwarning = tell
        yield


@contextmanager
def _stopping() -> Iterator[list[int]]:
    """Note signals that stop a command, so that it stops where all is in order; the second one stops it at once."""
    noted: list[int] = []

    def note(number: int, frame: Any) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.append(number)
        typer.echo("\nstopping when this step is done, and saving ... (once more: at once, without)", err=True)

    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    heeded = [number for number in numbers if before[number] is not signal.SIG_IGN]  # nohup ignores hang-ups
    for number in heeded:
        signal.signal(number, note)
    try:
        yield noted
    finally:
        for number in heeded:
            signal.signal(number, before[number])


def _print_presets(agent: str) -> None:
    """The presets, each with what distinguishes it from the first."""
    from sakiyomi.agents.parts.runs.flags import settings_of
    from sakiyomi.arena.agent_specs import agent_class

    presets = agent_class(agent).presets
    usual = dict(settings_of(next(iter(presets.values()))))
    width = max(map(len, presets))
    for number, (name, config) in enumerate(presets.items()):
        others = [f"{key}={value}" for key, value in settings_of(config) if usual.get(key) != value]
        if number == 0:
            others = ["(--show prints its settings; of the others, what differs from it)"]
        print(f"{name:{width}}  {' '.join(others)}".rstrip())


def _print_settings(config: Any) -> None:
    from sakiyomi.agents.parts.runs.flags import settings_of

    for name, value in settings_of(config):
        print(f"{name}={value}")


def _file_name(name: str) -> str:
    return name.replace(":", "-").replace("/", "-")
