"""The command ``go`` of the Universal Chess Interface, taken apart."""

import re
from dataclasses import dataclass

from sakiyomi.arena.uci_clock import Clock, seconds_of
from sakiyomi.boards.player import Budget

MOVE = re.compile("[a-h][1-8][a-h][1-8][nbrqNBRQ]?|0000")
NUMBERS = ("wtime", "btime", "winc", "binc", "movestogo", "depth", "nodes", "mate", "movetime")
WORDS = ("searchmoves", "ponder", "infinite", *NUMBERS)


@dataclass(frozen=True)
class Go:
    """What one ``go`` asks for; `numbers` are as they were sent, times in milliseconds.

    `moves` are those of ``searchmoves``, None where it is absent; `complaints` tell in words what was passed over.
    """

    numbers: dict[str, int]
    moves: tuple[str, ...] | None = None
    ponder: bool = False
    infinite: bool = False
    complaints: tuple[str, ...] = ()

    @property
    def mate(self) -> int | None:
        """The moves in which a mate is wanted."""
        return max(self.numbers["mate"], 1) if "mate" in self.numbers else None

    @property
    def bare(self) -> bool:
        """Is there no limit at all, and no word that there is to be none?"""
        return not self.infinite and not self.numbers.keys() & {"depth", "nodes", "mate", "movetime", "wtime", "btime"}

    def clock(self, side: int) -> Clock | None:
        """The clock of `side` (0 White); None if it is not told."""
        left, increment = ("wtime", "winc") if side == 0 else ("btime", "binc")
        if left not in self.numbers:
            return None
        plus = max(self.numbers.get(increment, 0), 0)
        moves = self.numbers.get("movestogo", 0)
        return Clock(self.numbers[left] / 1000, plus / 1000, moves if moves > 0 else None)

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
        return Budget(counts.get("nodes"), seconds, depth)


def parse_go(words: list[str]) -> Go:
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
            while at < len(words) and MOVE.fullmatch(words[at]):
                moves.append(words[at])
                at += 1
        elif word in NUMBERS:
            text = words[at] if at < len(words) else ""
            if re.fullmatch("[+-]?[0-9]{1,15}", text):
                numbers[word] = int(text)
                at += 1
            else:
                complaints.append(f"go {word} wants a whole number, not {text!r}")
        else:
            complaints.append(f"go knows no {word!r}; it knows: {', '.join(WORDS)}")
    listed = None if moves is None else tuple(moves)
    return Go(numbers, listed, "ponder" in flags, "infinite" in flags, tuple(complaints))
