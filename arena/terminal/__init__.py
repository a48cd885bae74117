"""Games between a person at the terminal and a player."""
