"""The invertible transform and two-hot distributions, against the formulas and by hand."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.muzero.bins import decode, encode, inverse_transform, transform, two_hot  # noqa: E402

VECTORS = {
    0: 0,
    0.5: 0.225245,
    1: 0.415214,
    -1: -0.415214,
    10: 2.326625,
    -21: -3.711416,
    100: 9.149876,
    1000: 31.638584,
}


def test_the_transform_of_some_numbers():
    x = torch.tensor(list(VECTORS), dtype=torch.float64)
    assert transform(x).numpy() == pytest.approx(np.array(list(VECTORS.values())), abs=1e-6)


@pytest.mark.parametrize("epsilon", [0.001, 0.01])
def test_the_inverse_by_its_printed_formula(epsilon):
    y = np.linspace(-300, 300, 1001)
    root = np.sqrt(1 + 4 * epsilon * (np.abs(y) + 1 + epsilon))
    printed = np.sign(y) * (((root - 1) / (2 * epsilon)) ** 2 - 1)
    found = inverse_transform(torch.from_numpy(y), epsilon).numpy()
    assert found == pytest.approx(printed, rel=1e-9, abs=1e-9)


def test_there_and_back_in_single_precision():
    x = torch.cat([torch.linspace(-58_000, 58_000, 20_001), torch.linspace(-2, 2, 2001)])
    back = inverse_transform(transform(x))
    assert torch.allclose(back, x, rtol=2e-6, atol=1e-6)
    assert float(inverse_transform(transform(torch.zeros(1)))) == 0


@pytest.mark.parametrize(("most", "reach"), [(300, 58_705), (10, 117.4), (20, 422), (50, 2364)])
def test_how_far_bins_reach(most, reach):
    found = float(inverse_transform(torch.tensor(float(most), dtype=torch.float64)))
    assert found == pytest.approx(reach, rel=2e-3)


def test_two_neighbours_share():
    shares = two_hot(torch.tensor([3.7, -2.25, 2.0, 0.0]), 5)
    assert shares[0, 8].item() == pytest.approx(0.3, abs=1e-6)
    assert shares[0, 9].item() == pytest.approx(0.7, abs=1e-6)
    assert shares[1, 2].item() == pytest.approx(0.25)
    assert shares[1, 3].item() == pytest.approx(0.75)
    assert shares[2].argmax() == 7
    assert shares[2].max() == 1  # a whole number has a bin of its own
    assert shares[3].argmax() == 5
    assert torch.allclose(shares.sum(-1), torch.ones(4))


def test_what_is_out_of_reach_goes_to_the_last_bin():
    shares = two_hot(torch.tensor([5.0, 7.5, -5.0, -99.0]), 5)
    assert shares.argmax(-1).tolist() == [10, 10, 0, 0]
    assert shares.max(-1).values.tolist() == [1.0] * 4


def test_the_mean_of_a_distribution_is_the_number_again():
    x = torch.tensor([[-400.0, -1.5, 0.0], [0.3, 17.0, 420.0]])
    distributions = encode(x, 20)
    assert distributions.shape == (2, 3, 41)
    assert torch.allclose(decode((distributions + 1e-30).log()), x, rtol=1e-4, atol=1e-5)
    assert float(decode(torch.zeros(1, 41))) == pytest.approx(0, abs=1e-5)
