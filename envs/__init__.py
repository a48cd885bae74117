"""What an agent acts in. Empty so far: the games are in `sakiyomi.boards`, and stepping them needs nothing else."""
