"""Mate problems: `find_mate` solves a position by checks alone, `MateSearch` answers ``go mate`` of USI.

Depth-first proof-number search (A. Nagai, "Df-pn algorithm for searching AND/OR trees and its applications", PhD
thesis, University of Tokyo 2002): the attacker has to give check with each move, the defender has all legal moves.
It is repeated with 1, 3, 5 ... plies, and positions are told apart by the plies left too. So the first mate found is
the shortest, and no position is reached again below itself.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import numpy as np

from sakiyomi.arena.match import one_line
from sakiyomi.boards.game import States
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi

NEVER = 1 << 40
"""The proof number of what is disproved, and the disproof number of what is proved."""
DEEPEST = 301  # plies

Key = tuple[int, int]
"""A position's key and the plies left."""


class OutOfTime(Exception):
    """A search was stopped."""


@dataclass
class Node:
    """A position: how much work its proof and its disproof need at the least, and what can be played.

    `cut` tells that a disproof holds for so many plies only; `plies` is the length of a proved mate.
    """

    proof: int = 1
    disproof: int = 1
    plies: int = 0
    cut: bool = False
    actions: list[int] = field(default_factory=list)
    below: list[Key] = field(default_factory=list)
    open: bool = False  # have the moves been generated?


def find_mate(position: Position, stop: Callable[[], bool] = lambda: False) -> list[str] | None:
    """The shortest mate of the player to move, by checks alone; None if there is none.

    The defence holds out as long as it can against it. Raises OutOfTime once `stop()` says so.
    """
    for plies in range(1, DEEPEST, 2):
        search = _MateSearch(position.game, stop)
        root = search.solve(position.state, plies)
        if root.proof == 0:
            return search.line(position, plies)
        if not root.cut:
            return None
    raise OutOfTime


class _MateSearch:
    """A search of a fixed number of plies."""

    def __init__(self, game: Any, stop: Callable[[], bool]):
        self._game: Shogi = game
        self._stop = stop
        self._nodes: dict[Key, Node] = {}

    def solve(self, root: States, plies: int) -> Node:
        """The node of `root`, proved or disproved within `plies`."""
        node = self._node(_key(root, plies))
        self._expand(root, node, plies)
        self._search(root, node, plies, NEVER, NEVER)
        return node

    def line(self, position: Position, plies: int) -> list[str]:
        """The moves of a mate that was proved."""
        at, moves = position.copy(), []
        while plies > 0:
            node = self._nodes[_key(at.state, plies)]
            children = [self._nodes[key] for key in node.below]
            if not children:  # mated before all plies are used up
                break
            attacks = plies % 2 == 1
            proved = [(child.plies, i) for i, child in enumerate(children) if child.proof == 0]
            _, best = min(proved) if attacks else max(proved, key=lambda entry: (entry[0], -entry[1]))
            moves.append(at.game.move_text(at.state, node.actions[best]))
            at.play(node.actions[best])
            plies -= 1
        return moves

    def _search(self, state: States, node: Node, plies: int, most_proof: int, most_disproof: int) -> None:
        """Work on a position until its numbers reach the bounds."""
        attacks = plies % 2 == 1
        if node.below:  # what is below may have changed since, when it was reached in another way
            self._sum_up(node, attacks)
        while node.proof < most_proof and node.disproof < most_disproof:
            children = [self._nodes[key] for key in node.below]
            best, second = _two_best(children, attacks)
            child = children[best]
            if attacks:
                bounds = min(most_proof, second + 1), min(most_disproof - node.disproof + child.disproof, NEVER)
            else:
                bounds = min(most_proof - node.proof + child.proof, NEVER), min(most_disproof, second + 1)
            after = state.copy()
            self._game.play(after, np.array([node.actions[best]], np.int32))
            if not child.open:
                self._expand(after, child, plies - 1)
            self._search(after, child, plies - 1, *bounds)
            self._sum_up(node, attacks)

    def _sum_up(self, node: Node, attacks: bool) -> None:
        """The numbers of a position from those of the positions after it."""
        children = [self._nodes[key] for key in node.below]
        proofs, disproofs = [child.proof for child in children], [child.disproof for child in children]
        if attacks:
            node.proof, node.disproof = min(proofs), min(sum(disproofs), NEVER)
            node.cut = any(child.cut for child in children)
        else:
            node.proof, node.disproof = min(sum(proofs), NEVER), min(disproofs)
            node.cut = all(child.cut for child in children if child.disproof == 0)
        if node.proof == 0:
            node.disproof = NEVER
            lengths = [child.plies for child in children if child.proof == 0]
            node.plies = 1 + (min(lengths) if attacks else max(lengths))
        elif node.disproof == 0:
            node.proof = NEVER

    def _expand(self, state: States, node: Node, plies: int) -> None:
        """Generate the moves of a position, and judge what can be judged without a search."""
        if self._stop():
            raise OutOfTime
        node.open = True
        attacks = plies % 2 == 1
        listed, counts = self._game.legal_actions(state)
        actions = np.sort(listed[0, : counts[0]])
        if not attacks and not len(actions):  # mate: the last move gave check, and pawns dropped to mate are illegal
            node.proof, node.disproof = 0, NEVER
            return
        if plies == 0:
            node.proof, node.disproof, node.cut = NEVER, 0, True
            return
        after = np.repeat(state, len(actions))
        self._game.play(after, actions)
        if attacks:
            checks = self._game.in_check(after) if len(actions) else np.zeros(0, np.bool_)
            actions, after = actions[checks], after[checks]
            if not len(actions):
                node.proof, node.disproof = NEVER, 0
                return
        node.actions = actions.tolist()
        node.below = [(key, plies - 1) for key in after["key"].tolist()]
        for key in node.below:
            self._node(key)
        self._sum_up(node, attacks)

    def _node(self, key: Key) -> Node:
        return self._nodes.setdefault(key, Node())


def _key(state: States, plies: int) -> Key:
    return int(state["key"][0]), plies


def _two_best(children: list[Node], attacks: bool) -> tuple[int, int]:
    """The child to be worked on, and the number of the next best."""
    numbers = [child.proof if attacks else child.disproof for child in children]
    best = numbers.index(min(numbers))
    return best, min(numbers[:best] + numbers[best + 1 :], default=NEVER)


class MateSearch:
    """Looks for a mate in `position` and says it, or why there is none to say.

    `seconds` is the time for it, None for no limit; `begin` is called first; `say` takes lines.
    """

    def __init__(
        self,
        position: Position | None,
        seconds: float | None,
        *,
        begin: Callable[[], object],
        say: Callable[[str], None],
    ):
        self.over = False
        self._position, self._seconds = position, seconds
        self._begin, self._say = begin, say
        self._stop = Event()
        self._thread = Thread(target=self._run, name="mate search", daemon=True)

    def start(self) -> None:
        """Begin to search."""
        self._thread.start()

    @property
    def stopping(self) -> bool:
        """Was it told to stop?"""
        return self._stop.is_set()

    @property
    def finite(self) -> bool:
        """Will it end without another word from the controller?"""
        return self._seconds is not None

    def stop(self) -> None:
        """Come to an end."""
        self._stop.set()

    def ponderhit(self) -> None:
        """Nothing to this search."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the answer is said; was it, in time?"""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            words = self._answer()
        except OutOfTime:
            words = "timeout"
        except Exception as error:
            self._say(f"info string {one_line(f'the search failed: {type(error).__name__}: {error}')}")
            words = "timeout"
        self.over = True
        self._say(f"checkmate {words}")

    def _answer(self) -> str:
        """What follows the word checkmate."""
        if self._position is None:
            self._say("info string there is no position to think about")
            return "timeout"
        self._begin()
        deadline = float("inf") if self._seconds is None else time.monotonic() + self._seconds
        line = find_mate(self._position, lambda: self._stop.is_set() or time.monotonic() >= deadline)
        return " ".join(line) if line else "nomate"
