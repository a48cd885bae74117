"""The engines that the page offers, played against and asked for their opinion."""

import pytest
from play_talk import session, until

from sakiyomi.arena.pages.play_seats import THINKERS, analyst, offers, thinks
from sakiyomi.arena.players import ENGINES, parse_spec
from sakiyomi.boards.player import Budget

pytestmark = pytest.mark.engines
FOUND = [
    (game, offer.spec)
    for game in ("go-9x9", "chess", "chess960", "shogi")
    for offer in offers(game)
    if parse_spec(offer.spec).kind.name in ENGINES
]
FIRST = {"go-9x9": "c3", "shogi": "7g7f"}


@pytest.mark.parametrize(("game", "spec"), FOUND, ids=[f"{game} {parse_spec(spec).name}" for game, spec in FOUND])
def test_an_engine_answers(game, spec):
    played = session(game, "", spec, budget=Budget(seconds=0.2) if thinks(spec) else Budget())
    played.move(FIRST.get(game, "e2e4"), 0)
    until(lambda: len(played.moves) == 2 or played.ended)
    assert played.ended is None
    played.close()


THINKING = [(game, spec) for game, spec in FOUND if thinks(spec)]


@pytest.mark.parametrize(("game", "spec"), THINKING, ids=[f"{game} {parse_spec(spec).name}" for game, spec in THINKING])
def test_an_engine_analyses_until_it_is_stopped(game, spec):
    assert parse_spec(spec).kind.name in THINKERS
    played = session(game)
    thoughts = []
    played.listen(lambda event, data: thoughts.append(data) if event == "thought" else None)
    played.analyse(analyst(spec), 0)
    until(lambda: thoughts)
    assert played.thinking == "analysis"
    played.stop()
    assert played.thinking == ""
    assert thoughts[-1]["lines"]["games"][0][11] != ""  # what the main line changes
    if "MultiPV" in analyst(spec):
        assert len(thoughts[-1]["candidates"]) > 1
    played.close()
