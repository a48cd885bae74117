"""One game between two players: `play_game`, and `play`, which also tells what went wrong and who thought how long.

A player that breaks a rule, fails or is silent loses that game, and the reason is kept; nothing that a player does
ends more than its own game.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np

from sakiyomi.arena.adjudication import Adjudication, Referee, Ruling
from sakiyomi.arena.clock import GameClock, TimeControl, record_tags
from sakiyomi.arena.match import (
    MARGIN,
    Played,
    PlayerFault,
    Termination,
    final_result,
    forfeit,
    lost_game,
    one_line,
    outcome_of,
    tags_of,
)
from sakiyomi.boards.game import BadNotation, Ending, Game, IllegalMove
from sakiyomi.boards.player import DECLARE, RESIGN, Budget, Player, Thought
from sakiyomi.boards.position import Outcome, Position
from sakiyomi.sgf.annotations import annotation
from sakiyomi.sgf.record import Record

NO_LIMIT = Budget()
"""Leaves the effort for a move to the players' own settings."""
OVERHEAD = 0.02
"""Seconds of each move that a player who knows no clocks is not given, for the way to it and back."""
MOST = 10**9
"""No figure of a thought is greater."""

OnTurn = Callable[[int, Sequence[str], tuple[float, float] | None], None]
"""Hears whose code runs next (0 moves first), all moves so far, and what the clocks show."""


@dataclass(frozen=True)
class Conditions:
    """What holds in each game of a match.

    `budget` is what each move may cost. `clock` are the two sides' time controls, the first player's first; with them
    a budget has no `seconds`. Who is later than `margin` seconds with a move loses on time. `adjudication` tells when
    games are over before their end. With `annotate`, records hold the time, clock and evaluation of each move.
    Raises ValueError for seconds beside a clock.
    """

    budget: Budget = NO_LIMIT
    clock: tuple[TimeControl, TimeControl] | None = None
    margin: float = MARGIN
    adjudication: Adjudication = Adjudication()  # noqa: RUF009 it is frozen
    annotate: bool = False

    def __post_init__(self) -> None:
        if self.clock is not None and self.budget.seconds is not None:
            raise ValueError("seconds a move and a clock exclude each other: choose one of them")


def play_game(
    game: Game,
    players: tuple[Player, Player],
    budget: Budget = NO_LIMIT,
    opening: Sequence[str] = (),
    *,
    seed: int = 0,
    setup: str | None = None,
    clock: TimeControl | None = None,
) -> Record:
    """One game of `players` (who moves first stands first); the same seed gives the same game.

    `opening` is played before the players are asked, from the position `setup` (`Game.position_text`) or the ordinary
    start. `clock` is the time control of both. `Record.ending` says why the game was over. Raises IllegalMove or
    BadNotation for a wrong opening or setup.
    """
    conditions = Conditions(budget, None if clock is None else (clock, clock))
    return play(game, players, conditions, opening, seed=seed, setup=setup).record


def play(
    game: Game,
    players: tuple[Player, Player],
    conditions: Conditions | Budget = Conditions(),
    opening: Sequence[str] = (),
    *,
    seed: int = 0,
    setup: str | None = None,
    names: tuple[str, str] | None = None,
    on_turn: OnTurn = lambda side, moves, clocks: None,
) -> Played:
    """`play_game`, with the termination, what went wrong and the thinking times.

    `conditions` may be a budget alone. `on_turn` hears whose code runs next, before each `begin` and each `choose`.
    `names` overrides the players'.
    """
    if isinstance(conditions, Budget):
        conditions = Conditions(conditions)
    match = _Match(game, players, conditions, setup, names, on_turn)
    for move in opening:
        match.put(move)
    return match.play(seed)


class _Match:
    """One game while it goes on."""

    def __init__(
        self,
        game: Game,
        players: tuple[Player, Player],
        conditions: Conditions,
        setup: str | None,
        names: tuple[str, str] | None,
        on_turn: OnTurn,
    ):
        self.position = Position(game, setup)
        self.setup = None if setup is None else self.position.text()  # records hold no names of positions ("two-piece")
        self.players, self.conditions, self.on_turn = players, conditions, on_turn
        self.names = names or (players[0].name, players[1].name)
        self.moves: list[str] = []
        self.comments: dict[int, str] = {}
        self.seconds = [0.0, 0.0]
        self.clock = GameClock(conditions.clock, conditions.margin) if conditions.clock else None
        self.referee: Referee | None = conditions.adjudication.referee(game) if conditions.adjudication else None
        self.judges = self.referee is not None or conditions.annotate

    def play(self, seed: int) -> Played:
        """The rest of the game, to its end."""
        side = 0
        try:
            for side in (0, 1):
                self._tell(side)
                _ask(self.players[side].begin, self.position.game, side, np.random.default_rng([seed, side]))
            outcome: Outcome | Ruling | None = outcome_of(self.position)
            while outcome is None:
                side = self.position.turn
                outcome = self._turn(side)
        except PlayerFault as fault:
            return lost_game(
                self.position.game,
                self.names,
                self.moves,
                side,
                fault,
                setup=self.setup,
                seconds=self._times(),
                comments=self.comments,
                tags=self.tags(),
            )
        return self._finished(outcome)

    def put(self, move: Any) -> None:
        """Play `move` and note it as the game itself writes it."""
        if not isinstance(move, str):
            raise BadNotation(f"{move!r} is no move: a text such as {self.position.legal_moves()[0]!r} is wanted")
        action = self.position.action(move)
        text = self.position.game.move_text(self.position.state, action)
        self.position.play(action)
        self.moves.append(text)

    def _turn(self, side: int) -> Outcome | Ruling | None:
        """One move of `side`: the outcome if the game is then over.

        Raises PlayerFault if the move is late, a resignation, or illegal.
        """
        self._tell(side)
        budget = self._budget(side)
        shown = self.position.copy()  # so that a player cannot spoil the game
        started = time.perf_counter()
        move = _ask(self.players[side].choose, shown, budget)
        took = time.perf_counter() - started
        self.seconds[side] += took
        self._check_time(side, took)
        if isinstance(move, str) and move == RESIGN:
            raise PlayerFault(Termination.RESIGNATION, "")
        if isinstance(move, str) and move == DECLARE and hasattr(self.position.game, "declarations"):
            return _declared(self.position)
        try:
            self.put(move)
        except (IllegalMove, BadNotation) as error:
            raise PlayerFault(Termination.ILLEGAL_MOVE, one_line(str(error))) from error
        thought = self._thought(side) if self.judges else None
        if self.conditions.annotate:
            left = self.clock.sides[side].left if self.clock else None
            self.comments[len(self.moves)] = annotation(took, left, *_white_sees(thought, side))
        outcome = outcome_of(self.position)
        if outcome is None and self.referee is not None:
            return self.referee.after(self.position, side, thought)
        return outcome

    def tags(self) -> dict[str, str]:
        """What the record tells of the game's settings."""
        clock = self.conditions.clock
        return tags_of(self.position.game) | (record_tags(self.position.game.name, clock) if clock else {})

    def _tell(self, side: int) -> None:
        shown = (self.clock.sides[0].left, self.clock.sides[1].left) if self.clock else None
        self.on_turn(side, self.moves, shown)

    def _budget(self, side: int) -> Budget:
        budget = self.conditions.budget
        if self.clock is None:
            return budget
        return replace(budget, seconds=self.clock.sides[side].seconds(OVERHEAD), clocks=self.clock.sides)

    def _check_time(self, side: int, took: float) -> None:
        """Raises PlayerFault if the move came too late."""
        margin, allowed = self.conditions.margin, self.conditions.budget.seconds
        if allowed is not None and took > allowed + margin:
            raise PlayerFault(Termination.TIME_FORFEIT, f"{took:.2f} s for a move, {allowed:g} s allowed")
        if self.clock is not None and not self.clock.press(side, took):
            left = self.clock.sides[side].allowed
            message = f"the clock ran out: {took:.3f} s for a move, {left:.3f} s were left"
            raise PlayerFault(Termination.TIME_FORFEIT, message)

    def _thought(self, side: int) -> Thought | None:
        """What the player thought of its move, if it is one that can tell, and tells it in numbers."""
        try:
            thought = getattr(self.players[side], "thought", None)
        except Exception as error:
            raise PlayerFault(Termination.CRASH, one_line(f"{type(error).__name__}: {error}")) from error
        return thought if isinstance(thought, Thought) and _in_numbers(thought) else None

    def _times(self) -> tuple[float, float]:
        return self.seconds[0], self.seconds[1]

    def _finished(self, outcome: Outcome | Ruling) -> Played:
        """The game, ended by its rules or by a referee."""
        game, termination, detail = self.position.game, Termination.NORMAL, ""
        if isinstance(outcome, Ruling):
            termination, detail = Termination.ADJUDICATION, outcome.why
            result, ending = _ruled(self.position, outcome), Termination.ADJUDICATION.value
        else:
            result, ending = final_result(self.position, outcome), outcome.ending.text
            if outcome.ending is Ending.MOVE_LIMIT:
                termination = Termination.MOVE_LIMIT
        record = Record(
            game=game.name,
            moves=tuple(self.moves),
            setup=self.setup,
            result=result,
            ending=ending,
            players=self.names,
            tags=self.tags(),
            comments=self.comments,
        )
        return Played(record, termination, detail, self._times())


def _ruled(position: Position, ruling: Ruling) -> str:
    """The result that a referee's ruling gives."""
    if ruling.score:
        return final_result(position)
    if ruling.winner is None:
        return "0" if hasattr(position.game, "score") else "1/2-1/2"
    return forfeit(position.game, ruling.winner, Termination.RESIGNATION)


def _in_numbers(thought: Thought) -> bool:
    """Are the figures of a thought, which may be anybody's, such as can be judged and written down?"""
    figures = (thought.value, thought.centipawns, thought.mate, thought.depth)
    return all(figure is None or (isinstance(figure, Real) and abs(figure) <= MOST) for figure in figures)


def _white_sees(thought: Thought | None, side: int) -> tuple[int | None, int | None, int]:
    """Centipawns and moves to mate as the first player sees them, and the depth."""
    if thought is None:
        return None, None, 0
    sign = 1 if side == 0 else -1
    centipawns = None if thought.centipawns is None else sign * thought.centipawns
    mate = None if thought.mate is None else sign * thought.mate
    return centipawns, mate, thought.depth


def _declared(position: Position) -> Outcome:
    """What the declaration of the player to move makes of the game. Raises PlayerFault if he may not declare."""
    game: Any = position.game
    allowed = int(game.declarations(position.state)[0])
    if not allowed:
        message = f"declared the entering king in {position.text()}, which does not fulfil the conditions"
        raise PlayerFault(Termination.ILLEGAL_MOVE, message)
    return Outcome(position.turn if allowed == 1 else None, Ending.DECLARATION)


def _ask(method: Callable[..., Any], *args: Any) -> Any:
    """Call into a player. Raises PlayerFault: its own, or a crash if it raises anything else."""
    try:
        return method(*args)
    except PlayerFault as fault:
        raise PlayerFault(fault.termination, one_line(str(fault))) from fault
    except (Exception, SystemExit) as error:
        raise PlayerFault(Termination.CRASH, one_line(f"{type(error).__name__}: {error}")) from error
