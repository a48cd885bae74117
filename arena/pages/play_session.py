"""One game that is played in the browser: its moves, who is to move, what the players think, and who is told of it.

Every method may be called from any thread. Each change ends in a new state that the listeners are sent; `version`
counts them.
"""

import time
from collections.abc import Callable
from threading import RLock, Semaphore
from typing import Any

from sakiyomi.arena.match import PlayerFault, Termination
from sakiyomi.arena.pages.play_data import film_of, legal_data, parse_text, thought_data
from sakiyomi.arena.pages.play_endings import Ended, by_claim, by_declaration, by_fault, by_resignation, by_rules
from sakiyomi.arena.pages.play_seats import Seat
from sakiyomi.arena.pages.play_setup import Setup
from sakiyomi.arena.pages.play_thinking import Task
from sakiyomi.boards.player import DECLARE, RESIGN, Budget, Thought
from sakiyomi.boards.position import Position

WATCHED = 0.5  # seconds before each move where two players are watched
HINT = Budget(seconds=2.0)
ANALYSIS = Budget()  # until it is stopped
TELL_EVERY = 0.2  # seconds between thoughts that are sent

Listener = Callable[[str, dict[str, Any] | None], None]
"""Hears an event's name and data: "state", "thought", "hint"; "closed" with None is the last."""


class Refused(ValueError):
    """What a page asks for cannot be done now; the message says why."""


class Session:
    """A game from `setup` on, known as `key`; `slots` bounds how many players think at a time."""

    def __init__(self, key: str, setup: Setup, slots: Semaphore):
        self.key, self.setup = key, setup
        self.position = Position(setup.game, setup.text)
        self.moves: list[str] = []
        self.ended: Ended | None = None
        self.paused = False
        self.version = 0
        self.touched = time.monotonic()
        self._slots = slots
        self._task: Task | None = None
        self._analyst: Seat | None = None
        self._thoughts: dict[int, dict[str, Any]] = {}  # by the moves played before
        self._told = self._began = 0.0
        self._listeners: list[Listener] = []
        self._lock = RLock()
        self._closed = False
        self._proceed()

    # --- what a page asks for

    def move(self, text: str, ply: int) -> None:
        """Play the person's move, the one after `ply` moves.

        Raises Refused, or ValueError that names the rule broken or says what cannot be read.
        """
        with self._lock:
            self._persons_turn()
            if ply != len(self.moves):
                raise Refused("the game has gone on since")
            try:
                action = parse_text(self.position, text)
            except ValueError as error:  # whose position the page shows
                raise ValueError(str(error).replace(f" in {self.position.text()}", "", 1)) from None
            self._play(action)
            self._proceed()

    def undo(self) -> None:
        """Take back moves until it is a person's turn who moved. Raises Refused if there is none."""
        with self._lock:
            back = len(self.moves) - 1
            first = self.position.copy()
            while first.actions:
                first.undo()
                if self.setup.seats[first.turn].person:
                    break
                back -= 1
            if back < 0 or not self.setup.seats[first.turn].person:
                raise Refused("there is no move of yours to take back")
            self._quiet()
            self.position, self.ended = first, None
            del self.moves[back:]
            self._thoughts = {ply: thought for ply, thought in self._thoughts.items() if ply <= back}
            self._proceed()

    def resign(self) -> None:
        """The person to move, or the only person, gives up. Raises Refused."""
        with self._lock:
            persons = [seat.side for seat in self.setup.seats if seat.person]
            if self.ended or not persons:
                raise Refused("there is no game of yours to resign")
            self._end(by_resignation(self.position, self.position.turn if len(persons) == 2 else persons[0]))

    def claim(self) -> None:
        """Claim a draw, or declare the entering king, for the person to move. Raises Refused, saying why."""
        with self._lock:
            self._persons_turn()
            ended = by_claim(self.position) or by_declaration(self.position)
            if not isinstance(ended, Ended):
                raise Refused(ended)
            self._end(ended)

    def pause(self, paused: bool) -> None:
        """Hold up players who play each other, or let them go on. Raises Refused where a person plays."""
        with self._lock:
            if any(seat.person for seat in self.setup.seats):
                raise Refused("only players who play each other are held up")
            self.paused = paused
            self._quiet()
            self._proceed()

    def hint(self, spec: str) -> None:
        """Let the player of `spec` think for a moment about what the person should play. Raises Refused."""
        with self._lock:
            self._persons_turn()
            self._ask("hint", spec, self.position.copy(), HINT)

    def analyse(self, spec: str, ply: int) -> None:
        """Let the player of `spec` think about the position after `ply` moves until it is stopped. Raises Refused."""
        with self._lock:
            if self._task is not None and self._task.kind == "move":
                raise Refused(f"{self._task.seat.name} is thinking about a move")
            if not 0 <= ply <= len(self.moves):
                raise Refused(f"there is no position after {ply} moves")
            position = self.position.copy()
            for _ in range(len(self.moves) - ply):
                position.undo()
            if position.outcome() is not None:
                raise Refused("there is nothing to think about: the game is over there")
            self._ask("analysis", spec, position, ANALYSIS)

    def stop(self) -> None:
        """End an analysis or a hint; a player that is to move moves now."""
        with self._lock:
            if self._task is not None and self._task.kind == "move":
                self._task.halt()
                return
            self._quiet()
            if self._analyst is not None:
                self._analyst.close()
                self._analyst = None
            self._publish()

    def leave(self) -> None:
        """Nobody looks: all thinking ends. A player's begins anew when somebody listens."""
        with self._lock:
            if self._task is not None and self._task.kind == "move":
                self._quiet()
            elif self._task is not None:
                self.stop()

    def close(self) -> None:
        """End all thinking, close the players, tell the listeners."""
        with self._lock:
            self._quiet()
            self._closed = True
            for seat in (*self.setup.seats, self._analyst):
                if seat is not None:
                    seat.close()
            self._tell_all("closed", None)
            self._listeners.clear()

    # --- what is told

    def listen(self, listener: Listener) -> None:
        """Tell `listener` of everything from now on, beginning with the state and all thoughts so far."""
        with self._lock:
            listener("state", self.state())
            for thought in self._thoughts.values():
                listener("thought", thought)
            self._listeners.append(listener)
            if self._closed:
                listener("closed", None)
            elif self._task is None and self._awaited:  # it was left
                self._proceed()

    def unlisten(self, listener: Listener) -> None:
        """Tell `listener` no more."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)
            self.touched = time.monotonic()

    @property
    def heard(self) -> bool:
        """Does anybody listen?"""
        return bool(self._listeners)

    @property
    def analysed_for(self) -> float:
        """Seconds that an analysis has lasted; 0 where there is none."""
        return time.monotonic() - self._began if self.thinking == "analysis" else 0.0

    @property
    def thinking(self) -> str:
        """For what a player is thinking: "move", "hint", "analysis", or "" if none is."""
        task = self._task
        return task.kind if task is not None else ""

    def state(self) -> dict[str, Any]:
        """The game as the page shows it."""
        with self._lock:
            position, seats, task, ended = self.position, self.setup.seats, self._task, self.ended
            mine = ended is None and seats[position.turn].person
            names = (seats[0].name, seats[1].name)
            result, ending = (ended.result, ended.ending) if ended else ("*", "")
            claim, declaration = by_claim(position) if mine else None, by_declaration(position) if mine else ""
            return {
                "key": self.key,
                "version": self.version,
                "game": position.game.name,
                "ply": len(self.moves),
                "film": film_of(position, self.setup.text, self.moves, names, result, ending),
                "text": position.text(),
                "turn": None if ended else position.turn,
                "seats": [{"name": seat.name, "person": seat.person, "spec": seat.spec} for seat in seats],
                "legal": legal_data(position) if mine else [],
                "claim": claim.words if claim else declaration.words if isinstance(declaration, Ended) else "",
                "undo": self._undoable,
                "paused": self.paused,
                "thinking": None
                if task is None
                else {"kind": task.kind, "by": task.seat.name, "side": task.position.turn},
                "ended": None
                if ended is None
                else {"result": ended.result, "winner": ended.winner, "words": ended.words},
            }

    @property
    def _awaited(self) -> bool:
        """Is it a player's turn, who is not held up?"""
        return self.ended is None and not self.paused and not self.setup.seats[self.position.turn].person

    @property
    def _undoable(self) -> bool:
        """Has a person moved? Sides take turns, passes are moves."""
        first = (self.position.turn - len(self.moves)) % 2
        return any(self.setup.seats[(first + ply) % 2].person for ply in range(min(len(self.moves), 2)))

    # --- how the game goes on

    def _persons_turn(self) -> None:
        if self.ended is not None:
            raise Refused(f"the game is over: {self.ended.words}")
        if not self.setup.seats[self.position.turn].person:
            raise Refused(f"it is the turn of {self.setup.seats[self.position.turn].name}")

    def _play(self, action: int) -> None:
        self._quiet()
        self.moves.append(self.position.game.move_text(self.position.state, action))
        self.position.play(action)
        self.ended = by_rules(self.position)

    def _end(self, ended: Ended) -> None:
        self._quiet()
        self.ended = ended
        self._publish()

    def _proceed(self) -> None:
        """Let the player whose turn it is think, and tell what is new."""
        if self._awaited and not self._closed:
            seat, both = self.setup.seats[self.position.turn], not any(seat.person for seat in self.setup.seats)
            pause = WATCHED if both else 0.0
            self._start(
                Task("move", seat, self.position.copy(), self._slots, tell=self._thought, done=self._done, pause=pause)
            )
        self._publish()

    def _ask(self, kind: str, spec: str, position: Position, budget: Budget) -> None:
        if self._analyst is None or self._analyst.spec != spec:
            if self._analyst is not None:
                self._analyst.close()
            self._analyst = Seat(self.setup.game, position.turn, spec)
        self._quiet()
        self._start(
            Task(kind, self._analyst, position, self._slots, tell=self._thought, done=self._done, budget=budget)
        )
        self._publish()

    def _start(self, task: Task) -> None:
        self._task, self._began = task, time.monotonic()
        task.start()

    def _quiet(self) -> None:
        """End whatever thinking there is."""
        task, self._task = self._task, None
        if task is not None:
            task.stop()

    def _thought(self, task: Task, thought: Thought) -> None:
        now = time.monotonic()
        data = thought_data(thought, task.position, task.seat.name) | {"ply": len(task.position.actions)}
        with self._lock:
            if task is not self._task:
                return
            self._thoughts[data["ply"]] = data
            if now - self._told >= TELL_EVERY:
                self._told = now
                self._tell_all("thought", data)

    def _done(self, task: Task, move: str | None, fault: PlayerFault | None) -> None:
        with self._lock:
            if task is not self._task:
                return
            self._task, self._told = None, 0.0
            last = self._thoughts.get(len(task.position.actions))
            if last is not None:
                self._tell_all("thought", last)
            if task.kind != "move":
                self._answered(task, move, fault)
            elif fault is not None:
                self._end(by_fault(self.position, task.seat.name, fault))
            else:
                assert move is not None, "a task has a move or a fault"
                self._moved(task.seat, move)

    def _answered(self, task: Task, move: str | None, fault: PlayerFault | None) -> None:
        """What comes of a hint or an analysis."""
        words = f"{task.seat.name}: {fault}" if fault is not None else ""
        if task.kind == "hint" or words:
            self._tell_all("hint", {"ply": len(task.position.actions), "move": move or "", "words": words})
        self._publish()

    def _moved(self, seat: Seat, move: str) -> None:
        """A player has chosen."""
        if move == RESIGN:
            self._end(by_resignation(self.position, seat.side))
            return
        if move == DECLARE:
            declared = by_declaration(self.position, dare=True)
            if isinstance(declared, Ended):
                self._end(declared)
                return
        try:
            self._play(self.position.action(move))
        except ValueError as error:
            self._end(by_fault(self.position, seat.name, PlayerFault(Termination.ILLEGAL_MOVE, str(error))))
            return
        if self.ended is None and not any(seat.person for seat in self.setup.seats):
            self.ended = by_claim(self.position)  # players have no word for it
        self._proceed()

    def _publish(self) -> None:
        self.version += 1
        self.touched = time.monotonic()
        if self._listeners:
            self._tell_all("state", self.state())

    def _tell_all(self, event: str, data: dict[str, Any] | None) -> None:
        for listener in tuple(self._listeners):
            listener(event, data)
