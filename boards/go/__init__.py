"""Go: any size from 1x1 to 25x25, rectangular too, by five rule sets."""

from sakiyomi.boards.go.game import Go
from sakiyomi.boards.go.rulesets import RULES, Ruleset

__all__ = ["RULES", "Go", "Ruleset"]
