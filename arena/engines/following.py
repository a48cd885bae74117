"""The moves of a game as engines are told of them, without going back to its start at each move."""

from collections.abc import Callable

from sakiyomi.boards.position import Position

LONG = 700
"""Moves sent with a position of chess: a line of 4096 bytes, which a pipe takes whole."""


class Following:
    """Tells positions with the moves that led there from the game's start, so that engines see repetitions.

    `start` says how the command calls the position that a game starts from. In a very long game of chess only the moves
    are told that a repetition can reach back to.
    """

    def __init__(self, start: Callable[[Position], str]):
        self._start = start
        self.forget()

    def forget(self) -> None:
        """No position is known from here on."""
        self._known: tuple[str, tuple[int, ...], bytes] = ("", (), b"")  # game, actions, state that `_told` tells of
        self._told, self._count = "", 0  # the command, and the moves in it

    def command(self, position: Position) -> str:
        """The command that tells of `position`."""
        game, actions = position.game, position.actions
        name, known, state = self._known
        before, moves = taken_back(position, len(actions) - len(known))
        if not self._told or (name, known, state) != (game.name, actions[: len(known)], before.state.tobytes()):
            before, moves = taken_back(position, len(actions))
            self._told, self._count = f"position {self._start(before)}", 0
        self._add(moves)
        if self._count > LONG and "halfmove" in (position.state.dtype.names or ()):
            before, moves = taken_back(position, min(int(position.state["halfmove"][0]), len(actions)))
            self._told, self._count = f"position {self._start(before)}", 0
            self._add(moves)
        self._known = (game.name, actions, position.state.tobytes())
        return self._told

    def _add(self, moves: list[str]) -> None:
        if moves:
            self._told += f"{'' if self._count else ' moves'} {' '.join(moves)}"
            self._count += len(moves)


class History:
    """The position that a game started from, and who played what since, remembered from move to move."""

    def __init__(self) -> None:
        self._known: tuple[int, ...] = ()
        self._state = b""
        self._root: Position | None = None
        self._played: list[tuple[int, str]] = []

    def of(self, position: Position) -> tuple[Position, list[tuple[int, str]]]:
        """Start and moves (side and move) of `position`."""
        actions, known = position.actions, len(self._known)
        before, moves = _sides_taken_back(position, len(actions) - known)
        same = self._root is not None and self._root.game == position.game
        if not same or actions[:known] != self._known or before.state.tobytes() != self._state:
            before, moves = _sides_taken_back(position, len(actions))
            self._root, self._played = before, []
        self._played += moves
        self._known, self._state = actions, position.state.tobytes()
        assert self._root is not None
        return self._root, self._played.copy()


def taken_back(position: Position, count: int) -> tuple[Position, list[str]]:
    """`position` before its last `count` moves, and those moves."""
    before, moves = _sides_taken_back(position, count)
    return before, [move for _, move in moves]


def _sides_taken_back(position: Position, count: int) -> tuple[Position, list[tuple[int, str]]]:
    """The same, with the side that made each move."""
    before, moves = position.copy(), []
    for action in reversed(position.actions[len(position.actions) - max(count, 0) :]):
        before.undo()
        moves.append((before.turn, position.game.move_text(before.state, action)))
    return before, moves[::-1]
