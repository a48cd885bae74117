"""Compile the kernels of the environments once and leave the machine code in the cache."""

from sakiyomi.boards import Chess, Go, Shogi
from sakiyomi.envs.batch import BoardBatch


def warm_up() -> None:
    """Call everything that batches of Go, chess and shogi have compiled."""
    for game in (Go(size=9), Chess(), Shogi()):
        batch = BoardBatch(game, 2, max_plies=2)
        batch.step(batch.sample())
        batch.random_step()
        batch.legal()
        batch.legal_actions()
        batch.observe()
