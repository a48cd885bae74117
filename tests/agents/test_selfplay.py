"""Self-play: games against the rules, targets against what the searches found, equal seeds, resignation, saving."""

from dataclasses import fields

import numpy as np
import pytest
from scipy.stats import chisquare

from sakiyomi.agents.parts.search import Dirichlet, Gumbel, Puct
from sakiyomi.agents.parts.selfplay.replay import Episode, GameReplay
from sakiyomi.agents.parts.selfplay.self_player import Habits, SelfPlay, play_side_by_side
from sakiyomi.boards import Chess, ConnectFour, Go, Othello, Shogi, TicTacToe
from sakiyomi.boards.game import Ending

NOISE = Dirichlet(alpha=0.5)


def hashed(game):
    """An evaluation by a hash of the observation: other priors and another value in every position."""
    weights = np.random.default_rng(0).normal(size=(int(np.prod(game.planes)), 8)).astype(np.float32)
    columns = np.random.default_rng(1).normal(size=(8, game.num_actions)).astype(np.float32)

    def evaluate(observations):
        inner = np.sin(np.round(observations.reshape(len(observations), -1) @ weights + 1, 2))
        return np.stack([row @ columns for row in inner]), 0.5 * np.tanh(inner[:, 0])

    return evaluate


def pessimist(depth=0.9):
    """Of tic-tac-toe and Connect Four: the first player thinks that he has lost, and the second agrees."""

    def evaluate(observations):
        first = observations[:, 0].sum((1, 2)) == observations[:, 1].sum((1, 2))
        logits = np.zeros((len(observations), 7 if observations.shape[-1] == 7 else 9), np.float32)
        return logits, np.where(first, -depth, depth).astype(np.float32)

    return evaluate


def self_play(game, games=4, seed=0, evaluate=None, **habits):
    settings = {"simulations": 8, "selection": Puct(), "noise": NOISE, "exploring_plies": 4} | habits
    return SelfPlay(game, evaluate or hashed(game), games, Habits(**settings), np.random.default_rng(seed))


def listened(player):
    """What each search of `player` found: (rows, findings), in order."""
    heard, tell = [], player.search.findings

    def findings(rows):
        found = tell(rows)
        heard.append((np.array(rows), found))
        return found

    player.search.findings = findings
    return heard


def positions(game, episode):
    """The T positions of a game."""
    state, states = episode.start.copy(), []
    for action in episode.actions:
        states.append(state.copy())
        game.play(state, np.array([action], np.int32))
    return states


def same(one, other):
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        for each in fields(Episode):
            a, b = getattr(mine, each.name), getattr(theirs, each.name)
            assert (a == b) if isinstance(a, float) else a.tobytes() == b.tobytes(), each.name


GAMES = [
    (TicTacToe(), 400),
    (ConnectFour(), 600),
    (Othello(size=6), 400),
    (Go(size=4), 700),
    (Go(size=(3, 4), max_plies=10), 200),
    (Shogi(max_plies=12), 130),
]


@pytest.mark.parametrize("selection", [Puct(), Gumbel(considered=4)], ids=["puct", "gumbel"])
@pytest.mark.parametrize(("game", "rounds"), GAMES, ids=[game.name for game, _ in GAMES])
def test_episodes_are_games_of_the_rules_with_targets_on_legal_moves(game, rounds, selection):
    noise = NOISE if isinstance(selection, Puct) else None
    episodes = self_play(game, selection=selection, noise=noise).run(rounds)
    assert len(episodes) >= 4
    for episode in episodes:
        state = game.new(1)
        assert episode.start.tobytes() == state.tobytes()
        for t, action in enumerate(episode.actions):
            assert game.ending(state)[0] == Ending.ONGOING
            legal = game.legal(state)[0]
            assert legal[action]
            named = episode.target_actions[t][episode.target_actions[t] >= 0]
            assert legal[named].all()
            assert len(set(named.tolist())) == len(named)
            assert episode.target_probabilities[t].sum() == pytest.approx(1, abs=1e-5)
            game.play(state, np.array([action], np.int32))
        assert game.ending(state)[0] != Ending.ONGOING
        assert episode.final.tobytes() == state.tobytes()
        assert episode.result == game.result(state)[0]
        assert episode.weights.tolist() == [1] * len(episode.actions)


@pytest.mark.parametrize("game", [Go(size=4, max_plies=6), Shogi(max_plies=6)], ids=["go", "shogi"])
def test_a_game_that_reaches_its_last_ply_counts_as_the_rules_say(game):
    def passes_last(observations):
        logits = np.zeros((len(observations), game.num_actions), np.float32)
        logits[:, -1] = -9
        return logits, np.zeros(len(observations), np.float32)

    episodes = self_play(game, evaluate=passes_last, noise=None).run(120)
    cut = [episode for episode in episodes if game.ending(episode.final)[0] == Ending.MOVE_LIMIT]
    assert len(cut) >= 4
    for episode in cut:
        assert len(episode.actions) == 6
        assert episode.result == (game.result(episode.final)[0] if isinstance(game, Go) else 0)
        assert not isinstance(game, Go) or episode.result == np.sign(game.score(episode.final)[0])


CAPPED = [ConnectFour(), Go(size=4, komi=0.5), Chess(), Shogi()]


@pytest.mark.parametrize("game", CAPPED, ids=lambda game: game.name)
def test_a_game_is_cut_at_the_cap_and_counts_as_it_stands(game, tmp_path):
    def no_pass(observations):
        logits = np.zeros((len(observations), game.num_actions), np.float32)
        logits[:, -1] = -9
        return logits, np.zeros(len(observations), np.float32)

    settings = {"evaluate": no_pass, "simulations": 1, "exploring_plies": 99, "cap": 7}
    player = self_play(game, games=8, **settings)
    player.run(7)
    player.save(tmp_path)
    other = self_play(game, games=8, seed=5, **settings)
    other.load(tmp_path)
    episodes = player.run(60)
    same(episodes, other.run(60))
    cut = [episode for episode in episodes if game.ending(episode.final)[0] == Ending.ONGOING]
    assert len(cut) >= 20
    assert all(len(episode.actions) <= 7 for episode in episodes)
    for episode in cut:
        assert len(episode.actions) == 7
        assert episode.result == (np.sign(game.score(episode.final)[0]) if isinstance(game, Go) else 0)
    assert not isinstance(game, Go) or {episode.result for episode in cut} == {-1, 1}
    for episode in episodes:  # what ends by the rules in time counts by the rules
        if game.ending(episode.final)[0] != Ending.ONGOING:
            assert episode.result == game.result(episode.final)[0]
    replay = GameReplay(game, 1000)
    for episode in cut:
        replay.add(episode)
    samples = replay.sample(np.random.default_rng(0), 100)
    results = np.array([episode.result for episode in cut])[samples.games]
    assert (samples.outcomes == np.where(samples.plies % 2 == 0, results, -results)).all()


def test_what_is_learned_is_the_outcome_as_the_player_to_move_sees_it():
    game = ConnectFour()
    replay = GameReplay(game, 5_000)
    episodes = self_play(game, games=8).run(800)
    for episode in episodes:
        replay.add(episode)
    samples = replay.sample(np.random.default_rng(0), 500)
    results = np.array([episode.result for episode in episodes])[samples.games]
    assert {-1, 1} <= set(results.tolist())
    assert (samples.outcomes == np.where(samples.plies % 2 == 0, results, -results)).all()


def test_targets_are_the_visits_in_every_ply_and_late_moves_the_most_visited():
    player = self_play(ConnectFour(), games=1, exploring_plies=6)
    heard = listened(player)
    episodes = player.run(400)
    found = [found for _, found in heard]
    strayed = 0
    for episode in episodes:
        for t, action in enumerate(episode.actions):
            visits = found.pop(0).visits[0]
            assert visits.sum() == 8  # a search begins without visits: no tree of another move or game is in it
            assert np.array_equal(episode.target_actions[t] >= 0, visits > 0)
            assert np.allclose(episode.target_probabilities[t], visits / 8)
            assert t < 6 or visits[action] == visits.max()
            strayed += t < 6 and visits[action] < visits.max()
    assert strayed > 0


def test_early_moves_are_drawn_in_proportion_to_the_visits():
    game = TicTacToe()
    player = self_play(game, games=700, noise=None, simulations=40, exploring_plies=1)
    heard = listened(player)
    episodes = player.run(41 * 9)
    visits = heard[0][1].visits
    assert (visits == visits[0]).all()
    firsts = [int(episode.actions[0]) for episode in episodes[:700]]
    counts, expected = np.bincount(firsts, minlength=9), visits[0] / 40 * len(firsts)
    assert (counts[expected == 0] == 0).all()
    assert chisquare(counts[expected > 0], expected[expected > 0]).pvalue > 1e-3


def test_equal_moves_are_chosen_equally_often():
    game = TicTacToe()

    def ignorant(observations):
        return np.zeros((len(observations), 9), np.float32), np.zeros(len(observations), np.float32)

    player = self_play(game, games=900, evaluate=ignorant, noise=None, simulations=4, exploring_plies=0)
    firsts = [int(episode.actions[0]) for episode in player.run(5 * 9)[:900]]
    assert chisquare(np.bincount(firsts, minlength=9)).pvalue > 1e-3


def test_fast_searches_have_fewer_simulations_no_noise_and_teach_nothing():
    game = ConnectFour()
    player = self_play(game, games=1, simulations=20, fast_simulations=6, full_share=0.4)
    heard = listened(player)
    episodes = player.run(3000)
    weights = np.concatenate([episode.weights for episode in episodes])
    states = np.concatenate([np.concatenate(positions(game, episode)) for episode in episodes])
    visits = np.array([found.visits[0].sum() for _, found in heard[: len(weights)]])
    assert visits.tolist() == np.where(weights == 1, 20, 6).tolist()
    assert abs(weights.mean() - 0.4) < 4 * (0.24 / len(weights)) ** 0.5
    assert player.simulations == sum(found.visits[0].sum() for _, found in heard)
    logits = np.where(game.legal(states), hashed(game)(game.observe(states))[0], -np.inf)
    plain = np.exp(logits - logits.max(1, keepdims=True))
    plain /= plain.sum(1, keepdims=True)
    priors = np.array([found.priors[0] for _, found in heard[: len(weights)]])
    assert np.allclose(priors[weights == 0], plain[weights == 0], atol=1e-5)
    several = game.legal(states).sum(1) > 1
    assert (np.abs(priors - plain).max(1) > 1e-3)[several & (weights == 1)].mean() > 0.9


def test_noise_is_new_for_every_search_and_on_legal_moves_only():
    game = ConnectFour()
    player = self_play(game, games=16, exploring_plies=0, simulations=4)
    heard = listened(player)
    player.run(5 * 60)
    first = heard[0][1].priors
    assert len({row.tobytes() for row in first}) == 16  # the same position, sixteen times
    for rows, found in heard:
        assert np.allclose(found.priors.sum(1), 1, atol=1e-5)
        assert len(rows) == len(found.priors)
    assert any((found.priors == 0).any() for _, found in heard)  # full columns


@pytest.mark.parametrize("fast", [None, 4])
def test_gumbel_search_plays_its_own_choice_and_teaches_its_improved_policy(fast):
    gumbel = Gumbel(considered=4)
    player = self_play(
        ConnectFour(), games=1, selection=gumbel, noise=None, simulations=12, fast_simulations=fast, full_share=0.5
    )
    heard = listened(player)
    episodes = player.run(500)
    noises = set()
    for episode in episodes:
        for t, action in enumerate(episode.actions):
            found = heard.pop(0)[1]
            noises.add(found.noise.tobytes())
            assert action == found.gumbel_actions(gumbel)[0]
            dense = np.zeros(7)
            used = episode.target_actions[t] >= 0
            dense[episode.target_actions[t][used]] = episode.target_probabilities[t][used]
            assert np.allclose(dense, found.improved(gumbel)[0], atol=1e-6)
    assert len(noises) == sum(len(episode.actions) for episode in episodes)


@pytest.mark.parametrize("part", [0.5, 1.0])
def test_weights_by_surprise_sum_to_the_number_of_full_searches(part):
    game = ConnectFour()
    player = self_play(game, games=1, simulations=20, fast_simulations=5, full_share=0.5, surprise=part, noise=None)
    heard = listened(player)
    episodes = player.run(1500)
    assert len(episodes) > 3
    for episode in episodes:
        mine = [heard.pop(0)[1] for _ in episode.actions]
        full = np.array([found.visits.sum() == 20 for found in mine])
        targets = np.array([found.visits[0] / found.visits.sum() for found in mine])
        priors = np.array([found.priors[0] for found in mine])
        kl = np.array([(t[t > 0] * np.log(t[t > 0] / p[t > 0])).sum() for t, p in zip(targets, priors, strict=True)])
        wanted = (1 - part) * full + part * full.sum() * np.where(full, kl, 0) / kl[full].sum()
        assert np.allclose(episode.weights, wanted, atol=1e-4)
        assert episode.weights.sum() == pytest.approx(full.sum(), rel=1e-4)


# --- resignation


def test_who_believes_to_have_lost_gives_up():
    game = ConnectFour()
    episodes = self_play(
        game, games=8, evaluate=pessimist(), simulations=4, noise=None, resign_below=-0.8, play_on=0.0
    ).run(10)
    assert len(episodes) == 16
    for episode in episodes:
        assert len(episode.actions) == 1
        assert episode.result == -1  # the first player gave up
        assert game.ending(episode.final)[0] == Ending.ONGOING
    replay = GameReplay(game, 100)
    replay.add(episodes[0])
    assert replay.sample(np.random.default_rng(0), 3).outcomes.tolist() == [-1] * 3


def test_nobody_gives_up_with_a_better_move_in_sight():
    """The root's mean is bad, but one move wins: its value counts."""
    game = TicTacToe()
    player = self_play(
        game, games=1, evaluate=pessimist(), simulations=300, noise=None, resign_below=-0.99, play_on=0.0
    )
    heard = listened(player)
    episodes = player.run(3000)
    assert any(game.ending(episode.final)[0] != Ending.ONGOING for episode in episodes)
    for episode in episodes:
        for t in range(len(episode.actions)):
            found = heard.pop(0)[1]
            gives_up = max(found.values[0], np.nanmax(found.means[0])) < -0.99
            last = t == len(episode.actions) - 1
            assert not gives_up or last
            assert gives_up or not last or game.ending(episode.final)[0] != Ending.ONGOING


def test_a_part_of_the_games_is_played_on():
    game = TicTacToe()
    player = self_play(game, games=50, evaluate=pessimist(), simulations=2, resign_below=-0.8, play_on=0.3)
    episodes = player.run(1200)[:1500]
    share = np.mean([game.ending(episode.final)[0] != Ending.ONGOING for episode in episodes])
    # games played on take longer, so that those that end in a given time hold fewer of them; per row they are exact
    assert 0 < share < 0.3
    resigned = [episode for episode in episodes if game.ending(episode.final)[0] == Ending.ONGOING]
    assert all(len(episode.actions) == 1 for episode in resigned)
    starts = self_play(game, games=4000, evaluate=pessimist(), simulations=2, resign_below=-0.8, play_on=0.3)
    first = starts.run(3)
    assert abs(len(first) / 4000 - 0.7) < 4 * (0.21 / 4000) ** 0.5


def test_the_lowest_value_that_a_winner_saw_is_noted():
    game = TicTacToe()
    player = self_play(game, games=1, evaluate=pessimist(), simulations=6, exploring_plies=9, play_on=1.0)
    player.habits = Habits(simulations=6, selection=Puct(), exploring_plies=9, resign_below=-0.5, play_on=1.0)
    heard = listened(player)
    episodes = player.run(2000)
    wanted = []
    for episode in episodes:
        assert game.ending(episode.final)[0] != Ending.ONGOING  # with play_on 1 nobody gives up
        saw = [heard.pop(0)[1] for _ in episode.actions]
        best = np.array([max(found.values[0], np.nanmax(found.means[0])) for found in saw])
        if episode.result:
            wanted.append(best[0 if episode.result > 0 else 1 :: 2].min())
    assert np.allclose([low.value for low in player.lowest], wanted, atol=1e-6)
    assert len(wanted) > 10
    assert min(wanted) == pytest.approx(-0.9, abs=0.05)


def test_games_that_might_be_given_up_tell_no_lowest_value():
    player = self_play(TicTacToe(), play_on=0.0)
    assert player.run(200)
    assert player.lowest == []


# --- the same games again

KINDS = {
    "puct": {"fast_simulations": 3, "full_share": 0.5, "surprise": 0.5, "resign_below": -0.6, "play_on": 0.5},
    "gumbel": {"selection": Gumbel(considered=4), "noise": None, "fast_simulations": 3},
    "solve": {"solve": True},
}


@pytest.mark.parametrize("kind", KINDS)
def test_equal_seeds_give_equal_games_however_threads_take_turns(kind):
    game = ConnectFour()

    def groups():
        return [self_play(game, games, seed, **KINDS[kind]) for seed, games in ((1, 3), (2, 2))]

    together = [play_side_by_side(pair, 350) for pair in (groups(), groups())]
    same(*together)
    first, second = groups()
    alone = first.run(350), second.run(350)
    assert all(alone)
    same(together[0], alone[0] + alone[1])
    other = [self_play(game, 5, 9, **KINDS[kind]), groups()[1]]
    same(play_side_by_side(other, 350)[-len(alone[1]) :], alone[1])
    with pytest.raises(AssertionError):
        same(first.run(350), alone[0])


@pytest.mark.parametrize("kind", KINDS)
def test_games_saved_go_on_as_they_would_have(kind, tmp_path):
    game = ConnectFour()
    player = self_play(game, seed=3, **KINDS[kind])
    player.run(60)
    player.lowest.clear()
    player.save(tmp_path / "crew")
    other = self_play(game, seed=4, **KINDS[kind])
    other.run(90)  # what it holds is forgotten
    other.lowest.clear()
    other.load(tmp_path / "crew")
    assert other.simulations == player.simulations
    games = player.run(200)
    assert len(games) > 3
    same(games, other.run(200))
    assert [low.value for low in player.lowest] == [low.value for low in other.lowest]
    same(player.run(100), other.run(100))


def test_saving_changes_nothing(tmp_path):
    saved, plain = (self_play(Othello(size=6), seed=5) for _ in range(2))
    for _ in range(3):
        saved.save(tmp_path / "crew")
        same(saved.run(140), plain.run(140))


def test_games_of_another_kind_are_refused(tmp_path):
    self_play(ConnectFour(), games=3).save(tmp_path)
    with pytest.raises(ValueError, match="holds 3 games of connect4, 4 of connect4 are wanted"):
        self_play(ConnectFour(), games=4).load(tmp_path)
    with pytest.raises(ValueError, match="holds 3 games of connect4, 3 of othello are wanted"):
        self_play(Othello(), games=3).load(tmp_path)


# --- large games


def shuffling(game):
    """Of chess: prefers quiet play with equal values, so that games are long."""
    return lambda seen: (np.zeros((len(seen), game.num_actions), np.float32), np.zeros(len(seen), np.float32))


def test_long_games_outgrow_the_first_room(tmp_path):
    game = Chess()
    player = self_play(game, games=3, simulations=1, noise=None, evaluate=shuffling(game), exploring_plies=0)
    player.run(2 * 140)  # nearly all games are past ply 128
    player.save(tmp_path)
    other = self_play(game, games=3, simulations=1, noise=None, evaluate=shuffling(game), exploring_plies=0, seed=8)
    other.load(tmp_path)
    episodes = player.run(2 * 500)
    same(episodes, other.run(2 * 500))
    longest = max(episodes, key=lambda episode: len(episode.actions))
    assert len(longest.actions) > 128
    state = game.new(1)
    for action in longest.actions:
        assert game.legal(state)[0, action]
        game.play(state, np.array([action], np.int32))
    assert longest.final.tobytes() == state.tobytes()
    assert longest.result == game.result(state)[0]


def test_of_many_moves_the_128_likeliest_are_kept():
    game = Go(size=13, max_plies=2)
    gumbel = Gumbel(considered=4)
    player = self_play(game, games=1, selection=gumbel, noise=None)
    heard = listened(player)
    (episode, *_) = player.run(20)
    replay = GameReplay(game, 100)
    replay.add(episode)
    policy = heard[0][1].improved(gumbel)[0]
    assert (policy > 0).sum() == 170
    kept = episode.target_actions[0]
    assert kept.shape == (128,)
    assert set(kept.tolist()) == set(np.argsort(-policy)[:128].tolist())
    assert np.allclose(episode.target_probabilities[0], policy[kept] / policy[kept].sum(), atol=1e-6)
