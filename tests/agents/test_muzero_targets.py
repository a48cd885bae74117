"""Value targets: worked examples from every start, and sums written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sakiyomi.agents.parts.muzero.targets import goes_on, reward_sums, value_targets, windowed


def written_out(rewards, turns, values, n, discount):
    """z_j as the paper's sum has it; `rewards` are u_0 .. u_T, u_0 being none."""
    last = len(rewards) - 1
    out = []
    for j in range(last + 1):
        z = 0.0
        for i in range(n):
            if j + 1 + i <= last:
                z += discount**i * (1 if turns[j + i] == turns[j] else -1) * rewards[j + 1 + i]
        ahead = min(n, last - j)
        z += discount**ahead * (1 if turns[j + ahead] == turns[j] else -1) * values[j + ahead]
        out.append(z)
    return out


def test_one_player_by_hand():
    rewards, values = np.array([0, 1, 0, 2, 0]), np.array([9, 9, 5, 7, 0])
    z = value_targets(rewards, np.zeros(5, int), values, 2, 0.9)
    assert z == pytest.approx([5.05, 7.47, 2, 0, 0])


def test_two_players_by_hand():
    """A, B, A: A wins with its second move."""
    rewards, turns, values = np.array([0, 0, 0, 1]), np.array([0, 1, 0, 1]), np.array([0.3, 0.2, -0.4, 0])
    assert value_targets(rewards, turns, values, 99, 1.0)[:3].tolist() == [1, -1, 1]
    assert goes_on(np.ones(3), np.arange(3)).tolist() == [-1, 1, -1]  # from the end on, as each would see it


def test_a_time_limit_is_no_end():
    rewards, turns, values = np.array([0, 1, 1, 1]), np.zeros(4, int), np.array([0, 0, 0, 10.0])
    z = value_targets(rewards, turns, values, 2, 0.5)
    assert z == pytest.approx([1 + 0.5 + 0, 1 + 0.5 + 0.25 * 10, 1 + 0.5 * 10, 10])


def test_the_search_s_value_is_what_values_are_built_on():
    """As the one who moves there sees it: an odd number of plies on, the opponent's."""
    z = value_targets(np.zeros(4), np.array([0, 1, 0, 1]), np.array([0.1, 0.2, 0.3, 0]), 1, 1.0)
    assert z == pytest.approx([-0.2, -0.3, 0, 0])


@given(st.integers(1, 40), st.integers(1, 45), st.sampled_from([1.0, 0.997, 0.5]), st.booleans(), st.data())
def test_the_sum_written_out(steps, n, discount, two, data):
    numbers = arrays(np.float64, steps + 1, elements=st.floats(-10, 10, width=32))
    rewards, values = data.draw(numbers), data.draw(numbers)
    rewards[0] = 0
    turns = data.draw(arrays(np.int8, steps + 1, elements=st.integers(0, 1 if two else 0)))
    z = value_targets(rewards, turns, values, n, discount)
    assert z == pytest.approx(written_out(rewards, turns, values, n, discount), rel=1e-9, abs=1e-9)
    assert reward_sums(rewards, turns, n, discount) == pytest.approx(
        written_out(rewards, turns, np.zeros(steps + 1), n, discount), rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 10])
def test_sums_over_windows(n):
    gains = np.arange(1.0, 11.0)
    wanted = [sum(0.5**i * g for i, g in enumerate(gains[j : j + n])) for j in range(10)]
    assert windowed(gains, n, 0.5) == pytest.approx(wanted)
