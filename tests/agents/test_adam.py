"""Adam beside PyTorch's, and its state in files."""

import pytest

torch = pytest.importorskip("torch")

from sakiyomi.agents.parts.pets.adam import Adam  # noqa: E402
from sakiyomi.agents.parts.runs.checkpoints import load_optimizer, save_optimizer  # noqa: E402

SHAPES = ((3, 4, 5), (3, 1, 5), (7,))


def made():
    generator = torch.Generator().manual_seed(0)
    parameters = [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]
    return parameters, [{"params": parameters[:1], "weight_decay": 0.3}, {"params": parameters[1:]}]


def give_gradients(parameters, seed):
    generator = torch.Generator().manual_seed(seed)
    for size, parameter in zip((1e-3, 1.0, 1e3), parameters, strict=True):
        parameter.grad = size * torch.randn(parameter.shape, generator=generator)


def test_moves_as_pytorchs_does():
    ours, groups = made()
    theirs, same = made()
    one, two = Adam(groups, 1e-2), torch.optim.Adam(same, lr=1e-2)
    for seed in range(50):
        for parameters, optimiser in ((ours, one), (theirs, two)):
            give_gradients(parameters, seed)
            optimiser.step()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-5)


def test_first_step_is_the_rate_against_the_sign_of_the_gradient():
    parameters, groups = made()
    before = [each.detach().clone() for each in parameters[1:]]
    give_gradients(parameters, 0)
    Adam(groups, 0.125).step()
    for old, now in zip(before, parameters[1:], strict=True):
        torch.testing.assert_close(old - now, 0.125 * now.grad.sign(), rtol=1e-4, atol=0)


def test_what_has_no_gradient_stays_and_one_may_move_alone():
    parameters, groups = made()
    before = [each.detach().clone() for each in parameters]
    optimiser = Adam(groups, 0.1)
    optimiser.step()
    parameters[1].grad = torch.ones(SHAPES[1])
    optimiser.move(parameters[1])
    optimiser.step()
    assert [torch.equal(old, now) for old, now in zip(before, parameters, strict=True)] == [True, False, True]
    assert optimiser.state[parameters[1]]["step"] == 2


def test_goes_on_bit_for_bit_from_files(tmp_path):
    parameters, groups = made()
    optimiser = Adam(groups, 1e-2)
    for seed in range(3):
        give_gradients(parameters, seed)
        optimiser.step()
    save_optimizer(tmp_path / "adam", optimiser)
    others, groups = made()
    again = Adam(groups, 1.0)
    load_optimizer(tmp_path / "adam", again)
    for old, new in zip(parameters, others, strict=True):
        new.data.copy_(old.data)
    for each, by in ((parameters, optimiser), (others, again)):
        give_gradients(each, 3)
        by.step()
    assert all(torch.equal(one, two) for one, two in zip(parameters, others, strict=True))
