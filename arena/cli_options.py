"""Options that several commands take, as types of their arguments."""

from typing import Annotated

import typer

_GAMES, _EFFORT, _ADJUDICATION, _RUNNING = "Games", "Time and effort", "Adjudication", "Running"


Games = Annotated[
    int | None,
    typer.Option(
        help="games for each two players who meet (default 10; swiss 2; sprt: at most 10000)", rich_help_panel=_GAMES
    ),
]
Schedule = Annotated[
    str | None,
    typer.Option(
        metavar="KIND",
        help="round-robin (default), gauntlet, ladder:K, swiss:ROUNDS, sprt:ELO0,ELO1",
        rich_help_panel=_GAMES,
    ),
]
Openings = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|random:PLIES",
        help="moves or positions at the start: lines, FEN, EPD, SFEN, records",
        rich_help_panel=_GAMES,
    ),
]
Komi = Annotated[float | None, typer.Option(help="Go: points that White gets (default 7.5)", rich_help_panel=_GAMES)]
Rules = Annotated[str | None, typer.Option(help="Go: a rule set; see 'sakiyomi list rules'", rich_help_panel=_GAMES)]
Seed = Annotated[
    int | None, typer.Option(help="the same seed gives the same games (default 0)", rich_help_panel=_GAMES)
]
Simulations = Annotated[
    int | None,
    typer.Option(help="simulations a move, for players that count them; nodes of engines", rich_help_panel=_EFFORT),
]
Seconds = Annotated[float | None, typer.Option(help="seconds a move", rich_help_panel=_EFFORT)]
Depth = Annotated[int | None, typer.Option(help="plies that a player may look ahead", rich_help_panel=_EFFORT)]
ClockText = Annotated[
    str | None,
    typer.Option(
        metavar="CONTROL",
        help="time for the game: 300, 60+0.6, 40/300, 600,5x30 (byo-yomi), 600,15/300 (Canadian)",
        rich_help_panel=_EFFORT,
    ),
]
Margin = Annotated[
    float | None, typer.Option(help="seconds that a move may come late (default 1)", rich_help_panel=_EFFORT)
]
Annotate = Annotated[
    bool | None,
    typer.Option(
        "--annotate/--no-annotate",
        help="write time, clock and score of each move into records (default: with a clock)",
        rich_help_panel=_EFFORT,
    ),
]
Resign = Annotated[
    str | None,
    typer.Option(
        metavar="RULE",
        help="lost if both say so, such as moves=3,score=600 (centipawns)",
        rich_help_panel=_ADJUDICATION,
    ),
]
Draw = Annotated[
    str | None,
    typer.Option(
        metavar="RULE", help="drawn if both say so, such as from=40,moves=8,score=10", rich_help_panel=_ADJUDICATION
    ),
]
MaxMoves = Annotated[
    int | None,
    typer.Option(
        help="over after so many moves: a draw, in Go counted as it stands (chess: moves of each side)",
        rich_help_panel=_ADJUDICATION,
    ),
]
Solved = Annotated[
    bool | None,
    typer.Option("--solved", help="small games: over as soon as the result is proven", rich_help_panel=_ADJUDICATION),
]
Tablebases = Annotated[
    str | None,
    typer.Option(
        metavar="DIR", help="chess: a folder of Syzygy files that end the game", rich_help_panel=_ADJUDICATION
    ),
]
Scales = Annotated[
    bool | None,
    typer.Option(
        "--scales", help="tasks: returns as shares of a reference's, such as a human's", rich_help_panel=_GAMES
    ),
]
Workers = Annotated[int | None, typer.Option(help="processes (default: one a processor)", rich_help_panel=_RUNNING)]
Patience = Annotated[
    float | None,
    typer.Option(help="seconds until a silent player has lost (default 600); needs workers", rich_help_panel=_RUNNING),
]
Restart = Annotated[
    bool | None, typer.Option("--restart", help="start engines afresh for each game", rich_help_panel=_RUNNING)
]
Pin = Annotated[
    bool | None,
    typer.Option("--pin", help="give each worker and its engines a processor of their own", rich_help_panel=_RUNNING),
]
Memory = Annotated[
    str | None,
    typer.Option(metavar="AMOUNT", help="what a worker and its engines may take, such as 2G", rich_help_panel=_RUNNING),
]
Nice = Annotated[
    int | None, typer.Option(help="lower the priority of workers and engines, 0 to 19 (Unix)", rich_help_panel=_RUNNING)
]
Ray = Annotated[
    str | None, typer.Option(metavar="auto|local|HOST:PORT", help="run on a Ray cluster", rich_help_panel=_RUNNING)
]
Out = Annotated[
    str | None, typer.Option(metavar="DIR", help="folder for games, standings and report", rich_help_panel=_RUNNING)
]
