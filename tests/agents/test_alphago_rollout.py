"""The rollout policy: what its features are, what rollouts keep of them, and where rollouts end."""

from types import SimpleNamespace

import numpy as np
import pytest

from sakiyomi.agents.alphago.answers import MOST_SAVED
from sakiyomi.agents.alphago.candidates import FROM_BEFORE, FROM_LAST, ROLLOUT_KINDS, SAVES, TREE_KINDS, describe
from sakiyomi.agents.alphago.pattern_board import ARRAYS, BLACK_GAMMA, CLASSES, FOUR, WHITE_GAMMA
from sakiyomi.agents.alphago.pattern_setup import placed_before, set_up, taken_before
from sakiyomi.agents.alphago.patterns import NAKADE, NAKADES, NEIGHBOUR, RESPONSE, Patterns
from sakiyomi.agents.alphago.rollout import RolloutPolicy, rollout_margins, rollouts
from sakiyomi.agents.alphago.rollout_kernels import BOOSTS, begin, boost, boost_answers, choose, put
from sakiyomi.agents.alphago.rollout_learning import Games, find_patterns
from sakiyomi.agents.alphago.tree_policy import TreePolicy
from sakiyomi.boards import rows
from sakiyomi.boards.go import Go
from sakiyomi.boards.random import pick, seeds

U = np.uint64
ZERO = U(0)


def random_games(go, count, plies, seed=0):
    """`count` games of sensible random moves, all cut at `plies`."""
    states, rng, moves = go.new(count), seeds(np.random.default_rng(seed), count), []
    for _ in range(plies):
        moves.append(pick(go.sensible(states), rng).astype(np.int32))
        go.play(states, moves[-1])
    return Games(go.new(count), np.stack(moves, axis=1).ravel(), np.arange(count + 1, dtype=np.int64) * plies)


@pytest.fixture(scope="module")
def policy():
    """Patterns of random games on 9x9, with random weights."""
    found = find_patterns(Go(size=9), random_games(Go(size=9), 20, 60), rings=3000, least=1, least_played=1)
    weights = np.random.default_rng(0).normal(size=found.features).astype(np.float32)
    weights[0] = 0
    return RolloutPolicy(found, weights)


@pytest.fixture(scope="module")
def tree():
    found = find_patterns(Go(size=9), random_games(Go(size=9), 10, 50), tree=True, least=1, least_played=1)
    weights = np.random.default_rng(1).normal(size=found.features).astype(np.float32)
    weights[0] = 0
    return TreePolicy(found, weights)


def at_work(go, state, policy):
    """What a rollout holds in memory at a state."""
    layout = go.layout
    S, P, width, height = (U(n) for n in (layout.stride, layout.padded, layout.width, layout.height))
    words, _, b8 = layout.words(state)
    m, sums = np.empty(ARRAYS * int(P), np.uint32), np.empty(2 * (layout.height + 2), np.uint64)
    second, inverse = height + U(2), (U(1 << 16) + S - U(1)) // S
    side, ko, last = map(U, set_up(m, words, ZERO, S, P))
    taken = U(taken_before(m, b8, U(layout.recent_byte), words, ZERO, S, P, width, height))
    before = U(placed_before(b8, U(layout.recent_byte), words, ZERO, width, height))
    begin(m, sums, S, P, width, height, second, inverse, policy.factors.rings)
    return SimpleNamespace(**{k: v for k, v in locals().items() if k not in ("words", "b8")})


def array(held, which):
    return held.m[int(which * held.P) : int((which + U(1)) * held.P)]


def boosted_strengths(held, policy):
    """[area] strengths of the side to move with the factors of this move, as `choose` has them when it draws."""
    gammas, first = (BLACK_GAMMA, ZERO) if held.side == 0 else (WHITE_GAMMA, held.second)
    notes, saved, count = np.empty(2 * BOOSTS, np.uint64), np.empty(MOST_SAVED, np.uint64), ZERO
    m, sums = held.m.copy(), held.sums.copy()
    if held.ko:
        count = U(boost(m, sums, held.P, gammas, first, held.inverse, held.ko, 0.0, notes, count))
    if held.last and array(held, CLASSES)[int(held.last)] & 3:
        answers = (held.side, held.last, held.taken, policy.factors, saved, notes, count)
        boost_answers(m, sums, held.S, held.P, gammas, first, held.inverse, *answers)
    of_side = m[int(gammas * held.P) : int((gammas + U(1)) * held.P)].astype(np.float64)
    assert sums[int(first)] == of_side.sum() == sums[int(first) + 1 : int(first) + held.layout.height + 2].sum()
    return of_side[held.layout.points]


@pytest.mark.parametrize(("size", "plies"), [(5, 90), (9, 200), ((7, 4), 70), (19, 250)])
def test_what_a_rollout_keeps_is_what_is_computed_anew_at_every_move(policy, size, plies):
    go = Go(size=size, superko="simple", suicide=False)
    state, rng = go.new(1), np.random.default_rng(4)
    held = at_work(go, state, policy)
    scratch = np.empty(2 * BOOSTS, np.uint64), np.empty(MOST_SAVED, np.uint64)
    nakades = captures = 0
    for _ in range(plies):
        fresh = at_work(go, state, policy)
        for which in (BLACK_GAMMA, WHITE_GAMMA, CLASSES):
            assert (array(held, which) == array(fresh, which)).all()
        assert (held.sums == fresh.sums).all()
        assert (held.side, held.ko, held.last) == (fresh.side, fresh.ko, fresh.last)
        if 3 <= held.taken <= 6 or fresh.taken:
            assert held.taken == fresh.taken
            nakades += 1
        captures += int(held.taken > 0)
        strengths, chances = boosted_strengths(held, policy), policy.move_probabilities(go, state)[0]
        if strengths.sum():
            np.testing.assert_allclose(chances[:-1], strengths / strengths.sum(), rtol=3e-3, atol=1e-6)
            assert chances[-1] == 0
        else:
            assert chances[-1] == 1
        m, sums = held.m.copy(), held.sums.copy()
        places = held.S, held.P, held.second, held.inverse, held.side, held.ko, held.last, held.taken
        p = U(
            choose(held.m, held.sums, *places, policy.factors, scratch[1], scratch[0], rng.integers(1 << 64, dtype=U))
        )
        assert (held.m == m).all()
        assert (held.sums == sums).all()
        if p:
            args = held.S, held.P, held.second, held.inverse, p, held.side, policy.factors
            held.ko, held.taken = map(U, put(held.m, held.sums, *args))
        else:
            held.ko = held.taken = ZERO
        held.last, held.side = p, held.side ^ FOUR
        action = np.flatnonzero(go.layout.points == p)[0] if p else go.num_actions - 1
        assert go.legal(state)[0, action]
        go.play(state, np.array([action]))
        if state["passes"][0] == 2:
            break
    assert captures
    assert nakades or size == 19


def test_draws_have_the_chances_of_the_policy(policy):
    go = Go(size=9)
    game = random_games(go, 1, 31, seed=8)
    state = go.replay(game.states, game.moves[None], np.array([31], np.int32))
    held = at_work(go, state, policy)
    scratch = np.empty(MOST_SAVED, np.uint64), np.empty(2 * BOOSTS, np.uint64)
    places = held.S, held.P, held.second, held.inverse, held.side, held.ko, held.last, held.taken
    words, n = np.random.default_rng(0).integers(1 << 64, size=60_000, dtype=U), 60_000
    drawn = np.array([choose(held.m, held.sums, *places, policy.factors, *scratch, word) for word in words])
    expected = n * policy.move_probabilities(go, state)[0, :-1].astype(np.float64)
    counts = np.array([(drawn == point).sum() for point in go.layout.points])
    assert counts[expected == 0].sum() == 0
    often = expected > 5
    degrees = often.sum()
    chi_square = ((counts - expected)[often] ** 2 / expected[often]).sum()
    assert chi_square < degrees + 5 * np.sqrt(2 * degrees)


def test_rollouts_end_as_games_do_that_are_played_move_by_move(policy):
    """Area margins of rollouts, beside those of games played by the rules with the same probabilities."""
    go, n = Go(size=5, superko="simple", suicide=False), 1500
    states, rng = go.new(n), np.random.default_rng(3)
    for _ in range(75):
        going = np.flatnonzero(go.ending(states) == 0)
        if not len(going):
            break
        moved = states[going]
        chances = policy.move_probabilities(go, moved).cumsum(axis=1)
        actions = (rng.random((len(going), 1)) * chances[:, -1:] >= chances).sum(axis=1)
        go.play(moved, actions)
        states[going] = moved
    slow = go.score(states) + go.komi
    fast, plies = rollout_margins(go, go.new(4000), policy, seeds(rng, 4000))
    error = np.sqrt(slow.var() / n + fast.var() / 4000)
    assert abs(slow.mean() - fast.mean()) < 4.5 * error
    assert abs(plies.mean() - states["ply"].mean()) < 4.5 * np.sqrt(plies.var() / 4000 + states["ply"].var() / n)
    assert abs(slow.std() / fast.std() - 1) < 0.1


def test_results_are_blacks_with_the_games_komi_and_handicap(policy):
    rng, n = np.random.default_rng(0), 200
    start = seeds(rng, n)
    margins, _ = rollout_margins(Go(size=9), Go(size=9).new(n), policy, start.copy())
    for komi in (-3.0, 7.5, 30.5):
        go = Go(size=9, komi=komi)
        results = rollouts(go, go.new(n), policy, start.copy())
        assert results.dtype == np.float32
        assert (results == np.sign(margins - komi)).all()
    go = Go(size=9, komi=0.5, rules="chinese")
    states = np.repeat(go.handicap(4), n)
    margins, _ = rollout_margins(go, states, policy, start.copy())
    assert go.score(states[:1])[0] == 81 - 0.5 - 4  # Chinese rules give White a point for each stone
    assert (rollouts(go, states, policy, start.copy()) == np.sign(margins - 4.5)).all()


def test_a_game_that_is_over_has_its_result_and_one_that_is_full_stays(policy):
    go = Go(size=5)
    states = go.new(2)
    for _ in range(2):
        go.play(states, np.full(2, 25))
    assert (rollouts(go, states, policy, seeds(np.random.default_rng(0), 2)) == go.result(states)).all()
    board = np.ones((5, 5), np.uint8)
    board[:, 2:] = 2
    board[0, 0] = board[4, 0] = board[0, 4] = board[4, 4] = 0  # two eyes each
    eyes, valid = go.set_up(board.reshape(1, -1), np.array([0]))
    assert valid.all()
    margins, plies = rollout_margins(go, eyes, policy, seeds(np.random.default_rng(0), 1))
    assert (margins[0], plies[0]) == (10 - 15, 2)


def test_seeds_repeat_rollouts_and_rows_do_not_depend_on_threads_or_neighbours(policy):
    go = Go(size=9)
    start, setting = seeds(np.random.default_rng(0), 40), rows.setting()
    given = start.copy()
    alone, _ = rollout_margins(go, go.new(40), policy, given)
    assert (given != start).all()
    try:
        rows.set_threads(3)
        threaded, _ = rollout_margins(go, go.new(40), policy, start.copy())
    finally:
        rows.set_threads(setting)
    assert (alone == threaded).all()
    some, _ = rollout_margins(go, go.new(3), policy, start[7:10].copy())
    assert (alone[7:10] == some).all()
    assert len(set(alone.tolist())) > 5


def from_rows(go, text, turn):
    board = np.array([[".XO".index(c) for c in line] for line in text.split()], np.uint8)
    states, valid = go.set_up(board.reshape(1, -1), np.array([turn]))
    assert valid.all()
    return states


def described(go, state, policy, kinds):
    """{(x, y): features by kind} of all candidates."""
    held = at_work(go, state, SimpleNamespace(factors=SimpleNamespace(rings=np.zeros(2 * 1320**2, np.uint32))))
    area = go.layout.area
    points, by_point, ids = np.empty(area, U), np.empty(int(held.P), np.int32), np.empty((area, kinds), np.int32)
    position = held.side, held.ko, held.last, held.before, held.taken
    n = describe(held.m, held.S, held.P, held.width, held.height, *position, policy.tables, points, by_point, ids)
    actions = [np.flatnonzero(go.layout.points == p)[0] for p in points[:n]]
    return {(int(a % go.layout.width), int(a // go.layout.width)): ids[i].tolist() for i, a in enumerate(actions)}


def with_feature(found, feature):
    return {point for point, features in found.items() if feature in features}


def test_neighbours_of_the_previous_move(policy):
    go = Go(size=5)
    state = go.new(1)
    go.play(state, np.array([0 * 5 + 2]))  # at the upper edge
    found = described(go, state, policy, ROLLOUT_KINDS)
    where = {NEIGHBOUR + 2: (3, 0), NEIGHBOUR + 3: (3, 1), NEIGHBOUR + 4: (2, 1), NEIGHBOUR + 5: (1, 1)}
    where[NEIGHBOUR + 6] = (1, 0)
    for k in range(8):
        assert with_feature(found, NEIGHBOUR + k) == ({where[NEIGHBOUR + k]} if NEIGHBOUR + k in where else set())
    go.play(state, np.array([25]))
    found = described(go, state, policy, ROLLOUT_KINDS)
    assert not any(with_feature(found, NEIGHBOUR + k) for k in range(8))


@pytest.mark.parametrize(
    ("text", "move", "saving"),
    [
        ("..... OXO.. ..... ..... .....", (1, 0), {(1, 2)}),  # runs out to three liberties
        ("X.X.. ..... ..... ..... .....", (1, 0), {(0, 1), (1, 1)}),  # or takes the stone that attacks
        ("X.X.. ..... O.... ..... .....", (1, 0), {(1, 1)}),  # running leaves one liberty
        ("X.... .O... O.... ..... .....", (1, 0), set()),  # lost
        ("..... .X... ..... ..... .....", (1, 0), set()),  # no atari
    ],
)
def test_stones_put_into_atari_are_saved(policy, text, move, saving):
    go = Go(size=5)
    state = from_rows(go, text, 1)
    go.play(state, np.array([move[1] * 5 + move[0]]))
    found = described(go, state, policy, ROLLOUT_KINDS)
    assert {point for point, features in found.items() if features[SAVES]} == saving


def test_nakade_is_played_inside_what_was_taken(policy):
    go = Go(size=5)
    state = from_rows(go, "XXX.. OOO.. ..... ..... .....", 1)
    go.play(state, np.array([3]))
    found = described(go, state, policy, ROLLOUT_KINDS)
    inside = {p: f for p, features in found.items() for f in features if NAKADE <= f < NAKADE + NAKADES}
    assert set(inside) == {(0, 0), (1, 0), (2, 0)}
    assert inside[0, 0] == inside[2, 0] != inside[1, 0]
    state = from_rows(go, "..... ...OX ...OX ...OX .....", 1)  # the same shape, elsewhere and upright
    go.play(state, np.array([4]))
    go.play(state, np.array([20]))
    go.play(state, np.array([24]))
    found = described(go, state, policy, ROLLOUT_KINDS)
    again = {p: f for p, features in found.items() for f in features if NAKADE <= f < NAKADE + NAKADES}
    assert (again[4, 1], again[4, 2], again[4, 3]) == (inside[0, 0], inside[1, 0], inside[2, 0])
    two = from_rows(go, "XX... OO... ..... ..... .....", 1)
    go.play(two, np.array([2]))
    found = described(go, two, policy, ROLLOUT_KINDS)
    assert not any(NAKADE <= f < NAKADE + NAKADES for features in found.values() for f in features)


def test_responses_are_those_of_the_table():
    go = Go(size=9)
    lone_slot = np.array([0], np.uint64)  # a stone far from others, answered straight beside it
    policy = RolloutPolicy(Patterns(np.zeros(0, U), lone_slot), np.zeros(8204, np.float32))
    state = go.new(1)
    go.play(state, np.array([40]))
    found = described(go, state, policy, ROLLOUT_KINDS)
    beside = {(4, 3), (5, 4), (4, 5), (3, 4)}
    assert with_feature(found, RESPONSE) == beside
    assert with_feature(found, 8203) == beside


def test_self_atari_counts_what_is_taken(tree):
    go = Go(size=5)
    state = from_rows(go, ".O... ..... ..... ..... .....", 0)
    assert (0, 0) in with_feature(described(go, state, tree, TREE_KINDS), tree.patterns.self_atari)
    assert (2, 2) not in with_feature(described(go, state, tree, TREE_KINDS), tree.patterns.self_atari)
    taking = from_rows(go, "O.O.. XO... ..... ..... .....", 0)  # takes one stone, and is retaken
    assert (1, 0) in with_feature(described(go, taking, tree, TREE_KINDS), tree.patterns.self_atari)
    two = from_rows(go, "XO.O. .XOX. ..X.. ..... .....", 0)  # takes a stone on each side, and has room there
    assert (2, 0) not in with_feature(described(go, two, tree, TREE_KINDS), tree.patterns.self_atari)


def test_distances_to_the_last_two_moves(tree):
    go = Go(size=19)
    state = go.new(1)
    go.play(state, np.array([0]))
    go.play(state, np.array([4 * 19 + 3]))
    first = tree.patterns.first_distance
    for (x, y), features in described(go, state, tree, TREE_KINDS).items():
        assert features[FROM_LAST] == first + min(abs(x - 3) + abs(y - 4), 17) - 1
        assert features[FROM_BEFORE] == first + 17 + min(x + y, 17) - 1
    go.play(state, np.array([361]))
    found = described(go, state, tree, TREE_KINDS)
    assert {features[FROM_LAST] for features in found.values()} == {0}
    assert found[3, 5][FROM_BEFORE] == first + 17


@pytest.mark.parametrize("size", [5, 9, (7, 4)])
def test_priors_are_the_softmax_of_sums_of_weights(tree, size):
    go = Go(size=size)
    game = random_games(go, 1, 24, seed=3)
    state = go.replay(game.states, game.moves[None], np.array([24], np.int32))
    priors = tree.priors(go, state)
    found = described(go, state, tree, TREE_KINDS)
    scores = {point: tree.weights[features].astype(np.float64).sum() for point, features in found.items()}
    total = sum(np.exp(score) for score in scores.values())
    assert priors.shape == (1, go.num_actions)
    for action in range(go.layout.area):
        score = scores.get((action % go.layout.width, action // go.layout.width))
        assert priors[0, action] == pytest.approx(0 if score is None else np.exp(score) / total, rel=1e-5)


def test_policies_come_back_from_their_files(policy, tree, tmp_path):
    pytest.importorskip("torch")
    go = Go(size=9)
    policy.save(tmp_path / "rollout.safetensors")
    tree.save(tmp_path / "tree.safetensors")
    again, other = RolloutPolicy.load(tmp_path / "rollout.safetensors"), TreePolicy.load(tmp_path / "tree.safetensors")
    assert (again.move_probabilities(go, go.new(1)) == policy.move_probabilities(go, go.new(1))).all()
    assert (other.priors(go, go.new(1)) == tree.priors(go, go.new(1))).all()
    with pytest.raises(ValueError, match="no diamonds"):
        RolloutPolicy.load(tmp_path / "tree.safetensors")
    with pytest.raises(ValueError, match="have diamonds"):
        TreePolicy.load(tmp_path / "rollout.safetensors")


def test_weights_must_fit_their_patterns(policy):
    for weights, fault in ((policy.weights[1:], "want float32"), (policy.weights * np.float32(np.nan), "finite")):
        with pytest.raises(ValueError, match=fault):
            RolloutPolicy(policy.patterns, weights)
    with pytest.raises(ValueError, match="rng must be"):
        rollouts(Go(size=9), Go(size=9).new(2), policy, np.zeros(3, np.uint64))
