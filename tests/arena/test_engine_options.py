"""Options of engines: how they are announced in UCI and USI."""

import pytest

from sakiyomi.arena.engines.options import Option, number, parse_option, settings_of
from sakiyomi.arena.players import make_player
from sakiyomi.arena.serving.usi_server import Session
from sakiyomi.boards import Chess


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("option name A B type spin default 3 min -1 max 9", Option("A B", "spin", 3, -1, 9)),
        ("option name A type spin default 3", Option("A", "spin", 3)),
        ("option name  A  type check default true ", Option("A", "check", True)),
        ("option name A type check", Option("A", "check", False)),
        (
            "option name A type combo default very good var bad var very good",
            Option("A", "combo", "very good", choices=("bad", "very good")),
        ),
        ("option name A type string default <empty>", Option("A", "string", "")),
        ("option name A type string default min max", Option("A", "string", "min max")),
        ("option name A type button", Option("A", "button")),
        ("option name Minimum max type filename default", Option("Minimum max", "filename", "")),
    ],
)
def test_options_as_engines_announce_them(line, option):
    assert parse_option(line) == option


@pytest.mark.parametrize("line", ["option", "option name A", "option type spin default 3", "option name A type dial"])
def test_what_announces_no_option(line):
    with pytest.raises(ValueError, match=r"announces no option: option name NAME type check\|spin"):
        parse_option(line)


def test_alphabeta_announces_its_depth_and_its_memory():
    player = make_player("alphabeta:3", Chess())
    memory = getattr(player, "megabytes", None)
    assert settings_of(player) == [number("Depth", 3, 1, 99), number("Hash", memory, 1, 1 << 16)]
    assert settings_of(player, Session.attributes)[1] == number("USI_Hash", memory, 1, 1 << 16)
