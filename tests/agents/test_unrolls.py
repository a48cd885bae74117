"""The replay of unrolls: what belongs to what, ends, priorities, files."""

import numpy as np
import pytest

from sakiyomi.agents.parts.muzero.unrolls import Episode, UnrollReplay
from sakiyomi.boards import ConnectFour, TicTacToe

A = 3


def episode(steps, start=0, *, two=False, terminated=True, lead=0, rng=None):
    """Frames that are numbered from `start` on; all else follows from these numbers, or from `rng`."""
    rng = rng or np.random.default_rng(start)
    values = rng.normal(size=steps + 1).astype(np.float32)
    rewards = rng.normal(size=steps + 1).astype(np.float32)
    if two:
        rewards[:-1] = 0
    rewards[0] = 0
    values[-1] *= not terminated
    return Episode(
        observations=np.arange(start, start + steps + 1, dtype=np.float32)[:, None],
        actions=(np.arange(start, start + steps) % A).astype(np.int32),
        rewards=rewards,
        turns=(np.arange(steps + 1) % 2 if two else np.zeros(steps + 1)).astype(np.int8),
        policies=rng.dirichlet(np.ones(A), steps).astype(np.float32),
        legal=np.ones((steps, A), np.bool_),
        values=values,
        terminated=terminated,
        lead=lead,
    )


def replay_of(*episodes, capacity=1000, **settings):
    replay = UnrollReplay(capacity, (1,), np.float32, A, **({"n": 3, "discount": 0.9} | settings))
    for each in episodes:
        replay.add(each)
    return replay


def z_of(played, j, n, discount):
    """By the sum, at row j of an episode; nothing is behind its end."""
    last = len(played.actions)
    if j > last:
        return 0.0
    ahead = min(n, last - j)
    sign = [1 if turn == played.turns[j] else -1 for turn in played.turns]
    z = sum(discount**i * sign[j + i] * played.rewards[j + 1 + i] for i in range(ahead))
    return z + discount**ahead * sign[j + ahead] * played.values[j + ahead]


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("terminated", [False, True])
def test_every_row_s_targets(two, terminated, fresh):
    """Values are built on those stored, or on what a function says of the frames, where the task has not ended."""
    episodes = [episode(5, 100, two=two, terminated=terminated), episode(2, 200, two=two, terminated=terminated)]
    replay, steps = replay_of(*episodes), 4
    found = replay.sample(np.random.default_rng(0), 300, steps, (lambda seen: 0.1 * seen[:, 0]) if fresh else None)
    for played in episodes if fresh else ():
        played.values[:] = 0.1 * played.observations[:, 0]
        played.values[-1] *= not terminated
    assert set(found.inputs[:, 0].astype(int)) == {*range(100, 105), 200, 201}  # never where nothing is done
    for b, number in enumerate(found.inputs[:, 0].astype(int)):
        played, t = episodes[number // 100 - 1], number % 100
        last = len(played.actions)
        for k in range(steps + 1):
            j = t + k
            known = terminated or j <= last
            assert found.value_mask[b, k] == known
            assert found.policy_mask[b, k] == (j < last)
            if known:
                assert found.values[b, k] == pytest.approx(z_of(played, j, 3, 0.9), abs=1e-5)
            assert found.policies[b, k] == pytest.approx(played.policies[j] if j < last else np.zeros(A))
            if k:
                assert found.reward_mask[b, k - 1] == known
                assert found.rewards[b, k - 1] == (played.rewards[j] if j <= last else 0)
                if j <= last:
                    assert found.actions[b, k - 1] == played.actions[j - 1]


def test_behind_a_game_the_outcome_goes_on():
    played = episode(3, 0, two=True)
    played.rewards[-1] = 1  # first, second, first: who moves first has won
    replay = replay_of(played, n=100, discount=1.0, alternating=True)
    found = replay.sample(np.random.default_rng(0), 50, 5)
    for b, t in enumerate(found.inputs[:, 0].astype(int)):
        assert found.values[b].tolist() == [1.0 if (t + k) % 2 == 0 else -1.0 for k in range(6)]
        assert found.value_mask[b].all()


def test_actions_behind_the_end_are_drawn():
    found = replay_of(episode(1, 0)).sample(np.random.default_rng(0), 600, 3)
    assert set(found.actions[:, 0]) == {0}
    counts = np.bincount(found.actions[:, 1:].ravel(), minlength=A)
    assert (np.abs(counts - 400) < 80).all()


def test_the_oldest_leave_and_nothing_goes_from_one_to_another():
    rng = np.random.default_rng(3)
    replay, episodes = replay_of(capacity=40), {}
    for number in range(60):
        played = episode(int(rng.integers(1, 12)), 100 * number)
        episodes[number] = played
        replay.add(played)
        assert len(replay) <= 40
    found = replay.sample(rng, 500, 4)
    held = sorted({int(number) // 100 for number in found.inputs[:, 0]})
    assert held == list(range(60 - replay.episodes, 60))
    for b, number in enumerate(found.inputs[:, 0].astype(int)):
        played, t = episodes[number // 100], number % 100
        for k in range(5):
            assert found.values[b, k] == pytest.approx(z_of(played, t + k, 3, 0.9), abs=1e-5)


def test_rows_of_a_lead_are_seen_and_never_drawn():
    replay = replay_of(episode(6, 0, lead=2), stack=3)
    found = replay.sample(np.random.default_rng(0), 200, 2)
    newest = found.inputs[:, -1].astype(int)
    assert set(newest) == {2, 3, 4, 5}
    assert (found.inputs == newest[:, None] + [-2, -1, 0]).all()
    assert replay.added == 4


def test_the_first_frame_stands_for_those_before_it():
    replay = replay_of(episode(3, 7), stack=4, with_actions=True)
    found = replay.sample(np.random.default_rng(0), 100, 1)
    by_newest = {int(row[3]): row for row in found.inputs}
    assert by_newest[7].tolist() == [7, 7, 7, 7, 0, 0, 0, 0]
    assert by_newest[9][:4].tolist() == [7, 7, 8, 9]
    assert by_newest[9][4:] * A == pytest.approx([0, 0, 7 % A, 8 % A], abs=1e-6)  # what led to each frame


def test_priorities_and_importance_weights():
    replay = replay_of(episode(4, 0), alpha=0.5, beta=1.0)
    uniform = replay_of(episode(4, 0), alpha=0.0, beta=1.0).sample(np.random.default_rng(0), 4000, 1)
    assert (uniform.weights == 1).all()
    assert (np.abs(np.bincount(uniform.inputs[:, 0].astype(int)) - 1000) < 150).all()
    places = np.arange(4)
    replay.judge(places, np.array([0.0, 1.0, 4.0, 9.0]))
    found = replay.sample(np.random.default_rng(0), 6000, 1)
    shares = np.bincount(found.inputs[:, 0].astype(int), minlength=4) / 6000
    wanted = np.sqrt(np.array([0.0, 1, 4, 9]) + 1e-3)
    assert shares == pytest.approx(wanted / wanted.sum(), abs=0.03)
    # weighed, all rows count alike
    sums = np.bincount(found.inputs[:, 0].astype(int), found.weights, 4)
    assert sums[1:] / sums[1:].mean() == pytest.approx(np.ones(3), abs=0.1)
    assert found.weights.max() == 1


def test_first_priorities_are_how_far_the_search_was_from_what_came():
    played = episode(5, 0)
    replay = replay_of(played, alpha=1.0)
    errors = np.array([abs(played.values[j] - z_of(played, j, 3, 0.9)) for j in range(5)]) + 1e-3
    found = replay.sample(np.random.default_rng(0), 8000, 1)
    shares = np.bincount(found.inputs[:, 0].astype(int), minlength=5) / 8000
    assert shares == pytest.approx(errors / errors.sum(), abs=0.03)


def test_a_new_search_takes_the_place_of_the_old_one():
    played = episode(5, 0)
    replay = replay_of(played, alpha=1.0)
    places = replay.draw(np.random.default_rng(0), 50)
    assert set(places.tolist()) == set(range(5))
    assert (replay.inputs(places)[:, 0] == places).all()
    assert replay.legal(places).all()
    policies = np.tile([0.2, 0.3, 0.5], (5, 1)).astype(np.float32)
    values = np.arange(5, dtype=np.float32)
    replay.refresh(np.arange(5), policies, values)
    found = replay.sample(np.random.default_rng(0), 50, 1)
    again = Episode(**{**vars(played), "values": np.append(values, played.values[-1])})
    for b, t in enumerate(found.inputs[:, 0].astype(int)):
        assert found.values[b, 0] == pytest.approx(z_of(again, t, 3, 0.9), abs=1e-5)
        assert found.policies[b, 0] == pytest.approx([0.2, 0.3, 0.5])


@pytest.mark.parametrize("game", [TicTacToe(), ConnectFour()], ids=["tictactoe", "connect4"])
def test_an_unroll_is_turned_by_one_symmetry(game):
    """Position, actions and policies alike; each policy is all on the action taken, and so it stays."""
    steps, actions = 4, np.array([0, 1, 4, 2, 5, 3], np.int32)
    states, seen = game.new(1), [game.observe(game.new(1))[0]]
    for action in actions:
        game.play(states, action[None])
        seen.append(game.observe(states)[0])
    played = Episode(
        observations=np.stack(seen),
        actions=actions,
        rewards=np.zeros(7, np.float32),
        turns=(np.arange(7) % 2).astype(np.int8),
        policies=np.eye(game.num_actions, dtype=np.float32)[actions],
        legal=np.ones((6, game.num_actions), np.bool_),
        values=np.zeros(7, np.float32),
        terminated=True,
    )
    symmetries = game.symmetries()
    replay = UnrollReplay(
        99, game.planes, np.float32, game.num_actions, n=9, discount=1.0, alternating=True, symmetries=symmetries
    )
    replay.add(played)
    found, met = replay.sample(np.random.default_rng(0), 200, steps), set()
    for b, t in enumerate(found.places):
        count = min(steps, 6 - t)
        fitting = {
            g
            for g, symmetry in enumerate(symmetries)
            if np.array_equal(symmetry.planes(seen[t]), found.inputs[b])
            and np.array_equal(symmetry.actions[actions[t : t + count]], found.actions[b, :count])
        }
        assert fitting
        met |= fitting
        assert found.policies[b, :count].argmax(1).tolist() == found.actions[b, :count].tolist()
    assert met == set(range(len(symmetries)))


def test_saved_and_loaded_it_draws_the_same(tmp_path):
    settings = {"capacity": 30, "alpha": 0.6, "beta": 0.4, "stack": 2, "with_actions": True}
    replay = replay_of(*[episode(1 + number % 7, 100 * number) for number in range(20)], **settings)
    replay.save(tmp_path / "replay")
    other = replay_of(episode(4, 9000), **settings)
    other.load(tmp_path / "replay")
    for each in (replay, other):
        each.add(episode(6, 7000))
    one, two = (each.sample(np.random.default_rng(5), 64, 3) for each in (replay, other))
    for name, array in vars(one).items():
        if name == "places":
            continue
        np.testing.assert_array_equal(array, getattr(two, name), err_msg=name)
    assert (replay.added, replay.episodes) == (other.added, other.episodes)
    with pytest.raises(ValueError, match="capacity 30"):
        replay_of(capacity=31).load(tmp_path / "replay")


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        replay_of(episode(50), capacity=20)
    with pytest.raises(ValueError, match="nothing to draw"):
        replay_of().sample(np.random.default_rng(0), 1, 1)
    with pytest.raises(ValueError, match="capacity"):
        replay_of(capacity=1)
    good = vars(episode(3))
    with pytest.raises(ValueError, match="values of 3 actions must be 4"):
        Episode(**{**good, "values": good["values"][:-1]})
    with pytest.raises(ValueError, match="behind its lead"):
        Episode(**{**good, "lead": 3})
    with pytest.raises(ValueError, match="finite"):
        Episode(**{**good, "values": good["values"] * np.nan})
    with pytest.raises(ValueError, match="has ended"):
        Episode(**{**good, "values": np.ones(4, np.float32)})
