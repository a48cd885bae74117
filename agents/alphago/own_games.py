"""Games to learn from, played by whoever is at hand: where there are no records of others.

Each game is an SGF file of its own, so that what was played stays, and a run that was stopped goes on with the next.
Game k hangs on the seed and k alone, as far as the players do.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from sakiyomi.agents.parts.strength.contest import random_openings
from sakiyomi.boards.go import Go
from sakiyomi.boards.player import RESIGN, Budget, Player
from sakiyomi.boards.position import Position
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.writing import save

DIGITS = 6


def play_own_games(
    game: Go, players: Sequence[Player], n: int, folder: Path, *, opening_plies: int, seed: int
) -> Iterator[int]:
    """Play games until `folder` holds `n`, two of `players` drawn for each; yields how many it holds after each.

    A game begins with up to `opening_plies` random plies. Raises ValueError if there is no player.
    """
    if not players:
        raise ValueError("own games want one player at least")
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(n):
        path = folder / f"{number:0{DIGITS}}.sgf"
        if path.exists():
            continue
        rng = np.random.default_rng((seed, number))
        pair = tuple(players[int(k)] for k in rng.integers(len(players), size=2))
        save(_played(game, (pair[0], pair[1]), int(rng.integers(opening_plies + 1)), rng), path)
        yield number + 1


def _played(game: Go, players: tuple[Player, Player], plies: int, rng: np.random.Generator) -> Record:
    """One game, after so many random plies."""
    position, moves = Position(game), list[str]()
    for side, player in enumerate(players):
        player.begin(game, side, rng)
    ending, winner = "", 0.0
    for action in random_openings(game, 1, plies, rng)[0]:
        moves.append(game.move_text(position.state, int(action)))
        position.play(int(action))
    while (outcome := position.outcome()) is None:
        side = int(game.turn(position.state)[0])
        move = players[side].choose(position.copy(), Budget())
        if move == RESIGN:
            ending, winner = "resignation", 1.0 if side else -1.0
            break
        moves.append(move)
        position.play(move)
    names = players[0].name, players[1].name
    result = f"{'B' if winner > 0 else 'W'}+R" if outcome is None else _result(position)
    tags = {"komi": f"{game.komi:g}", "rules": game.rules}
    return Record(game.name, tuple(moves), None, result, ending, names, tags)


def _result(position: Position) -> str:
    """The result of a game played to its end."""
    lead = float(position.score())
    return "0" if lead == 0 else f"{'B' if lead > 0 else 'W'}+{abs(lead):g}"
