"""Strength from results: joint fits, duels and sequential tests; pure functions of the games."""
