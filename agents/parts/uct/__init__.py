"""The tree of the UCT player, which searches one game by random play."""
