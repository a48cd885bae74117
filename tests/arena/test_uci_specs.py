"""The specs of UCI engines: what they mean, and how mistakes are answered."""

import pytest

from sakiyomi.arena.engines.spec import Limits
from sakiyomi.arena.engines.uci_spec import parse_uci_spec


@pytest.mark.parametrize(
    ("argument", "command", "limits", "options"),
    [
        ("stockfish", "stockfish", Limits(), {}),
        ("stockfish@nodes=200", "stockfish", Limits(nodes=200), {}),
        ("gnuchess --uci@depth=3,nodes=5", "gnuchess --uci", Limits(nodes=5, depth=3), {}),
        ("x@movetime=.5", "x", Limits(movetime=0.5), {}),
        ("x@clock=60+0.6", "x", Limits(clock=(60.0, 0.6)), {}),
        ("x@clock=60", "x", Limits(clock=(60.0, 0.0)), {}),
        ("x@Skill Level=3, Hash = 32", "x", Limits(), {"Skill Level": "3", "Hash": "32"}),
        ("x@SyzygyPath=/a,/b,nodes=5", "x", Limits(nodes=5), {"SyzygyPath": "/a,/b"}),
        ("/opt/a@b/x --flag", "/opt/a@b/x --flag", Limits(), {}),
        ("/opt/a@b/x@nodes=5", "/opt/a@b/x", Limits(nodes=5), {}),
        ("'/my engines/x' --uci@nodes=5", "'/my engines/x' --uci", Limits(nodes=5), {}),
        ("x --user=me@", "x --user=me", Limits(), {}),
    ],
)
def test_specs_are_taken_apart(argument, command, limits, options):
    spec = parse_uci_spec(argument)
    assert (spec.command, spec.limits, spec.options) == (command, limits, options)


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("stockfish@nodes", "'nodes' is no KEY=VALUE; there are nodes=N, depth=N, movetime=SECONDS"),
        ("x@nodes=0", "nodes must be a whole number of 1 or more, got '0'"),
        ("x@nodes=1e3", "got '1e3'"),
        ("x@depth=", "depth must be a whole number of 1 or more, got ''"),
        ("x@movetime=0", "movetime=0: more than 0 seconds are wanted"),
        (
            "x@movetime=1e-3",
            r"movetime=1e-3: movetime=SECONDS is wanted, each number in digits and a point, as in movetime=0\.5",
        ),
        ("x@movetime=1\\+1", "movetime=SECONDS is wanted"),
        ("x@clock=60\\+", r"clock=SECONDS\+INCREMENT is wanted, each number in .*, as in clock=60\+0\.6"),
        ("x@clock=0\\+1", r"clock=0\+1: more than 0 seconds are wanted"),
        ("x@clock=nan", "is wanted"),
        ("x@nodes=1,nodes=2", "nodes stands there twice"),
        ("x@Hash=1,hash=2", "hash stands there twice"),
        ("x@=3", "'=3' is no KEY=VALUE"),
        ("x@movetime=1,clock=2", "movetime and clock exclude each other"),
        ("x@UCI_Chess960=true", "UCI_Chess960 cannot be set: the arena sets it"),
        ("@nodes=3", "the engine's command is missing"),
        ("'x@nodes=3", "No closing quotation"),
    ],
)
def test_wrong_specs_are_answered_in_one_line(argument, words):
    with pytest.raises(ValueError, match=f"player 'uci:.*': .*{words}") as caught:
        parse_uci_spec(argument.replace("\\", ""))
    assert "\n" not in str(caught.value)
