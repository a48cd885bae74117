"""Random beginnings, the cache and forced playouts of self-play."""

from dataclasses import replace

import numpy as np
import pytest

from sakiyomi.agents.parts.search import Dirichlet, Gumbel, Puct
from sakiyomi.agents.parts.search.caching import CachedEvaluate
from sakiyomi.agents.parts.selfplay.self_player import Habits, SelfPlay
from sakiyomi.agents.parts.selfplay.standing import material
from sakiyomi.boards import Chess, ConnectFour, Go, TicTacToe
from sakiyomi.boards.game import Ending

HABITS = Habits(simulations=8, selection=Gumbel(), noise=None)


def uniform(game):
    def evaluate(observations):
        n = len(observations)
        return np.zeros((n, game.num_actions), np.float32), np.zeros(n, np.float32)

    return evaluate


def played(game, habits, games=64, rounds=200, evaluate=None):
    return SelfPlay(game, evaluate or uniform(game), games, habits, np.random.default_rng(3)).run(rounds)


@pytest.mark.parametrize("game", [TicTacToe(), ConnectFour(), Go(5)], ids=lambda game: game.name)
def test_half_of_the_games_begin_after_random_plies(game):
    episodes = played(game, replace(HABITS, random_plies=4), games=256, rounds=400)
    begun = np.array([int(episode.start["ply"][0]) for episode in episodes])
    assert begun.max() == 4
    assert 0.4 < (begun == 0).mean() < 0.6
    for episode in episodes[:50]:
        assert game.ending(episode.start)[0] == Ending.ONGOING
        states = episode.start.copy()
        for action in episode.actions:
            assert game.legal(states)[0, action]
            game.play(states, np.array([action], np.int32))
        assert states.tobytes() == episode.final.tobytes()


def test_games_begin_at_the_start_without_random_plies():
    assert all(episode.start["ply"][0] == 0 for episode in played(ConnectFour(), HABITS, rounds=300))


def test_random_plies_that_would_end_the_game_are_not_played():
    game = TicTacToe()
    for episode in played(game, replace(HABITS, random_plies=30), games=256):
        assert game.ending(episode.start)[0] == Ending.ONGOING


def test_a_cache_changes_nothing_but_the_work():
    game = TicTacToe()
    asked = 0

    def evaluate(observations):
        nonlocal asked
        asked += len(observations)
        flat = observations.reshape(len(observations), -1)
        weights = np.linspace(-1, 1, flat.shape[1], dtype=np.float32)
        values = np.tanh((flat * weights).sum(1))  # row by row: a product of matrices rounds by the size of the batch
        return flat[:, : game.num_actions] * values[:, None], values

    plain = played(game, HABITS, evaluate=evaluate)
    without, asked = asked, 0
    cached = played(game, HABITS, evaluate=CachedEvaluate(evaluate, game.num_actions, 1 << 13))
    assert asked < without / 2
    assert len(plain) == len(cached)
    for one, other in zip(plain, cached, strict=True):
        np.testing.assert_array_equal(one.actions, other.actions)
        np.testing.assert_array_equal(one.target_probabilities, other.target_probabilities)


def test_pruned_targets_never_teach_a_move_that_loses_for_certain():
    game = TicTacToe()
    noise = Dirichlet(alpha=1.0, fraction=0.25)
    habits = Habits(simulations=40, selection=Puct(forced=2.0, unvisited="draw"), noise=noise, solve=True)
    group = SelfPlay(game, uniform(game), 64, habits, np.random.default_rng(0))
    roots, rng, refuted = group.model.roots, np.random.default_rng(1), 0
    for _ in range(6):  # plies, at random: losses are proven near the end
        group.search.begin(np.arange(64), 40)
        while len(group.search.round()) < 64:
            pass
        found = group.search.findings(np.arange(64))
        targets = group._targets(found)
        np.testing.assert_allclose(targets.sum(1), 1)
        assert (targets[~found.sound] == 0).all()
        refuted += int((found.visits[~found.sound] > 1).sum())
        after = roots.copy()
        game.play(after, np.where(game.legal(roots), rng.random((64, 9)), -1).argmax(1).astype(np.int32))
        going = game.ending(after) == Ending.ONGOING
        roots[going] = after[going]
    assert refuted > 50


def test_forced_playouts_visit_unlikely_moves_and_are_not_taught():
    game = ConnectFour()

    def evaluate(observations):
        n = len(observations)
        logits = np.zeros((n, game.num_actions), np.float32)
        logits[:, 3] = 3.0
        begun = observations[:, :2, :, 3].any(axis=(1, 2))  # a first disc in the middle is best
        return logits, np.where(begun, -0.8, 0.8).astype(np.float32)

    def visited(forced):
        habits = Habits(
            simulations=200,
            selection=Puct(forced=forced, unvisited="draw"),
            noise=Dirichlet(alpha=1.0, fraction=0.25),
            exploring_plies=0,
        )
        group = SelfPlay(game, evaluate, 16, habits, np.random.default_rng(0))
        group.search.begin(np.arange(16), 200)
        while len(group.search.round()) < 16:
            pass
        found = group.search.findings(np.arange(16))
        others = np.arange(7) != 3
        return found.visits[:, others].sum() / found.visits.sum(), group._targets(found)[:, others].sum() / 16

    (plain, taught_plain), (forced, taught_forced) = visited(0.0), visited(2.0)
    assert forced > plain + 0.02
    assert taught_forced < forced - 0.02
    assert taught_plain == pytest.approx(plain)


def test_games_judged_by_material_go_on_in_pieces():
    game = Chess()
    habits = replace(HABITS, cap=6, by_material=True)
    episodes = played(game, habits, games=32, rounds=400)
    finals = {episode.final.tobytes(): episode for episode in episodes}
    onward = [episode for episode in episodes if episode.start["ply"][0] > 0]
    assert all(len(episode.actions) <= 6 for episode in episodes)
    assert all(episode.start.tobytes() in finals for episode in onward)
    cut = [each for each in episodes if game.ending(each.final)[0] == Ending.ONGOING]
    for episode in cut:
        assert episode.result == pytest.approx(np.tanh(material(game, episode.final)[0] / 6))
    assert any(episode.result not in (-1, 0, 1) for episode in cut)
    assert 0.6 < len(onward) / len(cut) < 0.9  # about three in four, less those still running
