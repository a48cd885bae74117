"""The stateful part of the conformance suite: Hypothesis plays, takes back, copies and tries what is forbidden."""

from typing import Any

import numpy as np
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sakiyomi.boards.game import Ending, Game, IllegalMove
from sakiyomi.boards.position import Position
from sakiyomi.boards.testing.checks import check_fields
from sakiyomi.boards.testing.promises import Promise, demand
from sakiyomi.boards.testing.sample import same

NUMBERS = st.integers(0, 1 << 16)
STEPS = 20
OPENING = 12  # plies at a time


class Playing(RuleBasedStateMachine):
    """One `Position` under test, beside the list of actions that it should have come through."""

    game: Game  # set by `run_machine`

    def __init__(self) -> None:
        super().__init__()
        self.position = Position(self.game)
        self.path: list[int] = []

    def demand(self, holds: Any, promise: Promise, seen: str) -> None:
        """Raise `BrokenPromise` unless `holds`."""
        demand(self.game, holds, promise, seen, self.position.state)

    def ongoing(self) -> bool:
        """Is there a legal action?"""
        return self.position.legal_actions().size > 0

    @initialize(numbers=st.lists(NUMBERS, max_size=OPENING))
    def open(self, numbers: list[int]) -> None:
        """Some way into a game."""
        self.play(numbers, by_text=False)

    @precondition(ongoing)
    @rule(numbers=st.lists(NUMBERS, min_size=1, max_size=OPENING), by_text=st.booleans())
    def play(self, numbers: list[int], by_text: bool) -> None:
        """Legal moves, by action or by text."""
        for number in numbers:
            legal = self.position.legal_actions()
            if not legal.size:
                break
            action = int(legal[number % len(legal)])
            self.position.play(self.game.move_text(self.position.state, action) if by_text else action)
            self.path.append(action)
            self.demand(self.position.ply == len(self.path), Promise.PLIES, f"it is {self.position.ply} now")

    @precondition(lambda self: self.path)
    @rule()
    def undo(self) -> None:
        """Take the last move back and play it again: the same position must come up."""
        before = self.position.state.copy()
        self.position.undo()
        self.position.play(self.path[-1])
        self.demand(same(self.position.state, before), Promise.SAME_AGAIN, "it differs")

    @precondition(lambda self: self.path)
    @rule(plies=st.integers(1, 4))
    def take_back(self, plies: int) -> None:
        """Take back a few moves, to go on from there."""
        for _ in range(min(plies, len(self.path))):
            self.position.undo()
            self.path.pop()

    @rule(number=NUMBERS)
    def try_illegal(self, number: int) -> None:
        """An action outside the mask must be refused and change nothing."""
        illegal = np.flatnonzero(~self.game.legal(self.position.state)[0])
        if not illegal.size:
            return
        before, refused = self.position.state.copy(), False
        try:
            self.position.play(int(illegal[number % len(illegal)]))
        except IllegalMove:
            refused = True
        self.demand(refused and same(self.position.state, before), Promise.REFUSED, "it did not work so")

    @precondition(ongoing)
    @rule(number=NUMBERS)
    def fork(self, number: int) -> None:
        """Playing on a copy must not touch the original."""
        before, legal = self.position.state.copy(), self.position.legal_actions()
        self.position.after(int(legal[number % len(legal)]))
        self.demand(same(self.position.state, before), Promise.COPIES, "a move on a copy changed the original")

    @rule()
    def reread(self) -> None:
        """The text, read and written again, must be the same."""
        again = Position(self.game, self.position.text()).text()
        self.demand(again == self.position.text(), Promise.TEXT_BACK, f"it came back as {again!r}")

    @invariant()
    def adds_up(self) -> None:
        """Ply, ending, result and replay fit the moves that were made."""
        game, state, path = self.game, self.position.state, self.path
        self.demand(self.position.ply == len(path), Promise.PLIES, f"it is {self.position.ply} after {len(path)} plies")
        ended = game.ending(state)[0] != Ending.ONGOING
        self.demand(ended != self.ongoing(), Promise.ENDED, f"ending() is {game.ending(state)[0]}")
        result = float(game.result(state)[0])
        self.demand(ended or result == 0, Promise.ONGOING_RESULT, f"it is {result}")
        self.demand(result in (-1, 0, 1), Promise.RESULT, f"it is {result}")
        replayed = game.replay(game.new(1), np.array([path or [0]], np.int32), np.array([len(path)], np.int32))
        self.demand(same(replayed, state), Promise.REPLAY, "the moves replayed lead elsewhere")

    @invariant()
    def checks_itself(self) -> None:
        """Fields kept from ply to ply are right, if the game can tell."""
        check_fields(self.game, self.position.state)


def run_machine(game: Game, examples: int, number: int) -> None:
    """Sequences of moves, undos, copies and illegal actions; the same `number`, the same sequences."""
    machine = type("Playing", (Playing,), {"game": game})
    options = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(number)(machine), settings=options)  # type: ignore[no-untyped-call]
    except Flaky as error:
        demand(game, False, Promise.SAME_AGAIN, f"the same moves broke a promise at one time only ({error})")
