"""MuZero's networks: sizes, latent states, what tells of actions, and how many numbers the paper's have."""

from math import prod

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.dual.learner import seeded  # noqa: E402
from sakiyomi.agents.parts.muzero import nets  # noqa: E402
from sakiyomi.agents.parts.muzero.net_dynamics import NetDynamics  # noqa: E402
from sakiyomi.agents.parts.muzero.nets import MuZeroNet, action_planes, downsampled  # noqa: E402

SMALL = {
    "mlp": ((4,), 2, {"kind": "mlp", "channels": 12, "hidden": 16, "support": 10}),
    "board": ((3, 3, 3), 9, {"kind": "conv", "channels": 8, "hidden": 8, "blocks": 1}),
    "columns": ((2, 6, 7), 7, {"kind": "conv", "channels": 8, "hidden": 8, "blocks": 1, "columns": True}),
    "pictures": ((4, 33, 48), 6, {"kind": "atari", "channels": 8, "hidden": 8, "down_blocks": (1, 1, 1), "support": 5}),
}


@pytest.fixture(autouse=True)
def whole_precision(monkeypatch):
    """Else what is compared would depend on the machine."""
    monkeypatch.setattr(nets, "computes_with_bfloat16", lambda: False)


def made(name, **others):
    inputs, actions, settings = SMALL[name]
    with seeded(0):
        return MuZeroNet(inputs, actions, **settings | others)


def stirred(net):
    """With heads that say something: they begin at zero."""
    with torch.no_grad(), seeded(1):
        for parameter in net.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return net


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("scaling", ["state", "channel"])
def test_latent_states_stay_from_0_to_1(name, scaling):
    net = stirred(made(name, scaling=scaling)).eval()
    latents = net.represent(torch.randn(5, *net.inputs) * 30)
    assert latents.shape == (5, *net.latent)
    for step in range(50):
        assert latents.min().item() >= 0
        assert latents.max().item() <= 1 + 1e-6
        flat = latents.flatten(1)
        if step < 3 and (scaling == "state" or latents.ndim == 2):
            assert torch.allclose(flat.aminmax(dim=1).max, torch.ones(5))
            assert torch.allclose(flat.aminmax(dim=1).min, torch.zeros(5))
        _, latents = net.step(latents, torch.randint(net.actions, (5,)))


@pytest.mark.parametrize("name", SMALL)
def test_at_first_nothing_is_known(name):
    net = made(name).eval()
    latents = net.represent(torch.rand(3, *net.inputs))
    rewards, after = net.step(latents, torch.tensor([0, 1, 0]))
    for states in (latents, after):
        logits, values = net.predict(states)
        assert not logits.any()
        assert torch.allclose(net.scalars(values), torch.zeros(3), atol=1e-5)
    assert (rewards is None) == (net.support == 0)
    if rewards is not None:
        assert torch.allclose(net.scalars(rewards), torch.zeros(3), atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_every_action_is_told_apart(name):
    net = stirred(made(name)).eval()
    latents = net.represent(torch.rand(1, *net.inputs)).repeat_interleave(net.actions, 0)
    _, after = net.step(latents, torch.arange(net.actions))
    distances = torch.cdist(after.flatten(1), after.flatten(1))
    assert (distances + torch.eye(net.actions) > 1e-4).all()


@pytest.mark.parametrize(
    ("actions", "area", "planes"), [(9, 9, 1), (362, 361, 1), (7, 42, 7), (18, 36, 18), (4672, 64, 74)]
)
def test_planes_that_tell_of_actions(actions, area, planes):
    assert action_planes(actions, area) == planes


def test_a_point_of_the_board_and_a_pass():
    net = made("board", channels=2)
    wide = MuZeroNet((3, 3, 3), 10, kind="conv", channels=2, hidden=4)
    for each, action, wanted in ((net, 5, 5), (wide, 8, 8), (wide, 9, None)):
        told = each._with_actions(torch.zeros(1, 2, 3, 3), torch.tensor([action]))[0, 2:]
        assert told.shape == (1, 3, 3)
        assert told.flatten().nonzero().flatten().tolist() == ([] if wanted is None else [wanted])


def test_a_column_of_the_board():
    told = made("columns", channels=2)._with_actions(torch.zeros(2, 2, 6, 7), torch.tensor([0, 3]))[:, 2:]
    assert told.shape == (2, 1, 6, 7)
    for row, column in enumerate((0, 3)):
        assert told[row, 0].sum() == told[row, 0, :, column].sum() == 6


def test_a_square_and_a_kind_of_move():
    net = MuZeroNet((3, 4, 4), 16 * 5, kind="conv", channels=2, hidden=4)
    told = net._with_actions(torch.zeros(1, 2, 4, 4), torch.tensor([7 * 5 + 3]))[0, 2:]
    assert told.shape == (6, 4, 4)
    assert told[0].flatten().nonzero().item() == 7
    assert told[1:].sum((1, 2)).tolist() == [0, 0, 0, 16, 0]


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("norm", ["layer", "batch", "none"])
def test_what_is_asked_together_does_not_matter(name, norm):
    net = stirred(made(name, norm=norm))
    dynamics, inputs = NetDynamics(net.train()), np.random.default_rng(0).normal(size=(6, *net.inputs))
    logits, values, latents = dynamics.initial(inputs)
    actions = np.arange(6, dtype=np.int32) % net.actions
    told = dynamics.recurrent(latents, actions)
    for row in range(6):
        one = dynamics.initial(inputs[row : row + 1])
        alone = dynamics.recurrent(one[2], actions[row : row + 1])
        for together, single in zip((logits, values, latents, *told), (*one, *alone), strict=True):
            np.testing.assert_allclose(np.asarray(together)[row], np.asarray(single)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_convolutions_in_bfloat16_where_that_is_faster(name, monkeypatch):
    """What comes out, and what is added up over bins, is float32; the last layers stay near what they were."""
    net, found = stirred(made(name)).eval(), []
    seen = set()
    for module in net.modules():
        module.register_forward_hook(lambda module, inputs, output: seen.add((type(module).__name__, output.dtype)))
    for faster in (False, True):
        monkeypatch.setattr(nets, "computes_with_bfloat16", lambda faster=faster: faster)
        seen.clear()
        with torch.no_grad():
            latents = net.represent(torch.rand(3, *net.inputs, generator=torch.Generator().manual_seed(0)))
            rewards, after = net.step(latents, torch.tensor([0, 1, 0]))
            logits, values = net.predict(after)
        layers = {kind for name, kind in seen if name in ("Conv2d", "Linear")}
        assert layers == {torch.bfloat16 if faster and name != "mlp" else torch.float32}
        told = [latents, after, logits, values, net.scalars(values)]
        told += [] if rewards is None else [rewards, net.scalars(rewards)]
        assert all(each.dtype == torch.float32 for each in told)
        found.append(told)
    for whole, half in zip(*found, strict=True):
        torch.testing.assert_close(whole, half, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("name", SMALL)
def test_made_again_from_its_settings(name):
    net = stirred(made(name))
    other = MuZeroNet(**net.settings())
    other.load_state_dict(net.state_dict())
    inputs = torch.rand(2, *net.inputs)
    assert torch.equal(net.eval().represent(inputs), other.eval().represent(inputs))


def size(module):
    return sum(parameter.numel() for parameter in module.parameters())


def block(channels):
    """Two convolutions of 3 x 3 with a scale and a shift for each plane."""
    return 2 * (9 * channels**2 + 2 * channels)


def test_the_paper_s_network_for_go():
    with torch.device("meta"):
        net = MuZeroNet((17, 19, 19), 362, kind="conv", channels=256, hidden=256, blocks=16, norm="batch")
    tower = 16 * block(256)
    assert size(net.representation) == 9 * 17 * 256 + 2 * 256 + tower == 18_930_432
    assert size(net.dynamics) == 9 * 257 * 256 + 2 * 256 + tower == 19_483_392
    assert size(net.policy) == 256 * 2 + 2 * 2 + (2 * 361 + 1) * 362
    assert size(net.value) == 256 * 2 + 2 * 2 + (2 * 361 + 1) * 256 + 257
    assert net.reward is None


def test_the_paper_s_network_for_atari():
    with torch.device("meta"):
        net = MuZeroNet((128, 96, 96), 18, kind="atari", channels=256, hidden=256, blocks=16, support=300, norm="batch")
    assert net.latent == (256, 6, 6)
    down = 9 * 128 * 128 + 2 * 128 + 2 * block(128) + 9 * 128 * 256 + 2 * 256 + 6 * block(256)
    assert size(net.representation) == down + 16 * block(256)
    assert size(net.dynamics) == 9 * (256 + 18) * 256 + 2 * 256 + 16 * block(256)
    assert size(net.value) == size(net.reward) == 256 * 2 + 2 * 2 + (2 * 36 + 1) * 256 + 257 * 601
    assert [downsampled(side) for side in (96, 84, 64)] == [6, 6, 4]
    assert prod(net.latent) == 9216


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="takes planes"):
        MuZeroNet((4,), 2, kind="conv", channels=4, hidden=4)
    with pytest.raises(ValueError, match="takes vectors"):
        MuZeroNet((4, 3, 3), 2, kind="mlp", channels=4, hidden=4)
    with pytest.raises(ValueError, match="no columns"):
        MuZeroNet((2, 6, 7), 8, kind="conv", channels=4, hidden=4, columns=True)
