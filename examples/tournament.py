"""A round robin in a few lines: three players, every pairing with both colours, ratings at the end.

python examples/tournament.py
"""

from sakiyomi.arena import Tournament

if __name__ == "__main__":  # workers import this file anew
    for rating in Tournament("connect4", ["random", "greedy", "alphabeta:4"], games=10, seed=1).run():
        print(rating)
