"""Policy gradients against sums written out, the pool of opponents, improvement, resuming."""

import numpy as np
import pytest

from sakiyomi.boards import Go

torch = pytest.importorskip("torch")

from sakiyomi.agents.alphago import tower  # noqa: E402
from sakiyomi.agents.alphago.policy import PolicyNet, probabilities  # noqa: E402
from sakiyomi.agents.alphago.policy_games import PolicyPlayer, match  # noqa: E402
from sakiyomi.agents.alphago.reinforce import Lessons, Reinforce, log_likelihoods, policy_gradient  # noqa: E402
from sakiyomi.agents.alphago.value import ValueNet  # noqa: E402
from sakiyomi.agents.parts.dual.learner import seeded  # noqa: E402

SIZE, AREA = 3, 9
GAME = Go(SIZE, komi=0.5)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def float32(monkeypatch):
    """Layers compute in float32 on every machine."""
    monkeypatch.setattr(tower, "computes_with_bfloat16", lambda: False)


def net_of(seed=0, planes=4, size=SIZE, **settings):
    with seeded(seed):
        net = PolicyNet((planes, size, size), **{"filters": 4, "layers": 3} | settings)
        torch.nn.init.normal_(net.last.weight, std=0.3)
    return net


def value_of(seed=5):
    with seeded(seed):
        net = ValueNet((49, SIZE, SIZE), filters=4, layers=4, hidden=4)
        torch.nn.init.normal_(net.last.weight, std=1.0)
    return net


def lessons_of(m=20, seed=0):
    rng = np.random.default_rng(seed)
    allowed = rng.random((m, AREA)) < 0.6
    moves = rng.integers(AREA, size=m)
    allowed[np.arange(m), moves] = True
    planes = rng.integers(0, 2, (m, 4, SIZE, SIZE)).astype(np.uint8)
    return Lessons(planes, allowed, moves, rng.integers(0, 5, m), np.zeros(m, np.float32))


def noted(reinforce):
    """What `reinforce` learns from, as it goes."""
    seen, play = [], reinforce._play

    def playing():
        seen.append(play())
        return seen[-1]

    reinforce._play = playing
    return seen


def test_likelihoods_by_hand():
    logits = torch.tensor([[0.0, 1.0, 2.0]])
    allowed = torch.tensor([[True, False, True]])
    found = log_likelihoods(logits, allowed, torch.tensor([2]))
    assert found.item() == pytest.approx(2 - np.log(1 + np.e**2), rel=1e-6)


def test_gradient_of_the_biases_is_the_sum_written_out():
    """d log p(a) / d bias_k = [a = k] - p_k: the whole sum over games and moves, in NumPy."""
    net, lessons = net_of(), lessons_of()
    advantages = np.random.default_rng(1).normal(size=20).astype(np.float32)
    policy_gradient(net, lessons, advantages, games=5)
    shares = probabilities(net, lessons.planes, lessons.allowed).astype(np.float64)
    scores = np.eye(AREA)[lessons.moves] - shares
    expected = -(advantages[:, None] * scores).sum(0) / 5
    np.testing.assert_allclose(net.bias.grad.numpy(), expected, rtol=1e-4, atol=1e-6)


def test_gradient_of_all_weights_by_finite_differences():
    """Against a loss recomputed in float64, each weight moved a little."""
    net, lessons = net_of(filters=2, layers=2), lessons_of(8)
    advantages = np.random.default_rng(2).normal(size=8).astype(np.float32)
    policy_gradient(net, lessons, advantages, games=3)
    found = [weight.grad.numpy().astype(np.float64).ravel() for weight in net.parameters()]
    wide = net_of(filters=2, layers=2).double()

    def objective():
        with torch.no_grad():
            logits = wide(torch.from_numpy(lessons.planes).double()).numpy()
        masked = np.where(lessons.allowed, logits, -np.inf)
        logs = masked - np.log(np.exp(masked).sum(1, keepdims=True))
        return -(advantages * logs[np.arange(8), lessons.moves]).sum() / 3

    for weight, gradient in zip(wide.parameters(), found, strict=True):
        flat = weight.data.view(-1)
        for k in range(0, len(flat), 7):
            before = flat[k].item()
            sides = []
            for step in (1e-5, -1e-5):
                flat[k] = before + step
                sides.append(objective())
            flat[k] = before
            assert gradient[k] == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-3, abs=1e-5)


def test_only_the_learners_moves_count():
    """Each lesson stands in a game in which the learner has the colour to move; passes are not among them."""
    reinforce = Reinforce(GAME, net_of(planes=49), games=12, seed=3)
    seen = noted(reinforce)
    reinforce.step(0.0)
    lessons, results, _ = seen[0]
    black_to_move = lessons.planes[:, 48, 0, 0] == 1
    np.testing.assert_array_equal(black_to_move, lessons.games % 2 == 0)
    assert lessons.allowed[np.arange(len(lessons.moves)), lessons.moves].all()
    assert set(lessons.games.tolist()) == set(range(12))
    assert results.shape == (12,)
    assert set(results.tolist()) <= {-1, 1}


def test_nothing_is_learnt_without_moves_of_its_own_or_surprise():
    net = net_of()
    nothing = Lessons(*(column[:0] for column in lessons_of()))
    policy_gradient(net, nothing, np.zeros(0, np.float32), games=4)
    assert all(weight.grad is None for weight in net.parameters())
    policy_gradient(net, lessons_of(), np.zeros(20, np.float32), games=4)  # z = b everywhere
    assert all((weight.grad == 0).all() for weight in net.parameters())


def test_results_have_the_learners_sign():
    """With a komi that decides every game, the learner wins exactly where it has the winner's colour."""
    for komi, colour in ((-50, 0), (50, 1)):
        reinforce = Reinforce(Go(SIZE, komi=komi), net_of(), games=6, seed=0)
        seen = noted(reinforce)
        figures = reinforce.step(0.01)
        assert seen[0][1].tolist() == [1 if row % 2 == colour else -1 for row in range(6)]
        assert figures["score"] == 0.5


def test_step_is_alpha_times_the_sum():
    """rho moves by alpha / n * sum (z - b) grad log p, with the baseline taken off; the sum by autograd of its own."""
    for value in (None, value_of()):
        net, own = net_of(), net_of()
        reinforce = Reinforce(GAME, net, games=8, baseline=value, seed=1)
        seen = noted(reinforce)
        reinforce.step(0.2)
        lessons, results, _ = seen[0]
        assert (np.abs(lessons.baselines).max() > 0) == (value is not None)
        logits = own(torch.from_numpy(lessons.planes).float())
        logs = logits.masked_fill(~torch.from_numpy(lessons.allowed), -torch.inf).log_softmax(1)
        weighed = (
            torch.from_numpy(results[lessons.games] - lessons.baselines)
            * logs[torch.arange(len(lessons.moves)), torch.from_numpy(lessons.moves)]
        )
        (weighed.sum() / 8).backward()
        moved = torch.cat([(new - old).flatten() for new, old in zip(net.parameters(), own.parameters(), strict=True)])
        wanted = torch.cat([0.2 * weight.grad.flatten() for weight in own.parameters()])
        assert (moved - wanted).norm() < 1e-4 * wanted.norm()


def test_pool_grows_by_the_present_policy():
    reinforce = Reinforce(GAME, net_of(), games=4, pool_every=2, seed=0)
    figures = [reinforce.step(0.1) for _ in range(5)]
    assert len(reinforce.pool) == 3
    assert {figure["opponent"] for figure in figures[:2]} == {0}
    assert {figure["opponent"] for figure in figures} <= {0, 1, 2}
    first, last = (reinforce.pool[number]["bias"] for number in (0, -1))
    assert torch.equal(first, net_of().bias.detach())  # the pool keeps the policy that it began with
    assert not torch.equal(first, last)
    alone = Reinforce(GAME, net_of(), games=4, pool_every=1, self_only=True, seed=0)
    assert [alone.step(0.1)["opponent"] for _ in range(2)] == [-1, -1]
    assert len(alone.pool) == 1


def test_self_only_plays_the_present_policy():
    reinforce = Reinforce(GAME, net_of(), games=4, self_only=True, seed=0)
    for _ in range(2):
        before = {name: weight.clone() for name, weight in reinforce.net.state_dict().items()}
        reinforce.step(0.5)
        for name, weight in reinforce._opponent.state_dict().items():
            assert torch.equal(weight, before[name])


def test_settings_that_make_no_sense():
    with pytest.raises(ValueError, match="1 or more"):
        Reinforce(GAME, net_of(), games=0)


@pytest.mark.parametrize(("self_only", "baseline"), [(False, None), (True, None), (False, value_of())])
def test_what_is_resumed_goes_on_bit_for_bit(tmp_path, self_only, baseline):
    def begun(seed=0, baseline=None):
        settings = {"games": 4, "pool_every": 2, "momentum": 0.9, "self_only": self_only, "seed": seed}
        return Reinforce(GAME, net_of(seed), baseline=baseline, **settings)

    whole, first = begun(baseline=baseline), begun(baseline=baseline)
    told = [whole.step(0.1) for _ in range(6)]
    for _ in range(3):
        first.step(0.1)
    first.save(tmp_path / "reinforce")
    second = begun(seed=8)
    second.load(tmp_path / "reinforce")
    assert (second.baseline is None) == (baseline is None)
    assert [second.step(0.1) for _ in range(3)] == told[3:]
    for name, weight in whole.net.state_dict().items():
        assert torch.equal(weight, second.net.state_dict()[name]), name
    assert len(second.pool) == len(whole.pool)


def test_it_learns_to_beat_where_it_began():
    """On 3x3 some steps of policy gradient make a policy that beats the first one in most games."""
    game = Go(3, komi=0.5)
    net, first = net_of(filters=16), net_of(filters=16)
    reinforce = Reinforce(game, net, games=32, pool_every=10, seed=2)
    for _ in range(30):
        reinforce.step(0.05)
    rng = np.random.default_rng(9)
    results = match(game, PolicyPlayer(game, net, rng), PolicyPlayer(game, first, rng), 200)
    assert (results > 0).mean() > 0.6
