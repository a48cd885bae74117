"""`python -m sakiyomi.arena`: the command line."""

from sakiyomi.arena.cli import main

if __name__ == "__main__":
    main()
