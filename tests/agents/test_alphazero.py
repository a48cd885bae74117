"""AlphaZero: presets, acting, learning, files, and the agent at the arena's boards."""

import re
import shutil
import time
from dataclasses import replace
from threading import Condition

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.agent import TrainingBudget, Turn  # noqa: E402
from sakiyomi.agents.alphago_zero import AlphaGoZero  # noqa: E402
from sakiyomi.agents.alphazero import AlphaZero, Config  # noqa: E402
from sakiyomi.agents.parts.runs import metrics  # noqa: E402
from sakiyomi.agents.parts.search import Gumbel, Puct  # noqa: E402
from sakiyomi.agents.parts.search.planner import Planner  # noqa: E402
from sakiyomi.agents.parts.strength.measuring import chooser, strength  # noqa: E402
from sakiyomi.agents.random_player import RandomPlayer  # noqa: E402
from sakiyomi.arena.seat import AgentPlayer  # noqa: E402
from sakiyomi.arena.serving.uci_server import Session  # noqa: E402
from sakiyomi.boards import Budget, Chess, ConnectFour, Go, Othello, Position, Shogi, TicTacToe, rows  # noqa: E402
from sakiyomi.envs.catalog import make_task  # noqa: E402

TINY = {
    "blocks": 1,
    "channels": 4,
    "hidden": 8,
    "simulations": 2,
    "fast_simulations": None,
    "games": 8,
    "rounds": 40,
    "cap": 12,
    "batch": 8,
    "least": 5,
    "evaluate_every": 2,
    "evaluation_games": 2,
    "evaluation_simulations": 2,
    "opening_plies": 1,
    "opponents": ("random",),
    "save_every": 1e9,
}


class LateChess(Chess):
    """Chess from a position where random play soon comes to an end."""

    def new(self, batch):
        """King and queen against king."""
        return np.repeat(self.parse_position("7k/8/4K3/5Q2/8/8/8/8 w - - 0 1"), batch)


GAMES = {
    "quick": Othello(size=6),
    "tictactoe": TicTacToe(),
    "connect4": ConnectFour(),
    "othello": Othello(),
    "othello-6x6": Othello(size=6),
    "go-5x5": Go(size=5, max_plies=12),
    "go-7x7": Go(size=7, max_plies=12),
    "go-9x9": Go(size=9, max_plies=12),
    "chess": LateChess(),
    "shogi": Shogi(max_plies=12),
    "paper-go": Go(size=9, max_plies=12),
    "paper-chess": LateChess(),
    "paper-shogi": Shogi(max_plies=12),
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


def agent_of(game, seed=0, lively=True, **settings):
    """An untrained agent; `lively`: with a policy and values that differ from move to move."""
    config = replace(Config(), **{**TINY, "evaluation_simulations": 30, **settings})
    net = config.learner(game, seed).net.eval()
    if lively:
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(seed)
            for last in (net.policy.last, net.value.last):
                torch.nn.init.normal_(last.weight, std=1.0)
    return AlphaZero(game, net, config, runtime="torch")


def some_states(game, n, seed=0):
    rng, found = np.random.default_rng(seed), {}
    while len(found) < n:
        state = game.new(1)
        for _ in range(rng.integers(0, 8)):
            moves = np.flatnonzero(game.legal(state)[0])
            if len(moves):
                game.play(state, rng.choice(moves, 1).astype(np.int32))
        if not game.ending(state)[0]:
            found[state.tobytes()] = state
    return np.concatenate(list(found.values()))


def train(folder, game, steps, seed=0, **settings):
    config = replace(AlphaZero.presets["tictactoe"], **settings)
    return AlphaZero.train(game, folder, TrainingBudget(steps=steps), config=config, seed=seed, runtime="torch")


# --- settings


def test_every_preset_has_a_game_here():
    assert GAMES.keys() == AlphaZero.presets.keys()


AGAIN = {"othello-6x6", "go-7x7", "go-9x9", "paper-shogi"}  # like another preset, on a larger or smaller board


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in AGAIN)) for name in GAMES])
def test_presets_start_and_learn(name, tmp_path):
    game, config = GAMES[name], AlphaZero.presets[name]
    config = replace(config, **TINY, considered=min(config.considered, 4))
    progress = []
    for each in AlphaZero.train(game, tmp_path, TrainingBudget(steps=1000), config=config, runtime="torch"):
        progress.append(each)
        if each.steps and len(progress) % 2 == 0:
            break
    losses = {key: value for each in progress for key, value in each.scalars.items() if key.startswith("loss/")}
    assert losses.keys() >= {"loss/policy", "loss/value"}
    assert ("loss/ownership" in losses) == (config.ownership > 0)
    assert ("loss/reply" in losses) == (config.reply > 0)
    assert 0 < losses["loss/policy"] <= np.log(game.num_actions) + 1
    assert all(np.isfinite(value) for value in losses.values())
    assert "score/random" in progress[-1].scalars
    loaded = AlphaZero.load(tmp_path, runtime="torch")
    assert loaded.config == config
    assert loaded.task == game.name


def test_the_papers_figures():
    go, chess, shogi = (AlphaZero.presets[f"paper-{game}"] for game in ("go", "chess", "shogi"))
    assert go == replace(Config(), cap=722)
    assert (chess.cap, shogi.cap) == (512, 512)
    for config, alpha in ((go, 0.03), (chess, 0.3), (shogi, 0.15)):
        assert (config.blocks, config.channels, config.simulations, config.batch) == (19, 256, 800, 4096)
        assert (config.puct_init, config.puct_base, config.noise_fraction) == (1.25, 19652, 0.25)
        assert (config.habits.noise.alpha, config.exploring_plies, config.momentum) == (alpha, 30, 0.9)
        assert config.decay / 2 == 1e-4
        assert config.evaluation_simulations == 800
        assert config.window == 1_000_000 * (200 if config is go else 100)  # games of about so many plies
        assert config.selection == config.match_selection == Puct(unvisited="loss", scale="fixed")
        off = (config.fast_simulations, config.surprise, config.pooling, config.ownership, config.reply)
        assert off == (None, 0, False, 0, 0)
        assert (config.symmetries, config.averaging, config.considered, config.solve) == (False, 0, 0, False)
        assert config.rounds % 801 == 0
    steps = (0, 99_999, 100_000, 299_999, 300_000, 499_999, 500_000, 700_000)
    assert [chess.lessons.rate(step) for step in steps] == [0.2, 0.2, 0.02, 0.02, 0.002, 0.002, 0.0002, 0.0002]
    assert [go.lessons.rate(step) for step in steps] == [0.02] * 4 + [0.002] * 2 + [0.0002] * 2


LEGAL = {"tictactoe": 5, "connect4": 7, "othello": 8, "go-7x7": 49, "go-9x9": 81, "paper-go": 361, "paper-chess": 35}


@pytest.mark.parametrize("name", LEGAL)
def test_noise_is_fit_for_the_number_of_moves(name):
    """In the papers alpha times the legal moves is about 10."""
    assert 3 <= AlphaZero.presets[name].noise_alpha * LEGAL[name] <= 30


WRONG = [
    ({"rates": (0.1, 0.01)}, "rates must be one more than rate_steps"),
    ({"full_share": 0.0}, "full_share must be over 0"),
    ({"full_share": 1.5}, "full_share must be over 0 and at most 1"),
    ({"uses": 0.0}, "uses must be over 0"),
    ({"fast_simulations": 0}, "fast_simulations must be from 1 to simulations"),
    ({"fast_simulations": 26}, "fast_simulations must be from 1 to simulations"),
    ({"surprise": 1.5}, "surprise must be from 0 to 1"),
    ({"rounds": 25}, "rounds must be over simulations"),
    ({"evaluation_games": 5}, "evaluation_games must be even"),
]


@pytest.mark.parametrize(("settings", "why"), WRONG)
def test_settings_that_cannot_be(settings, why):
    with pytest.raises(ValueError, match=why):
        replace(AlphaZero.presets["tictactoe"], **settings)


def test_tasks_that_are_no_board_games_are_refused(tmp_path):
    with pytest.raises(ValueError, match="cartpole-swingup is no board game"):
        next(train(tmp_path / "run", make_task("cartpole-swingup"), 10))
    assert not (tmp_path / "run").exists()


# --- acting


@pytest.mark.parametrize("considered", [0, 4])
def test_what_is_saved_plays_the_same_moves(considered, tmp_path):
    game = ConnectFour()
    agent, states = agent_of(game, considered=considered), some_states(game, 12)
    agent.save(tmp_path)
    loaded = AlphaZero.load(tmp_path, runtime="torch")
    assert (loaded.task, loaded.config) == ("connect4", agent.config)
    turn = Turn.of_game(game, states)
    acted = []
    for each in (agent, loaded):
        actions, carry = each.act(each.initial(12, seed=1), turn, explore=False)
        foresight = each.foresee(carry, turn, 7)
        acted.append((actions.tolist(), foresight.visits.tolist(), foresight.value))
    assert acted[0] == acted[1]
    assert len(set(acted[0][0])) > 2


@pytest.mark.parametrize("considered", [0, 4])
def test_exploring_leaves_nothing_behind(considered):
    """Noise belongs to self-play: moves chosen after exploring are those of an agent that never explored."""
    game = ConnectFour()
    agent, states = agent_of(game, considered=considered), some_states(game, 9)
    states = states[states["ply"] > 0][:6]  # on the empty board all moves seem alike: ties are broken by chance
    turn = Turn.of_game(game, states)
    plain, carry = agent.act(agent.initial(6), turn, explore=False)
    priors = carry.found.priors
    explored = set()
    for seed in range(6):
        actions, carry = agent.act(agent.initial(6, seed), turn, explore=True)
        explored.add(tuple(actions.tolist()))
        noisy = carry.found.noise if considered else carry.found.priors - priors
        assert np.abs(noisy).max() > 1e-2
        actions, carry = agent.act(carry, turn, explore=False)
        assert actions.tolist() == plain.tolist()
        assert np.allclose(carry.found.priors, priors, atol=1e-6)
        assert (carry.found.noise == 0).all()
    assert len(explored) > 1


def test_exploring_ends_after_its_plies():
    game, states = ConnectFour(), some_states(ConnectFour(), 400)
    agent = agent_of(game, exploring_plies=4, evaluation_simulations=12)
    actions, carry = agent.act(agent.initial(400), Turn.of_game(game, states), explore=True)
    visits = carry.found.visits
    most = visits[np.arange(400), actions] == visits.max(1)
    late = states["ply"] >= 4
    assert most[late].all()
    assert (visits[np.arange(400), actions] > 0).all()
    assert not most[~late].all()


def test_settings_of_the_search_reach_it():
    game = ConnectFour()
    planner = agent_of(game, solve=True, considered=4).initial(3).planner
    assert planner.solve
    assert planner.selection == planner.timed == Puct()  # matches are played by PUCT
    assert agent_of(game, considered=4).config.selection == Gumbel(considered=4)
    assert agent_of(game, unvisited="parent").config.selection == Puct(unvisited="parent")
    assert (planner.trees, planner.simulations) == (3, 30)
    assert not agent_of(game).initial(1).planner.solve


@pytest.mark.parametrize("name", AlphaZero.presets)
def test_short_searches_without_knowledge_look_at_many_moves_but_for_the_papers(name):
    """What was not looked at counts as lost in the paper, and a search of even chances stays with its first move."""
    game, config = Go(size=9), AlphaZero.presets[name]

    def ignorant(observations):
        return np.zeros((len(observations), 82), np.float32), np.zeros(len(observations), np.float32)

    puct = config.match_selection
    planner = Planner(game, ignorant, 1, 60, selection=puct, timed=puct, rng=np.random.default_rng(0))
    seen = np.count_nonzero(planner.find(game.new(1)).visits)
    assert (seen == 1) if name.startswith("paper") else (seen > 40)


def test_a_turn_without_positions_is_refused():
    agent, game = agent_of(TicTacToe()), TicTacToe()
    turn = Turn(game.observe(game.new(1)), np.ones(1, np.bool_), np.zeros(1, np.float32))
    with pytest.raises(ValueError, match="needs a turn with game and states"):
        agent.act(agent.initial(1), turn, explore=False)


# --- files


def test_what_is_no_such_agent_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"holds no agent: there is no agent\.json"):
        AlphaZero.load(tmp_path)
    agent_of(TicTacToe()).save(tmp_path / "good")
    with pytest.raises(ValueError, match="holds an agent of the kind 'alphazero', 'alphagozero' is wanted"):
        AlphaGoZero.load(tmp_path / "good")
    assert AlphaZero.load(tmp_path / "good", runtime="torch").task == "tictactoe"


DAMAGES = [
    ("agent.json", lambda text: b"", "is damaged"),
    ("agent.json", lambda text: text[:200], "is damaged"),
    ("agent.json", lambda text: b"[1]", "kind None, 'alphazero' is wanted"),
    ("agent.json", lambda text: text.replace(b'"net"', b'"nut"'), "is damaged: 'net'"),
    ("agent.json", lambda text: text.replace(b'"channels": 4', b'"channels": 6'), "is damaged: .*size mismatch"),
    ("agent.json", lambda text: text.replace(b'"tictactoe"', b'"connect4"'), "its net is not one for connect4"),
    ("agent.json", lambda text: text.replace(b'"tictactoe"', b'"tictactics"'), "tictactics"),
    ("agent.json", lambda text: text.replace(b'"momentum": 0.9', b'"momentum": "much"'), "momentum"),
    ("agent.json", lambda text: text.replace(b'"momentum"', b'"momenta"'), "momenta"),
    ("weights.safetensors", lambda content: content[:100], "is damaged"),
    ("weights.safetensors", None, "weights.safetensors"),
]


@pytest.mark.parametrize(("file", "change", "why"), DAMAGES)
def test_damaged_agents_are_told(file, change, why, tmp_path):
    agent_of(TicTacToe()).save(tmp_path)
    damaged = tmp_path / file
    if change is None:
        damaged.unlink()
    else:
        before = damaged.read_bytes()
        damaged.write_bytes(change(before))
        assert damaged.read_bytes() != before
    with pytest.raises(ValueError, match=why) as caught:
        AlphaZero.load(tmp_path)
    assert "\n" not in str(caught.value)


# --- at the arena's boards


def test_at_the_board_it_thinks_in_figures_that_add_up():
    game = ConnectFour()
    player = AgentPlayer(agent_of(game), simulations=40, seed=0)
    rng, other = np.random.default_rng(0), RandomPlayer()
    position = Position(game)
    player.begin(game, 0, rng)
    other.begin(game, 1, rng)
    while position.outcome() is None:
        move = player.choose(position.copy(), Budget())
        thought = player.thought
        assert thought.line[0] == move
        assert thought.nodes >= 40
        candidates = thought.candidates
        assert {each.move for each in candidates} == {str(action + 1) for action in position.legal_actions()}
        assert sum(each.visits for each in candidates) == thought.nodes
        assert sum(each.prior for each in candidates) == pytest.approx(1, abs=1e-5)
        assert max(each.visits for each in candidates) == candidates[0].visits
        assert all(each.value is None or -1 <= each.value <= 1 for each in candidates)
        assert -1 <= thought.value <= 1
        position.play(position.action(move))
        if position.outcome() is None:
            position.play(position.action(other.choose(position.copy(), Budget())))
    with pytest.raises(ValueError, match="game is over"):
        player.choose(position, Budget())
    with pytest.raises(ValueError, match="has learnt connect4, not tictactoe"):
        player.choose(Position(TicTacToe()), Budget())


class Talk:
    """A UCI session, and what it says."""

    def __init__(self, spec):
        self.lines, self.came = [], Condition()
        self.session = Session(spec, Chess(), 1, say=self.hear)

    def hear(self, line):
        with self.came:
            self.lines.append(line)
            self.came.notify_all()

    def until(self, start):
        with self.came:
            assert self.came.wait_for(lambda: any(line.startswith(start) for line in self.lines), 60), self.lines
        return next(line for line in self.lines if line.startswith(start))


def test_as_a_chess_engine_it_thinks_until_it_is_stopped(tmp_path):
    agent_of(Chess(), lively=False).save(tmp_path)
    talk = Talk(f"alphazero:{tmp_path}@runtime=torch")
    try:
        talk.session.hear("uci")
        talk.session.hear("isready")
        talk.until("readyok")
        talk.session.hear("position startpos moves e2e4")
        talk.session.hear("go infinite")
        first = talk.until("info depth")
        assert re.search(r" nodes \d+ ", first)
        assert not any(line.startswith("bestmove") for line in talk.lines)
        started = time.monotonic()
        talk.session.hear("stop")
        best = talk.until("bestmove").split()[1]
        assert time.monotonic() - started < 20
        position = Position(Chess())
        position.play(position.action("e2e4"))
        assert position.action(best) in position.legal_actions()
        talk.lines.clear()
        talk.session.hear("go movetime 200 searchmoves e7e5 c7c5")
        assert talk.until("bestmove").split()[1] in ("e7e5", "c7c5")
    finally:
        talk.session.close()


# --- learning

SMALL = {"games": 64, "rounds": 208, "evaluate_every": 1000, "least": 200}


def by_policy(folder, **settings):
    """The score of the agent in `folder`, with one simulation a move, so that its network decides."""
    agent = AlphaZero.load(folder, runtime="torch")
    agent.simulations = 1
    return strength(agent, TicTacToe(), ("random", "perfect"), 60, 2, seed=7, **settings)


def test_losses_fall_and_the_policy_grows_stronger(tmp_path):
    stages = train(tmp_path / "run", TicTacToe(), 60, **SMALL | {"games": 128, "least": 500}, simulations=10)
    next(stages)
    shutil.copytree(tmp_path / "run", tmp_path / "untrained")
    list(stages)
    learned = [row for row in metrics.read_progress(tmp_path / "run") if "loss/policy" in row]
    assert learned[-1]["loss/policy"] < learned[0]["loss/policy"]
    assert learned[-1]["loss/value"] < learned[0]["loss/value"] - 0.1
    untrained, trained = by_policy(tmp_path / "untrained"), by_policy(tmp_path / "run")
    assert trained["score/random"] > untrained["score/random"] + 0.1


@pytest.mark.slow
def test_tictactoe_is_learned_until_nothing_is_lost(tmp_path):
    list(train(tmp_path, TicTacToe(), 1000, **SMALL))
    scores = by_policy(tmp_path)
    assert scores["score/random"] > 0.8
    assert scores["score/perfect"] > 0.35  # a draw is half a point; some openings are lost already
    agent, game = AlphaZero.load(tmp_path, runtime="torch"), TicTacToe()
    assert strength(agent, game, ("perfect",), 40, 0, seed=1)["score/perfect"] == 0.5
    assert chooser(agent, game, 1)(game.new(1)).shape == (1,)
