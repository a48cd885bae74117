"""The specs of USI engines, such as ``usi:fairy-stockfish@nodes=500``; see `spec`."""

from sakiyomi.arena.engines.spec import EngineSpec, Syntax, parse_engine_spec

USI_SYNTAX = Syntax(
    "usi",
    {
        "nodes": "nodes=N",
        "depth": "depth=N",
        "movetime": "movetime=SECONDS",
        "byoyomi": "byoyomi=SECONDS",
        "clock": "clock=SECONDS+INCREMENT or clock=SECONDS/BYOYOMI",
    },
    ("uci_variant", "usi_variant", "usi_ponder", "ponder", "protocol"),
    "usi:fairy-stockfish@nodes=500",
)


def parse_usi_spec(argument: str) -> EngineSpec:
    """What stands behind ``usi:``, taken apart. Raises ValueError for no command and no KEY=VALUE."""
    return parse_engine_spec(argument, USI_SYNTAX)
