"""`Go`: the batched facade over the kernels. Trusts its caller; `Position` checks.

Board size is an argument of the kernels, not a constant: one compilation serves every size, and playouts run within
the noise of kernels compiled for one size.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards import rows
from sakiyomi.boards.batches import counters, plain, ready
from sakiyomi.boards.game import BadNotation, Ending, States, Symmetry, one
from sakiyomi.boards.go import life, notation, planes, rollout, rules, score
from sakiyomi.boards.go.rulesets import RULES, SCORING, SUPERKO, Ruleset, Scoring, Superko
from sakiyomi.boards.go.state import Layout, U
from sakiyomi.boards.symmetry import board_symmetries

MOST_KOMI = 1_000_000_000
PLAY_GRAIN, ROLLOUT_GRAIN = 256, 16  # rows that one thread takes at least


@dataclass(frozen=True)
class Go:
    """Go on `size` (9, or (columns, rows)), 1 to 25 each way, by a named rule set with overrides.

    Actions are the points, row by row from the top left, and last the pass. A game ends by two passes or after
    `max_plies` plies (three a point and 64 by default, so that playing on for superko's sake never runs out).
    Black moves first; +1 in results is a win for Black. Raises ValueError for settings that do not exist.
    """

    size: int | tuple[int, int] = 19
    komi: float = 7.5
    rules: str = "tromp-taylor"
    superko: Superko | None = None
    suicide: bool | None = None
    scoring: Scoring | None = None
    max_plies: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.rules, str) or self.rules not in RULES:
            raise ValueError(f"unknown Go rules {self.rules!r}; there are: {', '.join(RULES)}")
        width, height = _columns_and_rows(self.size)
        if not (1 <= width <= notation.MAX_SIZE and 1 <= height <= notation.MAX_SIZE):
            raise ValueError(f"Go boards go from 1x1 to {notation.MAX_SIZE}x{notation.MAX_SIZE}, not {width}x{height}")
        for name, value, known in (("superko", self.superko, SUPERKO), ("scoring", self.scoring, SCORING)):
            if value is not None and value not in known:
                raise ValueError(f"unknown {name} {value!r}; there are: {', '.join(known)}")
        if self.suicide not in (None, True, False):
            raise ValueError(f"suicide is True, False or None (as the rules have it), not {self.suicide!r}")
        if isinstance(self.komi, str) or not isinstance(self.komi, SupportsFloat) or not abs(self.komi) < MOST_KOMI:
            raise ValueError(f"komi must be a number within +-{MOST_KOMI}, not {self.komi!r}")
        if not isinstance(self.max_plies, Integral) or not 0 <= self.max_plies <= 60_000:
            raise ValueError(f"max_plies must be 0 (the default) to 60000, not {self.max_plies!r}")
        # One game, written one way: Go(9) == Go((9, 9)) == Go(np.int64(9)).
        object.__setattr__(self, "size", width if width == height else (width, height))
        object.__setattr__(self, "komi", float(self.komi) + 0.0)
        object.__setattr__(self, "max_plies", int(self.max_plies) or 3 * width * height + 64)

    @cached_property
    def layout(self) -> Layout:
        """Where things stand in a record."""
        width, height = (self.size, self.size) if isinstance(self.size, int) else self.size
        return Layout(width, height, self.max_plies)

    @cached_property
    def ruleset(self) -> Ruleset:
        """The rules in force, overrides included."""
        named = RULES[self.rules]
        scoring = self.scoring or named.scoring
        return Ruleset(
            self.superko or named.superko,
            named.suicide if self.suicide is None else self.suicide,
            scoring,
            named.compensation if scoring == "area" else "none",
        )

    @property
    def name(self) -> str:
        """ "go-9x9": columns by rows."""
        return f"go-{self.layout.width}x{self.layout.height}"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of one position; see `state.py`."""
        return self.layout.dtype

    @property
    def num_actions(self) -> int:
        """Points and the pass."""
        return self.layout.area + 1

    @property
    def planes(self) -> tuple[int, int, int]:
        """C, Y, X of `observe`."""
        return planes.PLANES, self.layout.height, self.layout.width

    @cached_property
    def _size(self) -> tuple[np.uint64, np.uint64]:
        return U(self.layout.width), U(self.layout.height)

    @cached_property
    def _ko(self) -> np.uint64:
        return U(SUPERKO.index(self.ruleset.superko))

    @cached_property
    def _places(self) -> tuple[np.uint64, np.uint64, np.uint64]:
        """Bytes of a row, and where its cold part and its recent boards begin."""
        return U(self.dtype.itemsize), U(self.layout.cold), U(self.layout.recent_byte)

    # --- the Game protocol

    def new(self, batch: int) -> States:
        """[batch] empty boards."""
        return np.repeat(self.layout.empty, batch)

    def legal(self, states: States) -> NDArray[np.bool_]:
        """[B, A]; a pass is legal until the game has ended."""
        states = ready(states, self.dtype)
        w, k64, _ = self.layout.words(states)
        size, cold, _ = self._places
        out = np.empty((len(states), self.num_actions), np.bool_)
        limit, suicide = U(self.max_plies), self.ruleset.suicide
        args = (w, k64, size, cold, *self._size, limit, self._ko, suicide, out)
        rows.run(rules.legal_rows, len(states), PLAY_GRAIN, *args)
        return out

    def sensible(self, states: States) -> NDArray[np.bool_]:
        """[B, A], the legal actions less the filling of own single-point eyes and passes on a board still open."""
        states = ready(states, self.dtype)
        out = self.legal(states)
        args = (self.layout.words(states)[0], self._places[0], *self._size, out)
        rows.run(rules.sensible_rows, len(states), PLAY_GRAIN, *args)
        return out

    def play(self, states: States, actions: NDArray[np.integer[Any]]) -> None:
        """Play actions [B] in place."""
        args = (*self.layout.words(self._writable(states)), *self._places, *self._size, U(self.max_plies), self._ko)
        actions = plain(actions, np.int32, (len(states),))
        rows.run(rules.play_rows, len(states), PLAY_GRAIN, *args, actions)

    def turn(self, states: States) -> NDArray[np.int8]:
        """[B], 0 Black, 1 White."""
        turns: NDArray[np.int8] = states["turn"].astype(np.int8)
        return turns

    def ending(self, states: States) -> NDArray[np.int8]:
        """[B] of `Ending`: two passes, or the move limit."""
        limit = np.where(states["ply"] >= self.max_plies, np.int8(Ending.MOVE_LIMIT), np.int8(Ending.ONGOING))
        return np.where(states["passes"] >= 2, np.int8(Ending.TWO_PASSES), limit)

    def result(self, states: States) -> NDArray[np.float32]:
        """[B], +1 where Black won, by `final_score`."""
        ended = self.ending(states) != Ending.ONGOING
        results = np.zeros(len(states), np.float32)
        if ended.any():
            results[ended] = np.sign(self.final_score(states[ended]))
        return results

    def observe(self, states: States) -> NDArray[np.float32]:
        """[B, 17, H, W], AlphaGo Zero's planes; see `planes.py`."""
        return self.observe_bytes(states).astype(np.float32)

    def observe_bytes(self, states: States) -> NDArray[np.uint8]:
        """`observe` in a quarter of the memory: uint8 [B, 17, H, W]."""
        states = ready(states, self.dtype)
        w, _, b8 = self.layout.words(states)
        size, _, recent = self._places
        area = self.layout.area
        out = np.empty((len(states), planes.PLANES, area), np.uint8)
        rows.run(planes.observe_rows, len(states), PLAY_GRAIN, w, b8, size, recent, area, out)
        return out.reshape(len(states), *self.planes)

    def replay(self, roots: States, paths: NDArray[np.int32], lengths: NDArray[np.int32]) -> States:
        """Copies of `roots` [B] after the first ``lengths[i]`` actions of ``paths[i]`` ([B, D])."""
        states = ready(roots.copy(), self.dtype)
        paths = plain(paths, np.int32, (len(states), None))
        lengths = plain(lengths, np.int32, (len(states),))
        args = (*self.layout.words(states), *self._places, *self._size, U(self.max_plies), self._ko, paths, lengths)
        rows.run(rules.replay_rows, len(states), ROLLOUT_GRAIN, *args)
        return states

    def replay_moves(self, states: States, moves: NDArray[np.int32], lengths: NDArray[np.int32]) -> NDArray[np.int32]:
        """Play the first ``lengths[i]`` of ``moves[i]`` ([B, T]) in place, checking each.

        Returns [B], how many were played before the first illegal one. Two passes do not stop a row: records go on.
        """
        w, k64, b8 = self.layout.words(self._writable(states))
        moves = plain(moves, np.int32, (len(states), None))
        lengths = plain(lengths, np.int32, (len(states),))
        played = np.zeros(len(states), np.int32)
        limit, suicide = U(self.max_plies), self.ruleset.suicide
        args = (w, k64, b8, *self._places, *self._size, limit, self._ko, suicide, moves, lengths, played)
        rows.run(rules.replay_checked_rows, len(states), ROLLOUT_GRAIN, *args)
        return played

    def rollout(self, states: States, rng: NDArray[np.uint64]) -> NDArray[np.float32]:
        """[B] results of light playouts, counted by area; `states` stay, `rng` [B] moves on.

        Of a game that has ended it is the `result`.
        """
        margins, _ = self.rollout_margins(states, rng)
        results = np.sign(margins - self._komi(states)).astype(np.float32)
        ended = self.ending(states) != Ending.ONGOING
        if ended.any():
            results[ended] = self.result(states[ended])
        return results

    def rollout_margins(self, states: States, rng: NDArray[np.uint64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Black's area less White's after one light playout from each state, and its plies: two [B]."""
        states = ready(states, self.dtype)
        margins, plies = np.empty((2, len(states)), np.int32)
        words = U(self.dtype.itemsize // 2)
        rng = counters(rng, len(states))
        args = (self.layout.words(states)[0], words, U(self.layout.hot), *self._size, rng, margins, plies)
        rows.run(rollout.rollout_rows, len(states), ROLLOUT_GRAIN, *args)
        return margins, plies

    def symmetries(self) -> list[Symmetry]:
        """Eight of a square board, four of a rectangular one."""
        return board_symmetries(self.layout.width, self.layout.height, passes=True)

    def move_text(self, state: Any, action: int) -> str:
        """ "D4" or "pass"."""
        return notation.point_text(int(action), self.layout.width, self.layout.height)

    def parse_move(self, state: Any, text: str) -> int:
        """The action of "D4" or "pass". Raises BadNotation."""
        return notation.parse_point(text, self.layout.width, self.layout.height)

    def position_text(self, state: Any) -> str:
        """One line; see `notation.py`."""
        record = one(state)[0]
        board = self.colours(one(state)).reshape(self.layout.height, self.layout.width)
        ko = self._action(int(record.ko)) if record.ko else None
        prisoners = (int(record.taken_black), int(record.taken_white))
        diagram = notation.Diagram(board, int(record.turn), ko, prisoners, int(record.passes), int(record.handicap))
        return diagram.text()

    def parse_position(self, text: str) -> States:
        """[1]. Raises BadNotation, also for another size or a chain without liberties."""
        diagram = notation.parse_diagram(text)
        height, width = diagram.board.shape
        if (width, height) != (self.layout.width, self.layout.height):
            raise BadNotation(f"{text!r} is a {width}x{height} position, the game is {self.name}")
        turns = np.array([diagram.turn], np.uint8)
        states, valid = self.set_up(diagram.board.reshape(1, -1), turns)
        if not valid[0]:
            raise BadNotation(f"{text!r} has a chain without liberties")
        record = states[0]
        record.ko = 0 if diagram.ko is None else self.layout.points[diagram.ko]
        record.taken_black, record.taken_white = diagram.prisoners
        record.passes, record.handicap = diagram.passes, diagram.handicap
        return states

    def board(self, state: Any) -> NDArray[np.int8]:
        """[H, W]: 0 empty, 1 black, -1 white."""
        colours = self.colours(one(state)).reshape(self.layout.height, self.layout.width)
        return np.array([0, 1, -1], np.int8)[colours]

    def draw(self, state: Any) -> str:
        """The board with coordinates, X black, O white, the last stone in parentheses."""
        record = one(state)[0]
        board = self.colours(one(state)).reshape(self.layout.height, self.layout.width)
        return notation.draw(board, self._action(int(record.last)) if record.last else None)

    def why_illegal(self, state: Any, action: int) -> str:
        """Occupied, suicide, ko or superko."""
        record = one(state)[0]
        point = int(self.layout.points[action])
        if record.colour[point]:
            return "the point is occupied"
        without_ko = one(state).copy()
        without_ko["ko"] = 0
        if not replace(self, superko="simple").legal(without_ko)[0, action]:
            return f"suicide is not allowed by {self.rules} rules"
        if self.ruleset.superko == "simple":
            return "the ko may not be retaken at once"
        return f"the move repeats an earlier position ({self.ruleset.superko} superko)"

    # --- Go's own

    def colours(self, states: States) -> NDArray[np.uint8]:
        """[B, area] of 0 empty, 1 black, 2 white, row by row from the top."""
        return states["colour"][:, self.layout.points].astype(np.uint8, order="C")

    def set_up(self, boards: NDArray[np.uint8], turns: NDArray[np.integer[Any]]) -> tuple[States, NDArray[np.bool_]]:
        """Positions with the stones of `boards` [B, area] (0, 1 black, 2 white), `turns` [B] to move.

        The history starts there. Also returns [B], False where a chain has no liberties (that row is useless).
        """
        states = self.new(len(boards))
        states["turn"] = turns
        valid = np.empty(len(states), np.bool_)
        boards = plain(boards, np.uint8, (len(states), self.layout.area))
        args = (*self.layout.words(states), *self._places, *self._size, self._ko, boards, valid)
        rows.run(rules.set_up_rows, len(states), PLAY_GRAIN, *args)
        return states, valid

    def set_turn(self, states: States, turns: NDArray[np.integer[Any]] | int) -> None:
        """Give the move to `turns` (0 or 1), as a pass that is not counted would; lifts the ko."""
        changed = states["turn"] != turns
        states["turn"] = turns
        states["ko"][changed] = 0

    def handicap(self, stones: int) -> States:
        """[1], the fixed handicap of 2 to 9 stones (GTP 2, section 4.1.1), White to move.

        Raises ValueError for a number that the board does not have.
        """
        points = notation.handicap_points(self.layout.width, self.layout.height, stones)
        board = np.zeros((1, self.layout.area), np.uint8)
        board[0, points] = 1
        states, _ = self.set_up(board, np.array([1]))
        states["handicap"] = stones
        return states

    def _komi(self, states: States) -> NDArray[np.float64]:
        """[B], what White has in advance: komi and the rule set's compensation for handicap stones."""
        stones = states["handicap"].astype(np.float64)
        given = {"none": 0 * stones, "stones": stones, "stones less one": np.maximum(stones - 1, 0)}
        return self.komi + given[self.ruleset.compensation]

    def score(
        self, states: States, dead: NDArray[np.bool_] | None = None, seki: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """[B], Black's lead in points after komi, the boards scored as they stand by the rule set.

        `dead` [B, area] marks stones to take off first (area scoring, too, gives their points to the opponent);
        `seki` stones whose eyes do not count under territory scoring. Without them every stone on the board lives.
        """
        boards = self.colours(states)
        none = np.zeros(boards.shape, np.bool_)
        dead, seki = (none if mask is None else plain(mask, np.bool_, boards.shape) for mask in (dead, seki))
        margins = np.empty(len(boards), np.int32)
        size = self.layout.width, self.layout.height
        if self.ruleset.scoring == "area":
            boards = np.where(dead, np.uint8(0), boards)
            rows.run(score.area_rows, len(boards), PLAY_GRAIN, boards, *size, margins)
        else:
            rows.run(score.territory_rows, len(boards), PLAY_GRAIN, boards, dead, seki, *size, margins)
            margins += states["taken_black"].astype(np.int32) - states["taken_white"].astype(np.int32)
        return margins - self._komi(states)

    def final_score(self, states: States) -> NDArray[np.float64]:
        """[B], Black's lead at the end: `score` under area scoring, `settled_score` under territory scoring."""
        return self.score(states) if self.ruleset.scoring == "area" else self.settled_score(states)

    def settled_score(self, states: States) -> NDArray[np.float64]:
        """[B], `score` after taking off the stones that `judge` holds dead; the same for the same position."""
        is_dead, in_seki = self.judge(states)
        return self.score(states, is_dead, in_seki)

    def judge(self, states: States, playouts: int = 64) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Dead stones and stones in seki, two [B, area], estimated by playouts and Benson; see `dead.py`."""
        from sakiyomi.boards.go import dead  # SciPy's image module takes a while to import, and few games end so

        shape = (len(states), self.layout.height, self.layout.width)
        boards, owners = self.colours(states).reshape(shape), self.owners(states, playouts).reshape(shape)
        alive = self.pass_alive(states).reshape(shape[0], 2, *shape[1:])
        is_dead, in_seki = dead.judge(boards, owners, alive)
        flat = (len(states), self.layout.area)
        return is_dead.reshape(flat), in_seki.reshape(flat)

    def owners(self, states: States, playouts: int) -> NDArray[np.float64]:
        """[B, area], the mean owner of each point at the end of `playouts` playouts: +1 Black's, -1 White's.

        The playouts start from the stones alone, turned to the least of the board's symmetric images, with a seed
        made of them: so the answer belongs to the position, and to its mirror image the mirrored answer.
        """
        boards = self.colours(ready(states, self.dtype))
        images = [symmetry.actions[:-1] for symmetry in self.symmetries()]
        places = np.array([_least(board, images) for board in boards], np.int64).reshape(boards.shape)
        turned = np.empty_like(boards)
        np.put_along_axis(turned, places, boards, axis=1)
        stones, _ = self.set_up(turned, np.zeros(len(boards), np.int64))
        counts = np.empty(boards.shape, np.int32)
        words, rng = U(self.dtype.itemsize // 2), stones["key"].copy()
        args = (self.layout.words(stones)[0], words, U(self.layout.hot), *self._size, playouts, rng, counts)
        rows.run(rollout.owner_rows, len(boards), 1, *args)
        return np.take_along_axis(counts, places, axis=1) / playouts

    def pass_alive(self, states: States) -> NDArray[np.int8]:
        """[B, 2, area] for Black and White: 1 pass-alive stones, 2 points of their vital regions, else 0 (Benson)."""
        boards = self.colours(states)
        alive = np.empty((len(boards), 2, self.layout.area), np.int8)
        args = (boards, self.layout.width, self.layout.height, self.ruleset.suicide, alive)
        rows.run(life.pass_alive_rows, len(boards), ROLLOUT_GRAIN, *args)
        return alive

    def check(self, states: States) -> None:
        """Recompute everything that is kept incrementally. Raises AssertionError where it differs."""
        from sakiyomi.boards.go.consistency import check

        check(self.layout, states)

    def _writable(self, states: States) -> States:
        """`states`, which are to be changed in place. Raises ValueError where a copy would be changed instead."""
        if not (states.flags.c_contiguous and states.flags.writeable and states.flags.aligned):
            raise ValueError("states to play on must be contiguous and writable; copy the selection first")
        return ready(states, self.dtype)

    def _action(self, point: int) -> int:
        y, x = divmod(point, self.layout.stride)
        return (y - 1) * self.layout.width + x - 1


def _columns_and_rows(size: Any) -> tuple[int, int]:
    """Both from ``9`` or ``(9, 13)``. Raises ValueError for anything else."""
    both = size if isinstance(size, tuple | list) else (size, size)
    if len(both) != 2 or not all(isinstance(n, Integral) and not isinstance(n, bool) for n in both):
        raise ValueError(f"size is a whole number or (columns, rows), not {size!r}")
    return int(both[0]), int(both[1])


def _least(board: NDArray[np.uint8], images: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    """Of `images`, new places [area] of all points, the one that turns `board` [area] into its least form."""
    return min(images, key=lambda image: board[np.argsort(image)].tobytes())
