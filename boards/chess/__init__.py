"""Chess and Chess960: moves, endings, notation, AlphaZero's actions and planes."""

from sakiyomi.boards.chess.game import Chess

__all__ = ["Chess"]
