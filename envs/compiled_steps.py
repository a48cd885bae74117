"""Steps of Go, chess and shogi: each a call of a kernel that has its arrays in place (`go_steps` and so on)."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards import Chess, Game, Go, Shogi
from sakiyomi.boards.bits import U
from sakiyomi.boards.chess import planes as chess_planes
from sakiyomi.boards.chess import rules as chess_rules
from sakiyomi.boards.go import planes as go_planes
from sakiyomi.boards.go.rulesets import SUPERKO
from sakiyomi.boards.shogi import planes as shogi_planes
from sakiyomi.boards.shogi import rules as shogi_rules
from sakiyomi.envs import chess_steps, go_steps, shogi_steps
from sakiyomi.envs.restarts import TURN, restart_rows
from sakiyomi.envs.steps import Fill, GameSteps, Memory, SingleSteps


class CompiledSteps(GameSteps):
    """Steps of a game whose records are whole 64-bit words: what they share that is compiled."""

    def __init__(self, game: Game, memory: Memory):
        super().__init__(game, memory)
        words, first = U(game.dtype.itemsize // 8), len(memory.records) - memory.starts
        block = (memory.records.view(np.uint64), words, U(memory.games), U(first))
        beginning = (memory.rng, self._turns, memory.numbers, memory.marks)

        self._restarts = {keep: memory.bound(restart_rows, *block, keep, *beginning) for keep in (True, False)}

    def restart(self, keep: bool) -> None:  # noqa: D102
        self._restarts[keep]()


class GoSteps(CompiledSteps):
    """Steps of Go. Area scoring is done in the kernel, territory scoring by the game."""

    def __init__(self, game: Go, memory: Memory):
        super().__init__(game, memory)
        words, k64, recent = game.layout.words(memory.records)
        komi = np.array([math.floor(game.komi), math.ceil(game.komi)]).view(np.uint64)
        given = go_steps.COMPENSATION[game.ruleset.compensation]
        suicide, by_area = game.ruleset.suicide, game.ruleset.scoring == "area"
        layout, limit, ko_rule = game.layout, U(game.max_plies), U(SUPERKO.index(game.ruleset.superko))
        places = U(game.dtype.itemsize), U(layout.cold), U(layout.recent_byte)
        size = U(layout.width), U(layout.height)
        values = (*places, *size, limit, ko_rule, suicide, memory.most_plies, by_area, given, *komi)
        settings = np.array([int(value) for value in values], np.uint64)
        self._words = (settings, k64)
        self._seeing = (words, recent, places[0], places[2], game.layout.area)
        playing = (settings, k64, memory.rng, memory.numbers, memory.rewards, memory.marks)
        self.step = memory.bound(go_steps.step_rows, *playing)
        self.advance = memory.bound(go_steps.advance_rows, *playing)
        if not by_area:
            self.step, self.advance = partial(self._judged, self.step), partial(self._judged, self.advance)

    def _judged(self, play: Callable[[], bool]) -> bool:
        over = play()
        if over:
            self.award_ended()
        return over

    def drawing(self, rng: NDArray[np.uint64]) -> Fill:  # noqa: D102
        return self.memory.bound(go_steps.draw_rows, *self._words, rng, self.memory.numbers, self.memory.marks)

    def masking(self, out: NDArray[np.bool_]) -> Fill:  # noqa: D102
        return self.memory.bound(go_steps.mask_rows, *self._words, out)

    def listing(self, actions: NDArray[np.int32], counts: NDArray[np.int32]) -> Fill:  # noqa: D102
        return self.memory.bound(go_steps.list_rows, *self._words, actions, counts)

    def observing(self, out: NDArray[np.float32]) -> Fill:  # noqa: D102
        planes = np.empty(out.shape, np.uint8)
        see = self.memory.bound(go_planes.observe_rows, *self._seeing, planes.reshape(*out.shape[:2], -1))

        def fill() -> None:
            see()
            np.copyto(out, planes)

        return fill


class ChessSteps(CompiledSteps):
    """Steps of chess."""

    def __init__(self, game: Chess, memory: Memory):
        super().__init__(game, memory)
        self._words = (memory.records.view(np.uint64), game.chess960)
        playing = (memory.rng, memory.numbers, memory.rewards, memory.marks)
        self.step = memory.bound(chess_steps.step_rows, *self._words, memory.most_plies, *playing[1:])
        self.advance = memory.bound(chess_steps.advance_rows, *self._words, memory.most_plies, *playing)

    def drawing(self, rng: NDArray[np.uint64]) -> Fill:  # noqa: D102
        return self.memory.bound(chess_steps.draw_rows, *self._words, rng, self.memory.numbers, self.memory.marks)

    def masking(self, out: NDArray[np.bool_]) -> Fill:  # noqa: D102
        return self.memory.bound(chess_rules.legal_rows, *self._words, out)

    def listing(self, actions: NDArray[np.int32], counts: NDArray[np.int32]) -> Fill:  # noqa: D102
        return self.memory.bound(chess_rules.actions_rows, *self._words, actions, counts)

    def observing(self, out: NDArray[np.float32]) -> Fill:  # noqa: D102
        states, turn, share = self._states, self.memory.marks[TURN], np.empty(len(out))
        see = self.memory.bound(chess_steps.planes_rows, self._words[0], out.reshape(*out.shape[:2], 64))

        def fill() -> None:
            see()
            out[:, chess_planes.COLOUR] = turn[:, None, None]
            np.divide(states["ply"], np.float32(chess_planes.PLY_SCALE), out=share)
            out[:, chess_planes.PLIES] = share[:, None, None]
            np.divide(states["halfmove"], np.float32(chess_planes.CLOCK_SCALE), out=share)
            out[:, chess_planes.NO_PROGRESS] = share[:, None, None]

        return fill


class ShogiSteps(CompiledSteps):
    """Steps of shogi."""

    def __init__(self, game: Shogi, memory: Memory):
        super().__init__(game, memory)
        self._words = (memory.records.view(np.uint64), U(game.max_plies))
        playing = (memory.rng, memory.numbers, memory.rewards, memory.marks)
        self.step = memory.bound(shogi_steps.step_rows, *self._words, memory.most_plies, *playing[1:])
        self.advance = memory.bound(shogi_steps.advance_rows, *self._words, memory.most_plies, *playing)

    def drawing(self, rng: NDArray[np.uint64]) -> Fill:  # noqa: D102
        return self.memory.bound(shogi_steps.draw_rows, *self._words, rng, self.memory.numbers, self.memory.marks)

    def masking(self, out: NDArray[np.bool_]) -> Fill:  # noqa: D102
        return self.memory.bound(shogi_rules.legal_rows, *self._words, out)

    def listing(self, actions: NDArray[np.int32], counts: NDArray[np.int32]) -> Fill:  # noqa: D102
        return self.memory.bound(shogi_rules.actions_rows, *self._words, actions, counts)

    def observing(self, out: NDArray[np.float32]) -> Fill:  # noqa: D102
        states, turn, share = self._states, self.memory.marks[TURN], np.empty(len(out))
        see = self.memory.bound(shogi_steps.planes_rows, self._words[0], out.reshape(*out.shape[:2], 81))

        def fill() -> None:
            see()
            out[:, shogi_planes.COLOUR] = turn[:, None, None]
            np.divide(states["ply"], np.float32(shogi_planes.PLY_SCALE), out=share)
            out[:, shogi_planes.PLIES] = share[:, None, None]

        return fill


_COMPILED: dict[type, Callable[..., GameSteps]] = {Go: GoSteps, Chess: ChessSteps, Shogi: ShogiSteps}


def make_steps(game: Game, memory: Memory) -> GameSteps:
    """The steps for `game` in `memory`."""
    usual = SingleSteps if memory.games == 1 else GameSteps
    return _COMPILED.get(type(game), usual)(game, memory)
