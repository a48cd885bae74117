"""One search of an engine, from ``go`` to ``bestmove``, in a thread of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event, Thread, Timer
from typing import Any, Protocol

from sakiyomi.arena.match import one_line
from sakiyomi.arena.serving.board import Moves
from sakiyomi.arena.serving.go import Go
from sakiyomi.arena.serving.info import info, legal_line
from sakiyomi.boards.clock import LEAST
from sakiyomi.boards.game import BadNotation, IllegalMove
from sakiyomi.boards.player import DECLARE, RESIGN, Budget, Player, Thought
from sakiyomi.boards.position import Position


@dataclass(frozen=True)
class Manner:
    """How a protocol writes what a search has found.

    `no_move` is sent where there is no move to send; `moves` are those of a position that only a rule has ended, for a
    controller that goes on; mates are told in plies or, as chess has them, in moves.
    """

    no_move: str
    moves: Moves
    mate_in_plies: bool = False


class Searching(Protocol):
    """What a session wants of a search, whatever is searched for; see `Search`."""

    over: bool

    @property
    def stopping(self) -> bool: ...  # noqa: D102
    @property
    def finite(self) -> bool: ...  # noqa: D102
    def start(self) -> None: ...  # noqa: D102
    def stop(self) -> None: ...  # noqa: D102
    def ponderhit(self) -> None: ...  # noqa: D102
    def wait(self, timeout: float | None = None) -> bool: ...  # noqa: D102


class Search:
    """Asks `player` for its move in `position` and says it, when it may be said.

    `begin` is called, with the side to move, before the player is asked; `overhead` are the seconds that a move loses
    on its way; `say` takes lines. `over` turns True just before ``bestmove`` is said: from then on the player is free.
    """

    def __init__(
        self,
        player: Player,
        position: Position | None,
        go: Go,
        *,
        manner: Manner,
        begin: Callable[[int], None],
        overhead: float,
        say: Callable[[str], None],
    ):
        self.over = False
        self._player, self._position, self._go = player, position, go
        self._manner, self._begin, self._overhead, self._say = manner, begin, overhead, say
        self._started = time.monotonic()
        self._stop = Event()
        self._released = Event()  # bestmove may be said
        self._pondering = go.ponder
        if not (go.ponder or go.infinite):
            self._released.set()
        self._expected: tuple[str, ...] = ()  # the play that the last thought foresees
        self._timer: Timer | None = None
        self._thread = Thread(target=self._run, name="engine search", daemon=True)

    def start(self) -> None:
        """Begin to think."""
        self._thread.start()

    @property
    def stopping(self) -> bool:
        """Was it told to stop?"""
        return self._stop.is_set()

    @property
    def finite(self) -> bool:
        """Will it end without another word from the controller?"""
        return self._released.is_set()

    def stop(self) -> None:
        """Come to an end: ``bestmove`` follows as soon as the player has a move."""
        self._stop.set()
        self._released.set()

    def ponderhit(self) -> None:
        """The expected move was played: from now on the clock runs."""
        if not self._pondering:
            return
        self._pondering = False
        seconds = self._seconds()
        if seconds is not None:
            self._timer = Timer(seconds, self._stop.set)
            self._timer.daemon = True
            self._timer.start()
        if not self._go.infinite:
            self._released.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until ``bestmove`` is said; was it, in time?"""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            words = self._answer()
        except (Exception, SystemExit) as error:  # anybody's player
            self._explain(f"the player failed: {type(error).__name__}: {error}")
            words = self._manner.no_move
        self._released.wait()
        if self._timer is not None:
            self._timer.cancel()
        self.over = True
        self._say(f"bestmove {words}")

    def _answer(self) -> str:
        """What follows the word bestmove."""
        position = self._position
        if position is None:
            self._explain("there is no position to think about")
            return self._manner.no_move
        if not len(position.legal_actions()):
            return self._at_the_end(position)
        if _may_declare(position) == 1 and self._go.moves is None and not self._go.infinite:
            self._explain("the entering king is declared")
            return DECLARE
        moves = self._restricted(position)
        if moves == []:
            self._explain("no move of searchmoves is legal")
            return self._manner.no_move
        self._begin(position.turn)
        budget = self._budget(position)
        move = self._ask(position.copy(), budget, moves)
        if not isinstance(move, str) or move == RESIGN:
            self._explain("the player resigns" if isinstance(move, str) else f"the player's move is no text: {move!r}")
            return self._manner.no_move
        if move == DECLARE and _may_declare(position):
            return DECLARE
        try:
            action = position.action(move)
        except (BadNotation, IllegalMove) as error:
            self._explain(f"the player chose no legal move: {error}")
            return self._manner.no_move
        move = position.game.move_text(position.state, action)
        if not self._expected:  # managers want a line of every search
            self._tell(Thought((move,), value=0.0, depth=1, nodes=1, seconds=time.monotonic() - self._started))
        line = legal_line(self._expected[:2], position)
        return f"{move} ponder {line[1]}" if line[:1] == [move] and len(line) > 1 else move

    def _ask(self, position: Position, budget: Budget, moves: list[str] | None) -> Any:
        think: Any = getattr(self._player, "think", None)
        if think is not None:
            return think(position, budget, moves=moves, stop=self._stop, tell=self._tell)
        if moves is not None:
            self._explain("this player cannot be held to searchmoves; they are not regarded")
        return self._player.choose(position, budget)

    def _budget(self, position: Position) -> Budget:
        """The limits of ``go``, and what the player's name promises where they leave that open.

        A player of fixed depth keeps it however much time there is; one of so many simulations keeps to them where
        neither time nor nodes are limited.
        """
        timed = self._go.seconds(position.turn, self._overhead) is not None
        budget = self._go.budget(None if self._pondering else self._seconds())
        if self._go.infinite or budget.simulations is not None:
            return budget
        own: Any = self._player
        if budget.depth is None:
            budget = replace(budget, depth=getattr(own, "depth", None))
        return budget if timed else replace(budget, simulations=getattr(own, "simulations", None))

    def _seconds(self) -> float | None:
        """How long to think from now on; None for no limit."""
        if self._position is None:
            return None
        seconds = self._go.seconds(self._position.turn, self._overhead)
        if seconds is None or self._go.ponder:  # the clock starts with ponderhit
            return seconds
        return max(seconds - (time.monotonic() - self._started), LEAST)

    def _restricted(self, position: Position) -> list[str] | None:
        """The legal ones among the moves that are to be searched; None for all moves."""
        if self._go.moves is None:
            return None
        legal = []
        for move in self._go.moves:
            try:
                action = position.action(move)
            except (BadNotation, IllegalMove) as error:
                self._explain(f"searchmoves: {error}")
            else:
                legal.append(position.game.move_text(position.state, action))
        return legal

    def _at_the_end(self, position: Position) -> str:
        """The answer where the game is over by our rules: a move, if there is one by the rules of moving.

        The controller may know fewer rules than we do.
        """
        outcome = position.outcome()
        assert outcome is not None, "a position without legal moves has ended"
        lost = outcome.winner == 1 - position.turn
        self._say(f"info depth 0 score {'mate 0' if lost else 'cp 0'}")
        self._explain(f"the game is over: {outcome.ending.text}")
        playable = self._manner.moves(position)
        return position.game.move_text(position.state, playable[0]) if playable else self._manner.no_move

    def _tell(self, thought: Thought) -> None:
        assert self._position is not None
        self._expected = thought.line
        self._say(info(thought, self._position, mate_in_plies=self._manner.mate_in_plies))
        if self._go.mate is not None and thought.mate is not None and 0 < thought.mate <= self._go.mate:
            self._stop.set()

    def _explain(self, text: str) -> None:
        self._say(f"info string {one_line(text)}")


def _may_declare(position: Position) -> int:
    """1 if the player to move may declare a win, 2 a draw, 0 neither; and in games without declarations."""
    declarations: Any = getattr(position.game, "declarations", None)
    return int(declarations(position.state)[0]) if declarations else 0
