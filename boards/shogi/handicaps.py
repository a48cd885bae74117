"""The usual handicaps: White plays without some pieces and moves first."""

from sakiyomi.boards.shogi.sfen import START

_MISSING = {
    "lance": "1a",
    "right-lance": "9a",
    "bishop": "2b",
    "rook": "8b",
    "rook-lance": "8b 1a",
    "two-piece": "8b 2b",
    "three-piece": "8b 2b 9a",
    "four-piece": "8b 2b 1a 9a",
    "five-piece": "8b 2b 1a 9a 2a",
    "left-five-piece": "8b 2b 1a 9a 8a",
    "six-piece": "8b 2b 1a 9a 2a 8a",
    "seven-piece": "8b 2b 1a 9a 2a 8a 3a",
    "left-seven-piece": "8b 2b 1a 9a 2a 8a 7a",
    "eight-piece": "8b 2b 1a 9a 2a 8a 3a 7a",
    "nine-piece": "8b 2b 1a 9a 2a 8a 3a 7a 4a",
    "ten-piece": "8b 2b 1a 9a 2a 8a 3a 7a 4a 6a",
}


def handicap_sfen(name: str) -> str:
    """The start position of a handicap by name, or of "even". Raises ValueError for an unknown one."""
    if name == "even":
        return START
    if name not in _MISSING:
        raise ValueError(f"unknown handicap {name!r}; there are: even, {', '.join(_MISSING)}")
    missing = _MISSING[name].split()
    ranks = []
    for letter, row in zip("ab", ("lnsgkgsnl", ".r.....b."), strict=True):
        kept = ["." if f"{9 - x}{letter}" in missing else sign for x, sign in enumerate(row)]
        ranks.append("".join(kept))
    text = "/".join(_shortened(rank) for rank in ranks)
    return f"{text}/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL w - 1"


def _shortened(rank: str) -> str:
    """Dots as numbers."""
    out, empty = "", 0
    for sign in rank + "|":
        if sign == ".":
            empty += 1
            continue
        out += (str(empty) if empty else "") + sign
        empty = 0
    return out[:-1]


HANDICAPS = ("even", *_MISSING)
"""Names that `handicap_sfen` takes."""
