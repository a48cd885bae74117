"""Replay of self-play games: what is sampled against games played move by move, in a plain list."""

import json
import tracemalloc
from collections import deque
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from sakiyomi.agents.parts.selfplay.replay import Episode, GameReplay, final_owners
from sakiyomi.agents.parts.selfplay.turned import Turned
from sakiyomi.boards import Chess, ConnectFour, Go, Othello, Shogi, TicTacToe
from sakiyomi.boards.random import pick, seeds

GAMES = [TicTacToe(), ConnectFour(), Othello(size=6), Go(size=4), Go(size=(3, 4)), Chess(), Shogi()]
NAMES = [game.name for game in GAMES]


def played(game, seed, opening=0, limit=60, width=None):
    """A random game with random targets; it starts after `opening` plies and is given up after `limit`."""
    rng, state = np.random.default_rng(seed), game.new(1)
    words, width = seeds(rng, 1), width or min(game.num_actions, 128)
    actions, targets, weights = [], [], []
    for ply in range(opening + limit):
        if game.ending(state)[0]:
            break
        if ply == opening:
            start = state.copy()
        action, legal = int(pick(game.legal(state), words)[0]), np.flatnonzero(game.legal(state)[0])[:width]
        if ply >= opening:
            some = rng.permutation(legal)[: rng.integers(1, len(legal) + 1)]
            actions.append(action)
            targets.append((some, rng.dirichlet(np.ones(len(some)))))
            weights.append(rng.choice([0, 0.5, 1, 2]))
        game.play(state, np.array([action], np.int32))
    plies = len(actions)
    names, shares = np.full((plies, width), -1, np.int32), np.zeros((plies, width), np.float32)
    for ply, (some, probabilities) in enumerate(targets):
        names[ply, : len(some)], shares[ply, : len(some)] = some, probabilities
    return Episode(
        start=start,
        actions=np.array(actions, np.int32),
        target_actions=names,
        target_probabilities=shares,
        values=rng.uniform(-1, 1, plies).astype(np.float32),
        weights=np.array(weights, np.float32),
        result=float(game.result(state)[0]),
        final=state,
    )


def positions(game, episode):
    """The T positions of a game, played one move after the other."""
    state, states = episode.start.copy(), []
    for action in episode.actions:
        states.append(state.copy())
        game.play(state, np.array([action], np.int32))
    return states


def dense(game, episode, ply):
    policy = np.zeros(game.num_actions, np.float32)
    for action, probability in zip(episode.target_actions[ply], episode.target_probabilities[ply], strict=True):
        if action >= 0:
            policy[action] = probability
    return policy


EPISODES = [
    replace(episode, weights=np.ones_like(episode.weights)) for episode in (played(TicTacToe(), i) for i in range(60))
]


@pytest.mark.parametrize("game", GAMES, ids=NAMES)
def test_samples_are_the_positions_and_targets_of_their_games(game):
    """Also that outcomes change sign with the player to move, that draws are 0, and that no reply crosses games."""
    memory = GameReplay(game, 1000)
    episodes = [played(game, seed, opening=seed % 3, limit=30) for seed in range(8)]
    for episode in episodes:
        memory.add(episode)
    samples = memory.sample(np.random.default_rng(1), 120, replies=True)
    for i, (number, ply) in enumerate(zip(samples.games, samples.plies, strict=True)):
        episode = episodes[number]
        state = positions(game, episode)[ply]
        first_to_move = game.turn(state)[0] == 0
        assert episode.weights[ply] > 0
        assert np.array_equal(samples.observations[i], game.observe(state)[0])
        assert np.array_equal(samples.legal[i], game.legal(state)[0])
        assert np.array_equal(samples.policies[i], dense(game, episode, ply))
        assert samples.outcomes[i] == (episode.result if first_to_move else -episode.result)
        assert samples.values[i] == episode.values[ply]
        answered = ply + 1 < len(episode.actions) and episode.weights[ply + 1] > 0
        wanted = dense(game, episode, ply + 1) if answered else np.zeros(game.num_actions)
        assert np.array_equal(samples.replies[i], wanted)
    assert samples.observations.dtype == samples.policies.dtype == samples.outcomes.dtype == np.float32
    assert len(set(samples.games.tolist())) == len(episodes)


def test_outcomes_alternate_and_draws_are_nought():
    game = TicTacToe()
    for moves, result in (([0, 3, 1, 4, 2], 1), ([0, 3, 1, 4, 8, 5], -1), ([0, 1, 2, 4, 3, 5, 7, 6, 8], 0)):
        state, actions = game.new(1), np.array(moves, np.int32)
        final = game.replay(state, actions[None], np.array([len(moves)], np.int32))
        assert game.result(final)[0] == result
        plies = len(moves)
        ones = np.ones(plies, np.float32)
        memory = GameReplay(game, 9, width=1)
        memory.add(Episode(state, actions, actions[:, None], ones[:, None], 0 * ones, ones, result, final))
        samples = memory.sample(np.random.default_rng(0), 100)
        assert set(samples.plies.tolist()) == set(range(plies))
        assert np.array_equal(samples.outcomes, result * (-1.0) ** samples.plies)
        assert not np.signbit(samples.outcomes[samples.outcomes == 0]).any()


@pytest.mark.parametrize("game", GAMES, ids=NAMES)
def test_turned_samples_are_those_of_the_turned_game(game):
    """The moves are turned one by one and played on a board of their own; planes are then what that board shows."""
    memory, episode = GameReplay(game, 100), played(game, 3, limit=25)
    memory.add(episode)
    samples = memory.sample(np.random.default_rng(2), 100, symmetries=True, replies=True)
    seen = set()
    for i, ply in enumerate(samples.plies):
        fits = []
        for number, symmetry in enumerate(game.symmetries()):
            state = game.replay(episode.start, symmetry.actions[episode.actions][None], ply[None])
            if np.array_equal(samples.observations[i], game.observe(state)[0]):
                policy, reply = np.zeros((2, game.num_actions), np.float32)
                policy[symmetry.actions] = dense(game, episode, ply)
                if ply + 1 < len(episode.actions) and episode.weights[ply + 1] > 0:
                    reply[symmetry.actions] = dense(game, episode, ply + 1)
                same = (
                    (policy, samples.policies[i]),
                    (reply, samples.replies[i]),
                    (game.legal(state)[0], samples.legal[i]),
                )
                fits += [number] if all(np.array_equal(*pair) for pair in same) else []
        assert fits, f"no symmetry explains sample {i}"
        seen |= set(fits) if len(fits) == 1 else set()
    assert seen == set(range(len(game.symmetries())))


def test_sampling_follows_the_weights():
    game, rng = ConnectFour(), np.random.default_rng(4)
    memory, weights = GameReplay(game, 150), deque()
    for seed in range(12):  # more than fit, so that the ring is in use all around
        memory.add(episode := played(game, seed))
        weights.append(episode.weights)
    shares = np.concatenate([weights[number] for number in range(12 - memory.games, 12)]).astype(float)
    first = np.cumsum([0] + [len(weights[number]) for number in range(12 - memory.games, 12)])
    samples = memory.sample(rng, 40_000)
    counts = np.bincount(first[samples.games - (12 - memory.games)] + samples.plies, minlength=len(shares))
    assert len(memory) == len(shares) == len(counts)
    assert np.all(counts[shares == 0] == 0)
    some = shares > 0
    assert chisquare(counts[some], shares[some] / shares.sum() * counts.sum()).pvalue > 1e-3


def test_with_weights_of_one_every_position_is_as_likely():
    """So that a game counts by its length."""
    game = Othello(size=6)
    memory, lengths = GameReplay(game, 1000), []
    for seed in range(6):
        episode = played(game, seed, limit=[5, 60][seed % 2])
        memory.add(replace(episode, weights=np.ones_like(episode.weights)))
        lengths.append(len(episode.actions))
    samples = memory.sample(np.random.default_rng(0), 20_000)
    counts = np.bincount(samples.games * 100 + samples.plies, minlength=600).reshape(6, 100)
    counts = np.concatenate([row[:length] for row, length in zip(counts, lengths, strict=True)])
    assert counts.sum() == 20_000
    assert chisquare(counts).pvalue > 1e-3


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 11), min_size=1, max_size=60), st.integers(9, 40))
def test_the_oldest_whole_games_leave(numbers, room):
    """Against a plain list of games, for any order of games of different length."""
    game = TicTacToe()
    memory, held = GameReplay(game, room), deque()
    for begun, number in enumerate(numbers):
        memory.add(EPISODES[number])
        held.append((begun, EPISODES[number]))
        while sum(len(kept.actions) for _, kept in held) > room:
            held.popleft()
    assert len(memory) == sum(len(kept.actions) for _, kept in held)
    assert memory.games == len(held)
    assert memory.added == memory.targets_added == sum(len(EPISODES[number].actions) for number in numbers)
    samples, kept = memory.sample(np.random.default_rng(0), 64), dict(held)
    for i, (number, ply) in enumerate(zip(samples.games, samples.plies, strict=True)):
        assert np.array_equal(samples.observations[i], game.observe(positions(game, kept[number])[ply])[0])
        assert np.array_equal(samples.policies[i], dense(game, kept[number], ply))


def test_many_short_games_after_long_ones():
    """More games are held than ever before while the oldest leave, and what came last can be sampled at once."""
    game, rng = TicTacToe(), np.random.default_rng(0)
    long, short = ([episode for episode in EPISODES if len(episode.actions) == plies] for plies in (9, 5))
    memory, held = GameReplay(game, 200), []
    for number in range(90):
        memory.add([long, short][number > 22][number % 3])
        held.append([long, short][number > 22][number % 3])
        samples = memory.sample(rng, 8)
        for i, (kept, ply) in enumerate(zip(samples.games, samples.plies, strict=True)):
            assert np.array_equal(samples.observations[i], game.observe(positions(game, held[kept])[ply])[0])
            assert samples.outcomes[i] == held[kept].result * (-1) ** ply
    assert memory.games == 40
    assert set(memory.sample(rng, 2000).games) == set(range(50, 90))


class Always:
    """A generator that always draws the same number."""

    def __init__(self, drawn):
        self.drawn = drawn

    def random(self, n):
        return np.full(n, self.drawn)


@pytest.mark.parametrize(("drawn", "ply"), [(0.0, 2), (np.nextafter(1, 0), 5), (0.5, 5), (np.nextafter(0.5, 0), 2)])
def test_draws_at_the_edges_keep_to_positions_with_a_weight(drawn, ply):
    episode = next(e for e in EPISODES if len(e.actions) == 8)
    memory = GameReplay(TicTacToe(), 50)
    memory.add(replace(episode, weights=np.array([0, 0, 0.7, 0, 0, 0.7, 0, 0], np.float32)))
    assert set(memory.sample(Always(drawn), 3).plies) == {ply}


@pytest.mark.parametrize("game", [Go(size=4), Go(size=(3, 4)), ConnectFour()], ids=lambda game: game.name)
def test_policies_of_turned_boards_are_turned_back(game):
    """A policy that looks at the planes alone follows the board, and turning it back undoes that."""
    symmetries, rng = game.symmetries(), np.random.default_rng(0)
    chosen = np.arange(40) % len(symmetries)
    planes = rng.random((40, *game.planes))
    assert np.array_equal(Turned(symmetries, None).turned_back(planes), planes)
    values = rng.random((40, game.num_actions))
    turned = Turned(symmetries, chosen)
    assert np.array_equal(turned.turned_back(turned.by_action(values)), values)
    for i, number in enumerate(chosen):
        assert np.array_equal(turned.by_action(values)[i, symmetries[number].actions], values[i])
        assert np.array_equal(turned.planes(planes)[i], symmetries[number].planes(planes[i]))
    if game.num_actions > game.planes[1] * game.planes[2]:
        seen = turned.planes(planes)[:, 0].reshape(40, -1)
        assert np.array_equal(turned.turned_back(np.c_[seen, seen[:, 0]])[:, :-1], planes[:, 0].reshape(40, -1))


def owners_by_hand(board):
    """+1, -1 or 0 a point: stones, and the empty points that only one colour is reached from."""
    height, width = board.shape
    owners = board.copy()
    for y, x in zip(*np.nonzero(board == 0), strict=True):
        reached, todo, colours = {(y, x)}, [(y, x)], set()
        while todo:
            b, a = todo.pop()
            for near in ((b - 1, a), (b + 1, a), (b, a - 1), (b, a + 1)):
                if 0 <= near[0] < height and 0 <= near[1] < width and near not in reached:
                    if board[near]:
                        colours.add(int(board[near]))
                    else:
                        reached.add(near)
                        todo.append(near)
        owners[y, x] = colours.pop() if len(colours) == 1 else 0
    return owners


@pytest.mark.parametrize("size", [4, (3, 4)])
def test_ownership_is_the_final_area_as_the_player_to_move_sees_it(size):
    game = Go(size=size)
    memory, episodes = GameReplay(game, 1000), [played(game, seed, limit=100) for seed in range(12)]
    for episode in episodes:
        memory.add(episode)
        owners = final_owners(game, episode.final)[0]
        assert owners.sum() - game.komi == game.score(episode.final)[0]
        assert np.array_equal(owners.reshape(game.planes[1:]), owners_by_hand(game.board(episode.final)))
    plain = memory.sample(np.random.default_rng(0), 100, ownership=True)
    for i, number in enumerate(plain.games):
        sign = 1 if game.turn(positions(game, episodes[number])[plain.plies[i]])[0] == 0 else -1
        assert np.array_equal(plain.ownership[i], sign * owners_by_hand(game.board(episodes[number].final)))
        assert plain.finished[i] == (game.ending(episodes[number].final)[0] != 0)
    assert plain.finished.any()
    turned = memory.sample(np.random.default_rng(0), 100, symmetries=True, ownership=True)
    assert np.array_equal(turned.games, plain.games)
    for i in range(100):
        fits = [g for g in game.symmetries() if np.array_equal(g.planes(plain.observations[i]), turned.observations[i])]
        assert any(np.array_equal(g.planes(plain.ownership[i]), turned.ownership[i]) for g in fits)


def test_a_game_given_up_is_not_finished():
    game = Go(size=4)
    memory = GameReplay(game)
    memory.add(replace(played(game, 0, limit=4), result=1.0))
    assert not memory.sample(np.random.default_rng(0), 4, ownership=True).finished.any()


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))


@pytest.mark.parametrize("game", GAMES, ids=NAMES)
def test_saved_and_loaded_samples_go_on_bit_for_bit(tmp_path, game):
    memory = GameReplay(game, 150)
    for seed in range(15):
        memory.add(played(game, seed, opening=seed % 2, limit=35))
    memory.save(tmp_path / "replay")
    other = GameReplay(game, 150)
    other.add(played(game, 99))
    other.load(tmp_path / "replay")
    for number in range(3):  # also after new games have come and old ones have left
        assert (len(other), other.games, other.added) == (len(memory), memory.games, memory.added)
        assert other.targets_added == memory.targets_added
        one, two = (held.sample(np.random.default_rng(number), 64, True, replies=True) for held in (memory, other))
        assert same(one, two)
        for seed in range(4 * number, 4 * number + 4):
            memory.add(played(game, seed))
            other.add(played(game, seed))


def test_an_empty_replay_can_be_saved_and_loaded(tmp_path):
    GameReplay(TicTacToe()).save(tmp_path / "replay")
    memory = GameReplay(TicTacToe())
    memory.add(played(TicTacToe(), 0))
    memory.load(tmp_path / "replay")
    assert len(memory) == memory.games == memory.added == 0


def test_a_saved_replay_is_replaced_whole(tmp_path):
    memory = GameReplay(TicTacToe())
    for seed in range(3):
        memory.add(played(TicTacToe(), seed))
        memory.save(tmp_path / "replay")
    assert [path.name for path in tmp_path.iterdir()] == ["replay"]
    other = GameReplay(TicTacToe())
    other.load(tmp_path / "replay")
    assert other.games == 3


@pytest.mark.parametrize("room", [20, 500])
def test_another_number_of_positions_keeps_the_latest_games_that_fit(tmp_path, room):
    game = ConnectFour()
    memory, other, fresh = GameReplay(game, 200), GameReplay(game, room), GameReplay(game, room)
    for seed in range(20):
        memory.add(played(game, seed))
    for seed in range(20 - memory.games, 20):
        if len(played(game, seed).actions) <= room:
            fresh.add(played(game, seed))
    memory.save(tmp_path / "replay")
    other.load(tmp_path / "replay")
    assert len(other) == len(fresh)
    one, two = (held.sample(np.random.default_rng(0), 50) for held in (other, fresh))
    assert np.array_equal(one.observations, two.observations)


def test_a_replay_of_another_kind_is_refused(tmp_path):
    memory = GameReplay(Go(size=4), 50)
    memory.add(played(Go(size=4), 0, limit=9))
    memory.save(tmp_path / "replay")
    with pytest.raises(ValueError, match=r"another game: 'go-4x4', wanted 'go-5x5'"):
        GameReplay(Go(size=5)).load(tmp_path / "replay")
    with pytest.raises(ValueError, match="another width: 17, wanted 5"):
        GameReplay(Go(size=4), width=5).load(tmp_path / "replay")
    with pytest.raises(FileNotFoundError):
        GameReplay(Go(size=4)).load(tmp_path / "nowhere")
    assert json.loads((tmp_path / "replay" / "replay.json").read_text())["positions"] == 50


BAD = [
    ({"actions": np.zeros(0, np.int32)}, "one action at least"),
    ({"actions": np.zeros(5, np.int64)}, "actions of an episode must be int32 "),
    ({"target_probabilities": np.ones((2, 9), np.float32)}, "target_probabilities of an episode must be float32 "),
    ({"values": np.full(7, 2, np.float32)}, "-1..1"),
    ({"weights": np.full(7, np.nan, np.float32)}, "weights"),
    ({"weights": -np.ones(7, np.float32)}, "weights"),
    ({"result": 1.5}, "result of an episode must lie in"),
    ({"start": TicTacToe().new(2)}, "start of an episode"),
    ({"target_probabilities": np.zeros((7, 9), np.float32)}, "target_probabilities of ply 0 must sum to 1, got 0"),
    ({"target_actions": np.full((7, 9), -1, np.int32)}, "0 where target_actions is -1"),
]


@pytest.mark.parametrize(("change", "words"), BAD, ids=[words for _, words in BAD])
def test_episodes_that_do_not_fit_are_refused(change, words):
    episode = next(episode for episode in EPISODES if len(episode.actions) == 7)
    with pytest.raises(ValueError, match=words):
        replace(episode, **change)


def test_what_a_replay_refuses():
    game, episode = TicTacToe(), played(TicTacToe(), 0)
    with pytest.raises(ValueError, match="nothing to sample"):
        GameReplay(game).sample(np.random.default_rng(0), 1)
    with pytest.raises(ValueError, match="does not fit a replay of 3 positions"):
        GameReplay(game, 3).add(episode)
    with pytest.raises(ValueError, match="name 2 actions at the most"):
        GameReplay(game, width=2).add(episode)
    with pytest.raises(ValueError, match="no position of go-4x4"):
        GameReplay(Go(size=4)).add(episode)
    with pytest.raises(ValueError, match=r"actions of tictactoe are 0\.\.8"):
        GameReplay(game).add(replace(episode, actions=episode.actions + np.int32(9)))
    with pytest.raises(ValueError, match="only Go has"):
        GameReplay(game).sample(np.random.default_rng(0), 1, ownership=True)
    with pytest.raises(ValueError, match="positions=0"):
        GameReplay(game, 0)


@pytest.mark.parametrize("room", [100_000_000, 10_000])
def test_memory_grows_with_what_is_held(room):
    """And what is held is what a replay holds that had all its room at once: the order of places is that of games."""
    game = ConnectFour()
    tracemalloc.start()
    try:
        memory = GameReplay(game, room)
        bare = tracemalloc.get_traced_memory()[0]
        episodes = [played(game, seed) for seed in range(40)]
        before = tracemalloc.get_traced_memory()[0]
        for episode in episodes:
            memory.add(episode)
        samples = memory.sample(np.random.default_rng(0), 500, replies=True)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert bare < 100_000
    assert most - before < 3_000_000
    for i, (number, ply) in enumerate(zip(samples.games, samples.plies, strict=True)):
        episode = episodes[number]
        assert np.array_equal(samples.observations[i], game.observe(positions(game, episode)[ply])[0])
        last = ply + 1 == len(episode.actions) or episode.weights[ply + 1] == 0
        assert np.array_equal(samples.replies[i], 0 * samples.replies[i] if last else dense(game, episode, ply + 1))


def test_a_narrow_episode_fits_a_wide_replay():
    """And leaves nothing of the targets that stood there before."""
    game, memory = TicTacToe(), GameReplay(TicTacToe(), 9)
    for seed in range(30):
        memory.add(played(game, seed))
    episode = played(game, 5, width=2)
    memory.add(episode)
    samples = memory.sample(np.random.default_rng(0), 50)
    for policy, ply in zip(samples.policies, samples.plies, strict=True):
        assert np.array_equal(policy, dense(game, episode, ply))
