"""A player's thinking in a thread of its own, which can be stopped and never holds up the server."""

from collections.abc import Callable
from threading import Event, Semaphore, Thread

from sakiyomi.arena.match import PlayerFault, Termination, one_line
from sakiyomi.arena.pages.play_seats import Seat
from sakiyomi.boards.player import Budget, Thought
from sakiyomi.boards.position import Position

_GLANCE = 0.1  # seconds between looks at whether a task that waits is still wanted


class Task(Thread):
    """`seat` thinks about `position`; `done` hears the move, or None and what went wrong, unless it was stopped.

    `slots` bounds how many tasks think at a time. `budget` replaces the seat's own; `pause` are seconds that pass
    before it begins. `kind` says what for: "move", "hint" or "analysis".
    """

    def __init__(
        self,
        kind: str,
        seat: Seat,
        position: Position,
        slots: Semaphore,
        *,
        tell: Callable[["Task", Thought], None],
        done: Callable[["Task", str | None, PlayerFault | None], None],
        budget: Budget | None = None,
        pause: float = 0.0,
    ):
        super().__init__(daemon=True, name=f"{kind} of {seat.name}")
        self.kind, self.seat, self.position = kind, seat, position
        self.stopped = Event()  # nobody wants to hear of it any more
        self._halt = Event()  # the player is to come to an end
        self._slots, self._budget, self._pause = slots, budget, pause
        self._tell, self._done = tell, done

    def run(self) -> None:
        """Wait for a slot, think, and say what came of it."""
        if self._halt.wait(self._pause) or not self._admitted():
            return
        move, fault = None, None
        try:
            move = self.seat.choose(self.position.copy(), self._halt, self._heard, self._budget)
        except PlayerFault as error:
            fault = error
        except Exception as error:  # a player may be anybody's code
            fault = PlayerFault(Termination.CRASH, one_line(f"{type(error).__name__}: {error}"))
        finally:
            self._slots.release()
        if not self.stopped.is_set():
            self._done(self, move, fault)

    def _admitted(self) -> bool:
        while not self._slots.acquire(timeout=_GLANCE):
            if self._halt.is_set():
                return False
        return True

    def _heard(self, thought: Thought) -> None:
        if not self.stopped.is_set():
            self._tell(self, thought)

    def halt(self) -> None:
        """Let the player choose now; `done` hears of it."""
        self._halt.set()

    def stop(self) -> None:
        """End the thinking; nobody hears of it any more."""
        self.stopped.set()
        self._halt.set()
