"""MuZero: networks for learned dynamics, unrolled learning, and search over them in games and tasks."""
