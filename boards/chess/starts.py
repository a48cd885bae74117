"""The 960 start positions of Chess960 by their number (Scharnagl's numbering, chessprogramming.org/Chess960)."""

from itertools import combinations

STANDARD = 518
_KNIGHTS = list(combinations(range(5), 2))


def back_rank(number: int) -> str:
    """White's pieces from a1 to h1, "RNBQKBNR" for 518. Raises ValueError outside 0..959."""
    if not 0 <= number < 960:
        raise ValueError(f"Chess960's start positions have numbers from 0 to 959, not {number}")
    rest, light = divmod(number, 4)
    rest, dark = divmod(rest, 4)
    knights, queen = divmod(rest, 6)
    rank = [""] * 8
    rank[2 * light + 1] = rank[2 * dark] = "B"
    _fill(rank, [queen], "Q")
    _fill(rank, list(_KNIGHTS[knights]), "NN")
    _fill(rank, [0, 1, 2], "RKR")
    return "".join(rank)


def _fill(rank: list[str], places: list[int], pieces: str) -> None:
    """Put `pieces` on the empty squares with the numbers `places`."""
    empty = [file for file in range(8) if not rank[file]]
    for place, piece in zip(places, pieces, strict=True):
        rank[empty[place]] = piece


def start_fen(number: int) -> str:
    """The start position of that number in X-FEN."""
    rank = back_rank(number)
    return f"{rank.lower()}/pppppppp/8/8/8/8/PPPPPPPP/{rank} w KQkq - 0 1"
