"""What a score tells: games won, drawn and lost, their mean with an interval, and the difference in Elo."""

import math
from dataclasses import dataclass

Z95 = 1.959963984540054  # the standard normal distribution's 97.5 % point


@dataclass(frozen=True)
class Score:
    """Games won, drawn and lost; a draw counts half. Scores add up: ``first + second``."""

    wins: int
    draws: int
    losses: int

    @property
    def games(self) -> int:
        """How many."""
        return self.wins + self.draws + self.losses

    @property
    def mean(self) -> float:
        """Points a game, 0 to 1. Raises ValueError if there was none."""
        if not self.games:
            raise ValueError("no games were played, so there is no mean score")
        return (self.wins + self.draws / 2) / self.games

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true mean lies with 95 % confidence; see `score_interval`."""
        return score_interval(self.wins, self.draws, self.losses)

    @property
    def elo(self) -> float:
        """The difference in Elo at which the mean is expected; infinite at 0 and 1."""
        return elo_difference(self.mean)

    @property
    def elo_interval(self) -> tuple[float, float]:
        """`interval` in Elo."""
        low, high = self.interval
        return elo_difference(low), elo_difference(high)

    def __add__(self, other: "Score") -> "Score":
        return Score(self.wins + other.wins, self.draws + other.draws, self.losses + other.losses)

    def __str__(self) -> str:
        low, high = self.interval
        least, most = self.elo_interval
        counts = f"{self.wins} won, {self.draws} drawn, {self.losses} lost"
        mean = f"{self.mean:.1%} ({low:.1%} to {high:.1%})"
        return f"{counts}: {mean}, Elo {self.elo:+.0f} ({least:+.0f} to {most:+.0f})"


def score_interval(wins: int, draws: int, losses: int, z: float = Z95) -> tuple[float, float]:
    """The interval of the mean score p that `z` standard deviations leave possible, after Wilson.

    Wilson's interval (E. B. Wilson, "Probable inference", 1927) holds every p with ``(mean - p)**2 <= z**2 * v(p) / n``
    and ``v(p) = p * (1 - p)``. With draws, half a point each, the variance of a game is ``p * (1 - p) - d / 4`` for a
    share d of draws, and d is taken as ``draws / (n + z**2)``: a little below what was seen, so that draws alone leave
    some doubt. Without draws it is Wilson's own interval. Raises ValueError for counts below 0 and no games at all.
    """
    if min(wins, draws, losses) < 0 or not (games := wins + draws + losses):
        raise ValueError(f"wanted: counts of 0 or more, one of them over 0, got {wins}, {draws} and {losses}")
    mean, weight, share = (wins + draws / 2) / games, z**2 / games, draws / games
    centre = mean + weight / 2
    half = math.sqrt(weight * (4 * mean * (1 - mean) - share + weight)) / 2
    return max(0.0, (centre - half) / (1 + weight)), min(1.0, (centre + half) / (1 + weight))


def elo_difference(mean: float) -> float:
    """The difference in Elo at which a mean score of 0 to 1 is expected; infinite at 0 and 1."""
    if not 0 <= mean <= 1:
        raise ValueError(f"a mean score lies between 0 and 1, got {mean}")
    if mean in (0, 1):
        return math.copysign(math.inf, mean - 0.5)
    return 400 * math.log10(mean / (1 - mean))
