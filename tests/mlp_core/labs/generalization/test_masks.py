"""Masks drop the share they should, survivors are scaled so that the mean stays, and many masked copies come to the network without."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.labs.generalization.masks import MOST_MASKS, dropped, kept, left_on, logits_with_masks, running_means, standard_error, vote
from mlp_core.network import Concise
from mlp_core.spec import RunSpec, SpecError

X = torch.arange(16, dtype=torch.float32).reshape(2, 8)
SPEC = RunSpec(hidden=(32, 16), init="he_normal", dropout=(0.3, 0.5), device="cpu")
WEIGHTS = Concise(SPEC, (6, 32, 16, 4)).weights()


def test_p_0_gives_the_input_and_p_1_gives_zeros() -> None:
    assert torch.equal(dropped(X, 0.0, 0, 3), X.expand(3, 2, 8))
    assert torch.equal(dropped(X, 1.0, 0, 3), torch.zeros(3, 2, 8))
    assert kept((2,), 0.0, 0, 5).all()
    assert not kept((2,), 1.0, 0, 5).any()


@settings(deadline=None, max_examples=20)
@given(st.floats(0.05, 0.95), st.integers(0, 10_000))
def test_survivors_are_scaled_and_the_mask_says_which_they_are(p: float, seed: int) -> None:
    outputs, keeps = dropped(X, p, seed, 50), kept(X.shape, p, seed, 50)
    expected = torch.where(keeps, X / (1 - p), torch.zeros(()))
    torch.testing.assert_close(outputs, expected)


@settings(deadline=None, max_examples=20)
@given(st.floats(0.05, 0.95), st.integers(0, 10_000))
def test_mean_and_variance_are_those_of_the_formulas(p: float, seed: int) -> None:
    """E[h′] = h and Var[h′] = h² p / (1 − p), over 16 · 10,000 draws: within five standard errors of mean and variance."""
    ratios = dropped(torch.ones(16), p, seed).double()
    n, variance = ratios.numel(), p / (1 - p)
    fourth = (p * 1 + (1 - p) * (1 / (1 - p) - 1) ** 4) if p else 0.0  # E[(h′ − 1)⁴]
    assert ratios.mean().item() == pytest.approx(1.0, abs=5 * math.sqrt(variance / n))
    assert ratios.var(correction=0).item() == pytest.approx(variance, abs=5 * math.sqrt((fourth - variance**2) / n) + 30 * variance / n)


def test_fewer_masks_are_the_first_of_the_more_and_another_seed_has_others() -> None:
    assert torch.equal(dropped(X, 0.5, 7, 10), dropped(X, 0.5, 7)[:10])
    assert not torch.equal(kept(X.shape, 0.5, 7, 10), kept(X.shape, 0.5, 8, 10))
    assert len(dropped(X, 0.5, 7)) == MOST_MASKS


def test_running_means_are_the_means_of_the_first_ones() -> None:
    outputs = dropped(X, 0.5, 0, 30)
    means = running_means(outputs)
    for count in (1, 2, 17, 30):
        torch.testing.assert_close(means[count - 1], outputs[:count].double().mean(dim=0))


def test_the_mean_strays_by_its_standard_error_and_a_hundred_times_the_masks_give_a_tenth() -> None:
    assert standard_error(0.5, 1) == 1.0
    assert standard_error(0.2, 100) == pytest.approx(0.5 / 10)
    means = torch.stack([running_means(dropped(torch.ones(50), 0.5, seed, 100))[-1] for seed in range(20)])
    assert means.std().item() == pytest.approx(standard_error(0.5, 100), rel=0.1)


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_what_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(SpecError, match="p: must be a number from 0 to 1"):
        dropped(X, p, 0)


def test_without_dropout_it_is_the_network() -> None:
    x = torch.randn(5, 6)
    plain = RunSpec(hidden=(32, 16), init="he_normal", device="cpu")
    network = Concise(SPEC, (6, 32, 16, 4))
    torch.testing.assert_close(logits_with_masks(network.weights(), plain, x, torch.Generator()), network.logits(x))
    assert vote(WEIGHTS, SPEC, x[0], 3, 0).off == pytest.approx(network.logits(x[:1])[0].double().softmax(dim=0).numpy())


def test_copies_differ_their_votes_are_counted_and_the_network_is_left_alone() -> None:
    network = Concise(SPEC, (6, 32, 16, 4))
    before = network.state()
    seen = vote(network.weights(), SPEC, torch.randn(6), 100, seed=1)
    assert seen.masked.shape == (100, 4)
    assert len(np.unique(seen.masked[:, 0])) > 50
    np.testing.assert_allclose(seen.masked.sum(axis=1), 1.0)
    assert seen.votes.sum() == 100
    assert seen.votes.tolist() == [(seen.masked.argmax(axis=1) == label).sum() for label in range(4)]
    after = network.state()
    assert torch.equal(before.dropout, after.dropout)
    assert all(map(torch.equal, before.parameters, after.parameters))


def test_with_a_linear_network_the_mean_of_the_copies_is_the_network_without() -> None:
    spec = RunSpec(hidden=(32,), activation="identity", dropout=(0.5,), init="he_normal", device="cpu")
    weights, x = Concise(spec, (6, 32, 4)).weights(), torch.randn(6)
    masked = logits_with_masks(weights, spec, x.expand(20_000, -1), torch.Generator().manual_seed(0))
    off = logits_with_masks(weights, RunSpec(hidden=(32,), activation="identity"), x[None], torch.Generator())[0]
    error = masked.std(dim=0) / math.sqrt(20_000)
    assert ((masked.mean(dim=0) - off).abs() < 5 * error).all()


def test_left_on_counts_what_each_way_gets_right() -> None:
    images = torch.randn(400, 6)
    network = Concise(SPEC, (6, 32, 16, 4))
    labels = network.logits(images).argmax(dim=1)
    judged = left_on(network.weights(), SPEC, images, labels, copies=30, seed=0)
    assert judged.off == 1.0
    assert judged.one_mask < judged.copies < 1.0
