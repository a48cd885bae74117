"""`Shogi`: the batched facade over the kernels. Trusts its caller; `Position` checks."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards import rows
from sakiyomi.boards.batches import counters, plain, ready
from sakiyomi.boards.game import BadNotation, States, Symmetry, one
from sakiyomi.boards.shogi import csa, handicaps, japanese, perft, planes, reasons, rollout, rules, sfen, usi
from sakiyomi.boards.shogi.actions import ACTIONS
from sakiyomi.boards.shogi.state import MAX_PLIES, MOST_MOVES, STATE, U
from sakiyomi.boards.symmetry import identity

GRAIN, ROLLOUT_GRAIN = 256, 8  # rows that one thread takes at least
WIDTH = 600  # room for the legal actions of a position
SPLIT = 64  # perft: as many positions are enough to share among threads
DECLARATIONS = ("27", "24", "none")


@dataclass(frozen=True)
class Shogi:
    """Shogi by the rules of the Japan Shogi Association.

    Fulfils the `Game` protocol, which documents the methods. Black (sente) moves first, but in handicap games White;
    +1 in results is a win for Black. A game ends when the player to move has no legal move, which loses; by the
    fourth occurrence of a position with the same player to move, a draw unless one side gave check with each of its
    moves since the first, which loses; and as a draw after `max_plies` plies (up to 512). The declaration of the
    entering king is a claim (`declarations`) by the 27-point rule, the 24-point rule or none (`declaration`).

    Moves are USI ("7g7f", "8h2b+", "P*5e"), positions SFEN. For actions and planes see `actions` and `planes`.
    Raises ValueError for options out of range.
    """

    max_plies: int = MAX_PLIES
    declaration: str = "27"

    dtype = STATE
    num_actions = ACTIONS
    planes = (planes.PLANES, 9, 9)
    name = "shogi"

    def __post_init__(self) -> None:
        if not 1 <= self.max_plies <= MAX_PLIES:
            raise ValueError(f"max_plies must be 1 to {MAX_PLIES}, got {self.max_plies}")
        if self.declaration not in DECLARATIONS:
            raise ValueError(f"declaration must be one of {', '.join(DECLARATIONS)}, got {self.declaration!r}")

    # --- the Game protocol

    def new(self, batch: int) -> States:  # noqa: D102
        return np.repeat(_start("even"), batch)

    def handicap(self, name: str, batch: int = 1) -> States:
        """[batch], the start of a handicap game: "lance", "bishop", "rook", "two-piece" ...; see `HANDICAPS`."""
        return np.repeat(_start(name), batch)

    def legal(self, states: States) -> NDArray[np.bool_]:  # noqa: D102
        out = np.empty((len(states), ACTIONS), np.bool_)
        rows.run(rules.legal_rows, len(states), GRAIN, _words(states), self._limit, out)
        return out

    def legal_actions(self, states: States) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """`legal` as lists, many times faster: actions [B, 600], not sorted, -1 behind the last, and counts [B]."""
        actions, counts = np.empty((len(states), WIDTH), np.int32), np.empty(len(states), np.int32)
        rows.run(rules.actions_rows, len(states), GRAIN, _words(states), self._limit, actions, counts)
        return actions, counts

    def play(self, states: States, actions: NDArray[np.integer[Any]]) -> None:  # noqa: D102
        whole = ready(states, STATE)
        actions = plain(actions, np.int32, (len(whole),))
        rows.run(rules.play_rows, len(whole), GRAIN, whole.view(np.uint64), actions)
        if whole is not states:
            states[...] = whole

    def turn(self, states: States) -> NDArray[np.int8]:
        """[B], 0 Black, 1 White."""
        turns: NDArray[np.int8] = states["turn"].astype(np.int8)
        return turns

    def ending(self, states: States) -> NDArray[np.int8]:  # noqa: D102
        out = np.empty(len(states), np.int8)
        rows.run(rules.ending_rows, len(states), GRAIN, _words(states), self._limit, out)
        return out

    def result(self, states: States) -> NDArray[np.float32]:
        """[B], +1 where Black has won, -1 where White has."""
        out = np.empty(len(states), np.int8)
        rows.run(rules.result_rows, len(states), GRAIN, _words(states), self._limit, out)
        return out.astype(np.float32)

    def observe(self, states: States) -> NDArray[np.float32]:
        """[B, 362, 9, 9], AlphaZero's planes; see `planes`."""
        out = np.zeros((len(states), planes.PLANES, 81), np.float32)
        rows.run(planes.observe_rows, len(states), GRAIN, _words(states), out)
        out[:, planes.COLOUR] = states["turn"][:, None]
        out[:, planes.PLIES] = (states["ply"] / np.float32(planes.PLY_SCALE))[:, None]
        return out.reshape(len(states), *self.planes)

    def replay(self, roots: States, paths: NDArray[np.int32], lengths: NDArray[np.int32]) -> States:  # noqa: D102
        states = ready(roots.copy(), STATE)
        steps = (plain(paths, np.int32, (len(states), None)), plain(lengths, np.int32, (len(states),)))
        rows.run(rules.replay_rows, len(states), GRAIN, states.view(np.uint64), *steps)
        return states

    def rollout(self, states: States, rng: NDArray[np.uint64]) -> NDArray[np.float32]:  # noqa: D102
        return self.rollout_plies(states, rng)[0]

    def rollout_plies(self, states: States, rng: NDArray[np.uint64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """`rollout` with the plies played: results [B] and plies [B]."""
        out, plies = np.empty(len(states), np.int8), np.empty(len(states), np.int64)
        rng = counters(rng, len(states))
        rows.run(rollout.rollout_rows, len(states), ROLLOUT_GRAIN, _words(states), self._limit, rng, out, plies)
        return out.astype(np.float32), plies

    def symmetries(self) -> list[Symmetry]:
        """The identity alone: bishop and rook tell the sides of the board apart."""
        return [Symmetry("identity", identity, np.arange(ACTIONS, dtype=np.int32))]

    def move_text(self, state: Any, action: int) -> str:
        """USI."""
        return usi.move_text(_row(state), int(action))

    def csa_text(self, state: Any, action: int) -> str:
        """CSA: "+7776FU"."""
        return csa.move_text(_row(state), int(action))

    def kif_text(self, state: Any, action: int) -> str:
        """KIF of a legal action: "７六歩(77)"."""
        return japanese.kif_text(_row(state), int(action))

    def ki2_text(self, state: Any, action: int) -> str:
        """KI2, the usual Japanese text, of a legal action: "▲７六歩"."""
        return japanese.ki2_text(_row(state), int(action))

    def parse_move(self, state: Any, text: str) -> int:
        """The action that a text names: USI ("7g7f"), CSA ("+7776FU"), KIF ("７六歩(77)") or KI2 ("▲７六歩").

        Raises BadNotation.
        """
        row = _row(state)
        action = csa.parse(row, text) if text.isascii() else japanese.parse(row, text)
        return usi.parse(row, text) if action is None else action

    def position_text(self, state: Any) -> str:
        """SFEN."""
        return sfen.write(_row(state))

    def parse_position(self, text: str) -> States:
        """[1] from SFEN, "startpos", or the name of a handicap. Raises BadNotation for others and for positions that
        cannot be.
        """
        if text.strip() in handicaps.HANDICAPS:
            return self.handicap(text.strip())
        pieces, hands, turn, ply = sfen.read(text)
        _check(text, pieces, hands)
        states = sfen.record(pieces, hands, turn, ply)
        attacked = np.zeros(1, np.bool_)
        rules.kings_rows(0, 1, states.view(np.uint64), attacked)
        if attacked[0]:
            who = ("White", "Black")[turn]
            raise BadNotation(f"{text!r} is no shogi position: {who} is in check, but it is not {who}'s turn")
        rules.begin_rows(0, 1, states.view(np.uint64))
        return states

    def board(self, state: Any) -> NDArray[np.int8]:
        """[9, 9], rank a first, file 9 at the left.

        1 pawn, 2 lance, 3 knight, 4 silver, 5 gold, 6 bishop, 7 rook, 8 king, 9 to 12 promoted pawn to silver, 14
        horse, 15 dragon; White's negative. Hands: `hands`.
        """
        mail = _row(state)["mail"][0, :81].astype(np.int8)
        kinds = np.where(mail & 16, -(mail & 15), mail & 15).astype(np.int8)
        board: NDArray[np.int8] = kinds.reshape(9, 9)[::-1].T
        return board

    def hands(self, state: Any) -> NDArray[np.int64]:
        """[2, 8]: how many pieces of each kind, 1 pawn to 7 rook, Black and White hold."""
        return np.array(sfen.hand_counts(_row(state)))

    def draw(self, state: Any) -> str:
        """The board with both hands, White's above."""
        row = _row(state)
        mail, hands = row["mail"][0], sfen.hand_counts(row)
        lines = ["  9  8  7  6  5  4  3  2  1"]
        for rank in range(9):
            pieces = (sfen.piece_text(int(mail[9 * file + rank])) for file in reversed(range(9)))
            lines.append("".join(f"{piece:>3}" for piece in pieces) + " " + "abcdefghi"[rank])
        return "\n".join([f"White holds {_held(hands[1])}", *lines, f"Black holds {_held(hands[0])}"])

    def why_illegal(self, state: Any, action: int) -> str:  # noqa: D102
        return reasons.why_illegal(_row(state), int(action))

    # --- beyond the protocol

    def declarations(self, states: States) -> NDArray[np.int8]:
        """[B]: 1 where the player to move wins by declaring (USI "win"), 2 where he draws so, 0 elsewhere.

        The king stands in the three furthest ranks and not in check, with ten more of the player's pieces; these and
        his hand are counted, 5 points for each bishop and rook, 1 for each other. By the 27-point rule Black needs 28
        points and White 27; by the 24-point rule either wins with 31 and draws with 24.
        """
        out = np.zeros(len(states), np.int8)
        if self.declaration != "none":
            half_points = self.declaration == "24"
            rows.run(rules.declaration_rows, len(states), GRAIN, _words(states), half_points, out)
        return out

    def in_check(self, states: States) -> NDArray[np.bool_]:
        """[B], is the player to move in check?"""
        counts, checks = np.empty(len(states), np.int32), np.empty(len(states), np.bool_)
        rows.run(rules.status_rows, len(states), GRAIN, _words(states), counts, checks)
        return checks

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
        """Assert that the keys and boards kept from ply to ply are those computed afresh."""
        keys = np.empty(len(states), np.uint64)
        rules.key_rows(0, len(states), _words(states), keys)
        assert (keys == states["key"]).all(), f"keys {states['key']} are not {keys}"
        for state in states:
            row = one(state)
            mail = {square: int(piece) for square, piece in enumerate(row["mail"][0]) if piece}
            afresh = sfen.record(mail, sfen.hand_counts(row), int(row["turn"][0]), int(row["ply"][0]))
            for field in ("boards", "sides", "hands"):
                assert (afresh[field] == row[field]).all(), f"{field} differ from the pieces on the squares"

    @property
    def _limit(self) -> np.uint64:
        return U(self.max_plies)


@cache
def _start(name: str) -> States:
    """[1], the start position of a handicap, or of an even game."""
    state = Shogi().parse_position(handicaps.handicap_sfen(name))
    state.setflags(write=False)
    return state


def _check(text: str, pieces: dict[int, int], hands: list[list[int]]) -> None:
    """The rules that pieces on the board must keep. Raises BadNotation."""

    def bad(why: str) -> BadNotation:
        return BadNotation(f"{text!r} is no shogi position: {why}")

    total = [hands[0][kind] + hands[1][kind] for kind in range(8)] + [0]
    for square, piece in pieces.items():
        kind, white = piece & 15, piece >> 4
        total[kind if kind <= 8 else kind - 8] += 1
        rank = 8 - square % 9 if white else square % 9
        if rank < {1: 1, 2: 1, 3: 2}.get(kind, 0):
            raise bad(f"the {sfen.NAMES[kind]} on {sfen.square_name(square)} could never move")
    for kind, most in enumerate(sfen.COUNTS):
        if total[kind] > most:
            raise bad(f"there are {total[kind]} {sfen.NAMES[kind]}s, more than {most}")
    for white, who in enumerate(("Black", "White")):
        if sum(piece == 8 + 16 * white for piece in pieces.values()) > 1:
            raise bad(f"{who} has two kings")
        for file in range(9):
            if sum(pieces.get(9 * file + rank) == 1 + 16 * white for rank in range(9)) > 1:
                raise bad(f"{who} has two pawns on file {file + 1}")


def _held(counts: list[int]) -> str:
    texts = [
        f"{sfen.LETTERS[kind]}{counts[kind] if counts[kind] > 1 else ''}" for kind in sfen.HAND_ORDER if counts[kind]
    ]
    return " ".join(texts) or "nothing"


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
