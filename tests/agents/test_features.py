"""What a model is shown and predicts: round trips on real transitions, angles, and the pitfalls of features."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.episodes.rollouts import at_random, play  # noqa: E402
from sakiyomi.agents.parts.pets.features import based, encoded, encoded_size, targets  # noqa: E402
from sakiyomi.envs import make_task  # noqa: E402

CASES = [((), (), ()), ((1,), (), ()), ((2, 3), (0,), (0, 1)), ((), (0, 3), (2,))]


@pytest.mark.parametrize(("angles", "unseen", "absolute"), CASES)
def test_what_is_predicted_gives_the_next_observation_back(angles, unseen, absolute):
    """Pitfall 43, on transitions of a plant."""
    task = make_task("cartpole-swingup")
    seen = torch.from_numpy(play(task.make(), at_random(task, 0), 0).observations)
    before, after = seen[:-1], seen[1:]
    shown, wanted = encoded(before, angles, unseen), targets(before, after, absolute)
    torch.testing.assert_close(based(before, absolute) + wanted, after, rtol=0, atol=1e-12)
    assert shown.shape == (len(before), encoded_size(4, angles, unseen))
    for k in absolute:
        assert torch.equal(wanted[:, k], after[:, k])
    for k in set(range(4)) - set(absolute):
        assert torch.equal(wanted[:, k], after[:, k] - before[:, k])


def test_an_angle_is_shown_as_sine_and_cosine_without_itself():
    """Pitfall 34."""
    seen = torch.tensor([[10.0, 0.5, 20.0, 30.0]])
    shown = encoded(seen, angles=(1,))
    np.testing.assert_allclose(shown, [[10, 20, 30, np.sin(0.5), np.cos(0.5)]], rtol=1e-6)
    turned = encoded(seen + torch.tensor([0, 2 * torch.pi, 0, 0]), angles=(1,))
    torch.testing.assert_close(turned, shown)
    assert encoded(seen, angles=(1,), unseen=(0, 1)).tolist()[0][:2] == [20, 30]
    assert encoded(seen) is seen


def test_the_tip_of_the_papers_pole_hangs_at_the_start_and_is_rewarded_up():
    """Pitfall 34: the angle is 0 hanging."""
    from sakiyomi.envs.pets_rewards import cartpole_reward, pole_tip

    hanging, up = torch.zeros(4), torch.tensor([0.0, torch.pi, 0.0, 0.0])
    assert float(pole_tip(hanging)[1]) == pytest.approx(-0.6)
    still = torch.zeros(1)
    turning = torch.linspace(-torch.pi, torch.pi, 41)
    states = torch.stack([0 * turning, turning, 0 * turning, 0 * turning], dim=-1)
    rewards = cartpole_reward(states, still.expand(41, 1), states)
    assert float(cartpole_reward(up, still, up)) == pytest.approx(1.0)
    assert int(rewards.argmax()) in (0, 40)
    assert int(rewards.argmin()) == 20


def test_entries_that_there_are_not():
    for settings, said in (
        ({"angles": (4,)}, "angles: observations have entries 0 to 3, not 4"),
        ({"unseen": (-1,)}, "unseen: observations have entries 0 to 3, not -1"),
    ):
        with pytest.raises(ValueError, match=said):
            encoded_size(4, **settings)
