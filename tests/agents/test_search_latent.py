"""Search over learned dynamics: with the true rules as dynamics it is AlphaZero's search."""

import numpy as np
import pytest

from sakiyomi.agents.parts.search import Gumbel, LatentModel, Puct, RulesModel, Search
from sakiyomi.boards import ConnectFour, TicTacToe
from sakiyomi.boards.game import Ending

NEVER = -1e9  # the logit of an illegal action


def hashed(game):
    """An evaluation by a hash of the observation."""
    weights = np.random.default_rng(0).normal(size=(int(np.prod(game.planes)), 8)).astype(np.float32)
    columns = np.random.default_rng(1).normal(size=(8, game.num_actions)).astype(np.float32)

    def evaluate(observations):
        inner = np.sin(np.round(observations.reshape(len(observations), -1) @ weights + 1, 2))
        return np.stack([row @ columns for row in inner]), np.tanh(inner[:, 0])

    return evaluate


class Simulator:
    """The rules as dynamics: a latent state is a position, or how many moves ago and with what result a game ended."""

    def __init__(self, game, roots):
        self.game, self.roots, self.evaluate = game, roots, hashed(game)
        self.latent = np.dtype([("state", roots.dtype), ("over", np.bool_), ("result", np.float32)])
        self.calls = 0

    def room(self, trees, nodes):
        return np.zeros((trees, nodes), self.latent)

    def initial(self, observations):
        latents = np.zeros(len(observations), self.latent)
        latents["state"] = self.roots[observations[:, 0]]
        return *self.read(latents), latents

    def recurrent(self, latents, actions):
        self.calls += 1
        latents = latents.copy()
        goes_on = np.flatnonzero(~latents["over"])
        latents["result"] *= -1  # as the other sees it
        for row in goes_on:
            state = latents["state"][row : row + 1]
            if self.game.legal(state)[0, actions[row]]:
                self.game.play(state, actions[row : row + 1])
            else:  # which no search goes for: it is sure not to be played
                latents["over"][row], latents["result"][row] = True, 1.0
        ended = goes_on[self.game.ending(latents["state"][goes_on]) != Ending.ONGOING]
        latents["over"][ended] = True
        firsts = self.game.result(latents["state"][ended])
        latents["result"][ended] = np.where(self.game.turn(latents["state"][ended]) == 0, firsts, -firsts)
        logits, values = self.read(latents)
        return logits, values, np.zeros(len(actions), np.float32), latents

    def read(self, latents):
        """Logits and values; past an end the value stays, as each player in turn sees it."""
        logits, values = self.evaluate(self.game.observe(np.ascontiguousarray(latents["state"])))
        legal = self.game.legal(np.ascontiguousarray(latents["state"]))
        logits = np.where(legal | latents["over"][:, None], logits, NEVER).astype(np.float32)
        return logits, np.where(latents["over"], latents["result"], values).astype(np.float32)


def some_positions(game, count, seed=0):
    """Positions after 0 to 6 random moves, none of them over."""
    rng, states = np.random.default_rng(seed), game.new(count)
    for row in range(count):
        for _ in range(row % 7):
            state = states[row : row + 1].copy()
            game.play(state, rng.choice(np.flatnonzero(game.legal(state)[0]), 1).astype(np.int32))
            if game.ending(state)[0] == Ending.ONGOING:
                states[row : row + 1] = state
    return states


@pytest.mark.parametrize("game", [TicTacToe(), ConnectFour()], ids=["tictactoe", "connect4"])
@pytest.mark.parametrize("selection", [Puct(), Gumbel(considered=4, noise=0.0)], ids=["puct", "gumbel"])
def test_with_the_true_rules_it_is_the_search_that_knows_them(game, selection):
    """Values between the fixed bounds, and nothing worse than what was not looked at: illegal moves stay unvisited."""
    states, simulations = some_positions(game, 12), 80
    rules = RulesModel(game, hashed(game), len(states))
    rules.roots[:] = states
    settings = {"selection": selection, "shuffle": False}
    known = Search(rules, len(states), simulations, rng=np.random.default_rng(0), **settings).run(simulations)
    model = LatentModel(
        Simulator(game, states), len(states), simulations + 1, game.num_actions, discount=1.0, players=2
    )
    model.look_from(np.arange(len(states))[:, None], game.legal(states), game.turn(states))
    learned = Search(model, len(states), simulations, rng=np.random.default_rng(0), **settings).run(simulations)
    np.testing.assert_allclose(known.priors, learned.priors, atol=1e-6)
    if isinstance(selection, Gumbel):  # its completed values are of all actions here, of legal ones there
        assert (known.visits.argmax(1) == learned.visits.argmax(1)).mean() > 0.8
        return
    assert np.array_equal(known.visits, learned.visits)
    np.testing.assert_allclose(known.means, learned.means, atol=1e-5)
    np.testing.assert_allclose(known.values, learned.values, atol=1e-5)


class Told:
    """One player's dynamics that count: the latent state is a number, an action adds itself and rewards that much."""

    def __init__(self):
        self.asked = []

    def room(self, trees, nodes):
        return np.zeros((trees, nodes), np.int64)

    def initial(self, observations):
        return *self.read(observations), observations

    def recurrent(self, latents, actions):
        self.asked.append((latents.copy(), actions.copy()))
        logits, values = self.read(latents + actions)
        return logits, values, actions.astype(np.float32), latents + actions

    def read(self, latents):
        return np.zeros((len(latents), 3), np.float32), latents.astype(np.float32)


def test_rewards_and_values_are_discounted_for_one_player():
    model = LatentModel(Told(), 2, 4, 3, discount=0.5, players=1)
    model.look_from(np.array([10, 20]))
    found = Search(model, 2, 3, selection=Puct(init=100.0, scale="tree"), shuffle=False).run(3)
    # each action once: its reward and half of the value behind it
    assert found.visits.tolist() == [[1, 1, 1]] * 2
    assert found.means.tolist() == [[5, 1 + 5.5, 2 + 6], [10, 1 + 10.5, 2 + 11]]
    assert found.values.tolist() == [(10 + 5 + 6.5 + 8) / 4, (20 + 10 + 11.5 + 13) / 4]


def test_only_the_root_knows_what_is_legal():
    model = LatentModel(Told(), 1, 2, 3, discount=1.0, players=1)
    legal = np.array([[True, False, True]])
    model.look_from(np.array([0]), legal)
    search = Search(model, 1, 40, selection=Puct(scale="tree"))
    found = search.run(40)
    assert (found.visits[0] > 0).tolist() == [True, False, True]
    nodes = search.forest.nodes[0, : search.forest.trees["nodes"][0]]
    assert nodes["count"][0] == 2
    assert (nodes["count"][1:] == 3).all()


def test_latent_states_move_with_their_nodes_when_arrays_grow():
    """More simulations than there was room for: each step still starts from the latent state of its own parent."""
    told = Told()
    model = LatentModel(told, 3, 2, 3, discount=0.9, players=1)
    model.look_from(np.array([0, 100, 200]))
    search = Search(model, 3, 50, selection=Puct(scale="tree"), rng=np.random.default_rng(0))
    search.run(50)
    forest = search.forest
    for row in range(3):
        for node in range(1, int(forest.trees["nodes"][row])):
            path, at = 0, node
            while at != 0:
                path += int(forest.edges["action"][row, forest.nodes["via"][row, at]])
                at = int(forest.nodes["parent"][row, at])
            assert forest.nodes["value"][row, node] == 100 * row + path


def test_rows_that_are_done_are_left_alone():
    told = Told()
    model = LatentModel(told, 4, 30, 3, discount=1.0, players=1)
    model.look_from(np.array([0, 10, 20, 30]))
    search = Search(model, 4, 20, selection=Puct(scale="tree"))
    search.begin(np.arange(4), [20, 5, 1, 10])
    while len(search.round()) < 4:
        pass
    assert search.findings(np.arange(4)).visits.sum(1).tolist() == [20, 5, 1, 10]
    assert sum(len(actions) for _, actions in told.asked) == 36


def test_several_leaves_a_tree_each_have_their_own_latent_state():
    model = LatentModel(Told(), 2, 60, 3, discount=0.9, players=1, each=4)
    model.look_from(np.array([0, 50]))
    search = Search(model, 2, 48, selection=Puct(scale="tree"), leaves=4, rng=np.random.default_rng(0))
    search.run(48)
    forest = search.forest
    for row in range(2):
        for node in range(1, int(forest.trees["nodes"][row])):
            if forest.nodes["count"][row, node] < 0:
                continue
            path, at = 0, node
            while at != 0:
                path += int(forest.edges["action"][row, forest.nodes["via"][row, at]])
                at = int(forest.nodes["parent"][row, at])
            assert forest.nodes["value"][row, node] == 50 * row + path
