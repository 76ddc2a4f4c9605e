"""Five seeds take, each for itself, the batches that they take alone; their tests are those of their networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.data import Dataset
from mlp_core.losses import CROSS_ENTROPY, LOSSES, Loss
from mlp_core.network import network as networks
from mlp_core.spec import RunSpec
from mlp_core.training.replicates import TogetherState
from mlp_core.training.state import EvaluationInProgress, TrainingState
from tests.support.engine import SPEC, clouds, cross_entropy

SEEDS, CPU = (4, 5, 6), torch.device("cpu")


def of_seeds(spec: RunSpec, seeds: Sequence[int]) -> list[RunSpec]:
    return [replace(spec, seed=seed) for seed in seeds]


def numbers(targets: bool) -> Dataset:
    """Floating-point inputs (n, 2) with labels 0 and 1, or with targets (n, 1)."""
    x = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    y = x.prod(dim=1, keepdim=True) if targets else (x[:, 0] > 0).long()
    return Dataset(x[:30], y[:30], x[30:], y[30:])


@given(batch_size=st.integers(1, 60), train_size=st.one_of(st.none(), st.integers(1, 60)))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_every_seed_takes_the_batches_that_it_takes_alone(batch_size: int, train_size: int | None) -> None:
    data, spec = clouds(), replace(SPEC, batch_size=batch_size, train_size=train_size, seed=SEEDS[0])
    state = TogetherState(of_seeds(spec, SEEDS), data, CROSS_ENTROPY, (6, 8, 3), CPU)
    alone = [TrainingState(replace(spec, seed=seed), data, CROSS_ENTROPY, (6, 8, 3), CPU) for seed in SEEDS]
    steps = math.ceil(len(state.train_labels) / batch_size)
    for _epoch in range(2):
        for _step in range(steps):
            images, labels = state.next_batch()
            for index, one in enumerate(alone):
                expected_images, expected_labels = one.next_batch()
                assert torch.equal(images[index], expected_images)
                assert torch.equal(labels[index], expected_labels)
        for one in (state, *alone):
            one.start_epoch()


@pytest.mark.parametrize(("loss", "shape"), [(LOSSES["logistic"], (3, 7)), (LOSSES["squared"], (3, 7, 1))])
def test_numbers_are_taken_as_they_are(loss: Loss, shape: tuple[int, ...]) -> None:
    data = numbers(targets=loss.scores is None)
    state = TogetherState(of_seeds(replace(SPEC, batch_size=7), SEEDS), data, loss, (2, 8, 1), CPU)
    images, labels = state.next_batch()
    assert labels.shape == shape
    pairs = torch.cat([data.train_images, data.train_labels.reshape(30, 1)], dim=1).tolist()
    for x, y in zip(images.flatten(0, 1).tolist(), labels.flatten().tolist(), strict=True):
        assert [*x, y] in pairs


def test_hits_are_counted_for_every_seed() -> None:
    state = TogetherState(of_seeds(SPEC, (0, 1)), clouds(), CROSS_ENTROPY, (6, 8, 3), CPU)
    logits = torch.tensor([[[9.0, 1.0, 1.0], [2.0, 2.0, 2.0]], [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
    assert state.right(logits, torch.tensor([[0, 0], [1, 1]])) == [2, 1]  # of equal scores the first one counts


def test_a_regression_has_no_hits() -> None:
    state = TogetherState(of_seeds(SPEC, (0, 1)), numbers(targets=True), LOSSES["squared"], (2, 8, 1), CPU)
    assert all(math.isnan(hits) for hits in state.right(torch.zeros(2, 5, 1), torch.zeros(2, 5, 1)))


def test_sums_of_an_epoch_begin_anew_with_the_next() -> None:
    state = TogetherState(of_seeds(SPEC, (0, 1)), clouds(), CROSS_ENTROPY, (6, 8, 3), CPU)
    state.count([1.0, 2.0], [3, 4], 10)
    state.count([0.5, 0.25], [1, 0], 2)
    assert (state.loss_sums, state.hit_sums) == ([11.0, 20.5], [4, 4])
    state.start_epoch()
    assert (state.loss_sums, state.hit_sums) == ([0.0, 0.0], [0.0, 0.0])


@pytest.mark.parametrize("piece", [7, 1000])
def test_the_test_after_an_epoch_is_that_of_every_network(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "TEST_PIECE_IMAGES", piece)
    data = clouds()
    state = TogetherState(of_seeds(SPEC, SEEDS), data, CROSS_ENTROPY, (6, 8, 3), CPU)
    for _ in range(2):  # a second test counts from 0 again
        test, pieces = EvaluationInProgress(4, ends_epoch=True), 1
        while not state.test_piece(test):
            pieces += 1
        assert pieces == math.ceil(30 / piece)
        losses, accuracies = state.tested()
        for index, network in enumerate(state.batched.networks):
            logits = network.logits(data.test_images.flatten(1) / 255).numpy()
            assert losses[index] == pytest.approx(cross_entropy(logits, data.test_labels.numpy()).mean(), rel=1e-5)
            assert accuracies[index] == np.mean(logits.argmax(axis=1) == data.test_labels.numpy())
        assert test.result().loss == pytest.approx(losses[0], rel=1e-6)
        assert test.result().accuracy == accuracies[0]


def test_a_large_step_is_tested_in_smaller_pieces() -> None:
    sizes = (6, 2048, 2048, 3)
    state = TogetherState(of_seeds(SPEC, SEEDS), clouds(), CROSS_ENTROPY, sizes, CPU)
    one = TrainingState(SPEC, clouds(), CROSS_ENTROPY, sizes, CPU)
    assert state._test_piece == one._test_piece // len(SEEDS) < one._test_piece
