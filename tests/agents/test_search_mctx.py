"""Trees equal mctx's, node for node: the same priors, values and rewards, told by a hash of the actions played."""

import numpy as np
import pytest

from sakiyomi.agents.parts.search import Gumbel, Puct, Search

jax = pytest.importorskip("jax")
mctx = pytest.importorskip("mctx")
import jax.numpy as jnp  # noqa: E402

BATCH = 8
U32 = np.uint32


def mixed(word):
    """uint32 -> uint32 (the finaliser of MurmurHash3); the same in NumPy and JAX."""
    word = (word ^ (word >> U32(16))) * U32(0x85EBCA6B)
    word = (word ^ (word >> U32(13))) * U32(0xC2B2AE35)
    return word ^ (word >> U32(16))


def behind(word, action):
    """The hash of what `action` leads to."""
    return mixed(word * U32(31) + action.astype(U32) + U32(1))


def number(word):
    """uint32 -> float32 in [-1, 1), exact."""
    return (word >> U32(8)).astype(np.float32) * np.float32(2**-23) - np.float32(1)


class Hashed:
    """A model whose every answer is a hash of the row and of the actions from the root."""

    def __init__(self, legal, discount, rewards):
        self.legal, self.discount, self.rewards = legal, discount, rewards
        self.num_actions = legal.shape[1]

    def outputs(self, words, xp=np):
        """Logits [n, A], values [n] and rewards [n] for the hashes `words` [n]."""
        columns = xp.arange(self.num_actions).astype(U32) * U32(977) + U32(5)
        logits = 2 * number(mixed(words[:, None] + columns))
        reward = number(mixed(words ^ U32(0x55555555))) * np.float32(self.rewards)
        return logits, number(mixed(words ^ U32(0x0F0F0F0F))), reward

    def look(self, leaves):
        words = np.arange(1, BATCH + 1).astype(U32)
        for depth in range(int(leaves.lengths.max())):
            words = np.where(leaves.lengths > depth, behind(words, leaves.paths[:, depth]), words)
        leaves.logits[:], leaves.values[:], leaves.rewards[:] = self.outputs(words)
        leaves.discounts[:] = self.discount
        leaves.turns[:] = 0
        leaves.legal[:] = self.legal | (leaves.lengths > 0)[:, None]
        return len(words)


class Injected(np.random.Generator):
    """Random numbers whose Gumbel samples are given."""

    def __init__(self, samples):
        super().__init__(np.random.PCG64(0))
        self.given = samples

    def gumbel(self, size):
        assert size == self.given.shape
        return self.given


def masks(actions):
    """bool [B, A]: another choice of legal actions in each row, the first with all of them."""
    legal = np.random.default_rng(actions).random((BATCH, actions)) < 0.6
    legal[np.arange(BATCH), np.arange(BATCH) % actions] = True
    legal[0] = True
    return legal


def mctx_tree(model, policy, simulations, key, **settings):
    """What mctx finds with `model`: its output, compiled and run."""

    def step(_, __, action, words):
        words = behind(words, action)
        logits, values, rewards = model.outputs(words, jnp)
        discount = jnp.full_like(values, model.discount)
        return mctx.RecurrentFnOutput(reward=rewards, discount=discount, prior_logits=logits, value=values), words

    words = jnp.arange(1, BATCH + 1).astype(U32)
    logits, values, _ = model.outputs(words, jnp)
    root = mctx.RootFnOutput(prior_logits=logits, value=values, embedding=words)

    def run():
        return policy((), key, root, step, simulations, invalid_actions=jnp.asarray(~model.legal), **settings)

    return jax.jit(run, compiler_options={"xla_backend_optimization_level": 0})()  # quicker to compile


def assert_same_tree(search, tree):
    """Children, visits, values and Q of all nodes."""
    forest = search.forest
    nodes = tree.children_index.shape[1]
    assert np.array_equal(forest.trees["nodes"], np.full(BATCH, nodes))
    shape = (BATCH, nodes, forest.actions)
    children, visits, means = np.full(shape, -1), np.zeros(shape, int), np.zeros(shape)
    for row in range(BATCH):
        for n in range(nodes):
            node = forest.nodes[row, n]
            edges = forest.edges[row, node["first"] : node["first"] + node["count"]]
            children[row, n, edges["action"]] = edges["child"]
            visits[row, n, edges["action"]] = edges["visits"]
            means[row, n, edges["action"]] = edges["total"] / np.maximum(edges["visits"], 1)
    assert np.array_equal(children, tree.children_index)
    assert np.array_equal(visits, tree.children_visits)
    assert np.array_equal(forest.nodes["visits"][:, :nodes], tree.node_visits)
    totals = forest.nodes["total"][:, :nodes] / forest.nodes["visits"][:, :nodes]
    np.testing.assert_allclose(totals, tree.node_values, atol=1e-5)
    q = np.where(visits > 0, tree.children_rewards + tree.children_discounts * tree.children_values, 0)
    np.testing.assert_allclose(means, q, atol=1e-5)


OPPONENTS, ALONE = (-1.0, 0.0), (0.97, 1.0)  # discount, weight of the rewards on the way


ACTIONS, SIMULATIONS = (2, 7, 82), (1, 2, 16, 50, 200)


def cases(settings, quick):
    """Three settings, which share all sizes among them so that each size and each setting meets every other.

    They are slow, as mctx compiles each of them, but for the `quick` ones at 7 actions and 50.
    """
    shared = [
        pytest.param(*setting, ACTIONS[(i + k) % 3], SIMULATIONS[i], marks=pytest.mark.slow)
        for k, setting in enumerate(settings)
        for i in range(len(SIMULATIONS))
        if not (setting in quick and (ACTIONS[(i + k) % 3], SIMULATIONS[i]) == (7, 50))
    ]
    return [*(pytest.param(*setting, 7, 50) for setting in quick), *shared]


PUCT = [("fixed", OPPONENTS), ("siblings", OPPONENTS), ("siblings", ALONE)]
GUMBEL = [(0, OPPONENTS), (1, OPPONENTS), (1, ALONE)]  # the first: the weight of the noise


@pytest.mark.parametrize(("scale", "kind", "actions", "simulations"), cases(PUCT, [PUCT[0], PUCT[2]]))
def test_puct_equals_mctx(scale, kind, actions, simulations):
    model = Hashed(masks(actions), *kind)
    transform = mctx.qtransform_by_parent_and_siblings
    if scale == "fixed":
        transform = jax.tree_util.Partial(mctx.qtransform_by_min_max, min_value=-1, max_value=1)
    theirs = mctx_tree(
        model, mctx.muzero_policy, simulations, jax.random.PRNGKey(0), dirichlet_fraction=0.0, qtransform=transform
    )
    search = Search(model, BATCH, simulations, selection=Puct(scale=scale), shuffle=False)
    findings = search.run(simulations)
    assert_same_tree(search, theirs.search_tree)
    np.testing.assert_allclose(findings.proportions(), theirs.action_weights, atol=1e-6)
    np.testing.assert_allclose(findings.values, theirs.search_tree.node_values[:, 0], atol=1e-5)


@pytest.mark.parametrize(("noise", "kind", "actions", "simulations"), cases(GUMBEL, [GUMBEL[1]]))
def test_gumbel_equals_mctx(noise, kind, actions, simulations):
    model = Hashed(masks(actions), *kind)
    key = jax.random.PRNGKey(simulations)
    theirs = mctx_tree(model, mctx.gumbel_muzero_policy, simulations, key, gumbel_scale=noise)
    samples = np.array(theirs.search_tree.extra_data.root_gumbel, np.float64)
    gumbel = Gumbel(noise=noise)
    search = Search(model, BATCH, simulations, selection=gumbel, shuffle=False, rng=Injected(samples))
    findings = search.run(simulations)
    assert_same_tree(search, theirs.search_tree)
    np.testing.assert_allclose(findings.improved(gumbel), theirs.action_weights, atol=1e-4)
    assert np.array_equal(findings.gumbel_actions(gumbel), theirs.action)


def test_gumbel_without_rescaling_equals_mctx():
    model = Hashed(masks(7), *OPPONENTS)
    transform = jax.tree_util.Partial(mctx.qtransform_completed_by_mix_value, value_scale=1.0, rescale_values=False)
    key = jax.random.PRNGKey(3)
    settings = {"gumbel_scale": 0, "qtransform": transform, "max_num_considered_actions": 4}
    theirs = mctx_tree(model, mctx.gumbel_muzero_policy, 40, key, **settings)
    gumbel = Gumbel(noise=0, scale=1.0, rescale=False, considered=4)
    search = Search(model, BATCH, 40, selection=gumbel, shuffle=False)
    findings = search.run(40)
    assert_same_tree(search, theirs.search_tree)
    np.testing.assert_allclose(findings.improved(gumbel), theirs.action_weights, atol=1e-4)
    assert np.array_equal(findings.gumbel_actions(gumbel), theirs.action)
