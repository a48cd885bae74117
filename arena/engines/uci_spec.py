"""The specs of UCI engines, such as ``uci:stockfish@nodes=200,Skill Level=3``; see `spec`."""

from sakiyomi.arena.engines.spec import EngineSpec, Syntax, parse_engine_spec

UCI_SYNTAX = Syntax(
    "uci",
    {"nodes": "nodes=N", "depth": "depth=N", "movetime": "movetime=SECONDS", "clock": "clock=SECONDS+INCREMENT"},
    ("uci_chess960", "uci_variant", "ponder"),
    "uci:stockfish@nodes=200",
)


def parse_uci_spec(argument: str) -> EngineSpec:
    """What stands behind ``uci:``, taken apart. Raises ValueError for no command and no KEY=VALUE."""
    return parse_engine_spec(argument, UCI_SYNTAX)
