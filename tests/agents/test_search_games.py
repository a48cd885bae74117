"""Search of real games: exact play, proofs, terminal leaves, root noise, ties, chess's and shogi's many actions."""

import numpy as np
import pytest

from sakiyomi.agents.parts.search import Dirichlet, Findings, Gumbel, Puct, RulesModel, Search
from sakiyomi.agents.parts.search.halving import schedule
from sakiyomi.agents.parts.solvers.tictactoe import movers_board, score
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi
from sakiyomi.boards.tictactoe import TicTacToe

POWERS = 3 ** np.arange(9)


def ignorant(game):
    """An evaluation that knows nothing: equal priors, values of 0."""

    def evaluate(observations):
        return np.zeros((len(observations), game.num_actions), np.float32), np.zeros(len(observations), np.float32)

    return evaluate


def hashed(game):
    """An evaluation by a hash of the observation."""
    weights = np.random.default_rng(0).normal(size=(int(np.prod(game.planes)), 8)).astype(np.float32)
    columns = np.random.default_rng(1).normal(size=(8, game.num_actions)).astype(np.float32)

    def evaluate(observations):
        inner = np.sin(np.round(observations.reshape(len(observations), -1) @ weights + 1, 2))
        return np.stack([row @ columns for row in inner]), np.tanh(inner[:, 0])

    return evaluate


def search_of(game, states, simulations, evaluate=None, **settings):
    model = RulesModel(game, evaluate or ignorant(game), len(states) * settings.get("leaves", 1))
    model.roots[:] = np.repeat(states, settings.get("leaves", 1))
    return Search(model, len(states), simulations, **settings)


@pytest.fixture(scope="module")
def solved():
    """The 4,520 positions of tic-tac-toe where the game goes on, the value of each and which actions keep it."""
    game = TicTacToe()
    level, found = game.new(1), {}
    while len(level):
        keys = level["board"] @ POWERS
        level = level[np.unique(keys, return_index=True)[1]]
        level = level[game.ending(level) == 0]
        for i in range(len(level)):
            found[len(found)] = level[i : i + 1]
        rows, actions = np.nonzero(game.legal(level))
        level = level[rows]
        game.play(level, actions.astype(np.int32))
    states = np.concatenate(list(found.values()))
    values = np.array([np.sign(score(movers_board(states[i : i + 1]))) for i in range(len(states))], np.float32)
    by_key = dict(zip((states["board"] @ POWERS).tolist(), values.tolist(), strict=True))
    rows, actions = np.nonzero(game.legal(states))
    behind = states[rows]
    movers = game.turn(behind)
    game.play(behind, actions.astype(np.int32))
    results = np.where(movers == 0, 1, -1) * game.result(behind)
    next_values = np.array([-by_key.get(key, 0.0) for key in (behind["board"] @ POWERS).tolist()])
    keeps = np.zeros((len(states), 9), np.bool_)
    keeps[rows, actions] = np.where(game.ending(behind) != 0, results, next_values) == values[rows]
    return states, values, keeps


def exact(solved, hint):
    """The true values; logits are greater by `hint` for the actions that keep them."""
    states, values, keeps = solved
    table, policy = np.zeros(3**9, np.float32), np.zeros((3**9, 9), np.float32)
    own = states["board"] * np.where(states["turn"] == 0, 1, -1)[:, None]
    table[own @ POWERS + 3**9 // 2] = values
    policy[own @ POWERS + 3**9 // 2] = hint * keeps

    def evaluate(observations):
        own = (observations[:, 0] - observations[:, 1]).reshape(-1, 9).astype(np.int64)
        return policy[own @ POWERS + 3**9 // 2], table[own @ POWERS + 3**9 // 2]

    return evaluate


@pytest.mark.parametrize(
    ("selection", "hint"),
    [(Puct(), 0), (Puct(init=1.5, base=None, unvisited="draw", scale="none"), 0), (Gumbel(noise=0), 1)],
    ids=["alphazero", "alphago zero", "gumbel"],
)
def test_search_with_exact_values_plays_every_position_of_tic_tac_toe_right(solved, selection, hint):
    """With equal priors but for Gumbel, which may never try the move that refutes, if others look bad first."""
    states, values, keeps = solved
    assert len(states) == 4520
    rng = np.random.default_rng(0)
    search = search_of(TicTacToe(), states, 200, exact(solved, hint), selection=selection, rng=rng)
    findings = search.run(200)
    if isinstance(selection, Gumbel):
        chosen = findings.gumbel_actions(selection)
    else:
        chosen = (findings.visits + np.nan_to_num(findings.means, nan=-1) / 4).argmax(1)  # of equals the better one
    assert keeps[np.arange(len(states)), chosen].all()
    means = findings.means[np.arange(len(states)), chosen]
    assert (means[values == 1] > 0).all()
    assert (means[values == -1] < 0).all()


def test_search_without_knowledge_proves_a_draw():
    """X has the centre, O a corner: seven empty squares. What is proven is not searched on."""
    state = Position(TicTacToe(), "O../.X./...").state
    selection = Puct(scale="none", unvisited="draw")
    search = search_of(TicTacToe(), state, 20000, selection=selection, solve=True, rng=np.random.default_rng(0))
    findings = search.run(20000)
    assert findings.certain[0] == findings.values[0] == 0
    assert findings.visits.sum() < 20000
    assert search.forest.trees["nodes"][0] < 2000


@pytest.mark.parametrize("leaves", [1, 4])
def test_what_is_proven_is_true(solved, leaves):
    """Every third position: results and sound moves are minimax's; 500 simulations prove nearly all but early draws."""
    states, values, keeps = (array[::3] for array in solved)
    selection = Puct(scale="none", unvisited="draw")
    rng = np.random.default_rng(0)
    search = search_of(TicTacToe(), states, 500, selection=selection, solve=True, leaves=leaves, rng=rng)
    findings = search.run(500)
    proven = ~np.isnan(findings.certain)
    assert proven.mean() > 0.9
    assert proven[(states["ply"] >= 5) | (values != 0)].all()
    assert np.array_equal(findings.certain[proven], values[proven])
    assert np.array_equal(findings.values[proven], values[proven])
    assert not (findings.sound & ~keeps)[proven].any()
    chosen = findings.proportions(0.0)
    assert not chosen[proven & (values > -1)][~keeps[proven & (values > -1)]].any()
    assert np.allclose(chosen.sum(1), 1)


def test_a_proven_win_is_played_whatever_was_visited_more():
    """An action of a single visit that wins is chosen over one of many; one that loses is not, though visited most."""
    nan = np.nan
    findings = Findings(
        visits=np.array([[9, 1, 0], [9, 3, 0], [5, 0, 0]]),
        means=np.array([[0.3, 1.0, nan], [-1.0, 0.1, nan], [-1.0, nan, nan]]),
        priors=np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.0, 0.5]]),
        values=np.zeros(3),
        raw_values=np.zeros(3),
        noise=np.zeros((3, 3)),
        proofs=np.array([[nan, 1.0, nan], [-1.0, nan, nan], [-1.0, nan, nan]]),
        certain=np.array([1.0, nan, nan]),
    )
    assert np.array_equal(findings.proportions().argmax(1), [1, 1, 2])
    assert np.array_equal(findings.proportions(0.0), [[0, 1, 0], [0, 1, 0], [0, 0, 1]])
    assert np.array_equal(findings.gumbel_actions(Gumbel()), [1, 1, 2])
    assert np.array_equal(findings.improved(Gumbel()).argmax(1), [1, 1, 2])


@pytest.mark.parametrize("selection", [Puct(), Puct(scale="none", unvisited="draw"), Gumbel(noise=0)], ids=str)
def test_wins_at_once_and_stops_the_others_win(selection):
    """Equal priors and a network that knows nothing: the only right move, as either side."""
    game = TicTacToe()
    cases = {"XX./OO./...": 2, "X.X/OO./X..": 5, "X../.O./X..": 3, "XO./XO./...": 6, "XX./O../...": 2}
    states = np.concatenate([Position(game, text).state for text in cases])
    findings = search_of(game, states, 200, selection=selection, rng=np.random.default_rng(0)).run(200)
    chosen = findings.gumbel_actions(selection) if isinstance(selection, Gumbel) else findings.visits.argmax(1)
    assert chosen.tolist() == list(cases.values())


class OneStep:
    """A root whose two actions lead to given rewards, next players and values."""

    num_actions = 2

    def __init__(self, turn, over, same, worth):
        self.turn, self.over, self.same, self.worth = turn, over, same, worth

    def look(self, leaves):
        at_root = leaves.lengths == 0
        leaves.turns[:] = np.where(at_root | self.same, self.turn, 1 - self.turn)
        leaves.rewards[:] = np.where(self.over, self.worth, 0.0)
        leaves.discounts[:] = 0.0 if self.over else 1.0 if self.same else -1.0
        leaves.legal[:] = (at_root | (not self.over))[:, None]
        leaves.logits[:], leaves.values[:] = 0, np.where(at_root, 0.0, self.worth)
        return 1


@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize("worth", [1.0, -1.0])
@pytest.mark.parametrize(("over", "same", "sign"), [(True, False, 1), (False, True, 1), (False, False, -1)])
def test_one_rule_of_backing_up(turn, worth, over, same, sign):
    """G = r + d G: what is won at the end, by the same player's next move, or by the other's."""
    findings = Search(OneStep(turn, over, same, worth), 1, 1, shuffle=False).run(1)
    assert findings.means[0, 0] == sign * worth
    assert findings.values[0] == sign * worth / 2  # with the root's own value of 0


def test_sides_that_move_twice_are_backed_up_as_one(solved):
    """Othello passes are forced moves of the rules: values of the same player keep their sign."""
    game = Othello(size=6)
    rng = np.random.default_rng(0)
    states = game.new(64)
    for _ in range(20):
        legal = game.legal(states)
        going = legal.any(1)
        part = states[going]
        game.play(part, np.array([rng.choice(np.flatnonzero(row)) for row in legal[going]], np.int32))
        states[going] = part
    states = states[game.ending(states) == 0]
    search = search_of(game, states, 50, hashed(game), shuffle=False)
    search.run(50)
    for row in range(len(states)):
        nodes = search.forest.nodes[row, : search.forest.trees["nodes"][row]]
        inner = nodes[1:][nodes["count"][1:] > 0]
        assert np.array_equal(inner["discount"] > 0, inner["turn"] == nodes["turn"][inner["parent"]])


def test_finished_games_need_no_network():
    """One empty square: every simulation ends the game, and only the root is evaluated."""
    game = TicTacToe()
    asked = []

    def evaluate(observations):
        asked.append(len(observations))
        return ignorant(game)(observations)

    search = search_of(game, Position(game, "XOX/XOO/O.X").state, 10, evaluate)
    findings = search.run(10)
    assert asked == [1]
    assert search.evaluated == 1
    assert findings.visits.sum() == 10
    assert findings.means[0, 7] == 0  # a draw

    asked.clear()
    over = search_of(game, Position(game, "XXX/OO./...").state, 10, evaluate).run(10)
    assert asked == []
    assert np.array_equal(over.proportions(), np.zeros((1, 9)))  # finite: no action, no policy
    assert np.array_equal(over.improved(Gumbel()), np.zeros((1, 9)))


@pytest.mark.parametrize("settings", [{}, {"solve": False, "leaves": 4}, {"selection": Gumbel()}], ids=str)
def test_simulations_are_counted_without_the_root(settings):
    """800 simulations are 800 descents; each calls the network once or ends the game, and the root's call is extra."""
    game = ConnectFour()
    search = search_of(game, game.new(3), 80, hashed(game), rng=np.random.default_rng(0), **settings)
    findings = search.run(80)
    assert np.array_equal(findings.visits.sum(1), [80, 80, 80])
    assert np.array_equal(search.forest.nodes["visits"][:, 0], [81, 81, 81])
    assert search.evaluated == 3 * 81  # no game of Connect Four ends that early with these priors


@pytest.mark.parametrize("goals", [[5, 20, 1], [0, 3, 3]])
def test_every_tree_has_its_own_goal(goals):
    game = ConnectFour()
    search = search_of(game, game.new(3), 20)
    search.begin(np.arange(3), goals)
    while len(search.round()) < 3:
        pass
    assert np.array_equal(search.findings(np.arange(3)).visits.sum(1), goals)


def test_the_first_visit_goes_to_the_greatest_prior():
    game = ConnectFour()
    for settings in ({}, {"count": "children"}, {"unvisited": "draw", "scale": "none"}):
        findings = search_of(game, game.new(4), 1, hashed(game), selection=Puct(**settings)).run(1)
        assert np.array_equal(findings.visits.argmax(1), findings.priors.argmax(1))


@pytest.mark.parametrize("layout", ["dense", "pool"])
def test_priors_are_of_legal_actions_alone(layout):
    """All mass on illegal actions, minus infinities, or no numbers at all: equal priors on what is legal."""
    game = TicTacToe()
    state = Position(game, "XO./.X./..O").state
    legal = game.legal(state)[0]
    for logits in (np.where(legal, -np.inf, 50.0), np.where(legal, np.nan, 0.0), np.where(legal, -1e30, 1e30)):

        def evaluate(observations, logits=logits):
            return np.tile(logits.astype(np.float32), (len(observations), 1)), np.zeros(len(observations), np.float32)

        findings = search_of(game, state, 30, evaluate, layout=layout).run(30)
        np.testing.assert_allclose(findings.priors[0], legal / legal.sum(), atol=1e-6)
        assert findings.visits[0][~legal].sum() == 0
        assert np.isfinite(findings.proportions()).all()


def test_dirichlet_noise_is_a_mixture_on_legal_actions_of_the_root():
    game = TicTacToe()
    states = np.repeat(Position(game, "XO./.X./..O").state, 4000)
    legal = game.legal(states[:1])[0]
    noise = Dirichlet(alpha=0.5, fraction=0.25)
    plain = search_of(game, states[:1], 2, hashed(game)).run(2).priors
    search = search_of(game, states, 2, hashed(game), noise=noise, rng=np.random.default_rng(0))
    priors = search.run(2).priors
    eta = (priors - 0.75 * plain) / 0.25
    assert np.all(eta > -1e-5)
    np.testing.assert_allclose(priors.sum(1), 1, atol=1e-5)
    assert np.all(priors[:, ~legal] == 0)
    count, alpha = legal.sum(), 0.5
    total = alpha * count
    np.testing.assert_allclose(eta[:, legal].mean(0), 1 / count, atol=0.02)
    variance = (1 / count) * (1 - 1 / count) / (total + 1)  # of a Dirichlet distribution
    np.testing.assert_allclose(eta[:, legal].var(0), variance, rtol=0.1)
    nodes, edges = search.forest.nodes, search.forest.edges
    first = edges["action"][np.arange(4000), nodes["via"][:, 1]]
    inner = edges["prior"][:, count : 2 * count - 1]  # those of the first node below the root
    for action in np.unique(first):
        assert np.ptp(np.sort(inner[first == action], axis=1), axis=0).max() < 1e-6


def test_noise_is_drawn_anew_for_each_search_and_left_out_on_request():
    game = ConnectFour()
    search = search_of(game, game.new(2), 5, hashed(game), noise=Dirichlet(alpha=1.0), rng=np.random.default_rng(0))
    first, second = search.run(5).priors, search.run(5).priors
    assert np.abs(first - second).max() > 0.01
    assert np.abs(first[0] - first[1]).max() > 0.01
    search.begin([0, 1], 5, noisy=np.array([True, False]))
    while len(search.round()) < 2:
        pass
    third = search.findings([0, 1]).priors
    plain = search_of(game, game.new(1), 5, hashed(game)).run(5).priors[0]
    assert np.allclose(third[1], plain)
    assert not np.allclose(third[0], plain)

    gumbel = search_of(game, game.new(2), 5, selection=Gumbel(), rng=np.random.default_rng(0))
    samples = gumbel.run(5).noise
    assert not np.allclose(samples[0], samples[1])
    assert not np.allclose(samples, gumbel.run(5).noise)
    gumbel.begin([0, 1], 5, noisy=False)
    while len(gumbel.round()) < 2:
        pass
    assert not gumbel.findings([0, 1]).noise.any()


def test_total_noise_is_spread_over_the_legal_actions():
    """KataGo's alpha is 10.83 shared by the legal actions: the variance of a share tells it."""
    game = ConnectFour()
    noise = Dirichlet(total=10.83, fraction=1.0)
    priors = search_of(game, game.new(4000), 1, noise=noise, rng=np.random.default_rng(0)).run(1).priors
    np.testing.assert_allclose(priors.var(0), (1 / 7) * (6 / 7) / 11.83, rtol=0.1)


def test_ties_are_broken_evenly():
    """Equal priors and values: each column is the first choice of a seventh of the trees, within 5 standard errors."""
    game = ConnectFour()
    trees = 7000
    findings = search_of(game, game.new(trees), 1, rng=np.random.default_rng(0)).run(1)
    counts = findings.visits.sum(0)
    assert np.abs(counts - trees / 7).max() < 5 * np.sqrt(trees * (1 / 7) * (6 / 7))
    fixed = search_of(game, game.new(3), 1, shuffle=False).run(1)
    assert np.array_equal(fixed.visits.argmax(1), [0, 0, 0])


def test_equal_seeds_give_equal_trees():
    game = ConnectFour()
    runs = [
        search_of(game, game.new(5), 60, noise=Dirichlet(alpha=1.0), rng=np.random.default_rng(seed)).run(60).visits
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


@pytest.mark.parametrize(("make", "plies"), [(Chess, 30), (Shogi, 40)], ids=["chess", "shogi"])
def test_edges_are_exactly_the_legal_moves(make, plies):
    """Of roots and of inner nodes, in the pool of edges that action sets of thousands get."""
    game = make()
    rng = np.random.default_rng(0)
    states = game.new(6)
    for _ in range(plies):
        legal = game.legal(states)
        game.play(states, np.array([rng.choice(np.flatnonzero(row)) for row in legal], np.int32))
    search = search_of(game, states, 24, hashed(game), rng=rng)
    assert not search.forest.dense
    findings = search.run(24)
    assert np.array_equal(findings.priors > 0, game.legal(states))
    np.testing.assert_allclose(findings.priors.sum(1), 1, atol=1e-5)
    forest = search.forest
    for row in range(6):
        for n in range(1, forest.trees["nodes"][row]):
            path, at = [], n
            while at:
                path.append(int(forest.edges["action"][row, forest.nodes["via"][row, at]]))
                at = int(forest.nodes["parent"][row, at])
            state = states[row : row + 1].copy()
            for action in reversed(path):
                game.play(state, np.array([action], np.int32))
            node = forest.nodes[row, n]
            edges = forest.edges[row, node["first"] : node["first"] + node["count"]]
            assert sorted(edges["action"].tolist()) == np.flatnonzero(game.legal(state)[0]).tolist()
            assert node["turn"] == game.turn(state)[0]


# --- formulas


@pytest.mark.parametrize(
    ("considered", "simulations", "plan"),
    [
        (4, 16, "0000 1111 22 33 44 55"),
        (16, 32, "0000000000000000 11111111 2222 3333"),
        (3, 10, "000 11 22 33 4"),
        (1, 5, "01234"),
        (2, 6, "00 11 22"),
        (16, 3, "000"),
    ],
)
def test_sequential_halving(considered, simulations, plan):
    assert "".join(map(str, schedule(considered, simulations))) == plan.replace(" ", "")


@pytest.mark.parametrize(
    ("visits", "wanted"), [(1, 1.250102), (100, 1.255126), (800, 1.289950), (1600, 1.328319), (19652, 1.943173)]
)
def test_growth_of_the_exploration_coefficient(visits, wanted):
    """Two edges whose scores the coefficient makes equal: a prior just below that loses, just above wins."""
    from sakiyomi.agents.parts.search.forest import Forest
    from sakiyomi.agents.parts.search.scores import puct_edge
    from sakiyomi.agents.parts.search.selection import as_record

    forest = Forest(1, 1, 2)
    rules = as_record(Puct(), solve=False, shuffle=False, virtual_loss=0)
    node, edges = forest.nodes[0, 0], forest.edges[0]
    node["count"], node["tried"], node["visits"] = 2, 1, visits
    edges["visits"][0], edges["total"][0] = 1, 0.0  # Q 0, which is 0.5 on the scale of 0 to 1
    edges["prior"][0] = 0
    needed = 0.5 / (wanted * np.sqrt(visits))
    for factor, best in ((1 - 2e-6, 0), (1 + 2e-6, 1)):
        edges["prior"][1] = needed * factor
        assert puct_edge(forest.trees, forest.nodes, forest.edges, rules, 0, 0) == best


def brute_pruned(visits, means, priors, c, forced):
    """Take visits off one by one, as long as that leaves the score below the best action's."""
    best = int(np.argmax(visits))
    kept = visits.astype(float).copy()
    aim = means[best] + c * priors[best] / (1 + visits[best])
    for a in range(len(visits)):
        if a == best:
            continue
        for _ in range(int(np.sqrt(forced * priors[a] * visits.sum()))):
            if kept[a] <= 0 or means[a] + c * priors[a] / kept[a] > aim:
                break
            kept[a] -= 1
        if kept[a] <= 1:
            kept[a] = 0
    return kept


def test_pruned_visits_equal_brute_force():
    rng = np.random.default_rng(0)
    n, actions = 300, 8
    visits = rng.integers(0, 40, (n, actions)) * (rng.random((n, actions)) < 0.8)
    visits[:, 0] += 1
    means = np.where(visits > 0, rng.uniform(-1, 1, (n, actions)), np.nan)
    priors = rng.dirichlet(np.ones(actions), n)
    c = rng.uniform(1, 40, n)
    nan = np.full(n, np.nan)
    findings = Findings(
        visits, means, priors, np.zeros(n), np.zeros(n), np.zeros((n, actions)), np.full((n, actions), np.nan), nan
    )
    for forced in (0.0, 2.0):
        pruned = findings.pruned(c, forced)
        for i in range(n):
            q = np.nan_to_num(means[i])
            assert np.array_equal(pruned[i], brute_pruned(visits[i], q, priors[i], c[i], forced))
    assert (findings.pruned(c, 2.0) < visits).any()


def test_proportions_of_visits():
    visits = np.array([[1, 4, 0, 0], [3, 3, 2, 0]])
    whole = np.full((2, 4), np.nan)
    priors = np.full((2, 4), 0.25)
    findings = Findings(visits, whole, priors, np.zeros(2), np.zeros(2), np.zeros((2, 4)), whole, whole[:, 0])
    np.testing.assert_allclose(findings.proportions(), [[0.2, 0.8, 0, 0], [3 / 8, 3 / 8, 2 / 8, 0]])
    np.testing.assert_allclose(findings.proportions(0.5), [[1 / 17, 16 / 17, 0, 0], [9 / 22, 9 / 22, 4 / 22, 0]])
    np.testing.assert_allclose(findings.proportions(np.array([1.0, 0.0])), [[0.2, 0.8, 0, 0], [0.5, 0.5, 0, 0]])
    assert np.isfinite(findings.proportions(1e-6)).all()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Puct(scale="wide"), "scale must be one of"),
        (lambda: Puct(base=0), "base must be over 0"),
        (lambda: Puct(init=-1), "init must be 0 or more"),
        (lambda: Gumbel(considered=0), "considered must be 1 or more"),
        (lambda: Dirichlet(alpha=0), "alpha must be over 0"),
        (lambda: Dirichlet(fraction=2), "fraction must be from 0 to 1"),
        (lambda: search_of(TicTacToe(), TicTacToe().new(1), 0), "simulations must be 1 or more"),
        (lambda: search_of(TicTacToe(), TicTacToe().new(1), 1, layout="wide"), "layout is"),
    ],
)
def test_settings_that_cannot_be_are_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()
