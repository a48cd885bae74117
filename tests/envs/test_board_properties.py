"""What holds for any game and any seed: the environments play the rules, and the same game as each other."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.boards import Position
from sakiyomi.envs import BoardEnv, VersusEnv

NAMES = st.sampled_from(["tictactoe", "connect4", "go-3x3", "go-4x2", "othello-6x6"])
SEEDS = st.integers(0, 2**32)


def random_game(name, seed):
    """A random game of `BoardEnv` to its end: its actions and both rewards, checked ply by ply against a `Position`."""
    env, rng, actions = BoardEnv(name), np.random.default_rng(seed), []
    env.reset(seed=seed)
    twin = Position(env.game)
    while not any(env.terminations.values()):
        observation, _, _, truncated, _ = env.last()
        legal = np.flatnonzero(observation["action_mask"])
        assert not truncated
        assert legal.size
        assert legal.tolist() == twin.legal_actions().tolist()
        actions.append(int(rng.choice(legal)))
        env.step(actions[-1])
        twin.play(actions[-1])
        assert sum(env.rewards.values()) == 0
        assert all(env.terminations.values()) == (twin.outcome() is not None)
    winner = twin.outcome().winner
    assert env.rewards == {f"player_{side}": 0 if winner is None else 1 if side == winner else -1 for side in (0, 1)}
    return actions, env.rewards


@settings(max_examples=30, deadline=None)
@given(name=NAMES, seed=SEEDS)
def test_random_games_end_by_the_rules_and_reproduce(name, seed):
    assert random_game(name, seed) == random_game(name, seed)


@settings(max_examples=30, deadline=None)
@given(name=NAMES, seed=SEEDS, side=st.integers(0, 1))
def test_both_interfaces_play_the_same_game(name, seed, side):
    """`VersusEnv`, whose opponent plays what the other agent of `BoardEnv` played, sees the same game."""
    actions, rewards = random_game(name, seed)
    env = VersusEnv(name, lambda position, rng: actions[len(position.actions)], side)
    env.reset()
    twin, last = Position(env.game), None
    for action in actions:
        if twin.turn == side:
            assert last is None or not last[2]
            last = env.step(action)
        twin.play(action)
    assert last[1] == rewards[f"player_{side}"]
    assert last[2]
    assert env.position() == twin
    assert (last[0] == env.game.observe(twin.state)[0]).all()


@settings(max_examples=30, deadline=None)
@given(name=NAMES, seed=SEEDS, action=st.integers(-2, 40))
def test_any_number_is_an_action_that_is_legal_or_loses(name, seed, action):
    env = BoardEnv(name)
    env.reset(seed=seed)
    for taken in random_game(name, seed)[0][:-1][:3]:
        env.step(taken)
    mask, agent = env.last()[0]["action_mask"], env.agent_selection
    legal = 0 <= action < len(mask) and mask[action] == 1
    before = env.position()
    env.step(action)
    assert ("illegal" in env.infos[agent]) != legal
    if legal:
        assert env.position() == before.after(action)
    else:
        assert env.rewards[agent] == -1
        assert env.position() == before
