"""Rule sets by name, as values.

Sources: Tromp and Taylor's rules (tromp.github.io/go.html); the Chinese rules of 2002 (whole-board repetition is
forbidden); the Japanese rules of 1989; the AGA's Concise Rules of Go (1991); the New Zealand rules of Go.
"""

from dataclasses import dataclass
from typing import Literal, get_args

Superko = Literal["simple", "positional", "situational"]
Scoring = Literal["area", "territory"]
Compensation = Literal["none", "stones", "stones less one"]


@dataclass(frozen=True)
class Ruleset:
    """How repetition, suicide, scoring and handicap are treated.

    `superko`: "simple" forbids only the immediate retaking of a ko, "positional" any earlier whole-board position,
    "situational" one with the same player to move. `compensation`: points that White gets for handicap stones under
    area scoring, where each is also a point of Black's area.
    """

    superko: Superko
    suicide: bool
    scoring: Scoring
    compensation: Compensation = "none"


RULES = {
    "tromp-taylor": Ruleset("positional", suicide=True, scoring="area"),
    "chinese": Ruleset("positional", suicide=False, scoring="area", compensation="stones"),
    "japanese": Ruleset("simple", suicide=False, scoring="territory"),
    "aga": Ruleset("situational", suicide=False, scoring="area", compensation="stones less one"),
    "new-zealand": Ruleset("situational", suicide=True, scoring="area"),
}

SUPERKO = get_args(Superko)
SCORING = get_args(Scoring)
