"""Sets of Connect Four positions with the exact score of every move; run as a script it makes them again, bit for bit.

    python benchmarks/learning/positions.py [--folder benchmarks/learning/data] [--only begin-hard]

The sets are of the kind that Pascal Pons published for testing solvers ("Solving Connect 4: how to build a perfect AI",
part 2) and on which AlphaZero.jl measured its agent (`games/connect-four/scripts/pons_benchmark.jl`). They are named by
the discs on the board and the plies to the end of the game when both sides play perfectly, the winner for speed:

- Begin: at most 14 discs; Middle: 15 to 28; End: 29 and more.
- Easy: at most 14 plies left; Medium: 15 to 28; Hard: 29 and more. (AlphaZero.jl's text has "less than 14" for Easy,
  but its files hold positions with 14 left as Easy and with 28 left as Medium.)

As in those files, going by what a solver and a count of them show: the player to move cannot win at once and does not
lose with the very next disc, no position occurs twice, and plies are drawn evenly over the stage, each position then by
random play. Here, mirror images count as one position. The first 500 of each set are taken.
A random legal move is a mistake (`measures.mistakes`) in 31, 29, 26, 42, 29 and 52 % of Pons's sets, in the order of
`SETS`, and in 30, 31, 27, 46, 33 and 51 % of these.

The scores come from `bitbully`, a solver of its own, and count as is usual: 22 less the discs that the winner has
played at the end, negative for a loss, 0 for a draw. A line of a file holds the moves ("4453", columns 1 to 7) and the
score of each column for the player to move, "." where it is full.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.solvers.connect4 import safe_moves, wins_at_once
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.connect4_rules import HEIGHT, WIDTH
from sakiyomi.boards.game import Ending, Game, States

DATA = Path(__file__).parent / "data"
GAME = ConnectFour()
SQUARES = WIDTH * HEIGHT
COUNT = 500
ILLEGAL = -128
"""Stands for the score of an action that is not legal."""
STAGES = {"begin": range(1, 15), "middle": range(15, 29), "end": range(29, 42)}  # discs on the board
LEVELS = {"easy": range(1, 15), "medium": range(15, 29), "hard": range(29, 43)}  # plies to the end
SETS = ("end-easy", "middle-easy", "begin-easy", "middle-medium", "begin-medium", "begin-hard")
SEED = 2026
DRAWN_TOGETHER = 64  # games of one length, of which one is taken; another number makes other sets

Scores = Callable[[list[int]], NDArray[np.int8]]
"""From the columns played to the exact score of each column [7], ILLEGAL where it is full."""


@dataclass(frozen=True)
class PositionSet:
    """Positions of a game: `states` [n] and, int8 [n, A], the exact score of each action for the player to move.

    Scores are positive for a win, 0 for a draw, negative for a loss, ILLEGAL where the action is not legal.
    """

    name: str
    game: Game
    states: States
    scores: NDArray[np.int8]


def load(name: str, folder: Path = DATA) -> PositionSet:
    """The set of that name, one of `SETS`. Raises ValueError for another."""
    if name not in SETS:
        raise ValueError(f"no set of positions is called {name!r}; there are: {', '.join(SETS)}")
    moves, scores = zip(*map(parse, _file(folder, name).read_text().splitlines()), strict=True)
    states = GAME.replay(GAME.new(len(moves)), *_paths(moves))
    return PositionSet(name, GAME, states, np.array(scores, np.int8))


def parse(line: str) -> tuple[str, list[int]]:
    """The moves and the seven scores that a line holds. Raises ValueError for one that is none."""
    moves, *scores = line.split(" ")
    if not moves or set(moves) - set("1234567") or len(scores) != WIDTH:
        raise ValueError(f"wanted: moves 1 to 7 and {WIDTH} scores, as in '4453 -2 -2 0 1 -1 -3 .', got {line!r}")
    return moves, [ILLEGAL if score == "." else int(score) for score in scores]


def plies_left(discs: int, score: int) -> int:
    """Plies to the end of the game under perfect play where so many discs lie and the player to move has `score`."""
    if score == 0:
        return SQUARES - discs
    own = discs // 2  # of the player to move, who has as many as the other or one less
    return 2 * (22 - score - own) - 1 if score > 0 else 2 * (22 + score - (discs - own))


def make(name: str, count: int, scores: Scores, seed: int = SEED) -> list[str]:
    """The lines of a set."""
    stage, level = name.split("-")
    rng = np.random.default_rng([seed, SETS.index(name)])
    seen: set[bytes] = set()
    lines: list[str] = []
    for path, state in _candidates(STAGES[stage], rng):
        key = min(board.tobytes() for board in (GAME.board(state), GAME.board(state)[:, ::-1]))
        if key in seen:
            continue
        seen.add(key)
        found = scores(path)
        if plies_left(len(path), int(found.max())) not in LEVELS[level]:
            continue
        columns = " ".join("." if score == ILLEGAL else str(score) for score in found)
        lines.append("".join(str(column + 1) for column in path) + " " + columns)
        if len(lines) == count:
            break
    return lines


def bitbully_scores() -> Scores:
    """Scores by `bitbully`, with its book of all positions of up to twelve discs."""
    from bitbully import BitBully, Board

    solver = BitBully("12-ply-dist")

    def scores(path: list[int]) -> NDArray[np.int8]:
        out = np.full(WIDTH, ILLEGAL, np.int8)
        for column, score in solver.score_all_moves(Board(path)).items():
            out[column] = score
        return out

    return scores


def _candidates(discs: range, rng: np.random.Generator) -> Iterator[tuple[list[int], States]]:
    """Random games, without end: the columns played and the position [1], in which no win is at hand.

    Their lengths are even over `discs`: where a game ends too early, another of the same length is drawn.
    """
    while True:
        plies, quiet = int(rng.integers(discs.start, discs.stop)), np.array([], np.int64)
        while not len(quiet):
            paths, states = random_games(GAME, DRAWN_TOGETHER, plies, rng)
            going = GAME.ending(states) == Ending.ONGOING
            quiet = np.flatnonzero(going & [not _win_at_hand(state) for state in states])
        yield paths[quiet[0]].tolist(), states[quiet[:1]]


def _win_at_hand(state: Any) -> bool:
    """Does the player to move win with the next disc, or the other one whatever the first does?"""
    first, second = state["stones"]
    own = second if state["turn"] else first
    return bool(wins_at_once(own, first | second)) or not safe_moves(own, first | second)


def random_games(game: Game, count: int, plies: int, rng: np.random.Generator) -> tuple[NDArray[np.int32], States]:
    """Random games of so many plies or, if they end, fewer: actions [count, plies] and positions [count]."""
    states, paths = game.new(count), np.zeros((count, plies), np.int32)
    for ply in range(plies):
        legal = game.legal(states)
        chances = rng.random(legal.shape)
        rows = np.flatnonzero(legal.any(axis=1))
        moved = states[rows]
        paths[rows, ply] = np.where(legal, chances, -1)[rows].argmax(axis=1)
        game.play(moved, paths[rows, ply])
        states[rows] = moved
    return paths, states


def _paths(moves: tuple[str, ...]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Columns [n, longest] and lengths [n] of `moves`."""
    lengths = np.array([len(text) for text in moves], np.int32)
    paths = np.zeros((len(moves), int(lengths.max())), np.int32)
    for row, text in enumerate(moves):
        paths[row, : len(text)] = [int(column) - 1 for column in text]
    return paths, lengths


def _file(folder: Path, name: str) -> Path:
    return folder / f"connect4-{name}.txt"


def main() -> None:
    """Make the sets that the command line asks for."""
    parser = argparse.ArgumentParser(description="Make the sets of Connect Four positions again.")
    parser.add_argument("--folder", type=Path, default=DATA)
    parser.add_argument("--only", choices=SETS, help="one set alone")
    parser.add_argument("--count", type=int, default=COUNT)
    asked = parser.parse_args()
    scores = bitbully_scores()
    asked.folder.mkdir(parents=True, exist_ok=True)
    for name in [asked.only] if asked.only else SETS:
        print(f"{name}: solving random positions until {asked.count} are found", flush=True)
        _file(asked.folder, name).write_text("\n".join(make(name, asked.count, scores)) + "\n")


if __name__ == "__main__":
    main()
