"""Deciding by search: budgets, allowed moves, trees kept, batches, what is foreseen."""

import time
from threading import Event, Timer

import numpy as np
import pytest

from sakiyomi.agents.agent import Turn
from sakiyomi.agents.parts.search import Dirichlet, Gumbel, Puct
from sakiyomi.agents.parts.search.deciding import Deciding, best_actions, decide, imagined
from sakiyomi.agents.parts.search.findings import drawn
from sakiyomi.agents.parts.search.planner import Planner
from sakiyomi.boards import Budget, Chess, ConnectFour, Go, Position, TicTacToe

GUMBEL = Gumbel(considered=8, noise=0.0)


def ignorant(game):
    def evaluate(observations):
        return np.zeros((len(observations), game.num_actions), np.float32), np.zeros(len(observations), np.float32)

    return evaluate


def hashed(game):
    weights = np.random.default_rng(0).normal(size=(int(np.prod(game.planes)), 8)).astype(np.float32)
    columns = np.random.default_rng(1).normal(size=(8, game.num_actions)).astype(np.float32)

    def evaluate(observations):
        inner = np.sin(np.round(observations.reshape(len(observations), -1) @ weights + 1, 2))
        return np.stack([row @ columns for row in inner]), 0.5 * np.tanh(inner[:, 0])

    return evaluate


def planner_of(game, trees=1, simulations=50, evaluate=None, seed=0, **settings):
    settings = {"selection": Puct(), "timed": Puct(init=2.0)} | settings
    evaluate = evaluate or hashed(game)
    return Planner(game, evaluate, trees, simulations, rng=np.random.default_rng(seed), **settings)


def counted(game):
    """An evaluation that counts the positions it sees."""
    inner, seen = hashed(game), []

    def evaluate(observations):
        seen.append(len(observations))
        return inner(observations)

    return evaluate, seen


def state_of(game, *moves):
    position = Position(game)
    for move in moves:
        position.play(position.action(move))
    return position.state


def some_states(game, n, plies=6, seed=0):
    """Positions that are not over and not alike."""
    rng, found = np.random.default_rng(seed), {}
    while len(found) < n:
        state = game.new(1)
        for _ in range(rng.integers(0, plies + 1)):
            moves = np.flatnonzero(game.legal(state)[0])
            if len(moves):
                game.play(state, rng.choice(moves, 1).astype(np.int32))
        if not game.ending(state)[0]:
            found[state.tobytes()] = state
    return np.concatenate(list(found.values()))


# --- budgets


@pytest.mark.parametrize("simulations", [1, 7, 50, 130, 700])
@pytest.mark.parametrize("selection", [Puct(), GUMBEL], ids=["puct", "gumbel"])
def test_so_many_simulations_as_asked(simulations, selection):
    game = ConnectFour()
    evaluate, seen = counted(game)
    planner = planner_of(game, evaluate=evaluate, selection=selection)
    found = planner.find(game.new(1), simulations=simulations)
    assert found.visits.sum() == simulations
    assert sum(seen) <= simulations + 1  # and the root; positions where the game is over need no network
    assert planner.find(state_of(game, "1")).visits.sum() == 50


def test_seconds_end_a_search():
    game = ConnectFour()
    planner = planner_of(game)
    planner.find(game.new(1), seconds=0.01)  # compiled
    for seconds in (0.1, 0.4):
        started = time.monotonic()
        found = planner.find(state_of(game, "4"), seconds=seconds)
        assert seconds <= time.monotonic() - started < seconds + 2
        assert found.visits.sum() > 50


def test_a_search_without_time_has_looked_at_its_root():
    game = ConnectFour()
    found = planner_of(game).find(game.new(1), seconds=1e-9)
    assert (found.priors[0] > 0).all()
    assert found.priors.sum() == pytest.approx(1, abs=1e-5)


def test_simulations_end_a_search_before_its_seconds():
    game = ConnectFour()
    started = time.monotonic()
    assert planner_of(game).find(game.new(1), simulations=20, seconds=100).visits.sum() == 20
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("selection", [Puct(), GUMBEL], ids=["puct", "gumbel"])
def test_stop_ends_a_search_without_limits_which_tells_meanwhile(selection):
    game, stop, told = ConnectFour(), Event(), []
    planner = planner_of(game, selection=selection)

    def tell(found):
        told.append(int(found.visits.sum()))
        if len(told) == 2:
            stop.set()

    rescue = Timer(60, stop.set)
    rescue.start()
    found = planner.find(game.new(1), stop=stop, tell=tell)
    rescue.cancel()
    assert 50 < told[0] < told[1] <= found.visits.sum()


def test_stop_ends_a_search_of_many_simulations():
    game, stop = ConnectFour(), Event()

    def tell(found):
        if found.visits.sum() > 0:
            stop.set()

    found = planner_of(game).find(game.new(1), simulations=1_000_000, stop=stop, tell=tell)
    assert 0 < found.visits.sum() < 1_000_000


@pytest.mark.parametrize("leaves", [1, 8])
def test_a_long_search_outgrows_its_arrays(leaves):
    game = ConnectFour()
    found = planner_of(game, simulations=64 * leaves).find(game.new(1), simulations=64 * leaves)
    assert found.visits.sum() == 64 * leaves
    planner = planner_of(game, evaluate=ignorant(game))
    stop = Event()
    found = planner.find(game.new(1), stop=stop, tell=lambda seen: seen.visits.sum() > 2500 and stop.set())
    assert found.visits.sum() > 2500
    assert np.nanmax(np.abs(found.means)) <= 1


# --- the root


def test_only_allowed_moves_are_looked_at():
    game = ConnectFour()
    planner = planner_of(game, trees=3)
    states = some_states(game, 3)
    allowed = np.zeros((3, 7), np.bool_)
    allowed[0, [2, 5]] = allowed[1, 4] = allowed[2] = True
    found = planner.find(states, allowed)
    assert set(np.flatnonzero(found.visits[0])) <= {2, 5}
    assert np.flatnonzero(found.priors[1]).tolist() == [4]
    assert found.priors.sum(1) == pytest.approx(1, abs=1e-5)
    assert best_actions(found, planner)[1] == 4
    again = planner.find(states)
    assert (again.priors[1] > 0).all()  # the restriction is gone


def test_allowed_moves_are_not_mixed_up_with_a_tree_that_is_kept():
    game, state = ConnectFour(), ConnectFour().new(1)
    planner = planner_of(game)
    planner.find(state)
    allowed = np.zeros((1, 7), np.bool_)
    allowed[0, [0, 6]] = True
    assert np.flatnonzero(planner.find(state, allowed).priors[0]).tolist() == [0, 6]
    assert (planner.find(state).priors[0] > 0).all()


@pytest.mark.parametrize("game", [TicTacToe(), ConnectFour(), Go(size=4)], ids=lambda game: game.name)
@pytest.mark.parametrize("selection", [Puct(), GUMBEL], ids=["puct", "gumbel"])
def test_a_batch_finds_what_each_would_find_alone(game, selection):
    states = some_states(game, 9)
    together = planner_of(game, trees=12, selection=selection).find(states)
    assert together.visits.sum(1).tolist() == [50] * 9
    for i in range(9):
        alone = planner_of(game, selection=selection, seed=5).find(states[i : i + 1])
        for name in ("visits", "means", "priors", "values"):
            mine, its = getattr(together, name)[i], getattr(alone, name)[0]
            assert np.allclose(mine, its, atol=1e-5, equal_nan=True), name


def test_fewer_positions_than_trees_and_then_others():
    game = ConnectFour()
    planner, states = planner_of(game, trees=4), some_states(game, 4)
    for count in (4, 1, 3):
        found = planner.find(states[:count])
        assert len(found.visits) == count
        assert (found.visits.sum(1) == 50).all()
    plain = planner_of(game, trees=4).find(states[:3])
    assert np.array_equal(found.visits, plain.visits)


def test_noise_comes_and_goes_with_the_planners_setting():
    game = ConnectFour()
    planner = planner_of(game)
    plain = planner.find(game.new(1)).priors
    planner.noise = Dirichlet(alpha=0.3)
    noisy = planner.find(game.new(1)).priors
    other = planner.find(state_of(game, "4")).priors
    assert not np.allclose(plain, noisy, atol=1e-3)
    planner.noise = None
    assert np.allclose(planner.find(game.new(1)).priors, plain, atol=1e-6)
    calm = planner.find(state_of(game, "4")).priors
    assert not np.allclose(other, calm, atol=1e-3)


def test_a_game_that_is_over_has_no_move_to_choose():
    game = TicTacToe()
    won = state_of(game, "a1", "a2", "b1", "b2", "c1")
    states = np.concatenate([game.new(1), won])
    with pytest.raises(ValueError, match="game is over"):
        planner_of(game, trees=2).find(states)
    with pytest.raises(ValueError, match="game is over"):
        decide(Deciding(planner_of(game)), Turn.of_game(game, won), Puct())
    allowed = np.zeros((1, 9), np.bool_)
    with pytest.raises(ValueError, match="none of its legal moves is allowed"):
        planner_of(game).find(game.new(1), allowed)


@pytest.mark.parametrize("selection", [Puct(), GUMBEL], ids=["puct", "gumbel"])
def test_one_move_alone_is_found_at_once(selection):
    game = ConnectFour()
    allowed = np.zeros((1, 7), np.bool_)
    allowed[0, 3] = True
    planner = planner_of(game, selection=selection)
    started = time.monotonic()
    found = planner.find(game.new(1), allowed, seconds=100)
    assert time.monotonic() - started < 30
    assert best_actions(found, planner).tolist() == [3]


# --- trees kept


def test_a_tree_is_kept_from_move_to_move_and_its_visits_count():
    game = ConnectFour()
    evaluate, seen = counted(game)
    planner = planner_of(game, evaluate=evaluate, simulations=60)
    state = game.new(1)
    found = planner.find(state)
    fresh = sum(seen)
    for _ in range(4):  # its own move and the answer that it expects
        for _ in range(2):
            action = int(found.visits[0].argmax())
            kept = found.visits[0, action]
            game.play(state, np.array([action], np.int32))
            seen.clear()
            found = planner.find(state)
            assert found.visits.sum() == 60
            assert sum(seen) <= 60 - (kept - 1)
            assert sum(seen) < fresh
            plain = planner_of(game).find(state)
            assert np.allclose(found.priors, plain.priors, atol=1e-6)
            assert np.allclose(found.raw_values, plain.raw_values, atol=1e-6)


def test_two_moves_on_a_tree_is_kept():
    game = ConnectFour()
    evaluate, seen = counted(game)
    planner = planner_of(game, evaluate=evaluate, simulations=60)
    state = game.new(1)
    found = planner.find(state)
    first = int(found.visits[0].argmax())
    game.play(state, np.array([first], np.int32))
    alone = planner_of(game, simulations=int(found.visits[0, first]) - 1).find(state)
    second = int(alone.visits[0].argmax())
    game.play(state, np.array([second], np.int32))
    seen.clear()
    assert planner.find(state).visits.sum() == 60
    assert sum(seen) <= 60 - (alone.visits[0, second] - 1)


def test_a_tree_is_left_where_the_position_does_not_follow():
    game = ConnectFour()
    planner = planner_of(game)
    planner.find(state_of(game, "4"))
    for moves in (("1",), (), ("1", "2", "3", "4"), ("4", "4", "4", "4")):
        found = planner.find(state_of(game, *moves))
        plain = planner_of(game).find(state_of(game, *moves))
        assert found.visits.sum() == 50
        assert np.array_equal(found.visits, plain.visits)
    other = planner_of(game, reuse=False)
    other.find(game.new(1))
    assert np.array_equal(other.find(state_of(game, "4")).visits, planner_of(game).find(state_of(game, "4")).visits)


def test_the_same_position_again_is_searched_as_long_as_asked():
    game = ConnectFour()
    planner = planner_of(game, simulations=20)
    assert planner.find(game.new(1)).visits.sum() == 20
    assert planner.find(game.new(1), simulations=55).visits.sum() == 55
    assert planner.find(game.new(1), simulations=30).visits.sum() == 55  # it knows that much already
    assert planner.find(game.new(1), seconds=0.3).visits.sum() > 55


def test_a_kept_tree_that_knows_more_than_asked_is_enough():
    game = ConnectFour()
    planner = planner_of(game, simulations=120)
    found = planner.find(game.new(1))
    best = int(found.visits[0].argmax())
    state = game.new(1)
    game.play(state, np.array([best], np.int32))
    again = planner.find(state, simulations=2)
    assert again.visits.sum() == found.visits[0, best] - 1


def test_proven_results_end_a_search_and_are_played():
    game = TicTacToe()
    planner = planner_of(game, evaluate=ignorant(game), solve=True)
    state = state_of(game, "a1", "b2", "a2", "c3")  # a3 wins
    started = time.monotonic()
    found = planner.find(state, seconds=100)
    assert time.monotonic() - started < 30
    assert found.certain[0] == 1
    assert game.move_text(state, int(best_actions(found, planner)[0])) == "a3"


def test_the_most_visited_move_is_not_played_where_it_loses_for_certain():
    game = TicTacToe()
    state = state_of(game, "a1", "a3", "b1")  # c1 wins for the other side, if it is left to him

    def misled(observations):  # nobody would move there
        logits = np.tile(np.where(np.arange(9) == 8, -2, 0).astype(np.float32), (len(observations), 1))
        return logits, np.zeros(len(observations), np.float32)

    for simulations in (110, 130, 140):
        planner = planner_of(game, evaluate=misled, solve=True, selection=Puct(unvisited="draw"))
        found = planner.find(state, simulations=simulations)
        assert found.proofs[0, found.visits[0].argmax()] == -1
        assert np.isnan(found.proofs[0, best_actions(found, planner)[0]])


# --- what is decided and foreseen


WINS = [
    (TicTacToe(), ("a1", "a2", "b1", "b2"), "c1"),
    (ConnectFour(), ("1", "2", "1", "2", "1", "2"), "1"),
    (Chess(), ("e2e4", "g7g5", "d2d4", "f7f6"), "d1h5"),
]


@pytest.mark.parametrize(("game", "moves", "wins"), WINS, ids=["tictactoe", "connect4", "chess"])
@pytest.mark.parametrize("selection", [Puct(), Puct(unvisited="draw", scale="none"), Gumbel(considered=64, noise=0.0)])
def test_wins_in_one_are_found_without_knowledge(game, moves, wins, selection):
    state = state_of(game, *moves)
    planner = planner_of(game, simulations=600, evaluate=ignorant(game), selection=selection)
    carry = Deciding(planner)
    actions = decide(carry, Turn.of_game(game, state), selection)
    assert game.move_text(state, int(actions[0])) == wins
    foresight = imagined(carry, 0)
    assert foresight.actions[0] == actions[0]
    assert foresight.values[0] == 1
    assert foresight.lines[0].tolist() == actions.tolist()


@pytest.mark.parametrize("game", [ConnectFour(), Go(size=4), Chess()], ids=lambda game: game.name)
@pytest.mark.parametrize("selection", [Puct(), GUMBEL], ids=["puct", "gumbel"])
def test_lines_that_are_foreseen_are_legal(game, selection):
    states = some_states(game, 3, plies=12)
    planner = planner_of(game, trees=3, simulations=120, selection=selection)
    carry = Deciding(planner)
    actions = decide(carry, Turn.of_game(game, states), selection)
    for row in range(3):
        foresight = imagined(carry, row)
        legal = np.flatnonzero(game.legal(states)[row])
        assert sorted(foresight.actions.tolist()) == legal.tolist()
        assert foresight.actions[0] == actions[row]
        assert foresight.visits.sum() == foresight.simulations == 120
        assert foresight.priors.sum() == pytest.approx(1, abs=1e-5)
        assert (np.diff(foresight.visits[1:]) <= 0).all()
        assert np.isnan(foresight.values[foresight.visits == 0]).all()
        backed = foresight.visits[foresight.visits > 0] @ foresight.values[foresight.visits > 0]
        assert foresight.value == pytest.approx((backed + carry.found.raw_values[row]) / 121, abs=1e-4)
        assert foresight.lines
        assert foresight.depth == max(map(len, foresight.lines))
        for action, line in zip(foresight.actions, foresight.lines, strict=False):
            assert line[0] == action
            state = states[row : row + 1].copy()
            for move in line:
                assert game.legal(state)[0, move]
                game.play(state, np.array([move], np.int32))
        thought = foresight.thought(game, states[row : row + 1])
        assert thought.candidates[0].move == game.move_text(states[row], int(actions[row]))


def test_turns_are_checked():
    game = ConnectFour()
    carry = Deciding(planner_of(game, trees=2))
    turn = Turn(game.observe(game.new(1)), np.ones(1, np.bool_), np.zeros(1, np.float32))
    with pytest.raises(ValueError, match="needs a turn with game and states"):
        decide(carry, turn, Puct())
    with pytest.raises(ValueError, match="the carry is for 2 positions, got 3"):
        decide(carry, Turn.of_game(game, game.new(3)), Puct())
    with pytest.raises(ValueError, match="nothing is foreseen before the first act"):
        imagined(carry, 0)


def test_what_is_told_meanwhile_is_about_the_first_row():
    game, told, stop = ConnectFour(), [], Event()
    planner = planner_of(game)
    carry = Deciding(planner)

    def tell(foresight):
        told.append(foresight)
        stop.set()

    turn = Turn.of_game(game, game.new(1), budget=Budget(), stop=stop, tell=tell)
    decide(carry, turn, Puct())
    assert len(told) >= 2
    assert told[0].simulations <= told[-1].simulations == carry.found.visits.sum()


def test_actions_are_drawn_in_proportion_to_their_shares():
    shares = np.tile(np.array([[0.0, 0.25, 0.0, 0.5, 0.25, 0.0]]), (40_000, 1))
    counts = np.bincount(drawn(shares, np.random.default_rng(0)), minlength=6) / 40_000
    assert np.allclose(counts, shares[0], atol=0.01)
    assert counts[[0, 2, 5]].tolist() == [0, 0, 0]
