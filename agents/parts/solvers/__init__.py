"""Exact play: Connect Four, the end of Othello, tic-tac-toe."""
