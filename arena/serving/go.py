"""The command ``go`` of UCI and USI, taken apart."""

import re
from dataclasses import dataclass

from sakiyomi.boards.clock import Clock, seconds_of
from sakiyomi.boards.player import Budget


@dataclass(frozen=True)
class GoForm:
    """What ``go`` knows in one protocol.

    `clocks` are the words for the time left and the increment of the first and of the second player, `limits` those
    of other numbers, `move` what the moves behind ``searchmoves`` look like. Where `increment_first` is set, a move may
    also use up the increment that is told with it; else that is added after the move.
    """

    clocks: tuple[tuple[str, str], tuple[str, str]]
    limits: tuple[str, ...]
    move: re.Pattern[str]
    increment_first: bool = False

    @property
    def numbers(self) -> tuple[str, ...]:
        """All words that a number follows."""
        (first, added), (second, added_to_second) = self.clocks
        return first, second, added, added_to_second, *self.limits

    @property
    def words(self) -> tuple[str, ...]:
        """All words."""
        return ("searchmoves", "ponder", "infinite", *self.numbers)


UCI_GO = GoForm(
    (("wtime", "winc"), ("btime", "binc")),
    ("movestogo", "depth", "nodes", "mate", "movetime"),
    re.compile("[a-h][1-8][a-h][1-8][nbrqNBRQ]?|0000"),
)
USI_GO = GoForm(
    (("btime", "binc"), ("wtime", "winc")),
    ("byoyomi", "depth", "nodes", "movetime"),
    re.compile(r"[1-9][a-i][1-9][a-i]\+?|[PLNSGBR]\*[1-9][a-i]", re.IGNORECASE),
    increment_first=True,
)


@dataclass(frozen=True)
class Go:
    """What one ``go`` asks for; `numbers` are as they were sent, times in milliseconds.

    `moves` are those of ``searchmoves``, None where it is absent; `complaints` tell in words what was passed over.
    """

    form: GoForm
    numbers: dict[str, int]
    moves: tuple[str, ...] | None = None
    ponder: bool = False
    infinite: bool = False
    complaints: tuple[str, ...] = ()

    @property
    def mate(self) -> int | None:
        """The moves in which a mate is wanted."""
        return max(self.numbers["mate"], 1) if "mate" in self.numbers else None

    def clock(self, side: int) -> Clock | None:
        """The clock of `side` (0 moves first); None if it is not told."""
        left, increment = self.form.clocks[side]
        byoyomi = max(self.numbers.get("byoyomi", 0), 0) / 1000
        if left not in self.numbers and not byoyomi:
            return None
        plus = max(self.numbers.get(increment, 0), 0) / 1000
        moves = self.numbers.get("movestogo", 0)
        time = self.numbers.get(left, 0) / 1000
        if self.form.increment_first and time < plus:  # not before: some managers add it after the move all the same
            time = max(time, 0.0) + plus
        return Clock(time, plus, moves if moves > 0 else None, byoyomi)

    def seconds(self, side: int, overhead: float) -> float | None:
        """How long `side` may think, `overhead` seconds being lost on the way; None for no limit."""
        limits = []
        if (clock := self.clock(side)) is not None:
            limits.append(clock.seconds(overhead))
        if "movetime" in self.numbers:
            limits.append(seconds_of(self.numbers["movetime"] / 1000, overhead))
        return min(limits) if limits and not self.infinite else None

    def budget(self, seconds: float | None) -> Budget:
        """The limits of the search, with `seconds` for it. A mate in N is looked for 2 N - 1 plies deep."""
        counts = {name: max(self.numbers[name], 1) for name in ("depth", "nodes") if name in self.numbers}
        depth = counts.get("depth")
        if self.mate is not None:
            depth = min(depth or 2 * self.mate - 1, 2 * self.mate - 1)
        return Budget(counts.get("nodes"), seconds, depth, self.mate)


def parse_go(words: list[str], form: GoForm) -> Go:
    """The words behind ``go``. Unknown ones are skipped; a number that is none, too."""
    numbers: dict[str, int] = {}
    moves: list[str] | None = None
    flags: set[str] = set()
    complaints = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word in ("ponder", "infinite"):
            flags.add(word)
        elif word == "searchmoves":
            moves = []
            while at < len(words) and form.move.fullmatch(words[at]):
                moves.append(words[at])
                at += 1
        elif word in form.numbers:
            text = words[at] if at < len(words) else ""
            if re.fullmatch("[+-]?[0-9]{1,15}", text):
                numbers[word] = int(text)
                at += 1
            else:
                complaints.append(f"go {word} wants a whole number, not {text!r}")
        else:
            complaints.append(f"go knows no {word!r}; it knows: {', '.join(form.words)}")
    listed = None if moves is None else tuple(moves)
    return Go(form, numbers, listed, "ponder" in flags, "infinite" in flags, tuple(complaints))
