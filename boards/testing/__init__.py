"""One conformance suite for every game: ``check_game(MyGame())`` in a test of yours."""

from sakiyomi.boards.testing.promises import BrokenPromise, Promise
from sakiyomi.boards.testing.suite import check_game

__all__ = ["BrokenPromise", "Promise", "check_game"]
