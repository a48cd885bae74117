"""The value network and its data: shape, errors, learning, the distribution of the moves by which games turn."""

import numpy as np
import pytest
from scipy import stats

from sakiyomi.boards import Go

torch = pytest.importorskip("torch")

from sakiyomi.agents.alphago import tower, value_data  # noqa: E402
from sakiyomi.agents.alphago.policy import PolicyNet  # noqa: E402
from sakiyomi.agents.alphago.policy_games import drawn, match, play_games, sensible_points  # noqa: E402
from sakiyomi.agents.alphago.records import Batch  # noqa: E402
from sakiyomi.agents.alphago.value import ValueLearning, ValueNet, value_error, values_of  # noqa: E402
from sakiyomi.agents.alphago.value_data import most_turning, value_positions, whole_games  # noqa: E402
from sakiyomi.agents.parts.dual.learner import seeded  # noqa: E402

SIZE, AREA = 5, 25


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def float32(monkeypatch):
    """Layers compute in float32 on every machine."""
    monkeypatch.setattr(tower, "computes_with_bfloat16", lambda: False)


def policy_of(biases, planes=4):
    """A policy that takes no notice of the board: logits `biases` [area]."""
    net = PolicyNet((planes, SIZE, SIZE), filters=1, layers=2)
    with torch.no_grad():
        net.last.weight.zero_()
        net.bias.copy_(torch.from_numpy(np.asarray(biases, np.float32)))
    return net


def net_of(seed=0, **settings):
    with seeded(seed):
        return ValueNet((49, SIZE, SIZE), **{"filters": 16, "layers": 5, "hidden": 32} | settings)


def batch_of(n=64, seed=0):
    rng = np.random.default_rng(seed)
    uniform = policy_of(np.zeros(AREA))
    records = value_positions(Go(SIZE), uniform, uniform, n, rng)
    batch = records.batch(records.draw(rng, n), 49)
    return batch._replace(results=rng.choice([-1, 1], n).astype(np.float32))


@pytest.mark.parametrize(("filters", "layers", "hidden", "size"), [(192, 15, 256, 19), (32, 6, 64, 9), (5, 4, 3, 2)])
def test_layers_and_parameters_are_the_papers(filters, layers, hidden, size):
    net = ValueNet((49, size, size), filters=filters, layers=layers, hidden=hidden)
    weighted = [module for module in net.modules() if isinstance(module, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(weighted) == layers
    sizes = [module.kernel_size[0] for module in weighted if isinstance(module, torch.nn.Conv2d)]
    assert sizes == [5] + [3] * (layers - 4) + [1]
    first = 25 * 49 * filters + filters
    others = (layers - 4) * (9 * filters * filters + filters)
    full = (filters + 1) + (size * size * hidden + hidden) + (hidden + 1)
    assert sum(each.numel() for each in net.parameters()) == first + others + full
    values = net(torch.ones(3, 49, size, size))
    assert values.shape == (3,)
    assert values.abs().max() < 0.5  # it begins by knowing nothing
    assert ValueNet(**net.settings()).settings() == net.settings()


def test_errors_of_known_values(float32):
    net, batch = net_of(), batch_of(4)
    with torch.no_grad():
        net.last.weight.zero_()
        net.last.bias.fill_(np.arctanh(0.5))
    np.testing.assert_allclose(values_of(net, batch.planes), 0.5, rtol=1e-5)
    found = value_error(net, batch._replace(results=np.array([1, -1, 0, 1], np.float32)))
    assert found["mse"] == pytest.approx((0.25 + 2.25 + 0.25 + 0.25) / 4, rel=1e-4)
    assert found["mse/4"] == pytest.approx(found["mse"] / 4)
    unknown = batch._replace(results=np.array([1, np.nan, 0, 1], np.float32))
    with pytest.raises(ValueError, match="1 of 4 positions"):
        value_error(net, unknown)
    with pytest.raises(ValueError, match="unknown result"):
        ValueLearning(net).step(unknown, 0.1)


def test_overfits_64_results():
    batch = batch_of()
    _, firsts = np.unique(batch.planes[:, [0, 1, 2, 48]].reshape(64, -1), axis=0, return_index=True)
    batch = Batch(*(column[firsts] for column in batch))
    net = net_of()
    learning = ValueLearning(net, optimizer="adam")
    first = learning.step(batch, 3e-3)
    assert first["mse/4"] == first["loss/value"] / 4
    for _ in range(150):
        learning.step(batch, 3e-3)
    assert value_error(net, batch)["mse"] < 0.05 < first["loss/value"]


def test_what_is_resumed_goes_on_bit_for_bit(tmp_path):
    batches = [batch_of(16, seed) for seed in range(4)]
    whole, first = ValueLearning(net_of()), ValueLearning(net_of())
    for batch in batches:
        whole.step(batch, 0.01)
    for batch in batches[:2]:
        first.step(batch, 0.01)
    first.save(tmp_path / "value")
    second = ValueLearning(net_of(seed=3))
    second.load(tmp_path / "value")
    for batch in batches[2:]:
        second.step(batch, 0.01)
    for name, weight in whole.net.state_dict().items():
        assert torch.equal(weight, second.net.state_dict()[name]), name


def test_moves_are_drawn_by_their_shares():
    rng = np.random.default_rng(0)
    shares = np.array([0.0, 0.5, 0.2, 0.0, 0.3, 0.0])
    found = np.bincount(drawn(np.tile(shares, (20_000, 1)), rng), minlength=6)
    assert found[[0, 3, 5]].sum() == 0
    assert stats.chisquare(found[[1, 2, 4]], 20_000 * shares[[1, 2, 4]]).pvalue > 1e-4
    assert drawn(np.zeros((2, 6)), rng).tolist() == [6, 6]


def test_games_end_with_full_boards_and_right_results():
    game, rng = Go(SIZE, komi=0.5), np.random.default_rng(1)
    seen = []

    def choose(states, rows):
        allowed = sensible_points(game, states)
        actions = drawn(allowed.astype(np.float64), rng)
        assert ((actions == AREA) == ~allowed.any(axis=1)).all()  # passes where nothing makes sense, only there
        seen.append((rows, actions))
        return actions

    played = play_games(game, choose, 20)
    for row in range(20):
        states = game.new(1)
        for move in played.moves[row, : played.lengths[row]]:
            assert game.legal(states)[0, move]
            game.play(states, np.array([move]))
        assert game.ending(states)[0] != 0
        assert game.result(states)[0] == played.results[row]
        assert (played.moves[row, played.lengths[row] :] == AREA).all()
    assert len(seen) == played.lengths.max()


def test_colours_alternate_in_a_match():
    """Who plays anywhere beats who passes; and each is asked for its own colour only."""
    game, rng, turns = Go(SIZE), np.random.default_rng(2), set()

    def plays(states, rows):
        turns.update(zip((rows % 2).tolist(), states["turn"].tolist(), strict=True))
        return drawn(sensible_points(game, states).astype(np.float64), rng)

    def passes(states, rows):
        return np.full(len(states), AREA, np.int32)

    assert match(game, plays, passes, 7).tolist() == [1] * 7
    assert turns == {(0, 0), (1, 1)}
    assert match(game, passes, plays, 7).tolist() == [-1] * 7


def test_most_turning_moves():
    assert most_turning(361) == 450
    assert most_turning(81) == 101
    assert most_turning(1) == 1


def test_turning_is_uniform_with_one_random_move(monkeypatch):
    """SL likes the first points, RL the last: their moves and the random one can be told apart."""
    drawn_turning, kinds = [], []
    monkeypatch.setattr(value_data, "MOST_TURNING", 10 * 361 / AREA)  # U in 1..10: no game ends before
    games = value_data._turned_games

    def noted(game, sl, rl, turning, rng):
        drawn_turning.extend(turning.tolist())
        played, valid = games(game, sl, rl, turning, rng)
        for u, row, length in zip(turning, played.moves, played.lengths, strict=True):
            kinds.append((int(u), row[:length].tolist()))
        return played, valid

    monkeypatch.setattr(value_data, "_turned_games", noted)
    order = np.arange(AREA)
    sl, rl = policy_of(-40.0 * order), policy_of(40.0 * order)
    records = value_positions(Go(SIZE), sl, rl, 600, np.random.default_rng(4))
    counts = np.bincount(drawn_turning, minlength=11)[1:]
    assert stats.chisquare(counts).pvalue > 1e-4
    game, random_moves = Go(SIZE), []
    for u, moves in kinds[:100]:
        states = game.new(1)
        for ply, move in enumerate(moves):
            allowed = np.flatnonzero(sensible_points(game, states)[0])
            if ply == u - 1:
                assert game.legal(states)[0, move]
                random_moves.append(move)
            elif len(allowed):
                assert move == (allowed[0] if ply < u - 1 else allowed[-1])
            game.play(states, np.array([move]))
    assert len(random_moves) == 100
    assert len(set(random_moves)) > 15
    assert len(records) == len(records.places) == 600
    assert (records.offsets[1:] - 1 == records.places).all()  # one position a game, before the first move of RL
    plies = records.places - records.offsets[:-1]
    assert stats.chisquare(np.bincount(plies, minlength=11)[1:]).pvalue > 1e-4


def test_results_are_those_of_the_player_to_move():
    """Black holds all the board after its first moves if White plays only where Black lets it: signs by the winner."""
    uniform, rng = policy_of(np.zeros(AREA)), np.random.default_rng(5)
    for komi, winner in ((-100, 1), (100, -1)):
        records = value_positions(Go(SIZE, komi=komi), uniform, uniform, 40, rng)
        assert (records.results == winner).all()
        batch = records.batch(records.at(records.places), 49)
        black_to_move = batch.planes[:, 48, 0, 0] == 1
        np.testing.assert_array_equal(batch.results, np.where(black_to_move, winner, -winner))
        assert {True, False} == set(black_to_move.tolist())


def test_games_too_short_give_nothing():
    """On 2x2 games end after few moves, long before the latest turning point: those are left out."""
    net = PolicyNet((4, 2, 2), filters=1, layers=2)
    told = []
    records = value_positions(Go(2), net, net, 30, np.random.default_rng(6), tell=told.append)
    assert len(records) == told[-1] == 30
    assert (records.lengths > 1).all()
    with pytest.raises(ValueError, match="1 or more"):
        value_positions(Go(2), net, net, 0, np.random.default_rng(6))


def test_same_seed_same_games():
    uniform = policy_of(np.zeros(AREA))
    first, second = (value_positions(Go(SIZE), uniform, uniform, 20, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first.moves, second.moves)


def test_whole_games_hold_all_positions():
    records = whole_games(Go(SIZE), policy_of(np.zeros(AREA)), 10, np.random.default_rng(8))
    assert len(records) == 10
    assert len(records.places) == len(records.moves)
    assert (records.lengths > 10).all()
    batch = records.batch(records.at(records.places), 49)
    game_results = np.repeat(records.results, records.lengths)
    black = batch.planes[:, 48, 0, 0] == 1
    np.testing.assert_array_equal(batch.results, np.where(black, game_results, -game_results))
