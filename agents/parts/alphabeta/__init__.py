"""Alpha-beta search with hand-made evaluations: chess, shogi, Othello, Connect Four."""
