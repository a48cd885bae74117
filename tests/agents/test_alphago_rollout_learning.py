"""Learning of rollout and tree policies: counts, gradients, and games whose rule is known."""

from collections import Counter

import numpy as np
import pytest

from sakiyomi.agents.alphago.patterns import NEIGHBOUR, Patterns
from sakiyomi.agents.alphago.rollout import RolloutPolicy
from sakiyomi.agents.alphago.rollout_learning import Fit, Games, Learner, find_patterns, learn_games
from sakiyomi.agents.alphago.tree_policy import TreePolicy
from sakiyomi.boards.go import Go
from sakiyomi.boards.random import pick, seeds
from sakiyomi.sgf import Collection, main_line_of

NONE = np.zeros(0, np.uint64)


def games_of(go, lists):
    offsets = np.concatenate([[0], np.cumsum([len(moves) for moves in lists])]).astype(np.int64)
    return Games(go.new(len(lists)), np.concatenate(lists).astype(np.int32), offsets)


def random_games(go, count, plies, seed=0):
    states, rng, moves = go.new(count), seeds(np.random.default_rng(seed), count), []
    for _ in range(plies):
        moves.append(pick(go.sensible(states), rng))
        go.play(states, moves[-1])
    return games_of(go, list(np.stack(moves, axis=1)))


def answering_games(go, count, plies, seed):
    """Each move right of the one before if it is free, else below it, else left, else above, else anywhere."""
    rng, lists, width = np.random.default_rng(seed), [], go.layout.width
    for _ in range(count):
        state, moves = go.new(1), [int(rng.integers(go.layout.area))]
        go.play(state, np.array(moves))
        while len(moves) < plies:
            sensible = go.sensible(state)[0, :-1]
            y, x = divmod(moves[-1], width)
            wanted = [(x + 1, y), (x, y + 1), (x - 1, y), (x, y - 1)]
            free = [v * width + u for u, v in wanted if 0 <= u < width and 0 <= v < width and sensible[v * width + u]]
            moves.append(free[0] if free else int(rng.choice(np.flatnonzero(sensible))))
            go.play(state, np.array(moves[-1:]))
        lists.append(np.array(moves))
    return games_of(go, lists)


def test_gradient_is_that_of_finite_differences():
    go = Go(size=5, suicide=False)
    games = random_games(go, 3, 40)
    learner = Learner(go, find_patterns(go, games, tree=True, least=1, least_played=1))
    learner.weights[1:] = np.random.default_rng(0).normal(size=len(learner.weights) - 1)
    fit, gradient = learner.gradient(games)
    assert fit == learner.measure(games)
    rng = np.random.default_rng(1)
    busy = rng.permutation(np.flatnonzero(np.abs(gradient) > 1e-3))
    for feature in [1, 2, NEIGHBOUR, *busy[:40].tolist()]:
        if feature == 0:
            continue
        sides = []
        for change in (-0.02, 0.02):
            kept = learner.weights[feature]
            learner.weights[feature] += np.float32(change)
            sides.append((float(learner.weights[feature]), learner.measure(games).log_likelihood))
            learner.weights[feature] = kept
        slope = (sides[1][1] - sides[0][1]) / (sides[1][0] - sides[0][0])
        assert slope == pytest.approx(gradient[feature], rel=2e-3, abs=2e-3)


def test_log_likelihood_is_that_of_the_policies():
    go = Go(size=5, suicide=False)
    games = random_games(go, 4, 30)
    for tree in (False, True):
        learner = Learner(go, find_patterns(go, games, tree=tree, least=1, least_played=1))
        learner.weights[1:] = np.random.default_rng(0).normal(size=len(learner.weights) - 1)
        policy = (TreePolicy if tree else RolloutPolicy)(learner.patterns, learner.weights)
        chances = policy.priors if tree else policy.move_probabilities
        total, hits, count = 0.0, 0, 0
        for row in range(4):
            state = go.new(1)
            for action in games.moves[30 * row : 30 * row + 30]:
                if action < 25:
                    found = chances(go, state)[0].astype(np.float64)
                    total += np.log(found[action])
                    hits += int(found.argmax() == action)
                    count += 1
                go.play(state, np.array([action]))
        fit = learner.measure(games)
        assert (fit.positions, fit.possible, fit.hits) == (count, count, hits)
        assert fit.log_likelihood == pytest.approx(total, rel=1e-5)


def test_a_rule_of_answering_is_learnt():
    go = Go(size=9)
    games, others = answering_games(go, 40, 60, seed=0), answering_games(go, 10, 60, seed=1)
    learner = Learner(go, Patterns(NONE, NONE))
    before = learner.measure(others)
    steps = list(learn_games(learner, games, epochs=3, seed=0, rate=0.5))
    after = learner.measure(others)
    assert steps[-1][0] == 1.0
    assert before.accuracy < 0.1
    assert after.accuracy > 0.85
    assert after.mean_log_likelihood > before.mean_log_likelihood + 2
    right, below, left, above = learner.weights[[NEIGHBOUR + 2, NEIGHBOUR + 4, NEIGHBOUR + 6, NEIGHBOUR]]
    assert right > below > left > above > 0


def test_learning_repeats_by_seed_and_measuring_changes_nothing():
    go = Go(size=5)
    games = random_games(go, 20, 25)
    patterns = find_patterns(go, games, least=1, least_played=1)
    found = []
    for seed in (3, 3, 4):
        learner = Learner(go, patterns)
        list(learn_games(learner, games, epochs=2, seed=seed))
        kept = learner.weights.copy()
        learner.measure(games)
        learner.gradient(games)
        assert (learner.weights == kept).all()
        assert learner.weights[0] == 0
        found.append(kept)
    assert (found[0] == found[1]).all()
    assert (found[0] != found[2]).any()


def test_learning_goes_on_from_what_was_saved():
    go = Go(size=5)
    games = random_games(go, 6, 25)
    patterns = find_patterns(go, games, least=1, least_played=1)
    whole, first, second = (Learner(go, patterns) for _ in range(3))
    for _ in range(2):
        whole.learn(games, 0.1)
    first.learn(games, 0.1)
    second.weights[:], second.squares[:] = first.weights, first.squares
    second.learn(games, 0.1)
    assert (second.weights == whole.weights).all()


def test_patterns_are_counted_as_they_occur():
    """An opening of two moves, its diamonds and rings counted by hand."""
    go = Go(size=9)
    games = games_of(go, [np.array([40, 41])] * 5)
    found = find_patterns(go, games, tree=True, least=1, least_played=1)
    assert found.responses.tolist() == [0]  # straight beside a stone that stands alone
    # The first move's diamond is empty; the second's has an enemy stone of three liberties beside it.
    assert found.diamonds.tolist() == sorted([0, 7 << 0])
    # On the empty board: the middle, edges, corners. Then the eight points around the stone: beside, and diagonal.
    kinds = Counter(int(code) for code in found.rings)
    assert len(kinds) == 5
    assert {0, 7, 7 << 3} <= set(kinds)
    assert len(find_patterns(go, games, rings=2, least=1).rings) == 2
    assert len(find_patterns(go, games, least=10**6).rings) == 0
    assert len(find_patterns(go, games, least_played=6).responses) == 0


def test_games_stop_at_what_cannot_be_played_and_passes_are_not_learnt():
    go = Go(size=5)
    learner = Learner(go, Patterns(NONE, NONE))
    assert learner.measure(games_of(go, [np.array([0, 25, 1]), np.array([3, 3, 4, 5])])).positions == 3
    eyes, _ = go.set_up(np.array([[0, 1, 0, 1, 0] + [1] * 5 + [0] * 15], np.uint8), np.array([0]))
    fit = learner.measure(Games(eyes, np.array([0], np.int32), np.array([0, 1])))  # fills an own eye
    assert (fit.positions, fit.possible, fit.hits) == (1, 0, 0)
    assert fit.accuracy == 0.0
    ko = np.zeros((5, 5), np.uint8)
    ko[0, 1] = ko[1, 0] = ko[2, 1] = 1
    ko[0, 2] = ko[1, 3] = ko[2, 2] = 2
    ko[1, 1] = 2
    start, _ = go.set_up(ko.reshape(1, -1), np.array([0]))
    taken_and_retaken = learner.measure(Games(start, np.array([7, 6, 20], np.int32), np.array([0, 3])))
    assert taken_and_retaken.positions == 1


def test_fits_add_up():
    assert Fit(3, 2, 1, -1.5) + Fit(1, 1, 1, -0.5) == Fit(4, 3, 2, -2.0)
    assert (Fit(4, 2, 1, -1.0).accuracy, Fit(4, 2, 1, -1.0).mean_log_likelihood) == (0.25, -0.5)


def test_games_of_the_wrong_kind_are_refused():
    go = Go(size=5)
    learner = Learner(go, Patterns(NONE, NONE))
    for moves, offsets, fault in (
        (np.zeros(2, np.int64), [0, 2], "int32 moves"),
        (np.zeros(2, np.int32), [0, 1, 2], "int64 offsets"),
        (np.zeros(2, np.int32), [0, 3], "ascend within"),
        (np.array([26, 0], np.int32), [0, 2], "actions of go-5x5"),
    ):
        with pytest.raises(ValueError, match=fault):
            learner.measure(Games(go.new(1), moves, np.array(offsets, np.int64)))
    with pytest.raises(ValueError, match="rates of learning"):
        next(learn_games(learner, random_games(go, 1, 3), epochs=1, seed=0, rate=0.0))


def test_moves_of_real_games_are_foretold(records):
    """9x9 games of people: the paper's rollout policy foretold 24.2 per cent of moves, on 19x19."""
    archive, lists = records / "go" / "ogs-9x9-kyu.tar.xz", []
    if not archive.is_file():
        pytest.skip(f"no records at {archive}")
    for record in Collection(archive):
        line = main_line_of(record)
        if line.plain and line.board is None and not line.turn:
            lists.append(line.actions)
        if len(lists) == 600:
            break
    go = Go(size=9, superko="simple")
    games, others = games_of(go, lists[:500]), games_of(go, lists[500:])
    for tree, least in ((False, 0.3), (True, 0.32)):
        learner = Learner(go, find_patterns(go, games, tree=tree))
        for _ in learn_games(learner, games, epochs=2, seed=0):
            pass
        assert learner.measure(others).accuracy > least


def test_warming_up_compiles_every_entry_kernel():
    from sakiyomi.agents.alphago.counting import count_rows
    from sakiyomi.agents.alphago.following import follow_rows
    from sakiyomi.agents.alphago.reading import chance_rows
    from sakiyomi.agents.alphago.rollout_kernels import rollout_rows
    from sakiyomi.agents.alphago.rollout_warmup import warm_up_rollouts

    warm_up_rollouts()
    for kernel in (count_rows, follow_rows, chance_rows, rollout_rows):
        assert len(kernel.signatures) == 1
