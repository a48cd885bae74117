"""M of World Models: its size, its LSTM, its mixtures, its loss, and what its batches hold when."""

import math

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal

from sakiyomi.agents.parts.episodes.sequences import Episode, SequenceReplay
from sakiyomi.agents.parts.vmc.code_batches import batches_of_epoch, pieces_of, read_lesson
from sakiyomi.agents.parts.vmc.mdn_rnn import (
    MDNRNN,
    Foretold,
    Mixture,
    Wanted,
    drawn_codes,
    mdn_rnn_loss,
    mixture_entropy,
    mixture_nll,
)


def make(latent=3, actions=2, hidden=8, **more):
    return MDNRNN(latent, actions, hidden=hidden, generator=torch.Generator().manual_seed(0), **more)


def sequence(batch=4, steps=7, latent=3, actions=2):
    chance = torch.Generator().manual_seed(1)
    first = torch.zeros(batch, steps, dtype=torch.bool)
    first[:, 0] = True
    return (
        torch.randn(batch, steps, latent, generator=chance),
        torch.randn(batch, steps, actions, generator=chance),
        first,
    )


def mixture(*shape, seed=2):
    chance = torch.Generator().manual_seed(seed)
    logits, means, log_stds = torch.randn(3, *shape, generator=chance)
    return Mixture(logits.log_softmax(-1), means, log_stds)


@pytest.mark.parametrize(
    ("model", "parameters", "outputs"),
    [
        ({"latent": 32, "actions": 3, "hidden": 256}, 422_368, 480),
        ({"latent": 64, "actions": 1, "hidden": 512, "restart": True}, 1_678_785, 961),
    ],
)
def test_size_of_the_paper(model, parameters, outputs):
    """Every entry of a code has a mixture of its own: 5 * 3 outputs each."""
    rnn = make(**model)
    assert sum(each.numel() for each in rnn.parameters()) == parameters
    assert rnn.output.out_features == outputs


def test_the_lstm_is_pytorchs():
    rnn, (codes, actions, first) = make(), sequence()
    lstm = torch.nn.LSTM(5, 8, batch_first=True)
    order = torch.cat([torch.arange(16), torch.arange(24, 32), torch.arange(16, 24)])  # theirs has the output last
    with torch.no_grad():
        lstm.weight_ih_l0.copy_(rnn.of_input[order, :-1])
        lstm.weight_hh_l0.copy_(rnn.of_memory[order])
        lstm.bias_ih_l0.copy_(rnn.of_input[order, -1])
        lstm.bias_hh_l0.zero_()
    theirs, (hidden, cell) = lstm(torch.cat([codes, actions], -1))
    ours, memory = rnn.unroll(codes, actions, first, rnn.empty(4))
    assert torch.allclose(ours, theirs, atol=1e-6)
    assert torch.allclose(memory.hidden, hidden[0], atol=1e-6)
    assert torch.allclose(memory.cell, cell[0], atol=1e-6)


def test_the_forget_gate_begins_open():
    rnn = make()
    assert rnn.of_input[:, -1].tolist() == [0.0] * 8 + [1.0] * 8 + [0.0] * 16


@pytest.mark.parametrize("restart", [False, True])
def test_unrolled_and_step_by_step_are_one(restart):
    rnn, (codes, actions, first) = make(restart=restart), sequence()
    first[1, 3] = first[2, 5] = True
    unrolled, last = rnn.unroll(codes, actions, first, rnn.empty(4))
    memory = rnn.empty(4)
    for t in range(7):
        memory = rnn.step(codes[:, t], actions[:, t], first[:, t], memory)
        assert torch.allclose(memory.hidden, unrolled[:, t], atol=1e-6)
    assert torch.allclose(memory.cell, last.cell, atol=1e-6)


def test_two_episodes_in_one_sequence_are_two_alone():
    rnn, (codes, actions, first) = make(restart=True), sequence()
    first[:, 4] = True
    together, _ = rnn.unroll(codes, actions, first, rnn.empty(4))
    alone, _ = rnn.unroll(codes[:, 4:], actions[:, 4:], first[:, 4:], rnn.empty(4))
    assert torch.allclose(together[:, 4:], alone, atol=1e-6)
    carried, memory = rnn.unroll(codes[:, :2], actions[:, :2], first[:, :2], rnn.empty(4))
    onwards, _ = rnn.unroll(codes[:, 2:], actions[:, 2:], first[:, 2:], memory)
    assert torch.allclose(torch.cat([carried, onwards], 1), together, atol=1e-6)


def test_likelihood_is_that_of_torchs_mixtures():
    mixed, codes = mixture(6, 3, 5), torch.randn(6, 3, generator=torch.Generator().manual_seed(3))
    theirs = MixtureSameFamily(Categorical(logits=mixed.log_weights), Normal(mixed.means, mixed.log_stds.exp()))
    assert torch.allclose(mixture_nll(mixed, codes), -theirs.log_prob(codes), atol=1e-5)


def test_likelihood_far_away_is_finite():
    mixed = Mixture(torch.zeros(1, 1, 1), torch.zeros(1, 1, 1), torch.full((1, 1, 1), -5.0))
    assert torch.isfinite(mixture_nll(mixed, torch.full((1, 1), 1e4))).all()


def test_entropy_of_the_choice():
    even = Mixture(torch.full((2, 3, 4), -math.log(4)), *torch.zeros(2, 2, 3, 4))
    assert torch.allclose(mixture_entropy(even), torch.full((2,), math.log(4)))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.3])
def test_temperature_changes_weights_and_variances(temperature):
    mixed, n = mixture(2, 3), 200_000
    chance = torch.Generator().manual_seed(4)
    wide = Mixture(*(each.expand(n, 2, 3) for each in mixed))
    drawn = drawn_codes(wide, temperature, torch.rand(n, 2, generator=chance), torch.randn(n, 2, generator=chance))
    weights = (mixed.log_weights / temperature).softmax(-1)
    mean = (weights * mixed.means).sum(-1)
    spread = (weights * (temperature * (2 * mixed.log_stds).exp() + mixed.means**2)).sum(-1) - mean**2
    assert drawn.mean(0) == pytest.approx(mean, abs=0.02)
    assert drawn.var(0) == pytest.approx(spread, rel=0.03)


def test_without_temperature_the_likeliest_mean_is_drawn():
    mixed = mixture(50, 3, 5)
    chance = torch.Generator().manual_seed(4)
    drawn = drawn_codes(mixed, 0.0, torch.rand(50, 3, generator=chance), torch.randn(50, 3, generator=chance))
    likeliest = mixed.means.gather(-1, mixed.log_weights.argmax(-1, keepdim=True))[..., 0]
    assert torch.equal(drawn, likeliest)
    with pytest.raises(ValueError, match="temperature is 0 or more"):
        drawn_codes(mixed, -0.1, torch.rand(50, 3), torch.randn(50, 3))


def test_the_largest_of_uniform_numbers_draws_a_component():
    mixed = mixture(50, 3, 5)
    assert torch.isfinite(drawn_codes(mixed, 1.0, torch.ones(50, 3), torch.zeros(50, 3))).all()


def test_loss_term_by_term():
    mixed, chance = mixture(2, 3, 4, 5), torch.Generator().manual_seed(5)
    wanted = Wanted(
        torch.randn(2, 3, 4, generator=chance),
        torch.tensor([[False, True, False], [False, False, False]]),
        torch.randn(2, 3, generator=chance),
        torch.randn(2, 3, 2, generator=chance),
        torch.tensor([[True, True, False], [True, True, True]]),
        torch.tensor([[True, False, False], [True, True, False]]),
    )
    restart, reward = torch.randn(2, 2, 3, generator=chance)
    action = torch.randn(2, 3, 2, generator=chance)
    terms = mdn_rnn_loss(Foretold(mixed, restart, reward, action), wanted, 10.0)
    code = [mixture_nll(mixed, wanted.codes)[b, t].mean() for b, t in [(0, 0), (1, 0), (1, 1), (1, 2)]]
    assert terms["code"] == pytest.approx(float(sum(code)) / 4, rel=1e-5)  # not what comes after the end
    valid = [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]
    ends = [
        10 * -restart[b, t].sigmoid().log() if (b, t) == (0, 1) else -(-restart[b, t]).sigmoid().log() for b, t in valid
    ]
    assert terms["restart"] == pytest.approx(float(sum(ends)) / 5, rel=1e-5)
    rewards = [float((reward - wanted.reward)[b, t]) ** 2 / 2 for b, t in valid]
    assert terms["reward"] == pytest.approx(sum(rewards) / 5, rel=1e-5)
    errors = [((action - wanted.action)[b, t] ** 2).sum() / 2 for b, t in [(0, 0), (1, 0), (1, 1)]]
    assert terms["action"] == pytest.approx(float(sum(errors)) / 3, rel=1e-5)
    assert terms["total"] == pytest.approx(sum(float(v) for k, v in terms.items() if k != "total"), rel=1e-5)
    weighted = mdn_rnn_loss(Foretold(mixed, restart, reward, action), wanted, 10.0, reward_weight=30.0)
    assert weighted["reward"] == pytest.approx(30 * float(terms["reward"]), rel=1e-5)
    assert weighted["total"] - terms["total"] == pytest.approx(29 * float(terms["reward"]), rel=1e-4)


def test_gradient_by_differences():
    rnn, (codes, actions, first) = make(hidden=4, restart=True, reward=True).double(), sequence(2, 4)
    codes, actions = codes.double(), actions.double()
    chance = torch.Generator().manual_seed(6)
    wanted = Wanted(
        torch.randn(2, 4, 3, generator=chance, dtype=torch.float64),
        torch.rand(2, 4, generator=chance) > 0.8,
        torch.randn(2, 4, generator=chance, dtype=torch.float64),
        actions,
        torch.ones(2, 4, dtype=torch.bool),
        torch.ones(2, 4, dtype=torch.bool),
    )

    def loss():
        hidden, _ = rnn.unroll(codes, actions, first, rnn.empty(2))
        return mdn_rnn_loss(rnn.foretold(hidden), wanted, 10.0)["total"]

    loss().backward()
    for parameter in rnn.parameters():
        flat, at = parameter.data.view(-1), int(parameter.grad.abs().argmax())
        ends = []
        for step in (1e-6, -2e-6):
            flat[at] += step
            ends.append(float(loss().detach()))
        flat[at] += 1e-6
        assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(float(parameter.grad.view(-1)[at]), rel=1e-4)


# What the batches hold. Codes tell episode and step: mean 10 * episode + step.


@pytest.fixture
def replay(tmp_path):
    stored = SequenceReplay(tmp_path / "codes", (2, 1), np.float16, 1, 1000)
    for episode, (length, ends) in enumerate([(4, True), (6, False), (5, True)]):
        codes = np.stack([10.0 * episode + np.arange(length), np.full(length, -20.0)], 1)[:, :, None]
        actions = np.arange(length - 1)[:, None] + 0.5  # taken at step t: t + 0.5
        stored.add(Episode.of(codes.astype(np.float16), actions, 100.0 + np.arange(length - 1), ends))
    return stored


def lesson_of(replay, layout, batch, length, number=0):
    pieces = pieces_of(replay.lengths, layout, batch, length, number, np.random.default_rng(0))
    return read_lesson(replay, pieces, torch.Generator().manual_seed(0))


def test_what_a_step_shows_and_wants(replay):
    for layout, length in (("episodes", 5), ("stream", 4)):
        lesson = lesson_of(replay, layout, 3, length)
        wanted = lesson.wanted
        at, after = lesson.codes[..., 0].round(), wanted.codes[..., 0].round()
        assert wanted.valid.any()
        for b, t in wanted.valid.nonzero().tolist():
            step, total = int(at[b, t]) % 10, (4, 6, 5)[int(at[b, t]) // 10]
            assert after[b, t] == at[b, t] + 1
            assert lesson.actions[b, t, 0] == step + 0.5  # the one that leads to what is wanted
            assert wanted.reward[b, t] == 100 + step
            assert lesson.first[b, t] == (step == 0)
            assert wanted.restart[b, t] == (step + 2 == total and total != 6)  # not where only the clock ended it
            if wanted.action_valid[b, t]:
                assert wanted.action[b, t, 0] == step + 1.5


def test_episodes_are_filled_up(replay):
    lesson = lesson_of(replay, "episodes", 3, 5)
    assert sorted(lesson.wanted.valid.sum(1).tolist()) == [3, 4, 5]
    assert lesson.first[:, 0].all()
    assert batches_of_epoch(replay.lengths, "episodes", 2, 5) == 2
    second = pieces_of(replay.lengths, "episodes", 2, 5, 1, np.random.default_rng(0))
    assert len(second) == 1


def test_streams_go_on_where_they_ended(replay):
    assert batches_of_epoch(replay.lengths, "stream", 2, 2) == 3
    parts = [lesson_of(replay, "stream", 2, 2, number).codes[..., 0].round() for number in range(3)]
    whole = lesson_of(replay, "stream", 2, 6).codes[..., 0].round()
    assert torch.equal(torch.cat(parts, 1), whole)
    rows = [int(code) for row in whole for code in row]
    assert len(set(rows)) == len(rows)


def test_codes_are_drawn_anew_in_each_batch(tmp_path):
    stored = SequenceReplay(tmp_path / "codes", (2, 1), np.float16, 1, 100)
    stored.add(Episode.of(np.zeros((5, 2, 1), np.float16), np.zeros((4, 1)), np.zeros(4), False))
    pieces = [[(0, 5)]]
    draws = [read_lesson(stored, pieces, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(draws[0].codes, draws[1].codes)
    assert not torch.equal(draws[0].codes, draws[2].codes)
    assert torch.equal(draws[0].codes[:, 1:], draws[0].wanted.codes[:, :-1])  # what is wanted is shown next


def test_it_learns_what_actions_do():
    """Codes that are the last action: a mixture that is shifted by one step cannot tell them."""
    rnn, chance = make(1, 1, 8), torch.Generator().manual_seed(7)
    optimiser = torch.optim.Adam(rnn.parameters(), lr=2e-2)
    first = torch.zeros(16, 6, dtype=torch.bool)
    first[:, 0] = True
    for _ in range(150):
        actions = torch.randn(16, 6, 1, generator=chance)
        after = actions + 0.05 * torch.randn(16, 6, 1, generator=chance)
        codes = torch.cat([torch.zeros(16, 1, 1), after[:, :-1]], 1)
        hidden, _ = rnn.unroll(codes, actions, first, rnn.empty(16))
        loss = mixture_nll(rnn.foretold(hidden).code, after).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_value_(rnn.parameters(), 1.0)
        optimiser.step()
    assert loss < 0.0  # what knows no action is no better than 1.42, the entropy of a standard normal
