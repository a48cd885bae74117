"""When a game is over before its end: by the players' own scores, by its length, or because its result is known.

As cutechess-cli and fastchess have it (``-resign``, ``-draw``, ``-maxmoves``, ``-tb``), for every game: players who
know no centipawns are judged by the result that they expect. The rules are written as lines:

    resign = "moves=3,score=600"             three moves in a row both players hold the same one to be lost
    resign = "moves=5,value=0.95,both=no"    the loser's own word is enough
    draw   = "from=40,moves=8,score=10"      from move 40 on, after eight moves in a row that both hold to be even
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from sakiyomi.arena.engines.thoughts import expected_result
from sakiyomi.arena.known_results import KnownResults, Tablebases, check_solved, solved_result
from sakiyomi.arena.match import number_text
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import Thought
from sakiyomi.boards.position import Position

RESIGN_FORM = '"moves=3,score=600", also value=0.9 (an expected result) and both=no'
DRAW_FORM = '"from=40,moves=8,score=10", also value=0.05 (an expected result)'
_YES, _NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


@dataclass(frozen=True)
class _Rule:
    """`moves` of each player in a row, measured by `score` in centipawns or, for players who know none, by `value`, an
    expected result of 0 to 1; None: that which belongs to `score`.
    """

    moves: int
    score: int
    value: float | None

    def __post_init__(self) -> None:
        if self.moves < 1:
            raise ValueError(f"moves is a whole number of 1 or more, not {self.moves}")
        if self.score < 0:
            raise ValueError(f"score is a number of centipawns of 0 or more, not {self.score}")
        if self.value is not None and not 0 <= self.value <= 1:
            raise ValueError(f"value is an expected result of 0 to 1, not {self.value}")

    def sees(self, thought: Thought | None) -> int | None:
        """1 if the player holds its game to be won by this measure or more, -1 for lost, 0 for neither; None: unknown.

        A forced mate is beyond every measure.
        """
        if thought is None:
            return None
        if thought.mate is not None:
            return 1 if thought.mate > 0 else -1
        if thought.centipawns is not None:
            return _beyond(thought.centipawns, self.score)
        limit = expected_result(self.score) if self.value is None else self.value
        return None if thought.value is None else _beyond(thought.value, limit)

    @property
    def text(self) -> str:
        """The line that is read back."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        words = [f"from={said.pop('start')}"] if said.get("start") else []
        words += [f"moves={said['moves']}", f"score={said['score']}"]
        words += [] if said["value"] is None else [f"value={number_text(said['value'])}"]
        return ",".join([*words, *(["both=no"] if said.get("both") is False else [])])


def _beyond(score: float, limit: float) -> int:
    return 1 if score >= limit and score > 0 else -1 if score <= -limit and score < 0 else 0


def _unless_even(score: float, limit: float) -> int:
    return 0 if abs(score) <= limit else 1 if score > 0 else -1


@dataclass(frozen=True)
class ResignRule(_Rule):
    """A game is lost that its player held to be lost, `score` or more behind, at each of its last `moves` moves.

    With `both` the other side must have held its game to be won as clearly, at each of its last `moves` moves.
    """

    moves: int = 3
    score: int = 600
    value: float | None = None
    both: bool = True


@dataclass(frozen=True)
class DrawRule(_Rule):
    """A game is drawn that both players held to be even, not over `score` apart, at each of their last `moves` moves,
    once `start` moves (`moves_made`) have been played, those of an opening included, not those before a `setup`.
    """

    moves: int = 8
    score: int = 10
    value: float | None = None
    start: int = 0

    def sees(self, thought: Thought | None) -> int | None:
        """0 if the player holds its game to be even by this measure, 1 if it holds it to be better, -1 for worse."""
        if thought is None or thought.mate is not None:
            return super().sees(thought)
        if thought.centipawns is not None:
            return _unless_even(thought.centipawns, self.score)
        limit = expected_result(self.score) if self.value is None else self.value
        return None if thought.value is None else _unless_even(thought.value, limit)


R = TypeVar("R", ResignRule, DrawRule)


def parse_resign(text: str) -> ResignRule:
    """The rule that a line such as "moves=3,score=600" describes. Raises ValueError that shows the form."""
    return _parse(ResignRule, text, "resign", RESIGN_FORM)


def parse_draw(text: str) -> DrawRule:
    """The rule that a line such as "from=40,moves=8,score=10" describes. Raises ValueError that shows the form."""
    return _parse(DrawRule, text, "draw", DRAW_FORM)


def _parse(kind: type[R], text: str, name: str, form: str) -> R:
    known: dict[str, Callable[[str], Any]] = {"moves": _whole, "score": _whole, "value": float}
    known |= {"both": _truth} if kind is ResignRule else {"from": _whole}
    found: dict[str, Any] = {}
    try:
        for part in text.split(","):
            key, equals, value = (word.strip() for word in part.partition("="))
            if not equals or key not in known:
                raise ValueError(f"{part.strip()!r} is none of {', '.join(f'{each}=' for each in known)}")
            if key in found:
                raise ValueError(f"{key} stands there twice")
            try:
                found[key] = known[key](value)
            except ValueError:
                what = {"both": "yes or no", "value": "a number of 0 to 1"}.get(key, "a whole number")
                raise ValueError(f"{key} is {what}, not {value!r}") from None
        if not {"score", "value"} & found.keys():
            raise ValueError("score or value is missing: how clear the scores have to be")
        if "from" in found:
            found["start"] = found.pop("from")
        return kind(**found)
    except ValueError as error:
        raise ValueError(f"{name} = {text!r}: {error}; wanted: {form}") from None


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise ValueError(text)
    return int(text)


def _truth(text: str) -> bool:
    if text.lower() not in _YES + _NO:
        raise ValueError(text)
    return text.lower() in _YES


@dataclass(frozen=True)
class Ruling:
    """The end of a game by a referee: who has won (None: nobody), and why. With `score` the board is counted as it
    stands.
    """

    winner: int | None
    why: str
    score: bool = False


@dataclass(frozen=True)
class Adjudication:
    """The rules by which a tournament ends games; none holds where nothing is set.

    After `max_moves` moves (`moves_made`) a game is drawn, and Go counted as it stands. With
    `solved`, small games end with their proven result as soon as that is quick to tell (`known_results`), games of
    chess with that of the Syzygy `tablebases`: folders, separated as in PATH. Raises ValueError for `max_moves` under
    1.
    """

    resign: ResignRule | None = None
    draw: DrawRule | None = None
    max_moves: int | None = None
    solved: bool = False
    tablebases: str | None = None

    def __post_init__(self) -> None:
        most = self.max_moves
        if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
            raise ValueError(f"max_moves is a whole number of 1 or more, not {most!r}")

    def __bool__(self) -> bool:
        return self != Adjudication()

    @property
    def settings(self) -> dict[str, Any]:
        """What is set, as JSON and TOML can say it; `of` reads it back."""
        rules = {"resign": self.resign, "draw": self.draw}
        lines = {key: rule.text for key, rule in rules.items() if rule is not None}
        others = {"max_moves": self.max_moves, "solved": self.solved, "tablebases": self.tablebases}
        return lines | {key: value for key, value in others.items() if value}

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Adjudication":
        """The rules that settings describe: `resign` and `draw` as lines of text, `max_moves`, `solved`, `tablebases`.

        Raises ValueError for what is wrong with them.
        """
        return cls(
            parse_resign(settings["resign"]) if settings.get("resign") else None,
            parse_draw(settings["draw"]) if settings.get("draw") else None,
            settings.get("max_moves"),
            bool(settings.get("solved", False)),
            settings.get("tablebases") or None,
        )

    def referee(self, game: Game) -> "Referee":
        """Who watches one game of `game`. Raises ValueError for rules that `game` does not have."""
        known: list[KnownResults] = []
        if self.solved:
            check_solved(game)
            known.append(solved_result)
        if self.tablebases is not None:
            known.append(Tablebases.of(self.tablebases, game).result)
        return Referee(self, known)


def moves_made(position: Position) -> int:
    """The moves of a game as its players count them: in chess one of each side is one, elsewhere every one counts."""
    plies = len(position.actions)
    return plies // 2 if position.game.name in ("chess", "chess960") else plies


class Referee:
    """Watches one game; `known` tell the result of a position where they know it."""

    def __init__(self, rules: Adjudication, known: list[KnownResults]):
        self._rules, self._known = rules, known
        self._lost, self._won, self._even = [0, 0], [0, 0], [0, 0]  # moves in a row that each side saw so

    def after(self, position: Position, side: int, thought: Thought | None) -> Ruling | None:
        """Called after each move of `side`, which thought so and led to `position`: a ruling if the game is over."""
        self._count(side, thought)
        for known in self._known:
            if (result := known(position)) is not None:
                return Ruling(*result)
        return self._resigned() or self._drawn(position) or self._ended(position)

    def _count(self, side: int, thought: Thought | None) -> None:
        rules = self._rules
        if rules.resign is not None:
            seen = rules.resign.sees(thought)
            self._lost[side] = self._lost[side] + 1 if seen == -1 else 0
            self._won[side] = self._won[side] + 1 if seen == 1 else 0
        if rules.draw is not None:
            self._even[side] = self._even[side] + 1 if rules.draw.sees(thought) == 0 else 0

    def _resigned(self) -> Ruling | None:
        rule = self._rules.resign
        if rule is None:
            return None
        for loser in (0, 1):
            if self._lost[loser] >= rule.moves and (not rule.both or self._won[1 - loser] >= rule.moves):
                who = "both players hold" if rule.both else "its player holds"
                return Ruling(1 - loser, f"{who} the game to be lost ({rule.text})")
        return None

    def _drawn(self, position: Position) -> Ruling | None:
        rule = self._rules.draw
        if rule is None or moves_made(position) < rule.start or min(self._even) < rule.moves:
            return None
        return Ruling(None, f"both players hold the game to be even ({rule.text})")

    def _ended(self, position: Position) -> Ruling | None:
        most = self._rules.max_moves
        if most is None or moves_made(position) < most:
            return None
        return Ruling(None, f"{most} moves were played", score=hasattr(position.game, "score"))
