"""Go engines as players: the controller's side of the Go Text Protocol, version 2 (Farnebäck 2002, draft 2).

`GtpConnection` asks one question at a time; `GtpPlayer` keeps an engine in step with any position and asks for moves.
"""

import math
import re
import time
from pathlib import Path
from typing import Any

import numpy as np

from sakiyomi.arena.engines import gtp_time
from sakiyomi.arena.engines.following import History
from sakiyomi.arena.engines.process import NONSENSE, EngineProcess, find_program, not_speaking
from sakiyomi.arena.match import MARGIN, PlayerFault, Termination, number_text
from sakiyomi.boards.clock import Clock
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import RESIGN, Budget
from sakiyomi.boards.position import Position

COLOURS = ("black", "white")
KGS_RULES = {"chinese": "chinese", "japanese": "japanese", "aga": "aga", "new-zealand": "new_zealand"}
"""Our rule sets that the command `kgs-rules` can name."""
RULES_COMMAND = "sakiyomi-rules"
"""Our own engines' command for a rule set with its overrides, as `rules_text` writes it."""
SILENCE = 5.0
"""Seconds over what a move may take, and the margin, after which an engine counts as silent; late moves are forfeited
before.
"""

_RESPONSE = re.compile(r"([=?])([0-9]*)(?:[ \t]+(.*))?", re.ASCII)
_VERTEX = re.compile(r"[A-Za-z][0-9]{1,3}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NOISE_LINES = 100  # what an engine may print before its first response
_RESPONSE_LINES = 4096


class GtpError(Exception):
    """An engine refused a command; the message is the engine's."""


class GtpConnection:
    """Commands and responses, one at a time, over a running engine.

    `ask` raises GtpError where the engine refuses, and PlayerFault where it crashes, is silent or answers rubbish.
    """

    def __init__(self, process: EngineProcess):
        self.process = process
        self._asked = 0

    def ask(self, command: str, timeout: float) -> str:
        """The engine's response to `command`, which has `timeout` seconds."""
        self._asked += 1
        self.process.send(f"{self._asked} {command}")
        try:
            return self._response(command, time.monotonic() + timeout)
        except PlayerFault as fault:
            if fault.termination is not Termination.STALL:
                raise
            message = f"{self.process.program} gave no answer to {command!r} in {timeout:g} s"
            raise PlayerFault(Termination.STALL, message) from None

    def _response(self, command: str, deadline: float) -> str:
        lines = [self._first_line(command, deadline)]
        match = _RESPONSE.fullmatch(lines[0])
        if match is None:
            raise self._rubbish(command, f"{_short(lines[0])}, which is no GTP response")
        if match[2] not in ("", str(self._asked)):  # an engine without ids is forgiven
            raise self._rubbish(command, f"id {match[2]} where {self._asked} was due")
        lines[0] = match[3] or ""
        while line := self._line(deadline):
            lines.append(line)
            if len(lines) > _RESPONSE_LINES:
                raise self._rubbish(command, f"more than {_RESPONSE_LINES} lines")
        text = "\n".join(lines).strip()
        if match[1] == "?":
            raise GtpError(text)
        return text

    def _line(self, deadline: float) -> str:
        return _CONTROL.sub("", self.process.read_line(deadline)).replace("\t", " ").rstrip()

    def _first_line(self, command: str, deadline: float) -> str:
        """The next line that is not blank; before an engine's first response, the next that looks like one.

        Who has printed something else before has no more time than `NONSENSE` from there.
        """
        noise, until, last = 0, deadline, ""
        for _ in range(_RESPONSE_LINES):
            try:
                line = self._line(until)
            except PlayerFault as fault:
                if fault.termination is Termination.STALL and until < deadline:
                    raise self._rubbish(command, f"{_short(last)} and no GTP response in {NONSENSE:g} s") from None
                raise
            if line and (self._asked > 1 or _RESPONSE.fullmatch(line)):
                return line
            if line:
                noise, until, last = noise + 1, min(deadline, time.monotonic() + NONSENSE), line
            if noise == _NOISE_LINES:
                raise self._rubbish(command, f"{noise} lines, none a GTP response, the last {_short(line)}")
        raise self._rubbish(command, f"{_RESPONSE_LINES} lines and no GTP response")

    def _rubbish(self, command: str, answer: str) -> PlayerFault:
        message = f"{self.process.program} answered {command!r} with {answer}"
        return PlayerFault(Termination.PROTOCOL_ERROR, message)


class GtpPlayer:
    """A GTP engine as a `Player` of Go. `command` is split as a shell would; the engine starts when first needed.

    `name` defaults to what the engine calls itself. The engine has `start_timeout` seconds to answer its first command
    and `move_timeout` for any other where no clock says more. It is told the clocks of the match, or its seconds as so
    much time for each single move.
    After a fault the engine is ended, and started afresh for the next question. Raises ValueError if there is no such
    program.
    """

    def __init__(
        self,
        command: str,
        name: str | None = None,
        *,
        start_timeout: float = 60.0,
        move_timeout: float = 300.0,
        margin: float = MARGIN,
    ):
        self.command = command
        self.program = Path(find_program(command)[0]).name
        self.start_timeout, self.move_timeout, self.margin = start_timeout, move_timeout, margin
        self._name = name
        self._engine: GtpConnection | None = None
        self._known: frozenset[str] = frozenset()
        self._seed: int | None = None  # still to be told
        self._history = History()
        self._forget()

    @property
    def name(self) -> str:
        """The given name, or the engine's own (which starts it). Raises PlayerFault if it does not answer."""
        if self._name is None:
            try:
                self._name = self.ask("name") or self.program
            except GtpError:
                self._name = self.program
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    def begin(self, game: Game, side: int, rng: np.random.Generator) -> None:
        """Start the engine if need be, and set up the board: engines take their time for it, and no clock runs yet.

        Raises ValueError if `game` is not Go, PlayerFault if the engine fails.
        """
        _board_size(game)
        self._seed = int(rng.integers(1 << 31))
        self._forget()
        self._follow(Position(game), self.move_timeout)

    def check(self, game: Game) -> None:
        """See that the engine starts and speaks GTP. Raises as `begin` does."""
        _board_size(game)
        self._started()

    def choose(self, position: Position, budget: Budget) -> str:
        """The engine's move in `position`: a vertex, "pass", or RESIGN. Whether it is legal is for the caller to say.

        Raises PlayerFault for a crash, no answer, an answer that is no move, or a refusal to follow the game.
        """
        colour = COLOURS[position.turn]
        timeout = self._timeout(budget, position.turn)
        try:
            self._follow(position, timeout)
            if budget.clocks is not None:
                self._tell_clocks(position.turn, budget.clocks, timeout)
            else:
                self._tell_time(colour, budget.seconds, timeout)
            answer = self._ask(f"genmove {colour}", timeout)
        except GtpError as error:
            raise self._fault(f"refused to generate a move: {_short(str(error))}") from None
        if answer.lower() == RESIGN:
            return RESIGN
        move = "pass" if answer.lower() == "pass" else answer.upper()
        if move != "pass" and not _VERTEX.fullmatch(move):
            raise self._fault(f"answered 'genmove {colour}' with {_short(answer)}, which is no move")
        self._played.append((position.turn, move))  # the engine has played it on its own board
        return move

    def _timeout(self, budget: Budget, side: int) -> float:
        """How long to wait for each answer."""
        if budget.clocks is not None:
            return max(budget.clocks[side].allowed, 0.0) + self.margin + SILENCE
        if budget.seconds is None:
            return self.move_timeout
        return min(self.move_timeout, budget.seconds + self.margin + SILENCE)

    def ask(self, command: str) -> str:
        """The engine's response to a command that leaves the game as it is.

        Raises GtpError if it refuses, PlayerFault if it fails.
        """
        return self._ask(command, self.move_timeout)

    def knows(self, command: str) -> bool:
        """Does the engine list that command?"""
        self._started()
        return command in self._known

    def close(self) -> None:
        """End the engine, if it runs."""
        engine, self._engine = self._engine, None
        self._forget()
        if engine is not None:
            engine.process.close(farewell="quit")

    def _started(self) -> GtpConnection:
        if self._engine is None:
            engine = self._engine = GtpConnection(EngineProcess(self.command))
            try:
                commands = self._ask("list_commands", self.start_timeout)
            except GtpError:
                commands = ""  # version 1 of the protocol; the required commands are taken for granted
            except PlayerFault as fault:
                raise not_speaking(fault, self.program, "GTP") from None
            self._known = frozenset(commands.split())
            return engine
        return self._engine

    def _ask(self, command: str, timeout: float) -> str:
        engine = self._started()
        try:
            return engine.ask(command, timeout)
        except PlayerFault:
            self._kill()
            raise

    def _kill(self) -> None:
        if self._engine is not None:
            self._engine.process.close(grace=0)
        self._engine = None
        self._forget()

    def _forget(self) -> None:
        """The engine's board is unknown from here on."""
        self._start: tuple[Any, ...] | None = None  # what the engine's game began with
        self._played: list[tuple[int, str]] = []  # what it has played since: side and move
        self._seconds: float | None = None  # a move that it was told of; None: no limit
        self._clock: tuple[object, ...] = ()  # the kind of clock that it was told of
        self._settings = ""  # the command that told it

    def _fault(self, what: str, termination: Termination = Termination.PROTOCOL_ERROR) -> PlayerFault:
        """The fault of an engine that is alive: it is ended, for its state can no longer be trusted."""
        self._kill()
        return PlayerFault(termination, f"{self.program} {what}")

    def _follow(self, position: Position, timeout: float) -> None:
        """Bring the engine's board to `position` with as few commands as possible."""
        root, played = self._history.of(position)
        game: Any = position.game
        start = (game.name, game.komi, rules_text(game), root.text())
        shared = 0
        if start == self._start:
            while shared < min(len(played), len(self._played)) and played[shared] == self._played[shared]:
                shared += 1
        surplus = len(self._played) - shared
        if start != self._start or (surplus and not (self.knows("undo") and surplus <= shared)):
            self._set_up(root, timeout)
            self._start, self._played, shared = start, [], 0
        else:
            for _ in range(surplus):
                self._say("undo", timeout)
                self._played.pop()
        for side, move in played[shared:]:
            self._play(f"play {COLOURS[side]} {move}", game, timeout)
            self._played.append((side, move))

    def _play(self, command: str, game: Any, timeout: float) -> None:
        """A move that the rules of `game` allow: an engine that refuses it plays by others."""
        try:
            self._ask(command, timeout)
        except GtpError as error:
            refused = f"refused {command!r}: {_short(str(error))}"
            if "unknown command" in str(error):
                raise self._fault(refused) from None
            hint = "; try --rules chinese" if game.rules != "chinese" else ""
            raise self._fault(f"does not know these rules: {refused}{hint}", Termination.RULES_DIFFER) from None

    def _say(self, command: str, timeout: float, fault: Termination = Termination.PROTOCOL_ERROR) -> None:
        """A command that the engine has no good reason to refuse."""
        try:
            self._ask(command, timeout)
        except GtpError as error:
            raise self._fault(f"refused {command!r}: {_short(str(error))}", fault) from None

    def _offer(self, command: str, timeout: float) -> bool:
        """A command that the engine need not know and may refuse; did it take it?"""
        if not self.knows(command.split()[0]):
            return False
        try:
            self._ask(command, timeout)
        except GtpError:
            return False
        return True

    def _set_up(self, root: Position, timeout: float) -> None:
        """Board size, rules, komi and the stones that the game starts with."""
        game: Any = root.game
        width, height = _board_size(game)
        self._started()
        self._forget()
        if width != height and not self.knows("rectangular_boardsize"):
            what = f"plays on square boards only, not on {width} columns by {height} rows"
            raise self._fault(what, Termination.COULD_NOT_START)
        size = f"boardsize {width}" if width == height else f"rectangular_boardsize {width} {height}"
        self._say(size, timeout, Termination.COULD_NOT_START)
        self._tell_rules(game, timeout)
        self._say("clear_board", timeout)
        self._say(f"komi {number_text(game.komi)}", timeout)
        if self._seed is not None:  # a game is to depend on its seed alone: not on those that the engine played before
            self._offer("clear_cache", timeout)
            self._offer(f"set_random_seed {self._seed}", timeout)
            self._seed = None
        for command in _stones(root, self.knows("set_free_handicap")):
            self._say(command, timeout)

    def _tell_rules(self, game: Any, timeout: float) -> None:
        """Name the rule set to an engine that can be told; others have it from their command line."""
        names = {RULES_COMMAND: rules_text(game), "kata-set-rules": game.rules, "kgs-rules": KGS_RULES.get(game.rules)}
        for command, name in names.items():
            if name and self._offer(f"{command} {name}", timeout):
                return

    def _tell_time(self, colour: str, seconds: float | None, timeout: float) -> None:
        """Tell the engine what it has for its next move.

        Every move has the same time, so that is a byo-yomi of one stone, in whole seconds as the protocol has them.
        """
        known, self._seconds, self._clock = self._seconds, seconds, ()
        if seconds is None:
            if known is not None:
                self._offer(gtp_time.NO_LIMIT, timeout)
            return
        whole = max(int(seconds), 1)
        if seconds != known:
            self._offer(f"time_settings 0 {whole} 1", timeout)
        self._offer(f"time_left {colour} {whole} 1", timeout)

    def _tell_clocks(self, side: int, clocks: tuple[Clock, Clock], timeout: float) -> None:
        """Tell the engine what the time control is, once, and what both sides have left.

        GTP has one time control for both sides: told is the engine's own.
        """
        kind = gtp_time.kind_of(clocks[side])
        if kind != self._clock:
            offers = (command for command in gtp_time.settings(clocks[side]) if self._offer(command, timeout))
            self._settings = next(offers, "")
            self._clock, self._seconds = kind, math.inf  # what limits it has to be taken back if seconds are told next
        for each in (1 - side, side):
            self._offer(gtp_time.time_left(COLOURS[each], clocks[each], self._settings), timeout)


def _board_size(game: Game) -> tuple[int, int]:
    """Columns and rows. Raises ValueError for a game that is not Go."""
    if not game.name.startswith("go-"):
        raise ValueError(f"GTP engines play Go, not {game.name}")
    _, height, width = game.planes
    return width, height


def rules_text(game: Any) -> str:
    """The rules of a Go game in one line: ``chinese superko=positional suicide=no scoring=area``."""
    rules = game.ruleset
    return f"{game.rules} superko={rules.superko} suicide={'yes' if rules.suicide else 'no'} scoring={rules.scoring}"


def _stones(root: Position, handicap: bool) -> list[str]:
    """Commands for the stones of the first position: as a `handicap` where it is one, else played one by one.

    No capture can occur on the way: a part of a chain that has a liberty has one too, or an empty point where the rest
    of the chain is to come.
    """
    board = root.board()
    black, white = (_vertices(board, colour) for colour in (1, -1))
    if handicap and len(black) >= 2 and not white and root.turn == 1:
        return [f"set_free_handicap {' '.join(black)}"]
    return [f"play {COLOURS[side]} {vertex}" for side, points in enumerate((black, white)) for vertex in points]


def _vertices(board: np.ndarray[Any, Any], colour: int) -> list[str]:
    """The points of one colour, from the bottom left, row by row."""
    rows = board[::-1]
    return [f"{'ABCDEFGHJKLMNOPQRSTUVWXYZ'[x]}{y + 1}" for y, x in np.argwhere(rows == colour)]


def _short(text: str) -> str:
    """A text of the engine's as it may stand in a message: quoted, one line, not too long."""
    return repr(text if len(text) <= 80 else text[:77] + "...")
