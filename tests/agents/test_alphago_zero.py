"""AlphaGo Zero: symmetries in evaluation, the evaluator's gate, resignation, presets and files."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from sakiyomi.agents import alphago_zero  # noqa: E402
from sakiyomi.agents.agent import TrainingBudget, Turn  # noqa: E402
from sakiyomi.agents.alphago_zero import AlphaGoZero, Config, resign_threshold, resignation  # noqa: E402
from sakiyomi.agents.alphazero import AlphaZero  # noqa: E402
from sakiyomi.agents.parts.runs import metrics  # noqa: E402
from sakiyomi.agents.parts.runs.checkpoints import load_tensors  # noqa: E402
from sakiyomi.agents.parts.search import Dirichlet, Puct, RulesModel, Search  # noqa: E402
from sakiyomi.agents.parts.selfplay.crew import LocalCrew, RandomSymmetry  # noqa: E402
from sakiyomi.agents.parts.selfplay.self_player import FORBIDDEN  # noqa: E402
from sakiyomi.agents.parts.selfplay.turned import Turned  # noqa: E402
from sakiyomi.agents.parts.strength.score import Score  # noqa: E402
from sakiyomi.agents.perfect import PerfectPlayer  # noqa: E402
from sakiyomi.boards import Budget, ConnectFour, Go, Othello, Position, TicTacToe, rows  # noqa: E402

TINY = {
    "blocks": 1,
    "channels": 4,
    "hidden": 8,
    "simulations": 4,
    "games": 8,
    "rounds": 60,
    "batch": 8,
    "least": 5,
    "checkpoint_steps": 4,
    "gate_games": 4,
    "evaluate_every": 1000,
    "evaluation_games": 2,
    "evaluation_simulations": 4,
    "opponents": ("random",),
    "save_every": 1e9,
}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Networks and positions this small are only slowed down by threads that wait for each other."""
    before = torch.get_num_threads(), rows.setting()
    torch.set_num_threads(1)
    rows.set_threads(1)
    yield
    torch.set_num_threads(before[0])
    rows.set_threads(before[1])


@pytest.fixture(autouse=True)
def bare_log(monkeypatch):
    """Logs without plots and TensorBoard, which take longer than these runs."""
    monkeypatch.setattr(metrics.MetricsLog, "plot", lambda self: None)
    monkeypatch.setattr(metrics, "_board", lambda folder, resume_at: None)


def agent_of(game, seed=0, **settings):
    config = replace(Config(), **{**TINY, "evaluation_simulations": 30, **settings})
    net = config.learner(game, seed).net.eval()
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        for last in (net.policy.last, net.value.last):
            torch.nn.init.normal_(last.weight, std=1.0)
    return AlphaGoZero(game, net, config, runtime="torch")


def train(folder, steps, game=None, seed=0, **settings):
    config = replace(AlphaGoZero.presets["tictactoe"], **{**TINY, **settings})
    budget = TrainingBudget(steps=steps)
    return AlphaGoZero.train(game or TicTacToe(), folder, budget, config=config, seed=seed, runtime="torch")


def some_states(game, n, seed=0, plies=8):
    rng, found = np.random.default_rng(seed), {}
    while len(found) < n:
        state = game.new(1)
        for _ in range(rng.integers(1, plies)):
            moves = np.flatnonzero(game.legal(state)[0])
            if len(moves):
                game.play(state, rng.choice(moves, 1).astype(np.int32))
        if not game.ending(state)[0]:
            found[state.tobytes()] = state
    return np.concatenate(list(found.values()))


# --- symmetries


def equivariant(observations):
    """Of Go: a point is worth what lies around it; turning the board turns the policy."""
    own, other = observations[:, 0], observations[:, 1]
    scores = np.zeros_like(own)
    for factor, stones in ((0.7, own), (-0.4, other)):
        padded = np.pad(stones, ((0, 0), (2, 2), (2, 2)))
        height, width = stones.shape[1:]
        for y in range(5):
            for x in range(5):
                scores += factor / (1 + (y - 2) ** 2 + (x - 2) ** 2) * padded[:, y : y + height, x : x + width]
    centre = (np.arange(height) - (height - 1) / 2) ** 2
    scores = scores + 0.13 * (centre[:, None] + centre[None])
    logits = np.concatenate([scores.reshape(len(own), -1), np.full((len(own), 1), -1.0)], axis=1)
    return logits.astype(np.float32), np.tanh(0.1 * (own - other).sum((1, 2)) + 0.05).astype(np.float32)


def test_an_evaluation_that_turns_with_the_board_is_the_same_under_any_symmetry():
    game = Go(size=5)
    seen = game.observe(some_states(game, 40))
    logits, values = equivariant(seen)
    turned = RandomSymmetry(game, equivariant, np.random.default_rng(0))
    for _ in range(3):
        its_logits, its_values = turned(seen)
        assert np.allclose(its_logits, logits, atol=1e-5)
        assert np.allclose(its_values, values, atol=1e-5)


@pytest.mark.parametrize("game", [Go(size=4), Othello(size=6), TicTacToe(), ConnectFour()], ids=lambda game: game.name)
def test_each_evaluation_is_one_of_the_symmetries_and_all_come_up(game):
    agent = agent_of(game)
    evaluate = agent.evaluators.of(64)
    seen = np.repeat(game.observe(some_states(game, 1, plies=6)), 64, axis=0)
    logits, values = RandomSymmetry(game, evaluate, np.random.default_rng(1))(seen)
    wanted = []
    for number, _ in enumerate(game.symmetries()):
        turned = Turned(game.symmetries(), np.array([number]))
        found, value = evaluate(turned.planes(seen[:1]))
        wanted.append(np.append(found[0][turned._images[number, :-1]], value))
    which = [
        np.flatnonzero([np.allclose(np.append(row, value), each, atol=1e-4) for each in wanted]).tolist()
        for row, value in zip(logits, values, strict=True)
    ]
    assert all(which)
    assert {number for numbers in which for number in numbers} == set(range(len(wanted)))


def test_visits_turn_with_the_board():
    game = Go(size=5)
    rng = np.random.default_rng(3)
    path = []
    state = game.new(1)
    for _ in range(7):
        legal = np.flatnonzero(game.legal(state)[0, :-1])
        path.append(int(rng.choice(legal)))
        game.play(state, np.array(path[-1:], np.int32))
    found = []
    for symmetry in game.symmetries():
        model = RulesModel(game, RandomSymmetry(game, equivariant, np.random.default_rng(0)), 1)
        images = symmetry.actions[path].astype(np.int32)
        model.roots[:] = game.replay(game.new(1), images[None], np.array([7], np.int32))
        visits = Search(model, 1, 120, selection=Puct(unvisited="draw", scale="none", base=None)).run(120).visits[0]
        found.append(visits[symmetry.actions])
    assert len(set(map(tuple, found))) == 1
    assert (found[0] > 0).sum() > 3


def test_the_agent_sees_each_position_under_a_symmetry_if_it_learns_so():
    game = Go(size=4)
    assert isinstance(agent_of(game).initial(2).planner.evaluate, RandomSymmetry)
    assert not isinstance(agent_of(game, symmetries=False).initial(2).planner.evaluate, RandomSymmetry)
    seen = []
    for symmetries in (True, False):
        agent = agent_of(game)
        how = {"games": 2, "groups": 1, "seed": 0, "runtime": "torch", "random_symmetry": symmetries}
        crew = LocalCrew(game, agent.config.habits(game), **how)
        crew.use(agent.net, None)
        seen.append(isinstance(crew.groups[0].model.evaluate, RandomSymmetry))
    assert seen == [True, False]


# --- the gate


def choosers(kinds):
    """In place of an agent's own moves: "random", or "perfect" ones, by the agent's name."""

    def make(agent, game, batch, seed=0):
        rng, perfect = np.random.default_rng(seed + len(agent.plays)), PerfectPlayer()
        perfect.begin(game, 0, rng)

        def choose(states):
            if kinds[agent.plays] == "random":
                return np.where(game.legal(states), rng.random((len(states), 9)), -1).argmax(1)
            moves = []
            for i in range(len(states)):
                position = Position(game, game.position_text(states[i]))
                moves.append(position.action(perfect.choose(position, Budget())))
            return np.array(moves)

        return choose

    return make


@pytest.mark.parametrize(
    ("challenger", "best", "passes"),
    [("perfect", "random", True), ("random", "perfect", False), ("same", "same", False)],
)
def test_the_match_tells_who_is_better(challenger, best, passes, monkeypatch):
    few = {"gate_games": 60, "evaluation_simulations": 8}
    one, other = agent_of(TicTacToe(), **few), agent_of(TicTacToe(), **few)
    one.plays, other.plays = "one", "other"
    kinds = {"one": challenger, "other": best}
    if challenger != "same":
        monkeypatch.setattr(alphago_zero, "chooser", choosers(kinds))
    score = one.match(other, seed=5)
    assert score.games == 60
    assert (score.mean > one.config.gate_score) == passes
    if challenger == "same":
        assert 0.4 < score.mean < 0.6


@pytest.mark.parametrize(
    ("score", "passes"),
    [(Score(3, 0, 1), True), (Score(11, 0, 9), False), (Score(4, 2, 4), False), (Score(0, 0, 4), False)],
)
def test_who_passes_the_gate_plays_from_then_on(score, passes, monkeypatch, tmp_path):
    """The best player is on disk and plays with itself; the paper wants more than 55 %."""
    matches, played_by = [], []
    use = LocalCrew.use

    def noted(self, net, calibration, resign_below=FORBIDDEN):
        played_by.append(net.stem.conv.weight.detach().clone())
        use(self, net, calibration, resign_below)

    def match(challenger, best, seed):
        matches.append((challenger.net.stem.conv.weight.detach().clone(), best.net.stem.conv.weight.detach().clone()))
        return score

    monkeypatch.setattr(LocalCrew, "use", noted)
    monkeypatch.setattr(AlphaGoZero, "match", match)
    progress = list(train(tmp_path, 60, gate_score=0.55, seed=2, rounds=30))
    assert len(matches) >= 2
    first = played_by[0]
    assert torch.equal(matches[0][1], first)
    assert not torch.equal(matches[0][0], first)
    asked = [each for each in progress if "gate/score" in each.scalars]
    counts = asked[-1].scalars
    assert (counts["gate/accepted"], counts["gate/rejected"]) == ((len(matches), 0) if passes else (0, len(matches)))
    assert all(("score/random" in each.scalars) == passes for each in asked)
    assert counts["gate/score"] == score.mean
    assert (counts["gate/score low"], counts["gate/score high"]) == score.interval
    kept = load_tensors(tmp_path / "weights.safetensors")["stem.conv.weight"]
    last = [matches[i][0] for i in range(len(matches))][-1]
    assert torch.equal(kept, last if passes else first)
    assert torch.equal(matches[1][1], matches[0][0] if passes else first)
    assert all(torch.equal(net, first) for net in played_by) != passes
    assert torch.equal(load_tensors(tmp_path / "run" / "best.safetensors")["stem.conv.weight"], kept)


def test_checkpoints_come_after_their_steps(monkeypatch, tmp_path):
    checked = []
    monkeypatch.setattr(AlphaGoZero, "match", lambda self, best, seed: checked.append(seed) or Score(0, 0, 2))
    list(train(tmp_path, 40, checkpoint_steps=10))
    assert all(b - a >= 10 for a, b in zip([0, *checked], checked, strict=False))
    assert len(checked) >= 2


# --- resignation

VALUES = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=60)


@given(VALUES, st.sampled_from([0.0, 0.05, 0.1, 0.5]))
def test_few_winners_ever_saw_less_than_the_threshold(lowest, errors):
    config = Config(resign_after=1, play_on=0.1, resign_errors=errors, resign_most=1.0)
    threshold = resign_threshold(lowest, config)
    assert sum(value < threshold for value in lowest) <= errors * len(lowest) + 1e-9
    greater = [value for value in lowest if value > threshold]
    if greater:  # the next greater threshold would be wrong too often
        assert sum(value < min(greater) for value in lowest) > errors * (len(lowest) - 1) - 1e-9
    assert resignation(lowest, threshold)["resignation/errors"] <= errors + 1e-9


def test_nobody_gives_up_before_enough_games():
    config = Config(resign_after=100, play_on=0.1)
    assert resign_threshold([0.5] * 9, config) == FORBIDDEN
    assert resign_threshold([-0.75] * 10, config) == -0.75
    assert resign_threshold([0.5] * 10, config) == config.resign_most == -0.5  # half lost is not lost
    assert resign_threshold([0.5] * 1000, replace(config, resign_after=0)) == FORBIDDEN
    assert resignation([], FORBIDDEN) == {}


def test_the_threshold_found_reaches_self_play(monkeypatch, tmp_path):
    thresholds = []
    use = LocalCrew.use

    def noted(self, net, calibration, resign_below=FORBIDDEN):
        thresholds.append(resign_below)
        use(self, net, calibration, resign_below)

    monkeypatch.setattr(LocalCrew, "use", noted)
    monkeypatch.setattr(AlphaGoZero, "match", lambda self, best, seed: Score(0, 0, 2))
    progress = list(train(tmp_path, 20, resign_after=8, play_on=0.5))
    assert thresholds[0] == FORBIDDEN
    assert -1 <= thresholds[-1] <= 1
    assert [each.scalars.get("resignation/threshold", FORBIDDEN) for each in progress] == thresholds
    assert all(each.scalars.get("resignation/errors", 0) <= 1 for each in progress)


# --- presets, acting, files


AGAIN = {"go-7x7", "paper-40"}  # like another preset but for what these tests make smaller


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in AGAIN)) for name in AlphaGoZero.presets]
)
def test_presets_start_and_learn(name, tmp_path):
    game = TicTacToe() if name == "tictactoe" else Go(size=7, max_plies=12)
    config = replace(AlphaGoZero.presets[name], **{**TINY, "simulations": 2, "window": 1000})
    progress = list(AlphaGoZero.train(game, tmp_path, TrainingBudget(steps=4), config=config, runtime="torch"))
    figures = {key: value for each in progress for key, value in each.scalars.items()}
    assert all(np.isfinite(value) for value in figures.values())
    assert {"loss/policy", "loss/value", "gate/score"} <= figures.keys()
    loaded = AlphaGoZero.load(tmp_path, runtime="torch")
    assert (loaded.config, loaded.task) == (config, game.name)


def test_the_papers_figures():
    paper = AlphaGoZero.presets["paper"]
    assert paper == Config()
    assert (paper.blocks, paper.channels, paper.hidden, paper.batch) == (19, 256, 256, 2048)
    assert AlphaGoZero.presets["paper-40"] == replace(paper, blocks=39)
    assert (paper.simulations, paper.evaluation_simulations, paper.exploring_plies) == (1600, 1600, 30)
    assert paper.habits(Go(19)).noise == Dirichlet(alpha=0.03, fraction=0.25)
    assert paper.selection == paper.match_selection == Puct(init=1.5, base=None, unvisited="draw", scale="none")
    assert (paper.gate_games, paper.gate_score, paper.checkpoint_steps) == (400, 0.55, 1000)
    assert (paper.play_on, paper.resign_errors, paper.symmetries) == (0.1, 0.05, True)
    assert (paper.momentum, paper.decay / 2, paper.averaging) == (0.9, 1e-4, 0)
    assert [paper.lessons.rate(step) for step in (0, 399_999, 400_000, 600_000)] == [1e-2, 1e-2, 1e-3, 1e-4]
    assert paper.rounds % 1601 == 0
    assert paper.habits(Go(19)).cap == 722


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"rates": (0.1, 0.01)}, "rates must be one more than rate_steps"),
        ({"gate_score": 0.4}, r"gate_score must be from 0\.5 to below 1"),
        ({"gate_score": 1.0}, r"gate_score must be from 0\.5 to below 1"),
        ({"gate_games": 7}, "gate_games must be even"),
        ({"evaluation_games": 0}, "evaluation_games must be even and 2 or more"),
        ({"rounds": 25}, "rounds must be over simulations"),
        ({"uses": 0.0}, "uses must be over 0"),
    ],
)
def test_settings_that_cannot_be(settings, why):
    with pytest.raises(ValueError, match=why):
        replace(AlphaGoZero.presets["tictactoe"], **settings)


def test_what_is_saved_plays_the_same_moves(tmp_path):
    game = Go(size=5)
    agent, states = agent_of(game), some_states(game, 8)
    agent.save(tmp_path)
    loaded = AlphaGoZero.load(tmp_path, runtime="torch")
    turn = Turn.of_game(game, states)
    acted = [each.act(each.initial(8, seed=1), turn, explore=False)[0].tolist() for each in (agent, loaded)]
    assert acted[0] == acted[1]
    with pytest.raises(ValueError, match="holds an agent of the kind 'alphagozero', 'alphazero' is wanted"):
        AlphaZero.load(tmp_path)
    with pytest.raises(ValueError, match="holds no agent"):
        AlphaGoZero.load(tmp_path / "elsewhere")


def test_exploring_leaves_nothing_behind():
    game = Go(size=5)
    agent, states = agent_of(game, symmetries=False), some_states(game, 6)
    turn = Turn.of_game(game, states)
    plain, carry = agent.act(agent.initial(6), turn, explore=False)
    priors = carry.found.priors
    _, carry = agent.act(agent.initial(6, 4), turn, explore=True)
    assert np.abs(carry.found.priors - priors).max() > 1e-2
    actions, carry = agent.act(carry, turn, explore=False)
    assert actions.tolist() == plain.tolist()
    assert np.allclose(carry.found.priors, priors, atol=1e-6)


def test_games_end_after_two_plies_a_point_of_a_go_board():
    config = Config()
    assert [config.habits(game).cap for game in (Go(19), Go((7, 5)), ConnectFour())] == [722, 70, None]
    assert replace(config, cap=40).habits(Go(19)).cap == 40


def test_a_player_that_is_never_replaced_is_measured_all_the_same(monkeypatch, tmp_path):
    monkeypatch.setattr(AlphaGoZero, "match", lambda self, best, seed: Score(0, 0, 2))
    progress = list(train(tmp_path, 16, evaluate_every=2, rounds=30))
    scored = [number for number, each in enumerate(progress, 1) if "score/random" in each.scalars]
    assert scored == list(range(2, len(progress) + 1, 2))
    assert progress[-1].scalars.get("gate/accepted", 0) == 0


@pytest.mark.slow
def test_tictactoe_is_learned_through_the_gate(tmp_path):
    settings = {"simulations": 25, "games": 64, "rounds": 208, "batch": 256, "least": 200, "channels": 16, "hidden": 32}
    settings |= {"checkpoint_steps": 100, "gate_games": 60, "evaluation_games": 40, "evaluation_simulations": 1}
    progress = list(train(tmp_path, 800, **settings, opponents=("random", "perfect"), save_every=1e9))
    scores = [each.scalars["score/random"] for each in progress if "score/random" in each.scalars]
    last = [each.scalars for each in progress if "gate/accepted" in each.scalars][-1]
    assert last["gate/accepted"] > 0
    assert max(scores) > 0.75
