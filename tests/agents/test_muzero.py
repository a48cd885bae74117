"""MuZero: presets, acting, foresight, learning, files."""

import shutil
from dataclasses import replace
from threading import Event

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("gymnasium")

from sakiyomi.agents import muzero  # noqa: E402
from sakiyomi.agents.agent import Agent, TrainingBudget, Turn  # noqa: E402
from sakiyomi.agents.muzero import Config, MuZero  # noqa: E402
from sakiyomi.agents.parts.episodes.fans import plot_fans, watch  # noqa: E402
from sakiyomi.agents.parts.muzero.stages import stage_of  # noqa: E402
from sakiyomi.agents.parts.runs.checkpoints import load_tensors  # noqa: E402
from sakiyomi.agents.parts.runs.flags import from_json, to_json  # noqa: E402
from sakiyomi.agents.parts.search import Gumbel, Puct  # noqa: E402
from sakiyomi.boards import Budget, ConnectFour, TicTacToe, make_game  # noqa: E402
from sakiyomi.envs import make_task  # noqa: E402

TINY = {
    "channels": 8,
    "hidden": 8,
    "filters": 2,
    "simulations": 4,
    "rows": 4,
    "moves": 6,
    "batch": 8,
    "least": 10,
    "uses": 1.0,
    "unroll": 2,
    "evaluate_every": 2,
    "evaluation_games": 2,
    "evaluation_simulations": 4,
    "opening_plies": 1,
    "opponents": ("random",),
    "save_every": 1e9,
}
BOARD = replace(MuZero.presets["tictactoe"], **TINY)
STACKED = {"piece": 5, "stack": 2, "past_actions": True}
CART = replace(MuZero.presets["gym/CartPole-v1"], **TINY | STACKED)


def agent_of(task, config, seed=0):
    stage = stage_of(task, 1, seed)
    net = config.net(stage, seed)
    with torch.no_grad():
        generator = torch.Generator().manual_seed(seed)
        for parameter in net.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    stage.close()
    return MuZero(task.name, stage.players, net, config, stage.frame)


def cart_turn(rows, first=True, seed=0):
    seen = np.random.default_rng(seed).normal(size=(rows, 4)).astype(np.float32)
    return Turn(seen, np.full(rows, first), np.zeros(rows, np.float32))


@pytest.mark.parametrize("name", MuZero.presets)
def test_presets_are_settings(name):
    config = MuZero.presets[name]
    assert from_json(Config, to_json(config)) == config
    assert isinstance(config.selection, Gumbel if config.considered else Puct)
    assert config.learning_rate(0) == config.rate
    assert config.learning_rate(config.rate_steps) == pytest.approx(config.rate * config.rate_decay)
    assert config.temperature(0) == config.temperatures[0]
    assert config.temperature(10**9) == config.temperatures[-1]


@pytest.mark.parametrize("name", ["tictactoe", "connect4"])
def test_boards_learn_more_slowly_in_the_end(name):
    """By about the steps that are learned in the time that their courses have; and from every side."""
    config = MuZero.presets[name]
    assert config.learning_rate(10_000) == pytest.approx(0.1 * config.rate)
    stage = stage_of(make_game(name), 2, 0)
    assert len(config.replay(stage).symmetries) == {"tictactoe": 8, "connect4": 2}[name]
    assert config.net(stage, 0).settings()["columns"] == (name == "connect4")


def test_atari_small_comes_to_rest_within_half_a_million_decisions():
    config = MuZero.presets["atari-s"]
    steps = 500_000 * config.uses / config.batch
    assert config.uses >= 16
    assert config.temperature(int(0.2 * steps)) == config.temperatures[-1]
    assert config.fresh_values or config.value_weight == 1


def test_the_latent_states_of_the_papers_go_fit_into_a_gpu():
    config = MuZero.presets["paper-board"]
    assert config.rows * (config.simulations + 1) * config.channels * 19 * 19 * 4 < 24e9


def test_the_papers_numbers():
    atari, board = MuZero.presets["paper-atari"], MuZero.presets["paper-board"]
    assert (atari.simulations, board.simulations) == (50, 800)
    assert (atari.td_steps, board.td_steps) == (10, None)
    assert (atari.batch, board.batch, atari.unroll) == (1024, 2048, 5)
    assert (atari.discount, board.discount) == (0.997, 1)
    assert atari.puct.floor == board.puct.floor == Puct().floor
    assert [atari.temperature(step) for step in (0, 499_999, 500_000, 750_000)] == [1, 1, 0.5, 0.25]
    assert atari.learning_rate(700_000) == pytest.approx(0.0005)
    assert (atari.stack, atari.past_actions, atari.support) == (32, True, 300)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"temperatures": (1.0,)}, "one more than temperature_steps"),
        ({"rows": 0}, "rows must be 1 or more"),
        ({"discount": 1.5}, "discount"),
        ({"uses": 0.0}, "uses must be over 0"),
    ],
)
def test_settings_that_cannot_be(changes, problem):
    with pytest.raises(ValueError, match=problem):
        replace(MuZero.presets["quick"], **changes)


@pytest.mark.parametrize("considered", [0, 4])
def test_legal_moves_for_many_positions(considered):
    game = ConnectFour()
    agent: Agent = agent_of(game, replace(MuZero.presets["connect4"], **TINY | {"considered": considered}))
    states = game.new(5)
    for _ in range(6):
        game.play(states[1:3], np.array([3, 3], np.int32))  # a column that fills up
    assert not game.legal(states)[1, 3]
    for explore in (False, True):
        carry = agent.initial(5, seed=1)
        turn = Turn.of_game(game, states)
        actions, carry = agent.act(carry, turn, explore)
        assert game.legal(states)[np.arange(5), actions].all()
        fewer, carry = agent.act(carry, Turn.of_game(game, states[:2]), explore)
        assert len(fewer) == 2
        with pytest.raises(ValueError, match="for 5 episodes"):
            agent.act(carry, Turn.of_game(game, game.new(6)), explore)


def test_only_what_is_allowed_is_considered():
    game = TicTacToe()
    agent, legal = agent_of(game, BOARD), np.zeros((1, 9), np.bool_)
    legal[0, [2, 7]] = True
    actions, carry = agent.act(agent.initial(1), Turn.of_game(game, game.new(1), legal=legal), False)
    seen = agent.foresee(carry, Turn.of_game(game, game.new(1), legal=legal))
    assert actions[0] in (2, 7)
    assert sorted(seen.actions) == [2, 7]


def test_a_task_s_latent_plan():
    task = make_task("gym/CartPole-v1")
    agent = agent_of(task, CART)
    turn, carry = cart_turn(3), agent.initial(3, seed=2)
    with pytest.raises(ValueError, match="before the first act"):
        agent.foresee(carry, turn)
    actions, carry = agent.act(carry, turn, False)
    seen = agent.foresee(carry, turn, row=1)
    assert seen.actions[0] == seen.plan[0] == actions[1]
    assert seen.simulations == seen.visits.sum() == 4
    assert len(seen.plan) == len(seen.future["reward"].mean) == len(seen.future["value"].mean)
    # the best action's value is its reward and what comes after it
    found = seen.future["reward"].mean[0] + CART.discount * seen.future["value"].mean[0]
    assert seen.values[0] == pytest.approx(found, rel=1e-3, abs=1e-3)


def test_a_latent_plan_beside_what_then_happened(tmp_path):
    pytest.importorskip("matplotlib")
    task = make_task("gym/CartPole-v1")
    seen = watch(task.make(), agent_of(task, CART), seed=1, every=5)
    arrays, steps = seen.arrays(), len(seen.rollout)
    assert arrays["actions"].shape == (steps,)
    assert len(arrays["5/plan"]) == len(arrays["5/reward/mean"]) == len(arrays["5/value/mean"]) > 0
    assert arrays["5/plan"][0] == arrays["actions"][5]
    # rewards are 1 each, discounted as the agent does
    assert arrays["returns"][0] == pytest.approx((1 - CART.discount**steps) / (1 - CART.discount))
    plot_fans(seen, tmp_path / "fans.png")
    assert (tmp_path / "fans.png").stat().st_size > 0


def test_what_was_seen_before_counts_where_frames_are_stacked():
    agent = agent_of(make_task("gym/CartPole-v1"), CART)
    priors = []
    for first in (False, True):
        carry = agent.initial(2)
        _, carry = agent.act(carry, cart_turn(2, seed=1), False)
        _, carry = agent.act(carry, cart_turn(2, first, seed=2), False)
        priors.append(carry.found.priors)
    _, fresh = agent.act(agent.initial(2), cart_turn(2, seed=2), False)
    assert np.allclose(priors[1], fresh.found.priors)
    assert not np.allclose(priors[0], fresh.found.priors)
    with pytest.raises(ValueError, match="observations must be"):
        agent.act(agent.initial(2), Turn(np.zeros((2, 3)), np.ones(2, bool), np.zeros(2, np.float32)), False)


def test_equal_seeds_act_alike_and_without_exploring_chance_has_no_say():
    agent, turn = agent_of(make_task("gym/CartPole-v1"), replace(CART, temperatures=(1.0, 1.0, 1.0))), cart_turn(40)
    one, two, other = (agent.act(agent.initial(40, seed), turn, True)[0] for seed in (1, 1, 2))
    assert (one == two).all()
    assert (one != other).any()


def test_what_a_sure_policy_would_not_look_at_is_seen_by_gumbel_when_it_acts_as_well_as_it_can():
    """And without noise: chance has no say."""
    agent, turn = agent_of(make_task("gym/CartPole-v1"), CART), cart_turn(40)
    with torch.no_grad():
        agent.net.policy[-1].bias[0] += 50
        agent.net.value[-1].bias[-1] += 50  # and content with what it has: more than 0, which all else counts for
        agent.net.reward[-1].bias[-1] += 50
    looked = []
    for considered in (0, 16):
        agent.config = replace(CART, evaluation_considered=considered)
        found = [agent.act(agent.initial(40, seed), turn, False)[1].found for seed in (1, 2)]
        assert np.array_equal(found[0].visits, found[1].visits)
        looked.append((found[0].visits > 0).all())
        assert not agent.act(agent.initial(40), turn, True)[1].found.noise.any()  # it explores as it is set to: by PUCT
    assert looked == [False, True]
    assert CART.evaluation_considered >= 2
    assert not any(config.evaluation_noise for config in MuZero.presets.values())


def test_noise_at_the_root_can_be_there_without_exploring():
    agent, turn = agent_of(make_task("gym/CartPole-v1"), CART), cart_turn(40)
    for noise in (False, True):
        agent.config = replace(CART, evaluation_considered=0, evaluation_noise=noise)
        priors = [agent.act(agent.initial(40, seed), turn, False)[1].found.priors for seed in (1, 2)]
        assert np.array_equal(*priors) != noise


def test_as_many_simulations_as_are_allowed():
    game = TicTacToe()
    agent = agent_of(game, BOARD)
    turn = Turn.of_game(game, game.new(1), budget=Budget(simulations=11))
    _, carry = agent.act(agent.initial(1), turn, False)
    assert agent.foresee(carry, turn).simulations == 11


def test_without_a_number_it_searches_until_it_is_stopped_and_tells_meanwhile():
    """By PUCT: Gumbel's search is planned for a number of simulations."""
    game, stop, told = TicTacToe(), Event(), []

    def tell(seen):
        told.append(seen)
        stop.set()

    agent = agent_of(game, replace(BOARD, considered=4))
    actions, _ = agent.act(agent.initial(1), Turn.of_game(game, game.new(1), stop=stop, tell=tell), False)
    assert actions[0] in told[-1].actions
    assert told[-1].simulations >= told[0].simulations
    assert all(-1 <= each.value <= 1 for each in told)
    at_once, carry = agent.act(agent.initial(1), Turn.of_game(game, game.new(1), stop=stop), False)
    assert carry.found.visits.sum() == 0  # the root alone was looked at
    assert carry.found.priors[0].argmax() == at_once[0]


@pytest.mark.parametrize("kind", ["games", "task"])
def test_a_run_that_was_stopped_goes_on_as_it_would_have(tmp_path, kind):
    if kind == "games":
        task, config = TicTacToe(), replace(BOARD, refreshes=0.5, averaging=0.9)
    else:
        task, config = make_task("gym/CartPole-v1"), replace(CART, alpha=0.6, beta=0.4)

    def run(folder, steps, resume=False):
        budget = TrainingBudget(environment_steps=steps)
        return list(MuZero.train(task, folder, budget, config=config, seed=3, resume=resume))

    whole = run(tmp_path / "whole", 24 * 6)
    run(tmp_path / "parts", 24 * 3)
    shutil.copytree(tmp_path / "parts", tmp_path / "moved")
    rest = run(tmp_path / "moved", 24 * 6, resume=True)
    assert [each.environment_steps for each in rest] == [24 * n for n in (4, 5, 6)]
    assert whole[-1].steps == rest[-1].steps > 0
    one, two = (load_tensors(tmp_path / name / "weights.safetensors") for name in ("whole", "moved"))
    for name, tensor in one.items():
        assert torch.equal(tensor, two[name]), name
    measured = next(name for name in whole[-1].scalars if name.startswith(("score/", "return/evaluation")))
    assert whole[-1].scalars[measured] == rest[-1].scalars[measured]
    assert {"loss/policy", "loss/value"} <= set(whole[-1].scalars)

    agent = MuZero.load(tmp_path / "whole")
    assert (agent.task, agent.config) == (task.name, config)
    turn = Turn.of_game(task, task.new(2)) if kind == "games" else cart_turn(2)
    assert len(agent.act(agent.initial(2), turn, False)[0]) == 2
    with pytest.raises(ValueError, match="already"):
        run(tmp_path / "whole", 24)


def test_what_comes_before_learning_begins_is_not_made_up_for(tmp_path, monkeypatch):
    """Neither samples, all at one go, nor searches, which would be by a network that has learned nothing."""
    rows, searches = 4 * 6, []
    monkeypatch.setattr(muzero, "search_again", lambda replay, look, rng, n: searches.append((replay.added, n)))
    config = replace(CART, least=100, uses=2.0, refreshes=1.0, piece=2, evaluate_every=10**9)
    done = list(MuZero.train(make_task("gym/CartPole-v1"), tmp_path, TrainingBudget(steps=20), config=config, seed=3))
    updates = np.diff([0, *(each.steps for each in done)])
    first = int(np.flatnonzero(updates)[0])
    assert first >= 4
    assert updates.max() <= 1 + 2 * (rows + 2 * config.rows) // config.batch
    assert all(not n for added, n in searches if added < config.least)
    assert sum(n for _, n in searches) > 0


def test_files_that_are_none(tmp_path):
    agent = agent_of(TicTacToe(), BOARD)
    agent.save(tmp_path / "agent")
    again = MuZero.load(tmp_path / "agent")
    turn = Turn.of_game(TicTacToe(), TicTacToe().new(1))
    seen, same = (each.foresee(each.act(each.initial(1), turn, False)[1], turn) for each in (agent, again))
    assert np.allclose(seen.priors, same.priors)
    assert (seen.value, list(seen.plan)) == (pytest.approx(same.value), list(same.plan))
    with pytest.raises(ValueError, match="holds no agent"):
        MuZero.load(tmp_path / "nothing")
    (tmp_path / "agent" / "weights.safetensors").write_bytes(b"?")
    with pytest.raises(ValueError, match="damaged"):
        MuZero.load(tmp_path / "agent")


def test_a_task_without_choices_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no choices"):
        next(MuZero.train(make_task("pendulum"), tmp_path, TrainingBudget(steps=1), config=CART))


@pytest.mark.slow
def test_tictactoe_is_learnt_a_little(tmp_path):
    """After some hundred steps it beats chance, and what is said of a won game stays so behind its end."""
    game = TicTacToe()
    config = replace(MuZero.presets["tictactoe"], evaluate_every=1000, rows=32)
    list(MuZero.train(game, tmp_path, TrainingBudget(steps=500), config=config))
    agent = MuZero.load(tmp_path)
    from sakiyomi.agents.parts.strength.measuring import strength

    assert strength(agent, game, ("random",), 200, 0, 0)["score/random"] > 0.65
    states = game.new(1)
    for move in (0, 3, 1, 4):
        game.play(states, np.array([move], np.int32))
    net = agent.net.eval()
    with torch.no_grad():
        latents, values = net.represent(torch.from_numpy(game.observe(states))), []
        for action in (2, 5, 6, 7):  # wins, and then goes on behind the end
            _, latents = net.step(latents, torch.tensor([action]))
            values.append(float(net.predict(latents).values))
    signs = np.array([-1, 1, -1, 1])
    assert (np.array(values) * signs > 0.3).all(), values
