"""The measures of the learning agents: stored scores against solvers, measures against choosers of known rates."""

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from sakiyomi.agents.perfect import PerfectPlayer, Solver
from sakiyomi.boards import Budget, Position
from sakiyomi.boards.go import Go
from sakiyomi.boards.random import pick, seeds

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "learning"))
import measures
import positions
from exact import othello_endgames, tictactoe_positions
from measures import Rate, decisive, mistake_rate, mistakes, random_mistake_rate
from positions import ILLEGAL, SETS, load, parse, plies_left

DATA = positions.DATA


def lines(name):
    return (DATA / f"connect4-{name}.txt").read_text().splitlines()


def by_scores(found, pick_one):
    """A chooser that plays, in each known position, the legal action with the score that `pick_one` prefers."""
    known = {state.tobytes(): row for state, row in zip(found.states, found.scores, strict=True)}

    def choose(states):
        rows = [known[state.tobytes()].astype(int) for state in states]
        return np.array([pick_one(np.flatnonzero(row != ILLEGAL), key=lambda action: row[action]) for row in rows])

    return choose


def at_random(game, seed):
    words = seeds(np.random.default_rng(seed), 10_000)
    return lambda states: pick(game.legal(states), words[: len(states)])


def one_by_one(player, game):
    """A batched chooser that asks `player`."""

    def choose(states):
        out = []
        for row in range(len(states)):
            position = Position(game)
            position.state = states[row : row + 1].copy()
            out.append(position.action(player.choose(position, Budget())))
        return np.array(out)

    return choose


@pytest.fixture(scope="module")
def sets():
    return {
        "tictactoe": tictactoe_positions(),
        "othello": othello_endgames(40, empties=7),
    } | {name: load(name) for name in SETS}


ALL = ["tictactoe", "othello", *SETS]

# --- the sets of Connect Four


@pytest.mark.parametrize("name", SETS)
def test_set_is_what_its_name_says(name):
    stage, level = name.split("-")
    found = load(name)
    assert found.scores.shape == (500, 7)
    assert np.array_equal(found.game.legal(found.states), found.scores != ILLEGAL)  # legal, and so the game is not over
    boards = set()
    for line, state in zip(lines(name), found.states, strict=True):
        moves, scores = parse(line)
        best = max(scores)
        discs, left = len(moves), plies_left(len(moves), best)
        assert discs == state["ply"]
        assert stage == ("begin" if discs <= 14 else "middle" if discs <= 28 else "end")
        assert level == ("easy" if left <= 14 else "medium" if left <= 28 else "hard")
        assert best == 0 or left >= 3
        position = Position(found.game)
        for move in moves:
            position.play(move)
        board = position.board()
        assert position.state.tobytes() == state.tobytes()
        boards.add(min(board.tobytes(), board[:, ::-1].tobytes()))
    assert len(boards) == 500


@pytest.mark.parametrize(("name", "count"), [("end-easy", 60), ("middle-easy", 15), ("middle-medium", 4)])
def test_stored_scores_are_those_of_our_own_solver(name, count, sets):
    check_scores(name, count, sets)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_stored_scores_of_many_positions_are_those_of_our_own_solver(name, sets):
    check_scores(name, 500 if name.startswith("end") else 12, sets)


def check_scores(name, count, sets):
    """The score of every move in positions spread over a set, from eight discs on (earlier ones take longer)."""
    found, solver = sets[name], Solver()
    rows = np.flatnonzero(found.states["ply"] >= 8)
    for row in rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]:
        for action in np.flatnonzero(found.scores[row] != ILLEGAL):
            after = found.states[row : row + 1].copy()
            found.game.play(after, np.array([action], np.int32))
            score = -solver.bounded(found.game, after, -64, 64, 1 << 62)
            assert score == found.scores[row, action], f"line {row + 1}, column {action + 1}"


def test_plies_left_counts_to_the_end_of_perfect_play():
    """Followed move by move: who wins takes the fastest way, who loses the longest."""
    solver = Solver()
    for line in lines("middle-easy")[:8]:
        moves, scores = parse(line)
        position = Position(positions.GAME)
        for move in moves:
            position.play(move)
        expected, played = plies_left(len(moves), max(scores)), 0
        while position.outcome() is None:
            position.play(solver.best_action(position.game, position.state, position.legal_actions(), 1 << 62))
            played += 1
        assert played == expected


@pytest.mark.parametrize("name", ["end-easy", "middle-easy", "middle-medium"])
def test_sets_are_made_again_bit_for_bit(name):
    pytest.importorskip("bitbully")
    assert positions.make(name, 10, positions.bitbully_scores()) == lines(name)[:10]


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_whole_sets_are_made_again_bit_for_bit(name):
    pytest.importorskip("bitbully")
    assert positions.make(name, 500, positions.bitbully_scores()) == lines(name)


def test_wrong_names_and_lines_are_refused():
    with pytest.raises(ValueError, match="no set of positions is called 'end-hard'"):
        load("end-hard")
    for line in ("", "4453", "4853 0 0 0 0 0 0 0"):
        with pytest.raises(ValueError, match="moves 1 to 7 and 7 scores"):
            parse(line)


# --- positions that are solved on the spot


def brute_force(game, state):
    """The score for the player to move by all games from here: of Othello the lead, else the result."""
    if game.ending(state)[0]:
        sign = 1 - 2 * int(game.turn(state)[0])
        return sign * int(game.board(state).sum() if game.name == "othello-6x6" else game.result(state)[0])
    best = -100
    for action in np.flatnonzero(game.legal(state)[0]):
        after = state.copy()
        game.play(after, np.array([action], np.int32))
        best = max(best, brute_force(game, after) * (1 if game.turn(after)[0] == game.turn(state)[0] else -1))
    return best


def test_all_positions_of_tictactoe_are_there(sets):
    found = sets["tictactoe"]
    assert len(found.states) == len({state.tobytes() for state in found.states}) == 4520
    assert not found.game.ending(found.states).any()


@pytest.mark.parametrize("name", ["tictactoe", "othello"])
def test_scores_are_those_of_brute_force(name, sets):
    found = sets[name]
    empty = np.array([np.count_nonzero(found.game.board(state) == 0) for state in found.states])
    rows = np.flatnonzero(empty <= 5)
    rows = rows[:: max(1, len(rows) // 60)]
    assert len(rows) > 10
    for row in rows:
        for action in np.flatnonzero(found.scores[row] != ILLEGAL):
            after = found.states[row : row + 1].copy()
            found.game.play(after, np.array([action], np.int32))
            score, stored = -brute_force(found.game, after), int(found.scores[row, action])
            assert stored == score if name == "othello" else np.sign(stored) == score


def test_othello_endgames_are_late_and_leave_a_choice(sets):
    found = sets["othello"]
    assert len(found.states) == 40
    assert (found.game.legal(found.states).sum(axis=1) >= 2).all()
    assert all(np.count_nonzero(found.game.board(state) == 0) <= 7 for state in found.states)
    assert np.array_equal(found.states, othello_endgames(40, empties=7).states)


# --- choosers of known rates


@pytest.mark.parametrize("name", ALL)
def test_best_and_worst_play(name, sets):
    found, hard = sets[name], decisive(sets[name])
    for by_score in (False, True):
        assert mistake_rate(by_scores(found, max), found, by_score=by_score).hits == 0
    cases = len(hard.states)
    assert 0.1 * len(found.states) < cases < len(found.states)
    assert mistake_rate(by_scores(hard, min), hard) == Rate(cases, cases)
    assert mistake_rate(by_scores(found, min), found) == Rate(cases, len(found.states))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("by_score", [False, True])
def test_random_play_makes_the_mistakes_expected_of_it(name, by_score, sets):
    found = sets[name]
    share = mistakes(found, by_score=by_score).sum(axis=1) / (found.scores != ILLEGAL).sum(axis=1)
    expected, rounds = random_mistake_rate(found, by_score=by_score), 20
    choose = at_random(found.game, 1)
    made = sum(mistake_rate(choose, found, by_score=by_score).hits for _ in range(rounds))
    deviation = np.sqrt(rounds * (share * (1 - share)).sum())
    assert abs(made - rounds * len(found.states) * expected) < 4 * deviation


def test_a_slower_win_is_no_mistake_but_a_draw_is():
    scores = np.array([[5, 3, 0, -2, ILLEGAL], [0, -1, -9, 0, 0], [-1, -5, -1, -2, -3]], np.int8)
    found = positions.PositionSet("made up", positions.GAME, positions.GAME.new(3), scores)
    assert mistakes(found).astype(int).tolist() == [[0, 0, 1, 1, 0], [0, 1, 1, 0, 0], [0, 0, 0, 0, 0]]
    assert mistakes(found, by_score=True).astype(int).tolist() == [[0, 1, 1, 1, 0], [0, 1, 1, 0, 0], [0, 1, 0, 1, 1]]
    assert random_mistake_rate(found) == pytest.approx((2 / 4 + 2 / 5) / 3)
    assert len(decisive(found).states) == 2


def test_perfect_player_makes_no_mistake():
    """Our own solver plays, so that the stored scores and it vouch for each other."""
    found = load("end-easy")
    assert mistake_rate(one_by_one(PerfectPlayer(seed=1), found.game), found).hits == 0


def test_tictactoe_counts_what_is_right(sets):
    found = sets["tictactoe"]
    assert measures.tictactoe_optimal(by_scores(found, max)) == (4520, 4520)
    right, cases = measures.tictactoe_optimal(by_scores(found, min))
    assert cases == 4520
    assert right == 4520 - len(decisive(found).states)


def test_othello_agreement_of_perfect_play_is_whole():
    player = one_by_one(PerfectPlayer(endgame=10, seed=1), othello_endgames(1).game)
    assert measures.othello_agreement(player, 30, by_score=True) == Rate(30, 30)


def test_rate_has_wilsons_interval():
    wilson = stats.binomtest(7, 500).proportion_ci(0.95, method="wilson")
    rate = Rate(7, 500)
    assert rate.share == 0.014
    assert rate.interval == pytest.approx((wilson.low, wilson.high))
    assert str(rate) == "7 of 500, 1.40% (0.68% to 2.86%)"


@pytest.mark.parametrize("answer", [7, -1])
def test_illegal_choices_are_refused(answer):
    with pytest.raises(ValueError, match=f"action {answer} is illegal"):
        mistake_rate(lambda states: np.full(len(states), answer), load("end-easy"))
    with pytest.raises(ValueError, match="wanted: 500 actions"):
        mistake_rate(lambda states: np.zeros(3, np.int32), load("end-easy"))


# --- Go on a small board


def test_whole_board_is_blacks_or_not():
    """Who plays the centre and is passed to has all; who passes first has nothing; games are counted one by one."""
    centre, last = 12, 25
    take = lambda states: np.where(states["ply"] == 0, centre, last)  # noqa: E731
    leave = lambda states: np.full(len(states), last)  # noqa: E731
    assert measures.whole_board(take, 8) == (8, 8)
    assert measures.whole_board(leave, 8) == (0, 8)

    def mixed(states):
        actions = take(states)
        actions[len(states) // 2 :] = np.where(states["ply"][len(states) // 2 :] == 1, 0, actions[len(states) // 2 :])
        return actions

    assert measures.whole_board(mixed, 8) == (4, 8)  # a white stone in the corner and nothing more leaves no area whole


def test_whole_board_counts_by_area_without_komi():
    @cache
    def game(komi):
        return Go(3, komi=komi)

    take = lambda states: np.where(states["ply"] == 0, 4, 9)  # noqa: E731
    for komi in (0.5, -2.0, 7.5):
        assert measures.whole_board(take, 2, game(komi)) == (2, 2)
