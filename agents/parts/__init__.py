"""What agents share, by theme: one package for each, and what players of any kind are set to."""
