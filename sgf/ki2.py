"""KI2, moves as people write them: "▲７六歩    △３四歩    ▲２六歩". `kif.read_kif` reads the files.

Which of several pieces is meant is found by the rules (`boards.shogi.text_kernels`).
"""

import re

SIDES = "▲△▼▽☗☖"
_TOKEN = re.compile(r"[▲△▼▽☗☖][^▲△▼▽☗☖]*")


def tokens(line: str) -> list[str]:
    """The moves of a line, each with its sign."""
    return [token.strip() for token in _TOKEN.findall(line)]
