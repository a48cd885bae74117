"""AlphaGo as a player: what its search goes by, what it does with less than all parts, what it tells, its files."""

from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from sakiyomi.agents.agent import RESIGN, Turn
from sakiyomi.boards import Chess, Go, Position
from sakiyomi.boards.player import Budget

torch = pytest.importorskip("torch")

from sakiyomi.agents import AlphaGo  # noqa: E402
from sakiyomi.agents.alphago import tower  # noqa: E402
from sakiyomi.agents.alphago.features import feature_planes  # noqa: E402
from sakiyomi.agents.alphago.guides import Parts, make_guides, mixing_of, near_records, with_pass  # noqa: E402
from sakiyomi.agents.alphago.patterns import Patterns  # noqa: E402
from sakiyomi.agents.alphago.policy import PolicyNet, probabilities  # noqa: E402
from sakiyomi.agents.alphago.rollout import RolloutPolicy  # noqa: E402
from sakiyomi.agents.alphago.tree_policy import TreePolicy  # noqa: E402
from sakiyomi.agents.alphago.value import ValueNet, values_of  # noqa: E402
from sakiyomi.agents.alphago.view import draw_view, search_view  # noqa: E402
from sakiyomi.agents.parts.dual.learner import seeded  # noqa: E402
from sakiyomi.arena.seat import AgentPlayer  # noqa: E402
from sakiyomi.boards.symmetry import board_symmetries  # noqa: E402

GAME = Go(5)
NEAR = near_records(GAME)
CONFIG = replace(AlphaGo.presets["quick"], filters=4, layers=2, simulations=24, threshold=1, resign=-1.0)
EIGHT = board_symmetries(5, 5, passes=False)
NOTHING = np.zeros(0, np.uint64)


@pytest.fixture(autouse=True)
def plain_computing(monkeypatch):
    """Layers compute in float32, on one thread, on every machine."""
    monkeypatch.setattr(tower, "computes_with_bfloat16", lambda: False)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def linear(kind, seed=0):
    patterns = Patterns(NOTHING, NOTHING, NOTHING if kind is TreePolicy else None)
    weights = np.random.default_rng(seed).normal(size=patterns.features).astype(np.float32)
    weights[0] = 0
    return kind(patterns, weights)


def made_parts(seed=0):
    with seeded(seed):
        nets = [PolicyNet((48, 5, 5), filters=4, layers=2) for _ in range(2)]
        value = ValueNet((49, 5, 5), filters=4, layers=4, hidden=8)
        for net in nets:
            torch.nn.init.normal_(net.last.weight, std=1.0)
            torch.nn.init.normal_(net.bias, std=1.0)
        torch.nn.init.normal_(value.last.weight, std=2.0)
    return Parts(*nets, value, linear(RolloutPolicy), linear(TreePolicy))


PARTS = made_parts()


def agent_of(parts=PARTS, search=True, **settings):
    return AlphaGo(GAME, parts, replace(CONFIG, **settings), search=search)


def positions(n, plies=7, seed=0):
    states, rng = GAME.new(n), np.random.default_rng(seed)
    for _ in range(plies):
        sensible = NEAR.sensible(states)[:, :-1]
        GAME.play(states, np.array([rng.choice(np.flatnonzero(row)) for row in sensible], np.int32))
    return states


# --- what the search goes by


@pytest.mark.parametrize("power", [1.0, 0.5])
def test_priors_are_the_networks_to_a_power_under_one_of_the_symmetries(power):
    states = np.repeat(positions(1), 40)
    guides = make_guides(GAME, PARTS, "sl", power=power, pass_prior=0.1, rng=np.random.default_rng(0))
    found = guides.priors(states)
    planes, points = feature_planes(NEAR, states[:1], 48), NEAR.sensible(states[:1])[:, :-1]
    views = []
    for symmetry in EIGHT:
        turned_points = np.zeros_like(points)
        turned_points[:, symmetry.actions] = points
        turned = np.ascontiguousarray(symmetry.planes(planes))
        shares = probabilities(PARTS.policy, turned, turned_points)[0, symmetry.actions] ** power
        views.append(shares / shares.sum() * 0.9)
    distances = np.abs(found[:, None, :-1] - np.array(views)[None]).max(axis=2)
    assert (distances.min(axis=1) < 1e-5).all()
    assert len(set(distances.argmin(axis=1))) == 8
    assert found[:, -1] == pytest.approx(0.1)


def test_values_are_blacks():
    """The network's answer is that of who moves; a search wants Black's, of one of the eight views."""
    states = positions(6)
    GAME.set_turn(states, np.arange(6) % 2)
    guides = make_guides(GAME, PARTS, "sl", power=1, pass_prior=0, rng=np.random.default_rng(0))
    found = guides.values(states)
    planes = feature_planes(NEAR, states, 49)
    views = [values_of(PARTS.value, np.ascontiguousarray(s.planes(planes))) for s in EIGHT]
    signs = np.where(np.arange(6) % 2, -1, 1)
    assert (np.abs(np.array(views) * signs - found).min(axis=0) < 1e-5).all()


@pytest.mark.parametrize("whose", ["sl", "rl", "tree"])
def test_priors_stand_on_what_makes_sense(whose):
    states = positions(30, plies=18)
    guides = make_guides(GAME, PARTS, whose, power=0.67, pass_prior=0.02, rng=np.random.default_rng(0))
    found = guides.priors(states)
    sensible = NEAR.sensible(states)
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (found[:, :-1][~sensible[:, :-1]] == 0).all()
    some = sensible[:, :-1].any(axis=1)
    assert found[some, -1] == pytest.approx(0.02)
    assert (found[~some, -1] == 1).all()


def test_a_pass_is_all_that_is_left():
    shares = with_pass(np.array([[0.0, 0.0], [1.0, 3.0]], np.float32), 0.2)
    np.testing.assert_allclose(shares, [[0, 0, 1], [0.2, 0.6, 0.2]], rtol=1e-6)


def test_what_is_missing_is_made_up_for():
    assert mixing_of(PARTS, 0.3) == 0.3
    assert mixing_of(replace(PARTS, value=None), 0.3) == 1
    assert mixing_of(replace(PARTS, rollout=None), 0.3) == 0
    assert mixing_of(Parts(PARTS.policy), 0.3) is None
    with pytest.raises(ValueError, match=r"priors=rl: this agent has no such policy; the stage 'reinforce' makes it"):
        agent_of(Parts(PARTS.policy), priors="rl")


# --- acting


@pytest.mark.parametrize("without", [(), ("value",), ("rollout",), ("value", "rollout")])
@pytest.mark.parametrize("explore", [False, True])
def test_it_acts_with_what_it_has(without, explore):
    agent = agent_of(replace(PARTS, **dict.fromkeys(without)))
    states = positions(5)
    turn = Turn.of_game(GAME, states)
    actions, carry = agent.act(agent.initial(5, seed=2), turn, explore)
    again, _ = agent.act(agent.initial(5, seed=2), turn, explore)
    assert GAME.legal(states)[np.arange(5), actions].all()
    assert (actions == again).all()
    foresight = agent.foresee(carry, turn, row=3)
    assert len(set(foresight.actions.tolist())) == len(foresight.actions)
    if not explore:
        assert foresight.actions[0] == actions[3]
    assert foresight.priors.sum() == pytest.approx(1, abs=1e-4)
    if len(without) < 2:
        assert foresight.visits.sum() == foresight.simulations == 24
        assert -1 <= foresight.value <= 1
        assert foresight.lines[0][0] == foresight.actions[0]


def test_only_what_is_allowed():
    states = positions(3)
    legal = np.zeros((3, 26), np.bool_)
    for row in range(3):
        legal[row, np.flatnonzero(GAME.legal(states)[row])[[0, -2]]] = True
    turn = Turn.of_game(GAME, states, legal=legal)
    for search in (True, False):
        agent = agent_of(search=search)
        actions, _ = agent.act(agent.initial(3), turn, explore=False)
        assert legal[np.arange(3), actions].all()


def test_suicide_is_never_tried():
    """Tromp-Taylor rules allow it, the records do not."""
    state = GAME.new(1)
    for move in (1, 0, 6, 24, 10):  # White in the corner, Black all around it and the point 5
        GAME.play(state, np.array([move], np.int32))
    assert GAME.legal(state)[0, 5]
    agent = agent_of(simulations=100)
    _, carry = agent.act(agent.initial(1), Turn.of_game(GAME, state), explore=False)
    assert carry.found.visits[0, 5] == 0
    assert carry.found.priors[0, 5] == 0


def test_it_gives_up_what_is_lost():
    class Lost(torch.nn.Module):
        planes = (49, 5, 5)

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, planes):  # White wins, whoever moves
            return torch.where(planes[:, 48, 0, 0] > 0, -0.95, 0.95)

    turn = Turn.of_game(GAME, positions(2, plies=4))
    for resign, gives_up in ((-0.8, True), (-1.0, False)):
        agent = agent_of(replace(PARTS, value=Lost(), rollout=None), resign=resign)
        actions, _ = agent.act(agent.initial(2), turn, explore=False)
        assert (actions == RESIGN).all() == gives_up


def test_turns_that_it_cannot_play():
    agent = agent_of()
    chess = Chess()
    with pytest.raises(ValueError, match="AlphaGo has learnt go-5x5, and plays nothing else: got chess"):
        agent.act(agent.initial(1), Turn.of_game(chess, chess.new(1)), explore=False)
    with pytest.raises(ValueError, match="the carry is for 1 positions, got 2"):
        agent.act(agent.initial(1), Turn.of_game(GAME, positions(2)), explore=False)
    over = GAME.new(1)
    for _ in range(2):
        GAME.play(over, np.array([25], np.int32))
    for search in (True, False):
        player = agent_of(search=search)
        with pytest.raises(ValueError, match="a game is over"):
            player.act(player.initial(1), Turn.of_game(GAME, over), explore=False)
    for search in (True, False):
        player = agent_of(search=search)
        with pytest.raises(ValueError, match="before the first act"):
            player.foresee(player.initial(1), Turn.of_game(GAME, positions(1)))


def test_a_tree_serves_from_move_to_move():
    agent, position = agent_of(exploration=0.5), Position(GAME)
    player = AgentPlayer(agent, simulations=200, seed=1)
    position.play(player.choose(position, Budget()))
    search, kept = player._carry.planner.search, []
    rebase = type(search).go_on

    def noted(self, rows, actions, goals):
        rebase(self, rows, actions, goals)
        kept.append(int(self.forest.trees["done"][0]))

    type(search).go_on = noted
    try:
        reply = player.thought.candidates[0].line[1]
        position.play(reply)
        player.choose(position, Budget())
    finally:
        type(search).go_on = rebase
    assert kept
    assert 0 < kept[-1] < 200
    assert player._carry.planner.search is search
    assert sum(each.visits for each in player.thought.candidates) == 200


def test_time_and_stopping():
    agent = agent_of()
    seen = []
    turn = Turn.of_game(GAME, positions(1), budget=Budget(seconds=0.05), tell=seen.append)
    _, carry = agent.act(agent.initial(1), turn, explore=False)
    assert seen[-1].simulations == carry.found.visits.sum()
    stop = Event()
    stop.set()
    actions, _ = agent.act(agent.initial(1), Turn.of_game(GAME, positions(1), stop=stop), explore=False)
    assert GAME.legal(positions(1))[0, actions[0]]


# --- what it looked at


def test_the_view_of_a_search(tmp_path):
    agent, states = agent_of(simulations=60), positions(2)
    turn = Turn.of_game(GAME, states)
    actions, carry = agent.act(agent.initial(2), turn, explore=False)
    view = search_view(agent, carry, turn, row=1)
    assert view.visits.sum() == 60
    assert view.line[0] == actions[1]
    assert view.policy.sum() == pytest.approx(1, abs=1e-5)
    visited = view.visits > 0
    mixed = 0.5 * view.mean_values + 0.5 * view.mean_rollouts  # lambda
    np.testing.assert_allclose(mixed[visited], carry.found.means[1][visited], atol=1e-5)
    assert np.isnan(view.mean_values[~visited]).all()
    legal = GAME.legal(states)[1]
    assert (np.isnan(view.next_values) == ~legal).all()
    assert (np.abs(view.next_values[legal]) <= 1).all()
    pytest.importorskip("matplotlib")
    draw_view(view, tmp_path / "pictures" / "view.png")
    assert (tmp_path / "pictures" / "view.png").stat().st_size > 5000


def test_there_is_nothing_to_view_without_a_search():
    turn = Turn.of_game(GAME, positions(1))
    for agent in (agent_of(), agent_of(search=False)):
        with pytest.raises(ValueError, match="nothing to view"):
            search_view(agent, agent.initial(1), turn)


# --- files and settings


def test_what_is_saved_plays_the_same_moves(tmp_path):
    agent, turn = agent_of(), Turn.of_game(GAME, positions(4))
    agent.save(tmp_path)
    loaded = AlphaGo.load(tmp_path)
    assert (loaded.config, loaded.task) == (agent.config, "go-5x5")
    acted = [each.act(each.initial(4, seed=1), turn, explore=False) for each in (agent, loaded)]
    assert (acted[0][0] == acted[1][0]).all()
    assert (acted[0][1].found.visits == acted[1][1].found.visits).all()
    assert np.array_equal(acted[0][1].found.means, acted[1][1].found.means, equal_nan=True)


def test_settings_by_name(tmp_path):
    agent_of().save(tmp_path)
    changed = AlphaGo.load(tmp_path, mixing=0.25, threshold=7, leaves=3, priors="tree", late=True)
    config = changed.config
    assert (config.mixing, config.threshold, config.leaves, config.priors, config.late) == (0.25, 7, 3, "tree", True)
    assert changed.mixing == 0.25
    assert AlphaGo.load(tmp_path, search=False).mixing is None
    turn = Turn.of_game(GAME, positions(1))
    actions, _ = changed.act(changed.initial(1), turn, explore=False)
    assert GAME.legal(positions(1))[0, actions[0]]


def test_parts_that_are_missing_stay_missing(tmp_path):
    agent_of(Parts(PARTS.policy, tree=PARTS.tree)).save(tmp_path)
    parts = AlphaGo.load(tmp_path).parts
    assert (parts.reinforced, parts.value, parts.rollout) == (None, None, None)
    np.testing.assert_array_equal(parts.tree.weights, PARTS.tree.weights)
    with pytest.raises(ValueError, match="priors=rl"):
        AlphaGo.load(tmp_path, priors="rl")


def test_folders_that_hold_no_such_agent(tmp_path):
    with pytest.raises(ValueError, match="holds no agent"):
        AlphaGo.load(tmp_path)
    agent_of().save(tmp_path)
    described = (tmp_path / "agent.json").read_text()
    (tmp_path / "agent.json").write_text(described.replace("go-5x5", "go-6x6"))
    with pytest.raises(ValueError, match="damaged: its policy network is not one for go-6x6"):
        AlphaGo.load(tmp_path)
    (tmp_path / "agent.json").write_text(described.replace("go-5x5", "chess"))
    with pytest.raises(ValueError, match="damaged: chess is not Go"):
        AlphaGo.load(tmp_path)
    (tmp_path / "agent.json").write_text(described)
    (tmp_path / "weights.safetensors").write_bytes(b"none")
    with pytest.raises(ValueError, match="damaged"):
        AlphaGo.load(tmp_path)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"planes": 13}, "planes must be one of"),
        ({"mixing": 1.5}, "mixing must lie in"),
        ({"test_share": 0.0}, "test_share must lie between 0 and 1"),
        ({"shares": (0.5, 0.5)}, "shares must be 6 numbers that add up to 1"),
        ({"evaluation_games": 3}, "evaluation_games must be even"),
        ({"pass_prior": 1.0}, "pass_prior must be below 1"),
        ({"softening": 0.0}, "softening must be over 0"),
        ({"positions": 0}, "positions must be 1 or more"),
    ],
)
def test_settings_that_cannot_be(settings, why):
    with pytest.raises(ValueError, match=why):
        replace(CONFIG, **settings)


def test_the_papers_figures():
    paper = AlphaGo.presets["paper"]
    assert (paper.planes, paper.filters, paper.layers, paper.value_layers, paper.value_hidden) == (48, 192, 13, 15, 256)
    assert (paper.policy_batch, paper.policy_rate, paper.policy_steps) == (16, 0.003, 340_000_000)
    assert (paper.reinforce_games, paper.pool_every, paper.reinforce_steps) == (128, 500, 10_000)
    assert (paper.value_batch, paper.value_steps, paper.positions) == (32, 50_000_000, 30_000_000)
    search = paper.search
    assert (search.mixing, search.exploration, search.virtual_loss, search.threshold) == (0.5, 5, 3, 40)
    assert (paper.softening, paper.resign, paper.optimizer, paper.momentum) == (0.67, -0.8, "sgd", 0)
    assert (paper.leaves, paper.late, paper.priors, paper.reinforce_baseline) == (40, True, "sl", None)


@pytest.mark.parametrize("without", [(), ("tree",)])
def test_the_papers_search_plays_with_what_there_is(without):
    """Where no tree policy stands in for the network meanwhile, the search waits for it."""
    agent = agent_of(replace(PARTS, **dict.fromkeys(without)), late=True, leaves=40, threshold=40, simulations=700)
    turn = Turn.of_game(GAME, positions(1))
    actions, carry = agent.act(agent.initial(1), turn, explore=False)
    assert carry.planner.settings.late == (not without)
    assert carry.planner.search.selection.leaves == 40
    assert carry.found.visits.sum() == 700
    assert GAME.legal(positions(1))[0, actions[0]]
