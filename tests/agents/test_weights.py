"""The weights that come with the package: each agent loads, plays, and tells where it comes from; how they are made."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
from scipy.special import log_softmax, rel_entr  # noqa: E402

import sakiyomi.agents  # noqa: E402
from sakiyomi.agents.agent import Turn  # noqa: E402
from sakiyomi.agents.opponents import make_opponent  # noqa: E402
from sakiyomi.agents.parts.dual.files import load_dual_net, policy_positions, save_dual_net  # noqa: E402
from sakiyomi.agents.parts.dual.nets import DualNet  # noqa: E402
from sakiyomi.agents.parts.dual.shipping import FACTS, Card, for_play, halved, rounding  # noqa: E402
from sakiyomi.agents.parts.runs.checkpoints import load_tensors, save_tensors, write_json  # noqa: E402
from sakiyomi.agents.parts.runs.flags import to_json  # noqa: E402
from sakiyomi.agents.parts.strength.contest import contest  # noqa: E402
from sakiyomi.arena.agent_specs import AGENTS, agent_class, listed, shipped  # noqa: E402
from sakiyomi.boards import ConnectFour, Ending, TicTacToe  # noqa: E402
from sakiyomi.boards.catalog import make_game  # noqa: E402
from sakiyomi.boards.player import Budget  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = Path(sakiyomi.agents.__file__).parent / "weights"
SHIPPED = sorted(path.relative_to(WEIGHTS) for path in WEIGHTS.glob("*/*") if path.is_dir())
MEGABYTES = 6  # all of them together
agents = pytest.mark.parametrize("place", SHIPPED, ids=str)


def loaded(place):
    kind = agent_class(place.parts[0])
    chosen = {"runtime": "torch"} if "runtime" in inspect.signature(kind.load).parameters else {}
    return kind.load(WEIGHTS / place, **chosen)


def chosen_by(agent, simulations, game=None):
    """Moves of `agent` after so many simulations."""
    carry = agent.initial(64)

    def choose(states):
        turn = Turn.of_game(game or agent.game, states, budget=Budget(simulations=simulations))
        actions, _ = agent.act(carry, turn, explore=False)
        return actions

    return choose


@agents
def test_where_it_lies_says_what_it_is(place):
    kind, name = place.parts
    assert kind in AGENTS
    assert loaded(place).task == name
    assert shipped(kind, make_game(name)) == WEIGHTS / place
    assert any(each == kind and name in about for each, about in listed())
    assert {path.name for path in (WEIGHTS / place).iterdir()} == {"agent.json", "weights.safetensors", "card.md"}


@agents
def test_its_card_tells_how_it_was_made(place):
    card = Card.read(WEIGHTS / place)
    kind, name = place.parts
    assert card.title == f"{kind}, {name}"
    assert "train" in card.facts["command"] or "benchmarks/learning" in card.facts["command"]
    assert "minutes" in card.facts["learning"]
    assert "learned" in card.facts["rating"]


@agents
def test_it_beats_random(place):
    agent, game = loaded(place), make_game(place.name)
    score = contest(game, chosen_by(agent, 8, game), make_opponent("random", 1), 12, opening_plies=0, seed=1)
    assert score.mean > 0.7, score  # contest raises for a move that is not legal


@agents
def test_its_numbers_are_used_as_float32(place):
    agent = loaded(place)
    nets = [agent.net] if hasattr(agent, "net") else [agent.parts.policy, agent.parts.value]
    weights = [each for net in nets for each in net.state_dict().values()]
    assert {each.dtype for each in weights if each.is_floating_point()} == {torch.float32}
    assert all(each.isfinite().all() for each in weights)


def test_all_together_are_small():
    assert sum(path.stat().st_size for path in WEIGHTS.rglob("*")) < MEGABYTES * 1e6


# --- how they are made


def net_of(game, seed=0, **settings):
    """A net that has opinions, and statistics of positions."""
    torch.manual_seed(seed)
    net = DualNet(game.planes, game.num_actions, **{"blocks": 2, "channels": 16} | settings)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    net.train()(torch.from_numpy(positions(game)))
    return net.eval()


def positions(game, plies=5, rows=64):
    """Observations after moves at random."""
    rng, states = np.random.default_rng(0), game.new(rows)
    for _ in range(plies):
        legal = game.legal(states)
        game.play(states, np.where(legal, rng.random(legal.shape), -1).argmax(1).astype(np.int32))
        states = states[game.ending(states) == Ending.ONGOING]
    return game.observe(states)


def test_rounding_is_the_divergence_of_what_is_loaded_again(tmp_path):
    game = ConnectFour()
    net, seen = net_of(game), positions(game)
    save_tensors(tmp_path / "weights.safetensors", halved(net.state_dict()))
    again = DualNet(**net.settings())
    again.load_state_dict(load_tensors(tmp_path / "weights.safetensors"))
    with torch.no_grad():
        logits, values = (each.double().numpy() for each in net(torch.from_numpy(seen)))
        near, near_values = (each.double().numpy() for each in again.eval()(torch.from_numpy(seen)))
    exact, other = np.exp(log_softmax(logits, 1)), np.exp(log_softmax(near, 1))
    found = rounding(net, seen)
    assert found.policy == pytest.approx(rel_entr(exact, other).sum(1).mean(), rel=1e-3)
    assert found.value == pytest.approx(np.sqrt(((values - near_values) ** 2).mean()), rel=1e-3)
    assert found.policy > 0
    assert found.harmless()


def test_filters_are_halved_and_statistics_are_not():
    weights = net_of(TicTacToe()).state_dict()
    small = halved(weights)
    assert small["stem.conv.weight"].dtype == torch.float16
    kept = {name for name in weights if weights[name].dtype == small[name].dtype}
    assert kept == {name for name in weights if weights[name].dim() < 2}
    assert any("running_var" in name for name in kept)


def test_harm_is_seen():
    """Weights beyond what float16 tells apart."""
    game = ConnectFour()
    net = net_of(game)
    with torch.no_grad():
        net.stem.conv.weight += 3000.0
        net.stem.norm.running_mean.zero_()
    assert not rounding(net, positions(game)).harmless()


def test_for_play_answers_the_same_without_the_heads_of_training():
    game = TicTacToe()
    net = net_of(game, ownership=True, reply=True)
    small, seen = for_play(net), torch.from_numpy(positions(game))
    assert small.ownership is None
    assert small.reply is None
    for one, other in zip(net(seen), small(seen), strict=True):
        assert torch.equal(one, other)


def test_halved_weights_make_an_agent(tmp_path):
    game = TicTacToe()
    net = net_of(game)
    kind = agent_class("alphazero")
    config = to_json(kind.presets["tictactoe"])
    save_dual_net(tmp_path, "alphazero", game, net, config)
    save_tensors(tmp_path / "weights.safetensors", halved(net.state_dict()))
    _, again, _ = load_dual_net(tmp_path, "alphazero")
    assert again.stem.conv.weight.dtype == torch.float32
    assert policy_positions(game, again, 64).shape[1:] == game.planes
    actions = chosen_by(kind.load(tmp_path, runtime="torch"), 4)(game.new(3))
    assert game.legal(game.new(3))[np.arange(3), actions].all()


def test_a_card_is_read_as_it_was_written(tmp_path):
    facts = {name: f"the {name} | of it" for name in FACTS}
    marks = [("a|b", "1.00 [0.9, 1]", ">= 95.00%", "passed"), ("free", "2", "", "")]
    Card("alphazero, go-9x9", facts, marks).write(tmp_path)
    assert Card.read(tmp_path) == Card("alphazero, go-9x9", facts, marks)
    Card("bare", facts).write(tmp_path)
    assert Card.read(tmp_path).marks == []


def test_a_card_lacks_nothing(tmp_path):
    facts = dict.fromkeys(FACTS, "known")
    with pytest.raises(ValueError, match="the card of x lacks 'seed'"):
        Card("x", facts | {"seed": " "})


@pytest.mark.slow
def test_a_run_is_shipped(tmp_path):
    """From a run's folder to a player that comes with a package."""
    program = [sys.executable, "-m", "sakiyomi.arena"]
    run = tmp_path / "run"
    settings = ["--set", "evaluate_every=1000", "--seed", "3", "--budget", "150steps"]
    subprocess.run([*program, "train", "alphazero", "tictactoe", *settings, "--out", run], check=True)
    tool = [
        sys.executable,
        ROOT / "benchmarks" / "learning" / "ship.py",
        run,
        "--games",
        "10",
        "--into",
        tmp_path / "w",
    ]
    subprocess.run(tool, check=True, env={**os.environ, "PYTHONPATH": ""})
    place = tmp_path / "w" / "alphazero" / "tictactoe"
    card = Card.read(place)
    assert card.facts["command"].startswith("`sakiyomi train alphazero tictactoe --set evaluate_every=1000 --seed 3")
    assert "float16" in card.facts["rounding"]
    agent = agent_class("alphazero").load(place, runtime="torch")
    score = contest(agent.game, chosen_by(agent, 20), make_opponent("random", 1), 20, opening_plies=0, seed=1)
    assert score.mean > 0.7, score
    write_json(run / "agent.json", {"agent": "other"})
    done = subprocess.run(tool, capture_output=True, text=True)
    assert done.returncode != 0
    assert Card.read(place) == card  # what was there stays
