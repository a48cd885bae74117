"""One of our players behind the Go Text Protocol, version 2: the engine's side (Farnebäck 2002, draft 2).

`Session.respond` is the whole protocol: a line in, the response out. Beside the commands of the specification there
are those that controllers use in practice: boards that are not square, rule sets, KGS's clocks and its clean-up.
Error texts are the specification's where it has them, else GNU Go's, its reference implementation.
"""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from sakiyomi.arena.engines.gtp import KGS_RULES, RULES_COMMAND, rules_text
from sakiyomi.arena.match import PlayerFault
from sakiyomi.arena.players import make_player, parse_spec
from sakiyomi.arena.serving.gtp_board import COLOURS, GtpBoard, Refused
from sakiyomi.arena.serving.gtp_clock import Clock
from sakiyomi.boards.go import Go
from sakiyomi.boards.player import RESIGN, Budget, Player
from sakiyomi.boards.position import Position

SYNTAX = "syntax error"
ANY = 10_000  # as many arguments as there are

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # all but tab and line feed


class Session:
    """The state of one GTP conversation.

    `seed` makes the player's games reproducible; None takes one from the system. `ended` is True after ``quit``.
    Raises ValueError for a player that does not exist or does not play `game`.
    """

    def __init__(self, player_spec: str, game: Go, seed: int | None = None):
        self.spec = player_spec
        self.board = GtpBoard(game)
        self.ended = False
        self._player: Player = make_player(player_spec, game)
        self._seeds = np.random.SeedSequence(seed)
        self._warm = self._begun = False
        self._clocks = [Clock(), Clock()]
        self._commands = self._table()

    def respond(self, line: str) -> str | None:
        """The response to one line, with its end; None for blank lines and comments, which have none."""
        words = _CONTROL.sub("", line).partition("#")[0].split()
        if not words:
            return None
        number = words.pop(0) if re.fullmatch("[0-9]+", words[0]) else ""
        try:
            result = self._do(words[0] if words else "", words[1:])
        except Refused as error:
            return f"?{number} {error}\n\n"
        return f"={number} {result}\n\n" if result else f"={number}\n\n"

    def close(self) -> None:
        """Give back what the player holds."""
        self._player.close()

    def _do(self, command: str, args: list[str]) -> str | None:
        if command not in self._commands:
            raise Refused("unknown command")
        action, least, most = self._commands[command]
        if not least <= len(args) <= most:
            raise Refused(SYNTAX)
        return action(*args)

    def _table(self) -> dict[str, tuple[Callable[..., str | None], int, int]]:
        """Every command: what does it, and how many arguments it takes at least and at the most."""
        board = self.board
        return {
            "protocol_version": (lambda: "2", 0, 0),
            "name": (lambda: f"Sakiyomi {self.spec}", 0, 0),
            "version": (lambda: version("sakiyomi"), 0, 0),
            "known_command": (lambda name: str(name in self._commands).lower(), 1, 1),
            "list_commands": (lambda: "\n".join(sorted(self._commands)), 0, 0),
            "quit": (self._quit, 0, 0),
            "boardsize": (self._boardsize, 1, 2),
            "rectangular_boardsize": (self._boardsize, 2, 2),
            "clear_board": (self._clear_board, 0, 0),
            "komi": (lambda komi: self._change(komi=_number(komi)), 1, 1),
            RULES_COMMAND: (self._rules, 0, 4),
            "kgs-rules": (self._kgs_rules, 1, 1),
            "fixed_handicap": (lambda stones: self._fresh(board.fixed_handicap(_whole(stones))), 1, 1),
            "place_free_handicap": (lambda stones: self._fresh(board.free_handicap(_whole(stones))), 1, 1),
            "set_free_handicap": (self._set_free_handicap, 0, ANY),
            "loadsgf": (self._loadsgf, 0, ANY),
            "play": (self._play, 2, 2),
            "undo": (board.undo, 0, 0),
            "genmove": (self._genmove, 1, 1),
            "reg_genmove": (self._reg_genmove, 1, 1),
            "kgs-genmove_cleanup": (self._genmove_cleanup, 1, 1),
            "set_random_seed": (self._set_random_seed, 1, 1),
            "time_settings": (self._time_settings, 3, 3),
            "kgs-time_settings": (self._kgs_time_settings, 1, 4),
            "time_left": (self._time_left, 3, 3),
            "final_score": (board.score, 0, 0),
            "final_status_list": (board.with_status, 1, 1),
            "showboard": (lambda: f"\n{board.position}", 0, 0),
        }

    def _quit(self) -> None:
        self.ended = True

    # --- the game

    def _fresh(self, result: str | None = None) -> str | None:
        """`result` of a command that began a new game."""
        self._begun = False
        return result

    def _boardsize(self, columns: str, rows: str = "") -> None:
        old = self.board.game
        try:
            game = replace(old, size=(_whole(columns), _whole(rows or columns)), max_plies=0)
            player = self._player if game.name == old.name else make_player(self.spec, game)
        except ValueError:
            raise Refused("unacceptable size") from None
        if player is not self._player:
            self._player.close()
        self._player = player
        self.board.clear(game)
        self._fresh()

    def _clear_board(self) -> None:
        self.board.clear()
        self._fresh()
        if not self._warm:  # compile now, while no clock runs
            self._warm = True
            if spec := parse_spec(self.spec).kind.warm:
                make_player(spec, self.board.game).choose(Position(self.board.game), Budget(simulations=2))

    def _change(self, **settings: object) -> None:
        self.board.change(**settings)
        self._fresh()

    def _rules(self, name: str = "", *options: str) -> str | None:
        if not name:
            return rules_text(self.board.game)
        named = dict(option.partition("=")[::2] for option in options)
        suicide = {"yes": True, "no": False, None: None}
        if not set(named) <= {"superko", "suicide", "scoring"} or named.get("suicide") not in suicide:
            raise Refused(SYNTAX)
        overrides = {"superko": named.get("superko"), "scoring": named.get("scoring")}
        self._change(rules=name, suicide=suicide[named.get("suicide")], **overrides)
        return None

    def _kgs_rules(self, name: str) -> None:
        ours = {kgs: rules for rules, kgs in KGS_RULES.items()}
        self._rules(ours.get(name, name))

    def _set_free_handicap(self, *vertices: str) -> None:
        self.board.set_handicap(vertices)
        self._fresh()

    def _loadsgf(self, *args: str) -> None:
        """A file's first game, up to before the given move number."""
        if not args:
            raise Refused("missing filename")
        *words, last = args
        number = int(last) if words and last.isdecimal() else None
        self.board.load(Path(" ".join(args if number is None else words)), number)
        self._fresh()

    # --- moves

    def _play(self, colour: str, vertex: str) -> None:
        self.board.play(_side(colour), vertex)

    def _genmove(self, colour: str) -> str:
        side = _side(colour)
        clock = self._clocks[side]
        started = time.monotonic()
        move = self._choose(side, clock.seconds(self._moves_to_go()))
        clock.spend(time.monotonic() - started)
        if move != RESIGN and self.board.given_to(side).outcome() is None:
            self.board.play(side, move)
        return move

    def _reg_genmove(self, colour: str) -> str:
        return self._choose(_side(colour), None)

    def _genmove_cleanup(self, colour: str) -> str:
        """Play on until the other side's dead stones are off the board."""
        side = _side(colour)
        if self.board.has_dead(1 - side):
            return self._genmove(colour)
        self.board.play(side, "pass")
        return "pass"

    def _choose(self, side: int, seconds: float | None) -> str:
        """The player's move for `side`, not yet played."""
        position = self.board.given_to(side)
        if position.outcome() is not None:  # the move limit
            return "pass"
        try:
            if not self._begun:
                self._player.begin(self.board.game, side, np.random.default_rng(self._seeds.spawn(1)[0]))
                self._begun = True
            return self._player.choose(position, Budget(seconds=seconds))
        except PlayerFault as error:
            raise Refused(f"{self.spec}: {' '.join(str(error).split())}") from None

    def _moves_to_go(self) -> int:
        """About how many moves one side has still to make: games last some 0.7 moves a point."""
        area, ply = self.board.game.num_actions - 1, self.board.position.ply
        return max(int((0.7 * area - ply) / 2), area // 20, 4)

    def _set_random_seed(self, seed: str) -> None:
        self._seeds = np.random.SeedSequence(_whole(seed))
        self._fresh()

    # --- time

    def _time_settings(self, main: str, period: str, stones: str) -> None:
        self._set_clocks(Clock(_seconds(main), _seconds(period), _whole(stones)))

    def _kgs_time_settings(self, kind: str, *numbers: str) -> None:
        match kind, numbers:
            case "none", ():
                self._set_clocks(Clock())
            case "absolute", (main,):
                self._set_clocks(Clock(_seconds(main), 0.0))
            case "byoyomi", (main, period, periods):
                self._set_clocks(Clock(_seconds(main), _seconds(period), _whole(periods), canadian=False))
            case "canadian", (main, period, stones):
                self._set_clocks(Clock(_seconds(main), _seconds(period), _whole(stones)))
            case _:
                raise Refused(SYNTAX)

    def _set_clocks(self, clock: Clock) -> None:
        self._clocks = [clock, replace(clock)]

    def _time_left(self, colour: str, left: str, stones: str) -> None:
        self._clocks[_side(colour)].tell(_number(left), _whole(stones))


def _side(colour: str) -> int:
    if colour.lower() not in COLOURS:
        raise Refused("invalid color or coordinate")
    return COLOURS[colour.lower()]


def _whole(text: str) -> int:
    """A number of 0 or more."""
    if not re.fullmatch("[0-9]{1,18}", text):
        raise Refused(SYNTAX)
    return int(text)


def _seconds(text: str) -> float:
    number = _number(text)
    if number < 0:
        raise Refused(SYNTAX)
    return number


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise Refused(SYNTAX) from None
    if not np.isfinite(number):
        raise Refused(SYNTAX)
    return number
