"""Shogi: moves, drops, endings, notation, AlphaZero's actions and planes."""

from sakiyomi.boards.shogi.game import Shogi

__all__ = ["Shogi"]
