"""Settings by name: what texts mean, JSON and back, and how mistakes are answered."""

import enum
import json
from dataclasses import dataclass, replace
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.agents.parts.runs.flags import from_json, overridden, parse, settings_of, to_json


class Layout(enum.Enum):
    DENSE = 1
    POOL = 2


@dataclass(frozen=True, kw_only=True)
class Search:
    simulations: int = 800
    noise: tuple[float, float] = (0.03, 0.25)
    layout: Layout = Layout.DENSE
    steps: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Config:
    blocks: int
    rate: float = 0.2
    pooling: bool = False
    policy: Literal["linear", "planes"] = "linear"
    cap: int | None = None
    rates: tuple[int, ...] = (100, 200)
    opponents: tuple[str, ...] = ("random", "uct:100")
    device: str | None = None
    search: Search = Search()

    def __post_init__(self) -> None:
        if self.cap is not None and self.cap > self.blocks:
            raise ValueError(f"cap must be at most blocks, got {self.cap} and {self.blocks}")


PLAIN = Config(blocks=3)


@pytest.mark.parametrize(
    ("setting", "changed"),
    [
        ("blocks=6", {"blocks": 6}),
        ("blocks=2e5", {"blocks": 200_000}),
        (" rate = 1e-3 ", {"rate": 0.001}),
        ("rate=2", {"rate": 2.0}),
        ("pooling=true", {"pooling": True}),
        ("pooling=False", {"pooling": False}),
        ("policy=planes", {"policy": "planes"}),
        ("cap=2", {"cap": 2}),
        ("cap=none", {"cap": None}),
        ("rates=1,2,3", {"rates": (1, 2, 3)}),
        ("rates=5", {"rates": (5,)}),
        ("rates=[4, 5]", {"rates": (4, 5)}),
        ("rates=", {"rates": ()}),
        ("opponents=random,uct:5", {"opponents": ("random", "uct:5")}),
        ("opponents=uct:5", {"opponents": ("uct:5",)}),
        ("device=cuda", {"device": "cuda"}),
        ("device=0", {"device": "0"}),
        ("device=None", {"device": None}),
        ("device=a=b", {"device": "a=b"}),
        ("search.simulations=64", {"search": Search(simulations=64)}),
        ("search.noise=1,0.5", {"search": Search(noise=(1.0, 0.5))}),
        ("search.layout=POOL", {"search": Search(layout=Layout.POOL)}),
        ("search.steps=[[1,0.5],[2,0.25]]", {"search": Search(steps=((1, 0.5), (2, 0.25)))}),
    ],
)
def test_what_texts_mean(setting, changed):
    assert overridden(PLAIN, [setting]) == replace(PLAIN, **changed)
    for name, value in vars(overridden(PLAIN, [setting])).items():
        assert type(value) is type(vars(replace(PLAIN, **changed))[name])


def test_settings_are_put_in_together():
    settings = ["blocks=9", "cap=8", "search.simulations=1", "search.layout=POOL"]
    expected = replace(PLAIN, blocks=9, cap=8, search=Search(simulations=1, layout=Layout.POOL))
    assert overridden(PLAIN, settings) == expected  # cap alone would be too great
    assert overridden(PLAIN, ["rate=1", "rate=2"]).rate == 2
    assert overridden(PLAIN, []) is not None
    assert Config(blocks=3) == PLAIN


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("block=6", "no setting 'block'; did you mean 'blocks'?"),
        ("x=6", "no setting 'x'; there are: blocks, rate, pooling"),
        ("search.simulation=6", "no setting 'search.simulation'; did you mean 'search.simulations'?"),
        ("serch.simulations=6", "no setting 'serch'; did you mean 'search'?"),
        ("blocks", "setting 'blocks' is to be written name=value, such as blocks=3"),
        ("=5", "is to be written name=value"),
        ("blocks=few", "blocks=few: a whole number is wanted"),
        ("blocks=2.5", "blocks=2.5: a whole number is wanted"),
        ("blocks=true", "blocks=true: a whole number is wanted"),
        ("rate=nan", "rate=nan: a number is wanted"),
        ("rate=Infinity", "rate=Infinity: a number is wanted"),
        ("rate=true", "rate=true: a number is wanted"),
        ("pooling=2", "pooling=2: true or false is wanted"),
        ("policy=convex", "policy=convex: one of linear, planes is wanted"),
        ("cap=x", "cap=x: a whole number or none is wanted"),
        ("cap=9", "cap must be at most blocks, got 9 and 3"),
        ("rates=1,b", "rates=1,b: some with commas between, each a whole number is wanted"),
        ("search.noise=1", "search.noise=1: 2 with commas between, each a number is wanted"),
        ("search.layout=pool", "search.layout=pool: one of DENSE, POOL is wanted"),
        ("search=5", "setting 'search' cannot be set so; there is: search.simulations, search.noise"),
        ("blocks.x=5", "setting 'blocks' cannot be set so; there is: blocks"),
    ],
)
def test_mistakes_are_answered_in_one_line(setting, words):
    with pytest.raises(ValueError) as caught:
        overridden(PLAIN, [setting])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_group_and_its_parts_are_not_set_at_once():
    with pytest.raises(ValueError, match=r"setting 'search\.simulations': search itself is set, too"):
        overridden(PLAIN, ["search=5", "search.simulations=5"])


configs = st.builds(
    Config,
    blocks=st.integers(1000, 2000),
    rate=st.floats(allow_nan=False, allow_infinity=False),
    pooling=st.booleans(),
    policy=st.sampled_from(["linear", "planes"]),
    cap=st.none() | st.integers(0, 999),
    rates=st.lists(st.integers(), max_size=3).map(tuple),
    device=st.none() | st.sampled_from(["cpu", "cuda:0"]),
    search=st.builds(
        Search,
        simulations=st.integers(),
        noise=st.tuples(st.floats(0, 1), st.floats(0, 1)),
        layout=st.sampled_from(Layout),
        steps=st.lists(st.tuples(st.integers(), st.floats(0, 9)), max_size=3).map(tuple),
    ),
)


@settings(max_examples=50, deadline=None)
@given(configs)
def test_through_json_and_back(config):
    assert from_json(Config, json.loads(json.dumps(to_json(config), allow_nan=False))) == config


@settings(max_examples=50, deadline=None)
@given(configs)
def test_settings_as_shown_can_be_set(config):
    assert overridden(PLAIN, [f"{name}={value}" for name, value in settings_of(config)]) == config


def test_what_json_lacks_has_its_default():
    assert from_json(Config, {"blocks": 3}) == PLAIN
    assert from_json(Config, {"blocks": 3, "search": {"simulations": 5}}).search == Search(simulations=5)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "run/config.json: .*missing 1 required .*'blocks'"),
        ({"blocks": 3, "rte": 1}, "run/config.json: no setting 'rte'; did you mean 'rate'?"),
        ({"blocks": "3"}, "run/config.json: blocks: a whole number is wanted, got '3'"),
        ({"blocks": 3, "search": {"simulations": None}}, "search: simulations: a whole number is wanted, got None"),
        ({"blocks": 3, "search": 5}, "search: .*Search.* is wanted, got 5"),
        ({"blocks": 3, "policy": "x"}, "policy: one of linear, planes is wanted, got 'x'"),
        ({"blocks": 3, "rates": [1, "2"]}, "rates: a whole number is wanted, got '2'"),
    ],
)
def test_wrong_json_is_refused(values, words):
    with pytest.raises(ValueError, match=words):
        from_json(Config, values, "run/config.json")


def test_one_value():
    assert parse("12", int | None, "sims") == 12
    with pytest.raises(ValueError, match="player 'x': sims=y: a whole number is wanted"):
        parse("y", int, "player 'x': sims")
