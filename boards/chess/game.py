"""`Chess`: the batched facade over the kernels. Trusts its caller; `Position` checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards import rows
from sakiyomi.boards.batches import counters, plain, ready
from sakiyomi.boards.chess import epd, fen, notation, perft, planes, reasons, rollout, rules, starts
from sakiyomi.boards.chess.actions import ACTIONS
from sakiyomi.boards.chess.state import MOST_MOVES, STATE, U
from sakiyomi.boards.game import IllegalMove, States, Symmetry, one
from sakiyomi.boards.symmetry import identity

GRAIN, ROLLOUT_GRAIN = 256, 8  # rows that one thread takes at least
WIDTH = 256  # room for the legal actions of a position; no game reaches one with more than 218
SPLIT = 64  # perft: as many positions are enough to share among threads


@dataclass(frozen=True)
class Chess:
    """Chess by FIDE's laws (2023), or Chess960. Fulfils the `Game` protocol, which documents the methods.

    A game ends by checkmate, stalemate, insufficient material (bare kings, one minor piece, bishops of one square
    colour), the seventy-five-move rule or a fivefold repetition. The fifty-move rule and threefold repetition are
    claims: `claims`. White moves first; +1 in results is a win for White. Moves are written as UCI ("e7e8q"; castling
    as "e1g1", in Chess960 as the king onto his rook, "e1h1") and read as UCI or SAN; positions are FEN. For actions
    and planes see `actions` and `planes`; there is no symmetry but the identity, as castling and the pawns tell the
    sides of the board apart.
    """

    chess960: bool = False

    dtype = STATE
    num_actions = ACTIONS
    planes = (planes.PLANES, 8, 8)
    max_plies = 17_697  # the longest game that the seventy-five-move rule allows

    @property
    def name(self) -> str:
        """ "chess" or "chess960"."""
        return "chess960" if self.chess960 else "chess"

    # --- the Game protocol

    def new(self, batch: int) -> States:
        """The usual start position, in Chess960 too (number 518); others by `start`."""
        return np.repeat(_start(starts.STANDARD), index(batch))

    def start(self, numbers: NDArray[np.integer[Any]]) -> States:
        """[B] start positions of Chess960 by number, 0 to 959. Raises ValueError for others, or in standard chess."""
        numbers = np.asarray(numbers)
        if not np.issubdtype(numbers.dtype, np.integer) and numbers.size:
            raise ValueError(f"start positions are numbered by whole numbers, not by {numbers.dtype}")
        if not self.chess960 and np.any(numbers != starts.STANDARD):
            raise ValueError("only Chess(chess960=True) has start positions other than 518")
        return np.concatenate([_start(int(number)) for number in numbers] or [self.new(0)])

    def legal(self, states: States) -> NDArray[np.bool_]:  # noqa: D102
        out = np.empty((len(states), ACTIONS), np.bool_)
        rows.run(rules.legal_rows, len(states), GRAIN, _words(states), self.chess960, out)
        return out

    def legal_actions(self, states: States) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """`legal` as lists, many times faster: actions [B, 256], not sorted, -1 behind the last, and counts [B]."""
        actions, counts = np.empty((len(states), WIDTH), np.int32), np.empty(len(states), np.int32)
        rows.run(rules.actions_rows, len(states), GRAIN, _words(states), self.chess960, actions, counts)
        return actions, counts

    def play(self, states: States, actions: NDArray[np.integer[Any]]) -> None:  # noqa: D102
        whole = ready(states, STATE)
        actions = plain(actions, np.int32, (len(whole),))
        rows.run(rules.play_rows, len(whole), GRAIN, whole.view(np.uint64), self.chess960, actions)
        if whole is not states:
            states[...] = whole

    def turn(self, states: States) -> NDArray[np.int8]:
        """[B], 0 White, 1 Black."""
        turns: NDArray[np.int8] = states["turn"].astype(np.int8)
        return turns

    def ending(self, states: States) -> NDArray[np.int8]:  # noqa: D102
        out = np.empty(len(states), np.int8)
        rows.run(rules.ending_rows, len(states), GRAIN, _words(states), out)
        return out

    def result(self, states: States) -> NDArray[np.float32]:
        """[B], +1 where White has mated, -1 where Black has."""
        out = np.empty(len(states), np.int8)
        rows.run(rules.result_rows, len(states), GRAIN, _words(states), out)
        return out.astype(np.float32)

    def observe(self, states: States) -> NDArray[np.float32]:
        """[B, 119, 8, 8], AlphaZero's planes; see `planes`."""
        out = np.zeros((len(states), planes.PLANES, 64), np.float32)
        rows.run(planes.observe_rows, len(states), GRAIN, _words(states), out)
        out[:, planes.COLOUR] = states["turn"][:, None]
        out[:, planes.PLIES] = (states["ply"] / np.float32(planes.PLY_SCALE))[:, None]
        out[:, planes.NO_PROGRESS] = (states["halfmove"] / np.float32(planes.CLOCK_SCALE))[:, None]
        return out.reshape(len(states), *self.planes)

    def replay(self, roots: States, paths: NDArray[np.int32], lengths: NDArray[np.int32]) -> States:  # noqa: D102
        states = ready(roots.copy(), STATE)
        steps = (plain(paths, np.int32, (len(states), None)), plain(lengths, np.int32, (len(states),)))
        rows.run(rules.replay_rows, len(states), GRAIN, states.view(np.uint64), self.chess960, *steps)
        return states

    def rollout(self, states: States, rng: NDArray[np.uint64]) -> NDArray[np.float32]:  # noqa: D102
        return self.rollout_plies(states, rng)[0]

    def rollout_plies(self, states: States, rng: NDArray[np.uint64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """`rollout` with the plies played: results [B] and plies [B]."""
        out, plies = np.empty(len(states), np.int8), np.empty(len(states), np.int64)
        rng = counters(rng, len(states))
        rows.run(rollout.rollout_rows, len(states), ROLLOUT_GRAIN, _words(states), rng, out, plies)
        return out.astype(np.float32), plies

    def symmetries(self) -> list[Symmetry]:
        """The identity alone."""
        return [Symmetry("identity", identity, np.arange(ACTIONS, dtype=np.int32))]

    def move_text(self, state: Any, action: int) -> str:
        """UCI."""
        return notation.uci(_row(state), int(action))

    def parse_move(self, state: Any, text: str) -> int:
        """The action that a UCI or SAN text names. Raises BadNotation; IllegalMove for SAN that fits no legal move."""
        return notation.parse(_row(state), text, self.chess960)

    def position_text(self, state: Any) -> str:
        """X-FEN, which for standard chess is FEN."""
        return fen.write(_row(state))

    def parse_position(self, text: str) -> States:
        """[1] from FEN, X-FEN or Shredder-FEN. Raises BadNotation, also for positions that cannot be played from."""
        return fen.read(text, self.chess960)

    def board(self, state: Any) -> NDArray[np.int8]:
        """[8, 8], rank 8 first: 1 pawn, 2 knight, 3 bishop, 4 rook, 5 queen, 6 king; Black's negative."""
        board = np.zeros((8, 8), np.int8)
        for square, piece in fen.pieces_by_square(_row(state)).items():
            kind = fen.PIECES.index(piece.upper()) + 1
            board[7 - square // 8, square % 8] = kind if piece.isupper() else -kind
        return board

    def draw(self, state: Any) -> str:  # noqa: D102
        signs = fen.PIECES[::-1].lower() + "." + fen.PIECES  # from Black's king, -6, to White's
        lines = [f"{8 - y} " + " ".join(signs[6 + piece] for piece in row) for y, row in enumerate(self.board(state))]
        return "\n".join([*lines, "  " + " ".join(fen.FILES)])

    def why_illegal(self, state: Any, action: int) -> str:  # noqa: D102
        return reasons.why_illegal(_row(state), int(action), self.chess960)

    # --- beyond the protocol

    def claims(self, states: States) -> NDArray[np.int8]:
        """[B], the draw that the player to move may claim now: `Ending.FIFTY_MOVES`, `REPETITION` or `ONGOING`.

        Repetition is the third occurrence of the position (FIDE 9.2), fifty moves are 100 plies without a capture or
        pawn move (9.3). A claim together with a move is a claim in the position after it.
        """
        out = np.empty(len(states), np.int8)
        rows.run(rules.claim_rows, len(states), GRAIN, _words(states), out)
        return out

    def in_check(self, states: States) -> NDArray[np.bool_]:
        """[B], is the player to move in check?"""
        counts, checks = np.empty(len(states), np.int32), np.empty(len(states), np.bool_)
        rows.run(rules.status_rows, len(states), GRAIN, _words(states), counts, checks)
        return checks

    def san(self, state: Any, action: int) -> str:
        """A legal action in strict SAN, "Nbxd7+". Raises IllegalMove for others."""
        row, action = _row(state), int(action)
        if not 0 <= action < ACTIONS:
            raise IllegalMove(f"action {action} is not one of {self.name}'s 0..{ACTIONS - 1}")
        for move in notation.moves(row):
            if notation.action_of(move, self.chess960) == action:
                return notation.san(row, move)
        text = f"illegal move {self.move_text(row, action)} in {fen.write(row)}"
        raise IllegalMove(f"{text}: {self.why_illegal(row, action)}")

    def shredder_fen(self, state: Any) -> str:
        """The position with castling rights as the rooks' files."""
        return fen.write(_row(state), shredder=True)

    def parse_epd(self, text: str) -> tuple[States, dict[str, tuple[epd.Operand, ...]]]:
        """Position [1] and operations of a line of EPD: ``bm Nf3 e4; id "x"; acd 12`` is bm: ("g1f3", "e2e4"), ...

        The operands of am, bm, pm, rm, sm and pv are moves, as UCI. Raises BadNotation and IllegalMove.
        """
        return epd.read(text, self.chess960)

    def epd_text(self, state: Any, operations: Mapping[str, epd.Operand | Sequence[epd.Operand] | None]) -> str:
        """A position with operations as EPD, moves (given as UCI or SAN) as SAN. Raises ValueError; see `epd.write`."""
        return epd.write(_row(state), operations, self.chess960)

    def perft(self, state: Any, depth: int, listed: bool = False) -> int:
        """Sequences of `depth` legal moves, draws by rule left aside, as is usual; on all threads (`rows`).

        At the last ply moves are counted, or with `listed` written to a list whose length counts.
        """
        if depth < 0:
            raise ValueError(f"depth must be 0 or more, got {depth}")
        level = ready(one(state).copy(), STATE)
        while depth > 2 and rows.threads() > 1 and 0 < len(level) < SPLIT:
            level, depth = _next_level(level), depth - 1
        if depth == 0:
            return len(level)
        totals = np.zeros(len(level), np.uint64)
        rows.run(perft.perft_rows, len(level), 8, level.view(np.uint64), U(depth), listed, totals)
        return int(totals.sum())

    def check(self, states: States) -> None:
        """Assert that the keys kept from ply to ply are those computed afresh, and agree with the history."""
        keys = np.empty(len(states), np.uint64)
        rules.key_rows(0, len(states), _words(states), keys)
        assert (keys == states["key"]).all(), f"keys {states['key']} are not {keys}"
        clocks = np.minimum(states["halfmove"], states["keys"].shape[1] - 1)
        last = states["keys"][np.arange(len(states)), clocks]
        assert ((last == keys) | (states["halfmove"] > clocks)).all(), "the history does not end with the position"


@cache
def _start(number: int) -> States:
    """[1], a start position of Chess960."""
    state = fen.read(starts.start_fen(number), chess960=True)
    state.setflags(write=False)
    return state


def _words(states: States) -> NDArray[np.uint64]:
    """The rows' memory as flat words."""
    return ready(states, STATE).view(np.uint64)


def _row(state: Any) -> States:
    return ready(one(state), STATE)


def _next_level(states: States) -> States:
    """All positions one legal move after `states`, neighbours spread so that slices take alike long."""
    moves, counts = np.empty((len(states), MOST_MOVES), np.uint16), np.empty(len(states), np.int32)
    rules.moves_rows(0, len(states), states.view(np.uint64), moves.ravel(), counts)
    parents = np.repeat(np.arange(len(states)), counts)
    played = moves[np.arange(MOST_MOVES) < counts[:, None]]
    after = states[parents]
    rules.make_rows(0, len(after), after.view(np.uint64), played)
    return after[np.argsort(np.arange(len(after)) % 61, kind="stable")]
