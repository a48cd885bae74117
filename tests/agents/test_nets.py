"""The residual network: shapes, the order of its actions, folding, and where it starts."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.dual.nets import DualNet, folded, pool  # noqa: E402
from sakiyomi.boards.chess import Chess  # noqa: E402
from sakiyomi.boards.chess import actions as chess_actions  # noqa: E402
from sakiyomi.boards.connect4 import ConnectFour  # noqa: E402
from sakiyomi.boards.go import Go  # noqa: E402
from sakiyomi.boards.othello import Othello  # noqa: E402
from sakiyomi.boards.shogi import Shogi  # noqa: E402
from sakiyomi.boards.shogi import actions as shogi_actions  # noqa: E402
from sakiyomi.boards.tictactoe import TicTacToe  # noqa: E402

EVERYTHING = {"pooling": True, "ownership": True, "reply": True}
GAMES = [Go(size=5), Go(size=(4, 6)), ConnectFour(), Othello(size=6), TicTacToe()]


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors gain nothing by a second core, and lose much where it is taken."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def shaken(net):
    """`net` as if it had been trained: every weight and every statistic of its own, its outputs far from 0."""
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if name.endswith("running_var"):
                value.uniform_(0.3, 3)
            elif value.is_floating_point():
                value.add_(torch.randn_like(value) * (0.3 if value.dim() == 1 else 0.3 / value[0].numel() ** 0.5))
    return net.eval()


def seen(net, n, seed=0):
    """Observations of n random boards."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(n, *net.planes, generator=generator) < 0.3).float()


@pytest.mark.parametrize("options", [{}, EVERYTHING])
@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.name)
def test_shapes_of_every_game(game, options):
    net = DualNet(game.planes, game.num_actions, blocks=2, channels=8, **options)
    observations = torch.from_numpy(np.float32(game.observe(game.new(3))))
    logits, values = net(observations)
    outputs = net.forward_all(observations)
    assert logits.shape == (3, game.num_actions)
    assert values.shape == (3,)
    if options:
        assert outputs.ownership.shape == (3, *game.planes[1:])
        assert outputs.reply.shape == logits.shape
    else:
        assert outputs.ownership is None
        assert outputs.reply is None


@pytest.mark.parametrize("game", [Chess(), Shogi()], ids=lambda game: game.name)
def test_shapes_of_the_games_with_planes_of_moves(game):
    net = DualNet(game.planes, game.num_actions, blocks=1, channels=8, policy="planes", **EVERYTHING)
    outputs = net.forward_all(torch.from_numpy(game.observe(game.new(2))))
    assert outputs.logits.shape == outputs.reply.shape == (2, game.num_actions)


@pytest.mark.parametrize("pooling", [False, True])
def test_the_first_policy_is_uniform_and_the_first_value_is_nought(pooling):
    torch.manual_seed(3)
    for policy, actions in (("linear", 26), ("planes", 50)):
        net = DualNet((17, 5, 5), actions, blocks=3, policy=policy, pooling=pooling).eval()
        logits, values = net(seen(net, 64))
        assert (logits.softmax(1) * actions - 1).abs().max() < 0.25
        assert values.abs().max() < 0.1


@pytest.mark.parametrize(("game", "planes"), [(Chess(), chess_actions.PLANES), (Shogi(), shogi_actions.PLANES)])
def test_the_logit_of_an_action_hangs_on_the_surroundings_of_its_square(game, planes):
    """Without blocks an output sees 5 x 5 squares: a change at one square moves the actions of its neighbours alone."""
    torch.manual_seed(1)
    net = shaken(DualNet(game.planes, game.num_actions, blocks=0, channels=8, policy="planes"))
    height, width = game.planes[1:]
    for y, x in ((0, 0), (3, 5), (height - 1, 2)):
        plain = torch.zeros(1, *game.planes)
        touched = plain.clone()
        touched[0, :, y, x] = 1
        moved = (net(plain)[0] != net(touched)[0]).reshape(height * width, planes).any(1).reshape(height, width)
        expected = torch.zeros(height, width, dtype=torch.bool)
        expected[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3] = True
        assert torch.equal(moved, expected)


@pytest.mark.parametrize("game", [Chess(), Shogi()], ids=lambda game: game.name)
def test_a_plane_of_the_policy_is_one_kind_of_move_from_every_square(game):
    """The last convolution's bias for one plane reaches the actions ``square * planes + plane`` and no others."""
    net = DualNet(game.planes, game.num_actions, blocks=0, channels=4, policy="planes").eval()
    area = game.planes[1] * game.planes[2]
    planes = game.num_actions // area
    before, _ = net(torch.zeros(1, *game.planes))
    with torch.no_grad():
        net.policy.last.bias[5] += 1
    after, _ = net(torch.zeros(1, *game.planes))
    assert torch.nonzero((after - before)[0] > 0.5).flatten().tolist() == [
        planes * square + 5 for square in range(area)
    ]


@pytest.mark.parametrize("options", [{}, EVERYTHING, {"policy": "planes", **EVERYTHING}])
def test_folding_changes_nothing_but_the_normalisations(options):
    torch.manual_seed(2)
    net = shaken(DualNet((4, 5, 5), 50, blocks=3, channels=16, **options))
    quick = folded(net)
    observations = seen(net, 64)
    with torch.no_grad():
        for ours, theirs in zip(quick.forward_all(observations), net.forward_all(observations), strict=True):
            if theirs is not None:
                torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
                assert theirs.std() > 0.01
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in quick.modules())
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in net.modules())


def test_folding_uses_what_the_net_has_seen_not_the_batch():
    net = DualNet((4, 5, 5), 26, blocks=1)
    net.train()
    quick = folded(net)
    assert net.training
    assert not quick.training
    torch.testing.assert_close(quick(seen(net, 8))[0], net.eval()(seen(net, 8))[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("pooling", [False, True])
def test_an_answer_does_not_depend_on_the_rest_of_the_batch(pooling):
    net = shaken(DualNet((4, 5, 5), 26, blocks=2, pooling=pooling))
    observations = seen(net, 16)
    together, _ = net(observations)
    alone = torch.cat([net(observations[i : i + 1])[0] for i in range(16)])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_pooling_lets_a_far_corner_be_seen():
    """Two blocks reach 5 points: on a board of 15 only pooling tells one corner of the other."""
    for pooling in (False, True):
        torch.manual_seed(4)
        net = shaken(DualNet((2, 15, 15), 225, blocks=2, channels=8, policy="planes"))
        plain = torch.zeros(1, 2, 15, 15)
        if pooling:
            net = shaken(DualNet((2, 15, 15), 225, blocks=2, channels=8, policy="planes", pooling=True))
        touched = plain.clone()
        touched[0, 0, 0, 0] = 1
        assert (net(plain)[0][0, -1] != net(touched)[0][0, -1]) == pooling


def test_pool_is_mean_and_maximum():
    x = torch.randn(3, 4, 5, 6)
    rows = x.numpy().reshape(3, 4, 30)
    np.testing.assert_allclose(pool(x).numpy(), np.concatenate([rows.mean(2), rows.max(2)], 1), rtol=1e-5, atol=1e-6)


def test_settings_rebuild_the_net():
    net = DualNet((4, 5, 5), 50, blocks=2, channels=12, policy="planes", value_filters=3, hidden=20, **EVERYTHING)
    again = DualNet(**net.settings())
    again.load_state_dict(net.state_dict())
    torch.testing.assert_close(net.eval()(seen(net, 4)), again.eval()(seen(net, 4)), rtol=0, atol=0)
    assert again.settings() == net.settings()


def test_the_papers_net_has_the_papers_size():
    """19 blocks of 256 filters after the first convolution, on 19 x 19: 39 convolutions of 3 x 3 in the tower."""
    with torch.device("meta"):
        net = DualNet((17, 19, 19), 362, blocks=19, channels=256)
    shapes = [module.weight.shape for module in net.modules() if isinstance(module, torch.nn.Conv2d | torch.nn.Linear)]
    assert shapes[:39] == [(256, 17, 3, 3), *[(256, 256, 3, 3)] * 38]
    assert shapes[39:] == [(2, 256, 1, 1), (362, 722), (1, 256, 1, 1), (256, 361), (1, 256)]


def test_the_net_learns_policy_value_and_the_other_heads():
    """A hundred steps on a rule of one plane: every head must come near it."""
    torch.manual_seed(5)
    net = DualNet((2, 5, 5), 25, blocks=2, channels=16, hidden=32, **EVERYTHING)
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(100):
        marks = torch.randint(25, (64,))
        observations = torch.zeros(64, 2, 25)
        observations[torch.arange(64), 0, marks] = 1
        outputs = net.forward_all(observations.reshape(64, 2, 5, 5))
        side = torch.where(marks % 5 < 2, 1.0, -1.0)
        policy = torch.nn.functional.cross_entropy(outputs.logits, marks)
        reply = torch.nn.functional.cross_entropy(outputs.reply, 24 - marks)
        value = (outputs.values - side).square().mean()
        owner = (outputs.ownership - observations[:, 0].reshape(64, 5, 5)).square().mean()
        optimiser.zero_grad()
        (policy + reply + value + owner).backward()
        optimiser.step()
    assert policy < 0.3
    assert reply < 0.3
    assert value < 0.2
    assert owner < 0.02


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"policy": "plane"}, "linear"),
        ({"policy": "planes"}, "25 points"),
        ({"channels": 1}, "channels"),
        ({"blocks": -1}, "blocks"),
    ],
)
def test_settings_that_fit_no_net(settings, says):
    with pytest.raises(ValueError, match=says):
        DualNet((4, 5, 5), 26, **settings)
