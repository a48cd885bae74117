"""Contests: one way to choose moves against another, all games at once.

Games come in pairs from the same random opening with colours swapped: an opening that favours a side then favours
nobody, and two players without any chance of their own do not repeat one game.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.strength.score import Score
from sakiyomi.boards.game import Ending, Game, IllegalMove, States
from sakiyomi.boards.player import DECLARE, RESIGN, Budget, Player
from sakiyomi.boards.position import Position

RESIGNED = -1
"""What a `Choose` returns for a game that it gives up."""
DECLARED = -2
"""What a `Choose` returns, in a game with `declarations` (shogi), to declare the entering king."""

Choose = Callable[[States], NDArray[np.integer[Any]]]
"""Chooses a move in each of `States` [n]: actions [n], legal ones, RESIGNED or DECLARED."""
Progress = Callable[[int, int], None]
"""Hears, after each ply and each move of a `Player`: games that are over, moves chosen in all."""

NO_LIMIT = Budget()
_DRAWS_OF_OPENINGS = 16  # rounds of drawing openings before they repeat
_Actions = NDArray[np.int64]


def contest(
    game: Game,
    choose: Choose,
    opponent: Player,
    games: int,
    *,
    opening_plies: int = 4,
    seed: int,
    budget: Budget = NO_LIMIT,
    progress: Progress | None = None,
) -> Score:
    """The score of `choose` against `opponent` in so many games, an even number.

    `choose` is called once a ply for all games in which it is to move. `opponent` is begun once and then asked game by
    game, position by position (with the moves that led there), `budget` for each. `opening_plies` are played at random
    (`random_openings`). The same seed gives the same games, as far as `choose` has no chance of its own. Raises
    ValueError for `games` that are no even number of 2 or more, IllegalMove or BadNotation for a move that is none, and
    what the player raises.
    """
    openings, players = (np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(2))
    played = _Games(game, games, opening_plies, openings, progress)
    opponent.begin(game, 0, players)
    return played.play(_all_at_once(choose), _one_by_one(opponent, budget))


def duel(
    game: Game,
    choose_a: Choose,
    choose_b: Choose,
    games: int,
    *,
    opening_plies: int = 4,
    seed: int,
    progress: Progress | None = None,
) -> Score:
    """The score of `choose_a` against `choose_b`; otherwise as `contest`."""
    openings = np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])
    played = _Games(game, games, opening_plies, openings, progress)
    return played.play(_all_at_once(choose_a), _all_at_once(choose_b))


def random_openings(game: Game, count: int, plies: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """[count, plies] actions: random play from the start that does not end the game.

    The positions reached differ, as far as enough different ones are found; then they repeat. Moves that the game holds
    senseless (`Game.sensible`, in Go a pass on an open board) are left out where there are others. Raises ValueError if
    every game drawn is over before so many plies.
    """
    if plies < 0:
        raise ValueError(f"the plies of an opening must be 0 or more, got {plies}")
    found: dict[str, NDArray[np.int32]] = {}
    for _ in range(_DRAWS_OF_OPENINGS):
        paths, states = _random_paths(game, count, plies, rng)
        for path, state in zip(paths, states, strict=True):
            found.setdefault(game.position_text(state), path)
        if len(found) >= count or not plies:
            break
    if not found:
        raise ValueError(f"no opening of {plies} plies in {game.name}: every game drawn was over before; ask for fewer")
    return np.resize(np.array(list(found.values()), np.int32), (count, plies))


def _random_paths(game: Game, count: int, plies: int, rng: np.random.Generator) -> tuple[NDArray[np.int32], States]:
    """Up to `count` random games of so many plies that are not over, and the positions reached."""
    states, paths = game.new(count), np.empty((count, plies), np.int32)
    for ply in range(plies):
        legal = game.legal(states)
        sensible: NDArray[np.bool_] = getattr(game, "sensible", game.legal)(states)
        wanted = np.where(sensible.any(axis=1, keepdims=True), sensible, legal)
        paths[:, ply] = np.where(wanted, rng.random(wanted.shape), -1).argmax(axis=1)
        game.play(states, paths[:, ply])
        going = game.ending(states) == Ending.ONGOING
        states, paths = states[going], paths[going]
    return paths, states


class _Games:
    """The games of a contest between A, who moves first in those of even number, and B."""

    def __init__(self, game: Game, games: int, opening_plies: int, rng: np.random.Generator, progress: Progress | None):
        if games < 2 or games % 2:
            raise ValueError(f"games are played in pairs: an even number of 2 or more is wanted, got {games}")
        openings = np.repeat(random_openings(game, games // 2, opening_plies, rng), 2, axis=0)
        self.game = game
        self.states = game.replay(game.new(games), openings, np.full(games, opening_plies, np.int32))
        self.moves: list[list[int]] = openings.tolist()  # of each game, from its start
        self.going = np.ones(games, np.bool_)
        self._sides = np.arange(games) % 2  # of A
        self._results = np.zeros(games, np.int8)  # for A
        self._progress = progress
        self._chosen = 0

    def play(self, a: "_Seat", b: "_Seat") -> Score:
        """All games to their ends."""
        while self.going.any():
            a_to_move = self.game.turn(self.states) == self._sides
            for seat, sign, turns in ((a, 1, a_to_move), (b, -1, ~a_to_move)):
                rows = np.flatnonzero(self.going & turns)
                if len(rows):
                    self._move(rows, seat(self, rows), sign)
        wins, losses = int((self._results > 0).sum()), int((self._results < 0).sum())
        return Score(wins, len(self._results) - wins - losses, losses)

    def tell(self, chosen: int = 0) -> None:
        """Report progress: so many moves more were chosen."""
        self._chosen += chosen
        if self._progress is not None:
            self._progress(int(np.count_nonzero(~self.going)), self._chosen)

    def _move(self, rows: _Actions, actions: _Actions, sign: int) -> None:
        """Play `actions`, of A (`sign` 1) or B (-1), in the games `rows`."""
        self._end(rows[actions == RESIGNED], -sign)
        for row in rows[actions == DECLARED]:
            self._end(np.array([row]), sign * self._declaration(int(row)))
        plain = actions >= 0
        rows, actions = rows[plain], actions[plain]
        states = self.states[rows]
        self._check(rows, states, actions)
        self.game.play(states, actions.astype(np.int32))
        self.states[rows] = states
        for row, action in zip(rows.tolist(), actions.tolist(), strict=True):
            self.moves[row].append(action)
        over = self.game.ending(states) != Ending.ONGOING
        results = self.game.result(states[over]).astype(np.int8)  # for the first player
        self._end(rows[over], np.where(self._sides[rows[over]] == 0, results, -results))
        self.tell()

    def _end(self, rows: _Actions, results: "NDArray[np.int8] | int") -> None:
        self.going[rows] = False
        self._results[rows] = results

    def _check(self, rows: _Actions, states: States, actions: _Actions) -> None:
        """Raise IllegalMove unless all `actions` are legal."""
        known = actions < self.game.num_actions
        legal = self.game.legal(states)[np.arange(len(rows)), np.where(known, actions, 0)] & known
        if not legal.all():
            wrong = int(np.flatnonzero(~legal)[0])
            text = self.game.position_text(states[wrong])
            raise IllegalMove(f"action {actions[wrong]} is illegal in {text} ({self.game.name})")

    def _declaration(self, row: int) -> int:
        """What a declaration brings who declares: 1 a win, 0 a draw. Raises IllegalMove where it is not allowed."""
        declarations: Any = getattr(self.game, "declarations", None)
        state = self.states[row : row + 1]
        allowed = 0 if declarations is None else int(declarations(state)[0])
        if not allowed:
            raise IllegalMove(f"no win can be declared in {self.game.position_text(state)} ({self.game.name})")
        return 1 if allowed == 1 else 0


_Seat = Callable[[_Games, _Actions], _Actions]  # chooses moves in some of the games


def _all_at_once(choose: Choose) -> _Seat:
    """The seat of a chooser of batches."""

    def seat(games: _Games, rows: _Actions) -> _Actions:
        actions = np.asarray(choose(games.states[rows]))
        if actions.shape != rows.shape or not np.issubdtype(actions.dtype, np.integer) or (actions < DECLARED).any():
            raise ValueError(f"wanted: {len(rows)} actions, one for each position, got {actions.dtype} {actions.shape}")
        games.tell(len(rows))
        return actions.astype(np.int64)

    return seat


def _one_by_one(player: Player, budget: Budget) -> _Seat:
    """The seat of a player, who sees one position after the other, each with the moves that led there."""
    positions: dict[int, Position] = {}

    def choose(games: _Games, row: int) -> int:
        if row not in positions:
            positions[row] = Position(games.game)
        position = positions[row]
        for action in games.moves[row][len(position.actions) :]:
            position.play(action)
        move = player.choose(position.copy(), budget)
        games.tell(1)
        return {RESIGN: RESIGNED, DECLARE: DECLARED}.get(move) or position.action(move)

    def seat(games: _Games, rows: _Actions) -> _Actions:
        return np.array([choose(games, int(row)) for row in rows], np.int64)

    return seat
