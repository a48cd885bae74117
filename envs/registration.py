"""The ids of the board games, for `gymnasium.make`, `make_vec` and, where there is a registry, `pettingzoo.make`."""

IDS = {
    "sakiyomi/Go9x9-v0": "go-9x9",
    "sakiyomi/Go13x13-v0": "go-13x13",
    "sakiyomi/Go19x19-v0": "go-19x19",
    "sakiyomi/Chess-v0": "chess",
    "sakiyomi/Chess960-v0": "chess960",
    "sakiyomi/Shogi-v0": "shogi",
    "sakiyomi/TicTacToe-v0": "tictactoe",
    "sakiyomi/ConnectFour-v0": "connect4",
    "sakiyomi/Othello-v0": "othello",
    "sakiyomi/Othello6x6-v0": "othello-6x6",
}
"""Games by id: `VersusEnv` and `BoardVectorEnv` in Gymnasium, `BoardEnv` in PettingZoo."""


def register() -> None:
    """Register what is not yet registered, with the packages that are installed."""
    try:
        import gymnasium
    except ImportError:
        return  # so the ids are of no use, nor is PettingZoo, which needs it
    for name, game in IDS.items():
        if name not in gymnasium.registry:
            gymnasium.register(
                name,
                entry_point="sakiyomi.envs.versus:VersusEnv",
                vector_entry_point="sakiyomi.envs.vector:BoardVectorEnv",
                kwargs={"game": game},
            )
    try:
        from pettingzoo.env_registry import registration as peers  # type: ignore[import-untyped]
    except ImportError:
        return  # not installed, or older than its registry
    for name, game in IDS.items():
        if name not in peers.aec_registry:
            peers.register("aec", name, entry_point="sakiyomi.envs.board:BoardEnv", kwargs={"game": game})
        if name not in peers.parallel_registry:
            peers.register("parallel", name, entry_point="sakiyomi.envs.board:parallel_env", kwargs={"game": game})
