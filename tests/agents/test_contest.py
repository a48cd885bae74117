"""Scores against exact probabilities; contests against games played one by one."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from sakiyomi.agents.parts.strength.contest import DECLARED, RESIGNED, contest, duel, random_openings
from sakiyomi.agents.parts.strength.score import Score, elo_difference, score_interval
from sakiyomi.agents.perfect import PerfectPlayer
from sakiyomi.agents.random_player import RandomPlayer
from sakiyomi.arena.players import make_player
from sakiyomi.arena.playing import play_game
from sakiyomi.boards import DECLARE, RESIGN, IllegalMove, Position, make_game
from sakiyomi.boards.random import pick, seeds

TICTACTOE, CONNECT4 = make_game("tictactoe"), make_game("connect4")


def first_legal(game):
    return lambda states: game.legal(states).argmax(axis=1).astype(np.int32)


def last_legal(game):
    return lambda states: (game.num_actions - 1 - game.legal(states)[:, ::-1].argmax(axis=1)).astype(np.int32)


def at_random(game, seed, most=512):
    words = seeds(np.random.default_rng(seed), most)
    return lambda states: pick(game.legal(states), words[: len(states)]).astype(np.int32)


class Scripted:
    """Plays what `rule` makes of a position, and keeps what it was shown."""

    name = "scripted"

    def __init__(self, rule):
        self.rule, self.shown, self.begun = rule, [], 0

    def begin(self, game, side, rng):
        self.begun += 1

    def choose(self, position, budget):
        self.shown.append((position.actions, position.text(), budget))
        return self.rule(position)

    def close(self):
        pass


def first_move(position):
    return position.legal_moves()[0]


def last_move(position):
    return position.legal_moves()[-1]


# --- scores


@pytest.mark.parametrize(("wins", "losses"), [(0, 1), (7, 3), (0, 40), (95, 5), (500, 500), (1000, 0)])
def test_interval_without_draws_is_wilsons(wins, losses):
    wilson = stats.binomtest(wins, wins + losses).proportion_ci(0.95, method="wilson")
    assert score_interval(wins, 0, losses) == pytest.approx((wilson.low, wilson.high), abs=1e-9)


@pytest.mark.parametrize(("win", "draw"), [(0.3, 0.4), (0.05, 0.9), (0.5, 0.1), (0.1, 0.3), (0.45, 0.5), (0.02, 0.96)])
@pytest.mark.parametrize("games", [20, 60])
def test_interval_holds_the_true_mean_as_often_as_it_says(win, draw, games):
    """Its coverage, summed over all outcomes; conservative where almost all games are drawn."""
    chances = stats.multinomial(games, [win, draw, 1 - win - draw])
    counts = np.array([count for count in product(range(games + 1), repeat=3) if sum(count) == games])
    intervals = np.array([score_interval(*count) for count in counts.tolist()])
    true = win + draw / 2
    covered = chances.pmf(counts)[(intervals[:, 0] <= true) & (true <= intervals[:, 1])].sum()
    assert covered > 0.93
    if games == 60 and draw < 0.6:
        assert covered < 0.97


def test_interval_narrows_with_draws_but_keeps_a_doubt():
    of_wins, of_draws = score_interval(50, 0, 50), score_interval(25, 50, 25)
    assert of_wins[0] < of_draws[0] < 0.5 < of_draws[1] < of_wins[1]
    low, high = score_interval(0, 100, 0)
    assert 0.45 < low < 0.5 < high < 0.55


@pytest.mark.parametrize(("wins", "draws", "losses"), [(6, 2, 2), (1, 8, 0), (30, 5, 65)])
def test_interval_ends_where_the_mean_is_so_many_deviations_away(wins, draws, losses):
    games, z = wins + draws + losses, stats.norm.ppf(0.975)
    share, mean = draws / (games + z**2), (wins + draws / 2) / games
    for end in score_interval(wins, draws, losses):
        deviation = math.sqrt((end * (1 - end) - share / 4) / games)
        assert abs(mean - end) == pytest.approx(z * deviation)


@pytest.mark.parametrize("counts", [(0, 0, 0), (-1, 2, 3)])
def test_interval_refuses_what_is_no_count(counts):
    with pytest.raises(ValueError, match="counts of 0 or more"):
        score_interval(*counts)


def test_score_says_what_it_is_worth():
    score = Score(6, 2, 2)
    assert (score.games, score.mean) == (10, 0.7)
    assert 1 / (1 + 10 ** (-score.elo / 400)) == pytest.approx(0.7)
    assert score.elo_interval[0] < score.elo < score.elo_interval[1]
    assert Score(4, 1, 0) + Score(2, 1, 2) == score
    assert str(score) == "6 won, 2 drawn, 2 lost: 70.0% (41.8% to 87.1%), Elo +147 (-58 to +332)"
    assert (elo_difference(0), elo_difference(0.5), elo_difference(1)) == (-math.inf, 0, math.inf)
    with pytest.raises(ValueError, match="between 0 and 1"):
        elo_difference(1.1)
    with pytest.raises(ValueError, match="no games"):
        _ = Score(0, 0, 0).mean


# --- openings


def test_openings_are_played_by_the_rules_and_differ():
    openings = random_openings(CONNECT4, 100, 6, np.random.default_rng(1))
    positions = []
    for opening in openings.tolist():
        position = Position(CONNECT4)
        for action in opening:
            position.play(action)
        assert position.outcome() is None
        positions.append(position.text())
    assert openings.shape == (100, 6)
    assert len(set(positions)) == 100


def test_openings_repeat_where_there_are_no_more():
    openings = random_openings(TICTACTOE, 100, 1, np.random.default_rng(1))
    counts = np.bincount(openings[:, 0], minlength=9)
    assert counts.min() >= 11
    assert counts.max() <= 12
    assert random_openings(TICTACTOE, 3, 0, np.random.default_rng(1)).shape == (3, 0)


def test_openings_of_go_have_no_senseless_passes():
    openings = random_openings(make_game("go-5x5"), 50, 6, np.random.default_rng(1))
    assert (openings < 25).all()


def test_openings_that_cannot_be():
    with pytest.raises(ValueError, match="no opening of 9 plies in tictactoe"):
        random_openings(TICTACTOE, 5, 9, np.random.default_rng(1))
    with pytest.raises(ValueError, match="0 or more"):
        random_openings(TICTACTOE, 5, -1, np.random.default_rng(1))


# --- contests


@pytest.mark.parametrize("name", ["tictactoe", "connect4", "othello-6x6", "go-3x3"])
def test_contest_has_the_score_of_the_games_played_one_by_one(name):
    game, seed = make_game(name), 5
    openings_rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(2)[0])
    ours, theirs = Scripted(first_move), Scripted(last_move)
    points = []
    for opening in random_openings(game, 20, 4, openings_rng).tolist():
        for side in (0, 1):
            position, moves = Position(game), []
            for action in opening:
                moves.append(game.move_text(position.state, action))
                position.play(action)
            record = play_game(game, (ours, theirs) if side == 0 else (theirs, ours), opening=moves)
            for move in record.moves[4:]:
                position.play(move)
            points.append(int(game.result(position.state)[0]) * (1 - 2 * side))
    expected = Score(points.count(1), points.count(0), points.count(-1))
    assert contest(game, first_legal(game), Scripted(last_move), 40, seed=seed) == expected
    assert expected.wins
    assert expected.losses or name == "go-3x3"  # where the last move is the pass


def test_player_sees_every_game_with_its_moves():
    player = Scripted(last_move)
    contest(CONNECT4, first_legal(CONNECT4), player, 10, seed=3, opening_plies=2)
    assert player.begun == 1
    for actions, text, _ in player.shown:
        position = Position(CONNECT4)
        for action in actions:
            position.play(action)
        assert position.text() == text
    starts = [actions for actions, _, _ in player.shown if len(actions) == 2]
    replies = [actions[:2] for actions, _, _ in player.shown if len(actions) == 3]
    assert len(starts) == 5  # it moves first in one game of each pair, and second in the other
    assert sorted(starts) == sorted(replies)


def test_chooser_is_called_once_a_ply_for_all_games():
    sizes, heard = [], []

    def choose(states):
        sizes.append(len(states))
        return first_legal(TICTACTOE)(states)

    progress = lambda over, chosen: heard.append((over, chosen))  # noqa: E731
    contest(TICTACTOE, choose, Scripted(last_move), 100, seed=1, opening_plies=2, progress=progress)
    assert sizes[:2] == [50, 50]
    assert len(sizes) <= 7
    assert heard == sorted(heard)
    assert heard[-1][0] == 100


def test_perfect_play_does_not_lose_and_beats_random_play():
    score = contest(TICTACTOE, at_random(TICTACTOE, 3), PerfectPlayer(), 100, seed=2, opening_plies=1)
    assert score.wins == 0
    assert score.losses > 50


def test_the_same_seed_gives_the_same_games():
    scores = [contest(CONNECT4, at_random(CONNECT4, 9), RandomPlayer(), 60, seed=seed) for seed in (4, 4, 5)]
    assert scores[0] == scores[1] != scores[2]


def test_duel_seen_from_the_other_side():
    first, last = first_legal(CONNECT4), last_legal(CONNECT4)
    score, swapped = duel(CONNECT4, first, last, 60, seed=7), duel(CONNECT4, last, first, 60, seed=7)
    assert (score.wins, score.draws, score.losses) == (swapped.losses, swapped.draws, swapped.wins)
    assert score.games == 60
    assert duel(CONNECT4, first, first, 60, seed=7).mean == 0.5  # each opening is won once and lost once


def test_games_cut_short_have_the_result_of_the_rules():
    """Go on a board cut after 8 plies is scored as it stands: with a komi of 30, White has won every game."""
    game = make_game("go-5x5", komi=30, max_plies=8)
    score = duel(game, at_random(game, 1), at_random(game, 2), 20, seed=1)
    assert (score.wins, score.draws, score.losses) == (10, 0, 10)


def test_resignation_loses():
    resign = lambda states: np.full(len(states), RESIGNED)  # noqa: E731
    assert contest(CONNECT4, resign, Scripted(first_move), 10, seed=1) == Score(0, 0, 10)
    assert contest(CONNECT4, first_legal(CONNECT4), Scripted(lambda position: RESIGN), 10, seed=1) == Score(10, 0, 0)


def test_declaration_wins_where_it_is_allowed():
    shogi = make_game("shogi")
    declare = lambda states: np.full(len(states), DECLARED)  # noqa: E731
    with pytest.raises(IllegalMove, match="no win can be declared"):
        duel(shogi, declare, declare, 2, seed=1)
    with pytest.raises(IllegalMove, match="no win can be declared"):
        contest(TICTACTOE, first_legal(TICTACTOE), Scripted(lambda position: DECLARE), 2, seed=1)

    class Entered(type(shogi)):
        """Shogi in which every king has entered."""

        def declarations(self, states):
            return np.ones(len(states), np.int8)

    assert duel(Entered(), declare, first_legal(shogi), 4, seed=1, opening_plies=2) == Score(4, 0, 0)


@pytest.mark.parametrize("games", [0, 1, 7, -2])
def test_games_are_played_in_pairs(games):
    with pytest.raises(ValueError, match="an even number of 2 or more"):
        duel(TICTACTOE, first_legal(TICTACTOE), first_legal(TICTACTOE), games, seed=1)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda states: np.full(len(states), 9), "action 9 is illegal"),
        (lambda states: (~TICTACTOE.legal(states)).argmax(axis=1), "action [0-8] is illegal"),
        (lambda states: np.zeros(len(states)), "actions, one for each position"),
        (lambda states: np.zeros(len(states) + 1, np.int32), "actions, one for each position"),
        (lambda states: np.full(len(states), -3), "actions, one for each position"),
    ],
)
def test_wrong_answers_of_a_chooser_are_named(answer, error):
    with pytest.raises(ValueError, match=error):
        duel(TICTACTOE, answer, answer, 4, seed=1)


def test_illegal_moves_of_a_player_are_named():
    with pytest.raises(IllegalMove, match="illegal move"):
        contest(TICTACTOE, first_legal(TICTACTOE), Scripted(lambda position: int(position.actions[0])), 4, seed=1)


@pytest.mark.engines
def test_contest_against_a_program():
    """GNU Go follows twenty games at once, and loses none to random play."""
    game = make_game("go-5x5", komi=0.5, rules="chinese")
    player = make_player("gtp:gnugo --mode gtp --level 1 --chinese-rules --capture-all-dead", game)
    try:
        score = contest(game, at_random(game, 1), player, 20, seed=1, opening_plies=2)
    finally:
        player.close()
    assert score.losses >= 18
