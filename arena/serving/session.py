"""One of our players behind UCI or USI: what both protocols say and do alike.

`EngineSession.hear` takes a line and returns at once, whatever the player does: answers are given to `say`, those of a
search from a thread of its own. What cannot be followed is explained by ``info string`` and changes nothing.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from threading import Event, Lock, Thread, Timer
from typing import Any

import numpy as np

from sakiyomi.arena.engines.options import ATTRIBUTES, Option, parse_setoption, settings_of
from sakiyomi.arena.match import one_line
from sakiyomi.arena.players import make_player, parse_spec
from sakiyomi.arena.serving.board import EngineBoard
from sakiyomi.arena.serving.go import GoForm, parse_go
from sakiyomi.arena.serving.search import Manner, Search, Searching
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import Budget, Player
from sakiyomi.boards.position import Position

PATIENCE = 2.0  # seconds of compilation, or of waiting for a search to end, that need no explanation

Value = bool | int | str
Command = Callable[[list[str]], None]


class EngineSession:
    """The state of one conversation. `say` is given whole lines without their ends, one at a time.

    `seed` makes the player's games reproducible; None takes one from the system. `ended` is True after ``quit``.
    Raises ValueError for a player that does not exist or does not play `game`.

    Each protocol has a session of its own, which says by what word it is greeted (`hello`), which of its `options` are
    the milliseconds that a move loses on its way (`overhead`), what `attributes` of players it offers as options, and
    moves that can be played from the start (`first_moves`). `word` stands before positions in text.
    """

    hello = ""
    overhead = ""
    first_moves: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, int]] = ATTRIBUTES
    go_form: GoForm
    manner: Manner

    def __init__(
        self,
        player_spec: str,
        game: Game,
        seed: int | None,
        say: Callable[[str], None],
        word: str,
        options: list[Option],
    ):
        self.spec = player_spec
        self.board = EngineBoard(game, word, self.manner.moves)
        self.ended = False
        self._player: Player = make_player(player_spec, game)
        self._seeds = np.random.SeedSequence(seed)
        self._begun = False  # a game with the player
        self._search: Searching | None = None
        self._write, self._lock = say, Lock()
        self._warmer: Thread | None = None
        self._warm = Event()
        self._unanswered = 0  # isready commands while it warms up
        settings = settings_of(self._player, self.attributes)
        self._settings = {option.name for option in settings}
        self._options = {option.name.lower(): option for option in (*options, *settings)}
        self._values: dict[str, Value] = {option.name: option.default for option in self._options.values()}
        self._commands: dict[str, Command] = {
            self.hello: self._introduce,
            "debug": lambda words: None,
            "isready": self._isready,
            "setoption": self._setoption,
            "register": lambda words: None,
            f"{self.hello}newgame": self._new_game,
            "position": self._position,
            "go": self._go,
            "stop": lambda words: self.stop(),
            "ponderhit": self._ponderhit,
            "quit": self._quit,
            **self.also(),
        }

    def also(self) -> dict[str, Command]:
        """Commands that this protocol alone has, or follows in its own way."""
        return {}

    def option_set(self, option: Option, value: Value) -> None:
        """What else the new value of an option brings about. Raises ValueError."""

    def hear(self, line: str) -> None:
        """Follow one line. Words before the first that is a command are skipped, as the specification wants it."""
        words = line.split()
        at = next((i for i, word in enumerate(words) if word in self._commands), None)
        if at is None:
            if words:
                self._explain(f"unknown command {line.strip()!r}; there are: {', '.join(self._commands)}")
            return
        try:
            self._commands[words[at]](words[at + 1 :])
        except ValueError as error:
            self._explain(str(error))

    def drain(self) -> None:
        """Let a search end that ends by itself, after the end of input: so scripts can be piped in.

        Not for a player that could not be stopped if the controller should turn out to have gone altogether.
        """
        if self._search is not None and self._search.finite and hasattr(self._player, "think"):
            self._search.wait()

    def stop(self) -> None:
        """Stop the search, if there is one; from any thread."""
        if self._search is not None:
            self._search.stop()

    def close(self) -> bool:
        """Stop what goes on and give back what the player holds; False if it could not be stopped in time."""
        done = True
        if self._search is not None:
            self.stop()
            done = self._search.wait(PATIENCE)
        if done:
            self._player.close()
        if self._warmer is not None:
            self._warmer.join(PATIENCE)
            done = done and not self._warmer.is_alive()
        return done

    # --- what is said

    def _say(self, line: str) -> None:
        with self._lock:
            self._write(line)

    def _explain(self, text: str) -> None:
        self._say(f"info string {one_line(text)}")

    # --- getting ready

    def _introduce(self, words: list[str]) -> None:
        self._say(f"id name Sakiyomi {version('sakiyomi')} {self._player.name}")
        self._say("id author the authors of Sakiyomi")
        for option in self._options.values():
            self._say(str(option))
        self._say(f"{self.hello}ok")
        self._warm_up()

    def _isready(self, words: list[str]) -> None:
        self._warm_up()
        with self._lock:
            if not self._warm.is_set() and not self._searching():
                self._unanswered += 1
                return
        self._say("readyok")

    def _warm_up(self) -> None:
        """Begin to compile in the background, unless that was begun before."""
        if self._warmer is None:
            self._warmer = Thread(target=self._compile, name="engine warm-up", daemon=True)
            self._warmer.start()

    def _compile(self) -> None:
        """Use everything once that is compiled on its first use, then answer who asks whether we are ready."""
        patience = Timer(PATIENCE, self._explain, ["compiling, which is done once on a machine: please wait"])
        patience.daemon = True
        patience.start()
        try:
            game = self.board.game
            start = Position(game).text()
            board = EngineBoard(game, self.board.word, self.manner.moves)
            board.set([board.word, *start.split(), "moves", *self.first_moves])
            if spec := parse_spec(self.spec).kind.warm:
                _try_out(make_player(spec, game), Position(game))
        except Exception as error:  # what is wrong with the player will show in its search, too
            self._explain(f"warming up failed: {type(error).__name__}: {error}")
        finally:
            patience.cancel()
            with self._lock:
                self._warm.set()
                for _ in range(self._unanswered):
                    self._write("readyok")

    # --- options

    def _setoption(self, words: list[str]) -> None:
        name, text = parse_setoption(words)
        option = self._options.get(name.lower())
        if option is None:
            known = ", ".join(option.name for option in self._options.values())
            raise ValueError(f"there is no option {name!r}; there are: {known}")
        value = option.read(text)
        self._finish("setoption")
        self._values[option.name] = value
        if option.name in self._settings:
            self._set_on_player(option.name)
        self.option_set(option, value)

    def change_game(self, game: Game) -> None:
        """Play by other rules from now on, with a new player of the same settings. Raises ValueError."""
        if game == self.board.game:
            return
        player = make_player(self.spec, game)
        self._player.close()
        self._player, self._begun = player, False
        for name in self._settings:
            if self._values[name] != self._options[name.lower()].default:
                self._set_on_player(name)
        self.board.change(game)

    def _set_on_player(self, name: str) -> None:
        try:
            setattr(self._player, self.attributes[name][0], self._values[name])
        except (AttributeError, TypeError) as error:
            raise ValueError(f"the player does not take the option {name}: {error}") from None

    # --- the game

    def _new_game(self, words: list[str]) -> None:
        self._finish(f"{self.hello}newgame")
        self._begun = False

    def _position(self, words: list[str]) -> None:
        self.board.set(words)

    def _go(self, words: list[str]) -> None:
        self._finish("go")
        go = parse_go(words, self.go_form)
        for complaint in go.complaints:
            self._explain(complaint)
        self._warm_up()
        position = self.board.position
        self._search = Search(
            self._player,
            None if position is None else position.copy(),
            go,
            manner=self.manner,
            begin=self._begin,
            overhead=int(self._values[self.overhead]) / 1000,
            say=self._say,
        )
        self._search.start()

    def _begin(self, side: int) -> None:
        """In the thread of the search, before the player is asked for a move of `side`."""
        self._warm.wait()
        if not self._begun:
            self._player.begin(self.board.game, side, np.random.default_rng(self._seeds.spawn(1)[0]))
            self._begun = True

    def _ponderhit(self, words: list[str]) -> None:
        if self._search is not None:
            self._search.ponderhit()

    def _quit(self, words: list[str]) -> None:
        self.ended = True

    def _searching(self) -> bool:
        return self._search is not None and not self._search.over

    def _finish(self, command: str) -> None:
        """Wait for a search that was told to stop. Raises ValueError during another: `command` has to wait."""
        if self._search is None:
            return
        if not self._search.over and not self._search.stopping:
            raise ValueError(f"{command} during a search is not followed; send stop first")
        self._search.wait()


def _try_out(player: Any, position: Position) -> None:
    """One small search."""
    if hasattr(player, "think"):
        player.think(position, Budget(simulations=2, depth=1), moves=None, stop=Event(), tell=lambda thought: None)
    player.choose(position, Budget(simulations=2))
    player.close()
