"""What AlphaGo's relations are measured by: shares and errors against counts by hand, intervals against a formula."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "learning"))
import alphago_measures as measures

from sakiyomi.agents.alphago.patterns import Patterns
from sakiyomi.agents.alphago.policy import PolicyNet
from sakiyomi.agents.alphago.rollout import RolloutPolicy
from sakiyomi.agents.alphago.value_data import whole_games
from sakiyomi.agents.parts.dual.learner import seeded
from sakiyomi.boards import Go, Position

GAME = Go(4, komi=0.5, suicide=False)
NOTHING = np.zeros(0, np.uint64)


@pytest.fixture(scope="module")
def records():
    with seeded(1):
        net = PolicyNet((4, 4, 4), filters=3, layers=2)
    return whole_games(GAME, net, 6, np.random.default_rng(0))


def test_intervals_of_means_are_those_of_games():
    """Positions of a game all alike: the interval is that of as many numbers as there are games."""
    rng = np.random.default_rng(3)
    of, errors = np.repeat(np.arange(400), 25), np.repeat(rng.random(400), 25)
    found = measures.mean_by_games(errors, of)
    wide = 1.96 * errors.std() / 20
    assert found.mean == pytest.approx(errors.mean())
    assert found.high - found.mean == pytest.approx(wide, rel=0.15)
    assert found.mean - found.low == pytest.approx(wide, rel=0.15)
    alone = measures.mean_by_games(errors, np.arange(len(errors)))
    assert (alone.high - alone.low) * 4 < found.high - found.low


def test_shares():
    found = measures.rate(np.array([True, False, True, True]))
    assert (found.share, found.of) == (0.75, 4)
    assert found.low < 0.75 < found.high
    assert measures.points(np.array([1, 0, -1, -1], np.float32)).share == pytest.approx(0.375)


def test_moves_foretold_one_by_one(records):
    weights = np.random.default_rng(0).normal(size=Patterns(NOTHING, NOTHING).features).astype(np.float32)
    weights[0] = 0
    policy = RolloutPolicy(Patterns(NOTHING, NOTHING), weights)
    places = measures.places_to_test_by(records, 40)
    assert (np.diff(places) > 0).all()
    assert set(places) <= set(records.places)
    hits = []
    for place in places:
        game = int(measures.games_of_places(records, np.array([place]))[0])
        position = Position(GAME)
        for move in records.moves[records.offsets[game] : place]:
            position.play(int(move))
        likeliest = int(policy.move_probabilities(GAME, position.state)[0, :-1].argmax())
        hits.append(likeliest == int(records.moves[place]))
    np.testing.assert_array_equal(measures.foretold_by_patterns(policy, records, places), hits)


def test_errors_of_rollouts_of_games_that_are_decided(records):
    """On a board that is full but for eyes every rollout ends as the game did; results are of who moves."""
    ends = records.offsets[1:] - 1
    seen = records.at(ends[records.moves[ends] == GAME.layout.area])  # before the last pass
    for roll in (
        measures.uniform_rollouts(GAME),
        measures.policy_rollouts(
            GAME, RolloutPolicy(Patterns(NOTHING, NOTHING), np.zeros(Patterns(NOTHING, NOTHING).features, np.float32))
        ),
    ):
        errors = measures.rollout_errors(GAME, roll, seen.states, seen.results, 3, 0)
        wrong = measures.rollout_errors(GAME, roll, seen.states, -seen.results, 3, 0)
        np.testing.assert_allclose(errors, 0)
        np.testing.assert_allclose(wrong, 4)


def test_speeds_are_of_this_earth(records):
    with seeded(2):
        net = PolicyNet((4, 4, 4), filters=3, layers=2)
    states = records.at(records.places[:8]).states
    assert 1 < measures.microseconds_a_position(GAME, net, states, 4, least=0.01, rounds=1) < 1e6
