"""Episodes of tasks: collecting and keeping them, controls as models see them, and what was foreseen in them."""
